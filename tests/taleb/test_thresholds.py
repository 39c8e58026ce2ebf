"""Mean excess and fits over thresholds."""

import math

import numpy as np
import pytest
from scipy import stats

from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models import fit_tail
from bank_python.taleb.thresholds import mean_excess, threshold_stability
from tests.taleb.coles_data import RAIN_ABOVE_30


@pytest.fixture(scope="module")
def pareto():
    # exactly generalised Pareto beyond 0 with ξ = 1/4 and β = 1
    return (np.linspace(0.0002, 0.9998, 2_500) ** -0.25 - 1.0) * 4.0


def test_the_mean_excess_of_a_generalised_pareto_distribution_is_a_straight_line(pareto):
    curve = mean_excess(pareto, [0.5, 1.0, 2.0])
    # (β + ξu)/(1 − ξ); a plotting sample lacks what is beyond its largest value
    assert curve.mean_excess == pytest.approx((1.0 + 0.25 * curve.thresholds) / 0.75, rel=0.02)
    assert curve.excesses.tolist() == [(pareto > u).sum() for u in (0.5, 1.0, 2.0)]


def test_the_mean_excess_and_its_band_by_hand():
    values = np.arange(1.0, 41.0)
    curve = mean_excess(values, [30.0])
    assert curve.mean_excess[0] == 5.5
    reach = stats.norm.ppf(0.975) * math.sqrt(55.0 / 6.0) / math.sqrt(10.0)  # 1 to 10 have the variance 55/6
    assert (curve.low[0], curve.high[0]) == pytest.approx((5.5 - reach, 5.5 + reach), rel=1e-12)
    whole = mean_excess(values)
    assert (whole.thresholds.min(), whole.thresholds.max()) == (20.0, 30.0)


def test_fits_are_those_of_each_threshold(pareto):
    table = threshold_stability(pareto, [0.5, 1.0])
    tail = fit_tail(pareto, 1.0)
    assert (table.xi[1], table.xi_error[1]) == (tail.xi, tail.fit.xi_error)
    assert table.modified_scale[1] == pytest.approx(tail.beta - tail.xi, rel=1e-12)
    apart = math.hypot(tail.fit.xi_error, tail.fit.beta_error)
    assert apart < table.modified_scale_error[1] < tail.fit.xi_error + tail.fit.beta_error  # negatively correlated


def test_a_pareto_sample_is_level_from_the_first_threshold_on(pareto):
    table = threshold_stability(pareto)
    assert table.stable_from == table.thresholds[0]
    assert "the shape is level from" in table.note
    assert len(table.thresholds) == 30
    assert (table.excesses[0], table.excesses[-1]) == (625, 30)


def test_a_bend_is_seen():
    # uniform up to 1, Pareto beyond: not generalised Pareto below 1
    values = np.concatenate([np.linspace(0.001, 1.0, 2_000), np.linspace(0.002, 1.0, 500) ** -0.5])
    table = threshold_stability(values, np.linspace(0.2, 3.0, 29))
    assert table.stable_from is not None
    assert table.stable_from == pytest.approx(1.0, abs=0.21)


def test_no_level_shape_is_said():
    table = threshold_stability(np.concatenate([RAIN_ABOVE_30, np.linspace(90.0, 90.5, 60)]), [31.0, 35.0, 80.0])
    assert table.stable_from is None
    assert "no threshold from which on the shape is level" in table.note


def test_thresholds_with_too_few_excesses_have_no_fit(pareto):
    table = threshold_stability(pareto, [1.0, 2.0, float(np.sort(pareto)[-5])])
    assert np.isnan(table.xi).tolist() == [False, False, True]
    assert table.stable_from == 1.0
    assert len(list(table.to_table())) == 3


def test_they_are_shown_and_drawn(pareto):
    pytest.importorskip("matplotlib")
    table, curve = threshold_stability(pareto), mean_excess(pareto)
    assert [axes.get_ylabel() for axes in table.plot().axes] == ["shape ξ", "β*"]
    assert curve.plot().axes[0].get_ylabel() == "mean excess"
    assert "the shape is level from" in " ".join(repr(table).split())
    assert "Mean excess" in repr(curve)


def test_bad_arguments(pareto):
    with pytest.raises(CalibrationError, match="there are 5 values, fewer than 20"):
        mean_excess([1.0, 2.0, 3.0, 4.0, 5.0])
    with pytest.raises(CalibrationError, match="0 values are beyond 100; lower the threshold"):
        mean_excess(pareto, [100.0])
    with pytest.raises(CalibrationError, match="fewer than 10 different values are beyond each threshold from 100 on"):
        threshold_stability(pareto, [100.0, 200.0])
    with pytest.raises(CalibrationError, match="all 30 values are 1 to rounding"):
        threshold_stability(np.ones(30))
    with pytest.raises(ModelError, match="thresholds=nan"):
        threshold_stability(pareto, [math.nan])
