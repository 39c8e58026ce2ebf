"""The same book of options in each engine: 180 spots, 5,000 options, 14 books, one firm.

Every option is the same cheap scalar function, a payoff rounded off at the strike. A square root is correctly rounded,
so all engines agree to the bit on every option, and the firm's value differs only by how sums are rounded.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, List  # noqa: UP035 - csp's baskets

import calyxos
import csp
import loman
import numpy as np
import reaktiv
from _dagger_loop import Loop
from csp import ts
from csp.impl.mem_cache import memoize
from csp.impl.pushadapter import PushInputAdapter
from csp.impl.wiring import py_push_adapter_def
from numba import njit

from bank_python.dagger import ArrayNode, DependencyGraph, Leaf, Source, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH = 4.0
BOOKS = 14
START = 100.0


def strike_of(option: int) -> float:
    """Return the strike of an option."""
    return 80.0 + option % 40


def book_of(option: int, spots: int) -> int:
    """Return the book of an option: the options on one spot lie in eight of the fourteen."""
    return (option % spots * 3 + option // spots % 8) % BOOKS


def payoff(strike: float) -> Callable[[float], float]:
    """Return the function of one option."""
    sqrt = math.sqrt

    def price(spot: float) -> float:
        x = spot - strike
        return 0.5 * (x + sqrt(x * x + WIDTH))

    return price


class Ours:
    """bank_python's graph."""

    name = "bank_python"

    def __init__(self, spots: int, options: int) -> None:
        self.graph = DependencyGraph()
        self.spots = [self.graph.register(Leaf(f"S{i}", START, domain="positive")) for i in range(spots)]
        books: list[list[Any]] = [[] for _ in range(BOOKS)]
        for i in range(options):
            books[book_of(i, spots)].append(self.graph.derive(f"O{i}", payoff(strike_of(i)), [self.spots[i % spots]]))
        self.books = [self.graph.sum(f"B{j}", book) for j, book in enumerate(books)]
        self.firm = self.graph.sum("FIRM", self.books)
        self.graph.recalculate()

    def one(self, spot: int, value: float) -> float:
        self.spots[spot].set(value)
        self.graph.recalculate()
        return self.firm.value  # type: ignore[return-value]  # a float

    def one_read(self, spot: int, value: float) -> float:
        self.spots[spot].set(value)
        return self.firm.value  # type: ignore[return-value]  # a float

    def every(self, values: Sequence[float]) -> float:
        with self.graph.batch():
            for spot, value in zip(self.spots, values, strict=True):
                spot.set(value)
        self.graph.recalculate()
        return self.firm.value  # type: ignore[return-value]  # a float

    def what_if(self, spot: int, value: float) -> float:
        with self.graph.scenario({self.spots[spot]: value}):
            return self.firm.value  # type: ignore[return-value]  # a float


class Rounded(ArrayNode):
    """The option as a vectorised class."""

    spot = Source("price of the underlying")
    strike = Term("strike")
    width = Term("how much the payoff is rounded off")

    def __init__(self, name: str, spot: Leaf, strike: float) -> None:
        super().__init__(name, {"spot": spot}, {"strike": strike, "width": WIDTH})

    @staticmethod
    def price(spot: Any, strike: Any, width: Any) -> Any:
        x = spot - strike
        return 0.5 * (x + np.sqrt(x * x + width))


class OursArrays:
    """bank_python's graph with array nodes, fed by pages of quotes."""

    name = "bank_python, array nodes"

    def __init__(self, spots: int, options: int) -> None:
        self.graph = DependencyGraph()
        leaves = [self.graph.register(Leaf(f"S{i}", START, domain="positive")) for i in range(spots)]
        books: list[list[Any]] = [[] for _ in range(BOOKS)]
        for i in range(options):
            books[book_of(i, spots)].append(self.graph.register(Rounded(f"O{i}", leaves[i % spots], strike_of(i))))
        self.firm = self.graph.sum("FIRM", [self.graph.sum(f"B{j}", book) for j, book in enumerate(books)])
        self.graph.recalculate()
        self.block = self.graph.block(leaves)

    def every(self, values: Any) -> float:
        self.block.set(values)
        return self.firm.value  # type: ignore[return-value]  # a float


class Numpy:
    """The bare batch: gather, price, add up by book, add up."""

    name = "numpy"

    def __init__(self, spots: int, options: int) -> None:
        self.underlying = np.arange(options) % spots
        self.strikes = np.array([strike_of(i) for i in range(options)])
        self.books = np.array([book_of(i, spots) for i in range(options)])

    def every(self, values: Any) -> float:
        prices = Rounded.price(np.asarray(values)[self.underlying], self.strikes, WIDTH)
        return float(np.bincount(self.books, prices, BOOKS).sum())


