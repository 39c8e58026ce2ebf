"""ATR and RSI: the sheets of StockCharts, pandas, and what holds at the ends of the scale."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models import atr, rsi, true_range

BARS_4H = Path(__file__).parents[3] / "shared" / "reference" / "ohlcv_4h_seed7.csv"

# StockCharts, ChartSchool, "Average True Range (ATR)": the sheet with 14 bars in the average; printed to two places.
HIGH = (
    *(48.7, 48.72, 48.9, 48.87, 48.82, 49.05, 49.2, 49.35, 49.92, 50.19, 50.12, 49.66, 49.88, 50.19, 50.36, 50.57),
    *(50.65, 50.43, 49.63, 50.33, 50.29, 50.17, 49.32, 48.5, 48.32, 46.8, 47.8, 48.39, 48.66, 48.79),
)
LOW = (
    *(47.79, 48.14, 48.39, 48.37, 48.24, 48.64, 48.94, 48.86, 49.5, 49.87, 49.2, 48.9, 49.43, 49.73, 49.26, 50.09),
    *(50.3, 49.21, 48.98, 49.61, 49.2, 49.43, 48.08, 47.64, 41.55, 44.28, 47.31, 47.2, 47.9, 47.73),
)
CLOSE = (
    *(48.16, 48.61, 48.75, 48.63, 48.74, 49.03, 49.07, 49.32, 49.91, 50.13, 49.53, 49.5, 49.75, 50.03, 50.31, 50.52),
    *(50.41, 49.34, 49.37, 50.23, 49.24, 49.93, 48.43, 48.18, 46.57, 45.41, 47.77, 47.72, 48.62, 47.85),
)
ATR = (
    *(0.554286, 0.593265, 0.585175, 0.568377, 0.614921, 0.617427, 0.641896, 0.673904, 0.692196, 0.774897, 0.780975),
    *(1.208763, 1.302423, 1.380107, 1.366528, 1.336061, 1.316343),
)

# StockCharts, ChartSchool, "Relative Strength Index (RSI)": the sheet of QQQQ with 14 changes in the averages.
QQQQ = (
    *(44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328),
    *(45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515),
    *(45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314),
)
RSI = (
    *(70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46, 41.87, 45.46),
    *(37.30, 33.08, 37.77),
)

CLOSES = st.lists(st.floats(1.0, 1e3), min_size=3, max_size=40)


def walk(count=300, seed=2):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(0.01 * rng.normal(size=count).cumsum())
    high, low = close * np.exp(0.004 * rng.random(count)), close * np.exp(-0.004 * rng.random(count))
    return high, low, close


def test_the_average_true_range_of_the_sheet():
    ours = atr(HIGH, LOW, CLOSE, n=14)
    assert np.isnan(ours[:13]).all()
    assert ours[13:] == pytest.approx(ATR, abs=6e-7)


def test_the_relative_strength_index_of_the_sheet():
    ours = rsi(QQQQ)
    assert np.isnan(ours[:14]).all()
    assert ours[14:].round(2) == pytest.approx(RSI, abs=1e-9)


def test_the_first_value_is_a_start_too_as_in_pandas():
    high, low, close = walk()
    before = pd.Series(close).shift()
    ranges = np.fmax(high - low, np.fmax(abs(high - before), abs(low - before)))
    assert true_range(high, low, close) == pytest.approx(ranges.to_numpy(), rel=1e-13)
    smooth = ranges.ewm(alpha=1 / 14, adjust=False).mean()
    assert atr(high, low, close, start="first") == pytest.approx(smooth.to_numpy(), rel=1e-12)
    moves = pd.Series(close).diff()[1:]
    rises, falls = (part.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean() for part in (moves, -moves))
    index = 100 - 100 / (1 + rises / falls)
    assert rsi(close, start="first")[1:] == pytest.approx(index.to_numpy(), rel=1e-10)


@pytest.mark.skipif(not BARS_4H.exists(), reason="the bars are not here")
def test_recorded_averages_after_800_bars_do_not_depend_on_the_start():
    # Recorded outputs of another implementation; by then a start has a weight of (13/14)^786, far below rounding.
    bars = pd.read_csv(BARS_4H)
    for start in ("mean", "first"):
        assert atr(bars.high, bars.low, bars.close, start=start)[-1] == pytest.approx(0.7985795691366419, rel=1e-14)
        twenty = atr(bars.high, bars.low, bars.close, 20, start=start)[-1]
        assert twenty == pytest.approx(0.8055605829148932, rel=1e-14)


@given(CLOSES, st.integers(1, 5), st.sampled_from(["mean", "first"]))
def test_the_index_is_between_0_and_100_and_a_mirror_image_has_the_rest(close, n, start):
    n = min(n, len(close) - 1)
    index = rsi(close, n, start=start)
    first = n if start == "mean" else 1
    assert np.isnan(index[:first]).all()
    assert ((index[first:] >= 0.0) & (index[first:] <= 100.0)).all()
    mirrored = rsi(2e3 - np.array(close), n, start=start)
    assert mirrored[first:] == pytest.approx(100.0 - index[first:], abs=1e-6)


@given(CLOSES, st.floats(1e-9, 1e9))
def test_the_unit_of_the_prices_does_not_matter(close, factor):
    close = np.array(close)
    scaled = atr(1.01 * factor * close, 0.99 * factor * close, factor * close, 2)
    assert scaled[1:] == pytest.approx(factor * atr(1.01 * close, 0.99 * close, close, 2)[1:], rel=1e-9)


def test_the_ends_of_the_index():
    assert rsi([1.0, 2.0, 3.0, 4.0], 2)[2:].tolist() == [100.0, 100.0]
    assert rsi([4.0, 3.0, 2.0, 1.0], 2)[2:].tolist() == [0.0, 0.0]
    assert rsi([4.0, 4.0, 4.0, 4.0], 2)[2:].tolist() == [50.0, 50.0]


def test_a_gap_belongs_to_the_true_range():
    assert true_range([11.0, 21.0, 9.0], [10.0, 20.0, 8.0], [10.5, 20.5, 8.5]).tolist() == [1.0, 10.5, 12.5]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: atr([2.0], [1.0], [1.5]), "n=14 is longer than the series, which gives 1"),
        (lambda: atr([2.0], [1.0], [1.5], 0), "n=0 is below 1; 14 or 20 are usual"),
        (lambda: atr([2.0], [1.0], [1.5], 1.5), "n=1.5 is not a whole number"),
        (lambda: atr([2.0], [1.0], [2.5], 1), "close: row 0 is 2.5, outside its bar from low 1.0 to high 2.0"),
        (lambda: atr([2.0, math.nan], [1.0, 1.0], [1.5, 1.5], 1), "high: row 1 is nan"),
        (lambda: atr([2.0], [0.0], [1.5], 1), "low: row 0 is 0.0; prices are above 0"),
        (lambda: atr([2.0], [1.0], [1.5], 1, start="last"), "no start 'last'; give one of mean, first"),
        (lambda: rsi([1.0]), r"close of shape \(1,\); give one series of at least 2 rows"),
        (lambda: rsi([1.0, 2.0]), "n=14 is longer than the series, which gives 1"),
        (lambda: rsi(["a", "b"]), "is not a number or an array of numbers"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()
