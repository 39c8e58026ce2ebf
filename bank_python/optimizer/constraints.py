"""What a portfolio may be: bounds, groups, turnover, leverage, what trading costs, and how much is invested.

A portfolio is fully invested and long only unless it is told otherwise: bounds of (0, 1) and weights that add up to
one. Who wants to sell short gives bounds below 0; who wants 130/30 gives bounds, and ``leverage=1.6``; who wants to be
market neutral gives ``invested=0``. Any other rule is an object
(:mod:`bank_python.optimizer.constraint`), given as ``rules=[...]``.

Examples
--------
>>> rules = Constraints(
...     bounds={"BTC": (0.0, 0.1)}, groups=[Group("shares", ["SPY", "QQQ"], upper=0.6)], leverage=1.0
... )
>>> [rule.on(("BTC", "SPY", "QQQ")).label for rule in rules.listed]
['bounds', 'invested', 'shares', 'leverage at most 1']
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bank_python.errors import ModelError
from bank_python.optimizer.bounds import LONG_ONLY, Bounds, WeightBounds
from bank_python.optimizer.constraint import Constraint
from bank_python.optimizer.costs import Cost, TradingCost
from bank_python.optimizer.groups import Group, Invested
from bank_python.optimizer.sizes import Leverage, Turnover

__all__ = ["Constraints"]


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a portfolio may be.

    Parameters
    ----------
    bounds : pair, sequence of pairs or mapping of str to pair, default (0, 1)
        The least and the most of each weight; infinite for none.
    groups : sequence of Group
        Limits on sums of weights.
    invested : float, default 1
        What the weights add up to.
    turnover : float, optional
        The most that is traded: the sum of the sizes of the changes from `current`, at least 0.
    leverage : float, optional
        The most that the sizes of the weights add up to, above 0.
    transaction_cost : float or mapping of str to float, default 0
        What a unit of traded weight costs, taken off a year's return; at least 0.
    current : mapping of str to float, optional
        What is held now; who is not named is not held. Needed for turnover and cost.
    rules : sequence of Constraint
        Rules of any other kind.

    Raises
    ------
    ModelError
        A figure is out of range, a group or a rule is none, or turnover or cost are given without what is held now.
    """

    bounds: Bounds = LONG_ONLY
    groups: Sequence[Group] = ()
    invested: float = 1.0
    turnover: float | None = None
    leverage: float | None = None
    transaction_cost: float | Mapping[str, float] = 0.0
    current: Mapping[str, float] | None = None
    rules: Sequence[Constraint] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.invested):
            raise ModelError(f"invested={self.invested!r}; 1 is all of the wealth", value=self.invested)
        for name, most in (("turnover", self.turnover), ("leverage", self.leverage)):
            if most is not None and not 0.0 <= most < math.inf:
                raise ModelError(f"{name}={most!r}; give a share of the wealth from 0 on", value=most)
        costs = _rates(self.transaction_cost)
        _refuse_strangers("groups", self.groups, Group, "Group(name, members, lower, upper)")
        _refuse_strangers("rules", self.rules, Constraint, "constraints, as Group or a class of your own")
        if self.current is None and (self.turnover is not None or any(costs)):
            raise ModelError("turnover and transaction_cost count from what is held now; give current=")

    @classmethod
    def checked(cls, given: Constraints | None) -> Constraints:
        """Return constraints; the usual ones for none, long only and fully invested.

        Raises
        ------
        ModelError
            What is given is something else.
        """
        if given is not None and not isinstance(given, cls):
            raise ModelError(
                f"constraints={given!r}; give Constraints(bounds=..., groups=...), or a rule of your own as "
                "Constraints(rules=[...])"
            )
        return given or cls()

    @property
    def listed(self) -> tuple[Constraint, ...]:
        """Every constraint as an object."""
        traded = () if self.turnover is None else (Turnover(self.turnover, self.current),)
        sized = () if self.leverage is None else (Leverage(self.leverage),)
        return (WeightBounds(self.bounds), Invested(self.invested), *self.groups, *traded, *sized, *self.rules)

    @property
    def costs(self) -> tuple[Cost, ...]:
        """Every cost as an object."""
        free = not isinstance(self.transaction_cost, Mapping) and self.transaction_cost == 0.0
        return () if free else (TradingCost(self.transaction_cost, self.current),)


def _rates(cost: float | Mapping[str, float]) -> list[float]:
    if not isinstance(cost, int | float | np.number | Mapping):
        raise ModelError(f"transaction_cost={cost!r}; give one figure, or a mapping by ticker")
    rates = [*cost.values()] if isinstance(cost, Mapping) else [cost]
    wrong = next((rate for rate in rates if not 0.0 <= rate < math.inf), None)
    if wrong is not None:
        raise ModelError(f"transaction_cost={wrong!r}; give a share of what is traded from 0 on", value=wrong)
    return rates


def _refuse_strangers(name: str, given: Sequence[object], kind: type, way_out: str) -> None:
    if isinstance(given, kind):
        raise ModelError(f"{name}={given!r}; give a list of them")
    strange = next((each for each in given if not isinstance(each, kind)), None)
    if strange is not None:
        raise ModelError(f"{name} holds {strange!r}; give a list of {way_out}")
