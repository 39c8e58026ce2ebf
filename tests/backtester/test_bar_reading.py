"""Bars read by column are the bars that a plain reading finds cell by cell, and both refuse the same bar."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bank_python.backtester import bars_of
from bank_python.errors import BacktestError
from bank_python.market_data import Bar, PriceHistory
from bank_python.mntable import Table

FIELDS = ("open", "high", "low", "close", "volume")
TICKERS = ("A", "B", "C")
ZONES = [None, dt.UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")]


class RefusedError(Exception):
    """The plain reading refuses a bar: its ticker, and its time as far as there is one."""


# --- the plain reading ------------------------------------------------------------------------------------


def plain_reading(rows):
    """Return bars by time and ticker, and the tickers that have ranges, from (ticker, time, cells) in order."""
    found = {}
    for ticker, when, cells in rows:
        if not is_time(when):
            raise RefusedError(ticker, "")
        figures = [plain_figure(ticker, when, cells.get(name)) for name in FIELDS]
        found.setdefault(ticker, []).append((when if when.tzinfo else when.replace(tzinfo=dt.UTC), figures))
    if all(math.isnan(figures[3]) for bars in found.values() for _, figures in bars):
        raise RefusedError("data", "there are no bars")
    for ticker, bars in found.items():
        are_days = all(when.time() == dt.time() for when, _ in bars)
        found[ticker] = [
            (when.replace(tzinfo=dt.UTC) if are_days else when.astimezone(dt.UTC), figures) for when, figures in bars
        ]
        plain_checks(ticker, found[ticker])
    ranged = {ticker for ticker, bars in found.items() if all(has_range(figures) for _, figures in bars)}
    return {ticker: dict(bars) for ticker, bars in found.items()}, ranged


def has_range(figures):
    return math.isnan(figures[3]) or not any(map(math.isnan, figures[:3]))


def plain_figure(ticker, when, cell):
    if isinstance(cell, bool | np.bool_):
        raise RefusedError(ticker, said(when))
    try:
        return math.nan if cell is None else float(cell)
    except (TypeError, ValueError, OverflowError):
        raise RefusedError(ticker, said(when)) from None


def plain_checks(ticker, bars):
    """Refuse times out of order, then bars that cannot be, then a bar without what the others have."""
    for i in range(1, len(bars)):
        if bars[i][0] <= bars[i - 1][0]:
            raise RefusedError(ticker, said(bars[i][0]))
    for when, (*prices, volume) in bars:
        known = [price for price in prices if not math.isnan(price)]
        high, low = prices[1] * (1.0 + 1e-9), prices[2] * (1.0 - 1e-9)
        wrong = any(price <= 0.0 or price == math.inf for price in known) or volume < 0.0 or volume == math.inf
        if wrong or any(price > high or price < low for price in known):
            raise RefusedError(ticker, said(when))
    for i in range(3):
        lacking = [when for when, figures in bars if math.isnan(figures[i]) and not math.isnan(figures[3])]
        if lacking and len(lacking) < sum(not math.isnan(figures[3]) for _, figures in bars):
            raise RefusedError(ticker, said(lacking[0]))


def is_time(when):
    return isinstance(when, dt.datetime) and when is not pd.NaT


def said(when):
    return f"{when:%Y-%m-%d}" if when.time() == dt.time() else f"{when:%Y-%m-%d %H:%M}"


# --- forms: what a user has, and its cells in the order in which they are read ----------------------------------


def without_na(cells):
    """Return cells as the records of a frame have them."""
    return {name: None if cell is pd.NA else cell for name, cell in (cells or {}).items()}


def of_mapping(make, fields=FIELDS, read=dict):
    """Return a form with an entry for each ticker, from its (time, cells)."""

    def form(grid, spell):
        kept = {
            ticker: [(when, {name: cells[name] for name in fields if name in cells}) for when, cells in bars if cells]
            for ticker, bars in grid.items()
        }
        data = {ticker: make([(spell(when), cells) for when, cells in bars]) for ticker, bars in kept.items()}
        return data, [(ticker, when, read(cells)) for ticker, bars in kept.items() for when, cells in bars]

    return form


def index_of(whens):
    return pd.Index(whens, dtype=object if any(when is pd.NaT for when in whens) else None)


def frame_of(bars):
    names = [name for name in FIELDS if any(name in cells for _, cells in bars)] or ["close"]
    index = index_of([when for when, _ in bars])
    return pd.DataFrame({name.title(): [cells.get(name) for _, cells in bars] for name in names}, index)


def closes_of(bars):
    return [cells.get("close") for _, cells in bars]


def closes_by_time(bars):
    found = {when: cells["close"] for when, cells in bars}
    assume(len(found) == len(bars))
    return found


def one_frame(grid, spell):
    bars = [(when, cells or {}) for when, cells in grid["A"]]
    return frame_of([(spell(when), cells) for when, cells in bars]), [
        ("ASSET", when, without_na(cells)) for when, cells in bars
    ]


def frame_of_closes(grid, spell):
    bars = {ticker: [(when, {"close": (cells or {}).get("close")}) for when, cells in grid[ticker]] for ticker in grid}
    frame = pd.DataFrame({t: closes_of(bars[t]) for t in bars}, index_of([spell(when) for when, _ in bars["A"]]))
    return frame, [(ticker, when, cells) for ticker in bars for when, cells in bars[ticker]]


def two_levels(*, ticker_first):
    def form(grid, spell):
        bars = {ticker: [(when, cells or {}) for when, cells in grid[ticker]] for ticker in grid}
        frames = {ticker: frame_of([(spell(when), cells) for when, cells in bars[ticker]]) for ticker in bars}
        columns = {
            (ticker, name) if ticker_first else (name, ticker): frame[name].to_numpy()
            for ticker, frame in frames.items()
            for name in frame
        }
        return pd.DataFrame(columns, frames["A"].index), [(t, *bar) for t in bars for bar in bars[t]]

    return form


def rows_by_time(grid):
    return [(t, *bars[i]) for i in range(len(grid["A"])) for t, bars in grid.items() if bars[i][1]]


def long_frame(grid, spell):
    rows = rows_by_time(grid)
    names = [name for name in FIELDS if name == "close" or any(name in cells for *_, cells in rows)]
    columns = {name.upper(): [cells.get(name) for *_, cells in rows] for name in names}
    return pd.DataFrame({"Ticker": [t for t, *_ in rows], "DATE": [spell(when) for _, when, _ in rows]} | columns), [
        (t, when, without_na(cells)) for t, when, cells in rows
    ]


def table(grid, _):
    rows = [(t, when, cells) for t, when, cells in rows_by_time(grid) if is_time(when)]
    assume(
        all(
            cell is None or (type(cell) is float and not math.isnan(cell))
            for *_, cells in rows
            for cell in cells.values()
        )
    )
    schema = [("ticker", str), ("date", dt.datetime), *((name, float | None) for name in FIELDS)]
    given_rows = [
        {"ticker": t, "date": when.astimezone(dt.UTC) if when.tzinfo else when.replace(tzinfo=dt.UTC)}
        | {name: cells.get(name) for name in FIELDS}
        for t, when, cells in rows
    ]
    made = Table.from_rows(schema, given_rows)
    return made, [(row["ticker"], row["date"], row) for row in made]


def as_bar(when, cells):
    return Bar(when, *(cells.get(name) for name in FIELDS))


FORMS = {
    "rows": of_mapping(lambda bars: [{"Date": when} | cells for when, cells in bars]),
    "bars": of_mapping(lambda bars: [as_bar(*bar) for bar in bars]),
    "bars and rows": of_mapping(
        lambda bars: [as_bar(*bar) if i % 2 else {"date": bar[0]} | bar[1] for i, bar in enumerate(bars)]
    ),
    "histories": of_mapping(lambda bars: PriceHistory("X", "test", tuple(as_bar(*bar) for bar in bars))),
    "frames": of_mapping(frame_of, read=without_na),
    "series": of_mapping(lambda bars: pd.Series(closes_of(bars), index_of([when for when, _ in bars])), ("close",)),
    "closes by time": of_mapping(closes_by_time, ("close",)),
    "one frame": one_frame,
    "closes": frame_of_closes,
    "ticker first": two_levels(ticker_first=True),
    "field first": two_levels(ticker_first=False),
    "long frame": long_frame,
    "table": table,
}

SPELLINGS = {
    "datetime": lambda when: when,
    "text": lambda when: when.isoformat() if is_time(when) else when,
    "pandas": lambda when: pd.Timestamp(when) if is_time(when) else when,
    "numpy": lambda when: np.datetime64(when, "s") if is_time(when) and not when.tzinfo else when,
    "date": lambda when: when.date() if is_time(when) and not when.tzinfo else when,
}

NUMBERS = [-1.0, 0.0, math.inf, -math.inf, math.nan, None, 1e9, 1e-9, 10, 10**400, np.float32(10.5), np.int64(10)]
OTHERS = [True, np.True_, "12.5", "much", pd.NA, Decimal("10.5"), Decimal("sNaN"), ()]
FAULTS = st.sampled_from(NUMBERS + OTHERS)


@st.composite
def grids(draw):
    """Return bars of up to three tickers on one row of times, with gaps and faults, and None where there is no bar."""
    count, zone = draw(st.integers(1, 6)), draw(st.sampled_from(ZONES))
    first = dt.datetime(2026, draw(st.sampled_from([3, 10, 11])), draw(st.sampled_from([1, 7, 8])), tzinfo=dt.UTC)
    if draw(st.booleans()):
        times = [(first + dt.timedelta(days=i)).replace(tzinfo=zone) for i in range(count)]
    else:
        utc = [first + dt.timedelta(hours=2 * i) for i in range(draw(st.integers(0, 9)), 30)][:count]
        times = [when.astimezone(zone) if zone else when.replace(tzinfo=None) for when in utc]
    if draw(st.integers(0, 9)) == 0:
        times[draw(st.integers(0, count - 1))] = draw(st.sampled_from([times[0], times[-1], pd.NaT, None, "soon"]))
    names = TICKERS[: draw(st.integers(1, 3))]
    fields = draw(st.sampled_from([FIELDS, FIELDS[:4], ("close",), ("close", "volume")]))
    gaps = draw(st.sets(st.tuples(st.sampled_from(names), st.integers(0, count - 1)), max_size=4))
    grid = {t: [(when, None if (t, i) in gaps else bar(t, i, fields)) for i, when in enumerate(times)] for t in names}
    for ticker, i, name in draw(
        st.lists(st.tuples(st.sampled_from(names), st.integers(0, 5), st.sampled_from(fields)))
    ):
        if i < count and (ticker, i) not in gaps:
            grid[ticker][i][1][name] = draw(FAULTS)
    return grid


def bar(ticker, i, fields):
    close = 10.0 + ord(ticker) % 7 + i
    figures = dict(zip(FIELDS, (close - 1.0, close + 1.0, close - 2.0, close, 1e6), strict=True))
    return {name: figures[name] for name in fields}


def check_form(form, grid, spelling):
    data, rows = FORMS[form](grid, SPELLINGS[spelling])
    if spelling == "date":
        rows = [
            (t, at if at.__class__ is not dt.datetime or at.tzinfo else midnight(at), cells) for t, at, cells in rows
        ]
    try:
        bars, ranged = plain_reading(rows)
    except RefusedError as refused:
        ticker, when = refused.args
        with pytest.raises(BacktestError) as raised:
            bars_of(data)
        assert raised.value.name == ticker
        assert when in str(raised.value)
        return
    panel = bars_of(data)
    quoted = {ticker for ticker, found in bars.items() if any(not math.isnan(figures[3]) for figures in found.values())}
    assert panel.has_ranges is bool(ranged & quoted)
    assert panel.dates == tuple(sorted({when for found in bars.values() for when in found}))
    for j, ticker in enumerate(panel.tickers):
        for t, when in enumerate(panel.dates):
            figures = bars.get(ticker, {}).get(when, [math.nan] * 5)
            if ticker not in ranged:
                figures = [figures[3]] * 4 + [figures[4]]
            expected = [math.nan] * 5 if math.isnan(figures[3]) else figures
            assert str([float(getattr(panel, name)[t, j]) for name in FIELDS]) == str(expected)


def midnight(when):
    return dt.datetime.combine(when.date(), dt.time())


@pytest.mark.parametrize("form", FORMS)
@given(grid=grids(), spelling=st.sampled_from(list(SPELLINGS)))
@settings(max_examples=40)
def test_columns_are_read_as_cell_by_cell(form, grid, spelling):
    check_form(form, grid, spelling)


@pytest.mark.parametrize(
    "cells",
    [
        pd.array([10.0, None, 12.0], "Float64"),
        pd.Series([10, None, 12], dtype="Int64"),
        pd.Series([Decimal(10), pd.NA, np.float32(12.0)], dtype=object),
        np.array([10.0, math.nan, 12.0], np.float32),
    ],
)
def test_missing_cells_of_any_kind_of_column_are_no_bars_in_a_frame_of_fields(cells):
    days = pd.date_range("2026-01-05", periods=3, unit="ns")
    frame = pd.DataFrame({"Close": cells}).set_index(days)
    for data in ({"A": frame}, frame, frame.reset_index(names="date").assign(ticker="A")):
        assert str(bars_of(data).close[:, 0].tolist()) == "[10.0, nan, 12.0]"


def test_a_span_is_no_price_and_a_time_finer_than_microseconds_is_cut():
    with pytest.raises(BacktestError, match=r"the close of A at 2026-01-05 is np\.timedelta64"):
        bars_of({"A": [{"date": "2026-01-05", "close": np.timedelta64(1, "s")}]})
    times = pd.DatetimeIndex(["2026-01-05 00:00:00.000001999"])
    with pytest.warns(UserWarning, match="nanoseconds"):
        assert bars_of({"A": pd.Series([1.0], times)}).dates[0].microsecond == 1
    early = np.array(["0300-01-01", "9999-12-31"], "datetime64[s]")
    assert [when.year for when in bars_of({"A": pd.Series([1.0, 2.0], pd.DatetimeIndex(early))}).dates] == [300, 9999]


def test_an_error_about_a_frame_names_its_ticker_and_an_empty_one_has_no_bars():
    frame = pd.DataFrame({"close": [1.0, "x"]}, pd.date_range("2026-01-05", periods=2))
    with pytest.raises(BacktestError, match="the close of A at 2026-01-06 is 'x'"):
        bars_of({"A": frame})
    with pytest.raises(BacktestError, match="there are no bars"):
        bars_of({"A": pd.DataFrame()})
