"""The peers of the portfolio benchmarks, each as its own pages would have it written.

Every function returns a call that goes from plain arrays to weights, and counts what a user has to do for each solve:
building the problem object is in it, loading the library is not. Arrays that a solver wants in a layout of its own (the
sparse matrices of Clarabel and HiGHS, the rows of constraints of piqp and quadprog, frames with names) are made
beforehand, as our `CovarianceData` is. Settings are the libraries' defaults. Where a problem can be written in several
ways (`FORMS`) the benchmark times each once and goes on with the fastest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import clarabel
import cvxpy as cp
import highspy
import numpy as np
import pandas as pd
import piqp
import pypfopt
import quadprog
import riskfolio
import scipy.sparse as sp
from cvxcla import CLA
from scipy.optimize import linprog
from skfolio import RiskMeasure
from skfolio.optimization import HierarchicalRiskParity, MeanRisk, RiskBudgeting
from skfolio.prior import EmpiricalPrior

if TYPE_CHECKING:
    from collections.abc import Callable

    Weights = Callable[[], np.ndarray]

__all__ = [
    "clarabel_variance",
    "cvxcla_frontier",
    "cvxpy_frontier_forms",
    "cvxpy_parity_forms",
    "cvxpy_tracking_forms",
    "cvxpy_variance_forms",
    "highs_forms",
    "piqp_variance",
    "pypfopt_cvar",
    "pypfopt_hrp_forms",
    "pypfopt_sharpe",
    "pypfopt_variance",
    "quadprog_variance",
    "riskfolio_parity",
    "riskfolio_sharpe",
    "riskfolio_variance",
    "skfolio_hrp",
    "skfolio_moments",
    "skfolio_parity",
    "skfolio_variance",
]


def quadratic_forms(sigma: np.ndarray) -> dict[str, Callable[[cp.Variable], Any]]:
    """Return the ways to write a variance: the covariance, or its factor."""
    return {
        "quad_form": lambda w: cp.quad_form(w, cp.psd_wrap(sigma)),
        "sum_squares of a factor": lambda w: cp.sum_squares(np.linalg.cholesky(sigma).T @ w),
    }


def cvxpy_variance_forms(sigma: np.ndarray) -> dict[str, Weights]:
    """Return cvxpy with Clarabel: least variance, long only."""

    def solve(variance: Callable[[cp.Variable], Any]) -> Weights:
        def run() -> np.ndarray:
            w = cp.Variable(len(sigma))
            cp.Problem(cp.Minimize(variance(w)), [cp.sum(w) == 1, w >= 0]).solve(solver=cp.CLARABEL)
            return np.asarray(w.value)

        return run

    return {name: solve(form) for name, form in quadratic_forms(sigma).items()}


def cvxpy_utility_forms(
    sigma: np.ndarray,
    means: np.ndarray,
    bounds: tuple[float, float],
    leverage: float | None = None,
    turnover: float | None = None,
) -> dict[str, Weights]:
    """Return cvxpy with Clarabel: reward less half the variance, within bounds; sizes count from equal weights."""
    n = len(sigma)

    def solve(variance: Callable[[cp.Variable], Any]) -> Weights:
        def run() -> np.ndarray:
            w = cp.Variable(n)
            rules = [cp.sum(w) == 1, w >= bounds[0], w <= bounds[1]]
            rules += [] if leverage is None else [cp.norm1(w) <= leverage]
            rules += [] if turnover is None else [cp.norm1(w - 1.0 / n) <= turnover]
            cp.Problem(cp.Maximize(means @ w - 0.5 * variance(w)), rules).solve(solver=cp.CLARABEL)
            return np.asarray(w.value)

        return run

    return {name: solve(form) for name, form in quadratic_forms(sigma).items()}


def clarabel_variance(sigma: np.ndarray) -> Weights:
    """Return Clarabel by itself, without cvxpy: least variance, long only."""
    n = len(sigma)
    upper = sp.triu(sp.csc_matrix(sigma)).tocsc()
    rows = sp.vstack([sp.csc_matrix(np.ones((1, n))), -sp.identity(n, format="csc")]).tocsc()
    side = np.concatenate([[1.0], np.zeros(n)])

    def run() -> np.ndarray:
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(n)]
        return np.array(clarabel.DefaultSolver(upper, np.zeros(n), rows, side, cones, settings).solve().x)

    return run


def piqp_variance(sigma: np.ndarray) -> Weights:
    """Return piqp's dense solver: least variance, long only."""
    n = len(sigma)
    dense, ones = np.asfortranarray(sigma), np.asfortranarray(np.ones((1, n)))

    def run() -> np.ndarray:
        solver = piqp.DenseSolver()
        solver.setup(dense, np.zeros(n), ones, np.ones(1), x_l=np.zeros(n), x_u=np.ones(n))
        solver.solve()
        return np.array(solver.result.x)

    return run


