"""Values of volatility models and smiles: Heston, implied volatility far out, SVI."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bank_python.risk_models import (
    HestonProcess,
    JumpWings,
    SviSlice,
    heston_price,
    implied_vol,
    ssvi_repair,
    svi_total_variance,
)
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "smiles"

_LEWIS = Source(
    "A. Lewis",
    2008,
    "Heston prices with 50 digits, wilmott.com thread 90957",
    "as in QuantLib's test suite, testAlanLewisReferencePrices",
)
_ANDERSEN = Source(
    "L. Andersen",
    2008,
    "Simple and efficient simulation of the Heston stochastic volatility model, J. of Computational Finance 11",
)
_KAYA = Source(
    "M. Broadie and Ö. Kaya",
    2006,
    "Exact simulation of stochastic volatility and other affine jump diffusion processes, Operations Research 54",
)
_JAECKEL = Source(
    "P. Jäckel",
    2015,
    "Let's be rational, Wilmott",
    "prices that py_lets_be_rational 1.1.2 turns back into the volatility",
)
_GATHERAL = Source(
    "J. Gatheral and A. Jacquier", 2014, "Arbitrage-free SVI volatility surfaces, Quantitative Finance 14"
)
_SVI_VERTEX = Source("QuantLib", None, "test suite, svivolatility.cpp")

_LEWIS_PRICES = (
    (80.0, "7.95887811325677", "26.7747587439989"),
    (90.0, "12.0179667073463", "20.9333490005967"),
    (100.0, "17.0552709612701", "16.0701549170288"),
    (110.0, "23.0178258984428", "12.1322115167098"),
    (120.0, "29.8110262026825", "9.02491348345784"),
)
_ANDERSEN_STRIKES = (60.0, 100.0, 140.0)
# case, process, expiry, rate, printed prices
_ANDERSEN_CASES = (
    ("I", HestonProcess(v0=0.04, kappa=0.5, theta=0.04, sigma=1.0, rho=-0.9), 10.0, 0.0, ("44.330", "13.085", "0.296")),
    (
        "II",
        HestonProcess(v0=0.04, kappa=0.3, theta=0.04, sigma=0.9, rho=-0.5),
        15.0,
        0.0,
        ("45.287", "16.649", "5.138"),
    ),
    (
        "III",
        HestonProcess(v0=0.09, kappa=1.0, theta=0.09, sigma=1.0, rho=-0.3),
        5.0,
        0.05,
        ("56.575", "33.597", "18.157"),
    ),
)
# strike, is_call, price, volatility
_FAR_OUT = (
    (1000.0, True, 3.0586701126054703e-30, "0.200000000000"),
    (5.0, False, 5.732410541509225e-24, "0.300000000000"),
    (100.0, True, 0.3989406181481645, "0.01000000000000"),
    (101.0, True, 1.2448695951641532e-25, "0.00100000000000"),
    (300.0, True, 4.109166618491617e-13, "0.150000000000"),
    (20.0, False, 1.0162882843481441e-41, "0.120000000000"),
)
_VOGT = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _heston()
    yield from _far_out()
    yield from _svi()


def _heston() -> Iterator[PublishedValue]:
    model = {"v0": 0.04, "kappa": 4.0, "theta": 0.25, "sigma": 1.0, "rho": -0.5}
    lewis = Cited(TOPIC, _LEWIS, Provenance.QUOTED, "S 100, T 1, r 0.01, q 0.02, v0 0.04, κ 4, θ 0.25, σ 1, ρ -0.5")
    for strike, put, call in _LEWIS_PRICES:
        price = partial(heston_price, 100.0, strike, 1.0, 0.01, 0.02, **model)
        yield lewis.value(f"lewis-put-{strike:g}", f"Heston put, K {strike:g}", put, partial(price, is_call=False))
        yield lewis.value(f"lewis-call-{strike:g}", f"Heston call, K {strike:g}", call, price)
    andersen = Cited(TOPIC, _ANDERSEN, Provenance.QUOTED, "test cases I to III")
    for case, process, expiry, rate, prices in _ANDERSEN_CASES:
        for strike, printed in zip(_ANDERSEN_STRIKES, prices, strict=True):
            what = f"Heston call, case {case}, K {strike:g}, T {expiry:g}, r {rate:g}"
            compute = partial(process.price, 100.0, strike, expiry, rate)
            yield andersen.value(f"andersen-{case}-{strike:g}", what, printed, compute)
    kaya = Cited(TOPIC, _KAYA, Provenance.QUOTED)
    first, second = (
        HestonProcess(v0=0.010201, kappa=6.21, theta=0.019, sigma=0.61, rho=-0.7),
        HestonProcess(v0=0.09, kappa=2.0, theta=0.09, sigma=1.0, rho=-0.3),
    )
    what = "Heston call, S = K 100, T 1, r 0.0319"
    yield kaya.value("broadie-kaya-1", what, "6.8061", partial(first.price, 100.0, 100.0, 1.0, 0.0319), place="table 1")
    what = "Heston call, S = K 100, T 5, r 0.05"
    yield kaya.value("broadie-kaya-2", what, "34.9998", partial(second.price, 100.0, 100.0, 5.0, 0.05), place="table 2")


def _far_out() -> Iterator[PublishedValue]:
    jaeckel = Cited(TOPIC, _JAECKEL, Provenance.COMPUTED)
    for strike, is_call, price, vol in _FAR_OUT:
        kind = "call" if is_call else "put"
        compute = partial(implied_vol, price, 100.0, strike, 1.0, 0.0, 0.0, is_call)
        what = f"implied volatility of a {kind} at {price:.4g}, F 100, K {strike:g}, T 1"
        yield jaeckel.value(f"jaeckel-{kind}-{strike:g}", what, vol, compute)


def _svi() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _GATHERAL, Provenance.QUOTED, "example 5.1, Axel Vogt's smile")
    names = (
        ("v", "0.01742625"),
        ("psi", "-0.1752111"),
        ("p", "0.6997381"),
        ("c", "1.316798"),
        ("v_tilde", "0.0116249"),
    )
    for name, printed in names:
        yield paper.value(f"vogt-{name}", f"jump wing {name} of the smile", printed, partial(_wing, _VOGT, name))
    yield paper.value(
        "vogt-ssvi-c",
        "call wing c of the smile repaired by SSVI",
        "0.3493158",
        lambda: ssvi_repair(_VOGT, 1.0).to_jump_wings(1.0).c,
        place="section 5.1",
    )
    yield paper.value(
        "vogt-ssvi-v-tilde",
        "least variance of the smile repaired by SSVI",
        "0.01548182",
        lambda: ssvi_repair(_VOGT, 1.0).to_jump_wings(1.0).v_tilde,
        place="section 5.1",
    )
    yield paper.value(
        "vogt-minimum-g",
        "least value of g: the smile has a butterfly arbitrage",
        "-0.03286357345",
        lambda: _VOGT.minimum_g().value,
        kind=Provenance.COMPUTED,
        place="figure 1 shows it; the figure is of a dense grid",
    )
    vertex = Cited(TOPIC, _SVI_VERTEX, Provenance.COMPUTED)
    compute = partial(svi_total_variance, 0.193, -0.0666, 0.229, 0.439, 0.193, 0.337)
    yield vertex.value("svi-vertex", "total variance at the vertex, a + b σ", "0.010573", compute)


def _wing(smile: SviSlice, name: str) -> float:
    wings: JumpWings = smile.to_jump_wings(1.0)
    return float(getattr(wings, name))
