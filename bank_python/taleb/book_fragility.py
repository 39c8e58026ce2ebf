r"""Fragility of books: the second-order heuristic of their P&L under moves of spots and volatilities, by revaluation.

Each book is revalued in full (see :mod:`bank_python.risk.valuation`) with all factors of a kind moved down, and moved
up, by a step and by multiples of it; the mean of the two P&L figures is the heuristic H of the book (see
:mod:`bank_python.taleb.fragility`), as its P&L now is 0. H below 0 is what a book loses to a move whose direction it
does not bet on: a book that is short options is fragile, one of shares or futures robust, one that is long options
antifragile.

All factors of a kind move in the same direction. In the joint move volatilities and credit spreads move against spots,
as they do in falling markets. A spread between two shares is therefore not moved; give names of single factors for it.

Examples
--------
>>> from bank_python.instruments import Book, Option, Position
>>> from bank_python.market_data import MarketData
>>> spot, vol = MarketData("SPOT", 100.0), MarketData("VOL", 0.2)
>>> put = Option("P", spot_source=spot, vol_source=vol, rate_source=0.0, strike=80.0, expiry=0.25, is_call=False)
>>> books = [Book("ALICE", [Position("LONG", instrument=put, quantity=1_000)])]
>>> books.append(Book("BOB", [Position("SHORT", instrument=put, quantity=-1_000)]))
>>> found = book_fragility(books)
>>> {name: verdict.value for name, verdict in found.verdicts.items()}
{'ALICE': 'antifragile', 'BOB': 'fragile'}
>>> found["BOB"].heuristic.round(0).tolist()[0]  # spots ± 5, 10 and 20 per cent
[-41.0, -210.0, -1555.0]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from bank_python.admission import admits
from bank_python.dagger import DependencyGraph
from bank_python.errors import ModelError, RiskError
from bank_python.guessing import guessable
from bank_python.instruments import Book
from bank_python.instruments.factor import Factor
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import EPSILON, NINE_DIGITS
from bank_python.plotting import Plotted, hatch_losses, literal, money
from bank_python.results import Tabular
from bank_python.risk.valuation import ValuationPlan, plan_valuation
from bank_python.taleb.fragility import JOINT, MULTIPLES, Fragility, FragilityVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.dagger import Node
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk.holders import Units

__all__ = ["FACTOR_STEPS", "BookFragility", "book_fragility"]

FACTOR_STEPS: Mapping[str, float] = {
    Factor.SPOT.value: 0.10,
    Factor.VOL.value: 0.25,
    Factor.FX.value: 0.05,
    Factor.CREDIT.value: 0.25,
    Factor.RATE.value: 0.01,
    Factor.DIVIDEND.value: 0.01,
}
"""Default steps by kind of factor: relative moves of spots, volatilities, exchange rates and credit spreads, shifts of
rates and dividend yields. About the moves of a bad month; those of spots and volatilities go together."""

_AGAINST_SPOTS = frozenset({Factor.VOL, Factor.CREDIT})
_PRICE_ROUNDING = (
    64.0 * EPSILON
)  # of a price with an exponential and a few normal probabilities, relative to gross value

Valued: TypeAlias = "Units | DependencyGraph | ValuationPlan"
"""Books to revalue: traders or books, a graph with all books in it, or a plan made before."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BookFragility(Plotted, Tabular):
    """Fragility of several books and of all together; returned by :func:`book_fragility`.

    Parameters
    ----------
    units : tuple of str
        Names of the traders or books.
    results : tuple of Fragility
        Heuristic of each book, in the order of `units`.
    firm : Fragility
        Heuristic of the sum of all books.
    currency : str
        ISO 4217 code of the currency of the P&L.
    """

    units: tuple[str, ...]
    results: tuple[Fragility, ...]
    firm: Fragility
    currency: str

    def __getitem__(self, unit: str) -> Fragility:
        try:
            return self.results[self.units.index(unit)]
        except ValueError:
            raise KeyError(unit) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.units)

    def __len__(self) -> int:
        return len(self.units)

    @property
    def verdicts(self) -> dict[str, FragilityVerdict]:
        """Verdict on the joint move (or the only one) of each book."""
        return {unit: result.verdict for unit, result in zip(self.units, self.results, strict=True)}

    def by_trader(self, factor: str | None = None, multiple: float = 1.0) -> dict[str, float]:
        """Return H of each trader (or book, if books were given) for one row and one size of move.

        Parameters
        ----------
        factor : str, optional
            Name of the row, such as "spot"; the last, the joint move, if omitted.
        multiple : float, default 1
            Multiple of the step, one of those computed.

        Raises
        ------
        ModelError
            There is no such row or multiple; the message lists them.
        """
        row, column = _place(self.firm, factor, multiple)
        return {unit: float(item.heuristic[row, column]) for unit, item in zip(self.units, self.results, strict=True)}

    def to_table(self) -> Table:
        """Return a table with a row for each book, factor and size of move."""
        from bank_python.mntable import Table

        kinds = [("unit", str), ("factor", str), ("step", float | None), ("multiple", float), ("down", float)]
        kinds += [("up", float), ("heuristic", float), ("relative", float | None), ("verdict", str)]
        named = zip(self.units, self.results, strict=True)
        return Table.from_rows(kinds, [{"unit": unit, **row} for unit, result in named for row in result.rows()])

    def _draw_(self, axes: Axes) -> None:
        """Draw H of the joint move at the largest size, a bar for each book."""
        values = [float(result.heuristic[-1, -1]) for result in self.results]
        bars = axes.barh([literal(unit) for unit in self.units], values)
        hatch_losses(bars, values)
        axes.axvline(0.0, color="black", linewidth=0.8)
        axes.invert_yaxis()
        title = f"Fragility of books: {self.firm.factors[-1]} move, {self.firm.multiples[-1]:g} steps"
        axes.set(xlabel=f"H, {self.currency}", title=title)
        money(axes.xaxis)

    def __rich__(self) -> object:
        from bank_python.render_fragility import book_fragility_view

        return book_fragility_view(self)


