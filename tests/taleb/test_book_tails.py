"""Tails and fragility of books as nodes: figures of a revaluation by hand, and who pays for a tick."""

import numpy as np
import pytest

from bank_python.dagger import DependencyGraph, Every
from bank_python.errors import DuplicateNodeError, ModelError, SimulationError
from bank_python.instruments import Book, Equity, Option, Position
from bank_python.market_data import MarketData
from bank_python.mc_engine.draws import Draws
from bank_python.risk_models import black_scholes_price
from bank_python.taleb import book_tails
from bank_python.taleb.book_tails import LINEAR, BookTails
from bank_python.taleb.fragility import FragilityVerdict
from bank_python.taleb.tail_reading import tail_reading

RATE, VOL, STRIKE, EXPIRY = 0.02, 0.3, 90.0, 0.5


class Hands:
    """A clock that is moved by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def graph():
    graph = DependencyGraph()
    for name, level in (("A_SPOT", 100.0), ("B_SPOT", 50.0)):
        graph.register(MarketData(name, level))
    return graph


@pytest.fixture
def put(graph):
    terms = {"vol_source": VOL, "rate_source": RATE, "strike": STRIKE, "expiry": EXPIRY, "is_call": False}
    return Option("PUT", spot_source=graph["A_SPOT"], **terms)


def moves(days=300, names=("A_SPOT", "B_SPOT"), seed=1):
    drawn = 0.01 * np.random.default_rng(seed).standard_t(4, size=(len(names), days))
    return Draws(tuple(names), (True,) * len(names), drawn)


def book_of(graph, *positions):
    return graph.register(
        Book("BOOK", [Position(f"P{i}", instrument=c, quantity=q) for i, (c, q) in enumerate(positions)])
    )


def put_value(spot):
    return black_scholes_price(spot, STRIKE, EXPIRY, RATE, VOL, is_call=False)


def test_the_pnl_is_that_of_the_present_book_in_each_days_moves(graph, put):
    past = moves()
    share = Equity("B", spot_source=graph["B_SPOT"])
    tails = BookTails(graph, [book_of(graph, (put, -100.0), (share, 7.0))], past, name="T")
    by_hand = -100.0 * (put_value(100.0 * (1.0 + past.moves[0])) - put_value(100.0)) + 7.0 * 50.0 * past.moves[1]
    np.testing.assert_allclose(tails.pnl.value, by_hand, rtol=0.0, atol=1e-9)  # ten digits of values near 100
    assert tails.tails.value == tail_reading(tails.pnl.value)
    found = tails.fragility.value.firm
    at_one = found.multiples.tolist().index(1.0)
    h = -100.0 * (0.5 * (put_value(90.0) + put_value(110.0)) - put_value(100.0))
    assert found.heuristic[0, at_one] == pytest.approx(h, rel=1e-9)
    assert found.verdict is FragilityVerdict.FRAGILE


@pytest.mark.parametrize(("sign", "verdict"), [(1.0, "antifragile"), (-1.0, "fragile")])
def test_a_book_of_shares_is_robust_and_one_of_options_takes_their_sign(graph, put, sign, verdict):
    share = Equity("A", spot_source=graph["A_SPOT"])
    tails = BookTails(graph, [book_of(graph, (share, 1_000.0))], moves(), name="T")
    assert tails.fragility.value.firm.verdict is FragilityVerdict.ROBUST
    with graph.batch():
        tails.remove()
        graph.unregister(graph["BOOK"])
    held = graph.register(Book("OTHER", [Position("OPTIONS", instrument=put, quantity=sign * 10.0)]))
    options = BookTails(graph, [held], moves(), name="T")
    assert options.fragility.value.firm.verdict.value == verdict


def test_a_tick_evaluates_nothing_between_two_times_of_the_policy(graph, put, monkeypatch):
    counts = {"plan": 0, "reading": 0, "fragility": 0}

    def counted(name, function):
        def call(*arguments, **options):
            counts[name] += 1
            return function(*arguments, **options)

        return call

    for name, attribute in (("plan", "plan_valuation"), ("reading", "tail_reading"), ("fragility", "book_fragility")):
        monkeypatch.setattr(book_tails, attribute, counted(name, getattr(book_tails, attribute)))
    clock = Hands()
    tails = BookTails(graph, [book_of(graph, (put, -10.0))], moves(), name="T", policy=Every(60.0, clock))
    graph.recalculate()
    assert set(counts.values()) == {1}
    first = tails.as_of_tick
    for i in range(50):
        graph["A_SPOT"].set_price(100.0 + i)
        clock.time += 1.0
        graph.recalculate()
        tails.fragility.value  # noqa: B018 - a read is not free to evaluate either
    assert set(counts.values()) == {1}
    assert tails.as_of_tick == first
    clock.time = 60.0
    graph.recalculate()  # the time has come, and the spot has moved
    assert set(counts.values()) == {2}
    assert tails.as_of_tick == graph.tick
    clock.time = 600.0
    graph.recalculate()  # nothing has moved since
    assert set(counts.values()) == {2}


def test_a_what_if_has_the_tails_of_its_market_and_leaves_no_trace(graph, put):
    tails = BookTails(graph, [book_of(graph, (put, -10.0))], moves(), name="T", policy=Every(1e9))
    before = tails.tails.value
    with graph.scenario({graph["A_SPOT"]: 60.0}):
        assert tails.tails.value.deviation > 1.5 * before.deviation  # in the money the delta is larger
    assert tails.tails.value is before


def test_trades_are_followed_and_missing_moves_are_named(graph, put):
    held = book_of(graph, (put, -10.0))
    tails = BookTails(graph, [held], moves(names=("A_SPOT",)), name="T", policy=Every(1e9))
    assert not tails.follow_books()
    share = Position("SHARE", instrument=Equity("B", spot_source=graph["B_SPOT"]), quantity=1.0)
    held.add(share)
    assert tails.follow_books()
    assert "no past moves of B_SPOT" in str(tails.tails.error)
    assert tails.fragility.value.firm.verdict is FragilityVerdict.FRAGILE
    tails.follow_moves(moves())
    assert tails.tails.value.n_observations == 300


def test_a_failure_is_named_and_the_rest_goes_on(graph, put):
    held = book_of(graph, (put, -10.0))
    drop = Draws(("A_SPOT",), (True,), np.array([[0.01, -1.5, 0.02]]))
    tails = BookTails(graph, [held], drop, name="T")
    with pytest.raises(SimulationError, match=r"PUT has no price in scenario 1: spot=-50\.0 is negative"):
        raise tails.pnl.error
    assert tails.fragility.value.firm.heuristic.shape == (4, 3)


def test_names_in_use_are_refused_before_anything_is_added(graph, put):
    held = book_of(graph, (put, -10.0))
    before = set(graph.nodes)
    tails = BookTails(graph, [held], moves(), name="T")
    with pytest.raises(DuplicateNodeError):
        BookTails(graph, [held], moves(), name="T")
    tails.remove()
    assert set(graph.nodes) == before


def test_shocks_of_ones_own_and_a_wrong_one(graph, put):
    held = book_of(graph, (put, -10.0))
    tails = BookTails(graph, [held], moves(), name="T", shocks={"A_SPOT": 0.02})
    found = tails.fragility.value.firm
    assert (found.factors, found.tolerance) == (("A_SPOT",), LINEAR)
    wrong = BookTails(graph, [held], moves(), name="U", shocks={"weather": 0.02})
    with pytest.raises(ModelError, match="weather"):
        raise wrong.fragility.error
