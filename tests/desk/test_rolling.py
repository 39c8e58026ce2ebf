"""Time passes on a desk: its date follows the market, and what falls due is paid in cash."""

import datetime as dt
import math

import numpy as np
import pytest

from bank_python import (
    BarbaraDB,
    Bond,
    CreditDefaultSwap,
    Desk,
    HistoryFeed,
    Option,
    PnLAttribution,
    SimulatedFeed,
    build_desk,
    node_function,
)
from bank_python.desk.holdings import Options, Shares
from bank_python.desk.live import LiveDesk
from bank_python.desk.rolling import cash_postings
from bank_python.desk.traders import TRADERS, TraderSpec
from bank_python.errors import DomainError
from bank_python.instruments import BarrierOption, DigitalOption, FXForward, PerpetualFuture
from bank_python.market_data import Poll, PriceHistory, RecordingFeed, ReplayFeed, Tick
from bank_python.risk import capture, take_greeks

FIRST = dt.date(2024, 3, 4)  # a Monday
WEEKDAYS = [day for i in range(120) if (day := FIRST + dt.timedelta(i)).weekday() < 5]
YEARS = 45 / 365  # to Thursday, 18 April
EXPIRY = FIRST + dt.timedelta(45)
SPEC = TraderSpec(
    "Ann",
    "options",
    "one name",
    (Options("AAPL", 1.0, YEARS, 10.0), Options("AAPL", 1.05, YEARS, -4.0, is_call=False), Shares("AAPL", 100.0)),
)


def closes(price=lambda day: 200.0 + (day - FIRST).days):
    return [(day, price(day)) for day in WEEKDAYS]


def history_desk(prices=None, spec=SPEC, db=None, **options):
    return build_desk(feed=HistoryFeed({"AAPL": prices or closes()}, **options), traders=[spec], db=db)


def replay_until(desk, day):
    cash = []
    while desk.clock.date < day:
        cash += desk.tick().cash
    return cash


def books_of(desk):
    return [trader.book for trader in desk.traders]


@node_function("test_rolling.with_a_gap")
def with_a_gap(price):
    if 240.0 < price < 260.0:
        raise ValueError("suspended")
    return price


class LiveMarket:
    """A live feed whose day a test sets, and whose quotes it stamps."""

    name = "live"
    symbols = frozenset({"AAPL"})

    def __init__(self, today):
        self.today = today
        self.stamp = dt.datetime.combine(today, dt.time(15), tzinfo=dt.UTC)

    def poll(self, symbols):
        return Poll(tuple(Tick(symbol, 200.0, self.stamp, self.name) for symbol in symbols))

    def history(self, symbol, period):  # noqa: ARG002 - as a feed's
        return PriceHistory(symbol, self.name, ())

    def close(self):
        pass


# --- which day it is -------------------------------------------------------------------------------------------------


def test_a_replayed_history_rolls_the_date_with_its_data():
    desk = history_desk()
    assert desk.clock.date == FIRST
    for day in WEEKDAYS[1:12]:
        desk.tick()
        assert desk.clock.date == day


def test_an_option_decays_in_a_replay_of_a_market_that_stands_still():
    desk = history_desk(closes(lambda _: 200.0))
    call = next(held for held in desk.traders["Ann"].positions if held.quantity == 10.0)
    terms = (200.0, 200.0, 0.0, 0.0)
    before = call.instrument.value
    replay_until(desk, WEEKDAYS[20])
    assert call.instrument.value < 0.75 * before, terms


def test_the_simulated_market_rolls_the_date_at_the_end_of_its_sessions():
    desk = build_desk(feed=SimulatedFeed(seed=7, step=dt.timedelta(hours=6.5)), traders=[SPEC])
    days = [desk.clock.date]
    for _ in range(6):
        desk.tick()
        days.append(desk.clock.date)
    expected = ["2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13", "2026-01-14"]
    assert [day.isoformat() for day in days] == expected


def test_the_day_of_a_simulated_fallback_does_not_count():
    desk = history_desk()  # rates and volatilities are simulated, in 2026
    desk.tick()
    assert desk.clock.date == WEEKDAYS[1]


def test_a_live_market_has_today_whatever_the_day_of_its_last_trade():
    feed = LiveMarket(dt.date(2026, 11, 28))  # a Saturday
    feed.stamp -= dt.timedelta(days=1)
    desk = build_desk(feed=feed, traders=[SPEC])
    assert desk.clock.date == feed.today
    feed.today += dt.timedelta(days=1)
    desk.tick()
    assert desk.clock.date == dt.date(2026, 11, 29)