@njit("float64(float64[::1], int64[::1], float64[::1], int64[::1], float64[::1])", error_model="numpy")
def _compiled_firm(
    spots: np.ndarray, underlying: np.ndarray, strikes: np.ndarray, books: np.ndarray, totals: np.ndarray
) -> float:
    totals[:] = 0.0
    for i in range(len(strikes)):
        x = spots[underlying[i]] - strikes[i]
        totals[books[i]] += 0.5 * (x + math.sqrt(x * x + WIDTH))
    return totals.sum()


class Compiled:
    """The same as one loop that numba has compiled: no array in between."""

    name = "numba"

    def __init__(self, spots: int, options: int) -> None:
        batch = Numpy(spots, options)
        self.fixed = (batch.underlying, batch.strikes, batch.books)
        self.totals = np.zeros(BOOKS)

    def every(self, values: Any) -> float:
        return _compiled_firm(values, *self.fixed, self.totals)


class Floor:
    """The loop written by hand."""

    name = "loop"

    def __init__(self, spots: int, options: int) -> None:
        self.loop = Loop()
        self.spots = [self.loop.leaf(f"S{i}", START) for i in range(spots)]
        books: list[list[int]] = [[] for _ in range(BOOKS)]
        for i in range(options):
            books[book_of(i, spots)].append(self.loop.node(f"O{i}", payoff(strike_of(i)), [self.spots[i % spots]]))
        self.firm = self.loop.total("FIRM", [self.loop.total(f"B{j}", book) for j, book in enumerate(books)])

    def one(self, spot: int, value: float) -> float:
        self.loop.set(self.spots[spot], value)
        self.loop.recalculate()
        return self.loop.values[self.firm]

    def every(self, values: Sequence[float]) -> float:
        for spot, value in zip(self.spots, values, strict=True):
            self.loop.set(spot, value)
        self.loop.recalculate()
        return self.loop.values[self.firm]


class Reaktiv:
    """reaktiv: signals and computed signals; a sum reads its inputs again."""

    name = "reaktiv"

    def __init__(self, spots: int, options: int) -> None:
        self.spots = [reaktiv.Signal(START) for _ in range(spots)]
        books: list[list[Any]] = [[] for _ in range(BOOKS)]
        for i in range(options):
            books[book_of(i, spots)].append(self._option(self.spots[i % spots], payoff(strike_of(i))))
        self.books = [self._sum(book) for book in books]
        self.firm = self._sum(self.books)
        self.firm()

    @staticmethod
    def _option(spot: Any, function: Callable[[float], float]) -> Any:
        return reaktiv.Computed(lambda: function(spot()))

    @staticmethod
    def _sum(parts: list[Any]) -> Any:
        return reaktiv.Computed(lambda: math.fsum([part() for part in parts]))

    def one(self, spot: int, value: float) -> float:
        self.spots[spot].set(value)
        return self.firm()

    def every(self, values: Sequence[float]) -> float:
        with reaktiv.batch():
            for spot, value in zip(self.spots, values, strict=True):
                spot.set(value)
        return self.firm()


class Calyxos:
    """calyxos: one object whose methods are the nodes."""

    name = "calyxos"

    def __init__(self, spots: int, options: int) -> None:
        members: dict[str, Any] = {}
        for i in range(spots):
            members[f"s{i}"] = self._method(f"s{i}", lambda _: START, calyxos.NodeFlag.CAN_SET)
        books: list[list[str]] = [[] for _ in range(BOOKS)]
        for i in range(options):
            members[f"o{i}"] = self._option(f"o{i}", f"s{i % spots}", payoff(strike_of(i)))
            books[book_of(i, spots)].append(f"o{i}")
        for j, book in enumerate(books):
            members[f"b{j}"] = self._sum(f"b{j}", book)
        members["firm"] = self._sum("firm", [f"b{j}" for j in range(BOOKS)])
        self.desk = type("Desk", (), members)()
        self.desk.firm()

    @staticmethod
    def _method(name: str, function: Callable[[Any], float], *flags: Any) -> Any:
        function.__name__ = function.__qualname__ = name
        return calyxos.node(*flags)(function)

    def _option(self, name: str, spot: str, function: Callable[[float], float]) -> Any:
        return self._method(name, lambda desk: function(getattr(desk, spot)()))

    def _sum(self, name: str, parts: list[str]) -> Any:
        return self._method(name, lambda desk: math.fsum([getattr(desk, part)() for part in parts]))

    def one(self, spot: int, value: float) -> float:
        calyxos.set_value(self.desk, f"s{spot}", value)
        return self.desk.firm()

    def every(self, values: Sequence[float]) -> float:
        for spot, value in enumerate(values):
            calyxos.set_value(self.desk, f"s{spot}", value)
        return self.desk.firm()


