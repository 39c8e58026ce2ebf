"""Tolerances for portfolio weights; general ones are in :mod:`bank_python.numerics.tolerances`.

Weights are of the order of 1, and float64 resolves them to 1e-16.
"""

from __future__ import annotations

__all__ = ["AT_REST", "BROKEN", "SAME_PORTFOLIO", "SAME_SUM"]

AT_REST = 1e-11
"""Relative change of the weights that counts as none, as the weight of reward in the objective increases from 0 to the
scale at which reward and risk are balanced. The solution of a linear system has an error of 1e-16 times its condition
number."""

BROKEN = 1e-6
"""Violation, relative to the weights, above which a constraint counts as violated. The solvers are accurate to nine
digits relative to the largest figure of their program; three more digits allow for ill-scaled programs."""

SAME_PORTFOLIO = 1e-8
"""Relative difference below which two portfolios count as the same. The solvers are accurate to nine digits."""

SAME_SUM = 1e-9
"""Difference below which sums of weights count as equal; allows for weights entered with nine digits."""
