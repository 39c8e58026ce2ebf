"""Lower and upper bounds of the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from bank_python.display import Record
from bank_python.errors import InfeasibleError, ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.constraint import Constraint, Limit, Rows
from bank_python.optimizer.named import check_tickers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["LONG_ONLY", "Bounds", "WeightBounds", "bounds_of", "check_bounds"]

Bounds: TypeAlias = tuple[float, float] | Mapping[str, tuple[float, float]] | Sequence[tuple[float, float]]
"""One pair for all assets, a pair for each asset in order, or pairs by ticker; assets not listed have (0, 1)."""

LONG_ONLY = (0.0, 1.0)
"""Default bounds: no short positions and no borrowing."""

_PAIR = 2


@guessable
@dataclass(frozen=True, slots=True)
class WeightBounds(Constraint, Record):
    """Constraint of lower and upper bounds on the weights.

    Parameters
    ----------
    bounds : pair, sequence of pairs or mapping of str to pair
        Lower and upper bound of each weight; infinite where a weight is unbounded.
    """

    bounds: Bounds

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the bounds for the given assets."""
        lower, upper = bounds_of(tickers, self.bounds)

        def violation(weights: FloatArray) -> float:
            return float(np.maximum(lower - weights, weights - upper).max())

        return Limit("bounds", Rows.box(lower, upper), violation)


def bounds_of(tickers: Sequence[str], bounds: Bounds) -> tuple[FloatArray, FloatArray]:
    """Return the lower and the upper bounds, shape (n_assets,) each.

    Raises
    ------
    ModelError
        If the number of pairs differs from the number of assets, a ticker is unknown, or a bound is not a number.
    InfeasibleError
        If a lower bound is above the upper bound of the same asset.
    """
    if isinstance(bounds, Mapping):
        check_tickers(tickers, bounds, "bounds")
    try:
        pairs = np.array(_pairs(tickers, bounds), dtype=np.float64)
    except (TypeError, ValueError):  # not a sequence, not numeric, or not pairs
        pairs = np.full((1, 1), np.nan)
    if pairs.shape != (len(tickers), _PAIR) or np.isnan(pairs).any():
        raise ModelError(f"bounds={bounds!r}; give (lower, upper), one pair for each asset, or pairs by ticker")
    lower, upper = pairs[:, 0].copy(), pairs[:, 1].copy()
    check_bounds(tickers, lower, upper)
    return lower, upper


def check_bounds(tickers: Sequence[str], lower: FloatArray, upper: FloatArray) -> None:
    """Check that no lower bound is above the upper bound of the same asset.

    Raises
    ------
    InfeasibleError
        If one is; the message names the asset and the difference.
    """
    crossed = np.flatnonzero(lower > upper)
    if len(crossed):
        i = int(crossed[0])
        low, high = float(lower[i]), float(upper[i])
        raise InfeasibleError(
            f"{tickers[i]} has its lower bound {low:g} above its upper bound {high:g}, by {low - high:g}; change one",
            name=tickers[i],
            value=low - high,
        )


def _pairs(tickers: Sequence[str], bounds: Bounds) -> ArrayLike:
    if isinstance(bounds, Mapping):
        return [bounds.get(name, LONG_ONLY) for name in tickers]
    given = list(bounds)
    if len(given) == _PAIR and all(isinstance(side, int | float | np.number) for side in given):
        return np.tile(np.array(given, dtype=np.float64), (len(tickers), 1))
    return cast("ArrayLike", given)
