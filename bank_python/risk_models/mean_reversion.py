r"""How fast a series returns to its mean: half-life, Ornstein-Uhlenbeck process, rolling z-scores.

The first-order autoregression :math:`X_{t+1} = a + b X_t + \zeta_{t+1}` halves a deviation from its mean in

.. math:: h = -\frac{\ln 2}{\ln b}

periods if 0 < b < 1. It is the Ornstein-Uhlenbeck process :math:`dX = \kappa (m - X)\,dt + \sigma\,dW` observed at
equal periods, N of them in a year, with

.. math:: \kappa = -N \ln b, \qquad m = \frac{a}{1 - b}, \qquad
          \sigma_{eq} = \sqrt{\frac{\operatorname{Var} \zeta}{1 - b^2}}, \qquad \sigma = \sigma_{eq} \sqrt{2\kappa} ,

and the *s-score* :math:`(X - m)/\sigma_{eq}` is the distance from the mean in standard deviations. Least squares
finds b too low, by about (1 + 3b)/n, so half-lives come out too short; and the interval by the normal distribution is
rough where b is close to 1. Whether a series reverts at all is a question for :func:`bank_python.risk_models.adf_test`.

Examples
--------
>>> process = OrnsteinUhlenbeck.from_ar1(0.001, 0.95, 0.0001, last=0.05, periods_per_year=252)
>>> round(process.kappa, 6), round(process.mean, 6), round(process.sigma_eq, 6), round(process.s_score, 6)
(12.92591, 0.02, 0.032026, 0.93675)
>>> z_score([1.0, 2.0, 3.0, 6.0], lookback=3).round(4).tolist()
[nan, nan, 1.0, 1.1209]

References
----------
M. Avellaneda and J.-H. Lee, "Statistical arbitrage in the US equities market", Quantitative Finance 10 (2010), 761-782,
appendix A.

M. G. Kendall, "Note on bias in the estimation of autocorrelation", Biometrika 41 (1954), 403-404.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.normal import normal_quantile
from bank_python.numerics.rolling import rolling_means, rolling_variances
from bank_python.numerics.tolerances import EPSILON, LAST_DIGITS
from bank_python.results import Figures
from bank_python.risk_models.observations import finite_series, periods_in_year, window_length
from bank_python.risk_models.unit_root import require_variation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["HalfLife", "OrnsteinUhlenbeck", "first_autoregressions", "fit_ou", "half_life", "half_life_of", "z_score"]

_FEWEST = 10
_FEWEST_IN_WINDOW = 2
_PERFECT = 8.0 * EPSILON  # deviation of the residuals, as a share of the largest value, that is rounding


@dataclass(frozen=True, slots=True)
class HalfLife(Figures):
    """The time in which half of a deviation from the mean disappears; returned by :func:`half_life`.

    Parameters
    ----------
    half_life : float
        Half-life in periods: infinite for φ ≥ 1, 0 for φ ≤ 0.
    low, high : float
        Ends of its confidence interval in periods; the upper end is infinite if φ ≥ 1 is in the interval of φ.
    phi : float
        Coefficient φ of the last value in the first-order autoregression.
    phi_error : float
        Standard error of φ.
    observations : int
        Number of values of the series.
    confidence : float
        Probability of the interval, for example 0.95.
    """

    half_life: float
    low: float
    high: float
    phi: float
    phi_error: float
    observations: int
    confidence: float

    @property
    def reverts(self) -> bool:
        """Whether the estimate returns to its mean: φ is below 1."""
        return self.phi < 1.0

    @property
    def corrected(self) -> float:
        """Half-life in periods of φ corrected for its bias by Kendall's formula; infinite if that is 1 or more."""
        n = self.observations - 1
        return half_life_of((n * self.phi + 1.0) / (n - 3.0))

    @property
    def verdict(self) -> str:
        """The half-life and its interval, or that the series does not revert, in words."""
        if not self.reverts:
            return f"does not revert: φ = {self.phi:.4f} is not below 1"
        if self.phi <= 0.0:
            return f"reverts within a period and overshoots: φ = {self.phi:.4f}"
        high = "no upper end" if math.isinf(self.high) else f"{self.high:.3g}"
        return f"half-life {self.half_life:.3g} periods ({self.confidence:.0%}: {self.low:.3g} to {high})"


