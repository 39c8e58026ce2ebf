"""Files of a broker: what is read, what is left out, what is named, and that reading twice changes nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import PositionsError, TradingError
from bank_python.trading_engine import TradeAction, TradeTracker, parse_contract
from bank_python.trading_engine.option_trade import content_hash
from tests.trading_engine.option_files import HISTORY, POSITIONS, REALISED

TODAY = "2025-04-01"
MARKET = {"spots": {"SPY": 560.0, "NVDA": 120.0}, "vols": {"SPY": 0.2, "NVDA": 0.5}, "rate": 0.04}
HEADER = {"Run Date": "03/03/2025", "Action": "YOU BOUGHT OPENING TRANSACTION", "Symbol": "-SPY250620P500"}


@pytest.fixture
def files(tmp_path):
    def written(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        (" -SPY250620P500", "SPY 2025-06-20 P 500"),
        ("SPY250620P500", "SPY 2025-06-20 P 500"),
        ("-XHB251219C112.5", "XHB 2025-12-19 C 112.5"),
        ("SPY250620P00500000", "SPY 2025-06-20 P 500"),
        ("spy 2025-06-20 p 500", "SPY 2025-06-20 P 500"),
    ],
)
def test_option_symbols(symbol, name):
    assert parse_contract(symbol).name == name
    assert parse_contract(parse_contract(symbol)).name == name


@pytest.mark.parametrize(
    ("symbol", "said"), [("SPY", "is no option symbol"), ("-SPY251320P500", "cannot be read"), ("", "no option symbol")]
)
def test_what_is_no_symbol_is_named(symbol, said):
    with pytest.raises(TradingError, match=said):
        parse_contract(symbol)


def test_closed_positions_of_all_accounts_with_every_spelling_of_figures(files):
    tracker = TradeTracker(today=TODAY)
    report = tracker.import_csv(files("realised.csv", REALISED))
    assert (report.kind, report.rows, report.new, report.skipped) == ("realised", 3, 3, {"no option": 1, "cash": 1})
    assert report.problems == ()
    gains = sorted((trade.account, trade.gain) for trade in tracker.closed())
    assert gains == [("Individual", -420.65), ("Individual", -420.65), ("ROTH IRA", 2500.0)]
    found = tracker.convexity()
    assert (found.n_trades, found.n_wins, found.n_losses) == (3, 1, 2)
    assert found.convexity_ratio == pytest.approx(2500.0 / 420.65)


def test_a_file_that_is_read_again_brings_nothing_new(files):
    tracker = TradeTracker(today=TODAY)
    for name, text in (("realised.csv", REALISED), ("history.csv", HISTORY)):
        first = tracker.import_csv(files(name, text))
        again = tracker.import_csv(files(f"again_{name}", text))
        assert (first.known, again.new, again.known) == (0, 0, first.rows)
    # Rows in another order have the same keys, as they are keyed by their contents.
    head, *rows = HISTORY.splitlines()
    assert tracker.import_csv(files("turned.csv", "\n".join([head, *reversed(rows)]))).new == 0


def test_equal_fills_of_one_file_are_several_trades(files):
    tracker = TradeTracker(today="2025-03-03")
    tracker.import_csv(files("history.csv", "\n".join(HISTORY.splitlines()[:1] + HISTORY.splitlines()[2:4])))
    (held,) = tracker.open_options().positions
    assert (held.quantity, held.cost) == (10.0, pytest.approx(2 * 2103.25))
    assert len({trade.key for trade in tracker.trades}) == 2


def test_history_nets_to_positions_and_closed_trades(files):
    tracker = TradeTracker(today=TODAY, **MARKET)
    report = tracker.import_csv(files("history.csv", HISTORY))
    assert (report.rows, report.skipped) == (5, {"no option": 1})
    (held,) = tracker.open_options().positions
    assert (held.name, held.quantity, held.opened) == ("SPY 2025-06-20 P 500", 6.0, dt.date(2025, 3, 3))
    by_name = {trade.name: trade for trade in tracker.closed()}
    # By hand: 4 of 5 at 4.20, with fees 3.25 × 4/5, sold at 6.00 with fees 2.60.
    assert by_name["SPY 2025-06-20 P 500"].gain == pytest.approx(4 * 100 * (6.0 - 4.2) - 3.25 * 0.8 - 2.6)
    assert by_name["NVDA 2025-03-21 C 150"].gain == pytest.approx(-601.3)
    assert held.cost == pytest.approx(6 * 420.0 + 3.25 * 1.2)
    months = {one.month: (one.n_open, one.n_close, round(one.net, 2)) for one in tracker.bleed().months}
    assert months == {"2025-02": (1, 0, -601.3), "2025-03": (2, 2, round(2397.4 - 2 * 2103.25, 2))}
    # Cash of all trades = gain of closed trades less cost of open ones.
    cash = sum(trade.cash for trade in tracker.trades)
    assert cash == pytest.approx(sum(trade.gain for trade in tracker.closed()) - held.cost)


def test_positions_with_marks_and_the_difference_to_the_trades(files):
    tracker = TradeTracker(today="2025-04-01", **MARKET)
    tracker.import_csv(files("history.csv", HISTORY.replace(",X1", ",").replace(",X2", ",")))
    report = tracker.import_csv(files("positions.csv", POSITIONS))
    assert (report.kind, report.new, report.skipped) == ("positions", 2, {"cash": 1, "no option": 1})
    held = {one.name: one for one in tracker.open_options().positions}
    assert held["SPY 2025-06-20 P 500"].quantity == 10.0
    assert held["NVDA 2025-09-19 C 150"].cost == -2100.0
    assert held["NVDA 2025-09-19 C 150"].pnl == 600.0
    assert tracker.differences() == {"SPY 2025-06-20 P 500": 4.0}
    # The volatility is that of the market price: 6.00 for the put.
    line = next(line for line in tracker.book().lines if line.underlying == "SPY")
    from bank_python.risk_models import black_scholes_price

    terms = (line.spot, line.strike, line.years, line.rate, line.vol, line.dividend, line.is_call)
    assert black_scholes_price(*terms) == pytest.approx(6.0, rel=1e-9)
    # Trades after the statement are added to it.
    tracker.roll("2025-04-02")
    tracker.log("-SPY250620P500", 3, 7.0, "SELL_CLOSE")
    assert {one.name: one.quantity for one in tracker.open_options().positions}["SPY 2025-06-20 P 500"] == 7.0


def test_a_trade_logged_by_hand_is_the_one_that_is_imported_later(files):
    tracker = TradeTracker(today="2025-03-03")
    for _ in range(2):
        tracker.log("-SPY250620P500", 5, 4.2, bucket="hedge", note="before the vote")
    assert len(tracker.trades) == 2  # two calls are two fills
    report = tracker.import_csv(files("history.csv", HISTORY))
    assert report.new == 3  # the sale and the two of NVDA; the purchases were known
    assert len(tracker.trades) == 5
    assert [trade.note for trade in tracker.trades if trade.price == 4.2] == ["before the vote"] * 2
    assert {trade.account for trade in tracker.trades} == {"X1", "X2"}
    assert tracker.import_csv(files("again.csv", HISTORY)).new == 0


def test_cells_that_cannot_be_read_are_named_with_line_and_column():
    rows = [
        {**HEADER, "Price": "4.20", "Quantity": "x"},
        {**HEADER, "Price": "n/a", "Quantity": "5"},
        {**HEADER, "Price": "4.20", "Quantity": "5", "Run Date": "31/12/2025"},
        {**HEADER, "Price": "4.20", "Quantity": "5", "Symbol": "-SPY259920P500"},
        {**HEADER, "Price": "-1", "Quantity": "5"},
        {**HEADER, "Price": "4.20", "Quantity": "0"},
        {**HEADER, "Price": "4.20", "Quantity": "5", "Amount": "-21.00"},
        {**HEADER, "Price": "4.20", "Quantity": "5", "Amount": "n/a"},
    ]
    tracker = TradeTracker(today=TODAY)
    report = tracker.import_csv(rows)
    places = [(problem.line, problem.column) for problem in report.problems]
    assert places == [
        (1, "Quantity"),
        (2, "Price"),
        (3, "Run Date"),
        (4, "Symbol"),
        (5, "Price"),
        (6, "Quantity"),
        (7, "Amount"),
    ]
    assert "month" in str(report.problems[2])
    assert report.new == 1


def test_a_gain_that_contradicts_cost_and_proceeds_is_named():
    row = {"Symbol": "-SPY250117P560", "Cost Basis": "400", "Proceeds": "100", "Total Term Gain/Loss": "300"}
    (problem,) = TradeTracker(today=TODAY).import_csv([row]).problems
    assert "-300.00" in str(problem)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere.csv", "there is no file nowhere.csv"),
        ([{"Ticker": "A"}], "those of no file"),
        ([], "none, which are those of no file"),
        (3, "a int is no broker's file"),
        ([{"Symbol": "A", "Quantity": 1, "Cost Basis": 1, "Cost Basis Total": 1}], "both mean cost"),
    ],
)
def test_what_is_no_brokers_file_is_refused(source, said):
    with pytest.raises(PositionsError, match=said):
        TradeTracker(today=TODAY).import_csv(source)


def test_frames_are_read_too():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"Symbol": ["-SPY250620P500"], "Quantity": [2], "Cost Basis Total": [840.0]})
    tracker = TradeTracker(today=TODAY)
    assert tracker.import_csv(frame).new == 1
    assert tracker.open_options().positions[0].cost == 840.0


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_the_rows_of_a_file_does_not_matter(order):
    rows = [{**HEADER, "Price": price, "Quantity": 1} for price in (4.0, 4.0, 4.0, 5.0, 5.0, 6.0)]
    tracker = TradeTracker(today=TODAY)
    tracker.import_csv([rows[i] for i in order])
    assert (tracker.import_csv(rows).new, len(tracker.trades)) == (0, 6)


def test_hashes_are_those_of_the_contents():
    assert content_hash(1.0, TradeAction.BUY_OPEN) == content_hash(1.0, TradeAction.BUY_OPEN)
    assert content_hash(0.1 + 0.2) == content_hash(0.3)
    assert content_hash(1.0) != content_hash(1.1)
