"""The desk: built, ticked, traded on, kept and reopened."""

import logging
import math

import pytest

from bank_python import BarbaraDB, Desk, Equity, HistoryFeed, MarketData, SimulatedFeed, build_desk, node_function
from bank_python.dagger import Leaf
from bank_python.desk import build_view
from bank_python.desk.showcase.figures import market_sources, market_troubles, pnl_by_trader, require_quotes
from bank_python.desk.traders import TRADERS
from bank_python.errors import DeskError, UnknownNodeError, UnknownTickerError, UnstorableError, UpstreamError
from bank_python.instruments import FXRate, Option, Position
from bank_python.market_data import Poll, QuoteFailure, RecordingFeed, ReplayFeed


def values(desk):
    with desk.graph.snapshot() as snapshot:
        return {node.name: snapshot.outcome(node) for node in desk.graph if node.name != "FACTOR_MODEL"}


@pytest.fixture
def desk():
    return build_desk(seed=7)


def test_the_reference_desk_is_all_there(desk):
    assert [(t.name, t.strategy) for t in desk.traders] == [
        ("Alice", "momentum"),
        ("Bob", "vol_arb"),
        ("Charlie", "stat_arb"),
        ("Diana", "macro"),
        ("Nero", "credit_arb"),
        ("Tony", "tech_momentum"),
        ("Vivian", "gamma_scalp"),
        ("Marcus", "pairs_trade"),
        ("Elena", "carry_trade"),
        ("Raj", "contrarian"),
        ("Sophia", "index_arb"),
        ("Kenji", "vol_spread"),
        ("Zara", "event_driven"),
        ("Oscar", "multi_asset"),
    ]
    equities = [node for node in desk.graph if isinstance(node, Equity) and node.sector not in {"ETF", "Crypto"}]
    assert len(equities) >= 180
    assert all(share.sector for share in equities)
    assert sum(isinstance(node, FXRate) for node in desk.graph) == 6
    kinds = {type(held.instrument).__name__ for trader in desk.traders for held in trader.positions}
    assert kinds == {"Equity", "Option", "Bond", "CreditDefaultSwap", "FXRate"}
    assert not any(trader.waiting for trader in desk.traders)


def test_same_seed_same_desk_other_seed_other_desk(desk):
    assert values(desk) == values(build_desk(seed=7))
    assert values(desk) != values(build_desk(seed=8))


def test_pnl_opens_at_exactly_zero_and_a_tick_moves_it(desk):
    assert pnl_by_trader(desk) == dict.fromkeys(desk.traders.names, 0.0)
    desk.tick()
    moved = pnl_by_trader(desk)
    assert all(value != 0.0 for value in moved.values())
    assert desk.firm_pnl.value == math.fsum(moved.values())


def test_one_share_revalues_just_what_rests_on_it(desk):
    leaf = desk.leaf("KO")
    leaf.set_price(leaf.price * 1.1)
    done = desk.graph.recalculate(leaf)
    # KO, Oscar's position, his subtotal, book and P&L, the firm's value and P&L.
    assert done.by_class == {"Equity": 1, "Position": 1, "SumNode": 3, "Book": 1, "ProfitAndLoss": 1}
    assert [name for name, value in pnl_by_trader(desk).items() if value] == ["Oscar"]


def test_trader_pnl_is_the_sum_of_position_pnl_in_dollars(desk):
    for _ in range(3):
        desk.tick()
    for trader in desk.traders:
        rates = {"USD": 1.0, "JPY": 1 / desk.graph["USDJPY"].value, "CHF": 1 / desk.graph["USDCHF"].value}
        rates["CAD"] = 1 / desk.graph["USDCAD"].value
        by_hand = math.fsum(held.pnl * rates[held.currency] for held in trader.positions)
        assert trader.pnl.value == pytest.approx(by_hand, abs=1e-6)


def test_options_follow_spot_vol_and_rate_leaves(desk):
    option = next(node for node in desk.graph if isinstance(node, Option))
    assert {node.name for node in option.underliers} == {
        "CLOCK",
        "SOFR",
        f"{option.name.split('_')[0]}_SPOT",
        f"{option.name.split('_')[0]}_VOL",
    }


def test_rolling_the_clock_decays_what_decays(desk):
    import datetime as dt

    before = pnl_by_trader(desk)
    desk.roll(desk.clock.date + dt.timedelta(days=7))
    after = pnl_by_trader(desk)
    assert after["Vivian"] < before["Vivian"]  # long straddles pay for time
    assert after["Charlie"] == before["Charlie"]  # shares do not


