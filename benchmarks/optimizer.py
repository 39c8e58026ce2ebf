"""Portfolios beside cvxpy with Clarabel, piqp, quadprog, HiGHS, cvxcla, PyPortfolioOpt, Riskfolio-Lib and skfolio.

One process, one thread (linear algebra too, which is settled before numpy is loaded), CPU time, medians of shuffled
turns; a call that is over quickly is repeated until a turn has lasted 20 ms, on every side. All get the same numbers.
Outside the clock are: on our side the `CovarianceData`, which estimates and checks the covariance once; on theirs the
matrices that a solver wants in a layout of its own, and frames with names. Inside is what a user has to call for each
solve: on our side the optimiser and its certificate, on theirs the problem object and its solution. Least variance is
timed from the bare covariance as well, our checks inside the clock. Peers run with their defaults; where their problem
can be written in several ways each way is timed once and the fastest goes on. Warnings that they give are not shown.

Accuracy is measured by one formula for all, from the weights: the objective relative to that of ours, the natural
residual of the optimality conditions (``bank_python.integrations.portfolio_goal``), the largest violation of a
constraint. Beside it stands the certificate that ours comes with.

Run it with ``make bench`` or ``python benchmarks/optimizer.py --only variance-100,hrp``; ``--quick`` takes one turn.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import _optimizer_peers as peers
import numpy as np
import pandas as pd
from _command import run_cases, run_on_one_thread
from _timing import cpu, turn
from skfolio.datasets import load_sp500_dataset

from bank_python import Constraints, CovarianceData, EfficientFrontier, create_optimizer
from bank_python.integrations.portfolio_goal import PortfolioGoal, portfolio_goal
from bank_python.optimizer.feasible import FeasibleSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _report import Report

    from bank_python import OptimalPortfolio

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
PACKAGES = (
    "numpy",
    "bank-python",
    "cvxpy",
    "clarabel",
    "piqp",
    "quadprog",
    "highspy",
    "scipy",
    "cvxcla",
    "PyPortfolioOpt",
    "riskfolio-lib",
    "skfolio",
)
YEAR = 252
OURS, MEASURED, MOMENTS = "bank_python", "bank_python, from returns", "its moments alone (skfolio)"
GIVEN = "bank_python, from the bare covariance"


def fastest(name: str, forms: dict[str, Callable[[], np.ndarray]]) -> tuple[str, Callable[[], np.ndarray]]:
    """Return the form of a peer's problem that it solves fastest."""
    times = {}
    for form, call in forms.items():
        call()
        times[form] = turn(call)
    best = min(times, key=lambda form: times[form])
    return f"{name}, {best}", forms[best]


def simulated(n: int, periods: int = 2_500) -> np.ndarray:
    """Return daily returns of ten factors and a noise of each asset's own, seeded by the number of assets."""
    rng = np.random.default_rng(n)
    factors = 0.01 * rng.standard_normal((periods, 10)) @ rng.standard_normal((10, n)) * np.sqrt(0.1)
    own = rng.standard_normal((periods, n)) * (0.005 + 0.015 * rng.random(n))
    return np.asarray(0.0004 + 0.01 / YEAR * rng.standard_normal(n) + factors + own)


def panel() -> tuple[np.ndarray, list[str]]:
    """Return the last 1,500 daily returns of skfolio's twenty shares, and their names."""
    prices = load_sp500_dataset().iloc[-1_501:]
    return prices.pct_change().iloc[1:].to_numpy(), [str(name) for name in prices.columns]


def named(n: int) -> list[str]:
    """Return tickers that sort as they stand."""
    return [f"A{i:04d}" for i in range(n)]


