"""Constraints and costs of a portfolio: bounds, groups, turnover, leverage, trading costs, and the sum of weights.

By default a portfolio is fully invested and long only: bounds of (0, 1) and weights with a sum of one. Negative bounds
allow short positions; a 130/30 portfolio has such bounds and ``leverage=1.6``; a market-neutral portfolio has
``invested=0``. Other kinds of constraints are objects (:mod:`bank_python.optimizer.constraint`), passed as
``rules=[...]``.

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

from bank_python.display import Record
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.optimizer.bounds import LONG_ONLY, Bounds, WeightBounds
from bank_python.optimizer.constraint import Constraint
from bank_python.optimizer.costs import Cost, TradingCost
from bank_python.optimizer.groups import Group, Invested
from bank_python.optimizer.sizes import Leverage, Turnover

__all__ = ["Constraints"]


@guessable
@dataclass(frozen=True, slots=True)
class Constraints(Record):
    """Constraints on the weights of a portfolio, and the cost of trading.

    Parameters
    ----------
    bounds : pair, sequence of pairs or mapping of str to pair, default (0, 1)
        Lower and upper bound of each weight; infinite where a weight is unbounded.
    groups : sequence of Group
        Limits on sums of weights.
    invested : float, default 1
        Sum of the weights: 1 for a fully invested portfolio, 0 for a market-neutral one.
    turnover : float, optional
        Largest turnover: the sum of the absolute changes of weights from `current`, at least 0.
    leverage : float, optional
        Largest sum of the absolute weights, at least 0.
    transaction_cost : float or mapping of str to float, default 0
        Cost of trading per unit of traded weight, the same for all assets or by ticker, deducted from the return per
        year; at least 0.
    current : mapping of str to float, optional
        Present weights by ticker; assets not listed have a weight of 0. Required for turnover and costs.
    rules : sequence of Constraint
        Constraints of any other kind.

    Raises
    ------
    ModelError
        If a value is out of range, an element of `groups` or `rules` has the wrong type, or turnover or costs are given
        without `current`.
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
            raise ModelError(
                f"invested={self.invested!r}; give a finite sum of weights, 1 for fully invested", value=self.invested
            )
        for name, most in (("turnover", self.turnover), ("leverage", self.leverage)):
            if most is not None and not 0.0 <= most < math.inf:
                raise ModelError(f"{name}={most!r}; give a share of the wealth, at least 0", value=most)
        costs = _rates(self.transaction_cost)
        _check_elements("groups", self.groups, Group, "Group(name, members, lower, upper)")
        _check_elements("rules", self.rules, Constraint, "constraints, such as Group or a class of your own")
        if self.current is None and (self.turnover is not None or any(costs)):
            raise ModelError("turnover and transaction_cost are measured from the present weights; give current=")

    @classmethod
    def checked(cls, given: Constraints | None) -> Constraints:
        """Return the given constraints, or the default constraints for ``None``: long only and fully invested.

        Raises
        ------
        ModelError
            If `given` is neither constraints nor ``None``.
        """
        if given is not None and not isinstance(given, cls):
            raise ModelError(
                f"constraints={given!r}; give Constraints(bounds=..., groups=...), or a rule of your own as "
                "Constraints(rules=[...])"
            )
        return given or cls()

    @property
    def listed(self) -> tuple[Constraint, ...]:
        """All constraints as objects."""
        turnover = () if self.turnover is None else (Turnover(self.turnover, self.current),)
        leverage = () if self.leverage is None else (Leverage(self.leverage),)
        return (WeightBounds(self.bounds), Invested(self.invested), *self.groups, *turnover, *leverage, *self.rules)

    @property
    def costs(self) -> tuple[Cost, ...]:
        """All costs as objects."""
        free = not isinstance(self.transaction_cost, Mapping) and self.transaction_cost == 0.0
        return () if free else (TradingCost(self.transaction_cost, self.current),)


def _rates(cost: float | Mapping[str, float]) -> list[float]:
    if not isinstance(cost, int | float | np.number | Mapping):
        raise ModelError(f"transaction_cost={cost!r}; give one number, or a mapping by ticker")
    rates = [*cost.values()] if isinstance(cost, Mapping) else [cost]
    wrong = next((rate for rate in rates if not 0.0 <= rate < math.inf), None)
    if wrong is not None:
        raise ModelError(f"transaction_cost={wrong!r}; give a share of the traded value, at least 0", value=wrong)
    return rates


def _check_elements(name: str, given: Sequence[object], kind: type, expected: str) -> None:
    if isinstance(given, kind):
        raise ModelError(f"{name}={given!r}; give a list, even of one element")
    wrong = next((each for each in given if not isinstance(each, kind)), None)
    if wrong is not None:
        raise ModelError(f"{name} contains {wrong!r}; give a list of {expected}")
