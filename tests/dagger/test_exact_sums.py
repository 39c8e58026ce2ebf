"""Sums are bitwise identical to math.fsum of their current inputs, whatever changes led to these."""

import itertools
import math
import random
import struct
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bank_python.dagger import ArrayNode, DependencyGraph, Leaf, Source, SumNode, Term
from bank_python.errors import GraphError, UpstreamError

LEAVES = 200


class Line(ArrayNode):
    """source × slope."""

    source = Source("what is multiplied")
    slope = Term("by how much")

    def __init__(self, name, source, slope):
        super().__init__(name, {"source": source}, {"slope": slope})

    @staticmethod
    def price(source, slope):
        return source * slope


def bits(value):
    assert type(value) is float
    return struct.pack("<d", value)


def total_of(node):
    """The expected sum: fsum of the current values of its inputs."""
    given = [source.value for source in node.underliers]
    weights = node.weights or [1.0] * len(given)
    return math.fsum(weight * x for weight, x in zip(weights, given, strict=True))


def agrees(node):
    assert bits(node.value) == bits(total_of(node)), f"{node.name}: {node.value!r} is not {total_of(node)!r}"


# --- a million ticks --------------------------------------------------------------------------


def heavy_tailed(rng, size):
    """Numbers of either sign from 1e−20 to 1e20, some of them zeros of either sign, some round."""
    values = rng.choice([-1.0, 1.0], size) * 10.0 ** rng.uniform(-20.0, 20.0, size)
    kind = rng.integers(0, 20, size)
    values[kind == 0] = 0.0
    values[kind == 1] = -0.0
    values[kind == 2] = 0.1
    values[kind >= 15] = rng.normal(0.0, 100.0, size)[kind >= 15]  # most of a book is of one size
    return values


class Books:
    """200 leaves under eight sums of about a hundred, six of those and two more, a firm: almost 1,000 inputs."""

    def __init__(self, rng):
        self.graph = graph = DependencyGraph()
        self.leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(LEAVES)]
        self.books = [
            graph.sum(f"BOOK{b}", [self.leaves[i] for i in rng.permutation(LEAVES)[:100]], self.weights(rng, b))
            for b in range(8)
        ]
        lines = [graph.register(Line(f"LINE{i}", leaf, 1.0 + i / 7.0)) for i, leaf in enumerate(self.leaves[:80])]
        twice = [graph.derive(f"TWICE{i}", lambda x: 2.0 * x, [leaf]) for i, leaf in enumerate(self.leaves[40:80])]
        mixed = graph.sum("MIXED", [*lines, *twice, *self.leaves[100:110], self.books[0]])
        desks = [graph.sum("DESK0", self.books[:5]), graph.sum("DESK1", [*self.books[3:], mixed], [1.0, -0.3] * 3)]
        self.sums = [*self.books, mixed, *desks, graph.sum("FIRM", [*desks, mixed, self.books[1], self.leaves[0]])]

    @staticmethod
    def weights(rng, b):
        return rng.normal(size=100).tolist() if b % 3 == 2 else None


