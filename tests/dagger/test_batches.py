"""Batches of contracts as arrays: priced as a whole, in part, with changed rows, and under shocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.dagger import ArrayNode, ContractBatch, DependencyGraph, Failure, Leaf, Source, Term
from bank_python.dagger.batch import LiveBatch, attempt, diagnosis, input_failure, node_cells, price_masked
from bank_python.errors import UpstreamError, ValuationError


class Root(ArrayNode):
    """√(level) × size, an exception above 100."""

    level = Source("a number")
    size = Term("how many")

    def __init__(self, name, level, size):
        super().__init__(name, {"level": level}, {"size": size})

    @staticmethod
    def price(size, level):
        if np.any(level > 100.0):
            raise ArithmeticError("above a hundred")
        return size * np.sqrt(level)

    @classmethod
    def diagnose(cls, inputs):
        return f"level={inputs['level']!r} has no root"


class Other(Root):
    """Another class."""


def value_of(node):
    return node.value


def test_rows_follow_nodes_and_numbers():
    leaf = Leaf("L", 9.0)
    nodes = [Root("A", leaf, 2.0), Root("B", 16.0, 1.0)]
    assert [node.arguments(value_of) for node in nodes] == [[9.0, 2.0], [16.0, 1.0]]
    assert node_cells(nodes) == [(0, 0, leaf)]
    batch = ContractBatch.of(nodes, value_of)
    assert (batch.labels, batch.names, len(batch)) == (("A", "B"), ("level", "size"), 2)
    assert batch.value.tolist() == [6.0, 4.0]
    assert batch.inputs(1) == {"level": 16.0, "size": 1.0}
    assert batch.row("size").tolist() == [2.0, 1.0]
    chosen = batch.chosen(np.array([False, True]))
    assert (chosen.labels, chosen.contracts, chosen.value.tolist()) == (("B",), (nodes[1],), [4.0])
    assert batch.without_nodes().contracts == ()


def test_good_ones_go_on_and_bad_ones_are_named():
    unquoted, low = Leaf("U", 0.0, "positive"), Leaf("LOW", -1.0)
    nodes = [Root("A", 4.0, 1.0), Root("NONE", unquoted, 1.0), Root("LOWER", low, 1.0), Other("O", 9.0, 1.0)]
    batches, errors = ContractBatch.gather([*nodes, nodes[0]], value_of)
    assert [(batch.kind, batch.labels) for batch in batches] == [(Root, ("A",)), (Other, ("O",))]
    assert {node.name: type(error) for node, error in errors.items()} == {
        "NONE": UpstreamError,
        "LOWER": ValuationError,
    }
    assert "LOWER cannot be valued: level=-1.0 has no root" in str(errors[nodes[2]])


def test_moved_copies_leave_the_batch_alone():
    batch = ContractBatch.from_mappings(Root, [{"size": 1.0, "level": 4.0}, {"size": 3.0, "level": 9.0}], ["A", "B"])
    tables = np.stack([batch.table, batch.moved(level=batch.row("level") * 4.0)], axis=1)
    assert batch.priced(tables).tolist() == [[2.0, 9.0], [4.0, 18.0]]
    assert batch.value.tolist() == [2.0, 9.0]
    wide = [np.array([[4.0, 16.0, -1.0]]), batch.row("size")[:, None]]
    assert np.array_equal(batch.prices(wide, (2, 3)), [[2.0, 4.0, np.nan], [6.0, 12.0, np.nan]], equal_nan=True)
    assert batch.with_table(batch.table * 1.0).diagnose(0) == "level=4.0 has no root"
    assert batch.closed_form("price_and_greeks") is None
    assert len(ContractBatch.from_mappings(Root, [])) == 0


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "remove", "level", "terms", "row"]), st.integers(0, 30), st.floats(-5.0, 90.0)
        ),
        max_size=40,
    )
)
def test_a_live_batch_against_a_list(steps):
    live, model = LiveBatch(Root), []
    for kind, at, value in steps:
        place = at % len(model) if model else None
        if kind == "add":
            node = Root(f"N{len(model)}", 1.0, 1.0)
            assert live.append(node, [value, 1.0 + at]) == len(model)
            model.append([node, value, 1.0 + at])
        elif place is None:
            continue
        elif kind == "remove":
            moved = live.remove(place)
            last = model.pop()
            assert moved is (None if place == len(model) else last[0])
            if moved is not None:
                model[place] = last
        elif kind == "level":
            live.write(0, place, value)
            model[place][1] = value
        elif kind == "terms":
            live.write_terms(place, [value])
            model[place][2] = value
        else:
            live.write_column(place, [value, 2.0])
            model[place][1:] = [value, 2.0]
    assert live.contracts == [row[0] for row in model]
    assert live.table.T.tolist() == [row[1:] for row in model]
    if model:
        chosen = np.arange(0, len(model), 2)
        with np.errstate(all="ignore"):
            expected = np.array([row[2] * np.sqrt(row[1]) for row in model])
        assert np.array_equal(live.price().values, expected, equal_nan=True)
        assert np.array_equal(live.price(chosen).values, expected[chosen], equal_nan=True)
        assert live.frozen().labels == tuple(row[0].name for row in model)


def test_whole_columns_are_written_at_once():
    live = LiveBatch(Root)
    for i in range(9):
        live.append(Root(f"N{i}", 1.0, 1.0), [0.0, 1.0])
    live.write(0, live.everything, np.arange(9.0))
    live.write(0, np.array([0, 8]), np.array([16.0, 25.0]))
    live.write(0, np.array([1, 2]), 4.0)
    assert live.price().values[[0, 1, 2, 8]].tolist() == [4.0, 2.0, 2.0, 5.0]
    assert live.everything is live.everything


def test_an_exception_is_handed_back():
    values, error = attempt(Root, np.array([[4.0, 200.0], [1.0, 1.0]]))
    assert np.isnan(values).all()
    assert isinstance(error, ArithmeticError)


def test_shocks_do_not_touch_each_other():
    table = np.array([[[4.0, 9.0, 200.0], [16.0, 25.0, 1.0]], [[1.0] * 3, [2.0] * 3]])
    mask = np.ones((2, 3), dtype=bool)
    values, errors = price_masked(Root, table, mask)
    assert values[:, :2].tolist() == [[2.0, 3.0], [8.0, 10.0]]
    assert np.isnan(values[:, 2]).all()
    assert list(errors) == [2]
    mask[0, 2] = False
    values, errors = price_masked(Root, table, mask)
    assert (values[1].tolist(), errors) == ([8.0, 10.0, 2.0], {})
    assert np.isnan(values[0, 2])
    values, errors = price_masked(Root, table, np.zeros_like(mask))
    assert np.isnan(values).all()
    assert errors == {}


def test_whole_tables_reach_the_price_in_one_contiguous_call():
    calls = []

    class Counted(Root):
        @staticmethod
        def price(level, size):
            calls.append((level.shape, level.flags["C_CONTIGUOUS"], size.flags["C_CONTIGUOUS"]))
            return level * size

    table = np.ones((2, 4, 3))
    price_masked(Counted, table, np.ones((4, 3), dtype=bool))
    ContractBatch(Counted, (), np.ones((2, 4))).priced(np.ones((2, 7, 4)).transpose(0, 2, 1))
    assert calls == [((12,), True, True), ((28,), True, True)]


def test_failures_say_where_they_come_from():
    graph = DependencyGraph()
    unquoted = graph.register(Leaf("U", 0.0, "positive"))
    words = graph.register(Leaf("W", "x", "any"))
    nodes = [graph.register(Root(name, leaf, 1.0)) for name, leaf in (("A", unquoted), ("B", words))]
    outcomes = {unquoted: Failure(ValueError("no"), "U", ValueError("no")), words: "x"}
    above, odd = (input_failure(node, outcomes.__getitem__) for node in nodes)
    assert isinstance(above.error, UpstreamError)
    assert isinstance(odd.error, ValuationError)
    assert str(odd.error) == "B cannot be valued: its source W is 'x', not a number"
    assert input_failure(nodes[0], lambda _: 2.0) is None
    failure = diagnosis(nodes[0], lambda _: -2.0)
    assert str(failure.error) == "A cannot be valued: level=-2.0 has no root"
    live = LiveBatch(Root)
    for node, cell in zip(nodes, (np.nan, -2.0), strict=True):
        live.append(node, [cell, 1.0])
    assert live.lacking().tolist() == [True, False]
    assert type(live.failure(0, outcomes.__getitem__).error) is UpstreamError
    assert str(live.failure(1, lambda _: -2.0).error) == "B cannot be valued: level=-2.0 has no root"
    with pytest.raises(ValuationError, match="is 'x', not a number"):
        _ = nodes[1].value
