"""Digital and barrier options: prices, Greeks, scenarios, P&L, views."""

from __future__ import annotations

import io

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - the library's own abbreviation
from rich.console import Console

from bank_python import (
    BarrierOption,
    Book,
    DependencyGraph,
    DigitalOption,
    MarketData,
    MCConfig,
    MonteCarloEngine,
    Option,
    Position,
)
from bank_python.errors import InstrumentError
from bank_python.instruments import AmericanOption
from bank_python.mc_engine import FactorModel
from bank_python.mc_engine.greeks_validation import left_out, validate_greeks
from bank_python.risk import PnLAttribution, capture, group_contracts, take_derivatives, take_greeks
from bank_python.risk.valuation import plan_valuation

DAYS, TODAY = ql.Actual365Fixed(), ql.Date(15, 5, 2024)

# E. G. Haug, The Complete Guide to Option Pricing Formulas, 2nd edition, table 4-13: S = 100, T = 0.5, r = 8 %,
# b = 4 %, rebate 3; kind, strike, barrier, value at volatility 25 % and 30 %. In: i, out: o. The last digit is that of
# the approximation to the normal distribution used there; QuantLib agrees within 1e-4.
HAUG = [
    ("cdo", 90, 95, 9.0246, 8.8334),
    ("cdo", 100, 95, 6.7924, 7.0285),
    ("cdo", 110, 95, 4.8759, 5.4137),
    ("cdo", 90, 100, 3.0000, 3.0000),
    ("cuo", 90, 105, 2.6789, 2.6341),
    ("cuo", 100, 105, 2.3580, 2.4389),
    ("cuo", 110, 105, 2.3453, 2.4315),
    ("cdi", 90, 95, 7.7627, 9.0093),
    ("cdi", 100, 95, 4.0109, 5.1370),
    ("cdi", 110, 95, 2.0576, 2.8517),
    ("cdi", 90, 100, 13.8333, 14.8816),
    ("cui", 90, 105, 14.1112, 15.2098),
    ("cui", 100, 105, 8.4482, 9.7278),
    ("cui", 110, 105, 4.5910, 5.8350),
    ("pdo", 90, 95, 2.2798, 2.4170),
    ("pdo", 100, 95, 2.2947, 2.4258),
    ("pdo", 110, 95, 2.6252, 2.6246),
    ("puo", 90, 105, 3.7760, 4.2293),
    ("puo", 100, 105, 5.4932, 5.8032),
    ("puo", 110, 105, 7.5187, 7.5649),
    ("pdi", 90, 95, 2.9586, 3.8769),
    ("pdi", 100, 95, 6.5677, 7.7989),
    ("pdi", 110, 95, 11.9752, 13.3078),
    ("pui", 90, 105, 1.4653, 2.0658),
    ("pui", 100, 105, 3.3721, 4.4226),
    ("pui", 110, 105, 7.0846, 8.3686),
]


def barrier(kind, strike, level, vol=0.25, name="B", **changed):
    given = {
        "spot_source": 100.0,
        "vol_source": vol,
        "rate_source": 0.08,
        "dividend_source": 0.04,
        "strike": strike,
        "barrier": level,
        "expiry": 0.5,
        "is_call": kind[0] == "c",
        "is_up": kind[1] == "u",
        "is_in": kind[2] == "i",
        "rebate": 3.0,
    }
    return BarrierOption(name, **given | changed)


def process(spot, vol, rate=0.08, dividend=0.04):
    ql.Settings.instance().evaluationDate = TODAY
    yields = [ql.YieldTermStructureHandle(ql.FlatForward(TODAY, value, DAYS)) for value in (dividend, rate)]
    vols = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), vol, DAYS))
    return ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), *yields, vols)


def quantlib_barrier(kind, strike, level, spot, vol, days, rebate):
    kinds = {"ui": ql.Barrier.UpIn, "uo": ql.Barrier.UpOut, "di": ql.Barrier.DownIn, "do": ql.Barrier.DownOut}
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if kind[0] == "c" else ql.Option.Put, strike)
    option = ql.BarrierOption(kinds[kind[1:]], level, rebate, payoff, ql.EuropeanExercise(TODAY + days))
    option.setPricingEngine(ql.AnalyticBarrierEngine(process(spot, vol)))
    return option.NPV()


def quantlib_digital(is_call, strike, cash, spot, vol, days):
    side = ql.Option.Call if is_call else ql.Option.Put
    payoff = ql.AssetOrNothingPayoff(side, strike) if cash is None else ql.CashOrNothingPayoff(side, strike, cash)
    option = ql.VanillaOption(payoff, ql.EuropeanExercise(TODAY + days))
    option.setPricingEngine(ql.AnalyticEuropeanEngine(process(spot, vol)))
    return option


