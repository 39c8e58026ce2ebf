"""MnTable: tables with typed columns over SQLite, and lazy views of them.

A :class:`Table` stores rows in memory or in a file. The views of a table (:meth:`~Table.restrict`,
:meth:`~Table.project`, :meth:`~Table.join`, :meth:`~Table.aggregate` …) are immutable, compose into one SQL statement,
and are evaluated when they are iterated. :func:`col` refers to a column in conditions and expressions.
"""

from bank_python.completion import public_names
from bank_python.mntable.expressions import Expression, Ordering, col
from bank_python.mntable.schema import Column, Schema
from bank_python.mntable.table import Table
from bank_python.mntable.view import Relation, View

__all__ = ["Column", "Expression", "Ordering", "Relation", "Schema", "Table", "View", "col"]

__dir__ = public_names(__name__)