@dataclass
class Race:
    """One row of the table: ours beside its peers, on one problem."""

    report: Report
    rounds: int
    title: str
    ours: Callable[[], OptimalPortfolio]
    goal: PortfolioGoal

    def run(
        self,
        calls: dict[str, Callable[[], np.ndarray]],
        targets: Iterable[tuple[str, str, str]],
        accuracy: str,
        extra: dict[str, Callable[[], object]] | None = None,
    ) -> None:
        """Time all, measure weights, keep the ratios: for each peer its name's beginning, its base, and the target."""
        best = self.ours()
        medians = cpu({OURS: self.ours, **(extra or {}), **calls}, self.rounds)
        proof = best.certificate
        told = (
            f"ours: certificate kkt {proof.kkt_residual:.1e}, gap {proof.duality_gap:.1e}; "
            f"measured kkt {self.goal.residual(best.weights):.1e}, breach {self.goal.breach(best.weights):.1e}"
        )
        lines = [told]
        for name, call in calls.items():
            found = call()
            gap = self.goal.gap(found, best.weights)
            worse = "" if gap is None else f"gap {gap:+.1e}, "
            off = float(np.abs(found - best.weights).max())
            lines.append(
                f"{name}: {worse}measured kkt {self.goal.residual(found):.1e}, breach {self.goal.breach(found):.1e}, "
                f"largest difference of a weight {off:.1e}"
            )
        self.report.case(f"{self.title}, CPU µs", {k: 1e6 * v for k, v in medians.items()}, "\n  ".join(lines))
        for start, base, target in targets:
            name = next(each for each in medians if each.startswith(start))
            if start == "skfolio" and MOMENTS in medians:
                self.report.ratio(f"{self.title}: skfolio / {MEASURED}", medians[name] / medians[MEASURED], "none")
                alone = medians[name] - medians[MOMENTS]
                self.report.ratio(f"{self.title}: skfolio less its moments / {base}", alone / medians[base], target)
                continue
            self.report.ratio(f"{self.title}: {start} / {base}", medians[name] / medians[base], target)
        self.report.ratio(f"{self.title}: larger of kkt and gap, times 1e12", 1e12 * worst(proof), accuracy)


def worst(proof: object) -> float:
    """Return the larger figure of a certificate."""
    return max(proof.kkt_residual, abs(proof.duality_gap))


def variance(report: Report, rounds: int, n: int) -> None:
    """Time least variance, long only."""
    past, names = panel() if n == 20 else (simulated(n), named(n))
    data = CovarianceData.from_returns(past, names)
    sigma, frame = np.array(data.covariance), pd.DataFrame(past, columns=names)
    calls = dict([fastest("cvxpy + Clarabel", peers.cvxpy_variance_forms(sigma))])
    calls["Clarabel alone"] = peers.clarabel_variance(sigma)
    calls["piqp"] = peers.piqp_variance(sigma)
    calls["quadprog"] = peers.quadprog_variance(sigma)
    wanted = {20: "none", 100: "≥ 3", 500: "≥ 10", 1000: "≥ 20"}[n]
    targets = [("cvxpy + Clarabel", OURS, wanted), ("Clarabel alone", OURS, "none")]
    targets.append(("piqp", OURS, "≥ 3" if n == 1_000 else "none"))
    targets += [("quadprog", OURS, "none"), ("quadprog", GIVEN, "none")]
    extra: dict[str, Callable[[], object]] = {
        GIVEN: lambda: create_optimizer("min_variance", CovarianceData(tickers=names, covariance=sigma)).optimize()
    }
    if n == 100:
        calls["PyPortfolioOpt"] = peers.pypfopt_variance(sigma)
        calls["Riskfolio-Lib"] = peers.riskfolio_variance(frame, data.expected_returns, sigma)
        calls["skfolio"] = peers.skfolio_variance(frame)
        extra[MEASURED] = lambda: create_optimizer("min_variance", CovarianceData.from_returns(past, names)).optimize()
        extra[MOMENTS] = peers.skfolio_moments(frame)
        targets += [("PyPortfolioOpt", OURS, "none"), ("Riskfolio-Lib", OURS, "≥ 25"), ("skfolio", OURS, "≥ 25")]
    race = Race(
        report,
        rounds,
        f"min variance, N = {n}",
        lambda: create_optimizer("min_variance", data).optimize(),
        portfolio_goal("min_variance", data, {}),
    )
    same = float(np.abs(calls["quadprog"]() - race.ours().weights).max())
    if not same <= 1e-10:
        sys.exit(f"min variance, N = {n}: quadprog's weights and ours differ by {same:.1e}, and both are exact")
    race.run(calls, targets, "≤ 1", extra)


