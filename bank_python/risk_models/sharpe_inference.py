r"""What a Sharpe ratio is worth: its standard error, and how much of it chance and search could have made.

With the Sharpe ratio :math:`\widehat{SR}` of one period over n periods, skewness :math:`\gamma_3` and kurtosis
:math:`\gamma_4` (3 for normal returns),

.. math:: \hat\sigma^2 = \frac{1 - \gamma_3 \widehat{SR} + \tfrac{\gamma_4 - 1}{4} \widehat{SR}^2}{n - 1}, \qquad
   \mathrm{PSR}(SR^*) = \Phi\!\left(\frac{\widehat{SR} - SR^*}{\hat\sigma}\right)

is the probability that the true ratio exceeds :math:`SR^*`. The best of N trials without any skill, whose ratios have
the variance V, has about the ratio

.. math:: SR_0 = \sqrt V \left( (1 - \gamma) \Phi^{-1}(1 - \tfrac1N) + \gamma \Phi^{-1}(1 - \tfrac1{Ne}) \right),

with Euler's constant γ; PSR(SR₀) is the *deflated* Sharpe ratio. All ratios are those of one period: divide an annual
one by the root of the periods in a year.

Examples
--------
>>> round(probabilistic_sharpe(0.458, 24, skew=-2.448, kurtosis=10.164), 3)
0.913
>>> best = expected_maximum_sharpe(46, variance=0.5 / 250)
>>> round(deflated_sharpe(2.5 / 250**0.5, 1_250, best, skew=-3.0, kurtosis=10.0), 4)
0.9505

References
----------
D. H. Bailey and M. López de Prado, "The Sharpe ratio efficient frontier", Journal of Risk 15(2) (2012), 3-44: PSR,
minimum track record. D. H. Bailey and M. López de Prado, "The deflated Sharpe ratio", Journal of Portfolio Management
40(5) (2014), 94-107. A. W. Lo, "The statistics of Sharpe ratios", Financial Analysts Journal 58(4) (2002), 36-52:
standard errors, annualisation under autocorrelation.
"""

from __future__ import annotations

import math

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.normal import normal_cdf, normal_quantile
from bank_python.numerics.ranges import number_in_range

__all__ = [
    "annualised_sharpe",
    "deflated_sharpe",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "probabilistic_sharpe",
    "sharpe_standard_error",
]

_EULER = 0.57721566490153286061
_NORMAL_KURTOSIS = 3.0
_LEAST, _LARGEST, _STEP = -8.0, 38.0, 0.005  # of an integral over normal figures


@admits(ModelError)
def sharpe_standard_error(sharpe: float, n: float, *, skew: float = 0.0, kurtosis: float = _NORMAL_KURTOSIS) -> float:
    """Return the standard error of a Sharpe ratio of one period.

    Parameters
    ----------
    sharpe : float
        Sharpe ratio of one period.
    n : float
        Number of periods, above 1.
    skew : float, default 0.0
        Skewness of the returns.
    kurtosis : float, default 3.0
        Kurtosis of the returns, at least 1 + skew²; 3 for normal returns.

    Raises
    ------
    ModelError
        A figure is not finite or out of range.
    """
    count = number_in_range("n", n, ModelError, above=1.0)
    return math.sqrt(_variance(sharpe, skew, kurtosis) / (count - 1.0))


@admits(ModelError)
def probabilistic_sharpe(
    sharpe: float, n: float, benchmark: float = 0.0, *, skew: float = 0.0, kurtosis: float = _NORMAL_KURTOSIS
) -> float:
    """Return the probability that the true Sharpe ratio exceeds a benchmark.

    Parameters
    ----------
    sharpe : float
        Observed Sharpe ratio of one period.
    n : float
        Number of periods, above 1.
    benchmark : float, default 0.0
        Sharpe ratio of one period to exceed.
    skew : float, default 0.0
        Skewness of the returns.
    kurtosis : float, default 3.0
        Kurtosis of the returns, at least 1 + skew².

    Raises
    ------
    ModelError
        A figure is not finite or out of range.
    """
    error = sharpe_standard_error(sharpe, n, skew=skew, kurtosis=kurtosis)
    gap = sharpe - number_in_range("benchmark", benchmark, ModelError)
    if error == 0.0:
        return 0.5 if gap == 0.0 else float(gap > 0.0)
    return float(normal_cdf(gap / error))


@admits(ModelError)
def expected_maximum_sharpe(n_trials: float, variance: float, *, is_exact: bool = False) -> float:
    """Return the Sharpe ratio that the best of some trials has on average if none of them has skill.

    The formula of the paper is 8 per cent too small for two trials, and up to 3 per cent too large for more.

    Parameters
    ----------
    n_trials : float
        Number of independent trials, at least 1; 0 is returned for one.
    variance : float
        Variance of the trials' Sharpe ratios, at least 0; the result is in the period of its root.
    is_exact : bool, default False
        Whether the mean of the largest of so many normal figures is integrated, in place of the paper's formula.

    Raises
    ------
    ModelError
        A figure is not finite or out of range.
    """
    trials = number_in_range("n_trials", n_trials, ModelError, least=1.0)
    spread = math.sqrt(number_in_range("variance", variance, ModelError, least=0.0))
    if trials == 1.0:
        return 0.0
    if is_exact:
        return spread * _mean_of_largest(trials)
    first, second = -float(normal_quantile(1.0 / trials)), -float(normal_quantile(1.0 / (trials * math.e)))
    return spread * ((1.0 - _EULER) * first + _EULER * second)