def quadprog_variance(sigma: np.ndarray) -> Weights:
    """Return quadprog, the active set of Goldfarb and Idnani: least variance, long only. It has no tolerance to set."""
    n = len(sigma)
    nothing, rules = np.zeros(n), np.column_stack([np.ones(n), np.identity(n)])
    sides = np.concatenate([[1.0], np.zeros(n)])
    return lambda: np.asarray(quadprog.solve_qp(sigma, nothing, rules, sides, meq=1)[0])


def pypfopt_variance(sigma: np.ndarray) -> Weights:
    """Return PyPortfolioOpt: least variance."""
    return lambda: np.array(list(pypfopt.EfficientFrontier(None, sigma).min_volatility().values()))


def riskfolio_portfolio(past: pd.DataFrame, mu: np.ndarray, sigma: np.ndarray) -> Any:
    """Return Riskfolio's portfolio with moments set, as a user would who has them already."""
    portfolio = riskfolio.Portfolio(returns=past)
    portfolio.mu = pd.DataFrame(mu.reshape(1, -1), columns=past.columns)
    portfolio.cov = pd.DataFrame(sigma, index=past.columns, columns=past.columns)
    return portfolio


def riskfolio_variance(past: pd.DataFrame, mu: np.ndarray, sigma: np.ndarray) -> Weights:
    """Return Riskfolio: least variance."""

    def run() -> np.ndarray:
        found = riskfolio_portfolio(past, mu, sigma).optimization(model="Classic", rm="MV", obj="MinRisk")
        return found["weights"].to_numpy()

    return run


def riskfolio_sharpe(
    past: pd.DataFrame, mu: np.ndarray, sigma: np.ndarray, bounds: tuple[float, float], rate: float
) -> Weights:
    """Return Riskfolio: the largest Sharpe ratio within bounds."""

    def run() -> np.ndarray:
        portfolio = riskfolio_portfolio(past, mu, sigma)
        portfolio.lowerlng, portfolio.upperlng = bounds
        return portfolio.optimization(model="Classic", rm="MV", obj="Sharpe", rf=rate)["weights"].to_numpy()

    return run


def riskfolio_parity(past: pd.DataFrame, mu: np.ndarray, sigma: np.ndarray) -> Weights:
    """Return Riskfolio: risk parity."""

    def run() -> np.ndarray:
        return riskfolio_portfolio(past, mu, sigma).rp_optimization(model="Classic", rm="MV")["weights"].to_numpy()

    return run


def skfolio_variance(past: pd.DataFrame) -> Weights:
    """Return skfolio: least variance. It estimates the moments in the same call."""
    return lambda: np.asarray(MeanRisk().fit(past).weights_)


def skfolio_parity(past: pd.DataFrame) -> Weights:
    """Return skfolio: risk parity. It estimates the moments in the same call."""
    return lambda: np.asarray(RiskBudgeting(risk_measure=RiskMeasure.VARIANCE).fit(past).weights_)


def skfolio_moments(past: pd.DataFrame) -> Callable[[], object]:
    """Return skfolio's moments alone: what it does in each of its calls before it solves."""
    return lambda: EmpiricalPrior().fit(past)


