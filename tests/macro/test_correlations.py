"""Correlations against numpy, pandas and published figures; tests of changes against matrix forms and scipy."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import MacroError
from bank_python.macro import (
    Frequency,
    correlation_board,
    correlation_break_test,
    ewma_correlation,
    fisher_z_test,
    jennrich_test,
    rolling_correlation,
    simulate_macro,
)
from bank_python.market_data import SimulatedFeed
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.numerics import holm_p_values

RNG = np.random.default_rng(5)
DAYS = [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(400)]


def panel(count=3, n=400, seed=1):
    levels = 100.0 * np.exp(0.01 * np.random.default_rng(seed).normal(size=(n, count)).cumsum(axis=0))
    return {name: list(zip(DAYS[:n], levels[:, j].tolist(), strict=True)) for j, name in enumerate("ABCDEF"[:count])}


# --- rolling and weighted -------------------------------------------------------------------------------


def test_rolling_correlation_of_the_indices_of_arch():
    """S&P 500 and Nasdaq in arch.data, log returns, 63 days: computed with pandas' rolling(63).corr."""
    indices = [pytest.importorskip(f"arch.data.{name}") for name in ("sp500", "nasdaq")]
    pandas = pytest.importorskip("pandas")
    both = pandas.concat([index.load()["Adj Close"] for index in indices], axis=1).dropna()
    returns = np.log(both).diff().dropna()
    found = rolling_correlation(returns.iloc[:, 0], returns.iloc[:, 1], 63)
    expected = [0.5675589292868275, 0.9835620836396683, 0.9234618137265235, 0.045801585537184136]
    assert [found.min(), found.max(), found.mean(), found.std()] == pytest.approx(expected, abs=1e-12)
    board = correlation_board(both.set_axis(["SP", "NDX"], axis=1), window=63)
    assert board.rolling[:, 0] == pytest.approx(found, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(3, 40),
    st.integers(0, 60),
    st.integers(0, 10_000),
    st.sampled_from([1e-12, 1.0, 1e12]),
    st.sampled_from([0.0, 1e3, -1e6]),
)
def test_every_window_is_that_of_numpy(window, more, seed, scale, mean):
    x, y = np.random.default_rng(seed).normal(size=(2, window + more))
    x, y = scale * (x + mean), scale * (x + y + mean)
    found = rolling_correlation(x, y, window)
    windows = [np.corrcoef(x[i : i + window], y[i : i + window])[0, 1] for i in range(more + 1)]
    assert found == pytest.approx(windows, abs=1e-8)
    assert found == pytest.approx(rolling_correlation(-3.0 * y, -7.0 * x, window), abs=1e-8)


def test_a_large_mean_costs_no_digits():
    """Dyadic figures, so that adding the mean is exact: the correlations must not change."""
    x, y = np.round(RNG.normal(size=(2, 600)) * 64.0) / 64.0
    plain, moved = rolling_correlation(x, y, 21), rolling_correlation(x + 2.0**30, y - 2.0**33, 21)
    assert moved == pytest.approx(plain, abs=1e-12)
    assert ewma_correlation(x + 2.0**30, y, 0.94) == pytest.approx(ewma_correlation(x, y, 0.94), abs=1e-6)
    jump = np.where(np.arange(600) < 300, 1e9, 0.0)  # calm after a jump of 10^9
    after = rolling_correlation(x + jump, y, 21)[300:]
    assert after == pytest.approx(plain[300:], abs=1e-12)


