"""Settlement of expired options: the intrinsic value at the close of the expiry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bank_python.errors import MacroError, TradingError
from bank_python.macro.panel import as_moments, dated_series
from bank_python.trading_engine.price_paths import with_moments

if TYPE_CHECKING:
    from bank_python.instruments.option_symbol import OptionSymbol

__all__ = ["settlement_price"]


def settlement_price(contract: OptionSymbol, prices: Any) -> float:
    """Return what an expired option is worth per unit of its underlying.

    Parameters
    ----------
    contract : OptionSymbol
        Contract that has expired.
    prices : mapping or frame
        Price at expiry by underlying, or closes with dates.

    Raises
    ------
    TradingError
        The price of the underlying at the expiry is not among them, or not a finite number of at least 0.
    """
    at = _close(contract, prices)
    return max(at - contract.strike if contract.is_call else contract.strike - at, 0.0)


def _close(contract: OptionSymbol, prices: Any) -> float:
    name, day = contract.underlying, contract.expiry
    given = prices.get(name) if isinstance(prices, Mapping) else None
    if given is None and isinstance(prices, Mapping):
        raise TradingError(f"the price of {name} on {day} is missing, to settle {contract.name}; add it", name=name)
    number = isinstance(given, int | float) or getattr(given, "ndim", None) == 0
    if number and not isinstance(given, bool):
        at = float(given)  # type: ignore[arg-type]
    else:
        try:
            dates, closes = dated_series(with_moments({name: given}) if isinstance(prices, Mapping) else prices)[name]
        except (MacroError, KeyError) as error:
            raise TradingError(
                f"prices have no closes of {name}, to settle {contract.name}: {error}", name=name
            ) from error
        days = [getattr(moment, "date", lambda moment=moment: moment)() for moment in as_moments(dates)]
        if day not in days:
            raise TradingError(f"{name} has no close on {day}, to settle {contract.name}; add it", name=name, value=day)
        at = float(closes[len(days) - 1 - days[::-1].index(day)])
    if not math.isfinite(at) or at < 0.0:
        raise TradingError(
            f"the price of {name} on {day} is {at!r}, not a finite number of at least 0", name=name, value=at
        )
    return at
