"""What lives in a platform, one of each: nodes, graphs, books, desks, stores, jobs, curves; for golden renders.

All is small, and the same on every day and every machine.
"""

import dataclasses
import datetime as dt

import numpy as np

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph
from bank_python.desk import TraderSpec, build_desk
from bank_python.desk.holdings import Options, Shares
from bank_python.instruments import Book, CreditCurve, DiscountCurve, Equity, Option, Position, VolSurface
from bank_python.market_data import MarketData
from bank_python.mc_engine import FactorModel, MCConfig, ReactiveRisk
from bank_python.mntable import Table, col
from bank_python.optimizer import CovarianceData
from bank_python.risk import (
    RISK_WEIGHTS,
    STRESS_SCENARIOS,
    RiskScoreHistory,
    component_scores,
    kelly_continuous,
    kelly_from_returns,
    kupiec_test,
    risk_score,
)
from bank_python.risk_models import (
    BlendPart,
    Curve,
    Surface,
    SurvivalCurve,
    SviSlice,
    VolatilityBlend,
    execution_frontier,
    execution_schedule,
    fit_garch,
    fit_har,
    pov_schedule,
)
from bank_python.trading_engine import ExecutionModel
from bank_python.walpole import JobConfig, JobRunner, ManualClock

DAY = dt.date(2026, 1, 5)
SMILES = [SviSlice(0.04, 0.1, -0.3, 0.0, 0.1), SviSlice(0.08, 0.1, -0.3, 0.0, 0.1)]


def priced():
    """Return a graph with an option, two positions and their book, up to date."""
    graph = DependencyGraph()
    spot, vol = graph.register(MarketData("SPY_SPOT", 600.0)), graph.register(MarketData("SPY_VOL", 0.2))
    graph.register(MarketData("XYZ_SPOT", domain="positive"))
    option = Option("SPY_CALL", spot_source=spot, vol_source=vol, rate_source=0.04, strike=620.0, expiry=0.5)
    share = Equity("SPY", spot_source=spot)
    held = [Position("Alice:SPY", instrument=share, quantity=1_000.0, cost=590.0)]
    held.append(Position("Alice:SPY_CALL", instrument=option, quantity=-10.0, multiplier=100.0, cost=30.0))
    graph.register(Book("Alice", held))
    graph.derive("FAILS", lambda spot: spot / 0.0, ["SPY_SPOT"])
    graph.recalculate()
    return graph


def node(name):
    return priced()[name]


def behind():
    graph = priced()
    graph["SPY_SPOT"].set_price(610.0)
    return graph["Alice"]


def scored_data():
    return component_scores(
        vol=0.182,
        high_yield_spread=0.0284,
        liquidation_days=12.5,
        liquidation_cost=0.0012,
        exposures={"SPY": 6e5, "TLT": 3e5, "GLD": 1e5},
        turbulent_probability=0.23,
    )


def score_history():
    history = RiskScoreHistory()
    for day in range(15):
        score = risk_score(dict.fromkeys(RISK_WEIGHTS, 0.6 * day))
        history = history.append(DAY + dt.timedelta(days=day), score)
    return history


def small_desk():
    holdings = Shares("AAPL", 1_000.0), Options("NVDA", 1.05, 0.5, -20.0)
    traders = (
        TraderSpec("Alice", "long_only", "shares", holdings),
        TraderSpec("<b>Bob</b>", "macro", "rates", holdings[:1]),
    )
    desk = build_desk(seed=7, traders=traders)
    desk.graph.recalculate()
    return desk


def store():
    kept = BarbaraDB.open("desk;default", path=":memory:")
    kept.update({"/Books/A": 1.0, "/Books/B": 2.0, "/Nodes/SPOT": 3.0})
    return kept


def closed_store():
    kept = store()
    kept.close()
    return kept


def runner():
    jobs = JobRunner(clock=ManualClock(start=1_767_600_000.0))
    jobs.add_job(JobConfig(name="fetch <quotes>", callable=dict, interval=5.0))
    return jobs


def discount_curve():
    made = DiscountCurve("SOFR", deposits={"3M": 0.043}, swaps={"1Y": 0.041, "5Y": 0.038}, as_of=DAY)
    DependencyGraph().register(made).value  # noqa: B018 - a display evaluates nothing
    return made


def credit_curve():
    made = CreditCurve("ACME_CDS", spreads={"1Y": 0.01, "5Y": 0.015}, discount_source=0.04, recovery=0.4)
    DependencyGraph().register(made).value  # noqa: B018
    return made


def surface_node():
    quotes = {(strike, 1.0): 0.2 + 0.01 * abs(strike - 100.0) / 10.0 for strike in (80.0, 90.0, 100.0, 110.0, 120.0)}
    made = VolSurface("SPY_SURFACE", spot_source=100.0, quotes=quotes)
    DependencyGraph().register(made).value  # noqa: B018
    return made


