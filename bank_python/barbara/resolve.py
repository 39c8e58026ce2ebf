"""Reading objects together with those they refer to: all records are fetched first, then the objects are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_python.barbara.decode import decode
from bank_python.barbara.envelope import Body, unpack
from bank_python.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["NodeFinder", "Resolver", "gather"]


class NodeFinder(Protocol):
    """Interface of a graph for loading: lookup of nodes by name."""

    def find(self, name: str, /) -> object | None:
        """Return the node of that name, or ``None``."""
        ...


def gather(keys: Iterable[str], fetch: Callable[[Sequence[str]], Mapping[str, bytes]]) -> dict[str, Body]:
    """Return the records of `keys` and of all objects they refer to; keys without a record are missing.

    There is one query per level of references, not per record: a desk of thousands of objects has only a few levels.
    """
    bodies: dict[str, Body] = {}
    seen: set[str] = set()
    frontier = list(dict.fromkeys(keys))
    while frontier:
        seen.update(frontier)
        found = {key: unpack(key, record) for key, record in fetch(frontier).items()}
        bodies.update(found)
        referred = (key for body in found.values() for key, _ in body.references)
        frontier = [key for key in dict.fromkeys(referred) if key not in seen]
    return bodies


class Resolver:
    """Builder of objects from records, each key once; nodes that are in a graph already are taken from there.

    Parameters
    ----------
    bodies : mapping
        Records by key, as returned by :func:`gather`.
    graph : NodeFinder or None
        Graph in which nodes are looked up, by the names stored with the references, before new ones are built.
    allow_pickle : bool
        Whether to read pickled parts of records.
    """

    def __init__(self, bodies: Mapping[str, Body], graph: NodeFinder | None, *, allow_pickle: bool) -> None:
        self._bodies = bodies
        self._graph = graph
        self._allow_pickle = allow_pickle
        self._built: dict[str, object] = {}

    def build(self, key: str) -> object:
        """Return the object stored under `key`; its record must have been gathered.

        Raises
        ------
        StoreError
            A record is damaged, refers to an object that is not stored, or to itself.
        """
        if self._bind(key, self._bodies[key].name):
            return self._built[key]
        # Iterative, as chains of underliers may be longer than the interpreter's call stack.
        trail = [key]
        on_trail = {key}
        while trail:
            current = trail[-1]
            body = self._bodies[current]
            needed = [ref for ref in body.references if not self._bind(*ref)]
            if needed:
                after = self._next(current, needed[0][0], on_trail)
                trail.append(after)
                on_trail.add(after)
            else:
                self._built[current] = decode(
                    current, body.value, body.buffers, self._built, allow_pickle=self._allow_pickle
                )
                on_trail.discard(trail.pop())
        return self._built[key]

    def _bind(self, key: str, name: str | None) -> bool:
        if key in self._built:
            return True
        node = self._graph.find(name) if self._graph is not None and name is not None else None
        if node is not None:
            self._built[key] = node
        return node is not None

    def _next(self, referring: str, key: str, on_trail: set[str]) -> str:
        if key not in self._bodies:
            message = f"{referring!r} refers to {key!r}, which is not in the store: write {key!r} first"
            raise StoreError(message, key=referring, missing=key)
        if key in on_trail:
            message = f"{referring!r} refers back to {key!r}, which depends on it: write one of them again"
            raise StoreError(message, key=referring, missing=key)
        return key
