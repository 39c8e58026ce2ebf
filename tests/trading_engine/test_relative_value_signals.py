"""Signals on one thing against another: credit spreads, pairs by distance, funds against baskets, volatilities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, norm, zscore

from bank_python.errors import TradingError
from bank_python.trading_engine import (
    CreditArbSignal,
    IndexArbSignal,
    PairDistance,
    PairsTradeSignal,
    Side,
    VolSpreadSignal,
)


def noise(seed, count, vol=0.02):
    return vol * np.random.default_rng(seed).standard_normal(count)


# --- credit ---------------------------------------------------------------------------------------


def spreads(last=1.0, count=80):
    index = 0.033 * np.exp(np.cumsum(noise(1, count)))
    name = 0.019 * (index / 0.033) ** 0.8 * np.exp(noise(2, count))
    name[-1] *= last
    return {"F_CDS": name, "CDX_HY": index}


@pytest.mark.parametrize(("last", "side"), [(1.2, Side.SELL), (0.85, Side.BUY)])
def test_protection_on_a_dear_spread_is_sold_and_on_a_cheap_one_bought(last, side):
    data = spreads(last)
    y, x = (np.log(data[name][-60:]) for name in ("F_CDS", "CDX_HY"))
    line = linregress(x, y)
    rest = y - line.intercept - line.slope * x
    z = rest[-1] / np.sqrt((rest**2).sum() / 58.0)
    name, index = CreditArbSignal([("F_CDS", "CDX_HY")], coupons={"CDX_HY": 0.05}).signals(data)
    assert (name.instrument, name.side, name.quantity) == ("F_CDS_5Y", side, 1.0)
    assert (index.instrument, index.side.sign) == ("CDX_HY_5Y", -side.sign)
    assert name.reason.startswith(f"z-score {z:+.2f} of F_CDS")
    assert name.strength == pytest.approx(min(abs(z) / 4.0, 1.0))
    risks = {series: data[series][-1] * annuity(data[series][-1]) for series in data}
    assert index.quantity == pytest.approx(line.slope * risks["F_CDS"] / risks["CDX_HY"], rel=0.01)
    assert name.price == pytest.approx(1e6 * (data["F_CDS"][-1] - 0.01) * annuity(data["F_CDS"][-1]), rel=0.02)
    assert index.price == pytest.approx(1e6 * (data["CDX_HY"][-1] - 0.05) * annuity(data["CDX_HY"][-1]), rel=0.02)


def annuity(spread, rate=0.0):
    """Return the value of a premium of 1 a year, paid all the time until default or five years, ACT/360."""
    hazard = spread / 0.6
    return (1.0 - np.exp(-5.0 * (hazard + rate))) / (hazard + rate) * 365.0 / 360.0


def test_spreads_that_agree_give_none_and_sofr_discounts():
    assert CreditArbSignal([("F_CDS", "CDX_HY")]).signals(spreads()) == ()
    data = spreads(1.2)
    assert len(CreditArbSignal([("F_CDS", "CDX_HY")], is_hedged=False).signals(data)) == 1
    undiscounted, discounted = (
        CreditArbSignal([("F_CDS", "CDX_HY")]).signals({**data, **more})[0].price for more in ({}, {"SOFR": [0.05]})
    )
    assert discounted / undiscounted == pytest.approx(
        annuity(data["F_CDS"][-1], 0.05) / annuity(data["F_CDS"][-1]), rel=0.01
    )
    assert CreditArbSignal([("A", "B")]).signals({"A": [0.02] * 60, "B": spreads()["CDX_HY"]}) == ()
    assert CreditArbSignal([("A", "B")]).signals({"B": [0.02] * 60, "A": spreads()["CDX_HY"]}) == ()
    against = {"F_CDS": data["F_CDS"], "CDX_HY": 1e-3 / data["CDX_HY"]}
    assert CreditArbSignal([("F_CDS", "CDX_HY")]).signals(against) == ()
    (problem,) = CreditArbSignal([("A", "B")]).examine({"A": [190.0] * 60, "B": [330.0] * 60}).problems
    assert str(problem) == "A is 190.0; give a decimal: 0.019 for 190 basis points"


# --- pairs ----------------------------------------------------------------------------------------


def prices(gap, count=140):
    a = 50.0 * np.exp(np.cumsum(noise(3, count, 0.01)))
    b = 3.0 * a * np.exp(noise(4, count, 0.01))
    c = 20.0 * np.exp(np.cumsum(noise(5, count, 0.02)))
    a[-1] *= gap
    return pd.DataFrame({"A": a, "B": b, "C": c})


def test_distances_are_those_of_gatev_goetzmann_and_rouwenhorst():
    data = prices(1.0)
    normalised = data / data.iloc[0]
    spread = normalised["A"] - normalised["B"]
    seen = PairDistance.of(data["A"].to_numpy(), data["B"].to_numpy(), 120)
    assert seen.distance == pytest.approx((spread.iloc[:120] ** 2).sum())
    assert seen.deviation == pytest.approx(spread.iloc[:120].std())
    assert seen.spread == pytest.approx(spread.iloc[-1])


@pytest.mark.parametrize(("gap", "sides"), [(1.10, (Side.SELL, Side.BUY)), (0.90, (Side.BUY, Side.SELL))])
def test_a_pair_that_has_parted_is_opened_with_equal_money(gap, sides):
    data = prices(gap)
    found = PairsTradeSignal([("A", "B")], order_value=50_000.0).signals(data)
    assert tuple(each.side for each in found) == sides
    assert [each.quantity for each in found] == [round(50_000.0 / data[name].iloc[-1]) for name in "AB"]
    normalised = data / data.iloc[0]
    spread = normalised["A"] - normalised["B"]
    size = spread.iloc[-1] / spread.iloc[:120].std()
    assert found[0].strength == pytest.approx(min(abs(size) / 4.0, 1.0))
    assert f"{size:+.1f} standard deviations" in found[0].reason
    assert PairsTradeSignal([("A", "B")], entry=2.0 * abs(size)).signals(data) == ()


def test_the_nearest_pairs_are_chosen():
    data = prices(1.10)
    pairs = [("A", "C"), ("A", "B"), ("B", "C")]
    everything = {each.instrument for each in PairsTradeSignal(pairs, entry=0.01).signals(data)}
    nearest = PairsTradeSignal(pairs, entry=0.01, most_pairs=1).signals(data)
    assert everything == {"A", "B", "C"}
    assert [each.instrument for each in nearest] == ["A", "B"]


@pytest.mark.parametrize(("gap", "held", "closed"), [(1.1, -10.0, False), (0.9, -10.0, True), (1.1, 10.0, True)])
def test_a_pair_that_is_held_is_closed_when_the_prices_cross(gap, held, closed):
    data = {name: column.to_numpy() for name, column in prices(gap).items()}
    units = {"A_UNITS": [held], "B_UNITS": [-held / 2.0]}
    found = PairsTradeSignal([("A", "B")], most_pairs=1).signals({**data, **units})
    signed = [(each.instrument, each.side.sign * each.quantity) for each in found]
    assert signed == ([("A", -held), ("B", held / 2.0)] if closed else [])
    if closed:
        assert found[0].reason.startswith("exit: the normalised prices of A and B have crossed")


def test_pairs_without_movement_or_units_of_one_leg_only():
    flat = {"A": [5.0] * 140, "B": [7.0] * 140}
    assert PairsTradeSignal([("A", "B")]).signals(flat) == ()
    data = {name: column.to_numpy() for name, column in prices(1.1).items()}
    rule = PairsTradeSignal([("A", "B")])
    assert rule.signals({**data, "A_UNITS": [-10.0]}) == rule.signals(data)
    report = PairsTradeSignal([("A", "X"), ("A", "B")]).examine(data)
    assert (len(report.signals), [each.ticker for each in report.problems]) == (2, ["X"])


# --- index arbitrage ------------------------------------------------------------------------------


def basket(gap, count=90):
    a, b = (scale * np.exp(np.cumsum(noise(seed, count, 0.01))) for seed, scale in ((6, 228.0), (7, 430.0)))
    start = count - 60
    fund = 200.0 * (0.6 * a / a[start] + 0.4 * b / b[start]) * np.exp(noise(8, count, 0.001))
    fund[-1] *= gap
    return pd.DataFrame({"XLK": fund, "A": a, "B": b})


@pytest.mark.parametrize(("gap", "side"), [(1.01, Side.SELL), (0.99, Side.BUY)])
def test_a_fund_is_traded_against_its_components_value_neutral(gap, side):
    data = basket(gap)
    fund, *components = IndexArbSignal({"XLK": {"A": 3.0, "B": 2.0}}).signals(data)
    last = data.iloc[-60:]
    level = last / last.iloc[0]
    logs = np.log(level["XLK"] / (0.6 * level["A"] + 0.4 * level["B"]))
    z = zscore(logs, ddof=1)[-1]
    assert fund.reason.startswith(f"z-score {z:+.2f} of XLK against 2 components")
    assert fund.strength == pytest.approx(min(abs(z) / 4.0, 1.0))
    assert [each.side.sign for each in (fund, *components)] == [side.sign, -side.sign, -side.sign]
    money = {each.instrument: each.side.sign * each.quantity * each.price for each in (fund, *components)}
    assert sum(money.values()) == pytest.approx(0.0, abs=0.01 * abs(money["XLK"]))
    assert money["A"] / money["B"] == pytest.approx(1.5, rel=0.01)


def test_a_hole_in_the_basket_leaves_its_fund_out_and_no_other():
    data = {name: column.to_numpy().copy() for name, column in basket(1.01).items()}
    other = {"FUND": data["XLK"], "C": data["A"], "D": data["B"]}
    rule = IndexArbSignal({"XLK": {"A": 3.0, "B": 2.0}, "FUND": {"C": 3.0, "D": 2.0}})
    broken = {**data, **other, "B": np.append(data["B"][:-1], np.nan)}
    report = rule.examine(broken)
    assert [each.instrument for each in report.signals] == ["FUND", "C", "D"]
    assert [each.ticker for each in report.problems] == ["B"]
    assert rule.inputs == ("XLK", "A", "B", "FUND", "C", "D")
    assert IndexArbSignal({"A": {"B": 1.0}}).signals({"A": [5.0] * 60, "B": [5.0] * 60}) == ()


# --- volatilities ---------------------------------------------------------------------------------


def volatilities(last, count=70):
    spy = 0.16 * np.exp(noise(9, count))
    spy[-1] *= last
    return {"SPY_VOL": spy, "QQQ_VOL": 0.21 * np.exp(noise(10, count)), "SPY": [585.0], "QQQ": [500.0]}


def vega(spot, strike, vol, days=30.0):
    root = np.sqrt(days / 365.0)
    return spot * root * norm.pdf(np.log(spot / strike) / (vol * root) + 0.5 * vol * root)


@pytest.mark.parametrize(("last", "side"), [(1.2, Side.SELL), (0.8, Side.BUY)])
def test_the_dear_straddle_is_sold_and_the_cheap_one_bought_vega_neutral(last, side):
    data = volatilities(last)
    first, second = VolSpreadSignal([("SPY_VOL", "QQQ_VOL")], quantity=1_000.0).signals(data)
    z = zscore(np.log(data["SPY_VOL"] / data["QQQ_VOL"])[-60:], ddof=1)[-1]
    assert first.reason.startswith(f"z-score {z:+.2f} of SPY_VOL")
    assert (first.instrument, second.instrument) == ("SPY_30D_STRADDLE", "QQQ_30D_STRADDLE")
    assert (first.side.sign, second.side.sign) == (side.sign, -side.sign)
    vegas = vega(585.0, 585.0, data["SPY_VOL"][-1]), vega(500.0, 500.0, data["QQQ_VOL"][-1])
    assert first.quantity == 1_000.0
    assert second.quantity == round(1_000.0 * vegas[0] / vegas[1])
    assert VolSpreadSignal([("SPY_VOL", "QQQ_VOL")]).signals(volatilities(1.0)) == ()


def test_strikes_are_traded_as_options_out_of_the_money():
    data = volatilities(1.2)
    rule = VolSpreadSignal([("SPY_VOL_95", "SPY_VOL_105")], quantity=1_000.0, days=60)
    put, call = rule.signals({"SPY": [585.0], "SPY_VOL_95": data["SPY_VOL"], "SPY_VOL_105": data["QQQ_VOL"]})
    assert (put.instrument, call.instrument) == ("SPY_60D_95P", "SPY_60D_105C")
    vegas = [vega(585.0, 585.0 * share, data[name][-1], 60.0) for share, name in ((0.95, "SPY_VOL"), (1.05, "QQQ_VOL"))]
    assert call.quantity == round(1_000.0 * vegas[0] / vegas[1])
    assert rule.inputs == ("SPY_VOL_95", "SPY_VOL_105", "SPY")
    assert rule.option("SPY_VOL_100").name == "SPY_60D_STRADDLE"


def test_a_strike_without_vega_and_a_volatility_in_per_cent():
    data = volatilities(1.2)
    far = {"SPY": [585.0], "SPY_VOL_900": data["SPY_VOL"], "SPY_VOL": data["QQQ_VOL"]}
    assert VolSpreadSignal([("SPY_VOL_900", "SPY_VOL")]).signals(far) == ()
    (problem,) = VolSpreadSignal([("SPY_VOL", "QQQ_VOL")]).examine({**data, "QQQ_VOL": [21.0] * 60}).problems
    assert problem.ticker == "QQQ_VOL"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: CreditArbSignal([("A", "B")], 10), "lookback=10 is not a whole number of at least 20"),
        (lambda: CreditArbSignal([("A", "B")], coupons={"A": None}), r"coupons\['A'\]=None is not a finite number"),
        (lambda: PairsTradeSignal([("A", "B")], trading=0), "trading=0"),
        (lambda: PairsTradeSignal("AB"), "pairs='AB' is not a list"),
        (lambda: IndexArbSignal({"A": {}}), "give the weights of its components"),
        (lambda: IndexArbSignal({"A": {"A": 1.0}}), "give the weights of its components"),
        (lambda: IndexArbSignal({"A": {"B": 0.0}}), r"the weight of B in A is 0\.0, not above 0"),
        (lambda: IndexArbSignal({"A": 3}), "is no mapping of names to numbers"),
        (lambda: VolSpreadSignal([("SPY", "QQQ_VOL")]), "'SPY' names no volatility; names are like SPY_VOL"),
    ],
)
def test_settings_out_of_range_are_refused(make, said):
    with pytest.raises(TradingError, match=said):
        make()