def test_a_trade_is_booked_kept_and_neutral(desk):
    desk.tick()
    before = desk.traders["Alice"].pnl.value
    trade = desk.trade("Alice", "AAPL", 100)
    assert (trade.number, trade.trader, trade.instrument, trade.quantity) == (1, "Alice", "AAPL", 100.0)
    assert desk.traders["Alice"].pnl.value == pytest.approx(before, abs=1e-6)
    assert desk.db["/Trades/00000001"]["notional"] == 100 * desk.leaf("AAPL").price
    assert [row["trader"] for row in desk.blotter.table] == ["Alice"]
    spot = desk.leaf("AAPL")
    spot.set_price(spot.price + 1.0)
    assert desk.traders["Alice"].pnl.value == pytest.approx(before + 100, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("Alicia", "AAPL", 1), DeskError),
        (("Alice", "APPL", 1), UnknownNodeError),
        (("Alice", "AAPL", math.nan), Exception),
        (("Alice", "AAPL", 1, math.inf), Exception),
        (("Alice", Equity("NEW", spot_source=MarketData("NEW_SPOT", domain="positive")), 1), UpstreamError),
    ],
)
def test_a_bad_trade_changes_nothing(desk, arguments, error):
    before, names = values(desk), {node.name for node in desk.graph}
    with pytest.raises(error):
        desk.trade(*arguments)
    assert values(desk) == before
    assert {node.name for node in desk.graph} == names
    assert len(desk.blotter) == 0
    assert not desk.db.keys("/Trades/")


def test_a_new_instrument_can_be_traded(desk):
    spot = MarketData("ACME_SPOT", 10.0)
    desk.trade("Raj", Equity("ACME", spot_source=spot), 1_000)
    spot.set_price(11.0)
    assert desk.traders["Raj"].pnl.value == pytest.approx(1_000.0, abs=1e-6)


def test_unknown_ticker_is_named(desk):
    with pytest.raises(UnknownTickerError, match="AAPL"):
        desk.leaf("APPL")


def test_reopened_as_it_was_and_going_on_the_same(tmp_path):
    path = tmp_path / "desk.db"
    desk = build_desk(seed=3, db=BarbaraDB.open("desk;default", path=path))
    twin = build_desk(seed=3)
    for each in (desk, twin):
        each.tick()
        each.trade("Tony", "NVDA", 500)
    before = values(desk)
    desk.close()
    again = Desk.open(path)
    assert values(again) == before
    assert [row["trader"] for row in again.blotter.table] == ["Tony"]
    assert again.leaf("NVDA").source == "simulated"
    for _ in range(3):
        assert again.tick().update.updated == twin.tick().update.updated
        assert values(again) == values(twin)
    again.close()


def test_a_desk_on_a_panel_of_real_shares_comes_back_where_it_was(tmp_path):
    pytest.importorskip("skfolio")
    path = tmp_path / "desk.db"
    desk = build_desk(seed=3, feed="history", db=BarbaraDB.open("desk;default", path=path))
    desk.tick()
    before, now = values(desk), desk.feed.now
    desk.close()
    again = Desk.open(path)
    assert (values(again), again.feed.now) == (before, now)
    again.close()


def test_history_prices_are_those_of_the_file():
    datasets = pytest.importorskip("skfolio.datasets")
    panel = datasets.load_sp500_dataset()
    desk = build_desk(feed="history")
    shares = [node for node in desk.graph if isinstance(node, Equity) and node.sector != "Crypto"]
    assert sorted(share.name for share in shares) == sorted(panel.columns)
    desk.tick()
    row = panel.loc[desk.feed.now.date().isoformat()]
    assert {share.name: share.value for share in shares} == row.to_dict()
    assert {entry["source"] for entry in market_sources(build_view(desk)) if entry["kind"] != "equity"} == {"simulated"}
    assert all(len(trader.positions) >= 4 for trader in desk.traders)


def test_any_price_table_makes_a_desk():
    table = {f"CO{i}": [(f"2024-01-0{d}", 10.0 * i + d) for d in (2, 3, 4)] for i in range(1, 31)}
    import datetime as dt

    dated = {
        name: [(dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC), price) for day, price in rows]
        for name, rows in table.items()
    }
    desk = build_desk(feed=HistoryFeed(dated))
    assert desk.graph["CO1"].value == 12.0
    desk.tick()
    assert desk.graph["CO1"].value == 13.0


