"""Asking a number why: the inputs, the function and the tick that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.derived import DerivedNode
from bank_python.dagger.node import Leaf, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.dagger.outcome import Outcome

__all__ = ["Explanation", "Plan", "explain", "to_dot"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a node has its value.

    Parameters
    ----------
    name, kind : str
        The node's name and class.
    function : str
        What computes it; empty for a leaf.
    outcome : object
        Its value, or the failure in the value's place.
    terms : dict of str to float
        The contract's terms, where it has some.
    changed_tick : int
        The tick that last changed it.
    previous : object
        What it was before that tick.
    inputs : tuple of Explanation
        The same for each input, as deep as was asked for.
    more_inputs : int
        How many inputs lie below the depth asked for, or were left out because there are too many.
    as_of_tick : int or None
        For a node that its policy holds back: the tick that its value belongs to. None for one that is up to date.
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
        return "\n".join(self._lines(""))

    def _lines(self, indent: str) -> list[str]:
        made_by = f"  by {self.function}" if self.function else ""
        moved = "" if self.previous is None else f"{self.previous!r} → "
        when = "" if self.as_of_tick is None else f", as of tick {self.as_of_tick}"
        facts = f"{self.kind}, changed at tick {self.changed_tick}{when}"
        lines = [f"{indent}{self.name} = {moved}{self.outcome!r}{made_by}  [{facts}]"]
        for explained in self.inputs:
            lines += explained._lines(indent + "  ")
        return lines + ([f"{indent}  … {self.more_inputs} more"] if self.more_inputs else [])

    def __rich__(self) -> object:
        from bank_python.render import explanation_view

        return explanation_view(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change of one leaf could recompute.

    Parameters
    ----------
    leaf : str
        The leaf's name.
    nodes : tuple of str
        Names in evaluation order.
    by_class : dict of str to int
        How many nodes of each class.
    levels : int
        How many heights there are among the nodes.
    by_level : tuple of tuple of str
        The names, height by height: those of one height do not rest on each other.
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


def explain(node: Node, read: Callable[[Node], Outcome], depth: int, breadth: int) -> Explanation:
    """Explain `node` and its inputs, `depth` levels down and at most `breadth` inputs a node."""
    shown = node.underliers[:breadth] if depth > 0 else ()
    outcome = read(node)
    return Explanation(
        name=node.name,
        kind=type(node).__name__,
        function=_function_name(node),
        outcome=outcome,
        terms=node.terms if isinstance(node, ArrayNode) else {},
        changed_tick=node._changed_tick,
        previous=node._previous,
        inputs=tuple(explain(source, read, depth - 1, breadth) for source in shown),
        more_inputs=len(node.underliers) - len(shown),
        as_of_tick=_held_back_since(node, outcome),
    )


def _held_back_since(node: Node, outcome: Outcome) -> int | None:
    """Return the tick of a value that a policy keeps; a what-if layer has values of its own."""
    if node.gate is None or node.graph is None or outcome is not node._outcome:
        return None
    return node.as_of_tick if node.as_of_tick < node.graph.tick else None


def _function_name(node: Node) -> str:
    if isinstance(node, DerivedNode):
        return getattr(node.function, "__qualname__", repr(node.function))
    if isinstance(node, ArrayNode):
        return f"{type(node).__name__}.price"
    return "" if isinstance(node, Leaf) else f"{type(node).__name__}.compute"


def to_dot(nodes: Iterable[Node]) -> str:
    """Return the nodes and edges in Graphviz' language."""
    lines = ["digraph dagger {", "  rankdir=BT;"]
    for node in nodes:
        shape = "box" if isinstance(node, Leaf) else "ellipse"
        lines.append(f"  {_quoted(node.name)} [shape={shape}, tooltip={_quoted(type(node).__name__)}];")
        lines += [f"  {_quoted(source.name)} -> {_quoted(node.name)};" for source in node.underliers]
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
