"""Power-law prices as a node: published ratios, a live tail index, and errors that name what the market did."""

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, Domain, Leaf, OnRead
from bank_python.errors import ModelError, UnknownNodeError
from bank_python.instruments import Option
from bank_python.market_data import MarketData
from bank_python.taleb.power_law_pricer import PowerLawPricer
from bank_python.taleb.reactive import tail_node
from bank_python.taleb.reactive_power_law import power_law_node
from bank_python.taleb.tail_reading import tail_reading


@pytest.fixture
def graph():
    graph = DependencyGraph()
    graph.register(MarketData("S", 100.0))
    graph.register(MarketData("ANCHOR", 1.0))
    return graph


def test_calls_follow_the_law_of_returns_and_the_quotes(graph):
    # C2/C1 = ((K2 - S)/(K1 - S))^(1 - alpha): Taleb et al., arXiv:1908.02347, equation 4
    node = power_law_node(graph, "S", "ANCHOR", anchor_strike=110.0, strikes=[120.0, 140.0], alpha=3.0)
    assert node.value.pl_prices == pytest.approx([0.25, 0.0625], rel=1e-12)
    graph["ANCHOR"].set_price(2.0)
    assert node.value.pl_prices == pytest.approx([0.5, 0.125], rel=1e-12)
    graph["S"].set_price(105.0)
    assert node.value.pl_prices == pytest.approx([2.0 * 3.0**-2, 2.0 * 7.0**-2], rel=1e-12)


def test_puts_from_a_live_option_as_the_anchor(graph):
    terms = {"vol_source": 0.3, "rate_source": 0.0, "strike": 90.0, "expiry": 0.25, "is_call": False}
    put = graph.register(Option("PUT", spot_source=graph["S"], **terms))
    node = power_law_node(graph, "S", put, anchor_strike=90.0, strikes=[80.0], alpha=3.0, is_call=False)
    # P(80)/P(90) = g(80)/g(90) = 0.230453 for S = 100 and alpha = 3, by the put's formula in the same paper
    assert node.value.pl_prices[0] / put.value == pytest.approx(0.230453, abs=5e-7)
    graph["S"].set_price(97.0)
    by_hand = PowerLawPricer(97.0, 90.0, put.value, 3.0, is_call=False).price_put(80.0)
    assert node.value.pl_prices[0] == pytest.approx(by_hand, rel=1e-12)


def test_the_tail_index_may_be_that_of_a_series_of_the_graph(graph):
    returns = np.random.default_rng(1).standard_t(3, 2_000)
    series = graph.register(Leaf("RETURNS", returns, Domain.ANY))
    tails, reading = tail_node(graph, series), tail_reading(returns)
    options = {"anchor_strike": 110.0, "strikes": [150.0], "alpha": tails}
    call = power_law_node(graph, "S", "ANCHOR", **options)
    by_hand = PowerLawPricer(100.0, 110.0, 1.0, reading.right.alpha).price_call(150.0)
    assert call.value.pl_prices[0] == pytest.approx(by_hand, rel=1e-12)
    put = power_law_node(
        graph, "S", "ANCHOR", anchor_strike=90.0, strikes=[50.0], alpha=tails, is_call=False, name="PUTS"
    )
    assert put.value.alpha == reading.left.alpha
    series.set(np.abs(returns))
    assert "0 losses, fewer than 50" in str(put.error)
    assert call.error is None


def test_what_the_market_does_is_an_error_of_the_node_and_what_is_wrong_is_one_at_once(graph):
    node = power_law_node(graph, "S", "ANCHOR", anchor_strike=110.0, strikes=[120.0], alpha=3.0, policy=OnRead())
    graph["S"].set_price(115.0)
    assert "not above the spot 115.0" in str(node.error)
    with pytest.raises(ModelError, match="strikes"):
        power_law_node(graph, "S", "ANCHOR", anchor_strike=110.0, strikes=[np.nan], alpha=3.0, name="X")
    with pytest.raises(UnknownNodeError):
        power_law_node(graph, "S", "NOPE", anchor_strike=110.0, strikes=[120.0], alpha=3.0, name="X")
    assert len(graph) == 3
