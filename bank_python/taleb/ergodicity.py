r"""Growth of one wealth over time, and growth of the average of many wealths: the ergodicity gap, leverage and ruin.

Wealth of which a constant multiple L is invested in an asset with returns r is multiplied by 1 + L r each period. The
mean over many such wealths grows by the *ensemble* rate, while one of them, in the long run, grows by the *time* rate

.. math:: g_e = \log(1 + L\,\bar r) , \qquad g_t = \frac1n \sum_i \log(1 + L r_i) \le g_e .

Their difference, about half of the variance of L r, is what the mean owes to wealths that hardly anyone has. Beyond
some leverage the time rate is negative although the ensemble rate still rises, and where an observed return leaves
nothing (1 + L r ≤ 0), it is minus infinity: who repeats the game loses everything. The cash that is borrowed or held is
taken to earn nothing; with a riskless rate, give returns above it.

The probability that wealth falls to a share of its start within a horizon (:func:`ruin_probability`) is simulated by
joining blocks of consecutive returns at random, which keeps calm and wild times together. A sample that holds no
ruinous return says nothing of one to come: the method ``"tail"`` draws the worst losses anew from a generalised Pareto
distribution fitted to them.

Examples
--------
>>> coin = [0.5, -0.4] * 50  # fair, and won by 50 or lost by 40 per cent
>>> gap = ergodicity_gap(coin)
>>> round(gap.ensemble_growth, 4), round(gap.time_growth, 4), round(gap.optimal_leverage, 4)
(0.0488, -0.0527, 0.25)
>>> ergodicity_gap(coin, 2.5).time_growth
-inf

References
----------
O. Peters, "The ergodicity problem in economics", Nature Physics 15 (2019), 1216-1221.

N. N. Taleb, *Statistical Consequences of Fat Tails* (2020), section 3.9.

D. N. Politis and J. P. Romano, "A circular block-resampling procedure for stationary data", in *Exploring the Limits of
Bootstrap* (1992), 263-270.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.normal import normal_quantile
from bank_python.numerics.ranges import number_in_range
from bank_python.results import Figures
from bank_python.risk.kelly_sample import fastest_growth
from bank_python.risk_models.extremes import fit_tail
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray
    from bank_python.risk_models.extremes import TailFit

__all__ = ["ErgodicityGap", "RuinMethod", "RuinProbability", "ergodicity_gap", "ruin_probability"]

_FEWEST = 10
_AT_ONCE = 2_000_000  # returns of paths in memory
_MOST_PATHS = 10_000_000
_LONGEST = 100_000
_TAIL_SHARE = 0.1  # share of the sample whose losses are drawn from the fitted tail
_CONFIDENCE = 0.95


class RuinMethod(Enum):
    """How returns to come are drawn from those of a sample."""

    BOOTSTRAP = "bootstrap"
    TAIL = "tail"


@dataclass(frozen=True, slots=True)
class ErgodicityGap(Figures):
    """Growth over time and over the ensemble; returned by :func:`ergodicity_gap`. Rates are logarithmic, per period.

    Parameters
    ----------
    leverage : float
        Multiple of wealth invested.
    ensemble_growth : float
        Growth rate of the mean of many wealths; −∞ if the mean return leaves nothing.
    time_growth : float
        Growth rate of one wealth in the long run; −∞ if an observed return leaves nothing.
    gap : float
        Ensemble rate less time rate, at least 0; ∞ if one wealth is lost; NaN if the mean wealth is lost too.
    optimal_leverage : float
        Leverage with the highest time rate; infinite for a sample without a loss (−∞ without a gain).
    optimal_growth : float
        Time rate at that leverage; infinite if it is.
    ruin_leverage : float
        Smallest leverage above 0 at which the worst observed return leaves nothing; infinite without a loss.
    ruinous_returns : int
        Number of observed returns that leave nothing at `leverage`.
    n_observations : int
        Number of returns.
    """

    leverage: float
    ensemble_growth: float
    time_growth: float
    gap: float
    optimal_leverage: float
    optimal_growth: float
    ruin_leverage: float
    ruinous_returns: int
    n_observations: int

    @property
    def verdict(self) -> str:
        """What the rates say in a sentence."""
        if self.ruinous_returns:
            return (
                f"At leverage {self.leverage:g}, {self.ruinous_returns:,} of {self.n_observations:,} observed returns "
                f"leave nothing: whoever repeats it loses everything, whatever the mean. The worst return allows "
                f"less than {self.ruin_leverage:.4g}."
            )
        best = f"grows fastest at leverage {self.optimal_leverage:.4g}"
        if math.isinf(self.optimal_leverage):
            best = "would grow without bound with leverage, as the sample has returns of one sign only"
        return (
            f"At leverage {self.leverage:g}, the mean of many wealths grows by {self.ensemble_growth:.4%} a period, "
            f"one wealth by {self.time_growth:.4%}; one wealth {best}. Returns worse than any observed are not in this."
        )


@dataclass(frozen=True, slots=True)
class RuinProbability(Figures):
    """Probability of a fall to a share of the start; returned by :func:`ruin_probability`.

    Parameters
    ----------
    probability : float
        Share of the simulated paths that fell to the threshold at the end of a period within the horizon.
    standard_error : float
        Standard error by the number of paths. It says nothing of the error of the sample itself.
    lower, upper : float
        Ends of Wilson's 95% interval, which is meaningful for a probability of 0 or 1 too.
    leverage : float
        Multiple of wealth invested.
    horizon : int
        Number of periods.
    threshold : float
        Share of the start that counts as ruin.
    method : RuinMethod
        How returns were drawn.
    block : int
        Number of consecutive returns in a block.
    n_paths : int
        Number of simulated paths.
    """

    probability: float
    standard_error: float
    lower: float
    upper: float
    leverage: float
    horizon: int
    threshold: float
    method: RuinMethod
    block: int
    n_paths: int


@admits(ModelError)
def ergodicity_gap(returns: ArrayLike, leverage: float = 1.0) -> ErgodicityGap:
    """Return the growth of one wealth and of the mean of many, and the leverage that grows fastest, for a sample.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns of each period as decimals, at least −1; at least ten.
    leverage : float, default 1
        Multiple of wealth invested and kept constant: 1 without borrowing, below 0 for a short position.

    Raises
    ------
    ModelError
        A return is not finite, or `leverage` is not.
    CalibrationError
        There are fewer than ten returns, one is below −1, or all are equal to rounding.
    """
    sample = _returns(returns)
    number_in_range("leverage", leverage, ModelError)
    mean = leverage * float(sample.mean())
    ensemble = math.log1p(mean) if mean > -1.0 else -math.inf
    time, ruinous = _time_growth(sample, leverage)
    best = float(fastest_growth(sample[None, :])[0])
    worst = float(sample.min())
    return ErgodicityGap(
        leverage=float(leverage),
        ensemble_growth=ensemble,
        time_growth=time,
        gap=ensemble - time if math.isfinite(ensemble) else math.nan,
        optimal_leverage=best,
        optimal_growth=math.inf if math.isinf(best) else _time_growth(sample, best)[0],
        ruin_leverage=-1.0 / worst if worst < 0.0 else math.inf,
        ruinous_returns=ruinous,
        n_observations=len(sample),
    )


def _time_growth(sample: FloatArray, leverage: float) -> tuple[float, int]:
    """Return the mean log growth and the number of returns that leave nothing."""
    made = leverage * sample
    ruinous = int((made <= -1.0).sum())
    return (-math.inf if ruinous else float(np.log1p(made).mean())), ruinous


@admits(ModelError)
def ruin_probability(
    returns: ArrayLike,
    leverage: float,
    horizon: int,
    threshold: float = 0.5,
    *,
    method: str = "bootstrap",
    block: int | None = None,
    n_paths: int = 10_000,
    seed: int = 0,
) -> RuinProbability:
    """Return the probability that wealth falls to a share of its start within a horizon, by simulation.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns of each period as decimals, at least −1; at least ten.
    leverage : float
        Multiple of wealth invested and kept constant.
    horizon : int
        Number of periods, from 1 to 100,000.
    threshold : float, default 0.5
        Share of the start that counts as ruin, in [0, 1): 0 for a loss of everything.
    method : str, default "bootstrap"
        ``"bootstrap"`` joins blocks of observed returns. ``"tail"`` also replaces the worst tenth of the losing side's
        returns in them by draws from a generalised Pareto distribution fitted to these (losses for a long position,
        gains for a short one); a loss drawn above 1 is a total loss.
    block : int, optional
        Number of consecutive returns in a block, by default the cube root of the sample size rounded up; 1 for
        independent returns.
    n_paths : int, default 10,000
        Number of simulated paths.
    seed : int, default 0
        Seed of the simulation.

    Raises
    ------
    ModelError
        A return is not finite, or a setting is out of range.
    CalibrationError
        There are fewer than ten returns, one is below −1, all are equal to rounding, or a tail cannot be fitted.

    Examples
    --------
    >>> found = ruin_probability([0.5, -0.4] * 50, 1.0, 20, block=1)
    >>> round(found.probability, 2), round(found.standard_error, 3)
    (0.8, 0.004)
    """
    sample = _returns(returns)
    chosen = _settings(leverage, horizon, threshold, method, n_paths, seed)
    length = math.ceil(len(sample) ** (1.0 / 3.0)) if block is None else block
    if not 1 <= length <= len(sample):
        raise ModelError(f"block={length!r} is not from 1 to the {len(sample):,} returns; leave it out", name="block")
    source = _Source.of(sample, leverage, chosen)
    rng = np.random.default_rng(seed)
    barrier = math.log(threshold) if threshold else -math.inf
    at_once = max(1, _AT_ONCE // horizon)
    hits = sum(
        int((source.lowest(rng, min(at_once, n_paths - start), horizon, length) <= barrier).sum())
        for start in range(0, n_paths, at_once)
    )
    p = hits / n_paths
    error = math.sqrt(p * (1.0 - p) / n_paths)
    lower, upper = _wilson(p, n_paths)
    return RuinProbability(p, error, lower, upper, float(leverage), horizon, float(threshold), chosen, length, n_paths)


@dataclass(frozen=True, slots=True, eq=False)
class _Source(Record):
    """Log growth of each observed period, and what is drawn anew."""

    growth: FloatArray
    leverage: float
    drawn: NDArray[np.bool_]
    tail: TailFit | None

    @classmethod
    def of(cls, sample: FloatArray, leverage: float, method: RuinMethod) -> _Source:
        growth = _log_growth(leverage * sample)
        if method is RuinMethod.BOOTSTRAP:
            return cls(growth, leverage, np.zeros(len(sample), dtype=bool), None)
        losses = -math.copysign(1.0, leverage) * sample
        tail = fit_tail(losses, share=_TAIL_SHARE)
        return cls(growth, leverage, losses > tail.threshold, tail)

    def lowest(self, rng: np.random.Generator, n_paths: int, horizon: int, block: int) -> FloatArray:
        """Return the lowest logarithm of wealth on each of a number of paths."""
        n = len(self.growth)
        starts = rng.integers(n, size=(n_paths, -(-horizon // block)))
        rows = (starts[:, :, None] + np.arange(block)) % n
        rows = rows.reshape(n_paths, -1)[:, :horizon]
        growth = self.growth[rows]
        if self.tail is not None:
            renewed = self.drawn[rows]
            growth[renewed] = self._tail_growth(rng, self.tail, int(renewed.sum()))
        return np.asarray(np.cumsum(growth, axis=1).min(axis=1))

    def _tail_growth(self, rng: np.random.Generator, tail: TailFit, count: int) -> FloatArray:
        xi, rarity = tail.fit.xi, rng.exponential(size=count)
        excess = tail.fit.beta * (np.expm1(xi * rarity) / xi if xi else rarity)
        losses = tail.threshold + excess
        if self.leverage > 0.0:
            losses = np.minimum(losses, 1.0)
        return _log_growth(-abs(self.leverage) * losses)


def _log_growth(made: FloatArray) -> FloatArray:
    """Return log(1 + made), −∞ where nothing is left."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(np.maximum(made, -1.0)))


