"""Evaluations are counted: in each case exactly the minimum, whatever is read when."""

import gc
import math
import sys
from collections import Counter

import numpy as np
import pytest

from bank_python.dagger import ArrayNode, DependencyGraph, DerivedNode, Leaf, Source, SumNode, Term
from bank_python.errors import CycleError

SPOTS, OPTIONS, BOOKS = 180, 5_000, 14
DEEP = 100_000
PRICED = Counter()  # calls of Payoff.price, and how many columns they had


class Payoff(ArrayNode):
    """An option as the graph sees it: a class priced from a spot and a strike."""

    spot = Source("price of the underlying")
    strike = Term("strike")

    def __init__(self, name, spot, strike):
        super().__init__(name, {"spot": spot}, {"strike": strike})

    @staticmethod
    def price(spot, strike):
        PRICED["calls"] += 1
        PRICED["columns"] += np.broadcast(spot, strike).size
        return np.sqrt(spot * spot + strike)


def optional(spot):
    return math.sqrt(spot * spot + 1.0)


class Firm:
    """180 spots → 5,000 option-like nodes → 14 books → firm, brought up to date."""

    def __init__(self, kind):
        self.graph = DependencyGraph()
        self.calls = Counter()
        self.spots = [self.graph.register(Leaf(f"SPOT{i}", 100.0 + i)) for i in range(SPOTS)]
        self.options = [self.option(kind, i) for i in range(OPTIONS)]
        self.books = [self.graph.sum(f"BOOK{b}", self.options[b::BOOKS]) for b in range(BOOKS)]
        self.firm = self.graph.sum("FIRM", self.books)
        self.graph.recalculate()
        self.clear()

    def option(self, kind, i):
        name, spot = f"OPTION{i}", self.spots[i % SPOTS]
        if kind == "array":
            return self.graph.register(Payoff(name, spot, 1.0))

        def counted(value):
            self.calls[name] += 1
            return optional(value)

        return self.graph.derive(name, counted, [spot])

    def clear(self):
        self.calls.clear()
        PRICED.clear()

    def touched(self, *spots):
        """Number of options and books that depend on these spots."""
        options = [i for i in range(OPTIONS) if i % SPOTS in spots]
        return len(options), len({i % BOOKS for i in options})

    def expected(self, levels=None):
        levels = levels or [spot.value for spot in self.spots]
        return math.fsum(math.fsum(optional(levels[i % SPOTS]) for i in range(b, OPTIONS, BOOKS)) for b in range(BOOKS))

    def priced(self, kind):
        return PRICED["columns"] if kind == "array" else sum(self.calls.values())


@pytest.fixture(scope="module", params=["derive", "array"])
def firm(request):
    made = Firm(request.param)
    made.kind = request.param
    return made


@pytest.fixture(autouse=True)
def _at_rest(request):
    yield
    if "firm" in request.fixturenames:
        firm = request.getfixturevalue("firm")
        firm.graph.recalculate()
        firm.clear()


# --- counts for typical changes ---------------------------------------------------------------


@pytest.mark.parametrize("spot", [0, 77, 179])
def test_one_spot(firm, spot):
    options, books = firm.touched(spot)
    firm.spots[spot].set(firm.spots[spot].value + 1.0)
    done = firm.graph.recalculate()
    assert options in (27, 28)
    assert done.evaluated == options + books + 1
    assert (firm.priced(firm.kind), sum(done.by_class.values())) == (options, done.evaluated)
    assert firm.firm.value == firm.expected()


def test_one_spot_read_instead_of_recalculated(firm):
    options, books = firm.touched(3)
    before = firm.graph.evaluations
    firm.spots[3].set(firm.spots[3].value + 1.0)
    assert firm.firm.value == firm.expected()
    assert firm.graph.evaluations - before == options + books + 1
    assert firm.graph.recalculate().evaluated == 0


def test_all_spots_in_a_batch(firm):
    with firm.graph.batch():
        for spot in firm.spots:
            spot.set(spot.value + 0.5)
    done = firm.graph.recalculate()
    assert done.evaluated == OPTIONS + BOOKS + 1
    assert firm.priced(firm.kind) == OPTIONS
    assert PRICED["calls"] == (firm.kind == "array")
    assert firm.firm.value == firm.expected()


def test_all_spots_one_by_one_then_one_recalculation(firm):
    for spot in firm.spots:
        spot.set(spot.value + 0.5)
    assert firm.graph.recalculate().evaluated == OPTIONS + BOOKS + 1
    assert firm.priced(firm.kind) == OPTIONS


