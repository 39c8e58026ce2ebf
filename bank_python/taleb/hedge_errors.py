"""What is left of a delta hedge: the seller's losses on many paths, and their size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Displayed
from bank_python.errors import ModelError
from bank_python.numerics.ranges import number_in_range
from bank_python.plotting import Plotted
from bank_python.results import Tabular
from bank_python.taleb.hull_paths import HedgeReplay, replay_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.taleb.hedge_law import Scaling
    from bank_python.taleb.hedge_run import HedgeRun

__all__ = ["HedgeComparison", "HedgeErrors", "HedgeMeasures", "measures_of"]

_PROBABILITIES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_BINS = 120
_DRAWN = (0.005, 0.995)  # quantiles between which a histogram is drawn
_VAR, _FAR = 0.95, 0.99
_CONSTANT = 1e-14  # a deviation of that share of the largest loss is rounding


@dataclass(frozen=True, slots=True)
class HedgeMeasures:
    """Measures of a sample of losses.

    Parameters
    ----------
    mean_error, mean_standard_error : float
        Mean and its standard error.
    std_error, mad : float
        Standard deviation, and mean absolute deviation from the mean.
    kurtosis : float
        Fourth moment over the squared second, 3 for a Gaussian; NaN if all are equal to rounding.
    var_95, var_99 : float
        Losses that are exceeded with a probability of 5 % and 1 %.
    es_95, es_99 : float
        Means of the worst 5 % and 1 %.
    worst : float
        Largest loss.
    """

    mean_error: float
    mean_standard_error: float
    std_error: float
    mad: float
    kurtosis: float
    var_95: float
    var_99: float
    es_95: float
    es_99: float
    worst: float


def measures_of(losses: FloatArray) -> HedgeMeasures:
    """Return the measures of a sample of losses.

    Parameters
    ----------
    losses : ndarray, shape (n,)
        Losses, n ≥ 2.
    """
    mean = float(losses.mean())
    away = losses - mean
    scale = float(np.abs(away).max()) or 1.0
    second = float(np.mean((away / scale) ** 2))  # whose squares neither vanish nor overflow
    size = float(np.abs(losses).max())
    var_95, var_99 = (float(each) for each in np.quantile(losses, (_VAR, _FAR)))
    deviation = scale * math.sqrt(second * len(losses) / (len(losses) - 1))
    return HedgeMeasures(
        mean,
        deviation / math.sqrt(len(losses)),
        deviation,
        float(np.mean(np.abs(away))),
        _kurtosis(away / scale, math.sqrt(second)) if scale * math.sqrt(second) > _CONSTANT * size else math.nan,
        var_95,
        var_99,
        _shortfall(losses, _VAR),
        _shortfall(losses, _FAR),
        float(losses.max()),
    )


def _kurtosis(away: FloatArray, deviation: float) -> float:
    scaled = away / deviation
    scaled *= scaled
    return float(np.mean(scaled * scaled))


def _shortfall(losses: FloatArray, confidence: float) -> float:
    """Return the mean of the worst share of a sample, the last loss of it by its part."""
    share = (1.0 - confidence) * len(losses)
    whole = min(math.floor(share + 1e-9), len(losses) - 1)  # 5 % of 100 is 5, not 5.000000000000004
    worst = np.sort(np.partition(losses, len(losses) - whole - 1)[len(losses) - whole - 1 :])
    part = max(share - whole, 0.0)
    return float((worst[1:].sum() + part * worst[0]) / share) if share >= 1.0 else float(worst[-1])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HedgeErrors(Plotted, Tabular):
    """Errors of the hedge of a sold option; returned by :meth:`HedgingErrorSimulator.simulate`.

    An error is payoff less premium less the gain of the hedge: what the *seller* of the option loses, who hedges it;
    negative where he gains. Amounts are those of one option, in money of the start.

    Parameters
    ----------
    distribution : str
        Law of the moves, a member of :class:`HedgeLaw` by its value.
    errors : ndarray, shape (n_paths,)
        Error of each path, costs included.
    measures : HedgeMeasures
        Their measures; each is an attribute of the result as well.
    scaling : Scaling, optional
        Measure of size in which the law equals the Gaussian of the volatility given; None for diffusions.
    law_words : str
        Law in words, with its parameters and its size.
    spot, strike, vol, expiry, rate : float
        Terms of the option, annual volatility and rate.
    n_steps : int
        Number of rebalancings, the first at the start.
    premium : float
        Premium received.
    mean_cost : float
        Mean cost of the rebalancings, 0 without costs.
    absorbed : int
        Number of paths that ended at a price of zero.
    notes : tuple of str
        Remarks on what the figures do not say, such as moments that are infinite.
    run : HedgeRun
        Simulation, from which single paths are computed again.
    """

    distribution: str
    errors: FloatArray
    measures: HedgeMeasures
    scaling: Scaling | None
    law_words: str
    spot: float
    strike: float
    vol: float
    expiry: float
    n_steps: int
    rate: float
    premium: float
    mean_cost: float
    absorbed: int
    notes: tuple[str, ...]
    run: HedgeRun

    @property
    def n_paths(self) -> int:
        """Number of paths."""
        return len(self.errors)

    @property
    def mean_error(self) -> float:
        """Mean error: what the seller loses on average."""
        return self.measures.mean_error

    @property
    def mean_standard_error(self) -> float:
        """Standard error of :attr:`mean_error`."""
        return self.measures.mean_standard_error

    @property
    def std_error(self) -> float:
        """Standard deviation of the errors."""
        return self.measures.std_error

    @property
    def mad(self) -> float:
        """Mean absolute deviation of the errors from their mean."""
        return self.measures.mad

    @property
    def kurtosis(self) -> float:
        """Kurtosis of the errors, 3 for a Gaussian."""
        return self.measures.kurtosis

    @property
    def var_95(self) -> float:
        """Loss that the seller exceeds with a probability of 5 %, positive for a loss."""
        return self.measures.var_95

    @property
    def var_99(self) -> float:
        """Loss that the seller exceeds with a probability of 1 %, positive for a loss."""
        return self.measures.var_99

    @property
    def es_95(self) -> float:
        """Mean of the seller's worst 5 %, positive for a loss."""
        return self.measures.es_95

    @property
    def es_99(self) -> float:
        """Mean of the seller's worst 1 %, positive for a loss."""
        return self.measures.es_99

    @property
    def worst(self) -> float:
        """Largest loss of the seller on any path."""
        return self.measures.worst

    @property
    def worst_index(self) -> int:
        """Number of the path with the largest loss."""
        return int(np.argmax(self.errors))

    @property
    def quantiles(self) -> Mapping[float, float]:
        """Quantiles of the errors by probability; the high ones are the seller's losses."""
        found = np.quantile(self.errors, _PROBABILITIES)
        return dict(zip(_PROBABILITIES, map(float, found), strict=True))

    @admits(ModelError)
    def quantile(self, probability: float) -> float:
        """Return a quantile of the errors.

        Parameters
        ----------
        probability : float
            Probability of an error of at most that, in [0, 1].

        Raises
        ------
        ModelError
            The probability is out of range.
        """
        known = number_in_range("probability", probability, ModelError, least=0.0, most=1.0)
        return float(np.quantile(self.errors, known))

    @admits(ModelError)
    def replay(self, index: int | None = None) -> HedgeReplay:
        """Return one path of the simulation, step by step.

        Parameters
        ----------
        index : int, optional
            Number of the path, from 0; by default that of the largest loss.

        Raises
        ------
        ModelError
            There is no such path.
        """
        number = self.worst_index if index is None else index
        if not 0 <= number < self.n_paths:
            raise ModelError(
                f"index={number!r}: there are the paths 0 to {self.n_paths - 1}", name="index", value=number
            )
        relative = self.run.path(number)
        times = np.arange(self.n_steps + 1) * (self.expiry / self.n_steps)
        prices = self.spot * relative * np.exp(self.rate * times)
        return replay_of(prices, self.run.deltas(relative), self.strike, self.expiry, self.rate, 1.0)

    def to_table(self) -> Table:
        """Return the figures, without the errors themselves, as a table of one row."""
        return figures_table([self])

    def __rich__(self) -> object:
        from bank_python.render_hedging import hedge_errors_view

        return hedge_errors_view([self])

    def _draw_(self, axes: Axes) -> None:
        draw_errors(axes, [self])


