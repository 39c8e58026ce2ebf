"""The metrics of a tearsheet: their names, units, conventions in words, and what each of them needs.

A convention names the periods by ``{p}`` (a year's number), ``{period}`` and ``{rf}`` (the risk-free rate), which the
sheet fills in. A need is a name in :data:`NEEDS`; the first need that a series does not meet is the reason why its
figure is missing or infinite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALIASES", "METRICS", "NEEDS", "Facts", "Metric"]

_TWO, _THREE = 2, 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a series, beside its figures; the reasons for missing figures are read from it.

    Parameters
    ----------
    n_values, n_returns : int
        Number of values of equity, and of returns.
    is_constant, has_loss, has_shortfall, has_fall : bool
        Whether returns are all the same; whether one is below 0, whether one is below the risk-free rate, and whether
        the equity is ever below an earlier high.
    last : float
        Last level of the equity.
    low_tail : float
        Quantile of the returns at 5 %.
    is_recovered : bool
        Whether the equity reached the high before its largest fall again.
    is_dated : bool
        Whether the values have dates.
    n_common : int
        Number of returns of benchmark and equity over the same periods; −1 without a benchmark.
    is_benchmark_constant, is_active_constant : bool
        Whether the benchmark's returns are all the same, and whether the differences from them are.
    n_up, n_down : int
        Number of periods in which the benchmark rose, and in which it fell.
    n_trips, n_wins, n_losses : int
        Number of round trips, of those with a gain and of those with a loss; −1 without trades.
    given : frozenset of str
        Names of the figures that were given: exposure, turnover, costs.
    """

    n_values: int
    n_returns: int
    is_constant: bool
    has_loss: bool
    has_shortfall: bool
    has_fall: bool
    last: float
    low_tail: float
    is_recovered: bool
    is_dated: bool
    n_common: int
    is_benchmark_constant: bool
    is_active_constant: bool
    n_up: int
    n_down: int
    n_trips: int
    n_wins: int
    n_losses: int
    given: frozenset[str]


