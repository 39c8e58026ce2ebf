"""The tearsheet as a mapping, its reasons, its data in any form, its tables and exports."""

from __future__ import annotations

import datetime as dt
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import Tearsheet, make_tearsheet
from bank_python.backtester.metric_list import ALIASES, METRICS
from bank_python.errors import BacktestError, TradingError
from bank_python.jsonable import jsonable
from bank_python.trading_engine import TradeAnalysis

TINY = [100.0, 120.0, 90.0, 110.0, 80.0, 130.0, 125.0, 140.0]
DAYS = np.busday_offset("2026-01-05", np.arange(600)).tolist()


def walk(n, seed=0, drift=0.0004, vol=0.01):
    return 100.0 * np.cumprod(1.0 + drift + vol * np.random.default_rng(seed).standard_normal(n))


@pytest.fixture(scope="module")
def sheet():
    return make_tearsheet(
        walk(600), DAYS, benchmark=dict(zip(DAYS, walk(600, 1), strict=True)), risk_free_rate=0.02, title="A & B"
    )


def is_missing(value):
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def test_reads_as_a_mapping_that_does_not_change(sheet):
    assert sheet() is sheet
    assert set(sheet.keys()) == {metric.name for metric in METRICS} | set(ALIASES)
    assert sheet.metrics == dict(sheet)
    assert isinstance(sheet.metrics, dict)
    assert all(sheet[short] == sheet[name] for short, name in ALIASES.items())
    sheet.metrics["sharpe"] = 0.0
    assert sheet.metrics["sharpe"] == sheet["sharpe"] != 0.0
    with pytest.raises(AttributeError):
        sheet.risk_free_rate = 0.0
    with pytest.raises(AttributeError):
        sheet.more = 1
    with pytest.raises(KeyError):
        sheet["sharp"]


def test_each_metric_has_its_convention(sheet):
    assert set(sheet.conventions) == {metric.name for metric in METRICS}
    assert not [said for said in sheet.conventions.values() if "{" in said or not said]
    assert sheet.conventions["sharpe_ratio"].endswith("√252, rf 0.02 a year")


def test_drawdown_of_the_definition():
    # Peak 120 -> 80, above 120 again at 130: published nowhere, counted by hand.
    found = make_tearsheet(TINY)
    assert (found["max_dd_peak"], found["max_dd_trough"], found["max_dd_recovery"]) == (1, 4, 5)
    assert found["max_underwater_periods"] == 3
    assert found["current_drawdown"] == 0.0
    dated = make_tearsheet(TINY, DAYS[:8])
    assert (dated["max_dd_peak"], dated["max_dd_trough"]) == (dt.date(2026, 1, 6), dt.date(2026, 1, 9))
    assert dated["max_dd_duration_days"] == 6  # Tuesday to Monday
    rows = list(dated.top_drawdowns())
    assert [row["depth"] for row in rows] == pytest.approx([-1.0 / 3.0, -5.0 / 130.0])
    assert len(list(dated.top_drawdowns(1))) == 1


@pytest.mark.parametrize(
    ("equity", "name", "value", "reason"),
    [
        ([], "total_return", math.nan, "no values"),
        ([100.0], "sharpe", math.nan, "one value only"),
        ([100.0, 101.0], "sharpe", math.nan, "one return only"),
        ([100.0] * 9, "sharpe", math.nan, "volatility is 0"),
        ([100.0 * 1.01**i for i in range(9)], "sharpe", math.inf, "volatility is 0"),
        ([100.0 * 1.01**i for i in range(9)], "sortino", math.inf, "risk-free rate"),
        ([100.0 * 1.01**i for i in range(9)], "calmar", math.inf, "never below an earlier high"),
        ([100.0 * 1.01**i for i in range(9)], "profit_factor", math.inf, "no loss"),
        ([100.0, 50.0, -20.0], "annualized_return", math.nan, "ends below 0"),
        ([100.0, 90.0], "max_dd_recovery", None, "not been reached again"),
        ([100.0, 101.0, 99.0], "best_month", math.nan, "no dates"),
        ([100.0, 101.0, 99.0], "beta", math.nan, "no benchmark"),
        ([1.0, 1e30], "annualized_return", math.inf, "too large"),
    ],
)
def test_what_is_missing_says_why(equity, name, value, reason):
    found = make_tearsheet(equity)
    assert found[name] is value or found[name] == value or (math.isnan(value) and math.isnan(found[name]))
    assert reason in found.reasons[name]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from([-5.0, 0.0, 1.0, 1.01, 2.0, 100.0, math.nan]), max_size=8),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 0.05]),
)
def test_every_figure_is_finite_or_has_a_reason(equity, dated, compared, rate):
    more = {"benchmark": [1.0 + 0.1 * (i % 3) for i in range(len(equity))]} if compared else {}
    found = make_tearsheet(
        equity, DAYS[: len(equity)] if dated else None, risk_free_rate=rate, initial_capital=10.0, **more
    )
    assert {name for name, value in found.items() if is_missing(value)} == set(found.reasons)
    json.loads(found.to_json())
    assert found.to_html().endswith("</html>\n")
    assert len(repr(found)) > 10


