r"""A volatility surface: smiles at some expiries, with interpolation and extrapolation in time.

**Between two expiries**, total variance is linear in time at equal log-moneyness :math:`k = \log(K/F(T))`. If the
smiles do not cross, there is no calendar arbitrage in between. (Linear interpolation does not guarantee that there is
no butterfly arbitrage between two smiles without one, but none occurs if both are far from having one.) **Before the
first expiry** the volatility is that of the first expiry, so total variance is proportional to time; a smile that is
scaled down stays free of butterfly arbitrage. **After the last expiry** total variance grows at the same rate at every
strike, the at-the-money forward variance of the last segment. So the slopes of the wings stay within Lee's bound, while
they would grow without limit under a flat volatility.

**When the spot moves** and options have not been requoted, the surface follows by a convention. Each smile was fitted
around a forward, its *anchor*.

*sticky strike*
    the volatility at a strike is unchanged: log-moneyness is relative to the anchor;
*sticky delta* (sticky moneyness)
    the volatility at a ratio of strike to forward is unchanged: log-moneyness is relative to the present forward, so
    the smile moves with the spot.

Examples
--------
>>> from bank_python.risk_models.svi import SviSlice
>>> smiles = [SviSlice(0.01, 0.1, -0.5, 0.0, 0.1), SviSlice(0.03, 0.12, -0.5, 0.0, 0.2)]
>>> sticky = Surface([0.5, 1.0], smiles, [100.0, 100.0], spot=100.0)
>>> moving = Surface([0.5, 1.0], smiles, [100.0, 100.0], spot=100.0, stickiness=Stickiness.DELTA)
>>> [round(surface.vol(90.0, 0.75, forward=100.0), 4) for surface in (sticky, moving)]
[0.2493, 0.2493]
>>> [round(surface.vol(90.0, 0.75, forward=90.0), 4) for surface in (sticky, moving)]
[0.2493, 0.2221]

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014), 59-71,
section 5.3 and lemma 2.1.
"""

from __future__ import annotations

import enum
import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.columns import from_column, to_columns
from bank_python.plotting import Plotted, legend_beside, line_styles, percent
from bank_python.results import Tabular
from bank_python.risk_models.arbitrage import ArbitrageKind, ArbitrageReport, check_slices
from bank_python.risk_models.svi import SviSlice, hyperbola

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray, Numbers

__all__ = ["Stickiness", "Surface"]

_DRAWN = 200
_DEVIATIONS = 2.5
_ARBITRAGE_MARKERS = {ArbitrageKind.BUTTERFLY: "X", ArbitrageKind.CALENDAR: "P", ArbitrageKind.WING: "*"}


class Stickiness(enum.Enum):
    """The convention for spot moves: the volatility at a strike is unchanged, or that at a moneyness."""

    STRIKE = "strike"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class _Smiles:
    """The smiles of a surface and their anchors."""

    expiries: tuple[float, ...]
    slices: tuple[SviSlice, ...]
    forwards: tuple[float, ...]
    spot: float
    stickiness: Stickiness


