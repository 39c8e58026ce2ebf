"""Regimes as nodes: one more step of Hamilton's filter with every tick."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bank_python.dagger import DependencyGraph
from bank_python.errors import CalibrationError, RiskError, UnknownTickerError
from bank_python.market_data import MarketData, SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.risk import ReactiveRegimes
from bank_python.risk_models import hamilton_filter


@pytest.fixture(scope="module")
def bars():
    return SimulatedFeed(seed=3).history("SPY", "2y")


@pytest.fixture
def market(bars):
    graph, history = DependencyGraph(), PriceHistoryTable()
    history.load("SPY", bars)
    return graph, history, graph.register(MarketData("SPY_SPOT", bars.bars[-1].close))


def test_the_probabilities_are_those_of_the_filter_with_the_present_return(market):
    graph, history, spot = market
    regimes = ReactiveRegimes(graph, history, "SPY")
    fit = regimes.fit.value
    for price in (0.97 * spot.value, 1.03 * spot.value):
        spot.set_price(price)
        returns = np.diff(np.log(np.append(history.closes("SPY"), price)))
        likelihoods = stats.norm.pdf(returns[:, None], fit.means, fit.volatilities)
        expected = hamilton_filter(likelihoods, fit.transition, prior=fit.stationary).filtered[-1]
        assert regimes.probabilities.value == pytest.approx(expected, abs=1e-9)
        assert regimes.turbulence.value == pytest.approx(expected[-1], abs=1e-9)


def test_the_last_regime_is_the_most_turbulent_and_a_crash_is_in_it(market):
    graph, history, spot = market
    regimes = ReactiveRegimes(graph, history, "SPY")
    assert (np.diff(regimes.fit.value.volatilities) > 0.0).all()
    with graph.scenario({spot: 0.01 * spot.value}):
        assert regimes.turbulence.value == pytest.approx(1.0)
    assert regimes.turbulence.value < 1.0


def test_a_tick_does_not_fit_again_and_removal_removes_all(market):
    graph, history, spot = market
    names = set(graph.nodes)
    regimes = ReactiveRegimes(graph, history, "SPY", name="MARKET")
    fit = regimes.fit.value
    spot.set_price(1.01 * spot.value)
    assert graph.recalculate().evaluated == 2
    assert regimes.fit.value is fit
    regimes.remove()
    assert set(graph.nodes) == names


def test_what_cannot_be_fitted_is_refused_and_adds_nothing(market):
    graph, history, spot = market
    count = len(graph)
    with pytest.raises(UnknownTickerError):
        ReactiveRegimes(graph, history, "QQQ", spot=spot)
    with pytest.raises(RiskError, match="n_regimes=1"):
        ReactiveRegimes(graph, history, "SPY", 1)
    history.load("SPY", SimulatedFeed(seed=3).history("SPY", "5d"))
    with pytest.raises((RiskError, CalibrationError)):
        ReactiveRegimes(graph, history, "SPY")
    assert len(graph) == count
