"""Margin: published examples, and a liquidation that closes no more than it needs to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.trading_engine import (
    DepositEvent,
    FillEvent,
    Ledger,
    MarginPosition,
    MarginRates,
    liquidation_plan,
    margin_positions,
    margin_state,
)

DAY = "2026-01-05"


def test_sec_example():
    # SEC, Investor Bulletin: Understanding Margin Accounts: $16,000 of securities, half of it borrowed. At $12,000 the
    # equity is $4,000; 25 percent are $3,000, enough; a firm's 40 percent are $4,800, and the margin call is $800.
    ledger = Ledger()
    ledger.book_all([DepositEvent(DAY, 8_000.0), FillEvent(DAY, "XYZ", 1_000, 16.0)])
    opened = margin_state(8_000.0, margin_positions(ledger.statement({"XYZ": 16.0})))
    assert (opened.initial, opened.excess, opened.leverage) == (8_000.0, 0.0, 2.0)
    statement = ledger.statement({"XYZ": 12.0})
    assert statement.equity == 4_000.0
    legal = margin_state(statement.equity, margin_positions(statement))
    assert (legal.maintenance, legal.call) == (3_000.0, 0.0)
    firm = margin_positions(statement, {"XYZ": MarginRates(0.5, 0.4)})
    assert (margin_state(4_000.0, firm).maintenance, margin_state(4_000.0, firm).call) == (4_800.0, 800.0)
    plan = liquidation_plan(4_000.0, firm)
    assert plan.orders[0].exposure == pytest.approx(2_000.0)  # call / 40%
    assert plan.after.call == 0.0
    assert plan.after.maintenance == pytest.approx(4_000.0)


def test_trigger_prices_by_hand():
    # FINRA 4210: a debit of 5,000 is called below 5,000 / 0.75 = 6,666.67 of long, a credit of 9,000 above
    # 9,000 / 1.3 = 6,923.08 of short market value.
    for sign, cash, trigger in ((1, -5_000.0, 5_000 / 0.75), (-1, 9_000.0, 9_000 / 1.3)):
        for move, called in ((1.0 - 1e-9, sign > 0), (1.0 + 1e-9, sign < 0)):
            value = sign * trigger * move
            state = margin_state(cash + value, {"X": MarginPosition(sign * 100, trigger * move / 100)})
            assert (state.call > 0.0) is called


def test_leverage_caps():
    rates = MarginRates.from_leverage(10)
    assert (rates.initial, rates.maintenance, rates.short_maintenance) == (0.1, 0.05, 0.05)
    state = margin_state(1_000.0, {"PERP": MarginPosition(-0.2, 50_000.0, rates)})
    assert (state.initial, state.maintenance, state.excess, state.leverage) == (1_000.0, 500.0, 0.0, 10.0)


def test_the_largest_risk_is_closed_first():
    held = {
        "small": MarginPosition(100, 10.0),
        "large": MarginPosition(-100, 40.0),
        "middle": MarginPosition(50, 50.0, step=1.0),
    }
    plan = liquidation_plan(500.0, held, cost=0.001)
    # required: 250 + 1,200 + 625; all of the short (1,200, cost 4) leaves 875 against 496; then 379 / (0.25 - 0.001)
    # of exposure is 30.44 shares of the middle, 31 of them
    assert [(o.instrument, o.quantity, o.is_whole) for o in plan.orders] == [
        ("large", 100.0, True),
        ("middle", -31.0, False),
    ]
    assert plan.orders[0].cost == pytest.approx(4.0)
    assert plan.after.call == 0.0
    assert plan.after.equity == pytest.approx(500.0 - 4.0 - 1.55)
    by_risk = {name: MarginPosition(p.quantity, p.price, risk=float(i)) for i, (name, p) in enumerate(held.items())}
    assert liquidation_plan(500.0, by_risk).orders[0].instrument == "middle"


def test_no_call_no_orders_and_ruin_is_said():
    fine = liquidation_plan(1_000.0, {"X": MarginPosition(10, 100.0)})
    assert (fine.orders, fine.before, fine.shortfall) == ((), fine.after, 0.0)
    ruined = liquidation_plan(-300.0, {"X": MarginPosition(10, 100.0), "Y": MarginPosition(5, 0.0)}, cost=0.01)
    assert [order.is_whole for order in ruined.orders] == [True]
    assert (ruined.after.gross, ruined.shortfall) == (0.0, 310.0)
    assert margin_state(-1.0, {}).leverage is None


POSITIONS = st.dictionaries(
    st.text("ABCDEF", min_size=1, max_size=2),
    st.builds(
        MarginPosition,
        st.floats(-1e4, 1e4).filter(lambda x: abs(x) > 1e-9),
        st.floats(0.01, 1e3),
        st.sampled_from([MarginRates(), MarginRates(0.5, 0.4), MarginRates.from_leverage(20)]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(POSITIONS, st.floats(0.0, 1.2), st.sampled_from([0.0, 0.002]))
def test_liquidation_meets_maintenance_and_closes_no_more(positions, share, cost):
    equity = share * margin_state(0.0, positions).maintenance
    plan = liquidation_plan(equity, positions, cost=cost)
    assert plan.after.call <= 1e-9 * plan.before.maintenance or plan.after.gross == 0.0
    risks = [positions[order.instrument].maintenance for order in plan.orders]
    assert risks == sorted(risks, reverse=True)
    assert all(order.is_whole for order in plan.orders[:-1])
    assert all(order.quantity * positions[order.instrument].quantity < 0 for order in plan.orders)
    if plan.orders and not plan.orders[-1].is_whole:
        assert plan.after.equity == pytest.approx(plan.after.maintenance, rel=1e-9, abs=1e-9)
    assert plan.after.equity == pytest.approx(equity - math.fsum(order.cost for order in plan.orders))
    assert bool(plan.orders) is (plan.before.call > 0.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: MarginRates(0.0), "initial=0.0 is not a number above 0"),
        (lambda: MarginRates(0.2, 0.3), "maintenance=0.3 is above initial=0.2"),
        (lambda: MarginRates.from_leverage(0), "leverage=0 is not a number above 0"),
        (lambda: MarginPosition(float("nan"), 1.0), "quantity=nan"),
        (lambda: MarginPosition(1.0, 1.0, 0.5), "rates=0.5 are no MarginRates"),
        (lambda: MarginPosition(1.0, 1.0, step=-1.0), "step=-1.0"),
        (lambda: margin_state(float("inf"), {}), "equity=inf"),
        (lambda: margin_state(1.0, {"X": 5.0}), "positions=.* in which each is a MarginPosition"),
        (
            lambda: liquidation_plan(1.0, {"X": MarginPosition(1, 1.0)}, cost=0.25),
            "cost=0.25 is not below the .* of 'X'",
        ),
        (lambda: liquidation_plan(1.0, {}, buffer=-0.1), "buffer=-0.1"),
        (lambda: margin_positions(5), "statement=5 is not a Statement"),
    ],
)
def test_bad_arguments(call, said):
    with pytest.raises(TradingError, match=said):
        call()


def test_missing_rates_are_named():
    ledger = Ledger()
    ledger.book_all([DepositEvent(DAY, 100.0), FillEvent(DAY, "X", 1, 10.0)])
    with pytest.raises(TradingError, match="no rates for 'X'"):
        margin_positions(ledger.statement({"X": 10.0}), {"Y": MarginRates()})


def test_views():
    plan = liquidation_plan(500.0, {"X": MarginPosition(100, 40.0)})
    assert "call" in repr(plan)
    assert next(iter(plan.to_table()))["instrument"] == "X"
    assert plan.before.to_dict() == {"equity": 500.0, "gross": 4_000.0, "initial": 2_000.0, "maintenance": 1_000.0}
