"""Prices beside QuantLib, py_lets_be_rational and the formula written by hand: the same contracts, in turn.

Each case prices one batch by all sides, checks that they agree, and then times them in shuffled turns by CPU time;
medians for one contract are printed. Inside the clock is a call of ours or of a peer's function on terms that exist
already: arrays, for the plain loop lists, for one option alone floats. QuantLib's objects are made beforehand, its
quotes are moved inside the clock, as it would else answer from memory, and its answers are read into a list. Compiling
by numba is outside. Ratios come last, each with its target.

Run it with ``make bench`` or ``python benchmarks/pricing.py --only european,heston``.
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import random
import statistics
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

import _plain_peers as plain
import numpy as np
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from _report import Report

from bank_python.numerics import keep_freed_memory
from bank_python.risk_models import (
    Greeks,
    SmileQuotes,
    SviSlice,
    american_price,
    barrier_price,
    black_scholes_greeks,
    black_scholes_price,
    fit_slice,
    heston_price,
    implied_vol,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGES = ("numpy", "bank-python", "QuantLib", "py_lets_be_rational", "scipy", "numba")
ERFC, NDTR, NUMBA = "math.erfc loop", "numpy + scipy ndtr", "numba loop"
TODAY = ql.Date(15, 5, 2024)
DAYS = ql.Actual365Fixed()


def cpu(calls: dict[str, Callable[[], object]], rounds: int, contracts: int) -> dict[str, float]:
    """Time calls in shuffled turn; return the median CPU time of one contract in microseconds."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    shuffler = random.Random(1)
    gc.collect()
    for round_number in range(rounds + 1):
        for name in shuffler.sample(list(calls), k=len(calls)):
            started = time.process_time()
            calls[name]()
            if round_number:
                seconds[name].append(time.process_time() - started)
    return {name: 1e6 * statistics.median(times) / contracts for name, times in seconds.items()}


def repeated(call: Callable[[], object], times: int) -> Callable[[], None]:
    """Return a call that makes another so many times."""

    def run() -> None:
        for _ in range(times):
            call()

    return run


def require(name: str, error: float, limit: float) -> str:
    """Say how far the two sides are apart; end the run if it is too far."""
    if not error <= limit:
        sys.exit(f"{name}: the two sides differ by {error:.3g}, more than {limit:g}")
    return f"largest difference {error:.1e}"


class Market:
    """QuantLib's market, with a spot that can be moved."""

    def __init__(self, rate: float = 0.03, dividend: float = 0.01, vol: float = 0.2) -> None:
        self.spot = ql.SimpleQuote(100.0)
        self.rate, self.dividend, self.vol = rate, dividend, vol
        self.flat = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, value, DAYS)) for value in (dividend, rate)]

    def process(self) -> object:
        """Return a Black–Scholes process on it."""
        vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), self.vol, DAYS))
        return ql.BlackScholesMertonProcess(ql.QuoteHandle(self.spot), *self.flat, vol)

    def nudge(self) -> float:
        """Move the spot a little, so that nothing is answered from memory; return where it stands."""
        self.spot.setValue(100.0 + 1e-6 * random.random())
        return float(self.spot.value())


def options(strikes: np.ndarray, days: np.ndarray, engine: object, *, american: bool = False) -> list[object]:
    """Return QuantLib calls (European) or puts (American)."""
    kind = ql.Option.Put if american else ql.Option.Call
    made = []
    for strike, day in zip(strikes.tolist(), days.tolist(), strict=True):
        end = TODAY + int(day)
        exercise = ql.AmericanExercise(TODAY, end) if american else ql.EuropeanExercise(end)
        option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), exercise)
        option.setPricingEngine(engine)
        made.append(option)
    return made


