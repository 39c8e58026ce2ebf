"""The figures of a desk at one tick, as frozen values for display.

A :class:`DeskView` is computed once, from one committed tick of the graph, by :mod:`bank_python.desk.view_builder`.
The showcase, the terminal and ``--json`` display it and compute nothing themselves, so all of them show the same
figures, of the same tick. :class:`Status` is the part that does not belong to a tick (ages of quotes, jobs, counters of
the graph): a screen that is refreshed between two ticks reads it again, so if a feed does not respond, the screen shows
that its figures are getting older.

Amounts are in USD; an amount is ``None`` if an input has no quote. :meth:`DeskView.to_json` writes the view as strict
JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, cast

from bank_python.deprecation import warn_of
from bank_python.display import Record
from bank_python.guessing import guessable
from bank_python.jsonable import jsonable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from bank_python.desk.blotter import Trade
    from bank_python.jsonable import Jsonable

__all__ = [
    "AlertView",
    "BacktestView",
    "DeskView",
    "FirmView",
    "GreeksView",
    "JobView",
    "LimitView",
    "OrderView",
    "PositionView",
    "QuoteGroup",
    "QuoteTrouble",
    "QuoteView",
    "RecalculationView",
    "RiskView",
    "SourceView",
    "Status",
    "TailView",
    "TailsView",
    "TraderView",
    "TradingView",
    "TroubleView",
    "Unit",
    "WhatIf",
]


class QuoteGroup(Enum):
    """Asset class of a quote."""

    SHARES = "Shares"
    FUNDS = "Funds"
    FX = "FX"
    RATES = "Rates"
    CREDIT = "Credit"
    INDICES = "Indices"
    CRYPTO = "Crypto"
    VOLATILITIES = "Volatilities"
    """Implied volatilities of single names; the volatility index belongs to the indices."""
    FUNDING = "Funding"
    """Funding rates of crypto exchanges."""


class Unit(Enum):
    """Unit in which a quote and its change are displayed."""

    PRICE = "price"
    """Price in currency units, with a relative change."""
    PERCENT = "percent"
    """Rate in per cent, with a change in basis points."""
    BASIS_POINTS = "bp"
    """Spread in basis points, with a change in basis points."""
    POINTS = "points"
    """Index in points, with a change in points."""


@dataclass(frozen=True, slots=True)
class GreeksView:
    """Greeks as P&L in USD of a move of one per cent, one point or one day; see :mod:`bank_python.risk.greeks`.

    `delta` is the P&L of spots up by 1 %, `vega` of volatilities up by one point, `theta` of one day.
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
    """Figures of the firm, that is of all traders together.

    Parameters
    ----------
    value, pnl : float or None
        Value and P&L of all books, in USD.
    change : float or None
        Change of the P&L since the previous view, in USD.
    trail : tuple of float
        P&L at the last views, in USD, the latest last.
    positions, waiting : int
        Numbers of open positions and of holdings that wait for a quote.
    greeks : GreeksView or None
        Greeks of all books; ``None`` if a required exchange rate has no quote.
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
    """Figures of one trader.

    Parameters
    ----------
    name, strategy, focus : str
        Name of the trader, name of the strategy, and its description.
    positions, waiting : int
        Numbers of open positions and of holdings that wait for a quote.
    value, pnl : float or None
        Value and P&L of the book, in USD.
    change : float or None
        Change of the P&L since the previous view, in USD.
    trail : tuple of float
        P&L at the last views, in USD, the latest last.
    greeks : GreeksView or None
        Greeks of the book; ``None`` if a required exchange rate has no quote.
    var_99 : float or None
        Simulated one-day value at risk at 99 %, a loss in USD; ``None`` until it has been computed.
    waits_for : tuple of str
        Symbols of the holdings that wait for a quote.
    stand_ins : mapping of str to str
        Replacement of each share that the market does not quote ("" for none).
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
    """Figures of one open position.

    Parameters
    ----------
    trader, instrument, kind : str
        Name of the trader, name of the contract, and its class.
    quantity, multiplier : float
        Number of units (negative if short), and units of the contract per unit.
    currency : str
        Currency of the contract, an ISO 4217 code; value and P&L are in USD.
    value, pnl : float or None
        Value and P&L of the position, in USD.
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
    """The quote of one symbol.

    Parameters
    ----------
    symbol, kind : str
        Symbol on the desk, and its kind (a value of :class:`~bank_python.market_data.SymbolKind`).
    group : QuoteGroup
        Asset class of the symbol.
    unit : Unit
        Unit in which price and change are displayed.
    price : float or None
        Price in the symbol's unit; rates, spreads and volatilities are decimals (0.043 is 4.3 %).
    change : float or None
        Change since the desk was opened: relative for prices, else absolute.
    state, reason : str
        State of the quote (fresh, stale or unquoted), and the reason why it is not fresh.
    source : str
        Name of the symbol's feed.
    simulated : bool
        Whether the quote comes from the desk's simulated feed.
    time : datetime or None
        Time of the price, UTC; ``None`` if its source did not give one.
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
    """A feed that quotes symbols of one kind, with the number of symbols, also by state."""

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
        Value at risk and expected shortfall at 95 % and 99 %, positive for losses.
    error : float
        Standard error of `var_99`.
    scenarios : int
        Number of scenarios.
    as_of_tick : int
        Oldest tick whose quotes are in the figures; earlier than that of the view if inputs are throttled.
    proxy_error : float or None
        Root mean square error of the proxy's P&L against full revaluation; ``None`` without a proxy.
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
class GaugeView:
    """A macro gauge: its name, its figure and reading in words, and its state (calm, watch or stress)."""

    name: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class ComponentView:
    """A component of the risk score: score in [0, 10], weight, contribution, and the data behind it in words.

    `better_below` is the score below which it would have to fall, all else equal, for a better grade; ``None`` if even
    0 would not be enough, or if there is no better grade.
    """

    name: str
    score: float
    weight: float
    contribution: float
    better_below: float | None
    readings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConditionsView:
    """Market conditions and the risk score of the desk.

    Parameters
    ----------
    index : str
        Symbol that stands for the market.
    vol : float
        Forecast volatility of the next day, per year.
    vol_model : str
        Model of the forecast.
    implied_vol : float or None
        Implied volatility of the market, per year; ``None`` if it is not quoted.
    regime : str
        The most probable regime now: calm or turbulent; ``"no two regimes"`` if the past does not tell two apart.
    turbulence : float
        Probability of the turbulent regime, in [0, 1].
    regime_days : float
        Expected number of days that the present regime lasts in all.
    gauges : tuple of GaugeView
        Macro gauges that the quotes give.
    score : float
        Risk score in [0, 10].
    grade : str
        Grade of the score, from AAA to CCC.
    components : tuple of ComponentView
        Components of the score.
    missing : tuple of str
        Components without data.
    better_grade : str
        The next better grade; empty for the best.
    joint_fall : float or None
        Fall of all components that would lift the grade; ``None`` for the best grade.
    trail : tuple of float
        Scores at the last views, the latest last.
    simulated : bool
        Whether any of the quotes behind the gauges is simulated.
    """

    index: str
    vol: float
    vol_model: str
    implied_vol: float | None
    regime: str
    turbulence: float
    regime_days: float
    gauges: tuple[GaugeView, ...]
    score: float
    grade: str
    components: tuple[ComponentView, ...]
    missing: tuple[str, ...]
    better_grade: str
    joint_fall: float | None
    trail: tuple[float, ...]
    simulated: bool


