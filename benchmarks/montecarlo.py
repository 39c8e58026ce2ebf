"""Monte Carlo risk beside its own bare kernels, QuantLib and financepy, and a tick beside a full run.

One process, one thread (linear algebra too), CPU time, medians of shuffled turns. All have the same 186 factors with
the same volatilities and correlations, and one step. Ours and its bare kernels draw 100,000 scenarios, QuantLib and
financepy 2,000 paths, and their time is multiplied by 50 for the ratios; financepy draws normals for 1,000 of its
2,000 and mirrors them, the others draw them for every path. QuantLib and financepy only draw paths; ours also
revalues fourteen books of 186 shares, measures, and tells who makes the risk, and is timed for the paths alone as
well.

Run it with ``make bench`` or ``python benchmarks/montecarlo.py --only batch,heston``.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import platform
import random
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from _report import Report

from bank_python import DependencyGraph, Equity, MarketData, MCConfig, MonteCarloEngine, Option, Position, ReactiveRisk
from bank_python.instruments import Book
from bank_python.mc_engine import FactorModel, GridProxy, heston_terminal
from bank_python.numerics import keep_freed_memory
from bank_python.risk_models import HestonProcess

if TYPE_CHECKING:
    from collections.abc import Callable

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PACKAGES = ("numpy", "bank-python", "QuantLib", "financepy")
FACTORS, TRADERS, PATHS = 186, 14, 100_000
DAY = 1.0 / 252.0
QUIET = {"stresses": (), "validate_greeks": False}
ANDERSEN = {
    "I": ((0.04, 0.5, 0.04, 1.0, -0.9), 10),
    "II": ((0.04, 0.3, 0.04, 0.9, -0.5), 15),
    "III": ((0.09, 1.0, 0.09, 1.0, -0.3), 5),
}


def cpu(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Time calls in shuffled turn; return the median CPU time of each in seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    shuffler = random.Random(1)
    gc.collect()
    for round_number in range(rounds + 1):
        for name in shuffler.sample(list(calls), k=len(calls)):
            started = time.process_time()
            calls[name]()
            if round_number:
                seconds[name].append(time.process_time() - started)
    return {name: statistics.median(times) for name, times in seconds.items()}


def correlation(n: int) -> np.ndarray:
    """Return a correlation matrix with three common factors."""
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((4 * n, n)) + rng.standard_normal((4 * n, 3)) @ rng.standard_normal((3, n))
    return np.asarray(np.corrcoef(draws, rowvar=False))


class Shares:
    """Fourteen books of 186 shares."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        graph = DependencyGraph()
        spots = [graph.register(MarketData(f"S{i}_SPOT", 50.0 + 200.0 * rng.random())) for i in range(FACTORS)]
        shares = [graph.register(Equity(f"S{i}", spot_source=spot)) for i, spot in enumerate(spots)]
        books = []
        for t in range(TRADERS):
            held = [
                Position(f"T{t}:{share.name}", instrument=share, quantity=float(rng.integers(-500, 500)))
                for share in shares
            ]
            books.append(graph.register(Book(f"T{t}", held)))
        self.vols = 0.2 + 0.3 * rng.random(FACTORS)
        self.correlation = correlation(FACTORS)
        self.prices = np.array([spot.price for spot in spots])
        factor_model = FactorModel.given(
            {spot.name: vol for spot, vol in zip(spots, self.vols, strict=True)}, self.correlation
        )
        self.engine = MonteCarloEngine(books, graph, factor_model=factor_model)
        self.exposures = rng.standard_normal((TRADERS, FACTORS))


