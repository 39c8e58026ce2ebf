"""Return levels of tails and of block maxima, and the maxima of blocks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError
from bank_python.risk_models import fit_tail
from bank_python.taleb.block_maxima import block_maxima
from bank_python.taleb.gev import fit_gev
from bank_python.taleb.gev_intervals import gev_intervals
from bank_python.taleb.gpd_intervals import gpd_intervals
from bank_python.taleb.return_levels import return_levels
from tests.taleb.coles_data import PORT_PIRIE, RAIN_ABOVE_30, RAIN_DAYS


@pytest.fixture(scope="module")
def rain():
    return fit_tail(np.concatenate([RAIN_ABOVE_30, np.zeros(RAIN_DAYS - len(RAIN_ABOVE_30))]), 30.0)


def test_rain_in_a_hundred_years(rain):
    # S. Coles (2001), section 4.4.1, prints 106.3; more digits by an optimiser of another program
    levels = return_levels(rain, [100], observations_per_period=365)
    assert levels.levels[0] == pytest.approx(106.32803468, abs=1e-4)
    # a hundred years of 365 days: the value at risk that 1 of 36,500 days exceeds
    same = gpd_intervals(rain, quantiles=[1.0 - 1.0 / 36_500])
    assert (levels.low[0], levels.high[0]) == pytest.approx((same.low[2], same.high[2]), rel=1e-9)


def test_port_pirie():
    fit = fit_gev(PORT_PIRIE)
    levels = return_levels(fit, [100, 10, 1000])
    assert levels.levels == pytest.approx([fit.return_level(period) for period in (100, 10, 1000)], rel=1e-12)
    assert levels.levels[:2] == pytest.approx([4.688404, 4.296212], abs=1e-6)
    rows = gev_intervals(fit, periods=[10])
    assert (levels.low[1], levels.high[1]) == pytest.approx((rows["level 10"].low, rows["level 10"].high), rel=1e-9)
    by_moments = return_levels(fit_gev(PORT_PIRIE, method="pwm"), [10, 100])
    assert by_moments.method.value == "bootstrap"


@given(st.floats(0.2, 1.0))
def test_clusters_are_rarer_than_exceedances(rain, theta):
    # θ exceedances as independent ones: the level of T periods is that of θT
    clustered = return_levels(rain, [50], observations_per_period=365, extremal_index=theta, method="wald")
    plain = return_levels(rain, [50 * theta], observations_per_period=365, method="wald")
    assert clustered.levels == pytest.approx(plain.levels, rel=1e-12)


def test_observations_have_the_periods_of_their_ranks(rain):
    levels = return_levels(rain, [10], observations_per_period=365)
    assert levels.observed[-1] == 86.6
    # the largest of 152 in 48 years is beyond the 153rd part of the exceedances
    assert levels.observed_periods[-1] == pytest.approx(153 / (365 * 152 / RAIN_DAYS), rel=1e-12)
    order = return_levels(fit_gev(PORT_PIRIE), [10]).observed_periods
    assert order[[0, -1]] == pytest.approx([66 / 65, 66.0], rel=1e-12)


def test_it_is_shown_drawn_and_exported(rain):
    pytest.importorskip("matplotlib")
    levels = return_levels(rain, [1, 10, 100], observations_per_period=365)
    axes = levels.plot().axes[0]
    assert axes.get_xlabel() == "return period"
    assert axes.lines[0].get_ydata() == pytest.approx(levels.levels)
    assert "Return levels, 95 % intervals by profile likelihood" in repr(levels)
    assert [row["period"] for row in levels.to_table()] == [1.0, 10.0, 100.0]


def test_bad_arguments(rain):
    with pytest.raises(ModelError, match="a tail needs observations_per_period="):
        return_levels(rain, [10])
    with pytest.raises(ModelError, match=r"exceedances of the threshold are expected every 0\.316 periods"):
        return_levels(rain, [0.1], observations_per_period=365)
    with pytest.raises(ModelError, match=r"extremal_index=1\.5"):
        return_levels(rain, [10], observations_per_period=365, extremal_index=1.5)
    with pytest.raises(ModelError, match="are for tails"):
        return_levels(fit_gev(PORT_PIRIE), [10], observations_per_period=365)
    with pytest.raises(ModelError, match=r"periods=1\.0"):
        return_levels(fit_gev(PORT_PIRIE), [1.0])


# --- block maxima --------------------------------------------------------------------------------


@given(st.lists(st.floats(-10.0, 10.0), min_size=1, max_size=60), st.integers(1, 10))
def test_blocks_of_a_length_and_by_label_agree(values, length):
    whole = len(values) // length
    if not whole:
        with pytest.raises(ModelError, match="does not fit"):
            block_maxima(values, length=length)
        return
    labels = [i // length for i in range(len(values))]
    by_label = block_maxima(values, labels=labels)
    assert block_maxima(values, length=length).tolist() == by_label[:whole].tolist()
    assert by_label[-1] == max(v for v, label in zip(values, labels, strict=True) if label == labels[-1])


def test_bad_blocks():
    for wrong in ({}, {"length": 2, "labels": [1, 1]}):
        with pytest.raises(ModelError, match="give length= or labels=, and not both"):
            block_maxima([1.0, 2.0], **wrong)
    with pytest.raises(ModelError, match="there are 1 labels for 2 values"):
        block_maxima([1.0, 2.0], labels=[1])
    with pytest.raises(ModelError, match="length=0 does not fit"):
        block_maxima([1.0, 2.0], length=0)
    with pytest.raises(ModelError, match="row 1 is nan"):
        block_maxima([1.0, math.nan], length=1)