# --- prices ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "strike", "level", "at_25", "at_30"), HAUG)
def test_barriers_against_haug(kind, strike, level, at_25, at_30):
    assert barrier(kind, strike, level, 0.25).value == pytest.approx(at_25, abs=1e-4)
    assert barrier(kind, strike, level, 0.30).value == pytest.approx(at_30, abs=1e-4)


def test_digitals_against_haug():
    """Sections 4.19.2 and 4.19.3: cash-or-nothing put 2.6710, asset-or-nothing put 20.2069."""
    cash = DigitalOption(
        "C",
        spot_source=100,
        vol_source=0.35,
        rate_source=0.06,
        dividend_source=0.06,
        strike=80,
        expiry=0.75,
        is_call=False,
        cash=10,
    )
    asset = DigitalOption(
        "A",
        spot_source=70,
        vol_source=0.27,
        rate_source=0.07,
        dividend_source=0.05,
        strike=65,
        expiry=0.5,
        is_call=False,
        pays_asset=True,
    )
    assert cash.value == pytest.approx(2.6710, abs=5.1e-5)
    assert asset.value == pytest.approx(20.2069, abs=5.1e-5)


def test_barriers_against_quantlib():
    rng = np.random.default_rng(5)
    for kind in ("cuo", "cui", "cdo", "cdi", "puo", "pui", "pdo", "pdi"):
        for _ in range(12):
            level = rng.uniform(102.0, 150.0) if kind[1] == "u" else rng.uniform(60.0, 98.0)
            strike, vol, days = rng.uniform(60.0, 150.0), rng.uniform(0.1, 0.6), int(rng.integers(20, 900))
            ours = barrier(kind, strike, level, vol, expiry=days / 365).value
            assert ours == pytest.approx(quantlib_barrier(kind, strike, level, 100.0, vol, days, 3.0), abs=1e-9)


def test_digitals_and_their_greeks_against_quantlib():
    rng = np.random.default_rng(6)
    for i in range(40):
        strike, vol, days = rng.uniform(60.0, 150.0), rng.uniform(0.1, 0.6), int(rng.integers(20, 900))
        is_call, cash = bool(i % 2), None if i % 3 == 0 else float(rng.uniform(1.0, 50.0))
        given = {"vol_source": vol, "rate_source": 0.08, "dividend_source": 0.04, "expiry": days / 365}
        paid = {"pays_asset": cash is None, "cash": cash or 1.0}
        ours = DigitalOption("D", spot_source=100.0, strike=strike, is_call=is_call, **given, **paid)
        theirs = quantlib_digital(is_call, strike, cash, 100.0, vol, days)
        derivatives = take_derivatives(group_contracts([ours])[0][0])
        assert ours.value == pytest.approx(theirs.NPV(), abs=1e-11)
        assert derivatives.first["spot"][0] == pytest.approx(theirs.delta(), abs=1e-10)
        assert derivatives.second["spot", "spot"][0] == pytest.approx(theirs.gamma(), abs=1e-10)
        assert derivatives.first["vol"][0] == pytest.approx(theirs.vega(), abs=1e-8)
        assert derivatives.first["rate"][0] == pytest.approx(theirs.rho(), abs=1e-8)


def test_greeks_of_a_barrier_against_differences_of_quantlib():
    h = 1e-3
    for kind, strike, level in (("cdo", 90.0, 80.0), ("pui", 110.0, 125.0)):
        derivatives = take_derivatives(group_contracts([barrier(kind, strike, level, expiry=1.0)])[0][0])
        prices = [quantlib_barrier(kind, strike, level, 100.0 + k * h * 100.0, 0.25, 365, 3.0) for k in (-1, 0, 1)]
        vols = [quantlib_barrier(kind, strike, level, 100.0, 0.25 + k * h, 365, 3.0) for k in (-1, 1)]
        assert derivatives.first["spot"][0] == pytest.approx((prices[2] - prices[0]) / (200.0 * h), rel=1e-4)
        curvature = (prices[2] - 2.0 * prices[1] + prices[0]) / (100.0 * h) ** 2
        assert derivatives.second["spot", "spot"][0] == pytest.approx(curvature, rel=2e-3)
        assert derivatives.first["vol"][0] == pytest.approx((vols[1] - vols[0]) / (2.0 * h), rel=1e-4)


def test_knock_in_plus_knock_out_is_the_option():
    terms = {"spot_source": 100.0, "vol_source": 0.25, "rate_source": 0.08, "dividend_source": 0.04}
    vanilla = Option("V", strike=100, expiry=0.5, **terms)
    parts = [barrier(kind, 100, 95, rebate=0.0).value for kind in ("cdi", "cdo")]
    assert sum(parts) == pytest.approx(vanilla.value, abs=1e-12)


