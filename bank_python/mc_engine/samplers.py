r"""Samplers of scenarios, one for each model.

Every model turns correlated random numbers into moves: growth :math:`S/S_0 - 1` of relative factors, shifts of the
others. All models are *martingales*: the expected growth of a relative factor is 0, so that models differ in the shape
of the distribution and not in a drift, which history cannot estimate. (Under Student's t this holds for logarithms
only, since its growth has no mean; Heston's implied volatilities follow the expected variance.)

All models have the factor model's volatilities. Correlations are exact for gbm and student_t. Under merton, common
jumps raise correlations and idiosyncratic ones lower them; under heston, correlations of prices with other factors are
:math:`\sqrt{1 - \rho^2}` times the factor model's; the bootstrap has the correlations of its history.

==========  ========================================================================================================
gbm         :math:`\log S/S_0 = -\tfrac12\sigma^2 h + \sigma\sqrt h\,Z`, exact in one step
heston      each price with its own variance, by Andersen's scheme; variances are correlated as the prices are,
            implied volatilities move with their underlying's variance; :mod:`bank_python.mc_engine.heston_sampler`
merton      gbm with a smaller variance, plus jumps common to all factors and idiosyncratic jumps
student_t   gbm with all volatilities multiplied by one random factor :math:`\sqrt{(\nu - 2)/\chi^2_\nu}`
bootstrap   past days resampled, with the moves of all factors on one day, rescaled to current volatilities
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

_CACHED_ROWS = 48


def correlation_root(correlation: FloatArray) -> FloatArray:
    """Return a root of a correlation matrix: its Cholesky factor if it is positive definite, else a symmetric root."""
    try:
        return np.asarray(np.linalg.cholesky(correlation))
    except np.linalg.LinAlgError:
        return semidefinite_root(correlation)


def draw_normals(rng: np.random.Generator, rows: int, size: int, dtype: DTypeLike, sampling: Sampling) -> NDArray[Any]:
    """Return standard normals of shape (rows, size), drawn by the method `sampling`."""
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
    """Convert logarithmic moves of relative factors to growth, in place."""
    start = 0
    for stop in range(1, len(relative) + 1):
        if stop == len(relative) or relative[stop] != relative[start]:
            if relative[start]:
                np.expm1(logs[start:stop], out=logs[start:stop])
            start = stop
    return logs


class Sampler(ABC):
    """Sampler of factor moves; plain data, so that it can be sent to another process."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""


@dataclass(frozen=True, slots=True, eq=False)
class GbmSampler(Sampler):
    """Sampler of correlated geometric Brownian motions and Brownian shifts.

    Parameters
    ----------
    relative : tuple of bool
        Whether each factor moves in proportion to its level rather than by shifts.
    root : ndarray, shape (factors, normals)
        Matrix root of the covariance over the horizon.
    drift : ndarray, shape (factors, 1)
        Drift over the horizon, added to the logarithms and shifts.
    sampling : Sampling
        Sampling method for the normal random numbers.
    triangular : bool, default False
        Whether `root` is lower triangular, which saves half of the multiplications.
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
        """Build the sampler from standard deviations over the horizon and correlations."""
        root = deviations[:, None] * correlation_root(correlation)
        drift = np.where(relative, -0.5 * deviations**2, 0.0)[:, None]
        triangular = not np.triu(root, 1).any()
        return cls(relative, root.astype(dtype), drift.astype(dtype), sampling, triangular)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        return self._draw(rng, size, as_growth=True)

    def logs(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of logarithmic moves and shifts, shape (factors, size)."""
        return self._draw(rng, size, as_growth=False)

    def _draw(self, rng: np.random.Generator, size: int, *, as_growth: bool) -> NDArray[Any]:
        normals = draw_normals(rng, self.root.shape[1], size, self.root.dtype, self.sampling)
        moves = np.empty((len(self.root), size), dtype=self.root.dtype)
        # A few rows at a time, so that they stay in the cache; a triangular root needs no normals beyond its diagonal.
        for start in range(0, len(moves), _CACHED_ROWS):
            rows = slice(start, start + _CACHED_ROWS)
            used = start + _CACHED_ROWS if self.triangular else self.root.shape[1]
            np.matmul(self.root[rows, :used], normals[:used], out=moves[rows])
            moves[rows] += self.drift[rows]
            if as_growth:
                grow(moves[rows], self.relative[rows])
        return moves


