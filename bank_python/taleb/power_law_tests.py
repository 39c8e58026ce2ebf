r"""Whether a power law is plausible for a tail, and whether another law does as well.

*Plausible*: samples are drawn from the fitted law, below xmin from the data themselves, and each is fitted anew, xmin
included. The p-value is the share of them that are farther from their own fits than the data are from theirs. Without
the fitting anew it would be far too large.

*Another law*: with the log densities of the n points of the tail under both laws, the normalised ratio

.. math:: R = \frac{\sum_i \ell_i}{\sqrt n\,\mathrm{sd}(\ell)} , \qquad
          \ell_i = \log p_{\text{power law}}(x_i) - \log p_{\text{other}}(x_i) ,

is about standard normal if both are equally far from the truth (Vuong). Above 0 it speaks for the power law. The power
law with an exponential cutoff contains the power law, so that twice the log-likelihood ratio is a χ² variable with one
degree of freedom instead; as the rate of the cutoff cannot be negative, that p-value is up to twice too large.

Examples
--------
>>> from bank_python.taleb.power_law_fit import fit_power_law
>>> sample = (1.0 - (np.arange(400) + 0.5) / 400.0) ** -0.5
>>> fit = fit_power_law(sample)
>>> round(fit.compare("exponential").ratio, 2)
2.88
>>> fit.p_value(50)
1.0

References
----------
A. Clauset, C. R. Shalizi and M. E. J. Newman, "Power-law distributions in empirical data", SIAM Review 51 (2009),
661-703, section 4.1, section 5 and appendix C.

Q. H. Vuong, "Likelihood ratio tests for model selection and non-nested hypotheses", Econometrica 57 (1989), 307-333.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bank_python.errors import ModelError
from bank_python.numerics.zeta import scaled_zeta
from bank_python.results import Figures
from bank_python.taleb.power_law_rivals import Rival, RivalData, fit_rival
from bank_python.taleb.power_law_scan import closest_tail, tails_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics import FloatArray

__all__ = ["FittedPowerLaw", "GoodnessOfFit", "PowerLawComparison", "compare_laws", "goodness_of_fit"]

_FEWEST = 10
_IMPLAUSIBLE = 0.1  # p-value up to which the authors rule a power law out
_UNDECIDED = 0.1  # p-value above which the sign of the ratio says nothing, by the authors
_TABLE = 4_096  # whole numbers whose probabilities are tabulated; beyond, the rounded continuous law is drawn
_CONSTANT = 1e-12
_WORDS = {
    Rival.LOGNORMAL: "lognormal",
    Rival.STRETCHED_EXPONENTIAL: "stretched exponential",
    Rival.EXPONENTIAL: "exponential",
    Rival.TRUNCATED_POWER_LAW: "power law with an exponential cutoff",
}


class FittedPowerLaw(Protocol):
    """What the tests need of a fit; :class:`bank_python.taleb.power_law_fit.PowerLawFit` has it."""

    @property
    def alpha(self) -> float:
        """Exponent of the density."""

    @property
    def xmin(self) -> float:
        """Start of the tail."""

    @property
    def n_tail(self) -> int:
        """Number of observations in the tail."""

    @property
    def distance(self) -> float:
        """Kolmogorov–Smirnov distance."""

    @property
    def discrete(self) -> bool:
        """Whether the data are whole numbers."""

    @property
    def is_xmin_given(self) -> bool:
        """Whether the start was not estimated."""

    @property
    def sample(self) -> FloatArray:
        """Observations in increasing order."""

    @property
    def tail(self) -> FloatArray:
        """Observations in the tail, in increasing order."""


@dataclass(frozen=True, slots=True)
class GoodnessOfFit(Figures):
    """Whether a power law is plausible; returned by ``PowerLawFit.goodness_of_fit``.

    Parameters
    ----------
    p_value : float
        Share of the simulated samples that are at least as far from their own fits as the data are.
    p_value_se : float
        Standard error of the p-value by the number of samples.
    distance : float
        Distance of the data.
    n_simulations : int
        Number of simulated samples.
    distances : ndarray, shape (n_simulations,)
        Distances of the samples; not among the exported figures.
    """

    p_value: float
    p_value_se: float
    distance: float
    n_simulations: int
    distances: FloatArray = field(repr=False, compare=False)

    @property
    def verdict(self) -> str:
        """What the test says in a sentence."""
        if self.p_value <= _IMPLAUSIBLE:
            said = "a power law is implausible: its own samples are rarely as far from their fits"
        else:
            said = "a power law is not ruled out, which for a short tail says little: see how other laws compare"
        return f"p = {self.p_value:.3f} ± {self.p_value_se:.3f}: {said}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, without the distances of the samples."""
        return {name: value for name, value in super(GoodnessOfFit, self).to_dict().items() if name != "distances"}


@dataclass(frozen=True, slots=True)
class PowerLawComparison(Figures):
    """A power law beside another law of the same tail; returned by ``PowerLawFit.compare``.

    Parameters
    ----------
    law : Rival
        Law beside which the power law is put.
    ratio : float
        Normalised log-likelihood ratio R: above 0 for the power law, below 0 for the other.
    p_value : float
        Probability of a ratio at least that far from 0 if neither law is nearer to the truth.
    log_likelihood_ratio : float
        Log-likelihood of the power law less that of the other law.
    is_nested : bool
        Whether the other law contains the power law, so that the p-value is one of χ².
    is_limit : bool
        Whether the other law fits best where it becomes the power law.
    parameters : dict of str to float
        Fitted parameters of the other law.
    n_tail : int
        Number of observations in the tail.
    """

    law: Rival
    ratio: float
    p_value: float
    log_likelihood_ratio: float
    is_nested: bool
    is_limit: bool
    parameters: dict[str, float]
    n_tail: int

    @property
    def verdict(self) -> str:
        """What the test says in a sentence."""
        other, figures = _WORDS[self.law], f"R = {self.ratio:.2f}, p = {self.p_value:.2g}, {self.n_tail:,} points"
        if self.is_limit:
            return f"the {other} fits best where it becomes the power law, so it explains no more ({figures})"
        if self.p_value > _UNDECIDED:
            return f"the tail does not tell a power law from a {other} ({figures})"
        return f"the {'power law' if self.ratio > 0.0 else other} fits better ({figures})"


