"""The tails of the traders as a view: read from one snapshot, in numbers and words that interfaces can show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.dagger.outcome import Failure
from bank_python.desk.view import TailsView, TailView
from bank_python.taleb.book_tails import SHOCKS
from bank_python.taleb.fragility import MULTIPLES, FragilityVerdict

if TYPE_CHECKING:
    from bank_python.dagger import Snapshot
    from bank_python.desk.tails import DeskTails
    from bank_python.taleb.book_fragility import BookFragility
    from bank_python.taleb.book_tails import BookTails
    from bank_python.taleb.fragility import Fragility
    from bank_python.taleb.tail_reading import TailReading

__all__ = ["FIRM", "SHOCKS_IN_WORDS", "SOURCE_IN_WORDS", "deciding_heuristic", "tail_figures", "tails_view"]

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
        simulated=tails.is_simulated,
    )


def deciding_heuristic(found: Fragility, factor: str | None = None) -> float:
    """Return H at the size of move that decides the verdict: the lowest if it is fragile, else the highest.

    An H that does not differ from 0 by more than rounding is 0.

    Parameters
    ----------
    found : Fragility
        Heuristic of a book.
    factor : str, optional
        Name of the factor that is moved; the last row, the joint move, if omitted.
    """
    row = found.factors[-1] if factor is None else factor
    place = found.factors.index(row)
    sizes = np.where(np.abs(found.heuristic[place]) <= found.rounding[place], 0.0, found.heuristic[place])
    return float(sizes.min() if found.verdict_on(row) is FragilityVerdict.FRAGILE else sizes.max())


def tail_figures(reading: TailReading) -> dict[str, Any]:
    """Return the figures of a reading by the names of the fields of a :class:`TailView`, and why any is missing.

    Parameters
    ----------
    reading : TailReading
        Tails of a series.
    """
    return {
        "days": reading.n_observations,
        "left": _known(reading.left.alpha),
        "left_error": _known(reading.left.error),
        "right": _known(reading.right.alpha),
        "right_error": _known(reading.right.error),
        "may_be_thin": reading.left.may_be_thin,
        "mad_sd": reading.mad_sd,
        "max_to_sum": reading.max_to_sum,
        "reason": "; ".join(side.reason for side in (reading.left, reading.right) if side.reason),
    }


def _line(name: str, tails: BookTails, snapshot: Snapshot) -> TailView:
    read, shocked = snapshot.outcome(tails.tails), snapshot.outcome(tails.fragility)
    missing = dict.fromkeys(("left", "left_error", "right", "right_error", "mad_sd", "max_to_sum"))
    figures: dict[str, Any] = {"name": name, "days": 0, **missing, "may_be_thin": False, "reason": "", "verdict": ""}
    figures |= {"heuristic": None, "heuristic_days": None}
    reasons = [str(outcome.error) for outcome in (read, shocked) if isinstance(outcome, Failure)]
    if not isinstance(read, Failure):
        figures |= tail_figures(cast("TailReading", read))
    if not isinstance(shocked, Failure):
        fragility = cast("BookFragility", shocked).firm
        figures |= {"heuristic": deciding_heuristic(fragility), "verdict": fragility.verdict.value}
        if not isinstance(read, Failure):
            figures["heuristic_days"] = figures["heuristic"] / cast("TailReading", read).deviation
    return TailView(**figures | {"reason": "; ".join(dict.fromkeys([*reasons, figures["reason"]])).strip("; ")})


def _known(figure: float) -> float | None:
    return float(figure) if math.isfinite(figure) else None
