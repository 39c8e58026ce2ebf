"""A view written by hand, for renders that do not depend on any market.

After a wanted change of the layout, ``python tests/desk/sample_screen.py`` writes the golden renders anew: look at
them before committing.
"""

import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":  # run by hand: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.traders import TRADERS
from bank_python.desk.view import (
    AlertView,
    BacktestView,
    ComponentView,
    ConditionsView,
    DeskView,
    FirmView,
    GaugeView,
    GreeksView,
    JobView,
    OrderView,
    PositionView,
    QuoteGroup,
    QuoteTrouble,
    QuoteView,
    RecalculationView,
    RiskView,
    Status,
    TailsView,
    TailView,
    TraderView,
    TradingView,
    TroubleView,
    Unit,
    WhatIf,
)

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(80, 24), (200, 60)]
TESTED_SIZES = [(80, 24), (120, 40), (200, 60)]
TAILS_SIZES = [(80, 24), (80, 44), (120, 40), (200, 60)]
NOW = datetime(2026, 1, 5, 15, 0, 4, tzinfo=UTC)
OUTAGE = "Yahoo did not respond in time: an outage or a slow network, the next poll tries again"


def greeks(delta, vega, theta):
    others = dict.fromkeys(("gamma", "rho", "dividend", "credit", "fx", "vanna", "volga", "charm"), 0.0)
    return GreeksView(delta=delta, vega=vega, theta=theta, **others)


def trader(i, spec):
    pnl = (-1.0) ** i * (1_000.0 + 11_317.0 * i)
    return TraderView(
        name=spec.name,
        strategy=spec.strategy,
        focus=spec.focus,
        positions=4 + i % 6,
        waiting=0,
        value=1e5 * (i + 1) ** 2,
        pnl=pnl,
        change=pnl / 8,
        trail=tuple(pnl * (k + 1) / 8 for k in range(8)),
        greeks=greeks(9_000.0 - 1_500.0 * i, 250.0 * i, -75.0 * i),
        var_99=21_000.0 * (i + 1),
        waits_for=(),
        stand_ins={},
    )


def order(i):
    status = "REJECTED" if i == 10 else "PENDING" if i == 7 else "FILLED"
    return OrderView(
        order_id=f"ORD-{50 + i:06d}",
        trader=TRADERS[i].name,
        strategy=TRADERS[i].strategy,
        instrument="NVDA_260204_138C" if i % 5 == 1 else f"{'ABCD'[i % 4] * 3}",
        side="SELL" if i % 3 else "BUY",
        order_type="LIMIT" if i == 7 else "MARKET",
        status=status,
        quantity=100.0 * (i + 1),
        filled=100.0 * (i + 1) if status == "FILLED" else 0.0,
        price=228.5 + i if status == "FILLED" else None,
        fees=0.5,
        submitted=NOW - timedelta(seconds=60 - 4 * i),
        why="Value of the order: 27,252,079 is above 10,000,000 (money)" if i == 10 else "mean of 10 closes 1.4% below",
    )


def quote(symbol, group, unit, price, change, *, simulated):
    state, source = "unquoted" if price is None else "fresh", "simulated" if simulated else "yahoo"
    return QuoteView(symbol, group.value, group, unit, price, change, state, "", source, simulated, None)


def quotes():
    shares = [("AAA", 12.0), ("BBB", 228.5), ("CCC", 1_020.25), ("DDD", 87.1)]
    yield from (
        quote(name, QuoteGroup.SHARES, Unit.PRICE, price, 0.02 - 0.0125 * i, simulated=False)
        for i, (name, price) in enumerate(shares)
    )
    yield quote("SPY", QuoteGroup.FUNDS, Unit.PRICE, 585.0, 0.0012, simulated=False)
    yield quote("EURUSD", QuoteGroup.FX, Unit.PRICE, None, None, simulated=False)
    yield quote("USDJPY", QuoteGroup.FX, Unit.PRICE, 152.5, -0.0007, simulated=False)
    yield quote("SOFR", QuoteGroup.RATES, Unit.PERCENT, 0.0431, 0.00005, simulated=True)
    yield quote("CDX_HY", QuoteGroup.CREDIT, Unit.BASIS_POINTS, 0.0333, 0.0003, simulated=True)
    yield quote("VIX", QuoteGroup.INDICES, Unit.POINTS, 17.25, 0.0, simulated=True)
    yield quote("BTC", QuoteGroup.CRYPTO, Unit.PRICE, 68_000.0, -0.031, simulated=False)


