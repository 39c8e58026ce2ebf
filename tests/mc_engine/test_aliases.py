"""Old names: each still works for one version, and warns with the new name."""

from __future__ import annotations

import dataclasses
import importlib

import numpy as np
import pytest

from bank_python.barbara import BarbaraDB, records, storable
from bank_python.mc_engine import (
    FactorModel,
    MCConfig,
    MCResult,
    MonteCarloEngine,
    ReactiveRisk,
    join_models,
    regressed_betas,
)
from tests.mc_engine.books import Linear

MODEL = FactorModel.given({"SPY_SPOT": 0.2})
QUICK = {"n_paths": 200, "chunk": 100, "stresses": (), "validate_greeks": False}

RENAMED = [
    ("bank_python", "FactorLaw", "FactorModel"),
    ("bank_python.mc_engine", "FactorLaw", "FactorModel"),
    ("bank_python.mc_engine", "calibrate_law", "calibrate_model"),
    ("bank_python.mc_engine", "join_laws", "join_models"),
    ("bank_python.numerics", "HingeSolution", "PenaltySolution"),
    ("bank_python.numerics", "solve_hinges", "solve_penalties"),
    ("bank_python.risk_models", "AbsoluteMeanLaw", "AbsoluteMeanDistribution"),
    ("bank_python.risk_models", "MaximumEntropyLaw", "MaximumEntropyDistribution"),
    ("bank_python.risk_models", "fit_gpd", "fit_gpd_excesses"),
    ("bank_python.optimizer", "TailLaw", "TailDistribution"),
]


@pytest.mark.parametrize(("module", "old", "new"), RENAMED)
def test_an_old_name_is_the_object_of_the_new_one(module, old, new):
    package = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=rf"^{module}\.{old} is now called {new}"):
        found = getattr(package, old)
    assert found is getattr(package, new)
    assert old not in package.__all__
    assert new in package.__all__


@pytest.fixture(scope="module")
def linear():
    return Linear()


def test_the_argument_law_of_the_engine_and_its_method(linear):
    with pytest.warns(DeprecationWarning, match=r"MonteCarloEngine\(law=\) is now called factor_model="):
        engine = MonteCarloEngine(linear.books, linear.graph, law=linear.factor_model)
    with pytest.warns(DeprecationWarning, match=r"MonteCarloEngine\.law\(\) is now called factor_model\(\)"):
        assert engine.law() is linear.factor_model


def test_the_argument_law_of_a_configuration_and_the_field_of_its_result(linear):
    with pytest.warns(DeprecationWarning, match=r"MCConfig\(law=\) is now called factor_model="):
        config = MCConfig(law=linear.factor_model, **QUICK)
    assert config.factor_model is linear.factor_model
    result = MonteCarloEngine(linear.books, linear.graph).run(config)
    with pytest.warns(DeprecationWarning, match=r"MCResult\.law is now called factor_model"):
        assert result.law == result.factor_model == "given"


def test_the_argument_law_of_reactive_risk_and_its_held_inputs(linear):
    with pytest.warns(DeprecationWarning, match=r"ReactiveRisk\(law=\) is now called factor_model="):
        risk = ReactiveRisk(linear.books, linear.graph, law=linear.factor_model, config=MCConfig(**QUICK), name="OLD")
    with pytest.warns(DeprecationWarning, match=r"ReactiveRisk\.held is now called throttled"):
        assert risk.held == risk.throttled == ()


def test_the_arguments_law_and_laws_of_functions(linear):
    plan = MonteCarloEngine(linear.books, linear.graph, factor_model=linear.factor_model).plan()
    joint = join_models([linear.factor_model, MODEL])
    with pytest.warns(DeprecationWarning, match=r"regressed_betas\(law=\) is now called factor_model="):
        assert regressed_betas(law=joint, plan=plan) == regressed_betas(joint, plan)
    with pytest.warns(DeprecationWarning, match=r"join_models\(laws=\) is now called factor_models="):
        assert join_models(laws=[linear.factor_model, MODEL]) == joint


def test_a_stored_result_of_version_1_is_read(tmp_path, monkeypatch):
    names = [field.name for field in dataclasses.fields(MCResult)]
    former = dataclasses.make_dataclass(
        "MCResult", ["law" if name == "factor_model" else name for name in names], frozen=True, eq=False
    )
    former.__module__ = MCResult.__module__
    values = {
        **dict.fromkeys(names, ()),
        "model": "gbm",
        "revaluation": "full",
        "currency": "USD",
        "pnl": np.array([1.0, -1.0]),
        "trader_pnl": None,
    }
    values["law"] = "499 days, ewma 0.97"
    del values["factor_model"]
    with monkeypatch.context() as patch:
        patch.setattr(records, "_by_tag", dict(records._by_tag))
        patch.setattr(records, "_by_type", dict(records._by_type))
        storable("mc.MCResult", version=1)(former)
        with BarbaraDB.open("desk", path=tmp_path / "risk.db") as db:
            db["/Risk/MonteCarlo/gbm"] = former(**values)
    with BarbaraDB.open("desk", path=tmp_path / "risk.db") as db:
        result = db["/Risk/MonteCarlo/gbm"]
    assert isinstance(result, MCResult)
    assert result.factor_model == "499 days, ewma 0.97"
    assert result.pnl.tolist() == [1.0, -1.0]


def test_a_factor_model_is_stored_under_its_old_tag(tmp_path):
    assert records.by_type(FactorModel).tag == "mc.FactorLaw"
    with BarbaraDB.open("desk", path=tmp_path / "models.db") as db:
        db["/model"] = MODEL
        assert db["/model"] == MODEL
