"""Values of European, American and digital options, and of their Greeks.

The figures of Haug's book were read in the test suite of QuantLib, which tabulates them, hence "quoted".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bank_python.risk_models import (
    american_price,
    asset_digital_price,
    black_scholes_greeks,
    black_scholes_price,
    digital_price,
    implied_vol,
)
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "options"

_HAUG = Source(
    "E. G. Haug",
    1998,
    "The Complete Guide to Option Pricing Formulas",
    "as tabulated in QuantLib's test suite, europeanoption.cpp",
)
_HAUG_SECOND = Source("E. G. Haug", 2007, "The Complete Guide to Option Pricing Formulas, 2nd edition")
_HULL = Source("J. C. Hull", 2018, "Options, Futures, and Other Derivatives, 10th edition")
_WHALEY = Source(
    "G. Barone-Adesi and R. E. Whaley",
    1987,
    "Efficient analytic approximation of American option values, Journal of Finance 42",
    "as tabulated in QuantLib's test suite, americanoption.cpp",
)

# is_call, spot, strike, dividend, rate, expiry, vol, printed
_EUROPEAN = (
    (True, 60.0, 65.0, 0.00, 0.08, 0.25, 0.30, "2.1334"),
    (False, 100.0, 95.0, 0.05, 0.10, 0.50, 0.20, "2.4648"),
    (False, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, "1.7011"),
    (True, 19.0, 19.0, 0.10, 0.10, 0.75, 0.28, "1.7011"),
    (True, 1.56, 1.60, 0.08, 0.06, 0.50, 0.12, "0.0291"),
    (False, 75.0, 70.0, 0.05, 0.10, 0.50, 0.35, "4.0870"),
    (True, 42.0, 40.0, 0.08, 0.04, 0.75, 0.35, "5.0975"),
)
# Black's formula: rows by is_call, expiry and vol; columns by spot 90, 100, 110.
_FUTURES = {
    (True, 0.1, 0.15): ("0.0205", "1.8734", "9.9413"),
    (True, 0.1, 0.25): ("0.3150", "3.1217", "10.3556"),
    (True, 0.1, 0.35): ("0.9474", "4.3693", "11.1381"),
    (True, 0.5, 0.15): ("0.8069", "4.0232", "10.5769"),
    (True, 0.5, 0.25): ("2.7026", "6.6997", "12.7857"),
    (True, 0.5, 0.35): ("4.9329", "9.3679", "15.3086"),
    (False, 0.1, 0.15): ("9.9210", "1.8734", "0.0408"),
    (False, 0.1, 0.25): ("10.2155", "3.1217", "0.4551"),
    (False, 0.1, 0.35): ("10.8479", "4.3693", "1.2376"),
    (False, 0.5, 0.15): ("10.3192", "4.0232", "1.0646"),
    (False, 0.5, 0.25): ("12.2149", "6.6997", "3.2734"),
    (False, 0.5, 0.35): ("14.4452", "9.3679", "5.7963"),
}
_SPOTS = (90.0, 100.0, 110.0)

_AT_THE_MONEY = "the print is 1.8734, the exact price 1.873345: the print is one unit of the last digit too high"
_UNIT = 1e-4


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _european()
    yield from _futures()
    yield from _greeks()
    yield from _hull()
    yield from _digitals()
    yield from _american()


def _european() -> Iterator[PublishedValue]:
    haug = Cited(TOPIC, _HAUG, Provenance.QUOTED, "pp. 2-8")
    for count, (is_call, spot, strike, dividend, rate, expiry, vol, printed) in enumerate(_EUROPEAN, start=1):
        kind = "call" if is_call else "put"
        what = f"{kind}, S {spot:g}, K {strike:g}, T {expiry:g}, r {rate:g}, q {dividend:g}, vol {vol:g}"
        price = partial(black_scholes_price, spot, strike, expiry, rate, vol, dividend, is_call)
        yield haug.value(f"haug-european-{count}", what, printed, price)


def _futures() -> Iterator[PublishedValue]:
    haug = Cited(TOPIC, _HAUG, Provenance.QUOTED, "p. 24, Black's formula: K 100, r = q = 0.1")
    for (is_call, expiry, vol), row in _FUTURES.items():
        for spot, printed in zip(_SPOTS, row, strict=True):
            kind = "call" if is_call else "put"
            key = f"haug-futures-{kind}-{expiry:g}-{vol:g}-{spot:g}"
            price = partial(black_scholes_price, spot, 100.0, expiry, 0.10, vol, 0.10, is_call)
            odd: dict[str, Any] = {"within": _UNIT, "note": _AT_THE_MONEY} if printed == "1.8734" else {}
            yield haug.value(key, f"{kind}, F {spot:g}, T {expiry:g}, vol {vol:g}", printed, price, **odd)


def _greeks() -> Iterator[PublishedValue]:
    haug = Cited(TOPIC, _HAUG, Provenance.QUOTED, "pp. 11-16")
    call = partial(black_scholes_greeks, 55.0, 60.0, 0.75, 0.10, 0.30)
    said = "call, S 55, K 60, T 0.75, r 0.1, vol 0.3"
    yield haug.value("haug-gamma", f"gamma of a {said}", "0.0278", lambda: call().gamma)
    yield haug.value("haug-vega", f"vega of a {said}", "18.9358", lambda: call().vega)
    put = (105.0, 100.0, 0.5, 0.10, 0.36, 0.10, False)
    yield haug.value(
        "haug-elasticity",
        "elasticity of a put, S 105, K 100, T 0.5, r = q = 0.1, vol 0.36",
        "-4.8775",
        lambda: black_scholes_greeks(*put).delta * 105.0 / black_scholes_price(*put),
    )
    yield haug.value(
        "haug-dividend-rho",
        "sensitivity to q of a put, S 500, K 490, T 0.25, r 0.08, q 0.05, vol 0.15",
        "42.2254",
        lambda: black_scholes_greeks(500.0, 490.0, 0.25, 0.08, 0.15, 0.05, is_call=False).dividend_rho,
    )


def _hull() -> Iterator[PublishedValue]:
    hull = Cited(TOPIC, _HULL, Provenance.QUOTED, "example of the Black-Scholes-Merton formula")
    price = partial(black_scholes_price, 42.0, 40.0, 0.5, 0.10, 0.20)
    yield hull.value("hull-call", "call, S 42, K 40, T 0.5, r 0.1, vol 0.2", "4.76", price)
    yield hull.value("hull-put", "put, S 42, K 40, T 0.5, r 0.1, vol 0.2", "0.81", partial(price, is_call=False))
    greeks = partial(black_scholes_greeks, 49.0, 50.0, 20 / 52, 0.05, 0.20)
    for name, printed in {"delta": "0.522", "gamma": "0.066", "vega": "12.1", "theta": "-4.31", "rho": "8.91"}.items():
        what = f"{name} of a call, S 49, K 50, 20 weeks, r 0.05, vol 0.2"
        compute = partial(_field, greeks, name)
        yield hull.value(f"hull-{name}", what, printed, compute, place="chapter on the Greek letters")
    yield hull.value(
        "hull-implied-vol",
        "implied volatility of a call at 1.875, S 21, K 20, T 0.25, r 0.1",
        "0.235",
        partial(implied_vol, 1.875, 21.0, 20.0, 0.25, 0.10),
        place="example of an implied volatility",
    )
    yield hull.value(
        "hull-implied-vol-currency",
        "implied volatility of a call on pounds at 0.043, S = K 1.6, 4 months, r 0.08, q 0.11",
        "0.141",
        partial(implied_vol, 0.043, 1.6, 1.6, 1 / 3, 0.08, 0.11),
        place="example of a currency option",
    )


def _digitals() -> Iterator[PublishedValue]:
    haug = Cited(TOPIC, _HAUG_SECOND, Provenance.QUOTED)
    yield haug.value(
        "haug-cash-or-nothing",
        "put that pays 10 in cash, S 100, K 80, T 0.75, r = q = 0.06, vol 0.35",
        "2.6710",
        partial(digital_price, 100.0, 80.0, 0.75, 0.06, 0.35, 0.06, is_call=False, cash=10.0),
        place="section 4.19.2",
    )
    yield haug.value(
        "haug-asset-or-nothing",
        "put that pays the asset, S 70, K 65, T 0.5, r 0.07, q 0.05, vol 0.27",
        "20.2069",
        partial(asset_digital_price, 70.0, 65.0, 0.5, 0.07, 0.27, 0.05, is_call=False),
        place="section 4.19.3",
    )


def _american() -> Iterator[PublishedValue]:
    whaley = Cited(TOPIC, _WHALEY, Provenance.QUOTED, "table IV: K 100, T 0.1, r = q = 0.1")
    rows = (
        (90.0, 0.15, "0.0206", 2e-4),
        (100.0, 0.15, "1.8771", 1e-3),
        (110.0, 0.15, "10.0089", 2e-3),
        (100.0, 0.25, "3.1277", 1e-3),
        (110.0, 0.35, "11.1679", 5e-3),
    )
    for spot, vol, printed, within in rows:
        yield whaley.value(
            f"whaley-{spot:g}-{vol:g}",
            f"American call, S {spot:g}, vol {vol:g}",
            printed,
            partial(american_price, spot, 100.0, 0.1, 0.1, vol, 0.1, steps=501),
            within=within,
            note="the print is the quadratic approximation; ours is a tree's, good to 1e-4",
        )


def _field(result: Callable[[], object], name: str) -> float:
    return float(getattr(result(), name))
