r"""Discount curves: discount factors at nodes, with log-linear interpolation.

Between nodes the logarithm of the discount factor is linear in time, so the forward rate is piecewise constant. This
interpolation is local, and forward rates are positive if discount factors decrease; the ISDA standard model prescribes
it. Before the first node and after the last, the forward rate of the nearest segment applies.

.. math:: D(t) = e^{-z(t)\,t}, \qquad f(a, b) = \frac{\log D(a) - \log D(b)}{b - a}

Examples
--------
>>> curve = Curve([1.0, 2.0], [0.97, 0.93])
>>> round(curve.discount(1.5), 6), round(curve.zero_rate(1.0), 6)
(0.949789, 0.030459)
>>> round(curve.forward_rate(1.0, 2.0), 6) == round(curve.forward_rate(2.0, 9.0), 6)
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
from bank_python.display import Record
from bank_python.errors import CurveError, ModelError
from bank_python.numerics.columns import read_only

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["Curve", "as_curve"]


@dataclass(frozen=True, slots=True, eq=False)
class _LogNodes:
    """The nodes of a curve."""

    times: FloatArray
    log_discounts: FloatArray


@admits(CurveError)
class Curve(_LogNodes, Record):
    """A discount curve with log-linear interpolation.

    Parameters
    ----------
    times : array_like, shape (n,)
        Years from the valuation date, above zero and increasing.
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

    def __init__(self, times: ArrayLike, discounts: ArrayLike) -> None:
        at, factors = np.atleast_1d(np.asarray(times, dtype=float)), np.atleast_1d(np.asarray(discounts, dtype=float))
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
    def from_zero_rates(cls, times: ArrayLike, rates: ArrayLike) -> Self:
        """Build a curve from continuously compounded zero rates, as decimals, at `times` in years."""
        at = np.atleast_1d(np.asarray(times, dtype=float))
        with np.errstate(over="ignore"):  # an infinite discount factor raises a CurveError
            return cls(at, np.exp(-np.asarray(rates, dtype=float) * at))

    @classmethod
    def flat(cls, rate: float) -> Self:
        """Return the curve with the same continuously compounded rate, a decimal, for all times."""
        if not np.isfinite(rate):
            raise CurveError(f"a flat curve's rate must be a finite number, not {rate!r}")
        curve = cls.__new__(cls)
        # The logarithm is stored directly, as exp followed by log is not exact.
        _LogNodes.__init__(curve, read_only(np.ones(1)), read_only(np.array([-float(rate)])))
        return curve

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

    def discount(self, time: ArrayLike) -> Numbers:
        """Return the discount factor at `time` in years: the present value of a payment of 1."""
        return _as_number(np.exp(self.log_discount(time)))

    @admits(CurveError)
    def zero_rate(self, time: ArrayLike) -> Numbers:
        """Return the continuously compounded zero rate to `time`; at 0, the forward rate of the first segment."""
        t = np.asarray(time, dtype=float)
        short = -self._logs[1] / self._knots[1]
        with np.errstate(all="ignore"):
            return _as_number(np.where(t == 0.0, short, -self.log_discount(t) / t))

    @admits(CurveError)
    def forward_rate(self, start: ArrayLike, end: ArrayLike) -> Numbers:
        """Return the continuously compounded forward rate between two times, `start` before `end`."""
        a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
        return _as_number((self.log_discount(a) - self.log_discount(b)) / (b - a))

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


def _as_number(values: FloatArray) -> Numbers:
    return values if values.ndim else float(values)
