"""The rules of the fourteen traders: on the desk's symbols, of the right size, without those that are not quoted."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest

from bank_python.desk import TRADERS, standard_strategies, strategy_of
from bank_python.desk.strategies import FUND_WEIGHTS, PAST_MOVES, SHORT_RATES, days_to_event
from bank_python.errors import DeskError
from bank_python.market_data import SimulatedFeed
from bank_python.market_data.universe import default_universe

UNIVERSE = [spec.symbol for spec in default_universe()]
NO_QUOTES = ("_DELTA", "_GAMMA", "_EVENT", "_UNITS", "_RATE", "_NOTE")


def test_every_trader_has_a_rule_of_its_strategy_on_quoted_symbols():
    rules = standard_strategies(UNIVERSE)
    assert sorted(rules) == sorted(trader.strategy for trader in TRADERS)
    for trader in TRADERS:
        rule = strategy_of(trader.name, UNIVERSE)
        assert repr(rule) == repr(rules[trader.strategy])
        assert rule.strategy == trader.strategy
        assert rule.inputs
        read = [name for name in (*rule.inputs, *rule.optional_inputs) if not name.endswith(NO_QUOTES)]
        assert set(read) <= set(UNIVERSE)


def test_tickers_are_what_the_trader_holds():
    for trader in TRADERS:
        rule = strategy_of(trader.name, UNIVERSE)
        held = {holding.symbol for holding in trader.holdings}
        if trader.strategy in {"momentum", "vol_arb", "gamma_scalp", "tech_momentum", "contrarian", "multi_asset"}:
            assert set(rule.tickers) <= held


def test_symbols_that_are_not_quoted_are_left_out():
    few = ["MSFT", "AAPL", "GOOGL", "AMZN", "KO", "PEP", "XLK", "SPY"]
    rules = standard_strategies(few)
    assert sorted(rules) == ["index_arb", "momentum", "multi_asset", "pairs_trade", "stat_arb"]
    assert rules["momentum"].tickers == ("MSFT",)
    assert rules["stat_arb"].pairs == (("GOOGL", "AMZN"),)
    assert rules["index_arb"].baskets == {"XLK": {"AAPL": 0.5, "MSFT": 0.5}}
    assert strategy_of("Bob", few) is None
    assert standard_strategies([]) == {}
    assert list(standard_strategies(["EURUSD"])) == ["macro", "carry_trade"]
    assert strategy_of("Elena", ["EURUSD"]).bonds == {}


def test_orders_are_of_twenty_to_two_hundred_thousand_dollars():
    feed, rules, values = SimulatedFeed(seed=1), standard_strategies(UNIVERSE), {}
    read = {name for rule in rules.values() for name in (*rule.inputs, *rule.optional_inputs)} & set(UNIVERSE)
    closes = {name: np.array([bar.close for bar in feed.history(name, "2y").bars]) for name in read}
    for count in range(160, len(closes["SPY"]), 12):
        data = {name: history[:count] for name, history in closes.items()}
        today = dt.date(2026, 1, 1) + dt.timedelta(days=count)
        data |= {f"{symbol}_EVENT": [float(days_to_event(symbol, today))] for symbol in PAST_MOVES}
        data |= {f"{ticker}_DELTA": [900.0 if ticker == "NVDA" else 600.0] for ticker in ("NVDA", "TSLA", "AMD")}
        data |= {f"{ticker}_GAMMA": [300.0] for ticker in ("NVDA", "TSLA", "AMD")}
        for name, rule in rules.items():
            report = rule.examine(data)
            assert report.problems == ()
            values.setdefault(name, []).extend(
                each.quantity * (1.0 if each.instrument.startswith("USD") else each.price or 100.0)
                for each in report.signals
            )
    assert {name for name, found in values.items() if not found} == set()
    for name, found in values.items():
        if name != "credit_arb":  # the clean value of a swap says little about its size
            assert 20_000.0 < np.median(np.abs(found)) < 200_000.0, name
            assert np.quantile(np.abs(found), 0.05) > 10_000.0, name
            assert np.quantile(np.abs(found), 0.95) < 250_000.0, name


def test_events_come_back_every_quarter():
    days = [days_to_event("TSLA", dt.date(2026, 1, 1) + dt.timedelta(days=i)) for i in range(200)]
    assert set(days) == set(range(91))
    assert all(after == before - 1 or (before, after) == (0, 90) for before, after in pairwise(days))


def test_invented_tables_are_plausible():
    currencies = {name for name in SHORT_RATES if len(name) == 3}
    pairs = [spec.symbol for spec in default_universe() if spec.sector == "FX"]
    assert {code for pair in pairs for code in (pair[:3], pair[3:])} <= currencies
    assert all(0.0 <= rate < 0.1 for rate in SHORT_RATES.values())
    assert all(sum(weights.values()) == pytest.approx(1.0) for weights in FUND_WEIGHTS.values())


def test_unknown_names_are_answered():
    with pytest.raises(DeskError, match="'Alise' is no trader and no strategy; did you mean 'Alice'"):
        strategy_of("Alise", UNIVERSE)
    with pytest.raises(DeskError, match="available='NVDA' is one symbol"):
        strategy_of("Alice", "NVDA")
    with pytest.raises(DeskError, match="'KO' has no events"):
        days_to_event("KO", dt.date(2026, 1, 1))


def test_whatever_the_figures_are_nothing_is_raised_and_signals_are_possible():
    rng = np.random.default_rng(0)
    for name, rule in standard_strategies(UNIVERSE).items():
        series = (*rule.inputs, *rule.optional_inputs)
        for _ in range(25):
            data = {each: odd_series(rng) for each in series if rng.random() < 0.9}
            report = rule.examine(data)
            pairs = {"/".join(pair) for pair in getattr(rule, "pairs", ()) if not isinstance(pair, str)}
            assert {each.ticker for each in report.problems} <= {*series, *pairs}, name
            assert all(0.0 < each.quantity < np.inf and 0.0 <= each.strength <= 1.0 for each in report.signals)


def odd_series(rng):
    """Return prices of any size and wildness, some constant, some with a last figure that is none."""
    with np.errstate(all="ignore"):
        steps = rng.standard_normal(rng.choice([1, 30, 200])) * 10.0 ** rng.uniform(-14.0, 1.5)
        values = np.exp(np.cumsum(steps)) * 10.0 ** rng.uniform(-3.0, 3.0)
    if rng.random() < 0.2:
        values[-1] = rng.choice([np.nan, np.inf, 0.0, -1.0, 1e308, 1e-320])
    return np.full(len(values), values[0]) if rng.random() < 0.2 else values
