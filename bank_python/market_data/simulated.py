"""The simulated market: all symbols of a desk, moving together, from one seed.

:class:`SimulatedFeed` needs no network and no data files, and marks every quote with ``source="simulated"``. Each poll
moves the *whole* market by one step (:mod:`~bank_python.market_data.market_model`) and returns the requested symbols.
The quotes of a symbol therefore depend only on the seed and the number of polls, not on which other symbols are polled
or in which order. Step k has its own random generator, so a saved market (:meth:`SimulatedFeed.state`,
:meth:`SimulatedFeed.resume`) continues with exactly the same quotes, without repeating the earlier steps.

Examples
--------
>>> feed = SimulatedFeed(seed=7)
>>> tick = feed.poll(["AAPL"]).ticks[0]
>>> tick.time.isoformat(), tick.source
('2026-01-05T14:31:00+00:00', 'simulated')
>>> again = SimulatedFeed(seed=7)
>>> again.poll(["MSFT", "AAPL"]).ticks[1] == tick
True
>>> feed.history("AAPL", "5d").bars[-1].close  # the history ends at the starting quote
228.0
"""

from __future__ import annotations

import hashlib
import operator
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import FeedConfigError
from bank_python.guessing import guessable
from bank_python.market_data.feed import Poll, PriceHistory, QuoteFailure, Tick
from bank_python.market_data.market_model import MarketModel
from bank_python.market_data.periods import check_period, first_in_period
from bank_python.market_data.simulated_past import SimulatedPast
from bank_python.market_data.trading_clock import TradingClock
from bank_python.market_data.universe import default_universe
from bank_python.market_data.unknown_ticker import unknown_ticker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.errors import UnknownTickerError
    from bank_python.market_data.symbol_spec import SymbolSpec

__all__ = ["SimulatedFeed"]

STATE_VERSION = 1

_PAST, _LIVE = 0, 1  # branches of the seed