def test_all_spots_as_a_block(firm):
    block = firm.graph.block(firm.spots)
    levels = np.array([spot.value for spot in firm.spots])
    tick = firm.graph.tick
    block.set(levels + 0.25)
    assert firm.graph.tick == tick + 1
    assert firm.graph.recalculate().evaluated == OPTIONS + BOOKS + 1
    assert firm.priced(firm.kind) == OPTIONS
    assert firm.firm.value == firm.expected((levels + 0.25).tolist())
    firm.clear()
    block.set(levels)  # and one of them alone
    firm.graph.recalculate()
    moved = levels.copy()
    moved[7] += 1.0
    options, books = firm.touched(7)
    firm.clear()
    block.set(moved)
    assert firm.graph.recalculate().evaluated == options + books + 1
    assert firm.priced(firm.kind) == options


def test_a_block_set_away_and_back_evaluates_nothing(firm):
    block = firm.graph.block(firm.spots)
    levels = np.array([spot.value for spot in firm.spots])
    block.set(levels + 3.0)
    block.set(levels)
    assert firm.graph.recalculate().evaluated == 0
    assert firm.priced(firm.kind) == 0


@pytest.mark.parametrize("batched", [False, True])
def test_a_leaf_set_away_and_back_evaluates_nothing(firm, batched):
    level, before = firm.spots[5].value, firm.graph.evaluations

    def there_and_back():
        for value in (level + 1.0, level + 2.0, level):
            firm.spots[5].set(value)

    if batched:
        with firm.graph.batch():
            there_and_back()
    else:
        there_and_back()
    assert firm.graph.recalculate().evaluated == 0
    assert firm.graph.recalculate().evaluated == 0
    assert firm.firm.value == firm.expected()
    assert (firm.graph.evaluations, firm.priced(firm.kind)) == (before, 0)


def test_one_of_two_moved_leaves_comes_back(firm):
    level = firm.spots[5].value
    firm.spots[5].set(level + 1.0)
    firm.spots[6].set(firm.spots[6].value + 1.0)
    firm.spots[5].set(level)
    options, books = firm.touched(6)
    assert firm.graph.recalculate().evaluated == options + books + 1
    assert firm.firm.value == firm.expected()