def skfolio_hrp(past: pd.DataFrame) -> Weights:
    """Return skfolio: hierarchical risk parity. It estimates the moments in the same call."""
    return lambda: np.asarray(HierarchicalRiskParity(risk_measure=RiskMeasure.VARIANCE).fit(past).weights_)


def pypfopt_sharpe(mu: np.ndarray, sigma: np.ndarray, bounds: tuple[float, float], rate: float) -> Weights:
    """Return PyPortfolioOpt: the largest Sharpe ratio within bounds."""

    def run() -> np.ndarray:
        found = pypfopt.EfficientFrontier(mu, sigma, weight_bounds=bounds).max_sharpe(risk_free_rate=rate)
        return np.array(list(found.values()))

    return run


def cvxpy_parity_forms(sigma: np.ndarray) -> dict[str, Weights]:
    """Return cvxpy with Clarabel: risk parity as a convex problem with logarithms."""
    n = len(sigma)

    def barrier(variance: Callable[[cp.Variable], Any]) -> Weights:
        def run() -> np.ndarray:
            x = cp.Variable(n)
            cp.Problem(cp.Minimize(0.5 * variance(x) - cp.sum(cp.log(x)) / n)).solve(solver=cp.CLARABEL)
            return np.asarray(x.value / x.value.sum())

        return run

    def budget(variance: Callable[[cp.Variable], Any]) -> Weights:
        def run() -> np.ndarray:
            x = cp.Variable(n)
            cp.Problem(cp.Minimize(variance(x)), [cp.sum(cp.log(x)) >= 0.0]).solve(solver=cp.CLARABEL)
            return np.asarray(x.value / x.value.sum())

        return run

    forms = quadratic_forms(sigma)
    return {f"{name}, log in the objective": barrier(form) for name, form in forms.items()} | {
        f"{name}, log in a constraint": budget(form) for name, form in forms.items()
    }


def pypfopt_hrp_forms(past: pd.DataFrame, sigma: pd.DataFrame) -> dict[str, Weights]:
    """Return PyPortfolioOpt: hierarchical risk parity from returns, or from their covariance."""

    def run(**given: pd.DataFrame) -> np.ndarray:
        found = pypfopt.HRPOpt(**given).optimize()
        return np.array([found[name] for name in past.columns])

    return {"from the covariance": lambda: run(cov_matrix=sigma), "from returns": lambda: run(returns=past)}


def highs_forms(past: np.ndarray, confidence: float) -> dict[str, Weights]:
    """Return HiGHS, by scipy and by its own door, its own choice of method and its interior point: least CVaR."""
    periods, n = past.shape
    cost = np.concatenate([np.zeros(n), [1.0], np.full(periods, 1.0 / ((1.0 - confidence) * periods))])
    # Losses less the quantile are at most the excess: -r'w - a - u <= 0.
    rows = sp.hstack([sp.csr_matrix(-past), -np.ones((periods, 1)), -sp.identity(periods)]).tocsr()
    budget = sp.csr_matrix(np.concatenate([np.ones(n), np.zeros(1 + periods)])[None, :])
    low = np.concatenate([np.zeros(n), [-np.inf], np.zeros(periods)])
    high = np.concatenate([np.ones(n), np.full(1 + periods, np.inf)])

    def by_scipy(method: str) -> Weights:
        def run() -> np.ndarray:
            sides = {"A_ub": rows, "b_ub": np.zeros(periods), "A_eq": budget, "b_eq": np.ones(1)}
            return np.asarray(linprog(cost, **sides, bounds=np.column_stack([low, high]), method=method).x[:n])

        return run

    def by_highspy(method: str) -> Weights:
        def run() -> np.ndarray:
            return highspy_weights(cost, sp.vstack([rows, budget]).tocsr(), low, high, method)[:n]

        return run

    return {
        "scipy, highs": by_scipy("highs"),
        "scipy, highs-ipm": by_scipy("highs-ipm"),
        "highspy": by_highspy("choose"),
        "highspy, ipm": by_highspy("ipm"),
    }


