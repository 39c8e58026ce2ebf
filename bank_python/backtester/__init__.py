"""Back-tests: a replay that sees no future, and a tearsheet that says its conventions."""

from bank_python.backtester.backtest_context import BacktestContext
from bank_python.backtester.backtester import Backtester
from bank_python.backtester.bars import BarPanel, bars_of
from bank_python.backtester.costs import Costs
from bank_python.backtester.crossing_run import CrossingRun, signal_equity, sma_crossing_equity
from bank_python.backtester.data_loader import HistoricalDataLoader
from bank_python.backtester.equity_curve import EquityCurve
from bank_python.backtester.heat_map import HeatMap
from bank_python.backtester.macro_backtest import MacroBacktest
from bank_python.backtester.momentum_backtest import MomentumBacktest
from bank_python.backtester.momentum_weights import momentum_weights
from bank_python.backtester.nulls import NullBooks, null_books
from bank_python.backtester.periods import PeriodsPerYear, infer_periods_per_year
from bank_python.backtester.rebalancing_run import RebalancedRun, run_rebalances
from bank_python.backtester.replay_settings import FillAt, ReplaySettings
from bank_python.backtester.result import BacktestResult
from bank_python.backtester.splits import PurgedSplits, Split, purged_splits, walk_forward_splits
from bank_python.backtester.stat_arb_backtest import StatArbBacktest
from bank_python.backtester.stored_results import (
    StoredResult,
    last_keys,
    last_result,
    read_result,
    store_result,
    stored_results,
)
from bank_python.backtester.strategy import BacktestStrategy, Targets
from bank_python.backtester.strategy_engine import StrategyEngine
from bank_python.backtester.sweep_result import SweepPoint, SweepResult
from bank_python.backtester.sweep_run import SweepInterrupt, sweep
from bank_python.backtester.tearsheet import Tearsheet, make_tearsheet
from bank_python.backtester.trials import DeflatedSharpe, Trial, Trials
from bank_python.backtester.verdict import Rung, Verdict
from bank_python.backtester.vol_arb_backtest import VolArbBacktest
from bank_python.backtester.walk_forward import WalkForward, WalkForwardWindow, walk_forward
from bank_python.backtester.window import Window
from bank_python.completion import public_names

__all__ = [
    "BacktestContext",
    "BacktestResult",
    "BacktestStrategy",
    "Backtester",
    "BarPanel",
    "Costs",
    "CrossingRun",
    "DeflatedSharpe",
    "EquityCurve",
    "FillAt",
    "HeatMap",
    "HistoricalDataLoader",
    "MacroBacktest",
    "MomentumBacktest",
    "NullBooks",
    "PeriodsPerYear",
    "PurgedSplits",
    "RebalancedRun",
    "ReplaySettings",
    "Rung",
    "Split",
    "StatArbBacktest",
    "StoredResult",
    "StrategyEngine",
    "SweepInterrupt",
    "SweepPoint",
    "SweepResult",
    "Targets",
    "Tearsheet",
    "Trial",
    "Trials",
    "Verdict",
    "VolArbBacktest",
    "WalkForward",
    "WalkForwardWindow",
    "Window",
    "bars_of",
    "infer_periods_per_year",
    "last_keys",
    "last_result",
    "make_tearsheet",
    "momentum_weights",
    "null_books",
    "purged_splits",
    "read_result",
    "run_rebalances",
    "signal_equity",
    "sma_crossing_equity",
    "store_result",
    "stored_results",
    "sweep",
    "walk_forward",
    "walk_forward_splits",
]

__dir__ = public_names(__name__)
