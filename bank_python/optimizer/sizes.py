"""Limits on sizes: how much is traded, and how much is held long and short together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.optimizer.constraint import Constraint, Limit, Rows
from bank_python.optimizer.named import by_asset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray

__all__ = ["Leverage", "Turnover"]


@dataclass(frozen=True, slots=True)
class Turnover(Constraint):
    """The most that is traded, purchases and sales together.

    Parameters
    ----------
    most : float
        A share of the wealth, at least 0.
    current : mapping of str to float, or None
        What is held now; who is not named is not held; None for nothing.
    """

    most: float
    current: Mapping[str, float] | None

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit, for given assets."""
        return _sizes("turnover", by_asset(tickers, self.current, "current"), self.most)


@dataclass(frozen=True, slots=True)
class Leverage(Constraint):
    """The most that the sizes of the weights add up to.

    Parameters
    ----------
    most : float
        A share of the wealth, at least 0; 1.6 for 130/30.
    """

    most: float

    def on(self, tickers: Sequence[str]) -> Limit:
        """Return the limit, for given assets."""
        return _sizes("leverage", np.zeros(len(tickers)), self.most)


def _sizes(name: str, centre: FloatArray, most: float) -> Limit:
    label = f"{name} at most {most:g}"

    def violation(weights: FloatArray) -> float:
        return float(np.abs(weights - centre).sum()) - most

    return Limit(label, Rows.sizes_at_most(label, centre, most), violation)
