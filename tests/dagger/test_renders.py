"""Display of ladders, Greeks, plans, profiles and explanations."""

import io
import math

import numpy as np
import pytest
from rich.console import Console

from bank_python.dagger import DependencyGraph, Every, Greeks, Ladder, Leaf, Profile, ProfileRow


def rendered(result, width=100):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(result)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def cells(lines):
    """The cells of a table's rows, without the frame."""
    return [[cell.strip() for cell in line.strip("│ ").split("│")] for line in lines if line.startswith("│")]


@pytest.fixture
def graph():
    graph = DependencyGraph()
    graph.register(Leaf("SPOT", 100.0, domain="positive"))
    graph.register(Leaf("RATE", 0.02))
    graph.derive("CALL", lambda s: max(s - 95.0, 0.0), ["SPOT"])
    graph.derive("ODDS", lambda s, r: r / (s - 110.0), ["SPOT", "RATE"])
    graph.sum("BOOK", ["CALL", "SPOT"], weights=[10.0, 1.0])
    graph.recalculate()
    return graph


def test_a_ladder(graph):
    ladder = graph.ladder("BOOK", "SPOT", [-10.0, -5.0, 0.0, 10.0])
    assert rendered(ladder) == [
        "Ladder of BOOK over SPOT",
        "┏━━━━━━━┳━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━┓",
        "┃ Shock ┃    Level ┃  Value ┃  Change ┃ 90.00 … 260.00           ┃",
        "┡━━━━━━━╇━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━┩",
        "│   -10 │  90.0000 │  90.00 │  -60.00 │ ████████                 │",
        "│    -5 │  95.0000 │  95.00 │  -55.00 │  ███████                 │",
        "│    +0 │ 100.0000 │ 150.00 │   +0.00 │         │                │",
        "│   +10 │ 110.0000 │ 260.00 │ +110.00 │         ████████████████ │",
        "└───────┴──────────┴────────┴─────────┴──────────────────────────┘",
    ]
    assert (
        rendered(ladder, width=40)[4] == "│   -10 │  90.0000 │  90.00 │  -60.00 │"
    )  # the picture gives way, no number


def test_a_relative_ladder_with_a_rung_missing(graph):
    graph["SPOT"].set(88.0)
    shown = cells(rendered(graph.ladder("ODDS", "SPOT", [-0.125, 0.25, 0.5], relative=True)))
    assert [row[:4] for row in shown] == [
        ["-12.50%", "77.0000", "-0.0006", "+0.0003"],
        ["+25.00%", "110.0000", "—", "—"],
        ["+50.00%", "132.0000", "0.0009", "+0.0018"],
    ]
    assert shown[1][4] == "ZeroDivisionError"


def test_ladders_of_nothing_infinity_and_one_value():
    def ladder(*values, base=1.0):
        errors = tuple(ArithmeticError("no") if math.isnan(value) else None for value in values)
        shocks = np.arange(float(len(values)))
        return Ladder("T", "[L]", 1.0, base, shocks, 1.0 + shocks, np.array(values), errors)

    assert [row[4] for row in cells(rendered(ladder(math.nan, base=math.nan)))] == ["ArithmeticError"]
    assert len(cells(rendered(ladder(1.0, 1.0)))) == 2
    shown = cells(rendered(ladder(2.0, math.inf, -math.inf)))
    assert [row[2] for row in shown] == ["2.00", "inf", "-inf"]
    assert cells(rendered(ladder(math.inf, base=math.inf)))[0][2:] == ["inf", "—"]
    assert "over [L]" in rendered(ladder(1.0))[0]


def test_greeks(graph):
    assert rendered(graph.greeks(["BOOK", "ODDS"], ["SPOT"], bump=10.0, relative=False)) == [
        "Greeks",
        "┏━━━━━━━━┳━━━━━━┳━━━━━━━━━━━┳━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━┓",
        "┃ Target ┃ Leaf ┃     Value ┃  Delta ┃    Gamma ┃    Bump ┃",
        "┡━━━━━━━━╇━━━━━━╇━━━━━━━━━━━╇━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━┩",
        "│ BOOK   │ SPOT │  150.0000 │ 8.5000 │ 0.500000 │ 10.0000 │",
        "│ ODDS   │ SPOT │ -0.002000 │      — │        — │ 10.0000 │",
        "└────────┴──────┴───────────┴────────┴──────────┴─────────┘",
    ]
    empty = Greeks((), (), np.empty(0), np.empty((0, 0)), np.empty((0, 0)), np.empty(0))
    assert cells(rendered(empty)) == []


