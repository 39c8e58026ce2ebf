"""Recording and replaying ticks: a replay on a graph of the same definition gives bitwise identical values.

A journal begins with the state that the definition of the graph does not contain: the values of leaves, the terms of
contracts, and the values of nodes that are not functions of these alone. These are nodes with a policy, which depend on
clocks and threads, and nodes with a tolerance, which depend on when they were evaluated. One :class:`Entry` per tick
follows: the leaves that were set, the contracts that were amended, and the values of such nodes. All other values are
functions of these. A batch that was undone leaves no entry. Changes of the wiring are not recorded: replay on a graph
that is wired like the recorded one.

A tick and the values of such nodes in it are one entry, so that a crash loses both or neither: in a graph with such
nodes, a tick is written when it has been brought up to date, or when the next one begins. What was lost with a torn end
is reported in the result of the replay (:class:`Replay`) and in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from os import PathLike
from typing import TYPE_CHECKING, Protocol, Self, cast, runtime_checkable

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.engine import Batch
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.display import Record
from bank_python.errors import GraphError, JournalError
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from bank_python.dagger.engine import Engine

__all__ = ["Entry", "Evaluation", "JournalTarget", "Journaling", "Recorder", "Replay"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evaluation(Record):
    """Recorded outcome of a node with a policy or a tolerance.

    Parameters
    ----------
    as_of_tick : int
        Number of the tick of the inputs it was computed from.
    value : object
        Value of the node; ``None`` if it failed.
    error : str, optional
        Message of the failure.
    """

    as_of_tick: int
    value: object
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Entry(Record):
    """Recorded changes of one tick.

    Parameters
    ----------
    tick : int
        Number of the tick in the recorded graph.
    leaves : mapping of str to value
        New values of the leaves that were set, by name.
    terms : mapping of str to mapping
        Terms of the contracts that were amended, by name of the contract.
    evaluations : mapping of str to Evaluation
        Outcomes of nodes with a policy or a tolerance, by name.
    """

    tick: int
    leaves: Mapping[str, object] = field(default_factory=dict)
    terms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)


@runtime_checkable
class JournalTarget(Protocol):
    """Interface of a journal for recording and replaying; see :class:`~bank_python.dagger.journals.Journal`."""

    @property
    def lost(self) -> str | None:
        """Description of what was lost with a torn end; ``None`` if the end is whole."""

    @property
    def lost_tick(self) -> int | None:
        """Number of the tick that the torn end belongs to, where that can be read."""

    def claim(self) -> None:
        """Become the journal's one writer."""

    def release(self) -> None:
        """Let another writer claim the journal."""

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""

    def __iter__(self) -> Iterator[Entry]: ...


class Recorder:
    """Collects the changes of each tick and writes them to a journal; returned by :meth:`Journaling.record`.

    The engine calls it while it writes to the graph. If the journal cannot be written, the graph is not affected: the
    recording ends, :attr:`error` holds the reason, and leaving the ``with`` block raises it.

    Parameters
    ----------
    engine : Engine
        Engine of the graph, which is up to date.
    journal : JournalTarget
        Journal to write, already claimed by the caller.
    """

    def __init__(self, engine: Engine, journal: JournalTarget) -> None:
        self._engine = engine
        self._journal = journal
        self._leaves: dict[Leaf, None] = {}
        self._terms: dict[ArrayNode, None] = {}
        self._evaluated: dict[Node, Outcome] = {}
        self._open_entry: Entry | None = None  # of a tick that is not up to date yet
        self._wiring = -1
        self._has_journaled = False
        self.error: Exception | None = None
        self.ticks = 0
        nodes = tuple(engine.topology.nodes.values())
        leaves = {node.name: node.outcome_ for node in nodes if isinstance(node, Leaf) and _has_value(node)}
        terms = {node.name: node.terms for node in nodes if isinstance(node, ArrayNode)}
        evaluations = {node.name: _evaluation(node, node.outcome_) for node in nodes if _is_journaled(node)}
        journal.append(Entry(engine.tick, leaves, terms, evaluations))

    def note_set(self, leaf: Leaf) -> None:
        """Note that a leaf is set in the tick under way."""
        self._leaves[leaf] = None

    def note_terms(self, node: ArrayNode) -> None:
        """Note that a contract is amended in the tick under way."""
        self._terms[node] = None

    def note_evaluated(self, node: Node, outcome: Outcome) -> None:
        """Note the outcome of a node, if it is not a function of the leaves alone."""
        if _is_journaled(node):
            self._evaluated[node] = outcome

    def discard(self, nodes: Collection[Node]) -> None:
        """Discard the notes about `nodes`: the batch that changed them was undone."""
        self._leaves = {leaf: None for leaf in self._leaves if leaf not in nodes}
        self._terms = {node: None for node in self._terms if node not in nodes}
        self._evaluated = {node: outcome for node, outcome in self._evaluated.items() if node not in nodes}

    def _why(self) -> str:
        return "" if self.error is None else message_of(self.error)

    def _forget(self) -> None:
        self._leaves, self._terms, self._evaluated = {}, {}, {}

    def commit(self, tick: int) -> None:
        """Complete the entry of a tick, and write it as soon as the tick is up to date."""
        if self.error is not None:
            return
        if self._leaves or self._terms:
            self.flush()
        if self._leaves or self._terms or self._evaluated:
            self._note_entry(tick)
        if self._open_entry is not None and (self._is_up_to_date() or not self._graph_has_journaled()):
            self.flush()

    def _note_entry(self, tick: int) -> None:
        evaluations = {node.name: _evaluation(node, outcome) for node, outcome in self._evaluated.items()}
        known = self._open_entry
        if known is not None and known.tick == tick:
            self._open_entry = Entry(tick, known.leaves, known.terms, {**known.evaluations, **evaluations})
        else:
            self.flush()
            leaves = {leaf.name: leaf.outcome_ for leaf in self._leaves}
            terms = {node.name: node.terms for node in self._terms}
            self._open_entry = Entry(tick, leaves, terms, evaluations)
        self._forget()

    def _is_up_to_date(self) -> bool:
        return not (self._engine.pending or self._engine.block or self._engine.marked)

    def _graph_has_journaled(self) -> bool:
        topology = self._engine.topology
        if self._wiring != topology.version:
            self._wiring = topology.version
            self._has_journaled = any(map(_is_journaled, topology.nodes.values()))
        return self._has_journaled

    def flush(self) -> None:
        """Write the entry whose tick is not up to date yet, if there is one."""
        entry = self._open_entry
        if entry is None:
            return
        try:
            self._journal.append(entry)  # repeated if Ctrl-C interrupts it: the same entry twice does no harm
        except Exception as error:  # noqa: BLE001 - no error of a journal may affect the graph
            self.error, self._open_entry = error, None
            self._forget()
            with suppress(Exception):  # a log handler of the user's own may raise
                _LOG.error(
                    "the journal cannot be written; recording ended at tick %d: %s", entry.tick, message_of(error)
                )
        else:
            self._open_entry = None
            self.ticks += 1

    def __repr__(self) -> str:
        return f"<Recorder: {self.ticks:,} ticks{'' if self.error is None else f', ended by {self._why()}'}>"


