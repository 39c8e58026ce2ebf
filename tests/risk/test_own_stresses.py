"""Scenarios of one's own: shocks by driver, factor or ticker, and all else unchanged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import RiskError
from bank_python.instruments import Book, Equity, Option, Position
from bank_python.market_data import MarketData
from bank_python.risk import Driver, Shift, Shock, plan_valuation, run_stresses
from bank_python.risk.stress_shocks import scenario_of

SPOT, OTHER = MarketData("AAPL_SPOT", 200.0), MarketData("SPY_SPOT", 500.0)
VOL, RATE = MarketData("AAPL_VOL", 0.3), MarketData("USD_RATE", 0.04)
CALL = Option("C", spot_source=SPOT, vol_source=VOL, rate_source=RATE, strike=200.0, expiry=1.0)
SHARE = Equity("SPY", spot_source=OTHER)
PLAN = plan_valuation(
    [Book("B", [Position("P", instrument=CALL, quantity=10), Position("Q", instrument=SHARE, quantity=4)])]
)


def price(spot=200.0, vol=0.3, rate=0.04):
    return Option("X", spot_source=spot, vol_source=vol, rate_source=rate, strike=200.0, expiry=1.0).value


@pytest.mark.parametrize(
    ("shocks", "call", "share"),
    [
        ({"AAPL_SPOT": -0.3}, price(spot=140.0), 500.0),
        ({"AAPL": -0.3}, price(spot=140.0), 500.0),
        ({"AAPL_VOL": 0.1}, price(vol=0.4), 500.0),
        ({"vol": 0.1}, price(vol=0.4), 500.0),
        ({"USD_RATE": 0.01}, price(rate=0.05), 500.0),
        ({"rates": 0.01}, price(rate=0.05), 500.0),
        ({"equity": -0.2, Driver.VOLATILITY: 0.1}, price(160.0, 0.4), 400.0),
        ({"Equity": -0.2, "VIX": 0.1}, price(160.0, 0.4), 400.0),
        ({"equity": -0.2, "AAPL_SPOT": 0.0, "VOL": 0}, price(), 400.0),
        ({"AAPL_VOL": Shock(0.5)}, price(vol=0.45), 500.0),
        ({"AAPL_SPOT": Shock(150.0, Shift.LEVEL)}, price(spot=150.0), 500.0),
        ({"oil": -0.3}, price(), 500.0),
    ],
)
def test_shocks_move_what_they_name(shocks, call, share):
    (result,) = run_stresses(PLAN, [shocks])
    assert result.pnl == pytest.approx(10 * (call - price()) + 4 * (share - 500.0))
    assert (result.missing, result.left_out, result.covered) == ((), (), 1.0)


def test_a_driver_without_figure_moves_volatilities_by_the_rules():
    # Shares fall and no key says what volatilities do: the mapping rules have a beta of -2 to the share index.
    (result,) = run_stresses(PLAN, [{"equity": -0.2}])
    assert result.pnl == pytest.approx(10 * (price(160.0, 0.3 * 0.8**-2) - price()) - 400.0)


def test_one_scenario_needs_no_list_and_a_mapping_may_name_several():
    crash = {"equity": -0.2, "vol": 0.1}
    assert run_stresses(PLAN, crash) == run_stresses(PLAN, [crash])
    assert run_stresses(PLAN, "covid_2020") == run_stresses(PLAN, ["covid_2020"])
    named = run_stresses(PLAN, {"crash": crash, "rally": {"equity": 0.1}})
    assert [(result.key, result.title) for result in named] == [("crash", "crash"), ("rally", "rally")]
    assert [result.key for result in run_stresses(PLAN, [crash, "covid_2020"])] == [
        "equity -0.2, vol 0.1",
        "covid_2020",
    ]
    assert run_stresses(PLAN, []) == ()


@pytest.mark.parametrize(
    ("scenarios", "said"),
    [
        ([{"eqity": -0.2}], r"no driver or factor 'eqity'; did you mean 'equity'"),
        ([{"APL_SPOT": -0.2}], r"did you mean 'AAPL_SPOT'"),
        ([{3: -0.2}], r"no driver or factor 3.* factors are AAPL_SPOT"),
        ([{"equity": "-20%"}], r"the shock equity='-20%' is not a number; give a decimal such as -0.2"),
        ([{"equity": True}], "is not a number"),
        ([{"equity": -20}], r"equity: a relative shock of -20"),
        ([{"equity": math.nan}], r"equity: a relative shock of nan"),
        ([{}], "without shocks"),
        ({}, "without shocks"),
        ("covid", r"no stress scenario 'covid'; did you mean 'COVID_2020' or 'covid_2020'"),
        (3, r"3 is not a stress scenario; give a StressScenario, a key such as 'covid_2020', or shocks"),
        ([None], "None is not a stress scenario"),
    ],
)
def test_what_is_no_scenario_is_refused(scenarios, said):
    with pytest.raises(RiskError, match=said):
        run_stresses(PLAN, scenarios)


@given(st.floats(-0.9, 2.0))
def test_a_number_is_the_shock_of_its_unit(size):
    shocks = scenario_of({"equity": size, "vol": size, "rates": size}, []).shocks
    assert shocks == {
        Driver.EQUITY: Shock(size, Shift.RELATIVE),
        Driver.VOLATILITY: Shock(size, Shift.ABSOLUTE),
        Driver.RATES: Shock(size, Shift.ABSOLUTE),
    }
