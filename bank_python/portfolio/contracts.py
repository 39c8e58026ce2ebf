"""Positions as contracts on a graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from bank_python.errors import BankError, PositionsError
from bank_python.instruments import Bond, Book, CreditDefaultSwap, Equity, Option, Position
from bank_python.portfolio.specs import Kind
from bank_python.risk_models import implied_vol_fit
from bank_python.row_problems import RowProblem
from bank_python.wording import message_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bank_python.instruments import Instrument
    from bank_python.instruments.option_symbol import OptionSymbol
    from bank_python.market_data import Clock, MarketData
    from bank_python.portfolio.market import Market
    from bank_python.portfolio.specs import PositionSpec

__all__ = ["open_books"]

_FACE = 100.0
_NOTIONAL = 1_000_000.0
_COUPON = 0.01
_RECOVERY = 0.4
_HALF_YEARLY = 2.0
_LARGEST_VALUE = 1e18


def open_books(specs: Sequence[PositionSpec], market: Market, clock: Clock) -> tuple[dict[str, Book], list[RowProblem]]:
    """Register the contracts and positions of a portfolio; return its books by name, and what could not be opened.

    Parameters
    ----------
    specs : sequence of PositionSpec
        Positions whose quotes the market has.
    market : Market
        Leaves of the graph.
    clock : Clock
        Valuation date.
    """
    contracts: list[tuple[PositionSpec, Instrument]] = []
    held: dict[str, dict[str, Position]] = {}
    problems: list[RowProblem] = []
    # First all contracts, then all values: a value read between two registrations would order the graph each time.
    for spec in specs:
        try:
            contracts.append((spec, _contract(spec, market, clock)))
        except BankError as error:
            problems.append(_unvalued(spec, error))
    market.graph.recalculate()
    for spec, contract in contracts:
        try:
            price = contract.value
            _check_size(spec, price)
        except BankError as error:
            problems.append(_unvalued(spec, error))
            continue
        market.convert(spec.currency)
        _add(held.setdefault(spec.book, {}), spec, contract, price if spec.cost is None else spec.cost)
    # A book is registered once, with all its positions: adding them one by one would rewire it each time.
    books = {
        name: market.graph.register(Book(name, list(positions.values()), base_currency=market.currency))
        for name, positions in held.items()
    }
    return books, problems


def _unvalued(spec: PositionSpec, error: BankError) -> RowProblem:
    return RowProblem(spec.line, "", "", f"{spec.ticker} has no value: {message_of(error)}")


def _check_size(spec: PositionSpec, price: float) -> None:
    for figure in (price, price if spec.cost is None else spec.cost):
        worth = figure * spec.quantity * spec.multiplier
        if not abs(worth) < _LARGEST_VALUE:
            raise PositionsError(
                f"{spec.quantity:g} units at {figure:g} are worth {worth:g}; correct the quantity or price"
            )


def _add(held: dict[str, Position], spec: PositionSpec, contract: Instrument, cost: float) -> None:
    """Add a position, or add to the one in the same contract."""
    if contract.name in held:
        held[contract.name].trade(spec.quantity, cost)
        return
    held[contract.name] = Position(
        f"{spec.book}:{contract.name}",
        instrument=contract,
        quantity=spec.quantity,
        multiplier=spec.multiplier,
        cost=cost,
    )


def _contract(spec: PositionSpec, market: Market, clock: Clock) -> Instrument:
    found = market.graph.find(f"{spec.ticker} cash" if spec.kind is Kind.CASH else spec.ticker)
    if found is not None:
        return cast("Instrument", found)
    return market.graph.register(_MAKERS[spec.kind](spec, market, clock))


def _share(spec: PositionSpec, market: Market, _clock: Clock) -> Instrument:
    leaf = market.spot(spec.ticker, spec)
    return Equity(spec.ticker, spot_source=leaf, sector=spec.sector, currency=spec.currency)


def _option(spec: PositionSpec, market: Market, clock: Clock) -> Instrument:
    option = spec.option
    if option is None:
        raise AssertionError(f"{spec.ticker} has no terms")
    return Option(
        spec.ticker,
        spot_source=market.spot(option.underlying, spec),
        vol_source=_implied(spec, option, market, clock) if "price" in spec.terms else market.vol(spec),
        rate_source=market.rate(),
        strike=option.strike,
        expiry=option.expiry,
        is_call=option.is_call,
        currency=spec.currency,
        clock_source=clock,
    )


def _implied(spec: PositionSpec, option: OptionSymbol, market: Market, clock: Clock) -> MarketData:
    """Return the leaf of the volatility at which the option is worth the price in its row."""
    price = spec.terms["price"]
    spot, rate = market.spot(option.underlying, spec).price, market.rate().price
    years = clock.years_at(option.expiry) - clock.years
    fit = implied_vol_fit(price, spot, option.strike, years, rate, is_call=option.is_call)
    if not math.isfinite(float(fit.vol)):
        raise PositionsError(
            f"no volatility gives the price {price:g} at {spot:g} ({fit.reasons[0]}); give vol instead"
        )
    return market.quoted(f"{spec.ticker} VOL", float(fit.vol), "positive")


def _bond(spec: PositionSpec, market: Market, clock: Clock) -> Instrument:
    terms = spec.terms
    return Bond(
        spec.ticker,
        rate_source=market.quoted(f"{spec.ticker}_YIELD", terms["yield"], "finite"),
        face=terms.get("notional", _FACE),
        coupon_rate=terms["coupon"],
        maturity=_end(spec),
        frequency=terms.get("frequency", _HALF_YEARLY),
        currency=spec.currency,
        clock_source=clock,
    )


def _cds(spec: PositionSpec, market: Market, clock: Clock) -> Instrument:
    terms = spec.terms
    return CreditDefaultSwap(
        spec.ticker,
        spread_source=market.quoted(f"{spec.ticker}_SPREAD", terms["spread"], "positive"),
        rate_source=market.rate(),
        notional=terms.get("notional", _NOTIONAL),
        coupon=terms.get("coupon", _COUPON),
        maturity=_end(spec),
        recovery=terms.get("recovery", _RECOVERY),
        currency=spec.currency,
        clock_source=clock,
    )


def _fx(spec: PositionSpec, market: Market, _clock: Clock) -> Instrument:
    return market.pair(spec.ticker, spec)


def _cash(spec: PositionSpec, _market: Market, _clock: Clock) -> Instrument:
    return Equity(f"{spec.ticker} cash", spot_source=1.0, sector="Cash", currency=spec.currency)


def _end(spec: PositionSpec) -> dt.date | float:
    if spec.maturity is None:
        raise AssertionError(f"{spec.ticker} has no maturity")
    return spec.maturity


_MAKERS = {Kind.SHARE: _share, Kind.OPTION: _option, Kind.BOND: _bond, Kind.CDS: _cds, Kind.FX: _fx, Kind.CASH: _cash}