@admits(ModelError)
def deflated_sharpe(
    sharpe: float, n: float, expected_maximum: float, *, skew: float = 0.0, kurtosis: float = _NORMAL_KURTOSIS
) -> float:
    """Return the probability that a ratio found by search exceeds what the best of the trials has by chance.

    Parameters
    ----------
    sharpe : float
        Sharpe ratio of one period of the chosen trial.
    n : float
        Number of periods, above 1.
    expected_maximum : float
        Sharpe ratio of one period of the best trial without skill; see :func:`expected_maximum_sharpe`.
    skew : float, default 0.0
        Skewness of the returns.
    kurtosis : float, default 3.0
        Kurtosis of the returns, at least 1 + skew².

    Raises
    ------
    ModelError
        A figure is not finite or out of range.
    """
    return probabilistic_sharpe(sharpe, n, expected_maximum, skew=skew, kurtosis=kurtosis)


@admits(ModelError)
def minimum_track_record(
    sharpe: float,
    benchmark: float = 0.0,
    *,
    confidence: float = 0.95,
    skew: float = 0.0,
    kurtosis: float = _NORMAL_KURTOSIS,
) -> float:
    """Return the number of periods from which on a Sharpe ratio is above a benchmark with some confidence.

    Parameters
    ----------
    sharpe : float
        Observed Sharpe ratio of one period.
    benchmark : float, default 0.0
        Sharpe ratio of one period to exceed.
    confidence : float, default 0.95
        Probability that the true ratio exceeds the benchmark, in (0, 1).
    skew : float, default 0.0
        Skewness of the returns.
    kurtosis : float, default 3.0
        Kurtosis of the returns, at least 1 + skew².

    Returns
    -------
    float
        Number of periods; infinite if the observed ratio is not above the benchmark.

    Raises
    ------
    ModelError
        A figure is not finite or out of range.
    """
    level = number_in_range("confidence", confidence, ModelError, above=0.0, most=1.0)
    if level == 1.0:
        raise ModelError("confidence=1.0 needs an infinite record; give one below 1, such as 0.95", name="confidence")
    gap = number_in_range("sharpe", sharpe, ModelError) - number_in_range("benchmark", benchmark, ModelError)
    variance = _variance(sharpe, skew, kurtosis)
    if gap <= 0.0:
        return math.inf
    ratio = float(normal_quantile(level)) / gap
    return 1.0 + variance * (ratio * ratio)  # infinite for a gap near 0, where a power would raise


@admits(ModelError)
def annualised_sharpe(sharpe: float, periods: float, *, autocorrelation: float = 0.0) -> float:
    r"""Return the Sharpe ratio of a year of returns whose autocorrelation at lag k is :math:`\rho^k`.

    Parameters
    ----------
    sharpe : float
        Sharpe ratio of one period.
    periods : float
        Number of periods in a year, at least 1.
    autocorrelation : float, default 0.0
        Autocorrelation ρ at the first lag, in (-1, 1); 0 gives the root of the periods.

    Raises
    ------
    ModelError
        A figure is not finite or out of range.
    """
    q = number_in_range("periods", periods, ModelError, least=1.0)
    rho = number_in_range("autocorrelation", autocorrelation, ModelError, above=-1.0, most=1.0)
    if rho == 1.0:
        raise ModelError("autocorrelation=1.0 makes all returns one; give a number below 1", name="autocorrelation")
    spread = 1.0 + 2.0 * rho / (1.0 - rho) * (1.0 - (1.0 - rho**q) / (q * (1.0 - rho)))
    return number_in_range("sharpe", sharpe, ModelError) * math.sqrt(q / spread)


def _mean_of_largest(count: float) -> float:
    """Return the mean of the largest of some normal figures, ∫ x n φ(x) Φ(x)ⁿ⁻¹ dx by the rule of trapezoids."""
    x = np.arange(_LEAST, _LARGEST, _STEP)
    others = np.exp((count - 1.0) * np.log1p(-normal_cdf(-x)))
    density = count * np.exp(-0.5 * x**2) / math.sqrt(2.0 * math.pi) * others
    return float((x * density).sum() * _STEP)


def _variance(sharpe: float, skew: float, kurtosis: float) -> float:
    """Return the variance of a Sharpe ratio, times the number of periods less one."""
    ratio, asymmetry = number_in_range("sharpe", sharpe, ModelError), number_in_range("skew", skew, ModelError)
    hint = "a kurtosis is at least 1 + skew²; that of normal returns is 3"
    tails = number_in_range("kurtosis", kurtosis, ModelError, least=1.0 + asymmetry**2, hint=hint)
    return max(1.0 - asymmetry * ratio + 0.25 * (tails - 1.0) * ratio**2, 0.0)
