"""The equity of an account over time: its states at past dates, valued at the prices of these dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import RiskError, TradingError
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.plotting import Plotted, axes_below, dates, legend_beside, literal, money, places
from bank_python.results import Tabular
from bank_python.trading_engine.moments import is_before
from bank_python.trading_engine.statement import prices_of, values_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.ledger_state import Booking, LedgerState

__all__ = ["LedgerHistory", "history_of"]

_FIGURES = ("equity", "cash", "positions", "deposits", "pnl")


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class LedgerHistory(Plotted, Tabular):
    """The equity of an account over time; returned by :meth:`Ledger.history`.

    Parameters
    ----------
    currency : str
        Currency of the amounts.
    dates : tuple of date or datetime
        Ascending dates; events of a date are part of its figures.
    cash, positions, deposits : ndarray, shape (n,)
        Cash, value of the positions, and net deposits so far, at each date; read-only.
    """

    currency: str
    dates: tuple[dt.date, ...]
    cash: FloatArray
    positions: FloatArray
    deposits: FloatArray

    @property
    def equity(self) -> FloatArray:
        """Cash and positions together; shape (n,)."""
        return np.round(self.cash + self.positions, 9)

    @property
    def pnl(self) -> FloatArray:
        """Equity less net deposits; shape (n,)."""
        return np.round(self.equity - self.deposits, 9)

    def __len__(self) -> int:
        return len(self.dates)

    def to_table(self) -> Table:
        """Return a table with a row for each date: equity, cash, positions, net deposits, P&L."""
        from bank_python.mntable import Table

        columns = [getattr(self, name).tolist() for name in _FIGURES]
        schema = [("date", type(self.dates[0])), *((name, float) for name in _FIGURES)]
        names = [name for name, _ in schema]
        rows = zip(self.dates, *columns, strict=True)
        return Table.from_rows(schema, [dict(zip(names, row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the equity and the net deposits, and the P&L below."""
        at = places(self.dates)
        below = axes_below(axes)
        axes.plot(at, self.equity, color="tab:blue", label="equity")
        axes.step(at, self.deposits, where="post", color="black", linestyle="--", label="net deposits")
        axes.set_title(literal(f"Equity {self.equity[-1]:,.2f} {self.currency}, P&L {self.pnl[-1]:+,.2f}"))
        below.plot(at, self.pnl, color="tab:green", label="P&L")
        below.axhline(0.0, color="black", linewidth=0.6)
        axes.set_ylabel(literal(self.currency))
        below.set_ylabel(literal(f"P&L, {self.currency}"))
        for part in (axes, below):
            money(part.yaxis)
        dates(below.xaxis)
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_ledger import ledger_history_view

        return ledger_history_view(self)


def history_of(
    start: LedgerState, bookings: Sequence[Booking], prices: Any, given_dates: Any, fx: Any
) -> LedgerHistory:
    """Return the equity at past dates; see :meth:`Ledger.history`."""
    at = _dates(prices, given_dates)
    columns, rates = _columns(prices, len(at), "prices"), {} if fx is None else _columns(fx, len(at), "fx")
    state, rest, figures = start, list(reversed(bookings)), []
    for i, day in enumerate(at):
        while rest and not is_before(day, rest[-1].event.when):
            state = state.after(rest.pop())
        here = {name: columns[name][i] for name in state.positions if name in columns}
        try:
            equity, positions = values_of(state, here, {name: values[i] for name, values in rates.items()})
        except TradingError as error:
            error.add_note(f"on {day}")
            raise
        figures.append((float(equity - positions), float(positions), float(state.deposited)))
    table = np.array(figures).T.copy()
    table.setflags(write=False)
    return LedgerHistory(start.settings.currency, at, *table)


def _dates(prices: Any, given: Any) -> tuple[dt.date, ...]:
    found = dates_of(prices) if given is None else given
    if found is None:
        raise TradingError("history: the prices have no dates; give dates=", name="dates", value=None)
    try:
        listed = list(found)
        known = checked_dates(listed, len(listed))
    except (RiskError, TypeError) as error:
        raise TradingError(f"history: {error}", name="dates", value=given) from error
    if not known:
        raise TradingError("history: there are no dates; give at least one", name="dates", value=given)
    return known


def _columns(values: Any, count: int, of: str) -> dict[str, list[Any]]:
    """Return the figures of each name as a list with one for each date."""
    found = {}
    for name, column in prices_of(values, of).items():
        is_list = hasattr(column, "__len__") and not isinstance(column, str | Mapping)
        listed = list(np.asarray(column).tolist()) if is_list else [column] * count
        if len(listed) != count:
            said = f"history: {of} of {name!r} has {len(listed)} figures for {count} dates; give one for each date"
            raise TradingError(said, name=of, value=len(listed))
        found[name] = listed
    return found
