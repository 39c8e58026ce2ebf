"""Samples of returns or losses as the estimators of tails read them, and their two tails.

A sample is one series of finite numbers. An estimate of a tail needs more than a few of them, and they must not all be
equal: what is wrong is said with the row or with the numbers.

Examples
--------
>>> read_sample([0.01, -0.02, 0.0])
array([ 0.01, -0.02,  0.  ])
>>> tails = split_tails([0.01, -0.02, 0.0, 0.03, -0.05])
>>> tails.losses.tolist(), tails.gains.tolist(), tails.zeros
([0.02, 0.05], [0.01, 0.03], 1)
>>> read_sample([0.01, -0.02], fewest=10)
Traceback (most recent call last):
    ...
bank_python.errors.CalibrationError: returns: there are 2 values, fewer than 10; give a longer series
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.tolerances import NINE_DIGITS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "Tails",
    "is_constant",
    "largest_first",
    "log_ratios",
    "number_of_largest",
    "read_sample",
    "split_tails",
    "standard_deviation",
]

_REPRESENTABLE = 600.0  # logarithm of a ratio far from the largest and the smallest number


@dataclass(frozen=True, slots=True, eq=False)
class Tails(Record):
    """The two sides of a sample of returns as positive numbers; returned by :func:`split_tails`.

    Parameters
    ----------
    losses : ndarray, shape (n_losses,)
        Sizes of the negative returns, above 0, in the order of the sample.
    gains : ndarray, shape (n_gains,)
        Positive returns, in the order of the sample.
    zeros : int
        Number of returns that are exactly 0, which belong to neither side.
    """

    losses: FloatArray
    gains: FloatArray
    zeros: int

    @property
    def n_losses(self) -> int:
        """Number of negative returns."""
        return len(self.losses)

    @property
    def n_gains(self) -> int:
        """Number of positive returns."""
        return len(self.gains)


@admits(ModelError)
def read_sample(values: ArrayLike, *, name: str = "returns", fewest: int = 1, varying: bool = False) -> FloatArray:
    """Return a sample as an array after checking that it is one series of finite numbers.

    Parameters
    ----------
    values : array_like, shape (n,)
        Observations in any unit; finite.
    name : str, default "returns"
        Name of the series in messages.
    fewest : int, default 1
        Smallest number of observations.
    varying : bool, default False
        Whether a series whose values are all equal to rounding is refused.

    Returns
    -------
    ndarray, shape (n,)
        The observations as float64; the given array itself where it is one.

    Raises
    ------
    ModelError
        It is not one series, or a value is masked or not finite; the first such row is named.
    CalibrationError
        There are fewer than `fewest` values, or they are all equal and `varying` is set.
    """
    if np.ma.is_masked(values):
        row = int(np.flatnonzero(np.asarray(np.ma.getmask(values)))[0])
        raise ModelError(f"{name}: row {row} is masked; give values.compressed() to leave such rows out", name=name)
    known = np.asarray(values, dtype=np.float64)
    if known.ndim != 1:
        shape = known.shape
        raise ModelError(f"{name} of shape {shape}; give one series of numbers", name=name, value=shape)
    if len(known) < fewest:
        count = len(known)
        there = "is 1 value" if count == 1 else f"are {count:,} values"
        raise CalibrationError(
            f"{name}: there {there}, fewer than {fewest:,}; give a longer series", name=name, value=count
        )
    bad = ~np.isfinite(known)
    if bad.any():
        row = int(bad.argmax())
        value = float(known[row])
        raise ModelError(f"{name}: row {row} is {value!r}; leave that row out, or correct it", name=name, value=value)
    if varying and is_constant(known):
        raise CalibrationError(
            f"{name}: all {len(known):,} values are {float(known[0]):g} to rounding, so there is no tail; "
            "check the series",
            name=name,
            value=float(known[0]),
        )
    return known


def is_constant(sample: FloatArray) -> bool:
    """Whether the values of a sample differ by no more than 1e-9 of the largest: by what rounding of prices leaves."""
    if not sample.size:
        return True
    largest, smallest = float(sample.max()), float(sample.min())
    return largest - smallest <= NINE_DIGITS * max(abs(largest), abs(smallest))


@admits(ModelError)
def split_tails(returns: ArrayLike) -> Tails:
    """Return the losses and the gains of a sample as positive numbers.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns or profits in any unit; finite. A side may be empty.

    Raises
    ------
    ModelError
        It is not one series, or a value is not finite; the first such row is named.
    """
    sample = read_sample(returns)
    losses, gains = -sample[sample < 0.0], sample[sample > 0.0]
    return Tails(losses, gains, len(sample) - len(losses) - len(gains))


def largest_first(values: ArrayLike, *, name: str = "x", fewest: int = 2) -> FloatArray:
    """Return the positive values of a sample, the largest first.

    Parameters
    ----------
    values : array_like, shape (n,)
        Observations of which the positive ones are a tail; finite.
    name : str, default "x"
        Name of the series in messages.
    fewest : int, default 2
        Smallest number of positive values.

    Raises
    ------
    ModelError
        It is not one series, or a value is not finite; the first such row is named.
    CalibrationError
        Fewer than `fewest` values are positive.
    """
    sample = read_sample(values, name=name)
    positive = sample[sample > 0.0]
    if len(positive) < fewest:
        raise CalibrationError(
            f"{name}: {len(positive):,} of {len(sample):,} values are positive, fewer than {fewest:,}; give the tail "
            "as positive numbers (losses as -returns), or a longer series",
            name=name,
            value=len(positive),
        )
    return np.sort(positive)[::-1]


def log_ratios(values: FloatArray, base: float) -> FloatArray:
    """Return the logarithms of values over a number, also where the ratios are beyond the range of numbers.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Positive values.
    base : float
        Denominator of the ratios, above 0.
    """
    ends = np.log(np.array([values.min(), values.max()])) - np.log(base)
    if np.abs(ends).max() > _REPRESENTABLE:
        return np.asarray(np.log(values) - np.log(base))
    return np.asarray(np.log(values / base))


def standard_deviation(sample: FloatArray, *, ddof: int = 0) -> float:
    """Return the standard deviation of a sample of any scale, whose squares may be beyond the range of numbers.

    Parameters
    ----------
    sample : ndarray, shape (n,)
        Finite values.
    ddof : int, default 0
        Number of degrees of freedom taken from n.
    """
    scale = float(np.abs(sample).max())
    return scale * float(np.std(sample / scale, ddof=ddof)) if scale else 0.0


def number_of_largest(
    k: float, positives: int, *, name: str = "k", needed: int | None = None, kind: str = "positive values"
) -> int:
    """Return a number of order statistics, or raise an error if it does not fit the sample.

    Parameters
    ----------
    k : int
        Number of largest values, at least 1.
    positives : int
        Number of positive values in the sample.
    name : str, default "k"
        Name of the argument in messages.
    needed : int, optional
        Number of positive values that an estimator with `k` needs; by default k + 1.
    kind : str, default "positive values"
        Name of the counted values in messages.

    Raises
    ------
    ModelError
        `k` is not a whole number from 1.
    CalibrationError
        There are fewer positive values than needed.
    """
    if isinstance(k, bool) or not math.isfinite(k) or k != int(k) or k < 1:
        raise ModelError(f"{name}={k!r} is not a whole number from 1; give a number of largest values", value=k)
    least = int(k) + 1 if needed is None else needed
    if positives < least:
        raise CalibrationError(
            f"{name}={int(k):,} needs {least:,} {kind}, and there are {positives:,}; give a smaller {name}, "
            "or a longer series",
            name=name,
            value=int(k),
        )
    return int(k)
