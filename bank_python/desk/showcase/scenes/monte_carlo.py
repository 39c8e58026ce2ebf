"""The desk's value at risk by simulation, under three models of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.mc_engine import MCConfig, MCResult, MonteCarloEngine
from bank_python.render_risk import progress_bar

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_SEED = 42


@scene("MONTE CARLO — GBM")
def gbm(stage: Stage) -> Shown:
    """Draw 100,000 scenarios of correlated geometric Brownian motion, with every contract revalued by its own price."""
    result = _run(stage, "gbm")
    said = "Every figure has its standard error; components add up to the firm's; Greeks are checked by simulation."
    return Shown(_facts(result), [result, said])


@scene("MONTE CARLO — HESTON")
def heston(stage: Stage) -> Shown:
    """Give each price a variance of its own, which implied volatilities follow: Andersen's scheme."""
    return _beside(stage, "heston", "Falls bring volatility: what is short options loses twice.")


@scene("MONTE CARLO — MERTON")
def merton(stage: Stage) -> Shown:
    """Add jumps, one for all prices at once and some of each price's own."""
    return _beside(stage, "merton", "At the same volatility the tail is longer: the shortfall grows more than the VaR.")


def _beside(stage: Stage, model: str, said: str) -> Shown:
    result, plain = _run(stage, model), _run(stage, "gbm")
    ratios = {
        "var_99_over_gbm": result.var_99 / plain.var_99,
        "cvar_99_over_gbm": result.cvar_99 / plain.cvar_99,
    }
    told = f"{said} VaR 99%: {ratios['var_99_over_gbm']:.2f} of GBM's, CVaR 99%: {ratios['cvar_99_over_gbm']:.2f}."
    return Shown({**_facts(result), **ratios}, [result, told])


def _run(stage: Stage, model: str) -> MCResult:
    desk = stage.desk
    require_quotes(desk)
    engine = MonteCarloEngine(desk.traders, desk.graph, desk.db)
    with progress_bar(f"simulating, {model}") as bar:
        return engine.run(MCConfig(n_paths=100_000, model=model, random_seed=_SEED, stresses=(), progress=bar))


def _facts(result: MCResult) -> dict[str, Any]:
    return {
        "model": result.model,
        "n_paths": result.n_paths,
        "var_95": result.var_95,
        "var_99": result.var_99,
        "cvar_95": result.cvar_95,
        "cvar_99": result.cvar_99,
        "var_99_error": result.tail(0.99).var_error,
        "es_by_trader": {name: part.es for name, part in result.by_trader().items()},
        "es_by_factor": {name: part.es for name, part in result.by_factor().items()},
        "worst_greek_z_score": result.worst_z_score,
        "seconds": dict(result.timings),
    }
