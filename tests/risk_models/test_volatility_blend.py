"""The blend of HAR, GARCH and ATR: recorded figures, what replaces a missing model, and bars of odd lengths."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.market_data.feed import Bar, PriceHistory
from bank_python.risk_models import atr, blend_volatility, combine_volatility, fit_garch, fit_har, volatility_blend
from bank_python.risk_models.price_bars import hours_between, price_bars

BARS_4H = Path(__file__).parents[3] / "shared" / "reference" / "ohlcv_4h_seed7.csv"
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
VOLS = st.floats(1e-6, 1.0)
YEAR = 24.0 * 365.0


def frame(count=800, hours=4.0, seed=4):
    """Return 4-hour bars with a volatility of 1.5 % each."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(0.015 * rng.standard_normal(count).cumsum())
    opening = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(opening, close) * np.exp(0.004 * rng.random(count))
    low = np.minimum(opening, close) * np.exp(-0.004 * rng.random(count))
    index = pd.date_range("2025-01-01", periods=count, freq=pd.Timedelta(hours=hours))
    return pd.DataFrame({"open": opening, "high": high, "low": low, "close": close}, index=index)


BARS = frame()


def over(annual, hours):
    return None if annual is None else annual * math.sqrt(hours / YEAR)


# Recorded outputs of another implementation: annual volatility by GARCH, by HAR, the average true range of 4-hour bars
# at a price of 100; the volatility of the next 4 hours in the unit of the price.
RECORDED = [
    (0.6, 0.5, 1.5, 1.2620103020243074),
    (1.5, 0.5, 1.5, 1.4757609965960794),
    (None, 0.5, 1.5, 1.2533912045295545),
    (None, None, 1.5, 1.5),
]


@pytest.mark.parametrize(("garch", "har", "average", "expected"), RECORDED)
def test_recorded_blends(garch, har, average, expected):
    # They have the weights 0.30 for GARCH and 0.40 for HAR. The description of the rule, and the default here, has them
    # the other way round; the rule about twice HAR shows which of the two is GARCH (second row).
    weights = {"garch": 0.3, "har": 0.4, "atr": 0.3}
    blend = combine_volatility(4, har=over(har, 4), garch=over(garch, 4), atr=average / 100.0, weights=weights)
    assert 100.0 * blend.volatility == pytest.approx(expected, rel=1e-14)


def test_the_fifth_recorded_figure_is_a_sum_and_no_blend():
    # 0.6 a year over 1 hour, plus 0.8 times the average true range of 1.5: weights that do not add up to 1.
    weights = {"garch": 1.0, "atr": 0.8}
    blend = combine_volatility(1, har=None, garch=over(0.6, 1), atr=0.015, weights=weights)
    assert 100.0 * 1.8 * blend.volatility == pytest.approx(1.8410607647560324, rel=1e-14)


def test_stated_weights_are_30_40_30():
    blend = combine_volatility(4, har=0.01, garch=0.02, atr=0.03)
    assert [(part.model, part.weight, part.share) for part in blend.parts] == [
        ("HAR", 0.3, pytest.approx(0.3)),
        ("GARCH", 0.4, pytest.approx(0.4)),
        ("ATR", 0.3, pytest.approx(0.3)),
    ]
    assert blend.volatility == pytest.approx(0.02)
    assert blend.annualised(YEAR) == pytest.approx(0.02 * math.sqrt(YEAR / 4))
    assert blend.price_move is None


@given(VOLS | st.none(), VOLS | st.none(), VOLS)
def test_a_blend_is_a_mean(har, garch, average):
    blend = combine_volatility(4.0, har=har, garch=garch, atr=average)
    known = [value for value in (har, garch, average) if value is not None]
    assert min(known) * (1.0 - 1e-12) <= blend.volatility <= max(known) * (1.0 + 1e-12)
    assert math.fsum(part.share for part in blend.parts) == pytest.approx(1.0)


