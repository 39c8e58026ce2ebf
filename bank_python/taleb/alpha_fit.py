r"""The tail index that quoted options imply: exactly from two, by least squares in logarithms from a strip.

In a power-law tail the logarithm of a call's price is a straight line in the logarithm of its distance from the spot
(or of its strike, in the law of prices), with the slope 1 − α. For puts the curve is that of the truncated law, and α
is where the sum of squared residuals is lowest. A strip is refused if it allows arbitrage: prices that do not fall, or
butterflies that cost less than nothing, are no tail and would be fitted all the same.

Examples
--------
>>> fit = fit_alpha(100.0, [110.0, 120.0, 140.0], [4.0, 1.05, 0.25])
>>> round(fit.alpha, 3), round(fit.standard_error, 3)
(3.0, 0.041)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.ranges import number_in_range
from bank_python.numerics.student_t import student_t_quantile
from bank_python.plotting import Plotted, logarithmic
from bank_python.results import Tabular
from bank_python.risk_models.observations import price_series
from bank_python.risk_models.power_law import power_law_price
from bank_python.taleb.tail_law import TailLaw, tail_law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["AlphaFit", "fit_alpha"]

_FEWEST = 2
_STEEPEST = 200.0
"""Largest tail index that is searched for puts; beyond it a tail is no longer told from an exponential one."""
_GRID = 64
_NEAR_ONE = 1e-6  # excess over 1 from which the search for puts starts
_CHANGE = 1e-5  # step of the derivative by α, relative to α − 1: error of order 1e-10
_MOST_STEPS = 50
_SETTLED = 1e-11  # change of α relative to α − 1; the last step has squared the error of the one before
_FLAT = 1e-12  # a difference of slopes smaller than that share of them is rounding, not an arbitrage


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlphaFit(Plotted, Tabular):
    """Tail index fitted to a strip of quotes; returned by :func:`fit_alpha`.

    Parameters
    ----------
    alpha : float
        Tail index, above 1.
    standard_error : float
        Standard error of α from the residuals, taken as independent; NaN from two quotes, which are fitted exactly.
        From few quotes it is little known itself: see :meth:`interval`.
    spot : float
        Price of the underlying.
    strikes, prices : ndarray, shape (n,)
        Quotes in the order of their distance from the spot.
    fitted : ndarray, shape (n,)
        Prices by the fitted law.
    residuals : ndarray, shape (n,)
        Logarithm of each price over the fitted one.
    is_call : bool
        Whether the quotes are of calls; else of puts.
    law : TailLaw
        Law that was fitted.
    """

    alpha: float
    standard_error: float
    spot: float
    strikes: FloatArray
    prices: FloatArray
    fitted: FloatArray
    residuals: FloatArray
    is_call: bool
    law: TailLaw

    @property
    def rmse(self) -> float:
        """Root of the mean squared residual, in logarithms: about the relative error of a price."""
        return math.sqrt(float(np.mean(self.residuals**2)))

    @admits(ModelError)
    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return a confidence interval of α by Student's t with n − 2 degrees of freedom; NaN from two quotes.

        Parameters
        ----------
        confidence : float, default 0.95
            Probability that the interval covers α, in (0, 1), where residuals are normal and independent.

        Raises
        ------
        ModelError
            The confidence is out of range.

        Examples
        --------
        >>> fit = fit_alpha(100.0, [108.0, 115.0, 130.0, 160.0], [4.0, 1.12, 0.29, 0.07])
        >>> tuple(round(end, 2) for end in fit.interval())
        (2.94, 3.06)
        """
        if not 0.0 < confidence < 1.0:
            raise ModelError(
                f"confidence={confidence!r} is not in (0, 1); give 0.95 for 95 %", name="confidence", value=confidence
            )
        if len(self.strikes) <= _FEWEST:
            return math.nan, math.nan
        width = self.standard_error * student_t_quantile(0.5 + 0.5 * confidence, float(len(self.strikes) - _FEWEST))
        return self.alpha - width, self.alpha + width

    def to_table(self) -> Table:
        """Return a row for each quote: strike, price, fitted price, residual in logarithms."""
        from bank_python.mntable import Table

        columns = (self.strikes, self.prices, self.fitted, self.residuals)
        names = ("strike", "price", "fitted", "residual")
        rows = [dict(zip(names, map(float, row), strict=True)) for row in zip(*columns, strict=True)]
        return Table.from_rows([(name, float) for name in names], rows)

    def __rich__(self) -> object:
        from bank_python.render_hedging import alpha_fit_view

        return alpha_fit_view(self)

    def _draw_(self, axes: Axes) -> None:
        axes.plot(self.strikes, self.prices, "o", label="quotes")
        axes.plot(self.strikes, self.fitted, "-", label=f"power law, α = {self.alpha:.2f}")
        logarithmic(axes.yaxis)
        axes.set(xlabel="strike", ylabel="price", title="Tail index from quotes")
        axes.legend()


