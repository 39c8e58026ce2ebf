"""Functions of the package on fat tails with arguments that they take, and objects whose classes they do not return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python import dagger, instruments, optimizer, taleb
from bank_python.market_data import MarketData, SimulatedFeed
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mc_engine.draws import Draws
from bank_python.verification import Cited, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Case = tuple["Callable[..., Any]", dict[str, Any]]

_rng = np.random.default_rng(11)
RETURNS = 0.01 * _rng.standard_t(3, 200)
SIZES = np.abs(RETURNS)
COUNTS = _rng.zipf(2.5, 300).astype(float)
ASSETS = 0.01 * _rng.standard_normal((120, 3)) + 0.0005
DATA = optimizer.CovarianceData.from_returns(ASSETS, ["A", "B", "C"])
LAW = taleb.fit_power_law(SIZES)
TAIL = taleb.fit_gpd(SIZES)
MAXIMA = SIZES.reshape(20, 10).max(axis=1)
HEDGE = taleb.HedgingErrorSimulator(n_steps=5)
PAIR = {"vols": (0.2, 0.3), "correlation": 0.3, "means": (0.05, 0.08), "risk_aversion": 1.0, "long_only": True}
ANCHOR = {"spot": 100.0, "anchor_strike": 110.0, "anchor_price": 2.0, "alpha": 3.0}


PUT = instruments.Position(
    "SHORT",
    instrument=instruments.Option(
        "P",
        spot_source=MarketData("S", 100.0),
        vol_source=0.2,
        rate_source=0.0,
        strike=95.0,
        expiry=0.25,
        is_call=False,
    ),
    quantity=-10.0,
)


def short_put(spot: float) -> float:
    return -max(95.0 - spot, 0.0)


TAILS: list[Case] = [
    (taleb.TailDiagnostics.analyze, {"returns": RETURNS, "rule": "power", "seed": 0, "power_law": False}),
    (taleb.TailDiagnostics.hill_estimator, {"sorted_abs_returns": SIZES, "k": 20}),
    (taleb.TailDiagnostics.kappa_metric, {"returns": RETURNS}),
    (taleb.TailDiagnostics.max_to_sum_ratio, {"returns": RETURNS, "p": 2.0}),
    (taleb.hill, {"x": SIZES, "k": 20}),
    (taleb.hill_curve, {"x": SIZES, "ks": [10, 20]}),
    (taleb.tail_index, {"x": SIZES, "rule": "power", "k": 20, "seed": 0}),
    (taleb.choose_k, {"x": SIZES, "rule": "ks", "seed": 0}),
    (taleb.pickands, {"x": SIZES, "k": 20}),
    (taleb.moment_estimator, {"x": SIZES, "k": 20}),
    (taleb.moment_exists, {"x": RETURNS, "p": 2.0, "rule": "power", "seed": 0}),
    (taleb.mad_over_sd, {"x": RETURNS}),
    (taleb.sample_kappa, {"x": RETURNS, "n": 2, "n0": 1}),
    (taleb.student_kappa_1, {"alpha": 3.0}),
    (taleb.pareto_kappa_1, {"alpha": 3.0}),
    (taleb.lognormal_kappa_1_approximation, {"sigma": 0.5}),
    (taleb.max_to_sum, {"x": RETURNS, "p": 2.0}),
    (taleb.max_to_sum_curves, {"x": RETURNS, "powers": (1, 2)}),
    (taleb.survival_points, {"x": SIZES}),
    (taleb.qq_points, {"x": RETURNS, "alpha": 3.0}),
    (taleb.split_tails, {"returns": RETURNS}),
    (taleb.tail_reading, {"series": RETURNS}),
    (taleb.fit_power_law, {"x": SIZES, "xmin": 0.005, "discrete": False}),
    (LAW.goodness_of_fit, {"n_simulations": 10, "seed": 0}),
    (LAW.compare, {"law": "exponential"}),
    (taleb.quantile_contribution, {"x": SIZES, "q": 0.1}),
    (taleb.contribution_bias, {"tail_index": 2.0, "q": 0.1, "n": 50, "n_samples": 20, "seed": 0}),
    (taleb.pareto_contribution, {"tail_index": 2.0, "q": 0.1}),
    (taleb.pareto_tail_index, {"top": 0.2, "share": 0.8}),
    (taleb.shadow_mean, {"x": SIZES, "upper_bound": 1.0, "threshold": 0.01, "share": 0.1}),
    (taleb.ergodicity_gap, {"returns": RETURNS, "leverage": 2.0}),
    (
        taleb.ruin_probability,
        {"returns": RETURNS, "leverage": 2.0, "horizon": 10, "threshold": 0.5, "n_paths": 50, "seed": 0},
    ),
    (taleb.fit_gpd, {"losses": SIZES, "threshold": 0.01}),
    (taleb.fit_gpd_moments, {"excesses": SIZES}),
    (taleb.gpd_intervals, {"tail": TAIL, "quantiles": [0.99], "confidence": 0.95, "method": "wald"}),
    (taleb.fit_gev, {"maxima": MAXIMA, "method": "pwm"}),
    (taleb.return_levels, {"fit": TAIL, "periods": [10.0], "observations_per_period": 250.0, "confidence": 0.95}),
    (taleb.block_maxima, {"values": SIZES, "length": 10}),
    (taleb.decluster, {"values": SIZES, "threshold": 0.01, "run": 2}),
    (taleb.extremal_index, {"values": SIZES, "threshold": 0.01, "confidence": 0.95, "n_samples": 100, "seed": 0}),
    (taleb.mean_excess, {"values": SIZES, "thresholds": [0.005, 0.01], "confidence": 0.95}),
    (taleb.threshold_stability, {"values": SIZES, "thresholds": [0.005, 0.01], "confidence": 0.95}),
    (taleb.PowerLawPricer, {**ANCHOR, "is_call": True, "law": "returns", "threshold": 105.0}),
    (taleb.PowerLawPricer(**ANCHOR).price_range, {"strikes": [110.0, 120.0], "bsm_vol": 0.2, "T": 1.0, "rate": 0.0}),
    (taleb.fit_alpha, {"spot": 100.0, "strikes": [110.0, 120.0, 130.0], "prices": [4.0, 1.1, 0.4], "is_call": True}),
    (
        taleb.HedgingErrorSimulator,
        {"spot": 100.0, "strike": 100.0, "vol": 0.2, "T": 0.1, "n_steps": 5, "rate": 0.0, "round_trip_cost": 0.0},
    ),
    (HEDGE.simulate, {"distribution": "student_t", "n_paths": 20, "df": 3.0, "alpha": 3.0, "seed": 1}),
    (HEDGE.compare_all, {"n_paths": 20, "seed": 1}),
    (taleb.cost_trade_off, {"simulator": HEDGE, "round_trip_cost": 0.001, "n_steps": (2, 4), "n_paths": 20}),
    (
        taleb.replay_hedge,
        {"prices": [49.0, 48.0, 51.0], "strike": 50.0, "expiry": 0.1, "vol": 0.2, "rate": 0.05, "calls": 100.0},
    ),
    (taleb.CorrelationFragilityAnalyzer, {"cov_data": DATA, "risk_free_rate": 0.04, "risk_aversion": 1.0}),
    (
        taleb.CorrelationFragilityAnalyzer(DATA).analyze,
        {"perturbation_deltas": [-0.1, 0.1], "rolling_window": 20, "bootstrap": 0, "seed": 0},
    ),
    (taleb.correlation_windows, {"returns": ASSETS, "window": 20, "bootstrap": 3, "seed": 0}),
    (taleb.marchenko_pastur, {"returns": ASSETS}),
    (taleb.marchenko_pastur_edges, {"assets": 3, "observations": 100, "variance": 1.0}),
    (taleb.two_asset_weight, PAIR),
    (taleb.two_asset_sensitivity, PAIR),
    (taleb.worst_case_correlation, {"cov_data": DATA, "weights": [0.5, 0.3, 0.2], "radius": 0.1}),
    (taleb.fragility, {"pnl_function": short_put, "at": 100.0, "step": 10.0, "tolerance": 1e-9}),
]


def of_tails(path: object) -> Iterator[object]:
    """Yield objects that no case has among its arguments and results; no file is written."""
    yield taleb.TailDiagnostics()
    yield taleb.TailDiagnostics.analyze(RETURNS, rule="power")
    yield from (taleb.Gaussian(), taleb.Exponential(), taleb.Lognormal(0.5), taleb.Pareto(3.0), taleb.StudentT(3.0))
    yield from (HEDGE.shrinkage(n_steps=(2, 4), n_paths=20, seed=1), taleb.BarbellOptimizer(DATA))
    graph, moves = dagger.DependencyGraph(), Draws(("SPOT",), (True,), RETURNS[None, :])
    spot = graph.register(MarketData("SPOT", 100.0))
    share = instruments.Equity("SHARE", spot_source=spot)
    book = graph.register(instruments.Book("BOB", [instruments.Position("P", instrument=share, quantity=10.0)]))
    held = taleb.BookTails(graph, [book], moves, name="BOB")
    yield from (held, held.fragility.value)
    history, spots = PriceHistoryTable(), {}
    for ticker in ("SPY", "TLT"):
        bars = SimulatedFeed(seed=3).history(ticker, "2y")
        history.load(ticker, bars)
        spots[ticker] = graph.register(MarketData(f"{ticker}_SPOT", bars.bars[-1].close))
    yield taleb.ReactiveTails(graph, history, "SPY")
    yield taleb.ReactiveCorrelations(graph, history, list(spots), spots=spots)
    intervals = taleb.gpd_intervals(TAIL, method="wald")
    yield from (intervals, intervals["xi"])
    found = verify("bonds")
    yield from (found, found.rows[0], found.rows[0].value, found.rows[0].value.source)
    yield Cited("bonds", found.rows[0].value.source, found.rows[0].value.kind)
