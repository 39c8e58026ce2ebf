"""Market impact: the table of Almgren et al., powers, units and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models import (
    almgren_impact,
    leland_number,
    leland_volatility,
    linear_impact,
    power_impact,
    square_root_impact,
)
from bank_python.risk_models.black_scholes import black_scholes_price

PARTS = ("permanent", "temporary", "realised")
IBM = {"adv": 6.561e6, "daily_vol": 0.0157, "shares_outstanding": 1.728e9}
DRI = {"adv": 1.929e6, "daily_vol": 0.0226, "shares_outstanding": 1.68e8}


# Almgren, Thum, Hauptmann and Li (2005), table 3: an order of a tenth of the daily volume; permanent, temporary and
# realised impact in basis points.
@pytest.mark.parametrize(
    ("stock", "days", "expected"),
    [
        (IBM, 0.1, (20, 22, 32)),
        (IBM, 0.2, (20, 15, 25)),
        (IBM, 0.5, (20, 8, 18)),
        (DRI, 0.1, (22, 32, 43)),
        (DRI, 0.2, (22, 21, 32)),
        (DRI, 0.5, (22, 12, 23)),
    ],
)
def test_the_table_of_the_paper(stock, days, expected):
    found = almgren_impact(-0.1 * stock["adv"], days=days, **stock)
    assert tuple(round(1e4 * part) for part in (found.permanent, found.temporary, found.realised)) == expected
    in_money = {**stock, "adv": 40.0 * stock["adv"], "shares_outstanding": 40.0 * stock["shares_outstanding"]}
    again = almgren_impact(0.1 * in_money["adv"], days=days, **in_money)
    assert again.realised == pytest.approx(found.realised, rel=1e-12)


def test_roots_and_shares():
    assert square_root_impact(25.0, 100.0, 0.02) == pytest.approx(0.01, rel=1e-15)
    assert linear_impact(25.0, 100.0, 0.02, 2.0) == pytest.approx(0.01, rel=1e-15)
    assert power_impact(25.0, 100.0, 0.02, 0.142, 0.6) == pytest.approx(0.142 * 0.02 * 0.25**0.6, rel=1e-15)
    assert almgren_impact(25.0, 100.0, 0.02, 1e4, 1.0).temporary == pytest.approx(0.142 * 0.02 * 0.25**0.6, rel=1e-15)
    assert almgren_impact(0.0, 100.0, 0.02, 1e4, 1.0, beta=0.0).to_dict() == dict.fromkeys(PARTS, 0.0)


def test_arguments_broadcast():
    found = square_root_impact([1.0, 4.0], [[100.0], [400.0]], 0.02)
    assert found == pytest.approx(np.array([[0.002, 0.004], [0.001, 0.002]]))
    parts = almgren_impact([1.0, 0.0], 100.0, 0.02, 1e4, [[1.0], [2.0]])
    assert parts.permanent.shape == parts.temporary.shape == parts.realised.shape == (2, 2)
    assert (parts.realised[:, 1] == 0.0).all()


@settings(max_examples=50)
@given(
    share=st.floats(1e-9, 10.0),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
    vol=st.floats(0.0, 1.0),
    exponent=st.floats(0.1, 1.0),
)
def test_larger_orders_cost_more_and_units_do_not_matter(share, scale, vol, exponent):
    small, large = power_impact([share * scale, 2.0 * share * scale], scale, vol, 1.0, exponent)
    assert 0.0 <= small <= large <= 2.0 * small + 1e-300
    assert power_impact(share, 1.0, vol, 1.0, exponent) == pytest.approx(small, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: square_root_impact(1.0, 0.0, 0.02), r"adv=0.0 is not above 0; give the average daily volume"),
        (lambda: square_root_impact(1.0, 1.0, 2.0), r"daily_vol=2.0 is not at least 0 and at most 1; for 2 per cent"),
        (lambda: square_root_impact([1.0, np.nan], 1.0, 0.02), "quantity=nan is not a finite number"),
        (lambda: square_root_impact(1.0, 1.0, 0.02, -1.0), "coefficient=-1.0 is not at least 0; give a finite number"),
        (lambda: square_root_impact([1.0, 2.0], [1.0, 2.0, 3.0], 0.02), r"shapes \(2,\), \(3,\) do not broadcast"),
        (lambda: power_impact(1.0, 1.0, 0.02, 1.0, 1.5), r"exponent=1.5 is outside \(0, 1\]"),
        (lambda: linear_impact(1e300, 1e-300, 0.02), "too large to be computed; check that quantity and adv"),
        (lambda: almgren_impact(1.0, 1.0, 0.02, -5.0, 1.0), "shares_outstanding=-5.0 is not above 0"),
        (lambda: almgren_impact(1.0, 1.0, 0.02, 5.0, 0.0), "days=0.0 is not above 0"),
        (lambda: almgren_impact(1.0, 1.0, 0.02, 5.0, 1.0, beta=3.0), "beta=3.0 is not .* those of the paper"),
        (
            lambda: leland_volatility(0.2, 0.01, 1 / 5_000, is_short=False),
            r"Leland number is 2.821: .*\(a longer interval\)",
        ),
        (lambda: leland_volatility(20.0, 1.2, 1 / 52), "round_trip_cost=1.2 .* for 1 per cent give 0.01"),
        (lambda: leland_number(0.2, 0.01, 0.0), "interval=0.0 is not above 0; give years: 1/52 for a week"),
        (lambda: leland_number([0.2, 0.3], 0.01, [1.0, 2.0, 3.0]), "do not broadcast; give one figure for each option"),
        (lambda: leland_number(1e-300, 0.5, 1e-300), "too large to be computed; check vol and interval"),
    ],
)
def test_refused(call, said):
    with pytest.raises(ModelError, match=said):
        call()


# Leland (1985); price and numbers computed with the closed forms in another library.
@pytest.mark.parametrize(
    ("cost", "interval", "number", "sold", "bought", "price"),
    [
        (0.01, 1 / 52, 0.28768136958757956, 0.22695209799317384, 0.1687979419794472, 5.811149752637803),
        (0.005, 1 / 12, 0.06909882989426709, 0.20679447090232053, 0.19296643958012316, 5.425062565626426),
        (0.01, 1 / 252, 0.6333012368467128, 0.2556013487324911, 0.12111131460822103, 6.362485000299941),
    ],
)
def test_leland(cost, interval, number, sold, bought, price):
    assert leland_number(0.2, cost, interval) == pytest.approx(number, rel=1e-14)
    assert leland_volatility(0.2, cost, interval) == pytest.approx(sold, rel=1e-14)
    assert leland_volatility(0.2, cost, interval, is_short=False) == pytest.approx(bought, rel=1e-14)
    assert black_scholes_price(100.0, 100.0, 0.25, 0.1, sold) == pytest.approx(price, rel=1e-8)
    assert leland_volatility([0.2, 0.3], 0.0, interval) == pytest.approx([0.2, 0.3])
