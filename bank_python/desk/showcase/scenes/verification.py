"""Verification: the values that books and papers print, computed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.sheet import Sheet, names, numbers, text, words
from bank_python.verification import verify

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage
    from bank_python.verification import VerifiedValue

_SHOWN = ("hull-call", "lewis-call-100", "markit-2019-06-20-0.1-0.4", "he-litterman-weight-germany", "deflated-46")


@scene("VERIFICATION")
def verification(stage: Stage) -> SceneResult:  # noqa: ARG001 - needs no desk, as every scene it is given one
    """Compute the figures that books and papers print, and say which of them the library does not reproduce."""
    found = verify()
    table = Sheet("Some of them", [names(), words("Value and source"), numbers("Printed"), numbers("Computed")])
    for row in (found[key] for key in _SHOWN):
        said = f"{row.value.what}; {row.value.source.author} {row.value.source.year}"
        table.add(row.agreement.value, said, *_figures(row))
    facts = {
        "values": len(found),
        "ok": found.is_ok,
        "differing": [row.value.key for row in found.differing],
        "by_topic": found.counts("topic"),
        "by_kind": found.counts("kind"),
        "largest_share_of_tolerance": max(
            (abs(row.difference) / row.slack for row in found.rows if not row.error), default=None
        ),
    }
    return SceneResult(facts, [table, found])


def _figures(row: VerifiedValue) -> tuple[object, object]:
    return text(row.value.printed), text("failed" if row.error else f"{row.computed:,.6f}")
