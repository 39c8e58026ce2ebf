"""What the engine of a back-test asks of the market: the terms of options; orders carry their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.backtester.option_quotes import MULTIPLIER
from bank_python.errors import TradingError
from bank_python.trading_engine.market import ContractTerms, Market

if TYPE_CHECKING:
    from bank_python.backtester.option_quotes import OptionQuotes
    from bank_python.trading_engine import Order

__all__ = ["OptionMarket"]

_SHARE, _OPTION = ContractTerms(), ContractTerms(multiplier=MULTIPLIER)


class OptionMarket(Market):
    """A market of tickers and of options on them.

    Parameters
    ----------
    options : OptionQuotes
        Prices of options.
    """

    def __init__(self, options: OptionQuotes) -> None:
        self._options = options

    def price(self, order: Order) -> float | None:
        """Return the price that an order carries, if its instrument still trades."""
        if self._options.has_ended(order.instrument_name):
            raise TradingError("it has expired")
        return order.price

    def terms(self, instrument: str) -> ContractTerms:
        """Return how a ticker or an option is paid for."""
        return _SHARE if self._options.symbol(instrument) is None else _OPTION
