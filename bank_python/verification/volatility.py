"""Values of volatilities from bars, and of indicators of prices."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from bank_python.risk_models import (
    atr,
    garman_klass_volatility,
    parkinson_volatility,
    rogers_satchell_volatility,
    rsi,
)
from bank_python.risk_models.heston_process import HestonProcess
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.numerics import FloatArray
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "volatility"

_KLASS = Source(
    "M. B. Garman and M. J. Klass", 1980, "On the estimation of security price volatilities, J. of Business 53"
)
_SATCHELL = Source(
    "L. C. G. Rogers and S. E. Satchell",
    1991,
    "Estimating variance from high, low and closing prices, Annals of Applied Probability 1",
)
_PARKINSON = Source(
    "M. Parkinson", 1980, "The extreme value method for estimating the variance of returns, J. of Business 53"
)
_HESTON = Source(
    "S. L. Heston", 1993, "A closed-form solution for options with stochastic volatility, Review of Financial Studies 6"
)
_RANGE_SHEET = Source("StockCharts", None, "ChartSchool, Average True Range (ATR), sheet of 14 bars")
_INDEX_SHEET = Source("StockCharts", None, "ChartSchool, Relative Strength Index (RSI), the sheet of QQQQ")

_HIGH = (
    *(48.7, 48.72, 48.9, 48.87, 48.82, 49.05, 49.2, 49.35, 49.92, 50.19, 50.12, 49.66, 49.88, 50.19, 50.36, 50.57),
    *(50.65, 50.43, 49.63, 50.33, 50.29, 50.17, 49.32, 48.5, 48.32, 46.8, 47.8, 48.39, 48.66, 48.79),
)
_LOW = (
    *(47.79, 48.14, 48.39, 48.37, 48.24, 48.64, 48.94, 48.86, 49.5, 49.87, 49.2, 48.9, 49.43, 49.73, 49.26, 50.09),
    *(50.3, 49.21, 48.98, 49.61, 49.2, 49.43, 48.08, 47.64, 41.55, 44.28, 47.31, 47.2, 47.9, 47.73),
)
_CLOSE = (
    *(48.16, 48.61, 48.75, 48.63, 48.74, 49.03, 49.07, 49.32, 49.91, 50.13, 49.53, 49.5, 49.75, 50.03, 50.31, 50.52),
    *(50.41, 49.34, 49.37, 50.23, 49.24, 49.93, 48.43, 48.18, 46.57, 45.41, 47.77, 47.72, 48.62, 47.85),
)
_RANGES = (
    *("0.554286", "0.593265", "0.585175", "0.568377", "0.614921", "0.617427", "0.641896", "0.673904", "0.692196"),
    *("0.774897", "0.780975", "1.208763", "1.302423", "1.380107", "1.366528", "1.336061", "1.316343"),
)
_QQQQ = (
    *(44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328),
    *(45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515),
    *(45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314),
)
_INDICES = (
    *("70.53", "66.32", "66.55", "69.41", "66.36", "57.97", "62.93", "63.26", "56.06", "62.38", "54.71", "50.42"),
    *("39.99", "41.46", "41.87", "45.46", "37.30", "33.08", "37.77"),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _bars()
    yield from _sheets()


def _bars() -> Iterator[PublishedValue]:
    said = "variance of one bar: open 100, high 103, low 98, close 101"
    rows = (
        (_KLASS, "garman-klass", garman_klass_volatility, "0.00119985726592"),
        (_SATCHELL, "rogers-satchell", rogers_satchell_volatility, "0.00118877593292"),
    )
    for source, key, estimate, printed in rows:
        cited = Cited(TOPIC, source, Provenance.COMPUTED)
        yield cited.value(key, said, printed, partial(_of_one_bar, estimate))
    parkinson = Cited(TOPIC, _PARKINSON, Provenance.COMPUTED, "ln²(high/low)/(4 ln 2)")
    compute = partial(_squared, partial(parkinson_volatility, [103.0], [98.0], periods_per_year=1))
    yield parkinson.value("parkinson", said, "0.000893103190435", compute)
    heston = Cited(TOPIC, _HESTON, Provenance.COMPUTED, "closed form")
    process = HestonProcess(v0=0.04, kappa=1.5, theta=0.09, sigma=0.4, rho=0.0)
    what = "mean variance over two years, v0 0.04, κ 1.5, θ 0.09"
    yield heston.value("heston-mean-variance", what, "0.0741631178061", partial(process.expected_variance, 2.0))


def _of_one_bar(estimate: Callable[..., object]) -> float:
    return _squared(partial(estimate, [100.0], [103.0], [98.0], [101.0], periods_per_year=1))


def _squared(volatility: Callable[[], object]) -> float:
    return float(volatility()) ** 2  # type: ignore[arg-type]  # one window, one figure


def _sheets() -> Iterator[PublishedValue]:
    ranges = Cited(TOPIC, _RANGE_SHEET, Provenance.QUOTED)
    average = cache(partial(atr, _HIGH, _LOW, _CLOSE, n=14))
    for bar, printed in enumerate(_RANGES, start=13):
        what = f"average true range of bar {bar + 1}"
        yield ranges.value(f"atr-{bar + 1}", what, printed, partial(_at, average, bar))
    indices = Cited(TOPIC, _INDEX_SHEET, Provenance.QUOTED)
    strength = cache(partial(rsi, _QQQQ))
    for day, printed in enumerate(_INDICES, start=14):
        what = f"relative strength index of day {day + 1}"
        yield indices.value(f"rsi-{day + 1}", what, printed, partial(_at, strength, day))


def _at(series: Callable[[], FloatArray], i: int) -> float:
    return float(series()[i])
