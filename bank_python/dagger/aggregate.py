"""Exact sums of nodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger.node import Node
from bank_python.dagger.wiring import find_cycle
from bank_python.errors import CycleError, GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from bank_python.dagger.outcome import Outcome

__all__ = ["SumNode"]


@register_storable
class SumNode(Node):
    """The correctly rounded sum of its inputs' values.

    Parameters
    ----------
    name : str
        Unique in the graph.
    nodes : sequence of Node
        The terms of the sum, each a node with a float value. May be empty: the sum is then 0.0.
    weights : sequence of float, optional
        One factor per node; each product is rounded once, then summed exactly.

    Raises
    ------
    GraphError
        `weights` and `nodes` differ in length, or a weight is not finite.

    Notes
    -----
    ``math.fsum`` makes the value a function of the inputs alone: it does not depend on their order, nor on
    the route by which the inputs came to be what they are.
    """

    record_tag = "SumNode"

    def __init__(self, name: str, nodes: Sequence[Node], weights: Sequence[float] | None = None) -> None:
        super().__init__(name, nodes)
        self._weights = None if weights is None else tuple(float(weight) for weight in weights)
        if self._weights is not None and len(self._weights) != len(self._inputs):
            raise GraphError(
                f"{name}: {len(self._weights)} weights for {len(self._inputs)} nodes; give one each", name=name
            )
        if self._weights is not None and not all(map(math.isfinite, self._weights)):
            raise GraphError(f"{name}: weights must be finite, got {self._weights}", name=name)

    @property
    def weights(self) -> tuple[float, ...] | None:
        """The factor of each input, or ``None`` for a plain sum."""
        return self._weights

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Sum the inputs' values."""
        values = cast("list[float]", [read(node) for node in self._inputs])
        if self._weights is None:
            return math.fsum(values)
        return math.fsum(weight * value for weight, value in zip(self._weights, values, strict=True))

    def add(self, node: Node) -> None:
        """Add `node` to a plain sum; in a graph it is registered and heights are repaired.

        Raises
        ------
        CycleError
            `node` rests on this sum; nothing has changed.
        GraphError
            The sum is weighted: make a new one with the weights it should have.
        """
        if self._weights is not None:
            raise GraphError(f"{self.name} is a weighted sum and takes no more nodes; define it anew", name=self.name)
        inputs = (*self._inputs, node)
        if self._graph is None:
            path = find_cycle(self, inputs)
            if path:
                raise CycleError(f"{self.name} cannot rest on itself: {' → '.join(path)}", path=path)
            self._inputs = inputs
        else:
            self._graph.rewire(self, inputs)

    def to_record(self) -> Mapping[str, object]:
        """Return the inputs and weights."""
        weights = None if self._weights is None else list(self._weights)
        return {"name": self.name, "nodes": list(self._inputs), "weights": weights}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the sum from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it

    def _describe(self) -> str:
        shown = ", ".join(node.name for node in self._inputs[:4])
        return shown if len(self._inputs) <= 4 else f"{shown}, … {len(self._inputs)} in all"  # noqa: PLR2004 - how many fit
