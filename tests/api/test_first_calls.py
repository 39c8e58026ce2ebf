"""What somebody types first, from memory of other libraries, works or is answered with the right word.

Never by a bare ``TypeError``, ``AttributeError`` or a message of NumPy. A wrong attribute has to be an AttributeError,
for ``hasattr``; it names what to use.
"""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from bank_python import (
    BarbaraDB,
    Bond,
    Book,
    Clock,
    Constraints,
    CovarianceData,
    CreditDefaultSwap,
    DependencyGraph,
    Desk,
    DiscountCurve,
    EfficientFrontier,
    Equity,
    FXRate,
    Group,
    HestonProcess,
    HistoryFeed,
    InterestRateSwap,
    MarketData,
    MarketDataManager,
    MCConfig,
    MeanVarianceOptimizer,
    MertonJumpDiffusion,
    MonteCarloEngine,
    Option,
    Portfolio,
    Position,
    Rebalancer,
    SimulatedFeed,
    Table,
    VolSurface,
    build_desk,
    create_optimizer,
    load_portfolio,
)
from bank_python.desk import DeskRisk
from bank_python.errors import BankError, CallError
from bank_python.guessing import OTHER_WORDS, guessable, made_by, what_was_meant
from bank_python.mc_engine import FactorModel
from bank_python.risk import Limit, backtest_var, capm_fit, kupiec_test, plan_valuation, run_stresses, value_at_risk
from bank_python.risk_models import Curve, black_scholes_price, implied_vol
from bank_python.walpole import JobConfig, JobRunner

RETURNS = np.random.default_rng(0).normal(0.0005, 0.01, (60, 3))
DATA = CovarianceData.from_returns(RETURNS, ["A", "B", "C"])
MEANS, COVARIANCE = DATA.expected_returns, DATA.covariance
PNL = np.random.default_rng(1).normal(size=500)
MADE = {"spot_source": 100.0, "vol_source": 0.2, "rate_source": 0.05, "strike": 100.0, "expiry": 1.0}
OPTION = Option("C", **MADE)
BOND = Bond("B", rate_source=0.04, face=100.0, coupon_rate=0.05, maturity=10.0)
SPOT = MarketData("AAPL_SPOT", 200.0)
SHARE = Equity("AAPL", spot_source=SPOT)
HELD = Position("P", instrument=SHARE, quantity=10.0)
GRAPH = DependencyGraph()
BOOK = GRAPH.register(Book("ALICE", [HELD]))
STORE = BarbaraDB.open(path=":memory:")
TABLE = Table([("a", float), ("b", str)])
CURVE = Curve([1.0, 2.0], [0.97, 0.94])
ZEROS = DiscountCurve("D", zero_rates={"1Y": 0.03, "5Y": 0.04})


@pytest.fixture(scope="module")
def desk():
    with build_desk(seed=7) as built:
        yield built


STRIKES = [80.0, 90.0, 100.0, 110.0, 120.0]
QUOTES = pd.DataFrame(
    [
        (expiry, strike, 0.2 + 0.1 * np.log(strike / 100) ** 2 + 0.01 * expiry)
        for expiry in (0.25, 1.0)
        for strike in STRIKES
    ],
    columns=["expiry", "strike", "iv"],
)
PIVOTED = QUOTES.pivot_table(index="expiry", columns="strike", values="iv")
DATED = pd.Series(PNL, index=pd.bdate_range("2024-01-01", periods=len(PNL)))
HITS = backtest_var(PNL, 2.0)


MINE = load_portfolio([{"ticker": "AAPL", "quantity": 10, "price": 200.0}])


def record(target):
    with GRAPH.record(target):
        pass


def assign(thing, name):
    setattr(thing, name, 3.0)


def rolled(clock, to):
    clock.roll(to)
    return clock