class Loman:
    """loman: a computation of named nodes."""

    name = "loman"

    def __init__(self, spots: int, options: int) -> None:
        self.graph = loman.Computation()
        for i in range(spots):
            self.graph.add_node(f"s{i}", value=START)
        books: list[list[str]] = [[] for _ in range(BOOKS)]
        for i in range(options):
            self.graph.add_node(f"o{i}", payoff(strike_of(i)), kwds={"spot": f"s{i % spots}"})
            books[book_of(i, spots)].append(f"o{i}")
        for j, book in enumerate(books):
            self._sum(f"b{j}", book)
        self._sum("firm", [f"b{j}" for j in range(BOOKS)])
        self.graph.compute("firm")

    def _sum(self, name: str, parts: list[str]) -> None:
        self.graph.add_node(name, lambda *values: math.fsum(values), args=parts)

    def one(self, spot: int, value: float) -> float:
        self.graph.insert(f"s{spot}", value)
        self.graph.compute("firm")
        return self.graph.value("firm")

    def every(self, values: Sequence[float]) -> float:
        self.graph.insert_many([(f"s{spot}", value) for spot, value in enumerate(values)])
        self.graph.compute("firm")
        return self.graph.value("firm")


# --- csp -------------------------------------------------------------------------------------
# Its engine runs by itself. `CspLive` is a program like the others: it sets a spot and waits for the firm, across the
# boundary between its thread and the engine's. `csp_replay` is csp at home: the ticks are known beforehand and never
# leave the engine. Sums look at what ticked only; once as running float sums, which drift, once as exact as ours.
# `CspArrays` and `csp_array_replay` are the same with array series, for ticks that move all spots: one edge carries all
# of them, and payoffs, books and firm are a numpy node each.


@csp.node  # noqa: RET503 - how csp is written
def _option(spot: ts[float], strike: float) -> ts[float]:
    if csp.ticked(spot):
        x = spot - strike
        return 0.5 * (x + math.sqrt(x * x + WIDTH))


@csp.node  # noqa: RET503 - how csp is written
def _running_sum(parts: List[ts[float]], n: int) -> ts[float]:  # noqa: UP006 - how csp is written
    with csp.state():
        s_last = [0.0] * n
        s_sum = 0.0
    if csp.ticked(parts):
        for i, v in parts.tickeditems():
            s_sum += v - s_last[i]
            s_last[i] = v
        return s_sum


def squeeze(terms: list[float], total: float) -> None:
    """Replace terms by a few with the same exact sum."""
    parts, rest = [], total
    while rest:
        parts.append(rest)
        terms.append(-rest)
        rest = math.fsum(terms)
    terms[:] = parts


@csp.node  # noqa: RET503 - how csp is written
def _exact_sum(parts: List[ts[float]], n: int) -> ts[float]:  # noqa: UP006 - how csp is written
    with csp.state():
        s_last = [0.0] * n
        s_terms = []
    if csp.ticked(parts):
        for i, v in parts.tickeditems():
            s_terms.append(v)
            s_terms.append(-s_last[i])
            s_last[i] = v
        total = math.fsum(s_terms)
        if len(s_terms) > 16:
            squeeze(s_terms, total)
        return total


@csp.node
def _sink(x: ts[float], heard: object):  # noqa: ANN202 - how csp is written
    if csp.ticked(x):
        heard(x)


@csp.node
def _split(x: ts[object], n: int) -> csp.OutputBasket(List[ts[float]], shape="n"):  # noqa: ARG001, UP006 - how csp is written
    if csp.ticked(x):
        csp.output(x)


def _csp_firm(spots: Sequence[Any], options: int, heard: Callable[[float], None], total: Any) -> None:
    books: list[list[Any]] = [[] for _ in range(BOOKS)]
    for i in range(options):
        books[book_of(i, len(spots))].append(_option(spots[i % len(spots)], strike_of(i)))
    _sink(total([total(book, len(book)) for book in books], BOOKS), heard)


class _Push(PushInputAdapter):
    def __init__(self, box: list[Any]) -> None:
        super().__init__()
        box.append(self)


_push = py_push_adapter_def("_push", _Push, ts[object], box=object)


