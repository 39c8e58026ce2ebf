"""Exact sums of nodes, updated incrementally and always correctly rounded.

A sum is stored as a list of *terms* with the same exact, unrounded total as the inputs. When an input changes from
`old` to `new`, the terms ``new`` and ``-old`` are appended (:meth:`SumNode.apply`). No digit is lost, so the exact
total of the terms is always that of the current inputs, whatever sequence of changes led to them. :func:`math.fsum` of
the terms, correctly rounded, is then bitwise identical to :func:`math.fsum` of the inputs, at a cost proportional to
the number of changes, not of inputs. :func:`compress` replaces a long list by a few terms with the same total. When an
input is not a finite float, the list cannot be updated, and the sum is recomputed from all inputs.

:func:`grouped` computes exact sums of whole columns: it splits every number into pieces so coarse that their sum in
float64 is exact, and returns for each group a few terms with the group's exact total.

References
----------
J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", Discrete &
Computational Geometry 18 (1997) 305-363 (expansions). S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point
summation part I: faithful rounding", SIAM J. Sci. Comput. 31 (2008) 189-224, algorithm 3.1 (error-free extraction).
"""

from __future__ import annotations

import math
from itertools import chain
from math import fsum
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.barbara import register_storable
from bank_python.dagger.node import Node, find_cycle
from bank_python.errors import CycleError, GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

    from bank_python.dagger.outcome import Outcome

__all__ = ["LIMIT", "SumNode", "compress", "grouped", "rounded", "shift"]

LIMIT = 16
"""Number of terms above which a sum is compressed; the speed is the same between 12 and 20."""

_FULL = 400  # number of terms above which a sum that is not read discards them, so that they do not accumulate
_MOST_NAMED = 4  # inputs that are named in a repr
_ONCE = [1.0]
_MANTISSA = 53
_LARGEST = 1e290


def compress(terms: list[float], total: float) -> None:
    """Replace `terms`, in place, by a few terms with the same exact sum.

    Parameters
    ----------
    terms : list of float
        Finite terms, whose exact sum is within the range of a float.
    total : float
        Correctly rounded sum, ``fsum(terms)``.

    Examples
    --------
    >>> terms = [1e16, 1.0, -1e16, 1e-20]
    >>> compress(terms, fsum(terms))
    >>> terms
    [1.0, 1e-20]
    """
    parts = []
    rest = total
    while rest:
        parts.append(rest)
        terms.append(-rest)
        rest = fsum(terms)
    terms[:] = parts


def grouped(values: NDArray[np.float64], offsets: NDArray[np.intp]) -> list[list[float]] | None:
    """Return, for each group of consecutive `values`, a few terms with the exact sum of the group.

    Parameters
    ----------
    values : array of shape (n,)
        Values to sum, at least one; the array is overwritten.
    offsets : array of shape (groups,)
        Index of the first value of each group, increasing; no group is empty.

    Returns
    -------
    list of list of float, or None
        One list of terms per group; ``None`` if a value is NaN, infinite, or above 1e290 in absolute value, where
        intermediate results would overflow.

    Examples
    --------
    >>> terms = grouped(np.array([1e16, 1.0, -1e16, 0.1, 0.2]), np.array([0, 3]))
    >>> [fsum(group) for group in terms]
    [1.0, 0.30000000000000004]
    """
    piece = np.abs(values)
    largest = piece.max().item()
    if not largest < _LARGEST:
        return None
    if not largest:
        return [[] for _ in offsets]
    smallest = piece.min() or np.min(piece, where=piece > 0.0, initial=largest)
    # Every value is a multiple of 2^finest and below 2^top, and a sum of n values needs `bits` more bits: it is exact
    # if these are no more than 53 bits altogether.
    finest = math.frexp(smallest)[1] - _MANTISSA
    top = math.frexp(largest)[1]
    bits = (len(values) + 1).bit_length()
    sums = []
    while top + bits - finest > _MANTISSA:
        # Adding and subtracting 2^k rounds each value to a multiple of 2^(k-53); sums of these pieces are exact
        # as long as they stay below 2^k, which the spare `bits` guarantee.
        coarse = math.ldexp(1.0, top + bits)
        np.add(values, coarse, out=piece)
        piece -= coarse
        values -= piece
        sums.append(np.add.reduceat(piece, offsets))
        top += bits - _MANTISSA
    sums.append(np.add.reduceat(values, offsets))
    return cast("list[list[float]]", np.array(sums).T.tolist())


