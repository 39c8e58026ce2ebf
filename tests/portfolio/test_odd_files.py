"""Files and frames of other programs: read as they are meant, or rejected in words."""

from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pytest

from bank_python import load_portfolio
from bank_python.cells import CellError, DecimalMark, as_number
from bank_python.errors import PositionsError
from bank_python.portfolio import parse_option, read_history

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(100)]
PRICES = {
    ticker: [(day, level + (i % 3)) for i, day in enumerate(DAYS)]
    for ticker, level in (("AAA", 100.0), ("BBB", 50.0), ("EURUSD", 1.1))
}
DAILY = pd.DataFrame({"AAA": [100.0 + i % 3 for i in range(100)]}, index=pd.to_datetime(DAYS))


def load(tmp_path, content, **more):
    path = tmp_path / "positions.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_portfolio(path, prices=PRICES, **more)


def held(portfolio):
    return [(spec.line, spec.ticker, spec.quantity, spec.cost) for spec in portfolio.specs]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffticker;quantity;cost\nAAA;10;90.5\n",
        "ticker,quantity,cost,,\nAAA,10,90.5,,\n",
        "ticker,quantity,cost\nAAA,10,90.5,\n",
        "ticker,quantity,cost\r\nAAA,10,90.5\r\n",
        "ticker,quantity,cost\rAAA,10,90.5\r",
        "ticker|quantity|cost\nAAA|10|90.5\n",
        "ticker,quantity,cost\nAAA,10,90.5\n".encode("utf-16"),
        'ticker,quantity,cost\nAAA,10,"$90.50"\n',
        'ticker,quantity,cost,book\nAAA,10,90.5,"a\nb"\n',
    ],
)
def test_dialects_of_csv(tmp_path, content):
    assert held(load(tmp_path, content)) == [(2, "AAA", 10.0, 90.5)]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("# mine\nticker,quantity\nAAA,10\n", 3),
        ("sep=;\nticker;quantity\nAAA;10\n", 3),
        ("\n\nticker,quantity\nAAA,10", 4),
    ],
)
def test_lines_before_the_header_are_counted(tmp_path, content, line):
    assert held(load(tmp_path, content)) == [(line, "AAA", 10.0, None)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ticker,quantity\nAA\0A,10\n", "line 2, holds a NUL byte"),
        ("ticker,quantity\nAAA,10\n".encode("utf-16-le"), "NUL byte"),
        ("ticker,quantity\nCAF\xc9,10\n".encode("latin-1"), "line 2, is not UTF-8"),
        ('ticker,quantity\n"AAA,10\nBBB,5\n', "line 2: unexpected end"),
        ("ticker,quantity,quantity\nAAA,10,11\n", "two columns 'quantity'"),
        ("Account 12\n\nticker,quantity\nAAA,10\n", r"line 3: 2 cells for 1 columns \(the header is line 1\)"),
        (",ticker,quantity\n0,AAA,10\n", "column 1 has no name"),
        ("ticker,quantity\n" + "A" * 200_000 + ",1\n", "line 2: field larger"),
        ('ticker,quantity,book\nAAA,10,"my\nbook"\nBBB,x,\n', "line 4, column quantity"),
        ("ticker;quantity\nAAA;1,250\n", "may have decimals or thousands"),
        ("ticker;quantity\nAAA;1.250\n", "may have decimals or thousands"),
        ("ticker;quantity\nAAA;90,5\n", 'pass decimal=","'),
        ("ticker,quantity,cost\nAAA,10,€12.50\n", "is in €, the row in USD"),
        ("ticker,quantity\nAAA,$10\n", "is an amount"),
        ("ticker,quantity\nAAA 01/15/2030 100 C,1\n", "slashes"),
        ('ticker,quantity\n"AAA 2030-01-15 C 600,5",1\n', "comma that separates no thousands"),
    ],
)
def test_files_that_are_rejected_in_words(tmp_path, content, message):
    with pytest.raises(PositionsError, match=message):
        load(tmp_path, content)


