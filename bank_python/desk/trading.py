"""Trading of a desk: the traders' signals become orders, and orders become trades, each step in the audit trail.

::

    quotes, books → SIGNALS:<trader> → orders → limits → fills → positions, cash, blotter, audit trail

The rule of each trader (:mod:`bank_python.desk.strategies`) is a node of the graph. :meth:`DeskTrading.trade_signals`
acts on what the nodes say: a signal is acted upon when it appears or turns, and not again while it stays. Orders go to
a :class:`~bank_python.trading_engine.TradingEngine` with the limits of the desk's settings; its fills are trades of the
desk, and a trade and its event are stored together.

Examples
--------
>>> from bank_python.desk import build_desk
>>> desk = build_desk(seed=7)
>>> trading = DeskTrading(desk)
>>> reply = trading.order("Alice", "AAPL", "BUY", 100)
>>> reply.order.status.value, desk.blotter.last(1)[0].order_id == reply.order_id
('FILLED', True)
>>> trading.order("Alice", "AAPL", "BUY", 1_000_000).reason.partition(":")[0]
'Value of the order'
>>> trading.engine.audit.verify().holds
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from bank_python.dagger import LargeNode, OnRead
from bank_python.desk.acted_signals import ActedSignals
from bank_python.desk.contract_names import ContractNames
from bank_python.desk.desk_books import DeskBooks
from bank_python.desk.desk_market import DeskMarket
from bank_python.desk.settings import read_settings
from bank_python.desk.signal_data import SignalData
from bank_python.desk.strategies import strategy_of
from bank_python.display import Displayed, Record
from bank_python.errors import BankError, DeskError, TradingError
from bank_python.instruments import Equity, Option
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.utc import utc_now
from bank_python.trading_engine import AuditTrail, ExecutionModel, Order, PositionLimits, Side, TradingEngine
from bank_python.trading_engine.signal import LEAST_STRENGTH
from bank_python.wording import message_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bank_python.dagger import DerivedNode
    from bank_python.desk.desk import Desk
    from bank_python.desk.settings import DeskSettings
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine import Fill, Rejection, Signal, SignalReport, SignalRule, Working

__all__ = ["DeskTrading", "TraderSignals", "TradingRound"]

_WHOLE = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})


@dataclass(frozen=True, slots=True)
class TraderSignals(Record):
    """What a trader's rule wants at present.

    Parameters
    ----------
    trader, strategy : str
        Names of the trader and of the strategy.
    signals : tuple of Signal
        Present signals, those too weak for an order included.
    problems : tuple of str
        Series that gave no signal because of a fault, or the error of the rule, in words.
    """

    trader: str
    strategy: str
    signals: tuple[Signal, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TradingRound(Record):
    """What became of the traders' signals; returned by :meth:`DeskTrading.trade_signals`.

    Parameters
    ----------
    signals : int
        Number of signals strong enough for an order.
    replies : tuple of Fill, Working or Rejection
        Answers to the orders of signals that have appeared or turned.
    problems : tuple of str
        Faults that cost a signal or an order, each with the name of the trader.
    """

    signals: int
    replies: tuple[Fill | Working | Rejection, ...]
    problems: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The numbers of signals, orders, fills, rejections and problems, in words."""
        filled = sum(reply.is_filled for reply in self.replies)
        rejected = sum(reply.order.reject_reason != "" for reply in self.replies)
        faults = f", {len(self.problems)} problems" if self.problems else ""
        return f"{self.signals} signals, {len(self.replies)} orders, {filled} filled, {rejected} rejected{faults}"


