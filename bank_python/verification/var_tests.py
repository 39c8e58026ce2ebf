"""Values of value at risk, expected shortfall, and the tests of their forecasts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.optimizer.standard_tails import gaussian_tail, student_t_tail
from bank_python.risk import acerbi_szekely_test, kupiec_test, traffic_light
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.optimizer.standard_tails import StandardTail
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "value at risk"

_KUPIEC = Source(
    "P. H. Kupiec", 1995, "Techniques for verifying the accuracy of risk measurement models, J. of Derivatives 3"
)
_BASEL = Source("Basel Committee on Banking Supervision", 1996, 'Supervisory framework for the use of "backtesting"')
_ACERBI = Source("C. Acerbi and B. Székely", 2014, "Back-testing expected shortfall, Risk 27")
_MCNEIL = Source("A. J. McNeil, R. Frey and P. Embrechts", 2015, "Quantitative Risk Management, revised edition")

_SIZE = 0.05  # of the test behind the printed regions
_NO_LOWER_END = "no lower end is printed, but the exact statistic rejects 0 exceptions too: 5.13 is above 3.84"

# Rows of exceptions, days, probability and statistic.
_STATISTICS = (
    (0, 250, 0.01, "5.0251679268"),
    (5, 250, 0.01, "1.9568097882"),
    (10, 250, 0.01, "12.9554910624"),
    (20, 1000, 0.01, "7.8272391529"),
    (20, 252, 0.05, "3.9125508276"),
    (4, 255, 0.01, "0.7099523887"),
    (7, 255, 0.01, "5.3163413410"),
)
# days, probability: first and last number that the printed region leaves out
_REGIONS = (
    (255, 0.01, None, "7"),
    (510, 0.01, "1", "11"),
    (1000, 0.01, "4", "17"),
    (255, 0.025, "2", "12"),
    (510, 0.025, "6", "21"),
    (255, 0.05, "6", "21"),
    (1000, 0.05, "37", "65"),
    (255, 0.10, "16", "36"),
    (510, 0.10, "38", "65"),
    (1000, 0.075, "59", "92"),
)
_CUMULATIVE = ("8.11", "28.58", "54.32", "75.81", "89.22", "95.88", "98.63", "99.60", "99.89", "99.97", "99.99")
# degrees of freedom, level: value at risk and expected shortfall of Student's t
_STUDENT = (
    (3.0, 0.95, "2.3533634348", "3.8742675177"),
    (3.0, 0.99, "4.5407028586", "7.0030820362"),
    (4.0, 0.975, "2.7764451052", "3.9935570227"),
    (5.0, 0.99, "3.3649299989", "4.4524291118"),
)


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    yield from _kupiec()
    yield from _traffic_light()
    yield from _shortfall()


def _kupiec() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _KUPIEC, Provenance.COMPUTED, "likelihood ratio, closed form")
    for exceptions, days, chance, printed in _STATISTICS:
        what = f"statistic of {exceptions} exceptions in {days} days at {chance:.0%}"
        compute = partial(_statistic, exceptions, days, chance)
        yield paper.value(f"kupiec-{exceptions}-{days}-{chance:g}", what, printed, compute)
    yield from _regions()


def _regions() -> Iterator[PublishedValue]:
    paper = Cited(TOPIC, _KUPIEC, Provenance.QUOTED, "table 3, regions of non-rejection at 95 %")
    for days, chance, low, high in _REGIONS:
        for side, edge in (("least", low), ("most", high)):
            if edge is not None:
                what = f"{'last number below' if side == 'least' else 'first number above'} the region"
                what = f"{what}, {days} days at {100 * chance:g} %"
                compute = partial(_region, days, chance, side)
                note = _NO_LOWER_END if low is None else ""
                key = f"kupiec-region-{days}-{chance:g}-{side}"
                yield paper.value(key, what, edge, compute, note=note)


def _statistic(exceptions: int, days: int, chance: float) -> float:
    return float(kupiec_test(exceptions, days, chance).statistic)


def _region(days: int, chance: float, side: str) -> float:
    """Return the first number of exceptions beyond the region on that side, from the expected number outwards."""
    step = -1 if side == "least" else 1
    count = round(days * chance)
    while kupiec_test(count, days, chance).p_value > _SIZE:
        count += step
    return count


def _traffic_light() -> Iterator[PublishedValue]:
    basel = Cited(TOPIC, _BASEL, Provenance.QUOTED, "table 2: 250 days at 99 %, cumulative probability in %")
    for exceptions, printed in enumerate(_CUMULATIVE):
        what = f"probability of at most {exceptions} exceptions"
        compute = partial(_cumulative, exceptions)
        yield basel.value(f"basel-{exceptions}", what, printed, compute)


def _cumulative(exceptions: int) -> float:
    return 100.0 * float(traffic_light(exceptions, 250).cumulative)


def _shortfall() -> Iterator[PublishedValue]:
    book = Cited(TOPIC, _MCNEIL, Provenance.QUOTED, "normal distribution, ES = φ(z)/(1 - level)")
    for level, printed in {0.95: "2.0627128075", 0.975: "2.3378027922", 0.99: "2.6652142203"}.items():
        what = f"expected shortfall at {100 * level:g} %, in deviations"
        compute = partial(_measure, gaussian_tail(1.0 - level), "expected_shortfall", 1.0)
        yield book.value(f"normal-es-{level:g}", what, printed, compute)
    closed = Cited(TOPIC, _MCNEIL, Provenance.COMPUTED, "Student's t, closed form")
    for df, level, var, es in _STUDENT:
        scale = float(np.sqrt(df / (df - 2.0)))
        said, key = f"Student's t, {df:g} degrees of freedom, {100 * level:g} %", f"student-{df:g}-{level:g}"
        tail = student_t_tail(1.0 - level, df)
        compute = partial(_measure, tail, "value_at_risk", scale)
        yield closed.value(f"{key}-var", f"value at risk, {said}", var, compute)
        compute = partial(_measure, tail, "expected_shortfall", scale)
        yield closed.value(f"{key}-es", f"expected shortfall, {said}", es, compute)
    pnl = np.array([-1.0, -3.0, 0.5, -2.5, 2.0, 0.0, -0.2, 1.0, -0.3, 0.4])
    test = partial(acerbi_szekely_test, pnl, 2.0, 2.5, 0.1)
    definition = Cited(TOPIC, _ACERBI, Provenance.COMPUTED, "definition, ten days, VaR 2, ES 2.5, 10 %")
    exact: dict[str, Any] = {"within": 1e-12, "note": "exact in decimals"}
    yield definition.value("acerbi-z2", "statistic Z2", "-1.2", lambda: test().z2, **exact)
    yield definition.value("acerbi-z1", "statistic Z1", "-0.1", lambda: test().z1, **exact)


def _measure(tail: StandardTail, name: str, scale: float) -> float:
    return scale * float(getattr(tail, name))
