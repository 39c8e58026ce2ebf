r"""Event driven: the move that a straddle implies for an event, against the moves of past events.

Of the variance of a straddle, what an ordinary time of its length would have is taken away; the rest is that of the
event, whose expected absolute move is

.. math:: m = \sqrt{\tfrac2\pi\,\bigl(\sigma_{imp}^2\,T - \sigma_{real}^2\,(T - \tfrac1{252})\bigr)^+}

with the implied and the realised volatility and the time T to expiry. A straddle that implies a larger move than the
mean of the past ones is sold in the days before the event, one that implies a smaller move is bought.

Examples
--------
>>> import numpy as np
>>> closes = 262.0 * np.exp(np.cumsum(np.tile([0.02, -0.02], 30)))
>>> rule = EventDrivenSignal({"TSLA": [0.09, -0.04, 0.12, 0.05]})
>>> (order,) = rule.generate({"TSLA": closes, "TSLA_VOL": [0.60], "TSLA_EVENT": [3.0]})
>>> order.instrument_name, order.side.value
('TSLA_30D_STRADDLE', 'SELL')
>>> order.reason
'event in 3 days: implied move 11.8% against 7.5%, the mean of 4 past events'
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bank_python.admission import admits, as_numbers
from bank_python.errors import TradingError
from bank_python.trading_engine.checks import names_of, positive, whole_number
from bank_python.trading_engine.series_window import distinct, latest, recent_prices, recent_vols
from bank_python.trading_engine.signal import SignalRule
from bank_python.trading_engine.signal_option import SignalOption
from bank_python.trading_engine.signal_report import Signal, collected
from bank_python.trading_engine.words import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.signal_report import Found

__all__ = ["EventDrivenSignal"]

_YEAR = 252
_DAYS = 30
_DAYS_OF_YEAR = 365.0
_FULL = 3.0  # edges at which the strength is 1


class EventDrivenSignal(SignalRule):
    """Sells the straddle before an event if it implies a larger move than past events had, and buys one that is cheap.

    The strength is the distance of the implied from the past move as a share of three edges, at most 1.

    Parameters
    ----------
    moves : mapping of str to sequence of float
        Moves of the price at past events by ticker, as decimals of any sign, at least one that is not 0.
    days_before : int, default 5
        Number of days before the event in which there are signals, at least 1 and below 30, as the straddle of 30 days
        must include it.
    edge : float, default 0.25
        Distance of the implied move from the mean past move as a share of the latter, above 0, from which on there is
        a signal.
    rv_window : int, default 20
        Number of returns in the realised volatility of ordinary days, at least 2.
    quantity : float, default 10.0
        Number of straddles, above 0.

    Raises
    ------
    TradingError
        A ticker has no past moves, or a number is out of range.

    Notes
    -----
    `<ticker>_EVENT` is the number of days to the next event; a negative one gives no signal. The last event should be
    longer ago than `rv_window`, or its move counts as an ordinary one.
    """

    strategy: ClassVar[str] = "event_driven"

    @admits(TradingError, members=False)
    def __init__(
        self,
        moves: Mapping[str, Sequence[float]],
        days_before: int = 5,
        *,
        edge: float = 0.25,
        rv_window: int = 20,
        quantity: float = 10.0,
    ) -> None:
        self.moves = {ticker: _moves(ticker, moves[ticker]) for ticker in names_of("moves", moves)}
        self.days_before = whole_number("days_before", days_before, 1)
        if self.days_before >= _DAYS:
            raise TradingError(
                f"days_before={days_before!r} is not below {_DAYS}", name="days_before", value=days_before
            )
        self.edge, self.rv_window = positive("edge", edge), whole_number("rv_window", rv_window, 2)
        self.quantity = positive("quantity", quantity)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers, of their implied volatilities, and of the days to their events."""
        return distinct(*(f"{ticker}{kind}" for ticker in self.moves for kind in ("", "_VOL", "_EVENT")))

    def from_closes(self, closes: Mapping[str, FloatArray]) -> Found:
        """Return a signal for each ticker with an event ahead whose straddle implies another move than past ones."""
        return collected(self.moves, lambda ticker: self._of_ticker(ticker, closes))

    def _of_ticker(self, ticker: str, closes: Mapping[str, FloatArray]) -> list[Signal]:
        days = latest(closes, f"{ticker}_EVENT")
        if not 0.0 <= days <= self.days_before:
            return []
        known = recent_prices(closes, ticker, self.rv_window + 1)
        implied = float(recent_vols(closes, f"{ticker}_VOL")[-1])
        past, moves = self.moves[ticker], np.diff(np.log(known))
        mean = sum(past) / len(past)
        move = _implied_move(implied, math.sqrt(_YEAR * float(moves @ moves) / len(moves)))
        gap = move / mean - 1.0
        if not abs(gap) > self.edge:
            return []
        straddle = SignalOption(ticker, _DAYS)
        reason = (
            f"event in {days:g} days: implied move {move:.1%} against {mean:.1%}, the mean of {len(past)} past events"
        )
        price = straddle.price(float(known[-1]), implied)
        strength = min(abs(gap) / (_FULL * self.edge), 1.0)
        return [Signal(straddle.name, Side.SELL if gap > 0.0 else Side.BUY, self.quantity, strength, reason, price)]


def _implied_move(implied: float, realised: float) -> float:
    """Return the expected absolute move of an event that a straddle of 30 days implies, as a decimal.

    Parameters
    ----------
    implied, realised : float
        Implied volatility, and that of ordinary days, a year, decimals.
    """
    years = _DAYS / _DAYS_OF_YEAR
    variance = implied * implied * years - realised * realised * (years - 1.0 / _YEAR)
    return math.sqrt(2.0 / math.pi * max(variance, 0.0))


def _moves(ticker: str, given: Any) -> tuple[float, ...]:
    numbers = as_numbers(given)
    if numbers is None or numbers.ndim != 1 or not np.isfinite(numbers).all() or not numbers.any():
        raise TradingError(f"the past moves of {ticker} are {given!r:.60}; give decimals: [0.09, -0.04]", name="moves")
    return tuple(np.abs(numbers).tolist())
