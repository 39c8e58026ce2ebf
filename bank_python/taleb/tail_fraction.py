r"""Rules for the number of largest values that an estimate of the tail index uses.

No k is right: the variance of Hill's estimate falls with it, as 1/k, and its bias rises. A rule is therefore chosen by
its name, and the name is given with the estimate. All rules count the n positive values of the sample; for returns
these are about half of the observations.

``double_bootstrap`` (Danielsson, de Haan, Peng and de Vries 2001)
    Minimises the mean squared error. Its bootstrap estimate is that of :math:`(M_2 - 2 M_1^2)^2`, with the moments
    :math:`M_j` of the logarithms over the threshold, which tends to 0 at the same rate without the index being known.
    Resamples of n1 and n2 = n1²/n values give k1 and k2, and from these

    .. math:: \hat k = \frac{k_1^2}{k_2} \Big(\frac{\ln^2 k_1}{(2\ln n_1 - \ln k_1)^2}\Big)^{1 - \ln k_1/\ln n_1} .

    The median over five n1 from n^0.8 to n^0.975 is taken, since single ones sometimes give a handful of values.
``ks`` (Danielsson, Ergun, de Haan and de Vries 2016)
    Minimises the largest distance between the quantiles of the sample and of the fitted power law, over the largest
    15 %.
``power``
    :math:`\lfloor n^{0.6} \rfloor`, below the rate :math:`n^{2/3}` at which the error is least for second-order
    parameters of −1.
``share``
    The largest 10 %.
``reiss_thomas`` (Reiss and Thomas 2007)
    Minimises the weighted mean square of the differences between the estimates of 1/α at 1, …, k and that at k, with
    the weights i^0.3: k is where the estimates have become stable.

The three that search begin at √n (of a resample for the bootstrap): below that, the criteria are small by chance.

In 200 samples of 5,000, the mean of Hill's α, its root mean square error and how often the 95 % interval holds 3, and
the same for the corrected index (:mod:`bank_python.taleb.second_order`); for Student's t one side, about 2,500 values:

=================  ==================  ==================  ========================
Rule               Student 3           corrected           Pareto 3, not corrected
=================  ==================  ==================  ========================
double_bootstrap   2.83  0.57   69 %   2.99  0.51   86 %   2.99  0.06   92 %
ks                 2.70  0.52   56 %   2.93  0.39   75 %   2.91  0.32   86 %
power              2.73  0.39   80 %   2.90  0.31   92 %   2.99  0.24   94 %
share              2.45  0.57    6 %   2.75  0.30   68 %   2.99  0.14   96 %
reiss_thomas       2.82  0.46   58 %   3.08  0.37   86 %   3.00  0.10   86 %
=================  ==================  ==================  ========================

The interval is that of a power law at a k given beforehand: it knows neither the bias nor that k was searched for.

Examples
--------
>>> losses = np.abs(np.random.default_rng(7).standard_t(3, 2_500))
>>> {rule.value: choose_k(losses, rule) for rule in TailRule}
{'double_bootstrap': 62, 'ks': 149, 'power': 109, 'share': 250, 'reiss_thomas': 145}

References
----------
J. Danielsson, L. de Haan, L. Peng and C. G. de Vries, "Using a bootstrap method to choose the sample fraction in tail
index estimation", Journal of Multivariate Analysis 76 (2001), 226-248.

J. Danielsson, L. M. Ergun, L. de Haan and C. G. de Vries, "Tail index estimation: quantile driven threshold selection"
(2016).

R.-D. Reiss and M. Thomas, *Statistical Analysis of Extreme Values* (3rd edition, 2007).
"""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.hill import inverse_hill
from bank_python.taleb.sample import largest_first, log_ratios

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["TailRule", "choose_k", "k_by_rule", "tail_rule"]

_FEWEST = 20  # positive values from which on a rule has anything to choose from
_SIZES = (0.8, 0.85, 0.9, 0.95, 0.975)  # exponents of the number of values in a resample
_RESAMPLES = 200
_CELLS = 100_000  # numbers in a block of resamples, so that it stays in the processor's cache
_KS_SHARE = 0.15  # as Danielsson et al. (2016) and the R package tea
_EXPONENT = 0.6
_SHARE = 0.1
_REISS_THOMAS_WEIGHT = 0.3  # in [0, 1/2)


class TailRule(Enum):
    """Named rule for the number of largest values; see the module."""

    DOUBLE_BOOTSTRAP = "double_bootstrap"
    KS = "ks"
    POWER = "power"
    SHARE = "share"
    REISS_THOMAS = "reiss_thomas"


def tail_rule(rule: TailRule | str) -> TailRule:
    """Return a rule by its name, or raise a ModelError that lists the names."""
    if isinstance(rule, TailRule):
        return rule
    known = {member.value: member for member in TailRule}
    if rule not in known:
        raise ModelError(f"no rule {rule!r}; give one of {', '.join(known)}", name="rule", value=rule)
    return known[rule]


