"""Trading: orders and their words, the option tracker, the analysis of trades."""

from bank_python.completion import public_names
from bank_python.trading_engine.analysis import TradeAnalysis
from bank_python.trading_engine.buckets import INSURED_FUNDS, BucketUse, TrackerConfig, bucket_of
from bank_python.trading_engine.closed_options import (
    ClosedTrade,
    MonthBleed,
    MonthlyBleed,
    NameFlag,
    NameResult,
    TradeConcentration,
)
from bank_python.trading_engine.convexity import Convexity, convexity
from bank_python.trading_engine.greek_ladder import GreekLadder, Rung
from bank_python.trading_engine.import_report import ImportReport
from bank_python.trading_engine.large_moves import LargeMoves
from bank_python.trading_engine.open_options import OpenOption, OpenOptions, Urgency
from bank_python.trading_engine.option_book import OptionBook, OptionLine
from bank_python.trading_engine.option_trade import OptionTrade, TradeAction, parse_contract
from bank_python.trading_engine.round_trips import RoundTrip, TripMatching
from bank_python.trading_engine.ruin import RuinDistance, RuinPoint
from bank_python.trading_engine.shadow_greeks import ShadowGreeks
from bank_python.trading_engine.tracker import TradeTracker
from bank_python.trading_engine.tracker_rules import RuleAlert, TrackerAlerts, TrackerRule
from bank_python.trading_engine.trade_luck import FEW_TRADES, TradeLuck, trade_luck
from bank_python.trading_engine.trade_statistics import TradeGroups, TradeStatistics
from bank_python.trading_engine.vol_rule import VolRule
from bank_python.trading_engine.words import OrderStatus, OrderType, Side, TimeInForce

__all__ = [
    "FEW_TRADES",
    "INSURED_FUNDS",
    "BucketUse",
    "ClosedTrade",
    "Convexity",
    "GreekLadder",
    "ImportReport",
    "LargeMoves",
    "MonthBleed",
    "MonthlyBleed",
    "NameFlag",
    "NameResult",
    "OpenOption",
    "OpenOptions",
    "OptionBook",
    "OptionLine",
    "OptionTrade",
    "OrderStatus",
    "OrderType",
    "RoundTrip",
    "RuinDistance",
    "RuinPoint",
    "RuleAlert",
    "Rung",
    "ShadowGreeks",
    "Side",
    "TimeInForce",
    "TrackerAlerts",
    "TrackerConfig",
    "TrackerRule",
    "TradeAction",
    "TradeAnalysis",
    "TradeConcentration",
    "TradeGroups",
    "TradeLuck",
    "TradeStatistics",
    "TradeTracker",
    "TripMatching",
    "Urgency",
    "VolRule",
    "bucket_of",
    "convexity",
    "parse_contract",
    "trade_luck",
]

__dir__ = public_names(__name__)
