"""Inspection of a graph: explanations of values, plans of recomputations, profiles, and pictures."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.node import Node, by_height, shown
from bank_python.dagger.topology import dependents_of
from bank_python.display import Displayed, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bank_python.dagger.engine import Engine
    from bank_python.dagger.outcome import Outcome

__all__ = ["Explanation", "Inquiry", "Plan", "Profile", "ProfileRow"]


_MOST_LINES = 40


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(Displayed):
    """Explanation of a node's value: its function, terms and inputs, and the tick that last changed it.

    Parameters
    ----------
    name, kind : str
        Name of the node, and name of its class.
    function : str
        Name of the function that computes the value; empty for a leaf.
    outcome : object
        Value of the node, or the failure in place of a value.
    terms : dict of str to float
        Terms of the contract; empty for a node that is not a contract.
    changed_tick : int
        Number of the tick that last changed the node.
    previous : object
        Value of the node before that tick.
    inputs : tuple of Explanation
        Explanations of the inputs, down to the requested depth.
    more_inputs : int
        Number of inputs that are left out, because of the requested depth or breadth.
    as_of_tick : int or None
        Number of the tick that the value belongs to, for a node that is throttled by its policy; None for a node that
        is up to date.
    """

    name: str
    kind: str
    function: str
    outcome: object
    terms: dict[str, float]
    changed_tick: int
    previous: object
    inputs: tuple[Explanation, ...]
    more_inputs: int = 0
    as_of_tick: int | None = None

    def __str__(self) -> str:
        lines = self.lines()
        left = len(lines) - _MOST_LINES
        if left > 0:
            lines = [*lines[:_MOST_LINES], f"… {left:,} more lines: explain an input, or take .lines() for all of them"]
        return "\n".join(lines)

    def lines(self, indent: str = "") -> list[str]:
        """Return all lines of the explanation as text, each preceded by `indent`."""
        computed_by = f"  by {self.function}" if self.function else ""
        moved = "" if self.previous is None else f"{_formatted(self.previous)} → "
        when = "" if self.as_of_tick is None else f", as of tick {self.as_of_tick}"
        facts = f"{self.kind}, changed at tick {self.changed_tick}{when}"
        lines = [f"{indent}{self.name} = {moved}{_formatted(self.outcome)}{computed_by}  [{facts}]"]
        for explained in self.inputs:
            lines += explained.lines(indent + "  ")
        return lines + ([f"{indent}  … {self.more_inputs} more"] if self.more_inputs else [])

    def __rich__(self) -> object:
        from bank_python.render import explanation_view

        return explanation_view(self)


@dataclass(frozen=True, slots=True, repr=False)
class Plan(Displayed):
    """Nodes that a change of one leaf could recompute.

    Parameters
    ----------
    leaf : str
        Name of the leaf.
    nodes : tuple of str
        Names of the nodes in evaluation order.
    by_class : dict of str to int
        Number of nodes of each class, by name of the class.
    levels : int
        Number of different heights among the nodes.
    by_level : tuple of tuple of str
        Names of the nodes, height by height; nodes of one height do not depend on each other.
    """

    leaf: str
    nodes: tuple[str, ...]
    by_class: dict[str, int]
    levels: int
    by_level: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.nodes)

    def __rich__(self) -> object:
        from bank_python.render import plan_view

        return plan_view(self)


@dataclass(frozen=True, slots=True)
class ProfileRow(Record):
    """Evaluations of the nodes of one class, and the time they took.

    Parameters
    ----------
    name : str
        Name of the class.
    evaluations : int
        Number of nodes evaluated.
    calls : int
        Number of calls; nodes of a vectorised class are priced in one call.
    seconds : float
        Wall-clock time of those calls, in seconds.
    """

    name: str
    evaluations: int
    calls: int
    seconds: float


class Profile(Displayed):
    """Evaluations and time by class of node; returned by :meth:`Inquiry.profile`."""

    def __init__(self) -> None:
        self._rows: dict[str, ProfileRow] = {}

    @property
    def rows(self) -> tuple[ProfileRow, ...]:
        """One row per class, the slowest class first."""
        return tuple(sorted(self._rows.values(), key=lambda row: -row.seconds))

    @property
    def evaluations(self) -> int:
        """Number of nodes evaluated."""
        return sum(row.evaluations for row in self._rows.values())

    @property
    def seconds(self) -> float:
        """Wall-clock time spent on evaluations, in seconds."""
        return sum(row.seconds for row in self._rows.values())

    def add(self, kind: type[Node], evaluations: int, started: float) -> None:
        """Count a call that evaluated nodes of one class and began at `started` (:func:`time.perf_counter`)."""
        seconds = time.perf_counter() - started
        name = kind.__name__
        row = self._rows.get(name, ProfileRow(name, 0, 0, 0.0))
        self._rows[name] = ProfileRow(name, row.evaluations + evaluations, row.calls + 1, row.seconds + seconds)

    def __rich__(self) -> object:
        from bank_python.render import profile_view

        return profile_view(self)


class Inquiry:
    """Inspection of a graph; ``graph.inquiry``.

    Parameters
    ----------
    engine : Engine
        Engine of the graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def explain(self, node: Node | str, depth: int = 6, breadth: int = 12) -> Explanation:
        """Explain a node's value by a tree of its inputs, with the function and the last change of each.

        Parameters
        ----------
        node : Node or str
            Node to explain, or its name.
        depth, breadth : int
            Number of levels of inputs to include, and number of inputs per node.
        """
        return self._explained(self._engine.topology.node(node), depth, breadth)

    def _explained(self, node: Node, depth: int, breadth: int) -> Explanation:
        inputs = node.underliers[:breadth] if depth > 0 else ()
        outcome = self._engine.read(node)
        return Explanation(
            name=node.name,
            kind=type(node).__name__,
            function=_function_name(node),
            outcome=outcome,
            terms=node.terms if isinstance(node, ArrayNode) else {},
            changed_tick=node.changed_tick_,
            previous=node.previous_,
            inputs=tuple(self._explained(source, depth - 1, breadth) for source in inputs),
            more_inputs=len(node.underliers) - len(inputs),
            as_of_tick=_held_back_since(node, outcome),
        )

    def plan(self, leaf: Node | str) -> Plan:
        """Return the nodes that a change of `leaf` could recompute, without recomputing them."""
        source = self._engine.topology.node(leaf)
        levels = by_height(dependents_of([source]))
        nodes = [node for level in levels for node in level]
        return Plan(
            leaf=source.name,
            nodes=tuple(node.name for node in nodes),
            by_class=dict(Counter(type(node).__name__ for node in nodes)),
            levels=len(levels),
            by_level=tuple(tuple(node.name for node in level) for level in levels),
        )

    @contextmanager
    def profile(self) -> Iterator[Profile]:
        """Collect evaluations and time by class of node while the block is open: ``with graph.profile() as p:``."""
        outer, profile = self._engine.profile, Profile()
        self._engine.profile = profile
        try:
            yield profile
        finally:
            self._engine.profile = outer

    def to_dot(self) -> str:
        """Return the graph in the DOT language of Graphviz."""
        return _to_dot(tuple(self._engine.topology.nodes.values()))


