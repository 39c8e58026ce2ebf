"""create_optimizer: every kind, constraints by name and as an object, and invalid input."""

import numpy as np
import pytest

import bank_python
from bank_python.errors import BankError, InfeasibleError, ModelError
from bank_python.optimizer import (
    Constraints,
    CovarianceData,
    Group,
    MaxSharpeOptimizer,
    OptimalPortfolio,
    Optimizer,
    create_optimizer,
)
from bank_python.optimizer.factory import OPTIMIZERS, SHORT_NAMES

KINDS = [
    "mean_variance",
    "min_variance",
    "max_sharpe",
    "risk_parity",
    "max_diversification",
    "hrp",
    "black_litterman",
    "min_cvar",
    "barbell",
    "tracking",
]
LIMITS = ["bounds", "groups", "invested", "turnover", "leverage", "transaction_cost", "current", "rules"]


def drawn(n=4, periods=120, seed=0):
    rng = np.random.default_rng(seed)
    past = 0.01 * rng.normal(size=(periods, n)) + 0.006 * rng.normal(size=(periods, 1)) + 1e-3
    return CovarianceData.from_returns(past, [f"A{i}" for i in range(n)])


def needs(kind, data):
    if kind == "tracking":
        return {"benchmark": data.returns.mean(axis=1)}
    return {"views": {"A0": 0.3}} if kind == "black_litterman" else {}


def test_the_kinds_are_these():
    assert list(OPTIMIZERS) == KINDS
    assert all(cls.kind == kind for kind, cls in OPTIMIZERS.items())
    assert all(issubclass(cls, Optimizer) for cls in OPTIMIZERS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_makes_a_portfolio(kind):
    data = drawn()
    optimizer = create_optimizer(kind, data, **needs(kind, data))
    assert type(optimizer) is OPTIMIZERS[kind]
    found = optimizer.optimize()
    assert isinstance(found, OptimalPortfolio)
    assert found.method == kind
    assert found.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert found.certificate.kkt_residual < 1e-10
    assert not found.weights.flags.writeable
    assert (optimizer.optimize().weights == found.weights).all()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "barbell"])
def test_constraints_by_name_are_constraints_given_whole(kind):
    data = drawn()
    limits = {
        "bounds": (0.05, 0.4),
        "groups": [Group("two", ["A0", "A1"], upper=0.55)],
        "turnover": 0.5,
        "transaction_cost": 1e-4,
        "current": dict.fromkeys(data.tickers, 0.25),
    }
    by_name = create_optimizer(kind, data, **limits, **needs(kind, data)).optimize()
    whole = create_optimizer(kind, data, constraints=Constraints(**limits), **needs(kind, data)).optimize()
    assert (by_name.weights == whole.weights).all()
    assert by_name.weights.min() >= 0.05 - 1e-9
    assert by_name.weights.max() <= 0.4 + 1e-9
    assert by_name.weights[:2].sum() <= 0.55 + 1e-9
    traded = float(np.abs(by_name.weights - 0.25).sum())
    assert traded <= 0.5 + 1e-9
    assert by_name.figures["turnover"] == pytest.approx(traded, abs=1e-12)
    assert by_name.figures["transaction_cost"] == pytest.approx(1e-4 * traded, abs=1e-15)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "barbell"])
def test_the_riskless_rate_is_what_the_ratio_is_measured_from(kind):
    data = drawn()
    found = create_optimizer(kind, data, risk_free_rate=0.03, **needs(kind, data)).optimize()
    assert found.risk_free_rate == 0.03
    assert found.sharpe == pytest.approx((found.expected_return - 0.03) / found.volatility, rel=1e-13)


def test_no_constraints_are_the_usual_ones():
    data = drawn()
    bare = create_optimizer("min_variance", data, constraints=None, bounds=(0.0, 1.0)).optimize()
    assert (bare.weights == create_optimizer("min_variance", data).optimize().weights).all()


