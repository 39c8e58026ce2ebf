"""Construction of views: one committed tick of a desk's graph, read into frozen values.

A view also has figures that depend on the past: changes of quotes since the desk was opened, changes of P&L since the
previous view, and the recent course of P&L. The builder stores what they need, so views remain plain values.

While a view is computed, changes by other threads wait: quantities, cost bases and states of quotes are not values of
nodes, so a snapshot does not protect them from a trade in another thread. Readers do not wait.

Examples
--------
>>> from bank_python.desk import build_desk
>>> desk = build_desk(seed=7)
>>> view = build_view(desk)
>>> view.tick == desk.graph.tick, view.firm.pnl, len(view.traders)
(True, 0.0, 14)
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from bank_python.dagger.outcome import Failure
from bank_python.desk.backtests_view import StoredBacktests
from bank_python.desk.conditions_view import conditions_view
from bank_python.desk.contracts import leaf_name
from bank_python.desk.status import status_of
from bank_python.desk.tails_view import tails_view
from bank_python.desk.trading_view import trading_view
from bank_python.desk.view import (
    AlertView,
    DeskView,
    FirmView,
    GreeksView,
    LimitView,
    PositionView,
    QuoteGroup,
    QuoteView,
    RecalculationView,
    RiskView,
    SourceView,
    TraderView,
    Unit,
)
from bank_python.errors import BankError
from bank_python.instruments.currency import find_conversion
from bank_python.market_data import QuoteState
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.universe import REGIME_SYMBOL
from bank_python.market_data.utc import utc_now
from bank_python.risk import GREEKS, take_greeks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bank_python.dagger import Node, Recalculation, Snapshot
    from bank_python.desk.conditions import DeskConditions
    from bank_python.desk.desk import Desk
    from bank_python.desk.market_plan import Listing
    from bank_python.desk.parts import DeskParts
    from bank_python.desk.risk import DeskRisk
    from bank_python.desk.tails import DeskTails
    from bank_python.desk.trader import Trader
    from bank_python.desk.trading import DeskTrading
    from bank_python.desk.view import ConditionsView, Status
    from bank_python.instruments import Position
    from bank_python.risk import Alert, LimitReading, TailRisk

__all__ = ["LAST_TRADES", "TRAIL_LENGTH", "ViewBuilder", "build_view"]

TRAIL_LENGTH = 120
"""Number of views whose P&L is stored."""
LAST_TRADES = 20
"""Number of trades in a view."""

_HOME_CURRENCY = "USD"
_SHOWN = {
    SymbolKind.EQUITY: (QuoteGroup.SHARES, Unit.PRICE),
    SymbolKind.ETF: (QuoteGroup.FUNDS, Unit.PRICE),
    SymbolKind.FX: (QuoteGroup.FX, Unit.PRICE),
    SymbolKind.RATE: (QuoteGroup.RATES, Unit.PERCENT),
    SymbolKind.CREDIT: (QuoteGroup.CREDIT, Unit.BASIS_POINTS),
    SymbolKind.INDEX: (QuoteGroup.INDICES, Unit.POINTS),
    SymbolKind.CRYPTO: (QuoteGroup.CRYPTO, Unit.PRICE),
    SymbolKind.VOL: (QuoteGroup.VOLATILITIES, Unit.PERCENT),
    SymbolKind.FUNDING: (QuoteGroup.FUNDING, Unit.PERCENT),
}


class ViewBuilder:
    """Builds successive views of a desk.

    Parameters
    ----------
    desk : Desk
        Desk to read the figures from.
    now : callable, optional
        Clock that returns the current time in UTC.

    Examples
    --------
    >>> from bank_python.desk import build_desk
    >>> desk = build_desk(seed=7)
    >>> builder = ViewBuilder(desk)
    >>> opening = builder.build()
    >>> step = desk.tick()
    >>> view = builder.build(step.recalculation)
    >>> opening.firm.pnl, view.firm.pnl == desk.firm_pnl.value
    (0.0, True)
    >>> [trader.change == trader.pnl for trader in view.traders[:3]]
    [True, True, True]
    """

    def __init__(self, desk: Desk, now: Callable[[], datetime] = utc_now) -> None:
        self._desk = desk
        self._now = now
        self._opening: dict[str, float] = {}
        self._trails: dict[Node, deque[float]] = {}
        self._risk: DeskRisk | None = None
        self._conditions: DeskConditions | None = None
        self._tails: DeskTails | None = None
        self._trading: DeskTrading | None = None
        self._stored = StoredBacktests(desk.db)
        self._scores: deque[float] = deque(maxlen=TRAIL_LENGTH)

    def show_risk(self, risk: DeskRisk) -> None:
        """Include risk, limits and alerts in the following views."""
        self._risk = risk

    def show_conditions(self, conditions: DeskConditions) -> None:
        """Include market conditions and the risk score in the following views."""
        self._conditions = conditions

    def show_tails(self, tails: DeskTails) -> None:
        """Include tail index and fragility of each trader in the following views."""
        self._tails = tails

    def show_trading(self, trading: DeskTrading) -> None:
        """Include orders and signals in the following views."""
        self._trading = trading

    def build(
        self,
        recalculation: Recalculation | None = None,
        status: Callable[[DeskParts, datetime], Status] = status_of,
    ) -> DeskView:
        """Return a view of the desk at the current tick; to be called by one thread at a time.

        Parameters
        ----------
        recalculation : Recalculation, optional
            Recalculation before this view, to be included in it.
        status : callable, optional
            Function ``status(desk, now)`` that returns the status of quotes, graph and jobs; by default
            :func:`status_of`, without jobs. It must not use the store, as a thread that writes to the store may be
            waiting for this view.

        Notes
        -----
        Not to be called inside a scenario or a batch, which have no committed tick.
        """
        graph = self._desk.graph
        graph.recalculate()
        backtests = self._stored.read()  # before changes wait: a thread that writes to the store may wait for the graph
        # An empty batch makes changes of other threads wait; the snapshot also reads nodes that are evaluated on read.
        with graph.batch(), graph.snapshot() as snapshot:
            greeks = _Greeks(self._desk, snapshot)
            return replace(self._view(snapshot, greeks, recalculation, status), backtests=backtests)

    def _view(
        self,
        snapshot: Snapshot,
        greeks: _Greeks,
        recalculation: Recalculation | None,
        status: Callable[[DeskParts, datetime], Status],
    ) -> DeskView:
        desk, risk, now = self._desk, self._risk, self._now()
        quotes = [self._quote(listing, snapshot) for listing in desk.listings.values()]
        times = [quote.time for quote in quotes if quote.source == desk.feed.name and quote.time is not None]
        positions = self._positions(snapshot)
        return DeskView(
            made=now,
            tick=snapshot.tick,
            valuation_date=desk.clock.date_at(cast("float", snapshot[desk.clock])),
            feed=desk.feed.name,
            market_time=max(times, default=None),
            firm=self._firm(snapshot, greeks, len(positions)),
            traders=tuple(self._trader(trader, snapshot, greeks) for trader in desk.traders),
            positions=tuple(positions),
            quotes=tuple(sorted(quotes, key=_shares_by_change)),
            sources=_sources(quotes),
            risk=None if risk is None else _risk(risk, snapshot),
            conditions=self._conditions_view(snapshot),
            tails=None if self._tails is None else tails_view(self._tails, snapshot),
            limits=() if risk is None else tuple(_limit(reading) for reading in risk.board.readings()),
            alerts=() if risk is None else tuple(_alert(alert) for alert in risk.open_alerts),
            trades=desk.blotter.last(LAST_TRADES),
            trading=None if self._trading is None else trading_view(self._trading),
            backtests=(),
            nodes=len(desk.graph),
            recalculation=None if recalculation is None else _recalculation(recalculation),
            status=status(desk, now),
        )

    def _firm(self, snapshot: Snapshot, greeks: _Greeks, positions: int) -> FirmView:
        desk = self._desk
        change, trail = self._remember(snapshot, desk.firm_pnl)
        return FirmView(
            value=_amount(snapshot, desk.firm_value),
            pnl=_amount(snapshot, desk.firm_pnl),
            change=change,
            trail=trail,
            positions=positions,
            waiting=sum(len(trader.waiting) for trader in desk.traders),
            greeks=greeks.of_firm,
        )

    def _trader(self, trader: Trader, snapshot: Snapshot, greeks: _Greeks) -> TraderView:
        change, trail = self._remember(snapshot, trader.pnl)
        waiting = tuple(holding.symbol for holding in trader.waiting)
        return TraderView(
            name=trader.name,
            strategy=trader.strategy,
            focus=trader.focus,
            positions=len(trader.positions),
            waiting=len(waiting),
            value=_amount(snapshot, trader.book),
            pnl=_amount(snapshot, trader.pnl),
            change=change,
            trail=trail,
            greeks=greeks.of(trader),
            var_99=self._var_of(trader, snapshot),
            waits_for=waiting,
            stand_ins=dict(trader.stand_ins),
        )

    def _var_of(self, trader: Trader, snapshot: Snapshot) -> float | None:
        own = None if self._risk is None else self._risk.traders.get(trader.name)
        return None if own is None else _amount(snapshot, own.var_99)

    def _conditions_view(self, snapshot: Snapshot) -> ConditionsView | None:
        if self._conditions is None:
            return None
        view = conditions_view(self._conditions, snapshot, tuple(self._scores))
        if view is not None:
            self._scores.append(view.score)
        return view

    def _remember(self, snapshot: Snapshot, node: Node) -> tuple[float | None, tuple[float, ...]]:
        """Store the current amount of a node; return its change since the last one, and the stored amounts."""
        trail = self._trails.setdefault(node, deque(maxlen=TRAIL_LENGTH))
        amount = _amount(snapshot, node)
        if amount is None:
            return None, tuple(trail)
        change = amount - trail[-1] if trail else None
        trail.append(amount)
        return change, tuple(trail)

    def _quote(self, listing: Listing, snapshot: Snapshot) -> QuoteView:
        quote = self._desk.market.quote(listing.symbol)
        leaf = self._desk.graph.node(leaf_name(listing.symbol, listing.kind))
        price = None if quote.state is QuoteState.UNQUOTED else _amount(snapshot, leaf)
        group, unit = _shown_as(listing)
        change = None
        if price is not None:
            opening = self._opening.setdefault(listing.symbol, price)
            change = price / opening - 1.0 if unit is Unit.PRICE else price - opening
        return QuoteView(
            symbol=listing.symbol,
            kind=listing.kind.value,
            group=group,
            unit=unit,
            price=price,
            change=change,
            state=quote.state.value,
            reason=quote.reason,
            source=listing.feed.name,
            simulated=listing.feed is self._desk.fallback,
            time=quote.time,
        )

    def _positions(self, snapshot: Snapshot) -> list[PositionView]:
        lines = [
            _position(trader, position, snapshot, self._rate_of(position.currency, snapshot))
            for trader in self._desk.traders
            for position in trader.positions
        ]
        return sorted(lines, key=lambda line: math.inf if line.pnl is None else -line.pnl)

    def _rate_of(self, currency: str, snapshot: Snapshot) -> float | None:
        try:
            return find_conversion(self._desk.graph, currency, _HOME_CURRENCY).rate(snapshot.__getitem__)
        except BankError:  # the pair has no quote: the position is shown without amounts
            return None


class _Greeks:
    """The Greeks of all books at one tick; ``None`` for all of them if an exchange rate is missing."""

    def __init__(self, desk: Desk, snapshot: Snapshot) -> None:
        try:
            taken = take_greeks(desk.traders, read=snapshot.__getitem__)
        except BankError:
            self.of_firm: GreeksView | None = None
            return
        self._by_book: Mapping[str, Mapping[str, float]] = {name: taken.by_trader(name, "percent") for name in GREEKS}
        self.of_firm = GreeksView(**{name: taken.total(name, "percent") for name in GREEKS})

    def of(self, trader: Trader) -> GreeksView | None:
        """Return the Greeks of a trader."""
        if self.of_firm is None:
            return None
        return GreeksView(**{name: books.get(trader.book.name, 0.0) for name, books in self._by_book.items()})


def build_view(desk: Desk) -> DeskView:
    """Return a view of the desk at the current tick.

    Use one :class:`ViewBuilder` for several views to get changes from view to view.

    Parameters
    ----------
    desk : Desk
        Desk to read the figures from.
    """
    return ViewBuilder(desk).build()


def _shown_as(listing: Listing) -> tuple[QuoteGroup, Unit]:
    return (QuoteGroup.INDICES, Unit.POINTS) if listing.symbol == REGIME_SYMBOL else _SHOWN[listing.kind]


def _shares_by_change(line: QuoteView) -> tuple[bool, bool, float]:
    if line.group is not QuoteGroup.SHARES or line.change is None:
        return line.group is not QuoteGroup.SHARES, True, 0.0
    return False, False, -line.change


def _sources(quotes: Sequence[QuoteView]) -> tuple[SourceView, ...]:
    groups: dict[tuple[str, str], Counter[str]] = {}
    for quote in quotes:
        groups.setdefault((quote.kind, quote.source), Counter())[quote.state] += 1
    return tuple(SourceView(kind, source, states.total(), dict(states)) for (kind, source), states in groups.items())


def _position(trader: Trader, position: Position, snapshot: Snapshot, rate: float | None) -> PositionView:
    own = _amount(snapshot, position)
    value = None if own is None or rate is None else own * rate
    pnl = None if own is None or rate is None or not position.marked else (own - position.cost_basis) * rate
    instrument = cast("Node", position.instrument)
    return PositionView(
        trader=trader.name,
        instrument=instrument.name,
        kind=type(instrument).__name__,
        quantity=position.quantity,
        multiplier=position.multiplier,
        currency=position.currency,
        value=value,
        pnl=pnl,
    )


def _risk(risk: DeskRisk, snapshot: Snapshot) -> RiskView | None:
    measured = snapshot.outcome(risk.firm.measures)
    if isinstance(measured, Failure):
        return None
    at_95, at_99 = cast("tuple[TailRisk, ...]", measured)
    return RiskView(
        var_95=at_95.var,
        var_99=at_99.var,
        cvar_95=at_95.es,
        cvar_99=at_99.es,
        error=at_99.var_error,
        scenarios=risk.n_paths,
        as_of_tick=risk.firm.as_of_tick,
        proxy_error=risk.proxy_error,
    )


def _limit(reading: LimitReading) -> LimitView:
    limit, severity = reading.limit, reading.severity
    return LimitView(
        scope=limit.scope,
        name=limit.name,
        value=reading.value,
        maximum=limit.maximum,
        used=reading.used,
        severity="" if severity is None else severity.value,
    )


def _alert(alert: Alert) -> AlertView:
    return AlertView(
        id=alert.id,
        severity=alert.severity.value,
        state=alert.state.value,
        rule=alert.rule,
        scope=alert.scope,
        message=alert.message,
        value=alert.value,
        limit=alert.limit,
        contributor=alert.contributor,
        opened=alert.opened,
        updated=alert.updated,
    )


def _recalculation(done: Recalculation) -> RecalculationView:
    by_class = sorted(done.by_class.items(), key=lambda item: -item[1])
    return RecalculationView(done.evaluated, done.changed, done.failed, done.seconds, dict(by_class))


def _amount(snapshot: Snapshot, node: Node) -> float | None:
    outcome = snapshot.outcome(node)
    return None if isinstance(outcome, Failure) else cast("float", outcome)
