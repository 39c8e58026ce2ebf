"""Volatility forecasts as nodes: the same figures as the functions, fitted once, live with the price."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, Every
from bank_python.errors import CalibrationError, GraphError, ModelError, UnknownNodeError, UnknownTickerError
from bank_python.market_data import MarketData, SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.risk import ReactiveVolatility
from bank_python.risk_models import ewma_variance, fit_garch


@pytest.fixture
def market():
    graph, history = DependencyGraph(), PriceHistoryTable()
    bars = SimulatedFeed(seed=3).history("SPY", "2y")
    history.load("SPY", bars)
    return graph, history, graph.register(MarketData("SPY_SPOT", bars.bars[-1].close))


def test_the_forecast_is_that_of_the_fit_after_one_more_return(market):
    graph, history, spot = market
    volatility = ReactiveVolatility(graph, history, "SPY", "gjr", horizon=5, periods_per_year=252.0)
    fit = fit_garch(np.diff(np.log(history.closes("SPY"))), "gjr")
    for price in (580.0, 540.0, 600.0):
        spot.set_price(price)
        latest = math.log(price / history.closes("SPY")[-1])
        expected = fit.forecast_volatility(5, periods_per_year=252.0, latest=latest)
        assert volatility.forecast.value == pytest.approx(expected, rel=1e-12)


def test_a_tick_renews_the_forecast_and_not_the_fit(market):
    graph, history, spot = market
    volatility = ReactiveVolatility(graph, history, "SPY")
    fitted = volatility.fit.value
    for price in (580.0, 590.0):
        spot.set_price(price)
        assert graph.recalculate().evaluated == 1
    assert volatility.fit.value is fitted


@pytest.mark.parametrize("model", ["garch", "egarch", "ewma", "har", "realised"])
def test_a_fall_raises_every_forecast_in_a_scenario_and_leaves_the_present_alone(market, model):
    graph, history, spot = market
    volatility = ReactiveVolatility(graph, history, "SPY", model)
    now = volatility.forecast.value
    assert 0.05 < now < 0.6
    with graph.scenario({spot: 0.9 * spot.value}):
        assert volatility.forecast.value > 1.1 * now
    assert volatility.forecast.value == now


def test_the_ewma_knows_the_present_price(market):
    graph, history, spot = market
    volatility = ReactiveVolatility(graph, history, "SPY", "ewma", periods_per_year=252.0)
    spot.set_price(550.0)
    returns = np.diff(np.log(np.append(history.closes("SPY"), 550.0)))
    assert volatility.forecast.value == pytest.approx(math.sqrt(252.0 * ewma_variance(returns)[-1]), rel=1e-12)


def test_steps_per_year_are_counted_in_the_history(market):
    graph, history, _ = market
    assert ReactiveVolatility(graph, history, "SPY").periods_per_year == pytest.approx(261.0, abs=1.5)
    graph.register(MarketData("BTC_SPOT", 68_000.0))
    history.load("BTC", SimulatedFeed(seed=3).history("BTC", "2y"))
    own = ReactiveVolatility(graph, history, "BTC", periods_per_year=365.0)
    assert own.periods_per_year == 365.0


def test_a_policy_throttles_the_forecast(market):
    graph, history, spot = market
    volatility = ReactiveVolatility(graph, history, "SPY", policy=Every(3600.0))
    before = volatility.forecast.value
    spot.set_price(500.0)
    graph.recalculate()
    assert volatility.forecast.value == before


def test_new_closes_renew_the_fit(market):
    graph, history, _ = market
    volatility = ReactiveVolatility(graph, history, "SPY")
    before = volatility.fit.value
    assert not volatility.follow_history()
    history.load("SPY", SimulatedFeed(seed=4).history("SPY", "2y"))
    assert volatility.follow_history()
    assert volatility.fit.value is not before


def test_removal_leaves_the_graph_as_it_was_or_is_refused(market):
    graph, history, _ = market
    names = set(graph.nodes)
    volatility = ReactiveVolatility(graph, history, "SPY")
    dependent = graph.derive("DOUBLE", lambda v: 2.0 * v, [volatility.forecast])
    with pytest.raises(GraphError, match="DOUBLE"):
        volatility.remove()
    graph.unregister(dependent)
    volatility.remove()
    assert set(graph.nodes) == names


def test_what_cannot_be_forecast_is_refused_and_adds_nothing(market):
    graph, history, spot = market
    count = len(graph)
    with pytest.raises(CalibrationError, match="did you mean 'garch'"):
        ReactiveVolatility(graph, history, "SPY", "grch")
    with pytest.raises(UnknownTickerError):
        ReactiveVolatility(graph, history, "QQQ", spot=spot)
    with pytest.raises(UnknownNodeError):
        ReactiveVolatility(graph, history, "SPY", spot="SPY_PRICE")
    with pytest.raises(ModelError, match="horizon=0"):
        ReactiveVolatility(graph, history, "SPY", horizon=0)
    with pytest.raises(ModelError, match="horizon=0"):
        ReactiveVolatility(graph, history, "SPY", "ewma", horizon=0)
    with pytest.raises(ModelError, match="periods_per_year"):
        ReactiveVolatility(graph, history, "SPY", periods_per_year=-1.0)
    history.load("SPY", SimulatedFeed(seed=3).history("SPY", "1mo"))
    with pytest.raises(CalibrationError, match="too few"):
        ReactiveVolatility(graph, history, "SPY")
    assert len(graph) == count
