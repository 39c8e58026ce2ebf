"""Heston's model for many prices at once: each with a variance of its own, the variances correlated as the prices are.

What is no price (a rate, a spread, a currency) moves as in the Gaussian model, correlated with the prices' own normals.
An implied volatility moves with its underlying: by the square root of the variance that is expected, from the variance
reached, over the tenor that it averages.
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

_LEAST = 1e-4
"""A price that does not move is given this volatility: the scheme divides by the variance."""


@dataclass(frozen=True, slots=True, eq=False)
class HestonSampler(Sampler):
    """Prices with stochastic variances, beside Gaussian factors.

    Parameters
    ----------
    normal : GbmSampler
        All factors' moves in one step as Gaussian; of unit deviation, without drift, in the rows of prices.
    prices : ndarray of int
        Which factors have a variance.
    start : ndarray, shape (prices, 1)
        Their variances now.
    scheme : QuadraticExponential
        One step of them.
    variance_root : ndarray, shape (prices, prices)
        Of the variances' correlation.
    followers : tuple of (int, int)
        Implied volatilities: their factor, and the price (by place among the prices) that they follow.
    expected : ndarray, shape (prices, 2)
        The expected variance over an implied volatility's tenor is the first times the variance, plus the second.
    n_steps : int
        To the horizon.
    dtype : numpy.dtype
        Of the moves.
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
        """Make one.

        Parameters
        ----------
        factor_model : FactorModel
            With its variance terms.
        chosen : sequence of int
            Places, in the factor model, of the factors simulated.
        prices : sequence of int
            Which of `chosen` (by place there) have a variance.
        follows : dict of int to int
            Which of `chosen` is the implied volatility of which of them.
        horizon, n_steps, dtype, sampling
            As in :class:`~bank_python.mc_engine.MCConfig`.
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
        present = np.maximum(vols[priced], _LEAST)
        theta = (
            np.maximum([terms.long_run.get(name, vol) for name, vol in zip(names, present, strict=True)], _LEAST) ** 2
        )
        sigma = np.maximum(terms.vol_of_vol * np.sqrt(theta), _LEAST)
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
