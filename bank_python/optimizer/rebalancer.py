r"""Rebalancing of a portfolio to its targets: when to trade, and which whole lots.

Prices move weights away from their targets. Daily trading back would cost more than it gains, so each asset has a
*band* around its target, and nothing is traded while all weights are inside. Once a weight is outside, trades go to the
targets, or only to the nearest edge of the band, which is optimal for costs proportional to the traded value (Davis and
Norman 1990).

A plan has two steps. First the *goals*, for shares of any fraction: each asset moves into its band (or to its target),
costs are paid out of the wealth, and if cash is short, the assets furthest above their targets are reduced first. Then
the rounding to whole lots: sales are rounded to the nearest lot, and up if cash is short; purchases are rounded down,
and remaining cash buys lots in the order of the largest shortfall, as long as they bring the asset nearer to its goal.
Cash is never borrowed. An asset with a goal of 0 is sold completely, including odd lots.

Weights are shares of the wealth, including cash. Cash itself has no band: a portfolio of many small targets is within a
band of 5 % even if it holds only cash; for such portfolios use ``relative=True``.

Examples
--------
>>> rebalancer = Rebalancer({"SPY": 0.6, "BND": 0.4}, band=0.05, cost_rate=0.001)
>>> plan = rebalancer.plan({"SPY": 70, "BND": 400}, {"SPY": 500.0, "BND": 50.0}, cash=125.0)
>>> plan.due, [(trade.ticker, trade.shares, trade.value) for trade in plan.trades]
(False, [])
>>> plan = rebalancer.plan({"SPY": 70, "BND": 300}, {"SPY": 500.0, "BND": 50.0}, cash=125.0)
>>> plan.due, [(trade.ticker, trade.shares, trade.value) for trade in plan.trades]
(True, [('SPY', -10.0, -5000.0), ('BND', 101.0, 5050.0)])
>>> round(plan.cash_left, 2), round(plan.cost, 2)
(64.95, 10.05)

References
----------
M. H. A. Davis and A. R. Norman, "Portfolio selection with transaction costs", Mathematics of Operations Research 15
(1990), 676-713.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.barbara import storable
from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.optimizer.barbell import SAFE
from bank_python.optimizer.covariance_data import CASH
from bank_python.optimizer.portfolio import OptimalPortfolio
from bank_python.results import Tabular
from bank_python.wording import words_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["AssetDrift", "RebalancePlan", "RebalanceTo", "Rebalancer", "Trade"]

_CASH_TICKERS = frozenset({CASH, SAFE})
_PART_OF_A_LOT = 1e-9  # tolerance within which a number of lots counts as whole
_MOST_ROUNDS = 200  # iterations of goals and costs, which depend on each other


class RebalanceTo(enum.Enum):
    """Destination of trades: the targets, or the nearest edges of the bands."""

    TARGET = "target"
    BAND = "band"

    @classmethod
    def parse(cls, to: RebalanceTo | str) -> RebalanceTo:
        """Return the destination with the given name.

        Raises
        ------
        ModelError
            If there is none; the message lists the destinations.
        """
        try:
            return cls(to)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise ModelError(f"no rebalancing to {to!r}; there are {known}", value=to) from None


@storable("optimizer.Trade", version=1)
@dataclass(frozen=True, slots=True)
class Trade(Record):
    """A purchase or a sale.

    Parameters
    ----------
    ticker : str
        Ticker of the asset.
    shares : float
        Number of shares, positive for a purchase, negative for a sale.
    price : float
        Price per share, in currency units.
    value : float
        Shares times price, in currency units, with the sign of the shares.
    cost : float
        Trading cost in currency units, at least 0.
    """

    ticker: str
    shares: float
    price: float
    value: float
    cost: float


@storable("optimizer.AssetDrift", version=1)
@dataclass(frozen=True, slots=True)
class AssetDrift(Record):
    """Distance of an asset's weight from its target, before and after the trades.

    Parameters
    ----------
    ticker : str
        Ticker of the asset.
    target : float
        Target weight, as a share of the wealth; 0 for an asset to be sold.
    band : float
        Largest distance of the weight from the target without a trade; 0 for an asset without a target.
    before, after : float
        Weight less target before and after the trades.
    """

    ticker: str
    target: float
    band: float
    before: float
    after: float

    @property
    def left_band(self) -> bool:
        """Whether the weight was outside its band before the trades."""
        return abs(self.before) > self.band + LAST_DIGITS


@storable("optimizer.RebalancePlan", version=1)
@dataclass(frozen=True, slots=True, repr=False)
class RebalancePlan(Tabular):
    """Trades that rebalance a portfolio; result of :meth:`Rebalancer.plan`.

    Parameters
    ----------
    trades : tuple of Trade
        Sales, then purchases, each in descending order of size; in this order cash never becomes negative.
    drifts : tuple of AssetDrift
        Drifts of all assets with a target or a holding.
    wealth : float
        Value of holdings and cash before the trades, in currency units.
    cash_left : float
        Cash after trades and costs, in currency units, at least 0.
    cost : float
        Cost of all trades, in currency units.
    """

    trades: tuple[Trade, ...]
    drifts: tuple[AssetDrift, ...]
    wealth: float
    cash_left: float
    cost: float

    @property
    def due(self) -> bool:
        """Whether the weight of an asset is outside its band."""
        return bool(self.outside)

    @property
    def outside(self) -> tuple[str, ...]:
        """Tickers of the assets whose weights are outside their bands."""
        return tuple(drift.ticker for drift in self.drifts if drift.left_band)

    @property
    def turnover(self) -> float:
        """Value of purchases and sales as a share of the wealth."""
        return math.fsum(abs(trade.value) for trade in self.trades) / self.wealth

    @property
    def drift_before(self) -> dict[str, float]:
        """Weight less target before the trades, by ticker."""
        return {drift.ticker: drift.before for drift in self.drifts}

    @property
    def drift_after(self) -> dict[str, float]:
        """Weight less target after the trades, by ticker."""
        return {drift.ticker: drift.after for drift in self.drifts}

    def to_table(self) -> Table:
        """Return a table with a row for each asset: target, band, drifts, and the trade (0 if there is none)."""
        from bank_python.mntable import Table

        traded = {trade.ticker: trade for trade in self.trades}
        rows = []
        for drift in self.drifts:
            trade = traded.get(drift.ticker)
            rows.append(
                {
                    "ticker": drift.ticker,
                    "target": drift.target,
                    "band": drift.band,
                    "drift_before": drift.before,
                    "drift_after": drift.after,
                    "shares": trade.shares if trade else 0.0,
                    "value": trade.value if trade else 0.0,
                    "cost": trade.cost if trade else 0.0,
                }
            )
        schema = [("ticker", str), *((name, float) for name in list(rows[0])[1:])]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_portfolio import rebalance_view

        return rebalance_view(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Book:
    """Targets, holdings and prices as arrays of shape (n_assets,)."""

    tickers: tuple[str, ...]
    targets: FloatArray
    bands: FloatArray
    shares: FloatArray
    prices: FloatArray
    lots: FloatArray
    cash: float
    cost_rate: float

    @property
    def values(self) -> FloatArray:
        return np.asarray(self.shares * self.prices)

    @property
    def wealth(self) -> float:
        return math.fsum((self.cash, *self.values.tolist()))

    @property
    def size(self) -> float:
        """Scale of rounding errors: the sum of all absolute amounts."""
        return self.cash + float(np.abs(self.values).sum()) + self.wealth * float(np.abs(self.targets).sum())

    def cash_after(self, changes: FloatArray) -> float:
        """Return the cash after changes in shares and their costs."""
        traded = changes * self.prices
        return math.fsum((self.cash, *(-traded).tolist(), *(-self.cost_rate * np.abs(traded)).tolist()))


_WORDS = dict.fromkeys(("rebalance", "trades", "run", "orders", "compute"), ".plan(...), whose .trades are the orders")


@guessable
@dataclass(frozen=True, slots=True, eq=False, init=False)
class Rebalancer(Record):
    """Target weights and rules of a portfolio's rebalancing.

    Parameters
    ----------
    targets : OptimalPortfolio or mapping of str to float
        Target weights as shares of the wealth, negative for a short position; the rest up to 1 is cash, and so are the
        tickers ``CASH`` and ``SAFE``.
    band : float, default 0.05
        Largest distance of a weight from its target without a trade; at least 0.
    relative : bool, default False
        Whether `band` is relative to the absolute target instead of the wealth.
    to : RebalanceTo or str, default "target"
        Destination of trades. With ``band``, assets inside their bands are not traded unless cash is short, and surplus
        proceeds of sales remain in cash.
    cost_rate : float, default 0
        Trading cost as a share of the traded value, in [0, 1).
    min_trade : float, default 0
        Smallest value of a trade, in currency units; smaller trades are omitted even if a weight is outside its band.
    lot : float or mapping of str to float, default 1
        Number of shares per lot, such as 1, 100 or 0.001; 0 for any fraction. Tickers not listed have 1.

    Raises
    ------
    ModelError
        If there are no targets, they add up to more than 1, or a parameter is out of range.
    """

    targets: Mapping[str, float]
    band: float
    relative: bool
    to: RebalanceTo
    cost_rate: float
    min_trade: float
    lot: float | Mapping[str, float]

    def __init__(
        self,
        targets: OptimalPortfolio | Mapping[str, float],
        *,
        band: float = 0.05,
        relative: bool = False,
        to: RebalanceTo | str = RebalanceTo.TARGET,
        cost_rate: float = 0.0,
        min_trade: float = 0.0,
        lot: float | Mapping[str, float] = 1.0,
    ) -> None:
        weights = {ticker: weight for ticker, weight in _targets(targets).items() if ticker not in _CASH_TICKERS}
        for name, given, most in (
            ("band", band, math.inf),
            ("cost_rate", cost_rate, 1.0),
            ("min_trade", min_trade, math.inf),
        ):
            if not 0.0 <= given < most:
                raise ModelError(
                    f"{name}={given!r} lies outside [0, {most:g}); give a value in this range", value=given, name=name
                )
        for ticker, size in lot.items() if isinstance(lot, Mapping) else [("every asset", lot)]:
            if not 0.0 <= size < math.inf:
                raise ModelError(
                    f"a lot of {size!r} shares for {ticker}; give a number of shares, or 0 for any fraction", value=size
                )
        object.__setattr__(self, "targets", weights)
        object.__setattr__(self, "band", band)
        object.__setattr__(self, "relative", relative)
        object.__setattr__(self, "to", RebalanceTo.parse(to))
        object.__setattr__(self, "cost_rate", cost_rate)
        object.__setattr__(self, "min_trade", min_trade)
        object.__setattr__(self, "lot", dict(lot) if isinstance(lot, Mapping) else lot)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    def plan(self, holdings: Mapping[str, float], prices: Mapping[str, float], cash: float = 0.0) -> RebalancePlan:
        """Return the trades to the targets; none while every weight is inside its band.

        Parameters
        ----------
        holdings : mapping of str to float
            Number of shares by ticker, negative for a short position. Assets without a target are sold.
        prices : mapping of str to float
            Price per share by ticker, in currency units, above 0; for all targets and holdings.
        cash : float, default 0
            Cash in currency units, at least 0.

        Raises
        ------
        ModelError
            If a price is missing or not above 0, a holding is not finite, cash is negative, there is no wealth, or
            costs would exceed it.
        """
        book = self._book(holdings, prices, cash)
        plan = _plan(book, np.zeros(len(book.tickers)))
        return _plan(book, self._changes(book)) if plan.due else plan

    def _book(self, holdings: Mapping[str, float], prices: Mapping[str, float], cash: float) -> _Book:
        if not 0.0 <= cash < math.inf:
            raise ModelError(f"cash={cash!r}; give a finite amount of at least 0", value=cash)
        for ticker, shares in holdings.items():
            if not math.isfinite(shares):
                raise ModelError(
                    f"the holding of {ticker} is {shares!r} shares; give a finite number", value=shares, name=ticker
                )
        untargeted = [ticker for ticker, shares in holdings.items() if shares != 0.0 and ticker not in self.targets]
        tickers = (*self.targets, *untargeted)
        for ticker in tickers:
            if not 0.0 < prices.get(ticker, math.nan) < math.inf:
                fault = f"the price of {ticker} is {prices[ticker]!r}" if ticker in prices else f"{ticker} has no price"
                raise ModelError(f"{fault}; give one above 0", name=ticker)
        targets = np.array([self.targets.get(ticker, 0.0) for ticker in tickers])
        bands = self.band * np.abs(targets) if self.relative else np.full(len(tickers), self.band)
        bands[len(self.targets) :] = 0.0
        book = _Book(
            tickers=tickers,
            targets=targets,
            bands=bands,
            shares=np.array([float(holdings.get(ticker, 0.0)) for ticker in tickers]),
            prices=np.array([float(prices[ticker]) for ticker in tickers]),
            lots=np.array([self._lot_of(ticker) for ticker in tickers]),
            cash=cash,
            cost_rate=self.cost_rate,
        )
        if not book.wealth > 0.0:
            raise ModelError(
                f"holdings and cash are worth {book.wealth:g}; weights are defined only for a wealth above 0",
                value=book.wealth,
            )
        return book

    def _lot_of(self, ticker: str) -> float:
        return float(self.lot.get(ticker, 1.0) if isinstance(self.lot, Mapping) else self.lot)

    def _changes(self, book: _Book) -> FloatArray:
        """Return the changes in shares; trades below the minimum are dropped, and the others recomputed."""
        widths = book.bands if self.to is RebalanceTo.BAND else np.zeros(len(book.tickers))
        fixed = np.zeros(len(book.tickers), dtype=bool)
        while True:
            goals, desired = _goals(book, widths, fixed)
            changes = _in_lots(book, goals, desired)
            small = (changes != 0.0) & (np.abs(changes * book.prices) < self.min_trade)
            if not small.any():
                return changes
            fixed |= small


def _targets(given: OptimalPortfolio | Mapping[str, float]) -> dict[str, float]:
    weights = dict(given.by_ticker() if isinstance(given, OptimalPortfolio) else given)
    if not weights:
        raise ModelError("there are no targets; give a target weight for at least one ticker")
    for ticker, weight in weights.items():
        if not math.isfinite(weight):
            raise ModelError(f"the target of {ticker} is {weight!r}; correct it", value=weight, name=ticker)
    total = math.fsum(weights.values())
    if total > 1.0 + _PART_OF_A_LOT:
        raise ModelError(
            f"the targets add up to {total:.6g}; give a sum of at most 1, as cash is never borrowed", value=total
        )
    return weights


def _goals(book: _Book, widths: FloatArray, fixed: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Return the goals, the value to hold in each asset ignoring lots; and the desired values without the cash limit.

    Weights are shares of the wealth after costs, and costs depend on the goals. The fixed-point iteration contracts by
    the cost rate times the sum of the absolute targets, so it converges in a few rounds.
    """
    values, wealth = book.values, book.wealth
    low, high = book.targets - widths, book.targets + widths
    after = wealth
    for _ in range(_MOST_ROUNDS):
        weights = values / after
        top = np.where(fixed, weights, np.clip(weights, low, high))
        bottom = np.where(fixed, weights, np.minimum(low, weights))
        goals = after * _capped(book.targets, bottom, top)
        left = wealth - book.cost_rate * float(np.abs(goals - values).sum())
        if left <= 0.0:
            break
        if abs(left - after) <= 0.1 * LAST_DIGITS * book.size:
            return np.where(np.abs(goals - values) <= LAST_DIGITS * book.size, values, goals), after * top
        after = left
    raise ModelError(
        f"at cost_rate={book.cost_rate:g} trading to the targets would cost the whole wealth of {wealth:g}; give "
        "smaller targets",
        value=book.cost_rate,
    )


