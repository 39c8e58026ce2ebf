"""Values of portfolios: Black and Litterman, the critical line, equal risk contributions, hierarchical risk parity."""

from __future__ import annotations

import random
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import VerificationError
from bank_python.numerics import nearest_correlation
from bank_python.optimizer import (
    CovarianceData,
    EfficientFrontier,
    MinVarianceOptimizer,
    RiskParityOptimizer,
    hierarchical_weights,
)
from bank_python.risk_models import black_litterman
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.optimizer import OptimalPortfolio
    from bank_python.risk_models import BlackLitterman
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "portfolios"

_LITTERMAN = Source(
    "G. He and R. Litterman", 1999, "The intuition behind Black-Litterman model portfolios, Goldman Sachs"
)
_BAILEY = Source(
    "D. H. Bailey and M. López de Prado",
    2013,
    "An open-source implementation of the critical-line algorithm for portfolio optimization, Algorithms 6",
    "output of the paper's code",
)
_MAILLARD = Source(
    "S. Maillard, T. Roncalli and J. Teiletche",
    2010,
    "The properties of equally weighted risk contribution portfolios, J. of Portfolio Management 36",
)
_PRADO = Source(
    "M. López de Prado",
    2016,
    "Building diversified portfolios that outperform out of sample, J. of Portfolio Management 42",
)
_HIGHAM = Source("N. J. Higham", 2002, "Computing the nearest correlation matrix, IMA J. of Numerical Analysis 22")

_COUNTRIES = ("Australia", "Canada", "France", "Germany", "Japan", "UK", "USA")
_DEVIATIONS = np.array([0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187])
_MARKET = np.array([0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615])
_CORRELATIONS = (
    (0.488,),
    (0.478, 0.664),
    (0.515, 0.655, 0.861),
    (0.439, 0.310, 0.355, 0.354),
    (0.512, 0.608, 0.783, 0.777, 0.405),
    (0.491, 0.779, 0.668, 0.653, 0.306, 0.652),
)
_GERMANY = (0.0, 0.0, -5.2 / 17.6, 1.0, 0.0, -12.4 / 17.6, 0.0)
_EQUILIBRIUM = ("3.9", "6.9", "8.4", "9.0", "4.3", "6.8", "7.6")
_EXPECTED = ("4.3", "7.6", "9.3", "11.0", "4.5", "7.0", "8.1")
_WEIGHTS = ("1.5", "2.1", "-4.0", "35.4", "11.0", "-9.5", "58.6")

_MEANS = (1.175, 1.19, 0.396, 1.12, 0.346, 0.679, 0.089, 0.73, 0.481, 1.08)
_LOWER_TRIANGLE = (
    (0.40755159,),
    (0.03175842, 0.9063047),
    (0.05183923, 0.03136385, 0.19490901),
    (0.05663904, 0.02687256, 0.04408485, 0.19528471),
    (0.0330226, 0.01917172, 0.03006772, 0.02777345, 0.34059105),
    (0.00827775, 0.00934384, 0.01322738, 0.00526665, 0.00777055, 0.15983874),
    (0.02165938, 0.02495043, 0.03525971, 0.01375808, 0.02067844, 0.02105575, 0.68056711),
    (0.01332419, 0.00761036, 0.0115493, 0.00780878, 0.00736409, 0.00518686, 0.01377882, 0.95526918),
    (0.0343476, 0.02874874, 0.0427563, 0.02914176, 0.02542657, 0.01723737, 0.04627027, 0.0106553, 0.31681584),
    (
        *(0.02249903, 0.01336866, 0.02057303, 0.01640377, 0.01284075),
        *(0.00723779, 0.01926088, 0.00760955, 0.01854318, 0.11079287),
    ),
)
# turning point: return, risk and the parameter lambda
_TURNS = {
    1: ("1.19", "0.952000368", "58.30308533"),
    2: ("1.180259459", "0.545656874", "4.17427285"),
    3: ("1.160056452", "0.417255650", "1.94556614"),
    4: ("1.111262264", "0.266719614", "0.16458117"),
    5: ("1.108360238", "0.265016995", "0.14738875"),
    7: ("1.015305921", "0.227982748", "0.05204819"),
    8: ("0.972720434", "0.219554880", "0.03652161"),
    9: ("0.949936816", "0.216024572", "0.03097117"),
    10: ("0.803215360", "0.205237620", "0.00000000"),
}
_LEAST = (
    *("0.03697", "0.02690", "0.09494", "0.12578", "0.07675", "0.21936", "0.02999", "0.03596", "0.06135", "0.29201"),
)
_RISK_PARITY = ("38.4", "19.2", "24.3", "18.2")
_HIERARCHICAL = ("7.00", "7.59", "10.84", "19.03", "9.72", "10.19", "6.62", "9.10", "7.12", "12.79")


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _views()
    yield from _critical_line()
    yield from _equal_risk()
    yield from _hierarchy()
    yield from _correlations()


