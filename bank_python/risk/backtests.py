r"""Backtests of value at risk: whether there were as many exceptions as there should be, and whether they came alone.

An *exception* is a day whose loss exceeded its value at risk. With probability p of one, and x among n days,

.. math:: LR_{POF} = -2\log\frac{(1 - p)^{n - x} p^x}{(1 - x/n)^{n - x} (x/n)^x} \sim \chi^2_1

(Kupiec). Christoffersen asks as well whether an exception makes the next more likely: the likelihood of a first-order
Markov chain against that of independent days, :math:`LR_{ind} \sim \chi^2_1`, and both together,
:math:`LR_{cc} = LR_{POF} + LR_{ind} \sim \chi^2_2`. The Basel traffic light looks at the probability of so few
exceptions. Acerbi and Székely look at how bad the exceptions were, beside the expected shortfall that was forecast.

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
    """Unconditional coverage: likelihood ratio, and how likely one as large is if the model is right."""

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class ChristoffersenTest(Figures):
    """Conditional coverage.

    Parameters
    ----------
    statistic, p_value : float
        Of coverage and independence together.
    coverage, independence : KupiecTest
        Of each by itself.
    """

    statistic: float
    p_value: float
    coverage: KupiecTest
    independence: KupiecTest


@dataclass(frozen=True, slots=True)
class TrafficLight(Figures):
    """The supervisor's light.

    Parameters
    ----------
    zone : {"green", "yellow", "red"}
        Below 95 %, below 99.99 %, and beyond.
    cumulative : float
        The probability of at most so many exceptions, if the model is right.
    """

    zone: str
    cumulative: float


@dataclass(frozen=True, slots=True)
class AcerbiSzekely(Figures):
    """Expected shortfall against the losses: about 0 if the forecasts were right, below if losses were worse.

    Parameters
    ----------
    z1 : float
        By the exceptions that there were; NaN where there were none.
    z2 : float
        By the number of them as well.
    """

    z1: float
    z2: float


@admits(RiskError)
def kupiec_test(exceptions: int, observations: int, probability: float) -> KupiecTest:
    """Test whether there were as many exceptions as there should be.

    Parameters
    ----------
    exceptions, observations : int
        Days with an exception, and days in all.
    probability : float
        Of an exception, in (0, 1): 0.01 for a value at risk at 99 %.

    Raises
    ------
    ModelError
        The counts or the probability make no sense.
    """
    _check_counts(exceptions, observations, probability)
    x, n = exceptions, observations
    rate = x / n
    statistic = -2.0 * (_likelihood(n - x, x, probability) - _likelihood(n - x, x, rate))
    return _tested(statistic)


@admits(RiskError)
def christoffersen_test(hits: ArrayLike, probability: float) -> ChristoffersenTest:
    """Test whether exceptions came as often as they should, and independently of each other.

    Parameters
    ----------
    hits : array_like of bool, shape (n_days,)
        Whether each day had an exception, in the order of time.
    probability : float
        Of an exception, in (0, 1).

    Raises
    ------
    ModelError
        There are fewer than two days, or the probability makes no sense.
    """
    days = np.asarray(hits).reshape(-1).astype(bool)
    if len(days) < 2:  # noqa: PLR2004 - a transition has two days
        raise ModelError(f"{len(days)} days: independence needs at least two", value=len(days))
    coverage = kupiec_test(int(days.sum()), len(days), probability)
    before, after = days[:-1], days[1:]
    counts = {(a, b): int(((before == a) & (after == b)).sum()) for a in (False, True) for b in (False, True)}
    still, rises, falls, stays = (counts[pair] for pair in ((False, False), (False, True), (True, False), (True, True)))
    rate = (rises + stays) / (len(days) - 1)
    chain = _likelihood(still, rises, _share(rises, still)) + _likelihood(falls, stays, _share(stays, falls))
    independence = _tested(-2.0 * (_likelihood(still + falls, rises + stays, rate) - chain))
    both = coverage.statistic + independence.statistic
    return ChristoffersenTest(both, math.exp(-0.5 * both), coverage, independence)


@admits(RiskError)
def traffic_light(exceptions: int, observations: int, probability: float = 0.01) -> TrafficLight:
    """Return the Basel zone of so many exceptions.

    Raises
    ------
    ModelError
        The counts or the probability make no sense.
    """
    _check_counts(exceptions, observations, probability)
    cumulative = math.fsum(_binomial(k, observations, probability) for k in range(exceptions + 1))
    zone = "green" if cumulative < _YELLOW else "yellow" if cumulative < _RED else "red"
    return TrafficLight(zone, min(cumulative, 1.0))


@admits(RiskError)
def acerbi_szekely_test(pnl: ArrayLike, var: ArrayLike, es: ArrayLike, probability: float) -> AcerbiSzekely:
    """Compare losses with the value at risk and expected shortfall that were forecast for them.

    Parameters
    ----------
    pnl : array_like, shape (n_days,)
        Profits positive.
    var, es : array_like
        Forecasts for each day, positive for a loss, or one for all; expected shortfall above 0.
    probability : float
        Of an exception, in (0, 1): 0.025 for a level of 97.5 %.

    Raises
    ------
    ModelError
        The probability makes no sense, or an expected shortfall is not above 0.
    """
    _, (made, at_risk, shortfall) = to_columns(pnl, var, es)
    losses = -made
    _check_counts(0, losses.size, probability)
    if not (shortfall > 0.0).all():
        raise ModelError("an expected shortfall is not above 0; the test divides by it", value=float(shortfall.min()))
    hits = -losses > at_risk
    ratios: FloatArray = losses[hits] / shortfall[hits]
    z1 = float(ratios.mean()) + 1.0 if ratios.size else math.nan
    return AcerbiSzekely(z1, math.fsum(ratios) / (losses.size * probability) + 1.0)


def _check_counts(exceptions: int, observations: int, probability: float) -> None:
    if not 0 <= exceptions <= observations or observations < 1:
        raise ModelError(f"{exceptions} exceptions in {observations} days; give counts that can be", value=exceptions)
    if not 0.0 < probability < 1.0:
        raise ModelError(
            f"probability={probability!r} of an exception lies outside (0, 1); 0.01 is usual", value=probability
        )


def _likelihood(misses: int, hits: int, rate: float) -> float:
    return (misses * math.log1p(-rate) if misses else 0.0) + (hits * math.log(rate) if hits else 0.0)


def _share(hits: int, misses: int) -> float:
    return hits / (hits + misses) if hits + misses else 0.0


def _tested(statistic: float) -> KupiecTest:
    value = max(statistic, 0.0)  # below it by rounding only
    return KupiecTest(value, 2.0 * cast("float", normal_cdf(-math.sqrt(value))))


def _binomial(k: int, n: int, p: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
