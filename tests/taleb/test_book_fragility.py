"""Fragility of books: against scenarios of the graph, additivity, signs of option books, and bad input."""

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph
from bank_python.desk import build_desk
from bank_python.display import as_text
from bank_python.errors import ModelError, RiskError
from bank_python.instruments import Book, Equity, Option, Position
from bank_python.market_data import MarketData
from bank_python.risk.valuation import plan_valuation
from bank_python.taleb.book_fragility import book_fragility
from bank_python.taleb.fragility import FragilityVerdict

FRAGILE, ROBUST, ANTIFRAGILE = FragilityVerdict.FRAGILE, FragilityVerdict.ROBUST, FragilityVerdict.ANTIFRAGILE


def option_books():
    spot, vol = MarketData("SPOT", 100.0), MarketData("VOL", 0.2)
    call = Option("C", spot_source=spot, vol_source=vol, rate_source=0.02, strike=105.0, expiry=0.5)
    share = Equity("S", spot_source=spot)
    return [
        Book("LONG", [Position("L", instrument=call, quantity=100)]),
        Book("SHORT", [Position("W", instrument=call, quantity=-100)]),
        Book("SHARES", [Position("Q", instrument=share, quantity=50)]),
        Book("EMPTY", []),
    ]


@pytest.fixture(scope="module")
def desk():
    built = build_desk(seed=7)
    built.tick()
    return built


def test_signs_of_books():
    found = book_fragility(option_books())
    assert found.verdicts == {"LONG": ANTIFRAGILE, "SHORT": FRAGILE, "SHARES": ROBUST, "EMPTY": ROBUST}
    assert found["LONG"].heuristic == pytest.approx(-found["SHORT"].heuristic)
    assert found.firm.verdict is ROBUST
    assert found["SHARES"].move[0] == pytest.approx([250.0, 500.0, 1000.0])


def test_the_desk_agrees_with_scenarios_of_its_graph(desk):
    found = book_fragility(desk.traders, ["spot"], steps={"spot": 0.08}, multiples=[1.0])
    plan = plan_valuation(desk.traders)
    spots = [factor for factor in plan.factors if factor.kind.value == "spot"]
    now = {trader.name: trader.pnl.value for trader in desk.traders}
    moved = {}
    for sign in (-1.0, 1.0):
        with desk.graph.scenario({factor.name: factor.level * (1.0 + 0.08 * sign) for factor in spots}):
            moved[sign] = {trader.name: trader.pnl.value - now[trader.name] for trader in desk.traders}
    for name in now:
        wanted = 0.5 * (moved[-1.0][name] + moved[1.0][name])
        # P&L nodes of a few hundred million are rounded to about 1e-7 of a currency unit.
        assert found[name].heuristic.item() == pytest.approx(wanted, rel=1e-9, abs=1e-5), name


def test_books_add_up_to_the_firm(desk):
    found = book_fragility(desk.traders, ["spot", "vol", "fx", "rate", "credit"])
    assert found.firm.heuristic == pytest.approx(sum(item.heuristic for item in found.results), abs=1e-4)
    assert found.by_trader("spot", 2.0) == {
        name: item.heuristic[0, 2] for name, item in zip(found, found.results, strict=True)
    }
    assert len(found) == len(desk.traders)
    assert found.firm.factors[-1] == "joint"


def test_a_graph_a_plan_and_the_traders_give_the_same(desk):
    by_traders, by_plan = book_fragility(desk.traders), book_fragility(plan_valuation(desk.traders))
    assert by_plan.firm.heuristic.tolist() == by_traders.firm.heuristic.tolist()
    by_graph = book_fragility(desk.graph)
    assert by_graph.firm.heuristic == pytest.approx(by_traders.firm.heuristic)


def test_one_factor_by_name_and_its_own_step():
    found = book_fragility(option_books(), ["SPOT", "vol"], steps={"SPOT": 0.01, "vol": 0.1})
    assert found.firm.factors == ("SPOT", "vol", "joint")
    assert found.firm.steps[:2].tolist() == [0.01, 0.1]
    assert found["SHARES"].move[0] == pytest.approx([25.0, 50.0, 100.0])


def test_volatilities_move_against_spots_in_the_joint_move():
    """A book long vega and short delta gains from both halves of the fall, so the fall is larger than the rise."""
    both = book_fragility(option_books(), multiples=[1.0])["LONG"]
    with_spot = book_fragility(option_books(), ["spot"], multiples=[1.0])["LONG"]
    assert both.down[-1, 0] > with_spot.down[0, 0]
    assert both.up[-1, 0] < with_spot.up[0, 0]


def test_exports_view_and_plot():
    found = book_fragility(option_books())
    rows = found.to_table().to_list()
    assert len(rows) == 4 * 3 * 3
    assert {row["verdict"] for row in rows if row["unit"] == "SHORT" and row["factor"] == "spot"} == {"fragile"}
    text = as_text(found, lines=40)
    for said in ("Fragility of books, USD", "SHORT", "FIRM", "antifragile"):
        assert said in text
    assert len(found.plot().axes[0].patches) == 4
    with pytest.raises(KeyError):
        found["NOBODY"]


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"factors": ["weather"]}, ModelError, "no book depends on 'weather'"),
        ({"factors": ["spot", "spot"]}, ModelError, "different kinds"),
        ({"factors": []}, ModelError, "empty"),
        ({"factors": "spot"}, ModelError, "give a list"),
        ({"steps": {"fx": 0.1}}, ModelError, "not among factors"),
        ({"steps": {"spot": 0.0}}, ModelError, "above 0"),
        ({"steps": {"spot": 0.6}}, ModelError, "would fall by 120%"),
        ({"multiples": [-1.0]}, ModelError, "multiples=-1.0"),
        ({"tolerance": 2.0}, ModelError, "tolerance=2.0"),
    ],
)
def test_bad_arguments_are_named(arguments, error, said):
    with pytest.raises(error, match=said):
        book_fragility(option_books(), **arguments)


def test_a_graph_without_books_is_refused():
    with pytest.raises(RiskError, match="no books"):
        book_fragility(DependencyGraph())
    with pytest.raises(RiskError, match="neither trader nor book"):
        book_fragility([3])


def test_an_unknown_multiple_is_named():
    found = book_fragility(option_books())
    with pytest.raises(ModelError, match=r"choose one of 0\.5, 1, 2"):
        found.by_trader("spot", 3.0)
    with pytest.raises(ModelError, match="choose one of spot, vol, joint"):
        found.by_trader("rate")
    assert np.isfinite(list(found.by_trader().values())).all()
