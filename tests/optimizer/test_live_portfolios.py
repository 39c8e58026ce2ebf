"""Live portfolios in hard cases: barbells, rollbacks, currencies, names, narrow screens."""

import math
import threading
from contextlib import suppress

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, LargeNode, Leaf, Moved
from bank_python.errors import CalibrationError, DuplicateNodeError, GraphError
from bank_python.instruments import Book, Equity, FXRate, Position
from bank_python.market_data import MarketData
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.cvar_frontier import cvar_frontier
from bank_python.optimizer.drift import BookDrift
from bank_python.optimizer.frontier import EfficientFrontier
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.optimizer.reactive import ReactivePortfolio
from tests.optimizer.test_drift import HALVES, Desk, two
from tests.optimizer.test_reactive import TICKERS, World, assert_same
from tests.optimizer.test_render_portfolio import line_of, many, pair, rows_of, seen, three


@pytest.fixture
def world():
    return World()


# --- reactive ----------------------------------------------------------------------------------------


def test_a_barbell_has_its_own_weights_and_a_safe_one(world):
    optimal = world.reactive("barbell", risk_free_rate=0.03)
    weights = optimal.portfolio.by_ticker()
    assert list(weights) == ["SAFE", *TICKERS]
    assert {name: optimal.weight(name).value for name in weights} == weights


def test_new_bars_are_a_move(world):
    optimal = world.reactive(policy=Moved(1e9))
    before = optimal.portfolio
    world.load_another_past()
    assert optimal.follow_history()
    assert_same(optimal.portfolio, world.anew())
    assert optimal.portfolio.weights[0] < before.weights[0]


def test_a_what_if_does_not_see_bars_that_came_after_it(world):
    optimal = world.reactive()
    with world.graph.scenario({"A_SPOT": 1.01 * world.spot("A").value}):
        expected = optimal.portfolio.weights.tolist()
    with world.graph.scenario({}):
        world.load_another_past()
        other = threading.Thread(target=optimal.follow_history)
        other.start()
        other.join()
        with world.graph.scenario({"A_SPOT": 1.01 * world.spot("A").value}):
            assert optimal.portfolio.weights.tolist() == expected


def test_new_bars_in_a_batch_that_fails_are_undone(world):
    optimal = world.reactive()
    before = optimal.portfolio.weights.tolist()
    with suppress(KeyError), world.graph.batch():
        world.load_another_past()
        assert optimal.follow_history()
        raise KeyError
    assert optimal.portfolio.weights.tolist() == before
    assert optimal.follow_history()
    assert_same(optimal.portfolio, world.anew())


def test_what_cannot_leave_is_left_whole(world):
    optimal = world.reactive()
    world.graph.recalculate()
    world.graph.derive("ABOVE", lambda portfolio: portfolio.volatility, [optimal.node])
    before = world.names
    with pytest.raises(GraphError, match="ABOVE"):
        optimal.remove()
    assert world.names == before
    world.spot("A").set_price(150.0)
    assert optimal.weight("A").value == world.anew().weights[0]
    world.graph.unregister("ABOVE")
    optimal.remove()
    assert not any(name.startswith("OPTIMAL") for name in world.names)


def test_a_name_that_is_taken_leaves_nothing_behind(world):
    world.graph.register(Leaf("OPTIMAL:WEIGHT:C", 1.0))
    before = world.names
    with pytest.raises(DuplicateNodeError, match="OPTIMAL:WEIGHT:C"):
        world.reactive()
    assert world.names == before


@pytest.mark.parametrize(
    ("tickers", "said"), [("A", "tickers='A' is a string; give a list"), (["A", "A"], "the ticker A occurs twice")]
)
def test_names_that_are_no_list_of_assets(world, tickers, said):
    with pytest.raises(CalibrationError, match=said):
        ReactivePortfolio(world.graph, world.history, tickers, "min_variance")


# --- drift -------------------------------------------------------------------------------------------


def two_currencies(rate=2.0):
    graph = DependencyGraph()
    spots = {ticker: graph.register(MarketData(f"{ticker}_SPOT", 100.0)) for ticker in "AB"}
    euro = graph.register(MarketData("EURUSD_SPOT", rate))
    graph.register(FXRate("EURUSD", rate_source=euro, base="EUR", quote="USD"))
    held = [
        Position("PA", instrument=Equity("A", spot_source=spots["A"]), quantity=50.0),
        Position("PB", instrument=Equity("B", spot_source=spots["B"], currency="EUR"), quantity=50.0),
    ]
    return graph, graph.register(Book("Alice", held)), spots, euro


