"""The portfolios that constraints allow, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError
from bank_python.optimizer.constraints import bounds_of, by_asset, known

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.constraints import Constraints, Group

__all__ = ["FeasibleSet"]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class FeasibleSet:
    """All weights w with A w = b, G w <= h and lower <= w <= upper, within a turnover and a leverage.

    Parameters
    ----------
    tickers : tuple of str
        The assets.
    lower, upper : ndarray, shape (n_assets,)
        Bounds; infinite where there is none.
    A, b : ndarray, shape (equalities, n_assets) and (equalities,)
        Equalities; the first is the sum of the weights.
    G, h : ndarray, shape (rows, n_assets) and (rows,)
        Inequalities.
    equal_names, row_names : tuple of str
        What they are called.
    current : ndarray, shape (n_assets,)
        What is held now.
    cost : ndarray, shape (n_assets,)
        Of a unit that is traded.
    turnover, leverage : float, optional
        The most of the sizes of trades and weights.
    """

    tickers: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    A: FloatArray
    b: FloatArray
    G: FloatArray
    h: FloatArray
    equal_names: tuple[str, ...]
    row_names: tuple[str, ...]
    current: FloatArray
    cost: FloatArray
    turnover: float | None
    leverage: float | None

    @classmethod
    def of(cls, tickers: tuple[str, ...], constraints: Constraints) -> Self:
        """Return the set.

        Raises
        ------
        ModelError
            A bound, a group, a cost or a holding names what is no asset, or is not a number.
        InfeasibleError
            The bounds cannot add up to what is to be invested.
        """
        lower, upper = bounds_of(tickers, constraints.bounds)
        _require_sum(lower, upper, constraints.invested)
        equal = [group for group in constraints.groups if group.lower == group.upper]
        rows = _rows(tickers, [group for group in constraints.groups if group.lower < group.upper])
        cost = constraints.transaction_cost
        prices = cost if isinstance(cost, Mapping) else dict.fromkeys(tickers, cost)
        return cls(
            tickers=tickers,
            lower=lower,
            upper=upper,
            A=np.vstack([np.ones(len(tickers)), *(_exposures(tickers, group) for group in equal)]),
            b=np.array([constraints.invested, *(group.lower for group in equal)], dtype=np.float64),
            G=np.array([row for _, row, _ in rows]).reshape(-1, len(tickers)),
            h=np.array([side for _, _, side in rows], dtype=np.float64),
            equal_names=("invested", *(group.name for group in equal)),
            row_names=tuple(name for name, _, _ in rows),
            current=by_asset(tickers, constraints.current, "current"),
            cost=by_asset(tickers, prices, "transaction_cost"),
            turnover=constraints.turnover,
            leverage=constraints.leverage,
        )

    def with_row(self, name: str, row: FloatArray, most: float) -> FeasibleSet:
        """Return the set with one inequality more: row' w <= most."""
        return replace(self, G=np.vstack([self.G, row]), h=np.append(self.h, most), row_names=(*self.row_names, name))

    def traded(self, weights: FloatArray) -> float:
        """Return the turnover that weights ask for."""
        return float(np.abs(weights - self.current).sum())

    def paid(self, weights: FloatArray) -> float:
        """Return what it costs to come to weights."""
        return float(self.cost @ np.abs(weights - self.current))

    def over_turnover(self, weights: FloatArray) -> float:
        """Return by how much weights are above the limit on turnover; -inf where there is none."""
        return -np.inf if self.turnover is None else self.traded(weights) - self.turnover

    def over_leverage(self, weights: FloatArray) -> float:
        """Return by how much weights are above the limit on leverage; -inf where there is none."""
        return -np.inf if self.leverage is None else float(np.abs(weights).sum()) - self.leverage

    def breach(self, weights: FloatArray) -> float:
        """Return the largest violation of a constraint by weights."""
        excess = [
            np.abs(self.A @ weights - self.b),
            self.G @ weights - self.h,
            self.lower - weights,
            weights - self.upper,
        ]
        excess.append(np.array([self.over_turnover(weights), self.over_leverage(weights)]))
        return float(np.concatenate(excess).max(initial=0.0))


def _require_sum(lower: FloatArray, upper: FloatArray, invested: float) -> None:
    most, least = float(upper.sum()), float(lower.sum())
    if most < invested - _ROUNDING:
        raise InfeasibleError(
            f"the upper bounds add up to {most:g}, {invested - most:g} short of invested={invested:g}; raise some",
            value=invested - most,
        )
    if least > invested + _ROUNDING:
        raise InfeasibleError(
            f"the lower bounds add up to {least:g}, {least - invested:g} above invested={invested:g}; lower some",
            value=least - invested,
        )


def _rows(tickers: tuple[str, ...], groups: Sequence[Group]) -> list[tuple[str, FloatArray, float]]:
    rows: list[tuple[str, FloatArray, float]] = []
    for group in groups:
        exposures = _exposures(tickers, group)
        if group.upper < np.inf:
            rows.append((f"{group.name} at most {group.upper:g}", exposures, group.upper))
        if group.lower > -np.inf:
            rows.append((f"{group.name} at least {group.lower:g}", -exposures, -group.lower))
    return rows


def _exposures(tickers: tuple[str, ...], group: Group) -> FloatArray:
    known(tickers, group.exposures, f"group {group.name!r}")
    return by_asset(tickers, group.exposures, f"group {group.name!r}")
