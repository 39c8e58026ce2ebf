"""Black–Scholes as a user would write it without a library: a plain loop, numpy with scipy, a loop compiled by numba.

The formula is the textbook's, with its cancellations and without checks of its arguments: calls only, every term may
differ from option to option, nothing is prepared beforehand. Where all terms are within their range it agrees with ours
to rounding, which the benchmarks look at before they time anything. numba compiles for doubles, without `fastmath`, in
one thread; compiling is not timed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.special import ndtr

if TYPE_CHECKING:
    from collections.abc import Sequence

    Arrays = tuple[np.ndarray, ...]

__all__ = [
    "GREEKS",
    "CompiledFirm",
    "ErfcFirm",
    "NdtrFirm",
    "compiled_greeks",
    "compiled_price",
    "compiled_prices",
    "erfc_price",
    "erfc_prices",
    "ndtr_greeks",
    "ndtr_price",
]

GREEKS = ("price", "delta", "gamma", "vega", "theta", "rho", "dividend_rho", "vanna", "volga", "charm")

_DOUBLES = "float64[::1]"
_HALF = math.sqrt(0.5)
_PHI = 1.0 / math.sqrt(2.0 * math.pi)


def erfc_price(spot: float, strike: float, expiry: float, rate: float, vol: float, dividend: float) -> float:
    """Return the price of one call, by the standard library alone."""
    deviation = vol * math.sqrt(expiry)
    d1 = (math.log(spot / strike) + (rate - dividend) * expiry) / deviation + 0.5 * deviation
    forward, discounted = spot * math.exp(-dividend * expiry), strike * math.exp(-rate * expiry)
    return 0.5 * (forward * math.erfc(-_HALF * d1) - discounted * math.erfc(-_HALF * (d1 - deviation)))


def erfc_prices(
    spot: float, strikes: Sequence[float], expiries: Sequence[float], rate: float, vol: float, dividend: float
) -> list[float]:
    """Return the prices of calls on one underlying, one after the other, by the standard library alone."""
    erfc, exp, log, sqrt = math.erfc, math.exp, math.log, math.sqrt
    prices = []
    for strike, expiry in zip(strikes, expiries, strict=True):
        deviation = vol * sqrt(expiry)
        d1 = (log(spot / strike) + (rate - dividend) * expiry) / deviation + 0.5 * deviation
        forward, discounted = spot * exp(-dividend * expiry), strike * exp(-rate * expiry)
        prices.append(0.5 * (forward * erfc(-_HALF * d1) - discounted * erfc(-_HALF * (d1 - deviation))))
    return prices


def ndtr_price(
    spot: float, strike: np.ndarray, expiry: np.ndarray, rate: float, vol: float, dividend: float
) -> np.ndarray:
    """Return the prices of calls, by numpy and scipy; of one call, if all terms are floats."""
    deviation = vol * np.sqrt(expiry)
    d1 = (np.log(spot / strike) + (rate - dividend) * expiry) / deviation + 0.5 * deviation
    return spot * np.exp(-dividend * expiry) * ndtr(d1) - strike * np.exp(-rate * expiry) * ndtr(d1 - deviation)


def ndtr_greeks(
    spot: float, strike: np.ndarray, expiry: np.ndarray, rate: float, vol: float, dividend: float
) -> Arrays:
    """Return the prices and nine Greeks of calls, by numpy and scipy, in the order of `GREEKS`."""
    root = np.sqrt(expiry)
    deviation = vol * root
    d1 = (np.log(spot / strike) + (rate - dividend) * expiry) / deviation + 0.5 * deviation
    d2 = d1 - deviation
    carry = np.exp(-dividend * expiry)
    forward, discounted = spot * carry * ndtr(d1), strike * np.exp(-rate * expiry) * ndtr(d2)
    density = carry * _PHI * np.exp(-0.5 * d1 * d1)
    vega = spot * density * root
    delta = forward / spot
    return (
        forward - discounted,
        delta,
        density / (spot * deviation),
        vega,
        dividend * forward - rate * discounted - 0.5 * vega * vol / expiry,
        expiry * discounted,
        -expiry * forward,
        -density * d2 / vol,
        vega * d1 * d2 / vol,
        dividend * delta - density * ((rate - dividend) / deviation - 0.5 * d2 / expiry),
    )


compiled_price = njit("float64(float64, float64, float64, float64, float64, float64)", error_model="numpy")(erfc_price)


@njit(f"{_DOUBLES}(float64, {_DOUBLES}, {_DOUBLES}, float64, float64, float64)", error_model="numpy")
def compiled_prices(
    spot: float, strikes: np.ndarray, expiries: np.ndarray, rate: float, vol: float, dividend: float
) -> np.ndarray:
    """Return the prices of calls, by a loop that numba has compiled."""
    prices = np.empty(len(strikes))
    for i in range(len(strikes)):
        prices[i] = compiled_price(spot, strikes[i], expiries[i], rate, vol, dividend)
    return prices


@njit(f"float64[:, ::1](float64, {_DOUBLES}, {_DOUBLES}, float64, float64, float64)", error_model="numpy")
def compiled_greeks(
    spot: float, strikes: np.ndarray, expiries: np.ndarray, rate: float, vol: float, dividend: float
) -> np.ndarray:
    """Return the prices and nine Greeks of calls, a row each in the order of `GREEKS`, by a loop numba has compiled."""
    found = np.empty((10, len(strikes)))
    for i in range(len(strikes)):
        expiry = expiries[i]
        root = math.sqrt(expiry)
        deviation = vol * root
        d1 = (math.log(spot / strikes[i]) + (rate - dividend) * expiry) / deviation + 0.5 * deviation
        d2 = d1 - deviation
        carry = math.exp(-dividend * expiry)
        forward = 0.5 * spot * carry * math.erfc(-_HALF * d1)
        discounted = 0.5 * strikes[i] * math.exp(-rate * expiry) * math.erfc(-_HALF * d2)
        density = carry * _PHI * math.exp(-0.5 * d1 * d1)
        vega = spot * density * root
        delta = forward / spot
        found[0, i] = forward - discounted
        found[1, i] = delta
        found[2, i] = density / (spot * deviation)
        found[3, i] = vega
        found[4, i] = dividend * forward - rate * discounted - 0.5 * vega * vol / expiry
        found[5, i] = expiry * discounted
        found[6, i] = -expiry * forward
        found[7, i] = -density * d2 / vol
        found[8, i] = vega * d1 * d2 / vol
        found[9, i] = dividend * delta - density * ((rate - dividend) / deviation - 0.5 * d2 / expiry)
    return found


# --- one spot → firm without a graph ---------------------------------------------------------------
# What the one spot moves is known beforehand: its options are priced, and what they changed by is added to running sums
# of the books, which drift. `terms` are rate, volatility and dividend.


class ErfcFirm:
    """Options by spot, priced one by one; running sums of the books."""

    def __init__(
        self,
        strikes: list[float],
        expiries: list[float],
        books: list[int],
        n_spots: int,
        n_books: int,
        terms: tuple[float, float, float],
    ) -> None:
        self.terms = terms
        self.held = [(strikes[s::n_spots], expiries[s::n_spots], books[s::n_spots]) for s in range(n_spots)]
        self.prices = [erfc_prices(100.0, held[0], held[1], *terms) for held in self.held]
        self.books = [0.0] * n_books
        for (_, _, numbers), prices in zip(self.held, self.prices, strict=True):
            for book, price in zip(numbers, prices, strict=True):
                self.books[book] += price

    def one(self, spot: int, value: float) -> float:
        strikes, expiries, numbers = self.held[spot]
        books, prices = self.books, erfc_prices(value, strikes, expiries, *self.terms)
        for book, new, old in zip(numbers, prices, self.prices[spot], strict=True):
            books[book] += new - old
        self.prices[spot] = prices
        return sum(books)


class NdtrFirm:
    """Options by spot, priced as one array; running sums of the books."""

    def __init__(
        self,
        strikes: list[float],
        expiries: list[float],
        books: list[int],
        n_spots: int,
        n_books: int,
        terms: tuple[float, float, float],
    ) -> None:
        self.terms = terms
        columns = (np.array(strikes), np.array(expiries), np.array(books))
        self.held = [tuple(np.ascontiguousarray(column[s::n_spots]) for column in columns) for s in range(n_spots)]
        self.prices = [ndtr_price(100.0, held[0], held[1], *terms) for held in self.held]
        self.books = np.zeros(n_books)
        for (_, _, numbers), prices in zip(self.held, self.prices, strict=True):
            self.books += np.bincount(numbers, prices, n_books)

    def one(self, spot: int, value: float) -> float:
        strikes, expiries, numbers = self.held[spot]
        prices = ndtr_price(value, strikes, expiries, *self.terms)
        self.books += np.bincount(numbers, prices - self.prices[spot], len(self.books))
        self.prices[spot] = prices
        return float(self.books.sum())


class CompiledFirm(NdtrFirm):
    """The same by one compiled loop a tick."""

    def one(self, spot: int, value: float) -> float:
        return _compiled_tick(value, *self.held[spot], self.prices[spot], self.books, *self.terms)


@njit(
    f"float64(float64, {_DOUBLES}, {_DOUBLES}, int64[::1], {_DOUBLES}, {_DOUBLES}, float64, float64, float64)",
    error_model="numpy",
)
def _compiled_tick(
    spot: float,
    strikes: np.ndarray,
    expiries: np.ndarray,
    numbers: np.ndarray,
    prices: np.ndarray,
    books: np.ndarray,
    rate: float,
    vol: float,
    dividend: float,
) -> float:
    for i in range(len(strikes)):
        new = compiled_price(spot, strikes[i], expiries[i], rate, vol, dividend)
        books[numbers[i]] += new - prices[i]
        prices[i] = new
    return books.sum()