def figures_table(results: Iterable[HedgeErrors]) -> Table:
    """Return the figures of results, a row each."""
    from bank_python.mntable import Table

    columns = {"distribution": str, "scaling": str, "n_steps": int, "n_paths": int, "premium": float}
    measured = HedgeMeasures.__slots__
    rows = [
        {
            "distribution": each.distribution,
            "scaling": "" if each.scaling is None else each.scaling.value,
            "n_steps": each.n_steps,
            "n_paths": each.n_paths,
            "premium": each.premium,
            **{name: _cell(getattr(each.measures, name)) for name in measured},
            "mean_cost": each.mean_cost,
            "absorbed": each.absorbed,
        }
        for each in results
    ]
    return Table.from_rows(
        [*columns.items(), *((name, float | None) for name in measured), ("mean_cost", float), ("absorbed", int)], rows
    )


def _cell(value: float) -> float | None:
    return None if math.isnan(value) else value


def draw_errors(axes: Axes, results: Iterable[HedgeErrors]) -> None:
    """Draw the densities of errors, the tails on a logarithmic scale.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes to draw on.
    results : iterable of HedgeErrors
        Results to compare.
    """
    from bank_python.plotting import line_styles, logarithmic

    known = list(results)
    low = min(float(np.quantile(each.errors, _DRAWN[0])) for each in known)
    high = max(float(np.quantile(each.errors, _DRAWN[1])) for each in known)
    edges = np.linspace(low, max(high, low + 1e-12), _BINS + 1)
    for each, style in zip(known, line_styles(len(known)), strict=True):
        counts, _ = np.histogram(each.errors, edges)
        density = counts / (each.n_paths * np.diff(edges))
        axes.plot(
            0.5 * (edges[1:] + edges[:-1]), np.where(density > 0.0, density, np.nan), label=each.distribution, **style
        )
    logarithmic(axes.yaxis)
    axes.set(xlabel="loss of the seller", ylabel="density", title="Hedging errors")
    axes.legend()


class HedgeComparison(list[HedgeErrors], Plotted, Tabular):
    """Results of several laws: a list, which shows, exports and draws itself as one."""

    __slots__ = ()

    def to_table(self) -> Table:
        """Return a row for each law."""
        return figures_table(self)

    __repr__ = Displayed.__repr__

    def __rich__(self) -> object:
        from bank_python.render_hedging import hedge_errors_view

        return hedge_errors_view(self)

    def _draw_(self, axes: Axes) -> None:
        draw_errors(axes, self)
