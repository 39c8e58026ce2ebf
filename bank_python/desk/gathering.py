"""Gathering the live desk's frames: one consistent tick of the graph, read into plain values.

A frame also remembers: what each quote was when the desk opened, what each P&L was a frame ago, and the P&L's
recent course. That memory is the gatherer's, so frames stay plain values.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, cast

from bank_python.dagger.outcome import Failure
from bank_python.desk.contracts import leaf_name
from bank_python.desk.frame import FirmLine, Frame, PositionLine, QuoteGroup, QuoteLine, RiskLine, TraderLine, Unit
from bank_python.errors import BankError
from bank_python.instruments.currency import find_conversion
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.universe import REGIME_SYMBOL
from bank_python.market_data.utc import utc_now
from bank_python.risk import take_greeks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bank_python.dagger import Node, Recalculation, Snapshot
    from bank_python.desk.desk import Desk
    from bank_python.desk.market_plan import Listing
    from bank_python.desk.risk import DeskRisk
    from bank_python.desk.trader import Trader
    from bank_python.instruments import Position
    from bank_python.risk import TailRisk

__all__ = ["TRAIL_LENGTH", "Gatherer"]

TRAIL_LENGTH = 120
"""How many frames of P&L are remembered."""

_HOME_CURRENCY = "USD"
_SHOWN = {
    SymbolKind.EQUITY: (QuoteGroup.SHARES, Unit.PRICE),
    SymbolKind.ETF: (QuoteGroup.FUNDS, Unit.PRICE),
    SymbolKind.FX: (QuoteGroup.FX, Unit.PRICE),
    SymbolKind.RATE: (QuoteGroup.RATES, Unit.PERCENT),
    SymbolKind.CREDIT: (QuoteGroup.CREDIT, Unit.BASIS_POINTS),
    SymbolKind.INDEX: (QuoteGroup.INDICES, Unit.POINTS),
    SymbolKind.CRYPTO: (QuoteGroup.CRYPTO, Unit.PRICE),
}


class Gatherer:
    """Makes the frames of one desk.

    Parameters
    ----------
    desk : Desk
        What to read.
    now : callable, optional
        The clock; UTC.

    Examples
    --------
    >>> from bank_python.desk import build_desk
    >>> desk = build_desk(seed=7)
    >>> gatherer = Gatherer(desk)
    >>> opening = gatherer.gather()
    >>> step = desk.tick()
    >>> frame = gatherer.gather(step.recalculation)
    >>> opening.firm.pnl, frame.firm.pnl == desk.firm_pnl.value
    (0.0, True)
    >>> [line.change == line.pnl for line in frame.traders[:3]]
    [True, True, True]
    """

    def __init__(self, desk: Desk, now: Callable[[], datetime] = utc_now) -> None:
        self._desk = desk
        self._now = now
        self._opening: dict[str, float] = {}
        self._trails: dict[Node, deque[float]] = {}
        self._risk: DeskRisk | None = None

    def show_risk(self, risk: DeskRisk) -> None:
        """Have risk in the frames from now on."""
        self._risk = risk

    def gather(self, recalculation: Recalculation | None = None) -> Frame:
        """Return the desk as it is now, at one tick; to be called by one thread at a time.

        Parameters
        ----------
        recalculation : Recalculation, optional
            What was recomputed to get there, for the record.
        """
        desk = self._desk
        with desk.graph.snapshot() as snapshot:
            greeks = _greeks(desk, snapshot)
            return Frame(
                made=self._now(),
                firm=self._firm(snapshot),
                traders=tuple(self._trader(trader, snapshot, greeks) for trader in desk.traders),
                quotes=tuple(self._quotes(snapshot)),
                positions=tuple(self._positions(snapshot)),
                nodes=len(desk.graph),
                recalculation=recalculation,
                risk=None if self._risk is None else self._risk_line(self._risk, snapshot),
            )

    def _risk_line(self, risk: DeskRisk, snapshot: Snapshot) -> RiskLine | None:
        measured = snapshot.outcome(risk.firm.measures)
        if isinstance(measured, Failure):
            return None
        at_95, at_99 = cast("tuple[TailRisk, ...]", measured)
        alerts = risk.open_alerts
        return RiskLine(
            var_95=at_95.var,
            var_99=at_99.var,
            cvar_99=at_99.es,
            error=at_99.var_error,
            scenarios=risk.n_paths,
            as_of_tick=risk.firm.as_of_tick,
            alerts=len(alerts),
            worst=alerts[0].message if alerts else "",
            proxy_error=risk.proxy_error,
        )

    def _firm(self, snapshot: Snapshot) -> FirmLine:
        desk = self._desk
        times = [desk.leaf(symbol).as_of for symbol, listing in desk.listings.items() if listing.feed is desk.feed]
        change, trail = self._remember(snapshot, desk.firm_pnl)
        return FirmLine(
            value=_amount(snapshot, desk.firm_value),
            pnl=_amount(snapshot, desk.firm_pnl),
            change=change,
            date=desk.clock.date,
            tick=snapshot.tick,
            feed=desk.feed.name,
            market_time=max((time for time in times if time is not None), default=None),
            waiting=sum(len(trader.waiting) for trader in desk.traders),
            trail=trail,
        )

    def _trader(self, trader: Trader, snapshot: Snapshot, greeks: Mapping[str, dict[str, float]]) -> TraderLine:
        change, trail = self._remember(snapshot, trader.pnl)
        own = {greek: books.get(trader.book.name, 0.0) for greek, books in greeks.items()}
        return TraderLine(
            name=trader.name,
            strategy=trader.strategy,
            focus=trader.focus,
            positions=len(trader.positions),
            waiting=len(trader.waiting),
            value=_amount(snapshot, trader.book),
            pnl=_amount(snapshot, trader.pnl),
            change=change,
            trail=trail,
            var=self._var_of(trader, snapshot),
            **own,
        )

    def _var_of(self, trader: Trader, snapshot: Snapshot) -> float | None:
        own = None if self._risk is None else self._risk.traders.get(trader.name)
        return None if own is None else _amount(snapshot, own.var_99)

    def _remember(self, snapshot: Snapshot, node: Node) -> tuple[float | None, tuple[float, ...]]:
        """Note the node's amount; return its change since the last one noted, and the last ones."""
        trail = self._trails.setdefault(node, deque(maxlen=TRAIL_LENGTH))
        amount = _amount(snapshot, node)
        if amount is None:
            return None, tuple(trail)
        change = amount - trail[-1] if trail else None
        trail.append(amount)
        return change, tuple(trail)

    def _quotes(self, snapshot: Snapshot) -> list[QuoteLine]:
        shown = [(listing, how) for listing in self._desk.listings.values() if (how := _shown_as(listing)) is not None]
        return sorted((self._quote(listing, *how, snapshot) for listing, how in shown), key=_shares_by_change)

    def _quote(self, listing: Listing, group: QuoteGroup, unit: Unit, snapshot: Snapshot) -> QuoteLine:
        leaf = self._desk.graph.node(leaf_name(listing.symbol, listing.kind))
        price = _amount(snapshot, leaf) if self._desk.leaf(listing.symbol).quoted else None
        change = None
        if price is not None:
            opening = self._opening.setdefault(listing.symbol, price)
            change = price / opening - 1.0 if unit is Unit.PRICE else price - opening
        simulated = listing.feed is self._desk.fallback
        return QuoteLine(listing.symbol, group, unit, price, change, simulated)

    def _positions(self, snapshot: Snapshot) -> list[PositionLine]:
        lines = [
            _position(trader, held, snapshot, self._rate_of(held.currency, snapshot))
            for trader in self._desk.traders
            for held in trader.positions
        ]
        return sorted(lines, key=lambda line: math.inf if line.pnl is None else -line.pnl)

    def _rate_of(self, currency: str, snapshot: Snapshot) -> float | None:
        try:
            return find_conversion(self._desk.graph, currency, _HOME_CURRENCY).rate(snapshot.__getitem__)
        except BankError:  # the pair has no quote: the position is shown without dollars
            return None