def _capped(targets: FloatArray, bottom: FloatArray, top: FloatArray) -> FloatArray:
    """Return the top weights, with drifts capped at the level at which the sum is 1 if it would be larger."""
    if top.sum() <= 1.0:
        return top
    levels = np.unique(np.concatenate((bottom - targets, top - targets)))
    sums = np.clip(targets + levels[:, None], bottom, top).sum(axis=1)
    return np.asarray(np.clip(targets + np.interp(1.0, sums, levels), bottom, top))


def _in_lots(book: _Book, goals: FloatArray, desired: FloatArray) -> FloatArray:
    """Return the changes in shares, in whole lots, that come nearest to the goals with the available cash."""
    wanted = (goals - book.values) / book.prices
    whole = np.where(book.lots > 0.0, book.lots, 1.0)
    sold = np.maximum(np.rint(wanted / whole) * whole, _largest_sale(book, goals))
    bought = np.floor(wanted / whole + _PART_OF_A_LOT) * whole
    changes = np.where(book.lots == 0.0, wanted, np.where(wanted < 0.0, sold, bought))
    closed = (goals == 0.0) & ((book.shares > 0.0) | (book.lots == 0.0))
    changes = np.where(closed, -book.shares, changes)
    _sell_more(book, goals, wanted, changes)
    _buy_less(book, goals, changes)
    _buy_more(book, desired, changes)
    return changes


