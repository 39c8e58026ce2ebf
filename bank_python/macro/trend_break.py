r"""A change in the slope of a trend line at an unknown date.

A log price that moves with a constant drift has returns of one mean; a kink in its trend line is a change of that mean.
For each date within the middle part of the sample, the F statistic compares two means with one,

.. math:: F_k = \frac{\frac{k(n - k)}{n} (\bar r_{1:k} - \bar r_{k+1:n})^2}{\mathrm{SSR}_k / (n - 2)} ,

and the largest is the statistic (Quandt; Andrews). Its p-value comes from random permutations of the returns, which are
equally likely in any order if nothing changed. Clustered volatility makes them unequal, so p-values near the
significance level say little.

References
----------
R. E. Quandt, "Tests of the hypothesis that a linear regression system obeys two separate regimes", Journal of the
American Statistical Association 55 (1960), 324-330.

D. W. K. Andrews, "Tests for parameter instability and structural change with unknown change point", Econometrica 61
(1993), 821-856.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits, as_numbers
from bank_python.errors import MacroError
from bank_python.numerics.tolerances import EPSILON
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["DriftBreak", "drift_break_test"]

_FEWEST = 20
_MOST_AT_ONCE = 2_000_000
_MOST_TRIM = 0.5
_ROUNDED = 16.0 * EPSILON


@dataclass(frozen=True, slots=True)
class DriftBreak(Figures):
    """A test of whether the mean of returns changed at an unknown time.

    Parameters
    ----------
    statistic : float
        Largest F statistic of two means against one.
    p_value : float
        Share of permutations with a statistic at least as large, the sample itself included.
    last_before : int
        Row of the last return before the most likely change, from 0.
    before, after : float
        Mean return per observation up to that row, and after it.
    permutations : int
        Number of permutations.
    seed : int
        Seed of the permutations.
    """

    statistic: float
    p_value: float
    last_before: int
    before: float
    after: float
    permutations: int
    seed: int


@admits(MacroError)
def drift_break_test(returns: ArrayLike, *, trim: float = 0.15, permutations: int = 499, seed: int = 0) -> DriftBreak:
    """Test whether the mean of returns changed at an unknown time.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns, oldest first, finite; at least twenty.
    trim : float, default 0.15
        Share of the sample at each end in which no change is looked for, in (0, 0.5).
    permutations : int, default 499
        Number of random permutations, at least 1.
    seed : int, default 0
        Seed of the permutations, at least 0.

    Raises
    ------
    MacroError
        There are too few returns, they do not vary, one is not finite, or a parameter is out of range.
    """
    values = as_numbers(returns)
    if values is None or values.ndim != 1 or len(values) < _FEWEST or not np.isfinite(values).all():
        raise MacroError(f"returns are no series of at least {_FEWEST} finite numbers; give one", name="returns")
    if not 0.0 < trim < _MOST_TRIM or permutations < 1 or seed < 0:
        raise MacroError(
            f"trim={trim!r}, permutations={permutations!r}, seed={seed!r}; give a trim in (0, 0.5), at least one "
            "permutation and a seed of 0 or more"
        )
    centred = values - values.mean()
    if float(np.abs(centred).max()) <= _ROUNDED * float(np.abs(values).max()):
        raise MacroError(
            f"every return is {values[0]:g}, so no change can be seen; give returns that vary", name="returns"
        )
    scaled = centred / np.abs(centred).max()
    first = max(int(trim * len(values)), 1)
    found = _f_statistics(scaled[None, :], first)[0]
    best = int(found.argmax())
    rng = np.random.default_rng(seed)
    batch = max(_MOST_AT_ONCE // len(values), 1)
    beyond = 0
    for start in range(0, permutations, batch):
        count = min(batch, permutations - start)
        shuffled = rng.permuted(np.broadcast_to(scaled, (count, len(values))), axis=1)
        beyond += int((_f_statistics(shuffled, first).max(axis=1) >= found[best]).sum())
    at = first + best
    p_value = (1.0 + beyond) / (1.0 + permutations)
    means = float(values[:at].mean()), float(values[at:].mean())
    return DriftBreak(float(found[best]), p_value, at - 1, *means, permutations, seed)


def _f_statistics(centred: FloatArray, first: int) -> FloatArray:
    """Return F for each number of returns before the change, from `first` to n - `first`; shape (samples, splits)."""
    n = centred.shape[1]
    count = np.arange(first, n - first + 1)
    sums = np.cumsum(centred, axis=1)[:, count - 1]
    explained = sums**2 * n / (count * (n - count))
    left = np.maximum((centred**2).sum(axis=1, keepdims=True) - explained, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(explained * (n - 2) / left)
