"""Portfolios in use: markets that are polled again, days that pass, ticks that are refused, threads."""

from __future__ import annotations

import copy
import datetime as dt
import math
import pickle
import threading

import pytest

from bank_python import BarbaraDB, load_portfolio
from bank_python.errors import DomainError, PositionsError
from bank_python.market_data import HistoryFeed, Poll, QuoteFailure, Tick
from bank_python.market_data.yahoo import YahooFeed
from tests.servers.yahoo_server import YahooServer

FIRST = dt.date(2025, 1, 1)
DAYS = [FIRST + dt.timedelta(days=i) for i in range(100)]
PRICES = {
    ticker: [(day, level * (1.0 + 0.01 * math.sin(i * i))) for i, day in enumerate(DAYS)]
    for ticker, level in (("AAA", 100.0), ("BBB", 50.0))
}
QUICK = {"n_paths": 2_000, "stresses": (), "validate_greeks": False}


class FaultyFeed:
    """A feed whose quotes of BAD are faulty."""

    name = "faulty"
    symbols = None

    def __init__(self):
        self.price, self.bad = 100.0, 50.0

    def poll(self, symbols):
        time = dt.datetime(2026, 1, 30, 16, tzinfo=dt.UTC)
        known = {"GOOD": self.price, "BAD": self.bad}
        ticks = tuple(Tick(symbol, known[symbol], time, self.name) for symbol in symbols if symbol in known)
        failures = tuple(QuoteFailure(s, "no such share", self.name) for s in symbols if s not in known)
        return Poll(ticks, failures)

    def history(self, symbol, period):
        raise PositionsError(f"no history of {symbol} over {period}")

    def close(self):
        pass


def test_a_market_is_polled_again_and_bad_quotes_are_kept_out():
    feed = FaultyFeed()
    mine = load_portfolio([("GOOD", 1), ("BAD", 2)], market=feed, as_of="2026-01-30")
    assert mine.value == 200.0
    feed.price, feed.bad = 110.0, math.nan
    update = mine.update()
    assert update.updated == ("GOOD",)
    assert [problem.ticker for problem in update.rejected] == ["BAD"]
    assert mine.value == 210.0
    assert {quote.ticker: quote.rejected for quote in mine.quotes()} == {"GOOD": 0, "BAD": 1}
    feed.bad = 60.0
    assert set(mine.update().updated) == {"GOOD", "BAD"}
    assert mine.value == 230.0


def test_symbols_without_a_quote_are_named_with_the_reason():
    with pytest.raises(PositionsError, match=r"line 2, column ticker: 'NONE' has no price; faulty: no such share"):
        load_portfolio([("GOOD", 1), ("NONE", 1)], market=FaultyFeed(), as_of="2026-01-30")
    feed = FaultyFeed()
    feed.bad = -5.0
    with pytest.raises(PositionsError, match=r"its quote -5\.0 is not above 0"):
        load_portfolio([("BAD", 1)], market=feed)


def test_a_replayed_market_moves_on_with_each_update():
    feed = HistoryFeed(PRICES, start=DAYS[60])
    mine = load_portfolio([("AAA", 1), ("AAA 2025-03-05 C 90", 1)], market=feed, as_of=DAYS[60])
    assert mine.leaf("AAA").value == PRICES["AAA"][60][1]
    for _ in range(5):
        mine.update()
    assert mine.leaf("AAA").value == PRICES["AAA"][65][1]
    assert mine.date == DAYS[65]
    [option] = [row for row in mine.to_table() if row["ticker"].endswith("C 90")]
    assert option["quantity"] == 0.0
    assert option["value"] == 0.0
    assert option["pnl"] != 0.0
    assert mine.history().dates[-1] >= DAYS[59]


def test_a_market_of_another_day_is_said():
    mine = load_portfolio([("AAA", 1)], market=HistoryFeed(PRICES, start=DAYS[60]))
    assert any("give as_of=" in said for said in mine.assumptions)


def test_without_a_market_there_is_nothing_to_update():
    mine = load_portfolio([("AAA", 1)], prices=PRICES)
    for call in (mine.update, mine.quotes):
        with pytest.raises(PositionsError, match="has no market"):
            call()


def test_yahoo_over_a_socket(tmp_path):
    yfinance = pytest.importorskip("yfinance")
    yfinance.set_tz_cache_location(str(tmp_path))
    with YahooServer({"AAPL": 200.0, "MSFT": 400.0}, tmp_path, time=None) as server:
        feed = YahooFeed.from_environment(server.environment, timeout=10.0)
        mine = load_portfolio([("AAPL", 10), ("MSFT", -5)], market=feed)
        assert mine.value == 10 * 200.0 - 5 * 400.0
        assert mine.var(**QUICK) > 0.0
        server.prices["AAPL"] = 210.0
        assert set(mine.update().updated) == {"AAPL", "MSFT"}
        assert mine.value == 100.0
        server.time = dt.datetime(2024, 1, 9, tzinfo=dt.UTC)
        with pytest.raises(PositionsError, match="'AAPL' has no price; yahoo: its last quote is of 2024-01-09"):
            load_portfolio([("AAPL", 10)], market=feed)
        feed.close()


