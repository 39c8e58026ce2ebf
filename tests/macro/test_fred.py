"""FRED's CSV files: both formats, and every bad row named by file, line and column while the good ones are read."""

from __future__ import annotations

import codecs
import datetime as dt

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bank_python.errors import MacroError
from bank_python.macro import Frequency, SeriesUnit, read_fred

TODAY = "2026-02-01"
OLD = "DATE,DGS10\n2016-01-04,2.24\n2016-01-05,2.25\n2016-01-06,.\n2016-01-07,2.16\n"
NEW = OLD.replace("DATE", "observation_date").replace(",.", ",")


def read(text, **more):
    return read_fred(text, today=TODAY, **more)


@pytest.mark.parametrize("text", [OLD, NEW, NEW.replace("\n", "\r\n"), "\N{ZERO WIDTH NO-BREAK SPACE}" + NEW])
def test_both_formats_are_read(text):
    series = read(text)["DGS10"]
    assert series.values.tolist() == [2.24, 2.25, 2.16]
    assert series.last_date == dt.date(2016, 1, 7)
    assert (series.unit, series.frequency) == (SeriesUnit.PER_CENT, Frequency.DAILY)
    assert series.title == "10-year Treasury yield"


def test_cells_may_be_quoted_and_empty_lines_are_no_rows():
    history = read('"observation_date","dgs10"\n\n"2026-01-05","4.17"\n , \n')
    assert history["DGS10"].values.tolist() == [4.17]
    assert [problem.line for problem in history.problems] == [4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_several_encodings(tmp_path, encoding):
    path = tmp_path / "DGS10.csv"
    path.write_bytes(NEW.replace("\n", "\r\n").encode(encoding))
    assert read(path)["DGS10"].source == "DGS10.csv"
    assert len(read(str(path))["DGS10"]) == 3
    if encoding == "utf-8-sig":
        assert path.read_bytes().startswith(codecs.BOM_UTF8)


def test_series_of_several_frequencies_share_a_file():
    rows = ["observation_date,DFF,CPIAUCSL,GDPC1,X"]
    for i in range(400):
        day = dt.date(2024, 1, 1) + dt.timedelta(days=i)
        quarterly = "23000" if day.day == 1 and day.month % 3 == 1 else ""
        rows.append(f"{day},5.33,{'310' if day.day == 1 else ''},{quarterly},{'1' if day.weekday() == 4 else ''}")
    history = read("\n".join(rows))
    found = {name: history[name].frequency.value for name in history}
    assert found == {"DFF": "daily", "CPIAUCSL": "monthly", "GDPC1": "quarterly", "X": "weekly"}
    assert history["X"].unit is SeriesUnit.UNKNOWN
    assert history.problems == ()


def test_every_bad_row_is_named_and_the_good_ones_are_read():
    text = (
        "observation_date,DGS10,VIXCLS\n"
        "2026-01-05,4.17,15.0\n"  # 2
        "05/01/2026,4.17,15.0\n"  # 3: not ISO
        "2026-01-06,4.1x,15.1\n"  # 4: one figure
        "2026-01-06,4.19,15.1\n"  # 5: twice
        "2026-01-07,4.18\n"  # 6: a cell too few
        "2026-01-02,4.16,15.3\n"  # 7: out of order
        "2026-01-08,inf,1_5\n"  # 8: two figures
        '2026-01-09,"1,234.5",15.2\n'  # 9: thousands
        "2027-01-09,4.2,15.2\n"  # 10: not yet
        "2026-01-12,4.21,15.4,9\n"  # 11: a cell too many
        "2026-01-13,4.20,15.5,\n"  # 12: good
    )
    history = read(text)
    found = [(problem.line, problem.column, problem.value) for problem in history.problems]
    assert found == [
        (3, "observation_date", "05/01/2026"),
        (4, "DGS10", "4.1x"),
        (5, "observation_date", "2026-01-06"),
        (6, "", "2026-01-07,4.18"),
        (7, "observation_date", "2026-01-02"),
        (8, "DGS10", "inf"),
        (8, "VIXCLS", "1_5"),
        (9, "DGS10", "1,234.5"),
        (10, "observation_date", "2027-01-09"),
        (11, "", "2026-01-12,4.21,15.4,9"),
    ]
    assert history["DGS10"].values.tolist() == [4.17, 4.2]
    assert history["VIXCLS"].values.tolist() == [15.0, 15.1, 15.2, 15.5]
    said = "\n".join(map(str, history.problems))
    for part in (
        "the text, line 3, column observation_date: '05/01/2026' is not an ISO date; write it as 2026-03-20",
        "line 5, column observation_date: '2026-01-06' occurs twice, first in line 4, which is kept",
        "line 7, column observation_date: '2026-01-02' is out of order beside 2026-01-06 in line 4; sort the rows",
        "line 10, column observation_date: '2027-01-09' has not come yet, as today is 2026-02-01",
        "'1,234.5' is not a number; write it without separators of thousands",
        "'inf' is not finite",
        "has 2 cells, and the header has 3",
    ):
        assert part in said
    assert "10 more" not in repr(history)
    assert "left out: the text, line 3" in repr(history)


def test_one_date_too_far_ahead_costs_one_row():
    text = "DATE,X\n" + "\n".join(f"2026-01-{day:02d},{day}" for day in (1, 2, 28, 4, 5, 6, 7))
    history = read(text)
    assert history["X"].values.tolist() == [1, 2, 4, 5, 6, 7]
    assert [problem.line for problem in history.problems] == [4]


def test_a_file_that_descends_is_read_from_its_end():
    history = read("DATE,X\n2026-01-07,3\n2026-01-06,2\n2026-01-05,1\n")
    assert history["X"].values.tolist() == [1, 2, 3]
    assert history.problems == ()
    assert "latest to the earliest" in history.remarks[0]


@given(st.permutations(range(12)))
def test_as_few_rows_as_possible_are_left_out(order):
    start = dt.date(2025, 1, 1)
    rows = [f"{start + dt.timedelta(days=i)},{i}" for i in order]
    kept = read("\n".join(["DATE,X", *rows]))["X"].values.astype(int).tolist()
    best = [1] * 12
    for i in range(12):
        best[i] = 1 + max((best[j] for j in range(i) if order[j] < order[i]), default=0)
    descends = list(order) == sorted(order, reverse=True)
    assert len(kept) == (12 if descends else max(best))
    assert kept == sorted(kept)


@given(st.lists(st.floats(-1e12, 1e12) | st.none(), min_size=1, max_size=30))
@example([2.2250738585072014e-308, 4.0])
def test_what_is_written_is_read_back(values):
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=i) for i in range(len(values))]
    text = "DATE,X\n" + "".join(f"{d},{'.' if v is None else repr(v)}\n" for d, v in zip(days, values, strict=True))
    known = [(d, v) for d, v in zip(days, values, strict=True) if v is not None]
    if not known:
        with pytest.raises(MacroError, match="has no row with a date and a figure"):
            read(text)
        return
    series = read(text)["X"]
    assert [*zip(series.dates.tolist(), series.values.tolist(), strict=True)] == known


