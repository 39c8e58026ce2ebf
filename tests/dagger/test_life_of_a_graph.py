"""Random lives of a graph against a model that computes everything anew.

The model keeps definitions (what each node is made from) and the values of leaves, and knows nothing of dirty flags,
heights or waves: it recomputes every node each time. Two things it does remember, because they are promised: the value
that a node with a tolerance last propagated, and the input values at which a node was last evaluated, which say how
often its function may and must be called. Values are compared by bits and by type.
"""

import copy
import math
from collections import Counter
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bank_python.dagger import ArrayNode, DependencyGraph, Leaf, Source, SumNode, Term
from bank_python.errors import CycleError, DomainError, GraphError, UpstreamError

MOST_NODES = 36
CAN_SWAP = hasattr(DependencyGraph, "swap")


# --- functions of the nodes -------------------------------------------------------------------


def half(x):
    return 0.5 * x + 1.0


def tens(x):
    return int(x // 10)  # an int, and the same one for many inputs


def picky(x):
    if x > 90.0:
        raise ValueError("too large")
    return x


def difference(x, y):
    return x - y


def ratio(x, y):
    if y == 0.0:
        raise ZeroDivisionError("nothing to divide by")
    return x / y


def choose(x, y, z):
    return y if x > 0.0 else z


FUNCTIONS = {function.__name__: function for function in (half, tens, picky, difference, ratio, choose)}
ARITY = {"half": 1, "tens": 1, "picky": 1, "difference": 2, "ratio": 2, "choose": 3}


class Scaled(ArrayNode):
    """source × factor + shift; NaN for a source below −50."""

    source = Source("what is scaled")
    factor = Term("factor")
    shift = Term("shift")

    def __init__(self, name, sources, terms):
        super().__init__(name, dict(zip(["source"], sources, strict=True)), terms)

    @staticmethod
    def price(source, factor, shift):
        return np.where(source < -50.0, np.nan, source * factor + shift)

    @classmethod
    def diagnose(cls, inputs):
        return f"the source is below −50, given {sorted(inputs)}"


class Faded(ArrayNode):
    """level × exp(−|age| × rate), whose bits would show a scalar path beside the vector one."""

    level = Source("what fades")
    age = Source("for how long")
    rate = Term("how fast")

    def __init__(self, name, sources, terms):
        super().__init__(name, dict(zip(["level", "age"], sources, strict=True)), terms)

    @staticmethod
    def price(level, age, rate):
        return level * np.exp(-np.abs(age) * rate)

    @classmethod
    def diagnose(cls, inputs):
        return f"infinity times nothing, given {sorted(inputs)}"


ARRAYS = {"Scaled": Scaled, "Faded": Faded}


# --- the model --------------------------------------------------------------------------------


class Failed(NamedTuple):
    """No value; `cause` is the node that failed first."""

    cause: str


def bits(value):
    """The type and every bit of a value, which must agree (0.0 and −0.0 differ)."""
    if isinstance(value, float):
        return (type(value).__name__, value.hex())
    return (type(value).__name__, value)


class Definition(NamedTuple):
    """A leaf, function, array node or sum, with its inputs (names, or numbers for arrays)."""

    kind: str
    inputs: tuple = ()
    function: str = ""
    terms: tuple = ()
    tolerance: float | None = None

    @property
    def below(self):
        return [source for source in self.inputs if isinstance(source, str)]


class Model:
    """Definitions, leaf values, last propagated values and the inputs of the last evaluations."""

    def __init__(self):
        self.made = {}
        self.leaves = {}
        self.held = {}
        self.used = {}

    def ancestors(self, targets):
        """`targets` and all nodes they depend on, inputs first."""
        order = {}

        def visit(name):
            if name not in order:
                for source in self.made[name].below:
                    visit(source)
                order[name] = None

        for name in targets:
            visit(name)
        return list(order)

    def rests_on(self, name, wanted):
        return wanted in self.ancestors([name])

    def descendants(self, names):
        wanted = set(names)
        return {name for name in self.made if not wanted.isdisjoint(self.ancestors([name]))}

    def above(self, name):
        return [other for other, made in self.made.items() if name in made.below]

    def raw(self, name, given):
        """The result of the node's function for the inputs' values, or a failure of the node."""
        made = self.made[name]
        if made.kind == "array":
            columns = [np.array([float(x)]) for x in (*given, *made.terms)]
            with np.errstate(all="ignore"):
                value = ARRAYS[made.function].price(*columns).item()
        else:
            try:
                value = self.called(made, given)
            except (ValueError, ZeroDivisionError, OverflowError):
                return Failed(name)
        return Failed(name) if isinstance(value, float) and math.isnan(value) else value

    @staticmethod
    def called(made, given):
        if made.kind == "derived":
            return FUNCTIONS[made.function](*given)
        if made.terms:
            return math.fsum(weight * x for weight, x in zip(made.terms, given, strict=True))
        return math.fsum(given)

    def outcome(self, name, known, propagated):
        """The node's outcome from its inputs' outcomes in `known`, a tolerance being against `propagated`."""
        made = self.made[name]
        given = [known[source] if isinstance(source, str) else source for source in made.inputs]
        failed = next((x for x in given if isinstance(x, Failed)), None)
        new = failed or self.raw(name, given)
        old = propagated.get(name)
        if made.tolerance is None or old is None or isinstance(old, Failed) or isinstance(new, Failed):
            return new
        return old if abs(old - new) <= made.tolerance else new

    def bring_up_to_date(self, targets):
        """Recompute `targets` and all below; return the nodes whose inputs are others than at their last evaluation."""
        due = set()
        for name in self.ancestors(targets):
            if self.made[name].kind == "leaf":
                self.held[name] = self.leaves[name]
                continue
            given = tuple(bits(self.held[source]) for source in self.made[name].below)
            if self.used.get(name) != given:
                due.add(name)
                self.used[name] = given
            self.held[name] = self.outcome(name, self.held, self.held)
        return due

    def what_if(self, overrides):
        """All outcomes with some leaves at other values; nothing is stored."""
        known = {}
        for name in self.ancestors(self.made):
            if self.made[name].kind == "leaf":
                known[name] = overrides.get(name, self.held[name])
            else:
                known[name] = self.outcome(name, known, self.held)
        return known

    def forget(self, name):
        for kept in (self.made, self.leaves, self.held, self.used):
            kept.pop(name, None)


# --- strategies -------------------------------------------------------------------------------

any_node = st.integers(0, 10_000)
numbers = st.one_of(
    st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 2)),
    st.sampled_from([0.0, -0.0, 1e16, -1e16, 1e-16, -1e-16, 1e30, 0.1, 0.3, 95.0, -60.0, 1.0]),
)
terms = st.floats(-3, 3, allow_nan=False).map(lambda x: round(x, 1))
tolerances = st.sampled_from([None, None, None, 0.0, 0.5, 20.0])


