"""Closed options by underlying and cash by month: where money is spent again and again, and how fast it bleeds."""

from __future__ import annotations

import enum
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.results import Figures, Tabular

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from bank_python.mntable import Table
    from bank_python.trading_engine.option_trade import OptionTrade

__all__ = [
    "ClosedTrade",
    "MonthBleed",
    "MonthlyBleed",
    "NameFlag",
    "NameResult",
    "TradeConcentration",
    "closed_by_name",
]

_DIMINISHING, _DIMINISHING_ROI = 5, 0.05
_BLEEDING, _BLEEDING_ROI = 3, -0.20


class NameFlag(enum.Enum):
    """What the trades in a name have in common."""

    NONE = ""
    DIMINISHING = "DIMINISHING"
    """Five trades or more that returned less than 5 % of their cost."""
    BLEEDING = "BLEEDING"
    """Three trades or more that lost more than 20 % of their cost."""


@dataclass(frozen=True, slots=True)
class ClosedTrade(Figures):
    """A closed option trade.

    Parameters
    ----------
    name : str
        Name of the contract.
    underlying : str
        Ticker of the underlying.
    cost, proceeds : float
        Cash paid and received in money, after fees.
    gain : float
        Gain or loss in money, after fees.
    opened, closed : date, optional
        Days of the entry and of the exit; None where the broker states none.
    account : str, optional
        Account; None if unknown.
    """

    name: str
    underlying: str
    cost: float
    proceeds: float
    gain: float
    opened: dt.date | None = None
    closed: dt.date | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class NameResult(Figures):
    """Closed trades in one underlying.

    Parameters
    ----------
    name : str
        Ticker of the underlying.
    n : int
        Number of closed trades.
    cost, gl : float
        Cash paid, and total gain or loss, in money.
    wins, losses : int
        Number of trades with a gain and with a loss.
    """

    name: str
    n: int
    cost: float
    gl: float
    wins: int
    losses: int

    @property
    def roi(self) -> float | None:
        """Gain as a share of the cost; None without a cost above 0."""
        return self.gl / self.cost if self.cost > 0.0 else None

    @property
    def flag(self) -> NameFlag:
        """What the trades have in common."""
        if self.roi is None:
            return NameFlag.NONE
        if self.n >= _BLEEDING and self.roi < _BLEEDING_ROI:
            return NameFlag.BLEEDING
        return NameFlag.DIMINISHING if self.n >= _DIMINISHING and self.roi < _DIMINISHING_ROI else NameFlag.NONE


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TradeConcentration(Tabular):
    """Closed trades by underlying; returned by ``TradeTracker.concentration``.

    Parameters
    ----------
    names : tuple of NameResult
        Figures of each underlying, the one with the largest cost first.
    """

    names: tuple[NameResult, ...]

    def to_table(self) -> Table:
        """Return a table with a row for each underlying."""
        from bank_python.mntable import Table

        schema = [("name", str), ("n", int), ("cost", float), ("gl", float), ("wins", int), ("losses", int)]
        rows = [{**one.to_dict(), "roi": one.roi, "flag": one.flag.value or None} for one in self.names]
        return Table.from_rows([*schema, ("roi", float | None), ("flag", str | None)], rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import concentration_view

        return concentration_view(self)


def closed_by_name(trades: Iterable[ClosedTrade]) -> TradeConcentration:
    """Return closed trades by underlying.

    Parameters
    ----------
    trades : iterable of ClosedTrade
        Closed trades in any order.
    """
    groups: dict[str, list[ClosedTrade]] = defaultdict(list)
    for trade in trades:
        groups[trade.underlying].append(trade)
    names = [
        NameResult(
            name,
            len(members),
            sum(one.cost for one in members),
            sum(one.gain for one in members),
            sum(one.gain > 0.0 for one in members),
            sum(one.gain < 0.0 for one in members),
        )
        for name, members in groups.items()
    ]
    return TradeConcentration(tuple(sorted(names, key=lambda one: (-one.cost, one.name))))


@dataclass(frozen=True, slots=True)
class MonthBleed(Figures):
    """Premiums of one calendar month.

    Parameters
    ----------
    month : str
        Year and month, such as ``2025-03``.
    spent, received : float
        Cash paid and received in money, after fees; both at least 0.
    n_open, n_close : int
        Number of trades that opened and that closed.
    """

    month: str
    spent: float
    received: float
    n_open: int
    n_close: int

    @property
    def net(self) -> float:
        """Cash received less cash paid, in money."""
        return self.received - self.spent


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MonthlyBleed(Tabular):
    """Premiums by calendar month; returned by ``TradeTracker.bleed``.

    Parameters
    ----------
    months : tuple of MonthBleed
        Months with trades, the earliest first.
    limit : float
        Largest net premium paid in a month, in money.
    """

    months: tuple[MonthBleed, ...]
    limit: float

    @classmethod
    def of(cls, trades: Iterable[OptionTrade], limit: float) -> MonthlyBleed:
        """Return the premiums of trades by month.

        Parameters
        ----------
        trades : iterable of OptionTrade
            Fills and settlements in any order.
        limit : float
            Largest net premium paid in a month, in money.
        """
        groups: dict[str, list[OptionTrade]] = defaultdict(list)
        for trade in trades:
            groups[f"{trade.date:%Y-%m}"].append(trade)
        return cls(tuple(_month(month, groups[month]) for month in sorted(groups)), limit)

    def month(self, day: dt.date) -> MonthBleed:
        """Return the premiums of the month of a day; zeros without trades."""
        wanted = f"{day:%Y-%m}"
        return next((one for one in self.months if one.month == wanted), MonthBleed(wanted, 0.0, 0.0, 0, 0))

    def to_table(self) -> Table:
        """Return a table with a row for each month."""
        from bank_python.mntable import Table

        names = ("month", "spent", "received", "net", "n_open", "n_close")
        kinds = (str, float, float, float, int, int)
        rows = [{name: getattr(one, name) for name in names} for one in self.months]
        return Table.from_rows(list(zip(names, kinds, strict=True)), rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import bleed_view

        return bleed_view(self)


def _month(month: str, trades: list[OptionTrade]) -> MonthBleed:
    flows = [trade.cash for trade in trades]
    closing = sum(trade.action.closes for trade in trades)
    spent = sum(max(-flow, 0.0) for flow in flows)
    return MonthBleed(month, spent, sum(max(flow, 0.0) for flow in flows), len(trades) - closing, closing)
