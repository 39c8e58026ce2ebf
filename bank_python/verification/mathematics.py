"""Values of functions that all the rest is built on: the normal distribution, Student's t, the gamma function."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from bank_python.numerics import normal_cdf, normal_quantile, student_t_quantile
from bank_python.numerics.gamma_functions import digamma, trigamma
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "mathematics"

_HANDBOOK = Source("M. Abramowitz and I. A. Stegun", 1964, "Handbook of Mathematical Functions")
_WICHURA = Source("M. J. Wichura", 1988, "Algorithm AS 241, Applied Statistics 37")
_DIGITAL_LIBRARY = Source("NIST", None, "Digital Library of Mathematical Functions")


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    tables = Cited(TOPIC, _HANDBOOK, Provenance.QUOTED, "tables 26.1 and 26.2")
    yield tables.value("normal-tail-5", "probability beyond 5 deviations", "2.866515719e-7", partial(normal_cdf, -5.0))
    what = "-log₁₀ of the probability beyond 10 deviations"
    yield tables.value("normal-tail-10", what, "23.11805", lambda: -math.log10(float(normal_cdf(-10.0))))
    for p, df, printed in ((0.975, 1, "12.706"), (0.95, 5, "2.015"), (0.995, 20, "2.845"), (0.9, 120, "1.289")):
        what = f"quantile of Student's t at {p:g}, {df} degrees of freedom"
        key = f"student-quantile-{p:g}-{df}"
        yield tables.value(key, what, printed, partial(student_t_quantile, p, df), place="table 26.10")
    wichura = Cited(TOPIC, _WICHURA, Provenance.QUOTED)
    quantiles = {
        0.95: "1.64485362695147",
        0.975: "1.95996398454005",
        0.99: "2.32634787404084",
        1e-10: "-6.36134090240406",
    }
    for p, printed in quantiles.items():
        yield wichura.value(f"normal-quantile-{p:g}", f"normal quantile at {p:g}", printed, partial(normal_quantile, p))
    library = Cited(TOPIC, _DIGITAL_LIBRARY, Provenance.QUOTED, "5.2.3 and 5.4.12")
    yield library.value("digamma-1", "digamma at 1, less Euler's constant", "-0.57721566490153", partial(digamma, 1.0))
    closed: dict[str, Any] = {"kind": Provenance.COMPUTED, "place": "5.4.13 and 5.15.1"}
    yield library.value("digamma-half", "digamma at 1/2", "-1.96351002602142", partial(digamma, 0.5), **closed)
    yield library.value("trigamma-1", "trigamma at 1, π²/6", "1.64493406684823", partial(trigamma, 1.0), **closed)
    yield library.value("trigamma-half", "trigamma at 1/2, π²/2", "4.93480220054468", partial(trigamma, 0.5), **closed)
