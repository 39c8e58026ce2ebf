"""Whatever a public function is given, it answers or refuses by an error of the library's, which is a ValueError."""

from __future__ import annotations

import datetime as dt
import inspect
import math
from pathlib import Path

import numpy as np
import pytest

from bank_python import backtester, macro, mc_engine, risk, risk_models, trading_engine
from bank_python.admission import admits
from bank_python.errors import BankError, ModelError, NodeArgumentError, RiskError, SimulationError
from bank_python.instruments import Book, Option
from tests.api.valid_arguments import CASES, LAW, MADE, PLAN

BAD = [
    None,
    "x",
    b"x",
    [],
    {},
    [1.0, "x"],
    [[1.0], [2.0, 3.0]],
    np.array(["a"]),
    math.nan,
    math.inf,
    -1.0,
    0,
    True,
    1 + 2j,
    object(),
    dt.date(2020, 1, 1),
]


_USUAL = ValueError | TypeError | KeyError


def named(case):
    return getattr(case, "__qualname__", "")


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def release(made):
    if isinstance(made, mc_engine.ReactiveRisk):
        made.remove()


@pytest.mark.parametrize(("function", "valid"), CASES, ids=named)
def test_a_bad_argument_is_taken_or_refused_by_name(function, valid):
    release(function(**valid))
    for name in valid:
        for bad in BAD:
            refused = None
            try:
                release(function(**{**valid, name: bad}))
            except BankError as error:
                refused = error
            assert refused is None or (isinstance(refused, _USUAL) and str(refused)), (name, bad)


@pytest.mark.parametrize(
    "package", [risk_models, risk, macro, mc_engine, trading_engine, backtester], ids=lambda package: package.__name__
)
def test_every_public_function_is_tried(package):
    tried = {function for function, _ in CASES}
    functions = {name for name in package.__all__ if inspect.isfunction(getattr(package, name))}
    missing = {name for name in functions if getattr(package, name) not in tried}
    assert missing <= {
        "calibrate_from_table",
        "load_limits",
        "load_scenarios",
        "parse_limits",
        "parse_scenarios",
        "watch_limit",
    }


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: risk.tail_risk([1.0, 2.0], "high"), RiskError, "tail_risk: confidence='high' is not a number"),
        (lambda: risk_models.black_scholes_price("x", 1, 1, 0, 0.2), ModelError, "'x' is neither a number nor"),
        (lambda: risk_models.black_scholes_price(None, 1, 1, 0, 0.2), ModelError, "None is neither"),
        (lambda: risk_models.black_scholes_price("100", 1, 1, 0, 0.2), ModelError, "'100' is neither"),
        (lambda: risk.run_stresses(3), RiskError, "plan=3 is not a ValuationPlan"),
        (lambda: risk.run_stresses(PLAN, [3]), RiskError, "3 is not a stress scenario; give a StressScenario, a key"),
        (lambda: mc_engine.FactorModel.given([0.2]), SimulationError, r"given: vols=\[0.2\] is not a mapping"),
        (lambda: risk_models.par_swap_rate(risk_models.Curve.flat(0.03), 0.0), ModelError, "swap has matured"),
        (lambda: Option("O", **{**MADE, "spot_source": "x"}), NodeArgumentError, "must be a node or a finite number"),
        (lambda: Option("O", **MADE, clock_source="x"), ValueError, "neither a Clock nor a finite number"),
        (lambda: Book("B", 3), ValueError, "positions=3 is not a list"),
    ],
)  # fmt: skip
def test_errors_say_what_is_wrong(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_numbers_of_other_kinds_are_numbers():
    assert risk_models.black_scholes_price(np.float32(100), np.int64(100), 1, 0.05, 0.2) > 0.0
    assert risk.tail_risk(list(range(1000)), np.float64(0.95)).observations == 1000
    assert mc_engine.join_models((LAW,)).names == ("S",)


def test_a_checked_function_keeps_its_signature_and_its_own_errors():
    @admits(RiskError)
    def half(amount: float, *more: float, note: str | None = None, **rest: object) -> float:
        """Halve."""
        return amount / 2

    assert list(inspect.signature(half).parameters) == ["amount", "more", "note", "rest"]
    assert (half.__doc__, half(4, "any", note=None, other=object())) == ("Halve.", 2.0)
    with pytest.raises(RiskError, match="note=3 is not text; give text") as caught:
        half(4, note=3)
    assert caught.value.value == 3
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        half()


def test_long_arguments_are_cut_in_the_message():
    with pytest.raises(RiskError) as caught:
        risk.blume_beta([1.0] * 1_000)
    assert len(str(caught.value)) < 200
    assert Path.cwd().is_dir()
