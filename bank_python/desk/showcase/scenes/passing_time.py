"""A quarter goes by: options expire into cash, coupons and premiums are paid, and the P&L says so."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bank_python.desk.rolling import roll_to
from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import Shown, scene
from bank_python.risk import PnLAttribution, capture, take_greeks
from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from bank_python.desk.rolling import CashPosting
    from bank_python.desk.showcase.stage import Stage

_DAYS = 100
_SHOWN = 12


@scene("TIME PASSES")
def passing_time(stage: Stage) -> Shown:
    """Roll the valuation date by a hundred days: what has expired is cash, and so are coupons and premiums."""
    desk = stage.desk
    require_quotes(desk)
    books = [trader.book for trader in desk.traders]
    opening, had = capture(books), desk.firm_pnl.value
    paid = roll_to(desk, desk.clock.date + dt.timedelta(days=_DAYS))
    desk.graph.recalculate()
    made = desk.firm_pnl.value - had
    lines = PnLAttribution.between(opening, capture(books), "waterfall")
    greeks = take_greeks(desk.traders)
    over = {posting.position for posting in paid if posting.closed}
    facts = {
        "valuation_date": desk.clock.date.isoformat(),
        "paid": {posting.position: posting.amount for posting in paid},
        "ended": sorted(over),
        "firm_pnl_change": made,
        "attributed": lines.actual,
        "by_factor": lines.by_factor(),
        "gamma_of_what_ended": sum(
            value for name, value in zip(greeks.positions, greeks.column("gamma").tolist(), strict=True) if name in over
        ),
    }
    said = (
        f"In {_DAYS} days prices made {lines.by_factor()['theta']:+,.0f}, "
        f"cash flows {lines.by_factor()['cash_flows']:+,.0f}; the lines add up to the firm's P&L of {made:+,.0f}."
    )
    return Shown(facts, [_table(paid), lines, said])


def _table(paid: tuple[CashPosting, ...]) -> Sheet:
    columns = [names("Trader"), names("Instrument"), numbers("Held", 0), numbers("Cash"), words("Ended")]
    shown = Sheet(f"Cash of {_DAYS} days", columns)
    for posting in sorted(paid, key=lambda item: -abs(item.amount))[:_SHOWN]:
        amount = f"{posting.amount:+,.0f} {posting.currency}"
        shown.add(posting.trader, posting.instrument, posting.quantity, amount, "ended" if posting.closed else "")
    return shown
