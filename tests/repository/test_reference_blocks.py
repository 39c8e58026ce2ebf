"""The call shapes that other code was written against: the four engines and the market data, used from outside.

Each test is a short session as a user would type it, with public names alone, in an empty home and on the simulated
market (``BANK_PYTHON_FEED=simulated``), and asserts what the session ought to find.
"""

from __future__ import annotations

import inspect
import math
import threading
from datetime import datetime

import pytest

import bank_python
from bank_python import (
    BarbaraDB,
    Bond,
    Book,
    CreditDefaultSwap,
    DependencyGraph,
    Equity,
    FXRate,
    JobConfig,
    JobMode,
    JobRunner,
    MarketData,
    MarketDataManager,
    Option,
    Position,
    PowerLawOption,
    Table,
)

pytestmark = pytest.mark.usefixtures("offline_home")


def five_year_bond(rate=0.05):
    return Bond("TELCO_5Y", rate_source=MarketData("SOFR", price=rate), face=100, coupon_rate=0.06, maturity=5)


# --- tables -------------------------------------------------------------------------------------------


@pytest.fixture
def trades():
    table = Table([("counterparty", str), ("quantity", float), ("price", float)])
    table.extend(
        [
            {"counterparty": "ALPHA", "quantity": 1200, "price": 101.5},
            {"counterparty": "BETA", "quantity": 400, "price": 101.5},
            {"counterparty": "ALPHA", "quantity": 250, "price": 13.25},
        ]
    )
    return table


def test_restrict_then_project_gives_dict_rows(trades):
    view = trades.restrict(counterparty="ALPHA").project("quantity", "price")
    assert sorted(view, key=lambda row: row["price"]) == [
        {"quantity": 250.0, "price": 13.25},
        {"quantity": 1200.0, "price": 101.5},
    ]


def test_an_int_in_a_float_column_widens(trades):
    assert [type(row["quantity"]) for row in trades] == [float, float, float]


def test_an_aggregated_column_keeps_its_name(trades):
    totals = trades.aggregate("counterparty", {"quantity": "sum"})
    assert {row["counterparty"]: row["quantity"] for row in totals} == {"ALPHA": 1450.0, "BETA": 400.0}
    assert all(set(row) == {"counterparty", "quantity"} for row in totals)


def test_a_view_is_lazy_it_sees_rows_added_after_it(trades):
    view = trades.restrict(counterparty="BETA")
    trades.extend([{"counterparty": "BETA", "quantity": 1, "price": 2.0}])
    assert [row["quantity"] for row in view] == [400.0, 1.0]


# --- the store ----------------------------------------------------------------------------------------


def test_a_store_is_a_dict_over_rings():
    bond = five_year_bond()
    db = BarbaraDB.open("trading_desk;default")
    db["/Instruments/TELCO_5Y"] = bond
    db["/Config/currency"] = "USD"
    assert list(db.keys("/Instruments/")) == ["/Instruments/TELCO_5Y"]
    assert db["/Config/currency"] == "USD"
    assert db["/Instruments/TELCO_5Y"].value == bond.value


def test_desk_values_shadow_defaults_and_shine_through_when_deleted():
    defaults = BarbaraDB.open("default")
    defaults["/Config/currency"] = "EUR"
    desk = BarbaraDB.open("trading_desk;default")
    assert desk["/Config/currency"] == "EUR"
    desk["/Config/currency"] = "USD"
    assert (desk["/Config/currency"], defaults["/Config/currency"]) == ("USD", "EUR")
    del desk["/Config/currency"]
    assert desk["/Config/currency"] == "EUR"


# --- the graph ----------------------------------------------------------------------------------------


def test_a_rate_shock_revalues_the_bond():
    sofr = MarketData("SOFR", price=0.05)
    bond = Bond("TELCO_5Y", rate_source=sofr, face=100, coupon_rate=0.06, maturity=5)
    graph = DependencyGraph()
    graph.register(bond)
    before = bond.value
    sofr.set_price(0.07)
    graph.recalculate(sofr)
    assert 90 < bond.value < 100 < before < 110


def test_registering_brings_the_underliers():
    graph = DependencyGraph()
    bond = five_year_bond()
    graph.register(bond)
    assert [leaf.name for leaf in bond.underliers] == ["SOFR"]
    assert "SOFR" in graph


def test_every_built_in_instrument_values_itself_outside_a_graph():
    spot, rate, spread = (
        MarketData("SPOT", price=100.0),
        MarketData("RATE", price=0.04),
        MarketData("SPREAD", price=0.02),
    )
    share = Equity("SHARE", spot_source=spot)
    call = Option("CALL", spot_source=spot, vol_source=0.2, rate_source=0.04, strike=105, expiry=1, is_call=True)
    swap = CreditDefaultSwap(
        "CDS", spread_source=spread, rate_source=rate, notional=1e6, coupon=0.01, maturity=5, recovery=0.4
    )
    euro = FXRate("EURUSD", rate_source=MarketData("EURUSD_SPOT", price=1.1), base="EUR", quote="USD")
    anchor = MarketData("ANCHOR", price=3.5)
    tail = PowerLawOption(
        "TAIL", spot_source=spot, anchor_source=anchor, anchor_strike=105, strike=120, alpha=2.5, is_call=True
    )
    book = Book("BOOK", positions=[Position("LONG", instrument=share, quantity=10)], base_currency="USD")
    assert share.value == 100.0
    assert 7 < call.value < 9
    assert swap.value != 0
    assert math.isfinite(swap.value)
    assert euro.value == 1.1
    # (K - S0)^(1 - alpha), relative to the anchor's
    assert tail.value == pytest.approx(3.5 * (20 / 5) ** -1.5, rel=1e-12)
    assert book.value == pytest.approx(1000.0, rel=1e-15)


