"""Options in signals: their names, and prices and vegas by Black and Scholes without interest.

A name says the underlying, the days to expiry and what it is: ``AAPL_30D_STRADDLE`` is a call and a put at the money,
``SPY_30D_95P`` a put with the strike at 95 per cent of the spot, ``SPY_30D_105C`` a call at 105 per cent. A unit is an
option on one unit of the underlying; a listed contract is on 100.

Examples
--------
>>> option = SignalOption.from_name("SPY_30D_95P")
>>> option.ticker, option.days, option.moneyness, option.kind, option.name
('SPY', 30, 95.0, 'P', 'SPY_30D_95P')
>>> round(SignalOption("SPY", 30).price(585.0, 0.15), 2)
20.07
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.risk_models.black_scholes import black_scholes_greeks, black_scholes_price
from bank_python.trading_engine.checks import positive, whole_number

if TYPE_CHECKING:
    from typing import Self

__all__ = ["SignalOption"]

_STRADDLE = "STRADDLE"
_AT_THE_MONEY = 100.0
_DAYS_OF_YEAR = 365.0
_NAME = re.compile(r"(?P<ticker>.+)_(?P<days>\d+)D_(?:STRADDLE|(?P<moneyness>\d+(?:\.\d+)?)(?P<kind>[CP]))")


@dataclass(frozen=True, slots=True)
class SignalOption(Record):
    """A straddle at the money, or a call or put by its moneyness.

    Parameters
    ----------
    ticker : str
        Name of the underlying, not empty.
    days : int
        Calendar days to expiry, at least 1.
    kind : {"STRADDLE", "C", "P"}, default "STRADDLE"
        Straddle, call or put.
    moneyness : float, default 100.0
        Strike in per cent of the spot, above 0; 100 for a straddle.

    Raises
    ------
    TradingError
        The kind is unknown, or a number is out of range.
    """

    ticker: str
    days: int
    kind: str = _STRADDLE
    moneyness: float = _AT_THE_MONEY

    def __post_init__(self) -> None:
        name: Any = self.ticker
        kind: Any = self.kind
        if not isinstance(name, str) or not name:
            raise TradingError(f"ticker={name!r:.60}; give the name of the underlying", name="ticker", value=name)
        if not isinstance(kind, str) or kind not in {_STRADDLE, "C", "P"}:
            raise TradingError(f"no kind {kind!r:.60}; choose one of STRADDLE, C, P", name="kind", value=self.kind)
        whole_number("days", self.days, 1)
        positive("moneyness", self.moneyness)
        if self.kind == _STRADDLE and self.moneyness != _AT_THE_MONEY:
            raise TradingError(f"a straddle has the moneyness 100, not {self.moneyness!r}", name="moneyness")

    @classmethod
    def from_name(cls, name: str) -> Self:
        """Return the option of a name.

        Parameters
        ----------
        name : str
            Name as signals and orders have it.

        Raises
        ------
        TradingError
            The name is not that of an option.
        """
        given: Any = name
        found = _NAME.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise TradingError(
                f"{name!r:.60} names no option; names are like SPY_30D_STRADDLE, SPY_30D_95P or SPY_30D_105C",
                name="name",
                value=name,
            )
        kind, moneyness = found["kind"] or _STRADDLE, float(found["moneyness"] or _AT_THE_MONEY)
        return cls(found["ticker"], int(found["days"]), kind, moneyness)

    @property
    def name(self) -> str:
        """Name of the instrument."""
        what = _STRADDLE if self.kind == _STRADDLE else f"{self.moneyness:g}{self.kind}"
        return f"{self.ticker}_{self.days}D_{what}"

    def price(self, spot: float, vol: float) -> float:
        """Return the price for one unit of the underlying.

        Parameters
        ----------
        spot : float
            Price of the underlying, above 0.
        vol : float
            Implied volatility a year, a decimal above 0.
        """
        return float(np.asarray(black_scholes_price(*self._terms(spot, vol))).sum())

    def vega(self, spot: float, vol: float) -> float:
        """Return the derivative of the price by the volatility, per 1.00.

        Parameters
        ----------
        spot : float
            Price of the underlying, above 0.
        vol : float
            Implied volatility a year, a decimal above 0.
        """
        return float(np.asarray(black_scholes_greeks(*self._terms(spot, vol)).vega).sum())

    def _terms(self, spot: float, vol: float) -> tuple[Any, ...]:
        calls = {_STRADDLE: [True, False], "C": [True], "P": [False]}[self.kind]
        strike = spot * self.moneyness / _AT_THE_MONEY
        return spot, strike, self.days / _DAYS_OF_YEAR, 0.0, vol, 0.0, np.array(calls)
