"""The figures of a series that a rule needs: checked, or a fault that names the series.

Examples
--------
>>> import numpy as np
>>> recent_prices({"A": np.array([9.0, 10.0, 11.0])}, "A", 2).tolist()
[10.0, 11.0]
>>> recent_prices({"A": np.array([9.0, 10.0, np.nan])}, "A", 2)
Traceback (most recent call last):
    ...
bank_python.errors.TradingError: the last close of A is nan; signals need a price above 0
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import TradingError
from bank_python.trading_engine.market_closes import DatedCloses
from bank_python.trading_engine.signal_report import SignalProblem, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_python.numerics import FloatArray

__all__ = [
    "STILL",
    "distinct",
    "latest",
    "latest_rate",
    "on_common_dates",
    "readable",
    "recent_prices",
    "recent_rates",
    "recent_vols",
    "units_held",
]

STILL = 1e-12
"""Size of a relative move below which it is rounding."""

_CHEAPEST, _DEAREST = 1e-12, 1e12  # prices beyond are faults, and their squares and ratios overflow
_LARGEST_RATE = 0.5
_LARGEST_VOL = 5.0


def on_common_dates(closes: Mapping[str, FloatArray], names: Sequence[str]) -> Mapping[str, FloatArray]:
    """Return the series on the dates that all of them have, where the data have dates; else as they are.

    Parameters
    ----------
    closes : mapping of str to ndarray
        Closes by name, oldest first; with dates if it is a :class:`DatedCloses`.
    names : sequence of str
        Names of the series to compare.

    Raises
    ------
    TradingError
        One of them ends before another.
    """
    known = [name for name in names if name in closes]
    if not isinstance(closes, DatedCloses) or any(name not in closes.dates for name in known):
        return closes
    days = {name: closes.dates[name] for name in known}
    last = {name: dates[-1] for name, dates in days.items() if dates}
    late = max(last.values(), default=None)
    for name, day in last.items():
        if day != late:
            raise TradingError(f"the closes of {name} end at {day}, those it is compared with at {late}", series=name)
    common = set.intersection(*(set(dates) for dates in days.values())) if days else set()
    return {
        name: closes[name][[day in common for day in dates]] if len(common) < len(dates) else closes[name]
        for name, dates in days.items()
    }


def recent_prices(closes: Mapping[str, FloatArray], name: str, count: int = 1) -> FloatArray:
    """Return the last closes of a series, after checking that each is a price.

    Parameters
    ----------
    closes : mapping of str to ndarray
        Closes by name, oldest first.
    name : str
        Name of the series.
    count : int, default 1
        Number of closes, at least 1.

    Raises
    ------
    TradingError
        There are fewer, or one of them is no price; ``series`` is the name, and ``waits`` says whether more data will
        mend it.
    """
    known = _last(closes, name, count)
    good = (known >= _CHEAPEST) & (known <= _DEAREST)
    if not good.all():
        bad = int(np.flatnonzero(~good)[-1])
        value, age = float(known[bad]), count - 1 - bad
        where = f"the close of {name} {age} before the last" if age else f"the last close of {name}"
        wanted = f"between {_CHEAPEST:g} and {_DEAREST:g}" if 0.0 < value < math.inf else "above 0"
        raise TradingError(f"{where} is {value!r}; signals need a price {wanted}", series=name, value=value)
    return known


def recent_vols(closes: Mapping[str, FloatArray], name: str, count: int = 1) -> FloatArray:
    """Return the last implied volatilities of a series, which are decimals above 0.

    Raises
    ------
    TradingError
        There are fewer, or one of them is no volatility; see :func:`recent_prices`.
    """
    known = _last(closes, name, count)
    bad = np.flatnonzero(~((known > 0.0) & (known < _LARGEST_VOL)))
    if len(bad):
        value = float(known[bad[-1]])
        raise TradingError(
            f"{name} is {value!r}; give a decimal above 0: 0.26 for 26 per cent", series=name, value=value
        )
    return known


def latest(closes: Mapping[str, FloatArray], name: str) -> float:
    """Return the last figure of a series that may have any sign.

    Raises
    ------
    TradingError
        There is none, or it is not finite; see :func:`recent_prices`.
    """
    value = float(_last(closes, name, 1)[-1])
    if not np.isfinite(value):
        raise TradingError(f"the last figure of {name} is {value!r}; signals need a number", series=name, value=value)
    return value


def recent_rates(closes: Mapping[str, FloatArray], name: str, count: int = 1) -> FloatArray:
    """Return the last figures of a series of interest rates, which are decimals of any sign.

    Raises
    ------
    TradingError
        There are fewer, or one of them is no decimal; see :func:`recent_prices`.
    """
    known = _last(closes, name, count)
    bad = np.flatnonzero(~(np.abs(known) < _LARGEST_RATE))
    if len(bad):
        value = float(known[bad[-1]])
        raise TradingError(f"{name} is {value!r}; give a decimal: 0.052 for 5.2 per cent", series=name, value=value)
    return known


def latest_rate(closes: Mapping[str, FloatArray], name: str) -> float:
    """Return the last figure of a series of interest rates; see :func:`recent_rates`."""
    return float(recent_rates(closes, name)[-1])


def units_held(closes: Mapping[str, FloatArray], ticker: str) -> float | None:
    """Return the units held of a ticker, the last figure of ``<ticker>_UNITS``; None if it is not given.

    Raises
    ------
    TradingError
        It is not finite.
    """
    name = f"{ticker}_UNITS"
    return latest(closes, name) if name in closes and len(closes[name]) else None


def readable(
    closes: Mapping[str, FloatArray], tickers: Iterable[str], count: int
) -> tuple[dict[str, FloatArray], list[SignalProblem]]:
    """Return the last closes of the tickers that have them, and a problem for each of the others.

    Parameters
    ----------
    closes : mapping of str to ndarray
        Closes by name, oldest first.
    tickers : iterable of str
        Names of the series.
    count : int
        Number of closes, at least 1.
    """
    good: dict[str, FloatArray] = {}
    problems = []
    for ticker in tickers:
        try:
            good[ticker] = recent_prices(closes, ticker, count)
        except TradingError as error:
            problems.append(problem_of(error, ticker))
    return good, problems


def distinct(*names: str) -> tuple[str, ...]:
    """Return names in their order, each once."""
    return tuple(dict.fromkeys(names))


def _last(closes: Mapping[str, FloatArray], name: str, count: int) -> FloatArray:
    known = closes.get(name)
    if known is None or not len(known):
        raise TradingError(f"there is no {name} in the data", series=name, waits=True)
    if len(known) < count:
        raise TradingError(
            f"{name} has {len(known)} closes; {count} are needed", series=name, value=len(known), waits=True
        )
    return known[-count:]
