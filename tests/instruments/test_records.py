"""Round trip of every instrument through the store, with its underliers by reference."""

import datetime as dt

import pytest

from bank_python import (
    BarbaraDB,
    Bond,
    Book,
    Clock,
    CreditDefaultSwap,
    DependencyGraph,
    Equity,
    FXRate,
    MarketData,
    Option,
    Position,
    PowerLawOption,
)
from bank_python.errors import StoreError
from bank_python.instruments import (
    AmericanOption,
    BarrierOption,
    DigitalOption,
    ForwardOption,
    FXForward,
    FXOption,
    PerpetualFuture,
    ProfitAndLoss,
)


@pytest.fixture
def db():
    with BarbaraDB.open("desk;default", path=":memory:") as store:
        yield store


def contracts():
    sofr = MarketData("SOFR", 0.05)
    spot, vol = MarketData("S", 100.0, domain="positive"), MarketData("V", 0.2)
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 2))
    clock.roll(dt.date(2026, 3, 2))
    share = Equity("ACME", spot_source=spot, dividend_source=0.015, sector="Industrials")
    pair = FXRate("EURUSD", rate_source=MarketData("EURUSD_SPOT", 1.1), base="EUR", quote="USD")
    option = Option(
        "C", spot_source=spot, vol_source=vol, rate_source=sofr, strike=90, expiry=1, is_call=False, clock_source=clock
    )
    held = Position("P", instrument=option, quantity=-3, multiplier=100)
    book = Book("B", positions=[held, Position("Q", instrument=share, quantity=7, cost=95.0)])
    return [
        Bond("BOND", rate_source=sofr, face=100, coupon_rate=0.06, maturity=5, clock_source=clock),
        CreditDefaultSwap("CDS", spread_source=MarketData("SPREAD", 0.02), rate_source=sofr, notional=1e6),
        option,
        share,
        pair,
        AmericanOption(
            "A",
            spot_source=spot,
            vol_source=vol,
            rate_source=sofr,
            dividend_source=0.01,
            strike=110,
            expiry=1,
            is_call=False,
            steps=51,
            clock_source=clock,
        ),
        ForwardOption(
            "FO", forward_source=spot, vol_source=vol, rate_source=sofr, strike=90, expiry=1, clock_source=clock
        ),
        FXForward("FF", spot_source=pair, rate_source=sofr, foreign_rate_source=0.02, strike=1.12, expiry=0.5),
        FXOption(
            "FXO", spot_source=pair, vol_source=0.1, rate_source=sofr, foreign_rate_source=0.02, strike=1.12, expiry=0.5
        ),
        PerpetualFuture(
            "PERP", mark_source=spot, entry_price=90.0, funding_source=1e-4, is_inverse=True, currency="ACM"
        ),
        DigitalOption("D", spot_source=spot, vol_source=vol, rate_source=sofr, strike=90, expiry=1, pays_asset=True),
        BarrierOption(
            "KO", spot_source=spot, vol_source=vol, rate_source=sofr, strike=90, barrier=120, is_up=True, expiry=1
        ),
        PowerLawOption("T", spot_source=spot, anchor_source=4.0, anchor_strike=110, strike=120, alpha=3),
        held,
        book,
        ProfitAndLoss("B:PNL", book),
    ]


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: type(contract).__name__)
def test_round_trip(db, contract):
    db[contract.record_key] = contract
    again = db[contract.record_key]
    assert type(again) is type(contract)
    assert again.value == contract.value
    assert repr(again) == repr(contract)  # which shows the value that was read
    assert again.to_record().keys() == contract.to_record().keys()


def test_underliers_are_stored_once_under_their_own_keys(db):
    sofr = MarketData("SOFR", 0.05)
    for name in ("B1", "B2"):
        db[f"/Instruments/{name}"] = Bond(name, rate_source=sofr, face=100, coupon_rate=0.06, maturity=5)
    assert db.keys() == ["/Instruments/B1", "/Instruments/B2", "/Market/SOFR"]
    assert len(db.history("/Market/SOFR")) == 1


def test_two_bonds_read_back_into_a_graph_share_their_rate(db):
    sofr = MarketData("SOFR", 0.05)
    for name in ("B1", "B2"):
        db[f"/Instruments/{name}"] = Bond(name, rate_source=sofr, face=100, coupon_rate=0.06, maturity=5)
    graph = DependencyGraph()
    live = graph.register(MarketData("SOFR", 0.07))
    bonds = [graph.register(db.load(f"/Instruments/{name}", graph=graph)) for name in ("B1", "B2")]
    assert [bond.underliers for bond in bonds] == [(live,), (live,)]
    live.set_price(0.05)
    assert [round(bond.value, 2) for bond in bonds] == [104.33, 104.33]


def test_a_lambda_raises_an_error_with_a_remedy(db):
    graph = DependencyGraph()
    node = graph.derive("N", lambda value: value, [graph.register(MarketData("SOFR", 0.05))])
    with pytest.raises(StoreError, match="node_function"):
        db["/Nodes/N"] = node
    assert db.keys() == []


def test_a_share_stored_before_dividends_has_none(db):
    from bank_python.instruments.spot import _since_version_1

    fields = {"name": "OLD", "sources": {"spot": 50.0}, "terms": {}, "currency": "USD", "sector": "Energy"}
    share = Equity.from_record(_since_version_1(fields, 1))
    assert (share.value, share.dividend, share.sector) == (50.0, 0.0, "Energy")
