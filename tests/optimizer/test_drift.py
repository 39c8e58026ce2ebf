"""Drift of a book from its targets: by hand, after trades, under a limit, and with a target that moves."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import DuplicateNodeError, ModelError, RiskError, UpstreamError
from bank_python.instruments import Book, Equity, Option, Position
from bank_python.market_data import MarketData
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.drift import BookDrift
from bank_python.optimizer.factory import create_optimizer
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.optimizer.reactive import ReactivePortfolio
from bank_python.risk.alerts import AlertBook, AlertState, Severity
from bank_python.risk.limits import Limit, LimitBoard

START = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)


class Desk:
    """Assets at given prices, and a book with a number of shares of each."""

    def __init__(self, prices, shares, name="Alice"):
        self.graph = DependencyGraph()
        self.spots = {
            ticker: self.graph.register(MarketData(f"{ticker}_SPOT", price)) for ticker, price in prices.items()
        }
        self.assets = {ticker: Equity(ticker, spot_source=spot) for ticker, spot in self.spots.items()}
        held = [self.position(ticker, quantity) for ticker, quantity in shares.items()]
        self.book = self.graph.register(Book(name, held))

    def position(self, ticker, quantity, name=None):
        return Position(name or f"{ticker}_HELD", instrument=self.assets[ticker], quantity=quantity)

    def drift(self, target, tickers=None):
        spots = {ticker: self.spots[ticker] for ticker in tickers or self.spots}
        return BookDrift(self.graph, self.book, spots, target)


def two(a=50.0, b=50.0):
    return Desk({"A": 100.0, "B": 100.0}, {"A": a, "B": b})


HALVES = {"A": 0.5, "B": 0.5}

# --- by hand -----------------------------------------------------------------------------------------


def test_by_hand():
    desk = Desk({"A": 100.0, "B": 50.0, "C": 20.0}, {"A": 30.0, "B": 20.0, "C": 50.0})  # 3,000, 1,000, 1,000
    drift = desk.drift({"A": 0.5, "B": 0.25, "C": 0.25})
    assert drift.drifts() == pytest.approx({"A": 0.1, "B": -0.05, "C": -0.05}, abs=1e-15)
    assert drift.node.value == pytest.approx(0.1, abs=1e-15)
    assert drift.contributor() == "A +10.0%"
    desk.spots["A"].set_price(20.0)  # 600 of 2,600
    assert drift.drifts() == pytest.approx({"A": 6 / 26 - 0.5, "B": 10 / 26 - 0.25, "C": 10 / 26 - 0.25}, abs=1e-15)
    assert drift.node.value == pytest.approx(0.5 - 6 / 26, abs=1e-15)
    assert drift.contributor() == "A -26.9%"


def test_on_target_there_is_none():
    drift = two().drift(HALVES)
    assert (drift.node.value, drift.drifts()) == (0.0, {"A": 0.0, "B": 0.0})


def test_a_target_may_be_a_portfolio():
    data = CovarianceData(tickers=["B", "A"], covariance=[[0.04, 0.0], [0.0, 0.09]])
    drift = two().drift(portfolio_of(data, "by hand", [0.7, 0.3]))
    assert drift.drifts() == pytest.approx({"B": -0.2, "A": 0.2}, abs=1e-15)


def test_an_asset_may_be_short():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 150.0, "B": -50.0})
    drift = desk.drift({"A": 1.3, "B": -0.3})
    assert drift.drifts() == pytest.approx({"A": 0.2, "B": -0.2}, abs=1e-15)


def test_several_positions_in_an_asset_are_one():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 20.0, "B": 50.0})
    desk.book.add(desk.position("A", 40.0, "A_MORE"))
    desk.book.add(desk.position("A", -10.0, "A_HEDGE"))
    assert desk.drift(HALVES).drifts() == {"A": 0.0, "B": 0.0}


def test_what_is_held_without_a_target_has_one_of_nothing():
    desk = Desk({"A": 100.0, "B": 100.0, "C": 100.0}, {"A": 25.0, "B": 25.0, "C": 50.0})
    drift = desk.drift(HALVES)
    assert drift.drifts() == {"A": -0.25, "B": -0.25, "C": 0.5}
    assert drift.contributor() == "C +50.0%"


def test_a_target_that_is_not_held_is_missing():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 10.0})
    assert desk.drift({"A": 0.6, "B": 0.4}).drifts() == pytest.approx({"A": 0.4, "B": -0.4}, abs=1e-15)


def test_what_else_the_book_holds_is_left_out():
    desk = Desk({"A": 100.0, "B": 100.0, "OTHER": 70.0}, {"A": 50.0, "B": 50.0, "OTHER": 1_000.0})
    vol, rate = (desk.graph.register(MarketData(name, value)) for name, value in (("VOL", 0.2), ("RATE", 0.03)))
    call = Option("A_CALL", spot_source=desk.spots["A"], strike=100.0, expiry=1.0, vol_source=vol, rate_source=rate)
    desk.book.add(Position("CALLS", instrument=call, quantity=500.0))
    desk.book.add(Position("PRIVATE_HELD", instrument=Equity("PRIVATE", spot_source=9.0), quantity=1e6))
    drift = desk.drift(HALVES, ["A", "B"])
    assert drift.drifts() == {"A": 0.0, "B": 0.0}
    assert drift.node.underliers == desk.book.positions[:2]
    assert drift.node.value == 0.0
    desk.spots["OTHER"].set_price(10_000.0)
    assert drift.node.value == 0.0
    assert desk.graph.recalculate().failed == 0


@settings(max_examples=60, deadline=None)
@given(
    prices=st.lists(st.floats(0.5, 500.0), min_size=3, max_size=3),
    shares=st.lists(st.floats(0.0, 1e4), min_size=3, max_size=3),
    targets=st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3),
    scale=st.floats(0.01, 100.0),
)
def test_it_is_weight_less_target_whatever_the_size(prices, shares, targets, scale):
    shares[0] += 1.0
    names = ("A", "B", "C")
    target = dict(zip(names, targets, strict=True))
    values = np.multiply(prices, shares)
    expected = values / values.sum() - targets
    for factor in (1.0, scale):
        held = dict(zip(names, (factor * share for share in shares), strict=True))
        drift = Desk(dict(zip(names, prices, strict=True)), held).drift(target)
        assert list(drift.drifts().values()) == pytest.approx(expected.tolist(), abs=1e-12)
        assert drift.node.value == pytest.approx(np.abs(expected).max(), abs=1e-12)
        assert drift.node.value == max(abs(off) for off in drift.drifts().values())


# --- updates ------------------------------------------------------------------------------------------


def test_it_follows_prices():
    desk = two()
    drift = desk.drift(HALVES)
    assert drift.node.value == 0.0
    desk.spots["B"].set_price(300.0)
    assert (drift.node.value, drift.contributor()) == (0.25, "A -25.0%")
    with desk.graph.scenario({"B_SPOT": 100.0, "A_SPOT": 900.0}):
        assert (drift.node.value, drift.contributor()) == (pytest.approx(0.4), "A +40.0%")
    assert drift.node.value == 0.25


def test_it_follows_trades_in_what_is_held():
    desk = two()
    drift = desk.drift(HALVES)
    assert drift.node.value == 0.0
    position = desk.book.positions[0]
    position.trade(100.0, 100.0)
    assert (drift.node.value, drift.follow_book()) == (0.25, False)
    position.trade(-150.0, 100.0)  # sold out
    assert drift.drifts() == {"A": -0.5, "B": 0.5}


def test_follow_book_includes_a_new_position():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 50.0})
    drift = desk.drift(HALVES)
    above = desk.graph.derive("ABOVE", lambda off: 10.0 * off, [drift.node])
    assert (drift.node.value, above.value) == (0.5, 5.0)
    old = drift.node
    desk.book.add(desk.position("B", 50.0))
    assert drift.node.value == 0.5
    assert drift.follow_book() is True
    assert (drift.node.value, above.value, drift.drifts()) == (0.0, 0.0, {"A": 0.0, "B": 0.0})
    assert desk.graph["Alice:DRIFT"] is drift.node
    assert (old.graph, drift.follow_book()) == (None, False)
    desk.spots["B"].set_price(300.0)
    assert (drift.node.value, above.value) == (0.25, 2.5)


def test_a_new_position_in_something_else_is_nothing():
    desk = Desk({"A": 100.0, "B": 100.0, "OTHER": 70.0}, {"A": 50.0, "B": 50.0})
    drift = desk.drift(HALVES, ["A", "B"])
    node = drift.node
    desk.book.add(desk.position("OTHER", 50.0))
    assert (drift.follow_book(), drift.node is node, drift.node.value) == (False, True, 0.0)


def test_it_follows_a_target_that_moves():
    desk = two()
    weight = desk.graph.register(MarketData("WEIGHT", 0.5))
    target = desk.graph.derive("TARGET", lambda share: {"A": share, "B": 1.0 - share}, [weight])
    drift = desk.drift(target)
    assert drift.node.value == 0.0
    weight.set_price(0.2)
    assert drift.node.value == pytest.approx(0.3)
    assert drift.drifts() == pytest.approx({"A": 0.3, "B": -0.3})
    desk.book.add(desk.position("A", 50.0, "A_MORE"))
    assert drift.follow_book()
    assert drift.node.value == pytest.approx(2 / 3 - 0.2)
    assert drift.node.underliers[0] is target


def test_a_tick_is_one_evaluation():
    desk = two()
    drift = desk.drift(HALVES)
    desk.graph.recalculate()
    with desk.graph.batch():
        desk.spots["A"].set_price(130.0)
        desk.spots["B"].set_price(120.0)
    assert desk.graph.recalculate().by_class["DerivedNode"] == 1
    assert drift.node.value == pytest.approx(130 / 250 - 0.5)


def test_its_inputs_are_named():
    desk = two()
    drift = desk.drift(HALVES)
    desk.graph.recalculate()
    desk.spots["A"].set_price(300.0)
    said = str(desk.graph.explain(drift.node))
    assert "Alice:DRIFT = 0.0 → 0.25" in said
    assert "A_SPOT = 100.0 → 300.0" in said


# --- nothing to compare ------------------------------------------------------------------------------


def test_a_book_without_the_assets_fails_and_recovers():
    desk = Desk({"A": 100.0, "B": 100.0, "OTHER": 70.0}, {"OTHER": 10.0})
    drift = desk.drift(HALVES, ["A", "B"])
    assert isinstance(drift.node.error, RiskError)
    with pytest.raises(
        RiskError, match=r"the positions of Alice in A, B are worth 0\.00; weights require a total above 0"
    ) as refused:
        drift.drifts()
    assert (refused.value.name, refused.value.value) == ("Alice", 0.0)
    with pytest.raises(RiskError, match="weights require a total above 0"):
        drift.contributor()
    desk.book.add(desk.position("A", 10.0))
    assert drift.follow_book()
    assert drift.node.value == 0.5


@pytest.mark.parametrize("shares", [(0.0, 0.0), (50.0, -50.0), (10.0, -60.0)])
def test_holdings_of_nothing_or_less_have_no_weights(shares):
    desk = two(*shares)
    drift = desk.drift(HALVES)
    assert isinstance(drift.node.error, RiskError)
    assert f"the positions of Alice in A, B are worth {100.0 * sum(shares):,.2f}" in str(drift.node.error)
    desk.book.positions[0].trade(100.0, 100.0)
    assert drift.node.error is None


def test_a_book_sold_out_in_a_what_if_fails_there_alone():
    desk = two(50.0, -40.0)
    drift = desk.drift(HALVES)
    live = drift.node.value
    with desk.graph.scenario({"A_SPOT": 10.0}):
        assert isinstance(drift.node.error, RiskError)
    assert drift.node.value == live


def test_one_drift_a_book():
    desk = two()
    drift = desk.drift(HALVES)
    with pytest.raises(DuplicateNodeError, match="Alice:DRIFT"):
        desk.drift({"A": 1.0})
    drift.remove()
    assert "Alice:DRIFT" not in {node.name for node in desk.graph}
    assert desk.drift({"A": 1.0}).node.value == 0.5


# --- under a limit -----------------------------------------------------------------------------------


def watched(desk, drift, maximum=0.05):
    alerts = AlertBook(BarbaraDB.open("desk", path=":memory:"))
    board = LimitBoard(desk.graph, alerts)
    reading = board.watch(Limit("Drift", "Alice", maximum=maximum), drift.node, drift.contributor)
    return board, reading, alerts


def test_a_limit_on_it_opens_and_closes_an_alert():
    desk = Desk(dict.fromkeys("ABC", 100.0), {"A": 50.0, "B": 25.0, "C": 25.0})
    board, reading, alerts = watched(desk, desk.drift({"A": 0.5, "B": 0.25, "C": 0.25}))
    assert (board.check(), reading.value.used) == ((), 0.0)
    desk.spots["A"].set_price(130.0)  # 130 of 230
    (opened,) = board.check()
    assert (opened.state, opened.severity) == (AlertState.OPEN, Severity.CRITICAL)
    assert opened.value == pytest.approx(130 / 230 - 0.5)
    assert opened.contributor == "A +6.5%"
    assert opened.message == "Drift of Alice is 0.0652: 130% of its limit of 0.05"
    assert alerts.open_alert("Drift", "Alice") == opened
    assert board.check() == ()
    desk.spots["A"].set_price(100.0)
    (closed,) = board.check()
    assert (closed.state, closed.resolution) == (AlertState.CLOSED, "back within its limit: 0")
    assert alerts.open_alert("Drift", "Alice") is None


def test_a_trade_back_closes_the_alert_and_the_limit_follows_the_book():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 50.0})
    drift = desk.drift(HALVES)
    board, reading, _ = watched(desk, drift)
    (opened,) = board.check()
    assert (opened.severity, opened.value) == (Severity.CRITICAL, 0.5)
    desk.book.add(desk.position("B", 50.0))
    assert board.check() == ()
    assert drift.follow_book()
    (closed,) = board.check()
    assert (closed.id, closed.state) == (opened.id, AlertState.CLOSED)
    assert reading.value.value == 0.0


def test_a_book_without_the_assets_is_a_blind_limit():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 0.0})
    board, _, _ = watched(desk, desk.drift(HALVES))
    assert (board.check(), [limit.name for limit in board.blind]) == ((), ["Drift"])
    desk.book.positions[0].trade(1.0, 100.0)
    assert (board.blind, len(board.check())) == ((), 1)


# --- with a target that moves -------------------------------------------------------------------------


@pytest.fixture
def followed():
    noise = 0.01 * np.random.default_rng(2).standard_normal((60, 2))
    closes = 100.0 * np.cumprod(1.002 + noise, axis=0)
    desk = Desk(dict(zip("AB", closes[-1].tolist(), strict=True)), {"A": 50.0, "B": 50.0})
    history = PriceHistoryTable()
    for ticker, column in zip("AB", closes.T.tolist(), strict=True):
        days = [START + dt.timedelta(days=i) for i in range(60)]
        made = (Bar(day, None, None, None, close, None) for day, close in zip(days, column, strict=True))
        history.load(ticker, PriceHistory(ticker, "by hand", tuple(made)))
    optimal = ReactivePortfolio(desk.graph, history, ["A", "B"], "max_sharpe", risk_free_rate=0.01)
    return desk, history, optimal


def test_it_follows_an_optimum(followed):
    desk, _, optimal = followed
    drift = optimal.drift(desk.book)
    for price in (None, 130.0, 140.0):
        if price is not None:
            desk.spots["A"].set_price(price)
        prices = np.array([desk.spots[ticker].value for ticker in "AB"])
        off = (
            prices / prices.sum()
            - create_optimizer("max_sharpe", optimal.data(), risk_free_rate=0.01).optimize().weights
        )
        assert drift.drifts() == pytest.approx({"A": off[0], "B": off[1]}, abs=1e-12)
        assert drift.node.value == pytest.approx(np.abs(off).max(), abs=1e-12)
    assert drift.node.underliers[0] is optimal.node


def test_in_a_what_if_both_the_book_and_the_optimum_move(followed):
    desk, _, optimal = followed
    drift = optimal.drift(desk.book)
    live = drift.node.value
    with desk.graph.scenario({"A_SPOT": 140.0}):
        asked, weights = drift.node.value, optimal.portfolio.weights
    assert drift.node.value == live
    held = np.array([140.0, desk.spots["B"].value])
    assert asked == pytest.approx(np.abs(held / held.sum() - weights).max(), abs=1e-12)


def test_where_there_is_no_optimum_there_is_no_drift(followed):
    desk, _, optimal = followed
    drift = optimal.drift(desk.book)
    board, _, _ = watched(desk, drift)
    for ticker in "AB":
        desk.spots[ticker].set_price(10.0)
    assert isinstance(drift.node.error, UpstreamError)
    assert drift.node.error.cause_name == "OPTIMAL:PORTFOLIO"
    assert (board.check(), len(board.blind)) == ((), 1)
    for ticker in "AB":
        desk.spots[ticker].set_price(130.0)
    assert drift.node.error is None
    assert board.blind == ()


def test_it_comes_down_before_the_optimum(followed):
    desk, _, optimal = followed
    before = {node.name for node in desk.graph}
    drift = optimal.drift(desk.book)
    assert {node.name for node in desk.graph} - before == {"Alice:DRIFT"}
    drift.remove()
    optimal.remove()
    assert {node.name for node in desk.graph} == {name for name in before if not name.startswith("OPTIMAL")}


def test_what_the_target_holds_beside_the_assets_is_left_out():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 30.0, "B": 10.0})
    data = CovarianceData(tickers=["SAFE", "A", "B"], covariance=np.eye(3), expected_returns=[0.0, 0.0, 0.0])
    target = portfolio_of(data, "barbell", [0.6, 0.3, 0.1])
    assert desk.drift(target).drifts() == {"A": pytest.approx(0.0), "B": pytest.approx(0.0)}


def test_a_target_that_names_no_asset_is_refused():
    desk = Desk({"A": 100.0}, {"A": 30.0})
    with pytest.raises(ModelError, match="target contains the unknown ticker 'Z'; there are A"):
        BookDrift(desk.graph, desk.book, desk.spots, {"A": 0.5, "Z": 0.5})