def test_cash_is_booked_and_contracts_settled_when_the_date_is_rolled():
    rows = [
        ("AAA", 10),
        {"ticker": "AAA 2025-04-30 C 90", "quantity": 2, "vol": 0.2},
        {"ticker": "UST", "quantity": 3, "coupon": "4%", "yield": "4%", "maturity": "2025-06-30", "cost": 100.0},
    ]
    mine = load_portfolio(rows, prices=PRICES)
    spot = mine.leaf("AAA").value
    value = {row["ticker"]: row["value"] for row in mine.to_table()}
    mine.roll("2025-07-01")
    found = {row["ticker"]: row for row in mine.to_table()}
    assert mine.value == pytest.approx(10 * spot)
    assert found["UST"]["pnl"] == pytest.approx(3 * 2.0)  # face and a coupon came for the cost
    option = found["AAA 2025-04-30 C 90"]
    assert option["pnl"] == pytest.approx(200 * max(spot - 90.0, 0.0) - value["AAA 2025-04-30 C 90"])
    assert mine.pnl == pytest.approx(option["pnl"] + 6.0)
    mine.set_prices({"AAA": 2 * spot})
    assert mine.pnl == pytest.approx(option["pnl"] + 6.0 + 10 * spot)
    assert mine.var(**QUICK) > 0.0
    with pytest.raises(DomainError, match="cannot roll back"):
        mine.roll(dt.date(2025, 1, 1))
    with pytest.raises(PositionsError, match="day='soon'"):
        mine.roll("soon")


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0, math.inf, "x", None])
def test_refused_ticks_change_nothing(bad):
    mine = load_portfolio([("AAA", 1), ("BBB", 1)], prices=PRICES)
    before = mine.value
    with pytest.raises(DomainError, match="AAA_SPOT"):
        mine.set_prices({"BBB": 1.0, "AAA": bad})
    with pytest.raises(DomainError, match="AAA_SPOT"), mine.what_if({"BBB": 1.0, "AAA": bad}):
        pass
    assert mine.value == before
    assert mine.leaf("BBB").value == PRICES["BBB"][-1][1]


def test_one_quote_has_one_price():
    mine = load_portfolio([("AAA", 1)], prices=PRICES)
    with pytest.raises(PositionsError, match="another name of the quote AAA_SPOT"):
        mine.set_prices({"AAA": 1.0, "AAA_SPOT": 2.0})
    with pytest.raises(PositionsError, match="give a mapping"):
        mine.what_if([("AAA", 1.0)])


def test_what_if_in_what_if():
    mine = load_portfolio([("AAA", 1), ("BBB", 1)], prices=PRICES)
    before = mine.value
    with mine.what_if({"AAA": 80.0}):
        outer = mine.value
        with mine.what_if({"AAA": 70.0, "BBB": 10.0}):
            assert mine.value == 80.0
            assert mine.var(**QUICK) > 0.0
        assert mine.value == outer
    assert mine.value == before


def test_threads_set_prices_while_risk_runs():
    mine = load_portfolio([("AAA", 10), ("AAA 2026-01-05 C 100", 2), ("BBB", 5)], prices=PRICES)
    faults, done = [], threading.Event()

    def tick():
        step = 0
        while not done.is_set():
            step += 1
            try:
                mine.set_prices({"AAA": 95.0 + step % 10, "BBB": 48.0 + step % 5})
            except Exception as error:  # noqa: BLE001 - any error fails the test
                faults.append(error)
                return

    threads = [threading.Thread(target=tick) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert mine.var(**QUICK) > 0.0
        assert len(mine.to_table()) == 3
        mine.greeks()
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []


def test_two_portfolios_do_not_share_a_market():
    one, two = (load_portfolio([("AAA", 1)], prices=PRICES) for _ in range(2))
    one.set_prices({"AAA": 1.0})
    assert two.value == PRICES["AAA"][-1][1]


def test_a_portfolio_is_not_pickled_but_its_positions_are_kept(tmp_path):
    mine = load_portfolio([("AAA", 1, 90.0)], prices=PRICES)
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(PositionsError, match="has a live graph"):
            copied(mine)
    with BarbaraDB.open("own", path=tmp_path / "own.db") as db:
        book = mine.books["Portfolio"]
        db[book.record_key] = book
    with BarbaraDB.open("own", path=tmp_path / "own.db") as db:
        again = db["/Books/Portfolio"]
        assert [position.cost_basis for position in again.positions] == [90.0]


def test_assumed_volatilities_replace_what_was_said():
    rows = [("AAA", 1), ("AAA 2026-01-05 C 100", 2)]
    mine = load_portfolio(rows, prices=PRICES, vols={"AAA": 0.2})
    mine.factor_model()
    assert any("RATE moves by 100 bp" in said for said in mine.assumptions)
    mine.assume_vols({"RATE": 0.02})
    mine.factor_model()
    assert not any("RATE moves" in said for said in mine.assumptions)
    assert sum("AAA_VOL moves" in said for said in mine.assumptions) == 1
    for vols, message in [
        ({"AAA": 0.3}, "volatility of its history"),
        ({"RATE": -1}, "is not from 0"),
        ({"RATE": "x"}, "is not a number"),
    ]:
        with pytest.raises(PositionsError, match=message):
            mine.assume_vols(vols)
    mine.live_risk(n_paths=1_000)
    with pytest.raises(PositionsError, match="call assume_vols"):
        mine.assume_vols({"RATE": 0.03})


def test_a_misspelt_setting():
    with pytest.raises(PositionsError, match="did you mean 'n_paths'"):
        load_portfolio([("AAA", 1)], prices=PRICES).var(n_pths=5)


def test_thousands_of_positions_are_added_to_their_book_at_once(monkeypatch):
    """A book that is rewired for each position makes the time grow with the square of their number."""
    from bank_python.instruments import Book

    monkeypatch.setattr(Book, "add", lambda *_: pytest.fail("a position was added to a registered book"))
    many = [(f"T{i}", 1.0) for i in range(2_000)]
    mine = load_portfolio(many, prices={ticker: [(FIRST, 10.0)] for ticker, _ in many})
    assert mine.value == pytest.approx(20_000.0)