@guessable
@admits(ModelError, members=False)
def book_fragility(
    traders: Valued,
    factors: Sequence[str] = ("spot", "vol"),
    *,
    steps: Mapping[str, float] | None = None,
    multiples: ArrayLike = MULTIPLES,
    tolerance: float = NINE_DIGITS,
    base_currency: str = "USD",
    read: Callable[[Node], object] | None = None,
) -> BookFragility:
    """Return the second-order heuristic of books under moves of their risk factors, by full revaluation.

    Parameters
    ----------
    traders : traders, books, a mapping, DependencyGraph or ValuationPlan
        Books to revalue, as for :func:`~bank_python.risk.valuation.plan_valuation`; a graph stands for all books that
        are registered in it. A plan may be given where one exists; then `base_currency` and `read` have no effect.
    factors : sequence of str, default ("spot", "vol")
        Moves to make, one after the other and then all together: kinds of factors, such as "spot", "vol", "fx",
        "rate", "credit" or "dividend", all factors of which move together, or names of single factors.
    steps : mapping of str to float, optional
        Steps by kind or by name of a factor, above 0: relative moves, or shifts of rates and dividend yields;
        :data:`FACTOR_STEPS` for those not listed.
    multiples : array_like, shape (sizes,), default (0.5, 1, 2)
        Multiples of the steps that are tried, above 0.
    tolerance : float, default 1e-9
        Share of a book's own move up to which H counts as 0, in [0, 1).
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the P&L.
    read : callable, optional
        Function that returns a node's value or raises its error; the present value by default.

    Returns
    -------
    BookFragility
        Heuristic of each book and of the firm. A book without an exposure to the factors has H = 0.

    Raises
    ------
    ModelError
        A factor is unknown to all books and no kind, or occurs twice; a step or another argument is out of range.
    RiskError
        A position has no value, or a contract no price in a scenario; the message names it.
    """
    plan = _plan(traders, base_currency, read)
    k = np.unique(figures_in_range("multiples", multiples, ModelError, above=0.0).reshape(-1))
    number_in_range("tolerance", tolerance, ModelError, least=0.0, most=1.0)
    if not k.size or not factors:
        raise ModelError("factors or multiples are empty; give one or more of each", name="factors")
    sizes, moves = _moves(plan, factors, {} if steps is None else steps)
    shifts = moves[:, None, :] * k[:, None]
    levels = np.concatenate([_moved(plan, -shifts), _moved(plan, shifts)]).T
    pnl = np.asarray(plan.pnl(levels), dtype=np.float64) if plan.units else np.zeros((0, levels.shape[1]))
    if not np.isfinite(pnl).all():
        raise plan.fault(levels)
    values = pnl.reshape(len(plan.units), 2, len(moves), len(k))
    labels = (*factors, JOINT) if len(factors) > 1 else tuple(factors)

    def found(down: FloatArray, up: FloatArray, gross: float) -> Fragility:
        # Forwards and swaps are worth little before a move, so gross value alone would be no scale of their rounding.
        rounding = _PRICE_ROUNDING * (gross + np.maximum(np.abs(down), np.abs(up)))
        return Fragility(labels, sizes, k, 0.0, down, up, rounding, float(tolerance))

    gross = plan.exposures().tolist()
    results = tuple(found(down, up, held) for (down, up), held in zip(values, gross, strict=True))
    down, up = values.sum(axis=0)
    return BookFragility(plan.units, results, found(down, up, sum(gross)), plan.currency)


