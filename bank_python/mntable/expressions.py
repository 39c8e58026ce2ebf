"""Expressions over columns: conditions on rows, and computed values.

``col("price")`` refers to a column. Arithmetic and comparisons combine it to larger expressions, which are independent
of a table. A view *binds* them to its columns: names and types are checked, and each expression becomes a
:class:`Fragment`, which has SQL text with placeholders, the values of these, and the type of the result.

Logic is two-valued, as in Python: a comparison with None is False, except that None equals None and differs
from all other values; ``~`` of False is True. (In SQL the comparison would be NULL, and so would its negation, so that
a row with an empty cell satisfies neither a condition nor its negation.)

>>> dear_or_unpriced = (col("price") > 100) | col("price").is_null()
>>> dear_or_unpriced
((col('price') > 100) | col('price').is_null())
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bank_python.display import Record
from bank_python.errors import ColumnTypeError, SchemaError
from bank_python.mntable.column_types import BOOL, FLOAT, INT, STR, ColumnType, infer
from bank_python.mntable.names import checked_name, unknown_column

__all__ = ["Expression", "Fragment", "Ordering", "as_expression", "col"]

# Below SQLite's default limit of placeholders in a statement (32766), with room for the rest of the statement.
MAX_CHOICES = 30_000


@dataclass(frozen=True, slots=True)
class Fragment:
    """The SQL of an expression.

    Parameters
    ----------
    sql : str
        SQL text, with a ``?`` for each value.
    parameters : tuple
        Stored values for the placeholders, in order.
    type : ColumnType
        Type of the result.
    nullable : bool
        Whether the result of the expression may be None.
    plain : bool
        Whether the expression is just a column, so that using it twice costs no second computation.
    loose : bool
        Whether the expression is a condition that may be NULL instead of False.
    weight : int
        Number of columns it reads after SQLite has expanded the steps it refers to.
    """

    sql: str
    parameters: tuple[Any, ...]
    type: ColumnType
    nullable: bool = False
    plain: bool = False
    loose: bool = False
    weight: int = 1

    def as_value(self) -> Fragment:
        """Return the fragment as a value; a loose condition is converted to True or False."""
        return replace(self, sql=f"({self.sql} IS TRUE)", loose=False) if self.loose else self


Scope = Mapping[str, Fragment]


class Expression(ABC):
    """A value computed from the columns of a row; conditions are expressions of type bool."""

    __slots__ = ()

    @abstractmethod
    def bind(self, scope: Scope) -> Fragment:
        """Return the SQL of this expression over the columns in `scope`, after checking names and types."""

    @abstractmethod
    def columns(self) -> frozenset[str]:
        """Return the names of the columns that the expression reads."""

    @abstractmethod
    def __repr__(self) -> str: ...

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]  # == builds a condition
        return self.is_null() if other is None else Comparison(self, "==", as_expression(other))

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]  # as above
        return ~self.is_null() if other is None else Comparison(self, "!=", as_expression(other))

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise SchemaError(f"{self!r} has no truth value: combine conditions with & | ~, not with and, or, not")

    def __lt__(self, other: Any) -> Expression:
        return Comparison(self, "<", as_expression(other))

    def __le__(self, other: Any) -> Expression:
        return Comparison(self, "<=", as_expression(other))

    def __gt__(self, other: Any) -> Expression:
        return Comparison(self, ">", as_expression(other))

    def __ge__(self, other: Any) -> Expression:
        return Comparison(self, ">=", as_expression(other))

    def __and__(self, other: Any) -> Expression:
        return Connective(self, "&", as_expression(other))

    def __or__(self, other: Any) -> Expression:
        return Connective(self, "|", as_expression(other))

    def __invert__(self) -> Expression:
        return Negation(self)

    def __add__(self, other: Any) -> Expression:
        return Arithmetic(self, "+", as_expression(other))

    def __radd__(self, other: Any) -> Expression:
        return Arithmetic(as_expression(other), "+", self)

    def __sub__(self, other: Any) -> Expression:
        return Arithmetic(self, "-", as_expression(other))

    def __rsub__(self, other: Any) -> Expression:
        return Arithmetic(as_expression(other), "-", self)

    def __mul__(self, other: Any) -> Expression:
        return Arithmetic(self, "*", as_expression(other))

    def __rmul__(self, other: Any) -> Expression:
        return Arithmetic(as_expression(other), "*", self)

    def __truediv__(self, other: Any) -> Expression:
        """Return the quotient, a float; None if the divisor is zero."""
        return Arithmetic(self, "/", as_expression(other))

    def __rtruediv__(self, other: Any) -> Expression:
        return Arithmetic(as_expression(other), "/", self)

    def __neg__(self) -> Expression:
        return Minus(self)

    def is_null(self) -> Expression:
        """Return the condition that the value is None."""
        return IsNull(self)

    def is_in(self, choices: Iterable[Any]) -> Expression:
        """Return the condition that the value is one of `choices`, which may include None."""
        if isinstance(choices, str | bytes) or not isinstance(choices, Iterable):
            raise SchemaError(f"is_in takes a list of values, not {choices!r}: write is_in([{choices!r}])")
        return IsIn(self, tuple(choices))

    def like(self, pattern: str) -> Expression:
        """Return the condition that the text matches `pattern`.

        ``%`` matches any text and ``_`` any single character. As in SQLite's LIKE, the letters A to Z match in upper
        and lower case.
        """
        return Like(self, pattern)

    def descending(self) -> Ordering:
        """Return a sort key with the largest value first."""
        return Ordering(self, descending=True)

    def ascending(self) -> Ordering:
        """Return a sort key with the smallest value first."""
        return Ordering(self, descending=False)


@dataclass(frozen=True, slots=True)
class Ordering(Record):
    """A sort key: an expression and a direction. None sorts before every value."""

    expression: Expression
    descending: bool


def col(name: str) -> Expression:
    """Return the expression for the column `name`.

    Examples
    --------
    >>> col("quantity") * col("price")
    (col('quantity') * col('price'))
    """
    return ColumnReference(checked_name(name))


def as_expression(value: Any) -> Expression:
    """Return `value` if it is an expression, else a constant with that value.

    Raises
    ------
    ColumnTypeError
        The value is None or NaN, or does not belong to any column type.
    """
    if isinstance(value, Expression):
        return value
    if value is None:
        raise ColumnTypeError(
            "None has no order and no arithmetic: compare with `== None`, or use .is_null()", value=None
        )
    if isinstance(value, list | tuple | set | frozenset):
        raise ColumnTypeError(f"{value!r} is not a single value: write col(name).is_in({list(value)!r})", value=value)
    return Literal(value, *infer(value))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ColumnReference(Expression):
    """Reference to a column by name."""

    name: str

    def bind(self, scope: Scope) -> Fragment:
        """Return the fragment of the column."""
        try:
            return scope[self.name]
        except KeyError:
            raise unknown_column(self.name, scope) from None

    def columns(self) -> frozenset[str]:
        """Return the name of the column."""
        return frozenset({self.name})

    def __repr__(self) -> str:
        return f"col({self.name!r})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Literal(Expression):
    """A constant, in SQL always a placeholder."""

    value: Any
    type: ColumnType
    stored: Any

    def bind(self, scope: Scope) -> Fragment:  # noqa: ARG002  (a constant reads no column)
        """Return a placeholder."""
        return Fragment("?", (self.stored,), self.type)

    def columns(self) -> frozenset[str]:
        """Return an empty set."""
        return frozenset()

    def __repr__(self) -> str:
        return repr(self.value)


class _Pair(Expression):
    """Base class of binary operators."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, left: Expression, operator: str, right: Expression) -> None:
        self.left = left
        self.operator = operator
        self.right = right

    def columns(self) -> frozenset[str]:
        """Return the names of the columns that either side reads."""
        return self.left.columns() | self.right.columns()

    def __repr__(self) -> str:
        return f"({self.left!r} {self.operator} {self.right!r})"