def test_several_files_are_joined_and_contradictions_are_named(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("DATE,X\n2026-01-05,1\n2026-01-06,2\n", encoding="utf-8")
    second.write_text("DATE,X,Y\n2026-01-06,2.5,7\n2026-01-07,3,8\n", encoding="utf-8")
    history = read([first, second])
    assert history["X"].values.tolist() == [1, 2, 3]
    assert history["Y"].values.tolist() == [7, 8]
    assert [str(problem) for problem in history.problems] == [
        "b.csv, line 2, column X: '2.5' differs for 2026-01-06 from 2 in a.csv, line 3, which is kept; remove one"
    ]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("DGS10", (0.0417, 0.0418), "FRED gives DGS10 in %"),
        ("BAMLH0A0HYM2", (0.031, 0.032), "FRED gives BAMLH0A0HYM2 in %"),
        ("VIXCLS", (0.15, 0.16), "FRED gives VIXCLS in index points"),
        ("M2SL", (21.7, 21.8), "FRED gives M2SL in billions of dollars"),
    ],
)
def test_a_series_in_another_unit_is_left_out_by_name(name, values, said):
    history = read(f"DATE,{name},X\n2026-01-05,{values[0]},1\n2026-01-06,{values[1]},2\n")
    assert history.names == ("X",)
    assert said in str(history.problems[0])


