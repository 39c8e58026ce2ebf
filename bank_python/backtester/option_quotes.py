"""Prices of listed options in a back-test: the contract's own price at the underlying's bar and implied volatility.

An option is named in one way, ``AAPL 2026-03-20 C 230``, and is on 100 units of a ticker that has bars. Its implied
volatility is one figure a ticker, without a smile: the close of ``<ticker>_VOL``, a decimal, where the data have it;
else the one that is given; else the realised volatility of up to a year before, which a note of the result says.

Examples
--------
>>> from bank_python.backtester.bars import bars_of
>>> from bank_python.backtester.tape import Tape
>>> tape = Tape(bars_of({"A": [100.0, 101.0]}, start="2026-01-05"))
>>> options = OptionQuotes(tape, 0.2)
>>> tape.now = 0
>>> round(options.close("A 2026-02-04 C 100"), 3), options.value_of_one("A")
(2.287, 100.0)
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bank_python.errors import BacktestError
from bank_python.instruments.option import Option
from bank_python.instruments.option_symbol import OptionSymbol, parse_option
from bank_python.market_data.feed import Bar
from bank_python.numerics.ranges import number_in_range
from bank_python.risk_models.black_scholes import black_scholes_greeks
from bank_python.trading_engine.bar_fills import checked_bar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.backtester.tape import Tape
    from bank_python.numerics import FloatArray

__all__ = ["MULTIPLIER", "OptionQuotes"]

MULTIPLIER = 100.0
"""Units of the underlying in one listed option."""

_SUFFIX = "_VOL"
_SHOWN = 8  # tickers in a message
_DAYS_OF_YEAR = 365.0
_FEWEST, _MOST = 20, 252  # returns in a realised volatility
_LEAST = 1e-6  # price of an option: an order cannot fill at 0
_LOWEST, _HIGHEST = 0.01, 5.0  # of an implied volatility, as a decimal


class OptionQuotes:
    """Prices of options on the tickers of a tape.

    Parameters
    ----------
    tape : Tape
        Bars, up to the present one.
    vols : float or mapping of str to float, optional
        Implied volatility a year where the data have none, a decimal from 0.01 to 5: of all tickers or of each.
    rate : float, default 0.0
        Interest rate per year, a decimal, continuously compounded.

    Raises
    ------
    BacktestError
        A volatility is out of range, also one of the data.
    """

    def __init__(self, tape: Tape, vols: float | Mapping[str, float] | None = None, rate: float = 0.0) -> None:
        self._tape, self._rate = tape, rate
        self._given = _checked_vols(tape.tickers, vols)
        names = [name for name in tape.tickers if name.removesuffix(_SUFFIX) not in tape.tickers or _SUFFIX not in name]
        self._symbols: dict[str, OptionSymbol | None] = dict.fromkeys(names)
        for name in set(tape.tickers) - set(names):
            _require_decimals(name, tape.last_closes[:, tape.column(name)])
        self.are_used = False  # whether there has been a name of an option
        self.modelled: set[str] = set()  # tickers whose implied volatility was modelled

    def symbol(self, name: str) -> OptionSymbol | None:
        """Return the option that a name means, None if it means a ticker.

        Parameters
        ----------
        name : str
            Name of an instrument.

        Raises
        ------
        BacktestError
            It is neither a ticker with bars, nor an option on one.
        """
        if name not in self._symbols:
            found = _parsed(name)
            if found is not None and found.name != name:
                raise BacktestError(f"{name!r:.60} has the name {found.name!r} here; write it so", name=name)
            if name.removesuffix(_SUFFIX) != name and name.removesuffix(_SUFFIX) in self._tape.tickers:
                raise BacktestError(f"{name} is a volatility, which cannot be traded; trade options", name=name)
            self._tape.column(name if found is None else found.underlying)  # refuses what has no bars
            self._symbols[name] = found
            self.are_used = self.are_used or found is not None
        return self._symbols[name]

    def among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of some names that mean options.

        Parameters
        ----------
        names : iterable of str
            Names of instruments.
        """
        return tuple(name for name in names if self._symbols.get(name) is not None)

    def close(self, name: str) -> float:
        """Return the last price of a ticker or an option, NaN before the first bar.

        Parameters
        ----------
        name : str
            Name of an instrument.
        """
        option = self.symbol(name)
        if option is None:
            return self._tape.last(name)
        return self._price(option, self._tape.last(option.underlying), self.implied_vol(option.underlying))

    def value_of_one(self, name: str) -> float:
        """Return the value of one unit, or contract, at the last close, in money.

        Parameters
        ----------
        name : str
            Name of an instrument.
        """
        return self.close(name) * self.multiplier(name)

    def multiplier(self, name: str) -> float:
        """Return the units of the underlying in one unit, or contract.

        Parameters
        ----------
        name : str
            Name of an instrument.
        """
        return 1.0 if self.symbol(name) is None else MULTIPLIER

    def delta(self, name: str) -> float:
        """Return the units of the underlying that move as one unit, or contract, does.

        Parameters
        ----------
        name : str
            Name of an instrument.
        """
        option = self.symbol(name)
        if option is None:
            return 1.0
        spot, vol = self._tape.last(option.underlying), self.implied_vol(option.underlying)
        greeks = black_scholes_greeks(spot, option.strike, self._years(option), self._rate, vol, 0.0, option.is_call)
        return MULTIPLIER * float(greeks.delta)

    def bar(self, name: str, underlying: Bar) -> Bar:
        """Return the bar of an option from that of its underlying: at the volatility before it, but for the close.

        Parameters
        ----------
        name : str
            Name of the option.
        underlying : Bar
            Present bar of the underlying.
        """
        option = self.symbol(name)
        if option is None:
            return underlying
        seen, vol = checked_bar(underlying), self.implied_vol(option.underlying, bars_ago=1)
        first, *others = (self._price(option, spot, vol) for spot in (seen.open, seen.high, seen.low))
        last = self._price(option, seen.close, self.implied_vol(option.underlying))
        prices = (first, *others, last)
        return Bar(seen.date, first, max(prices), min(prices), last, underlying.volume)

    def implied_vol(self, ticker: str, bars_ago: int = 0) -> float:
        """Return the implied volatility of a ticker a year, a decimal, NaN where it is not known yet.

        Parameters
        ----------
        ticker : str
            Name of the ticker.
        bars_ago : int, default 0
            Number of bars before the present one.
        """
        quoted = ticker + _SUFFIX
        if quoted in self._tape.tickers:
            return self._tape.last(quoted, bars_ago)
        if ticker in self._given:
            return self._given[ticker]
        self.modelled.add(ticker)
        return self._tape.volatility(ticker, _FEWEST, _MOST, bars_ago)

    def expired(self, names: Iterable[str]) -> dict[str, float]:
        """Return the options that end on the present bar, or have ended since the one before, with their final values.

        Parameters
        ----------
        names : iterable of str
            Names of instruments held.
        """
        found, today = {}, self._tape.date.date()
        for name in self.among(names):
            option = self.symbol(name)
            if option is not None and self.has_ended(name):
                bars_ago = int(option.expiry < today and self._tape.now > 0)
                spot = self._tape.last(option.underlying, bars_ago)
                found[name] = float(Option.payoff(spot, option.strike, option.is_call))
        return found

    def has_ended(self, name: str) -> bool:
        """Return whether an option has expired; a ticker has not.

        Bars of whole days show it on the day of expiry, shorter ones on the first bar after that day.

        Parameters
        ----------
        name : str
            Name of an instrument.
        """
        option = self.symbol(name)
        if option is None:
            return False
        today = self._tape.date.date()
        return option.expiry < today or (option.expiry == today and self._tape.is_daily)

    def _price(self, option: OptionSymbol, spot: float, vol: float) -> float:
        if math.isnan(spot) or math.isnan(vol):
            return math.nan
        value = Option.price(0.0, spot, vol, self._rate, 0.0, 0.0, option.strike, self._years(option), option.is_call)
        return max(float(value), _LEAST)

    def _years(self, option: OptionSymbol) -> float:
        today = self._tape.date
        end = dt.datetime.combine(option.expiry, dt.time(), today.tzinfo)
        end += dt.timedelta(days=0 if self._tape.is_daily else 1)  # of the day, for shorter bars
        return max((end - today).total_seconds() / (86_400.0 * _DAYS_OF_YEAR), 0.0)