def _views() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _LITTERMAN, Provenance.PUBLISHED, "table 2")
    table_4 = "table 4, Germany 5 % above the rest of Europe"
    posterior = cache(_posterior)
    rows = zip(_COUNTRIES, _EQUILIBRIUM, _EXPECTED, _WEIGHTS, strict=True)
    for i, (country, equilibrium, expected, weight) in enumerate(rows):
        name = country.lower()
        compute = partial(_percent, posterior, "prior", i)
        what = f"equilibrium return of {country}, %"
        yield paper.value(f"he-litterman-prior-{name}", what, equilibrium, compute)
        compute = partial(_percent, posterior, "expected_returns", i)
        what = f"expected return of {country}, %"
        yield paper.value(f"he-litterman-mean-{name}", what, expected, compute, place=table_4)
        compute = partial(_percent, posterior, "weights", i)
        what = f"weight of {country}, %"
        yield paper.value(f"he-litterman-weight-{name}", what, weight, compute, place=table_4)
    what = "weight λ on the view, over 1 + τ"
    compute = partial(_tilt, posterior)
    yield paper.value("he-litterman-lambda", what, "0.302", compute, place="text to table 4")


def _posterior() -> BlackLitterman:
    correlation = _symmetric([(1.0,), *((*row, 1.0) for row in _CORRELATIONS)])
    covariance = np.outer(_DEVIATIONS, _DEVIATIONS) * correlation
    return black_litterman(covariance, market_weights=_MARKET, P=[_GERMANY], Q=[0.05], tau=0.05, risk_aversion=2.5)


def _percent(posterior: Callable[[], BlackLitterman], name: str, i: int) -> float:
    return 100.0 * float(getattr(posterior(), name)[i])


def _tilt(posterior: Callable[[], BlackLitterman]) -> float:
    return float(posterior().tilts[0]) / 1.05


def _critical_line() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _BAILEY, Provenance.QUOTED, "ten assets, bounds 0 and 1")
    turns = cache(lambda: EfficientFrontier(_ten_assets()).turning_points)
    for count, (earned, risk, scale) in _TURNS.items():
        key, said = f"critical-line-{count}", f"turning point {count}"
        yield paper.value(f"{key}-return", f"return at {said}", earned, partial(_turn, turns, count, "expected_return"))
        yield paper.value(f"{key}-risk", f"risk at {said}", risk, partial(_turn, turns, count, "volatility"))
        yield paper.value(f"{key}-lambda", f"λ at {said}", scale, partial(_scale, turns, count))
    least = cache(lambda: MinVarianceOptimizer(_ten_assets()).optimize())
    for i, printed in enumerate(_LEAST):
        what = f"weight of asset {i + 1} in the portfolio of least variance"
        yield paper.value(f"critical-line-least-{i + 1}", what, printed, partial(_weight, least, i))
    yield paper.value("critical-line-sharpe", "largest Sharpe ratio at a rate of 0", "4.4535", _best_sharpe)


def _best_sharpe() -> float:
    best = EfficientFrontier(_ten_assets()).max_sharpe(risk_free_rate=0.0).sharpe
    if best is None:
        raise VerificationError("the portfolio of the largest Sharpe ratio has none; it needs expected returns")
    return best


