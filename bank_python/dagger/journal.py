"""Recording ticks and replaying them: the graph's definition and a journal give back the same values, bit for bit.

A journal opens with what the definition does not say: what each leaf holds, the terms of contracts, and what each
node holds whose value is not a function of these alone. After that it has an :class:`Entry` a tick: the leaves that
were set, the contracts that were amended, and what such nodes came to: those with a policy depend on clocks and
threads, those with a tolerance on when somebody looked. Everything else is a function of these. A batch that was
undone leaves nothing. Changes of the wiring are not journaled: replay on a graph that is wired as the recorded one
was.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, cast

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.node import Leaf, Node
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.errors import GraphError, JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.journals import Journal

__all__ = ["Entry", "Evaluation", "Recorder", "replay"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a node with a policy or a tolerance came to.

    Parameters
    ----------
    as_of_tick : int
        The tick of the inputs it was computed from.
    value : object
        The value; ``None`` if it failed.
    error : str, optional
        What the failure said.
    """

    as_of_tick: int
    value: object
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What one tick did.

    Parameters
    ----------
    tick : int
        Its number in the recorded graph.
    leaves : mapping of str to value
        What leaves were set to.
    terms : mapping of str to mapping
        The terms of contracts that were amended.
    evaluations : mapping of str to Evaluation
        What nodes with a policy or a tolerance came to.
    """

    tick: int
    leaves: Mapping[str, object] = field(default_factory=dict)
    terms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)


class Recorder:
    """Collects what each tick does, and writes it when the tick is complete; made by :meth:`DependencyGraph.record`.

    The graph calls it under its write lock. A journal that cannot be written must not hurt the graph: the recording
    ends there, :attr:`error` says why, and leaving the ``with`` block raises it.
    """

    def __init__(self, graph: DependencyGraph, journal: Journal) -> None:
        self._journal = journal
        self._leaves: dict[Leaf, None] = {}
        self._terms: dict[ArrayNode, None] = {}
        self._evaluated: dict[Node, Outcome] = {}
        self.error: Exception | None = None
        self.ticks = 0
        journal.claim()
        try:
            self._open(graph)
        except BaseException:
            journal.release()
            raise

    def release(self) -> None:
        """Let another writer have the journal."""
        self._journal.release()

    def _open(self, graph: DependencyGraph) -> None:
        graph._update()
        leaves = {node.name: node._outcome for node in graph if isinstance(node, Leaf) and _has_value(node)}
        terms = {node.name: node.terms for node in graph if isinstance(node, ArrayNode)}
        evaluations = {node.name: _evaluation(node, node._outcome) for node in graph if _is_journaled(node)}
        self._journal.append(Entry(graph.tick, leaves, terms, evaluations))

    def note_set(self, leaf: Leaf) -> None:
        """Note that a leaf is set in the tick under way."""
        self._leaves[leaf] = None

    def note_terms(self, node: ArrayNode) -> None:
        """Note that a contract is amended in the tick under way."""
        self._terms[node] = None

    def note_evaluated(self, node: Node, outcome: Outcome) -> None:
        """Note what a node came to, if its value is not a function of the leaves alone."""
        if _is_journaled(node):
            self._evaluated[node] = outcome

    def discard(self) -> None:
        """Forget what was noted: the batch under way was undone."""
        self._leaves, self._terms, self._evaluated = {}, {}, {}

    def commit(self, tick: int) -> None:
        """Write what was noted, if anything was, as the entry of `tick`."""
        if self.error is not None or not (self._leaves or self._terms or self._evaluated):
            return
        entry = Entry(
            tick,
            {leaf.name: leaf._outcome for leaf in self._leaves},
            {node.name: node.terms for node in self._terms},
            {node.name: _evaluation(node, outcome) for node, outcome in self._evaluated.items()},
        )
        self.discard()
        try:
            self._journal.append(entry)
        except Exception as error:  # noqa: BLE001 - the journal's trouble is not the graph's
            self.error = error
            _LOG.exception("the journal cannot be written; recording ended at tick %d", tick)
        else:
            self.ticks += 1


def replay(graph: DependencyGraph, journal: Iterable[Entry], on_tick: Callable[[int], object] | None) -> int:
    """Replay `journal` on `graph`; see :meth:`DependencyGraph.replay`."""
    if graph._log is not None:
        raise GraphError("a replay is made of batches of its own; start it outside the batch")
    ticks: dict[int, int] = {}
    offset = 0
    for tick, group in groupby(journal, key=lambda entry: entry.tick):  # a tick and its later evaluations
        entries = list(group)
        for entry in entries:
            _check(graph, entry)
        graph._replaying = True
        try:
            with graph.batch():
                for entry in entries:
                    _apply(graph, entry)
            graph.recalculate()
        finally:
            graph._replaying = False
        if not ticks:
            offset = graph.tick - tick  # from the recorded graph's count to this one's
        ticks[tick] = graph.tick
        for entry in entries:
            _date(graph, entry, ticks, offset)
        if on_tick is not None:
            on_tick(tick)
    return max(len(ticks) - 1, 0)


def _check(graph: DependencyGraph, entry: Entry) -> None:
    for names, kind, what in (
        (entry.leaves, Leaf, "leaf"),
        (entry.terms, ArrayNode, "contract"),
        (entry.evaluations, Node, "node with a policy or a tolerance"),
    ):
        for name in names:
            node = graph.find(name)
            if not isinstance(node, kind) or (kind is Node and not _is_journaled(node)):
                raise JournalError(
                    f"tick {entry.tick} of the journal has the {what} {name!r}, the graph has not: replay on a graph "
                    "that is wired as the recorded one was",
                    name=name,
                    tick=entry.tick,
                )
    for name, terms in entry.terms.items():
        unknown = set(terms) - set(graph[name].terms)  # type: ignore[attr-defined]  # checked to be an array node
        if unknown:
            raise JournalError(f"{name} has no term {', '.join(sorted(unknown))}", name=name, tick=entry.tick)


def _apply(graph: DependencyGraph, entry: Entry) -> None:
    for name, value in entry.leaves.items():
        leaf = cast("Leaf", graph[name])
        leaf._set(value, stamp=leaf._stamp or True)
    for name, terms in entry.terms.items():
        contract = cast("ArrayNode", graph[name])
        if not all(same(contract.terms[key], value) for key, value in terms.items()):
            graph._amend(contract, terms)
    for name, evaluation in entry.evaluations.items():
        graph._arrive(graph[name], _outcome(name, evaluation))


def _date(graph: DependencyGraph, entry: Entry, ticks: Mapping[int, int], offset: int) -> None:
    """Say of what tick, in this graph's count, the journaled values are."""
    for name, evaluation in entry.evaluations.items():
        gate = graph[name].gate
        if gate is not None:
            gate.as_of_tick = ticks.get(evaluation.as_of_tick, evaluation.as_of_tick + offset)


def _is_journaled(node: Node) -> bool:
    """Whether the node's value is not a function of the leaves alone; that of one only reads evaluate is."""
    return not node._lazy and (node.gate is not None or node.equal is not None)


def _has_value(leaf: Leaf) -> bool:
    return leaf.quoted and not isinstance(leaf._outcome, Failure)


def _evaluation(node: Node, outcome: Outcome) -> Evaluation:
    if isinstance(outcome, Failure):
        return Evaluation(node.as_of_tick, None, str(outcome.error))
    return Evaluation(node.as_of_tick, outcome)


def _outcome(name: str, evaluation: Evaluation) -> Outcome:
    if evaluation.error is None:
        return evaluation.value
    error = JournalError(f"{name} failed when it was recorded: {evaluation.error}", name=name)
    return Failure(error, name, error)
