"""Values of time series: regimes, unit roots, cointegration, mean reversion, changes of correlation, filters."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from bank_python.macro import fisher_z_test, jennrich_test
from bank_python.risk import fit_regimes
from bank_python.risk_models import (
    OrnsteinUhlenbeck,
    hamilton_filter,
    kim_smoother,
    mackinnon_critical_values,
    mackinnon_p_value,
)
from bank_python.risk_models.johansen_tables import LARGEST_EIGENVALUE, TRACE
from bank_python.risk_models.mean_reversion import half_life_of
from bank_python.verification.gnp_growth import GNP_GROWTH
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.risk import RegimeFit
    from bank_python.risk_models import FilteredRegimes
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "time series"

_HAMILTON = Source(
    "J. D. Hamilton",
    1989,
    "A new approach to the economic analysis of nonstationary time series, Econometrica 57",
    "as re-estimated in Stata's manual, mswitch ar rgnp, and in statsmodels",
)
_RUSSELL = Source("S. Russell and P. Norvig", 2010, "Artificial Intelligence: A Modern Approach, 3rd edition")
_MACKINNON = Source(
    "J. G. MacKinnon", 2010, "Critical values for cointegration tests, Queen's University 1227", "as in statsmodels"
)
_P_VALUES = Source(
    "J. G. MacKinnon",
    1994,
    "Approximate asymptotic distribution functions for unit-root and cointegration tests, J. of Business and "
    "Economic Statistics 12",
    "as in statsmodels",
)
_JOHANSEN = Source(
    "J. G. MacKinnon, A. A. Haug and L. Michelis",
    1999,
    "Numerical distribution functions of likelihood ratio tests for cointegration, J. of Applied Econometrics 14",
    "as in statsmodels",
)
_AVELLANEDA = Source(
    "M. Avellaneda and J.-H. Lee", 2010, "Statistical arbitrage in the US equities market, Quantitative Finance 10"
)
_JENNRICH = Source(
    "R. I. Jennrich", 1970, "An asymptotic χ² test for the equality of two correlation matrices, J. of the ASA 65"
)
_FISHER = Source("R. A. Fisher", 1921, "On the probable error of a coefficient of correlation, Metron 1")
_COPIED = "read from the same table, so this shows that it was copied right"

_UNIT_ROOTS = {
    ("c", 1): ("-3.43035", "-2.86154", "-2.56677"),
    ("c", 2): ("-3.89644", "-3.33613", "-3.04445"),
    ("c", 3): ("-4.29374", "-3.74066", "-3.45218"),
    ("ct", 1): ("-3.95877", "-3.41049", "-3.12705"),
    ("ct", 2): ("-4.32762", "-3.78057", "-3.49631"),
}
_RANKS = {
    1: (("2.7055", "3.8415", "6.6349"), ("2.7055", "3.8415", "6.6349")),
    2: (("13.4294", "15.4943", "19.9349"), ("12.2971", "14.2639", "18.5200")),
    4: (("44.4929", "47.8545", "54.6815"), ("25.1236", "27.5858", "32.7172")),
}
_FIGURES: tuple[tuple[str, str, str, tuple[int, ...]], ...] = (
    ("mean of the first regime", "means", "-0.3588", (0,)),
    ("mean of the second regime", "means", "1.1635", (1,)),
    ("first autoregressive coefficient", "ar", "0.0135", (0,)),
    ("second autoregressive coefficient", "ar", "-0.0575", (1,)),
    ("third autoregressive coefficient", "ar", "-0.2470", (2,)),
    ("fourth autoregressive coefficient", "ar", "-0.2129", (3,)),
    ("probability of staying in the first regime", "transition", "0.7547", (0, 0)),
    ("probability of leaving the second regime", "transition", "0.0959", (1, 0)),
    ("duration of the first regime in quarters", "durations", "4.076", (0,)),
    ("duration of the second regime in quarters", "durations", "10.426", (1,)),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _regimes()
    yield from _filters()
    yield from _unit_roots()
    yield from _cointegration()
    yield from _reversion()
    yield from _correlations()


def _regimes() -> Iterator[PublishedValue]:
    gnp = Cited(TOPIC, _HAMILTON, Provenance.QUOTED, "growth of GNP, two regimes, four lags")
    fit = cache(partial(fit_regimes, GNP_GROWTH, n_regimes=2, order=4, switching_variance=False))
    yield gnp.value("hamilton-likelihood", "log-likelihood", "-181.26339", lambda: fit().loglikelihood)
    for count, (what, name, printed, at) in enumerate(_FIGURES, start=1):
        yield gnp.value(f"hamilton-{count}", what, printed, partial(_figure, fit, name, at))


def _figure(fit: Callable[[], RegimeFit], name: str, at: tuple[int, ...]) -> float:
    return float(np.asarray(getattr(fit(), name))[at])


def _filters() -> Iterator[PublishedValue]:
    book = Cited(TOPIC, _RUSSELL, Provenance.QUOTED, "section 15.2, the umbrella world")
    world = ([[0.9, 0.2], [0.9, 0.2]], [[0.7, 0.3], [0.3, 0.7]], [0.5, 0.5])
    found = partial(hamilton_filter, *world)
    rain = {"first": (0, "0.818"), "second": (1, "0.883")}
    for day, (row, printed) in rain.items():
        what = f"probability of rain on the {day} day, filtered"
        yield book.value(f"umbrella-{day}", what, printed, partial(_filtered, found, row))
    what = "probability of rain on the second day, predicted"
    yield book.value("umbrella-predicted", what, "0.627", lambda: float(found().predicted[1, 0]))
    what = "probability of rain on the first day, smoothed"
    yield book.value("umbrella-smoothed", what, "0.883", lambda: float(kim_smoother(*world)[0, 0]))


def _filtered(found: Callable[[], FilteredRegimes], row: int) -> float:
    return float(found().filtered[row, 0])


def _unit_roots() -> Iterator[PublishedValue]:
    tables = Cited(TOPIC, _MACKINNON, Provenance.QUOTED, "tables 2 and 3, infinite sample")
    for (trend, variables), row in _UNIT_ROOTS.items():
        for level, printed in zip((0.01, 0.05, 0.10), row, strict=True):
            what = f"critical value at {level:.0%}, trend {trend}, {variables} variables"
            compute = partial(_critical, trend, variables, level)
            key = f"mackinnon-{trend}-{variables}-{level:g}"
            yield tables.value(key, what, printed, compute, note=_COPIED)
    surfaces = Cited(TOPIC, _P_VALUES, Provenance.COMPUTED)
    rows = ((-3.0, 1, "0.0348944003"), (-3.5, 2, "0.0323953884"), (-2.0, 2, "0.5285780802"))
    for statistic, variables, printed in rows:
        what = f"p-value of {statistic:g}, {variables} variables"
        compute = partial(mackinnon_p_value, statistic, variables=variables)
        yield surfaces.value(f"mackinnon-p-{statistic:g}-{variables}", what, printed, compute)


def _critical(trend: str, variables: int, level: float) -> float:
    return float(mackinnon_critical_values(trend, variables)[level])


def _cointegration() -> Iterator[PublishedValue]:
    tables = Cited(TOPIC, _JOHANSEN, Provenance.QUOTED, "case III")
    for variables, rows in _RANKS.items():
        for name, table, row in zip(("trace", "largest"), (TRACE, LARGEST_EIGENVALUE), rows, strict=True):
            for column, (level, printed) in enumerate(zip((0.10, 0.05, 0.01), row, strict=True)):
                what = f"{name} statistic at {level:.0%}, {variables} variables less the rank"
                compute = partial(float, table["c"][variables - 1][column])
                key = f"johansen-{name}-{variables}-{level:g}"
                yield tables.value(key, what, printed, compute, note=_COPIED)


def _reversion() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _AVELLANEDA, Provenance.QUOTED, "appendix: a 0.001, b 0.95, residual variance 1e-4, X 0.05")
    process = partial(OrnsteinUhlenbeck.from_ar1, 0.001, 0.95, 0.0001, last=0.05, periods_per_year=252)
    figures = (
        ("kappa", "speed κ per year", "12.92591019"),
        ("mean", "mean of the residual", "0.02"),
        ("sigma_eq", "equilibrium deviation", "0.03202563"),
        ("s_score", "s-score", "0.93674970"),
    )
    for name, what, printed in figures:
        yield paper.value(f"avellaneda-{name}", what, printed, partial(_field, process, name))
    closed = Cited(TOPIC, _AVELLANEDA, Provenance.COMPUTED, "half-life -ln 2/ln φ")
    for phi, printed in {0.95: "13.5134073340", 0.99: "68.9675639365"}.items():
        yield closed.value(f"half-life-{phi:g}", f"half-life at φ {phi:g}", printed, partial(half_life_of, phi))


def _field(result: Callable[[], object], name: str) -> float:
    return float(getattr(result(), name))


def _correlations() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _JENNRICH, Provenance.COMPUTED, "two assets: n₁n₂/(n₁ + n₂) (r₁ - r₂)²/(1 - r̄²)²")
    rows = (
        (0.5, 0.3, 100, 100, "2.83446712018", "0.0922614017797"),
        (0.8, 0.6, 250, 250, "19.2233756248", "0.0000116280779983"),
        (0.2, -0.1, 60, 120, "3.60000000000", "0.0577795711236"),
    )
    for first, second, n_first, n_second, statistic, p_value in rows:
        test = partial(jennrich_test, first, second, n_first, n_second)
        said, key = f"correlations {first:g} and {second:g}", f"jennrich-{first:g}-{second:g}"
        yield paper.value(key, f"χ², {said}", statistic, partial(_field, test, "statistic"))
        yield paper.value(f"{key}-p", f"p-value, {said}", p_value, partial(_field, test, "p_value"))
    fisher = Cited(TOPIC, _FISHER, Provenance.COMPUTED, "z transformation")
    what = "z of correlations 0.5 and 0.3, each of 103 pairs"
    yield fisher.value("fisher-z", what, "1.69554688564", lambda: fisher_z_test(0.5, 0.3, 103, 103).statistic)
