"""Power laws: the scan of all starts, whole numbers, other laws, and the p-value by simulation.

powerlaw 2.0 is given ``parameter_ranges`` for exponents up to 10, as its default ends at 3 and misses the answer here.
igraph runs the plfit library in C; its function always computes a p-value too, so it is asked for the least precise
one, which is a single simulated sample, and the time of its scan is about half of that. The plain version computes all
differences of each start with numpy.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import igraph
import numpy as np
import powerlaw
from _taleb_timed import OURS, agree, timed

from bank_python.taleb.power_law_fit import fit_power_law

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

__all__ = ["CASES", "PACKAGES"]

PACKAGES = ("powerlaw", "igraph")
N_RETURNS = 5_000
RANGES = {"alpha": [1.0, 10.0]}
LEAST_PRECISION = 0.49
FITS = 20  # simulated samples of the p-value


def student_returns() -> np.ndarray:
    """Return absolute returns with a tail index of 3."""
    return np.abs(np.random.default_rng(7).standard_t(3, N_RETURNS) * 0.02)


def by_powerlaw(x: np.ndarray, *, discrete: bool, xmin: float | None = None) -> Any:
    """Return the fit of powerlaw, of all starts or of one."""
    return powerlaw.Fit(x, discrete=discrete, estimate_discrete=False, parameter_ranges=RANGES, xmin=xmin, verbose=0)


def by_igraph(x: list[float], method: str) -> Any:
    """Return the fit of igraph with a p-value from one simulated sample."""
    return igraph.statistics.power_law_fit(x, method=method, p_precision=LEAST_PRECISION)


def plain_scan(x: np.ndarray) -> tuple[float, float, float]:
    """Return exponent, start and distance by all differences of each start."""
    ordered = np.sort(x)
    logs, n = np.log(ordered), len(ordered)
    best = (np.inf, 0.0, 0.0)
    for j in range(n - 1):
        above = logs[j:] - logs[j]
        slope = (n - j) / above.sum()
        distance = float(np.abs(1.0 - np.exp(-slope * above) - np.arange(n - j) / (n - j)).max())
        if distance < best[0]:
            best = (distance, float(ordered[j]), 1.0 + slope)
    return best[2], best[1], best[0]


def csn_scan(report: Report, rounds: int) -> None:
    """Time the fit of 5,000 absolute returns with all starts."""
    x = student_returns()
    ours, theirs, c_fit = fit_power_law(x), by_powerlaw(x, discrete=False), by_igraph(x.tolist(), "continuous")
    found = [ours.alpha, ours.xmin, ours.distance]
    note = agree("powerlaw", found, [theirs.alpha, theirs.xmin, theirs.D], 1e-9)
    agree("igraph", found, [c_fit.alpha, c_fit.xmin, c_fit.D], 1e-9)
    agree("plain", found, plain_scan(x), 1e-9)
    calls: dict[str, Callable[[], object]] = {
        OURS: partial(fit_power_law, x),
        "powerlaw": partial(by_powerlaw, x, discrete=False),
        "igraph, scan and one simulated sample": partial(by_igraph, x.tolist(), "continuous"),
        "numpy, all differences": partial(plain_scan, x),
    }
    title = f"power law, all starts of {N_RETURNS:,} returns"
    seconds = timed(report, title, calls, rounds, {"powerlaw": "≥ 15"}, f"alpha {ours.alpha:.9f}; {note}")
    report.ratio(f"{title}: ms of {OURS}", 1e3 * seconds[OURS], "≤ 80")


def csn_whole(report: Report, rounds: int) -> None:
    """Time the fits of whole numbers: deaths in attacks, and the numbers of words of a novel."""
    for name in ("terrorism", "words"):
        x = np.asarray(powerlaw.load_test_dataset(name), dtype=float)
        listed = x.astype(int).tolist()
        ours, c_fit = fit_power_law(x), by_igraph(listed, "discrete")
        note = agree("igraph", [ours.alpha, ours.xmin, ours.distance], [c_fit.alpha, c_fit.xmin, c_fit.D], 1e-6)
        calls: dict[str, Callable[[], object]] = {
            OURS: partial(fit_power_law, x),
            "igraph, scan and one simulated sample": partial(by_igraph, listed, "discrete"),
        }
        timed(report, f"power law of whole numbers, {name}, {len(x):,}", calls, rounds, note=note)


def csn_other_laws(report: Report, rounds: int) -> None:
    """Time the comparison with a lognormal, the data being fitted already."""
    x = np.asarray(powerlaw.load_test_dataset("flares"), dtype=float)
    ours = fit_power_law(x)
    theirs = by_powerlaw(x, discrete=False, xmin=ours.xmin)
    found = ours.compare("lognormal")

    def compared() -> object:
        fresh = by_powerlaw(x, discrete=False, xmin=ours.xmin)
        return fresh.distribution_compare("power_law", "lognormal", normalized_ratio=True)

    note = agree(
        "powerlaw",
        [found.ratio, found.p_value],
        theirs.distribution_compare("power_law", "lognormal", normalized_ratio=True),
        1e-4,
    )
    calls: dict[str, Callable[[], object]] = {
        OURS: partial(ours.compare, "lognormal"),
        "powerlaw, with its fit at the same start": compared,
    }
    timed(report, f"power law beside a lognormal, tail of {ours.n_tail:,}", calls, rounds, note=note)


def csn_p_value(report: Report, rounds: int) -> None:
    """Time a simulated sample with its fit, the scan included."""
    fit, listed = fit_power_law(student_returns()), student_returns().tolist()
    precise = 0.5 / np.sqrt(FITS)
    seconds = timed(
        report,
        f"p-value, {FITS} simulated samples of {N_RETURNS:,}",
        {
            OURS: partial(fit.p_value, FITS),
            "igraph, with its own fit": partial(
                igraph.statistics.power_law_fit, listed, method="continuous", p_precision=float(precise)
            ),
        },
        rounds,
    )
    report.ratio(f"p-value: ms of {OURS} a simulated sample", 1e3 * seconds[OURS] / FITS, "none")


CASES: dict[str, Callable[[Report, int], None]] = {
    one.__name__: one for one in (csn_scan, csn_whole, csn_other_laws, csn_p_value)
}
