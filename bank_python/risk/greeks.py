"""Greeks of positions, books and the firm, in currency units.

The derivatives of a contract are the sensitivities of one unit of it. A book holds many contracts in several
currencies, so its Greeks are amounts of money: exposures, or the P&L of a move of one per cent. Both are sums over
positions of the same derivatives, converted to the base currency at the present exchange rate:

========  ============================================  ==============================================
          ``Unit.CURRENCY``: exposures                  ``Unit.PERCENT``: P&L of a small move
========  ============================================  ==============================================
delta     Δ·S                                           P&L of a spot up by 1 %
gamma     change of the exposure Δ·S for a spot up 1 %  P&L from curvature, ½ Γ (1 % S)²
vega      P&L of 1.00 of volatility                     P&L of a volatility up by one point
theta     P&L per year of passing time                  P&L of one day (1/365 of a year)
rho       P&L of 1.00 of rates                          P&L of rates up by 1 % (100 bp)
dividend  P&L of 1.00 of dividend yields                P&L of yields up by 1 %
credit    P&L of 1.00 of credit spreads                 P&L of spreads up by 1 % (100 bp)
fx        amount held, in the base currency             P&L of exchange rates up by 1 %
vanna     change of Δ·S for 1.00 of volatility          change of the 1 % delta for one point
volga     change of the vega for 1.00 of volatility     change of the one-point vega for one point
charm     change of Δ·S per year                        change of the 1 % delta in a day
========  ============================================  ==============================================

All Greeks of an expired contract are 0. At the moment of expiry the price is the payoff: delta (or fx) is the slope of
the payoff, or 0 at a kink, and all other Greeks are 0.

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
from bank_python.guessing import guessable
from bank_python.instruments import Instrument, Position
from bank_python.instruments.cash_flows import ROUNDING, time_to_end
from bank_python.instruments.derivatives import Derivatives, take_derivatives
from bank_python.instruments.factor import Factor
from bank_python.results import Tabular
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
"""Names of the Greeks, the columns of :class:`BookGreeks`."""

_DAY = 1.0 / 365.0
# The Greeks that exist at the moment of expiry; the others are unbounded or 0 there.
_SLOPES = frozenset({"delta", "fx"})
# Factors that convert an exposure to the P&L of one per cent, one point or one day.
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
    """Unit of Greeks: exposures, or P&L of a small move; see the table in :mod:`bank_python.risk.greeks`."""

    CURRENCY = "currency"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BookGreeks(Tabular):
    """Greeks of the positions of traders or books; returned by :func:`take_greeks`.

    Parameters
    ----------
    positions, instruments, books, underlyings : tuple of str
        Names of each position, of its instrument, of its book (on a desk, the trader) and of its underlying.
    currency : str
        ISO 4217 code of the base currency of all figures.
    columns : mapping of str to ndarray
        Exposures by Greek (:data:`GREEKS`), arrays of shape (positions,); NaN for a position without a value.
    errors : mapping of str to Exception
        Errors of the positions without a value, by position name. Totals leave these positions out.
    """

    positions: tuple[str, ...]
    instruments: tuple[str, ...]
    books: tuple[str, ...]
    underlyings: tuple[str, ...]
    currency: str
    columns: Mapping[str, FloatArray]
    errors: Mapping[str, Exception]

    def column(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> FloatArray:
        """Return one Greek of all positions.

        Parameters
        ----------
        greek : str
            Name of the Greek, one of :data:`GREEKS`.
        unit : {"currency", "percent"} or Unit
            Unit of the figures: exposures, or P&L of a small move.

        Returns
        -------
        ndarray, shape (positions,)
            Figures in the base currency; NaN for a position without a value.

        Raises
        ------
        UnknownColumnError
            `greek` is not one of :data:`GREEKS`.
        RiskError
            `unit` is neither of the two.
        """
        # The type is checked for untyped callers.
        if not isinstance(greek, str) or greek not in self.columns:  # type: ignore[redundant-expr]
            raise UnknownColumnError(f"no Greek {greek!r}; choose one of {', '.join(GREEKS)}", column=greek)
        factor = _PERCENT[greek] if _unit(unit) is Unit.PERCENT else 1.0
        return self.columns[greek] * factor

    def total(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> float:
        """Return one Greek of the firm: the sum over all positions that have a value."""
        column = self.column(greek, unit)
        return math.fsum(column[~np.isnan(column)])

    def by_trader(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> dict[str, float]:
        """Return one Greek by trader (or book, if books were given); they add up to :meth:`total`."""
        return self._sums(self.books, greek, unit)

    def by_book(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> dict[str, float]:
        """Return the result of :meth:`by_trader`, which is the new name of this method."""
        warn_of("BookGreeks.by_book", "by_trader")
        return self.by_trader(greek, unit)

    def by_underlying(self, greek: str, unit: Unit | str = Unit.CURRENCY) -> dict[str, float]:
        """Return one Greek by underlying; they add up to :meth:`total`."""
        return self._sums(self.underlyings, greek, unit)

    def _sums(self, keys: Sequence[str], greek: str, unit: Unit | str) -> dict[str, float]:
        parts: dict[str, list[float]] = {}
        for key, value in zip(keys, self.column(greek, unit).tolist(), strict=True):
            parts.setdefault(key, []).append(0.0 if math.isnan(value) else value)
        return {key: math.fsum(values) for key, values in parts.items()}

    def to_table(self, unit: Unit | str = Unit.PERCENT) -> Table:
        """Return a table with a row for each position; figures of a position without a value are None."""
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
@guessable
def take_greeks(traders: Units, base_currency: str = "USD", read: Callable[[Node], object] = value_of) -> BookGreeks:
    """Compute the Greeks of every position of traders or books from the present inputs of their contracts.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Owners of the positions: ``desk.traders``, any mix of traders and books, or a mapping from a name to a trader,
        a book or a list of positions; see :func:`~bank_python.risk.holders.holders`.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the figures.
    read : callable, optional
        Function that returns a node's value or raises its error. The present value by default;
        ``snapshot.__getitem__`` reads the values of one tick.

    Raises
    ------
    InstrumentError
        There is no exchange rate from a position's currency to the base currency.
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
        raise RiskError(f"unit={unit!r} is not a unit of Greeks; choose {known}", value=unit) from None


