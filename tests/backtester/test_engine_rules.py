"""Rules of the trading engine in a back-test: they see what is held, and compare series on common dates."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from bank_python.backtester import Backtester
from bank_python.trading_engine import MultiAssetSignal, PairsTradeSignal, SignalRule, StatArbSignal

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=day) for day in range(200)]


def pair():
    """Return two prices whose log ratio comes back to 0."""
    rng = np.random.default_rng(1)
    x = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(200)))
    gap = np.zeros(200)
    for day in range(1, 200):
        gap[day] = 0.9 * gap[day - 1] + 0.01 * rng.standard_normal()
    return {"Y": x * np.exp(gap), "X": x}


@pytest.mark.parametrize("rule", [StatArbSignal([("Y", "X")], 30, 1.5), PairsTradeSignal([("Y", "X")], 60, trading=10)])
def test_a_pair_is_opened_once_and_closed_again(rule):
    held = Backtester(rule, data=pair()).run().held
    opened = np.abs(held[1:]) > np.abs(held[:-1])
    assert opened.any()
    assert not (opened & (held[:-1] != 0.0)).any()  # nothing is added to what is held
    assert (held[1:][held[:-1].any(axis=1)] == 0.0).all(axis=1).any()


def test_a_target_of_volatility_is_kept_and_not_ordered_again_each_day():
    result = Backtester(MultiAssetSignal(["Y", "X"], trend_window=None), data=pair()).run()
    assert 0.1 < result.exposure[100:].min() < result.exposure.max() < 1.5


class _Seeing(SignalRule):
    def __init__(self):
        self.seen = []

    def from_closes(self, closes):
        self.seen.append({name: len(values) for name, values in closes.items()})
        return []


def test_pairs_on_different_calendars_are_compared_on_common_dates():
    data = pair()
    week = [day.weekday() < 5 for day in DAYS]
    share = {day: price for day, price, is_open in zip(DAYS, data["X"].tolist(), week, strict=True) if is_open}
    coin = dict(zip(DAYS, data["Y"].tolist(), strict=True))
    both = {day: price for day, price in coin.items() if day in share}
    rule = StatArbSignal([("Y", "X")], 30, 1.5)
    apart, together = (Backtester(rule, data={"Y": y, "X": share}).run() for y in (coin, both))
    signals = [[fill.order.created_at for fill in result.fills] for result in (apart, together)]
    assert signals[0] == signals[1] != []
    rule = _Seeing()
    Backtester(rule, data={"Y": coin, "X": share}).run()
    assert [seen.get("X") for seen in rule.seen] == [
        count if is_open else None for count, is_open in zip(np.cumsum(week).tolist(), week, strict=True)
    ]
    assert [seen["Y"] for seen in rule.seen] == list(range(1, 201))
    assert all(seen["Y_UNITS"] == 1 for seen in rule.seen)
