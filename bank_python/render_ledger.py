"""Terminal views of accounts: ledgers, lots, statements, reconciliations, margin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.numerals import number, signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, text, words

if TYPE_CHECKING:
    from bank_python.trading_engine import (
        CashReconciliation,
        FifoGains,
        Ledger,
        LedgerHistory,
        LiquidationPlan,
        Lots,
        MarginState,
        Reconciliation,
        Statement,
        StatementRow,
    )

__all__ = [
    "cash_reconciliation_view",
    "fifo_gains_view",
    "ledger_history_view",
    "ledger_view",
    "liquidation_view",
    "lots_view",
    "margin_state_view",
    "reconciliation_view",
    "statement_row_view",
    "statement_view",
]

_MOST_ROWS = 12
_LAST = 6
_BAR = 10


def lots_view(lots: Lots) -> Sheet:
    """Show the open lots of an instrument."""
    shown = Sheet(
        f"Lots, {lots.method.value}",
        [names("Lot"), numbers("Quantity"), numbers("Price"), numbers("Cost"), words("Opened")],
    )
    for lot in lots.open_lots[:_MOST_ROWS]:
        shown.add(lot.id, _units(lot.quantity), number(lot.price), f"{lot.cost:,f}", f"{lot.opened}")
    if not lots.open_lots:
        shown.note("no open lots")
    else:
        shown.rule()
        shown.add(text("total", "bold"), _units(lots.quantity), number(lots.price), f"{lots.cost:,f}", "")
    if len(lots.open_lots) > _MOST_ROWS:
        shown.note(f"{len(lots.open_lots) - _MOST_ROWS:,} more lots")
    return shown


def fifo_gains_view(found: FifoGains) -> Sheet:
    """Show the last fills with their gains, and what is held."""
    shown = Sheet(
        f"Gains of {len(found):,} fills, first in, first out", [names("Fill"), *map(numbers, ("Closed", "Gain"))]
    )
    first = max(0, len(found) - _MOST_ROWS)
    for i in range(first, len(found)):
        shown.add(f"{i + 1:,}", _units(float(found.closed[i])), signed(float(found.gains[i]), 2))
    shown.rule()
    shown.add(text("all", "bold"), _units(float(found.closed.sum())), signed(found.realised, 2))
    if first:
        shown.note(f"{first:,} earlier ones")
    shown.note(f"held: {_units(found.quantity)}, paid for it: {found.cost:,.2f}; before fees")
    return shown


def ledger_view(ledger: Ledger) -> Group:
    """Show the positions, the cash and the last events of a ledger."""
    state = ledger.state
    title = f"Ledger, {ledger.currency}, {ledger.method.value}, {len(ledger):,} events"
    columns = [names("Instrument"), words("Ccy"), numbers("Quantity"), numbers("Price"), numbers("Cost")]
    shown = Sheet(title, [*columns, numbers("Realised"), numbers("Income"), numbers("Fees")])
    held = sorted(ledger.positions.items())
    realised, income, fees = ledger.realised, ledger.income, ledger.fees
    for name, position in held[:_MOST_ROWS]:
        figures = (_units(position.quantity), number(position.price), _money(float(position.lots.cost)))
        flows = (_money(part.get(name, 0.0)) for part in (realised, income, fees))
        shown.add(name, position.currency, *figures, *flows)
    if len(held) > _MOST_ROWS:
        shown.note(f"{len(held) - _MOST_ROWS:,} more positions")
    for currency, amount in ledger.cash.items():
        shown.note(f"cash {amount:,.{state.settings.digits[currency]}f} {currency}")
    shown.note(f"net deposits {ledger.deposits:,.2f} {ledger.currency}")
    if not len(ledger):
        return Group(shown)
    last = Sheet(
        "Last events",
        [words("Number"), words("When"), words("Event"), names("Instrument"), words("Cash"), words("Why")],
    )
    for booking in ledger.bookings[-_LAST:]:
        event = booking.event
        cash = ", ".join(f"{amount:+,f} {currency}" for currency, amount in booking.cash.items() if amount)
        last.add(f"{booking.number}", f"{event.when}", event.kind, event.subject, cash, event.why)
    return Group(shown, last)


def statement_view(statement: Statement) -> Sheet:
    """Show the positions and cash of a statement, the P&L of each, and the totals."""
    on = "" if statement.last is None else f" after {statement.last}"
    columns = [names("Instrument"), words("Ccy"), numbers("Quantity"), numbers("Price"), numbers("Value")]
    more = [
        numbers("Realised"),
        numbers("Unrealised"),
        numbers("Income"),
        numbers("Fees"),
        numbers("P&L"),
        bars(width=_BAR),
    ]
    shown = Sheet(f"Statement{on}, {statement.currency}", [*columns, *more])
    rows = sorted(statement.rows, key=lambda row: (row.instrument.endswith(" cash"), -abs(row.value * row.rate)))
    widest = max((abs(row.pnl * row.rate) for row in rows), default=0.0)
    for row in rows[:_MOST_ROWS]:
        held = (_units(row.quantity), number(row.price), _money(row.value)) if row.quantity else (None, None, None)
        flows = map(_money, (row.realised, row.unrealised, row.income, row.fees))
        shown.add(row.instrument, row.currency, *held, *flows, signed(row.pnl, 2), Bar.of(row.pnl * row.rate, widest))
    if len(rows) > _MOST_ROWS:
        shown.note(f"{len(rows) - _MOST_ROWS:,} more rows, in the totals")
    shown.rule()
    totals = map(_money, (statement.realised, statement.unrealised, statement.income, statement.fees))
    value = _money(statement.equity)
    shown.add(text("total", "bold"), statement.currency, None, None, value, *totals, signed(statement.pnl, 2), "")
    shown.note(
        f"equity {statement.equity:,.2f} = cash {statement.cash:,.2f} + positions {statement.positions:,.2f}; "
        f"net deposits {statement.deposits:,.2f}"
    )
    if any(row.currency != statement.currency for row in rows):
        shown.note(f"rows in their own currency; P&L includes a currency gain of {statement.currency_gain:+,.2f}")
    return shown


def statement_row_view(row: StatementRow) -> Sheet:
    """Show the figures of one row of a statement."""
    shown = Sheet(f"{row.instrument}, {row.currency}", [names("Figure"), numbers("Value")])
    shown.add("quantity", _units(row.quantity))
    shown.add("price", None if row.price is None else number(row.price))
    for name in ("value", "realised", "unrealised", "income", "fees", "pnl"):
        shown.add(name, _money(getattr(row, name)))
    return shown


def reconciliation_view(found: Reconciliation) -> Sheet:
    """Show what explains the cash of each currency, and what does not agree."""
    title = f"Reconciliation of {found.n_events:,} events: {'holds' if found.holds else 'does not hold'}"
    columns = [names("Currency"), numbers("Deposits"), numbers("Conversions"), numbers("Realised"), numbers("Income")]
    more = [numbers("Fees"), numbers("Cost"), numbers("Cash"), numbers("Difference")]
    shown = Sheet(title, [*columns, *more])
    for row in found.cash:
        flows = (row.deposits, row.conversions, row.realised, row.income, row.fees, row.cost, row.cash)
        shown.add(row.currency, *map(_money, flows), _money(row.difference))
    for problem in found.problems[:_LAST]:
        shown.note(problem)
    if len(found.problems) > _LAST:
        shown.note(f"{len(found.problems) - _LAST:,} more in problems")
    return shown


def cash_reconciliation_view(row: CashReconciliation) -> Sheet:
    """Show what explains the cash of one currency."""
    shown = Sheet(f"Cash, {row.currency}", [names("Part"), numbers("Amount")])
    for name in ("deposits", "conversions", "realised", "income", "fees", "cost"):
        shown.add(name, _money(getattr(row, name)))
    shown.rule()
    shown.add(text("cash", "bold"), _money(row.cash))
    shown.add("difference", _money(row.difference))
    return shown


def ledger_history_view(history: LedgerHistory) -> Sheet:
    """Show the last dates of an account's equity."""
    columns = [names("Date"), numbers("Equity"), numbers("Cash"), numbers("Positions"), numbers("Deposits")]
    shown = Sheet(f"Equity, {history.currency}, {len(history):,} dates", [*columns, numbers("P&L")])
    for i in range(max(0, len(history) - _MOST_ROWS), len(history)):
        figures = (history.equity, history.cash, history.positions, history.deposits)
        shown.add(
            f"{history.dates[i]}", *(_money(float(part[i])) for part in figures), signed(float(history.pnl[i]), 2)
        )
    if len(history) > _MOST_ROWS:
        shown.note(f"{len(history) - _MOST_ROWS:,} earlier dates, from {history.dates[0]}")
    return shown


