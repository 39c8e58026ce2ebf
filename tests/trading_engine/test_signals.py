"""Signals: the rules of the reference on closes by name, without look-ahead, with reasons, live on a graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from bank_python import TradingEngine, VolArbSignal
from bank_python.dagger import DependencyGraph, Leaf
from bank_python.errors import TradingError
from bank_python.market_data import SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mntable import Table
from bank_python.risk_models import engle_granger, fit_garch
from bank_python.trading_engine import (
    ExecutionModel,
    Fill,
    MacroSignal,
    MomentumSignal,
    PositionLimits,
    Side,
    Signal,
    SignalOption,
    SignalProblem,
    SignalRule,
    StatArbSignal,
)
from bank_python.trading_engine.signal_report import collected

RISING = [100.0 + i for i in range(40)]
RULES = [
    MomentumSignal(["A", "B"]),
    StatArbSignal([("A", "B")], lookback=40, z_threshold=0.1),
    VolArbSignal(["A"], rv_window=10),
]


@pytest.fixture(scope="module")
def walk():
    rng = np.random.default_rng(4)
    a = 50.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(300)))
    return {"A": a, "B": 2.0 * a * np.exp(0.01 * rng.standard_normal(300)), "A_VOL": np.full(300, 0.30)}


def test_momentum_compares_a_short_with_a_long_average():
    (order,) = MomentumSignal(["A"], lookback=20).generate({"A": RISING})
    short, long = np.mean(RISING[-10:]), np.mean(RISING[-20:])
    assert (order.side, order.quantity, order.price, order.strategy) == (Side.BUY, 100.0, 139.0, "momentum")
    assert order.reason == f"mean of 10 closes {short / long - 1.0:.1%} above that of 20"
    (order,) = MomentumSignal(["A"], short_window=10, long_window=30).generate({"A": RISING[::-1]})
    assert order.side is Side.SELL
    assert MomentumSignal(["A"]).generate({"A": [100.0] * 40}) == []


def test_a_pair_far_apart_is_sold_dear_and_bought_cheap(walk):
    data = {"A": walk["A"].copy(), "B": walk["B"]}
    data["A"][-1] *= 1.07
    dear, cheap = StatArbSignal([("A", "B")]).generate(data)
    assert [(each.instrument_name, each.side, each.quantity) for each in (dear, cheap)] == [
        ("A", Side.SELL, 50.0),
        ("B", Side.BUY, 50.0),
    ]
    fit = engle_granger(data["A"][-60:], data["B"][-60:], lags=1, take_logs=True)
    assert f"t {fit.statistic:.2f}, p {fit.p_value:.2f}" in dear.reason
    data["A"][-1] *= 0.85
    assert [each.side for each in StatArbSignal([("A", "B")]).generate(data)] == [Side.BUY, Side.SELL]


def test_a_pair_that_does_not_pass_the_test_or_revert_gives_none():
    rng = np.random.default_rng(8)
    apart = {name: 50.0 * np.exp(np.cumsum(0.02 * rng.standard_normal(200))) for name in "AB"}
    assert StatArbSignal([("A", "B")], z_threshold=0.5, significance=0.01).generate(apart) == []
    assert StatArbSignal([("A", "B")], lookback=20).generate({"A": [5.0] * 60, "B": RISING + RISING[:20]}) == []


def test_macro_follows_its_two_rules():
    made = MacroSignal().generate({"SOFR": [0.051, 0.056], "EURUSD": [1.13], "BOND_5Y": [98.0]})
    assert [(each.instrument_name, each.side.value, each.quantity, each.price) for each in made] == [
        ("BOND_5Y", "BUY", 100.0, 98.0),
        ("EURUSD", "SELL", 10_000.0, 1.13),
    ]
    assert [each.side.value for each in MacroSignal().generate({"EURUSD": [1.04]})] == ["BUY"]
    assert MacroSignal().generate({"SOFR": [0.05], "EURUSD": [1.05]}) == []


def test_dear_volatility_is_sold_as_a_straddle_at_its_price(walk):
    (order,) = VolArbSignal(["A"]).generate(walk)
    spot, root = walk["A"][-1], np.sqrt(30.0 / 365.0)
    assert (order.instrument_name, order.side, order.quantity) == ("A_30D_STRADDLE", Side.SELL, 10.0)
    assert order.price == pytest.approx(np.sqrt(2.0 / np.pi) * spot * 0.30 * root, rel=1e-3)  # 0.8 S sigma sqrt(T)
    (order,) = VolArbSignal(["A"], forecast="garch").generate({**walk, "A_VOL": [0.05]})
    vol = fit_garch(np.diff(np.log(walk["A"]))).forecast_volatility(21, periods_per_year=252.0)
    assert order.side is Side.BUY
    assert f"forecast {vol:.1%} a year, by a GARCH(1,1), normal" in order.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.strategy)
def test_the_future_does_not_matter(rule, walk):
    past = {name: values[:200] for name, values in walk.items()}
    poisoned = {name: np.concatenate([values[:200], [np.nan]])[:200] for name, values in walk.items()}
    assert rule.signals(past) == rule.signals(poisoned)
    assert rule.signals(past)
    before = {name: values.copy() for name, values in walk.items()}
    rule.signals(walk)
    assert all((before[name] == walk[name]).all() for name in walk)


@pytest.mark.parametrize("rule", [*RULES, MacroSignal()], ids=lambda rule: rule.strategy)
def test_too_little_data_gives_an_empty_list(rule):
    assert rule.generate({}) == []
    assert rule.generate({"A": [], "B": [1.0], "A_VOL": [], "SOFR": [], "EURUSD": []}) == []


def test_frames_tables_and_histories_are_read_alike():
    rule = MomentumSignal(["A"], lookback=20)
    expected = rule.generate({"A": RISING})
    assert rule.generate(pd.DataFrame({"A": RISING})) == expected
    days = pd.date_range("2026-01-01", periods=40).date.tolist()
    rows = [{"ticker": "A", "date": day, "close": close} for day, close in zip(days, RISING, strict=True)]
    table = Table.from_rows([("ticker", str), ("date", type(days[0])), ("close", float)], rows[::-1])
    assert rule.generate(table) == expected
    history = PriceHistoryTable()
    history.load("SPY", SimulatedFeed(seed=1).history("SPY", "1y"))
    closes = {"SPY": history.closes("SPY")}
    assert MomentumSignal(["SPY"]).signals(history) == MomentumSignal(["SPY"]).signals(closes)


def test_a_signal_is_a_node_that_follows_its_data():
    graph = DependencyGraph()
    closes = graph.register(Leaf("A:CLOSES", np.array(RISING), "any"))
    node = MomentumSignal(["A"], lookback=20).node(graph, "MOMENTUM", {"A": closes})
    assert [each.side for each in node.value] == [Side.BUY]
    closes.set(np.array(RISING[::-1]))
    assert [each.side for each in node.value] == [Side.SELL]


def test_from_signal_to_audited_fill_as_the_reference_writes_it():
    market_data = {"AAPL": RISING, "MSFT": RISING[::-1], "NVDA": [100.0] * 40}
    engine = TradingEngine(
        execution=ExecutionModel(slippage_bps=2.0),
        limits=PositionLimits(max_position=1e6, max_concentration=0.4, book_value=1e7),
    )
    orders = MomentumSignal(tickers=["AAPL", "MSFT", "NVDA"], lookback=20).generate(market_data)
    fills = [engine.submit(order) for order in orders]
    assert all(isinstance(fill, Fill) for fill in fills)
    assert engine.positions == {"AAPL": 100.0, "MSFT": -100.0}
    assert fills[0].price == pytest.approx(139.0 * 1.0002)
    assert [event.why for event in engine.audit if event.event_type == "FILL"] == [order.reason for order in orders]


class OwnRule(SignalRule):
    """A rule of a user: returns, or raises, what it is given."""

    strategy = "own"

    def __init__(self, result):
        self.result = result

    def from_closes(self, closes):  # noqa: ARG002 - as its base class says
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def test_one_bad_series_does_not_cost_the_others_their_signals(caplog):
    rule = MomentumSignal(["A", "B", "C", "D", "E", "F"], lookback=20)
    data = {
        "A": RISING,
        "B": [*RISING, np.nan],
        "C": [*RISING[:-3], 0.0, 1.0, 2.0],
        "D": RISING[:5],
        "E": [[1.0], [1.0, 2.0]],
        "unread": "nonsense",
    }
    report = rule.examine(data)
    assert [each.instrument for each in report.signals] == ["A"]
    assert [(each.ticker, each.waits) for each in report.problems] == [
        ("E", False),
        ("B", False),
        ("C", False),
        ("D", True),
        ("F", True),
    ]
    assert [str(each) for each in report.problems] == [
        "the closes of E are no row of numbers",
        "the last close of B is nan; signals need a price above 0",
        "the close of C 2 before the last is 0.0; signals need a price above 0",
        "D has 5 closes; 20 are needed",
        "there is no F in the data",
    ]
    assert [each.ticker for each in report.faults] == ["E", "B", "C"]
    with caplog.at_level("INFO"):
        assert [order.instrument_name for order in rule.generate(data)] == ["A"]
    warned, informed = caplog.records
    assert (warned.levelname, informed.levelname) == ("WARNING", "INFO")
    assert all(name in warned.getMessage() for name in ("momentum", "of E ", "of B ", "of C "))
    assert rule.signals({"A": RISING}) == report.signals


def test_a_bad_leg_is_named_once_and_the_other_pairs_go_on(walk):
    data = {**walk, "C": [*walk["A"][:-1], -1.0]}
    rule = StatArbSignal([("A", "C"), ("C", "B"), ("A", "B")], z_threshold=0.01)
    report = rule.examine(data)
    assert {each.instrument for each in report.signals} == {"A", "B"}
    assert [str(each) for each in report.problems] == ["the last close of C is -1.0; signals need a price above 0"]
    assert [each.ticker for each in MacroSignal().examine({"SOFR": [5.2], "EURUSD": [1.0]}).faults] == ["SOFR"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (ZeroDivisionError("no"), "the rule own raised ZeroDivisionError: no"),
        (TradingError("why"), "the rule own raised TradingError: why"),
        (None, "the rule own returned None; give a list of signals"),
        ("BUY", "the rule own returned 'BUY'; give a list of signals"),
        ([("A", "BUY")], "returned .*, which is no Signal"),
    ],
)
def test_a_rule_that_raises_or_returns_nonsense_is_named(result, said):
    for call in (OwnRule(result).examine, OwnRule(result).generate):
        with pytest.raises(TradingError, match=said) as caught:
            call({"A": RISING})
        assert caught.value.name == "own"


def test_a_rule_of_a_user_reports_problems_of_its_own():
    rule = OwnRule([Signal("A", "buy", 1, 1.0, "so"), SignalProblem("B", "closed today")])
    assert (rule.inputs, rule.optional_inputs) == ((), ())
    report = rule.examine({"X": "x"})
    assert [(each.side, each.quantity) for each in report.signals] == [(Side.BUY, 1)]
    assert [str(each) for each in report.problems] == ["the closes of X are no row of numbers", "B: closed today"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("", Side.BUY, 1.0, 1.0), "instrument=''; give the name"),
        (("A", "HOLD", 1.0, 1.0), "'HOLD' is no Side"),
        (("A", Side.BUY, np.nan, 1.0), "quantity=nan is not a finite number above 0"),
        (("A", Side.BUY, np.inf, 1.0), "quantity=inf"),
        (("A", Side.BUY, 0.0, 1.0), r"quantity=0\.0"),
        (("A", Side.BUY, True, 1.0), "quantity=True"),
        (("A", Side.BUY, 1.0, 1.1), r"strength=1\.1 is outside"),
        (("A", Side.BUY, 1.0, np.nan), "strength=nan is not a finite number"),
        (("A", Side.BUY, 1.0, 1.0, "", np.inf), "price=inf is not a finite number"),
    ],
)
def test_a_signal_that_cannot_be_is_refused(values, said):
    with pytest.raises(TradingError, match=said):
        Signal(*values, *([""] if len(values) == 4 else []))


def test_every_rule_says_which_series_it_reads(walk):
    assert MomentumSignal(["A", "B", "A"]).inputs == ("A", "B")
    pairs = StatArbSignal([("A", "B"), ("A", "C")])
    assert (pairs.inputs, pairs.optional_inputs) == (("A", "B", "C"), ("A_UNITS", "B_UNITS", "C_UNITS"))
    assert (MacroSignal("N").inputs, MacroSignal("N").optional_inputs) == (("SOFR", "EURUSD"), ("N",))
    assert VolArbSignal(["A"]).inputs == ("A", "A_VOL")


def stretched(walk, z):
    """Return the pair with its last spread moved so that its z-score is about `z`."""
    data = {"A": walk["A"].copy(), "B": walk["B"]}
    low, high = 0.5, 2.0
    for _ in range(60):
        data["A"][-1] = walk["A"][-1] * (low * high) ** 0.5
        found = engle_granger(data["A"][-60:], data["B"][-60:], lags=1, take_logs=True).spread
        score = (found[-1] - found.mean()) / found.std(ddof=1)
        low, high = (low, (low * high) ** 0.5) if score > z else ((low * high) ** 0.5, high)
    return data


@pytest.mark.parametrize(
    ("z", "held", "word"),
    [
        (0.4, -50.0, "is within 0.5"),
        (0.6, -50.0, None),
        (3.0, -50.0, None),
        (4.2, -50.0, "is beyond the stop of 4"),
        (0.6, 50.0, "is on the other side of the mean"),
        (-4.2, 50.0, "is beyond the stop of 4"),
        (-0.4, 50.0, "is within 0.5"),
    ],
)
def test_a_pair_that_is_held_is_closed_near_the_mean_or_beyond_the_stop(walk, z, held, word):
    data = {**stretched(walk, z), "A_UNITS": [0.0, held], "B_UNITS": [-held / 2.0]}
    found = StatArbSignal([("A", "B")]).signals(data)
    if word is None:
        assert found == ()
        return
    assert [(each.instrument, each.side.sign * each.quantity, each.strength) for each in found] == [
        ("A", -held, 1.0),
        ("B", held / 2.0, 1.0),
    ]
    assert all(each.reason.startswith("exit: z-score") and each.reason.endswith(word) for each in found)


def test_units_of_both_legs_are_needed_for_exits_and_none_held_is_an_entry(walk):
    data, rule = stretched(walk, 3.0), StatArbSignal([("A", "B")])
    entry = rule.signals(data)
    assert len(entry) == 2
    assert rule.signals({**data, "A_UNITS": [-50.0]}) == entry
    assert rule.signals({**data, "A_UNITS": [0.0], "B_UNITS": [0.0]}) == entry
    assert rule.signals({**stretched(walk, 4.2), "A_UNITS": [0.0], "B_UNITS": [0.0]}) == ()
    faulty = rule.examine({**data, "A_UNITS": [np.nan], "B_UNITS": [0.0]})
    assert [str(each) for each in faulty.problems] == ["the last figure of A_UNITS is nan; signals need a number"]


def test_an_order_of_an_amount_of_money(walk):
    (order,) = MomentumSignal(["A"], lookback=20, order_value=50_000.0).generate({"A": RISING})
    assert order.quantity == round(50_000.0 / 139.0)
    data = stretched(walk, 3.0)
    first, second = StatArbSignal([("A", "B")], order_value=50_000.0).signals(data)
    ratio = engle_granger(data["A"][-60:], data["B"][-60:], lags=1, take_logs=True).hedge_ratio
    assert first.quantity * first.price == pytest.approx(50_000.0, rel=1e-3)
    assert second.quantity * second.price == pytest.approx(50_000.0 * ratio, rel=2e-3)


def test_options_of_signals_have_names_prices_and_vegas():
    for name in ("A_30D_STRADDLE", "BRK.B_7D_95P", "A_B_90D_102.5C"):
        assert SignalOption.from_name(name).name == name
    straddle, spot, vol = SignalOption("A", 30), 100.0, 0.2
    d1 = 0.5 * vol * np.sqrt(30.0 / 365.0)
    assert straddle.price(spot, vol) == pytest.approx(2.0 * spot * (2.0 * norm.cdf(d1) - 1.0))
    assert straddle.vega(spot, vol) == pytest.approx(2.0 * spot * norm.pdf(d1) * np.sqrt(30.0 / 365.0))
    put = SignalOption("A", 30, "P", 95.0)
    d1 = (np.log(1.0 / 0.95)) / (2.0 * d1) + d1
    d2 = d1 - vol * np.sqrt(30.0 / 365.0)
    assert put.price(spot, vol) == pytest.approx(95.0 * norm.cdf(-d2) - spot * norm.cdf(-d1))
    for wrong, said in ((("", 30), "ticker=''"), (("A", 0), "days=0"), (("A", 30, "X"), "no kind 'X'")):
        with pytest.raises(TradingError, match=said):
            SignalOption(*wrong)
    with pytest.raises(TradingError, match="a straddle has the moneyness 100"):
        SignalOption("A", 30, "STRADDLE", 95.0)
    with pytest.raises(TradingError, match="'AAPL' names no option"):
        SignalOption.from_name("AAPL")


def test_bad_data_and_settings_are_named():
    with pytest.raises(TradingError, match="int is no market data"):
        MomentumSignal(["A"]).generate(3)
    with pytest.raises(TradingError, match="has no column ticker"):
        MomentumSignal(["A"]).generate(Table.from_rows([("close", float)], [{"close": 1.0}]))
    with pytest.raises(TradingError, match="tickers='AAPL' is not a list"):
        MomentumSignal("AAPL")
    with pytest.raises(TradingError, match="lookback=10 is not a whole number of at least 11"):
        MomentumSignal(["A"], lookback=10, short_window=10)
    with pytest.raises(TradingError, match=r"quantity=-1\.0 is not a finite number above 0"):
        MomentumSignal(["A"], quantity=-1.0)
    with pytest.raises(TradingError, match="has 3 names; give two"):
        StatArbSignal([("A", "B", "C")])
    with pytest.raises(TradingError, match="is one name twice"):
        StatArbSignal([("A", "A")])
    with pytest.raises(TradingError, match=r"z_threshold=0\.0"):
        StatArbSignal([("A", "B")], z_threshold=0.0)
    with pytest.raises(TradingError, match=r"exit_z=4\.0 is not at least 0 and below stop_z=4\.0"):
        StatArbSignal([("A", "B")], exit_z=4.0)
    with pytest.raises(TradingError, match="did you mean 'garch'"):
        VolArbSignal(["A"], forecast="grch")
    (problem,) = VolArbSignal(["A"], 2).examine({"A": [1.0, 1.1, 1.0], "A_VOL": [26.0]}).problems
    assert str(problem) == "A_VOL is 26.0; give a decimal above 0: 0.26 for 26 per cent"
    (problem,) = MacroSignal().examine({"SOFR": [5.2], "EURUSD": [1.1]}).problems
    assert str(problem) == "SOFR is 5.2; give a decimal: 0.052 for 5.2 per cent"


def test_a_price_out_of_all_proportion_is_a_fault():
    (problem,) = MomentumSignal(["A"], lookback=20).examine({"A": [*RISING, 1e300]}).problems
    assert str(problem) == "the last close of A is 1e+300; signals need a price between 1e-12 and 1e+12"


def test_a_part_whose_arithmetic_fails_is_named():
    def find(part):
        raise OverflowError("too large")

    (problem,) = collected([("A", "B")], find)
    assert str(problem) == "the figures of A/B are out of range: too large"
