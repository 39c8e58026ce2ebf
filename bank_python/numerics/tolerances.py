"""How near is near in float64: the tolerances that several modules share, by what they are for.

What only one algorithm needs stands in its module, with its reason.
"""

from __future__ import annotations

__all__ = [
    "EPSILON",
    "EXACT",
    "LAST_DIGITS",
    "MADE_UNIT",
    "NEIGHBOURS",
    "NINE_DIGITS",
    "ROUNDED_EIGENVALUE",
    "ROUNDED_SUM",
    "SYMMETRIC",
    "TINY",
]

EPSILON = 2.0**-52
"""The distance from 1 to the next float64: the relative rounding of a single operation is half of it."""

EXACT = 1e-13
"""Relative: a linear system of a moderate condition is solved; there is nothing to gain by solving it again."""

LAST_DIGITS = 1e-12
"""Relative to the size of the figures: what some hundred operations leave of a difference that is none."""

SYMMETRIC = 1e-10
"""Relative to the largest entry: by how much a matrix may miss its mirror, as one does that was written with ten
digits; it is then taken as the mean of both."""

NINE_DIGITS = 1e-9
"""Relative: what every solver promises of its solution, and refuses to call a solution otherwise."""

TINY = 1e-150
"""A figure that no sum is changed by, and whose square is still above 0: put in the place of a 0 that is divided by."""

NEIGHBOURS = 4e-16
"""Relative: two doubles next to each other, or one apart: a bracket so narrow cannot be halved."""

ROUNDED_SUM = 1e-14
"""Relative: some dozens of terms added up; a difference that should be zero and is larger is no rounding."""

ROUNDED_EIGENVALUE = 1e-10
"""The least eigenvalue of a correlation matrix that is given, by its number of rows: ten digits in a file may push it
so far below zero."""

MADE_UNIT = 1e-8
"""The diagonal and the symmetry of a correlation matrix that is given, as often printed with eight digits."""
