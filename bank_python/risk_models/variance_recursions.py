r"""The variance recursions of GARCH models, with the derivatives of the log-variance.

With residuals :math:`\varepsilon_t`, variances :math:`h_t` and standardised residuals :math:`z_t`,

.. math::
    \text{GARCH} \quad & h_t = \omega + \alpha\,\varepsilon_{t-1}^2 + \beta\,h_{t-1} \\
    \text{GJR} \quad & h_t = \omega + (\alpha + \gamma\,1[\varepsilon_{t-1}<0])\,\varepsilon_{t-1}^2 + \beta\,h_{t-1} \\
    \text{EGARCH} \quad & \ln h_t = \omega + \alpha(|z_{t-1}| - \sqrt{2/\pi}) + \gamma\,z_{t-1} + \beta\,\ln h_{t-1} .

Before the first residual, :math:`h` and :math:`\varepsilon^2` are a *presample variance* (half of which is due to
negative residuals), and the innovation of an EGARCH is 0.

GARCH and GJR are linear recursions. An EGARCH is not, as :math:`z_{t-1}` depends on :math:`h_{t-1}`: the whole path is
found by Newton's method, each step of which is a linear recursion with varying coefficients, from the path of the last
parameters. Parameters for which it is not *invertible*, so that the variances never forget where they began, are out of
bounds: with them, forecasts would depend on the first rounding error.

References
----------
T. Bollerslev, "Generalized autoregressive conditional heteroskedasticity", Journal of Econometrics 31 (1986), 307-327.

L. R. Glosten, R. Jagannathan and D. E. Runkle, "On the relation between the expected value and the volatility of the
nominal excess return on stocks", Journal of Finance 48 (1993), 1779-1801.

O. Wintenberger, "Continuous invertibility and stable QML estimation of the EGARCH(1,1) model", Scandinavian Journal of
Statistics 40 (2013), 846-867: the condition, of which the mean over the sample is used.

D. B. Nelson, "Conditional heteroskedasticity in asset returns: a new approach", Econometrica 59 (1991), 347-370.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.numerics.linear_recursion import constant_recursion, varying_recursion
from bank_python.numerics.scoring import LinearLimits

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["NORMAL_MEAN", "Egarch", "Garch", "Gjr", "Presample", "VarianceModel", "VariancePath"]

NORMAL_MEAN = math.sqrt(2.0 / math.pi)
"""Mean absolute value of a standard normal variable, which an EGARCH subtracts whatever the distribution."""

_LEAST_OMEGA = 1e-8  # of a sample of unit variance
_MOST_BETA = 1.0 - 1e-8  # of an EGARCH, whose log-variance has a mean below 1
_NO_REACTION = "alpha is 0: the variance does not react to returns, and beta depends on the start-up only"
_NO_MEMORY = "beta is 0: the variance depends on the last return only"
_LEAST = "omega is at its least value, 1e-8 of the variance of the returns"
_INTEGRATED = "the persistence is 1: there is no long-run variance, and forecasts grow with the horizon"
_PATH_STEPS = 12
_SAME_PATH = 1e-6  # change of the log-variance by a Newton step, after which the next one is of the order of its square
_WILD = 40.0  # change of the log-variance by a step that will not converge
_LEAST_STAY = 1e-12
_NEGLIGIBLE = -42.0  # logarithm of a share that is lost in rounding
_HIGHEST = 600.0  # log-variance of a recursion that has diverged


class Presample(NamedTuple):
    """Variance before the sample, and its derivative with respect to the mean."""

    variance: float
    by_mean: float


class VariancePath(NamedTuple):
    """Log-variances of a sample, shape (n,), and their derivatives by mean and parameters, shape (1 + k, n)."""

    log_variances: FloatArray
    slopes: FloatArray


class VarianceModel(ABC):
    """A variance recursion with the parameters that its `names` list; stateless but for the path of an EGARCH."""

    names: tuple[str, ...]
    limit_notes: tuple[str, ...]
    """What it means that each of the limits is reached."""
    doubtful_limits: tuple[int, ...]
    """Limits at which a maximum may be a local one, so that other starts are tried."""
    has_kinks = False
    """Whether the log-variance has kinks in the mean of the returns."""
    integrated_from = 1.0 - 1e-12
    """Persistence from which there is no long-run variance: its limit, up to rounding."""
    difference = 1e-3
    """Step in standard errors by which differences of the gradient give the Hessian."""

    @abstractmethod
    def limits(self) -> LinearLimits:
        """Return the limits on the parameters, for a sample of unit variance."""

    @abstractmethod
    def starts(self) -> list[FloatArray]:
        """Return parameters to start from, the likeliest first, for a sample of unit variance."""

    @abstractmethod
    def log_variances(self, parameters: FloatArray, residuals: FloatArray, before: float) -> FloatArray | None:
        """Return the log-variances, shape (n,); None if the recursion diverges."""

    @abstractmethod
    def path(self, parameters: FloatArray, residuals: FloatArray, presample: Presample) -> VariancePath | None:
        """Return the log-variances with their derivatives; None if the recursion diverges."""

    @abstractmethod
    def next_variance(self, parameters: FloatArray, residual: float, variance: float) -> float:
        """Return the variance that follows a residual and its variance."""

    @abstractmethod
    def scaled(self, parameters: FloatArray, scale: float) -> FloatArray:
        """Return the parameters for residuals that are multiplied by a scale."""

    @abstractmethod
    def scale_slopes(self, scale: float) -> FloatArray:
        """Return the derivatives of the scaled parameters by the parameters, shape (k, k)."""

    @abstractmethod
    def persistence(self, parameters: FloatArray) -> float:
        """Return the share of a deviation of the (log-)variance from its mean that remains after a step."""


class Garch(VarianceModel):
    """The symmetric GARCH(1,1)."""

    names: tuple[str, ...] = ("omega", "alpha", "beta")
    limit_notes: tuple[str, ...] = (_LEAST, _NO_REACTION, _NO_MEMORY, _INTEGRATED)
    doubtful_limits: tuple[int, ...] = (0, 1, 2)

    def limits(self) -> LinearLimits:
        """Return the limits on the parameters, for a sample of unit variance."""
        normals = np.vstack([np.eye(3), [0.0, -1.0, -1.0]])
        return LinearLimits(normals, np.array([_LEAST_OMEGA, 0.0, 0.0, -1.0]))

    def starts(self) -> list[FloatArray]:
        """Return parameters to start from, for a sample of unit variance."""
        grid = [(0.97, 0.1), (0.99, 0.05), (0.97, 0.05), (0.9, 0.1), (0.9, 0.2), (0.5, 0.1)]
        return [np.array([1.0 - stay, alpha, stay - alpha]) for stay, alpha in grid]

    def log_variances(self, parameters: FloatArray, residuals: FloatArray, before: float) -> FloatArray | None:
        """Return the log-variances; None if the recursion diverges."""
        return _logs(self._variances(parameters, self._squares(residuals, before), before))

    def path(self, parameters: FloatArray, residuals: FloatArray, presample: Presample) -> VariancePath | None:
        """Return the log-variances with their derivatives; None if the recursion diverges."""
        beta, before = float(parameters[-1]), presample.variance
        squares = self._squares(residuals, before)
        slopes = np.empty((len(squares) + 3, len(residuals)))
        slopes[0, 1:] = -2.0 * residuals[:-1] * self._reaction(parameters, residuals[:-1])
        slopes[0, 0] = self.persistence(parameters) * presample.by_mean
        slopes[1], slopes[2:-1] = 1.0, squares
        slopes[:-1] = constant_recursion(beta, slopes[:-1])
        left = _fading(beta, len(residuals))
        variances = parameters[:-1] @ slopes[1:-1]  # which are linear in all parameters but beta
        variances[: len(left)] += before * left
        log_variances = _logs(variances)
        if log_variances is None:
            return None
        slopes[-1, 0], slopes[-1, 1:] = before, variances[:-1]
        slopes[-1] = constant_recursion(beta, slopes[-1])
        return VariancePath(log_variances, np.divide(slopes, variances, out=slopes))

    def next_variance(self, parameters: FloatArray, residual: float, variance: float) -> float:
        """Return the variance that follows a residual and its variance."""
        reaction = float(self._reaction(parameters, np.array([residual]))[0])
        return float(parameters[0]) + reaction * residual * residual + float(parameters[-1]) * variance

    def scaled(self, parameters: FloatArray, scale: float) -> FloatArray:
        """Return the parameters for residuals that are multiplied by a scale."""
        return np.concatenate([parameters[:1] * scale * scale, parameters[1:]])

    def scale_slopes(self, scale: float) -> FloatArray:
        """Return the derivatives of the scaled parameters by the parameters."""
        slopes = np.eye(len(self.names))
        slopes[0, 0] = scale * scale
        return slopes

    def persistence(self, parameters: FloatArray) -> float:
        """Return the share of a deviation from the long-run (log-)variance that remains after a step."""
        return float(parameters[1] + parameters[2])

    def _squares(self, residuals: FloatArray, before: float) -> FloatArray:
        """Return the lagged squares that each reaction parameter multiplies, shape (reactions, n)."""
        squares = np.empty((1, len(residuals)))
        squares[0, 0] = before
        np.square(residuals[:-1], out=squares[0, 1:])
        return squares

    def _reaction(self, parameters: FloatArray, residuals: FloatArray) -> FloatArray:
        """Return the coefficient of each squared residual."""
        return np.full(len(residuals), parameters[1])

    def _variances(self, parameters: FloatArray, squares: FloatArray, before: float) -> FloatArray:
        inputs = parameters[1:-1] @ squares + parameters[0]
        inputs[0] += parameters[-1] * before
        return constant_recursion(float(parameters[-1]), inputs)


class Gjr(Garch):
    """The GARCH(1,1) of Glosten, Jagannathan and Runkle, which reacts more to negative residuals."""

    names = ("omega", "alpha", "gamma", "beta")
    limit_notes = (
        _LEAST,
        "alpha is 0: the variance reacts to negative returns only",
        "alpha + gamma is 0: the variance reacts to positive returns only",
        _NO_MEMORY,
        _INTEGRATED,
    )
    doubtful_limits = (0, 2, 3)

    def limits(self) -> LinearLimits:
        """Return the limits on the parameters, for a sample of unit variance."""
        normals = [[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 1.0, 1.0, 0], [0, 0, 0, 1.0], [0, -1.0, -0.5, -1.0]]
        return LinearLimits(np.array(normals), np.array([_LEAST_OMEGA, 0.0, 0.0, 0.0, -1.0]))

    def starts(self) -> list[FloatArray]:
        """Return parameters to start from, for a sample of unit variance."""
        grid = [
            (0.97, 0.05, 0.12),
            (0.99, 0.03, 0.04),
            (0.97, 0.03, 0.06),
            (0.9, 0.1, 0.0),
            (0.9, 0.05, 0.2),
            (0.5, 0.05, 0.1),
        ]
        return [np.array([1.0 - stay, alpha, gamma, stay - alpha - 0.5 * gamma]) for stay, alpha, gamma in grid]

    def persistence(self, parameters: FloatArray) -> float:
        """Return the share of a deviation from the long-run (log-)variance that remains after a step."""
        return float(parameters[1] + 0.5 * parameters[2] + parameters[3])

    def _squares(self, residuals: FloatArray, before: float) -> FloatArray:
        squares = np.empty((2, len(residuals)))
        squares[:, 0] = before, 0.5 * before
        np.square(residuals[:-1], out=squares[0, 1:])
        np.multiply(squares[0, 1:], residuals[:-1] < 0.0, out=squares[1, 1:])
        return squares

    def _reaction(self, parameters: FloatArray, residuals: FloatArray) -> FloatArray:
        return np.asarray(parameters[1] + parameters[2] * (residuals < 0.0))


class Egarch(VarianceModel):
    """The exponential GARCH(1,1); the last path with its slopes gives the first guess of the next."""

    names = ("omega", "alpha", "gamma", "beta")
    limit_notes = ("beta is 0: the log-variance depends on the last return only", _INTEGRATED)
    doubtful_limits = (0,)
    has_kinks = True
    integrated_from = _MOST_BETA - 1e-12
    difference = 0.5  # |z| has a kink at every return: their mean effect on the slope needs a step across many of them

    def __init__(self) -> None:
        self._last: tuple[FloatArray, VariancePath] | None = None

    def limits(self) -> LinearLimits:
        """Return the limits on the parameters, for a sample of unit variance."""
        normals = np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, -1.0]])
        return LinearLimits(normals, np.array([0.0, -_MOST_BETA]))

    def starts(self) -> list[FloatArray]:
        """Return parameters to start from, for a sample of unit variance."""
        grid = [(0.1, -0.1, 0.97), (0.2, 0.0, 0.97), (0.2, 0.0, 0.8), (0.3, 0.0, 0.5)]
        return [np.array([0.0, alpha, gamma, beta]) for alpha, gamma, beta in grid]

    def log_variances(self, parameters: FloatArray, residuals: FloatArray, before: float) -> FloatArray | None:
        """Return the log-variances; None if the recursion diverges."""
        guess = self._guess(parameters, residuals, before)
        found = _egarch_path(parameters, residuals, math.log(before), guess)
        return _egarch_loop(parameters, residuals, math.log(before)) if found is None else found

    def path(self, parameters: FloatArray, residuals: FloatArray, presample: Presample) -> VariancePath | None:
        """Return the log-variances with their derivatives; None if the recursion diverges."""
        logs = self.log_variances(parameters, residuals, presample.variance)
        if logs is None:
            return None
        _, alpha, gamma, beta = parameters
        deviations = np.exp(-0.5 * logs[:-1])
        z = residuals[:-1] * deviations
        absolute = np.abs(z)
        rows = np.zeros((5, len(residuals)))
        rows[0, 1:] = -(alpha * np.sign(z) + gamma) * deviations
        rows[0, 0] = beta * presample.by_mean / presample.variance
        rows[1] = 1.0
        rows[2, 1:], rows[3, 1:] = absolute - NORMAL_MEAN, z
        rows[4, 0], rows[4, 1:] = math.log(presample.variance), logs[:-1]
        stays = np.zeros(len(residuals))
        stays[1:] = beta - 0.5 * (alpha * absolute + gamma * z)
        if not _is_invertible(stays[1:]):
            return None
        path = VariancePath(logs, varying_recursion(stays, rows))
        self._last = np.array([-residuals[0], *parameters]), path
        return path

    def next_variance(self, parameters: FloatArray, residual: float, variance: float) -> float:
        """Return the variance that follows a residual and its variance."""
        omega, alpha, gamma, beta = parameters.tolist()
        z = residual / math.sqrt(variance)
        return math.exp(omega + alpha * (abs(z) - NORMAL_MEAN) + gamma * z + beta * math.log(variance))

    def scaled(self, parameters: FloatArray, scale: float) -> FloatArray:
        """Return the parameters for residuals that are multiplied by a scale."""
        omega = parameters[0] + 2.0 * (1.0 - parameters[3]) * math.log(scale)
        return np.concatenate([[omega], parameters[1:]])

    def scale_slopes(self, scale: float) -> FloatArray:
        """Return the derivatives of the scaled parameters by the parameters."""
        slopes = np.eye(4)
        slopes[0, 3] = -2.0 * math.log(scale)
        return slopes

    def persistence(self, parameters: FloatArray) -> float:
        """Return the share of a deviation from the long-run (log-)variance that remains after a step."""
        return float(parameters[3])

    def _guess(self, parameters: FloatArray, residuals: FloatArray, before: float) -> FloatArray:
        """Return the last path, moved along its slopes; a residual changes by as much as the mean."""
        if self._last is None or self._last[1].slopes.shape[1] != len(residuals):
            return np.full(len(residuals), math.log(before))
        at, path = self._last
        change = np.array([-residuals[0], *parameters]) - at
        return np.asarray(path.log_variances + change @ path.slopes)


def _fading(beta: float, n: int) -> FloatArray:
    """Return the powers of beta from the first on, at most n, as long as they are not negligible."""
    count = n if beta >= 1.0 else min(n, 1 + int(_NEGLIGIBLE / math.log(max(beta, _LEAST_STAY))))
    return np.asarray(beta ** np.arange(1.0, count + 1.0))


def _logs(variances: FloatArray) -> FloatArray | None:
    """Return the logarithms of variances; None if one is not above 0 and finite."""
    least, most = variances.min(), variances.max()
    return np.log(variances) if least > 0.0 and most < math.inf else None


def _is_invertible(stays: FloatArray) -> bool:
    """Whether differences of the log-variance fade: the mean logarithm of what remains of them is below 0."""
    return bool(np.log(np.maximum(np.abs(stays), _LEAST_STAY)).mean() < 0.0)


def _egarch_path(parameters: FloatArray, residuals: FloatArray, before: float, guess: FloatArray) -> FloatArray | None:
    """Return the log-variances by Newton's method on the path; None if it does not converge."""
    omega, alpha, gamma, beta = parameters.tolist()
    logs, stays, missing = guess, np.zeros(len(residuals)), np.empty(len(residuals))
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(_PATH_STEPS):
            z = residuals[:-1] * np.exp(-0.5 * logs[:-1])
            shock = alpha * np.abs(z) + gamma * z
            stays[1:] = beta - 0.5 * shock
            missing[0] = omega + beta * before - logs[0]
            missing[1:] = omega - alpha * NORMAL_MEAN + beta * logs[:-1] + shock - logs[1:]
            change = varying_recursion(stays, missing)
            logs = logs + change
            size = float(np.abs(change).max())
            if size <= _SAME_PATH:
                return logs
            if not size < _WILD:
                return None
    return None


def _egarch_loop(parameters: FloatArray, residuals: FloatArray, before: float) -> FloatArray | None:
    """Return the log-variances one after another; None if they diverge."""
    omega, alpha, gamma, beta = parameters.tolist()
    rest = omega - alpha * NORMAL_MEAN
    logs = [omega + beta * before]
    for residual in residuals[:-1].tolist():
        last = logs[-1]
        if not abs(last) < _HIGHEST:
            return None
        z = residual * math.exp(-0.5 * last)
        logs.append(rest + alpha * abs(z) + gamma * z + beta * last)
    return np.array(logs) if abs(logs[-1]) < _HIGHEST else None
