"""A kind of constraint that is defined only here: satisfied, certified, named and shown.

The kind is a limit on the sum of the k largest weights, which needs variables of its own: k t + Σ u ≤ most with
u ≥ w - t and u ≥ 0 (Ogryczak and Tamir 2003).
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from rich.console import Console

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer import (
    OPTIMIZERS,
    Constraint,
    Constraints,
    CovarianceData,
    EfficientFrontier,
    Group,
    Limit,
    Rows,
    create_optimizer,
    cvar_frontier,
)
from bank_python.optimizer.feasible import FeasibleSet
from bank_python.render_portfolio import portfolio_view

NAMES = ("A", "B", "C", "D", "E")


@dataclass(frozen=True)
class Largest(Constraint):
    """An upper limit on the sum of the k largest weights."""

    k: int
    most: float

    def on(self, tickers):
        n = len(tickers)
        unit, zero, one = np.eye(n), np.zeros((n, n)), np.ones((n, 1))
        infinite = np.full(n, np.inf)
        label = f"the {self.k} largest at most {self.most:g}"
        rows = Rows(
            lower=-infinite,
            upper=infinite,
            A=np.zeros((0, 2 * n + 1)),
            b=np.zeros(0),
            G=np.concatenate([np.zeros(n), np.ones(n), [self.k]])[None, :],
            h=np.array([self.most]),
            equal_names=(),
            row_names=(label,),
            definitions=np.block([[unit, -unit, -one], [zero, -unit, 0.0 * one]]),
            sides=np.zeros(2 * n),
            further=n + 1,
        )
        return Limit(label, rows, lambda weights: float(np.sort(weights)[-self.k :].sum()) - self.most)


@dataclass(frozen=True)
class Forgetful(Constraint):
    """A kind of constraint whose rows are inconsistent with its violation."""

    def on(self, tickers):
        infinite = np.full(len(tickers), np.inf)
        return Limit("at most 0.21 of each", Rows.box(-infinite, infinite), lambda w: float(w.max()) - 0.21)


def drawn(seed=3, periods=200):
    rng = np.random.default_rng(seed)
    past = rng.standard_normal((periods, 5)) * [0.004, 0.009, 0.011, 0.014, 0.02]
    past += 0.004 * rng.standard_normal((periods, 1)) + np.array([1.0, 3.0, 4.0, 5.0, 9.0]) * 1e-4
    return CovarianceData.from_returns(past, NAMES)


def needs(kind, data):
    if kind == "tracking":
        return {"benchmark": data.returns @ [0.7, 0.1, 0.1, 0.05, 0.05]}
    return {"views": {"E": 0.5}} if kind == "black_litterman" else {}


def two_largest(weights):
    return float(np.sort(weights)[-2:].sum())


def basket(found):
    """Return the weights of the risky assets, scaled to a sum of one."""
    risky = np.array([weight for name, weight in found.items() if name != "SAFE"])
    return risky / risky.sum()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimiser_obeys_it(kind):
    data = drawn()
    free = create_optimizer(kind, data, **needs(kind, data)).optimize()
    most = two_largest(basket(free)) - 0.08
    rule = Largest(2, most)
    by_name = create_optimizer(kind, data, rules=[rule], **needs(kind, data)).optimize()
    whole = OPTIMIZERS[kind](data, Constraints(rules=[rule]), **needs(kind, data)).optimize()
    assert (by_name.weights == whole.weights).all()
    assert two_largest(basket(by_name)) == pytest.approx(most, abs=1e-8)
    assert by_name.certificate.kkt_residual < 1e-8
    assert rule.on(NAMES).label in by_name.certificate.binding


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimiser_keeps_turnover_and_leverage_too(kind):
    """A constraint missing in one place once allowed a certified turnover of 1.84 under a limit of 0.2."""
    data = drawn()
    held = dict.fromkeys(NAMES, 0.2)
    rules = Constraints(bounds=(-0.5, 1.0), turnover=0.2, leverage=1.05, current=held, rules=[Largest(2, 0.45)])
    found = OPTIMIZERS[kind](data, rules, **needs(kind, data)).optimize()
    weights = basket(found)
    assert np.abs(weights - 0.2).sum() <= 0.2 + 1e-8
    assert np.abs(weights).sum() <= 1.05 + 1e-8
    assert two_largest(weights) <= 0.45 + 1e-8


@pytest.mark.parametrize("most", [0.45, 0.6])
@pytest.mark.parametrize("turnover", [None, 0.6])
def test_what_is_found_is_the_best_that_is_allowed(most, turnover):
    cvxpy = pytest.importorskip("cvxpy")
    data = drawn()
    held = np.array([0.4, 0.3, 0.1, 0.1, 0.1])
    current = dict(zip(NAMES, held.tolist(), strict=True))
    found = create_optimizer(
        "mean_variance", data, risk_aversion=4.0, rules=[Largest(2, most)], turnover=turnover, current=current
    ).optimize()
    w = cvxpy.Variable(5)
    limits = [cvxpy.sum(w) == 1, w >= 0, w <= 1, cvxpy.sum_largest(w, 2) <= most]
    limits += [] if turnover is None else [cvxpy.norm1(w - held) <= turnover]
    worth = data.expected_returns @ w - 2.0 * cvxpy.quad_form(w, data.covariance)
    cvxpy.Problem(cvxpy.Maximize(worth), limits).solve(solver="CLARABEL")
    assert found.weights == pytest.approx(w.value, abs=1e-5)
    assert found.certificate.duality_gap < 1e-9


def test_the_frontiers_obey_it():
    data = drawn()
    rules = Constraints(rules=[Largest(2, 0.5)])
    frontier = EfficientFrontier(data, constraints=rules)
    for weights in frontier.points(17).weights:
        assert two_largest(weights) <= 0.5 + 1e-9
    best = frontier.max_sharpe()
    alone = create_optimizer("max_sharpe", data, constraints=rules).optimize()
    assert best.sharpe == pytest.approx(alone.sharpe, rel=1e-11)
    assert best.weights == pytest.approx(alone.weights, abs=1e-8)
    assert best.certificate.kkt_residual < 1e-8
    assert "the 2 largest at most 0.5" in best.certificate.binding
    for held in cvar_frontier(data, rules, count=3).portfolios:
        assert two_largest(held.weights) <= 0.5 + 1e-8


def test_it_can_be_added_to_a_frontier():
    frontier = EfficientFrontier(drawn())
    frontier.add_constraint(Largest(2, 0.5))
    assert two_largest(frontier.max_return().weights) == pytest.approx(0.5, abs=1e-9)


def test_a_contradiction_names_it():
    rules = {"rules": [Largest(2, 0.3)], "groups": [Group("shares", ["D", "E"], lower=0.45)]}
    with pytest.raises(InfeasibleError, match=r"shares at least 0.45, the 2 largest at most 0.3 contradict each other"):
        create_optimizer("min_variance", drawn(), **rules).optimize()
    with pytest.raises(InfeasibleError, match=r"the 2 largest at most 0\.3"):
        EfficientFrontier(drawn(), constraints=Constraints(**rules)).max_sharpe()


def test_it_is_shown():
    found = create_optimizer("max_sharpe", drawn(), rules=[Largest(2, 0.5)]).optimize()
    screen = Console(width=100)
    with screen.capture() as captured:
        screen.print(portfolio_view(found))
    assert "the 2 largest at most 0.5: binding" in captured.get()


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_rows_inconsistent_with_the_violation_are_rejected(kind):
    data = drawn()
    with pytest.raises(ModelError, match=r"at most 0\.21 of each is violated by .* its rows are satisfied"):
        create_optimizer(kind, data, rules=[Forgetful()], **needs(kind, data)).optimize()


def test_a_frontier_refuses_them_too():
    with pytest.raises(ModelError, match=r"at most 0\.21 of each is violated by"):
        EfficientFrontier(drawn(), constraints=Constraints(rules=[Forgetful()])).max_sharpe()


def test_a_violation_that_is_no_number_is_refused():
    @dataclass(frozen=True)
    class Unknown(Constraint):
        def on(self, tickers):
            return replace(Forgetful().on(tickers), label="unknown", violation=lambda _: float("nan"))

    with pytest.raises(ModelError, match="unknown is violated by nan"):
        create_optimizer("min_variance", drawn(), rules=[Unknown()]).optimize()


def test_a_kind_cannot_leave_out_a_part():
    class Nothing(Constraint):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Nothing()
    with pytest.raises(TypeError, match="violation"):
        Limit("rows alone", Rows.box(np.zeros(2), np.ones(2)))
    with pytest.raises(
        ModelError, match="give each row a right-hand side, a name, and a coefficient for each variable"
    ):
        replace(Rows.equal("all", np.ones(3), 1.0), equal_names=())
    with pytest.raises(ModelError, match="rules contains 'A'; give a list of constraints"):
        Constraints(rules=["A"])


OTHER = {
    "bounds": (0.0, 0.9),
    "groups": (Group("g", ["A"], upper=0.5),),
    "invested": 0.9,
    "turnover": 0.5,
    "leverage": 1.2,
    "transaction_cost": 0.01,
    "rules": (Largest(2, 0.5),),
}


def measured(allowed, weights):
    return [*(limit.violation(weights) for limit in allowed.limits), allowed.paid(weights)]


def test_no_field_of_the_constraints_is_without_an_object():
    """Every field has an object; `current` is a parameter of turnover and costs."""
    names = {field.name for field in fields(Constraints)}
    assert names - {"current"} == set(OTHER)
    base = Constraints(current={"A": 1.0})
    for name, value in OTHER.items():
        other = replace(base, **{name: value})
        assert (other.listed, other.costs) != (base.listed, base.costs), name
        allowed, usual = FeasibleSet.of(NAMES, other), FeasibleSet.of(NAMES, base)
        weights = np.array([-1.0, 3.0, 0.4, 0.3, 0.2])
        found, before = (
            [*(limit.violation(weights) for limit in each.limits), each.paid(weights)] for each in (allowed, usual)
        )
        assert found != before, name
