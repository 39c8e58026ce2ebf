"""Terminal views of the risk score, of liquidity and of the Kelly criterion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.numerals import MISSING
from bank_python.risk.kelly import KELLY_FRACTIONS
from bank_python.risk.liquidity import SHARES
from bank_python.risk.score_scale import HIGHEST_SCORE
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.risk.kelly import ContinuousKelly
    from bank_python.risk.kelly_portfolio import KellyPortfolio
    from bank_python.risk.kelly_sample import KellyEstimate
    from bank_python.risk.liquidity import Liquidation
    from bank_python.risk.liquidity_var import LiquidityAdjustedVar
    from bank_python.risk.risk_score import GradeLift, RiskScore
    from bank_python.risk.score_history import RiskScoreHistory
    from bank_python.risk.score_mapping import ComponentScores, Reading

__all__ = [
    "component_scores_view",
    "continuous_kelly_view",
    "kelly_estimate_view",
    "kelly_portfolio_view",
    "liquidation_view",
    "liquidity_var_view",
    "risk_score_view",
    "score_history_view",
]

_MOST_ROWS = 12
_GAUGE = 12
_NAMED = 4
_SHORTEST = 0.01  # days
_COLOURS = {"AAA": "green", "A": "green", "BB": "yellow", "B": "red", "CCC": "bold red"}


def risk_score_view(score: RiskScore) -> Group:
    """Show the components of a risk score with their contributions, what would lift the grade, and the data."""
    lift, parts, colour = score.lift, score.contributions, _COLOURS[score.grade]
    columns = [names("Component"), shares("Weight", 0), numbers("Score"), numbers("Contribution"), bars(width=_GAUGE)]
    if lift is not None:
        columns.append(words(f"{lift.grade} if below", wraps=False))
    shown = Sheet(f"Risk score {score.value:.2f} of 10, grade {score.grade}", columns)
    for name, value in score.components.items():
        bar = Bar(0.0, value / HIGHEST_SCORE, colour, rest="·")
        cells = (name, score.weights[name], f"{value:.2f}", f"{parts[name]:.2f}", bar)
        shown.add(*cells, *_alone(lift, name))
    shown.rule()
    bar = Bar(0.0, score.value / HIGHEST_SCORE, colour, rest="·")
    total = (text("total", "bold"), math.fsum(score.weights.values()), f"{score.value:.2f}", f"{score.value:.2f}", bar)
    shown.add(*total, *(() if lift is None else ("",)))
    if lift is not None:
        shown.note(
            f"{lift.grade} begins below {lift.edge:g}; if all components fall: each by more than {lift.together:.2f}"
        )
    if score.missing:
        shown.note(f"mean without {', '.join(score.missing)}, which have no data")
    return Group(shown, *([_data(score.readings)] if score.readings else []))


def _alone(lift: GradeLift | None, name: str) -> tuple[str, ...]:
    if lift is None:
        return ()
    below = lift.alone[name]
    return ("cannot alone" if below is None else f"{below:.2f}",)


def component_scores_view(found: ComponentScores) -> Sheet:
    """Show the data behind the components of a risk score, with their scores."""
    shown = _data(found.readings)
    combined = ", ".join(f"{name} {score:.2f}" for name, score in found.scores.items())
    shown.note(f"components: {combined}")
    if found.missing:
        shown.note(f"no data: {', '.join(found.missing)}")
    return shown


def _data(readings: Sequence[Reading]) -> Sheet:
    columns = [names("Component"), words("Data"), numbers("Score"), bars(width=_GAUGE)]
    shown = Sheet("Data of the components", columns)
    before = ""
    for reading in readings:
        bar = Bar(0.0, reading.score / HIGHEST_SCORE, "cyan", rest="·")
        name = reading.component if reading.component != before else ""
        before = reading.component
        shown.add(name, reading.text.rpartition(" → ")[0], f"{reading.score:.2f}", bar)
    return shown


def score_history_view(history: RiskScoreHistory) -> Sheet:
    """Show the last scores of a history with their grades, and the changes of the grade."""
    shown = Sheet(f"Risk score, {len(history):,} dates", [words("Date"), numbers("Score"), words("Grade"), bars()])
    if not history.entries:
        shown.note("no scores yet: append(date, score) adds one")
        return shown
    for day, entry in list(zip(history.dates, history.entries, strict=True))[-_MOST_ROWS:]:
        bar = Bar(0.0, entry.value / HIGHEST_SCORE, _COLOURS[entry.grade], rest="·")
        shown.add(f"{day:%Y-%m-%d}", f"{entry.value:.2f}", entry.grade, bar)
    before = len(history) - _MOST_ROWS
    if before > 0:
        shown.note(f"{before:,} earlier dates")
    changes = history.changes()
    if changes:
        last = "; ".join(f"{day:%Y-%m-%d} {old} → {new}" for day, old, new in changes[-_NAMED:])
        shown.note(f"changes of the grade: {len(changes):,}, the last: {last}")
    return shown


def liquidation_view(book: Liquidation) -> Sheet:
    """Show the days that each holding takes, the slowest first, and the days for shares of the book."""
    columns = [names("Holding"), numbers("Value", 0), shares("Share"), shares("Of volume", 0), words("Days")]
    shown = Sheet("Days to liquidate", columns)
    total = float(book.values.sum())
    rows = zip(book.names, book.values.tolist(), book.participation.tolist(), book.days.tolist(), strict=True)
    ordered = sorted(rows, key=lambda row: -row[-1])
    for name, value, rate, days in ordered[:_MOST_ROWS]:
        shown.add(name, f"{value:,.0f}", value / total, rate, _days(days))
    if len(ordered) > _MOST_ROWS:
        shown.note(f"{len(ordered) - _MOST_ROWS:,} faster holdings")
    for share in SHARES:
        at = book.days_for(share)
        shown.note(f"{share:.0%} of the value: {'never' if math.isinf(at) else f'{_days(at)} trading days'}")
    if book.never:
        more = f" and {len(book.never) - _NAMED} more" if len(book.never) > _NAMED else ""
        shown.note(f"zero volume, never liquidated: {', '.join(book.never[:_NAMED])}{more}")
    return shown


def _days(days: float) -> str:
    if math.isinf(days):
        return "never"
    if 0.0 < days < _SHORTEST:
        return f"< {_SHORTEST:g}"
    return f"{days:,.1f}" if days >= 1.0 or not days else f"{days:.2f}"


def liquidity_var_view(adjusted: LiquidityAdjustedVar) -> Sheet:
    """Show the parts of a liquidity-adjusted value at risk."""
    shown = Sheet("Liquidity-adjusted VaR", [names("Part"), numbers("Loss"), shares("Share")])
    factor = f"{adjusted.factor:.3f}"
    labels = {
        "var": "one-day VaR",
        "longer_liquidation": f"sold over {adjusted.days:,.3g} {'day' if adjusted.days == 1.0 else 'days'}, × {factor}",
        "mean_spreads": "half of the mean spreads",
        "wider_spreads": f"spreads {adjusted.multiplier:g} deviations wider",
        "value": "liquidity-adjusted VaR",
    }
    for name, loss in adjusted.to_dict().items():
        if name == "value":
            shown.rule()
        shown.add(labels[name], f"{loss:,.0f}", loss / adjusted.value if adjusted.value else None)
    costs = dict(zip(adjusted.names, (adjusted.mean_costs + adjusted.stress_costs).tolist(), strict=True))
    most = sorted(costs, key=lambda name: -costs[name])[:_NAMED]
    shown.note(f"spreads cost {adjusted.cost_share:.2%} of the value; losses positive")
    shown.note(f"most: {', '.join(f'{name} {costs[name]:,.0f}' for name in most)}")
    return shown


def continuous_kelly_view(held: ContinuousKelly) -> Sheet:
    """Show what fractions of Kelly mean for growth, volatility and falls of wealth."""
    title = f"Kelly {held.fraction:.2f} of wealth: return {held.mean:.1%}, volatility {held.vol:.1%}"
    columns = [names("Fraction"), numbers("Invested"), shares("Growth", 2), shares("Volatility"), shares("P(halving)")]
    shown = Sheet(title, [*columns, shares("P(×2 before ½)")])
    for fraction in KELLY_FRACTIONS:
        doubling = held.doubling_probability(fraction) if held.fraction else None
        figures = (f"{fraction * held.fraction:.2f}", held.growth(fraction), held.volatility(fraction))
        shown.add(f"{fraction:g} Kelly", *figures, held.fall_probability(0.5, fraction), doubling)
    shown.note(f"a year; riskless rate {held.risk_free_rate:.2%}; probabilities relative to a riskless account")
    return shown


def kelly_portfolio_view(held: KellyPortfolio) -> Sheet:
    """Show the Kelly weights of several assets."""
    title = f"Kelly weights: growth {held.growth():.2%} a year, volatility {held.volatility():.1%}"
    shown = Sheet(title, [names("Asset"), numbers("Weight"), shares("Excess return", sign=True), bars(width=_GAUGE)])
    widest = max(map(abs, held.weights.values()))
    ordered = sorted(held.weights.items(), key=lambda item: -abs(item[1]))
    for name, weight in ordered[:_MOST_ROWS]:
        shown.add(name, f"{weight:.2f}", held.excess_returns[name], Bar.of(weight, widest))
    if len(ordered) > _MOST_ROWS:
        shown.note(f"{len(ordered) - _MOST_ROWS:,} smaller weights")
    shown.note(f"half of it: growth {held.growth(0.5):.2%}, volatility {held.volatility(0.5):.1%}")
    shown.note(f"leverage {held.leverage:.2f}, cash {held.cash:+.2f}, riskless rate {held.risk_free_rate:.2%}")
    return shown


def kelly_estimate_view(found: KellyEstimate) -> Sheet:
    """Show an estimated Kelly fraction with its error, and what fractions of it mean."""
    title = f"Kelly {found.kelly:.2f} ± {found.error:.2f} of wealth, from {found.observations:,} returns"
    columns = [names("Fraction"), numbers("Invested"), words("Growth"), shares("Volatility"), shares("P(halving) ≤")]
    shown = Sheet(title, columns)
    rows = [(f"{fraction:g} Kelly", fraction * found.kelly) for fraction in KELLY_FRACTIONS]
    rows += [("shrunk", found.shrunk), (f"used: {found.fraction:g} Kelly", found.used)]
    for name, share in rows:
        growth = found.growth_at(share)
        said = "ruin" if math.isinf(growth) else f"{growth:.2%}"
        shown.add(name, f"{share:.2f}", said, found.volatility_at(share), found.fall_probability(0.5, share))
    low, high = (MISSING if math.isinf(end) else f"{end:.2f}" for end in found.interval)
    chance = f"P(Kelly ≤ 0) = {found.probability_not_positive:.1%}"
    shown.note(f"{found.confidence:.0%} interval of Kelly: {low} to {high}; {chance}")
    shown.note(f"shrunk for the estimation error: × {found.shrinkage:.2f}")
    shown.note(f"ruin: the worst return of the sample leaves nothing at {found.ruin_beyond:.2f}")
    if found.unbounded:
        shown.note(f"{found.unbounded:.1%} of the resamples have no bound, as they hold no loss or no gain")
    shown.note(f"a year; riskless rate {found.risk_free_rate:.2%}; halving relative to a riskless account, upper bound")
    return shown
