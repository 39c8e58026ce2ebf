"""Lots: published examples, hand-worked sheets, units matched one by one, and identities that hold for any trades."""

from __future__ import annotations

import datetime as dt
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.trading_engine import LotMethod, Lots

DAY = dt.date(2026, 1, 5)


def traded(method, trades, **more):
    """Return the lots and all closings after trades of (quantity, price), one a day."""
    lots, closings = Lots(method, **more), []
    for i, (quantity, price) in enumerate(trades):
        lots, closed = lots.trade(quantity, price, DAY + dt.timedelta(days=i))
        closings += closed
    return lots, closings


def test_irs_first_in_first_out():
    # IRS, Publication 564 (2009), table 3: 160 shares at $25, 240 at $20, 10 at $30; 210 are sold at $32 for $6,720.
    # "$4,000 (cost of 160 shares on 2/6/08) + $1,000 (cost of 50 shares on 8/7/08), basis = $5,000".
    trades = [(160, 25.0), (240, 20.0), (10, 30.0), (-210, 32.0)]
    lots, closed = traded("fifo", trades)
    assert [(c.lot, c.quantity, float(c.cost)) for c in closed] == [("1", 160.0, 4_000.0), ("2", 50.0, 1_000.0)]
    assert sum(c.proceeds for c in closed) == 6_720
    assert sum(c.realised for c in closed) == 1_720.0
    assert (lots.quantity, lots.cost) == (200.0, Decimal("4100.00"))


def test_irs_average_basis():
    # The same publication, single-category method: 300 shares with a basis of $4,800 ($1,000 + $1,200 + $2,600), that
    # is $16 a share; the basis of 150 sold is $2,400. Table 3 by the same method: 210 of 410 shares that cost $9,100.
    lots, (closed,) = traded("average", [(100, 10.0), (100, 12.0), (100, 26.0), (-150, 20.0)])
    assert (closed.cost, closed.open_price, lots.price) == (Decimal("2400.00"), 16.0, 16.0)
    _, (closed,) = traded("average", [(160, 25.0), (240, 20.0), (10, 30.0), (-210, 32.0)])
    assert closed.cost == Decimal("4660.98")  # 9,100 x 210 / 410 = 4,660.9756


# By hand: 100 at 10, 50 at 14, 50 at 9; 120 sold at 15; then 100 more at 16, through zero, and 20 bought back at 12.
#
# method    cost of the 120            realised   of the 80 left     realised   short lot        of 20 at 12
# average   120 x 2,150/200 = 1,290    510.00     860.00             420.00     20 at 16 = 320   80.00
# fifo      1,000 + 20 x 14 = 1,280    520.00     420 + 450 = 870    410.00     the same         the same
# lifo      450 + 700 + 200 = 1,350    450.00     80 x 10 = 800      480.00     the same         the same
SHEET = [(100, 10.0), (50, 14.0), (50, 9.0), (-120, 15.0), (-100, 16.0), (20, 12.0)]


@pytest.mark.parametrize(
    ("method", "first", "second"), [("average", 510.0, 420.0), ("fifo", 520.0, 410.0), ("lifo", 450.0, 480.0)]
)
def test_hand_worked_sheet(method, first, second):
    lots, closings = traded(method, SHEET)
    by_day = [sum(c.realised for c in closings if c.closed == DAY + dt.timedelta(days=i)) for i in range(6)]
    assert by_day == [0.0, 0.0, 0.0, first, second, 80.0]
    assert first + second == 930.0  # both sum to what all 200 brought, less their cost: 3,080 - 2,150
    assert not lots.open_lots
    assert (lots.quantity, lots.price, lots.cost) == (0.0, None, 0)


def test_through_zero_closes_and_opens_the_rest():
    lots, (closed,) = traded("fifo", [(100, 10.0), (-150, 12.0)])
    assert (closed.quantity, closed.realised) == (100.0, 200.0)
    assert (lots.quantity, lots.price, lots.cost) == (-50.0, 12.0, Decimal("-600.00"))
    assert lots.unrealised(11.0) == 50.0
    lots, (closed,) = lots.trade(80, 11.0, DAY + dt.timedelta(days=9))
    assert (closed.quantity, closed.realised, closed.days) == (-50.0, 50.0, 8)
    assert (closed.open_price, closed.close_price) == (12.0, 11.0)
    assert (lots.quantity, lots.price) == (30.0, 11.0)


