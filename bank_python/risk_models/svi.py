r"""Raw SVI: a volatility smile with five parameters, and its no-arbitrage conditions.

In Gatheral's *stochastic volatility inspired* (SVI) parametrisation the total variance (squared volatility times time)
of one expiry is a hyperbola in the log-moneyness :math:`k = \log(K/F)`:

.. math:: w(k) = a + b\left(\rho (k - m) + \sqrt{(k - m)^2 + \sigma^2}\right)

`a` is the level, `b` the mean slope of the wings, `rho` their asymmetry, `m` the position of the vertex and `sigma` its
roundness. A smile has a *butterfly arbitrage* where the implied density of the price at expiry is negative, which is
where Durrleman's function is negative:

.. math:: g(k) = \left(1 - \frac{k w'}{2 w}\right)^2 - \frac{w'^2}{4}\left(\frac1w + \frac14\right) + \frac{w''}2

In the wings the slope of total variance may be at most 2 (Lee): :math:`b(1+|\rho|) \le 2`. In a wing of slope
:math:`s`, :math:`g` tends to :math:`(4 - s^2)/16`.

The *jump wings* parametrisation (:class:`JumpWings`) of the same smile is that of traders: variance and skew at the
money, the slopes of the wings and the lowest variance, in units that vary little with the expiry.

Examples
--------
>>> vogt = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
>>> vogt.total_variance([-1.0, 0.0, 1.0]).round(6)
array([0.092756, 0.017426, 0.086827])
>>> lowest = vogt.minimum_g()
>>> round(lowest.value, 6), round(lowest.where, 4)  # Vogt's smile has a butterfly arbitrage
(-0.032864, 0.8793)

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014), 59-71:
section 3.1 (raw), 3.3 (jump wings), equation (2.1) (g), example 3.1 (Vogt's smile).

R. W. Lee, "The moment formula for implied volatility at extreme strikes", Mathematical Finance 14 (2004),
469-480.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.numerics.line_minimum import LineMinimum, line_minimum
from bank_python.plotting import Plotted

if TYPE_CHECKING:
    from typing import Self

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = [
    "LEE_SLOPE",
    "JumpWings",
    "Parameter",
    "SviDerivatives",
    "SviSlice",
    "butterfly_g",
    "hyperbola",
    "svi_butterfly_g",
    "svi_total_variance",
]

LEE_SLOPE: Final = 2.0
"""Largest slope of total variance in a wing without arbitrage."""

_REACH = 1.0e3  # log-moneyness up to which g is evaluated; beyond, it differs from its limit by less than 1/reach
_GRID = 600
_DRAWN = 401
_SIDE = 0.5


Parameter: TypeAlias = float | NDArray[Any]
"""A parameter of the formulas: a number or an array of numbers, real or complex."""


class SviDerivatives(NamedTuple):
    """Total variance and its first two derivatives in log-moneyness."""

    variance: Numbers
    slope: Numbers
    curvature: Numbers


@guessable
def svi_total_variance(
    k: ArrayLike, a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike
) -> Numbers:
    """Return the total variance of raw SVI.

    Parameters
    ----------
    k : array_like
        Log-moneyness, the logarithm of strike over forward.
    a : array_like
        Level of the total variance; may be negative.
    b : array_like
        Half the sum of the wings' slopes, at least 0.
    rho : array_like
        Asymmetry of the wings, in [−1, 1].
    m : array_like
        Log-moneyness of the vertex.
    sigma : array_like
        Roundness of the vertex, at least 0.

    Returns
    -------
    float or ndarray
        Squared volatility times years, in the broadcast shape of the arguments; a float if all are scalars. NaN where
        an argument is outside its range, infinite or NaN. Some parameters give negative values, to which no volatility
        corresponds.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Examples
    --------
    >>> round(svi_total_variance(0.193, -0.0666, 0.229, 0.439, 0.193, 0.337), 6)  # a + b·sigma at the vertex
    0.010573
    >>> svi_total_variance([0.0, 1.0], 0.04, 0.1, [1.5, 0.0], 0.0, 0.2).round(6)
    array([    nan, 0.14198])
    """
    shape, columns = to_columns(k, a, b, rho, m, sigma)
    with np.errstate(all="ignore"):
        variance = hyperbola(*columns)[0]
        return from_column(np.where(_valid(columns), variance, np.nan), shape)


@guessable
def svi_butterfly_g(
    k: ArrayLike, a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike
) -> Numbers:
    """Return Durrleman's function g of raw SVI, which is negative where there is a butterfly arbitrage.

    Parameters
    ----------
    k, a, b, rho, m, sigma : array_like
        Log-moneyness and parameters of the smile, as for :func:`svi_total_variance`.

    Returns
    -------
    float or ndarray
        Values of g in the broadcast shape of the arguments; NaN as for :func:`svi_total_variance`, where the total
        variance is not above 0, and at the kink of a smile with a `sigma` of 0.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    References
    ----------
    Gatheral and Jacquier (2014), equation (2.1) and lemma 2.2.

    Examples
    --------
    >>> svi_butterfly_g([0.0, 0.5, 0.88], -0.0410, 0.1331, 0.3060, 0.3586, 0.4153).round(4)
    array([ 1.0386,  0.0694, -0.0329])
    """
    shape, columns = to_columns(k, a, b, rho, m, sigma)
    with np.errstate(all="ignore"):
        variance, slope, curvature = hyperbola(*columns)
        valid = _valid(columns) & (variance > 0.0)
        return from_column(np.where(valid, butterfly_g(columns[0], variance, slope, curvature), np.nan), shape)


def hyperbola(
    k: NDArray[Any], a: Parameter, b: Parameter, rho: Parameter, m: Parameter, sigma: Parameter
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return w, w′ and w″ for arrays that broadcast: real, or complex for exact derivatives in the parameters."""
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    return a + b * (rho * x + root), b * (rho + x / root), b * (sigma * sigma) / (root * root * root)


