"""Own positions and prices in one call: values by hand, risk by formula, and every kind of source."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from scipy import stats

from bank_python import BarbaraDB, Table, load_portfolio
from bank_python.errors import PositionsError
from bank_python.market_data import HistoryFeed
from bank_python.portfolio import Kind, parse_option, read_history

pd = pytest.importorskip("pandas")

LAST = dt.date(2026, 1, 30)
DAYS = pd.bdate_range(end=LAST, periods=300)
QUICK = {"n_paths": 4_000, "stresses": (), "validate_greeks": False}


@pytest.fixture(scope="module")
def prices():
    rng = np.random.default_rng(7)
    moves = rng.multivariate_normal(np.zeros(3), np.diag([0.01, 0.02, 0.005]) ** 2, len(DAYS))
    levels = np.array([100.0, 50.0, 1.1]) * np.exp(np.cumsum(moves, axis=0) - np.sum(moves, axis=0))
    return pd.DataFrame(levels, index=DAYS, columns=["AAA", "BBB", "EURUSD"])  # the last row is 100, 50, 1.1


def black_scholes(spot, strike, years, rate, vol, sign):
    deviation = vol * math.sqrt(years)
    first = (math.log(spot / strike) + (rate + 0.5 * vol * vol) * years) / deviation
    cdf = stats.norm.cdf
    return sign * (spot * cdf(sign * first) - strike * math.exp(-rate * years) * cdf(sign * (first - deviation)))


def test_values_and_pnl_are_those_by_hand(prices):
    mine = load_portfolio(
        [
            ("AAA", 10, 90.0),
            {"ticker": "BBB", "quantity": -4, "currency": "EUR"},
            {"ticker": "CASH", "quantity": 7, "kind": "cash"},
        ],
        prices=prices,
    )
    assert mine.value == pytest.approx(10 * 100.0 - 4 * 50.0 * 1.1 + 7.0)
    assert mine.pnl == pytest.approx(10 * (100.0 - 90.0))
    rows = {row["ticker"]: row for row in mine.to_table()}
    assert rows["BBB"]["value"] == pytest.approx(-220.0)
    assert rows["BBB"]["currency"] == "EUR"
    gross = 1000.0 + 220.0 + 7.0
    assert rows["AAA"]["weight"] == pytest.approx(1000.0 / gross)
    assert mine.date == LAST


def test_options_are_priced_by_the_formula_from_the_day_of_the_prices(prices):
    expiry = dt.date(2026, 7, 31)
    mine = load_portfolio(
        [("AAA 2026-07-31 C 105", 2), ("AAA260731P00095000", -1)], prices=prices, vols={"AAA": 0.3}, rate=0.04
    )
    years = (expiry - LAST).days / 365.0
    call = black_scholes(100.0, 105.0, years, 0.04, 0.3, 1.0)
    put = black_scholes(100.0, 95.0, years, 0.04, 0.3, -1.0)
    assert mine.value == pytest.approx(100.0 * (2.0 * call - put), rel=1e-12)
    assert mine.pnl == 0.0
    assert mine.assumptions == ()


def test_a_volatility_that_nobody_gave_is_the_realised_one_and_said(prices):
    mine = load_portfolio([("AAA 2026-07-31 C 105", 1)], prices=prices)
    squares = np.diff(np.log(prices["AAA"].to_numpy()))[::-1] ** 2
    weights = 0.97 ** np.arange(len(squares))
    realised = math.sqrt(252.0 * (weights @ squares) / weights.sum())
    assert mine.leaf("AAA_VOL").value == pytest.approx(realised, rel=1e-12)
    assert any("volatility of AAA" in said and "realised" in said for said in mine.assumptions)
    assert any("discount rate 0 %" in said for said in mine.assumptions)


def test_value_at_risk_of_a_share_is_the_normal_one(prices):
    mine = load_portfolio([("AAA", 10)], prices=prices)
    vol = mine.factor_model().vols[0]
    result = mine.risk(**{**QUICK, "n_paths": 200_000})
    deviation = vol / math.sqrt(252.0)
    exact = 1000.0 * -math.expm1(stats.norm.ppf(0.01) * deviation - 0.5 * deviation**2)
    assert abs(result.var_99 - exact) < 4.0 * result.tail(0.99).var_error
    assert mine.var(0.99, **QUICK) == mine.risk(**QUICK).var_99
    assert mine.expected_shortfall(0.95, **QUICK) == mine.risk(**QUICK).tail(0.95).es


def test_what_has_no_history_moves_with_its_underlying(prices):
    rows = [
        ("AAA 2026-07-31 C 105", 1),
        {"ticker": "UST", "quantity": 5, "kind": "bond", "coupon": "4%", "maturity": "2031-01-31", "yield": 0.04},
        {"ticker": "CRED", "quantity": 1, "kind": "cds", "spread": "120bp", "maturity": 5},
    ]
    mine = load_portfolio(rows, prices=prices, vols={"AAA": 0.3}, rate=0.03)
    model = mine.factor_model()
    place = model.names.index
    correlation = model.correlation
    assert correlation[place("AAA_SPOT"), place("AAA_VOL")] == pytest.approx(-0.7)
    assert correlation[place("UST_YIELD"), place("RATE")] == pytest.approx(0.9)
    assert correlation[place("CRED_SPREAD"), place("AAA_SPOT")] == 0.0
    assert np.linalg.eigvalsh(correlation)[0] > -1e-12
    assert model.vols[place("RATE")] == 0.010
    assert sum("give assume_vols()" in said for said in mine.assumptions) == 4
    mine.assume_vols({"RATE": 0.02})
    assert mine.factor_model().vols[place("RATE")] == 0.02


def test_a_bond_is_worth_its_discounted_flows(prices):
    bond = {"ticker": "UST", "quantity": 1, "kind": "bond", "coupon": "4%", "maturity": 2.0, "yield": "5%"}
    mine = load_portfolio([bond], prices=prices)
    flows = [2.0, 2.0, 2.0, 102.0]
    assert mine.value == pytest.approx(sum(flow / 1.025 ** (i + 1) for i, flow in enumerate(flows)), rel=1e-12)


def test_every_kind_of_source_gives_the_same_portfolio(prices, tmp_path):
    rows = [{"ticker": "AAA", "quantity": 10, "cost": 90.0}, {"ticker": "BBB", "quantity": -4, "cost": 55.0}]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "p.csv", index=False)
    (tmp_path / "semicolons.csv").write_text("Symbol;Qty;Avg Price\nAAA;10;90\n\nBBB;-4;55\n", encoding="utf-8-sig")
    (tmp_path / "p.toml").write_text(
        '[[positions]]\nticker = "AAA"\nquantity = 10\ncost = 90\n'
        '[[positions]]\nticker = "BBB"\nquantity = -4\ncost = 55.0\n'
    )
    table = Table.from_rows([("ticker", str), ("quantity", float), ("cost", float)], rows)
    table.to_parquet(tmp_path / "p.parquet")
    sources = [
        rows,
        frame,
        table,
        tmp_path / "p.csv",
        tmp_path / "semicolons.csv",
        tmp_path / "p.toml",
        tmp_path / "p.parquet",
    ]
    sources.append([("AAA", 10, 90.0), ("BBB", -4, 55.0)])
    found = [load_portfolio(source, prices=prices).to_table().to_list() for source in sources]
    assert all(rows == found[0] for rows in found)
    assert load_portfolio({"AAA": 10, "BBB": -4}, prices=prices).value == pytest.approx(800.0)


def test_every_kind_of_history_gives_the_same_closes(prices, tmp_path):
    prices.to_csv(tmp_path / "wide.csv", index_label="date")
    long = [
        {"date": day.date(), "ticker": ticker, "close": float(prices.loc[day, ticker])}
        for day in DAYS
        for ticker in prices
    ]
    table = Table.from_rows([("date", dt.date), ("ticker", str), ("close", float)], long)
    table.to_parquet(tmp_path / "long.parquet")
    mapping = {ticker: [(day, value) for day, value in prices[ticker].items()] for ticker in prices}
    sources = [
        prices,
        prices[::-1],
        tmp_path / "wide.csv",
        tmp_path / "long.parquet",
        table,
        mapping,
        prices.reset_index(names="Date"),
    ]
    for source in sources:
        history = read_history(source)
        order = [history.tickers.index(ticker) for ticker in ("AAA", "BBB", "EURUSD")]
        np.testing.assert_allclose(history.closes[:, order], prices.to_numpy(), rtol=1e-15)
        assert history.dates == tuple(day.date() for day in DAYS)


@pytest.mark.parametrize(
    ("form", "returns"), [("simple", lambda p: p.pct_change()), ("log", lambda p: np.log(p).diff())]
)
def test_returns_give_the_same_risk_as_prices(prices, form, returns):
    by_price = load_portfolio([("AAA", 10)], prices=prices)
    rows = [{"ticker": "AAA", "quantity": 10, "price": 100.0}]
    by_return = load_portfolio(rows, prices=returns(prices).dropna(), form=form)
    np.testing.assert_allclose(by_return.factor_model().vols, by_price.factor_model().vols, rtol=1e-10)
    assert by_return.value == pytest.approx(1000.0)


def test_lots_of_one_ticker_are_one_position(prices):
    mine = load_portfolio([("AAA", 10, 90.0), ("AAA", 5, 120.0)], prices=prices)
    [position] = mine.books["Portfolio"].positions
    assert position.quantity == 15
    assert mine.pnl == pytest.approx(10 * 10.0 - 5 * 20.0)


def test_ticks_and_what_ifs(prices):
    mine = load_portfolio([("AAA", 10), ("AAA 2026-07-31 P 90", 1)], prices=prices, vols={"AAA": 0.3})
    before = mine.value
    with mine.what_if({"AAA": 80.0, "AAA_VOL": 0.5}):
        inside = mine.value
    assert inside != before == mine.value
    mine.set_prices({"AAA": 80.0, "AAA_VOL": 0.5})
    assert mine.value == inside
    with pytest.raises(PositionsError, match="did you mean 'AAA'"):
        mine.set_prices({"AAB": 1.0})


def test_live_risk_and_limits_follow_a_tick(prices):
    mine = load_portfolio([("AAA", 10), ("BBB", 5)], prices=prices)
    risk = mine.live_risk(n_paths=2_000)
    before = risk.var_99.value
    board = mine.limits(
        {"VaR 99": 1e9, "Concentration": 0.9, "Stress loss": 1e9, "Delta 1%": 1e9}, **QUICK | {"n_paths": 2_000}
    )
    assert {reading.limit.name for reading in board.readings()} == {
        "VaR 99",
        "Concentration",
        "Stress loss",
        "Delta 1%",
    }
    mine.set_prices({"AAA": 200.0})
    assert risk.var_99.value > before
    assert mine.live_risk(n_paths=2_000) is risk
    again = mine.limits({"Concentration": 0.1})
    assert [reading.limit.maximum for reading in again.readings()] == [0.1]
    with pytest.raises(PositionsError, match="no measure 'Var'"):
        mine.limits({"Var": 1.0})


def test_stress_and_greeks(prices):
    mine = load_portfolio([("AAA", 10)], prices=prices)
    by_key = {result.key: result.pnl for result in mine.stress()}
    assert len(by_key) == 8
    assert by_key["gfc_2008"] < 0.0
    assert mine.greeks().total("delta", "percent") == pytest.approx(10.0)


def test_a_market_quotes_what_is_held():
    closes = [(dt.date(2025, 1, 1) + dt.timedelta(days=i), 100.0 + math.sin(i)) for i in range(200)]
    mine = load_portfolio([("ACME", 3, 99.0)], market=HistoryFeed({"ACME": closes}, start=closes[150][0]))
    assert mine.value == pytest.approx(3 * closes[150][1])
    assert mine.var(**QUICK) > 0.0
    simulated = load_portfolio([("AAPL", 10), ("SPY 2030-03-15 C 600", 1)], market="simulated")
    assert simulated.leaf("SPY_VOL").value == pytest.approx(0.16, abs=0.05)
    assert simulated.var(**QUICK) > 0.0


def test_other_base_currency(prices):
    mine = load_portfolio([("AAA", 10)], prices=prices, currency="EUR")
    assert mine.value == pytest.approx(1000.0)  # rows without a currency are in the base currency
    other = load_portfolio([{"ticker": "AAA", "quantity": 10, "currency": "USD"}], prices=prices, currency="EUR")
    assert other.value == pytest.approx(1000.0 / 1.1)
    assert {factor.name for factor in other.plan().factors} == {"AAA_SPOT", "EURUSD_SPOT"}
    assert other.limits({"Concentration": 0.5}).readings()[0].value == 1.0
    assert (
        load_portfolio([{"ticker": "AAA", "quantity": 1, "currency": "GBP"}], prices=prices, fx={"GBPUSD": 1.25}).value
        == 125.0
    )


def test_exports_and_displays(prices, tmp_path):
    mine = load_portfolio([("AAA", 10, 90.0), ("BBB", 4)], prices=prices)
    mine.to_csv(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("book,ticker,quantity,price,currency,value,pnl,weight")
    assert mine.to_pandas()["value"].sum() == pytest.approx(mine.value)
    assert '"ticker": "AAA"' in mine.to_json()
    assert "AAA" in repr(mine)
    assert len(repr(mine).splitlines()) <= 20
    assert "AAA" in mine._repr_html_()


def test_alerts_may_be_kept_in_a_store(prices, tmp_path):
    mine = load_portfolio([("AAA", 10)], prices=prices)
    with BarbaraDB.open("own", path=tmp_path / "own.db") as db:
        board = mine.limits({"Concentration": 0.5}, db=db)
        [alert] = board.check()
        assert alert.rule == "Concentration"


@pytest.mark.parametrize(
    ("symbol", "found"),
    [
        ("SPY 2026-03-20 C 600", "SPY 2026-03-20 C 600"),
        ("spy 2026-03-20 600 put", "SPY 2026-03-20 P 600"),
        ("BRK.B 2026-03-20 C 1,050.5", "BRK.B 2026-03-20 C 1050.5"),
        ("SPY   260320C00600000", "SPY 2026-03-20 C 600"),
        ("SPY", None),
        ("SPY 2026", None),
    ],
)
def test_option_symbols(symbol, found):
    option = parse_option(symbol)
    assert (option.name if option else None) == found


def test_kinds_are_found_by_their_columns(prices):
    rows = [
        {"ticker": "AAA", "quantity": 1},
        {"ticker": "B1", "quantity": 1, "coupon": 0.04, "maturity": 3, "yield": 0.04},
        {"ticker": "C1", "quantity": 1, "spread": 0.01, "maturity": 5},
        {"ticker": "EURUSD", "quantity": 1, "kind": "FX"},
    ]
    mine = load_portfolio(rows, prices=prices)
    assert [spec.kind for spec in mine.specs] == [Kind.SHARE, Kind.BOND, Kind.CDS, Kind.FX]
