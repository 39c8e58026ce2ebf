"""Feasible set of a list of constraints: combined rows for the solvers, and a check of each constraint."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer.bounds import check_bounds
from bank_python.optimizer.named import by_asset
from bank_python.optimizer.tolerances import BROKEN, SAME_SUM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.certificate import Certificate
    from bank_python.optimizer.constraint import Constraint, Limit, Rows
    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.costs import Charge

__all__ = ["FeasibleSet", "RowSystem"]


@dataclass(frozen=True, slots=True, eq=False)
class RowSystem:
    """Combined rows of several constraints over the weights and all auxiliary variables.

    Parameters
    ----------
    width : int
        Number of weights and auxiliary variables together.
    A, b : ndarray, shape (equalities, width) and (equalities,)
        Coefficients and right-hand sides of the equalities ``A x = b``.
    G, h : ndarray, shape (rows, width) and (rows,)
        Coefficients and right-hand sides of the named inequalities ``G x <= h``.
    definitions, sides : ndarray, shape (k, width) and (k,)
        Coefficients and right-hand sides of the inequalities that define the auxiliary variables.
    equal_names, row_names : tuple of str
        Names of the equalities and of the inequalities.
    """

    width: int
    A: FloatArray
    b: FloatArray
    G: FloatArray
    h: FloatArray
    definitions: FloatArray
    sides: FloatArray
    equal_names: tuple[str, ...]
    row_names: tuple[str, ...]

    @classmethod
    def of(cls, n: int, rows: Sequence[Rows]) -> Self:
        """Stack the rows; the auxiliary variables of each constraint get columns of their own."""
        width = n + sum(part.further for part in rows)
        A, G, definitions = ([*blocks] for blocks in zip(*((p.A, p.G, p.definitions) for p in rows), strict=True))
        if width > n:
            starts = np.cumsum([n, *(part.further for part in rows[:-1])]).tolist()
            for blocks in (A, G, definitions):
                blocks[:] = [_placed(given, n, start, width) for given, start in zip(blocks, starts, strict=True)]
        return cls(
            width=width,
            A=np.concatenate(A),
            b=np.concatenate([part.b for part in rows]),
            G=np.concatenate(G),
            h=np.concatenate([part.h for part in rows]),
            definitions=np.concatenate(definitions),
            sides=np.concatenate([part.sides for part in rows]),
            equal_names=tuple(name for part in rows for name in part.equal_names),
            row_names=tuple(name for part in rows for name in part.row_names),
        )


@dataclass(frozen=True, slots=True, eq=False)
class FeasibleSet:
    """Set of the weights that satisfy every limit of a list; built by :meth:`of`.

    Limits with auxiliary variables, such as turnover, enlarge the optimisation problem. The solvers include such a
    limit only where the optimum without it violates it (:meth:`violated`).

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the assets, in the order of the weights.
    limits : tuple of Limit
        Constraints on the weights.
    charges : tuple of Charge
        Costs of trading into the weights.
    current : ndarray, shape (n_assets,)
        Present weights.
    lower, upper : ndarray, shape (n_assets,)
        Tightest bounds of all limits; infinite where a weight is unbounded.
    plain : RowSystem
        Combined rows of the limits without auxiliary variables.
    """

    tickers: tuple[str, ...]
    limits: tuple[Limit, ...]
    charges: tuple[Charge, ...]
    current: FloatArray
    lower: FloatArray
    upper: FloatArray
    plain: RowSystem

    @classmethod
    def of(cls, tickers: tuple[str, ...], constraints: Constraints) -> Self:
        """Return the feasible set of constraints for the given assets.

        Raises
        ------
        ModelError
            If a bound, group, cost or present weight has an unknown ticker or is not a number.
        InfeasibleError
            If no weights within the bounds have the required sum.
        """
        limits = tuple(rule.on(tickers) for rule in constraints.listed)
        charges = tuple(charge for charge in (cost.on(tickers) for cost in constraints.costs) if len(charge.prices))
        built = cls._build(tickers, limits, charges, by_asset(tickers, constraints.current, "current"))
        _require_sum(built.lower, built.upper, constraints.invested)
        return built

    @classmethod
    def _build(
        cls, tickers: tuple[str, ...], limits: tuple[Limit, ...], charges: tuple[Charge, ...], current: FloatArray
    ) -> Self:
        # Limits without bounds share the same infinite arrays; comparing identities skips the duplicates.
        lower = np.maximum.reduce([*{id(low): low for low in (limit.rows.lower for limit in limits)}.values()])
        upper = np.minimum.reduce([*{id(high): high for high in (limit.rows.upper for limit in limits)}.values()])
        check_bounds(tickers, lower, upper)
        plain = RowSystem.of(len(tickers), [limit.rows for limit in limits if not limit.rows.further])
        return cls(tickers, limits, charges, current, lower, upper, plain)

    @property
    def further(self) -> tuple[Limit, ...]:
        """Limits with auxiliary variables."""
        return tuple(limit for limit in self.limits if limit.rows.further)

    @property
    def is_box(self) -> bool:
        """Whether the only constraints are bounds and one equality, the sum of weights, and there are no costs."""
        return len(self.plain.b) == 1 and not (len(self.plain.h) or self.further or self.charges)

    def system(self, included: Sequence[Limit]) -> RowSystem:
        """Return the rows of all limits without auxiliary variables, and of the limits in `included`."""
        return RowSystem.of(
            len(self.tickers),
            [limit.rows for limit in self.limits if not limit.rows.further or limit in included],
        )

    def plus(self, constraint: Constraint) -> FeasibleSet:
        """Return the set with an additional constraint.

        Raises
        ------
        ModelError, InfeasibleError
            If the constraint is invalid, or its bounds contradict the present ones.
        """
        return self._build(self.tickers, (*self.limits, constraint.on(self.tickers)), self.charges, self.current)

    def without_costs(self) -> FeasibleSet:
        """Return the set without trading costs."""
        return replace(self, charges=())

    def turnover(self, weights: FloatArray) -> float:
        """Return the sum of absolute changes from the present weights."""
        return float(np.abs(weights - self.current).sum())

    def paid(self, weights: FloatArray) -> float:
        """Return the cost of trading from the present weights to the given ones."""
        return sum(charge.paid(weights) for charge in self.charges)

    def violated(self, weights: FloatArray, tolerance: float) -> tuple[Limit, ...]:
        """Return the limits that weights violate by more than a tolerance."""
        # The negated comparison counts NaN as a violation.
        return tuple(limit for limit in self.limits if not limit.violation(weights) <= tolerance)

    def breach(self, weights: FloatArray) -> float:
        """Return the largest violation of a constraint; 0 if all are satisfied, NaN if a violation is NaN."""
        return self._worst(weights)[0]

    def certified(self, weights: FloatArray, proof: Certificate) -> Certificate:
        """Return the certificate with the violation of every constraint, by its own function, in the residual.

        Raises
        ------
        ModelError
            If a constraint is violated although its rows are satisfied, so that the two are inconsistent.
        """
        size = max(1.0, float(np.abs(weights).sum()))
        breach, label = self._worst(weights)
        if not breach <= BROKEN * size:
            raise ModelError(
                f"{label} is violated by {breach:.3g} although its rows are satisfied: rows and violation of the "
                "constraint are inconsistent; correct one of them",
                name=label,
                value=breach,
            )
        return proof if breach <= proof.kkt_residual * size else replace(proof, kkt_residual=breach / size)

    def _worst(self, weights: FloatArray) -> tuple[float, str]:
        """Return the largest violation and the label of its limit; NaN counts as the largest."""
        largest, label = 0.0, ""
        for limit in self.limits:
            off = limit.violation(weights)
            if not off <= largest:
                largest, label = off, limit.label
                if math.isnan(off):
                    break
        return largest, label


def _placed(rows: FloatArray, n: int, start: int, width: int) -> FloatArray:
    """Return rows over all variables, with the auxiliary ones from column `start` on."""
    if rows.shape[1] == width:
        return rows
    wide = np.zeros((len(rows), width))
    wide[:, :n] = rows[:, :n]
    wide[:, start : start + rows.shape[1] - n] = rows[:, n:]
    return wide


def _require_sum(lower: FloatArray, upper: FloatArray, invested: float) -> None:
    most, least = float(upper.sum()), float(lower.sum())
    if most < invested - SAME_SUM:
        raise InfeasibleError(
            f"the upper bounds add up to {most:g}, {invested - most:g} less than invested={invested:g}; raise some",
            value=invested - most,
        )
    if least > invested + SAME_SUM:
        raise InfeasibleError(
            f"the lower bounds add up to {least:g}, {least - invested:g} more than invested={invested:g}; lower some",
            value=least - invested,
        )
