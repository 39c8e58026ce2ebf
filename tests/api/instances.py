"""One instance of each public class, for the tests of how they print.

Most of them come out of the arguments and results of :mod:`tests.api.valid_arguments` and of
:mod:`tests.render.sample_results`: :func:`instances` looks for them there, and in the fields of what it finds. The
rest is made here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import inspect
import logging
import threading
from enum import Enum
from types import SimpleNamespace
from typing import is_typeddict

import numpy as np

from bank_python import (
    backtester,
    barbara,
    dagger,
    desk,
    instruments,
    integrations,
    macro,
    market_data,
    mc_engine,
    mntable,
    numerics,
    optimizer,
    portfolio,
    risk,
    risk_models,
    trading_engine,
    walpole,
)
from bank_python.desk.view_builder import build_view
from bank_python.market_data.price_history import PriceHistoryTable
from tests.api.tail_arguments import of_tails
from tests.api.valid_arguments import CALL, CASES, ENGINE, HESTON, MACRO_PRICES, OPTION, PLAN, SURVIVAL
from tests.render.sample_results import KINDS, alerts, readings

PACKAGES = (
    *("backtester", "barbara", "dagger", "desk", "instruments", "integrations", "macro", "market_data", "mc_engine"),
    *("mntable", "numerics", "optimizer", "portfolio", "risk", "risk_models", "taleb"),
    *("trading_engine", "verification", "walpole"),
)
DAY = dt.date(2026, 1, 5)
AT = dt.datetime(2026, 1, 5, 15, 0, 4, tzinfo=dt.UTC)
TICKERS = ["AAPL", "JPM", "XOM"]
NAMES = ("Alice", "[bold]Bob[/]", "<b>Carol</b>", "Dave")

NOT_MADE = {
    "integrations.RiskfolioOptimizer": "its library is no dependency of the tests",
    "desk.DeskRisk": "it takes the history of a whole desk; tests/desk/test_risk.py has one",
}
"""Public classes of which no instance is made, with the reason."""


def public_classes():
    """Yield package, name and class of each public class that is no protocol."""
    for package in PACKAGES:
        module = importlib.import_module(f"bank_python.{package}")
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isclass(found) and not getattr(found, "_is_protocol", False):
                yield package, name, found


def instantiable():
    """Return the names of the public classes that may have instances, by class; errors and enumerations aside."""
    return {
        found: f"{package}.{name}"
        for package, name, found in public_classes()
        if not (issubclass(found, BaseException | Enum) or inspect.isabstract(found) or is_typeddict(found))
    }


def instances(path):
    """Return an instance of each public class, by class; files are written below `path`."""
    found, seen = {}, {}
    wanted = instantiable()
    roots = [
        *(
            made
            for function, given in CASES
            for made in (_called(function, given), given, getattr(function, "__self__", None))
        ),
        *(make(NAMES) for make in KINDS.values()),
        *(part for make in MAKERS for part in make(path)),
    ]
    for root in roots:
        _visit(root, found, seen, wanted)
    return found


def _called(function, given):
    """Call a case; its nodes have a name of their own, as other tests may have called it in the same graph."""
    return function(**(given | {"name": "SHOWN"} if function is mc_engine.ReactiveRisk else given))


def _visit(thing, found, seen, wanted, depth=0):
    if id(thing) in seen or depth > 5:
        return
    seen[id(thing)] = thing
    if type(thing) in wanted:
        found.setdefault(type(thing), thing)
    parts = ()
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        parts = [getattr(thing, field.name, None) for field in dataclasses.fields(thing)]
    elif isinstance(thing, dict):
        parts = list(thing.values())[:3]
    elif isinstance(thing, tuple | list):
        parts = thing if hasattr(thing, "_fields") else thing[:3]
    for part in parts:
        _visit(part, found, seen, wanted, depth + 1)


def of_a_graph(path):
    graph = dagger.DependencyGraph()
    leaf = graph.register(dagger.Leaf("LEAF", 100.0))
    node = graph.derive("NODE", lambda value: value * 2.0, [leaf])
    large = graph.register(dagger.LargeNode("LARGE", lambda value: np.full(1_000, value), [leaf]))
    contract = instruments.Instrument("PLAIN", {}, {})
    dated = instruments.DatedInstrument("DATED", {}, {}, "USD", 0.0)
    arrays = dagger.ArrayNode("ARRAY", {}, {})
    total = graph.sum("SUM", [node, leaf])
    journal = dagger.MemoryJournal()
    with graph.record(journal) as recorder:
        leaf.set(110.0)
        done = graph.recalculate()
    entries = [*journal]
    policies = dagger.OnRead(), dagger.Every(5.0), dagger.Moved(0.01, relative=True), dagger.Background()
    slope = graph.greeks([total], [leaf])[total, leaf]
    with graph.scenario({leaf: 90.0}) as layer, graph.snapshot() as snapshot, graph.batch() as batch:
        pass
    curve = instruments.DiscountCurve("DC", deposits={"3M": 0.05}, as_of=DAY)
    looked_up = instruments.LookupNode("ZERO", "zero_rate", [curve, 0.0, 1.0])
    yield from (leaf, node, large, contract, dated, arrays, total, journal, recorder, done, entries, *policies, slope)
    yield from (layer, snapshot, batch, graph, graph.profile(), graph.block([leaf]), looked_up)
    yield from (graph.subscribe(leaf, id), graph.explain("SUM"), graph.plan("LEAF"), graph.replay(journal))
    yield dagger.FileJournal(path / "journal")
    yield dagger.BarbaraJournal(barbara.BarbaraDB.open("x", path=":memory:"), "J")
    yield dagger.Failure(ValueError("no quote"), "LEAF", ValueError("no quote"))
    yield from (dagger.ProfileRow("Option", 10, 2, 0.1), dagger.Evaluation(1, 2.0))
    yield from (dagger.Flag("Whether."), dagger.Inferred("Level."), dagger.Source("Spot."), dagger.Term("Strike."))
    yield from (instruments.Argument("Day.", hint=float), instruments.Expiry("Expiry."), instruments.Label("Sector."))
    yield from (instruments.InferredLabel("Currency."), instruments.Lognormal(), instruments.Lookup("zero_rate"))
    yield OPTION.greeks()


def of_stores_and_tables(path):
    store = barbara.BarbaraDB.open("desk;default", path / "store.db")
    changes = []
    yield store.subscribe("/", changes.append)
    store["/A/b"] = 1.0
    yield from (store, changes, store.history("/A/b"), store.as_of(AT))
    table = mntable.Table.from_rows([("name", str), ("price", float)], [{"name": name, "price": 1.0} for name in NAMES])
    yield from (table, table.restrict(mntable.col("price") > 0.5), table.schema, -mntable.col("price"))
    yield from (mntable.col("price").descending(), mntable.col("price"))


def of_jobs(path):
    runner = walpole.JobRunner(clock=walpole.ManualClock())
    runner.add_job(walpole.JobConfig(name="j", callable=threading.active_count, interval=5.0))
    yield from (runner, runner.run_once("j"), runner.status("j"), walpole.SystemClock())
    yield walpole.JobContext("j", 1, logging.getLogger("j"), threading.Condition(), walpole.ManualClock())


def of_a_desk(path):
    made = desk.build_desk(seed=7)
    step = made.tick()
    trader = made.traders["Alice"]
    made.trade("Alice", trader.positions[0].instrument.name, 10.0)
    yield from (
        made,
        step,
        made.traders,
        trader,
        made.blotter,
        made.blotter.last(1),
        made.market,
        made.market.quotes,
        made.feed,
    )
    yield from (build_view(made), desk.read_settings(made.db))
    trading = desk.DeskTrading(made)
    yield from (trading, *trading.signals(["Alice"]), trading.trade_signals(["Diana"]))
    yield from (holding for spec in desk.TRADERS for holding in (spec, *spec.holdings))
    recording = market_data.RecordingFeed(market_data.SimulatedFeed(seed=1), path / "feed.jsonl")
    poll = recording.poll(["AAPL"])
    yield from (recording, poll, [*poll.ticks], recording.history("AAPL", "1mo"))
    recording.close()
    yield from (market_data.ReplayFeed(path / "feed.jsonl"), market_data.QuoteFailure("X", "no such symbol", "yahoo"))
    yield from (market_data.YahooFeed(session=object()), market_data.CcxtFeed(client=SimpleNamespace(id="kraken")))


def of_optimizers(path):
    rng = np.random.default_rng(3)
    returns = 0.0005 + 0.01 * rng.standard_normal((250, 3))
    data = optimizer.CovarianceData.from_returns(returns, TICKERS)
    further = {
        "tracking": {"benchmark": returns.mean(axis=1)},
        "black_litterman": {"views": [optimizer.View({"AAPL": 1.0}, 0.1)]},
    }
    for kind in optimizer.OPTIMIZERS:
        yield optimizer.create_optimizer(kind, data, **further.get(kind, {}))
    best = optimizer.create_optimizer("max_sharpe", data).optimize()
    frontier = optimizer.EfficientFrontier(data)
    yield from (data, best, best.performance(), frontier, frontier.points(5), optimizer.cvar_frontier(data, count=3))
    yield optimizer.estimate_covariance(returns, "ledoit_wolf")
    yield optimizer.budgeted_weights(data.covariance, np.full(3, 1 / 3))
    group = optimizer.Group("tech", ["AAPL"], upper=0.5)
    yield from (group, optimizer.Leverage(1.5), optimizer.Turnover(0.1, None), optimizer.WeightBounds((0.0, 1.0)))
    constraints = optimizer.Constraints(groups=[group])
    yield from (constraints, group.on(tuple(TICKERS)))
    yield from (optimizer.Rebalancer(best), optimizer.View({"AAPL": 1.0}, 0.1))
    yield from (integrations.PyPortfolioOptimizer("max_sharpe", data), integrations.QuantLibPricing())
    yield integrations.QuantLibOptimizer("min_variance", data)
    made = desk.build_desk(seed=7)
    for ticker in TICKERS:
        made.market.load_history(ticker, "2y")
    spots = {ticker: made.leaf(ticker) for ticker in TICKERS}
    live = optimizer.ReactivePortfolio(made.graph, made.market.history, TICKERS, spots=spots)
    yield live
    equities = [instruments.Equity(f"E:{ticker}", spot_source=spot) for ticker, spot in spots.items()]
    held = [instruments.Position(f"D:{share.name}", instrument=share, quantity=1.0) for share in equities]
    book = made.graph.register(instruments.Book("DRIFT", held))
    yield optimizer.BookDrift(made.graph, book, spots, dict.fromkeys(TICKERS, 1 / 3))


def of_numerics(path):
    square = np.diag([1.0, 2.0])
    yield numerics.solve_qp(square, [1.0, 1.0], lower=0.0)
    yield numerics.QuadraticProgram(square, *(np.ones(2),), np.ones((1, 2)), np.ones(1), *_bare())
    yield numerics.critical_line(square, [1.0, 2.0], [[1.0, 1.0]], [1.0], 0.0, 1.0)
    yield numerics.solve_penalties(square, [1.0, 1.0], E=[[1.0, 0.0]], f=[1.0], penalty=[10.0])
    yield numerics.least_squares(lambda x: x - 1.0, [0.0], [-5.0], [5.0])
    yield numerics.line_minimum(lambda x: x * x, np.linspace(-1.0, 1.0, 5))
    yield numerics.make_schedule(DAY, dt.date(2036, 1, 5), "3M", numerics.TARGET)
    yield from (numerics.TARGET, numerics.Tenor(6), numerics.gauss_hermite(64))
    yield from (kind([1.0, 2.0], [0.5, 0.6]) for kind in (numerics.Linear, numerics.LogLinear, numerics.MonotoneCubic))


def _bare():
    return np.zeros((0, 2)), np.zeros(0), np.zeros(2), np.ones(2), None


def of_models(path):
    tail = risk_models.TailConstraint(-0.1, -0.2, 0.05)
    yield from (risk_models.GaussianUnderTail(tail), risk_models.MaximumEntropyDistribution(tail, 0.05))
    yield from (risk_models.AbsoluteMeanDistribution(tail, 0.1), risk_models.PowerLawUpside(tail, 0.02))
    yield risk_models.USD_SOFR_OIS
    yield risk_models.StandardCds(DAY, dt.date(2031, 3, 20)).price(0.03, SURVIVAL)
    smile = risk_models.SviSlice(0.04, 0.1, -0.3, 0.0, 0.1)
    yield smile.to_jump_wings(1.0)
    strikes = np.linspace(-1.0, 1.0, 15)
    bad = risk_models.SviSlice(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
    yield risk_models.check_slices([1.0], [bad])
    yield risk_models.fit_slice(risk_models.SmileQuotes(1.0, strikes, bad.total_variance(strikes)))
    process = risk_models.HestonProcess(**HESTON)
    prices = [process.price(100.0, strike, 1.0, 0.02) for strike in (80.0, 90.0, 100.0, 110.0, 120.0)]
    yield risk_models.HestonProcess.calibrate(100.0, [80.0, 90.0, 100.0, 110.0, 120.0], 1.0, prices, 0.02)


def of_risk(path):
    yield from (*alerts(NAMES), *readings(NAMES), PLAN.without([0]), risk.Concentration(), risk.StressLoss())
    book = risk.AlertBook(barbara.BarbaraDB.open("x", path=":memory:"), now=lambda: AT)
    graph = dagger.DependencyGraph()
    share = instruments.Equity("A", spot_source=graph.register(market_data.MarketData("S", 100.0)))
    held = graph.register(instruments.Book("BOOK", [instruments.Position("P", instrument=share, quantity=10)]))
    board = risk.LimitBoard(graph, book)
    board.watch(risk.Limit("value", "FIRM", 500.0), held)
    board.check()
    yield from (book, board, risk.BookMeasure(graph, "SHARE", [held], risk.Concentration()))
    yield from (risk.DEFAULT_MAP, risk.GrossExposures())
    graph.register(market_data.MarketData("SPY_SPOT", 600.0))
    market = PriceHistoryTable()
    market.load("SPY", market_data.SimulatedFeed(seed=3).history("SPY", "2y"))
    yield from (risk.ReactiveVolatility(graph, market, "SPY"), risk.ReactiveRegimes(graph, market, "SPY"))
    yield (scored := risk.risk_score(risk.component_scores(vol=0.2, exposures=[1.0, 2.0]), missing="renormalise"))
    yield from (scored.lift, risk.SCORE_INPUTS["vol"], risk.RiskScoreHistory())
    line = KINDS["market line"](NAMES)
    yield from (line, line.line())
    yield mc_engine.GreekCheck("O", "delta", "pathwise", 0.5, 0.01, 0.51)
    yield ENGINE
    yield from (
        portfolio.RowProblem(3, "quantity", "x", "not a number"),
        portfolio.parse_option("SPY 2026-03-20 C 600"),
    )
    mine = portfolio.load_portfolio([("AAPL", 10.0, 200.0), ("JPM", 5.0, 150.0)], prices=_prices())
    yield from (mine, mine.specs)
    yield portfolio.History("here", ("A",), (DAY,), np.ones((1, 1)), has_levels=True)
    yield CALL


def of_macro(path):
    history = macro.simulate_macro(years=2, seed=3)
    board = macro.read_gauges(history)
    problems = macro.read_fred("DATE,X\n2026-01-05,1.0\n2026-01-06,x\n").problems
    yield from (history, history["DGS10"], board, board.quadrant, board.gauges[0], *macro.GAUGES[:1], *problems)
    yield from (board.gauges[0].thresholds, board["vix"].percentile, macro.STATED_PERCENTILES["vix"])
    yield from (macro.read_gauges(history.until("2024-08-01")).missing, macro.series_info("DGS10"))
    yield from (macro.macro_regime(board), macro.correlation_board(MACRO_PRICES, window=20).history("A", "B"))


def of_trading(path):
    ledger = KINDS["ledger"](NAMES)
    yield from (ledger, ledger.state, ledger.positions, ledger.bookings[2], ledger.bookings[6].closings)
    yield from (KINDS[kind](NAMES) for kind in ("statement", "reconciliation", "account history"))


def of_orders(path):
    order = trading_engine.Order("", "Alice", "A", "BUY", 100, price=10.0)
    engine = trading_engine.TradingEngine()
    yield from (order, engine.audit, engine.limits, trading_engine.Exposure(), engine.submit(order))
    yield from (engine.books, engine.order_book, trading_engine.ContractTerms(), trading_engine.Market())
    yield engine.submit(trading_engine.Order("", "Alice", "A", "BUY", 1, "LIMIT", 9.0, price=10.0))
    refused = engine.submit(trading_engine.Order("", "Alice", "A", "BUY", 1e6, price=10.0))
    momentum = trading_engine.MomentumSignal(["A"], 2)
    report = momentum.examine({"A": [10.0, 11.0]})
    yield from (momentum, report, *report.signals, trading_engine.MacroSignal(), *momentum.examine({}).problems)
    yield from (trading_engine.SignalOption("A", 30), trading_engine.PairDistance(0.1, 0.02, 0.05))
    yield from (trading_engine.TechMomentumSignal(["A"]), trading_engine.CreditArbSignal([("A", "B")]))
    yield from (trading_engine.GammaScalpSignal(["A"]), trading_engine.PairsTradeSignal([("A", "B")]))
    yield from (trading_engine.CarryTradeSignal(["AUDUSD"]), trading_engine.ContrarianSignal(["A"]))
    yield from (trading_engine.IndexArbSignal({"A": {"B": 1.0}}), trading_engine.MultiAssetSignal(["A"]))
    yield from (trading_engine.VolSpreadSignal([("A_VOL", "B_VOL")]), trading_engine.EventDrivenSignal({"A": [0.1]}))
    yield from (trading_engine.StatArbSignal([("A", "B")]), trading_engine.VolArbSignal(["A"]))
    yield from (engine, refused, refused.breaches[0], next(iter(engine.audit)), engine.audit.verify())


def of_option_trades(path):
    tracker, analysis = KINDS["option tracker"](NAMES), KINDS["trade analysis"](NAMES)
    yield from (tracker, *tracker.trades, tracker.bleed(), tracker.concentration(), tracker.open_options(), analysis)
    yield from (tracker.greeks(), tracker.shadow(), tracker.large_moves(), tracker.ruin(100.0), tracker.convexity())
    yield from (*tracker.buckets(), *tracker.closed(), tracker.alerts(), tracker.config, tracker.book().lines[0])
    yield tracker.import_csv([{"Symbol": "-SPY260619P500", "Quantity": "1", "Cost Basis Total": "(12.34)"}])
    folder = path / "exports"
    folder.mkdir(exist_ok=True)
    (folder / "positions.csv").write_text("Symbol,Quantity,Cost Basis Total\n-SPY260619P500,1,12.34\n")
    yield from (tracker.snapshot(), tracker.import_folder(folder), KINDS["snapshots"](NAMES))
    yield from (
        *analysis.round_trips,
        analysis.statistics,
        analysis.by("trader"),
        trading_engine.trade_luck([1.0, -1.0]),
        trading_engine.VolRule(),
    )


def of_backtests(path):
    trials = backtester.Trials()
    strategy, made = _Looking(), backtester.StatArbBacktest([("A", "B")])
    closes = {"A": [10.0, 11.0, 12.0, 11.0], "B": [10.0, 10.5, 10.0, 11.0]}
    tester = backtester.Backtester(strategy, data=closes, trials=trials)
    result = tester.run()
    yield from (tester, result, trials, *trials, trials.deflated_sharpe(result), strategy.context, strategy.engine)
    yield from (strategy.window, made, backtester.MacroBacktest(["A"]), backtester.MomentumBacktest(["A"]))
    yield from (backtester.VolArbBacktest(["A"]), backtester.Targets({"A": 0.5}, reason="a test"))
    backtester.Backtester(strategy.look, data=closes).run()
    loader = backtester.HistoricalDataLoader()
    loader.load_from_arrays(closes)
    yield from (loader, strategy.window)


class _Looking:
    """A strategy that keeps what it is given."""

    def on_bar(self, context, engine, date):
        self.context, self.engine, self.window = context, engine, None
        if date.endswith("03"):
            engine.submit_order("Ann", "A", "BUY", 10)

    def look(self, window):
        self.window = window


def _prices():
    days = [DAY + dt.timedelta(days=i) for i in range(60)]
    walk = 100.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(2).standard_normal((60, 2)), axis=0))
    rows = [{"date": day, "AAPL": a, "JPM": b} for day, (a, b) in zip(days, walk.tolist(), strict=True)]
    return mntable.Table.from_rows([("date", dt.date), ("AAPL", float), ("JPM", float)], rows)


MAKERS = (
    *(of_a_graph, of_stores_and_tables, of_jobs, of_a_desk, of_optimizers, of_numerics, of_models, of_risk, of_macro),
    of_trading,
    of_orders,
    of_option_trades,
    of_backtests,
    of_tails,
)  # fmt: skip