# --- jobs ---------------------------------------------------------------------------------------------


def test_a_periodic_job_runs_after_the_one_it_depends_on():
    done = []
    revalued = threading.Event()

    def fetch_prices():
        done.append("market_data")

    def revalue_book():
        done.append("revalue")
        revalued.set()

    db = BarbaraDB.open("trading_desk;default")
    runner = JobRunner(barbara=db)
    runner.add_job(JobConfig(name="market_data", callable=fetch_prices, mode=JobMode.PERIODIC, interval=0.05))
    runner.add_job(
        JobConfig(
            name="revalue", callable=revalue_book, mode=JobMode.PERIODIC, interval=0.1, depends_on=["market_data"]
        )
    )
    runner.start()
    try:
        assert revalued.wait(timeout=60)
    finally:
        stopped = runner.stop()
    assert stopped
    assert done[0] == "market_data"
    assert runner.status("revalue").successes == done.count("revalue")


# --- market data --------------------------------------------------------------------------------------


@pytest.fixture
def quoted_share():
    graph = DependencyGraph()
    db = BarbaraDB.open("desk;default")
    spot = MarketData("AAPL_SPOT", price=0.0)
    share = Equity("AAPL", spot_source=spot)
    graph.register(share)
    manager = MarketDataManager(graph, db)
    manager.register_ticker("AAPL", spot)
    return share, manager


def test_an_update_quotes_the_leaf_and_revalues_the_share(quoted_share):
    share, manager = quoted_share
    manager.update_all()
    assert share.value > 0
    assert share.value == share.underliers[0].value


def test_history_is_queried_as_rows(quoted_share):
    _, manager = quoted_share
    manager.load_history("AAPL", period="1mo")
    rows = list(manager.history.query("AAPL"))
    assert 15 <= len(rows) <= 31
    assert [row["date"] for row in rows] == sorted({row["date"] for row in rows})
    for row in rows:
        assert set(row) >= {"date", "open", "high", "low", "close", "volume"}
        assert isinstance(row["date"], datetime)
        assert 0 < row["low"] <= min(row["open"], row["close"]) <= max(row["open"], row["close"]) <= row["high"]


# --- the argument names others rely on ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MarketData", "name price"),
        ("Bond", "name rate_source face coupon_rate maturity"),
        ("Equity", "name spot_source"),
        ("Option", "name spot_source vol_source rate_source strike expiry is_call"),
        ("CreditDefaultSwap", "name spread_source rate_source notional coupon maturity recovery"),
        ("FXRate", "name rate_source base quote"),
        ("PowerLawOption", "name spot_source anchor_source anchor_strike strike alpha is_call"),
        ("Position", "name instrument quantity cost multiplier"),
        ("Book", "name positions base_currency"),
        ("JobConfig", "name callable mode interval depends_on retries"),
        ("JobRunner", "barbara"),
        ("MarketDataManager", "graph db feed"),
        ("MonteCarloEngine", "traders graph db"),
        ("MCConfig", "n_paths model random_seed executor"),
        ("SimulatedFeed", "seed"),
        ("build_desk", "seed feed"),
    ],
)
def test_constructor_takes_the_arguments_relied_on(name, arguments):
    assert set(arguments.split()) <= set(inspect.signature(getattr(bank_python, name)).parameters)


def test_defaults_relied_on():
    def default(name, argument):
        return inspect.signature(getattr(bank_python, name)).parameters[argument].default

    assert default("CreditDefaultSwap", "coupon") == 0.01
    assert default("CreditDefaultSwap", "recovery") == 0.4
    assert default("Option", "is_call") is True
    assert default("PowerLawOption", "is_call") is True
    assert default("Book", "base_currency") == "USD"
    assert default("Position", "cost") is None
    assert default("Position", "multiplier") == 1.0


def test_a_simulation_as_it_is_asked_for():
    desk = bank_python.build_desk(seed=7)
    traders, graph, db = desk.traders, desk.graph, desk.db
    engine = bank_python.MonteCarloEngine(traders, graph, db)
    results = engine.run(bank_python.MCConfig(n_paths=5_000, model="heston", random_seed=42))
    assert 0.0 < results.var_95 < results.var_99 < results.cvar_99
    assert set(results.by_trader()) == set(traders.names)
    assert len(results.stresses) == 8
    assert results.greek_checks


def test_risk_functions_as_they_are_asked_for():
    from bank_python.risk import (
        STRESS_SCENARIOS,
        christoffersen_test,
        expected_shortfall,
        gbm_paths,
        gbm_var,
        kupiec_test,
        value_at_risk,
    )

    assert kupiec_test(5, 250, 0.01).p_value == pytest.approx(0.1619, abs=1e-4)
    assert christoffersen_test([False] * 99 + [True], 0.01).statistic >= 0.0
    pnl = [-3.0, -1.0, 0.0, 1.0, 2.0] * 40
    assert value_at_risk(pnl, 0.99, method="historical") <= expected_shortfall(pnl, 0.99)
    assert gbm_paths(S0=100.0, mu=0.05, sigma=0.2, T=30 / 365, dt=1 / 365, n=10, seed=1).shape == (31, 10)
    risk = gbm_var(S0=100.0, mu=0.05, sigma=0.2, T=30 / 365, dt=1 / 365, n=1_000, level=0.99, seed=1)
    assert 0.0 < risk.var < risk.cvar
    assert {"GFC_2008", "COVID_2020", "FED_TAPER", "CRYPTO_CRASH", "gfc_2008", "fed_2025"} <= set(STRESS_SCENARIOS)
