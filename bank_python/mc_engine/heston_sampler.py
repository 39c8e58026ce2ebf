"""Heston's model for many prices, each with its own variance; variances have the correlations of the prices.

Other factors (rates, spreads, currencies) move as in the Gaussian model, correlated with the normals of the prices. An
implied volatility moves with its underlying, in proportion to the square root of the variance expected over its tenor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.mc_engine.quadratic_exponential import QuadraticExponential
from bank_python.mc_engine.samplers import GbmSampler, Sampler, correlation_root, draw_normals, grow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from bank_python.mc_engine.config import Sampling
    from bank_python.mc_engine.factor_model import FactorModel
    from bank_python.numerics import FloatArray

__all__ = ["HestonSampler"]

_LEAST_VOL = 1e-4
"""Least volatility of a price: the scheme divides by the variance."""


@dataclass(frozen=True, slots=True, eq=False)
class HestonSampler(Sampler):
    """Sampler of prices with stochastic variances, beside Gaussian factors.

    Parameters
    ----------
    normal : GbmSampler
        Sampler of Gaussian moves of all factors over one step; the rows of prices have unit deviation and no drift.
    prices : ndarray of int
        Indices of the factors with a stochastic variance.
    start : ndarray, shape (prices, 1)
        Present annual variances of the prices.
    scheme : QuadraticExponential
        Discretisation of one step of prices and variances.
    variance_root : ndarray, shape (prices, prices)
        Matrix root of the correlation of the variances' normals.
    followers : tuple of (int, int)
        Implied volatilities: pairs of the volatility's factor index and the index, among the prices, of its underlying.
    expected : ndarray, shape (prices, 2)
        Slope and intercept of the expected variance over an implied volatility's tenor, as a function of the variance.
    n_steps : int
        Number of time steps to the horizon.
    dtype : numpy.dtype
        Floating-point type of the moves returned.
    """

    normal: GbmSampler
    prices: NDArray[np.intp]
    start: FloatArray
    scheme: QuadraticExponential
    variance_root: FloatArray
    followers: tuple[tuple[int, int], ...]
    expected: FloatArray
    n_steps: int
    dtype: np.dtype[Any]

    @classmethod
    def of(
        cls,
        factor_model: FactorModel,
        chosen: Sequence[int],
        prices: Sequence[int],
        follows: dict[int, int],
        horizon: float,
        n_steps: int,
        dtype: DTypeLike,
        sampling: Sampling,
    ) -> HestonSampler:
        """Build the sampler from a factor model.

        Parameters
        ----------
        factor_model : FactorModel
            Factor model whose variance terms are used.
        chosen : sequence of int
            Indices, in the factor model, of the simulated factors.
        prices : sequence of int
            Indices, in `chosen`, of the prices with a stochastic variance.
        follows : dict of int to int
            Index of each implied volatility's underlying price, by the volatility's index; both in `chosen`.
        horizon, n_steps, dtype, sampling
            Settings of the same names of :class:`~bank_python.mc_engine.MCConfig`.
        """
        terms, step = factor_model.variance, horizon / n_steps
        relative = tuple(factor_model.relative[i] for i in chosen)
        vols, correlation = factor_model.vols[chosen], factor_model.correlation[np.ix_(chosen, chosen)]
        priced = np.array(prices, dtype=np.intp)
        deviations = vols * np.sqrt(step)
        deviations[priced] = 1.0
        normal = GbmSampler.of(relative, deviations, correlation, np.float64, sampling)
        normal.drift[priced] = 0.0
        names = [factor_model.names[chosen[i]] for i in prices]
        present = np.maximum(vols[priced], _LEAST_VOL)
        theta = (
            np.maximum([terms.long_run.get(name, vol) for name, vol in zip(names, present, strict=True)], _LEAST_VOL)
            ** 2
        )
        sigma = np.maximum(terms.vol_of_vol * np.sqrt(theta), _LEAST_VOL)
        count = len(priced)
        scheme = QuadraticExponential.of(np.full(count, terms.kappa), theta, sigma, np.full(count, terms.rho), step)
        weight = -np.expm1(-terms.kappa * terms.tenor) / (terms.kappa * terms.tenor)
        place = {price: at for at, price in enumerate(prices)}
        return cls(
            normal,
            priced,
            (present**2)[:, None],
            scheme,
            correlation_root(correlation[np.ix_(priced, priced)]),
            tuple((vol, place[price]) for vol, price in follows.items() if price in place),
            np.column_stack([np.full(count, weight), theta * (1.0 - weight)]),
            n_steps,
            np.dtype(dtype),
        )

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        logs = np.zeros((len(self.normal.relative), size))
        prices, variances = np.zeros((len(self.prices), size)), np.repeat(self.start, size, axis=1)
        for _ in range(self.n_steps):
            moves = self.normal.logs(rng, size)
            own = self.variance_root @ draw_normals(rng, len(self.prices), size, np.float64, self.normal.sampling)
            self.scheme.advance(prices, variances, moves[self.prices], own)
            logs += moves
        logs[self.prices] = prices
        for vol, price in self.followers:
            slope, shift = self.expected[price]
            logs[vol] = 0.5 * np.log((slope * variances[price] + shift) / (slope * self.start[price] + shift))
        return grow(logs, self.normal.relative).astype(self.dtype, copy=False)
