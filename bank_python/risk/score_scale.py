"""Scales that translate a figure, such as a volatility, into a risk score from 0 (safe) to 10.

A scale is given by anchor points and is linear between them. Below the first and above the last figure the score stays
that of the end, so that a scale is continuous and monotone for all figures, infinite ones included.

Examples
--------
>>> scale = ScoreScale(((0.05, 0.0), (0.15, 4.0), (0.40, 10.0)))
>>> scale(0.10), scale(0.40), scale(3.0)
(2.0, 10.0, 10.0)
>>> round(scale.value_at(7.0), 3)
0.275
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import RiskError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import Numbers

__all__ = ["HIGHEST_SCORE", "ScoreScale"]

HIGHEST_SCORE = 10.0
"""Score of the largest risk; 0 is that of the smallest."""

_FEWEST = 2


@admits(RiskError)
@dataclass(frozen=True, slots=True)
class ScoreScale(Record):
    """A monotone, continuous, piecewise linear function from a figure to a score in [0, 10].

    Parameters
    ----------
    points : sequence of (float, float)
        Anchor points, at least two: a figure and its score each, in ascending order of the figures. The scores never
        fall (more of the figure is riskier), or never rise (more of it is safer).

    Raises
    ------
    RiskError
        There are fewer than two points, one is not finite, the figures do not ascend, a score is outside [0, 10], or
        the scores both rise and fall, or are all equal.
    """

    points: Sequence[tuple[float, float]]

    def __post_init__(self) -> None:
        for point in self.points:
            if not _is_anchor(point):
                raise RiskError(f"anchor {point!r} is not a pair of finite numbers; give (figure, score)", value=point)
        if len(self.points) < _FEWEST:
            raise RiskError(f"{len(self.points)} anchor points; a scale needs at least two", value=len(self.points))
        for (before, _), (after, _) in pairwise(self.points):
            if not before < after:
                raise RiskError(f"the anchor at {after!r} follows {before!r}; give ascending figures", value=after)
        scores = [score for _, score in self.points]
        outside = [score for score in scores if not 0.0 <= score <= HIGHEST_SCORE]
        if outside:
            raise RiskError(f"an anchor has the score {outside[0]!r}; scores are from 0 to 10", value=outside[0])
        steps = [after - before for before, after in pairwise(scores)]
        if (min(steps) < 0.0 < max(steps)) or not any(steps):
            raise RiskError(
                f"the scores {scores} are not monotone; give scores that only rise, or only fall", value=scores
            )

    @property
    def is_rising(self) -> bool:
        """Whether more of the figure is riskier."""
        return self.points[-1][1] > self.points[0][1]

    def __call__(self, value: ArrayLike) -> Numbers:
        """Return the score of one figure or of an array of them.

        Parameters
        ----------
        value : array_like
            Figures in the unit of the anchor points; infinite ones have the score of the end.

        Raises
        ------
        RiskError
            A figure is NaN or no number.
        """
        return _scores(self, value)

    def value_at(self, score: float) -> float:
        """Return the riskiest figure whose score is not above `score`; infinite if all larger (or smaller) ones are.

        Parameters
        ----------
        score : float
            Highest score that is allowed, in [0, 10].

        Raises
        ------
        RiskError
            No figure has so low a score.
        """
        return _value_at(self, score)


def _is_anchor(point: object) -> bool:
    if not isinstance(point, tuple | list) or len(point) != _FEWEST:
        return False
    return all(not isinstance(part, bool) and hasattr(part, "__float__") and math.isfinite(part) for part in point)


@admits(RiskError)
def _scores(scale: ScoreScale, value: ArrayLike) -> Numbers:
    figures = np.asarray(value, dtype=np.float64)
    if np.isnan(figures).any():
        raise RiskError("a figure is NaN; leave it out, as it has no score", value=math.nan)
    x, y = zip(*scale.points, strict=True)
    found = np.interp(figures, x, y)
    return found if figures.ndim else float(found)


@admits(RiskError)
def _value_at(scale: ScoreScale, score: float) -> float:
    sign = 1.0 if scale.is_rising else -1.0
    points = list(scale.points) if scale.is_rising else [(-figure, risk) for figure, risk in reversed(scale.points)]
    x, y = np.array(points).T
    if not y[0] <= score <= HIGHEST_SCORE:
        raise RiskError(
            f"no figure has a score of {score!r} or below; scores of this scale begin at {y[0]:g}", value=score
        )
    at = int(np.searchsorted(y, score, side="right")) - 1
    if at == len(y) - 1:
        return sign * math.inf
    return sign * float(x[at] + (score - y[at]) / (y[at + 1] - y[at]) * (x[at + 1] - x[at]))
