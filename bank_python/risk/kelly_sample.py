r"""The Kelly fraction of a sample of returns, with what its estimation error means for the stake.

With returns above the riskless rate, :math:`y = (x - r) / (1 + r)` per period, wealth grows per period by

.. math:: g(f) = \log(1 + r) + \frac1n \sum_i \log(1 + f y_i) ,

which is concave, and finite only as long as the worst return of the sample leaves something: f < 1/\|min y\|. Its
maximum is found by Newton's method within that bracket. It is an M-estimator with the standard error

.. math:: \mathrm{se}(\hat f) = \Big(\sum_i h_i^2\Big)^{-1/2} , \qquad h_i = \frac{y_i}{1 + \hat f y_i} ,

usually as large as the estimate itself. Growth is quadratic around its maximum, about
:math:`g(0) + A (f f^* - f^2/2)`, so that a stake of k times an unbiased estimate has the largest expected growth at

.. math:: k = \frac{f^{*2}}{f^{*2} + \mathrm{se}^2} ,

the shrinkage of Baker and McHale, in which the estimate replaces the unknown f*. How likely wealth is ever to fall to a
share a of its start, relative to a riskless account, is bounded by :math:`a^\theta` with the positive root θ of
:math:`\frac1n \sum_i (1 + f y_i)^{-\theta} = 1` (Lundberg's inequality): θ is 1 at Kelly and about 2/c − 1 at a
fraction c.

Examples
--------
>>> coin = kelly_from_returns([1.0] * 60 + [-1.0] * 40, periods_per_year=1)
>>> round(coin.kelly, 10), round(coin.error, 4), round(coin.shrinkage, 3)
(0.2, 0.098, 0.806)
>>> round(coin.fall_probability(0.5, 0.2), 10)
0.5

References
----------
R. D. Baker and I. G. McHale, "Optimal betting under parameter uncertainty: improving the Kelly criterion", Decision
Analysis 10 (2013), 189-199.

E. Busseti, E. K. Ryu and S. Boyd, "Risk-constrained Kelly gambling", Journal of Investing 25 (2016), 118-134.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.numerics import find_root, student_t_cdf
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular
from bank_python.risk.kelly import KELLY_FRACTIONS
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["KellyEstimate", "fastest_growth", "kelly_from_returns"]

_FEWEST = 10
_MOST_STEPS = 200
_CONVERGED = 1e-14
_AT_ONCE = 2_000_000  # returns of resamples in memory
_MOST_RESAMPLES = 100_000
_CONSTANT = 1e-12
_HALF = 0.5
_PERCENT = 100.0


@dataclass(frozen=True, eq=False, repr=False)
class KellyEstimate(Plotted, Tabular):
    """The Kelly fraction of a sample with its error; returned by :func:`kelly_from_returns`.

    Parameters
    ----------
    kelly : float
        Share of wealth with the fastest growth in the sample; above 1 with borrowed money.
    unrestricted : float
        The same with short positions: the estimate that the errors belong to. Differs from `kelly` only below 0.
    error : float
        Standard error of `unrestricted`, by the delta method.
    interval : tuple of float
        Bootstrap interval of the unrestricted fraction at `confidence`; an end may be infinite.
    confidence : float
        Confidence level of the interval.
    probability_not_positive : float
        Probability that the true fraction is 0 or below: that the true mean excess return is, by Student's t.
    fraction : float
        Multiple of Kelly that is used, 0.5 for half Kelly.
    unbounded : float
        Share of the resamples without a loss or without a gain, whose fraction is infinite.
    periods_per_year, risk_free_rate : float
        Periods in a year, and the riskless rate per year.
    excess : ndarray, shape (n,)
        Returns above the riskless rate, relative to the riskless growth of a period.
    """

    kelly: float
    unrestricted: float
    error: float
    interval: tuple[float, float]
    confidence: float
    probability_not_positive: float
    fraction: float
    unbounded: float
    periods_per_year: float
    risk_free_rate: float
    excess: FloatArray = field(repr=False)

    @property
    def observations(self) -> int:
        """Number of returns."""
        return len(self.excess)

    @property
    def used(self) -> float:
        """Share of wealth to invest at the chosen fraction of Kelly."""
        return self.fraction * self.kelly

    @property
    def shrinkage(self) -> float:
        """Multiple of Kelly with the largest expected growth given the estimation error, in [0, 1)."""
        return 1.0 / (1.0 + (self.error / self.unrestricted) ** 2) if self.unrestricted else 0.0

    @property
    def shrunk(self) -> float:
        """Share of wealth to invest given the estimation error: :attr:`kelly` times :attr:`shrinkage`."""
        return self.kelly * self.shrinkage

    @property
    def ruin_beyond(self) -> float:
        """Share of wealth at which the worst return of the sample would leave nothing."""
        return 1.0 / -float(self.excess.min())

    def growth_at(self, share: float) -> float:
        """Return the growth of the logarithm of wealth per year in the sample; −∞ where it would be lost.

        Parameters
        ----------
        share : float
            Share of wealth invested, finite.
        """
        _require_share(share)
        left = share * self.excess
        if not float(left.min()) > -1.0:
            return -math.inf
        base = math.log1p(self.risk_free_rate / self.periods_per_year)
        return self.periods_per_year * (base + float(np.log1p(left).mean()))

    def volatility_at(self, share: float) -> float:
        """Return the volatility of wealth per year.

        Parameters
        ----------
        share : float
            Share of wealth invested, finite.
        """
        _require_share(share)
        return abs(share) * float(self.excess.std(ddof=1)) * math.sqrt(self.periods_per_year)

    def fall_probability(self, level: float, share: float) -> float:
        """Return an upper bound of the probability that wealth ever falls to a share of its start.

        Parameters
        ----------
        level : float
            Share of the start, in (0, 1], relative to a riskless account.
        share : float
            Share of wealth invested, finite.

        Raises
        ------
        RiskError
            `level` is not in (0, 1].
        """
        _require_level(level)
        if not share:
            return float(level == 1.0)
        return float(level ** _decay(share * self.excess))

    def to_table(self) -> Table:
        """Return a table with a row for each fraction of Kelly: invested share, growth, volatility, halving."""
        from bank_python.mntable import Table

        names = ("fraction", "invested", "growth", "volatility", "halving")
        rows = [
            {
                "fraction": fraction,
                "invested": fraction * self.kelly,
                "growth": self.growth_at(fraction * self.kelly),
                "volatility": self.volatility_at(fraction * self.kelly),
                "halving": self.fall_probability(_HALF, fraction * self.kelly),
            }
            for fraction in KELLY_FRACTIONS
        ]
        return Table.from_rows([(name, float) for name in names], rows)

    @cached_property
    def _curve(self) -> tuple[FloatArray, FloatArray]:
        """Return shares of wealth and growth for the picture, as long as something is left."""
        widest = min(max(2.2 * abs(self.unrestricted), 2.0 * self.error), 0.999 * self.ruin_beyond)
        x = np.linspace(0.0, widest, 121)
        return x, np.array([self.growth_at(at) for at in x.tolist()])

    def _draw_(self, axes: Axes) -> None:
        """Draw the growth against the invested share, with the estimate, its interval and the shrunk fraction."""
        x, growth = self._curve
        axes.plot(x, growth, color="C0", label="growth in the sample")
        low, high = (min(max(end, 0.0), float(x[-1])) for end in self.interval)
        axes.axvspan(low, high, color="C0", alpha=0.15, linewidth=0, label=f"{self.confidence:.0%} interval of Kelly")
        for share, marker, said in ((self.kelly, "D", "Kelly"), (self.shrunk, "o", "shrunk"), (self.used, "s", "used")):
            if share <= x[-1]:
                label = f"{said} {share:.2f}"
                axes.plot([share], [self.growth_at(share)], marker, color="black", linestyle="", label=label)
        title = f"Kelly {self.kelly:.2f} ± {self.error:.2f} of wealth, {self.observations:,} returns"
        axes.set(xlabel="share of wealth invested", ylabel="growth of wealth a year", title=title)
        low_growth = float(np.quantile(growth, 0.1))
        axes.set_ylim(bottom=min(low_growth, float(growth[0])) - 0.1 * float(np.ptp(growth)) - 1e-12)
        percent(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_score import kelly_estimate_view

        return kelly_estimate_view(self)


@admits(RiskError)
def kelly_from_returns(
    returns: ArrayLike,
    *,
    fraction: float = 1.0,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float = 252.0,
    short: bool = False,
    confidence: float = 0.95,
    resamples: int = 1_000,
    seed: int = 0,
) -> KellyEstimate:
    """Estimate the Kelly fraction from a sample of returns, by maximising their mean log growth exactly.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns of each period as decimals, above −1; at least ten, among them losses and gains.
    fraction : float, default 1
        Multiple of Kelly to be used, at least 0: 0.5 is half Kelly.
    risk_free_rate : float, default RISK_FREE_RATE
        Riskless rate per year at which the rest is lent or borrowed, as a decimal.
    periods_per_year : float, default 252
        Number of returns in a year: 252 for trading days, 12 for months, 1 for bets.
    short : bool, default False
        Whether short positions are allowed; otherwise the fraction is 0 where the mean excess return is not above 0.
    confidence : float, default 0.95
        Confidence level of the bootstrap interval, in (0, 1).
    resamples : int, default 1,000
        Number of bootstrap samples, from 100 to 100,000.
    seed : int, default 0
        Seed of the bootstrap.

    Raises
    ------
    RiskError
        There are too few returns, one is missing or not above −1 (as in per cent), they are constant to rounding,
        there is no loss or no gain (so that the fraction has no bound), or a setting is out of range.
    """
    _require_settings(fraction, risk_free_rate, periods_per_year, confidence, resamples, seed)
    excess = _excess(returns, risk_free_rate / periods_per_year)
    best = float(fastest_growth(excess[None, :])[0])
    h = excess / (1.0 + best * excess)
    # At the maximum the mean of h is 0 and that of h² is both its variance and the curvature of the growth.
    error = 1.0 / math.sqrt(float(h @ h))
    drawn = _bootstrap(excess, resamples, seed)
    n = len(excess)
    t = float(excess.mean()) / (float(excess.std(ddof=1)) / math.sqrt(n))
    return KellyEstimate(
        kelly=best if short else max(best, 0.0),
        unrestricted=best,
        error=error,
        interval=_middle(drawn, confidence),
        confidence=confidence,
        probability_not_positive=student_t_cdf(-t, n - 1.0),
        fraction=fraction,
        unbounded=float(np.isinf(drawn).mean()),
        periods_per_year=periods_per_year,
        risk_free_rate=risk_free_rate,
        excess=excess,
    )


def fastest_growth(excess: FloatArray) -> FloatArray:
    """Return, for each row of returns y, the f with the largest mean of log(1 + f y).

    Parameters
    ----------
    excess : ndarray, shape (n_rows, n)
        Returns above the riskless rate, finite.

    Returns
    -------
    ndarray, shape (n_rows,)
        Fractions; infinite for a row without losses, minus infinite without gains, 0 for a row of zeros.
    """
    worst, best = excess.min(axis=1), excess.max(axis=1)
    found = np.where(worst < 0.0, np.where(best > 0.0, 0.0, -np.inf), np.where(best > 0.0, np.inf, 0.0))
    rows = np.flatnonzero((worst < 0.0) & (best > 0.0))
    if not rows.size:
        return found
    scale = np.maximum(best, -worst)[rows]
    y = excess[rows] / scale[:, None]
    low, high = -1.0 / y.max(axis=1), -1.0 / y.min(axis=1)
    f = np.clip(y.mean(axis=1) / (y * y).mean(axis=1), 0.5 * low, 0.5 * high)
    for _ in range(_MOST_STEPS):
        h = y / (1.0 + f[:, None] * y)
        slope = h.mean(axis=1)
        low, high = np.where(slope > 0.0, f, low), np.where(slope < 0.0, f, high)
        step = slope / (h * h).mean(axis=1)
        trial = f + step
        # A Newton step that leaves the bracket of the maximum is replaced by its middle.
        trial = np.where((trial > low) & (trial < high), trial, 0.5 * (low + high))
        moved = np.abs(trial - f)
        f = np.where(slope == 0.0, f, trial)
        if (moved <= _CONVERGED * np.maximum(np.abs(f), 1.0)).all():
            break
    found[rows] = f / scale
    return found


def _bootstrap(excess: FloatArray, resamples: int, seed: int) -> FloatArray:
    """Return the fractions of samples drawn with replacement, shape (resamples,)."""
    rng = np.random.default_rng(seed)
    n = len(excess)
    at_once = max(1, _AT_ONCE // n)
    parts = [
        fastest_growth(excess[rng.integers(n, size=(min(at_once, resamples - start), n))])
        for start in range(0, resamples, at_once)
    ]
    return np.concatenate(parts)


def _middle(drawn: FloatArray, confidence: float) -> tuple[float, float]:
    """Return the ends of the middle part of a sample, which may hold infinite values."""
    ordered, out = np.sort(drawn), round(0.5 * (1.0 - confidence) * (len(drawn) - 1))
    return float(ordered[out]), float(ordered[-1 - out])


def _decay(y: FloatArray) -> float:
    """Return the positive θ with a mean of (1 + y)^−θ of 1; 0 if wealth does not grow, infinite if it never falls."""
    if not float(y.min()) > -1.0:
        return 0.0
    logs = np.log1p(y)
    if not float(logs.mean()) > 0.0:
        return 0.0
    if not float(logs.min()) < 0.0:
        return math.inf
    scale = float(np.abs(logs).max())
    logs = logs / scale

    def excess_of_one(theta: float) -> float:
        # log of the mean, which does not overflow; above 0 beyond the root.
        largest = float((-theta * logs).max())
        return largest + math.log(float(np.exp(-theta * logs - largest).mean()))

    high = 1.0
    while excess_of_one(high) <= 0.0:
        high *= 2.0
    low = high
    while excess_of_one(low) >= 0.0:
        low *= 0.5
        if low < _CONSTANT:
            return 0.0
    return find_root(excess_of_one, low, high) / scale


def _excess(returns: ArrayLike, rate: float) -> FloatArray:
    x = np.array(returns, dtype=np.float64)
    if x.ndim != 1 or x.size < _FEWEST:
        raise RiskError(f"returns of shape {x.shape}; give one series of at least {_FEWEST}", value=x.shape)
    bad = np.flatnonzero(~np.isfinite(x))
    if bad.size:
        raise RiskError(f"return {float(x[bad[0]])!r} (number {bad[0]}) is not finite; leave it out", value=int(bad[0]))
    least = float(x.min())
    if least < -1.0:
        raise RiskError(
            f"a return of {least:g} loses more than everything; divide returns in per cent by 100", value=least
        )
    excess = (x - rate) / (1.0 + rate)
    if float(np.ptp(x)) <= _CONSTANT * max(float(np.abs(x).max()), abs(rate)):
        raise RiskError(f"all returns are {least:g} to rounding; a riskless return has no Kelly fraction", value=least)
    for missing, word in ((float(excess.min()) >= 0.0, "loss"), (float(excess.max()) <= 0.0, "gain")):
        if missing:
            raise RiskError(
                f"no return has a {word} relative to the riskless rate, so the fraction has no bound; give a longer "
                "sample, or kelly_continuous with a mean and a volatility"
            )
    excess.setflags(write=False)
    return excess


def _require_settings(
    fraction: float, risk_free_rate: float, periods: float, confidence: float, resamples: int, seed: int
) -> None:
    if not 0.0 <= fraction < math.inf:
        raise RiskError(f"fraction={fraction!r} is not at least 0 and finite; 0.5 is half Kelly", value=fraction)
    if not 0.0 < periods < math.inf:
        raise RiskError(f"periods_per_year={periods!r} is not above 0; 252 for trading days", value=periods)
    if not abs(risk_free_rate / periods) < _HALF:
        raise RiskError(f"risk_free_rate={risk_free_rate!r} is not a rate per year; give 0.03 for 3 %")
    if not 0.0 < confidence < 1.0:
        raise RiskError(f"confidence={confidence!r} lies outside (0, 1); 0.95 is usual", value=confidence)
    if not _PERCENT <= resamples <= _MOST_RESAMPLES:
        side = "below 100" if resamples < _PERCENT else f"above {_MOST_RESAMPLES:,}"
        raise RiskError(f"resamples={resamples!r} is {side}; 1,000 are usual", name="resamples", value=resamples)
    if seed < 0:
        raise RiskError(f"seed={seed!r} is negative; give a whole number of at least 0", value=seed)


@admits(RiskError)
def _require_share(share: float) -> None:
    if not math.isfinite(share):
        raise RiskError(f"share={share!r} is not finite; 1 invests all wealth", value=share)


@admits(RiskError)
def _require_level(level: float) -> None:
    if not 0.0 < level <= 1.0:
        raise RiskError(f"level={level!r} is outside (0, 1]; 0.5 is a fall to half", value=level)