def positions():
    held = [
        ("Alice", "NVDA", "Equity"),
        ("Vivian", "NVDA_0.125Y_137.5P", "Option"),
        ("Nero", "CDX_HY_5Y", "CreditDefaultSwap"),
    ]
    lines = [
        PositionView(who, what, kind, 1_500.0 * (i - 3), 1.0, "USD", 2.5e5 * (i + 1), 43_210.0 - 17_000.0 * i)
        for i, (who, what, kind) in enumerate(held * 3)
    ]
    return (*lines, PositionView("Elena", "EURUSD", "FXRate", 5e6, 1.0, "USD", None, None))


def alert(number, severity, message):
    return AlertView(number, severity, "open", "VaR 99", "Tony", message, 604_045.0, 500_000.0, "", NOW, NOW)


def sample_conditions():
    scores = {"market_vol": 5.2, "credit_risk": 4.0, "liquidity": 1.5, "concentration": 6.1, "macro_regime": 7.0}
    weights = dict(zip(scores, (0.3, 0.25, 0.2, 0.15, 0.1), strict=True))
    below = dict(zip(scores, (4.2, 2.8, 0.0, 4.1, 4.0), strict=True))
    components = tuple(
        ComponentView(name, score, weights[name], weights[name] * score, below[name] or None, (f"data of {name}",))
        for name, score in scores.items()
    )
    return ConditionsView(
        index="SPY",
        vol=0.214,
        vol_model="GJR, Student-t",
        implied_vol=0.243,
        regime="turbulent",
        turbulence=0.83,
        regime_days=19.2,
        gauges=(
            GaugeView("curve slope", "the curve is inverted by 0.35 points; below the 10th percentile", "stress"),
            GaugeView("VIX", "the VIX is at 24.3; about the 79th percentile since 1990", "calm"),
        ),
        score=4.475,
        grade="BB",
        components=components,
        missing=(),
        better_grade="A",
        joint_fall=0.475,
        trail=(3.9, 4.1, 4.475),
        simulated=False,
    )


def sample_view():
    traders = tuple(trader(i, spec) for i, spec in enumerate(TRADERS))
    total = sum(line.pnl for line in traders)
    firm = FirmView(
        value=sum(line.value for line in traders),
        pnl=total,
        change=total / 8,
        trail=tuple(total * k for k in (0.2, 0.5, 1.0)),
        positions=len(positions()),
        waiting=3,
        greeks=greeks(*(sum(getattr(line.greeks, name) for line in traders) for name in ("delta", "vega", "theta"))),
    )
    classes = {"Equity": 218, "Position": 90, "Option": 22, "SumNode": 20, "Book": 14, "ProfitAndLoss": 14}
    worst = "VaR 99 of Tony is 604,045: 121% of its limit of 500,000"
    return DeskView(
        made=NOW - timedelta(seconds=3),
        tick=1_312,
        valuation_date=date(2026, 1, 5),
        feed="yahoo",
        market_time=NOW,
        firm=firm,
        traders=traders,
        positions=positions(),
        quotes=tuple(quotes()),
        sources=(),
        conditions=sample_conditions(),
        tails=None,
        risk=RiskView(671_079.0, 938_957.0, 800_000.0, 1_067_434.0, 5_441.0, 20_000, 1_309),
        limits=(),
        alerts=(alert("000001", "high", worst), alert("000002", "low", "something smaller")),
        trades=(),
        trading=TradingView(
            orders=61, filled=57, working=2, rejected=2, events=190, last=tuple(map(order, range(12))), killed=""
        ),
        backtests=(),
        nodes=683,
        recalculation=RecalculationView(378, 377, 1, 0.0021, classes),
        status=sample_status(),
    )


