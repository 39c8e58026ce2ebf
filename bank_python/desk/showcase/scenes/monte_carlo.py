"""Value at risk of the desk by simulation, with three models of the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.mc_engine import MCConfig, MCResult, MonteCarloEngine
from bank_python.render_risk import progress_bar

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_SEED = 42


@scene("MONTE CARLO — GBM")
def gbm(stage: Stage) -> SceneResult:
    """Simulate 100,000 scenarios of correlated geometric Brownian motion, with full revaluation of every contract."""
    result = _run(stage, "gbm")
    summary = (
        "Every figure has a standard error. The contributions add up to the firm's figure. The simulation also checks "
        "the Greeks against closed forms."
    )
    return SceneResult(_facts(result), [result, summary])


@scene("MONTE CARLO — HESTON")
def heston(stage: Stage) -> SceneResult:
    """Simulate stochastic variances by Andersen's scheme, with implied volatilities that move with them."""
    return _compared(stage, "heston", "Volatility rises when prices fall, so short option positions lose twice.")


@scene("MONTE CARLO — MERTON")
def merton(stage: Stage) -> SceneResult:
    """Add jumps, common to all prices and idiosyncratic, to geometric Brownian motion."""
    return _compared(
        stage, "merton", "At the same volatility the tail is heavier, so CVaR rises by more than VaR does."
    )


def _compared(stage: Stage, model: str, comment: str) -> SceneResult:
    result, plain = _run(stage, model), _run(stage, "gbm")
    ratios = {
        "var_99_over_gbm": result.var_99 / plain.var_99,
        "cvar_99_over_gbm": result.cvar_99 / plain.cvar_99,
    }
    summary = (
        f"{comment} Ratio to geometric Brownian motion: {ratios['var_99_over_gbm']:.2f} for VaR 99%, "
        f"{ratios['cvar_99_over_gbm']:.2f} for CVaR 99%."
    )
    return SceneResult({**_facts(result), **ratios}, [result, summary])


def _run(stage: Stage, model: str) -> MCResult:
    desk = stage.desk
    require_quotes(desk)
    engine = MonteCarloEngine(desk.traders, desk.graph, desk.db)
    with progress_bar(f"simulating ({model})") as bar:
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