@admits(ModelError, members=False)
def fit_alpha(
    spot: float,
    strikes: ArrayLike,
    prices: ArrayLike,
    is_call: bool = True,
    *,
    law: TailLaw | str = TailLaw.RETURNS,
) -> AlphaFit:
    """Return the tail index of a strip of quotes out of the money.

    Parameters
    ----------
    spot : float
        Price of the underlying, above 0.
    strikes : array_like, shape (n,)
        Strikes in any order, n ≥ 2: all above the spot for calls, all below it for puts, and all different.
    prices : array_like, shape (n,)
        Prices of the options, above 0, falling and convex as the strikes move away from the spot.
    is_call : bool, default True
        Whether the options are calls; else puts.
    law : TailLaw or str, default "returns"
        Law to fit: ``returns``, of the move away from the spot, or ``price``, of the price at expiry (calls only).

    Raises
    ------
    ModelError
        An argument is out of range: a strike in the money, or a figure that is not finite, is named by its row.
    CalibrationError
        There are fewer than two quotes, the strip allows arbitrage, or no tail index above 1 fits it.

    References
    ----------
    Taleb et al. (2019), see :mod:`bank_python.taleb.tail_law`.

    Examples
    --------
    >>> fit_alpha(100.0, [90.0, 80.0], [1.0, 0.2304526749], is_call=False).alpha.__round__(6)
    3.0
    """
    found = tail_law(law, is_call=is_call)
    S = number_in_range("spot", spot, ModelError, above=0.0)
    K, P = _strip(S, strikes, prices, is_call=is_call)
    _require_no_arbitrage(K, P)
    shape = _call_shape(K if found is TailLaw.PRICE else K - S) if is_call else _PutShape(S, K)
    logs = np.log(P)
    alpha = _call_alpha(shape.slopes, logs) if isinstance(shape, _CallShape) else _put_alpha(shape, logs)
    curve = shape.logs(alpha)
    level = float(np.mean(logs - curve))
    residuals = logs - curve - level
    error = _standard_error(shape.derivative(alpha), residuals)
    return AlphaFit(alpha, error, S, K, P, np.exp(curve + level), residuals, is_call, found)


@dataclass(frozen=True, slots=True)
class _CallShape:
    """Logarithms of prices of calls by α, up to a constant: (1 − α) times those of their distances."""

    slopes: FloatArray

    def logs(self, alpha: float) -> FloatArray:
        return np.asarray((1.0 - alpha) * self.slopes)

    def derivative(self, alpha: float) -> FloatArray:  # noqa: ARG002 - as of puts
        return -self.slopes


def _call_shape(distances: FloatArray) -> _CallShape:
    return _CallShape(np.log(distances))


@dataclass(frozen=True, slots=True)
class _PutShape:
    """Logarithms of prices of puts by α, relative to the first."""

    spot: float
    strikes: FloatArray

    def columns(self, alpha: FloatArray) -> FloatArray:
        """Return the logarithms for each α, shape alpha.shape + (n,)."""
        terms = {"anchor_price": 1.0, "anchor_strike": self.strikes[0], "alpha": alpha[..., None], "is_call": False}
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(power_law_price(self.spot, self.strikes, **terms)))

    def logs(self, alpha: float) -> FloatArray:
        return self.columns(np.asarray(alpha))

    def derivative(self, alpha: float) -> FloatArray:
        step = _CHANGE * (alpha - 1.0)
        low, high = self.columns(np.array([alpha - step, alpha + step]))
        return np.asarray((high - low) / (2.0 * step))


