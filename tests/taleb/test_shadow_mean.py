"""Shadow means against the closed form, against direct integration, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics import gauss_legendre
from bank_python.risk_models.extremes import GpdFit
from bank_python.taleb.shadow_mean import ShadowMean, bounded_tail_mean, shadow_mean


@pytest.mark.parametrize(
    # u = 1, beta = 1.5: Cirillo and Taleb (2016), u + (H - u) x^a exp(x) Gamma(1 - a, x), with mpmath 1.4.1, 40 digits
    ("xi", "bound", "mean"),
    [
        (1.25, 10.0, 3.57211248406971762),
        (1.25, 1e3, 16.1506735721999283),
        (1.25, 1e6, 79.1855574200750026),
        (1.25, 1e12, 1329.25090173689424),
    ],
)
def test_closed_form(xi, bound, mean):
    assert bounded_tail_mean(xi, 1.5, 1.0, bound) == pytest.approx(mean, rel=1e-13)


@settings(deadline=None, max_examples=40)
@given(st.floats(-0.9, 3.0), st.floats(0.1, 5.0), st.floats(10.0, 1e6))
def test_quadrature_of_the_quantiles(xi, beta, bound):
    # E[Y] as the integral of y over probabilities, with p = exp(-t): another integrand than that of the module
    rule = gauss_legendre(40)
    width, start = 0.25, 0.0
    total = 0.0
    while start < 60.0:
        t = start + 0.5 * width * (1.0 + rule.nodes)
        w = beta * (np.expm1(xi * t) / xi if xi else t)
        total += 0.5 * width * float(rule.weights @ (-np.expm1(-w / bound) * np.exp(-t)))
        start += width
    assert bounded_tail_mean(xi, beta, 1.0, bound) == pytest.approx(1.0 + (bound - 1.0) * total, rel=1e-10)


def test_distant_bound_is_the_unbounded_mean():
    # u + beta/(1 - xi) for xi below 1
    assert bounded_tail_mean(0.5, 2.0, 3.0, 1e15) == pytest.approx(7.0, abs=1e-6)
    assert bounded_tail_mean(1.5, 2.0, 3.0, 1e15) > 1e4


def truncated_pareto(rng, index, bound, size):
    """Draw values whose dual transformation is Pareto from 1: what the model takes the data for."""
    z = (1.0 - rng.random(size)) ** (-1.0 / index)
    return np.minimum(bound - (bound - 1.0) * np.exp(-(z - 1.0) / bound), np.nextafter(bound, 0.0))


@pytest.mark.slow
def test_shadow_mean_is_nearer_than_the_sample_mean():
    bound, index = 1e5, 0.8
    true = bounded_tail_mean(1.0 / index, 1.0 / index, 1.0, bound)
    rng = np.random.default_rng(12)
    found = [shadow_mean(truncated_pareto(rng, index, bound, 1000), bound, threshold=1.0) for _ in range(300)]
    shadow, plain = (np.array([getattr(each, name) for each in found]) for name in ("mean", "sample_mean"))
    assert np.sqrt(np.mean(np.log(shadow / true) ** 2)) < 0.6 * np.sqrt(np.mean(np.log(plain / true) ** 2))
    assert np.median(plain) < 0.8 * true
    assert np.median(shadow) == pytest.approx(true, rel=0.1)


def test_parts_add_up():
    x = truncated_pareto(np.random.default_rng(1), 0.9, 1e6, 2000)
    found = shadow_mean(x, 1e6, share=0.2)
    body = x[x <= found.threshold]
    assert found.share == pytest.approx(0.2)
    assert found.mean == pytest.approx(body.sum() / 2000 + found.share * found.tail_mean, rel=1e-12)
    assert found.sample_mean == pytest.approx(body.sum() / 2000 + found.share * found.tail_sample_mean, rel=1e-12)
    assert found.ratio == found.mean / found.sample_mean
    assert "times" in found.verdict


def known(xi=1.2, share=0.1):
    fit = GpdFit(xi, 2.0, -1.0, 100, 0.1, 0.1)
    return ShadowMean(0.0, 1.0, 0.0, 0.0, 10.0, 1e4, share, 1000, fit)


def test_quantile_and_mean_beyond_it():
    found = known()
    assert found.value_at_risk(0.9) == pytest.approx(10.0, rel=1e-14)
    assert found.expected_shortfall(0.9) == pytest.approx(bounded_tail_mean(1.2, 2.0, 10.0, 1e4), rel=1e-12)
    # mean of quantiles from 99% on, with Gauss-Legendre in the logarithm of the probability
    rule = gauss_legendre(60)
    t = np.concatenate([(k + 0.5 * (1.0 + rule.nodes)) for k in range(40)])
    weights = np.tile(0.5 * rule.weights, 40)
    quantiles = np.array([found.value_at_risk(1.0 - 0.01 * math.exp(-each)) for each in t[t < 25.0]])
    mean = float((weights * np.exp(-t))[t < 25.0] @ quantiles)
    # 1 - confidence loses digits as the probability falls: 1e-16/0.01 relative, times the heavy tail
    assert found.expected_shortfall(0.99) == pytest.approx(mean, rel=1e-6)
    assert found.value_at_risk(1.0 - 1e-12) <= 1e4


def test_bad_input():
    x = np.linspace(1.0, 5.0, 100)
    with pytest.raises(CalibrationError, match=r"largest value 5 \(row 99\) reaches upper_bound=5"):
        shadow_mean(x, 5.0)
    with pytest.raises(CalibrationError, match="fewer than 20"):
        shadow_mean(x[:10], 10.0)
    with pytest.raises(CalibrationError, match="3 values are beyond the threshold"):
        shadow_mean(x, 10.0, threshold=float(x[96]))
    with pytest.raises(ModelError, match=r"share=0\.0 is outside"):
        shadow_mean(x, 10.0, share=0.0)
    with pytest.raises(ModelError, match=r"threshold=-1\.0"):
        shadow_mean(x, 10.0, threshold=-1.0)
    with pytest.raises(ModelError, match="row 0 is nan"):
        shadow_mean([math.nan, *x], 10.0)
    with pytest.raises(ModelError, match="not below upper_bound"):
        bounded_tail_mean(0.5, 1.0, 10.0, 10.0)
    with pytest.raises(ModelError, match=r"confidence=0\.5 is not in the tail"):
        known().expected_shortfall(0.5)
