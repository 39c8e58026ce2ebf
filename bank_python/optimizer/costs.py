r"""What it costs to come to a portfolio, as a part of the objective: :math:`\sum_j p_j\,(e_j^\top w - f_j)_+`.

As with constraints, a kind of cost is a class with one method, and everything that minimises works on the list.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.optimizer.named import by_asset

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["Charge", "Cost", "TradingCost"]


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """A cost for given assets.

    Parameters
    ----------
    rows : ndarray, shape (k, n_assets)
        What is charged for: ``rows @ w`` above `sides`.
    sides : ndarray, shape (k,)
        From where on it is.
    prices : ndarray, shape (k,)
        Of a unit above, above 0.
    paid : callable
        From weights to what they cost, computed from the cost's meaning and not from the rows.
    """

    rows: FloatArray
    sides: FloatArray
    prices: FloatArray
    paid: Callable[[FloatArray], float]


class Cost(ABC):
    """A cost of coming to weights, convex and piecewise linear."""

    @abstractmethod
    def on(self, tickers: Sequence[str]) -> Charge:
        """Return the cost as it is for given assets.

        Raises
        ------
        ModelError
            It names what is no asset, or holds a figure that is not a number.
        """


@dataclass(frozen=True, slots=True)
class TradingCost(Cost):
    """A price of every unit that is bought or sold.

    Parameters
    ----------
    rate : float or mapping of str to float
        Of a unit of traded weight, at least 0; who is not named costs nothing.
    current : mapping of str to float, or None
        What is held now; who is not named is not held; None for nothing.
    """

    rate: float | Mapping[str, float]
    current: Mapping[str, float] | None

    def on(self, tickers: Sequence[str]) -> Charge:
        """Return the cost, for given assets."""
        rates = self.rate if isinstance(self.rate, Mapping) else dict.fromkeys(tickers, self.rate)
        price = by_asset(tickers, rates, "transaction_cost")
        held = by_asset(tickers, self.current, "current")
        costly = np.flatnonzero(price)
        bought = np.zeros((len(costly), len(tickers)))
        bought[np.arange(len(costly)), costly] = 1.0
        return Charge(
            rows=np.vstack([bought, -bought]),
            sides=np.concatenate([held[costly], -held[costly]]),
            prices=np.concatenate([price[costly], price[costly]]),
            paid=lambda weights: float(price @ np.abs(weights - held)),
        )
