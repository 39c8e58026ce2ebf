"""The end of a contract is years, a tenor, a date or ISO text."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from bank_python.errors import DomainError, InstrumentError
from bank_python.instruments import Bond, Option
from bank_python.market_data import Clock

MADE = {"spot_source": 100.0, "vol_source": 0.2, "rate_source": 0.05, "strike": 100.0}


@pytest.mark.parametrize(
    "expiry",
    [dt.date(2026, 6, 19), "2026-06-19", np.datetime64("2026-06-19"), dt.datetime(2026, 6, 19, 16, tzinfo=dt.UTC)],
)
def test_dates_in_every_spelling(expiry):
    clock = Clock("CLOCK", origin="2026-01-02")
    assert Option("C", **MADE, expiry=expiry, clock_source=clock).expiry == 168 / 365


def test_tenors_are_years():
    assert Option("C", **MADE, expiry="3M").value == Option("D", **MADE, expiry=0.25).value
    assert Bond("B", rate_source=0.03, coupon_rate=0.05, face=100.0, maturity="10Y").maturity == 10.0


@pytest.mark.parametrize("expiry", ["June", "", "x", "3 months", "19/06/2026", np.datetime64("NaT")])
def test_other_text_is_refused(expiry):
    with pytest.raises(InstrumentError, match=r"C: expiry=.* is no time; give years, a tenor such as '3M'"):
        Option("C", **MADE, expiry=expiry)


def test_a_date_as_text_needs_a_clock_too():
    with pytest.raises(InstrumentError, match="is a date, which needs a valuation date: pass clock_source"):
        Option("C", **MADE, expiry="2026-06-19")


def test_a_clock_takes_iso_text():
    clock = Clock("CLOCK", origin="2026-01-02")
    clock.roll("2026-01-10")
    assert (clock.origin, clock.date) == (dt.date(2026, 1, 2), dt.date(2026, 1, 10))
    assert clock.years_at("2026-01-12") == 10 / 365
    with pytest.raises(DomainError, match=r"to='next week' is not a date"):
        clock.roll("next week")
    with pytest.raises(DomainError, match=r"origin=2026 is not a date"):
        Clock("C", origin=2026)