@dataclass(frozen=True, slots=True)
class OrnsteinUhlenbeck(Figures):
    """An Ornstein-Uhlenbeck process; returned by :func:`fit_ou`.

    Parameters
    ----------
    kappa : float
        Speed of reversion κ per year, above 0.
    mean : float
        Mean m in the unit of the series.
    sigma_eq : float
        Standard deviation about the mean in the long run, in the unit of the series.
    sigma : float
        Volatility of the noise per root of a year, in the unit of the series.
    s_score : float
        Last value less the mean, in units of `sigma_eq`.
    half_life : float
        Half-life in periods.
    phi : float
        Coefficient of the last value in the first-order autoregression, in (0, 1).
    last : float
        Last value of the series.
    periods_per_year : float
        Number of periods in a year.
    """

    kappa: float
    mean: float
    sigma_eq: float
    sigma: float
    s_score: float
    half_life: float
    phi: float
    last: float
    periods_per_year: float

    @classmethod
    @admits(ModelError)
    def from_ar1(
        cls, intercept: float, phi: float, variance: float, *, last: float, periods_per_year: float
    ) -> OrnsteinUhlenbeck:
        """Return the process with a given first-order autoregression.

        Parameters
        ----------
        intercept : float
            Constant a of the autoregression.
        phi : float
            Coefficient b of the last value, in (0, 1).
        variance : float
            Variance of the residuals, above 0.
        last : float
            Last value of the series.
        periods_per_year : float
            Number of periods in a year, above 0.

        Raises
        ------
        CalibrationError
            The coefficient is not in (0, 1): the series does not revert, or overshoots.
        ModelError
            A figure is not finite, or the variance or the number of periods is not above 0.
        """
        periods = periods_in_year(periods_per_year)
        for name, value in (("intercept", intercept), ("phi", phi), ("variance", variance), ("last", last)):
            if not math.isfinite(value) or (name == "variance" and value <= 0.0):
                raise ModelError(f"{name}={value!r} is no possible figure; correct it", name=name, value=value)
        if not 0.0 < phi < 1.0:
            said = "does not revert to a mean" if phi >= 1.0 else "overshoots its mean in each period"
            raise CalibrationError(
                f"the series {said}: its coefficient on the last value is {phi:.6g}, and an Ornstein-Uhlenbeck process "
                "needs one in (0, 1); test it with adf_test, or give a longer series",
                name="phi",
                value=phi,
            )
        kappa = -math.log(phi) * periods
        mean, sigma_eq = intercept / (1.0 - phi), math.sqrt(variance / ((1.0 - phi) * (1.0 + phi)))
        score, sigma = (last - mean) / sigma_eq, sigma_eq * math.sqrt(2.0 * kappa)
        return cls(kappa, mean, sigma_eq, sigma, score, half_life_of(phi), phi, last, periods)

    @admits(ModelError)
    def score(self, level: ArrayLike) -> FloatArray:
        """Return the s-scores of levels: their distances from the mean in units of `sigma_eq`."""
        return np.asarray((np.asarray(level, dtype=np.float64) - self.mean) / self.sigma_eq)

    @admits(ModelError)
    def reverts_within(self, periods: float) -> bool:
        """Return whether the reversion time 1/κ is shorter than some periods.

        Avellaneda and Lee trade only shares with a reversion time below 30 days, half of their window: κ > 252/30.

        Parameters
        ----------
        periods : float
            Longest reversion time in periods.
        """
        return self.kappa * periods > self.periods_per_year


@admits(ModelError)
def half_life(series: ArrayLike, *, confidence: float = 0.95) -> HalfLife:
    """Return the half-life of deviations from the mean, by a first-order autoregression with a constant.

    Parameters
    ----------
    series : array_like, shape (n,)
        Levels of equal periods, such as a spread, oldest first, finite; at least ten.
    confidence : float, default 0.95
        Probability of the interval, in (0, 1).

    Raises
    ------
    CalibrationError
        The series does not vary.
    ModelError
        There are too few values, one is not finite, or the confidence is out of range.
    """
    known = _checked(series)
    if not 0.0 < confidence < 1.0:
        raise ModelError(
            f"confidence={confidence!r} is outside (0, 1); 0.95 is usual", name="confidence", value=confidence
        )
    largest = float(np.abs(known).max())
    _, slopes, variances, errors = first_autoregressions((known / largest)[None])
    phi, error = float(slopes[0]), float(errors[0])
    if math.sqrt(variances[0]) <= _PERFECT:
        error = 0.0
    width = float(normal_quantile(0.5 * (1.0 + confidence))) * error
    return HalfLife(
        half_life=half_life_of(phi),
        low=half_life_of(phi - width),
        high=half_life_of(phi + width),
        phi=phi,
        phi_error=error,
        observations=len(known),
        confidence=float(confidence),
    )


