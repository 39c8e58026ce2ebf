"""Strategies with a context and an engine: one replay for both forms, no look-ahead, orders that are refused."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import BacktestContext, Backtester, BacktestStrategy, StrategyEngine, Targets
from bank_python.errors import BacktestError
from bank_python.trading_engine import Order, PositionLimits, Rejection, Working

DATA = {"A": [10.0, 11.0, 12.0, 11.0, 13.0], "B": [5.0, 5.0, 6.0, 7.0, 8.0]}


def run(strategy, data=DATA, **given):
    return Backtester(strategy, "2024-01-01", data=data, **given).run()


class Recorder:
    """Writes down what it is told."""

    def __init__(self):
        self._seen = []

    def on_start(self, context, engine):
        self._seen.append(("start", context.date, dict(context.prices), engine.positions))

    def on_bar(self, context, engine, date):  # noqa: ARG002 - the form
        leaf = context.market_data_nodes["A"].price
        self._seen.append((date, context.date, dict(context.prices), leaf, sorted(context.stale)))

    def on_end(self, context, engine):
        order = engine.submit_order("T", "A", "BUY", 1)
        self._seen.append(("end", context.date, order.status.value, order.reject_reason))


def test_a_strategy_is_told_each_bar_and_nothing_before_or_after():
    strategy = Recorder()
    first = [{"date": f"2024-01-0{day}", "close": 10.0 + day} for day in (1, 2, 4)]
    second = [{"date": f"2024-01-0{day}", "close": 20.0 + day} for day in (2, 3, 4)]
    result = run(strategy, {"A": first, "B": second})
    assert strategy._seen == [
        ("start", "", {}, {}),
        ("2024-01-01", "2024-01-01", {"A": 11.0}, 11.0, []),
        ("2024-01-02", "2024-01-02", {"A": 12.0, "B": 22.0}, 12.0, []),
        ("2024-01-03", "2024-01-03", {"A": 12.0, "B": 23.0}, 12.0, ["A"]),
        ("2024-01-04", "2024-01-04", {"A": 14.0, "B": 24.0}, 14.0, []),
        ("end", "2024-01-04", "REJECTED", strategy._seen[-1][3]),
    ]
    assert "no bar follows" in strategy._seen[-1][3]
    assert (result.strategy_name, len(result.refusals), result.settings) == ("Recorder", 1, "Recorder()")


class Buys(BacktestStrategy):
    """Buys units at some bars, in the form with an engine, though it derives from the base class."""

    def __init__(self, units):
        self.units = units

    def on_bar(self, context, engine, date):
        units = self.units.get(date, 0.0)
        if units:
            price = context.prices["A"]
            order = engine.submit_order(
                "T", "A", "BUY" if units > 0 else "SELL", abs(units), current_price=price, book_value=engine.equity
            )
            assert (order.status.value, order.filled_qty) == ("PENDING", 0.0)


ROWS = [
    {"date": f"2024-01-0{i + 1}", "open": close - 0.5, "high": close + 1.0, "low": close - 1.0, "close": close}
    for i, close in enumerate([10.0, 11.0, 12.0, 11.0, 13.0])
]


@pytest.mark.parametrize(("fill", "price"), [("next_open", 10.5), ("next_close", 11.0), ("close", 10.0)])
def test_orders_fill_where_the_back_test_says(fill, price):
    result = run(Buys({"2024-01-01": 3.0}), {"A": ROWS}, fill=fill)
    assert [(done.price, done.quantity) for done in result.fills] == [(price, 3.0)]
    assert result.strategy_name == "Buys"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=5, max_size=5), st.integers(0, 1_000))
def test_both_forms_are_one_replay(units, seed):
    closes = 100.0 * np.exp(np.cumsum(0.03 * np.random.default_rng(seed).standard_normal(5)))
    days = [f"2024-01-0{day}" for day in range(1, 6)]
    given = dict(zip(days, map(float, units), strict=True))
    total = np.cumsum(units)
    data = {"A": dict(zip(days, closes, strict=True))}
    orders = run(Buys(given), data, fees_bps=5.0)
    targets = run(lambda window: Targets(units={"A": float(total[window.index])}), data, fees_bps=5.0)
    assert orders.equity.tolist() == targets.equity.tolist()


def test_what_comes_later_changes_nothing_before():
    strategy = Buys({"2024-01-01": 3.0, "2024-01-03": -2.0})
    poisoned = [*ROWS[:4], {**ROWS[4], "open": 500.0, "high": 1e6, "close": 1e6}]
    plain, other = run(strategy, {"A": ROWS}), run(strategy, {"A": poisoned})
    assert plain.equity[:4].tolist() == other.equity[:4].tolist()


def test_the_engine_refuses_what_has_no_price_and_limits_refuse_the_rest():
    replies = []

    class Asks:
        def on_bar(self, context, engine, date):  # noqa: ARG002 - the form
            replies.append(engine.submit_order("T", "Z", "BUY", 1.0))
            replies.append(engine.submit_order("T", "B", "BUY", 1.0, "LIMIT", 1.0))
            replies.append(engine.submit(Order("MINE", "T", "A", "BUY", 1e6)) if context.date < "2024-01-02" else None)

    late = {"A": ROWS, "B": [{"date": "2024-01-02", "close": 9.0}, {"date": "2024-01-03", "close": 9.0}]}
    result = run(Asks(), late, limits=PositionLimits(max_position=1e5))
    assert "no bars of Z" in replies[0].reject_reason
    assert "B has had no bar yet" in replies[1].reject_reason
    assert isinstance(replies[2], Working)
    assert replies[2].order.order_id == "MINE"
    assert replies[4].status.value == "PENDING"  # B has had a bar
    reasons = [refused.reason for refused in result.refusals]
    assert (len(reasons), sum("no price available" in reason for reason in reasons)) == (7, 6)


def test_a_context_sets_its_leaves_at_once_and_skips_what_is_no_price():
    context = BacktestContext.of_tickers(["A", "B", "C", "D"])
    counted = []
    total = context.graph.derive("both", lambda a, b: counted.append(1) or a + b, ["A_SPOT", "B_SPOT"])
    context.prices = {"A": 1.0, "B": 2.0, "C": 3.0, "D": 4.0, "ELSEWHERE": 5.0}
    context.apply()
    assert total.value == 3.0
    assert len(counted) == 1  # one tick for both
    context.prices = {"A": 0.0, "B": -1.0, "C": math.nan, "D": math.inf}
    context.apply()
    assert [leaf.price for leaf in context.market_data_nodes.values()] == [1.0, 2.0, 3.0, 4.0]
    shared = BacktestContext(context.graph, context.market_data_nodes, date="2024-01-02", prices={"A": 7.0})
    shared.apply()
    assert total.value == 9.0


class Wrong:
    def on_start(self, context):
        """Takes no engine."""

    def on_bar(self, context, engine, date):
        """Does nothing."""


class Raises(Recorder):
    def on_end(self, context, engine):  # noqa: ARG002 - the form
        raise RuntimeError("no more")


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (Wrong(), r"on_start of Wrong takes other arguments"),
        (Raises(), r"Raises raised RuntimeError in on_end, after the last bar: no more"),
        (Buys({"2024-01-02": math.nan}), r"Buys raised TradingError at the bar of 2024-01-02.*quantity=nan"),
        (Recorder, r"give an instance"),
        (object(), r"is no BacktestStrategy"),
    ],
)
def test_a_fault_of_a_strategy_is_named(strategy, said):
    with pytest.raises(BacktestError, match=said):
        run(strategy, {"A": ROWS})


def test_strategies_of_the_window_may_end_too():
    ended = []

    class Ends(BacktestStrategy):
        def on_bar(self, window):
            return {"A": 1.0} if window.index == 0 else None

        def on_end(self, window):
            ended.append((window.index, window.units["A"] > 0.0))

    run(Ends())
    assert ended == [(4, True)]


def test_tickers_and_settings_are_those_of_the_object():
    class Named(Recorder):
        tickers = ("AAPL",)

        def on_bar(self, context, engine, date):
            """Do nothing."""

    bt = Backtester()
    bt.add_strategy(Named())
    assert bt.strategy.inputs == ("AAPL",)
    assert repr(bt.strategy) == "Named()"


def test_an_engine_takes_orders_only():
    from bank_python.backtester.bars import bars_of
    from bank_python.backtester.tape import Tape
    from bank_python.backtester.window import Window

    tape = Tape(bars_of({"A": [10.0, 11.0]}, dt.date(2024, 1, 1)))
    engine = StrategyEngine(Window(tape))
    assert isinstance(engine.submit(Order("", "T", "A", "BUY", 1.0)), Rejection)
    tape.now = 0
    engine.submit(Order("", "T", "A", "BUY", 1.0))
    assert [order.order_id for order in engine.take()] == ["BT-000002"]
    assert (engine.take(), len(engine.refusals)) == ((), 1)
    with pytest.raises(ValueError, match="is no order"):
        engine.submit("buy")