@pytest.mark.parametrize("ticks", [100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_million_ticks_read_eagerly_and_lazily(ticks):
    rng = np.random.default_rng(20)
    made = Books(rng)
    graph, sums, setters = made.graph, made.sums, [leaf.set for leaf in made.leaves]
    assert sum(len(node.underliers) for node in sums) > 900
    checked, expected = 0, {}
    for _ in range(ticks // 10_000):
        which = rng.integers(0, LEAVES, 10_000).tolist()
        values = heavy_tailed(rng, 10_000).tolist()
        routes = rng.choice(6, 10_000, p=[0.15, 0.05, 0.05, 0.05, 0.699, 0.001]).tolist()
        for i, value, route in zip(which, values, routes, strict=True):
            setters[i](value)
            if route == 0:
                graph.recalculate()
            elif route <= 3:
                expected[route] = sums[(i * 7 + route) % len(sums)].value
            elif route == 5:
                agrees(sums[i % len(sums)])
                checked += 1
        for node in sums:
            agrees(node)
    assert (checked > ticks // 2_000, len(expected)) == (True, 3)
    graph.recalculate()
    for node in sums:
        agrees(node)


def test_ticks_in_batches_blocks_and_layers():
    """The other ways in which inputs change: many at once, undone, in a layer, amended, swapped."""
    rng = np.random.default_rng(21)
    made = Books(rng)
    graph, sums = made.graph, made.sums
    block = graph.block(made.leaves[:150])
    lines = [node for node in graph if isinstance(node, Line)]
    for step in range(400):
        values = heavy_tailed(rng, LEAVES).tolist()
        kind = step % 5
        if kind == 0:
            block.set(values[:150])
        elif kind == 1:
            with graph.batch():
                for leaf, value in zip(made.leaves[step % 50 : step % 50 + 30], values, strict=False):
                    leaf.set(value)
        elif kind == 2:
            undone(graph, made.leaves, values)
        elif kind == 3:
            lines[step % len(lines)].amend(slope=values[0])
        else:
            with graph.scenario(dict(zip(made.leaves[:20], values, strict=False))):
                agrees(sums[step % len(sums)])
                agrees(sums[-1])
        if step % 3:
            agrees(sums[step % len(sums)])
        else:
            graph.recalculate()
    for node in sums:
        agrees(node)


def undone(graph, leaves, values):
    before = leaves[0].value

    def body():
        with graph.batch():
            for leaf, value in zip(leaves, values, strict=True):
                leaf.set(value)
            graph.recalculate()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        body()
    assert bits(leaves[0].value) == bits(before)


def test_the_value_does_not_depend_on_the_route():
    """Eager, lazy, batched and freshly made: the same bits."""
    rng = np.random.default_rng(22)
    ticks = list(zip(rng.integers(0, 30, 3_000).tolist(), heavy_tailed(rng, 3_000).tolist(), strict=True))

    def walked(recalculates):
        graph = DependencyGraph()
        leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(30)]
        total = graph.sum("S", leaves)
        for i, (which, value) in enumerate(ticks):
            leaves[which].set(value)
            if recalculates(i):
                graph.recalculate()
        return total.value, [leaf.value for leaf in leaves]

    eager, now = walked(lambda _: True)
    lazy, _ = walked(lambda _: False)
    mixed, _ = walked(lambda i: i % 7 == 0)
    fresh = SumNode("S", [Leaf(f"L{i}", x) for i, x in enumerate(now)]).value
    assert bits(eager) == bits(lazy) == bits(mixed) == bits(fresh) == bits(math.fsum(now))


# --- values that can be summed ----------------------------------------------------------------

finite = st.floats(allow_nan=False, allow_infinity=False)
nasty = st.sampled_from(
    [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.0, -1.0, 1e16, -1e16, 1.0 + 2**-52, 2.0**53, 1e300, -1e300]
)


@settings(max_examples=150, deadline=None)
@given(
    start=st.lists(finite | nasty, min_size=1, max_size=6),
    ticks=st.lists(st.tuples(st.integers(0, 5), finite | nasty, st.booleans()), max_size=25),
)
@example(start=[1e16, 1.0, -1e16], ticks=[(0, 1e300, True), (0, -1e16, True), (2, 1e16, True)])
@example(start=[1.7e308, -1.7e308], ticks=[(0, 1.0, True), (1, 1.7e308, True), (0, -1.7e308, True)])
@example(start=[1.7e308, 1.0], ticks=[(1, 1.7e308, True), (0, -1.7e308, True)])
def test_any_finite_numbers(start, ticks):
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(len(start))]
    total = graph.sum("S", leaves)
    _ = total.value
    for i, value, reads in [*((i, x, False) for i, x in enumerate(start)), *ticks, (0, start[0], True)]:
        leaves[i % len(leaves)].set(value)
        if reads:
            is_fsum_of(total, [leaf.value for leaf in leaves])


def is_fsum_of(total, values):
    """The sum is fsum's, bit for bit; where fsum gives up on the way, so may the sum, else it is the exact one."""
    try:
        assert bits(total.value) == bits(math.fsum(values))
    except OverflowError:
        if total.error is None:
            assert total.value == float(sum(map(Fraction, values)))


@settings(max_examples=150, deadline=None)
@given(
    weights=st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    repeats=st.lists(st.integers(0, 2), min_size=1, max_size=7),
    ticks=st.lists(st.tuples(st.integers(0, 2), st.floats(-1e20, 1e20) | nasty.filter(lambda x: abs(x) < 1e20))),
)
def test_weights_and_inputs_that_stand_there_twice(weights, repeats, ticks):
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(3)]
    plain = graph.sum("PLAIN", [leaves[i] for i in repeats])
    weighted = graph.sum("WEIGHTED", [leaves[i] for i in repeats], [weights[i] for i in repeats])
    both = graph.sum("BOTH", [plain, weighted, plain], [1.0, -0.1, 0.7])
    for i, value in ticks:
        leaves[i].set(value)
        agrees(both)
    for node in (plain, weighted, both):
        agrees(node)


def test_small_terms_survive_large_ones_that_come_and_go():
    graph = DependencyGraph()
    large, small = graph.register(Leaf("LARGE", 1.0)), graph.register(Leaf("SMALL", 1e-16))
    total = graph.sum("S", [large, small])
    for value in (1e16, -1e200, 1e300, 0.0):
        large.set(value)
        agrees(total)
    assert total.value == 1e-16
    small.set(0.1)
    for _ in range(100_000):  # a running total that rounds would drift
        large.set(0.1)
        _ = total.value
        large.set(-0.3)
        graph.recalculate()
    assert bits(total.value) == bits(math.fsum([-0.3, 0.1]))


def test_empty_and_one_element_sums():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    empty, one, weighted = graph.sum("EMPTY", []), graph.sum("ONE", [leaf]), graph.sum("W", [leaf], [-1.0])
    above = graph.sum("ABOVE", [empty, one, empty])
    for value in (-0.0, 0.0, 5e-324, -1e308, 0.1, -0.0):
        leaf.set(value)
        assert bits(empty.value) == bits(0.0)
        assert bits(one.value) == bits(math.fsum([value]))
        assert bits(weighted.value) == bits(math.fsum([-1.0 * value]))
        agrees(above)


def test_zeros_of_either_sign_are_what_fsum_makes_of_them():
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(3)]
    total = graph.sum("S", leaves)
    for zeros in itertools.product([0.0, -0.0], repeat=3):
        for leaf, zero in zip(leaves, zeros, strict=True):
            leaf.set(zero)
            _ = total.value
        agrees(total)
    for leaf, value in zip(leaves, (1.5, -1.5, -0.0), strict=True):
        leaf.set(value)
    agrees(total)