def test_a_quote_from_the_future_of_a_live_market_is_kept_out_and_moves_no_clock():
    feed = LiveMarket(dt.date(2026, 11, 30))
    desk = build_desk(feed=feed, traders=[SPEC])
    feed.stamp += dt.timedelta(days=400)
    [problem] = desk.tick().update.rejected
    assert "future of a live market: today is 2026-11-30" in problem.reason
    assert desk.clock.date == feed.today
    feed.stamp -= dt.timedelta(days=400)
    assert not desk.tick().update.rejected  # what was kept out does not make the next one look old


def test_the_clock_never_rolls_backward():
    feed = LiveMarket(dt.date(2026, 11, 30))
    desk = build_desk(feed=feed, traders=[SPEC])
    feed.today -= dt.timedelta(days=3)
    feed.stamp = dt.datetime.combine(feed.today, dt.time(15), tzinfo=dt.UTC)
    desk.tick()
    assert desk.clock.date == dt.date(2026, 11, 30)
    with pytest.raises(DomainError, match="cannot roll back to 2026-11-27"):
        desk.roll(feed.today)


def test_a_looped_history_goes_on_in_time():
    desk = history_desk(closes()[:5], loop=True)
    days = [desk.clock.date]
    for _ in range(7):
        desk.tick()
        days.append(desk.clock.date)
    assert days == sorted(days)
    assert days[-1] > days[4]


def test_a_recording_of_a_live_market_is_live_and_its_replay_has_the_recorded_days(tmp_path):
    feed = LiveMarket(dt.date(2026, 11, 30))
    with RecordingFeed(feed, tmp_path / "day.jsonl") as recorded:
        desk = build_desk(feed=recorded, traders=[SPEC])
        feed.today += dt.timedelta(days=2)
        feed.stamp += dt.timedelta(days=1)
        desk.tick()
        assert desk.clock.date == dt.date(2026, 12, 2)
    again = build_desk(feed=ReplayFeed(tmp_path / "day.jsonl"), traders=[SPEC])
    again.tick()
    assert again.clock.date == dt.date(2026, 12, 1)


def test_the_live_screen_rolls_as_well():
    desk = history_desk()
    live = LiveDesk(desk, refresh=1.0)
    live.update()
    assert desk.clock.date == WEEKDAYS[1]
    assert live.latest.valuation_date == WEEKDAYS[1]


# --- expiry ----------------------------------------------------------------------------------------------------------


def test_options_past_their_expiry_are_paid_at_the_last_spot_known_by_then():
    desk = history_desk()
    ann = desk.traders["Ann"]
    call, put = (next(held for held in ann.positions if held.quantity == quantity) for quantity in (10.0, -4.0))
    replay_until(desk, EXPIRY)
    assert desk.clock.date == EXPIRY
    assert call.quantity == 10.0  # not past it yet
    spot, cash = 200.0 + 45.0, ann.pnl.cash["USD"].value
    had = ann.pnl.value
    paid = desk.tick().cash  # the price of Friday is another one
    assert desk.leaf("AAPL").price == spot + 1.0
    long, short = 10 * 100 * (spot - 200.0), -4 * 100 * max(210.0 - spot, 0.0)
    assert {posting.instrument: posting.amount for posting in paid} == {
        call.instrument.name: pytest.approx(long, rel=1e-15),
        put.instrument.name: pytest.approx(short, abs=0.0),
    }
    assert all(posting.closed and posting.currency == "USD" for posting in paid)
    assert ann.pnl.cash["USD"].value - cash == pytest.approx(long + short, rel=1e-12)
    assert (call.quantity, put.quantity) == (0.0, 0.0)
    assert ann.pnl.value - had == pytest.approx(100.0 * 1.0, abs=1e-6)  # the shares alone went on
    replay_until(desk, WEEKDAYS[-1])
    assert call.received == pytest.approx(long, rel=1e-15)


def test_an_option_that_is_short_pays():
    desk = history_desk(closes(lambda day: 200.0 - (day - FIRST).days))
    [put] = [held for held in desk.traders["Ann"].positions if held.quantity == -4.0]
    replay_until(desk, EXPIRY + dt.timedelta(days=1))
    assert put.received == pytest.approx(-4 * 100 * (210.0 - 155.0), rel=1e-15)


