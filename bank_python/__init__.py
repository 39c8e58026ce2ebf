"""bank_python: a reactive platform for pricing, risk and trading research, as investment banks build in-house.

Four engines (tables, an object store, a dependency graph, a job runner) and, on the same graph,
market data, instruments and a desk that revalues itself when the market ticks.

The names below are imported when they are first used, so that ``import bank_python`` takes little longer
than ``import numpy``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: F401  (nearly every module needs numpy: it is imported once, up front)

if TYPE_CHECKING:
    from bank_python.backtester import (
        Backtester,
        MacroBacktest,
        MomentumBacktest,
        StatArbBacktest,
        VolArbBacktest,
    )
    from bank_python.barbara import BarbaraDB
    from bank_python.dagger import DependencyGraph, node_function
    from bank_python.desk import Desk, build_desk
    from bank_python.errors import (
        BankError,
        CycleError,
        DomainError,
        JournalError,
        UpstreamError,
    )
    from bank_python.instruments import (
        AmericanOption,
        BarrierOption,
        Bond,
        Book,
        CreditCurve,
        CreditDefaultSwap,
        DigitalOption,
        DiscountCurve,
        Equity,
        FloatingBond,
        ForwardOption,
        FXForward,
        FXOption,
        FXRate,
        InterestRateSwap,
        Option,
        PerpetualFuture,
        Position,
        PowerLawOption,
        VolSurface,
    )
    from bank_python.macro import read_fred, read_gauges
    from bank_python.market_data import (
        CcxtFeed,
        Clock,
        HistoryFeed,
        MarketData,
        MarketDataManager,
        ReplayFeed,
        SimulatedFeed,
        YahooFeed,
    )
    from bank_python.mc_engine import FactorModel, MCConfig, MonteCarloEngine, ReactiveRisk
    from bank_python.mntable import Table
    from bank_python.optimizer import (
        BarbellOptimizer,
        Constraints,
        CovarianceData,
        EfficientFrontier,
        Group,
        MeanVarianceOptimizer,
        OptimalPortfolio,
        ReactivePortfolio,
        Rebalancer,
        RiskParityOptimizer,
        create_optimizer,
    )
    from bank_python.portfolio import Portfolio, load_portfolio
    from bank_python.risk import PnLAttribution
    from bank_python.risk_models import HestonProcess, MertonJumpDiffusion
    from bank_python.trading_engine import (
        CarryTradeSignal,
        ContrarianSignal,
        CreditArbSignal,
        EventDrivenSignal,
        ExecutionModel,
        GammaScalpSignal,
        IndexArbSignal,
        MacroSignal,
        MomentumSignal,
        MultiAssetSignal,
        Order,
        PairsTradeSignal,
        PositionLimits,
        StatArbSignal,
        TechMomentumSignal,
        TradeAnalysis,
        TradeTracker,
        TradingEngine,
        VolArbSignal,
        VolSpreadSignal,
    )
    from bank_python.walpole import JobConfig, JobMode, JobRunner, JobStatus

__version__ = "0.1.0"

_OLD_NAMES = {"FactorLaw": "FactorModel"}

_HOME = {
    "Backtester": "backtester",
    "MacroBacktest": "backtester",
    "MomentumBacktest": "backtester",
    "StatArbBacktest": "backtester",
    "BarbaraDB": "barbara",
    "DependencyGraph": "dagger",
    "node_function": "dagger",
    "Desk": "desk",
    "build_desk": "desk",
    "BankError": "errors",
    "CycleError": "errors",
    "DomainError": "errors",
    "JournalError": "errors",
    "UpstreamError": "errors",
    "AmericanOption": "instruments",
    "BarrierOption": "instruments",
    "DigitalOption": "instruments",
    "Bond": "instruments",
    "Book": "instruments",
    "CreditCurve": "instruments",
    "CreditDefaultSwap": "instruments",
    "DiscountCurve": "instruments",
    "Equity": "instruments",
    "FXForward": "instruments",
    "FXOption": "instruments",
    "FXRate": "instruments",
    "FloatingBond": "instruments",
    "ForwardOption": "instruments",
    "InterestRateSwap": "instruments",
    "Option": "instruments",
    "PerpetualFuture": "instruments",
    "Position": "instruments",
    "PowerLawOption": "instruments",
    "VolSurface": "instruments",
    "read_fred": "macro",
    "read_gauges": "macro",
    "CcxtFeed": "market_data",
    "Clock": "market_data",
    "HistoryFeed": "market_data",
    "MarketData": "market_data",
    "MarketDataManager": "market_data",
    "ReplayFeed": "market_data",
    "SimulatedFeed": "market_data",
    "YahooFeed": "market_data",
    "FactorModel": "mc_engine",
    "MCConfig": "mc_engine",
    "MonteCarloEngine": "mc_engine",
    "ReactiveRisk": "mc_engine",
    "Table": "mntable",
    "BarbellOptimizer": "optimizer",
    "Constraints": "optimizer",
    "CovarianceData": "optimizer",
    "EfficientFrontier": "optimizer",
    "Group": "optimizer",
    "MeanVarianceOptimizer": "optimizer",
    "OptimalPortfolio": "optimizer",
    "ReactivePortfolio": "optimizer",
    "Rebalancer": "optimizer",
    "RiskParityOptimizer": "optimizer",
    "create_optimizer": "optimizer",
    "Portfolio": "portfolio",
    "load_portfolio": "portfolio",
    "PnLAttribution": "risk",
    "HestonProcess": "risk_models",
    "MertonJumpDiffusion": "risk_models",
    "ExecutionModel": "trading_engine",
    "Order": "trading_engine",
    "PositionLimits": "trading_engine",
    "TradeAnalysis": "trading_engine",
    "TradeTracker": "trading_engine",
    "TradingEngine": "trading_engine",
    "MacroSignal": "trading_engine",
    "CarryTradeSignal": "trading_engine",
    "ContrarianSignal": "trading_engine",
    "CreditArbSignal": "trading_engine",
    "EventDrivenSignal": "trading_engine",
    "GammaScalpSignal": "trading_engine",
    "IndexArbSignal": "trading_engine",
    "MultiAssetSignal": "trading_engine",
    "PairsTradeSignal": "trading_engine",
    "TechMomentumSignal": "trading_engine",
    "VolSpreadSignal": "trading_engine",
    "MomentumSignal": "trading_engine",
    "StatArbSignal": "trading_engine",
    "VolArbBacktest": "backtester",
    "VolArbSignal": "trading_engine",
    "JobConfig": "walpole",
    "JobMode": "walpole",
    "JobRunner": "walpole",
    "JobStatus": "walpole",
}

__all__ = [
    "AmericanOption",
    "Backtester",
    "BankError",
    "BarbaraDB",
    "BarbellOptimizer",
    "BarrierOption",
    "Bond",
    "Book",
    "CarryTradeSignal",
    "CcxtFeed",
    "Clock",
    "Constraints",
    "ContrarianSignal",
    "CovarianceData",
    "CreditArbSignal",
    "CreditCurve",
    "CreditDefaultSwap",
    "CycleError",
    "DependencyGraph",
    "Desk",
    "DigitalOption",
    "DiscountCurve",
    "DomainError",
    "EfficientFrontier",
    "Equity",
    "EventDrivenSignal",
    "ExecutionModel",
    "FXForward",
    "FXOption",
    "FXRate",
    "FactorModel",
    "FloatingBond",
    "ForwardOption",
    "GammaScalpSignal",
    "Group",
    "HestonProcess",
    "HistoryFeed",
    "IndexArbSignal",
    "InterestRateSwap",
    "JobConfig",
    "JobMode",
    "JobRunner",
    "JobStatus",
    "JournalError",
    "MCConfig",
    "MacroBacktest",
    "MacroSignal",
    "MarketData",
    "MarketDataManager",
    "MeanVarianceOptimizer",
    "MertonJumpDiffusion",
    "MomentumBacktest",
    "MomentumSignal",
    "MonteCarloEngine",
    "MultiAssetSignal",
    "OptimalPortfolio",
    "Option",
    "Order",
    "PairsTradeSignal",
    "PerpetualFuture",
    "PnLAttribution",
    "Portfolio",
    "Position",
    "PositionLimits",
    "PowerLawOption",
    "ReactivePortfolio",
    "ReactiveRisk",
    "Rebalancer",
    "ReplayFeed",
    "RiskParityOptimizer",
    "SimulatedFeed",
    "StatArbBacktest",
    "StatArbSignal",
    "Table",
    "TechMomentumSignal",
    "TradeAnalysis",
    "TradeTracker",
    "TradingEngine",
    "UpstreamError",
    "VolArbBacktest",
    "VolArbSignal",
    "VolSpreadSignal",
    "VolSurface",
    "YahooFeed",
    "build_desk",
    "create_optimizer",
    "load_portfolio",
    "node_function",
    "read_fred",
    "read_gauges",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOME[name]
    except KeyError:
        from bank_python.deprecation import old_names

        return old_names(__name__, _OLD_NAMES)(name)
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    own = {name for name in globals() if name.startswith("__") and name.endswith("__")}
    return sorted({*__all__, *_HOME.values(), *own})
