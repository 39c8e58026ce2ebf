r"""Raw SVI: a smile of five numbers, and the conditions under which it has no arbitrage.

Gatheral's *stochastic volatility inspired* smile says what the total variance (volatility squared times time)
of one expiry is, as a function of the log-moneyness :math:`k = \log(K/F)`: a hyperbola.

.. math:: w(k) = a + b\left(\rho (k - m) + \sqrt{(k - m)^2 + \sigma^2}\right)

`a` sets the level, `b` how steep the two wings are together, `rho` how unlike they are, `m` where the vertex
lies, `sigma` how round it is. A smile has a *butterfly arbitrage* where the density of the price at expiry that
it implies is negative, which is where Durrleman's function is:

.. math:: g(k) = \left(1 - \frac{k w'}{2 w}\right)^2 - \frac{w'^2}{4}\left(\frac1w + \frac14\right) + \frac{w''}2

In the wings the variance may rise by no more than 2 for one of log-moneyness (Lee): :math:`b(1+|\rho|) \le 2`,
and :math:`g` tends to :math:`(4 - s^2)/16` where the slope is :math:`s`.

Traders read the same smile in *jump wings* (:class:`JumpWings`): variance and skew at the money, the slopes of
the wings and the lowest variance, in units that change little with the expiry.

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
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.numerics.line_minimum import LineMinimum, line_minimum

if TYPE_CHECKING:
    from typing import Self

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
"""The steepest a wing's total variance may be."""

_REACH = 1.0e3  # log-moneyness up to which g is looked at; beyond, it is its limit to within 1/reach
_GRID = 600


Parameter: TypeAlias = float | NDArray[Any]
"""A parameter of the kernels: a number, or an array of them, real or complex."""


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
        Level; may be negative.
    b : array_like
        Half the sum of the wings' slopes, at least 0.
    rho : array_like
        Asymmetry, in [−1, 1].
    m : array_like
        Log-moneyness of the vertex.
    sigma : array_like
        Roundness of the vertex, at least 0.

    Returns
    -------
    float or ndarray
        Volatility squared times years, of the arguments' broadcast shape; a float if all are scalars. NaN where
        an argument is outside its range, infinite or NaN. Below 0 where the parameters say so: no volatility
        has that variance.

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
    shape, lanes = to_columns(k, a, b, rho, m, sigma)
    with np.errstate(all="ignore"):
        variance = hyperbola(*lanes)[0]
        return from_column(np.where(_valid(lanes), variance, np.nan), shape)


@guessable
def svi_butterfly_g(
    k: ArrayLike, a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike
) -> Numbers:
    """Return Durrleman's function g of raw SVI: below 0 there is a butterfly arbitrage.

    Parameters
    ----------
    k, a, b, rho, m, sigma : array_like
        As for :func:`svi_total_variance`.

    Returns
    -------
    float or ndarray
        As for :func:`svi_total_variance`; NaN also where the total variance is not above 0, and at the kink of
        a smile whose `sigma` is 0.

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
    shape, lanes = to_columns(k, a, b, rho, m, sigma)
    with np.errstate(all="ignore"):
        variance, slope, curvature = hyperbola(*lanes)
        valid = _valid(lanes) & (variance > 0.0)
        return from_column(np.where(valid, butterfly_g(lanes[0], variance, slope, curvature), np.nan), shape)


def hyperbola(
    k: NDArray[Any], a: Parameter, b: Parameter, rho: Parameter, m: Parameter, sigma: Parameter
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return w, w′ and w″ for arrays that broadcast, real or (for exact derivatives in the parameters) complex."""
    x = k - m
    root = np.sqrt(x * x + sigma * sigma)
    return a + b * (rho * x + root), b * (rho + x / root), b * (sigma * sigma) / (root * root * root)


def butterfly_g(k: NDArray[Any], variance: NDArray[Any], slope: NDArray[Any], curvature: NDArray[Any]) -> NDArray[Any]:
    """Return g from the total variance at `k` and its derivatives, real or complex arrays that broadcast."""
    tilt = 1.0 - k * slope / (2.0 * variance)
    density: NDArray[Any] = tilt * tilt - slope * slope * (0.25 / variance + 0.0625) + 0.5 * curvature
    return density


