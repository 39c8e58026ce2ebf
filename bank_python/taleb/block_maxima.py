"""The largest value of each block of a series: of so many observations each, or of each label, such as the year.

Examples
--------
>>> block_maxima([0.1, 0.4, 0.2, 0.9, 0.3, 0.7, 0.5], length=3)  # the last, incomplete block is left out
array([0.4, 0.9])
>>> block_maxima([0.1, 0.4, 0.2, 0.9], labels=[2023, 2023, 2024, 2024])
array([0.4, 0.9])

References
----------
S. Coles, *An Introduction to Statistical Modeling of Extreme Values* (2001), section 3.3.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["block_maxima"]


@admits(ModelError)
def block_maxima(values: ArrayLike, *, length: int | None = None, labels: Sequence[object] | None = None) -> FloatArray:
    """Return the largest value of each block.

    Parameters
    ----------
    values : array_like, shape (n,)
        Observations in the order of time, for example daily losses as positive numbers; finite.
    length : int, optional
        Number of observations in a block, from 1; observations after the last complete block are left out.
    labels : sequence, length n, optional
        Block of each observation, such as its year; equal labels form a block wherever they are. Give this or `length`.

    Returns
    -------
    ndarray, shape (n_blocks,)
        Maxima in the order in which the blocks first appear.

    Raises
    ------
    ModelError
        A value is not finite, not exactly one of `length` and `labels` is given, or it does not fit the series.
    """
    series = read_sample(values, name="values")
    if (length is None) is (labels is None):
        raise ModelError("give length= or labels=, and not both: what is a block?", name="length", value=length)
    if length is not None:
        blocks = len(series) // length if length > 0 else 0
        if not blocks:
            raise ModelError(
                f"length={length!r} does not fit {len(series)} values; give a number from 1 to theirs",
                name="length",
                value=length,
            )
        return np.asarray(series[: blocks * length].reshape(blocks, length).max(axis=1))
    known = list(labels or ())
    if len(known) != len(series):
        raise ModelError(
            f"there are {len(known)} labels for {len(series)} values; give one for each",
            name="labels",
            value=len(known),
        )
    places = {label: i for i, label in enumerate(dict.fromkeys(known))}
    maxima = np.full(len(places), -np.inf)
    np.maximum.at(maxima, [places[label] for label in known], series)
    return maxima