def test_a_column_without_a_figure_is_named():
    history = read("DATE,X,Y\n2026-01-05,1,.\n")
    assert str(history.problems[0]) == (
        "the text, line 1, column Y: 'Y' has no figure that can be used; download it again"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("date,\n", "the header is 'date,'"),
        ("day,DGS10\n2026-01-05,4.2\n", "begins with observation_date"),
        ("DATE;DGS10\n2026-01-05;4.2\n", "separated by commas"),
        ("DATE,X,X\n2026-01-05,1,2\n", "two columns 'X'"),
        ("DATE,,X\n2026-01-05,1,2\n", "no name for column 2"),
        ("DATE,X\n", "has no row with a date and a figure"),
        ("DATE,X\nx,1\n", "line 2, column DATE: 'x' is not an ISO date"),
        ('DATE,X\n2026-01-05,"1\n', "line 2: unexpected end of data"),
        ("nowhere.csv", "'nowhere.csv' cannot be read"),
        ("", "the text is empty"),
        ("  ", "the text is empty"),
        (3, "source=3 is neither a path nor text"),
        ([], r"source=\[\] is neither"),
        ([3], "source number 1 is 3"),
    ],
)
def test_what_is_no_file_of_fred_is_refused(source, said):
    with pytest.raises(MacroError, match=said):
        read(source)


def test_a_refused_file_hands_over_its_problems():
    with pytest.raises(MacroError) as caught:
        read("DATE,X\n" + "x,1\n" * 20)
    assert len(caught.value.problems) >= 20
    assert "more" in str(caught.value)


def test_other_bytes_are_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"DATE,X\n2026-01-05,1\n\xff\xfe\xfa\n")
    with pytest.raises(MacroError, match=r"x.csv, line 3, is not UTF-8 text"):
        read(path)


def test_the_clock_is_the_present_day_by_default():
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    history = read_fred(f"DATE,X\n2026-01-05,1\n{tomorrow},2\n")
    assert len(history["X"]) == 1
    assert "has not come yet" in history.problems[0].reason
    with pytest.raises(MacroError, match="today='x' is not a date"):
        read_fred(OLD, today="x")


def test_unknown_series_are_suggested_and_histories_are_cut():
    history = read(OLD)
    with pytest.raises(MacroError, match="did you mean 'DGS10'"):
        history["DGS1O"]
    earlier = history.until("2016-01-05")
    assert earlier["DGS10"].values.tolist() == [2.24, 2.25]
    assert earlier.as_of == dt.date(2016, 1, 5)
    assert history.until("2015-01-01").names == ()
    rows = history.to_table().to_list()
    assert rows[0] == {
        "series": "DGS10",
        "title": "10-year Treasury yield",
        "date": dt.date(2016, 1, 4),
        "value": 2.24,
        "unit": "%",
        "frequency": "daily",
    }
    with pytest.raises(ValueError, match="read-only"):
        history["DGS10"].values[0] = 1.0
    assert np.isfinite(history["DGS10"].values).all()


@pytest.mark.parametrize(
    ("row", "reason"),
    [("0001-01-01,4.1", "is before 1000"), ("0999-12-31,4.1", "is before 1000")],
)
def test_a_date_of_another_age_is_listed(row, reason):
    history = read_fred(f"observation_date,DGS10\n{row}\n2026-01-05,4.2\n", today="2026-02-01")
    assert len(history["DGS10"]) == 1
    assert reason in str(history.problems[0])


@pytest.mark.parametrize("path", ["~no_such_user_of_this_machine/x.csv", "x" * 5_000])
def test_a_path_that_is_none_is_refused_in_a_short_message(path):
    with pytest.raises(MacroError, match="cannot be read") as refused:
        read_fred(path)
    assert len(str(refused.value)) < 200


def test_rates_as_decimals_are_refused_though_they_may_be_near_0():
    rows = "".join(f"2025-01-{day:02d},0.0433,-0.0033,0.07\n" for day in range(1, 29))
    with pytest.raises(MacroError, match="multiply decimals by 100"):
        read_fred(f"observation_date,DFF,T10Y2Y,DGS3MO\n{rows}".replace(",0.07", ",0.0712"))
    history = read_fred(f"observation_date,DFF,T10Y2Y,DGS3MO\n{rows}")
    assert history.names == ("DGS3MO",)  # two decimals: a rate of 0.07 %
    assert {problem.column for problem in history.problems} == {"DFF", "T10Y2Y"}


def test_a_unit_that_changes_in_the_middle_is_found():
    text = "observation_date,DGS10\n2026-01-05,4.17\n2026-01-06,4.18\n2026-01-07,0.0419\n2026-01-08,4.2\n"
    with pytest.raises(MacroError, match=r"'0\.0419' in the text, line 4, follows 4\.18: .* another unit"):
        read_fred(text)


def test_many_columns_are_read():
    count = 3_000
    names = ",".join(f"S{i}" for i in range(count))
    history = read_fred(f"observation_date,{names}\n2026-01-05,{','.join(['1'] * count)}\n")
    assert len(history) == count
