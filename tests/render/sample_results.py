"""Results written by hand, one of each kind that is shown as a table, for renders that depend on no market.

After a wanted change, ``python tests/render/sample_results.py`` writes the golden renders anew: look at them before
committing.
"""

import dataclasses
import datetime as dt
import io
import re
import sys
from functools import cache
from pathlib import Path

if __name__ == "__main__":  # run by hand: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from rich.console import Console

from bank_python.backtester import (
    Backtester,
    NullBooks,
    Rung,
    SweepResult,
    Verdict,
    WalkForward,
    WalkForwardWindow,
    make_tearsheet,
)
from bank_python.barbara import BarbaraDB
from bank_python.dagger import Explanation, Greeks, Ladder, Plan, Profile, ProfileRow, Recalculation
from bank_python.desk.showcase.views import (
    bars_view,
    changes_view,
    jobs_view,
    recalculation_view,
    sources_view,
    traders_view,
    troubles_view,
)
from bank_python.display import as_html
from bank_python.integrations import Comparison, Figure
from bank_python.integrations.portfolio_comparison import PortfolioComparison, PortfolioRow
from bank_python.macro import (
    Direction,
    GaugeBoard,
    GaugeState,
    MacroHistory,
    MissingGauge,
    Quadrant,
    correlation_board,
    read_gauges,
    simulate_macro,
    trend_board,
)
from bank_python.mc_engine import MCResult
from bank_python.mntable import Table
from bank_python.optimizer.certificate import Certificate
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.frontier import EfficientFrontier
from bank_python.optimizer.portfolio import portfolio_of
from bank_python.optimizer.rebalancer import AssetDrift, RebalancePlan, Trade
from bank_python.render_risk import alerts_view, limits_view, stress_view
from bank_python.risk import (
    EFFECTS,
    GREEKS,
    BookGreeks,
    PnLAttribution,
    kelly_weights,
    liquidation_schedule,
    liquidity_adjusted_var,
    risk_score,
)
from bank_python.risk.alerts import Alert, Severity
from bank_python.risk.attribution import AttributionMode
from bank_python.risk.contributions import Contribution
from bank_python.risk.limits import Limit, LimitReading
from bank_python.risk.market_line import security_market_line
from bank_python.risk.regimes import RegimeFit
from bank_python.risk.reverse_stress import ReverseStress
from bank_python.risk.sensitivity import SensitivityGrid, SensitivityLadder
from bank_python.risk.stress import StressResult
from bank_python.risk.tail_risk import TailMethod, TailRisk
from bank_python.risk_models import adf_test, engle_granger, johansen, scan_pairs
from bank_python.risk_models.markov_switching import SearchReport, SwitchingErrors
from bank_python.row_problems import RowProblem
from bank_python.trading_engine import (
    ClosedTrade,
    ConversionEvent,
    DepositEvent,
    FillEvent,
    FolderImport,
    ImportReport,
    InterestEvent,
    Ledger,
    Lots,
    MarginPosition,
    TrackerConfig,
    TradeAnalysis,
    TradeTracker,
    liquidation_plan,
)
from bank_python.trading_engine.closed_options import closed_by_name
from bank_python.walpole import RunOutcome
from tests.render.sample_objects import OBJECTS

GOLDEN = Path(__file__).parent / "golden"
WIDTHS = [80, 120, 200]
NAMES = (
    "Alice",
    "[bold]TSLA_0.125Y_260.5P[/]",
    "東京海上",
    "A desk whose name is longer than any table of numbers has room for",
)
STEPS = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
AT = dt.datetime(2026, 1, 5, 15, 0, 4, tzinfo=dt.UTC)


def amounts(count, scale=1e5):
    return [scale * (i + 1) * (-1.0) ** i for i in range(count)]


def greeks_by_book(names):
    columns = {greek: np.array(amounts(len(names), 10.0**i)) for i, greek in enumerate(GREEKS)}
    return BookGreeks(names, names, names, names, "USD", columns, {names[0]: ValueError("no quote")})