def test_named_lots():
    lots = Lots("named")
    lots, _ = lots.trade(100, 10.0, DAY, lot="A")
    lots, _ = lots.trade(100, 12.0, DAY, lot="B")
    lots, _ = lots.trade(100, 11.0, DAY)
    assert [lot.id for lot in lots.open_lots] == ["A", "B", "3"]
    lots, closed = lots.trade(-120, 15.0, DAY, closes=["B", "3"])
    assert [(c.lot, c.quantity, c.realised) for c in closed] == [("B", 100.0, 300.0), ("3", 20.0, 80.0)]
    lots, closed = lots.trade(-60, 15.0, DAY, closes={"3": 50, "A": 10})
    assert [(c.lot, c.realised) for c in closed] == [("3", 200.0), ("A", 50.0)]
    after, closed = lots.trade(-200, 9.0, DAY)  # all of it, so no name is needed
    assert [c.lot for c in closed] == ["A", "3"]
    assert after.quantity == -80.0


@pytest.mark.parametrize(
    ("quantity", "more", "said"),
    [
        (-50, {}, "no lot is named; name lots of 'A' \\(100 at 10\\), 'B' \\(100 at 12\\)"),
        (-50, {"closes": ["C"]}, "there is no open lot 'C'; name lots of 'A'"),
        (-150, {"closes": ["A"]}, "account for 100 units of 150 to close"),
        (-150, {"closes": {"A": 110, "B": 40}}, "lot 'A' has 100 units, not 110"),
        (-50, {"closes": {"A": 20}}, "account for 20 units of 50"),
        (-50, {"closes": {"A": float("nan")}}, "closes\\['A'\\]=nan is not a number above 0"),
        (-50, {"closes": ["A", "A"]}, "named twice"),
        (50, {"closes": ["A"]}, "the trade closes none; leave them out"),
        (50, {"lot": "A"}, "lot='A' is open already"),
        (-50, {"closes": ["A"], "lot": "N"}, "the trade opens none; leave it out"),
        (0, {}, "quantity=0 is not a number other than 0"),
        (float("nan"), {}, "quantity=nan is not a number"),
        (True, {}, "quantity=True is not a number"),
        ("5", {}, "quantity='5' is not a number"),
        (50, {"lot": ["N"]}, r"lot=\['N'\] is not text"),
        (-50, {"closes": [3]}, "closes=\\[3\\] is not"),
    ],
)
def test_bad_trades_are_refused(quantity, more, said):
    lots = Lots("named")
    for name, price in (("A", 10.0), ("B", 12.0)):
        lots, _ = lots.trade(100, price, DAY, lot=name)
    with pytest.raises(TradingError, match=said):
        lots.trade(quantity, 11.0, DAY, **more)


def test_bad_prices_dates_and_settings_are_refused():
    lots, _ = Lots("fifo").trade(100, 10.0, DAY)
    with pytest.raises(TradingError, match="price=inf is not a number"):
        lots.trade(1, float("inf"), DAY)
    with pytest.raises(TradingError, match="when=2026-01-04 is before 2026-01-05, the opening of lot '1'"):
        lots.trade(1, 10.0, "2026-01-04")
    with pytest.raises(TradingError, match="when='soon' is not a date"):
        lots.trade(1, 10.0, "soon")
    with pytest.raises(TradingError, match="the method is fifo; use named"):
        lots.trade(-1, 10.0, DAY, closes=["1"])
    with pytest.raises(TradingError, match="method='fiffo' is no way to choose lots; did you mean 'fifo'"):
        Lots("fiffo")
    with pytest.raises(TradingError, match="digits=19"):
        Lots(digits=19)
    with pytest.raises(TradingError, match="multiplier=0 is not a number above 0"):
        Lots(multiplier=0)
    with pytest.raises(TradingError, match="has one lot; leave the name out"):
        Lots("average").trade(1, 1.0, DAY, lot="A")


def by_units(method, trades):
    """Return the realised P&L in cents, by matching single units: an oracle for fifo and lifo."""
    held, realised = deque(), 0
    for quantity, cents in trades:
        for _ in range(abs(quantity)):
            side = 1 if quantity > 0 else -1
            if held and held[0][0] != side:
                other, opened = held.popleft() if method == "fifo" else held.pop()
                realised += other * (cents - opened)
            else:
                held.append((side, cents))
    return realised, sorted(held)