@admits(ModelError)
class Surface(_Smiles, Plotted, Tabular):
    """A volatility surface of smiles by expiry.

    Parameters
    ----------
    expiries : sequence of float
        Years to the expiries, above 0 and increasing.
    slices : sequence of SviSlice
        Smiles of the expiries, in log-moneyness to their forwards, with a variance above 0 at every strike.
    forwards : sequence of float
        Anchors: the forwards to which the smiles were fitted, above 0.
    spot : float, optional
        Spot when the smiles were fitted, above 0, which is the anchor of an expiry of 0. The first forward by default.
    stickiness : Stickiness, default STRIKE
        Convention by which the surface follows the spot.

    Attributes
    ----------
    expiries, forwards : tuple of float
        Years to the expiries, and the anchors.
    slices : tuple of SviSlice
        Smiles of the expiries.
    spot : float
        Spot when the smiles were fitted.
    stickiness : Stickiness
        Convention by which the surface follows the spot.

    Raises
    ------
    ModelError
        There are no smiles, the sequences differ in length, or a value is out of range.
    """

    def __init__(
        self,
        expiries: Sequence[float],
        slices: Sequence[SviSlice],
        forwards: Sequence[float],
        spot: float | None = None,
        stickiness: Stickiness | str = Stickiness.STRIKE,
    ) -> None:
        times, anchors = tuple(map(float, expiries)), tuple(map(float, forwards))
        if not times or len(times) != len(slices) or len(times) != len(anchors):
            message = f"a surface needs a smile and a forward for each expiry; got {len(times)} expiries, "
            raise ModelError(f"{message}{len(slices)} smiles and {len(anchors)} forwards")
        start = anchors[0] if spot is None else float(spot)
        _require_positive("expiry", times)
        _require_positive("forward", (start, *anchors))
        if any(b <= a for a, b in pairwise(times)):
            raise ModelError(f"a surface's expiries must increase, not {list(times)}; sort them and remove duplicates")
        for time, smile in zip(times, slices, strict=True):
            if smile.minimum_variance <= 0.0:
                raise ModelError(
                    f"the smile of T={time:g} has a lowest total variance of {smile.minimum_variance:.6g}, which must "
                    "be above 0; fit it again, or repair it",
                    value=smile,
                )
        super().__init__(times, tuple(slices), anchors, start, Stickiness(stickiness))

    @cached_property
    def _accrual(self) -> float:
        """The growth of at-the-money total variance per year after the last expiry."""
        at_the_money = [float(smile.total_variance(0.0)) for smile in self.slices]
        first = [0.0, 0.0] if len(self.expiries) == 1 else [self.expiries[-2], at_the_money[-2]]
        return max(at_the_money[-1] - first[1], 0.0) / (self.expiries[-1] - first[0])

    @cached_property
    def _times(self) -> FloatArray:
        return np.array([0.0, *self.expiries])

    @cached_property
    def _anchors(self) -> FloatArray:
        return np.log([self.spot, *self.forwards])

    @cached_property
    def _parameters(self) -> FloatArray:
        return np.array([smile.parameters for smile in self.slices]).T.copy()

    def total_variance(self, k: ArrayLike, T: ArrayLike) -> Numbers:
        """Return the total variance at log-moneyness `k` and expiry `T`.

        Parameters
        ----------
        k : array_like
            Logarithm of strike over forward.
        T : array_like
            Years to expiry, at least 0.

        Returns
        -------
        float or ndarray
            Squared volatility times `T`, in the broadcast shape of the arguments; a float if both are scalars. NaN
            where `k` is not finite, or `T` is negative or not finite.

        Raises
        ------
        ValueError
            The shapes do not broadcast. Values never raise.
        """
        shape, (at, time) = to_columns(k, T)
        with np.errstate(all="ignore"):
            return from_column(self._variance_rate(at, time) * np.where(time > 0.0, time, 0.0), shape)

    def vol(self, strike: ArrayLike, expiry: ArrayLike, forward: ArrayLike | None = None) -> Numbers:
        """Return the volatility at a strike and an expiry.

        Parameters
        ----------
        strike : array_like
            Strike of the option, above 0.
        expiry : array_like
            Years to expiry, at least 0; at 0 the volatility is that of the first expiry.
        forward : array_like, optional
            Present forward to the expiry; the anchor by default. A sticky-strike surface does not use it.

        Returns
        -------
        float or ndarray
            Annual volatility as a decimal, in the broadcast shape of the arguments; a float if all are scalars. NaN
            where an argument is outside its range, infinite or NaN.

        Raises
        ------
        ValueError
            The shapes do not broadcast. Values never raise.
        """
        shape, (K, time, F) = to_columns(strike, expiry, np.nan if forward is None else forward)
        with np.errstate(all="ignore"):
            anchored = forward is None or self.stickiness is Stickiness.STRIKE
            log_forward = self._log_anchor(time) if anchored else np.log(F)
            return from_column(np.sqrt(self._variance_rate(np.log(K) - log_forward, time)), shape)

    def vol_at(self, strike: float, expiry: float, forward: float) -> float:
        """Return the volatility of one option: a faster form of :meth:`vol` for three floats.

        The result is bitwise identical. A desk looks up one option at a time, for which most of the time of :meth:`vol`
        is spent on creating arrays.
        """
        if not (strike > 0.0 and 0.0 <= expiry < math.inf):
            return math.nan
        if self.stickiness is Stickiness.STRIKE:
            left = min(bisect_right(self.expiries, expiry), len(self.expiries) - 1)
            start, base = self._times.item(left), self._anchors.item(left)
            slope = (self._anchors.item(left + 1) - base) / (self._times.item(left + 1) - start)
            k = float(np.log(strike)) - (base + slope * (expiry - start))
        else:
            k = float(np.log(strike) - np.log(forward)) if forward > 0.0 else math.nan
        rate = self._rate_at(k, expiry) if math.isfinite(k) else math.nan
        return math.sqrt(rate) if rate >= 0.0 else math.nan

    def _rate_at(self, k: float, time: float) -> float:
        """Return the result of :meth:`_variance_rate` for one row, by the same operations in the same order."""
        times = self.expiries
        right = min(bisect_left(times, time), len(times) - 1)
        later = _variance(self.slices[right], k)
        if time <= times[0]:
            return later / times[0]
        if time > times[-1]:
            return (later + self._accrual * (time - times[-1])) / time
        share = (time - times[right - 1]) / (times[right] - times[right - 1])
        return ((1.0 - share) * _variance(self.slices[right - 1], k) + share * later) / time

    def anchor(self, expiry: ArrayLike) -> Numbers:
        """Return the anchor of the surface at any expiry in years.

        Its logarithm is linear in time between the spot and the anchors of the smiles, and is extrapolated linearly.
        """
        shape, (time,) = to_columns(expiry)
        with np.errstate(all="ignore"):
            return from_column(np.exp(self._log_anchor(time)), shape)

    def arbitrage(self) -> ArbitrageReport:
        """Check the smiles for static arbitrage, each by itself and against the previous one."""
        return check_slices(self.expiries, self.slices)

    def to_table(self) -> Table:
        """Return a table with a row for each smile: expiry, forward, volatility at the money, SVI parameters."""
        from bank_python.mntable import Table

        names = ("expiry", "forward", "atm_vol", "a", "b", "rho", "m", "sigma")
        rows = []
        for time, forward, smile in zip(self.expiries, self.forwards, self.slices, strict=True):
            atm = math.sqrt(float(smile.total_variance(0.0)) / time)
            rows.append(dict(zip(names, (time, forward, atm, *smile.parameters), strict=True)))
        return Table.from_rows([(name, float) for name in names], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the smile of each expiry by strike, with marks where there is arbitrage."""
        styles = line_styles(len(self.expiries))
        for time, smile, forward, style in zip(self.expiries, self.slices, self.forwards, styles, strict=True):
            side = _DEVIATIONS * math.sqrt(float(smile.total_variance(0.0)))
            k = np.linspace(-side, side, _DRAWN)
            vols = np.sqrt(np.asarray(smile.total_variance(k)) / time)
            axes.plot(forward * np.exp(k), vols, label=f"{time:.3g} y", **style)
        self._mark_arbitrage(axes)
        axes.set(xlabel="strike", ylabel="volatility per year", title="Volatility surface, a smile for each expiry")
        percent(axes.yaxis)
        legend_beside(axes)

    def _mark_arbitrage(self, axes: Axes) -> None:
        """Mark each violation on its smile, at the end of the line if it lies beyond."""
        labelled = set()
        for violation in self.arbitrage().violations:
            at = self.expiries.index(violation.expiry)
            smile, kind = self.slices[at], violation.kind
            side = _DEVIATIONS * math.sqrt(float(smile.total_variance(0.0)))
            k = min(max(violation.log_moneyness, -side), side)
            vol = math.sqrt(float(smile.total_variance(k)) / violation.expiry)
            label = None if kind in labelled else f"{kind.value} arbitrage"
            labelled.add(kind)
            where = [self.forwards[at] * math.exp(k)], [vol]
            axes.plot(*where, linestyle="", marker=_ARBITRAGE_MARKERS[kind], markersize=9, color="black", label=label)

    def _log_anchor(self, time: FloatArray) -> FloatArray:
        left = np.clip(np.searchsorted(self._times, time, side="right") - 1, 0, len(self._times) - 2)
        start, base = self._times[left], self._anchors[left]
        slope = (self._anchors[left + 1] - base) / (self._times[left + 1] - start)
        return np.asarray(base + slope * (time - start))

    def _variance_rate(self, k: FloatArray, time: FloatArray) -> FloatArray:
        """Return total variance over time for each row; at a time of 0, its limit."""
        times = self._times[1:]
        right = np.minimum(np.searchsorted(times, time, side="left"), len(times) - 1)
        left = np.maximum(right - 1, 0)
        later = hyperbola(k, *self._parameters[:, right])[0]
        earlier = hyperbola(k, *self._parameters[:, left])[0]
        share = (time - times[left]) / np.where(left == right, 1.0, times[right] - times[left])
        between = (1.0 - share) * earlier + share * later
        beyond = later + self._accrual * (time - times[-1])
        rate = np.where(time > times[-1], beyond, between) / time
        rate = np.where(time <= times[0], later / times[0], rate)
        return np.where(np.isfinite(k) & np.isfinite(time) & (time >= 0.0), rate, np.nan)

    def __rich__(self) -> object:
        from bank_python.render_objects import surface_view

        return surface_view(self)


def _variance(smile: SviSlice, k: float) -> float:
    x = k - smile.m
    return smile.a + smile.b * (smile.rho * x + math.sqrt(x * x + smile.sigma * smile.sigma))


def _require_positive(name: str, values: Sequence[float]) -> None:
    for value in values:
        if not (math.isfinite(value) and value > 0.0):
            raise ModelError(
                f"a surface's {name} must be a finite number above 0, not {value!r}; correct it", value=value
            )