def highspy_weights(
    cost: np.ndarray, matrix: sp.csr_matrix, low: np.ndarray, high: np.ndarray, method: str
) -> np.ndarray:
    """Solve one linear program whose rows are at most 0, but for the last, which is 1."""
    program = highspy.HighsLp()
    rows, columns = matrix.shape
    program.num_col_, program.num_row_ = columns, rows
    program.col_cost_, program.col_lower_, program.col_upper_ = cost, low, high
    program.row_lower_ = np.concatenate([np.full(rows - 1, -highspy.kHighsInf), [1.0]])
    program.row_upper_ = np.concatenate([np.zeros(rows - 1), [1.0]])
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("solver", method)
    solver.passModel(program)
    solver.run()
    return np.array(solver.getSolution().col_value)


def pypfopt_cvar(past: np.ndarray, confidence: float) -> Weights:
    """Return PyPortfolioOpt: least CVaR."""
    return lambda: np.array(list(pypfopt.EfficientCVaR(None, past, beta=confidence).min_cvar().values()))


def cvxpy_frontier_forms(mu: np.ndarray, sigma: np.ndarray, targets: np.ndarray) -> dict[str, Weights]:
    """Return cvxpy with a parameter: the problem is built once, and solved for each target return."""

    def trace(variance: Callable[[cp.Variable], Any], solver: str) -> Weights:
        def run() -> np.ndarray:
            w, target = cp.Variable(len(mu)), cp.Parameter()
            problem = cp.Problem(cp.Minimize(variance(w)), [cp.sum(w) == 1, w >= 0, mu @ w >= target])
            found = []
            for wanted in targets.tolist():
                target.value = wanted
                problem.solve(solver=solver)
                found.append(w.value)
            return np.array(found)

        return run

    return {name: trace(form, cp.CLARABEL) for name, form in quadratic_forms(sigma).items()}


def cvxcla_frontier(mu: np.ndarray, sigma: np.ndarray, targets: np.ndarray) -> Weights:
    """Return cvxcla: the critical line, then the target returns between its turning points."""
    n = len(mu)

    def run() -> np.ndarray:
        line = CLA(
            mean=mu,
            covariance=sigma,
            lower_bounds=np.zeros(n),
            upper_bounds=np.ones(n),
            a=np.ones((1, n)),
            b=np.ones(1),
        )
        turns = np.array([point.weights for point in line.turning_points])[::-1]
        returns = turns @ mu
        rises = np.append(True, np.diff(returns) > 0.0)  # a turning point may be there twice
        turns, returns = turns[rises], returns[rises]
        at = np.clip(np.searchsorted(returns, targets, side="right") - 1, 0, len(turns) - 2)
        share = (targets - returns[at]) / (returns[at + 1] - returns[at])
        return turns[at] + share[:, None] * (turns[at + 1] - turns[at])

    return run


def cvxpy_tracking_forms(
    past: np.ndarray, benchmark: np.ndarray, fees: np.ndarray, scale: float, cap: float
) -> dict[str, Weights]:
    """Return cvxpy with Clarabel: mean square active return and fees, under caps."""

    def solve(square: Callable[[cp.Variable], Any]) -> Weights:
        def run() -> np.ndarray:
            w = cp.Variable(past.shape[1])
            limits = [cp.sum(w) == 1, w >= 0, w <= cap]
            cp.Problem(cp.Minimize(scale * square(w) + fees @ w), limits).solve(solver=cp.CLARABEL)
            return np.asarray(w.value)

        return run

    def gram(w: cp.Variable) -> Any:
        return cp.quad_form(w, cp.psd_wrap(past.T @ past)) - 2.0 * (past.T @ benchmark) @ w

    return {
        "sum_squares of active returns": solve(lambda w: cp.sum_squares(past @ w - benchmark)),
        "quad_form of their products": solve(gram),
    }
