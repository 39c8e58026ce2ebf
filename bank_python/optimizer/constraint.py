r"""Interface of constraints: linear rows for the solvers, a violation for certificates, and a label for messages.

A kind of constraint is a class with one method, :meth:`Constraint.on`, which returns a :class:`Limit` for given assets.
All other code works on a list of limits and does not depend on their kinds:

- the solvers use the rows of all limits, combined by :class:`~bank_python.optimizer.feasible.FeasibleSet`;
- the certificate computes the violation of each limit by the limit's own function, independent of its rows; a
  portfolio that violates a limit is rejected even if the solver accepted it;
- messages about contradictions, certificates and views show the names of the rows.

A new kind of constraint is therefore one class, which may be defined outside of this package and is passed as
``Constraints(rules=[...])``.

Examples
--------
A limit on the *active share*, half the sum of the absolute differences from the weights of a benchmark:

>>> from dataclasses import dataclass
>>> from bank_python.optimizer.named import by_asset
>>> @dataclass(frozen=True)
... class ActiveShare(Constraint):
...     benchmark: dict[str, float]
...     most: float
...
...     def on(self, tickers):
...         benchmark = by_asset(tickers, self.benchmark, "benchmark")
...         label = f"active share at most {self.most:g}"
...         return Limit(
...             label=label,
...             rows=Rows.sizes_at_most(label, centre=benchmark, most=2.0 * self.most),
...             violation=lambda weights: 0.5 * float(np.abs(weights - benchmark).sum()) - self.most,
...         )
>>> limit = ActiveShare({"SPY": 1.0}, 0.2).on(("SPY", "BND"))
>>> limit.label, round(limit.violation(np.array([0.7, 0.3])), 12)
('active share at most 0.2', 0.1)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from bank_python.numerics import FloatArray

__all__ = ["Constraint", "Limit", "Rows"]


class Constraint(ABC):
    """Abstract base class of constraints on the weights of a portfolio."""

    @abstractmethod
    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the constraint as a limit on the weights of the given assets.

        Parameters
        ----------
        tickers : sequence of str
            Tickers of the assets, in the order of the weights.

        Raises
        ------
        ModelError
            If the constraint names an unknown ticker or contains a value that is not a number.
        InfeasibleError
            If the constraint contradicts itself.
        """


@guessable
@dataclass(frozen=True, slots=True, eq=False)
class Limit(Record):
    """A constraint on the weights of given assets, as used by solvers and certificates.

    Parameters
    ----------
    label : str
        Name of the constraint in messages and certificates.
    rows : Rows
        Linear rows and bounds that the solvers enforce.
    violation : callable
        Function from weights, shape (n_assets,), to the amount by which they violate the constraint; 0 or negative if
        they satisfy it. Computed from the definition of the constraint, not from its rows, so that each checks the
        other.
    """

    label: str
    rows: Rows
    violation: Callable[[FloatArray], float]


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Record):
    """Linear constraints on the n weights and on `further` auxiliary variables that belong to this constraint only.

    Parameters
    ----------
    lower, upper : ndarray, shape (n,)
        Bounds of the weights; infinite where a weight is unbounded.
    A, b : ndarray, shape (equalities, n + further) and (equalities,)
        Coefficients and right-hand sides of the equalities ``A x = b``.
    G, h : ndarray, shape (rows, n + further) and (rows,)
        Coefficients and right-hand sides of the inequalities ``G x <= h``.
    equal_names, row_names : tuple of str
        Names of the equalities and of the inequalities, for messages and certificates.
    definitions, sides : ndarray, shape (k, n + further) and (k,)
        Coefficients and right-hand sides of the inequalities ``definitions x <= sides`` that define the auxiliary
        variables. They have no names and are never relaxed.
    further : int
        Number of auxiliary variables.
    """

    lower: FloatArray
    upper: FloatArray
    A: FloatArray
    b: FloatArray
    G: FloatArray
    h: FloatArray
    equal_names: tuple[str, ...]
    row_names: tuple[str, ...]
    definitions: FloatArray
    sides: FloatArray
    further: int = 0

    def __post_init__(self) -> None:
        n = len(self.lower)
        width = n + self.further
        wanted = ((len(self.equal_names), width), (len(self.row_names), width), (len(self.sides), width))
        shapes = (self.A.shape, self.G.shape, self.definitions.shape)
        if shapes != wanted or (len(self.upper), len(self.b), len(self.h)) != (n, shapes[0][0], shapes[1][0]):
            raise ModelError(
                f"rows of shapes {shapes} for {n} weights and {self.further} auxiliary variables; give each row a "
                "right-hand side, a name, and a coefficient for each variable"
            )

    @classmethod
    def box(cls, lower: FloatArray, upper: FloatArray) -> Self:
        """Return rows that consist of bounds only, each of shape (n,)."""
        no_rows, no_sides = _no_rows(len(lower))
        return cls(lower, upper, no_rows, no_sides, no_rows, no_sides, (), (), no_rows, no_sides)

    @classmethod
    def equal(cls, name: str, row: FloatArray, value: float) -> Self:
        """Return the equality ``row @ w = value``; `row` has shape (n,)."""
        low, high = _unbounded(len(row))
        no_rows, no_sides = _no_rows(len(row))
        return cls(low, high, row[None, :], np.array([value]), no_rows, no_sides, (name,), (), no_rows, no_sides)

    @classmethod
    def between(cls, name: str, row: FloatArray, lower: float, upper: float) -> Self:
        """Return ``lower <= row @ w <= upper``, either may be infinite; an equality if both sides are the same."""
        if lower == upper:
            return cls.equal(name, row, lower)
        low, high = _unbounded(len(row))
        no_rows, no_sides = _no_rows(len(row))
        at_most, at_least = f"{name} at most {upper:g}", f"{name} at least {lower:g}"
        names: tuple[str, ...]
        if lower == -np.inf:
            G, h, names = row[None, :], np.array([upper]), (at_most,)
        elif upper == np.inf:
            G, h, names = -row[None, :], np.array([-lower]), (at_least,)
        else:
            G, h, names = np.array([row, -row]), np.array([upper, -lower]), (at_most, at_least)
        return cls(low, high, no_rows, no_sides, G, h, (), names, no_rows, no_sides)

    @classmethod
    def sizes_at_most(cls, name: str, centre: FloatArray, most: float) -> Self:
        """Return ``sum(abs(w - centre)) <= most``, with the absolute values as auxiliary variables.

        Each auxiliary variable is at least the difference and at least its negative; where the limit binds, it equals
        the absolute value, so the formulation is exact.
        """
        n = len(centre)
        unit = np.eye(n)
        low, high = _unbounded(n)
        no_rows, no_sides = _no_rows(2 * n)
        total = np.concatenate([np.zeros(n), np.ones(n)])[None, :]
        definitions = np.block([[unit, -unit], [-unit, -unit]])
        sides = np.concatenate([centre, -centre])
        return cls(low, high, no_rows, no_sides, total, np.array([most]), (), (name,), definitions, sides, further=n)


@cache
def _unbounded(n: int) -> tuple[FloatArray, FloatArray]:
    """Return infinite bounds: the same read-only arrays each time."""
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    low.setflags(write=False)
    high.setflags(write=False)
    return low, high


@cache
def _no_rows(width: int) -> tuple[FloatArray, FloatArray]:
    return np.zeros((0, width)), np.zeros(0)
