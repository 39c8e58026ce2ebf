"""Limits on sums of absolute values: turnover and leverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.guessing import guessable
from bank_python.optimizer.constraint import Constraint, Limit, Rows
from bank_python.optimizer.named import by_asset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray

__all__ = ["Leverage", "Turnover"]


@guessable
@dataclass(frozen=True, slots=True)
class Turnover(Constraint, Record):
    """Limit on the turnover, the sum of purchases and sales.

    Parameters
    ----------
    most : float
        Largest turnover as a share of the wealth, at least 0.
    current : mapping of str to float, or None
        Present weights by ticker; assets not listed have a weight of 0, as have all assets for ``None``.
    """

    most: float
    current: Mapping[str, float] | None

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit for the given assets."""
        return _absolute_sum("turnover", by_asset(tickers, self.current, "current"), self.most)


@guessable
@dataclass(frozen=True, slots=True)
class Leverage(Constraint, Record):
    """Limit on the leverage, the sum of the absolute weights.

    Parameters
    ----------
    most : float
        Largest sum of absolute weights, at least 0; 1.6 for a 130/30 portfolio.
    """

    most: float

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit for the given assets."""
        return _absolute_sum("leverage", np.zeros(len(tickers)), self.most)


def _absolute_sum(name: str, centre: FloatArray, most: float) -> Limit:
    label = f"{name} at most {most:g}"

    def violation(weights: FloatArray) -> float:
        return float(np.abs(weights - centre).sum()) - most

    return Limit(label, Rows.sizes_at_most(label, centre, most), violation)
