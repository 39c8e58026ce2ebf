"""Stress scenarios: figures against a second transcription and published closes, moves against independent sums."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.dagger import DependencyGraph
from bank_python.desk import build_desk
from bank_python.errors import RiskError
from bank_python.instruments import Bond, Book, CreditDefaultSwap, Equity, FXForward, FXOption, FXRate, Option, Position
from bank_python.instruments.factor import Factor
from bank_python.market_data import MarketData
from bank_python.risk.factors import RiskFactor
from bank_python.risk.stress import run_stresses
from bank_python.risk.stress_mapping import DEFAULT_MAP, Betas, Route, Rule, Status, Way, stress_moves
from bank_python.risk.stress_scenarios import (
    REFERENCE_STRESSES,
    STRESS_SCENARIOS,
    Driver,
    Shift,
    Shock,
    StressScenario,
)
from bank_python.risk.valuation import plan_valuation

# --- the library ---------------------------------------------------------------------------------

WINDOWS = """
gfc_2008 2007-10-09 2009-03-09
covid_2020 2020-02-19 2020-03-23
rate_shock 2022-01-03 2022-10-12
vol_spike 2018-01-26 2018-02-08
usd_rally 2014-06-30 2015-03-13
tech_crash 2000-03-24 2002-10-09
stagflation 2021-11-19 2022-06-16
credit_crunch 2007-06-22 2008-03-17
fed_taper 2013-05-21 2013-09-05
crypto_crash 2021-11-09 2022-11-21
lehman_2008 2008-09-12 2008-11-20
rate_shock_peak 2021-12-31 2022-10-24
vol_day_2018 2018-02-02 2018-02-05
vol_spike_2024 2024-07-31 2024-08-05
usd_rally_2022 2022-03-31 2022-09-27
tech_crash_leg1 2000-03-27 2001-04-04
credit_crunch_2008 2008-09-12 2008-12-15
taper_equity_2013 2013-05-21 2013-06-24
ftx_2022 2022-11-05 2022-11-09
luna_2022 2022-05-05 2022-06-18
tariffs_2025 2025-04-02 2025-04-08
svb_2023 2023-03-08 2023-03-13
"""
KEYS = [line.split()[0] for line in WINDOWS.split("\n") if line]

# Each driver's figures across the windows, in the order above and in the unit of its source; a dot is unknown.
PERCENT = {
    Driver.EQUITY: "-56.8 -33.9 -25.4 -10.2 4.8 -49.1 -21.9 -15 -0.8 -15.7 "
    "-39.9 -20.3 -4.1 -6.1 -19.5 -27.6 -30.6 -5.8 -0.6 -11.4 -12.1 -3.4",
    Driver.TECH: "-51.9 -27.9 -34.6 -10.2 12.1 -82.8 -32.9 -12.2 3.4 -28.8 "
    "-41.3 -30 -3.9 -7.6 -24 -70.9 -33.1 -5.9 -0.5 -12.3 -12.7 -2.4",
    Driver.DOLLAR: "16.7 8 11 1.5 16.9 . 4.7 -8.6 2.1 9.6 12.9 11 0.2 -0.1 11.5 . 8.3 1.7 -0.9 1 0.4 -0.5",
    Driver.DOLLAR_INDEX: "13.3 2.9 17.7 1.3 25.8 2.1 7.9 -13.2 -1.5 14.8 11.4 17.1 0.4 . 16.1 9.1 4.2 -1.7 -0.3 0.9 . "
    "-1.9",
    Driver.OIL: "-41.4 -56.2 15.6 -7.5 -57.7 5.2 54.5 53.6 13.6 -5.2 "
    "-51.7 14.3 -2 -6.2 -21.5 -1.6 -55.9 -0.5 -7.3 1.3 -16.7 -2.5",
    Driver.GOLD: "24.5 -2.5 -7.2 -2.6 -12.8 . -0.3 53.2 -0.3 -5.1 -1.5 -9.8 -0.1 -1 -16.5 . 9.9 -7.3 2.2 -2 -5.5 5.5",
    Driver.BTC: ". -42.8 -59.7 -24.9 -52.6 . -60.4 . 0.3 -75.9 . -58.5 -23.2 -12.2 -59.1 . . -14.9 -12.4 -48.5 . 0",
    Driver.ETH: ". -56.3 -66.6 -28.2 . . -69.1 . . -76.2 . -63.3 -19.4 -18.1 -60.6 . . . -19 -63.1 . 1.8",
}
BASIS_POINTS = {
    Driver.RATE_2Y: "-319 -114 350 0 21 -492 262 -357 26 407 -123 377 -7 -40 202 -254 -148 16 -5 46 -20 -102",
    Driver.RATE_10Y: "-178 -80 228 19 -40 -259 174 -180 104 237 -64 273 -7 -31 165 -127 -121 63 -5 20 6 -43",
    Driver.INVESTMENT_GRADE: "453 299 74 1 25 133 55 206 13 54 278 70 1 15 36 48 307 30 -1 11 22 24",
    Driver.HIGH_YIELD: "1491 730 226 36 115 570 193 593 24 156 1094 181 12 68 179 314 1328 99 22 112 115 94",
    Driver.BREAKEVEN_10Y: "-150 -85 -31 0 -57 . -3 -15 -22 -32 -191 3 -4 -17 -51 . -185 -35 -6 -29 -10 -8",
    Driver.REAL_10Y: "-28 5 259 19 17 . 177 -165 126 269 127 270 -3 -14 216 . 64 98 1 49 16 -35",
}
POINTS = {
    Driver.VOLATILITY: "33.6 47.2 17 22.4 4.4 18.8 15 16.5 2.4 4.6 55.2 12.6 20 22.2 12 9.5 31.1 6.7 1.5 -0.1 30.8 7.4"
}

COLUMNS = [
    (driver, row, unit, shift)
    for table, unit, shift in (
        (PERCENT, 1e-2, Shift.RELATIVE),
        (BASIS_POINTS, 1e-4, Shift.ABSOLUTE),
        (POINTS, 1e-2, Shift.ABSOLUTE),
    )
    for driver, row in table.items()
]


@pytest.mark.parametrize(("driver", "row", "unit", "shift"), COLUMNS, ids=[c[0].value for c in COLUMNS])
def test_every_figure_of_the_library(driver, row, unit, shift):
    figures = row.split()
    assert len(figures) == len(KEYS)
    for key, figure in zip(KEYS, figures, strict=True):
        shocks = STRESS_SCENARIOS[key].shocks
        if figure == ".":
            assert driver not in shocks, f"{key} {driver}: not known, yet {shocks[driver]}"
        else:
            assert shocks[driver].size == pytest.approx(float(figure) * unit, abs=1e-12), f"{key} {driver} {figure}"
            assert shocks[driver].shift is shift, f"{key} {driver}"


def test_windows_and_keys():
    for line in filter(None, WINDOWS.split("\n")):
        key, start, end = line.split()
        scenario = STRESS_SCENARIOS[key]
        assert (scenario.key, str(scenario.start), str(scenario.end)) == (key, start, end)
        assert scenario.start < scenario.end
        assert len(scenario.shocks) == sum(row.split()[KEYS.index(key)] != "." for _, row, _, _ in COLUMNS)
    others = ["fed_2024", "fed_2025", "GFC_2008", "COVID_2020", "FED_TAPER", "CRYPTO_CRASH"]
    assert sorted(STRESS_SCENARIOS) == sorted(KEYS + others)
    assert all(scenario.title and scenario.source for scenario in STRESS_SCENARIOS.values())
    assert all(key == scenario.key for key, scenario in STRESS_SCENARIOS.items())
    assert list(REFERENCE_STRESSES) == KEYS[:8]


# Closes as published: the S&P 500 (S&P Dow Jones), the VIX (Cboe), constant-maturity yields (Federal Reserve H.15).
CLOSES = [
    ("gfc_2008", Driver.EQUITY, 1565.15, 676.53),
    ("covid_2020", Driver.EQUITY, 3386.15, 2237.40),
    ("rate_shock", Driver.EQUITY, 4796.56, 3577.03),
    ("vol_spike", Driver.EQUITY, 2872.87, 2581.00),
    ("tech_crash", Driver.EQUITY, 1527.46, 776.76),
    ("covid_2020", Driver.VOLATILITY, 14.38, 61.59),
    ("vol_spike", Driver.VOLATILITY, 11.08, 33.46),
    ("covid_2020", Driver.RATE_10Y, 1.56, 0.76),
    ("covid_2020", Driver.RATE_2Y, 1.42, 0.28),
    ("rate_shock", Driver.RATE_10Y, 1.63, 3.91),
]


@pytest.mark.parametrize(("key", "driver", "first", "last"), CLOSES)
def test_figures_agree_with_published_closes(key, driver, first, last):
    shock = STRESS_SCENARIOS[key].shocks[driver]
    observed = last / first - 1.0 if shock.shift is Shift.RELATIVE else (last - first) / 100.0
    half_a_digit = 5e-5 if driver in BASIS_POINTS else 5e-4
    assert shock.size == pytest.approx(observed, abs=1.01 * half_a_digit), f"{key} {driver}: {first} to {last}"


@pytest.mark.parametrize("key", KEYS)
def test_a_real_yield_is_the_nominal_one_less_the_breakeven(key):
    shocks = STRESS_SCENARIOS[key].shocks
    assert (Driver.REAL_10Y in shocks) == (Driver.BREAKEVEN_10Y in shocks)
    if Driver.REAL_10Y in shocks:
        nominal, breakeven = shocks[Driver.RATE_10Y].size, shocks[Driver.BREAKEVEN_10Y].size
        assert shocks[Driver.REAL_10Y].size == pytest.approx(nominal - breakeven, abs=1e-12)


def test_the_supervisors_scenarios():
    # Federal Reserve Board, supervisory severely adverse scenarios of 2024 and 2025
    for key, equity, vix, ten_year, bbb, houses, commercial, gdp in [
        ("fed_2024", -0.554, 0.70, -0.0370, 0.058, -0.360, -0.40, -0.085),
        ("fed_2025", -0.500, 0.65, -0.0330, 0.050, -0.334, -0.30, -0.078),
    ]:
        assert dict(STRESS_SCENARIOS[key].shocks) == {
            Driver.EQUITY: Shock(equity),
            Driver.VOLATILITY: Shock(vix, Shift.LEVEL),
            Driver.RATE_10Y: Shock(ten_year, Shift.ABSOLUTE),
            Driver.BBB_SPREAD: Shock(bbb, Shift.LEVEL),
            Driver.HOUSE_PRICES: Shock(houses),
            Driver.COMMERCIAL_PROPERTY: Shock(commercial),
            Driver.GDP: Shock(gdp),
            Driver.UNEMPLOYMENT: Shock(0.10, Shift.LEVEL),
        }, key
        assert STRESS_SCENARIOS[key].start is STRESS_SCENARIOS[key].end is None


def test_the_round_set_keeps_relative_and_absolute_apart():
    shocks = {
        key: dict(STRESS_SCENARIOS[key].shocks) for key in ("GFC_2008", "COVID_2020", "FED_TAPER", "CRYPTO_CRASH")
    }
    assert shocks == {
        "GFC_2008": {Driver.EQUITY: Shock(-0.52), Driver.CREDIT: Shock(0.45), Driver.CURRENCIES: Shock(-0.18)},
        "COVID_2020": {Driver.EQUITY: Shock(-0.34), Driver.VOLATILITY: Shock(3.0), Driver.OIL: Shock(-0.67)},
        "FED_TAPER": {Driver.RATES: Shock(0.02, Shift.ABSOLUTE), Driver.LONG_BONDS: Shock(-0.16)},
        "CRYPTO_CRASH": {Driver.BTC: Shock(-0.70), Driver.ETH: Shock(-0.75)},
    }


def test_the_library_cannot_be_changed():
    with pytest.raises(TypeError):
        STRESS_SCENARIOS["gfc_2008"] = STRESS_SCENARIOS["covid_2020"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        STRESS_SCENARIOS["gfc_2008"].title = "calm"
    with pytest.raises(dataclasses.FrozenInstanceError):
        STRESS_SCENARIOS["gfc_2008"].shocks[Driver.EQUITY].size = 0.0


def test_scenarios_can_be_sent_to_another_process():
    for scenario in STRESS_SCENARIOS.values():
        assert pickle.loads(pickle.dumps(scenario)) == scenario  # noqa: S301 - our own bytes


# --- from drivers to factors ---------------------------------------------------------------------

FACTORS = {
    factor.name: factor
    for factor in [
        RiskFactor("SPY_SPOT", Factor.SPOT, 600.0, "ETF"),
        RiskFactor("QQQ_SPOT", Factor.SPOT, 500.0, "ETF"),
        RiskFactor("TLT_SPOT", Factor.SPOT, 90.0, "ETF"),
        RiskFactor("HYG_SPOT", Factor.SPOT, 80.0, "ETF"),
        RiskFactor("GLD_SPOT", Factor.SPOT, 250.0, "ETF"),
        RiskFactor("BTC_SPOT", Factor.SPOT, 60_000.0, "Crypto"),
        RiskFactor("ETH_SPOT", Factor.SPOT, 2_500.0, "Crypto"),
        RiskFactor("SOL_SPOT", Factor.SPOT, 150.0, "Crypto"),
        RiskFactor("NVDA_SPOT", Factor.SPOT, 140.0, "Semiconductors"),
        RiskFactor("KO_SPOT", Factor.SPOT, 60.0, "Staples"),
        RiskFactor("EURUSD_SPOT", Factor.FX, 1.10),
        RiskFactor("USDJPY_SPOT", Factor.FX, 150.0),
        RiskFactor("UST2Y", Factor.RATE, 0.041),
        RiskFactor("UST10Y", Factor.RATE, 0.042),
        RiskFactor("SOFR", Factor.RATE, 0.043),
        RiskFactor("CDX_IG", Factor.CREDIT, 0.005),
        RiskFactor("CDX_HY", Factor.CREDIT, 0.033),
        RiskFactor("F_CDS", Factor.CREDIT, 0.020),
        RiskFactor("SPY_VOL", Factor.VOL, 0.14),
        RiskFactor("NVDA_VOL", Factor.VOL, 0.50),
    ]
}
EXACT, MAPPED, MISSING = Status.EXACT, Status.MAPPED, Status.MISSING

# Scenario, factor, its level by an independent formula, its status and driver.
MOVES = [
    ("gfc_2008", "SPY_SPOT", 600.0 * 0.432, EXACT, Driver.EQUITY),
    ("gfc_2008", "QQQ_SPOT", 500.0 * 0.481, EXACT, Driver.TECH),
    ("gfc_2008", "KO_SPOT", 60.0 * 0.432, MAPPED, Driver.EQUITY),
    ("gfc_2008", "NVDA_SPOT", 140.0 * 0.481, MAPPED, Driver.TECH),
    ("gfc_2008", "GLD_SPOT", 250.0 * 1.245, EXACT, Driver.GOLD),
    ("gfc_2008", "TLT_SPOT", 90.0 * math.exp(16.0 * 0.0178), MAPPED, Driver.RATE_10Y),
    ("gfc_2008", "HYG_SPOT", 80.0 * math.exp(-3.5 * 0.1491), MAPPED, Driver.HIGH_YIELD),
    ("gfc_2008", "BTC_SPOT", 60_000.0 * 0.432**1.5, MAPPED, Driver.EQUITY),
    ("gfc_2008", "EURUSD_SPOT", 1.10 / 1.133, MAPPED, Driver.DOLLAR_INDEX),
    ("gfc_2008", "USDJPY_SPOT", 150.0 * 1.133, MAPPED, Driver.DOLLAR_INDEX),
    ("gfc_2008", "UST2Y", 0.041 - 0.0319, EXACT, Driver.RATE_2Y),
    ("gfc_2008", "UST10Y", 0.042 - 0.0178, EXACT, Driver.RATE_10Y),
    ("gfc_2008", "SOFR", 0.043 - 0.0319, MAPPED, Driver.RATE_2Y),
    ("gfc_2008", "CDX_IG", 0.005 + 0.0453, EXACT, Driver.INVESTMENT_GRADE),
    ("gfc_2008", "CDX_HY", 0.033 + 0.1491, EXACT, Driver.HIGH_YIELD),
    ("gfc_2008", "F_CDS", 0.020 * (1.0 + 0.0453 / 0.006), MAPPED, Driver.INVESTMENT_GRADE),
    ("gfc_2008", "SPY_VOL", 0.14 + 0.336, MAPPED, Driver.VOLATILITY),
    ("gfc_2008", "NVDA_VOL", 0.50 + 0.336, MAPPED, Driver.VOLATILITY),
    ("tech_crash", "SOFR", 0.043 - 0.0492, MAPPED, Driver.RATE_2Y),  # a rate may go below zero
    ("tech_crash", "GLD_SPOT", 250.0 / 1.021, MAPPED, Driver.DOLLAR_INDEX),
    ("usd_rally", "ETH_SPOT", 2_500.0 * 0.474**1.2, MAPPED, Driver.BTC),
    ("crypto_crash", "BTC_SPOT", 60_000.0 * 0.241, EXACT, Driver.BTC),
    ("crypto_crash", "SOL_SPOT", 150.0 * 0.238**1.1, MAPPED, Driver.ETH),
    ("vol_spike_2024", "EURUSD_SPOT", 1.10 / 0.999, MAPPED, Driver.DOLLAR),
    ("vol_spike", "UST2Y", 0.041, EXACT, Driver.RATE_2Y),  # a known shock of zero is not unknown
    ("fed_2024", "SPY_VOL", 0.14 + 0.70 - 0.19, MAPPED, Driver.VOLATILITY),
    ("fed_2024", "NVDA_VOL", 0.50 + 0.70 - 0.19, MAPPED, Driver.VOLATILITY),
    ("fed_2024", "QQQ_SPOT", 500.0 * 0.446**1.2, MAPPED, Driver.EQUITY),
    ("fed_2024", "UST2Y", 0.041 - 0.0370, MAPPED, Driver.RATE_10Y),
    ("fed_2024", "USDJPY_SPOT", math.nan, MISSING, None),
    ("GFC_2008", "CDX_IG", 0.005 * 1.45, MAPPED, Driver.CREDIT),
    ("GFC_2008", "EURUSD_SPOT", 1.10 * 0.82, MAPPED, Driver.CURRENCIES),
    ("GFC_2008", "USDJPY_SPOT", 150.0 / 0.82, MAPPED, Driver.CURRENCIES),
    ("GFC_2008", "UST10Y", math.nan, MISSING, None),
    ("COVID_2020", "SPY_VOL", 0.14 * 4.0, MAPPED, Driver.VOLATILITY),  # +300 %, not three points
    ("FED_TAPER", "UST10Y", 0.042 + 0.02, MAPPED, Driver.RATES),
    ("FED_TAPER", "TLT_SPOT", 90.0 * 0.84, EXACT, Driver.LONG_BONDS),
    ("FED_TAPER", "SPY_SPOT", math.nan, MISSING, None),
    ("CRYPTO_CRASH", "ETH_SPOT", 2_500.0 * 0.25, EXACT, Driver.ETH),
    ("CRYPTO_CRASH", "KO_SPOT", math.nan, MISSING, None),
]


@pytest.mark.parametrize(("key", "name", "level", "status", "driver"), MOVES)
def test_levels_of_factors(key, name, level, status, driver):
    moves = {move.factor: move for move in stress_moves(STRESS_SCENARIOS[key], tuple(FACTORS.values()))}
    move = moves[name]
    assert move.level == pytest.approx(level, rel=1e-12, nan_ok=True), f"{key} {name}: {move}"
    assert (move.status, move.driver) == (status, driver), f"{key} {name}: {move}"


@pytest.mark.parametrize("key", STRESS_SCENARIOS)
def test_moves_come_in_order_and_stay_in_range(key):
    factors = tuple(FACTORS.values())
    moves = stress_moves(STRESS_SCENARIOS[key], factors)
    assert [move.factor for move in moves] == [factor.name for factor in factors]
    for factor, move in zip(factors, moves, strict=True):
        assert math.isnan(move.level) == (move.status is MISSING) == (move.driver is None), move
        if move.status is not MISSING and factor.kind is not Factor.RATE:
            assert move.level > 0.0, move
    assert stress_moves(STRESS_SCENARIOS[key], factors[::-1]) == moves[::-1]


sizes = st.floats(-0.99, 3.0)
points = st.floats(-0.5, 0.5)
shock_sets = st.fixed_dictionaries(
    {},
    optional={
        **{driver: st.builds(Shock, sizes) for driver in PERCENT},
        **{driver: st.builds(Shock, points, st.just(Shift.ABSOLUTE)) for driver in (*BASIS_POINTS, *POINTS)},
    },
)


@given(shock_sets)
def test_prices_volatilities_and_spreads_stay_above_zero(shocks):
    for move in stress_moves(StressScenario("any", "Any", shocks), tuple(FACTORS.values())):
        assert move.driver is None or move.driver in shocks
        if FACTORS[move.factor].kind is not Factor.RATE:
            assert math.isnan(move.level) or 0.0 < move.level < math.inf, (shocks, move)


@given(sizes)
def test_a_pair_and_its_inverse_stay_inverse(size):
    pairs = [RiskFactor("EURUSD_SPOT", Factor.FX, 1.25), RiskFactor("USDEUR_SPOT", Factor.FX, 0.8)]
    for driver in (Driver.DOLLAR, Driver.DOLLAR_INDEX, Driver.CURRENCIES):
        forth, back = stress_moves(StressScenario("any", "Any", {driver: Shock(size)}), pairs)
        assert forth.level * back.level == pytest.approx(1.0, rel=1e-12)


@given(sizes, st.floats(0.1, 3.0))
def test_a_given_beta_is_one_in_logarithms(size, beta):
    factor = FACTORS["KO_SPOT"]
    [move] = stress_moves(StressScenario("any", "Any", {Driver.EQUITY: Shock(size)}), [factor], betas={"KO_SPOT": beta})
    assert math.log(move.level / factor.level) == pytest.approx(beta * math.log1p(size), rel=1e-9, abs=1e-12)
    assert move.beta == beta


def test_a_beta_does_not_move_the_index_itself():
    [move] = stress_moves(STRESS_SCENARIOS["gfc_2008"], [FACTORS["SPY_SPOT"]], betas={"SPY_SPOT": 3.0})
    assert (move.level, move.beta) == (pytest.approx(600.0 * 0.432), 1.0)


def test_a_spread_that_tightens_below_a_basis_point_stays_at_one():
    scenario = StressScenario("rally", "Rally", {Driver.INVESTMENT_GRADE: Shock(-0.02, Shift.ABSOLUTE)})
    levels = [move.level for move in stress_moves(scenario, [FACTORS["CDX_IG"], FACTORS["F_CDS"]])]
    assert levels == [1e-4, 1e-4]


def test_a_shock_to_a_factor_overrides_those_to_drivers():
    named = {
        "KO_SPOT": Shock(-0.3),
        "UST2Y": Shock(0.01, Shift.ABSOLUTE),
        "SPY_VOL": Shock(0.8, Shift.LEVEL),
        "NVDA_VOL": Shock(-0.9, Shift.ABSOLUTE),
    }
    scenario = StressScenario("mine", "Mine", {Driver.EQUITY: Shock(-0.5)}, factors=named)
    moves = stress_moves(scenario, [FACTORS[name] for name in named])
    assert [move.level for move in moves] == pytest.approx([42.0, 0.051, 0.8, 1e-4])
    assert {(move.status, move.driver) for move in moves} == {(EXACT, None)}


def test_the_first_rule_that_fits_is_the_only_one():
    stay = Rule(Factor.SPOT, (Route(Driver.OIL, beta=0.5),), "KO*")
    moved = [
        stress_moves(STRESS_SCENARIOS[key], [FACTORS["KO_SPOT"]], (stay, *DEFAULT_MAP))[0]
        for key in ("gfc_2008", "fed_2024")
    ]
    assert (moved[0].level, moved[0].driver) == (pytest.approx(60.0 * 0.586**0.5), Driver.OIL)
    assert moved[1].status is MISSING  # the scenario has no oil shock, and the rule for shares is not used
    assert stress_moves(STRESS_SCENARIOS["gfc_2008"], [FACTORS["KO_SPOT"]], ())[0].status is MISSING


def test_a_route_is_skipped_if_the_shock_is_of_another_type():
    rule = Rule(Factor.VOL, (Route(Driver.VOLATILITY, Way.ADD), Route(Driver.EQUITY, beta=-2.0)))
    by_level, by_points = (
        stress_moves(STRESS_SCENARIOS[key], [FACTORS["SPY_VOL"]], (rule,))[0] for key in ("fed_2024", "gfc_2008")
    )
    assert (by_level.driver, by_level.level) == (Driver.EQUITY, pytest.approx(0.14 * 0.446**-2))
    assert (by_points.driver, by_points.level) == (Driver.VOLATILITY, pytest.approx(0.476))


# --- P&L of scenarios ----------------------------------------------------------------------------


def book_of(name, *positions):
    """Return a plan of one book of (contract, quantity, cost)."""
    return Book(
        name,
        [
            Position(f"{name}_{contract.name}", instrument=contract, quantity=quantity, cost=cost)
            for contract, quantity, cost in positions
        ],
    )


def share(name, level, sector="", currency="USD"):
    return Equity(name, spot_source=MarketData(f"{name}_SPOT", level), sector=sector, currency=currency)


def test_the_pnl_of_shares_is_the_sum_by_hand():
    alice = book_of("ALICE", (share("KO", 60.0), 100, 50.0), (share("SPY", 600.0), -10, 500.0))
    bob = book_of("BOB", (share("NVDA", 140.0, "Semiconductors"), 50, 100.0))
    [result] = run_stresses(plan_valuation([alice, bob]), ["rate_shock"])
    by_hand = {"ALICE": -0.254 * (6_000.0 - 6_000.0), "BOB": -0.346 * 7_000.0}
    assert dict(result.by_unit) == pytest.approx(by_hand, abs=1e-9)
    assert result.pnl == pytest.approx(sum(by_hand.values()))
    assert (result.exact, result.mapped, result.missing, result.left_out) == (1, 2, (), ())


def test_an_option_and_a_bond_are_repriced_by_their_own_formulas():
    spot, vol, rate = MarketData("SPY_SPOT", 600.0), MarketData("SPY_VOL", 0.15), MarketData("SOFR", 0.043)
    put = Option("PUT", spot_source=spot, vol_source=vol, rate_source=rate, strike=550, expiry=0.5, is_call=False)
    ten_year = MarketData("UST10Y", 0.0425)
    note = Bond("NOTE", rate_source=ten_year, face=100.0, coupon_rate=0.0425, maturity=10.0, frequency=2.0)
    book = book_of("ALICE", (put, 10, 1.0), (note, -100, 100.0))
    [result] = run_stresses(plan_valuation([book]), ["covid_2020"])
    now = 10 * put.value - 100 * note.value
    spot.set(600.0 * 0.661)
    vol.set(0.15 + 0.472)
    rate.set(0.043 - 0.0114)
    ten_year.set(0.0425 - 0.0080)
    assert result.pnl == pytest.approx(10 * put.value - 100 * note.value - now, rel=1e-12)
    assert result.left_out == ()


def test_a_contract_with_a_missing_move_is_left_out_and_named():
    spot, rate = MarketData("KO_SPOT", 60.0), MarketData("SOFR", 0.043)
    call = Option("CALL", spot_source=spot, vol_source=0.2, rate_source=rate, strike=60, expiry=1.0)
    coke = Equity("KO", spot_source=spot)
    [single] = run_stresses(plan_valuation([book_of("ALICE", (coke, 100, 60.0))]), ["GFC_2008"])
    [both] = run_stresses(plan_valuation([book_of("ALICE", (coke, 100, 60.0), (call, 100, 5.0))]), ["GFC_2008"])
    assert both.missing == ("SOFR",)
    assert both.left_out == ("CALL",)
    assert both.pnl == single.pnl == pytest.approx(-0.52 * 6_000.0)


def test_a_result_has_the_covered_share_and_the_value_left_out():
    coke, gold = share("KO", 60.0), share("GLD", 250.0)
    plan = plan_valuation([book_of("ALICE", (coke, 100, 60.0)), book_of("BOB", (gold, -12, 240.0), (coke, -50, 50.0))])
    [partly] = run_stresses(plan, ["GFC_2008"])  # no shock to gold
    assert partly.left_out == ("GLD",)
    assert dict(partly.rest) == {"GLD": 3_000.0}
    assert partly.covered == pytest.approx(9_000.0 / 12_000.0)
    [whole] = run_stresses(plan, ["gfc_2008"])
    assert (whole.covered, dict(whole.rest)) == (1.0, {})


def test_the_share_of_a_book_that_is_worth_nothing_is_by_number():
    spread, rate = MarketData("F_CDS", 0.01), MarketData("SOFR", 0.04)
    swap = CreditDefaultSwap("SWAP", spread_source=spread, rate_source=rate, notional=1e6)
    forward = FXForward(
        "FWD",
        spot_source=MarketData("XAGUSD_SPOT", 30.0),
        rate_source=0.0,
        foreign_rate_source=0.0,
        strike=30.0,
        expiry=1,
    )
    [result] = run_stresses(plan_valuation([book_of("ALICE", (swap, 1, 0.0), (forward, 1, 0.0))]), ["CRYPTO_CRASH"])
    assert (set(result.rest), result.covered) == ({"SWAP", "FWD"}, 0.0)


def test_the_choice_of_betas_is_reported_and_checked():
    plan = plan_valuation([book_of("ALICE", (share("KO", 60.0), 100, 60.0))])
    [stated] = run_stresses(plan, ["gfc_2008"])
    [given] = run_stresses(plan, ["gfc_2008"], betas={"KO_SPOT": 0.5})
    [regressed] = run_stresses(plan, ["gfc_2008"], betas={"KO_SPOT": 0.5}, choice="regressed")
    assert [result.betas for result in (stated, given, regressed)] == ["stated", "given", "regressed"]
    assert stated.pnl == pytest.approx(-0.568 * 6_000.0)
    assert given.pnl == regressed.pnl == pytest.approx((0.432**0.5 - 1.0) * 6_000.0)
    for choice, betas, said in (
        ("stated", {}, "choice='stated' takes no betas="),
        (Betas.REGRESSED, None, "choice='regressed' needs betas=; give regressed_betas"),
        ("guessed", None, "choose one of 'stated', 'regressed', 'given'"),
    ):
        with pytest.raises(RiskError, match=said):
            run_stresses(plan, ["gfc_2008"], betas=betas, choice=choice)


@given(st.lists(st.integers(-500, 500).filter(bool), min_size=3, max_size=3), st.integers(2, 9))
def test_pnl_is_linear_in_quantities(quantities, times):
    contracts = [share("KO", 60.0), share("GLD", 250.0), share("BTC", 60_000.0, "Crypto")]
    plans = [
        plan_valuation([book_of("A", *((c, q * n, 1.0) for c, q in zip(contracts, quantities, strict=True)))])
        for n in (1, times)
    ]
    once, often = (run_stresses(plan, ["stagflation"])[0].pnl for plan in plans)
    gross = sum(abs(q * c.value) for c, q in zip(contracts, quantities, strict=True))
    assert often == pytest.approx(times * once, abs=1e-12 * times * gross)


def test_an_unknown_scenario_is_named_with_those_there_are():
    plan = plan_valuation([book_of("ALICE", (share("KO", 60.0), 1, 60.0))])
    with pytest.raises(RiskError, match=r"'gfc_2009'.*gfc_2008") as caught:
        run_stresses(plan, ["covid_2020", "gfc_2009"])
    assert caught.value.value == "gfc_2009"


def test_without_scenarios_the_eight_are_run():
    plan = plan_valuation([book_of("ALICE", (share("KO", 60.0), 1, 60.0))])
    assert tuple(result.key for result in run_stresses(plan)) == REFERENCE_STRESSES


@pytest.fixture(scope="module")
def desk_plan():
    desk = build_desk(seed=7)
    return plan_valuation([trader.book for trader in desk.traders])


@pytest.mark.parametrize("key", STRESS_SCENARIOS)
def test_the_desk_has_a_price_in_every_scenario(key, desk_plan):
    [result] = run_stresses(desk_plan, [key])
    parts = np.array(list(result.by_unit.values()))
    assert tuple(result.by_unit) == desk_plan.units
    assert np.isfinite(parts).all()
    assert result.pnl == pytest.approx(math.fsum(parts), rel=1e-12)
    assert result.exact + result.mapped + len(result.missing) == len(desk_plan.factors)
    assert bool(result.missing) == bool(result.left_out)
    if key in KEYS:  # historical scenarios move every factor of the desk, some by a stated beta
        assert result.missing == ()


# --- errors --------------------------------------------------------------------------------------


def test_contracts_left_out_are_in_no_figure_in_another_currency_either():
    def stressed(*names):
        graph = DependencyGraph()
        graph.register(FXRate("EURUSD", rate_source=MarketData("EURUSD_SPOT", 1.1), base="EUR", quote="USD"))
        book = book_of("ALICE", *((share(name, 100.0, currency="EUR"), 10, 90.0) for name in names))
        graph.register(book)
        return run_stresses(plan_valuation([book]), ["GFC_2008"])[0]

    single, both = stressed("KO"), stressed("KO", "GLD")
    assert both.left_out == ("GLD",)
    assert both.pnl == pytest.approx(single.pnl)


@pytest.mark.parametrize("size", [math.nan, math.inf, -1.0, -1.5])
def test_an_invalid_shock_is_refused(size):
    with pytest.raises(RiskError, match="finite number, above -1"):
        Shock(size)


@pytest.mark.parametrize("size", [math.nan, -math.inf])
def test_a_shift_that_is_not_finite_is_refused(size):
    with pytest.raises(RiskError, match="finite number"):
        Shock(size, Shift.ABSOLUTE)


def test_a_nan_beta_or_level_is_refused():
    with pytest.raises(RiskError, match="KO_SPOT: level or beta nan is not finite"):
        stress_moves(STRESS_SCENARIOS["gfc_2008"], [FACTORS["KO_SPOT"]], betas={"KO_SPOT": math.nan})
    with pytest.raises(RiskError, match="KO_SPOT: level or beta nan"):
        stress_moves(STRESS_SCENARIOS["gfc_2008"], [dataclasses.replace(FACTORS["KO_SPOT"], level=math.nan)])


def test_a_price_is_never_taken_to_zero_or_below():
    scenario = StressScenario("t", "T", {}, factors={"KO_SPOT": Shock(-100.0, Shift.ABSOLUTE)})
    with pytest.raises(RiskError, match="t takes KO_SPOT from"):
        stress_moves(scenario, [FACTORS["KO_SPOT"]])


@pytest.mark.filterwarnings("ignore:overflow")
def test_an_absurd_yield_is_refused_by_name():
    scenario = StressScenario("t", "T", {Driver.RATE_10Y: Shock(-100.0, Shift.ABSOLUTE)})
    with pytest.raises(RiskError, match=r"takes TLT_SPOT from .* to inf"):
        stress_moves(scenario, [RiskFactor("TLT_SPOT", Factor.SPOT, 92.0)])


@pytest.mark.parametrize(
    "factor",
    [
        RiskFactor("AIG_CDS", Factor.CREDIT, 0.012),
        RiskFactor("HYATT_CDS", Factor.CREDIT, 0.012),
        RiskFactor("BUND10Y", Factor.RATE, 0.025),
        RiskFactor("JGB2Y", Factor.RATE, 0.005),
    ],
)
def test_only_the_driver_itself_is_exact(factor):
    [move] = stress_moves(STRESS_SCENARIOS["gfc_2008"], [factor])
    assert move.status is MAPPED, move


def test_a_currency_option_moves_with_the_dollar():
    option = FXOption(
        "EURUSD_1Y",
        spot_source=MarketData("EURUSD_SPOT", 1.1),
        vol_source=0.08,
        rate_source=0.04,
        foreign_rate_source=0.02,
        strike=1.1,
        expiry=1.0,
    )
    plan = plan_valuation([book_of("ALICE", (option, 1, 0.05))])
    [move] = stress_moves(STRESS_SCENARIOS["gfc_2008"], plan.factors)
    assert move.driver in {Driver.DOLLAR, Driver.DOLLAR_INDEX}, move


def test_an_option_moves_the_same_whether_or_not_its_share_is_held():
    spot = MarketData("NVDA_SPOT", 140.0)
    nvidia = Equity("NVDA", spot_source=spot, sector="Semiconductors")
    call = Option("CALL", spot_source=spot, vol_source=0.5, rate_source=0.04, strike=140, expiry=0.5)
    graph = DependencyGraph()
    graph.register(nvidia)
    single = graph.register(book_of("ALICE", (call, 1, 20.0)))
    other = graph.register(book_of("BOB", (nvidia, 1, 140.0)))
    by_itself, beside = (
        run_stresses(plan_valuation(books), ["rate_shock"])[0].by_unit["ALICE"] for books in ([single], [single, other])
    )
    assert by_itself == pytest.approx(beside)


def test_a_spread_moves_the_same_whether_or_not_its_index_is_held():
    single = stress_moves(STRESS_SCENARIOS["gfc_2008"], [FACTORS["F_CDS"]])[0].level
    beside = stress_moves(STRESS_SCENARIOS["gfc_2008"], [FACTORS["F_CDS"], FACTORS["CDX_IG"]])[0].level
    assert single == pytest.approx(beside)


def test_results_are_used_as_a_tuple():
    plan = plan_valuation([book_of("ALICE", (share("SPY", 585.0), 100, 50.0))])
    results = run_stresses(plan, ["covid_2020", "gfc_2008"])
    first, second = results
    assert (len(results), results[0], results[-1]) == (2, first, second)
    assert results == (first, second)
    assert results[:1] == (first,)
    assert results[:1].currency == results.currency == "USD"
    assert results != (second, first)
    assert first in results


def test_results_have_a_table_with_a_column_for_each_trader():
    plan = plan_valuation(
        [book_of("ALICE", (share("SPY", 585.0), 100, 50.0)), book_of("BOB", (share("KO", 60.0), 1, 50.0))]
    )
    results = run_stresses(plan, ["covid_2020"])
    [row] = results.to_table()
    assert row["scenario"] == "covid_2020"
    assert row["pnl_ALICE"] + row["pnl_BOB"] == pytest.approx(row["pnl"])
    assert (row["covered"], row["left_out"]) == (1.0, "")
    assert "Stress scenarios" in repr(results)
