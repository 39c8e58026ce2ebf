r"""Luck: how probable it is that the trades of a sample made money, or won so often, by chance.

*Bootstrap.* Trades are drawn again from the sample, with replacement, as many as there are; the probability is the
share of these samples whose mean gain is not above 0. Trades are taken as independent.

*Hit rate.* With a payoff :math:`b`, the ratio of the mean win to the mean loss, trades without an edge win with
probability :math:`1/(1 + b)`. The p-value is the binomial probability of at least as many wins at that rate.

References
----------
B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap*, Chapman & Hall 1993, chapters 13 and 16.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.results import Figures

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["FEW_TRADES", "TradeLuck", "trade_luck"]

FEW_TRADES = 30
"""Number of trades below which figures of luck and skill are said to come from few trades."""

_ROUNDED = 1e-12
_MOST_AT_ONCE = 4_000_000
_FEWEST, _MOST_RESAMPLES = 100, 1_000_000


@dataclass(frozen=True, slots=True, repr=False)
class TradeLuck(Figures):
    """What chance could have done; returned by :func:`trade_luck`.

    Parameters
    ----------
    n : int
        Number of trades.
    mean : float
        Mean gain in money.
    low, high : float, optional
        Bounds of the 90 % bootstrap interval of the mean; None for a single trade.
    p_not_positive : float, optional
        Share of the resamples whose mean is not above 0; None for a single trade.
    hit_rate : float, optional
        Share of wins among wins and losses; None without either.
    payoff : float, optional
        Mean win divided by the size of the mean loss; None without a win or without a loss.
    chance_hit_rate : float, optional
        Hit rate at which that payoff makes nothing; None without a payoff.
    hit_p_value : float, optional
        Probability of at least as many wins at that hit rate; None without a payoff.
    resamples : int
        Number of bootstrap samples.
    """

    n: int
    mean: float
    low: float | None
    high: float | None
    p_not_positive: float | None
    hit_rate: float | None
    payoff: float | None
    chance_hit_rate: float | None
    hit_p_value: float | None
    resamples: int

    @property
    def is_few(self) -> bool:
        """Whether there are fewer than :data:`FEW_TRADES` trades."""
        return self.n < FEW_TRADES

    @property
    def verdict(self) -> str:
        """What can be said, in words."""
        if self.p_not_positive is None:
            return "one trade says nothing about luck"
        few = f"only {self.n} trades: " if self.is_few else ""
        if self.p_not_positive < 0.05:  # noqa: PLR2004 - five per cent
            return f"{few}a gain by luck alone is improbable"
        if self.p_not_positive > 0.95:  # noqa: PLR2004 - five per cent
            return f"{few}a loss by bad luck alone is improbable"
        return f"{few}cannot be distinguished from luck"

    def __rich__(self) -> object:
        from bank_python.render_trade_analysis import trade_luck_view

        return trade_luck_view(self)


@admits(TradingError)
def trade_luck(gains: ArrayLike, *, resamples: int = 10_000, seed: int = 0) -> TradeLuck:
    """Return what chance could have done for a sample of trades.

    Parameters
    ----------
    gains : array_like, shape (n,)
        Gain of each trade in money, negative for a loss; at least one.
    resamples : int, default 10,000
        Number of bootstrap samples, from 100 to 1,000,000.
    seed : int, default 0
        Seed of the random numbers, at least 0.

    Raises
    ------
    TradingError
        There is no trade, a gain is not finite, or an argument is out of range.

    Examples
    --------
    >>> found = trade_luck([100.0] * 12 + [-100.0] * 8)
    >>> found.hit_rate, found.chance_hit_rate, round(found.hit_p_value, 4)
    (0.6, 0.5, 0.2517)
    """
    made = np.array(gains, dtype=np.float64)
    if made.ndim != 1 or not made.size:
        raise TradingError(f"gains of shape {made.shape}; give the gain of at least one trade", name="gains")
    if not np.isfinite(made).all():
        at = int(np.flatnonzero(~np.isfinite(made))[0])
        raise TradingError(f"gains: {made[at]!r} (number {at}) is not finite; correct it", name="gains")
    if not _FEWEST <= resamples <= _MOST_RESAMPLES:
        raise TradingError(f"resamples={resamples} is not between {_FEWEST} and {_MOST_RESAMPLES:,}", name="resamples")
    if seed < 0:
        raise TradingError(f"seed={seed} is below 0; give a whole number of at least 0", name="seed")
    wins, losses = made[made > 0.0], made[made < 0.0]
    payoff = float(wins.mean() / -losses.mean()) if wins.size and losses.size else None
    decided = wins.size + losses.size
    chance = None if payoff is None else 1.0 / (1.0 + payoff)
    low, high, share = _bootstrap(made, resamples, seed) if made.size > 1 else (None, None, None)
    return TradeLuck(
        n=made.size,
        mean=float(made.mean()),
        low=low,
        high=high,
        p_not_positive=share,
        hit_rate=wins.size / decided if decided else None,
        payoff=payoff,
        chance_hit_rate=chance,
        hit_p_value=None if chance is None else at_least(wins.size, decided, chance),
        resamples=resamples,
    )


def _bootstrap(gains: FloatArray, resamples: int, seed: int) -> tuple[float, float, float]:
    """Return the bounds of the 90 % interval of the mean, and the share of means that are not above 0."""
    rng = np.random.default_rng(seed)
    scale = float(np.abs(gains).max()) or 1.0
    step = max(1, _MOST_AT_ONCE // gains.size)
    means = np.concatenate(
        [
            (gains / scale)[rng.integers(0, gains.size, (min(step, resamples - done), gains.size))].mean(axis=1)
            for done in range(0, resamples, step)
        ]
    )
    low, high = np.quantile(means, [0.05, 0.95]) * scale
    return float(low), float(high), float((means <= _ROUNDED).mean())


def at_least(wins: int, trials: int, probability: float) -> float:
    """Return the binomial probability of at least so many wins.

    Parameters
    ----------
    wins, trials : int
        Number of wins and of trials.
    probability : float
        Probability of a win, in (0, 1).
    """
    if probability >= 1.0:  # rounded, where the mean win is next to nothing
        return 1.0
    counts = range(wins, trials + 1)
    logs = (math.log(probability), math.log1p(-probability))
    whole = math.lgamma(trials + 1)
    terms = (
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * logs[0] + (trials - k) * logs[1])
        for k in counts
    )
    return min(1.0, math.fsum(terms))
