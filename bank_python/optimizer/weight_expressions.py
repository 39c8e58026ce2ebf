"""Constraints written as comparisons of weights: ``lambda w: w >= 0.02``, ``lambda w: w[0] + w[1] <= 0.5``.

The function is called once with an expression that represents the weights. Expressions that are linear in the weights
can be compared with ``<=``, ``>=`` or ``==``: all weights, one of them (``w[0]``, ``w["SPY"]``), some of them
(``w[2:]``, ``w[["SPY", "BND"]]``), sums, differences, and products with numbers and vectors. Other expressions raise an
error.

Examples
--------
>>> (rule,) = constraints_of(lambda w: w["SPY"] + 2 * w["BTC"] <= 0.6, ("SPY", "BND", "BTC"))
>>> limit = rule.on(("SPY", "BND", "BTC"))
>>> limit.label, limit.rows.row_names, round(limit.violation(np.array([0.5, 0.4, 0.1])), 12)
('SPY + 2 BTC', ('SPY + 2 BTC at most 0.6',), 0.1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from bank_python.errors import ModelError
from bank_python.optimizer.bounds import WeightBounds
from bank_python.optimizer.groups import LinearLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.constraint import Constraint

__all__ = ["Comparison", "WeightExpression", "constraints_of"]

_ALTERNATIVES = (
    "write an expression that is linear in the weights, as w >= 0.02, w[0] <= 0.3 or w[:3].sum() <= 0.5; for limits on "
    "turnover or short positions give constraints=Constraints(turnover=..., leverage=...), and for any other rule a "
    "Constraint"
)
_NAMED = 4


class WeightExpression:
    """Linear expression of the weights; the argument of functions in :meth:`EfficientFrontier.add_constraint`.

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the assets.
    matrix : ndarray, shape (k, n_assets) or (n_assets,)
        Coefficients of the weights, a row for each value; one-dimensional for a single value.
    offset : ndarray, shape (k,) or ()
        Constant term of each value.
    """

    __array_ufunc__ = None  # makes numpy defer comparisons and products with arrays to this class
    __hash__ = None  # type: ignore[assignment]  # == creates a constraint, so it cannot define a hash

    def __init__(self, tickers: tuple[str, ...], matrix: FloatArray, offset: FloatArray) -> None:
        self.tickers, self.matrix, self.offset = tickers, matrix, offset

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return tuple(self.offset.shape)

    def __len__(self) -> int:
        return len(self.offset)

    def __iter__(self) -> Iterator[WeightExpression]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: object) -> WeightExpression:
        if not self.shape:
            raise ModelError("a single weight cannot be indexed; index all weights, as w[0]")
        chosen: Any = self._place(key) if isinstance(key, str) else key
        if isinstance(key, list | tuple) and key and all(isinstance(name, str) for name in key):
            chosen = [self._place(name) for name in key]
        try:
            return WeightExpression(self.tickers, self.matrix[chosen], np.asarray(self.offset[chosen]))
        except IndexError:
            raise ModelError(
                f"no weight has the index {key!r} among {len(self)}; count from 0, or give a ticker"
            ) from None

    def sum(self) -> WeightExpression:
        """Return the sum of the values."""
        rows = np.atleast_2d(self.matrix)
        return WeightExpression(self.tickers, rows.sum(axis=0), np.asarray(self.offset.sum()))

    def __add__(self, other: WeightExpression | ArrayLike) -> WeightExpression:
        matrix, offset = self._parts(other)
        return WeightExpression(self.tickers, *_broadcast(self.matrix + matrix, self.offset + offset))

    __radd__ = __add__

    def __neg__(self) -> WeightExpression:
        return WeightExpression(self.tickers, -self.matrix, -self.offset)

    def __sub__(self, other: WeightExpression | ArrayLike) -> WeightExpression:
        return self + -_linear(self, other)

    def __rsub__(self, other: ArrayLike) -> WeightExpression:
        return -self + other

    def __mul__(self, other: ArrayLike) -> WeightExpression:
        factor = _numbers(other, "a product")
        matrix = self.matrix * factor[..., None]
        return WeightExpression(self.tickers, *_broadcast(matrix, self.offset * factor))

    __rmul__ = __mul__

    def __truediv__(self, other: ArrayLike) -> WeightExpression:
        return self * (1.0 / _numbers(other, "a quotient"))

    def __matmul__(self, other: ArrayLike) -> WeightExpression:
        return self.__rmatmul__(np.transpose(_numbers(other, "a product")))

    def __rmatmul__(self, other: ArrayLike) -> WeightExpression:
        factor = _numbers(other, "a product")
        if not self.shape or factor.shape[-1:] != self.shape:
            raise ModelError(f"a product of shapes {factor.shape} and {self.shape}; give one number for each weight")
        return WeightExpression(self.tickers, factor @ self.matrix, np.asarray(factor @ self.offset))

    def __le__(self, other: WeightExpression | ArrayLike) -> Comparison:
        return Comparison(self - other, -np.inf, 0.0)

    def __ge__(self, other: WeightExpression | ArrayLike) -> Comparison:
        return Comparison(self - other, 0.0, np.inf)

    def __eq__(self, other: object) -> Comparison:  # type: ignore[override]
        return Comparison(self + -_linear(self, other), 0.0, 0.0)

    def __ne__(self, other: object) -> NoReturn:
        raise ModelError(f"weights different from {other!r} are not a convex set; {_ALTERNATIVES}")

    def __lt__(self, other: object) -> NoReturn:
        raise ModelError(f"weights strictly below {other!r} have no maximum; write <=")

    def __gt__(self, other: object) -> NoReturn:
        raise ModelError(f"weights strictly above {other!r} have no minimum; write >=")

    def __abs__(self) -> NoReturn:
        raise ModelError(f"abs() of weights is not linear; {_ALTERNATIVES}")

    def __pow__(self, power: object) -> NoReturn:
        raise ModelError(f"weights to the power {power!r} are not linear; {_ALTERNATIVES}")

    def __bool__(self) -> NoReturn:
        raise ModelError(
            "an expression of weights has no truth value before the optimisation; return the comparison itself"
        )

    def _place(self, name: str) -> int:
        if len(self) != len(self.tickers) or name not in self.tickers:
            raise ModelError(
                f"the expression has no weight of {name!r}; there are {', '.join(self.tickers)}", name=name
            )
        return self.tickers.index(name)

    def _parts(self, other: object) -> tuple[FloatArray, FloatArray]:
        linear = _linear(self, other)
        return linear.matrix, linear.offset


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Result of a comparison: values that are linear in the weights, between two limits.

    Parameters
    ----------
    values : WeightExpression
        Left side of the comparison less the right side.
    lower, upper : float
        Lower and upper limit of every value; infinite for none.
    """

    values: WeightExpression
    lower: float
    upper: float

    def __bool__(self) -> NoReturn:
        raise ModelError(
            "a comparison of weights has no truth value, so it cannot be chained or combined with and; "
            "add two constraints, as w >= 0.02 and then w <= 0.4"
        )

    def constraints(self) -> tuple[Constraint, ...]:
        """Return the constraints: bounds for values of a single weight, a linear limit for each other value."""
        matrix = np.atleast_2d(self.values.matrix)
        offset = np.broadcast_to(self.values.offset, (len(matrix),))
        constant = np.flatnonzero(~matrix.any(axis=1))
        if len(constant):
            raise ModelError(f"a comparison contains no weight, only {offset[constant[0]]:g}; {_ALTERNATIVES}")
        lower, upper, tickers = self.lower - offset, self.upper - offset, self.values.tickers
        is_single = (matrix != 0.0).sum(axis=1) == 1
        rows = tuple(
            LinearLimit(_name(matrix[i], tickers), matrix[i], float(lower[i]), float(upper[i]))
            for i in np.flatnonzero(~is_single).tolist()
        )
        if not is_single.any():
            return rows
        return (WeightBounds(_pairs(matrix[is_single], lower[is_single], upper[is_single])), *rows)


