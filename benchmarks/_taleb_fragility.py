"""Fragility and barbells: worst-case correlations against a conic solver, books against what-if layers, ruin.

The conic solver is CLARABEL through cvxpy, with the problem compiled once and
solved again with new data, which is its fastest way; both answers agree to 1e-6 of the volatility, and ours comes with
a proven bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cvxpy as cp
import numpy as np
from _timing import cpu

from bank_python.desk import build_desk
from bank_python.optimizer.barbell_mix import BarbellMix
from bank_python.optimizer.barbell_ruin import barbell_ruin
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.risk.valuation import plan_valuation
from bank_python.taleb.book_fragility import book_fragility
from bank_python.taleb.correlation_fragility import CorrelationFragilityAnalyzer
from bank_python.taleb.correlation_windows import correlation_windows
from bank_python.taleb.worst_case_correlation import worst_case_correlation

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

PACKAGES = ("cvxpy", "clarabel")
MICRO = 1e6


def market(n: int) -> tuple[CovarianceData, np.ndarray]:
    rng = np.random.default_rng(n)
    loads = rng.standard_normal((n, 3))
    covariance = loads @ loads.T + np.diag(rng.uniform(0.2, 1.0, n))
    return CovarianceData(tickers=[f"A{i}" for i in range(n)], covariance=covariance), rng.standard_normal(n)


def conic(n: int, radius: float) -> tuple[cp.Problem, cp.Parameter, cp.Parameter, cp.Variable]:
    matrix, gain, base = cp.Variable((n, n), PSD=True), cp.Parameter((n, n)), cp.Parameter((n, n))
    rules = [cp.diag(matrix) == 1.0, cp.abs(matrix - base) <= radius]
    return cp.Problem(cp.Maximize(cp.sum(cp.multiply(gain, matrix))), rules), gain, base, matrix


def worst_cases(report: Report, rounds: int) -> None:
    """Find the worst correlations in a box, beside CLARABEL."""
    for n in (5, 10, 20, 40):
        data, weights = market(n)
        x = weights * data.volatilities
        problem, gain, base, matrix = conic(n, 0.3)
        gain.value, base.value = np.outer(x, x) / (x @ x), data.correlation
        problem.solve(solver="CLARABEL")
        found = worst_case_correlation(data, weights, 0.3)
        difference = abs(np.sqrt(x @ matrix.value @ x) / found.volatility - 1.0)
        calls = {
            "bank_python worst_case_correlation": lambda d=data, w=weights: worst_case_correlation(d, w, 0.3),
            "cvxpy, CLARABEL": lambda p=problem: p.solve(solver="CLARABEL"),
        }
        times = cpu(calls, rounds)
        note = f"answers differ by {difference:.1e}; our proven gap {found.gap / found.volatility:.1e}"
        report.case(f"worst correlations in a box of 0.3, {n} assets", {k: v * MICRO for k, v in times.items()}, note)
        ours, theirs = times.values()
        report.ratio(f"worst correlations, {n} assets: CLARABEL over bank_python", theirs / ours, "")


def by_layers(desk: object, plan: object) -> None:
    """Move spots and volatilities as book_fragility does, by what-if layers of the graph."""
    for kinds, steps in ((("spot",), (0.1,)), (("vol",), (0.25,)), (("spot", "vol"), (0.1, -0.25))):
        for multiple in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0):
            sizes = dict(zip(kinds, steps, strict=True))
            moved = {
                f.name: f.level * (1.0 + multiple * sizes[f.kind.value]) for f in plan.factors if f.kind.value in sizes
            }
            with desk.graph.scenario(moved):
                [trader.pnl.value for trader in desk.traders]


def books(report: Report, rounds: int) -> None:
    """Move every book of a desk, beside what-if layers of the graph."""
    desk = build_desk(seed=7)
    desk.tick()
    plan = plan_valuation(desk.traders)
    calls = {
        "book_fragility, plan given": lambda: book_fragility(plan),
        "book_fragility, plan made": lambda: book_fragility(desk.traders),
        "18 what-if layers of the graph": lambda: by_layers(desk, plan),
    }
    times = cpu(calls, rounds)
    report.case(
        f"fragility of {len(desk.traders)} books, {plan.contracts} contracts", {k: v * MICRO for k, v in times.items()}
    )
    _, made, layers = times.values()
    report.ratio("books: what-if layers over a plan made anew", layers / made, "")


def by_paths(mix: BarbellMix, level: float, periods: int, paths: int) -> float:
    """Return the probability of ruin over monthly periods by simulation."""
    rng = np.random.default_rng(0)
    z = rng.standard_t(4, (periods, paths)) * np.sqrt(0.5)
    centre = (1.0 - mix.share) * mix.safe_return / 12 + mix.share * mix.mean / 12
    wealth = np.cumprod(1.0 + centre + mix.share * mix.deviation / np.sqrt(12) * z, axis=0)
    return float((wealth.min(axis=0) <= 1.0 - level).mean())


def ruins(report: Report, rounds: int) -> None:
    """Find the probability of ruin of a barbell, beside simulated paths."""
    mix, options = BarbellMix(0.37, 0.04, 0.1285, 0.207), {"tails": "student_t", "years": 10.0}
    found = barbell_ruin(mix, 0.1, **options)
    calls = {
        "bank_python barbell_ruin, monthly": lambda: barbell_ruin(mix, 0.1, **options),
        "numpy, 20,000 paths": lambda: by_paths(mix, 0.1, 120, 20_000),
    }
    times = cpu(calls, rounds)
    simulated = by_paths(mix, 0.1, 120, 20_000)
    error = np.sqrt(found.probability * (1 - found.probability) / 20_000)
    note = f"probability {found.probability:.8f} ± {found.error:.0e}, simulated {simulated:.5f} ± {error:.5f}"
    report.case("ruin of a barbell over ten years, Student's t", {k: v * MICRO for k, v in times.items()}, note)
    ours, theirs = times.values()
    report.ratio("ruin: 20,000 paths over quadrature", theirs / ours, "")


def correlations(report: Report, rounds: int) -> None:
    """Analyse twenty assets, with and without resampling."""
    rng = np.random.default_rng(3)
    returns = 0.01 * (rng.standard_normal((1_000, 20)) + rng.standard_normal((1_000, 1)))
    analyzer = CorrelationFragilityAnalyzer(CovarianceData.from_returns(returns, [f"A{i}" for i in range(20)]))
    calls = {
        "analyze, 199 samples": analyzer.analyze,
        "analyze, no bootstrap": lambda: analyzer.analyze(bootstrap=0),
        "correlation_windows, window 50, 499 samples": lambda: correlation_windows(returns, 50),
    }
    times = cpu(calls, rounds)
    report.case("twenty assets, 1,000 returns (no peer in Python)", {k: v * MICRO for k, v in times.items()})


CASES: dict[str, Callable[[Report, int], None]] = {
    "worst_correlations": worst_cases,
    "book_fragility": books,
    "barbell_ruin": ruins,
    "correlation_fragility": correlations,
}
