"""The reading half of a store, shared by the store itself and by its past."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from bank_python.barbara.decode import decode
from bank_python.barbara.envelope import Body, unpack
from bank_python.barbara.keys import check_key, check_text, parent_of
from bank_python.barbara.resolve import NodeFinder, Resolver, gather
from bank_python.errors import MissingKeyError
from bank_python.wording import near_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bank_python.barbara.overlay import Overlay
    from bank_python.barbara.sessions import Session
    from bank_python.barbara.versions import Version

__all__ = ["StoreReader"]

_CANDIDATES = 500  # keys compared with a missing one: enough to find a slip of the pen, cheap in a big store


class StoreReader(ABC):
    """Mapping reads through the rings: what :class:`BarbaraDB` and :class:`PastView` have in common.

    ``keys``, ``items`` and ``values`` return lists, the state of one moment: a view that looked again at
    each step would change underfoot while others write.
    """

    @property
    @abstractmethod
    def rings(self) -> tuple[str, ...]:
        """Ring names, the leftmost first."""

    @property
    @abstractmethod
    def allow_pickle(self) -> bool:
        """Whether pickled parts are read (and, in a store, written)."""

    @abstractmethod
    def _session(self) -> Session: ...

    @abstractmethod
    def _overlay(self) -> Overlay: ...

    def __getitem__(self, key: str) -> Any:
        return self.load(key)

    def __contains__(self, key: object) -> bool:
        return bool(self._overlay().version(self._session(), check_key(key)))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return self._overlay().count(self._session())

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` if no ring has it.

        Raises
        ------
        StoreError
            The key is there but cannot be read.
        """
        found = self._load([check_key(key)], None)
        return found.get(key, default)

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that start with `prefix`, all rings merged, sorted, each once."""
        return self._overlay().keys(self._session(), check_text(prefix, "a prefix"))

    def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        """Return keys and values under `prefix`, as of one moment, sorted by key."""
        with self._session().snapshot():
            keys = self.keys(prefix)
            bodies = self._gather(keys)
        return list(self._build(keys, bodies, None).items())

    def values(self, prefix: str = "") -> list[Any]:
        """Return the values under `prefix`, in the order of their keys."""
        return [value for _, value in self.items(prefix)]

    def load(self, key: str, graph: NodeFinder | None = None) -> Any:
        """Return the value of `key`; what it refers to is taken from `graph` where that has it.

        Parameters
        ----------
        key : str
            The key.
        graph : NodeFinder, optional
            Anything with ``find(name)``. An object whose name is found there, the one under `key`
            included, is that node; others are built and not added to the graph.

        Raises
        ------
        MissingKeyError
            No ring has the key; close matches are suggested.
        StoreError
            The record is damaged, of a type not registered here, or refers to what is not stored.
        """
        return self.load_many([key], graph)[key]

    def load_many(self, keys: Iterable[str], graph: NodeFinder | None = None) -> dict[str, Any]:
        """Return the value of each key, as of one moment; what they share is built once.

        Raises
        ------
        MissingKeyError, StoreError
            As :meth:`load`.
        """
        wanted = [check_key(key) for key in keys]
        found = self._load(wanted, graph)
        for key in wanted:
            if key not in found:
                raise self._missing(key)
        return found

    def version(self, key: str) -> Version:
        """Return which version of `key` is visible.

        Raises
        ------
        MissingKeyError
            No ring has the key.
        """
        found = self._overlay().version(self._session(), check_key(key))
        if found is None:
            raise self._missing(key)
        return found

    def history(self, key: str) -> tuple[Version, ...]:
        """Return every kept version of `key` in these rings, oldest first; empty if there never was one."""
        return self._overlay().history(self._session(), check_key(key))

    def read_version(self, version: Version) -> Any:
        """Return the value of one entry of :meth:`history`; what it refers to is read as visible here.

        Raises
        ------
        MissingKeyError
            The version is a deletion, or has been pruned.
        """
        with self._session().snapshot():
            rows = self._session().rows("SELECT record FROM version WHERE sequence = ?", (version.sequence,))
            if not rows or rows[0][0] is None:
                message = f"version {version.number} of {version.key!r} in ring {version.ring!r} keeps no value"
                raise MissingKeyError(message, key=version.key, version=version)
            body = unpack(version.key, rows[0][0])
            bodies = self._gather([key for key, _ in body.references])
        below = self._build(list(bodies), bodies, None)
        return decode(version.key, body.value, body.buffers, below, allow_pickle=self.allow_pickle)

    def export_json(self, prefix: str = "") -> str:
        """Return the records under `prefix` as indented JSON, for people; bytes are shown by their place."""
        bodies = self._gather(self.keys(prefix))
        shown = {key: json.loads(body.value) for key, body in sorted(bodies.items()) if key.startswith(prefix)}
        return json.dumps(shown, indent=2, ensure_ascii=False)

    def _load(self, keys: list[str], graph: NodeFinder | None) -> dict[str, Any]:
        bodies = self._gather(keys)
        return self._build([key for key in keys if key in bodies], bodies, graph)

    def _gather(self, keys: list[str]) -> dict[str, Body]:
        session, overlay = self._session(), self._overlay()
        with session.snapshot():
            return gather(keys, lambda batch: overlay.records(session, batch))

    def _build(self, keys: list[str], bodies: dict[str, Body], graph: NodeFinder | None) -> dict[str, Any]:
        # Outside the snapshot: building runs the objects' own code, which may wait for other locks.
        resolver = Resolver(bodies, graph, allow_pickle=self.allow_pickle)
        return {key: resolver.build(key) for key in keys}

    def _missing(self, key: str) -> MissingKeyError:
        session, overlay = self._session(), self._overlay()
        near = overlay.keys(session, parent_of(key), _CANDIDATES) or overlay.keys(session, "", _CANDIDATES)
        close = near_names(key, near)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        searched = ", ".join(map(repr, self.rings))
        message = f"no key {key!r} in ring {searched}{hint}"
        return MissingKeyError(message, key=key, rings=self.rings, suggestions=close)