def utility(report: Report, rounds: int, n: int) -> None:
    """Time reward less half the variance, no asset above 5 %: nearly a corner, as rewards outweigh the risk."""
    data = CovarianceData.from_returns(simulated(n), named(n), estimator="ledoit_wolf")
    bounds = (0.0, 0.05)
    forms = peers.cvxpy_utility_forms(data.covariance, data.expected_returns, bounds)
    race = Race(
        report,
        rounds,
        f"mean-variance, bounds, N = {n}",
        lambda: create_optimizer("mean_variance", data, bounds=bounds).optimize(),
        portfolio_goal("mean_variance", data, {"bounds": bounds, "risk_aversion": 1.0}),
    )
    race.run(dict([fastest("cvxpy + Clarabel", forms)]), [("cvxpy + Clarabel", OURS, "none")], "≤ 1")


def sizes(report: Report, rounds: int, n: int) -> None:
    """Time the same with short positions, a leverage of 1.6 and a turnover of 0.8 from equal weights."""
    names = named(n)
    data = CovarianceData.from_returns(simulated(n), names, estimator="ledoit_wolf")
    rules = Constraints(bounds=(-0.05, 0.1), leverage=1.6, turnover=0.8, current=dict.fromkeys(names, 1.0 / n))
    forms = peers.cvxpy_utility_forms(data.covariance, data.expected_returns, (-0.05, 0.1), 1.6, 0.8)
    name, call = fastest("cvxpy + Clarabel", forms)

    def ours() -> OptimalPortfolio:
        return create_optimizer("mean_variance", data, constraints=rules).optimize()

    medians = cpu({OURS: ours, name: call}, rounds)
    best, theirs = ours(), call()
    values = [float(data.expected_returns @ w - 0.5 * w @ data.covariance @ w) for w in (best.weights, theirs)]
    proof, breach = best.certificate, FeasibleSet.of(data.tickers, rules).breach
    gap = (values[0] - values[1]) / abs(values[0])
    report.case(
        f"mean-variance, leverage and turnover, N = {n}, CPU µs",
        {each: 1e6 * median for each, median in medians.items()},
        f"ours: certificate kkt {proof.kkt_residual:.1e}, gap {proof.duality_gap:.1e}, "
        f"breach {breach(best.weights):.1e}\n  {name}: gap {gap:+.1e}, breach {breach(theirs):.1e}",
    )
    report.ratio(
        f"mean-variance, leverage and turnover, N = {n}: cvxpy + Clarabel / {OURS}",
        medians[name] / medians[OURS],
        "none",
    )


def sharpe(report: Report, rounds: int) -> None:
    """Time the largest Sharpe ratio of twenty shares, each between 2 and 40 %, Ledoit and Wolf's covariance."""
    past, names = panel()
    data = CovarianceData.from_returns(past, names, estimator="ledoit_wolf", mean="compounded")
    frame, bounds, rate = pd.DataFrame(past, columns=names), (0.02, 0.4), 0.05
    asked = {"bounds": bounds, "risk_free_rate": rate}
    race = Race(
        report,
        rounds,
        "max Sharpe, bounds, N = 20",
        lambda: create_optimizer("max_sharpe", data, **asked).optimize(),
        portfolio_goal("max_sharpe", data, asked),
    )
    race.run(
        {
            "PyPortfolioOpt": peers.pypfopt_sharpe(data.expected_returns, data.covariance, bounds, rate),
            "Riskfolio-Lib": peers.riskfolio_sharpe(frame, data.expected_returns, data.covariance, bounds, rate),
        },
        [("PyPortfolioOpt", OURS, "≥ 4"), ("Riskfolio-Lib", OURS, "≥ 20")],
        "≤ 1",
    )


