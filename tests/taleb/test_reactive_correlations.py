"""Fragility to correlations as a node: the figures of the analyzer at present prices, when it is read."""

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph
from bank_python.errors import CalibrationError
from bank_python.market_data import MarketData, SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.taleb import reactive_correlations
from bank_python.taleb.correlation_fragility import CorrelationFragilityAnalyzer
from bank_python.taleb.reactive_correlations import ReactiveCorrelations

TICKERS = ["AAPL", "MSFT", "GLD"]


@pytest.fixture
def market():
    graph, history, feed = DependencyGraph(), PriceHistoryTable(), SimulatedFeed(seed=3)
    for ticker in TICKERS:
        bars = feed.history(ticker, "1y")
        history.load(ticker, bars)
        graph.register(MarketData(f"{ticker}_SPOT", bars.bars[-1].close))
    return graph, history


def test_the_figures_are_those_of_the_analyzer_with_the_present_prices_as_the_last_closes(market):
    graph, history = market
    node = ReactiveCorrelations(graph, history, TICKERS, bootstrap=0, risk_aversion=4.0).fragility
    graph["AAPL_SPOT"].set_price(0.9 * graph["AAPL_SPOT"].value)
    prices = np.vstack([history.panel(TICKERS).closes, [graph[f"{name}_SPOT"].value for name in TICKERS]])
    data = CovarianceData.from_prices(prices, TICKERS)
    expected = CorrelationFragilityAnalyzer(data, risk_aversion=4.0).analyze(bootstrap=0)
    np.testing.assert_array_equal(node.value.perturbed_weights, expected.perturbed_weights)
    assert (node.value.p_value, node.value.weight_sensitivity) == (expected.p_value, expected.weight_sensitivity)


def test_ticks_evaluate_nothing_until_it_is_read(market, monkeypatch):
    made = []

    class Counted(CorrelationFragilityAnalyzer):
        def analyze(self, *arguments, **options):
            made.append(1)
            return super().analyze(*arguments, **options)

    monkeypatch.setattr(reactive_correlations, "CorrelationFragilityAnalyzer", Counted)
    graph, history = market
    correlations = ReactiveCorrelations(graph, history, TICKERS, bootstrap=0)
    for i in range(10):
        graph["GLD_SPOT"].set_price(200.0 + i)
        graph.recalculate()
    assert made == []
    assert correlations.fragility.value is correlations.fragility.value
    assert made == [1]


def test_a_history_is_followed_and_removal_removes_all(market):
    graph, history = market
    correlations = ReactiveCorrelations(graph, history, TICKERS)
    assert not correlations.follow_history()
    history.load("GLD", SimulatedFeed(seed=4).history("GLD", "1y"))
    assert correlations.follow_history()
    correlations.remove()
    assert len(graph) == 3


def test_one_asset_or_a_short_history_is_refused_before_anything_is_added(market):
    graph, history = market
    with pytest.raises(CalibrationError, match="1 ticker"):
        ReactiveCorrelations(graph, history, ["AAPL", "AAPL"])
    history.load("GLD", SimulatedFeed(seed=3).history("GLD", "1d"))
    with pytest.raises(CalibrationError):
        ReactiveCorrelations(graph, history, TICKERS)
    assert len(graph) == 3
