"""The stochastic model of the simulated market: one step of all symbols at once.

Each symbol has a *deviation* y from its starting quote p, zero at the start:

- log-normal kinds quote ``p * exp(y)``, which is always positive and equals p at the start;
- rates and funding quote ``p + y``, which may be negative.

Over a step of `dt` years the deviation follows the exact solution of an Ornstein–Uhlenbeck process (a random
walk where the speed of mean reversion k is 0), plus jumps::

    y' = y e^(-k dt) + drift dt + s z + J        s = vol sqrt((1 - e^(-2 k dt)) / (2 k)),  or  vol sqrt(dt)
    z  = a Z_market + b Z_factor + sqrt(1 - a^2 - b^2) Z_own

The correlations come from a market shock, a shock per factor (a sector, the dollar, rates, credit, volatility) and an
idiosyncratic shock per symbol: a^2 + b^2 within a sector, a^2 across sectors. For shares, funds and coins, s is
multiplied by the volatility index divided by its mean, which gives volatility clustering; since the index loads
negatively on the market, volatile periods come with falling prices. Random walks of logarithms include the term
-s^2/2, so that `drift` is the growth rate of the mean. Jumps J are upward, with exponentially distributed sizes: each
symbol with jumps has its own, and systemic events make all of them jump together, each by its own size. This models a
credit sell-off, after which mean reversion brings the spreads back.

References
----------
.. [1] G. E. Uhlenbeck and L. S. Ornstein, "On the Theory of the Brownian Motion", Physical Review 36 (1930) 823.
   The exact step is the conditional normal distribution of that process.
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
"""Expected number of systemic events per year, at which all symbols with jumps jump together."""


class MarketModel:
    """The parameters of a simulated market as arrays, and its simulation step.

    Parameters
    ----------
    universe : sequence of SymbolSpec
        The n symbols. With the same seed, another order gives other numbers.
    years_per_step : float
        Length of a step in trading years, positive.
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
        """Whether each symbol reverts to its starting quote, shape (n,)."""
        return self._decay < 1.0

    @property
    def scale(self) -> NDArray[np.float64]:
        """Standard deviation of a step while the volatility index is at its mean, shape (n,)."""
        return self._scale

    def step(self, deviation: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the deviations after one step.

        Random numbers are drawn for all symbols, polled or not, so that the quotes of a symbol do not depend on
        which others are polled.

        Parameters
        ----------
        deviation : ndarray, shape (n,)
            Current deviations of the symbols from their starting quotes; not modified.
        rng : numpy.random.Generator
            Random generator of this step.

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
        """Return the quotes at the deviations `deviation`, shape (..., n)."""
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
