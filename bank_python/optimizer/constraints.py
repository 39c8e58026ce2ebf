"""What a portfolio may be: bounds, groups, turnover, leverage, what trading costs, and how much is invested.

A portfolio is fully invested and long only unless it is told otherwise: bounds of (0, 1) and weights that add up to
one. Who wants to sell short gives bounds below 0; who wants 130/30 gives bounds, and ``leverage=1.6``; who wants to be
market neutral gives ``invested=0``.

Examples
--------
>>> rules = Constraints(
...     bounds={"BTC": (0.0, 0.1)}, groups=[Group("shares", ["SPY", "QQQ"], upper=0.6)], leverage=1.0
... )
>>> lower, upper = bounds_of(("BTC", "SPY"), rules.bounds)
>>> lower.tolist(), upper.tolist()
([0.0, 0.0], [0.1, 1.0])
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias, cast

import numpy as np

from bank_python.errors import InfeasibleError, ModelError

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["Bounds", "Constraints", "Group", "bounds_of", "by_asset", "known"]

Bounds: TypeAlias = tuple[float, float] | Mapping[str, tuple[float, float]] | Sequence[tuple[float, float]]
"""One pair for all, a pair for each asset in order, or pairs by ticker; whoever is not named has (0, 1)."""

_LONG_ONLY = (0.0, 1.0)
_PAIR = 2
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Group:
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


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a portfolio may be.

    Parameters
    ----------
    bounds : pair, sequence of pairs or mapping of str to pair, default (0, 1)
        The least and the most of each weight; infinite for none.
    groups : sequence of Group
        Limits on sums of weights.
    invested : float, default 1
        What the weights add up to.
    turnover : float, optional
        The most that is traded: the sum of the sizes of the changes from `current`, at least 0.
    leverage : float, optional
        The most that the sizes of the weights add up to, above 0.
    transaction_cost : float or mapping of str to float, default 0
        What a unit of traded weight costs, taken off a year's return; at least 0.
    current : mapping of str to float, optional
        What is held now; who is not named is not held. Needed for turnover and cost.

    Raises
    ------
    ModelError
        A figure is out of range, a group is none, or turnover or cost are given without what is held now.
    """

    bounds: Bounds = _LONG_ONLY
    groups: Sequence[Group] = ()
    invested: float = 1.0
    turnover: float | None = None
    leverage: float | None = None
    transaction_cost: float | Mapping[str, float] = 0.0
    current: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.invested):
            raise ModelError(f"invested={self.invested!r}; 1 is all of the wealth", value=self.invested)
        for name, most in (("turnover", self.turnover), ("leverage", self.leverage)):
            if most is not None and not 0.0 <= most < math.inf:
                raise ModelError(f"{name}={most!r}; give a share of the wealth from 0 on", value=most)
        cost = self.transaction_cost
        if not isinstance(cost, int | float | np.number | Mapping):
            raise ModelError(f"transaction_cost={cost!r}; give one figure, or a mapping by ticker")
        costs = [*cost.values()] if isinstance(cost, Mapping) else [cost]
        wrong = next((cost for cost in costs if not 0.0 <= cost < math.inf), None)
        if wrong is not None:
            raise ModelError(f"transaction_cost={wrong!r}; give a share of what is traded from 0 on", value=wrong)
        if isinstance(self.groups, Group):
            raise ModelError(f"groups={self.groups!r}; give a list of them")
        strange = next((group for group in self.groups if not isinstance(group, Group)), None)  # type: ignore[redundant-expr]  # untyped callers
        if strange is not None:
            raise ModelError(f"groups holds {strange!r}; give a list of Group(name, members, lower, upper)")
        if self.current is None and (self.turnover is not None or any(costs)):
            raise ModelError("turnover and transaction_cost count from what is held now; give current=")


def bounds_of(tickers: Sequence[str], bounds: Bounds) -> tuple[FloatArray, FloatArray]:
    """Return the lower and the upper bounds, shape (n_assets,) each.

    Raises
    ------
    ModelError
        Another number of pairs than assets, a ticker that is not there, or a bound that is not a number.
    InfeasibleError
        A lower bound above its upper one.
    """
    if isinstance(bounds, Mapping):
        known(tickers, bounds, "bounds")
    try:
        pairs = np.array(_pairs(tickers, bounds), dtype=np.float64)
    except (TypeError, ValueError):  # no sequence, no numbers, or not two of each
        pairs = np.full((1, 1), np.nan)
    if pairs.shape != (len(tickers), _PAIR) or np.isnan(pairs).any():
        raise ModelError(f"bounds={bounds!r}; give (lower, upper), one pair for each asset, or pairs by ticker")
    crossed = np.flatnonzero(pairs[:, 0] > pairs[:, 1])
    if len(crossed):
        i = int(crossed[0])
        low, high = pairs[i].tolist()
        raise InfeasibleError(
            f"{tickers[i]} has its lower bound {low:g} above its upper bound {high:g}, by {low - high:g}",
            name=tickers[i],
            value=low - high,
        )
    return pairs[:, 0].copy(), pairs[:, 1].copy()


def _pairs(tickers: Sequence[str], bounds: Bounds) -> list[tuple[float, float]]:
    if isinstance(bounds, Mapping):
        return [bounds.get(name, _LONG_ONLY) for name in tickers]
    given = list(bounds)
    if len(given) == _PAIR and all(isinstance(side, int | float | np.number) for side in given):
        return [cast("tuple[float, float]", tuple(given))] * len(tickers)
    return cast("list[tuple[float, float]]", given)


def by_asset(tickers: Sequence[str], given: Mapping[str, float] | None, name: str) -> FloatArray:
    """Return figures in the order of the assets, 0 for who is not named.

    Raises
    ------
    ModelError
        A ticker is not there, or a figure is not finite.
    """
    try:
        figures = {} if given is None else dict(given)  # a series too
    except (TypeError, ValueError):
        raise ModelError(f"{name}={given!r}; give figures by ticker", name=name) from None
    known(tickers, figures, name)
    array = np.array([figures.get(ticker, 0.0) for ticker in tickers], dtype=np.float64)
    if not np.isfinite(array).all():
        wrong = tickers[int(np.flatnonzero(~np.isfinite(array))[0])]
        raise ModelError(f"{name} of {wrong} is {figures[wrong]}; correct it", name=wrong)
    return array


def known(tickers: Sequence[str], named: Mapping[str, object], name: str) -> None:
    """Refuse names that are no tickers.

    Raises
    ------
    ModelError
        One is not there; the message lists those that are.
    """
    there = set(tickers)
    strange = next((ticker for ticker in named if ticker not in there), None)
    if strange is not None:
        listed = ", ".join(tickers[:_SHOWN]) + (" …" if len(tickers) > _SHOWN else "")
        raise ModelError(f"{name} names {strange!r}; there are {listed}", name=strange)