def test_decimal_commas_are_read_if_the_caller_says_so(tmp_path):
    mine = load(tmp_path, "ticker;quantity;cost\nAAA;1.250;90,5\nBBB;1.250,75;1,250\n", decimal=",")
    assert held(mine) == [(2, "AAA", 1250.0, 90.5), (3, "BBB", 1250.75, 1.25)]
    mine = load(tmp_path, "ticker;quantity;cost\nAAA;1,250;1.250\n", decimal=".")
    assert held(mine) == [(2, "AAA", 1250.0, 1.25)]
    path = tmp_path / "prices.csv"
    DAILY.round(2).to_csv(path, sep=";", decimal=",", index_label="date")
    assert read_history(path, decimal=DecimalMark.COMMA).last("AAA") == 100.0 + 99 % 3
    with pytest.raises(PositionsError, match="decimal='x'"):
        load(tmp_path, "ticker,quantity\nAAA,1\n", decimal="x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(1,250)", -1250.0),
        ("($1,250.50)", -1250.5),
        ("-$5", -5.0),
        ("$-5", -5.0),
        ("300-", -300.0),
        ("−300", -300.0),
        ("1\u00a0250", 1250.0),
        ("1'250.5", 1250.5),
        ("€ 12.50", 12.5),
        ("12.50 €", 12.5),
        ("(4%)", -0.04),
        (decimal.Decimal("1.5"), 1.5),
        (np.float32(0.5), 0.5),
    ],
)
def test_numbers_as_brokers_write_them(text, value):
    assert as_number(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["(-5)", "((5))", "-5-", "$5$", "1,00,000", "1 25", "5 USD", 10**400, "()", "-", "$", True]
)
def test_figures_that_are_no_numbers(text):
    with pytest.raises(CellError):
        as_number(text)


def test_missing_figures_are_empty_cells(tmp_path):
    mine = load(tmp_path, "ticker,quantity,cost,sector\nAAA,10,N/A,\nBBB,1,--,NA\n")
    assert [(spec.cost, spec.sector) for spec in mine.specs] == [(None, ""), (None, "NA")]
    with pytest.raises(PositionsError, match="'N/A' is not a number"):
        load(tmp_path, "ticker,quantity\nAAA,N/A\n")


def test_frames_and_tables_of_other_libraries(tmp_path):
    frame = pd.DataFrame({"ticker": ["AAA", "BBB"], "quantity": [1, 2]})
    cost = frame.assign(cost=pd.array([5, None], dtype="Int64"))
    sources = [
        cost,
        cost.astype({"ticker": "category"}),
        cost.astype(object),
        cost.convert_dtypes(dtype_backend="pyarrow"),
        frame.assign(cost=[decimal.Decimal(5), None], maturity=pd.NaT),
        pa.table({"ticker": ["AAA", "BBB"], "quantity": [1, 2], "cost": [5, None]}),
    ]
    cost.assign(cost=[decimal.Decimal(5), None]).to_parquet(tmp_path / "p.parquet")
    for source in [*sources, tmp_path / "p.parquet"]:
        assert held(load_portfolio(source, prices=PRICES)) == [(1, "AAA", 1.0, 5.0), (2, "BBB", 2.0, None)]
    two = pd.DataFrame([["AAA", 1, 2]], columns=["ticker", "quantity", "quantity"])
    levels = pd.DataFrame([["AAA", 1]], columns=pd.MultiIndex.from_tuples([("a", "ticker"), ("a", "quantity")]))
    for source, message in [
        (two, "two columns 'quantity'"),
        (levels, "columns of 2 levels"),
        (frame.set_index("ticker"), "reset_index"),
        (frame[:0], "holds no position"),
    ]:
        with pytest.raises(PositionsError, match=message):
            load_portfolio(source, prices=PRICES)


