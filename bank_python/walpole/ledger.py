"""Persistence of job states and run histories in a Barbara store.

The state of a job is stored under ``/Jobs/<name>/state`` and its last 100 runs under ``/Jobs/<name>/runs/<n>``,
where the run numbered 101 replaces the first. The store is written without holding the scheduler's lock, as a job may
have a transaction open on the same store and call the runner meanwhile. An error of the store does not stop the jobs:
it is logged and available as :attr:`Ledger.last_error`.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Protocol

from bank_python.walpole.entry import HISTORY_LENGTH

if TYPE_CHECKING:
    from bank_python.walpole.entry import JobEntry
    from bank_python.walpole.records import JobRun

__all__ = ["JobStore", "Ledger"]

_LOG = logging.getLogger(__name__)


class JobStore(Protocol):
    """Interface of a store for the ledger, implemented by BarbaraDB and by dict."""

    def __setitem__(self, key: str, value: Any, /) -> None: ...

    def get(self, key: str, /) -> Any:
        """Return the value of `key`, or ``None``."""
        ...


class Ledger:
    """Writes changed job states and ended runs to a store, and reads them back.

    Parameters
    ----------
    store : JobStore or None
        Store of states and runs; without one they are lost when the process ends.
    condition : threading.Condition
        Condition of the scheduler, held by callers of :meth:`touch` and :meth:`is_clean`, never during a write.
    """

    def __init__(self, store: JobStore | None, condition: threading.Condition) -> None:
        self._store = store
        self._condition = condition
        self._write_lock = threading.Lock()
        self._changed: dict[str, JobEntry] = {}
        self._runs: list[JobRun] = []
        self._writing: frozenset[str] = frozenset()
        self.last_error: Exception | None = None

    @property
    def has_changes(self) -> bool:
        """Whether there are changes to write."""
        return bool(self._changed)

    def touch(self, entry: JobEntry, *runs: JobRun) -> None:
        """Record that the state of a job has changed, and that `runs` have ended."""
        if self._store is not None:
            self._changed[entry.name] = entry
            self._runs.extend(runs)

    def is_clean(self, name: str) -> bool:
        """Whether all recorded changes of a job have been written."""
        return name not in self._changed and name not in self._writing

    def flush(self) -> None:
        """Write all changes that were recorded before this call, by any thread."""
        with self._write_lock:
            with self._condition:
                if not self._changed:
                    return
                # Runs first: restoring handles a state in which a stored run is still listed as running.
                batch = [(run_key(run.job, run.number), run.to_record()) for run in self._runs]
                batch += [(state_key(entry.name), entry.to_record()) for entry in self._changed.values()]
                self._writing = frozenset(self._changed)
                self._changed, self._runs = {}, []
            self._write(batch)
            with self._condition:
                self._writing = frozenset()
                self._condition.notify_all()

    def _write(self, batch: list[tuple[str, dict[str, Any]]]) -> None:
        if self._store is None:
            return
        try:
            for key, record in batch:
                self._store[key] = record
        except Exception as error:  # noqa: BLE001  (a store may raise any error, and the jobs must continue)
            self.last_error = error
            _LOG.exception("the state of jobs could not be stored; the jobs continue")

    def load(self, entry: JobEntry, now: float) -> None:
        """Restore the stored state of an entry's job, if there is one."""
        store = self._store
        if store is None:
            return
        record = store.get(state_key(entry.name))
        if record is not None:
            self.touch(entry, *entry.restore(record, lambda number: store.get(run_key(entry.name, number)), now))


def state_key(name: str) -> str:
    """Return the key of a job's state."""
    return f"/Jobs/{name}/state"


def run_key(name: str, number: int) -> str:
    """Return the key of a job's run, one of 100 keys that are used in turn."""
    return f"/Jobs/{name}/runs/{(number - 1) % HISTORY_LENGTH + 1}"
