"""Ladders: a target's value with one leaf at each of many levels.

One :class:`~bank_python.dagger.sweep.Sweep` values them all; every value is, to the bit, what reading the target inside
``graph.scenario({leaf: level})`` gives. A level at which the target has no value keeps the error in the value's place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger.node import Leaf
from bank_python.dagger.outcome import Failure, Outcome
from bank_python.dagger.sweep import Sweep, pinned
from bank_python.errors import DomainError, GraphError, ValuationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.node import Node
    from bank_python.dagger.sweep import Pin
    from bank_python.mntable import Table

__all__ = ["Ladder", "admitted", "figure", "frozen", "level_of", "make_ladder", "refuse_zero"]


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """A target's value with one leaf at each of many levels; made by :meth:`DependencyGraph.ladder`.

    Parameters
    ----------
    target, leaf : str
        Their names.
    level, base : float
        What the leaf stands at, and the target's value there (NaN if it has none).
    shocks : array of shape (n,)
        What is done to the leaf: added to its level or, where `relative`, a fraction of it.
    levels : array of shape (n,)
        Where that puts the leaf.
    values : array of shape (n,)
        The target's value there, NaN where it has none.
    errors : tuple of Exception or None
        Why it has none.
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
        """Return a row for each shock, with its level, the value (None where there is none) and the error's text."""
        from bank_python.mntable import Table

        rows = zip(self.shocks.tolist(), self.levels.tolist(), self.values.tolist(), self.errors, strict=True)
        return Table.from_rows(
            [("shock", float), ("level", float), ("value", float | None), ("error", str | None)],
            [
                {"shock": shock, "level": level, "value": _cell(value), "error": None if error is None else str(error)}
                for shock, level, value, error in rows
            ],
        )

    def __rich__(self) -> object:
        from bank_python.render import ladder_view

        return ladder_view(self)


def make_ladder(graph: DependencyGraph, target: Node, leaf: Node, shocks: ArrayLike, *, relative: bool) -> Ladder:
    """Value `target` along `shocks`; see :meth:`DependencyGraph.ladder`."""
    given = _checked_shocks(shocks)
    with pinned(graph) as pin:
        level = level_of(pin, leaf)
        if relative:
            refuse_zero(leaf, level)
        with np.errstate(over="ignore"):
            levels = admitted(leaf, level, level * (1.0 + given) if relative else level + given)
        [column] = Sweep(pin, {leaf: levels}).run([target])
        base, _ = figure(target, pin.outcome(target))
    figures = [figure(target, outcome) for outcome in column.outcomes]
    return Ladder(
        target=target.name,
        leaf=leaf.name,
        level=level,
        base=base,
        shocks=frozen(given),
        levels=frozen(levels),
        values=frozen([value for value, _ in figures]),
        errors=tuple(error for _, error in figures),
        relative=relative,
    )


def _checked_shocks(shocks: ArrayLike) -> NDArray[np.float64]:
    try:
        given = np.array(shocks, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DomainError(f"shocks={shocks!r} are not numbers; give a list of them", value=shocks) from error
    if given.ndim != 1 or not given.size or not np.isfinite(given).all():
        raise DomainError(f"shocks={shocks!r}: give a list of finite numbers, at least one", value=shocks)
    return given


def level_of(pin: Pin, leaf: Node) -> float:
    """Return the number that a leaf holds, or refuse: the node is no leaf, not yet quoted, or holds something else."""
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
    """Refuse to move a leaf by a fraction of zero."""
    if level == 0.0:
        raise DomainError(
            f"{leaf.name} stands at 0, and a fraction of that does not move it; give shocks or a bump in its own "
            "units, with relative=False",
            name=leaf.name,
            value=level,
        )


def admitted(leaf: Node, level: float, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `levels` if all of them lie in the leaf's domain and are finite, or refuse the first that is not."""
    domain = cast("Leaf", leaf).domain
    for bumped in levels.tolist():
        try:
            domain.check(leaf.name, bumped)
            inside = math.isfinite(bumped)
        except DomainError:
            inside = False
        if not inside:
            raise DomainError(
                f"{leaf.name} stands at {level:g} and cannot be bumped to {bumped:g}: its domain is {domain.value}; "
                "use smaller shocks or a smaller bump",
                name=leaf.name,
                value=bumped,
                domain=domain.value,
            )
    return levels


def figure(target: Node, outcome: Outcome) -> tuple[float, Exception | None]:
    """Return an outcome as a number, or NaN and the reason why it is none."""
    if isinstance(outcome, Failure):
        return math.nan, outcome.error
    if isinstance(outcome, bool) or not isinstance(outcome, float | int | np.floating) or math.isnan(outcome):
        reason = f"its value is {outcome!r}"
        message = f"{target.name} is not a number but {outcome!r}; only numbers have ladders and Greeks"
        return math.nan, ValuationError(message, name=target.name, reason=reason)
    return float(outcome), None


def frozen(figures: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return figures as an array that nobody writes to."""
    array = np.array(figures, dtype=np.float64)
    array.setflags(write=False)
    return array


def _cell(value: float) -> float | None:
    return None if math.isnan(value) else value
