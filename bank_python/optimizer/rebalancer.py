r"""Bring a portfolio back to its targets: when, and by which trades in whole lots.

Prices move weights away from their targets. Trading them back every day costs more than it brings, so each asset has a
*band* around its target, and nothing is done while all are inside. Once one has left, trades go to the targets, or only
to the nearest edge of the band: with costs in proportion to what is traded, it is best to stop at the edge (Davis and
Norman 1990).

A plan is made in two steps. First the *goals*, as if shares could be cut at will: each asset is moved into its band (or
to its target), costs are paid out of the wealth, and where cash does not reach, assets are held the lower, those
furthest above their targets first. Then whole lots: sales are rounded to the nearest lot, and up where cash is short;
purchases are rounded down, and lots that cash is left for go where the largest shortfall is, as long as they bring the
asset nearer to its goal. Cash is never borrowed. An asset that is to go altogether is sold whole, odd lot and all.

Weights are shares of the wealth, and that includes cash. Cash itself has no band: a portfolio of many small targets is
inside a band of 5 % while it holds nothing but cash; there, give ``relative=True``.

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
from bank_python.errors import ModelError
from bank_python.numerics.tolerances import LAST_DIGITS
from bank_python.optimizer.barbell import SAFE
from bank_python.optimizer.covariance_data import CASH
from bank_python.optimizer.portfolio import OptimalPortfolio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["AssetDrift", "RebalancePlan", "RebalanceTo", "Rebalancer", "Trade"]

_MONEY = frozenset({CASH, SAFE})
_PART_OF_A_LOT = 1e-9  # a number of lots that is whole but for this is whole
_MOST_ROUNDS = 200  # of costs that follow from goals that follow from costs


class RebalanceTo(enum.Enum):
    """How far trades go: to the targets, or to the nearest edge of their bands."""

    TARGET = "target"
    BAND = "band"

    @classmethod
    def parse(cls, to: RebalanceTo | str) -> RebalanceTo:
        """Return the one of that name.

        Raises
        ------
        ModelError
            There is none; the message lists them.
        """
        try:
            return cls(to)
        except ValueError:
            known = ", ".join(item.value for item in cls)
            raise ModelError(f"no rebalancing to {to!r}; there are {known}", value=to) from None


@storable("optimizer.Trade", version=1)
@dataclass(frozen=True, slots=True)
class Trade:
    """A purchase or a sale.

    Parameters
    ----------
    ticker : str
        Ticker of the asset.
    shares : float
        Above 0 for a purchase, below 0 for a sale.
    price : float
        Of a share.
    value : float
        Shares times price; with the sign of the shares.
    cost : float
        At least 0.
    """

    ticker: str
    shares: float
    price: float
    value: float
    cost: float


@storable("optimizer.AssetDrift", version=1)
@dataclass(frozen=True, slots=True)
class AssetDrift:
    """How far an asset's weight is from its target.

    Parameters
    ----------
    ticker : str
        The asset.
    target : float
        Its share of the wealth; 0 of what is to be sold.
    band : float
        How far the weight may be off; 0 of an asset without a target.
    before, after : float
        Weight less target, before the trades and after them.
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
@dataclass(frozen=True, slots=True)
class RebalancePlan:
    """What to trade; made by :meth:`Rebalancer.plan`.

    Parameters
    ----------
    trades : tuple of Trade
        Sales first, so that in this order cash never falls below 0; the largest first among each.
    drifts : tuple of AssetDrift
        Every asset with a target or a holding.
    wealth : float
        Holdings and cash before the trades.
    cash_left : float
        After trades and costs; at least 0.
    cost : float
        Of all trades.
    """

    trades: tuple[Trade, ...]
    drifts: tuple[AssetDrift, ...]
    wealth: float
    cash_left: float
    cost: float

    @property
    def due(self) -> bool:
        """Whether an asset has left its band."""
        return bool(self.outside)

    @property
    def outside(self) -> tuple[str, ...]:
        """The assets that have left their bands."""
        return tuple(drift.ticker for drift in self.drifts if drift.left_band)

    @property
    def turnover(self) -> float:
        """Purchases and sales together as a share of the wealth."""
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
        """Return a row for each asset: target, band, drift before and after, and the trade (0 if there is none)."""
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
    """Targets, holdings and prices side by side; arrays of shape (n_assets,)."""

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
        """All that rounding errors can be a share of."""
        return self.cash + float(np.abs(self.values).sum()) + self.wealth * float(np.abs(self.targets).sum())

    def cash_after(self, changes: FloatArray) -> float:
        """Return the cash that is left by changes in shares."""
        traded = changes * self.prices
        return math.fsum((self.cash, *(-traded).tolist(), *(-self.cost_rate * np.abs(traded)).tolist()))


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Rebalancer:
    """Targets, and the rules by which a portfolio is brought back to them.

    Parameters
    ----------
    targets : OptimalPortfolio or mapping of str to float
        Shares of the wealth, negative for a short position; what is missing from 1 is cash, and so is what is called
        ``CASH`` or ``SAFE``.
    band : float, default 0.05
        How far a weight may be from its target; at least 0.
    relative : bool, default False
        Whether `band` is a share of the target's size instead of the wealth.
    to : RebalanceTo or str, default "target"
        How far trades go. With ``band``, assets inside their bands are left alone unless cash must be raised; what
        sales bring and purchases do not need stays cash.
    cost_rate : float, default 0
        Costs as a share of what is traded, in [0, 1).
    min_trade : float, default 0
        Money; smaller trades are not made, even where a band asks for one.
    lot : float or mapping of str to float, default 1
        Shares that are traded together, as 1, 100 or 0.001; 0 for any fraction. Of a ticker not in the mapping, 1.

    Raises
    ------
    ModelError
        There are no targets, they add up to more than 1, or a parameter is out of range.
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
        weights = {ticker: weight for ticker, weight in _targets(targets).items() if ticker not in _MONEY}
        for name, given, most in (
            ("band", band, math.inf),
            ("cost_rate", cost_rate, 1.0),
            ("min_trade", min_trade, math.inf),
        ):
            if not 0.0 <= given < most:
                raise ModelError(f"{name}={given!r} lies outside [0, {most:g}); correct it", value=given, name=name)
        for ticker, size in lot.items() if isinstance(lot, Mapping) else [("every asset", lot)]:
            if not 0.0 <= size < math.inf:
                raise ModelError(f"a lot of {size!r} shares of {ticker}; give 1, or 0 for any fraction", value=size)
        object.__setattr__(self, "targets", weights)
        object.__setattr__(self, "band", band)
        object.__setattr__(self, "relative", relative)
        object.__setattr__(self, "to", RebalanceTo.parse(to))
        object.__setattr__(self, "cost_rate", cost_rate)
        object.__setattr__(self, "min_trade", min_trade)
        object.__setattr__(self, "lot", dict(lot) if isinstance(lot, Mapping) else lot)

    def plan(self, holdings: Mapping[str, float], prices: Mapping[str, float], cash: float = 0.0) -> RebalancePlan:
        """Return what to trade; nothing while every asset is inside its band.

        Parameters
        ----------
        holdings : mapping of str to float
            Shares, negative for a short position. What has no target is sold.
        prices : mapping of str to float
            Of a share, above 0; of every target and every holding.
        cash : float, default 0
            At least 0.

        Raises
        ------
        ModelError
            A price is missing or not above 0, a holding is not finite, cash is below 0, there is no wealth, or costs
            would take all of it.
        """
        book = self._book(holdings, prices, cash)
        idle = np.zeros(len(book.tickers))
        plan = _plan(book, idle)
        return _plan(book, self._changes(book)) if plan.due else plan

    def _book(self, holdings: Mapping[str, float], prices: Mapping[str, float], cash: float) -> _Book:
        if not 0.0 <= cash < math.inf:
            raise ModelError(f"cash={cash!r}; give money from 0 on, a debt is paid off first", value=cash)
        for ticker, shares in holdings.items():
            if not math.isfinite(shares):
                raise ModelError(f"{shares!r} shares of {ticker}; correct the holding", value=shares, name=ticker)
        strays = [ticker for ticker, shares in holdings.items() if shares != 0.0 and ticker not in self.targets]
        tickers = (*self.targets, *strays)
        for ticker in tickers:
            if not 0.0 < prices.get(ticker, math.nan) < math.inf:
                told = f"the price of {ticker} is {prices[ticker]!r}" if ticker in prices else f"{ticker} has no price"
                raise ModelError(f"{told}; give one above 0", name=ticker)
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
            raise ModelError(f"holdings and cash are worth {book.wealth:g}; weights need wealth", value=book.wealth)
        return book

    def _lot_of(self, ticker: str) -> float:
        return float(self.lot.get(ticker, 1.0) if isinstance(self.lot, Mapping) else self.lot)

    def _changes(self, book: _Book) -> FloatArray:
        """Return the changes in shares; trades that turn out too small are given up, and the rest planned anew."""
        widths = book.bands if self.to is RebalanceTo.BAND else np.zeros(len(book.tickers))
        kept = np.zeros(len(book.tickers), dtype=bool)
        while True:
            goals, wishes = _goals(book, widths, kept)
            changes = _in_lots(book, goals, wishes)
            small = (changes != 0.0) & (np.abs(changes * book.prices) < self.min_trade)
            if not small.any():
                return changes
            kept |= small


def _targets(given: OptimalPortfolio | Mapping[str, float]) -> dict[str, float]:
    weights = dict(given.by_ticker() if isinstance(given, OptimalPortfolio) else given)
    if not weights:
        raise ModelError("there are no targets; give a weight for at least one ticker")
    for ticker, weight in weights.items():
        if not math.isfinite(weight):
            raise ModelError(f"the target of {ticker} is {weight!r}; correct it", value=weight, name=ticker)
    total = math.fsum(weights.values())
    if total > 1.0 + _PART_OF_A_LOT:
        raise ModelError(f"the targets add up to {total:.6g}, more than 1; cash is never borrowed", value=total)
    return weights


def _goals(book: _Book, widths: FloatArray, kept: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Return the money to hold in each asset, if shares could be cut at will; and the same, did cash not matter.

    Weights are of the wealth after costs, and costs follow from the goals: a contraction by the cost rate times the
    sum of the targets' sizes, so a few rounds settle it.
    """
    values, wealth = book.values, book.wealth
    low, high = book.targets - widths, book.targets + widths
    after = wealth
    for _ in range(_MOST_ROUNDS):
        weights = values / after
        top = np.where(kept, weights, np.clip(weights, low, high))
        bottom = np.where(kept, weights, np.minimum(low, weights))
        goals = after * _levelled(book.targets, bottom, top)
        left = wealth - book.cost_rate * float(np.abs(goals - values).sum())
        if left <= 0.0:
            break
        if abs(left - after) <= 0.1 * LAST_DIGITS * book.size:
            return np.where(np.abs(goals - values) <= LAST_DIGITS * book.size, values, goals), after * top
        after = left
    raise ModelError(
        f"at cost_rate={book.cost_rate:g} the way to the targets costs as much as the {wealth:g} there is; lower the "
        "targets' sizes",
        value=book.cost_rate,
    )


