"""Curves are asked for years, tenors, dates, ISO text, and arrays of these."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CurveError, ModelError
from bank_python.instruments import CreditCurve, DiscountCurve
from bank_python.market_data import Clock
from bank_python.numerics.dates import as_date, as_years
from bank_python.risk_models import Curve, SurvivalCurve

TODAY = dt.date(2024, 1, 16)
PLAIN = Curve([0.5, 1.0, 5.0], [0.98, 0.95, 0.80])
NODE = DiscountCurve("USD", deposits={"3M": 0.053}, swaps={"1Y": 0.051, "2Y": 0.047}, as_of=TODAY)
CREDIT = CreditCurve("F", spreads={"1Y": 0.010, "5Y": 0.015}, discount_source=NODE)
ALIVE = SurvivalCurve([1.0, 5.0], [0.98, 0.90])


@pytest.mark.parametrize("curve", [PLAIN, NODE])
def test_tenors_are_years(curve):
    assert curve.zero("18M") == curve.zero(1.5) == curve.zero_rate(1.5)
    assert curve.discount("6m") == curve.discount(0.5)
    assert curve.forward("6M", "2Y") == curve.forward(0.5, 2) == curve.forward_rate(0.5, 2.0)


@pytest.mark.parametrize("curve", [PLAIN, NODE])
def test_zero_forward_and_discount_agree(curve):
    assert curve.discount(2.0) == pytest.approx(math.exp(-2.0 * curve.zero(2.0)))
    assert curve.discount(1.0) / curve.discount(2.0) == pytest.approx(math.exp(curve.forward(1.0, 2.0)))


@pytest.mark.parametrize("curve", [PLAIN, NODE])
@pytest.mark.parametrize("years", [[0.25, 1.0, 7.0], np.array([[0.5, 1.0], [2.0, 3.0]]), ["3M", "1Y", 7]])
def test_arrays_are_answered_one_by_one(curve, years):
    zeros = curve.zero(years)
    flat = np.asarray(years, dtype=object).ravel()
    assert zeros.shape == np.shape(years)
    assert zeros.ravel().tolist() == [curve.zero(time) for time in flat]
    assert np.shape(curve.forward(0.0, years)) == np.shape(years)


@pytest.mark.parametrize("day", [dt.date(2026, 1, 15), "2026-01-15", dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)])
def test_a_node_with_a_date_takes_dates(day):
    assert NODE.discount(day) == NODE.discount(730 / 365)
    assert NODE.zero([day, "2Y"]).tolist() == [NODE.zero(2.0)] * 2
    assert NODE.forward(day, "3Y") == NODE.forward(2.0, 3.0)


def test_numpy_dates_are_dates():
    days = np.array(["2025-01-15", "2026-01-15"], dtype="datetime64[ns]")
    assert NODE.discount(days).tolist() == NODE.discount([1.0, 2.0]).tolist()
    assert NODE.discount(days[1]) == NODE.discount(2.0)


def test_dates_are_counted_from_the_clock():
    clock = Clock("CLOCK", origin=TODAY)
    curve = DiscountCurve("C", zero_rates={"1Y": 0.03, "5Y": 0.04}, clock_source=clock)
    before = curve.discount("2026-01-15")
    clock.roll(dt.date(2025, 1, 15))
    assert curve.discount("2026-01-15") == curve.discount(1.0) != before


@pytest.mark.parametrize("day", [dt.date(2026, 1, 15), "2026-01-15", [1.0, "2026-01-15"]])
@pytest.mark.parametrize(
    "curve", [PLAIN, DiscountCurve("Z", zero_rates={"1Y": 0.03})], ids=lambda curve: type(curve).__name__
)
def test_without_a_date_there_are_no_dates(curve, day):
    with pytest.raises(CurveError, match=r"does not know its date.* give years or a tenor such as '5Y'"):
        curve.discount(day)


@pytest.mark.parametrize("bad", [None, "5 years", "x", True, 1j, [[1.0], [2.0, 3.0]], {}, b"1Y", np.datetime64("NaT")])
@pytest.mark.parametrize("curve", [PLAIN, NODE])
def test_what_is_no_time_is_refused(curve, bad):
    for ask in (curve.zero, curve.discount, lambda t: curve.forward(0.0, t)):
        with pytest.raises(CurveError, match=r"has no time .* give years, a tenor such as '5Y', or a date"):
            ask(bad)


def test_a_forward_rate_needs_two_times():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CurveError, match="two times, not '1Y' twice"):
            PLAIN.forward("1Y", 1.0)
        with pytest.raises(CurveError, match="two times"):
            ALIVE.forward([1.0, 2.0], 2.0)


@pytest.mark.parametrize("curve", [ALIVE, CREDIT])
def test_survival_is_asked_in_the_same_way(curve):
    assert curve.survival("2Y") == curve.survival(2.0)
    assert curve.default_probability("2Y") == pytest.approx(1.0 - curve.survival(2.0))
    assert curve.hazard_rate(["1Y", 2.0]).tolist() == [curve.hazard_rate(1.0), curve.hazard_rate(2.0)]
    assert curve.survival(1.0) / curve.survival("3Y") == pytest.approx(math.exp(2.0 * curve.forward("1Y", "3Y")))


def test_a_credit_curve_has_the_date_of_its_discount_curve():
    assert CREDIT.date == TODAY
    assert CREDIT.survival("2026-01-15") == CREDIT.survival(2.0)
    undated = CreditCurve("G", spreads={"5Y": 0.015}, discount_source=0.03)
    assert undated.date is None
    with pytest.raises(CurveError, match="G does not know its date"):
        undated.survival("2026-01-15")


@pytest.mark.parametrize("curve", [ALIVE, CREDIT])
@pytest.mark.parametrize(
    ("word", "instead"),
    [("discount", "survival"), ("zero", "hazard_rate"), ("forward_rate", "forward"), ("hazard", "hazard_rate")],
)
def test_words_of_a_discount_curve_lead_to_those_of_a_survival_curve(curve, word, instead):
    with pytest.raises(AttributeError, match=rf"no attribute '{word}'; use {instead}\("):
        getattr(curve, word)
    assert not hasattr(curve, "nothing")


def test_words_hide_no_error_of_a_property():
    class Broken(SurvivalCurve):
        @property
        def lost(self):
            raise AttributeError("inside the property")

    with pytest.raises(AttributeError, match="inside the property"):
        Broken([1.0], [0.9]).lost  # noqa: B018 - reading is the test


def test_a_survival_curve_is_copied_and_pickled():
    for made in (copy.deepcopy(ALIVE), pickle.loads(pickle.dumps(ALIVE))):  # noqa: S301 - our own bytes
        assert made.survival(2.0) == ALIVE.survival(2.0)


@given(st.dates(min_value=dt.date(2000, 1, 1), max_value=dt.date(2100, 1, 1)))
def test_every_way_to_write_a_date_is_that_date(day):
    ways = [day, day.isoformat(), dt.datetime(day.year, day.month, day.day, 23, tzinfo=dt.UTC), np.datetime64(day)]
    assert {as_date(way, ModelError, "day") for way in ways} == {day}
    assert as_years(day.isoformat(), ModelError, "it", TODAY) == (day - TODAY).days / 365


@pytest.mark.parametrize("bad", ["tomorrow", "2026-13-01", "", 20260110, None, np.datetime64("NaT")])
def test_what_is_no_date_is_refused(bad):
    with pytest.raises(ModelError, match=r"to=.* is not a date; give a datetime.date or ISO text"):
        as_date(bad, ModelError, "to")
