"""Propagation of changes to all dependent nodes.

Setting a leaf only records the leaf and its previous value, at a cost that does not depend on its dependents.
:func:`propagate` starts from these sources and visits only nodes that the changes affect. A node is evaluated when all
its inputs are final, so at most once and never on a mixture of old and new values. The propagation stops at a node
whose outcome is the same as before.

A function of a single node is called as soon as that node is final. All other nodes are scheduled by height, and
evaluated when all lower nodes are final. Sums are updated by each change of an input (:mod:`bank_python.dagger.sums`);
changes are written into the arguments of contract batches, whose rows are then priced together
(:mod:`bank_python.dagger.columns`).

**Targets.** Given the nodes that are being read, only the nodes they need are evaluated. Other dependents of the
changes are *marked*: stale if an input has changed, dirty if that is not known yet. A later propagation starts from
these marks, and a read of a node without a mark needs no evaluation. Marking stops at nodes that are marked already. A
propagation without targets evaluates everything, and needs no marks.
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
    """Counts and timing of a recalculation.

    Attributes
    ----------
    tick : int
        Number of the tick that was brought up to date.
    evaluated, changed, failed : int
        Number of nodes that were evaluated, that have changed, and that failed.
    seconds : float
        Wall-clock time in seconds.
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
        """Add a number of evaluations of nodes of one class."""
        self.evaluated += evaluated
        self._kinds[kind] = self._kinds.get(kind, 0) + evaluated

    @property
    def by_class(self) -> dict[str, int]:
        """Number of evaluations by name of the node class."""
        return {kind.__name__: count for kind, count in self._kinds.items() if count}

    def to_dict(self) -> dict[str, object]:
        """Return the figures by name."""
        figures = ("tick", "evaluated", "changed", "failed", "by_class", "seconds")
        return {name: getattr(self, name) for name in figures}

    def __repr__(self) -> str:
        classes = ", ".join(f"{count:,} {name}" for name, count in self.by_class.items()) or "nothing"
        return f"<Recalculation at tick {self.tick}: {classes} in {1e6 * self.seconds:,.0f} µs>"


def propagate(state: State, changed: Mapping[Node, Outcome], targets: Sequence[Node] | None = None) -> Recalculation:
    """Bring a graph up to date after changes of some nodes.

    Parameters
    ----------
    state : State
        State of the graph; the caller is its writer.
    changed : mapping of Node to outcome
        Sources that changed, each with its outcome at the last propagation.
    targets : sequence of Node, optional
        Nodes to bring up to date; other dependents of the changes are marked. By default everything is brought up to
        date, including nodes that were marked before.

    Returns
    -------
    Recalculation
        Counts of the nodes that were evaluated, changed and failed.
    """
    was_torn, state.torn = state.torn, True
    run = state.idle_run or _Propagation(state)
    state.idle_run = None  # a run that is interrupted, or nested in another, is not used again
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
    """Return `new`, and whether it is the same as `old` by the node's cutoff rule, or bit for bit if it has none.

    If the rule raises, its error becomes the node's outcome.
    """
    if node.equal is None or isinstance(old, Failure) or isinstance(new, Failure) or old is None:
        return new, same(old, new)
    try:
        verdict = node.equal(old, new)
        is_nan = isinstance(verdict, float) and verdict != verdict  # noqa: PLR0124 - NaN is truthy, but no verdict
        return new, bool(np.all(verdict)) and not is_nan
    except Exception as error:  # noqa: BLE001 - any error of a user's rule becomes the outcome
        failure = Failure(error, node.name, error)
        return failure, same(old, failure)


_Method = TypeVar("_Method")
_Job = tuple[Node, "Callable[..., Any] | None"]
"""A node to evaluate and, for a function of one node, that function; other nodes are evaluated by their methods."""

_Jobs = tuple[Outcome, "Sequence[_Job]", int]
"""The outcome of one node, dependents of it to evaluate, and how many of them are functions of this node only."""


def _copied(method: _Method) -> _Method:
    """Return a copy of a function, with its own code object."""
    function = cast("FunctionType", method)
    return cast("_Method", FunctionType(function.__code__.replace(), function.__globals__, function.__name__))


