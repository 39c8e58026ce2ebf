"""The tails of the traders as a view: read from one snapshot, in numbers and words that interfaces can show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from bank_python.dagger.outcome import Failure
from bank_python.desk.view import TailsView, TailView
from bank_python.taleb.book_tails import SHOCKS
from bank_python.taleb.fragility import MULTIPLES, FragilityVerdict

if TYPE_CHECKING:
    from bank_python.dagger import Snapshot
    from bank_python.desk.tails import DeskTails
    from bank_python.taleb.book_tails import BookTails
    from bank_python.taleb.fragility import Fragility
    from bank_python.taleb.tail_reading import TailReading

__all__ = ["FIRM", "SHOCKS_IN_WORDS", "SOURCE_IN_WORDS", "deciding_heuristic", "tails_view"]

FIRM = "firm"
"""Name of the line of all books together."""

SOURCE_IN_WORDS = "P&L of the present positions in each day's moves of the past year"
"""What the tail indices are estimated from."""

_NOUNS = {"spot": "spots", "fx": "exchange rates", "credit": "credit spreads (against the others)"}
_PERCENT = 100.0


def _shock_in_words(kind: str, step: float) -> str:
    *sizes, last = (f"{_PERCENT * step * multiple:g}" for multiple in MULTIPLES)
    return f"{_NOUNS[kind]} ±{', '.join(sizes)} and {last} %"


SHOCKS_IN_WORDS = "; ".join(_shock_in_words(kind, step) for kind, step in SHOCKS.items())
"""What the verdicts are based on."""


def tails_view(tails: DeskTails, snapshot: Snapshot) -> TailsView:
    """Return the tails at the tick of a snapshot.

    Parameters
    ----------
    tails : DeskTails
        Nodes of the tails.
    snapshot : Snapshot
        Snapshot of the graph to read.
    """
    return TailsView(
        traders=tuple(_line(name, own, snapshot) for name, own in tails.traders.items()),
        firm=_line(FIRM, tails.firm, snapshot),
        source=SOURCE_IN_WORDS,
        shocks=SHOCKS_IN_WORDS,
        pace=tails.pace.words,
        as_of_tick=tails.as_of_tick,
    )


def deciding_heuristic(found: Fragility) -> float:
    """Return H of the joint move at the size that decides the verdict: the worst if fragile, else the best."""
    sizes = found.heuristic[-1]
    return float(sizes.min() if found.verdict is FragilityVerdict.FRAGILE else sizes.max())


def _line(name: str, tails: BookTails, snapshot: Snapshot) -> TailView:
    read, shocked = snapshot.outcome(tails.tails), snapshot.outcome(tails.fragility)
    reading = None if isinstance(read, Failure) else cast("TailReading", read)
    fragility = None if isinstance(shocked, Failure) else cast("BookFragility", shocked).firm
    heuristic = None if fragility is None else deciding_heuristic(fragility)
    deviation = 0.0 if reading is None else reading.deviation
    reasons = [str(outcome.error) for outcome in (read, shocked) if isinstance(outcome, Failure)]
    if reading is not None:
        reasons += [side.reason for side in (reading.left, reading.right) if side.reason]
    return TailView(
        name=name,
        days=0 if reading is None else reading.n_observations,
        left=None if reading is None else _known(reading.left.alpha),
        left_error=None if reading is None else _known(reading.left.error),
        right=None if reading is None else _known(reading.right.alpha),
        right_error=None if reading is None else _known(reading.right.error),
        mad_sd=None if reading is None else reading.mad_sd,
        max_to_sum=None if reading is None else reading.max_to_sum,
        heuristic=heuristic,
        heuristic_days=None if heuristic is None or not deviation else heuristic / deviation,
        verdict="" if fragility is None else fragility.verdict.value,
        reason="; ".join(dict.fromkeys(reasons)),
    )


def _known(figure: float) -> float | None:
    return float(figure) if math.isfinite(figure) else None
