r"""The figures of a series' tails that are cheap enough for a node of a graph: both tail indices, MAD/SD, max-to-sum.

Each tail index is Hill's estimate from the k largest losses, or gains, with the standard error α/√k. The rule for k is
``power``: of n losses the n^0.6 largest. It needs no search and no random numbers, and moves little from one evaluation
to the next; :mod:`bank_python.taleb.tail_fraction` has the others. A tail of too few values has no index: it is NaN,
and :attr:`TailSide.reason` has the number.

Examples
--------
>>> import numpy as np
>>> reading = tail_reading(np.random.default_rng(0).standard_t(3, 5_000))
>>> round(reading.left.alpha, 1), round(reading.left.error, 1), reading.left.k, round(reading.mad_sd, 2)
(2.7, 0.3, 110, 0.65)
>>> tail_reading([0.5, -0.2, 0.1] * 20).left.reason
'20 losses, fewer than 50'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.taleb.kappa import mad_over_sd
from bank_python.taleb.max_to_sum import max_to_sum
from bank_python.taleb.sample import read_sample, split_tails, standard_deviation
from bank_python.taleb.tail_fraction import TailRule
from bank_python.taleb.tail_index import tail_index

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["FEWEST_OF_A_TAIL", "TailReading", "TailSide", "tail_reading"]

FEWEST_OF_A_TAIL = 50
"""Smallest number of losses, or gains, from which an index is estimated. Ten of them are then in the tail, and the
standard error is a third of the index."""


@dataclass(frozen=True, slots=True)
class TailSide(Record):
    """One tail of a series.

    Parameters
    ----------
    alpha, error : float
        Hill's estimate of the tail index with its standard error; NaN with a reason.
    k : int
        Number of largest values that it is estimated from; 0 with a reason.
    n_values : int
        Number of losses, or of gains.
    may_be_thin : bool
        Whether the moment estimate of 1/α does not differ from 0: the tail may be lighter than any power law, and the
        index without meaning.
    reason : str
        Reason why there is no estimate; empty if there is one.
    """

    alpha: float
    error: float
    k: int
    n_values: int
    may_be_thin: bool
    reason: str


@dataclass(frozen=True, slots=True)
class TailReading(Record):
    """Tails of a series of returns or of P&L; returned by :func:`tail_reading`.

    Parameters
    ----------
    left, right : TailSide
        Tail of the losses and of the gains.
    mad_sd : float
        Mean absolute deviation over standard deviation, in (0, 1]; √(2/π) ≈ 0.798 for a normal distribution.
    max_to_sum : float
        Share of the largest square in the sum of the squares, in (0, 1]: it tends to 0 if there is a variance.
    deviation : float
        Standard deviation in the unit of the series, above 0.
    n_observations : int
        Number of observations.
    """

    left: TailSide
    right: TailSide
    mad_sd: float
    max_to_sum: float
    deviation: float
    n_observations: int


@admits(ModelError)
def tail_reading(series: ArrayLike) -> TailReading:
    """Return tail indices, MAD/SD and max-to-sum of a series.

    Parameters
    ----------
    series : array_like, shape (n,)
        Returns or P&L in any unit, in any order; finite.

    Raises
    ------
    ModelError
        It is not one series, or a value is not finite; the first such row is named.
    CalibrationError
        There are fewer than two values, or they are all equal.
    """
    sample = read_sample(series, name="series", fewest=2, varying=True)
    tails = split_tails(sample)
    return TailReading(
        left=_side(tails.losses, "losses"),
        right=_side(tails.gains, "gains"),
        mad_sd=mad_over_sd(sample),
        max_to_sum=max_to_sum(sample),
        deviation=standard_deviation(sample),
        n_observations=len(sample),
    )


def _side(values: FloatArray, name: str) -> TailSide:
    count = len(values)
    if count < FEWEST_OF_A_TAIL:
        return _unknown(count, f"{count} {name}, fewer than {FEWEST_OF_A_TAIL}")
    try:
        found = tail_index(values, TailRule.POWER)
    except CalibrationError as error:  # the largest are tied
        return _unknown(count, f"{name}: {error.message}")
    return TailSide(found.alpha, found.alpha_se, found.k, count, found.may_be_thin, "")


def _unknown(count: int, reason: str) -> TailSide:
    return TailSide(math.nan, math.nan, 0, count, may_be_thin=False, reason=reason)