TRADES = st.lists(st.tuples(st.integers(-30, 30).filter(bool), st.integers(1, 5_000)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(TRADES, st.sampled_from(["fifo", "lifo"]))
def test_fifo_and_lifo_match_units_one_by_one(trades, method):
    lots, closings = traded(method, [(q, cents / 100) for q, cents in trades])
    realised, held = by_units(method, trades)
    assert sum(c.gain for c in closings) * 100 == realised
    sides = [(1 if lot.units > 0 else -1, int(100 * lot.cost / lot.units)) for lot in lots.open_lots]
    counts = [int(abs(lot.units)) for lot in lots.open_lots]
    assert sorted(side for side, count in zip(sides, counts, strict=True) for _ in range(count)) == held


FLOATS = st.tuples(
    st.floats(-1e4, 1e4, allow_nan=False).filter(lambda x: abs(x) > 1e-3), st.floats(0.0, 1e4, allow_nan=False)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=10), st.floats(0.0, 1e4), st.sampled_from([0, 2, 8]))
def test_realised_and_unrealised_are_flows_and_value(trades, price, digits):
    """For any trades, by each method: realised + unrealised = value - all that was paid, exactly."""
    paid = Fraction(0)
    for quantity, at in trades:
        paid += round(Fraction(repr(quantity)) * Fraction(repr(at)) * 10, digits)
    for method in ("average", "fifo", "lifo"):
        lots, closings = traded(method, trades, digits=digits, multiplier=10.0)
        value = lots.value(price)
        total = sum((c.gain for c in closings), Decimal(0)) + value - lots.cost
        assert Fraction(total) == Fraction(value) - paid
        assert Fraction(lots.units) == sum(Fraction(repr(q)) for q, _ in trades)
        assert len({lot.units > 0 for lot in lots.open_lots}) <= 1


@settings(max_examples=40, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=8), st.floats(0.0, 1e4))
def test_methods_agree_once_flat(trades, price):
    totals = set()
    for method in ("average", "fifo", "lifo", "named"):
        lots, gain = Lots(method), Decimal(0)
        for quantity, at in trades:
            closes = None
            if method == "named" and lots.units * Decimal(repr(quantity)) < 0:
                closes = [lot.id for lot in reversed(lots.open_lots)]
            lots, closed = lots.trade(quantity, at, DAY, closes=closes)
            gain += sum(c.gain for c in closed)
        if lots.open_lots:
            lots, closed = lots.exchange(-lots.units, price, DAY)
            gain += sum(c.gain for c in closed)
        assert not lots.open_lots
        totals.add(gain)
    assert len(totals) == 1


def test_cents_are_never_lost_in_thirds():
    lots, _ = Lots("average").trade(3, 33.33, DAY)  # 99.99
    lots, _ = lots.trade(1, 0.02, DAY)  # 100.01 for four
    costs = []
    for _ in range(4):
        lots, (closed,) = lots.trade(-1, 25.0, DAY)
        costs.append(closed.cost)
    assert sum(costs) == Decimal("100.01")
    assert max(costs) - min(costs) <= Decimal("0.01")


def test_a_sum_of_floats_closes_the_position():
    lots, _ = Lots("fifo").trade(0.1, 50.0, DAY)
    lots, _ = lots.trade(0.2, 50.0, DAY)
    lots, _ = lots.trade(-(0.1 + 0.2), 50.0, DAY)  # 0.30000000000000004
    assert lots.open_lots == ()
    many, _ = Lots().trade(100 / 3, 7.0, DAY)
    assert many.trade(-33.333333333333336, 7.0, DAY)[0].quantity == 0.0


def test_scales_and_kinds_of_numbers():
    for scale in (1e-6, 1.0, 1e9):
        _, closed = traded("fifo", [(2 * scale, 3.0), (-scale, 4.0)], digits=8)
        assert sum(c.realised for c in closed) == pytest.approx(scale, rel=1e-12)
    for quantity in (np.int64(3), np.float32(3.0), 3):
        assert Lots().trade(quantity, np.float64(2.0), np.datetime64("2026-01-05"))[0].cost == 6
    with pytest.raises(TradingError, match="give a finite one up to 1e15"):
        Lots().trade(1e16, 1.0, DAY)


def test_split_keeps_cost_and_the_total():
    lots, _ = traded("fifo", [(1, 10.0), (1, 11.0), (1, 12.0)])
    thirds = lots.scaled(Decimal(1), Decimal(3))
    assert thirds.units == 1  # each third is rounded, their total is not
    assert thirds.cost == lots.cost
    assert thirds.scaled(Decimal(3), Decimal(1)).quantity == 3.0


def test_table_and_method():
    lots, _ = traded("lifo", [(1, 10.0), (2, 11.0)])
    assert list(lots.to_table())[1] == {
        "lot": "2",
        "quantity": 2.0,
        "price": 11.0,
        "cost": 22.0,
        "opened": "2026-01-06",
    }
    assert LotMethod.of(" FIFO ") is LotMethod.FIFO
    assert "total" in repr(lots)
