"""Values of trading costs: optimal schedules, market impact, hedging with costs, the tax lots of a sale."""

from __future__ import annotations

import datetime as dt
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from bank_python.risk_models import (
    almgren_impact,
    black_scholes_price,
    execution_schedule,
    leland_number,
    leland_volatility,
)
from bank_python.trading_engine import Lots
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.numerics import Numbers
    from bank_python.risk_models import ExecutionSchedule, MarketImpact
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "execution"

_CHRISS = Source("R. Almgren and N. Chriss", 2000, "Optimal execution of portfolio transactions, Journal of Risk 3")
_LI = Source("R. Almgren, C. Thum, E. Hauptmann and H. Li", 2005, "Direct estimation of equity market impact, Risk 18")
_LELAND = Source("H. E. Leland", 1985, "Option pricing and replication with transactions costs, Journal of Finance 40")
_IRS = Source("Internal Revenue Service", 2009, "Publication 564, Mutual Fund Distributions")

_MARKET = {"vol": 0.95, "half_spread": 0.0625, "permanent_impact": 2.5e-7, "temporary_impact": 2.5e-6}
_STOCKS = {
    "IBM": {"adv": 6.561e6, "daily_vol": 0.0157, "shares_outstanding": 1.728e9},
    "DRI": {"adv": 1.929e6, "daily_vol": 0.0226, "shares_outstanding": 1.68e8},
}
# stock, days: permanent, temporary, realised impact in basis points
_IMPACTS = {
    ("IBM", 0.1): ("20", "22", "32"),
    ("IBM", 0.2): ("20", "15", "25"),
    ("IBM", 0.5): ("20", "8", "18"),
    ("DRI", 0.1): ("22", "32", "43"),
    ("DRI", 0.2): ("22", "21", "32"),
    ("DRI", 0.5): ("22", "12", "23"),
}
_PARTS = ("permanent", "temporary", "realised")
# cost, interval in years, its name: Leland number, volatility sold, volatility bought, price
_LELAND_ROWS = (
    (0.01, 1 / 52, "weekly", ("0.287681369588", "0.226952097993", "0.168797941979", "5.811149753")),
    (0.005, 1 / 12, "monthly", ("0.0690988298943", "0.206794470902", "0.192966439580", "5.425062566")),
    (0.01, 1 / 252, "daily", ("0.633301236847", "0.255601348732", "0.121111314608", "6.362485000")),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _schedules()
    yield from _impacts()
    yield from _leland()
    yield from _lots()


def _schedules() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _CHRISS, Provenance.QUOTED, "table 1: a million shares in 5 days")
    plan = partial(execution_schedule, 1e6, 5.0, 5, **_MARKET)
    what = "expected cost of equal trades"
    yield paper.value("almgren-chriss-cost", what, "662,500", lambda: plan().expected_cost)
    slow = cache(partial(plan, risk_aversion=1e-9))
    what = "variance of the cost at a risk aversion of 1e-9"
    yield paper.value("almgren-chriss-variance", what, "1.0812e12", lambda: slow().variance)
    what = "half-life of the order in days at a risk aversion of 1e-9"
    yield paper.value("almgren-chriss-half-life", what, "51.3", lambda: slow().half_life)
    fast = cache(partial(plan, risk_aversion=1e-6))
    closed: dict[str, Any] = {"kind": Provenance.COMPUTED, "place": "equations 20-23 at a risk aversion of 1e-6"}
    what = "urgency κ per day; the text says 0.61"
    yield paper.value("almgren-chriss-kappa", what, "0.60707616325", lambda: fast().kappa, **closed)
    compute = partial(_expected, fast)
    yield paper.value("almgren-chriss-cost-1e-6", "expected cost", "911226.986304", compute, **closed)
    for day, printed in enumerate(("541955.55437", "289854.21941", "147897.48782", "62141.80161"), start=1):
        what = f"shares left after day {day}"
        yield paper.value(f"almgren-chriss-left-{day}", what, printed, partial(_left, fast, day), **closed)


def _expected(plan: Callable[[], ExecutionSchedule]) -> float:
    return plan().expected_cost


def _left(plan: Callable[[], ExecutionSchedule], day: int) -> float:
    return float(plan().holdings[day])


def _impacts() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _LI, Provenance.QUOTED, "table 3: an order of a tenth of the daily volume, in basis points")
    for (stock, days), row in _IMPACTS.items():
        terms = _STOCKS[stock]
        impact = partial(almgren_impact, 0.1 * terms["adv"], days=days, **terms)
        for part, printed in zip(_PARTS, row, strict=True):
            key, what = f"impact-{stock}-{days:g}-{part}", f"{part} impact on {stock} in {days:g} days"
            yield paper.value(key, what, printed, partial(_basis_points, impact, part))


def _basis_points(impact: partial[MarketImpact], part: str) -> float:
    return 1e4 * float(getattr(impact(), part))


def _leland() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _LELAND, Provenance.COMPUTED, "closed forms; vol 0.2, S = K 100, T 0.25, r 0.1")
    for cost, interval, named, (number, sold, bought, price) in _LELAND_ROWS:
        said, key = f"cost {cost:.1%}, {named}", f"leland-{named}"
        terms = (0.2, cost, interval)
        vol = partial(leland_volatility, *terms)
        yield paper.value(f"{key}-number", f"Leland number, {said}", number, partial(leland_number, *terms))
        yield paper.value(f"{key}-sold", f"volatility of an option sold, {said}", sold, vol)
        compute = partial(vol, is_short=False)
        yield paper.value(f"{key}-bought", f"volatility of an option bought, {said}", bought, compute)
        yield paper.value(f"{key}-price", f"price of the call sold, {said}", price, partial(_call, vol))


def _call(vol: Callable[[], Numbers]) -> float:
    return float(black_scholes_price(100.0, 100.0, 0.25, 0.1, vol()))


def _lots() -> Iterator[PublishedValue]:
    irs = Cited(TOPIC, _IRS, Provenance.QUOTED, "table 3: 160 at $25, 240 at $20, 10 at $30; 210 sold at $32")
    bought = ((160, 25.0), (240, 20.0), (10, 30.0), (-210, 32.0))
    what = "basis of the shares sold, first in, first out"
    yield irs.value("irs-fifo-cost", what, "5,000", partial(_cost, "fifo", bought))
    funds = ((100, 10.0), (100, 12.0), (100, 26.0), (-150, 20.0))
    yield irs.value(
        "irs-average-cost",
        "basis of 150 of 300 shares that cost $4,800, average basis",
        "2,400",
        partial(_cost, "average", funds),
        place="single-category method",
    )


def _cost(method: str, trades: tuple[tuple[int, float], ...]) -> float:
    lots, cost = Lots(method), 0.0
    for day, (quantity, price) in enumerate(trades, start=1):
        lots, closed = lots.trade(quantity, price, dt.date(2009, 1, day))
        cost += sum(float(closing.cost) for closing in closed)
    return cost
