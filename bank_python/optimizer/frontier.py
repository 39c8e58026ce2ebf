r"""The efficient frontier, exact: its turning points, and every portfolio between them in closed form.

An efficient portfolio earns the most for its risk: for some :math:`s \ge 0` it minimises

.. math:: \tfrac12 w^\top \Sigma w - s\,\mu^\top w \quad\text{subject to}\quad \sum_i w_i = 1,\ l \le w \le u

From s = 0, the portfolio of least variance, to the one of highest return w(s) is a chain of straight lines
(:mod:`bank_python.numerics.critical_line`). On each the return R is linear in s, and since :math:`dV/dR = 2s` the
variance is a parabola:

.. math:: R = R_0 + t\,\Delta R, \qquad V = V_0 + t\,\Delta R\,(2 s_0 + t\,\Delta s)

so the portfolio of a given return, of a given volatility, and the one where the Sharpe ratio turns
(:math:`V = (R - r_f)\,s`) are roots that can be written down. Nothing is solved but the chain, once.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> data = CovarianceData(
...     tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.04]], expected_returns=[0.03, 0.08]
... )
>>> frontier = EfficientFrontier(data, risk_free_rate=0.02)
>>> {name: round(weight, 4) for name, weight in frontier.max_sharpe().by_ticker().items()}
{'BND': 0.7273, 'SPY': 0.2727}
>>> round(frontier.at_return(0.05).volatility, 6)
0.08544

References
----------
D. H. Bailey and M. López de Prado, "An open-source implementation of the critical-line algorithm for portfolio
optimization", Algorithms 6 (2013), 169-196.

H. M. Markowitz, "The optimization of a quadratic function subject to linear constraints", Naval Research Logistics
Quarterly 3 (1956), 111-133.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, MissingExtraError, ModelError
from bank_python.numerics.critical_line import critical_line
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.portfolio import portfolio_of

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.numerics.critical_line import CriticalLine
    from bank_python.optimizer.constraints import Bounds
    from bank_python.optimizer.covariance_data import CovarianceData
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["EfficientFrontier", "FrontierPoints"]

_ROUNDING = 1e-12
_FEWEST = 2
_DRAWN = 200
_NAMED = 40


@dataclass(frozen=True, slots=True, eq=False)
class FrontierPoints:
    """Portfolios along a frontier, from the least return to the highest.

    Parameters
    ----------
    tickers : tuple of str
        The assets.
    expected_returns, volatilities, sharpes : ndarray, shape (count,)
        A year's; the ratio is NaN where there is no risk.
    weights : ndarray, shape (count, n_assets)
        Shares of the wealth.
    """

    tickers: tuple[str, ...]
    expected_returns: FloatArray
    volatilities: FloatArray
    sharpes: FloatArray
    weights: FloatArray


class EfficientFrontier:
    """All efficient portfolios that are fully invested within bounds.

    Groups, turnover, leverage and costs are not for the critical line: ``create_optimizer("mean_variance",
    target_return=...)`` takes them, one portfolio at a time.

    Parameters
    ----------
    cov_data : CovarianceData
        With expected returns; one asset at most may be riskless.
    bounds : pair, sequence of pairs or mapping of str to pair, default (0, 1)
        The least and the most of each weight; infinite for none.
    risk_free_rate : float, default 0
        A year's; Sharpe ratios are measured from it.

    Raises
    ------
    CalibrationError
        There are no expected returns.
    ModelError
        The bounds name what is no asset, the rate is not finite, or two assets are riskless.
    InfeasibleError
        The bounds cannot add up to one.
    """

    def __init__(self, cov_data: CovarianceData, *, bounds: Bounds = (0.0, 1.0), risk_free_rate: float = 0.0) -> None:
        self._data, self._rate = cov_data, _rate(risk_free_rate)
        self._means = cov_data.means_for("the efficient frontier")
        allowed = FeasibleSet.of(cov_data.tickers, Constraints(bounds=bounds))
        self._lower, self._upper = allowed.lower, allowed.upper
        self._line = critical_line(_curved(cov_data), self._means, allowed.A, allowed.b, self._lower, self._upper)
        points = self._line.points
        self._scales, self._returns = self._line.scales, points @ self._means
        variances = np.einsum("ij,ij->i", points @ cov_data.covariance, points)
        self._variances = np.where(variances <= _ROUNDING**2 * variances.max(), 0.0, variances)
        # A step along each segment, the ray behind the last point included.
        self._steps = np.vstack([np.diff(points, axis=0), self._line.direction])
        self._gains = np.append(np.diff(self._returns), self._line.direction @ self._means)
        self._lengths = np.append(np.diff(self._scales), 1.0)
        noise = _ROUNDING * float(np.abs(self._returns).max())
        self._rising: NDArray[np.intp] = np.flatnonzero(self._gains > np.append(np.full(len(points) - 1, noise), 0.0))

    @property
    def line(self) -> CriticalLine:
        """The critical line that the frontier stands on."""
        return self._line

    @property
    def tickers(self) -> tuple[str, ...]:
        """The assets."""
        return self._data.tickers

    @property
    def risk_free_rate(self) -> float:
        """A year's rate that Sharpe ratios are measured from."""
        return self._rate

    @property
    def turning_points(self) -> tuple[OptimalPortfolio, ...]:
        """The portfolios at which an asset meets or leaves a bound, from the highest return to the least variance."""
        return tuple(self._portfolio("frontier, turning point", int(i), 0.0) for i in self._turns()[::-1])

    def points(self, count: int) -> FrontierPoints:
        """Return portfolios evenly spaced in return, from the least variance to the last turning point.

        Where the bounds set no limit to the return they go at least to the highest return of an asset.

        Parameters
        ----------
        count : int
            At least 2.

        Raises
        ------
        ModelError
            It is less.
        """
        if count < _FEWEST:
            raise ModelError(f"count={count!r}; give two points or more", value=count)
        top = float(self._returns[-1])
        top = max(top, float(self._means.max())) if self._line.is_ray else top
        wanted = np.linspace(self._returns[0], top, count)
        at, share = self._of_return(wanted)
        weights = self._line.points[at] + share[:, None] * self._steps[at]
        rise = share * self._gains[at]
        variance = self._variances[at] + rise * (2.0 * self._scales[at] + share * self._lengths[at])
        volatility = np.sqrt(np.maximum(variance, 0.0))
        returns = self._returns[at] + rise
        sharpe = np.full(count, np.nan)
        np.divide(returns - self._rate, volatility, out=sharpe, where=volatility > 0.0)
        for array in (returns, volatility, sharpe, weights):
            array.setflags(write=False)
        return FrontierPoints(self._data.tickers, returns, volatility, sharpe, weights)

    def at_return(self, expected_return: float) -> OptimalPortfolio:
        """Return the portfolio of least risk that earns a given return.

        Parameters
        ----------
        expected_return : float
            A year's, from that of the least variance to the highest.

        Raises
        ------
        InfeasibleError
            It is outside; the message says the range.
        """
        self._require("expected_return", expected_return, float(self._returns[0]), float(self._returns[-1]))
        at, share = self._of_return(np.array([expected_return]))
        return self._portfolio("frontier, target return", int(at[0]), float(share[0]))

    def at_volatility(self, volatility: float) -> OptimalPortfolio:
        """Return the portfolio of highest return with a given volatility.

        Parameters
        ----------
        volatility : float
            A year's, from the least to that of the highest return.

        Raises
        ------
        InfeasibleError
            It is outside; the message says the range.
        """
        least, most = (math.sqrt(max(float(self._variances[i]), 0.0)) for i in (0, -1))
        self._require("volatility", volatility, least, most)
        if not len(self._rising):
            return self._portfolio("frontier, target volatility", 0, 0.0)
        i = self._segment(self._variances, np.array([volatility**2]))[0]
        slope = float(self._scales[i])
        more = max(volatility**2 - float(self._variances[i]), 0.0) / float(self._gains[i])
        root = math.sqrt(slope**2 + float(self._lengths[i]) * more)
        share = more / (slope + root) if more > 0.0 else 0.0
        return self._portfolio("frontier, target volatility", int(i), self._within(int(i), share))

    def min_variance(self) -> OptimalPortfolio:
        """Return the portfolio of least variance."""
        return self._portfolio("frontier, least variance", 0, 0.0)

    def max_return(self) -> OptimalPortfolio:
        """Return the portfolio of highest return; of several, the one of least variance.

        Raises
        ------
        InfeasibleError
            The bounds set no limit to the return.
        """
        if self._line.is_ray:
            raise InfeasibleError("the bounds set no limit to the return; give finite bounds, or a target")
        return self._portfolio("frontier, highest return", int(self._turns()[-1]), 0.0)

    def max_utility(self, risk_aversion: float) -> OptimalPortfolio:
        """Return the portfolio that maximises the return less half of `risk_aversion` times the variance.

        Parameters
        ----------
        risk_aversion : float
            Above 0.

        Raises
        ------
        ModelError
            It is not.
        """
        if not 0.0 < risk_aversion < math.inf:
            raise ModelError(f"risk_aversion={risk_aversion!r}; give a number above 0", value=risk_aversion)
        return self._at_scale("frontier, utility", 1.0 / risk_aversion)

    def max_sharpe(self, risk_free_rate: float | None = None) -> OptimalPortfolio:
        """Return the portfolio of the largest Sharpe ratio.

        Parameters
        ----------
        risk_free_rate : float, optional
            A year's; the frontier's if left out.

        Raises
        ------
        ModelError
            The rate is not finite, or a riskless asset earns more than it.
        InfeasibleError
            No portfolio earns more than the rate, or the ratio rises for ever.
        """
        rate = self._rate if risk_free_rate is None else _rate(risk_free_rate)
        i, share = self._of_sharpe(rate)
        return self._portfolio("frontier, max Sharpe", i, share, rate=rate)

    def to_table(self) -> Table:
        """Return a row for each turning point, highest return first; a column ``weight_...`` for each asset."""
        from bank_python.mntable import Table

        columns = [f"weight_{name}" for name in self._data.tickers]
        figures = ["expected_return", "volatility", "sharpe"]
        rows: list[dict[str, float | None]] = []
        for i in self._turns()[::-1]:
            volatility = math.sqrt(max(float(self._variances[i]), 0.0))
            ratio = (float(self._returns[i]) - self._rate) / volatility if volatility > 0.0 else None
            told = (float(self._returns[i]), volatility, ratio, *self._line.points[i].tolist())
            rows.append(dict(zip((*figures, *columns), told, strict=True)))
        kinds = {"sharpe": float | None}
        return Table.from_rows([(name, kinds.get(name, float)) for name in (*figures, *columns)], rows)

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the frontier with its turning points, the assets and the best Sharpe ratio (PNG, SVG or PDF).

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (``pip install 'bank-python[plot]'``).
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError("a plot needs matplotlib: pip install 'bank-python[plot]'", extra="plot") from error
        figure = Figure(figsize=(9.0, 5.5), layout="constrained")
        axes = figure.subplots()
        curve, turns = self.points(_DRAWN), self._turns()
        axes.plot(curve.volatilities, curve.expected_returns, label="efficient frontier")
        axes.plot(np.sqrt(self._variances[turns]), self._returns[turns], "o", markersize=3, label="turning points")
        _draw_assets(axes, self._data, self._means)
        _draw_tangent(axes, self)
        axes.set(xlabel="volatility a year", ylabel="expected return a year", title="Efficient frontier")
        axes.legend()
        figure.savefig(path)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import frontier_view

        return frontier_view(self)

    def _turns(self) -> NDArray[np.intp]:
        """Return the turning points at which the weights differ from those before."""
        moved = np.abs(self._steps[:-1]).max(axis=1, initial=0.0) > _ROUNDING
        return np.flatnonzero(np.append(True, moved))

    def _segment(self, figures: FloatArray, wanted: FloatArray) -> NDArray[np.intp]:
        """Return the segments on which a figure that rises along the frontier takes given values."""
        found = np.searchsorted(figures[self._rising], wanted, side="right") - 1
        return np.asarray(self._rising[np.maximum(found, 0)])

    def _of_return(self, wanted: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
        if not len(self._rising):
            return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted))
        at = self._segment(self._returns, wanted)
        share = np.maximum((wanted - self._returns[at]) / self._gains[at], 0.0)
        return at, np.where(at + 1 < len(self._scales), np.minimum(share, 1.0), share)

    def _within(self, i: int, share: float) -> float:
        return min(share, 1.0) if i + 1 < len(self._scales) else share

    def _at_scale(self, method: str, scale: float) -> OptimalPortfolio:
        i = int(np.searchsorted(self._scales, scale, side="right")) - 1
        return self._portfolio(method, i, (scale - float(self._scales[i])) / float(self._lengths[i]))

    def _of_sharpe(self, rate: float) -> tuple[int, float]:
        """Return where V = (R - r) s: before it the ratio rises along the frontier, behind it falls."""
        if not self._line.is_ray and float(self._returns[-1]) <= rate:
            most = float(self._returns[-1])
            raise InfeasibleError(
                f"no portfolio earns more than risk_free_rate={rate:g}: the most is {most:.6g} a year; lower the rate",
                value=most,
            )
        if self._variances[0] <= 0.0 and float(self._returns[0]) > rate:
            earned = float(self._returns[0])
            raise ModelError(
                f"{self._data.riskless[0]} earns {earned:g} without risk, more than risk_free_rate={rate:g}: the ratio "
                "has no limit; give the rate that it earns",
                value=earned,
            )
        ahead = self._variances - (self._returns - rate) * self._scales
        behind = np.flatnonzero(ahead < -_ROUNDING * self._variances)
        i = int(behind[0]) - 1 if len(behind) else len(self._scales) - 1
        slope = float(self._gains[i] / self._lengths[i])
        start = float(self._scales[i])
        below = float(self._returns[i]) - rate - slope * start
        if below <= 0.0:
            raise InfeasibleError(
                f"the Sharpe ratio above {rate:g} rises for ever along the frontier; give finite bounds"
            )
        scale = (float(self._variances[i]) - slope * start**2) / below
        if not (len(behind) or self._line.is_ray):
            return i, 0.0
        return i, self._within(i, max((scale - start) / float(self._lengths[i]), 0.0))

    def _require(self, name: str, value: float, least: float, most: float) -> None:
        slack = _ROUNDING * max(abs(least), abs(most))
        if least - slack <= value <= most + slack or (self._line.is_ray and least <= value < math.inf):
            return
        top = "infinity" if self._line.is_ray else f"{most:.6g}"
        raise InfeasibleError(
            f"{name}={value!r} is not on the frontier; give a figure from {least:.6g} to {top}", value=value
        )

    def _portfolio(self, method: str, i: int, share: float, rate: float | None = None) -> OptimalPortfolio:
        weights = self._line.points[i] + share * self._steps[i]
        scale = float(self._scales[i] + share * self._lengths[i])
        return portfolio_of(
            self._data,
            method,
            weights,
            self._certificate(weights, scale),
            risk_free_rate=self._rate if rate is None else rate,
            figures={"risk_aversion": 1.0 / scale if scale > 0.0 else math.inf},
        )

    def _certificate(self, weights: FloatArray, scale: float) -> Certificate:
        """Return the proof: no asset that can be raised has a lower slope than one that can be lowered."""
        pull, gain = self._data.covariance @ weights, scale * self._means
        slope = pull - gain
        near = _ROUNDING * max(1.0, float(np.abs(weights).max()))
        low, high = weights - self._lower <= near, self._upper - weights <= near
        most, least = float(slope[~low].max(initial=-np.inf)), float(slope[~high].min(initial=np.inf))
        finite = [side for side in (most, least) if math.isfinite(side)]
        price = sum(finite) / len(finite) if finite else 0.0
        size = max(float(np.abs(pull).max()), float(np.abs(gain).max())) or 1.0
        outside = max(0.0, float((self._lower - weights).max()), float((weights - self._upper).max()))
        residual = max(max(most - least, 0.0) / (2.0 * size), outside, abs(float(weights.sum()) - 1.0))
        lost = _lost(slope - price, weights, self._lower, self._upper)
        variance = float(weights @ pull)
        worth = max(abs(0.5 * variance - float(gain @ weights)), 0.5 * variance)
        return Certificate(
            kkt_residual=residual,
            duality_gap=lost / worth if worth > 0.0 else 0.0,
            at_lower=tuple(name for name, held in zip(self._data.tickers, low.tolist(), strict=True) if held),
            at_upper=tuple(name for name, held in zip(self._data.tickers, high.tolist(), strict=True) if held),
            iterations=len(self._scales),
        )