def _shown_as(listing: Listing) -> tuple[QuoteGroup, Unit] | None:
    # The volatility index is quoted in points; the implied volatilities of single names are left to their options.
    return (QuoteGroup.INDICES, Unit.POINTS) if listing.symbol == REGIME_SYMBOL else _SHOWN.get(listing.kind)


def _shares_by_change(line: QuoteLine) -> tuple[bool, bool, float]:
    if line.group is not QuoteGroup.SHARES or line.change is None:
        return line.group is not QuoteGroup.SHARES, True, 0.0
    return False, False, -line.change


def _position(trader: Trader, held: Position, snapshot: Snapshot, rate: float | None) -> PositionLine:
    own = _amount(snapshot, held)
    value = None if own is None or rate is None else own * rate
    pnl = None if own is None or rate is None or not held.marked else (own - held.cost_basis) * rate
    instrument = cast("Node", held.instrument)
    return PositionLine(trader.name, instrument.name, type(instrument).__name__, held.quantity, value, pnl)


def _greeks(desk: Desk, snapshot: Snapshot) -> dict[str, dict[str, float]]:
    """Return delta, vega and theta by book, for one per cent, one point, one day; empty where a rate is missing."""
    try:
        taken = take_greeks(desk.traders, read=snapshot.__getitem__)
    except BankError:
        return {}
    return {greek: taken.by_trader(greek, "percent") for greek in ("delta", "vega", "theta")}


def _amount(snapshot: Snapshot, node: Node) -> float | None:
    outcome = snapshot.outcome(node)
    return None if isinstance(outcome, Failure) else cast("float", outcome)
