"""Monte Carlo risk: laws of risk factors, simulation with full revaluation, and risk that follows every tick."""

from bank_python.mc_engine.calibration import calibrate_from_table, calibrate_law, join_laws
from bank_python.mc_engine.config import MCConfig, Model, Revaluation, Sampling
from bank_python.mc_engine.engine import MonteCarloEngine, regressed_betas
from bank_python.mc_engine.factor_law import FactorLaw, JumpTerms, VarianceTerms
from bank_python.mc_engine.greeks_validation import GreekCheck
from bank_python.mc_engine.grid_proxy import GridProxy
from bank_python.mc_engine.pacing import choose_paths
from bank_python.mc_engine.paths import HestonPaths, heston_paths, heston_terminal, merton_paths
from bank_python.mc_engine.reactive import ReactiveRisk
from bank_python.mc_engine.result import Histogram, MCResult, TailPair

__all__ = [
    "FactorLaw",
    "GreekCheck",
    "GridProxy",
    "HestonPaths",
    "Histogram",
    "JumpTerms",
    "MCConfig",
    "MCResult",
    "Model",
    "MonteCarloEngine",
    "ReactiveRisk",
    "Revaluation",
    "Sampling",
    "TailPair",
    "VarianceTerms",
    "calibrate_from_table",
    "calibrate_law",
    "choose_paths",
    "heston_paths",
    "heston_terminal",
    "join_laws",
    "merton_paths",
    "regressed_betas",
]
