r"""How scenarios are drawn: the models.

Every model starts from correlated normals and ends with moves: growth :math:`S/S_0 - 1` of the factors that move
relatively, shifts of the others. All are *martingales*: a relative factor grows by 0 on average, whatever the model, so
that models differ in the shape of risk and not in a drift that no history can tell. (Student's t is one for logarithms
only, as its growth has no mean; Heston's implied volatilities go where the variance is expected to.)

Volatilities are the factor model's in every model. Correlations are exact for gbm and student_t; jumps add common moves and
dilute others, Heston's prices are correlated with what is no price by :math:`\sqrt{1 - \rho^2}` of the factor model's figure,
and past days bring correlations of their own.

==========  ========================================================================================================
gbm         :math:`\log S/S_0 = -\tfrac12\sigma^2 h + \sigma\sqrt h\,Z`, exact in one step
heston      each price with a variance of its own, by Andersen's scheme; variances are correlated as the prices are,
            implied volatilities move with their underlying's variance; :mod:`bank_python.mc_engine.heston_sampler`
merton      gbm with a smaller variance, plus jumps, one for all at once and some of each factor's own
student_t   gbm with all volatilities multiplied by one random factor :math:`\sqrt{(\nu - 2)/\chi^2_\nu}`
bootstrap   past days drawn again, every factor's move of one day together, scaled to present volatilities
==========  ========================================================================================================

References
----------
R. C. Merton, "Option pricing when underlying stock returns are discontinuous", Journal of Financial Economics 3 (1976).

G. Barone-Adesi, K. Giannopoulos and L. Vosper, "VaR without correlations for portfolios of derivative securities",
Journal of Futures Markets 19 (1999), 583-602: filtered historical simulation.

A. J. McNeil, R. Frey and P. Embrechts, *Quantitative Risk Management* (2015), section 6.2: normal variance mixtures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import SimulationError
from bank_python.mc_engine.config import Sampling
from bank_python.numerics import semidefinite_root
from bank_python.numerics.normal_draws import fill_normals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from bank_python.mc_engine.factor_model import JumpTerms
    from bank_python.numerics import FloatArray

__all__ = [
    "BootstrapSampler",
    "GbmSampler",
    "JumpSampler",
    "Sampler",
    "StudentSampler",
    "correlation_root",
    "draw_normals",
    "grow",
]

_ROWS = 48


def correlation_root(correlation: FloatArray) -> FloatArray:
    """Return a root of a correlation matrix: Cholesky's if it is definite, else a symmetric one's."""
    try:
        return np.asarray(np.linalg.cholesky(correlation))
    except np.linalg.LinAlgError:
        return semidefinite_root(correlation)


def draw_normals(rng: np.random.Generator, rows: int, size: int, dtype: DTypeLike, sampling: Sampling) -> NDArray[Any]:
    """Return normals of shape (rows, size), drawn as `sampling` says."""
    draws = np.empty((rows, size), dtype=dtype)
    if sampling is Sampling.ANTITHETIC:
        half = (size + 1) // 2
        drawn = np.empty((rows, half), dtype=dtype)
        fill_normals(rng, drawn)
        draws[:, :half] = drawn
        np.negative(drawn[:, : size - half], out=draws[:, half:])
        return draws
    fill_normals(rng, draws)
    if sampling is Sampling.MOMENT_MATCHED and size > 1:
        draws -= draws.mean(axis=1, keepdims=True)
        draws /= draws.std(axis=1, keepdims=True)
    return draws


def grow(logs: NDArray[Any], relative: tuple[bool, ...]) -> NDArray[Any]:
    """Turn logarithms into growth, in place, in the rows of relative factors."""
    start = 0
    for stop in range(1, len(relative) + 1):
        if stop == len(relative) or relative[stop] != relative[start]:
            if relative[start]:
                np.expm1(logs[start:stop], out=logs[start:stop])
            start = stop
    return logs


class Sampler(ABC):
    """Draws scenarios of some factors; plain data, so that it can be sent to another process."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""


