r"""Optimal execution by Almgren and Chriss: how a large order is spread over time.

An order of X shares is traded in N trades n₁ … n_N, at intervals of τ = T/N days, so that x_k shares are left after the
k-th. The price moves by σ√τ ξ per interval, an arithmetic random walk in money per share. Each trade moves it for good
by γ a share, and pays on its own half of the spread ε, and η for each share per day of its speed. Then the cost against
the price at the start has the mean and the variance

.. math:: E = \tfrac12\gamma X^2 + \epsilon\sum_k |n_k| + \frac{\tilde\eta}{\tau}\sum_k n_k^2, \qquad
          V = \sigma^2\sum_{k=1}^{N}\tau x_k^2, \qquad \tilde\eta = \eta - \tfrac12\gamma\tau .

The schedule that minimises E + λV is

.. math:: x_k = \frac{\sinh\kappa(T - t_k)}{\sinh\kappa T}\,X, \qquad
          \frac{2}{\tau^2}(\cosh\kappa\tau - 1) = \frac{\lambda\sigma^2}{\tilde\eta} .

With λ = 0 it trades the same amount at each time (TWAP, a time-weighted average price). The *half-life* 1/κ is the time
in which an order without a deadline would fall to a share 1/e, as the paper defines it.

Examples
--------
>>> plan = execution_schedule(  # table 1 of the paper: a million shares in five days
...     1e6, 5, 5, vol=0.95, half_spread=0.0625, permanent_impact=2.5e-7, temporary_impact=2.5e-6, risk_aversion=1e-6
... )
>>> plan.holdings.round().tolist()
[1000000.0, 541956.0, 289854.0, 147897.0, 62142.0, 0.0]
>>> round(plan.expected_cost), round(plan.standard_deviation), round(plan.half_life, 2)
(911227, 603431, 1.65)

References
----------
R. Almgren and N. Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2000), 5-39: equations 7 and
8 for the cost, 15 to 20 for the schedule, table 1 for the example.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import LAST_DIGITS, TINY
from bank_python.plotting import Plotted, money
from bank_python.results import Figures, Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = [
    "ExecutionCost",
    "ExecutionFrontier",
    "ExecutionSchedule",
    "execution_cost",
    "execution_frontier",
    "execution_schedule",
]

_MOST_TRADES = 1_000_000
_SPAN = 4.0  # default risk aversions: urgencies κT from 10^-1 on, over so many powers of ten of λ
_POINTS = 25


@dataclass(frozen=True, slots=True)
class ExecutionCost(Figures):
    """Mean and variance of the cost of a schedule, against the price at its start.

    Parameters
    ----------
    expected : float
        Expected cost, in money.
    variance : float
        Variance of the cost, in money squared.
    standard_deviation : float
        Standard deviation of the cost, in money.
    """

    expected: float
    variance: float
    standard_deviation: float


@dataclass(frozen=True, eq=False, repr=False)
class ExecutionSchedule(Plotted, Tabular):
    """A schedule of trades; returned by :func:`execution_schedule`.

    Parameters
    ----------
    times : ndarray, shape (n_trades + 1,)
        Days from the start, from 0 to the end of the order.
    holdings : ndarray, shape (n_trades + 1,)
        Shares left to trade at each time, from the whole order to 0; negative for an order with a negative size.
    risk_aversion : float
        Risk aversion λ: expected cost that is paid for a variance lower by 1, per unit of money.
    kappa : float
        Urgency κ per day; 0 for equal trades.
    cost : ExecutionCost
        Mean and variance of the cost.
    """

    times: FloatArray
    holdings: FloatArray
    risk_aversion: float
    kappa: float
    cost: ExecutionCost

    @property
    def trades(self) -> FloatArray:
        """Shares traded in each interval, with the sign of the order; shape (n_trades,)."""
        return -np.diff(self.holdings)

    @property
    def half_life(self) -> float:
        """Days 1/κ in which an order without a deadline falls to a share 1/e; infinite for equal trades."""
        return 1.0 / self.kappa if self.kappa > 0.0 else math.inf

    @property
    def expected_cost(self) -> float:
        """Expected cost against the price at the start, in money."""
        return self.cost.expected

    @property
    def variance(self) -> float:
        """Variance of the cost, in money squared."""
        return self.cost.variance

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the cost, in money."""
        return self.cost.standard_deviation

    def to_table(self) -> Table:
        """Return a table with a row for each trade: number, its day (end of the interval), shares, shares left."""
        from bank_python.mntable import Table

        columns = (self.times[1:].tolist(), self.trades.tolist(), self.holdings[1:].tolist())
        rows = [
            {"trade": i, "day": day, "shares": shares, "left": left}
            for i, (day, shares, left) in enumerate(zip(*columns, strict=True), 1)
        ]
        return Table.from_rows([("trade", int), ("day", float), ("shares", float), ("left", float)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the shares left over time, beside those of equal trades."""
        ends = [0.0, float(self.times[-1])]
        marker = "o" if len(self.times) <= 50 else ""  # noqa: PLR2004 - more marks would cover each other
        axes.plot(self.times, self.holdings, color="C0", marker=marker, markersize=3, label="this schedule")
        axes.plot(ends, [float(self.holdings[0]), 0.0], color="C1", linestyle="--", label="equal trades")
        title = f"Expected cost {_amount(self.expected_cost)} ± {_amount(self.standard_deviation)}"
        axes.set(xlabel="trading days", ylabel="shares left", title=title)
        money(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_execution import schedule_view

        return schedule_view(self)


@dataclass(frozen=True, eq=False, repr=False)
class ExecutionFrontier(Plotted, Tabular):
    """Optimal schedules of one order for several risk aversions; returned by :func:`execution_frontier`.

    Parameters
    ----------
    schedules : tuple of ExecutionSchedule
        Schedules in the order of their risk aversions, the lowest first.
    """

    schedules: tuple[ExecutionSchedule, ...]

    @property
    def risk_aversions(self) -> FloatArray:
        """Risk aversion of each schedule, ascending; shape (n,)."""
        return np.array([schedule.risk_aversion for schedule in self.schedules])

    @property
    def expected_costs(self) -> FloatArray:
        """Expected cost of each schedule, in money, ascending; shape (n,)."""
        return np.array([schedule.expected_cost for schedule in self.schedules])

    @property
    def variances(self) -> FloatArray:
        """Variance of the cost of each schedule, in money squared, descending; shape (n,)."""
        return np.array([schedule.variance for schedule in self.schedules])

    def to_table(self) -> Table:
        """Return a table with a row for each schedule: risk aversion, cost, variance, deviation, half-life."""
        from bank_python.mntable import Table

        names = ("risk_aversion", "expected_cost", "variance", "standard_deviation", "half_life")
        rows = [{name: getattr(schedule, name) for name in names} for schedule in self.schedules]
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the expected cost against the standard deviation of the cost, with the ends marked."""
        risks, costs = np.sqrt(self.variances), self.expected_costs
        axes.plot(risks, costs, color="C0", marker=".")
        for at, marker in ((0, "o"), (-1, "s")):
            label = f"risk aversion {self.schedules[at].risk_aversion:.3g}"
            axes.plot([risks[at]], [costs[at]], linestyle="", marker=marker, color="black", label=label)
        shares, days = abs(float(self.schedules[0].holdings[0])), float(self.schedules[0].times[-1])
        title = f"Execution of {shares:,.9g} shares in {days:g} days"
        axes.set(xlabel="standard deviation of the cost", ylabel="expected cost", title=title)
        money(axes.xaxis)
        money(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_execution import frontier_view

        return frontier_view(self)


@admits(ModelError)
def execution_schedule(
    shares: float,
    days: float,
    n_trades: int,
    *,
    vol: float,
    half_spread: float = 0.0,
    permanent_impact: float = 0.0,
    temporary_impact: float,
    risk_aversion: float = 0.0,
) -> ExecutionSchedule:
    """Return the schedule of an order that minimises its expected cost plus `risk_aversion` times the variance.

    Parameters
    ----------
    shares : float
        Size X of the order in shares, not 0; costs do not depend on the sign.
    days : float
        Time T until the order is done, in trading days, above 0.
    n_trades : int
        Number N of trades, at equal intervals; from 1 to a million.
    vol : float
        Volatility σ of the price in money per share and square root of a day (price times daily volatility), at least
        0.
    half_spread : float, default 0.0
        Half of the bid-ask spread and fees ε in money per share, at least 0.
    permanent_impact : float, default 0.0
        Permanent impact γ in money per share, for each share traded; at least 0.
    temporary_impact : float
        Temporary impact η in money per share, for a speed of one share a day; above half of γ times the interval.
    risk_aversion : float, default 0.0
        Risk aversion λ per unit of money, at least 0; 0 gives equal trades.

    Raises
    ------
    ModelError
        A parameter is out of range; the message says which.
    """
    size, time = _order(shares, days)
    count, tau = _checked_count(n_trades), time / n_trades
    price = _checked_prices(vol, half_spread, permanent_impact, temporary_impact)
    aversion = number_in_range("risk_aversion", risk_aversion, ModelError, least=0.0)
    eta = _effective_impact(price[2], price[3], tau)
    kappa = 2.0 / tau * math.asinh(0.5 * tau * math.sqrt(aversion / eta) * price[0])
    if not math.isfinite(kappa):
        raise ModelError(f"risk_aversion={aversion!r} is too large; give a smaller one", name="risk_aversion")
    times = np.arange(count + 1, dtype=np.float64) * tau
    times[-1] = time
    holdings = size * _left(kappa, time, times)
    for array in (times, holdings):
        array.setflags(write=False)
    return ExecutionSchedule(times, holdings, aversion, kappa, _cost(holdings, tau, *price))


@admits(ModelError)
def execution_frontier(
    shares: float,
    days: float,
    n_trades: int,
    *,
    vol: float,
    half_spread: float = 0.0,
    permanent_impact: float = 0.0,
    temporary_impact: float,
    risk_aversions: ArrayLike | None = None,
) -> ExecutionFrontier:
    """Return the optimal schedules of one order for several risk aversions.

    Parameters
    ----------
    shares, days, n_trades : float
        Order and number of trades, as for :func:`execution_schedule`.
    vol, half_spread, permanent_impact, temporary_impact : float
        Volatility and costs, as for :func:`execution_schedule`.
    risk_aversions : array_like, shape (n,), optional
        Risk aversions, at least 0; by default 0 and 24 that lead from nearly equal trades to nearly one trade.

    Raises
    ------
    ModelError
        A parameter is out of range; the message says which.
    """
    if risk_aversions is None:
        time, count = _order(shares, days)[1], _checked_count(n_trades)
        price = _checked_prices(vol, half_spread, permanent_impact, temporary_impact)
        aversions = _default_aversions(time, price[0], _effective_impact(price[2], price[3], time / count))
    else:
        aversions = np.unique(figures_in_range("risk_aversions", risk_aversions, ModelError, least=0.0))
        if not aversions.size:
            raise ModelError("risk_aversions is empty; give at least one", name="risk_aversions")
    market = {
        "vol": vol,
        "half_spread": half_spread,
        "permanent_impact": permanent_impact,
        "temporary_impact": temporary_impact,
    }
    return ExecutionFrontier(
        tuple(execution_schedule(shares, days, n_trades, **market, risk_aversion=one) for one in aversions.tolist())
    )


@admits(ModelError)
def execution_cost(
    holdings: ArrayLike,
    days: float,
    *,
    vol: float,
    half_spread: float = 0.0,
    permanent_impact: float = 0.0,
    temporary_impact: float,
) -> ExecutionCost:
    """Return mean and variance of the cost of any schedule at equal intervals.

    Parameters
    ----------
    holdings : array_like, shape (n_trades + 1,)
        Shares left to trade at each time, the whole order first and 0 last.
    days : float
        Time from the first to the last, in trading days, above 0.
    vol, half_spread, permanent_impact, temporary_impact : float
        Volatility and costs, as for :func:`execution_schedule`; the temporary impact may have any value from 0 on.

    Raises
    ------
    ModelError
        The holdings do not end at 0, there are fewer than two, or a parameter is out of range.
    """
    left = figures_in_range("holdings", holdings, ModelError)
    if left.ndim != 1 or left.size < 2:  # noqa: PLR2004 - the start and the end
        raise ModelError(f"holdings of shape {left.shape}; give those before and after each trade", name="holdings")
    if abs(left[-1]) > LAST_DIGITS * np.abs(left).max():
        raise ModelError(
            f"the last of the holdings is {float(left[-1])!r}; a schedule ends at 0", name="holdings", value=left[-1]
        )
    time = number_in_range("days", days, ModelError, above=TINY)
    price = _checked_prices(vol, half_spread, permanent_impact, temporary_impact)
    return _cost(left, time / (left.size - 1), *price)


def _order(shares: float, days: float) -> tuple[float, float]:
    size = number_in_range("shares", shares, ModelError)
    if size == 0.0:
        raise ModelError("shares=0 is no order; give the number of shares to trade", name="shares", value=shares)
    return size, number_in_range("days", days, ModelError, above=TINY, hint="give the days until the order is done")


def _checked_count(n_trades: int) -> int:
    if not 1 <= n_trades <= _MOST_TRADES:
        raise ModelError(
            f"n_trades={n_trades!r} is not a whole number from 1 to {_MOST_TRADES:,}; give the number of trades",
            name="n_trades",
            value=n_trades,
        )
    return int(n_trades)


def _checked_prices(
    vol: float, half_spread: float, permanent_impact: float, temporary_impact: float
) -> tuple[float, float, float, float]:
    hint = "give the volatility in money per share and square root of a day: price times daily volatility"
    return (
        number_in_range("vol", vol, ModelError, least=0.0, hint=hint),
        number_in_range("half_spread", half_spread, ModelError, least=0.0, hint="give money per share"),
        number_in_range("permanent_impact", permanent_impact, ModelError, least=0.0),
        number_in_range("temporary_impact", temporary_impact, ModelError, least=0.0),
    )


def _effective_impact(permanent: float, temporary: float, tau: float) -> float:
    """Return the temporary impact less half of the permanent one of an interval; it has to be above 0."""
    least = 0.5 * permanent * tau
    if not temporary - least > LAST_DIGITS * temporary:
        raise ModelError(
            f"temporary_impact={temporary!r} is not above {least:g}, half of permanent_impact times the interval of "
            f"{tau:g} days, so that no schedule is the cheapest; give more trades or a larger temporary_impact",
            name="temporary_impact",
            value=temporary,
        )
    return temporary - least


def _left(kappa: float, time: float, times: FloatArray) -> FloatArray:
    """Return the share of an order that is left at each time, without overflow for a large urgency."""
    whole = kappa * time
    if whole < LAST_DIGITS:
        left = (time - times) / time
    else:
        # sinh a / sinh b = exp(a − b) · (1 − exp(−2a)) / (1 − exp(−2b))
        left = np.exp(-kappa * times) * np.expm1(-2.0 * kappa * (time - times)) / np.expm1(-2.0 * whole)
    left[0], left[-1] = 1.0, 0.0
    return left


def _cost(
    left: FloatArray, tau: float, vol: float, half_spread: float, permanent: float, temporary: float
) -> ExecutionCost:
    trades, whole = -np.diff(left), float(left[0])
    with np.errstate(over="ignore", invalid="ignore"):
        squared = (temporary - 0.5 * permanent * tau) / tau * float(trades @ trades)
        expected = 0.5 * permanent * whole * whole + half_spread * float(np.abs(trades).sum()) + squared
        variance = vol * vol * tau * float(left[1:] @ left[1:])
    if not (math.isfinite(expected) and math.isfinite(variance)):
        raise ModelError("the cost is too large to be computed; check the units of shares, vol and impact")
    return ExecutionCost(expected, variance, math.sqrt(variance))


def _default_aversions(time: float, vol: float, eta: float) -> FloatArray:
    if vol == 0.0:
        raise ModelError("vol=0.0 makes all schedules the same; give a volatility above 0", name="vol", value=vol)
    unit = eta / (vol * time) ** 2
    return np.concatenate([[0.0], unit * np.logspace(0.0, _SPAN, _POINTS - 1)])


def _amount(money: float) -> str:
    return f"{money:,.0f}" if 1e3 <= abs(money) < 1e15 else f"{money:.4g}"  # noqa: PLR2004 - digits that matter