def _lost(left: FloatArray, weights: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return how much the slopes promise at most for going from weights to any others within the bounds."""
    width = upper - lower
    if np.isfinite(width).all():
        order = np.argsort(left, kind="stable")
        room = float((weights - lower).sum()) - (np.cumsum(width[order]) - width[order])
        there = lower.copy()
        there[order] += np.clip(room, 0.0, width[order])  # the lowest slopes are filled first
        return max(float(left @ (weights - there)), 0.0)
    way = np.where(left > 0.0, weights - lower, upper - weights)
    held = np.isfinite(way) & (left != 0.0)
    return float((np.abs(left[held]) * np.maximum(way[held], 0.0)).sum())


def _rate(risk_free_rate: float) -> float:
    if not math.isfinite(risk_free_rate):
        raise ModelError(f"risk_free_rate={risk_free_rate!r}; give a rate a year", value=risk_free_rate)
    return risk_free_rate


def _curved(data: CovarianceData) -> FloatArray:
    """Return a positive definite matrix that orders fully invested portfolios as the covariance does."""
    if not data.riskless:
        return data.covariance
    if len(data.riskless) > 1:
        raise ModelError(
            f"{' and '.join(data.riskless)} are riskless; keep the one that earns more", value=data.riskless
        )
    # Where the weights add up to one, a multiple of ones adds the same to every variance.
    return np.asarray(data.covariance + float(np.diag(data.covariance).max()))


def _draw_assets(axes: Axes, data: CovarianceData, means: FloatArray) -> None:
    volatilities = data.volatilities
    axes.plot(volatilities, means, "x", color="gray", label="assets")
    for name, volatility, mean in list(zip(data.tickers, volatilities.tolist(), means.tolist(), strict=True))[:_NAMED]:
        axes.annotate(name, (volatility, mean), textcoords="offset points", xytext=(4, 3), fontsize=8)


def _draw_tangent(axes: Axes, frontier: EfficientFrontier) -> None:
    try:
        best = frontier.max_sharpe()
    except ModelError:
        # No portfolio beats the rate, or cash does: there is no tangent to draw.
        return
    far = 1.3 * best.volatility
    axes.plot([best.volatility], [best.expected_return], "*", markersize=12, label=f"max Sharpe {best.sharpe:.3g}")
    rate = frontier.risk_free_rate
    axes.plot([0.0, far], [rate, rate + best.sharpe * far], "--", linewidth=1, label=f"tangent from {rate:.2%}")
