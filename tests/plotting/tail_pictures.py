"""One picture of each class on fat tails."""

from __future__ import annotations

from functools import cache

from bank_python import taleb
from tests.api import tail_arguments as given


@cache
def report() -> taleb.TailReport:
    return taleb.TailDiagnostics.analyze(given.RETURNS, rule="power")


@cache
def barbell() -> taleb.BarbellOptimizer:
    return taleb.BarbellOptimizer(given.DATA, max_loss_pct=0.05, tails="student_t")


TAIL_PICTURES = {
    "tail report": report,
    "Hill's curve": lambda: report().hill_curve("left"),
    "mean excess": lambda: report().mean_excess_curve("left"),
    "survival of sizes": lambda: report().survival_points("left"),
    "quantiles": lambda: report().qq_points(3.0),
    "maximum to sum": lambda: report().max_to_sum_curves(),
    "power law": lambda: given.LAW,
    "thresholds": lambda: taleb.threshold_stability(given.SIZES),
    "return levels": lambda: taleb.return_levels(given.TAIL, [1.0, 10.0], observations_per_period=250.0),
    "options in the tail": lambda: taleb.PowerLawPricer(**given.ANCHOR).price_range([110.0, 120.0, 140.0]),
    "index from quotes": lambda: taleb.fit_alpha(100.0, [110.0, 120.0, 130.0], [4.0, 1.1, 0.4]),
    "hedging errors": lambda: given.HEDGE.compare_all(n_paths=500, seed=1),
    "one law": lambda: given.HEDGE.simulate(n_paths=500, seed=1),
    "shrinkage": lambda: given.HEDGE.shrinkage(n_steps=(2, 4, 8), n_paths=500, seed=1),
    "error against cost": lambda: taleb.cost_trade_off(given.HEDGE, 0.001, (2, 4, 8), n_paths=500),
    "a hedge": lambda: taleb.hull_paths()[0],
    "correlations shifted": lambda: taleb.CorrelationFragilityAnalyzer(given.DATA).analyze(bootstrap=0),
    "noise": lambda: taleb.marchenko_pastur(given.ASSETS),
    "fragility": lambda: taleb.fragility(given.short_put, at=100.0, step=10.0),
    "worst correlations": lambda: taleb.worst_case_correlation(given.DATA, [0.5, 0.3, 0.2], 0.1),
    "fragility of books": lambda: taleb.book_fragility({"Bob": [given.PUT]}),
    "barbell's ruin": lambda: barbell().ruin_probability(0.2, years=2.0),
    "barbell by tail index": lambda: barbell().tail_sensitivity([3.0, 5.0, 10.0]),
}
