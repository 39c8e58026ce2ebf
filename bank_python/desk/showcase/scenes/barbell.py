"""The barbell: all the risk in one end, and a floor under the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.optimizer import BarbellOptimizer, TailLaw, with_capm_returns

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
        law.value: BarbellOptimizer(
            data, risk_free_rate=RATE, epsilon=_EPSILON, max_loss_pct=_MOST, tails=law
        ).optimize()
        for law in TailLaw
    }
    shown = Table(title=f"CVaR at {_EPSILON:.0%} within {_MOST:.0%} of the wealth", header_style="bold")
    shown.add_column("Tails")
    for column in ("At risk", "κ", "VaR", "CVaR", "Expected", "Mean above the tail"):
        shown.add_column(column, justify="right")
    for law, held in found.items():
        figures = held.figures
        shown.add_row(
            law.replace("_", " "),
            f"{figures['risky_share']:.1%}",
            f"{figures['kappa']:.2f}",
            f"{figures['var']:.1%}",
            f"{figures['cvar']:.1%}",
            f"{held.expected_return:.1%}",
            f"{figures['max_entropy_upside']:.1%}",
        )
    facts = {law: {"weights": held.clean_weights(), **held.figures} for law, held in found.items()}
    return Shown(facts, [shown, found["gaussian"]])
