"""The hashes of a run: equal for equal data, code and settings, and for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from bank_python.backtester import Backtester, BacktestStrategy, MomentumBacktest, bars_of
from bank_python.backtester.run_identity import code_hash, settings_of
from bank_python.trading_engine import MomentumSignal, PositionLimits

CLOSES = [10.0, 11.0, 12.0, 11.0, 13.0, 12.0]


def run(strategy, closes=CLOSES, **given):
    return Backtester(strategy, data={"A": closes}, **given).run()


def hold(share=1.0):
    return lambda window: {"A": share} if window.index == 0 else None


def test_the_fingerprint_is_made_of_data_code_and_settings():
    first, again = run(hold()), run(hold())
    assert (first.fingerprint, first.data_hash, first.code_hash) == (
        *(again.fingerprint, again.data_hash, again.code_hash),
    )
    others = [
        run(hold(0.5)),
        run(hold(), [*CLOSES[:-1], 12.5]),
        run(hold(), fees_bps=1.0),
        run(hold(), whole_units=True),
        run(hold(), limits=PositionLimits()),
        run(MomentumBacktest(["A"], 2)),
    ]
    assert len({first.fingerprint, *(other.fingerprint for other in others)}) == 7
    assert [other.data_hash == first.data_hash for other in others] == [True, False, True, True, True, True]
    assert [other.code_hash == first.code_hash for other in others] == [True] * 5 + [False]


def test_what_a_function_carries_is_a_setting():
    weights, step = np.arange(3.0), 2
    assert settings_of(lambda: weights[step]).startswith("<lambda>(step=2, weights=<array (3,) ")
    assert settings_of(partial(max, 1, key=abs)) == "max(1, key=<built-in function abs>)"
    assert settings_of(hold(0.5)) != settings_of(hold(0.25))
    names, thing = tuple(range(1_000)), object()
    long = settings_of(lambda: names)
    assert long.startswith("<lambda>(names=<tuple ")
    assert len(long) < 60
    assert settings_of(lambda: thing) == "<lambda>(thing=<object object>)"


def test_the_settings_are_those_before_the_run():
    class Counter(BacktestStrategy):
        def __init__(self):
            self.bars = 0

        def on_bar(self, _):
            self.bars += 1

    assert run(Counter()).settings == "Counter(bars=0)"


class Private(BacktestStrategy):
    """Keeps its settings to itself."""

    def __init__(self, weights, rule=abs):
        self._weights, self._rule = weights, rule

    def on_bar(self, _):
        return None


def test_private_settings_are_settings():
    frames = pytest.importorskip("pandas")
    long = np.arange(5_000.0)
    kinds = [[1.0], [2.0], (1.0,), {"A": long}, {"A": long + 1.0}, frames.DataFrame({"A": long}), lambda: 0.5]
    assert len({run(Private(kind)).fingerprint for kind in [*kinds, 1.0, None]}) == 9
    assert run(Private(object())).fingerprint == run(Private(object())).fingerprint
    assert run(Private([1.0])).settings == "Private()"


def test_code_without_a_source_has_a_hash_of_its_byte_code():
    made = [{}, {}, {}]
    for scope, text in zip(made, ("a + 1", "a + 1", "a + 2"), strict=True):
        exec(f"def f(a):\n    g = lambda: {text}\n    return g()", scope)  # noqa: S102 - a prompt has no source
    first, again, other = (code_hash(scope["f"]) for scope in made)
    assert (first == again, first == other) == (True, False)
    assert code_hash(len) != code_hash(max)
    assert code_hash(partial(hold, 0.5)) == code_hash(hold)


def test_a_rule_of_the_engine_is_hashed_by_its_class():
    assert run(MomentumSignal(["A"], 2)).code_hash == code_hash(MomentumSignal)


def test_the_same_bars_in_another_form_have_the_same_hash():
    panel = bars_of({"A": CLOSES})
    assert bars_of(panel.to_table()).data_hash == panel.data_hash
    assert panel.between(None, panel.dates[2].date()).data_hash != panel.data_hash
    assert panel.last_closes.tolist() == [[close] for close in CLOSES]


@pytest.mark.parametrize("fill", ["next_close", "close"])
def test_a_run_can_be_run_again_at_other_costs(fill):
    result = run(hold(0.5), fees_bps=10.0, fill=fill)
    doubled = result.rerun(result.costs.times(2.0))
    assert doubled.cost == pytest.approx(2.0 * result.cost)
    assert doubled.equity.tolist() == run(hold(0.5), fees_bps=20.0, fill=fill).equity.tolist()


_READER = """
from bank_python.backtester import BacktestStrategy, Backtester, Trials

