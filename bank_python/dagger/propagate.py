"""Propagation: how a change reaches everything that depends on it.

Setting a leaf costs the same whatever depends on it: the graph notes the leaf, and what it held before.
:func:`propagate` then starts from the sources so noted and touches nothing that the change does not reach. It evaluates
a node when all its inputs are final, so at most once and never on a mixture of old and new, and where a node comes out
the same as before, the propagation ends.

A function of one node alone is called as soon as that node is final. Everything else waits, by height, until all
that lies lower is done. Sums are told what changed as it changes (:mod:`bank_python.dagger.sums`); rows of contract
batches have their arguments written, and are priced together (:mod:`bank_python.dagger.columns`).

**Targets.** Given the nodes that somebody reads, only what these need is evaluated. What else the change reaches is
*marked*: stale where an input did change, dirty where that is not known yet, so that a later propagation takes it from
there, and a read knows at once what is right. Marks are made once and end where they meet what is marked already.
Without targets there is nothing to mark, as nothing is left for later.
"""

from __future__ import annotations

from heapq import heappop, heappush
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.dependents import Dependents, batch_dependents_of
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.node import Node, inputs_first
from bank_python.dagger.node import State as NodeState
from bank_python.dagger.outcome import Failure, Outcome, checked, same, unchanged
from bank_python.dagger.sums import SumNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger.columns import Columns, Priced
    from bank_python.dagger.dependents import BatchDependents, BlockDependents
    from bank_python.dagger.state import State

__all__ = ["Recalculation", "compared", "propagate"]


class Recalculation:
    """What a recalculation did.

    Attributes
    ----------
    tick : int
        The tick the graph stood at.
    evaluated, changed, failed : int
        How many nodes were evaluated, how many of them came out different, and how many hold an error.
    seconds : float
        Wall-clock time taken.
    """

    __slots__ = ("_kinds", "changed", "evaluated", "failed", "seconds", "tick")

    def __init__(self, tick: int) -> None:
        self.tick = tick
        self.evaluated = 0
        self.changed = 0
        self.failed = 0
        self.seconds = 0.0
        self._kinds: dict[type[Node], int] = {}

    def add(self, kind: type[Node], evaluated: int) -> None:
        """Count evaluations of nodes of one class."""
        self.evaluated += evaluated
        self._kinds[kind] = self._kinds.get(kind, 0) + evaluated

    @property
    def by_class(self) -> dict[str, int]:
        """Evaluations by class of node."""
        return {kind.__name__: count for kind, count in self._kinds.items() if count}

    def to_dict(self) -> dict[str, object]:
        """Return the figures by name."""
        figures = ("tick", "evaluated", "changed", "failed", "by_class", "seconds")
        return {name: getattr(self, name) for name in figures}

    def __repr__(self) -> str:
        classes = ", ".join(f"{count:,} {name}" for name, count in self.by_class.items()) or "nothing"
        return f"<Recalculation at tick {self.tick}: {classes} in {1e6 * self.seconds:,.0f} µs>"


def propagate(state: State, changed: Mapping[Node, Outcome], targets: Sequence[Node] | None = None) -> Recalculation:
    """Bring a graph up to date with what has changed.

    Parameters
    ----------
    state : State
        Of the graph; the caller is its writer.
    changed : mapping of Node to outcome
        The sources that changed, each with what it held when it was last propagated.
    targets : sequence of Node, optional
        Evaluate only what these need and mark what else is reached; by default everything is brought up to date,
        what was marked before included.

    Returns
    -------
    Recalculation
        What was evaluated, changed and failed.
    """
    was_torn, state.torn = state.torn, True
    run = state.idle_run or _Propagation(state)
    state.idle_run = None  # one that is cut short, or within another, is not used again
    run.begin()
    if targets is not None:
        run.narrow([source for source, old in changed.items() if _moved(source, old)], targets)
    if state.marked or targets is not None:
        run.seed()
    for source, old in changed.items():
        if _moved(source, old):
            run.start(source, old)
    if state.block is not None:
        block, old_values = state.block
        state.block = None
        run.start_block(block.dependents(), block.leaves, old_values, block.present())
    run.run()
    run.finish()
    state.idle_run, state.torn = run, was_torn
    return run.done


def _moved(source: Node, old: Outcome) -> bool:
    new = source.outcome_
    return new != old if new.__class__ is old.__class__ is float and new else not unchanged(old, new)


