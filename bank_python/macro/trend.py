r"""The trend of a price: slope, momentum, moving averages, and whether it is more than chance.

**Slope.** The regression of log prices on time, with the standard error of Newey and West (Bartlett weights up to a lag
of :math:`4 (n/100)^{2/9}`), gives a t-statistic. A random walk without drift often has a large one, as its deviations
from any line last (Durlauf and Phillips). So the verdict does not compare t with 2: its p-value is the share of random
walks, made from the asset's own returns less their mean, whose t-statistic is at least as large.

**Momentum.** The return over the twelve months that end one month ago (Jegadeesh and Titman).

**Moving averages.** The mean price of the last 50 observations against that of the last 200.

References
----------
W. K. Newey and K. D. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
covariance matrix", Econometrica 55 (1987), 703-708.

S. N. Durlauf and P. C. B. Phillips, "Trends versus random walks in time series analysis", Econometrica 56 (1988),
1333-1354.

N. Jegadeesh and S. Titman, "Returns to buying winners and selling losers", Journal of Finance 48 (1993), 65-91.

T. J. Moskowitz, Y. H. Ooi and L. H. Pedersen, "Time series momentum", Journal of Financial Economics 104 (2012),
228-250.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.macro.frequency import Frequency
from bank_python.macro.months import months_before
from bank_python.macro.panel import any_simulated, as_moments, dated_series
from bank_python.macro.trend_break import DriftBreak, drift_break_test
from bank_python.numerics.tolerances import EPSILON
from bank_python.plotting import Plotted, legend_beside, literal, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["Trend", "TrendBoard", "newey_west_slope", "price_trend", "trend_board"]

_FEWEST = 30
_SIGNIFICANCE = 0.05
_SHORT, _LONG = 50, 200
_YEAR, _MONTH = 12, 1
_TOLERANCE = 10  # days between a date wanted and the nearest one before it
_ROUNDED = 16.0 * EPSILON
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trend(Plotted, Tabular):
    """The trend of one price; returned by :func:`price_trend`.

    Parameters
    ----------
    name : str
        Name of the asset.
    dates : tuple of date or datetime, length n
        Dates of the window.
    prices : ndarray, shape (n,)
        Prices of the window.
    slope : float
        Slope of the log price per year, as a decimal, continuously compounded.
    t_statistic : float
        Slope over its Newey-West standard error.
    lags : int
        Largest lag of the standard error.
    p_value : float
        Share of random walks of the asset's own returns, without drift, with a t-statistic at least as large in size.
    average_short, average_long : float, optional
        Means of the last 50 and of the last 200 prices; None if there are fewer.
    momentum : float, optional
        Return over the twelve months that end one month ago; None if the history is too short.
    drift_break : DriftBreak
        Test of a change in the drift within the window.
    break_date : datetime.date
        Last date before the most likely change of the drift.
    frequency : Frequency
        Frequency of the prices.
    per_year : float
        Number of observations in a year, from the dates.
    is_simulated : bool, default False
        Whether the prices are simulated, not observed.
    """

    name: str
    dates: tuple[dt.date, ...]
    prices: FloatArray
    slope: float
    t_statistic: float
    lags: int
    p_value: float
    average_short: float | None
    average_long: float | None
    momentum: float | None
    drift_break: DriftBreak
    break_date: dt.date
    frequency: Frequency
    per_year: float
    is_simulated: bool = False

    @property
    def direction(self) -> str:
        """``"up"`` or ``"down"`` if the slope is significant at 5 % against random walks, else ``"no trend"``."""
        if self.p_value >= _SIGNIFICANCE:
            return "no trend"
        return "up" if self.slope > 0.0 else "down"

    @property
    def verdict(self) -> str:
        """The direction with the t-statistic and its p-value against random walks, in words."""
        return f"{self.direction}, t = {self.t_statistic:.1f}, p = {self.p_value:.3f}"

    @property
    def averages(self) -> str:
        """The order of the two moving averages, in words."""
        if self.average_short is None or self.average_long is None:
            return f"fewer than {_LONG} prices"
        if self.average_short == self.average_long:
            return f"{_SHORT} equal to {_LONG}"
        return f"{_SHORT} above {_LONG}" if self.average_short > self.average_long else f"{_SHORT} below {_LONG}"

    @property
    def has_break(self) -> bool:
        """Whether the drift changed within the window, at a significance of 5 %."""
        return self.drift_break.p_value < _SIGNIFICANCE

    def line(self) -> FloatArray:
        """Return the fitted trend line in prices, shape (n,)."""
        logs = np.log(self.prices)
        time = np.arange(len(logs)) - 0.5 * (len(logs) - 1)
        return np.asarray(np.exp(logs.mean() + self.slope / self.per_year * time))

    def to_table(self) -> Table:
        """Return a table of one row with all figures."""
        from bank_python.mntable import Table

        return Table.from_rows(_SCHEMA, [_row(self)])

    def _draw_(self, axes: Axes) -> None:
        """Draw the prices of the window and the trend line, and the date of a change of drift."""
        x = places(self.dates)
        axes.plot(x, self.prices, linestyle="-", label="price")
        axes.plot(x, self.line(), linestyle="--", label=f"trend {self.slope:+.1%} a year")
        if self.has_break:
            axes.axvline(places([self.break_date])[0], color="black", linestyle=":", label="change of drift")
        label_dates(axes.xaxis)
        simulated = ", simulated" if self.is_simulated else ""
        axes.set(title=literal(f"{self.name}{simulated}: {self.verdict}"), ylabel="price")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_macro import trend_view

        return trend_view(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrendBoard(Tabular):
    """The trends of several prices; returned by :func:`trend_board`.

    Parameters
    ----------
    trends : tuple of Trend
        One trend for each price.
    """

    trends: tuple[Trend, ...]

    def __len__(self) -> int:
        return len(self.trends)

    def __iter__(self) -> Iterator[str]:
        return (trend.name for trend in self.trends)

    def __getitem__(self, name: str) -> Trend:
        found = next((trend for trend in self.trends if trend.name == name), None)
        if found is None:
            names = ", ".join(trend.name for trend in self.trends)
            raise MacroError(f"there is no trend of {name!r}; there are {names}", name=name)
        return found

    def to_table(self) -> Table:
        """Return a table with a row for each price."""
        from bank_python.mntable import Table

        return Table.from_rows(_SCHEMA, [_row(trend) for trend in self.trends])

    def __rich__(self) -> object:
        from bank_python.render_macro import trend_board_view

        return trend_board_view(self)


@admits(MacroError)
def price_trend(prices: Any, window: int = 252, *, name: str | None = None, walks: int = 999, seed: int = 0) -> Trend:
    """Return the trend of one price.

    Parameters
    ----------
    prices : Series, MacroSeries, PriceHistory, mapping, or sequence of (date, price) pairs
        Prices above 0 with ascending dates; missing ones are left out.
    window : int, default 252
        Number of the last prices that the slope and the test of a change are taken over, at least 30; fewer if there
        are fewer.
    name : str, optional
        Name of the asset; by default that of the series.
    walks : int, default 999
        Number of random walks, and of permutations in the test of a change, at least 1.
    seed : int, default 0
        Seed of the random walks and permutations, at least 0.

    Raises
    ------
    MacroError
        There are fewer than thirty prices, one is not above 0, they do not vary, or a parameter is out of range.
    """
    if window < _FEWEST or walks < 1 or seed < 0:
        raise MacroError(
            f"window={window!r}, walks={walks!r}, seed={seed!r}; give a window of at least {_FEWEST}, at least one "
            "walk and a seed of 0 or more"
        )
    name = _name_of(prices) if name is None else name
    dates, values = dated_series({name: prices})[name]
    _require_prices(name, dates, values)
    days, levels = dates[-window:], values[-window:]
    logs = np.log(levels)
    steps = np.diff(logs)
    if float(np.ptp(steps)) <= _ROUNDED * float(np.abs(logs).max()):
        raise MacroError(
            f"{name} does not vary about a straight line, so its trend has no error; give real prices", name=name
        )
    slope, error, lags = newey_west_slope(logs)
    found = drift_break_test(steps, permutations=walks, seed=seed)
    years = float((days[-1] - days[0]) / np.timedelta64(1, "D")) / _DAYS_PER_YEAR
    per_year = (len(days) - 1) / years
    moments = as_moments(days)
    levels = levels.copy()
    levels.setflags(write=False)
    return Trend(
        name=name,
        dates=tuple(moments),
        prices=levels,
        slope=slope * per_year,
        t_statistic=slope / error,
        lags=lags,
        p_value=_chance(steps, slope / error, walks, seed),
        average_short=_average(values, _SHORT),
        average_long=_average(values, _LONG),
        momentum=_momentum(dates, values),
        drift_break=found,
        break_date=moments[found.last_before + 1],
        frequency=Frequency.of(dates),
        per_year=per_year,
        is_simulated=any_simulated(prices),
    )


@admits(MacroError)
def trend_board(prices: Any, window: int = 252, *, walks: int = 999, seed: int = 0) -> TrendBoard:
    """Return the trends of several prices, each over its own dates.

    Parameters
    ----------
    prices : DataFrame, mapping, PriceHistoryTable, PricePanel or MacroHistory
        Prices above 0 with ascending dates, by name.
    window : int, default 252
        Number of the last prices of each that are used, at least 30.
    walks : int, default 999
        Number of random walks for each, at least 1.
    seed : int, default 0
        Seed of the random walks, at least 0.

    Raises
    ------
    MacroError
        There are no prices, or one of them has no trend as in :func:`price_trend`.
    """
    series = dated_series(prices)
    if not series:
        raise MacroError("there are no prices; give at least one series with dates")
    simulated = any_simulated(prices)
    made = [
        price_trend(list(zip(dates.tolist(), values.tolist(), strict=True)), window, name=name, walks=walks, seed=seed)
        for name, (dates, values) in series.items()
    ]
    return TrendBoard(tuple(replace(trend, is_simulated=simulated) for trend in made))


def newey_west_slope(values: FloatArray, lags: int | None = None) -> tuple[float, float, int]:
    """Return the slope of a series on time per observation, its Newey-West standard error and the largest lag.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Series, oldest first.
    lags : int, optional
        Largest lag with a weight above 0; the integer part of ``4 (n / 100)^(2/9)`` by default.
    """
    most = math.floor(4.0 * (len(values) / 100.0) ** (2.0 / 9.0)) if lags is None else lags
    slopes, errors = _slopes(values[None, :], most)
    return float(slopes[0]), float(errors[0]), most


def _slopes(rows: FloatArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """Return slopes on time and their standard errors, one for each row."""
    n = rows.shape[1]
    time = np.arange(n) - 0.5 * (n - 1)
    square = float(time @ time)
    centred = rows - rows.mean(axis=1, keepdims=True)
    slopes = centred @ time / square
    scores = (centred - slopes[:, None] * time) * time
    total = (scores**2).sum(axis=1)
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * (scores[:, lag:] * scores[:, :-lag]).sum(axis=1)
    return slopes, np.sqrt(total) / square


def _chance(steps: FloatArray, statistic: float, walks: int, seed: int) -> float:
    """Return the share of random walks without drift that have a slope with at least such a t-statistic."""
    rng = np.random.default_rng(seed)
    centred = steps - steps.mean()
    n = len(steps) + 1
    lags = math.floor(4.0 * (n / 100.0) ** (2.0 / 9.0))
    batch = max(2_000_000 // n, 1)
    beyond = 0
    for start in range(0, walks, batch):
        count = min(batch, walks - start)
        paths = np.zeros((count, n))
        np.cumsum(centred[rng.integers(0, len(steps), (count, len(steps)))], axis=1, out=paths[:, 1:])
        slopes, errors = _slopes(paths, lags)
        beyond += int((np.abs(slopes) >= abs(statistic) * errors).sum())
    return (1.0 + beyond) / (1.0 + walks)


def _average(values: FloatArray, count: int) -> float | None:
    return float(values[-count:].mean()) if len(values) >= count else None


def _momentum(dates: NDArray[Any], values: FloatArray) -> float | None:
    """Return the return from twelve months ago to one month ago, None without prices near both dates."""
    days = dates.astype("datetime64[D]")
    found = []
    for months in (_YEAR, _MONTH):
        wanted = months_before(days[-1:], months)[0]
        at = int(np.searchsorted(days, wanted, side="right")) - 1
        if at < 0 or wanted - days[at] > np.timedelta64(_TOLERANCE, "D"):
            return None
        found.append(float(values[at]))
    return found[1] / found[0] - 1.0


def _name_of(prices: Any) -> str:
    found = getattr(prices, "name", None) or getattr(prices, "symbol", None)
    return found if isinstance(found, str) else "price"


def _require_prices(name: str, dates: NDArray[Any], values: FloatArray) -> None:
    if len(values) < _FEWEST:
        raise MacroError(f"{name} has {len(values)} prices; give at least {_FEWEST}", name=name, value=len(values))
    bad: Sequence[int] = np.flatnonzero(values <= 0.0).tolist()
    if bad:
        day = as_moments(dates[bad[0] : bad[0] + 1])[0]
        raise MacroError(f"{name} is {values[bad[0]]:g} on {day}, not above 0; give prices", name=name)


_SCHEMA: list[tuple[str, Any]] = [
    ("name", str),
    ("date", dt.date),
    ("price", float),
    *((column, float) for column in ("slope", "t_statistic", "p_value")),
    *((column, float | None) for column in ("average_short", "average_long", "momentum")),
    ("verdict", str),
    ("break_date", dt.date),
    *((column, float) for column in ("break_statistic", "break_p_value")),
    ("is_simulated", bool),
]


def _row(trend: Trend) -> dict[str, Any]:
    days = [
        moment.date() if isinstance(moment, dt.datetime) else moment for moment in (trend.dates[-1], trend.break_date)
    ]
    cells = (
        *(trend.name, days[0], float(trend.prices[-1]), trend.slope, trend.t_statistic, trend.p_value),
        *(trend.average_short, trend.average_long, trend.momentum, trend.verdict, days[1]),
        *(trend.drift_break.statistic, trend.drift_break.p_value, trend.is_simulated),
    )
    return dict(zip([name for name, _ in _SCHEMA], cells, strict=True))
