r"""Share of a total that the largest observations contribute, such as the wealth of the richest 1%.

For a Pareto distribution with tail index α > 1, the top share q of the population holds

.. math:: \kappa_q = q^{1 - 1/\alpha}

of the total: 80% for the top 20% at α = 1.161. Measured in a sample, as the sum of the largest q n observations over
the sum of all, it is too small, by a lot where α is near 1: the total of the population is carried by observations that
a sample of that size does not hold. It also rises with the sample, and the share measured in a union of samples is
larger than the average of theirs, so that differences between sizes or years of samples are no findings. The remedy is
to fit the tail and to compute the share from its index:

.. math:: \hat\kappa_q = \frac{E[X; X > h_q]}{E[X]} , \qquad E[X; X > h] = P(X > h)\, \frac{\alpha}{\alpha - 1}\, h ,

with the sample itself below the start of the tail.

Examples
--------
>>> round(pareto_contribution(1.1, 0.01), 4), round(pareto_tail_index(0.2, 0.8), 4)
(0.6579, 1.161)
>>> wealth = np.random.default_rng(3).pareto(1.2, 5_000) + 1.0
>>> found = quantile_contribution(wealth, 0.01)
>>> round(found.share, 2), round(found.corrected, 2), round(pareto_contribution(1.2, 0.01), 2)
(0.31, 0.45, 0.46)

References
----------
N. N. Taleb and R. Douady, "On the super-additivity and estimation biases of quantile contributions", Physica A 429
(2015), 252-260.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import NINE_DIGITS
from bank_python.results import Figures
from bank_python.taleb.power_law_fit import fit_power_law
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers
    from bank_python.taleb.power_law_fit import PowerLawFit

__all__ = [
    "ContributionBias",
    "QuantileContribution",
    "contribution_bias",
    "pareto_contribution",
    "pareto_tail_index",
    "quantile_contribution",
]

_FEWEST = 10
_AT_ONCE = 4_000_000  # observations of simulated samples in memory
_MOST = 1_000_000_000
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class QuantileContribution(Figures):
    """Share of the total held by the largest observations; returned by :func:`quantile_contribution`.

    Parameters
    ----------
    q : float
        Share of the observations that count as the largest.
    share : float
        Share of the sum of the sample that they hold: biased downwards for fat tails.
    corrected : float
        Share computed from the fitted tail; NaN if its index is 1 or less, where the total is infinite.
    tail_index : float
        Tail index of the fitted power law.
    tail_index_se : float
        Standard error of the tail index.
    xmin : float
        Start of the fitted tail.
    n_top : int
        Number of observations that count as the largest.
    n_observations : int
        Number of observations.
    """

    q: float
    share: float
    corrected: float
    tail_index: float
    tail_index_se: float
    xmin: float
    n_top: int
    n_observations: int

    @property
    def verdict(self) -> str:
        """What the shares say in a sentence."""
        measured = f"The top {self.q:.4g} of the sample hold {self.share:.1%} of its sum"
        if math.isnan(self.corrected):
            return f"{measured}; with a tail index of {self.tail_index:.2f} the mean is infinite, so no share exists."
        return (
            f"{measured}, and {self.corrected:.1%} of the total by the fitted tail (index {self.tail_index:.2f} ± "
            f"{self.tail_index_se:.2f}): the share of a sample grows with its size."
        )


@dataclass(frozen=True, slots=True)
class ContributionBias(Figures):
    """How the share measured in samples of a Pareto distribution differs from the true one, by simulation.

    Parameters
    ----------
    tail_index : float
        Tail index α.
    q : float
        Share of the observations that count as the largest.
    n : int
        Size of each sample.
    true : float
        Share in the population.
    mean, median, std : float
        Mean, median and standard deviation of the measured share.
    mean_se : float
        Standard error of the mean by the number of samples.
    n_samples : int
        Number of simulated samples.
    """

    tail_index: float
    q: float
    n: int
    true: float
    mean: float
    median: float
    std: float
    mean_se: float
    n_samples: int

    @property
    def bias(self) -> float:
        """Mean of the measured share less the true one."""
        return self.mean - self.true


@admits(ModelError)
def pareto_contribution(tail_index: ArrayLike, q: ArrayLike) -> Numbers:
    """Return the share of the total that the top q of a Pareto distribution hold.

    Parameters
    ----------
    tail_index : array_like
        Tail index α, above 1: at 1 and below the total is infinite, and the share of any q tends to 1.
    q : array_like
        Share of the population, in (0, 1].

    Raises
    ------
    ModelError
        An argument is out of range or not finite.
    """
    hint = "a tail index of 1 or less has no finite mean, so no share exists"
    alpha = figures_in_range("tail_index", tail_index, ModelError, above=1.0, hint=hint)
    top = figures_in_range("q", q, ModelError, above=0.0, most=1.0, hint="0.01 is the top 1 per cent")
    try:
        found = np.asarray(top ** (1.0 - 1.0 / alpha))
    except ValueError as error:
        raise ModelError(f"tail_index and q of shapes {alpha.shape} and {top.shape} do not match") from error
    return found if found.ndim else float(found)


@admits(ModelError)
def pareto_tail_index(top: float, share: float) -> float:
    """Return the tail index of the Pareto distribution whose top share of the population holds a share of the total.

    Parameters
    ----------
    top : float
        Share of the population, in (0, 1): 0.2 in the rule of 80/20.
    share : float
        Share of the total that it holds, in (top, 1): 0.8 in that rule.

    Raises
    ------
    ModelError
        An argument is out of range.
    """
    if not 0.0 < top < share < 1.0:
        raise ModelError(f"top={top!r} and share={share!r} are not 0 < top < share < 1; 80/20 is top=0.2, share=0.8")
    return math.log(top) / math.log(top / share)


@admits(ModelError)
def quantile_contribution(x: ArrayLike, q: float = 0.01, *, fit: PowerLawFit | None = None) -> QuantileContribution:
    """Return the share of the total that the largest observations hold: as measured, and by the fitted tail.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample, at least 0 and finite; at least ten, and at least 1/q.
    q : float, default 0.01
        Share of the observations that count as the largest, in (0, 1); the number is rounded down.
    fit : PowerLawFit, optional
        Power law of the tail; by default :func:`bank_python.taleb.power_law_fit.fit_power_law` of the sample.

    Raises
    ------
    ModelError
        `q` is out of range, or the sample holds a number that is not finite.
    CalibrationError
        The sample is too small or constant, or holds a negative number.
    """
    sample = read_sample(x, name="x", fewest=_FEWEST)
    _require_share(q)
    count = _number_of_top(len(sample), q)
    tail = fit_power_law(sample) if fit is None else fit
    ordered = np.sort(sample)
    measured = float(ordered[len(ordered) - count :].sum() / ordered.sum())
    return QuantileContribution(
        q=float(q),
        share=measured,
        corrected=_corrected(ordered, q, tail),
        tail_index=tail.tail_index,
        tail_index_se=tail.alpha_se,
        xmin=tail.xmin,
        n_top=count,
        n_observations=len(sample),
    )


def _corrected(ordered: FloatArray, q: float, fit: PowerLawFit) -> float:
    """Return the share by the sample below the start of the tail, and the power law above."""
    alpha, n = fit.tail_index, len(ordered)
    if alpha <= 1.0:
        return math.nan
    body = ordered[: int(np.searchsorted(ordered, fit.xmin))]
    reached = 1.0 - len(body) / n
    tail = reached * fit.xmin * alpha / (alpha - 1.0)
    total = float(body.sum()) / n + tail
    if q <= reached:
        # E[X; X > h] with h such that P(X > h) = q
        return float(q * fit.xmin * (reached / q) ** (1.0 / alpha) * alpha / (alpha - 1.0) / total)
    further = _number_of_top(n, q) - (n - len(body))
    return (tail + float(body[len(body) - further :].sum()) / n) / total if further > 0 else tail / total


@admits(ModelError)
def contribution_bias(
    tail_index: float, q: float, n: int, *, n_samples: int = 2_000, seed: int = 0
) -> ContributionBias:
    """Return mean, median and spread of the share measured in samples of a Pareto distribution, by simulation.

    Parameters
    ----------
    tail_index : float
        Tail index α, above 1.
    q : float
        Share of the observations that count as the largest, in (0, 1).
    n : int
        Size of each sample, at least 1/q.
    n_samples : int, default 2,000
        Number of samples.
    seed : int, default 0
        Seed of the simulation.

    Raises
    ------
    ModelError
        An argument is out of range.

    Examples
    --------
    >>> found = contribution_bias(1.1, 0.01, 1_000, n_samples=10_000)
    >>> round(found.true, 2), round(found.mean, 1), round(found.median, 1)
    (0.66, 0.4, 0.4)
    """
    _require_share(q)
    true = float(pareto_contribution(tail_index, q))
    number_in_range("n", n, ModelError, least=float(_FEWEST))
    number_in_range("n_samples", n_samples, ModelError, least=2.0, most=_MOST / n, hint="fewer or smaller samples")
    number_in_range("seed", seed, ModelError, least=0.0)
    top, rng = _number_of_top(n, q), np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // n)
    parts = []
    for start in range(0, n_samples, at_once):
        drawn = (1.0 - rng.random((min(at_once, n_samples - start), n))) ** (-1.0 / tail_index)
        drawn.partition(n - top, axis=1)
        parts.append(drawn[:, n - top :].sum(axis=1) / drawn.sum(axis=1))
    shares = np.concatenate(parts)
    spread = float(shares.std(ddof=1))
    return ContributionBias(
        tail_index=float(tail_index),
        q=float(q),
        n=n,
        true=true,
        mean=float(shares.mean()),
        median=float(np.median(shares)),
        std=spread,
        mean_se=spread / math.sqrt(n_samples),
        n_samples=n_samples,
    )


def _require_share(q: float) -> None:
    if not 0.0 < q < 1.0:
        raise ModelError(f"q={q!r} is outside (0, 1); 0.01 is the top 1 per cent", name="q", value=q)


def _number_of_top(n: int, q: float) -> int:
    count = math.floor(q * n * (1.0 + NINE_DIGITS))
    if count < 1:
        raise CalibrationError(
            f"the top {q:g} of {n:,} observations are less than one; give a larger q, or at least "
            f"{math.ceil(1.0 / q):,}",
            name="q",
            value=q,
        )
    return count
