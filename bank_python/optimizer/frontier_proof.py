"""Certificate of an efficient portfolio within bounds, computed from gradients without multipliers."""

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
    """Return the certificate that moving weight between any two assets within the bounds is no improvement.

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the assets.
    weights : ndarray, shape (n_assets,)
        Weights within the bounds and with the required sum.
    slopes : pair of ndarray, shape (n_assets,)
        Gradients of half the variance, and of the reward times its weight in the objective.
    bounds : pair of ndarray, shape (n_assets,)
        Lower and upper bounds of the weights.
    """
    (risk_slope, gain), (lower, upper) = slopes, bounds
    slope = risk_slope - gain
    near = LAST_DIGITS * max(1.0, float(np.abs(weights).max()))
    low, high = weights - lower <= near, upper - weights <= near
    most, least = float(slope[~low].max(initial=-np.inf)), float(slope[~high].min(initial=np.inf))
    finite = [side for side in (most, least) if math.isfinite(side)]
    multiplier = sum(finite) / len(finite) if finite else 0.0
    size = max(float(np.abs(risk_slope).max()), float(np.abs(gain).max())) or 1.0
    gap = _improvement(slope - multiplier, weights, lower, upper)
    variance = float(weights @ risk_slope)
    worth = max(abs(0.5 * variance - float(gain @ weights)), 0.5 * variance)
    return Certificate(
        kkt_residual=max(most - least, 0.0) / (2.0 * size),
        duality_gap=gap / worth if worth > 0.0 else 0.0,
        at_lower=tuple(name for name, is_at in zip(tickers, low.tolist(), strict=True) if is_at),
        at_upper=tuple(name for name, is_at in zip(tickers, high.tolist(), strict=True) if is_at),
    )


def _improvement(slopes: FloatArray, weights: FloatArray, lower: FloatArray, upper: FloatArray) -> float:
    """Return the largest linear decrease of the objective from the weights to any others within the bounds."""
    width = upper - lower
    if np.isfinite(width).all():
        order = np.argsort(slopes, kind="stable")
        room = float((weights - lower).sum()) - (np.cumsum(width[order]) - width[order])
        best = lower.copy()
        best[order] += np.clip(room, 0.0, width[order])  # the lowest slopes first
        return max(float(slopes @ (weights - best)), 0.0)
    room = np.where(slopes > 0.0, weights - lower, upper - weights)
    bounded = np.isfinite(room) & (slopes != 0.0)
    return float((np.abs(slopes[bounded]) * np.maximum(room[bounded], 0.0)).sum())