def _wilson(p: float, n: int) -> tuple[float, float]:
    z = float(normal_quantile(0.5 + 0.5 * _CONFIDENCE))
    middle, spread = p + 0.5 * z * z / n, z * math.sqrt(p * (1.0 - p) / n + 0.25 * z * z / n / n)
    whole = 1.0 + z * z / n
    return (0.0 if p == 0.0 else (middle - spread) / whole), (1.0 if p == 1.0 else (middle + spread) / whole)


def _returns(returns: ArrayLike) -> FloatArray:
    sample = read_sample(returns, fewest=_FEWEST, varying=True)
    least = float(sample.min())
    if least < -1.0:
        raise CalibrationError(
            f"a return of {least:g} (row {int(sample.argmin())}) loses more than everything; divide returns in "
            "per cent by 100",
            name="returns",
            value=least,
        )
    return sample


def _settings(leverage: float, horizon: int, threshold: float, method: str, n_paths: int, seed: int) -> RuinMethod:
    number_in_range("leverage", leverage, ModelError)
    number_in_range("horizon", horizon, ModelError, least=1.0, most=float(_LONGEST), hint="give a number of periods")
    number_in_range("n_paths", n_paths, ModelError, least=1.0, most=float(_MOST_PATHS), hint="10,000 are usual")
    number_in_range("seed", seed, ModelError, least=0.0)
    if not 0.0 <= threshold < 1.0:
        raise ModelError(f"threshold={threshold!r} is outside [0, 1); 0.5 is a fall to half", name="threshold")
    known = {each.value: each for each in RuinMethod}
    if method not in known:
        raise ModelError(f"method={method!r} is none of {', '.join(known)}; give one of these", name="method")
    return known[method]
