r"""Discount curves: discount factors at nodes, with log-linear interpolation.

Between nodes the logarithm of the discount factor is linear in time, so the forward rate is piecewise constant. This
interpolation is local, and forward rates are positive if discount factors decrease; the ISDA standard model prescribes
it. Before the first node and after the last, the forward rate of the nearest segment applies.

.. math:: D(t) = e^{-z(t)\,t}, \qquad f(a, b) = \frac{\log D(a) - \log D(b)}{b - a}

Examples
--------
>>> curve = Curve([1.0, 2.0], [0.97, 0.93])
>>> round(curve.discount(1.5), 6), round(curve.zero("1Y"), 6)
(0.949789, 0.030459)
>>> round(curve.forward(1.0, 2.0), 6) == round(curve.forward("2Y", "9Y"), 6)
True

References
----------
P. S. Hagan and G. West, "Interpolation methods for curve construction", Applied Mathematical Finance 13
(2006), 89-129, section 2.4: raw interpolation.
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

__all__ = ["WORDS_OF_DISCOUNT", "Curve", "as_curve"]

WORDS_OF_DISCOUNT = {
    **dict.fromkeys(("df", "discount_factor", "discount_factors", "DF", "P"), "discount(t)"),
    **dict.fromkeys(("rate", "zeroRate", "spot_rate", "yield_", "zeros", "zero_rates"), "zero(t)"),
    **dict.fromkeys(("forwardRate", "fwd", "forwards", "instantaneous_forward"), "forward(t1, t2)"),
    **dict.fromkeys(("bump", "shift", "parallel_shift"), "shifted(bump) of a Curve, bumped(size) of a DiscountCurve"),
    **dict.fromkeys(("par_rate", "par_swap", "swap_rate"), "InterestRateSwap(name, rate_source=curve, ...).par_rate"),
    **dict.fromkeys(("to_dataframe", "to_df", "nodes", "pillars"), "to_pandas(), or to_table()"),
    **dict.fromkeys(
        ("key_rates", "key_rate_dv01"), "graph.scenario(curve.bumped(1e-4, [tenor])), a key rate of a DiscountCurve"
    ),
}
"""Methods of a discount curve by the attributes of other libraries that they correspond to."""

_DRAWN = 300


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _LogNodes:
    """The nodes of a curve."""

    times: FloatArray
    log_discounts: FloatArray


@admits(CurveError)
class Curve(_LogNodes, Plotted, Tabular):
    """A discount curve with log-linear interpolation.

    Parameters
    ----------
    times : array_like or sequence of str, shape (n,)
        Years from the valuation date, above zero and increasing; or tenors such as ``"5Y"``.
    discounts : array_like, shape (n,)
        Discount factors at these times, above zero; above one where rates are negative.

    Attributes
    ----------
    times, log_discounts : ndarray, shape (n,)
        Times of the nodes in years and logarithms of their discount factors; read-only.

    Raises
    ------
    CurveError
        There are no nodes, the times do not increase, or a value is not finite and above zero.
    """

    def __init__(self, times: When, discounts: ArrayLike) -> None:
        at, factors = _times(times), np.atleast_1d(np.asarray(discounts, dtype=float))
        if at.shape != factors.shape or at.ndim != 1 or not at.size:
            raise CurveError(f"a curve needs as many times as discount factors: got shapes {at.shape}, {factors.shape}")
        for name, values in (("times", at), ("discounts", factors)):
            bad = values[~(np.isfinite(values) & (values > 0.0))]
            if bad.size:
                raise CurveError(f"a curve's {name} must be finite and above zero, not {bad[0]}; correct the node")
        if not (np.diff(at) > 0.0).all():
            raise CurveError(f"a curve's times must increase, not {at.tolist()}; sort the nodes and remove duplicates")
        super().__init__(read_only(at), read_only(np.log(factors)))

    @classmethod
    @admits(CurveError)
    def from_zero_rates(cls, times: When, rates: ArrayLike) -> Self:
        """Build a curve from continuously compounded zero rates, as decimals, at `times` in years or as tenors."""
        at = _times(times)
        with np.errstate(over="ignore"):  # an infinite discount factor raises a CurveError
            return cls(at, np.exp(-np.asarray(rates, dtype=float) * at))

    @classmethod
    @guessable
    def flat(cls, rate: float) -> Self:
        """Return the curve with the same continuously compounded rate, a decimal, for all times."""
        if not np.isfinite(rate):
            raise CurveError(f"a flat curve's rate must be a finite number, not {rate!r}")
        curve = cls.__new__(cls)
        # The logarithm is stored directly, as exp followed by log is not exact.
        _LogNodes.__init__(curve, read_only(np.ones(1)), read_only(np.array([-float(rate)])))
        return curve

    def __repr__(self) -> str:
        rates = [f"{rate:.4g}" for rate in (float(self.zero_rate(t)) for t in self.times[[0, -1]])]
        return f"<Curve of {len(self.times)} nodes to {self.times[-1]:g} years: zero rates {' to '.join(rates)}>"

    def to_table(self) -> Table:
        """Return a table with a row for each node: years, discount factor, zero rate, forward rate before it."""
        from bank_python.mntable import Table

        forwards = np.atleast_1d(self.forward_rate(self._knots[:-1], self.times))
        columns = self.times, np.exp(self.log_discounts), np.atleast_1d(self.zero_rate(self.times)), forwards
        names = ("years", "discount", "zero", "forward")
        rows = [dict(zip(names, row, strict=True)) for row in np.column_stack(columns).tolist()]
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw zero rates and forward rates by maturity."""
        drawn = np.union1d(np.linspace(0.0, self.times[-1], _DRAWN), self.times)
        axes.plot(drawn, self.zero_rate(drawn), color="C0", linestyle="-", label="zero rate")
        axes.plot(self.times, self.zero_rate(self.times), color="C0", linestyle="", marker="o", markersize=4)
        forwards = np.atleast_1d(self.forward_rate(self._knots[:-1], self.times))
        axes.stairs(forwards, self._knots, baseline=None, color="C1", linestyle="--", zorder=3, label="forward rate")
        axes.set(xlabel="maturity, years", ylabel="rate per year", title="Zero and forward rates (continuous)")
        axes.set_xlim(left=0.0)
        percent(axes.yaxis)
        axes.legend()

    @cached_property
    def _knots(self) -> FloatArray:
        return np.concatenate([[0.0], self.times])

    @cached_property
    def _logs(self) -> FloatArray:
        return np.concatenate([[0.0], self.log_discounts])

    @admits(CurveError)
    def log_discount(self, time: ArrayLike) -> FloatArray:
        """Return the logarithm of the discount factor at `time` in years, of any shape; extrapolated before 0."""
        t = np.asarray(time, dtype=float)
        left = np.clip(np.searchsorted(self._knots, t, side="right") - 1, 0, len(self._knots) - 2)
        start, base = self._knots[left], self._logs[left]
        slope = (self._logs[left + 1] - base) / (self._knots[left + 1] - start)
        return np.asarray(base + slope * (t - start))

    def discount(self, time: When) -> Numbers:
        """Return the discount factor at `time`: the present value of a payment of 1.

        Parameters
        ----------
        time : array_like or str
            Years from now, of any shape, or tenors such as ``"5Y"``. A curve has no date, so dates are rejected; a
            :class:`~bank_python.instruments.DiscountCurve` takes them.

        Raises
        ------
        CurveError
            The time is neither years nor a tenor.
        """
        return _as_number(np.exp(self.log_discount(self._years(time))))

    def zero(self, time: When) -> Numbers:
        """Return the continuously compounded zero rate to `time`, as a decimal.

        Parameters
        ----------
        time : array_like or str
            Years from now or tenors, as for :meth:`discount`; at 0 the rate is the first segment's forward rate.

        Raises
        ------
        CurveError
            The time is neither years nor a tenor.
        """
        t = np.asarray(self._years(time), dtype=float)
        short = -self._logs[1] / self._knots[1]
        with np.errstate(all="ignore"):
            return _as_number(np.where(t == 0.0, short, -self.log_discount(t) / t))

    def forward(self, start: When, end: When) -> Numbers:
        """Return the continuously compounded forward rate between two times, as a decimal.

        Parameters
        ----------
        start, end : array_like or str
            Years from now or tenors, as for :meth:`discount`; two different times.

        Raises
        ------
        CurveError
            A time is neither years nor a tenor, or the two are the same.
        """
        a, b = (np.asarray(self._years(time), dtype=float) for time in (start, end))
        same = np.asarray(a == b)
        if same.any():
            raise CurveError(
                f"a forward rate needs two times, not {start!r} twice; give an end after the start", value=end
            )
        return _as_number((self.log_discount(a) - self.log_discount(b)) / (b - a))

    def zero_rate(self, time: When) -> Numbers:
        """Return the zero rate; another name of :meth:`zero`."""
        return self.zero(time)

    def forward_rate(self, start: When, end: When) -> Numbers:
        """Return the forward rate; another name of :meth:`forward`."""
        return self.forward(start, end)

    if not TYPE_CHECKING:
        __getattr__ = words_of(WORDS_OF_DISCOUNT)

    def _years(self, time: When) -> ArrayLike:
        return as_years(time, CurveError, f"a {type(self).__name__}")

    @admits(CurveError)
    def shifted(self, bump: ArrayLike) -> Self:
        """Return the curve with `bump`, a decimal, added to its zero rates: one number, or one for each node."""
        bumps = np.asarray(bump, dtype=float)
        if bumps.shape not in {(), (1,), self.times.shape}:
            raise CurveError(f"bumps of shape {bumps.shape} for {len(self.times)} nodes; give one, or one for each")
        logs = self.log_discounts - np.broadcast_to(bumps, self.times.shape) * self.times
        return type(self)(self.times, np.exp(logs))

    def key_rate_bumps(self, tenors: ArrayLike, size: float) -> list[Self]:
        """Return one bumped curve for each key tenor; together the bumps are a parallel shift.

        Parameters
        ----------
        tenors : array_like, shape (k,)
            Key tenors in years, increasing.
        size : float
            Bump of the zero rate at the key tenor, as a decimal. It decreases linearly to 0 at the adjacent key tenors,
            and is constant before the first and after the last key tenor.

        Raises
        ------
        CurveError
            The tenors do not increase.
        """
        keys = np.atleast_1d(np.asarray(tenors, dtype=float))
        if not keys.size or not (np.diff(keys) > 0.0).all():
            raise CurveError(f"key times must increase, not {keys.tolist()}; sort them and remove duplicates")
        nodes = np.unique(np.concatenate([self.times, keys]))
        finer = type(self)(nodes, np.exp(self.log_discount(nodes)))
        weights = [np.interp(nodes, keys, row) for row in np.eye(len(keys))]
        return [finer.shifted(size * weight) for weight in weights]

    def __rich__(self) -> object:
        from bank_python.render_objects import curve_view

        return curve_view(self)


@admits(ModelError)
def as_curve(rate: float | Curve) -> Curve:
    """Return `rate` if it is a curve, else the flat curve with that continuously compounded rate."""
    return rate if isinstance(rate, Curve) else Curve.flat(float(rate))


def _times(times: When) -> FloatArray:
    return np.atleast_1d(np.asarray(as_years(times, CurveError, "a curve"), dtype=float))


def _as_number(values: FloatArray) -> Numbers:
    return values if values.ndim else float(values)
