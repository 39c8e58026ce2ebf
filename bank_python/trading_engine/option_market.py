"""Market data of the options in a tracker: spots, volatilities, rates, and which volatility an option gets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.instruments import VolSurface
from bank_python.risk_models import implied_vol_fit
from bank_python.trading_engine.option_trade import parse_contract

if TYPE_CHECKING:
    from bank_python.instruments.option_symbol import OptionSymbol

__all__ = ["OptionMarket"]


@dataclass(frozen=True, slots=True, eq=False)
class OptionMarket(Record):
    """Market data by underlying and by contract.

    Parameters
    ----------
    spots : mapping of str to float
        Price of each underlying, above 0.
    vols : mapping of str to float or VolSurface
        Volatility by underlying (a decimal, or a surface) or by option symbol.
    marks : mapping of str to float
        Price per unit of the underlying, by option symbol.
    rate : float
        Rate, continuously compounded.
    dividends : mapping of str to float
        Dividend yield by underlying, continuously compounded.
    """

    spots: Mapping[str, float] = field(default_factory=dict)
    vols: Mapping[str, Any] = field(default_factory=dict)
    marks: Mapping[str, float] = field(default_factory=dict)
    rate: float = 0.0
    dividends: Mapping[str, float] = field(default_factory=dict)

    def vol_of(self, contract: OptionSymbol, years: float, price: float | None = None) -> float | None:
        """Return the volatility of an option: its own, that of its price, or that of its underlying.

        Parameters
        ----------
        contract : OptionSymbol
            Contract that is valued.
        years : float
            Years to expiry.
        price : float, optional
            Market price per unit of the underlying, used if the contract has no volatility and no mark of its own.

        Returns
        -------
        float or None
            None if there is nothing to take it from.
        """
        own = self.vols.get(contract.name)
        if own is not None:
            return float(own)
        stated = self._implied(contract, years, self.marks.get(contract.name, price))
        if stated is not None:
            return stated
        general = self.vols.get(contract.underlying)
        return general.vol(contract.strike, years) if isinstance(general, VolSurface) else general

    def _implied(self, contract: OptionSymbol, years: float, price: float | None) -> float | None:
        spot = self.spots.get(contract.underlying)
        if price is None or spot is None or not years > 0.0:
            return None
        dividend = self.dividends.get(contract.underlying, 0.0)
        vol = implied_vol_fit(price, spot, contract.strike, years, self.rate, dividend, contract.is_call).vol
        found = float(vol)
        return None if math.isnan(found) else found

    def spot_vol(self, underlying: str) -> float | None:
        """Return the volatility that sizes the moves of an underlying, where one number is given for it."""
        general = self.vols.get(underlying)
        return None if general is None or isinstance(general, VolSurface) else float(general)


def checked_figures(name: str, values: Mapping[str, Any], *, above: float | None = 0.0) -> dict[str, Any]:
    """Return figures by name, or raise an error that names the bad one.

    Parameters
    ----------
    name : str
        Name of the argument in messages.
    values : mapping of str to float
        Figures by underlying or option symbol.
    above : float or None, default 0.0
        Number that every figure exceeds; None for any finite number.

    Raises
    ------
    TradingError
        They are no mapping, or a figure is not such a number.
    """
    if not isinstance(values, Mapping):
        raise TradingError(
            f"{name}={values!r} is no mapping; give figures by ticker, such as {{'SPY': 570.0}}", name=name
        )
    known: dict[str, Any] = {}
    for key, value in values.items():
        if not (name == "vols" and isinstance(value, VolSurface)):
            _check(name, key, value, above)
        known[_key(str(key), contracts=name in {"vols", "marks"})] = value
    return known


def _check(name: str, key: str, value: object, above: float | None) -> None:
    number = isinstance(value, int | float) or hasattr(value, "__float__")
    figure = float(value) if number and not isinstance(value, bool | str) else math.nan  # type: ignore[arg-type]
    if not math.isfinite(figure) or (above is not None and figure <= above):
        wanted = "a finite number" if above is None else f"a finite number above {above:g}"
        raise TradingError(f"{name}: {key} is {value!r}, not {wanted}; correct it", name=key, value=value)


def _key(text: str, *, contracts: bool) -> str:
    """Return a ticker in capitals, or the name of the contract where a symbol names one."""
    ticker = text.strip().upper()
    if contracts and any(character.isdigit() for character in ticker):
        try:
            return parse_contract(ticker).name
        except TradingError:
            return ticker
    return ticker