@dataclass(frozen=True, slots=True)
class TailView:
    """Tails and fragility of one trader's book, or of the firm's.

    Parameters
    ----------
    name : str
        Name of the trader, or ``"firm"``.
    days : int
        Number of past days on which the present book was revalued; 0 if it could not be.
    left, left_error, right, right_error : float or None
        Tail indices of losses and of gains with their standard errors; ``None`` with a reason.
    may_be_thin : bool
        Whether the tail of losses may be lighter than any power law, so that `left` has no meaning.
    mad_sd : float or None
        Mean absolute deviation of the daily P&L over its standard deviation; √(2/π) ≈ 0.798 for a normal distribution.
    max_to_sum : float or None
        Share of the largest square in the sum of squares of the daily P&L, in (0, 1].
    heuristic : float or None
        Mean P&L of the shocks up and down, in USD: what the uncertainty costs (below 0) or brings.
    heuristic_days : float or None
        `heuristic` in standard deviations of the daily P&L.
    verdict : str
        Fragile, robust or antifragile; empty if it is not known.
    reason : str
        Reason why a figure is missing; empty if none is.
    """

    name: str
    days: int
    left: float | None
    left_error: float | None
    right: float | None
    right_error: float | None
    may_be_thin: bool
    mad_sd: float | None
    max_to_sum: float | None
    heuristic: float | None
    heuristic_days: float | None
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class TailsView:
    """Tails and fragility of all traders.

    Parameters
    ----------
    traders : tuple of TailView
        Each trader with positions, in the order of the desk.
    firm : TailView
        All books together.
    source : str
        Series from which the tail indices are estimated, in words.
    shocks : str
        Shocks on which the verdicts are based, in words.
    pace : str
        Pace at which the figures are renewed, in words.
    as_of_tick : int
        Oldest tick whose quotes are in the figures.
    simulated : bool
        Whether any of the histories is simulated.
    """

    traders: tuple[TailView, ...]
    firm: TailView
    source: str
    shocks: str
    pace: str
    as_of_tick: int
    simulated: bool


