"""Cash paid by contracts between two dates, against prices, schedules and amounts computed by hand."""

import datetime as dt
import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python import Bond, Clock, CreditDefaultSwap, Equity, MarketData, Option, Position
from bank_python.barbara import BarbaraDB
from bank_python.dagger import Source, Term
from bank_python.errors import InstrumentError, ValuationError
from bank_python.instruments import (
    AmericanOption,
    BarrierOption,
    DigitalOption,
    Expiry,
    FloatingBond,
    ForwardOption,
    FXForward,
    FXOption,
    InterestRateSwap,
    PerpetualFuture,
)
from bank_python.instruments.cash_flows import cash_between, end_of, is_over
from bank_python.instruments.instrument import DatedInstrument
from bank_python.risk_models.bond_flows import flow_times
from bank_python.risk_models.cash_paid import bond_paid, cds_premium_paid
from bank_python.risk_models.premium_schedule import quarterly_schedule

CLOCK = Clock("CLOCK", origin=dt.date(2026, 1, 2))
SPOT = {"vol_source": 0.2, "rate_source": 0.03, "expiry": 0.5, "clock_source": CLOCK}
BOND = {"rate_source": 0.04, "face": 100.0, "coupon_rate": 0.06, "clock_source": CLOCK}

years = st.floats(0.05, 12.0)
frequencies = st.sampled_from([1.0, 2.0, 4.0, 12.0])


# --- the array functions ---------------------------------------------------------------------------------------------


@given(years, st.floats(0.0, 1.2), frequencies)
def test_paid_and_future_cash_flows_of_a_bond_add_up(maturity, share, frequency):
    elapsed = share * maturity
    gone = len(flow_times(maturity, 0.0, frequency)) - len(flow_times(maturity, elapsed, frequency))
    repaid = 100.0 if len(flow_times(maturity, elapsed, frequency)) == 0 else 0.0
    assert bond_paid(100.0, 0.06, maturity, elapsed, frequency) == pytest.approx(gone * 6.0 / frequency + repaid)


@pytest.mark.parametrize("due", [0.5, 1.0, 1.5, 2.0])
def test_a_bonds_price_falls_by_what_it_pays(due):
    bond = Bond("B", maturity=2.0, frequency=2, **BOND)
    before, after = (Bond.price(at, 0.04, 0.0, 100.0, 0.06, 2.0, 2.0, 2.0) for at in (due - 1e-8, due))
    paid = cash_between(bond, due - 1e-8, due)
    assert paid == pytest.approx(103.0 if due == 2.0 else 3.0)
    assert before - after == pytest.approx(paid, abs=1e-5)


def test_an_invalid_row_gives_nan():
    assert np.isnan(bond_paid([100.0, math.nan], 0.06, [-1.0, 2.0], 0.5)).all()
    assert np.isnan(cds_premium_paid(1e6, 0.01, [-1.0, math.inf], 0.5)).all()
    assert bond_paid(100.0, 0.06, 2.0, -0.5) == 0.0
    assert cds_premium_paid(1e6, 0.01, 0.6, -0.5) == 0.0


@given(st.floats(0.01, 10.0))
def test_premiums_are_those_of_the_schedule_from_creation_on(maturity):
    schedule = quarterly_schedule(maturity)
    whole = 1e6 * 0.05 * (math.fsum(schedule.fractions) - schedule.accrued)
    assert cds_premium_paid(1e6, 0.05, maturity, maturity) == pytest.approx(whole, rel=1e-9)
    for count, payment in enumerate(schedule.payments.tolist(), start=1):
        paid = 1e6 * 0.05 * (math.fsum(schedule.fractions[:count]) - schedule.accrued)
        assert cds_premium_paid(1e6, 0.05, maturity, payment) == pytest.approx(paid, rel=1e-9)


# --- contracts -------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 1500), min_size=2, max_size=8), frequencies)
def test_cash_between_adds_up_and_counts_nothing_twice(days, frequency):
    bond = Bond("B", maturity=3.3, frequency=frequency, **BOND)
    stops = [day / 365 for day in sorted(days)]
    parts = [cash_between(bond, since, until) for since, until in pairwise(stops)]
    assert math.fsum(parts) == pytest.approx(cash_between(bond, stops[0], stops[-1]), abs=1e-9)


@pytest.mark.parametrize(
    ("contract", "paid"),
    [
        (Option("C", spot_source=107.0, strike=100.0, **SPOT), 7.0),
        (Option("P", spot_source=107.0, strike=110.0, is_call=False, **SPOT), 3.0),
        (AmericanOption("A", spot_source=107.0, strike=100.0, **SPOT), 7.0),
        (DigitalOption("D", spot_source=107.0, strike=100.0, cash=9.0, **SPOT), 9.0),
        (BarrierOption("B", spot_source=107.0, strike=100.0, barrier=90.0, is_up=False, **SPOT), 7.0),
        (BarrierOption("I", spot_source=107.0, strike=100.0, barrier=90.0, is_up=False, is_in=True, **SPOT), 0.0),
        (ForwardOption("F", forward_source=107.0, strike=100.0, **SPOT), 7.0),
        (FXOption("X", spot_source=1.07, foreign_rate_source=0.01, strike=1.0, **SPOT), 0.07),
        (
            FXForward(
                "W",
                spot_source=1.07,
                rate_source=0.01,
                foreign_rate_source=0.0,
                strike=1.1,
                expiry=0.5,
                clock_source=CLOCK,
            ),
            -0.03,
        ),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, DatedInstrument) else "",
)
def test_the_final_payment_is_due_once_the_clock_has_passed_the_end(contract, paid):
    assert end_of(contract) == 0.5
    assert cash_between(contract, 0.0, 0.5) == 0.0
    assert cash_between(contract, 0.5, 0.51) == pytest.approx(paid, abs=1e-12)
    assert cash_between(contract, 0.1, 2.0) == pytest.approx(paid, abs=1e-12)
    assert cash_between(contract, 0.51, 2.0) == 0.0


