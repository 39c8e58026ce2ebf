"""Limits that are checked before an order goes to the market, each with its unit, its figure and its maximum.

What counts is the worst case *after* the order: what is held, the order itself, and those of the open orders that make
a figure larger; a purchase and a sale that both work are not netted. An order that only reduces a position passes every
limit on size, and is the only kind that passes once the loss stop is reached. A figure that is unknown, such as a loss
without the price of a position, passes no limit.

Examples
--------
>>> from bank_python.trading_engine.order import Order
>>> limits = PositionLimits(max_position=50_000.0, max_concentration=0.4, book_value=200_000.0)
>>> account = Exposure(units={"AAPL": 200.0}, prices={"AAPL": 228.0})
>>> for breach in limits.breaches(Order("", "Alice", "AAPL", "BUY", 100), 228.0, account):
...     print(breach)
Position of AAPL after the order: 68,400 is above 50,000 (money)
>>> limits.breaches(Order("", "Alice", "AAPL", "SELL", 100), 228.0, account)
()
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, TypeAlias

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.trading_engine.margin import MarginPosition, MarginRates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.trading_engine.order import Order

__all__ = ["Exposure", "LimitBreach", "PositionLimits"]

Ranges: TypeAlias = "Mapping[str, tuple[float, float]]"  # two figures by name


@dataclass(frozen=True, slots=True)
class LimitBreach(Record):
    """A limit that an order would break.

    Parameters
    ----------
    limit : str
        Name of the limit.
    what : str
        Figure in words.
    value, maximum : float
        Figure after the order, and its maximum.
    unit : str
        Unit of both: money, a share, or the unit of a Greek.
    """

    limit: str
    what: str
    value: float
    maximum: float
    unit: str

    def __str__(self) -> str:
        return f"{self.what}: {_said(self.value)} is above {_said(self.maximum)} ({self.unit})"


@dataclass(frozen=True, slots=True)
class Exposure(Record):
    """What an account holds and has ordered when an order is checked.

    Parameters
    ----------
    units : mapping of str to float, optional
        Units held by instrument, negative for short positions.
    prices : mapping of str to float, optional
        Present price by instrument, in one currency.
    pending : mapping of str to (float, float), optional
        Units of open purchases and of open sales by instrument, both at least 0.
    pnl : float, default 0.0
        P&L of the period of the loss stop, in money.
    greeks : mapping of str to float, optional
        Greeks of the account by name.
    pending_greeks : mapping of str to (float, float), optional
        Least and largest Greeks that open orders can add, by name: at most and at least 0.
    sectors : mapping of str to str, optional
        Sector by instrument.
    order_greeks : mapping of str to float, optional
        Greeks that the order adds, by name.
    equity : float, default NaN
        Equity of the account in money, for the margin.
    points : mapping of str to float, optional
        Money of one unit per point of the price, by instrument: multiplier times exchange rate; 1 if omitted.
    """

    units: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    pending: Ranges = field(default_factory=dict)
    pnl: float = 0.0
    greeks: Mapping[str, float] = field(default_factory=dict)
    pending_greeks: Ranges = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    order_greeks: Mapping[str, float] = field(default_factory=dict)
    equity: float = math.nan
    points: Mapping[str, float] = field(default_factory=dict)

    def money(self, instrument: str, price: float) -> float:
        """Return the money of one unit at a price.

        Parameters
        ----------
        instrument : str
            Name of the instrument.
        price : float
            Price per unit.
        """
        return price * self.points.get(instrument, 1.0)

    def ranges_after(self, order: Order, instruments: Iterable[str] | None = None) -> dict[str, tuple[float, float]]:
        """Return the least and the largest units by instrument once an order has filled, whatever open orders do.

        Parameters
        ----------
        order : Order
            Order to check.
        instruments : iterable of str, optional
            Names of the instruments; by default all that are held or ordered.
        """
        found = {}
        for name in {**self.units, **self.pending, order.instrument_name: 0.0} if instruments is None else instruments:
            held = self.units.get(name, 0.0)
            held += order.side.sign * order.remaining if name == order.instrument_name else 0.0
            bought, sold = self.pending.get(name, (0.0, 0.0))
            found[name] = (held - sold, held + bought)
        return found

    def greek_range(self, greek: str) -> tuple[float, float]:
        """Return the largest absolute Greek before and after the order, whatever open orders do.

        Parameters
        ----------
        greek : str
            Name of the Greek.
        """
        less, more = self.pending_greeks.get(greek, (0.0, 0.0))
        before = self.greeks.get(greek, 0.0)
        after = before + self.order_greeks.get(greek, 0.0)
        return max(abs(before + less), abs(before + more)), max(abs(after + less), abs(after + more))


@dataclass(frozen=True, slots=True)
class PositionLimits(Record):
    """Limits on orders; infinite limits are not checked.

    Parameters
    ----------
    max_position : float, default 500,000
        Largest absolute value of a position, in money.
    max_concentration : float, default 0.4
        Largest position as a share of the book: of `book_value`, or of the gross value after the order if that is more.
    book_value : float, default 0.0
        Capital of the book, in money; concentration is not checked if it is 0.
    max_gross, max_net : float, default infinity
        Largest sum of absolute values, and largest absolute sum of values, in money.
    max_sector : float, default infinity
        Largest absolute net value of a sector, in money.
    max_order : float, default infinity
        Largest value of one order, in money: against typing errors.
    max_price_gap : float, default infinity
        Largest distance of a limit or stop price from the present price, as a share of that: against typing errors.
        The stop and the target of a bracket may be farther away.
    max_loss : float, default infinity
        Loss from which on only orders that reduce positions pass, in money.
    max_greeks : mapping of str to float, optional
        Largest absolute value of each Greek of the account; orders that bring it closer to 0 pass.
    margin : MarginRates or mapping of str to MarginRates, optional
        Margin rates of all instruments, or of each: after the order, equity has to cover the initial margin.

    Raises
    ------
    TradingError
        A limit is negative or not a number, or the margin rates are none.
    """

    max_position: float = 500_000.0
    max_concentration: float = 0.4
    book_value: float = 0.0
    max_gross: float = math.inf
    max_net: float = math.inf
    max_sector: float = math.inf
    max_order: float = math.inf
    max_price_gap: float = math.inf
    max_loss: float = math.inf
    max_greeks: Mapping[str, float] = field(default_factory=dict)
    margin: MarginRates | Mapping[str, MarginRates] | None = None

    def __post_init__(self) -> None:
        self._check_margin()
        for item in fields(self):
            if item.name == "margin":
                continue
            value = getattr(self, item.name)
            for name, limit in value.items() if isinstance(value, Mapping) else [(item.name, value)]:
                is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
                if not (is_number and limit >= 0.0):
                    raise TradingError(f"{name}={limit!r} is not a number of at least 0", name=name, value=limit)

    @property
    def are_none(self) -> bool:
        """Whether no limit is finite, so that every order passes."""
        sizes = math.inf == self.max_position == self.max_order == self.max_price_gap == self.max_loss
        is_free = self.book_value <= 0.0 or self.max_concentration == math.inf
        return sizes and is_free and not self.spans_instruments

    @property
    def spans_instruments(self) -> bool:
        """Whether a limit adds up the positions of several instruments."""
        is_summed = not math.inf == self.max_gross == self.max_net == self.max_sector
        return is_summed or bool(self.max_greeks) or self.margin is not None

    def margin_positions(
        self, units: Mapping[str, float], prices: Mapping[str, float], points: Mapping[str, float]
    ) -> dict[str, MarginPosition]:
        """Return positions as the margin rates see them; none without margin rates.

        Parameters
        ----------
        units : mapping of str to float
            Units held by instrument.
        prices : mapping of str to float
            Price by instrument.
        points : mapping of str to float
            Money of one unit per point of the price, by instrument.

        Raises
        ------
        TradingError
            An instrument has no rates, or no price.
        """
        if self.margin is None:
            return {}
        found = {}
        for name, held in units.items():
            rates = self.margin.get(name) if isinstance(self.margin, Mapping) else self.margin
            if rates is None or name not in prices:
                lacking = "margin rates" if rates is None else "price"
                raise TradingError(f"{name} has no {lacking}, which its margin needs", name=name)
            found[name] = MarginPosition(held, prices[name], rates, multiplier=points.get(name, 1.0))
        return found

    def breaches(self, order: Order, price: float, account: Exposure) -> tuple[LimitBreach, ...]:
        """Return the limits that an order would break, empty if it passes.

        Parameters
        ----------
        order : Order
            Order to check.
        price : float
            Present price of its instrument, above 0.
        account : Exposure
            Holdings and open orders of the account.
        """
        return tuple(self._breaches(order, price, account))

    def _breaches(self, order: Order, price: float, account: Exposure) -> Iterator[LimitBreach]:
        name, held = order.instrument_name, account.units.get(order.instrument_name, 0.0)
        yield from self._typing_errors(order, price, account)
        after = _after(order, held, account)
        if _only_reduces(held, after):
            return
        if math.isfinite(self.max_loss) and not account.pnl > -self.max_loss:
            what = "Loss, from which on orders may only reduce positions"
            yield LimitBreach("max_loss", what, -account.pnl, self.max_loss, "money")
        prices = {**account.prices, name: price}
        is_whole = self.spans_instruments or self.book_value > 0.0
        ranges = account.ranges_after(order, None if is_whole else (name,))
        money = {other: account.money(other, prices.get(other, math.nan)) for other in ranges}
        held_after = {**account.units, name: after} if is_whole else {name: after}
        sizes = {other: abs(units * money[other]) for other, units in held_after.items()}
        yield from self._sizes(name, sizes, _values(ranges, money), account)
        yield from self._greeks(account)
        if self.margin is not None:
            yield from self._margin({other: max(span, key=abs) for other, span in ranges.items()}, prices, account)

    def _greeks(self, account: Exposure) -> Iterator[LimitBreach]:
        for greek, most in self.max_greeks.items():
            before, after = account.greek_range(greek)
            if not (after <= most or after < before):
                value = after
                yield LimitBreach(f"max_{greek}", f"{greek.capitalize()} after the order", value, most, greek)

    def _margin(
        self, units: Mapping[str, float], prices: Mapping[str, float], account: Exposure
    ) -> Iterator[LimitBreach]:
        held = self.margin_positions(units, prices, account.points)
        required = math.fsum(position.initial for position in held.values())
        if not required <= account.equity:
            yield LimitBreach("margin", "Initial margin after the order", required, account.equity, "money of equity")

    def _check_margin(self) -> None:
        given: object = self.margin
        for rates in given.values() if isinstance(given, Mapping) else (given,):
            if rates is not None and not isinstance(rates, MarginRates):
                raise TradingError(f"margin={rates!r:.60} is no MarginRates; give MarginRates(0.5)", name="margin")

    def _typing_errors(self, order: Order, price: float, account: Exposure) -> Iterator[LimitBreach]:
        value = order.remaining * account.money(order.instrument_name, price)
        if value > self.max_order:
            yield LimitBreach("max_order", "Value of the order", value, self.max_order, "money")
        for asked in (order.limit_price, order.stop_price):
            gap = 0.0 if asked is None else abs(asked / price - 1.0)
            if gap > self.max_price_gap:
                what = f"Distance of {asked:g} from the price {price:g}"
                yield LimitBreach("max_price_gap", what, gap, self.max_price_gap, "share of the price")

    def _sizes(
        self, name: str, sizes: Mapping[str, float], values: Mapping[str, tuple[float, float]], account: Exposure
    ) -> Iterator[LimitBreach]:
        position = sizes[name]
        gross = math.fsum(max(abs(low), abs(high)) for low, high in values.values())
        sector = account.sectors.get(name, "")
        of_sector = [span for other, span in values.items() if account.sectors.get(other) == sector] if sector else []
        checked = [
            ("max_position", "Position of {name}", position, self.max_position, "money"),
            ("max_gross", "Gross value", gross, self.max_gross, "money"),
            ("max_net", "Net value", _largest_net(values.values()), self.max_net, "money"),
            ("max_sector", "Sector {sector}", _largest_net(of_sector), self.max_sector, "money"),
        ]
        if self.book_value > 0.0:
            # Of what is held, as open orders would make the book larger than it is; of the capital if that is unknown.
            share = position / max(self.book_value, math.fsum(sizes.values()))
            most = self.max_concentration
            checked.append(("max_concentration", "Concentration of {name}", share, most, "share of the book"))
        for limit, what, value, most, unit in checked:
            if most < math.inf and not value <= most:  # a missing price makes the value NaN, which passes no limit
                said = what.format(name=name, sector=sector)
                yield LimitBreach(limit, f"{said} after the order", value, most, unit)


def _values(ranges: Mapping[str, tuple[float, float]], money: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return the least and the largest value by instrument; a price below 0 turns the two around."""
    spans = {name: (low * money[name], high * money[name]) for name, (low, high) in ranges.items()}
    return {name: (min(span), max(span)) for name, span in spans.items()}


def _largest_net(spans: Iterable[tuple[float, float]]) -> float:
    """Return the largest absolute sum that values in these ranges can have."""
    ends = list(zip(*spans, strict=True))
    return max((abs(math.fsum(each)) for each in ends), default=0.0)


def _after(order: Order, held: float, account: Exposure) -> float:
    """Return the units after the order and all open orders of its side."""
    bought, sold = account.pending.get(order.instrument_name, (0.0, 0.0))
    return held + order.side.sign * ((bought if order.side.sign > 0.0 else sold) + order.remaining)


def _only_reduces(held: float, after: float) -> bool:
    return held * after >= 0.0 and abs(after) <= abs(held)


def _said(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:,.0f}" if value >= 100.0 else f"{value:.4g}"  # noqa: PLR2004 - cents do not matter from there on
