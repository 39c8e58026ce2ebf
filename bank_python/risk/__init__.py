"""Risk: Greeks, P&L attribution, value at risk and its backtests, stress tests, regimes, limits and alerts."""

from bank_python.completion import public_names
from bank_python.instruments.derivatives import Derivatives, take_derivatives
from bank_python.risk.alerts import Alert, AlertBook, AlertState, Severity
from bank_python.risk.attribution import EFFECTS, AttributionMode, PnLAttribution, capture
from bank_python.risk.backtests import (
    AcerbiSzekely,
    ChristoffersenTest,
    KupiecTest,
    TrafficLight,
    acerbi_szekely_test,
    christoffersen_test,
    kupiec_test,
    traffic_light,
)
from bank_python.risk.capm import (
    CapmFit,
    Interval,
    blume_beta,
    capm_beta,
    capm_fit,
    capm_return,
    rolling_beta,
    vasicek_betas,
)
from bank_python.risk.contracts import ContractColumns, ContractGroups, group_contracts
from bank_python.risk.contributions import Contribution
from bank_python.risk.drawdown import Drawdown, drawdown
from bank_python.risk.factors import RiskFactor
from bank_python.risk.greeks import GREEKS, BookGreeks, Unit, take_greeks
from bank_python.risk.holders import Holder, Units, books_of, holders
from bank_python.risk.kelly import KELLY_FRACTIONS, ContinuousKelly, kelly_continuous, kelly_fraction, kelly_growth
from bank_python.risk.kelly_portfolio import KellyPortfolio, kelly_weights
from bank_python.risk.kelly_sample import KellyEstimate, kelly_from_returns
from bank_python.risk.limits import Limit, LimitBoard, LimitReading, Thresholds, watch_limit
from bank_python.risk.limits_file import load_limits, parse_limits
from bank_python.risk.liquidity import Liquidation, days_to_liquidate, liquidation_schedule
from bank_python.risk.liquidity_var import LiquidityAdjustedVar, liquidation_factor, liquidity_adjusted_var
from bank_python.risk.market_line import (
    LinePoint,
    LinePoints,
    MarketLine,
    market_line_from_returns,
    security_market_line,
)
from bank_python.risk.measures import (
    BookFunction,
    BookMeasure,
    Concentration,
    GreekExposure,
    GrossExposures,
    Measure,
    StressLoss,
    gross_by_underlying,
)
from bank_python.risk.quadratic import QuadraticPlan, quadratic_plan
from bank_python.risk.reactive_regimes import ReactiveRegimes
from bank_python.risk.reactive_volatility import ReactiveVolatility
from bank_python.risk.regimes import RegimeFit, fit_regimes
from bank_python.risk.reverse_stress import ReverseStress, reverse_stress
from bank_python.risk.risk_score import RISK_GRADES, RISK_WEIGHTS, GradeLift, RiskScore, risk_grade, risk_score
from bank_python.risk.score_history import RiskScoreHistory
from bank_python.risk.score_mapping import (
    SCORE_INPUTS,
    ComponentScores,
    Reading,
    ScoreInput,
    component_scores,
    herfindahl,
)
from bank_python.risk.score_scale import ScoreScale
from bank_python.risk.sensitivity import SensitivityGrid, SensitivityLadder, sensitivity_grid, sensitivity_ladder
from bank_python.risk.single_asset import GbmRisk, gbm_paths, gbm_var
from bank_python.risk.state import DeskState, PositionState
from bank_python.risk.stress import StressResult, StressResults, run_stresses
from bank_python.risk.stress_file import load_scenarios, parse_scenarios
from bank_python.risk.stress_mapping import DEFAULT_MAP, Betas, Route, Rule, Status, StressMove, Way, stress_moves
from bank_python.risk.stress_scenarios import (
    REFERENCE_STRESSES,
    STRESS_SCENARIOS,
    Driver,
    Shift,
    Shock,
    StressScenario,
)
from bank_python.risk.tail_risk import TailMethod, TailRisk, expected_shortfall, tail_risk, value_at_risk
from bank_python.risk.valuation import ReducedPlan, ValuationPlan, plan_valuation
from bank_python.risk.var_backtest import VarBacktest, backtest_var
from bank_python.risk_models.regime_filter import FilteredRegimes, hamilton_filter, kim_smoother

