"""A fitted GARCH model: its parameters and their standard errors, its variances, and forecasts of them."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics import normal_cdf
from bank_python.plotting import Plotted, dates, legend_beside, places
from bank_python.results import Tabular
from bank_python.risk_models.garch_likelihood import GarchLikelihood, MeanModel, Startup
from bank_python.risk_models.innovations import Innovation, mean_absolute
from bank_python.risk_models.variance_recursions import NORMAL_MEAN, Egarch, Garch, Gjr, VarianceModel

if TYPE_CHECKING:
    import datetime as dt

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["GarchFit", "GarchModel", "GarchParameters", "recursion_of"]

_AT_LIMIT = 1e-12
_SINGULAR = 1e-12  # least eigenvalue of a Hessian in units of its diagonal that is above 0 beyond rounding
_SLOW = 1e-3  # rate at which a sum of powers fades, below which it is close to an integral
_NEGLIGIBLE, _NODES = 42.0, 64  # logarithm of a share that is lost in rounding; nodes of the integral
_LEAST_BETA, _LARGEST_LOG = 1e-12, 709.0
_SHOWN_AHEAD = 20  # steps of the forecast in a picture


class GarchModel(enum.Enum):
    """Kind of variance recursion; see :mod:`bank_python.risk_models.variance_recursions`."""

    GARCH = "garch"
    GJR = "gjr"
    EGARCH = "egarch"


_RECURSIONS: dict[GarchModel, type[VarianceModel]] = {
    GarchModel.GARCH: Garch,
    GarchModel.GJR: Gjr,
    GarchModel.EGARCH: Egarch,
}


def recursion_of(model: GarchModel) -> VarianceModel:
    """Return a new variance recursion of a kind."""
    return _RECURSIONS[model]()


class GarchParameters(Mapping[str, float]):
    """Numbers by the name of a parameter, as a mapping and as attributes: mu, omega, alpha, gamma, beta, nu.

    Parameters
    ----------
    values : mapping of str to float
        Number for each parameter that the model has.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> float:
        values: dict[str, float] = object.__getattribute__(self, "_values")
        if name in values:
            return values[name]
        raise AttributeError(f"no parameter {name!r}; this model has {', '.join(values)}")

    def __dir__(self) -> list[str]:
        return [*self._values, "items", "keys", "values"]

    def __repr__(self) -> str:
        return f"GarchParameters({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"


