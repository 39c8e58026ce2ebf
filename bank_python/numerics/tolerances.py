"""Tolerances for float64 that several modules share, by their purpose.

The tolerances of a single algorithm are in its module.
"""

from __future__ import annotations

__all__ = [
    "EPSILON",
    "EXACT",
    "LAST_DIGITS",
    "NEIGHBOURS",
    "NINE_DIGITS",
    "ROUNDED_EIGENVALUE",
    "ROUNDED_SUM",
    "SYMMETRIC",
    "TINY",
    "UNIT_DIAGONAL",
]

EPSILON = 2.0**-52
"""Distance from 1 to the next float64; the relative rounding error of one operation is at most half of it."""

EXACT = 1e-13
"""Relative residual at which a linear system of moderate condition is solved, so that refinement gains nothing."""

LAST_DIGITS = 1e-12
"""Relative rounding error of some hundred operations: a smaller difference counts as 0."""

SYMMETRIC = 1e-10
"""Largest difference between a matrix and its transpose, relative to its largest entry; allows for matrices that were
written with ten digits, which are replaced by the mean of the two."""

NINE_DIGITS = 1e-9
"""Relative residual that every solver guarantees for its solution; with a larger one it reports failure."""

TINY = 1e-150
"""Number that changes no sum and whose square is still above 0; replaces a divisor of 0."""

NEIGHBOURS = 4e-16
"""Relative distance of two adjacent doubles, or of two with one between them: a bracket so narrow cannot be halved."""

ROUNDED_SUM = 1e-14
"""Relative rounding error of a sum of some dozens of terms: a larger difference is not due to rounding."""

ROUNDED_EIGENVALUE = 1e-10
"""Amount per row by which the least eigenvalue of a correlation matrix may be below 0; allows for matrices that were
written with ten digits."""

UNIT_DIAGONAL = 1e-8
"""Largest deviation of a correlation matrix from a unit diagonal and from symmetry; allows for matrices that were
printed with eight digits."""
