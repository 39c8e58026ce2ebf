"""A frame and a pulse written by hand, for renders that do not depend on any market.

After a wanted change of the layout, ``python tests/desk/sample_screen.py`` writes the golden renders anew: look at
them before committing.
"""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":  # run by hand: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bank_python.dagger import Recalculation
from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.traders import TRADERS
from bank_python.desk.view import (
    FirmLine,
    Frame,
    JobLine,
    PositionLine,
    Pulse,
    QuoteGroup,
    QuoteLine,
    QuoteTrouble,
    RiskLine,
    TraderLine,
    TroubleLine,
    Unit,
    WhatIf,
)

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(80, 24), (200, 60)]
NOW = datetime(2026, 1, 5, 15, 0, 4, tzinfo=UTC)
OUTAGE = "Yahoo did not answer in time: an outage or a slow network, the next poll asks again"


def trader(i, spec):
    pnl = (-1.0) ** i * (1_000.0 + 11_317.0 * i)
    trail = tuple(pnl * (k + 1) / 8 for k in range(8))
    greeks = (9_000.0 - 1_500.0 * i, 250.0 * i, -75.0 * i)
    return TraderLine(
        spec.name,
        spec.strategy,
        spec.focus,
        4 + i % 6,
        0,
        1e5 * (i + 1) ** 2,
        pnl,
        pnl / 8,
        trail,
        *greeks,
        21_000.0 * (i + 1),
    )


def quotes():
    shares = [("AAA", 12.0), ("BBB", 228.5), ("CCC", 1_020.25), ("DDD", 87.1)]
    yield from (
        QuoteLine(name, QuoteGroup.SHARES, Unit.PRICE, price, 0.02 - 0.0125 * i, simulated=False)
        for i, (name, price) in enumerate(shares)
    )
    yield QuoteLine("SPY", QuoteGroup.FUNDS, Unit.PRICE, 585.0, 0.0012, simulated=False)
    yield QuoteLine("EURUSD", QuoteGroup.FX, Unit.PRICE, None, None, simulated=False)
    yield QuoteLine("USDJPY", QuoteGroup.FX, Unit.PRICE, 152.5, -0.0007, simulated=False)
    yield QuoteLine("SOFR", QuoteGroup.RATES, Unit.PERCENT, 0.0431, 0.00005, simulated=True)
    yield QuoteLine("CDX_HY", QuoteGroup.CREDIT, Unit.BASIS_POINTS, 0.0333, 0.0003, simulated=True)
    yield QuoteLine("VIX", QuoteGroup.INDICES, Unit.POINTS, 17.25, 0.0, simulated=True)
    yield QuoteLine("BTC", QuoteGroup.CRYPTO, Unit.PRICE, 68_000.0, -0.031, simulated=False)


def positions():
    held = [
        ("Alice", "NVDA", "Equity"),
        ("Vivian", "NVDA_0.125Y_137.5P", "Option"),
        ("Nero", "CDX_HY_5Y", "CreditDefaultSwap"),
    ]
    lines = [
        PositionLine(who, what, kind, 1_500.0 * (i - 3), 2.5e5 * (i + 1), 43_210.0 - 17_000.0 * i)
        for i, (who, what, kind) in enumerate(held * 3)
    ]
    return (*lines, PositionLine("Elena", "EURUSD", "FXRate", 5e6, None, None))


def sample_frame():
    traders = tuple(trader(i, spec) for i, spec in enumerate(TRADERS))
    total = sum(line.pnl for line in traders)
    worth = sum(line.value for line in traders)
    firm = FirmLine(
        worth, total, total / 8, date(2026, 1, 5), 1_312, "yahoo", NOW, 3, tuple(total * k for k in (0.2, 0.5, 1.0))
    )
    classes = {"Equity": 218, "Position": 90, "Option": 22, "SumNode": 20, "Book": 14, "ProfitAndLoss": 14}
    done = Recalculation(1_312)
    for name, count in classes.items():
        done.add(type(name, (), {}), count)
    done.changed, done.failed, done.seconds = 377, 1, 0.0021
    alert = "VaR 99 of Tony is 604,045: 121% of its limit of 500,000"
    risk = RiskLine(671_079.0, 938_957.0, 1_067_434.0, 5_441.0, 20_000, 1_309, 2, alert)
    return Frame(NOW - timedelta(seconds=3), firm, traders, tuple(quotes()), positions(), 683, done, risk)


def job(name, state="succeeded", **facts):
    given = {"busy": None, "ago": 3.0, "took": 0.012, "due": 1.0, "runs": 41, "failures": 0, "note": ""} | facts
    return JobLine(name=name, schedule="periodic every 2s", state=state, **given)


def sample_pulse():
    return Pulse(
        now=NOW,
        fresh=270,
        stale=1,
        unquoted=1,
        troubles={"SPY": QuoteTrouble("stale", 185.0, OUTAGE), "EURUSD": QuoteTrouble("unquoted", None, OUTAGE)},
        reasons=(TroubleLine("stale", ("SPY",), 185.0, OUTAGE), TroubleLine("unquoted", ("EURUSD",), None, OUTAGE)),
        asking=14.0,
        dirty=0,
        evaluations=15_640,
        ticks=1_312,
        what_if=WhatIf("shares -10%", -2_990_014.0, 0.003),
        jobs=(
            job("market_data", "running", busy=14.0, due=None),
            job("revaluation", "held", note="waits for 'market_data'"),
            job("risk", due=2.0, took=0.004),
            job("what_if", due=8.0),
            job("snapshot", "failed", due=25.0, failures=2, note="StoreError: the disk is full"),
        ),
    )


def render(width, height):
    return "".join(f"{line.plain}\n" for line in arranged(sample_frame(), sample_pulse(), width, height, FINE))


if __name__ == "__main__":
    for size in SIZES:
        (GOLDEN / "desk_{}x{}.txt".format(*size)).write_text(render(*size), encoding="utf-8")