def test_ruin_ends_the_returns_and_is_said():
    found = make_tearsheet([100.0, 50.0, 0.0, 0.0], DAYS[:4])
    assert (found["total_return"], found["max_drawdown"], found["cagr"]) == (-1.0, -1.0, -1.0)
    assert found["worst_day"] == -1.0
    assert "the equity is 0 on 2026-01-07" in found.notes[0]
    owed = make_tearsheet([100.0, 50.0, -20.0, 10.0], DAYS[:4])
    assert owed["max_drawdown"] == pytest.approx(-1.2)
    assert owed["worst_day"] == pytest.approx(-1.4)


def test_initial_capital_before_the_first_value():
    found = make_tearsheet([101.0, 103.02], DAYS[:2], initial_capital=100.0)
    assert found["total_return"] == pytest.approx(0.0302)
    assert (found["initial_capital"], found["n_trading_days"]) == (100.0, 2)
    assert found["best_day"] == pytest.approx(0.02)
    same = make_tearsheet([100.0, 103.02], DAYS[:2], initial_capital=100.0)
    assert same["win_rate"] == 1.0  # the first value is the capital: no return of nothing


def test_values_that_are_no_numbers_are_left_out_and_named():
    found = make_tearsheet([100.0, math.nan, 101.0, 102.0], DAYS[:4], benchmark=[1.0, 2.0, 3.0, 4.5])
    assert found.notes[0] == "equity: left out as not finite: 2026-01-06"
    assert found.comparison.benchmark.tolist() == [1.0, 3.0, 4.5]


class Curve:
    initial_capital = 100.0

    def to_arrays(self):
        return {"dates": [day.isoformat() for day in DAYS[:8]], "values": TINY, "returns": []}


@pytest.mark.parametrize("form", ["mapping", "pairs", "text dates", "curve", "series", "frame", "tuple of arrays"])
def test_equity_in_any_form(form):
    days = DAYS[:8]
    pandas = pytest.importorskip("pandas")
    given_as = {
        "mapping": lambda: make_tearsheet(dict(zip(days, TINY, strict=True))),
        "pairs": lambda: make_tearsheet(list(zip(days, TINY, strict=True))),
        "text dates": lambda: make_tearsheet(TINY, [day.isoformat() for day in days]),
        "curve": lambda: Tearsheet(Curve(), None, 0.0),
        "series": lambda: make_tearsheet(pandas.Series(TINY, index=pandas.DatetimeIndex(days))),
        "frame": lambda: make_tearsheet(pandas.DataFrame({"value": TINY}, index=days)),
        "tuple of arrays": lambda: make_tearsheet(SimpleNamespace(to_arrays=lambda: (days, TINY))),
    }
    assert str(given_as[form]().metrics) == str(make_tearsheet(TINY, days).metrics)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: make_tearsheet("abc"), "equity is str"),
        (lambda: make_tearsheet([[1.0, 2.0], [3.0, 4.0]]), "shape \\(2, 2\\)"),
        (lambda: make_tearsheet([1.0, 2.0, 3.0], DAYS[:2]), "2 dates for 3 values"),
        (lambda: make_tearsheet([-1.0, 2.0]), "first equity is -1"),
        (lambda: make_tearsheet([1.0, 2.0], initial_capital=0.0), "initial_capital=0.0"),
        (lambda: make_tearsheet([1.0, 1e200]), "in one period"),
        (lambda: make_tearsheet([1.0, 2.0], benchmark=[0.01, -0.01]), "np.cumprod"),
        (lambda: make_tearsheet([1.0, 2.0], benchmark=[1.0, 2.0, 3.0]), "3 levels for 2 values"),
        (lambda: make_tearsheet([1.0, 2.0], risk_free_rate=math.nan), "risk_free_rate=nan"),
        (lambda: make_tearsheet([1.0, 2.0], turnover="much"), "turnover='much'"),
        (lambda: make_tearsheet([1.0, 2.0]).top_drawdowns(0), "count=0"),
        (lambda: make_tearsheet([1.0, 2.0]).rolling(5), "window=5 for 1 returns"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(BacktestError, match=said):
        call()


def test_a_bad_trade_is_named():
    with pytest.raises(TradingError, match="trade 1"):
        make_tearsheet([1.0, 2.0], trades=[{"instrument": "A"}])


def test_midnights_are_days():
    midnights = [dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC) for day in DAYS[:8]]
    assert make_tearsheet(TINY, midnights)["max_dd_peak"] == dt.date(2026, 1, 6)


