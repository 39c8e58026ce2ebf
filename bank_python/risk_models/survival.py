r"""Survival curves: survival probabilities at nodes, with a piecewise constant hazard rate.

The hazard rate, the default intensity per year conditional on survival, is constant between nodes, so the logarithm of
the survival probability is linear in time, as the ISDA standard model prescribes. Before the first node and after the
last, the hazard rate of the nearest segment applies.

.. math:: Q(t) = \exp\Bigl(-\int_0^t h(u)\,du\Bigr)

Examples
--------
>>> curve = SurvivalCurve([1.0, 3.0], [0.98, 0.90])
>>> round(curve.survival(2.0), 6), round(curve.hazard_rate(0.5), 6), round(curve.hazard_rate(7.0), 6)
(0.939149, 0.020203, 0.042579)

References
----------
D. O'Kane and S. Turnbull, "Valuation of credit default swaps", Lehman Brothers Quantitative Credit
Research (2003): the piecewise constant hazard rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CurveError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import read_only
from bank_python.numerics.dates import as_years
from bank_python.plotting import Plotted, percent
from bank_python.results import Tabular
from bank_python.wording import words_of

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray, Numbers
    from bank_python.numerics.dates import When

__all__ = ["WORDS_OF_SURVIVAL", "SurvivalCurve"]

WORDS_OF_SURVIVAL = {
    "zero": "hazard_rate(t); zero rates are those of the discount curve",
    "zero_rate": "hazard_rate(t); zero rates are those of the discount curve",
    "forward_rate": "forward(t1, t2), the mean hazard rate",
    "discount": "survival(t); discount factors are those of the discount curve",
    "hazard": "hazard_rate(t)",
    "survival_probability": "survival(t)",
}
"""Methods of a survival curve by the attributes of discount curves and other libraries that they correspond to."""

_DRAWN = 300


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _LogNodes:
    """The nodes of a curve."""

    times: FloatArray
    log_survivals: FloatArray


@admits(ModelError)
class SurvivalCurve(_LogNodes, Plotted, Tabular):
    """A survival curve with log-linear interpolation.

    Parameters
    ----------
    times : array_like, shape (n,)
        Years from the valuation date, above zero and increasing.
    survivals : array_like, shape (n,)
        Probabilities of no default up to these times, in (0, 1], not increasing.

    Attributes
    ----------
    times, log_survivals : ndarray, shape (n,)
        Times of the nodes in years and logarithms of their survival probabilities; read-only.

    Raises
    ------
    CurveError
        There are no nodes, the times do not increase, a probability is outside (0, 1], or the probabilities increase,
        which would be a negative hazard rate.
    """

    def __init__(self, times: ArrayLike, survivals: ArrayLike) -> None:
        at, alive = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (times, survivals))
        if at.shape != alive.shape or at.ndim != 1 or not at.size:
            raise CurveError(
                f"a survival curve needs as many times as probabilities: got shapes {at.shape}, {alive.shape}"
            )
        _require_times(at)
        bad = alive[~((alive > 0.0) & (alive <= 1.0))]
        if bad.size:
            raise CurveError(f"a survival probability must be above 0 and at most 1, not {bad[0]}; correct the node")
        rises = np.flatnonzero(np.diff(alive) > 0.0)
        if rises.size:
            i = int(rises[0])
            raise CurveError(
                f"the survival probability rises from {alive[i]} at {at[i]:g} years to {alive[i + 1]} at "
                f"{at[i + 1]:g}, so the hazard rate would be negative; correct the later node"
            )
        super().__init__(read_only(at), read_only(np.log(alive)))

    @classmethod
    @guessable
    def from_hazard_rates(cls, times: ArrayLike, hazards: ArrayLike) -> Self:
        """Build a curve from the hazard rates, decimals per year, of the segments that end at `times`.

        Raises
        ------
        CurveError
            The shapes differ, the times do not increase, or a hazard rate is negative or not finite.
        """
        at, rates = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (times, hazards))
        if at.shape != rates.shape or at.ndim != 1 or not at.size:
            raise CurveError(f"a survival curve needs as many times as hazard rates: got {at.shape}, {rates.shape}")
        _require_times(at)
        bad = rates[~(np.isfinite(rates) & (rates >= 0.0))]
        if bad.size:
            raise CurveError(f"a hazard rate must be finite and at least 0, not {bad[0]}; correct the node")
        curve = cls.__new__(cls)
        # The logarithms are stored directly, as exp followed by log is not exact.
        _LogNodes.__init__(curve, read_only(at), read_only(-np.cumsum(rates * np.diff(at, prepend=0.0))))
        return curve

    @classmethod
    @guessable
    def flat(cls, hazard: float) -> Self:
        """Return the curve with the same hazard rate, a decimal per year, for all times.

        Raises
        ------
        CurveError
            The hazard rate is negative or not finite.
        """
        return cls.from_hazard_rates(1.0, hazard)

    def __repr__(self) -> str:
        last = float(np.exp(self.log_survivals[-1]))
        return f"<SurvivalCurve of {len(self.times)} nodes: survival {last:.4g} to {self.times[-1]:g} years>"

    def to_table(self) -> Table:
        """Return a table with a row for each node: years, survival probability, hazard rate before it."""
        from bank_python.mntable import Table

        columns = self.times, np.exp(self.log_survivals), self._hazards
        names = ("years", "survival", "hazard")
        rows = [dict(zip(names, row, strict=True)) for row in np.column_stack(columns).tolist()]
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the survival probability by maturity."""
        drawn = np.union1d(np.linspace(0.0, self.times[-1], _DRAWN), self.times)
        axes.plot(drawn, self.survival(drawn), color="C0", linestyle="-")
        axes.plot(self.times, self.survival(self.times), color="C0", linestyle="", marker="o", markersize=4)
        axes.set(xlabel="years", ylabel="probability of no default", title="Survival probability")
        axes.set_xlim(left=0.0)
        percent(axes.yaxis)

    @cached_property
    def _knots(self) -> FloatArray:
        return np.concatenate([[0.0], self.times])

    @cached_property
    def _hazards(self) -> FloatArray:
        return np.asarray(-np.diff(self.log_survivals, prepend=0.0) / np.diff(self._knots) + 0.0)

    @admits(ModelError)
    def log_survival(self, time: ArrayLike) -> FloatArray:
        """Return the logarithm of the survival probability to `time` in years, of any shape; 0 before time 0."""
        t = np.maximum(np.asarray(time, dtype=float), 0.0)
        left = self._segment(t)
        base = np.concatenate([[0.0], self.log_survivals])[left]
        return np.asarray(base - self._hazards[left] * (t - self._knots[left]))

    def survival(self, time: When) -> Numbers:
        """Return the probability of survival to `time`; 1 before time 0.

        Parameters
        ----------
        time : array_like or str
            Years from now, of any shape, or tenors such as ``"5Y"``. A curve has no date, so dates are rejected.

        Raises
        ------
        CurveError
            The time is neither years nor a tenor.
        """
        return _as_number(np.exp(self.log_survival(self._years(time))))

    def default_probability(self, time: When) -> Numbers:
        """Return the probability of default up to `time`: 1 less :meth:`survival`."""
        return _as_number(np.asarray(-np.expm1(self.log_survival(self._years(time)))))

    def hazard_rate(self, time: When) -> Numbers:
        """Return the hazard rate per year at `time`, that of the segment after it at a node.

        Parameters
        ----------
        time : array_like or str
            Years from now or tenors, as for :meth:`survival`.

        Raises
        ------
        CurveError
            The time is neither years nor a tenor.
        """
        return _as_number(np.asarray(self._hazards[self._segment(np.asarray(self._years(time), dtype=float))]))

    def forward(self, start: When, end: When) -> Numbers:
        """Return the mean hazard rate per year between two times.

        Parameters
        ----------
        start, end : array_like or str
            Years from now or tenors, as for :meth:`survival`; two different times.

        Raises
        ------
        CurveError
            A time is neither years nor a tenor, or the two are the same.
        """
        a, b = (np.asarray(self._years(time), dtype=float) for time in (start, end))
        if np.asarray(a == b).any():
            raise CurveError(
                f"a mean hazard rate needs two times, not {start!r} twice; give an end after the start", value=end
            )
        return _as_number((self.log_survival(a) - self.log_survival(b)) / (b - a))

    def _years(self, time: When) -> ArrayLike:
        return as_years(time, CurveError, f"a {type(self).__name__}")

    if not TYPE_CHECKING:
        __getattr__ = words_of(WORDS_OF_SURVIVAL)

    def _segment(self, t: FloatArray) -> FloatArray:
        return np.clip(np.searchsorted(self._knots, t, side="right") - 1, 0, len(self._knots) - 2)

    def __rich__(self) -> object:
        from bank_python.render_objects import survival_view

        return survival_view(self)


def _require_times(times: FloatArray) -> None:
    if not (np.isfinite(times) & (times > 0.0)).all() or not (np.diff(times) > 0.0).all():
        raise CurveError(
            f"a survival curve's times must be finite, above zero and increasing, not {times.tolist()}; sort the nodes "
            "and remove duplicates"
        )


def _as_number(values: FloatArray) -> Numbers:
    return values if values.ndim else float(values)
