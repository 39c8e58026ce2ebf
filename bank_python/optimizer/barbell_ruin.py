r"""Ruin of a barbell: the probability that wealth falls to a level at the end of one of many periods.

*Rebalanced*, a barbell has in every period of length h the growth

.. math:: G_t = 1 + (1 - \theta)\, r h + \theta\,(\mu h + \sigma \sqrt h\, Z_t)

with independent Z of the tail model, scaled to mean 0 and variance 1, and wealth is the product. Small losses add up:
what is safe is used to buy more of what fell, so wealth may fall by more than the share at risk. *Held*, without
rebalancing, the safe part is left alone, wealth is :math:`(1 - \theta)(1 + r h)^t + \theta B_t` with the value B of the
basket, and it can never fall below the safe part: this is what a barbell promises.

Ruin is a wealth at the end of any period of not more than 1 − L, with L the ruin level. For a normal or Student
distribution, the density of the logarithm of wealth (or of the basket) that has not been ruined is carried from period
to period,

.. math:: p_{t+1}(y) = \int_{b_t}^{\infty} p_t(x)\, g(y - x)\,dx , \qquad
          P(\text{ruin at } t + 1) = \int_{b_t}^{\infty} p_t(x)\, P(x + \log G \le b_{t+1})\,dx ,

by Gauss–Legendre quadrature between the barrier b and a level that is hardly reached, from which no ruin is counted.
The sum is repeated with more nodes and a higher level; ``error`` is the difference. Growth of 0 or less is ruin.
Empirical tails have no density: paths are drawn from the past and ``error`` is the standard error.

With many short periods of normal returns, and the barrier moved by 0.5826 standard deviations of a period (Broadie,
Glasserman and Kou), the probability tends to that of a Brownian motion's first passage.

Examples
--------
>>> from bank_python.optimizer.barbell_mix import BarbellMix
>>> barbell = BarbellMix(share=0.4, safe_return=0.0, mean=0.08, deviation=0.2)
>>> ruin = barbell_ruin(barbell, 0.2, years=10, periods_per_year=12)
>>> round(ruin.probability, 4), ruin.error < 1e-9
(0.0884, True)
>>> barbell_ruin(barbell, 0.45, years=10, periods_per_year=12, rebalanced=False).probability
0.0

References
----------
M. Broadie, P. Glasserman and S. Kou, "A continuity correction for discrete barrier options", Mathematical Finance 7
(1997), 325-349.

N. N. Taleb, *Statistical Consequences of Fat Tails* (2020), section 3.9: ruin and repetition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics import gauss_legendre, normal_cdf, student_t_cdf
from bank_python.numerics.normal import pdf_column
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.optimizer.standard_tails import TailDistribution
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.barbell_mix import BarbellMix

__all__ = ["BarbellRuin", "barbell_ruin"]

_FAR = 4.0  # standard deviations of the whole horizon above the mean, from where ruin is not counted
_PANEL = 5.0  # standard deviations of a period in a panel of the quadrature
_NODES = 16  # of a panel
_MOST_NODES = 2_500
_FINER = 1.25  # ratio by which the panels are shorter and the highest level is higher in the second computation
_PATHS = 20_000
_LEAST_DF = 2.0
_MOST_PERIODS = 100_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BarbellRuin(Plotted, Tabular):
    """Probability of ruin of a barbell by the number of periods; returned by :func:`barbell_ruin`.

    Parameters
    ----------
    share : float
        Share in the risky basket.
    ruin_level : float
        Loss from the start that is ruin, as a decimal share of the wealth.
    by_period : ndarray, shape (periods,)
        Probability of ruin up to the end of each period.
    periods_per_year : float
        Number of periods in a year.
    rebalanced : bool
        Whether the share is restored after every period.
    tails : TailDistribution
        Shape of the distribution of the basket's returns per period.
    error : float
        Error of the last probability: the difference to a finer quadrature, or the standard error of a simulation.
    """

    share: float
    ruin_level: float
    by_period: FloatArray
    periods_per_year: float
    rebalanced: bool
    tails: TailDistribution
    error: float

    @property
    def probability(self) -> float:
        """Probability of ruin within all periods."""
        return float(self.by_period[-1])

    @property
    def years(self) -> float:
        """Length of all periods together, in years."""
        return len(self.by_period) / self.periods_per_year

    def to_table(self) -> Table:
        """Return a table with a row for each period: its end in years, and the probability of ruin up to it."""
        from bank_python.mntable import Table

        rows = [
            {"period": i, "years": i / self.periods_per_year, "probability": value}
            for i, value in enumerate(self.by_period.tolist(), 1)
        ]
        return Table.from_rows([("period", int), ("years", float), ("probability", float)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the probability of ruin by the horizon."""
        axes.plot(np.arange(1, len(self.by_period) + 1) / self.periods_per_year, self.by_period)
        how = "rebalanced" if self.rebalanced else "held"
        title = f"Ruin of a barbell with {self.share:.0%} at risk, {how}"
        axes.set(xlabel="years", ylabel=f"probability of a loss of {self.ruin_level:.0%}", title=title)
        percent(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render_fragility import barbell_ruin_view

        return barbell_ruin_view(self)


@guessable
@admits(ModelError)
def barbell_ruin(
    barbell: BarbellMix,
    ruin_level: float = 0.25,
    *,
    years: float = 10.0,
    periods_per_year: float = 12.0,
    rebalanced: bool = True,
    tails: TailDistribution | str = TailDistribution.GAUSSIAN,
    degrees_of_freedom: float = 4.0,
    sample: ArrayLike | None = None,
    seed: int = 0,
) -> BarbellRuin:
    """Return the probability that a barbell has lost a share of its wealth at the end of some period.

    Parameters
    ----------
    barbell : BarbellMix
        Share at risk, with the return of the safe asset and the mean and standard deviation of the basket per year.
    ruin_level : float, default 0.25
        Loss from the start that is ruin, in (0, 1).
    years : float, default 10
        Length of time, above 0; a whole number of periods, at least one and at most 100,000.
    periods_per_year : float, default 12
        Number of periods in a year, above 0; means scale with their length, deviations with its root.
    rebalanced : bool, default True
        Whether the share is restored after every period; otherwise the safe part is left alone.
    tails : TailDistribution or str, default "gaussian"
        Shape of the returns per period: ``gaussian``, ``student_t`` or ``empirical``.
    degrees_of_freedom : float, default 4
        Degrees of freedom of ``student_t``, above 2.
    sample : array_like, shape (n_obs,), optional
        Past returns whose shape ``empirical`` takes, standardised by their mean and standard deviation.
    seed : int, default 0
        Seed of the simulation of ``empirical``.

    Raises
    ------
    ModelError
        An argument is out of range, or held without rebalancing at a safe rate below 0.
    CalibrationError
        ``empirical`` has no sample, or one that is constant; or the quadrature needs too many nodes: the periods are
        too short for the horizon.
    """
    number_in_range("ruin_level", ruin_level, ModelError, above=0.0)
    if ruin_level >= 1.0:
        raise ModelError(
            f"ruin_level={ruin_level!r} is not below 1; give a decimal, as 0.25 for a quarter of the wealth"
        )
    number_in_range("periods_per_year", periods_per_year, ModelError, above=0.0)
    count = _periods(years, periods_per_year)
    if not rebalanced and barbell.safe_return < 0.0:
        raise ModelError(
            f"a safe rate of {barbell.safe_return:g} without rebalancing: the safe part would shrink by itself; give a "
            "rate of at least 0, or rebalanced=True",
            value=barbell.safe_return,
        )
    shape = TailDistribution.parse(tails)
    step = _Step.of(barbell, periods_per_year, ruin_level, count, rebalanced=rebalanced)
    if shape is TailDistribution.EMPIRICAL:
        ruined, error = _simulated(step, _standardised(sample), seed)
    else:
        law = _Normal() if shape is TailDistribution.GAUSSIAN else _student(degrees_of_freedom)
        ruined, error = _integrated(step, law)
    ruined.setflags(write=False)
    return BarbellRuin(barbell.share, ruin_level, ruined, periods_per_year, rebalanced, shape, error)


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """Growth of the risky state in a period, 1 + centre + width Z, and the logarithm of the level of ruin after it."""

    centre: float
    width: float
    barriers: FloatArray

    @classmethod
    def of(cls, barbell: BarbellMix, per_year: float, level: float, count: int, *, rebalanced: bool) -> _Step:
        safe, mean = barbell.safe_return / per_year, barbell.mean / per_year
        width = barbell.deviation / math.sqrt(per_year)
        if rebalanced:
            mixed = (1.0 - barbell.share) * safe + barbell.share * mean
            return cls(mixed, barbell.share * width, np.full(count, math.log1p(-level)))
        kept = (1.0 - barbell.share) * (1.0 + safe) ** np.arange(1, count + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = np.where(kept < 1.0 - level, (1.0 - level - kept) / barbell.share, 0.0)
            return cls(mean, width, np.asarray(np.log(needed)))


class _Law(Protocol):
    """A distribution with mean 0 and variance 1."""

    def density(self, z: FloatArray) -> FloatArray:
        """Return the density."""
        ...

    def below(self, z: FloatArray) -> FloatArray:
        """Return the probability of a value of at most z."""
        ...


@dataclass(frozen=True, slots=True)
class _Normal:
    def density(self, z: FloatArray) -> FloatArray:
        return pdf_column(z)

    def below(self, z: FloatArray) -> FloatArray:
        return np.asarray(normal_cdf(z))


@dataclass(frozen=True, slots=True)
class _Student:
    df: float

    def density(self, z: FloatArray) -> FloatArray:
        df = self.df
        constant = math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log((df - 2.0) * math.pi)
        return np.asarray(np.exp(constant - 0.5 * (df + 1.0) * np.log1p(z * z / (df - 2.0))))

    def below(self, z: FloatArray) -> FloatArray:
        scale = math.sqrt(self.df / (self.df - 2.0))
        return np.array([student_t_cdf(scale * at, self.df) for at in z.tolist()])


def _student(df: float) -> _Student:
    if not _LEAST_DF < df < math.inf:
        raise ModelError(f"degrees_of_freedom={df!r}; give a finite number above 2, for a finite variance", value=df)
    return _Student(df)


def _periods(years: float, per_year: float) -> int:
    number_in_range("years", years, ModelError, above=0.0)
    count = round(years * per_year)
    if abs(count - years * per_year) > LAST_DIGITS * max(count, 1) or not 1 <= count <= _MOST_PERIODS:
        raise ModelError(
            f"{years:g} years of {per_year:g} periods are {years * per_year:g} periods; give a whole number of them, "
            f"at least 1 and at most {_MOST_PERIODS:,}",
            name="years",
            value=years,
        )
    return count


def _integrated(step: _Step, law: _Law) -> tuple[FloatArray, float]:
    """Return the probability of ruin up to each period by quadrature, and the difference to a coarser one."""
    finite = np.isfinite(step.barriers)
    if not finite.any():
        return np.zeros(len(step.barriers)), 0.0
    if step.width == 0.0:
        return _certain(step), 0.0
    # Without rebalancing the safe part outgrows the level of ruin at some time, after which there is none.
    barriers = step.barriers[finite]
    n = len(barriers)
    drift, spread = n * max(math.log1p(step.centre), 0.0), _FAR * step.width * math.sqrt(n)
    needed = _FINER * _NODES * (drift + _FINER * spread - float(barriers.min())) / (_PANEL * step.width)
    if needed > _MOST_NODES:
        raise CalibrationError(
            f"{n:,} periods with a standard deviation of {step.width:.3g} need {needed:,.0f} nodes of quadrature, more "
            f"than {_MOST_NODES:,}; give fewer periods_per_year or years",
            value=needed,
        )
    coarse = _carried(step, law, barriers, drift + spread, _PANEL * step.width)
    fine = _carried(step, law, barriers, drift + _FINER * spread, _PANEL / _FINER * step.width)
    ruined = np.append(fine, np.full(len(step.barriers) - n, fine[-1]))
    return np.minimum(ruined, 1.0), float(abs(fine[-1] - coarse[-1]))


def _carried(step: _Step, law: _Law, barriers: FloatArray, top: float, panel: float) -> FloatArray:
    """Return the probability of ruin up to each period, by carrying on the density of what is not ruined."""
    place, mass = np.zeros(1), np.ones(1)
    ruined, before = np.empty(len(barriers)), math.nan
    for t, barrier in enumerate(barriers.tolist()):
        # The first period starts at a point, the second at the nodes; then a barrier that stays has the same kernel.
        if t < 2 or barrier != before:  # noqa: PLR2004
            nodes, weights = _nodes(barrier, top, panel)
            below = law.below((np.exp(barrier - place) - 1.0 - step.centre) / step.width)
            growth = np.exp(nodes[:, None] - place)
            kernel = law.density((growth - 1.0 - step.centre) / step.width) * growth / step.width
        ruined[t] = mass @ below
        place, mass, before = nodes, weights * (kernel @ mass), barrier
    return np.cumsum(ruined)


def _nodes(low: float, high: float, panel: float) -> tuple[FloatArray, FloatArray]:
    """Return the nodes and weights of Gauss–Legendre quadrature on panels of at most a given length."""
    count = max(1, math.ceil((high - low) / panel))
    edges, half = np.linspace(low, high, count + 1), 0.5 * (high - low) / count
    rule = gauss_legendre(_NODES)
    nodes = (edges[:-1, None] + half * (1.0 + rule.nodes)).reshape(-1)
    return np.asarray(nodes), np.tile(half * rule.weights, count)


def _certain(step: _Step) -> FloatArray:
    """Return whether a barbell without risk is ruined, which its safe asset alone decides."""
    wealth = np.arange(1, len(step.barriers) + 1) * math.log1p(step.centre)
    return np.asarray(np.maximum.accumulate(wealth <= step.barriers).astype(np.float64))


def _standardised(sample: ArrayLike | None) -> FloatArray:
    if sample is None:
        raise CalibrationError("empirical tails without a sample; give past returns as sample=")
    past = figures_in_range("sample", sample, CalibrationError).reshape(-1)
    deviation = float(past.std()) if past.size else 0.0
    if not past.size or deviation <= LAST_DIGITS * float(np.abs(past).max()):
        raise CalibrationError("the sample of returns is empty or constant; give one that varies", value=deviation)
    return np.asarray((past - past.mean()) / deviation)


def _simulated(step: _Step, sample: FloatArray, seed: int) -> tuple[FloatArray, float]:
    """Return the share of paths that are ruined up to each period, and the standard error of the last."""
    rng = np.random.default_rng(seed)
    wealth, alive = np.zeros(_PATHS), np.ones(_PATHS, dtype=bool)
    ruined = np.empty(len(step.barriers))
    for t, barrier in enumerate(step.barriers.tolist()):
        growth = 1.0 + step.centre + step.width * rng.choice(sample, _PATHS)
        with np.errstate(divide="ignore", invalid="ignore"):
            wealth = wealth + np.log(np.maximum(growth, 0.0))
        alive &= (wealth > barrier) | (barrier == -math.inf)
        ruined[t] = 1.0 - alive.mean()
    share = float(ruined[-1])
    return ruined, math.sqrt(share * (1.0 - share) / _PATHS)