class _CspInRealTime:
    """csp's engine in a thread of its own: push a tick, wait for the firm's value."""

    def __init__(self, graph: Callable[[list[Any], Callable[[float], None]], None]) -> None:
        self._box: list[Any] = []
        self._heard = threading.Event()
        self._firm = 0.0
        self._thread = csp.run_on_thread(
            graph,
            self._box,
            self._hear,
            realtime=True,
            starttime=datetime.utcnow(),  # noqa: DTZ003 - csp takes naive times
            endtime=timedelta(hours=1),
            daemon=True,
        )
        while not self._box:
            time.sleep(0.01)
        time.sleep(0.5)

    def _hear(self, value: float) -> None:
        self._firm = value
        self._heard.set()

    def tick(self, moved: object) -> float:
        self._heard.clear()
        self._box[0].push_tick(moved)
        self._heard.wait(5.0)
        return self._firm

    def close(self) -> None:
        """Stop the engine."""
        self._thread.stop_engine()
        with suppress(Exception):  # how a stopped engine ends is of no interest here
            self._thread.join()


class CspLive(_CspInRealTime):
    """csp in real time, an edge for each spot: one push of the spots that moved, then wait for the firm's value."""

    name = "csp, live"

    def __init__(self, spots: int, options: int) -> None:
        def graph(box: list[Any], heard: Callable[[float], None]) -> None:
            _csp_firm(_split(_push(box=box), spots), options, heard, _running_sum)

        super().__init__(graph)
        self.every([START] * spots)

    def one(self, spot: int, value: float) -> float:
        return self.tick({spot: value})

    def every(self, values: Sequence[float]) -> float:
        return self.tick(dict(enumerate(values)))


@csp.node  # noqa: RET503 - how csp is written
def _payoffs(spots: ts[np.ndarray], batch: object) -> ts[np.ndarray]:
    if csp.ticked(spots):
        x = spots[batch.underlying] - batch.strikes
        return 0.5 * (x + np.sqrt(x * x + WIDTH))


@csp.node  # noqa: RET503 - how csp is written
def _books(payoffs: ts[np.ndarray], batch: object) -> ts[np.ndarray]:
    if csp.ticked(payoffs):
        return np.bincount(batch.books, payoffs, BOOKS)


@csp.node  # noqa: RET503 - how csp is written
def _firm(books: ts[np.ndarray]) -> ts[float]:
    if csp.ticked(books):
        return float(books.sum())


_push_array = py_push_adapter_def("_push_array", _Push, ts[np.ndarray], box=object)


class CspArrays(_CspInRealTime):
    """csp in real time, one edge for all spots: one push of their array, then wait for the firm's value."""

    name = "csp, live, array series"

    def __init__(self, spots: int, options: int) -> None:
        batch = Numpy(spots, options)

        def graph(box: list[Any], heard: Callable[[float], None]) -> None:
            _sink(_firm(_books(_payoffs(_push_array(box=box), batch), batch)), heard)

        super().__init__(graph)
        self.every(np.full(spots, START))

    def every(self, values: Any) -> float:
        return self.tick(values)


def csp_replay(spots: int, options: int, ticks: list[dict[int, float]], *, exact: bool) -> tuple[list[float], float]:
    """Replay ticks inside csp; return the seconds from each firm value to the next, and the last value."""
    epoch = datetime(2024, 1, 1)  # noqa: DTZ001 - csp takes naive times
    curves: list[list[tuple[datetime, float]]] = [[(epoch, START)] for _ in range(spots)]
    for number, tick in enumerate(ticks):
        for spot, value in tick.items():
            curves[spot].append((epoch + timedelta(seconds=number + 1), value))

    def graph(heard: Callable[[float], None]) -> None:
        _csp_firm([csp.curve(float, curve) for curve in curves], options, heard, _exact_sum if exact else _running_sum)

    return _replayed(graph, epoch, len(ticks))


def csp_array_replay(spots: int, options: int, ticks: list[np.ndarray]) -> tuple[list[float], float]:
    """Replay arrays of all spots inside csp; return as :func:`csp_replay` does."""
    epoch, batch = datetime(2024, 1, 1), Numpy(spots, options)  # noqa: DTZ001 - csp takes naive times
    pages = [np.full(spots, START), *ticks]
    curve = [(epoch + timedelta(seconds=number), page) for number, page in enumerate(pages)]

    def graph(heard: Callable[[float], None]) -> None:
        with memoize(False):  # an array cannot be hashed
            spots_curve = csp.curve(np.ndarray, curve)
        _sink(_firm(_books(_payoffs(spots_curve, batch), batch)), heard)

    return _replayed(graph, epoch, len(ticks))


def _replayed(
    graph: Callable[[Callable[[float], None]], None], epoch: datetime, ticks: int
) -> tuple[list[float], float]:
    stamps: list[float] = []
    values: list[float] = []

    def hear(value: float) -> None:
        stamps.append(time.perf_counter())
        values.append(value)

    csp.run(graph, hear, starttime=epoch, endtime=epoch + timedelta(seconds=ticks + 2))
    return [later - earlier for earlier, later in pairwise(stamps[1:])], values[-1]