def _largest_sale(book: _Book, goals: FloatArray) -> FloatArray:
    """Return the largest sale of each asset, such that rounding does not turn a long position into a short one."""
    return np.where((book.shares >= 0.0) & (goals >= 0.0), -book.shares, -np.inf)


def _sell_more(book: _Book, goals: FloatArray, wanted: FloatArray, changes: FloatArray) -> None:
    """Round sales up, the most underrounded first, until cash suffices, which it does if all are rounded up."""
    undersold = np.where(wanted < 0.0, (changes - wanted) * book.prices, 0.0)
    largest = _largest_sale(book, goals)
    for i in np.argsort(-undersold, kind="stable"):
        if undersold[i] <= 0.0 or book.cash_after(changes) >= -LAST_DIGITS * book.size:
            return
        changes[i] = max(changes[i] - book.lots[i], largest[i])


def _buy_less(book: _Book, goals: FloatArray, changes: FloatArray) -> None:
    """Reduce purchases that exceed the cash by rounding errors: a fractional position, or the least needed lot."""
    while (left := book.cash_after(changes)) < 0.0:
        bought = changes > 0.0
        fractional = np.flatnonzero(bought & (book.lots == 0.0))
        if len(fractional):
            i = fractional[(changes * book.prices)[fractional].argmax()]
            changes[i] = max(changes[i] * (1.0 - LAST_DIGITS) + 2.0 * left / book.prices[i], 0.0)
        else:
            over = np.where(bought, book.values + changes * book.prices - goals, -np.inf)
            i = int(over.argmax())
            changes[i] = max(changes[i] - book.lots[i], 0.0)


