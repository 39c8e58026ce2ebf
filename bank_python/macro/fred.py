r"""Reads CSV files as FRED delivers them.

The header is ``DATE,DGS10`` (until 2024) or ``observation_date,DGS10,...``. A missing figure is ``.`` or an empty cell.
A file may have several series of different frequencies, whose cells are empty between their dates. What cannot be read
is listed with file, line and column (``history.problems``), and the rest is read; a file without a good row is refused.

Examples
--------
>>> history = read_fred("observation_date,DGS10\n2026-01-05,4.17\n2026-01-06,.\n2026-01-07,4.x\n2026-01-08,4.18\n")
>>> history["DGS10"].last, history["DGS10"].unit.value, len(history["DGS10"])
(4.18, '%', 2)
>>> print(history.problems[0])
the text, line 4, column DGS10: '4.x' is not a number; correct it, or write . for a missing figure

References
----------
Federal Reserve Bank of St. Louis, FRED: the format of its CSV downloads.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import math
import os
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import MacroError
from bank_python.macro.catalogue import SeriesInfo, SeriesUnit, series_info
from bank_python.macro.history import DataProblem, MacroHistory, MacroSeries
from bank_python.numerics.dates import as_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bank_python.numerics import FloatArray

__all__ = ["read_fred"]

_DATE_NAMES = frozenset({"date", "observation_date"})
_MISSING = frozenset({"", ".", "na", "n/a", "#n/a", "nan", "null", "none"})
_MOST_NAMED = 8
_FEWEST_CELLS = 2
_LONGEST = 40
_SMALL_RATE = 0.3  # a rate of 30 % as a decimal
_ROUNDED = 1e-9
_LARGEST_STEP = 30.0  # from one figure to the next
_FIRST_YEAR = 1000  # the oldest series of FRED, English prices, begins in 1209
_THE_TEXT = "the text"


@dataclass(slots=True)
class _Column:
    """Figures of one series as they are collected: by date, with the place that each comes from."""

    figures: dict[dt.date, tuple[float, str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    today: dt.date
    columns: dict[str, _Column] = field(default_factory=dict)
    problems: list[DataProblem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def problem(self, place: tuple[str, int, str], value: str, reason: str) -> None:
        source, line, column = place
        shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        self.problems.append(DataProblem(source, line, column, shown, reason))


@admits(MacroError)
def read_fred(source: Any, *, today: dt.date | str | None = None) -> MacroHistory:
    """Read one or several CSV files in FRED's format.

    Parameters
    ----------
    source : path, text, or list of them
        File to read, or the text of one, which has at least one line end; a list is joined into one history.
    today : datetime.date or str, optional
        Present date, after which no figure can be dated; by default that of the computer's clock, UTC.

    Returns
    -------
    MacroHistory
        The series with their units and frequencies; :attr:`MacroHistory.problems` lists what was left out: dates that
        are not ISO, that occur twice, are out of order or have not come yet, figures that are no numbers, and series
        that are not in the unit that FRED gives them in.

    Raises
    ------
    MacroError
        A file is not there, is no text, has another header, or has no good row; ``problems`` has the rows at fault.

    Notes
    -----
    Of two rows of one date the first is kept. Where dates do not ascend, as few rows as possible are left out; a file
    that descends throughout is read from its end. If two files have different figures for one date of a series, that of
    the first file is kept.
    """
    now = dt.datetime.now(dt.UTC).date() if today is None else as_date(today, MacroError, "today")
    reading = _Reading(now)
    for name, text in _texts(source):
        before = len(reading.problems)
        is_good = _read_file(reading, name, text)
        reading.problems[before:] = sorted(reading.problems[before:], key=lambda problem: problem.line)
        if not is_good:
            raise _no_good_row(name, reading.problems[before:])
    series = [one for name, column in reading.columns.items() if (one := _series(reading, name, column)) is not None]
    if not series:
        raise _no_good_row("the source", reading.problems)
    return MacroHistory(tuple(series), now, tuple(reading.problems), tuple(reading.remarks))


def _no_good_row(name: str, problems: Sequence[DataProblem]) -> MacroError:
    lines = [f"  {problem}" for problem in problems[:_MOST_NAMED]]
    if len(problems) > _MOST_NAMED:
        lines.append(f"  … and {len(problems) - _MOST_NAMED:,} more")
    message = "\n".join([f"{name} has no row with a date and a figure; give a CSV file of FRED", *lines])
    return MacroError(message, name=name, problems=tuple(problems))


# --- files ----------------------------------------------------------------------------------------------


def _texts(source: Any) -> Iterator[tuple[str, str]]:
    if isinstance(source, str | os.PathLike):
        yield _text(source)
        return
    if not isinstance(source, list | tuple) or not source:
        raise MacroError(
            f"source={_short(source)} is neither a path nor text nor a list of them; give a CSV file of FRED",
            name="source",
            value=source,
        )
    for number, one in enumerate(source, start=1):
        if not isinstance(one, str | os.PathLike):
            raise MacroError(f"source number {number} is {_short(one)}; give paths or texts", name="source", value=one)
        name, text = _text(one)
        yield (f"text {number}" if name == _THE_TEXT else name), text


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _text(source: str | os.PathLike[str]) -> tuple[str, str]:
    if isinstance(source, str) and ("\n" in source or "\r" in source):
        return _THE_TEXT, source.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    if isinstance(source, str) and not source.strip():
        raise MacroError("the text is empty; give a CSV file of FRED, or its text", name="source", value=source)
    try:
        path = Path(source).expanduser()
        raw = path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: no such user after ~
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise MacroError(
            f"{_short(str(source))} cannot be read: {why}; give a CSV file, or its text", name="source"
        ) from error
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return path.name, raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise MacroError(
            f"{path.name}, line {line}, is not UTF-8 text; save it as CSV in UTF-8", name="source"
        ) from error


def _read_file(reading: _Reading, name: str, text: str) -> bool:
    """Read one file, and return whether it has a good row."""
    rows = _rows(name, text)
    header_line, header = next(rows, (1, []))
    columns = _header(name, header_line, header)
    dated = [
        (line, cells, day) for line, cells in rows if (day := _day(reading, name, line, cells, header)) is not None
    ]
    filled: set[str] = set()
    for line, cells, day in _in_order(reading, name, header[0], dated):
        for place, column in columns:
            text_of = cells[place].strip()
            if text_of.casefold() in _MISSING:
                continue
            value = _number(reading, (name, line, column), text_of)
            if value is not None and _keep(reading, (name, line, column), day, value, text_of):
                filled.add(column)
    for _, column in columns:
        if column not in filled:
            reading.problem((name, header_line, column), column, "has no figure that can be used; download it again")
    return bool(filled)


def _rows(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of each row that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > 1 or any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise MacroError(
            f"{name}, line {line}: {error}; close and double the quotes in its cells", name=name
        ) from error


def _header(name: str, line: int, header: Sequence[str]) -> list[tuple[int, str]]:
    titles = [series_info(title.strip()).name for title in header]
    while titles and not titles[-1]:
        titles.pop()
    if len(titles) < _FEWEST_CELLS or titles[0].casefold() not in _DATE_NAMES:
        raise MacroError(
            f"{name}, line {line}: the header is {_short(','.join(header))}; a CSV file of FRED begins with "
            "observation_date (or DATE), then the names of the series, separated by commas",
            name=name,
            value=tuple(header),
        )
    seen = set[str]()
    for place, title in enumerate(titles):
        if not title or title in seen:
            said = f"two columns {title!r}" if title else f"no name for column {place + 1}"
            raise MacroError(
                f"{name}, line {line}: the header has {said}; name each series once", name=name, value=title
            )
        seen.add(title)
    return list(enumerate(titles))[1:]


# --- rows -----------------------------------------------------------------------------------------------


def _day(reading: _Reading, name: str, line: int, cells: list[str], header: Sequence[str]) -> dt.date | None:
    """Return the date of a row, or None after listing why the row cannot be read."""
    if len(cells) != len(header):
        excess = any(cell.strip() for cell in cells[len(header) :])
        if excess or len(cells) < len(header):
            reason = f"has {len(cells)} cells, and the header has {len(header)}; complete the row, and quote commas"
            reading.problem((name, line, ""), ",".join(cells), reason)
            return None
    text = cells[0].strip()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        reading.problem((name, line, header[0].strip()), text, "is not an ISO date; write it as 2026-03-20")
        return None
    if day.year < _FIRST_YEAR:
        reading.problem((name, line, header[0].strip()), text, f"is before {_FIRST_YEAR}; correct the date")
        return None
    if day > reading.today:
        reason = f"has not come yet, as today is {reading.today}; correct the date"
        reading.problem((name, line, header[0].strip()), text, reason)
        return None
    return day


_Dated = tuple[int, list[str], dt.date]


def _in_order(reading: _Reading, name: str, title: str, rows: list[_Dated]) -> list[_Dated]:
    """Return the rows by ascending date; those of a second time or out of order are listed and left out."""
    title, first, once = title.strip(), dict[dt.date, int](), list[_Dated]()
    for row in rows:
        line, _, day = row
        if day in first:
            reason = f"occurs twice, first in line {first[day]}, which is kept; remove one of the two rows"
            reading.problem((name, line, title), day.isoformat(), reason)
        else:
            first[day] = line
            once.append(row)
    days = [day for _, _, day in once]
    if all(earlier < later for earlier, later in pairwise(days)):
        return once
    if all(earlier > later for earlier, later in pairwise(days)):
        reading.remarks.append(f"{name} runs from the latest to the earliest date, and was read from its end")
        return once[::-1]
    kept = _longest_ascent(days)
    for i, (line, _, day) in enumerate(once):
        if i not in kept:
            near = once[i - 1 if i else 1]
            reason = f"is out of order beside {near[2]} in line {near[0]}; sort the rows, or correct the date"
            reading.problem((name, line, title), day.isoformat(), reason)
    return [row for i, row in enumerate(once) if i in kept]


def _longest_ascent(days: Sequence[dt.date]) -> set[int]:
    """Return the places of a longest ascending part of distinct dates, by patience sorting."""
    ends: list[dt.date] = []
    places: list[int] = []
    before: list[int] = []
    for i, day in enumerate(days):
        at = bisect_left(ends, day)
        before.append(places[at - 1] if at else -1)
        if at == len(ends):
            ends.append(day)
            places.append(i)
        else:
            ends[at], places[at] = day, i
    kept, at = set[int](), places[-1] if places else -1
    while at >= 0:
        kept.add(at)
        at = before[at]
    return kept


def _number(reading: _Reading, place: tuple[str, int, str], text: str) -> float | None:
    reason = "is not a number; correct it, or write . for a missing figure"
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
        if "," in text:
            reason = "is not a number; write it without separators of thousands and with a decimal point"
    if math.isfinite(value):
        return value
    reading.problem(place, text, "is not finite; write . for a missing figure" if math.isinf(value) else reason)
    return None


def _keep(reading: _Reading, place: tuple[str, int, str], day: dt.date, value: float, text: str) -> bool:
    """Keep a figure, unless an earlier file has another one for the same date."""
    source, line, name = place
    figures = reading.columns.setdefault(name, _Column()).figures
    known = figures.setdefault(day, (value, source, line))
    if known[0] != value:
        other = f"{known[0]:g} in {known[1]}, line {known[2]}"
        reading.problem(place, text, f"differs for {day} from {other}, which is kept; remove one")
    return known[0] == value


# --- series ---------------------------------------------------------------------------------------------


def _series(reading: _Reading, name: str, column: _Column) -> MacroSeries | None:
    """Return the series of a column; None after listing that it is in another unit."""
    ordered = sorted(column.figures.items())
    days = np.array([day for day, _ in ordered], dtype="datetime64[D]")
    values = np.array([figure[0] for _, figure in ordered])
    _, (_, source, line) = ordered[-1]
    wrong = _wrong_unit(series_info(name), values, [figure for _, figure in ordered])
    if wrong is not None:
        reading.problem((source, line, name), *wrong)
        return None
    source = ", ".join(dict.fromkeys(figure[1] for _, figure in ordered))
    return MacroSeries.of(name, days, values, source=source)


def _wrong_unit(
    info: SeriesInfo, values: FloatArray, figures: Sequence[tuple[float, str, int]]
) -> tuple[str, str] | None:
    """Return a figure and why its series is not in the unit that FRED gives it in; None if it may be."""
    middle = float(np.median(values))
    if not info.low <= middle <= info.high:
        return f"{middle:g}", (
            f"is the median of the column, but FRED gives {info.name} in {info.unit.value}, with a median from "
            f"{info.low:g} to {info.high:g}; convert the column, or rename it"
        )
    is_rate = info.unit in {SeriesUnit.PER_CENT, SeriesUnit.POINTS}
    largest = float(np.abs(values).max())
    if is_rate and largest < _SMALL_RATE and (np.abs(values - np.round(values, 2)) > _ROUNDED).any():
        return f"{largest:g}", (
            f"is the largest figure, and some have more than two decimals; FRED gives {info.name} in {info.unit.value} "
            "with two: multiply decimals by 100, or rename the column"
        )
    known = info.unit is not SeriesUnit.UNKNOWN
    positive = values > 0.0
    logs = np.log(values, out=np.zeros(len(values)), where=positive)
    steps = np.abs(np.diff(logs)) * (positive[1:] & positive[:-1])
    far = steps > math.log(_LARGEST_STEP)
    if known and far.any():
        at = int(far.argmax())
        return f"{values[at + 1]:g}", (
            f"in {figures[at + 1][1]}, line {figures[at + 1][2]}, follows {values[at]:g}: more than {_LARGEST_STEP:g} "
            "times as much or as little is another unit, or a slip; correct it"
        )
    return None
