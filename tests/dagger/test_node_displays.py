"""What nodes and graphs print: what is known of them, without evaluating, waiting or ticking anything."""

import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, DerivedNode, Every, Leaf
from bank_python.instruments import Bond, Book, Equity, Option, Position
from bank_python.market_data import MarketData


def value_of(node):
    return repr(node).split(" = ", 1)[1]


@contextmanager
def unchanged(graph):
    """Check that a block evaluates nothing, changes no tick and delivers nothing."""
    before = graph.tick, graph.dirty
    with graph.profile() as profile:
        yield
    assert (profile.evaluations, graph.tick, graph.dirty) == (0, *before)


@pytest.fixture
def graph():
    graph = DependencyGraph()
    graph.register(Leaf("SPOT", 100.0))
    graph.derive("DOUBLE", lambda spot: 2.0 * spot, ["SPOT"])
    return graph


def test_outside_a_graph_a_node_says_how_to_read_it_and_then_what_was_read():
    sofr = MarketData("SOFR", price=0.05)
    bond = Bond("B", rate_source=sofr, face=100, coupon_rate=0.06, maturity=5)
    assert value_of(bond) == "not read yet: .value computes it"
    assert "not read yet" in bond._repr_html_()
    assert round(bond.value, 2) == 104.33
    assert value_of(bond) == "104.329 (when last read)"
    sofr.set_price(0.07)
    assert value_of(bond) == "104.329 (when last read)"
    assert bond.value < 96.0
    assert value_of(bond) == "95.8998 (when last read)"
    book = Book("BOOK", [Position("P", instrument=bond, quantity=1)])
    assert "95.90" in book._repr_html_()
    assert "figures not read yet: .value computes it" in book._repr_html_()
    assert book.value < 96.0
    assert "figures when last read" in book._repr_html_()


def test_outside_a_graph_a_failure_that_was_read_is_shown():
    spot = MarketData("S", domain="positive")
    option = Option("O", spot_source=spot, vol_source=0.2, rate_source=0.05, strike=100, expiry=1)
    assert option.error is not None
    assert "not yet quoted" in repr(option)
    assert "not yet quoted" in option._repr_html_()


def test_in_a_graph_a_node_says_whether_its_value_is_up_to_date(graph):
    node = graph["DOUBLE"]
    with unchanged(graph):
        assert value_of(node) == "not computed yet: .value computes it"
        assert "not computed yet" in node._repr_html_()
    assert node.value == 200.0
    assert value_of(node) == "200"
    graph["SPOT"].set(110.0)
    with unchanged(graph):
        assert value_of(node) == "200 (before changes that are not propagated yet)"
        assert "200.000000 (before changes" in node._repr_html_()
    graph.recalculate()
    assert value_of(node) == "220"


def test_a_node_that_leaves_its_graph_does_not_show_the_graphs_value(graph):
    spot = Leaf("SPOT2", 100.0)
    node = DerivedNode("DOUBLE2", lambda value: 2.0 * value, [spot])
    assert node.value == 200.0
    assert value_of(node) == "200 (when last read)"
    graph.register(node)
    assert value_of(node) == "not computed yet: .value computes it"
    assert node.value == 200.0
    graph.unregister(node)
    assert value_of(node) == "not read yet: .value computes it"


def test_a_node_that_has_no_value_is_none_and_not_missing(graph):
    node = graph.derive("NOTHING", lambda: None, [])
    graph.recalculate()
    assert value_of(node) == "None"


def test_inside_a_scenario_the_scenarios_values_are_shown(graph):
    node, spot = graph["DOUBLE"], graph["SPOT"]
    same = graph.derive("SAME", lambda: 7.0, [])
    graph.recalculate()
    with graph.scenario({"SPOT": 50.0}), unchanged(graph):
        assert value_of(spot) == "50"
        assert value_of(node) == "not computed in this scenario yet: .value computes it"
        assert value_of(same) == "7"
        assert node.value == 100.0
        assert value_of(node) == "100"
        assert "100.00" in node._repr_html_()
        with graph.scenario({"SPOT": 60.0}):
            assert value_of(spot) == "60"
            assert "not computed in this scenario" in value_of(node)
        assert value_of(node) == "100"
    assert (value_of(spot), value_of(node)) == ("100", "200")


