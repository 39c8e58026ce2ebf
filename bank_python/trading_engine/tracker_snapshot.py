"""Figures of an option tracker at a time: what the open options are worth, their Greeks, the P&L and the budgets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from bank_python.barbara import storable
from bank_python.results import Figures, Tabular
from bank_python.trading_engine.buckets import BucketUse  # noqa: TC001 - a field of a stored record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.mntable import Table

__all__ = ["SnapshotHistory", "TrackerSnapshot"]


@storable("trading.TrackerSnapshot", version=1)
@dataclass(frozen=True, slots=True)
class TrackerSnapshot(Figures):
    """Figures of a tracker at a time; returned by ``TradeTracker.snapshot``.

    Parameters
    ----------
    day : date
        Day of the tracker.
    taken : datetime
        Time at which the figures were taken, UTC.
    n_open : int
        Number of open positions that have not expired.
    cost : float
        Net premium paid for them, in money.
    value : float, optional
        Their value in money; None if one has none.
    realised : float
        Gain of all closed trades so far, in money.
    greeks : mapping of str to float
        Greeks of the book in money, as :class:`GreekLadder` has them; empty without the market data for them.
    breakeven : float, optional
        Move that pays for the theta, in standard deviations; None where gamma and theta have the same sign.
    buckets : tuple of BucketUse
        Open options by purpose, beside the budgets.
    rules : tuple of str
        Names of the broken rules.
    missing : str, optional
        Reason for which there are no Greeks; None if there are.
    """

    day: dt.date
    taken: dt.datetime
    n_open: int
    cost: float
    value: float | None
    realised: float
    greeks: Mapping[str, float]
    breakeven: float | None
    buckets: tuple[BucketUse, ...]
    rules: tuple[str, ...]
    missing: str | None = None

    @property
    def unrealised(self) -> float | None:
        """Value less cost of the open options, in money; None without a value."""
        return None if self.value is None else self.value - self.cost

    @property
    def pnl(self) -> float | None:
        """Gain of the closed trades and of the open options, in money; None without a value."""
        return None if self.unrealised is None else self.realised + self.unrealised


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SnapshotHistory(Tabular):
    """Snapshots of a tracker in the order of their times; returned by ``TradeTracker.snapshots``.

    Parameters
    ----------
    snapshots : tuple of TrackerSnapshot
        Figures at each time, the earliest first.
    """

    snapshots: tuple[TrackerSnapshot, ...]

    def __len__(self) -> int:
        return len(self.snapshots)

    @property
    def changes(self) -> tuple[float | None, ...]:
        """Change of the P&L since the snapshot before, in money; None for the first, and where one has no value."""
        pnl = [one.pnl for one in self.snapshots]
        since = [None if a is None or b is None else b - a for a, b in pairwise(pnl)]
        return (None, *since) if pnl else ()

    def to_table(self) -> Table:
        """Return a table with a row for each snapshot."""
        from bank_python.mntable import Table

        money = ("cost", "value", "unrealised", "realised", "pnl")
        greeks = ("delta", "gamma", "vega", "theta")
        schema = [("day", dt.date), ("taken", dt.datetime), ("n_open", int), *((name, float | None) for name in money)]
        schema += [("change", float | None), *((name, float | None) for name in greeks), ("rules", str)]
        rows = [
            {name: getattr(one, name) for name in ("day", "taken", "n_open", *money)}
            | {"change": change, **{name: one.greeks.get(name) for name in greeks}, "rules": ", ".join(one.rules)}
            for one, change in zip(self.snapshots, self.changes, strict=True)
        ]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import snapshots_view

        return snapshots_view(self)
