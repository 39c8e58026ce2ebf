r"""Backtests of value at risk and expected shortfall: number, independence and size of the exceptions.

An *exception* is a day whose loss exceeded the value at risk forecast for it. If an exception has probability p and
x of n days are exceptions, Kupiec's test of the proportion of failures is

.. math:: LR_{POF} = -2\log\frac{(1 - p)^{n - x} p^x}{(1 - x/n)^{n - x} (x/n)^x} \sim \chi^2_1

Christoffersen also tests whether exceptions cluster: the likelihood ratio of a first-order Markov chain against
independent days, :math:`LR_{ind} \sim \chi^2_1`, and of both tests together,
:math:`LR_{cc} = LR_{POF} + LR_{ind} \sim \chi^2_2`. The Basel traffic light is the cumulative probability of at most
x exceptions. Acerbi and Székely compare the size of the exceptions with the expected shortfall that was forecast.

Examples
--------
>>> test = kupiec_test(5, 250, 0.01)
>>> round(test.statistic, 4), round(test.p_value, 4)
(1.9568, 0.1619)
>>> traffic_light(5, 250).zone
'yellow'

References
----------
P. Kupiec, "Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3 (1995), 73-84.

P. Christoffersen, "Evaluating interval forecasts", International Economic Review 39 (1998), 841-862.

Basel Committee on Banking Supervision, "Supervisory framework for the use of backtesting" (1996), table 2.

C. Acerbi and B. Székely, "Backtesting expected shortfall", Risk (December 2014): tests 1 and 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError, RiskError
from bank_python.numerics import normal_cdf
from bank_python.numerics.columns import to_columns
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "AcerbiSzekely",
    "ChristoffersenTest",
    "KupiecTest",
    "TrafficLight",
    "acerbi_szekely_test",
    "christoffersen_test",
    "kupiec_test",
    "traffic_light",
]

_YELLOW, _RED = 0.95, 0.9999


@dataclass(frozen=True, slots=True)
class KupiecTest(Figures):
    """Result of Kupiec's test of unconditional coverage.

    Parameters
    ----------
    statistic : float
        Likelihood ratio, at least 0.
    p_value : float
        Probability of a ratio at least as large if the model is correct, in [0, 1].
    """

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ChristoffersenTest(Figures):
    """Result of Christoffersen's test of conditional coverage.

    Parameters
    ----------
    statistic, p_value : float
        Likelihood ratio of coverage and independence together, and its p-value.
    coverage, independence : KupiecTest
        Separate tests of the number of exceptions and of their independence.
    """

    statistic: float
    p_value: float
    coverage: KupiecTest
    independence: KupiecTest


@dataclass(frozen=True, slots=True)
class TrafficLight(Figures):
    """Basel traffic light of a number of exceptions.

    Parameters
    ----------
    zone : {"green", "yellow", "red"}
        Zone by the cumulative probability: green below 95 %, yellow below 99.99 %, red from there on.
    cumulative : float
        Probability of at most that number of exceptions if the model is correct, in [0, 1].
    """

    zone: str
    cumulative: float


@dataclass(frozen=True, slots=True)
class AcerbiSzekely(Figures):
    """Statistics of Acerbi and Székely: near 0 if the forecasts were correct, negative if losses were larger.

    Parameters
    ----------
    z1 : float
        Test 1, of the mean size of the exceptions; NaN if there were none.
    z2 : float
        Test 2, of the size and the number of the exceptions together.
    """

    z1: float
    z2: float


@admits(RiskError)
def kupiec_test(exceptions: int, observations: int, probability: float) -> KupiecTest:
    """Test whether the number of exceptions agrees with their probability.

    Parameters
    ----------
    exceptions, observations : int
        Number of days with an exception, and number of all days.
    probability : float
        Probability of an exception on a day, in (0, 0.5]: 0.01 for a value at risk at 99 % confidence.

    Raises
    ------
    ModelError
        The counts are impossible, or the probability is not in (0, 0.5].
    """
    _check_counts(exceptions, observations, probability)
    x, n = exceptions, observations
    rate = x / n
    statistic = -2.0 * (_likelihood(n - x, x, probability) - _likelihood(n - x, x, rate))
    return _chi_square_test(statistic)


@admits(RiskError)
def christoffersen_test(hits: ArrayLike, probability: float) -> ChristoffersenTest:
    """Test whether exceptions have the expected frequency and are independent of each other.

    Parameters
    ----------
    hits : array_like of bool, shape (n_days,)
        Whether each day had an exception, the oldest day first.
    probability : float
        Probability of an exception on a day, in (0, 1).

    Raises
    ------
    ModelError
        There are fewer than two days, or the probability is not in (0, 1).
    """
    days = np.asarray(hits).reshape(-1).astype(bool)
    if len(days) < 2:  # noqa: PLR2004 - a transition has two days
        raise ModelError(f"{len(days)} days: a test of independence needs at least two", value=len(days))
    coverage = kupiec_test(int(days.sum()), len(days), probability)
    before, after = days[:-1], days[1:]
    counts = {(a, b): int(((before == a) & (after == b)).sum()) for a in (False, True) for b in (False, True)}
    n00, n01, n10, n11 = (counts[pair] for pair in ((False, False), (False, True), (True, False), (True, True)))
    rate = (n01 + n11) / (len(days) - 1)
    chain = _likelihood(n00, n01, _share(n01, n00)) + _likelihood(n10, n11, _share(n11, n10))
    independence = _chi_square_test(-2.0 * (_likelihood(n00 + n10, n01 + n11, rate) - chain))
    both = coverage.statistic + independence.statistic
    return ChristoffersenTest(both, math.exp(-0.5 * both), coverage, independence)


@admits(RiskError)
def traffic_light(exceptions: int, observations: int, probability: float = 0.01) -> TrafficLight:
    """Return the Basel zone of a number of exceptions.

    Parameters
    ----------
    exceptions, observations : int
        Number of days with an exception, and number of all days.
    probability : float, default 0.01
        Probability of an exception on a day, in (0, 1).

    Raises
    ------
    ModelError
        The counts are impossible, or the probability is not in (0, 1).
    """
    _check_counts(exceptions, observations, probability)
    cumulative = math.fsum(_binomial(k, observations, probability) for k in range(exceptions + 1))
    zone = "green" if cumulative < _YELLOW else "yellow" if cumulative < _RED else "red"
    return TrafficLight(zone, min(cumulative, 1.0))


@admits(RiskError)
def acerbi_szekely_test(pnl: ArrayLike, var: ArrayLike, es: ArrayLike, probability: float) -> AcerbiSzekely:
    """Compare losses with the forecasts of their value at risk and expected shortfall.

    Parameters
    ----------
    pnl : array_like, shape (n_days,)
        P&L of each day in currency units, positive for a profit.
    var, es : array_like
        Value at risk and expected shortfall forecast for each day, or one forecast for all days; positive for a loss,
        `es` above 0.
    probability : float
        Probability of an exception on a day, in (0, 1): 0.025 for a confidence of 97.5 %.

    Raises
    ------
    ModelError
        The probability is not in (0, 1), or an expected shortfall is not above 0.
    """
    _, (profits, at_risk, shortfall) = to_columns(pnl, var, es)
    _check_counts(0, profits.size, probability)
    if not (shortfall > 0.0).all():
        least = float(shortfall.min())
        raise ModelError(f"an expected shortfall is {least:g}, not above 0, and the test divides by it", value=least)
    hits = profits < -at_risk
    ratios: FloatArray = profits[hits] / shortfall[hits]
    z1 = float(ratios.mean()) + 1.0 if ratios.size else math.nan
    return AcerbiSzekely(z1, math.fsum(ratios) / (profits.size * probability) + 1.0)


_HIGHEST = 0.5
"""Probability of an exception above which a confidence was probably given."""


def _check_counts(exceptions: int, observations: int, probability: float) -> None:
    if not 0 <= exceptions <= observations or observations < 1:
        raise ModelError(
            f"{exceptions} exceptions in {observations} days is impossible; give at least one day, and at most one "
            "exception a day",
            value=exceptions,
        )
    if not 0.0 < probability < 1.0:
        raise ModelError(
            f"probability={probability!r} of an exception lies outside (0, 1); 0.01 is usual", value=probability
        )
    if probability > _HIGHEST:
        raise ModelError(
            f"probability={probability!r} of an exception is above {_HIGHEST:g}; it is 1 less the confidence, 0.01 for "
            "99 %",
            value=probability,
        )


def _likelihood(misses: int, hits: int, rate: float) -> float:
    return (misses * math.log1p(-rate) if misses else 0.0) + (hits * math.log(rate) if hits else 0.0)


def _share(hits: int, misses: int) -> float:
    return hits / (hits + misses) if hits + misses else 0.0


def _chi_square_test(statistic: float) -> KupiecTest:
    value = max(statistic, 0.0)  # negative by rounding only
    return KupiecTest(value, 2.0 * cast("float", normal_cdf(-math.sqrt(value))))


def _binomial(k: int, n: int, p: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
