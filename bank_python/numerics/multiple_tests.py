"""P-values of several tests made at once.

Of a hundred tests of true hypotheses, five are below 5 % by chance. Holm's method raises the p-values so that the
probability of any false alarm among all tests is kept, whatever the dependence between the tests.

Examples
--------
>>> [round(p, 9) for p in holm_p_values([0.01, 0.04, 0.03, 0.005])]
[0.03, 0.06, 0.06, 0.02]

References
----------
S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979), 65-70.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["holm_p_values"]


@admits(ModelError)
def holm_p_values(p_values: ArrayLike) -> list[float]:
    """Return p-values of several tests, adjusted so that the probability of any false alarm is kept (Holm).

    Parameters
    ----------
    p_values : array_like, shape (n,)
        Unadjusted p-values of the tests, in [0, 1].

    Raises
    ------
    ModelError
        They are not one list of numbers in [0, 1].
    """
    given = np.asarray(p_values, dtype=np.float64)
    bad = ~((given >= 0.0) & (given <= 1.0))
    if given.ndim != 1 or bad.any():
        value = float(given[bad][0]) if bad.any() else given.shape
        raise ModelError(f"p-values: {value!r} is not in [0, 1]; give one list of probabilities", value=value)
    order = np.argsort(given, kind="stable")
    factors = np.arange(len(order), 0, -1)
    raised = np.minimum(np.maximum.accumulate(factors * given[order]), 1.0)
    adjusted = np.empty(len(order))
    adjusted[order] = raised
    return [float(p) for p in adjusted]