def test_a_book_in_a_scenario_says_what_is_missing():
    graph = DependencyGraph()
    spot = graph.register(MarketData("S", 100.0))
    book = graph.register(Book("BOOK", [Position("P", instrument=Equity("E", spot_source=spot), quantity=10)]))
    graph.recalculate()
    with graph.scenario({"S": 50.0}):
        assert "not computed in this scenario" in book._repr_html_()
        assert book.value == 500.0
        assert "500" in book._repr_html_()
        assert "not computed" not in book._repr_html_()
    assert "1,000" in book._repr_html_()


def test_in_a_batch_the_batch_sees_its_own_values_and_other_threads_the_last_tick(graph):
    node, spot, seen = graph["DOUBLE"], graph["SPOT"], []
    graph.recalculate()
    with graph.batch():
        spot.set(120.0)
        other = threading.Thread(target=lambda: seen.extend([repr(spot), repr(node), graph._repr_html_()]))
        other.start()
        other.join(timeout=5.0)
        assert not other.is_alive(), "waited for the batch"
        assert value_of(spot) == "120"
        assert value_of(node) == "200 (before changes that are not propagated yet)"
        graph._repr_html_()
    assert seen[0].endswith("= 100")
    assert seen[1].split(" = ")[1].startswith("200")
    assert graph.tick == 1
    assert node.value == 240.0


def test_failed_nodes_unquoted_leaves_and_throttled_nodes_are_shown(graph):
    graph.register(Leaf("NONE", 0.0, domain="positive"))
    nodes = [
        graph.derive("BAD", lambda spot: spot / 0.0, ["SPOT"]),
        graph.derive("BELOW", lambda bad: bad, ["BAD"]),
        graph.derive("OF_NONE", lambda none: none, ["NONE"]),
        graph.derive("SLOW", lambda spot: spot, ["SPOT"], policy=Every(3600.0)),
    ]
    graph.recalculate()
    graph["SPOT"].set(101.0)
    with unchanged(graph):
        said = [repr(node) + node._repr_html_() for node in (*nodes, graph["NONE"])]
    assert "float division by zero" in said[0]
    assert "because BAD failed" in said[1]
    assert "not yet quoted" in said[2]
    assert "not yet quoted" in said[4]


def test_values_that_are_long_or_have_many_lines_stay_short(graph):
    class Wide:
        def __repr__(self):
            return "x" * 10_000

    class Lines:
        def __repr__(self):
            return "a\nb"

    class Bad:
        def __repr__(self):
            raise RuntimeError("no")

    values = [list(range(1_000_000)), np.zeros((1_000, 1_000)), dict.fromkeys(range(100)), Wide(), Lines(), Bad()]
    for i, value in enumerate(values):
        node = graph.derive(f"N{i}", lambda value=value: value, [])
        graph.recalculate()
        assert len(repr(node)) < 400
        assert "\n" not in repr(node)
        assert len(node._repr_html_()) < 20_000
    assert value_of(graph["N0"]) == "1,000,000 entries"
    assert value_of(graph["N4"]) == "<Lines>"
    assert "RuntimeError" in value_of(graph["N5"])


def test_hostile_names_are_written_out(graph):
    node = graph.derive("<script>alert(1)</script>[bold]x[/]\x1b[31m", lambda spot: spot, ["SPOT"])
    graph.recalculate()
    page = node._repr_html_() + graph["SPOT"]._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "[bold]x[/]" in page
    assert "\x1b" not in page + repr(node)


def test_a_large_graph_and_its_nodes_are_shown_fast():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    for i in range(100_000):
        graph.derive(f"N{i}", float, [leaf])
    wide = graph.sum("SUM", [f"N{i}" for i in range(100_000)])
    leaf.set(2.0)
    for shown in (graph, leaf, wide, graph["N5"]):
        start = time.perf_counter()
        assert len(repr(shown)) < 4_000
        assert len(shown._repr_html_()) < 20_000
        assert time.perf_counter() - start < 0.5
