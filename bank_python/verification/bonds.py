"""Values of bonds and day counts."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from bank_python.numerics import year_fraction
from bank_python.risk_models import bond_analytics, bond_price, bond_yield
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "bonds"

_HULL = Source("J. C. Hull", 2018, "Options, Futures, and Other Derivatives, 10th edition")
_ANNUITY = Source("Annuity formula", None, "face and premium of a bond at a flat yield")
_ISDA = Source("ISDA", 1998, "EMU and market conventions: recent developments")


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _bonds()
    yield from _day_counts()


def _bonds() -> Iterator[PublishedValue]:
    hull = Cited(TOPIC, _HULL, Provenance.QUOTED, "section on duration: 3 years, 10 % semi-annual, 12 % continuous")
    bond = partial(bond_analytics, 0.12, 100.0, 0.10, 3.0, 0.0, 2.0, 0.0)
    yield hull.value("hull-bond-price", "price of the bond", "94.213", lambda: bond().dirty)
    yield hull.value("hull-bond-duration", "duration in years", "2.653", lambda: bond().macaulay)
    yield hull.value("hull-bond-dv01", "change of the price by 10 bp", "0.250", lambda: 10.0 * bond().dv01)
    compute = partial(bond_yield, 94.213, 100.0, 0.10, 3.0, 0.0, 2.0, 0.0)
    yield hull.value("hull-bond-yield", "yield at 94.213", "0.1200", compute)
    annuity = Cited(TOPIC, _ANNUITY, Provenance.COMPUTED, "100 + 1 · (1 - 1.05^-5)/0.05")
    compute = partial(bond_price, 0.05, 100.0, 0.06, 5.0)
    yield annuity.value("annuity-bond-price", "6 % annual for 5 years at 5 %", "104.329476671", compute)


def _day_counts() -> Iterator[PublishedValue]:
    isda = Cited(TOPIC, _ISDA, Provenance.QUOTED, "examples of Actual/Actual")
    icma = partial(year_fraction, convention="ACT/ACT ICMA")
    rows = (
        ("regular", date(2003, 11, 1), date(2004, 5, 1), None, 2, "0.5", 1.0),
        ("short-first", date(1999, 2, 1), date(1999, 7, 1), (date(1998, 7, 1), date(1999, 7, 1)), 1, "150", 365.0),
        ("long-first", date(2002, 8, 15), date(2003, 7, 15), None, 1, "1.0", 1.0),
        ("end-of-month", date(1999, 7, 30), date(2000, 1, 30), None, 2, "0.5", 1.0),
        ("short-last", date(2000, 1, 30), date(2000, 6, 30), (date(2000, 1, 30), date(2000, 7, 30)), 2, "152", 364.0),
    )
    for name, start, end, period, frequency, printed, scale in rows:
        compute = partial(icma, start, end, period=period, frequency=frequency)
        of = "" if scale == 1.0 else f", in {scale:g}ths of a year"
        what = f"bond convention, {start} to {end}{of}"
        note: dict[str, Any] = {"within": 1e-9, "note": f"printed as {printed}/{scale:g}"} if scale != 1.0 else {}
        yield isda.value(f"isda-icma-{name}", what, printed, partial(_scaled, compute, scale), **note)
    yield isda.value(
        "isda-act-act",
        "ISDA convention, 2003-11-01 to 2004-05-01",
        "0.497724380567",
        lambda: year_fraction(date(2003, 11, 1), date(2004, 5, 1), "ACT/ACT"),
        note="printed as 61/365 + 121/366",
    )


def _scaled(compute: partial[float], scale: float) -> float:
    return compute() * scale
