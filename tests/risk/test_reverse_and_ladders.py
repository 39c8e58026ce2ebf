"""Reverse stress against closed forms and brute force, ladders against ticks, one asset against lognormals."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from bank_python.dagger import DependencyGraph
from bank_python.desk import build_desk
from bank_python.errors import ModelError, RiskError, SimulationError
from bank_python.instruments import Bond, Book, Equity, FXRate, Option, Position, ProfitAndLoss
from bank_python.market_data import MarketData
from bank_python.risk.reverse_stress import reverse_stress
from bank_python.risk.sensitivity import sensitivity_grid, sensitivity_ladder
from bank_python.risk.single_asset import gbm_paths, gbm_var
from bank_python.risk.valuation import plan_valuation


def plan_of(*held, name="BOOK"):
    """Return a plan of one book of (contract, quantity)."""
    return plan_valuation(
        [
            Book(
                name,
                [Position(f"P_{contract.name}", instrument=contract, quantity=quantity) for contract, quantity in held],
            )
        ]
    )


def shares(*holdings):
    """Return a plan of shares of (level, quantity)."""
    return plan_of(
        *((Equity(f"E{i}", spot_source=MarketData(f"S{i}", level)), q) for i, (level, q) in enumerate(holdings))
    )


# --- reverse stress ------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [1_000.0, -1_000.0])
@pytest.mark.parametrize("loss", [1.0, 5_000.0, 20_000.0])
def test_the_move_of_one_share_in_closed_form(quantity, loss):
    found = reverse_stress(shares((200.0, quantity)), [[0.05**2]], loss)
    level = 200.0 - loss / quantity
    assert found.levels["S0"] == pytest.approx(level, rel=1e-8)
    assert found.distance == pytest.approx(abs(math.log(level / 200.0)) / 0.05, rel=1e-6)
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert found.moves == pytest.approx({"S0": level / 200.0 - 1.0})
    assert found.pnl == pytest.approx({"BOOK": -loss})
    assert found.probability == pytest.approx(norm.cdf(-found.distance))


@given(
    st.lists(st.floats(-300.0, 300.0).filter(lambda q: abs(q) > 1.0), min_size=3, max_size=3),
    st.lists(st.floats(0.005, 0.06), min_size=3, max_size=3),
    st.floats(-0.45, 0.95),
)
def test_a_small_loss_is_the_linear_books(quantities, deviations, correlation):
    levels = (100.0, 40.0, 250.0)
    sigma = np.array(deviations)
    covariance = np.outer(sigma, sigma) * ((1.0 - correlation) * np.eye(3) + correlation)
    worth = np.multiply(levels, quantities)
    deviation = math.sqrt(worth @ covariance @ worth)
    loss = 1e-3 * deviation
    found = reverse_stress(shares(*zip(levels, quantities, strict=True)), covariance, loss)
    # for a linear book the distance is loss over deviation, the direction the covariance times the holdings
    assert found.distance == pytest.approx(loss / deviation, rel=0.01)
    wanted = -loss * (covariance @ worth) / deviation**2
    moves = [found.moves[f"S{i}"] for i in range(3)]
    np.testing.assert_allclose(moves, wanted, rtol=0.02, atol=0.002 * np.abs(wanted).max())


@pytest.mark.parametrize("loss", [3_000.0, 10_000.0, 16_000.0])
def test_the_point_found_for_shares_is_the_nearest_one(loss):
    quantities, levels = np.array([300.0, -200.0, 150.0]), np.array([100.0, 80.0, 250.0])
    sigma = np.array([0.05, 0.06, 0.04])
    covariance = np.outer(sigma, sigma) * (0.5 * np.eye(3) + 0.5)
    found = reverse_stress(shares(*zip(levels, quantities, strict=True)), covariance, loss)
    there = np.array([found.levels[f"S{i}"] for i in range(3)])
    moves = np.log(there / levels)
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert quantities @ (there - levels) == pytest.approx(-loss, rel=1e-6)
    assert found.distance == pytest.approx(math.sqrt(moves @ np.linalg.solve(covariance, moves)), rel=1e-6)
    # Lagrange: the moves are along the covariance times the slopes of the P&L there
    slopes = covariance @ (quantities * there)
    np.testing.assert_allclose(moves / np.linalg.norm(moves), -slopes / np.linalg.norm(slopes), atol=1e-5)


def test_a_bond_by_its_yield():
    rate = MarketData("UST10Y", 0.04)
    note = Bond("NOTE", rate_source=rate, face=100, coupon_rate=0.04, maturity=10.0)
    now = note.value
    found = reverse_stress(plan_of((note, 1_000)), [[0.006**2]], 9_000.0)

    def lost(level):
        other = Bond("OTHER", rate_source=level, face=100, coupon_rate=0.04, maturity=10.0)
        return 1_000 * (now - other.value) - 9_000.0

    level = brentq(lost, 0.04, 0.2, xtol=1e-14)
    assert found.levels["UST10Y"] == pytest.approx(level, abs=1e-9)
    assert found.moves["UST10Y"] == pytest.approx(level - 0.04, abs=1e-9)  # rates move absolutely
    assert found.distance == pytest.approx((level - 0.04) / 0.006, rel=1e-6)


def options(*contracts, hedge=0.0):
    """Return a plan of options (strike, years, is_call, quantity) on one share, and of `hedge` units of the share."""
    spot, vol = MarketData("S", 100.0), MarketData("V", 0.2)
    held = [
        (
            Option(
                f"O{i}", spot_source=spot, vol_source=vol, rate_source=0.01, strike=strike, expiry=years, is_call=call
            ),
            quantity,
        )
        for i, (strike, years, call, quantity) in enumerate(contracts)
    ]
    if hedge:
        held.append((Equity("E", spot_source=spot), hedge))
    return plan_of(*held)


OPTION_COVARIANCE = np.array([[0.03**2, -0.5 * 0.03 * 0.1], [-0.5 * 0.03 * 0.1, 0.1**2]])
RADII = np.linspace(0.002, 9.0, 4_500)


@cache
def largest_losses(book):
    """Return the largest loss at each radius, over rays in all directions of the plane."""
    plan, root = OPTION_BOOKS[book], np.linalg.cholesky(OPTION_COVARIANCE)
    largest = np.full(RADII.size, -math.inf)
    for angle in np.linspace(0.0, 2.0 * math.pi, 720, endpoint=False):
        moves = root @ (np.array([[math.cos(angle)], [math.sin(angle)]]) * RADII)
        largest = np.fmax(largest, -plan.pnl(plan.base[:, None] * np.exp(moves)).sum(axis=0))
    return largest


def nearest(book, loss):
    """Return the distance of the nearest point with a given loss."""
    hit = np.flatnonzero(largest_losses(book) >= loss)
    return float(RADII[hit[0]]) if hit.size else math.inf


OPTION_BOOKS = {
    "short straddle": options((100, 0.25, True, -1_000), (100, 0.25, False, -1_000)),
    "short strangle": options((90, 0.25, False, -1_000), (110, 0.25, True, -1_000)),
    "hedged straddle": options((100, 0.25, True, -1_000), (100, 0.25, False, -1_000), hedge=300.0),
    "long call": options((100, 0.5, True, 1_000)),
    "risk reversal": options((90, 0.25, False, -1_000), (110, 0.25, True, 1_000)),
    "calendar": options((100, 0.1, True, -1_000), (100, 1.0, True, 1_000)),
    "covered call": options((105, 0.25, True, -1_000), hedge=1_000.0),
}


@pytest.mark.parametrize("loss", [600.0, 1_500.0, 3_000.0])
@pytest.mark.parametrize("book", OPTION_BOOKS)
def test_of_an_option_book_no_point_is_nearer(book, loss):
    by_force = nearest(book, loss)
    found = reverse_stress(OPTION_BOOKS[book], OPTION_COVARIANCE, loss)
    assert found.loss == pytest.approx(loss, rel=1e-5)
    assert found.distance == pytest.approx(by_force, abs=0.02), (book, loss, found)


def test_moves_are_sorted_by_size_in_standard_deviations():
    # the first moves more in per cent, the second more in standard deviations
    found = reverse_stress(shares((100.0, 20.0), (100.0, 1_000.0)), np.diag([0.09**2, 0.01**2]), 500.0)
    assert abs(found.moves["S0"]) > abs(found.moves["S1"])
    assert list(found.moves) == ["S1", "S0"]
    assert list(found.levels) == ["S0", "S1"]


def test_the_pnl_of_units_adds_up_to_the_loss():
    spot = MarketData("S", 100.0)
    share = Equity("E", spot_source=spot)
    books = [Book(name, [Position(f"P_{name}", instrument=share, quantity=q)]) for name, q in (("A", 30), ("B", -10))]
    found = reverse_stress(plan_valuation(books), [[0.02**2]], 50.0)
    assert found.pnl == pytest.approx({"A": -75.0, "B": 25.0}, rel=1e-6)
    assert found.loss == pytest.approx(50.0, rel=1e-6)


def test_factors_that_cannot_move_do_not():
    found = reverse_stress(shares((100.0, 10.0), (50.0, 10.0)), np.diag([0.0, 0.02**2]), 10.0)
    assert found.levels == pytest.approx({"S0": 100.0, "S1": 49.0})
    assert found.distance == pytest.approx(-math.log(0.98) / 0.02, rel=1e-6)


@pytest.mark.parametrize(
    ("plan", "covariance", "loss"),
    [
        (shares((100.0, 10.0)), [[0.02**2]], 1_000.0),  # the whole value
        (shares((100.0, 10.0)), [[0.02**2]], 900.0),  # a hundred standard deviations away
        (shares((100.0, 10.0)), [[0.0]], 1.0),  # no volatility
        (options((100, 0.5, True, 100)), np.diag([0.02**2, 0.1**2]), 5_000.0),  # more than the premium
    ],
)
def test_impossible_losses_are_refused(plan, covariance, loss):
    with pytest.raises(RiskError, match="no scenario within 12 standard deviations") as caught:
        reverse_stress(plan, covariance, loss)
    assert caught.value.value == loss


@pytest.mark.parametrize("loss", [0.0, -1.0, math.nan, math.inf])
def test_an_invalid_loss_is_refused(loss):
    with pytest.raises(RiskError, match="is not a finite number above 0"):
        reverse_stress(shares((100.0, 10.0)), [[0.02**2]], loss)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        ([[0.01, 0.0]], "a covariance of shape"),
        ([[math.nan]], "give a finite one"),
        ([[-0.01]], "not positive semidefinite"),
    ],
)
def test_an_invalid_covariance_is_refused(covariance, message):
    with pytest.raises(RiskError, match=message):
        reverse_stress(shares((100.0, 10.0)), covariance, 1.0)


def test_a_covariance_that_is_not_positive_is_refused():
    with pytest.raises(RiskError, match=r"least eigenvalue -0\.03"):
        reverse_stress(shares((100.0, 10.0), (100.0, 10.0)), [[0.01, 0.04], [0.04, 0.01]], 1.0)


# --- ladders and grids ---------------------------------------------------------------------------

SHOCKS = [-0.3, -0.1, -0.01, 0.0, 0.01, 0.1, 0.3]


def ticking_book():
    """Return a graph with a book in two currencies: leaves by name, and the P&L node."""
    graph = DependencyGraph()
    quotes = {"S": 100.0, "V": 0.25, "R": 0.04, "EURUSD_SPOT": 1.1, "E": 50.0}
    leaf = {name: graph.register(MarketData(name, level)) for name, level in quotes.items()}
    graph.register(FXRate("EURUSD", rate_source=leaf["EURUSD_SPOT"], base="EUR", quote="USD"))
    call = Option("CALL", spot_source=leaf["S"], vol_source=leaf["V"], rate_source=leaf["R"], strike=105, expiry=0.5)
    note = Bond("NOTE", rate_source=leaf["R"], face=100, coupon_rate=0.04, maturity=5.0)
    share = Equity("SHARE", spot_source=leaf["E"], currency="EUR")
    book = Book(
        "BOOK",
        [
            Position("P1", instrument=call, quantity=-10, multiplier=100, cost=5.0),
            Position("P2", instrument=note, quantity=30),
            Position("P3", instrument=share, quantity=200, cost=40.0),
        ],
    )
    return leaf, graph.register(ProfitAndLoss("PNL", graph.register(book))), plan_valuation([book])


@pytest.mark.parametrize("name", ["S", "V", "R", "EURUSD_SPOT", "E"])
def test_a_ladder_agrees_with_ticks(name):
    leaf, pnl, plan = ticking_book()
    shocks = [shock / 10.0 for shock in SHOCKS] if name == "R" else SHOCKS
    ladder = sensitivity_ladder(plan, name, shocks)
    now, level = pnl.value, leaf[name].value
    wanted, stood = [], []
    for shock in shocks:
        stood.append(level + shock if name == "R" else level * (1.0 + shock))
        leaf[name].set(stood[-1])
        wanted.append(pnl.value - now)
    assert (ladder.factor, ladder.units, ladder.currency) == (name, ("BOOK",), "USD")
    np.testing.assert_allclose(ladder.levels, stood, rtol=1e-14)
    np.testing.assert_allclose(ladder.pnl, wanted, rtol=1e-9, atol=1e-8)
    np.testing.assert_array_equal(ladder.by_unit.sum(axis=0), ladder.pnl)
    assert ladder.pnl[3] == 0.0
    rows = [(row["factor"], row["shock"], row["level"], row["pnl"]) for row in ladder.to_table()]
    assert rows == [(name, *row) for row in zip(shocks, ladder.levels, ladder.pnl, strict=True)]


@pytest.mark.parametrize(("down", "across"), [("S", "V"), ("V", "S"), ("R", "S"), ("E", "EURUSD_SPOT")])
def test_a_grid_agrees_with_ticks(down, across):
    leaf, pnl, plan = ticking_book()
    shifts = [-0.01, 0.0, 0.02]
    rows, columns = (shifts if name == "R" else [-0.2, 0.0, 0.1, 0.25] for name in (down, across))
    grid = sensitivity_grid(plan, (down, rows), (across, columns))
    now, base = pnl.value, {name: leaf[name].value for name in (down, across)}
    for i, a in enumerate(rows):
        for j, b in enumerate(columns):
            for name, shock in ((down, a), (across, b)):
                leaf[name].set(base[name] + shock if name == "R" else base[name] * (1.0 + shock))
            assert grid.pnl[i, j] == pytest.approx(pnl.value - now, rel=1e-9, abs=1e-8), (down, a, across, b)
    assert grid.pnl.shape == (len(rows), len(columns))
    assert grid.factors == (down, across)


def test_a_grids_edges_are_its_ladders_and_its_table_has_every_cell():
    _, _, plan = ticking_book()
    grid = sensitivity_grid(plan, ("S", [-0.1, 0.0]), ("V", [0.0, 0.2, 0.4]))
    np.testing.assert_array_equal(grid.pnl[1], sensitivity_ladder(plan, "V", [0.0, 0.2, 0.4]).pnl)
    np.testing.assert_array_equal(grid.pnl[:, 0], sensitivity_ladder(plan, "S", [-0.1, 0.0]).pnl)
    cells = {(row["S"], row["V"]): row["pnl"] for row in grid.to_table()}
    assert cells == {(a, b): grid.pnl[i, j] for i, a in enumerate([-0.1, 0.0]) for j, b in enumerate([0.0, 0.2, 0.4])}


def test_the_desks_ladder_is_the_graphs():
    desk = build_desk(seed=7)
    desk.tick()
    plan = plan_valuation([trader.book for trader in desk.traders])
    for name in ("SPY_SPOT", "SPY_VOL", "USDJPY_SPOT", "CDX_HY"):
        ladder = sensitivity_ladder(plan, name, SHOCKS)
        graphs = desk.graph.ladder(desk.firm_pnl, name, SHOCKS, relative=True)
        np.testing.assert_allclose(ladder.pnl, graphs.values - desk.firm_pnl.value, rtol=1e-8, atol=1e-5)


@pytest.mark.parametrize("shocks", [[], [math.nan], [0.1, math.inf], [-1.0], [0.0, -1.5]])
def test_invalid_shocks_are_refused(shocks):
    _, _, plan = ticking_book()
    with pytest.raises(RiskError, match="S: shocks") as caught:
        sensitivity_ladder(plan, "S", shocks)
    assert caught.value.name == "S"
    with pytest.raises(RiskError, match="S: shocks"):
        sensitivity_grid(plan, ("V", [0.0]), ("S", shocks))


def test_a_rate_may_fall_by_more_than_one():
    _, _, plan = ticking_book()
    assert np.isfinite(sensitivity_ladder(plan, "R", [-0.5, 0.5]).pnl).all()


def test_a_ladder_over_a_factor_without_dependents_is_refused():
    _, _, plan = ticking_book()
    with pytest.raises(RiskError, match="'KO_SPOT'"):
        sensitivity_ladder(plan, "KO_SPOT", [0.1])
    with pytest.raises(RiskError, match="both axes of the grid are S"):
        sensitivity_grid(plan, ("S", [0.1]), ("S", [0.2]))


def test_a_step_without_a_price_is_an_error():
    rate = MarketData("R", 0.04)
    note = Bond("NOTE", rate_source=rate, face=100, coupon_rate=0.04, maturity=5.0)
    with pytest.raises(SimulationError, match="NOTE has no price in scenario 1"):
        sensitivity_ladder(plan_of((note, 1)), "R", [0.0, -1e6])


# --- one asset -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mu", "sigma", "T", "steps"), [(0.25, 0.72, 30 / 365, 30), (-0.1, 0.2, 2.0, 4), (0, 0.4, 1, 1)]
)
def test_paths_have_the_moments_of_the_lognormal(mu, sigma, T, steps):
    n = 100_000
    paths = gbm_paths(S0=50.0, mu=mu, sigma=sigma, T=T, dt=T / steps, n=n, seed=3)
    assert paths.shape == (steps + 1, n)
    assert (paths[0] == 50.0).all()
    logs = np.diff(np.log(paths), axis=0)
    dt = T / steps
    mean, deviation = (mu - 0.5 * sigma**2) * dt, sigma * math.sqrt(dt)
    sure = 4.5 / math.sqrt(n)
    assert (np.abs(logs.mean(axis=1) - mean) < sure * deviation).all()
    assert (np.abs(logs.std(axis=1) / deviation - 1.0) < sure / math.sqrt(2.0)).all()
    if steps > 1:
        correlations = np.corrcoef(logs)[~np.eye(steps, dtype=bool)]
        assert (np.abs(correlations) < 5.0 / math.sqrt(n)).all()
    ends = paths[-1]
    spread = 50.0 * math.exp(mu * T) * math.sqrt(math.expm1(sigma**2 * T))
    assert abs(ends.mean() - 50.0 * math.exp(mu * T)) < sure * spread


@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize(("mu", "sigma", "T"), [(0.25, 0.72, 30 / 365), (0.05, 0.2, 1.0), (-0.5, 0.05, 0.5)])
def test_value_at_risk_of_a_lognormal_by_hand(mu, sigma, T, level):
    found = gbm_var(S0=100.0, mu=mu, sigma=sigma, T=T, dt=T, n=200_000, confidence=level, seed=4)
    z, spread = norm.ppf(1.0 - level), sigma * math.sqrt(T)
    var = 100.0 * -math.expm1((mu - 0.5 * sigma**2) * T + spread * z)
    cvar = 100.0 - 100.0 * math.exp(mu * T) * norm.cdf(z - spread) / (1.0 - level)
    assert found.confidence == level
    assert abs(found.var - var) < 4.5 * found.var_error, (found, var)
    assert abs(found.cvar - cvar) < 4.5 * found.cvar_error, (found, cvar)
    assert 0.0 < found.var_error < 0.03 * 100.0
    assert found.cvar > found.var


def test_value_at_risk_is_in_proportion_to_the_price():
    terms = {"mu": 0.1, "sigma": 0.3, "T": 0.5, "dt": 0.25, "n": 5_000, "seed": 5}
    one, other = gbm_var(S0=1.0, **terms), gbm_var(S0=250.0, **terms)
    assert (other.var, other.cvar, other.var_error) == pytest.approx(
        (250 * one.var, 250 * one.cvar, 250 * one.var_error)
    )


def test_without_volatility_a_price_grows():
    paths = gbm_paths(S0=10.0, mu=0.05, sigma=0.0, T=1.0, dt=0.25, n=3, seed=6)
    np.testing.assert_allclose(paths, np.repeat(10.0 * np.exp(0.05 * np.arange(5) / 4)[:, None], 3, axis=1), rtol=1e-14)
    found = gbm_var(S0=10.0, mu=0.05, sigma=0.0, T=1.0, dt=1.0, n=10)
    assert (found.var, found.cvar) == pytest.approx((-10.0 * math.expm1(0.05), -10.0 * math.expm1(0.05)))


def test_a_seed_gives_the_same_paths_and_none_others():
    terms = {"S0": 10.0, "mu": 0.0, "sigma": 0.2, "T": 1.0, "dt": 0.5, "n": 50}
    np.testing.assert_array_equal(gbm_paths(**terms, seed=1), gbm_paths(**terms, seed=1))
    assert (gbm_paths(**terms, seed=1)[1:] != gbm_paths(**terms, seed=2)[1:]).all()
    assert (gbm_paths(**terms)[1:] != gbm_paths(**terms)[1:]).all()


@pytest.mark.parametrize("steps", [1, 3, 7, 30, 365, 2_520])
def test_a_step_that_divides_the_time_is_taken_whatever_its_rounding(steps):
    assert gbm_paths(S0=1.0, mu=0.0, sigma=0.1, T=steps * (1 / 365), dt=1 / 365, n=1, seed=0).shape == (steps + 1, 1)


GOOD = {"S0": 100.0, "mu": 0.05, "sigma": 0.2, "T": 1.0, "dt": 0.25, "n": 10}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"S0": 0.0}, "S0 above 0"),
        ({"S0": -1.0}, "S0 above 0"),
        ({"S0": math.inf}, "all finite"),
        ({"mu": math.nan}, "all finite"),
        ({"sigma": -0.2}, "sigma at least 0"),
        ({"sigma": math.nan}, "sigma at least 0"),
        ({"n": 0}, "is not a whole number"),
        ({"n": -3}, "is not a whole number"),
        ({"n": 10.5}, "is not a whole number"),
        ({"T": 0.0}, "give both in years, above 0"),
        ({"T": -1.0}, "give both in years, above 0"),
        ({"dt": 0.0}, "give both in years, above 0"),
        ({"dt": 1.5}, "with dt not above T"),
        ({"dt": math.nan}, "give both in years, above 0"),
        ({"dt": 0.3}, "does not divide"),
        ({"dt": 0.7}, "does not divide"),
    ],
)
def test_arguments_out_of_range_are_refused(wrong, message):
    for simulate in (gbm_paths, gbm_var):
        with pytest.raises(RiskError, match=message):
            simulate(**GOOD | wrong)


@pytest.mark.parametrize("wrong", [{"level": 0.5}, {"level": 1.0}, {"n": 1}])
def test_no_tail_without_a_confidence_and_two_paths(wrong):
    with pytest.raises(ModelError):
        gbm_var(**GOOD | wrong)