def constraints_of(rule: Callable[[WeightExpression], object], tickers: tuple[str, ...]) -> tuple[Constraint, ...]:
    """Return the constraints that a function of the weights defines.

    Parameters
    ----------
    rule : callable
        Function from a :class:`WeightExpression` to a comparison.
    tickers : tuple of str
        Tickers of the assets, in the order of the weights.

    Raises
    ------
    ModelError
        If the function does not return a comparison, or is not linear in the weights; the message names the function.
    """
    n = len(tickers)
    weights = WeightExpression(tickers, np.eye(n), np.zeros(n))
    name = getattr(rule, "__name__", type(rule).__name__)
    if not callable(rule):
        raise ModelError(f"a constraint {rule!r}; give a function of the weights, or a Constraint")
    try:
        result = rule(weights)
        if isinstance(result, Comparison):
            return result.constraints()
    except ModelError as error:
        raise ModelError(f"the constraint {name} is not valid: {error}", name=name) from error
    except (TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"the constraint {name} is not valid ({error}); {_ALTERNATIVES}", name=name) from error
    raise ModelError(
        f"the constraint {name} returned {result!r}, which is not a comparison; {_ALTERNATIVES}", name=name
    )


def _linear(like: WeightExpression, other: object) -> WeightExpression:
    if isinstance(other, WeightExpression):
        return other
    offset = _numbers(other, "a sum or a comparison")
    return WeightExpression(like.tickers, np.zeros((*offset.shape, len(like.tickers))), offset)


def _numbers(given: object, purpose: str) -> FloatArray:
    if isinstance(given, WeightExpression):
        raise ModelError(f"{purpose} of weights with weights is not linear; {_ALTERNATIVES}")
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{purpose} of weights with {given!r}; give a number, or one for each weight") from None
    if not np.isfinite(numbers).all():
        raise ModelError(f"{purpose} of weights with {given!r}; give finite numbers, and leave out infinite limits")
    return numbers


def _broadcast(matrix: FloatArray, offset: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.broadcast_to(matrix, (*offset.shape, matrix.shape[-1])), offset


def _pairs(matrix: FloatArray, lower: FloatArray, upper: FloatArray) -> list[tuple[float, float]]:
    """Return the bounds of every weight that follow from rows of a single weight each."""
    low, high = np.full(matrix.shape[1], -np.inf), np.full(matrix.shape[1], np.inf)
    for row, least, most in zip(matrix, lower, upper, strict=True):
        i = int(np.flatnonzero(row)[0])
        ends = sorted((float(least / row[i]), float(most / row[i])))
        low[i], high[i] = max(low[i], ends[0]), min(high[i], ends[1])
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _name(row: FloatArray, tickers: tuple[str, ...]) -> str:
    """Return a weighted sum as text, such as ``SPY + 2 BTC - TLT``."""
    counted = np.flatnonzero(row)
    words: list[str] = []
    for i in counted[:_NAMED].tolist():
        size = "" if abs(row[i]) == 1.0 else f"{abs(row[i]):g} "
        sign = ("- " if words else "-") if row[i] < 0.0 else ("+ " if words else "")
        words.append(f"{sign}{size}{tickers[i]}")
    more = f" and {len(counted) - _NAMED} more" if len(counted) > _NAMED else ""
    return " ".join(words) + more