def test_a_batch_that_was_undone_evaluates_nothing(firm):
    def undone():
        with firm.graph.batch():
            firm.spots[5].set(1.0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert firm.graph.recalculate().evaluated == 0
    assert firm.firm.value == firm.expected()


def test_what_if(firm):
    levels = [spot.value for spot in firm.spots]
    options, books = firm.touched(9)
    before = firm.graph.evaluations
    with firm.graph.scenario({firm.spots[9]: levels[9] + 1.0}) as layer:
        shocked = [*levels[:9], levels[9] + 1.0, *levels[10:]]
        assert firm.firm.value == firm.expected(shocked)
        assert (layer.evaluations, firm.priced(firm.kind)) == (options + books + 1, options)
    assert firm.graph.recalculate().evaluated == 0
    assert firm.firm.value == firm.expected(levels)
    assert (firm.graph.evaluations, firm.priced(firm.kind)) == (before, options)


def test_what_if_for_one_book(firm):
    book = firm.books[9 % BOOKS]
    options = len([i for i in range(OPTIONS) if i % SPOTS == 9 and i % BOOKS == 9 % BOOKS])
    with firm.graph.scenario({firm.spots[9]: 1.0}) as layer:
        _ = book.value
        assert layer.evaluations == firm.priced(firm.kind) + 1 == options + 1


# --- partial reads ----------------------------------------------------------------------------


def test_a_book_is_read_then_the_rest_is_done(firm):
    """The read computes the book's share, the recalculation what is left: together once each."""
    options, books = firm.touched(9)
    before = firm.graph.evaluations
    firm.spots[9].set(firm.spots[9].value + 1.0)
    _ = firm.books[9 % BOOKS].value
    in_book = firm.priced(firm.kind)
    assert 0 < in_book < options
    assert firm.graph.evaluations - before == in_book + 1
    done = firm.graph.recalculate()
    assert firm.graph.evaluations - before == options + books + 1
    assert done.evaluated == options + books + 1 - in_book - 1
    assert firm.priced(firm.kind) == options
    assert max(firm.calls.values(), default=1) == 1
    assert firm.firm.value == firm.expected()


def test_an_untouched_book_costs_nothing_to_read(firm):
    _, books = firm.touched(9)
    assert books < BOOKS
    untouched = next(b for b in range(BOOKS) if not any(i % SPOTS == 9 for i in range(b, OPTIONS, BOOKS)))
    before = firm.graph.evaluations
    firm.spots[9].set(firm.spots[9].value + 1.0)
    _ = firm.books[untouched].value
    assert firm.graph.evaluations == before


def test_read_tick_read_recalculate(firm):
    """A node that a read has evaluated is evaluated again only if a later tick changes its inputs."""
    firm.spots[9].set(firm.spots[9].value + 1.0)
    _ = firm.options[9].value
    firm.spots[10].set(firm.spots[10].value + 1.0)
    _ = firm.options[9].value
    assert firm.priced(firm.kind) == 1
    firm.graph.recalculate()
    nine, ten = firm.touched(9)[0], firm.touched(10)[0]
    assert firm.priced(firm.kind) == nine + ten
    assert max(firm.calls.values(), default=1) == 1
    assert firm.firm.value == firm.expected()


# --- shapes -----------------------------------------------------------------------------------


def counted(calls, name, function):
    def called(*values):
        calls[name] += 1
        return function(*values)

    return called


def test_a_chain():
    graph, calls = DependencyGraph(), Counter()
    node = leaf = graph.register(Leaf("L", 0.0))
    nodes = []
    for i in range(1_000):
        node = graph.derive(f"D{i}", counted(calls, i, lambda x: x + 1.0), [node])
        nodes.append(node)
    assert graph.recalculate().evaluated == 1_000
    calls.clear()
    leaf.set(1.0)
    assert nodes[499].value == 501.0
    assert (sum(calls.values()), graph.recalculate().evaluated) == (500, 500)
    assert (node.value, set(calls.values()), len(calls)) == (1_001.0, {1}, 1_000)


def test_a_diamond_ladder():
    graph, calls = DependencyGraph(), Counter()
    top = leaf = graph.register(Leaf("L", 1.0))
    middle = None
    for i in range(100):
        left = graph.derive(f"A{i}", counted(calls, f"A{i}", lambda x: x / 2.0), [top])
        right = graph.derive(f"B{i}", counted(calls, f"B{i}", lambda x: x / 2.0), [top])
        top = graph.derive(f"C{i}", counted(calls, f"C{i}", lambda x, y: x + y), [left, right])
        middle = top if i == 49 else middle
    assert graph.recalculate().evaluated == 300
    calls.clear()
    leaf.set(2.0)
    assert middle.value == 2.0
    assert sum(calls.values()) == 150
    assert graph.recalculate().evaluated == 150
    assert (top.value, set(calls.values()), len(calls)) == (2.0, {1}, 300)


def test_a_long_and_a_short_way_to_the_same_node():
    """A node is evaluated after its highest input, not when the first one changes."""
    graph, seen = DependencyGraph(), []
    leaf = node = graph.register(Leaf("L", 1.0))
    for i in range(30):
        node = graph.derive(f"D{i}", lambda x: x + 1.0, [node])
    graph.derive("JOIN", lambda x, y: seen.append((x, y)) or x - y, [leaf, node])
    graph.recalculate()
    leaf.set(5.0)
    graph.recalculate()
    assert seen == [(1.0, 31.0), (5.0, 35.0)]


@pytest.mark.parametrize("reads", [False, True])
def test_cutoff_above_300_dependents(reads):
    graph, calls = DependencyGraph(), Counter()
    leaf = graph.register(Leaf("L", 1.5))
    floor = graph.derive("FLOOR", counted(calls, "FLOOR", math.floor), [leaf])
    tops = [graph.derive(f"D{i}", counted(calls, i, lambda x: x + 1), [floor]) for i in range(300)]
    total = graph.sum("TOTAL", tops)
    graph.recalculate()
    calls.clear()
    leaf.set(1.75)
    if reads:
        assert [top.value for top in tops] == [2] * 300
        assert total.value == 600.0
        assert graph.recalculate().evaluated == 0
    else:
        done = graph.recalculate()
        assert (done.evaluated, done.changed) == (1, 0)
    assert calls == Counter(FLOOR=1)
    leaf.set(2.0)
    assert graph.recalculate().evaluated == 302


@pytest.mark.parametrize("equal", [lambda old, new: abs(new - old) <= 0.5, 0.5])
def test_cutoff_by_tolerance_goes_by_the_last_propagated_value(equal):
    graph, calls = DependencyGraph(), Counter()
    leaf = graph.register(Leaf("L", 1.0))
    near = graph.derive("NEAR", counted(calls, "NEAR", lambda x: x), [leaf], equal=equal)
    top = graph.derive("TOP", counted(calls, "TOP", lambda x: x), [near])
    graph.recalculate()
    for value in (1.25, 1.5, 1.75, 2.0, 2.25):
        leaf.set(value)
        graph.recalculate()
    assert (near.value, top.value) == (1.75, 1.75)
    assert calls == Counter(NEAR=6, TOP=2)


def test_the_cutoff_is_by_bits():
    graph, calls = DependencyGraph(), Counter()
    leaf = graph.register(Leaf("L", 1.0))
    zero = graph.derive("ZERO", lambda x: 0.0 * x, [leaf])
    vector = graph.derive("VECTOR", lambda x: np.array([abs(x), math.nan]), [leaf])
    graph.derive("AFTER_ZERO", counted(calls, "ZERO", lambda x: math.copysign(1.0, x)), [zero])
    graph.derive("AFTER_VECTOR", counted(calls, "VECTOR", lambda x: float(x[0])), [vector])
    graph.recalculate()
    calls.clear()
    leaf.set(-1.0)  # 0.0 becomes −0.0: another value; the array is the same, NaN and all
    graph.recalculate()
    assert (calls, graph["AFTER_ZERO"].value) == (Counter(ZERO=1), -1.0)


def test_a_failure_that_says_the_same_stops_the_wave():
    graph, calls = DependencyGraph(), Counter()

    def refuse(x):
        raise ValueError("never")

    leaf = graph.register(Leaf("L", 1.0))
    graph.derive("BAD", counted(calls, "BAD", refuse), [leaf])
    graph.derive("TOP", counted(calls, "TOP", lambda x: x), ["BAD"])
    assert graph.recalculate().failed == 2
    leaf.set(2.0)
    assert graph.recalculate().evaluated == 1
    assert calls == Counter(BAD=2)


def test_setting_the_same_value_again_is_no_tick(firm):
    tick = firm.graph.tick
    firm.spots[0].set(firm.spots[0].value)
    assert (firm.graph.tick, firm.graph.dirty, firm.graph.recalculate().evaluated) == (tick, 0, 0)


def test_an_amendment_evaluates_the_node_and_its_dependents():
    firm = Firm("array")
    firm.options[100].amend(strike=5.0)
    assert firm.graph.recalculate().evaluated == 3
    assert PRICED["columns"] == 1


def test_plan_and_recalculation_agree(firm):
    plan = firm.graph.plan(firm.spots[9])
    firm.spots[9].set(firm.spots[9].value + 1.0)
    done = firm.graph.recalculate()
    assert (len(plan), plan.by_class) == (done.evaluated, done.by_class)


# --- deep -------------------------------------------------------------------------------------


@pytest.fixture
def default_recursion_limit():
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.fixture
def deep(default_recursion_limit):
    graph = DependencyGraph()
    node = leaf = graph.register(Leaf("L", 0.0))
    other = graph.register(Leaf("OTHER", 10.0))
    for i in range(DEEP):
        node = graph.register(DerivedNode(f"D{i}", lambda x: x + 1.0, [node]))
    return graph, leaf, other, node


def test_a_chain_of_100_000_ticks_reads_and_asks_what_if(deep):
    graph, leaf, other, top = deep
    assert top.value == float(DEEP)
    leaf.set(1.0)
    assert graph.recalculate().evaluated == DEEP
    leaf.set(2.0)
    assert top.value == DEEP + 2.0
    with graph.scenario({leaf: 5.0}) as layer:
        assert top.value == DEEP + 5.0
        assert layer.evaluations == DEEP
    assert graph.recalculate().evaluated == 0
    leaf.set(3.0)
    leaf.set(2.0)
    assert graph.recalculate().evaluated == 0
    graph.rewire(graph["D0"], [other])
    assert top.value == DEEP + 10.0


def test_a_chain_of_100_000_is_explained_planned_and_refused_a_cycle(deep):
    graph, leaf, _, top = deep
    graph.recalculate()
    why = graph.explain(top, depth=20)
    for _ in range(20):
        assert (len(why.inputs), why.more_inputs) == (1, 0)
        why = why.inputs[0]
    assert (why.name, why.outcome, why.inputs, why.more_inputs) == (f"D{DEEP - 21}", DEEP - 20.0, (), 1)
    plan = graph.plan(leaf)
    assert (len(plan), plan.levels, plan.nodes[0], plan.nodes[-1]) == (DEEP, DEEP, "D0", top.name)
    with pytest.raises(CycleError) as caught:
        graph.rewire(graph["D0"], [top])
    assert len(caught.value.path) == DEEP + 1
    assert top.value == float(DEEP)


def test_a_chain_of_100_000_made_outside_is_registered_at_once_and_collected(default_recursion_limit):
    node = leaf = Leaf("L", 0.0)
    for i in range(DEEP):
        node = DerivedNode(f"D{i}", lambda x: x + 1.0, [node])
    graph = DependencyGraph()
    graph.register(node)
    assert (len(graph), node.value) == (DEEP + 1, float(DEEP))
    leaf.set(1.0)
    assert node.value == DEEP + 1.0
    del graph, node, leaf
    gc.collect()


def test_a_chain_of_100_000_sums(default_recursion_limit):
    graph = DependencyGraph()
    node = leaf = graph.register(Leaf("L", 1.0))
    for i in range(DEEP):
        node = graph.register(SumNode(f"S{i}", [node]))
    assert node.value == 1.0
    leaf.set(0.1)
    assert graph.recalculate().evaluated == DEEP
    with graph.scenario({leaf: 5.0}):
        assert node.value == 5.0
    assert node.value == 0.1