def european(report: Report) -> None:
    """Price European options with their Greeks."""
    n, rng, market = 10_000, np.random.default_rng(0), Market()
    strikes, days = rng.uniform(70.0, 130.0, n), rng.integers(10, 1000, n)
    made = options(strikes, days, ql.AnalyticEuropeanEngine(market.process()))
    terms = (strikes, days / 365.0, market.rate, market.vol, market.dividend)

    def theirs() -> list[tuple[float, ...]]:
        market.nudge()
        return [(o.NPV(), o.delta(), o.gamma(), o.vega(), o.theta(), o.rho()) for o in made]

    figures, spot = np.array(theirs()).T, market.spot.value()
    greeks = black_scholes_greeks(spot, *terms)
    names = ("price", "delta", "gamma", "vega", "theta", "rho")
    ours = np.array([getattr(greeks, name) for name in names])
    note = require("european", float((np.abs(ours - figures) / np.maximum(np.abs(figures), 1.0)).max()), 1e-10)
    handwritten = {
        f"{NDTR}, price and nine Greeks": lambda: plain.ndtr_greeks(100.0, *terms),
        f"{NUMBA}, price and nine Greeks": lambda: plain.compiled_greeks(100.0, *terms),
    }
    note += "; from the formula by hand: " + same_greeks(black_scholes_greeks(100.0, *terms), handwritten)
    ours_alone = "bank_python, price and nine Greeks"
    medians = cpu(
        {
            ours_alone: lambda: black_scholes_greeks(100.0, *terms),
            "QuantLib, price and five Greeks": theirs,
            **handwritten,
        },
        9,
        n,
    )
    report.case(f"European price and Greeks, a batch of {n:,}, one option", medians, note)
    report.ratio(
        "European: QuantLib / bank_python", medians["QuantLib, price and five Greeks"] / medians[ours_alone], "≥ 20"
    )
    for name in handwritten:
        report.ratio(f"European: bank_python / {name}", medians[ours_alone] / medians[name], "none")


def same_greeks(ours: Greeks, theirs: dict[str, Callable[[], Sequence[np.ndarray]]]) -> str:
    """Compare price and Greeks, each with the largest of its kind."""
    expected = [np.asarray(getattr(ours, name)) for name in plain.GREEKS]
    return require(
        "Greeks",
        max(
            float(np.abs(found - wanted).max() / np.abs(wanted).max())
            for call in theirs.values()
            for found, wanted in zip(call(), expected, strict=True)
        ),
        1e-12,
    )


