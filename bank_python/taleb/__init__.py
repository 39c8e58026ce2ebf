"""Fat tails: diagnostics, extreme values, power-law prices, hedging errors and fragility, after N. N. Taleb.

The entry points are :class:`TailDiagnostics`, :class:`PowerLawPricer`, :class:`HedgingErrorSimulator`,
:class:`BarbellOptimizer`, :class:`CorrelationFragilityAnalyzer` and :func:`fragility`; each estimator can be called by
itself too.

References
----------
N. N. Taleb, *Statistical Consequences of Fat Tails* (3rd edition, 2025), part VII.
"""

from bank_python.completion import public_names
from bank_python.optimizer import BarbellOptimizer
from bank_python.risk_models import fit_gpd_excesses
from bank_python.risk_models import fit_tail as fit_gpd
from bank_python.taleb.alpha_fit import AlphaFit, fit_alpha
from bank_python.taleb.block_maxima import block_maxima
from bank_python.taleb.book_fragility import BookFragility, book_fragility
from bank_python.taleb.book_tails import BookTails
from bank_python.taleb.correlation_fragility import (
    PERTURBATION_DELTAS,
    CorrelationFragility,
    CorrelationFragilityAnalyzer,
)
from bank_python.taleb.correlation_windows import CorrelationWindows, RollingCorrelations, correlation_windows
from bank_python.taleb.declustering import Clusters, ExtremalIndex, decluster, extremal_index
from bank_python.taleb.ergodicity import ErgodicityGap, RuinMethod, RuinProbability, ergodicity_gap, ruin_probability
from bank_python.taleb.fragility import Fragility, FragilityVerdict, fragility
from bank_python.taleb.gev import GevFit, GevMethod, fit_gev
from bank_python.taleb.gev_intervals import gev_intervals
from bank_python.taleb.gpd_intervals import gpd_intervals
from bank_python.taleb.gpd_moments import fit_gpd_moments
from bank_python.taleb.hedge_costs import CostTradeOff, HedgeFrequency, cost_trade_off
from bank_python.taleb.hedge_errors import HedgeComparison, HedgeErrors
from bank_python.taleb.hedge_law import HedgeLaw, Scaling
from bank_python.taleb.hedge_shrinkage import HedgeShrinkage
from bank_python.taleb.hedging_error import HedgingErrorSimulator
from bank_python.taleb.hill import HillCurve, hill, hill_curve
from bank_python.taleb.hull_paths import HULL_IN_THE_MONEY, HULL_OUT_OF_THE_MONEY, HedgeReplay, hull_paths, replay_hedge
from bank_python.taleb.kappa import SampleKappa, kappa_n, mad_over_sd, sample_kappa
from bank_python.taleb.kappa_closed_forms import (
    exponential_kappa_1,
    lognormal_kappa_1_approximation,
    pareto_kappa_1,
    student_kappa_1,
)
from bank_python.taleb.laws import Exponential, Gaussian, Lognormal, Pareto, StudentT
from bank_python.taleb.marchenko_pastur import MarchenkoPastur, marchenko_pastur, marchenko_pastur_edges
from bank_python.taleb.max_to_sum import MaxToSumCurves, max_to_sum, max_to_sum_curves
from bank_python.taleb.moments import MomentEvidence, moment_exists
from bank_python.taleb.parameter_intervals import Interval, IntervalMethod, Intervals
from bank_python.taleb.power_law_fit import PowerLawFit, fit_power_law
from bank_python.taleb.power_law_pricer import PowerLawPricer
from bank_python.taleb.power_law_prices import PowerLawPrices
from bank_python.taleb.power_law_tests import GoodnessOfFit, PowerLawComparison
from bank_python.taleb.quantile_contribution import (
    ContributionBias,
    QuantileContribution,
    contribution_bias,
    pareto_contribution,
    pareto_tail_index,
    quantile_contribution,
)
from bank_python.taleb.reactive import ReactiveTails, tail_node
from bank_python.taleb.reactive_correlations import ReactiveCorrelations
from bank_python.taleb.reactive_power_law import power_law_node
from bank_python.taleb.return_levels import ReturnLevels, return_levels
from bank_python.taleb.sample import Tails, split_tails
from bank_python.taleb.sample_pictures import QuantilePoints, SurvivalPoints, qq_points, survival_points
from bank_python.taleb.shadow_mean import ShadowMean, shadow_mean
from bank_python.taleb.tail_diagnostics import TailDiagnostics
from bank_python.taleb.tail_fraction import TailRule, choose_k
from bank_python.taleb.tail_index import TailIndex, moment_estimator, pickands, tail_index
from bank_python.taleb.tail_law import TailLaw
from bank_python.taleb.tail_reading import TailReading, TailSide, tail_reading
from bank_python.taleb.tail_report import AnalysedTail, Side, TailReport
from bank_python.taleb.thresholds import MeanExcess, ThresholdStability, mean_excess, threshold_stability
from bank_python.taleb.two_assets import two_asset_sensitivity, two_asset_weight
from bank_python.taleb.worst_case_correlation import CorrelationSet, WorstCaseCorrelation, worst_case_correlation