def test_values_of_several_currencies_are_converted():
    graph, book, spots, euro = two_currencies()
    drift = BookDrift(graph, book, spots, {"A": 1 / 3, "B": 2 / 3})
    assert drift.drifts() == pytest.approx({"A": 0.0, "B": 0.0}, abs=1e-15)
    assert drift.node.value == pytest.approx(0.0, abs=1e-15)
    euro.set_price(4.0)
    assert drift.node.value == pytest.approx(1 / 3 - 1 / 5)
    assert drift.drifts() == pytest.approx({"A": 1 / 5 - 1 / 3, "B": 1 / 3 - 1 / 5})


def test_a_batch_that_fails_leaves_the_drift_as_it_was():
    desk = Desk({"A": 100.0, "B": 100.0}, {"A": 50.0})
    drift = desk.drift(HALVES)
    assert drift.node.value == 0.5
    with suppress(KeyError), desk.graph.batch():
        desk.book.add(desk.position("B", 50.0))
        assert drift.follow_book()
        raise KeyError
    assert desk.graph["Alice:DRIFT"] is drift.node
    desk.spots["A"].set_price(101.0)
    assert (drift.node.value, drift.follow_book()) == (0.5, False)
    assert drift.drifts() == {"A": 0.5, "B": -0.5}


def test_prices_may_be_named():
    desk = two()
    assert BookDrift(desk.graph, desk.book, {"A": "A_SPOT", "B": "B_SPOT"}, HALVES).node.value == 0.0


# --- views -------------------------------------------------------------------------------------------


def test_a_frontier_without_an_end():
    text = seen(EfficientFrontier(three(), bounds=(-math.inf, math.inf), risk_free_rate=0.02))
    assert len(rows_of(text)) == 9
    assert "★ max Sharpe" in " ".join(text.split())


def test_cash_above_the_rate_has_no_best_ratio():
    text = seen(EfficientFrontier(three().with_cash(0.02)))
    assert "★" not in text
    assert rows_of(text)[0] == ["2.0%", "0.0%", "—", "CASH 100%"]


def test_the_confidence_of_a_shortfall_is_not_rounded():
    assert "CVaR 97.5%" in seen(cvar_frontier(many(3, rows=500), count=2, confidence=0.975))


def test_the_largest_short_weights_are_shown():
    weights = np.full(500, 1.5 / 499)
    weights[-1] = -0.5
    text = seen(portfolio_of(many(500), "by hand", weights))
    assert line_of(text, "T499").startswith("T499 -50.0%")
    assert line_of(text, "480 more") == "480 more held"


def test_names_of_figures_are_not_markup():
    text = seen(portfolio_of(pair(), "by hand", [0.5, 0.5], figures={"[red]cvar": 1.0, "risk_aversion": math.inf}))
    assert line_of(text, "[red]cvar:") == "[red]cvar: 1.0000"
    assert line_of(text, "risk aversion:") == "risk aversion: —"


@pytest.mark.parametrize("width", [50, 100])
def test_figures_are_never_cut(width):
    data = CovarianceData(tickers=["X" * 60, "Y"], covariance=np.diag([0.04, 0.09]))
    proof = Certificate(kkt_residual=0.0, duality_gap=0.0)
    text = seen(portfolio_of(data, "by hand", [0.5, 0.5], proof), width)
    assert line_of(text, "Y").startswith("Y 50.0% 69.2%")
    assert all(word in text for word in ("Weight", "Risk", "share"))  # a heading may break, at its blanks


# --- the graph ---------------------------------------------------------------------------------------


def test_a_large_node_is_counted_as_one():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    graph.register(LargeNode("N", lambda x: np.full(3, x), [leaf]))
    graph.recalculate()
    leaf.set(2.0)
    assert graph.recalculate().by_class == {"LargeNode": 1}


def test_a_leaf_of_many_numbers_is_shown_in_short():
    assert repr(Leaf("L", np.ones((80, 4)), "any")) == "Leaf('L', domain='any') = 320 numbers"
