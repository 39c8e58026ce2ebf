"""The law by which the simulated market moves: one step of every symbol at once.

Each symbol has a *deviation* y from its starting quote p, zero at the start:

- log-normal kinds quote ``p * exp(y)``, which is positive whatever happens and exactly p at the start;
- rates and funding quote ``p + y``, and may go below zero, as rates do.

Over a step of `dt` years the deviation moves by the exact solution of an Ornstein–Uhlenbeck process (a random
walk where the speed of reversion k is 0), plus jumps::

    y' = y e^(-k dt) + drift dt + s z + J        s = vol sqrt((1 - e^(-2 k dt)) / (2 k)),  or  vol sqrt(dt)
    z  = a Z_market + b Z_factor + sqrt(1 - a^2 - b^2) Z_own

One shock for the market, one for each factor (a sector, the dollar, rates, credit, volatility) and one of its own
give the correlations: a^2 + b^2 within a sector, a^2 across. For shares, funds and coins s is multiplied by the
volatility index over its mean, so calm and storm come in spells (and since the index loads negatively on the
market, storms come with falls). Random walks of logarithms carry -s^2/2, so that `drift` is the growth of the mean.
Jumps J are upward and exponential in size: each jumping symbol has its own, and now and then one event hits all of
them together, each by its own size. That is the credit blow-out; reversion brings the spreads back.

References
----------
.. [1] G. E. Uhlenbeck and L. S. Ornstein, "On the Theory of the Brownian Motion", Physical Review 36 (1930) 823.
   The exact step is the conditional normal law of that process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.market_data.universe import REGIME_SYMBOL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.market_data.symbol_spec import SymbolSpec

__all__ = ["SYSTEMIC_JUMPS_PER_YEAR", "MarketModel"]

SYSTEMIC_JUMPS_PER_YEAR = 2.0
"""How often one event hits every symbol that jumps."""


class MarketModel:
    """The terms of a market as columns, and the step that moves it.

    Parameters
    ----------
    universe : sequence of SymbolSpec
        The symbols, n of them; their order is part of what a seed means.
    years_per_step : float
        Length of a step in years of trading, positive.
    """

    def __init__(self, universe: Sequence[SymbolSpec], years_per_step: float) -> None:
        self._price = _column(universe, "price")
        self._lognormal = np.array([spec.kind.is_lognormal for spec in universe])
        self._follows_regime = np.array([spec.kind.follows_regime for spec in universe])
        self._regime_at = next((i for i, spec in enumerate(universe) if spec.symbol == REGIME_SYMBOL), None)
        self._set_loadings(universe)
        self._set_diffusion(universe, years_per_step)
        self._set_jumps(universe, years_per_step)

    def _set_loadings(self, universe: Sequence[SymbolSpec]) -> None:
        factors = sorted({spec.factor_name for spec in universe})
        self._n_factors = len(factors)
        self._factor_at = np.array([factors.index(spec.factor_name) for spec in universe])
        self._on_market = _column(universe, "market_loading")
        self._on_factor = _column(universe, "factor_loading")
        self._on_own = np.sqrt(np.maximum(1.0 - self._on_market**2 - self._on_factor**2, 0.0))

    def _set_diffusion(self, universe: Sequence[SymbolSpec], dt: float) -> None:
        speed = _column(universe, "mean_reversion")
        reverts = speed > 0.0
        effective = np.where(reverts, -np.expm1(-2.0 * speed * dt) / np.where(reverts, 2.0 * speed, 1.0), dt)
        self._decay = np.exp(-speed * dt)
        self._scale = _column(universe, "volatility") * np.sqrt(effective)
        self._drift = np.where(reverts, 0.0, _column(universe, "drift") * dt)
        self._compensated = np.where(self._lognormal & ~reverts, 0.5, 0.0)

    def _set_jumps(self, universe: Sequence[SymbolSpec], dt: float) -> None:
        self._jump_size = _column(universe, "jump_size")
        self._jump_chance = -np.expm1(-_column(universe, "jumps_per_year") * dt)
        self._systemic_chance = -np.expm1(-SYSTEMIC_JUMPS_PER_YEAR * dt)

    @property
    def reverts(self) -> NDArray[np.bool_]:
        """Which symbols return to their starting quote, shape (n,)."""
        return self._decay < 1.0

    @property
    def scale(self) -> NDArray[np.float64]:
        """Standard deviation of a step in calm markets, shape (n,)."""
        return self._scale

    def step(self, deviation: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the deviations one step on.

        Every symbol draws, whether or not anybody asked for it: the numbers of one symbol cannot depend on the
        company it was polled in.

        Parameters
        ----------
        deviation : ndarray, shape (n,)
            Where the market is. Not changed.
        rng : numpy.random.Generator
            The step's own source of randomness.

        Returns
        -------
        ndarray, shape (n,)
        """
        n = len(self._price)
        market = rng.standard_normal()
        factor = rng.standard_normal(self._n_factors)
        own = rng.standard_normal(n)
        shock = self._on_market * market + self._on_factor * factor[self._factor_at] + self._on_own * own
        scale = np.where(self._follows_regime, self._scale * self._regime(deviation), self._scale)
        growth = self._drift - self._compensated * scale**2
        moved: NDArray[np.float64] = deviation * self._decay + growth + scale * shock + self._jumps(rng)
        return moved

    def quotes(self, deviation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is quoted at `deviation`, shape (..., n)."""
        return np.where(
            self._lognormal,
            self._price * np.exp(np.where(self._lognormal, deviation, 0.0)),
            self._price + deviation,
        )

    def _regime(self, deviation: NDArray[np.float64]) -> float:
        return 1.0 if self._regime_at is None else float(np.exp(deviation[self._regime_at]))

    def _jumps(self, rng: np.random.Generator) -> NDArray[np.float64]:
        n = len(self._price)
        hit_all = rng.random() < self._systemic_chance
        hit = (rng.random(n) < self._jump_chance) | hit_all
        return np.where(hit, rng.standard_exponential(n) * self._jump_size, 0.0)


def _column(universe: Sequence[SymbolSpec], field: str) -> NDArray[np.float64]:
    return np.array([getattr(spec, field) for spec in universe], dtype=np.float64)