@pytest.mark.parametrize("decay", [0.5, 0.94, 0.97])
def test_weights_are_those_of_pandas(decay):
    pandas = pytest.importorskip("pandas")
    x, y = RNG.normal(size=(2, 300)) + 5.0
    theirs = pandas.Series(x).ewm(alpha=1.0 - decay).corr(pandas.Series(y)).to_numpy()[1:]
    assert ewma_correlation(x, y, decay) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: rolling_correlation([1.0, 2.0, 3.0], [1.0, 2.0], 3), "y has shape"),
        (lambda: rolling_correlation([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0], 3), "x has 4 observations and y 3"),
        (lambda: rolling_correlation([1.0, np.nan, 3.0], [1.0, 2.0, 3.0], 3), "x is nan in row 1"),
        (lambda: rolling_correlation([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 4), "window=4 for 3 observations; give 3 to 3"),
        (lambda: rolling_correlation([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 2), "window=2"),
        (
            lambda: rolling_correlation(np.arange(9.0), [1.0] * 4 + [2.0] * 5, 4),
            "y does not vary in the 4 .* from row 0",
        ),
        (lambda: rolling_correlation(np.arange(9.0), np.full(9, 0.1) * 3, 4), "y does not vary"),
        (lambda: rolling_correlation([0.1 + 0.2, 0.3, 0.3, 0.3], [1.0, 2.0, 3.0, 5.0], 3), "x does not vary"),
        (lambda: ewma_correlation([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], 1.0), "decay=1.0 lies outside"),
        (lambda: ewma_correlation([1.0, 1.0, 3.0], [1.0, 2.0, 4.0]), "x does not vary up to row 1"),
        (lambda: rolling_correlation("x", [1.0, 2.0, 3.0], 3), "x='x' is not a number"),
    ],
)
def test_what_has_no_correlation_is_refused(call, said):
    with pytest.raises(MacroError, match=said):
        call()


def test_series_of_other_dates_are_refused():
    pandas = pytest.importorskip("pandas")
    x = pandas.Series([1.0, 2.0, 4.0], index=pandas.date_range("2026-01-05", periods=3))
    with pytest.raises(MacroError, match=r"row 0 is 2026-01-05 .* in x and 2026-01-06"):
        rolling_correlation(x, x.shift(freq="D"), 3)


# --- tests of changes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "n_first", "n_second", "chi2", "p"),
    [
        (0.5, 0.3, 100, 100, 2.834467120181407, 0.0922614017796634),
        (0.8, 0.6, 250, 250, 19.223375624759722, 1.1628077998300204e-05),
        (0.2, -0.1, 60, 120, 3.600000000000001, 0.0577795711235973),
    ],
)
def test_jennrich_of_two_assets(first, second, n_first, n_second, chi2, p):
    """Jennrich (1970), for two assets n1 n2/(n1 + n2) (r1 − r2)²/(1 − r̄²)²."""
    found = jennrich_test(first, second, n_first, n_second)
    assert (found.statistic, found.degrees_of_freedom) == (pytest.approx(chi2, rel=1e-10), 1)
    assert found.p_value == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("assets", [2, 3, 4, 6])
def test_jennrich_of_matrices_has_its_size_and_scipys_tail(assets):
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(assets)
    p_values = []
    for _ in range(60):
        one, other = (np.corrcoef(rng.normal(size=(200, assets)), rowvar=False) for _ in range(2))
        found = jennrich_test(one, other, 200, 200)
        assert found.degrees_of_freedom == assets * (assets - 1) // 2
        assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, found.degrees_of_freedom), rel=1e-10)
        p_values.append(found.p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_fisher_by_hand():
    found = fisher_z_test(0.5, 0.3, 103, 103)
    z = (math.atanh(0.5) - math.atanh(0.3)) / math.sqrt(0.02)
    assert found.statistic == pytest.approx(z)
    assert found.p_value == pytest.approx(math.erfc(z / math.sqrt(2.0)))


def break_statistic(x, y):
    """Return Q of Wied, Krämer and Dehling as the paper writes it, with the matrices D1, D2, D3 of its appendix."""
    n = len(x)
    columns = np.column_stack([x**2, y**2, x, y, x * y])
    centred = (columns - columns.mean(axis=0)) / math.sqrt(n)
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) / math.log(n)
    d1 = centred.T @ np.maximum(1.0 - lag, 0.0) @ centred
    mx, my = x.mean(), y.mean()
    d2 = np.array([[1, 0, -2 * mx, 0, 0], [0, 1, 0, -2 * my, 0], [0, 0, -my, -mx, 1]])
    vx, vy, cov = x.var(), y.var(), ((x - mx) * (y - my)).mean()
    d3 = np.array([-0.5 * cov / (vy**0.5 * vx**1.5), -0.5 * cov / (vx**0.5 * vy**1.5), 1.0 / math.sqrt(vx * vy)])
    rho = np.corrcoef(x, y)[0, 1]
    path = [j / math.sqrt(n) * abs(np.corrcoef(x[:j], y[:j])[0, 1] - rho) for j in range(2, n + 1)]
    return max(path) / math.sqrt(d3 @ d2 @ d1 @ d2.T @ d3), int(np.argmax(path)) + 1


