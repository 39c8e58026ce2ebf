"""Terminal views of tail indices, of ratios of maximum to sum and of what they say of moments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group
from rich.text import Text

from bank_python.sheet import Sheet, names, numbers, shares, words
from bank_python.terminal import clean

if TYPE_CHECKING:
    from bank_python.taleb.hill import HillCurve
    from bank_python.taleb.max_to_sum import MaxToSumCurves
    from bank_python.taleb.sample_pictures import QuantilePoints, SurvivalPoints
    from bank_python.taleb.tail_index import TailIndex
    from bank_python.taleb.tail_report import TailReport

__all__ = [
    "hill_curve_view",
    "max_to_sum_view",
    "quantile_view",
    "survival_view",
    "tail_index_view",
    "tail_report_view",
]

_MOST_ROWS = 12
_GEARY = 1.96 * math.sqrt(1.0 - 3.0 / math.pi)  # 95 % half-width of MAD/SD of n Gaussian values, times √n (Geary 1936)


def hill_curve_view(curve: HillCurve) -> Sheet:
    """Show the estimate at a dozen numbers of largest values, spaced by equal factors."""
    columns = [numbers("Largest values", 0), numbers("α"), numbers("Error"), numbers("95 % from"), numbers("to")]
    shown = Sheet("Hill's tail index", [*columns, numbers("Threshold", 4)])
    for i in _spread(len(curve.k)):
        figures = (curve.k, curve.alpha, curve.alpha_se, curve.low, curve.high, curve.threshold)
        shown.add(*(float(values[i]) for values in figures))
    shown.note(f"{curve.n_tail:,} positive values; read it where it is flat: plot()")
    return shown


def max_to_sum_view(curves: MaxToSumCurves) -> Sheet:
    """Show the ratios at a dozen numbers of observations, spaced by equal factors."""
    shown = Sheet("Maximum to sum", [numbers("Observations", 0), *(numbers(f"p = {p:g}", 4) for p in curves.powers)])
    for i in _spread(curves.n_observations):
        shown.add(float(i + 1), *curves.ratios[:, i].tolist())
    shown.note("a ratio that does not fall to 0 is evidence that the moment of that order is infinite")
    return shown


def survival_view(points: SurvivalPoints) -> Sheet:
    """Show the largest value and a dozen others, at numbers of larger ones spaced by equal factors."""
    shown = Sheet("Survival", [numbers("Size", 4), shares("At least as large", 2)])
    for i in _spread(len(points.size)):
        shown.add(float(points.size[i]), float(points.share[i]))
    shown.note(f"{len(points.size):,} positive of {points.n_observations:,} observations; plot() on logarithmic axes")
    return shown


def quantile_view(points: QuantilePoints) -> Sheet:
    """Show a dozen quantiles of the sample beside those of the distribution."""
    shown = Sheet(f"Quantiles beside {points.law}", [shares("Level", 2), numbers("Sample", 4), numbers(points.law, 4)])
    count = len(points.sample)
    lower = _spread(count // 2)
    for i in [*lower, *(count - 1 - i for i in reversed(lower))]:
        shown.add((i + 0.5) / count, float(points.sample[i]), float(points.theory[i]))
    return shown


def _spread(count: int) -> list[int]:
    """Return a dozen rows out of `count`, by equal factors, the last among them."""
    rows = np.unique(np.geomspace(1.0, count, _MOST_ROWS).round().astype(int)) - 1
    return [int(row) for row in rows]


def tail_report_view(report: TailReport) -> Group:
    """Show the verdict and each tail, then the figures of the whole sample, then what they do not say."""
    tails = Sheet(f"Tails of {report.n_observations:,} returns", [names("Tail"), *_TAIL_COLUMNS])
    for row in report.to_table():
        values = (row["alpha"], row["alpha_se"], row["low"], row["high"], row["k"], row["alpha_corrected"])
        tails.add(row["side"], *values, row["xi_gpd"])
    tails.note(report.verdict)
    figures = Sheet("", [names("Figure"), numbers("Value", 4), words("Reading")], lists_notes=True)
    for name, value, reading in _figures(report):
        figures.add(name, value, reading)
    for note in report.notes:
        figures.note(note)
    return Group(tails, figures, _listed("What this does not say", report.does_not_say))


_TAIL_COLUMNS = (
    *(numbers("Index α"), numbers("Error"), numbers("95 % from"), numbers("to"), numbers("Largest", 0)),
    *(numbers("Corrected"), numbers("ξ of GPD", 3)),
)


def _listed(title: str, sentences: tuple[str, ...]) -> Text:
    """Return sentences below a title, a line for each."""
    return Text("\n").join([Text(title, style="bold"), *(Text(f"· {clean(said)}") for said in sentences)])


def _figures(report: TailReport) -> list[tuple[str, float | None, str]]:
    """Return name, value and reading of the figures of the whole sample."""
    reach = _GEARY / math.sqrt(report.n_observations)
    apart = report.kappa - report.kappa_gaussian
    fat = "as a Gaussian's" if abs(apart) <= reach else "fat" if apart < 0.0 else "thin"
    rows: list[tuple[str, float | None, str]] = [
        (
            "MAD / SD",
            report.kappa,
            f"Gaussian {report.kappa_gaussian:.4f} ± {reach:.4f}; below it: fat tails. Here {fat}",
        ),
        ("Taleb's κ", report.kappa_n, "0 Gaussian, 1 Cauchy: how slowly sums become Gaussian"),
        ("Max to sum, p = 2", report.max_to_sum, "share of the largest square; falls to 0 if the variance exists"),
        ("Top 1 %", report.top_share, "share of the sum of sizes, biased downwards"),
    ]
    if report.contribution is not None:
        rows.append(("Top 1 %, corrected", report.contribution.corrected, "with the fitted tail"))
    if report.power_law is not None:
        law = report.power_law
        rows.append(("Power law from", law.xmin, f"{law.n_tail:,} sizes, tail index {law.tail_index:.2f}"))
    if report.growth is not None:
        rows.append(("Growth lost to risk", report.growth.gap, "growth of the mean less growth over time, per period"))
    return rows


def tail_index_view(found: TailIndex) -> Sheet:
    """Show the estimate with its interval, the corrected one and the checks, and what limits it as a list."""
    columns = [numbers("Index α"), numbers("Error"), numbers("95 % from"), numbers("to"), numbers("Corrected")]
    columns += [numbers("Largest", 0), numbers("Threshold", 4), numbers("ξ, moments", 3), numbers("ξ, Pickands", 3)]
    shown = Sheet(f"Tail index, k by rule {found.rule}", columns, lists_notes=True)
    figures = (found.alpha, found.alpha_se, found.low, found.high, found.alpha_corrected)
    shown.add(*figures, found.k, found.threshold, found.xi_moment, found.xi_pickands)
    shown.note(f"{found.n_tail:,} positive values of {found.n_observations:,}")
    for note in found.notes:
        shown.note(note)
    return shown
