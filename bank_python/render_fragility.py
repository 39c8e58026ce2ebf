"""Terminal views of fragility: the heuristic of P&L functions and books, correlations, barbells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerals import signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words
from bank_python.taleb.fragility import FragilityVerdict

if TYPE_CHECKING:
    from rich.text import Text

    from bank_python.optimizer.barbell_ruin import BarbellRuin
    from bank_python.optimizer.barbell_sensitivity import BarbellSensitivity
    from bank_python.taleb.book_fragility import BookFragility
    from bank_python.taleb.correlation_fragility import CorrelationFragility
    from bank_python.taleb.fragility import Fragility
    from bank_python.taleb.marchenko_pastur import MarchenkoPastur
    from bank_python.taleb.worst_case_correlation import WorstCaseCorrelation

__all__ = [
    "book_fragility_view",
    "correlation_fragility_view",
    "fragility_view",
    "marchenko_pastur_view",
    "worst_case_view",
]

_STYLES = {FragilityVerdict.FRAGILE: "red", FragilityVerdict.ROBUST: "", FragilityVerdict.ANTIFRAGILE: "green"}
_LARGE = 100.0
_BELOW_EDGE = 3
_MOST_PAIRS = 10
_MOST_ASSETS = 12
_ROWS = 10


def fragility_view(found: Fragility) -> Sheet:
    """Show the heuristic of each factor by size of move, with its verdict."""
    sizes = [numbers(f"H at {multiple:g}×") for multiple in found.multiples.tolist()]
    columns = [names("Factor"), numbers("Step", 4), *sizes, shares("Of move", 1, sign=True), numbers("Power", 2)]
    shown = Sheet(f"Fragility: {found.verdict.value}", [*columns, words("Verdict")])
    digits = 0 if np.abs(found.heuristic).max() >= _LARGE else 4
    limits, relative, power = found.limit, found.relative[:, -1], found.growth
    for i, factor in enumerate(found.factors):
        figures = [_figure(h, limit, digits) for h, limit in zip(found.heuristic[i], limits[i], strict=True)]
        rest = _known(relative[i]), _known(power[i]), _said(found.verdict_on(factor))
        shown.add(factor, _known(found.steps[i]), *figures, *rest)
    shown.note("H: mean P&L of a move down and one up, less the P&L without; below 0 fragile, above 0 antifragile")
    shown.note("of move: H at the largest size relative to the larger P&L; power: growth of H with the step, 2 if even")
    return shown


def book_fragility_view(found: BookFragility) -> Sheet:
    """Show H of each book and of the firm for each move at the largest size, with the verdict."""
    rows = found.firm.factors
    columns = [names("Book"), *(numbers(f"H {row}", 0) for row in rows), numbers("Power", 1), words("Verdict"), bars()]
    multiple = found.firm.multiples[-1]
    shown = Sheet(f"Fragility of books, {found.currency}, moves of {multiple:g} steps", columns)
    widest = max((abs(float(item.heuristic[-1, -1])) for item in (*found.results, found.firm)), default=0.0)
    for name, item in zip((*found.units, "FIRM"), (*found.results, found.firm), strict=True):
        values, limits = item.heuristic[:, -1].tolist(), item.limit[:, -1].tolist()
        if name == "FIRM":
            shown.rule()
        bar = Bar.of(values[-1], widest)
        figures = [_figure(value, limit) for value, limit in zip(values, limits, strict=True)]
        shown.add(name, *figures, _known(float(item.growth[-1])), _said(item.verdict), bar)
    steps = zip(rows, found.firm.steps.tolist(), strict=True)
    sizes = ", ".join(f"{row} {step:g}" for row, step in steps if step == step)  # noqa: PLR0124 - not NaN
    shown.note(f"steps: {sizes}, moved down and up; joint: volatilities and credit spreads against spots")
    return shown


def barbell_ruin_view(found: BarbellRuin) -> Sheet:
    """Show the probability of ruin by the horizon."""
    how = "rebalanced every period" if found.rebalanced else "held, never rebalanced"
    title = f"Ruin of a barbell with {found.share:.1%} at risk: a loss of {found.ruin_level:.0%}"
    shown = Sheet(title, [numbers("Years", 1), numbers("Periods"), shares("Probability", 3), bars()])
    count = len(found.by_period)
    for period in sorted({max(1, round(count * k / _ROWS)) for k in range(1, _ROWS + 1)}):
        value = float(found.by_period[period - 1])
        shown.add(period / found.periods_per_year, period, value, Bar.of(-value, found.probability))
    shown.note(f"{how}; {found.tails.value} returns per period; error of the last {found.error:.1g}")
    return shown


def barbell_sensitivity_view(found: BarbellSensitivity) -> Sheet:
    """Show the share at risk and the losses over tail indices."""
    columns = [
        numbers("Tail index", 1),
        shares("Share at risk"),
        numbers("Per unit of α", 4),
        shares("VaR"),
        shares("CVaR"),
    ]
    shown = Sheet(f"Barbell by tail index, at equal {found.scale.value}", [*columns, bars()])
    rows = zip(found.tail_indices, found.shares, found.slopes, found.var, found.cvar, strict=True)
    for alpha, share, slope, var, cvar in rows:
        shown.add(float(alpha), float(share), float(slope), float(var), float(cvar), Bar.of(float(share), 1.0))
    shown.note(f"VaR and CVaR at {found.epsilon:g}: of the barbell held, with {found.held_share:.1%} at risk")
    limit = f"{found.measure.value} within {found.max_loss:.1%}"
    extremes = f"most sensitive at α = {found.most_sensitive:.2f}, smallest at α = {found.worst:.2f}"
    shown.note(f"share: the largest with {limit}; {extremes}")
    return shown


def correlation_fragility_view(found: CorrelationFragility) -> Sheet:
    """Show the weights, their sensitivities, and whether correlations are stable."""
    title = f"Fragility to correlations: a weight moves by up to {found.weight_sensitivity:.2f} per unit of correlation"
    moved = [shares(f"at {delta:+g}", 1) for delta in _ends(found)]
    columns = [names("Asset"), shares("Weight", 1), *moved, numbers("Sensitivity"), numbers("At 0"), bars()]
    shown = Sheet(title, columns, lists_notes=True)
    sensitivities, places = found.weight_sensitivities, found.perturbation_deltas.tolist()
    widest = max(sensitivities.values())
    order = sorted(range(len(found.tickers)), key=lambda i: -sensitivities[found.tickers[i]])
    for i in order[:_MOST_ASSETS]:
        name = found.tickers[i]
        weights = [_known(float(found.perturbed_weights[places.index(delta), i])) for delta in _ends(found)]
        figures = _known(sensitivities[name]), found.local_sensitivities[name]
        shown.add(name, float(found.base_weights[i]), *weights, *figures, Bar.of(-sensitivities[name], widest))
    if len(order) > _MOST_ASSETS:
        shown.note(f"{len(order) - _MOST_ASSETS} assets with lower sensitivity are not shown")
    shown.note("sensitivity: largest change of the weight per unit of correlation; at 0: derivative by a common shift")
    missing: dict[str, list[str]] = {}
    for name, why in found.reasons.items():
        missing.setdefault(why, []).append(name)
    reasons = [f"no {', '.join(figures)}: {why}" for why, figures in missing.items()]
    for remark in (*_stability(found), *found.notes, *reasons):
        shown.note(remark)
    return shown


def _ends(found: CorrelationFragility) -> list[float]:
    """Return the least and the largest shift."""
    return sorted({float(found.perturbation_deltas.min()), float(found.perturbation_deltas.max())})


def _stability(found: CorrelationFragility) -> list[str]:
    said = []
    if found.rolling is not None:
        rolling = found.rolling
        spread = f"standard deviation {rolling.std:.3f} over time, {rolling.noise:.3f} by sampling alone"
        said.append(f"correlations over {rolling.window} periods: mean {rolling.mean:.3f}, {spread}")
    if found.tests is not None:
        tests = found.tests
        p_values = f"p = {tests.p_value:.3g}, bootstrap p = {tests.bootstrap_p_value:.3g}"
        said.append(
            f"equal correlations in {tests.windows} windows: Jennrich chi-squared {tests.statistic:,.1f} on "
            f"{tests.degrees_of_freedom:,}, {p_values}; Fisher's z p = {tests.fisher_p_value:.3g}"
        )
    if found.noise is not None:
        said.append(f"{found.noise.noise_share:.0%} of the variance is within the band of noise (Marchenko–Pastur)")
    return said


def marchenko_pastur_view(found: MarchenkoPastur) -> Sheet:
    """Show the largest eigenvalues, and which are within the band of noise."""
    title = (
        f"Noise in correlations: {found.noise_share:.0%} of the variance, {found.noise_count_share:.0%} of eigenvalues"
    )
    shown = Sheet(title, [numbers("Rank"), numbers("Eigenvalue"), shares("Of variance"), words("Reading"), bars()])
    count, rows = len(found.eigenvalues), min(found.signals + _BELOW_EDGE, len(found.eigenvalues))
    for i, value in enumerate(found.eigenvalues[:rows].tolist(), 1):
        reading = text("signal", "green") if value > found.upper else "noise"
        shown.add(i, value, value / count, reading, Bar.of(value, float(found.eigenvalues[0])))
    band = f"[{found.lower:.3f}, {found.upper:.3f}]"
    shown.note(
        f"band of noise {band} for {count:,} assets, {found.observations:,} observations, variance {found.variance:.3f}"
    )
    if rows < count:
        shown.note(f"{count - rows} smaller eigenvalues are not shown")
    return shown


def worst_case_view(found: WorstCaseCorrelation) -> Sheet:
    """Show the volatility of the book with the worst correlations, and the pairs that add most to it."""
    title = f"Worst correlations within a {found.within.value} of {found.radius:g}"
    shown = Sheet(title, [names("Pair"), numbers("Estimate"), numbers("Worst"), numbers("Variance added", 4), bars()])
    x, changed = found.exposures, found.correlation - found.base
    pairs = list(zip(*np.triu_indices(len(x), 1), strict=True))
    added = {(i, j): float(2.0 * changed[i, j] * x[i] * x[j]) for i, j in pairs}
    order = sorted(pairs, key=lambda pair: -abs(added[pair]))[:_MOST_PAIRS]
    widest = max((abs(value) for value in added.values()), default=0.0)
    for i, j in order:
        figures = float(found.base[i, j]), float(found.correlation[i, j]), added[i, j]
        shown.add(f"{found.tickers[i]}, {found.tickers[j]}", *figures, Bar.of(-added[i, j], widest))
    volatilities = f"{found.base_volatility:.4g} as estimated, {found.volatility:.4g} at worst"
    shown.note(f"volatility of the book: {volatilities}, {found.limit:.4g} with all correlations ±1 against it")
    shown.note(f"proven: no matrix of the set has a volatility above {found.bound:.6g} (gap {found.gap:.1e})")
    if len(pairs) > len(order):
        shown.note(f"{len(pairs) - len(order)} pairs that add less are not shown")
    return shown


def _figure(value: float, limit: float, digits: int = 0) -> Text:
    """Return H with its sign; 0 where it is not distinguishable from rounding."""
    return signed(value, digits) if abs(value) > limit else text("0", "dim")


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _said(verdict: FragilityVerdict) -> Text:
    return text(verdict.value, _STYLES[verdict])
