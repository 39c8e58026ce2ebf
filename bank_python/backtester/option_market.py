"""What the engine of a back-test asks of the market: the terms of options; orders carry their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.backtester.option_quotes import MULTIPLIER
from bank_python.trading_engine.market import ContractTerms, Market

if TYPE_CHECKING:
    from bank_python.backtester.option_quotes import OptionQuotes

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

    def terms(self, instrument: str) -> ContractTerms:
        """Return how a ticker or an option is paid for."""
        return _SHARE if self._options.symbol(instrument) is None else _OPTION