def test_an_expiry_between_two_dates_is_settled_at_the_price_before_it():
    spec = TraderSpec("Ann", "options", "", (Options("AAPL", 1.0, 47 / 365, 1.0),))  # to a Saturday
    desk = history_desk(closes(), spec)
    replay_until(desk, FIRST + dt.timedelta(days=49))
    [call] = desk.traders["Ann"].positions
    assert call.received == pytest.approx(100 * 46.0, rel=1e-15)  # Friday's


def test_expired_options_have_no_greeks_and_none_is_infinite_at_expiry():
    desk = history_desk(closes(lambda _: 200.0))  # at the money, to the end
    for day in (EXPIRY, EXPIRY + dt.timedelta(days=1), EXPIRY + dt.timedelta(days=5)):
        replay_until(desk, day)
        greeks = take_greeks(books_of(desk))
        assert not greeks.errors
        columns = np.array([greeks.columns[name] for name in greeks.columns])
        assert np.isfinite(columns).all()
        if day > EXPIRY:
            options = [i for i, held in enumerate(greeks.instruments) if held != "AAPL"]
            assert not columns[:, options].any()


@pytest.mark.parametrize(
    ("kind", "terms", "paid"),
    [
        (DigitalOption, {"strike": 210.0, "cash": 25.0}, 25.0),
        (DigitalOption, {"strike": 245.0, "cash": 25.0}, 0.0),  # on its strike, not above
        (DigitalOption, {"strike": 210.0, "pays_asset": True}, 245.0),
        (DigitalOption, {"strike": 210.0, "is_call": False}, 0.0),
        (BarrierOption, {"strike": 210.0, "barrier": 150.0, "is_up": False}, 35.0),
        (BarrierOption, {"strike": 210.0, "barrier": 240.0, "is_up": True, "touched": True}, 0.0),
        (BarrierOption, {"strike": 210.0, "barrier": 150.0, "is_up": False, "is_in": True, "rebate": 3.0}, 3.0),
        (Option, {"strike": 250.0, "is_call": False}, 5.0),
    ],
)
def test_every_kind_of_option_settles(kind, terms, paid):
    desk = history_desk()
    graph, ann = desk.graph, desk.traders["Ann"]
    sources = {"spot_source": desk.leaf("AAPL"), "vol_source": graph.node("AAPL_VOL"), "rate_source": 0.03}
    contract = graph.register(kind("X", **sources, **terms, expiry=YEARS, clock_source=desk.clock))
    desk.trade("Ann", contract, -7.0)
    replay_until(desk, EXPIRY + dt.timedelta(days=1))
    held = ann.position_in(contract)
    assert (held.quantity, held.received) == (0.0, pytest.approx(-7.0 * paid, abs=1e-9))
    greeks = take_greeks(books_of(desk))
    i = greeks.positions.index(held.name)
    assert not any(greeks.columns[name][i] for name in greeks.columns)


def test_a_forward_settles_in_its_own_currency():
    desk = build_desk(seed=7)
    pair = desk.graph.node("USDJPY")
    terms = {"rate_source": 0.001, "foreign_rate_source": 0.04, "strike": 100.0, "currency": "JPY"}
    forward = FXForward("FWD", spot_source=pair, expiry=10 / 365, clock_source=desk.clock, **terms)
    desk.trade("Elena", desk.graph.register(forward), 1_000.0)
    elena = desk.traders["Elena"]
    held, yen = elena.position_in(forward), elena.pnl.cash["JPY"].value
    desk.roll(desk.clock.date + dt.timedelta(days=10))
    mark = held.pnl
    desk.roll(desk.clock.date + dt.timedelta(days=1))
    assert elena.pnl.cash["JPY"].value - yen == pytest.approx(1_000.0 * (pair.value - 100.0), rel=1e-12)
    assert held.quantity == 0.0
    assert held.pnl == pytest.approx(mark, rel=1e-12)


def test_what_has_no_price_when_it_ends_is_settled_when_it_has_one():
    desk = history_desk()
    spot = desk.graph.derive("BASKET", with_a_gap, ["AAPL"])
    terms = {"vol_source": 0.2, "rate_source": 0.0, "strike": 200.0, "expiry": YEARS}
    contract = desk.graph.register(Option("X", spot_source=spot, clock_source=desk.clock, **terms))
    desk.trade("Ann", contract, 1.0)
    replay_until(desk, EXPIRY + dt.timedelta(days=1))
    held = desk.traders["Ann"].position_in(contract)
    assert (held.quantity, held.received) == (1.0, 0.0)
    replay_until(desk, EXPIRY + dt.timedelta(days=25))
    assert (held.quantity, held.received) == (0.0, pytest.approx(60.0, rel=1e-12))  # at 260, its first price since