def butterfly_g(k: NDArray[Any], variance: NDArray[Any], slope: NDArray[Any], curvature: NDArray[Any]) -> NDArray[Any]:
    """Return g from the total variance at `k` and its derivatives, real or complex arrays that broadcast."""
    tilt = 1.0 - k * slope / (2.0 * variance)
    density: NDArray[Any] = tilt * tilt - slope * slope * (0.25 / variance + 0.0625) + 0.5 * curvature
    return density


def _valid(columns: list[FloatArray]) -> NDArray[np.bool_]:
    _, _, b, rho, _, sigma = columns
    return all_finite(columns) & (b >= 0.0) & (np.abs(rho) <= 1.0) & (sigma >= 0.0)


@dataclass(frozen=True, slots=True)
class JumpWings(Record):
    """The jump-wings parameters of a smile; variances are annual.

    Parameters
    ----------
    v : float
        At-the-money variance, above 0: the squared at-the-money volatility.
    psi : float
        At-the-money skew: the slope of the volatility in log-moneyness, times the square root of the expiry.
    p : float
        Slope of the left (put) wing, over the square root of the at-the-money total variance; at least 0.
    c : float
        Slope of the right (call) wing, over the square root of the at-the-money total variance; at least 0.
    v_tilde : float
        Lowest variance of the smile.
    """

    v: float
    psi: float
    p: float
    c: float
    v_tilde: float


