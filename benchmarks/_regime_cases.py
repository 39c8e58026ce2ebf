"""Regimes beside statsmodels: our ten starts beside its one, on the same series, to the same log-likelihood.

CPU time, one thread, medians of shuffled turns; a call that is over quickly is repeated until a turn has lasted 20 ms.
The series are simulated: two regimes of volatility, as in daily returns in per cent. Inside the clock is on our side
all of `fit_regimes` (checks, search, standard errors, probabilities), on theirs the model object and `fit()` with its
defaults, one start; its covariance is lazy, and not asked for. A comparison counts only if the log-likelihoods agree to
1e-6, or if ours is higher, which is then said.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from _timing import cpu
from statsmodels.tsa.regime_switching.markov_autoregression import MarkovAutoregression
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from bank_python.risk import fit_regimes

if TYPE_CHECKING:
    from _report import Report

__all__ = ["run"]

SAME = 1e-6
OURS, THEIRS = "bank_python, ten starts", "statsmodels, one start"
CASES = (
    (2_500, 2, 0, True, "≥ 1, aim 5"),
    (2_500, 2, 0, False, "none"),
    (2_500, 3, 0, True, "≥ 1, aim 5"),
    (2_500, 2, 1, True, "none"),
)
"""Observations, regimes, lags, whether the variance switches, and the target."""


def simulated(n: int, k: int) -> np.ndarray:
    """Return a series of regimes that last fifty days on average, seeded by their number."""
    rng = np.random.default_rng(k)
    stay, drawn = rng.random(n) < 0.98, rng.integers(k, size=n)
    regimes = np.zeros(n, dtype=int)
    for t in range(1, n):
        regimes[t] = regimes[t - 1] if stay[t] else drawn[t]
    return np.linspace(0.08, -0.25, k)[regimes] + np.geomspace(0.7, 2.8, k)[regimes] * rng.standard_normal(n)


def peer(x: np.ndarray, k: int, order: int, switching: bool) -> object:
    """Return statsmodels' fit of the same model."""
    asked = {"k_regimes": k, "switching_variance": switching}
    if order:
        return MarkovAutoregression(x, order=order, switching_ar=False, **asked).fit(disp=False)
    return MarkovRegression(x, **asked).fit(disp=False)


def run(report: Report, rounds: int) -> None:
    """Time all cases."""
    for n, k, order, switching, target in CASES:
        asked = (simulated(n, k), k, order, switching)
        calls = {OURS: partial(fit_regimes, *asked), THEIRS: partial(peer, *asked)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found, other = calls[OURS](), calls[THEIRS]()
            medians = cpu(calls, rounds)
        higher = found.loglikelihood - other.llf
        if higher < -SAME:
            sys.exit(f"regimes: statsmodels' log-likelihood is higher by {-higher:.1e}")
        lags = f", {order} {'lag' if order == 1 else 'lags'}" if order else ""
        title = f"{k} regimes{lags}, {'variance switching' if switching else 'common variance'}, {n:,} observations"
        said = "the same" if higher <= SAME else "statsmodels has stopped below"
        note = f"log-likelihood {found.loglikelihood:.6f}, ours higher by {higher:.1e}: {said}; "
        note += f"{found.search.reached} of {found.search.n_starts} starts reach it"
        report.case(f"{title}, CPU µs", {name: 1e6 * median for name, median in medians.items()}, note)
        report.ratio(f"{title}: statsmodels / ours", medians[THEIRS] / medians[OURS], target)
