r"""What a constraint is: its rows for the solvers, its violation for the proof, its label for messages, in one object.

A kind of constraint is a class with one method, :meth:`Constraint.on`, which reads the constraint for given assets and
returns a :class:`Limit`. Everything else works on the list of limits and knows no kind:

- the solvers take the rows of all of them (:class:`~bank_python.optimizer.feasible.FeasibleSet` puts them together);
- the proof measures the violation of each of them anew, by the limit's own function and not by its rows, and a
  portfolio that breaks one is refused, whatever the solver said;
- messages about what contradicts, certificates and views show the names of the rows.

So a new kind is one class, wherever it is written, given as ``Constraints(rules=[...])``; and it cannot be left out in
one place, since there is no place that lists kinds.

Examples
--------
A limit on the distance from a benchmark, the *active share*, half the sum of the sizes of the differences:

>>> from dataclasses import dataclass
>>> from bank_python.optimizer.named import by_asset
>>> @dataclass(frozen=True)
... class ActiveShare(Constraint):
...     benchmark: dict[str, float]
...     most: float
...
...     def on(self, tickers):
...         held = by_asset(tickers, self.benchmark, "benchmark")
...         label = f"active share at most {self.most:g}"
...         return Limit(
...             label=label,
...             rows=Rows.sizes_at_most(label, centre=held, most=2.0 * self.most),
...             violation=lambda weights: 0.5 * float(np.abs(weights - held).sum()) - self.most,
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

from bank_python.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from bank_python.numerics import FloatArray

__all__ = ["Constraint", "Limit", "Rows"]


class Constraint(ABC):
    """One rule about the weights of a portfolio."""

    @abstractmethod
    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the constraint as it is for given assets.

        Parameters
        ----------
        tickers : sequence of str
            The assets, in the order of the weights.

        Raises
        ------
        ModelError
            It names what is no asset, or holds a figure that is not a number.
        InfeasibleError
            It contradicts itself.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """A constraint for given assets.

    Parameters
    ----------
    label : str
        What messages and proofs call it.
    rows : Rows
        What the solvers keep.
    violation : callable
        From weights, shape (n_assets,), to the amount by which they break it; 0 or below where they keep it. Computed
        from the constraint's meaning and not from its rows, so that each checks the other.
    """

    label: str
    rows: Rows
    violation: Callable[[FloatArray], float]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Linear rows over the n weights and over `further` variables that only this constraint has.

    Parameters
    ----------
    lower, upper : ndarray, shape (n,)
        Bounds of the weights; infinite where there is none.
    A, b : ndarray, shape (equalities, n + further) and (equalities,)
        ``A x = b``.
    G, h : ndarray, shape (rows, n + further) and (rows,)
        ``G x <= h``.
    equal_names, row_names : tuple of str
        What each row is called in messages and proofs.
    definitions, sides : ndarray, shape (k, n + further) and (k,)
        Rows ``definitions x <= sides`` that say what the further variables are; they never give way and are never
        named.
    further : int
        Number of further variables.
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
                f"rows of shapes {shapes} for {n} weights and {self.further} further variables; give each row a side, "
                "a name, and a figure for each variable"
            )

    @classmethod
    def box(cls, lower: FloatArray, upper: FloatArray) -> Self:
        """Return bounds alone, each of shape (n,)."""
        none, nothing = _no_rows(len(lower))
        return cls(lower, upper, none, nothing, none, nothing, (), (), none, nothing)

    @classmethod
    def equal(cls, name: str, row: FloatArray, value: float) -> Self:
        """Return ``row @ w = value``; the row of shape (n,)."""
        low, high = _unbounded(len(row))
        none, nothing = _no_rows(len(row))
        return cls(low, high, row[None, :], np.array([value]), none, nothing, (name,), (), none, nothing)

    @classmethod
    def between(cls, name: str, row: FloatArray, lower: float, upper: float) -> Self:
        """Return ``lower <= row @ w <= upper``; infinite for none, and one equality where both are the same."""
        if lower == upper:
            return cls.equal(name, row, lower)
        low, high = _unbounded(len(row))
        none, nothing = _no_rows(len(row))
        at_most, at_least = f"{name} at most {upper:g}", f"{name} at least {lower:g}"
        names: tuple[str, ...]
        if lower == -np.inf:
            G, h, names = row[None, :], np.array([upper]), (at_most,)
        elif upper == np.inf:
            G, h, names = -row[None, :], np.array([-lower]), (at_least,)
        else:
            G, h, names = np.array([row, -row]), np.array([upper, -lower]), (at_most, at_least)
        return cls(low, high, none, nothing, G, h, (), names, none, nothing)

    @classmethod
    def sizes_at_most(cls, name: str, centre: FloatArray, most: float) -> Self:
        """Return ``sum(abs(w - centre)) <= most``, the sizes as variables of their own.

        A size is at least the difference and at least its opposite. Where the limit binds, every size is pressed down
        onto the difference, so nothing is lost.
        """
        n = len(centre)
        unit = np.eye(n)
        low, high = _unbounded(n)
        none, nothing = _no_rows(2 * n)
        total = np.concatenate([np.zeros(n), np.ones(n)])[None, :]
        definitions = np.block([[unit, -unit], [-unit, -unit]])
        sides = np.concatenate([centre, -centre])
        return cls(low, high, none, nothing, total, np.array([most]), (), (name,), definitions, sides, further=n)


@cache
def _unbounded(n: int) -> tuple[FloatArray, FloatArray]:
    """Return bounds that are none; the same arrays each time, which cannot be written to."""
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    low.setflags(write=False)
    high.setflags(write=False)
    return low, high


@cache
def _no_rows(width: int) -> tuple[FloatArray, FloatArray]:
    return np.zeros((0, width)), np.zeros(0)