class DeskTrading(Displayed):
    """Signals, orders and the audit trail of a desk.

    Parameters
    ----------
    desk : Desk
        Desk to trade; its store keeps the audit trail. Orders that were open when it was closed work on.
    settings : DeskSettings, optional
        Limits and costs; those of the desk's store by default.
    rules : mapping of str to SignalRule, optional
        Rule of each trader; by default those of :mod:`bank_python.desk.strategies`.
    now : callable, optional
        Clock that returns the current time in UTC.

    Raises
    ------
    DeskError
        A rule is given for a trader that the desk does not have, or a stored setting is not valid.
    TradingError
        The stored audit trail is broken.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        settings: DeskSettings | None = None,
        rules: Mapping[str, SignalRule] | None = None,
        now: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._desk = desk
        self.settings = read_settings(desk.db) if settings is None else settings
        self._names = ContractNames(desk)
        self._market = DeskMarket(desk, self._names)
        self.engine = TradingEngine(
            _execution(self.settings),
            _limits(self.settings),
            ledger=DeskBooks(desk, self._names, self.settings.trader_capital),
            audit=AuditTrail(desk.db, clock=now),
            market=self._market,
            clock=now,
            firm=_firm_limits(self.settings),
        )
        self.rules: dict[str, SignalRule] = _standard_rules(desk) if rules is None else dict(rules)
        for trader in self.rules:
            desk.traders[trader]
        self._data = SignalData(desk, self.opened)
        self._nodes: dict[str, DerivedNode] = {}
        self._acted = ActedSignals(self.engine.audit, self.opened, now)
        self._told: dict[str, str] = {}

    # --- signals -----------------------------------------------------------------------------------

    def load(self, seconds: float | None = None) -> tuple[int, int]:
        """Load the price histories that the rules read; return how many symbols have one, and how many need one.

        Parameters
        ----------
        seconds : float, optional
            Time limit in seconds, after which loading stops; the next call continues. No limit by default.
        """
        return self._data.load([name for rule in self.rules.values() for name in _read_by(rule)], seconds)

    def node(self, trader: str) -> DerivedNode:
        """Return the node ``SIGNALS:<trader>``, whose value is a :class:`~bank_python.trading_engine.SignalReport`.

        Parameters
        ----------
        trader : str
            Name of a trader with a rule.

        Raises
        ------
        DeskError
            The trader has no rule.
        """
        if trader not in self.rules:
            raise DeskError(f"{trader!r} has no rule; those with one are {', '.join(self.rules)}", name="trader")
        rule, graph = self.rules[trader], self._desk.graph
        series = self._data.nodes(self._desk.traders[trader], _read_by(rule))
        known = self._nodes.get(trader)
        if known is not None and known.underliers == tuple(series.values()):
            return known
        with graph.batch():
            if known is not None:  # a series has come that was not there before
                graph.unregister(known)
            examine = partial(_examined, rule, tuple(series))
            made = LargeNode(f"SIGNALS:{trader}", examine, list(series.values()), policy=OnRead())
            self._nodes[trader] = graph.register(made)
        return made

    def signals(self, traders: Iterable[str] | None = None) -> tuple[TraderSignals, ...]:
        """Return what the traders' rules want at present.

        Parameters
        ----------
        traders : iterable of str, optional
            Names of traders; all with a rule by default.
        """
        self.load()
        self._data.follow_market()
        names = tuple(self.rules) if traders is None else tuple(traders)
        nodes = {name: self.node(name) for name in names}
        self._data.follow_books()
        return tuple(self._signals_of(name, node) for name, node in nodes.items())

    def trade_signals(self, traders: Iterable[str] | None = None) -> TradingRound:
        """Submit orders for the signals that have appeared or turned since the last call.

        A trader whose rule fails, and an order that cannot be made, cost the others nothing: they are problems of the
        result, and events of the audit trail. So is a signal in a contract whose quotes are not fresh, which waits for
        them.

        Parameters
        ----------
        traders : iterable of str, optional
            Names of traders; all with a rule by default.

        Raises
        ------
        StoreError
            The store cannot be written; what was traded before stays.
        """
        self._cancel_ended()
        replies: list[Fill | Working | Rejection] = []
        problems: list[str] = []
        count = 0
        for report in self.signals(traders):
            strong = [signal for signal in report.signals if signal.strength >= LEAST_STRENGTH]
            count += len(strong)
            new, waits = self._new(report, strong)
            found = replace(report, problems=(*report.problems, *waits))
            problems += [f"{found.trader}: {problem}" for problem in found.problems]
            self._tell(found)
            for decision in _decisions(new):
                answers, faults = self._act_on(found, decision)
                replies += answers
                problems += faults
        return TradingRound(count, tuple(replies), tuple(problems))

    def opened(self, trader: str, instrument: str) -> float:
        """Return the units that the orders of a trader's strategy have bought, less those that they have sold.

        Parameters
        ----------
        trader : str
            Name of the trader.
        instrument : str
            Name of a contract.
        """
        strategy = self._desk.traders[trader].strategy
        return math.fsum(
            order.side.sign * order.filled_qty
            for order in self.engine.orders.values()
            if (order.trader, order.instrument_name, order.strategy) == (trader, instrument, strategy)
        )

    # --- orders ------------------------------------------------------------------------------------

    def order(
        self, trader: str, instrument: str, side: Side | str, quantity: float, order_type: str = "MARKET", **terms: Any
    ) -> Fill | Working | Rejection:
        """Submit an order at the market of the desk.

        Parameters
        ----------
        trader : str
            Name of the trader.
        instrument : str
            Name of a contract; see :mod:`bank_python.desk.contract_names`.
        side : Side or {"BUY", "SELL"}
            Side of the order.
        quantity : float
            Number of units, above 0: shares, contracts on 100 shares, bonds of 100, swaps of 1,000,000.
        order_type : str, default "MARKET"
            Type of the order: market, limit, stop, stop_limit or trailing_stop.
        **terms
            Further fields of :class:`~bank_python.trading_engine.Order`, such as ``limit_price=`` or ``reason=``, and
            the ``stop_loss=`` and ``take_profit=`` of a bracket.

        Raises
        ------
        DeskError
            The desk has no such trader.
        TradingError
            The order is not valid, or the name stands for two contracts.
        """
        self._desk.traders[trader]
        self._cancel_ended()
        legs = self._names.legs(instrument)
        if len(legs) > 1:
            raise TradingError(f"{instrument} is {' and '.join(legs)}; order one at a time", name="instrument")
        bracket = {name: terms.pop(name) for name in ("stop_loss", "take_profit") if name in terms}
        words: Any = side, quantity, order_type
        made = Order("", trader, legs[0], *words, **terms)
        return self.engine.submit(made.bracketed(**bracket) if bracket else made)

    def follow_prices(self) -> tuple[Fill, ...]:
        """Let working orders meet the present prices of their contracts; return the fills.

        One without a fresh price waits on, one whose contract has ended is cancelled.
        """
        self._cancel_ended()
        prices = {}
        for order in self.engine.working:
            try:
                price = self._market.price(order)
            except BankError:
                continue
            if price is not None and price > 0.0:
                prices[order.instrument_name] = price
        return self.engine.on_prices(prices) if prices else ()

    def remove(self) -> None:
        """Remove the signals and their series from the graph; orders and trail stay."""
        with self._desk.graph.batch():
            for node in self._nodes.values():
                self._desk.graph.unregister(node)
            self._data.remove()
        self._nodes.clear()

    def _cancel_ended(self) -> None:
        """Cancel the orders that can never fill, as their contracts have ended."""
        for order in self.engine.working:
            if self._names.has_ended(order.instrument_name):
                self.engine.cancel(order.order_id, why=f"{order.instrument_name} has ended")

    # --- from a signal to orders -------------------------------------------------------------------

    def _signals_of(self, trader: str, node: DerivedNode) -> TraderSignals:
        strategy, faults = self._desk.traders[trader].strategy, self._data.faults(_read_by(self.rules[trader]))
        if node.error is not None:
            return TraderSignals(trader, strategy, (), (*faults, message_of(node.error)))
        report = cast("SignalReport", node.value)
        return TraderSignals(trader, strategy, report.signals, (*faults, *map(str, report.faults)))

    def _new(self, found: TraderSignals, signals: Sequence[Signal]) -> tuple[list[Signal], list[str]]:
        """Return the signals to act on, and why others wait for a fresh quote."""
        trader, acted = found.trader, self._acted
        waits = {each.instrument: self._stale(each.instrument) for each in signals if not acted.stands(trader, each)}
        ready = [signal for signal in signals if not waits.get(signal.instrument)]
        new = [
            signal
            for signal in ready
            if not acted.stands(trader, signal)
            and not acted.is_held(trader, found.strategy, signal, self._legs(signal.instrument))
        ]
        acted.keep(trader, ready)  # one that waits is new again the next time
        return new, [f"{name} waits: {why}" for name, why in waits.items() if why]

    def _legs(self, instrument: str) -> tuple[str, ...]:
        """Return the contracts of a name, itself if it stands for nothing, as its order will say."""
        try:
            return self._names.legs(instrument)
        except TradingError:
            return (instrument,)

    def _stale(self, instrument: str) -> str:
        """Return which quote of an instrument's contracts is not fresh, in words; empty if all are."""
        try:
            found = [self._market.stale(leg) for leg in self._names.legs(instrument)]
        except TradingError:  # of a name that stands for nothing: its order will say so
            return ""
        return next(filter(None, found), "")

    def _act_on(
        self, found: TraderSignals, decision: Sequence[Signal]
    ) -> tuple[list[Fill | Working | Rejection], list[str]]:
        """Log the signals of one decision and submit their orders; of several, all or none are sent."""
        audit = self.engine.audit
        for signal in decision:
            figures = {"side": signal.side.value, "quantity": signal.quantity, "strength": signal.strength}
            figures["strategy"] = found.strategy
            audit.log("SIGNAL", found.trader, signal.instrument, figures, why=signal.reason)
        try:
            orders = [
                self._order_of(found, signal, leg) for signal in decision for leg in self._names.legs(signal.instrument)
            ]
            self._require_all(orders)
            return [self.engine.submit(order) for order in orders], []
        except TradingError as error:
            audit.log("SIGNAL_FAULT", found.trader, decision[0].instrument, why=error.message)
            return [], [f"{found.trader}: {error.message}"]

    def _require_all(self, orders: Sequence[Order]) -> None:
        """Raise an error if one of several orders would be refused, as the others would be without their hedge."""
        for order in orders if len(orders) > 1 else ():
            why = self.engine.objection(order)
            if why:
                raise TradingError(f"none of {len(orders)} legs was sent, as {order.instrument_name} is refused: {why}")

    def _order_of(self, found: TraderSignals, signal: Signal, leg: str) -> Order:
        contract = self._names.contract(leg)
        units = signal.quantity / self._names.multiplier(contract)
        listing = self._desk.listings.get(leg)
        if isinstance(contract, Option) or (isinstance(contract, Equity) and listing and listing.kind in _WHOLE):
            units = max(float(round(units)), 1.0)
        return Order(
            "", found.trader, leg, signal.side, units, strategy=found.strategy, reason=signal.reason,
            strength=signal.strength,
        )  # fmt: skip

    def _tell(self, found: TraderSignals) -> None:
        """Write the faults of a trader's rule to the trail when they change."""
        said = "; ".join(found.problems)
        if said != self._told.get(found.trader, ""):
            self.engine.audit.log("SIGNAL_FAULT", found.trader, why=said or "no fault any longer")
        self._told[found.trader] = said

    def __repr__(self) -> str:
        return (
            f"<DeskTrading: {len(self.rules)} rules, {len(self.engine.orders)} orders, {len(self.engine.audit)} events>"
        )

    def __rich__(self) -> object:
        from bank_python.render_orders import engine_view

        return engine_view(self.engine)


