"""Extreme values: fits, profile-likelihood intervals and bootstrap intervals of tails and of block maxima.

The tail is that of S. Coles' daily rainfall (152 of 17,531 days above 30 mm), a size at which all peers are at home,
and one of 5,000 excesses; the maxima are those of Port Pirie (65 years), both from ``openturns.usecases``.

pyextremes spreads its bootstrap over processes, whose CPU time a clock of this one does not see: its own function that
fits the resamples is called here instead, in this process. With L-moments (lmoments3) it estimates less than maximum
likelihood does; it stands here as its fastest way to an interval. OpenTURNS is compiled; it has profile likelihood for
one quantity a call, of ξ or of one return level, and none for the return levels of a tail.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import openturns as ot
from _taleb_timed import OURS, agree, timed
from _timing import cpu
from lmoments3 import distr
from openturns.usecases.coles import Coles
from pyextremes.models.model_scipy import get_fit_parameters
from scipy import stats

from bank_python.risk_models import fit_gpd_excesses, fit_tail
from bank_python.taleb.gev import fit_gev
from bank_python.taleb.gev_intervals import gev_intervals
from bank_python.taleb.gpd_intervals import gpd_intervals
from bank_python.taleb.return_levels import return_levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

__all__ = ["CASES", "PACKAGES"]

PACKAGES = ("pyextremes", "lmoments3", "openturns", "scipy")
FIT = "one fit of ours"
THRESHOLD = 30.0
SAMPLES = 1_000
YEAR = 365
SLOW_ROUNDS = 2  # of pyextremes by maximum likelihood, which takes seconds
SAMPLING = 0.06  # largest difference of percentiles over other resamples


def rain() -> np.ndarray:
    return np.asarray(Coles().rain)[:, -1]


def port_pirie() -> np.ndarray:
    return np.asarray(Coles().portpirie)[:, -1]


def excesses_of(size: int) -> np.ndarray:
    """Return the excesses of the rain, or of a drawn tail with ξ = 1/4."""
    if size:
        return 4.0 * (np.random.default_rng(1).random(size) ** -0.25 - 1.0)
    days = rain()
    return days[days > THRESHOLD] - THRESHOLD


def sample_of(values: np.ndarray) -> Any:
    return ot.Sample(values[:, None])


def beside_a_fit(report: Report, title: str, calls: dict[str, Callable[[], object]], rounds: int, note: str) -> None:
    """Time intervals, as a multiple of a fit of ours and beside the peers."""
    seconds = cpu(calls, rounds)
    report.case(f"{title}, CPU µs", {name: 1e6 * each for name, each in seconds.items()}, note)
    report.ratio(f"{title}: {OURS} / {FIT}", seconds[OURS] / seconds[FIT], "≤ 5")
    for name in calls.keys() - {OURS, FIT}:
        report.ratio(f"{title}: {name} / {OURS}", seconds[name] / seconds[OURS], "none")


# --- tails ----------------------------------------------------------------------------------------


def tail_fits(report: Report, rounds: int) -> None:
    """Time one maximum-likelihood fit."""
    for size in (0, 5_000):
        excesses = excesses_of(size)
        sample, factory = sample_of(THRESHOLD + excesses), ot.GeneralizedParetoFactory()
        calls = {
            OURS: partial(fit_gpd_excesses, excesses),
            "scipy": partial(stats.genpareto.fit, excesses, floc=0.0),
            "OpenTURNS": partial(factory.buildMethodOfLikelihoodMaximization, sample, THRESHOLD),
        }
        ours, (xi, _, beta) = calls[OURS](), calls["scipy"]()
        other = calls["OpenTURNS"]().getParameter()
        note = f"{agree('fits', [ours.xi, ours.beta], [xi, beta], 2e-3)} to scipy, "
        note += f"{agree('fits', [ours.xi, ours.beta], [other[1], other[0]], 5e-3)} to OpenTURNS"
        timed(report, f"GPD fit, {len(excesses):,} excesses", calls, rounds, note=note)


def tail_profiles(report: Report, rounds: int) -> None:
    """Time profile-likelihood intervals of six quantities, beside one fit and beside one quantity of the peer."""
    for size in (0, 5_000):
        excesses = excesses_of(size)
        tail = fit_tail(np.concatenate([THRESHOLD + excesses, np.zeros(100 * len(excesses))]), THRESHOLD)
        sample, factory = sample_of(THRESHOLD + excesses), ot.GeneralizedParetoFactory()
        calls = {
            OURS: partial(gpd_intervals, tail, quantiles=[0.995, 0.999]),
            FIT: partial(fit_gpd_excesses, excesses),
            "OpenTURNS, ξ alone": partial(factory.buildMethodOfXiProfileLikelihoodEstimator, sample, THRESHOLD),
        }
        ours = calls[OURS]()["xi"]
        theirs = calls["OpenTURNS, ξ alone"]().getParameterConfidenceInterval()
        ends = [theirs.getLowerBound()[0], theirs.getUpperBound()[0]]
        note = agree("intervals", [ours.low, ours.high], ends, 2e-3)
        title = f"GPD profile intervals of 6 quantities, {len(excesses):,} excesses"
        beside_a_fit(report, title, calls, rounds, note)


def percentiles(law: Any, excesses: np.ndarray, method: str, probability: float, fixed: dict[str, float]) -> np.ndarray:
    """Return the interval of a level as pyextremes makes it, in this process."""
    fits = get_fit_parameters((SAMPLES, law, THRESHOLD + excesses, method, fixed, 0))
    return np.quantile(law.isf(probability, *np.transpose(fits)), [0.025, 0.975])


def tail_bootstrap(report: Report, rounds: int) -> None:
    """Time the 100-year level with an interval of 1,000 resamples."""
    tail, excesses = fit_tail(rain(), THRESHOLD), excesses_of(0)
    probability = 1.0 / (100 * YEAR * tail.share)
    asked = {"observations_per_period": YEAR, "method": "bootstrap", "n_samples": SAMPLES}
    ours = partial(return_levels, tail, [100], **asked)
    moments = partial(percentiles, distr.gpa, excesses, "Lmoments", probability, {})
    likelihood = partial(percentiles, stats.genpareto, excesses, "MLE", probability, {"floc": THRESHOLD})
    title = f"100-year level, {SAMPLES:,} resamples of {len(excesses)} excesses"
    timed(report, title, {OURS: ours, "pyextremes, L-moments": moments}, rounds, {"pyextremes, L-moments": "≥ 3"})
    found = ours()
    note = agree("intervals", [found.low[0], found.high[0]], likelihood(), SAMPLING)
    calls = {OURS: ours, "pyextremes": likelihood}
    timed(report, f"{title}, maximum likelihood", calls, min(rounds, SLOW_ROUNDS), {"pyextremes": "≥ 3"}, note)


# --- block maxima ---------------------------------------------------------------------------------


def maxima_fits(report: Report, rounds: int) -> None:
    """Time one maximum-likelihood fit to block maxima."""
    maxima = port_pirie()
    sample, factory = sample_of(maxima), ot.GeneralizedExtremeValueFactory()
    calls = {
        OURS: partial(fit_gev, maxima),
        "scipy": partial(stats.genextreme.fit, maxima),
        "OpenTURNS": partial(factory.buildMethodOfLikelihoodMaximization, sample),
    }
    ours, (shape, loc, scale) = calls[OURS](), calls["scipy"]()
    other = calls["OpenTURNS"]().getParameter()
    point = [ours.mu, ours.sigma, ours.xi]
    note = f"{agree('fits', point, [loc, scale, -shape], 5e-3)} to scipy, "
    note += f"{agree('fits', point, list(other), 5e-3)} to OpenTURNS"
    timed(report, f"GEV fit, {len(maxima)} maxima", calls, rounds, note=note)


def maxima_profiles(report: Report, rounds: int) -> None:
    """Time profile-likelihood intervals of five quantities, beside two quantities of the peer."""
    maxima = port_pirie()
    fit = fit_gev(maxima)
    sample, factory = sample_of(maxima), ot.GeneralizedExtremeValueFactory()
    calls = {
        OURS: partial(gev_intervals, fit),
        FIT: partial(fit_gev, maxima),
        "OpenTURNS, ξ alone": partial(factory.buildMethodOfXiProfileLikelihoodEstimator, sample),
        "OpenTURNS, one level": partial(factory.buildReturnLevelProfileLikelihoodEstimator, sample, 100.0),
    }
    ours = calls[OURS]()["level 100"]
    theirs = calls["OpenTURNS, one level"]().getParameterConfidenceInterval()
    ends = [theirs.getLowerBound()[0], theirs.getUpperBound()[0]]
    note = agree("intervals", [ours.low, ours.high], ends, 1e-3)
    title = f"GEV profile intervals of 5 quantities, {len(maxima)} maxima"
    beside_a_fit(report, title, calls, rounds, note)


CASES: dict[str, Callable[[Report, int], None]] = {
    "gpd_fit": tail_fits,
    "gpd_profile": tail_profiles,
    "gpd_bootstrap": tail_bootstrap,
    "gev_fit": maxima_fits,
    "gev_profile": maxima_profiles,
}