class SviParameters(NamedTuple):
    """The parameters of a slice, in the order of :func:`svi_total_variance`."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float


class WingSlopes(NamedTuple):
    """The asymptotic slopes of total variance in log-moneyness, of the left and the right wing."""

    left: float
    right: float


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class SviSlice(Plotted, Record):
    """The smile of one expiry, in raw SVI.

    Parameters
    ----------
    a : float
        Level of the total variance; may be negative.
    b : float
        Half the sum of the wings' slopes, at least 0.
    rho : float
        Asymmetry of the wings, in [−1, 1].
    m : float
        Log-moneyness of the vertex.
    sigma : float
        Roundness of the vertex, above 0.

    Raises
    ------
    ModelError
        A parameter is not finite or out of range. Freedom from arbitrage is not required: :meth:`minimum_g`,
        :attr:`wing_slopes` and :attr:`minimum_variance` show whether there is any.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def __post_init__(self) -> None:
        given = {"a": self.a, "b": self.b, "rho": self.rho, "m": self.m, "sigma": self.sigma}
        for name, value in given.items():
            if not math.isfinite(value):
                raise ModelError(
                    f"an SVI slice's {name} must be a finite number, not {value!r}; correct the parameter",
                    name=name,
                    value=value,
                )
        ranges = {
            "b": (self.b >= 0.0, "at least 0"),
            "rho": (abs(self.rho) <= 1.0, "in [-1, 1]"),
            "sigma": (self.sigma > 0.0, "above 0"),
        }
        for name, (inside, condition) in ranges.items():
            if not inside:
                message = f"an SVI slice's {name} must be {condition}, not {given[name]!r}; correct the parameter"
                raise ModelError(message, name=name, value=given[name])

    @classmethod
    @guessable
    def flat(cls, total_variance: float) -> Self:
        """Return the flat smile with the same `total_variance`, above 0, at every strike."""
        return cls(total_variance, 0.0, 0.0, 0.0, 1.0)

    @property
    def parameters(self) -> SviParameters:
        """The parameters a, b, rho, m, sigma, in the order of :func:`svi_total_variance`."""
        return SviParameters(self.a, self.b, self.rho, self.m, self.sigma)

    def total_variance(self, k: ArrayLike) -> Numbers:
        """Return the total variance at log-moneyness `k`, of any shape."""
        return svi_total_variance(k, *self.parameters)

    def derivatives(self, k: ArrayLike) -> SviDerivatives:
        """Return total variance, slope and curvature at log-moneyness `k`, of any shape."""
        shape, (at,) = to_columns(k)
        return SviDerivatives(*(from_column(values, shape) for values in hyperbola(at, *self.parameters)))

    def g(self, k: ArrayLike) -> Numbers:
        """Return Durrleman's function at log-moneyness `k`, of any shape."""
        return svi_butterfly_g(k, *self.parameters)

    @property
    def wing_slopes(self) -> WingSlopes:
        """The slopes of the left and the right wing, b(1 − rho) and b(1 + rho); at most 2 without arbitrage."""
        return WingSlopes(self.b * (1.0 - self.rho), self.b * (1.0 + self.rho))

    @property
    def minimum_variance(self) -> float:
        """The lowest total variance; for |rho| = 1, its limit in the flat wing."""
        return self.a + self.b * self.sigma * math.sqrt((1.0 - self.rho) * (1.0 + self.rho))

    def points(self) -> FloatArray:
        """Return an increasing grid of log-moneyness, shape (n,), dense around the vertex and far into the wings."""
        # The grid is uniform in asinh((k − m)/sigma), in which the hyperbola is smooth on every scale.
        reach = math.asinh(_REACH / self.sigma)
        return np.asarray(self.m + self.sigma * np.sinh(np.linspace(-reach, reach, _GRID)))

    def minimum_g(self) -> LineMinimum:
        """Return the minimum of g over all log-moneyness and its argument, which is ±∞ if it is the limit in a wing.

        Notes
        -----
        The result is −∞ at the vertex if the total variance is not above zero everywhere.
        """
        if self.minimum_variance <= 0.0:
            return LineMinimum(self.m, -math.inf)
        lowest = line_minimum(lambda k: butterfly_g(k, *hyperbola(k, *self.parameters)), self.points())
        left, right = self.wing_slopes
        limits = (LineMinimum(-math.inf, _wing_g(left)), LineMinimum(math.inf, _wing_g(right)))
        return min((lowest, *limits), key=lambda found: found.value)

    def _draw_(self, axes: Axes) -> None:
        """Draw the total variance by log-moneyness, hatched below where there is a butterfly arbitrage."""
        side = max(_SIDE, abs(self.m) + self.sigma)
        k = np.linspace(-side, side, _DRAWN)
        variance, g = np.asarray(self.total_variance(k)), np.asarray(self.g(k))
        axes.plot(k, variance)
        faulty = (g < 0.0) | (variance <= 0.0)
        if faulty.any():
            axes.fill_between(
                k, variance, where=faulty, hatch="xxx", alpha=0.4, color="C1", label="butterfly arbitrage (g below 0)"
            )
            axes.legend()
        axes.set(xlabel="log-moneyness, log(strike/forward)", ylabel="total variance", title="Smile, raw SVI")

    def scaled(self, factor: float) -> SviSlice:
        """Return the smile with the total variance multiplied by `factor`, at least 0, at every strike."""
        return SviSlice(self.a * factor, self.b * factor, self.rho, self.m, self.sigma)

    def lifted(self, amount: float) -> SviSlice:
        """Return the smile with `amount` added to the total variance at every strike."""
        return SviSlice(self.a + amount, self.b, self.rho, self.m, self.sigma)

    def to_jump_wings(self, T: float) -> JumpWings:
        """Return the jump-wings parameters of the smile for an expiry of `T` years.

        Raises
        ------
        ModelError
            `T`, or the total variance at the money, is not above 0.
        """
        w = float(self.total_variance(0.0))
        if not (T > 0.0 and w > 0.0):
            raise ModelError(f"jump wings need an expiry and an at-the-money variance above 0; got T={T!r}, w(0)={w!r}")
        left, right = self.wing_slopes
        root = math.sqrt(w)
        psi = 0.5 * self.b / root * (self.rho - self.m / math.hypot(self.m, self.sigma))
        return JumpWings(w / T, psi, left / root, right / root, self.minimum_variance / T)

    @classmethod
    @guessable
    def from_jump_wings(cls, wings: JumpWings, T: float) -> Self:
        r"""Return the smile with jump-wings parameters `wings` for an expiry of `T` years.

        Notes
        -----
        With :math:`\beta = m/\sqrt{m^2+\sigma^2} = \rho - 2\psi\sqrt{w}/b` and
        :math:`\rho = \sin x,\ \beta = \sin y`, the difference of the at-the-money and the lowest total variance is
        :math:`2 b \sqrt{m^2+\sigma^2}\,\sin^2((x-y)/2)`: lemma 3.2 of Gatheral and Jacquier without its special case at
        :math:`m = 0` and without its cancellation.

        Raises
        ------
        ModelError
            No smile has these parameters, or they do not determine one, as the vertex is at the money and its roundness
            is arbitrary.
        """
        numbers = (*astuple(wings), T)
        if not all(map(math.isfinite, numbers)) or min(wings.v, T, wings.p + wings.c) <= 0.0 or min(numbers[2:4]) < 0.0:
            raise ModelError(f"jump wings need v, T and p + c above 0 and p, c at least 0; got {wings}, T={T!r}")
        root = math.sqrt(wings.v * T)
        b = 0.5 * root * (wings.c + wings.p)
        rho = (wings.c - wings.p) / (wings.c + wings.p)
        beta = rho - 2.0 * wings.psi * root / b
        if not abs(beta) < 1.0:
            raise ModelError(
                f"no SVI smile has the skew psi={wings.psi!r}; it must be strictly between -p/2 and c/2 "
                f"({-0.5 * wings.p!r}, {0.5 * wings.c!r})",
                value=wings,
            )
        half_angle = math.sin(0.5 * (math.asin(rho) - math.asin(beta)))
        depth = (wings.v - wings.v_tilde) * T
        if not (depth > 0.0 and half_angle != 0.0):
            raise ModelError(
                f"jump wings with v={wings.v!r}, v_tilde={wings.v_tilde!r}, psi={wings.psi!r} do not determine a "
                "smile; v_tilde must be below v, and psi must not be 0",
                value=wings,
            )
        radius = depth / (2.0 * b * half_angle * half_angle)
        sigma = radius * math.sqrt((1.0 - beta) * (1.0 + beta))
        a = wings.v_tilde * T - b * sigma * math.sqrt((1.0 - rho) * (1.0 + rho))
        return cls(a, b, rho, beta * radius, sigma)


def _wing_g(slope: float) -> float:
    # In a wing of slope 0, g tends to that of a flat smile.
    return 1.0 if slope == 0.0 else (4.0 - slope * slope) / 16.0
