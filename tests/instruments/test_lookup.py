"""Numbers that contracts look up from curves and surfaces, and the old names of the lookups."""

from __future__ import annotations

import pytest

from bank_python import instruments
from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import CurveError, GraphError, InstrumentError, UpstreamError
from bank_python.instruments import DiscountCurve, Lookup, LookupNode, Option, VolSurface, look_up, lookup_function
from bank_python.market_data import MarketData
from bank_python.risk_models import Curve


def curve(name="CURVE", rate=0.04):
    return DiscountCurve(name, zero_rates={"1Y": rate, "10Y": rate})


def test_a_number_and_a_scalar_node_are_returned_as_they_are():
    leaf = MarketData("R", 0.03)
    assert look_up("zero_rate", 0.03, 0.0, 1.0) == 0.03
    assert look_up("zero_rate", leaf, 0.0, 1.0) is leaf


def test_equal_lookups_share_a_node_as_long_as_it_is_referenced():
    made = curve()
    first = look_up("zero_rate", made, 0.0, 1.0)
    assert look_up("zero_rate", made, 0.0, 1.0) is first
    assert look_up("zero_rate", made, 0.0, 2.0) is not first
    assert first.name == "CURVE:zero_rate(0.0, 1.0)"
    assert first.value == pytest.approx(0.04, rel=1e-14)
    assert "zero_rate of CURVE" in repr(first)
    assert len(made._lookups) == 1  # the other one is gone


def test_lookups_follow_a_curve_that_is_swapped():
    graph = DependencyGraph()
    old, new = curve(), curve("OTHER", 0.06)
    option = graph.register(Option("O", spot_source=100.0, vol_source=0.2, rate_source=old, strike=100.0, expiry=1.0))
    before = option.value
    graph.register(new)
    graph.swap(option.rate, old, new)
    assert option.rate.value == pytest.approx(0.06, rel=1e-14)
    assert option.value > before
    # The node now reads the new curve, so the old curve needs another one.
    assert look_up("zero_rate", old, 0.0, 1.0) is not option.rate


def test_a_failing_curve_is_the_root_cause():
    leaf = MarketData("Z", 0.04)
    made = DiscountCurve("CURVE", zero_rates={"1Y": leaf})
    graph = DependencyGraph()
    option = graph.register(Option("O", spot_source=100.0, vol_source=0.2, rate_source=made, strike=100.0, expiry=1.0))
    leaf.set_price(-1e6)
    assert isinstance(made.error, CurveError)
    assert isinstance(option.error, UpstreamError)
    assert option.error.cause_name == "CURVE"
    leaf.set_price(0.05)
    assert option.rate.value == pytest.approx(0.05)


def test_a_lookup_that_the_source_does_not_support():
    surface = VolSurface.from_vols(
        "VOLS", [80, 90, 100, 110, 120], [1.0], [[0.26, 0.23, 0.21, 0.20, 0.195]], spot_source=100.0
    )
    with pytest.raises(InstrumentError, match="VOLS is a VolSurface, which has no zero_rate; give a number"):
        look_up("zero_rate", surface, 0.0, 1.0)
    with pytest.raises(InstrumentError, match="which has no colour"):
        look_up("colour", curve(), 0.0)
    with pytest.raises(GraphError, match="no lookup function 'colour': import the module that registers it"):
        LookupNode("A", "colour", [curve()])


def test_a_user_defined_lookup_function():
    @lookup_function("tests.ten_year_discount", of=Curve)
    def ten_years(made, factor):
        return factor * made.discount(10.0)

    made = curve()
    node = look_up("tests.ten_year_discount", made, 100.0)
    assert node.value == pytest.approx(100.0 * made.discount(10.0))
    with pytest.raises(GraphError, match="is already the name of the lookup function"):
        lookup_function("tests.ten_year_discount", of=Curve)(lambda made: made.discount(1.0))
    db = BarbaraDB.open("test", path=":memory:")
    db[node.record_key] = node
    assert db[node.record_key].value == node.value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Answer", "LookupNode"),
        ("FunctionNode", "TermStructureNode"),
        ("ask", "look_up"),
        ("question", "lookup_function"),
    ],
)
def test_an_old_name_is_the_object_of_the_new_one(old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now called {new}"):
        assert getattr(instruments, old) is getattr(instruments, new)


def test_the_old_argument_and_attribute_of_a_lookup():
    with pytest.warns(DeprecationWarning, match=r"Lookup\(question=\) is now called function="):
        lookup = Lookup(question="zero_rate")
    with pytest.warns(DeprecationWarning, match=r"Lookup\.question is now called function_name"):
        assert lookup.question == lookup.function_name == "zero_rate"
    with pytest.warns(DeprecationWarning, match=r"LookupNode\(question=\) is now called function_name="):
        node = LookupNode("N", question="zero_rate", arguments=[curve(), 0.0, 1.0])
    with pytest.warns(DeprecationWarning, match=r"LookupNode\.question is now called function_name"):
        assert node.question == node.function_name == "zero_rate"


def test_the_stored_fields_of_a_lookup_keep_their_names():
    node = look_up("zero_rate", curve(), 0.0, 1.0)
    assert LookupNode.record_tag == "Answer"
    assert set(node.to_record()) == {"name", "question", "arguments"}
