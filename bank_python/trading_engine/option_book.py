r"""Options of a book as columns: value and Greeks now, and P&L for moves of the spot, of volatility and time.

A move is a number of standard deviations common to all underlyings: each spot moves by its own volatility,
:math:`S' = S\,e^{n \sigma_S \sqrt{h}}`, over the horizon :math:`h`. Volatilities follow by a
:class:`~bank_python.trading_engine.vol_rule.VolRule`. All options are valued as European by Black-Scholes-Merton.

Examples
--------
>>> line = OptionLine("SPY 2026-06-19 P 500", "SPY", 550.0, 500.0, 0.25, 0.04, 0.25, 0.0, is_call=False, units=1_000.0)
>>> book = OptionBook.of([line])
>>> book.pnl([-3.0, 3.0]).round(0)
array([[ 6037., -3674.]])
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.risk_models import Greeks, black_scholes_greeks, black_scholes_price
from bank_python.trading_engine.vol_rule import VolRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["TRADING_DAYS", "BookSlopes", "OptionBook", "OptionLine"]

TRADING_DAYS = 252.0
"""Trading days per year."""

_MOST_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class OptionLine(Record):
    """An open option with its market data.

    Parameters
    ----------
    name : str
        Name of the contract.
    underlying : str
        Ticker of the underlying.
    spot, strike : float
        Price of the underlying, and strike; both above 0.
    years : float
        Years to expiry, at least 0.
    rate, vol, dividend : float
        Rate, implied volatility of the contract and dividend yield as decimals; rate and yield continuously compounded.
    is_call : bool
        Call or put.
    units : float
        Contracts times multiplier, negative if short.
    spot_vol : float, optional
        Annual volatility of the underlying, which sizes its moves; by default the implied volatility.
    multiplier : float, default 1.0
        Units of the underlying per contract.
    bucket : str, default ""
        Purpose of the position.
    expires : str, default ""
        Day of expiry, as shown.
    """

    name: str
    underlying: str
    spot: float
    strike: float
    years: float
    rate: float
    vol: float
    dividend: float
    is_call: bool
    units: float
    spot_vol: float | None = None
    multiplier: float = 1.0
    bucket: str = ""
    expires: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BookSlopes(Record):
    """First and second derivatives of a book's value by the log of the spots, in money per 1.00.

    Parameters
    ----------
    delta, gamma : ndarray, shape (n_moves,)
        Delta times spot, and gamma times the square of the spot, with volatilities unchanged by further moves.
    shadow_delta, shadow_gamma : ndarray, shape (n_moves,)
        The same with the volatilities following the spot.
    """

    delta: FloatArray
    gamma: FloatArray
    shadow_delta: FloatArray
    shadow_gamma: FloatArray


@dataclass(frozen=True, eq=False)
class OptionBook(Record):
    """Options of a book as columns; made by :meth:`of`.

    Parameters
    ----------
    lines : tuple of OptionLine
        Options with their market data, at least one.
    horizon_days : float, default 1.0
        Trading days over which a standard deviation is measured.
    """

    lines: tuple[OptionLine, ...]
    horizon_days: float = 1.0

    @classmethod
    def of(cls, lines: Iterable[OptionLine], horizon_days: float = 1.0) -> OptionBook:
        """Return the book of some options.

        Parameters
        ----------
        lines : iterable of OptionLine
            Options with their market data.
        horizon_days : float, default 1.0
            Trading days over which a standard deviation is measured, above 0.

        Raises
        ------
        TradingError
            There is no option, or the horizon is not above 0.
        """
        held = tuple(lines)
        if not held:
            raise TradingError("no option is open, so there are no Greeks; log or import trades first")
        if not 0.0 < horizon_days < np.inf:
            raise TradingError(
                f"horizon_days={horizon_days!r} is not a finite number above 0; give trading days", name="horizon_days"
            )
        return cls(held, horizon_days)

    @cached_property
    def spots(self) -> FloatArray:
        """Spot of each option's underlying; shape (n_options,)."""
        return self._column("spot")

    @cached_property
    def units(self) -> FloatArray:
        """Contracts times multiplier of each option; shape (n_options,)."""
        return self._column("units")

    @cached_property
    def deviations(self) -> FloatArray:
        """Standard deviation of the log return of each option's underlying over the horizon; shape (n_options,)."""
        vols = [line.vol if line.spot_vol is None else line.spot_vol for line in self.lines]
        return np.asarray(np.array(vols) * np.sqrt(self.horizon_days / TRADING_DAYS))

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Underlyings, each once, in the order in which they first occur."""
        return tuple(dict.fromkeys(line.underlying for line in self.lines))

    @cached_property
    def greeks(self) -> Greeks:
        """Price and Greeks of one unit of each option, arrays of shape (n_options,)."""
        return black_scholes_greeks(*self._terms(self.spots, self._column("vol"), self._column("years")))

    @cached_property
    def values(self) -> FloatArray:
        """Value of each position in money; shape (n_options,)."""
        return np.asarray(self.units * np.asarray(self.greeks.price))

    def relative_move(self, move: float) -> float | None:
        """Return the relative move of the spot for a number of standard deviations; None for several underlyings."""
        return float(np.expm1(move * self.deviations[0])) if len(self.underlyings) == 1 else None

    def of_underlying(self, underlying: str) -> OptionBook:
        """Return the book of the options on one underlying.

        Raises
        ------
        TradingError
            No option on it is open.
        """
        chosen = tuple(line for line in self.lines if line.underlying == underlying)
        if not chosen:
            known = ", ".join(self.underlyings)
            raise TradingError(f"no option on {underlying!r} is open; open are options on {known}", name=underlying)
        return replace(self, lines=chosen)

    def pnl(self, moves: ArrayLike, elapsed: ArrayLike = 0.0, rule: VolRule | None = None) -> FloatArray:
        """Return the P&L of the book for moves of the spot and passing time, in money.

        Parameters
        ----------
        moves : array_like, shape (n_moves,)
            Moves in standard deviations over the horizon.
        elapsed : array_like, shape (n_times,), default 0.0
            Years that have passed; an expired option is worth its payoff.
        rule : VolRule, optional
            How volatilities follow the spot; by default they stay.

        Returns
        -------
        ndarray, shape (n_times, n_moves)
        """
        shifts = np.atleast_1d(np.asarray(moves, dtype=np.float64))
        times = np.atleast_1d(np.asarray(elapsed, dtype=np.float64))
        size = max(1, _MOST_AT_ONCE // max(1, len(self.lines) * shifts.size))
        parts = [self.pnl_at(shifts, times[i : i + size, None], rule) for i in range(0, len(times), size)]
        return np.concatenate(parts)

    def pnl_at(self, moves: FloatArray, elapsed: FloatArray, rule: VolRule | None = None) -> FloatArray:
        """Return the P&L of the book for pairs of a move and a time that has passed, in money.

        Parameters
        ----------
        moves, elapsed : ndarray
            Moves in standard deviations over the horizon, and years that have passed; their shapes broadcast.
        rule : VolRule, optional
            How volatilities follow the spot; by default they stay.
        """
        spots, vols, _ = self._moved(moves[..., None], rule)
        left = np.maximum(self._column("years") - elapsed[..., None], 0.0)
        prices = np.asarray(black_scholes_price(*self._terms(spots, vols, left)))
        return np.asarray(prices @ self.units - self.values.sum())

    def slopes(self, moves: Sequence[float] | FloatArray, rule: VolRule) -> BookSlopes:
        r"""Return delta and gamma at moved spots, with and without the volatility's reaction.

        Parameters
        ----------
        moves : array_like, shape (n_moves,)
            Moves in standard deviations over the horizon.
        rule : VolRule
            How volatilities follow the spot.

        Notes
        -----
        With :math:`\sigma = \sigma_0 (S/S_0)^{-k}`, along the path

        .. math:: \frac{dV}{dS} = \Delta + \mathcal V \sigma', \qquad
            \frac{d^2V}{dS^2} = \Gamma + 2\,\mathrm{vanna}\,\sigma' + \mathrm{volga}\,\sigma'^2 + \mathcal V \sigma'',

        :math:`\sigma' = -k\sigma/S` and :math:`\sigma'' = k(k + 1)\sigma/S^2`.
        """
        spots, vols, exponents = self._moved(np.asarray(moves, dtype=np.float64)[:, None], rule)
        at = black_scholes_greeks(*self._terms(spots, vols, self._column("years")))
        delta, gamma = np.asarray(at.delta) * spots, np.asarray(at.gamma) * spots**2
        by_spot, curvature = -exponents * vols, exponents * (exponents + 1.0) * vols
        shadow_delta = delta + at.vega * by_spot
        shadow_gamma = gamma + 2.0 * at.vanna * spots * by_spot + at.volga * by_spot**2 + at.vega * curvature
        figures = (np.asarray(each @ self.units) for each in (delta, gamma, shadow_delta, shadow_gamma))
        return BookSlopes(*figures)

    def _moved(self, moves: FloatArray, rule: VolRule | None) -> tuple[FloatArray, FloatArray, FloatArray]:
        logs = moves * self.deviations
        exponents = (rule or VolRule(0.0)).exponents(self._column("years"))
        return self.spots * np.exp(logs), self._column("vol") * np.exp(-exponents * logs), exponents

    def _terms(self, spots: FloatArray, vols: FloatArray, years: FloatArray) -> tuple[FloatArray, ...]:
        calls = np.array([line.is_call for line in self.lines], dtype=np.float64)
        return spots, self._column("strike"), years, self._column("rate"), vols, self._column("dividend"), calls

    def _column(self, name: str) -> FloatArray:
        return np.array([getattr(line, name) for line in self.lines], dtype=np.float64)
