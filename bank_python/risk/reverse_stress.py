r"""Reverse stress test: the most likely scenario with a given loss.

Of all moves of the factors with a loss of X, the one with the largest probability density is searched. In independent
standard normals z (moves = A z, where :math:`A A^\top` is the covariance over the horizon) the density decreases in
:math:`|z|`, so the scenario is the point of the surface ``loss(z) = X`` nearest to the origin. It is found by the
first-order reliability method (Hasofer and Lind, Rackwitz and Fiessler): linearise the loss at the present point, move
to the nearest point of that plane, and repeat,

.. math:: z_{k+1} = \frac{\nabla L(z_k)^\top z_k - (L(z_k) - X)}{|\nabla L(z_k)|^2}\,\nabla L(z_k)

with gradients from central differences of full revaluations, all factors in one call. The distance :math:`|z|` is the
number of standard deviations of the scenario in its own direction.

Examples
--------
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.risk.valuation import plan_valuation
>>> share = Equity("AAPL", spot_source=MarketData("AAPL_SPOT", 200.0))
>>> plan = plan_valuation([Book("ALICE", [Position("P", instrument=share, quantity=1_000, cost=200.0)])])
>>> found = reverse_stress(plan, np.array([[0.02]]), loss=10_000.0)
>>> round(found.distance, 3), round(found.levels["AAPL_SPOT"], 2), round(found.loss)
(0.363, 190.0, 10000)

References
----------
A. M. Hasofer and N. C. Lind, "Exact and invariant second-moment code format", Journal of the Engineering Mechanics
Division ASCE 100 (1974), 111-121.

R. Rackwitz and B. Fiessler, "Structural reliability under combined random load sequences", Computers & Structures 9
(1978), 489-494.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.figures import Figures
from bank_python.numerics import normal_cdf

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.risk.valuation import ValuationPlan

__all__ = ["ReverseStress", "reverse_stress"]

_BUMP = 1e-3
_CLOSE = 1e-8
_SAME = 1e-7
_OUT = 3.0
_STARTS = 6
_FURTHEST = 12.0
_PENALTY = 100.0
"""Weight of the relative error in the loss against the squared distance, in the choice of a step."""


@dataclass(frozen=True, slots=True)
class ReverseStress(Figures):
    """The most likely scenario with a given loss.

    Parameters
    ----------
    loss : float
        Loss in the scenario by full revaluation, in the plan's currency.
    distance : float
        Distance of the scenario from the present market, in standard deviations.
    levels : mapping of str to float
        Level of each factor in the scenario, by name.
    moves : mapping of str to float
        Move of each factor by name: relative, or absolute for rates; the largest in standard deviations first.
    pnl : mapping of str to float
        P&L of each unit, in the plan's currency.
    """

    loss: float
    distance: float
    levels: Mapping[str, float]
    moves: Mapping[str, float]
    pnl: Mapping[str, float]

    def __rich__(self) -> object:
        from bank_python.render_risk import reverse_stress_view

        return reverse_stress_view(self)

    @property
    def probability(self) -> float:
        """Probability of a move at least as far in the same direction, for normal factors."""
        return float(normal_cdf(-self.distance))


@admits(RiskError)
def reverse_stress(
    plan: ValuationPlan, covariance: ArrayLike, loss: float, *, max_iterations: int = 200
) -> ReverseStress:
    """Find the most likely scenario with a given loss.

    Parameters
    ----------
    plan : ValuationPlan
        Holdings to revalue.
    covariance : array_like, shape (factors, factors)
        Covariance of the factors' moves over the horizon, in the plan's order: log returns of factors that move
        relatively, changes of the others. :meth:`bank_python.mc_engine.FactorModel.covariance` returns it.
    loss : float
        Target loss in the plan's currency, above 0.
    max_iterations : int, default 200
        Maximum number of linearisations of each search.

    Raises
    ------
    RiskError
        `loss` is not above 0, `covariance` is not valid, or no scenario with that loss was found within twelve standard
        deviations.

    Notes
    -----
    The search is local. It starts at the present market and far out along the directions with the largest P&L, and the
    nearest point of all searches is returned; a book of options can have a nearer one that none of them finds.
    """
    if not 0.0 < loss < np.inf:
        raise RiskError(f"loss={loss!r} is not a finite number above 0; give the loss as a positive amount", value=loss)
    surface = _Surface(plan, np.asarray(covariance, dtype=np.float64))
    found = [z for start in surface.starts() if (z := _descend(surface, start, loss, max_iterations)) is not None]
    if not found:
        raise RiskError(
            f"no scenario within {_FURTHEST:g} standard deviations was found that loses {loss:,.0f}: the holdings "
            "cannot lose so much, or the searches did not reach it; give a smaller loss",
            value=loss,
        )
    return surface.scenario(min(found, key=lambda z: float(np.linalg.norm(z))))


def _descend(surface: _Surface, z: FloatArray, loss: float, max_iterations: int) -> FloatArray | None:
    """Return the point of the surface that the search from `z` converges to; None without one within reach."""
    for _ in range(max_iterations):
        lost, slope = surface.linearised(z)
        steepness = float(slope @ slope)
        if not steepness > 0.0 or not np.isfinite(lost):
            return None
        target = slope * ((float(slope @ z) - (lost - loss)) / steepness)
        step = surface.stepped(z, target, loss)
        moved = abs(float(np.linalg.norm(step)) - float(np.linalg.norm(z)))
        converged = abs(lost - loss) < _CLOSE * loss and moved < _SAME
        z = step
        if float(np.linalg.norm(z)) > _FURTHEST:
            return None
        if converged:
            return z
    return None


class _Surface:
    """The loss as a function of independent standard normals."""

    def __init__(self, plan: ValuationPlan, covariance: FloatArray) -> None:
        n = len(plan.factors)
        if covariance.shape != (n, n) or not np.isfinite(covariance).all():
            raise RiskError(
                f"a covariance of shape {covariance.shape} for {n} factors; give a finite one of ({n}, {n})"
            )
        values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
        if values[0] < -_CLOSE * max(float(values[-1]), 1e-300):
            raise RiskError(f"the covariance is not positive semidefinite: least eigenvalue {values[0]:.3g}; repair it")
        self.plan = plan
        self.root = vectors * np.sqrt(np.maximum(values, 0.0))
        self._relative = np.array([factor.relative for factor in plan.factors])
        self._deviations = np.sqrt(np.maximum(np.diag(covariance), 0.0))

    def levels(self, z: FloatArray) -> FloatArray:
        """Return the levels of the factors, shape (factors, points), for normals of shape (normals, points)."""
        moves = self.root @ z
        base = self.plan.base[:, None]
        with np.errstate(over="ignore"):  # a step that overflows is rejected by its loss
            grown = base * np.exp(np.where(self._relative[:, None], moves, 0.0))
        return np.where(self._relative[:, None], grown, base + moves)

    def starts(self) -> Iterator[FloatArray]:
        """Yield the starting points: the present market, and points along the directions with the largest P&L."""
        n = self.root.shape[1]
        yield np.zeros(n)
        axes = np.eye(n)
        losses = np.abs(np.nan_to_num(self.losses(np.hstack([_OUT * axes, -_OUT * axes]))))
        for k in np.argsort(-losses, kind="stable")[:_STARTS].tolist():
            yield (_OUT if k < n else -_OUT) * axes[k % n]

    def losses(self, z: FloatArray) -> FloatArray:
        """Return the loss at each point, shape (points,)."""
        return -np.asarray(self.plan.pnl(self.levels(z)).sum(axis=0), dtype=np.float64)

    def linearised(self, z: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss at a point and its gradient."""
        n = len(z)
        bumped = np.repeat(z[:, None], 2 * n + 1, axis=1)
        bumped[np.arange(n), np.arange(n)] += _BUMP
        bumped[np.arange(n), n + np.arange(n)] -= _BUMP
        losses = self.losses(bumped)
        return float(losses[-1]), (losses[:n] - losses[n : 2 * n]) / (2.0 * _BUMP)

    def stepped(self, z: FloatArray, target: FloatArray, loss: float) -> FloatArray:
        """Return the best of several points towards `target`: near the surface, and near the origin."""
        shares = 0.5 ** np.arange(6)
        points = z[:, None] + (target - z)[:, None] * shares
        error = np.abs(self.losses(points) - loss) / loss
        merit = 0.5 * (points**2).sum(axis=0) + _PENALTY * error
        merit = np.where(np.isfinite(merit), merit, np.inf)
        return np.asarray(points[:, int(np.argmin(merit))])

    def scenario(self, z: FloatArray) -> ReverseStress:
        """Return the scenario at `z`."""
        levels = self.levels(z[:, None])[:, 0]
        base = self.plan.base
        moves = np.where(self._relative, levels / base - 1.0, levels - base)
        sizes = np.abs(self.root @ z) / np.where(self._deviations > 0.0, self._deviations, 1.0)
        names = [factor.name for factor in self.plan.factors]
        pnl: Any = self.plan.pnl(levels[:, None])[:, 0]
        return ReverseStress(
            loss=-float(pnl.sum()),
            distance=float(np.linalg.norm(z)),
            levels=dict(zip(names, levels.tolist(), strict=True)),
            moves={names[i]: float(moves[i]) for i in np.argsort(-sizes, kind="stable").tolist()},
            pnl=dict(zip(self.plan.units, pnl.tolist(), strict=True)),
        )
