r"""Reverse stress: the likeliest scenario that loses so much.

Of all moves of the factors that lose X, the one with the largest density is wanted. In standardised independent
normals z (moves = A z, with :math:`A A^\top` the covariance over the horizon) density falls with :math:`|z|`, so it is
the point of the surface ``loss(z) = X`` nearest to the origin. It is found by the method of structural reliability
(Hasofer and Lind, Rackwitz and Fiessler): linearise the revalued P&L where one stands, go to the nearest point of that
plane, repeat,

.. math:: z_{k+1} = \frac{\nabla L(z_k)^\top z_k - (L(z_k) - X)}{|\nabla L(z_k)|^2}\,\nabla L(z_k)

with gradients by differences of full revaluations, all factors in one call. The distance :math:`|z|` says how far out
the scenario is, in standard deviations of its own direction.

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
from bank_python.numerics import normal_cdf
from bank_python.results import Figures

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
"""Weight of missing the surface beside being far out, in the choice of a step."""


@dataclass(frozen=True, slots=True)
class ReverseStress(Figures):
    """The likeliest scenario that loses so much.

    Parameters
    ----------
    loss : float
        What it loses, revalued in full.
    distance : float
        How far out it is, in standard deviations.
    levels : mapping of str to float
        Where each factor stands in it.
    moves : mapping of str to float
        By how much it moved: relatively, or absolutely for rates; the largest, in standard deviations, first.
    pnl : mapping of str to float
        What each unit makes.
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
        """Of a move as far out in that direction, or further, if factors were normal."""
        return float(normal_cdf(-self.distance))


@admits(RiskError)
def reverse_stress(
    plan: ValuationPlan, covariance: ArrayLike, loss: float, *, max_iterations: int = 200
) -> ReverseStress:
    """Find the likeliest scenario that loses `loss`.

    Parameters
    ----------
    plan : ValuationPlan
        What is held.
    covariance : array_like, shape (factors, factors)
        Of the factors' moves over the horizon, in the plan's order: of logarithms of those that move relatively, of
        shifts of the others. A factor model's :meth:`~bank_python.mc_engine.FactorModel.covariance` gives it.
    loss : float
        In the plan's currency, above 0.
    max_iterations : int, default 200
        Linearisations at most.

    Raises
    ------
    RiskError
        `loss` is not above 0, or no search found a scenario within twelve standard deviations that loses so much.

    Notes
    -----
    The search is local. It is begun at the present market and out along the directions that make most, and the nearest
    point found is told; an options book can have another that is nearer still.
    """
    if not 0.0 < loss < np.inf:
        raise RiskError(f"loss={loss!r} is not a finite number above 0", value=loss)
    surface = _Surface(plan, np.asarray(covariance, dtype=np.float64))
    found = [z for start in surface.starts() if (z := _descend(surface, start, loss, max_iterations)) is not None]
    if not found:
        raise RiskError(
            f"no scenario within {_FURTHEST:g} standard deviations was found that loses {loss:,.0f}: what is held "
            "cannot lose so much, or not where its P&L led; ask for a smaller loss",
            value=loss,
        )
    return surface.told(min(found, key=lambda z: float(np.linalg.norm(z))))


def _descend(surface: _Surface, z: FloatArray, loss: float, max_iterations: int) -> FloatArray | None:
    """Return where the search from `z` settles on the surface; None if it does not, or too far out."""
    for _ in range(max_iterations):
        lost, slope = surface.linearised(z)
        steepness = float(slope @ slope)
        if not steepness > 0.0 or not np.isfinite(lost):
            return None
        target = slope * ((float(slope @ z) - (lost - loss)) / steepness)
        step = surface.stepped(z, target, loss)
        moved = abs(float(np.linalg.norm(step)) - float(np.linalg.norm(z)))
        settled = abs(lost - loss) < _CLOSE * loss and moved < _SAME
        z = step
        if float(np.linalg.norm(z)) > _FURTHEST:
            return None
        if settled:
            return z
    return None


