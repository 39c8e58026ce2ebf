"""Questions and answers between contracts and the curves they are given."""

from __future__ import annotations

import pytest

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.errors import CurveError, GraphError, InstrumentError, UpstreamError
from bank_python.instruments import Answer, DiscountCurve, Option, VolSurface, ask, question
from bank_python.market_data import MarketData
from bank_python.risk_models import Curve


def curve(name="CURVE", rate=0.04):
    return DiscountCurve(name, zero_rates={"1Y": rate, "10Y": rate})


def test_a_number_and_a_scalar_node_are_their_own_answers():
    leaf = MarketData("R", 0.03)
    assert ask("zero_rate", 0.03, 0.0, 1.0) == 0.03
    assert ask("zero_rate", leaf, 0.0, 1.0) is leaf


def test_equal_questions_share_an_answer_as_long_as_somebody_holds_it():
    made = curve()
    first = ask("zero_rate", made, 0.0, 1.0)
    assert ask("zero_rate", made, 0.0, 1.0) is first
    assert ask("zero_rate", made, 0.0, 2.0) is not first
    assert first.name == "CURVE:zero_rate(0.0, 1.0)"
    assert first.value == pytest.approx(0.04, rel=1e-14)
    assert "zero_rate of CURVE" in repr(first)
    assert len(made._answers) == 1  # the other one is gone


def test_answers_follow_a_curve_that_is_swapped():
    graph = DependencyGraph()
    old, new = curve(), curve("OTHER", 0.06)
    option = graph.register(Option("O", spot_source=100.0, vol_source=0.2, rate_source=old, strike=100.0, expiry=1.0))
    before = option.value
    graph.register(new)
    graph.swap(option.rate, old, new)
    assert option.rate.value == pytest.approx(0.06, rel=1e-14)
    assert option.value > before
    # The swapped answer is no answer of the old curve any more.
    assert ask("zero_rate", old, 0.0, 1.0) is not option.rate


def test_a_failing_curve_is_the_first_cause():
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


def test_the_wrong_kind_of_question():
    surface = VolSurface.from_vols(
        "VOLS", [80, 90, 100, 110, 120], [1.0], [[0.26, 0.23, 0.21, 0.20, 0.195]], spot_source=100.0
    )
    with pytest.raises(InstrumentError, match="VOLS is a VolSurface, which has no zero_rate; give a number"):
        ask("zero_rate", surface, 0.0, 1.0)
    with pytest.raises(InstrumentError, match="which has no colour"):
        ask("colour", curve(), 0.0)
    with pytest.raises(GraphError, match="no question 'colour': import the module that registers it"):
        Answer("A", "colour", [curve()])


def test_a_question_of_ones_own():
    @question("tests.ten_year_discount", of=Curve)
    def ten_years(made, factor):
        return factor * made.discount(10.0)

    made = curve()
    answer = ask("tests.ten_year_discount", made, 100.0)
    assert answer.value == pytest.approx(100.0 * made.discount(10.0))
    with pytest.raises(GraphError, match="already names the question"):
        question("tests.ten_year_discount", of=Curve)(lambda made: made.discount(1.0))
    db = BarbaraDB.open("test", path=":memory:")
    db[answer.record_key] = answer
    assert db[answer.record_key].value == answer.value