@pytest.mark.parametrize("seed", range(4))
def test_the_break_test_is_that_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    x, e = rng.standard_t(6, size=(2, 120))
    y = e + np.where(np.arange(120) < 60, 1.5, -0.2) * x
    expected, at = break_statistic(x + 0.3, 2.0 * y - 1.0)
    found = correlation_break_test(x + 0.3, 2.0 * y - 1.0)
    assert found.statistic == pytest.approx(expected, rel=1e-10)
    assert found.last_before == at
    assert found.before == pytest.approx(np.corrcoef(x[: at + 1], y[: at + 1])[0, 1])
    assert found.after == pytest.approx(np.corrcoef(x[at + 1 :], y[at + 1 :])[0, 1])


def test_the_break_test_finds_the_date_and_keeps_its_size():
    scipy = pytest.importorskip("scipy.special")
    rng = np.random.default_rng(0)
    x, e = rng.normal(size=(2, 400))
    found = correlation_break_test(x, np.where(np.arange(400) < 250, e, 2.0 * x + e), DAYS)
    assert abs((found.last_before - DAYS[249]).days) <= 10
    assert found.p_value < 1e-6
    quiet = [correlation_break_test(*rng.normal(size=(2, 300))) for _ in range(200)]
    assert 0.005 <= np.mean([one.p_value < 0.05 for one in quiet]) <= 0.11
    for one in quiet[:20]:
        assert one.p_value == pytest.approx(scipy.kolmogorov(one.statistic), abs=1e-9)


