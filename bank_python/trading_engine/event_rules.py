"""What each event does to positions and cash: pure functions of the state and the event.

===============  =============================================================  ==================================
event            positions                                                      cash
===============  =============================================================  ==================================
deposit          –                                                              the amount
fill             opens and closes lots                                          −quantity × price × multiplier − fees;
                                                                                margined: realised P&L − fees
dividend         –                                                              quantity × amount; short pays
split            units × new / old; fractions kept, or sold at `cash_in_lieu`   of fractions sold
symbol change    same lots under a new name                                     –
delisting        closed at the final value                                      the final value
merger           closed for cash; or its lots, with their cost, become lots     cash × quantity, of fractions sold
                 of the other instrument; with both the cost is divided in
                 proportion to the values received
interest         –                                                              the amount
borrow fee       –                                                              −the amount
funding          –                                                              −quantity × mark × multiplier × rate
conversion       –                                                              one currency down, another up
===============  =============================================================  ==================================

A merger's lots that meet a position of the other sign close it, as after an arbitrage of the target against the
acquirer: their cost is the price of the closing, and no cash moves.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, cast

from bank_python.errors import TradingError
from bank_python.trading_engine.events import (
    BorrowFeeEvent,
    ConversionEvent,
    DelistingEvent,
    DepositEvent,
    DividendEvent,
    FillEvent,
    FundingEvent,
    InterestEvent,
    LedgerEvent,
    MergerEvent,
    SplitEvent,
    SymbolChangeEvent,
)
from bank_python.trading_engine.ledger_state import Booking, HeldPosition, InstrumentTerms, LedgerState, cash_name
from bank_python.trading_engine.lots import Closing, Lot, LotMethod, Lots, replace_lots
from bank_python.trading_engine.moments import is_before
from bank_python.trading_engine.money import ZERO, divided, exact, exactly, rounded, total
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["booking_of"]


@exactly
def booking_of(state: LedgerState, event: LedgerEvent) -> Booking:
    """Return what an event changes in a state.

    Parameters
    ----------
    state : LedgerState
        State before the event.
    event : LedgerEvent
        Event, not earlier than the last one.

    Raises
    ------
    TradingError
        The event does not fit the state: it is too early, its instrument is not held, a lot or a currency is unknown.
    """
    if state.last is not None and is_before(event.when, state.last):
        said = f"{event.kind}: when={event.when} is before the last event, {state.last}; book events in order of time"
        raise TradingError(said, name="when", value=event.when)
    return _RULES[type(event)](state, event)


def _deposit(state: LedgerState, event: DepositEvent) -> Booking:
    settings = state.settings
    currency = settings.known(event.currency or settings.currency, event.kind)
    if (currency == settings.currency) != (event.rate is None):
        own = currency == settings.currency
        what = "leave it out" if own else f"give the value of one {currency} in {settings.currency} on that day"
        said = f"deposit: rate={event.rate} for {currency} in a ledger in {settings.currency}; {what}"
        raise TradingError(said, name="rate", value=event.rate)
    amount = rounded(exact(event.amount), settings.digits[currency])
    value = rounded(amount * exact(event.rate or 1.0), settings.digits[settings.currency])
    return Booking(event, state.n_events + 1, cash={currency: amount}, deposits={currency: amount}, deposited=value)


def _fill(state: LedgerState, event: FillEvent) -> Booking:
    name = event.instrument
    known = state.terms.get(name)
    terms = _terms_of(state, event, known)
    digits = state.settings.digits[terms.currency]
    held = state.positions.get(name)
    lots = Lots(state.settings.method, digits, terms.multiplier) if held is None else held.lots
    after, closings = lots.exchange(
        lots.settled(exact(event.quantity)), event.price, event.when, lot=event.lot, closes=event.closes
    )
    fees, gain = rounded(exact(event.fees), digits), total(closing.gain for closing in closings)
    paid = -gain if terms.margined else after.cost - lots.cost - gain
    return Booking(
        event,
        state.n_events + 1,
        cash={terms.currency: -paid - fees},
        realised=_each(name, gain, closings),
        fees={name: fees} if fees else {},
        positions={name: _position(name, terms, after)},
        terms={} if known is not None else {name: terms},
        closings=closings,
    )


def _terms_of(state: LedgerState, event: FillEvent, known: InstrumentTerms | None) -> InstrumentTerms:
    """Return the terms of a fill's instrument, which never differ from those of its first fill."""
    if known is None:
        currency = state.settings.known(event.currency or state.settings.currency, event.kind)
        if event.instrument in map(cash_name, state.settings.digits):
            said = f"fill: instrument={event.instrument!r} is the name of the ledger's cash; give another one"
            raise TradingError(said, name="instrument", value=event.instrument)
        return InstrumentTerms(currency, exact(event.multiplier or 1.0), margined=bool(event.margined))
    multiplier = None if event.multiplier is None else exact(event.multiplier)
    given = {"currency": event.currency, "multiplier": multiplier, "margined": event.margined}
    for what, value in given.items():
        if value is not None and value != getattr(known, what):
            said = (
                f"fill: {event.instrument!r} has {what}={getattr(known, what)} since its first fill, not {value}; "
                "correct it, or give the other listing a name of its own"
            )
            raise TradingError(said, name=what, value=value)
    return known


