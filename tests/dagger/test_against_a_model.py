"""The graph against full recomputation by a model of its own, after every step of a random sequence of operations."""

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bank_python.dagger import ArrayNode, DependencyGraph, DerivedNode, Leaf, Source, SumNode, Term
from bank_python.errors import BankError, CycleError

FAILED = "failed"


class Scaled(ArrayNode):
    """source × factor + shift, vectorised; NaN below −50."""

    source = Source("input")
    factor = Term("factor")
    shift = Term("shift")

    def __init__(self, name, source, factor, shift):
        super().__init__(name, {"source": source}, {"factor": factor, "shift": shift})

    @staticmethod
    def price(source, factor, shift):
        import numpy as np

        return np.where(source < -50.0, np.nan, source * factor + shift)


def difference(left, right):
    if left > 90.0:
        raise ValueError("too large")
    return left - right


class GraphLife(RuleBasedStateMachine):
    """Random DAGs, ticks, batches that may fail, edge changes, amendments, what-ifs."""

    def __init__(self):
        super().__init__()
        self.graph = DependencyGraph()
        self.values = {}
        self.kinds = {}
        for _ in range(2):
            self.add_leaf(1.0)

    # --- the model ---

    def expected(self, overrides=None):
        known = {}

        def value(name):
            if name not in known:
                known[name] = compute(name)
            return known[name]

        def compute(name):
            kind, *rest = self.kinds[name]
            if kind == "leaf":
                return (overrides or {}).get(name, self.values[name])
            inputs = [value(source) for source in rest[0]]
            if FAILED in inputs:
                return FAILED
            if kind == "difference":
                return FAILED if inputs[0] > 90.0 else inputs[0] - inputs[1]
            if kind == "scaled":
                return FAILED if inputs[0] < -50.0 else inputs[0] * rest[1] + rest[2]
            return math.fsum(inputs)

        return {name: value(name) for name in self.kinds}

    def shown(self, name):
        node = self.graph[name]
        return FAILED if node.error is not None else node.value

    # --- operations ---

    def fresh(self):
        return f"N{len(self.kinds)}"

    def add_leaf(self, value):
        name = self.fresh()
        leaf = self.graph.register(Leaf(name, value))
        self.kinds[name], self.values[name] = ("leaf",), leaf.value

    names = st.integers(0, 10_000)
    numbers = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 2))

    def pick(self, index, only=None):
        choices = [name for name, kind in self.kinds.items() if only in (None, kind[0])]
        return choices[index % len(choices)]

    @rule(value=numbers)
    @precondition(lambda self: len(self.values) < 8)
    def leaf(self, value):
        self.add_leaf(value)

    @rule(left=names, right=names)
    @precondition(lambda self: len(self.kinds) < 40)
    def derive(self, left, right):
        name, sources = self.fresh(), [self.pick(left), self.pick(right)]
        self.graph.derive(name, difference, sources)
        self.kinds[name] = ("difference", sources)

    @rule(source=names, factor=numbers, shift=numbers)
    @precondition(lambda self: len(self.kinds) < 40)
    def scale(self, source, factor, shift):
        name, below = self.fresh(), self.pick(source)
        self.graph.register(Scaled(name, self.graph[below], factor, shift))
        self.kinds[name] = ("scaled", [below], factor, shift)

    @rule(sources=st.lists(names, max_size=5))
    @precondition(lambda self: len(self.kinds) < 40)
    def add_up(self, sources):
        name, below = self.fresh(), list(dict.fromkeys(self.pick(i) for i in sources))
        self.graph.sum(name, below)
        self.kinds[name] = ("sum", below)

    @rule(which=names, value=numbers)
    def tick(self, which, value):
        name = self.pick(which, "leaf")
        self.graph[name].set(value)
        self.values[name] = value

    @rule(ticks=st.lists(st.tuples(names, numbers), max_size=4), fails=st.booleans(), reads=st.booleans())
    def batch(self, ticks, fails, reads):
        set_to = {self.pick(which, "leaf"): value for which, value in ticks}

        def body():
            with self.graph.batch():
                for name, value in set_to.items():
                    self.graph[name].set(value)
                    if reads:
                        self.shown(self.pick(len(name)))
                if fails:
                    raise RuntimeError("undone")

        if fails:
            with pytest.raises(RuntimeError):
                body()
        else:
            body()
            self.values.update(set_to)

    @rule(which=names, factor=numbers)
    @precondition(lambda self: any(kind[0] == "scaled" for kind in self.kinds.values()))
    def amend(self, which, factor):
        name = self.pick(which, "scaled")
        self.graph[name].amend(factor=factor)
        kind, below, _, shift = self.kinds[name]
        self.kinds[name] = (kind, below, factor, shift)

    @rule(which=names, source=names)
    @precondition(lambda self: any(kind[0] == "sum" for kind in self.kinds.values()))
    def grow_a_sum(self, which, source):
        name, below = self.pick(which, "sum"), self.pick(source)
        inputs = self.kinds[name][1]
        if below in inputs:
            return
        if self.rests_on(below, name):
            with pytest.raises(CycleError) as caught:
                self.graph[name].add(self.graph[below])
            assert caught.value.path[0] == caught.value.path[-1] == name
        else:
            self.graph[name].add(self.graph[below])
            self.kinds[name] = ("sum", [*inputs, below])

    def rests_on(self, name, wanted):
        inputs = self.kinds[name][1] if len(self.kinds[name]) > 1 else []
        return name == wanted or any(self.rests_on(source, wanted) for source in inputs)

    @rule(which=names)
    def read_one(self, which):
        name = self.pick(which)
        assert self.shown(name) == self.expected()[name]

    @rule(first=st.tuples(names, numbers), second=st.tuples(names, numbers), base=st.tuples(names, numbers))
    def what_if(self, first, second, base):
        outer = {self.pick(first[0], "leaf"): first[1]}
        inner = {**outer, self.pick(second[0], "leaf"): second[1]}
        pinned = dict(self.values)
        with self.graph.scenario(outer):
            assert {n: self.shown(n) for n in self.kinds} == self.expected({**pinned, **outer})
            self.tick(*base)  # a change of the graph from inside: neither visible here nor lost
            with self.graph.scenario({n: inner[n] for n in inner}):
                assert {n: self.shown(n) for n in self.kinds} == self.expected({**pinned, **inner})
            assert {n: self.shown(n) for n in self.kinds} == self.expected({**pinned, **outer})

    @rule()
    def recalculate(self):
        before = self.graph.evaluations
        done = self.graph.recalculate()
        assert self.graph.evaluations - before == done.evaluated <= len(self.kinds)
        assert self.graph.dirty == 0

    @invariant()
    def a_snapshot_is_the_model(self):
        with self.graph.snapshot() as snapshot:
            for name, value in self.expected().items():
                if value == FAILED:
                    with pytest.raises((BankError, ValueError)):
                        _ = snapshot[name]
                else:
                    assert snapshot[name] == value


class LazyLife(GraphLife):
    """The same without the eager invariant: nodes stay dirty until a rule reads them."""

    a_snapshot_is_the_model = None


TestEagerLife = GraphLife.TestCase
TestEagerLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLazyLife = LazyLife.TestCase
TestLazyLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_nodes_outside_a_graph_compute_themselves():
    leaf = Leaf("L", 2.0)
    node = SumNode("S", [DerivedNode("D", lambda x: x * 3, [leaf]), Scaled("A", leaf, 10.0, 1.0)])
    assert node.value == 27.0
    leaf.set(3.0)
    assert node.value == 40.0