def _require_decimals(name: str, vols: FloatArray) -> None:
    """Refuse volatilities that are in per cent."""
    wrong = (vols < _LOWEST) | (vols > _HIGHEST)
    if wrong.any():
        raise BacktestError(
            f"{name} is {float(vols[wrong.argmax()]):g}, outside {_LOWEST:g} to {_HIGHEST:g}; give decimals: 0.2 is 20 "
            "per cent a year",
            name=name,
        )


def _parsed(name: str) -> OptionSymbol | None:
    try:
        return parse_option(name)
    except ValueError as error:
        raise BacktestError(f"{name!r:.60} is no option: {error}", name=name) from error


def _checked_vols(tickers: tuple[str, ...], given: float | Mapping[str, float] | None) -> dict[str, float]:
    if given is None:
        return {}
    by_ticker = dict(given) if isinstance(given, Mapping) else dict.fromkeys(tickers, given)
    unknown = next((name for name in by_ticker if name not in tickers), None)
    if unknown is not None:
        known = ", ".join(tickers[:_SHOWN])
        raise BacktestError(f"vols: there are no bars of {unknown!r:.40}; there are those of {known}", name="vols")
    hint = "give decimals: 0.2 is 20 per cent a year"
    return {
        name: number_in_range(f"vols[{name!r}]", vol, BacktestError, least=_LOWEST, most=_HIGHEST, hint=hint)
        for name, vol in by_ticker.items()
    }
