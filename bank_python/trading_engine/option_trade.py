"""Trades in listed options, and the key by which one is known again when it is read twice.

A trade's key is a hash of its contents (account, date, contract, action, quantity, price) and a count: the second of
two equal fills of one statement is another trade, and the same statement read again brings the same keys.

Examples
--------
>>> contract = parse_contract(" -SPY250620P500")
>>> contract.name
'SPY 2025-06-20 P 500'
>>> from datetime import date
>>> bought = OptionTrade(contract, date(2025, 3, 3), TradeAction.BUY_OPEN, 10.0, 4.2)
>>> bought.signed_quantity, bought.cash
(10.0, -4200.0)
"""

from __future__ import annotations

import enum
import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.barbara import storable
from bank_python.cells import CellError
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.instruments.option_symbol import OptionSymbol, parse_option

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["OptionTrade", "RealisedTrade", "StatedOption", "TradeAction", "as_action", "content_hash", "parse_contract"]

MULTIPLIER = 100.0
"""Units of the underlying per contract of a listed US option."""

_HASH_LENGTH = 16


@storable("trading.TradeAction", version=1)
class TradeAction(enum.Enum):
    """What a trade does to a position."""

    BUY_OPEN = "BUY_OPEN"
    SELL_CLOSE = "SELL_CLOSE"
    SELL_OPEN = "SELL_OPEN"
    BUY_CLOSE = "BUY_CLOSE"

    @property
    def sign(self) -> float:
        """1 for a purchase, -1 for a sale."""
        return 1.0 if self.value.startswith("BUY") else -1.0

    @property
    def closes(self) -> bool:
        """Whether the trade only reduces a position."""
        return self.value.endswith("CLOSE")


@storable("trading.OptionTrade", version=1)
@dataclass(frozen=True, slots=True)
class OptionTrade(Record):
    """A fill, or the settlement of an expired option.

    Parameters
    ----------
    contract : OptionSymbol
        Contract that was traded.
    date : date
        Day of the trade.
    action : TradeAction
        Purchase or sale, that opens or closes.
    quantity : float
        Number of contracts, above 0.
    price : float
        Price per unit of the underlying, at least 0; the intrinsic value for a settlement.
    multiplier : float, default 100.0
        Units of the underlying per contract.
    fees : float, default 0.0
        Fees in money; negative for a rebate.
    account : str, default ""
        Account of the trade; empty if unknown.
    bucket : str, default ""
        Purpose that was stated, such as ``insurance``; empty for the rule of the tracker.
    note : str, default ""
        Remark of the trader.
    settles : bool, default False
        Whether the option expired, was exercised or was assigned.
    key : str, default ""
        Hash of the contents and a count; see :func:`content_hash`.
    """

    contract: OptionSymbol
    date: dt.date
    action: TradeAction
    quantity: float
    price: float
    multiplier: float = MULTIPLIER
    fees: float = 0.0
    account: str = ""
    bucket: str = ""
    note: str = ""
    settles: bool = False
    key: str = ""

    @property
    def signed_quantity(self) -> float:
        """Number of contracts, negative for a sale."""
        return self.action.sign * self.quantity

    @property
    def cash(self) -> float:
        """Cash received, negative if paid; after fees."""
        return -self.signed_quantity * self.price * self.multiplier - self.fees

    @property
    def contents(self) -> tuple[object, ...]:
        """What makes two trades equal, the account aside."""
        return (self.date, self.contract, self.action, round(self.quantity, 8), round(self.price, 8), self.settles)


@storable("trading.RealisedTrade", version=1)
@dataclass(frozen=True, slots=True)
class RealisedTrade(Record):
    """A closed position as the broker states it.

    Parameters
    ----------
    contract : OptionSymbol
        Listed option that was held.
    cost, proceeds : float
        Cash paid and received, in money.
    gain : float
        Gain or loss, in money.
    account : str, default ""
        Account of the position; empty if unknown.
    key : str, default ""
        Hash of the contents and a count.
    """

    contract: OptionSymbol
    cost: float
    proceeds: float
    gain: float
    account: str = ""
    key: str = ""


@storable("trading.StatedOption", version=1)
@dataclass(frozen=True, slots=True)
class StatedOption(Record):
    """A position as the broker states it on a day.

    Parameters
    ----------
    contract : OptionSymbol
        Listed option that is held.
    date : date
        Day of the statement, whose trades it includes.
    quantity : float
        Number of contracts, negative if short.
    cost : float
        Net premium paid for the position in money, negative if received.
    value : float, optional
        Market value in money, negative if short; None if it is not stated.
    multiplier : float, default 100.0
        Units of the underlying per contract.
    account : str, default ""
        Account of the position; empty if unknown.
    """

    contract: OptionSymbol
    date: dt.date
    quantity: float
    cost: float
    value: float | None = None
    multiplier: float = MULTIPLIER
    account: str = ""


def parse_contract(symbol: str | OptionSymbol) -> OptionSymbol:
    """Return the contract that an option symbol names.

    Parameters
    ----------
    symbol : str or OptionSymbol
        Symbol in a broker's spelling, such as ``" -SPY250620P500"`` or ``"SPY 2025-06-20 P 500"``.

    Raises
    ------
    TradingError
        It names no option, or its date or strike does not exist.
    """
    if isinstance(symbol, OptionSymbol):
        return symbol
    if not isinstance(symbol, str):
        raise TradingError(f"symbol={symbol!r} is not text; write it as -SPY250620P500", name="symbol", value=symbol)
    try:
        found = _parsed(symbol)
    except (CellError, ValueError) as error:
        raise TradingError(f"the option symbol {symbol!r} cannot be read: {error}", value=symbol) from error
    if found is None:
        raise TradingError(f"{symbol!r} is no option symbol; write it as -SPY250620P500", value=symbol)
    return found


def _parsed(symbol: str) -> OptionSymbol | None:
    text = symbol.strip()
    return parse_option(text) or parse_option(f"-{text}")  # the hyphen of -SPY250620P500 is often left out


def as_action(action: str | TradeAction) -> TradeAction:
    """Return an action from its name.

    Raises
    ------
    TradingError
        There is no action of that name.
    """
    try:
        return TradeAction(action.strip().upper() if isinstance(action, str) else action)
    except ValueError:
        raise TradingError(
            f"action={action!r} is none of {', '.join(one.value for one in TradeAction)}", name="action", value=action
        ) from None


def content_hash(*contents: object) -> str:
    """Return a short hash of values, the same in every process.

    Parameters
    ----------
    *contents : object
        Text, dates, contracts and numbers; numbers count with ten significant digits.
    """
    text = "|".join(_spelled(item) for item in contents)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:_HASH_LENGTH]


def _spelled(item: object) -> str:
    if isinstance(item, OptionSymbol):
        return item.name
    if isinstance(item, enum.Enum):
        return str(item.value)
    if isinstance(item, float):
        return f"{item:.10g}" if math.isfinite(item) else str(item)
    return str(item)
