"""Open options: what is held, what it cost, how soon it expires."""

from __future__ import annotations

import datetime as dt
import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.results import Figures, Tabular

if TYPE_CHECKING:
    from bank_python.instruments.option_symbol import OptionSymbol
    from bank_python.mntable import Table

__all__ = ["OpenOption", "OpenOptions", "Urgency", "urgency_of"]

CRITICAL_DAYS = 14
_SOON, _WATCH = 30, 90


class Urgency(enum.Enum):
    """How soon an option expires: within 14, 30 or 90 days, later, or before today."""

    CRITICAL = "CRITICAL"
    SOON = "SOON"
    WATCH = "WATCH"
    OK = "OK"
    EXPIRED = "EXPIRED"


def urgency_of(days: int) -> Urgency:
    """Return the urgency of an option.

    Parameters
    ----------
    days : int
        Calendar days to expiry, negative after it.
    """
    if days < 0:
        return Urgency.EXPIRED
    limits = ((CRITICAL_DAYS, Urgency.CRITICAL), (_SOON, Urgency.SOON), (_WATCH, Urgency.WATCH))
    return next((urgency for most, urgency in limits if days <= most), Urgency.OK)


@dataclass(frozen=True, slots=True)
class OpenOption(Figures):
    """An open option position.

    Parameters
    ----------
    name : str
        Name of the contract.
    underlying : str
        Ticker of the underlying.
    strike : float
        Strike price, above 0.
    expiry : date
        Day of expiry.
    is_call : bool
        Call or put.
    quantity : float
        Number of contracts, negative if short.
    multiplier : float
        Units of the underlying per contract.
    cost : float
        Net premium paid in money, negative if received.
    value : float, optional
        Present value in money; None without a mark and without a spot and a volatility.
    dte : int
        Calendar days to expiry, negative after it.
    bucket : str
        Purpose of the position.
    account : str, optional
        Account; None if unknown.
    opened : date, optional
        Day of the first trade; None if only a statement is known.
    """

    name: str
    underlying: str
    strike: float
    expiry: dt.date
    is_call: bool
    quantity: float
    multiplier: float
    cost: float
    value: float | None
    dte: int
    bucket: str
    account: str | None
    opened: dt.date | None

    @property
    def urgency(self) -> Urgency:
        """How soon the option expires."""
        return urgency_of(self.dte)

    @property
    def pnl(self) -> float | None:
        """Value less cost in money; None without a value."""
        return None if self.value is None else self.value - self.cost

    @property
    def pnl_pct(self) -> float | None:
        """P&L as a share of the size of the cost; None without a value or a cost."""
        return None if self.pnl is None or not self.cost else self.pnl / abs(self.cost)

    @property
    def contract(self) -> OptionSymbol:
        """The contract."""
        from bank_python.instruments.option_symbol import OptionSymbol

        return OptionSymbol(self.underlying, self.expiry, self.strike, self.is_call)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpenOptions(Tabular):
    """All open options of a tracker on a day; returned by ``TradeTracker.open_options``.

    Parameters
    ----------
    today : date
        Day of the list.
    positions : tuple of OpenOption
        Positions by expiry, those that have expired first.
    """

    today: dt.date
    positions: tuple[OpenOption, ...]

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def cost(self) -> float:
        """Net premium paid for all positions, in money."""
        return math.fsum(held.cost for held in self.positions)

    @property
    def alive(self) -> tuple[OpenOption, ...]:
        """Positions that have not expired."""
        return tuple(held for held in self.positions if held.dte >= 0)

    @property
    def expired(self) -> tuple[OpenOption, ...]:
        """Positions that have expired and are not settled yet."""
        return tuple(held for held in self.positions if held.dte < 0)

    def to_table(self) -> Table:
        """Return a table with a row for each position."""
        from bank_python.mntable import Table

        kinds: list[tuple[str, Any]] = [
            ("name", str),
            ("underlying", str),
            ("expiry", dt.date),
            ("strike", float),
            ("is_call", bool),
        ]
        kinds += [("quantity", float), ("cost", float), ("value", float | None), ("pnl_pct", float | None)]
        kinds += [("dte", int), ("urgency", str), ("bucket", str), ("account", str | None), ("opened", dt.date | None)]
        rows = []
        for held in self.positions:
            row = {name: getattr(held, name) for name, _ in kinds}
            rows.append({**row, "urgency": held.urgency.value})
        return Table.from_rows(kinds, rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import open_options_view

        return open_options_view(self)