def _ten_assets() -> CovarianceData:
    names = [f"A{i}" for i in range(len(_MEANS))]
    return CovarianceData(tickers=names, covariance=_symmetric(_LOWER_TRIANGLE), expected_returns=_MEANS)


def _turn(turns: Callable[[], Sequence[OptimalPortfolio]], count: int, name: str) -> float:
    return float(getattr(turns()[count - 1], name))


def _scale(turns: Callable[[], Sequence[OptimalPortfolio]], count: int) -> float:
    return 1.0 / turns()[count - 1].figures["risk_aversion"]


def _weight(portfolio: Callable[[], OptimalPortfolio], i: int) -> float:
    return float(portfolio().weights[i])


def _equal_risk() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _MAILLARD, Provenance.QUOTED, "volatilities 10 to 40 %, correlations 0.8 and -0.5")
    found = cache(_parity)
    for i, printed in enumerate(_RISK_PARITY):
        what = f"weight of asset {i + 1} at equal risk, %"
        yield paper.value(f"risk-parity-{i + 1}", what, printed, partial(_weight_percent, found, i))


def _weight_percent(portfolio: Callable[[], OptimalPortfolio], i: int) -> float:
    return 100.0 * _weight(portfolio, i)


def _entry_percent(weights: Callable[[], FloatArray], i: int) -> float:
    return 100.0 * float(weights()[i])


def _parity() -> OptimalPortfolio:
    correlation = _symmetric([(1.0,), (0.8, 1.0), (0.0, 0.0, 1.0), (0.0, 0.0, -0.5, 1.0)])
    deviations = np.array([0.1, 0.2, 0.3, 0.4])
    names = [f"A{i}" for i in range(4)]
    data = CovarianceData(tickers=names, covariance=np.outer(deviations, deviations) * correlation)
    return RiskParityOptimizer(data).optimize()


def _hierarchy() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _PRADO, Provenance.QUOTED, "weights of ten assets drawn by the code of the appendix")
    weights = cache(_hierarchical)
    for i, printed in enumerate(_HIERARCHICAL):
        what = f"hierarchical risk parity of asset {i + 1}, %"
        yield paper.value(f"hrp-{i + 1}", what, printed, partial(_entry_percent, weights, i))


def _hierarchical() -> FloatArray:
    # The paper's seeds and its generators, of which the drawn assets are part of the example.
    normal, pick = np.random.RandomState(12345), random.Random(12345)  # noqa: S311
    base = normal.normal(0, 1, (10_000, 5))
    chosen = [int(pick.random() * 5) for _ in range(5)]
    returns = np.hstack([base, base[:, chosen] + normal.normal(0, 0.25, (10_000, 5))])
    return hierarchical_weights(np.cov(returns, rowvar=False), distance="rows")


def _correlations() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _HIGHAM, Provenance.QUOTED)
    three = ((1.0, 1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 1.0, 1.0))
    four = 2.0 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    rows: tuple[tuple[str, ArrayLike, str, dict[tuple[int, int], str]], ...] = (
        ("1", three, "section 4", {(0, 1): "0.7607", (0, 2): "0.1573"}),
        ("2", four, "section 4", {(0, 1): "-0.8084", (0, 2): "0.1916", (0, 3): "0.1068", (1, 2): "-0.6562"}),
    )
    for name, matrix, place, entries in rows:
        for (i, j), printed in entries.items():
            what = f"nearest correlation matrix, example {name}, entry {i + 1}, {j + 1}"
            compute = partial(_entry, matrix, i, j)
            yield paper.value(f"higham-{name}-{i + 1}-{j + 1}", what, printed, compute, place=place)


def _entry(matrix: ArrayLike, i: int, j: int) -> float:
    return float(nearest_correlation(matrix)[i, j])


def _symmetric(rows: Sequence[Sequence[float]]) -> FloatArray:
    """Return the symmetric matrix with that lower triangle."""
    matrix = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        matrix[i, : i + 1] = matrix[: i + 1, i] = row
    return matrix
