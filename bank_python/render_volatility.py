"""Terminal views of volatility models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.numerals import number
from bank_python.sheet import Sheet, names, numbers

if TYPE_CHECKING:
    from bank_python.risk_models.garch_fit import GarchFit

__all__ = ["garch_view"]

_STEPS = (1, 5, 20)


def garch_view(fit: GarchFit) -> Sheet:
    """Show the parameters of a GARCH model with their standard errors, its likelihood and its forecasts."""
    columns = [names("Parameter"), numbers("Value", 4), numbers("s.e.", 4), numbers("Robust s.e.", 4)]
    shown = Sheet(f"{fit.title}, {fit.observations:,} returns", columns)
    for name, value in fit.params.items():
        errors = fit.standard_errors[name], fit.robust_standard_errors[name]
        shown.add(name, _digits(value), *(_digits(error) for error in errors))
    state = "converged" if fit.converged else "not converged"
    shown.note(f"log-likelihood {fit.loglikelihood:,.3f}, {state} in {fit.iterations} steps")
    long_run = math.sqrt(fit.long_run_variance)
    forecasts = fit.forecast(_STEPS[-1])
    ahead = ", ".join(f"{_digits(math.sqrt(forecasts[step - 1]))} in {step}" for step in _STEPS)
    limit = f"{_digits(long_run)} in the long run" if math.isfinite(long_run) else "no long-run volatility"
    shown.note(f"volatility a step: {_digits(float(fit.volatilities[-1]))} at last; forecast {ahead} steps; {limit}")
    kind = "exponentials of expected log-variances" if not fit.forecasts_are_means else "expected variances"
    shown.note(f"persistence {fit.persistence:.4f}, half-life {number(fit.half_life, 1)} steps; forecasts are {kind}")
    for note in fit.notes:
        shown.note(note)
    return shown


def _digits(value: float) -> str:
    """Return a number with four significant digits, as returns may be decimals or per cent."""
    return "—" if math.isnan(value) else f"{value:.4g}"