# --- coupons, premiums, repayment ------------------------------------------------------------------------------------


def test_a_bond_pays_its_coupons_and_its_face():
    desk = build_desk(seed=7)
    note = Bond(
        "NOTE", rate_source=0.04, face=100.0, coupon_rate=0.06, maturity=1.0, frequency=2, clock_source=desk.clock
    )
    desk.trade("Diana", desk.graph.register(note), 50.0)
    diana = desk.traders["Diana"]
    held, first = diana.position_in(note), desk.clock.date
    for days, received in ((182, 0.0), (183, 150.0), (364, 150.0), (365, 5_300.0), (366, 5_300.0), (400, 5_300.0)):
        cash, before = diana.pnl.cash["USD"].value, held.received
        others = sum(other.received for other in diana.positions if other is not held)
        desk.roll(first + dt.timedelta(days=days))
        others = sum(other.received for other in diana.positions if other is not held) - others
        assert held.received == pytest.approx(received, abs=1e-9)
        assert diana.pnl.cash["USD"].value - cash - others == pytest.approx(received - before, abs=1e-6)
    assert held.quantity == 0.0
    assert desk.graph.node("NOTE").value == 0.0


def test_a_clock_that_was_rolled_by_itself_costs_nobody_a_coupon():
    desk = build_desk(seed=7)
    note = Bond("NOTE", rate_source=0.04, face=100.0, coupon_rate=0.06, maturity=3.0, clock_source=desk.clock)
    desk.trade("Diana", desk.graph.register(note), 1.0)
    held, first = desk.traders["Diana"].position_in(note), desk.clock.date
    desk.clock.roll(first + dt.timedelta(days=400))
    assert held.received == 0.0
    for later in (400, 400, 401):
        desk.roll(first + dt.timedelta(days=later))
        assert held.received == pytest.approx(6.0)


def test_protection_pays_its_premium_quarterly():
    desk = build_desk(seed=7)
    nero = desk.traders["Nero"]
    held = [position for position in nero.positions if isinstance(position.instrument, CreditDefaultSwap)]
    desk.roll(desk.clock.date + dt.timedelta(days=92))
    for position in held:
        coupon = position.instrument.coupon
        assert position.received == pytest.approx(-position.quantity * 1e6 * coupon * 0.25 * 365 / 360, rel=1e-12)
    assert held


# --- P&L and its attribution -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["taylor", "waterfall"])
@pytest.mark.parametrize("days", [1, 46, 200, 366])
def test_the_lines_of_the_attribution_are_the_pnl_and_the_cash_has_one(mode, days):
    desk = build_desk(seed=7)
    opening, had = capture(books_of(desk)), desk.firm_pnl.value
    received = [held.received for trader in desk.traders for held in trader.positions]
    for _ in range(2):
        desk.tick()
    desk.roll(desk.clock.date + dt.timedelta(days=days))
    desk.tick()
    day = PnLAttribution.between(opening, capture(books_of(desk)), mode)
    made = desk.firm_pnl.value - had
    scale = sum(abs(value) for value in day.by_factor().values())
    assert day.actual == pytest.approx(made, abs=1e-9 * scale)
    cash = math.fsum(held.received for trader in desk.traders for held in trader.positions) - math.fsum(received)
    assert day.by_factor()["cash_flows"] == pytest.approx(cash, rel=1e-12)
    assert (cash != 0.0) is (days >= 46)
    if mode == "waterfall":
        assert abs(day.unexplained) < 1e-9 * scale


def test_what_holding_a_bond_over_its_coupon_has_brought_is_theta_and_cash():
    desk = build_desk(seed=7)
    note = Bond("NOTE", rate_source=0.06, face=100.0, coupon_rate=0.06, maturity=2.0, clock_source=desk.clock)
    desk.trade("Diana", desk.graph.register(note), 1_000.0)
    desk.roll(desk.clock.date + dt.timedelta(days=364))
    opening = capture(books_of(desk))
    desk.roll(desk.clock.date + dt.timedelta(days=1))
    made = PnLAttribution.between(opening, capture(books_of(desk))).by_instrument()["NOTE"]
    assert made["cash_flows"] == pytest.approx(6_000.0, rel=1e-12)
    a_day_of_yield = 1_000.0 * 106.0 * (1.0 - 1.06 ** (-1 / 365))
    assert made["theta"] + made["cash_flows"] == pytest.approx(a_day_of_yield, rel=1e-9)
    assert math.fsum(made.values()) == pytest.approx(a_day_of_yield, rel=1e-9)