def test_benchmark_on_other_dates():
    ours, theirs = walk(600), walk(700, 1)
    others = np.busday_offset("2026-02-02", np.arange(700)).tolist()
    kept = [day for day in others if day.weekday() != 2]  # no Wednesdays
    levels = dict(zip(others, theirs, strict=True))
    found = make_tearsheet(ours, DAYS, benchmark={day: levels[day] for day in kept})
    common = [day for day in DAYS if day in set(kept)]
    at = dict(zip(DAYS, ours, strict=True))
    a, b = (np.array([level[day] for day in common]) for level in (at, levels))
    a, b = a[1:] / a[:-1] - 1.0, b[1:] / b[:-1] - 1.0
    assert found["beta"] == pytest.approx(np.cov(a, b)[0, 1] / b.var(ddof=1), rel=1e-9)
    assert found["correlation"] == pytest.approx(np.corrcoef(a, b)[0, 1], rel=1e-9)
    assert any("left out of the comparison" in note for note in found.notes)


def test_bars_against_a_benchmark_of_days():
    opening = dt.datetime(2026, 1, 5, 14, 30, tzinfo=dt.UTC)
    bars = [opening + dt.timedelta(days=day, hours=i) for day in range(5) for i in range(7)]
    found = make_tearsheet(walk(35), bars, benchmark=dict(zip(DAYS[:5], walk(5, 1), strict=True)))
    assert found.periods.value == 7 * 252.0
    assert "√1764" in found.conventions["sharpe_ratio"]
    assert "√252" in found.conventions["tracking_error"]
    assert len(found.comparison.levels) == 5
    closes = np.concatenate([found.series.levels[:1], found.series.levels[6::7]])
    assert found["best_day"] == pytest.approx(max(closes[1:] / closes[:-1] - 1.0))


def test_trades_costs_and_exposure():
    trades = [
        {"instrument": "A", "quantity": 1.0, "price": 100.0, "time": DAYS[0]},
        {"instrument": "A", "quantity": -1.0, "price": 103.0, "time": DAYS[1], "fees": 0.5},
        {"instrument": "B", "quantity": 1.0, "price": 50.0, "time": DAYS[0]},
        {"instrument": "B", "quantity": -1.0, "price": 49.0, "time": DAYS[2]},
    ]
    more = {"exposure": [0.0, 1.0, 0.5], "turnover": [0.0, 0.1, 0.2], "costs": [0.0, 0.5, 0.25]}
    found = make_tearsheet([100.0, 101.0, 102.0], DAYS[:3], trades=trades, **more)
    assert (found["n_trades"], found["hit_rate"]) == (2, 0.5)
    assert (found["avg_trade"], found["payoff"]) == (pytest.approx(0.75), pytest.approx(2.5))
    assert found["trade_profit_factor"] == pytest.approx(2.5)
    assert (found["exposure"], found["costs"], found["cost_share"]) == (0.5, 0.75, 0.0075)
    assert found["turnover"] == pytest.approx(0.1 * 252)
    assert make_tearsheet(TINY, trades=TradeAnalysis(trades))["avg_trade"] == pytest.approx(0.75)
    won = make_tearsheet(TINY, trades=trades[:2])
    assert (won["trade_profit_factor"], won.reasons["payoff"]) == (math.inf, "no round trip has a loss")