def _function_name(node: Node) -> str:
    if isinstance(node, DerivedNode):
        return getattr(node.function, "__qualname__", type(node.function).__name__)
    if isinstance(node, ArrayNode):
        return f"{type(node).__name__}.price"
    return "" if isinstance(node, Leaf) else f"{type(node).__name__}.compute"


def _formatted(outcome: Outcome) -> str:
    return repr(outcome) if isinstance(outcome, float) else shown(outcome)


def _held_back_since(node: Node, outcome: Outcome) -> int | None:
    """Return the tick of a value that a policy throttles; None if it is up to date or from a what-if layer."""
    if node.gate is None or node.host_ is None or outcome is not node.outcome_:
        return None
    return node.as_of_tick if node.as_of_tick < node.host_.tick else None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _to_dot(nodes: Iterable[Node]) -> str:
    """Return nodes and edges in the DOT language of Graphviz."""
    lines = ["digraph dagger {", "  rankdir=BT;"]
    for node in nodes:
        shape = "box" if isinstance(node, Leaf) else "ellipse"
        lines.append(f"  {_quoted(node.name)} [shape={shape}, tooltip={_quoted(type(node).__name__)}];")
        lines += [f"  {_quoted(source.name)} -> {_quoted(node.name)};" for source in node.underliers]
    return "\n".join([*lines, "}"])
