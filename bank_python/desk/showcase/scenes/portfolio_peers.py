"""Portfolios of this library beside those of other libraries, where these are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.integrations import compare
from bank_python.optimizer import create_optimizer

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage
    from bank_python.integrations import PortfolioComparison

_BOUNDS = (0.05, 0.20)


@scene("PORTFOLIO OPT — HRP (PyPortfolioOpt)")
def hierarchical(stage: Stage) -> SceneResult:
    """Allocate risk along a tree of correlated assets, compare with PyPortfolioOpt, and repeat with bounds."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    compared = compare("hrp", data, risk_free_rate=RATE)
    bounded = create_optimizer("hrp", data, bounds=_BOUNDS, risk_free_rate=RATE).optimize()
    facts = {**_facts(compared), "within_bounds": bounded.clean_weights()}
    bounds = f"With weights between {_BOUNDS[0]:.0%} and {_BOUNDS[1]:.0%}, enforced at every split of the tree:"
    return SceneResult(facts, [compared, bounds, bounded])


@scene("PORTFOLIO OPT — CVAR (Riskfolio-Lib)")
def least_cvar(stage: Stage) -> SceneResult:
    """Minimise the mean loss of the worst 5% of days, and compare with other libraries."""
    require_quotes(stage.desk)
    data = asset_data(stage.desk)
    compared = compare("min_cvar", data, confidence=0.95, risk_free_rate=RATE)
    return SceneResult({**_facts(compared), **compared.ours.portfolio.figures}, [compared, compared.ours.portfolio])


def _facts(compared: PortfolioComparison) -> dict[str, Any]:
    return {
        "weights": compared.ours.portfolio.clean_weights(),
        "libraries": {
            row.library: {"gap": row.gap, "largest_difference": row.largest_difference, "seconds": row.seconds}
            for row in compared.rows
        },
        "without": dict(compared.without),
    }