@admits(ModelError)
def choose_k(x: ArrayLike, rule: TailRule | str = TailRule.DOUBLE_BOOTSTRAP, seed: int = 0) -> int:
    """Return the number of largest values that a rule chooses for an estimate of the tail index.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any order and unit, of which the positive values are the tail: for losses, give -returns. At least 20
        of them.
    rule : TailRule or str, default "double_bootstrap"
        Name of the rule: ``"double_bootstrap"``, ``"ks"``, ``"power"``, ``"share"`` or ``"reiss_thomas"``.
    seed : int, default 0
        Seed of the resamples of the bootstrap; the other rules draw nothing.

    Raises
    ------
    ModelError
        A value is not finite, or there is no such rule.
    CalibrationError
        Fewer than 20 values are positive, or too many of them are equal.
    """
    return k_by_rule(largest_first(x, fewest=_FEWEST), tail_rule(rule), seed)


def k_by_rule(tail: FloatArray, rule: TailRule, seed: int) -> int:
    """Return the choice of a rule for positive values that are sorted, the largest first; as :func:`choose_k`."""
    if len(tail) < _FEWEST:
        raise CalibrationError(
            f"x: {len(tail)} values are positive, and a rule for k needs {_FEWEST}; give k, or a longer series",
            name="x",
            value=len(tail),
        )
    if tail[0] == tail[math.isqrt(len(tail))]:
        raise CalibrationError(
            f"x: the {math.isqrt(len(tail)) + 1} largest values all equal {float(tail[0]):g}, so that no rule can tell "
            "where the tail begins; give data that are rounded less",
            name="x",
            value=float(tail[0]),
        )
    if rule is TailRule.DOUBLE_BOOTSTRAP:
        return _double_bootstrap(log_ratios(tail, float(tail[0])), np.random.default_rng(seed))
    return _RULES[rule](tail)


def _double_bootstrap(logs: FloatArray, rng: np.random.Generator) -> int:
    """Return the median choice over several sizes of resamples."""
    n, chosen = len(logs), []
    for exponent in _SIZES:
        n1 = max(int(n**exponent), math.isqrt(n) + 2)
        n2 = max(n1 * n1 // n, 4)
        k1, k2 = _best_of_resamples(logs, n1, rng), _best_of_resamples(logs, n2, rng)
        log_n1, log_k1 = math.log(n1), math.log(k1)
        factor = (log_k1 / (2.0 * log_n1 - log_k1)) ** (2.0 - 2.0 * log_k1 / log_n1)
        chosen.append(min(max(round(k1 * k1 / k2 * factor), 2), n - 1))
    return int(np.median(chosen))


def _best_of_resamples(logs: FloatArray, size: int, rng: np.random.Generator) -> int:
    """Return the k that minimises the mean of (M2 − 2 M1²)² over resamples of `size` logarithms."""
    k = np.arange(1.0, size)
    total = np.zeros(size - 1)
    kind = np.uint16 if len(logs) <= 2**16 else np.uint32  # short integers are sorted by radix
    block = max(1, _CELLS // size)
    for start in range(0, _RESAMPLES, block):
        rows = rng.integers(0, len(logs), (min(block, _RESAMPLES - start), size), dtype=kind)
        rows.sort(axis=1, kind="stable")
        drawn = logs[rows]
        larger, threshold = drawn[:, :-1], drawn[:, 1:]
        first, second = np.cumsum(larger, axis=1) / k, np.cumsum(larger * larger, axis=1) / k
        # M1 = first − threshold, M2 = second − 2 threshold first + threshold²
        difference = second - 2.0 * first * first + threshold * (2.0 * first - threshold)
        total += np.einsum("ij,ij->j", difference, difference)
    least = math.isqrt(size)
    return least + int(np.argmin(total[least - 1 :]))


def _by_distance(tail: FloatArray) -> int:
    """Return the k at which the fitted power law is nearest to the largest quantiles."""
    n = len(tail)
    least, most = math.isqrt(n), max(int(_KS_SHARE * n), math.isqrt(n) + 1)
    k, j = np.arange(least, most + 1), np.arange(1.0, most + 1)
    inverse = inverse_hill(tail)[k - 1, None]
    relative = tail / tail[0]
    with np.errstate(over="ignore"):  # a fit that is out of range is not the nearest
        fitted = relative[k, None] * (k[:, None] / j) ** inverse
    return least + int(np.argmin(np.abs(relative[:most] - fitted).max(axis=1)))


def _by_power(tail: FloatArray) -> int:
    return int(len(tail) ** _EXPONENT)


def _by_share(tail: FloatArray) -> int:
    return int(_SHARE * len(tail))


def _by_stability(tail: FloatArray) -> int:
    """Return the k whose estimate differs least from those at fewer values."""
    inverse = inverse_hill(tail)
    k = np.arange(1.0, len(tail))
    weights = k**_REISS_THOMAS_WEIGHT
    sums = [np.cumsum(weights * inverse**power) for power in (0, 1, 2)]
    least = math.isqrt(len(tail))
    criterion = (sums[2] - 2.0 * inverse * sums[1] + inverse * inverse * sums[0]) / k
    return least + int(np.argmin(criterion[least - 1 :]))


_RULES: dict[TailRule, Callable[[FloatArray], int]] = {
    TailRule.KS: _by_distance,
    TailRule.POWER: _by_power,
    TailRule.SHARE: _by_share,
    TailRule.REISS_THOMAS: _by_stability,
}