class _Propagation:
    """One propagation, from changed sources to all their dependents, or to those that the targets need."""

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
        self._wanted: set[Node] | None = None  # the nodes to evaluate, None for all
        self._called = 0  # evaluations of derived nodes, which are the most frequent
        self._chooses = False  # whether some dependents may be scheduled already, or are only to be marked
        self.done = Recalculation(0)
        self._stack: list[_Jobs] = []
        self._heights: list[int] = []  # a heap of the heights at which nodes are due
        self._due: dict[int, list[_Job]] = {}  # by height
        self._rows: dict[int, dict[Columns, list[NDArray[np.intp]]]] = {}

    # --- sources -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Reset the run for a new propagation."""
        state = self._state
        self._number = state.propagations = state.propagations + 1
        self._tick = state.working_tick
        self._watchful = state.is_watchful()
        self._wanted = None
        self._chooses = False
        self._called = 0
        self.done = Recalculation(self._tick)

    def narrow(self, changed: Iterable[Node], targets: Iterable[Node]) -> None:
        """Mark all dependents of `changed` sources, and find the marked nodes that the targets need."""
        state = self._state
        self._chooses = True
        for source in changed:
            state.mark_dirty(source)
        for leaf in state.block[0].leaves if state.block is not None else ():
            state.mark_dirty(leaf)
        self._wanted = set(inputs_first(targets, lambda node: node.inputs_, lambda node: bool(node.state_)))

    def seed(self) -> None:
        """Schedule the nodes that are marked stale."""
        marked = self._state.marked if self._wanted is None else self._wanted
        rows: dict[Columns, list[int]] = {}
        for node in marked:
            if node.state_ is NodeState.STALE:
                self._chooses = True
                if isinstance(node, ArrayNode) and node.part_ is not None:
                    if node.lazy_:
                        node.part_.refresh(node)  # changes are not written into rows of lazy nodes
                    rows.setdefault(node.part_, []).append(node.row_)
                else:
                    self._schedule(node)
        for batch, members in rows.items():
            self._schedule_rows(batch, np.array(members, dtype=np.intp))

    def start(self, source: Node, old: Outcome) -> None:
        """Start from a node that has changed, with its outcome at the last propagation."""
        self._announce(source, source.fan_ or self._dependents_of(source), old)

    def start_block(
        self, dependents: BlockDependents, leaves: Sequence[Node], old: NDArray[np.float64], now: NDArray[np.float64]
    ) -> None:
        """Start from leaves that were set together, with their values at the last propagation."""
        moved = now.view(np.int64) != old.view(np.int64)
        for i, others in dependents.others:
            if moved[i]:
                self._announce(leaves[i], others, old.item(i))
        whole = moved.all()
        for batch, column, rows, positions in dependents.columns:
            some = slice(None) if whole else moved[positions]
            self._feed(batch, column, rows if whole else rows[some], now.take(positions if whole else positions[some]))

    def finish(self) -> None:
        """Remove the marks of the nodes that have been brought up to date."""
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
        """Evaluate all scheduled nodes, lowest height first."""
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

    # --- scheduling of dependents ------------------------------------------------------------

    def _dependents_of(self, node: Node) -> Dependents:
        known: Dependents | None = node.fan_
        if known is None:
            known = Dependents.of(node, self._state.topology.shared, watched=self._is_watched(node))
        return known

    def _is_watched(self, node: Node) -> bool:
        """Whether the node has subscribers to notify; those of a leaf are notified when it is set."""
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
        """Return the functions of one node that are called at once: not scheduled yet, and needed by the targets."""
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

    def _evaluate(self, stack: list[_Jobs]) -> None:  # noqa: C901, PLR0912 - the innermost loop, optimised for speed
        # For floats this is `_keep` and `SumNode.apply` written inline.
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
                    except Exception as error:  # noqa: BLE001 - any error of the function becomes the outcome
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

    # The interpreter caches attribute lookups at each instruction for the class that was seen last. Two copies of the
    # code keep that cache valid in the first: functions of one node are all of one class, other nodes are not.
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
        """Store a new outcome of `node` and, unless it is the same as before, schedule the dependents."""
        state, old, outcome = self._state, node.outcome_, checked(node.name, outcome)
        self.done.failed += outcome.__class__ is Failure
        if state.replaying and node.equal is not None:
            return  # the recorded value is taken from the journal
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
        for total in dependents.update_sums(batch, priced):
            self._schedule(total)
        for feed in dependents.feeds:
            target_rows, positions = feed.follow(priced.rows)
            self._feed(feed.batch, feed.column, target_rows, priced.new[positions])
        if dependents.nodes:
            self._announce_rows(batch, dependents, priced)

    def _announce_rows(self, batch: Columns, dependents: BatchDependents, priced: Priced) -> None:
        for row in priced.rows.tolist():
            if row in dependents.nodes:
                self._announce_more(batch.nodes[row], dependents.nodes[row], batch.outcome_before(row))
