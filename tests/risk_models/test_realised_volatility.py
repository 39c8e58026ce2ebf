"""Realised volatilities: published figures, pandas, and simulated paths of which the volatility is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models import (
    garman_klass_volatility,
    parkinson_volatility,
    realised_volatility,
    rogers_satchell_volatility,
    yang_zhang_volatility,
)

ONE_BAR = {"open": [100.0], "high": [103.0], "low": [98.0], "close": [101.0]}
OF_BARS = (garman_klass_volatility, rogers_satchell_volatility, yang_zhang_volatility)
WINDOW = 20


def simulated(count, steps=400, vol=0.01, drift=0.0, gap=0.0, seed=1):
    """Return bars of a random walk with `vol` per bar, observed `steps` times in each, and gaps between the bars."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(drift / steps, vol / math.sqrt(steps), (count, steps))
    inside = np.concatenate([np.zeros((count, 1)), moves.cumsum(axis=1)], axis=1)
    gaps = gap * rng.normal(size=count)
    opens = np.cumsum(gaps) + np.concatenate([[0.0], inside[:-1, -1].cumsum()])
    paths = 100.0 * np.exp(opens[:, None] + inside)
    return {"open": paths[:, 0], "high": paths.max(axis=1), "low": paths.min(axis=1), "close": paths[:, -1]}


BARS = simulated(120, steps=50, gap=0.004)
FRAME = pd.DataFrame(BARS)


def all_of(bars, **how):
    """Return the figures of the five estimators."""
    yield realised_volatility(bars["close"], **how)
    yield parkinson_volatility(bars["high"], bars["low"], **how)
    yield from (estimate(**bars, **how) for estimate in OF_BARS)


def test_published_variances_of_one_bar():
    # M. B. Garman and M. J. Klass (1980) and L. C. G. Rogers and S. E. Satchell (1991), evaluated for one bar with 12
    # digits; Parkinson (1980): ln²(103/98) / (4 ln 2).
    assert garman_klass_volatility(**ONE_BAR, periods_per_year=1) ** 2 == pytest.approx(
        0.0011998572659157492, rel=1e-12
    )
    rogers = rogers_satchell_volatility(**ONE_BAR, periods_per_year=1)
    assert rogers**2 == pytest.approx(0.0011887759329243914, rel=1e-12)
    parkinson = parkinson_volatility([103.0], [98.0], periods_per_year=1)
    assert parkinson**2 == pytest.approx(math.log(103 / 98) ** 2 / (4 * math.log(2)), rel=1e-14)


def test_closes_are_those_of_pandas():
    moves = np.log(FRAME["close"]).diff()
    expected = moves.rolling(WINDOW).std() * math.sqrt(252)
    ours = realised_volatility(FRAME["close"], periods_per_year=252, window=WINDOW)
    assert len(ours) == len(FRAME)
    assert ours == pytest.approx(expected.to_numpy(), rel=1e-10, nan_ok=True)
    assert np.isnan(ours[:WINDOW]).all()
    assert not np.isnan(ours[WINDOW:]).any()
    assert realised_volatility(FRAME["close"], periods_per_year=252) == pytest.approx(moves.std() * math.sqrt(252))
    zero = realised_volatility(FRAME["close"], periods_per_year=252, mean="zero")
    assert zero == pytest.approx(math.sqrt(252 * (moves**2).mean()))


def test_yang_and_zhang_by_hand():
    log = np.log(FRAME)
    overnight, inside = log["open"] - log["close"].shift(), log["close"] - log["open"]
    satchell = (log["high"] - log["close"]) * (log["high"] - log["open"])
    satchell += (log["low"] - log["close"]) * (log["low"] - log["open"])
    k = 0.34 / (1.34 + (WINDOW + 1) / (WINDOW - 1))
    variance = overnight.rolling(WINDOW).var() + k * inside.rolling(WINDOW).var()
    variance += (1 - k) * satchell.rolling(WINDOW).mean()
    ours = yang_zhang_volatility(**BARS, periods_per_year=252, window=WINDOW)
    assert ours[WINDOW:] == pytest.approx(np.sqrt(252 * variance)[WINDOW:].to_numpy(), rel=1e-9)


