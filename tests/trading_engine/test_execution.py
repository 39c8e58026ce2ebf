"""What fills cost: the contract's figures, parts that add up, caps, limits, both spellings, what is refused."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bank_python
from bank_python.errors import CallError, TradingError
from bank_python.risk_models import almgren_impact, square_root_impact
from bank_python.trading_engine import ExecutionModel, ImpactModel, OrderType, Side, read_word

FEES = ExecutionModel(fee_per_share=0.01, commission_pct=0.002)
FULL = ExecutionModel(slippage_bps=1.0, spread_bps=4.0, impact="square_root", fee_per_share=0.005, fee_per_order=1.0)
amounts = st.floats(1e-6, 1e9)
prices = st.floats(1e-6, 1e6)


def order(side="BUY", quantity=100, **more):
    return SimpleNamespace(side=side, quantity=quantity, **more)


def test_fees_of_a_hundred_at_a_hundred():
    assert FEES.fees(100, 100.0) == pytest.approx(21.0)
    assert FEES.execute(order(), 100.0) == (100.0, pytest.approx(21.0))
    assert FEES.price_of("buy", 100, 100.0).fees == pytest.approx(21.0)


def test_slippage_moves_the_price_against_the_order():
    model = bank_python.ExecutionModel(slippage_bps=2.0)
    bought, sold = model.price_of("buy", 10, 50.0), model.price_of(Side.SELL, 10, 50.0)
    assert (bought.price, sold.price) == (50.01, 49.99)
    assert bought.slippage == sold.slippage == pytest.approx(0.1)
    assert bought.total_bps == pytest.approx(2.0)
    assert (bought.cash, sold.cash) == (pytest.approx(-500.1), pytest.approx(499.9))


def test_every_part_is_there_and_is_what_its_name_says():
    fill = FULL.price_of("sell", 10_000, 50.0, 1e6, 0.02)
    assert fill.spread == pytest.approx(10_000 * 50.0 * 2e-4)
    assert fill.slippage == pytest.approx(10_000 * 50.0 * 1e-4)
    assert fill.impact == pytest.approx(10_000 * 50.0 * square_root_impact(10_000, 1e6, 0.02))
    assert fill.fees == pytest.approx(51.0)
    assert fill.price == pytest.approx(50.0 - (fill.spread + fill.slippage + fill.impact) / 10_000)
    assert fill.total == pytest.approx(100.0 + 50.0 + 1_000.0 + 51.0)


def test_three_fifths_is_the_temporary_impact_over_a_day():
    model = ExecutionModel(impact="three-fifths")
    fill = model.price_of("buy", 1e5, 100.0, 1e6, 0.02)
    assert fill.price == pytest.approx(100.0 * (1.0 + almgren_impact(1e5, 1e6, 0.02, 1e8, 1.0).temporary))
    twice = ExecutionModel(impact=ImpactModel.THREE_FIFTHS, impact_coefficient=0.284)
    assert twice.price_of("buy", 1e5, 100.0, 1e6, 0.02).impact == pytest.approx(2.0 * fill.impact)


def test_contracts_have_a_multiplier():
    fill = ExecutionModel(slippage_bps=10.0, commission_pct=0.001, fee_per_share=0.65).price_of(
        "buy", 10, 5.0, multiplier=100.0
    )
    assert fill.price == pytest.approx(5.005)
    assert fill.slippage == pytest.approx(5.0)
    assert fill.fees == pytest.approx(6.5 + 5.005)
    assert fill.cash == pytest.approx(-5_005.0 - 11.505)
    assert fill.total_bps == pytest.approx(fill.total / 5_000.0 * 1e4)


def test_the_second_spelling_has_an_impact_if_there_is_slippage():
    model = ExecutionModel(fee_per_share=0.005, commission_pct=0.001, slippage_bps=5.0)
    small, large = (model.execute(order(quantity=size), 100.0, avg_daily_volume=1_000_000)[0] for size in (100, 1e5))
    assert 100.05 < small < large
    assert small == pytest.approx(100.0 * (1.0 + 5e-4 + 0.02 * 0.01))
    assert model.execute(order("sell"), 100.0)[0] < 100.0
    assert model.execute(order(), 100.0, 1e3)[0] > model.execute(order(), 100.0, 1e6)[0]
    none = ExecutionModel(slippage_bps=5.0, impact="none")
    assert none.execute(order(quantity=1e6), 100.0)[0] == pytest.approx(100.05)
    assert model.execute(order(limit_price=100.01), 100.0)[0] == 100.01
    assert model.execute(order(limit_price=None), 100.0)[0] == small


def test_a_limit_cuts_the_costs_in_proportion():
    free = FULL.price_of("buy", 10_000, 50.0, 1e6, 0.02)
    cut = FULL.price_of("buy", 10_000, 50.0, 1e6, 0.02, limit_price=50.05)
    assert cut.price == 50.05
    assert cut.impact / cut.spread == pytest.approx(free.impact / free.spread)
    assert cut.spread + cut.slippage + cut.impact == pytest.approx(500.0)
    assert FULL.price_of("sell", 10_000, 50.0, 1e6, 0.02, limit_price=50.0).price == 50.0
    assert FULL.price_of("buy", 10_000, 50.0, 1e6, 0.02, limit_price=60.0) == free


def test_nothing_fills_above_the_cap():
    model = ExecutionModel(participation_cap=0.1)
    assert model.maximum_quantity(5_000) == 500.0
    assert model.price_of("buy", 500, 10.0, adv=5_000).price == 10.0
    with pytest.raises(TradingError, match=r"quantity=501 is 10.02% .*cap of 10.00%; fill at most 500 at once"):
        model.price_of("buy", 501, 10.0, adv=5_000)
    with pytest.raises(TradingError, match="quantity=1 cannot fill in a market without volume"):
        model.price_of("buy", 1, 10.0, adv=0.0)
    with pytest.raises(TradingError, match="participation_cap needs adv"):
        model.price_of("buy", 1, 10.0)
    assert ExecutionModel().maximum_quantity(5_000) == math.inf
    assert (
        ExecutionModel(participation_cap=0.29).price_of("buy", 29, 10.0, adv=100).quantity == 29
    )  # 28.999999999999996


@settings(max_examples=30)
@given(
    size=amounts,
    price=prices,
    share=st.floats(1e-9, 1.0),
    vol=st.floats(0.0, 0.3),
    side=st.sampled_from(Side),
    name=st.sampled_from([None, "none", "square_root", "three_fifths"]),
    bps=st.floats(0.0, 100.0),
)
def test_costs_add_up_and_grow_with_the_order(size, price, share, vol, side, name, bps):
    model = ExecutionModel(slippage_bps=bps, spread_bps=bps, impact=name, fee_per_share=0.01, commission_pct=0.001)
    fill = model.price_of(side, size, price, size / share, vol)
    assert side.sign * (fill.price - price) >= 0.0
    moved = fill.spread + fill.slippage + fill.impact
    assert side.sign * (fill.price - price) * size == pytest.approx(moved, rel=1e-6, abs=1e-9 * price * size)
    assert -fill.cash - side.sign * size * price == pytest.approx(fill.total, rel=1e-6, abs=1e-9 * price * size)
    larger = model.price_of(side, 1.5 * size, price, size / share, vol)
    assert side.sign * (larger.price - fill.price) >= -1e-12 * price
    assert larger.total >= fill.total
    wilder = model.price_of(side, size, price, size / share, min(1.0, 1.5 * vol))
    assert wilder.total >= fill.total * (1.0 - 1e-12)


@settings(max_examples=30)
@given(size=amounts, price=prices, share=st.floats(1e-6, 0.1), cut=st.floats(0.01, 0.99))
def test_splitting_an_order_changes_costs_only(size, price, share, cut):
    linear = ExecutionModel(slippage_bps=3.0, spread_bps=2.0, fee_per_share=0.01)
    curved = ExecutionModel(slippage_bps=3.0, impact="square_root", fee_per_order=1.0)
    for model in (linear, curved):
        whole = model.price_of("buy", size, price, size / share, 0.02)
        parts = [model.price_of("buy", part, price, size / share, 0.02) for part in (cut * size, size - cut * size)]
        assert sum(part.quantity for part in parts) == pytest.approx(size)
        assert sum(part.cash + part.total for part in parts) == pytest.approx(whole.cash + whole.total)
        if model is linear:
            assert sum(part.total for part in parts) == pytest.approx(whole.total)
        else:
            assert sum(part.impact for part in parts) < whole.impact
            assert sum(part.fees for part in parts) == 2.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: ExecutionModel(slippage_bps=-1.0), "slippage_bps=-1.0 is not .* 5.0 is 0.05 per cent"),
        (lambda: ExecutionModel(spread_bps=math.nan), "spread_bps=nan is not a finite number"),
        (lambda: ExecutionModel(commission_pct=0.2), "commission_pct=0.2 is not .*: for 0.2 per cent 0.002"),
        (lambda: ExecutionModel(fee_per_share=-0.01), "fee_per_share=-0.01 is not at least 0; give money"),
        (lambda: ExecutionModel(fee_per_order=True), "fee_per_order=True is not a number"),
        (lambda: ExecutionModel(latency=1.5), "latency=1.5 is not a whole number"),
        (lambda: ExecutionModel(latency=-1), "latency=-1.0 is not at least 0; give a number of bars"),
        (lambda: ExecutionModel(participation_cap=10), "participation_cap=10.0 is not .* 0.1 is a tenth"),
        (lambda: ExecutionModel(impact="cubic"), "'cubic' is no ImpactModel; give one of NONE, SQUARE_ROOT"),
        (lambda: ExecutionModel(impact_coefficient=1.0), "impact_coefficient is given, but no impact"),
        (lambda: ExecutionModel(impact="square_root", impact_coefficient=-1.0), "impact_coefficient=-1.0 is not"),
        (lambda: FEES.price_of("hold", 1, 1.0), "'hold' is no Side; give one of BUY, SELL"),
        (lambda: FEES.price_of("buy", -10, 1.0), "quantity=-10.0 is not above 0; .* the side says"),
        (lambda: FEES.price_of("buy", math.nan, 1.0), "quantity=nan is not a finite number"),
        (lambda: FEES.price_of("buy", 1, math.nan), "reference_price=nan is not a finite number"),
        (lambda: FEES.price_of("buy", "1", 1.0), "quantity='1' is not a number"),
        (lambda: FULL.price_of("buy", 1, 1.0), "'square_root' needs adv and daily_vol, and adv is not given"),
        (lambda: FULL.price_of("buy", 1, 1.0, 1e6), "and daily_vol is not given; give it, or impact='none'"),
        (lambda: FULL.price_of("buy", 1, 1.0, 1e6, 2.0), "daily_vol=2.0 is not .*; for 2 per cent a day give 0.02"),
        (lambda: FULL.price_of("sell", 1e10, 1.0, 1e6, 0.02), "costs 2.0003 a unit, more than the price can bear"),
        (lambda: FEES.price_of("buy", 1e300, 1e300), "value of the fill is too large"),
        (lambda: FEES.price_of("buy", 1, 10.0, limit_price=9.0), "limit price 9 of a buy order is not reached at 10"),
        (lambda: FEES.fees(0, 1.0), "quantity=0.0 is not above 0"),
        (lambda: FEES.maximum_quantity(-1.0), "volume=-1.0 is not at least 0"),
        (lambda: FEES.execute(3, 1.0), "order=3 has no side and quantity"),
        (lambda: FEES.execute(order(quantity=[1]), 1.0), r"quantity=\[1\] is not a number"),
        (lambda: FEES.execute(order(quantity=True), 1.0), "quantity=True is not a number"),
        (lambda: FEES.execute(order(side=None), 1.0), "None is no Side"),
    ],
)
def test_refused(call, said):
    with pytest.raises(TradingError, match=said):
        call()


def test_calls_of_other_libraries_are_answered():
    with pytest.raises(CallError, match=r"did you mean slippage_bps\?"):
        ExecutionModel(slippage=0.001)
    with pytest.raises(CallError, match="takes 1 positional argument but 2 were given"):
        ExecutionModel(2.0)


def test_words_are_read_in_any_spelling():
    assert read_word(OrderType, "trailing stop") is OrderType.TRAILING_STOP
    assert read_word(Side, " Sell ") is read_word(Side, Side.SELL) is Side.SELL
    assert ExecutionModel(impact="square root").impact is ImpactModel.SQUARE_ROOT
    with pytest.raises(TradingError, match="True is no Side; give one of BUY, SELL"):
        read_word(Side, True)


def test_models_are_values():
    assert ExecutionModel(slippage_bps=2.0) == ExecutionModel(slippage_bps=2.0)
    assert len({ExecutionModel(), ExecutionModel(), FEES}) == 2
    with pytest.raises(AttributeError):
        FEES.slippage_bps = 1.0
