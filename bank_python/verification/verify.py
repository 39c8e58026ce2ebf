"""Verification: every value of the table computed anew, and set beside what its source prints.

Nothing stops the run: a value whose computation fails is one bad row that says why, and the others go on.

Examples
--------
>>> found = verify("bonds")
>>> found.is_ok, found.differing
(True, ())
>>> row = found["hull-bond-price"]
>>> row.value.printed, round(row.computed, 4), row.agreement.value
('94.213', 94.213, 'ok')
"""

from __future__ import annotations

import math
import numbers
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import VerificationError
from bank_python.results import Tabular
from bank_python.verification.catalogue import published_values, topics
from bank_python.verification.published_value import Provenance, PublishedValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bank_python.mntable import Table

__all__ = ["Agreement", "Verification", "VerifiedValue", "verify", "verify_values"]

_FLOAT_ROUNDING = 1e-15
"""Relative rounding of a figure in float64, a few units of its last place: a print of 16 digits asks for no more."""


class Agreement(StrEnum):
    """How a computed figure compares with the printed one."""

    OK = "ok"
    DIFFERS = "differs"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class VerifiedValue(Record):
    """A value with the figure that was computed.

    Parameters
    ----------
    value : PublishedValue
        Entry of the table.
    computed : float
        Figure of the library; NaN if its computation failed.
    error : str, default ""
        Message of the failure.
    """

    value: PublishedValue
    computed: float
    error: str = ""

    @property
    def difference(self) -> float:
        """Computed less printed."""
        return self.computed - self.value.number

    @property
    def slack(self) -> float:
        """Largest difference that counts as agreement: the tolerance of the entry and the rounding of float64."""
        return self.value.tolerance + _FLOAT_ROUNDING * abs(self.value.number)

    @property
    def agreement(self) -> Agreement:
        """Whether the two agree, differ, or cannot be compared."""
        if self.error:
            return Agreement.ERROR
        return Agreement.OK if abs(self.difference) <= self.slack else Agreement.DIFFERS


@dataclass(frozen=True, slots=True, repr=False)
class Verification(Tabular):
    """Result of a verification.

    Parameters
    ----------
    rows : tuple of VerifiedValue
        Verified values, in the order of the table.
    seconds : float
        Time that the computation took.
    """

    rows: tuple[VerifiedValue, ...]
    seconds: float = field(compare=False)

    def __getitem__(self, key: str) -> VerifiedValue:
        """Return the row of the value with that key."""
        for row in self.rows:
            if row.value.key == key:
                return row
        raise VerificationError(f"no value {key!r} was verified; published_values() lists the keys", value=key)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_ok(self) -> bool:
        """Whether all computed figures agree with the printed ones."""
        return not self.differing

    @property
    def differing(self) -> tuple[VerifiedValue, ...]:
        """Rows that differ, or whose computation failed."""
        return tuple(row for row in self.rows if row.agreement is not Agreement.OK)

    def counts(self, by: str = "topic") -> dict[str, int]:
        """Return the number of rows by topic, by kind or by agreement.

        Parameters
        ----------
        by : {"topic", "kind", "agreement"}, default "topic"
            Column by which the rows are counted.

        Raises
        ------
        VerificationError
            `by` is none of the three.
        """
        named = {
            "topic": lambda row: row.value.topic,
            "kind": lambda row: row.value.kind.value,
            "agreement": lambda row: row.agreement.value,
        }
        if by not in named:
            raise VerificationError(f"rows are not counted by {by!r}; choose one of {', '.join(named)}", value=by)
        return dict(Counter(named[by](row) for row in self.rows))

    def check(self) -> None:
        """Raise an error if a figure differs from the printed one, or could not be computed.

        Raises
        ------
        VerificationError
            At least one figure does not agree; the message names the first, ``keys`` has all of them.
        """
        if self.is_ok:
            return
        keys = tuple(row.value.key for row in self.differing)
        named = ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED:,} more" if len(keys) > _NAMED else "")
        raise VerificationError(
            f"{len(keys):,} of {len(self.rows):,} values do not agree with their source: {named}; "
            "the rows marked 'differs' and 'error' say how",
            keys=keys,
        )

    def to_table(self) -> Table:
        """Return the rows with source, printed and computed figure, difference, tolerance and outcome."""
        from bank_python.mntable import Table

        words = ("topic", "key", "what", "kind", "source", "place", "printed")
        figures = ("computed", "difference", "tolerance")
        schema = [
            *((name, str) for name in words),
            *((name, float | None) for name in figures),
            *((name, str) for name in ("agreement", "error", "note")),
        ]
        return Table.from_rows(schema, [_as_row(row) for row in self.rows])

    def __rich__(self) -> object:
        from bank_python.render_verification import verification_view

        return verification_view(self)


