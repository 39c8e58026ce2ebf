"""The jobs' memory: state and run history in a Barbara store.

A job's state is kept under ``/Jobs/<name>/state`` and its last 100 runs under ``/Jobs/<name>/runs/<n>``,
where the run numbered 101 takes the place of the first. Writing happens outside the scheduler's lock: a job
may hold a transaction on the same store and ask the runner something meanwhile. A store that fails does
not stop the jobs: the error is logged and kept in :attr:`Ledger.last_error`.
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
    """What the ledger needs of a store: a BarbaraDB has it, and so has a dict."""

    def __setitem__(self, key: str, value: Any, /) -> None: ...

    def get(self, key: str, /) -> Any:
        """Return the value of `key`, or ``None``."""
        ...


class Ledger:
    """Writes what has changed, and reads it back.

    Parameters
    ----------
    store : JobStore or None
        Without one nothing is kept beyond the process.
    condition : threading.Condition
        The scheduler's; held by callers of :meth:`touch` and :meth:`is_clean`, never during a write.
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
        """Whether something waits to be written."""
        return bool(self._changed)

    def touch(self, entry: JobEntry, *runs: JobRun) -> None:
        """Note that a job's state has changed and that `runs` have ended."""
        if self._store is not None:
            self._changed[entry.name] = entry
            self._runs.extend(runs)

    def is_clean(self, name: str) -> bool:
        """Whether everything noted about a job has been written."""
        return name not in self._changed and name not in self._writing

    def flush(self) -> None:
        """Write what was noted before this call, by whichever thread."""
        with self._write_lock:
            with self._condition:
                if not self._changed:
                    return
                # Runs first: a state that says RUNNING beside a stored run of that number is understood.
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
        except Exception as error:  # noqa: BLE001  (stores differ in what they raise; jobs must go on)
            self.last_error = error
            _LOG.exception("jobs go on, but their state could not be stored")

    def load(self, entry: JobEntry, now: float) -> None:
        """Let a new entry go on from what the store has about its job."""
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
    """Return the key of a job's run: one of 100 places, used in turn."""
    return f"/Jobs/{name}/runs/{(number - 1) % HISTORY_LENGTH + 1}"