def _standard_rules(desk: Desk) -> dict[str, SignalRule]:
    """Return the rule of each trader whose strategy has one on the symbols that the desk quotes."""
    rules = {}
    for trader in desk.traders:
        try:
            rule = strategy_of(trader.strategy, desk.listings)
        except DeskError:  # a strategy of a user
            continue
        if rule is not None:
            rules[trader.name] = rule
    return rules


def _decisions(signals: Sequence[Signal]) -> list[list[Signal]]:
    """Return signals by the decision that they are legs of, one that is none's by itself."""
    found: dict[str, list[Signal]] = {}
    for i, signal in enumerate(signals):
        found.setdefault(signal.decision or f"#{i}", []).append(signal)
    return list(found.values())


def _read_by(rule: SignalRule) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*rule.inputs, *rule.optional_inputs)))


def _examined(rule: SignalRule, names: tuple[str, ...], *values: FloatArray) -> SignalReport:
    return rule.examine(dict(zip(names, values, strict=True)))


def _execution(settings: DeskSettings) -> ExecutionModel:
    return ExecutionModel(
        slippage_bps=settings.slippage_bps,
        spread_bps=settings.spread_bps,
        fee_per_share=settings.fee_per_share,
        participation_cap=settings.participation_cap_pct / 100.0,
    )


def _limits(settings: DeskSettings) -> PositionLimits:
    return PositionLimits(
        max_position=settings.max_position_notional,
        max_concentration=settings.max_concentration_pct / 100.0,
        book_value=settings.trader_capital,
        max_order=settings.max_order_notional,
        max_price_gap=settings.max_price_gap_pct / 100.0,
        max_loss=-settings.trader_loss_limit,
        max_greeks={"delta": settings.max_delta, "vega": settings.max_vega},
    )


def _firm_limits(settings: DeskSettings) -> PositionLimits:
    loss = -settings.desk_loss_limit
    return PositionLimits(max_position=math.inf, max_concentration=math.inf, max_loss=loss)
