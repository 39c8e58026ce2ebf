"""The desk at one tick, as plain frozen values: what every face of it shows.

A :class:`DeskView` is computed once, from one committed tick of the graph, by :mod:`bank_python.desk.view_builder`.
Showcase, terminal, ``--json`` and whoever comes next read it and compute nothing: no figure is worked out twice, and
all of its figures belong to the same tick. :class:`Status` is the part that has no tick (ages of quotes, jobs, the
graph's counters): a screen that refreshes between two ticks reads it anew, so a feed that does not answer leaves the
figures getting older on a screen that says so.

Money is in USD; an amount is ``None`` where an input has no quote. :meth:`DeskView.to_json` writes all of it as strict
JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, cast

from bank_python.guessing import guessable
from bank_python.jsonable import jsonable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from bank_python.desk.blotter import Trade
    from bank_python.jsonable import Jsonable

__all__ = [
    "AlertView",
    "DeskView",
    "FirmView",
    "GreeksView",
    "JobView",
    "LimitView",
    "PositionView",
    "QuoteGroup",
    "QuoteTrouble",
    "QuoteView",
    "RecalculationView",
    "RiskView",
    "SourceView",
    "Status",
    "TraderView",
    "TroubleView",
    "Unit",
    "WhatIf",
]


class QuoteGroup(Enum):
    """What kind of market a quote belongs to."""

    SHARES = "Shares"
    FUNDS = "Funds"
    FX = "FX"
    RATES = "Rates"
    CREDIT = "Credit"
    INDICES = "Indices"
    CRYPTO = "Crypto"
    VOLATILITIES = "Volatilities"
    """Implied volatilities of single names; the volatility index is one of the indices."""
    FUNDING = "Funding"
    """Funding rates of crypto exchanges."""


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
class GreeksView:
    """P&L in USD of a move of one per cent, one point or one day; see :mod:`bank_python.risk.greeks` for each.

    `delta` is that of spots up by 1 %, `vega` of volatilities up by one point, `theta` of a day gone by.
    """

    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float
    dividend: float
    credit: float
    fx: float
    vanna: float
    volga: float
    charm: float


@dataclass(frozen=True, slots=True)
class FirmView:
    """The firm: all traders together.

    Parameters
    ----------
    value, pnl : float or None
        Of all books, in USD.
    change : float or None
        Of the P&L since the view before.
    trail : tuple of float
        The P&L view by view, the last one last.
    positions, waiting : int
        Open positions, and holdings that wait for a quote.
    greeks : GreeksView or None
        ``None`` where an exchange rate that they need has no quote.
    """

    value: float | None
    pnl: float | None
    change: float | None
    trail: tuple[float, ...]
    positions: int
    waiting: int
    greeks: GreeksView | None = None


@dataclass(frozen=True, slots=True)
class TraderView:
    """One trader.

    Parameters
    ----------
    name, strategy, focus : str
        Who, how, and on what.
    positions, waiting : int
        Open positions, and holdings that wait for a quote.
    value, pnl : float or None
        Of the book, in USD.
    change : float or None
        Of the P&L since the view before.
    trail : tuple of float
        The P&L view by view, the last one last.
    greeks : GreeksView or None
        ``None`` where an exchange rate that they need has no quote.
    var_99 : float or None
        The simulated one-day value at risk at 99 %, a loss in USD; ``None`` before it is measured.
    waits_for : tuple of str
        The symbols of the holdings that wait.
    stand_ins : mapping of str to str
        Shares that the market does not quote, each with the one in its place ("" for none).
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
    greeks: GreeksView | None
    var_99: float | None
    waits_for: tuple[str, ...]
    stand_ins: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PositionView:
    """One open position.

    Parameters
    ----------
    trader, instrument, kind : str
        Who holds it, the contract's name and its class.
    quantity, multiplier : float
        Units held (negative is short), and units of the contract in each.
    currency : str
        The contract's; value and P&L are in USD all the same.
    value, pnl : float or None
        In USD.
    """

    trader: str
    instrument: str
    kind: str
    quantity: float
    multiplier: float
    currency: str
    value: float | None
    pnl: float | None


@dataclass(frozen=True, slots=True)
class QuoteView:
    """One quoted symbol.

    Parameters
    ----------
    symbol, kind : str
        The house's name, and what it is (a :class:`~bank_python.market_data.SymbolKind`'s value).
    group : QuoteGroup
        Which market it belongs to.
    unit : Unit
        What price and change are shown in.
    price : float or None
        In the unit that the market quotes: 0.043 is a rate of 4.3 %.
    change : float or None
        Since the desk was opened: relative for prices, else absolute.
    state, reason : str
        Fresh, stale or unquoted, and why it is not fresh.
    source : str
        The feed that quotes it.
    simulated : bool
        Whether that is the simulated market in the place of one that does not carry it.
    time : datetime or None
        When the price was made, UTC, as far as its source says.
    """

    symbol: str
    kind: str
    group: QuoteGroup
    unit: Unit
    price: float | None
    change: float | None
    state: str
    reason: str
    source: str
    simulated: bool
    time: datetime | None


