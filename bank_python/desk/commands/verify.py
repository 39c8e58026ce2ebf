"""``verify``: the values that sources print, computed anew by the library, with their differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.desk.commands.result import CommandResult
from bank_python.render_risk import progress_bar
from bank_python.render_verification import listing_view
from bank_python.verification import verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.verification import Verification

__all__ = ["verification_result", "verify_library"]


def verify_library(topic: str | None = None, kinds: Iterable[str] | None = None) -> Verification:
    """Verify the values of the table, with a progress bar.

    Parameters
    ----------
    topic : str, optional
        Name of one topic; by default all.
    kinds : iterable of str, optional
        Kinds of values; by default all.

    Raises
    ------
    VerificationError
        There is no such topic or kind.
    """
    with progress_bar("verifying") as bar:
        return verify(topic, kinds, progress=bar)


def verification_result(found: Verification) -> CommandResult:
    """Return a verification as the result of a command.

    Parameters
    ----------
    found : Verification
        Verified values.
    """
    return CommandResult(_facts(found), [listing_view(found), found], found)


def _facts(found: Verification) -> dict[str, Any]:
    return {
        "ok": found.is_ok,
        "values": len(found),
        "topics": found.counts("topic"),
        "kinds": found.counts("kind"),
        "differing": [row.value.key for row in found.differing],
        "seconds": found.seconds,
        "rows": list(found.to_table()),
    }
