"""Trading: orders, limits and fills, the books of an account, costs and schedules, the audit trail."""

from bank_python.completion import public_names
from bank_python.trading_engine.accruals import borrow_fee, cash_interest
from bank_python.trading_engine.bar_fills import BarBracket, BarFill, BarOrder, FillReason, fill_bracket, fill_on_bar
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
from bank_python.trading_engine.ledger import Ledger
from bank_python.trading_engine.ledger_history import LedgerHistory
from bank_python.trading_engine.ledger_state import Booking, HeldPosition, InstrumentTerms, LedgerSettings, LedgerState
from bank_python.trading_engine.lots import Closing, Lot, LotMethod, Lots
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
from bank_python.trading_engine.reconciliation import CashReconciliation, Reconciliation
from bank_python.trading_engine.statement import Statement, StatementRow
from bank_python.trading_engine.words import ImpactModel, OrderStatus, OrderType, Side, TimeInForce, read_word

__all__ = [
    "BarBracket",
    "BarFill",
    "BarOrder",
    "Booking",
    "BorrowFeeEvent",
    "CashReconciliation",
    "Closing",
    "ConversionEvent",
    "DelistingEvent",
    "DepositEvent",
    "DividendEvent",
    "ExecutionModel",
    "FillCost",
    "FillEvent",
    "FillReason",
    "FundingEvent",
    "HeldPosition",
    "ImpactModel",
    "InstrumentTerms",
    "InterestEvent",
    "Ledger",
    "LedgerHistory",
    "LedgerSettings",
    "LedgerState",
    "LiquidationOrder",
    "LiquidationPlan",
    "Lot",
    "LotMethod",
    "Lots",
    "MarginPosition",
    "MarginRates",
    "MarginState",
    "MergerEvent",
    "OrderStatus",
    "OrderType",
    "Reconciliation",
    "Side",
    "SplitEvent",
    "Statement",
    "StatementRow",
    "SymbolChangeEvent",
    "TimeInForce",
    "borrow_fee",
    "cash_interest",
    "event_from_dict",
    "fill_bracket",
    "fill_on_bar",
    "liquidation_plan",
    "margin_positions",
    "margin_state",
    "read_word",
]

__dir__ = public_names(__name__)
