"""Positions, books and P&L, in one currency and in several."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.dagger import DependencyGraph
from bank_python.errors import BankError, InstrumentError
from bank_python.instruments import Book, Equity, FXRate, Option, Position, ProfitAndLoss
from bank_python.market_data import MarketData


def _share(name, price, currency="USD"):
    spot = MarketData(f"{name}_SPOT", price)
    return spot, Equity(name, spot_source=spot, currency=currency)


def test_position_pnl_is_value_less_opening_mark_plus_cash():
    spot, share = _share("AAPL", 190.0)
    held = Position("P", instrument=share, quantity=10)
    spot.set_price(200.0)
    assert (held.value, held.pnl) == (2000.0, 100.0)
    assert held.trade(-4, 205.0) == -820.0
    assert held.quantity == 6
    assert held.pnl == pytest.approx(6 * 200 - 1900 + 820)


def test_cost_and_multiplier():
    _, share = _share("AAPL", 190.0)
    held = Position("P", instrument=share, quantity=-3, cost=180.0, multiplier=100)
    assert (held.value, held.pnl) == (-57_000.0, -3_000.0)


def test_a_position_is_marked_at_the_first_quote():
    spot, share = _share("AAPL", 0.0)
    held = Position("P", instrument=share, quantity=10)
    with pytest.raises(InstrumentError, match="no opening mark"):
        _ = held.pnl
    spot.set_price(190.0)
    assert held.pnl == 0.0
    spot.set_price(191.0)
    assert held.pnl == 10.0


def test_a_book_converts_currency_by_currency():
    graph = DependencyGraph()
    eurusd = MarketData("EURUSD_SPOT", 1.10)
    usdjpy = MarketData("USDJPY_SPOT", 150.0)
    graph.register(FXRate("EURUSD", rate_source=eurusd, base="EUR", quote="USD"))
    graph.register(FXRate("USDJPY", rate_source=usdjpy, base="USD", quote="JPY"))
    _, us = _share("AAPL", 200.0)
    _, eu = _share("SAP", 100.0, "EUR")
    _, jp = _share("SONY", 3000.0, "JPY")
    held = [Position(f"P{i}", instrument=share, quantity=10) for i, share in enumerate((us, eu, jp))]
    book = graph.register(Book("GLOBAL", positions=held))
    in_yen = graph.register(Book("GLOBAL_JPY", positions=held, base_currency="JPY"))
    assert book.value == pytest.approx(2000 + 1000 * 1.10 + 30_000 / 150)
    assert in_yen.value == pytest.approx(2000 * 150 + 1000 * 1.10 * 150 + 30_000)
    eurusd.set_price(1.20)
    assert book.value == pytest.approx(2000 + 1000 * 1.20 + 30_000 / 150)


def test_a_missing_rate_is_an_error_that_names_it():
    graph = DependencyGraph()
    _, eu = _share("SAP", 100.0, "EUR")
    book = Book("EURO", positions=[Position("P", instrument=eu, quantity=1)])
    with pytest.raises(InstrumentError, match="no node EURUSD or USDEUR"):
        graph.register(book)
    assert len(graph) == 0
    with pytest.raises(InstrumentError, match="EURUSD"):
        _ = book.value


def test_pnl_in_yen_is_converted_to_dollars():
    graph = DependencyGraph()
    rate = MarketData("USDJPY_SPOT", 150.0)
    pair = graph.register(FXRate("USDJPY", rate_source=rate, base="USD", quote="JPY"))
    book = Book("FX", positions=[Position("P", instrument=pair, quantity=1_000_000)])
    pnl = graph.register(ProfitAndLoss("FX:PNL", book))
    assert pnl.value == 0.0
    rate.set_price(153.0)
    assert pnl.value == pytest.approx(1_000_000 * 3.0 / 153.0)


def test_a_trade_at_the_market_does_not_move_pnl():
    graph = DependencyGraph()
    spot, share = _share("AAPL", 190.0)
    held = Position("P", instrument=share, quantity=10)
    book = Book("B", positions=[held])
    pnl = graph.register(ProfitAndLoss("B:PNL", book))
    spot.set_price(195.0)
    assert pnl.value == 50.0
    with graph.batch():
        held.trade(5, 195.0)
        pnl.update_cash()
    assert (book.value, pnl.value) == (15 * 195.0, 50.0)
    spot.set_price(196.0)
    assert pnl.value == 65.0


def test_settle_is_the_old_name_of_update_cash():
    _, share = _share("AAPL", 190.0)
    held = Position("P", instrument=share, quantity=10)
    pnl = ProfitAndLoss("B:PNL", Book("B", positions=[held]))
    held.trade(5, 190.0)
    with pytest.warns(DeprecationWarning, match=r"ProfitAndLoss\.settle\(\) is now called update_cash\(\)"):
        pnl.settle()
    assert pnl.cash["USD"].value == -15 * 190.0


def test_a_book_takes_positions_while_the_graph_lives():
    graph = DependencyGraph()
    _, apple = _share("AAPL", 100.0)
    _, sap = _share("SAP", 50.0, "EUR")
    book = graph.register(Book("B", positions=[Position("P1", instrument=apple, quantity=1)]))
    with pytest.raises(InstrumentError, match="no rate from EUR"):
        book.add(Position("P2", instrument=sap, quantity=1))
    assert book.value == 100.0
    graph.register(FXRate("EURUSD", rate_source=2.0, base="EUR", quote="USD"))
    book.add(Position("P3", instrument=sap, quantity=1))
    assert book.value == 200.0
    assert [held.name for held in book.positions] == ["P1", "P3"]


def test_what_is_not_a_position_is_refused():
    _, share = _share("AAPL", 100.0)
    with pytest.raises(InstrumentError, match="not a Position"):
        Book("B", positions=[share])


@pytest.mark.parametrize("bad", [math.nan, math.inf, "10"])
def test_a_bad_quantity_changes_nothing(bad):
    _, share = _share("AAPL", 100.0)
    held = Position("P", instrument=share, quantity=1)
    with pytest.raises(BankError):
        held.trade(bad, 100.0)
    with pytest.raises(BankError):
        Position("Q", instrument=share, quantity=bad)
    assert (held.quantity, held.cost_basis) == (1.0, 100.0)


@given(
    prices=st.lists(st.floats(1.0, 1000.0), min_size=1, max_size=8),
    trades=st.lists(st.tuples(st.integers(0, 7), st.integers(-50, 50)), max_size=12),
)
def test_firm_pnl_is_value_plus_cash_whatever_was_traded(prices, trades):
    graph = DependencyGraph()
    shares = [_share(f"S{i}", price) for i, price in enumerate(prices)]
    held = [Position(f"P{i}", instrument=share, quantity=i + 1) for i, (_, share) in enumerate(shares)]
    book = Book("B", positions=held)
    pnl = graph.register(ProfitAndLoss("B:PNL", book))
    cash = -sum((i + 1) * price for i, price in enumerate(prices))
    for which, quantity in trades:
        i = which % len(shares)
        shares[i][0].set_price(shares[i][0].price * 1.01)
        price = shares[i][0].price
        with graph.batch():
            held[i].trade(quantity, price)
            pnl.update_cash()
        cash -= quantity * price
    expected = math.fsum([held_.value for held_ in held] + [cash])
    assert pnl.value == pytest.approx(expected, abs=1e-6)


def test_an_option_position_counts_its_multiplier():
    spot = MarketData("S", 100.0)
    option = Option("C", spot_source=spot, vol_source=0.2, rate_source=0.0, strike=100, expiry=1)
    held = Position("P", instrument=option, quantity=-2, multiplier=100)
    assert held.value == pytest.approx(-200 * option.value)


def test_a_book_begins_empty_and_takes_positions():
    graph = DependencyGraph()
    book = graph.register(Book("DESK"))
    assert (book.value, book.positions) == (0.0, ())
    book.add(Position("P", instrument=Equity("AAPL", spot_source=190.0), quantity=10))
    assert book.value == 1900.0


def test_a_pair_converts_both_of_its_currencies_at_the_present_rate():
    rate = MarketData("EURUSD_RATE", 1.25)
    pair = FXRate("EURUSD", rate_source=rate, base="EUR", quote="USD")
    assert (pair.convert(100, "EUR"), pair.convert(100.0, "USD")) == (125.0, 80.0)
    rate.set_price(1.6)
    assert pair.convert(-100.0, "USD") == -62.5


@given(st.floats(1e-6, 1e6), st.floats(-1e9, 1e9))
def test_there_and_back_is_the_same_amount(rate, amount):
    pair = FXRate("EURUSD", rate_source=rate, base="EUR", quote="USD")
    assert pair.convert(pair.convert(amount, "EUR"), "USD") == pytest.approx(amount, rel=1e-15)


@pytest.mark.parametrize("currency", ["JPY", "eur", "", None, 3])
def test_a_third_currency_is_refused_by_name(currency):
    pair = FXRate("EURUSD", rate_source=1.25, base="EUR", quote="USD")
    with pytest.raises(InstrumentError, match=r"EURUSD converts EUR and USD, not .*; use a pair") as caught:
        pair.convert(1.0, currency)
    assert repr(currency) in str(caught.value)


@pytest.mark.parametrize("amount", [math.nan, math.inf, True, "1", None, 10**400])
def test_an_amount_that_is_no_number_is_refused(amount):
    pair = FXRate("EURUSD", rate_source=1.25, base="EUR", quote="USD")
    with pytest.raises(InstrumentError, match="EURUSD: amount="):
        pair.convert(amount, "EUR")


def test_a_rate_of_zero_divides_nothing():
    pair = FXRate("EURUSD", rate_source=0.0, base="EUR", quote="USD")
    assert pair.convert(5.0, "EUR") == 0.0
    with pytest.raises(InstrumentError, match="USD cannot be converted to EUR"):
        pair.convert(5.0, "USD")
