r"""The hedge of a sold option along many paths: block by block of paths, step by step, in place.

All amounts are relative to the first price and discounted to the start, where a hedged price is a martingale and cash
earns nothing. The gain of the shares is summed by parts,

.. math:: \sum_{k<n} \Delta_k (S_{k+1} - S_k)
          = \Delta_{n-1} S_n - \Delta_0 S_0 - \sum_{0<k<n} (\Delta_k - \Delta_{k-1}) S_k ,

which needs the trades that costs are paid on anyway. A block of 4,096 paths stays in the cache, and the memory does not
grow with the number of paths and steps beyond one number for each path. Each block has random numbers of its own, drawn
from the seed and the number of the block, so that a single path can be computed again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.taleb.delta_table import DeltaTable

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray
    from bank_python.taleb.hedge_law import StepLaw

__all__ = ["HedgeRun", "RunResult"]

_BLOCK = 4_096
"""Number of paths of a block; changing it changes the draws of a seed."""


class RunResult(NamedTuple):
    """Result of a run, in units of the first price and discounted.

    Parameters
    ----------
    errors : ndarray, shape (n_paths,)
        Payoff less premium less gain of the hedge, costs included: what the seller loses.
    costs : ndarray, shape (n_paths,)
        Costs paid for rebalancing; empty without costs.
    absorbed : int
        Number of paths that ended at a price of zero.
    """

    errors: FloatArray
    costs: FloatArray
    absorbed: int


@dataclass(frozen=True, slots=True)
class HedgeRun:
    """A hedge to be simulated.

    Parameters
    ----------
    law : StepLaw
        Law of the moves.
    strike : float
        Discounted strike over the first price.
    premium : float
        Premium over the first price.
    vol : float
        Volatility of the hedge's deltas.
    expiry : float
        Years to expiry.
    n_steps : int
        Number of steps, one rebalancing at the start of each.
    cost : float
        Cost of a trade as a share of its value.
    n_paths : int
        Number of paths.
    entropy : int
        Seed of all blocks.
    """

    law: StepLaw
    strike: float
    premium: float
    vol: float
    expiry: float
    n_steps: int
    cost: float
    n_paths: int
    entropy: int

    def simulate(self) -> RunResult:
        """Simulate all paths."""
        errors = np.empty(self.n_paths)
        costs = np.empty(self.n_paths if self.cost else 0)
        absorbed = 0
        for block, start in enumerate(range(0, self.n_paths, _BLOCK)):
            here = slice(start, min(start + _BLOCK, self.n_paths))
            absorbed += self._block(block, errors[here], costs[here])
        return RunResult(errors, costs, absorbed)

    def path(self, index: int) -> FloatArray:
        """Return the prices of a path over the first one, discounted, shape (n_steps + 1,).

        Parameters
        ----------
        index : int
            Number of the path, from 0.
        """
        block, row = divmod(index, _BLOCK)
        paths = min(_BLOCK, self.n_paths - block * _BLOCK)
        walk = self.law.walk(self._rng(block), paths)
        prices, logs, found = np.ones(paths), np.zeros(paths), np.ones(self.n_steps + 1)
        with np.errstate(divide="ignore"):
            for k in range(1, self.n_steps + 1):
                walk.advance(prices, logs)
                found[k] = prices[row]
        return found

    def deltas(self, prices: FloatArray) -> FloatArray:
        """Return the deltas along one path of prices, shape (n_steps,).

        Parameters
        ----------
        prices : ndarray, shape (n_steps + 1,)
            Prices over the first one, discounted.
        """
        table, found = DeltaTable(1), np.empty(self.n_steps)
        with np.errstate(divide="ignore"):
            logs = np.log(prices)
        for k in range(self.n_steps):
            table.fill(logs[k : k + 1], *self._coefficients(k), found[k : k + 1])
        return found

    def _rng(self, block: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.entropy, spawn_key=(block,)))

    def _coefficients(self, k: int) -> tuple[float, float]:
        """Return slope and level of d₁ in the log price at the start of step k."""
        spread = self.vol * math.sqrt(self.expiry * (1.0 - k / self.n_steps))
        return 1.0 / spread, -math.log(self.strike) / spread + 0.5 * spread

    def _block(self, block: int, errors: FloatArray, costs: FloatArray) -> int:
        """Simulate a block of paths into `errors` and `costs`; return the number of prices of zero."""
        paths = len(errors)
        walk, table = self.law.walk(self._rng(block), paths), DeltaTable(paths)
        prices, logs = np.ones(paths), np.zeros(paths)
        held, wanted, spent = np.empty(paths), np.empty(paths), costs
        table.fill(logs, *self._coefficients(0), held)
        bought = errors
        np.copyto(bought, held)
        spent.fill(0.0)
        with np.errstate(divide="ignore"):  # the logarithm of a price of zero
            for k in range(1, self.n_steps):
                walk.advance(prices, logs)
                table.fill(logs, *self._coefficients(k), wanted)
                np.subtract(wanted, held, out=held)
                held *= prices
                bought += held
                if self.cost:
                    spent += np.abs(held, out=held)
                held, wanted = wanted, held
            walk.advance(prices, logs)
        held *= prices
        bought -= held  # paid for shares, less those that are left
        bought += np.maximum(prices - self.strike, 0.0)
        bought -= self.premium
        if self.cost:
            spent *= self.cost
            bought += spent
        return int(np.count_nonzero(prices == 0.0))
