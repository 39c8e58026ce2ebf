"""The market of a desk as a trading engine sees it: contracts valued by the graph, with what is known of them.

An order fills at the present value of its contract. A contract that depends on a quote that is stale or missing has no
price, and the order is rejected with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger import Leaf
from bank_python.dagger.node import inputs_first
from bank_python.desk.contracts import OPTION_MULTIPLIER, leaf_name
from bank_python.errors import BankError, TradingError
from bank_python.instruments import Instrument, Option, Position
from bank_python.instruments.currency import find_conversion
from bank_python.market_data import QuoteState
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.risk import take_greeks
from bank_python.trading_engine import ContractTerms, Market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger import Node
    from bank_python.desk.contract_names import ContractNames
    from bank_python.desk.parts import DeskParts
    from bank_python.trading_engine import ExecutionModel, Order

__all__ = ["DeskMarket"]

_LIMITED = ("delta", "vega")
_WITH_VOLUME = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})
_MONTH = 21
_FEWEST = 5


class DeskMarket(Market):
    """What a desk knows of instruments.

    Parameters
    ----------
    desk : DeskParts
        Desk with quotes and contracts.
    names : ContractNames
        Contracts by name.
    """

    def __init__(self, desk: DeskParts, names: ContractNames) -> None:
        self._desk, self._names = desk, names
        self._months: dict[str, list[Mapping[str, Any]]] = {}
        self._symbols = {leaf_name(each.symbol, each.kind): each.symbol for each in desk.listings.values()}

    def price(self, order: Order) -> float | None:
        """Return the present value of the order's contract."""
        contract = self._names.contract(order.instrument_name)
        stale = self._stale(contract)
        if stale:
            raise TradingError(stale, name=order.instrument_name)
        price = cast("float", contract.value) + self._names.par(contract)
        if price <= 0.0:
            raise TradingError(f"its present value is {price:g}, and orders fill at prices above 0", value=price)
        return price

    def stale(self, instrument: str) -> str:
        """Return which quote of a contract is stale or missing, in words; empty if all are fresh.

        Parameters
        ----------
        instrument : str
            Name of a contract.

        Raises
        ------
        TradingError
            There is no such contract.
        """
        return self._stale(self._names.contract(instrument))

    def volume(self, instrument: str) -> float | None:
        """Return the mean volume of the last month of a share or fund, None for what has no published volume."""
        if not self._is_share(instrument):
            return None
        known = [float(row["volume"]) for row in self._past(instrument)[-_MONTH:] if row["volume"]]
        return float(np.mean(known)) if known else None

    def vol(self, instrument: str) -> float | None:
        """Return the volatility of a day over the last month of a share or fund."""
        closes = np.array([row["close"] for row in self._past(instrument)])
        return float(np.diff(np.log(closes)).std(ddof=1)) if len(closes) > _FEWEST and (closes > 0.0).all() else None

    def execution(self, instrument: str, model: ExecutionModel) -> ExecutionModel:
        """Return the costs: a cap and a fee for each share; for an option the fee of its shares; for others neither."""
        if self._is_share(instrument):
            return model if self.volume(instrument) is not None else model.changed(participation_cap=None)
        shares = OPTION_MULTIPLIER if isinstance(self._names.contract(instrument), Option) else 0.0
        return model.changed(participation_cap=None, fee_per_share=shares * model.fee_per_share)

    def sector(self, instrument: str) -> str:
        """Return the sector of a listed symbol."""
        listing = self._desk.listings.get(instrument)
        return "" if listing is None else listing.sector

    def terms(self, instrument: str) -> ContractTerms:
        """Return multiplier and currency of a contract that nobody holds yet."""
        contract = self._names.contract(instrument)
        currency = contract.currency if isinstance(contract, Instrument) else None
        return ContractTerms(self._names.multiplier(contract), currency, par=self._names.par(contract))

    def greeks(self, instrument: str) -> Mapping[str, float]:
        """Return delta and vega of one unit, in USD for 1 % of the underlying and for one point of volatility.

        A contract that has ended has none, also while its settlement waits for a quote.
        """
        if self._names.has_ended(instrument):
            return {}
        contract = self._names.contract(instrument)
        if not isinstance(contract, Instrument):
            return {}
        unit = Position(
            "UNIT", instrument=contract, quantity=1.0, cost=0.0, multiplier=self._names.multiplier(contract)
        )
        taken = take_greeks({"UNIT": [unit]}, contract.currency)
        rate = 1.0 if contract.currency == "USD" else self.fx(contract.currency)
        return {name: taken.total(name, "percent") * rate for name in _LIMITED}

    def fx(self, currency: str) -> float:
        """Return the dollars for one unit of a currency at the present rate."""
        return find_conversion(self._desk.graph, currency, "USD").rate(lambda node: node.value)

    def _is_share(self, instrument: str) -> bool:
        listing = self._desk.listings.get(instrument)
        return listing is not None and listing.kind in _WITH_VOLUME

    def _past(self, symbol: str) -> list[Mapping[str, Any]]:
        """Return the bars of the last month and the one before it, loaded once."""
        if symbol in self._months:
            return self._months[symbol]
        if symbol not in self._desk.listings:
            return []
        if symbol not in self._desk.past:
            try:
                self._desk.market.load_history(symbol, "1y", into=self._desk.past)
            except BankError:
                return []
        self._months[symbol] = [*self._desk.past.query(symbol)][-_MONTH - 1 :]
        return self._months[symbol]

    def _stale(self, contract: Node) -> str:
        for node in inputs_first([contract], lambda each: each.underliers, lambda _: True):
            symbol = self._symbols.get(node.name) if isinstance(node, Leaf) else None
            if symbol is None:
                continue
            quote = self._desk.market.quote(symbol)
            if quote.state is not QuoteState.FRESH:
                why = f": {quote.reason}" if quote.reason else ""
                return f"the quote of {symbol} is {quote.state.value}{why}"
        return ""
