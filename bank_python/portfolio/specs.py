"""Positions as data: what is held, how much of it, at which cost, in which book."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_python.cells import CellError, as_date, as_number, as_word, currency_sign
from bank_python.display import Record
from bank_python.instruments.option_symbol import OptionSymbol, parse_option
from bank_python.row_problems import RowProblem
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from bank_python.portfolio.rows import Row, Rows

__all__ = ["Kind", "PositionSpec", "clashes", "parse_rows"]

_OPTION_MULTIPLIER = 100.0
_CODE = 3
_PENCE = {"GBX": "GBP", "GBp": "GBP", "ZAC": "ZAR", "ILA": "ILS"}
_SIGNS = {"€": {"EUR"}, "£": {"GBP"}, "¥": {"JPY", "CNY"}}
_DOLLARS = {"USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN", "CLP", "COP", "ARS"}
_ALL = frozenset({"ticker", "quantity", "cost", "book", "kind", "currency"})
_LARGEST_RATE = 1.0
_RESERVED = frozenset({"CLOCK", "RATE", "PORTFOLIO"})
_ENDINGS = ("_SPOT", "_VOL", " VOL", "_YIELD", "_SPREAD", " CASH")  # of names that the graph has for quotes


class Kind(enum.Enum):
    """Kind of a position."""

    SHARE = "share"
    OPTION = "option"
    BOND = "bond"
    CDS = "cds"
    FX = "fx"
    CASH = "cash"


_WORDS: dict[str, Kind] = {kind.value: kind for kind in Kind} | {
    "equity": Kind.SHARE,
    "stock": Kind.SHARE,
    "etf": Kind.SHARE,
    "fund": Kind.SHARE,
    "crypto": Kind.SHARE,
    "index": Kind.SHARE,
    "currency": Kind.FX,
    "credit_default_swap": Kind.CDS,
}
# Columns of each kind beside those of all.
_TERMS: dict[Kind, frozenset[str]] = {
    Kind.SHARE: frozenset({"price", "sector", "multiplier"}),
    Kind.OPTION: frozenset({"price", "multiplier", "vol"}),
    Kind.BOND: frozenset({"coupon", "maturity", "frequency", "yield", "notional"}),
    Kind.CDS: frozenset({"spread", "maturity", "coupon", "recovery", "notional"}),
    Kind.FX: frozenset({"price"}),
    Kind.CASH: frozenset(),
}
_NEEDED: dict[Kind, tuple[str, ...]] = {Kind.BOND: ("coupon", "maturity", "yield"), Kind.CDS: ("spread", "maturity")}


@dataclass(frozen=True, slots=True)
class PositionSpec(Record):
    """A position as it was given.

    Parameters
    ----------
    line : int
        Line of the source.
    ticker : str
        Ticker, currency pair, name of the bond or of the credit; canonical symbol of an option.
    kind : Kind
        Kind of the position.
    quantity : float
        Units held, negative if short; of an option, contracts.
    cost : float, optional
        Price paid per unit, in `currency`; None to open at the present price.
    book : str
        Name of the book.
    currency : str
        ISO code of the price.
    option : OptionSymbol, optional
        Terms of an option.
    terms : mapping of str to float
        Further figures by column: ``price``, ``vol``, ``coupon``, ``yield``, ``spread``, ``recovery``, ``notional``,
        ``multiplier``, ``frequency``.
    maturity : date or float, optional
        Day of maturity, or years to it.
    sector : str, optional
        Sector of a share, for stress tests.
    """

    line: int
    ticker: str
    kind: Kind
    quantity: float
    cost: float | None
    book: str
    currency: str
    option: OptionSymbol | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    maturity: dt.date | float | None = None
    sector: str = ""

    @property
    def underlying(self) -> str:
        """Ticker whose price the position depends on."""
        return self.option.underlying if self.option else self.ticker

    @property
    def multiplier(self) -> float:
        """Units of the contract in one unit of quantity."""
        return self.terms.get("multiplier", _OPTION_MULTIPLIER if self.kind is Kind.OPTION else 1.0)


class _CellError(Exception):
    """What is wrong with a row; `column` is at fault."""

    def __init__(self, column: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def parse_rows(rows: Rows, base: str, today: dt.date) -> tuple[list[PositionSpec], list[RowProblem]]:
    """Return the positions, and what is wrong with the rows that are none.

    Parameters
    ----------
    rows : Rows
        Rows of cells.
    base : str
        Currency of rows that state none.
    today : date
        Day on which options and bonds must not have ended.
    """
    specs: list[PositionSpec] = []
    problems: list[RowProblem] = []
    seen: dict[tuple[object, ...], int] = {}
    for row in rows.rows:
        try:
            spec = _parsed(row, base, today)
            key = tuple(sorted((column, str(cell)) for column, cell in row.cells.items()))
            _refuse_repeated(seen.setdefault(key, row.line), row.line)
        except _CellError as fault:
            problems.append(
                RowProblem(row.line, rows.spelled.get(fault.column, fault.column), str(fault.value), fault.reason)
            )
        else:
            specs.append(spec)
    return specs, problems


def clashes(specs: Sequence[PositionSpec], base: str) -> list[RowProblem]:
    """Return a problem for each position whose names on the graph would be those of something else.

    Parameters
    ----------
    specs : sequence of PositionSpec
        Positions of all books.
    base : str
        Base currency.
    """
    contracts = {spec.ticker for spec in specs if spec.kind is not Kind.CASH}
    currencies = {base, "USD", *(spec.currency for spec in specs)}
    pairs = {first + second for first in currencies for second in currencies}
    kinds = {spec.ticker: spec.kind for spec in specs}
    firsts: dict[str, PositionSpec] = {}
    quoted: dict[str, PositionSpec] = {}
    problems = []
    for spec in specs:
        first = firsts.setdefault(spec.ticker, spec)
        share = quoted.setdefault(spec.underlying, spec)
        if spec.book in contracts or spec.book in currencies or spec.book in pairs or _is_reserved(spec.book):
            problems.append(RowProblem(spec.line, "book", spec.book, "is the name of something else; rename the book"))
        elif spec.ticker in contracts and (spec.ticker in currencies or _is_reserved(spec.ticker)):
            reason = "is a name that the portfolio uses itself; give the position another"
            problems.append(RowProblem(spec.line, "ticker", spec.ticker, reason))
        elif spec.kind is not Kind.FX and spec.ticker in pairs:
            reason = "is a currency pair; give its row the kind fx"
            problems.append(RowProblem(spec.line, "kind", spec.kind.value, reason))
        elif kinds[spec.ticker] is not spec.kind:
            reason = f"is a {kinds[spec.ticker].value} in another row; give each a name of its own"
            problems.append(RowProblem(spec.line, "ticker", spec.ticker, reason))
        elif (difference := _different(first, spec)) is not None:
            column, here, there = difference
            reason = f"is {there or 'empty'} in line {first.line} for the same {spec.ticker}; make them equal"
            problems.append(RowProblem(spec.line, column, here, reason))
        elif share.currency != spec.currency and Kind.OPTION in {share.kind, spec.kind}:
            reason = f"is {share.currency} in line {share.line} for the same {spec.underlying}; make them equal"
            problems.append(RowProblem(spec.line, "currency", spec.currency, reason))
    return problems


def _is_reserved(name: str) -> bool:
    return name in _RESERVED or ":" in name or name.upper().endswith(_ENDINGS)


def _different(first: PositionSpec, spec: PositionSpec) -> tuple[str, str, str] | None:
    """Return the first column in which two rows of one contract differ, and its cells in the second and the first."""
    columns: dict[str, tuple[object, object]] = {
        "currency": (spec.currency, first.currency),
        "maturity": (spec.maturity, first.maturity),
        "sector": (spec.sector, first.sector),
        "multiplier": (spec.multiplier, first.multiplier),
        **{name: (spec.terms.get(name), first.terms.get(name)) for name in _FIGURES if name != "multiplier"},
    }
    return next(
        (
            (name, "" if here is None else str(here), "" if there is None else str(there))
            for name, (here, there) in columns.items()
            if here != there
        ),
        None,
    )


def _refuse_repeated(first: int, line: int) -> None:
    if first != line:
        raise _CellError("", "", f"repeats line {first}; remove one, or add the quantities up in one row")


def _parsed(row: Row, base: str, today: dt.date) -> PositionSpec:
    cells = row.cells
    for column in ("ticker", "quantity"):
        if column not in cells:
            raise _CellError(column, "", f"is empty; give the {column}")
    ticker = as_word(cells["ticker"])
    option = _option(ticker)
    kind = _kind(cells, ticker, option)
    _check_columns(cells, kind)
    quantity = _number(row, "quantity")
    if quantity == 0.0:
        raise _CellError("quantity", cells["quantity"], "is no position; remove the row")
    terms = {name: _number(row, name) for name in _FIGURES if name in cells}
    _check_terms(cells, terms)
    currency = _currency(cells, kind, ticker, base)
    _check_signs(cells, currency)
    maturity = _maturity(row, today)
    if option is not None and option.expiry <= today:
        raise _CellError("ticker", ticker, f"has expired by {today}; remove the row")
    return PositionSpec(
        line=row.line,
        ticker=option.name if option else ticker.upper() if kind is not Kind.BOND else ticker,
        kind=kind,
        quantity=quantity,
        cost=_number(row, "cost") if "cost" in cells else None,
        book=as_word(cells.get("book", "Portfolio")),
        currency=currency,
        option=option,
        terms=terms,
        maturity=maturity,
        sector=as_word(cells.get("sector", "")),
    )


_FIGURES = ("price", "vol", "coupon", "yield", "spread", "recovery", "notional", "multiplier", "frequency")
_ABOVE_ZERO = frozenset({"vol", "notional", "multiplier", "frequency", "price"})
_RATES = frozenset({"coupon", "yield", "spread", "recovery"})


def _option(ticker: str) -> OptionSymbol | None:
    try:
        return parse_option(ticker)
    except ValueError as error:
        raise _CellError("ticker", ticker, f"is no option: {error}; write SPY 2026-03-20 C 600") from error


def _kind(cells: Mapping[str, object], ticker: str, option: OptionSymbol | None) -> Kind:
    if "kind" not in cells:
        if option is not None:
            return Kind.OPTION
        if "spread" in cells:
            return Kind.CDS
        return Kind.BOND if "coupon" in cells else Kind.SHARE
    word = as_word(cells["kind"]).lower().replace(" ", "_")
    kind = _WORDS.get(word)
    if kind is None:
        raise _CellError(
            "kind", cells["kind"], f"is no kind; {did_you_mean(word, list(_WORDS), 'give share or option')}"
        )
    if (kind is Kind.OPTION) != (option is not None):
        raise _CellError("ticker", ticker, "must be an option symbol, and only for options: SPY 2026-03-20 C 600")
    if kind is Kind.FX and (len(ticker) != 2 * _CODE or not ticker.isalpha()):
        raise _CellError("ticker", ticker, "is no currency pair; give six letters, EURUSD")
    return kind


def _check_columns(cells: Mapping[str, object], kind: Kind) -> None:
    for column in cells:
        if column not in _ALL and column not in _TERMS[kind]:
            raise _CellError(
                column, cells[column], f"does not belong to a {kind.value}; leave it empty or state the kind"
            )
    for column in _NEEDED.get(kind, ()):
        if column not in cells:
            raise _CellError(column, "", f"is empty; a {kind.value} needs {', '.join(_NEEDED[kind])}")


def _number(row: Row, column: str) -> float:
    try:
        return as_number(row.cells[column], row.mark)
    except CellError as error:
        raise _CellError(column, row.cells[column], str(error)) from error


def _check_signs(cells: Mapping[str, object], currency: str) -> None:
    for column in ("quantity", "cost", *_FIGURES):
        sign = currency_sign(cells.get(column))
        if sign and (column == "quantity" or currency not in _SIGNS.get(sign, _DOLLARS)):
            reason = (
                "is an amount, not a number of units"
                if column == "quantity"
                else f"is in {sign}, the row in {currency}"
            )
            raise _CellError(column, cells[column], f"{reason}; correct it, or give the row its currency")


def _check_terms(cells: Mapping[str, object], terms: Mapping[str, float]) -> None:
    for column, value in terms.items():
        if column in _ABOVE_ZERO and value <= 0.0:
            raise _CellError(column, cells[column], "is not above 0")
        if column in _RATES and not -_LARGEST_RATE < value < _LARGEST_RATE:
            raise _CellError(column, cells[column], "is above 100 %; give a decimal (0.0125), or 1.25%, or 125bp")
    if "vol" in terms and "price" in terms:
        raise _CellError("vol", cells["vol"], "and the price both say what the option is worth; keep one")
    if terms.get("vol", 0.0) > 5.0:  # noqa: PLR2004 - 500 %
        raise _CellError("vol", cells["vol"], "is above 500 %; give a decimal (0.25) or 25%")
    if not 0.0 <= terms.get("recovery", 0.0) < 1.0:
        raise _CellError("recovery", cells["recovery"], "is not a share of the notional from 0 to below 1")


def _maturity(row: Row, today: dt.date) -> dt.date | float | None:
    if "maturity" not in row.cells:
        return None
    cell = row.cells["maturity"]
    try:
        years = as_number(cell, row.mark)
    except CellError:
        return _day(cell, today)
    if not 0.0 < years <= 100.0:  # noqa: PLR2004 - a century
        raise _CellError("maturity", cell, "is not a number of years from 0 to 100; or give a date, 2031-06-15")
    return years


def _day(cell: object, today: dt.date) -> dt.date:
    try:
        day = as_date(cell)
    except CellError as error:
        raise _CellError("maturity", cell, str(error)) from error
    if day <= today:
        raise _CellError("maturity", cell, f"is past by {today}; remove the row")
    return day


def _currency(cells: Mapping[str, object], kind: Kind, ticker: str, base: str) -> str:
    if kind is Kind.FX:
        return ticker[_CODE:].upper()
    if kind is Kind.CASH and "currency" not in cells:
        return _code(ticker, "ticker", base if ticker.lower() == "cash" else ticker)
    word = as_word(cells.get("currency", base))
    return _code(word, "currency", word)


def _code(cell: str, column: str, word: str) -> str:
    if word in _PENCE:
        raise _CellError(column, cell, f"is a hundredth of {_PENCE[word]}; divide prices and costs by 100")
    code = word.upper()
    if len(code) != _CODE or not code.isalpha():
        raise _CellError(column, cell, "is no ISO currency code; give USD, EUR, GBP …")
    return code