def formula(report: Report) -> None:
    """Price European calls beside the formula as a user would write it: one alone, a few, many."""
    rng, fixed = np.random.default_rng(0), (0.03, 0.2, 0.01)
    for n in (1, 28, 10_000):
        strikes, expiries = rng.uniform(70.0, 130.0, n), rng.integers(10, 1000, n) / 365.0
        arrays = (100.0, strikes, expiries, *fixed)
        lists = (100.0, strikes.tolist(), expiries.tolist(), *fixed)
        calls: dict[str, Callable[[], object]] = {
            "bank_python": lambda given=arrays: black_scholes_price(*given),
            ERFC: lambda given=lists: plain.erfc_prices(*given),
            NDTR: lambda given=arrays: plain.ndtr_price(*given),
            NUMBA: lambda given=arrays: plain.compiled_prices(*given),
        }
        if n == 1:
            alone = (100.0, float(strikes[0]), float(expiries[0]), *fixed)
            for name, function in zip(
                calls,
                (black_scholes_price, plain.erfc_price, plain.ndtr_price, plain.compiled_price),
                strict=True,
            ):
                calls[name] = lambda function=function, given=alone: function(*given)
        prices = {name: np.asarray(call()) for name, call in calls.items()}
        ours = prices.pop("bank_python")
        error = max(float((np.abs(found - ours) / np.maximum(ours, 1.0)).max()) for found in prices.values())
        relative = max(float(np.abs(found / ours - 1.0).max()) for found in prices.values())
        note = f"{require('formula', error, 1e-12)}, relative to the price {relative:.1e}"
        repeats = max(1, 2_000 // n)  # so that a turn is long enough for the clock
        medians = cpu({name: repeated(call, repeats) for name, call in calls.items()}, 9, n * repeats)
        report.case(f"European price alone, {n:,} at once, one option", medians, note)
        for name in prices:
            report.ratio(
                f"European price, {n:,} at once: bank_python / {name}", medians["bank_python"] / medians[name], "none"
            )


def implied(report: Report) -> None:
    """Implied volatilities out of the money, |log K/F| to 0.7, total volatility from 0.02 to 3."""
    from py_lets_be_rational import implied_volatility_from_a_transformed_rational_guess as rational

    n, rng = 20_000, np.random.default_rng(0)
    x, vol = rng.uniform(-0.7, 0.7, n), np.exp(rng.uniform(math.log(0.02), math.log(3.0), n))
    strikes, calls = 100.0 * np.exp(-x), x < 0.0
    prices = black_scholes_price(100.0, strikes, 1.0, 0.0, vol, 0.0, calls)
    clear = prices > 1e-300
    strikes, calls, prices, vol = strikes[clear], calls[clear], prices[clear], vol[clear]
    given = list(zip(prices.tolist(), strikes.tolist(), np.where(calls, 1.0, -1.0).tolist(), strict=True))

    def theirs() -> list[float]:
        return [rational(p, 100.0, k, 1.0, q) for p, k, q in given]

    def ours() -> np.ndarray:
        return implied_vol(prices, 100.0, strikes, 1.0, 0.0, 0.0, calls)

    errors = [float(np.abs(np.asarray(found) / vol - 1.0).max()) for found in (ours(), theirs())]
    require("implied", max(errors), 1e-12)
    medians = cpu({"bank_python": ours, "py_lets_be_rational": theirs}, 5, len(prices))
    speed = f"{1.0 / medians['bank_python']:.2f}M a second"
    note = f"largest relative error: ours {errors[0]:.1e}, theirs {errors[1]:.1e}; ours {speed}"
    report.case(f"implied volatility, a batch of {len(prices):,}, one option", medians, note)
    report.ratio(
        "implied volatility: py_lets_be_rational / bank_python",
        medians["py_lets_be_rational"] / medians["bank_python"],
        "≥ 25",
    )


def american(report: Report) -> None:
    """American puts on one tree of Leisen and Reimer."""
    n, rng, market = 1_000, np.random.default_rng(0), Market(rate=0.05, dividend=0.02, vol=0.3)
    strikes, days = rng.uniform(80.0, 120.0, n), rng.integers(30, 700, n)
    for steps in (101, 501):
        made = options(strikes, days, ql.BinomialVanillaEngine(market.process(), "lr", steps), american=True)
        terms = (strikes, days / 365.0, market.rate, market.vol, market.dividend, False)

        def theirs(made: list[object] = made) -> list[float]:
            market.nudge()
            return [option.NPV() for option in made]

        def ours(steps: int = steps, terms: tuple[object, ...] = terms) -> np.ndarray:
            return american_price(100.0, *terms, steps=steps)

        figures, spot = np.array(theirs()), market.spot.value()
        error = np.abs(american_price(spot, *terms, steps=steps) - figures)
        # QuantLib misses its last row by rounding for some maturities; the rest must be the same tree.
        share = float((error < 1e-8).mean())
        if share < 0.7:
            sys.exit(f"american: only {share:.0%} of prices are the same as QuantLib's")
        medians = cpu({"bank_python": ours, "QuantLib, binomial 'lr'": theirs}, 3, n)
        report.case(f"American put, {steps} steps, a batch of {n:,}, one option", medians, f"{share:.0%} equal to 1e-8")
        report.ratio(
            f"American, {steps} steps: QuantLib / bank_python",
            medians["QuantLib, binomial 'lr'"] / medians["bank_python"],
            "≥ 5",
        )


def barrier(report: Report) -> None:
    """Price barrier options of all eight kinds, with and without a rebate."""
    n, rng, market = 5_000, np.random.default_rng(0), Market()
    strikes, days = rng.uniform(80.0, 120.0, n), rng.integers(10, 1000, n)
    calls, ups, ins = rng.integers(0, 2, (3, n))
    levels = np.where(ups == 1, rng.uniform(101.0, 140.0, n), rng.uniform(60.0, 99.0, n))
    kinds = ((ql.Barrier.DownOut, ql.Barrier.DownIn), (ql.Barrier.UpOut, ql.Barrier.UpIn))
    engine = ql.AnalyticBarrierEngine(market.process())
    terms = (strikes, days / 365.0, market.rate, market.vol, market.dividend, calls)
    passed = {"barrier": levels, "is_up": ups, "is_in": ins}
    for rebate in (0.0, 3.0):
        made = []
        columns = (strikes, levels, days, calls, ups, ins)
        for strike, level, day, call, up, inward in zip(*(column.tolist() for column in columns), strict=True):
            payoff = ql.PlainVanillaPayoff(ql.Option.Call if call else ql.Option.Put, strike)
            made.append(ql.BarrierOption(kinds[up][inward], level, rebate, payoff, ql.EuropeanExercise(TODAY + day)))
            made[-1].setPricingEngine(engine)

        def theirs(made: list[object] = made) -> list[float]:
            market.nudge()
            return [option.NPV() for option in made]

        def ours(rebate: float = rebate) -> np.ndarray:
            return barrier_price(100.0, *terms, **passed, rebate=rebate)

        figures, spot = np.array(theirs()), market.spot.value()
        error = np.abs(barrier_price(spot, *terms, **passed, rebate=rebate) - figures)
        note = require("barrier", float(error.max()), 1e-10)
        medians = cpu({"bank_python": ours, "QuantLib AnalyticBarrier": theirs}, 9, n)
        name = "with a rebate" if rebate else "no rebate"
        report.case(f"barrier options, {name}, a batch of {n:,}, one option", medians, note)
        ratio = medians["QuantLib AnalyticBarrier"] / medians["bank_python"]
        report.ratio(f"barrier, {name}: QuantLib / bank_python", ratio, "≥ 4")


def heston(report: Report) -> None:
    """Price ten expiries of a hundred strikes each."""
    strips, model = 10, (0.04, 1.5, 0.04, 0.5, -0.7)
    named = dict(zip(("v0", "kappa", "theta", "sigma", "rho"), model, strict=True))
    strikes = np.tile(np.linspace(60.0, 160.0, 100), strips)
    days = np.repeat(np.arange(1, strips + 1) * 73, 100)
    market = Market(rate=0.01, dividend=0.02)
    process = ql.HestonProcess(market.flat[1], market.flat[0], ql.QuoteHandle(market.spot), *model)
    engines = {
        "QuantLib AnalyticHeston, default (Laguerre 144)": ql.AnalyticHestonEngine(ql.HestonModel(process)),
        "QuantLib AnalyticHeston, Laguerre 64": ql.AnalyticHestonEngine(ql.HestonModel(process), 64),
        "QuantLib ExponentialFittingHeston": ql.ExponentialFittingHestonEngine(ql.HestonModel(process)),
    }

    def ours(spot: float = 100.0) -> np.ndarray:
        return heston_price(spot, strikes, days / 365.0, 0.01, 0.02, **named)

    calls: dict[str, Callable[[], object]] = {"bank_python": ours}
    notes = []
    for name, engine in engines.items():
        made = options(strikes, days, engine)

        def theirs(made: list[object] = made) -> list[float]:
            market.nudge()
            return [option.NPV() for option in made]

        figures = np.array(theirs())
        error = float(np.abs(ours(market.spot.value()) - figures).max())
        notes.append(f"{name.removeprefix('QuantLib ')} {error:.0e}")
        calls[name] = theirs
    medians = cpu(calls, 9, strips)
    report.case("Heston, a strip of 100 strikes (one of 10)", medians, "apart from ours: " + ", ".join(notes))
    for name in list(engines)[:2]:
        report.ratio(f"Heston: {name} / bank_python", medians[name] / medians["bank_python"], "≥ 3")


def svi(report: Report) -> None:
    """Fits of smiles, beside one pricing pass."""
    rng = np.random.default_rng(0)
    k = np.linspace(-0.5, 0.4, 21)
    slices = [SviSlice(0.01 + 0.03 * T, 0.1, -0.4, 0.02, 0.15) for T in (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)]
    expiries = (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
    quotes = [
        SmileQuotes.from_vols(T, k, np.sqrt(smile.total_variance(k) / T) * (1.0 + 1e-3 * rng.normal(size=21)))
        for T, smile in zip(expiries, slices, strict=True)
    ]

    def surface() -> list[object]:
        fits: list[object] = []
        for part in quotes:
            fits.append(fit_slice(part, fits[-1].smile if fits else None))
        return fits

    terms = (rng.uniform(80, 120, 5_000), rng.uniform(80, 120, 5_000), 0.5, 0.02, 0.2)
    medians = cpu(
        {
            "one smile of 21 noisy quotes": lambda: fit_slice(quotes[4]),
            "a surface of 8 such smiles": surface,
            "one pricing pass: 5,000 options": lambda: black_scholes_price(*terms),
        },
        9,
        1,
    )
    report.case("SVI, fitted free of arbitrage", medians)
    report.ratio(
        "SVI: one smile / one pricing pass of 5,000 options",
        medians["one smile of 21 noisy quotes"] / medians["one pricing pass: 5,000 options"],
        "none",
    )


CASES = {
    "european": european,
    "formula": formula,
    "implied": implied,
    "american": american,
    "barrier": barrier,
    "heston": heston,
    "svi": svi,
}


def main() -> None:
    """Run the cases asked for."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=f"cases, separated by commas: {', '.join(CASES)}")
    wanted = [name for name in parser.parse_args().only.split(",") if name] or list(CASES)
    ql.Settings.instance().evaluationDate = TODAY
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"Python {platform.python_version()}, {packages}\n{platform.system()} {platform.machine()}, CPU time")
    report = Report()
    for name in wanted:
        CASES[name](report)
    report.close()


if __name__ == "__main__":
    main()