def _levelled(targets: FloatArray, bottom: FloatArray, top: FloatArray) -> FloatArray:
    """Return the top weights; if they add up to more than 1, drifts are capped at the level where they do not."""
    if top.sum() <= 1.0:
        return top
    levels = np.unique(np.concatenate((bottom - targets, top - targets)))
    sums = np.clip(targets + levels[:, None], bottom, top).sum(axis=1)
    return np.asarray(np.clip(targets + np.interp(1.0, sums, levels), bottom, top))


def _in_lots(book: _Book, goals: FloatArray, wishes: FloatArray) -> FloatArray:
    """Return the changes in shares that come nearest to the goals in whole lots, with the cash there is."""
    wanted = (goals - book.values) / book.prices
    whole = np.where(book.lots > 0.0, book.lots, 1.0)
    sold = np.maximum(np.rint(wanted / whole) * whole, _furthest_down(book, goals))
    bought = np.floor(wanted / whole + _PART_OF_A_LOT) * whole
    changes = np.where(book.lots == 0.0, wanted, np.where(wanted < 0.0, sold, bought))
    closed = (goals == 0.0) & ((book.shares > 0.0) | (book.lots == 0.0))
    changes = np.where(closed, -book.shares, changes)
    _sell_more(book, goals, wanted, changes)
    _buy_less(book, goals, changes)
    _buy_more(book, wishes, changes)
    return changes


