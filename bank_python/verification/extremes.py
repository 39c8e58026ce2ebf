"""Values of extreme value theory: block maxima, excesses over a threshold, estimators of the shape."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING

from bank_python.risk_models import TailFit
from bank_python.risk_models.extremes import GpdFit
from bank_python.taleb.gev import fit_gev
from bank_python.taleb.gpd_moments import fit_gpd_moments
from bank_python.taleb.tail_index import moment_estimator, pickands
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.taleb.gev import GevFit
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "extremes"

_COLES = Source("S. Coles", 2001, "An Introduction to Statistical Modeling of Extreme Values", "data as in OpenTURNS")
_HOSKING = Source(
    "J. R. M. Hosking and J. R. Wallis",
    1987,
    "Parameter and quantile estimation for the generalized Pareto distribution, Technometrics 29",
)
_MCNEIL = Source("A. J. McNeil, R. Frey and P. Embrechts", 2015, "Quantitative Risk Management, revised edition")
_PICKANDS = Source("J. Pickands", 1975, "Statistical inference using extreme order statistics, Annals of Statistics 3")
_DEKKERS = Source(
    "A. L. M. Dekkers, J. H. J. Einmahl and L. de Haan",
    1989,
    "A moment estimator for the index of an extreme-value distribution, Annals of Statistics 17",
)

# Highest sea level of each year at Port Pirie in metres, 1923 to 1987.
_SEA_LEVELS = (
    *(4.03, 3.83, 3.65, 3.88, 4.01, 4.08, 4.18, 3.80, 4.36, 3.96, 3.98, 4.69, 3.85, 3.96, 3.85, 3.93, 3.75, 3.63),
    *(3.57, 4.25, 3.97, 4.05, 4.24, 4.22, 3.73, 4.37, 4.06, 3.71, 3.96, 4.06, 4.55, 3.79, 3.89, 4.11, 3.85, 3.86),
    *(3.86, 4.21, 4.01, 4.11, 4.24, 3.96, 4.21, 3.74, 3.85, 3.88, 3.66, 4.11, 3.71, 4.18, 3.90, 3.78, 3.91, 3.72),
    *(4.00, 3.66, 3.62, 4.33, 4.55, 3.75, 4.08, 3.90, 3.88, 3.94, 4.33),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _maxima()
    yield from _excesses()
    yield from _shapes()


def _maxima() -> Iterator[PublishedValue]:
    book = Cited(TOPIC, _COLES, Provenance.QUOTED, "section 3.4.1, annual sea levels at Port Pirie")
    fit = cache(partial(fit_gev, _SEA_LEVELS))
    rows = (
        ("location μ", "mu", "3.87"),
        ("scale σ", "sigma", "0.198"),
        ("shape ξ", "xi", "-0.050"),
        ("log-likelihood", "log_likelihood", "4.34"),
        ("standard error of μ", "mu_error", "0.028"),
        ("standard error of σ", "sigma_error", "0.020"),
        ("standard error of ξ", "xi_error", "0.098"),
    )
    for what, name, printed in rows:
        yield book.value(f"port-pirie-{name.replace('_', '-')}", what, printed, partial(_field, fit, name))
    for years, printed in {10: "4.30", 100: "4.69"}.items():
        what = f"level that is exceeded once in {years} years, in metres"
        yield book.value(f"port-pirie-{years}-years", what, printed, partial(_level, fit, years))


def _field(fit: Callable[[], object], name: str) -> float:
    return float(getattr(fit(), name))


def _level(fit: Callable[[], GevFit], years: int) -> float:
    return fit().quantile(1.0 - 1.0 / years)


def _excesses() -> Iterator[PublishedValue]:
    moments = Cited(TOPIC, _HOSKING, Provenance.COMPUTED, "ξ = 2 - a₀/(a₀ - 2a₁), β = 2a₀a₁/(a₀ - 2a₁)")
    fit = cache(partial(fit_gpd_moments, (0.3, 0.7, 1.1, 1.9, 3.2, 5.5, 9.1)))
    for name, printed in {"xi": "0.283464566929", "beta": "2.23149606299"}.items():
        what = f"{name} of seven excesses by moments"
        yield moments.value(f"gpd-moments-{name}", what, printed, partial(_field, fit, name))
    book = Cited(TOPIC, _MCNEIL, Provenance.COMPUTED, "equations 7.18 and 7.19")
    rows = (
        (10.0, 109 / 2167, 0.25, 2.0, 0.99, "13.9806914536", "17.9742552715"),
        (5.0, 50 / 1000, -0.1, 1.0, 0.999, "8.23756662194", "8.85233329267"),
    )
    for threshold, share, xi, beta, level, var, es in rows:
        tail = TailFit(threshold, share, GpdFit(xi, beta, math.nan, 109, math.nan, math.nan))
        said, key = f"ξ {xi:g}, β {beta:g}, u {threshold:g}, {100 * level:g} %", f"gpd-{xi:g}"
        yield book.value(f"{key}-var", f"value at risk, {said}", var, partial(tail.value_at_risk, level))
        yield book.value(f"{key}-es", f"expected shortfall, {said}", es, partial(tail.expected_shortfall, level))


def _shapes() -> Iterator[PublishedValue]:
    first = Cited(TOPIC, _PICKANDS, Provenance.COMPUTED, "definition")
    compute = partial(pickands, [1.0, 2.0, 4.0, 8.0], 1)
    yield first.value("pickands", "ξ of 1, 2, 4, 8 at k = 1", "0.415037499279", compute)
    second = Cited(TOPIC, _DEKKERS, Provenance.COMPUTED, "definition")
    compute = partial(moment_estimator, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 4)
    yield second.value("moment", "ξ of 1, 2, 4, 8, 16, 32 at k = 4", "-0.267132048600", compute)