__all__ = [
    "DEFAULT_MAP",
    "EFFECTS",
    "GREEKS",
    "KELLY_FRACTIONS",
    "REFERENCE_STRESSES",
    "RISK_GRADES",
    "RISK_WEIGHTS",
    "SCORE_INPUTS",
    "STRESS_SCENARIOS",
    "AcerbiSzekely",
    "Alert",
    "AlertBook",
    "AlertState",
    "AttributionMode",
    "Betas",
    "BookFunction",
    "BookGreeks",
    "BookMeasure",
    "CapmFit",
    "ChristoffersenTest",
    "ComponentScores",
    "Concentration",
    "ContinuousKelly",
    "ContractColumns",
    "ContractGroups",
    "Contribution",
    "Derivatives",
    "DeskState",
    "Drawdown",
    "Driver",
    "FilteredRegimes",
    "GbmRisk",
    "GradeLift",
    "GreekExposure",
    "GrossExposures",
    "Holder",
    "Interval",
    "KellyEstimate",
    "KellyPortfolio",
    "KupiecTest",
    "Limit",
    "LimitBoard",
    "LimitReading",
    "LinePoint",
    "LinePoints",
    "Liquidation",
    "LiquidityAdjustedVar",
    "MarketLine",
    "Measure",
    "PnLAttribution",
    "PositionState",
    "QuadraticPlan",
    "ReactiveRegimes",
    "ReactiveVolatility",
    "Reading",
    "ReducedPlan",
    "RegimeFit",
    "ReverseStress",
    "RiskFactor",
    "RiskScore",
    "RiskScoreHistory",
    "Route",
    "Rule",
    "ScoreInput",
    "ScoreScale",
    "SensitivityGrid",
    "SensitivityLadder",
    "Severity",
    "Shift",
    "Shock",
    "Status",
    "StressLoss",
    "StressMove",
    "StressResult",
    "StressResults",
    "StressScenario",
    "TailMethod",
    "TailRisk",
    "Thresholds",
    "TrafficLight",
    "Unit",
    "Units",
    "ValuationPlan",
    "VarBacktest",
    "Way",
    "acerbi_szekely_test",
    "backtest_var",
    "blume_beta",
    "books_of",
    "capm_beta",
    "capm_fit",
    "capm_return",
    "capture",
    "christoffersen_test",
    "component_scores",
    "days_to_liquidate",
    "drawdown",
    "expected_shortfall",
    "fit_regimes",
    "gbm_paths",
    "gbm_var",
    "gross_by_underlying",
    "group_contracts",
    "hamilton_filter",
    "herfindahl",
    "holders",
    "kelly_continuous",
    "kelly_fraction",
    "kelly_from_returns",
    "kelly_growth",
    "kelly_weights",
    "kim_smoother",
    "kupiec_test",
    "liquidation_factor",
    "liquidation_schedule",
    "liquidity_adjusted_var",
    "load_limits",
    "load_scenarios",
    "market_line_from_returns",
    "parse_limits",
    "parse_scenarios",
    "plan_valuation",
    "quadratic_plan",
    "reverse_stress",
    "risk_grade",
    "risk_score",
    "rolling_beta",
    "run_stresses",
    "security_market_line",
    "sensitivity_grid",
    "sensitivity_ladder",
    "stress_moves",
    "tail_risk",
    "take_derivatives",
    "take_greeks",
    "traffic_light",
    "value_at_risk",
    "vasicek_betas",
    "watch_limit",
]

__dir__ = public_names(__name__)
