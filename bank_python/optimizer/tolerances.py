"""How near is near for portfolios; what is true of any figures is in :mod:`bank_python.numerics.tolerances`.

Weights are of the size of 1, and float64 keeps them to 1e-16. Each figure says what may be off by how much.
"""

from __future__ import annotations

__all__ = ["AT_REST", "BROKEN", "SAME_PORTFOLIO", "SAME_SUM"]

AT_REST = 1e-11
"""Of the sizes of the weights: a portfolio that moves by less as the weight of reward goes from 0 to where reward and
risk count alike does not move. A system of equations leaves 1e-16 times its condition of a move that is none."""

BROKEN = 1e-6
"""Of the sizes of the weights: a constraint that is off by more is broken. The solvers promise nine digits relative to
the largest figure of their program; three more are left for programs of ill-scaled figures."""

SAME_PORTFOLIO = 1e-8
"""Of the sizes of the weights: two portfolios are the same. The solvers promise nine digits of each."""

SAME_SUM = 1e-9
"""Of the wealth: sums of weights that a person typed in are the same up to this, as thirds to nine digits are."""
