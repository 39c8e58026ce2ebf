"""Gauges: figures by hand, percentiles of the stated table, states, ages, words, and what is missing."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import MacroError
from bank_python.macro import (
    GAUGES,
    KNOWN_SERIES,
    STATED_PERCENTILES,
    Direction,
    Frequency,
    GaugeGroup,
    GaugeState,
    GaugeThresholds,
    MacroHistory,
    MacroSeries,
    macro_regime,
    own_percentile,
    read_gauges,
    simulate_macro,
    stated_percentile,
)

END = dt.date(2026, 6, 30)


def daily(name, values, end=END):
    dates = np.datetime64(end) - np.arange(len(values))[::-1]
    return series(name, dates, values)


def monthly(name, values, last="2026-05"):
    months = np.datetime64(last, "M") - np.arange(len(values))[::-1]
    return series(name, months.astype("datetime64[D]"), values)


def series(name, dates, values):
    return MacroSeries.of(name, dates, values)


def board(*given, as_of=END, **more):
    return read_gauges(MacroHistory(given, as_of), **more)


def test_differences_ratios_and_growth_by_hand():
    ten, two = daily("DGS10", [4.0, 4.1, 4.2]), daily("DGS2", [4.2, 4.3, 4.55])
    vix, ahead = daily("VIXCLS", [20.0, 25.0, 33.0]), daily("VXVCLS", [20.0, 25.0, 30.0])
    prices = monthly("CPIAUCSL", [100.0 * 1.002**i for i in range(24)])
    funds = monthly("FEDFUNDS", [5.0] * 12 + [4.0] * 12)
    read = board(ten, two, vix, ahead, prices, funds)
    assert read["curve_slope"].value == pytest.approx(-0.35)
    assert read["vix_term"].value == pytest.approx(1.1)
    assert read["cpi_year"].value == pytest.approx(100.0 * (1.002**12 - 1.0))
    assert read["cpi_quarter"].value == pytest.approx(100.0 * (1.002**12 - 1.0))
    assert read["policy_12m"].value == -1.0
    assert read["policy_6m"].value == 0.0
    assert read["curve_slope"].reading == "the curve is inverted by 0.35 points; about the 7th percentile since 1980"
    assert read["vix_term"].words == "the VIX is above the 3-month VIX (ratio 1.10): backwardation"
    assert read["policy_12m"].words == "the policy rate has fallen by 1.00 points over 12 months"
    assert read["policy_6m"].words == "the policy rate is unchanged over 6 months"
    assert read["policy_6m"].reading.endswith("no history")


def test_a_published_slope_is_preferred_to_a_difference():
    slope = daily("T10Y2Y", [0.5])
    read = board(slope, daily("DGS10", [4.0]), daily("DGS2", [3.0]))
    assert (read["curve_slope"].value, read["curve_slope"].series) == (0.5, ("T10Y2Y",))


def test_differences_are_of_common_dates():
    ten = daily("DGS10", [4.0, 4.1, 4.2])
    two = daily("DGS2", [3.0, 3.5], end=END - dt.timedelta(days=1))
    gauge = board(ten, two)["curve_slope"]
    assert gauge.value == pytest.approx(4.1 - 3.5)
    assert (gauge.date, gauge.age_days) == (END - dt.timedelta(days=1), 1)


def test_a_monthly_policy_rate_is_taken_from_the_same_month():
    funds = monthly("FEDFUNDS", [5.0, 4.0])  # April, May
    days = np.arange("2026-04-27", "2026-07-01", dtype="datetime64[D]")
    two = series("DGS2", days, np.where(days == np.datetime64("2026-05-31"), 4.25, 9.0))
    gauge = board(funds, two)["policy_path"]
    assert gauge.value == pytest.approx(0.25)
    assert gauge.date == dt.date(2026, 5, 31)
    assert not gauge.is_stale


def test_the_sahm_rule_by_hand():
    rates = [4.0] * 12 + [3.5, 3.5, 3.5] + [4.0, 4.2, 4.6]
    means = [np.mean(rates[i : i + 3]) for i in range(len(rates) - 2)]
    assert board(monthly("UNRATE", rates))["sahm"].value == pytest.approx(means[-1] - min(means[-13:-1]))


@pytest.mark.parametrize(
    ("key", "value", "state"),
    [
        ("T10Y2Y", -0.01, "stress"),
        ("T10Y2Y", 0.0, "watch"),
        ("T10Y2Y", 0.3, "calm"),
        ("BAMLH0A0HYM2", 8.0, "watch"),
        ("BAMLH0A0HYM2", 8.01, "stress"),
        ("BAMLH0A0HYM2", 5.0, "calm"),
        ("VIXCLS", 30.5, "stress"),
        ("VIXCLS", 25.0, "watch"),
        ("ANFCI", 0.1, "watch"),
        ("ANFCI", -0.1, "calm"),
        ("STLFSI4", 1.5, "stress"),
        ("T10YIE", 1.4, "stress"),
    ],
)
def test_states(key, value, state):
    [gauge] = board(daily(key, [value])).gauges
    assert gauge.state.value == state
    assert gauge.thresholds.source


def test_ages_are_those_of_the_frequency():
    days = np.datetime64(END) - np.arange(20)[::-1]
    old = series("VIXCLS", days - 30, np.full(20, 40.0))
    monthly_prices = monthly("CPIAUCSL", [100.0 * 1.01**i for i in range(13)], last="2026-04")
    read = board(old, monthly_prices)
    vix = read["vix"]
    assert (vix.is_stale, vix.age_days) == (True, 30)
    assert vix.reading.endswith(f"stale, from {END - dt.timedelta(days=30)}")
    assert not read["cpi_year"].is_stale
    assert read["cpi_year"].age_days == 90
    assert len(read.counted) == len(read) - 1
    assert read.by_group[GaugeGroup.VOLATILITY][GaugeState.STRESS] == 0
    assert "VIX (stale)" in macro_regime(read).missing
    assert "stress, stale" in repr(read)


# --- percentiles ----------------------------------------------------------------------------------------


def test_stated_percentiles_are_those_of_the_daily_histories():
    assert len(STATED_PERCENTILES) == 9
    assert STATED_PERCENTILES["high_yield_spread"].values == (2.82, 3.03, 3.52, 4.55, 6.18, 8.08, 9.21, 16.75)
    assert STATED_PERCENTILES["vix"].end == dt.date(2026, 7, 23)
    assert set(STATED_PERCENTILES) <= {gauge.key for gauge in GAUGES}


@pytest.mark.parametrize(
    ("gauge", "value", "said"),
    [
        ("vix", 17.61, "about the 50th percentile since 1990"),
        ("vix", 11.0, "below the 5th percentile since 1990"),
        ("vix", 80.0, "above the 99th percentile since 1990"),
        ("vix", 11.44, "about the 5th percentile since 1990"),
        ("high_yield_spread", 5.375, "about the 63rd percentile since 1996"),
        ("dollar", 119.8529, "about the 85th percentile since 2006"),
        ("curve_slope", -0.35, "about the 7th percentile since 1980"),
        ("real_yield", 1.4, "about the 63rd percentile since 2003"),
    ],
)
def test_stated_percentiles_are_interpolated_and_not_extrapolated(gauge, value, said):
    assert stated_percentile(gauge, value).said == said


@given(st.sampled_from(sorted(STATED_PERCENTILES)), st.floats(-50.0, 200.0), st.floats(-50.0, 200.0))
def test_a_higher_figure_has_no_lower_percentile(gauge, one, other):
    low, high = sorted((one, other))
    assert stated_percentile(gauge, low).value <= stated_percentile(gauge, high).value


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 5))
def test_the_own_percentile_counts(past, value):
    days = np.datetime64("2020-01-01") + np.arange(len(past))
    expected = 100.0 * sum((0.5 if one == value else 1.0) for one in past if one <= value) / len(past)
    assert own_percentile([float(one) for one in past], float(value), days).value == pytest.approx(expected)


def test_which_history_is_used():
    moves = daily("VIXCLS", np.linspace(10.0, 30.0, 100))
    assert not board(moves)["vix"].percentile.is_own
    own = board(moves, own_history=True)["vix"].percentile
    assert (own.is_own, own.observations, own.rank) == (True, 100, "100th, own")
    assert not board(moves, own_history=True, fewest=101)["vix"].percentile.is_own
    growth = daily("DTWEXBGS", np.linspace(100.0, 110.0, 300))
    assert board(growth)["dollar_trend"].percentile.is_own
    assert board(growth, fewest=200)["dollar_trend"].percentile is None


# --- joint reading --------------------------------------------------------------------------------------


def growing(rates, start=100.0):
    """Return an index that grows by yearly rates, in per cent, one for each month."""
    return start * np.cumprod(1.0 + np.asarray(rates) / 1200.0)


@pytest.mark.parametrize(
    ("activity", "inflation", "phrase"),
    [
        ([5.0] * 24 + [0.0] * 6, [5.0] * 27 + [1.0] * 3, "slowing growth, falling inflation"),
        ([0.0] * 24 + [6.0] * 6, [2.0] * 27 + [6.0] * 3, "accelerating growth, rising inflation"),
        ([2.0] * 30, [2.0] * 30, "steady growth, steady inflation"),
    ],
)
def test_the_quadrant(activity, inflation, phrase):
    given_series = monthly("INDPRO", growing(activity)), monthly("CPIAUCSL", growing(inflation, 300.0))
    regime = macro_regime(board(*given_series))
    assert regime.phrase == phrase
    assert regime.basis[0].startswith("growth: industrial production")
    assert regime.basis[1].startswith("inflation: consumer price index")


def test_market_prices_stand_in_and_say_so():
    quadrant = board(daily("T10Y2Y", [-0.4]), daily("T10YIE", np.linspace(2.6, 2.0, 200))).quadrant
    assert quadrant.phrase == "slowing growth, falling inflation"
    assert "the inverted curve (-0.40 points), in place of figures on activity" in quadrant.growth_basis
    assert "in place of prices" in quadrant.inflation_basis
    unemployed = board(monthly("UNRATE", [4.0] * 12 + [5.0] * 3)).quadrant
    assert unemployed.growth is Direction.FALLING
    assert unemployed.phrase == "slowing growth, inflation unknown"
    assert board(daily("T10Y2Y", [0.4])).quadrant.growth is Direction.UNKNOWN


def test_stale_series_give_no_direction():
    old = monthly("INDPRO", growing([5.0] * 30), last="2024-05")
    assert board(old).quadrant.growth is Direction.UNKNOWN


def test_shares_and_counts_of_stress():
    read = board(daily("T10Y2Y", [-0.4]), daily("VIXCLS", [35.0]), daily("BAMLH0A0HYM2", [4.0]), daily("ANFCI", [-0.5]))
    assert read.stress_share == 0.5
    regime = macro_regime(read, fitted="high variance", probability=0.83)
    assert sum(regime.in_stress.values()) == 2
    assert regime.of[GaugeGroup.VOLATILITY] == 2
    assert regime.reading == (
        "slowing growth, inflation unknown; many gauges in stress (2 of 4); fitted regime high variance with "
        "probability 83%"
    )
    assert len(read.missing) + len(read) == len(GAUGES)
    assert read.missing[0].reason == "needs INDPRO"


def test_without_series_there_is_no_reading():
    read = board()
    assert (len(read), read.stress_share) == (0, None)
    assert macro_regime(read).reading == "growth unknown, inflation unknown; no gauge can be read"
    assert "no gauge to count" in repr(read)
    with pytest.raises(MacroError, match="the gauge vix cannot be read: needs VIXCLS"):
        read["vix"]
    with pytest.raises(MacroError, match="did you mean 'vix'"):
        board(daily("VIXCLS", [20.0]))["vixx"]


def test_no_later_figure_is_used():
    history = simulate_macro(years=3, seed=5)
    day = dt.date(2025, 7, 1)
    before = read_gauges(history, as_of=day)
    assert max(gauge.date for gauge in before.gauges) <= day
    cut = read_gauges(history.until(day))
    assert [gauge.to_dict() for gauge in before.gauges] == [gauge.to_dict() for gauge in cut.gauges]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: board(as_of=END, fewest=0), "fewest=0; give at least 1"),
        (lambda: read_gauges(MacroHistory((), END), as_of="x"), "as_of='x' is not a date"),
        (lambda: read_gauges(3), "history=3 is not a MacroHistory"),
        (lambda: macro_regime(board(), fitted="x", probability=1.5), r"probability=1.5 of regime 'x'"),
        (lambda: macro_regime(board(), probability=0.5), "of regime None"),
        (lambda: stated_percentile("vixx", 20.0), "did you mean 'vix'"),
        (lambda: stated_percentile("vix", float("nan")), "value=nan is not finite"),
        (lambda: own_percentile([], 1.0, []), r"\(0,\) figures"),
        (lambda: GaugeThresholds("x", watch_above=3.0, stress_above=2.0), "do not ascend"),
        (lambda: daily("VIXCLS", [np.nan]), "a date or a figure that is missing"),
        (lambda: series("VIXCLS", np.array(["2026-01-02", "2026-01-01"], dtype="datetime64[D]"), [1, 2]), "follows"),
        (lambda: series("VIXCLS", ["x"], [20.0]), "VIXCLS: dates or figures of another type"),
        (lambda: series("VIXCLS", ["2026-01-01"], [20.0, 21.0]), "give one for each date"),
        (lambda: dataclasses.replace(daily("VIXCLS", [20.0]), values=[20.0]), "use MacroSeries.of"),
        (lambda: MacroHistory((daily("VIXCLS", [20.0]),) * 2, END), "two series are called VIXCLS"),
    ],
)
def test_bad_input_is_refused(call, said):
    with pytest.raises(MacroError, match=said):
        call()


# --- simulated series -----------------------------------------------------------------------------------


def test_simulated_series_are_consistent_and_say_what_they_are():
    history = simulate_macro(years=10, seed=11)
    ten, real, breakeven = (history[name].values for name in ("DGS10", "DFII10", "T10YIE"))
    assert ten == pytest.approx(real + breakeven, abs=1e-9)
    assert history["T10Y2Y"].values == pytest.approx(ten - history["DGS2"].values, abs=1e-9)
    vix, spread = np.log(history["VIXCLS"].values), np.log(history["BAMLH0A0HYM2"].values)
    assert np.corrcoef(vix, spread)[0, 1] > 0.7
    assert all(one.is_simulated and one.source == "simulated (seed 11)" for one in history.series)
    read = read_gauges(history)
    assert not read.missing
    assert read["vix"].reading.endswith("; simulated")
    assert macro_regime(read).reading.endswith("[simulated]")
    assert "simulated" in repr(history)
    assert "simulated" in repr(read)
    assert all(row["is_simulated"] for row in read.to_table())


@pytest.mark.parametrize("seed", range(12))
def test_simulated_series_are_plausible(seed):
    history = simulate_macro(years=4, seed=seed)
    for one in history.series:
        info = KNOWN_SERIES[one.name]
        assert info.low <= np.median(one.values) <= info.high, one.name
    for name in ("VIXCLS", "VXVCLS", "BAMLH0A0HYM2", "BAMLC0A0CM", "DGS10", "DGS2", "DFF"):
        assert history[name].values.min() > 0.0, name


def test_a_seed_makes_the_same_series():
    one, same, other = (simulate_macro(years=1, seed=seed)["VIXCLS"].values for seed in (1, 1, 2))
    assert (one == same).all()
    assert not (one == other).all()


@pytest.mark.parametrize("arguments", [{"years": 0}, {"years": 101}, {"seed": -1}, {"end": "1900-01-01"}])
def test_simulations_out_of_range_are_refused(arguments):
    with pytest.raises(MacroError, match="give 1 to 100 years"):
        simulate_macro(**arguments)


@pytest.mark.parametrize(("name", "first", "stale"), [("VIXCLS", "2026-06-20", True), ("VIXCLS", "2026-06-29", False)])
def test_one_old_figure_of_a_daily_series_is_stale(name, first, stale):
    history = MacroHistory((MacroSeries.of(name, [first], [18.0]),), dt.date(2026, 6, 30))
    gauge = read_gauges(history)["vix"]
    assert gauge.is_stale is stale
    assert read_gauges(history).stress_share == (None if stale else 0.0)


def test_dates_tell_the_frequency_before_the_name_does():
    months = [f"2025-{month:02d}-01" for month in range(1, 13)]
    assert MacroSeries.of("DGS10", months, np.full(12, 4.0)).frequency is Frequency.MONTHLY
    assert MacroSeries.of("CPIAUCSL", ["2026-01-01"], [320.0]).frequency is Frequency.MONTHLY
    assert MacroSeries.of("NO_SUCH", ["2026-01-01"], [1.0]).frequency is Frequency.IRREGULAR
