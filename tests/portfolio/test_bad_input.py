"""What cannot be read is named with line and column; nothing is half loaded."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python import load_portfolio
from bank_python.cells import CellError, as_date, as_number
from bank_python.errors import PositionsError
from bank_python.portfolio import read_history

PRICES = {
    ticker: [(dt.date(2025, 1, 1) + dt.timedelta(days=i), level + (i % 3)) for i in range(100)]
    for ticker, level in (("AAA", 100.0), ("BBB", 50.0))
}
HEADER = "ticker,quantity,cost,kind,currency,maturity,coupon,yield,spread,vol,recovery\n"


def load(tmp_path, text, **more):
    path = tmp_path / "positions.csv"
    path.write_text(text, encoding="utf-8")
    return load_portfolio(path, prices=PRICES, **more)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("AAA,,1,,,,,,,,", "quantity", "is empty"),
        (",5,,,,,,,,,", "ticker", "is empty"),
        ("AAA,ten,1,,,,,,,,", "quantity", "is not a number"),
        ("AAA,0,1,,,,,,,,", "quantity", "is no position"),
        ("AAA,nan,1,,,,,,,,", "quantity", "is not a number"),
        ("AAA,inf,1,,,,,,,,", "quantity", "is not a number"),
        ('AAA,"1,5",1,,,,,,,,', "quantity", "comma"),
        ("AAB,5,1,,,,,,,,", "ticker", "did you mean 'AAA'"),
        ("AAA,5,1,shrae,,,,,,,", "kind", "did you mean 'share'"),
        ("AAA,5,1,option,,,,,,,", "ticker", "option symbol"),
        ("AAA 2025-02-30 C 5,1,,,,,,,,,", "ticker", "is no option"),
        ("AAA 2024-02-20 C 5,1,,,,,,,,,", "ticker", "has expired"),
        ("AAA,5,1,,GBX,,,,,,", "currency", "hundredth of GBP"),
        ("AAA,5,1,,EUR,,,,,,", "currency", "no exchange rate"),
        ("AAA,5,1,,dollars,,,,,,", "currency", "ISO currency code"),
        ("B,5,1,bond,,03/04/2030,4%,4%,,,", "maturity", "ISO date"),
        ("B,5,1,bond,,2020-01-01,4%,4%,,,", "maturity", "is past"),
        ("B,5,1,bond,,2030-01-01,4,4%,,,", "coupon", "above 100 %"),
        ("B,5,1,bond,,2030-01-01,4%,,,,", "yield", "a bond needs"),
        ("C,1,,cds,,5,,,120,,", "spread", "125bp"),
        ("C,1,,cds,,5,,,120bp,,1.2", "recovery", "100 %"),
        ("AAA,5,1,,,,,,,0.2,", "vol", "does not belong to a share"),
        ("EURUS,5,1,fx,,,,,,,", "ticker", "six letters"),
    ],
)
def test_a_row_is_named_with_its_line_and_column(tmp_path, row, column, reason):
    with pytest.raises(PositionsError) as caught:
        load(tmp_path, f"{HEADER}BBB,1,,,,,,,,,\n{row}\n")
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (3, column)
    assert reason in problem.reason
    assert "line 3" in str(caught.value)


def test_all_bad_rows_are_named_at_once_and_the_others_kept_if_asked(tmp_path):
    text = "ticker,quantity\nAAA,x\nBBB,2\nZZZ,1\nAAA,3\nAAA,3\n"
    with pytest.raises(PositionsError, match="3 of 5 rows") as caught:
        load(tmp_path, text)
    assert [problem.line for problem in caught.value.problems] == [2, 4, 6]
    mine = load(tmp_path, text, bad_rows="skip")
    assert [spec.line for spec in mine.specs] == [3, 5]
    assert sorted(problem.line for problem in mine.problems) == [2, 4, 6]
    assert "skipped" in repr(mine)


def test_rows_that_are_all_bad_are_refused_even_if_skipping(tmp_path):
    with pytest.raises(PositionsError, match="1 of 1 rows"):
        load(tmp_path, "ticker,quantity\nZZZ,1\n", bad_rows="skip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column ticker"),
        ("ticker,quantity\n", "holds no position"),
        ("symbol,price\nAAA,1\n", "no column quantity"),
        ("ticker,quantity,Symbol\nAAA,1,AAA\n", "both mean ticker"),
        ("ticker,quantity,qunatity\nAAA,1,1\n", "did you mean 'quantity'"),
        ("ticker,quantity\nAAA,1,2\n", "3 cells for 2 columns"),
    ],
)
def test_files_that_are_no_positions(tmp_path, text, message):
    with pytest.raises(PositionsError, match=message):
        load(tmp_path, text)


def test_other_files(tmp_path):
    with pytest.raises(PositionsError, match="there is no file"):
        load_portfolio(tmp_path / "none.csv")
    (tmp_path / "p.xlsx").write_bytes(b"PK")
    with pytest.raises(PositionsError, match=r"\.csv, \.tsv, \.toml"):
        load_portfolio(tmp_path / "p.xlsx")
    (tmp_path / "p.toml").write_text("positions = 3")
    with pytest.raises(PositionsError, match=r"\[\[positions\]\]"):
        load_portfolio(tmp_path / "p.toml")
    (tmp_path / "latin.csv").write_bytes("ticker,quantity\nÉDF,1\n".encode("latin-1"))
    with pytest.raises(PositionsError, match="UTF-8"):
        load_portfolio(tmp_path / "latin.csv")
    with pytest.raises(PositionsError, match="is a int"):
        load_portfolio(3)
    with pytest.raises(PositionsError, match="row 1"):
        load_portfolio([5])
    with pytest.raises(PositionsError, match='"refuse" or "skip"'):
        load_portfolio([("AAA", 1)], bad_rows="drop")
    with pytest.raises(PositionsError, match="ISO code"):
        load_portfolio([("AAA", 1)], currency="usd")
    with pytest.raises(PositionsError, match="give prices= or market="):
        load_portfolio([("AAA", 1)])


def test_risk_without_a_history_says_what_to_give():
    mine = load_portfolio([{"ticker": "AAA", "quantity": 1, "price": 10.0}])
    assert mine.value == 10.0
    with pytest.raises(PositionsError, match="risk needs daily prices"):
        mine.var()
    other = load_portfolio([{"ticker": "CCC", "quantity": 1, "price": 10.0}], prices=PRICES)
    with pytest.raises(PositionsError, match="no history of CCC"):
        other.var()
    short = {"AAA": PRICES["AAA"][:20]}
    with pytest.raises(PositionsError, match="AAA has 20"):
        load_portfolio([("AAA", 1)], prices=short).var()


def test_names_that_clash(tmp_path):
    with pytest.raises(PositionsError, match="rename the book"):
        load(tmp_path, "ticker,quantity,book\nAAA,1,BBB\nBBB,1,\n")
    with pytest.raises(PositionsError, match="is a bond in another row"):
        load(tmp_path, f"{HEADER}AAA,1,,,,,,,,,\nAAA,2,,bond,,5,4%,4%,,,\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pairs: [*pairs, ("03/04/2025", 1.0)], "is not an ISO date"),
        (lambda pairs: [*pairs, (dt.date(2999, 1, 1), 1.0)], "has not come yet"),
        (lambda pairs: [*pairs, (pairs[0][0], 1.0)], "two figures on 2025-01-01"),
        (lambda pairs: [*pairs[:-1], (pairs[-1][0], -1.0)], "not above 0"),
        (lambda pairs: [*pairs[:-1], (pairs[-1][0], 10_000.0)], "factor of 98"),
        (lambda pairs: [*pairs[:-1], (pairs[-1][0], "abc")], "column AAA: 'abc' is not a number"),
        (lambda pairs: pairs[::7], "is not daily"),
        (lambda pairs: pairs[:0], "holds no price"),
        (lambda pairs: [(dt.datetime.combine(pairs[0][0], dt.time(h)), 1.0) for h in range(24)], "two figures"),
    ],
)
def test_histories_that_make_no_sense(change, message):
    with pytest.raises(PositionsError, match=message):
        read_history({"AAA": change(PRICES["AAA"])})


def test_a_history_file_is_named_with_line_and_column(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("date,AAA,BBB\n2025-01-02,1,2\n2025-01-03,1,x\n")
    with pytest.raises(PositionsError, match=r"prices\.csv, line 3, column BBB: 'x'"):
        read_history(path)
    path.write_text("day_of_week,AAA\nMonday,1\n")
    with pytest.raises(PositionsError, match="no column date"):
        read_history(path)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_as_they_are_written_read_back(value):
    assert as_number(repr(value)) == value
    assert as_number(value) == value
    if abs(value) < 1e15:
        assert as_number(f"{value:,.4f}") == pytest.approx(round(value, 4), abs=1e-4)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_cell_error(text):
    try:
        value = as_number(text)
    except CellError:
        return
    assert np.isfinite(value)


@given(st.dates(min_value=dt.date(1900, 1, 1)))
def test_iso_dates_read_back(day):
    assert as_date(day.isoformat()) == day
    assert as_date(np.datetime64(day)) == day


def test_units():
    assert as_number("4.25%") == 0.0425
    assert as_number("85bp") == pytest.approx(0.0085)
    assert as_number(" 1,250,000.5 ") == 1250000.5
    for text in ("1.250,5", "4 %%", "--3", "1e", "0x10", "١٢"):
        with pytest.raises(CellError):
            as_number(text)
