"""Certificate of a portfolio: residuals of the optimality conditions, and the constraints that are active."""

from __future__ import annotations

from dataclasses import dataclass

from bank_python.barbara import storable
from bank_python.display import Record

__all__ = ["Certificate"]


@storable("optimizer.Certificate", version=1)
@dataclass(frozen=True, slots=True)
class Certificate(Record):
    """Evidence that a portfolio is optimal, independent of the solver.

    Parameters
    ----------
    kkt_residual : float
        Largest violation of the Karush-Kuhn-Tucker conditions: stationarity, feasibility and signs of multipliers, each
        relative to the size of its terms. For a rule without an objective (``hrp``), the largest violation of a
        constraint.
    duality_gap : float
        Upper limit of the improvement of the objective that any feasible portfolio could achieve, relative to the
        largest term of the objective; 0 for a rule without an objective.
    at_lower, at_upper : tuple of str
        Tickers of the assets whose weights are at their lower or upper bounds.
    binding : tuple of str
        Names of the other constraints that hold with equality and have a non-zero multiplier.
    iterations : int
        Number of linear systems solved.
    """

    kkt_residual: float
    duality_gap: float
    at_lower: tuple[str, ...] = ()
    at_upper: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()
    iterations: int = 0

    @property
    def active_bounds(self) -> tuple[str, ...]:
        """Descriptions of all active bounds and constraints, such as ``"AAPL at its upper bound"``."""
        low = (f"{name} at its lower bound" for name in self.at_lower)
        high = (f"{name} at its upper bound" for name in self.at_upper)
        return (*low, *high, *self.binding)
