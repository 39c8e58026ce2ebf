r"""GARCH models: GARCH(1,1), GJR and EGARCH with normal or Student-t innovations, fitted by maximum likelihood.

.. math:: r_t = \mu + \varepsilon_t, \qquad \varepsilon_t = \sqrt{h_t}\,z_t

with a variance :math:`h_t` that depends on the past (:mod:`bank_python.risk_models.variance_recursions`) and
innovations z of unit variance. Returns may be in any unit, decimals or per cent: a sample is divided by its standard
deviation, fitted, and the parameters are scaled back.

The *start-up* is the variance before the sample: ``"backcast"``, the exponentially weighted mean of the first 75
squared residuals of the sample mean, as in the package arch; or ``"mean_square"``, the mean of all squared residuals at
the fitted mean, as in the benchmark of Fiorentini, Calzolari and Panattoni.

Examples
--------
>>> rng = np.random.default_rng(7)
>>> returns, variance = np.empty(3000), 1.0
>>> for t, z in enumerate(rng.standard_normal(3000)):
...     returns[t] = math.sqrt(variance) * z
...     variance = 0.05 + 0.1 * returns[t] ** 2 + 0.85 * variance
>>> fit = fit_garch(returns, mean="zero")
>>> fit.converged, round(fit.params.alpha, 2), round(fit.params.beta, 2)
(True, 0.09, 0.85)
>>> fit.forecast(3).round(3)
array([1.375, 1.349, 1.324])

References
----------
T. Bollerslev, "Generalized autoregressive conditional heteroskedasticity", Journal of Econometrics 31 (1986), 307-327.

T. Bollerslev and J. M. Wooldridge, "Quasi-maximum likelihood estimation and inference in dynamic models with
time-varying covariances", Econometric Reviews 11 (1992), 143-172: the robust standard errors.

G. Fiorentini, G. Calzolari and L. Panattoni, "Analytic derivatives and the computation of GARCH estimates", Journal of
Applied Econometrics 11 (1996), 399-417; B. D. McCullough and C. G. Renfro, "Benchmarks and software standards: a case
study of GARCH procedures", Journal of Economic and Social Measurement 25 (1999), 59-71.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError
from bank_python.numerics.observation_dates import checked_dates, dates_of
from bank_python.risk_models.garch_fit import GarchFit, GarchModel, GarchParameters, recursion_of
from bank_python.risk_models.garch_likelihood import GarchLikelihood, MeanModel, Startup
from bank_python.risk_models.innovations import FEWEST_DEGREES, MOST_DEGREES, Innovation
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.numerics.scoring import ScoringResult
    from bank_python.risk_models.variance_recursions import VarianceModel

__all__ = ["fit_garch"]

FEWEST = 50
_CONSTANT = 1e-10  # standard deviation relative to the largest return, up to which a sample is constant
_SMALLEST = 1e-60  # returns with a variance of a variance that is a number
_AT_LIMIT = 1e-9
_ROUNDED = 1e-12  # a parameter of a sample of unit variance that is 0 but for rounding

_Member = TypeVar("_Member", bound=enum.Enum)


@admits(CalibrationError)
def fit_garch(
    returns: ArrayLike,
    model: GarchModel | str = GarchModel.GARCH,
    distribution: Innovation | str = Innovation.NORMAL,
    mean: MeanModel | str = MeanModel.CONSTANT,
    startup: Startup | str = Startup.BACKCAST,
) -> GarchFit:
    """Fit a GARCH model to returns by maximum likelihood.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns at equal steps of time, the oldest first, in any unit; at least 50, some hundreds for useful estimates.
        The index of a series is kept if it holds dates.
    model : {"garch", "gjr", "egarch"}, default "garch"
        Variance recursion.
    distribution : {"normal", "t"}, default "normal"
        Distribution of the standardised residuals.
    mean : {"constant", "zero"}, default "constant"
        Mean of the returns: fitted, or 0.
    startup : {"backcast", "mean_square"}, default "backcast"
        Variance before the sample.

    Raises
    ------
    CalibrationError
        There are too few returns, one is not finite, they are constant, the largest is beyond 1e-60 to 1e60, or the
        likelihood is nowhere defined.
    RiskError
        The dates of a series do not ascend.

    Notes
    -----
    A fit that has not converged is returned with ``converged=False`` and a note, as is one that reaches a limit:
    omega at least 1e-8 of the variance, alpha and alpha + gamma and beta at least 0, persistence at most 1, nu from
    2.05 to 500.
    """
    kinds = (
        _member(GarchModel, model, "model"),
        _member(Innovation, distribution, "distribution"),
        _member(MeanModel, mean, "mean"),
        _member(Startup, startup, "startup"),
    )
    sample = _checked(returns)
    dates = dates_of(returns)
    days = None if dates is None else checked_dates(dates, len(sample))
    scale = float(sample.std())
    likelihood = GarchLikelihood(sample / scale, recursion_of(kinds[0]), *kinds[1:])
    found = likelihood.fit()
    logs = likelihood.log_variances(found.parameters)
    if logs is None or not math.isfinite(found.value):
        raise CalibrationError("the variances of the model diverge from every start; try another model or longer data")
    variances = scale * scale * np.exp(logs)
    variances.setflags(write=False)
    return GarchFit(
        *kinds,
        _named(likelihood, found.parameters, scale),
        -found.value - len(sample) * math.log(scale),
        sample,
        variances,
        found.converged,
        found.iterations,
        _notes(likelihood, found),
        days,
    )


def _member(kind: type[_Member], value: _Member | str, name: str) -> _Member:
    if isinstance(value, kind):
        return value
    known = [member.value for member in kind]
    if isinstance(value, str) and value.lower() in known:
        return kind(value.lower())
    advice = did_you_mean(value, known, f"choose one of {', '.join(known)}")
    raise CalibrationError(f"no {name} {value!r}; {advice}", value=value)


def _checked(returns: ArrayLike) -> FloatArray:
    sample = np.array(returns, dtype=np.float64)
    if sample.ndim != 1:
        raise CalibrationError(f"returns of shape {sample.shape}; give one series", value=sample.shape)
    if len(sample) < FEWEST:
        raise CalibrationError(
            f"{len(sample)} returns are too few for a GARCH model; give at least {FEWEST}, better 500, or use an EWMA",
            value=len(sample),
        )
    bad = np.flatnonzero(~np.isfinite(sample))
    if bad.size:
        value = float(sample[bad[0]])
        raise CalibrationError(
            f"return {value!r} (number {bad[0]}) is not finite; leave it out, or correct it", value=value
        )
    largest = float(np.abs(sample).max())
    if largest > 0.0 and not _SMALLEST < largest < 1.0 / _SMALLEST:
        raise CalibrationError(
            f"the largest return is {largest:g}; give returns in another unit, such as per cent", value=largest
        )
    spread = float((sample / largest).std()) if largest > 0.0 else 0.0
    if not spread > _CONSTANT:
        raise CalibrationError(
            f"the returns are constant at {float(sample[0])!r}, up to rounding; they have no volatility to fit",
            value=float(sample[0]),
        )
    sample.setflags(write=False)
    return sample


def _named(likelihood: GarchLikelihood, unit: FloatArray, scale: float) -> GarchParameters:
    """Return the parameters in the unit of the returns, those at a limit exactly there."""
    model: VarianceModel = likelihood.model
    values = {}
    parameters = unit
    if likelihood.names[0] == "mu":
        values["mu"], parameters = scale * float(unit[0]), parameters[1:]
    inner = parameters[: len(model.names)]
    recursion = model.scaled(np.where(np.abs(inner) <= _ROUNDED, 0.0, inner), scale)
    values |= dict(zip(model.names, recursion.tolist(), strict=True))
    if likelihood.names[-1] == "nu":
        nu = 1.0 / float(unit[-1])
        values["nu"] = next((most for most in (FEWEST_DEGREES, MOST_DEGREES) if math.isclose(nu, most)), nu)
    return GarchParameters(values)


def _notes(likelihood: GarchLikelihood, found: ScoringResult) -> tuple[str, ...]:
    notes = []
    if not found.converged:
        notes.append(
            f"not converged after {found.iterations} steps: the next step would be "
            f"{math.sqrt(max(found.decrement, 0.0)):.2g} standard errors long"
        )
    if found.blocked:
        notes.append(
            "the likelihood rises up to parameters for which the variances diverge or never forget their start"
        )
    if likelihood.starts_still:
        notes.append(
            "the sample begins with returns of 0: the variance before it is taken as 1e-6 of that of the sample"
        )
    slack = likelihood.limits.slack(found.parameters)
    notes += [note for note, left in zip(likelihood.limit_notes, slack, strict=True) if left <= _AT_LIMIT]
    return tuple(notes)