def compared(node: Node, old: Outcome, new: Outcome) -> tuple[Outcome, bool]:
    """Return `new`, and whether it is not worth propagating: by the node's own rule, or else by the bits.

    If that rule raises, its error is the node's outcome.
    """
    if node.equal is None or isinstance(old, Failure) or isinstance(new, Failure) or old is None:
        return new, same(old, new)
    try:
        verdict = node.equal(old, new)
        is_nan = isinstance(verdict, float) and verdict != verdict  # noqa: PLR0124 - which says nothing
        return new, bool(np.all(verdict)) and not is_nan
    except Exception as error:  # noqa: BLE001 - a comparison of the user's own; its error becomes the value
        failure = Failure(error, node.name, error)
        return failure, same(old, failure)


_Method = TypeVar("_Method")
_Job = tuple[Node, "Callable[..., Any] | None"]
"""A node to evaluate and, if it is a function of one node, that function; the others are asked for their outcome."""

_Jobs = tuple[Outcome, "Sequence[_Job]", int]
"""What one node holds, the nodes to evaluate for it, and how many of them are functions of it alone."""


def _copied(method: _Method) -> _Method:
    """Return the same function once more, with code of its own."""
    function = cast("FunctionType", method)
    return cast("_Method", FunctionType(function.__code__.replace(), function.__globals__, function.__name__))