NEEDS: dict[str, tuple[Callable[[Facts], bool], str]] = {
    "values": (lambda f: f.n_values > 0, "there are no values"),
    "returns": (lambda f: f.n_returns > 0, "there is one value only, so there is no return"),
    "two": (lambda f: f.n_returns >= _TWO, "there is one return only; it needs at least two"),
    "three": (lambda f: f.n_returns >= _THREE, "there are fewer than three returns"),
    "spread": (lambda f: not f.is_constant, "all returns are the same: the volatility is 0"),
    "loss": (lambda f: f.has_loss, "no return is below 0: there is no loss to divide by"),
    "shortfall": (
        lambda f: f.has_shortfall,
        "no return is below the risk-free rate: there is no downside to divide by",
    ),
    "fall": (lambda f: f.has_fall, "the equity is never below an earlier high: there is no drawdown to divide by"),
    "drawdown": (lambda f: f.has_fall, "the equity is never below an earlier high"),
    "recovery": (lambda f: f.is_recovered, "the high before the largest fall has not been reached again"),
    "tail": (lambda f: f.low_tail != 0.0, "the 5% quantile of the returns is 0"),
    "solvent": (lambda f: f.last >= 0.0, "the equity ends below 0, which no rate of growth reaches"),
    "dates": (lambda f: f.is_dated, "the values have no dates"),
    "benchmark": (lambda f: f.n_common >= 0, "no benchmark was given"),
    "common": (lambda f: f.n_common >= _TWO, "fewer than two returns have common dates with the benchmark's"),
    "fit": (lambda f: f.n_common >= _THREE, "fewer than three returns have common dates with the benchmark's"),
    "benchmark_spread": (lambda f: not f.is_benchmark_constant, "all returns of the benchmark are the same"),
    "active_spread": (lambda f: not f.is_active_constant, "all returns differ from the benchmark's by the same"),
    "up": (lambda f: f.n_up > 0, "the benchmark never rose"),
    "down": (lambda f: f.n_down > 0, "the benchmark never fell"),
    "trades": (lambda f: f.n_trips >= 0, "no trades were given"),
    "trips": (lambda f: f.n_trips > 0, "no round trip is complete"),
    "wins": (lambda f: f.n_wins > 0, "no round trip has a gain"),
    "losing": (lambda f: f.n_losses > 0, "no round trip has a loss"),
    "exposure": (lambda f: "exposure" in f.given, "no exposure was given"),
    "turnover": (lambda f: "turnover" in f.given, "no turnover was given"),
    "costs": (lambda f: "costs" in f.given, "no costs were given"),
}
"""Whether a series meets a need, and the reason if it does not."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the tearsheet.

    Parameters
    ----------
    name : str
        Key in the sheet.
    group : str
        Heading under which it is shown.
    unit : str
        Kind of figure: share, ratio, money, count, days or date.
    convention : str
        Definition in words, with the places ``{p}``, ``{period}`` and ``{rf}``.
    needs : tuple of str
        Keys of :data:`NEEDS`, in the order in which they are checked.
    """

    name: str
    group: str
    unit: str
    convention: str
    needs: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name as people read it."""
        special = {"var": "VaR", "cvar": "CVaR", "dd": "drawdown", "vol": "volatility", "cagr": "CAGR"}
        words = self.name.removeprefix("n_").removesuffix("_days" if self.unit == "days" else "").split("_")
        said = " ".join(special.get(word, word) for word in words)
        return said[0].upper() + said[1:]


_RETURNS = ("values", "returns")
_TWO_RETURNS = (*_RETURNS, "two")
_COMMON = ("benchmark", "common")
_TRIPS = ("trades", "trips")

METRICS: tuple[Metric, ...] = (
    Metric("total_return", "Return", "share", "last equity / initial capital − 1", _RETURNS),
    Metric(
        "annualized_return",
        "Return",
        "share",
        "compound growth: (last / initial)^({p} / periods) − 1",
        (*_RETURNS, "solvent"),
    ),
    Metric(
        "calendar_cagr",
        "Return",
        "share",
        "the same by the calendar: (last / initial)^(365.25 / days from first to last date) − 1",
        ("dates", *_RETURNS, "solvent"),
    ),
    Metric("best_day", "Return", "share", "largest return of one {day}", _RETURNS),
    Metric("worst_day", "Return", "share", "smallest return of one {day}", _RETURNS),
    Metric(
        "best_month", "Return", "share", "largest of a calendar month, first and last included", ("dates", *_RETURNS)
    ),
    Metric("worst_month", "Return", "share", "smallest of a calendar month, likewise", ("dates", *_RETURNS)),
    Metric("best_year", "Return", "share", "largest of a calendar year, first and last included", ("dates", *_RETURNS)),
    Metric("worst_year", "Return", "share", "smallest of a calendar year, likewise", ("dates", *_RETURNS)),
    Metric("win_rate", "Return", "share", "{period}s with a return above 0 / all {period}s", _RETURNS),
    Metric("annualized_vol", "Risk", "share", "standard deviation of returns (ddof 1) · √{p}", _TWO_RETURNS),
    Metric("max_drawdown", "Risk", "share", "largest fall from an earlier high, at most 0", ("values",)),
    Metric("max_dd_peak", "Risk", "date", "last time at the high before that fall", ("values", "drawdown")),
    Metric("max_dd_trough", "Risk", "date", "time of its lowest equity", ("values", "drawdown")),
    Metric("max_dd_recovery", "Risk", "date", "first time at that high again", ("values", "drawdown", "recovery")),
    Metric(
        "max_dd_duration_days",
        "Risk",
        "days",
        "longest time from a high to its recovery or the end, {span}",
        ("values",),
    ),
    Metric("max_underwater_periods", "Risk", "count", "most values in a row below an earlier high", ("values",)),
    Metric("current_drawdown", "Risk", "share", "last equity / highest equity − 1", ("values",)),
    Metric("ulcer_index", "Risk", "share", "root of the mean squared drawdown, all values", ("values",)),
    Metric("var_95", "Risk", "share", "loss of one {period} at 95%, historical quantile, a loss is positive", _RETURNS),
    Metric("var_99", "Risk", "share", "the same at 99%", _RETURNS),
    Metric("cvar_95", "Risk", "share", "mean of the losses of one {period} not below VaR 95, historical", _RETURNS),
    Metric("cvar_99", "Risk", "share", "the same of VaR 99", _RETURNS),
    Metric("skew", "Risk", "ratio", "third moment of returns / σ³ (ddof 0)", (*_TWO_RETURNS, "spread")),
    Metric(
        "kurtosis",
        "Risk",
        "ratio",
        "fourth moment / σ⁴ (ddof 0), 3 for a normal distribution",
        (*_TWO_RETURNS, "spread"),
    ),
    Metric(
        "sharpe_ratio",
        "Ratios",
        "ratio",
        "mean(r − rf/{p}) / std(r − rf/{p}, ddof 1) · √{p}, rf {rf} a year",
        (*_TWO_RETURNS, "spread"),
    ),
    Metric(
        "sharpe_error",
        "Ratios",
        "ratio",
        "standard error of that ratio, with skew and kurtosis, without autocorrelation · √{p}",
        (*_TWO_RETURNS, "spread"),
    ),
    Metric(
        "sharpe_probability",
        "Ratios",
        "share",
        "probability that the true ratio is above 0, of one trial; a search has less",
        (*_TWO_RETURNS, "spread"),
    ),
    Metric(
        "sharpe_autocorrelated",
        "Ratios",
        "ratio",
        "Sharpe ratio with Lo's factor for the first autocorrelation in place of √{p}",
        (*_TWO_RETURNS, "three", "spread"),
    ),
    Metric(
        "sortino_ratio",
        "Ratios",
        "ratio",
        "mean(r − rf/{p}) / √mean(min(r − rf/{p}, 0)²) over all {period}s · √{p}, rf {rf} a year",
        (*_RETURNS, "shortfall"),
    ),
    Metric("calmar_ratio", "Ratios", "ratio", "annualised return / |maximum drawdown|", (*_RETURNS, "solvent", "fall")),
    Metric(
        "omega",
        "Ratios",
        "ratio",
        "sum of returns above rf/{p} / sum of those below, in size",
        (*_RETURNS, "shortfall"),
    ),
    Metric("recovery_factor", "Ratios", "ratio", "total return / |maximum drawdown|", (*_RETURNS, "fall")),
    Metric(
        "profit_factor", "Ratios", "ratio", "sum of returns above 0 / sum of those below, in size", (*_RETURNS, "loss")
    ),
    Metric("tail_ratio", "Ratios", "ratio", "|95% quantile of returns| / |5% quantile|", (*_RETURNS, "tail")),
    Metric("n_trades", "Trades", "count", "round trips that are complete", ("trades",)),
    Metric("avg_trade", "Trades", "money", "mean gain of a round trip, after fees", _TRIPS),
    Metric("hit_rate", "Trades", "share", "round trips with a gain / all", _TRIPS),
    Metric("payoff", "Trades", "ratio", "mean gain / size of the mean loss", (*_TRIPS, "wins", "losing")),
    Metric("trade_profit_factor", "Trades", "ratio", "sum of gains / size of the sum of losses", (*_TRIPS, "losing")),
    Metric(
        "exposure",
        "Trades",
        "share",
        "positions' value / equity: a number as given, a series as its mean",
        ("exposure",),
    ),
    Metric(
        "turnover",
        "Trades",
        "ratio",
        "value traded / equity: a number as given, a series as its mean · {p}",
        ("turnover",),
    ),
    Metric("costs", "Trades", "money", "sum of the costs given", ("costs",)),
    Metric("cost_share", "Trades", "share", "costs / initial capital", ("costs", "values")),
    Metric(
        "alpha",
        "Benchmark",
        "share",
        "intercept of r − rf/{pb} on b − rf/{pb}, least squares, · {pb}",
        ("benchmark", "fit", "benchmark_spread"),
    ),
    Metric("beta", "Benchmark", "ratio", "slope of that regression", ("benchmark", "fit", "benchmark_spread")),
    Metric(
        "correlation",
        "Benchmark",
        "ratio",
        "correlation of returns on common dates",
        (*_COMMON, "spread", "benchmark_spread"),
    ),
    Metric("tracking_error", "Benchmark", "share", "standard deviation of r − b (ddof 1) · √{pb}", _COMMON),
    Metric(
        "information_ratio",
        "Benchmark",
        "ratio",
        "mean(r − b) / std(r − b, ddof 1) · √{pb}",
        (*_COMMON, "active_spread"),
    ),
    Metric("up_capture", "Benchmark", "ratio", "geometric mean of r where b > 0 / that of b", (*_COMMON, "up")),
    Metric("down_capture", "Benchmark", "ratio", "geometric mean of r where b < 0 / that of b", (*_COMMON, "down")),
    Metric("benchmark_return", "Benchmark", "share", "compound growth of the benchmark a year, common dates", _COMMON),
    Metric("n_trading_days", "Size", "count", "values given, one a {period}"),
    Metric("initial_capital", "Size", "money", "{capital}", ("values",)),
    Metric("final_value", "Size", "money", "last value", ("values",)),
)
"""All metrics, in the order in which they are shown."""

ALIASES: dict[str, str] = {
    "sharpe": "sharpe_ratio",
    "sortino": "sortino_ratio",
    "calmar": "calmar_ratio",
    "max_dd": "max_drawdown",
    "cagr": "annualized_return",
}
"""Short names and the metrics that they stand for."""
