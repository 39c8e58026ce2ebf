"""Exact sums of nodes, kept up to date by what changed.

In a graph a sum holds the exact total of its inputs as lists of terms (:mod:`bank_python.dagger.exact`). An input
that changes appends its new value and minus its old one; the sum then rounds once. Its value is
:func:`math.fsum` of its current inputs, to the bit, and costs what changed, not what there is. When an input is
not a finite float, the lists cannot follow, and the sum is taken anew from all inputs.
"""

from __future__ import annotations

import math
from itertools import chain
from math import fsum
from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger.array_node import ArrayNode
from bank_python.dagger.exact import LIMIT, compress
from bank_python.dagger.node import Node
from bank_python.dagger.wiring import find_cycle
from bank_python.errors import CycleError, GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from bank_python.dagger.lanes import Lanes
    from bank_python.dagger.outcome import Outcome

__all__ = ["SumNode"]

_ONCE = [1.0]


@register_storable
class SumNode(Node):
    """The correctly rounded sum of its inputs' values.

    Parameters
    ----------
    name : str
        Unique in the graph.
    nodes : sequence of Node
        The inputs, each a node with a float value; one that stands there twice counts twice. May be empty: the
        sum is then 0.0.
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

    __slots__ = ("_exact", "_factors", "_lane_terms", "_terms", "_weights")

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
        self._terms: list[float] = []
        self._lane_terms: dict[Lanes, list[float]] = {}
        self._exact = False
        self._factors: dict[Node, list[float]] | None = None
        self._rewired()

    @property
    def weights(self) -> tuple[float, ...] | None:
        """The factor of each input, or ``None`` for a plain sum."""
        return self._weights

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Sum the inputs' values."""
        values = cast("list[float]", [read(node) for node in self._inputs])
        if self._weights is None:
            return fsum(values)
        return fsum([weight * value for weight, value in zip(self._weights, values, strict=True)])

    # --- in a graph: the exact total ---------------------------------------------------------

    def terms_for(self, source: Node) -> list[float]:
        """Return the list that takes the changes of one input: array nodes of a class share one of their own."""
        lanes = source._lanes if isinstance(source, ArrayNode) else None
        return self._terms if lanes is None else self._lane_terms.setdefault(lanes, [])

    def weights_of(self, source: Node) -> list[float]:
        """Return the factors with which `source` counts: one for each time it is an input."""
        return _ONCE if self._factors is None else self._factors[source]

    def accept_inputs(self, inputs: Sequence[Node]) -> None:
        """Refuse inputs that a weighted sum has no weights for."""
        if self._weights is not None and len(inputs) != len(self._weights):
            raise GraphError(
                f"{self.name} has {len(self._weights)} weights and cannot sum {len(inputs)} nodes; define it anew",
                name=self.name,
            )

    def _rewired(self) -> None:
        self.distrust()
        plain = self._weights is None and len(set(self._inputs)) == len(self._inputs)
        self._factors = None if plain else {}
        if self._factors is not None:
            for i, source in enumerate(self._inputs):
                self._factors.setdefault(source, []).append(self._weight(i))

    def _weight(self, i: int) -> float:
        return 1.0 if self._weights is None else self._weights[i]

    @property
    def counts_once(self) -> bool:
        """Whether every input counts once, with weight 1."""
        return self._factors is None

    @property
    def is_exact(self) -> bool:
        """Whether the lists hold the exact total of the inputs."""
        return self._exact

    def distrust(self) -> None:
        """Take the total anew from all inputs when it is next needed."""
        self._exact = False
        self._terms.clear()
        for terms in self._lane_terms.values():
            terms.clear()

    def exact_terms(self) -> list[float] | None:
        """Return terms whose exact sum is the total, or ``None`` if the lists do not hold it at the moment."""
        if not self._exact or self._lazy:
            return None
        terms = self._terms.copy()
        for others in self._lane_terms.values():
            terms += others
        return terms

    def shifted(self, moves: Sequence[tuple[Node, Outcome, Outcome]]) -> float | None:
        """Return what the sum would be if some inputs went from one outcome to another, in O(moves).

        ``None`` if an outcome is not a float, or if the lists do not hold the exact total at the moment.
        """
        terms = self.exact_terms()
        if terms is None:
            return None
        for source, old, new in moves:
            if old.__class__ is not float or new.__class__ is not float:
                return None
            if self._factors is None:
                terms.append(new)
                terms.append(-old)
                continue
            for weight in self._factors[source]:
                terms.append(weight * new)
                terms.append(-(weight * old))
        try:
            total = fsum(terms)
        except (OverflowError, ValueError):
            return None
        return total if math.isfinite(total) else None

    def _renew(self) -> Outcome:
        if not self._exact or self._lazy:  # nobody tells a sum that may never be read
            return self._retake()
        try:
            terms = self._only_terms() if self._lane_terms else self._terms
            if terms is None:
                return self._round_all()
            total = fsum(terms)
            if len(terms) > LIMIT:
                compress(terms, total)
        except (OverflowError, ValueError):  # an infinity came or went
            return self._retake()
        return total

    def _only_terms(self) -> list[float] | None:
        if self._terms or len(self._lane_terms) > 1:
            return None
        [terms] = self._lane_terms.values()
        return terms

    def _round_all(self) -> float:
        lists = [self._terms, *self._lane_terms.values()]
        total = fsum(chain.from_iterable(lists))
        for terms in lists:
            if len(terms) > LIMIT:
                compress(terms, fsum(terms))
        return total

    def _retake(self) -> Outcome:
        self.distrust()
        outcome = super()._renew()
        if outcome.__class__ is float and math.isfinite(outcome):
            for i, source in enumerate(self._inputs):
                self.terms_for(source).append(self._weight(i) * cast("float", source._outcome))
            for terms in (self._terms, *self._lane_terms.values()):
                compress(terms, fsum(terms))
            self._exact = True
        return outcome

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
            self._rewired()
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
