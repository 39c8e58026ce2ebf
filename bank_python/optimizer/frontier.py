r"""The exact efficient frontier: its turning points, and every portfolio between them in closed form.

An efficient portfolio has the highest expected return for its risk: for some :math:`s \ge 0` it minimises

.. math:: \tfrac12 w^\top \Sigma w - s\,\mu^\top w \quad\text{subject to}\quad \sum_i w_i = 1,\ l \le w \le u

From the portfolio of least variance at s = 0 to that of highest return, w(s) is piecewise linear
(:mod:`bank_python.numerics.critical_line`). On each segment the return R is linear in s, and as :math:`dV/dR = 2s`, the
variance V is quadratic:

.. math:: R = R_0 + t\,\Delta R, \qquad V = V_0 + t\,\Delta R\,(2 s_0 + t\,\Delta s)

so the portfolio with a given return, with a given volatility, and with the largest Sharpe ratio
(:math:`V = (R - r_f)\,s`) have closed forms. Only the turning points are computed numerically, once.

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
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import also_called
from bank_python.display import Record
from bank_python.errors import InfeasibleError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.critical_line import critical_line
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.optimizer.constraint import Constraint
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.optimizer.frontier_path import FrontierPath
from bank_python.optimizer.frontier_proof import box_certificate
from bank_python.optimizer.inputs import checked_rate
from bank_python.optimizer.moments import covariance_data_of
from bank_python.optimizer.path_trace import PathTracer
from bank_python.optimizer.portfolio import OptimalPortfolio, portfolio_of
from bank_python.optimizer.weight_expressions import constraints_of
from bank_python.plotting import Plotted, draw_figure, legend_beside, literal, percent
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import words_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.numerics.critical_line import CriticalLine
    from bank_python.optimizer.bounds import Bounds
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.portfolio import Performance
    from bank_python.optimizer.weight_expressions import Comparison, WeightExpression

__all__ = ["EfficientFrontier", "FrontierPoints"]

_FEWEST = 2
_DRAWN = 200
_NAMED = 40
_FEW = 8
_BOOK_MARKERS = ("s", "D", "^", "v", "P", "X", "h", "<", ">")


@dataclass(frozen=True, slots=True, eq=False)
class FrontierPoints(Record):
    """Portfolios along a frontier, from the lowest to the highest expected return.

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the assets.
    expected_returns, volatilities, sharpes : ndarray, shape (count,)
        Expected returns, volatilities and Sharpe ratios per year; a ratio is NaN where the volatility is 0.
    weights : ndarray, shape (count, n_assets)
        Weights of the portfolios, one row per portfolio.
    """

    tickers: tuple[str, ...]
    expected_returns: FloatArray
    volatilities: FloatArray
    sharpes: FloatArray
    weights: FloatArray


_WORDS = {
    **dict.fromkeys(
        ("weights", "optimize", "solve"), ".max_sharpe(), .min_volatility() or another portfolio, and its .weights"
    ),
    **dict.fromkeys(("max_quadratic_utility",), ".max_utility(risk_aversion)"),
    **dict.fromkeys(("frontier", "curve", "efficient_frontier", "plotting"), ".points(count)"),
    **dict.fromkeys(("minimum_variance", "min_vol", "gmv"), ".min_volatility()"),
    **dict.fromkeys(("tangency", "max_sharpe_ratio", "tangency_portfolio"), ".max_sharpe()"),
    **dict.fromkeys(("add_objective", "add_sector_constraints"), ".add_constraint(rule), or Constraints"),
}


class EfficientFrontier(Plotted, Tabular):
    """The efficient frontier under constraints.

    If bounds are the only constraints, the frontier is computed by the critical line algorithm. With other constraints
    or trading costs it is traced from single portfolios (:mod:`bank_python.optimizer.path_trace`), equally exact but
    slower. With trading costs, the returns along the frontier are after costs, and ``figures["transaction_cost"]`` of a
    portfolio contains the costs.

    :meth:`clean_weights` and :meth:`portfolio_performance` refer to the portfolio that was chosen last, by
    :meth:`max_sharpe`, :meth:`min_volatility` and so on.

    Parameters
    ----------
    cov_data : CovarianceData, or array_like, Series or mapping of shape (n_assets,)
        Covariance and expected returns of the assets, of which at most one is riskless; or only the expected returns
        per year, as decimals.
    covariance : array_like, DataFrame or CovarianceData, shape (n_assets, n_assets), optional
        Covariance matrix of the returns per year, if `cov_data` contains only the expected returns. Labels are kept.
    bounds : pair, sequence of pairs or mapping of str to pair, default (0, 1)
        Lower and upper bound of each weight; infinite where a weight is unbounded. Short for
        ``Constraints(bounds=...)``.
    constraints : Constraints, optional
        Constraints on the weights and trading costs; fully invested and long only if omitted.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratios, per year, as a decimal.

    Raises
    ------
    CalibrationError
        If there are no expected returns, or their number does not match the covariance.
    ModelError
        If the constraints contain an unknown ticker, both `bounds` and `constraints` are given, the rate is not finite,
        or two assets are riskless.
    MatrixError
        If the covariance is not a valid covariance matrix.
    InfeasibleError
        If no weights within the bounds have the required sum. Raised by the methods if the constraints contradict each
        other, or the requested portfolio is not on the frontier.

    Examples
    --------
    >>> frontier = EfficientFrontier({"BND": 0.03, "SPY": 0.08}, [[0.0025, 0.0], [0.0, 0.04]])
    >>> frontier.add_constraint(lambda w: w >= 0.1)
    >>> chosen = frontier.max_sharpe(risk_free_rate=0.02)
    >>> frontier.clean_weights()
    {'BND': 0.72727, 'SPY': 0.27273}
    >>> frontier.portfolio_performance().sharpe == chosen.sharpe
    True
    """

    @also_called(weight_bounds="bounds", cov_matrix="covariance", expected_returns="cov_data")
    @guessable
    def __init__(
        self,
        cov_data: CovarianceData | ArrayLike | Mapping[str, float],
        covariance: ArrayLike | CovarianceData | None = None,
        *,
        bounds: Bounds | None = None,
        constraints: Constraints | None = None,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        self._data, self._rate = _data(cov_data, covariance), checked_rate(risk_free_rate)
        self._means = self._data.means_for("the efficient frontier")
        self._definite = _definite_covariance(self._data)
        if bounds is not None and constraints is not None:
            raise ModelError("bounds= and constraints= were both given; give Constraints(bounds=..., ...) only")
        self._chosen: OptimalPortfolio | None = None
        self._constrain(Constraints.checked(constraints) if bounds is None else Constraints(bounds=bounds))

    def add_constraint(self, rule: Callable[[WeightExpression], Comparison] | Constraint) -> None:
        """Add a constraint to the present ones, and discard the portfolio chosen before.

        Parameters
        ----------
        rule : callable or Constraint
            Function that compares weights, such as ``lambda w: w >= 0.02`` or ``lambda w: w["SPY"] + w["QQQ"] <= 0.5``
            (:mod:`bank_python.optimizer.weight_expressions`), or a constraint of any kind.

        Raises
        ------
        ModelError
            If the result of the function is not linear in the weights.
        InfeasibleError
            If the bounds contradict each other or the sum of weights. The frontier is then unchanged.
        """
        more = (rule,) if isinstance(rule, Constraint) else constraints_of(rule, self._data.tickers)
        self._constrain(replace(self._constraints, rules=(*self._constraints.rules, *more)))

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @property
    def constraints(self) -> Constraints:
        """Constraints on the weights."""
        return self._constraints

    @property
    def line(self) -> CriticalLine:
        """Turning points of the frontier: the critical line, or a traced path without multipliers."""
        return self._traced.line

    @property
    def tickers(self) -> tuple[str, ...]:
        """Tickers of the assets."""
        return self._data.tickers

    @property
    def risk_free_rate(self) -> float:
        """Risk-free rate of the Sharpe ratios, per year, as a decimal."""
        return self._rate

    @property
    def turning_points(self) -> tuple[OptimalPortfolio, ...]:
        """Portfolios at which the set of active constraints changes, from the highest return to the least risk."""
        turns = self._traced.turns()[::-1]
        return tuple(self._portfolio("frontier, turning point", (int(i), 0.0)) for i in turns)

    @property
    def tangent(self) -> OptimalPortfolio | None:
        """Portfolio with the largest Sharpe ratio at the frontier's rate; None if there is none."""
        try:
            return self._best(self._rate)
        except ModelError:  # no portfolio or a riskless one earns more than the rate, or the ratio is unbounded
            return None

    @admits(ModelError)
    def points(self, count: int) -> FrontierPoints:
        """Return portfolios evenly spaced in return, from the least variance to the last turning point.

        If the return is unbounded, they extend at least to the highest return of an asset.

        Parameters
        ----------
        count : int
            Number of portfolios, at least 2.

        Raises
        ------
        ModelError
            If `count` is below 2.
        """
        if count < _FEWEST:
            raise ModelError(f"count={count!r}; give at least 2 points", value=count)
        path = self._traced
        top = float(path.returns[-1])
        top = max(top, float(self._means.max())) if path.line.is_ray else top
        at, share = path.of_return(np.linspace(path.returns[0], top, count))
        weights, returns, variance = path.along(at, share)
        volatility = np.sqrt(np.maximum(variance, 0.0))
        sharpe = np.full(count, np.nan)
        np.divide(returns - self._rate, volatility, out=sharpe, where=volatility > 0.0)
        for array in (returns, volatility, sharpe, weights):
            array.setflags(write=False)
        return FrontierPoints(self._data.tickers, returns, volatility, sharpe, weights)

    @admits(ModelError)
    def at_return(self, expected_return: float) -> OptimalPortfolio:
        """Return the portfolio of least risk with a given expected return.

        Parameters
        ----------
        expected_return : float
            Expected return per year, after trading costs; between those of the least variance and the highest return.

        Raises
        ------
        InfeasibleError
            If it is outside of this range; the message contains the range.
        """
        path = self._traced
        self._require("expected_return", expected_return, float(path.returns[0]), float(path.returns[-1]))
        at, share = path.of_return(np.array([expected_return]))
        return self._choose("frontier, target return", (int(at[0]), float(share[0])))

    @admits(ModelError)
    def at_volatility(self, volatility: float) -> OptimalPortfolio:
        """Return the portfolio of highest return with a given volatility.

        Parameters
        ----------
        volatility : float
            Volatility per year; between the least one and that of the highest return.

        Raises
        ------
        InfeasibleError
            If it is outside of this range; the message contains the range.
        """
        path = self._traced
        least, most = path.volatilities[[0, -1]].tolist()
        self._require("volatility", volatility, least, most)
        return self._choose("frontier, target volatility", path.of_variance(volatility**2))

    @admits(ModelError)
    def efficient_return(self, target_return: float) -> OptimalPortfolio:
        """Return the portfolio of least risk with at least a given expected return.

        Parameters
        ----------
        target_return : float
            Least expected return per year, after trading costs; at most the highest return of the frontier.

        Raises
        ------
        InfeasibleError
            If no portfolio has such a return; the message contains the range.
        """
        return self.at_return(max(target_return, float(self._traced.returns[0])))

    @admits(ModelError)
    def efficient_risk(self, target_volatility: float) -> OptimalPortfolio:
        """Return the portfolio of highest return with at most a given volatility.

        Parameters
        ----------
        target_volatility : float
            Largest volatility per year; at least the least volatility of the frontier.

        Raises
        ------
        InfeasibleError
            If every portfolio has a higher volatility; the message contains the range.
        """
        path = self._traced
        is_beyond = not path.line.is_ray and target_volatility > path.volatilities[-1]
        return self.at_volatility(float(path.volatilities[-1]) if is_beyond else target_volatility)

    def min_variance(self) -> OptimalPortfolio:
        """Return the portfolio of least variance."""
        return self._choose("frontier, least variance", (0, 0.0))

    def min_volatility(self) -> OptimalPortfolio:
        """Return the portfolio of least volatility, which is that of least variance."""
        return self.min_variance()

    def max_return(self) -> OptimalPortfolio:
        """Return the portfolio of highest return; if there are several, the one of least variance.

        Raises
        ------
        InfeasibleError
            If the return is unbounded.
        """
        path = self._traced
        if path.line.is_ray:
            raise InfeasibleError("the return is unbounded; give finite bounds, or a target")
        return self._choose("frontier, highest return", (int(path.turns()[-1]), 0.0))

    @admits(ModelError)
    def max_utility(self, risk_aversion: float) -> OptimalPortfolio:
        """Return the portfolio that maximises the return less half of `risk_aversion` times the variance.

        Parameters
        ----------
        risk_aversion : float
            Risk aversion, above 0.

        Raises
        ------
        ModelError
            If the risk aversion is not above 0.
        """
        if not 0.0 < risk_aversion < math.inf:
            raise ModelError(f"risk_aversion={risk_aversion!r}; give a number above 0", value=risk_aversion)
        return self._choose("frontier, utility", self._traced.of_scale(1.0 / risk_aversion))

    @admits(ModelError)
    def max_sharpe(self, risk_free_rate: float | None = None) -> OptimalPortfolio:
        """Return the portfolio with the largest Sharpe ratio.

        Parameters
        ----------
        risk_free_rate : float, optional
            Risk-free rate per year, as a decimal; that of the frontier if omitted.

        Raises
        ------
        ModelError
            If the rate is not finite, or a riskless asset earns more than the rate.
        InfeasibleError
            If no portfolio earns more than the rate, or the ratio is unbounded.
        """
        self._chosen = self._best(self._rate if risk_free_rate is None else checked_rate(risk_free_rate))
        return self._chosen

    def clean_weights(self, cutoff: float = 1e-4, digits: int = 5) -> dict[str, float]:
        """Return the rounded weights of the portfolio chosen last; see :meth:`OptimalPortfolio.clean_weights`.

        Raises
        ------
        ModelError
            If no portfolio was chosen since the last change of constraints, or an argument is out of range.
        """
        return self._last.clean_weights(cutoff, digits)

    def portfolio_performance(self, *, verbose: bool = False, risk_free_rate: float | None = None) -> Performance:
        """Return the expected return, volatility and Sharpe ratio of the portfolio chosen last.

        Parameters
        ----------
        verbose : bool, default False
            Whether to print the portfolio to the terminal.
        risk_free_rate : float, optional
            Risk-free rate per year, as a decimal; the rate with which it was chosen if omitted.

        Raises
        ------
        ModelError
            If no portfolio was chosen since the last change of constraints, or the rate is not finite.
        """
        chosen = self._last
        if risk_free_rate is not None:
            chosen = chosen.with_risk_free_rate(checked_rate(risk_free_rate))
        return chosen.performance(verbose=verbose)

    def to_table(self) -> Table:
        """Return a table with a row for each turning point, highest return first; weights in columns ``weight_...``."""
        from bank_python.mntable import Table

        columns = [f"weight_{name}" for name in self._data.tickers]
        figures = ["expected_return", "volatility", "sharpe"]
        rows: list[dict[str, float | None]] = []
        path = self._traced
        for i in path.turns()[::-1]:
            volatility = float(path.volatilities[i])
            ratio = (float(path.returns[i]) - self._rate) / volatility if volatility > 0.0 else None
            values = (float(path.returns[i]), volatility, ratio, *path.line.points[i].tolist())
            rows.append(dict(zip((*figures, *columns), values, strict=True)))
        kinds = {"sharpe": float | None}
        return Table.from_rows([(name, kinds.get(name, float)) for name in (*figures, *columns)], rows)

    @guessable
    def plot(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        axes: Axes | None = None,
        portfolios: Mapping[str, OptimalPortfolio | Mapping[str, float] | ArrayLike] | None = None,
    ) -> Figure:
        """Draw the frontier, and where portfolios lie.

        Parameters
        ----------
        path : path, optional
            File to write, in the format of its suffix: ``.png``, ``.svg`` or ``.pdf``.
        axes : matplotlib.axes.Axes, optional
            Axes to draw on; by default those of a new figure.
        portfolios : mapping of str to OptimalPortfolio, mapping of str to float, or array_like, optional
            Portfolios to mark, by name: weights by ticker, 0 for tickers left out, or in the order of the tickers, or
            the result of an optimiser. Risk and return are those of the frontier's own data.

        Returns
        -------
        matplotlib.figure.Figure
            The figure, which notebooks show.

        Raises
        ------
        ModelError
            A portfolio holds a ticker that the frontier does not have, or its weights are not a finite number for each.
        MissingExtraError
            matplotlib is not installed (extra ``plot``).
        """
        marked = {name: self._held(name, held) for name, held in (portfolios or {}).items()}

        def draw(onto: Axes) -> None:
            self._draw_(onto)
            for i, (name, held) in enumerate(marked.items()):
                marker = _BOOK_MARKERS[i % len(_BOOK_MARKERS)]
                x, y = [held.volatility], [held.expected_return]
                onto.plot(x, y, linestyle="", marker=marker, markersize=8, color="black", label=literal(name))
            legend_beside(onto)

        return draw_figure(draw, path, axes)

    def _held(self, name: str, held: OptimalPortfolio | Mapping[str, float] | ArrayLike) -> OptimalPortfolio:
        """Return a portfolio of given weights with its risk and return by the frontier's data."""
        weights: Any = held
        if isinstance(held, OptimalPortfolio | Mapping):
            by_ticker = dict(held.items())
            unknown = [ticker for ticker in by_ticker if ticker not in self.tickers]
            if unknown:
                raise ModelError(
                    f"the portfolio {name} holds {unknown[0]}, which the frontier does not have; give weights of "
                    f"{', '.join(self.tickers[:_FEW])}{', …' if len(self.tickers) > _FEW else ''} only",
                    value=unknown[0],
                )
            weights = [by_ticker.get(ticker, 0.0) for ticker in self.tickers]
        try:
            return portfolio_of(self._data, name, weights, risk_free_rate=self._rate)
        except ModelError as error:
            raise ModelError(f"the portfolio {name}: {error.message}", **error.facts) from error

    def _draw_(self, axes: Axes) -> None:
        """Draw the frontier, its turning points, the assets and the tangent."""
        curve, traced = self.points(_DRAWN), self._traced
        turns = traced.turns()
        axes.plot(curve.volatilities, curve.expected_returns, label="efficient frontier")
        x, y = traced.volatilities[turns], traced.returns[turns]
        axes.plot(x, y, "o", linestyle="", markersize=3, label="turning points")
        _draw_assets(axes, self._data, self._means)
        _draw_tangent(axes, self)
        axes.set(xlabel="volatility per year", ylabel="expected return per year", title="Efficient frontier")
        percent(axes.xaxis)
        percent(axes.yaxis)
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import frontier_view

        return frontier_view(self)

    def _constrain(self, constraints: Constraints) -> None:
        """Set the constraints, and discard all results under the previous ones."""
        self._allowed = FeasibleSet.of(self._data.tickers, constraints)
        self._constraints = constraints
        self._path: FrontierPath | None = None
        self._chosen = None

    @property
    def _traced(self) -> FrontierPath:
        if self._path is None:
            self._path = FrontierPath.of(self._line(), self._data.covariance, self._means, self._allowed)
        return self._path

    def _line(self) -> CriticalLine:
        allowed, rows = self._allowed, self._allowed.plain
        if allowed.is_box:
            return critical_line(self._definite, self._means, rows.A, rows.b, allowed.lower, allowed.upper)
        return PathTracer(allowed, self._definite, self._means).trace()

    @property
    def _last(self) -> OptimalPortfolio:
        if self._chosen is None:
            raise ModelError(
                "no portfolio was chosen since the last change of constraints; call max_sharpe(), min_volatility() or "
                "efficient_return(...) first"
            )
        return self._chosen

    def _best(self, rate: float) -> OptimalPortfolio:
        riskless = next(iter(self._data.riskless), "a portfolio")
        return self._portfolio("frontier, max Sharpe", self._traced.of_sharpe(rate, riskless), rate)

    def _choose(self, method: str, place: tuple[int, float]) -> OptimalPortfolio:
        self._chosen = self._portfolio(method, place)
        return self._chosen

    def _require(self, name: str, value: float, least: float, most: float) -> None:
        is_ray = self._traced.line.is_ray
        slack = LAST_DIGITS * max(abs(least), abs(most))
        if least - slack <= value <= most + slack or (is_ray and least <= value < math.inf):
            return
        top = "infinity" if is_ray else f"{most:.6g}"
        raise InfeasibleError(
            f"{name}={value!r} is not on the frontier; give a value from {least:.6g} to {top}", value=value
        )

    def _portfolio(self, method: str, place: tuple[int, float], rate: float | None = None) -> OptimalPortfolio:
        allowed, path = self._allowed, self._traced
        weights, scale = path.weights(*place), path.scale(*place)
        figures = {"risk_aversion": 1.0 / scale if scale > 0.0 else math.inf}
        if allowed.charges:
            figures["transaction_cost"] = allowed.paid(weights)
        if self._constraints.current is not None:
            figures["turnover"] = allowed.turnover(weights)
        return portfolio_of(
            self._data,
            method,
            weights,
            allowed.certified(weights, self._proof(weights, scale)),
            risk_free_rate=self._rate if rate is None else rate,
            figures=figures,
        )

    def _proof(self, weights: FloatArray, scale: float) -> Certificate:
        if self._allowed.is_box:
            slopes = (self._data.covariance @ weights, scale * self._means)
            proof = box_certificate(self._data.tickers, weights, slopes, (self._allowed.lower, self._allowed.upper))
            return replace(proof, iterations=len(self._traced.line.scales))
        return PathTracer(self._allowed, self._definite, self._means).certificate(weights, scale)


