"""What crises would make of the desk, and which crisis would be the likeliest to ruin it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.errors import SimulationError
from bank_python.mc_engine import MCConfig, MonteCarloEngine, regressed_betas
from bank_python.risk import REFERENCE_STRESSES, reverse_stress, run_stresses, sensitivity_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.showcase.stage import Stage
    from bank_python.mc_engine import FactorModel
    from bank_python.risk import StressResult
    from bank_python.risk.valuation import ValuationPlan

_MORE = ("fed_taper", "crypto_crash", "fed_2024", "fed_2025", "GFC_2008", "COVID_2020", "FED_TAPER", "CRYPTO_CRASH")
_DAY = 1.0 / 252.0
_TIMES = 2.0  # the value at risk at 99 %: what the reverse stress is to lose
_STEPS = (-0.2, -0.1, 0.0, 0.1, 0.2)


@scene("STRESS TEST SCENARIOS")
def stress(stage: Stage) -> Shown:
    """Revalue the desk in crises with dates and sources, the Fed's and a round set; find the likeliest bad one."""
    desk = stage.desk
    require_quotes(desk)
    engine = MonteCarloEngine(desk.traders, desk.graph)
    plan = engine.plan()
    keys = (*REFERENCE_STRESSES, *_MORE)
    results = run_stresses(plan, keys)
    factor_model = engine.factor_model()
    regressed = _regressed(factor_model, plan, keys)
    covariance = factor_model.covariance([factor.name for factor in plan.factors], _DAY)
    loss = _TIMES * engine.run(MCConfig(n_paths=20_000, stresses=(), validate_greeks=False)).var_99
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
    said = "A factor of which a scenario says nothing is left out and named, never taken to stand still."
    return Shown(facts, [results, f"{said} {_compared(results, regressed)}", found, *grids])


def _regressed(factor_model: FactorModel, plan: ValuationPlan, keys: Sequence[str]) -> Sequence[StressResult]:
    """Return the stresses by betas from history; none where the market has no share index to regress on."""
    try:
        betas = regressed_betas(factor_model, plan)
    except SimulationError:
        return ()
    return run_stresses(plan, keys, betas=betas, choice="regressed")


def _compared(results: Sequence[StressResult], regressed: Sequence[StressResult]) -> str:
    if not regressed:
        return "Betas are the stated ones; this market has no share index to regress others on."
    pairs = zip(results, regressed, strict=True)
    stated, other = max(pairs, key=lambda pair: abs(pair[0].pnl - pair[1].pnl))
    return (
        f"Betas are the stated ones; by betas regressed from history {stated.title} makes {other.pnl:,.0f} in "
        f"the place of {stated.pnl:,.0f}."
    )
