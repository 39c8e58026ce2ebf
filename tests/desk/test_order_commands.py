"""``trade``, ``order``, ``orders``, ``audit``, ``signals``: what they do to a desk, and how it looks on 80 columns."""

from __future__ import annotations

import json

import pytest

from bank_python.desk import build_desk
from bank_python.desk.commands import Output
from bank_python.desk.commands.orders import (
    cancel_order,
    list_events,
    list_orders,
    list_signals,
    submit_order,
    trade_signals,
)
from bank_python.desk.commands.run import deliver
from bank_python.display import as_text
from bank_python.errors import DeskError, TradingError
from bank_python.jsonable import jsonable

WIDTH = 80


@pytest.fixture(scope="module")
def traded():
    """Return a desk with a filled, a working, a cancelled and a rejected order, and the results of the commands."""
    desk = build_desk(seed=7)
    desk.tick()
    price = desk.graph.node("AAPL").value
    limit = {"limit_price": round(0.97 * price, 2)}
    results = {
        "fill": submit_order(desk, "Alice", "AAPL", "BUY", 100, reason="by hand"),
        "work": submit_order(desk, "Alice", "AAPL", "BUY", 10, "LIMIT", **limit, stop_loss=150.0, take_profit=400.0),
        "drop": submit_order(desk, "Oscar", "KO", "BUY", 10, "LIMIT", limit_price=60.0),
        "cancel": cancel_order(desk, "ORD-000003"),
        "signals": trade_signals(desk, strategy="vol_arb"),
        "wanted": list_signals(desk, strategy="Alice"),
    }
    with pytest.raises(TradingError, match=r"ORD-000006 was rejected: Value of the order"):
        submit_order(desk, "Alice", "AAPL", "BUY", 1e6)
    results |= {
        "orders": list_orders(desk),
        "open": list_orders(desk, trader="Alice", status="open"),
        "audit": list_events(desk),
        "fills": list_events(desk, trader="Bob", kind="fill"),
    }
    return desk, results


def as_json(result):
    return json.loads(json.dumps(jsonable(dict(result.facts)), allow_nan=False))


def test_every_table_has_whole_names_on_80_columns_and_every_result_json_and_csv(traded, tmp_path, capsys):
    desk, results = traded
    for name, result in results.items():
        lines = as_text(result, WIDTH, 400).splitlines()
        assert max(map(len, lines)) <= WIDTH, name
        assert "…" not in "".join(lines), name
        deliver(name, desk, result, Output(as_json=True, csv=str(tmp_path / f"{name}.csv")))
        assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["command"] == name
        assert len((tmp_path / f"{name}.csv").read_text().splitlines()) > 1


def test_a_fill_says_its_costs_and_what_is_held(traded):
    _, results = traded
    facts = as_json(results["fill"])
    assert (facts["filled"], facts["order"]["status"], facts["order"]["filled_qty"]) == (True, "FILLED", 100.0)
    assert facts["cost"]["fees"] == 0.5
    shown = as_text(results["fill"], WIDTH, 40)
    assert "ORD-000001 of Alice: buy 100 AAPL, filled" in shown
    assert "Alice holds" in shown


def test_orders_are_listed_by_trader_and_state(traded):
    _, results = traded
    states = {order["order_id"]: order["status"] for order in as_json(results["orders"])["orders"]}
    assert states == {
        "ORD-000001": "FILLED",
        "ORD-000002": "PENDING",
        "ORD-000003": "CANCELLED",
        "ORD-000004": "FILLED",
        "ORD-000005": "FILLED",
        "ORD-000006": "REJECTED",
    }
    (open_one,) = as_json(results["open"])["orders"]
    assert (open_one["order_id"], open_one["stop_loss"], open_one["take_profit"]) == ("ORD-000002", 150.0, 400.0)


def test_events_are_listed_by_trader_and_kind_and_the_chain_is_checked(traded):
    _, results = traded
    facts = as_json(results["audit"])
    assert (facts["intact"], len(facts["events"]), facts["in_all"]) == (True, 12, 12)
    assert [event["event_type"] for event in as_json(results["fills"])["events"]] == ["FILL", "FILL"]
    assert "the chain is intact" in as_text(results["audit"], WIDTH, 200)


def test_signals_have_reasons_and_their_orders(traded):
    _, results = traded
    (signal,) = as_json(results["signals"])["signals"]
    assert (signal["trader"], signal["strategy"]) == ("Bob", "vol_arb")
    assert [order["status"] for order in as_json(results["signals"])["orders"]] == ["FILLED", "FILLED"]
    assert {signal["strategy"] for signal in as_json(results["wanted"])["signals"]} == {"momentum"}


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda desk: list_orders(desk, status="full"), TradingError, "'full' is no OrderStatus"),
        (lambda desk: list_orders(desk, trader="Zoe"), DeskError, "there is no trader 'Zoe'"),
        (lambda desk: list_events(desk, kind="fil"), TradingError, "did you mean 'FILL'"),
        (lambda desk: list_events(desk, trader="Zoe"), DeskError, "there is no trader 'Zoe'"),
        (lambda desk: list_signals(desk, strategy="momentun"), DeskError, "did you mean 'momentum'"),
        (lambda desk: cancel_order(desk, "ORD-000001"), TradingError, "is FILLED; only working orders"),
        (lambda desk: cancel_order(desk, "x"), TradingError, "was never submitted"),
        (lambda desk: submit_order(desk, "Alice", "AAPL", "HOLD", 1), TradingError, "no side 'HOLD'"),
        (lambda desk: submit_order(desk, "Alice", "AAPL", "BUY", 1, "LIMIT"), TradingError, "needs limit_price"),
    ],
)
def test_mistakes_are_named(traded, call, error, said):
    with pytest.raises(error) as raised:
        call(traded[0])
    assert said in str(raised.value)