def _data(given: Any, covariance: ArrayLike | CovarianceData | None) -> CovarianceData:
    if covariance is not None:
        return covariance_data_of(given, covariance)
    if not isinstance(given, CovarianceData):
        raise ModelError(
            f"the efficient frontier of a {type(given).__name__} only; give CovarianceData, or expected returns and "
            "then the covariance"
        )
    return given


def _definite_covariance(data: CovarianceData) -> FloatArray:
    """Return a positive definite matrix that ranks fully invested portfolios as the covariance does."""
    if not data.riskless:
        return data.covariance
    if len(data.riskless) > 1:
        raise ModelError(
            f"{' and '.join(data.riskless)} are riskless; keep only the one that earns more", value=data.riskless
        )
    # If the weights add up to one, a constant added to all entries adds the same to every variance.
    return np.asarray(data.covariance + float(np.diag(data.covariance).max()))


def _draw_assets(axes: Axes, data: CovarianceData, means: FloatArray) -> None:
    volatilities = data.volatilities
    axes.plot(volatilities, means, "x", color="gray", label="assets")
    for name, volatility, mean in list(zip(data.tickers, volatilities.tolist(), means.tolist(), strict=True))[:_NAMED]:
        axes.annotate(literal(name), (volatility, mean), textcoords="offset points", xytext=(4, 3), fontsize=8)


def _draw_tangent(axes: Axes, frontier: EfficientFrontier) -> None:
    best = frontier.tangent
    if best is None:
        return
    far = 1.3 * best.volatility
    axes.plot([best.volatility], [best.expected_return], "*", markersize=12, label=f"max Sharpe {best.sharpe:.3g}")
    rate = frontier.risk_free_rate
    axes.plot([0.0, far], [rate, rate + best.sharpe * far], "--", linewidth=1, label=f"tangent from {rate:.2%}")
