"""The history of the simulated market: ten years of daily bars that end where the live market starts.

The model of the live market (:class:`~bank_python.market_data.market_model.MarketModel`, with steps of one day) is
simulated for all symbols together, so that the history has the same correlations, volatility clustering and jumps.
The path is then shifted to end exactly at the starting quotes: that of a random walk by a constant, which leaves all
returns unchanged; that of a mean-reverting symbol by a linear correction from 0 to the full amount, which leaves its
returns almost unchanged and keeps it near its mean.

The open differs from the last close by a small random gap; highs and lows lie beyond open and close by a half-normal
amount; the volume, for symbols that have one, is log-normal around its typical size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.market_data.feed import Bar
from bank_python.market_data.market_model import MarketModel
from bank_python.market_data.trading_clock import SESSIONS_PER_YEAR, sessions_before

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from bank_python.market_data.symbol_spec import SymbolSpec

__all__ = ["PAST_SESSIONS", "SimulatedPast"]

PAST_SESSIONS = 10 * SESSIONS_PER_YEAR

_GAP = 0.25  # between a close and the next open, in daily standard deviations
_WICK = 0.45  # of highs and lows beyond open and close, in daily standard deviations
_VOLUME_SPREAD = 0.30  # standard deviation of the logarithm


class SimulatedPast:
    """Daily bars of all symbols before the first live step.

    Parameters
    ----------
    universe : sequence of SymbolSpec
        The n symbols of the market.
    seed : numpy.random.SeedSequence
        Seed of the simulation; the same seed gives bitwise identical bars.
    """

    def __init__(self, universe: Sequence[SymbolSpec], seed: np.random.SeedSequence) -> None:
        self._universe = tuple(universe)
        model = MarketModel(self._universe, 1.0 / SESSIONS_PER_YEAR)
        rng = np.random.default_rng(seed)
        path = _ending_at_zero(_walk(model, len(self._universe), rng), model.reverts)
        self._dates = sessions_before(PAST_SESSIONS)
        self._close = model.quotes(path[1:])
        self._add_intraday(model, path, rng)

    def _add_intraday(self, model: MarketModel, path: NDArray[np.float64], rng: np.random.Generator) -> None:
        shape = (PAST_SESSIONS, len(self._universe))
        opening = path[:-1] + _GAP * model.scale * rng.standard_normal(shape)
        above = _WICK * model.scale * np.abs(rng.standard_normal(shape))
        below = _WICK * model.scale * np.abs(rng.standard_normal(shape))
        self._open = model.quotes(opening)
        # Maximum of quotes, not of deviations: exp rounds, and a high must not be below its close by one ulp.
        self._high = np.maximum(
            model.quotes(np.maximum(opening, path[1:]) + above), np.maximum(self._open, self._close)
        )
        self._low = np.minimum(model.quotes(np.minimum(opening, path[1:]) - below), np.minimum(self._open, self._close))
        self._volume_factor = np.exp(_VOLUME_SPREAD * rng.standard_normal(shape))

    @property
    def dates(self) -> Sequence[datetime]:
        """The sessions, oldest first."""
        return self._dates

    def bars(self, column: int, first: int) -> tuple[Bar, ...]:
        """Return the bars of one symbol from the date at index `first` on.

        Parameters
        ----------
        column : int
            Index of the symbol in the universe.
        first : int
            Index of the first date in :attr:`dates`.
        """
        volume = self._universe[column].volume
        counts = [None] * PAST_SESSIONS if volume is None else np.rint(volume * self._volume_factor[:, column]).tolist()
        columns = (self._open, self._high, self._low, self._close)
        prices = [array[first:, column].tolist() for array in columns]
        return tuple(Bar(*row) for row in zip(self._dates[first:], *prices, counts[first:], strict=True))


def _walk(model: MarketModel, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    path = np.zeros((PAST_SESSIONS + 1, n))
    for day in range(PAST_SESSIONS):
        path[day + 1] = model.step(path[day], rng)
    return path


def _ending_at_zero(path: NDArray[np.float64], reverts: NDArray[np.bool_]) -> NDArray[np.float64]:
    elapsed = np.linspace(0.0, 1.0, len(path))[:, np.newaxis]
    ended: NDArray[np.float64] = path - np.where(reverts, elapsed, 1.0) * path[-1]
    return ended