_NAMED = 3


@admits(VerificationError)
def verify(
    topic: str | None = None,
    kinds: Provenance | str | Iterable[Provenance | str] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Compute the values of the table, and compare them with what their sources print.

    Parameters
    ----------
    topic : str, optional
        Name of one topic, see :func:`~bank_python.verification.topics`; by default all.
    kinds : Provenance, str or iterable of them, optional
        Kind of values, or several, among "published", "quoted" and "computed"; by default all three.
    progress : callable, optional
        Function that is called with the number of values done and the number of all.

    Raises
    ------
    VerificationError
        There is no such topic or kind, or no value of the kind in the topic.
    """
    chosen = published_values()
    if topic is not None:
        if topic not in topics():
            raise VerificationError(f"no topic {topic!r}; there are {', '.join(topics())}", value=topic)
        chosen = tuple(value for value in chosen if value.topic == topic)
    if kinds is not None:
        wanted = {_kind(kind) for kind in ((kinds,) if isinstance(kinds, str) else kinds)}
        there = sorted({value.kind.value for value in chosen})
        chosen = tuple(value for value in chosen if value.kind in wanted)
        if wanted and not chosen:  # to verify nothing is no agreement
            asked = " or ".join(sorted(kind.value for kind in wanted))
            raise VerificationError(
                f"no value of the kind {asked} in the topic {topic!r}, which has {' and '.join(there)}; choose one of "
                "those, or another topic",
                value=topic,
            )
    return verify_values(chosen, progress=progress)


@admits(VerificationError)
def verify_values(
    values: Iterable[PublishedValue], *, progress: Callable[[int, int], None] | None = None
) -> Verification:
    """Compute given values, and compare them with what their sources print.

    Parameters
    ----------
    values : iterable of PublishedValue
        Entries to verify, such as own ones.
    progress : callable, optional
        Function that is called with the number of values done and the number of all.

    Raises
    ------
    VerificationError
        One of the values is no entry.
    """
    chosen, rows, began = tuple(values), [], time.perf_counter()
    _require_entries(chosen)
    for done, value in enumerate(chosen, start=1):
        rows.append(_verified(value))
        if progress is not None:
            progress(done, len(chosen))
    return Verification(tuple(rows), time.perf_counter() - began)


def _require_entries(values: Iterable[object]) -> None:
    other = next((value for value in values if not isinstance(value, PublishedValue)), None)
    if other is not None:
        said = f"{other!r:.60} is no entry; give what Cited.value or PublishedValue returns"
        raise VerificationError(said, value=other)


def _verified(value: PublishedValue) -> VerifiedValue:
    try:
        computed = value.compute()
    except Exception as error:  # noqa: BLE001 - whatever a computation raises is the outcome of its row
        return VerifiedValue(value, math.nan, f"{type(error).__name__}: {error}")
    number = computed.item() if getattr(computed, "ndim", None) == 0 and hasattr(computed, "item") else computed
    if not isinstance(number, numbers.Real):
        return VerifiedValue(value, math.nan, f"its computation returned {type(computed).__name__}, not a number")
    return VerifiedValue(value, float(number))


def _kind(kind: Provenance | str) -> Provenance:
    try:
        return Provenance(kind)
    except ValueError:
        names = ", ".join(Provenance)
        raise VerificationError(f"no kind {kind!r} of values; there are {names}", value=kind) from None


def _as_row(row: VerifiedValue) -> dict[str, object]:
    value = row.value
    return {
        "topic": value.topic,
        "key": value.key,
        "what": value.what,
        "kind": value.kind.value,
        "source": value.source.citation,
        "place": value.place,
        "printed": value.printed,
        "computed": None if row.error else row.computed,
        "difference": None if row.error else row.difference,
        "tolerance": value.tolerance,
        "agreement": row.agreement.value,
        "error": row.error,
        "note": value.note,
    }
