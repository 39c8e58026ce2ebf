"""Terminal views of a verification: the summary by topic with what differs, and the list of all values."""

from __future__ import annotations

import math
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from bank_python.numerals import MISSING
from bank_python.sheet import Sheet, names, numbers, text, words
from bank_python.verification.published_value import Provenance
from bank_python.verification.verify import Agreement

if TYPE_CHECKING:
    from bank_python.verification.verify import Verification, VerifiedValue

__all__ = ["listing_view", "verification_view"]

_STYLES = {Agreement.OK: "green", Agreement.DIFFERS: "bold red", Agreement.ERROR: "bold red"}
_MORE_DIGITS = 3
"""Digits of a computed figure beyond those of the print, which show on which side of the rounding it lies."""
_SIGNIFICANT = 16
"""Digits of a float64 that mean something."""
_PLAIN_FROM = 1e-5
"""Figures nearer to 0 are shown with a power of ten."""


def verification_view(found: Verification) -> Group:
    """Show the number of values by topic and kind, and the rows that differ or failed."""
    kinds = [numbers(kind.value.capitalize()) for kind in Provenance]
    title = f"Verification: {len(found):,} values in {found.seconds:.1f} s"
    sheet = Sheet(title, [names("Topic"), numbers("Values"), *kinds, numbers("Differ"), numbers("Errors")])
    for topic, group in groupby(found.rows, key=lambda row: row.value.topic):
        sheet.add(topic, *_counts(list(group)))
    if found.rows:
        sheet.rule()
        sheet.add("all", *_counts(list(found.rows)))
    sheet.note("published: read where it is printed")
    sheet.note("quoted: printed, but taken from another library or from memory")
    sheet.note("computed: of a closed form or a named library, printed nowhere")
    return Group(sheet, *_deviations(found), _verdict(found))


def listing_view(found: Verification) -> Group:
    """Show every value, by topic and source, with the printed and the computed figure and their difference."""
    parts: list[Sheet | Text] = []
    for topic, group in groupby(found.rows, key=lambda row: row.value.topic):
        parts.append(text(topic.upper(), "bold"))
        rows = list(group)
        for _, of_source in groupby(rows, key=lambda row: (row.value.source, row.value.place, row.value.kind)):
            parts.append(_of_source(list(of_source)))
        parts.append(Text())
    return Group(*parts)


def _counts(rows: list[VerifiedValue]) -> list[str]:
    kinds = Counter(row.value.kind for row in rows)
    agreements = Counter(row.agreement for row in rows)
    bad = (agreements[Agreement.DIFFERS], agreements[Agreement.ERROR])
    return [f"{len(rows):,}", *(f"{kinds[kind]:,}" for kind in Provenance), *(f"{count:,}" for count in bad)]


def _deviations(found: Verification) -> list[Sheet]:
    if found.is_ok:
        return []
    sheet = _sheet("Not in agreement", framed=True)
    for row in found.differing:
        _add(sheet, row, f"{row.value.key}: {row.value.what}; {row.value.source.citation}")
    return [sheet]


def _verdict(found: Verification) -> Text:
    if not found.rows:
        return text("No value was verified", "bold red")
    if found.is_ok:
        return text(f"All {len(found):,} values agree with their sources within the stated tolerance", "bold green")
    return text(f"{len(found.differing):,} of {len(found):,} values do not agree with their sources", "bold red")


def _of_source(rows: list[VerifiedValue]) -> Sheet:
    first = rows[0].value
    place = f", {first.place}" if first.place else ""
    sheet = _sheet(f"{first.source.citation}{place} [{first.kind.value}]")
    for row in rows:
        _add(sheet, row, f"{row.value.what} *" if row.value.note else row.value.what)
    for note in dict.fromkeys(row.value.note for row in rows if row.value.note):
        sheet.note(f"* {note}")
    return sheet


def _sheet(title: str, *, framed: bool = False) -> Sheet:
    columns = [names(), words("Value"), numbers("Printed"), numbers("Computed"), numbers("Difference")]
    return Sheet(title, columns, framed=framed, title_style="bold" if framed else "italic")


def _add(sheet: Sheet, row: VerifiedValue, what: str) -> None:
    outcome = text(row.agreement.value, _STYLES[row.agreement])
    if row.error:
        sheet.add(outcome, f"{what}: {row.error}", text(row.value.printed), MISSING, MISSING)
    else:
        sheet.add(outcome, what, text(row.value.printed), text(_as_printed(row)), text(f"{row.difference:.1e}"))


def _as_printed(row: VerifiedValue) -> str:
    """Return the computed figure in the form of the print, with a few digits more."""
    number, exponent = row.computed, row.value.exponent
    before = 0 if number == 0.0 or not math.isfinite(number) else math.floor(math.log10(abs(number))) + 1
    shown = min(max(before - exponent, 1) + _MORE_DIGITS, _SIGNIFICANT)
    if "e" in row.value.printed.lower() or 0.0 < abs(number) < _PLAIN_FROM:
        return f"{number:.{shown - 1}e}"
    return f"{number:,.{max(shown - before, 0)}f}"
