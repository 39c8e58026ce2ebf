"""Volatility and regime models: GARCH fits beside the package arch, regimes beside statsmodels.

One process, one thread (linear algebra too, which is settled before numpy is loaded), CPU time, medians of shuffled
turns; a call that is over quickly is repeated until a turn has lasted 20 ms, on every side. Both get the same returns
in per cent, as arrays. Inside the clock is what a user calls: `fit_garch(returns, ...)` on our side, on theirs
`arch_model(returns, ..., rescale=False).fit(disp="off")`, the construction of the model included. arch computes its
standard errors when they are asked for, and so do we; neither is asked. Its recursions are compiled.

Accuracy stands beside the times: by how much our log-likelihood is above that of arch, both by their own formulas, at
the parameters that each of them found with its defaults. A comparison counts only if ours is not lower by more than
1e-6. Where ours is much higher, arch has stopped at a lower maximum.

Run it with ``make bench`` or ``python benchmarks/volatility.py --only sp500-5000,regimes``; ``--quick`` takes one turn.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import _regime_cases
import arch.data.nasdaq
import arch.data.sp500
import numpy as np
from _command import run_cases, run_on_one_thread
from _timing import cpu
from arch import arch_model

from bank_python.risk_models import fit_garch

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PACKAGES = ("numpy", "bank-python", "arch", "numba", "statsmodels", "scipy")
LEAST_GAIN = -1e-6
MARKETS = {"sp500": arch.data.sp500, "nasdaq": arch.data.nasdaq}
LENGTHS = (500, 1_000, 2_500, 5_000)
MODELS = {
    "GARCH": {"vol": "GARCH", "p": 1, "o": 0, "q": 1},
    "GJR": {"vol": "GARCH", "p": 1, "o": 1, "q": 1},
    "EGARCH": {"vol": "EGARCH", "p": 1, "o": 1, "q": 1},
}
DISTRIBUTIONS = {"n": "normal", "t": "t"}
TARGETS = {"GARCH-n": "≥ 2, aim 5", "GJR-t": "≥ 2, aim 5", "EGARCH-n": "≥ 2, aim 5"}
"""Targets of the fits to 5,000 observations of the S&P 500."""


def percent_returns(market: str, n: int) -> np.ndarray:
    """Return the latest returns of an index in per cent."""
    prices = MARKETS[market].load()["Adj Close"].dropna()
    return np.asarray(100.0 * prices.pct_change().dropna())[-n:]


def theirs(returns: np.ndarray, kind: dict[str, object], distribution: str) -> object:
    """Return the fit of arch."""
    return arch_model(returns, mean="Constant", dist=distribution, rescale=False, **kind).fit(disp="off")


def fits(report: Report, rounds: int, market: str, n: int) -> None:
    """Time all models on one series."""
    returns = percent_returns(market, n)
    for model, kind in MODELS.items():
        for letter, distribution in DISTRIBUTIONS.items():
            name = f"{model}-{letter}"
            calls = {
                "bank_python": partial(fit_garch, returns, model.lower(), distribution),
                "arch": partial(theirs, returns, kind, distribution),
            }
            found, other = calls["bank_python"](), calls["arch"]()
            gain = found.loglikelihood - other.loglikelihood
            if gain < LEAST_GAIN or not found.converged:
                sys.exit(f"{name}, {market}, {n}: our log-likelihood is higher by {gain:.1e}, {found.notes}")
            medians = cpu(calls, rounds)
            title = f"{name}, {market}, {n:,} observations"
            note = f"log-likelihood {found.loglikelihood:.6f}, ours higher by {gain:.1e}; {found.iterations} steps"
            report.case(f"{title}, CPU µs", {key: 1e6 * median for key, median in medians.items()}, note)
            target = TARGETS.get(name, "none") if (market, n) == ("sp500", 5_000) else "none"
            report.ratio(f"{title}: arch / bank_python", medians["arch"] / medians["bank_python"], target)


CASES: dict[str, Callable[[Report, int], None]] = {
    **{f"{market}-{n}": partial(fits, market=market, n=n) for market in MARKETS for n in LENGTHS},
    "regimes": _regime_cases.run,
}


def main() -> None:
    """Run the chosen cases."""
    run_cases(__doc__, CASES, PACKAGES, ONE_THREAD)


if __name__ == "__main__":
    run_on_one_thread(ONE_THREAD, main)