def parity(report: Report, rounds: int, n: int) -> None:
    """Time risk parity."""
    past, names = simulated(n), named(n)
    data = CovarianceData.from_returns(past, names)
    frame = pd.DataFrame(past, columns=names)
    calls = dict([fastest("cvxpy + Clarabel", peers.cvxpy_parity_forms(data.covariance))])
    targets = [("cvxpy + Clarabel", OURS, "≥ 8")]
    extra: dict[str, Callable[[], object]] = {}
    if n == 100:
        calls["skfolio"] = peers.skfolio_parity(frame)
        calls["Riskfolio-Lib"] = peers.riskfolio_parity(frame, data.expected_returns, data.covariance)
        extra[MEASURED] = lambda: create_optimizer("risk_parity", CovarianceData.from_returns(past, names)).optimize()
        extra[MOMENTS] = peers.skfolio_moments(frame)
        targets += [("skfolio", OURS, "≥ 20"), ("Riskfolio-Lib", OURS, "none")]
    race = Race(
        report,
        rounds,
        f"risk parity, N = {n}",
        lambda: create_optimizer("risk_parity", data).optimize(),
        portfolio_goal("risk_parity", data, {}),
    )
    race.run(calls, targets, "≤ 1", extra)


def hrp(report: Report, rounds: int) -> None:
    """Time hierarchical risk parity, and compare the weights."""
    past, names = simulated(100), named(100)
    data = CovarianceData.from_returns(past, names)
    frame = pd.DataFrame(past, columns=names)
    sigma = pd.DataFrame(data.covariance, index=names, columns=names)
    name, call = fastest("PyPortfolioOpt", peers.pypfopt_hrp_forms(frame, sigma))

    def ours() -> OptimalPortfolio:
        return create_optimizer("hrp", data).optimize()

    race = Race(report, rounds, "HRP, N = 100", ours, portfolio_goal("hrp", data, {}))
    calls = {name: call, "skfolio": peers.skfolio_hrp(frame)}
    race.run(calls, [("PyPortfolioOpt", OURS, "≥ 30"), ("skfolio", OURS, "none")], "≤ 1")
    off = float(np.abs(ours().weights - call()).max())
    report.ratio("HRP, N = 100: largest difference from PyPortfolioOpt, times 1e12", 1e12 * off, "≤ 1")


def cvar(report: Report, rounds: int) -> None:
    """Time the least CVaR of 5,000 scenarios of 100 assets."""
    past = simulated(100, 5_000)
    data = CovarianceData.from_returns(past, named(100))
    name, call = fastest("HiGHS", peers.highs_forms(past, 0.95))
    race = Race(
        report,
        rounds,
        "min CVaR 95 %, 5,000 × 100",
        lambda: create_optimizer("min_cvar", data).optimize(),
        portfolio_goal("min_cvar", data, {}),
    )
    race.run(
        {name: call, "PyPortfolioOpt": peers.pypfopt_cvar(past, 0.95)},
        [("HiGHS", OURS, "≥ 4"), ("PyPortfolioOpt", OURS, "≥ 5")],
        "≤ 1,000",
    )