def _dividend(state: LedgerState, event: DividendEvent) -> Booking:
    held = _held(state, event)
    amount = held.lots.amount(held.lots.units, event.amount)
    return Booking(event, state.n_events + 1, cash={held.currency: amount}, income={held.instrument: amount})


def _split(state: LedgerState, event: SplitEvent) -> Booking:
    held = _held(state, event)
    lots = held.lots.scaled(exact(event.new), exact(event.old))
    lots, closings = _without_fraction(lots, event, event.cash_in_lieu)
    return _closing(state, event, held, closings, {held.instrument: _position(held.instrument, held.terms, lots)})


def _symbol_change(state: LedgerState, event: SymbolChangeEvent) -> Booking:
    held = _held(state, event)
    new = event.new_name
    if new in state.positions or new in map(cash_name, state.settings.digits):
        said = f"symbol change: {new!r} is held already; give another name, or book a merger with the ratio 1"
        raise TradingError(said, name="new_name", value=new)
    before = state.terms.get(new)
    if before is not None and before.currency != held.currency:
        said = f"symbol change: {new!r} was held in {before.currency}, {event.instrument!r} is in {held.currency}; "
        raise TradingError(f"{said}give another name", name="new_name", value=new)
    moved = {event.instrument: None, new: replace(held, instrument=new)}
    return Booking(event, state.n_events + 1, positions=moved, renamed=(event.instrument, new))


def _delisting(state: LedgerState, event: DelistingEvent) -> Booking:
    held = _held(state, event)
    _, closings = held.lots.exchange(-held.lots.units, event.price, event.when)
    return _closing(state, event, held, closings, {held.instrument: None})


def _merger(state: LedgerState, event: MergerEvent) -> Booking:
    held = _held(state, event)
    lots = held.lots
    if event.into is None:
        _, closings = lots.exchange(-lots.units, event.cash, event.when)
        return _closing(state, event, held, closings, {held.instrument: None})
    terms = state.terms.get(event.into, held.terms)
    if terms != held.terms:
        said = (
            f"merger: {event.into!r} has other terms ({terms.currency}, {terms.multiplier}) than {event.instrument!r} "
            f"({held.currency}, {held.terms.multiplier}); name it otherwise, or book two fills"
        )
        raise TradingError(said, name="into", value=event.into)
    lots, for_cash = _paid_in_cash(lots, event)
    lots, fractions = _without_fraction(lots.scaled(exact(event.ratio), Decimal(1)), event, event.cash_in_lieu)
    other = state.positions.get(event.into)
    into = replace_lots(lots, (), 0) if other is None else other.lots
    met: list[Closing] = []
    for lot in lots.open_lots:
        name = _free_name(lot, into, event.instrument)
        into, closed = into.exchange(
            lot.units, None, event.when, amount=lot.cost, lot=name, opened=lot.opened, oldest_first=True
        )
        met += closed
    both = {held.instrument: None, event.into: _position(event.into, terms, into)}
    booking = _closing(state, event, held, (*for_cash, *fractions), both)
    gain = total(closing.gain for closing in met)
    cash = {held.currency: booking.cash.get(held.currency, ZERO) + (gain if terms.margined else ZERO)}
    return replace(
        booking,
        cash=cash,
        realised={**booking.realised, **_each(event.into, gain, met)},
        terms={} if event.into in state.terms else {event.into: terms},
        closings=(*booking.closings, *met),
    )


def _free_name(lot: Lot, lots: Lots, instrument: str) -> str | None:
    """Return the name that a lot of another instrument gets among lots; None if it gets none."""
    only_closes = lots.units * lot.units < 0 and abs(lot.units) <= abs(lots.units)
    if lots.method is LotMethod.AVERAGE or only_closes:
        return None
    taken = {held.id for held in lots.open_lots}
    return f"{instrument} {lot.id}" if lot.id in taken or lot.id.isdigit() else lot.id


