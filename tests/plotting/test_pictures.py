"""Every picture: a figure, written in three formats, legible without colour, labelled in per cent and dates."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import itertools
import sys
from dataclasses import replace

import numpy as np
import pytest

from bank_python.dagger import Ladder
from bank_python.errors import MissingExtraError, ModelError
from bank_python.instruments import CreditCurve, DiscountCurve, VolSurface
from bank_python.macro import correlation_board, price_trend, read_gauges, simulate_macro
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.market_data.price_history import PricePanel
from bank_python.mc_engine import MCResult
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.frontier import EfficientFrontier
from bank_python.plotting import Plotted, draw_figure, line_styles, literal, money, percent
from bank_python.portfolio import History
from bank_python.results import Tabular
from bank_python.risk import (
    EFFECTS,
    RISK_WEIGHTS,
    AttributionMode,
    PnLAttribution,
    RiskScoreHistory,
    StressResult,
    StressResults,
    backtest_var,
    drawdown,
    fit_regimes,
    kelly_continuous,
    kelly_from_returns,
    liquidation_schedule,
    risk_score,
    security_market_line,
)
from bank_python.risk.contributions import Contribution
from bank_python.risk.sensitivity import SensitivityGrid, SensitivityLadder
from bank_python.risk.tail_risk import TailMethod, TailRisk
from bank_python.risk_models import (
    Curve,
    SmileQuotes,
    Surface,
    SurvivalCurve,
    SviSlice,
    combine_volatility,
    engle_granger,
    execution_frontier,
    execution_schedule,
    fit_garch,
    fit_har,
    fit_slice,
    pov_schedule,
    scan_pairs,
    vwap_schedule,
)
from bank_python.trading_engine import DepositEvent, FillEvent, Ledger, TradeAnalysis, TradeTracker
from tests.plotting.tail_pictures import TAIL_PICTURES

matplotlib = pytest.importorskip("matplotlib")
figures = pytest.importorskip("matplotlib.figure")

DAYS = [dt.datetime(2025, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=i) for i in range(300)]
WAVE = 100.0 * np.exp(0.1 * np.sin(np.arange(300) / 20.0))
VOGT = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)  # has a butterfly arbitrage
K = np.linspace(-0.4, 0.4, 9)
SMILE = SviSlice(0.01, 0.1, -0.4, 0.05, 0.2)
STEPS = np.array([-0.1, 0.0, 0.1])


def frontier():
    covariance = [[0.04, 0.01, 0.0], [0.01, 0.09, 0.0], [0.0, 0.0, 0.01]]
    data = CovarianceData(tickers=["A$1$", "B", "C"], covariance=covariance, expected_returns=[0.06, 0.1, 0.02])
    return EfficientFrontier(data)


def stresses(count=4):
    names = [f"T$rader$ {i}" for i in range(8)]
    results = [
        StressResult(f"s{i}", f"S$cenario$ {i}", float(i * 1e6 - 2e6), dict.fromkeys(names, (i - 2.0) * 1.25e5), 1, 1)
        for i in range(count)
    ]
    return StressResults(tuple(results), "USD")


def simulation():
    parts = (Contribution("A", 1.0, 1.2),)
    tails = (
        TailRisk(TailMethod.HISTORICAL, 0.95, 9e5, 1.2e6, 101, 2e3),
        TailRisk(TailMethod.HISTORICAL, 0.99, 1.5e6, 1.8e6, 101, 2e3, 3e3),
    )
    both = {"0.95": parts, "0.99": parts}
    pnl = np.linspace(-2e6, 2e6, 500)
    return MCResult("gbm", "full", "given", 500, 1, 1.0 / 252.0, "USD", 1, pnl, tails, both, both)


def attribution():
    effects = {effect: np.array([100.0 * (-1.0) ** i]) for i, effect in enumerate(EFFECTS)}
    return PnLAttribution(AttributionMode.TAYLOR, "USD", ("P",), ("I",), ("B",), effects, {})


def history(closes=WAVE):
    bars = tuple(Bar(day, None, None, None, float(close), None) for day, close in zip(DAYS, closes, strict=False))
    return PriceHistory("A$B$", "simulated", bars)


def regimes(dates, count=2):
    series = np.random.default_rng(2).standard_normal(300) * np.where(np.arange(300) // 100 == 1, 4.0, 1.0)
    series.setflags(write=False)
    return replace(fit_regimes(series, count, n_starts=3, dates=dates), name="A$B$")


def wandering():
    """Return two prices by date, the first of which follows the second one."""
    walk, noise = np.random.default_rng(4).normal(size=(2, 300))
    other = 100.0 + walk.cumsum()
    return tuple(dict(zip(DAYS, prices.tolist(), strict=True)) for prices in (0.5 * other + noise, other))


def macro_history():
    return simulate_macro(years=2, seed=3)


def correlations():
    moves = np.random.default_rng(3).normal(size=(200, 3)).cumsum(axis=0)
    levels = 100.0 * np.exp(0.01 * moves)
    names = ("A$B$", "C$D$", "E")
    return correlation_board(
        {name: list(zip(DAYS, levels[:, j].tolist(), strict=False)) for j, name in enumerate(names)}
    )


def garch(model):
    shocks = np.sin(np.arange(300.0) ** 2) * np.exp(np.sin(np.arange(300.0) / 25.0))
    return dataclasses.replace(fit_garch(shocks, model), dates=tuple(DAYS))


EXECUTION = {"vol": 0.95, "half_spread": 0.0625, "permanent_impact": 2.5e-7, "temporary_impact": 2.5e-6}


def account():
    fills = [FillEvent(DAYS[i].date(), f"A${i}$", 10 - i, 100.0, fees=1.0) for i in range(3)]
    return Ledger.replay([DepositEvent(DAYS[0].date(), 1e5), *fills])


def option_tracker():
    tracker = TradeTracker(today="2026-01-05", spots={"A": 100.0, "B": 50.0}, vols={"A": 0.2, "B": 0.4})
    tracker.log("A 2026-06-19 P 90", 10, 1.5)
    tracker.log("A 2026-03-20 C 110", 5, 1.5, "SELL_OPEN")
    return tracker


def two_underlyings():
    tracker = option_tracker()
    tracker.log("B 2026-03-20 C 55", 5, 1.5)
    return tracker


def analysed_trades():
    trades = [("A$B$", 10.0 * (-1.0) ** i, 100.0 + i * (i % 3), DAYS[5 * i]) for i in range(12)]
    columns = ("instrument", "quantity", "price", "time")
    prices = {"A$B$": list(zip(DAYS, WAVE, strict=True))}
    return TradeAnalysis([dict(zip(columns, row, strict=True)) for row in trades], prices, resamples=100)


PICTURES = {
    **TAIL_PICTURES,
    "option tracker": option_tracker,
    "gamma against theta": lambda: option_tracker().greeks(),
    "shadow Greeks": lambda: option_tracker().shadow(),
    "shadow Greeks of two": lambda: two_underlyings().shadow(),
    "trade analysis": analysed_trades,
    "trade groups": lambda: analysed_trades().by("instrument"),
    "curve": lambda: Curve.from_zero_rates([1.0, 2.0, 10.0], [0.03, 0.035, 0.04]),
    "flat curve": lambda: Curve.flat(0.0),
    "survival": lambda: SurvivalCurve([1.0, 5.0], [0.98, 0.85]),
    "discount curve": lambda: DiscountCurve("A$B$", zero_rates={"1Y": 0.03, "5Y": 0.04}),
    "credit curve": lambda: CreditCurve("A$B$", spreads={"1Y": 0.01, "5Y": 0.02}, discount_source=0.03),
    "slice": lambda: VOGT,
    "quotes": lambda: SmileQuotes(0.5, K, SMILE.total_variance(K)),
    "fit": lambda: fit_slice(SmileQuotes(0.5, K, SMILE.total_variance(K))),
    "repaired fit": lambda: fit_slice(SmileQuotes(1.0, 2.0 * K, VOGT.total_variance(2.0 * K))),
    "surface": lambda: Surface([0.5, 1.0], [SMILE, SMILE.scaled(2.0)], [100.0, 101.0]),
    "surface with arbitrage": lambda: Surface([0.5, 1.0], [SMILE.scaled(2.0), VOGT], [100.0, 101.0]),
    "volatility surface": lambda: VolSurface.from_vols(
        "A$B$", [80, 90, 100, 110, 120], [0.5, 1.0], [[0.27, 0.23, 0.2, 0.19, 0.19]] * 2, spot_source=100.0
    ),
    "history": history,
    "panel": lambda: PricePanel(("A$B$", "C$D$"), tuple(DAYS), np.column_stack([WAVE, WAVE[::-1]])),
    "macro series": lambda: macro_history()["VIXCLS"],
    "macro history": macro_history,
    "gauges": lambda: read_gauges(macro_history()),
    "correlation board": correlations,
    "correlation history": lambda: correlations().history("A$B$", "C$D$"),
    "trend": lambda: price_trend(history(), name="A$B$", walks=50),
    "own history": lambda: History(
        "A$B$.csv", ("A$B$", "C"), tuple(day.date() for day in DAYS), np.column_stack([WAVE, WAVE]), has_levels=True
    ),
    "drawdown": lambda: drawdown(history()),
    "drawdown by number": lambda: drawdown(WAVE),
    "GARCH": lambda: garch("garch"),
    "GARCH by number": lambda: dataclasses.replace(garch("egarch"), dates=None),
    "HAR": lambda: fit_har(np.exp(0.01 * np.tile(WAVE, 2)[:300]), min_rows=50),
    "cointegration": lambda: engle_granger(*wandering()),
    "cointegration by number": lambda: engle_granger(WAVE, [*WAVE[1:], 100.0], names=["A$B$", "C$D$"]),
    "pairs": lambda: scan_pairs(dict(zip(("A$B$", "C$D$"), wandering(), strict=True))),
    "volatility blend": lambda: combine_volatility(4.0, har=0.01, garch=None, atr=0.02),
    "covariance": lambda: frontier()._data,
    "execution schedule": lambda: execution_schedule(1e6, 5, 5, **EXECUTION, risk_aversion=1e-6),
    "execution frontier": lambda: execution_frontier(1e6, 5, 20, **EXECUTION),
    "POV schedule": lambda: pov_schedule(-5e3, WAVE[:20] * 100.0, 0.1),
    "dated VWAP schedule": lambda: vwap_schedule(1e6, WAVE[:20] * 1e5, dates=DAYS[:20]),
    "large covariance": lambda: CovarianceData(tickers=[f"T{i}" for i in range(60)], covariance=0.04 * np.eye(60)),
    "regimes": lambda: regimes(DAYS),
    "three regimes by number": lambda: regimes(None, 3),
    "back-test": lambda: backtest_var(WAVE - 100.0, 9.0, es=12.0, dates=DAYS),
    "back-test by number": lambda: backtest_var(WAVE - 100.0, 9.0),
    "stresses": stresses,
    "one stress": lambda: stresses(1),
    "frontier": frontier,
    "portfolio": lambda: frontier().min_volatility(),
    "simulation": simulation,
    "attribution": attribution,
    "market line": lambda: security_market_line({"A$B$": 1.2}, {"A$B$": 0.1}, 0.03, 0.08),
    "risk score": lambda: risk_score({"a$b$c": 4.0, "d": 9.0}, weights={"a$b$c": 0.4, "d": 0.6}),
    "risk score history": lambda: RiskScoreHistory.from_arrays(dict.fromkeys(RISK_WEIGHTS, (WAVE - 80.0) / 4.0), DAYS),
    "liquidation": lambda: liquidation_schedule({"A$B$": 6e6, "C": 2e6}, {"A$B$": 0.0, "C": 1e6}),
    "Kelly": lambda: kelly_continuous(0.11, 0.15, 0.06),
    "Kelly of a sample": lambda: kelly_from_returns([0.02, -0.01, 0.015, -0.02] * 25, fraction=0.5, resamples=100),
    "Kelly of a losing sample": lambda: kelly_from_returns([0.01, -0.02] * 25, resamples=100),
    "statement": lambda: account().statement({"A$0$": 101.0, "A$1$": 98.0, "A$2$": 100.0}),
    "account history": lambda: account().history({f"A${i}$": WAVE for i in range(3)}, DAYS),
    "ladder": lambda: SensitivityLadder("A$B$", STEPS, 100.0 + STEPS, STEPS[None, :], ("X",), "USD"),
    "grid": lambda: SensitivityGrid(("A$B$", "C$D$"), STEPS, STEPS, np.outer(STEPS, STEPS), "USD"),
    "node ladder": lambda: Ladder("A$B$", "C$D$", 1.0, 1.0, STEPS, STEPS, STEPS, (None,) * 3, relative=True),
}


@pytest.fixture(params=PICTURES, ids=str)
def result(request):
    return PICTURES[request.param]()


def shown_texts(figure):
    figure.draw_without_rendering()
    return [text for text in figure.findobj(matplotlib.text.Text) if text.get_text() and text.get_visible()]


def axis_labels(axis):
    axis.figure.draw_without_rendering()
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


def test_a_picture_is_a_figure_and_is_written_in_three_formats(result, tmp_path):
    for ending, start in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        path = tmp_path / f"picture.{ending}"
        assert isinstance(result.plot(path), figures.Figure)
        assert path.read_bytes().startswith(start)


def test_a_picture_is_drawn_on_the_axes_it_is_given(result):
    figure = figures.Figure()
    left, right = figure.subplots(1, 2)
    assert result.plot(axes=right) is figure
    assert right.has_data()
    assert not left.has_data()


def test_a_picture_is_drawn_on_axes_that_belong_to_no_grid():
    figure = figures.Figure()
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    drawdown(WAVE).plot(axes=axes)
    upper, lower = figure.axes
    assert upper is axes
    assert lower.get_position().y1 < upper.get_position().y0


def test_a_picture_has_a_title_and_says_what_its_axes_are(result):
    axes = result.plot().axes
    assert axes[0].get_title(loc="left")
    is_heat_map = bool(axes[0].images)
    bars_named = any(text.get_text() for text in axes[0].get_xticklabels()) and axes[0].patches
    assert is_heat_map or bars_named or (axes[0].get_ylabel() and axes[-1].get_xlabel()) or axes[0].get_ylabel()


def test_no_text_of_a_picture_is_read_as_mathematics(result):
    for text in shown_texts(result.plot()):
        assert not matplotlib.cbook.is_math_text(text.get_text()), text.get_text()


def test_lines_and_marks_differ_without_colour(result):
    for axes in result.plot().axes:
        looks = [
            (line.get_linestyle(), line.get_marker(), line.get_linewidth())
            for line in axes.lines
            if not line.get_label().startswith("_")
        ]
        assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("size", [None, (5.0, 2.4)], ids=["large", "small"])
def test_titles_labels_and_legends_lie_inside_the_picture(result, size):
    figure = draw_figure(result._draw_, size=size)
    figure.draw_without_rendering()
    for axes in figure.axes:
        parts = [axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label, axes.get_legend()]
        for part in parts:
            if part is not None and part.get_visible():
                box = part.get_window_extent()
                assert box.width == 0.0 or (box.x0 >= -1.0 and box.x1 <= figure.bbox.x1 + 1.0), part
                assert box.height == 0.0 or (box.y0 >= -1.0 and box.y1 <= figure.bbox.y1 + 1.0), part


def test_a_small_picture_is_a_png_in_html(result):
    assert result._picture_().startswith('<img alt="')
    if isinstance(result, Tabular):
        assert "data:image/png;base64," in result._repr_html_()
        assert repr(result)


def test_without_matplotlib_the_error_names_the_extra(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[plot\]'") as caught:
        result.plot()
    assert caught.value.extra == "plot"
    assert result._picture_() == ""


@pytest.mark.parametrize(
    "name", ["curve", "survival", "fit", "surface", "volatility surface", "frontier", "covariance"]
)
def test_rates_and_shares_are_in_per_cent(name):
    axes = PICTURES[name]().plot().axes[0]
    labels = axis_labels(axes.yaxis)
    assert labels
    assert all(label.endswith("%") for label in labels)


@pytest.mark.parametrize(
    "name", ["history", "panel", "drawdown", "back-test", "GARCH", "risk score history", "regimes", "cointegration"]
)
def test_time_series_have_dates(name):
    lower = PICTURES[name]().plot().axes[-1]
    labels = axis_labels(lower.xaxis)
    assert "2025" in labels
    assert any(month in labels for month in ("Mar", "May", "Jul"))


@pytest.mark.parametrize("name", ["history", "panel", "drawdown"])
def test_prices_begin_at_100_and_the_drawdown_is_in_per_cent_below(name):
    upper, lower = PICTURES[name]().plot().axes
    assert all(line.get_ydata()[0] == pytest.approx(100.0) for line in upper.lines if len(line.get_ydata()) > 1)
    assert all((line.get_ydata() <= 0.0).all() for line in lower.lines)
    assert all(label.endswith("%") for label in axis_labels(lower.yaxis))


def test_a_garch_model_has_bands_of_two_deviations_and_their_forecast():
    fit = PICTURES["GARCH"]()
    returns, upper, ahead, lower, below = (line.get_ydata() for line in fit.plot().axes[0].lines)
    assert returns == pytest.approx(fit.returns)
    assert upper == pytest.approx(fit.params.mu + 2.0 * fit.volatilities)
    assert lower == pytest.approx(fit.params.mu - 2.0 * fit.volatilities)
    assert ahead == pytest.approx(fit.params.mu + 2.0 * np.sqrt(fit.forecast(20)))
    assert below + ahead == pytest.approx(np.full(20, 2.0 * fit.params.mu))


def test_zero_rates_and_forward_rates_are_those_of_the_curve():
    curve = PICTURES["curve"]()
    axes = curve.plot().axes[0]
    x, y = axes.lines[0].get_data()
    assert y == pytest.approx(curve.zero_rate(x))
    [stairs] = [patch for patch in axes.patches if isinstance(patch, matplotlib.patches.StepPatch)]
    assert stairs.get_data().values == pytest.approx(curve.forward_rate([0.0, 1.0, 2.0], [1.0, 2.0, 10.0]))


def test_arbitrage_is_marked_by_kind():
    labels = [text.get_text() for text in PICTURES["surface with arbitrage"]().plot().axes[0].get_legend().get_texts()]
    assert labels == ["0.5 y", "1 y", "butterfly arbitrage", "calendar arbitrage"]


def test_a_repaired_fit_shows_what_it_was():
    labels = [text.get_text() for text in PICTURES["repaired fit"]().plot().axes[0].get_legend().get_texts()]
    assert labels == ["quotes", "with arbitrage", "repaired by refit"]


def test_losses_are_hatched_and_the_largest_is_on_top():
    axes = stresses().plot().axes[0]
    assert [bar.get_hatch() for bar in axes.patches] == ["///", "///", "", ""]
    assert axes.yaxis_inverted()
    assert [bar.get_width() for bar in axes.patches] == [-2e6, -1e6, 0.0, 1e6]


def test_traders_are_split_into_the_largest_and_the_others():
    axes = stresses().plot(traders=True).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels[-1] == "2 others"
    assert len(labels) == 8
    hatches = [container.patches[0].get_hatch() for container in axes.containers]
    assert len(set(hatches)) == len(hatches)


def test_a_heat_map_has_figures_while_they_are_legible():
    small, large = PICTURES["covariance"]().plot().axes[0], PICTURES["large covariance"]().plot().axes
    assert [text.get_text() for text in small.texts][:2] == ["1.00", "0.17"]
    assert axis_labels(small.yaxis) == [r"A\$1\$ 20%", "B 30%", "C 10%"]
    assert not large[0].texts
    assert len(large) == 2
    assert len(axis_labels(large[0].yaxis)) < 60


def test_exceptions_are_crosses_on_the_p_and_l():
    tried = PICTURES["back-test"]()
    [marks] = [line for line in tried.plot().axes[0].lines if line.get_marker() == "x"]
    assert marks.get_ydata() == pytest.approx(tried.pnl[tried.hits])


def test_regimes_are_hatched_bands_over_the_series():
    for name, count in (("regimes", 2), ("three regimes by number", 3)):
        found = PICTURES[name]()
        upper, lower = found.plot().axes
        hatches = {band.get_hatch() for band in upper.patches}
        assert len(hatches) == len(set(found.regimes.tolist())) - 1
        assert [line.get_ydata().tolist() for line in lower.lines] == found.smoothed.T.tolist()
        assert len(upper.get_legend().get_texts()) <= count


def test_portfolios_are_marked_on_the_frontier():
    line = frontier()
    held = {"book $x$": {"B": 1.0}, "least": line.min_volatility(), "thirds": np.full(3, 1.0 / 3.0)}
    axes = line.plot(portfolios=held).axes[0]
    marks = {mark.get_label(): mark for mark in axes.lines}
    assert marks[literal("book $x$")].get_xydata()[0] == pytest.approx([0.3, 0.1])
    assert marks["least"].get_xydata()[0] == pytest.approx([held["least"].volatility, held["least"].expected_return])
    assert len({marks[literal(name)].get_marker() for name in held}) == 3


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"X": 1.0}, "the portfolio book holds X, which the frontier does not have"),
        ([1.0, 2.0], r"the portfolio book: weights of shape \(2,\)"),
        ([np.nan, 0.0, 1.0], "the portfolio book: weights of shape"),
    ],
)
def test_a_portfolio_of_other_assets_is_refused(held, said):
    with pytest.raises(ModelError, match=said):
        frontier().plot(portfolios={"book": held})


@pytest.mark.parametrize(
    ("empty", "said"),
    [
        (StressResults(), "no stress scenarios"),
        (RiskScoreHistory(), "Risk score: no history"),
        (TradeTracker(today="2026-01-05"), "no option is open, so there are no Greeks; log or import trades first"),
        (TradeAnalysis([]), "no excursions: prices= of the instruments are needed"),
        (TradeAnalysis([]).by("trader"), "no round trips"),
        (liquidation_schedule({"A$B$": 6e6}, {"A$B$": 0.0}), r"nothing can be liquidated: no volume in A\$B\$"),
        (PriceHistory("X", "nowhere", ()), "X (nowhere): no prices"),
        (PricePanel((), (), np.empty((0, 0))), "Closes of 0 tickers: no prices"),
        (history(np.full(3, np.nan)), r"A\$B\$ (simulated): no prices"),
    ],
)
def test_an_empty_picture_says_so(empty, said):
    axes = empty.plot().axes[0]
    assert [text.get_text() for text in axes.texts] == [said]


def test_missing_prices_are_gaps():
    closes = WAVE.copy()
    closes[[0, 50]] = np.nan
    line = history(closes).plot().axes[0].lines[0]
    assert np.isnan(line.get_ydata()[[0, 50]]).all()
    assert line.get_ydata()[1] == pytest.approx(100.0)


def test_28_lines_differ_without_colour():
    styles = [(style["linestyle"], style.get("marker")) for style in line_styles(28)]
    assert len(set(styles)) == 28


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0.0, 0.025, 0.05], ["0.0%", "2.5%", "5.0%"]),
        ([-0.1, 0.0, 0.1], ["\N{MINUS SIGN}10%", "0%", "10%"]),
        ([0.0300, 0.0301], ["3.00%", "3.01%"]),
    ],
)
def test_per_cents_have_the_digits_that_tell_the_ticks_apart(ticks, labels):
    axes = figures.Figure().subplots()
    axes.set_yticks(ticks)
    percent(axes.yaxis)
    assert axis_labels(axes.yaxis) == labels


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([-1e6, 0.0, 5e5], ["\N{MINUS SIGN}1M", "0", "0.5M"]),
        ([0.0, 2000.0], ["0", "2,000"]),
        ([0.0, 0.25], ["0", "0.25"]),
        ([0.0, 3e12], ["0", "3T"]),
    ],
)
def test_amounts_of_an_axis_are_in_one_unit(ticks, labels):
    axes = figures.Figure().subplots()
    axes.set_yticks(ticks)
    axes.set_ylim(ticks[0], ticks[-1])
    money(axes.yaxis)
    assert axis_labels(axes.yaxis) == labels


def test_every_class_with_a_picture_is_here():
    def below(kind):
        return itertools.chain.from_iterable([child, *below(child)] for child in kind.__subclasses__())

    ours = {kind.__name__ for kind in below(Plotted) if kind.__module__.startswith("bank_python.")}
    tried = {type(make()).__name__ for make in PICTURES.values()}
    # tests/optimizer/test_min_cvar.py, tests/backtester
    backtests = {
        "BacktestResult",
        "EquityCurve",
        "HeatMap",
        "NullBooks",
        "SweepResult",
        "Tearsheet",
        "Verdict",
        "WalkForward",
    }
    elsewhere = {"CvarFrontier", *backtests}
    assert ours - tried == elsewhere


def test_pictures_in_notebooks_are_small_and_white():
    image = pytest.importorskip("PIL.Image")
    picture = frontier().plot()
    full = io.BytesIO()
    picture.savefig(full, format="png", dpi=110)
    with image.open(io.BytesIO(stored := picture._repr_png_())) as small:
        assert (small.mode, small.convert("RGB").getpixel((0, 0))) == ("P", (255, 255, 255))
    assert len(stored) < 0.5 * len(full.getvalue())
