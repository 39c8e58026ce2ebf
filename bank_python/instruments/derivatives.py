r"""Derivatives of prices by the contracts' sources: closed forms where available, else finite differences.

.. math:: f' \approx \frac{f(x + h) - f(x - h)}{2h}, \qquad f'' \approx \frac{f(x + h) - 2 f(x) + f(x - h)}{h^2}

Derivatives by the clock are forward differences, :math:`f' \approx (-3 f_0 + 4 f_1 - f_2)/2h`, or backward differences
if a payment, at which the price jumps, is due within the next two hours. All bumps of all contracts of a class are
priced in one call of the class's ``price``. Closed-form Greeks (:attr:`Instrument.price_and_greeks`) take precedence.

Examples
--------
>>> from bank_python.dagger import ContractBatch
>>> from bank_python.instruments import Bond
>>> bond = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5)
>>> derivatives = take_derivatives(ContractBatch.of([bond], lambda node: node.value))
>>> derivatives.first["rate"].round(4), derivatives.second["rate", "rate"].round(1)
(array([-444.9157]), array([2445.9]))
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import InstrumentError
from bank_python.instruments.factor import Factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from bank_python.dagger import ContractBatch
    from bank_python.numerics import FloatArray

__all__ = ["Derivatives", "take_derivatives"]

_RELATIVE = 1e-4
_ABSOLUTE = 1e-4
_HOUR = 1.0 / (365.0 * 24.0)
_IN_LEVELS = frozenset({Factor.SPOT, Factor.FX, Factor.OTHER})
_NOT_NEGATIVE = frozenset({Factor.VOL, Factor.CREDIT})

_FIRST = {"spot": "delta", "vol": "vega", "rate": "rho", "dividend": "dividend_rho", "clock": "theta"}
_SECOND = {
    ("spot", "spot"): "gamma",
    ("spot", "vol"): "vanna",
    ("vol", "vol"): "volga",
    ("clock", "spot"): "charm",
}


@dataclass(frozen=True, slots=True, eq=False)
class Derivatives(Record):
    """Derivatives of the prices of contracts of one class by their sources.

    Parameters
    ----------
    columns : ContractBatch
        Contracts, one row each.
    value : ndarray, shape (contracts,)
        Prices of the contracts.
    first : mapping of str to ndarray of shape (contracts,)
        First derivatives by source name: per unit of spot, per 1.00 of a rate or volatility, per year of the clock.
    second : mapping of (str, str) to ndarray of shape (contracts,)
        Second derivatives by pairs of source names in alphabetical order, including each source with itself.
    """

    columns: ContractBatch[Any]
    value: FloatArray
    first: Mapping[str, FloatArray]
    second: Mapping[tuple[str, str], FloatArray]


@admits(InstrumentError)
def take_derivatives(columns: ContractBatch[Any]) -> Derivatives:
    """Return all first and second derivatives of the contracts in `columns`.

    Raises
    ------
    InstrumentError
        The argument is not a batch of contracts.
    """
    sources = sorted(columns.kind.source_names)
    grid = _Grid(columns, {name: _step(columns, name) for name in sources})
    pairs = [*((name, name) for name in sources), *combinations(sources, 2)]
    grid.price([(name, k) for name in sources for k in grid.stops(name)], list(combinations(sources, 2)))
    first = {name: grid.first(name) for name in sources}
    second = {pair: grid.second(*pair) for pair in pairs}
    exact = columns.closed_form("price_and_greeks")
    if exact is not None:
        first |= {name: getattr(exact, greek) for name, greek in _FIRST.items() if name in first}
        second |= {pair: getattr(exact, greek) for pair, greek in _SECOND.items() if pair in second}
    return Derivatives(columns, grid.middle, first, second)


def _step(columns: ContractBatch[Any], name: str) -> FloatArray:
    factor, level = columns.kind.factor_of(name), columns.row(name)
    if factor is Factor.TIME:
        return np.where(_pays_soon(columns, name), -_HOUR, _HOUR)
    if factor in _IN_LEVELS:
        return np.where(level == 0.0, _ABSOLUTE, _RELATIVE * np.abs(level))
    if factor in _NOT_NEGATIVE:
        return np.where(level > 0.0, np.minimum(_ABSOLUTE, 0.5 * level), _ABSOLUTE)
    return np.full_like(level, _ABSOLUTE)


def _pays_soon(columns: ContractBatch[Any], clock: str) -> NDArray[np.bool_]:
    """Return which contracts pay something before the clock has moved by two steps."""
    now = columns.closed_form("paid")
    if now is None:
        return np.zeros(columns.row(clock).shape, dtype=bool)
    ahead = columns.with_table(columns.moved(**{clock: columns.row(clock) + 2.0 * _HOUR}))
    return np.asarray(ahead.closed_form("paid") != now)


class _Grid:
    """Prices around the current inputs, by the number of steps that each source is bumped."""

    def __init__(self, columns: ContractBatch[Any], steps: dict[str, FloatArray]) -> None:
        self._columns = columns
        self._steps = steps
        self._prices: dict[frozenset[tuple[str, int]], FloatArray] = {}

    def stops(self, name: str) -> tuple[int, int]:
        """Return the two bumps of a source, in steps, at which prices are needed."""
        return (1, 2) if self._columns.kind.factor_of(name) is Factor.TIME else (-1, 1)

    def price(self, single: list[tuple[str, int]], pairs: list[tuple[str, str]]) -> None:
        """Price the current inputs, single bumps and bumps of pairs, all in one call."""
        both = [{(a, j), (b, k)} for a, b in pairs for j in self.stops(a) for k in self.stops(b)]
        places = [frozenset(place) for place in [set(), *({move} for move in single), *both]]
        tables = [self._moved(place) for place in places]
        prices = self._columns.priced(np.stack(tables, axis=1))
        self._prices = dict(zip(places, prices, strict=True))

    def _moved(self, place: frozenset[tuple[str, int]]) -> FloatArray:
        return self._columns.moved(**{name: self._columns.row(name) + k * self._steps[name] for name, k in place})

    @property
    def middle(self) -> FloatArray:
        """Price at the current inputs."""
        return self._prices[frozenset()]

    def first(self, name: str) -> FloatArray:
        """Return the first derivative by a source."""
        low, high = self._pair(name)
        h = self._steps[name]
        if self.stops(name) == (1, 2):
            return (4.0 * low - 3.0 * self.middle - high) / (2.0 * h)
        return (high - low) / (2.0 * h)

    def second(self, a: str, b: str) -> FloatArray:
        """Return the second derivative by two sources, or twice by one."""
        if self.stops(b) == (1, 2):
            a, b = b, a
        h = self._steps[a]
        if a == b:
            low, high = self._pair(a)
            if self.stops(a) == (1, 2):
                return (self.middle - 2.0 * low + high) / (h * h)
            return (high - 2.0 * self.middle + low) / (h * h)
        if self.stops(a) == (1, 2):
            # one-sided difference in time of the derivative by the other source
            later, latest = (self._slope(b, (a, k)) for k in (1, 2))
            return (4.0 * later - 3.0 * self.first(b) - latest) / (2.0 * h)
        return (self._slope(b, (a, 1)) - self._slope(b, (a, -1))) / (2.0 * h)

    def _pair(self, name: str) -> tuple[FloatArray, FloatArray]:
        low, high = self.stops(name)
        return self._prices[frozenset({(name, low)})], self._prices[frozenset({(name, high)})]

    def _slope(self, name: str, other: tuple[str, int]) -> FloatArray:
        low, high = (self._prices[frozenset({(name, k), other})] for k in self.stops(name))
        return (high - low) / (2.0 * self._steps[name])