def test_the_last_window_is_the_figure_of_the_last_bars():
    for window in (2, 7, 50):
        last = {name: prices[-window:] for name, prices in BARS.items()}
        before = {name: prices[-window - 1 :] for name, prices in BARS.items()}
        rolling = [figures[-1] for figures in all_of(BARS, periods_per_year=365, window=window)]
        whole = [
            realised_volatility(before["close"], periods_per_year=365),
            parkinson_volatility(last["high"], last["low"], periods_per_year=365),
            garman_klass_volatility(**last, periods_per_year=365),
            rogers_satchell_volatility(**last, periods_per_year=365),
            yang_zhang_volatility(**before, periods_per_year=365),
        ]
        assert rolling == pytest.approx(whole, rel=1e-12)


def test_every_estimator_finds_the_volatility_of_a_random_walk():
    # The ranges of 400 observations are a little too small: about 3 % for Parkinson (Garman and Klass, table 2).
    for figure in all_of(simulated(1_500), periods_per_year=1):
        assert figure == pytest.approx(0.01, rel=0.06)


def test_only_rogers_satchell_and_yang_zhang_are_free_of_the_drift_and_only_the_latter_sees_gaps():
    drifting = simulated(1_500, drift=0.015)
    _, parkinson, garman, rogers, yang = all_of(drifting, periods_per_year=1)
    assert min(parkinson, garman) > 0.0108
    assert (rogers, yang) == (pytest.approx(0.01, rel=0.08), pytest.approx(0.01, rel=0.08))
    *others, yang = all_of(simulated(1_500, gap=0.01), periods_per_year=1)
    assert yang == pytest.approx(math.sqrt(2) * 0.01, rel=0.06)
    assert max(others[1:]) < 0.0105


@settings(max_examples=20)
@given(st.floats(1e-10, 1e10))
def test_the_unit_of_the_prices_does_not_matter(factor):
    scaled = {name: factor * prices for name, prices in BARS.items()}
    for ours, theirs in zip(all_of(scaled, periods_per_year=1), all_of(BARS, periods_per_year=1), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_a_quarter_of_the_periods_halves_the_volatility():
    for whole, quarter in zip(all_of(BARS, periods_per_year=400), all_of(BARS, periods_per_year=100), strict=True):
        assert quarter == pytest.approx(0.5 * whole)


def test_a_bar_that_only_rises_has_no_rogers_satchell_variance_but_two_have():
    rising = {"open": [100.0, 101.0], "high": [101.0, 103.0], "low": [100.0, 100.0], "close": [101.0, 102.0]}
    figures = rogers_satchell_volatility(**rising, periods_per_year=1, window=1)
    assert figures[0] == 0.0
    assert figures[1] > 0.0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: realised_volatility([1.0, 2.0], periods_per_year=252),
            "close of shape .2,.; give one series of at le",
        ),
        (lambda: realised_volatility([1.0, 0.0, 2.0], periods_per_year=252), "close: row 1 is 0.0; prices are above 0"),
        (lambda: realised_volatility([1.0, 2.0, -3.0], periods_per_year=252), "close: row 2 is -3.0"),
        (lambda: realised_volatility([1.0, math.nan, 2.0], periods_per_year=252), "close: row 1 is nan"),
        (lambda: realised_volatility([2.0] * 9, periods_per_year=252), "the prices do not move"),
        (lambda: realised_volatility([1, 2, 3], periods_per_year=-1), "periods_per_year=-1 is not a finite number"),
        (lambda: realised_volatility([1, 2, 3], periods_per_year=1, window=3), "window=3 is longer than the series"),
        (lambda: realised_volatility([1, 2, 3], periods_per_year=1, window=1), "window=1 is below 2"),
        (
            lambda: realised_volatility([1, 2, 3], periods_per_year=1, mean="none"),
            "no mean 'none'; give one of constant",
        ),
        (
            lambda: parkinson_volatility([2.0, 1.0], [1.0, 1.5], periods_per_year=1),
            "high: row 1 is 1.0, below its low of 1.5; correct that bar",
        ),
        (lambda: parkinson_volatility([2.0, 1.0], [1.0], periods_per_year=1), "different lengths: 2 of high, 1 of low"),
        (
            lambda: garman_klass_volatility(**{**ONE_BAR, "close": [103.5]}, periods_per_year=1),
            "close: row 0 is 103.5, outside its bar from low 98.0 to high 103.0; correct that bar",
        ),
        (lambda: yang_zhang_volatility(**ONE_BAR, periods_per_year=1), "give one series of at least 3 rows"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_periods_per_year_have_to_be_stated():
    with pytest.raises(TypeError, match="periods_per_year"):
        realised_volatility([1.0, 2.0, 3.0])
