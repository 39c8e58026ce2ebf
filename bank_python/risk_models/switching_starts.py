"""Starting values of a search for the maximum of the likelihood of a Markov-switching model.

The likelihood has several maxima, so a search begins at several places. The first three are systematic: regimes of
low and high levels, of calm and moving times, and of all times alike but for a small difference in level. The others
are drawn: alternately the levels and variances of stretches of the series, and levels of single observations.
Autoregressive coefficients begin at 0 or at those of one regime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.risk_models.switching_model import SwitchingModel, SwitchingParameters

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["starting_values"]

_WINDOW = 10
_LEAST_VARIANCE = 0.01  # of the variance of the series; a start may not begin at a spike
_STAY = (0.7, 0.98)


def starting_values(
    values: FloatArray, model: SwitchingModel, count: int, rng: np.random.Generator
) -> SwitchingParameters:
    """Return starting values for `count` starts.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Standardised series, with mean 0 and variance 1.
    model : SwitchingModel
        Model to start.
    count : int
        Number of starts, at least 1.
    rng : numpy.random.Generator
        Generator of the drawn starts.
    """
    k = model.regimes
    systematic = [_by_level(values, k), _by_movement(values, k), _nearly_alike(values, k)]
    drawn = [(_of_stretches if i % 2 else _of_points)(values, k, rng) for i in range(count - len(systematic))]
    means, variances = (np.array(part) for part in zip(*[*systematic, *drawn][:count], strict=True))
    variances = np.maximum(variances, _LEAST_VARIANCE)
    if not model.switching_variance:
        variances = np.repeat(variances.mean(axis=1, keepdims=True), k, axis=1)
    stay = np.full((count, k), 0.9)
    stay[len(systematic) :] = rng.uniform(*_STAY, size=stay[len(systematic) :].shape)
    transition = np.repeat(((1.0 - stay) / (k - 1))[:, :, None], k, axis=2)
    transition[:, range(k), range(k)] = stay
    ar = np.zeros((count, model.order))
    if model.order:
        ar[1:3] = ar[4::2] = _least_squares(values, model.order)
    return SwitchingParameters(means, ar, variances, transition)


def _least_squares(values: FloatArray, order: int) -> FloatArray:
    """Return the coefficients of an autoregression with one regime."""
    lags = np.stack([values[order - i : len(values) - i] for i in range(order + 1)], axis=1)
    lags -= lags.mean(axis=0)
    return np.asarray(np.linalg.lstsq(lags[:, 1:], lags[:, 0], rcond=None)[0])


def _by_level(values: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    return _of_groups(np.array_split(np.sort(values), k))


def _by_movement(values: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    width = min(_WINDOW, len(values))
    moving = np.convolve((values - np.median(values)) ** 2, np.full(width, 1.0 / width), mode="same")
    return _of_groups(np.array_split(values[np.argsort(moving, kind="stable")], k))


def _nearly_alike(values: FloatArray, k: int) -> tuple[FloatArray, FloatArray]:
    spread = np.linspace(-1.0, 1.0, k)
    return values.mean() + 0.5 * spread, np.linspace(0.75, 1.25, k) * values.var()


def _of_stretches(values: FloatArray, k: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    length = max(len(values) // (5 * k), 5)
    begins = rng.integers(0, max(len(values) - length, 1), size=k)
    return _of_groups([values[begin : begin + length] for begin in begins.tolist()])


def _of_points(values: FloatArray, k: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    return values[rng.integers(0, len(values), size=k)], rng.uniform(0.2, 1.5, size=k) * values.var()


def _of_groups(groups: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    return np.array([group.mean() for group in groups]), np.array([group.var() for group in groups])