def bare(shares: Shares, dtype: str) -> None:
    """Draw, correlate, exponentiate, multiply, sort: the kernels and nothing else, chunk by chunk."""
    rng = np.random.Generator(np.random.SFC64(1))
    root = (np.linalg.cholesky(shares.correlation) * (shares.vols * math.sqrt(DAY))[:, None]).astype(dtype)
    exposures, pnl = shares.exposures.astype(dtype), np.empty((TRADERS, PATHS), dtype=dtype)
    for start in range(0, PATHS, 4_096):
        normals = np.empty((FACTORS, min(4_096, PATHS - start)), dtype=dtype)
        rng.standard_normal(out=normals, dtype=dtype)
        logs = root @ normals
        np.expm1(logs, out=logs)
        pnl[:, start : start + logs.shape[1]] = exposures @ logs
    np.sort(pnl.sum(axis=0))


def quantlib_paths(shares: Shares, paths: int) -> Callable[[], object]:
    """Return QuantLib's multipath generator at work: one step of all factors, nothing read back."""
    today = ql.Date(15, 5, 2024)
    days = ql.Actual365Fixed()
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days))
    processes = [
        ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(price)),
            flat,
            flat,
            ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, days)),
        )
        for price, vol in zip(shares.prices.tolist(), shares.vols.tolist(), strict=True)
    ]
    array = ql.StochasticProcessArray(processes, ql.Matrix(shares.correlation.tolist()))
    uniforms = ql.UniformRandomSequenceGenerator(FACTORS, ql.UniformRandomGenerator(42))
    generator = ql.GaussianMultiPathGenerator(array, [0.0, DAY], ql.GaussianRandomSequenceGenerator(uniforms))

    def run() -> None:
        for _ in range(paths):
            generator.next()

    return run


def financepy_paths(shares: Shares, paths: int) -> Callable[[], object]:
    """Return financepy's compiled simulator at work."""
    from financepy.models.gbm_process_simulator import get_assets_paths

    drifts = np.zeros(FACTORS)
    return lambda: get_assets_paths(FACTORS, paths, DAY, drifts, shares.prices, shares.vols, shares.correlation, 42)


def batch(report: Report, rounds: int) -> None:
    """Time 100,000 scenarios of 186 factors with all risk figures."""
    shares, few = Shares(), 2_000
    with ThreadPoolExecutor(1) as one:
        configs = {
            dtype: MCConfig(n_paths=PATHS, dtype=dtype, executor=one, **QUIET) for dtype in ("float64", "float32")
        }
        drawn = shares.engine.prepare(configs["float64"])
        medians = cpu(
            {
                "ours, float64, paths alone": lambda: [drawn.moves(i) for i in range(drawn.chunks)],
                "ours, float64": lambda: shares.engine.run(configs["float64"]),
                "ours, float32": lambda: shares.engine.run(configs["float32"]),
                "bare kernels, float64": lambda: bare(shares, "float64"),
                "bare kernels, float32": lambda: bare(shares, "float32"),
                f"QuantLib, {few:,} paths": quantlib_paths(shares, few),
                f"financepy, {few:,} paths": financepy_paths(shares, few),
            },
            rounds,
        )
        double, single = (shares.engine.run(config) for config in configs.values())
    error = double.tail(0.99).var_error
    note = f"VaR 99%: {double.var_99:,.1f} ± {error:,.1f} in doubles, {single.var_99:,.1f} in singles"
    report.case(f"{PATHS:,} scenarios of {FACTORS} factors, CPU µs", {k: 1e6 * v for k, v in medians.items()}, note)
    ours, scale = medians["ours, float64"], PATHS / few
    report.ratio("batch: ours / its bare kernels, float64", ours / medians["bare kernels, float64"], "<= 1.25")
    report.ratio(
        "batch: ours / its bare kernels, float32", medians["ours, float32"] / medians["bare kernels, float32"], ""
    )
    alone = medians["ours, float64, paths alone"]
    report.ratio("batch: QuantLib's paths / our paths", scale * medians[f"QuantLib, {few:,} paths"] / alone, ">= 10")
    report.ratio("batch: financepy's paths / our paths", scale * medians[f"financepy, {few:,} paths"] / alone, ">= 7")
    report.ratio("batch: QuantLib's paths / all of ours", scale * medians[f"QuantLib, {few:,} paths"] / ours, ">= 10")
    report.ratio("batch: financepy's paths / all of ours", scale * medians[f"financepy, {few:,} paths"] / ours, ">= 7")
    report.ratio("batch: float32 / float64", medians["ours, float32"] / ours, "<= 0.5")
    report.ratio(
        "batch: |VaR of singles - doubles| / standard error", abs(single.var_99 - double.var_99) / error, "<= 1"
    )


