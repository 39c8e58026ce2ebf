r"""Andersen's quadratic-exponential scheme for Heston's model, with martingale correction.

The variance at the end of a step, given that at its start, is nearly a non-central chi-square. Its mean m and variance
s² are known exactly; the scheme draws from a simpler distribution with the same mean and variance:

- where :math:`\psi = s^2/m^2 \le 1.5`, a shifted and squared normal, :math:`v' = a(b + Z_v)^2`;
- otherwise, near 0, a point mass at 0 and an exponential tail, :math:`v' = \Psi^{-1}(U)`.

The logarithm of the price is then drawn from both variances and an independent normal, which preserves the correlation
of price and variance for large steps:

.. math:: \log\frac{S'}{S} = (r - q)\Delta + K_0 + K_1 v + K_2 v' + \sqrt{K_3 v + K_4 v'}\,Z

with :math:`K_0` chosen so that :math:`S e^{-(r - q)t}` is exactly a martingale in every step.

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

_PSI_SWITCH = 1.5
_GRID_SIZE = 200


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticExponential:
    """Coefficients of a step of given length, for one asset or for several with different parameters.

    Parameters
    ----------
    decay, mean_shift : ndarray, shape (assets, 1)
        Slope and intercept of the conditional mean of the variance, m = decay · v + mean_shift.
    spread, spread_shift : ndarray, shape (assets, 1)
        Slope and intercept of the conditional variance of the variance, s² = spread · v + spread_shift.
    after : ndarray, shape (assets, 1)
        Coefficient K₂ of the variance at the end of the step.
    share : ndarray, shape (assets, 1)
        Coefficients K₃ = K₄ of both variances under the root; K₁ cancels with the martingale correction.
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
        """Build the scheme from the parameters of Heston's model.

        Parameters
        ----------
        kappa, theta, sigma, rho : array_like, shape () or (assets,)
            Speed of mean reversion, long-run variance and volatility of the variance, all above 0, and the correlation
            of price and variance, in [-1, 1].
        step : float
            Length of the step in years, above 0.

        Raises
        ------
        SimulationError
            A parameter is out of range, or the step is too long for the martingale correction to exist.
        """
        k, t, s, r = (np.atleast_1d(np.asarray(x, dtype=np.float64))[:, None] for x in (kappa, theta, sigma, rho))
        if not ((k > 0.0) & (t > 0.0) & (s > 0.0) & (np.abs(r) <= 1.0)).all() or not step > 0.0:
            raise SimulationError(
                "kappa, theta, sigma and the step must be above 0, and rho in [-1, 1]; correct the parameters"
            )
        decay = np.exp(-k * step)
        reverted = -np.expm1(-k * step)
        slope = 0.5 * step * (k * r / s - 0.5)
        share = 0.5 * step * (1.0 - r * r)
        scheme = cls(
            decay,
            t * reverted,
            s * s * decay * reverted / k,
            t * s * s * reverted * reverted / (2.0 * k),
            slope + r / s,
            share,
        )
        scheme.check()
        return scheme

    def check(self) -> None:
        """Raise an error if the price at the end of a step has no mean for some variance at its start.

        Raises
        ------
        SimulationError
            The step is too long.
        """
        variance = np.concatenate([[0.0], np.geomspace(1e-6, 1e6, _GRID_SIZE)]) * self.mean_shift
        mean = self.decay * variance + self.mean_shift
        psi = (self.spread * variance + self.spread_shift) / (mean * mean)
        ratio = 2.0 / np.minimum(psi, _PSI_SWITCH)
        squared = ratio - 1.0 + np.sqrt(ratio * (ratio - 1.0))
        bound = np.where(psi > _PSI_SWITCH, 2.0 / (mean * (psi + 1.0)), 0.5 * (1.0 + squared) / mean)
        tilt = self.after + 0.5 * self.share
        if np.any(tilt >= bound):
            raise SimulationError(
                "the step is too long for these parameters: the corrected price would have no mean "
                f"(A = {tilt.max():.3g}); take more steps",
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
        """Advance prices and variances by one step, in place, without carry: the price is a martingale.

        Parameters
        ----------
        logs, variance : ndarray, shape (assets, paths)
            Logarithms of prices, and variances; both are overwritten.
        normals, variance_normals : ndarray, shape (assets, paths)
            Independent standard normals of prices and of variances; the latter are overwritten.
        uniforms : ndarray, shape (assets, paths), optional
            Uniform random numbers in (0, 1] for variances near 0, independent of the normals; by default they are
            computed from the variances' normals.
        """
        mean = self.decay * variance
        mean += self.mean_shift
        psi = self.spread * variance
        psi += self.spread_shift
        psi /= mean
        psi /= mean
        low = np.flatnonzero(psi > _PSI_SWITCH)
        if low.size:
            drawn = self._exponential(low, mean, psi, variance_normals, uniforms)
            np.minimum(psi, _PSI_SWITCH, out=psi)
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
        """Return the variance by the squared normal, and K₀ without its term in v; `psi` and `z` are overwritten."""
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
        """Return, for the paths `low`, the variance by point mass and tail, and K₀ without its term in v."""
        tilt = np.broadcast_to(self.after + 0.5 * self.share, mean.shape).reshape(-1)[low]
        m, s = mean.reshape(-1)[low], psi.reshape(-1)[low]
        # 1 − U, so that a high normal gives a high variance
        u = np.asarray(normal_cdf(-z.reshape(-1)[low])) if uniforms is None else uniforms.reshape(-1)[low]
        rest = 2.0 / (s + 1.0)  # 1 − p
        beta = rest / m
        then = np.log(np.minimum(u / rest, 1.0))
        then /= -beta
        return then, -np.log((1.0 - rest) + beta * rest / (beta - tilt))
