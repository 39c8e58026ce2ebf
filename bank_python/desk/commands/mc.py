"""``mc``: the P&L of the desk to a horizon, by simulation with full revaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.commands.result import CommandResult
from bank_python.mc_engine import MCConfig, MonteCarloEngine
from bank_python.render_risk import progress_bar

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk

__all__ = ["simulate"]

_DAYS = 252.0


def simulate(
    desk: Desk, *, paths: int = 100_000, horizon: float = 1.0, model: str = "gbm", seed: int = 0
) -> CommandResult:
    """Simulate the P&L of the desk.

    Parameters
    ----------
    desk : Desk
        Desk with open positions.
    paths : int, default 100,000
        Number of scenarios, at least 2.
    horizon : float, default 1
        Length of the simulated period in trading days, above 0 and at most 756.
    model : {"gbm", "heston", "merton", "student_t", "bootstrap"}, default "gbm"
        Joint distribution of the moves of the risk factors.
    seed : int, default 0
        Seed of the scenarios, at least 0.

    Raises
    ------
    BankError
        A setting is out of range, or the factor model cannot be calibrated.
    """
    engine = MonteCarloEngine(desk.traders, desk.graph)
    with progress_bar(f"simulating ({model})") as bar:
        settings = MCConfig(
            n_paths=paths, model=model, random_seed=seed, horizon=horizon / _DAYS, stresses=(), progress=bar
        )
        result = engine.run(settings)
    facts = {
        "model": result.model,
        "paths": result.n_paths,
        "horizon_days": horizon,
        "currency": result.currency,
        "var_95": result.var_95,
        "var_99": result.var_99,
        "es_95": result.cvar_95,
        "es_99": result.cvar_99,
        "var_99_error": result.tail(0.99).var_error,
        "es_99_by_trader": {name: part.es for name, part in result.by_trader().items()},
        "es_99_by_factor": {name: part.es for name, part in result.by_factor().items()},
        "seconds": dict(result.timings),
    }
    return CommandResult(facts, [result], result)