class Replay(int):
    """Number of ticks that were replayed, without the opening entry, and what was lost with a torn end.

    Attributes
    ----------
    lost : str or None
        Description of what was lost; ``None`` if the journal was whole.
    """

    lost: str | None

    def __new__(cls, ticks: int, lost: str | None = None) -> Self:
        """Return the number of ticks, with a description of what was lost."""
        replayed = super().__new__(cls, ticks)
        replayed.lost = lost
        return replayed

    def __repr__(self) -> str:
        return f"{int(self)}" if self.lost is None else f"<{int(self)} ticks replayed; {self.lost}>"


class Journaling:
    """Recording and replaying of the ticks of a graph; ``graph.journal``.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def record(self, journal: JournalTarget) -> Iterator[Recorder]:
        """Record every tick in a journal while the ``with`` block is open; see :mod:`bank_python.dagger.journal`.

        Parameters
        ----------
        journal : Journal
            Journal to write; it has one writer at a time.

        Raises
        ------
        GraphError
            The graph is being recorded already, or a batch is open.
        JournalError
            On entering: the journal has another writer. On leaving: the journal could not be written; the graph is
            unaffected, and the journal ends before the tick that failed.
        """
        recorder = self._engine.write(lambda: self._begin(journal))
        try:
            yield recorder
        finally:
            self._engine.write(lambda: self._end(recorder, journal))
        if recorder.error is not None:
            raise JournalError(
                f"the journal ends after {recorder.ticks} ticks: {message_of(recorder.error)}; later ticks are not "
                "recorded"
            ) from recorder.error

    def _begin(self, journal: JournalTarget) -> Recorder:
        if self._engine.recorder is not None:
            raise GraphError("the graph is being recorded already; one journal at a time")
        if self._engine.batches:
            raise GraphError("a recording cannot start inside a batch; start it before or after the batch")
        _require_journal(journal, JournalTarget)
        self._engine.update()
        journal.claim()
        try:
            recorder = Recorder(self._engine, journal)
        except BaseException:
            journal.release()
            raise
        self._engine.recorder = recorder
        return recorder

    def _end(self, recorder: Recorder, journal: JournalTarget) -> None:
        if self._engine.recorder is recorder:
            self._engine.recorder = None
        try:
            recorder.flush()
        finally:
            journal.release()

    def replay(self, journal: Iterable[Entry], on_tick: Callable[[int], object] | None = None) -> Replay:
        """Repeat the recorded ticks on a graph of the same definition.

        Nodes with a policy are set to their recorded values and not evaluated. A tick of which a part was lost with a
        torn end is omitted altogether.

        Parameters
        ----------
        journal : Journal
            Journal, or any iterable of entries in order.
        on_tick : callable, optional
            Function called with the recorded number of each tick after its replay.

        Returns
        -------
        Replay
            Number of ticks replayed, without the opening entry; its ``lost`` describes what was lost with a torn end.

        Raises
        ------
        JournalError
            The journal is damaged, or names a node that is not in the graph; the ticks before that stay replayed.
        """
        if self._engine.batches:
            raise GraphError("a replay cannot run inside a batch; start it before or after the batch")
        _require_journal(journal, Iterable)
        lost, lost_tick = _torn_end_of(journal)
        ticks: dict[int, int] = {}
        offset = 0
        for tick, group in groupby(journal, key=lambda entry: entry.tick):  # evaluations may follow as further entries
            if tick == lost_tick and ticks:
                lost = f"{lost}; tick {tick}, of which it was a part, is left out"
                break
            entries = list(group)
            self._replay_tick(entries)
            if not ticks:
                offset = self._engine.tick - tick  # from the recorded graph's count to this one's
            ticks[tick] = self._engine.tick
            for entry in entries:
                self._date(entry, ticks, offset)
            if on_tick is not None:
                on_tick(tick)
        if lost is not None:
            with suppress(Exception):  # a log handler of the user's own may raise
                _LOG.warning("replayed %d ticks of a journal that is torn: %s", max(len(ticks) - 1, 0), lost)
        return Replay(max(len(ticks) - 1, 0), lost)

    def _replay_tick(self, entries: list[Entry]) -> None:
        engine = self._engine
        for entry in entries:
            self._check(entry)
        engine.replaying = True
        try:
            with Batch(engine):
                for entry in entries:
                    self._apply(entry)
            engine.write(engine.update)
        finally:
            engine.replaying = False

    def _check(self, entry: Entry) -> None:
        nodes = self._engine.topology.nodes
        for names, kind, what in (
            (entry.leaves, Leaf, "leaf"),
            (entry.terms, ArrayNode, "contract"),
            (entry.evaluations, Node, "node with a policy or a tolerance"),
        ):
            for name in names:
                node = nodes.get(name)
                if not isinstance(node, kind) or (kind is Node and not _is_journaled(node)):
                    raise JournalError(
                        f"tick {entry.tick} of the journal has the {what} {name!r}, which the graph does not have: "
                        "replay on a graph that is wired like the recorded one",
                        name=name,
                        tick=entry.tick,
                    )
        for name, terms in entry.terms.items():
            unknown = set(terms) - set(cast("ArrayNode", nodes[name]).terms)
            if unknown:
                raise JournalError(f"{name} has no term {', '.join(sorted(unknown))}", name=name, tick=entry.tick)

    def _apply(self, entry: Entry) -> None:
        nodes = self._engine.topology.nodes
        for name, value in entry.leaves.items():
            leaf = cast("Leaf", nodes[name])
            leaf.set_(value, stamp=leaf.stamp_ or True)
        for name, terms in entry.terms.items():
            contract = cast("ArrayNode", nodes[name])
            if not all(same(contract.terms[key], value) for key, value in terms.items()):
                self._engine.amend(contract, terms)
        for name, evaluation in entry.evaluations.items():
            self._arrive(nodes[name], _outcome(name, evaluation))

    def _arrive(self, node: Node, outcome: Outcome) -> None:
        self._engine.write(lambda: self._engine.arrive(node, outcome))

    def _date(self, entry: Entry, ticks: Mapping[int, int], offset: int) -> None:
        """Set ``as_of_tick`` of the journaled nodes, converted to the tick numbers of this graph."""
        for name, evaluation in entry.evaluations.items():
            gate = self._engine.topology.nodes[name].gate
            if gate is not None:
                gate.as_of_tick = ticks.get(evaluation.as_of_tick, evaluation.as_of_tick + offset)


def _require_journal(journal: object, kind: type) -> None:
    """Raise a GraphError for a path, say, in place of a journal."""
    if isinstance(journal, str | PathLike) or not isinstance(journal, kind):
        raise GraphError(f"{journal!r} is not a journal; give FileJournal(path), of bank_python.dagger", value=journal)


def _torn_end_of(journal: Iterable[Entry] | JournalTarget) -> tuple[str | None, int | None]:
    """Return what was lost with the end of a journal, and its tick; None and None for plain entries."""
    if not isinstance(journal, JournalTarget):
        return None, None
    return journal.lost, journal.lost_tick


def _is_journaled(node: Node) -> bool:
    """Whether the node's value is recorded, as it is not a function of the leaves alone; a lazy node's is."""
    return not node.lazy_ and (node.gate is not None or node.equal is not None)


def _has_value(leaf: Leaf) -> bool:
    return leaf.quoted and not isinstance(leaf.outcome_, Failure)


def _evaluation(node: Node, outcome: Outcome) -> Evaluation:
    if isinstance(outcome, Failure):
        return Evaluation(node.as_of_tick, None, message_of(outcome.error))
    return Evaluation(node.as_of_tick, outcome)


def _outcome(name: str, evaluation: Evaluation) -> Outcome:
    if evaluation.error is None:
        return evaluation.value
    error = JournalError(f"{name} failed when it was recorded: {evaluation.error}", name=name)
    return Failure(error, name, error)