def test_a_barrier_that_was_reached_stays_reached():
    knock_in, knock_out = barrier("cdi", 100, 95), barrier("cdo", 100, 95)
    for option in (knock_in, knock_out):
        option.amend(touched=True)
    terms = {"spot_source": 100.0, "vol_source": 0.25, "rate_source": 0.08, "dividend_source": 0.04}
    assert knock_in.value == pytest.approx(Option("V", strike=100, expiry=0.5, **terms).value, abs=1e-12)
    assert knock_out.value == 0.0
    with pytest.raises(InstrumentError, match=r"B: touched=0.5 is neither true nor false"):
        knock_out.amend(touched=0.5)
    with pytest.raises(InstrumentError, match=r"B: barrier=-1.0 must be above zero; correct the contract"):
        knock_out.amend(barrier=-1.0)
    assert (knock_out.barrier, knock_out.touched) == (95.0, 1.0)


# --- a desk with exotic options -------------------------------------------------------------------


class Held:
    def __init__(self):
        self.graph = DependencyGraph()
        self.spot = self.graph.register(MarketData("S", 100.0))
        self.vol = self.graph.register(MarketData("V", 0.25))
        given = {"spot_source": self.spot, "vol_source": self.vol, "rate_source": 0.03, "strike": 100.0, "expiry": 0.5}
        self.contracts = [
            DigitalOption("CASH", cash=40.0, **given),
            DigitalOption("ASSET", pays_asset=True, is_call=False, **given),
            BarrierOption("KNOCK", barrier=85.0, is_up=False, rebate=1.0, **given),
            AmericanOption("EARLY", **given),
        ]
        held = [
            Position(f"P{item.name}", instrument=item, quantity=10 * (1 + i)) for i, item in enumerate(self.contracts)
        ]
        self.book = self.graph.register(Book("ANN", held))
        self.factor_model = FactorModel.given({"S": 0.25, "V": 0.6}, np.array([[1.0, -0.5], [-0.5, 1.0]]))


def test_simulated_and_checked():
    held = Held()
    engine = MonteCarloEngine([held.book], held.graph, factor_model=held.factor_model)
    result = engine.run(MCConfig(n_paths=20_000, random_seed=3, stresses=()))
    assert result.var_99 > 0.0
    assert {check.contract for check in result.greek_checks} == {"CASH", "ASSET"}
    assert {(check.greek, check.method) for check in result.greek_checks} == {
        ("delta", "likelihood ratio"),
        ("delta", "bumped"),
        ("gamma", "likelihood ratio"),
        ("vega", "likelihood ratio"),
    }
    assert set(result.greeks_left_out) == {"KNOCK", "EARLY"}
    checks = validate_greeks(engine.plan(), 400_000, 11)
    assert max(abs(check.z_score) for check in checks) < 4.5
    assert max(abs(check.simulated - 1.05 * check.analytic) / check.error for check in checks) > 10.0
    assert "BarrierOption has no payoff as a function" in left_out(engine.plan())["KNOCK"]


def test_scenarios_are_the_contracts_own_prices():
    held = Held()
    plan = plan_valuation([held.book])
    levels = np.array([[84.0, 90.0, 100.0, 130.0], [0.4, 0.3, 0.25, 0.2]])
    moved = plan.pnl(levels)[0]
    before = held.book.value
    for spot, vol, pnl in zip(*levels, moved, strict=True):
        with held.graph.scenario({held.spot: spot, held.vol: vol}):
            assert pnl == pytest.approx(held.book.value - before, abs=1e-9)


def test_a_day_is_explained():
    held = Held()
    opening = capture([held.book])
    held.spot.set_price(101.0)
    held.vol.set_price(0.26)
    closing = capture([held.book])
    made = sum(
        position.value - 10 * (1 + i) * float(opening_value)
        for i, (position, opening_value) in enumerate(
            zip(held.book.positions, [opening_price(opening, p.name) for p in held.book.positions], strict=True)
        )
    )
    taylor, steps = (PnLAttribution.between(opening, closing, mode) for mode in ("taylor", "waterfall"))
    assert taylor.actual == pytest.approx(made, abs=1e-9)
    assert steps.actual == pytest.approx(made, abs=1e-9)
    assert taylor.unexplained_share < 0.02
    assert abs(steps.unexplained) < 1e-9
    assert taylor.by_instrument()["KNOCK"]["delta"] > 0.0


def opening_price(state, name):
    position = state.positions[name]
    return position.kind.call_price(np.array([[value] for value in position.arguments.values()]))[0]


def test_shown():
    held = Held()
    _ = [item.value for item in held.contracts]
    assert repr(held.contracts[0]) == (
        "DigitalOption('CASH', clock=0, spot=S, vol=V, rate=0.03, dividend=0, made_at=0, strike=100, expiry=0.5, "
        "is_call=1, pays_asset=0, cash=40) = 19.6467"
    )
    file = io.StringIO()
    Console(file=file, width=160).print(take_greeks([held.book]))
    assert "ANN" in file.getvalue()
    rows = {row["instrument"]: row for row in take_greeks([held.book]).to_table()}
    assert rows["KNOCK"]["underlying"] == "S"
    assert rows["KNOCK"]["delta"] > 0.0 > rows["ASSET"]["delta"]