class _Propagation:
    """One propagation, from changed sources to everything that depends on them or that the targets need."""

    __slots__ = (
        "_called",
        "_chooses",
        "_due",
        "_heights",
        "_number",
        "_rows",
        "_stack",
        "_state",
        "_tick",
        "_wanted",
        "_watchful",
        "done",
    )

    def __init__(self, state: State) -> None:
        self._state = state
        self._number = self._tick = 0
        self._watchful = False
        self._wanted: set[Node] | None = None  # what is evaluated now, if not everything
        self._called = 0  # functions of nodes, counted apart as they are most
        self._chooses = False  # whether of what a change reaches some is due already, or left for later
        self.done = Recalculation(0)
        self._stack: list[_Jobs] = []
        self._heights: list[int] = []  # a heap of the heights at which something is due
        self._due: dict[int, list[_Job]] = {}  # by height
        self._rows: dict[int, dict[Columns, list[NDArray[np.intp]]]] = {}

    # --- where it starts ---------------------------------------------------------------------

    def begin(self) -> None:
        """Begin anew."""
        state = self._state
        self._number = state.propagations = state.propagations + 1
        self._tick = state.working_tick
        self._watchful = state.is_watchful()
        self._wanted = None
        self._chooses = False
        self._called = 0
        self.done = Recalculation(self._tick)

    def narrow(self, changed: Iterable[Node], targets: Iterable[Node]) -> None:
        """Mark what `changed` sources reach, and find what of it, and of what was marked, the targets need."""
        state = self._state
        self._chooses = True
        for source in changed:
            state.mark_dirty(source)
        for leaf in state.block[0].leaves if state.block is not None else ():
            state.mark_dirty(leaf)
        self._wanted = set(inputs_first(targets, lambda node: node.inputs_, lambda node: bool(node.state_)))

    def seed(self) -> None:
        """Schedule what is known to be stale."""
        marked = self._state.marked if self._wanted is None else self._wanted
        rows: dict[Columns, list[int]] = {}
        for node in marked:
            if node.state_ is NodeState.STALE:
                self._chooses = True
                if isinstance(node, ArrayNode) and node.part_ is not None:
                    if node.lazy_:
                        node.part_.refresh(node)  # nobody feeds a node that may never be read
                    rows.setdefault(node.part_, []).append(node.row_)
                else:
                    self._schedule(node)
        for batch, members in rows.items():
            self._schedule_rows(batch, np.array(members, dtype=np.intp))

    def start(self, source: Node, old: Outcome) -> None:
        """Start from a node that held `old` when it was last propagated, and holds something else now."""
        self._announce(source, source.fan_ or self._dependents_of(source), old)

    def start_block(
        self, dependents: BlockDependents, leaves: Sequence[Node], old: NDArray[np.float64], now: NDArray[np.float64]
    ) -> None:
        """Start from leaves that were set together and held `old`."""
        moved = now.view(np.int64) != old.view(np.int64)
        for i, others in dependents.others:
            if moved[i]:
                self._announce(leaves[i], others, old.item(i))
        whole = moved.all()
        for batch, column, rows, givers in dependents.columns:
            some = slice(None) if whole else moved[givers]
            self._feed(batch, column, rows if whole else rows[some], now.take(givers if whole else givers[some]))

    def finish(self) -> None:
        """Unmark what has been brought up to date."""
        state, wanted = self._state, self._wanted
        if self._called:
            self.done.add(DerivedNode, self._called)
        if wanted is None and state.marked:
            for node in state.marked:
                node.state_ = NodeState.CLEAN
            state.marked.clear()
        elif wanted:
            for node in wanted:
                node.state_ = NodeState.CLEAN
                state.marked.pop(node, None)
        state.evaluations += self.done.evaluated

    def run(self) -> None:
        """Evaluate everything that is due, lowest first."""
        due, rows, heights, stack = self._due, self._rows, self._heights, self._stack
        if stack:
            self._evaluate_functions(stack)
        while heights:
            height = heappop(heights)
            jobs = due.pop(height, None)
            if jobs is not None:
                self._evaluate_nodes([(None, jobs, 0)])
            if rows:
                for batch, parts in rows.pop(height, {}).items():
                    self._price(batch, parts)
            if stack:
                self._evaluate_functions(stack)

    # --- to whom a change is handed on -------------------------------------------------------

    def _dependents_of(self, node: Node) -> Dependents:
        known: Dependents | None = node.fan_
        if known is None:
            known = Dependents.of(node, self._state.topology.shared, watched=self._is_watched(node))
        return known

    def _is_watched(self, node: Node) -> bool:
        """Whether somebody is to be notified of the node's changes; of a leaf's they are when it is set."""
        return node in self._state.listeners and not isinstance(node, Leaf)

    def _announce(self, node: Node, dependents: Dependents, old: Outcome) -> None:
        new = node.outcome_
        for terms, total in dependents.sums:
            total.apply(old, new, 1.0, terms)
            self._schedule(total)
        if dependents.more:
            self._announce_more(node, dependents, old)

    def _announce_more(self, node: Node, dependents: Dependents, old: Outcome) -> None:
        for dependent in dependents.calls:
            if dependent.due_ != self._number:
                self._schedule(dependent)
        if dependents.unary:
            jobs = self._chosen(dependents.unary) if self._chooses else dependents.unary
            self._stack.append((node.outcome_, jobs, len(jobs)))
        if dependents.rare:
            self._announce_rare(node, dependents, old)

    def _announce_rare(self, node: Node, dependents: Dependents, old: Outcome) -> None:
        for total, weight, terms in dependents.weighted:
            total.apply(old, node.outcome_, weight, terms)
            self._schedule(total)
        for batch, column, rows in dependents.rows:
            batch.feed(column, rows, node.outcome_)
            self._schedule_rows(batch, rows)
        for lazy in dependents.lazy:
            self._state.mark_stale([lazy])
            if self._wanted is not None and lazy in self._wanted:
                self._schedule_lazy(lazy)
        if dependents.watched:
            self._state.listeners.note(node, old)

    def _schedule_lazy(self, node: Node) -> None:
        if isinstance(node, ArrayNode) and node.part_ is not None:
            node.part_.refresh(node)
            self._schedule_rows(node.part_, np.array([node.row_], dtype=np.intp))
        else:
            self._schedule(node)

    def _chosen(
        self, jobs: Sequence[tuple[DerivedNode, Callable[..., Any]]]
    ) -> list[tuple[DerivedNode, Callable[..., Any]]]:
        """Return those of the functions of one node that are called at once: not seeded, and not left for later."""
        chosen: list[tuple[DerivedNode, Callable[..., Any]]] = []
        for job in jobs:
            node = job[0]
            if self._wanted is not None:
                node.state_ = NodeState.STALE
            if node.due_ != self._number and (self._wanted is None or node in self._wanted):
                chosen.append(job)
        return chosen

    def _schedule(self, node: Node) -> None:
        if node.due_ == self._number:
            return
        node.due_ = self._number
        if self._wanted is not None:
            node.state_ = NodeState.STALE
            if node not in self._wanted:
                if isinstance(node, SumNode):
                    node.limit_terms()
                return
        level = self._due.get(node.height_)
        if level is None:
            self._due[node.height_] = [(node, None)]
            heappush(self._heights, node.height_)
        else:
            level.append((node, None))

    def _schedule_rows(self, batch: Columns, rows: NDArray[np.intp]) -> None:
        if self._wanted is not None:
            wanted = []
            for row in rows.tolist():
                node = batch.nodes[row]
                node.state_ = NodeState.STALE
                if node in self._wanted:
                    wanted.append(row)
            if not wanted:
                return
            rows = np.array(wanted, dtype=np.intp)
        for height, part in batch.split_by_height(rows):
            if height not in self._rows:
                self._rows[height] = {}
                heappush(self._heights, height)
            self._rows[height].setdefault(batch, []).append(part)

    def _feed(self, batch: Columns, column: int, rows: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        batch.feed_column(column, rows, values)
        self._schedule_rows(batch, rows)

    # --- evaluating --------------------------------------------------------------------------

    def _evaluate(self, stack: list[_Jobs]) -> None:  # noqa: C901, PLR0912 - the innermost loop of the platform, where speed comes first
        # For numbers it does, written out, what `_keep` and `SumNode.apply` do for anything.
        tick, number, done, watchful = self._tick, self._number, self.done, self._watchful
        kind: type[Node] = DerivedNode
        count = changed = 0
        while stack:
            given, jobs, unary = stack.pop()
            if watchful or given.__class__ is Failure:
                self._evaluate_one_by_one(jobs)
                continue
            count += unary
            for node, function in jobs:
                if function is not None:
                    try:
                        new = function(given)
                    except Exception as error:  # noqa: BLE001 - whatever the function raises becomes the value
                        new = Failure(error, node.name, error)
                elif node.gate is None or node.gate.admits(self._state, node):
                    if node.__class__ is not kind:
                        if count:
                            done.add(kind, count)
                        kind, count = node.__class__, 0
                    count += 1
                    new = node.renew_()
                    if node.equal is not None:
                        self._keep(node, new)
                        continue
                else:
                    continue
                old = node.outcome_
                if type(new) is not float or old.__class__ is not float or new != new:  # noqa: PLR0124
                    self._keep(node, new)
                elif new != old or (new == 0.0 and not same(old, new)):
                    changed += 1
                    if node.changed_tick_ != tick:
                        node.previous_ = old
                        node.changed_tick_ = tick
                    node.outcome_ = new
                    above = node.fan_ or self._dependents_of(node)
                    for terms, total in above.sums:
                        terms.append(new)
                        terms.append(-old)
                        if total.due_ != number:
                            self._schedule(total)
                    if above.more:
                        self._announce_more(node, above, old)
        if kind is DerivedNode:
            self._called += count
        elif count:
            done.add(kind, count)
        done.changed += changed

    # The interpreter caches, at each place in the code, how an attribute of the class that came by is reached. So the
    # loop stands once and runs as two copies: functions of one node are all of one class, the other nodes are not.
    _evaluate_functions = _copied(_evaluate)
    _evaluate_nodes = _copied(_evaluate)

    def _evaluate_one_by_one(self, jobs: Iterable[_Job]) -> None:
        state, profile = self._state, self._state.profile
        for node, _ in jobs:
            if node.gate is not None and not node.gate.admits(state, node):
                continue
            started = perf_counter()
            outcome = node.renew_()
            if profile is not None:
                profile.add(type(node), 1, started)
            self.done.add(type(node), 1)
            self._keep(node, outcome)

    def _keep(self, node: Node, outcome: Outcome) -> None:
        """Give `node` the outcome it came to and, if that is worth propagating, hand it on."""
        state, old, outcome = self._state, node.outcome_, checked(node.name, outcome)
        self.done.failed += outcome.__class__ is Failure
        if state.replaying and node.equal is not None:
            return  # what it handed on, and when, is in the journal
        outcome, is_same = compared(node, old, outcome)
        if state.recorder is not None and (node.gate is not None or not is_same):
            state.recorder.note_evaluated(node, outcome)
        if not is_same:
            state.replace(node, outcome)
            self.done.changed += 1
            self._announce(node, self._dependents_of(node), old)

    def _price(self, batch: Columns, parts: list[NDArray[np.intp]]) -> None:
        state = self._state
        rows = parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))
        if self._watchful:
            state.save([batch.nodes[row] for row in rows.tolist()])
        started = 0.0 if state.profile is None else perf_counter()
        priced, failed = batch.price(rows, self._tick)
        if state.profile is not None:
            state.profile.add(batch.type, len(rows), started)
        self.done.add(batch.type, len(rows))
        self.done.failed += failed
        self.done.changed += len(priced.rows)
        dependents = batch_dependents_of(batch, self._is_watched)
        for total in dependents.tell_sums(batch, priced):
            self._schedule(total)
        for feed in dependents.feeds:
            takers, positions = feed.follow(priced.rows)
            self._feed(feed.batch, feed.column, takers, priced.new[positions])
        if dependents.nodes:
            self._announce_rows(batch, dependents, priced)

    def _announce_rows(self, batch: Columns, dependents: BatchDependents, priced: Priced) -> None:
        for row in priced.rows.tolist():
            if row in dependents.nodes:
                self._announce_more(batch.nodes[row], dependents.nodes[row], batch.outcome_before(row))
