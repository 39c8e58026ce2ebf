"""The volatility surface as a node: refits, bad quotes, storage."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph, Leaf
from bank_python.errors import CalibrationError, InstrumentError, UpstreamError
from bank_python.instruments.option import Option
from bank_python.instruments.vol_surface import VolSurface, surface_vol
from bank_python.market_data.clock import Clock
from bank_python.risk_models import black_scholes_price
from bank_python.risk_models.surface import Surface
from bank_python.risk_models.svi import SviSlice
from bank_python.risk_models.svi_fit import RepairMethod

STRIKES = [70.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0]
EXPIRIES = [0.25, 0.5, 1.0]
SMILES = [SviSlice(0.008, 0.06, -0.5, 0.01, 0.12), SviSlice(0.014, 0.08, -0.45, 0.01, 0.16),
          SviSlice(0.026, 0.11, -0.4, 0.02, 0.2)]  # fmt: skip


class Desk:
    """A graph with a surface quoted by leaves, and options on it."""

    def __init__(self, stickiness="strike", **options):
        self.spot = Leaf("SPOT", 100.0, domain="positive")
        self.rate = Leaf("RATE", 0.03)
        self.quotes = {
            (strike, expiry): Leaf(f"V{strike:g}@{expiry:g}", quoted_vol(strike, expiry, smile, 100.0, 0.03))
            for expiry, smile in zip(EXPIRIES, SMILES, strict=True)
            for strike in STRIKES
        }
        self.surface = VolSurface(
            "SURFACE",
            spot_source=self.spot,
            quotes=self.quotes,
            rate_source=self.rate,
            stickiness=stickiness,
            **options,
        )
        self.option = Option(
            "OPTION", spot_source=self.spot, vol_source=self.surface, rate_source=self.rate, strike=95, expiry=0.75
        )
        self.graph = DependencyGraph()
        self.graph.register(self.option)


def quoted_vol(strike, expiry, smile, spot, rate):
    k = math.log(strike / spot) - rate * expiry
    return math.sqrt(smile.total_variance(k) / expiry)


@pytest.mark.parametrize("stickiness", ["strike", "delta"])
def test_quotes_come_back(stickiness):
    desk = Desk(stickiness)
    for (strike, expiry), leaf in desk.quotes.items():
        assert desk.surface.vol(strike, expiry) == pytest.approx(leaf.value, abs=1e-9)
    for expiry, smile in zip(EXPIRIES, SMILES, strict=True):
        assert desk.surface.slices[expiry].parameters == pytest.approx(smile.parameters, abs=1e-8)
    assert desk.surface.arbitrage().free
    assert desk.surface.refits == 3
    assert desk.option.value == black_scholes_price(100.0, 95.0, 0.75, 0.03, desk.surface.vol(95.0, 0.75))


def test_only_the_expiry_whose_quote_ticked_is_fitted_again():
    desk = Desk()
    before = desk.surface.surface
    assert desk.surface.refits == 3
    desk.quotes[90.0, 0.5].set(desk.quotes[90.0, 0.5].value + 0.001)
    desk.graph.recalculate()
    after = desk.surface.surface
    assert desk.surface.refits == 4
    assert after.slices[0] is before.slices[0]
    assert after.slices[2] is before.slices[2]
    assert after.slices[1] != before.slices[1]
    with desk.graph.batch():
        for key in ((90.0, 0.25), (100.0, 1.0)):
            desk.quotes[key].set(desk.quotes[key].value + 0.0002)
    desk.graph.recalculate()
    _ = desk.surface.surface
    assert desk.surface.refits == 6


@pytest.mark.parametrize("stickiness", ["strike", "delta"])
def test_spot_and_rate_ticks_refit_nothing(stickiness):
    desk = Desk(stickiness)
    before, value = desk.surface.surface, desk.option.value
    for spot in (101.0, 99.0, 93.0):
        desk.spot.set(spot)
        desk.graph.recalculate()
        assert desk.surface.surface is before
    desk.rate.set(0.01)
    desk.graph.recalculate()
    assert desk.surface.surface is before
    assert desk.surface.refits == 3
    assert desk.option.value != value


def test_sticky_strike_stays_and_sticky_delta_moves():
    strike, delta = Desk("strike"), Desk("delta")
    vol, skewed = strike.surface.vol(95.0, 0.5), delta.surface.vol(90.0, 0.5)
    for desk in (strike, delta):
        desk.spot.set(100.0 * 95.0 / 90.0)
    assert strike.surface.vol(95.0, 0.5) == vol
    assert delta.surface.vol(95.0, 0.5) == pytest.approx(skewed, rel=1e-12)
    assert delta.surface.vol(95.0, 0.5) > vol + 0.005


def test_a_quote_tick_moves_the_anchor():
    desk = Desk("delta")
    _ = desk.surface.surface
    desk.spot.set(110.0)
    assert desk.surface.surface.forwards[0] == pytest.approx(100.0 * math.exp(0.03 * 0.25))
    desk.quotes[100.0, 0.25].set(desk.quotes[100.0, 0.25].value + 1e-4)
    surface = desk.surface.surface
    assert surface.forwards == pytest.approx(
        [110.0 * math.exp(0.03 * 0.25), 100.0 * math.exp(0.03 * 0.5), 100.0 * math.exp(0.03)]
    )


def test_a_scenario_moves_along_the_surface_and_leaves_no_trace():
    desk = Desk("delta")
    before = desk.surface.surface
    quote = desk.quotes[100.0, 0.25]
    layer = desk.graph.scenario({"SPOT": 90.0, quote.name: quote.value + 0.0002})
    with layer:
        shocked = desk.surface.surface
        assert shocked.forwards == before.forwards
        assert shocked.slices[0] != before.slices[0]
        assert shocked.slices[1] is before.slices[1]
    assert desk.surface.surface is before
    assert desk.surface.refits == 3


def test_a_bad_quote_fails_the_node_by_name_and_the_next_good_one_repairs_it():
    desk = Desk()
    good = desk.option.value
    leaf = desk.quotes[100.0, 0.5]
    vol = leaf.value
    leaf.set(-0.2)
    desk.graph.recalculate()
    assert isinstance(desk.surface.error, CalibrationError)
    assert str(desk.surface.error).startswith("SURFACE: the smile of T=0.5: a volatility must be finite and above 0")
    assert isinstance(desk.option.error, UpstreamError)
    assert desk.option.error.cause_name == "SURFACE"
    leaf.set(vol)
    assert desk.option.value == good
    leaf.set(vol + 0.001)
    assert desk.option.value != good


def test_an_unquoted_leaf_fails_upstream():
    desk = Desk()
    late = Leaf("LATE", 0.0, domain="positive")
    desk.graph.swap(desk.surface, desk.quotes[100.0, 0.5], late)
    assert desk.surface.error.cause_name == "LATE"
    late.set(0.2)
    assert desk.surface.vol(100.0, 0.5) == pytest.approx(0.2, abs=0.01)


def test_bid_and_ask():
    pairs = {
        (strike, 0.5): (Leaf(f"B{strike:g}", vol - 0.005), Leaf(f"A{strike:g}", vol + 0.005))
        for strike in STRIKES
        for vol in [quoted_vol(strike, 0.5, SMILES[1], 100.0, 0.0)]
    }
    surface = VolSurface("PAIRS", spot_source=100.0, quotes=pairs)
    graph = DependencyGraph()
    graph.register(surface)
    assert surface.slices[0.5].parameters == pytest.approx(SMILES[1].parameters, abs=1e-8)
    bid, ask = pairs[100.0, 0.5]
    ask.set(bid.value - 0.01)
    graph.recalculate()
    with pytest.raises(CalibrationError, match=r"PAIRS: the smile of T=0\.5 has 1 crossed quotes"):
        _ = surface.surface
    ask.set(bid.value + 0.01)
    assert surface.slices[0.5].parameters == pytest.approx(SMILES[1].parameters, abs=1e-8)


def test_a_calendar_arbitrage_is_repaired_and_reported_or_refused():
    quotes = [[0.30] * 7, [0.15] * 7]
    repaired = VolSurface.from_vols("FLAT", STRIKES, [0.5, 1.0], quotes, spot_source=100.0)
    assert repaired.arbitrage().free
    first, second = repaired.fits
    assert first.repair is None
    assert second.repair.method in set(RepairMethod)
    assert "calendar arbitrage at T=1" in str(second.repair)
    assert second.worst_error > 0.05
    with pytest.raises(
        CalibrationError, match="REFUSING: the smile fitted to the quotes of T=1 has an arbitrage: calendar"
    ):
        _ = VolSurface.from_vols("REFUSING", STRIKES, [0.5, 1.0], quotes, spot_source=100.0, arbitrage="refuse").surface


def test_a_repaired_expiry_is_fitted_again_only_with_its_neighbour():
    spot = Leaf("S", 100.0)
    vols = {
        (strike, expiry): Leaf(f"{strike}/{expiry}", 0.3 if expiry == 0.5 else 0.15)
        for strike in STRIKES
        for expiry in (0.5, 1.0, 4.0)
    }
    surface = VolSurface("CROSSED", spot_source=spot, quotes=vols)
    graph = DependencyGraph()
    graph.register(surface)
    _ = surface.surface
    assert surface.refits == 4  # three unconstrained, and the second against the first
    spot.set(105.0)
    _ = surface.surface
    assert surface.refits == 4
    vols[100.0, 4.0].set(0.151)
    _ = surface.surface
    assert surface.refits == 5
    vols[100.0, 0.5].set(0.301)
    _ = surface.surface
    assert surface.refits == 7
    assert surface.arbitrage().free


def test_a_surface_from_parameters():
    smiles = dict(zip(EXPIRIES, SMILES, strict=True))
    surface = VolSurface.from_parameters("GIVEN", smiles, spot_source=100.0, forwards={1.0: 103.0})
    assert surface.slices == smiles
    assert surface.surface.forwards == (100.0, 100.0, 103.0)
    assert surface.refits == 0
    assert surface.vol(103.0, 1.0) == math.sqrt(SMILES[2].total_variance(0.0))
    vogt = {1.0: SviSlice(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)}
    repaired = VolSurface.from_parameters("VOGT", vogt, spot_source=100.0)
    assert repaired.arbitrage().free
    assert repaired.fits[0].repair is not None
    with pytest.raises(CalibrationError, match="butterfly"):
        _ = VolSurface.from_parameters("V", vogt, spot_source=100.0, arbitrage="refuse").surface


def test_time_passes():
    clock = Clock("CLOCK", origin=dt.date(2026, 1, 1))
    day = dt.date(2026, 7, 2)
    end = (day - clock.origin).days / 365.0
    quotes = {(strike, day): quoted_vol(strike, end, SMILES[1], 100.0, 0.0) for strike in STRIKES}
    quotes |= {(strike, 1.0): quoted_vol(strike, 1.0, SMILES[2], 100.0, 0.0) for strike in STRIKES}
    surface = VolSurface("DATED", spot_source=100.0, quotes=quotes, clock_source=clock)
    option = Option(
        "O", spot_source=100.0, vol_source=surface, rate_source=0.0, strike=100, expiry=day, clock_source=clock
    )
    graph = DependencyGraph()
    graph.register(option)
    assert list(surface.slices) == pytest.approx([end, 1.0])
    vol = surface.vol(100.0, end)
    clock.roll(dt.date(2026, 4, 2))
    assert list(surface.slices) == pytest.approx([end - 91 / 365, 1.0 - 91 / 365])
    assert surface.vol(100.0, end - 91 / 365) == pytest.approx(vol, abs=1e-9)
    assert option.value == pytest.approx(black_scholes_price(100.0, 100.0, end - 91 / 365, 0.0, vol), abs=1e-6)
    clock.roll(day)
    assert list(surface.slices) == pytest.approx([1.0 - end])
    assert option.value == 0.0
    clock.roll(dt.date(2027, 1, 2))
    assert "all expiries have passed" in str(surface.error)


def test_round_trip_through_the_store_keeps_the_anchors():
    desk = Desk("delta")
    _ = desk.surface.surface
    desk.spot.set(110.0)
    vol = desk.surface.vol(100.0, 0.6)
    with BarbaraDB.open("desk;default", path=":memory:") as db:
        db[desk.option.record_key] = desk.option
        again = db[desk.surface.record_key]
        assert isinstance(again, VolSurface)
        assert repr(again) == repr(desk.surface).split(" = ")[0] + " = not read yet: .value computes it"
        assert again.vol(100.0, 0.6) == vol
        assert again.surface == desk.surface.surface
        option = db[desk.option.record_key]
        assert option.value == desk.option.value
        given = VolSurface.from_parameters("GIVEN", {1.0: SMILES[2]}, spot_source=desk.spot, forwards={1.0: 101.0})
        db[given.record_key] = given
        assert db[given.record_key].surface == given.surface


def test_to_table():
    rows = list(Desk().surface.to_table())
    assert [row["expiry"] for row in rows] == EXPIRIES
    assert [row["rho"] for row in rows] == pytest.approx([smile.rho for smile in SMILES], abs=1e-8)
    assert rows[0]["atm_vol"] == pytest.approx(math.sqrt(SMILES[0].total_variance(0.0) / 0.25), abs=1e-9)
    assert all(row["worst_error"] < 1e-9 and row["minimum_g"] > 0.0 and row["repair"] == "" for row in rows)


def test_a_missing_quote_in_a_matrix():
    vols = [[quoted_vol(strike, 0.5, SMILES[1], 100.0, 0.0) for strike in STRIKES]]
    vols[0][2] = math.nan
    surface = VolSurface.from_vols("M", STRIKES, [0.5], vols, spot_source=100.0)
    assert surface.slices[0.5].parameters == pytest.approx(SMILES[1].parameters, abs=1e-8)


def test_weights_leave_a_quote_out():
    quotes = {(strike, 0.5): quoted_vol(strike, 0.5, SMILES[1], 100.0, 0.0) for strike in STRIKES}
    quotes[100.0, 0.5] = 0.9
    surface = VolSurface("W", spot_source=100.0, quotes=quotes, weights={(100.0, 0.5): 0.0})
    assert surface.slices[0.5].parameters == pytest.approx(SMILES[1].parameters, abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.005, 0.05, 0.3]))
def test_no_surface_is_arbitrageable(seed, noise):
    rng = np.random.default_rng(seed)
    vols = [
        [quoted_vol(strike, expiry, smile, 100.0, 0.0) * math.exp(noise * rng.standard_normal()) for strike in STRIKES]
        for expiry, smile in zip(EXPIRIES, SMILES, strict=True)
    ]
    surface = VolSurface.from_vols("R", STRIKES, EXPIRIES, vols, spot_source=100.0)
    assert surface.arbitrage().free
    w = surface.surface.total_variance(np.linspace(-2, 2, 41)[:, None], np.linspace(0.0, 3.0, 31))
    assert np.all(np.diff(w, axis=1) >= -1e-12)


def test_the_lookup_function_is_pure():
    surface = Surface([0.5], [SMILES[1]], [100.0], stickiness="delta")
    assert surface_vol(surface, 90.0, 0.04, 0.01, 1.0, 95.0, 1.5) == surface.vol(95.0, 0.5, 90.0 * math.exp(0.015))
    assert surface_vol(surface, 90.0, 0.04, 0.01, 2.0, 95.0, 1.5) == surface.vol(95.0, 0.0, 90.0)


GOOD = {(strike, 0.5): 0.2 for strike in STRIKES}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"quotes": {}}, "no quotes"),
        ({"quotes": {(-1.0, 0.5): 0.2}}, "strike=-1.0"),
        ({"quotes": {(100.0, 0.0): 0.2}}, "expiry=0.0"),
        ({"quotes": {(100.0, dt.date(2026, 1, 1)): 0.2}}, "needs a valuation date"),
        ({"quotes": GOOD | {(100.0, 0.5): (0.19, 0.21)}}, "mixes bid and ask"),
        ({"stickiness": "sideways"}, "stickiness='sideways'; choose one of 'strike', 'delta'"),
        ({"arbitrage": "ignore"}, "arbitrage='ignore'; choose one of 'repair', 'refuse'"),
        ({"weights": {(55.0, 0.5): 1.0}}, r"a weight for \(55.0, 0.5\), which is not quoted"),
        ({"weights": {(100.0, 0.5): -1.0}}, "weight=-1.0"),
    ],
)
def test_invalid_options(options, match):
    with pytest.raises(InstrumentError, match=match):
        VolSurface("BAD", **({"spot_source": 100.0, "quotes": GOOD} | options))


def test_invalid_matrices_and_smiles():
    with pytest.raises(InstrumentError, match=r"2 rows \(expiries\) of 7"):
        VolSurface.from_vols("BAD", STRIKES, [0.5, 1.0], [[0.2] * 7], spot_source=100.0)
    with pytest.raises(InstrumentError, match="no smiles"):
        VolSurface.from_parameters("BAD", {}, spot_source=100.0)


def test_an_invalid_spot():
    surface = VolSurface("S", spot_source=0.0, quotes=GOOD)
    with pytest.raises(InstrumentError, match=r"spot=0\.0 must be above zero"):
        _ = surface.surface


def test_a_ladder_over_the_spot_is_the_scenarios():
    desk = Desk("delta")
    _ = desk.option.value
    shocks = [-0.1, -0.01, 0.0, 0.02, 0.1]
    ladder = desk.graph.ladder(desk.option, desk.spot, shocks, relative=True)
    for level, value in zip(ladder.levels, ladder.values, strict=True):
        with desk.graph.scenario({"SPOT": float(level)}):
            assert desk.option.value == value
    assert desk.surface.refits == 3


# --- matrices as they are typed first ------------------------------------------------------------------

K5 = [80, 90, 100, 110, 120]
ROW = [0.27, 0.23, 0.20, 0.19, 0.19]
LATER = [0.26, 0.23, 0.21, 0.20, 0.195]


def from_vols(*args):
    return VolSurface.from_vols("S", *args, spot_source=100.0)


@pytest.mark.parametrize(
    "matrix",
    [
        (K5, 0.25, ROW),
        (K5, [0.25], ROW),
        (K5, "3M", [ROW]),
        (np.array(K5), np.array([0.25]), np.array([ROW])),
        (K5, 0.25, tuple(ROW)),
    ],
)
def test_one_expiry_needs_no_lists(matrix):
    assert from_vols(*matrix).slices == from_vols(K5, [0.25], [ROW]).slices


def test_a_missing_quote_is_none_or_nan():
    strikes, row = [*K5, 130], [*ROW, None]
    assert from_vols(strikes, 0.5, row).slices == from_vols(K5, 0.5, ROW).slices
    assert from_vols(strikes, 0.5, [*ROW, math.nan]).slices == from_vols(K5, 0.5, ROW).slices


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ((K5, [0.5, 1.0], np.array([ROW, LATER]).T), "2 rows .expiries. of 5 .strikes.; these are transposed"),
        (([0.5, 1.0], K5, [ROW, LATER]), "transposed, one row for each strike"),
        ((K5, [0.5, 1.0], [ROW, LATER[:-1]]), r"got rows of \[5, 4\]"),
        ((K5, [0.5, 1.0], 0.2), r"got rows of \[\]"),
        ((K5, 0.5, [20.0] * 5), r"vol=20.0 is 2,000% a year; volatilities are decimals"),
        ((K5, 0.5, ["20%"] * 5), "vol='20%' is neither a node nor a number"),
        ((K5, "soon", ROW), "expiry='soon' is no time"),
        (({(80, 0.5): 0.2}, [0.5], ROW), r"give from_vols\(name, strikes, expiries, vols\)"),
        ((100.0, [0.5], ROW), "is not a list of strikes"),
    ],
)
def test_a_matrix_that_does_not_fit_is_explained(matrix, said):
    with pytest.raises(InstrumentError, match=said):
        from_vols(*matrix)


def test_quotes_by_expiry_alone_are_explained():
    with pytest.raises(
        InstrumentError, match=r"quotes are given by \(strike, expiry\), not by 0.5; VolSurface.from_vols"
    ):
        VolSurface("S", spot_source=100.0, quotes={0.5: dict(zip(K5, ROW, strict=True))})


def test_a_surface_is_asked_for_tenors_and_one_option():
    surface = from_vols(K5, 0.5, ROW)
    assert surface.vol(95, "6M") == surface.vol(95.0, 0.5)
    with pytest.raises(InstrumentError, match=r"strike has shape \(2,\).* surface.surface.vol\(strikes, years\)"):
        surface.vol([90, 100], 0.5)
    with pytest.raises(InstrumentError, match="which needs a valuation date"):
        surface.vol(100.0, "2026-06-19")
