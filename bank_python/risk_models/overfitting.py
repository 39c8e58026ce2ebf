r"""The probability that a back-test is overfitted, by combinatorially symmetric cross-validation (CSCV).

The returns of N trials are cut into S blocks of time. For each choice of half of the blocks, the trial that is best in
them is looked up in the others; with its relative rank :math:`\omega` there, in (0, 1), the logit is
:math:`\lambda = \ln \omega/(1 - \omega)`. The probability of overfitting is the share of the choices with
:math:`\lambda \le 0`: how often the best trial in sample is no better than the median out of sample.

Examples
--------
>>> import numpy as np
>>> noise = np.random.default_rng(0).standard_normal((1_000, 20))
>>> found = overfitting_probability(noise, blocks=8)
>>> found.choices, 0.2 < found.probability < 0.8
(70, True)
>>> noise[:, 3] += 0.3  # a trial with skill
>>> overfitting_probability(noise, blocks=8).probability
0.0

References
----------
D. H. Bailey, J. Borwein, M. López de Prado and Q. J. Zhu, "The probability of backtest overfitting", Journal of
Computational Finance 20(4) (2017), 39-69.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["Overfitting", "overfitting_probability"]

_FEWEST_IN_BLOCK = 2
_MOST_BLOCKS = 20
_AT_ONCE = 1 << 20  # ratios that are held in memory together: choices times trials


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting(Figures):
    """How often the best trial in sample disappoints out of sample; returned by :func:`overfitting_probability`.

    Parameters
    ----------
    probability : float
        Share of the choices in which the best trial in sample is not above the median out of sample, in [0, 1].
    choices : int
        Number of choices of half of the blocks.
    trials : int
        Number of trials.
    loss_probability : float
        Share of the choices in which the best trial in sample has a Sharpe ratio of at most 0 out of sample.
    slope : float
        Slope of the best ratio out of sample on the one in sample; negative where search makes things worse, NaN where
        the best trial is constant.
    """

    probability: float
    choices: int
    trials: int
    loss_probability: float
    slope: float


@admits(ModelError)
def overfitting_probability(returns: ArrayLike, *, blocks: int = 16) -> Overfitting:
    """Return the probability of overfitting of the best of several trials by its Sharpe ratio.

    Parameters
    ----------
    returns : array_like, shape (n, n_trials)
        Returns of each trial at the same times, at least two trials; finite.
    blocks : int, default 16
        Number of blocks of time, even, from 2 to 20, of at least two times each; what is left over at the end is not
        used.

    Raises
    ------
    ModelError
        The returns are no such matrix, or the number of blocks does not fit.
    """
    table = figures_in_range("returns", returns, ModelError)
    if table.ndim != 2 or table.shape[1] < 2:  # noqa: PLR2004 - a matrix, of two trials
        raise ModelError(f"returns has the shape {table.shape}; give a column for each of at least two trials")
    if not 2 <= blocks <= _MOST_BLOCKS or blocks % 2:  # noqa: PLR2004 - two halves
        raise ModelError(f"blocks={blocks!r} is not an even number from 2 to {_MOST_BLOCKS}", name="blocks")
    length = len(table) // blocks
    if length < _FEWEST_IN_BLOCK:
        raise ModelError(f"{len(table)} times are too few for {blocks} blocks; give fewer blocks", name="blocks")
    parts = table[: length * blocks].reshape(blocks, length, -1)
    ranks, best_in, best_out = _searched(parts.sum(axis=1), (parts**2).sum(axis=1), blocks, length)
    return Overfitting(
        probability=float(np.mean(ranks <= 0.5)),  # noqa: PLR2004 - the median
        choices=len(ranks),
        trials=table.shape[1],
        loss_probability=float(np.mean(best_out <= 0.0)),
        slope=_slope(best_in, best_out),
    )


def _searched(
    sums: FloatArray, squares: FloatArray, blocks: int, length: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return, for each choice, what :func:`_ranked` says of the best trial."""
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    picks = np.zeros((len(chosen), blocks))
    np.put_along_axis(picks, chosen, 1.0, axis=1)
    count = length * blocks / 2.0
    found = []
    at_once = max(1, _AT_ONCE // sums.shape[1])
    for start in range(0, len(picks), at_once):
        rows = picks[start : start + at_once]
        found.append(_ranked(*(_sharpe(side @ sums, side @ squares, count) for side in (rows, 1.0 - rows))))
    ranks, best_in, best_out = (np.concatenate(part) for part in zip(*found, strict=True))
    return ranks, best_in, best_out


def _sharpe(sums: FloatArray, squares: FloatArray, count: float) -> FloatArray:
    mean = sums / count
    variance = np.maximum(squares / count - mean**2, 0.0)
    flat = variance <= 1e-12 * squares / count  # constant to rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(flat, np.sign(mean) * np.where(mean == 0.0, 0.0, np.inf), mean / np.sqrt(variance))


def _ranked(inside: FloatArray, outside: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the relative rank out of sample of the best trial in sample, and its two ratios."""
    rows = np.arange(len(inside))
    best = inside.argmax(axis=1)
    found = outside[rows, best]
    below = (outside < found[:, None]).sum(axis=1)
    equal = (outside == found[:, None]).sum(axis=1)
    ranks = (below + 0.5 * (equal + 1.0)) / (outside.shape[1] + 1.0)
    return ranks, inside[rows, best], found


def _slope(x: FloatArray, y: FloatArray) -> float:
    """Return the slope of a regression of y on x, NaN if x does not vary or is not finite."""
    if not np.isfinite(x).all() or not np.isfinite(y).all():
        return math.nan
    centred = x - x.mean()
    spread = float(centred @ centred)
    return float(centred @ y) / spread if spread > 0.0 else math.nan
