"""Stress tests of the desk, and a reverse stress test that finds the most likely scenario with a given loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.errors import SimulationError
from bank_python.mc_engine import MCConfig, MonteCarloEngine, regressed_betas
from bank_python.risk import REFERENCE_STRESSES, reverse_stress, run_stresses, sensitivity_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.showcase.stage import Stage
    from bank_python.mc_engine import FactorModel
    from bank_python.risk import StressResult
    from bank_python.risk.valuation import ValuationPlan

_MORE_STRESSES = (
    "fed_taper",
    "crypto_crash",
    "fed_2024",
    "fed_2025",
    "GFC_2008",
    "COVID_2020",
    "FED_TAPER",
    "CRYPTO_CRASH",
)
_DAY = 1.0 / 252.0
_MULTIPLE = 2.0  # loss of the reverse stress test as a multiple of the value at risk at 99 %
_STEPS = (-0.2, -0.1, 0.0, 0.1, 0.2)


@scene("STRESS TEST SCENARIOS")
def stress(stage: Stage) -> SceneResult:
    """Revalue the desk in historical, Fed and simplified stress scenarios, then run a reverse stress test."""
    desk = stage.desk
    require_quotes(desk)
    engine = MonteCarloEngine(desk.traders, desk.graph)
    plan = engine.plan()
    keys = (*REFERENCE_STRESSES, *_MORE_STRESSES)
    results = run_stresses(plan, keys)
    factor_model = engine.factor_model()
    regressed = _regressed(factor_model, plan, keys)
    covariance = factor_model.covariance([factor.name for factor in plan.factors], _DAY)
    loss = _MULTIPLE * engine.run(MCConfig(n_paths=20_000, stresses=(), validate_greeks=False)).var_99
    found = reverse_stress(plan, covariance, loss)
    first = next(iter(found.moves))
    vols = [factor.name for factor in plan.factors if factor.name == first.replace("_SPOT", "_VOL")]
    grids = [sensitivity_grid(plan, (first, _STEPS), (vols[0], _STEPS))] if vols and vols[0] != first else []
    facts = {
        "pnl": {result.key: result.pnl for result in results},
        "pnl_by_regressed_betas": {result.key: result.pnl for result in regressed},
        "covered": {result.key: result.covered for result in results},
        "missing": {result.key: list(result.missing) for result in results if result.missing},
        "left_out": {result.key: list(result.left_out) for result in results if result.left_out},
        "reverse_loss_wanted": loss,
        "reverse_loss": found.loss,
        "reverse_distance": found.distance,
        "reverse_moves": dict(list(found.moves.items())[:5]),
    }
    summary = "Factors that a scenario does not cover are left out and listed, not assumed to be unchanged."
    return SceneResult(facts, [results, f"{summary} {_compared(results, regressed)}", found, *grids])


def _regressed(factor_model: FactorModel, plan: ValuationPlan, keys: Sequence[str]) -> Sequence[StressResult]:
    """Return the stress tests with betas regressed from history; none if the market has no share index."""
    try:
        betas = regressed_betas(factor_model, plan)
    except SimulationError:
        return ()
    return run_stresses(plan, keys, betas=betas, choice="regressed")


def _compared(results: Sequence[StressResult], regressed: Sequence[StressResult]) -> str:
    if not regressed:
        return "The betas are stated ones; this market has no share index for a regression."
    pairs = zip(results, regressed, strict=True)
    stated, other = max(pairs, key=lambda pair: abs(pair[0].pnl - pair[1].pnl))
    return (
        f"The betas are stated ones; with betas regressed from history, the P&L of {stated.title} is {other.pnl:,.0f} "
        f"instead of {stated.pnl:,.0f}."
    )