@guessable
class SimulatedFeed:
    """A market simulated from a seed.

    Parameters
    ----------
    seed : int, default 0
        Seed of the simulation, at least 0. The same seed, universe and step give bitwise identical quotes (on one
        machine and numpy version).
    universe : sequence of SymbolSpec, optional
        Symbols of the market; :func:`~bank_python.market_data.universe.default_universe` by default.
    step : timedelta, default 1 minute
        Market time between two polls, positive and at most one session of 6.5 hours.

    Raises
    ------
    FeedConfigError
        The seed is negative or not an integer, the universe is empty or has a symbol twice, or the step is out of
        range.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        universe: Sequence[SymbolSpec] | None = None,
        step: timedelta = timedelta(minutes=1),
    ) -> None:
        self._seed = _checked_seed(seed)
        self._universe = _checked_universe(default_universe() if universe is None else universe)
        self._clock = TradingClock(step)
        self._model = MarketModel(self._universe, self._clock.years_per_step)
        self._column = {spec.symbol: i for i, spec in enumerate(self._universe)}
        # One tuple, replaced as a whole: state() in another thread never reads half a step.
        self._at = (0, np.zeros(len(self._universe)))

    @property
    def name(self) -> str:
        """Name of the feed, ``"simulated"``."""
        return "simulated"

    @property
    def symbols(self) -> frozenset[str]:
        """All symbols of the market."""
        return frozenset(self._column)

    @property
    def universe(self) -> tuple[SymbolSpec, ...]:
        """The specifications of the symbols, in the order given."""
        return self._universe

    @property
    def seed(self) -> int:
        """Seed of the simulation."""
        return self._seed

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Move the whole market by one step and return the quotes of `symbols`.

        Parameters
        ----------
        symbols : sequence of str
            Symbols to quote; one that the market does not have is returned as a failure.
        """
        steps, deviation = self._at
        rng = np.random.default_rng(self._branch(_LIVE, steps + 1))
        self._at = steps + 1, self._model.step(deviation, rng)
        quotes = self._model.quotes(self._at[1]).tolist()
        time = self._clock.time(steps + 1)
        wanted = dict.fromkeys(symbols)
        return Poll(
            ticks=tuple(Tick(s, quotes[self._column[s]], time, self.name) for s in wanted if s in self._column),
            failures=tuple(QuoteFailure(s, self._absence(s), self.name) for s in wanted if s not in self._column),
        )

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return daily bars that end at the starting quote, on the day before the first session.

        The history covers ten years and does not grow as the market moves on.

        Raises
        ------
        UnknownTickerError
            The market has no such symbol.
        FeedConfigError
            There is no such period.
        """
        check_period(period)
        if symbol not in self._column:
            raise self._unknown(symbol)
        first = first_in_period(self._past.dates, period)
        return PriceHistory(symbol, self.name, self._past.bars(self._column[symbol], first))

    def close(self) -> None:
        """Do nothing: the feed has no connections."""

    def state(self) -> dict[str, Any]:
        """Return the state of the market as JSON-able values, for :meth:`resume`.

        Returns
        -------
        dict
            ``version``, ``seed``, ``step_seconds``, ``universe`` (a fingerprint), ``steps`` and ``deviation`` (a list
            of n floats, which JSON stores without rounding).
        """
        steps, deviation = self._at
        return {
            "version": STATE_VERSION,
            "seed": self._seed,
            "step_seconds": self._clock.step.total_seconds(),
            "universe": _fingerprint(self._universe),
            "steps": steps,
            "deviation": deviation.tolist(),
        }

    @classmethod
    def resume(cls, state: Mapping[str, Any], *, universe: Sequence[SymbolSpec] | None = None) -> SimulatedFeed:
        """Return a feed that continues from a saved state, with bitwise identical quotes.

        Parameters
        ----------
        state : mapping
            State returned by :meth:`state`, also after a round trip through JSON.
        universe : sequence of SymbolSpec, optional
            Symbols of the saved market, in the same order; the default universe by default.

        Raises
        ------
        FeedConfigError
            The state has another version or universe, or is incomplete.
        """
        try:
            version, seed, fingerprint = state["version"], state["seed"], state["universe"]
            step, steps = timedelta(seconds=state["step_seconds"]), int(state["steps"])
            deviation = np.array(state["deviation"], dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise FeedConfigError(f"this is not a saved state of a SimulatedFeed: {error!r}", value=state) from error
        if version != STATE_VERSION:
            raise FeedConfigError(
                f"the saved state has version {version!r}, not {STATE_VERSION}: resume it with the version of "
                "bank_python that saved it",
                value=version,
            )
        feed = cls(seed, universe=universe, step=step)
        if fingerprint != _fingerprint(feed.universe) or deviation.shape != (len(feed.universe),):
            raise FeedConfigError(
                "the saved state belongs to another universe: give universe= as it was when the state was saved",
                value=fingerprint,
            )
        feed._at = steps, deviation
        return feed

    @cached_property
    def _past(self) -> SimulatedPast:
        # Ten years of all symbols are simulated once, at the first request for a history.
        return SimulatedPast(self._universe, self._branch(_PAST, 0))

    def _branch(self, branch: int, number: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self._seed, spawn_key=(branch, number))

    def _absence(self, symbol: str) -> str:
        return self._unknown(symbol).message

    def _unknown(self, symbol: str) -> UnknownTickerError:
        return unknown_ticker(symbol, self._column, "the simulated market", "add a SymbolSpec to its universe")

    def __repr__(self) -> str:
        return f"<SimulatedFeed: seed {self._seed}, {len(self._column):,} symbols, {self._at[0]:,} polls>"


def _checked_seed(seed: int) -> int:
    try:
        whole = operator.index(seed)
    except TypeError:
        whole = -1
    if whole < 0:
        raise FeedConfigError(f"the seed is {seed!r}: give a whole number, at least 0", value=seed)
    return whole


def _checked_universe(universe: Sequence[SymbolSpec]) -> tuple[SymbolSpec, ...]:
    specs = tuple(universe)
    if not specs:
        raise FeedConfigError("the universe is empty: give at least one SymbolSpec", value=specs)
    seen: set[str] = set()
    for spec in specs:
        if spec.symbol in seen:
            raise FeedConfigError(f"the universe names {spec.symbol!r} twice: keep one", value=spec.symbol)
        seen.add(spec.symbol)
    return specs


def _fingerprint(universe: Sequence[SymbolSpec]) -> str:
    return hashlib.sha256(repr(tuple(universe)).encode()).hexdigest()