def test_holm_by_hand():
    assert holm_p_values([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm_p_values([]) == []
    assert holm_p_values([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fisher_z_test(1.0, 0.3, 100, 100), "first=1.0 is no correlation inside"),
        (lambda: fisher_z_test(0.5, 0.3, 3, 100), "n_first=3 observations are too few"),
        (lambda: jennrich_test(np.eye(2), np.eye(3), 100, 100), "matrices of shapes"),
        (lambda: jennrich_test([[1.0, 0.5], [0.4, 1.0]], 0.5, 100, 100), "first is no correlation matrix"),
        (lambda: jennrich_test([1.0, 2.0], 0.5, 100, 100), "is no correlation matrix"),
        (lambda: correlation_break_test([1.0] * 30, np.arange(30.0)), "x does not vary"),
        (lambda: correlation_break_test(np.arange(30.0), 2.0 * np.arange(30.0)), "linear function"),
        (lambda: correlation_break_test(np.arange(10.0), np.arange(10.0)), "at least 20 numbers"),
        (lambda: correlation_break_test(np.arange(30.0), RNG.normal(size=30), DAYS[:3]), "3 dates for 30"),
    ],
)
def test_what_cannot_be_tested_is_refused(call, said):
    with pytest.raises(MacroError, match=said):
        call()


# --- boards ---------------------------------------------------------------------------------------------


def test_a_board_is_made_of_the_parts():
    prices = panel()
    board = correlation_board(prices, window=50, decay=0.95)
    returns = np.column_stack([np.diff(np.log([price for _, price in prices[name]])) for name in "ABC"])
    assert board.matrix == pytest.approx(np.corrcoef(returns[-50:], rowvar=False))
    pair = board.pair("C", "A")
    history = rolling_correlation(returns[:, 0], returns[:, 2], 50)
    assert board.history("A", "C").rolling == pytest.approx(history)
    assert board.history("A", "C").ewma == pytest.approx(ewma_correlation(returns[:, 0], returns[:, 2], 0.95)[48:])
    assert pair.percentile == pytest.approx(np.mean(history < history[-1]) + 0.5 / len(history))
    before = np.corrcoef(returns[-100:-50, [0, 2]], rowvar=False)[0, 1]
    assert pair.change.p_value == pytest.approx(fisher_z_test(pair.rolling, before, 50, 50).p_value)
    assert pair.structural_break.statistic == pytest.approx(
        correlation_break_test(returns[:, 0], returns[:, 2]).statistic
    )
    assert pair.break_p >= pair.structural_break.p_value
    assert board.dates[-1] == DAYS[-1]
    assert (board.frequency, board.observations) == (Frequency.DAILY, 399)
    assert len(board.to_table()) == 3


def test_weekends_of_coins_are_dropped_and_counted():
    prices = panel(2)
    prices["B"] = [(day, price) for day, price in prices["B"] if day.weekday() < 5]
    board = correlation_board(prices, window=20)
    assert board.dropped == {"A": 400 - len(prices["B"]), "B": 0}
    both = dict(prices["A"])
    x = np.diff(np.log([both[day] for day, _ in prices["B"]]))
    y = np.diff(np.log([price for _, price in prices["B"]]))
    assert board.pairs[0].rolling == pytest.approx(np.corrcoef(x[-20:], y[-20:])[0, 1])
    assert "dates dropped, as others lack them: A 114" in repr(board)


def test_panels_come_in_many_forms():
    pandas = pytest.importorskip("pandas")
    prices = panel(2)
    wanted = correlation_board(prices, window=30).pairs[0].rolling
    frame = pandas.DataFrame({name: dict(pairs) for name, pairs in prices.items()})
    frame.index = pandas.to_datetime(frame.index)
    table = PriceHistoryTable()
    for name, pairs in prices.items():
        bars = (Bar(dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC), None, None, None, p, None) for d, p in pairs)
        table.load(name, PriceHistory(name, "test", tuple(bars)))
    forms = [
        frame,
        frame.tz_localize("UTC"),
        {name: frame[name] for name in frame},
        {name: dict(pairs) for name, pairs in prices.items()},
        table,
        table.panel(["A", "B"]),
    ]
    for form in forms:
        board = correlation_board(form, window=30)
        assert board.pairs[0].rolling == pytest.approx(wanted)
        assert board.dates[-1] == DAYS[-1]


def test_histories_of_a_simulated_feed_say_so():
    feed, table = SimulatedFeed(seed=1), PriceHistoryTable()
    histories = {symbol: feed.history(symbol, "1y") for symbol in ("SPY", "GLD")}
    for symbol, history in histories.items():
        table.load(symbol, history)
    observed = {symbol: replace(history, source="yahoo") for symbol, history in histories.items()}
    assert all(correlation_board(prices).is_simulated for prices in (histories, table))
    assert not correlation_board(observed).is_simulated


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-8, 1e-10])
def test_pairs_that_are_nearly_the_same_are_not_an_error(size):
    rng = np.random.default_rng(8)
    moves = 0.01 * rng.normal(size=300)
    other = moves + 0.01 * size * rng.normal(size=300)
    prices = {
        name: list(zip(DAYS[:301], np.exp(np.cumsum([0.0, *walk])), strict=True))
        for name, walk in (("A", moves), ("B", other))
    }
    pair = correlation_board(prices).pairs[0]
    assert pair.rolling == pytest.approx(1.0, abs=1e-5)
    assert (pair.verdict == "not tested") == (size < 1e-4)