def shift(terms: list[float], old: Outcome, new: Outcome, weight: float) -> bool:
    """Append the change of an input from `old` to `new` to `terms`; return False, unchanged, if one is not a float."""
    if new.__class__ is not float or old.__class__ is not float:
        return False
    terms.append(weight * new)
    terms.append(-weight * old)
    return True


def rounded(terms: list[float]) -> float | None:
    """Return the correctly rounded sum, or ``None`` if it is not finite."""
    try:
        total = fsum(terms)
    except (OverflowError, ValueError):
        return None
    return total if math.isfinite(total) else None


@register_storable
class SumNode(Node):
    """A node whose value is the correctly rounded sum of its inputs.

    Parameters
    ----------
    name : str
        Name of the node, unique in its graph.
    nodes : sequence of Node
        Inputs, nodes with float values; a node that occurs twice counts twice. The sum of no inputs is 0.0.
    weights : sequence of float, optional
        Factors of the inputs, one per node; each product is rounded once, and the products are summed exactly.

    Raises
    ------
    GraphError
        `weights` and `nodes` differ in length, or a weight is not finite.

    Notes
    -----
    The value is that of :func:`math.fsum`, a function of the inputs alone: it depends neither on their order nor on
    the sequence of changes that led to them.
    """

    __slots__ = ("_exact", "_factors", "_parts", "_terms", "_weights")

    record_tag = "SumNode"

    if TYPE_CHECKING:

        @property
        def value(self) -> float:
            """Current value of the sum; errors as for :attr:`Node.value`."""

    def __init__(self, name: str, nodes: Sequence[Node], weights: Sequence[float] | None = None) -> None:
        super().__init__(name, nodes)
        self._weights = None if weights is None else tuple(float(weight) for weight in weights)
        if self._weights is not None and len(self._weights) != len(self.inputs_):
            raise GraphError(
                f"{name}: {len(self._weights)} weights for {len(self.inputs_)} nodes; give one each", name=name
            )
        if self._weights is not None and not all(map(math.isfinite, self._weights)):
            raise GraphError(f"{name}: weights must be finite, got {self._weights}", name=name)
        self._terms: list[float] = []
        self._parts: dict[Hashable, list[float]] | None = None  # separate lists of terms, by contract batch
        self._exact = False  # whether the lists hold the exact total of the inputs
        self._factors: dict[Node, list[float]] | None = None
        self.rewired_()

    @property
    def weights(self) -> tuple[float, ...] | None:
        """Factors of the inputs, or ``None`` for a plain sum."""
        return self._weights

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Sum the inputs' values."""
        values = cast("list[float]", [read(node) for node in self.inputs_])
        if self._weights is None:
            return fsum(values)
        return fsum([weight * value for weight, value in zip(self._weights, values, strict=True)])

    # --- in a graph: the exact total ---------------------------------------------------------

    def apply(self, old: Outcome, new: Outcome, weight: float, terms: list[float]) -> None:
        """Update the exact total by the change of an input.

        Parameters
        ----------
        old, new : outcome
            Previous and current outcome of the input.
        weight : float
            Factor of the input.
        terms : list of float
            List that records the changes of the input, as returned by :meth:`terms_for`.
        """
        if self._exact and not (len(terms) <= _FULL and shift(terms, old, new, weight)):
            self.distrust()

    def limit_terms(self) -> None:
        """Discard the terms if there are very many, which happens while the sum is not read."""
        if len(self._terms) > _FULL:
            self.distrust()

    def terms_for(self, part: Hashable) -> list[float]:
        """Return the list that records changes of the inputs in a contract batch, or of other inputs for ``None``."""
        if part is None:
            return self._terms
        if self._parts is None:
            self._parts = {}
        return self._parts.setdefault(part, [])

    def weights_of(self, source: Node) -> list[float]:
        """Return the factors of `source`, one for each time it is an input."""
        return _ONCE if self._factors is None else self._factors[source]

    def accept_inputs(self, inputs: Sequence[Node]) -> None:
        """Raise if the number of inputs does not match the weights of a weighted sum."""
        if self._weights is not None and len(inputs) != len(self._weights):
            raise GraphError(
                f"{self.name} has {len(self._weights)} weights and cannot sum {len(inputs)} nodes; define it anew",
                name=self.name,
            )

    def rewired_(self) -> None:
        """Reset the terms and factors after the inputs have changed."""
        self.distrust()
        self._parts = None
        plain = self._weights is None and len(set(self.inputs_)) == len(self.inputs_)
        self._factors = None if plain else {}
        if self._factors is not None:
            for i, source in enumerate(self.inputs_):
                self._factors.setdefault(source, []).append(self._weight(i))

    def _weight(self, i: int) -> float:
        return 1.0 if self._weights is None else self._weights[i]

    @property
    def counts_once(self) -> bool:
        """Whether every input counts once, with weight 1."""
        return self._factors is None

    def distrust(self) -> None:
        """Discard all terms, so that the total is recomputed from all inputs when it is next needed."""
        self._exact = False
        self._terms.clear()
        for terms in (self._parts or {}).values():
            terms.clear()

    def exact_terms(self) -> list[float] | None:
        """Return terms whose exact sum is the total, or ``None`` if the terms were discarded."""
        if not self._exact or self.lazy_:
            return None
        terms = self._terms.copy()
        for others in (self._parts or {}).values():
            terms += others
        return terms

    def shifted(self, moves: Sequence[tuple[Node, Outcome, Outcome]]) -> float | None:
        """Return the sum after changes of some inputs, without applying them, in O(moves).

        Returns ``None`` if an outcome is not a float, or if the terms of the exact total were discarded.
        """
        terms = self.exact_terms()
        if terms is None:
            return None
        for source, old, new in moves:
            if new.__class__ is not float or old.__class__ is not float:
                return None
            for weight in _ONCE if self._factors is None else self._factors[source]:
                terms.append(weight * new)
                terms.append(-weight * old)
        return rounded(terms)

    def renew_(self) -> Outcome:
        """Return the exact total, rounded once."""
        if not self._exact or self.lazy_:  # changes are not applied to a lazy sum
            return self._retake()
        try:
            terms = self._terms
            if self._parts is not None:
                if terms or len(self._parts) > 1:
                    return self._round_all()
                (terms,) = self._parts.values()
            total = fsum(terms)
            if len(terms) > LIMIT:
                compress(terms, total)
        except (OverflowError, ValueError):  # an infinity came or went
            return self._retake()
        return total

    def _round_all(self) -> float:
        lists = self._lists()
        total = fsum(chain.from_iterable(lists))
        for terms in lists:
            if len(terms) > LIMIT:
                compress(terms, fsum(terms))
        return total

    def _lists(self) -> list[list[float]]:
        if self._parts is None:
            return [self._terms]
        return [*self._parts.values(), self._terms] if self._terms else [*self._parts.values()]

    def _retake(self) -> Outcome:
        self.distrust()
        outcome = super().renew_()
        if outcome.__class__ is float and math.isfinite(outcome):
            for i, source in enumerate(self.inputs_):
                self.terms_for(source.part_).append(self._weight(i) * cast("float", source.outcome_))
            for terms in self._lists():
                compress(terms, fsum(terms))
            self._exact = True
        return outcome

    def add(self, node: Node) -> None:
        """Add an input to a plain sum; in a graph, `node` is registered if need be.

        Raises
        ------
        CycleError
            `node` depends on this sum; nothing has changed.
        GraphError
            The sum is weighted; define a new one with a weight for each input.
        """
        if self._weights is not None:
            raise GraphError(f"{self.name} is a weighted sum and takes no more nodes; define it anew", name=self.name)
        inputs = (*self.inputs_, node)
        if self.host_ is not None:
            self.host_.rewire(self, inputs)
            return
        path = find_cycle(self, inputs)
        if path:
            raise CycleError(f"{self.name} cannot depend on itself: {' → '.join(path)}", path=path)
        self.inputs_ = inputs
        self.rewired_()

    def to_record(self) -> Mapping[str, object]:
        """Return the name, the inputs (by reference) and the weights."""
        weights = None if self._weights is None else list(self._weights)
        return {"name": self.name, "nodes": list(self.inputs_), "weights": weights}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the sum from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it

    def describe_(self) -> str:
        """Return the names of the first inputs for the node's ``repr``."""
        names = ", ".join(node.name for node in self.inputs_[:_MOST_NAMED])
        return names if len(self.inputs_) <= _MOST_NAMED else f"{names}, … {len(self.inputs_)} in all"
