"""Limits on weighted sums of weights: groups, linear equalities, and how much is invested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer.constraint import Constraint, Limit, Rows
from bank_python.optimizer.named import by_asset

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["Group", "Invested", "LinearLimit"]


@dataclass(frozen=True, slots=True)
class Group(Constraint):
    """A limit on a sum of weights: a sector, a factor, a difference of two assets.

    Parameters
    ----------
    name : str
        As messages and certificates call it.
    members : sequence of str, or mapping of str to float
        The assets, or what a unit of each counts (an exposure).
    lower, upper : float
        The least and the most of the sum; equal for an equality.

    Raises
    ------
    ModelError
        There are no members, a figure is not a number, or neither side limits anything.
    InfeasibleError
        The lower side is above the upper one.
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
            raise ModelError(f"group {self.name!r} is from {self.lower} to {self.upper}; correct it", name=self.name)
        if self.lower > self.upper:
            raise InfeasibleError(
                f"group {self.name!r} is to be at least {self.lower:g} and at most {self.upper:g}: "
                f"they contradict each other by {self.lower - self.upper:g}",
                name=self.name,
                value=self.lower - self.upper,
            )

    @classmethod
    def equal(cls, name: str, members: Sequence[str] | Mapping[str, float], value: float) -> Self:
        """Return a group whose sum is a value: a linear equality."""
        return cls(name, members, value, value)

    @property
    def exposures(self) -> dict[str, float]:
        """What a unit of each member counts."""
        if isinstance(self.members, Mapping):
            return dict(self.members)
        return dict.fromkeys(self.members, 1.0)

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit on the sum, for given assets."""
        row = by_asset(tickers, self.exposures, f"group {self.name!r}")
        return _limit(self.name, row, self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class Invested(Constraint):
    """What all weights add up to.

    Parameters
    ----------
    total : float
        1 is all of the wealth; 0 is market neutral.
    """

    total: float

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the equality, for given assets."""
        return _limit("invested", np.ones(len(tickers)), self.total, self.total)


@dataclass(frozen=True, slots=True, eq=False)
class LinearLimit(Constraint):
    """A limit on one weighted sum of weights, by an array in the order of the assets.

    Parameters
    ----------
    name : str
        What messages and certificates call it.
    row : ndarray, shape (n_assets,)
        What a unit of each weight counts; finite.
    lower, upper : float
        The least and the most of the sum; equal for an equality, infinite for none.
    """

    name: str
    row: FloatArray
    lower: float = -math.inf
    upper: float = math.inf

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit, for given assets.

        Raises
        ------
        ModelError
            There is another number of assets than of figures.
        """
        if len(self.row) != len(tickers):
            raise ModelError(f"{self.name} counts {len(self.row)} weights of {len(tickers)}; give one figure each")
        return _limit(self.name, self.row, self.lower, self.upper)


def _limit(name: str, row: FloatArray, lower: float, upper: float) -> Limit:
    def violation(weights: FloatArray) -> float:
        total = float(row @ weights)
        return max(lower - total, total - upper)

    return Limit(name, Rows.between(name, row, lower, upper), violation)
