"""Curves against general properties and QuantLib; bootstraps against published nodes, QuantLib, and their quotes."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CurveError
from bank_python.risk_models.bootstrap import ISDA_USD, USD_SOFR_OIS, Quote, bootstrap
from bank_python.risk_models.curve import Curve, as_curve

# USD rates of 21 May 2009 as in QuantLib's test of its ISDA engine (Markit's data of that day), and the nodes that
# QuantLib 1.44 bootstraps from them.
MARKIT_DATE = dt.date(2009, 5, 21)
MARKIT_DEPOSITS = {"1M": 0.003081, "2M": 0.005525, "3M": 0.007163, "6M": 0.012413, "9M": 0.014, "12M": 0.015488}
MARKIT_SWAPS = {
    "2Y": 0.011907,
    "3Y": 0.01699,
    "4Y": 0.021198,
    "5Y": 0.02444,
    "6Y": 0.026937,
    "7Y": 0.028967,
    "8Y": 0.030504,
    "9Y": 0.031719,
    "10Y": 0.03279,
    "12Y": 0.034535,
    "15Y": 0.036217,
    "20Y": 0.036981,
    "25Y": 0.037246,
    "30Y": 0.037605,
}
MARKIT_NODES = [
    ("2009-06-25", 0.9997005429079852),
    ("2009-07-27", 0.9989998637995903),
    ("2009-08-25", 0.9981386346604275),
    ("2009-11-25", 0.9936615632893555),
    ("2010-02-25", 0.989346782988777),
    ("2010-05-25", 0.984505965231278),
    ("2011-05-25", 0.9765376411530569),
    ("2012-05-25", 0.9502809364324118),
    ("2013-05-27", 0.9182344548650925),
    ("2014-05-26", 0.8839849994152378),
    ("2015-05-25", 0.8490968167668681),
    ("2016-05-25", 0.8139001366802117),
    ("2017-05-25", 0.7799810919945747),
    ("2018-05-25", 0.747262016319509),
    ("2019-05-27", 0.7148960778511506),
    ("2021-05-25", 0.6531767235089028),
    ("2024-05-27", 0.5705357433093753),
    ("2029-05-25", 0.4669439019693364),
    ("2034-05-25", 0.38482608987141337),
    ("2039-05-25", 0.31408494808956505),
]


def quotes(deposits, swaps):
    return [Quote(tenor, rate) for tenor, rate in deposits.items()] + [
        Quote(tenor, rate, swap=True) for tenor, rate in swaps.items()
    ]


def test_the_isda_curve_of_21_may_2009():
    made = bootstrap(quotes(MARKIT_DEPOSITS, MARKIT_SWAPS), MARKIT_DATE, ISDA_USD)
    assert [day.isoformat() for day in made.dates] == [day for day, _ in MARKIT_NODES]
    np.testing.assert_allclose(np.exp(made.curve.log_discounts), [df for _, df in MARKIT_NODES], atol=1e-12, rtol=0)
    assert np.abs(made.residuals).max() < 1e-12


def test_sofr_swaps_against_quantlib():
    today = dt.date(2024, 1, 16)
    ql.Settings.instance().evaluationDate = ql.Date(16, 1, 2024)
    rates = {
        "1M": 0.0534,
        "6M": 0.0515,
        "1Y": 0.0481,
        "2Y": 0.0415,
        "3Y": 0.0387,
        "5Y": 0.0366,
        "10Y": 0.0362,
        "30Y": 0.035,
    }
    helpers = [
        ql.OISRateHelper(2, ql.Period(tenor), ql.QuoteHandle(ql.SimpleQuote(rate)), ql.Sofr())
        for tenor, rate in rates.items()
    ]
    theirs = ql.PiecewiseLogLinearDiscount(0, ql.UnitedStates(ql.UnitedStates.Settlement), helpers, ql.Actual365Fixed())
    ours = bootstrap(quotes({}, rates), today, USD_SOFR_OIS).curve
    for time in (0.1, 0.5, 1.0, 2.0, 4.0, 9.0, 20.0, 29.0):
        # QuantLib's fixed leg follows the calendar of SOFR, which keeps Good Friday: a day's difference here and there.
        assert ours.zero_rate(time) == pytest.approx(-math.log(theirs.discount(time)) / time, abs=2e-5), time


rate_lists = st.lists(st.floats(-0.02, 0.15), min_size=7, max_size=7)


@given(rate_lists, st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)), st.sampled_from([ISDA_USD, USD_SOFR_OIS]))
def test_a_curve_reprices_what_it_was_made_of(rates, today, convention):
    tenors = ["1D", "1M", "6M", "1Y", "2Y", "4Y", "9Y"]
    given_rates = [
        Quote(tenor, rates[0] + 0.05 * (rate - rates[0]), swap=i > 3)
        for i, (tenor, rate) in enumerate(zip(tenors, rates, strict=True))
    ]
    made = bootstrap(given_rates, today, convention)
    assert np.abs(made.residuals).max() <= 1e-12
    assert len(made.curve.times) == len(given_rates)


def test_a_flat_market_gives_a_flat_curve():
    today = dt.date(2025, 3, 3)
    flat = Curve.flat(0.04)
    spot, end = dt.date(2025, 3, 5), dt.date(2026, 3, 5)
    simple = (flat.discount(2 / 365) / flat.discount(367 / 365) - 1.0) * 360 / (end - spot).days
    assert bootstrap([Quote("12M", simple)], today).curve.zero_rate(5.0) == pytest.approx(0.04, rel=1e-12)


@pytest.mark.parametrize(
    ("given_quotes", "message"),
    [
        ([], "at least one quote"),
        ([Quote("3M", math.nan)], "deposit 3M at nan is not a finite number"),
        ([Quote("1Y", 0.05), Quote("12M", 0.05)], "deposit 12M at 0.05 and deposit 1Y at 0.05 both end on"),
        ([Quote("1Y", 0.05), Quote("1Y", 0.05, swap=True)], "both end on"),
        ([Quote("1Y", -1.5)], "no positive discount factor reprices deposit 1Y at -1.5"),
        (
            [
                Quote("1Y", 0.02),
                Quote("2Y", 1.5, swap=True),
                Quote("3Y", 0.9, swap=True),
                Quote("10Y", 0.05),
                Quote("11Y", 9.0, swap=True),
            ],
            "no positive discount factor reprices swap",
        ),
    ],
)
def test_what_no_curve_reprices(given_quotes, message):
    with pytest.raises(CurveError, match=message):
        bootstrap(given_quotes, dt.date(2025, 3, 3))


times_and_zeros = st.lists(
    st.tuples(st.integers(1, 400), st.floats(-0.03, 0.2)), min_size=1, max_size=8, unique_by=lambda pair: pair[0]
).map(sorted)


@given(times_and_zeros)
def test_through_the_nodes_and_along_forwards(nodes):
    times, zeros = np.array([t for t, _ in nodes]) / 10.0, np.array([z for _, z in nodes])
    curve = Curve.from_zero_rates(times, zeros)
    np.testing.assert_allclose(curve.zero_rate(times), zeros, atol=1e-13)
    np.testing.assert_allclose(curve.discount(times), np.exp(-zeros * times), rtol=1e-13)
    assert curve.discount(0.0) == 1.0
    ends = np.concatenate([[0.0], times, [times[-1] + 3.0]])
    forwards = curve.forward_rate(ends[:-1], ends[1:])
    np.testing.assert_allclose(np.cumsum(forwards * np.diff(ends)), -curve.log_discount(ends[1:]), atol=1e-12)
    middle = 0.5 * (ends[:-1] + ends[1:])
    np.testing.assert_allclose(curve.forward_rate(ends[:-1], middle), forwards, atol=1e-9)


@given(times_and_zeros, st.floats(-0.01, 0.01))
def test_shifts(nodes, bump):
    curve = Curve.from_zero_rates([t / 10.0 for t, _ in nodes], [z for _, z in nodes])
    at = np.linspace(0.05, 50.0, 40)
    np.testing.assert_allclose(curve.shifted(bump).zero_rate(at), curve.zero_rate(at) + bump, atol=1e-12)
    keys = [0.5, 2.0, 10.0]
    moved = sum(np.asarray(part.zero_rate(keys)) - curve.zero_rate(keys) for part in curve.key_rate_bumps(keys, bump))
    np.testing.assert_allclose(moved, bump, atol=1e-12)
    np.testing.assert_allclose(
        curve.key_rate_bumps(keys, bump)[1].zero_rate(keys) - curve.zero_rate(keys), [0.0, bump, 0.0], atol=1e-12
    )


def test_flat_and_scalar():
    curve = as_curve(0.03)
    assert curve.zero_rate(7.0) == 0.03
    assert isinstance(curve.discount(2.0), float)
    assert curve.zero_rate(0.0) == 0.03
    assert as_curve(curve) is curve
    assert curve.discount([1.0, 2.0]).shape == (2,)
    with pytest.raises(ValueError, match="read-only"):
        curve.times[0] = 2.0


@pytest.mark.parametrize(
    ("times", "discounts", "message"),
    [
        ([], [], "as many times as discount factors"),
        ([1.0], [0.9, 0.8], "as many times"),
        ([2.0, 1.0], [0.9, 0.8], "times must increase"),
        ([1.0, 1.0], [0.9, 0.8], "times must increase"),
        ([0.0, 1.0], [1.0, 0.8], "times must be finite and above zero, not 0.0"),
        ([1.0, 2.0], [0.9, -0.1], "discounts must be finite and above zero, not -0.1"),
        ([1.0, math.inf], [0.9, 0.8], "times must be finite"),
    ],
)
def test_bad_nodes(times, discounts, message):
    with pytest.raises(CurveError, match=message):
        Curve(times, discounts)


def test_bad_arguments():
    with pytest.raises(CurveError, match="flat curve's rate must be a finite number, not nan"):
        Curve.flat(math.nan)
    with pytest.raises(CurveError, match="key times must increase"):
        Curve.flat(0.1).key_rate_bumps([2.0, 1.0], 1e-4)