WORKS = {
    "frontier of means and covariance": lambda: EfficientFrontier(MEANS, COVARIANCE).min_volatility(),
    "weight_bounds": lambda: EfficientFrontier(MEANS, COVARIANCE, weight_bounds=(0.0, 0.5)).min_volatility(),
    "expected_returns, cov_matrix": lambda: EfficientFrontier(expected_returns=MEANS, cov_matrix=COVARIANCE),
    "estimator third": lambda: CovarianceData.from_returns(RETURNS, ["A", "B", "C"], "oas"),
    "seed of a simulation": lambda: MCConfig(seed=3),
    "a series of P&L": lambda: value_at_risk(pd.Series(PNL), 0.99),
    "expiry as a tenor": lambda: Option("T", **{**MADE, "expiry": "3M"}).value,
    "a book alone": lambda: plan_valuation(BOOK),
    "shocks": lambda: run_stresses(plan_valuation(BOOK), {"equity": -0.2}),
    "zero of a tenor": lambda: ZEROS.zero("18M"),
    "a curve by tenors": lambda: Curve(["1Y", "2Y"], [0.97, 0.94]).forward("1Y", "2Y"),
    "zero rates by tenors": lambda: Curve.from_zero_rates(["1Y", "2Y"], [0.03, 0.04]).discount([1, 2]),
    "an array of strikes": lambda: black_scholes_price(100, [90, 100], 1, 0.05, 0.2),
    "a weight by ticker": lambda: create_optimizer("min_volatility", DATA).optimize()["A"],
    "a table of a frame": lambda: Table.from_pandas(pd.DataFrame({"a": [1.0]})),
    "a surface of a frame of quotes": lambda: VolSurface.from_table("S", QUOTES, vol="iv", spot_source=100.0).vol(
        95, 0.4
    ),
    "a surface of a pivoted frame": lambda: VolSurface.from_vols(
        "S", PIVOTED.columns, PIVOTED.index, PIVOTED, spot_source=100.0
    ).vol(95, 0.4),
    "an estimator with a hyphen": lambda: CovarianceData.from_returns(RETURNS, ["A", "B", "C"], "ledoit-wolf"),
    "an interval as a timedelta": lambda: JobConfig(name="x", callable=print, interval=dt.timedelta(minutes=5)),
    "the risk of a desk from its package": lambda: DeskRisk.check,
    "a clock of text": lambda: rolled(Clock("CLOCK", "2026-01-02"), "2026-01-10").date,
}


@pytest.mark.parametrize("call", WORKS.values(), ids=WORKS)
def test_it_works(call):
    assert call() is not None


