"""Sizes of trades and of weights as variables of their own: how a limit on turnover or leverage becomes linear rows.

A size t of a trade is at least the trade and at least its opposite; their sum may be limited. Where the limit binds,
every size is pressed down onto the trade, so nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.feasible import FeasibleSet

__all__ = ["SizedSet", "with_sizes"]


@dataclass(frozen=True, slots=True, eq=False)
class SizedSet:
    """A feasible set over weights and sizes.

    Parameters
    ----------
    width : int
        Weights and sizes.
    A, b : ndarray
        Equalities over all of them.
    rows, sides : ndarray
        Inequalities that have a name.
    hard, hard_sides : ndarray
        Inequalities that make the sizes sizes.
    equal_names, row_names : tuple of str
        Names.
    """

    width: int
    A: FloatArray
    b: FloatArray
    rows: FloatArray
    sides: FloatArray
    hard: FloatArray
    hard_sides: FloatArray
    equal_names: tuple[str, ...]
    row_names: tuple[str, ...]


def with_sizes(allowed: FeasibleSet, *, turnover: bool, leverage: bool) -> SizedSet:
    """Return the set with sizes of trades, of weights, or both, each with its limit."""
    n = len(allowed.tickers)
    blocks = [
        (f"{name} at most {most:g}", centre, most)
        for name, wanted, centre, most in (
            ("turnover", turnover, allowed.current, allowed.turnover),
            ("leverage", leverage, np.zeros(n), allowed.leverage),
        )
        if wanted and most is not None
    ]
    width = n * (1 + len(blocks))
    rows, sides, names = [_wider(allowed.G, width)], [allowed.h], list(allowed.row_names)
    hard, hard_sides = [np.zeros((0, width))], [np.zeros(0)]
    for number, (name, centre, most) in enumerate(blocks, start=1):
        block = np.zeros((n, width))
        block[:, :n] = np.eye(n)
        sizes = np.zeros((n, width))
        sizes[:, number * n : (number + 1) * n] = np.eye(n)
        hard += [block - sizes, -block - sizes]
        hard_sides += [centre, -centre]
        rows.append(sizes.sum(axis=0, keepdims=True))
        sides.append(np.array([most]))
        names.append(name)
    return SizedSet(
        width=width,
        A=_wider(allowed.A, width),
        b=allowed.b,
        rows=np.vstack(rows),
        sides=np.concatenate(sides),
        hard=np.vstack(hard),
        hard_sides=np.concatenate(hard_sides),
        equal_names=allowed.equal_names,
        row_names=tuple(names),
    )


def _wider(rows: FloatArray, width: int) -> FloatArray:
    return np.hstack([rows, np.zeros((len(rows), width - rows.shape[1]))])
