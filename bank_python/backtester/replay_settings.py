"""How a back-test is replayed: where market orders fill, costs, limits, and the volatility of options.

Examples
--------
>>> ReplaySettings(fill=fill_at("close")).fill.value
'close'
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_python.backtester.costs import Costs
from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.trading_engine import PositionLimits

__all__ = ["FillAt", "ReplaySettings", "fill_at"]


class FillAt(enum.StrEnum):
    """Where a market order fills."""

    NEXT_OPEN = "next_open"
    """At the open of the bar after the decision."""
    NEXT_CLOSE = "next_close"
    """At the close of the bar after the decision."""
    CLOSE = "close"
    """At the close of the bar of the decision itself, which its signal has seen."""


@dataclass(frozen=True, slots=True)
class ReplaySettings(Record):
    """Settings of a replay.

    Parameters
    ----------
    costs : Costs, optional
        Costs of fills, cash and borrowing; none by default.
    fill : FillAt, default FillAt.NEXT_OPEN
        Price at which market orders fill.
    limits : PositionLimits, optional
        Limits before an order; none by default.
    whole_units : bool, default False
        Whether targets are rounded towards 0 to whole units.
    vols : float or mapping of str to float, optional
        Implied volatility a year of options where the data have none.
    """

    costs: Costs = field(default_factory=Costs)
    fill: FillAt = FillAt.NEXT_OPEN
    limits: PositionLimits | None = None
    whole_units: bool = False
    vols: float | Mapping[str, float] | None = None


def fill_at(word: str) -> FillAt:
    """Return the place where market orders fill that a word means.

    Parameters
    ----------
    word : FillAt or str
        Word such as "next_open".

    Raises
    ------
    BacktestError
        There is no such place.
    """
    known = [member.value for member in FillAt]
    if word in known:
        return FillAt(word)
    advice = did_you_mean(word, known, f"give one of {', '.join(known)}")
    raise BacktestError(f"no fill {word!r:.40}; {advice}", name="fill")
