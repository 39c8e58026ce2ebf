"""Spellings and defaults of a power-law option."""

from __future__ import annotations

import pytest

from bank_python.dagger import DependencyGraph
from bank_python.errors import InstrumentError
from bank_python.instruments import PowerLawOption
from bank_python.market_data import MarketData


def test_a_constant_price_of_the_anchor():
    option = PowerLawOption("T", spot_source=100, strike=120, anchor_strike=110, anchor_price=4.0, alpha=3)
    same = PowerLawOption("U", spot_source=100, strike=120, anchor_strike=110, anchor_source=4.0, alpha=3)
    assert option.value == same.value == pytest.approx(1.0)


def test_defaults():
    call = PowerLawOption("C", spot_source=100.0, strike=120)
    assert (call.anchor_strike, call.anchor, call.alpha) == (105.0, 5.0, 3.0)
    assert call.value == pytest.approx(5.0 * (20.0 / 5.0) ** -2)
    put = PowerLawOption("P", spot_source=100.0, strike=80, is_call=False)
    assert put.anchor_strike == 95.0
    at = PowerLawOption("A", spot_source=100.0)
    assert at.strike == 100.0
    assert "above the spot" in str(at.error)  # no price at the spot, and none above it invented


def test_the_default_anchor_is_that_of_the_spot_at_creation():
    spot = MarketData("S", price=200.0)
    option = PowerLawOption("T", spot_source=spot, strike=240, anchor_source=MarketData("A", price=3.0))
    DependencyGraph().register(option)
    assert option.anchor_strike == 210.0
    spot.set_price(205.0)
    assert option.value == pytest.approx(3.0 * (35.0 / 5.0) ** -2)
    assert option.anchor_strike == 210.0


def test_what_is_missing_or_twofold_is_said():
    with pytest.raises(InstrumentError, match="both the price of the traded option"):
        PowerLawOption("T", spot_source=100.0, strike=120, anchor_source=4.0, anchor_price=3.0)
    with pytest.raises(InstrumentError, match="quote the spot first"):
        PowerLawOption("T", spot_source=MarketData("S"), strike=120)
    with pytest.raises(InstrumentError, match="without a spot above 0"):
        PowerLawOption("T", spot_source=0.0, strike=120)