def _place(found: Fragility, factor: str | None, multiple: float) -> tuple[int, int]:
    """Return the row and the column of a factor and a multiple."""
    if factor is not None and factor not in found.factors:
        raise ModelError(f"no factor {factor!r}; choose one of {', '.join(found.factors)}", name=factor)
    columns = np.flatnonzero(found.multiples == multiple)
    if not columns.size:
        known = ", ".join(f"{k:g}" for k in found.multiples.tolist())
        raise ModelError(f"multiple={multiple!r} was not computed; choose one of {known}", name="multiple")
    return -1 if factor is None else found.factors.index(factor), int(columns[0])


def _plan(traders: Valued, base_currency: str, read: Callable[[Node], object] | None) -> ValuationPlan:
    if isinstance(traders, ValuationPlan):
        return traders
    if isinstance(traders, DependencyGraph):
        books = [node for node in traders if isinstance(node, Book)]
        if not books:
            raise RiskError("the graph has no books; register one, or give traders or books")
        return plan_valuation(books, base_currency, read)
    return plan_valuation(traders, base_currency, read)


def _moves(plan: ValuationPlan, factors: Sequence[str], steps: Mapping[str, float]) -> tuple[FloatArray, FloatArray]:
    """Return the step of each row, and the moves at a multiple of one, shape (rows, factors)."""
    if isinstance(factors, str) or len(set(factors)) < len(factors):
        raise ModelError(f"factors={factors!r:.60}; give a list of different kinds or names of factors", name="factors")
    unused = next((name for name in steps if name not in factors), None)
    if unused is not None:
        raise ModelError(f"steps names {unused!r}, which is not among factors; add it to factors", name=unused)
    rows = [_move(plan, name, steps) for name in factors]
    sizes = [size for size, _ in rows]
    moves = np.array([move for _, move in rows]).reshape(len(rows), len(plan.factors))
    if len(rows) == 1:
        return np.array(sizes), moves
    against = np.array([factor.kind in _AGAINST_SPOTS for factor in plan.factors], dtype=bool)
    # A factor may be moved by its kind and by its name; it moves once, by the larger step.
    together = np.where(against, -1.0, 1.0) * moves.max(axis=0)
    return np.append(sizes, np.nan), np.vstack([moves, together])


def _move(plan: ValuationPlan, name: str, steps: Mapping[str, float]) -> tuple[float, list[float]]:
    chosen = [name in {factor.kind.value, factor.name} for factor in plan.factors]
    if not any(chosen) and name not in FACTOR_STEPS:
        known = ", ".join([*FACTOR_STEPS, *(factor.name for factor in plan.factors)])
        raise ModelError(f"no book depends on {name!r}, which is no kind of factor; choose from {known}", name=name)
    kinds = [factor.kind.value for factor, is_chosen in zip(plan.factors, chosen, strict=True) if is_chosen]
    kind = name if name in FACTOR_STEPS else kinds[0]
    size = number_in_range(f"steps[{name!r}]", steps.get(name, FACTOR_STEPS.get(kind, 0.1)), ModelError, above=0.0)
    return size, [size if is_chosen else 0.0 for is_chosen in chosen]


def _moved(plan: ValuationPlan, shifts: FloatArray) -> FloatArray:
    """Return the levels of the factors after relative moves or shifts, shape (scenarios, factors)."""
    relative = np.array([factor.relative for factor in plan.factors], dtype=bool)
    if (relative & (shifts <= -1.0)).any():
        i = int(np.argwhere(relative & (shifts <= -1.0))[0, -1])
        raise ModelError(
            f"{plan.factors[i].name} would fall by {-shifts[..., i].min():.0%}; give smaller steps or multiples",
            name=plan.factors[i].name,
        )
    moved = np.where(relative, plan.base * (1.0 + shifts), plan.base + shifts)
    return np.asarray(moved.reshape(-1, len(plan.factors)))
