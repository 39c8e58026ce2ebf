"""Terminal view of regimes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.numerals import MISSING
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares

if TYPE_CHECKING:
    from bank_python.risk.regimes import RegimeFit

__all__ = ["regimes_view"]

_GAUGE = 12
_FEW_PERIODS = 100.0


def regimes_view(fit: RegimeFit) -> Group:
    """Show the regimes with their figures and how probable each is now, the transition matrix, and remarks."""
    return Group(_regimes(fit), _transitions(fit))


def _regimes(fit: RegimeFit) -> Sheet:
    of_what = f" of {fit.name}" if fit.name else ""
    lags = f", {fit.order} {'lag' if fit.order == 1 else 'lags'}" if fit.order else ""
    columns = [names("Regime"), numbers("Mean"), numbers("± error"), numbers("Volatility"), numbers("Duration")]
    shown = Sheet(
        f"{fit.n_regimes} regimes{of_what}, {fit.observations:,} observations{lags}",
        [*columns, shares("Long run"), shares("Now"), bars(width=_GAUGE)],
    )
    errors = fit.standard_errors.means.tolist()
    figures = (fit.means, fit.volatilities, fit.durations, fit.stationary, fit.probability_now)
    rows = zip(*(figure.tolist() for figure in figures), errors, strict=True)
    for regime, (mean, volatility, duration, share, now, error) in enumerate(rows):
        name = f"{regime}, now" if regime == fit.current_regime else f"{regime}"
        said = (_figure(mean), _figure(error), _figure(volatility), _periods(duration))
        shown.add(name, *said, share, now, Bar(0.0, now, "cyan", rest="·"))
    for remark in fit.remarks:
        shown.note(remark)
    if fit.order:
        coefficients = ", ".join(f"{coefficient:.3f}" for coefficient in fit.ar.tolist())
        shown.note(f"autoregressive coefficients {coefficients}")
    shown.note("mean and volatility per period in the unit of the series; duration in periods")
    shown.note(
        f"log-likelihood {fit.loglikelihood:,.3f}, reached by {fit.search.reached} of {fit.search.n_starts} starts"
    )
    return shown


def _transitions(fit: RegimeFit) -> Sheet:
    columns = [names("From regime"), *(shares(f"to {regime}") for regime in range(fit.n_regimes))]
    shown = Sheet("Transition in one period", columns)
    for regime, row in enumerate(fit.transition.tolist()):
        shown.add(f"{regime}", *row)
    return shown


def _figure(value: float) -> str:
    return MISSING if math.isnan(value) else f"{value:.4g}"


def _periods(duration: float) -> str:
    if math.isinf(duration):
        return "∞"
    return f"{duration:.1f}" if duration < _FEW_PERIODS else f"{duration:,.0f}"