@given(VOLS, VOLS, VOLS, st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(har, garch, average, scale):
    one = combine_volatility(4.0, har=har, garch=garch, atr=average)
    other = combine_volatility(4.0, har=scale * har, garch=scale * garch, atr=scale * average)
    if garch != pytest.approx(2.0 * har, rel=1e-9):
        assert other.volatility == pytest.approx(scale * one.volatility, rel=1e-9)


def test_garch_beyond_twice_har_counts_less_and_the_result_says_so():
    at, beyond = (combine_volatility(4, har=0.01, garch=garch, atr=0.02).parts[1] for garch in (0.02, 0.0201))
    assert at.share == pytest.approx(0.4)
    assert beyond.share == pytest.approx(0.12 / 0.72)
    assert beyond.said == "weight times 0.3, as it exceeds 2 times HAR"
    alone = combine_volatility(4, har=None, garch=5.0, atr=0.02).parts[1]
    assert alone.share == pytest.approx(0.4 / 0.7)  # there is no HAR to compare it with


def test_the_models_are_fitted_to_the_bars():
    blend = blend_volatility(BARS, 8.0, garch=0.02)
    har, garch, average = blend.parts
    squares = np.diff(np.log(BARS["close"])) ** 2
    fit = fit_har(squares, (6, 42, 180), ahead=6, floor=1e-8 * squares.mean())
    assert har.volatility == pytest.approx(math.sqrt(fit.forecast(2).sum()), rel=1e-12)
    assert har.volatility == pytest.approx(0.015 * math.sqrt(2), rel=0.1)
    assert garch.volatility == 0.02
    last = atr(BARS["high"], BARS["low"], BARS["close"])[-1] / BARS["close"].iloc[-1]
    assert average.volatility == pytest.approx(last * math.sqrt(2), rel=1e-12)
    assert (blend.bar_hours, blend.horizon_hours, blend.price) == (4.0, 8.0, BARS["close"].iloc[-1])
    assert blend.price_move == pytest.approx(blend.volatility * blend.price)


@pytest.mark.parametrize("hours", [0.5, 4.0, 5.0, 24.0, 100.0])
def test_garch_is_the_sum_of_the_variances_of_the_bars_and_of_a_part_of_the_last(hours):
    returns = np.diff(np.log(BARS["close"]))
    fit = fit_garch(100.0 * returns, mean="zero")
    variances, steps = fit.forecast(25), hours / 4.0
    weights = np.clip(steps - np.arange(25), 0.0, 1.0)
    expected = math.sqrt(float(weights @ variances)) / 100.0
    fitted = blend_volatility(BARS, hours).parts[1]
    assert fitted.volatility == pytest.approx(expected, rel=1e-12)
    assert fitted.said.startswith("799 returns")
    for scale in (1.0, 100.0):
        given = fit_garch(scale * returns, mean="zero")
        blend = blend_volatility(BARS, hours, garch=given, garch_scale=scale)
        assert blend.parts[1].volatility == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(not BARS_4H.exists(), reason="the bars are not here")
def test_recorded_garch_and_the_blend_of_these_bars():
    # Recorded output of arch: alpha = 0, a log-likelihood of -1427.840660, and 0.01445 for the next 4 hours. Without a
    # reaction to returns beta is not identified, and the likelihood is higher at beta = 1: the result says so.
    bars = pd.read_csv(BARS_4H, index_col=0, parse_dates=True)
    har, garch, average = blend_volatility(bars, 4).parts
    assert fit_garch(100.0 * np.diff(np.log(bars["close"])), mean="zero").loglikelihood > -1427.840660113622
    assert garch.volatility == pytest.approx(0.014454885278303195, rel=0.06)
    assert "alpha is 0" in garch.said
    assert har.volatility == pytest.approx(0.014454885278303195, rel=0.02)
    assert average.volatility == pytest.approx(0.7985795691366419 / 49.4461, rel=1e-12)


def test_a_garch_that_did_not_converge_is_not_used(monkeypatch):
    fit = dataclasses.replace(fit_garch(np.diff(np.log(BARS["close"]))), converged=False, notes=("not converged",))
    monkeypatch.setattr(volatility_blend, "fit_garch", lambda *_, **__: fit)
    part = blend_volatility(BARS, 4).parts[1]
    assert (part.volatility, part.share) == (None, 0.0)
    assert part.said == "not used: not converged; its weight goes to HAR and ATR"


def test_a_history_columns_and_a_frame_give_the_same():
    frame_blend = blend_volatility(BARS, 4)
    stamped = [START + dt.timedelta(hours=4 * i) for i in range(len(BARS))]
    rows = zip(stamped, *(BARS[name] for name in ("open", "high", "low", "close")), strict=True)
    history = PriceHistory("BTC", "test", tuple(Bar(at, *map(float, prices), None) for at, *prices in rows))
    columns = {"Date": stamped, **{name.title(): BARS[name].tolist() for name in BARS}}
    paris = BARS.tz_localize("UTC").tz_convert("Europe/Paris")
    for bars in (history, columns, paris, price_bars(BARS)):
        assert blend_volatility(bars, 4).volatility == frame_blend.volatility
    bare = {name: BARS[name].to_numpy() for name in ("high", "low", "close")}
    assert blend_volatility(bare, 4, bar_hours=4).volatility == frame_blend.volatility


def test_too_few_rows_are_said_and_their_weight_goes_to_the_others():
    blend = blend_volatility(BARS[:300], 4)
    har, garch, average = blend.parts
    assert har.volatility is None
    assert (har.share, garch.share, average.share) == (0.0, 0.0, 1.0)
    assert har.said.startswith("not fitted: 299 variances give 114 rows for lags up to 180, fewer than 200")
    assert har.said.endswith("; its weight goes to ATR")
    assert "HAR: not fitted: 299 variances" in " ".join(repr(blend).split())


def test_bars_longer_than_a_day_have_no_har():
    weekly = frame(400, hours=168.0)
    assert "bars of 168 hours are too long" in blend_volatility(weekly, 168, garch=0.1).parts[0].said


def test_irregular_bars_are_refused_and_not_taken_for_daily_ones():
    gap = BARS.drop(BARS.index[100])
    with pytest.raises(ModelError, match=r"rows 99 and 100 are 8 hours apart, and most rows 4; fill the gap, or state"):
        blend_volatility(gap, 4)
    assert blend_volatility(gap, 4, bar_hours=4).bar_hours == 4.0
    days = pd.bdate_range("2025-01-01", periods=20).to_numpy()
    with pytest.raises(ModelError, match="rows 2 and 3 are 72 hours apart, and most rows 24"):
        hours_between(days)
    with pytest.raises(ModelError, match="rows 0 and 1 are 0 hours apart"):
        hours_between(days[[0, 0, 0]])
    with pytest.raises(ModelError, match="one bar does not tell its length; state bar_hours"):
        hours_between(days[:1])


def test_pictures_and_tables_have_each_model():
    blend = blend_volatility(BARS, 4)
    rows = list(blend.to_table())
    assert [row["model"] for row in rows] == ["HAR", "GARCH", "ATR"]
    assert rows[1]["volatility"] is None or rows[1]["volatility"] > 0.0


GARCH = fit_garch(np.diff(np.log(BARS["close"])))
FLAT = {"high": [2.0] * 20, "low": [2.0] * 20, "close": [2.0] * 20}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: combine_volatility(4, har=None, garch=None, atr=None),
            "no model with a weight above 0 gives a volatil",
        ),
        (lambda: combine_volatility(4, har=0.0, garch=None, atr=0.1), "har=0.0 is not a volatility"),
        (lambda: combine_volatility(4, har=math.nan, garch=None, atr=0.1), "har=nan is not a volatility"),
        (lambda: combine_volatility(0, har=0.1, garch=None, atr=0.1), "horizon_hours=0 is not a finite number above 0"),
        (
            lambda: combine_volatility(4, har=0.1, garch=None, atr=0.1, weights={"x": 1.0}),
            "no model 'x'; give weights of",
        ),
        (lambda: combine_volatility(4, har=0.1, garch=None, atr=0.1, weights={"har": -1.0}), "the weight -1.0 of har"),
        (lambda: combine_volatility(4, har=None, garch=0.1, atr=0.1, weights={"har": 1.0}), "no model with a weight"),
        (lambda: blend_volatility(BARS, 0), "horizon_hours=0 is not a finite number above 0"),
        (lambda: blend_volatility(BARS, 1e6), "horizon_hours=1000000.0 is 250000 bars; the longest horizon is 10000"),
        (lambda: blend_volatility([1.0, 2.0], 4), "list holds no bars; give a price history, or columns"),
        (lambda: blend_volatility(BARS[["close"]], 4), "the bars have no high, low; give columns high, low and close"),
        (lambda: blend_volatility(FLAT, 4), "the bars have no times to tell their length; state bar_hours"),
        (lambda: blend_volatility(FLAT, 4, bar_hours=4), "the 20 closes do not move"),
        (lambda: blend_volatility({**FLAT, "date": ["x"] * 20}, 4), "the times of the bars cannot be read"),
        (
            lambda: blend_volatility({**FLAT, "date": [1] * 20}, 4),
            "the times of the bars cannot be read: 1 is not a date",
        ),
        (lambda: blend_volatility({**FLAT, "date": [START] * 9}, 4), "9 times for 20 bars; give one time for each"),
        (lambda: blend_volatility({**FLAT, "low": ["a"] * 20}, 4), "the bars have a low that is not a number"),
        (lambda: blend_volatility(BARS, 4, garch="x"), "garch='x' is not a GarchFit or a number"),
        (
            lambda: blend_volatility(BARS, 4, garch=GARCH),
            "garch_scale=None: give the factor",
        ),
        (lambda: blend_volatility(BARS, 4, garch=-0.1), "garch=-0.1 is not a volatility"),
        (lambda: blend_volatility(BARS, 4, n=0), "n=0 is below 1"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_a_bad_price_is_named_with_its_row():
    bad = BARS.copy()
    bad.iloc[7, 3] = math.nan
    with pytest.raises(ModelError, match="close: row 7 is nan"):
        blend_volatility(bad, 4)


def _bars(count: int = 700) -> dict[str, np.ndarray]:
    close = 100.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(3).normal(size=count)))
    return {"high": 1.01 * close, "low": 0.99 * close, "close": close}