@dataclass(frozen=True, slots=True)
class LimitView:
    """A measure and its limit: `used` is the fraction of `maximum`, `severity` is empty unless there is an alert."""

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
        Identifier, severity, and state (open or acknowledged).
    rule, scope : str
        Name of the limit, and the trader or ``"firm"``.
    message : str
        Text of the alert.
    value, limit : float
        Value of the measure and its limit; NaN if there is none.
    contributor : str
        Largest contributor to the measure; empty if it is not known.
    opened, updated : datetime
        Times at which the alert was opened and last updated, UTC.
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
    """The recalculation before the view.

    Parameters
    ----------
    evaluated, changed, failed : int
        Numbers of nodes that were evaluated, that changed, and that failed.
    seconds : float
        Wall-clock time in seconds.
    by_class : mapping of str to int
        Number of evaluations by class of node, the largest first.
    """

    evaluated: int
    changed: int
    failed: int
    seconds: float
    by_class: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class QuoteTrouble:
    """The reason why a quote is not fresh, and its age in seconds (``None`` if there has been none since the start)."""

    state: str
    age: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class TroubleView:
    """A reason why quotes are not fresh, the symbols concerned, and the largest of their ages in seconds."""

    state: str
    symbols: tuple[str, ...]
    age: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class JobView:
    """The status of a background job.

    Parameters
    ----------
    name, schedule, state : str
        Name, schedule, and state: running, waiting, or the outcome of the last run.
    busy : float or None
        Duration of the current run so far, in seconds; ``None`` if the job is not running.
    ago, took : float or None
        Time since the end of the last run, and its duration, in seconds.
    due : float or None
        Time until the next run, in seconds; negative if it is late.
    runs, failures : int
        Numbers of runs and of failures, including those before a restart.
    note : str
        Job that it waits for, or error of the last run; otherwise empty.
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
    """A what-if: its name, the change of the firm's P&L in USD, and the computation time in seconds."""

    name: str
    pnl: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Status:
    """Status of quotes, graph and jobs at one moment.

    Parameters
    ----------
    now : datetime
        Time of the status, UTC.
    fresh, stale, unquoted : int
        Numbers of quotes by state.
    troubles : mapping of str to QuoteTrouble
        Quotes that are not fresh, by symbol.
    reasons : tuple of TroubleView
        Quotes that are not fresh, grouped by reason, in the order of the listings.
    polling : float or None
        Seconds since the start of a poll that has not returned yet; ``None`` if there is none.
    dirty, evaluations, ticks : int
        Counters of the graph: dirty nodes, evaluations so far, and ticks so far.
    what_if : WhatIf or None
        Result of the last what-if.
    jobs : tuple of JobView
        Background jobs, in the order in which they were added.
    """

    now: datetime
    fresh: int
    stale: int
    unquoted: int
    troubles: Mapping[str, QuoteTrouble]
    reasons: tuple[TroubleView, ...]
    polling: float | None
    dirty: int
    evaluations: int
    ticks: int
    what_if: WhatIf | None
    jobs: tuple[JobView, ...]

    @property
    def asking(self) -> float | None:
        """The former name of :attr:`polling`."""
        warn_of("Status.asking", "Status.polling")
        return self.polling


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order.

    Parameters
    ----------
    order_id, trader, strategy, instrument : str
        Names of order, trader, strategy and contract; the strategy is empty for an order by hand.
    side, order_type, status : str
        Words of the order.
    quantity, filled : float
        Units ordered and units filled.
    price : float or None
        Mean price of the fills, without fees; ``None`` before the first.
    fees : float
        Fees so far, in the contract's currency.
    submitted : datetime
        Time of submission, UTC.
    why : str
        Reason of the rejection, or else of the order.
    """

    order_id: str
    trader: str
    strategy: str
    instrument: str
    side: str
    order_type: str
    status: str
    quantity: float
    filled: float
    price: float | None
    fees: float
    submitted: datetime
    why: str


@dataclass(frozen=True, slots=True)
class TradingView:
    """Orders and their trail.

    Parameters
    ----------
    orders, filled, working, rejected : int
        Numbers of all orders, of filled ones, of those that work, and of rejected ones.
    events : int
        Number of events in the audit trail.
    last : tuple of OrderView
        Last orders, the latest last.
    killed : str
        Reason why trading was stopped; empty if it was not.
    """

    orders: int
    filled: int
    working: int
    rejected: int
    events: int
    last: tuple[OrderView, ...]
    killed: str


@dataclass(frozen=True, slots=True)
class BacktestView:
    """The last stored back-test of a strategy.

    Parameters
    ----------
    strategy : str
        Name of the strategy.
    total_return, sharpe, max_drawdown : float or None
        Return, Sharpe ratio a year, and largest fall, at most 0; ``None`` where the run has no such figure.
    until, saved : datetime or None
        Time of the last bar, and time at which the result was stored, UTC.
    is_simulated : bool
        Whether prices were simulated, all or some.
    problem : str
        Reason why the result cannot be read, without figures; empty if it can.
    """

    strategy: str
    total_return: float | None
    sharpe: float | None
    max_drawdown: float | None
    until: datetime | None
    saved: datetime | None
    is_simulated: bool
    problem: str


@guessable
@dataclass(frozen=True, slots=True)
class DeskView(Record):
    """The figures of a desk at one tick.

    Parameters
    ----------
    made : datetime
        Time at which the view was computed, UTC.
    tick : int
        Number of the committed tick of all figures.
    valuation_date : date
        Valuation date of the desk at that tick.
    feed : str
        Name of the market's feed.
    market_time : datetime or None
        Time of the latest quote of that feed, UTC.
    firm : FirmView
        Figures of all traders together.
    traders : tuple of TraderView
        Figures of each trader, in the order of the desk.
    positions : tuple of PositionView
        Open positions, by descending P&L; those without a P&L last.
    quotes : tuple of QuoteView
        Quotes: shares first, by descending change and with unquoted ones last, then the others in the order of the
        listings.
    sources : tuple of SourceView
        Feeds with the kinds of symbols that they quote, in the order of the listings.
    risk : RiskView or None
        Simulated risk of the firm; ``None`` until it has been computed.
    conditions : ConditionsView or None
        Market conditions and risk score; ``None`` until they have been computed.
    tails : TailsView or None
        Tail index and fragility of each trader; ``None`` until they have been computed.
    limits : tuple of LimitView
        Measures and their limits, the most used first; empty until risk has been computed.
    alerts : tuple of AlertView
        Open alerts at the last check of the limits, the most severe first.
    trades : tuple of Trade
        Last trades of the blotter, the latest last. A trade that another thread is booking may be in the positions
        already, and here only in the next view.
    trading : TradingView or None
        Orders and signals; ``None`` if the desk's orders are not followed.
    backtests : tuple of BacktestView
        Last back-test of each strategy in the desk's store, the one stored last first.
    nodes : int
        Number of nodes in the graph.
    recalculation : RecalculationView or None
        Recalculation before this view; ``None`` if it was not given.
    status : Status
        Status of quotes, graph and jobs, at the time of the view or later.
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
    conditions: ConditionsView | None
    tails: TailsView | None
    limits: tuple[LimitView, ...]
    alerts: tuple[AlertView, ...]
    trades: tuple[Trade, ...]
    trading: TradingView | None
    backtests: tuple[BacktestView, ...]
    nodes: int
    recalculation: RecalculationView | None
    status: Status

    def to_dict(self) -> dict[str, Jsonable]:
        """Return the view in the types of JSON: dates as ISO 8601 texts, numbers that are not finite as ``None``."""
        return cast("dict[str, Jsonable]", jsonable(self))

    def to_json(self, indent: int | None = None) -> str:
        """Return the view as strict JSON, on one line unless `indent` is given."""
        return json.dumps(self.to_dict(), allow_nan=False, indent=indent, ensure_ascii=False)
