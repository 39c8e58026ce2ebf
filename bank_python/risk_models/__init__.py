"""Pricing formulas as pure functions of arrays, and the curves, volatility surfaces and models that they use.

Every function broadcasts its arguments, has no state and raises no error for a value: a row with invalid inputs has the
result NaN. The result of a row is bitwise identical whatever else is in the batch.
"""

from bank_python.completion import public_names
from bank_python.deprecation import old_names
from bank_python.risk_models.arbitrage import ArbitrageKind, ArbitrageReport, Violation, calendar_gap, check_slices
from bank_python.risk_models.barrier import barrier_price
from bank_python.risk_models.black_litterman import BlackLitterman, black_litterman
from bank_python.risk_models.black_scholes import Greeks, black_scholes_greeks, black_scholes_price
from bank_python.risk_models.bond import bond_price
from bank_python.risk_models.bond_analytics import BondAnalytics, accrued_interest, bond_analytics, bond_yield
from bank_python.risk_models.bootstrap import ISDA_USD, USD_SOFR_OIS, Bootstrap, CurveConvention, Quote, bootstrap
from bank_python.risk_models.cash_paid import bond_paid, cds_premium_paid
from bank_python.risk_models.cds import cds_accrued, cds_value, risky_annuity, survival_probability
from bank_python.risk_models.cds_analytics import CdsAnalytics, cds_analytics
from bank_python.risk_models.cointegration import CointegrationTest, engle_granger
from bank_python.risk_models.credit_bootstrap import bootstrap_survival
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.curve_bonds import bond_value_on_curve, curve_yield, par_swap_rate, swap_value_on_curve
from bank_python.risk_models.dickey_fuller_tables import mackinnon_critical_values, mackinnon_p_value
from bank_python.risk_models.digital import asset_digital_greeks, asset_digital_price, digital_greeks, digital_price
from bank_python.risk_models.ewma import ewma_variance, ewma_volatility
from bank_python.risk_models.extremes import GpdFit, TailFit, fit_gpd_excesses, fit_tail
from bank_python.risk_models.floating import floating_price, swap_value
from bank_python.risk_models.forward import forward_price, forward_value
from bank_python.risk_models.garch import fit_garch
from bank_python.risk_models.garch_fit import GarchFit, GarchModel, GarchParameters
from bank_python.risk_models.garch_likelihood import MeanModel, Startup
from bank_python.risk_models.gbm import GeometricBrownianMotion
from bank_python.risk_models.har import HarFit, fit_har
from bank_python.risk_models.heston import heston_price
from bank_python.risk_models.heston_process import HestonCalibration, HestonProcess
from bank_python.risk_models.implied_vol import ImpliedVol, VolMethod, VolStatus, implied_vol, implied_vol_fit
from bank_python.risk_models.indicators import atr, rsi, true_range
from bank_python.risk_models.innovations import Innovation
from bank_python.risk_models.isda_cds import CdsPrice, StandardCds
from bank_python.risk_models.johansen import JohansenTest, johansen
from bank_python.risk_models.leisen_reimer import american_greeks, american_price
from bank_python.risk_models.leland import leland_number, leland_volatility
from bank_python.risk_models.market_impact import (
    MarketImpact,
    almgren_impact,
    linear_impact,
    power_impact,
    square_root_impact,
)
from bank_python.risk_models.maximum_entropy import (
    AbsoluteMeanDistribution,
    GaussianUnderTail,
    MaximumEntropyDistribution,
    PowerLawUpside,
    TailConstraint,
)
from bank_python.risk_models.mean_reversion import HalfLife, OrnsteinUhlenbeck, fit_ou, half_life, z_score
from bank_python.risk_models.merton import MertonJumpDiffusion, merton_price
from bank_python.risk_models.optimal_execution import (
    ExecutionCost,
    ExecutionFrontier,
    ExecutionSchedule,
    execution_cost,
    execution_frontier,
    execution_schedule,
)
from bank_python.risk_models.overfitting import Overfitting, overfitting_probability
from bank_python.risk_models.pair_scan import PairCandidate, PairScan, scan_pairs
from bank_python.risk_models.perpetual import funding_payment, perpetual_value
from bank_python.risk_models.power_law import power_law_price
from bank_python.risk_models.premium_schedule import PremiumSchedule, imm_schedule
from bank_python.risk_models.realised_volatility import (
    garman_klass_volatility,
    parkinson_volatility,
    realised_volatility,
    rogers_satchell_volatility,
    yang_zhang_volatility,
)
from bank_python.risk_models.regime_filter import FilteredRegimes, hamilton_filter, kim_smoother
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.risk_models.sharpe_inference import (
    annualised_sharpe,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_standard_error,
)
from bank_python.risk_models.smile_quotes import SmileQuotes
from bank_python.risk_models.surface import Stickiness, Surface
from bank_python.risk_models.survival import SurvivalCurve
from bank_python.risk_models.svi import JumpWings, SviSlice, svi_butterfly_g, svi_total_variance
from bank_python.risk_models.svi_fit import ArbitragePolicy, RepairMethod, SliceFit, SliceRepair, fit_slice
from bank_python.risk_models.svi_repair import nearest_repair, ssvi_repair
from bank_python.risk_models.unit_root import AdfTest, adf_test
from bank_python.risk_models.volatility_blend import BlendPart, VolatilityBlend, blend_volatility, combine_volatility
from bank_python.risk_models.volume_schedule import VolumeSchedule, pov_schedule, vwap_schedule

