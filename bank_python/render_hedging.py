"""Terminal views of power-law prices and of hedges: strips, tail indices, hedging errors, paths, costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.numerals import MISSING
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.taleb.alpha_fit import AlphaFit
    from bank_python.taleb.hedge_costs import CostTradeOff
    from bank_python.taleb.hedge_errors import HedgeErrors
    from bank_python.taleb.hedge_shrinkage import HedgeShrinkage
    from bank_python.taleb.hull_paths import HedgeReplay
    from bank_python.taleb.power_law_prices import PowerLawPrices

__all__ = [
    "alpha_fit_view",
    "hedge_errors_view",
    "power_law_prices_view",
    "replay_view",
    "shrinkage_view",
    "trade_off_view",
]

_GAUGE = 16
_LAW_WORDS = {"price": "the price at expiry", "returns": "the move away from the spot"}
_EXPONENTS = ("std_error", "mad", "var_95", "var_99", "es_99", "worst")


def power_law_prices_view(strip: PowerLawPrices) -> Sheet:
    """Show the prices of a strip under the power law and by Black and Scholes, with the reasons of missing ones."""
    kind = "calls" if strip.is_call else "puts"
    columns = [
        names("Strike"),
        numbers("Power law", 4),
        numbers("Black–Scholes", 4),
        shares("Vol, power law"),
        shares("Vol, B–S"),
        numbers("Ratio"),
        words("No price"),
    ]
    shown = Sheet(f"Power-law {kind}, α = {strip.alpha:g}, spot {strip.spot:g}", columns)
    for i, strike in enumerate(strip.strikes.tolist()):
        figures = (strip.pl_prices[i], strip.bsm_prices[i], strip.pl_vols[i], strip.bsm_vols[i], strip.ratio[i])
        shown.add(f"{strike:g}", *map(_figure, figures), strip.reasons[i])
    shown.note(f"anchor {strip.anchor_price:g} at {strip.anchor_strike:g}")
    shown.note(f"the law is of {_LAW_WORDS[strip.law.value]}, l = {strip.scale:.6g}")
    shown.note(f"Black–Scholes over {_years(strip.expiry)} at a rate of {strip.rate:.2%}")
    for note in strip.notes:
        shown.note(note)
    return shown


def alpha_fit_view(fit: AlphaFit) -> Sheet:
    """Show the quotes of a strip, their prices by the fitted law, and the residuals."""
    error = "" if math.isnan(fit.standard_error) else f" ± {fit.standard_error:.3f}"
    title = f"Tail index {fit.alpha:.4f}{error}, {len(fit.strikes)} {'calls' if fit.is_call else 'puts'}"
    shown = Sheet(title, [names("Strike"), numbers("Price", 4), numbers("Fitted", 4), shares("Residual", 2, sign=True)])
    columns = (fit.strikes, fit.prices, fit.fitted, fit.residuals)
    for strike, price, fitted, residual in zip(*(column.tolist() for column in columns), strict=True):
        shown.add(f"{strike:g}", price, fitted, residual)
    shown.note(f"the law is of {_LAW_WORDS[fit.law.value]}, spot {fit.spot:g}")
    if math.isnan(fit.standard_error):
        shown.note("two quotes are fitted exactly, so there is no standard error")
    return shown


def hedge_errors_view(results: Sequence[HedgeErrors]) -> Sheet:
    """Show the errors of hedges under several laws side by side, as losses of the seller."""
    if not results:
        return Sheet("Hedging errors: none", [names("Law")])
    first = results[0]
    title = (
        f"Hedging errors, call {first.strike:g} at {first.spot:g}, {_years(first.expiry)}, {first.n_steps} "
        f"rebalancings, {first.n_paths:,} paths, premium {first.premium:,.4g}"
    )
    figures = ("Mean", "± s.e.", "Std", "MAD", "Kurtosis", "VaR 95", "VaR 99", "ES 99", "Worst")
    digits = (3, 3, 3, 3, 1, 3, 3, 3, 2)
    columns = [names("Law"), *(numbers(name, place) for name, place in zip(figures, digits, strict=True))]
    shown = Sheet(title, [*columns, bars("99 % loss", _GAUGE)], lists_notes=True)
    widest = max(0.0, *(each.es_99 for each in results))
    for each in results:
        measured = (each.mean_error, each.mean_standard_error, each.std_error, each.mad, each.kurtosis)
        losses = (each.var_95, each.var_99, each.es_99, each.worst)
        bar = Bar.of(-max(each.es_99, 0.0), widest)
        shown.add(each.distribution, *map(_figure, (*measured, *losses)), bar)
    shown.note("losses of the option's seller, who hedges it: positive is a loss")
    for each in results:
        said = [each.law_words, *([f"mean cost {each.mean_cost:.4g}"] if each.mean_cost else []), *each.notes]
        shown.note(f"{each.distribution}: {', '.join(said)}")
    return shown


def shrinkage_view(found: HedgeShrinkage) -> Sheet:
    """Show the measures of a hedge by number of rebalancings, and the fitted exponents."""
    titles = ("Std", "MAD", "VaR 95", "VaR 99", "ES 99", "Worst")
    shown = Sheet(
        f"Hedging errors by rebalancings, {found.distribution}",
        [names("Rebalancings"), *(numbers(title, 3) for title in titles), numbers("Kurtosis", 1)],
    )
    for each in found.results:
        measured = [getattr(each, name) for name in _EXPONENTS]
        shown.add(f"{each.n_steps:,}", *map(_figure, measured), _figure(each.kurtosis))
    shown.rule()
    shown.add("exponent", *(_figure(found.exponents[name]) for name in _EXPONENTS), "")
    shown.add("± s.e.", *(_figure(found.exponent_errors[name]) for name in _EXPONENTS), "")
    shown.note("losses of the seller; −0.5 is the exponent of lognormal steps")
    return shown


def replay_view(replay: HedgeReplay) -> Sheet:
    """Show a hedge along one path, date by date."""
    end = "in" if replay.exercised else "out of"
    shown = Sheet(
        f"Hedge of {replay.calls:,.10g} calls at {replay.strike:g}, which end {end} the money",
        [
            names("Step"),
            numbers("Price"),
            numbers("Delta", 3),
            numbers("Shares bought", 0 if replay.calls > 1.0 else 4),
            numbers("Cost of shares"),
            numbers("Cumulative cost"),
            numbers("Interest"),
        ],
    )
    columns = (replay.prices, replay.deltas, replay.shares_bought, replay.cost_of_shares, replay.cumulative_cost)
    rows = zip(*(column.tolist() for column in columns), replay.interest.tolist(), strict=True)
    for step, row in enumerate(rows):
        shown.add(f"{step}", *row)
    shown.note(f"cost of the hedge {replay.cost:,.2f} at expiry, {replay.discounted_cost:,.2f} discounted")
    if not math.isnan(replay.premium):
        shown.note(f"Black–Scholes premium {replay.premium:,.2f}")
    return shown


def trade_off_view(found: CostTradeOff) -> Sheet:
    """Show costs and errors of a hedge by the number of rebalancings; the best is marked."""
    titles = ("Mean cost", "Leland's cost", "Std of error", "Mean loss", "95 % loss", "ES 95")
    shown = Sheet(
        f"Hedging error against costs, {found.round_trip_cost:.2%} for a round trip, {found.distribution}",
        [names("Rebalancings"), *(numbers(title, 3) for title in titles), shares("Leland's vol"), words("")],
    )
    for row in found.rows:
        figures = (row.mean_cost, row.leland_cost, row.std_error, row.mean_loss, row.var_95, row.es_95)
        shown.add(f"{row.n_steps:,}", *figures, row.leland_vol, "best" if row is found.best else "")
    shown.note("losses of the seller at the Black–Scholes premium, costs included; the best has the smallest 95 % loss")
    return shown


def _figure(value: float) -> float | str:
    return MISSING if math.isnan(value) else float(value)


def _years(time: float) -> str:
    return f"{time:.4g} year" + ("" if time == 1.0 else "s")