def test_swaps_notes_and_protection_pay_on_their_dates():
    swap = InterestRateSwap(
        "S",
        rate_source=0.03,
        notional=1e6,
        fixed_rate=0.04,
        current_fixing=0.03,
        maturity=2,
        clock_source=CLOCK,
    )
    assert cash_between(swap, 0.0, 0.25) == pytest.approx(7_500.0)
    assert cash_between(swap, 0.25, 0.5) == pytest.approx(7_500.0 - 20_000.0)
    note = FloatingBond(
        "N", rate_source=0.03, face=100, maturity=1, current_fixing=0.03, margin=0.01, clock_source=CLOCK
    )
    assert cash_between(note, 0.9, 1.0) == pytest.approx(101.0)
    sold = CreditDefaultSwap("P", spread_source=0.02, rate_source=0.0, notional=-1e6, coupon=0.05, clock_source=CLOCK)
    assert cash_between(sold, 0.2, 0.3) == pytest.approx(1e6 * 0.05 * 91.25 / 360)


def test_contracts_without_an_end_or_a_clock_pay_nothing():
    for contract in (Equity("E", spot_source=100.0), PerpetualFuture("P", mark_source=1.0, entry_price=1.0)):
        assert (cash_between(contract, 0.0, 50.0), end_of(contract)) == (0.0, math.inf)
        assert not is_over(type(contract), {})


def test_a_perpetual_pays_funding_three_times_a_day():
    terms = {"entry_price": 60_000.0, "contract_size": 0.1, "funding_source": 1e-4}
    long = PerpetualFuture("L", mark_source=61_000.0, clock_source=CLOCK, **terms)
    day = 1.0 / 365.0
    assert cash_between(long, 0.0, day) == pytest.approx(3 * -0.61)
    assert cash_between(long, day, 8 * day) == pytest.approx(7 * 3 * -0.61)
    assert cash_between(long, 0.0, 0.3 * day) == 0.0  # less than eight hours
    inverse = PerpetualFuture(
        "I",
        mark_source=50_000.0,
        entry_price=60_000.0,
        contract_size=100.0,
        funding_source=-2e-4,
        is_inverse=True,
        funding_hours=4.0,
        clock_source=CLOCK,
    )
    assert cash_between(inverse, 0.0, day) == pytest.approx(6 * 2e-4 * 100.0 / 50_000.0)


def test_a_user_defined_contract_pays_its_last_price():
    class Outperformance(DatedInstrument):
        """A contract that pays the difference of two prices."""

        one = Source("price")
        other = Source("price")
        expiry: Expiry = Expiry("years")
        scale: Term = Term("units", default=1.0)

        @staticmethod
        def price(clock: Any, one: Any, other: Any, expiry: Any, made_at: Any, scale: Any) -> Any:
            return scale * (one - other) * np.exp(-np.maximum(expiry - (clock - made_at), 0.0))

    held = Outperformance("O", one_source=110.0, other_source=100.0, expiry=1.0, scale=3.0, clock_source=CLOCK)
    assert cash_between(held, 0.9, 1.1) == 30.0


def test_a_payment_that_cannot_be_valued_raises_an_error():
    barrier = BarrierOption("B", spot_source=-1.0, strike=100.0, barrier=90.0, is_up=False, **SPOT)
    with pytest.raises(ValuationError, match=r"B has no cash flow: spot=-1\.0 is negative"):
        cash_between(barrier, 0.4, 0.6)


# --- positions -------------------------------------------------------------------------------------------------------


def test_a_position_collects_cash_and_its_pnl_shows_it():
    held = Position("P", instrument=Equity("E", spot_source=100.0), quantity=10.0)
    held.collect(25.0)
    assert (held.pnl, held.cost_basis, held.received) == (25.0, 975.0, 25.0)
    held.close_out(-5.0)
    assert (held.value, held.quantity, held.received, held.pnl) == (0.0, 0.0, 20.0, -980.0)
    for amount in (math.nan, math.inf, "5"):
        with pytest.raises(InstrumentError, match="cash="):
            held.collect(amount)
    unmarked = Position("Q", instrument=Equity("F", spot_source=MarketData("FS")), quantity=1.0)
    with pytest.raises(InstrumentError, match="cannot book cash before it has an opening mark"):
        unmarked.close_out(1.0)


def test_a_position_from_an_older_record_has_received_no_cash():
    held = Position("P", instrument=Equity("E", spot_source=100.0), quantity=10.0)
    record = dict(held.to_record())
    assert record["terms"].pop("received") == 0.0
    again = Position.from_record(record)
    assert (again.received, again.quantity, again.value) == (0.0, 10.0, 1_000.0)
    with BarbaraDB.open("desk;default", path=":memory:") as db:
        held.collect(7.0)
        db[held.record_key] = held
        assert db[held.record_key].received == 7.0
