"""Greeks of positions, books and the firm, in money.

A contract's derivatives say what one of it does for one unit of a factor. A book holds many, in several currencies,
and is asked in money: what a position is exposed to, and what a move of one per cent would bring. Both are sums over
positions of the same derivatives, each in the book's base currency at the present rate of exchange:

========  ============================================  ==============================================
          ``Unit.CURRENCY``: exposures                  ``Unit.PERCENT``: what moves with one per cent
========  ============================================  ==============================================
delta     Δ·S                                           P&L of a spot up by 1 %
gamma     change of the exposure Δ·S for a spot up 1 %  P&L from curvature, ½ Γ (1 % S)²
vega      P&L of 1.00 of volatility                     P&L of a volatility up by one point
theta     P&L of a year gone by at the present rate     P&L of a day (a 365th)
rho       P&L of 1.00 of rates                          P&L of rates up by 1 % (100 bp)
dividend  P&L of 1.00 of dividend yields                P&L of yields up by 1 %
credit    P&L of 1.00 of credit spreads                 P&L of spreads up by 1 % (100 bp)
fx        amount held, in the base currency             P&L of exchange rates up by 1 %
vanna     change of Δ·S for 1.00 of volatility          change of the 1 % delta for one point
volga     change of the vega for 1.00 of volatility     change of the one-point vega for one point
charm     change of Δ·S in a year                       change of the 1 % delta in a day
========  ============================================  ==============================================

A contract whose end has passed has none. At its last moment, when the price is the payment, its delta (or fx) is the
slope of that, 0 where it has none, and all other Greeks are 0.

Examples
--------
>>> from bank_python.instruments import Book, Option, Position
>>> call = Option("C", spot_source=100.0, vol_source=0.2, rate_source=0.05, strike=100.0, expiry=1.0)
>>> greeks = take_greeks([Book("ALICE", [Position("P", instrument=call, quantity=10, multiplier=100)])])
>>> round(greeks.total("delta")), round(greeks.total("vega", unit="percent"), 2)
(63683, 375.24)
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.deprecation import renamed, warn_of
from bank_python.errors import InstrumentError, RiskError, UnknownColumnError
from bank_python.instruments import Instrument, Position
from bank_python.instruments.cash_flows import ROUNDING, time_to_end
from bank_python.instruments.derivatives import Derivatives, take_derivatives
from bank_python.instruments.factor import Factor
from bank_python.risk.contracts import group_contracts, underlying_of, value_of
from bank_python.risk.holders import holders
from bank_python.risk.state import exchange_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bank_python.dagger import Node
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk.contracts import ContractColumns
    from bank_python.risk.holders import Units

__all__ = ["GREEKS", "BookGreeks", "Unit", "take_greeks"]

GREEKS = ("delta", "gamma", "vega", "theta", "rho", "dividend", "credit", "fx", "vanna", "volga", "charm")
"""The names of the columns of :class:`BookGreeks`."""

_DAY = 1.0 / 365.0
# The others are without bounds, or nothing, at the moment in which a contract ends.
_SLOPES = frozenset({"delta", "fx"})
# From exposures to what one per cent brings.
_PERCENT = {
    "delta": 1e-2,
    "gamma": 0.5e-2,
    "vega": 1e-2,
    "theta": _DAY,
    "rho": 1e-2,
    "dividend": 1e-2,
    "credit": 1e-2,
    "fx": 1e-2,
    "vanna": 1e-4,
    "volga": 1e-4,
    "charm": 1e-2 * _DAY,
}


class Unit(enum.Enum):
    """In what Greeks are told; see :mod:`bank_python.risk.greeks`."""

    CURRENCY = "currency"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True, eq=False)
class BookGreeks:
    """Greeks of the positions of some books; made by :func:`take_greeks`.

    Parameters
    ----------
    positions, instruments, books, underlyings : tuple of str
        By position: its name, what is held, in which book, and the name of what that is written on.
    currency : str
        The base currency of all figures.
    columns : mapping of str to ndarray
        By Greek (:data:`GREEKS`), exposures of shape (positions,); NaN where a position has no value.
    errors : mapping of str to Exception
        By position, why it has no value. Totals leave it out.
    """

    positions: tuple[str, ...]
    instruments: tuple[str, ...]
    books: tuple[str, ...]
    underlyings: tuple[str, ...]
    currency: str
    columns: Mapping[str, FloatArray]
    errors: Mapping[str, Exception]

    def column(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> FloatArray:
        """Return one Greek of all positions, shape (positions,).

        Raises
        ------
        UnknownColumnError
            There is no such Greek.
        RiskError
            There is no such unit.
        """
        if not isinstance(greek, str) or greek not in self.columns:  # type: ignore[redundant-expr]  # checked for untyped callers
            raise UnknownColumnError(f"no Greek {greek!r}; there are {', '.join(GREEKS)}", column=greek)
        factor = _PERCENT[greek] if _unit(unit) is Unit.PERCENT else 1.0
        return self.columns[greek] * factor

    def total(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> float:
        """Return the firm's: the sum over all positions that have a value."""
        column = self.column(greek, unit)
        return math.fsum(column[~np.isnan(column)])

    def by_trader(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> dict[str, float]:
        """Return one Greek by trader (or book, where books were given); figures as of :meth:`total`."""
        return self._sums(self.books, greek, unit)

    def by_book(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> dict[str, float]:
        """Return :meth:`by_trader`, by its old name."""
        warn_of("BookGreeks.by_book", "by_trader")
        return self.by_trader(greek, unit)

    def by_underlying(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> dict[str, float]:
        """Return one Greek by underlying."""
        return self._sums(self.underlyings, greek, unit)

    def _sums(self, keys: Sequence[str], greek: str, unit: Unit | str) -> dict[str, float]:
        parts: dict[str, list[float]] = {}
        for key, value in zip(keys, self.column(greek, unit).tolist(), strict=True):
            parts.setdefault(key, []).append(0.0 if math.isnan(value) else value)
        return {key: math.fsum(values) for key, values in parts.items()}

    def to_table(self, unit: Unit | str = Unit.PERCENT) -> Table:
        """Return a row for each position; a figure that is not there is None."""
        from bank_python.mntable import Table

        shown = {greek: self.column(greek, unit).tolist() for greek in GREEKS}
        rows = [
            {
                "position": name,
                "instrument": self.instruments[i],
                "book": self.books[i],
                "underlying": self.underlyings[i],
                **{greek: None if math.isnan(values[i]) else values[i] for greek, values in shown.items()},
            }
            for i, name in enumerate(self.positions)
        ]
        words = [(key, str) for key in ("position", "instrument", "book", "underlying")]
        return Table.from_rows([*words, *((greek, float | None) for greek in GREEKS)], rows)

    def __rich__(self) -> object:
        from bank_python.render import book_greeks_view

        return book_greeks_view(self)


@renamed(books="traders")
def take_greeks(traders: Units, base_currency: str = "USD", read: Callable[[Node], object] = value_of) -> BookGreeks:
    """Take the Greeks of every position of traders or books, from their contracts' present inputs.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Whose: ``desk.traders``, any mix of traders and books, or a mapping from a name to one of them or to positions;
        see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        Of the figures.
    read : callable, optional
        From a node to its value, or raising its error: ``snapshot.__getitem__`` looks at one tick.

    Raises
    ------
    InstrumentError
        There is no rate from a position's currency to the base currency.
    """
    held = [(holder, position) for holder in holders(traders) for position in holder.positions]
    contracts = {position: _contract(position) for _, position in held}
    groups, failed = group_contracts((item for item in contracts.values() if item is not None), read)
    exposures: dict[Instrument, dict[str, float]] = {}
    for group in groups:
        exposures |= _exposures(take_derivatives(group))
    columns = {greek: np.full(len(held), np.nan) for greek in GREEKS}
    errors: dict[str, Exception] = {}
    for i, (holder, position) in enumerate(held):
        contract = contracts[position]
        if contract is None or contract in failed:
            errors[position.name] = failed[contract] if contract else _unknown(position)
            continue
        weight = position.quantity * position.multiplier * exchange_rate(holder, position.currency, base_currency, read)
        for greek, value in exposures[contract].items():
            columns[greek][i] = weight * value
    return BookGreeks(
        tuple(position.name for _, position in held),
        tuple(cast("Node", position.instrument).name for _, position in held),
        tuple(holder.name for holder, _ in held),
        tuple(underlying_of(item) if (item := contracts[position]) else position.name for _, position in held),
        base_currency,
        columns,
        errors,
    )


def _unit(unit: Unit | str) -> Unit:
    try:
        return Unit(unit)
    except ValueError:
        known = " or ".join(repr(item.value) for item in Unit)
        raise RiskError(f"unit={unit!r} is none that Greeks are told in; choose {known}", value=unit) from None


def _exposures(derivatives: Derivatives) -> dict[Instrument, dict[str, float]]:
    """Return, for one unit of each contract, its exposures by Greek, in its own currency."""
    kind, columns = derivatives.columns.kind, derivatives.columns
    of = {factor: [name for name in kind.source_names if kind.factor_of(name) is factor] for factor in Factor}
    first, second = derivatives.first, derivatives.second

    def linear(factor: Factor) -> FloatArray:
        return _total(columns.value, [first[name] for name in of[factor]])

    def scaled(factor: Factor) -> FloatArray:
        return _total(columns.value, [first[name] * columns.row(name) for name in of[factor]])

    def mixed(a: Factor, b: Factor, scale: Callable[[str], FloatArray | float]) -> FloatArray:
        pairs = [(x, y) for x in of[a] for y in of[b]]
        return _total(columns.value, [_of_pair(second, x, y) * scale(x) for x, y in pairs])

    figures = {
        "delta": scaled(Factor.SPOT),
        "gamma": 1e-2 * mixed(Factor.SPOT, Factor.SPOT, lambda name: columns.row(name) ** 2),
        "vega": linear(Factor.VOL),
        "theta": linear(Factor.TIME),
        "rho": linear(Factor.RATE),
        "dividend": linear(Factor.DIVIDEND),
        "credit": linear(Factor.CREDIT),
        "fx": scaled(Factor.FX),
        "vanna": mixed(Factor.SPOT, Factor.VOL, columns.row),
        "volga": mixed(Factor.VOL, Factor.VOL, lambda _: 1.0),
        "charm": mixed(Factor.SPOT, Factor.TIME, columns.row),
    }
    figures = _until_the_end(kind, columns, figures)
    by_contract = np.array([figures[greek] for greek in GREEKS]).T.tolist()
    return {
        contract: dict(zip(GREEKS, row, strict=True))
        for contract, row in zip(columns.contracts, by_contract, strict=True)
    }


def _until_the_end(
    kind: type[Instrument], columns: ContractColumns, figures: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Keep of a contract at its last moment the slope of what it pays, and nothing of one whose end has passed."""
    left = time_to_end(kind, columns.row)
    at_end, past = left <= ROUNDING, left < -ROUNDING
    shown = {}
    for greek, figure in figures.items():
        stays = ~past & np.isfinite(figure) if greek in _SLOPES else False
        shown[greek] = np.where(at_end & ~np.asarray(stays), 0.0, figure)
    return shown


def _of_pair(second: Mapping[tuple[str, str], FloatArray], a: str, b: str) -> FloatArray:
    return second[min(a, b), max(a, b)]


def _total(like: FloatArray, parts: list[FloatArray]) -> FloatArray:
    return np.sum(parts, axis=0) if parts else np.zeros_like(like)


def _contract(position: Position) -> Instrument | None:
    held = position.instrument
    return held if isinstance(held, Instrument) else None


def _unknown(position: Position) -> Exception:
    return InstrumentError(f"{position.name} holds a node that is no instrument: it has no Greeks", name=position.name)