@dataclass(frozen=True, slots=True, eq=False)
class StudentSampler(Sampler):
    """Sampler of multivariate Student's t moves, of logarithms and shifts.

    Parameters
    ----------
    normal : GbmSampler
        Sampler of normal moves, each scenario of which is multiplied by one random factor.
    degrees : float
        Degrees of freedom, above 2.
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
    """Sampler of Merton's jump diffusion with common and idiosyncratic jumps.

    Parameters
    ----------
    diffusion : GbmSampler
        Sampler of the diffusion, which has the rest of the variance and a drift that offsets the mean of the jumps.
    scales : ndarray, shape (factors, 1)
        Annual volatilities, which are the unit of jump sizes.
    loadings : ndarray, shape (factors, 1)
        Loadings of the factors on the common jump.
    jumps : JumpTerms
        Intensities and size distributions of the jumps.
    horizon : float
        Length of the simulated period in years.
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
        """Build the sampler from annual volatilities; the common jump is that of the market, the sum of `prices`."""
        loadings = market_loadings(correlation, prices)
        common = jumps.common_intensity * (jumps.common_mean**2 + jumps.common_deviation**2) * loadings**2
        rest = vols**2 * (1.0 - common - jumps.own_intensity * jumps.own_deviation**2)
        diffusion = GbmSampler.of(relative, np.sqrt(rest * horizon), correlation, dtype, sampling)
        means = vols * loadings * jumps.common_mean
        deviations = vols * np.abs(loadings) * jumps.common_deviation
        with np.errstate(over="ignore"):  # factors that shift may have large volatilities; their growth is not used
            growth = jumps.common_intensity * np.expm1(means + 0.5 * deviations**2)
            growth += jumps.own_intensity * np.expm1(0.5 * (vols * jumps.own_deviation) ** 2)
        shift = jumps.common_intensity * means
        compensator = np.where(relative, growth, shift)[:, None] * horizon
        diffusion = replace(diffusion, drift=diffusion.drift - compensator.astype(dtype))
        return cls(diffusion, vols[:, None].astype(dtype), loadings[:, None].astype(dtype), jumps, horizon)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Return `size` scenarios of moves, shape (factors, size)."""
        logs = self.diffusion.logs(rng, size)
        terms, dtype = self.jumps, logs.dtype
        hits = rng.poisson(terms.common_intensity * self.horizon, size)
        sizes = terms.common_mean * hits + terms.common_deviation * np.sqrt(hits) * rng.standard_normal(size)
        jumped = np.flatnonzero(hits)
        logs[:, jumped] += (self.scales * self.loadings) * sizes[jumped].astype(dtype)
        own = rng.poisson(terms.own_intensity * self.horizon, logs.shape)
        rows, columns = np.nonzero(own)
        draws = np.sqrt(own[rows, columns]) * rng.standard_normal(len(rows)) * terms.own_deviation
        logs[rows, columns] += self.scales[rows, 0] * draws.astype(dtype)
        return grow(logs, self.diffusion.relative)


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapSampler(Sampler):
    """Sampler of past days, drawn with replacement.

    Parameters
    ----------
    relative : tuple of bool
        Whether each factor moves in proportion to its level rather than by shifts.
    days : ndarray, shape (factors, observations)
        Daily moves, logarithms and shifts, rescaled to current volatility and shifted to have no drift.
    count : int
        Number of days drawn for each scenario, at least 1.
    """

    relative: tuple[bool, ...]
    days: NDArray[Any]
    count: int

    @classmethod
    def of(
        cls, relative: tuple[bool, ...], residuals: FloatArray | None, daily: FloatArray, days: float, dtype: DTypeLike
    ) -> BootstrapSampler:
        """Build the sampler from standardised residuals, shape (observations, factors), and daily deviations."""
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
    """Return each factor's correlation with the sum of the standardised prices, or of all factors if there are none."""
    weights = np.zeros(len(correlation))
    weights[list(prices) or slice(None)] = 1.0
    spread = float(weights @ correlation @ weights)
    return np.asarray(correlation @ weights / np.sqrt(spread) if spread > 0.0 else np.zeros(len(correlation)))
