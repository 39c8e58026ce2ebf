"""Limits on linear combinations of weights: groups, linear equalities, and the sum of all weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bank_python.display import Record
from bank_python.errors import InfeasibleError, ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.constraint import Constraint, Limit, Rows
from bank_python.optimizer.named import by_asset

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["Group", "Invested", "LinearLimit"]


@guessable
@dataclass(frozen=True, slots=True)
class Group(Constraint, Record):
    """A limit on a weighted sum of weights, such as a sector, a factor exposure, or the difference of two assets.

    Parameters
    ----------
    name : str
        Name of the group in messages and certificates.
    members : sequence of str, or mapping of str to float
        Tickers of the assets, or exposures per unit of weight by ticker.
    lower, upper : float
        Lower and upper limit of the sum; equal values give an equality.

    Raises
    ------
    ModelError
        If there are no members, a value is not a number, or neither side is a limit.
    InfeasibleError
        If the lower limit is above the upper limit.
    """

    name: str
    members: Sequence[str] | Mapping[str, float]
    lower: float = -math.inf
    upper: float = math.inf

    def __post_init__(self) -> None:
        if isinstance(self.members, str) or not self.members:
            raise ModelError(
                f"group {self.name!r} has members {self.members!r}; give a list of tickers", name=self.name
            )
        members = list(self.members)
        twice = next((name for i, name in enumerate(members) if name in members[:i]), None)
        if twice is not None:
            raise ModelError(f"group {self.name!r} names {twice} twice; name each member once", name=self.name)
        sides = (self.lower, self.upper)
        if any(map(math.isnan, sides)) or sides == (-math.inf, math.inf):
            raise ModelError(f"group {self.name!r} limits nothing; give lower=, upper= or both", name=self.name)
        if self.lower == math.inf or self.upper == -math.inf:
            raise ModelError(
                f"group {self.name!r} has limits {self.lower} and {self.upper}; correct them", name=self.name
            )
        if self.lower > self.upper:
            raise InfeasibleError(
                f"the lower limit {self.lower:g} of group {self.name!r} is above its upper limit {self.upper:g}, "
                f"by {self.lower - self.upper:g}; change one",
                name=self.name,
                value=self.lower - self.upper,
            )

    @classmethod
    def equal(cls, name: str, members: Sequence[str] | Mapping[str, float], value: float) -> Self:
        """Return a group whose sum has to equal a value: a linear equality."""
        return cls(name, members, value, value)

    @property
    def exposures(self) -> dict[str, float]:
        """Exposure per unit of weight by ticker."""
        if isinstance(self.members, Mapping):
            return dict(self.members)
        return dict.fromkeys(self.members, 1.0)

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit on the sum for the given assets."""
        row = by_asset(tickers, self.exposures, f"group {self.name!r}")
        return _limit(self.name, row, self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class Invested(Constraint):
    """Equality of the sum of all weights.

    Parameters
    ----------
    total : float
        Sum of the weights: 1 for a fully invested portfolio, 0 for a market-neutral one.
    """

    total: float

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the equality for the given assets."""
        return _limit("invested", np.ones(len(tickers)), self.total, self.total)


@dataclass(frozen=True, slots=True, eq=False)
class LinearLimit(Constraint):
    """A limit on a weighted sum of weights, with coefficients as an array in the order of the assets.

    Parameters
    ----------
    name : str
        Name of the limit in messages and certificates.
    row : ndarray, shape (n_assets,)
        Finite coefficients of the weights.
    lower, upper : float
        Lower and upper limit of the sum; equal values give an equality, infinite ones no limit.
    """

    name: str
    row: FloatArray
    lower: float = -math.inf
    upper: float = math.inf

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit for the given assets.

        Raises
        ------
        ModelError
            If the number of coefficients differs from the number of assets.
        """
        if len(self.row) != len(tickers):
            raise ModelError(
                f"{self.name} has {len(self.row)} coefficients for {len(tickers)} assets; give one for each"
            )
        return _limit(self.name, self.row, self.lower, self.upper)


def _limit(name: str, row: FloatArray, lower: float, upper: float) -> Limit:
    def violation(weights: FloatArray) -> float:
        total = float(row @ weights)
        return max(lower - total, total - upper)

    return Limit(name, Rows.between(name, row, lower, upper), violation)
