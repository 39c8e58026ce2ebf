"""Whether the books of an account agree with its events, computed from the events anew.

Three things are compared: the cash of each currency with the sum of what explains it, the cash with the sum of the
changes that were booked, and the whole state with the one that the events lead to when they are booked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.results import Tabular
from bank_python.trading_engine.event_rules import booking_of
from bank_python.trading_engine.money import ZERO, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.mntable import Table
    from bank_python.trading_engine.ledger_state import Booking, LedgerState

__all__ = ["CashReconciliation", "Reconciliation", "reconcile"]

_PARTS = ("deposits", "conversions", "realised", "income", "fees", "cost")


@dataclass(frozen=True, slots=True)
class CashReconciliation(Tabular):
    """The cash of a currency, and what explains it.

    Parameters
    ----------
    currency : str
        Currency of the amounts.
    deposits, conversions : float
        Net deposits, and net amounts received in conversions.
    realised, income : float
        Realised P&L before fees, and income.
    fees, cost : float
        Fees, and what was paid for the positions held; both with a minus sign.
    cash : float
        Balance of the account.
    difference : float
        Balance less what explains it; 0 if the books reconcile.
    """

    currency: str
    deposits: float
    conversions: float
    realised: float
    income: float
    fees: float
    cost: float
    cash: float
    difference: float

    def to_table(self) -> Table:
        """Return a table of one row."""
        return _table((self,))

    def __rich__(self) -> object:
        from bank_python.render_ledger import cash_reconciliation_view

        return cash_reconciliation_view(self)


@dataclass(frozen=True, slots=True, repr=False)
class Reconciliation(Tabular):
    """A comparison of the books with the events; returned by :meth:`Ledger.reconcile`.

    Parameters
    ----------
    cash : tuple of CashReconciliation
        Cash of each currency, and what explains it.
    n_events : int
        Number of events that were booked again.
    problems : tuple of str
        Disagreements found, in words.
    """

    cash: tuple[CashReconciliation, ...]
    n_events: int
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything agrees."""
        return not self.problems

    def to_table(self) -> Table:
        """Return a table with a row for each currency."""
        return _table(self.cash)

    def __rich__(self) -> object:
        from bank_python.render_ledger import reconciliation_view

        return reconciliation_view(self)


def reconcile(start: LedgerState, bookings: Sequence[Booking], state: LedgerState) -> Reconciliation:
    """Return the comparison of a state with the events that led to it.

    Parameters
    ----------
    start : LedgerState
        State before the first event.
    bookings : sequence of Booking
        Bookings of the events, in order.
    state : LedgerState
        State to compare.
    """
    again, problems = start, []
    for booking in bookings:
        anew = booking_of(again, booking.event)
        gaps = again.gap_of(anew)
        problems += [f"event {booking.number}: {currency} is off by {gap}" for currency, gap in gaps.items() if gap]
        again = again.after(anew)
    rows = []
    for currency, gap in state.gaps().items():
        parts = {name: float(amount) for name, amount in state.explained(currency).items()}
        cash = state.cash.get(currency, ZERO)
        rows.append(CashReconciliation(currency, **parts, cash=float(cash), difference=float(gap)))
        booked = total(booking.cash.get(currency, ZERO) for booking in bookings)
        if gap:
            problems.append(f"{currency}: the balance differs by {gap} from what explains it")
        if booked != cash:
            problems.append(f"{currency}: the balance is {cash}, the changes booked add up to {booked}")
    if again != state:
        problems.append("the events lead to another state when they are booked again")
    return Reconciliation(tuple(rows), len(bookings), tuple(problems))


def _table(rows: Sequence[CashReconciliation]) -> Table:
    from bank_python.mntable import Table

    schema = [("currency", str), *((name, float) for name in (*_PARTS, "cash", "difference"))]
    return Table.from_rows(schema, [{name: getattr(row, name) for name, _ in schema} for row in rows])