def attribution(names):
    figures = {effect: np.array(amounts(len(names), 10.0 * (i - 3))) for i, effect in enumerate(EFFECTS)}
    errors = {names[0]: ValueError("no quote")}
    return PnLAttribution(AttributionMode.TAYLOR, "USD", names, names, names, figures, errors)


def explanation(names):
    below = tuple(Explanation(name, "Leaf", "", 100.0 + i, {}, i, 99.0, ()) for i, name in enumerate(names))
    return Explanation(names[0], "Option", "Option.price", 1.25, {"strike": 100.0}, 7, 1.5, below, 3)


def ladder(names):
    values = np.array([-1e6, 2e5, 0.0, np.nan, 3e6])
    errors = (None, None, None, ZeroDivisionError("no"), None)
    return Ladder(names[0], names[1], 100.0, 0.0, STEPS, 100.0 * (1.0 + STEPS), values, errors, relative=True)


def greeks(names):
    count = len(names)
    table = np.array(amounts(count * count)).reshape(count, count)
    return Greeks(names, names, np.array(amounts(count)), table, table / 1e7, np.full(count, 1.0))


def profile(names):
    made = Profile()
    made._rows = {name: ProfileRow(name, 5000 // (i + 1), i + 1, 0.01 / (i + 1)) for i, name in enumerate(names)}
    return made


def stresses(names):
    by_unit = dict(zip(names, amounts(len(names)), strict=True))
    return [StressResult(name, name, -3e6 * i, by_unit, 31, i, names[:i], names[:i]) for i, name in enumerate(names)]


def readings(names):
    return [LimitReading(Limit("VaR 99", name, 5e5), 2e5 * i) for i, name in enumerate(names)] + [
        LimitReading(Limit(name, "firm", 0.25), 0.3) for name in names
    ]


def alerts(names):
    return [
        Alert(
            str(i), severity, "VaR 99", name, f"VaR 99 of {name} is 604,045: 121% of its limit", 1.0, 1.0, name, AT, AT
        )
        for i, (severity, name) in enumerate(zip(Severity, names, strict=False))
    ]


def simulation(names):
    parts = tuple(
        Contribution(name, value, 1.2 * value) for name, value in zip(names, amounts(len(names)), strict=True)
    )
    tails = (
        TailRisk(TailMethod.PARAMETRIC, 0.95, 9.5e5, 1.2e6, 101, 2e3),
        TailRisk(TailMethod.HISTORICAL, 0.99, 9.9e5, 1.3e6, 101, 2e3, 3e3),
    )
    both = {"0.95": parts, "0.99": parts}
    pnl = np.linspace(-1e6, 1e6, 101)
    factor_model = f"by {names[0]}"
    return MCResult(
        "gbm", "full", factor_model, 101, 7, 1 / 252, "USD", 3, pnl, tails, both, both, tuple(stresses(names))
    )


def covariances(names, means=None):
    spread = np.diag([0.01 * (i + 1) for i in range(len(names))]) + 0.001
    means = [0.03 * (i + 1) for i in range(len(names))] if means is None else means
    return CovarianceData(tickers=list(names), covariance=spread, expected_returns=means)


def portfolio(names):
    weights = [1.0 / len(names)] * len(names)
    proof = Certificate(kkt_residual=2e-16, duality_gap=3e-15, at_lower=names[:1], binding=names[:1])
    return portfolio_of(covariances(names), "max_sharpe", weights, proof, risk_free_rate=0.02, figures={"cost": 0.01})


def portfolios(names):
    rows = tuple(PortfolioRow(name, "1.0", portfolio(names), 0.1, 1e-9, 1e-8, 0.0, 0.012) for name in names)
    return PortfolioComparison("hrp", "variance", rows, ((names[0], "not installed"),))


def rebalancing(names):
    trades = tuple(Trade(name, 1_000.0, 10.0, 10_000.0, 5.0) for name in names[:2])
    drifts = tuple(AssetDrift(name, 0.25, 0.05, 0.1, 0.0) for name in names)
    return RebalancePlan(trades, drifts, 1e6, 100.0, 10.0)


def market_line(names):
    some = {name: 0.5 + i for i, name in enumerate(names)}
    return security_market_line(some, dict.fromkeys(names, 0.1), risk_free_rate=0.04, market_return=0.09)


def partial_score(names):
    shares = {**{name: 0.5 / len(names) for name in names}, "missing": 0.5}
    return risk_score(dict.fromkeys(names, 4.5), weights=shares, missing="renormalise")


def regimes(names):
    pair, chain = np.array([-0.36, 1.16]), np.array([[0.75, 0.25], [0.1, 0.9]])
    probabilities = np.array([[0.2, 0.8], [0.6, 0.4], [0.07, 0.93]])
    errors = SwitchingErrors(np.array([0.26, np.nan]), pair, pair[:1], chain)
    series, variances, figures = np.array([0.5, 1.5, -0.5, 2.0]), np.array([0.59, 0.6]), (-181.263, -190.0)
    fitted = (pair, variances, pair[:1], chain, probabilities, probabilities, *figures, errors)
    return RegimeFit(series, None, names[0], 1, True, *fitted, SearchReport(False, 0.5, 22, 10, 3, 2))


def table(names):
    schema = [("name", str), ("kind", str), ("quantity", int), ("price", float | None)]
    names = [name.encode("utf-8", "replace").decode() for name in names]  # a table refuses half a character
    rows = [
        {"name": name, "kind": name, "quantity": 1_000, "price": 12.5 if i else None} for i, name in enumerate(names)
    ]
    return Table.from_rows(schema, rows)


def compared(names):
    figures = tuple(Figure(name, 1.0 / 3.0, 1.0 / 3.0) for name in names)
    return Comparison(names[0], f"QuantLib {names[0]}", figures, 1e-5, 1e-7, 2e-5)


def recalculated(names):
    done = Recalculation(3)
    done.add(type("Option", (), {}), 22)
    done.changed, done.seconds = 20, 0.002
    return recalculation_view(f"{names[0]} ticked", done, 683)


def figures(names):
    keys = ("trader", "strategy", "focus", "positions", "waiting", "value", "pnl")
    return [dict(zip(keys, (name, name, name, 7, 1, 6.01e6, -4_857.0), strict=True)) for name in names]


def as_told(names):
    return dict(zip(names, amounts(len(names)), strict=True))


def matrix():
    return 1e3 * np.array(amounts(25)).reshape(5, 5)


def bar(name):
    return {"date": "2026-01-05", "open": 1.0, "high": 2.0, "low": 0.5, "close": None, "volume": 1e7, "source": name}


def wandering(names):
    """Return prices by name, of which the first follows the second one."""
    moves = np.random.default_rng(3).normal(size=(120, len(names)))
    logs = 0.01 * moves.cumsum(axis=0)
    logs[:, 0] = 0.02 * moves[:, 0] + 0.8 * logs[:, min(1, len(names) - 1)]
    days = [AT.date() + dt.timedelta(days=i) for i in range(len(logs))]
    return {name: dict(zip(days, (100.0 * np.exp(logs[:, j])).tolist(), strict=True)) for j, name in enumerate(names)}


# By what it is, how one of each kind is made for given names.
@cache
def simulated_gauges():
    return read_gauges(simulate_macro(years=2, seed=3))


def gauges(names):
    states = (GaugeState.STRESS, GaugeState.WATCH, GaugeState.CALM, GaugeState.CALM)
    named = zip(simulated_gauges().gauges[-len(names) :], names, states, strict=False)
    made = [dataclasses.replace(gauge, title=name, state=state) for gauge, name, state in named]
    absent = (MissingGauge("sahm", names[-1], "needs UNRATE"),)
    quadrant = Quadrant(Direction.FALLING, Direction.STEADY, "none", "none")
    return GaugeBoard(AT.date(), tuple(made), absent, quadrant, 3)


def macro_history(names):
    series = [
        dataclasses.replace(one, name=name, title=name) for one, name in zip(_simulated().series, names, strict=False)
    ]
    return MacroHistory(tuple(series), AT.date(), remarks=(names[0],))


@cache
def _simulated():
    return simulate_macro(years=1, seed=3)


def walks(names):
    levels = 100.0 * np.exp(0.01 * np.random.default_rng(3).normal(size=(80, len(names))).cumsum(axis=0))
    days = [AT.date() + dt.timedelta(days=i) for i in range(80)]
    return {name: list(zip(days, levels[:, j].tolist(), strict=True)) for j, name in enumerate(names)}


def ledger(names):
    made = Ledger(currencies=["EUR"], method="fifo")
    made.book(DepositEvent("2026-01-05", 1e6))
    made.book_all(
        FillEvent("2026-01-05", name, 100.0 * (i + 1), 50.0, fees=1.5, why=name) for i, name in enumerate(names)
    )
    made.book_all(FillEvent("2026-01-06", name, -50.0, 49.0 + i, fees=1.5) for i, name in enumerate(names))
    made.book(ConversionEvent("2026-01-07", 1_085.0, "USD", 1_000.0, "EUR"))
    made.book(InterestEvent("2026-01-31", 12.34, why=names[0]))
    return made


def back_test(names):
    walked = {name: [100.0 + i + j for i in range(8)] for j, name in enumerate(names)}

    def hold(window):
        return {names[-1]: 0.9} if window.index == 0 else None

    return Backtester(hold, data=walked, fees_bps=5.0).run()


def tearsheet(names):
    equity = 1e6 * np.cumprod(1.0 + np.where(np.arange(60) % 3 == 0, -0.01, 0.008))
    days = [AT.date() + dt.timedelta(days=i) for i in range(60)]
    return make_tearsheet(equity, days, title=names[0], risk_free_rate=0.02, periods_per_year=252)


def null_books(names):
    ratios = {"flipped": [-1.2], "lagged": [0.9, 0.4, -0.1], "shuffled": [0.2, 1.4], "random": [1.3, -np.inf]}
    return NullBooks(names[0], 1.2, {kind: np.array(one) for kind, one in ratios.items()}, (1, 2, 5), 0.01, 0.0, True)


def verdict(names):
    rungs = [Rung(name, (True, False, None)[i % 3], 0.5, f"of {name}") for i, name in enumerate(names)]
    rungs += [Rung("random books", False, 0.4, "37 of 100"), Rung("probabilistic Sharpe", True, 0.97, "97.0%")]
    said = "no evidence beyond costs: 37 of 100 random books did as well or better"
    return Verdict(names[0], f"f({names[0]!r})", tuple(rungs), said, null_books(names), 250, 1.2, *"abc")


def walk(names):
    days = [AT + dt.timedelta(days=30 * i) for i in range(len(names) + 2)]
    windows = tuple(
        WalkForwardWindow({"share": name}, days[i], days[i], days[i + 1], days[i + 2], 1.0 - 0.5 * i, np.nan)
        for i, name in enumerate(names)
    )
    return WalkForward(names[0], windows, tuple(days[1:]), np.ones(len(days) - 1), 1.0, 0.4, ())


def swept(names):
    equities = 100.0 + np.cumsum(np.random.default_rng(3).normal(size=(len(names), 2, 40)), axis=-1)
    return SweepResult.from_equities({"book": [[name] for name in names], "size": [1, 2]}, equities, initial_cash=100.0)


def named_lots(names):
    made = Lots("named")
    for i, name in enumerate(names):
        made, _ = made.trade(10.0, 50.0 + i, AT, lot=name)
    return made


def account_history(names):
    days = [AT.date() + dt.timedelta(days=i) for i in range(20)]
    prices = {name: [50.0 + ((-1) ** j) * i * 0.1 for i in range(20)] for j, name in enumerate(names)}
    return ledger(names).history(prices, days, {"EUR": 1.08})


def option_tracker(names):
    """Return a tracker of puts and calls, with the names as purposes of the options."""
    market = {"spots": {"SPY": 570.0, "NVDA": 120.0}, "vols": {"SPY": 0.2, "NVDA": 0.5}, "rate": 0.04}
    tracker = TradeTracker(today=AT.date(), config=TrackerConfig(insurance_budget=6_000.0), **market)
    for name in names:
        tracker.log("-SPY260619P500", 10, 4.2, bucket=name)
        tracker.log("-NVDA260116C150", 2, 1.5, bucket=name, date="2025-12-01")
    tracker.log("-SPY260102P540", 5, 2.2, date="2025-12-01")
    tracker.log("-NVDA260116C150", 1, 4.5, "SELL_CLOSE")
    tracker.log("-NVDA260116C150", 2, 0.5, "SELL_CLOSE")
    return tracker


def snapshots(names):
    """Return snapshots of a tracker as it grows."""
    times = iter([AT + dt.timedelta(hours=i) for i in range(len(names) + 1)])
    db = BarbaraDB.open("options", path=":memory:")
    with TradeTracker(today=AT.date(), spots={"SPY": 570.0}, vols={"SPY": 0.2}, db=db, clock=times.__next__) as tracker:
        for name in names:
            tracker.log("-SPY260619P500", 10, 4.2, bucket=name)
            tracker.snapshot()
        tracker.log("-NVDA260619C150", 1, 7.0)
        tracker.snapshot()
        return tracker.snapshots()


def folder_import(names):
    """Return what was read from files with these names."""
    problem = RowProblem(3, "Price", "six", "is not a number; write it as 1234.56")
    reports = [ImportReport(f"{name}.csv", "history", 12, 5, {"no option": 2}, (problem,) * 4) for name in names[:2]]
    refused = {f"{name}.csv": "its columns are those of no file" for name in names[2:]}
    return FolderImport("exports", tuple(reports), refused)


def trade_analysis(names):
    """Return the analysis of two round trips of each name."""
    trades, closes = [], {}
    for i, name in enumerate(names):
        days = [AT + dt.timedelta(days=j) for j in range(9)]
        closes[name] = [(day, 100.0 + (-1.0) ** (i + j) * j) for j, day in enumerate(days)]
        for j in (0, 4):
            tags = {"instrument": name, "trader": name, "quantity": 10.0, "expected_price": 100.0}
            trades.append({**tags, "side": "BUY", "price": 100.1, "time": days[j], "fees": 1.0})
            trades.append({**tags, "side": "SELL", "price": 101.0 - i + j, "time": days[j + 3], "fees": 1.0})
    return TradeAnalysis(trades, closes, resamples=1_000)


KINDS = {
    "back-test": back_test,
    "tearsheet": tearsheet,
    "null books": null_books,
    "verdict": verdict,
    "walk forward": walk,
    "sweep": swept,
    "heat map": lambda names: swept(names).heat_map("size", "book"),
    "option tracker": option_tracker,
    "option concentration": lambda names: closed_by_name(
        ClosedTrade(name, name, 1_000.0, 500.0 * i, 500.0 * i - 1_000.0) for i, name in enumerate(names * 3)
    ),
    "snapshots": snapshots,
    "files of a broker": folder_import,
    "option Greeks": lambda names: option_tracker(names).greeks("bucket"),
    "option expiries": lambda names: option_tracker(names).open_options(),
    "shadow Greeks": lambda names: option_tracker(names).shadow(),
    "large moves": lambda names: option_tracker(names).large_moves(),
    "ruin": lambda names: option_tracker(names).ruin(5_000.0),
    "premiums": lambda names: option_tracker(names).bleed(),
    "option convexity": lambda names: option_tracker(names).convexity(),
    "trade analysis": trade_analysis,
    "trade groups": lambda names: trade_analysis(names).by("trader"),
    "Greeks of books": greeks_by_book,
    "Greeks of a graph": greeks,
    "Greeks compared": compared,
    "stress": lambda names: stress_view(stresses(names)),
    "reverse stress": lambda names: ReverseStress(
        1e6, 3.5, dict.fromkeys(names, 100.0), dict.fromkeys(names, -0.12), as_told(names)
    ),
    "ladder": ladder,
    "sensitivity ladder": lambda names: SensitivityLadder(
        names[0], STEPS, 100.0 * (1.0 + STEPS), matrix()[:2], names[:2], "USD"
    ),
    "gauges": gauges,
    "macro history": macro_history,
    "correlations": lambda names: correlation_board(walks(names), window=20),
    "trends": lambda names: trend_board(walks(names), walks=20),
    "grid": lambda names: SensitivityGrid((names[0], names[1]), STEPS, STEPS, matrix(), "USD"),
    "limits": lambda names: limits_view(readings(names)),
    "alerts": lambda names: alerts_view(alerts(names)),
    "tails": simulation,
    "attribution": attribution,
    "explanation": explanation,
    "plan": lambda names: Plan(names[0], names * 2, dict.fromkeys(names, 2), 2, (names, names)),
    "profile": profile,
    "weights": portfolio,
    "frontier": lambda names: EfficientFrontier(covariances(names), risk_free_rate=0.02),
    "comparison": portfolios,
    "rebalancing": rebalancing,
    "market line": market_line,
    "risk score": partial_score,
    "liquidation": lambda names: liquidation_schedule(
        dict(zip(names, amounts(len(names)), strict=True)), dict(zip(names, (1e6, 1e5, 5e5, 0.0), strict=False))
    ),
    "liquidity-adjusted VaR": lambda names: liquidity_adjusted_var(
        1e6, as_told(names), 0.002, spread_deviations=0.001, days=12.5
    ),
    "Kelly weights": lambda names: kelly_weights(
        [0.03 * (i + 1) for i in range(len(names))], np.diag([0.04] * len(names)) + 0.001, tickers=names
    ),
    "regimes": regimes,
    "unit root": lambda names: adf_test([*wandering(names)[names[0]].values()], 1),
    "cointegration": lambda names: engle_granger(
        (prices := wandering(names)).pop(names[0]), prices, 1, names=list(names), take_logs=True
    ),
    "Johansen": lambda names: johansen(wandering(names), take_logs=True),
    "pairs": lambda names: scan_pairs(wandering(names)),
    "ledger": ledger,
    "statement": lambda names: ledger(names).statement(dict.fromkeys(names, 51.0), {"EUR": 1.1}),
    "reconciliation": lambda names: dataclasses.replace(ledger(names).reconcile(), problems=names),
    "account history": account_history,
    "lots": named_lots,
    "margin call": lambda names: liquidation_plan(
        100.0,
        {name: MarginPosition((-1.0) ** i * 100.0 * (i + 1), 100.0) for i, name in enumerate(names)},
        cost=0.001,
    ),
    "table": table,
    "traders": lambda names: traders_view(figures(names)),
    "sources": lambda names: sources_view(
        [{"kind": name, "source": name, "quoted": 7, "states": {"fresh": 7}} for name in names]
    ),
    "troubles": lambda names: troubles_view([{"state": "stale", "tickers": list(names), "reason": names[-1]}]),
    "bars": lambda names: bars_view(names[0], [bar(names[0])]),
    "changes": lambda names: changes_view(f"P&L if {names[0]} fell", as_told(names)),
    "recalculation": recalculated,
    "jobs": lambda names: jobs_view(dict.fromkeys(names, (JobRun(),))),
}


class JobRun:
    outcome = RunOutcome.SUCCEEDED
    duration = 0.044


def shown(view, width):
    """Return what a terminal of that width is given, as text."""
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    console.print(view)
    return console.file.getvalue()


def page(width):
    whole = "\n".join(f"== {kind} ==\n{shown(make(NAMES), width)}" for kind, make in KINDS.items())
    return settled(whole)


def settled(said):
    """Return text without what differs: rounding on every machine, hashes of the code with every version."""
    said = re.sub(r"residual \de-\d\d", "residual 0e-00", said)
    return re.sub(r"fingerprint [0-9a-f]{16}", "fingerprint " + "0" * 16, said)


def html_pages():
    """Return the HTML of one of each kind by the name of its golden file, without pictures."""
    made = {kind: make(NAMES) for kind, make in KINDS.items()} | {kind: make() for kind, make in OBJECTS.items()}
    pages = {f"{kind.replace(' ', '_')}.html": as_html(thing, picture=False) for kind, thing in made.items()}
    return {name: settled(page) + "\n" for name, page in pages.items()}


if __name__ == "__main__":
    for name, html in html_pages().items():
        (GOLDEN / "html" / name).write_text(html, encoding="utf-8")
    for columns in WIDTHS:
        (GOLDEN / f"results_{columns}.txt").write_text(page(columns), encoding="utf-8")
