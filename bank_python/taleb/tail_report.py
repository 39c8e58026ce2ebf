"""What diagnostics of tails found in a sample of returns: each tail, the moments, the figures of concentration.

:func:`bank_python.taleb.TailDiagnostics.analyze` makes a :class:`TailReport`. Its figures are those that a reader needs
at once; curves and pictures are made from the sample when they are asked for.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.plotting import Plotted, line_styles, logarithmic
from bank_python.results import Figures, Tabular
from bank_python.taleb.hill import HillCurve, hill_curve
from bank_python.taleb.max_to_sum import MaxToSumCurves, max_to_sum_curves
from bank_python.taleb.moments import MomentEvidence, moment_evidence
from bank_python.taleb.sample_pictures import QuantilePoints, SurvivalPoints, qq_points, survival_points
from bank_python.taleb.tail_verdict import limits_of_evidence, verdict_of
from bank_python.taleb.thresholds import MeanExcess, mean_excess

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.risk_models import TailFit
    from bank_python.taleb.ergodicity import ErgodicityGap
    from bank_python.taleb.power_law_fit import PowerLawFit
    from bank_python.taleb.quantile_contribution import QuantileContribution
    from bank_python.taleb.tail_index import TailIndex

__all__ = ["AnalysedTail", "Side", "TailReport"]


class Side(enum.Enum):
    """Tail of a sample: its losses, its gains, or the sizes of both."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class AnalysedTail(Figures):
    """One tail of a sample.

    Parameters
    ----------
    side : Side
        Tail that is described.
    n_observations : int
        Number of observations on that side.
    index : TailIndex or None
        Tail index with its error; None where it cannot be estimated.
    gpd : TailFit or None
        Generalised Pareto distribution of the largest tenth of that side; None where it cannot be fitted.
    reason : str
        Reason for what is missing; empty if nothing is.
    """

    side: Side
    n_observations: int
    index: TailIndex | None
    gpd: TailFit | None
    reason: str = ""

    @property
    def alpha(self) -> float:
        """Tail index (Hill); NaN where it is missing."""
        return math.nan if self.index is None else self.index.alpha

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name."""
        index, gpd = self.index, self.gpd
        figures = ("alpha", "alpha_se", "low", "high", "alpha_corrected", "k", "threshold", "xi_moment", "xi_pickands")
        found = {name: None if index is None else getattr(index, name) for name in figures}
        xi = None if gpd is None else gpd.fit.xi
        return {
            "side": self.side.value,
            "n_observations": self.n_observations,
            **found,
            "xi_gpd": xi,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TailReport(Plotted, Tabular):
    """Diagnostics of the tails of a sample of returns.

    Parameters
    ----------
    both, left, right : AnalysedTail
        Tail of the sizes of all returns, of the losses and of the gains.
    kappa : float
        Mean absolute deviation over standard deviation: √(2/π) for a Gaussian, lower for fat tails; NaN for a constant
        sample.
    kappa_n : float
        Taleb's κ for sums of two returns, estimated from the sample: 0 for a Gaussian, towards 1 for a Cauchy
        distribution.
    max_to_sum : float
        Share of the largest square in the sum of squares, in [0, 1].
    top_share : float
        Share of the sum of sizes that the largest 1 % contribute, in [0, 1]; NaN for fewer than 100.
    contribution : QuantileContribution or None
        The same share with its correction for the tail, which the sample underestimates; None without a power law.
    moments : tuple of MomentEvidence
        Evidence on the existence of the moments of orders 1 to 4.
    power_law : PowerLawFit or None
        Power law fitted to the sizes by the method of Clauset, Shalizi and Newman; None if it was not asked for, or
        could not be fitted.
    growth : ErgodicityGap or None
        Average growth over many copies and over time; None if the values are no returns (one is below −1).
    notes : tuple of str
        Remarks on the sample and on what is missing.
    returns : ndarray, shape (n_obs,)
        Sample that was analysed.
    """

    both: AnalysedTail
    left: AnalysedTail
    right: AnalysedTail
    kappa: float
    kappa_n: float
    max_to_sum: float
    top_share: float
    contribution: QuantileContribution | None
    moments: tuple[MomentEvidence, ...]
    power_law: PowerLawFit | None
    growth: ErgodicityGap | None
    notes: tuple[str, ...]
    returns: FloatArray

    kappa_gaussian = math.sqrt(2.0 / math.pi)
    """Value of :attr:`kappa` for a Gaussian distribution, √(2/π) = 0.7979."""

    @property
    def alpha(self) -> float:
        """Tail index of the sizes of all returns (Hill): below 4, fat tails; NaN where it is missing."""
        return self.both.alpha

    @property
    def alpha_se(self) -> float:
        """Standard error of :attr:`alpha`."""
        return math.nan if self.both.index is None else self.both.index.alpha_se

    @property
    def k_tail(self) -> int:
        """Number of largest sizes from which :attr:`alpha` was estimated; 0 where it is missing."""
        return 0 if self.both.index is None else self.both.index.k

    @property
    def n_observations(self) -> int:
        """Number of returns."""
        return len(self.returns)

    @property
    def verdict(self) -> str:
        """Finding in one or two sentences of plain words."""
        return verdict_of(self)

    @property
    def does_not_say(self) -> tuple[str, ...]:
        """Sentences on what these figures do not say."""
        return limits_of_evidence(self)

    def side(self, side: Side | str = Side.LEFT) -> AnalysedTail:
        """Return one tail: ``"left"``, ``"right"`` or ``"both"``."""
        return cast("AnalysedTail", getattr(self, _side(side).value))

    @admits(ModelError)
    def moment_exists(self, p: float, side: Side | str = Side.BOTH) -> MomentEvidence:
        """Return the evidence on the existence of a moment, with the tail index found here.

        Parameters
        ----------
        p : float
            Order of the moment, above 0.
        side : Side or str, default "both"
            Tail that decides on it.

        Raises
        ------
        CalibrationError
            That tail has no index, or the sample has fewer than 40 values.
        """
        tail = self.side(side)
        if tail.index is None:
            raise CalibrationError(f"no evidence on a moment of the {tail.side.value} tail: {tail.reason}")
        sample = self.returns if tail.side is Side.BOTH else self.sizes(side)
        return moment_evidence(sample, p, tail.index)

    def sizes(self, side: Side | str = Side.LEFT) -> FloatArray:
        """Return the observations of a tail as positive numbers, in the order of the sample."""
        chosen = _side(side)
        if chosen is Side.BOTH:
            return np.asarray(np.abs(self.returns[self.returns != 0.0]))
        signed = -self.returns if chosen is Side.LEFT else self.returns
        return np.asarray(signed[signed > 0.0])

    def hill_curve(self, side: Side | str = Side.LEFT) -> HillCurve:
        """Return the tail index by number of largest values: the stability plot of a tail."""
        return hill_curve(self.sizes(side))

    def mean_excess_curve(self, side: Side | str = Side.LEFT) -> MeanExcess:
        """Return the mean excess of a tail by threshold: rising for a power law, level for an exponential."""
        return mean_excess(self.sizes(side))

    def survival_points(self, side: Side | str = Side.LEFT) -> SurvivalPoints:
        """Return the share of a tail beyond each size: a straight line on logarithmic axes for a power law."""
        return survival_points(self.sizes(side))

    def qq_points(self, alpha: float | None = None) -> QuantilePoints:
        """Return the quantiles of the returns beside those of a Gaussian or a Student distribution."""
        return qq_points(self.returns, alpha)

    def max_to_sum_curves(self) -> MaxToSumCurves:
        """Return the share of the largest term in the sum of powers 1 to 4, by number of observations."""
        return max_to_sum_curves(self.returns)

    def to_table(self) -> Table:
        """Return a table with a row for each tail."""
        from bank_python.mntable import Table

        rows = [
            {name: None if isinstance(x, float) and math.isnan(x) else x for name, x in side.to_dict().items()}
            for side in (self.left, self.right, self.both)
        ]
        kinds: dict[str, Any] = dict.fromkeys(rows[0], float | None)
        kinds |= {"side": str, "reason": str | None, "n_observations": int, "k": int | None}
        return Table.from_rows(list(kinds.items()), rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures of the whole sample by name."""
        names = ("alpha", "alpha_se", "kappa", "kappa_gaussian", "kappa_n", "max_to_sum", "top_share", "n_observations")
        return {name: getattr(self, name) for name in (*names, "k_tail", "verdict")}

    def _draw_(self, axes: Axes) -> None:
        styles = line_styles(2)
        for side, style in zip((Side.LEFT, Side.RIGHT), styles, strict=True):
            sizes = np.sort(self.sizes(side))[::-1]
            if len(sizes):
                share = np.arange(1, len(sizes) + 1) / self.n_observations
                name = "losses" if side is Side.LEFT else "gains"
                axes.plot(sizes, share, label=name, **style)
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
        axes.set(xlabel="size", ylabel="share of returns beyond it")
        axes.set_title(f"Tails: index {self.left.alpha:.2g} left, {self.right.alpha:.2g} right")
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_tails import tail_report_view

        return tail_report_view(self)


def _side(side: Side | str) -> Side:
    try:
        return Side(side)
    except ValueError:
        known = ", ".join(item.value for item in Side)
        raise ModelError(f"side={side!r} is no tail; choose one of {known}", name="side", value=side) from None
