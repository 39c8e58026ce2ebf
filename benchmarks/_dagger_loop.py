"""The floor: the same graph as a loop written by hand, with nothing but the propagation.

Nodes are numbers into lists; what a change reaches is put into buckets by height and evaluated once, lowest first; a
node that comes out the same ends the wave. Sums are kept incrementally and exactly, as Dagger's are: a list of terms
whose ``math.fsum`` is the sum. There are no errors, threads, what-ifs, records of what changed, or late wiring: it is
what a competent engineer would write for an inner loop, and what every convenience is measured against.
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Loop"]

_LIMIT = 16


class Loop:
    """A hand-written propagation loop."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.values: list[float] = []
        self._functions: list[Callable[..., float] | None] = []
        self._inputs: list[Sequence[int]] = []
        self._heights: list[int] = []
        self._calls: list[list[int]] = []  # dependents that are functions
        self._totals: list[list[int]] = []  # dependents that are sums
        self._terms: list[list[float] | None] = []
        self._due: list[bool] = []
        self._changed: list[int] = []
        self.evaluations = 0

    def leaf(self, name: str, value: float) -> int:
        """Add a leaf."""
        return self._add(name, None, (), value, None)

    def node(self, name: str, function: Callable[..., float], inputs: Sequence[int]) -> int:
        """Add a function of nodes."""
        values = self.values
        number = self._add(name, function, inputs, function(*[values[i] for i in inputs]), None)
        for source in inputs:
            self._calls[source].append(number)
        return number

    def total(self, name: str, inputs: Sequence[int]) -> int:
        """Add a sum."""
        terms = [self.values[i] for i in inputs]
        number = self._add(name, None, inputs, fsum(terms), terms)
        for source in inputs:
            self._totals[source].append(number)
        return number

    def _add(
        self,
        name: str,
        function: Callable[..., float] | None,
        inputs: Sequence[int],
        value: float,
        terms: list[float] | None,
    ) -> int:
        number = len(self.values)
        self.names[name] = number
        self.values.append(value)
        self._functions.append(function)
        self._inputs.append(inputs)
        self._heights.append(1 + max([self._heights[i] for i in inputs], default=-1))
        self._calls.append([])
        self._totals.append([])
        self._terms.append(terms)
        self._due.append(False)
        return number

    def set(self, number: int, value: float) -> None:
        """Set a leaf."""
        old = self.values[number]
        if value != old:
            self.values[number] = value
            self._changed.append(number)
            for total in self._totals[number]:
                self._terms[total] += (value, -old)  # type: ignore[operator]  # a sum's terms

    def recalculate(self) -> None:
        """Bring everything up to date."""
        buckets: dict[int, list[int]] = {}
        for number in self._changed:
            self._schedule(buckets, number)
        self._changed.clear()
        values, functions, inputs, due = self.values, self._functions, self._inputs, self._due
        all_terms, all_totals = self._terms, self._totals
        while buckets:
            for number in buckets.pop(min(buckets)):
                due[number] = False
                self.evaluations += 1
                terms = all_terms[number]
                if terms is not None:
                    new = fsum(terms)
                    if len(terms) > _LIMIT:
                        _compress(terms, new)
                else:
                    sources = inputs[number]
                    if len(sources) == 1:
                        new = functions[number](values[sources[0]])  # type: ignore[misc]  # not a leaf
                    else:
                        new = functions[number](*[values[i] for i in sources])  # type: ignore[misc]  # as above
                old = values[number]
                if new != old:
                    values[number] = new
                    for total in all_totals[number]:
                        all_terms[total] += (new, -old)  # type: ignore[operator]  # a sum's terms
                    self._schedule(buckets, number)

    def _schedule(self, buckets: dict[int, list[int]], number: int) -> None:
        due, heights = self._due, self._heights
        for dependent in self._calls[number]:
            if not due[dependent]:
                due[dependent] = True
                buckets.setdefault(heights[dependent], []).append(dependent)
        for dependent in self._totals[number]:
            if not due[dependent]:
                due[dependent] = True
                buckets.setdefault(heights[dependent], []).append(dependent)


def _compress(terms: list[float], total: float) -> None:
    parts, rest = [], total
    while rest:
        parts.append(rest)
        terms.append(-rest)
        rest = fsum(terms)
    terms[:] = parts