class GraphLife(RuleBasedStateMachine):
    """All operations on a graph, in any order; this variant reads all nodes after every step."""

    eager = True

    def __init__(self):
        super().__init__()
        self.graph = DependencyGraph()
        self.model = Model()
        self.calls = Counter()
        self.may = set()  # nodes that may be evaluated although their inputs have the same values as before
        self.excused = set()  # nodes that need not be, as they may have been in a batch
        self.made_so_far = 0
        self.watched = {}
        self.cancelled = []
        self.snapshots = []
        self.deaf = False

    @initialize(values=st.lists(numbers, min_size=3, max_size=3))
    def begin(self, values):
        for value in values:
            self.leaf(value)

    def teardown(self):
        for stack, _ in self.snapshots:
            stack.close()

    # --- reading the graph ------------------------------------------------------------------

    def shown(self, name):
        """The outcome of a node in the graph, in the form of the model."""
        node = self.graph[name]
        error = node.error
        return node.value if error is None else self.failure(name, error)

    @staticmethod
    def failure(name, error):
        if not isinstance(error, UpstreamError):
            return Failed(name)
        assert error.name == name
        assert error.cause_name != name
        return Failed(error.cause_name)

    def agrees(self, name, expected):
        found = self.shown(name)
        assert bits(found) == bits(expected), f"{name} is {found!r}, should be {expected!r}"

    def calls_are_minimal(self, targets, due):
        """Each function that had to be called was called once, and no other."""
        derived = {name for name, made in self.model.made.items() if made.kind == "derived"}
        inputs_good = {
            name
            for name in derived & due
            if not any(isinstance(self.model.held[source], Failed) for source in self.model.made[name].below)
        }
        called = {name for name, count in self.calls.items() if count}
        assert max(self.calls.values(), default=0) <= 1, f"called more than once: {self.calls}"
        missed = inputs_good - called - self.excused
        assert not missed, f"not called: {missed}"
        needed = set(self.model.ancestors(targets))
        assert called <= needed & (due | self.may), f"called for nothing: {called - (needed & (due | self.may))}"

    def read(self, name):
        self.calls.clear()
        found = self.shown(name)
        due = self.model.bring_up_to_date([name])
        expected = self.model.held[name]
        assert bits(found) == bits(expected), f"{name} is {found!r}, should be {expected!r}"
        self.calls_are_minimal([name], due)
        self.settled(self.model.ancestors([name]))

    def recalculate_and_count(self):
        self.calls.clear()
        before = self.graph.evaluations
        done = self.graph.recalculate()
        due = self.model.bring_up_to_date(self.model.made)
        self.calls_are_minimal(self.model.made, due)
        self.evaluations_are_minimal(done, due)
        assert self.graph.evaluations - before == done.evaluated == sum(done.by_class.values())
        assert self.graph.dirty == 0
        self.settled(self.model.made)

    def evaluations_are_minimal(self, done, due):
        held, made = self.model.held, self.model.made
        upstream = {name for name in due if any(isinstance(held[source], Failed) for source in made[name].below)}
        assert len(due - upstream - self.excused) <= done.evaluated <= len(due | self.may)

    def settled(self, names):
        self.may -= set(names)
        self.excused -= set(names)

    def touch(self, *names):
        """Note that these nodes and their dependents may be evaluated again, whether or not a value changes."""
        self.may |= self.model.descendants(name for name in names if name in self.model.made)

    # --- making nodes -----------------------------------------------------------------------

    def fresh(self):
        self.made_so_far += 1
        return f"N{self.made_so_far}"

    def pick(self, index, kind=None):
        choices = [name for name, made in self.model.made.items() if kind in (None, made.kind)]
        return choices[index % len(choices)]

    def has(self, kind):
        return any(made.kind == kind for made in self.model.made.values())

    def counting(self, name, function):
        def called(*values):
            self.calls[name] += 1
            return FUNCTIONS[function](*values)

        return called

    def has_tolerances(self):
        return any(made.tolerance is not None for made in self.model.made.values())

    def equal_rule(self, tolerance):
        return None if tolerance is None else lambda old, new: abs(old - new) <= tolerance

    def build(self, name, made, *, replace=False):
        """Make the node in the graph and in the model."""
        sources = [self.graph[s] if isinstance(s, str) else s for s in made.inputs]
        if made.kind == "derived":
            function, equal = self.counting(name, made.function), self.equal_rule(made.tolerance)
            self.graph.derive(name, function, sources, equal=equal, replace=replace)
        elif made.kind == "sum":
            self.graph.sum(name, list(made.inputs), made.terms or None, replace=replace)
        else:
            cls = ARRAYS[made.function]
            node = cls(name, sources, dict(zip(cls.term_names, made.terms, strict=True)))
            self.graph.register(node, replace=replace)
        self.model.made[name] = made
        self.touch(name)

    @rule(value=numbers)
    @precondition(lambda self: len(self.model.leaves) < 8)
    def leaf(self, value):
        name, value = self.fresh(), value or 0.0
        self.graph.register(Leaf(name, value))
        self.model.made[name], self.model.leaves[name] = Definition("leaf"), value

    def room(self):
        return len(self.model.made) < MOST_NODES

    def some_function(self, function, inputs, tolerance):
        below = tuple(self.pick(i) for i in inputs[: ARITY[function]])
        return Definition("derived", below, function, tolerance=tolerance)

    functions = st.sampled_from(sorted(FUNCTIONS))
    three = st.tuples(any_node, any_node, any_node)

    @rule(function=functions, inputs=three, tolerance=tolerances)
    @precondition(room)
    def derive(self, function, inputs, tolerance):
        self.build(self.fresh(), self.some_function(function, inputs, tolerance))

    @rule(source=any_node, factor=terms, shift=numbers)
    @precondition(room)
    def scale(self, source, factor, shift):
        self.build(self.fresh(), Definition("array", (self.pick(source),), "Scaled", (factor, shift)))

    @rule(level=any_node, age=st.one_of(any_node, terms), rate=terms, chain=st.booleans())
    @precondition(room)
    def fade(self, level, age, rate, chain):
        on_array = chain and self.has("array")
        below = (self.pick(level, "array" if on_array else None), self.pick(age) if isinstance(age, int) else age)
        self.build(self.fresh(), Definition("array", below, "Faded", (abs(rate),)))

    @rule(inputs=st.lists(any_node, max_size=6), weights=st.none() | st.lists(terms, min_size=6, max_size=6))
    @precondition(room)
    def add_up(self, inputs, weights):
        below = tuple(self.pick(i) for i in inputs)
        self.build(self.fresh(), Definition("sum", below, terms=tuple((weights or [])[: len(below)])))

    # --- ticks ------------------------------------------------------------------------------

    def set_leaf(self, name, value):
        self.graph[name].set(value)
        self.model.leaves[name] = float(value)
        if not self.eager:
            self.touch(name)

    @rule(which=any_node, value=numbers)
    def tick(self, which, value):
        name = self.pick(which, "leaf")
        before, old = self.graph.tick, self.model.leaves[name]
        self.set_leaf(name, value)
        assert self.graph.tick - before == (bits(old) != bits(value))

    @rule(which=any_node, value=numbers, between=st.none() | any_node)
    def away_and_back(self, which, value, between):
        name = self.pick(which, "leaf")
        old = self.model.leaves[name]
        self.set_leaf(name, value)
        if between is not None:
            self.touch(name)
            self.read(self.pick(between))
            self.touch(name)
        self.set_leaf(name, old)

    @rule(which=any_node, value=st.sampled_from([math.nan, math.inf, -math.inf, "1", None, True]))
    def a_bad_tick(self, which, value):
        before = self.graph.tick
        with pytest.raises(DomainError):
            self.graph[self.pick(which, "leaf")].set(value)
        assert self.graph.tick == before

    @rule(
        ticks=st.lists(st.tuples(any_node, numbers), max_size=5),
        reads=st.lists(any_node, max_size=3),
        recalculates=st.booleans(),
        fails=st.booleans(),
        amended=st.none() | st.tuples(any_node, terms),
        derived=st.none() | st.tuples(functions, three),
    )
    def batch(self, ticks, reads, recalculates, fails, amended, derived):  # noqa: C901 - one thing after the other
        before, kept, watched = self.graph.tick, copy.deepcopy(self.model), copy.deepcopy(self.heard())

        def body():
            with self.graph.batch():
                for i, (which, value) in enumerate(ticks):
                    self.set_leaf(self.pick(which, "leaf"), value)
                    if i < len(reads):
                        self.touch(*self.model.leaves)
                        self.read(self.pick(reads[i]))
                        self.touch(*self.model.leaves)
                if amended and self.has("array"):
                    self.amend(*amended)
                if derived and self.room():
                    self.derive(*derived, None)
                if recalculates:
                    self.recalculate_and_count()
                    self.touch(*self.model.made)
                assert self.heard() == watched, "a subscriber heard of a batch that is not complete"
                if fails:
                    raise RuntimeError("undone")

        if fails:
            with pytest.raises(RuntimeError, match="undone"):
                body()
            gone = set(self.model.made) - set(kept.made)
            self.model = kept
            self.may, self.excused = set(kept.made), set(kept.made)
            assert self.graph.tick == before
            assert not any(name in self.graph for name in gone)
            assert self.heard() == watched, "a subscriber heard of a batch that was undone"
        else:
            body()
            if reads or recalculates:  # what was computed in mid-batch may be kept or not
                self.may, self.excused = set(self.model.made), set(self.model.made)
                if self.has_tolerances():  # a batch brings what changed in it up to date as it ends, if it is complete
                    self.recalculate_and_count()
            assert self.graph.tick - before in (0, 1)

    @rule(which=any_node, value=terms)
    @precondition(lambda self: self.has("array"))
    def amend(self, which, value):
        name = self.pick(which, "array")
        made = self.model.made[name]
        term = ARRAYS[made.function].term_names[0]
        value = abs(value) if made.function == "Faded" else value
        self.graph[name].amend(**{term: value})
        self.model.made[name] = made._replace(terms=(value, *made.terms[1:]))
        if bits(value) != bits(made.terms[0]):
            self.model.used.pop(name, None)
        self.touch(name)

    # --- other inputs -----------------------------------------------------------------------

    def change_inputs(self, name, inputs, change):
        """Make the change, or expect an error if one of `inputs` depends on the node."""
        made = self.model.made[name]
        if any(self.model.rests_on(source, name) for source in inputs):
            before = self.graph[name].underliers
            with pytest.raises(CycleError) as caught:
                change()
            assert caught.value.path[0] == caught.value.path[-1] == name
            assert len(caught.value.path) >= 2
            assert self.graph[name].underliers == before
            self.touch(name)
            return
        change()
        self.model.made[name] = made._replace(inputs=tuple(inputs))
        assert [node.name for node in self.graph[name].underliers] == self.model.made[name].below
        self.touch(name)

    @rule(which=any_node, inputs=three)
    @precondition(lambda self: self.has("derived"))
    def rewire_derived(self, which, inputs):
        name = self.pick(which, "derived")
        below = [self.pick(i) for i in inputs[: len(self.model.made[name].inputs)]]
        self.rewired(name, below)

    @rule(which=any_node, inputs=st.lists(any_node, min_size=6, max_size=6), size=st.integers(0, 6))
    @precondition(lambda self: self.has("sum"))
    def rewire_sum(self, which, inputs, size):
        name = self.pick(which, "sum")
        made = self.model.made[name]
        self.rewired(name, [self.pick(i) for i in inputs[: len(made.terms) or size]])

    def rewired(self, name, below):
        made = self.model.made[name]
        self.change_inputs(
            name, below, lambda: self.graph.rewire(self.graph[name], [self.graph[source] for source in below])
        )
        if made.inputs == self.model.made[name].inputs:
            return
        assert self.model.made[name].inputs == tuple(below)

    @rule(which=any_node, other=any_node)
    @precondition(lambda self: self.has("sum"))
    def grow_a_sum(self, which, other):
        name, new = self.pick(which, "sum"), self.pick(other)
        made, total = self.model.made[name], self.graph[name]
        assert isinstance(total, SumNode)
        if made.terms:
            with pytest.raises(GraphError):
                total.add(self.graph[new])
        else:
            self.change_inputs(name, [*made.inputs, new], lambda: total.add(self.graph[new]))

    @rule(which=any_node, position=any_node, other=any_node, by_name=st.booleans())
    @precondition(lambda self: CAN_SWAP and any(made.below for made in self.model.made.values()))
    def swap(self, which, position, other, by_name):
        choices = [name for name, made in self.model.made.items() if made.below]
        name = choices[which % len(choices)]
        made, new = self.model.made[name], self.pick(other)
        old = made.below[position % len(made.below)]
        inputs = [new if source == old else source for source in made.inputs]
        given = (name, old, new) if by_name else (self.graph[name], self.graph[old], self.graph[new])
        if self.model.rests_on(new, name):
            with pytest.raises(CycleError):
                self.graph.swap(*given)
            assert [node.name for node in self.graph[name].underliers] == made.below
            self.touch(name)
        else:
            self.change_inputs_of_any(name, inputs, given)

    def change_inputs_of_any(self, name, inputs, given):
        self.graph.swap(*given)
        self.model.made[name] = self.model.made[name]._replace(inputs=tuple(inputs))
        assert [node.name for node in self.graph[name].underliers] == self.model.made[name].below
        self.touch(name)

    @rule(which=any_node, other=any_node)
    @precondition(lambda _: CAN_SWAP)
    def swap_what_is_not_there(self, which, other):
        name, old = self.pick(which), self.pick(other)
        if old not in self.model.made[name].below:
            with pytest.raises(GraphError):
                self.graph.swap(name, old, self.pick(0, "leaf"))

    @rule(which=any_node, value=numbers)
    def replace_by_a_leaf(self, which, value):
        name, value = self.pick(which), value or 0.0
        old = self.graph[name]
        self.graph.register(Leaf(name, value), replace=True)
        assert old.graph is None
        self.model.forget(name)
        self.forget_watch(name)
        self.model.made[name], self.model.leaves[name] = Definition("leaf"), value
        self.touch(name)

    @rule(which=any_node, function=functions, inputs=three, tolerance=tolerances)
    @precondition(lambda self: len(self.model.made) > len(self.model.leaves))
    def redefine(self, which, function, inputs, tolerance):
        choices = [name for name, made in self.model.made.items() if made.kind != "leaf"]
        name = choices[which % len(choices)]
        made = self.some_function(function, inputs, tolerance)
        if any(self.model.rests_on(source, name) for source in made.below):
            with pytest.raises(CycleError):
                self.build(name, made, replace=True)
            self.touch(name)
            return
        self.model.forget(name)
        self.forget_watch(name)
        self.build(name, made, replace=True)

    @rule(which=any_node)
    def unregister(self, which):
        name = self.pick(which)
        if self.model.above(name):
            with pytest.raises(GraphError):
                self.graph.unregister(name)
        elif self.model.made[name].kind != "leaf" or len(self.model.leaves) > 2:
            self.graph.unregister(name)
            self.model.forget(name)
            self.may.discard(name)
            self.forget_watch(name)
            assert name not in self.graph

    # --- reading ----------------------------------------------------------------------------

    @rule(names=st.lists(any_node, min_size=1, max_size=5))
    def read_some(self, names):
        for which in names:
            self.read(self.pick(which))

    @rule()
    def recalculate(self):
        self.recalculate_and_count()
        assert self.graph.recalculate().evaluated == 0
        self.subscribers_heard_all()

    @rule()
    @precondition(lambda self: len(self.snapshots) < 4)
    def hold_a_snapshot(self):
        stack = ExitStack()
        snapshot = stack.enter_context(self.graph.snapshot())
        self.model.bring_up_to_date(self.model.made)
        self.settled(self.model.made)
        values = {name: (self.graph[name], value) for name, value in self.model.held.items()}
        self.snapshots.append((stack, (snapshot, values)))

    @rule(which=any_node)
    @precondition(lambda self: self.snapshots)
    def release_a_snapshot(self, which):
        stack, _ = self.snapshots.pop(which % len(self.snapshots))
        stack.close()

    @invariant()
    def snapshots_stand_still(self):
        for _, (snapshot, values) in self.snapshots:
            for name, (node, value) in values.items():
                if self.graph.find(name) is node:
                    found = self.in_snapshot(snapshot, name)
                    assert bits(found) == bits(value), f"{name} was {value!r}, the snapshot says {found!r}"

    def in_snapshot(self, snapshot, name):
        try:
            return snapshot[name]
        except (GraphError, ValueError, ZeroDivisionError, OverflowError) as error:
            return self.failure(name, error)

    # --- what if ----------------------------------------------------------------------------

    def check_layer(self, overrides, order, *, nested=False):
        """Read everything in a random order; what a tolerance means two layers deep is left open."""
        expected = self.model.what_if(overrides)
        tolerant = [name for name, made in self.model.made.items() if made.tolerance is not None]
        skipped = self.model.descendants(tolerant) if nested else set()
        names = sorted(set(self.model.made) - skipped)
        for name in [*(names[i % len(names)] for i in order), *names]:
            self.agrees(name, expected[name])

    pairs = st.lists(st.tuples(any_node, numbers), min_size=1, max_size=3)

    @rule(outer=pairs, inner=pairs, base=st.tuples(any_node, numbers), order=st.lists(any_node, max_size=4))
    def scenarios(self, outer, inner, base, order):
        if self.has_tolerances():
            self.recalculate_and_count()
        self.deaf = True
        outer = {self.pick(which, "leaf"): value for which, value in outer}
        inner = {self.pick(which, "leaf"): value for which, value in inner}
        with self.graph.scenario(outer):
            self.model.bring_up_to_date(self.model.made)
            if len(order) % 2:
                self.check_layer(outer, order)
            self.tick(*base)  # a change of the graph from inside: neither visible here nor lost
            with self.graph.scenario({self.graph[name]: value for name, value in inner.items()}):
                self.check_layer({**outer, **inner}, order, nested=True)
                evaluations = self.graph.evaluations
            self.check_layer(outer, order)
        assert self.graph.evaluations == evaluations
        self.may |= set(self.model.made)  # whether entering recalculates is left open
        self.deaf = False
        self.listen_anew()

    # --- subscribers ------------------------------------------------------------------------

    def token(self, name):
        """A value, or the message of its failure."""
        error = self.graph[name].error
        return bits(self.graph[name].value) if error is None else ("failed", type(error), str(error))

    def heard(self):
        return {name: list(heard) for name, (_, heard) in self.watched.items()}

    @rule(which=any_node)
    @precondition(lambda self: len(self.watched) < 6)
    def watch(self, which):
        name = self.pick(which)
        if name in self.watched:
            return
        self.recalculate_and_count()
        heard = [self.token(name)]

        def hear(node):
            assert node.name == name
            if not self.deaf:
                heard.append(self.token(name))

        self.watched[name] = self.graph.subscribe(name, hear), heard

    @rule(which=any_node)
    @precondition(lambda self: self.watched)
    def stop_watching(self, which):
        name = sorted(self.watched)[which % len(self.watched)]
        self.recalculate_and_count()
        self.subscribers_heard_all()
        self.forget_watch(name)

    def forget_watch(self, name):
        if name in self.watched:
            subscription, heard = self.watched.pop(name)
            subscription.cancel()
            self.cancelled.append((heard, len(heard)))

    def listen_anew(self):
        self.recalculate_and_count()
        for name, (_, heard) in self.watched.items():
            heard[:] = [self.token(name)]

    def subscribers_heard_all(self):
        for name, (subscription, heard) in self.watched.items():
            assert subscription.failures == 0
            repeated = [now for now, before in zip(heard[1:], heard, strict=False) if now == before]
            assert not repeated, f"a call about {name} without a change: {heard}"
            assert heard[-1] == self.token(name), f"a change of {name} was not told: {heard[-1]}, {self.token(name)}"
            del heard[:-1]
        assert all(len(heard) == told for heard, told in self.cancelled)

    # --- after every step -------------------------------------------------------------------

    @invariant()
    def everything_is_as_computed_anew(self):
        if not self.eager:
            return
        self.recalculate_and_count()
        with self.graph.snapshot() as snapshot:
            for name, expected in self.model.held.items():
                self.agrees(name, expected)
                assert bits(self.in_snapshot(snapshot, name)) == bits(expected)
        self.subscribers_heard_all()


