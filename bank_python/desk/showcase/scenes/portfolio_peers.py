"""Portfolios by us and, where they are installed, by the libraries that people use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.integrations import compare
from bank_python.optimizer import create_optimizer

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage
    from bank_python.integrations import PortfolioComparison

_BOUNDS = (0.05, 0.20)


@scene("PORTFOLIO OPT — HRP (PyPortfolioOpt)")
def hierarchical(stage: Stage) -> Shown:
    """Share risk out along a tree of what moves together, beside PyPortfolioOpt's; then within bounds."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    compared = compare("hrp", data, risk_free_rate=RATE)
    bounded = create_optimizer("hrp", data, bounds=_BOUNDS, risk_free_rate=RATE).optimize()
    facts = {**_facts(compared), "within_bounds": bounded.clean_weights()}
    return Shown(facts, [compared, f"Within {_BOUNDS[0]:.0%} and {_BOUNDS[1]:.0%}, kept at every split:", bounded])


@scene("PORTFOLIO OPT — CVAR (Riskfolio-Lib)")
def least_cvar(stage: Stage) -> Shown:
    """Make the mean loss of the worst twentieth of days as small as it can be, beside other libraries' answers."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    compared = compare("min_cvar", data, confidence=0.95, risk_free_rate=RATE)
    return Shown({**_facts(compared), **compared.ours.portfolio.figures}, [compared, compared.ours.portfolio])


def _facts(compared: PortfolioComparison) -> dict[str, Any]:
    return {
        "weights": compared.ours.portfolio.clean_weights(),
        "libraries": {
            row.library: {"gap": row.gap, "largest_difference": row.largest_difference, "seconds": row.seconds}
            for row in compared.rows
        },
        "without": dict(compared.without),
    }
