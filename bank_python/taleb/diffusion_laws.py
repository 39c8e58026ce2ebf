"""Moves of prices by diffusions, all martingales: lognormal steps, Merton's jumps, Heston's stochastic volatility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.mc_engine.quadratic_exponential import QuadraticExponential
from bank_python.numerics.normal_draws import fill_normals
from bank_python.taleb.hedge_law import StepLaw, Walk

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.heston_process import HestonProcess
    from bank_python.risk_models.merton import MertonJumpDiffusion

__all__ = ["GaussianLaw", "JumpLaw", "StochasticVolLaw"]


@dataclass(frozen=True, slots=True)
class GaussianLaw(StepLaw):
    """Lognormal steps.

    Parameters
    ----------
    deviation : float
        Standard deviation of the log price over a step.
    drift : float
        Growth of the mean over a step, beyond the rate, as a log.
    """

    deviation: float
    drift: float = 0.0

    @property
    def said(self) -> str:
        """The law in words."""
        return "lognormal steps"

    def walk(self, rng: np.random.Generator, paths: int) -> Walk:
        """Return the moves of a block of paths."""
        return _GaussianWalk(self, rng, paths)


class _GaussianWalk(Walk):
    def __init__(self, law: GaussianLaw, rng: np.random.Generator, paths: int) -> None:
        self._deviation = law.deviation
        self._shift = law.drift - 0.5 * law.deviation**2
        self._rng = rng
        self._move = np.empty(paths)

    def advance(self, prices: FloatArray, logs: FloatArray) -> None:
        move = self._move
        fill_normals(self._rng, move)
        move *= self._deviation
        move += self._shift
        logs += move
        np.exp(logs, out=prices)


@dataclass(frozen=True, slots=True)
class JumpLaw(StepLaw):
    """Steps of Merton's jump diffusion.

    Parameters
    ----------
    process : MertonJumpDiffusion
        Process per year.
    step : float
        Length of a step in years.
    drift : float
        Growth of the mean over a step, beyond the rate, as a log.
    """

    process: MertonJumpDiffusion
    step: float
    drift: float = 0.0

    @property
    def said(self) -> str:
        """The law in words."""
        merton = self.process
        return (
            f"Merton jumps, {merton.jump_intensity:g} a year of mean {merton.jump_mean:.4g} and deviation "
            f"{merton.jump_vol:.4g}, diffusion {merton.vol:.4g}"
        )

    def walk(self, rng: np.random.Generator, paths: int) -> Walk:
        """Return the moves of a block of paths."""
        return _JumpWalk(self, rng, paths)


class _JumpWalk(Walk):
    def __init__(self, law: JumpLaw, rng: np.random.Generator, paths: int) -> None:
        merton = law.process
        self._rate = merton.jump_intensity * law.step
        self._variance = merton.vol**2 * law.step
        self._jump_mean, self._jump_variance = merton.jump_mean, merton.jump_vol**2
        self._shift = law.drift - 0.5 * self._variance - self._rate * merton.mean_jump
        self._rng = rng
        self._move = np.empty(paths)

    def advance(self, prices: FloatArray, logs: FloatArray) -> None:
        jumps = self._rng.poisson(self._rate, len(prices)).astype(np.float64)
        move = self._move
        fill_normals(self._rng, move)
        move *= np.sqrt(self._variance + self._jump_variance * jumps)
        jumps *= self._jump_mean
        move += jumps
        move += self._shift
        logs += move
        np.exp(logs, out=prices)


@dataclass(frozen=True, slots=True)
class StochasticVolLaw(StepLaw):
    """Steps of Heston's model.

    Parameters
    ----------
    process : HestonProcess
        Process per year.
    step : float
        Length of a step in years.
    drift : float
        Growth of the mean over a step, beyond the rate, as a log.
    """

    process: HestonProcess
    step: float
    drift: float = 0.0

    @property
    def said(self) -> str:
        """The law in words."""
        heston = self.process
        return (
            f"Heston, volatility {math.sqrt(heston.v0):.4g} now and {math.sqrt(heston.theta):.4g} in the long run, "
            f"κ = {heston.kappa:.4g}, ξ = {heston.sigma:.4g}, ρ = {heston.rho:.4g}"
        )

    def walk(self, rng: np.random.Generator, paths: int) -> Walk:
        """Return the moves of a block of paths."""
        return _VolWalk(self, rng, paths)


class _VolWalk(Walk):
    def __init__(self, law: StochasticVolLaw, rng: np.random.Generator, paths: int) -> None:
        heston = law.process
        self._scheme = QuadraticExponential.of(heston.kappa, heston.theta, heston.sigma, heston.rho, law.step)
        self._drift = law.drift
        self._rng = rng
        self._variance = np.full((1, paths), heston.v0)
        self._normals, self._others = np.empty((1, paths)), np.empty((1, paths))

    def advance(self, prices: FloatArray, logs: FloatArray) -> None:
        fill_normals(self._rng, self._normals)
        fill_normals(self._rng, self._others)
        self._scheme.advance(logs[None, :], self._variance, self._normals, self._others)
        logs += self._drift
        np.exp(logs, out=prices)
