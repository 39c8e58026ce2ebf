"""Macroeconomic data and the market's regime: FRED files, gauges, correlations and trends."""

from bank_python.completion import public_names
from bank_python.macro.catalogue import KNOWN_SERIES, SeriesInfo, SeriesUnit, series_info
from bank_python.macro.correlations import CorrelationBoard, CorrelationHistory, PairCorrelation, correlation_board
from bank_python.macro.fred import read_fred
from bank_python.macro.frequency import Frequency
from bank_python.macro.gauge_definitions import GAUGES, Formula, GaugeDefinition, GaugeGroup
from bank_python.macro.gauges import Gauge, GaugeBoard, MissingGauge, read_gauges
from bank_python.macro.history import DataProblem, MacroHistory, MacroSeries
from bank_python.macro.moving_correlation import ewma_correlation, rolling_correlation
from bank_python.macro.percentiles import (
    STATED_PERCENTILES,
    GaugePercentiles,
    Percentile,
    own_percentile,
    stated_percentile,
)
from bank_python.macro.quadrant import Direction, Quadrant
from bank_python.macro.regime import MacroRegime, macro_regime
from bank_python.macro.simulated import simulate_macro
from bank_python.macro.stability import (
    CorrelationBreak,
    CorrelationTest,
    correlation_break_test,
    fisher_z_test,
    jennrich_test,
)
from bank_python.macro.thresholds import GaugeState, GaugeThresholds
from bank_python.macro.trend import Trend, TrendBoard, price_trend, trend_board
from bank_python.macro.trend_break import DriftBreak, drift_break_test

__all__ = [
    "GAUGES",
    "KNOWN_SERIES",
    "STATED_PERCENTILES",
    "CorrelationBoard",
    "CorrelationBreak",
    "CorrelationHistory",
    "CorrelationTest",
    "DataProblem",
    "Direction",
    "DriftBreak",
    "Formula",
    "Frequency",
    "Gauge",
    "GaugeBoard",
    "GaugeDefinition",
    "GaugeGroup",
    "GaugePercentiles",
    "GaugeState",
    "GaugeThresholds",
    "MacroHistory",
    "MacroRegime",
    "MacroSeries",
    "MissingGauge",
    "PairCorrelation",
    "Percentile",
    "Quadrant",
    "SeriesInfo",
    "SeriesUnit",
    "Trend",
    "TrendBoard",
    "correlation_board",
    "correlation_break_test",
    "drift_break_test",
    "ewma_correlation",
    "fisher_z_test",
    "jennrich_test",
    "macro_regime",
    "own_percentile",
    "price_trend",
    "read_fred",
    "read_gauges",
    "rolling_correlation",
    "series_info",
    "simulate_macro",
    "stated_percentile",
    "trend_board",
]

__dir__ = public_names(__name__)