def test_a_plan(graph):
    for i in range(6):
        graph.derive(f"UP{i}", lambda x: x, ["BOOK"])
    plan = graph.plan("SPOT")
    assert [sorted(names) for names in plan.by_level] == [["CALL", "ODDS"], ["BOOK"], [f"UP{i}" for i in range(6)]]
    assert tuple(name for names in plan.by_level for name in names) == plan.nodes
    lines = rendered(plan)
    assert lines[0].strip() == "Nodes that depend on SPOT"
    shown = cells(lines)
    assert [row[:2] for row in shown] == [["1", "2"], ["2", "1"], ["3", "6"], ["all", "9"]]
    assert shown[1][2] == "BOOK"
    assert shown[2][2].endswith(" and 2 more")
    assert shown[3][2] == "8 DerivedNode, 1 SumNode"
    assert cells(rendered(graph.plan("UP0"))) == [["all", "0"]]


def test_a_profile():
    profile = Profile()
    profile._rows = {
        "Option": ProfileRow("Option", 5000, 2, 0.00975),
        "SumNode": ProfileRow("SumNode", 15, 15, 0.00325),
    }
    assert rendered(profile) == [
        "Evaluation time by class",
        "┏━━━━━━━━━┳━━━━━━━━━━━━━┳━━━━━━━┳━━━━━━━━┳━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━┓",
        "┃ Class   ┃ Evaluations ┃ Calls ┃     ms ┃ Share ┃                          ┃",
        "┡━━━━━━━━━╇━━━━━━━━━━━━━╇━━━━━━━╇━━━━━━━━╇━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━┩",
        "│ Option  │       5,000 │     2 │  9.750 │   75% │ ██████████████████       │",
        "│ SumNode │          15 │    15 │  3.250 │   25% │ ██████                   │",
        "├─────────┼─────────────┼───────┼────────┼───────┼──────────────────────────┤",
        "│ all     │       5,015 │       │ 13.000 │       │                          │",
        "└─────────┴─────────────┴───────┴────────┴───────┴──────────────────────────┘",
    ]
    assert cells(rendered(Profile())) == [["all", "0", "", "0.000"]]


def test_an_explanation_shows_what_it_was_and_what_it_is(graph):
    graph["SPOT"].set(101.0)
    assert rendered(graph.explain("BOOK")) == [
        "BOOK = 150.0000 → 161.0000  ← SumNode.compute  tick 1",
        "├── CALL = 5.0000 → 6.0000  ← graph.<locals>.<lambda>  tick 1",
        "│   └── SPOT = 100.0000 → 101.0000  tick 1",
        "└── SPOT = 100.0000 → 101.0000  tick 1",
    ]
    assert str(graph.explain("CALL", depth=0)).startswith("CALL = 5.0 → 6.0  by ")
    assert str(graph.explain("RATE")) == "RATE = 0.02  [Leaf, changed at tick 0]"


def test_an_explanation_says_of_which_tick_a_held_back_value_is(graph):
    now = [0.0]
    graph.derive("SLOW", lambda s: 2.0 * s, ["SPOT"], Every(60.0, clock=lambda: now[0]))
    graph.recalculate()
    made = graph.tick
    assert graph.explain("SLOW").as_of_tick is None
    graph["SPOT"].set(101.0)
    graph.recalculate()
    why = graph.explain("SLOW")
    assert (why.outcome, why.as_of_tick) == (200.0, made)
    assert rendered(why, width=150)[0].endswith(f"  as of tick {made}")
    assert str(why).splitlines()[0].endswith(f", as of tick {made}]")
    with graph.scenario({"SPOT": 50.0}):
        assert (graph.explain("SLOW").outcome, graph.explain("SLOW").as_of_tick) == (100.0, None)
    now[0] = 61.0
    graph.recalculate()
    assert (graph.explain("SLOW").outcome, graph.explain("SLOW").as_of_tick) == (202.0, None)
