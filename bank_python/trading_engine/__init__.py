"""Trading: orders, limits and fills, the books of an account, the audit trail, the option tracker, trade analysis."""

from bank_python.completion import public_names
from bank_python.trading_engine.accruals import borrow_fee, cash_interest
from bank_python.trading_engine.analysis import TradeAnalysis
from bank_python.trading_engine.audit import AuditCheck, AuditEvent, AuditTrail
from bank_python.trading_engine.bar_fills import BarBracket, BarFill, BarOrder, FillReason, fill_bracket, fill_on_bar
from bank_python.trading_engine.books import Books, LedgerBooks
from bank_python.trading_engine.buckets import INSURED_FUNDS, BucketUse, TrackerConfig, bucket_of
from bank_python.trading_engine.carry_trade import CarryTradeSignal
from bank_python.trading_engine.closed_options import (
    ClosedTrade,
    MonthBleed,
    MonthlyBleed,
    NameFlag,
    NameResult,
    TradeConcentration,
)
from bank_python.trading_engine.contrarian import ContrarianSignal
from bank_python.trading_engine.convexity import Convexity, convexity
from bank_python.trading_engine.credit_arb import CreditArbSignal
from bank_python.trading_engine.engine import TradingEngine
from bank_python.trading_engine.event_driven import EventDrivenSignal
from bank_python.trading_engine.events import (
    BorrowFeeEvent,
    ConversionEvent,
    DelistingEvent,
    DepositEvent,
    DividendEvent,
    FillEvent,
    FundingEvent,
    InterestEvent,
    MergerEvent,
    SplitEvent,
    SymbolChangeEvent,
    event_from_dict,
)
from bank_python.trading_engine.execution import ExecutionModel, FillCost
from bank_python.trading_engine.fifo_gains import FifoGains, fifo_gains
from bank_python.trading_engine.gamma_scalp import GammaScalpSignal
from bank_python.trading_engine.greek_ladder import GreekLadder, Rung
from bank_python.trading_engine.import_report import FolderImport, ImportReport
from bank_python.trading_engine.index_arb import IndexArbSignal
from bank_python.trading_engine.large_moves import LargeMoves
from bank_python.trading_engine.ledger import Ledger
from bank_python.trading_engine.ledger_history import LedgerHistory
from bank_python.trading_engine.ledger_state import Booking, HeldPosition, InstrumentTerms, LedgerSettings, LedgerState
from bank_python.trading_engine.limits import Exposure, LimitBreach, PositionLimits
from bank_python.trading_engine.lots import Closing, Lot, LotMethod, Lots
from bank_python.trading_engine.macro_signal import MacroSignal
from bank_python.trading_engine.margin import (
    LiquidationOrder,
    LiquidationPlan,
    MarginPosition,
    MarginRates,
    MarginState,
    liquidation_plan,
    margin_positions,
    margin_state,
)
from bank_python.trading_engine.market import ContractTerms, Market
from bank_python.trading_engine.momentum import MomentumSignal
from bank_python.trading_engine.multi_asset import MultiAssetSignal
from bank_python.trading_engine.open_options import OpenOption, OpenOptions, Urgency
from bank_python.trading_engine.option_book import OptionBook, OptionLine
from bank_python.trading_engine.option_trade import OptionTrade, TradeAction, parse_contract
from bank_python.trading_engine.order import Order
from bank_python.trading_engine.order_book import OrderBook
from bank_python.trading_engine.pairs_trade import PairDistance, PairsTradeSignal
from bank_python.trading_engine.reconciliation import CashReconciliation, Reconciliation
from bank_python.trading_engine.replays import replay
from bank_python.trading_engine.replies import Fill, Rejection, Working
from bank_python.trading_engine.round_trips import RoundTrip, TripMatching
from bank_python.trading_engine.ruin import RuinDistance, RuinPoint
from bank_python.trading_engine.shadow_greeks import ShadowGreeks
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_option import SignalOption
from bank_python.trading_engine.signal_report import Signal, SignalProblem, SignalReport
from bank_python.trading_engine.stat_arb import StatArbSignal
from bank_python.trading_engine.statement import Statement, StatementRow
from bank_python.trading_engine.tech_momentum import TechMomentumSignal
from bank_python.trading_engine.tracker import TradeTracker
from bank_python.trading_engine.tracker_rules import RuleAlert, TrackerAlerts, TrackerRule
from bank_python.trading_engine.tracker_snapshot import SnapshotHistory, TrackerSnapshot
from bank_python.trading_engine.trade_luck import FEW_TRADES, TradeLuck, trade_luck
from bank_python.trading_engine.trade_statistics import TradeGroups, TradeStatistics
from bank_python.trading_engine.vol_arb import VolArbSignal
from bank_python.trading_engine.vol_rule import VolRule
from bank_python.trading_engine.vol_spread import VolSpreadSignal
from bank_python.trading_engine.words import ImpactModel, OrderStatus, OrderType, Side, TimeInForce, read_word

