"""What an engine asks of the market: prices, volumes, contract terms, Greeks, opening hours.

A :class:`Market` of your own overrides what it knows. What it raises or returns is checked (:class:`CheckedMarket`): an
order whose price is unknown is rejected with the reason, and nothing is booked.

Examples
--------
>>> class Options(Market):
...     def terms(self, instrument):
...         return ContractTerms(multiplier=100.0)
...     def greeks(self, instrument):
...         return {"delta": 50.0, "vega": 12.0}  # of one contract
>>> Options().terms("SPY_30D_STRADDLE").multiplier
100.0
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.display import Record
from bank_python.errors import BankError, TradingError
from bank_python.numerics.ranges import number_in_range
from bank_python.trading_engine.execution import ExecutionModel
from bank_python.wording import message_of

if TYPE_CHECKING:
    import datetime as dt

    from bank_python.trading_engine.order import Order

__all__ = ["CheckedMarket", "ContractTerms", "GivenMarket", "Market", "market_of"]


@dataclass(frozen=True, slots=True)
class ContractTerms(Record):
    """How an instrument is paid for.

    Parameters
    ----------
    multiplier : float, default 1.0
        Amount of money per unit and per point of the price, above 0: 100 for listed options.
    currency : str, optional
        Currency of the price; that of the account by default.
    margined : bool, default False
        Whether only profits and losses are paid, not the price, as for futures.
    par : float, default 0.0
        Amount by which the price of an order exceeds the value that is booked, at least 0. A swap, whose value may be
        negative, is quoted at its notional plus its value, so that costs and limits are shares of the notional.
    """

    multiplier: float = 1.0
    currency: str | None = None
    margined: bool = False
    par: float = 0.0

    def __post_init__(self) -> None:
        number_in_range("multiplier", self.multiplier, TradingError, above=0.0)
        number_in_range("par", self.par, TradingError, least=0.0)


_PLAIN = ContractTerms()
_QUESTIONS = ("price", "volume", "vol", "execution", "terms", "is_open")


class Market:
    """Base class of markets; every method has a default, so that one overrides what is known."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def price(self, order: Order) -> float | None:
        """Return the present price for an order; by default the one that it carries.

        Parameters
        ----------
        order : Order
            Order that is to be checked and filled.
        """
        return order.price

    def volume(self, instrument: str) -> float | None:  # noqa: ARG002 - for those who override it
        """Return the average daily volume in units, None if it is unknown.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        """
        return None

    def vol(self, instrument: str) -> float | None:  # noqa: ARG002 - for those who override it
        """Return the volatility of a day as a decimal, None if it is unknown.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        """
        return None

    def execution(self, instrument: str, model: ExecutionModel) -> ExecutionModel:  # noqa: ARG002 - for overriding
        """Return the model of the costs of an instrument's fills; by default that of the engine.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        model : ExecutionModel
            Model of the engine.
        """
        return model

    def sector(self, instrument: str) -> str:  # noqa: ARG002 - for those who override it
        """Return the sector of an instrument, empty if it has none.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        """
        return ""

    def terms(self, instrument: str) -> ContractTerms:  # noqa: ARG002 - for those who override it
        """Return how an instrument is paid for; by default as a share.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        """
        return _PLAIN

    def greeks(self, instrument: str) -> Mapping[str, float]:  # noqa: ARG002 - for those who override it
        """Return the Greeks of one unit by name, multiplier included, in the units of the limits on them.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        """
        return {}

    def fx(self, currency: str) -> float | None:  # noqa: ARG002 - for those who override it
        """Return the value of one unit of a foreign currency in that of the account, None if it is unknown.

        Parameters
        ----------
        currency : str
            ISO 4217 code.
        """
        return None

    def is_open(self, instrument: str, when: dt.datetime) -> bool:  # noqa: ARG002 - for those who override it
        """Return whether an instrument trades at a time; always by default.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        when : datetime
            Time, UTC.
        """
        return True


class GivenMarket(Market):
    """A market made of a function and of mappings.

    Parameters
    ----------
    prices : callable, optional
        Function from the name of an instrument to its present price; by default an order's own price counts.
    volumes : mapping of str to float, optional
        Average daily volume by instrument in units.
    vols : mapping of str to float, optional
        Daily volatility by instrument as a decimal.
    sectors : mapping of str to str, optional
        Sector by instrument.
    """

    def __init__(
        self,
        prices: Callable[[str], float | None] | None = None,
        volumes: Mapping[str, float] | None = None,
        vols: Mapping[str, float] | None = None,
        sectors: Mapping[str, str] | None = None,
    ) -> None:
        self._prices = prices
        self._volumes, self._vols, self._sectors = dict(volumes or {}), dict(vols or {}), dict(sectors or {})

    def price(self, order: Order) -> float | None:
        """Return the price of the function, or else the one that the order carries."""
        return order.price if self._prices is None else self._prices(order.instrument_name)

    def volume(self, instrument: str) -> float | None:
        """Return the given volume."""
        return self._volumes.get(instrument)

    def vol(self, instrument: str) -> float | None:
        """Return the given volatility."""
        return self._vols.get(instrument)

    def sector(self, instrument: str) -> str:
        """Return the given sector."""
        return self._sectors.get(instrument, "")


