"""The proof of an efficient portfolio within bounds, from its slopes alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.optimizer.certificate import Certificate

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["box_certificate"]


def box_certificate(
    tickers: tuple[str, ...],
    weights: FloatArray,
    slopes: tuple[FloatArray, FloatArray],
    bounds: tuple[FloatArray, FloatArray],
) -> Certificate:
    """Return the proof: no asset that can be raised has a lower slope than one that can be lowered.

    Parameters
    ----------
    tickers : tuple of str
        The assets.
    weights : ndarray, shape (n_assets,)
        Within the bounds, and adding up to what is invested.
    slopes : pair of ndarray, shape (n_assets,)
        Of half the variance, and of the reward as much as it counts.
    bounds : pair of ndarray, shape (n_assets,)
        The lower and the upper ones.
    """
    (pull, gain), (lower, upper) = slopes, bounds
    slope = pull - gain
    near = LAST_DIGITS * max(1.0, float(np.abs(weights).max()))
    low, high = weights - lower <= near, upper - weights <= near
    most, least = float(slope[~low].max(initial=-np.inf)), float(slope[~high].min(initial=np.inf))
    finite = [side for side in (most, least) if math.isfinite(side)]
    price = sum(finite) / len(finite) if finite else 0.0
    size = max(float(np.abs(pull).max()), float(np.abs(gain).max())) or 1.0
    lost = _lost(slope - price, weights, lower, upper)
    variance = float(weights @ pull)
    worth = max(abs(0.5 * variance - float(gain @ weights)), 0.5 * variance)
    return Certificate(
        kkt_residual=max(most - least, 0.0) / (2.0 * size),
        duality_gap=lost / worth if worth > 0.0 else 0.0,
        at_lower=tuple(name for name, held in zip(tickers, low.tolist(), strict=True) if held),
        at_upper=tuple(name for name, held in zip(tickers, high.tolist(), strict=True) if held),
    )


def _lost(left: FloatArray, weights: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return how much the slopes promise at most for going from weights to any others within the bounds."""
    width = upper - lower
    if np.isfinite(width).all():
        order = np.argsort(left, kind="stable")
        room = float((weights - lower).sum()) - (np.cumsum(width[order]) - width[order])
        there = lower.copy()
        there[order] += np.clip(room, 0.0, width[order])  # the lowest slopes are filled first
        return max(float(left @ (weights - there)), 0.0)
    way = np.where(left > 0.0, weights - lower, upper - weights)
    held = np.isfinite(way) & (left != 0.0)
    return float((np.abs(left[held]) * np.maximum(way[held], 0.0)).sum())
