"""Traders, books and lists of positions: every risk function accepts all forms."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from bank_python.barbara.records import by_type
from bank_python.dagger import DependencyGraph
from bank_python.errors import RiskError
from bank_python.instruments import Book, Equity, Position
from bank_python.market_data import MarketData
from bank_python.mc_engine import FactorModel, MCConfig, MonteCarloEngine, ReactiveRisk
from bank_python.risk import (
    BookMeasure,
    Concentration,
    PnLAttribution,
    TailRisk,
    books_of,
    capture,
    gross_by_underlying,
    holders,
    plan_valuation,
    run_stresses,
    sensitivity_ladder,
    tail_risk,
    take_greeks,
)

CONFIG = MCConfig(n_paths=256, random_seed=1, stresses=(), validate_greeks=False)
NEITHER = r"neither trader|not a name"
MODEL = FactorModel.given({"A_SPOT": 0.3, "B_SPOT": 0.2})


@pytest.fixture
def held():
    graph = DependencyGraph()
    spots = {name: graph.register(MarketData(f"{name}_SPOT", 100.0)) for name in "AB"}
    books = [
        graph.register(Book(who, [Position(f"P_{who}", instrument=Equity(name, spot_source=spots[name]), quantity=n)]))
        for who, name, n in (("ALICE", "A", 10.0), ("BOB", "B", -5.0))
    ]
    traders = [SimpleNamespace(name=book.name, book=book) for book in books]
    return SimpleNamespace(graph=graph, books=books, traders=traders, spots=spots)


def forms(held):
    first, second = held.books
    return {
        "books": [first, second],
        "traders": held.traders,
        "a mix": (held.traders[0], second),
        "an iterator": iter([first, held.traders[1]]),
        "named books": {"ALICE": first, "BOB": held.traders[1]},
        "named positions": {"ALICE": list(first.positions), "BOB": second.positions},
    }


@pytest.mark.parametrize("form", ["books", "traders", "a mix", "an iterator", "named books", "named positions"])
def test_every_function_takes_every_form(held, form):
    def given():
        return forms(held)[form]

    plan = plan_valuation(given())
    assert plan.units == ("ALICE", "BOB")
    assert take_greeks(given()).by_trader("delta") == pytest.approx({"ALICE": 1000.0, "BOB": -500.0})
    assert [state.book for state in capture(given()).positions.values()] == ["ALICE", "BOB"]
    assert gross_by_underlying(given()) == {"A_SPOT": 1000.0, "B_SPOT": 500.0}
    result = MonteCarloEngine(given(), held.graph, factor_model=MODEL).run(CONFIG)
    assert list(result.by_trader()) == ["ALICE", "BOB"]
    risk = ReactiveRisk(given(), held.graph, MODEL, CONFIG)
    assert risk.var_99.value == pytest.approx(result.var_99, rel=1e-12)
    risk.remove()


def test_a_single_book_or_trader_needs_no_list(held):
    assert plan_valuation(held.books[0]).units == plan_valuation(held.traders[0]).units == ("ALICE",)


def test_a_mapping_gives_names(held):
    both = {"LEFT": held.books[0], "RIGHT": held.books[0]}
    assert plan_valuation(both).units == ("LEFT", "RIGHT")
    assert take_greeks({"MINE": held.traders[1]}).by_trader("delta") == pytest.approx({"MINE": -500.0})


def test_positions_follow_a_book_but_not_a_list(held):
    book = held.books[0]
    by_book, by_list = holders([book]), holders({"LIST": book.positions})
    book.add(Position("NEW", instrument=Equity("C", spot_source=1.0), quantity=1))
    assert (len(by_book[0].positions), len(by_list[0].positions)) == (2, 1)
    assert by_book[0].graph is by_list[0].graph is held.graph


@pytest.mark.parametrize(
    "bad", [None, 3, "ALICE", [None], ["ALICE"], {"ALICE": 3}, {3: None}, [SimpleNamespace(book=1)]]
)
def test_what_is_neither_trader_nor_book_is_refused(held, bad):
    for function in (holders, plan_valuation, take_greeks, capture, gross_by_underlying):
        with pytest.raises(RiskError, match=NEITHER):
            function(bad)
    with pytest.raises(RiskError, match=NEITHER):
        MonteCarloEngine(bad, held.graph)
    with pytest.raises(RiskError, match=NEITHER):
        ReactiveRisk(bad, held.graph, MODEL)


def test_two_of_one_name_are_refused(held):
    with pytest.raises(RiskError, match="two books have the same name: ALICE"):
        holders([held.books[0], held.traders[0]])


def test_a_measure_wants_books(held):
    assert books_of(held.traders) == tuple(held.books)
    share = BookMeasure(held.graph, "SHARE", held.traders, Concentration())
    assert share.node.value == pytest.approx(2.0 / 3.0)
    with pytest.raises(RiskError, match="LIST is a list of positions; put them in a Book"):
        BookMeasure(held.graph, "OTHER", {"LIST": held.books[0].positions}, Concentration())


def test_by_trader_has_one_form_and_adds_up_to_the_total(held):
    opening = capture(held.traders)
    held.spots["A"].set_price(101.0)
    day = PnLAttribution.between(opening, capture(held.traders))
    assert {name: sum(row.values()) for name, row in day.by_trader().items()} == {"ALICE": 10.0, "BOB": 0.0}
    assert day.by_trader()["ALICE"].keys() == day.by_factor().keys()
    plan = plan_valuation(held.traders)
    [stress] = run_stresses(plan, ["covid_2020"])
    assert sum(stress.by_trader().values()) == pytest.approx(stress.pnl)
    ladder = sensitivity_ladder(plan, "A_SPOT", [-0.1, 0.1])
    np.testing.assert_allclose(sum(ladder.by_trader().values()), ladder.pnl)
    result = MonteCarloEngine(held.traders, held.graph, factor_model=MODEL).run(CONFIG)
    np.testing.assert_allclose(sum(result.pnl_by_trader().values()), result.pnl)
    assert sum(part.es for part in result.by_trader().values()) == pytest.approx(result.cvar_99)


def test_old_names_still_work_and_warn(held):
    with pytest.warns(DeprecationWarning, match=r"plan_valuation\(books=\) is now called traders="):
        assert plan_valuation(books=held.books).units == ("ALICE", "BOB")
    with pytest.warns(DeprecationWarning, match=r"by_book is now called by_trader"):
        assert take_greeks(held.books).by_book("delta")["ALICE"] == pytest.approx(1000.0)
    with pytest.warns(DeprecationWarning, match=r"ReactiveRisk\(graph, traders\) is now called"):
        risk = ReactiveRisk(held.graph, held.books, MODEL, CONFIG)
    assert risk.measures.value.at_99.var == risk.var_99.value
    day = PnLAttribution.between(capture(held.books), capture(held.books))
    with pytest.warns(DeprecationWarning, match=r"by_trader is now called PnLAttribution.by_trader\(\), a method"):
        assert day.by_trader["ALICE"] == day.by_trader()["ALICE"]
    with pytest.warns(DeprecationWarning, match="by_factor"):
        assert list(day.by_factor) == list(day.by_factor())
    assert (len(day.by_factor), repr(day.by_instrument)) == (13, repr(day.by_instrument()))


def test_level_is_called_confidence(held):
    pnl = np.arange(1000.0)
    with pytest.warns(DeprecationWarning, match=r"tail_risk\(level=\) is now called confidence="):
        old = tail_risk(pnl, level=0.99)
    assert old == tail_risk(pnl, confidence=0.99)
    with pytest.warns(DeprecationWarning, match=r"TailRisk.level is now called confidence"):
        assert old.level == 0.99
    with pytest.raises(TypeError, match="got confidence= and level="):
        tail_risk(pnl, confidence=0.99, level=0.99)
    result = MonteCarloEngine(held.books, held.graph, factor_model=MODEL).run(CONFIG)
    assert result.tail(confidence=0.95).to_dict()["method"] == "historical"
    assert isinstance(result.tail(0.95), TailRisk)


def test_a_stored_measure_of_the_first_version_is_read():
    upgrade = by_type(TailRisk).upgrade
    assert upgrade({"level": 0.99, "var": 1.0}, 1) == {"confidence": 0.99, "var": 1.0}
