"""Tails of series and of tickers as nodes: the figures of the estimators, when the policy says so."""

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, Domain, Leaf, OnRead
from bank_python.errors import CalibrationError, UnknownTickerError
from bank_python.market_data import Bar, MarketData, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.taleb import reactive
from bank_python.taleb.reactive import ReactiveTails, tail_node
from bank_python.taleb.tail_reading import tail_reading


def closes(count=400, seed=2):
    return 100.0 * np.cumprod(1.0 + 0.01 * np.random.default_rng(seed).standard_t(4, count))


def table(prices):
    import datetime as dt

    first = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    bars = tuple(Bar(first + dt.timedelta(days=i), None, None, None, float(p), None) for i, p in enumerate(prices))
    history = PriceHistoryTable()
    history.load("A", PriceHistory("A", "test", bars))
    return history


def built(prices, **options):
    graph = DependencyGraph()
    graph.register(MarketData("A_SPOT", float(prices[-1])))
    history = table(prices)
    return graph, history, ReactiveTails(graph, history, "A", **options)


def test_the_return_to_the_present_price_is_the_last_of_the_series():
    prices = closes()
    graph, _, tails = built(prices)
    graph["A_SPOT"].set_price(0.9 * prices[-1])
    returns = np.append(np.diff(prices) / prices[:-1], 0.9 - 1.0)
    reading = tails.reading.value
    assert reading.n_observations == 400
    assert reading.left.alpha == pytest.approx(tail_reading(returns).left.alpha, rel=1e-12)


def test_on_read_a_recalculation_evaluates_nothing(monkeypatch):
    calls = []
    monkeypatch.setattr(reactive, "tail_reading", lambda series: calls.append(len(series)) or tail_reading(series))
    graph, _, tails = built(closes(), policy=OnRead())
    calls.clear()
    for i in range(20):
        graph["A_SPOT"].set_price(100.0 + i)
        graph.recalculate()
    assert calls == []
    tails.reading.value  # noqa: B018 - the read is what is tested
    assert calls == [400]


def test_a_longer_history_is_followed_and_removal_removes_all():
    prices = closes()
    graph, history, tails = built(prices)
    assert not tails.follow_history()
    longer = table(np.append(prices, 101.0))
    history.load(
        "A",
        PriceHistory("A", "test", tuple(Bar(r["date"], None, None, None, r["close"], None) for r in longer.query("A"))),
    )
    assert tails.follow_history()
    assert tails.reading.value.n_observations == 401
    tails.remove()
    assert [node for node in graph.nodes if "TAILS" in str(node)] == []


def test_bad_histories_are_refused_before_anything_is_added():
    graph = DependencyGraph()
    graph.register(MarketData("A_SPOT", 100.0))
    with pytest.raises(UnknownTickerError):
        ReactiveTails(graph, PriceHistoryTable(), "A")
    with pytest.raises(CalibrationError, match="all 20 values are 0"):
        ReactiveTails(graph, table([100.0] * 20), "A")
    assert len(graph) == 1


def test_the_tails_of_any_node_with_a_series():
    graph = DependencyGraph()
    pnl = graph.register(Leaf("PNL", np.random.default_rng(1).standard_t(3, 500), Domain.ANY))
    node = tail_node(graph, "PNL")
    assert (node.name, node.value) == ("PNL:TAILS", tail_reading(pnl.value))
    pnl.set(np.array([1.0, np.nan, 2.0]))
    assert "row 1 is nan" in str(node.error)