def _valid(lanes: list[FloatArray]) -> NDArray[np.bool_]:
    _, _, b, rho, _, sigma = lanes
    return all_finite(lanes) & (b >= 0.0) & (np.abs(rho) <= 1.0) & (sigma >= 0.0)


@dataclass(frozen=True, slots=True)
class JumpWings:
    """A smile as traders read it; the variances are a year's.

    Parameters
    ----------
    v : float
        Variance at the money, above 0: the square of the volatility there.
    psi : float
        Skew: the slope of the volatility at the money, times the root of the expiry.
    p : float
        Slope of the left (put) wing, over the root of the total variance at the money; at least 0.
    c : float
        Slope of the right (call) wing, likewise.
    v_tilde : float
        The lowest variance of the smile.
    """

    v: float
    psi: float
    p: float
    c: float
    v_tilde: float


class SviParameters(NamedTuple):
    """The numbers of a slice, in the order in which :func:`svi_total_variance` takes them."""

    a: float
    b: float
    rho: float
    m: float
    sigma: float


class WingSlopes(NamedTuple):
    """By how much total variance rises with log-moneyness far out, on either side."""

    left: float
    right: float


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class SviSlice:
    """The smile of one expiry, in raw SVI.

    Parameters
    ----------
    a : float
        Level; may be negative.
    b : float
        Half the sum of the wings' slopes, at least 0.
    rho : float
        Asymmetry, in [−1, 1].
    m : float
        Log-moneyness of the vertex.
    sigma : float
        Roundness of the vertex, above 0.

    Raises
    ------
    ModelError
        A parameter is not a finite number in its range. That the smile is free of arbitrage is not asked:
        :meth:`minimum_g`, :attr:`wing_slopes` and :attr:`minimum_variance` tell.
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
                raise ModelError(f"an SVI slice's {name} is a finite number, not {value!r}", name=name, value=value)
        ranges = {
            "b": (self.b >= 0.0, "at least 0"),
            "rho": (abs(self.rho) <= 1.0, "in [-1, 1]"),
            "sigma": (self.sigma > 0.0, "above 0"),
        }
        for name, (inside, wanted) in ranges.items():
            if not inside:
                message = f"an SVI slice's {name} is {wanted}, not {given[name]!r}; correct the parameter"
                raise ModelError(message, name=name, value=given[name])

    @classmethod
    @guessable
    def flat(cls, total_variance: float) -> Self:
        """Return the smile that is no smile: `total_variance`, above 0, at every strike."""
        return cls(total_variance, 0.0, 0.0, 0.0, 1.0)

    @property
    def parameters(self) -> SviParameters:
        """The numbers a, b, rho, m, sigma, as :func:`svi_total_variance` takes them."""
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
        """Slopes of the left and the right wing, b(1 − rho) and b(1 + rho); at most 2 without arbitrage."""
        return WingSlopes(self.b * (1.0 - self.rho), self.b * (1.0 + self.rho))

    @property
    def minimum_variance(self) -> float:
        """The lowest total variance; in a smile with |rho| = 1, the limit at the end of its flat wing."""
        return self.a + self.b * self.sigma * math.sqrt((1.0 - self.rho) * (1.0 + self.rho))

    def points(self) -> FloatArray:
        """Return log-moneynesses dense around the vertex and reaching far out, increasing, shape (n,)."""
        # Uniform in asinh((k − m)/sigma), in which the hyperbola is smooth on every scale.
        reach = math.asinh(_REACH / self.sigma)
        return np.asarray(self.m + self.sigma * np.sinh(np.linspace(-reach, reach, _GRID)))

    def minimum_g(self) -> LineMinimum:
        """Return the lowest value of g over the whole line, and where; at ±∞ if it is the limit in a wing.

        Notes
        -----
        −∞ at the vertex if the total variance is not above zero everywhere: there is no smile then.
        """
        if self.minimum_variance <= 0.0:
            return LineMinimum(self.m, -math.inf)
        lowest = line_minimum(lambda k: butterfly_g(k, *hyperbola(k, *self.parameters)), self.points())
        left, right = self.wing_slopes
        limits = (LineMinimum(-math.inf, _wing_g(left)), LineMinimum(math.inf, _wing_g(right)))
        return min((lowest, *limits), key=lambda found: found.value)

    def scaled(self, factor: float) -> SviSlice:
        """Return the smile with `factor`, at least 0, times the total variance at every strike."""
        return SviSlice(self.a * factor, self.b * factor, self.rho, self.m, self.sigma)

    def lifted(self, amount: float) -> SviSlice:
        """Return the smile with `amount` added to the total variance at every strike."""
        return SviSlice(self.a + amount, self.b, self.rho, self.m, self.sigma)

    def to_jump_wings(self, T: float) -> JumpWings:
        """Return the smile in jump wings, for an expiry of `T` years.

        Raises
        ------
        ModelError
            `T`, or the total variance at the money, is not above 0.
        """
        w = float(self.total_variance(0.0))
        if not (T > 0.0 and w > 0.0):
            raise ModelError(f"jump wings need an expiry and an at-the-money variance above 0: got T={T!r}, w(0)={w!r}")
        left, right = self.wing_slopes
        root = math.sqrt(w)
        psi = 0.5 * self.b / root * (self.rho - self.m / math.hypot(self.m, self.sigma))
        return JumpWings(w / T, psi, left / root, right / root, self.minimum_variance / T)

    @classmethod
    @guessable
    def from_jump_wings(cls, wings: JumpWings, T: float) -> Self:
        r"""Return the smile of `wings` for an expiry of `T` years.

        Notes
        -----
        With :math:`\beta = m/\sqrt{m^2+\sigma^2} = \rho - 2\psi\sqrt{w}/b` and
        :math:`\rho = \sin x,\ \beta = \sin y`, the distance of variance at the money from the lowest is
        :math:`2 b \sqrt{m^2+\sigma^2}\,\sin^2((x-y)/2)`: lemma 3.2 of Gatheral and Jacquier without its
        special case at :math:`m = 0` and without its cancellation.

        Raises
        ------
        ModelError
            No smile has these wings; or many have: the vertex is at the money, and nothing says how round.
        """
        figures = (*astuple(wings), T)
        if not all(map(math.isfinite, figures)) or min(wings.v, T, wings.p + wings.c) <= 0.0 or min(figures[2:4]) < 0.0:
            raise ModelError(f"jump wings need v, T and p + c above 0 and p, c at least 0: got {wings}, T={T!r}")
        root = math.sqrt(wings.v * T)
        b = 0.5 * root * (wings.c + wings.p)
        rho = (wings.c - wings.p) / (wings.c + wings.p)
        beta = rho - 2.0 * wings.psi * root / b
        if not abs(beta) < 1.0:
            raise ModelError(
                f"no SVI smile has the skew psi={wings.psi!r}: it must lie strictly between -p/2 and c/2 "
                f"({-0.5 * wings.p!r}, {0.5 * wings.c!r})",
                value=wings,
            )
        half_angle = math.sin(0.5 * (math.asin(rho) - math.asin(beta)))
        depth = (wings.v - wings.v_tilde) * T
        if not (depth > 0.0 and half_angle != 0.0):
            raise ModelError(
                f"jump wings with v={wings.v!r}, v_tilde={wings.v_tilde!r}, psi={wings.psi!r} do not fix a smile: "
                "v_tilde must lie below v, and psi must not be 0",
                value=wings,
            )
        radius = depth / (2.0 * b * half_angle * half_angle)
        sigma = radius * math.sqrt((1.0 - beta) * (1.0 + beta))
        a = wings.v_tilde * T - b * sigma * math.sqrt((1.0 - rho) * (1.0 + rho))
        return cls(a, b, rho, beta * radius, sigma)


def _wing_g(slope: float) -> float:
    # A wing that does not rise ends flat, where g is that of a flat smile.
    return 1.0 if slope == 0.0 else (4.0 - slope * slope) / 16.0
