"""Building a portfolio from positions and prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from bank_python.cells import CellError, as_date, as_number
from bank_python.dagger import DependencyGraph
from bank_python.errors import PositionsError
from bank_python.guessing import guessable
from bank_python.market_data import Clock
from bank_python.market_data.periods import check_period
from bank_python.portfolio.contracts import open_books
from bank_python.portfolio.history import read_history
from bank_python.portfolio.market import RATE, Market
from bank_python.portfolio.portfolio import Portfolio
from bank_python.portfolio.quotes import Quotes
from bank_python.portfolio.rows import read_rows
from bank_python.portfolio.specs import Kind, PositionSpec, clashes, parse_rows
from bank_python.row_problems import refuse_all
from bank_python.source_records import decimal_mark

if TYPE_CHECKING:
    from bank_python.market_data import Feed
    from bank_python.portfolio.history import History, HistoryForm

__all__ = ["load_portfolio"]


@guessable
def load_portfolio(
    positions: Any,
    *,
    prices: Any = None,
    form: HistoryForm | str = "prices",
    market: Feed | str | None = None,
    currency: str = "USD",
    fx: Mapping[str, float] | None = None,
    vols: Mapping[str, float] | None = None,
    rate: float | None = None,
    as_of: dt.date | str | None = None,
    bad_rows: Literal["refuse", "skip"] = "refuse",
    period: str = "2y",
    decimal: Literal[".", ","] | None = None,
) -> Portfolio:
    """Return a portfolio of one's own on a graph.

    Parameters
    ----------
    positions : path, DataFrame, Table, mapping or list
        A CSV, TOML or Parquet file, a frame or table with columns ``ticker`` and ``quantity``, and perhaps ``cost``
        (per unit), ``book``, ``currency``, ``price``, ``sector``; or a list of ``(ticker, quantity, cost)``. Options by
        symbol (``SPY 2026-03-20 C 600``), with ``vol`` perhaps; bonds by ``coupon``, ``maturity``, ``yield``; credit
        default swaps by ``spread`` and ``maturity``.
    prices : path, DataFrame, Table or mapping, optional
        Daily history: dates down, tickers across, or rows of date, ticker and close. The last close is the present
        price, unless it is more than 10 days old. Exchange rates stand in columns such as ``EURUSD``.
    form : {"prices", "simple", "log"}, default "prices"
        Kind of the figures in `prices`: prices, simple or log returns; with returns, positions need a column ``price``.
    market : Feed or {"simulated", "history", "yahoo", "ccxt"}, optional
        Feed that quotes what `prices` do not.
    currency : str, default "USD"
        Base currency, an ISO code.
    fx : mapping of str to float, optional
        Exchange rates by pair: ``{"EURUSD": 1.08}``.
    vols : mapping of str to float, optional
        Implied volatilities by underlying, decimals; without them the market's, else the realised one.
    rate : float, optional
        Discount rate, continuously compounded, a decimal; 0 if it is not given.
    as_of : date or str, optional
        Valuation date; by default the last day of `prices`, else today. Later prices are left out.
    bad_rows : {"refuse", "skip"}, default "refuse"
        Whether one row that cannot be read refuses them all, or is skipped and kept in ``problems``.
    period : str, default "2y"
        Length of the history that is loaded from a feed.
    decimal : {".", ","}, optional
        Decimal mark of numbers that are text. By default a point; then figures such as ``1,250`` and ``1.250`` are
        rejected in files that are not separated by commas, where they may be either number.

    Raises
    ------
    PositionsError
        Rows cannot be read (``error.problems`` names line and column of each), a file is missing, a history makes no
        sense. Nothing is loaded.

    Examples
    --------
    >>> mine = load_portfolio([{"ticker": "AAPL", "quantity": 100, "cost": 180.0, "price": 228.0}])
    >>> round(mine.pnl, 2)
    4800.0
    >>> with mine.what_if({"AAPL": 200.0}):
    ...     round(mine.pnl, 2)
    2000.0
    """
    _check(bad_rows, currency)
    check_period(period)
    mark = decimal_mark(decimal)
    rows = read_rows(positions, mark)
    history = None if prices is None else read_history(prices, form, mark)
    date = _date(as_of, history)
    history = None if history is None else history.until(date)
    specs, problems = parse_rows(rows, currency, date)
    quotes = None if market is None else Quotes(market)
    own = Market(DependencyGraph(), currency, history, quotes, _given(fx, vols, rate), date)
    if quotes is not None:
        quotes.load(_needed(specs, history, currency))
        if quotes.date is not None and abs((date - quotes.date).days) > 1:
            own.assumptions.append(f"the valuation date is {date}, and the market is of {quotes.date}: give as_of=")
    unpriced = own.missing(specs) + clashes(specs, currency)
    problems += unpriced
    lines = {problem.line for problem in unpriced}
    good = [spec for spec in specs if spec.line not in lines]
    if problems and (bad_rows == "refuse" or not good):
        raise refuse_all(rows.source, sorted(problems, key=lambda problem: problem.line), len(good))
    clock = own.graph.register(Clock("CLOCK", origin=date))
    books, unopened = open_books(good, own, clock)
    if unopened and (bad_rows == "refuse" or not books):
        raise refuse_all(rows.source, unopened, len(good) - len(unopened))
    own.graph.recalculate()
    lines = {problem.line for problem in unopened}
    opened = [spec for spec in good if spec.line not in lines]
    return Portfolio(own, books, clock, opened, problems + unopened, period)


def _check(bad_rows: str, currency: object) -> None:
    if bad_rows not in {"refuse", "skip"}:
        raise PositionsError(f'bad_rows={bad_rows!r}; give "refuse" or "skip"')
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isupper():  # noqa: PLR2004 - ISO 4217
        raise PositionsError(f"currency={currency!r} is no ISO code; give USD, EUR, GBP …")


def _date(as_of: dt.date | str | None, history: History | None) -> dt.date:
    if as_of is None:
        return dt.datetime.now(dt.UTC).date() if history is None else history.dates[-1]
    try:
        return as_date(as_of)
    except CellError as error:
        raise PositionsError(f"as_of={as_of!r} {error}") from None


_LARGEST = {"fx": 1e12, "vols": 5.0, "rate": 1.0}


def _given(fx: Mapping[str, float] | None, vols: Mapping[str, float] | None, rate: float | None) -> dict[str, float]:
    given = _figures("fx", fx) | {f"{ticker}_VOL": vol for ticker, vol in _figures("vols", vols).items()}
    return given if rate is None else given | {RATE: _figure("rate", "rate", rate)}


def _figures(argument: str, figures: Mapping[str, float] | None) -> dict[str, float]:
    if figures is None:
        return {}
    if not isinstance(figures, Mapping):
        raise PositionsError(f"{argument}= is a {type(figures).__name__}; give a mapping such as {_SAMPLES[argument]}")
    return {
        str(name).strip().upper(): _figure(argument, f"{argument}[{name!r}]", value) for name, value in figures.items()
    }


_SAMPLES = {"fx": "{'EURUSD': 1.08}", "vols": "{'SPY': 0.18}"}


def _figure(argument: str, where: str, value: object) -> float:
    try:
        figure = as_number(value)
    except CellError as error:
        raise PositionsError(f"{where} = {value!r} {error}") from None
    if argument != "rate" and figure <= 0.0:
        raise PositionsError(f"{where} = {value!r} is not above 0; correct it")
    if not abs(figure) < _LARGEST[argument]:
        raise PositionsError(f"{where} = {value!r} is not below {_LARGEST[argument]:g}; give a decimal, 0.04 for 4 %")
    return figure


def _needed(specs: list[PositionSpec], history: History | None, currency: str) -> list[str]:
    known = set() if history is None or not history.has_levels else set(history.tickers)
    symbols = []
    for spec in specs:
        if spec.kind in {Kind.SHARE, Kind.OPTION, Kind.FX} and (spec.option is not None or "price" not in spec.terms):
            symbols.append(spec.underlying)
        if spec.kind is Kind.OPTION and not {"vol", "price"} & set(spec.terms):
            symbols.append(f"{spec.underlying}_VOL")
        if spec.currency != currency:
            symbols += [f"{spec.currency}{currency}", f"{currency}{spec.currency}"]
    return [symbol for symbol in symbols if symbol not in known]