def test_a_recorded_day_is_replayed_to_the_bit(tmp_path):
    journal = tmp_path / "day.jsonl"
    with RecordingFeed(SimulatedFeed(seed=5), journal) as feed:
        desk = build_desk(seed=5, feed=feed)
        desk.tick()
        recorded = values(desk)
    replayed = build_desk(seed=5, feed=ReplayFeed(journal))
    replayed.tick()
    assert values(replayed) == recorded


class _Dark:
    """A market that answers nothing."""

    name = "dark"
    symbols = None

    def __init__(self):
        self.light = SimulatedFeed(seed=1)
        self.on = False

    def poll(self, symbols):
        if self.on:
            return self.light.poll(symbols)
        return Poll((), tuple(QuoteFailure(symbol, "the line is dead", "dark") for symbol in symbols))

    def history(self, symbol, period):
        return self.light.history(symbol, period)

    def close(self):
        pass


def test_a_desk_without_quotes_stays_up_and_opens_its_positions_when_they_come():
    feed = _Dark()
    desk = build_desk(feed=feed)
    assert desk.firm_pnl.value == 0.0
    assert desk.traders["Alice"].positions == ()
    assert len(desk.traders["Alice"].waiting) == 7
    [trouble] = [entry for entry in market_troubles(build_view(desk)) if entry["reason"] == "the line is dead"]
    assert "AAPL" in trouble["tickers"]
    with pytest.raises(DeskError, match="the line is dead"):
        require_quotes(desk)
    feed.on = True
    assert desk.tick().opened == 79  # the rest is in what is simulated
    assert not any(trader.waiting for trader in desk.traders)
    assert desk.traders["Alice"].pnl.value == 0.0
    desk.tick()
    assert desk.traders["Alice"].pnl.value != 0.0
    feed.on = False
    last = desk.leaf("AAPL").price
    desk.tick()
    assert desk.leaf("AAPL").price == last
    assert desk.market.quote("AAPL").state.name == "STALE"


def test_what_cannot_be_stored_is_left_out_and_said(tmp_path, caplog):
    desk = build_desk(db=BarbaraDB.open("desk;default", path=tmp_path / "desk.db"))

    @node_function("test_desk.twice")
    def twice(value):
        return 2 * value

    desk.graph.derive("TWICE", twice, [desk.firm_pnl])
    desk.graph.derive("NAMELESS", lambda value: value, [desk.firm_pnl])
    with caplog.at_level(logging.WARNING):
        desk.close()
    assert "NAMELESS is not saved" in caplog.text
    again = Desk.open(tmp_path / "desk.db")
    assert again.graph.find("NAMELESS") is None
    again.tick()
    assert again.graph["TWICE"].value == 2 * again.firm_pnl.value
    again.close()


def test_holding_something_unstorable_is_refused_at_saving(tmp_path):
    desk = build_desk(db=BarbaraDB.open("desk;default", path=tmp_path / "desk.db"))
    odd = desk.graph.derive("ODD", lambda value: value, [desk.leaf("AAPL")])
    with pytest.raises(UnstorableError, match="ODD"):
        desk.trade("Alice", odd, 1)
    assert desk.traders["Alice"].position_in(odd) is None
    desk.close()


def test_no_desk_to_open(tmp_path):
    with pytest.raises(DeskError, match="no store at"):
        Desk.open(tmp_path / "missing.db")
    BarbaraDB.open("desk;default", path=tmp_path / "empty.db").close()
    with pytest.raises(DeskError, match="no desk in this store"):
        Desk.open(tmp_path / "empty.db")


def test_traders_are_data():
    desk = build_desk(traders=TRADERS[:2])
    assert desk.traders.names == ("Alice", "Bob")
    assert "Alice" in desk.traders
    assert desk.traders[1] is desk.traders["Bob"]


def test_every_position_belongs_to_its_trader(desk):
    for trader in desk.traders:
        for held in trader.positions:
            assert isinstance(held, Position)
            assert held.name == f"{trader.name}:{held.instrument.name}"


def test_nothing_of_the_desk_needs_the_market_to_be_explained(desk):
    explained = desk.graph.explain(desk.firm_pnl, depth=20, breadth=1000)
    leaves = []

    def collect(part):
        leaves.extend([part.name] if not part.inputs else [])
        for below in part.inputs:
            collect(below)

    collect(explained)
    assert {"NVDA_SPOT", "SOFR", "CDX_HY", "EURUSD_SPOT", "BTC_SPOT", "CLOCK"} <= set(leaves)
    assert all(isinstance(desk.graph[name], Leaf) for name in leaves)