def test_ints_count_as_the_numbers_they_are():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.5))
    whole = graph.derive("WHOLE", lambda x: int(x), [leaf])  # noqa: PLW0108 - a node's function may be any callable
    large = graph.derive("LARGE", lambda x: 2**60 + 1 if x > 5.0 else x, [leaf])
    total, weighted = graph.sum("S", [whole, leaf, large]), graph.sum("W", [whole, large], [0.1, -3.0])
    for value in (2.5, 7.25, -1.5, 6.0, 6.5, 0.1):
        leaf.set(value)
        agrees(total)
        agrees(weighted)


# --- values that cannot be summed -------------------------------------------------------------


def inverse(x):
    return math.copysign(math.inf, x) if x == 0.0 else 1.0 / x


def fsum_or_refusal(node):
    try:
        return total_of(node)
    except (ValueError, OverflowError) as refusal:
        return refusal


def shown_as_fsum(total):
    """The sum's value, or its failure, is fsum's."""
    expected = fsum_or_refusal(total)
    if isinstance(expected, float):
        assert bits(total.value) == bits(expected)
        return expected
    assert type(total.error) is type(expected)
    assert str(expected) in str(total.error)
    with pytest.raises(type(expected)):
        _ = total.value
    return "refused"


def test_through_infinities_and_back():
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 4.0)) for i in range(3)]
    nodes = [graph.derive(f"INVERSE{i}", inverse, [leaf]) for i, leaf in enumerate(leaves)]
    total = graph.sum("S", [*nodes, leaves[0]])
    above = graph.sum("ABOVE", [total, leaves[1]], [2.0, 0.1])
    rng = random.Random(5)
    seen = set()
    for step in range(2_000):
        leaves[step % 3].set(rng.choice([0.0, -0.0, 3.0, -7.0, 1e-308, 1e300]))
        if rng.random() < 0.3:
            graph.recalculate()
        if rng.random() < 0.6:
            seen.add(shown_as_fsum(total))
            if total.error is None:
                shown_as_fsum(above)
            else:
                assert isinstance(above.error, UpstreamError)
                assert above.error.cause_name == "S"
    assert {math.inf, -math.inf, "refused"} < seen
    for leaf in leaves:
        leaf.set(3.0)
    assert bits(total.value) == bits(math.fsum([1.0 / 3.0] * 3 + [3.0]))


