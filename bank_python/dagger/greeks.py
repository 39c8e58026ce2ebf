r"""Greeks: first and second derivatives of targets by leaves, from central differences.

.. math:: \Delta = \frac{f(x + h) - f(x - h)}{2h} , \qquad
          \Gamma = \frac{f(x + h) - 2 f(x) + f(x - h)}{h^2}

One sweep of three shocks a leaf serves all targets. The truncation errors are :math:`h^2 f'''/6` and
:math:`h^2 f''''/12`; rounding adds about :math:`\epsilon |f| / h` and :math:`4 \epsilon |f| / h^2`, with
:math:`\epsilon = 2^{-53}`. So a smaller bump is not always a better one, and least of all for gamma: between a
thousandth and a hundredth of the level suits a smooth price.

A node that a policy or a tolerance holds back counts in the middle with the value it holds, and beside it with what it
comes to: bring it up to date first, or its gamma means little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.dagger.ladder import admitted, figure, frozen, level_of, refuse_zero
from bank_python.dagger.node import Node
from bank_python.dagger.sweep import Sweep, pinned
from bank_python.errors import DomainError, UnknownNodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.dagger.graph import DependencyGraph
    from bank_python.dagger.outcome import Outcome
    from bank_python.mntable import Table

__all__ = ["Greeks", "Slope", "make_greeks"]


class Slope(NamedTuple):
    """How one target moves with one leaf.

    Parameters
    ----------
    value : float
        The target now; like the derivatives, NaN where it has no value.
    delta, gamma : float
        Its first and second derivative by the leaf.
    bump : float
        By how much the leaf was moved, in its own units.
    error : Exception or None
        Why the target has no value at one of the three levels.
    """

    value: float
    delta: float
    gamma: float
    bump: float
    error: Exception | None


@dataclass(frozen=True, slots=True, eq=False)
class Greeks:
    """Derivatives of targets by leaves; made by :meth:`DependencyGraph.greeks`.

    Parameters
    ----------
    targets, leaves : tuple of str
        Their names.
    value : array of shape (targets,)
        The targets now; NaN where one has no value.
    delta, gamma : array of shape (targets, leaves)
        First and second derivatives, per unit of the leaf and per unit squared; NaN where the target has no value at
        a level they need.
    bump : array of shape (leaves,)
        By how much each leaf was moved, in its own units.
    errors : mapping of (str, str) to Exception
        By target and leaf, why there is a NaN.

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
        """Return how a target moves with a leaf.

        Raises
        ------
        UnknownNodeError
            Not asked for when the Greeks were taken.
        """
        target, leaf = (node.name if isinstance(node, Node) else node for node in key)
        i, j = _place(target, self.targets), _place(leaf, self.leaves)
        error = self.errors.get((target, leaf))
        return Slope(self.value.item(i), self.delta.item(i, j), self.gamma.item(i, j), self.bump.item(j), error)

    def to_table(self) -> Table:
        """Return a row for each target and leaf; a figure that is not there is None."""
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


def make_greeks(
    graph: DependencyGraph, targets: Sequence[Node], leaves: Sequence[Node], bump: float, *, relative: bool
) -> Greeks:
    """Take derivatives of all `targets` by all `leaves`; see :meth:`DependencyGraph.greeks`."""
    if isinstance(bump, bool) or not isinstance(bump, int | float) or not 0.0 < bump < math.inf:  # type: ignore[redundant-expr]
        raise DomainError(f"bump={bump!r} is not a number above zero; give one", value=bump)
    if not targets or not leaves:
        raise DomainError("Greeks are taken of at least one target by at least one leaf; name them", value=leaves)
    with pinned(graph) as pin:
        bumped = {leaf: _levels(leaf, level_of(pin, leaf), bump, relative) for leaf in dict.fromkeys(leaves)}
        columns = [Sweep(pin, {leaf: bumped[leaf]}).run(targets) for leaf in leaves]
    names, by = tuple(node.name for node in targets), tuple(leaf.name for leaf in leaves)
    errors: dict[tuple[str, str], Exception] = {}
    f = np.empty((3, len(targets), len(leaves)))
    for j, swept in enumerate(columns):
        for i, column in enumerate(swept):
            f[:, i, j], error = _three(targets[i], column.outcomes)
            if error is not None:
                errors[names[i], by[j]] = error
    down, middle, up = f
    h = np.array([bumped[leaf][2] - bumped[leaf][1] for leaf in leaves])
    with np.errstate(all="ignore"):
        delta, gamma = (up - down) / (2.0 * h), (up - 2.0 * middle + down) / (h * h)
    return Greeks(names, by, frozen(middle[:, 0]), frozen(delta), frozen(gamma), frozen(h), errors)


def _levels(leaf: Node, level: float, bump: float, relative: bool) -> NDArray[np.float64]:
    """Return the level below, the level and the level above, each as far from it as the other."""
    if relative:
        refuse_zero(leaf, level)
    up = level + (bump * abs(level) if relative else bump)
    step = up - level  # the bump as floats around the level can have it
    if not step:
        raise DomainError(
            f"{leaf.name} stands at {level:g}, too large for a bump of {bump:g} to move it; use a larger bump",
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
        raise UnknownNodeError(f"no Greeks of or by {name!r}; there are {', '.join(names)}", name=name)
    return names.index(name)