def _strip(spot: float, strikes: ArrayLike, prices: ArrayLike, *, is_call: bool) -> tuple[FloatArray, FloatArray]:
    """Return the quotes in the order of their distance, after checking each of them."""
    count = len(np.atleast_1d(np.asarray(strikes)))
    if count < _FEWEST:
        raise CalibrationError(
            f"{count} quotes do not determine a tail index; give the strikes and prices of at least two options"
            if count != 1
            else "one quote does not determine a tail index: a second option, further out, is missing",
            value=count,
        )
    K, P = price_series("strikes", strikes), price_series("prices", prices)
    if len(K) != len(P):
        raise ModelError(f"{len(K)} strikes and {len(P)} prices; give one price for each strike", name="prices")
    inside = np.flatnonzero(spot >= K if is_call else spot <= K)
    if inside.size:
        row, side = int(inside[0]), "above" if is_call else "below"
        raise ModelError(
            f"strikes: row {row} is {float(K[row])!r}, not {side} the spot {spot!r}; leave options in the money out",
            name="strikes",
            value=float(K[row]),
        )
    order = np.argsort(K if is_call else -K, kind="stable")
    K, P = K[order], P[order]
    if (np.diff(K) == 0.0).any():
        twice = float(K[int(np.flatnonzero(np.diff(K) == 0.0)[0])])
        raise ModelError(f"strikes: {twice!r} is quoted twice; give one price for it", name="strikes", value=twice)
    return K, P


def _require_no_arbitrage(strikes: FloatArray, prices: FloatArray) -> None:
    steps = np.diff(prices)
    if (steps >= 0.0).any():
        i = int(np.flatnonzero(steps >= 0.0)[0])
        raise CalibrationError(
            f"prices do not fall away from the spot: {prices[i]:g} at {strikes[i]:g}, {prices[i + 1]:g} at "
            f"{strikes[i + 1]:g}; correct or leave out one of them",
            value=float(strikes[i + 1]),
        )
    slopes = -steps / np.abs(np.diff(strikes))
    dents = np.flatnonzero(np.diff(slopes) > _FLAT * slopes[:-1])
    if dents.size:
        i = int(dents[0])
        raise CalibrationError(
            f"prices are not convex at {strikes[i + 1]:g}: the butterfly of {strikes[i]:g}, {strikes[i + 1]:g} and "
            f"{strikes[i + 2]:g} costs less than nothing; correct or leave out one of them",
            value=float(strikes[i + 1]),
        )


def _call_alpha(slopes: FloatArray, logs: FloatArray) -> float:
    away = slopes - slopes.mean()
    alpha = 1.0 - float(away @ (logs - logs.mean()) / (away @ away))
    if alpha <= 1.0:
        raise CalibrationError(
            f"the quotes imply α = {alpha:.4g}; a tail index of 1 or below has no mean, so these prices are no tail of "
            "that law: take strikes further out, or the other law",
            value=alpha,
        )
    return alpha


def _put_alpha(shape: _PutShape, logs: FloatArray) -> float:
    target = logs - logs.mean()
    grid = 1.0 + np.geomspace(_NEAR_ONE, _STEEPEST, _GRID)
    curves = shape.columns(grid)
    with np.errstate(invalid="ignore"):
        square = np.sum((curves - curves.mean(axis=1, keepdims=True) - target) ** 2, axis=1)
    best = int(np.argmin(np.where(np.isfinite(square), square, np.inf)))  # prices underflow where α is large
    if best == 0:
        raise CalibrationError(
            "the quotes imply α = 1 or below: prices of puts fall more slowly with their strikes than any tail with a "
            "mean allows; correct the prices, or take strikes further out",
            value=1.0,
        )
    if best == _GRID - 1:
        raise CalibrationError(
            f"the quotes imply α above {_STEEPEST:g}, which is no power law; take strikes further out", value=_STEEPEST
        )

    return _settled(shape, logs, float(grid[best]), float(grid[best - 1]), float(grid[best + 1]))


def _settled(shape: _PutShape, logs: FloatArray, alpha: float, low: float, high: float) -> float:
    """Return the least-squares index between two bounds, by steps of Gauss and Newton from one near it."""
    for _ in range(_MOST_STEPS):
        derivative, left = shape.derivative(alpha), logs - shape.logs(alpha)
        away = derivative - derivative.mean()
        better = min(max(alpha + float(away @ left) / float(away @ away), low), high)
        if abs(better - alpha) <= _SETTLED * (alpha - 1.0):
            return better
        alpha = better
    raise CalibrationError(
        f"no single tail index fits these prices: the search between {low:.4g} and {high:.4g} does not settle; leave "
        "out the strikes nearest to the spot",
        value=alpha,
    )


def _standard_error(derivative: FloatArray, residuals: FloatArray) -> float:
    if len(residuals) <= _FEWEST:
        return math.nan
    away = derivative - derivative.mean()
    return math.sqrt(float(residuals @ residuals) / (len(residuals) - _FEWEST) / float(away @ away))
