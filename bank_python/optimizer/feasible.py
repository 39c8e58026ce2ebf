"""The portfolios that a list of constraints allows, put together for the solvers and checked one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import InfeasibleError, ModelError
from bank_python.optimizer.bounds import refuse_crossed
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
    """The rows of several constraints over weights and all of their further variables.

    Parameters
    ----------
    width : int
        Number of weights and further variables.
    A, b : ndarray, shape (equalities, width) and (equalities,)
        Equalities.
    G, h : ndarray, shape (rows, width) and (rows,)
        Inequalities that have a name.
    definitions, sides : ndarray, shape (k, width) and (k,)
        Inequalities that say what the further variables are.
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
        """Return the rows one below the other, each constraint's further variables in columns of their own."""
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
    """All weights that keep every limit of a list; made by :meth:`of`.

    Limits that have further variables, as sizes of trades, make a program larger. The solvers take those in only where
    the portfolio without them breaks one, which :meth:`broken` says.

    Parameters
    ----------
    tickers : tuple of str
        The assets.
    limits : tuple of Limit
        The constraints.
    charges : tuple of Charge
        The costs of coming to weights.
    current : ndarray, shape (n_assets,)
        What is held now.
    lower, upper : ndarray, shape (n_assets,)
        The bounds of all limits together; infinite where there is none.
    plain : RowSystem
        The rows of the limits without further variables.
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
        """Return the set.

        Raises
        ------
        ModelError
            A bound, a group, a cost or a holding names what is no asset, or is not a number.
        InfeasibleError
            The bounds cannot add up to what is to be invested.
        """
        limits = tuple(rule.on(tickers) for rule in constraints.listed)
        charges = tuple(charge for charge in (cost.on(tickers) for cost in constraints.costs) if len(charge.prices))
        made = cls._made(tickers, limits, charges, by_asset(tickers, constraints.current, "current"))
        _require_sum(made.lower, made.upper, constraints.invested)
        return made

    @classmethod
    def _made(
        cls, tickers: tuple[str, ...], limits: tuple[Limit, ...], charges: tuple[Charge, ...], current: FloatArray
    ) -> Self:
        # Most limits set no bounds, and share the arrays that say so.
        lower = np.maximum.reduce([*{id(low): low for low in (limit.rows.lower for limit in limits)}.values()])
        upper = np.minimum.reduce([*{id(high): high for high in (limit.rows.upper for limit in limits)}.values()])
        refuse_crossed(tickers, lower, upper)
        plain = RowSystem.of(len(tickers), [limit.rows for limit in limits if not limit.rows.further])
        return cls(tickers, limits, charges, current, lower, upper, plain)

    @property
    def further(self) -> tuple[Limit, ...]:
        """The limits that have further variables."""
        return tuple(limit for limit in self.limits if limit.rows.further)

    @property
    def is_box(self) -> bool:
        """Whether bounds and one equality, what is invested, are all that there is."""
        return len(self.plain.b) == 1 and not (len(self.plain.h) or self.further or self.charges)

    def system(self, taken: Sequence[Limit]) -> RowSystem:
        """Return the rows of all limits without further variables, and of those with them that are taken in."""
        return RowSystem.of(
            len(self.tickers),
            [limit.rows for limit in self.limits if not limit.rows.further or limit in taken],
        )

    def plus(self, constraint: Constraint) -> FeasibleSet:
        """Return the set with one constraint more.

        Raises
        ------
        ModelError, InfeasibleError
            As of the constraint; or its bounds cross those that there are.
        """
        return self._made(self.tickers, (*self.limits, constraint.on(self.tickers)), self.charges, self.current)

    def without_costs(self) -> FeasibleSet:
        """Return the set with nothing to pay for coming to it."""
        return replace(self, charges=())

    def traded(self, weights: FloatArray) -> float:
        """Return the turnover that weights ask for."""
        return float(np.abs(weights - self.current).sum())

    def paid(self, weights: FloatArray) -> float:
        """Return what it costs to come to weights."""
        return sum(charge.paid(weights) for charge in self.charges)

    def broken(self, weights: FloatArray, room: float) -> tuple[Limit, ...]:
        """Return the limits that weights break by more than some room."""
        # What is not a number is not kept either.
        return tuple(limit for limit in self.limits if not limit.violation(weights) <= room)

    def breach(self, weights: FloatArray) -> float:
        """Return the largest violation of a constraint by weights; 0 where all are kept, NaN where one is none."""
        return self._worst(weights)[0]

    def certified(self, weights: FloatArray, proof: Certificate) -> Certificate:
        """Return a proof that also counts the violation of every constraint, each measured by its own function.

        Raises
        ------
        ModelError
            A constraint is broken: what its rows say is not what it means.
        """
        size = max(1.0, float(np.abs(weights).sum()))
        breach, label = self._worst(weights)
        if not breach <= BROKEN * size:
            raise ModelError(
                f"{label} is broken by {breach:.3g}, though its rows are kept: they do not say what the constraint "
                "means; correct Rows or violation of its class",
                name=label,
                value=breach,
            )
        return proof if breach <= proof.kkt_residual * size else replace(proof, kkt_residual=breach / size)

    def _worst(self, weights: FloatArray) -> tuple[float, str]:
        """Return the largest violation and whose it is; one that is not a number is the largest."""
        largest, label = 0.0, ""
        for limit in self.limits:
            off = limit.violation(weights)
            if not off <= largest:
                largest, label = off, limit.label
                if math.isnan(off):
                    break
        return largest, label


def _placed(rows: FloatArray, n: int, start: int, width: int) -> FloatArray:
    """Return rows over all variables, the further ones from a column on."""
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
            f"the upper bounds add up to {most:g}, {invested - most:g} short of invested={invested:g}; raise some",
            value=invested - most,
        )
    if least > invested + SAME_SUM:
        raise InfeasibleError(
            f"the lower bounds add up to {least:g}, {least - invested:g} above invested={invested:g}; lower some",
            value=least - invested,
        )