def test_array_nodes_that_are_infinite_for_a_while():
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 1.0)) for i in range(40)]
    lines = [graph.register(Line(f"LINE{i}", leaf, 1e200)) for i, leaf in enumerate(leaves)]
    total, other = graph.sum("S", lines), graph.sum("OTHER", [*lines[:5], leaves[7]])
    rng = random.Random(6)
    seen = set()
    for step in range(1_500):
        leaves[rng.randrange(40)].set(rng.choice([1e150, -1e150, 1.0, 0.1, 1e-200, -3.0]) if step % 3 else 1.0)
        if step % 2:
            seen.add(shown_as_fsum(total))
            shown_as_fsum(other)
        if step % 5 == 0:
            graph.recalculate()
    assert seen & {math.inf, -math.inf}
    for i, leaf in enumerate(leaves):
        leaf.set(0.1 * i)
    shown_as_fsum(total)
    shown_as_fsum(other)


def test_an_overflow_of_a_weighted_product_and_the_way_back():
    graph = DependencyGraph()
    a, b = graph.register(Leaf("A", 1.0)), graph.register(Leaf("B", 1.0))
    total = graph.sum("S", [a, b], [1e200, -1e200])
    results = []
    for x, y in [(1e200, 1.0), (1e200, 1e200), (1.0, 1e200), (0.1, 0.3), (1e108, 1.0), (1e108, 1e108), (2.0, 0.1)]:
        a.set(x)
        b.set(y)
        results.append(shown_as_fsum(total))
    assert results[:3] == [math.inf, "refused", -math.inf]


def test_failures_of_inputs_and_recoveries():
    def refuses(x):
        if x < 0.0:
            raise ValueError("negative")
        return x

    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 0.1)) for i in range(4)]
    nodes = [graph.derive(f"D{i}", refuses, [leaf]) for i, leaf in enumerate(leaves)]
    lines = [graph.register(Line(f"LINE{i}", node, 3.0)) for i, node in enumerate(nodes)]
    total, above = graph.sum("S", [*nodes, leaves[0]]), graph.sum("ABOVE", [])
    above.add(total)
    above.add(lines[0])
    rng = random.Random(7)
    failures = 0
    for step in range(2_000):
        leaves[step % 4].set(rng.choice([-1.0, 1e16, 1e-16, 0.1, 0.7]))
        if rng.random() < 0.5:
            continue
        bad = [i for i, leaf in enumerate(leaves) if leaf.value < 0.0]
        failures += bool(bad)
        if bad:
            assert total.error.cause_name in {f"D{i}" for i in bad}
            assert above.error.cause_name in {f"D{i}" for i in bad}
        else:
            agrees(total)
            agrees(above)
    assert 100 < failures < 1_900
    for leaf in leaves:
        leaf.set(0.1)
    agrees(above)


