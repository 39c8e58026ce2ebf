"""How near is near enough: the tolerances of the library that several places share, each with its reason.

A double has some sixteen digits, and every operation may lose half a unit of the last one. What is told apart here
is where a number comes from, since that says how many of its digits rounding may have taken. All are relative: they
are multiplied with the size of what is compared. What only one file needs (a step, a penalty, a starting value)
stays there.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "FEW_ROUNDINGS",
    "INVERTED_MATRIX",
    "MADE_SYMMETRIC",
    "MADE_UNIT",
    "NEIGHBOURS",
    "ROUNDED_EIGENVALUE",
    "ROUNDED_MATRIX",
    "ROUNDED_SUM",
    "SATISFIED",
    "SOLVED",
    "SQUARABLE",
    "VANISHING",
]

NEIGHBOURS = 4e-16
"""Two doubles next to each other, or one apart: a bracket so narrow cannot be halved."""

FEW_ROUNDINGS = 16.0 * float(np.finfo(float).eps)
"""A handful of operations one after another, each half a unit wrong: 3.6e-15."""

ROUNDED_SUM = 1e-14
"""Some dozens of terms added up: a difference that should be zero and is not by more is no rounding."""

SOLVED = 1e-13
"""A linear system solved once more for its residual leaves this: a solution is exact in all digits there are, and a
direction whose singular value is smaller is none."""

ROUNDED_MATRIX = 1e-12
"""Products of matrices of some hundred rows: the two halves of what should be symmetric, the least eigenvalue of what
should be semidefinite, where this library made the matrix."""

SATISFIED = 1e-12
"""A bound, a row or a multiplier of a quadratic program may be wrong by this: a thousandth of what a user reads, and a
hundred times what the solution of the active system rounds off."""

MADE_SYMMETRIC = 1e-10
"""The two halves of a matrix that is given: by a file with ten digits, by a product in another order."""

ROUNDED_EIGENVALUE = 1e-10
"""The least eigenvalue of a correlation matrix that is given, by its number of rows: ten digits in a file may push it
so far below zero."""

VANISHING = 1e-10
"""A cost, a slope or a multiplier so small beside the largest counts as none when it is divided by."""

MADE_UNIT = 1e-8
"""The diagonal and the symmetry of a correlation matrix that is given, as often printed with eight digits."""

INVERTED_MATRIX = 1e3 * float(np.finfo(float).eps)
"""One over the worst condition under which a solution keeps three digits."""

SQUARABLE = 1e-150
"""The least number whose square is one as well: a divisor no smaller never overflows what is divided and squared. It
stands in for zero, and is the one here that is not relative."""