SAID = [
    (lambda: Option("C", 100, 100, 1.0, 0.05, 0.2), r"the rest by name, not 100: Option\('OPTION', spot_source=..."),
    (lambda: Option(spot=100, strike=100, expiry=1, rate=0.05, vol=0.2), r"Option needs a name first"),
    (
        lambda: Option("C", spot=100, K=100, T=1, r=0.05, sigma=0.2),
        "did you mean spot_source, strike, expiry, rate_source, vol_source",
    ),
    (lambda: Option("C", **MADE, option_type="put"), r"did you mean is_call\?"),
    (lambda: Option("C", **MADE, is_call="put"), "is_call='put' is neither true nor false"),
    (lambda: Option("C", **{**MADE, "spot_source": "AAPL"}), "must be a node or a finite number, not 'AAPL'"),
    (lambda: assign(OPTION, "value"), "the value of C cannot be assigned; it is computed: set the leaves"),
    (lambda: assign(OPTION, "strike"), r"write C.amend\(strike="),
    (lambda: OPTION + OPTION, r"C is a node, not a number; use C.value"),
    (lambda: float(OPTION), r"C is a node, not a number; use C.value"),
    (OPTION.price, r"Option.price: for the value of a contract write contract.value"),
    (lambda: sum([OPTION, OPTION]), r"use C.value"),
    (lambda: 2 * OPTION, r"use C.value"),
    (lambda: Equity("AAPL", 200.0), r"Equity\('EQUITY', spot_source=...\)"),
    (lambda: Equity("AAPL", price=200.0), r"did you mean spot_source\?"),
    (
        lambda: Bond("B", face_value=100, coupon=0.05, maturity=10, ytm=0.04),
        "did you mean face, coupon_rate, rate_source",
    ),
    (lambda: Bond("B", curve=CURVE, face=100, coupon_rate=0.05, maturity=10), r"did you mean rate_source\?"),
    (lambda: Position(SHARE, 10), "Position needs a name first, a non-empty string"),
    (lambda: Position("P", SHARE, 10), r"Position\('POSITION', instrument=..., quantity=...\)"),
    (lambda: Position("P", instrument=SHARE, qty=10), r"did you mean quantity\?"),
    (lambda: Book("B", HELD), "is not a list"),
    (lambda: Book("B", [SHARE]), "is not a Position; wrap the instrument in one"),
    (lambda: FXRate("EURUSD", 1.1), r"FXRate\('FXRATE', "),
    (
        lambda: InterestRateSwap("S", rate_source=0.03, notional=1e6, fixed=0.03, maturity=5),
        r"did you mean fixed_rate\?",
    ),
    (lambda: CreditDefaultSwap("F", spread=0.01, rate=0.03, notional=1e6), "did you mean spread_source, rate_source"),
    (lambda: MarketData(100.0), "a node needs a name"),
    (lambda: assign(SPOT, "value"), r"write leaf.set\(value\)"),
    (lambda: assign(SPOT, "price"), r"write leaf.set_price\(price\)"),
    (lambda: GRAPH.register("AAPL"), r"'AAPL' is not a node; register a quote, a contract or a book"),
    (lambda: GRAPH.register([SHARE]), "one at a time"),
    (lambda: GRAPH["APPL"], "did you mean 'AAPL'"),
    (lambda: GRAPH.scenario(AAPL_SPOT=3.0), r"scenario\(\) has no argument AAPL_SPOT"),
    (lambda: DependencyGraph([BOOK]), "takes 1 positional argument but 2 were given"),
    (lambda: BarbaraDB("desk"), r'made by BarbaraDB.open\("desk;default", path="desk.db"\)'),
    (lambda: BarbaraDB.open("desk.db"), "did you mean BarbaraDB.open"),
    (lambda: Table({"a": float}), r'declared by a pair such as \("price", float\)'),
    (lambda: TABLE["a"], r"project\('a'\) selects columns"),
    (lambda: TABLE.append(a=1.0, b="x"), "append.. has no argument a, b"),
    (lambda: TABLE.join(TABLE), "missing 1 required positional argument: 'on'; it takes"),
    (lambda: EfficientFrontier(COVARIANCE, MEANS), "give the expected returns, then the covariance"),
    (lambda: EfficientFrontier(DATA, risk_free=0.02), r"did you mean risk_free_rate\?"),
    (lambda: EfficientFrontier(DATA).points(), "missing 1 required positional argument: 'count'"),
    (lambda: EfficientFrontier(DATA).efficient_return("high"), "target_return='high' is not a number"),
    (lambda: create_optimizer("max_sharpe", DATA, weight_bounds=(0, 0.5)), r"did you mean bounds\?"),
    (lambda: create_optimizer("max_sharpe", DATA, rf=0.02), r"did you mean risk_free_rate\?"),
    (lambda: create_optimizer("hrp", DATA, long_only=True), r"did you mean bounds\?"),
    (lambda: create_optimizer(DATA, "hrp"), "give the kind first, then the data"),
    (lambda: MeanVarianceOptimizer(MEANS, COVARIANCE), "give CovarianceData"),
    (lambda: Constraints(weight_bounds=(0, 1)), r"did you mean bounds\?"),
    (lambda: Group("g", ["A"], max=0.5), r"did you mean upper\?"),
    (lambda: CovarianceData(COVARIANCE, ["A", "B", "C"]), "it takes tickers=, covariance="),
    (lambda: CovarianceData.from_returns(RETURNS, ["A", "B", "C"], frequency=252), r"did you mean periods_per_year\?"),
    (lambda: CovarianceData.from_returns(RETURNS, ["A", "B", "C"], reverse=True), r"did you mean newest_first\?"),
    (lambda: Rebalancer({"A": 0.5, "B": 0.5}, threshold=0.05), r"did you mean band\?"),
    (lambda: value_at_risk(PNL), "missing 1 required positional argument: 'confidence'"),
    (lambda: value_at_risk(PNL, alpha=0.05), r"did you mean confidence\?"),
    (lambda: value_at_risk(PNL, 99), "0.99 is usual"),
    (lambda: run_stresses(BOOK), "give a ValuationPlan"),
    (lambda: Limit("var", 100), "missing 1 required positional argument: 'maximum'"),
    (lambda: capm_fit(RETURNS[:, 0], RETURNS[:, 1], rf=0.02), r"did you mean risk_free_rate\?"),
    (lambda: MCConfig(n_sims=100), r"did you mean n_paths\?"),
    (lambda: MCConfig(seed=1, n_sims=100), r"no argument n_sims; did you mean n_paths\?"),
    (lambda: MCConfig(1000), "it takes n_paths="),
    (lambda: MCConfig(model="normal"), "choose one of 'gbm'"),
    (lambda: MonteCarloEngine(BOOK), "missing 1 required positional argument: 'graph'"),
    (lambda: FactorModel.given({"A": 0.2}, corr=[[1.0]]), r"did you mean correlation\?"),
    (lambda: black_scholes_price(S=100, K=100, T=1, r=0.05, sigma=0.2), "did you mean spot, strike, expiry, rate, vol"),
    (lambda: black_scholes_price(100, 100, 1, 0.05, 0.2, 0, "call"), "'call' is neither a number"),
    (lambda: black_scholes_price([1, 2], [1, 2, 3], 1, 0.05, 0.2), r"shapes \(2,\), \(3,\) do not broadcast"),
    (lambda: implied_vol(price=10, S=100, K=100, T=1, r=0.05), "did you mean spot, strike, expiry, rate"),
    (lambda: HestonProcess(v0=0.04, kappa=1, theta=0.04, xi=0.5, rho=-0.5), r"did you mean sigma\?"),
    (lambda: MertonJumpDiffusion(sigma=0.2, lam=1, mu_j=-0.1, sigma_j=0.1), "vol, jump_intensity, jump_mean, jump_vol"),
    (lambda: DiscountCurve("D", {"1Y": 0.03}), "it takes name, deposits=, swaps=, zero_rates="),
    (lambda: DiscountCurve("D", rates={"1Y": 0.03}), r"did you mean zero_rates\?"),
    (lambda: ZEROS.discount("2030-01-01"), "does not know its date"),
    (lambda: SimulatedFeed(tickers=["AAPL"]), r"did you mean universe\?"),
    (lambda: SimulatedFeed().poll(), "missing 1 required positional argument: 'symbols'"),
    (lambda: HistoryFeed(pd.DataFrame({"A": [1.0, 2.0]})), "is not a date"),
    (lambda: MarketDataManager(SimulatedFeed()), "it takes graph, db, feed"),
    (lambda: build_desk(7), "it takes seed="),
    (lambda: build_desk(path="desk.db"), r"did you mean db\?"),
    (lambda: build_desk(feed="bloomberg"), "choose one of simulated"),
    (lambda: Desk(), "made by build_desk"),  # noqa: PLW0108 - mypy would refuse the call
    (lambda: Portfolio([{"ticker": "AAPL", "quantity": 10}]), "made by load_portfolio"),
    (lambda: load_portfolio([{"ticker": "AAPL", "quantity": 10}], base="USD"), r"did you mean currency\?"),
    (lambda: JobConfig("x", print), "it takes name=, callable="),
    (lambda: JobConfig(name="x", func=print), r"did you mean callable\?"),
    (lambda: MCConfig(horizon=10), "in years, and above 3; 10 trading days are 10/252"),
    (lambda: kupiec_test(5, 500, 0.99), "1 less the confidence, 0.01 for 99 %"),
    (lambda: backtest_var(PNL, 2.0, confidence=99), r"confidence=99 lies outside \[0.5, 1\); 0.99 is usual"),
    (
        lambda: backtest_var(DATED, DATED.abs().shift(1, freq="B")),
        r"day 0 is 2024-01-01.* in pnl and 2024-01-02.* in var; give series of the same dates",
    ),
    (lambda: record("ticks.jsonl"), r"'ticks.jsonl' is not a journal; give FileJournal\(path\)"),
    (lambda: GRAPH.replay("ticks.jsonl"), r"give FileJournal\(path\)"),
    (lambda: GRAPH.replay(3), r"3 is not a journal"),
    (lambda: GRAPH.ladder(SPOT, [0.9, 1.0]), "missing 1 required positional argument: 'shocks'"),
    (lambda: GRAPH.ladder("AAPL_SPOT", [0.9, 1.0], SHARE), r"give ladder\(target, leaf, shocks\)"),
    (lambda: GRAPH.derive("N", abs, [SPOT], "throttle"), r"give one, such as Every\(1.0\)"),
    (lambda: GRAPH.derive("N", abs, [SPOT], throttle=1.0), r"did you mean policy\?"),
    (lambda: GRAPH.derive(abs, [SPOT]), "missing 1 required positional argument: 'inputs'"),
    (lambda: VolSurface.from_table("S", QUOTES, spot_source=100.0), "no column 'vol'; it has expiry, strike, iv"),
    (
        lambda: VolSurface.from_table("S", pd.concat([QUOTES, QUOTES]), vol="iv", spot_source=100.0),
        "two rows quote",
    ),
    (lambda: EfficientFrontier(DATA).plot(current={"A": 1.0}), r"did you mean portfolios\?"),
    (lambda: create_optimizer("max_sharpe", DATA, group_limits={"g": 0.5}), r"did you mean groups\?"),
    (lambda: create_optimizer("max_sharpe", DATA, max_turnover=0.3), r"did you mean turnover\?"),
    (lambda: create_optimizer("max_sharpe", DATA, current_weights={"A": 1.0}), r"did you mean current\?"),
    (lambda: JobRunner().add_job("x", print, interval=1), "add_job.. has no argument interval"),
    (lambda: JobRunner().add_job(print), r"as in JobConfig\(name=..., callable=..., interval=...\)"),
    (lambda: JobConfig(name="x", callable=print, max_retries=2), r"did you mean retries\?"),
    (lambda: JobConfig(name="x", callable=print, retry_delay=2), r"did you mean backoff\?"),
    (lambda: STORE.as_of("2026-01-05"), r"not '2026-01-05': .* as in datetime\(2026, 1, 5, 17, 30, tzinfo=UTC\)"),
    (lambda: STORE.as_of(dt.datetime(2026, 1, 5)), "add tzinfo=UTC"),  # noqa: DTZ001 - without a zone, as typed
    (lambda: Clock("C"), "missing 1 required positional argument: 'origin'"),
]