def heston(report: Report, rounds: int) -> None:
    """Time a path-step of Andersen's scheme, and measure the bias of its prices."""
    (v0, kappa, theta, sigma, rho), years = ANDERSEN["I"]
    steps, paths, few = 4 * years, 200_000, 20_000
    process = HestonProcess(v0=v0, kappa=kappa, theta=theta, sigma=sigma, rho=rho)
    today, days = ql.Date(15, 5, 2024), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, days))
    theirs = ql.HestonProcess(
        flat,
        flat,
        ql.QuoteHandle(ql.SimpleQuote(100.0)),
        v0,
        kappa,
        theta,
        sigma,
        rho,
        ql.HestonProcess.QuadraticExponentialMartingale,
    )
    option = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call, 100.0), ql.EuropeanExercise(today + 3650))

    def quantlib() -> None:
        option.setPricingEngine(
            ql.MCEuropeanHestonEngine(theirs, "PseudoRandom", timeSteps=steps, requiredSamples=few, seed=42)
        )
        option.NPV()

    medians = cpu(
        {
            "ours": lambda: heston_terminal(process, years=years, n_steps=steps, n_paths=paths, seed=1),
            "QuantLib": quantlib,
        },
        rounds,
    )
    ours, peer = 1e6 * medians["ours"] / (paths * steps), 1e6 * medians["QuantLib"] / (few * steps)
    worst = max(bias(terms, years) for terms, years in ANDERSEN.values())
    note = f"largest |bias| of 9 prices with 4,000,000 paths, dt = 1/4: {worst:.4f}"
    report.case("Heston by Andersen's scheme, CPU µs a path-step", {"ours": ours, "QuantLib": peer}, note)
    report.ratio("Heston: QuantLib / ours, a path-step", peer / ours, ">= 3")
    report.ratio("Heston: largest |bias|, dt = 1/4, Andersen's cases", worst, "<= 0.03")


def bias(terms: tuple[float, ...], years: int, paths: int = 4_000_000) -> float:
    """Return the largest |bias| of calls struck at 60, 100 and 140, the price's own mean as control variate."""
    process = HestonProcess(**dict(zip(("v0", "kappa", "theta", "sigma", "rho"), terms, strict=True)))
    ends = 100.0 * heston_terminal(process, years=float(years), n_steps=4 * years, n_paths=paths, seed=7)
    found = []
    for strike in (60.0, 100.0, 140.0):
        exact = float(process.price(100.0, strike, float(years), 0.0))
        payoff = np.maximum(ends - strike, 0.0)
        slope = float(np.cov(payoff, ends)[0, 1] / ends.var())
        found.append(abs(float(payoff.mean()) - slope * (float(ends.mean()) - 100.0) - exact))
    return max(found)