@dataclass(frozen=True, eq=False, repr=False)
class GarchFit(Plotted, Tabular):
    """A GARCH model fitted to returns; made by :func:`~bank_python.risk_models.fit_garch`.

    Parameters
    ----------
    model : GarchModel
        Kind of variance recursion.
    distribution : Innovation
        Distribution of the standardised residuals.
    mean : MeanModel
        Mean of the returns: fitted, or 0.
    startup : Startup
        Variance before the sample.
    params : GarchParameters
        Parameters in the unit of the returns: mu, omega, alpha, gamma, beta, nu, as far as the model has them.
    loglikelihood : float
        Maximum of the log-likelihood of the returns.
    returns : ndarray, shape (n,)
        Returns in the unit in which they were given; read-only.
    variances : ndarray, shape (n,)
        Conditional variance of each return, in their unit squared; read-only.
    converged : bool
        Whether the maximum was reached.
    iterations : int
        Number of steps of the search.
    notes : tuple of str
        Remarks on the fit: limits that it reached, no convergence.
    dates : tuple of date or datetime, optional
        A date for each return; None if none were given.
    """

    model: GarchModel
    distribution: Innovation
    mean: MeanModel
    startup: Startup
    params: GarchParameters
    loglikelihood: float
    returns: FloatArray
    variances: FloatArray
    converged: bool
    iterations: int
    notes: tuple[str, ...] = ()
    dates: tuple[dt.date, ...] | None = None

    @property
    def observations(self) -> int:
        """Number of returns."""
        return len(self.returns)

    @property
    def residuals(self) -> FloatArray:
        """Returns less their mean, shape (n,)."""
        return self.returns - self.params.get("mu", 0.0)

    @property
    def volatilities(self) -> FloatArray:
        """Conditional standard deviation of each return, shape (n,)."""
        return np.sqrt(self.variances)

    @property
    def standardised_residuals(self) -> FloatArray:
        """Residuals divided by their standard deviations, shape (n,)."""
        return self.residuals / self.volatilities

    @property
    def aic(self) -> float:
        """Akaike's information criterion; less is better."""
        return 2.0 * len(self.params) - 2.0 * self.loglikelihood

    @property
    def bic(self) -> float:
        """Bayesian information criterion; less is better."""
        return len(self.params) * math.log(self.observations) - 2.0 * self.loglikelihood

    @cached_property
    def persistence(self) -> float:
        """Share of a deviation from the long-run (log-)variance that remains after a step."""
        return self._recursion.persistence(self._recursion_parameters)

    @property
    def half_life(self) -> float:
        """Number of steps in which half of a deviation from the long-run variance is gone; infinite if none goes."""
        if not 0.0 < self.persistence < self._recursion.integrated_from:
            return math.inf if self.persistence > 0.0 else 0.0
        return math.log(0.5) / math.log(self.persistence)

    @cached_property
    def long_run_variance(self) -> float:
        """Variance to which the forecasts tend, in the unit of the returns squared; infinite if there is none."""
        if self.persistence >= self._recursion.integrated_from:
            return math.inf
        level = self.params.omega / (1.0 - self.persistence)
        if self.model is not GarchModel.EGARCH:
            return level
        level += self._all_log_moments()
        return math.exp(level) if level < _LARGEST_LOG else math.inf

    @property
    def forecasts_are_means(self) -> bool:
        """Whether forecasts beyond one step are expected variances; False for an EGARCH with Student-t innovations.

        That has no expected variance two steps ahead, as the exponential of a Student-t variable has no mean; the
        forecasts are exponentials of the expected log-variance.
        """
        return self.model is not GarchModel.EGARCH or self.distribution is Innovation.NORMAL

    @property
    def standard_errors(self) -> GarchParameters:
        """Standard errors of the parameters from the Hessian; NaN for one that is at its limit or not identified."""
        return self._errors["hessian"]

    @property
    def robust_standard_errors(self) -> GarchParameters:
        """Standard errors that allow for another distribution of the innovations (Bollerslev and Wooldridge)."""
        return self._errors["robust"]

    @property
    def opg_standard_errors(self) -> GarchParameters:
        """Standard errors from the outer products of the gradients."""
        return self._errors["opg"]

    @admits(ModelError)
    def forecast(self, horizon: int = 1, *, latest: float | None = None) -> FloatArray:
        """Return the forecasts of the variance for each step up to a horizon, in the unit of the returns squared.

        Parameters
        ----------
        horizon : int, default 1
            Number of steps, at least 1.
        latest : float, optional
            Return of the step after the sample, if it is already known; the forecasts begin with the next step.

        Raises
        ------
        ModelError
            `horizon` is below 1, or `latest` is not finite.
        """
        if horizon < 1:
            raise ModelError(f"horizon={horizon} is below 1; give a number of steps", value=horizon)
        residual, variance = float(self.residuals[-1]), float(self.variances[-1])
        if latest is not None:
            if not math.isfinite(latest):
                raise ModelError(f"latest={latest!r} is not finite; give the last return", value=latest)
            variance = self._recursion.next_variance(self._recursion_parameters, residual, variance)
            residual = latest - self.params.get("mu", 0.0)
        first = self._recursion.next_variance(self._recursion_parameters, residual, variance)
        if self.model is GarchModel.EGARCH:
            return self._exponential_forecast(first, horizon)
        stays = self.persistence ** np.arange(horizon)
        built = np.concatenate([[0.0], np.cumsum(stays[:-1])])
        return np.asarray(first * stays + self.params.omega * built)

    @admits(ModelError)
    def forecast_volatility(
        self, horizon: int = 1, *, periods_per_year: float | None = None, latest: float | None = None
    ) -> float:
        """Return the forecast of the volatility over a horizon.

        Parameters
        ----------
        horizon : int, default 1
            Number of steps, at least 1.
        periods_per_year : float, optional
            Number of steps in a year, such as 252 for days of shares; the volatility is annualised if it is given, else
            that of the return over the horizon.
        latest : float, optional
            Return of the step after the sample, if it is already known.

        Raises
        ------
        ModelError
            An argument is out of range.
        """
        variances = self.forecast(horizon, latest=latest)
        if periods_per_year is None:
            return math.sqrt(float(variances.sum()))
        if not 0.0 < periods_per_year < math.inf:
            raise ModelError(
                f"periods_per_year={periods_per_year!r} is not a finite number above 0; 252 is usual for days",
                value=periods_per_year,
            )
        return math.sqrt(float(variances.mean()) * periods_per_year)

    def to_table(self) -> Table:
        """Return a table with a row for each parameter: value, standard errors, t statistic."""
        from bank_python.mntable import Table

        schema = [
            ("parameter", str),
            ("value", float),
            *((name, float | None) for name in ("standard_error", "robust_error", "t")),
        ]
        rows = []
        for name, value in self.params.items():
            error, robust = self.standard_errors[name], self.robust_standard_errors[name]
            known = {"value": value, "standard_error": error, "robust_error": robust, "t": value / robust}
            rows.append({"parameter": name, **{key: _or_none(number) for key, number in known.items()}})
        return Table.from_rows(schema, rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the returns, two conditional standard deviations around their mean, and the forecast of them."""
        at = range(self.observations) if self.dates is None else self.dates
        x, mu = np.asarray(places(at), dtype=float), self.params.get("mu", 0.0)
        axes.plot(x, self.returns, linestyle="", marker=".", markersize=2, color="0.55", label="return")
        step = float(np.median(np.diff(x)))
        ahead = x[-1] + step * np.arange(1, _SHOWN_AHEAD + 1)
        expected = np.sqrt(self.forecast(_SHOWN_AHEAD))
        for sign in (1.0, -1.0):
            label = "2 standard deviations" if sign > 0.0 else None
            axes.plot(x, mu + sign * 2.0 * self.volatilities, color="black", linestyle="-", linewidth=0.8, label=label)
            label = f"forecast, {_SHOWN_AHEAD} steps" if sign > 0.0 else None
            axes.plot(ahead, mu + sign * 2.0 * expected, color="black", linestyle=":", linewidth=1.5, label=label)
        axes.set_title(f"{self.title}: persistence {self.persistence:.3f}")
        axes.set_ylabel("return, in its unit")
        if self.dates is not None:
            dates(axes.xaxis)
        legend_beside(axes)

    @property
    def title(self) -> str:
        """Name of the model and of the distribution, such as ``GJR(1,1), Student-t``."""
        distribution = "normal" if self.distribution is Innovation.NORMAL else "Student-t"
        return f"{self.model.name}(1,1), {distribution}"

    def __rich__(self) -> object:
        from bank_python.render_volatility import garch_view

        return garch_view(self)

    @cached_property
    def _recursion(self) -> VarianceModel:
        return recursion_of(self.model)

    @property
    def _recursion_parameters(self) -> FloatArray:
        return np.array([self.params[name] for name in self._recursion.names])

    @property
    def _shape(self) -> float | None:
        return 1.0 / self.params.nu if self.distribution is Innovation.STUDENT_T else None

    def _exponential_forecast(self, first: float, horizon: int) -> FloatArray:
        """Return the forecasts of an EGARCH from the first (Nelson 1991, equation A1.6 for the normal distribution)."""
        stays = np.asarray(self.persistence ** np.arange(horizon), dtype=np.float64)
        constants = np.concatenate([[0.0], np.cumsum(self.params.omega * stays[:-1])])
        moments = np.concatenate([[0.0], np.cumsum(self._log_moments(stays[:-1]))])
        return np.asarray(np.exp(stays * math.log(first) + constants + moments))

    def _log_moments(self, powers: FloatArray) -> FloatArray:
        """Return what shocks add to the logarithm of the forecast, each shock multiplied by a power of beta."""
        alpha, gamma = self.params.alpha, self.params.gamma
        if not self.forecasts_are_means:
            return np.asarray(powers * alpha * (mean_absolute(self._shape) - NORMAL_MEAN))
        up, down = powers * (alpha + gamma), powers * (alpha - gamma)
        above = 0.5 * up * up + np.log(np.asarray(normal_cdf(up)))
        below = 0.5 * down * down + np.log(np.asarray(normal_cdf(down)))
        return np.asarray(np.logaddexp(above, below) - powers * alpha * NORMAL_MEAN)

    def _all_log_moments(self) -> float:
        """Return the sum of the log-moments at all powers of beta: directly, or by the Euler-Maclaurin formula."""
        decay = -math.log(max(self.persistence, _LEAST_BETA))
        if decay > _SLOW:
            powers = np.asarray(self.persistence ** np.arange(2.0 + _NEGLIGIBLE / decay), dtype=np.float64)
            return float(self._log_moments(powers).sum())
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        powers = 0.5 * (1.0 + nodes)
        integral = 0.5 * float(weights @ (self._log_moments(powers) / powers))
        below, last, above = self._log_moments(np.array([1.0 - _SLOW, 1.0, 1.0 + _SLOW]))
        return float(integral / decay + 0.5 * last + decay / 12.0 * (above - below) / (2.0 * _SLOW))

    @cached_property
    def _errors(self) -> dict[str, GarchParameters]:
        scale = float(self.returns.std())
        likelihood = GarchLikelihood(self.returns / scale, self._recursion, self.distribution, self.mean, self.startup)
        unit = self._unit_parameters(scale)
        slopes = self._unit_slopes(scale)
        fixed, covariances = _covariances(likelihood, unit)
        errors = {}
        for kind, covariance in covariances.items():
            variances = np.einsum("ij,jk,ik->i", slopes, covariance, slopes)
            variances[fixed] = np.nan
            named = dict(zip(likelihood.names, np.sqrt(variances).tolist(), strict=True))
            errors[kind] = GarchParameters(named)
        return errors

    def _unit_parameters(self, scale: float) -> FloatArray:
        """Return the parameters of the returns divided by a scale, with 1/nu in place of nu."""
        mean = [self.params.mu / scale] if self.mean is MeanModel.CONSTANT else []
        shape = [] if self._shape is None else [self._shape]
        return np.concatenate([mean, self._recursion.scaled(self._recursion_parameters, 1.0 / scale), shape])

    def _unit_slopes(self, scale: float) -> FloatArray:
        """Return the derivatives of the parameters by those of the returns divided by a scale."""
        inner = self._recursion.scale_slopes(scale)
        before = int(self.mean is MeanModel.CONSTANT)
        after = int(self._shape is not None)
        slopes = np.pad(inner, ((before, after), (before, after)))
        if before:
            slopes[0, 0] = scale
        if after:
            slopes[-1, -1] = -(self.params.nu**2)
        return slopes


def _covariances(
    likelihood: GarchLikelihood, parameters: FloatArray
) -> tuple[NDArray[np.bool_], dict[str, FloatArray]]:
    """Return which parameters a limit fixes, and the covariance matrices of all by kind; NaN if not identified."""
    k = len(parameters)
    limits = likelihood.limits
    active = limits.normals[np.abs(limits.slack(parameters)) <= _AT_LIMIT]
    free = _null_space(active, k)
    fixed = np.asarray((np.abs(free) <= _AT_LIMIT).all(axis=1))
    hessian = likelihood.hessian(parameters, free)
    if hessian is None or not _is_definite(hessian):
        return fixed, dict.fromkeys(("hessian", "robust", "opg"), np.full((k, k), np.nan))
    scores = free.T @ likelihood.scores(parameters)
    outer, inverse = scores @ scores.T, np.linalg.inv(hessian)
    inner = {
        "hessian": inverse,
        "robust": inverse @ outer @ inverse,
        "opg": np.linalg.inv(outer) if _is_definite(outer) else np.full_like(outer, np.nan),
    }
    return fixed, {kind: free @ matrix @ free.T for kind, matrix in inner.items()}


def _null_space(normals: FloatArray, k: int) -> FloatArray:
    """Return an orthonormal basis, shape (k, m), of the directions along active limits."""
    if not len(normals):
        return np.eye(k)
    _, sizes, rows = np.linalg.svd(normals)
    return np.asarray(rows[int((sizes > _AT_LIMIT).sum()) :].T)


def _is_definite(matrix: FloatArray) -> bool:
    diagonal = matrix.diagonal()
    if not (diagonal > 0.0).all():
        return False
    scale = 1.0 / np.sqrt(diagonal)
    return bool(np.linalg.eigvalsh(matrix * np.outer(scale, scale))[0] > _SINGULAR)


def _or_none(number: float) -> float | None:
    return number if math.isfinite(number) else None
