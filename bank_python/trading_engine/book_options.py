"""The options of a book of the graph as lines of an option book."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bank_python.instruments import Option, Position
from bank_python.instruments.option_symbol import OptionSymbol
from bank_python.instruments.vanilla import time_left
from bank_python.risk.contracts import group_contracts, underlying_of
from bank_python.risk.holders import holders
from bank_python.trading_engine.buckets import bucket_of
from bank_python.trading_engine.option_book import OptionLine

if TYPE_CHECKING:
    from bank_python.risk.holders import Units

__all__ = ["book_lines"]

_DAYS = 365.0


def book_lines(units: Units, today: dt.date) -> tuple[list[OptionLine], dict[str, str]]:
    """Return the European options of books as lines, and the other positions with the reason why they are left out.

    Parameters
    ----------
    units : Book, Trader, or list of such
        Books whose present positions are read.
    today : date
        Day from which expiries are counted.
    """
    positions: list[Position] = [held for holder in holders(units) for held in holder.positions]
    options = [held.instrument for held in positions if isinstance(held.instrument, Option)]
    groups, errors = group_contracts(options)
    place = {contract: (batch, i) for batch in groups for i, contract in enumerate(batch.contracts)}
    lines: list[OptionLine] = []
    skipped: dict[str, str] = {}
    for held in positions:
        contract = held.instrument
        if not isinstance(contract, Option):
            kind = type(contract).__name__
            skipped[held.name] = f"a {kind}; the closed forms of the tracker are those of European options"
        elif contract in errors:
            skipped[held.name] = f"no value: {errors[contract]}"
        else:
            batch, i = place[contract]
            inputs = batch.inputs(i)
            if inputs["expiry"] < inputs["clock"] - inputs["made_at"]:
                skipped[held.name] = "expired"
            else:
                lines.append(_line(held, contract, inputs, today))
    return lines, skipped


def _line(held: Position, contract: Option, inputs: dict[str, float], today: dt.date) -> OptionLine:
    years = float(time_left(inputs["expiry"], inputs["clock"], inputs["made_at"]))
    symbol = OptionSymbol(
        underlying_of(contract),
        today + dt.timedelta(days=round(_DAYS * years)),
        inputs["strike"],
        bool(inputs["is_call"]),
    )
    return OptionLine(
        name=held.name,
        underlying=symbol.underlying,
        strike=symbol.strike,
        years=years,
        is_call=symbol.is_call,
        units=held.quantity * held.multiplier,
        spot=inputs["spot"],
        vol=inputs["vol"],
        rate=inputs["rate"],
        dividend=inputs["dividend"],
        multiplier=held.multiplier,
        bucket=bucket_of(symbol),
        expires=symbol.expiry.isoformat(),
    )