@pytest.mark.parametrize("kind", ["max_sharp", "", "sharpest", "barbells"])
def test_a_kind_that_is_not_there(kind):
    with pytest.raises(ModelError, match=f"no optimiser {kind!r}; there are {', '.join(KINDS)}") as told:
        create_optimizer(kind, drawn())
    assert isinstance(told.value, ValueError)
    assert isinstance(told.value, BankError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_that_is_not_there(kind):
    with pytest.raises(ModelError, match=f"{kind} takes no 'bound'; did you mean bounds\\? it takes") as told:
        create_optimizer(kind, drawn(), bound=(0.0, 1.0))
    offered = str(told.value).split("it takes ")[1].split(", ")
    assert set(LIMITS) <= set(offered)
    assert {"constraints", "risk_free_rate"} <= set(offered)
    assert "cov_data" not in offered
    assert "self" not in offered


def test_a_parameter_of_another_kind():
    with pytest.raises(ModelError, match="max_sharpe takes no 'risk_aversion'; it takes constraints, risk_free_rate,"):
        create_optimizer("max_sharpe", drawn(), risk_aversion=2.0)


@pytest.mark.parametrize(("kind", "needed"), [("tracking", "benchmark"), ("black_litterman", "views")])
def test_a_parameter_that_is_missing(kind, needed):
    with pytest.raises(ModelError, match=f"{kind} needs {needed}="):
        create_optimizer(kind, drawn())


def test_constraints_given_both_ways():
    with pytest.raises(ModelError, match="constraints= and bounds, turnover were both given; give one or the other"):
        create_optimizer("max_sharpe", drawn(), constraints=Constraints(), bounds=(0.0, 0.5), turnover=0.1)


def test_what_the_constraints_refuse():
    data = drawn()
    with pytest.raises(
        ModelError, match="turnover and transaction_cost are measured from the present weights; give current="
    ):
        create_optimizer("max_sharpe", data, turnover=0.1)
    with pytest.raises(ModelError, match="'B'"):
        create_optimizer("max_sharpe", data, bounds={"B": (0.0, 0.5)})
    with pytest.raises(InfeasibleError, match=r"the upper bounds add up to 0\.8, 0\.2 less than invested=1") as told:
        create_optimizer("max_sharpe", data, bounds=(0.0, 0.2))
    assert told.value.value == pytest.approx(0.2, abs=1e-12)
    with pytest.raises(InfeasibleError, match=r"A1 has its lower bound 0\.5 above its upper bound 0\.4, by 0\.1"):
        create_optimizer("max_sharpe", data, bounds={"A1": (0.5, 0.4)})


def test_a_class_made_directly_is_the_same():
    data = drawn()
    direct = MaxSharpeOptimizer(data, Constraints(bounds=(0.02, 0.4)), risk_free_rate=0.05).optimize()
    assert (
        direct.weights
        == create_optimizer("max_sharpe", data, bounds=(0.02, 0.4), risk_free_rate=0.05).optimize().weights
    ).all()


@pytest.mark.parametrize(
    ("spelled", "kind"),
    [
        ("MAX_SHARPE", "max_sharpe"),
        (" Max Sharpe ", "max_sharpe"),
        ("max-sharpe", "max_sharpe"),
        ("mv", "mean_variance"),
        ("RP", "risk_parity"),
        ("cvar", "min_cvar"),
        ("Min-Volatility", "min_variance"),
        ("HRP", "hrp"),
        ("taleb_barbell", "barbell"),
    ],
)
def test_a_kind_may_be_spelled_in_many_ways(spelled, kind):
    assert type(create_optimizer(spelled, drawn())) is OPTIMIZERS[kind]


def test_black_litterman_for_short():
    assert type(create_optimizer("bl", drawn(), views={"A0": 0.1})) is OPTIMIZERS["black_litterman"]


@pytest.mark.parametrize(
    ("kind", "near"), [("max_sharp", "max_sharpe"), ("Risk Paritiy", "risk_parity"), ("min_vol", "min_volatility")]
)
def test_a_misspelled_kind_is_corrected_in_the_message(kind, near):
    with pytest.raises(ModelError, match=f"did you mean {near!r}"):
        create_optimizer(kind, drawn())


def test_short_names_are_of_kinds_that_are_there():
    assert set(SHORT_NAMES.values()) <= set(OPTIMIZERS)
    assert set(SHORT_NAMES) & set(OPTIMIZERS) == set()


def test_swapped_arguments_are_explained():
    with pytest.raises(ModelError, match="a CovarianceData; give the kind first, then the data"):
        create_optimizer(drawn(), "max_sharpe")


@pytest.mark.parametrize("data", [{"A0": [0.01, 0.02]}, np.eye(3), None, "A0"], ids=type)
@pytest.mark.parametrize("kind", KINDS)
def test_data_of_another_type_is_rejected_by_factory_and_class(kind, data):
    more = needs(kind, drawn())
    message = f"{kind} of a {type(data).__name__}; give CovarianceData, for example by from_returns"
    with pytest.raises(ModelError, match=message):
        create_optimizer(kind, data, **more)
    with pytest.raises(ModelError, match=message):
        OPTIMIZERS[kind](data, **more)


@pytest.mark.parametrize("kind", KINDS)
def test_constraints_that_are_none_are_refused(kind):
    data = drawn()
    with pytest.raises(ModelError, match=r"constraints=\{'bounds': \(0, 1\)\}; give Constraints\(bounds="):
        OPTIMIZERS[kind](data, {"bounds": (0, 1)}, **needs(kind, data))


def test_the_usual_optimisers_are_at_the_root():
    assert bank_python.MeanVarianceOptimizer is OPTIMIZERS["mean_variance"]
    assert bank_python.RiskParityOptimizer is OPTIMIZERS["risk_parity"]