def test_an_input_that_is_no_number_fails_the_sum_and_its_going_repairs_it():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    word = graph.derive("WORD", lambda x: "word" if x > 5.0 else x, [leaf])
    total = graph.sum("S", [leaf, word])
    assert total.value == 2.0
    leaf.set(6.0)
    assert isinstance(total.error, TypeError)
    leaf.set(0.1)
    assert bits(total.value) == bits(math.fsum([0.1, 0.1]))


# --- other inputs -----------------------------------------------------------------------------


def test_inputs_that_come_and_go():
    rng = random.Random(8)
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", rng.uniform(-1.0, 1.0) * 10.0 ** rng.randint(-20, 20))) for i in range(12)]
    lines = [graph.register(Line(f"LINE{i}", leaf, 0.3)) for i, leaf in enumerate(leaves)]
    total, weighted = graph.sum("S", leaves[:3]), graph.sum("W", leaves[:3], [0.1, 0.2, -0.3])
    above = graph.sum("ABOVE", [total, weighted, total])
    for step in range(1_500):
        pool = rng.choices([*leaves, *lines], k=rng.randint(0, 8))
        if step % 3 == 0:
            graph.rewire(total, pool)
        elif step % 3 == 1:
            graph.rewire(weighted, rng.choices(leaves, k=3))
        else:
            total.add(rng.choice(lines))
        rng.choice(leaves).set(rng.uniform(-1.0, 1.0) * 10.0 ** rng.randint(-20, 20))
        if rng.random() < 0.7:
            agrees(above)
    for node in (total, weighted, above):
        agrees(node)


def test_a_weighted_sum_refuses_more_inputs_than_weights_and_stays_as_it_was():
    graph = DependencyGraph()
    leaves = [graph.register(Leaf(f"L{i}", 0.1 + i)) for i in range(3)]
    total = graph.sum("W", leaves[:2], [2.0, 3.0])
    before = total.value
    for inputs in (leaves, leaves[:1], []):
        with pytest.raises(GraphError):
            graph.rewire(total, inputs)
        assert (total.underliers, total.weights) == (tuple(leaves[:2]), (2.0, 3.0))
    leaves[0].set(0.1)
    assert bits(total.value) == bits(before)
    for weights in ([1.0], [1.0, math.nan], [1.0, math.inf]):
        with pytest.raises(GraphError):
            graph.sum("BAD", leaves[:2], weights)
    assert "BAD" not in graph


# --- cost -------------------------------------------------------------------------------------


def instructions_of(action):
    """How many bytecode instructions of Python `action` takes: a count, the same on every machine."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("lazily", [False, True])
def test_a_tick_costs_what_changed_and_not_what_there_is(weighted, lazily):
    """A hundred ticks of one input take as many instructions under a sum of 5,000 as under a sum of 50."""

    def cost_of(size):
        graph = DependencyGraph()
        leaves = [graph.register(Leaf(f"L{i}", float(i))) for i in range(size)]
        total = graph.sum("S", leaves, [0.5] * size if weighted else None)
        graph.recalculate()

        def ticks():
            for i in range(100):
                leaves[i % 10].set(0.1 * i)
                if lazily:
                    _ = total.value
                else:
                    graph.recalculate()

        ticks()  # results about the wiring that are computed once
        cost = instructions_of(ticks)
        agrees(total)
        return cost

    assert cost_of(5_000) < 1.5 * cost_of(50)