@pytest.mark.parametrize(("call", "said"), SAID, ids=[said for _, said in SAID])
def test_it_says_what_to_do(call, said):
    with pytest.raises(BankError, match=said):
        call()


ATTRIBUTES = [
    (OPTION, "NPV", ".value"),
    (HELD, "market_value", ".value"),
    (BOND, "duration", r".analytics\(\)"),
    (BOND, "dv01", ".rho"),
    (SPOT, "update", r".set\(value\)"),
    (GRAPH, "add", r"graph.register\(node\)"),
    (GRAPH, "set", r"graph\[name\].set\(value\)"),
    (GRAPH, "calculate", r"graph.recalculate\(\)"),
    (STORE, "put", r"db\[key\] = value"),
    (STORE, "query", r"db.items\(prefix\)"),
    (TABLE, "select", "project"),
    (TABLE, "filter", "restrict"),
    (TABLE, "groupby", "aggregate"),
    (TABLE, "head", "limit"),
    (TABLE, "to_df", "to_pandas"),
    (TABLE, "a", "column 'a' is no attribute; project"),
    (DATA, "cov", ".covariance"),
    (DATA, "mu", ".expected_returns"),
    (EfficientFrontier(DATA), "weights", r".max_sharpe\(\)"),
    (EfficientFrontier(DATA), "frontier", r".points\(count\)"),
    (MeanVarianceOptimizer(DATA), "fit", r".optimize\(\)"),
    (create_optimizer("min_variance", DATA).optimize(), "sharpe_ratio", ".sharpe"),
    (Rebalancer({"A": 1.0}), "rebalance", ".plan"),
    (CURVE, "df", r"discount\(t\)"),
    (ZEROS, "discount_factor", r"discount\(t\)"),
    (ZEROS, "npv", ".value"),
    (Clock("CLOCK", "2026-01-02"), "today", ".date"),
    (OPTION, "implied_volatility", r".implied_vol\(price\)"),
    (OPTION, "ladder", r"graph.ladder\(node, leaf, shocks\)"),
    (OPTION, "explain", r"graph.explain\(node\)"),
    (SPOT, "on_change", r"graph.subscribe\(node, function\)"),
    (GRAPH, "throttle", r"policy=Every\(seconds\)"),
    (GRAPH, "unsubscribe", ".cancel"),
    (GRAPH, "timings", "graph.profile"),
    (GRAPH, "stop_recording", "FileJournal"),
    (GRAPH, "set_prices", "graph.batch"),
    (STORE, "get_version", "db.as_of"),
    (STORE, "ls", "db.keys"),
    (TABLE, "to_polars", "to_arrow"),
    (TABLE, "describe", "to_pandas"),
    (ZEROS, "par_rate", "InterestRateSwap"),
    (ZEROS, "nodes", "to_pandas"),
    (ZEROS, "key_rates", "bumped"),
    (HITS, "kupiec", ".christoffersen.coverage"),
    (HITS, "breaches", ".exceptions"),
    (HITS, "zone", ".traffic_light.zone"),
    (create_optimizer("min_variance", DATA).optimize(), "trades", "Rebalancer"),
    (MINE, "cvar", ".expected_shortfall"),
    (MINE, "positions", "to_pandas"),
    (MINE, "market_value", ".value"),
    (MINE, "plot", ".stress"),
]