def _exposures(derivatives: Derivatives) -> dict[Instrument, dict[str, float]]:
    """Return the exposures of one unit of each contract by Greek, in the currency of the contract."""
    kind, columns = derivatives.columns.kind, derivatives.columns
    sources = {factor: [name for name in kind.source_names if kind.factor_of(name) is factor] for factor in Factor}
    first, second = derivatives.first, derivatives.second

    def linear(factor: Factor) -> FloatArray:
        return _total(columns.value, [first[name] for name in sources[factor]])

    def scaled(factor: Factor) -> FloatArray:
        return _total(columns.value, [first[name] * columns.row(name) for name in sources[factor]])

    def mixed(a: Factor, b: Factor, scale: Callable[[str], FloatArray | float]) -> FloatArray:
        pairs = [(x, y) for x in sources[a] for y in sources[b]]
        return _total(columns.value, [_second(second, x, y) * scale(x) for x, y in pairs])

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
    figures = _at_expiry(kind, columns, figures)
    by_contract = np.array([figures[greek] for greek in GREEKS]).T.tolist()
    return {
        contract: dict(zip(GREEKS, row, strict=True))
        for contract, row in zip(columns.contracts, by_contract, strict=True)
    }


def _at_expiry(
    kind: type[Instrument], columns: ContractColumns, figures: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Return the figures with those of expired contracts set to 0, except a finite payoff slope at expiry."""
    left = time_to_end(kind, columns.row)
    at_end, past = left <= ROUNDING, left < -ROUNDING
    adjusted = {}
    for greek, figure in figures.items():
        valid = ~past & np.isfinite(figure) if greek in _SLOPES else False
        adjusted[greek] = np.where(at_end & ~np.asarray(valid), 0.0, figure)
    return adjusted


def _second(second: Mapping[tuple[str, str], FloatArray], a: str, b: str) -> FloatArray:
    return second[min(a, b), max(a, b)]


def _total(like: FloatArray, parts: list[FloatArray]) -> FloatArray:
    return np.sum(parts, axis=0) if parts else np.zeros_like(like)


def _contract(position: Position) -> Instrument | None:
    held = position.instrument
    return held if isinstance(held, Instrument) else None


def _unknown(position: Position) -> Exception:
    return InstrumentError(
        f"{position.name} holds a node that is not an instrument, so it has no Greeks", name=position.name
    )