class _Surface:
    """The loss as a function of independent normals."""

    def __init__(self, plan: ValuationPlan, covariance: FloatArray) -> None:
        n = len(plan.factors)
        if covariance.shape != (n, n) or not np.isfinite(covariance).all():
            raise RiskError(f"a covariance of shape {covariance.shape} for {n} factors; wants finite ({n}, {n})")
        values, vectors = np.linalg.eigh(0.5 * (covariance + covariance.T))
        if values[0] < -_CLOSE * max(float(values[-1]), 1e-300):
            raise RiskError(f"the covariance is not positive semidefinite: least eigenvalue {values[0]:.3g}")
        self.plan = plan
        self.root = vectors * np.sqrt(np.maximum(values, 0.0))
        self._relative = np.array([factor.relative for factor in plan.factors])
        self._deviations = np.sqrt(np.maximum(np.diag(covariance), 0.0))

    def levels(self, z: FloatArray) -> FloatArray:
        """Return where factors stand, shape (factors, points), for normals of shape (normals, points)."""
        moves = self.root @ z
        base = self.plan.base[:, None]
        with np.errstate(over="ignore"):  # a step too far is judged by what it loses
            grown = base * np.exp(np.where(self._relative[:, None], moves, 0.0))
        return np.where(self._relative[:, None], grown, base + moves)

    def starts(self) -> Iterator[FloatArray]:
        """Yield where the search is begun: at the present market, and out along the directions that make most."""
        n = self.root.shape[1]
        yield np.zeros(n)
        axes = np.eye(n)
        made = np.abs(np.nan_to_num(self.losses(np.hstack([_OUT * axes, -_OUT * axes]))))
        for k in np.argsort(-made, kind="stable")[:_STARTS].tolist():
            yield (_OUT if k < n else -_OUT) * axes[k % n]

    def losses(self, z: FloatArray) -> FloatArray:
        """Return the loss at each point, shape (points,)."""
        return -np.asarray(self.plan.pnl(self.levels(z)).sum(axis=0), dtype=np.float64)

    def linearised(self, z: FloatArray) -> tuple[float, FloatArray]:
        """Return the loss and its gradient."""
        n = len(z)
        bumped = np.repeat(z[:, None], 2 * n + 1, axis=1)
        bumped[np.arange(n), np.arange(n)] += _BUMP
        bumped[np.arange(n), n + np.arange(n)] -= _BUMP
        losses = self.losses(bumped)
        return float(losses[-1]), (losses[:n] - losses[n : 2 * n]) / (2.0 * _BUMP)

    def stepped(self, z: FloatArray, target: FloatArray, loss: float) -> FloatArray:
        """Go towards `target` by the step of those tried that is best: near the surface, and not far out."""
        shares = 0.5 ** np.arange(6)
        points = z[:, None] + (target - z)[:, None] * shares
        off = np.abs(self.losses(points) - loss) / loss
        merit = 0.5 * (points**2).sum(axis=0) + _PENALTY * off
        merit = np.where(np.isfinite(merit), merit, np.inf)
        return np.asarray(points[:, int(np.argmin(merit))])

    def told(self, z: FloatArray) -> ReverseStress:
        """Return the scenario at `z`."""
        stood = self.levels(z[:, None])[:, 0]
        base = self.plan.base
        moves = np.where(self._relative, stood / base - 1.0, stood - base)
        far = np.abs(self.root @ z) / np.where(self._deviations > 0.0, self._deviations, 1.0)
        names = [factor.name for factor in self.plan.factors]
        made: Any = self.plan.pnl(stood[:, None])[:, 0]
        return ReverseStress(
            loss=-float(made.sum()),
            distance=float(np.linalg.norm(z)),
            levels=dict(zip(names, stood.tolist(), strict=True)),
            moves={names[i]: float(moves[i]) for i in np.argsort(-far, kind="stable").tolist()},
            pnl=dict(zip(self.plan.units, made.tolist(), strict=True)),
        )
