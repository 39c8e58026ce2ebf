"""Read operations of a store, shared by the store itself and by views of its past."""

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

_CANDIDATES = 500  # keys compared with a missing one: enough to find a typing error, cheap in a large store


class StoreReader(ABC):
    """Base class of :class:`BarbaraDB` and :class:`PastView`: a mapping read through the rings.

    ``keys``, ``items`` and ``values`` return lists of the state at one moment, not views, which would change while
    other writers are at work.
    """

    @property
    @abstractmethod
    def rings(self) -> tuple[str, ...]:
        """Names of the rings, the leftmost first."""

    @property
    @abstractmethod
    def allow_pickle(self) -> bool:
        """Whether pickled parts of records are read (and, in a store, written)."""

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
            The record of the key cannot be read.
        """
        found = self._load([check_key(key)], None)
        return found.get(key, default)

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that start with `prefix` in any ring, sorted, without duplicates."""
        return self._overlay().keys(self._session(), check_text(prefix, "a prefix"))

    def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        """Return the keys that start with `prefix` and their values at one moment, sorted by key."""
        with self._session().snapshot():
            keys = self.keys(prefix)
            bodies = self._gather(keys)
        return list(self._build(keys, bodies, None).items())

    def values(self, prefix: str = "") -> list[Any]:
        """Return the values of the keys that start with `prefix`, sorted by key."""
        return [value for _, value in self.items(prefix)]

    def load(self, key: str, graph: NodeFinder | None = None) -> Any:
        """Return the value of `key`; objects that are nodes of `graph` already are taken from there.

        Parameters
        ----------
        key : str
            Key to read.
        graph : NodeFinder, optional
            Graph, or any object with ``find(name)``. If it finds the name of a stored object, including that of `key`
            itself, the node found is used; other objects are built, and not added to the graph.

        Raises
        ------
        MissingKeyError
            No ring has the key; the message suggests similar keys.
        StoreError
            The record is damaged, has a type that is not registered in this process, or refers to an object that is not
            stored.
        """
        return self.load_many([key], graph)[key]

    def load_many(self, keys: Iterable[str], graph: NodeFinder | None = None) -> dict[str, Any]:
        """Return the values of several keys at one moment; objects that they share are built once.

        Raises
        ------
        MissingKeyError, StoreError
            A key cannot be read; see :meth:`load`.
        """
        wanted = [check_key(key) for key in keys]
        found = self._load(wanted, graph)
        for key in wanted:
            if key not in found:
                raise self._missing(key)
        return found

    def version(self, key: str) -> Version:
        """Return the visible version of `key`.

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
        """Return every stored version of `key` in these rings, oldest first; empty if there is none."""
        return self._overlay().history(self._session(), check_key(key))

    def read_version(self, version: Version) -> Any:
        """Return the value of one entry of :meth:`history`; objects it refers to are read in their visible versions.

        Raises
        ------
        MissingKeyError
            The version is a deletion, or has been pruned.
        """
        with self._session().snapshot():
            rows = self._session().rows("SELECT record FROM version WHERE sequence = ?", (version.sequence,))
            if not rows or rows[0][0] is None:
                message = f"version {version.number} of {version.key!r} in ring {version.ring!r} has no value"
                raise MissingKeyError(message, key=version.key, version=version)
            body = unpack(version.key, rows[0][0])
            bodies = self._gather([key for key, _ in body.references])
        below = self._build(list(bodies), bodies, None)
        return decode(version.key, body.value, body.buffers, below, allow_pickle=self.allow_pickle)

    def export_json(self, prefix: str = "") -> str:
        """Return the records under `prefix` as indented JSON for inspection; bytes appear as offset and length."""
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
        # Not inside the snapshot, as building runs the objects' own code, which may wait for other locks.
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
