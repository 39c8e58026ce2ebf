"""Realised P&L of many fills at once: against a walk unit by unit, against lots, and by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.trading_engine import Lots, fifo_gains

DAY = dt.date(2026, 1, 5)


def test_by_hand_through_zero():
    """100 bought at 10, 150 sold at 15 and 12: the last 50 open a short position, half of which is closed at 11."""
    found = fifo_gains([100, -60, -90, 25], [10.0, 15.0, 12.0, 11.0], multiplier=2.0)
    assert found.gains.tolist() == [0.0, 2 * 300.0, 2 * 80.0, 2 * 25.0]
    assert found.closed.tolist() == [0.0, 60.0, 40.0, 25.0]
    assert (found.realised, found.quantity, found.cost) == (810.0, -25.0, -600.0)
    assert [row["gain"] for row in found.to_table()] == found.gains.tolist()
    assert "held: -25, paid for it: -600.00" in " ".join(repr(found).split())


@given(st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 900)), min_size=1, max_size=25))
def test_equal_to_a_walk_unit_by_unit_and_to_lots(fills):
    quantities, cents = [q for q, _ in fills], [p for _, p in fills]
    queue, gains, lots = [], [], Lots("fifo")
    for quantity, price in fills:
        sign, gain = (1 if quantity > 0 else -1), 0
        for _ in range(abs(quantity)):
            if queue and queue[0][0] == -sign:
                gain += -sign * (price - queue.pop(0)[1])
            else:
                queue.append((sign, price))
        gains.append(gain / 100)
        lots, _ = lots.trade(quantity, price / 100, DAY)
    found = fifo_gains(quantities, np.array(cents) / 100)
    assert found.gains == pytest.approx(gains, abs=1e-9)
    assert (found.quantity, found.cost) == pytest.approx((lots.quantity, float(lots.cost)), abs=1e-9)


@given(st.lists(st.integers(-300, 300).filter(bool), min_size=1, max_size=40), st.sampled_from([1e-8, 0.001, 0.1, 7.0]))
def test_a_holding_that_is_closed_leaves_no_rest(steps, step):
    """Tenths have no exact floats, and their sums have rounding; units are counted as whole numbers of steps."""
    quantities = np.array([*steps, -sum(steps)] if sum(steps) else steps) * step
    found = fifo_gains(quantities, np.linspace(1.0, 2.0, len(quantities)))
    assert (found.quantity, found.cost) == (0.0, 0.0)
    assert found.closed.sum() == pytest.approx(np.abs(quantities).sum() / 2)


def test_units_without_a_common_step():
    quantities = [1.0 / 3.0, 1e9 / 7.0, -1e9 / 7.0, -0.1]
    found = fifo_gains(quantities, [1.0, 2.0, 3.0, 4.0])
    assert found.quantity == pytest.approx(1.0 / 3.0 - 0.1, abs=1e-6)
    assert found.realised == pytest.approx(2.0 / 3.0 + (1e9 / 7.0 - 1.0 / 3.0) + 0.2, rel=1e-9)


@pytest.mark.parametrize(
    ("quantities", "prices", "said"),
    [
        ([1.0, 0.0], [1.0, 1.0], r"quantities\[1\] is 0"),
        ([1.0, -1.0], [1.0], "one price for each fill"),
        ([[1.0]], [[1.0]], "in one row"),
        ([np.nan], [1.0], "quantities=nan"),
        ([1.0], [np.inf], "prices=inf"),
        ([1e16], [1.0], "quantities=1e"),
    ],
)
def test_bad_fills_are_named(quantities, prices, said):
    with pytest.raises(TradingError, match=said):
        fifo_gains(quantities, prices)


def test_no_fills():
    found = fifo_gains([], [])
    assert (len(found), found.realised, found.quantity, found.cost) == (0, 0.0, 0.0, 0.0)
    assert fifo_gains(1.0, 2.0).cost == 2.0
