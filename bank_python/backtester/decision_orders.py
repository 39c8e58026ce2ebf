"""From what a strategy wants to orders: targets are compared with what is held and already ordered.

A weight is a share of equity at the last closes. Sales come first, then purchases by their value, so that cash is there
when it is needed. Orders carry the last close, at which they are checked.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from bank_python.backtester.option_quotes import MULTIPLIER
from bank_python.backtester.strategy import Targets
from bank_python.errors import BacktestError, TradingError
from bank_python.instruments.option_symbol import OptionSymbol
from bank_python.trading_engine import Order, Side, SignalOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bank_python.backtester.account import Account
    from bank_python.backtester.option_quotes import OptionQuotes
    from bank_python.backtester.strategy import Decision
    from bank_python.backtester.tape import Tape
    from bank_python.trading_engine import TradingEngine

__all__ = ["DecisionOrders"]

_DUST = 1e-9  # share of a position up to which a difference to its target is rounding


class DecisionOrders:
    """Makes orders of decisions.

    Parameters
    ----------
    tape : Tape
        Bars, up to the present one.
    options : OptionQuotes
        Prices of options.
    account : Account
        Account of the replay.
    engine : TradingEngine
        Engine with the orders that work.
    trader : str
        Name of the trader of orders that are made of targets.
    whole_units : bool
        Whether targets are rounded towards 0 to whole units.
    """

    def __init__(
        self,
        tape: Tape,
        options: OptionQuotes,
        account: Account,
        engine: TradingEngine,
        trader: str,
        *,
        whole_units: bool,
    ) -> None:
        self._trader = trader
        self._tape, self._options, self._account, self._engine = tape, options, account, engine
        self._whole = whole_units

    def of(self, decision: Decision) -> list[Order]:
        """Return the orders of a decision, in the order in which they are submitted.

        Parameters
        ----------
        decision : Targets or tuple of Order
            Decision of a strategy.

        Raises
        ------
        BacktestError
            A ticker has no bars, or has had none yet.
        """
        if isinstance(decision, Targets):
            return self._to_targets(decision)
        return [self._priced(each) for order in decision for each in self._dated(order)]

    def is_traded(self, name: str) -> bool:
        """Return whether an instrument, or its underlying, has a bar now that is not one without volume.

        Parameters
        ----------
        name : str
            Name of the instrument.
        """
        option = self._options.symbol(name)
        return self._tape.is_traded(name if option is None else option.underlying)

    def _to_targets(self, targets: Targets) -> list[Order]:
        units = {**self._from_weights(targets.weights), **targets.units}
        pending = self._pending() if self._engine.order_book.is_waited_for else {}
        orders = []
        for name, wanted in units.items():
            price, held = self._known_price(name), self._account.held_units.get(name, 0.0)
            aim = math.trunc(float(wanted)) if self._whole else float(wanted)
            change = aim - held - pending.get(name, 0.0)
            if abs(change) > _DUST * max(abs(aim), abs(held), 1e-12):
                side = Side.BUY if change > 0.0 else Side.SELL
                orders.append(Order("", self._trader, name, side, abs(change), price=price, reason=targets.reason))
        if len(orders) > 1:
            orders.sort(key=lambda order: (order.side is Side.BUY, order.quantity * (order.price or 0.0)))
        return orders

    def _from_weights(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Return the units that make up shares of equity at the last closes."""
        if not weights:
            return {}
        equity, options = max(self._account.equity_now, 0.0), self._options  # after ruin targets only close positions
        known = {name: self._known_price(name) * options.multiplier(name) for name in weights}
        return {name: float(weight) * equity / known[name] for name, weight in weights.items()}

    def _known_price(self, name: str) -> float:
        price = self._options.close(name)
        if math.isnan(price):
            option = self._options.symbol(name)
            lacking = "has had no bar yet, so that it has no price for a target"
            if option is not None:
                known = f"window.implied_vol({option.underlying!r}) is NaN until there are 20 returns"
                lacking = f"has no volatility of {option.underlying} yet: {known}; wait, or give vols="
            raise BacktestError(f"{name} {lacking}", name=name)
        return price

    def _pending(self) -> dict[str, float]:
        """Return the units that open orders would bring; stops and targets that protect a position bring none."""
        found: dict[str, float] = {}
        for waiting in self._engine.order_book.waiting:
            bought, sold = waiting.pending
            found[waiting.instrument] = found.get(waiting.instrument, 0.0) + bought - sold
        return found

    def _dated(self, order: Order) -> Iterable[Order]:
        """Return an order in an option without a date, such as AAPL_30D_STRADDLE, as orders in listed ones."""
        name = order.instrument_name
        if name in self._tape.tickers or not name.endswith(("STRADDLE", "C", "P")):
            return (order,)
        try:
            option = SignalOption.from_name(name)
        except TradingError:  # it is a symbol of a listed option
            return (order,)
        spot, expiry = self._tape.last(option.ticker), self._tape.date.date() + dt.timedelta(days=option.days)
        strike = float(f"{spot * option.moneyness / 100.0:.6g}")
        kinds = "CP" if option.kind == "STRADDLE" else option.kind
        return [
            Order(
                "", order.trader, OptionSymbol(option.ticker, expiry, strike, kind == "C").name, order.side,
                order.quantity / MULTIPLIER, strategy=order.strategy, reason=order.reason, strength=order.strength,
            )
            for kind in kinds
        ]  # fmt: skip

    def _priced(self, order: Order) -> Order:
        """Return an order with the last close, which it is checked at, in place of the price that it carries."""
        close = self._options.close(order.instrument_name)  # refuses what has no bars
        return order if order.price == close or math.isnan(close) else order.at_price(close)