def _buy_more(book: _Book, desired: FloatArray, changes: FloatArray) -> None:
    """Spend remaining cash on lots that bring an asset nearer to its desired value, the largest shortfall first."""
    short = desired - book.values - changes * book.prices
    lots = book.lots * book.prices
    for i in np.argsort(-short, kind="stable"):
        # One more lot is an improvement only if more than half a lot is missing; exactly half is a tie.
        if lots[i] > 0.0 and short[i] > lots[i] * (0.5 + _PART_OF_A_LOT):
            useful = math.ceil(short[i] / lots[i] - 0.5 - _PART_OF_A_LOT)
            paid = math.floor(book.cash_after(changes) / (lots[i] * (1.0 + book.cost_rate)) + _PART_OF_A_LOT)
            more = changes.copy()
            more[i] += min(useful, paid) * book.lots[i]
            # By rounding of the quotient the last lot may exceed the cash.
            changes[i] = more[i] if book.cash_after(more) >= 0.0 else max(changes[i], more[i] - book.lots[i])


def _plan(book: _Book, changes: FloatArray) -> RebalancePlan:
    traded = changes * book.prices
    left = book.cash_after(changes)
    before = book.values / book.wealth - book.targets
    moved = replace(book, shares=book.shares + changes, cash=left)
    after = moved.values / moved.wealth - book.targets
    trades = [
        Trade(
            book.tickers[i],
            float(changes[i]),
            float(book.prices[i]),
            float(traded[i]),
            book.cost_rate * abs(float(traded[i])),
        )
        for i in np.flatnonzero(changes)
    ]
    columns = (side.tolist() for side in (book.targets, book.bands, before, after))
    return RebalancePlan(
        trades=tuple(sorted(trades, key=lambda trade: (trade.value > 0.0, -abs(trade.value)))),
        drifts=tuple(AssetDrift(*row) for row in zip(book.tickers, *columns, strict=True)),
        wealth=book.wealth,
        cash_left=left,
        cost=math.fsum(trade.cost for trade in trades),
    )