class Comparison(_Pair):
    """Comparison by ``== != < <= > >=`` between values of one family."""

    __slots__ = ()

    def bind(self, scope: Scope) -> Fragment:
        """Return the comparison, with IS if both sides may be None."""
        left, right = self.left.bind(scope).as_value(), self.right.bind(scope).as_value()
        _check_family(left, right, self)
        nullable = left.nullable or right.nullable
        exact = {"==": "IS" if nullable else "=", "!=": "IS NOT" if nullable else "<>"}
        operator = exact.get(self.operator, self.operator)
        loose = nullable and self.operator not in exact
        return _joined(left, operator, right, loose=loose)


class Connective(_Pair):
    """Conjunction or disjunction (``&``, ``|``) of two conditions."""

    __slots__ = ()

    def bind(self, scope: Scope) -> Fragment:
        """Return the conjunction or disjunction, in which NULL is equivalent to False."""
        left, right = _condition(self.left, scope), _condition(self.right, scope)
        operator = {"&": "AND", "|": "OR"}[self.operator]
        loose = any(side.loose or side.nullable for side in (left, right))
        return _joined(left, operator, right, loose=loose)


class Arithmetic(_Pair):
    """Arithmetic operation ``+ - * /`` between numbers."""

    __slots__ = ()

    def bind(self, scope: Scope) -> Fragment:
        """Return the operation; the result of two ints is an int, except that of ``/``, which is a float."""
        left, right = self.left.bind(scope), self.right.bind(scope)
        for side in (left, right):
            _check_number(side, self)
        integral = left.type is INT and right.type is INT and self.operator != "/"
        # SQLite's division of integers truncates; Python's does not.
        first = f"CAST({left.sql} AS REAL)" if self.operator == "/" and left.type is INT else left.sql
        # The result of float arithmetic can be NaN (inf - inf), which SQLite converts to NULL.
        nullable = left.nullable or right.nullable or not integral
        return Fragment(
            f"({first} {self.operator} {right.sql})",
            left.parameters + right.parameters,
            INT if integral else FLOAT,
            nullable,
            weight=left.weight + right.weight,
        )


