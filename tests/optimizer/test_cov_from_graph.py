"""Covariance from a graph: past closes, followed by the present prices."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.dagger import DependencyGraph
from bank_python.errors import CalibrationError, GraphError, UnknownNodeError, UnknownTickerError
from bank_python.market_data import MarketData
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.optimizer.covariance_data import CovarianceData

START = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
TICKERS = ["A", "B", "C"]
ESTIMATIONS = [
    {},
    {"estimator": "ledoit_wolf"},
    {"estimator": "ledoit_wolf_constant", "mean": "arithmetic"},
    {"estimator": "oas", "periods_per_year": 12.0},
    {"estimator": "ewma", "decay": 0.9, "mean": "ewma"},
    {"estimator": "pca", "components": 1},
]


def bars(ticker, closes, first=0):
    days = (START + dt.timedelta(days=first + i) for i in range(len(closes)))
    made = (Bar(day, None, None, None, float(close), None) for day, close in zip(days, closes, strict=True))
    return PriceHistory(ticker, "by hand", tuple(made))


def closes_of(rows=60, seed=4):
    noise = 0.01 * np.random.default_rng(seed).standard_normal((rows, len(TICKERS)))
    return 100.0 * np.cumprod(1.001 + noise @ (np.eye(len(TICKERS)) + 0.2), axis=0)


@pytest.fixture
def market():
    graph, history, closes = DependencyGraph(), PriceHistoryTable(), closes_of()
    for ticker, column in zip(TICKERS, closes.T, strict=True):
        history.load(ticker, bars(ticker, column))
        graph.register(MarketData(f"{ticker}_SPOT", 1.002 * float(column[-1])))
    return graph, history, closes


def assert_same(data, expected):
    assert data.tickers == expected.tickers
    for name in ("covariance", "expected_returns", "returns"):
        assert getattr(data, name).tolist() == getattr(expected, name).tolist()
    for name in ("periods_per_year", "shrinkage", "estimator", "riskless"):
        assert getattr(data, name) == getattr(expected, name)


@pytest.mark.parametrize("estimation", ESTIMATIONS)
def test_it_is_what_the_stacked_prices_give(market, estimation):
    graph, history, closes = market
    live = [graph[f"{ticker}_SPOT"].value for ticker in TICKERS]
    expected = CovarianceData.from_prices(np.vstack([closes, live]), TICKERS, **estimation)
    assert_same(CovarianceData.from_graph(graph, history, TICKERS, **estimation), expected)


def test_the_last_return_is_the_one_to_the_present(market):
    graph, history, closes = market
    data = CovarianceData.from_graph(graph, history, TICKERS)
    assert data.returns.shape == (60, 3)
    assert data.returns[-1] == pytest.approx([0.002] * 3, rel=1e-12)
    assert data.returns[:-1].tolist() == (closes[1:] / closes[:-1] - 1.0).tolist()
    growth = (1.002 * closes[-1] / closes[0]) ** (252.0 / 60.0) - 1.0
    assert data.expected_returns == pytest.approx(growth, rel=1e-12)


def test_it_differs_from_the_tables_by_that_row_alone(market):
    graph, history, _ = market
    tables = CovarianceData.from_table(history, TICKERS)
    live = CovarianceData.from_graph(graph, history, TICKERS)
    assert live.returns[:-1].tolist() == tables.returns.tolist()
    assert live.covariance.tolist() != tables.covariance.tolist()


@settings(max_examples=30, deadline=None)
@given(moves=st.lists(st.floats(-0.5, 1.0), min_size=3, max_size=3), order=st.permutations(TICKERS))
def test_any_prices_in_any_order(moves, order):
    graph, history, closes = DependencyGraph(), PriceHistoryTable(), closes_of()
    for ticker, column, move in zip(TICKERS, closes.T, moves, strict=True):
        history.load(ticker, bars(ticker, column))
        graph.register(MarketData(f"{ticker}_SPOT", float(column[-1]) * (1.0 + move)))
    places = [TICKERS.index(ticker) for ticker in order]
    live = closes[-1] * (1.0 + np.array(moves))
    stacked = np.ascontiguousarray(np.vstack([closes, live])[:, places])  # sums depend on the memory order
    expected = CovarianceData.from_prices(stacked, order)
    assert_same(CovarianceData.from_graph(graph, history, order), expected)


def test_days_are_those_that_all_have(market):
    graph, history, closes = market
    history.load("B", bars("B", closes[10:, 1], first=10))
    history.load("C", bars("C", closes[:55, 2]))
    data = CovarianceData.from_graph(graph, history, TICKERS)
    live = [graph[f"{ticker}_SPOT"].value for ticker in TICKERS]
    assert_same(data, CovarianceData.from_prices(np.vstack([closes[10:55], live]), TICKERS))


def test_prices_may_be_named_or_given(market):
    graph, history, closes = market
    double = graph.derive("DOUBLE", lambda price: 2.0 * price, ["A_SPOT"])
    data = CovarianceData.from_graph(graph, history, TICKERS, spots={"A": double, "B": "C_SPOT", "Z": "nowhere"})
    live = [graph["DOUBLE"].value, graph["C_SPOT"].value, graph["C_SPOT"].value]
    assert_same(data, CovarianceData.from_prices(np.vstack([closes, live]), TICKERS))


def test_a_what_if_is_seen(market):
    graph, history, closes = market
    with graph.scenario({"A_SPOT": 150.0}):
        asked = CovarianceData.from_graph(graph, history, TICKERS)
    assert asked.returns[-1, 0] == 150.0 / closes[-1, 0] - 1.0
    live = CovarianceData.from_graph(graph, history, TICKERS)
    assert live.returns[-1, 0] == pytest.approx(0.002, rel=1e-12)
    graph["A_SPOT"].set_price(150.0)
    assert_same(CovarianceData.from_graph(graph, history, TICKERS), asked)


def test_it_is_taken_once_and_does_not_follow(market):
    graph, history, _ = market
    data = CovarianceData.from_graph(graph, history, TICKERS)
    kept = data.returns.tolist()
    graph["A_SPOT"].set_price(1.0)
    history.load("A", bars("A", [1.0, 2.0]))
    assert data.returns.tolist() == kept


def test_what_a_wild_tick_does_is_seen_in_the_variance(market):
    graph, history, _ = market
    calm = CovarianceData.from_graph(graph, history, TICKERS).volatilities
    graph["B_SPOT"].set_price(2.0 * graph["B_SPOT"].value)
    wild = CovarianceData.from_graph(graph, history, TICKERS).volatilities
    assert wild[1] > 3.0 * calm[1]
    assert wild[[0, 2]].tolist() == calm[[0, 2]].tolist()


# --- invalid input ------------------------------------------------------------------------------------


def test_a_price_that_is_not_in_the_graph(market):
    graph, history, closes = market
    history.load("Z", bars("Z", closes[:, 0]))
    with pytest.raises(UnknownNodeError, match="Z_SPOT"):
        CovarianceData.from_graph(graph, history, ["A", "Z"])
    with pytest.raises(UnknownNodeError, match="NO_SUCH"):
        CovarianceData.from_graph(graph, history, ["A"], spots={"A": "NO_SUCH"})


def test_a_price_of_another_graph(market):
    graph, history, _ = market
    stranger = DependencyGraph().register(MarketData("A_SPOT", 100.0))
    with pytest.raises(GraphError, match="A_SPOT"):
        CovarianceData.from_graph(graph, history, ["A"], spots={"A": stranger})


def test_a_ticker_without_a_history(market):
    graph, history, _ = market
    graph.register(MarketData("Z_SPOT", 1.0))
    with pytest.raises(UnknownTickerError, match="no ticker 'Z'"):
        CovarianceData.from_graph(graph, history, ["A", "Z"])


def test_a_price_that_is_not_quoted_yet(market):
    graph, history, closes = market
    graph.register(MarketData("Z_SPOT"))
    history.load("Z", bars("Z", closes[:, 0]))
    with pytest.raises(CalibrationError, match=r"^Z has 0\.0 in row 60"):
        CovarianceData.from_graph(graph, history, ["A", "Z"])


def test_a_price_that_failed_says_why(market):
    graph, history, _ = market

    def broken(price):
        raise ZeroDivisionError("no such quote")

    graph.derive("BROKEN", broken, ["A_SPOT"])
    with pytest.raises(ZeroDivisionError, match="no such quote"):
        CovarianceData.from_graph(graph, history, ["A"], spots={"A": "BROKEN"})


@pytest.mark.parametrize(
    ("tickers", "said"),
    [
        ([], "there are no assets"),
        ("A", "tickers='A' is a string; give a list"),
        (["A", "B", "A"], "the ticker A occurs twice"),
    ],
)
def test_names_that_are_no_list_of_assets(market, tickers, said):
    graph, history, _ = market
    with pytest.raises(CalibrationError, match=said):
        CovarianceData.from_graph(graph, history, tickers)


def test_a_past_that_is_too_short(market):
    graph, history, closes = market
    for ticker in TICKERS:
        history.load(ticker, bars(ticker, [100.0]))
    with pytest.raises(CalibrationError, match="1 rows of returns; give at least two"):
        CovarianceData.from_graph(graph, history, TICKERS)
    for ticker, column in zip(TICKERS, closes.T, strict=True):
        history.load(ticker, bars(ticker, column[:3]))
    with pytest.raises(CalibrationError, match="3 rows of returns for 3 assets: the sample covariance is singular"):
        CovarianceData.from_graph(graph, history, TICKERS)
    assert CovarianceData.from_graph(graph, history, TICKERS, estimator="ledoit_wolf").returns.shape == (3, 3)


def test_days_that_none_have_in_common(market):
    graph, history, closes = market
    history.load("B", bars("B", closes[:, 1], first=10_000))
    with pytest.raises(CalibrationError, match="0 rows of returns"):
        CovarianceData.from_graph(graph, history, TICKERS)


def test_an_asset_that_never_moves(market):
    graph, history, _ = market
    history.load("C", bars("C", [100.0] * 60))
    graph["C_SPOT"].set_price(100.0)
    with pytest.raises(CalibrationError, match="the returns of C are constant"):
        CovarianceData.from_graph(graph, history, TICKERS)
    graph["C_SPOT"].set_price(101.0)
    assert CovarianceData.from_graph(graph, history, TICKERS).returns[-1, 2] == pytest.approx(0.01)


def test_an_estimator_that_there_is_not(market):
    graph, history, _ = market
    with pytest.raises(CalibrationError, match="magic"):
        CovarianceData.from_graph(graph, history, TICKERS, estimator="magic")