def test_the_other_spelling():
    found = Tearsheet(TINY, trade_history=None, risk_free_rate=0.05)
    assert found.compute() == found.metrics
    assert Tearsheet([]).compute() == {"error": "the equity curve has no days"}
    said = []
    console = SimpleNamespace(print=said.append)
    found.render(console)
    make_tearsheet(TINY, DAYS[:8]).render_monthly_returns(console)
    assert said[0] is found
    assert [row["Jan"] for row in said[1]] == pytest.approx([0.4])


# --- tables -----------------------------------------------------------------------------------------------


def test_months_and_years_are_those_of_the_calendar(sheet):
    last = {}
    for day, level in zip(DAYS, sheet.series.levels.tolist(), strict=True):
        last[day.year, day.month] = level
    ends = [sheet.series.levels[0], *last.values()]
    months = {key: after / before - 1.0 for key, before, after in zip(last, ends, ends[1:], strict=False)}
    rows = list(sheet.monthly_returns())
    found = {
        (row["year"], month): row[name]
        for row in rows
        for month, name in enumerate(list(row)[1:13], 1)
        if row[name] is not None
    }
    assert found == pytest.approx(months)
    for row in rows:
        whole = math.prod(1.0 + value for (year, _), value in months.items() if year == row["year"]) - 1.0
        assert row["total"] == pytest.approx(whole)
    assert sheet["best_month"] == max(found.values())
    years = list(sheet.yearly_returns())
    assert [row["return"] for row in years] == pytest.approx([row["total"] for row in rows])
    assert sheet["worst_year"] == min(row["total"] for row in rows)


def test_rolling_figures_are_those_of_each_window(sheet):
    returns, window = sheet.series.returns, 60
    ours, theirs = sheet.comparison.returns
    rows = list(sheet.rolling(window))
    assert len(rows) == len(returns) - window + 1
    for i in (0, 100, len(rows) - 1):
        part, index = returns[i : i + window], theirs[i : i + window]
        excess = part - 0.02 / 252
        assert rows[i]["sharpe"] == pytest.approx(excess.mean() / part.std(ddof=1) * math.sqrt(252), rel=1e-9)
        assert rows[i]["vol"] == pytest.approx(part.std(ddof=1) * math.sqrt(252), rel=1e-9)
        slope = np.cov(ours[i : i + window], index)[0, 1] / index.var(ddof=1)
        assert rows[i]["beta"] == pytest.approx(slope, rel=1e-8)
        assert rows[i]["at"] == DAYS[i + window]
    flat = make_tearsheet([100.0] * 30 + [101.0, 100.0, 102.0], DAYS[:33]).rolling(10)
    assert [row["sharpe"] is None for row in flat][:5] == [True] * 5


# --- exports ----------------------------------------------------------------------------------------------


def test_exports(sheet, tmp_path):
    rows = {row["metric"]: row for row in json.loads(sheet.to_json(tmp_path / "sheet.json"))}
    assert {row["metric"]: row for row in json.loads((tmp_path / "sheet.json").read_text(encoding="utf-8"))} == rows
    assert rows["sharpe_ratio"]["value"] == sheet["sharpe"]
    assert rows["max_dd_peak"]["text"] == sheet["max_dd_peak"].isoformat()
    assert (rows["n_trades"]["value"], rows["n_trades"]["reason"]) == (None, "no trades were given")
    whole = json.loads(json.dumps(jsonable(sheet.to_dict())))
    assert whole["metrics"]["max_dd_peak"] == sheet["max_dd_peak"].isoformat()
    assert whole["monthly"][0]["year"] == 2026
    assert [row["metric"] for row in sheet.to_table()] == [metric.name for metric in METRICS]
    sheet.to_csv(tmp_path / "sheet.csv")
    assert (tmp_path / "sheet.csv").read_text(encoding="utf-8").count("sharpe_ratio") == 1


def test_equal_input_gives_equal_sheets(sheet):
    again = make_tearsheet(
        walk(600), DAYS, benchmark=dict(zip(DAYS, walk(600, 1), strict=True)), risk_free_rate=0.02, title="A & B"
    )
    assert again.to_html() == sheet.to_html()
    assert again.to_json() == sheet.to_json()


def test_pictures(sheet):
    assert len(sheet.plot().axes) == 2
    assert len(make_tearsheet([100.0]).plot().axes) == 1
    assert "<img" in sheet._repr_html_()
