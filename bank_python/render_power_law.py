"""Terminal view of a power law fitted to a tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.sheet import Sheet, names, numbers

if TYPE_CHECKING:
    from bank_python.taleb.power_law_fit import PowerLawFit

__all__ = ["power_law_view"]


def power_law_view(fit: PowerLawFit) -> Sheet:
    """Show the exponent with its error and the start of the tail, then what that means."""
    shown = Sheet(
        "Power law of whole numbers" if fit.discrete else "Power law",
        [names(""), numbers("Value", 4), numbers("s.e.", 4)],
    )
    shown.add("density exponent", fit.alpha, fit.alpha_se)
    shown.add("tail index", fit.tail_index, fit.alpha_se)
    shown.add("xmin, given" if fit.is_xmin_given else "xmin", fit.xmin, None)
    shown.add("points in the tail", fit.n_tail, None)
    shown.add("points", fit.n_observations, None)
    shown.add("distance", fit.distance, None)
    shown.note(fit.verdict)
    return shown