__all__ = [
    "FEW_TRADES",
    "INSURED_FUNDS",
    "AuditCheck",
    "AuditEvent",
    "AuditTrail",
    "BarBracket",
    "BarFill",
    "BarOrder",
    "Booking",
    "Books",
    "BorrowFeeEvent",
    "BucketUse",
    "CarryTradeSignal",
    "CashReconciliation",
    "ClosedTrade",
    "Closing",
    "ContractTerms",
    "ContrarianSignal",
    "ConversionEvent",
    "Convexity",
    "CreditArbSignal",
    "DelistingEvent",
    "DepositEvent",
    "DividendEvent",
    "EventDrivenSignal",
    "ExecutionModel",
    "Exposure",
    "FifoGains",
    "Fill",
    "FillCost",
    "FillEvent",
    "FillReason",
    "FolderImport",
    "FundingEvent",
    "GammaScalpSignal",
    "GreekLadder",
    "HeldPosition",
    "ImpactModel",
    "ImportReport",
    "IndexArbSignal",
    "InstrumentTerms",
    "InterestEvent",
    "LargeMoves",
    "Ledger",
    "LedgerBooks",
    "LedgerHistory",
    "LedgerSettings",
    "LedgerState",
    "LimitBreach",
    "LiquidationOrder",
    "LiquidationPlan",
    "Lot",
    "LotMethod",
    "Lots",
    "MacroSignal",
    "MarginPosition",
    "MarginRates",
    "MarginState",
    "Market",
    "MergerEvent",
    "MomentumSignal",
    "MonthBleed",
    "MonthlyBleed",
    "MultiAssetSignal",
    "NameFlag",
    "NameResult",
    "OpenOption",
    "OpenOptions",
    "OptionBook",
    "OptionLine",
    "OptionTrade",
    "Order",
    "OrderBook",
    "OrderStatus",
    "OrderType",
    "PairDistance",
    "PairsTradeSignal",
    "PositionLimits",
    "Reconciliation",
    "Rejection",
    "RoundTrip",
    "RuinDistance",
    "RuinPoint",
    "RuleAlert",
    "Rung",
    "ShadowGreeks",
    "Side",
    "Signal",
    "SignalOption",
    "SignalProblem",
    "SignalReport",
    "SignalRule",
    "SnapshotHistory",
    "SplitEvent",
    "StatArbSignal",
    "Statement",
    "StatementRow",
    "SymbolChangeEvent",
    "TechMomentumSignal",
    "TimeInForce",
    "TrackerAlerts",
    "TrackerConfig",
    "TrackerRule",
    "TrackerSnapshot",
    "TradeAction",
    "TradeAnalysis",
    "TradeConcentration",
    "TradeGroups",
    "TradeLuck",
    "TradeStatistics",
    "TradeTracker",
    "TradingEngine",
    "TripMatching",
    "Urgency",
    "VolArbSignal",
    "VolRule",
    "VolSpreadSignal",
    "Working",
    "borrow_fee",
    "bucket_of",
    "cash_interest",
    "convexity",
    "event_from_dict",
    "fifo_gains",
    "fill_bracket",
    "fill_on_bar",
    "liquidation_plan",
    "margin_positions",
    "margin_state",
    "parse_contract",
    "read_word",
    "replay",
    "trade_luck",
]

__dir__ = public_names(__name__)
