r"""Andersen's quadratic-exponential scheme for Heston's model, with martingale correction.

The variance at the end of a step, given that at its start, is nearly a non-central chi-square. Its mean m and variance
s² are known exactly; the scheme draws from a distribution with that mean and variance which is quick to draw from:

- where :math:`\psi = s^2/m^2 \le 1.5`, a moved and squared normal, :math:`v' = a(b + Z_v)^2`;
- else, near 0, a mass at 0 and an exponential tail, :math:`v' = \Psi^{-1}(U)`.

The logarithm of the price then follows from both variances and one normal of its own, so that the correlation of price
and variance does not fade as the step grows:

.. math:: \log\frac{S'}{S} = (r - q)\Delta + K_0 + K_1 v + K_2 v' + \sqrt{K_3 v + K_4 v'}\,Z

with :math:`K_0` such that :math:`S e^{-(r - q)t}` is a martingale in every step exactly.

References
----------
L. Andersen, "Simple and efficient simulation of the Heston stochastic volatility model", Journal of Computational
Finance 11 (2008): sections 3.2.3 (equations 23-26), 4.2 (33) and 4.3 (propositions 7 and 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import SimulationError
from bank_python.numerics import normal_cdf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = ["QuadraticExponential"]

_SWITCH = 1.5
_GRID = 200


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticExponential:
    """One step of given length for one asset, or for several with terms of their own.

    Parameters
    ----------
    decay, mean_shift : ndarray, shape (assets, 1)
        The mean of the variance at the end is decay · v + mean_shift,
    spread, spread_shift : ndarray, shape (assets, 1)
        and its variance spread · v + spread_shift.
    after : ndarray, shape (assets, 1)
        K₂.
    share : ndarray, shape (assets, 1)
        K₃ = K₄. (K₁ is taken back by the martingale correction.)
    """

    decay: FloatArray
    mean_shift: FloatArray
    spread: FloatArray
    spread_shift: FloatArray
    after: FloatArray
    share: FloatArray

    @classmethod
    def of(
        cls, kappa: ArrayLike, theta: ArrayLike, sigma: ArrayLike, rho: ArrayLike, step: float
    ) -> QuadraticExponential:
        """Make one.

        Parameters
        ----------
        kappa, theta, sigma, rho : array_like, shape () or (assets,)
            Heston's terms: kappa, theta and sigma above 0.
        step : float
            Its length in years, above 0.

        Raises
        ------
        SimulationError
            A term is out of range, or the step is too long for the martingale correction to exist.
        """
        k, t, s, r = (np.atleast_1d(np.asarray(x, dtype=np.float64))[:, None] for x in (kappa, theta, sigma, rho))
        if not ((k > 0.0) & (t > 0.0) & (s > 0.0) & (np.abs(r) <= 1.0)).all() or not step > 0.0:
            raise SimulationError(
                "kappa, theta, sigma and the step are above 0, rho is a correlation; correct the terms"
            )
        decay = np.exp(-k * step)
        gone = -np.expm1(-k * step)
        slope = 0.5 * step * (k * r / s - 0.5)
        share = 0.5 * step * (1.0 - r * r)
        scheme = cls(
            decay,
            t * gone,
            s * s * decay * gone / k,
            t * s * s * gone * gone / (2.0 * k),
            slope + r / s,
            share,
        )
        scheme.check()
        return scheme

    def check(self) -> None:
        """Refuse terms for which the price at the end of a step may have no mean.

        Raises
        ------
        SimulationError
            The step is too long.
        """
        variance = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, _GRID)]) * self.mean_shift
        mean = self.decay * variance + self.mean_shift
        psi = (self.spread * variance + self.spread_shift) / (mean * mean)
        ratio = 2.0 / np.minimum(psi, _SWITCH)
        squared = ratio - 1.0 + np.sqrt(ratio * (ratio - 1.0))
        bound = np.where(psi > _SWITCH, 2.0 / (mean * (psi + 1.0)), 0.5 * (1.0 + squared) / mean)
        tilt = self.after + 0.5 * self.share
        if np.any(tilt >= bound):
            raise SimulationError(
                f"the step is too long for these terms: the corrected price would have no mean (A = {tilt.max():.3g}); "
                "take more steps",
                value=float(tilt.max()),
            )

    def advance(
        self,
        logs: FloatArray,
        variance: FloatArray,
        normals: FloatArray,
        variance_normals: FloatArray,
        uniforms: FloatArray | None = None,
    ) -> None:
        """Take one step, in place; without carry, so that the price is a martingale.

        Parameters
        ----------
        logs, variance : ndarray, shape (assets, paths)
            Logarithms of prices, and variances; both are moved.
        normals, variance_normals : ndarray, shape (assets, paths)
            Independent of each other; the latter is overwritten.
        uniforms : ndarray, shape (assets, paths), optional
            For variances near 0, independent of the normals; by default the variance's normals are turned into them.
        """
        mean = self.decay * variance
        mean += self.mean_shift
        psi = self.spread * variance
        psi += self.spread_shift
        psi /= mean
        psi /= mean
        low = np.flatnonzero(psi > _SWITCH)
        if low.size:
            drawn = self._exponential(low, mean, psi, variance_normals, uniforms)
            np.minimum(psi, _SWITCH, out=psi)
        then, drift = self._quadratic(mean, psi, variance_normals)
        if low.size:
            then.reshape(-1)[low], drift.reshape(-1)[low] = drawn
        logs += drift
        variance *= self.share
        logs -= np.multiply(variance, 0.5, out=mean)
        logs += np.multiply(then, self.after, out=mean)
        variance += np.multiply(then, self.share, out=mean)
        np.sqrt(variance, out=variance)
        variance *= normals
        logs += variance
        variance[...] = then

    def _quadratic(self, mean: FloatArray, psi: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the variance by the squared normal, and K₀ without v's part; `psi` and `z` are overwritten."""
        tilt = self.after + 0.5 * self.share
        ratio = np.divide(2.0, psi, out=psi)
        less = ratio - 1.0
        squared = np.sqrt(ratio * less)
        squared += less  # b²
        a = np.divide(mean, squared + 1.0, out=less)
        z += np.sqrt(squared, out=ratio)
        then = np.multiply(z, z, out=z)
        then *= a
        a *= tilt
        inner = 1.0 - 2.0 * a
        a *= squared
        a /= inner
        drift = np.log(inner, out=inner)
        drift *= 0.5
        drift -= a
        return then, drift

    def _exponential(
        self, low: NDArray[np.intp], mean: FloatArray, psi: FloatArray, z: FloatArray, uniforms: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return, for the paths `low`, the variance by mass and tail, and K₀ without v's part."""
        tilt = np.broadcast_to(self.after + 0.5 * self.share, mean.shape).reshape(-1)[low]
        m, s = mean.reshape(-1)[low], psi.reshape(-1)[low]
        # 1 − U: a high normal is a high variance
        u = np.asarray(normal_cdf(-z.reshape(-1)[low])) if uniforms is None else uniforms.reshape(-1)[low]
        rest = 2.0 / (s + 1.0)  # 1 − p
        beta = rest / m
        then = np.log(np.minimum(u / rest, 1.0))
        then /= -beta
        return then, -np.log((1.0 - rest) + beta * rest / (beta - tilt))
