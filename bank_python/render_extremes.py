"""Terminal views of extreme values: intervals, fits of maxima, return levels, clusters, thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.sheet import Sheet, names, numbers

if TYPE_CHECKING:
    from bank_python.taleb.parameter_intervals import Intervals

__all__ = ["intervals_view"]

_METHODS = {"profile": "profile likelihood", "wald": "standard errors", "bootstrap": "bootstrap percentiles"}


def intervals_view(table: Intervals) -> Sheet:
    """Show estimates with their intervals, and why an end is missing."""
    columns = [names("Quantity"), numbers("Estimate", 4), numbers("From", 4), numbers("To", 4)]
    shown = Sheet(f"{table.confidence:.4g} intervals by {_METHODS[table.method.value]}", columns)
    figures = np.stack([table.estimates, table.low, table.high], axis=1).tolist()
    for name, row in zip(table.names, figures, strict=True):
        shown.add(name, *row)
    for reason in dict.fromkeys(reason for reason in table.reasons if reason):
        which = [name for name, said in zip(table.names, table.reasons, strict=True) if said == reason]
        shown.note(f"{', '.join(which)}: {reason}")
    return shown
