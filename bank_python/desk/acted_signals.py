"""Which signals were acted upon, so that none is acted upon twice.

A signal is new when it appears or turns. It is not new while it stays, nor when its strategy holds what it asks for
already: a signal that flickers about its threshold, or is still there on the next day, opens one position. Strategies
that order the difference to a target (:data:`~bank_python.desk.strategies.TO_TARGETS`) are exempt from the latter.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from bank_python.desk.strategies import TO_TARGETS
from bank_python.trading_engine import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.trading_engine import AuditTrail, Signal

__all__ = ["ActedSignals"]

_OPTIONS_LAST = dt.timedelta(days=30)  # what a signal in options asks for has the days of its name, or fewer

Key = tuple[str, Side]


class ActedSignals:
    """The signals that were acted upon, by trader.

    Parameters
    ----------
    audit : AuditTrail
        Trail of the desk; its signals of today count as standing.
    opened : callable
        Function of trader and instrument that returns the units which the trader's strategy has opened.
    now : callable
        Clock that returns the current time in UTC.
    """

    def __init__(self, audit: AuditTrail, opened: Callable[[str, str], float], now: Callable[[], dt.datetime]) -> None:
        self._audit, self._opened, self._now = audit, opened, now
        self._standing: dict[str, set[Key]] = {}
        midnight = dt.datetime.combine(now().date(), dt.time(), dt.UTC)
        for (trader, instrument), (side, _) in self._last(midnight).items():
            self._standing.setdefault(trader, set()).add((instrument, side))

    def __repr__(self) -> str:
        return f"<ActedSignals: {sum(map(len, self._standing.values()))} stand>"

    def stands(self, trader: str, signal: Signal) -> bool:
        """Whether a signal was there at the last call of :meth:`keep`.

        Parameters
        ----------
        trader : str
            Name of the trader.
        signal : Signal
            Signal of the trader's rule.
        """
        return _key(signal) in self._standing.get(trader, set())

    def is_held(self, trader: str, strategy: str, signal: Signal, legs: tuple[str, ...]) -> bool:
        """Whether a strategy holds what a signal asks for already.

        Parameters
        ----------
        trader, strategy : str
            Names of trader and strategy.
        signal : Signal
            Signal of the trader's rule.
        legs : tuple of str
            Names of the contracts that the signal's instrument stands for.
        """
        if strategy in TO_TARGETS:
            return False
        if legs == (signal.instrument,):
            return signal.side.sign * self._opened(trader, signal.instrument) > 0.0
        last = self._last(self._now() - _OPTIONS_LAST).get((trader, signal.instrument))
        return last is not None and last[0] is signal.side

    def keep(self, trader: str, signals: Iterable[Signal]) -> None:
        """Take what stands now.

        Parameters
        ----------
        trader : str
            Name of the trader.
        signals : iterable of Signal
            Signals of the trader's rule that were acted upon, or are held already.
        """
        self._standing[trader] = set(map(_key, signals))

    def _last(self, since: dt.datetime) -> dict[tuple[str, str], tuple[Side, dt.datetime]]:
        """Return side and time of the last signal acted upon since a time, by trader and instrument."""
        rows = self._audit.query(event_type="SIGNAL", since=since)
        return {
            (row["trader"], row["instrument"]): (Side(json.loads(row["details"])["side"]), row["timestamp"])
            for row in rows
        }


def _key(signal: Signal) -> Key:
    return signal.instrument, signal.side