def frontier(report: Report, rounds: int, n: int) -> None:
    """Time fifty points of the efficient frontier, evenly spaced in return."""
    past, names = panel() if n == 20 else (simulated(n), named(n))
    data = CovarianceData.from_returns(past, names)
    mu, sigma = data.expected_returns, data.covariance
    best = EfficientFrontier(data)
    exact = best.points(50)
    title = f"frontier, 50 points, N = {n}"
    name, call = fastest("parametrised cvxpy", peers.cvxpy_frontier_forms(mu, sigma, exact.expected_returns))
    calls = {name: call, "cvxcla": peers.cvxcla_frontier(mu, sigma, exact.expected_returns)}
    medians = cpu({OURS: lambda: EfficientFrontier(data).points(50), **calls}, rounds)
    proofs = [point.certificate for point in (best.at_return(back) for back in exact.expected_returns.tolist())]
    told = (
        f"ours: {len(best.turning_points)} turning points; the worst of 50 certificates "
        f"kkt {max(proof.kkt_residual for proof in proofs):.1e}, gap {max(proof.duality_gap for proof in proofs):.1e}"
    )
    lines = [told]
    ours = np.einsum("ij,ij->i", exact.weights @ sigma, exact.weights)
    for peer, solve in calls.items():
        found = solve()
        gaps = np.einsum("ij,ij->i", found @ sigma, found) / ours - 1.0
        lines.append(
            f"{peer}: gaps of variance from {gaps.min():+.1e} to {gaps.max():+.1e}, "
            f"largest difference of a weight {np.abs(found - exact.weights).max():.1e}"
        )
    report.case(f"{title}, CPU µs", {k: 1e6 * v for k, v in medians.items()}, "\n  ".join(lines))
    report.ratio(f"{title}: parametrised cvxpy / {OURS}", medians[name] / medians[OURS], "≥ 30")
    report.ratio(f"{title}: cvxcla / {OURS}", medians["cvxcla"] / medians[OURS], "≥ 2")
    report.ratio(f"{title}: larger of kkt and gap, times 1e12", 1e12 * max(map(worst, proofs)), "≤ 1")


def tracking(report: Report, rounds: int) -> None:
    """Time a basket of sixty assets that follows a benchmark for 1,500 days, capped at 5 % each, with holding costs."""
    rng = np.random.default_rng(60)
    past, names, cap = simulated(60, 1_500), named(60), 0.05
    benchmark = past @ rng.dirichlet(np.ones(60)) + 0.001 * rng.standard_normal(1_500)
    fees = 0.01 * rng.random(60)
    data = CovarianceData.from_returns(past, names)
    scale = YEAR / len(past)
    asked = {
        "bounds": (0.0, cap),
        "benchmark": benchmark,
        "holding_cost": dict(zip(names, fees.tolist(), strict=True)),
    }

    def value(w: np.ndarray) -> float:
        return scale * float(((past @ w - benchmark) ** 2).sum()) + float(fees @ w)

    moments = CovarianceData(
        tickers=names, covariance=scale * past.T @ past, expected_returns=2.0 * scale * benchmark @ past - fees
    )
    # The same objective less a constant: a utility, whose conditions of an optimum we know.
    off = portfolio_goal("mean_variance", moments, {"bounds": (0.0, cap), "risk_aversion": 2.0}).off
    goal = PortfolioGoal("active", np.zeros(60), np.full(60, cap), value, value, off)
    name, call = fastest("cvxpy + Clarabel", peers.cvxpy_tracking_forms(past, benchmark, fees, scale, cap))
    race = Race(
        report,
        rounds,
        "tracking, 1,500 × 60, caps",
        lambda: create_optimizer("tracking", data, **asked).optimize(),
        goal,
    )
    race.run({name: call}, [("cvxpy + Clarabel", OURS, "≥ 8")], "≤ 1")


CASES: dict[str, Callable[[Report, int], None]] = {
    "variance-20": lambda report, rounds: variance(report, rounds, 20),
    "variance-100": lambda report, rounds: variance(report, rounds, 100),
    "variance-500": lambda report, rounds: variance(report, rounds, 500),
    "variance-1000": lambda report, rounds: variance(report, rounds, 1_000),
    "utility-500": lambda report, rounds: utility(report, rounds, 500),
    "sizes-100": lambda report, rounds: sizes(report, rounds, 100),
    "sizes-300": lambda report, rounds: sizes(report, rounds, 300),
    "sharpe": sharpe,
    "parity-100": lambda report, rounds: parity(report, rounds, 100),
    "parity-500": lambda report, rounds: parity(report, rounds, 500),
    "hrp": hrp,
    "cvar": cvar,
    "frontier-20": lambda report, rounds: frontier(report, rounds, 20),
    "frontier-500": lambda report, rounds: frontier(report, rounds, 500),
    "tracking": tracking,
}


def main() -> None:
    """Run the chosen cases."""
    run_cases(__doc__, CASES, PACKAGES, ONE_THREAD)


if __name__ == "__main__":
    run_on_one_thread(ONE_THREAD, main)
