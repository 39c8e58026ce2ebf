"""Prices scaled from an anchor: the paper's ratios, both laws, where there is no price, and the reference's calls."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import black_scholes_price, implied_vol
from bank_python.taleb.power_law_pricer import PowerLawPricer

INDICES = st.floats(1.05, 12.0)


@pytest.mark.parametrize(
    ("spot", "alpha", "anchor", "strike", "is_call", "expected"),
    [
        (100.0, 3.0, (110.0, 1.0), 120.0, True, 0.25),
        (4000.0, 2.75, (4400.0, 50.0), 4800.0, True, 14.865088937534013),  # the paper's worked example, about 15
        (100.0, 3.0, (90.0, 1.0), 80.0, False, 0.23045267489711938),  # 0.25 by the call's rule, 1.3 as printed
        (100.0, 2.75, (90.0, 1.0), 80.0, False, 0.26684195126209387),
    ],
)
def test_ratios_of_the_paper(spot, alpha, anchor, strike, is_call, expected):
    """Taleb et al., arXiv:1908.02347; expected figures by quadrature of the payoffs."""
    pricer = PowerLawPricer(spot, *anchor, alpha, is_call)
    found = pricer.price_call(strike) if is_call else pricer.price_put(strike)
    assert found == pytest.approx(expected, rel=1e-13)


def test_the_reference_example():
    pricer = PowerLawPricer(spot=100, anchor_strike=105, anchor_price=3.50, alpha=2.5)
    result = pricer.price_range(strikes=[100, 105, 110, 120, 130, 140, 150], bsm_vol=0.20)
    assert math.isnan(result.pl_prices[0])
    assert result.reasons[0] == "not out of the money: 100 is not above the spot 100"
    assert result.reasons[1:] == ("",) * 6
    assert result.pl_prices[1] == 3.5
    assert result.pl_prices[3] == pytest.approx(3.5 * 4.0**-1.5)
    assert result.bsm_prices == pytest.approx(black_scholes_price(100.0, result.strikes, 1.0, 0.0, 0.2))
    assert (result.spot, result.alpha, result.anchor_strike, result.anchor_price) == (100.0, 2.5, 105.0, 3.5)
    # 1.5 * 3.5/5: no power law with this index has so dear an anchor
    assert pricer.anchor_probability == pytest.approx(1.05)
    assert "probability of 1.05" in result.notes[0]
    assert "105.05 is nearer to the spot than 105.099" in pricer.reason(105.05)


def test_deep_out_of_the_money_the_power_law_is_dearer():
    """With an anchor that Black and Scholes would quote too, every option further out is worth more."""
    anchor = black_scholes_price(100.0, 110.0, 0.25, 0.0, 0.2)
    strip = PowerLawPricer(100.0, 110.0, anchor, 3.0).price_range(np.arange(115.0, 200.0, 5.0), 0.2, 0.25)
    assert (strip.ratio > 1.0).all()
    assert (np.diff(strip.ratio) > 0.0).all()
    assert (np.diff(strip.pl_vols) > 0.0).all()
    back = black_scholes_price(100.0, strip.strikes, 0.25, 0.0, strip.pl_vols)
    assert back == pytest.approx(strip.pl_prices, rel=1e-9)


def test_the_law_of_prices():
    pricer = PowerLawPricer(100.0, 110.0, 2.0, 3.0, law="price")
    assert pricer.scale == pytest.approx(36.44308387191581, rel=1e-13)
    assert pricer.price_call(220.0) == pytest.approx(0.5)
    assert pricer.first_strike == pricer.scale
    with pytest.raises(ModelError, match="no puts"):
        PowerLawPricer(100.0, 90.0, 2.0, 3.0, is_call=False, law="price")


@given(INDICES, st.floats(1.0, 1e4), st.floats(0.01, 0.6), st.floats(1.0, 3.0), st.floats(1.0, 3.0), st.booleans())
def test_any_option_of_the_tail_is_as_good_an_anchor(alpha, spot, first, second, third, is_call):
    places = [first, first * second, first * second * third]
    a, b, c = (spot * (1.0 + x if is_call else math.exp(-x)) for x in places)
    price = 0.3 * (a - spot if is_call else spot - a) / (alpha + 1.0) if is_call else 0.01 * a
    near = PowerLawPricer(spot, a, price, alpha, is_call)
    side = PowerLawPricer.price_call if is_call else PowerLawPricer.price_put
    middle = side(near, b)
    if math.isnan(middle):  # before the law implied by the anchor begins
        assert near.reason(b).startswith("before the tail")
        return
    far = PowerLawPricer(spot, b, middle, alpha, is_call)
    assert side(far, c) == pytest.approx(side(near, c), rel=1e-9, nan_ok=True)
    assert far.scale == pytest.approx(near.scale, rel=1e-8)


@given(INDICES, st.floats(1.02, 1.5), st.floats(0.01, 0.9))
def test_calls_fall_are_convex_and_never_above_the_spot(alpha, out, share):
    anchor = 100.0 * out
    price = share * (anchor - 100.0) / (alpha - 1.0)
    if price >= 100.0:
        with pytest.raises(ModelError, match="not below the spot"):
            PowerLawPricer(100.0, anchor, price, alpha)
        return
    strikes = anchor + np.linspace(0.0, 300.0, 61)
    prices = PowerLawPricer(100.0, anchor, price, alpha).price_call(strikes)
    assert (prices <= 100.0).all()
    assert (np.diff(prices) < 0.0).all()
    assert (np.diff(prices, 2) > -1e-12 * price).all()  # rounding of a second difference


def test_inside_the_anchor_there_is_no_price():
    pricer = PowerLawPricer(100.0, 105.0, 1.0, 2.5)
    strikes = [90.0, 100.0, 100.01, 101.0, 104.9, -1.0, 0.0]
    assert np.isnan(pricer.price_call(strikes)).all()
    assert pricer.reason(100.01) == "inside the anchor: 100.01 is nearer to the spot than 105"
    assert pricer.reason(-1.0) == "no option: -1 is not above 0"
    assert math.isnan(pricer.price_call(100.01))
    assert pricer.reason(105.0) == ""


def test_the_threshold_may_be_nearer_than_the_anchor():
    pricer = PowerLawPricer(100.0, 120.0, 0.2, 3.0, threshold=110.0)
    assert pricer.price_call(112.0) == pytest.approx(0.2 * (12.0 / 20.0) ** -2)
    assert math.isnan(pricer.price_call(109.0))
    assert (
        pricer.reason(109.0) == "inside the threshold: 109 is nearer to the spot than 110, where the power law begins"
    )
    with pytest.raises(ModelError, match="lies inside the threshold 130"):
        PowerLawPricer(100.0, 120.0, 0.2, 3.0, threshold=130.0)


def test_a_put_needs_a_put_as_its_anchor():
    pricer = PowerLawPricer(100.0, 110.0, 0.95, 3.0)
    with pytest.raises(ModelError, match=r"price_put\(strike, anchor=\(strike, price\)\)"):
        pricer.price_put(80.0)
    assert pricer.price_put(80.0, anchor=(90.0, 1.0)) == pytest.approx(0.23045267489711938, rel=1e-12)
    puts = PowerLawPricer(100.0, 90.0, 1.0, 3.0, is_call=False)
    with pytest.raises(ModelError, match="is a put"):
        puts.price_call(120.0)
    assert puts.price_call(120.0, anchor=(110.0, 1.0)) == pytest.approx(0.25)
    strip = puts.price_range([110.0, 95.0, 90.0, 80.0, 0.001], 0.2, 0.25)
    assert [reason.split(":")[0] for reason in strip.reasons] == [
        "not out of the money",
        "inside the anchor",
        "",
        "",
        "",
    ]
    assert strip.pl_prices[-1] < 1e-9  # goes to nothing with the strike


def test_implied_volatilities_are_those_of_the_prices():
    strip = PowerLawPricer(100.0, 110.0, 0.95, 3.0).price_range([105.0, 120.0, 140.0], 0.25, 0.5, rate=0.03)
    assert math.isnan(strip.pl_vols[0])
    assert strip.pl_vols[1] == pytest.approx(implied_vol(strip.pl_prices[1], 100.0, 120.0, 0.5, 0.03))
    assert strip.bsm_vols.tolist() == [0.25, 0.25, 0.25]
    assert implied_vol(strip.bsm_prices[2], 100.0, 140.0, 0.5, 0.03) == pytest.approx(0.25, rel=1e-9)


def test_calibration_by_the_reference_name():
    assert PowerLawPricer.calibrate_alpha(100, [110, 120], [4.0, 1.0]) == pytest.approx(3.0, abs=1e-12)
    fit = PowerLawPricer.fit_alpha(100, [110, 120, 140], [4.0, 1.05, 0.25])
    assert fit.alpha == PowerLawPricer.calibrate_alpha(spot=100, strikes=[110, 120, 140], prices=[4.0, 1.05, 0.25])
    with pytest.raises(CalibrationError, match="missing"):
        PowerLawPricer.calibrate_alpha(100, [110], [4.0])
    steep = PowerLawPricer.calibrate_alpha(100, [110, 120], [4.0, 1e-4])  # not clamped to 10
    assert steep == pytest.approx(1.0 + math.log(4e4) / math.log(2.0))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((100.0, 105.0, 3.5, 1.0), "alpha=1.0 is not above 1"),
        ((100.0, 105.0, 3.5, 0.5), "alpha=0.5"),
        ((100.0, 105.0, 3.5, math.nan), "alpha=nan"),
        ((100.0, 100.0, 3.5, 2.5), "anchor_strike=100.0 is not above the spot"),
        ((100.0, 105.0, 3.5, 2.5, False), "anchor_strike=105.0 is not below the spot"),
        ((100.0, 105.0, 0.0, 2.5), "anchor_price=0.0"),
        ((100.0, 105.0, 100.0, 2.5), "not below the spot"),
        ((100.0, 90.0, 90.0, 2.5, False), "not below its strike"),
        ((-1.0, 105.0, 3.5, 2.5), "spot=-1.0"),
        ((100.0, "105", 3.5, 2.5), "anchor_strike='105' is not a number"),
        ((100.0, 105.0, 3.5, 2.5, True, "normal"), "law='normal' is unknown"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    with pytest.raises(ModelError, match=said):
        PowerLawPricer(*arguments)


def test_bad_strikes_are_named():
    pricer = PowerLawPricer(100.0, 105.0, 1.0, 2.5)
    for call in (pricer.price_call, pricer.price_range):
        with pytest.raises(ModelError, match="nan"):
            call([110.0, math.nan])
    with pytest.raises(ModelError, match="one list"):
        pricer.price_range([[110.0]])
    with pytest.raises(ModelError, match="bsm_vol=0"):
        pricer.price_range([110.0], 0.0)
    with pytest.raises(ModelError, match="T=-1"):
        pricer.price_range([110.0], 0.2, -1.0)


def test_a_strip_shows_and_exports_itself():
    strip = PowerLawPricer(100.0, 110.0, 0.95, 3.0).price_range([100.0, 120.0], 0.2, 0.25)
    assert "Power-law calls, α = 3, spot 100" in repr(strip)
    rows = list(strip.to_table())
    assert rows[0]["power_law_price"] is None or math.isnan(rows[0]["power_law_price"])
    assert rows[0]["reason"].startswith("not out of the money")
    assert len(strip) == 2
