"""The ledger: hand-worked sheets for each kind of event, recomputation from all events, identities to the cent."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import TradingError
from bank_python.trading_engine import (
    BorrowFeeEvent,
    ConversionEvent,
    DelistingEvent,
    DepositEvent,
    DividendEvent,
    FillEvent,
    FundingEvent,
    InterestEvent,
    Ledger,
    MergerEvent,
    SplitEvent,
    SymbolChangeEvent,
    borrow_fee,
    cash_interest,
    event_from_dict,
)

DAY = dt.date(2026, 1, 5)


def ledger_with(*events, cash=10_000.0, **settings):
    ledger = Ledger(**settings)
    ledger.book_all([DepositEvent(DAY, cash), *events])
    return ledger


def check(ledger, prices, fx=None):
    """Check what holds at every event, at prices."""
    statement = ledger.statement(prices, fx)
    cents = {name: Decimal(repr(getattr(statement, name))) for name in type(statement).__slots__[3:]}
    assert cents["cash"] + cents["positions"] == cents["equity"]
    causes = cents["realised"] + cents["unrealised"] + cents["income"] - cents["fees"] + cents["currency_gain"]
    assert cents["equity"] - cents["deposits"] == causes
    assert not any(ledger.state.gaps().values())
    return statement


def test_a_day_by_hand():
    # 10,000.00 in; 100 at 25.10 and fees of 1.05 leave 7,488.95; 40 at 26.005 bring 1,040.20 less 1.05: 8,528.10;
    # a dividend of 0.125 on 60: 7.50; interest 1.23. Cost of 40 of 100: 1,004.00, so 36.20 realised.
    ledger = ledger_with(
        FillEvent("2026-01-05", "ABC", 100, 25.10, fees=1.05, why="momentum"),
        FillEvent("2026-01-06", "ABC", -40, 26.005, fees=1.05),
        DividendEvent("2026-01-07", "ABC", 0.125),
        InterestEvent("2026-01-30", 1.23),
    )
    assert ledger.cash == {"USD": 8_536.83}
    assert (ledger.realised, ledger.fees) == ({"ABC": 36.2}, {"ABC": 2.1})
    assert ledger.income == {"ABC": 7.5, "USD cash": 1.23}
    statement = check(ledger, {"ABC": 27.0})
    assert (statement.equity, statement.pnl, statement["ABC"].unrealised) == (10_156.83, 156.83, 114.0)
    assert ledger.unrealised({"ABC": 27.0}) == {"ABC": 114.0}
    assert statement["ABC"].pnl == pytest.approx(36.2 + 114.0 + 7.5 - 2.1)
    assert statement.exposures == {"ABC": 1_620.0}
    assert statement.leverage == 1_620.0 / 10_156.83
    assert (ledger.quantity("ABC"), ledger.quantity("XYZ"), len(ledger)) == (60.0, 0.0, 5)


def test_short_position_pays_dividend_and_borrow_fee():
    # 200 sold short at 50.00: +10,000.00; dividend of 0.30: -60.00; 30 days at 3% on 200 x 48: 24.00; back at 45.00.
    fee = borrow_fee(-200, 48.0, 0.03, days=30)
    assert fee == pytest.approx(24.0)
    ledger = ledger_with(
        FillEvent("2026-02-02", "XYZ", -200, 50.0),
        DividendEvent("2026-02-10", "XYZ", 0.3),
        BorrowFeeEvent("2026-03-04", "XYZ", fee),
    )
    assert ledger.cash == {"USD": 19_916.0}
    assert check(ledger, {"XYZ": 48.0}).equity == 10_316.0
    ledger.book(FillEvent("2026-03-05", "XYZ", 200, 45.0))
    assert ledger.cash == {"USD": 10_916.0}
    assert (ledger.realised["XYZ"], ledger.income["XYZ"], ledger.fees["XYZ"]) == (1_000.0, -60.0, 24.0)
    assert check(ledger, {}).pnl == 916.0
    with pytest.raises(TradingError, match="borrow fee: no position in 'XYZ'"):
        ledger.book(BorrowFeeEvent("2026-03-06", "XYZ", 1.0))


def test_split_and_fraction_in_cash():
    # 105 at 20.00 cost 2,100.00. 1 for 10: 10.5 units; half a unit at 210.00 brings 105.00, its cost is 100.00.
    ledger = ledger_with(FillEvent(DAY, "ABC", 105, 20.0))
    booking = ledger.book(SplitEvent("2026-02-02", "ABC", new=1, old=10, cash_in_lieu=210.0))
    assert (ledger.quantity("ABC"), ledger.realised["ABC"], booking.gain) == (10.0, 5.0, 5.0)
    assert ledger.cash == {"USD": 8_005.0}
    assert ledger.positions["ABC"].price == 200.0
    ledger.book(SplitEvent("2026-03-02", "ABC", new=3, old=2))
    assert (ledger.quantity("ABC"), ledger.positions["ABC"].price) == (15.0, pytest.approx(400 / 3))
    check(ledger, {"ABC": 140.0})
    kept = ledger_with(FillEvent(DAY, "ABC", 100, 20.0), SplitEvent(DAY, "ABC", new=1, old=3))
    assert kept.quantity("ABC") == pytest.approx(100 / 3, rel=1e-14)
    kept.book(FillEvent(DAY, "ABC", -100 / 3, 60.0))
    assert kept.positions == {}
    assert kept.cash == {"USD": 10_000.0}


def test_short_split_buys_its_fraction():
    ledger = ledger_with(FillEvent(DAY, "ABC", -5, 20.0), SplitEvent(DAY, "ABC", new=1, old=2, cash_in_lieu=41.0))
    assert (ledger.quantity("ABC"), ledger.realised["ABC"]) == (-2.0, -0.5)  # 20.00 received, 20.50 paid
    check(ledger, {"ABC": 41.0})


def test_symbol_change_keeps_lots_and_history():
    ledger = ledger_with(
        FillEvent(DAY, "FB", 10, 300.0, fees=1.0),
        FillEvent(DAY, "FB", -4, 310.0),
        SymbolChangeEvent("2026-06-09", "FB", "META"),
        cash=5_000.0,
        method="fifo",
    )
    assert list(ledger.positions) == ["META"]
    assert (ledger.realised, ledger.fees) == ({"META": 40.0}, {"META": 1.0})
    ledger.book(FillEvent("2026-06-10", "META", -6, 320.0))
    assert ledger.realised == {"META": 160.0}
    assert check(ledger, {}).equity == 5_159.0
    with pytest.raises(TradingError, match="no position in 'FB'"):
        ledger.book(DividendEvent("2026-06-11", "FB", 1.0))


@pytest.mark.parametrize(("price", "realised", "cash"), [(0.0, -2_000.0, 8_000.0), (3.5, -1_650.0, 8_350.0)])
def test_delisting(price, realised, cash):
    ledger = ledger_with(FillEvent(DAY, "BUST", 100, 20.0), DelistingEvent("2026-05-01", "BUST", price))
    assert (ledger.realised, ledger.cash, ledger.positions) == ({"BUST": realised}, {"USD": cash}, {})
    assert check(ledger, {}).pnl == realised


def test_merger_for_cash():
    ledger = ledger_with(FillEvent(DAY, "T", -100, 20.0), MergerEvent("2026-05-01", "T", cash=26.5))
    assert (ledger.realised, ledger.cash, ledger.positions) == ({"T": -650.0}, {"USD": 9_350.0}, {})
    check(ledger, {})


def test_merger_for_units_carries_the_cost_over():
    # 101 at 30.00, 0.5043 of A each: 50.9343 units that cost 3,030.00; 0.9343 sold at 70.00: 65.40, its cost is
    # 3,030 x 0.9343 / 50.9343 = 55.58.
    ledger = ledger_with(
        FillEvent(DAY, "T", 101, 30.0), MergerEvent("2026-05-01", "T", into="A", ratio=0.5043, cash_in_lieu=70.0)
    )
    assert (ledger.quantity("A"), ledger.positions["A"].lots.cost) == (50.0, Decimal("2974.42"))
    assert (ledger.realised, ledger.cash) == ({"T": 9.82}, {"USD": 7_035.4})
    assert check(ledger, {"A": 70.0}).pnl == 535.4


def test_merger_for_both_divides_the_cost_by_value():
    # 100 at 40.00. Each gets 0.5 of A at 60.00 (30.00) and 20.00 in cash: 2/5 of the cost go with the cash, so that
    # 2,000.00 - 1,600.00 = 400.00 are realised and 50 A have a cost of 2,400.00.
    ledger = ledger_with(
        FillEvent(DAY, "T", 100, 40.0), MergerEvent("2026-05-01", "T", into="A", ratio=0.5, cash=20.0, price=60.0)
    )
    assert (ledger.realised, ledger.cash) == ({"T": 400.0}, {"USD": 8_000.0})
    assert (ledger.quantity("A"), ledger.positions["A"].lots.cost) == (50.0, Decimal("2400.00"))
    assert check(ledger, {"A": 60.0}).pnl == 1_000.0  # as for a sale at 50.00
    assert ledger.bookings[-1].closings[0].open_price is None


def test_merger_covers_the_short_acquirer():
    # Merger arbitrage: 100 T long at 48.00, 50 A short at 100.00; T becomes 0.5 A. Gain 5,000 - 4,800 = 200.
    for method in ("average", "fifo", "lifo", "named"):
        ledger = ledger_with(
            FillEvent(DAY, "T", 100, 48.0),
            FillEvent(DAY, "A", -50, 100.0),
            MergerEvent("2026-05-01", "T", into="A", ratio=0.5),
            method=method,
        )
        assert (ledger.positions, ledger.realised, ledger.cash) == ({}, {"A": 200.0}, {"USD": 10_200.0})
        check(ledger, {})


def test_merger_lots_keep_their_dates_and_get_free_names():
    ledger = ledger_with(
        FillEvent("2026-01-05", "T", 10, 10.0),
        FillEvent("2026-01-06", "A", 10, 20.0),
        FillEvent("2026-01-07", "T", 10, 12.0, lot="mine"),
        MergerEvent("2026-05-01", "T", into="A", ratio=1.0),
        method="named",
    )
    lots = ledger.positions["A"].lots.open_lots
    assert [(lot.id, lot.opened.day, lot.price) for lot in lots] == [
        ("T 1", 5, 10.0),
        ("1", 6, 20.0),
        ("mine", 7, 12.0),
    ]


def test_perpetual_is_margined_and_pays_funding():
    # 2 long at 60,000, no cash but fees of 30.00; funding 0.01% at 61,000: -12.20; closed at 61,500: +3,000.
    ledger = ledger_with(FillEvent("2026-01-05T10:00:00+00:00", "BTC-PERP", 2, 60_000.0, fees=30.0, margined=True))
    assert ledger.cash == {"USD": 9_970.0}
    ledger.book(FundingEvent("2026-01-05T16:00:00+00:00", "BTC-PERP", rate=0.0001, mark=61_000.0))
    statement = check(ledger, {"BTC-PERP": 61_000.0})
    assert (statement.equity, statement.positions, statement.exposures) == (
        *(11_957.8, 2_000.0),
        {"BTC-PERP": 122_000.0},
    )
    ledger.book(FillEvent("2026-01-06T10:00:00+00:00", "BTC-PERP", -2, 61_500.0, fees=30.75))
    assert ledger.cash == {"USD": 12_927.05}
    assert check(ledger, {}).pnl == 2_927.05


def test_currencies():
    # 10,000 USD; 5,400 USD buy 5,000 EUR; 40 SAP at 100 EUR, sold half at 110; rate now 1.10.
    # EUR: cash 1,000 + 2,200 = 3,200; positions 20 x 112 = 2,240; P&L 200 + 240 = 440 EUR = 484 USD.
    # USD: 4,600 - 2 fees. Currency gain: 5,000 x (1.10 - 1.08) = 100.
    ledger = ledger_with(
        ConversionEvent(DAY, 5_400.0, "USD", 5_000.0, "EUR", fees=2.0),
        FillEvent(DAY, "SAP", 40, 100.0, currency="EUR"),
        FillEvent(DAY, "SAP", -20, 110.0),
        currencies=["EUR", "JPY"],
    )
    assert ledger.cash == {"USD": 4_598.0, "EUR": 3_200.0}
    for fx in ({"EUR": 1.10}, {"EURUSD": 1.10}, {"EUR": 1.10, "JPY": None}):
        statement = check(ledger, {"SAP": 112.0}, fx)
        assert (statement.equity, statement.pnl, statement.currency_gain) == (10_582.0, 582.0, 100.0)
    assert ledger.equity({"SAP": 112.0}, {"USDEUR": 1 / 1.10}) == 10_582.0
    assert statement["SAP"].unrealised == 240.0
    assert statement["USD cash"].fees == 2.0
    with pytest.raises(TradingError, match="fx: there is no rate for EUR; give the value of one EUR in USD"):
        ledger.equity({"SAP": 112.0})
    ledger.book(DepositEvent("2026-01-06", 100_000.4, "JPY", rate=0.0065))  # yen have no smaller unit
    assert (ledger.cash["JPY"], ledger.deposits) == (100_000.0, 10_650.0)
    assert check(ledger, {"SAP": 112.0}, {"EUR": 1.1, "JPY": 0.007}).currency_gain == 150.0


def test_digits_of_currencies():
    ledger = Ledger("BTC", {"USD": 4, "KWD": None})
    assert ledger.state.settings.digits == {"BTC": 8, "USD": 4, "KWD": 3}
    ledger.book(DepositEvent(DAY, 0.123456789))
    assert ledger.cash == {"BTC": 0.12345679}


def test_interest():
    assert cash_interest(-50_000.0, 0.06, days=3) == -25.0
    assert cash_interest(1.0, 0.0, days=0) == 0.0
    with pytest.raises(TradingError, match="days=-1 is not a number from 0"):
        cash_interest(1.0, 0.05, days=-1)
    assert borrow_fee(100, 10.0, 0.05) == 0.0


@pytest.mark.parametrize(
    ("event", "name", "said"),
    [
        (lambda: FillEvent(DAY, "ABC", 0, 1.0), "quantity", "fill: quantity=0 is not a number other than 0"),
        (lambda: FillEvent(DAY, "ABC", 1, float("nan")), "price", "fill: price=nan is not a number; give a finite one"),
        (lambda: FillEvent(DAY, "ABC", True, 1.0), "quantity", "quantity=True"),
        (lambda: FillEvent(DAY, "ABC", "ten", 1.0), "quantity", "quantity='ten'"),
        (lambda: FillEvent(DAY, "", 1, 1.0), "instrument", "fill: instrument='' is not a name"),
        (lambda: FillEvent(DAY, None, 1, 1.0), "instrument", "instrument=None"),
        (lambda: FillEvent("yesterday", "ABC", 1, 1.0), "when", "fill: when='yesterday' is not a date"),
        (lambda: FillEvent(np.datetime64("NaT"), "ABC", 1, 1.0), "when", "is not a date"),
        (lambda: FillEvent(DAY, "ABC", 1, 1.0, multiplier=0.0), "multiplier", "multiplier=0.0 is not a number above 0"),
        (lambda: FillEvent(DAY, "ABC", 1, 1.0, margined="yes"), "margined", "margined='yes' is not true or false"),
        (lambda: FillEvent(DAY, "ABC", -1, 1.0, closes=[]), "closes", r"closes=\[\] are no lots"),
        (lambda: FillEvent(DAY, "ABC", 1, 1.0, why=3), "why", "why=3 is not text"),
        (lambda: FillEvent(DAY, "ABC", 1, 1.0, currency="GBP"), "currency", "no currency 'GBP'; give one of USD, EUR"),
        (lambda: FillEvent(DAY, "HELD", 1, 1.0, currency="EUR"), "currency", "currency=USD since its first fill, not"),
        (lambda: FillEvent(DAY, "HELD", 1, 1.0, multiplier=100), "multiplier", "has multiplier=1 since its first fill"),
        (lambda: FillEvent(DAY, "USD cash", 1, 1.0), "instrument", "is the name of the ledger's cash"),
        (lambda: FillEvent(DAY, "HELD", -1, 1.0, closes=["9"]), "lot", "there is no open lot '9'; name lots of '1'"),
        (lambda: FillEvent("2026-01-02", "HELD", 1, 1.0), "when", "2026-01-02 is before the last event, 2026-01-05"),
        (lambda: DividendEvent(DAY, "HELP", 1.0), "instrument", "no position in 'HELP' on .*; did you mean 'HELD'"),
        (lambda: DividendEvent(DAY, "NONE", 1.0), "instrument", "book it after the fill that opens the position"),
        (lambda: DividendEvent(DAY, "HELD", 0), "amount", "dividend: amount=0"),
        (lambda: SplitEvent(DAY, "HELD", 0), "new", "split: new=0 is not a number above 0"),
        (lambda: SplitEvent(DAY, "HELD", 2, -1), "old", "split: old=-1 is not a number above 0"),
        (lambda: SymbolChangeEvent(DAY, "HELD", "HELD"), "new_name", "'HELD' is held already"),
        (lambda: DelistingEvent(DAY, "HELD", -1.0), "price", "delisting: price=-1.0 is not a number from 0"),
        (lambda: MergerEvent(DAY, "HELD"), "cash", "neither ratio nor cash is above 0"),
        (lambda: MergerEvent(DAY, "HELD", into="A"), "ratio", "into='A' with ratio=0; give both"),
        (lambda: MergerEvent(DAY, "HELD", into="HELD", ratio=1), "into", "merges into itself"),
        (lambda: MergerEvent(DAY, "HELD", into="A", ratio=1, cash=1), "price", "price=None; give the price of 'A'"),
        (lambda: BorrowFeeEvent(DAY, "HELD", 1.0), "instrument", "'HELD' is held long \\(10 units\\)"),
        (lambda: FundingEvent(DAY, "HELD", 0.01, 0.0), "mark", "funding: mark=0.0 is not a number above 0"),
        (lambda: ConversionEvent(DAY, 1.0, "USD", 1.0, "USD"), "bought_currency", "is sold and bought; give two"),
        (lambda: ConversionEvent(DAY, 1.0, "USD", 1.0, "GBP"), "currency", "no currency 'GBP'"),
        (lambda: DepositEvent(DAY, 1.0, "EUR"), "rate", "give the value of one EUR in USD on that day"),
        (lambda: DepositEvent(DAY, 1.0, "USD", rate=1.0), "rate", "leave it out"),
        (lambda: 3, "event", "3 is not an event; give one, such as a FillEvent"),
        (lambda: {"kind": "fil"}, "kind", "kind='fil' is no kind of event; did you mean 'fill'"),
        (lambda: {"kind": "fill", "when": "2026-01-05"}, "instrument", "the field 'instrument' is missing"),
        (lambda: {"kind": "split", "ratio": 2.0}, "ratio", "split: there is no field 'ratio'"),
    ],
)  # fmt: skip
def test_a_wrong_event_is_refused_and_changes_nothing(event, name, said):
    ledger = ledger_with(FillEvent(DAY, "HELD", 10, 5.0), currencies=["EUR"], method="named")
    before, count = ledger.state, len(ledger)
    with pytest.raises(TradingError, match=said) as caught:
        ledger.book(event())
    assert caught.value.name == name
    assert hasattr(caught.value, "value")
    assert ledger.state is before
    assert len(ledger) == count
    assert ledger.reconcile().holds


def test_events_are_booked_all_or_none():
    ledger = ledger_with()
    good = FillEvent(DAY, "ABC", 1, 1.0)
    with pytest.raises(TradingError, match="no position in 'XYZ'") as caught:
        ledger.book_all([good, DividendEvent(DAY, "XYZ", 1.0)])
    assert caught.value.__notes__ == ["event 2 of those given; none was booked"]
    assert (len(ledger), ledger.positions) == (1, {})
    for wrong in ("x", 3, {"kind": "fill"}, good):
        with pytest.raises(TradingError, match="is not a list of events"):
            ledger.book_all(wrong)
    assert len(ledger.book_all([good, good])) == 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Ledger("usd"), "currency='usd' is no code of a currency"),
        (lambda: Ledger(3), "currency=3 is not text"),
        (lambda: Ledger(currencies=3), "currencies=3 is not a list of currencies"),
        (lambda: Ledger(currencies={"EUR": -1}), "the digits of EUR are -1"),
        (lambda: Ledger(method="hifo"), "method='hifo' is no way to choose lots"),
    ],
)
def test_bad_settings(make, said):
    with pytest.raises(TradingError, match=said):
        make()


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({}, "there is none for 'ABC', of which 10 units are held; give one"),
        ({"ABC": float("nan")}, "prices: ABC=nan is not a number"),
        ({"ABC": "5"}, "prices: ABC='5' is not a number"),
        (5.0, "prices=5.0 is not a mapping"),
    ],
)
def test_bad_prices(prices, said):
    ledger = ledger_with(FillEvent(DAY, "ABC", 10, 5.0))
    with pytest.raises(TradingError, match=said):
        ledger.equity(prices)


def test_dates_and_times_may_be_mixed():
    pd = pytest.importorskip("pandas")
    ledger = ledger_with()
    ledger.book(FillEvent(dt.datetime(2026, 1, 5, 15, 30, tzinfo=dt.UTC), "ABC", 10, 5.0))
    ledger.book(DividendEvent(pd.Timestamp("2026-01-05"), "ABC", 0.1))
    ledger.book(FillEvent(dt.datetime(2026, 1, 5, 14, 0), "ABC", 1, 5.0))  # noqa: DTZ001 - UTC, after a date
    with pytest.raises(TradingError, match="is before the last event"):
        ledger.book(FillEvent("2026-01-05T13:59:00Z", "ABC", 1, 5.0))
    assert [type(event.when) for event in ledger.events[1:]] == [dt.datetime, dt.date, dt.datetime]
    assert check(ledger, pd.Series({"ABC": 6.0})).equity == 10_012.0


NAMES = ("A", "B", "C")
AMOUNT = st.floats(0.001, 500.0).map(lambda x: round(x, 4))
PRICE = st.floats(0.01, 300.0).map(lambda x: round(x, 3))
NAME = st.sampled_from(NAMES)
QUANTITY = st.one_of(st.integers(-200, 200).filter(bool), st.floats(-50, 50).filter(lambda x: abs(x) > 1e-6))
EVENTS = st.lists(
    st.one_of(
        st.builds(FillEvent, st.just(DAY), NAME, QUANTITY, PRICE, st.floats(-1.0, 5.0)),
        st.builds(FillEvent, st.just(DAY), NAME, QUANTITY, PRICE),
        st.builds(DepositEvent, st.just(DAY), AMOUNT),
        st.builds(DepositEvent, st.just(DAY), AMOUNT, st.just("EUR"), st.just(1.1)),
        st.builds(DividendEvent, st.just(DAY), NAME, st.floats(0.001, 2.0)),
        st.builds(SplitEvent, st.just(DAY), NAME, st.integers(1, 7), st.integers(1, 7), st.one_of(st.none(), PRICE)),
        st.builds(SymbolChangeEvent, st.just(DAY), NAME, NAME),
        st.builds(DelistingEvent, st.just(DAY), NAME, PRICE),
        st.builds(MergerEvent, st.just(DAY), NAME, st.none(), st.just(0.0), PRICE),
        st.builds(
            lambda *given: MergerEvent(*given) if given[1] != given[2] else DepositEvent(DAY, 1.0),
            *(st.just(DAY), NAME, NAME, st.floats(0.1, 3.0), st.sampled_from([0.0, 1.5]), PRICE),
            st.one_of(st.none(), PRICE),
        ),
        st.builds(InterestEvent, st.just(DAY), AMOUNT, st.sampled_from([None, "EUR"])),
        st.builds(BorrowFeeEvent, st.just(DAY), NAME, AMOUNT),
        st.builds(FundingEvent, st.just(DAY), NAME, st.floats(-0.01, 0.01), PRICE),
        st.builds(ConversionEvent, st.just(DAY), AMOUNT, st.just("USD"), AMOUNT, st.just("EUR"), AMOUNT),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from(["average", "fifo", "lifo"]), st.booleans(), st.tuples(PRICE, PRICE, PRICE))
def test_every_event_reconciles_to_the_cent(events, method, margined, prices):
    ledger = Ledger(currencies=["EUR"], method=method)
    at, fx = dict(zip(NAMES, prices, strict=True)), {"EUR": 1.0625}
    ledger.book_all(FillEvent(DAY, name, 10, 20.0, margined=margined and name == "B") for name in NAMES)
    for event in events:
        before = ledger.state
        try:
            booking = ledger.book(event)
        except TradingError:
            assert ledger.state is before
            continue
        assert not any(before.gap_of(booking).values())
        statement = check(ledger, at, fx)
        pnl = sum(row.pnl * row.rate for row in statement.rows)
        assert pnl == pytest.approx(statement.pnl - statement.currency_gain, abs=0.006 * 4 * len(statement.rows))
    assert ledger.reconcile().holds
    rows = json.loads(json.dumps(ledger.to_dicts()))
    again = Ledger.replay(rows, currencies=["EUR"], method=method)
    assert again.state == ledger.state
    assert again.events == ledger.events


def recomputed(events):
    """Return cash and quantities in exact fractions, from all events: an oracle that knows no lots."""
    cash, held = Fraction(0), {}
    for event in events:
        name = event.subject
        units = held.get(name, Fraction(0))
        if isinstance(event, DepositEvent | InterestEvent):
            cash += round(Fraction(repr(event.amount)), 2)
        elif isinstance(event, FillEvent):
            quantity = Fraction(repr(event.quantity))
            cash -= round(quantity * Fraction(repr(event.price)), 2) + round(Fraction(repr(event.fees)), 2)
            held[name] = units + quantity
        elif isinstance(event, DividendEvent):
            cash += round(units * Fraction(repr(event.amount)), 2)
        elif isinstance(event, SplitEvent):
            held[name] = units * Fraction(event.new) / Fraction(event.old)
        elif isinstance(event, DelistingEvent):
            cash += round(units * Fraction(repr(event.price)), 2)
            held[name] = Fraction(0)
    return cash, held


SIMPLE = st.lists(
    st.one_of(
        st.builds(FillEvent, st.just(DAY), NAME, st.integers(-200, 200).filter(bool), PRICE, st.floats(0.0, 5.0)),
        st.builds(DividendEvent, st.just(DAY), NAME, st.floats(0.001, 2.0)),
        st.builds(SplitEvent, st.just(DAY), NAME, st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4])),
        st.builds(DelistingEvent, st.just(DAY), NAME, PRICE),
        st.builds(InterestEvent, st.just(DAY), AMOUNT),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(SIMPLE, st.sampled_from(["average", "fifo", "lifo"]))
def test_cash_and_quantities_are_those_of_all_events_recomputed(events, method):
    ledger = Ledger(method=method)
    ledger.book(DepositEvent(DAY, 1_000.0))
    for event in events:
        if isinstance(event, FillEvent | InterestEvent) or event.instrument in ledger.positions:
            ledger.book(event)
    cash, held = recomputed(ledger.events)
    assert Fraction(ledger.state.cash["USD"]) == cash
    assert {n: Fraction(p.lots.units) for n, p in ledger.positions.items()} == {n: q for n, q in held.items() if q}


def test_reconciliation_finds_what_is_off():
    ledger = ledger_with(FillEvent(DAY, "ABC", 10, 5.0, fees=0.5), currencies=["EUR"])
    found = ledger.reconcile()
    assert found.holds
    assert [row.currency for row in found.cash] == ["USD", "EUR"]
    assert (found.cash[0].cost, found.cash[0].fees, found.cash[0].cash) == (-50.0, -0.5, 9_949.5)
    ledger.state.cash["USD"] += Decimal("0.01")
    found = ledger.reconcile()
    assert not found.holds
    assert "USD: the balance differs by 0.01" in found.problems[0]
    assert found.cash[0].difference == 0.01


def test_history():
    pd = pytest.importorskip("pandas")
    ledger = ledger_with(
        FillEvent("2026-01-06", "ABC", 100, 25.0, fees=1.0),
        FillEvent("2026-01-07T15:00:00Z", "ABC", -100, 27.0),
        DepositEvent("2026-01-08", 500.0),
    )
    days = [DAY + dt.timedelta(days=i) for i in range(4)]
    history = ledger.history({"ABC": [np.nan, 26.0, 99.0, np.nan]}, days)
    assert history.equity.tolist() == [10_000.0, 10_099.0, 10_199.0, 10_699.0]
    assert history.pnl.tolist() == [0.0, 99.0, 199.0, 199.0]
    frame = pd.DataFrame({"ABC": [1.0, 26.0, 1.0, 1.0]}, index=pd.DatetimeIndex(days))
    same = ledger.history(frame)
    assert (same.dates, same.equity.tolist()) == (tuple(days), history.equity.tolist())
    assert list(history.to_table())[1]["positions"] == 2_600.0
    with pytest.raises(TradingError, match="prices: ABC=nan is not a number") as caught:
        ledger.history({"ABC": [np.nan] * 4}, days)
    assert caught.value.__notes__ == ["on 2026-01-06"]
    for prices, dates, said in [
        ({"ABC": [1.0]}, days, "has 1 figures for 4 dates"),
        ({"ABC": [1.0]}, None, "the prices have no dates"),
        ({"ABC": []}, [], "there are no dates"),
        ({"ABC": [1.0, 2.0]}, days[1::-1], "give ascending dates"),
        (3, days, "prices=3 is not a mapping"),
    ]:
        with pytest.raises(TradingError, match=said):
            ledger.history(prices, dates)


def test_history_is_the_ledger_of_each_day():
    rng = np.random.default_rng(5)
    days = [DAY + dt.timedelta(days=i) for i in range(20)]
    fills = [FillEvent(day, name, int(rng.integers(1, 50)), float(rng.uniform(5, 9))) for day in days for name in "AB"]
    ledger = ledger_with(*fills)
    prices = {name: rng.uniform(5, 9, 20) for name in "AB"}
    history = ledger.history(prices, days)
    for i, day in enumerate(days):
        until = Ledger.replay([event for event in ledger.events if event.when <= day])
        assert until.equity({name: values[i] for name, values in prices.items()}) == history.equity[i]


def test_table_and_views():
    ledger = ledger_with(
        FillEvent(DAY, "ABC", 10, 5.0, fees=0.5, why="test"),
        ConversionEvent(DAY, 11.0, "USD", 10.0, "EUR"),
        SymbolChangeEvent(DAY, "ABC", "DEF"),
        SplitEvent(DAY, "DEF", 2),
        currencies="EUR",
    )
    rows = list(ledger.to_table())
    assert [(row["number"], row["kind"], row["currency"], row["cash"]) for row in rows] == [
        (1, "deposit", "USD", 10_000.0),
        (2, "fill", "USD", -50.5),
        (3, "conversion", "USD", -11.0),
        (3, "conversion", "EUR", 10.0),
        (4, "symbol change", "USD", 0.0),
        (5, "split", "USD", 0.0),
    ]
    assert rows[1]["why"] == "test"
    assert "Ledger, USD, average, 5 events" in repr(ledger)
    assert "currency gain" in repr(ledger.statement({"DEF": 2.5}, {"EUR": 1.2}))
    assert "no positions" not in repr(Ledger().statement({}))
    with pytest.raises(TradingError, match="the statement has no 'X'; it has"):
        ledger.statement({"DEF": 2.5}, {"EUR": 1.2})["X"]


def test_events_are_read_back():
    event = FillEvent("2026-01-05T10:00:00+00:00", "ABC", -5, 1.0, closes={"1": 3.0, "2": 2.0}, why="x")
    assert event_from_dict(json.loads(json.dumps(event.to_dict()))) == event
    named = FillEvent(DAY, "ABC", -5, 1.0, closes=["1", "2"])
    assert named.closes == ("1", "2")
    assert event_from_dict(json.loads(json.dumps(named.to_dict()))) == named


def test_what_was_checked_is_booked_as_it_was_checked_and_only_in_the_state_of_the_check():
    ledger = Ledger("USD", method="fifo")
    fill = FillEvent("2026-01-05", "AAPL", 10, 100.0)
    checked = ledger.check(fill)
    assert (len(ledger), ledger.cash) == (0, {})
    assert ledger.book(fill) is checked
    again = ledger.book(fill)
    assert (again.number, ledger.quantity("AAPL"), ledger.cash) == (2, 20.0, {"USD": -2_000.0})
    late = FillEvent("2026-01-06", "AAPL", -20, 101.0)
    ledger.check(late)
    ledger.book(SplitEvent("2026-01-06", "AAPL", new=2, old=1))
    assert ledger.book(late).gain == 20 * 51.0
    assert ledger.reconcile().holds