def goodness_of_fit(
    fit: FittedPowerLaw, n_simulations: int, seed: int, progress: Callable[[int, int], object] | None = None
) -> GoodnessOfFit:
    """Return the test of a power law by simulation.

    Parameters
    ----------
    fit : PowerLawFit
        Fit to be tested.
    n_simulations : int
        Number of simulated samples, at least 10.
    seed : int
        Seed of the simulation, at least 0.
    progress : callable, optional
        Function of the completed and the total number of samples.

    Raises
    ------
    ModelError
        A setting is out of range.
    """
    if n_simulations < _FEWEST:
        raise ModelError(
            f"n_simulations={n_simulations!r} is below {_FEWEST}; 1,000 gives p to 0.016", name="n_simulations"
        )
    if seed < 0:
        raise ModelError(f"seed={seed!r} is negative; give a whole number of at least 0", name="seed", value=seed)
    rng = np.random.default_rng(seed)
    body = fit.sample[: len(fit.sample) - fit.n_tail]
    draw = _drawing(fit)
    distances = np.empty(n_simulations)
    for i in range(n_simulations):
        n_tail = int(rng.binomial(len(fit.sample), fit.n_tail / len(fit.sample)))
        tail = draw(rng, n_tail)
        below = body[rng.integers(len(body), size=len(fit.sample) - n_tail)] if len(body) else body
        distances[i] = _distance(fit, np.concatenate([below[below > 0.0], tail]))
        if progress is not None:
            progress(i + 1, n_simulations)
    p = float((distances >= fit.distance).mean())
    return GoodnessOfFit(p, math.sqrt(p * (1.0 - p) / n_simulations), fit.distance, n_simulations, distances)


def _distance(fit: FittedPowerLaw, sample: FloatArray) -> float:
    """Return the distance of a simulated sample from its own fit."""
    sample.sort()
    start = fit.xmin if fit.is_xmin_given else None
    kept = sample[np.searchsorted(sample, fit.xmin) :] if fit.is_xmin_given else sample
    if not len(kept) or not kept[-1] > (kept[0] if start is None else start) * (1.0 + _CONSTANT):
        return 0.0  # a single value is its own perfect fit
    return closest_tail(tails_of(kept, discrete=fit.discrete, start=start)).distance


def _drawing(fit: FittedPowerLaw) -> Callable[[np.random.Generator, int], FloatArray]:
    """Return a function that draws from the fitted tail."""
    if not fit.discrete:
        return lambda rng, size: fit.xmin * (1.0 - rng.random(size)) ** (-1.0 / (fit.alpha - 1.0))
    whole = fit.xmin + np.arange(float(_TABLE) + 1.0)
    reach = (whole / fit.xmin) ** -fit.alpha * scaled_zeta(fit.alpha, whole)[0] / scaled_zeta(fit.alpha, fit.xmin)[0]

    def draw(rng: np.random.Generator, size: int) -> FloatArray:
        u = 1.0 - rng.random(size)  # in (0, 1]: the probability of a number at least as large
        found = whole[np.searchsorted(-reach, -u, side="right") - 1]
        far = u <= reach[-1]
        found[far] = np.floor((whole[-1] - 0.5) * (u[far] / reach[-1]) ** (-1.0 / (fit.alpha - 1.0)) + 0.5)
        return found

    return draw


def compare_laws(fit: FittedPowerLaw, law: str) -> PowerLawComparison:
    """Return Vuong's test of a power law against another law.

    Parameters
    ----------
    fit : PowerLawFit
        Fit whose tail is compared.
    law : str
        Name of the other law.

    Raises
    ------
    ModelError
        There is no such law.
    """
    known = {each.value: each for each in Rival}
    if law not in known:
        raise ModelError(f"law={law!r} is none of {', '.join(known)}; give one of these", name="law", value=law)
    rival, data = known[law], RivalData(fit.tail, fit.xmin, is_whole=fit.discrete)
    other = fit_rival(rival, data)
    ratios, n = _log_density(fit, data.values) - other.log_densities, float(fit.n_tail)
    is_nested = rival is Rival.TRUNCATED_POWER_LAW
    # In its limit, only a rounded law of whole numbers differs from the power law.
    is_same = other.is_limit and (is_nested or not fit.discrete)
    total = 0.0 if is_same else float(data.counts @ ratios)
    spread = math.sqrt(max(float(data.counts @ (ratios - total / n) ** 2) / n, 0.0))
    ratio = total / (spread * math.sqrt(n)) if spread > _CONSTANT else 0.0
    p = math.erfc(math.sqrt(abs(total))) if is_nested else math.erfc(abs(ratio) / math.sqrt(2.0))
    return PowerLawComparison(rival, ratio, p, total, is_nested, other.is_limit, other.parameters, fit.n_tail)


def _log_density(fit: FittedPowerLaw, values: FloatArray) -> FloatArray:
    logs = np.log(values / fit.xmin)
    if fit.discrete:
        return np.asarray(-fit.alpha * logs - np.log(scaled_zeta(fit.alpha, fit.xmin)[0]))
    return np.asarray(math.log((fit.alpha - 1.0) / fit.xmin) - fit.alpha * logs)
