"""Simulated paths of one price, for pricing by simulation and for teaching.

Path arrays have the shape (n_steps + 1, n_paths); the first row is the present price. The risk simulation draws many
factors at once, and only at the horizon; see :mod:`bank_python.mc_engine.samplers`.

Examples
--------
>>> from bank_python.risk_models import HestonProcess
>>> process = HestonProcess(v0=0.04, kappa=1.5, theta=0.04, sigma=0.5, rho=-0.7)
>>> paths = heston_paths(process, 100.0, years=1.0, n_steps=4, n_paths=100_000, seed=1)
>>> paths.prices.shape, round(float(paths.prices[-1].mean()), 0)
((5, 100000), 100.0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import SimulationError
from bank_python.mc_engine.quadratic_exponential import QuadraticExponential
from bank_python.numerics.normal_draws import fill_normals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.numerics import FloatArray
    from bank_python.risk_models import HestonProcess, MertonJumpDiffusion

__all__ = ["HestonPaths", "heston_paths", "heston_steps", "heston_terminal", "merton_paths"]

_CHUNK = 8_192


@dataclass(frozen=True, slots=True, eq=False)
class HestonPaths(Record):
    """Paths of a price and of its variance, each of shape (n_steps + 1, n_paths)."""

    prices: FloatArray
    variances: FloatArray


def heston_steps(
    process: HestonProcess, years: float, n_steps: int, n_paths: int, rng: np.random.Generator
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield, after each step, the logarithms of the price over its forward and the variances, shape (n_paths,).

    The arrays are reused: each step overwrites them.
    """
    _check(years, n_steps, n_paths)
    scheme = QuadraticExponential.of(process.kappa, process.theta, process.sigma, process.rho, years / n_steps)
    logs, variances = np.zeros((1, n_paths)), np.full((1, n_paths), float(process.v0))
    draws, uniforms = np.empty((2, 1, n_paths)), np.empty((1, n_paths))
    for _ in range(n_steps):
        fill_normals(rng, draws)
        rng.random(out=uniforms)
        np.subtract(1.0, uniforms, out=uniforms)
        scheme.advance(logs, variances, draws[0], draws[1], uniforms)
        yield logs[0], variances[0]


@admits(SimulationError)
def heston_paths(
    process: HestonProcess,
    spot: float,
    *,
    years: float,
    n_steps: int,
    n_paths: int,
    rate: float = 0.0,
    dividend: float = 0.0,
    seed: int = 0,
) -> HestonPaths:
    """Simulate paths of Heston's model by Andersen's scheme.

    Parameters
    ----------
    process : HestonProcess
        Heston model, with kappa, theta and sigma above 0.
    spot : float
        Present price, above 0.
    years : float
        Length of the paths in years, above 0.
    n_steps, n_paths : int
        Numbers of time steps and of paths, at least 1 each.
    rate, dividend : float, default 0.0
        Interest rate and dividend yield per year, continuously compounded, as decimals.
    seed : int, default 0
        Seed of the random numbers; the same seed gives the same paths.

    Raises
    ------
    SimulationError
        An argument is out of range.
    """
    _check(years, n_steps, n_paths)
    _check_market(spot, rate, dividend)
    prices, variances = np.empty((n_steps + 1, n_paths)), np.empty((n_steps + 1, n_paths))
    prices[0], variances[0] = spot, process.v0
    carry = (rate - dividend) * years / n_steps
    for place, size, rng in _chunks(n_paths, seed):
        for i, (logs, variance) in enumerate(heston_steps(process, years, n_steps, size, rng), start=1):
            prices[i, place] = spot * np.exp(logs + i * carry)
            variances[i, place] = variance
    return HestonPaths(prices, variances)


@admits(SimulationError)
def heston_terminal(process: HestonProcess, *, years: float, n_steps: int, n_paths: int, seed: int = 0) -> FloatArray:
    """Return the final price over its forward, shape (n_paths,); arguments as for :func:`heston_paths`."""
    _check(years, n_steps, n_paths)
    ends = np.empty(n_paths)
    for place, size, rng in _chunks(n_paths, seed):
        for logs, _ in heston_steps(process, years, n_steps, size, rng):
            last = logs
        np.exp(last, out=ends[place])
    return ends


@admits(SimulationError)
def merton_paths(
    process: MertonJumpDiffusion,
    spot: float,
    *,
    years: float,
    n_steps: int,
    n_paths: int,
    rate: float = 0.0,
    dividend: float = 0.0,
    seed: int = 0,
) -> FloatArray:
    """Simulate paths of Merton's jump diffusion, with exact steps; shape (n_steps + 1, n_paths).

    Parameters
    ----------
    process : MertonJumpDiffusion
        Jump diffusion with the volatility, jump intensity and jump sizes.
    spot, years, n_steps, n_paths, rate, dividend, seed
        Parameters of the same names of :func:`heston_paths`.

    Raises
    ------
    SimulationError
        An argument is out of range.
    """
    _check(years, n_steps, n_paths)
    _check_market(spot, rate, dividend)
    step = years / n_steps
    mean, deviation = process.jump_mean, process.jump_vol
    compensator = process.jump_intensity * math.expm1(mean + 0.5 * deviation**2)
    drift = (rate - dividend - 0.5 * process.vol**2 - compensator) * step
    logs = np.zeros((n_steps + 1, n_paths))
    for place, size, rng in _chunks(n_paths, seed):
        hits = rng.poisson(process.jump_intensity * step, (n_steps, size))
        spread = np.sqrt(process.vol**2 * step + hits * deviation**2)
        logs[1:, place] = drift + hits * mean + spread * rng.standard_normal((n_steps, size))
    np.cumsum(logs, axis=0, out=logs)
    return np.asarray(spot * np.exp(logs))


def _chunks(n_paths: int, seed: int) -> Iterator[tuple[slice, int, np.random.Generator]]:
    for index, start in enumerate(range(0, n_paths, _CHUNK)):
        size = min(_CHUNK, n_paths - start)
        yield slice(start, start + size), size, np.random.Generator(np.random.SFC64(_seed(seed, index)))


def _seed(seed: int, index: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(index,))


def _check_market(spot: float, rate: float, dividend: float) -> None:
    if not 0.0 < spot < math.inf or not math.isfinite(rate) or not math.isfinite(dividend):
        raise SimulationError(
            f"spot={spot!r}, rate={rate!r}, dividend={dividend!r}: the spot must be above 0, and all must be finite"
        )


def _check(years: float, n_steps: int, n_paths: int) -> None:
    whole = all(isinstance(number, int | np.integer) for number in (n_steps, n_paths))
    if not 0.0 < years < math.inf or not whole or n_steps < 1 or n_paths < 1:
        raise SimulationError(
            f"years={years!r}, n_steps={n_steps!r}, n_paths={n_paths!r}: years must be above 0, the numbers at least 1"
        )
