"""The proof that comes with a portfolio: how far the conditions of an optimum are off, and what holds it there."""

from __future__ import annotations

from dataclasses import dataclass

from bank_python.barbara import storable

__all__ = ["Certificate"]


@storable("optimizer.Certificate", version=1)
@dataclass(frozen=True, slots=True)
class Certificate:
    """What shows that nothing better is allowed.

    Parameters
    ----------
    kkt_residual : float
        The largest violation of a condition of the optimum (Karush, Kuhn and Tucker): slopes that balance, constraints
        kept, signs of multipliers; each relative to the terms in it. Of a rule that optimises nothing
        (``hrp``), the largest violation of a constraint.
    duality_gap : float
        The most by which any allowed portfolio's objective could be better, relative to the largest of the objective's
        terms; 0 for a rule that optimises nothing.
    at_lower, at_upper : tuple of str
        The assets that their bounds hold.
    binding : tuple of str
        Other constraints that hold with equality and cost something, by name.
    iterations : int
        Linear systems solved.
    """

    kkt_residual: float
    duality_gap: float
    at_lower: tuple[str, ...] = ()
    at_upper: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()
    iterations: int = 0

    @property
    def active_bounds(self) -> tuple[str, ...]:
        """All that holds the portfolio, as text: ``"AAPL at its upper bound"``."""
        low = (f"{name} at its lower bound" for name in self.at_lower)
        high = (f"{name} at its upper bound" for name in self.at_upper)
        return (*low, *high, *self.binding)