class LazyLife(GraphLife):
    """The same, but nodes are evaluated only when a rule reads them."""

    eager = False


without_explanation = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]  # it takes minutes
quietly = {
    "deadline": None,
    "phases": without_explanation,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


class ManyEagerLives(GraphLife):
    """More examples than the default set has time for."""


class ManyLazyLives(LazyLife):
    """The same."""


TestEagerLife = GraphLife.TestCase
TestEagerLife.settings = settings(max_examples=100, stateful_step_count=40, **quietly)
TestLazyLife = LazyLife.TestCase
TestLazyLife.settings = settings(max_examples=100, stateful_step_count=50, **quietly)
TestManyEagerLives = pytest.mark.slow(ManyEagerLives.TestCase)
TestManyEagerLives.settings = settings(max_examples=500, stateful_step_count=40, **quietly)
TestManyLazyLives = pytest.mark.slow(ManyLazyLives.TestCase)
TestManyLazyLives.settings = settings(max_examples=500, stateful_step_count=50, **quietly)


# --- short sequences, step by step -------------------------------------------------------------


@pytest.fixture
def small():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    array = graph.register(Scaled("ARRAY", [leaf], {"factor": 2.0, "shift": 0.0}))
    graph.sum("SUM", [leaf, array, graph.derive("DERIVED", half, [leaf])])
    graph.recalculate()
    return graph


NAMES = ("L", "ARRAY", "DERIVED", "SUM")


def undone(graph, *steps):
    def body():
        with graph.batch():
            for step in steps:
                step()
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        body()


@pytest.mark.parametrize("recalculates", [False, True])
@pytest.mark.parametrize("amends_first", [False, True])
def test_a_tick_and_an_amendment_undone_together(small, recalculates, amends_first):
    before = [small[name].value for name in NAMES]
    steps = [lambda: small["L"].set(5.0), lambda: small["ARRAY"].amend(factor=3.0)]
    steps = [*(reversed(steps) if amends_first else steps), *([small.recalculate] if recalculates else [])]
    undone(small, *steps)
    assert [small[name].value for name in NAMES] == before
    assert small["ARRAY"].terms == {"factor": 2.0, "shift": 0.0}
    small["L"].set(2.0)
    assert [small[name].value for name in NAMES] == [2.0, 4.0, 2.0, 8.0]


@pytest.mark.parametrize("recalculates", [False, True])
def test_undone_changes_are_not_notified(small, recalculates):
    heard = []
    for name in NAMES:
        small.subscribe(name, lambda node: heard.append((node.name, node.value)))
    undone(small, lambda: small["L"].set(5.0), *([small.recalculate] if recalculates else []))
    small.recalculate()
    assert heard == []
    small["L"].set(2.0)
    small.recalculate()
    assert sorted(heard) == [("ARRAY", 4.0), ("DERIVED", 2.0), ("L", 2.0), ("SUM", 8.0)]


def test_a_snapshot_outlives_undone_batches_amendments_and_new_wiring(small):
    before = [small[name].value for name in NAMES]
    other = small.register(Leaf("OTHER", 100.0))
    with small.snapshot() as snapshot:
        undone(small, lambda: small["L"].set(5.0), small.recalculate)
        assert [snapshot[name] for name in NAMES] == before
        small["ARRAY"].amend(factor=7.0)
        small.rewire(small["DERIVED"], [other])
        small["L"].set(3.0)
        assert [snapshot[name] for name in NAMES] == before
        small.recalculate()
        assert [snapshot[name] for name in NAMES] == before
        small.unregister("SUM")
        assert [snapshot[name] for name in NAMES[:3]] == before[:3]
    assert [small[name].value for name in NAMES[:3]] == [3.0, 21.0, 51.0]


def test_array_nodes_that_leave_between_a_tick_and_the_recalculation(small):
    """Rows of removed nodes are neither priced nor confused with others."""
    leaf = small["L"]
    made = [small.register(Scaled(f"A{i}", [leaf], {"factor": float(i), "shift": 0.5})) for i in range(4)]
    small.recalculate()
    for gone in (made[3], made[0]):
        leaf.set(leaf.value + 1.0)
        small.unregister(gone)
        small.recalculate()
    leaf.set(10.0)
    late = small.register(Scaled("LATE", [leaf], {"factor": -1.0, "shift": 0.0}))
    assert [node.value for node in (*made[1:3], late, small["ARRAY"])] == [10.5, 20.5, -10.0, 20.0]


def test_the_first_array_node_of_a_class_leaves_while_a_snapshot_is_held():
    graph = DependencyGraph()
    leaf = graph.register(Leaf("L", 1.0))
    first = graph.register(Faded("FIRST", [leaf, leaf], {"rate": 0.0}))
    low = graph.register(Scaled("LOW", [leaf], {"factor": 2.0, "shift": 0.0}))
    graph.recalculate()
    second = graph.register(Faded("SECOND", [leaf, low], {"rate": 0.0}))
    high = graph.register(Scaled("HIGH", [second], {"factor": 3.0, "shift": 0.0}))
    with graph.snapshot() as snapshot:
        graph.unregister(first)
        leaf.set(5.0)
        graph.recalculate()
        assert [node.value for node in (low, second, high)] == [10.0, 5.0, 15.0]
        assert [snapshot[node] for node in (low, second, high)] == [2.0, 1.0, 3.0]
