"""``tails``: tail indices, MAD/SD, max-to-sum and fragility, by trader and by ticker."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.tails_views import tickers_tails_view, traders_tails_view
from bank_python.desk.console import working
from bank_python.desk.contracts import leaf_name
from bank_python.desk.factor_model import ABSOLUTE, PERIOD
from bank_python.desk.tails import DeskTails
from bank_python.desk.tails_view import FIRM, deciding_heuristic, tail_figures, tails_view
from bank_python.errors import BankError
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.mntable import Table
from bank_python.risk import plan_valuation
from bank_python.taleb.book_fragility import FACTOR_STEPS, book_fragility
from bank_python.taleb.book_tails import LINEAR, SHOCKS
from bank_python.taleb.tail_reading import tail_reading

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from bank_python.desk.desk import Desk
    from bank_python.desk.view import TailsView
    from bank_python.instruments import Book
    from bank_python.taleb.fragility import Fragility
    from bank_python.taleb.tail_reading import TailReading

__all__ = ["measure_tails"]

_PRICES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.FX, SymbolKind.CRYPTO})
_FEW = 15
_FIGURES = ("left", "left_error", "right", "right_error", "mad_sd", "max_to_sum", "heuristic", "heuristic_days")
_WORDS = ("verdict", "reason")


def measure_tails(
    desk: Desk, *, trader: str | None = None, tickers: Sequence[str] | None = None, everything: bool = False
) -> CommandResult:
    """Measure the tails of the traders' books, and of the returns of what they hold.

    Parameters
    ----------
    desk : Desk
        Desk with open positions.
    trader : str, optional
        Name of the only trader whose book and tickers are measured; by default all, and the firm.
    tickers : sequence of str, optional
        Tickers to measure; by default the shares, funds, currencies and coins in the books.
    everything : bool, default False
        Whether all tickers are shown, and not only those with the heaviest left tails.

    Raises
    ------
    BankError
        There is no such trader or ticker, there are no positions, or a price history is missing.
    """
    chosen = None if trader is None else desk.traders[trader]
    with working("Measuring tails ..."):
        view = _view(desk)
        books = [one.book for one in desk.traders] if chosen is None else [chosen.book]
        rows = _ticker_rows(desk, books, tickers)
    traders = [line for line in view.traders if chosen is None or line.name == chosen.name]
    firm = view.firm if chosen is None else None
    shown = rows if everything or tickers is not None else rows[:_FEW]
    facts = {
        "source": view.source,
        "shocks": view.shocks,
        "simulated": view.simulated,
        "traders": traders,
        "firm": firm,
        "tickers": rows,
    }
    views = [traders_tails_view(traders, firm, view), tickers_tails_view(shown, len(rows) - len(shown))]
    lines = [{"kind": "trader", **asdict(line)} for line in traders]
    lines += [] if firm is None else [{"kind": FIRM, **asdict(firm)}]
    lines += [{"kind": "ticker", **row} for row in rows]
    schema = [
        ("kind", str),
        ("name", str),
        ("days", int),
        ("may_be_thin", bool),
        *((name, float | None) for name in _FIGURES),
    ]
    return CommandResult(facts, views, Table.from_rows([*schema, *((name, str) for name in _WORDS)], lines))


def _view(desk: Desk) -> TailsView:
    tails = DeskTails(desk)
    try:
        desk.graph.recalculate()
        with desk.graph.snapshot() as snapshot:
            return tails_view(tails, snapshot)
    finally:
        tails.remove()


def _ticker_rows(desk: Desk, books: Sequence[Book], tickers: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return a row of figures for each ticker, the heaviest left tail first."""
    plan = plan_valuation(books)
    leaves = {symbol: leaf_name(symbol, listing.kind) for symbol, listing in desk.listings.items()}
    kinds = {factor.name: factor.kind.value for factor in plan.factors}
    wanted = list(dict.fromkeys(tickers)) if tickers is not None else _priced(desk, leaves, kinds)
    steps = {
        leaf: SHOCKS.get(kinds[leaf], FACTOR_STEPS[kinds[leaf]]) for leaf in map(leaves.get, wanted) if leaf in kinds
    }
    found = book_fragility(plan, list(steps), steps=steps, tolerance=LINEAR).firm if steps else None
    rows = [_row(name, _reading(desk, name), found, leaves.get(name)) for name in wanted]
    return sorted(rows, key=lambda row: math.inf if row["left"] is None else row["left"])


def _priced(desk: Desk, leaves: Mapping[str, str], held: Container[str]) -> list[str]:
    """Return the tickers of prices, not of rates or volatilities, that some books depend on."""
    return [name for name, leaf in leaves.items() if desk.listings[name].kind in _PRICES and leaf in held]


def _reading(desk: Desk, ticker: str) -> TailReading | str:
    """Return the tails of the daily moves of a ticker, or why there are none."""
    history = desk.past
    if ticker not in history:
        history = PriceHistoryTable()
        desk.market.load_history(ticker, PERIOD, into=history)
    closes = history.closes(ticker)
    listing = desk.listings.get(ticker)
    moves = np.diff(closes)
    try:
        return tail_reading(moves if listing is not None and listing.kind in ABSOLUTE else moves / closes[:-1])
    except BankError as error:
        return error.message


def _row(name: str, reading: TailReading | str, found: Fragility | None, leaf: str | None) -> dict[str, Any]:
    """Return the figures of a ticker under the names of those of a trader."""
    row: dict[str, Any] = {"name": name, "days": 0, **dict.fromkeys(_FIGURES), "may_be_thin": False, "verdict": ""}
    row["reason"] = ""
    if isinstance(reading, str):
        row["reason"] = reading
    else:
        row |= tail_figures(reading)
    if found is not None and leaf in found.factors:
        row |= {"heuristic": deciding_heuristic(found, leaf), "verdict": found.verdict_on(leaf).value}
    return row