@dataclass(frozen=True, slots=True)
class SourceView:
    """Who quotes symbols of one kind, how many there are, and how many of them are fresh, stale or unquoted."""

    kind: str
    source: str
    quoted: int
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RiskView:
    """The firm's simulated one-day risk, in USD.

    Parameters
    ----------
    var_95, var_99, cvar_95, cvar_99 : float
        Losses, positive.
    error : float
        Standard error of `var_99`.
    scenarios : int
        Number of scenarios.
    as_of_tick : int
        The oldest tick that is in them.
    proxy_error : float or None
        How far P&L is off full revaluation; ``None`` if it is that.
    """

    var_95: float
    var_99: float
    cvar_95: float
    cvar_99: float
    error: float
    scenarios: int
    as_of_tick: int
    proxy_error: float | None = None


@dataclass(frozen=True, slots=True)
class LimitView:
    """Where a measure stands against its limit: `used` is a part of `maximum`, `severity` empty where all is well."""

    scope: str
    name: str
    value: float
    maximum: float
    used: float
    severity: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """An open alert.

    Parameters
    ----------
    id, severity, state : str
        Which, how urgent, and whether somebody has taken note.
    rule, scope : str
        What raised it, and about whom.
    message : str
        What is the matter, in words.
    value, limit : float
        The measure and its limit; NaN where there is none.
    contributor : str
        Who or what contributes most; empty if that is not known.
    opened, updated : datetime
        UTC.
    """

    id: str
    severity: str
    state: str
    rule: str
    scope: str
    message: str
    value: float
    limit: float
    contributor: str
    opened: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class RecalculationView:
    """What was recomputed for the view.

    Parameters
    ----------
    evaluated, changed, failed : int
        Nodes.
    seconds : float
        Wall-clock time taken.
    by_class : mapping of str to int
        Evaluations by class of node, the most first.
    """

    evaluated: int
    changed: int
    failed: int
    seconds: float
    by_class: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QuoteTrouble:
    """Why a quote is not fresh, and for how many seconds it has not been renewed (``None``: not since the start)."""

    state: str
    age: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class TroubleView:
    """One reason why quotes are not fresh: the symbols it concerns, and the greatest of their ages in seconds."""

    state: str
    symbols: tuple[str, ...]
    age: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class JobView:
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
class Status:
    """Quotes, graph and jobs at one moment.

    Parameters
    ----------
    now : datetime
        The moment, UTC.
    fresh, stale, unquoted : int
        Quotes by state.
    troubles : mapping of str to QuoteTrouble
        By symbol, every quote that is not fresh.
    reasons : tuple of TroubleView
        The same by reason, in the order of the listings.
    asking : float or None
        For how many seconds the market has been polled and has not answered.
    dirty, evaluations, ticks : int
        Of the graph: nodes waiting, evaluations and ticks in all.
    what_if : WhatIf or None
        The last one worked out.
    jobs : tuple of JobView
        In the order they were added.
    """

    now: datetime
    fresh: int
    stale: int
    unquoted: int
    troubles: Mapping[str, QuoteTrouble]
    reasons: tuple[TroubleView, ...]
    asking: float | None
    dirty: int
    evaluations: int
    ticks: int
    what_if: WhatIf | None
    jobs: tuple[JobView, ...]


@guessable
@dataclass(frozen=True, slots=True)
class DeskView:
    """The desk at one tick.

    Parameters
    ----------
    made : datetime
        When it was computed, UTC.
    tick : int
        The committed tick that its figures belong to.
    valuation_date : date
        What the desk's clock reads at that tick.
    feed : str
        The market's name.
    market_time : datetime or None
        When the newest quote of that market was made, UTC.
    firm : FirmView
        All traders together.
    traders : tuple of TraderView
        In the desk's order.
    positions : tuple of PositionView
        The best P&L first; those without one last.
    quotes : tuple of QuoteView
        Shares first, the one that has risen most first and those without a quote last; then the others in the order
        of the listings.
    sources : tuple of SourceView
        Who quotes what, in the order of the listings.
    risk : RiskView or None
        The simulated risk; ``None`` before there is any.
    limits : tuple of LimitView
        The most used first; empty before risk is measured.
    alerts : tuple of AlertView
        Those open when the limits were last checked, the most urgent first.
    trades : tuple of Trade
        The last ones on the blotter, the latest last; one that another thread is just booking may be in the positions
        already and here with the next view.
    nodes : int
        Nodes in the graph.
    recalculation : RecalculationView or None
        What was recomputed for this view; ``None`` where nobody said.
    status : Status
        Quotes, graph and jobs, when the view was made or later.
    """

    made: datetime
    tick: int
    valuation_date: date
    feed: str
    market_time: datetime | None
    firm: FirmView
    traders: tuple[TraderView, ...]
    positions: tuple[PositionView, ...]
    quotes: tuple[QuoteView, ...]
    sources: tuple[SourceView, ...]
    risk: RiskView | None
    limits: tuple[LimitView, ...]
    alerts: tuple[AlertView, ...]
    trades: tuple[Trade, ...]
    nodes: int
    recalculation: RecalculationView | None
    status: Status

    def to_dict(self) -> dict[str, Jsonable]:
        """Return the view as JSON has it: dates as ISO 8601 texts, numbers that are not finite as ``None``."""
        return cast("dict[str, Jsonable]", jsonable(self))

    def to_json(self, indent: int | None = None) -> str:
        """Return the view as strict JSON, on one line unless `indent` says otherwise."""
        return json.dumps(self.to_dict(), allow_nan=False, indent=indent, ensure_ascii=False)
