r"""Whether a moment exists: what a sample can and cannot say of it.

The moment of order p of |X| is finite if and only if the tail index α is above p. Every sample has finite moments, so
nothing about those of its distribution is proved by one. There is evidence of two kinds: the interval of the tail index
(:mod:`bank_python.taleb.tail_index`), and the ratio of the maximum to the sum (:mod:`bank_python.taleb.max_to_sum`),
which falls like :math:`n^{p/\alpha - 1}` where the moment exists and not at all where it does not.

The verdict is True if the interval of α, with and without its bias, is above p and the ratio falls from the first half
of the sample to the whole; False if the interval is below p and the tail is a power law, by the moment estimator, at
all; None where the evidence does not decide, which is the usual case near p = α.

Examples
--------
>>> returns = np.random.default_rng(7).standard_t(3, 5_000)
>>> moment_exists(returns, 1).verdict, moment_exists(returns, 3).verdict, moment_exists(returns, 6).verdict
(True, None, False)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import number_in_range
from bank_python.results import Figures
from bank_python.taleb.max_to_sum import max_to_sum
from bank_python.taleb.sample import read_sample
from bank_python.taleb.tail_fraction import TailRule
from bank_python.taleb.tail_index import TailIndex, tail_index

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["MomentEvidence", "moment_evidence", "moment_exists"]

_FEWEST = 40
_FEWEST_LARGEST = 10  # largest values below which the error of the index is a third of it
_PROVES_NOTHING = "A finite sample proves nothing about its tail"
_NAMES = {1.0: "mean", 2.0: "variance", 3.0: "skewness", 4.0: "kurtosis"}


@dataclass(frozen=True, slots=True)
class MomentEvidence(Figures):
    """Evidence on whether a moment exists; returned by :func:`moment_exists`.

    Parameters
    ----------
    p : float
        Order of the moment.
    verdict : bool or None
        True if the evidence is for a finite moment, False if it is against, None if it does not decide.
    alpha : float
        Tail index of the absolute values.
    low, high : float
        Ends of the interval of the tail index: the union of the 95 % intervals with and without its bias.
    ratio_half, ratio : float
        Maximum over sum of |x|^p in the first half of the sample, and in all of it.
    slope : float
        Rate ln(ratio/ratio_half)/ln 2 at which the ratio changes with n: about p/α − 1 where the moment exists, 0
        where it does not, above 0 if the largest value is in the second half.
    sentence : str
        The verdict in words.
    """

    p: float
    verdict: bool | None
    alpha: float
    low: float
    high: float
    ratio_half: float
    ratio: float
    slope: float
    sentence: str


@admits(ModelError)
def moment_exists(
    x: ArrayLike, p: float, *, rule: TailRule | str = TailRule.DOUBLE_BOOTSTRAP, k: int | None = None, seed: int = 0
) -> MomentEvidence:
    """Return the evidence on whether the moment of order p of the absolute values is finite.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in the order in which it was observed; finite, not constant, at least 40 values.
    p : float
        Order of the moment, above 0: 1 for the mean, 2 for the variance, 4 for the kurtosis.
    rule : TailRule or str, default "double_bootstrap"
        Rule for the number of largest values in the tail index; see :func:`~bank_python.taleb.tail_index.tail_index`.
    k : int, optional
        Number of largest values, in place of a rule.
    seed : int, default 0
        Seed of the bootstrap.

    Raises
    ------
    ModelError
        A value is not finite, `p` is out of range, or there is no such rule.
    CalibrationError
        There are too few values, they are all equal, or ties leave no tail index.
    """
    sample = read_sample(x, name="x", fewest=_FEWEST, varying=True)
    return moment_evidence(sample, p, tail_index(np.abs(sample), rule, k, seed))


@admits(ModelError)
def moment_evidence(x: ArrayLike, p: float, index: TailIndex) -> MomentEvidence:
    """Return the evidence on a moment with a tail index that is known already.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in the order in which it was observed; finite, not constant, at least 40 values.
    p : float
        Order of the moment, above 0.
    index : TailIndex
        Tail index of the absolute values of the sample.

    Raises
    ------
    ModelError
        A value is not finite, or `p` is out of range.
    CalibrationError
        There are fewer than 40 values, or they are all equal.
    """
    order = number_in_range("p", p, ModelError, above=0.0)
    sample = read_sample(x, name="x", fewest=_FEWEST, varying=True)
    half, whole = max_to_sum(sample[: len(sample) // 2], order), max_to_sum(sample, order)
    slope = math.log2(whole / half) if half > 0.0 else math.nan
    ends = [index.low, index.high, *(end for end in index.corrected_interval if math.isfinite(end))]
    low, high = min(ends), max(ends)
    verdict: bool | None = None
    if index.k < _FEWEST_LARGEST:
        verdict = None
    elif low > order and slope < 0.0:
        verdict = True
    elif high < order and not index.may_be_thin:
        verdict = False
    reason = "; the tail may be lighter than any power law" if index.may_be_thin else ""
    if index.k < _FEWEST_LARGEST:
        reason = f"; {index.k:,} largest values are too few to say"
    if low > order and not slope < 0.0:
        reason = f"; the index is above {order:g}, but the largest value came late"
    said = _sentence(order, verdict, (low, high), (half, whole), reason)
    return MomentEvidence(order, verdict, index.alpha, low, high, half, whole, slope, said)


def _sentence(
    p: float, verdict: bool | None, ends: tuple[float, float], ratios: tuple[float, float], reason: str
) -> str:
    name = f"moment of order {p:g}" + (f" ({_NAMES[p]})" if p in _NAMES else "")
    interval = f"the tail index is between {ends[0]:.2g} and {ends[1]:.2g}"
    sums = f"the largest value makes up {ratios[1]:.2g} of the sum, after {ratios[0]:.2g} in the first half"
    if verdict:
        return f"The {name} is likely to exist: {interval}, above {p:g}, and {sums}. {_PROVES_NOTHING}."
    if verdict is False:
        return f"The {name} is likely to be infinite: {interval}, below {p:g}; {sums}. {_PROVES_NOTHING}."
    return f"Whether the {name} exists is open: {interval}, and {sums}{reason}. {_PROVES_NOTHING}."
