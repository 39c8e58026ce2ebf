"""Values of instruments against published figures and independent formulas."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.dagger import DependencyGraph
from bank_python.errors import BankError, DomainError, InstrumentError, UpstreamError, ValuationError
from bank_python.instruments import Bond, CreditDefaultSwap, Equity, FXRate, Option, PowerLawOption
from bank_python.market_data import Clock, MarketData
from bank_python.risk_models.cds_legs import cds_legs
from bank_python.risk_models.curve import Curve
from bank_python.risk_models.isda_cds import flat_hazard
from bank_python.risk_models.premium_schedule import quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve


def test_a_bond_is_the_sum_of_its_discounted_cash_flows():
    bond = Bond("VODA_BOND", rate_source=MarketData("SOFR", 0.05), face=100, coupon_rate=0.06, maturity=5)
    by_hand = sum(6 / 1.05**t for t in range(1, 6)) + 100 / 1.05**5
    assert bond.value == pytest.approx(by_hand, rel=1e-14)
    assert round(bond.value, 2) == 104.33


def test_hull_bond_with_a_continuous_yield():
    """Hull, Options, Futures, and Other Derivatives, section on duration: 3 years, 10% semi-annual, y = 12%."""
    bond = Bond("B", rate_source=0.12, face=100, coupon_rate=0.10, maturity=3, frequency=2, compounding=0.0)
    assert bond.value == pytest.approx(94.213, abs=5e-4)


def test_hull_option():
    """Hull, example 15.6: S = 42, K = 40, r = 10%, vol = 20%, six months: call 4.76, put 0.81."""
    terms = {"spot_source": 42.0, "vol_source": 0.2, "rate_source": 0.1, "strike": 40, "expiry": 0.5}
    assert Option("C", **terms).value == pytest.approx(4.76, abs=5e-3)
    assert Option("P", **terms, is_call=False).value == pytest.approx(0.81, abs=5e-3)


@given(
    spot=st.floats(1.0, 500.0),
    strike=st.floats(1.0, 500.0),
    vol=st.floats(0.01, 2.0),
    rate=st.floats(-0.05, 0.2),
    expiry=st.floats(0.01, 5.0),
)
def test_put_call_parity(spot, strike, vol, rate, expiry):
    terms = {"spot_source": spot, "vol_source": vol, "rate_source": rate, "strike": strike, "expiry": expiry}
    call, put = Option("C", **terms).value, Option("P", **terms, is_call=False).value
    forward = spot - strike * math.exp(-rate * expiry)
    assert call - put == pytest.approx(forward, abs=1e-10 * max(spot, strike))


def test_protection_at_par_is_worth_nothing_and_wider_spreads_help_the_buyer():
    spread = MarketData("F_CDS", 0.01)
    swap = CreditDefaultSwap("F", spread_source=spread, rate_source=0.03, notional=1e6, coupon=0.01, maturity=5)
    assert swap.value == 0.0
    spread.set_price(0.02)
    # The hazard rate at which twenty premiums of 2 % a year, with accrual on default, are worth the protection
    schedule, curve = quarterly_schedule(5.0), Curve.flat(0.03)
    legs = cds_legs(schedule, curve, SurvivalCurve.flat(flat_hazard(schedule, 0.02, curve, 0.4)))
    assert swap.value == pytest.approx(1e6 * (0.6 * legs.protection - 0.01 * legs.annuity), rel=1e-12)


def test_power_law_call_ratio():
    """Taleb et al., arXiv 1908.02347: ((K2 - S0) / (K1 - S0)) ** (1 - alpha) = 2 ** -2 here."""
    option = PowerLawOption("T", spot_source=100, anchor_source=4.0, anchor_strike=110, strike=120, alpha=3)
    assert option.value == pytest.approx(1.0, rel=1e-12)


def test_power_law_put_scales_with_the_spot():
    """The correct normalisation is homogeneous in S0: prices in cents scale as prices in dollars."""
    dollars = PowerLawOption(
        "D", spot_source=100, anchor_source=2.0, anchor_strike=90, strike=70, alpha=2.7, is_call=False
    )
    cents = PowerLawOption(
        "C", spot_source=1e4, anchor_source=200.0, anchor_strike=9e3, strike=7e3, alpha=2.7, is_call=False
    )
    assert cents.value == pytest.approx(100 * dollars.value, rel=1e-12)


def test_power_law_put_against_the_density():
    """A put is the integral of the probability of ending below each strike; the tail follows a power law."""
    s0, alpha = 100.0, 2.5

    def put(strike):
        # Survival of the relative loss beyond (S0 - x) / S0, as the paper's normalisation implies: x > 0 only.
        grid = np.linspace(1e-9, strike, 400_001)
        tail = ((s0 - grid) / s0) ** (-alpha) - 1.0
        return np.trapezoid(tail, grid)

    option = PowerLawOption(
        "T", spot_source=s0, anchor_source=1.0, anchor_strike=90, strike=60, alpha=alpha, is_call=False
    )
    assert option.value == pytest.approx(put(60.0) / put(90.0), rel=1e-6)


def test_spots_are_worth_their_quote():
    spot = MarketData("AAPL_SPOT", price=0.0)
    share = Equity("AAPL", spot_source=spot)
    assert not spot.quoted
    spot.set_price(190.5)
    assert share.value == 190.5
    assert FXRate("EURUSD", rate_source=1.085, base="EUR", quote="USD").value == 1.085


def test_contracts_decay_with_the_clock():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 1))
    vol, spot = MarketData("VOL", 0.3), MarketData("SPOT", 100.0)
    option = Option(
        "C", spot_source=spot, vol_source=vol, rate_source=0.0, strike=100, expiry=dt.date(2027, 1, 1),
        clock_source=clock,
    )  # fmt: skip
    graph = DependencyGraph()
    graph.register(option)
    fresh = option.value
    clock.roll(dt.date(2026, 7, 2))
    half = Option("H", spot_source=100.0, vol_source=0.3, rate_source=0.0, strike=100, expiry=183 / 365)
    assert option.value == pytest.approx(half.value, rel=1e-12)
    assert option.value < fresh
    clock.roll(dt.date(2028, 1, 1))
    spot.set_price(130.0)
    assert option.value == 30.0


def test_expiry_counts_from_the_creation_of_the_contract():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 1))
    clock.roll(dt.date(2027, 1, 1))
    bond = Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5, clock_source=clock)
    assert bond.value == pytest.approx(104.3295, abs=5e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Bond("B", rate_source=0.05, face=math.nan, coupon_rate=0.06, maturity=5),
        lambda: Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=-1),
        lambda: Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=5, frequency=3),
        lambda: Bond("B", rate_source=0.05, face=100, coupon_rate=0.06, maturity=dt.date(2030, 1, 1)),
        lambda: Option("O", spot_source=1, vol_source=1, rate_source=0, strike=0, expiry=1),
        lambda: Option("O", spot_source=1, vol_source=1, rate_source=0, strike="90", expiry=1),
        lambda: CreditDefaultSwap("C", spread_source=0.01, rate_source=0.03, notional=1e6, recovery=1.0),
        lambda: PowerLawOption("P", spot_source=1, anchor_source=1, anchor_strike=2, strike=3, alpha=1.0),
        lambda: FXRate("F", rate_source=1.0, base="USD", quote="USD"),
        lambda: FXRate("F", rate_source=1.0, base="usd", quote="EUR"),
        lambda: Equity("E", spot_source="AAPL"),
        lambda: Equity("", spot_source=1.0),
    ],
)
def test_invalid_terms_raise_an_error_at_construction(make):
    with pytest.raises(BankError):
        make()


def test_a_bad_row_fails_without_the_others_and_gives_the_reason():
    graph = DependencyGraph()
    vols = [MarketData(f"V{i}", 0.2) for i in range(3)]
    options = [
        graph.register(Option(f"O{i}", spot_source=100, vol_source=vol, rate_source=0.0, strike=100, expiry=1))
        for i, vol in enumerate(vols)
    ]
    total = graph.sum("TOTAL", options)
    vols[1].set_price(-0.2)
    graph.recalculate()
    assert options[0].value == options[2].value > 0
    with pytest.raises(ValuationError, match=r"O1 cannot be valued: vol=-0.2 is negative"):
        _ = options[1].value
    with pytest.raises(UpstreamError, match="O1 failed"):
        _ = total.value
    vols[1].set_price(0.2)
    assert total.value == 3 * options[0].value


def test_a_power_law_option_with_a_crossed_strike_gives_the_reason():
    spot = MarketData("S", 100.0)
    option = PowerLawOption("T", spot_source=spot, anchor_source=4.0, anchor_strike=110, strike=120, alpha=3)
    spot.set_price(115.0)
    assert isinstance(option.error, ValuationError)
    assert "above the spot" in str(option.error)


def test_a_quote_outside_the_domain_leaves_everything_as_it_was():
    spot = MarketData("S", 100.0, domain="positive")
    share = Equity("AAPL", spot_source=spot)
    for bad in (math.nan, math.inf, -1.0, 0.0, "190", None, True):
        with pytest.raises(DomainError, match="S: "):
            spot.set_price(bad)
    assert share.value == 100.0


def test_repr_shows_terms_and_sources():
    bond = Bond("VODA_BOND", rate_source=MarketData("SOFR", 0.05), face=100, coupon_rate=0.06, maturity=5)
    assert repr(bond).startswith("Bond('VODA_BOND', clock=0, rate=SOFR, made_at=0, face=100, coupon_rate=0.06")


def test_a_wrong_currency_is_named():
    with pytest.raises(InstrumentError, match="'Dollars' is not an ISO 4217 code"):
        Equity("AAPL", spot_source=1.0, currency="Dollars")
