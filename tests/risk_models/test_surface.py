"""The pure surface: between, before and after its expiries; sticky strike and sticky delta; arbitrage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models.arbitrage import ArbitrageKind
from bank_python.risk_models.surface import Stickiness, Surface
from bank_python.risk_models.svi import SviSlice

NEAR = SviSlice(0.008, 0.08, -0.5, 0.01, 0.12)
FAR = SviSlice(0.022, 0.11, -0.4, 0.02, 0.2)
LAST = SviSlice(0.050, 0.14, -0.4, 0.03, 0.3)
TIMES, FORWARDS = (0.25, 1.0, 2.0), (101.0, 104.0, 108.0)


def surface(stickiness=Stickiness.STRIKE):
    return Surface(TIMES, [NEAR, FAR, LAST], FORWARDS, spot=100.0, stickiness=stickiness)


def test_at_its_expiries_a_surface_is_its_smiles():
    k = np.linspace(-1.0, 1.0, 9)
    for time, smile in zip(TIMES, (NEAR, FAR, LAST), strict=True):
        assert surface().total_variance(k, time) == pytest.approx(smile.total_variance(k), rel=1e-15)


def test_linear_in_total_variance_between():
    k = np.array([-0.5, 0.0, 0.7])
    expected = 0.75 * np.asarray(NEAR.total_variance(k)) + 0.25 * np.asarray(FAR.total_variance(k))
    assert surface().total_variance(k, 0.4375) == pytest.approx(expected, rel=1e-14)


def test_before_the_first_expiry_volatility_is_flat():
    vols = surface().vol(95.0, [0.0, 0.1, 0.25])
    anchors = surface().anchor([0.0, 0.1, 0.25])
    k = np.log(95.0 / anchors)
    assert vols == pytest.approx(np.sqrt(np.asarray(NEAR.total_variance(k)) / 0.25), rel=1e-14)
    assert surface().total_variance(0.1, 0.0) == 0.0


def test_after_the_last_expiry_variance_accrues_alike_at_all_strikes():
    k = np.array([-2.0, 0.0, 2.0])
    rate = LAST.total_variance(0.0) - FAR.total_variance(0.0)
    expected = np.asarray(LAST.total_variance(k)) + 3.0 * rate
    assert surface().total_variance(k, 5.0) == pytest.approx(expected, rel=1e-14)
    one = Surface([0.5], [NEAR], [100.0])
    assert one.total_variance(0.0, 2.0) == pytest.approx(4.0 * NEAR.total_variance(0.0), rel=1e-14)


@given(st.floats(-3.0, 3.0), st.floats(0.0, 6.0), st.floats(0.0, 6.0))
def test_total_variance_never_falls_with_time(k, one, other):
    early, late = sorted((one, other))
    w = surface().total_variance(k, [early, late])
    assert w[1] >= w[0] * (1.0 - 1e-12)


@given(st.floats(0.01, 10.0), st.sampled_from([-1.0, 1.0]))
def test_wings_keep_within_lees_bounds(time, sign):
    k = sign * np.array([1e4, 2e4])
    slope = np.diff(surface().total_variance(k, time))[0] / np.diff(k)[0]
    assert 0.0 <= sign * slope <= 2.0
    assert sign * slope <= max(LAST.wing_slopes) + 1e-9


def test_sticky_strike_and_sticky_delta():
    for time in (0.1, 0.25, 0.6, 1.0, 3.0):
        anchor = surface().anchor(time)
        strikes = np.array([70.0, 100.0, 130.0])
        strike, delta = surface(), surface(Stickiness.DELTA)
        assert np.array_equal(strike.vol(strikes, time, 1.2 * anchor), strike.vol(strikes, time, anchor))
        assert delta.vol(1.2 * strikes, time, 1.2 * anchor) == pytest.approx(
            delta.vol(strikes, time, anchor), rel=1e-12
        )
        assert not np.allclose(delta.vol(strikes, time, 1.2 * anchor), delta.vol(strikes, time, anchor), rtol=1e-3)
        assert delta.vol(strikes, time) == pytest.approx(strike.vol(strikes, time), rel=1e-12)


def test_anchors_are_log_linear():
    assert surface().anchor([0.0, 0.25, 1.0, 2.0]) == pytest.approx([100.0, 101.0, 104.0, 108.0])
    assert surface().anchor(0.625) == pytest.approx(math.sqrt(101.0 * 104.0))
    assert surface().anchor(3.0) == pytest.approx(108.0**2 / 104.0)


def test_a_scalar_and_a_batch_are_bitwise_identical():
    rng = np.random.default_rng(4)
    strikes, times = rng.uniform(50, 200, 300), rng.uniform(0.0, 4.0, 300)
    forwards = rng.uniform(80, 120, 300)
    for kind in Stickiness:
        batch = surface(kind).vol(strikes, times, forwards)
        alone = [surface(kind).vol(*row) for row in zip(strikes, times, forwards, strict=True)]
        assert np.array_equal(batch, alone)
        assert [surface(kind).vol_at(*row) for row in zip(strikes, times, forwards, strict=True)] == alone
        edges = [(100.0, time, 99.0) for time in (0.0, *TIMES)]
        assert [surface(kind).vol_at(*row) for row in edges] == [surface(kind).vol(*row) for row in edges]


def test_arbitrage_of_a_surface():
    assert surface().arbitrage().free
    crossed = Surface([0.5, 1.0], [FAR, NEAR], [100.0, 100.0]).arbitrage()
    assert [(found.kind, found.expiry) for found in crossed.violations] == [(ArbitrageKind.CALENDAR, 1.0)]


def test_invalid_rows_are_nan():
    assert np.isnan(surface().vol([-1.0, 0.0, math.nan, 100.0], [1.0, 1.0, 1.0, -1.0])).all()
    assert np.isnan(surface(Stickiness.DELTA).vol(100.0, 1.0, -5.0))
    assert np.isnan(surface().total_variance(math.inf, 1.0))
    assert np.isnan(surface().total_variance(0.0, math.inf))
    rows = [(-1.0, 1.0, 99.0), (0.0, 1.0, 99.0), (math.nan, 1.0, 99.0), (100.0, -1.0, 99.0), (math.inf, 1.0, 99.0)]
    assert all(math.isnan(surface().vol_at(*row)) for row in [*rows, (100.0, math.inf, 99.0)])
    assert math.isnan(surface(Stickiness.DELTA).vol_at(100.0, 1.0, -5.0))
    with pytest.raises(ValueError, match="shape"):
        surface().vol([90.0, 100.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([], [], []), "0 expiries"),
        (([1.0], [NEAR, FAR], [100.0]), "2 smiles"),
        (([1.0, 0.5], [NEAR, FAR], [100.0, 100.0]), "expiries must increase"),
        (([0.0], [NEAR], [100.0]), "expiry must be a finite number above 0, not 0.0"),
        (([1.0], [NEAR], [-100.0]), "forward must be a finite number above 0, not -100.0"),
        (([1.0], [NEAR], [100.0], math.nan), "forward must be a finite number above 0, not nan"),
        (([1.0], [SviSlice(-0.1, 0.1, 0.0, 0.0, 0.1)], [100.0]), "lowest total variance of -0.09"),
    ],
)
def test_impossible_surfaces(arguments, match):
    with pytest.raises(ModelError, match=match):
        Surface(*arguments)


def test_surfaces_of_the_same_smiles_are_equal():
    assert surface() == surface()
    assert surface() != surface(Stickiness.DELTA)
    assert repr(surface()).startswith("Surface(expiries=(0.25, 1.0, 2.0)")