__all__ = [
    "HULL_IN_THE_MONEY",
    "HULL_OUT_OF_THE_MONEY",
    "PERTURBATION_DELTAS",
    "AlphaFit",
    "AnalysedTail",
    "BarbellOptimizer",
    "BookFragility",
    "BookTails",
    "Clusters",
    "ContributionBias",
    "CorrelationFragility",
    "CorrelationFragilityAnalyzer",
    "CorrelationSet",
    "CorrelationWindows",
    "CostTradeOff",
    "ErgodicityGap",
    "Exponential",
    "ExtremalIndex",
    "Fragility",
    "FragilityVerdict",
    "Gaussian",
    "GevFit",
    "GevMethod",
    "GoodnessOfFit",
    "HedgeComparison",
    "HedgeErrors",
    "HedgeFrequency",
    "HedgeLaw",
    "HedgeReplay",
    "HedgeShrinkage",
    "HedgingErrorSimulator",
    "HillCurve",
    "Interval",
    "IntervalMethod",
    "Intervals",
    "Lognormal",
    "MarchenkoPastur",
    "MaxToSumCurves",
    "MeanExcess",
    "MomentEvidence",
    "Pareto",
    "PowerLawComparison",
    "PowerLawFit",
    "PowerLawPricer",
    "PowerLawPrices",
    "QuantileContribution",
    "QuantilePoints",
    "ReactiveCorrelations",
    "ReactiveTails",
    "ReturnLevels",
    "RollingCorrelations",
    "RuinMethod",
    "RuinProbability",
    "SampleKappa",
    "Scaling",
    "ShadowMean",
    "Side",
    "StudentT",
    "SurvivalPoints",
    "TailDiagnostics",
    "TailIndex",
    "TailLaw",
    "TailReading",
    "TailReport",
    "TailRule",
    "TailSide",
    "Tails",
    "ThresholdStability",
    "WorstCaseCorrelation",
    "block_maxima",
    "book_fragility",
    "choose_k",
    "contribution_bias",
    "correlation_windows",
    "cost_trade_off",
    "decluster",
    "ergodicity_gap",
    "exponential_kappa_1",
    "extremal_index",
    "fit_alpha",
    "fit_gev",
    "fit_gpd",
    "fit_gpd_excesses",
    "fit_gpd_moments",
    "fit_power_law",
    "fragility",
    "gev_intervals",
    "gpd_intervals",
    "hill",
    "hill_curve",
    "hull_paths",
    "kappa_n",
    "lognormal_kappa_1_approximation",
    "mad_over_sd",
    "marchenko_pastur",
    "marchenko_pastur_edges",
    "max_to_sum",
    "max_to_sum_curves",
    "mean_excess",
    "moment_estimator",
    "moment_exists",
    "pareto_contribution",
    "pareto_kappa_1",
    "pareto_tail_index",
    "pickands",
    "power_law_node",
    "qq_points",
    "quantile_contribution",
    "replay_hedge",
    "return_levels",
    "ruin_probability",
    "sample_kappa",
    "shadow_mean",
    "split_tails",
    "student_kappa_1",
    "survival_points",
    "tail_index",
    "tail_node",
    "tail_reading",
    "threshold_stability",
    "two_asset_sensitivity",
    "two_asset_weight",
    "worst_case_correlation",
]

__dir__ = public_names(__name__)
