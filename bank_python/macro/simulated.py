"""Simulated macroeconomic series, seeded and consistent, for use without data.

A hidden regime (expansion or stress, a Markov chain by business day) drives a common stress factor that reverts to
the regime's mean. The VIX, both credit spreads and the two conditions indices follow that factor with noise of their
own, so that they are correlated as they are in fact; the policy rate is cut in stress and raised in expansion.
Identities hold exactly: the ten-year yield is the real yield plus breakeven inflation, and the slope is the ten-year
less the two-year yield. The figures are invented: they are marked as simulated wherever they go.

Examples
--------
>>> history = simulate_macro(years=3, seed=7)
>>> history.is_simulated, history["VIXCLS"].frequency.value, history["CPIAUCSL"].frequency.value
(True, 'daily', 'monthly')
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.macro.history import MacroHistory, MacroSeries
from bank_python.numerics.dates import as_date

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["simulate_macro"]

_MOST_YEARS = 100
_END = dt.date(2026, 6, 30)
_FRIDAY = 4
_ENTER, _LEAVE = 1.0 / 1000.0, 1.0 / 120.0  # chances a day to enter and to leave the stress regime
_CALM, _TENSE = -0.2, 2.6  # means of the stress factor in the two regimes
_MONTHS_LATE = 1  # a month's figure is published in the next month


@admits(MacroError)
def simulate_macro(*, years: int = 15, seed: int = 7, end: dt.date | str = _END) -> MacroHistory:
    """Return simulated macroeconomic series.

    Parameters
    ----------
    years : int, default 15
        Length in years, from 1 to 100.
    seed : int, default 7
        Seed of the random numbers, at least 0.
    end : datetime.date or str, default 2026-06-30
        Last date; text is an ISO date.

    Returns
    -------
    MacroHistory
        Daily yields, rates, spreads, volatility indices and dollar, weekly conditions, monthly prices, money,
        production and unemployment under the names of FRED, all marked as simulated.

    Raises
    ------
    MacroError
        `years` or `seed` is out of range, or `end` is not a date after 1900.
    """
    last = as_date(end, MacroError, "end")
    if not 1 <= years <= _MOST_YEARS or seed < 0 or last.year <= years + 1900:
        raise MacroError(
            f"years={years!r}, seed={seed!r}, end={last}; give 1 to {_MOST_YEARS} years after 1900, a seed of 0 or more"
        )
    rng = np.random.default_rng(seed)
    start = np.datetime64(last) - np.timedelta64(round(365.25 * years), "D")
    days = np.arange(start, np.datetime64(last) + np.timedelta64(1, "D"))
    days = days[np.is_busday(days)]
    stress = _stress(rng, len(days))
    daily = _daily(rng, stress)
    made = [
        _series(name, days, np.round(values, 4 if name == "DTWEXBGS" else 2), seed) for name, values in daily.items()
    ]
    fridays = (days.astype("datetime64[D]").view("int64") + 3) % 7 == _FRIDAY
    for name, values in _weekly(rng, stress[fridays]).items():
        made.append(_series(name, days[fridays], np.round(values, 5), seed))
    months, at = np.unique(days.astype("datetime64[M]"), return_index=True)
    complete = slice(0, len(months) - _MONTHS_LATE)
    for name, values in _monthly(rng, stress[at], daily["DFF"][at]).items():
        made.append(_series(name, months[complete].astype("datetime64[D]"), np.round(values[complete], 3), seed))
    return MacroHistory(tuple(made), last, remarks=(f"simulated, seed {seed}: invented figures, no data",))


def _series(name: str, days: NDArray[Any], values: FloatArray, seed: int) -> MacroSeries:
    return MacroSeries.of(name, days, values, source=f"simulated (seed {seed})", is_simulated=True)


def _reverting(rng: np.random.Generator, mean: FloatArray, start: float, speed: float, spread: float) -> FloatArray:
    """Return a path that reverts to a mean, with normal steps."""
    steps = spread * rng.standard_normal(len(mean))
    path = np.empty(len(mean))
    at = start
    for t, (target, step) in enumerate(zip(mean.tolist(), steps.tolist(), strict=True)):
        at += speed * (target - at) + step
        path[t] = at
    return path


def _stress(rng: np.random.Generator, count: int) -> FloatArray:
    """Return the common stress factor by day: about 0 in calm times, 2 and more in a crisis."""
    draws = rng.random(count)
    tense = False
    target = np.empty(count)
    for t, draw in enumerate(draws.tolist()):
        tense = draw >= _LEAVE if tense else draw < _ENTER
        target[t] = _TENSE if tense else _CALM
    return _reverting(rng, target, 0.0, 0.04, 0.11)


def _daily(rng: np.random.Generator, stress: FloatArray) -> dict[str, FloatArray]:
    count = len(stress)
    vix = np.exp(2.82 + 0.28 * stress + _reverting(rng, np.zeros(count), 0.0, 0.08, 0.04))
    ahead = np.exp(0.72 * np.log(vix) + 0.28 * np.log(22.0) + _reverting(rng, np.zeros(count), 0.0, 0.1, 0.01))
    wide = 3.9 * np.exp(0.3 * stress + _reverting(rng, np.zeros(count), 0.0, 0.01, 0.012))
    policy = np.maximum(_reverting(rng, 3.2 - 1.1 * stress, 2.0, 0.003, 0.004), 0.05)
    policy = np.round(np.round(policy * 4.0) / 4.0 + 0.08, 2)
    breakeven = np.round(np.maximum(2.2 - 0.18 * stress + _reverting(rng, np.zeros(count), 0.0, 0.01, 0.025), 0.5), 2)
    real = np.round(0.35 * policy + _reverting(rng, np.full(count, 0.1), 0.1, 0.004, 0.035), 2)
    ten = np.maximum(real + breakeven, 0.5)
    real = ten - breakeven
    two = np.maximum(np.round(policy + _reverting(rng, 0.25 - 0.2 * stress, 0.2, 0.015, 0.035), 2), 0.12)
    dollar = 112.0 * np.exp(0.02 * stress + np.cumsum(0.0028 * rng.standard_normal(count)) * 0.6)
    return {
        "DGS2": two,
        "DGS10": ten,
        "T10Y2Y": ten - two,
        "DFII10": real,
        "T10YIE": breakeven,
        "DFF": policy,
        "BAMLH0A0HYM2": wide,
        "BAMLC0A0CM": 0.28 * wide * np.exp(_reverting(rng, np.zeros(count), 0.0, 0.03, 0.008)),
        "VIXCLS": vix,
        "VXVCLS": ahead,
        "DTWEXBGS": dollar,
    }


def _weekly(rng: np.random.Generator, stress: FloatArray) -> dict[str, FloatArray]:
    own = [_reverting(rng, np.zeros(len(stress)), 0.0, 0.1, 0.04) for _ in range(3)]
    return {
        "NFCI": -0.5 + 0.42 * stress + own[0],
        "ANFCI": -0.45 + 0.45 * stress + own[1],
        "STLFSI4": -0.4 + 0.6 * stress + own[2],
    }


def _monthly(rng: np.random.Generator, stress: FloatArray, policy: FloatArray) -> dict[str, FloatArray]:
    count = len(stress)
    inflation = _reverting(rng, 2.5 - 0.8 * stress, 2.5, 0.12, 0.3)
    growth = _reverting(rng, 2.2 - 2.2 * stress, 2.0, 0.25, 0.5)
    jobless = np.clip(_reverting(rng, 4.3 + 0.9 * stress, 4.3, 0.1, 0.08), 2.0, 20.0)
    return {
        "FEDFUNDS": policy,
        "CPIAUCSL": _index(235.0, inflation + 0.9 * rng.standard_normal(count)),
        "PCEPI": _index(98.0, 0.85 * inflation + 0.6 * rng.standard_normal(count)),
        "M2SL": _index(12_000.0, 5.5 + 1.5 * stress + rng.standard_normal(count)),
        "INDPRO": _index(100.0, growth + 3.0 * rng.standard_normal(count)),
        "UNRATE": np.round(jobless, 1),
    }


def _index(level: float, rates: FloatArray) -> FloatArray:
    """Return an index that grows by monthly rates in per cent a year."""
    return np.asarray(level * np.cumprod(1.0 + rates / 1200.0))