@pytest.mark.parametrize(
    ("thing", "name", "said"), ATTRIBUTES, ids=[f"{type(t).__name__}.{n}" for t, n, _ in ATTRIBUTES]
)
def test_an_attribute_of_another_library_is_answered_with_ours(thing, name, said):
    with pytest.raises(AttributeError, match=said):
        getattr(thing, name)
    assert not hasattr(thing, name)
    with pytest.raises(AttributeError, match=r"no attribute 'nothing_of_the_kind'$"):
        thing.nothing_of_the_kind  # noqa: B018 - the access is the test


def test_a_desk_is_asked_in_other_words(desk):
    for name, said in (
        ("pnl", "firm_pnl"),
        ("buy", "trade"),
        ("run", "tick"),
        ("var", "DeskRisk"),
        ("positions", "traders"),
        ("limits", r"bank_python.desk.DeskRisk"),
        ("attribution", "PnLAttribution.between"),
        ("advance", "roll"),
        ("explain", "graph.explain"),
        ("trader", "traders"),
    ):
        with pytest.raises(AttributeError, match=rf"no attribute '{name}'; use .*{said}"):
            getattr(desk, name)
    with pytest.raises(CallError, match=r"did you mean quantity\?"):
        desk.trade(desk.traders[0].name, "AAPL", qty=10)


