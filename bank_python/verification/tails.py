"""Values of fat tails: κ, power-law prices, laws of least information, noise in correlations."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bank_python.risk_models import GaussianUnderTail, MaximumEntropyDistribution, TailConstraint
from bank_python.taleb.kappa import kappa_n
from bank_python.taleb.kappa_closed_forms import lognormal_kappa_1_approximation, pareto_kappa_1, student_kappa_1
from bank_python.taleb.laws import Lognormal, Pareto, StudentT
from bank_python.taleb.marchenko_pastur import marchenko_pastur_edges
from bank_python.taleb.power_law_pricer import PowerLawPricer
from bank_python.taleb.quantile_contribution import pareto_contribution, pareto_tail_index
from bank_python.taleb.tail_law import tail_price, tail_scale
from bank_python.taleb.two_assets import two_asset_sensitivity, two_asset_weight
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "tails"

_KAPPA = Source(
    "N. N. Taleb", 2019, "How much data do you need? A metric for fat-tailedness, International J. of Forecasting 35"
)
_OPTIONS = Source(
    "N. N. Taleb, B. Yarckin, C. Mann, D. Delic and M. Spitznagel",
    2019,
    "Tail option pricing under power laws, arXiv:1908.02347",
)
_BARBELL = Source("D. Geman, H. Geman and N. N. Taleb", 2015, "Tail risk constraints and maximum entropy, Entropy 17")
_DOUADY = Source(
    "N. N. Taleb and R. Douady",
    2015,
    "On the super-additivity and estimation biases of quantile contributions, Physica A 429",
)
_PASTUR = Source(
    "V. A. Marchenko and L. A. Pastur", 1967, "Distribution of eigenvalues in some sets of random matrices"
)
_MARKOWITZ = Source("H. Markowitz", 1952, "Portfolio selection, Journal of Finance 7")

_PARETO = {
    1.25: "0.829",
    1.75: "0.650",
    2.25: "0.551",
    2.5: "0.517",
    2.75: "0.488",
    3.25: "0.445",
    3.5: "0.428",
    3.75: "0.413",
    4.0: "0.400",
}
_STUDENT = {1.75: "0.543", 2.25: "0.406", 3.0: "0.290", 3.25: "0.265", 3.75: "0.225", 4.0: "0.209"}
# Exact κ of longer sums, by quadrature of the characteristic function: law, n, printed
_LONGER = (
    (Pareto(1.5), 30, "0.6601"),
    (Pareto(2.0), 100, "0.4489"),
    (Pareto(3.0), 100, "0.2798"),
    (StudentT(2.0), 30, "0.3807"),
    (StudentT(3.0), 30, "0.1903"),
    (StudentT(3.0), 100, "0.1596"),
    (StudentT(4.0), 100, "0.0957"),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _kappa()
    yield from _sums()
    yield from _prices()
    yield from _anchors()
    yield from _constraints()
    yield from _contributions()
    yield from _correlations()


def _kappa() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _KAPPA, Provenance.QUOTED, "table of κ of one and of two draws")
    rows: tuple[tuple[str, Callable[[float], float], dict[float, str]], ...] = (
        ("Pareto", pareto_kappa_1, _PARETO),
        ("Student's t", student_kappa_1, _STUDENT),
    )
    for name, closed_form, table in rows:
        for alpha, printed in table.items():
            key = f"kappa-{'pareto' if name == 'Pareto' else 'student'}-{alpha:g}"
            yield paper.value(key, f"κ, {name}, α {alpha:g}", printed, partial(closed_form, alpha))
    yield paper.value(
        "kappa-30-pareto-1.25",
        "κ of 30 draws, Pareto, α 1.25",
        "0.787",
        partial(kappa_n, Pareto(1.25), 30),
        place="table of κ of longer sums",
        within=0.013,
        note="the print is of a simulation, which has hardly seen the tail; ours is the quadrature of the law itself",
    )


def _sums() -> Iterator[PublishedValue]:
    exact = Cited(TOPIC, _KAPPA, Provenance.COMPUTED, "quadrature of the characteristic function with 40 digits")
    for law, draws, printed in _LONGER:
        name = "Pareto" if isinstance(law, Pareto) else "Student's t"
        key = f"kappa-{draws}-{'pareto' if isinstance(law, Pareto) else 'student'}-{law.alpha:g}"
        what = f"κ of {draws} draws, {name}, α {law.alpha:g}"
        yield exact.value(key, what, printed, partial(kappa_n, law, draws))
    for sigma, approximate, printed in ((0.5, "0.183872562", "0.165602"), (1.0, "0.524047520", "0.430386")):
        what = f"κ, lognormal, σ {sigma:g}"
        yield exact.value(f"kappa-lognormal-{sigma:g}", what, printed, partial(kappa_n, Lognormal(sigma)))
        yield exact.value(
            f"kappa-lognormal-{sigma:g}-formula",
            f"{what}, the paper's approximation",
            approximate,
            partial(lognormal_kappa_1_approximation, sigma),
            note="the approximation of the paper, which is too high; the row above has the exact figure",
        )


def _prices() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _OPTIONS, Provenance.COMPUTED, "formulas of the paper, checked by quadrature")
    rows = (
        ("call", 100.0, 110.0, 1.0, 3.0, 120.0, "0.25"),
        ("call", 4000.0, 4400.0, 50.0, 2.75, 4800.0, "14.8650889375"),
        ("put", 100.0, 90.0, 1.0, 3.0, 80.0, "0.230452674897"),
        ("put", 100.0, 90.0, 1.0, 2.75, 80.0, "0.266841951262"),
    )
    for kind, spot, anchor, price, alpha, strike, printed in rows:
        pricer = PowerLawPricer(spot, anchor, price, alpha, is_call=kind == "call")
        compute = pricer.price_call if kind == "call" else pricer.price_put
        what = f"{kind}, S {spot:g}, K {strike:g}, from {price:g} at {anchor:g}, α {alpha:g}"
        yield paper.value(f"power-law-{kind}-{strike:g}-{alpha:g}", what, printed, partial(compute, strike))


def _anchors() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _OPTIONS, Provenance.COMPUTED, "formulas of the paper, checked by quadrature")
    compute = partial(tail_price, 100.0, 120.0, 3.0, 100.0, law="price")
    yield paper.value("power-law-price", "call under a tail of prices, K 120, l 100, α 3", "34.7222222222", compute)
    compute = partial(tail_price, 100.0, 110.0, 3.0, 0.05)
    what = "call under a tail of returns, S 100, K 110, l 0.05, α 3"
    yield paper.value("power-law-return", what, "0.62500000000", compute)
    compute = partial(tail_price, 100.0, 80.0, 3.0, 0.05, is_call=False)
    what = "put under a tail of returns, S 100, K 80, l 0.05, α 3"
    yield paper.value("power-law-return-put", what, "0.140017502188", compute)
    scale = partial(tail_scale, 30.0, 110.0, 3.0, 2.0, law="price")
    yield paper.value("power-law-scale", "l of a call at 2, K 110, α 3, tail of prices", "36.4430838719", scale)


def _constraints() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _BARBELL, Provenance.COMPUTED, "normal law under VaR and CVaR, re-derived")
    rows = (
        ((-0.1, -0.15, 0.05), ("-1.25404034360", "0.0968191323167", "0.119657536143")),
        ((-0.1, -0.125, 0.01), ("-1.14566451995", "0.0716272432633", "0.0737753992764")),
    )
    for limits, (shape, mean, deviation) in rows:
        tail = TailConstraint(*limits)
        law = GaussianUnderTail(tail)
        said, key = f"K {limits[0]:g}, ν {limits[1]:g}, ε {limits[2]:g}", f"barbell-{limits[2]:g}"
        yield paper.value(f"{key}-shape", f"shape B, {said}", shape, partial(getattr, tail, "shape"))
        yield paper.value(f"{key}-mean", f"mean, {said}", mean, partial(getattr, law, "mean"))
        compute = partial(getattr, law, "standard_deviation")
        yield paper.value(f"{key}-deviation", f"deviation, {said}", deviation, compute)
    free = MaximumEntropyDistribution(TailConstraint(-0.1, -0.15, 0.05), mean=0.05)
    place = "law of greatest entropy, K -0.1, ν -0.15, ε 0.05, mean 0.05"
    what = "standard deviation"
    compute = partial(getattr, free, "standard_deviation")
    yield paper.value("maximum-entropy-deviation", what, "0.163433553213", compute, place=place)


def _contributions() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _DOUADY, Provenance.QUOTED, "table 1: α 1.1")
    what = "share of the top 1 % in the total"
    yield paper.value("taleb-douady", what, "0.657933", partial(pareto_contribution, 1.1, 0.01))
    closed = Cited(TOPIC, _DOUADY, Provenance.COMPUTED, "closed form")
    yield closed.value("pareto-80-20", "α of 80/20", "1.16096404744", partial(pareto_tail_index, 0.2, 0.8))
    compute = partial(_top_share, 0.2, 0.8, 0.01)
    yield closed.value("pareto-80-20-top", "share of the top 1 % at the α of 80/20", "0.528087918989", compute)


def _top_share(top: float, share: float, q: float) -> float:
    return float(pareto_contribution(pareto_tail_index(top, share), q))


def _correlations() -> Iterator[PublishedValue]:
    law = Cited(TOPIC, _PASTUR, Provenance.COMPUTED, "(1 ± √(n/T))²: 50 assets, 250 days")
    for place, name, printed in ((0, "least", "0.305572809000"), (1, "largest", "2.09442719100")):
        yield law.value(f"noise-edge-{name}", f"{name} eigenvalue of noise", printed, partial(_edge, place))
    closed = Cited(TOPIC, _MARKOWITZ, Provenance.COMPUTED, "two assets, volatilities 10 and 20 %")
    for rho, printed in {-0.5: "0.714285714286", 0.3: "0.894736842105", 0.9: "1.57142857143"}.items():
        compute = partial(two_asset_weight, (0.1, 0.2), rho)
        yield closed.value(f"two-assets-{rho:g}", f"weight of the first at correlation {rho:g}", printed, compute)
    compute = partial(two_asset_sensitivity, (0.1, 0.2), 0.3)
    yield closed.value("two-assets-slope", "its derivative by the correlation, at 0.3", "0.415512465374", compute)


def _edge(place: int) -> float:
    return marchenko_pastur_edges(50, 250)[place]
