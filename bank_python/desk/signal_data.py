"""The series that the traders' rules read, as nodes of the desk's graph: they follow the quotes and the books.

========================  =====================================================================================
series                    value
========================  =====================================================================================
``NVDA``, ``SPY_VOL`` …   closes of the last year, and the present quote
bonds of the desk         present value
``NVDA_UNITS``            units of the share, coin, pair or bond that the trader holds
``NVDA_DELTA``, ``_GAMMA``  delta in shares and gamma in shares per unit of price of all that the trader holds on it
``TSLA_EVENT``            days to the next event, by a calendar invented for the simulation
========================  =====================================================================================
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf
from bank_python.desk.past_closes import PastCloses
from bank_python.desk.strategies import PAST_MOVES, days_to_event
from bank_python.errors import FeedError
from bank_python.instruments import Instrument
from bank_python.instruments.factor import Factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.dagger import Node
    from bank_python.desk.desk import Desk
    from bank_python.desk.trader import Trader
    from bank_python.numerics import FloatArray

__all__ = ["SignalData"]

_PERIOD = "1y"
_UNITS, _DELTA, _GAMMA, _EVENT = "_UNITS", "_DELTA", "_GAMMA", "_EVENT"
_NAME = "SIGNALS:"


class SignalData:
    """Series by name as nodes, registered when they are first asked for.

    Parameters
    ----------
    desk : Desk
        Desk with the quotes and the books.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pasts: dict[str, PastCloses] = {}
        self._closes: dict[str, Leaf] = {}
        self._series: dict[str, Node] = {}
        self._of_books: dict[tuple[str, str], Leaf] = {}

    def __repr__(self) -> str:
        return f"<SignalData: {len(self._series)} series of quotes, {len(self._of_books)} of books>"
