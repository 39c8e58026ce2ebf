"""Passing time: options expire, coupons and premiums are paid, and the P&L is attributed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bank_python.desk.rolling import roll_to
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.risk import PnLAttribution, capture, take_greeks
from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from bank_python.desk.rolling import CashPosting
    from bank_python.desk.showcase.stage import Stage

_DAYS = 100
_MAX_ROWS = 12


@scene("ROLLING THE VALUATION DATE")
def passing_time(stage: Stage) -> SceneResult:
    """Roll the valuation date by 100 days: options are settled at expiry, and coupons and premiums are paid in cash."""
    desk = stage.desk
    require_quotes(desk)
    books = [trader.book for trader in desk.traders]
    opening, pnl_before = capture(books), desk.firm_pnl.value
    paid = roll_to(desk, desk.clock.date + dt.timedelta(days=_DAYS))
    desk.graph.recalculate()
    pnl_change = desk.firm_pnl.value - pnl_before
    lines = PnLAttribution.between(opening, capture(books), "waterfall")
    greeks = take_greeks(desk.traders)
    ended = {posting.position for posting in paid if posting.closed}
    facts = {
        "valuation_date": desk.clock.date.isoformat(),
        "paid": {posting.position: posting.amount for posting in paid},
        "ended": sorted(ended),
        "firm_pnl_change": pnl_change,
        "attributed": lines.actual,
        "by_factor": lines.by_factor(),
        "gamma_of_ended_positions": sum(
            value
            for name, value in zip(greeks.positions, greeks.column("gamma").tolist(), strict=True)
            if name in ended
        ),
    }
    summary = (
        f"In {_DAYS} days theta was {lines.by_factor()['theta']:+,.0f} and cash flows were "
        f"{lines.by_factor()['cash_flows']:+,.0f}; all effects add up to the firm's P&L of {pnl_change:+,.0f}."
    )
    return SceneResult(facts, [_table(paid), lines, summary])


def _table(paid: tuple[CashPosting, ...]) -> Sheet:
    columns = [names("Trader"), names("Instrument"), numbers("Quantity", 0), numbers("Cash"), words("Status")]
    table = Sheet(f"Cash postings of {_DAYS} days, the largest first", columns)
    for posting in sorted(paid, key=lambda item: -abs(item.amount))[:_MAX_ROWS]:
        amount = f"{posting.amount:+,.0f} {posting.currency}"
        table.add(posting.trader, posting.instrument, posting.quantity, amount, "ended" if posting.closed else "open")
    return table