def test_a_move_after_the_expiry_is_in_no_line():
    desk = history_desk(closes(lambda day: 300.0 if day > EXPIRY else 220.0), SPEC)
    replay_until(desk, EXPIRY)
    opening = capture(books_of(desk))
    desk.tick()
    made = PnLAttribution.between(opening, capture(books_of(desk))).by_instrument()
    shares = made.pop("AAPL")
    assert shares["delta"] == pytest.approx(100.0 * 80.0)
    for lines in made.values():
        assert lines["theta"] == pytest.approx(-lines["cash_flows"], abs=1e-9)
        assert not any(value for effect, value in lines.items() if effect not in {"theta", "cash_flows"})


# --- kept ------------------------------------------------------------------------------------------------------------


def test_settled_positions_and_postings_are_kept_and_nothing_is_paid_twice(tmp_path):
    path = tmp_path / "desk.db"
    desk = history_desk(db=BarbaraDB.open("desk;default", path=path))
    desk.save()
    replay_until(desk, EXPIRY + dt.timedelta(days=1))
    paid, pnl = cash_postings(desk.db), desk.firm_pnl.value
    assert len(paid) == 2
    desk.db.close()  # not saved: the roll has kept clock and positions itself, together
    desk.lease.release()
    again = Desk.open(path, feed=HistoryFeed({"AAPL": closes()}))
    assert again.clock.date == EXPIRY + dt.timedelta(days=1)
    assert cash_postings(again.db) == paid
    options = [held for held in again.traders["Ann"].positions if held.instrument.name != "AAPL"]
    assert [held.quantity for held in options] == [0.0, 0.0]
    assert math.fsum(held.received for held in options) == pytest.approx(math.fsum(item.amount for item in paid))
    for _ in range(3):
        assert again.tick().cash == ()
    assert again.clock.date == EXPIRY + dt.timedelta(days=1)  # the replay began anew, and its days are past
    again.close()
    assert pnl != 0.0


def test_a_roll_is_all_or_nothing(monkeypatch):
    desk = history_desk()
    replay_until(desk, EXPIRY)
    before = {held.name: (held.quantity, held.cost_basis) for held in desk.traders["Ann"].positions}
    pnl = desk.firm_pnl.value

    def broken(self):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("bank_python.instruments.ProfitAndLoss.to_record", broken)
    with pytest.raises(RuntimeError, match="full"):
        desk.roll(EXPIRY + dt.timedelta(days=1))
    monkeypatch.undo()
    assert desk.clock.date == EXPIRY
    assert {held.name: (held.quantity, held.cost_basis) for held in desk.traders["Ann"].positions} == before
    assert desk.firm_pnl.value == pnl
    assert desk.roll(EXPIRY + dt.timedelta(days=1)).changed > 0


def test_funding_of_a_perpetual_is_cash_and_has_its_line():
    with build_desk(seed=7, traders=TRADERS[:1]) as desk:
        perpetual = desk.graph.register(
            PerpetualFuture(
                "BTC_PERP",
                mark_source=desk.leaf("BTC"),
                entry_price=60_000.0,
                funding_source=1e-4,
                clock_source=desk.clock,
            )
        )
        desk.trade("Alice", perpetual, 2.0)
        opening = capture([trader.book for trader in desk.traders])
        had = desk.firm_pnl.value
        desk.roll(desk.clock.date + dt.timedelta(days=10))
        paid = -2.0 * 1e-4 * desk.leaf("BTC").price * 3 * 10
        (posting,) = cash_postings(desk.db)
        assert (posting.instrument, posting.amount) == ("BTC_PERP", pytest.approx(paid))
        assert desk.firm_pnl.value - had == pytest.approx(paid)
        lines = PnLAttribution.between(opening, capture([trader.book for trader in desk.traders]))
        assert lines.by_factor()["cash_flows"] == pytest.approx(paid)
        assert lines.actual == pytest.approx(paid)