@admits(ModelError)
def fit_ou(series: ArrayLike, periods_per_year: float) -> OrnsteinUhlenbeck:
    """Fit an Ornstein-Uhlenbeck process to a series by a first-order autoregression.

    Parameters
    ----------
    series : array_like, shape (n,)
        Levels of equal periods, such as a spread, oldest first, finite; at least ten.
    periods_per_year : float
        Number of periods in a year, such as 252 for daily data of shares.

    Raises
    ------
    CalibrationError
        The series does not vary, has no noise, or does not revert: the coefficient on the last value is not in (0, 1).
    ModelError
        There are too few values, one is not finite, or the number of periods is not above 0.

    Notes
    -----
    The variance of the residuals is divided by their number less two.
    """
    known = _checked(series)
    largest = float(np.abs(known).max())
    constants, slopes, variances, _ = first_autoregressions((known / largest)[None])
    if math.sqrt(variances[0]) <= _PERFECT:
        raise CalibrationError("each value follows from the one before to rounding, so there is no noise to measure")
    return OrnsteinUhlenbeck.from_ar1(
        float(constants[0]) * largest,
        float(slopes[0]),
        float(variances[0]) * largest * largest,
        last=float(known[-1]),
        periods_per_year=periods_per_year,
    )


@admits(ModelError)
def z_score(series: ArrayLike, lookback: int, *, include_current: bool = True) -> FloatArray:
    """Return how many standard deviations each value is from the mean of the latest values until then.

    Parameters
    ----------
    series : array_like, shape (n,)
        Values of equal periods, such as a spread, oldest first, finite.
    lookback : int
        Number of values in the mean and in the standard deviation (divisor lookback − 1), at least 2.
    include_current : bool, default True
        Whether the value itself is the last one of its window; otherwise the window ends with the one before.

    Returns
    -------
    ndarray, shape (n,)
        Scores; NaN for the values before which there is no whole window, and where a window does not vary, to rounding.
        No score depends on later values.

    Raises
    ------
    ModelError
        A value is not finite, or the window is longer than the series.
    """
    known = finite_series("series", series)
    before = 0 if include_current else 1
    length = window_length("lookback", lookback, len(known) - before, _FEWEST_IN_WINDOW)
    largest = float(np.abs(known).max())
    scaled = known / largest if largest > 0.0 else known
    past = scaled[: len(scaled) - before]
    means, deviations = rolling_means(past, length), np.sqrt(rolling_variances(past, length))
    varies = deviations > LAST_DIGITS * np.hypot(means, deviations)
    scores = np.full(len(known), math.nan)
    now = scaled[length - 1 + before :]
    np.divide(now - means, deviations, out=scores[length - 1 + before :], where=varies)
    return scores


def half_life_of(phi: float) -> float:
    """Return the half-life in periods of a first-order autoregression: infinite for φ ≥ 1, 0 for φ ≤ 0.

    Parameters
    ----------
    phi : float
        Coefficient of the last value.
    """
    if phi >= 1.0:
        return math.inf
    return -math.log(2.0) / math.log(phi) if phi > 0.0 else 0.0


def first_autoregressions(paths: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return constants, slopes, residual variances and errors of the slopes of autoregressions of several series.

    Parameters
    ----------
    paths : ndarray, shape (m, n)
        Series in rows, which vary; at least four values.
    """
    before, after = paths[:, :-1], paths[:, 1:]
    first, second = before.mean(axis=1), after.mean(axis=1)
    x, y = before - first[:, None], after - second[:, None]
    squares = (x * x).sum(axis=1)
    slopes = (x * y).sum(axis=1) / squares
    residuals = y - slopes[:, None] * x
    variances = (residuals * residuals).sum(axis=1) / (before.shape[1] - 2)
    return second - slopes * first, slopes, variances, np.sqrt(variances / squares)


def _checked(series: ArrayLike) -> FloatArray:
    known = finite_series("series", series, _FEWEST)
    require_variation("series", known)
    require_variation("series without its last value", known[:-1])
    return known
