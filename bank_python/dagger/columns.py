"""Columns: arguments and outcomes of all nodes of one class as arrays, with a row per node.

A tick writes only changed inputs into the argument columns, and the rows that are due are priced in one call of the
class's ``price`` on those columns. The outcomes are stored in columns too, so that five thousand of them are compared,
stored and passed to their dependents by a few array operations.

The column holds NaN for a row whose outcome is a :class:`~bank_python.dagger.outcome.Failure`; the failure itself is
stored in a dictionary. A row with an input that is not a number is *blocked*: it fails whatever ``price`` returns.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from bank_python.dagger.batch import LiveBatch, input_failure
from bank_python.dagger.node import Node, present
from bank_python.dagger.outcome import Failure, Outcome, same

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from bank_python.dagger.array_node import ArrayNode

__all__ = ["Columns", "Priced"]


class Priced(NamedTuple):
    """Rows that were changed by a pricing, with their old and new values (NaN for a failure)."""

    rows: NDArray[np.intp]
    old: NDArray[np.float64]
    new: NDArray[np.float64]


class Columns:
    """Arguments and outcomes of the nodes of one class with one kind of sources (:attr:`ArrayNode.layout`).

    Attributes
    ----------
    nodes : list of ArrayNode
        Node of each row.
    batch : LiveBatch
        Batch of the nodes, with the arguments of ``price``.
    values, before : array of shape (capacity,)
        Current outcome of each row, and its outcome before the tick that last changed it; NaN where there is none.
    changed : array of shape (capacity,)
        Number of the tick that last changed the row.
    """

    def __init__(self, first: ArrayNode) -> None:
        self.type = type(first)
        self.batch = LiveBatch(self.type)
        self.nodes = self.batch.contracts
        capacity = self.batch.capacity
        self.values: NDArray[np.float64] = np.full(capacity, np.nan)
        self.before: NDArray[np.float64] = np.full(capacity, np.nan)
        self.changed: NDArray[np.int64] = np.zeros(capacity, dtype=np.int64)
        self.failures: dict[int, Failure] = {}
        self.failures_before: dict[int, Failure] = {}
        self.blocked: set[int] = set()
        self.fan: Any = None  # the sorted dependents of its rows (dependents.py)
        self._last_tick = -1
        self._heights: NDArray[np.intp] | None = None
        self._height: int | None = None

    # --- rows --------------------------------------------------------------------------------

    def add(self, node: ArrayNode) -> None:
        """Add a row for `node`."""
        row = self.batch.append(node)
        if row == len(self.values):
            self._grow()
        node.part_, node.row_ = self, row
        self.values[row] = self.before[row] = np.nan
        self.changed[row] = 0
        self.refresh(node)
        self.rearranged()

    def remove(self, node: ArrayNode) -> ArrayNode:
        """Remove the row of `node`, and return the node of the last row, which moves into its place."""
        row, last = node.row_, len(self.nodes) - 1
        moved = self.batch.remove(row) or node
        for column in (self.values, self.before, self.changed):
            column[row] = column[last]
        for failures in (self.failures, self.failures_before):
            failures.pop(row, None)
            if last in failures:
                failures[row] = failures.pop(last)
        moved.row_ = row
        node.part_ = None
        self.blocked = {row if other == last else other for other in self.blocked if other != row}
        self.rearranged()
        return moved

    def _grow(self) -> None:
        self.values = np.concatenate([self.values, np.full_like(self.values, np.nan)])
        self.before = np.concatenate([self.before, np.full_like(self.before, np.nan)])
        self.changed = np.concatenate([self.changed, np.zeros_like(self.changed)])

    def rearranged(self) -> None:
        """Discard what was derived from rows, heights and dependents."""
        self.fan = None
        self._heights = None

    def everything(self) -> NDArray[np.intp]:
        """Return the indices of all rows; the same array object as long as their number is unchanged."""
        return self.batch.everything

    def split_by_height(self, rows: NDArray[np.intp]) -> Iterable[tuple[int, NDArray[np.intp]]]:
        """Group `rows` by the height of their nodes."""
        if self._heights is None:
            self._heights = np.array([node.height_ for node in self.nodes], dtype=np.intp)
            lowest = int(self._heights.min())
            self._height = lowest if lowest == self._heights.max() else None
        if self._height is not None:
            return [(self._height, rows)]
        heights = self._heights[rows]
        return [(height, rows[heights == height]) for height in np.unique(heights).tolist()]

    # --- arguments ---------------------------------------------------------------------------

    def column(self, key: str) -> int:
        """Return the index of an argument."""
        return self.type.argument_names.index(key)

    def refresh(self, node: ArrayNode) -> None:
        """Write all arguments of a node into its row.

        No change may be pending: a pending value must not be written before it is propagated, or setting a leaf back to
        its old value would go unnoticed.
        """
        for column, source in enumerate(node.sources_.values()):
            if isinstance(source, Node):
                self.feed_one(column, node.row_, source.outcome_)
            else:
                self.batch.write(column, node.row_, source)
        self.refresh_terms(node)

    def refresh_terms(self, node: ArrayNode) -> None:
        """Write the terms of a node into its row."""
        self.batch.write_terms(node.row_, node.terms_.values())

    def feed_one(self, column: int, row: int, outcome: Outcome) -> None:
        """Write the outcome of one input into one row."""
        if isinstance(outcome, float | int | np.floating):
            self.batch.write(column, row, float(outcome))
            if row in self.blocked and input_failure(self.nodes[row], present) is None:
                self.blocked.discard(row)
        else:
            self.batch.write(column, row, math.nan)
            self.blocked.add(row)

    def feed(self, column: int, rows: NDArray[np.intp], outcome: Outcome) -> None:
        """Write the outcome of one input into several rows."""
        if outcome.__class__ is float and not self.blocked:
            self.batch.write(column, rows, outcome)
        else:
            for row in rows.tolist():
                self.feed_one(column, row, outcome)

    def feed_column(self, column: int, rows: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        """Write the outcomes of several inputs, NaN for a failure, one per row."""
        self.batch.write(column, rows, values)
        if not self.blocked and not math.isnan(values.min(initial=0.0)):
            return
        bad = set(rows[np.isnan(values)].tolist())
        for row in rows.tolist():
            if row in bad:
                self.blocked.add(row)
            elif row in self.blocked and input_failure(self.nodes[row], present) is None:
                self.blocked.discard(row)

    # --- outcomes ----------------------------------------------------------------------------

    def outcome(self, row: int) -> Outcome:
        """Return the outcome of a row: a float, a failure, or ``None`` if it was never priced."""
        value = self.values.item(row)
        return value if value == value else self.failures.get(row)  # noqa: PLR0124 - NaN is not equal to itself

    def outcome_before(self, row: int) -> Outcome:
        """Return the outcome of a row before the tick that last changed it."""
        value = self.before.item(row)
        return value if value == value else self.failures_before.get(row)  # noqa: PLR0124 - NaN is not equal to itself

    def put(self, row: int, outcome: Outcome) -> None:
        """Set the outcome of a row."""
        _put(self.values, self.failures, row, outcome)

    def put_before(self, row: int, outcome: Outcome) -> None:
        """Set the outcome of a row before the tick that last changed it."""
        _put(self.before, self.failures_before, row, outcome)

    # --- pricing -----------------------------------------------------------------------------

    def price(self, rows: NDArray[np.intp], tick: int) -> tuple[Priced, int]:
        """Price `rows` and store the outcomes.

        Parameters
        ----------
        rows : array of int
            Indices of the rows to price, each at most once.
        tick : int
            Number of the tick under way.

        Returns
        -------
        (Priced, int)
            Rows that changed, and the number of `rows` whose outcome is a failure.
        """
        size = len(self.nodes)
        whole = len(rows) == size
        if whole:
            rows = self.everything()
        new, failures = self._call(rows)
        old = self.values[:size].copy() if whole else self.values[rows]
        moved = new.view(np.int64) != old.view(np.int64)
        if failures:
            for i in np.flatnonzero(np.isnan(new)).tolist():
                row = int(rows[i])
                moved[i] = not same(self.outcome(row), failures[row])
        if not moved.all():
            rows, old, new, whole = rows[moved], old[moved], new[moved], False
        self._keep(slice(size) if whole else rows, old, new, tick)
        if failures or self.failures:
            self._keep_failures(rows.tolist(), failures)
        return Priced(rows, old, new), len(failures)

    def _call(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], dict[int, Failure]]:
        new, error = self.batch.price(rows)
        if error is not None:
            return new, {row: Failure(error, self.nodes[row].name, error) for row in rows.tolist()}
        if not self.blocked and not math.isnan(new.min(initial=0.0)):
            return new, {}
        bad = np.isnan(new) | np.isin(rows, list(self.blocked))
        failed = rows[bad].tolist()
        return np.where(bad, np.nan, new), {row: self.batch.failure(row, present) for row in failed}

    def _keep(
        self, where: slice | NDArray[np.intp], old: NDArray[np.float64], new: NDArray[np.float64], tick: int
    ) -> None:
        # The old value is written first, for readers in other threads, which see the last committed tick.
        if tick == self._last_tick:
            self.before[where] = np.where(self.changed[where] == tick, self.before[where], old)
        else:
            self.before[where] = old
        self._last_tick = tick
        self.changed[where] = tick
        self.values[where] = new

    def _keep_failures(self, rows: list[int], failures: dict[int, Failure]) -> None:
        for row in rows:
            if row in self.failures:
                self.failures_before[row] = self.failures.pop(row)
            if row in failures:
                self.failures[row] = failures[row]


def _put(column: NDArray[np.float64], failures: dict[int, Failure], row: int, outcome: Outcome) -> None:
    failures.pop(row, None)
    if isinstance(outcome, Failure):
        failures[row] = outcome
    column[row] = np.nan if outcome is None or isinstance(outcome, Failure) else cast("float", outcome)
