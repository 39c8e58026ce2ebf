"""Greeks in currency units: against revaluation of the whole book, closed forms, and the standard desk."""

from __future__ import annotations

import datetime as dt
import io
import math

import numpy as np
import pytest
from rich.console import Console

from bank_python.dagger import DependencyGraph
from bank_python.desk import build_desk
from bank_python.errors import InstrumentError, UnknownColumnError
from bank_python.instruments import Book, CreditDefaultSwap, Equity, FXRate, Option, Position
from bank_python.market_data import Clock, MarketData
from bank_python.risk import GREEKS, take_greeks
from bank_python.risk_models import black_scholes_greeks


def make_graph():
    graph = DependencyGraph()
    leaves = {name: graph.register(MarketData(name, value)) for name, value in LEVELS.items()}
    clock = graph.register(Clock("CLOCK", origin=dt.date(2026, 1, 2)))
    graph.register(FXRate("EURUSD", rate_source=leaves["EUR"], base="EUR", quote="USD"))
    call = Option(
        "CALL",
        spot_source=leaves["SPOT"],
        vol_source=leaves["VOL"],
        rate_source=leaves["RATE"],
        dividend_source=leaves["DIVIDEND"],
        strike=105.0,
        expiry=0.75,
        clock_source=clock,
        currency="EUR",
    )
    swap = CreditDefaultSwap("SWAP", spread_source=leaves["SPREAD"], rate_source=leaves["RATE"], notional=1e6)
    books = [
        Book("ALICE", [Position("A1", instrument=call, quantity=-3.0, multiplier=100.0)]),
        Book(
            "BOB",
            [
                Position("B1", instrument=swap, quantity=2.0),
                Position("B2", instrument=Equity("SHARE", spot_source=leaves["SPOT"]), quantity=50.0),
                Position("B3", instrument=graph.node("EURUSD"), quantity=1000.0),
            ],
        ),
    ]
    for book in books:
        graph.register(book)
    return graph, leaves, clock, books


LEVELS = {"SPOT": 100.0, "VOL": 0.25, "RATE": 0.03, "DIVIDEND": 0.01, "SPREAD": 0.012, "EUR": 1.1}


@pytest.mark.parametrize(
    ("greek", "leaf", "move"),
    [
        ("delta", "SPOT", 1.0),
        ("vega", "VOL", 0.01),
        ("rho", "RATE", 0.01),
        ("dividend", "DIVIDEND", 0.01),
        ("credit", "SPREAD", 0.01),
    ],
)
def test_one_per_cent_by_revaluation(greek, leaf, move):
    graph, leaves, _, books = make_graph()
    greeks = take_greeks(books)

    def firm(step):
        with graph.scenario({leaves[leaf]: LEVELS[leaf] + step * move}):
            return math.fsum(book.value for book in books)

    slope = (8.0 * (firm(0.05) - firm(-0.05)) - (firm(0.1) - firm(-0.1))) / 0.6
    assert greeks.total(greek, "percent") == pytest.approx(slope, rel=1e-5)
    if greek == "delta":
        curvature = (firm(0.05) - 2.0 * firm(0.0) + firm(-0.05)) / 0.05**2
        assert greeks.total("gamma", "percent") == pytest.approx(0.5 * curvature, rel=1e-4)


def test_by_hand():
    _, _, _, books = make_graph()
    greeks = take_greeks(books)
    exact = black_scholes_greeks(100.0, 105.0, 0.75, 0.03, 0.25, 0.01)
    weight = -300.0 * 1.1
    expected = {
        "delta": weight * exact.delta * 100.0,
        "gamma": weight * exact.gamma * 100.0**2 * 0.01,
        "vega": weight * exact.vega,
        "theta": weight * exact.theta,
        "rho": weight * exact.rho,
        "dividend": weight * exact.dividend_rho,
        "credit": 0.0,
        "fx": 0.0,
        "vanna": weight * exact.vanna * 100.0,
        "volga": weight * exact.volga,
        "charm": weight * exact.charm * 100.0,
    }
    for greek in GREEKS:
        assert greeks.by_trader(greek)["ALICE"] == pytest.approx(expected[greek], rel=1e-9), greek
    assert greeks.by_trader("delta")["BOB"] == pytest.approx(5_000.0, rel=1e-9)
    assert greeks.by_trader("fx")["BOB"] == pytest.approx(1_100.0, rel=1e-9)
    assert greeks.by_underlying("delta").keys() == {"SPOT", "SPREAD", "EUR"}
    assert greeks.by_underlying("delta")["SPOT"] == pytest.approx(expected["delta"] + 5_000.0, rel=1e-9)


def test_another_base_currency():
    _, _, _, books = make_graph()
    dollars, euros = take_greeks(books), take_greeks(books, "EUR")
    assert euros.currency == "EUR"
    assert euros.total("vega") == pytest.approx(dollars.total("vega") / 1.1, rel=1e-12)
    with pytest.raises(InstrumentError, match="no rate from"):
        take_greeks(books, "JPY")


def test_a_position_without_a_value_is_named_and_left_out():
    _, leaves, _, books = make_graph()
    whole = take_greeks(books)
    leaves["VOL"].set_price(-0.1)
    greeks = take_greeks(books)
    assert list(greeks.errors) == ["A1"]
    assert math.isnan(greeks.column("delta")[0])
    assert greeks.total("delta") == pytest.approx(whole.by_trader("delta")["BOB"])
    first = next(iter(greeks.to_table()))
    assert (first["position"], first["delta"]) == ("A1", None)


def test_unknown_names():
    greeks = take_greeks(make_graph()[3])
    with pytest.raises(UnknownColumnError, match="no Greek 'speed'; choose one of delta, gamma"):
        greeks.column("speed")
    with pytest.raises(ValueError, match="unit='lots' is not a unit"):
        greeks.total("delta", "lots")


def test_the_standard_desk_and_its_view():
    desk = build_desk(seed=7)
    desk.tick()
    before = desk.graph.tick
    greeks = take_greeks([trader.book for trader in desk.traders])
    assert desk.graph.tick == before
    assert not greeks.errors
    assert len(greeks.positions) == sum(len(trader.positions) for trader in desk.traders)
    for greek in GREEKS:
        assert math.fsum(greeks.by_trader(greek).values()) == pytest.approx(greeks.total(greek), rel=1e-12, abs=1e-9)
    assert greeks.by_trader("credit")["Nero"] != 0.0
    assert np.isfinite(greeks.column("charm")).all()
    console = Console(width=160, file=io.StringIO())
    console.print(greeks)
    shown = console.file.getvalue()
    assert "Vivian" in shown
    assert "firm" in shown
