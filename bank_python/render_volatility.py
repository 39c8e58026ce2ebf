"""Terminal views of volatility models: fits, forecasts, blends."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.numerals import MISSING, number
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares

if TYPE_CHECKING:
    from bank_python.risk_models.garch_fit import GarchFit
    from bank_python.risk_models.har import HarFit
    from bank_python.risk_models.volatility_blend import VolatilityBlend

__all__ = ["blend_view", "garch_view", "har_view"]

_STEPS = (1, 5, 20)
_GAUGE = 12
_LEFT_SIDE = {"log": "logarithm of the", "sqrt": "square root of the", "level": ""}
_CORRECTIONS = {
    "smearing": "mean of the residuals' exponentials",
    "normal": "for normal residuals",
    "none": "none, so forecasts are medians",
}


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


def har_view(fit: HarFit) -> Sheet:
    """Show the coefficients of a HAR model with both standard errors, its fit, and its next forecast."""
    columns = [names("Term"), *(numbers(title) for title in ("Coefficient", "Std error", "HAC error", "t"))]
    shown = Sheet(f"HAR, {fit.rows:,} rows, R² {fit.r_squared:.1%}", columns)
    for row in fit.to_table():
        figures = (row["coefficient"], row["standard_error"], row["hac_error"])
        shown.add(_term(row["term"]), *(_digits(figure) for figure in figures), f"{row['t_value']:.2f}")
    left = "next variance" if fit.ahead == 1 else f"mean of the next {fit.ahead} variances"
    shown.note(f"predicted: {_LEFT_SIDE[fit.transform]} {left}".replace("  ", " "))
    shown.note(f"HAC error and t: Newey–West with {fit.hac_lags} autocorrelations")
    if fit.transform != "level":
        said = _CORRECTIONS[fit.bias_correction] if fit.transform == "log" else fit.bias_correction
        shown.note(f"bias correction of forecasts: {said}")
    return shown


def blend_view(blend: VolatilityBlend) -> Sheet:
    """Show the volatility of each model over the horizon, its weight as stated and as used, and why they differ."""
    title = f"Volatility over {blend.horizon_hours:g} hours: {blend.volatility:.3%} of the price"
    shown = Sheet(
        title, [names("Model"), shares("Volatility", 3), shares("Weight", 0), shares("Used"), bars(width=_GAUGE)]
    )
    widest = max(part.volatility or 0.0 for part in blend.parts)
    for part in blend.parts:
        bar = Bar(0.0, (part.volatility or 0.0) / widest)
        shown.add(part.model, MISSING if part.volatility is None else part.volatility, part.weight, part.share, bar)
    shown.rule()
    shown.add("blend", blend.volatility, "", "", Bar(0.0, blend.volatility / widest))
    if blend.price_move is not None:
        shown.note(f"at a price of {blend.price:,.6g} the volatility is {blend.price_move:,.4g}")
    if blend.bar_hours is not None:
        shown.note(f"bars of {blend.bar_hours:g} hours")
    for part in blend.parts:
        shown.note(f"{part.model}: {part.said}")
    return shown


def _term(name: str) -> str:
    return name if name == "constant" else f"mean of {name.removeprefix('mean_')}"


def _digits(value: float) -> str:
    """Return a number with four significant digits, as returns may be decimals or per cent."""
    return "—" if math.isnan(value) else f"{value:.4g}"
