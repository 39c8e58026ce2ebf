"""Several trades at once: all of them are booked, or none."""

import pytest

from bank_python.desk import Desk, build_desk
from bank_python.errors import BankError, DeskError


@pytest.fixture
def desk(tmp_path):
    with build_desk(seed=7, db=tmp_path / "desk.db") as made:
        yield made


def state(desk):
    return {position.name: (position.quantity, position.cost_basis) for position in desk.traders["Alice"].positions}


def test_all_trades_are_booked_in_order_and_stored(desk, tmp_path):
    value, pnl = desk.traders["Alice"].book.value, desk.traders["Alice"].pnl.value
    trades = desk.trade_all("Alice", {"NVDA": 100.0, "AMD": -50.0, desk.graph.node("KO"): 10.0})
    assert [(trade.number, trade.instrument, trade.quantity) for trade in trades] == [
        (1, "NVDA", 100.0),
        (2, "AMD", -50.0),
        (3, "KO", 10.0),
    ]
    assert desk.blotter.last(3) == trades
    bought = sum(trade.notional for trade in trades)
    assert desk.traders["Alice"].book.value == pytest.approx(value + bought)
    assert desk.traders["Alice"].pnl.value == pytest.approx(pnl)
    assert desk.trade("Alice", "KO", 1).number == 4
    desk.close()
    with Desk.open(tmp_path / "desk.db") as again:
        assert len(again.blotter) == 4
        assert again.traders["Alice"].position_in(again.graph.node("KO")).quantity == 11.0


@pytest.mark.parametrize(
    ("trader", "quantities", "said"),
    [
        ("Alice", {}, "there are no trades"),
        ("Alice", {"NVDA": 1.0, "AMD": 0.0}, "quantity=0.0"),
        ("Alice", {"NVDA": 1.0, "SOFR": 1.0}, "which cannot be traded"),
        ("Alice", {"NVDA": 1.0, "FOO": 1.0}, "FOO"),
        ("Alise", {"NVDA": 1.0}, "there is no trader"),
    ],
)
def test_one_wrong_trade_books_none(desk, trader, quantities, said):
    before = state(desk)
    with pytest.raises(BankError, match=said):
        desk.trade_all(trader, quantities)
    assert (state(desk), len(desk.blotter)) == (before, 0)


def test_a_store_that_fails_undoes_the_positions(desk, monkeypatch):
    before, record = state(desk), desk.blotter.record

    def second_fails(trader, position, quantity, price):
        if position.instrument.name == "AMD":
            raise OSError("disk full")
        return record(trader, position, quantity, price)

    monkeypatch.setattr(desk.blotter, "record", second_fails)
    with pytest.raises(OSError, match="disk full"):
        desk.trade_all("Alice", {"NVDA": 100.0, "AMD": -50.0})
    monkeypatch.undo()
    assert (state(desk), len(desk.blotter), desk.db.keys("/Trades/")) == (before, 0, [])
    desk.trade_all("Alice", {"NVDA": 100.0})
    assert len(desk.blotter) == 1


def test_an_interruption_after_the_commit_leaves_the_trades(desk, monkeypatch):
    before = state(desk)
    calls = []

    def interrupted(trade):
        calls.append(trade)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return add(trade)

    add = desk.blotter.add
    monkeypatch.setattr(desk.blotter, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        desk.trade_all("Alice", {"NVDA": 100.0, "AMD": -50.0})
    assert len(desk.blotter) == len(desk.db.keys("/Trades/")) == 2
    assert state(desk)["Alice:NVDA"][0] == before["Alice:NVDA"][0] + 100.0


def test_a_copy_books_nothing(desk, tmp_path):
    with Desk.open(tmp_path / "desk.db", read_only=True) as copy, pytest.raises(DeskError, match="read-only copy"):
        copy.trade_all("Alice", {"NVDA": 1.0})
