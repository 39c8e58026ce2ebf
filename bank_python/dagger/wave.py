"""Following a change up the graph: the way a graph that was up to date is brought up to date again.

Setting a leaf costs the same whatever rests on it: the graph notes the leaf, and what it held before. A
:class:`Wave` then starts from the leaves so noted and touches nothing that the change does not reach. It evaluates a
node when all its inputs are final, so at most once and never on a mixture of old and new, and where a node comes out
the same as before, the wave ends.

A function of one node alone is called as soon as that node is final. Everything else waits, by height, until all
that lies lower is done. Sums are told what changed as it changes (:mod:`bank_python.dagger.aggregate`); rows of array
nodes have their arguments written, and are priced together (:mod:`bank_python.dagger.lanes`).

Nodes that are marked stale or dirty are none of the wave's business: see :mod:`bank_python.dagger.marking`.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.fan import fan_of
from bank_python.dagger.lane_fan import lane_fan_of
from bank_python.dagger.marking import mark_stale
from bank_python.dagger.outcome import Failure, Outcome, refuse_nan, same
from bank_python.dagger.recalculation import Recalculation
from bank_python.dagger.settling import save, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bank_python.dagger.fan import Fan
    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.lane_fan import LaneFan
    from bank_python.dagger.lanes import Lanes, Priced
    from bank_python.dagger.node import Node

__all__ = ["Wave"]


class Wave:
    """One propagation after the other, each from changed sources to everything that rests on them.

    Parameters
    ----------
    graph : DependencyGraph
        While a wave runs its caller holds the write lock, and nothing in the graph is marked.
    """

    __slots__ = ("_due", "_graph", "_number", "_one_by_one", "_rows", "_stack", "_tick", "done")

    def __init__(self, graph: DependencyGraph) -> None:
        self._graph = graph
        self._number = 0
        self._tick = 0
        self._one_by_one = False
        self.done = Recalculation(0)
        self._stack: list[tuple[Node, tuple[tuple[DerivedNode, Callable[..., object]], ...]]] = []
        self._due: dict[int, list[Node]] = {}  # by height, as the next
        self._rows: dict[int, dict[Lanes, list[NDArray[np.intp]]]] = {}

    def begin(self) -> None:
        """Begin a new propagation."""
        graph = self._graph
        self._number = graph._waves = graph._waves + 1
        self._tick = graph._working_tick
        self._one_by_one = graph._is_watchful()
        self.done = Recalculation(self._tick)

    def start(self, source: Node, old: Outcome, fan: Fan | None = None) -> None:
        """Start from a node that held `old` when it was last followed up."""
        new = source._outcome
        if new != old if new.__class__ is old.__class__ is float and new else not same(old, new):
            self._announce(source, old, fan or source._fan or fan_of(source))

    def start_rows(self, lanes: Lanes, column: int, rows: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        """Start from many leaves that are one argument of `rows`."""
        lanes.feed_column(column, rows, values)
        self._schedule_rows(lanes, rows)

    def run(self) -> None:
        """Evaluate everything that the sources reach."""
        due, rows = self._due, self._rows
        while True:
            if self._stack:
                self._follow()
            if due and (not rows or min(due) <= min(rows)):
                self._call(due.popitem()[1] if len(due) == 1 else due.pop(min(due)))
            elif rows:
                for lanes, parts in rows.pop(min(rows)).items():
                    self._price(lanes, parts)
            else:
                return

    # --- who hears of a change ---------------------------------------------------------------

    def _announce(self, node: Node, old: Outcome, fan: Fan) -> None:
        if fan.sums:
            fan.tell_sums(old, node._outcome)
            for _, total in fan.sums:
                self._schedule(total)
        if fan.more:
            self._announce_more(node, fan, old)

    def _announce_more(self, node: Node, fan: Fan, old: Outcome) -> None:
        for dependent in fan.calls:
            if dependent._due != self._number:
                self._schedule(dependent)
        if fan.unary:
            self._stack.append((node, fan.unary))
        if fan.rare:
            self._announce_rare(node, fan, old)

    def _announce_rare(self, node: Node, fan: Fan, old: Outcome) -> None:
        fan.tell_weighted(old, node._outcome)
        for _, _, total in fan.weighted:
            self._schedule(total)
        for lanes, column, rows in fan.lanes:
            lanes.feed(column, rows, node._outcome)
            self._schedule_rows(lanes, rows)
        if fan.lazy:
            mark_stale(self._graph, fan.lazy)
        if fan.watched:
            self._graph._observers.note(node, old)

    def _schedule(self, node: Node) -> None:
        if node._due == self._number:
            return
        node._due = self._number
        level = self._due.get(node._height)
        if level is None:
            self._due[node._height] = [node]
        else:
            level.append(node)

    def _schedule_rows(self, lanes: Lanes, rows: NDArray[np.intp]) -> None:
        for height, part in lanes.split_by_height(rows):
            self._rows.setdefault(height, {}).setdefault(lanes, []).append(part)

    # --- evaluating --------------------------------------------------------------------------

    def _follow(self) -> None:  # noqa: C901 - the one place where speed comes before looks
        # The innermost loop of the platform. For numbers it does, written out, what `_settle` does for anything.
        stack, tick, number, done = self._stack, self._tick, self._number, self.done
        called = changed = 0
        while stack:
            source, unary = stack.pop()
            outcome = source._outcome
            if self._one_by_one or outcome.__class__ is Failure:
                self._call([node for node, _ in unary])
                continue
            called += len(unary)
            for node, function in unary:
                try:
                    new = function(outcome)
                except Exception as error:  # noqa: BLE001 - whatever the function raises becomes the value
                    new = Failure(error, node.name, error)
                old = node._outcome
                if new.__class__ is not float or old.__class__ is not float or new != new:  # noqa: PLR0124
                    self._settle(node, refuse_nan(node.name, new))
                elif new != old or (new == 0.0 and not same(old, new)):
                    changed += 1
                    if node._changed_tick != tick:
                        node._previous = old
                        node._changed_tick = tick
                    node._outcome = new
                    above = node._fan or fan_of(node)
                    for terms, total in above.sums:
                        terms.append(new)
                        terms.append(-old)
                        if total._due != number:
                            self._schedule(total)
                    if above.more:
                        self._announce_more(node, above, old)
        if called:
            done.add(DerivedNode, called)
            done.changed += changed

    def _call(self, nodes: list[Node]) -> None:  # noqa: C901 - as above
        if self._one_by_one:
            for node in nodes:
                self._call_one(node)
            return
        tick, number, done = self._tick, self._number, self.done
        for node in nodes:
            if node.gate is not None and not node.gate.admits(self._graph, node):
                done.add(node.__class__, -1)
                continue
            new, old = node._renew(), node._outcome
            if new.__class__ is not float or old.__class__ is not float or node.equal is not None or new == old == 0.0:
                self._settle(node, new)
            elif new != old:
                done.changed += 1
                if node._changed_tick != tick:
                    node._previous = old
                    node._changed_tick = tick
                node._outcome = new
                above = node._fan or fan_of(node)
                for terms, total in above.sums:
                    terms.append(new)
                    terms.append(-old)
                    if total._due != number:
                        self._schedule(total)
                if above.more:
                    self._announce_more(node, above, old)
        done.add_all(nodes)

    def _call_one(self, node: Node) -> None:
        graph, profile = self._graph, self._graph._profile
        if node.gate is not None and not node.gate.admits(graph, node):
            return
        started = perf_counter()
        outcome = node._renew()
        if profile is not None:
            profile.add(type(node), 1, started)
        self.done.add(type(node), 1)
        self._settle(node, outcome)

    def _settle(self, node: Node, outcome: Outcome) -> None:
        old = node._outcome
        self.done.failed += outcome.__class__ is Failure
        if settle(self._graph, node, outcome):
            self.done.changed += 1
            self._announce(node, old, fan_of(node))

    def _price(self, lanes: Lanes, parts: list[NDArray[np.intp]]) -> None:
        graph = self._graph
        rows = parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))
        if self._one_by_one:
            save(graph, [lanes.nodes[row] for row in rows.tolist()])
        started = 0.0 if graph._profile is None else perf_counter()
        priced, failed = lanes.price(rows, self._tick)
        if graph._profile is not None:
            graph._profile.add(lanes.type, len(rows), started)
        self.done.add(lanes.type, len(rows))
        self.done.failed += failed
        self.done.changed += len(priced.rows)
        fan = lane_fan_of(lanes)
        for total in fan.tell_sums(lanes, priced):
            self._schedule(total)
        for feed in fan.feeds:
            takers, positions = feed.follow(priced.rows)
            self.start_rows(feed.lanes, feed.column, takers, priced.new[positions])
        if fan.nodes:
            self._announce_rows(lanes, fan, priced)

    def _announce_rows(self, lanes: Lanes, fan: LaneFan, priced: Priced) -> None:
        for row in priced.rows.tolist():
            if row in fan.nodes:
                self._announce_more(lanes.nodes[row], fan.nodes[row], lanes.outcome_before(row))
