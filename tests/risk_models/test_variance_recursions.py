"""Variance recursions: against a loop over the definition, their slopes against differences, wild parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.risk_models.variance_recursions import NORMAL_MEAN, Egarch, Garch, Gjr, Presample

MODELS = {"garch": Garch, "gjr": Gjr, "egarch": Egarch}
seeds = st.integers(0, 2**32 - 1)
models = st.sampled_from(list(MODELS))


def drawn(name, rng):
    """Return parameters inside the limits of a model."""
    beta = rng.uniform(0.3, 0.97)
    if name == "garch":
        return np.array([rng.uniform(0.01, 0.5), rng.uniform(0.0, 1.0 - beta), beta])
    if name == "gjr":
        alpha = rng.uniform(0.0, 1.0 - beta)
        return np.array([rng.uniform(0.01, 0.5), alpha, rng.uniform(-alpha, 1.0 - beta - alpha), beta])
    return np.array([rng.uniform(-0.1, 0.1), rng.uniform(0.0, 0.4), rng.uniform(-0.2, 0.2), beta])


def looped(name, parameters, residuals, before):
    """Return the log-variances by the definition, one after another."""
    logs = []
    for t in range(len(residuals)):
        if name == "egarch":
            omega, alpha, gamma, beta = parameters
            last, z = (logs[-1], residuals[t - 1] * math.exp(-0.5 * logs[-1])) if t else (math.log(before), None)
            shock = 0.0 if z is None else alpha * (abs(z) - math.sqrt(2.0 / math.pi)) + gamma * z
            logs.append(omega + shock + beta * last)
            continue
        omega, alpha, gamma, beta = parameters if name == "gjr" else (*parameters[:2], 0.0, parameters[2])
        last = math.exp(logs[-1]) if t else before
        square = residuals[t - 1] ** 2 if t else before
        negative = float(residuals[t - 1] < 0.0) if t else 0.5
        logs.append(math.log(omega + (alpha + gamma * negative) * square + beta * last))
    return np.array(logs)


@given(seeds, models, st.integers(2, 300))
def test_log_variances_are_those_of_the_definition(seed, name, n):
    rng = np.random.default_rng(seed)
    parameters, residuals = drawn(name, rng), rng.standard_t(4, n)
    before = rng.uniform(0.1, 3.0)
    logs = MODELS[name]().log_variances(parameters, residuals, before)
    assert logs == pytest.approx(looped(name, parameters, residuals, before), abs=1e-11)


@given(seeds, models, st.integers(2, 60), st.sampled_from([0.0, 1.3]))
def test_slopes_are_those_of_differences(seed, name, n, by_mean):
    rng = np.random.default_rng(seed)
    model, parameters, residuals = MODELS[name](), drawn(name, rng), rng.standard_normal(n)
    path = model.path(parameters, residuals, Presample(0.8, by_mean))
    if path is None:  # not invertible
        assert name == "egarch"
        return
    assert path.log_variances == pytest.approx(looped(name, parameters, residuals, 0.8), abs=1e-11)
    assert path.slopes.shape == (1 + len(parameters), n)
    step = 1e-6
    for i in range(1 + len(parameters)):
        sides = []
        for sign in (1.0, -1.0):
            moved, mean = parameters.copy(), 0.0
            if i:
                moved[i - 1] += sign * step
            else:
                mean = sign * step
            sides.append(looped(name, moved, residuals - mean, 0.8 + by_mean * mean))
        expected = (sides[0] - sides[1]) / (2.0 * step)
        off = np.abs(path.slopes[i] - expected) / (1.0 + np.abs(expected))
        near_a_kink = np.abs(residuals).min() < 1e-5
        assert off.max() < 1e-6 or near_a_kink


def test_the_first_mean_slope_of_a_gjr_is_that_of_its_persistence():
    path = Gjr().path(np.array([0.1, 0.05, 0.1, 0.8]), np.ones(3), Presample(2.0, 0.5))
    assert path.slopes[0, 0] * math.exp(path.log_variances[0]) == pytest.approx((0.05 + 0.05 + 0.8) * 0.5)


@settings(max_examples=200)
@given(seeds, st.integers(2, 200))
def test_a_path_of_an_egarch_with_wild_parameters_is_that_of_the_loop_or_none(seed, n):
    rng = np.random.default_rng(seed)
    parameters = np.array([rng.normal(0.0, 3.0), *rng.normal(0.0, 3.0, 2), rng.uniform(0.0, 1.0)])
    residuals = rng.standard_t(2, n) * 10.0 ** rng.uniform(-3, 3)
    logs = Egarch().log_variances(parameters, residuals, 1.0)
    with np.errstate(all="ignore"):
        try:
            expected = looped("egarch", parameters, residuals, 1.0)
        except OverflowError:
            expected = np.array([math.inf])
    if logs is None:
        assert not np.abs(expected).max() < 600.0
        return
    residual = logs - _from_the_last(parameters, residuals, logs)
    # In units of what was added up: the loop itself goes wrong by as much where the path is chaotic.
    assert np.abs(residual).max() <= 1e-9 * (1.0 + np.abs(logs).max() + np.abs(parameters).max() * 1e3)


def _from_the_last(parameters, residuals, logs):
    """Return the log-variance that follows each by the recursion."""
    omega, alpha, gamma, beta = parameters
    z = residuals[:-1] * np.exp(-0.5 * logs[:-1])
    return np.concatenate([[omega], omega + alpha * (np.abs(z) - NORMAL_MEAN) + gamma * z + beta * logs[:-1]])


@given(seeds)
def test_a_path_does_not_depend_on_the_one_before(seed):
    rng = np.random.default_rng(seed)
    residuals, parameters = rng.standard_normal(200), drawn("egarch", rng)
    used, fresh = Egarch(), Egarch()
    for _ in range(3):
        used.path(drawn("egarch", rng), residuals - 0.01 * rng.standard_normal(), Presample(1.0, 0.0))
    one = used.log_variances(parameters, residuals, 1.0)
    assert one == pytest.approx(fresh.log_variances(parameters, residuals, 1.0), abs=1e-11)


def test_an_egarch_that_never_forgets_has_no_path():
    residuals = np.random.default_rng(1).standard_normal(300)
    parameters = np.array([-3.0, 3.0, 0.0, 0.5])
    assert Egarch().path(parameters, residuals, Presample(1.0, 0.0)) is None
    assert Egarch().log_variances(np.array([0.0, 90.0, 0.0, 0.99]), residuals, 1.0) is None


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_limits_of_beta(beta):
    residuals = np.random.default_rng(2).standard_normal(2_000)
    parameters = np.array([0.05, 0.0, beta])
    path = Garch().path(parameters, residuals, Presample(0.7, 0.0))
    assert path.log_variances == pytest.approx(looped("garch", parameters, residuals, 0.7), abs=1e-11)
    alone = Garch().log_variances(parameters, residuals, 0.7)
    assert path.log_variances == pytest.approx(alone, abs=1e-12)


def test_a_variance_of_0_is_none():
    assert Garch().log_variances(np.array([0.0, 0.0, 0.0]), np.ones(5), 1.0) is None
    assert Garch().path(np.array([-2.0, 0.5, 0.5]), np.ones(5), Presample(1.0, 0.0)) is None


@given(seeds, models)
def test_the_next_variance_is_that_of_a_longer_sample(seed, name):
    rng = np.random.default_rng(seed)
    model, parameters, residuals = MODELS[name](), drawn(name, rng), rng.standard_normal(30)
    logs = looped(name, parameters, residuals, 1.0)
    following = model.next_variance(parameters, float(residuals[-2]), math.exp(logs[-2]))
    assert following == pytest.approx(math.exp(logs[-1]), rel=1e-12)


@given(seeds, models, st.floats(-6.0, 6.0))
def test_scaled_residuals_have_scaled_variances(seed, name, power):
    rng = np.random.default_rng(seed)
    model, parameters, residuals = MODELS[name](), drawn(name, rng), rng.standard_normal(50)
    scale = 10.0**power
    scaled = model.scaled(parameters, scale)
    expected = looped(name, parameters, residuals, 1.0) + 2.0 * math.log(scale)
    assert looped(name, scaled, scale * residuals, scale * scale) == pytest.approx(expected, abs=1e-9)
    step = 1e-6
    differences = [
        (model.scaled(parameters + step * unit, scale) - model.scaled(parameters - step * unit, scale)) / (2.0 * step)
        for unit in np.eye(len(parameters))
    ]
    slopes = model.scale_slopes(scale)
    assert slopes == pytest.approx(np.array(differences).T, rel=1e-5, abs=1e-6 * np.abs(slopes).max())
    assert model.scaled(scaled, 1.0 / scale) == pytest.approx(parameters, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("garch", [0.1, 0.1, 0.8], 0.9),
        ("gjr", [0.1, 0.05, 0.1, 0.8], 0.9),
        ("egarch", [0.1, 0.2, -0.1, 0.95], 0.95),
    ],
)
def test_persistence(name, parameters, expected):
    assert MODELS[name]().persistence(np.array(parameters)) == pytest.approx(expected, rel=1e-15)


@given(models)
def test_starts_are_within_the_limits_and_each_limit_has_a_note(name):
    model = MODELS[name]()
    assert all(model.limits().slack(start).min() >= 0.0 for start in model.starts())
    assert len(model.limit_notes) == len(model.limits().sides)
    assert set(model.doubtful_limits) <= set(range(len(model.limit_notes)))
