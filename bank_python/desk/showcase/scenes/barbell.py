"""The barbell: all the risk in one end, and a floor under the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.optimizer import BarbellOptimizer, TailDistribution, with_capm_returns
from bank_python.sheet import Sheet, names, numbers, shares

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_EPSILON, _MOST = 0.05, 0.10
_MARKET = 0.09  # expected of the market a year


@scene("TALEB: BARBELL PORTFOLIO")
def barbell(stage: Stage) -> Shown:
    """Put as much at risk as keeps the mean loss of the worst twentieth of years within a tenth, under three tails."""
    require_quotes(stage.desk)
    past = asset_data(stage.desk)
    equal = dict.fromkeys(past.tickers, 1.0)
    data = with_capm_returns(past, equal, risk_free_rate=RATE, market_return=_MARKET)
    found = {
        tails.value: BarbellOptimizer(
            data, risk_free_rate=RATE, epsilon=_EPSILON, max_loss_pct=_MOST, tails=tails
        ).optimize()
        for tails in TailDistribution
    }
    columns = [names("Tails"), shares("At risk"), numbers("κ")]
    columns += [shares(title) for title in ("VaR", "CVaR", "Expected", "Mean above the tail")]
    shown = Sheet(f"CVaR at {_EPSILON:.0%} within {_MOST:.0%} of the wealth", columns)
    for tails, held in found.items():
        figures = held.figures
        tail = figures["var"], figures["cvar"], held.expected_return, figures["max_entropy_upside"]
        shown.add(tails.replace("_", " "), figures["risky_share"], f"{figures['kappa']:.2f}", *tail)
    facts = {tails: {"weights": held.clean_weights(), **held.figures} for tails, held in found.items()}
    return Shown(facts, [shown, found["gaussian"]])
