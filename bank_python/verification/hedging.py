"""Values of delta hedging: the two paths of Hull's textbook."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from bank_python.risk_models import black_scholes_price
from bank_python.taleb.hull_paths import hull_paths
from bank_python.verification.published_value import Cited, Provenance, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.taleb.hull_paths import HedgeReplay
    from bank_python.verification.published_value import PublishedValue

__all__ = ["TOPIC", "values"]

TOPIC = "hedging"

_HULL = Source("J. C. Hull", 2018, "Options, Futures, and Other Derivatives, 10th edition")
_ROUNDED = "the print rounds the deltas and the cost of every week, ours rounds nothing"


def values() -> Iterator[PublishedValue]:
    """Yield the values of the topic."""
    hull = Cited(TOPIC, _HULL, Provenance.QUOTED, "chapter on the Greek letters: 100,000 calls sold, hedged weekly")
    paths = cache(hull_paths)
    rows = (
        ("in", "that ends in the money", 0, "263,300", "263241.6497"),
        ("out", "that ends out of the money", 1, "256,600", "256541.9396"),
    )
    for name, ending, place, printed, _ in rows:
        cost = partial(_cost, paths, place)
        what = f"cost of hedging, option {ending}"
        yield hull.value(f"hull-hedge-{name}", what, printed, cost, within=100.0, note=_ROUNDED)
    for name, ending, place, _, exact in rows:
        cost = partial(_cost, paths, place)
        what = f"the same without rounding, option {ending}"
        yield hull.value(f"hull-hedge-{name}-exact", what, exact, cost, kind=Provenance.COMPUTED)
    what = "value of the calls, S 49, K 50, r 0.05, vol 0.2, 20 weeks"
    compute = partial(_calls, 100_000.0)
    yield hull.value("hull-hedge-value", what, "240052.732327", compute, kind=Provenance.COMPUTED)


def _cost(paths: Callable[[], tuple[HedgeReplay, HedgeReplay]], place: int) -> float:
    return float(paths()[place].cost)


def _calls(count: float) -> float:
    return count * float(black_scholes_price(49.0, 50.0, 20 / 52, 0.05, 0.2))
