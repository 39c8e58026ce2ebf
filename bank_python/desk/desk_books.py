"""The books of a desk as a trading engine sees them: fills become trades of the desk.

A fill changes the trader's position and cash in the graph, the blotter, and the audit trail, in one transaction of the
desk's store: all of it or nothing.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from bank_python.desk.booking import Ticket, booking
from bank_python.desk.orders import checked_multiplier, checked_price, checked_quantity
from bank_python.errors import BankError, DeskError, TradingError
from bank_python.trading_engine import Books, ContractTerms, FillEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bank_python.desk.contract_names import ContractNames
    from bank_python.desk.desk import Desk
    from bank_python.desk.trader import Trader
    from bank_python.instruments import Instrument, Position
    from bank_python.trading_engine import AuditTrail, Market, Order

__all__ = ["DeskBooks"]


class DeskBooks(Books):
    """The positions of a desk's traders as the books of an engine.

    Parameters
    ----------
    desk : Desk
        Desk that owns the positions.
    names : ContractNames
        Contracts by name.
    capital : float
        Capital of each trader in USD, above 0.
    """

    def __init__(self, desk: Desk, names: ContractNames, capital: float) -> None:
        self._desk, self._names, self._capital = desk, names, capital
        self._held: dict[str, Position] = {}  # one position in each contract, which says how it is paid for

    def __repr__(self) -> str:
        return f"<DeskBooks: {', '.join(self._desk.traders.names)}>"

    @property
    def currency(self) -> str:
        """USD."""
        return "USD"

    def units(self, trader: str | None) -> Mapping[str, float]:
        """Return the units in the open positions by the name of the contract."""
        held: dict[str, float] = {}
        for position in self._positions(trader):
            if position.quantity:
                held[_name(position)] = held.get(_name(position), 0.0) + position.quantity
        return held

    def prices(self, trader: str | None, known: Mapping[str, float]) -> Mapping[str, float]:
        """Return the present values of the contracts held, NaN for those without one, and what the engine has seen."""
        values = {_name(each): self._quoted(each) for each in self._positions(trader)}
        return {**values, **known}

    def terms(self, instrument: str, market: Market) -> ContractTerms:
        """Return multiplier and currency of the contract."""
        if instrument not in self._held:
            self._held = {_name(each): each for each in self._positions(None)}
        position = self._held.get(instrument)
        if position is None:
            return market.terms(instrument)
        par = self._names.par(cast("Instrument", position.instrument))
        return ContractTerms(position.multiplier, position.currency, par=par)

    def pnl(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:  # noqa: ARG002 - has its own
        """Return the P&L of the trader's book, or of the firm."""
        node = self._desk.firm_pnl if trader is None else self._trader(trader).pnl
        try:
            return float(node.value)
        except BankError as error:
            raise TradingError(f"the P&L of {trader or 'the firm'} is not known: {error.message}") from error

    def equity(self, trader: str | None, prices: Mapping[str, float], market: Market) -> float:
        """Return capital and P&L."""
        count = len(self._desk.traders) if trader is None else 1
        return count * self._capital + self.pnl(trader, prices, market)

    def lots(self, trader: str, instrument: str) -> tuple[str, ...]:  # noqa: ARG002 - positions have no lots
        """Return nothing: positions of a desk have an average cost."""
        return ()

    def check(self, trader: str, event: Any) -> None:
        """Raise an error if the desk would refuse the trade."""
        if not isinstance(event, FillEvent):
            raise TradingError(f"a desk books {type(event).__name__} by itself, when it falls due", name="event")
        try:
            self._desk.require_tradable()
            buyer, contract = self._trader(trader), self._names.contract(event.instrument)
            checked_quantity(contract, event.quantity)
            checked_price(contract, event.price)
            checked_multiplier(contract, buyer.position_in(contract), event.multiplier)
        except DeskError as error:
            raise TradingError(error.message) from error

    @contextmanager
    def booked(self, order: Order, event: Any, audit: AuditTrail) -> Iterator[None]:
        """Trade on the desk, in the transaction in which the trail keeps what the block logs."""
        contract = self._names.contract(event.instrument)
        ticket = Ticket(event.quantity, event.price, event.multiplier, event.fees, order.order_id)
        with booking(self._desk, self._trader(order.trader), contract, ticket, audit.together()):
            yield

    def _trader(self, name: str) -> Trader:
        try:
            return self._desk.traders[name]
        except DeskError as error:
            raise TradingError(error.message, name="trader", value=name) from error

    def _quoted(self, position: Position) -> float:
        held = cast("Instrument", position.instrument)
        return math.nan if held.error is not None else float(held.value) + self._names.par(held)

    def _positions(self, trader: str | None) -> Iterator[Position]:
        for each in self._desk.traders if trader is None else (self._trader(trader),):
            yield from each.positions


def _name(position: Position) -> str:
    return cast("Instrument", position.instrument).name
