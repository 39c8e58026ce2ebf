"""What one look at the live desk shows, as plain frozen values.

A :class:`Frame` is the desk at one tick of its graph, gathered once by whoever did the recalculation; a
:class:`Pulse` is the machinery at one moment (quotes going stale, jobs running), read anew at each refresh of the
screen. Between them they are all that a panel needs, so panels read no graph, wait for no lock and compute nothing,
and a feed that does not answer leaves the screen refreshing: the frame gets older, and the pulse says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from bank_python.dagger import Recalculation

__all__ = [
    "FirmLine",
    "Frame",
    "JobLine",
    "PositionLine",
    "Pulse",
    "QuoteGroup",
    "QuoteLine",
    "QuoteTrouble",
    "RiskLine",
    "TraderLine",
    "TroubleLine",
    "Unit",
    "WhatIf",
]


class QuoteGroup(Enum):
    """Where a quote stands in the market panel."""

    SHARES = "Shares"
    FUNDS = "Funds"
    FX = "FX"
    RATES = "Rates"
    CREDIT = "Credit"
    INDICES = "Indices"
    CRYPTO = "Crypto"


class Unit(Enum):
    """What a quote and its change are shown in."""

    PRICE = "price"
    """The price itself; the change is relative."""
    PERCENT = "percent"
    """A rate in percent; the change in basis points."""
    BASIS_POINTS = "bp"
    """A spread in basis points, and so is the change."""
    POINTS = "points"
    """An index in points, and so is the change."""


@dataclass(frozen=True, slots=True)
class FirmLine:
    """The firm: value and P&L in USD (``None`` where an input has no quote), valuation date, newest quote's time."""

    value: float | None
    pnl: float | None
    change: float | None
    date: date
    tick: int
    feed: str
    market_time: datetime | None
    waiting: int
    trail: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class RiskLine:
    """The firm's simulated risk in USD.

    Parameters
    ----------
    var_95, var_99, cvar_99 : float
        Losses, positive.
    error : float
        Standard error of `var_99`.
    scenarios : int
        How many.
    as_of_tick : int
        The oldest tick that is in them.
    alerts : int
        How many alerts are open.
    worst : str
        The message of the most urgent one; empty if there is none.
    proxy_error : float or None
        How far P&L is off full revaluation; ``None`` if it is that.
    """

    var_95: float
    var_99: float
    cvar_99: float
    error: float
    scenarios: int
    as_of_tick: int
    alerts: int
    worst: str
    proxy_error: float | None = None


@dataclass(frozen=True, slots=True)
class TraderLine:
    """One trader; money in USD, `change` of the P&L since the frame before, `trail` its P&L frame by frame.

    `var` is the simulated value at risk of a day at 99 %; `delta`, `vega` and `theta` are what spots up by 1 %,
    volatilities up by a point and a day gone by would bring.
    """

    name: str
    strategy: str
    focus: str
    positions: int
    waiting: int
    value: float | None
    pnl: float | None
    change: float | None
    trail: tuple[float, ...]
    delta: float | None = None
    vega: float | None = None
    theta: float | None = None
    var: float | None = None


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One quote in its own unit, and its change since the desk was opened (relative for prices, else absolute)."""

    symbol: str
    group: QuoteGroup
    unit: Unit
    price: float | None
    change: float | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One open position; value and P&L in USD, ``None`` where an input has no quote."""

    trader: str
    instrument: str
    kind: str
    quantity: float
    value: float | None
    pnl: float | None


@dataclass(frozen=True, slots=True)
class Frame:
    """The desk at one tick.

    Parameters
    ----------
    made : datetime
        When it was gathered, UTC.
    firm : FirmLine
    traders : tuple of TraderLine
        In the desk's order.
    quotes : tuple of QuoteLine
        Shares first, the one that has risen most first and those without a quote last; then the others in the order
        of the listings. Implied volatilities and funding rates are left out.
    positions : tuple of PositionLine
        The best P&L first; those without one last.
    nodes : int
        Nodes in the graph.
    recalculation : Recalculation or None
        What was recomputed for this frame; ``None`` for the one before the first refresh.
    risk : RiskLine or None
        The simulated risk; ``None`` before there is any.
    """

    made: datetime
    firm: FirmLine
    traders: tuple[TraderLine, ...]
    quotes: tuple[QuoteLine, ...]
    positions: tuple[PositionLine, ...]
    nodes: int
    recalculation: Recalculation | None
    risk: RiskLine | None = None


@dataclass(frozen=True, slots=True)
class QuoteTrouble:
    """Why a quote is not fresh, and for how many seconds it has not been renewed (``None``: not since the start)."""

    state: str
    age: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class TroubleLine:
    """One reason why quotes are not fresh: the symbols it concerns, and the greatest of their ages in seconds."""

    state: str
    symbols: tuple[str, ...]
    age: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class JobLine:
    """How a background job stands; times in seconds from now.

    Parameters
    ----------
    name, schedule, state : str
        Which job, when it is due, and what it is doing or how its last run ended.
    busy : float or None
        For how long the run under way has been going on.
    ago, took : float or None
        How long ago the last run ended, and how long it took.
    due : float or None
        In how many seconds the next run is due; negative when it is late.
    runs, failures : int
        Over restarts.
    note : str
        What it waits for, or why its last run failed; empty when all is well.
    """

    name: str
    schedule: str
    state: str
    busy: float | None
    ago: float | None
    took: float | None
    due: float | None
    runs: int
    failures: int
    note: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A what-if: what it supposes, what it would do to the firm's P&L in USD, and the seconds it took."""

    name: str
    pnl: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """The machinery at one moment.

    Parameters
    ----------
    now : datetime
        The moment, UTC.
    fresh, stale, unquoted : int
        Quotes by state.
    troubles : mapping of str to QuoteTrouble
        By symbol, every quote that is not fresh.
    reasons : tuple of TroubleLine
        The same by reason, in the order of the listings.
    asking : float or None
        For how many seconds it has been asked and has not answered.
    dirty, evaluations, ticks : int
        Of the graph: nodes waiting, evaluations and ticks in all.
    what_if : WhatIf or None
        The last one worked out.
    jobs : tuple of JobLine
        In the order they were added.
    """

    now: datetime
    fresh: int
    stale: int
    unquoted: int
    troubles: Mapping[str, QuoteTrouble]
    reasons: tuple[TroubleLine, ...]
    asking: float | None
    dirty: int
    evaluations: int
    ticks: int
    what_if: WhatIf | None
    jobs: tuple[JobLine, ...]