def _furthest_down(book: _Book, goals: FloatArray) -> FloatArray:
    """Return the largest sale of each asset: what is held long does not become short by rounding."""
    return np.where((book.shares >= 0.0) & (goals >= 0.0), -book.shares, -np.inf)


def _sell_more(book: _Book, goals: FloatArray, wanted: FloatArray, changes: FloatArray) -> None:
    """Round sales up, where most was left unsold first, until the cash is enough; all rounded up, it is."""
    undersold = np.where(wanted < 0.0, (changes - wanted) * book.prices, 0.0)
    furthest = _furthest_down(book, goals)
    for i in np.argsort(-undersold, kind="stable"):
        if undersold[i] <= 0.0 or book.cash_after(changes) >= -LAST_DIGITS * book.size:
            return
        changes[i] = max(changes[i] - book.lots[i], furthest[i])


def _buy_less(book: _Book, goals: FloatArray, changes: FloatArray) -> None:
    """Give up what rounding errors have bought too much: a sliver of what can be cut, else the least missed lot."""
    while (left := book.cash_after(changes)) < 0.0:
        bought = changes > 0.0
        cut = np.flatnonzero(bought & (book.lots == 0.0))
        if len(cut):
            i = cut[(changes * book.prices)[cut].argmax()]
            changes[i] = max(changes[i] * (1.0 - LAST_DIGITS) + 2.0 * left / book.prices[i], 0.0)
        else:
            over = np.where(bought, book.values + changes * book.prices - goals, -np.inf)
            i = int(over.argmax())
            changes[i] = max(changes[i] - book.lots[i], 0.0)


def _buy_more(book: _Book, wishes: FloatArray, changes: FloatArray) -> None:
    """Spend what is left on lots that bring an asset nearer to what is wished, the largest shortfall first."""
    short = wishes - book.values - changes * book.prices
    lots = book.lots * book.prices
    for i in np.argsort(-short, kind="stable"):
        # More than half a lot short: one more ends nearer. Just half is no gain, and only rounding could tell.
        if lots[i] > 0.0 and short[i] > lots[i] * (0.5 + _PART_OF_A_LOT):
            useful = math.ceil(short[i] / lots[i] - 0.5 - _PART_OF_A_LOT)
            paid = math.floor(book.cash_after(changes) / (lots[i] * (1.0 + book.cost_rate)) + _PART_OF_A_LOT)
            more = changes.copy()
            more[i] += min(useful, paid) * book.lots[i]
            # The quotient is right to rounding only: the last lot may be one too many.
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