def test_histories_of_other_libraries(tmp_path):
    DAILY.to_parquet(tmp_path / "naive.parquet")  # pandas' own time stamps, without a zone
    DAILY.tz_localize("UTC").to_parquet(tmp_path / "utc.parquet")
    sources = [
        DAILY.tz_localize("America/New_York"),
        DAILY.astype(object),
        DAILY.astype("Float64"),
        DAILY.set_axis(pd.PeriodIndex(DAYS, freq="D")),
        {"AAA": DAILY["AAA"]},
        pa.Table.from_pandas(DAILY.reset_index(names="date")),
        tmp_path / "naive.parquet",
        tmp_path / "utc.parquet",
    ]
    for source in sources:
        history = read_history(source)
        assert history.dates == tuple(DAYS)
        np.testing.assert_array_equal(history.closes[:, 0], DAILY["AAA"].to_numpy())


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"AAA": DAILY["AAA"].to_numpy()}, "AAA: a ndarray without dates"),
        ({"AAA": 100.0}, "AAA: a float without dates"),
        (DAILY["AAA"], "is a Series"),
        (DAILY.to_numpy(), "is a ndarray"),
        (DAILY.set_axis([pd.NaT, *DAILY.index[1:]]), "line 1, date: NaT is no date"),
        (DAILY.reset_index(drop=True), "0 is not an ISO date"),
        (pd.concat({"Close": DAILY}, axis=1), "columns of 2 levels"),
        (DAILY.assign(B=DAILY["AAA"]).set_axis(["AAA", "AAA"], axis=1), "two columns 'AAA'"),
        (DAILY * 1e300, "too large a price"),
        (DAILY.replace(100.0, np.inf), "is not finite"),
        (DAILY.replace(101.0, -37.63), "the price -37.63 is not above 0"),
        ([{"date": "2025-01-02", "ticker": None, "close": 5.0}], "is a list"),
    ],
)
def test_histories_that_are_rejected_in_words(prices, message):
    with pytest.raises(PositionsError, match=message):
        read_history(prices)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,ticker,close\n2025-01-01,,100\n", "line 2: a close without a ticker"),
        ("date,AAA\n2025-01-01,1,5\n", "line 2: 3 cells for 2 columns"),
        ("date,AAA\n,1\n", "line 2, date: '' is no date"),
        ("date,AAA\n2025-01-01,1\n02/01/2025,2\n", "line 3, date: '02/01/2025'"),
        ("date,AAA,AAA\n2025-01-01,1,2\n", "two columns 'AAA'"),
        ("", "no column date"),
    ],
)
def test_history_files_that_are_rejected_in_words(tmp_path, text, message):
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(PositionsError, match=message):
        read_history(path)


@pytest.mark.parametrize("form", ["simple", "log"])
def test_returns_that_are_prices_or_per_cent(form):
    with pytest.raises(PositionsError, match=f"too large a {form} return"):
        read_history(DAILY, form)
    with pytest.raises(PositionsError, match="give decimals"):
        read_history(DAILY.pct_change().dropna().abs() * 30.0, form)
    with pytest.raises(PositionsError, match="the prices are returns"):
        load_portfolio([("AAA", 1)], prices=DAILY.pct_change().dropna(), form="simple")


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([{"currency": "EUR"}, {"currency": "USD"}], "currency"),
        ([{"price": 5}, {"price": 7}], "price"),
        ([{"sector": "Energy"}, {"sector": "Banks"}], "sector"),
        ([{"ticker": "AAA 2030-01-01 C 100", "vol": 0.2}, {"ticker": "AAA 2030-01-01 C 100", "vol": 0.5}], "vol"),
        ([{"ticker": "AAA260101C00100000"}, {"ticker": "AAA 2026-01-01 C 100", "multiplier": 10}], "multiplier"),
        ([{"coupon": 0.04, "yield": 0.04, "maturity": 5}, {"coupon": 0.04, "yield": 0.04, "maturity": 7}], "maturity"),
        ([{}, {"ticker": "AAA 2030-01-01 C 100", "currency": "EUR"}], "currency"),
    ],
)
def test_rows_of_one_contract_that_differ_are_not_merged(rows, column):
    whole = [{"ticker": "AAA", "quantity": i + 1} | row for i, row in enumerate(rows)]
    with pytest.raises(PositionsError) as caught:
        load_portfolio(whole, prices=PRICES)
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (2, column)
    assert "in line 1" in problem.reason


@pytest.mark.parametrize(
    "name", ["AAA_SPOT", "AAA_VOL", "PORTFOLIO:PNL", "Portfolio:AAA", "USD cash", "EURUSD", "USD", "CLOCK"]
)
def test_names_of_the_graph_are_not_taken_by_positions_or_books(name):
    other = {"ticker": "BBB", "quantity": 1, "currency": "EUR"}
    with pytest.raises(PositionsError, match="give"):
        load_portfolio([{"ticker": name, "quantity": 1, "price": 5.0}, ("AAA", 1), other], prices=PRICES)
    with pytest.raises(PositionsError, match="rename the book"):
        load_portfolio([{"ticker": "AAA", "quantity": 1, "book": name}, other], prices=PRICES)