class CheckedMarket(Market):
    """A market whose answers are checked: whatever it raises, or returns out of range, is a :class:`TradingError`.

    Text, and true or false, are no numbers. What a market does not override has the default without being asked.

    Parameters
    ----------
    market : Market
        Market to ask.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._asker = 0  # thread in which the market is asked; 0 in none
        own = {name: getattr(getattr(market, name), "__func__", None) for name in _QUESTIONS}
        self._says = frozenset(name for name, function in own.items() if function is not getattr(Market, name))

    @property
    def is_asked(self) -> bool:
        """Whether this thread waits for an answer of the market, so that the caller is the market itself."""
        return self._asker == threading.get_ident()

    def price(self, order: Order) -> float | None:
        """Return the price, None where the market has no finite one above 0."""
        given = self._asked(lambda: self._market.price(order)) if "price" in self._says else order.price
        number = _as_number(given)
        return number if number is not None and number > 0.0 else None

    def volume(self, instrument: str) -> float | None:
        """Return the volume, above 0."""
        if "volume" not in self._says:
            return None
        return self._number("volume", instrument, lambda: self._market.volume(instrument))

    def vol(self, instrument: str) -> float | None:
        """Return the volatility, above 0."""
        if "vol" not in self._says:
            return None
        return self._number("vol", instrument, lambda: self._market.vol(instrument))

    def execution(self, instrument: str, model: ExecutionModel) -> ExecutionModel:
        """Return the model of costs."""
        if "execution" not in self._says:
            return model
        found = self._asked(lambda: self._market.execution(instrument, model))
        if not isinstance(found, ExecutionModel):
            raise TradingError(f"the market's costs of {instrument} are {_shown(found)}; return an ExecutionModel")
        return found

    def fx(self, currency: str) -> float | None:
        """Return the rate, above 0."""
        return self._number("fx", currency, lambda: self._market.fx(currency))

    def sector(self, instrument: str) -> str:
        """Return the sector."""
        return str(self._asked(lambda: str(self._market.sector(instrument))))

    def terms(self, instrument: str) -> ContractTerms:
        """Return the terms."""
        if "terms" not in self._says:
            return _PLAIN
        found = self._asked(lambda: self._market.terms(instrument))
        if not isinstance(found, ContractTerms):
            raise TradingError(f"the market's terms of {instrument} are {_shown(found)}; return ContractTerms")
        return found

    def greeks(self, instrument: str) -> Mapping[str, float]:
        """Return the Greeks, all of them finite."""
        found = self._asked(lambda: self._market.greeks(instrument))
        if not isinstance(found, Mapping):
            raise TradingError(
                f"the market's Greeks of {instrument} are {_shown(found)}; return a mapping", value=found
            )
        known: dict[str, float] = {}
        for name, value in self._asked(lambda: [(str(greek), figure) for greek, figure in found.items()]):
            number = _as_number(value)
            if number is None:
                raise TradingError(f"the market's {name} of {instrument} is {_shown(value)}, not a finite number")
            known[name] = number
        return known

    def is_open(self, instrument: str, when: dt.datetime) -> bool:
        """Return whether it is open."""
        if "is_open" not in self._says:
            return True
        return bool(self._asked(lambda: bool(self._market.is_open(instrument, when))))

    def _number(self, what: str, name: str, ask: Callable[[], float | None]) -> float | None:
        given = self._asked(ask)
        number = None if given is None else _as_number(given)
        if given is not None and not (number is not None and number > 0.0):
            raise TradingError(
                f"the market's {what} of {name} is {_shown(given)}, not a finite number above 0", name=name, value=given
            )
        return number

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """Return an answer of the market, which is the code of users and may raise anything."""
        before = self._asker
        try:
            self._asker = threading.get_ident()
            return ask()
        except BankError as error:
            raise TradingError(error.message) from error
        except Exception as error:
            raise TradingError(f"the market raised {type(error).__name__}: {message_of(error)}") from error
        finally:
            self._asker = before


def _as_number(value: Any) -> float | None:
    """Return a value as a finite number, None if it is not one."""
    if isinstance(value, str | bytes | bytearray | bool | np.bool_):
        return None
    try:
        number = float(value)
    except Exception:  # noqa: BLE001 - the conversion of users' objects may raise anything
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    """Return the beginning of a value's text, or of what it is if that cannot be had."""
    try:
        return f"{value!r:.60}"
    except Exception:  # noqa: BLE001 - as above
        return f"<{type(value).__name__}>"


def market_of(
    given: Any,
    volumes: Mapping[str, float] | None,
    vols: Mapping[str, float] | None,
    sectors: Mapping[str, str] | None,
) -> Market:
    """Return the market that an engine is given: one, a function of prices, or nothing but mappings.

    Parameters
    ----------
    given : Market, callable or None
        Market, or function from the name of an instrument to its present price.
    volumes, vols, sectors : mapping, optional
        Figures by instrument, as for :class:`GivenMarket`; a :class:`Market` brings its own.

    Raises
    ------
    TradingError
        It is neither, or a market and mappings are given together.
    """
    if isinstance(given, Market):
        for name, value in (("volumes", volumes), ("vols", vols), ("sectors", sectors)):
            if value is not None:
                raise TradingError(
                    f"{name}= is given beside a Market; let {type(given).__name__}.{name[:-1]}() return it", name=name
                )
        return given
    if given is not None and not callable(given):
        raise TradingError(
            f"market={given!r:.60} is no market; give a Market, or a function from a name to its price", name="market"
        )
    is_silent = given is None and not (volumes or vols or sectors)
    return Market() if is_silent else GivenMarket(given, volumes, vols, sectors)
