"""An equity curve that grows by days: its figures from their definitions, its forms, its errors."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import EquityCurve, Tearsheet, make_tearsheet
from bank_python.errors import BacktestError

FIRST = dt.date(2024, 1, 2)


def curve_of(values, capital=100.0):
    curve = EquityCurve(capital)
    for i, value in enumerate(values):
        curve.record((FIRST + dt.timedelta(days=i)).isoformat(), value)
    return curve


def test_each_day_has_its_return_its_drawdown_and_the_high_before():
    found = list(curve_of([110.0, 99.0, 121.0]).table)  # by hand
    assert list(found[0]) == [
        *("date", "portfolio_value", "daily_return", "cumulative_return", "drawdown", "high_water_mark")
    ]
    assert [row["date"] for row in found] == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert [row["daily_return"] for row in found] == pytest.approx([0.1, -0.1, 2.0 / 9.0])
    assert [row["cumulative_return"] for row in found] == pytest.approx([0.1, -0.01, 0.21])
    assert [row["drawdown"] for row in found] == pytest.approx([0.0, -0.1, 0.0])
    assert [row["high_water_mark"] for row in found] == [110.0, 110.0, 121.0]


def test_the_first_high_is_the_capital():
    (row,) = curve_of([90.0]).table
    assert (row["drawdown"], row["high_water_mark"]) == (pytest.approx(-0.1), 100.0)
    assert EquityCurve().initial_capital == 1_000_000.0


def test_without_values_the_arrays_are_empty_and_a_tearsheet_says_so():
    curve = EquityCurve()
    arrays = curve.to_arrays()
    assert arrays["dates"] == []
    assert [arrays[name].size for name in ("values", "returns", "cum_returns", "drawdowns")] == [0] * 4
    assert (len(curve), list(curve.table), repr(curve)) == (0, [], "<EquityCurve: 0 values from 1,000,000.00>")
    sheet = Tearsheet(curve, trade_history=[])
    assert "error" in sheet.compute()
    assert str(sheet)
    assert curve.plot()._repr_png_()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1.0, 1e4), min_size=1, max_size=20), st.floats(1.0, 1e4))
def test_the_arrays_are_consistent(values, capital):
    arrays = curve_of(values, capital).to_arrays()
    assert arrays["values"].tolist() == values
    assert capital * np.cumprod(1.0 + arrays["returns"]) == pytest.approx(np.array(values), rel=1e-9)
    assert arrays["cum_returns"] == pytest.approx(np.array(values) / capital - 1.0)
    assert (arrays["drawdowns"] <= 0.0).all()
    lowest = min(value / max(capital, *values[: i + 1]) - 1.0 for i, value in enumerate(values))
    assert arrays["drawdowns"].min() == pytest.approx(lowest)


def test_a_tearsheet_reads_dates_values_and_capital():
    curve = curve_of([110.0, 99.0, 121.0])
    sheet = make_tearsheet(curve)
    days = [FIRST + dt.timedelta(days=i) for i in range(3)]
    assert sheet.metrics == pytest.approx(
        make_tearsheet([110.0, 99.0, 121.0], days, initial_capital=100.0).metrics, nan_ok=True
    )
    assert (sheet["initial_capital"], sheet["total_return"]) == (100.0, pytest.approx(0.21))


def test_values_at_once_are_values_one_by_one():
    times = [dt.datetime(2024, 1, 2, hour, tzinfo=dt.UTC) for hour in (0, 9, 10)]
    curve = EquityCurve.of(times, np.array([1.0, 2.0, -1.0]), 1.0)
    assert [row["daily_return"] for row in curve.to_table()] == [0.0, 1.0, -1.5]
    curve.record(times[-1] + dt.timedelta(hours=1), 3.0)
    assert [row["daily_return"] for row in curve.to_table()][-1] is None  # what was there is below 0
    assert curve.to_arrays()["dates"] == [*times, times[-1] + dt.timedelta(hours=1)]
    assert str(curve)
    assert curve.plot()._repr_png_()


@pytest.mark.parametrize(
    ("dates", "values", "said"),
    [
        (["2024-01-02"], [float("nan")], "portfolio_value=nan is not a finite number"),
        (["2024-01-02"], ["much"], "portfolio_value='much'"),
        (["soon"], [1.0], "'soon' is not a date"),
        ([20240102], [1.0], "20240102 is not a date"),
        (["2024-01-02", "2024-01-02"], [1.0, 2.0], "not after the last one"),
        (["2024-01-02", dt.date(2024, 1, 3)], [1.0, 2.0], "all in one form"),
    ],
)
def test_bad_input_is_named_and_not_recorded(dates, values, said):
    curve = EquityCurve()
    for date, value in zip(dates[:-1], values[:-1], strict=True):
        curve.record(date, value)
    with pytest.raises(BacktestError, match=said):
        curve.record(dates[-1], values[-1])
    assert len(curve) == len(dates) - 1
    with pytest.raises(BacktestError, match="initial_capital"):
        EquityCurve(0.0)
