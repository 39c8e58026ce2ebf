"""Hull's two paths, and hedges along any path."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.taleb.hull_paths import HULL_IN_THE_MONEY, HULL_OUT_OF_THE_MONEY, hull_paths, replay_hedge


def test_the_two_paths():
    """Hull prints 263,300 and 256,600. On the printed prices, in cents, exact deltas give the figures here; the deltas
    rounded to three digits, as printed, 263,338 and 256,338. Half a cent of rounding on trades of 10,000 to 25,000
    shares is worth some hundreds, so the exact figures are the right ones for these prices."""
    inside, outside = hull_paths()
    assert inside.cost == pytest.approx(263241.6496641179, abs=1e-6)
    assert outside.cost == pytest.approx(256541.93957866484, abs=1e-6)
    assert abs(inside.cost - 263_300) < 100
    assert abs(outside.cost - 256_600) < 100
    assert inside.premium == pytest.approx(240052.73232717137, abs=1e-6)
    assert (inside.exercised, outside.exercised) == (True, False)


def test_rounded_deltas_are_those_printed():
    """Hull's columns: shares bought 52,200, then -6,400 and -5,800; 52,200, then 4,600 and 13,700."""
    terms = {"strike": 50.0, "expiry": 20 / 52, "vol": 0.2, "rate": 0.05, "calls": 100_000.0, "delta_digits": 3}
    inside, outside = (replay_hedge(path, **terms) for path in (HULL_IN_THE_MONEY, HULL_OUT_OF_THE_MONEY))
    assert inside.shares_bought[:3] == pytest.approx([52_200, -6_400, -5_800])
    assert outside.shares_bought[:3] == pytest.approx([52_200, 4_600, 13_700])
    assert outside.deltas[-3:] == pytest.approx([0.183, 0.007, 0.0])
    assert inside.cost_of_shares[0] == pytest.approx(2_557_800.0)
    assert round(inside.interest[0], -2) == 2_500.0
    assert inside.cost == pytest.approx(263338.4932423113, abs=1e-6)


@given(
    st.lists(st.floats(0.2, 5.0), min_size=2, max_size=30),
    st.floats(0.3, 3.0),
    st.floats(-0.05, 0.2),
    st.floats(0.05, 1.0),
)
def test_the_debt_is_the_discounted_sum(prices, strike, rate, vol):
    """The discounted cost is payoff plus shares' losses, whatever the path: no money is made or lost by the table."""
    replay = replay_hedge(prices, strike, 0.5, vol, rate)
    steps = len(prices) - 1
    discounted = np.array(prices) * np.exp(-rate * 0.5 * np.arange(steps + 1) / steps)
    gain = float(np.sum(replay.deltas[:-1] * np.diff(discounted)))
    payoff = max(discounted[-1] - strike * math.exp(-rate * 0.5), 0.0) if prices[-1] > strike else 0.0
    assert replay.discounted_cost == pytest.approx(payoff - gain, abs=1e-9)
    assert replay.loss == pytest.approx(replay.discounted_cost - replay.premium)
    assert float(np.sum(replay.shares_bought)) == pytest.approx(float(prices[-1] > strike), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: replay_hedge([50.0], 50.0, 1.0, 0.2), "at least 2 rows"),
        (lambda: replay_hedge([50.0, math.nan], 50.0, 1.0, 0.2), "prices: row 1 is nan"),
        (lambda: replay_hedge([50.0, 0.0], 50.0, 1.0, 0.2), "prices: row 1 is 0.0"),
        (lambda: replay_hedge([50.0, 51.0], 0.0, 1.0, 0.2), "strike=0.0"),
        (lambda: replay_hedge([50.0, 51.0], 50.0, -1.0, 0.2), "expiry=-1.0"),
        (lambda: replay_hedge([50.0, 51.0], 50.0, 1.0, 0.2, math.inf), "rate=inf"),
        (lambda: replay_hedge([50.0, 51.0], 50.0, 1.0, 0.2, delta_digits=-1), "delta_digits=-1"),
    ],
)
def test_bad_arguments_are_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_a_path_shows_and_exports_itself():
    inside, outside = hull_paths()
    assert "Hedge of 100,000 calls at 50, which end in the money" in repr(inside)
    assert "out of the money" in repr(outside)
    rows = list(outside.to_table())
    assert len(rows) == 21
    assert rows[0]["delta"] == pytest.approx(0.5216, abs=5e-5)


def test_a_rate_beyond_all_numbers_is_refused():
    with pytest.raises(ModelError, match="rate=20 over 50 years"):
        replay_hedge([100.0, 110.0], 100.0, 50.0, 0.2, rate=20.0)