class _Operation(Expression):
    """Base class of operations on one expression."""

    __slots__ = ("operand",)

    def __init__(self, operand: Expression) -> None:
        self.operand = operand

    def columns(self) -> frozenset[str]:
        """Return the names of the columns that the operand reads."""
        return self.operand.columns()


class Negation(_Operation):
    """Negation (``~``) of a condition."""

    __slots__ = ()

    def bind(self, scope: Scope) -> Fragment:
        """Return the negation; NULL counts as False, so its negation is True."""
        inner = _condition(self.operand, scope)
        return Fragment(f"({inner.sql} IS NOT TRUE)", inner.parameters, BOOL, weight=inner.weight)

    def __repr__(self) -> str:
        return f"~{self.operand!r}"


class Minus(_Operation):
    """Negative of a number."""

    __slots__ = ()

    def bind(self, scope: Scope) -> Fragment:
        """Return the negative of the operand."""
        inner = self.operand.bind(scope)
        _check_number(inner, self)
        return Fragment(f"(-{inner.sql})", inner.parameters, inner.type, inner.nullable, weight=inner.weight)

    def __repr__(self) -> str:
        return f"-{self.operand!r}"


class IsNull(_Operation):
    """Condition that a value is None."""

    __slots__ = ()

    def bind(self, scope: Scope) -> Fragment:
        """Return the condition ``IS NULL``."""
        inner = self.operand.bind(scope).as_value()
        return Fragment(f"({inner.sql} IS NULL)", inner.parameters, BOOL, weight=inner.weight)

    def __repr__(self) -> str:
        return f"{self.operand!r}.is_null()"


class IsIn(_Operation):
    """Condition that a value is one of several constants."""

    __slots__ = ("choices",)

    def __init__(self, operand: Expression, choices: tuple[Any, ...]) -> None:
        super().__init__(operand)
        if len(choices) > MAX_CHOICES:
            raise SchemaError(
                f"is_in: {len(choices)} values are given, more than {MAX_CHOICES}: put them into a table and join"
            )
        self.choices = tuple(None if choice is None else as_expression(choice) for choice in choices)

    def bind(self, scope: Scope) -> Fragment:
        """Return the membership test, with IS NULL for a None among the choices."""
        inner = self.operand.bind(scope).as_value()
        bound = [choice.bind(scope).as_value() for choice in self.choices if choice is not None]
        for choice in bound:
            _check_family(inner, choice, self)
        parameters = inner.parameters + tuple(value for choice in bound for value in choice.parameters)
        sql = f"({inner.sql} IN ({', '.join(choice.sql for choice in bound)}))"
        if any(choice is None for choice in self.choices):
            sql, parameters = f"({sql} OR {inner.sql} IS NULL)", parameters + inner.parameters
        loose = inner.nullable or any(choice.nullable for choice in bound)
        weight = 2 * inner.weight + sum(choice.weight for choice in bound)
        return Fragment(sql, parameters, BOOL, loose=loose, weight=weight)

    def __repr__(self) -> str:
        return f"{self.operand!r}.is_in({list(self.choices)!r})"


class Like(_Operation):
    """Condition that a text matches a pattern."""

    __slots__ = ("pattern",)

    def __init__(self, operand: Expression, pattern: str) -> None:
        super().__init__(operand)
        self.pattern: str = STR.encode(pattern)

    def bind(self, scope: Scope) -> Fragment:
        """Return the LIKE condition."""
        inner = self.operand.bind(scope)
        if inner.type is not STR:
            raise ColumnTypeError(f"{self!r}: like() needs text, not {inner.type.name}", value=self.pattern)
        parameters = (*inner.parameters, self.pattern)
        return Fragment(f"({inner.sql} LIKE ?)", parameters, BOOL, loose=inner.nullable, weight=inner.weight)

    def __repr__(self) -> str:
        return f"{self.operand!r}.like({self.pattern!r})"


def _joined(left: Fragment, operator: str, right: Fragment, *, loose: bool) -> Fragment:
    return Fragment(
        f"({left.sql} {operator} {right.sql})",
        left.parameters + right.parameters,
        BOOL,
        loose=loose,
        weight=left.weight + right.weight,
    )


def _condition(expression: Expression, scope: Scope) -> Fragment:
    fragment = expression.bind(scope)
    if fragment.type is not BOOL:
        raise ColumnTypeError(
            f"{expression!r} is a {fragment.type.name}, not a condition: compare it with a value", value=expression
        )
    return fragment


def _check_family(left: Fragment, right: Fragment, where: Expression) -> None:
    if left.type.family != right.type.family:
        raise ColumnTypeError(
            f"{where!r} compares {left.type.name} with {right.type.name}: give a value of the column's type",
            value=where,
        )


def _check_number(fragment: Fragment, where: Expression) -> None:
    if fragment.type.family != "number":
        raise ColumnTypeError(
            f"{where!r} computes with a {fragment.type.name}: arithmetic is for int and float columns", value=where
        )
