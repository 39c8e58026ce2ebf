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

    def __str__(self) -> str:
        return "\n".join(self._lines(""))

    def _lines(self, indent: str) -> list[str]:
        made_by = f"  by {self.function}" if self.function else ""
        lines = [f"{indent}{self.name} = {self.outcome!r}{made_by}  [{self.kind}, changed at tick {self.changed_tick}]"]
        for explained in self.inputs:
            lines += explained._lines(indent + "  ")
        return lines + ([f"{indent}  … {self.more_inputs} more"] if self.more_inputs else [])

    def __rich__(self) -> object:
        from bank_python.render import explanation_view

        return explanation_view(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change of one leaf could recompute: names in evaluation order, and counts by class."""

    leaf: str
    nodes: tuple[str, ...]
    by_class: dict[str, int]
    levels: int

    def __len__(self) -> int:
        return len(self.nodes)


def explain(node: Node, read: Callable[[Node], Outcome], depth: int, breadth: int) -> Explanation:
    """Explain `node` and its inputs, `depth` levels down and at most `breadth` inputs a node."""
    shown = node.underliers[:breadth] if depth > 0 else ()
    return Explanation(
        name=node.name,
        kind=type(node).__name__,
        function=_function_name(node),
        outcome=read(node),
        terms=node.terms if isinstance(node, ArrayNode) else {},
        changed_tick=node._changed_tick,
        previous=node._previous,
        inputs=tuple(explain(source, read, depth - 1, breadth) for source in shown),
        more_inputs=len(node.underliers) - len(shown),
    )


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
