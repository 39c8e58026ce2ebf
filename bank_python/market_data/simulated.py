"""The embedded market: a whole desk's symbols, moving together, from one seed.

:class:`SimulatedFeed` needs no network and no data and says ``source="simulated"`` on everything. Each poll moves
the *whole* market one step (:mod:`~bank_python.market_data.market_model`), then reads out the symbols asked for;
that is why a symbol's numbers depend on the seed and the count of polls alone, not on which others were polled or
in what order. The randomness of step k comes from a seed of its own, so a market can be reopened
(:meth:`SimulatedFeed.state`, :meth:`SimulatedFeed.resume`) and goes on to the bit without being run again.

Examples
--------
>>> feed = SimulatedFeed(seed=7)
>>> tick = feed.poll(["AAPL"]).ticks[0]
>>> tick.time.isoformat(), tick.source
('2026-01-05T14:31:00+00:00', 'simulated')
>>> again = SimulatedFeed(seed=7)
>>> again.poll(["MSFT", "AAPL"]).ticks[1] == tick
True
>>> feed.history("AAPL", "5d").bars[-1].close  # the past ends where the market starts
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
        At least 0. Same seed, universe and step: same numbers, to the bit (on one machine and numpy version).
    universe : sequence of SymbolSpec, optional
        The symbols; :func:`~bank_python.market_data.universe.default_universe` if not given.
    step : timedelta, default 1 minute
        Market time that passes with each poll; more than 0, at most a session of 6.5 hours.

    Raises
    ------
    FeedConfigError
        The seed is negative or no integer, the universe is empty or names a symbol twice, the step does not fit.
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
        # One tuple, replaced whole: state() in another thread never sees half a step.
        self._at = (0, np.zeros(len(self._universe)))

    @property
    def name(self) -> str:
        """``"simulated"``."""
        return "simulated"

    @property
    def symbols(self) -> frozenset[str]:
        """Every symbol of the market."""
        return frozenset(self._column)

    @property
    def universe(self) -> tuple[SymbolSpec, ...]:
        """The market's symbols with their terms, in the order that belongs to the seed."""
        return self._universe

    @property
    def seed(self) -> int:
        """The seed it was made with."""
        return self._seed

    @guessable
    def poll(self, symbols: Sequence[str]) -> Poll:
        """Move the whole market one step and return the quotes of `symbols`.

        Parameters
        ----------
        symbols : sequence of str
            What to read out; a symbol the market does not have comes back as a failure.
        """
        steps, deviation = self._at
        rng = np.random.default_rng(self._branch(_LIVE, steps + 1))
        self._at = steps + 1, self._model.step(deviation, rng)
        quotes = self._model.quotes(self._at[1]).tolist()
        time = self._clock.time(steps + 1)
        asked = dict.fromkeys(symbols)
        return Poll(
            ticks=tuple(Tick(s, quotes[self._column[s]], time, self.name) for s in asked if s in self._column),
            failures=tuple(QuoteFailure(s, self._absence(s), self.name) for s in asked if s not in self._column),
        )

    @guessable
    def history(self, symbol: str, period: str) -> PriceHistory:
        """Return daily bars that end at the starting quote, on the session before the first.

        The past does not grow as the market moves on; it reaches ten years back.

        Raises
        ------
        UnknownTickerError
            The market has no such symbol.
        FeedConfigError
            The period is not one of yfinance's.
        """
        check_period(period)
        if symbol not in self._column:
            raise self._unknown(symbol)
        first = first_in_period(self._past.dates, period)
        return PriceHistory(symbol, self.name, self._past.bars(self._column[symbol], first))

    def close(self) -> None:
        """Nothing is held open."""

    def state(self) -> dict[str, Any]:
        """Return where the market is, as JSON-able values, for :meth:`resume`.

        Returns
        -------
        dict
            ``version, seed, step_seconds, universe`` (a fingerprint), ``steps`` and ``deviation`` (a list of n
            floats, which JSON keeps to the bit).
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
        """Return a feed that goes on where the one of `state` stopped, bit for bit.

        Parameters
        ----------
        state : mapping
            What :meth:`state` returned, perhaps by way of JSON.
        universe : sequence of SymbolSpec, optional
            The same universe as then.

        Raises
        ------
        FeedConfigError
            The state is of another version or universe, or lacks something.
        """
        try:
            version, seed, fingerprint = state["version"], state["seed"], state["universe"]
            step, steps = timedelta(seconds=state["step_seconds"]), int(state["steps"])
            deviation = np.array(state["deviation"], dtype=np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise FeedConfigError(f"this is no state of a SimulatedFeed: {error!r}", value=state) from error
        if version != STATE_VERSION:
            raise FeedConfigError(
                f"state version {version!r} is not {STATE_VERSION}: resume it where it was made", value=version
            )
        feed = cls(seed, universe=universe, step=step)
        if fingerprint != _fingerprint(feed.universe) or deviation.shape != (len(feed.universe),):
            raise FeedConfigError(
                "the state belongs to another universe: give the one it was made with", value=fingerprint
            )
        feed._at = steps, deviation
        return feed

    @cached_property
    def _past(self) -> SimulatedPast:
        # Ten years of every symbol are made once, when somebody first asks for any of it.
        return SimulatedPast(self._universe, self._branch(_PAST, 0))

    def _branch(self, branch: int, number: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self._seed, spawn_key=(branch, number))

    def _absence(self, symbol: str) -> str:
        return self._unknown(symbol).message

    def _unknown(self, symbol: str) -> UnknownTickerError:
        return unknown_ticker(symbol, self._column, "the simulated market", "add a SymbolSpec to its universe")


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