def test_a_stale_close_is_no_present_price():
    short = PRICES | {"BBB": PRICES["BBB"][:80]}
    with pytest.raises(
        PositionsError, match=r"line 2, column ticker: 'BBB' has no price; its last close is of 2025-03-21"
    ):
        load_portfolio([("AAA", 1), ("BBB", 1)], prices=short)
    with pytest.raises(PositionsError, match="EUR' has no exchange rate"):
        load_portfolio(
            [{"ticker": "AAA", "quantity": 1, "currency": "EUR"}], prices=PRICES | {"EURUSD": PRICES["EURUSD"][:50]}
        )
    late = load_portfolio([("AAA", 1), ("BBB", 1)], prices=PRICES | {"BBB": PRICES["BBB"][:98]})
    assert any("price of BBB is that of 2025-04-08" in said for said in late.assumptions)
    rows = [("AAA", 1), {"ticker": "BBB", "quantity": 1, "price": 50.0}]
    with pytest.raises(PositionsError, match="the history of BBB ends on 2025-03-21"):
        load_portfolio(rows, prices=short).var()


def test_prices_after_the_valuation_date_are_left_out():
    mine = load_portfolio([("AAA", 1)], prices=PRICES, as_of="2025-02-02")
    assert (mine.value, mine.date) == (100.0 + 32 % 3, dt.date(2025, 2, 2))
    assert mine.history().dates[-1] == dt.date(2025, 2, 2)
    for as_of, message in [("2020-01-01", "begins on"), ("2026-01-01", "days before 2026-01-01"), (5, "ISO date")]:
        with pytest.raises(PositionsError, match=message):
            load_portfolio([("AAA", 1)], prices=PRICES, as_of=as_of)


def test_splits_and_holes_are_said():
    split = DAILY.assign(AAA=np.where(np.arange(100) < 60, 400.0, 100.0) + np.arange(100) % 3)
    mine = load_portfolio([("AAA", 1)], prices=split)
    assert any("AAA moves by a factor of 0.2" in said and "2025-03-02" in said for said in mine.assumptions)
    mine = load_portfolio([("AAA", 1)], prices=DAILY.drop(DAILY.index[40:60]))
    mine.factor_model()
    assert any("no common prices from 2025-02-09 to 2025-03-02" in said for said in mine.assumptions)
    sparse = pd.DataFrame({"AAA": 100.0 + np.arange(300) % 3}, index=pd.bdate_range(end="2025-04-10", periods=300))
    sparse["BBB"] = sparse["AAA"].where(np.arange(300) % 5 == 4)
    with pytest.raises(PositionsError, match="mostly 7 days apart"):
        load_portfolio([("AAA", 1), ("BBB", 1)], prices=sparse).var()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fx": [1]}, "fx= is a list"),
        ({"fx": {"CHFUSD": float("nan")}}, r"fx\['CHFUSD'\] = nan"),
        ({"fx": {"CHFUSD": 0}}, "is not above 0"),
        ({"vols": {"AAA": 25}}, "is not below 5"),
        ({"rate": 4}, "is not below 1"),
        ({"rate": True}, "is not a number"),
        ({"market": 5}, "is no feed"),
    ],
)
def test_arguments_that_make_no_sense(arguments, message):
    with pytest.raises(PositionsError, match=message):
        load_portfolio([("AAA", 1)], prices=PRICES, **arguments)


def test_enormous_positions_are_named():
    with pytest.raises(PositionsError, match="line 1: AAA has no value: 1e\\+308 units at 100 are worth inf"):
        load_portfolio([("AAA", 1e308)], prices=PRICES)


def test_many_unknown_tickers_are_named_quickly():
    many = [(f"X{i}", i + 1) for i in range(3_000)]
    with pytest.raises(PositionsError, match="3,000 of 3,000 rows"):
        load_portfolio(many, prices={f"T{i}": [(DAYS[0], 1.0)] for i in range(500)})


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("SPY 20MAR26 600 C", "SPY 2026-03-20 C 600"),
        (".SPY260320C600", "SPY 2026-03-20 C 600"),
        ("-SPY260320P602.5", "SPY 2026-03-20 P 602.5"),
        ("SPX 2026-12-18 C 12345.25", "SPX 2026-12-18 C 12345.25"),
        ("T 4.25 01/15/34 Govt", None),
        ("SPY 20XYZ26 600 C", None),
    ],
)
def test_option_symbols_of_brokers(symbol, name):
    option = parse_option(symbol)
    assert (option.name if option else None) == name


@pytest.mark.parametrize(
    "symbol", ["SPY 2026-03-20 C 600,5", "SPY 2026-03-20 C 1.2.3", "SPY261320C00600000", "SPY 03/20/2026 600 C"]
)
def test_option_symbols_with_a_fault(symbol):
    with pytest.raises(ValueError, match=r"."):
        parse_option(symbol)
