"""Greeks of open options by expiry, by strike, by underlying or by bucket, and what the gamma costs.

The units are those of :class:`bank_python.risk.BookGreeks` in per cent: delta is the P&L of all spots up by 1 %, gamma
the P&L of their curvature, ½ Γ (1 % S)², vega that of volatilities up by one point, theta that of one calendar day.

Gamma against theta: the break-even move is that with which the gain from gamma pays for the theta,
½ Σ Γ S² σ² n² h + Θ h = 0, in standard deviations n. At 1 the options cost what they are expected to earn.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import TradingError
from bank_python.plotting import Plotted, legend_beside, literal, money
from bank_python.results import Tabular
from bank_python.trading_engine.option_book import TRADING_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.option_book import OptionBook, OptionLine

__all__ = ["GreekLadder", "Rung", "greek_ladder"]

_COLUMNS = ("contracts", "value", "delta", "gamma", "vega", "theta")
_PER_DAY = 1.0 / 365.0
_ROUNDED = 1e-9


class Rung(enum.Enum):
    """What the rows of a ladder are."""

    EXPIRY = "expiry"
    STRIKE = "strike"
    UNDERLYING = "underlying"
    BUCKET = "bucket"


_KEYS: dict[Rung, Callable[[OptionLine], tuple[object, ...]]] = {
    Rung.EXPIRY: lambda line: (line.expires or f"{line.years:.3f} years",),
    Rung.STRIKE: lambda line: (line.underlying, line.strike),
    Rung.UNDERLYING: lambda line: (line.underlying,),
    Rung.BUCKET: lambda line: (line.bucket,),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GreekLadder(Plotted, Tabular):
    """Greeks of open options by one of their terms; returned by ``TradeTracker.greeks``.

    Parameters
    ----------
    by : Rung
        Meaning of the rows.
    labels : tuple of str
        Name of each row.
    columns : mapping of str to ndarray
        Figures by name, arrays of shape (n_rows,): ``contracts``, and in money ``value``, ``delta``, ``gamma``,
        ``vega`` and ``theta``.
    rents : ndarray, shape (n_rows + 1,)
        Break-even move in standard deviations of each row and, last, of the book; NaN where gamma and theta have the
        same sign, or there is none.
    """

    by: Rung
    labels: tuple[str, ...]
    columns: Mapping[str, FloatArray]
    rents: FloatArray

    def total(self, name: str) -> float:
        """Return the sum of a column over the book.

        Raises
        ------
        TradingError
            There is no such column.
        """
        if name not in self.columns:
            raise TradingError(f"there is no column {name!r}; the columns are {', '.join(self.columns)}", name=name)
        return float(self.columns[name].sum())

    @property
    def breakeven(self) -> float | None:
        """Break-even move of the book in standard deviations; None where gamma and theta have the same sign."""
        return _known(self.rents[-1])

    @property
    def gamma_rent(self) -> float | None:
        """Theta of a day per unit of the 1 % gamma, a positive number; None where they have the same sign."""
        return None if self.breakeven is None else -self.total("theta") / self.total("gamma")

    def to_table(self) -> Table:
        """Return a table with a row for each expiry, strike, underlying or bucket."""
        from bank_python.mntable import Table

        schema = [(self.by.value, str), *((name, float) for name in _COLUMNS), ("breakeven", float | None)]
        rows = [
            {self.by.value: label, **{name: float(self.columns[name][i]) for name in _COLUMNS}}
            | {"breakeven": _known(self.rents[i])}
            for i, label in enumerate(self.labels)
        ]
        return Table.from_rows(schema, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw gamma upwards and theta downwards, as bars for each row."""
        places = np.arange(len(self.labels))
        axes.bar(places - 0.2, self.columns["gamma"], 0.4, label="gamma, 1% move", color="C0")
        axes.bar(places + 0.2, self.columns["theta"], 0.4, label="theta, 1 day", color="C1", hatch="///")
        turned = 60 if len(self.labels) > 4 else 0  # noqa: PLR2004 - labels of dates
        axes.set_xticks(places.tolist(), [literal(label) for label in self.labels], rotation=turned)
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set(ylabel="P&L", title=f"Gamma against theta by {self.by.value}")
        money(axes.yaxis)
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_tracker import greek_ladder_view

        return greek_ladder_view(self)


def greek_ladder(book: OptionBook, by: Rung | str = Rung.EXPIRY) -> GreekLadder:
    """Return the Greeks of a book by one of the terms of its options.

    Parameters
    ----------
    book : OptionBook
        Open options with their market data.
    by : {"expiry", "strike", "underlying", "bucket"}
        Meaning of the rows.

    Raises
    ------
    TradingError
        The meaning is none of these.
    """
    try:
        rung = Rung(by)
    except ValueError:
        raise TradingError(
            f"by={by!r} is none of {', '.join(one.value for one in Rung)}", name="by", value=by
        ) from None
    keys = [_KEYS[rung](line) for line in book.lines]
    groups = sorted(set(keys), key=lambda key: tuple((isinstance(part, str), part) for part in key))
    place = {key: i for i, key in enumerate(groups)}
    member = np.zeros((len(groups), len(keys)))
    member[[place[key] for key in keys], np.arange(len(keys))] = 1.0
    columns = {name: member @ column for name, column in _figures(book).items()}
    theta, curvature = member @ _annual_theta(book), member @ _annual_curvature(book)
    ratios = [_breakeven(t, c) for t, c in zip([*theta, theta.sum()], [*curvature, curvature.sum()], strict=True)]
    return GreekLadder(rung, tuple(_label(rung, key) for key in groups), columns, np.array(ratios))


def _figures(book: OptionBook) -> dict[str, FloatArray]:
    greeks, spots, units = book.greeks, book.spots, book.units
    finite = _finite(greeks.gamma) * spots**2
    return {
        "contracts": units / np.array([line.multiplier for line in book.lines]),
        "value": book.values,
        "delta": 1e-2 * units * _finite(greeks.delta) * spots,
        "gamma": 0.5e-4 * units * finite,
        "vega": 1e-2 * units * _finite(greeks.vega),
        "theta": _PER_DAY * _annual_theta(book),
    }


def _annual_theta(book: OptionBook) -> FloatArray:
    return np.asarray(book.units * _finite(book.greeks.theta))


def _annual_curvature(book: OptionBook) -> FloatArray:
    variances = book.deviations**2 * (TRADING_DAYS / book.horizon_days)
    return np.asarray(0.5 * book.units * _finite(book.greeks.gamma) * book.spots**2 * variances)


def _finite(greek: object) -> FloatArray:
    """Return a Greek with 0 where it has no finite value, at the strike at the moment of expiry."""
    values = np.asarray(greek, dtype=np.float64)
    return np.where(np.isfinite(values), values, 0.0)


def _breakeven(theta: float, curvature: float) -> float:
    opposite = theta * curvature < 0.0 and abs(curvature) > _ROUNDED * abs(theta)
    return float(np.sqrt(-theta / curvature)) if opposite else np.nan


def _label(rung: Rung, key: tuple[object, ...]) -> str:
    return f"{key[0]} {key[1]:g}" if rung is Rung.STRIKE else str(key[0])


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
