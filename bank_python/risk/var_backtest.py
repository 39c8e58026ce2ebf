"""A whole back-test of value at risk: forecasts beside the P&L that followed, exceptions, and every test of them.

Examples
--------
>>> tried = backtest_var([1.0, -3.0, 0.5, -0.5] * 25, 2.0, confidence=0.99)
>>> tried.exceptions, round(tried.expected, 2), tried.traffic_light.zone
(25, 1.0, 'red')
>>> tried.verdicts()["coverage"]
'too many exceptions'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError, RiskError
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.plotting import Plotted, legend_beside, money, places
from bank_python.plotting import dates as label_dates
from bank_python.results import Tabular
from bank_python.risk.backtests import (
    AcerbiSzekely,
    ChristoffersenTest,
    TrafficLight,
    acerbi_szekely_test,
    christoffersen_test,
    traffic_light,
)
from bank_python.wording import words_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["VarBacktest", "backtest_var"]

_SIGNIFICANCE = 0.05
_FEWEST_DAYS = 2
_LOWEST = 0.5


_WORDS = {
    **dict.fromkeys(("kupiec", "coverage", "p_value", "pof"), ".christoffersen.coverage, Kupiec's test"),
    **dict.fromkeys(
        ("breaches", "violations", "n_exceptions", "failures"), ".exceptions, their number, or .hits, each day"
    ),
    **dict.fromkeys(("zone", "basel"), ".traffic_light.zone"),
    **dict.fromkeys(("summary",), ".verdicts()"),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VarBacktest(Plotted, Tabular):
    """A back-test of value at risk; returned by :func:`backtest_var`.

    Parameters
    ----------
    pnl, var : ndarray, shape (n_days,)
        P&L of each day, and the value at risk forecast for it, positive for a loss; read-only.
    es : ndarray, shape (n_days,), optional
        Expected shortfall forecast for each day, positive for a loss.
    confidence : float
        Confidence level of the forecasts.
    dates : tuple of date, optional
        Date of each day; None if none were given.
    christoffersen : ChristoffersenTest
        Tests of the number of exceptions (Kupiec), of their independence, and of both.
    traffic_light : TrafficLight
        Basel zone of the number of exceptions.
    acerbi_szekely : AcerbiSzekely, optional
        Size of the exceptions beside the expected shortfall; None without `es`.
    """

    pnl: FloatArray
    var: FloatArray
    es: FloatArray | None
    confidence: float
    dates: tuple[dt.date, ...] | None
    christoffersen: ChristoffersenTest
    traffic_light: TrafficLight
    acerbi_szekely: AcerbiSzekely | None

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Whether each day had an exception: a loss beyond the value at risk; shape (n_days,)."""
        return np.asarray(self.pnl < -self.var)

    @property
    def exceptions(self) -> int:
        """Number of exceptions."""
        return int(self.hits.sum())

    @property
    def expected(self) -> float:
        """Number of exceptions to be expected: the days times 1 - :attr:`confidence`."""
        return (1.0 - self.confidence) * len(self.pnl)

    def verdicts(self) -> dict[str, str]:
        """Return what each test says, in words, at a significance of 5 %.

        Keys are ``coverage``, ``independence``, ``basel`` and, with an expected shortfall, ``shortfall``.
        """
        said = "too many exceptions" if self.exceptions > self.expected else "too few exceptions"
        coverage = self.christoffersen.coverage.p_value >= _SIGNIFICANCE
        independence = self.christoffersen.independence.p_value >= _SIGNIFICANCE
        verdicts = {
            "coverage": "as many exceptions as expected" if coverage else said,
            "independence": "exceptions independent" if independence else "exceptions depend on the day before",
            "basel": f"{self.traffic_light.zone} zone",
        }
        if self.acerbi_szekely is not None:
            times = 1.0 - self.acerbi_szekely.z2
            verdicts["shortfall"] = f"losses beyond VaR {times:.2f} times those forecast"
        return verdicts

    def to_table(self) -> Table:
        """Return a table with a row for each day: date or number, P&L, VaR, expected shortfall, hit."""
        from bank_python.mntable import Table

        at, kind = ("day", int) if self.dates is None else ("date", type(self.dates[0]))
        days: Sequence[Any] = range(len(self.pnl)) if self.dates is None else self.dates
        shortfall: list[float | None] = [None] * len(self.pnl) if self.es is None else self.es.tolist()
        names = (at, "pnl", "var", "es", "hit")
        rows = zip(days, self.pnl.tolist(), self.var.tolist(), shortfall, self.hits.tolist(), strict=True)
        schema = [(at, kind), ("pnl", float), ("var", float), ("es", float | None), ("hit", bool)]
        return Table.from_rows(schema, [dict(zip(names, row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L of each day as bars, the value at risk as a line below, and exceptions as crosses."""
        level = f"{100.0 * self.confidence:g}%"
        x = np.asarray(places(range(len(self.pnl)) if self.dates is None else self.dates))
        axes.vlines(x, 0.0, self.pnl, color="0.6", linewidth=max(0.5, min(4.0, 250.0 / len(x))), label="P&L")
        axes.step(x, -self.var, where="mid", color="C0", linestyle="-", label=f"VaR {level}")
        if self.es is not None:
            axes.step(x, -self.es, where="mid", color="C1", linestyle=":", label=f"ES {level}")
        hits = self.hits
        axes.plot(x[hits], self.pnl[hits], linestyle="", marker="x", color="black", markersize=7, label="exceptions")
        axes.axhline(0.0, color="black", linewidth=0.8)
        counts = f"{self.exceptions} exceptions ({self.expected:.3g} due)"
        title = f"VaR {level}, {len(x):,} days: {counts}, Basel {self.traffic_light.zone}"
        axes.set(ylabel="P&L", title=title)
        money(axes.yaxis)
        if self.dates is None:
            axes.set_xlabel("day")
        else:
            label_dates(axes.xaxis)
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_risk import backtest_view

        return backtest_view(self)


@admits(RiskError)
def backtest_var(
    pnl: ArrayLike,
    var: ArrayLike,
    *,
    es: ArrayLike | None = None,
    confidence: float = 0.99,
    dates: Iterable[Any] | None = None,
) -> VarBacktest:
    """Compare forecasts of value at risk with the P&L that followed, by all tests of :mod:`bank_python.risk.backtests`.

    Parameters
    ----------
    pnl : array_like, shape (n_days,)
        P&L of each day, oldest first, in currency units or as a return; positive for a profit.
    var : array_like
        Value at risk forecast for each day, or one forecast for all days; positive for a loss.
    es : array_like, optional
        Expected shortfall forecast for each day, or one for all days, above 0.
    confidence : float, default 0.99
        Confidence level of the forecasts, in [0.5, 1).
    dates : iterable of date, datetime, numpy.datetime64 or pandas.Timestamp, length n_days, optional
        Date of each day, ascending; by default the index of a series of P&L, if it holds dates.

    Raises
    ------
    RiskError
        There are fewer than two days, a figure is not finite, or the lengths or the dates of two series differ.
    ModelError
        The confidence is not in [0.5, 1), or an expected shortfall is not above 0.
    """
    made = np.array(pnl, dtype=np.float64)
    if made.ndim != 1 or len(made) < _FEWEST_DAYS:
        raise RiskError(f"P&L of shape {made.shape}; give one series of at least two days", value=made.shape)
    at_risk = _for_days("var", var, len(made))
    shortfall = None if es is None else _for_days("es", es, len(made))
    _require_finite("pnl", made)
    if not _LOWEST <= confidence < 1.0:
        raise ModelError(f"confidence={confidence!r} lies outside [0.5, 1); 0.99 is usual", value=confidence)
    probability = 1.0 - confidence
    hits = made < -at_risk
    tests = christoffersen_test(hits, probability)
    light = traffic_light(int(hits.sum()), len(made), probability)
    size = None if shortfall is None else acerbi_szekely_test(made, at_risk, shortfall, probability)
    _require_same_dates(dates_of(pnl), dates_of(var))
    dates = dates_of(pnl) if dates is None else dates
    known = None if dates is None else checked_dates(dates, len(made))
    for array in (made, at_risk, shortfall):
        if array is not None:
            array.setflags(write=False)
    return VarBacktest(made, at_risk, shortfall, confidence, known, tests, light, size)


def _require_same_dates(of_pnl: Sequence[Any] | None, of_var: Sequence[Any] | None) -> None:
    if of_pnl is None or of_var is None:
        return
    for i, (one, other) in enumerate(zip(of_pnl, of_var, strict=False)):
        if one != other:
            raise RiskError(
                f"day {i} is {one} in pnl and {other} in var; give series of the same dates, var.reindex(pnl.index)",
                value=other,
            )


def _for_days(name: str, values: ArrayLike, days: int) -> FloatArray:
    given = np.asarray(values, dtype=np.float64)
    if given.shape not in {(), (1,), (days,)}:
        raise RiskError(f"{name} of shape {given.shape} for {days} days; give one forecast, or one for each day")
    _require_finite(name, given)
    return np.broadcast_to(given, (days,)).copy()


def _require_finite(name: str, values: FloatArray) -> None:
    bad = values[~np.isfinite(values)]
    if bad.size:
        raise RiskError(f"{name} has a value of {float(bad[0])!r}; leave that day out", value=float(bad[0]))