def factor_model():
    return FactorModel.given({"SPY_SPOT": 0.2, "SPY_VOL": 0.8})


def covariance():
    rho = np.array([[1.0, 0.3], [0.3, 1.0]])
    vols = np.array([0.2, 0.3])
    return CovarianceData(tickers=["SPY", "QQQ"], covariance=rho * np.outer(vols, vols), expected_returns=[0.06, 0.08])


def live_risk(is_read):
    graph = priced()
    made = ReactiveRisk([graph["Alice"]], graph, factor_model(), MCConfig(n_paths=256, random_seed=1))
    if is_read:
        graph.recalculate()
    return made


def table(count=3):
    names = ("Alice", "<i>Bob</i>", "[bold]Carol[/]")
    rows = [
        {"name": names[i % 3], "quantity": i, "price": None if i == 1 else 1.5 * i, "day": DAY} for i in range(count)
    ]
    return Table.from_rows([("name", str), ("quantity", int), ("price", float | None), ("day", dt.date)], rows)


def har():
    variances = np.exp(np.sin(np.arange(300.0)) + np.cos(1.7 * np.arange(300.0)) - 9.0)
    return fit_har(variances, (1, 5, 22))


def garch():
    shocks = np.sin(np.arange(400.0) ** 2) * np.exp(0.5 * np.sin(np.arange(400.0) / 25.0))
    return dataclasses.replace(fit_garch(shocks), iterations=8)  # steps may be more or fewer on another machine


def blend():
    missing = "not fitted: 133 variances give 0 rows; its weight goes to GARCH and ATR"
    garch = BlendPart("GARCH", 0.0123, 0.4, 0.4 / 0.7, "800 rows")
    parts = (BlendPart("HAR", None, 0.3, 0.0, missing), garch, BlendPart("ATR", 0.0151, 0.3, 0.3 / 0.7, "14 bars"))
    return VolatilityBlend(4.0, parts, 50_000.0, 4.0)


EXECUTION = {"vol": 0.95, "half_spread": 0.0625, "permanent_impact": 2.5e-7, "temporary_impact": 2.5e-6}


def fill_cost():
    model = ExecutionModel(slippage_bps=1.0, spread_bps=4.0, impact="square_root", fee_per_share=0.005)
    return model.price_of("sell", 12_000, 228.4, adv=4e7, daily_vol=0.015)


# By what it is, how it is made.
OBJECTS = {
    "node": lambda: node("Alice:SPY_CALL"),
    "node that fails": lambda: node("FAILS"),
    "node not read": lambda: Equity("SPY", spot_source=600.0),
    "contract": lambda: node("SPY_CALL"),
    "leaf": lambda: node("SPY_SPOT"),
    "leaf without a quote": lambda: node("XYZ_SPOT"),
    "graph": priced,
    "book": lambda: node("Alice"),
    "book behind its market": behind,
    "trader": lambda: small_desk().traders["Alice"],
    "traders": lambda: small_desk().traders,
    "desk": small_desk,
    "store": store,
    "closed store": closed_store,
    "runner": runner,
    "job status": lambda: runner().status("fetch <quotes>"),
    "curve": lambda: Curve([0.5, 1.0, 5.0], [0.98, 0.96, 0.82]),
    "credit curve": lambda: SurvivalCurve([1.0, 5.0], [0.98, 0.9]),
    "surface": lambda: Surface([1.0, 2.0], SMILES, [100.0, 102.0]),
    "discount curve node": discount_curve,
    "credit curve node": credit_curve,
    "surface node": surface_node,
    "factor model": factor_model,
    "covariance data": covariance,
    "risk on the graph": lambda: live_risk(is_read=True),
    "risk not computed": lambda: live_risk(is_read=False),
    "table": table,
    "long table": lambda: table(500),
    "view": lambda: table().restrict(col("quantity") > 0),
    "record": lambda: STRESS_SCENARIOS["gfc_2008"],
    "GARCH": garch,
    "HAR": har,
    "volatility blend": blend,
    "components": scored_data,
    "risk score of data": lambda: risk_score(scored_data(), missing="renormalise"),
    "risk score history": score_history,
    "Kelly": lambda: kelly_continuous(0.11, 0.15, 0.06),
    "Kelly of a sample": lambda: kelly_from_returns([0.02, -0.01, 0.015, -0.02] * 25, fraction=0.5, resamples=100),
    "execution schedule": lambda: execution_schedule(1e6, 5, 20, **EXECUTION, risk_aversion=1e-6),
    "execution frontier": lambda: execution_frontier(1e6, 5, 20, **EXECUTION),
    "volume schedule": lambda: pov_schedule(-5_000, [12_000, 8_000, 7_500.5, 0.0], 0.1),
    "fill cost": fill_cost,
    "figures": lambda: kupiec_test(5, 250, 0.01),
}
