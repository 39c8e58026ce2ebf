"""Contracts by the names that orders and signals use, those that the desk does not hold yet included.

===================  ==========================================================================================
name                 contract
===================  ==========================================================================================
``AAPL``             what the graph has by that name: a share, fund, coin, currency pair, option, bond, swap
``UST10Y_NOTE``      a bond of the desk
``CDX_HY_5Y``        protection on a name or an index for five years
``NVDA_270115_140C``  a call on 100 shares, expiring on 15 January 2027, with strike 140; P for a put
``NVDA_30D_105C``    a call expiring in 30 days with the listed strike nearest to 105 % of the spot
``NVDA_30D_STRADDLE``  a call and a put at the money: two contracts (:meth:`ContractNames.legs`)
===================  ==========================================================================================

Examples
--------
>>> from bank_python.desk import build_desk
>>> names = ContractNames(build_desk(seed=7))
>>> [leg.rpartition("_")[2] for leg in names.legs("NVDA_30D_STRADDLE")]
['138C', '138P']
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, cast

from bank_python.desk.contracts import (
    BONDS,
    OPTION_MULTIPLIER,
    bond_named,
    listed_strike,
    option_expiring,
    protection_on,
)
from bank_python.desk.orders import checked_instrument
from bank_python.errors import DeskError, TradingError
from bank_python.instruments import CreditDefaultSwap, Instrument, Option, Position
from bank_python.instruments.cash_flows import has_ended
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.parts import DeskParts

__all__ = ["ContractNames"]

_DATED = re.compile(r"(?P<symbol>[A-Z][A-Z0-9.]*)_(?P<expiry>\d{6})_(?P<strike>\d+(\.\d+)?)(?P<kind>[CP])")
_RELATIVE = re.compile(r"(?P<symbol>[A-Z][A-Z0-9.]*)_(?P<days>\d{1,4})D_(?P<percent>\d{1,3})(?P<kind>[CP])")
_STRADDLE = re.compile(r"(?P<symbol>[A-Z][A-Z0-9.]*)_(?P<days>\d{1,4})D_STRADDLE")
_PROTECTION = "_5Y"
_AT_THE_MONEY = 100.0
_YEAR = 365.0


class ContractNames:
    """The contracts of a desk by name.

    Parameters
    ----------
    desk : DeskParts
        Desk that quotes the underlyings.
    """

    def __init__(self, desk: DeskParts) -> None:
        self._desk = desk
        self._made: dict[str, Instrument] = {}

    def __repr__(self) -> str:
        return f"<ContractNames: {len(self._made)} contracts that nobody holds yet>"

    def legs(self, name: str) -> tuple[str, ...]:
        """Return the names of the contracts that a name stands for: two for a straddle, else one.

        Parameters
        ----------
        name : str
            Name of an instrument.

        Raises
        ------
        TradingError
            An option's underlying has no quote, or no volatility.
        """
        straddle, single = _STRADDLE.fullmatch(name), _RELATIVE.fullmatch(name)
        if straddle is not None:
            found = straddle["symbol"], int(straddle["days"]), _AT_THE_MONEY
            return tuple(self._option(*found, is_call=is_call).name for is_call in (True, False))
        if single is not None:
            found = single["symbol"], int(single["days"]), float(single["percent"])
            return (self._option(*found, is_call=single["kind"] == "C").name,)
        dated = _DATED.fullmatch(name)
        if dated is not None:  # a strike may be written as 140 or as 140.00, and has one name
            return (f"{dated['symbol']}_{dated['expiry']}_{_written(float(dated['strike']))}{dated['kind']}",)
        return (name,)

    def contract(self, name: str) -> Node:
        """Return the contract of a name; one that nobody holds is not registered in the graph.

        Parameters
        ----------
        name : str
            Name of a contract.

        Raises
        ------
        TradingError
            There is none, or it cannot be traded; the message says why.
        """
        try:
            held = self._desk.graph.find(name)
            return checked_instrument(held if held is not None else self._unheld(name))
        except DeskError as error:
            raise TradingError(error.message, name=name) from error

    def has_ended(self, name: str) -> bool:
        """Return whether the contract of a name has ended, so that no order for it can fill any longer.

        Parameters
        ----------
        name : str
            Name of a contract.
        """
        found = self._desk.graph.find(name) or self._made.get(name)
        if found is not None:
            return isinstance(found, Instrument) and has_ended(found)
        dated = _DATED.fullmatch(name)
        return dated is not None and _day(name, dated["expiry"]) <= self._desk.clock.date

    def multiplier(self, contract: Node) -> float:
        """Return the units of the underlying per unit of a contract that nobody holds yet.

        Parameters
        ----------
        contract : Node
            Contract to trade.
        """
        return OPTION_MULTIPLIER if isinstance(contract, Option) else 1.0

    def par(self, contract: Node) -> float:
        """Return the amount that orders add to the value of a contract: the notional of a credit default swap, else 0.

        Parameters
        ----------
        contract : Node
            Contract to trade.
        """
        return contract.notional if isinstance(contract, CreditDefaultSwap) else 0.0

    def _unheld(self, name: str) -> Instrument:
        made = self._made.get(name) or self._new(name)
        self._made[name] = made
        return made

    def _new(self, name: str) -> Instrument:
        desk = self._desk
        dated, symbol = _DATED.fullmatch(name), name.removesuffix(_PROTECTION)
        if dated is not None:
            terms = dated["symbol"], _day(name, dated["expiry"]), float(dated["strike"])
            return self._dated(*terms, is_call=dated["kind"] == "C")
        if name in BONDS:
            return bond_named(name, desk.graph, desk.clock)
        listing = desk.listings.get(symbol)
        if name != symbol and listing is not None and listing.kind is SymbolKind.CREDIT:
            return protection_on(symbol, desk.graph, desk.clock)
        known = [each.name for each in desk.graph if isinstance(each, Instrument) and not isinstance(each, Position)]
        near = did_you_mean(name, [*known, *BONDS], "give that of a contract, such as AAPL or UST10Y_NOTE")
        raise TradingError(f"the desk has no contract {name!r:.60}; {near}", name=name)

    def _option(self, symbol: str, days: int, percent: float, *, is_call: bool) -> Instrument:
        spot = self._desk.graph.find(f"{symbol}_SPOT")
        if spot is None or spot.error is not None:
            raise TradingError(f"{symbol} has no quote, so its options have no strike", name=symbol)
        strike = listed_strike(cast("float", spot.value) * percent / 100.0)
        return self._dated(symbol, self._desk.clock.date + dt.timedelta(days=days), strike, is_call=is_call)

    def _dated(self, symbol: str, expiry: dt.date, strike: float, *, is_call: bool) -> Instrument:
        desk = self._desk
        name = f"{symbol}_{expiry:%y%m%d}_{_written(strike)}{'C' if is_call else 'P'}"
        held = desk.graph.find(name) or self._made.get(name)
        if isinstance(held, Instrument):
            return held
        for needed in (f"{symbol}_SPOT", f"{symbol}_VOL"):
            if desk.graph.find(needed) is None:
                raise TradingError(f"the desk does not quote {needed}, which options on {symbol} need", name=needed)
        if expiry <= desk.clock.date:
            raise TradingError(f"{name} has expired: the desk's date is {desk.clock.date}", name=name)
        years = (expiry - desk.clock.date).days / _YEAR
        made = option_expiring(name, symbol, strike, years, desk.graph, desk.clock, is_call=is_call)
        self._made[name] = made
        return made


def _written(strike: float) -> str:
    """Return a strike as names have it, with all of its digits: two strikes never share a name."""
    return f"{strike:.6f}".rstrip("0").rstrip(".")


def _day(name: str, written: str) -> dt.date:
    try:
        return dt.datetime.strptime(written, "%y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        raise TradingError(f"{name}: {written} is no date; write the expiry as YYMMDD, such as 270115") from error