SHARES, TICKERS, STEP, UNREAD = {"x": 0.5}, {"A", "B", "C", "D"}, 2, 0


def step_of():
    return STEP


def plain(window):
    return {"A": 1.0 if (lambda: window.index % STEP == 0)() else SHARES["x"]}


def calling(window):
    return {"A": 0.5} if window.index % step_of() == 0 and TICKERS else None


class Reading(BacktestStrategy):
    scale = 1.0

    def on_bar(self, window):
        return {"A": self.share} if window.index % STEP == 0 else None

    @property
    def share(self):
        return SHARES["x"] * self.scale


def counted(strategy):
    trials = Trials()
    closes = [10.0, 11.0, 12.0, 11.0, 13.0, 12.0]

    def once():
        Backtester(strategy, data={"A": closes}, trials=trials).run()

    return trials, once
"""


@pytest.mark.parametrize("kind", ["plain", "calling", "Reading"])
def test_a_constant_that_the_code_reads_makes_another_trial(kind):
    scope = {"__name__": "notebook"}
    exec(_READER, scope)  # noqa: S102 - a notebook
    trials, once = scope["counted"](scope[kind]() if kind == "Reading" else scope[kind])
    once()
    scope["UNREAD"] = 7
    once()
    assert len(trials) == 1
    for step in (3, 4):
        scope["STEP"] = step
        once()
    assert len(trials) == 3
    if kind != "calling":
        scope["SHARES"]["x"] = 0.25
        once()
        assert len(trials) == 4
    if kind == "Reading":
        scope["Reading"].scale = 2.0
        once()
        assert len(trials) == 5


def test_a_method_counts_what_it_has_closed_over():
    def made(share):
        class Closed(BacktestStrategy):
            def on_bar(self, _):
                return {"A": share}

        return Closed()

    assert len({run(made(share)).fingerprint for share in (0.5, 0.25, 0.25)}) == 2


def test_a_function_that_calls_itself_has_a_text():
    def down(n):
        return down(n - 1) if n else 0

    assert settings_of(down) == "down(down='itself')"


@pytest.mark.slow
def test_the_fingerprint_is_the_same_in_every_process():
    ending = "\nmade = Reading()\nmade.names, made.pairs = set('abcdef'), {'k': frozenset('uvwxyz')}\n"
    ending += (
        "for each in (made, calling, lambda window: {'A': 1.0} if window.index in {1, 2, 'a', 'b', 'c'} else None):\n"
    )
    ending += "    print(Backtester(each, data={'A': [10.0, 11.0, 12.0]}).run().fingerprint)\n"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _READER + ending],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    first, second = (process.communicate()[0].split() for process in running)
    assert first == second
    assert len(set(first)) == 3


def fingerprint_of(strategy):
    return Backtester(strategy, data={"A": [10.0, 11.0, 12.0, 13.0]}).run().fingerprint


def test_two_functions_on_one_line_differ():
    made = [lambda _window: {"A": 0.1}, lambda _window: {"A": 0.9}]
    assert fingerprint_of(made[0]) != fingerprint_of(made[1])


class Slotted(BacktestStrategy):
    __slots__ = ("_share",)

    def __init__(self, share):
        self._share = share

    def on_bar(self, _window):
        return {"A": self._share}


def test_settings_in_slots_count():
    assert fingerprint_of(Slotted(0.1)) == fingerprint_of(Slotted(0.1)) != fingerprint_of(Slotted(0.9))


def test_the_source_of_classes_inherited_from_counts():
    class Twice(BacktestStrategy):
        def on_bar(self, _window):
            return {"A": 2.0 * self.share()}

    class Once(BacktestStrategy):
        def on_bar(self, _window):
            return {"A": self.share()}

    def made(base):
        class Own(base):
            def share(self):
                return 0.1

        return Own()

    assert fingerprint_of(made(Once)) == fingerprint_of(made(Once)) != fingerprint_of(made(Twice))


def test_a_strategy_that_refers_to_itself_has_a_fingerprint():
    class Circle(BacktestStrategy):
        def __init__(self):
            self.parts = [1]
            self.parts.append(self.parts)
            self.again = Backtester(self, data={"A": [10.0, 11.0]})

        def on_bar(self, _window):
            return {"A": 0.5}

    assert fingerprint_of(Circle()) == fingerprint_of(Circle())
