"""The barbell portfolio: a risky basket and a safe asset, with a limit on the expected shortfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.optimizer import BarbellOptimizer, TailDistribution, with_capm_returns
from bank_python.sheet import Sheet, names, numbers, shares

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_EPSILON, _MAX_LOSS = 0.05, 0.10
_RUIN = 0.2  # loss that counts as ruin, at the end of any month in ten years
_MARKET = 0.09  # expected return of the market per year


@scene("TALEB: BARBELL PORTFOLIO")
def barbell(stage: Stage) -> SceneResult:
    """Invest as much in a risky basket as a limit on the annual CVaR allows, for three models of the tail."""
    require_quotes(stage.desk)
    past = asset_data(stage.desk)
    equal = dict.fromkeys(past.tickers, 1.0)
    data = with_capm_returns(past, equal, risk_free_rate=RATE, market_return=_MARKET)
    made = {
        tails.value: BarbellOptimizer(data, risk_free_rate=RATE, epsilon=_EPSILON, max_loss_pct=_MAX_LOSS, tails=tails)
        for tails in TailDistribution
    }
    found = {tails: optimizer.optimize() for tails, optimizer in made.items()}
    fat = made[TailDistribution.STUDENT_T.value]
    ruin, sensitivity = fat.ruin_probability(_RUIN), fat.tail_sensitivity(scale="mad")
    columns = [names("Tail model"), shares("Risky share"), numbers("κ")]
    columns += [shares(title) for title in ("VaR", "CVaR", "Expected return", "Mean return above VaR")]
    table = Sheet(f"Annual CVaR of the worst {_EPSILON:.0%}, limited to {_MAX_LOSS:.0%} of wealth", columns)
    table.note("κ: CVaR of the risky basket, in standard deviations below its mean")
    for tails, portfolio in found.items():
        figures = portfolio.figures
        tail = figures["var"], figures["cvar"], portfolio.expected_return, figures["max_entropy_upside"]
        table.add(tails.replace("_", " "), figures["risky_share"], f"{figures['kappa']:.2f}", *tail)
    facts: dict[str, Any] = {
        tails: {"weights": portfolio.clean_weights(), **portfolio.figures} for tails, portfolio in found.items()
    }
    facts |= {"ruin_probability": ruin.probability, "shares_by_tail_index": sensitivity.shares.tolist()}
    return SceneResult(facts, [table, found["gaussian"], ruin, sensitivity])
