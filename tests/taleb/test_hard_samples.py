"""Samples at the ends of what numbers can hold, and samples that say less than they seem to."""

from __future__ import annotations

import numpy as np
import pytest

from bank_python.errors import BankError
from bank_python.taleb import (
    TailDiagnostics,
    fit_gev,
    fit_gpd,
    fit_power_law,
    gpd_intervals,
    hill,
    mad_over_sd,
    mean_excess,
    tail_index,
    tail_reading,
    threshold_stability,
)

pytestmark = pytest.mark.filterwarnings("error")

STUDENT = np.random.default_rng(0).standard_t(3, 400)
WIDE = 10.0 ** np.random.default_rng(1).uniform(-300.0, 300.0, 200)  # ratios of up to 1e600
# Scaling by a power of 2 is exact, so that only the order of rounding differs.
SCALES = [2.0**-990, 2.0**-530, 2.0**530, 2.0**990]


@pytest.mark.parametrize("rule", ["double_bootstrap", "ks", "power", "share", "reiss_thomas"])
def test_a_tail_index_of_values_whose_ratios_overflow(rule: str) -> None:
    found = tail_index(WIDE, rule)
    logs = np.sort(np.log(WIDE))[::-1]
    assert found.alpha == pytest.approx(1.0 / (logs[: found.k] - logs[found.k]).mean(), rel=1e-12)


def test_hill_and_power_law_of_values_whose_ratios_overflow() -> None:
    logs = np.sort(np.log(WIDE))
    assert hill(WIDE, 199) == pytest.approx(1.0 / (logs[1:] - logs[0]).mean(), rel=1e-12)
    assert fit_power_law(WIDE, xmin=float(WIDE.min())).tail_index == pytest.approx(
        1.0 / (logs - logs[0]).mean(), rel=1e-12
    )


@pytest.mark.parametrize("scale", SCALES)
def test_figures_in_units_so_small_or_large_that_squares_are_no_numbers(scale: float) -> None:
    plain, scaled = fit_gev(STUDENT), fit_gev(STUDENT * scale)
    assert scaled.xi == pytest.approx(plain.xi, rel=1e-9)
    assert scaled.sigma == pytest.approx(plain.sigma * scale, rel=1e-9)
    assert tail_reading(STUDENT * scale).deviation == pytest.approx(STUDENT.std() * scale, rel=1e-12)
    curves = mean_excess(STUDENT * scale), mean_excess(STUDENT)
    assert curves[0].high == pytest.approx(curves[1].high * scale, rel=1e-12)
    fits = threshold_stability(STUDENT * scale), threshold_stability(STUDENT)
    assert fits[0].modified_scale_error == pytest.approx(fits[1].modified_scale_error * scale, rel=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_profile_intervals_scale_with_the_unit(scale: float) -> None:
    plain, scaled = (gpd_intervals(fit_gpd(STUDENT * by), quantiles=[0.99]) for by in (1.0, scale))
    for name in ("var 0.99", "es 0.99"):
        assert scaled[name].low == pytest.approx(plain[name].low * scale, rel=1e-6)
        assert scaled[name].high == pytest.approx(plain[name].high * scale, rel=1e-6)


@pytest.mark.parametrize("estimate", [mad_over_sd, tail_index, fit_gpd, fit_gev, tail_reading])
def test_a_masked_value_is_named_and_not_used(estimate: object) -> None:
    masked = np.ma.masked_array(np.abs(STUDENT), mask=np.arange(400) == 7)
    with pytest.raises(BankError, match=r"7 is masked; give values\.compressed\(\)"):
        estimate(masked)  # type: ignore[operator]
    unmasked = np.ma.masked_array(np.abs(STUDENT), mask=False)
    assert estimate(unmasked) is not None  # type: ignore[operator]


def test_a_tail_far_below_zero_is_not_said_to_be_near_it() -> None:
    found = tail_index(np.random.default_rng(2).random(2_000), "share")
    assert found.xi_moment < -0.5  # the distribution has xi = -1
    assert found.may_be_thin
    assert any("is not 1.96 errors above 0" in note for note in found.notes)


def test_a_report_says_that_a_bounded_tail_may_be_no_power_law() -> None:
    uniform = TailDiagnostics.analyze(np.random.default_rng(5).uniform(-1.0, 1.0, 2_000), power_law=False)
    assert uniform.verdict.count("may be lighter than any power law") == 2
    heavy = TailDiagnostics.analyze(np.random.default_rng(5).pareto(0.8, 2_000) + 1.0, power_law=False)
    assert "Left tail: no index and no GPD: there are no values of that sign;" in heavy.verdict
    assert "lighter" not in heavy.verdict
