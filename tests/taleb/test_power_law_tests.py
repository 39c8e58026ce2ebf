"""Tests of power laws: published ratios, other programs' figures, and how often the simulation rejects."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bank_python.errors import ModelError
from bank_python.taleb.power_law_fit import fit_power_law
from bank_python.taleb.power_law_rivals import Rival, RivalData, fit_rival

LAWS = ("lognormal", "stretched_exponential", "exponential", "truncated_power_law")
# Clauset, Shalizi and Newman (2009), table 6.2 as quoted by the tests of powerlaw: normalised ratio (log-likelihood
# ratio for the power law with a cutoff) and p-value for each of the laws.
PUBLISHED = {
    "words": ((0.395, 0.69), None, (9.09, 0.0), (-0.899, 0.18)),
    "terrorism": ((-0.278, 0.78), None, (2.457, 0.01), (-0.077, 0.70)),
    "blackouts": ((-0.412, 0.68), (-0.417, 0.68), None, (-0.382, 0.38)),
    "cities": ((-0.090, 0.93), None, (3.65, 0.0), (-0.123, 0.62)),
    "fires": ((-1.78, 0.08), (-1.82, 0.07), (4.00, 0.0), (-5.02, 0.0)),
    "flares": ((-0.803, 0.42), None, (13.7, 0.0), (-4.52, 0.0)),
    "quakes": ((-7.14, 0.0), (-7.09, 0.0), (11.6, 0.0), (-24.4, 0.0)),
    "surnames": ((-0.836, 0.40), (-0.844, 0.40), (2.89, 0.0), (-1.36, 0.10)),
}


def published_fit(name):
    found = find_spec("powerlaw")
    if found is None:
        pytest.skip("the data come with the package powerlaw")
    return fit_power_law(np.loadtxt(Path(found.submodule_search_locations[0]) / "reference_data" / f"{name}.txt"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_comparisons(name):
    fit = published_fit(name)
    for law, printed in zip(LAWS, PUBLISHED[name], strict=True):
        if printed is None:
            continue  # see test_published_maxima_that_are_none
        found = fit.compare(law)
        ratio = found.log_likelihood_ratio if found.is_nested else found.ratio
        if (name, law) == ("words", "lognormal"):
            # The printed lognormal is not the most likely one: ours is likelier, and by less below the power law.
            assert 0.0 < ratio < printed[0]
            continue
        # 2%: the printed maxima are not exact, as ours are at least as likely; that of cities is printed as -0.090
        assert ratio == pytest.approx(printed[0], rel=0.02)
        assert found.p_value == pytest.approx(printed[1], abs=0.0151)


@pytest.mark.parametrize("name", ["words", "terrorism", "cities", "flares"])
def test_published_maxima_that_are_none(name):
    # The stretched exponential contains the power law as a limit, so that its likelihood cannot be lower than that of
    # a continuous power law. The ratios printed for these data are positive (4.13, 0.772, 0.204) or, for flares,
    # belong to a smaller likelihood (-0.546): their search ended early. The two for whole numbers differ by rounding.
    found = published_fit(name).compare("stretched_exponential")
    assert found.log_likelihood_ratio < (0.005 if name == "words" else 0.0)


def student_fit():
    return fit_power_law(np.abs(np.random.default_rng(7).standard_t(3, 5000) * 0.02))


def test_laws_at_their_limit():
    # powerlaw 2.0.0 gives R = -1.97 (p = 0.049) for the lognormal here, with mu = -544, where the complementary error
    # function underflows. The family bends downwards only, and a second moment of the logarithms above twice the
    # squared mean asks for the opposite, so the most likely lognormal is the power law.
    fit = student_fit()
    logs = np.log(fit.tail / fit.xmin)
    assert (logs**2).mean() > 2.0 * logs.mean() ** 2
    for law in ("lognormal", "stretched_exponential", "truncated_power_law"):
        found = fit.compare(law)
        assert (found.is_limit, found.ratio, found.log_likelihood_ratio, found.p_value) == (True, 0.0, 0.0, 1.0)
        assert "becomes the power law" in found.verdict


def test_exponential_beside_powerlaw():
    # powerlaw 2.0.0: distribution_compare("power_law", "exponential")
    found = student_fit().compare("exponential")
    assert (round(found.ratio, 4), round(found.log_likelihood_ratio, 5), round(found.p_value, 4)) == (
        2.5545,
        27.62202,
        0.0106,
    )
    assert found.verdict.startswith("the power law fits better")


@pytest.mark.parametrize(
    ("law", "parameters"), [("lognormal", (0.5, 0.8)), ("stretched_exponential", (0.7, 0.6)), ("exponential", (0.4,))]
)
def test_laws_find_their_own_parameters(law, parameters):
    rng, n = np.random.default_rng(2), 40_000
    draws = {
        "lognormal": lambda: rng.lognormal(*parameters, n),
        "stretched_exponential": lambda: rng.weibull(0.6, n) / 0.7,
        "exponential": lambda: rng.exponential(2.5, n),
    }
    x = draws[law]()
    tail = np.sort(x[x >= 1.0])
    found = fit_rival(Rival(law), RivalData(tail, 1.0, is_whole=False))
    # 0.1 is about four standard errors of the least exact of them
    assert list(found.parameters.values()) == pytest.approx(parameters, abs=0.1)
    assert not found.is_limit


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("is_whole", [False, True])
def test_densities_of_the_laws_have_mass_one(law, is_whole):
    rng = np.random.default_rng(3)
    x = rng.lognormal(1.5, 0.7, 400)
    x = np.maximum(np.round(x), 2.0) if is_whole else x
    start = 2.0
    tail = np.sort(x[x >= start])
    fitted = fit_rival(Rival(law), RivalData(tail, start, is_whole=is_whole))
    points = np.unique(tail)
    logs = dict(zip(points.tolist(), fitted.log_densities.tolist(), strict=True))
    if is_whole:
        total = sum(math.exp(each) for each in logs.values())
        assert 0.93 < total < 1.0  # the observed numbers hold nearly all probability
    else:
        density = np.exp(fitted.log_densities)
        between = 0.5 * (density[1:] + density[:-1]) @ np.diff(points)
        # trapezoids over the observed range, less the ends: a percent or two
        assert between == pytest.approx(1.0, abs=0.05)


def test_p_value_is_reported_reproducible_and_stoppable():
    fit = fit_power_law((1.0 - np.random.default_rng(4).random(300)) ** -0.5)
    seen = []
    found = fit.goodness_of_fit(40, 3, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (1, 40)
    assert seen[-1] == (40, 40)
    assert fit.p_value(40, 3) == found.p_value == float((found.distances >= fit.distance).mean())
    assert found.p_value_se == pytest.approx(math.sqrt(found.p_value * (1.0 - found.p_value) / 40))
    assert "distances" not in found.to_dict()

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit.p_value(40, 3, progress=stop)
    assert fit.p_value(40, 3) == found.p_value  # nothing was left half done


def test_implausible_power_law_is_rejected():
    x = np.random.default_rng(0).exponential(1.0, 1000) + 1.0
    fit = fit_power_law(x, xmin=1.0)
    found = fit.goodness_of_fit(50)
    assert found.p_value == 0.0
    assert "implausible" in found.verdict
    assert fit.compare("exponential").ratio < -5.0


def test_whole_numbers_are_drawn_from_their_law():
    from bank_python.taleb.power_law_tests import _drawing

    fit = fit_power_law(np.minimum(np.random.default_rng(1).zipf(1.6, 3000), 10**7), xmin=1)
    drawn = _drawing(fit)(np.random.default_rng(2), 200_000)
    for k in (1.0, 2.0, 10.0, 4095.0, 10_000.0):
        expected = fit.survival(k)
        error = math.sqrt(expected * (1.0 - expected) / 200_000)
        assert (drawn > k).mean() == pytest.approx(expected, abs=4.5 * error)
    assert (drawn == np.floor(drawn)).all()


@pytest.mark.slow
def test_p_values_of_power_laws_are_uniform():
    rng = np.random.default_rng(6)
    found = []
    for _ in range(100):
        body, tail = rng.uniform(0.3, 1.0, 60), (1.0 - rng.random(120)) ** (-1.0 / 2.0)
        found.append(fit_power_law(np.concatenate([body, tail])).p_value(60, int(rng.integers(10**6))))
    # A share of 0.1 is expected at or below 0.1, with a standard error of 0.03; the estimated start makes it less.
    assert np.mean(np.array(found) <= 0.1) < 0.2
    assert 0.35 < np.mean(found) < 0.75


def test_bad_input():
    fit = student_fit()
    with pytest.raises(ModelError, match="law='gamma' is none of lognormal"):
        fit.compare("gamma")
    with pytest.raises(ModelError, match="n_simulations=3 is below 10"):
        fit.p_value(3)
    with pytest.raises(ModelError, match="seed=-1 is negative"):
        fit.p_value(20, -1)