def _paid_in_cash(lots: Lots, event: MergerEvent) -> tuple[Lots, list[Closing]]:
    """Return the lots less the part of their cost that was paid back in cash, and what that realised."""
    if not event.cash:
        return lots, []
    in_units = exact(event.ratio) * exact(cast("float", event.price))
    cash = exact(event.cash)
    proceeds = divided(lots.amount(lots.units, event.cash), [lot.units for lot in lots.open_lots], lots.digits)
    left, closings = [], []
    for lot, received in zip(lots.open_lots, proceeds, strict=True):
        cost = rounded(lot.cost * cash / (cash + in_units), lots.digits)
        left.append(replace(lot, cost=lot.cost - cost))
        closings.append(Closing(lot.id, ZERO, cost, received, lot.opened, event.when, lot.multiplier))
    return replace_lots(lots, tuple(left)), closings


def _without_fraction(lots: Lots, event: LedgerEvent, price: float | None) -> tuple[Lots, tuple[Closing, ...]]:
    """Return the lots with whole units only, if fractions are paid in cash; the oldest lots give the fraction."""
    fraction = lots.units % 1
    if price is None or not fraction:
        return lots, ()
    return lots.exchange(-fraction, price, event.when, oldest_first=True)


def _interest(state: LedgerState, event: InterestEvent) -> Booking:
    currency = state.settings.known(event.currency or state.settings.currency, event.kind)
    amount = rounded(exact(event.amount), state.settings.digits[currency])
    return Booking(event, state.n_events + 1, cash={currency: amount}, income={cash_name(currency): amount})


def _borrow_fee(state: LedgerState, event: BorrowFeeEvent) -> Booking:
    held = _held(state, event)
    if held.lots.units > 0:
        said = (
            f"borrow fee: {event.instrument!r} is held long ({held.quantity:g} units); only short positions borrow, "
            "correct the instrument or leave the fee out"
        )
        raise TradingError(said, name="instrument", value=event.instrument)
    amount = rounded(exact(event.amount), held.lots.digits)
    return Booking(event, state.n_events + 1, cash={held.currency: -amount}, fees={held.instrument: amount})


def _funding(state: LedgerState, event: FundingEvent) -> Booking:
    held = _held(state, event)
    units = -held.lots.units * exact(event.mark) * exact(event.rate) * held.terms.multiplier
    amount = rounded(units, held.lots.digits)
    return Booking(event, state.n_events + 1, cash={held.currency: amount}, income={held.instrument: amount})


def _conversion(state: LedgerState, event: ConversionEvent) -> Booking:
    settings = state.settings
    sold_currency = settings.known(event.sold_currency, event.kind)
    bought_currency = settings.known(event.bought_currency, event.kind)
    sold, fees = (rounded(exact(x), settings.digits[sold_currency]) for x in (event.sold, event.fees))
    bought = rounded(exact(event.bought), settings.digits[bought_currency])
    return Booking(
        event,
        state.n_events + 1,
        cash={sold_currency: -sold - fees, bought_currency: bought},
        conversions={sold_currency: -sold, bought_currency: bought},
        fees={cash_name(sold_currency): fees} if fees else {},
    )


def _held(state: LedgerState, event: LedgerEvent) -> HeldPosition:
    """Return the position that an event is about."""
    held = state.positions.get(event.subject)
    if held is None:
        otherwise = "book it after the fill that opens the position, or leave it out"
        near = did_you_mean(event.subject, state.positions, otherwise)
        said = f"{event.kind}: no position in {event.subject!r} on {event.when}; {near}"
        raise TradingError(said, name="instrument", value=event.subject)
    return held


def _closing(
    state: LedgerState,
    event: LedgerEvent,
    held: HeldPosition,
    closings: Iterable[Closing],
    positions: dict[str, HeldPosition | None],
) -> Booking:
    """Return the booking of an event that closes lots of a position for cash."""
    closed = tuple(closings)
    gain = total(closing.gain for closing in closed)
    cash = gain if held.terms.margined else total(closing.proceeds for closing in closed)
    return Booking(
        event,
        state.n_events + 1,
        cash={held.currency: cash} if cash else {},
        realised=_each(held.instrument, gain, closed),
        positions=positions,
        closings=closed,
    )


def _each(name: str, gain: Decimal, closings: Iterable[Closing]) -> dict[str, Decimal]:
    return {name: gain} if any(True for _ in closings) else {}


def _position(name: str, terms: InstrumentTerms, lots: Lots) -> HeldPosition | None:
    return HeldPosition(name, terms, lots) if lots.open_lots else None


_Rule: TypeAlias = "Callable[[LedgerState, LedgerEvent], Booking]"

_RULES = cast(
    "dict[type[LedgerEvent], _Rule]",
    {
        DepositEvent: _deposit,
        FillEvent: _fill,
        DividendEvent: _dividend,
        SplitEvent: _split,
        SymbolChangeEvent: _symbol_change,
        DelistingEvent: _delisting,
        MergerEvent: _merger,
        InterestEvent: _interest,
        BorrowFeeEvent: _borrow_fee,
        FundingEvent: _funding,
        ConversionEvent: _conversion,
    },
)
