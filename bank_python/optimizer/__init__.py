"""Portfolio construction: input data, constraints, optimisers and their results; see ``docs/portfolios.md``."""

from bank_python.completion import public_names
from bank_python.deprecation import old_names
from bank_python.numerics.linkage import LinkageMethod
from bank_python.optimizer.barbell import SAFE, BarbellOptimizer
from bank_python.optimizer.bounds import Bounds, WeightBounds
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.constraint import Constraint, Limit, Rows
from bank_python.optimizer.constraints import Constraints
from bank_python.optimizer.covariance_data import CovarianceData, Estimation
from bank_python.optimizer.cvar_frontier import CvarFrontier, cvar_frontier
from bank_python.optimizer.drift import BookDrift
from bank_python.optimizer.equilibrium import market_shares, with_capm_returns
from bank_python.optimizer.estimators import CovarianceEstimate, Estimator, estimate_covariance
from bank_python.optimizer.expected_returns import MeanMethod, mean_returns
from bank_python.optimizer.factory import OPTIMIZERS, create_optimizer
from bank_python.optimizer.frontier import EfficientFrontier, FrontierPoints
from bank_python.optimizer.groups import Group
from bank_python.optimizer.hierarchy import AssetDistance, hierarchical_weights
from bank_python.optimizer.hrp import HierarchicalRiskParityOptimizer
from bank_python.optimizer.mean_variance import MeanVarianceOptimizer, MinVarianceOptimizer
from bank_python.optimizer.min_cvar import MinCvarOptimizer
from bank_python.optimizer.optimizer import Optimizer
from bank_python.optimizer.portfolio import OptimalPortfolio, Performance, portfolio_of
from bank_python.optimizer.ratios import MaxDiversificationOptimizer, MaxSharpeOptimizer
from bank_python.optimizer.reactive import ReactivePortfolio
from bank_python.optimizer.rebalancer import AssetDrift, RebalancePlan, Rebalancer, RebalanceTo, Trade
from bank_python.optimizer.risk_parity import RiskBudget, RiskParityOptimizer, budgeted_weights
from bank_python.optimizer.sizes import Leverage, Turnover
from bank_python.optimizer.standard_tails import TailDistribution, TailMeasure
from bank_python.optimizer.tracking import TrackingOptimizer
from bank_python.optimizer.views import BlackLittermanOptimizer, View, posterior

__all__ = [
    "OPTIMIZERS",
    "SAFE",
    "AssetDistance",
    "AssetDrift",
    "BarbellOptimizer",
    "BlackLittermanOptimizer",
    "BookDrift",
    "Bounds",
    "Certificate",
    "Constraint",
    "Constraints",
    "CovarianceData",
    "CovarianceEstimate",
    "CvarFrontier",
    "EfficientFrontier",
    "Estimation",
    "Estimator",
    "FrontierPoints",
    "Group",
    "HierarchicalRiskParityOptimizer",
    "Leverage",
    "Limit",
    "LinkageMethod",
    "MaxDiversificationOptimizer",
    "MaxSharpeOptimizer",
    "MeanMethod",
    "MeanVarianceOptimizer",
    "MinCvarOptimizer",
    "MinVarianceOptimizer",
    "OptimalPortfolio",
    "Optimizer",
    "Performance",
    "ReactivePortfolio",
    "RebalancePlan",
    "RebalanceTo",
    "Rebalancer",
    "RiskBudget",
    "RiskParityOptimizer",
    "Rows",
    "TailDistribution",
    "TailMeasure",
    "TrackingOptimizer",
    "Trade",
    "Turnover",
    "View",
    "WeightBounds",
    "budgeted_weights",
    "create_optimizer",
    "cvar_frontier",
    "estimate_covariance",
    "hierarchical_weights",
    "market_shares",
    "mean_returns",
    "portfolio_of",
    "posterior",
    "with_capm_returns",
]

__dir__ = public_names(__name__)

__getattr__ = old_names(__name__, {"TailLaw": "TailDistribution"})
