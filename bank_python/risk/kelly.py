r"""The Kelly criterion: the share of wealth to bet or to invest so that wealth grows fastest in the long run.

A *bet* that wins b times the stake with probability p, and loses it with q = 1 − p, has

.. math:: f^* = p - \frac{q}{b} , \qquad g(f) = p\,\log(1 + b f) + q\,\log(1 - f) .

An *investment* with expected return m and volatility s per year, held as a share f of wealth that is kept constant and
with the rest lent or borrowed at the rate r, grows in the continuous approximation of Thorp by

.. math:: g(f) = r + f (m - r) - \tfrac12 f^2 s^2 , \qquad f^* = \frac{m - r}{s^2} , \qquad
          g(c f^*) = r + \Big(c - \frac{c^2}{2}\Big)\Big(\frac{m - r}{s}\Big)^2 .

At a fraction c of Kelly, wealth relative to a riskless account is a geometric Brownian motion, which falls to a share a
of its start at some time with probability

.. math:: P = a^{2/c - 1} , \qquad 0 < c < 2 .

Examples
--------
>>> round(kelly_fraction(0.55, 1.0), 12), round(kelly_growth(0.1, 0.55, 1.0), 6)
(0.1, 0.005008)
>>> held = kelly_continuous(0.11, 0.15, risk_free_rate=0.06)
>>> round(held.fraction, 4), round(held.growth(1.0), 4), held.fall_probability(0.5, 0.5)
(2.2222, 0.1156, 0.125)

References
----------
J. L. Kelly, "A new interpretation of information rate", Bell System Technical Journal 35 (1956), 917-926.

E. O. Thorp, "The Kelly criterion in blackjack, sports betting, and the stock market", in *Handbook of Asset and
Liability Management*, volume 1 (2006), sections 3 and 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray, Numbers

__all__ = ["KELLY_FRACTIONS", "ContinuousKelly", "kelly_continuous", "kelly_fraction", "kelly_growth"]

KELLY_FRACTIONS = (0.25, 0.5, 0.75, 1.0, 2.0)
"""Fractions of Kelly that tables compare: at twice Kelly, all growth above the riskless rate is lost."""

_SURE = 2.0  # from this fraction of Kelly on, every loss comes at some time
_HALF = 0.5
_PERCENT = 100.0
_HIGHEST_VOL = 10.0


@dataclass(frozen=True, slots=True, repr=False)
class ContinuousKelly(Plotted, Tabular):
    """The Kelly fraction of an investment in continuous time; returned by :func:`kelly_continuous`.

    Parameters
    ----------
    mean : float
        Expected return per year, as a decimal.
    vol : float
        Volatility per year, as a decimal above 0.
    risk_free_rate : float
        Riskless rate per year, as a decimal.
    """

    mean: float
    vol: float
    risk_free_rate: float

    @property
    def fraction(self) -> float:
        """Kelly fraction: share of wealth invested, above 1 with borrowed money, below 0 for a short position."""
        return (self.mean - self.risk_free_rate) / self.vol / self.vol

    @property
    def sharpe_ratio(self) -> float:
        """Expected excess return per year over the volatility."""
        return (self.mean - self.risk_free_rate) / self.vol

    def growth(self, fraction: float = 1.0) -> float:
        """Return the growth rate of wealth per year at a fraction of Kelly.

        Parameters
        ----------
        fraction : float, default 1
            Multiple of the Kelly fraction, finite.
        """
        _require_fraction(fraction)
        return self.risk_free_rate + (fraction - 0.5 * fraction * fraction) * self.sharpe_ratio**2

    def growth_at(self, share: float) -> float:
        """Return the growth rate of wealth per year if a share of wealth is invested.

        Parameters
        ----------
        share : float
            Share of wealth invested, finite: 1 without borrowing.
        """
        _require_fraction(share)
        return self.risk_free_rate + share * (self.mean - self.risk_free_rate) - 0.5 * (share * self.vol) ** 2

    def volatility(self, fraction: float = 1.0) -> float:
        """Return the volatility of wealth per year at a fraction of Kelly.

        Parameters
        ----------
        fraction : float, default 1
            Multiple of the Kelly fraction, finite.
        """
        _require_fraction(fraction)
        return abs(fraction * self.sharpe_ratio)

    def fall_probability(self, share: float = 0.5, fraction: float = 1.0) -> float:
        """Return the probability that wealth, relative to a riskless account, ever falls to a share of its start.

        Parameters
        ----------
        share : float, default 0.5
            Share of the start, in (0, 1].
        fraction : float, default 1
            Multiple of the Kelly fraction, at least 0.

        Raises
        ------
        RiskError
            An argument is out of range.
        """
        return _fall_probability(share, fraction if self.fraction else 0.0)

    def doubling_probability(self, fraction: float = 1.0) -> float:
        """Return the probability that wealth, relative to a riskless account, doubles before it halves.

        Parameters
        ----------
        fraction : float, default 1
            Multiple of the Kelly fraction, above 0.

        Raises
        ------
        RiskError
            The fraction is not above 0, or nothing is invested as there is no excess return.
        """
        if not self.fraction:
            raise RiskError("there is no excess return, so nothing is invested and wealth neither doubles nor halves")
        return _doubling_probability(fraction)

    def to_table(self) -> Table:
        """Return a table with a row for each of :data:`KELLY_FRACTIONS`, with growth, volatility and probabilities."""
        from bank_python.mntable import Table

        names = ("fraction", "invested", "growth", "volatility", "halving", "doubling_first")
        rows = [
            {
                "fraction": fraction,
                "invested": fraction * self.fraction,
                "growth": self.growth(fraction),
                "volatility": self.volatility(fraction),
                "halving": self.fall_probability(_HALF, fraction),
                "doubling_first": self.doubling_probability(fraction) if self.fraction else None,
            }
            for fraction in KELLY_FRACTIONS
        ]
        return Table.from_rows([*((name, float) for name in names[:-1]), (names[-1], float | None)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the growth rate against the fraction of Kelly."""
        x = np.linspace(0.0, 2.2, 111)
        axes.plot(x, [self.growth(at) for at in x.tolist()], color="C0", label="growth a year")
        axes.plot(KELLY_FRACTIONS, [self.growth(at) for at in KELLY_FRACTIONS], "o", color="black", linestyle="")
        axes.axhline(self.risk_free_rate, color="0.4", linestyle=":", label="riskless rate")
        title = f"Kelly: {self.fraction:.2f} of wealth, growth {self.growth():.2%} a year"
        axes.set(xlabel="fraction of Kelly", ylabel="growth of wealth a year", title=title)
        percent(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_score import continuous_kelly_view

        return continuous_kelly_view(self)


@admits(RiskError)
def kelly_fraction(probability: ArrayLike, odds: ArrayLike, *, short: bool = False) -> Numbers:
    """Return the share of wealth to bet, p − q/b.

    Parameters
    ----------
    probability : array_like
        Probability of winning, in [0, 1].
    odds : array_like
        Net odds b, above 0: what is won per unit staked, without the stake; 1 for even money.
    short : bool, default False
        Whether the other side of the bet can be taken at the same odds, so that the fraction may be negative;
        otherwise it is 0 for a bet with no advantage.

    Raises
    ------
    RiskError
        A probability is not in [0, 1], or odds are not above 0 and finite.

    Examples
    --------
    >>> kelly_fraction([0.6, 0.5, 0.4], [1.0, 2.0, 1.0]).round(12).tolist()
    [0.2, 0.25, 0.0]
    """
    p, b = _bet(probability, odds)
    fraction = p - (1.0 - p) / b
    found = fraction if short else np.maximum(fraction, 0.0)
    return found if found.ndim else float(found)


@admits(RiskError)
def kelly_growth(fraction: ArrayLike, probability: ArrayLike, odds: ArrayLike) -> Numbers:
    """Return the expected growth of the logarithm of wealth per bet.

    Parameters
    ----------
    fraction : array_like
        Share of wealth staked, in [−1/b, 1]; below 0 the other side of the bet is taken.
    probability : array_like
        Probability of winning, in [0, 1].
    odds : array_like
        Net odds b, above 0.

    Returns
    -------
    float or ndarray
        Growth per bet; −∞ if all of the wealth can be lost.

    Raises
    ------
    RiskError
        An argument is out of range: with a fraction outside [−1/b, 1] more than all wealth could be lost.
    """
    p, b = _bet(probability, odds)
    f = np.asarray(fraction, dtype=np.float64)
    if not ((f >= -1.0 / b) & (f <= 1.0)).all():
        raise RiskError(f"fraction={fraction!r:.60} is outside [-1/odds, 1]; more than all wealth could be lost")
    with np.errstate(divide="ignore", invalid="ignore"):
        win = np.where(p > 0.0, p * np.log1p(b * f), 0.0)
        loss = np.where(p < 1.0, (1.0 - p) * np.log1p(-f), 0.0)
    found = win + loss
    return found if found.ndim else float(found)


@admits(RiskError)
def kelly_continuous(mean: float, vol: float, risk_free_rate: float = RISK_FREE_RATE) -> ContinuousKelly:
    """Return the Kelly fraction of an investment in the continuous approximation, with what fractions of it mean.

    Parameters
    ----------
    mean : float
        Expected return per year, arithmetic, as a decimal.
    vol : float
        Volatility per year, as a decimal above 0.
    risk_free_rate : float, default RISK_FREE_RATE
        Riskless rate per year at which the rest is lent or borrowed, as a decimal.

    Raises
    ------
    RiskError
        A figure is not finite, or the volatility is not above 0 or is in per cent.
    """
    for name, figure in (("mean", mean), ("risk_free_rate", risk_free_rate)):
        if not math.isfinite(figure):
            raise RiskError(f"{name}={figure!r} is not finite; give a rate per year, such as 0.05", value=figure)
    if not 0.0 < vol <= _HIGHEST_VOL:
        hint = f"{vol:g} per cent is {vol / _PERCENT:g}" if vol > _HIGHEST_VOL else "a riskless return has no limit"
        raise RiskError(f"vol={vol!r} is not in (0, {_HIGHEST_VOL:g}]; {hint}", name="vol", value=vol)
    found = ContinuousKelly(float(mean), float(vol), float(risk_free_rate))
    if not math.isfinite(found.fraction) or not math.isfinite(found.growth()):
        raise RiskError(f"vol={vol!r} is too small for a mean of {mean!r}; the fraction has no bound", value=vol)
    return found


def _bet(probability: ArrayLike, odds: ArrayLike) -> tuple[FloatArray, FloatArray]:
    p, b = np.asarray(probability, dtype=np.float64), np.asarray(odds, dtype=np.float64)
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise RiskError(f"probability={probability!r:.60} is outside [0, 1]; 0.55 is 55 per cent", name="probability")
    if not ((b > 0.0) & np.isfinite(b)).all():
        raise RiskError(f"odds={odds!r:.60} are not above 0; give what is won per unit staked, 1 for even money")
    try:
        np.broadcast_shapes(p.shape, b.shape)
    except ValueError as error:
        raise RiskError(f"probability and odds of shapes {p.shape} and {b.shape} do not match") from error
    return p, b


@admits(RiskError)
def _require_fraction(fraction: float) -> None:
    if not math.isfinite(fraction):
        raise RiskError(f"fraction={fraction!r} is not finite; 0.5 is half Kelly", value=fraction)


@admits(RiskError)
def _fall_probability(share: float, fraction: float) -> float:
    if not 0.0 < share <= 1.0:
        raise RiskError(f"share={share!r} is outside (0, 1]; 0.5 is a fall to half", name="share", value=share)
    if not 0.0 <= fraction < math.inf:
        raise RiskError(f"fraction={fraction!r} is not at least 0 and finite; 0.5 is half Kelly", value=fraction)
    if share == 1.0 or fraction >= _SURE:
        return 1.0
    return float(share ** (2.0 / fraction - 1.0)) if fraction > _SMALLEST else 0.0


@admits(RiskError)
def _doubling_probability(fraction: float) -> float:
    if not 0.0 < fraction < math.inf:
        raise RiskError(f"fraction={fraction!r} is not above 0 and finite; 0.5 is half Kelly", value=fraction)
    # Brownian motion with drift leaves (-log 2, log 2) above with probability 1 / (1 + 2**(1 - 2/c)).
    return 1.0 / (1.0 + 2.0 ** (1.0 - 2.0 / fraction)) if fraction > _SMALLEST else 1.0


_SMALLEST = 1e-3  # below, the probability of a fall to any share that matters is below 1e-300