# --- how it is done -------------------------------------------------------------------------------


@guessable
def simulate(spot, *, n_paths=10):
    """Raise what the caller asks for."""
    if spot is None:
        raise TypeError("inside the function")
    return spot * n_paths


def test_a_call_that_fits_is_left_alone():
    assert simulate(2) == 20
    assert simulate.__doc__ == "Raise what the caller asks for."
    with pytest.raises(TypeError, match=r"^inside the function$"):
        simulate(None)


def test_a_class_that_is_made_elsewhere_says_so():
    @made_by("somewhere.else()")
    class Thing:
        def __init__(self, a):
            self.a = a

    assert Thing(1).a == 1
    with pytest.raises(CallError, match=r"^Thing: it is made by somewhere.else\(\)$"):
        Thing()


def test_words_are_found_in_the_table_then_by_their_looks():
    assert what_was_meant("sigma", ["strike", "vol_source"]) == "vol_source"
    assert what_was_meant("S", ["covariance"]) == "covariance"
    assert what_was_meant("S", ["spot"]) == "spot"
    assert what_was_meant("n_path", ["n_paths"]) == "n_paths"
    assert what_was_meant("zzz", ["n_paths"]) is None


def test_the_table_holds_words_and_names():
    assert all(re.fullmatch(r"\w+", word) and names for word, names in OTHER_WORDS.items())