def test_rows_out_of_order_are_refused_though_the_length_of_a_bar_is_stated():
    times = pd.date_range("2026-01-01", periods=700, freq="4h")
    frame = pd.DataFrame(_bars(), index=times)
    for wrong in (frame[::-1], pd.concat([frame, frame[-1:]])):
        with pytest.raises(ModelError, match=r"is not after that of row .* sort the bars"):
            blend_volatility(wrong, 4.0, bar_hours=4.0)


def test_times_as_text_may_have_a_zone():
    times = pd.date_range("2026-01-01", periods=3, freq="4h")
    bars = price_bars({**_bars(3), "date": [f"{time.isoformat()}Z" for time in times]})
    assert bars.times.tolist() == times.to_pydatetime().tolist()


def test_a_volatility_in_another_unit_is_refused():
    bars = _bars()
    fit = fit_garch(100.0 * np.diff(np.log(bars["close"])), mean="zero")
    with pytest.raises(ModelError, match=r"garch_scale=1\.0 means a volatility of .* not per cent"):
        blend_volatility(bars, 4.0, bar_hours=4.0, garch=fit, garch_scale=1.0)
    with pytest.raises(ModelError, match=r"garch=1\.1 means .* not per cent"):
        blend_volatility(bars, 4.0, bar_hours=4.0, garch=1.1)