@dataclass(frozen=True, slots=True, eq=False)
class GbmSampler(Sampler):
    """Correlated geometric Brownian motions and Brownian shifts.

    Parameters
    ----------
    relative : tuple of bool
        By factor.
    root : ndarray, shape (factors, normals)
        Of the covariance over the horizon.
    drift : ndarray, shape (factors, 1)
        Added to the logarithms and shifts.
    sampling : Sampling
        How normals are drawn.
    triangular : bool, default False
        Whether the root is: each factor is made of the normals of those before it and its own.
    """

    relative: tuple[bool, ...]
    root: NDArray[Any]
    drift: NDArray[Any]
    sampling: Sampling
    triangular: bool = False

    @classmethod
    def of(
        cls,
        relative: tuple[bool, ...],
        deviations: FloatArray,
        correlation: FloatArray,
        dtype: DTypeLike,
        sampling: Sampling,
    ) -> GbmSampler:
        """Make one for the given deviations over the horizon."""
        root = deviations[:, None] * correlation_root(correlation)
        drift = np.where(relative, -0.5 * deviations**2, 0.0)[:, None]
        triangular = not np.triu(root, 1).any()
        return cls(relative, root.astype(dtype), drift.astype(dtype), sampling, triangular)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        return self._made(rng, size, grown=True)

    def logs(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return the logarithms and shifts."""
        return self._made(rng, size, grown=False)

    def _made(self, rng: np.random.Generator, size: int, *, grown: bool) -> NDArray[Any]:
        normals = draw_normals(rng, self.root.shape[1], size, self.root.dtype, self.sampling)
        made = np.empty((len(self.root), size), dtype=self.root.dtype)
        # A few rows at a time, so that they stay in the cache; a triangular root needs no normals beyond its diagonal.
        for start in range(0, len(made), _ROWS):
            rows = slice(start, start + _ROWS)
            used = start + _ROWS if self.triangular else self.root.shape[1]
            np.matmul(self.root[rows, :used], normals[:used], out=made[rows])
            made[rows] += self.drift[rows]
            if grown:
                grow(made[rows], self.relative[rows])
        return made


@dataclass(frozen=True, slots=True, eq=False)
class StudentSampler(Sampler):
    """A multivariate Student's t for the logarithms and shifts.

    Parameters
    ----------
    normal : GbmSampler
        What is multiplied.
    degrees : float
        Of freedom, above 2.
    """

    normal: GbmSampler
    degrees: float

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        logs = self.normal.logs(rng, size)
        factor = np.sqrt((self.degrees - 2.0) / rng.chisquare(self.degrees, size))
        logs *= factor.astype(logs.dtype)
        return grow(logs, self.normal.relative)


@dataclass(frozen=True, slots=True, eq=False)
class JumpSampler(Sampler):
    """Merton's jump diffusion with common and own jumps.

    Parameters
    ----------
    diffusion : GbmSampler
        With the variance that the jumps leave; its drift takes back what they bring.
    scales : ndarray, shape (factors, 1)
        Annual volatilities: the unit of jumps.
    loadings : ndarray, shape (factors, 1)
        On the market: by how much of the common jump each is hit.
    jumps : JumpTerms
        How often and how far.
    horizon : float
        Years.
    """

    diffusion: GbmSampler
    scales: NDArray[Any]
    loadings: NDArray[Any]
    jumps: JumpTerms
    horizon: float

    @classmethod
    def of(
        cls,
        relative: tuple[bool, ...],
        vols: FloatArray,
        correlation: FloatArray,
        jumps: JumpTerms,
        prices: Sequence[int],
        horizon: float,
        dtype: DTypeLike,
        sampling: Sampling,
    ) -> JumpSampler:
        """Make one for annual volatilities; the common jump is the market's, which is all `prices` together."""
        loadings = market_loadings(correlation, prices)
        common = jumps.common_intensity * (jumps.common_mean**2 + jumps.common_deviation**2) * loadings**2
        left = vols**2 * (1.0 - common - jumps.own_intensity * jumps.own_deviation**2)
        diffusion = GbmSampler.of(relative, np.sqrt(left * horizon), correlation, dtype, sampling)
        means = vols * loadings * jumps.common_mean
        deviations = vols * np.abs(loadings) * jumps.common_deviation
        with np.errstate(over="ignore"):  # of shifts, which may be large numbers and do not grow
            brought = jumps.common_intensity * np.expm1(means + 0.5 * deviations**2)
            brought += jumps.own_intensity * np.expm1(0.5 * (vols * jumps.own_deviation) ** 2)
        shifted = jumps.common_intensity * means
        taken = np.where(relative, brought, shifted)[:, None] * horizon
        diffusion = replace(diffusion, drift=diffusion.drift - taken.astype(dtype))
        return cls(diffusion, vols[:, None].astype(dtype), loadings[:, None].astype(dtype), jumps, horizon)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        logs = self.diffusion.logs(rng, size)
        terms, dtype = self.jumps, logs.dtype
        hits = rng.poisson(terms.common_intensity * self.horizon, size)
        sizes = terms.common_mean * hits + terms.common_deviation * np.sqrt(hits) * rng.standard_normal(size)
        struck = np.flatnonzero(hits)
        logs[:, struck] += (self.scales * self.loadings) * sizes[struck].astype(dtype)
        own = rng.poisson(terms.own_intensity * self.horizon, logs.shape)
        rows, columns = np.nonzero(own)
        draws = np.sqrt(own[rows, columns]) * rng.standard_normal(len(rows)) * terms.own_deviation
        logs[rows, columns] += self.scales[rows, 0] * draws.astype(dtype)
        return grow(logs, self.diffusion.relative)


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapSampler(Sampler):
    """Past days drawn again with replacement.

    Parameters
    ----------
    relative : tuple of bool
        By factor.
    days : ndarray, shape (factors, observations)
        Each day's moves at present volatility, logarithms and shifts, moved so that no factor drifts.
    count : int
        Days to the horizon, at least 1.
    """

    relative: tuple[bool, ...]
    days: NDArray[Any]
    count: int

    @classmethod
    def of(
        cls, relative: tuple[bool, ...], residuals: FloatArray | None, daily: FloatArray, days: float, dtype: DTypeLike
    ) -> BootstrapSampler:
        """Make one of standardised residuals, shape (observations, factors), and daily deviations."""
        if residuals is None:
            raise SimulationError(
                "the factor model has no residuals to draw from: calibrate it from a history, or choose another model"
            )
        count = max(round(days), 1)
        spread = residuals.std(axis=0)
        unit = (residuals - residuals.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
        moves = (unit * daily * np.sqrt(days / count)).T
        logs = np.where(np.array(relative)[:, None], moves, 0.0)
        return cls(relative, (moves - np.log(np.exp(logs).mean(axis=1, keepdims=True))).astype(dtype), count)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        logs = np.zeros((len(self.days), size), dtype=self.days.dtype)
        for _ in range(self.count):
            logs += self.days[:, rng.integers(0, self.days.shape[1], size)]
        return grow(logs, self.relative)


def market_loadings(correlation: FloatArray, prices: Sequence[int]) -> FloatArray:
    """Return each factor's correlation with the sum of the standardised prices; of all factors if there is no price."""
    weights = np.zeros(len(correlation))
    weights[list(prices) or slice(None)] = 1.0
    spread = float(weights @ correlation @ weights)
    return np.asarray(correlation @ weights / np.sqrt(spread) if spread > 0.0 else np.zeros(len(correlation)))
