r"""Prices of European options in Heston's stochastic volatility model, by Fourier inversion.

.. math:: dS = (r - q) S\,dt + \sqrt v\,S\,dW_1, \qquad dv = \kappa(\theta - v)\,dt + \sigma\sqrt v\,dW_2, \qquad
          dW_1 dW_2 = \rho\,dt

With φ the characteristic function of log(S_T/F), x = log(F/K), and the Black–Scholes price with the same expected
variance as control variate,

.. math:: \frac{C - C_{BS}}{e^{-rT}\sqrt{FK}} = \frac1\pi \int_0^\infty
          \Re\Big[e^{iux}\,\frac{\varphi_{BS}(u - \tfrac i2) - \varphi(u - \tfrac i2)}{u^2 + \frac14}\Big]\,du .

The difference cancels both poles of the denominator, so the integrand is analytic in the strip in which the moments
exist, and the trapezoidal rule converges geometrically: halving its step squares its error. The step is halved, reusing
earlier nodes, until two results agree. On the line u − i/2 the characteristic function simplifies, and it is written
in a form without cancellation, which is as accurate for a volatility of variance of 1e-8 as for one of 1.

The characteristic function depends on the expiry and the parameters only. It is most of the cost of a strip of strikes;
each strike adds only a cosine and a sine for each node.

Examples
--------
>>> model = {"v0": 0.04, "kappa": 4.0, "theta": 0.25, "sigma": 1.0, "rho": -0.5}
>>> call = heston_price(100.0, [80.0, 100.0, 120.0], 1.0, 0.01, 0.02, **model)
>>> call.round(8)  # A. Lewis, wilmott.com, thread 90957
array([26.77475874, 16.07015492,  9.02491348])

References
----------
S. L. Heston, "A closed-form solution for options with stochastic volatility", Review of Financial Studies 6 (1993),
327-343.

A. L. Lewis, *Option Valuation under Stochastic Volatility* (2000), chapter 2: the integral along Im u = −1/2.

H. Albrecher, P. Mayer, W. Schoutens and J. Tistaert, "The little Heston trap", Wilmott (January 2007), 83-92: the
form of φ that does not cross the branch cut.

L. B. G. Andersen and V. V. Piterbarg, *Interest Rate Modeling* (2010), section 8.4: the Black–Scholes control variate.

L. N. Trefethen and J. A. C. Weideman, "The exponentially convergent trapezoidal rule", SIAM Review 56 (2014), 385-458.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import all_finite, from_column, to_columns
from bank_python.risk_models.option_columns import OptionColumns
from bank_python.risk_models.time_value import Tails

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

    ComplexArray = NDArray[np.complex128]

__all__ = ["HestonTerms", "expected_variance", "heston_price", "log_characteristic"]

_SMALL, _TERMS = 0.5, 16
_NEGLIGIBLE = math.log(1e-18)
_AGREED = 1e-9  # if two step sizes agree to this, the error is about its square
_DEVIATIONS = 10.0
_BEYOND = 1e-18
_NO_VOLATILITY = 1e-100  # the square of a smaller sigma would underflow as a divisor
_MOST_NODES = 2**17
_MOST_CELLS = 2**15
_RUN = 16  # nodes between two whose sine and cosine are computed directly


@dataclass(frozen=True, slots=True)
class HestonTerms:
    """The expiry and the model parameters, which a strip of strikes has in common."""

    expiry: float
    v0: float
    kappa: float
    theta: float
    sigma: float
    rho: float

    @property
    def variance(self) -> float:
        """The expected integral of the variance to expiry."""
        return expected_variance(self.v0, self.kappa, self.theta, self.expiry)


def expected_variance(v0: float, kappa: float, theta: float, expiry: float) -> float:
    """Return the expected integral of the variance over `expiry` years: θT + (v0 − θ)(1 − exp(−κT))/κ."""
    y = kappa * expiry
    # The weight of theta in the average variance: 1 − (1 − exp(−y))/y.
    if y < _SMALL:
        share = y * math.fsum((-y) ** n / math.factorial(n + 2) for n in range(_TERMS))
    else:
        share = 1.0 + math.expm1(-y) / y
    return expiry * (theta * share + v0 * (1.0 - share))


@guessable
def heston_price(
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    dividend: ArrayLike = 0.0,
    is_call: ArrayLike = True,
    *,
    v0: ArrayLike,
    kappa: ArrayLike,
    theta: ArrayLike,
    sigma: ArrayLike,
    rho: ArrayLike,
) -> Numbers:
    """Return the price of a European option under Heston's model.

    Parameters
    ----------
    spot, strike, expiry, rate, dividend, is_call : array_like
        Market data and terms of the option, as for :func:`~bank_python.risk_models.black_scholes.black_scholes_price`.
    v0 : array_like
        Initial annual variance, at least 0 (0.04 is a volatility of 20 %).
    kappa : array_like
        Speed of mean reversion per year, at least 0.
    theta : array_like
        Long-run annual variance, at least 0.
    sigma : array_like
        Volatility of the variance, at least 0; at 0 the price is Black–Scholes with the expected variance.
    rho : array_like
        Correlation of spot and variance, in [−1, 1].

    Returns
    -------
    float or ndarray
        Price in the broadcast shape of the arguments. NaN where an argument is outside its range, infinite or NaN, and
        where the integral does not converge with 131,072 nodes: for |rho| of 1 with extreme parameters, or thousands of
        standard deviations from the money.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.

    Notes
    -----
    The absolute error is of the order of 1e-15 √(FK). Options with the same expiry and parameters are priced fastest in
    one call.

    Examples
    --------
    >>> model = {"v0": 0.09, "kappa": 2.0, "theta": 0.09, "sigma": 1.0, "rho": -0.3}
    >>> round(heston_price(100.0, 100.0, 5.0, 0.05, **model), 4)  # Broadie and Kaya (2006)
    34.9998
    """
    shape, columns = to_columns(spot, strike, expiry, rate, dividend, is_call, v0, kappa, theta, sigma, rho)
    model = columns[6:]
    with np.errstate(all="ignore"):
        option = OptionColumns.of(columns[:6])
        valid = option.valid & all_finite(model) & (np.abs(model[4]) <= 1.0)
        for term in model[:4]:
            valid &= term >= 0.0
        price = np.full(valid.shape, np.nan)
        table = np.stack([option.expiry, *model], axis=1)
        for terms, members in _strips(table, np.flatnonzero(valid)):
            price[members] = _strip(option, members, terms)
        return from_column(price, shape)


def _strips(table: FloatArray, rows: NDArray[np.intp]) -> list[tuple[HestonTerms, NDArray[np.intp]]]:
    """Group rows with the same expiry and parameters."""
    chosen = table[rows]
    if not rows.size or (chosen == chosen[0]).all():
        return [(HestonTerms(*chosen[0].tolist()), rows)] if rows.size else []
    distinct, inverse = np.unique(chosen, axis=0, return_inverse=True)
    order = np.argsort(inverse.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(inverse.reshape(-1), minlength=len(distinct)))
    members = np.split(rows[order], ends[:-1])
    return [(HestonTerms(*row), part) for row, part in zip(distinct.tolist(), members, strict=True)]


def _strip(option: OptionColumns, members: NDArray[np.intp], terms: HestonTerms) -> FloatArray:
    forward, strike, x = option.forward[members], option.discounted_strike[members], option.log_ratio[members]
    root = math.sqrt(terms.variance)
    tails = Tails.of(x, np.full(x.shape, root))
    smaller, intrinsic = np.minimum(forward, strike), option.intrinsic[members]
    price = intrinsic + smaller * tails.time_value
    live = np.flatnonzero((smaller > 0.0) & (root > 0.0) & (terms.sigma > _NO_VOLATILITY))
    if live.size:
        scale = np.sqrt(forward[live]) * np.sqrt(strike[live])
        corrected = price[live] + scale * _correction(x[live], terms) / math.pi
        price[live] = np.maximum(corrected, intrinsic[live])  # rounding may fall below the intrinsic value
    return price


def _correction(x: FloatArray, terms: HestonTerms) -> FloatArray:
    """Return the integral for each log-moneyness, by trapezoidal sums refined until they agree; NaN if they do not."""
    last = _last_node(terms)
    reach = np.abs(x) + _DEVIATIONS * math.sqrt(terms.variance)
    # Steps are powers of two, so that rows share nodes, and the result of a row does not depend on the others.
    level = np.floor(np.log2(2.0 * math.pi / np.maximum(reach, 2.0**-40)))
    # Where by Chebyshev's inequality the time value is negligible there is nothing to correct.
    result = np.where(terms.variance < _BEYOND * x * x, 0.0, np.nan)
    for first in np.unique(level[np.isnan(result)]).tolist():
        if last < _MOST_NODES * 2.0**first:
            rows = np.flatnonzero((level == first) & np.isnan(result))
            result[rows] = _refined(x[rows], terms, 2.0**first, last)
    return result


def _refined(x: FloatArray, terms: HestonTerms, step: float, last: float) -> FloatArray:
    result, rows = np.full(x.shape, np.nan), np.arange(len(x))
    step *= 0.5
    total, every_other = _sums(x, 0.0, step, last, terms)
    value, finer = 2.0 * step * every_other, step * total
    while True:
        converged = np.abs(finer - value) <= _AGREED
        result[rows[converged]] = finer[converged]
        rows, total, value = rows[~converged], total[~converged], finer[~converged]
        if not rows.size or last >= _MOST_NODES * step:
            return result
        total = total + _sums(x[rows], 0.5 * step, step, last, terms)[0]
        step *= 0.5
        finer = step * total


def _sums(x: FloatArray, first: float, step: float, last: float, terms: HestonTerms) -> tuple[FloatArray, FloatArray]:
    """Return for each log-moneyness the sum of the integrand over equidistant nodes, and over every other node.

    Notes
    -----
    A node at 0 counts half. exp(iux) is the product of one factor for every sixteenth node and one for the offset from
    it, which saves most sines and cosines. The sums are numpy's sums instead of matrix products, whose rounding may
    depend on the batch.
    """
    runs = int((last - first) / step) // _RUN + 1
    u = first + step * np.arange(runs * _RUN, dtype=np.float64)
    square = u * u + 0.25
    difference = (np.exp(-0.5 * terms.variance * square) - np.exp(log_characteristic(u, terms))) / square
    if first == 0.0:
        difference[0] *= 0.5
    weights = difference.reshape(runs, _RUN)
    sums = np.empty((2, len(x)))
    block = max(_MOST_CELLS // len(u), 1)
    for start in range(0, len(x), block):
        part = x[start : start + block, None]
        coarse, fine = _rotation(part * u[::_RUN]), _rotation(part * (u[:_RUN] - first))
        even = np.einsum("mb,ab->ma", fine[:, ::2], weights[:, ::2])
        odd = np.einsum("mb,ab->ma", fine[:, 1::2], weights[:, 1::2])
        sums[1, start : start + block] = (even * coarse).real.sum(axis=1)
        sums[0, start : start + block] = ((even + odd) * coarse).real.sum(axis=1)
    return sums[0], sums[1]


def _rotation(angle: FloatArray) -> ComplexArray:
    result = np.empty(angle.shape, dtype=np.complex128)
    result.real, result.imag = np.cos(angle), np.sin(angle)
    return result


def _last_node(terms: HestonTerms) -> float:
    """Return the node from which the integrand is negligible, to half an octave; infinite if there is none."""
    u = 2.0 ** np.arange(-2.0, 40.0, 0.5)
    size = np.maximum(log_characteristic(u, terms).real, -0.5 * terms.variance * (u * u + 0.25)) - 2.0 * np.log(u)
    small = size < _NEGLIGIBLE
    return float(u[int(np.argmax(small))]) if small.any() else math.inf


def log_characteristic(u: FloatArray, terms: HestonTerms) -> ComplexArray:
    r"""Return :math:`\log\varphi(u - i/2)` of log(S_T/F), for real `u` and a sigma above 0.

    Notes
    -----
    With z = u − i/2, the polynomial z² + iz is the real u² + 1/4. In terms of β = κ − ρσiz and
    d = √(β² + σ²(u² + 1/4)), β − d is written −σ²(u² + 1/4)/(β + d), and the logarithm as one of 1 + small.
    """
    kappa, sigma, rho, T = terms.kappa, terms.sigma, terms.rho, terms.expiry
    square = u * u + 0.25
    beta = np.asarray((kappa - 0.5 * rho * sigma) - 1j * (rho * sigma * u), dtype=np.complex128)
    d: ComplexArray = np.sqrt(beta * beta + sigma * sigma * square)
    total = beta + d
    rate = -square / total  # (β − d)/σ²
    decayed = -np.expm1(-d * T)  # 1 − exp(−dT)
    g = sigma * sigma * rate / total
    inner = 1.0 - g + g * decayed  # 1 − g exp(−dT)
    logarithm = _log1p(g * decayed / (1.0 - g))
    mean = terms.kappa * terms.theta * (rate * T - 2.0 * logarithm / (sigma * sigma))
    return np.asarray(mean + terms.v0 * rate * decayed / inner)


def _log1p(z: ComplexArray) -> ComplexArray:
    # numpy's complex log1p rounds 1 + z first.
    x, y = z.real, z.imag
    return 0.5 * np.log1p(x * (2.0 + x) + y * y) + 1j * np.arctan2(y, 1.0 + x)