__all__ = [
    "ISDA_USD",
    "RISK_FREE_RATE",
    "USD_SOFR_OIS",
    "AbsoluteMeanDistribution",
    "AdfTest",
    "ArbitrageKind",
    "ArbitragePolicy",
    "ArbitrageReport",
    "BlackLitterman",
    "BlendPart",
    "BondAnalytics",
    "Bootstrap",
    "CdsAnalytics",
    "CdsPrice",
    "CointegrationTest",
    "Curve",
    "CurveConvention",
    "ExecutionCost",
    "ExecutionFrontier",
    "ExecutionSchedule",
    "FilteredRegimes",
    "GarchFit",
    "GarchModel",
    "GarchParameters",
    "GaussianUnderTail",
    "GeometricBrownianMotion",
    "GpdFit",
    "Greeks",
    "HalfLife",
    "HarFit",
    "HestonCalibration",
    "HestonProcess",
    "ImpliedVol",
    "Innovation",
    "JohansenTest",
    "JumpWings",
    "MarketImpact",
    "MaximumEntropyDistribution",
    "MeanModel",
    "MertonJumpDiffusion",
    "OrnsteinUhlenbeck",
    "Overfitting",
    "PairCandidate",
    "PairScan",
    "PowerLawUpside",
    "PremiumSchedule",
    "Quote",
    "RepairMethod",
    "SliceFit",
    "SliceRepair",
    "SmileQuotes",
    "StandardCds",
    "Startup",
    "Stickiness",
    "Surface",
    "SurvivalCurve",
    "SviSlice",
    "TailConstraint",
    "TailFit",
    "Violation",
    "VolMethod",
    "VolStatus",
    "VolatilityBlend",
    "VolumeSchedule",
    "accrued_interest",
    "adf_test",
    "almgren_impact",
    "american_greeks",
    "american_price",
    "annualised_sharpe",
    "as_curve",
    "asset_digital_greeks",
    "asset_digital_price",
    "atr",
    "barrier_price",
    "black_litterman",
    "black_scholes_greeks",
    "black_scholes_price",
    "blend_volatility",
    "bond_analytics",
    "bond_paid",
    "bond_price",
    "bond_value_on_curve",
    "bond_yield",
    "bootstrap",
    "bootstrap_survival",
    "calendar_gap",
    "cds_accrued",
    "cds_analytics",
    "cds_premium_paid",
    "cds_value",
    "check_slices",
    "combine_volatility",
    "curve_yield",
    "deflated_sharpe",
    "digital_greeks",
    "digital_price",
    "engle_granger",
    "ewma_variance",
    "ewma_volatility",
    "execution_cost",
    "execution_frontier",
    "execution_schedule",
    "expected_maximum_sharpe",
    "fit_garch",
    "fit_gpd_excesses",
    "fit_har",
    "fit_ou",
    "fit_slice",
    "fit_tail",
    "floating_price",
    "forward_price",
    "forward_value",
    "funding_payment",
    "garman_klass_volatility",
    "half_life",
    "hamilton_filter",
    "heston_price",
    "imm_schedule",
    "implied_vol",
    "implied_vol_fit",
    "johansen",
    "kim_smoother",
    "leland_number",
    "leland_volatility",
    "linear_impact",
    "mackinnon_critical_values",
    "mackinnon_p_value",
    "merton_price",
    "minimum_track_record",
    "nearest_repair",
    "overfitting_probability",
    "par_swap_rate",
    "parkinson_volatility",
    "perpetual_value",
    "pov_schedule",
    "power_impact",
    "power_law_price",
    "probabilistic_sharpe",
    "realised_volatility",
    "risky_annuity",
    "rogers_satchell_volatility",
    "rsi",
    "scan_pairs",
    "sharpe_standard_error",
    "square_root_impact",
    "ssvi_repair",
    "survival_probability",
    "svi_butterfly_g",
    "svi_total_variance",
    "swap_value",
    "swap_value_on_curve",
    "true_range",
    "vwap_schedule",
    "yang_zhang_volatility",
    "z_score",
]

__dir__ = public_names(__name__)

__getattr__ = old_names(
    __name__,
    {
        "AbsoluteMeanLaw": "AbsoluteMeanDistribution",
        "MaximumEntropyLaw": "MaximumEntropyDistribution",
        "fit_gpd": "fit_gpd_excesses",
    },
)
