"""Many leaves set at once from an array: a feed's whole page of quotes as one tick.

A :class:`LeafBlock` knows in which rows of which columns its leaves are arguments, so a page of quotes reaches five
thousand array nodes by one array operation for each column instead of one for each leaf.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger.domain import Domain
from bank_python.dagger.fan import Fan, fan_of
from bank_python.dagger.node import Leaf
from bank_python.errors import DomainError, GraphError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.lanes import Lanes
    from bank_python.dagger.node import Node
    from bank_python.dagger.outcome import Outcome
    from bank_python.dagger.wave import Wave

__all__ = ["LeafBlock"]


class LeafBlock:
    """Leaves that are set together; made by :meth:`DependencyGraph.block`.

    Parameters
    ----------
    graph : DependencyGraph
        The leaves' graph.
    leaves : sequence of Leaf
        Each holding a number.

    Raises
    ------
    GraphError
        One of them is not such a leaf, or stands there twice.

    Examples
    --------
    >>> from bank_python.dagger import DependencyGraph
    >>> graph = DependencyGraph()
    >>> spots = [graph.register(Leaf(name, 100.0, domain="positive")) for name in ("AAPL", "MSFT")]
    >>> total = graph.sum("TOTAL", spots)
    >>> page = graph.block(spots)
    >>> page.set([101.0, 102.5])
    >>> total.value
    203.5
    """

    def __init__(self, graph: DependencyGraph, leaves: Sequence[Node]) -> None:
        for leaf in leaves:
            if not isinstance(leaf, Leaf) or leaf.domain is Domain.ANY:
                raise GraphError(f"a block sets leaves that hold numbers; {leaf.name} is not one", name=leaf.name)
        self.leaves = cast("tuple[Leaf, ...]", tuple(leaves))
        self._members = frozenset(self.leaves)
        if len(self._members) < len(self.leaves):
            raise GraphError("a leaf stands in the block twice; name each once")
        self._graph = graph
        self._lowest = np.array([leaf._lowest for leaf in self.leaves])
        self._wiring = -1
        self._columns: list[tuple[Lanes, int, NDArray[np.intp], NDArray[np.intp]]] = []
        self._now: NDArray[np.float64] = self._lowest
        self._seen = -1  # how many leaves had been set one by one when `_now` was right
        self._others: list[tuple[int, Fan]] = []

    def __len__(self) -> int:
        return len(self.leaves)

    def __contains__(self, leaf: object) -> bool:
        return leaf in self._members

    def set(self, values: ArrayLike) -> None:
        """Set every leaf, as one tick.

        Parameters
        ----------
        values : array_like of shape (len(block),)
            In the leaves' order.

        Raises
        ------
        DomainError
            A value lies outside its leaf's domain, or there are too few or too many; nothing has changed.
        """
        given = np.array(values, dtype=np.float64)
        if given.shape != self._lowest.shape:
            raise DomainError(f"the block has {len(self)} leaves; got values of shape {given.shape}", value=values)
        if not ((given > self._lowest) & (given < math.inf)).all():
            for leaf, value in zip(self.leaves, given.tolist(), strict=True):
                leaf.domain.check(leaf.name, value)
        self._graph._set_block(self, given)

    # --- for the graph -----------------------------------------------------------------------

    def pairs(self, old: NDArray[np.float64]) -> dict[Node, Outcome]:
        """Return the leaves and what each held, given what the block held."""
        return dict(zip(self.leaves, old.tolist(), strict=True))

    def present(self) -> NDArray[np.float64]:
        """Return what the leaves hold, NaN for one that is not yet quoted."""
        if self._seen != self._graph._single_sets:
            self._now = np.array([leaf._outcome if leaf._stamp else math.nan for leaf in self.leaves])
            self._seen = self._graph._single_sets
        return self._now

    def took(self, values: NDArray[np.float64]) -> None:
        """Take note of what the leaves were all set to."""
        self._now = values

    def start(self, wave: Wave, old: NDArray[np.float64]) -> None:
        """Start `wave` from the block, which held `old`."""
        if self._wiring != self._graph._memory.version:
            self._compile()
        for i, fan in self._others:
            wave.start(self.leaves[i], old.item(i), fan)
        now = self.present()
        moved = now.view(np.int64) != old.view(np.int64)
        whole = moved.all()
        for lanes, column, rows, givers in self._columns:
            if whole:
                wave.start_rows(lanes, column, rows, now[givers])
            else:
                some = moved[givers]
                wave.start_rows(lanes, column, rows[some], now[givers[some]])

    def _compile(self) -> None:
        self._wiring = self._graph._memory.version
        pairs: dict[tuple[Lanes, int], list[tuple[int, int]]] = {}
        self._others = []
        for i, leaf in enumerate(self.leaves):
            apart = Fan(leaf, with_lanes=False)
            if apart.sums or apart.more:
                self._others.append((i, apart))
            for lanes, column, members in fan_of(leaf).lanes:
                pairs.setdefault((lanes, column), []).extend((row, i) for row in members.tolist())
        self._columns = []
        for (lanes, column), edges in pairs.items():
            rows, givers = np.array(sorted(edges), dtype=np.intp).T
            whole = len(rows) == len(lanes.nodes)
            self._columns.append((lanes, column, lanes.everything() if whole else rows, givers.copy()))
