r"""The tail index of a sample: Hill's estimate by a named rule, its interval, and what other estimators say.

The tail index α tells which moments exist: that of order p if and only if α > p. At α ≤ 4 there is no kurtosis, at
α ≤ 2 no variance, at α ≤ 1 no mean. :func:`tail_index` gives Hill's estimate (:mod:`bank_python.taleb.hill`) at the k
of a rule (:mod:`bank_python.taleb.tail_fraction`) with its 95 % interval, the same without its second-order bias
(:mod:`bank_python.taleb.second_order`), and from the same largest values two estimates of ξ = 1/α that do not take a
power law for granted,

.. math:: \hat\xi_P = \frac1{\ln 2} \ln\frac{X_{(k)} - X_{(2k)}}{X_{(2k)} - X_{(4k)}}, \qquad
          \hat\xi_M = M_1 + 1 - \frac12\Big(1 - \frac{M_1^2}{M_2}\Big)^{-1},

of Pickands and of Dekkers, Einmahl and de Haan, with the moments :math:`M_j` of the k logarithms over the threshold. Of
a tail that is lighter than any power law they are near 0, and below it if the tail is bounded. Hill's estimate is a
number even then, and means nothing.

Examples
--------
>>> losses = np.random.default_rng(7).standard_t(3, 5_000)
>>> found = tail_index(losses)
>>> found.k, round(found.alpha, 2), round(found.low, 2), round(found.high, 2), round(found.alpha_corrected, 2)
(120, 2.81, 2.33, 3.34, 3.0)

References
----------
J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3 (1975), 119-131.

A. L. M. Dekkers, J. H. J. Einmahl and L. de Haan, "A moment estimator for the index of an extreme-value distribution",
Annals of Statistics 17 (1989), 1833-1855: its variance (1 + ξ²)/k for ξ of at least 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.results import Figures
from bank_python.taleb.hill import hill, hill_interval
from bank_python.taleb.sample import largest_first, log_ratios, number_of_largest, read_sample
from bank_python.taleb.second_order import second_order
from bank_python.taleb.tail_fraction import TailRule, k_by_rule, tail_rule

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["TailIndex", "moment_estimator", "pickands", "tail_index"]

_FEW = 500  # positive values below which an interval at a usual k is wider than from 2 to 4
_FEWEST_OF_ANY_USE = 10  # largest values below which the error is a third of the index and the moments are noise
_BODY = 0.3  # share of the positive values above which the largest ones are no tail of usual distributions
_THIN = 1.96  # standard errors above 0 up to which a tail may be lighter than any power law
_FEWEST_FOR_BIAS = 100
_NO_SECOND_ORDER = "a second-order term is not distinguishable from a slowly varying factor, or values are tied"
_SHOWN_TIES = 0.1  # number of values that equal the threshold, as a share of k, above which it is said


@dataclass(frozen=True, slots=True, repr=False)
class TailIndex(Figures):
    """Tail index of a sample; returned by :func:`tail_index`.

    Parameters
    ----------
    alpha : float
        Hill's estimate of the tail index.
    alpha_se : float
        Standard error α/√k, for independent observations.
    low, high : float
        Ends of the 95 % interval of `alpha`, exact for an exact power law.
    alpha_corrected : float
        Hill's estimate less its second-order bias (Caeiro, Gomes and Pestana); NaN where it cannot be estimated, with
        the reason in `notes`.
    k : int
        Number of largest values used.
    rule : str
        Name of the rule that chose `k`, or ``"given"``.
    threshold : float
        Value after the k largest, in the unit of the sample.
    xi_moment : float
        Moment estimate of ξ = 1/α from the same values; NaN where all of them are tied.
    xi_pickands : float
        Pickands's estimate of ξ from the same values, with a quarter of `k`; NaN where it does not exist.
    n_observations : int
        Number of observations.
    n_tail : int
        Number of positive observations.
    notes : tuple of str
        Sentences on what limits the estimate: few values, ties, a tail that may be no power law.
    """

    alpha: float
    alpha_se: float
    low: float
    high: float
    alpha_corrected: float
    k: int
    rule: str
    threshold: float
    xi_moment: float
    xi_pickands: float
    n_observations: int
    n_tail: int
    notes: tuple[str, ...]

    def __rich__(self) -> object:
        from bank_python.render_tails import tail_index_view

        return tail_index_view(self)

    @property
    def xi(self) -> float:
        """Hill's estimate of the extreme value index ξ = 1/α."""
        return 1.0 / self.alpha

    @property
    def corrected_interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval of `alpha_corrected`, with the same relative width as that of `alpha`."""
        scale = self.alpha_corrected / self.alpha
        return self.low * scale, self.high * scale

    @property
    def may_be_thin(self) -> bool:
        """Whether the moment estimate of ξ is not 1.96 standard errors above 0: the tail may be no power law."""
        return not self.xi_moment > _THIN * math.sqrt((1.0 + self.xi_moment**2) / self.k)


@admits(ModelError)
def pickands(x: ArrayLike, k: int) -> float:
    """Return Pickands's estimate of the extreme value index ξ from the 4k largest values.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of any signs; finite. Shifting or scaling it changes nothing.
    k : int
        Quarter of the number of largest values, at least 1.

    Raises
    ------
    ModelError
        A value is not finite, or `k` is not a whole number from 1.
    CalibrationError
        There are fewer than 4k values, or ties leave no distance between the order statistics.
    """
    sample = np.sort(read_sample(x, name="x"))[::-1]
    count = number_of_largest(k, len(sample), needed=4 * k, kind="values")
    first, second, fourth = (float(sample[i * count - 1]) for i in (1, 2, 4))
    if not first > second > fourth:
        raise CalibrationError(
            f"x: the largest values number {count}, {2 * count} and {4 * count} are {first:g}, {second:g} and "
            f"{fourth:g}; ties leave nothing to compare: give another k",
            name="x",
            value=second,
        )
    return math.log((first - second) / (second - fourth)) / math.log(2.0)


@admits(ModelError)
def moment_estimator(x: ArrayLike, k: int) -> float:
    """Return the moment estimate of the extreme value index ξ of Dekkers, Einmahl and de Haan.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of which the positive values are the tail: for losses, give -returns.
    k : int
        Number of largest values, at least 2 and below the number of positive values.

    Raises
    ------
    ModelError
        A value is not finite, or `k` is not a whole number from 1.
    CalibrationError
        There are no k + 1 positive values, or the k largest are all equal.
    """
    tail = largest_first(x, fewest=1)
    count = number_of_largest(k, len(tail))
    if tail[0] == tail[count - 1]:
        raise CalibrationError(
            f"x: the {count:,} largest values all equal {float(tail[0]):g}; the moment estimate needs two different "
            "ones: give a larger k",
            name="x",
            value=float(tail[0]),
        )
    return _moment_estimate(tail, count)


@admits(ModelError)
def tail_index(
    x: ArrayLike, rule: TailRule | str = TailRule.DOUBLE_BOOTSTRAP, k: int | None = None, seed: int = 0
) -> TailIndex:
    """Estimate the tail index of a sample at the number of largest values that a rule chooses.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of which the positive values are the tail: for losses, give -returns; for both
        sides together, their absolute values.
    rule : TailRule or str, default "double_bootstrap"
        Name of the rule for k: ``"double_bootstrap"``, ``"ks"``, ``"power"``, ``"share"`` or ``"reiss_thomas"``.
    k : int, optional
        Number of largest values, in place of a rule.
    seed : int, default 0
        Seed of the bootstrap.

    Raises
    ------
    ModelError
        A value is not finite, or there is no such rule.
    CalibrationError
        There are too few positive values for the rule or for `k`, or the k largest all equal the next one.
    """
    sample = read_sample(x, name="x")
    tail = largest_first(sample, fewest=1)
    chosen = tail_rule(rule)
    count = k_by_rule(tail, chosen, seed) if k is None else number_of_largest(k, len(tail))
    alpha = hill(tail, count)
    low, high = hill_interval(np.asarray(alpha), np.asarray(float(count)))
    corrected = second_order(tail).corrected(alpha, count, len(tail)) if len(tail) >= _FEWEST_FOR_BIAS else math.nan
    xi_moment, xi_pickands = _moment_or_nan(tail, count), _pickands_or_nan(tail, count)
    found = TailIndex(
        alpha, alpha / math.sqrt(count), float(low), float(high), corrected, count,
        chosen.value if k is None else "given", float(tail[count]), xi_moment, xi_pickands, len(sample), len(tail), (),
    )  # fmt: skip
    return _with_notes(found, tail)


def _moment_estimate(tail: FloatArray, k: int) -> float:
    logs = log_ratios(tail[:k], float(tail[k]))
    first, second = float(logs.mean()), float((logs * logs).mean())
    return first + 1.0 - 0.5 / (1.0 - first * first / second)


def _moment_or_nan(tail: FloatArray, k: int) -> float:
    return _moment_estimate(tail, k) if tail[0] > tail[k - 1] else math.nan


def _pickands_or_nan(tail: FloatArray, k: int) -> float:
    quarter = k // 4
    if not quarter or not tail[quarter - 1] > tail[2 * quarter - 1] > tail[4 * quarter - 1]:
        return math.nan
    return pickands(tail[:k], quarter)


def _with_notes(found: TailIndex, tail: FloatArray) -> TailIndex:
    """Return the estimate with sentences on what limits it."""
    k, notes = found.k, []
    if found.n_tail < _FEW:
        notes.append(
            f"{found.n_tail:,} positive values, of which {k:,} are used, are few: "
            f"the index is between {found.low:.2g} and {found.high:.2g}."
        )
    if k < _FEWEST_OF_ANY_USE:
        notes.append(f"Only {k:,} values are used: neither α nor the moment estimate says much; give k=.")
    if k > _BODY * found.n_tail:
        notes.append(
            f"The {k:,} largest are {k / found.n_tail:.0%} of the positive values: unless the power law reaches that "
            "far, α is that of the middle of the distribution; give a smaller k=."
        )
    tied = int(np.count_nonzero(tail == tail[k]))
    if tied > max(1.0, _SHOWN_TIES * k):
        notes.append(f"{tied:,} values equal the threshold {found.threshold:g}: rounding of the data moves the index.")
    if found.may_be_thin:
        notes.append(
            f"The moment estimate of 1/α, {found.xi_moment:.2g}, is not 1.96 errors above 0: the tail may be "
            "lighter than any power law, and α without meaning."
        )
    if math.isnan(found.alpha_corrected):
        few = f"that takes {_FEWEST_FOR_BIAS} positive values"
        notes.append(f"The bias is not estimated: {few if found.n_tail < _FEWEST_FOR_BIAS else _NO_SECOND_ORDER}.")
    return replace(found, notes=tuple(notes))
