r"""Filtering and smoothing of many hidden chains at once, in blocks of time.

A chain of k regimes is in regime :math:`S_t` at time t. A density may depend on the last r regimes too; the *state* is
then :math:`(S_t, S_{t-1}, \dots, S_{t-r})`, one of :math:`K = k^{r+1}`, the present regime varying slowest. The filter
is a product of matrices: the distribution before an observation is multiplied by the densities, scaled to sum to
one, and moved on by the transition matrix.

A loop over 2,500 times costs as much as 2,500 calls whatever their size. So time is cut into blocks: all blocks, of
all chains, are multiplied up side by side (that takes as many steps as a block is long); one pass over the blocks gives
the distribution before each of them; and then all blocks are filtered side by side. Smoothing goes back the same way,
with the same products. Every step is scaled, so that nothing underflows.

Arrays have the axes (time in the block, chain, state, block). Times beyond the last are filled up with densities of
1, which change no probability.

References
----------
J. D. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle",
Econometrica 57 (1989), 357-384.

L. R. Rabiner, "A tutorial on hidden Markov models", Proceedings of the IEEE 77 (1989), section V.A: scaling.

G. E. Blelloch, "Prefix sums and their applications", Carnegie Mellon University CMU-CS-90-190 (1990).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["RegimeChains", "Smoothed", "TimeBlocks", "smooth_blocks"]

_MOST_STATES = 16  # with more, the products of a block cost more than the loop that they save
_FEWEST_TIMES = 64
_RESCALED = 8  # steps between two scalings of a product: probabilities are at least 1e-12


@dataclass(frozen=True, slots=True)
class TimeBlocks:
    """How times are cut into blocks.

    Parameters
    ----------
    size : int
        Number of times.
    length : int
        Number of times in a block.
    count : int
        Number of blocks; their last times may lie beyond the end.
    """

    size: int
    length: int
    count: int

    @classmethod
    def of(cls, size: int, states: int) -> TimeBlocks:
        """Return the blocks of `size` times for chains of `states` states."""
        if states > _MOST_STATES or size < _FEWEST_TIMES:
            return cls(size, size, 1)
        length = math.ceil(size / round(math.sqrt(1.6 * size)))
        return cls(size, length, math.ceil(size / length))

    @property
    def beyond(self) -> int:
        """Place in the last block from which on times lie beyond the end."""
        return self.length - (self.length * self.count - self.size)

    def cut(self, values: FloatArray) -> FloatArray:
        """Return values, shape (size, …), as an array of shape (length, count, …), zeros beyond the end."""
        whole = np.zeros((self.length * self.count, *values.shape[1:]))
        whole[: self.size] = values
        return np.ascontiguousarray(np.moveaxis(whole.reshape(self.count, self.length, *values.shape[1:]), 1, 0))

    def joined(self, blocks: FloatArray) -> FloatArray:
        """Return an array of shape (length, k, count) as one of shape (size, k)."""
        return np.ascontiguousarray(blocks.transpose(2, 0, 1).reshape(-1, blocks.shape[1])[: self.size])


@dataclass(frozen=True, slots=True)
class RegimeChains:
    """Chains of regimes whose states hold `order` earlier regimes.

    Parameters
    ----------
    transition : ndarray, shape (chains, k, k)
        Transition matrices, the present regime in rows and the next one in columns.
    order : int
        Number of earlier regimes in a state.
    """

    transition: FloatArray
    order: int

    @property
    def lags(self) -> int:
        """Number of combinations of earlier regimes in a state."""
        return int(self.transition.shape[1] ** self.order)

    @property
    def stationary(self) -> FloatArray:
        """Stationary distribution of the regimes, shape (chains, k)."""
        k = self.transition.shape[1]
        system = np.eye(k) - self.transition.transpose(0, 2, 1) + 1.0
        return np.asarray(np.linalg.solve(system, np.ones((len(system), k, 1)))[:, :, 0])

    @property
    def stationary_states(self) -> FloatArray:
        """Stationary distribution of the states, shape (chains, K)."""
        chains, k, _ = self.transition.shape
        joint = self.stationary
        for _ in range(self.order):  # a new present regime in front
            pair = self.transition.transpose(0, 2, 1)[:, :, :, None] * joint.reshape(chains, 1, k, -1)
            joint = pair.reshape(chains, -1)
        return joint

    @property
    def to_next(self) -> FloatArray:
        """Probabilities of the next regime in rows: by present regime, or by earlier ones; (chains, k, lags, 1)."""
        turned = self.transition.transpose(0, 2, 1)
        if self.order == 0:
            return np.ascontiguousarray(turned)
        return np.repeat(turned, self.lags // turned.shape[1], axis=2)[:, :, :, None]

    def ahead(self, to_next: FloatArray, states: FloatArray, out: FloatArray) -> None:
        """Write the distribution one time later, for distributions of shape (chains, K, …)."""
        if self.order == 0:
            np.matmul(to_next, states, out=out)
            return
        chains, k, _ = self.transition.shape
        earlier = states.reshape(chains, self.lags, k, -1).sum(axis=2)
        np.multiply(to_next, earlier[:, None], out=out.reshape(chains, k, self.lags, -1))

    def back(self, to_next: FloatArray, values: FloatArray, out: FloatArray) -> None:
        """Write the expectation one time earlier of values of states of shape (chains, K, …)."""
        if self.order == 0:
            np.matmul(self.transition, values, out=out)
            return
        chains, k, _ = self.transition.shape
        expected = (to_next * values.reshape(chains, k, self.lags, -1)).sum(axis=1)
        out.reshape(chains, self.lags, k, -1)[:] = expected[:, :, None]


@dataclass(frozen=True, slots=True)
class Smoothed:
    """Filtered and smoothed distributions of the states of some chains.

    Parameters
    ----------
    before : ndarray, shape (length + 1, chains, K, count)
        Filtered distribution one time before each time; the last one is that of the end of the block.
    scales : ndarray, shape (length, chains, count)
        Density of each observation given those before it.
    following : ndarray, shape (length, chains, K, count)
        Smoothed probability of each state divided by the filtered one.
    following_before : ndarray, shape (length, chains, K, count)
        Density of a state over the scale, times `following`: what a transition into the state is weighted by.
    """

    before: FloatArray
    scales: FloatArray
    following: FloatArray
    following_before: FloatArray

    @property
    def filtered(self) -> FloatArray:
        """Filtered probabilities of the states, shape (length, chains, K, count)."""
        return self.before[1:]

    @property
    def smoothed(self) -> FloatArray:
        """Smoothed probabilities of the states, shape (length, chains, K, count)."""
        return self.before[1:] * self.following


def smooth_blocks(chains: RegimeChains, densities: FloatArray) -> Smoothed:
    """Return the filtered and smoothed distributions of chains that begin in their stationary distribution.

    Parameters
    ----------
    chains : RegimeChains
        Transition probabilities of the chains.
    densities : ndarray, shape (length, chains, K, count)
        Density of the observation in each state, up to a factor for each time; 1 beyond the end.
    """
    to_next = chains.to_next
    products = _products(chains, to_next, densities) if densities.shape[3] > 1 else None
    before = _before_blocks(chains.stationary_states, products, densities.shape)
    scales = np.empty((len(densities), densities.shape[1], 1, densities.shape[3]))
    for at, density in enumerate(densities):
        after = before[at + 1]
        chains.ahead(to_next, before[at], after)
        np.multiply(after, density, out=after)
        np.add.reduce(after, 1, keepdims=True, out=scales[at])
        np.divide(after, scales[at], out=after)
    weights = densities / scales
    following, following_before = np.empty_like(densities), np.empty_like(densities)
    _behind_blocks(products, before[0], following[-1])
    for at in range(len(densities) - 1, -1, -1):
        np.multiply(weights[at], following[at], out=following_before[at])
        if at:
            chains.back(to_next, following_before[at], following[at - 1])
    return Smoothed(before, scales[:, :, 0], following, following_before)


def _products(chains: RegimeChains, to_next: FloatArray, densities: FloatArray) -> FloatArray:
    """Return the product of the matrices of each block, up to a factor; shape (count, chains, K, K)."""
    _, number, states, count = densities.shape
    product = np.zeros((number, states, states, count))
    product[:, range(states), range(states)] = 1.0
    moved = np.empty_like(product)
    flat = (number, states, states * count)
    for at, density in enumerate(densities):
        chains.ahead(to_next, product.reshape(flat), moved.reshape(flat))
        np.multiply(moved, density[:, :, None], out=product)
        if at % _RESCALED == _RESCALED - 1:
            product /= product.sum(axis=(1, 2), keepdims=True)
    return np.ascontiguousarray(product.transpose(3, 0, 1, 2))


def _before_blocks(start: FloatArray, products: FloatArray | None, shape: tuple[int, ...]) -> FloatArray:
    """Return the array of filtered distributions with those before the first time of each block filled in."""
    length, chains, states, count = shape
    before = np.empty((length + 1, chains, states, count))
    before[0, :, :, 0] = start
    if products is not None:
        vector = start[:, :, None]
        for block in range(count - 1):
            vector = products[block] @ vector
            vector /= np.add.reduce(vector, 1, keepdims=True)
            before[0, :, :, block + 1] = vector[:, :, 0]
    return before


def _behind_blocks(products: FloatArray | None, before: FloatArray, last: FloatArray) -> None:
    """Write the ratios of smoothed to filtered probabilities at the last time of each block."""
    last[:, :, -1] = 1.0
    if products is None:
        return
    turned = np.ascontiguousarray(products.transpose(0, 1, 3, 2))
    vector = np.ones((*before.shape[:2], 1))
    for block in range(before.shape[2] - 1, 0, -1):
        vector = turned[block] @ vector
        vector /= before[:, None, :, block] @ vector
        last[:, :, block - 1] = vector[:, :, 0]