def sample_backtests():
    """Return the last back-tests of three strategies: on simulated prices, without a Sharpe ratio, one not readable."""
    until, saved = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 5, 14, 31, tzinfo=UTC)
    facts = {"until": until, "saved": saved, "problem": ""}
    return (
        BacktestView("MomentumBacktest", 0.2713, 0.8412, -0.1431, is_simulated=True, **facts),
        BacktestView("StatArbBacktest", 0.0, None, 0.0, is_simulated=False, **facts),
        BacktestView(
            "mine", None, None, None, None, None, is_simulated=False, problem="the key holds no result of a back-test"
        ),
    )


def tail(i, name):
    verdict = ("fragile", "robust", "antifragile")[i % 3]
    heuristic = {"fragile": -123_456.0 * (i + 1), "robust": 0.0, "antifragile": 15_000.0 * i}[verdict]
    return TailView(
        name=name,
        days=261,
        left=5.4 - 0.27 * i,
        left_error=1.3 - 0.06 * i,
        right=2.1 + 0.3 * i,
        right_error=0.4 + 0.05 * i,
        may_be_thin=i < 4,
        mad_sd=0.81 - 0.011 * i,
        max_to_sum=0.03 + 0.01 * i,
        heuristic=heuristic,
        heuristic_days=heuristic / 30_000.0,
        verdict=verdict,
        reason="",
    )


def sample_tails():
    """Return tails of all traders: one with few losses, one without a history, one whose tail is no power law."""
    lines = [tail(i, spec.name) for i, spec in enumerate(TRADERS)]
    few = "31 losses, fewer than 50"
    lines[2] = replace(lines[2], left=None, left_error=None, days=70, reason=few)
    blank = dict.fromkeys(("left", "left_error", "right", "right_error", "mad_sd", "max_to_sum", "heuristic_days"))
    lines[6] = replace(lines[6], **blank, days=0, reason="there are no past moves of TSLA_VOL")
    lines[4] = replace(lines[4], left=312.0, left_error=71.6)
    return TailsView(
        traders=tuple(lines),
        firm=replace(tail(3, "firm"), heuristic=-480_562.0, heuristic_days=-1.04),
        source="P&L of the present positions in each day's moves of the past year",
        shocks="spots ±5, 10 and 20 %",
        pace="every 60 s",
        as_of_tick=1_290,
        simulated=True,
    )


def job(name, state="succeeded", **facts):
    given = {"busy": None, "ago": 3.0, "took": 0.012, "due": 1.0, "runs": 41, "failures": 0, "note": ""} | facts
    return JobView(name=name, schedule="periodic every 2s", state=state, **given)


def sample_status():
    return Status(
        now=NOW,
        fresh=270,
        stale=1,
        unquoted=1,
        troubles={"SPY": QuoteTrouble("stale", 185.0, OUTAGE), "EURUSD": QuoteTrouble("unquoted", None, OUTAGE)},
        reasons=(TroubleView("stale", ("SPY",), 185.0, OUTAGE), TroubleView("unquoted", ("EURUSD",), None, OUTAGE)),
        polling=14.0,
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


def render(width, height, view=None):
    return "".join(f"{line.plain}\n" for line in arranged(view or sample_view(), width, height, FINE))


def render_tested(width, height):
    return render(width, height, replace(sample_view(), backtests=sample_backtests()))


def render_tails(width, height):
    return render(width, height, replace(sample_view(), tails=sample_tails()))


if __name__ == "__main__":
    for size in TAILS_SIZES:
        (GOLDEN / "tails_{}x{}.txt".format(*size)).write_text(render_tails(*size), encoding="utf-8")
    for size in SIZES:
        (GOLDEN / "desk_{}x{}.txt".format(*size)).write_text(render(*size), encoding="utf-8")
    for size in TESTED_SIZES:
        (GOLDEN / "backtests_{}x{}.txt".format(*size)).write_text(render_tested(*size), encoding="utf-8")
