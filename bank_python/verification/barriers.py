"""Values of barrier options: the table of Haug, and the same formulas evaluated with 400 digits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bank_python.risk_models import barrier_price
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "barriers"

_HAUG = Source(
    "E. G. Haug",
    2007,
    "The Complete Guide to Option Pricing Formulas, 2nd edition",
    "as tabulated in QuantLib's test suite, barrieroption.cpp",
)
_RUBINSTEIN = Source(
    "E. Reiner and M. Rubinstein", 1991, "Breaking down the barriers, Risk 4", "formulas evaluated with 400 digits"
)

# Rows by is_in, is_call, is_up, barrier; columns by vol 0.25, 0.30, and strike 90, 100, 110 within.
_TABLE = {
    (False, True, False, 95.0): ("9.0246", "6.7924", "4.8759", "8.8334", "7.0285", "5.4137"),
    (False, True, False, 100.0): ("3.0000", "3.0000", "3.0000", "3.0000", "3.0000", "3.0000"),
    (False, True, True, 105.0): ("2.6789", "2.3580", "2.3453", "2.6341", "2.4389", "2.4315"),
    (True, True, False, 95.0): ("7.7627", "4.0109", "2.0576", "9.0093", "5.1370", "2.8517"),
    (True, True, False, 100.0): ("13.8333", "7.8494", "3.9795", "14.8816", "9.2045", "5.3043"),
    (True, True, True, 105.0): ("14.1112", "8.4482", "4.5910", "15.2098", "9.7278", "5.8350"),
    (False, False, False, 95.0): ("2.2798", "2.2947", "2.6252", "2.4170", "2.4258", "2.6246"),
    (False, False, False, 100.0): ("3.0000", "3.0000", "3.0000", "3.0000", "3.0000", "3.0000"),
    (False, False, True, 105.0): ("3.7760", "5.4932", "7.5187", "4.2293", "5.8032", "7.5649"),
    (True, False, False, 95.0): ("2.9586", "6.5677", "11.9752", "3.8769", "7.7989", "13.3078"),
    (True, False, False, 100.0): ("2.2845", "5.9085", "11.6465", "3.3328", "7.2636", "12.9713"),
    (True, False, True, 105.0): ("1.4653", "3.3721", "7.0846", "2.0658", "4.4226", "8.3686"),
}
_COLUMNS = tuple((vol, strike) for vol in (0.25, 0.30) for strike in (90.0, 100.0, 110.0))

# spot, strike, barrier, expiry, rate, vol, dividend, is_call, is_up, is_in, rebate, price
_EXACT = (
    (100.0, 105.0, 95.0, 0.5, 0.03, 0.2, 0.01, True, False, True, 0.0, "1.13445621941"),
    (100.0, 105.0, 95.0, 0.5, 0.03, 0.2, 0.01, True, False, False, 0.0, "2.83123977512"),
    (100.0, 90.0, 95.0, 0.5, 0.03, 0.2, 0.01, True, False, False, 2.0, "8.23115663948"),
    (100.0, 90.0, 95.0, 0.5, 0.03, 0.2, 0.01, True, False, True, 2.0, "6.14693342666"),
    (100.0, 105.0, 95.0, 0.5, 0.03, 0.2, 0.01, False, False, True, 0.0, "7.68843080705"),
    (100.0, 95.0, 105.0, 0.25, 0.0, 0.2, 0.01, True, True, False, 3.0, "2.29918093573"),
    (100.0, 95.0, 105.0, 0.25, 0.0, 0.2, 0.0, True, True, True, 3.0, "7.56491410076"),
    (100.0, 110.0, 0.001, 5.0, 0.03, 1.5, 0.01, False, False, True, 0.0, "4.97157381461"),
)
# Prints that are one unit of the last digit from the formulas, which QuantLib and ours evaluate alike.
_OFF_BY_ONE = {
    *((True, 0.30, 90.0, "2.6341"), (False, 0.30, 90.0, "4.2293"), (False, 0.30, 100.0, "5.8032")),
    *((False, 0.30, 110.0, "7.5649"), (False, 0.30, 100.0, "7.7989"), (False, 0.30, 110.0, "13.3078")),
}
_NOTE = "the print is one unit of the last digit off; QuantLib's and our evaluation of the formula agree"


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    haug = Cited(TOPIC, _HAUG, Provenance.QUOTED, "table 4-13: S 100, T 0.5, r 0.08, carry 0.04, rebate 3")
    for (is_in, is_call, is_up, barrier), row in _TABLE.items():
        named = f"{'up' if is_up else 'down'}-and-{'in' if is_in else 'out'} {'call' if is_call else 'put'}"
        kind: dict[str, Any] = {"barrier": barrier, "is_in": is_in, "is_up": is_up, "rebate": 3.0}
        for (vol, strike), printed in zip(_COLUMNS, row, strict=True):
            price = partial(barrier_price, 100.0, strike, 0.5, 0.08, vol, 0.04, is_call, **kind)
            key = f"haug-{named.replace(' ', '-')}-{barrier:g}-{strike:g}-{vol:g}"
            what = f"{named}, barrier {barrier:g}, K {strike:g}, vol {vol:g}"
            is_odd = (is_call, vol, strike, printed) in _OFF_BY_ONE
            within, note = (1e-4, _NOTE) if is_odd else (None, "")
            yield haug.value(key, what, printed, price, within=within, note=note)
    yield from _exact()


def _exact() -> Iterator[PublishedValue]:
    exact = Cited(TOPIC, _RUBINSTEIN, Provenance.COMPUTED)
    for count, row_of_terms in enumerate(_EXACT, start=1):
        spot, strike, barrier, expiry, rate, vol, dividend, is_call, is_up, is_in, rebate, price_text = row_of_terms
        named = f"{'up' if is_up else 'down'}-and-{'in' if is_in else 'out'} {'call' if is_call else 'put'}"
        kind: dict[str, Any] = {"barrier": barrier, "is_in": is_in, "is_up": is_up, "rebate": rebate}
        price = partial(barrier_price, spot, strike, expiry, rate, vol, dividend, is_call, **kind)
        what = f"{named}, barrier {barrier:g}, K {strike:g}, T {expiry:g}, r {rate:g}, q {dividend:g}, vol {vol:g}"
        yield exact.value(f"barrier-exact-{count}", what, price_text, price)
