r"""Costs of rebalancing into a portfolio, as a term of the objective: :math:`\sum_j p_j\,(e_j^\top w - f_j)_+`.

As with constraints, a kind of cost is a class with one method, and the solvers work on a list of costs of any kind.
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
    """A cost as a function of the weights of given assets.

    Parameters
    ----------
    rows : ndarray, shape (k, n_assets)
        Coefficients of the linear combinations ``rows @ w`` whose excess over `sides` is charged.
    sides : ndarray, shape (k,)
        Thresholds of the linear combinations, below which nothing is charged.
    prices : ndarray, shape (k,)
        Cost per unit of excess, above 0.
    paid : callable
        Function from weights to their cost, computed from the definition of the cost and not from the rows.
    """

    rows: FloatArray
    sides: FloatArray
    prices: FloatArray
    paid: Callable[[FloatArray], float]


class Cost(ABC):
    """Abstract base class of rebalancing costs, which are convex and piecewise linear in the weights."""

    @abstractmethod
    def on(self, tickers: Sequence[str]) -> Charge:
        """Return the cost as a function of the weights of the given assets.

        Raises
        ------
        ModelError
            If the cost names an unknown ticker or contains a value that is not a number.
        """


@dataclass(frozen=True, slots=True)
class TradingCost(Cost):
    """Cost proportional to the traded weight, the same for purchases and sales.

    Parameters
    ----------
    rate : float or mapping of str to float
        Cost per unit of traded weight, at least 0, the same for all assets or by ticker; assets not listed cost
        nothing.
    current : mapping of str to float, or None
        Present weights by ticker; assets not listed have a weight of 0, as have all assets for ``None``.
    """

    rate: float | Mapping[str, float]
    current: Mapping[str, float] | None

    def on(self, tickers: Sequence[str]) -> Charge:
        """Return the cost for the given assets."""
        rates = self.rate if isinstance(self.rate, Mapping) else dict.fromkeys(tickers, self.rate)
        price = by_asset(tickers, rates, "transaction_cost")
        present = by_asset(tickers, self.current, "current")
        costly = np.flatnonzero(price)
        bought = np.zeros((len(costly), len(tickers)))
        bought[np.arange(len(costly)), costly] = 1.0
        return Charge(
            rows=np.vstack([bought, -bought]),
            sides=np.concatenate([present[costly], -present[costly]]),
            prices=np.concatenate([price[costly], price[costly]]),
            paid=lambda weights: float(price @ np.abs(weights - present)),
        )
