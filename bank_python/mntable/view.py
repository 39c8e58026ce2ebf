"""Relations, the common interface of tables and views, and views themselves.

A view is a query that has not run yet. Each method below returns a new view and does not change the existing one; a
chain of methods is one SQL statement, which runs when the view is iterated, counted or converted.

>>> from bank_python.mntable import Table, col
>>> trades = Table.from_rows(
...     [("counterparty", str), ("quantity", float), ("price", float)],
...     [
...         {"counterparty": "GS", "quantity": 1000, "price": 104.33},
...         {"counterparty": "JPM", "quantity": 500, "price": 104.33},
...         {"counterparty": "GS", "quantity": 300, "price": 12.95},
...     ],
... )
>>> above_100 = trades.restrict(col("price") > 100).compute(value=col("quantity") * col("price"))
>>> above_100.project("counterparty", "value").order_by("-value").first()
{'counterparty': 'GS', 'value': 104330.0}
>>> above_100.project("value").sql
'SELECT ("quantity" * "price") AS "value" FROM main."table" WHERE ("price" > ?)'
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bank_python.display import TEXT_LINES, Displayed, as_text
from bank_python.errors import CallError, SchemaError
from bank_python.guessing import guessable
from bank_python.jsonable import jsonable
from bank_python.mntable import algebra, arrays, arrow, csv_files, execution
from bank_python.mntable.replacement import replacing
from bank_python.wording import words_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from bank_python.mntable.expressions import Expression, Ordering
    from bank_python.mntable.plan import Block
    from bank_python.mntable.schema import Schema

__all__ = ["Relation", "View"]


_WORDS = {
    **dict.fromkeys(("select", "columns_", "loc", "iloc"), "project(*columns)"),
    **dict.fromkeys(("filter", "where", "query"), "restrict(*conditions, **equals)"),
    **dict.fromkeys(("groupby", "group_by", "agg", "pivot"), "aggregate(by, {column: function})"),
    **dict.fromkeys(("sort", "sort_values", "sort_by", "orderby"), "order_by(*columns)"),
    **dict.fromkeys(("head", "take", "top", "fetch"), "limit(count)"),
    **dict.fromkeys(
        ("assign", "with_column", "with_columns", "mutate", "apply", "map", "add_column", "calculate"),
        "compute(name=expression)",
    ),
    **dict.fromkeys(("merge", "left_join", "inner_join"), "join(other, on)"),
    **dict.fromkeys(("concat", "union_all"), "union(other)"),
    **dict.fromkeys(("unique", "drop_duplicates"), "distinct()"),
    **dict.fromkeys(("to_df", "df", "to_frame", "toPandas", "to_dataframe"), "to_pandas()"),
    **dict.fromkeys(("to_dict", "to_dicts", "rows", "collect", "iterrows", "itertuples"), "to_list(), or iterate"),
    **dict.fromkeys(("shape", "size", "count"), "len(table) and table.columns"),
    **dict.fromkeys(("dtypes", "types"), "schema"),
    **dict.fromkeys(("insert", "add", "add_row", "append_row"), "append(row), or extend(rows), of a Table"),
    **dict.fromkeys(("read_csv", "load_csv"), "Table.from_csv(source, schema)"),
    **dict.fromkeys(("to_polars",), "polars.from_arrow(table.to_arrow())"),
    **dict.fromkeys(("describe", "summary"), "aggregate(by, {column: function}), or to_pandas().describe()"),
}
_say_word = words_of(_WORDS)


class Relation(Displayed, ABC):
    """Rows with named and typed columns: a table, or a view of tables.

    Notes
    -----
    Iteration yields one dictionary per row, in column order, and keeps at most a few hundred rows in memory. Several
    iterators may be open at the same time, also while rows are added or deleted: each sees the rows that were committed
    when its first row was requested. The order is that of :meth:`order_by`, and unspecified without it.
    """

    @property
    @abstractmethod
    def block(self) -> Block:
        """Logical plan of this relation, for the algebra."""

    @property
    def schema(self) -> Schema:
        """Columns with their types."""
        return self.block.schema

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self.schema.names

    # --- the algebra ------------------------------------------------------------------------------

    @guessable
    def restrict(self, *conditions: Expression, **equals: Any) -> View:
        """Return the rows that satisfy every condition.

        Parameters
        ----------
        *conditions : Expression
            Conditions such as ``col("price") > 100``; combine them with ``& | ~``.
        **equals
            Values that columns have to equal, by column name; None selects rows without a value.

        Raises
        ------
        SchemaError
            No condition is given.
        UnknownColumnError
            A column does not exist.
        ColumnTypeError
            A column is compared with a value of another type.
        """
        return View(algebra.restrict(self.block, conditions, equals))

    @guessable
    def project(self, *columns: str) -> View:
        """Return the named columns only, in the given order; duplicate rows are kept."""
        return View(algebra.project(self.block, columns))

    @guessable
    def compute(self, **expressions: Any) -> View:
        """Return the rows with computed columns added.

        Parameters
        ----------
        **expressions
            Expressions (``col("quantity") * col("price")``) or constants, by name of the new column. All refer to the
            existing columns; a new column replaces an existing one of the same name. The result of ``/`` is a float,
            or None if the divisor is zero; the result of an operation on None is None; an int result beyond 64 bits
            raises an error when it is read.
        """
        return View(algebra.compute(self.block, expressions))

    @guessable
    def rename(self, **names: str) -> View:
        """Return the rows with columns renamed; each keyword is an old name, its value the new name."""
        return View(algebra.rename(self.block, names))

    @guessable
    def join(self, other: Relation, on: str | Sequence[str], how: Literal["inner", "left"] = "inner") -> View:
        """Return the pairs of rows whose `on` columns are equal.

        Parameters
        ----------
        other : Relation
            Relation to join with; its remaining columns follow those of this one, and their names must be different. If
            it is in another database, both sides are copied to a scratch database for each run.
        on : str or sequence of str
            Names of the columns to join on, which both sides have. None does not equal None here.
        how : {"inner", "left"}
            Kind of join; ``"left"`` keeps rows without a partner, with None for the columns of the other side.
        """
        return View(algebra.join(self.block, _relation(other, "join").block, on, how))

    @guessable
    def aggregate(self, by: str | Sequence[str], functions: Mapping[str, str | tuple[str, str]]) -> View:
        """Return one row per group.

        Parameters
        ----------
        by : str or sequence of str
            Names of the columns to group by; an empty sequence makes one group of all rows. Rows with None form a group
            of their own.
        functions : mapping
            Functions by column name, in which case the result has the name of the column, or pairs (column, function)
            by name of the result. The functions are ``sum mean avg min max count count_distinct std``; see
            :mod:`~bank_python.mntable.aggregates`.
        """
        return View(algebra.aggregate(self.block, by, functions))

    @guessable
    def order_by(self, *keys: str | Expression | Ordering) -> View:
        """Return the rows sorted.

        Parameters
        ----------
        *keys
            Column names, preceded by ``-`` for descending order, or expressions. None sorts before every value.
            Rows that are equal by these keys keep the order of an earlier ``order_by``. The order is preserved by
            restrict, project, compute, rename and limit.
        """
        return View(algebra.order_by(self.block, keys))

    @guessable
    def distinct(self) -> View:
        """Return the rows without duplicates."""
        return View(algebra.distinct(self.block))

    @guessable
    def limit(self, count: int, offset: int = 0) -> View:
        """Return the first `count` rows after skipping `offset` rows."""
        return View(algebra.limit(self.block, count, offset))

    @guessable
    def union(self, other: Relation, all: bool = True) -> View:  # noqa: A002  (the keyword of SQL)
        """Return the rows of both relations, without duplicates if ``all=False``; columns are matched by name."""
        return View(algebra.union(self.block, _relation(other, "union").block, keep_all=all))

    # --- the statement ----------------------------------------------------------------------------

    @property
    def sql(self) -> str:
        """SQL text of the statement, with a placeholder for each value."""
        return execution.statement_of(self.block).sql

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Stored values for the placeholders of the statement."""
        return execution.statement_of(self.block).parameters

    def explain(self) -> str:
        """Return SQLite's query plan, one line per step; it shows whether an index is used."""
        return execution.explain(self.block)

    # --- the rows ---------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self.schema.decoder(), execution.rows(self.block))

    def __len__(self) -> int:
        return execution.count(self.block)

    def to_list(self) -> list[dict[str, Any]]:
        """Return all rows as dictionaries in column order.

        Examples
        --------
        >>> from bank_python.mntable import Table
        >>> Table.from_rows([("ticker", str), ("price", float)], [{"ticker": "AAPL", "price": 228}]).to_list()
        [{'ticker': 'AAPL', 'price': 228.0}]
        """
        return [*iter(self)]

    def first(self) -> dict[str, Any] | None:
        """Return the first row, or ``None`` if there is none."""
        return next(iter(self.limit(1).to_list()), None)

    def to_numpy(self) -> dict[str, NDArray[Any]]:
        """Return one array per column, each of shape (n_rows,).

        Returns
        -------
        dict of str to ndarray
            Arrays by column name, of dtype float64 (None as NaN), int64, bool, datetime64[us] in UTC and datetime64[D]
            (None as NaT); object for text, bytes, and nullable ints and bools.
        """
        return arrays.to_numpy(self.block)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name[0] != "_" and name in self.columns:
                raise AttributeError(
                    f"column {name!r} is no attribute; project({name!r}) selects it, to_numpy()[{name!r}] is its array",
                    name=name,
                    obj=self,
                )
            return _say_word(self, name)

        def __getitem__(self, key: object) -> Any:
            """Refuse to be subscripted, and say what selects."""
            raise CallError(
                f"a {type(self).__name__} is not subscripted by {key!r}; project({key!r}) selects columns, "
                f"restrict(...) rows, and to_pandas()[{key!r}] is a column of a frame",
                name=type(self).__name__,
                argument=None,
            )

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas data frame; requires the extra ``data``."""
        return arrays.to_pandas(self.block)

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table; requires the extra ``data``."""
        return arrow.to_arrow(self.block)

    @guessable
    def to_csv(self, path: str | os.PathLike[str], null: str = "") -> None:
        """Write a CSV file, which :meth:`Table.from_csv <bank_python.mntable.Table.from_csv>` reads back exactly.

        Parameters
        ----------
        path : path
            Path of the file, which is replaced when all rows are written.
        null : str
            Text that represents None; a nullable column must not contain that text.
        """
        csv_files.to_csv(self.block, Path(path).expanduser(), null)

    @guessable
    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write a Parquet file; requires the extra ``data``."""
        arrow.to_parquet(self.block, Path(path).expanduser())

    @guessable
    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the rows as JSON text, a list with an object for each row, and write it if a path is given.

        Parameters
        ----------
        path : path, optional
            File to write; an existing one is replaced when all is written.

        Notes
        -----
        Numbers that are not finite become null, dates and times ISO 8601 text, bytes hexadecimal text.

        Examples
        --------
        >>> from bank_python.mntable import Table
        >>> Table.from_rows([("ticker", str), ("price", float)], [{"ticker": "AAPL", "price": 228}]).to_json()
        '[{"ticker": "AAPL", "price": 228.0}]'
        """
        rows = [{name: cell.hex() if isinstance(cell, bytes) else cell for name, cell in row.items()} for row in self]
        text = json.dumps(jsonable(rows), ensure_ascii=False)
        if path is not None:
            with replacing(Path(path).expanduser()) as part:
                part.write_text(text, encoding="utf-8")
        return text

    def __repr__(self) -> str:
        return self._heading()

    def __str__(self) -> str:
        return f"{self._heading()}\n{as_text(self, lines=TEXT_LINES - 1)}"

    def _heading(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.schema))})"

    def __rich__(self) -> object:
        from bank_python.render import table_view

        return table_view(self)


def _relation(other: Any, what: str) -> Relation:
    if not isinstance(other, Relation):
        raise SchemaError(f"{what} takes a table or view, not {other!r}: create one with Table.from_rows")
    return other


class View(Relation):
    """An immutable, lazy query of tables; returned by the methods of tables and views."""

    __slots__ = ("_block",)

    def __init__(self, block: Block) -> None:
        self._block = block

    @property
    def block(self) -> Block:
        """Logical plan of this view."""
        return self._block