def margin_state_view(state: MarginState) -> Sheet:
    """Show the requirements of a book, and the margin call."""
    shown = Sheet("Margin", [names("Figure"), numbers("Value")])
    figures = {"equity": state.equity, "gross exposure": state.gross, "initial margin": state.initial}
    figures |= {"maintenance margin": state.maintenance, "excess over initial": state.excess}
    for name, value in figures.items():
        shown.add(name, _money(value))
    shown.add("leverage", None if state.leverage is None else f"{state.leverage:.2f}")
    shown.add("margin call", text(_money(state.call), "bold red" if state.call else "green"))
    return shown


def liquidation_view(plan: LiquidationPlan) -> Sheet:
    """Show what is closed, in its order, and the requirements before and after."""
    columns = [names("Instrument"), numbers("Quantity"), numbers("Price"), numbers("Exposure"), numbers("Released")]
    shown = Sheet("Liquidation", [*columns, numbers("Cost"), words("Part")])
    for order in plan.orders[:_MOST_ROWS]:
        amounts = map(_money, (order.exposure, order.released, order.cost))
        part = "whole" if order.is_whole else "part"
        shown.add(order.instrument, _units(order.quantity), number(order.price), *amounts, part)
    if len(plan.orders) > _MOST_ROWS:
        shown.note(f"{len(plan.orders) - _MOST_ROWS:,} more orders")
    for name, state in (("before", plan.before), ("after", plan.after)):
        shown.note(
            f"{name}: equity {_money(state.equity)}, maintenance {_money(state.maintenance)}, call {_money(state.call)}"
        )
    if plan.shortfall:
        shown.note(f"shortfall {_money(plan.shortfall)}: the lender's loss")
    return shown


def _units(quantity: float) -> str:
    """Return a number of units with at most six digits after the point."""
    said = f"{quantity:,.6f}".rstrip("0").rstrip(".")
    return f"{quantity:.4g}" if said in {"0", "-0"} and quantity else said


def _money(amount: float) -> str:
    return f"{amount + 0.0:,.2f}"
