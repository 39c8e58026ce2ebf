r"""Liquidity-adjusted value at risk: the cost of crossing wide spreads, and the time that a liquidation takes.

*Exogenous* (Bangia, Diebold, Schuermann and Stroughair): whoever sells crosses half the spread, which is wide when
prices fall. With the mean μ and the standard deviation σ of the relative spread, and a multiple k,

.. math:: \mathrm{LVaR} = \mathrm{VaR} + \sum_i \tfrac12 v_i (\mu_i + k\,\sigma_i) .

*Endogenous*: a large position is sold over several days, in equal amounts at the end of each. What is left at the start
of day i of T is a share 1 − (i − 1)/T, so that the one-day VaR becomes

.. math:: \mathrm{VaR}\,\sqrt{\sum_{i=1}^{T}\Big(1 - \frac{i-1}{T}\Big)^2}
          = \mathrm{VaR}\,\sqrt{\frac{(1 + T)(1 + 2T)}{6T}} .

The sum on the left is used for a number of days that is not whole, too, with the last day begun.

Examples
--------
>>> adjusted = liquidity_adjusted_var(1e5, {"SPY": 6e6, "FUND": 2e6}, {"SPY": 0.0001, "FUND": 0.02}, days=3.0)
>>> round(adjusted.market), round(adjusted.spread_cost), round(adjusted.value)
(124722, 20300, 145022)

References
----------
A. Bangia, F. X. Diebold, T. Schuermann and J. D. Stroughair, "Modeling liquidity risk, with implications for
traditional market risk measurement and management", Wharton Financial Institutions Center working paper 99-06 (1999).

J. C. Hull, *Risk Management and Financial Institutions*, chapter on liquidity risk: cost of liquidation in stressed
markets, and a position that is unwound over n days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.results import Tabular
from bank_python.risk.named_figures import figures_for, named_figures

if TYPE_CHECKING:
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["LiquidityAdjustedVar", "liquidation_factor", "liquidity_adjusted_var"]

_WIDEST = 0.5  # a mean spread that is wider is in per cent or basis points
_WHOLE_VALUE = 2.0  # half a spread as wide costs the value


@dataclass(frozen=True, eq=False, repr=False)
class LiquidityAdjustedVar(Tabular):
    """A value at risk with the cost and the time of a liquidation; returned by :func:`liquidity_adjusted_var`.

    Parameters
    ----------
    var : float
        One-day value at risk without liquidity, positive for a loss.
    days : float
        Trading days of the liquidation, at least 1.
    factor : float
        Multiple of the one-day VaR during the liquidation, at least 1.
    multiplier : float
        Number of standard deviations by which spreads are wider than usual.
    names : tuple of str
        Names of the holdings.
    values : ndarray, shape (n,)
        Gross value of each holding.
    mean_costs, stress_costs : ndarray, shape (n,)
        Cost of crossing half the mean spread of each holding, and further cost of wider spreads.
    """

    var: float
    days: float
    factor: float
    multiplier: float
    names: tuple[str, ...]
    values: FloatArray
    mean_costs: FloatArray
    stress_costs: FloatArray

    @property
    def market(self) -> float:
        """Value at risk over the liquidation, without spreads: :attr:`var` times :attr:`factor`."""
        return self.var * self.factor

    @property
    def spread_cost(self) -> float:
        """Cost of crossing the spreads of all holdings when they are wide."""
        return math.fsum(self.mean_costs) + math.fsum(self.stress_costs)

    @property
    def cost_share(self) -> float:
        """Cost of crossing the spreads, as a share of the gross value; 0 without holdings."""
        total = math.fsum(self.values)
        return self.spread_cost / total if total > 0.0 else 0.0

    @property
    def value(self) -> float:
        """Liquidity-adjusted value at risk: :attr:`market` plus :attr:`spread_cost`, positive for a loss."""
        return self.market + self.spread_cost

    def to_dict(self) -> dict[str, float]:
        """Return the parts of the liquidity-adjusted VaR, which add up to ``value``."""
        return {
            "var": self.var,
            "longer_liquidation": self.market - self.var,
            "mean_spreads": math.fsum(self.mean_costs),
            "wider_spreads": math.fsum(self.stress_costs),
            "value": self.value,
        }

    def to_table(self) -> Table:
        """Return a table with a row for each holding: name, value, cost of mean spreads, further cost of wider ones."""
        from bank_python.mntable import Table

        columns = (self.values.tolist(), self.mean_costs.tolist(), self.stress_costs.tolist())
        names = ("value", "mean_cost", "stress_cost")
        rows = [
            {"name": name, **dict(zip(names, row, strict=True))}
            for name, *row in zip(self.names, *columns, strict=True)
        ]
        return Table.from_rows([("name", str), *((name, float) for name in names)], rows)

    def __rich__(self) -> object:
        from bank_python.render_score import liquidity_var_view

        return liquidity_var_view(self)


@admits(RiskError)
def liquidation_factor(days: float) -> float:
    """Return the multiple of the one-day VaR of a position that is sold in equal amounts over some days.

    Parameters
    ----------
    days : float
        Trading days of the liquidation, above 0 and finite; up to 1 the multiple is 1.

    Returns
    -------
    float
        Square root of the sum of the squared shares that are left at the start of each day: for a whole number T of
        days, the root of (1 + T)(1 + 2T)/(6T).

    Raises
    ------
    RiskError
        The number of days is not above 0 and finite.

    Examples
    --------
    >>> round(liquidation_factor(3), 4), round(liquidation_factor(8), 3)
    (1.2472, 1.785)
    """
    if not 0.0 < days < math.inf:
        raise RiskError(
            f"days={days!r} is not above 0 and finite; leave out what is never liquidated, or give a horizon",
            value=days,
        )
    n = float(math.ceil(days))
    # The sum over i from 0 to n - 1 of (1 - i/days) squared, in an order that neither cancels nor overflows.
    return math.sqrt(n * ((days - (n - 1.0)) / days) + (n / days) * ((n - 1.0) / days) * ((2.0 * n - 1.0) / 6.0))


@admits(RiskError)
def liquidity_adjusted_var(
    var: float,
    values: Any,
    spreads: Any,
    *,
    spread_deviations: Any = 0.0,
    multiplier: float = 3.0,
    days: float = 1.0,
) -> LiquidityAdjustedVar:
    """Add the liquidity of the holdings to a one-day value at risk.

    Parameters
    ----------
    var : float
        One-day value at risk of the book, at least 0: a loss is positive.
    values : mapping of str to float, pandas.Series or array_like
        Value of each holding in the currency of `var`; the sign does not matter.
    spreads : mapping of str to float, pandas.Series or array_like
        Mean relative spread of each holding, (ask − bid) / mid, as a decimal: 0.001 is 10 basis points.
    spread_deviations : mapping of str to float, pandas.Series or array_like, default 0
        Standard deviation of each relative spread over time, as a decimal.
    multiplier : float, default 3
        Number of standard deviations by which spreads are wider in a crisis, at least 0; 2 to 4.5 in the paper.
    days : float, default 1
        Trading days over which the book is sold in equal amounts, above 0 and finite.

    Raises
    ------
    RiskError
        A figure is negative, not finite or in the wrong unit, or the names do not match.
    """
    for name, figure in (("var", var), ("multiplier", multiplier)):
        if not 0.0 <= figure < math.inf:
            raise RiskError(f"{name}={figure!r} is not a finite number of at least 0", name=name, value=figure)
    names, held = named_figures("values", values)
    means, deviations = (
        _spreads(title, figures_for(title, given, names), names)
        for title, given in (("spreads", spreads), ("spread_deviations", spread_deviations))
    )
    widest = means + multiplier * deviations
    if (widest > _WHOLE_VALUE).any():
        at = int(widest.argmax())
        raise RiskError(
            f"{names[at]}: a spread of {means[at]:g} + {multiplier:g} × {deviations[at]:g} costs more than the holding "
            "is worth; give a smaller multiplier, or check the deviation",
            name=names[at],
        )
    half = 0.5 * np.abs(held)
    parts = np.abs(held), half * means, half * multiplier * deviations
    for array in parts:
        array.setflags(write=False)
    return LiquidityAdjustedVar(var, max(days, 1.0), liquidation_factor(days), multiplier, names, *parts)


def _spreads(title: str, found: FloatArray, names: tuple[str, ...]) -> FloatArray:
    for name, spread in zip(names, found.tolist(), strict=True):
        if spread < 0.0:
            raise RiskError(f"{title} of {name} is {spread!r}; ask and bid are exchanged", name=name, value=spread)
        if spread >= _WIDEST:
            raise RiskError(
                f"{title} of {name} is {spread:g}, half the price or more; a spread is relative: {spread:g} % is "
                f"{spread / 100.0:g}, {spread:g} basis points are {spread / 10_000.0:g}",
                name=name,
                value=spread,
            )
    return found
