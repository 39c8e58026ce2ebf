"""Tail indices from quotes: exact from two, least squares from more, and strips that are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import power_law_price
from bank_python.taleb.alpha_fit import fit_alpha

STRIKES = st.lists(st.floats(0.02, 0.95), min_size=2, max_size=8, unique_by=lambda x: round(x, 2))


def test_two_calls_by_hand():
    """At twice the distance a quarter of the price: 1 - alpha = log(1/4)/log 2."""
    fit = fit_alpha(100.0, [110.0, 120.0], [4.0, 1.0])
    assert fit.alpha == pytest.approx(3.0, abs=1e-13)
    assert math.isnan(fit.standard_error)
    assert fit.residuals == pytest.approx([0.0, 0.0], abs=1e-14)


def test_two_puts_of_the_paper():
    """S0 = 100, alpha = 2.75, 90 to 80: ratio 0.26684195126209387, by quadrature."""
    fit = fit_alpha(100.0, [90.0, 80.0], [1.0, 0.26684195126209387], is_call=False)
    assert fit.alpha == pytest.approx(2.75, abs=1e-10)


def test_the_law_of_prices():
    fit = fit_alpha(100.0, [110.0, 220.0], [8.0, 1.0], law="price")
    assert fit.alpha == pytest.approx(4.0, abs=1e-13)


def test_a_strip_against_polyfit():
    """Least squares of log price on log distance, slope and its error, by numpy.polyfit."""
    strikes = np.array([105.0, 110.0, 120.0, 135.0, 160.0])
    prices = 3.0 * ((strikes - 100.0) / 5.0) ** -1.6 * np.exp([0.02, -0.03, 0.01, 0.02, -0.02])
    fit = fit_alpha(100.0, strikes, prices)
    (slope, _), covariance = np.polyfit(np.log(strikes - 100.0), np.log(prices), 1, cov=True)
    assert fit.alpha == pytest.approx(1.0 - slope, rel=1e-12)
    assert fit.standard_error == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-10)
    assert fit.fitted * np.exp(fit.residuals) == pytest.approx(prices, rel=1e-13)
    assert fit.rmse == pytest.approx(np.sqrt(np.mean(fit.residuals**2)))


def test_the_order_of_quotes_does_not_matter():
    strikes, prices = [110.0, 140.0, 120.0], [4.0, 0.25, 1.05]
    one, other = fit_alpha(100.0, strikes, prices), fit_alpha(100.0, sorted(strikes), sorted(prices, reverse=True))
    assert one.alpha == other.alpha
    assert one.strikes.tolist() == [110.0, 120.0, 140.0]
    down = fit_alpha(100.0, [70.0, 90.0, 80.0], [0.02, 1.0, 0.2], is_call=False)
    assert down.strikes.tolist() == [90.0, 80.0, 70.0]


@given(st.floats(0.5, 5e3), st.floats(1.02, 15.0), STRIKES, st.booleans())
def test_the_index_of_a_strip_is_found_again(spot, alpha, distances, is_call):
    strikes = spot * (1.0 + np.array(distances) if is_call else 1.0 - np.array(distances))
    far = spot * (1.5 if is_call else 0.5)
    prices = power_law_price(spot, strikes, anchor_price=1.0, anchor_strike=far, alpha=alpha, is_call=is_call)
    fit = fit_alpha(spot, strikes, prices, is_call)
    # Two strikes 1 % apart lose two digits of α; puts also those of a numerical derivative's last step.
    assert fit.alpha == pytest.approx(alpha, rel=1e-7)
    assert np.abs(fit.residuals).max() < 1e-7


@pytest.mark.slow
def test_the_standard_error_is_that_of_repeated_strips():
    """Noise of 2 %: the spread of α over 400 strips is its standard error, for calls and puts, within 15 %."""
    rng = np.random.default_rng(5)
    for is_call, strikes in (
        (True, np.array([110.0, 120.0, 135.0, 160.0])),
        (False, np.array([90.0, 80.0, 65.0, 40.0])),
    ):
        clean = power_law_price(100.0, strikes, anchor_price=1.0, anchor_strike=strikes[0], alpha=3.0, is_call=is_call)
        fits = [fit_alpha(100.0, strikes, clean * np.exp(0.02 * rng.standard_normal(4)), is_call) for _ in range(400)]
        spread = np.std([fit.alpha for fit in fits])
        mean_square = np.sqrt(np.mean([fit.standard_error**2 for fit in fits]))
        assert mean_square == pytest.approx(spread, rel=0.15)  # the spread of 400 is known to 3.5 %, its own to 5 %


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (([], []), CalibrationError, "0 quotes do not determine"),
        (([110.0], [1.0]), CalibrationError, "a second option, further out, is missing"),
        (([110.0, 120.0], [1.0]), ModelError, "2 strikes and 1 prices"),
        (([110.0, math.nan], [1.0, 0.5]), ModelError, "strikes: row 1 is nan"),
        (([110.0, 120.0], [1.0, math.inf]), ModelError, "prices: row 1 is inf"),
        (([110.0, 120.0], [1.0, 0.0]), ModelError, "prices: row 1 is 0.0"),
        (([95.0, 120.0], [6.0, 0.5]), ModelError, "row 0 is 95.0, not above the spot"),
        (([110.0, 110.0], [1.0, 0.9]), ModelError, "110.0 is quoted twice"),
        (([110.0, 120.0, 130.0], [1.0, 1.1, 0.5]), CalibrationError, "1 at 110, 1.1 at 120"),
        (([110.0, 120.0], [1.0, 1.0]), CalibrationError, "do not fall"),
        (([110.0, 120.0, 130.0], [1.0, 0.9, 0.1]), CalibrationError, "not convex at 120"),
        (([110.0, 120.0], [1.0, 0.99]), CalibrationError, None),
    ],
)
def test_strips_that_are_no_tail_are_refused(arguments, error, said):
    if said is None:  # α − 1 = −log 0.99/log 2 = 0.0145 above one: a tail
        assert fit_alpha(100.0, *arguments).alpha == pytest.approx(1.0 - math.log(0.99) / math.log(2.0))
        return
    with pytest.raises(error, match=said):
        fit_alpha(100.0, *arguments)


def test_an_index_of_one_or_less_is_refused_with_its_number():
    """Calls that fall always imply more than one; puts need not."""
    with pytest.raises(CalibrationError, match="α = 1 or below"):
        fit_alpha(100.0, [90.0, 80.0], [1.0, 0.95], is_call=False)
    with pytest.raises(CalibrationError, match="α above 200"):
        fit_alpha(100.0, [50.0, 49.0], [1.0, 1e-9], is_call=False)
    with pytest.raises(ModelError, match="not below the spot"):
        fit_alpha(100.0, [110.0, 80.0], [1.0, 0.5], is_call=False)


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 5, 9])
def test_intervals_cover_as_often_as_they_say(count):
    """Of 1,000 strips with noise of 3 %, 95 % are covered, within four standard errors of 0.7 %; by twice the standard
    error it would be 70 % with three quotes."""
    rng, strikes = np.random.default_rng(2), 100.0 + np.geomspace(8.0, 60.0, count)
    covered = 0
    for _ in range(1_000):
        fit = fit_alpha(100.0, strikes, 100.0 * (strikes - 100.0) ** -2 * np.exp(0.03 * rng.standard_normal(count)))
        low, high = fit.interval()
        covered += low < 3.0 < high
    assert covered / 1_000 == pytest.approx(0.95, abs=0.028)


def test_an_interval_needs_a_third_quote():
    assert all(map(math.isnan, fit_alpha(100.0, [110.0, 120.0], [4.0, 1.0]).interval()))
    fit = fit_alpha(100.0, [110.0, 120.0, 140.0], [4.0, 1.05, 0.25])
    low, high = fit.interval(0.9)
    assert high - fit.alpha == pytest.approx(6.313751514675043 * fit.standard_error)  # Student 1, 95 %
    assert fit.alpha - low == pytest.approx(high - fit.alpha)
    with pytest.raises(ModelError, match="for 95 %"):
        fit.interval(95.0)


def test_a_fit_shows_and_exports_itself():
    fit = fit_alpha(100.0, [110.0, 120.0, 140.0], [4.0, 1.05, 0.25])
    assert "Tail index 3.0000 ± 0.041, 3 calls" in repr(fit)
    assert [row["strike"] for row in fit.to_table()] == [110.0, 120.0, 140.0]
    assert "no standard error" in " ".join(repr(fit_alpha(100.0, [110.0, 120.0], [4.0, 1.0])).split())
