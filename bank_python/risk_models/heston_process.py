"""Heston's model as an object with its parameters, and its calibration to quotes.

A calibration determines the five parameters from the volatilities that the market quotes. It minimises the sum of
squared price errors over vega, which are volatility errors to first order, by
:func:`~bank_python.numerics.least_squares.least_squares`. The search is in the logarithms of v0, kappa, theta and sigma
and in artanh of rho, for which the constraints are simple bounds. Since kappa and sigma have similar effects, it is
started from several points and the best result is returned.

Examples
--------
>>> smile = HestonProcess(v0=0.04, kappa=1.5, theta=0.05, sigma=0.5, rho=-0.6)
>>> strikes, expiries = np.meshgrid([80.0, 90.0, 100.0, 110.0, 120.0], [0.25, 1.0, 2.0])
>>> prices = smile.price(100.0, strikes, expiries, 0.02)
>>> fit = HestonProcess.calibrate(100.0, strikes, expiries, prices, 0.02)
>>> round(fit.process.kappa, 6), round(fit.process.rho, 6), fit.rmse < 1e-9
(1.5, -0.6, True)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.columns import to_columns
from bank_python.numerics.least_squares import least_squares
from bank_python.results import Figures
from bank_python.risk_models.black_scholes import black_scholes_greeks
from bank_python.risk_models.heston import HestonTerms, expected_variance, heston_price, log_characteristic
from bank_python.risk_models.implied_vol import implied_vol_fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["HestonCalibration", "HestonProcess"]

_LOWER = np.array([math.log(1e-5), math.log(1e-3), math.log(1e-5), math.log(1e-3), math.atanh(-0.999)])
_UPPER = np.array([math.log(4.0), math.log(50.0), math.log(4.0), math.log(10.0), math.atanh(0.999)])
# Starting values of kappa, sigma and rho; those of the variances come from the quotes.
_STARTS = ((1.5, 0.5, -0.5), (4.0, 1.0, -0.3), (0.5, 0.3, 0.2))
_GOOD = 1e-9  # error in volatility at which further starts are unnecessary
_LEAST_VEGA = 1e-4  # relative to the spot: with a smaller vega a price hardly depends on volatility


@admits(ModelError)
@dataclass(frozen=True, slots=True, kw_only=True)
class HestonProcess(Record):
    """Heston's stochastic volatility model. Parameters are keyword-only, as their usual order differs between books.

    Parameters
    ----------
    v0 : float
        Initial annual variance, at least 0.
    kappa : float
        Speed of mean reversion per year, at least 0.
    theta : float
        Long-run annual variance, at least 0.
    sigma : float
        Volatility of the variance, at least 0.
    rho : float
        Correlation of spot and variance, in [−1, 1].

    Raises
    ------
    ModelError
        A parameter is outside its range; the message names it.

    Examples
    --------
    >>> process = HestonProcess(v0=0.09, kappa=2.0, theta=0.09, sigma=1.0, rho=-0.3)
    >>> process.feller, round(process.price(100.0, 100.0, 5.0, 0.05), 4)
    (False, 34.9998)
    """

    v0: float
    kappa: float
    theta: float
    sigma: float
    rho: float

    def __post_init__(self) -> None:
        for name in ("v0", "kappa", "theta", "sigma"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0.0:
                raise ModelError(f"{name}={value!r} is not a finite number of at least 0; correct it", name=name)
        if not -1.0 <= self.rho <= 1.0:
            raise ModelError(f"rho={self.rho!r} is not a correlation, a number in [-1, 1]; correct it", name="rho")

    @property
    def feller(self) -> bool:
        """Whether the variance never reaches 0: 2κθ > σ²."""
        return 2.0 * self.kappa * self.theta > self.sigma**2

    def price(
        self,
        spot: ArrayLike,
        strike: ArrayLike,
        expiry: ArrayLike,
        rate: ArrayLike,
        dividend: ArrayLike = 0.0,
        is_call: ArrayLike = True,
    ) -> Numbers:
        """Return the price of a European option; see :func:`~bank_python.risk_models.heston.heston_price`."""
        return heston_price(
            spot,
            strike,
            expiry,
            rate,
            dividend,
            is_call,
            v0=self.v0,
            kappa=self.kappa,
            theta=self.theta,
            sigma=self.sigma,
            rho=self.rho,
        )

    def expected_variance(self, expiry: float) -> float:
        """Return the expected average annual variance to `expiry`: the fair strike of a variance swap.

        Examples
        --------
        >>> round(HestonProcess(v0=0.04, kappa=1.5, theta=0.09, sigma=0.5, rho=0.0).expected_variance(2.0), 12)
        0.074163117806
        """
        if not math.isfinite(expiry) or expiry <= 0.0:
            raise ModelError(
                f"expiry={expiry!r} is not a finite number above 0; give years to expiry", name="expiry", value=expiry
            )
        return expected_variance(self.v0, self.kappa, self.theta, expiry) / expiry

    def characteristic_function(self, u: ArrayLike, expiry: float) -> NDArray[np.complex128]:
        """Return the characteristic function of log(S_T/F) at u − i/2, for real `u` of any shape.

        Notes
        -----
        At u = ± i/2 it is 1, as the price is a martingale.
        """
        terms = HestonTerms(expiry, self.v0, self.kappa, self.theta, self.sigma, self.rho)
        return np.asarray(np.exp(log_characteristic(np.asarray(u, dtype=float), terms)))

    @classmethod
    @guessable
    def calibrate(
        cls,
        spot: float,
        strike: ArrayLike,
        expiry: ArrayLike,
        price: ArrayLike,
        rate: ArrayLike,
        dividend: ArrayLike = 0.0,
        is_call: ArrayLike = True,
        *,
        weights: ArrayLike = 1.0,
        start: HestonProcess | None = None,
    ) -> HestonCalibration:
        """Calibrate the parameters to the quoted prices of European options.

        Parameters
        ----------
        spot, strike, expiry, rate, dividend, is_call
            Market data and terms of the options, as for :meth:`price`; arrays broadcast.
        price : array_like
            Quoted prices of the options.
        weights : array_like, default 1.0
            Weights of the quotes, at least 0.
        start : HestonProcess, optional
            Only starting point of the search, for example the parameters of the previous day; by default there are
            several.

        Raises
        ------
        CalibrationError
            A price has no implied volatility, fewer than five quotes have a weight above 0, or a weight is negative or
            not finite.
        """
        _, columns = to_columns(spot, strike, expiry, price, rate, dividend, is_call, weights)
        quotes = _quotes(columns)
        best: HestonCalibration | None = None
        for guess in [_coordinates(start)] if start else _guesses(quotes):
            found = _search(cls, quotes, guess)
            if best is None or found.rmse < best.rmse:
                best = found
            if best.rmse < _GOOD:
                break
        return cast("HestonCalibration", best)


@dataclass(frozen=True, slots=True)
class HestonCalibration(Figures):
    """The result of a calibration of Heston's model.

    Parameters
    ----------
    process : HestonProcess
        Model with the calibrated parameters.
    rmse : float
        Weighted root mean square error in volatility, a decimal: 0.001 is a tenth of a point.
    worst : float
        Largest absolute error in volatility, a decimal.
    iterations : int
        Number of steps tried.
    converged : bool
        Whether the search converged: no step improves the fit. If False, the iterations ran out.
    """

    process: HestonProcess
    rmse: float
    worst: float
    iterations: int
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Quotes:
    terms: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
    """Columns of spot, strike, expiry and rate."""
    is_call: FloatArray
    dividend: FloatArray
    price: FloatArray
    vega: FloatArray
    weight: FloatArray
    vol: FloatArray


def _quotes(columns: list[FloatArray]) -> _Quotes:
    spot, strike, expiry, price, rate, dividend, is_call, weights = columns
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0.0)))
    if bad.size:
        raise CalibrationError(
            f"weight {weights[bad[0]]!r} is not a finite number of at least 0; correct it", value=weights[bad[0]]
        )
    fit = implied_vol_fit(price, spot, strike, expiry, rate, dividend, is_call)
    vol = np.asarray(fit.vol)
    missing = np.flatnonzero(np.isnan(vol))
    if missing.size:
        i = int(missing[0])
        raise CalibrationError(
            f"the price {price[i]:g} at strike {strike[i]:g} and expiry {expiry[i]:g} has no implied volatility: "
            f"{fit.reasons[i]}; leave it out",
            value=price[i],
        )
    used = int((weights > 0.0).sum())
    if used < len(_LOWER):
        raise CalibrationError(f"{used} quotes for five parameters; give at least five", value=used)
    vega = np.asarray(black_scholes_greeks(spot, strike, expiry, rate, vol, dividend, is_call).vega)
    share = weights / weights.sum()
    return _Quotes(
        (spot, strike, expiry, rate), is_call, dividend, price, np.maximum(vega, _LEAST_VEGA * spot), share, vol
    )


def _guesses(quotes: _Quotes) -> Iterator[FloatArray]:
    expiry = quotes.terms[2]
    short, long = (float(np.mean(quotes.vol[expiry == end]) ** 2) for end in (expiry.min(), expiry.max()))
    for kappa, sigma, rho in _STARTS:
        yield _coordinates(HestonProcess(v0=short, kappa=kappa, theta=long, sigma=sigma, rho=rho))


def _coordinates(process: HestonProcess) -> FloatArray:
    with np.errstate(divide="ignore"):
        logs = np.log([process.v0, process.kappa, process.theta, process.sigma])
        return np.asarray(np.clip(np.append(logs, np.arctanh(process.rho)), _LOWER, _UPPER))


def _parameters(coordinates: FloatArray) -> tuple[float, float, float, float, float]:
    """Return v0, kappa, theta, sigma and rho."""
    v0, kappa, theta, sigma = np.exp(coordinates[:4]).tolist()
    return v0, kappa, theta, sigma, math.tanh(coordinates[4])


def _search(kind: type[HestonProcess], quotes: _Quotes, guess: FloatArray) -> HestonCalibration:
    root = np.sqrt(quotes.weight)

    def errors(coordinates: FloatArray) -> FloatArray:
        v0, kappa, theta, sigma, rho = _parameters(coordinates)
        model = heston_price(
            *quotes.terms, quotes.dividend, quotes.is_call, v0=v0, kappa=kappa, theta=theta, sigma=sigma, rho=rho
        )
        return (np.asarray(model) - quotes.price) / quotes.vega

    found = least_squares(lambda at: root * errors(at), guess, _LOWER, _UPPER)
    worst = float(np.abs(errors(found.parameters)).max())
    v0, kappa, theta, sigma, rho = _parameters(found.parameters)
    process = kind(v0=v0, kappa=kappa, theta=theta, sigma=sigma, rho=rho)
    return HestonCalibration(process, math.sqrt(found.cost), worst, found.iterations, found.converged)