def test_rates_have_differences():
    history = simulate_macro(years=2, seed=3)
    parts = {name: history[name] for name in ("VIXCLS", "DGS10")}
    board = correlation_board(parts, window=60)
    assert board.differences == ("DGS10",)
    assert board.is_simulated
    assert "simulated" in repr(board)
    assert "simulated" in repr(board.history("VIXCLS", "DGS10"))
    x, y = np.diff(np.log(history["VIXCLS"].values)), np.diff(history["DGS10"].values)
    assert board.pairs[0].rolling == pytest.approx(np.corrcoef(x[-60:], y[-60:])[0, 1])


def test_a_pair_of_one_series_twice_is_not_tested():
    prices = panel(1)
    board = correlation_board({"A": prices["A"], "B": [(d, 2.0 * p) for d, p in prices["A"]]}, window=30)
    assert board.pairs[0].rolling == pytest.approx(1.0)
    assert (board.pairs[0].verdict, board.pairs[0].structural_break) == ("not tested", None)


def flat(name):
    prices = panel(2)
    prices[name] = [(day, price if i < 200 or i > 240 else 50.0) for i, (day, price) in enumerate(prices[name])]
    return prices


@pytest.mark.parametrize(
    ("prices", "more", "said"),
    [
        (flat("B"), {"window": 20}, "B does not vary from 2024-07-20 .* the pair of B and A has no correlation"),
        (panel(1), {}, "A alone has no correlation"),
        ({}, {}, "there are no series"),
        (3, {}, "a int has no series with dates"),
        ({"A": [1.0, 2.0], "B": [1.0, 2.0]}, {}, r"A has no \(date, price\) pairs"),
        ({"A": 3.0}, {}, "A is a float without dates"),
        ({"A": [(DAYS[1], 1.0), (DAYS[0], 2.0)], "B": []}, {}, "the date 2024-01-01 follows 2024-01-02"),
        ({"A": [("x", 1.0)]}, {}, "A: 'x' is not a date"),
        ({"A": [(DAYS[0], "x")]}, {}, "A has a figure that is no number"),
        ({"A": [(DAYS[0], np.inf)]}, {}, "A is inf on 2024-01-01"),
        (panel(2, 50), {"window": 60}, r"50 dates are common to all series \(A 50, B 50\), and 61 are needed"),
        (panel(2), {"window": 2}, "window=2 changes are too few"),
        (panel(2), {"differences": ["C"]}, "differences names 'C'"),
        (panel(2), {"decay": 0.0}, "decay=0.0 lies outside"),
        ({**panel(1), "B": [(day, -1.0) for day in DAYS]}, {}, r"B is -1 on 2024-01-01, not above 0"),
    ],
)
def test_panels_that_cannot_be_correlated_are_refused(prices, more, said):
    with pytest.raises(MacroError, match=said):
        correlation_board(prices, **more)


def test_missing_prices_are_left_out_and_pairs_are_found_by_name():
    prices = panel(2)
    prices["A"][5] = (DAYS[5], None)
    prices["A"][6] = (DAYS[6], float("nan"))
    board = correlation_board(prices, window=30)
    assert board.dropped == {"A": 0, "B": 2}
    with pytest.raises(MacroError, match="there is no pair of 'A' and 'X'"):
        board.pair("A", "X")


def test_the_order_of_dates_and_of_assets_is_checked():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 60))
    days = [dt.date(2026, 1, 1) + dt.timedelta(i) for i in range(60)]
    with pytest.raises(MacroError, match="2026-02-28 follows 2026-03-01; sort by date"):
        correlation_break_test(x, y, days[::-1])
    first = pd.DataFrame([[1.0, 0.3], [0.3, 1.0]], index=["a", "b"], columns=["a", "b"])
    with pytest.raises(MacroError, match="one order"):
        jennrich_test(first, first[["b", "a"]], 50, 50)
