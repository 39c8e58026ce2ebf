"""Monte Carlo risk: factor models, simulation with full revaluation, and risk that follows every tick."""

from bank_python.completion import public_names
from bank_python.deprecation import old_names
from bank_python.mc_engine.calibration import calibrate_from_table, calibrate_model, join_models
from bank_python.mc_engine.config import MCConfig, Model, Revaluation, Sampling
from bank_python.mc_engine.engine import MonteCarloEngine, regressed_betas
from bank_python.mc_engine.factor_model import FactorModel, JumpTerms, VarianceTerms
from bank_python.mc_engine.greeks_validation import GreekCheck
from bank_python.mc_engine.grid_proxy import GridProxy
from bank_python.mc_engine.pacing import choose_paths
from bank_python.mc_engine.paths import HestonPaths, heston_paths, heston_terminal, merton_paths
from bank_python.mc_engine.reactive import ReactiveRisk
from bank_python.mc_engine.result import Histogram, MCResult, TailPair

__all__ = [
    "FactorModel",
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
    "calibrate_model",
    "choose_paths",
    "heston_paths",
    "heston_terminal",
    "join_models",
    "merton_paths",
    "regressed_betas",
]

__dir__ = public_names(__name__)

__getattr__ = old_names(
    __name__, {"FactorLaw": "FactorModel", "calibrate_law": "calibrate_model", "join_laws": "join_models"}
)
