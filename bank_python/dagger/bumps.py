r"""Bumps: many what-if layers evaluated at once, for ladders and Greeks.

A :class:`Bump` sets one leaf (or several that move together) to an array of values, and evaluates all dependents for
all of them in one pass, height by height: contracts of one class in one call of their class's ``price`` for all shocks,
sums from their exact totals, any other function once per shock. Under each shock every value is bitwise identical to
that of a :class:`~bank_python.dagger.what_if.Layer` with the same override: a node is evaluated under those shocks that
change one of its inputs, its cutoff rule applies, and a failure under one shock does not affect the others.

Like a layer, a bump is pinned to one tick and does not change the graph. Inside a layer it starts from the values of
that layer.

A **ladder** is the value of a target with one leaf at each of several levels. **Greeks** are first and second
derivatives of targets by leaves, from central differences,

.. math:: \Delta = \frac{f(x + h) - f(x - h)}{2h} , \qquad
          \Gamma = \frac{f(x + h) - 2 f(x) + f(x - h)}{h^2}

One bump with three shocks per leaf serves all targets. The truncation errors are :math:`h^2 f'''/6` and
:math:`h^2 f''''/12`; rounding adds about :math:`\epsilon |f| / h` and :math:`4 \epsilon |f| / h^2`, with
:math:`\epsilon = 2^{-53}`. A smaller bump is therefore not always more accurate, least of all for gamma: between a
thousandth and a hundredth of the level suits a smooth price.

For a node that is throttled by a policy or a tolerance, the middle value is the one it currently holds, while the
bumped values are computed anew. Bring it up to date first, otherwise its gamma is meaningless.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from bank_python.dagger.batch import diagnosis, input_failure, price_masked
from bank_python.dagger.leaf import Leaf
from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.dagger.propagate import compared
from bank_python.dagger.sums import LIMIT, compress, rounded, shift
from bank_python.dagger.what_if import layer_of_running_code, take_snapshot
from bank_python.errors import DomainError, GraphError, UnknownNodeError, ValuationError
from bank_python.guessing import guessable
from bank_python.plotting import Plotted, literal, money
from bank_python.results import Tabular
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from bank_python.dagger.array_node import ArrayNode
    from bank_python.dagger.engine import Engine
    from bank_python.dagger.sums import SumNode
    from bank_python.dagger.topology import Level
    from bank_python.dagger.what_if import Layer, Snapshot
    from bank_python.mntable import Table

__all__ = ["Bump", "Bumps", "Greeks", "Ladder", "Pin", "Slope", "pinned"]


class ShockedOutcomes:
    """Outcomes of one node under each shock.

    Parameters
    ----------
    numbers : array of shape (shocks,)
        Outcomes converted to float, NaN where that is not possible.
    non_floats : dict of int to outcome
        Outcomes that are not floats, by index of the shock.
    moved : array of bool, of shape (shocks,)
        True where the outcome differs from the node's outcome without a shock.
    """

    __slots__ = ("_outcomes", "moved", "non_floats", "numbers")

    def __init__(self, numbers: NDArray[np.float64], non_floats: dict[int, Outcome], moved: NDArray[np.bool_]) -> None:
        self.numbers = numbers
        self.non_floats = non_floats
        self.moved = moved
        self._outcomes: list[Outcome] | None = None

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], moved: NDArray[np.bool_]) -> ShockedOutcomes:
        """Build the column from a list of outcomes, one per shock."""
        non_floats = {i: outcome for i, outcome in enumerate(outcomes) if outcome.__class__ is not float}
        column = cls(np.array([as_number(outcome) for outcome in outcomes], dtype=np.float64), non_floats, moved)
        column._outcomes = list(outcomes)
        return column

    @property
    def outcomes(self) -> list[Outcome]:
        """Outcomes as a list, one per shock."""
        if self._outcomes is None:
            self._outcomes = self.numbers.tolist()
            for i, outcome in self.non_floats.items():
                self._outcomes[i] = outcome
        return self._outcomes


def as_number(outcome: Outcome) -> float:
    """Return an outcome as a float, NaN if it is not a number."""
    if not isinstance(outcome, float | int | np.floating):
        return math.nan
    try:
        return float(outcome)
    except OverflowError:  # an int beyond the range of a float
        return math.nan


def _apply_cutoff(node: Node, before: Outcome, outcomes: list[Outcome], due: NDArray[np.bool_]) -> ShockedOutcomes:
    """Return the column of a node after its evaluations, with its cutoff rule applied.

    Parameters
    ----------
    node : Node
        Node that was evaluated.
    before : outcome
        Outcome of the node without a shock; not needed for a lazy node.
    outcomes : list of outcome
        Results of the evaluations, `before` for a shock without one.
    due : array of bool, of shape (shocks,)
        True for the shocks under which the node was evaluated.
    """
    if node.lazy_:
        return ShockedOutcomes.of(outcomes, due)
    moved = due.copy()
    for i in np.flatnonzero(due).tolist():
        outcomes[i], is_same = compared(node, before, outcomes[i])
        if is_same:
            moved[i], outcomes[i] = False, before
    return ShockedOutcomes.of(outcomes, moved)


class Pin:
    """Starting point of a bump: one tick, with the overrides of the innermost open layer, if there is one."""

    def __init__(self, engine: Engine, base: Snapshot, layer: Layer | None) -> None:
        self.engine = engine
        self.base = base
        self.layer = layer

    def outcome(self, node: Node) -> Outcome:
        """Return the outcome of a node without a shock."""
        return self.base.outcome(node) if self.layer is None else self.layer.outcome(node)


@contextmanager
def pinned(engine: Engine) -> Iterator[Pin]:
    """Pin the present tick, or the open layer, for the duration of the ``with`` block."""
    layer = layer_of_running_code(engine)
    base = engine.write(lambda: take_snapshot(engine)) if layer is None else layer.base
    try:
        yield Pin(engine, base, layer)
    finally:
        if layer is None:
            base.close()


class Bump:
    """One pass over the dependents of some leaves, for many values of these leaves.

    Parameters
    ----------
    pin : Pin
        Tick or layer to start from.
    levels : mapping of Node to array of shape (shocks,)
        Values of each leaf; under one shock all leaves move together. The arrays have equal lengths, and the values
        are not checked here.

    Attributes
    ----------
    evaluations : int
        Number of evaluations so far, a node under one shock counting as one.
    """

    def __init__(self, pin: Pin, levels: Mapping[Node, NDArray[np.float64]]) -> None:
        self.shocks = len(next(iter(levels.values())))
        self.evaluations = 0
        self._pin = pin
        self._base = pin.base
        pins = {} if pin.layer is None else pin.layer.overrides
        with pin.engine.lock:
            self._cone = pin.engine.topology.cone(tuple({**pins, **levels}))
        self._columns: dict[Node, ShockedOutcomes] = {}
        self._fixed: dict[Node, Outcome] = {}
        every = np.ones(self.shocks, dtype=bool)
        for node, column in levels.items():
            self._columns[node] = _apply_cutoff(node, self._base.outcome(node), column.tolist(), every)

    def run(self, targets: Sequence[Node]) -> list[ShockedOutcomes]:
        """Return the outcomes of the targets under each shock, evaluating only the nodes they depend on."""
        due = [node for node in dict.fromkeys(targets) if node in self._cone.touched and node not in self._columns]
        for level in self._cone.levels_for(*due):
            self._compute(level)
        return [self._column(node) for node in targets]

    def _column(self, node: Node) -> ShockedOutcomes:
        column = self._columns.get(node)
        if column is None:
            column = ShockedOutcomes.of([self.start(node)] * self.shocks, np.zeros(self.shocks, dtype=bool))
        return column

    def _compute(self, level: Level) -> None:
        for node in filter(self._varies, level.others):
            due = self._due(node)
            self._store_outcomes(node, due, {i: node.evaluate_(self.reader(i)) for i in np.flatnonzero(due).tolist()})
        totals = [(node, self._due(node)) for node in level.totals if self._varies(node)]
        if totals:
            self._add_up(totals)
        groups: dict[object, list[ArrayNode]] = {}
        for node in filter(self._varies, level.arrays):
            groups.setdefault(node.layout, []).append(node)
        for nodes in groups.values():
            self._columns.update(_price_shocked(self, nodes))

    def _store_outcomes(self, node: Node, due: NDArray[np.bool_], new: Mapping[int, Outcome]) -> None:
        self.evaluations += len(new)
        before = None if node.lazy_ and len(new) == self.shocks else self._base.outcome(node)
        self._columns[node] = _apply_cutoff(node, before, [new.get(i, before) for i in range(self.shocks)], due)

    # --- which nodes the shocks change -------------------------------------------------------

    def _varies(self, node: Node) -> bool:
        """Whether a node of the cone depends on a leaf of this bump, not only on one of the surrounding layer."""
        return node not in self._columns and not self._columns.keys().isdisjoint(self._cone.touched[node])

    def _due(self, node: Node) -> NDArray[np.bool_]:
        due = np.zeros(self.shocks, dtype=bool)
        for source in self._cone.touched[node]:
            due |= self.moved(source)
        return due

    def moved_inputs(self, node: Node) -> list[Node]:
        """Return the inputs of a node of the cone that may differ under the shocks or in the surrounding layer."""
        return self._cone.touched[node]

    def moved(self, source: Node) -> NDArray[np.bool_] | bool:
        """Return under which shocks an input differs from its outcome at the pinned tick."""
        column = self._columns.get(source)
        if column is not None:
            return column.moved
        self.start(source)  # a layer records that a node has moved when it evaluates it
        return self._pin.layer is not None and self._pin.layer.moves(source)

    # --- outcomes ----------------------------------------------------------------------------

    def shocked(self, node: Node) -> ShockedOutcomes | None:
        """Return the outcomes of a node under each shock, or ``None`` if no shock affects it."""
        return self._columns.get(node)

    def start(self, node: Node) -> Outcome:
        """Return the outcome of a node without a shock."""
        if node not in self._fixed:
            self._fixed[node] = self._pin.outcome(node)
        return self._fixed[node]

    def base(self, node: Node) -> Outcome:
        """Return the outcome of a node at the pinned tick, outside any layer."""
        return self._base.outcome(node)

    def reader(self, shock: int) -> partial[Outcome]:
        """Return a function that returns the outcome of a node under one shock."""
        return partial(self._outcome, shock)

    def _outcome(self, shock: int, node: Node) -> Outcome:
        column = self._columns.get(node)
        return self.start(node) if column is None else column.outcomes[shock]

    # --- sums --------------------------------------------------------------------------------

    def _add_up(self, totals: Sequence[tuple[SumNode, NDArray[np.bool_]]]) -> None:
        remainders: list[list[float] | None] = [None] * len(totals)
        engine = self._pin.engine
        if engine.is_free():
            with engine.lock:
                if engine.stands_at(self._base.tick):
                    remainders = [self._remainder_of_total(total) for total, _ in totals]
        for (total, due), remainder in zip(totals, remainders, strict=True):
            known = self._remainder_of_inputs(total) if remainder is None else remainder
            self._store_outcomes(total, due, self._sums(total, due, known))

    def _remainder_of_total(self, total: SumNode) -> list[float] | None:
        """Return terms whose exact sum is the part of a sum that no shock changes, from its present exact total."""
        terms = total.exact_terms()
        if terms is None:
            return None
        for source in self._cone.touched[total]:
            old, new = source.outcome_, 0.0 if source in self._columns else self.start(source)
            if not all(shift(terms, old, new, weight) for weight in total.weights_of(source)):
                return None
        return terms

    def _remainder_of_inputs(self, total: SumNode) -> list[float] | None:
        """Return terms with that exact sum from the inputs that no shock changes."""
        terms: list[float] = []
        for source in dict.fromkeys(total.inputs_):
            if source not in self._columns:
                value = self.start(source)
                if value.__class__ is not float:
                    return None
                terms += [weight * value for weight in total.weights_of(source)]
        return terms

    def _sums(self, total: SumNode, due: NDArray[np.bool_], remainder: list[float] | None) -> dict[int, Outcome]:
        sources = [source for source in self._cone.touched[total] if source in self._columns]
        apart = {i for source in sources for i in self._columns[source].non_floats}
        with np.errstate(over="ignore"):
            rows = [w * self._columns[source].numbers for source in sources for w in total.weights_of(source)]
        columns: list[list[float]] = np.array(rows).T.tolist()
        terms = None if remainder is None else _shortened(remainder)
        new: dict[int, Outcome] = {}
        for i in np.flatnonzero(due).tolist():
            value = None if terms is None or i in apart else rounded(terms + columns[i])
            new[i] = total.evaluate_(self.reader(i)) if value is None else value
        return new


def _shortened(terms: list[float]) -> list[float]:
    """Return a few terms with the same exact sum, if there are many terms and their sum is finite."""
    total = rounded(terms) if len(terms) > LIMIT else None
    if total is not None:
        compress(terms, total)
    return terms


def _price_shocked(bump: Bump, nodes: Sequence[ArrayNode]) -> dict[Node, ShockedOutcomes]:
    """Price nodes of one layout, none of which is an input of another, under every shock.

    Parameters
    ----------
    bump : Bump
        Bump that has computed all inputs of the nodes.
    nodes : sequence of ArrayNode
        Nodes to price, at least one.
    """
    due = _due(bump, nodes)
    table, doubtful = _arguments(bump, nodes)
    failures = {
        (row, shock): failure
        for row in doubtful
        for shock in np.flatnonzero(due[row]).tolist()
        if (failure := input_failure(nodes[row], bump.reader(shock))) is not None
    }
    wanted = due.copy()
    for place in failures:
        wanted[place] = False
    values, errors = price_masked(type(nodes[0]), table, wanted)
    for shock, error in errors.items():
        rows = np.flatnonzero(wanted[:, shock]).tolist()
        failures |= {(row, shock): Failure(error, nodes[row].name, error) for row in rows}
    for row, shock in np.argwhere(wanted & np.isnan(values)).tolist():
        if (row, shock) not in failures:
            failures[row, shock] = diagnosis(nodes[row], bump.reader(shock))
    bump.evaluations += int(due.sum())
    return dict(zip(nodes, _columns(bump, nodes, values, due, failures), strict=True))


def _due(bump: Bump, nodes: Sequence[ArrayNode]) -> NDArray[np.bool_]:
    """Return a boolean array of shape (nodes, shocks): whether an input of the node moves under the shock."""
    due = np.zeros((len(nodes), bump.shocks), dtype=bool)
    for source, rows in _rows_by(bump.moved_inputs(node) for node in nodes).items():
        due[rows] |= bump.moved(source)
    return due


def _arguments(bump: Bump, nodes: Sequence[ArrayNode]) -> tuple[NDArray[np.float64], list[int]]:
    """Return the arguments, of shape (arguments, nodes, shocks), and the rows with inputs that may not be numbers."""
    kind = type(nodes[0])
    table = np.empty((len(kind.argument_names), len(nodes), bump.shocks))
    doubtful: set[int] = set()
    for column, key in enumerate(kind.source_names):
        if not isinstance(nodes[0].sources_[key], Node):  # nor is that of any other node of the same layout
            table[column] = np.array([[node.sources_[key]] for node in nodes], dtype=np.float64)
            continue
        for source, rows in _rows_by([cast("Node", node.sources_[key])] for node in nodes).items():
            shocked = bump.shocked(source)
            start = 0.0 if shocked is not None else bump.start(source)
            table[column, rows] = as_number(start) if shocked is None else shocked.numbers
            if start.__class__ is not float or (shocked is not None and shocked.non_floats):
                doubtful.update(rows)
    for column, key in enumerate(kind.term_names, start=len(kind.source_names)):
        table[column] = np.array([[node.terms_[key]] for node in nodes], dtype=np.float64)
    return table, sorted(doubtful)


def _rows_by(inputs: Iterable[Sequence[Node]]) -> dict[Node, list[int]]:
    rows: dict[Node, list[int]] = {}
    for row, sources in enumerate(inputs):
        for source in sources:
            rows.setdefault(source, []).append(row)
    return rows


def _columns(
    bump: Bump,
    nodes: Sequence[ArrayNode],
    values: NDArray[np.float64],
    due: NDArray[np.bool_],
    failures: dict[tuple[int, int], Failure],
) -> list[ShockedOutcomes]:
    before = [None if node.lazy_ and due[row].all() else bump.base(node) for row, node in enumerate(nodes)]
    numbers = np.array([[as_number(outcome)] for outcome in before], dtype=np.float64)
    merged = np.where(due, values, numbers)
    moved = due & (merged.view(np.int64) != numbers.view(np.int64))
    non_floats: dict[int, dict[int, Outcome]] = {}
    for (row, shock), failure in failures.items():
        is_same = same(before[row], failure)
        moved[row, shock] = not is_same
        non_floats.setdefault(row, {})[shock] = before[row] if is_same else failure
    columns = [ShockedOutcomes(merged[row], non_floats.get(row, {}), moved[row]) for row in range(len(nodes))]
    for row, node in enumerate(nodes):
        if before[row].__class__ is not float:
            for shock in np.flatnonzero(~due[row]).tolist():
                columns[row].non_floats[shock] = before[row]
        if node.equal is not None or node.lazy_:  # such a node is not compared bit for bit
            columns[row] = _apply_cutoff(node, before[row], columns[row].outcomes, due[row])
    return columns


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ladder(Plotted, Tabular):
    """Values of a target with one leaf at each of several levels; returned by :meth:`Bumps.ladder`.

    Parameters
    ----------
    target, leaf : str
        Names of the target node and of the shocked leaf.
    level, base : float
        Current value of the leaf, and value of the target there (NaN if it has none).
    shocks : array of shape (n,)
        Shocks of the leaf, in its own units or, if `relative`, as fractions of `level`.
    levels : array of shape (n,)
        Values of the leaf under each shock.
    values : array of shape (n,)
        Values of the target under each shock, NaN where it has none.
    errors : tuple of Exception or None
        Errors of the target under each shock, None where it has a value.
    relative : bool
        Whether the shocks are fractions of `level`.

    Examples
    --------
    >>> from bank_python.dagger import DependencyGraph
    >>> graph = DependencyGraph()
    >>> spot = graph.register(Leaf("SPOT", 100.0, domain="positive"))
    >>> call = graph.derive("CALL", lambda s: max(s - 95.0, 0.0), [spot])
    >>> graph.ladder(call, spot, [-0.1, 0.0, 0.1], relative=True).values.round(6).tolist()
    [0.0, 5.0, 15.0]
    """

    target: str
    leaf: str
    level: float
    base: float
    shocks: NDArray[np.float64]
    levels: NDArray[np.float64]
    values: NDArray[np.float64]
    errors: tuple[Exception | None, ...]
    relative: bool = False

    def __len__(self) -> int:
        return len(self.shocks)

    def to_table(self) -> Table:
        """Return a table with a row per shock: shock, level, value (None where there is none) and error message."""
        from bank_python.mntable import Table

        rows = zip(self.shocks.tolist(), self.levels.tolist(), self.values.tolist(), self.errors, strict=True)
        return Table.from_rows(
            [("shock", float), ("level", float), ("value", float | None), ("error", str | None)],
            [
                {
                    "shock": shock,
                    "level": level,
                    "value": _cell(value),
                    "error": None if error is None else message_of(error),
                }
                for shock, level, value, error in rows
            ],
        )

    def _draw_(self, axes: Axes) -> None:
        """Draw the target's value by the level of the leaf; the present one is marked."""
        axes.plot(self.levels, self.values, marker="o", markersize=3)
        axes.axhline(self.base, color="black", linewidth=0.8, linestyle=":", label=f"now {self.base:,.4g}")
        leaf, target = literal(self.leaf), literal(self.target)
        axes.set(xlabel=leaf, ylabel=target, title=f"{target} along {leaf}")
        money(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render import ladder_view

        return ladder_view(self)


def _checked_shocks(shocks: ArrayLike) -> NDArray[np.float64]:
    try:
        given = np.array(shocks, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"shocks={shocks!r} are not numbers; give a list of them", value=shocks) from error
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise DomainError(f"shocks={shocks!r}: give a list of finite numbers, at least one", value=shocks)
    return given


def level_of(pin: Pin, leaf: Node) -> float:
    """Return the numerical value of a leaf; raise if the node is not a leaf, is not quoted, or has another value."""
    if not isinstance(leaf, Leaf):
        below = ", ".join(source.name for source in leaf.underliers)
        raise GraphError(f"only leaves are bumped; {leaf.name} is derived from {below}: bump those", name=leaf.name)
    outcome = pin.outcome(leaf)
    if isinstance(outcome, Failure):
        raise outcome.error.with_traceback(None)
    value, error = figure(leaf, outcome)
    if error is not None:
        raise GraphError(f"{leaf.name} holds {outcome!r}, not a number; only numbers are bumped", name=leaf.name)
    return value


def refuse_zero(leaf: Node, level: float) -> None:
    """Raise if a leaf is at zero, where a relative shock does not move it."""
    if level == 0.0:
        raise DomainError(
            f"{leaf.name} is 0, and a relative shock does not move it; give shocks or a bump in its own units, with "
            "relative=False",
            name=leaf.name,
            value=level,
        )


def admitted(leaf: Node, level: float, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `levels` if all of them are finite and in the domain of the leaf; raise for the first that is not."""
    domain = cast("Leaf", leaf).domain
    for bumped in levels.tolist():
        try:
            domain.check(leaf.name, bumped)
            inside = math.isfinite(bumped)
        except DomainError:
            inside = False
        if not inside:
            raise DomainError(
                f"{leaf.name} is {level:g} and cannot be bumped to {bumped:g}: its domain is {domain.value}; "
                "use smaller shocks or a smaller bump",
                name=leaf.name,
                value=bumped,
                domain=domain.value,
            )
    return levels


def figure(target: Node, outcome: Outcome) -> tuple[float, Exception | None]:
    """Return an outcome as a float and None, or NaN and the error that explains why it is not a number."""
    if isinstance(outcome, Failure):
        return math.nan, outcome.error
    if isinstance(outcome, bool) or not isinstance(outcome, float | int | np.floating) or math.isnan(outcome):
        reason = f"its value is {outcome!r}"
        message = f"{target.name} is not a number but {outcome!r}; only numbers have ladders and Greeks"
        return math.nan, ValuationError(message, name=target.name, reason=reason)
    return float(outcome), None


def frozen(figures: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return figures as a read-only array."""
    array = np.array(figures, dtype=np.float64)
    array.setflags(write=False)
    return array


def _cell(value: float) -> float | None:
    return None if math.isnan(value) else value


class Slope(NamedTuple):
    """Value of a target and its first two derivatives by one leaf.

    Parameters
    ----------
    value : float
        Current value of the target; like the derivatives, NaN where it has none.
    delta, gamma : float
        First derivative by the leaf, and second derivative, per unit of the leaf and per unit squared.
    bump : float
        Size of the bump of the leaf, in the leaf's own units.
    error : Exception or None
        Error of the target at one of the three levels, None if it has a value at each.
    """

    value: float
    delta: float
    gamma: float
    bump: float
    error: Exception | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Greeks(Tabular):
    """Derivatives of targets by leaves; returned by :meth:`Bumps.greeks`.

    Parameters
    ----------
    targets, leaves : tuple of str
        Names of the targets and of the leaves.
    value : array of shape (targets,)
        Current values of the targets, NaN where one has none.
    delta, gamma : array of shape (targets, leaves)
        First and second derivatives, per unit of the leaf and per unit squared; NaN where the target has no value at
        one of the levels that are needed.
    bump : array of shape (leaves,)
        Size of the bump of each leaf, in the leaf's own units.
    errors : mapping of (str, str) to Exception
        Errors that explain the NaNs, by names of target and leaf.

    Examples
    --------
    >>> from bank_python.dagger import DependencyGraph, Leaf
    >>> graph = DependencyGraph()
    >>> x = graph.register(Leaf("X", 10.0))
    >>> square = graph.derive("SQUARE", lambda x: x * x, [x])
    >>> slope = graph.greeks(square, x)["SQUARE", "X"]
    >>> round(slope.delta, 9), round(slope.gamma, 9), round(slope.bump, 9)
    (20.0, 2.0, 0.1)
    """

    targets: tuple[str, ...]
    leaves: tuple[str, ...]
    value: NDArray[np.float64]
    delta: NDArray[np.float64]
    gamma: NDArray[np.float64]
    bump: NDArray[np.float64]
    errors: Mapping[tuple[str, str], Exception] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets) * len(self.leaves)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((target, leaf) for target in self.targets for leaf in self.leaves)

    def __getitem__(self, key: tuple[Node | str, Node | str]) -> Slope:
        """Return the derivatives of a target by a leaf.

        Raises
        ------
        UnknownNodeError
            The target or the leaf is not among those the Greeks were computed for.
        """
        target, leaf = (node.name if isinstance(node, Node) else node for node in key)
        i, j = _place(target, self.targets), _place(leaf, self.leaves)
        error = self.errors.get((target, leaf))
        return Slope(self.value.item(i), self.delta.item(i, j), self.gamma.item(i, j), self.bump.item(j), error)

    def to_table(self) -> Table:
        """Return a table with a row per target and leaf; missing figures are None."""
        from bank_python.mntable import Table

        columns = ("value", "delta", "gamma", "bump")
        rows = []
        for target, leaf in self:
            slope = self[target, leaf]
            figures = zip(columns, slope[:4], strict=True)
            cells = {key: None if math.isnan(cell) else cell for key, cell in figures}
            error = None if slope.error is None else str(slope.error)
            rows.append({"target": target, "leaf": leaf, **cells, "error": error})
        kinds = [(key, float | None) for key in columns]
        return Table.from_rows([("target", str), ("leaf", str), *kinds, ("error", str | None)], rows)

    def __rich__(self) -> object:
        from bank_python.render import greeks_view

        return greeks_view(self)


def _levels(leaf: Node, level: float, bump: float, relative: bool) -> NDArray[np.float64]:
    """Return the bumped-down level, the level itself and the bumped-up level, equally spaced."""
    if relative:
        refuse_zero(leaf, level)
    up = level + (bump * abs(level) if relative else bump)
    step = up - level  # the bump after rounding, so that the three levels are equally spaced
    if not step:
        raise DomainError(
            f"{leaf.name} is {level:g}, too large for a bump of {bump:g} to move it; use a larger bump",
            name=leaf.name,
            value=bump,
        )
    return admitted(leaf, level, np.array([level - step, level, up]))


def _three(target: Node, outcomes: Sequence[Outcome]) -> tuple[list[float], Exception | None]:
    figures = [figure(target, outcome) for outcome in outcomes]
    errors = [error for _, error in figures if error is not None]
    return [value for value, _ in figures], errors[0] if errors else None


def _place(name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise UnknownNodeError(f"no Greeks were computed for {name!r}, only for {', '.join(names)}", name=name)
    return names.index(name)


class Bumps:
    """Ladders and Greeks of a graph; ``graph.bumps``.

    Parameters
    ----------
    engine : Engine
        The engine of the graph.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @guessable
    def ladder(self, target: Node | str, leaf: Node | str, shocks: ArrayLike, *, relative: bool = False) -> Ladder:
        """Return the values of a target with one leaf at each of several levels; the graph is not changed.

        Each value is bitwise identical to that of the target inside ``graph.scenario({leaf: level})``. Contracts of one
        class are priced for all levels in one call. Inside a what-if layer the ladder starts from that layer's values.

        Parameters
        ----------
        target : Node or str
            Node to value; its value is a number.
        leaf : Node or str
            Leaf to shock; its value is a number.
        shocks : array_like of shape (n,)
            Finite shocks, at least one, added to the value of the leaf.
        relative : bool, default False
            Whether shocks are fractions of the value of the leaf: −0.2 is down 20%.

        Returns
        -------
        Ladder
            Values of the target, with NaN and an error where it has none.

        Raises
        ------
        UnknownNodeError
            There is no such node.
        GraphError
            `leaf` is not a leaf that holds a number (:exc:`NotQuotedError`: not yet).
        DomainError
            The shocks are not finite numbers; a level lies outside the leaf's domain; a relative shock of a leaf at 0.
        """
        for node in (target, leaf):
            if not isinstance(node, Node | str):
                raise GraphError(f"{node!r} is not a node; give ladder(target, leaf, shocks)", value=node)
        of, by, given = self._node(target), self._node(leaf), _checked_shocks(shocks)
        with pinned(self._engine) as pin:
            level = level_of(pin, by)
            if relative:
                refuse_zero(by, level)
            with np.errstate(over="ignore"):
                levels = admitted(by, level, level * (1.0 + given) if relative else level + given)
            [column] = Bump(pin, {by: levels}).run([of])
            base, _ = figure(of, pin.outcome(of))
        figures = [figure(of, outcome) for outcome in column.outcomes]
        values, errors = frozen([value for value, _ in figures]), tuple(error for _, error in figures)
        return Ladder(of.name, by.name, level, base, frozen(given), frozen(levels), values, errors, relative)

    def greeks(
        self,
        targets: Node | str | Sequence[Node | str],
        leaves: Node | str | Sequence[Node | str],
        *,
        bump: float = 0.01,
        relative: bool = True,
    ) -> Greeks:
        """Return first and second derivatives of targets by leaves, from central differences.

        With h the bump, the errors are of order h² and, from rounding, 1/h for delta and 1/h² for gamma; see
        :mod:`bank_python.dagger.bumps`. Inside a what-if layer the derivatives are taken around that layer's values.

        Parameters
        ----------
        targets, leaves : Node or str, or a sequence of them
            Nodes to differentiate, and leaves to differentiate by.
        bump : float, default 0.01
            Size of the bump, above zero.
        relative : bool, default True
            Whether the bump is a fraction of the value of each leaf; otherwise it is in the leaf's own units.

        Returns
        -------
        Greeks
            Derivatives by names of target and leaf: ``greeks[target, leaf].delta`` and so on.

        Raises
        ------
        UnknownNodeError
            There is no such node.
        GraphError
            One of `leaves` is not a leaf that holds a number (:exc:`NotQuotedError`: not yet).
        DomainError
            The bump is not above zero, does not move a leaf, or moves it out of its domain; a relative bump of a leaf
            at 0; no target or no leaf.
        """
        is_number = isinstance(bump, int | float) and not isinstance(bump, bool)  # type: ignore[redundant-expr]
        if not is_number or not 0.0 < bump < math.inf:
            raise DomainError(f"bump={bump!r} is not a number above zero; give one", value=bump)
        of = [self._node(node) for node in _listed(targets)]
        by = [self._node(node) for node in _listed(leaves)]
        if not of or not by:
            raise DomainError("Greeks need at least one target and at least one leaf; name them", value=leaves)
        with pinned(self._engine) as pin:
            levels = {leaf: _levels(leaf, level_of(pin, leaf), bump, relative) for leaf in dict.fromkeys(by)}
            columns = [Bump(pin, {leaf: levels[leaf]}).run(of) for leaf in by]
        return _differences(of, by, columns, np.array([levels[leaf][2] - levels[leaf][1] for leaf in by]))

    def _node(self, node: Node | str) -> Node:
        return self._engine.topology.node(node)


def _listed(given: Node | str | Sequence[Node | str]) -> Sequence[Node | str]:
    return [given] if isinstance(given, Node | str) else given


def _differences(
    targets: Sequence[Node],
    leaves: Sequence[Node],
    columns: Sequence[Sequence[ShockedOutcomes]],
    h: NDArray[np.float64],
) -> Greeks:
    """Compute the Greeks from the outcomes of the targets below, at and above the level of each leaf."""
    names, by = tuple(node.name for node in targets), tuple(leaf.name for leaf in leaves)
    errors: dict[tuple[str, str], Exception] = {}
    f = np.empty((3, len(targets), len(leaves)))
    for j, shocked in enumerate(columns):
        for i, column in enumerate(shocked):
            f[:, i, j], error = _three(targets[i], column.outcomes)
            if error is not None:
                errors[names[i], by[j]] = error
    down, middle, up = f
    with np.errstate(all="ignore"):
        delta, gamma = (up - down) / (2.0 * h), (up - 2.0 * middle + down) / (h * h)
    return Greeks(names, by, frozen(middle[:, 0]), frozen(delta), frozen(gamma), frozen(h), errors)