class Options:
    """Five thousand options on 180 underlyings, one rate."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.graph = DependencyGraph()
        sofr = self.graph.register(MarketData("SOFR", 0.043))
        self.spots = [
            self.graph.register(MarketData(f"S{i:03d}_SPOT", 50.0 + 200.0 * rng.random())) for i in range(180)
        ]
        vols = [self.graph.register(MarketData(f"S{i:03d}_VOL", 0.2 + 0.3 * rng.random())) for i in range(5)]
        positions = []
        for k in range(5_000):
            i = k % 180
            option = Option(
                f"O{k}",
                spot_source=self.spots[i],
                vol_source=vols[i] if i < len(vols) else 0.2 + 0.3 * rng.random(),
                rate_source=sofr,
                strike=self.spots[i].price * (0.8 + 0.4 * rng.random()),
                expiry=float(rng.choice([0.08, 0.25, 0.5, 1.0])),
                is_call=bool(k % 2),
            )
            quantity = float(rng.integers(-50, 51))
            positions.append(Position(f"P{k}", instrument=option, quantity=quantity, multiplier=100.0))
        self.book = self.graph.register(Book("DESK", positions))
        leaves = [sofr, *self.spots, *vols]
        sizes = {leaf.name: 0.35 for leaf in self.spots} | {leaf.name: 0.8 for leaf in vols} | {"SOFR": 0.006}
        ordered = {leaf.name: sizes[leaf.name] for leaf in leaves}
        self.factor_model = FactorModel.given(ordered, correlation(len(leaves)), absolute={"SOFR"})


def reactive(report: Report, rounds: int) -> None:
    """Time the VaR of 100,000 full revaluations of 5,000 options after one tick, beside all of it."""
    desk, config = Options(), MCConfig(n_paths=PATHS, **QUIET)
    risk = ReactiveRisk([desk.book], desk.graph, desk.factor_model, config, slow_seconds=3_600.0)
    quick = ReactiveRisk(
        [desk.book],
        desk.graph,
        desk.factor_model,
        config,
        name="QUICK",
        slow_seconds=3_600.0,
        draws=risk.draws,
        value=GridProxy(),
    )
    print(f"VaR 99% {risk.var_99.value:,.0f} in full, {quick.var_99.value:,.0f} by the proxy")
    turn = iter(range(10**6))

    groups = [desk.graph.node(f"FIRM:RISK:PNL:{name}") for name in risk.groups]

    def full() -> float:
        total = np.zeros(PATHS)
        for node in groups:
            total += node.function(*[source.value for source in node.underliers])
        return float(np.sort(total)[PATHS // 100])

    def tick() -> object:
        leaf = desk.spots[(17 * next(turn)) % 180]
        leaf.set_price(leaf.price * 1.001)
        return risk.var_99.value

    def all_spots() -> object:
        with desk.graph.batch():
            for leaf in desk.spots:
                leaf.set_price(leaf.price * 1.0001)
        return quick.var_99.value

    full_run = statistics.median([timed(full) for _ in range(rounds)])
    ticks = statistics.median([timed(tick) for _ in range(4 * rounds)])
    everything = statistics.median([timed(all_spots) for _ in range(rounds)])
    off = quick.value_error() / float(quick.var_99.value)
    report.case(
        f"VaR 99% of 5,000 options, {PATHS:,} scenarios, CPU µs",
        {
            "all of it, by full revaluation": 1e6 * full_run,
            "one spot ticks, by full revaluation": 1e6 * ticks,
            "all 180 spots tick, by the grid proxy": 1e6 * everything,
        },
        f"the proxy is off by {off:.1e} of the VaR (root mean square of P&L, worst scenarios and others)",
    )
    report.ratio("reactive: full run / one tick (5,000/28 = 179 is the ceiling)", full_run / ticks, ">= 100")
    report.ratio("reactive: all 180 spots by the proxy, CPU seconds", everything, "<= 2 s on two cores")


def timed(call: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    started = time.process_time()
    call()
    return time.process_time() - started


CASES = {"batch": batch, "heston": heston, "reactive": reactive}


def main() -> None:
    """Run the chosen cases."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(CASES), help=f"cases, by comma: {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=5, help="turns of which the median is taken")
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    report = Report()
    for name in chosen.only.split(","):
        CASES[name](report, chosen.rounds)
    report.close()


if __name__ == "__main__":
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):  # the libraries look when they are loaded
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - this very program
    main()
