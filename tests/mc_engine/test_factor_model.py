"""Factor models, given and calibrated, against formulas written again here and figures computed by hand."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import BankError, CalibrationError, SimulationError, UnknownTickerError
from bank_python.market_data import Bar, PriceHistory
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.mc_engine.calibration import calibrate_from_table, calibrate_model, join_models
from bank_python.mc_engine.config import MCConfig, Model, Revaluation, Sampling
from bank_python.mc_engine.factor_model import FactorModel, JumpTerms, VarianceTerms

INDEFINITE = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
THREE = {"A": 0.2, "B": 0.3, "C": 0.4}


# --- given -----------------------------------------------------------------------------------------------------------


def test_a_law_given_is_what_was_given():
    factor_model = FactorModel.given({"S": 0.2, "R": 0.01}, [[1.0, -0.3], [-0.3, 1.0]], absolute={"R"}, degrees=7.0)
    assert factor_model.names == ("S", "R")
    assert factor_model.relative == (True, False)
    assert factor_model.vols.tolist() == [0.2, 0.01]
    assert factor_model.correlation.tolist() == [[1.0, -0.3], [-0.3, 1.0]]
    assert (factor_model.degrees, factor_model.repaired, factor_model.residuals, factor_model.source) == (
        7.0,
        0.0,
        None,
        "given",
    )
    assert FactorModel.given(THREE).correlation.tolist() == np.eye(3).tolist()


def test_the_covariance_has_the_order_of_the_given_factors():
    correlation = [[1.0, 0.5, 0.2], [0.5, 1.0, -0.4], [0.2, -0.4, 1.0]]
    factor_model = FactorModel.given(THREE, correlation)
    got = factor_model.covariance(["C", "A"], 0.25)
    expected = 0.25 * np.array([[0.16, 0.2 * 0.4 * 0.2], [0.2 * 0.4 * 0.2, 0.04]])
    assert np.allclose(got, expected, rtol=1e-14)
    assert factor_model.places(["C", "A", "C"]) == [2, 0, 2]
    assert factor_model.covariance([], 1.0).shape == (0, 0)


def test_an_unknown_factor_is_named():
    factor_model = FactorModel.given(THREE)
    with pytest.raises(SimulationError, match=r"no factor model for Z: give a FactorModel") as caught:
        factor_model.covariance(["A", "Z"], 1.0)
    assert caught.value.name == "Z"
    with pytest.raises(SimulationError, match=r"X0, .*X7 …: give"):
        factor_model.places([f"X{i}" for i in range(12)])


def test_correlations_that_are_not_positive_semidefinite_are_refused_or_repaired():
    with pytest.raises(SimulationError, match=r"least eigenvalue -0\.8; pass repair=True") as caught:
        FactorModel.given(THREE, INDEFINITE)
    assert math.isclose(caught.value.value, -0.8, rel_tol=1e-9)
    factor_model = FactorModel.given(THREE, INDEFINITE, repair=True)
    assert np.linalg.eigvalsh(factor_model.correlation)[0] > -1e-10
    assert np.allclose(np.diag(factor_model.correlation), 1.0, atol=1e-12)
    assert math.isclose(
        factor_model.repaired, float(np.linalg.norm(factor_model.correlation - INDEFINITE)), rel_tol=1e-12
    )
    # by symmetry the nearest matrix has off-diagonals of ±1/2, where the least eigenvalue 1 - 2x is 0
    assert np.allclose(np.abs(factor_model.correlation[~np.eye(3, dtype=bool)]), 0.5, atol=1e-6)
    assert INDEFINITE[0, 1] == 0.9


def test_what_needs_no_repair_is_left_as_it_is():
    definite = np.array([[1.0, 0.9, 0.8], [0.9, 1.0, 0.9], [0.8, 0.9, 1.0]])
    singular = np.ones((3, 3))
    for matrix in (definite, singular):
        factor_model = FactorModel.given(THREE, matrix, repair=True)
        assert factor_model.repaired == 0.0
        assert np.array_equal(factor_model.correlation, matrix)


@pytest.mark.parametrize("repair", [False, True])
@pytest.mark.parametrize(
    ("correlation", "message"),
    [
        (np.eye(2), "shape"),
        (np.ones(3), "shape"),
        ([[1.0, 0.5, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 1.0]], "not symmetric"),
        ([[1.0, math.nan, 0.0], [math.nan, 1.0, 0.0], [0.0, 0.0, 1.0]], "not finite"),
        ([[1.1, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "diagonal is not 1"),
    ],
)
def test_matrices_that_are_no_correlations_are_refused(correlation, message, repair):
    with pytest.raises(SimulationError, match=message):
        FactorModel.given(THREE, correlation, repair=repair)


@pytest.mark.parametrize("vol", [-0.1, math.nan, math.inf])
def test_a_volatility_out_of_range_is_refused_by_name(vol):
    with pytest.raises(SimulationError, match="B: volatility") as caught:
        FactorModel.given({"A": 0.2, "B": vol})
    assert caught.value.name == "B"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("degrees", [2.0, 1.0, -5.0, math.nan])
def test_degrees_without_a_variance_are_refused(degrees):
    with pytest.raises(SimulationError, match="a finite variance needs more than 2"):
        FactorModel.given({"A": 0.2}, degrees=degrees)


def test_names_kinds_and_volatilities_belong_together():
    one = np.eye(1)
    for names, relative, vols in (
        (("A", "A"), (True, True), np.array([0.1, 0.1])),
        (("A",), (True, True), np.array([0.1])),
        (("A",), (True,), np.array([0.1, 0.2])),
    ):
        with pytest.raises(SimulationError, match="names"):
            FactorModel(names, relative, vols, one)


@pytest.mark.parametrize(
    "terms",
    [
        {"kappa": 0.0},
        {"kappa": math.nan},
        {"vol_of_vol": -0.1},
        {"vol_of_vol": math.nan},
        {"rho": 1.01},
        {"rho": math.nan},
        {"tenor": 0.0},
        {"tenor": math.nan},
    ],
)
def test_variance_terms_out_of_range_are_refused(terms):
    with pytest.raises(SimulationError, match="must be above 0"):
        VarianceTerms(**terms)


@pytest.mark.parametrize("name", ["common_intensity", "common_deviation", "own_intensity", "own_deviation"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_jump_terms_out_of_range_are_refused(name, value):
    with pytest.raises(SimulationError, match="finite and at least 0"):
        JumpTerms(**{name: value})


def test_jumps_bring_no_more_variance_than_there_is():
    assert math.isclose(JumpTerms().share, 1.0 * (0.09 + 0.04) + 2.0 * 0.04)
    with pytest.raises(SimulationError, match="rarer or smaller"):
        JumpTerms(common_intensity=10.0)
    with pytest.raises(SimulationError, match="finite"):
        JumpTerms(common_mean=math.nan)


def test_factor_models_compare_by_value_and_survive_the_store(tmp_path):
    factor_model = calibrate_model(("A", "B"), history(60), (True, False))
    same = calibrate_model(("A", "B"), history(60), (True, False))
    other = calibrate_model(("A", "B"), history(61), (True, False))
    assert factor_model == same
    assert factor_model != other
    assert factor_model != "factor_model"
    with BarbaraDB.open("desk", path=tmp_path / "factor_models.db") as db:
        db["/FactorModels/one"] = factor_model
    with BarbaraDB.open("desk", path=tmp_path / "factor_models.db") as db:
        assert db["/FactorModels/one"] == factor_model


# --- calibrated ------------------------------------------------------------------------------------------------------


def history(days=300, correlation=0.6, seed=0, vols=(0.01, 0.02), scale=(100.0, 1.0)):
    """Levels of one relative factor and one absolute."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.array([[1.0, correlation], [correlation, 1.0]]))
    sums = np.cumsum(rng.standard_normal((days, 2)) @ root.T * np.array(vols), axis=0)
    return np.column_stack([scale[0] * np.exp(sums[:, 0]), scale[1] + sums[:, 1]])


def weighted_correlation(moves, decay):
    """Return the correlation of moves over the previous day's volatility, and its shrinkage, by loops."""
    days, n = moves.shape
    past = np.empty((days, n))
    for j in range(n):
        before = sum(float(m) ** 2 for m in moves[:, j]) / days
        for i in range(days):
            past[i, j] = before
            before = decay * before + (1.0 - decay) * float(moves[i, j]) ** 2
    weights = [0.99 ** (days - 1 - i) for i in range(days)]
    total = sum(weights)
    sample = np.eye(n)
    scaled = moves / np.sqrt(past)
    for j in range(n):
        for k in range(n):
            cross = sum(w * scaled[i, j] * scaled[i, k] for i, w in enumerate(weights))
            both = sum(w * scaled[i, j] ** 2 for i, w in enumerate(weights))
            both *= sum(w * scaled[i, k] ** 2 for i, w in enumerate(weights))
            sample[j, k] = cross / math.sqrt(both)
    observations = total**2 / sum(w * w for w in weights)
    pairs = [(j, k) for j in range(n) for k in range(n) if j != k]
    above = sum((1.0 - sample[j, k] ** 2) ** 2 / (observations - 1.0) for j, k in pairs)
    intensity = min(1.0, above / sum(sample[j, k] ** 2 for j, k in pairs))
    return sample, intensity


@pytest.mark.parametrize(("days", "n", "seed"), [(31, 2, 1), (120, 5, 2), (400, 3, 3), (40, 60, 4)])
def test_correlations_are_shrunk_as_schaefer_and_strimmer_say(days, n, seed):
    rng = np.random.default_rng(seed)
    moves = 0.01 * (rng.standard_normal((days, n)) + 0.8 * rng.standard_normal((days, 1)))
    levels = 50.0 * np.exp(np.vstack([np.zeros(n), np.cumsum(moves, axis=0)]))
    factor_model = calibrate_model([f"F{i}" for i in range(n)], levels, [True] * n, decay=0.95)
    sample, intensity = weighted_correlation(np.diff(np.log(levels), axis=0), 0.95)
    expected = (1.0 - intensity) * sample
    np.fill_diagonal(expected, 1.0)
    assert 0.0 < intensity < 1.0
    if np.linalg.eigvalsh(expected)[0] > 0.0:
        assert np.allclose(factor_model.correlation, expected, rtol=0.0, atol=1e-10)
        assert factor_model.repaired == 0.0
    assert np.linalg.eigvalsh(factor_model.correlation)[0] > -1e-10


def test_more_factors_than_days_still_have_a_factor_model():
    rng = np.random.default_rng(5)
    levels = 10.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((35, 80)), axis=0))
    factor_model = calibrate_model([f"F{i}" for i in range(80)], levels, [True] * 80)
    assert np.linalg.eigvalsh(factor_model.correlation)[0] > 0.0
    assert factor_model.repaired == 0.0


def test_ewma_by_hand_after_three_days():
    # thirty moves, the first twenty-seven 0: the mean square is 0.0014 / 30, and decays once a day
    moves = np.zeros(30)
    moves[-3:] = [0.01, -0.02, 0.03]
    levels = np.concatenate([[5.0], 5.0 + np.cumsum(moves)])[:, None]
    factor_model = calibrate_model(["R"], levels, [False], decay=0.9)
    start = 0.0014 / 30.0 * 0.9**27
    first = 0.9 * start + 0.1 * 0.0001
    second = 0.9 * first + 0.1 * 0.0004
    third = 0.9 * second + 0.1 * 0.0009
    assert math.isclose(float(factor_model.vols[0]), math.sqrt(252.0 * third), rel_tol=1e-9)
    by_hand = [0.01 / math.sqrt(start), -0.02 / math.sqrt(first), 0.03 / math.sqrt(second)]
    assert np.allclose(factor_model.residuals[-3:, 0], by_hand, rtol=1e-9)
    assert np.allclose(factor_model.residuals[:-3], 0.0, atol=1e-9)
    assert factor_model.variance.long_run == {"R": pytest.approx(moves.std() * math.sqrt(252.0), rel=1e-9)}
    assert factor_model.source == "30 days, ewma 0.9"


@pytest.mark.parametrize("seed", range(5))
def test_a_known_covariance_is_found_again(seed):
    decay, days = 0.999, 6_000
    factor_model = calibrate_model(
        ("S", "R"), history(days, 0.6, seed, (0.01, 1e-4), (100.0, 0.05)), (True, False), decay=decay
    )
    # effective numbers of days: (1 + d) / (1 - d)
    vol_error = math.sqrt(0.5 * (1.0 - decay) / (1.0 + decay))
    rho_error = (1.0 - 0.36) * math.sqrt(0.01 / 1.99)
    for vol, daily in zip(factor_model.vols, (0.01, 1e-4), strict=True):
        assert abs(vol / (daily * math.sqrt(252.0)) - 1.0) < 4.5 * vol_error
    assert abs(factor_model.correlation[0, 1] - 0.6) < 4.5 * rho_error
    assert factor_model.relative == (True, False)
    assert factor_model.residuals.shape == (days - 1, 2)
    assert np.abs(factor_model.residuals.std(axis=0) - 1.0).max() < 0.1


@given(seed=st.integers(0, 1_000), factor=st.floats(1e-3, 1e3), shift=st.floats(-10.0, 10.0))
@settings(max_examples=30, deadline=None)
def test_the_unit_of_a_price_and_the_level_of_a_rate_do_not_matter(seed, factor, shift):
    levels = history(80, seed=seed)
    factor_model = calibrate_model(("S", "R"), levels, (True, False))
    moved = calibrate_model(("S", "R"), levels * [factor, 1.0] + [0.0, shift], (True, False))
    assert np.allclose(moved.vols, factor_model.vols, rtol=1e-8)
    assert np.allclose(moved.correlation, factor_model.correlation, atol=1e-8)
    scaled = calibrate_model(("S", "R"), levels * [1.0, factor], (True, False))
    assert np.allclose(scaled.vols, factor_model.vols * [1.0, factor], rtol=1e-8)
    assert np.allclose(scaled.residuals, factor_model.residuals, rtol=1e-6, atol=1e-8)


@given(seed=st.integers(0, 1_000), order=st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_the_order_of_factors_does_not_matter(seed, order):
    rng = np.random.default_rng(seed)
    levels = 10.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((60, 4)), axis=0))
    relative = [True, False, True, False]
    factor_model = calibrate_model(list("ABCD"), levels, relative)
    other = calibrate_model(["ABCD"[i] for i in order], levels[:, order], [relative[i] for i in order])
    names = list("ABCD")
    assert other.places(names) == [order.index(i) for i in range(4)]
    assert np.allclose(other.covariance(names, 1.0), factor_model.covariance(names, 1.0), rtol=1e-9)


def test_degrees_follow_from_the_kurtosis_within_bounds():
    rng = np.random.default_rng(6)
    normal = np.cumsum(rng.standard_normal((3_000, 3)), axis=0)
    # with two moves of equal size the kurtosis is 1: thinner than any t's
    thin = np.cumsum(rng.choice([-1.0, 1.0], (3_000, 3)), axis=0)
    fat = np.cumsum(rng.standard_t(2.1, (3_000, 3)), axis=0)
    degrees = [calibrate_model(list("ABC"), levels, [False] * 3, decay=0.999).degrees for levels in (thin, normal, fat)]
    assert degrees[0] == 30.0
    assert degrees[1] > 15.0
    assert 3.0 <= degrees[2] < 5.0


@pytest.mark.parametrize("seed", range(3))
def test_degrees_are_those_whose_kurtosis_the_residuals_have(seed):
    rng = np.random.default_rng(seed)
    levels = np.cumsum(rng.standard_t(8.0, (2_000, 5)), axis=0)
    factor_model = calibrate_model(list("ABCDE"), levels, [False] * 5, decay=0.999)
    spread = factor_model.residuals.std(axis=0)
    excess = float(np.median(np.mean((factor_model.residuals / spread) ** 4, axis=0))) - 3.0
    assert 3.0 < factor_model.degrees < 30.0
    assert math.isclose(6.0 / (factor_model.degrees - 4.0), excess, rel_tol=1e-9)


def test_a_factor_that_stands_still_has_no_volatility_and_no_correlation():
    levels = np.column_stack([history(100), np.full(100, 3.0)])
    factor_model = calibrate_model(("S", "R", "PEG"), levels, (True, False, True))
    assert factor_model.vols[2] == 0.0
    assert factor_model.correlation[2].tolist() == [0.0, 0.0, 1.0]
    assert (factor_model.residuals[:, 2] == 0.0).all()


@pytest.mark.parametrize(
    ("day", "column", "value"),
    [(7, 0, math.nan), (7, 1, math.nan), (0, 1, math.inf), (299, 0, 0.0), (3, 0, -1.0)],
)
def test_a_level_that_makes_no_sense_is_named_with_its_day(day, column, value):
    levels = history()
    levels[day, column] = value
    with pytest.raises(CalibrationError, match=f"{'SR'[column]}: the level .* on day {day} ") as caught:
        calibrate_model(("S", "R"), levels, (True, False))
    assert caught.value.name == "SR"[column]
    assert caught.value.value == value or math.isnan(value)


def test_a_rate_may_be_negative():
    levels = history(scale=(100.0, -0.5))
    assert (levels[:, 1] < 0.0).any()
    assert np.isfinite(calibrate_model(("S", "R"), levels, (True, False)).vols).all()


def test_thirty_one_days_are_enough_and_thirty_are_not():
    assert calibrate_model(("S", "R"), history(31), (True, False)).source == "30 days, ewma 0.97"
    for levels in (history(30), history(1), history(50)[:, :1], history(50)[:, 0]):
        with pytest.raises(CalibrationError, match="at least 31 days"):
            calibrate_model(("S", "R"), levels, (True, False))


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.1, 1.1, math.nan])
def test_a_decay_out_of_range_is_refused(decay):
    with pytest.raises(CalibrationError, match=r"0\.97 is usual"):
        calibrate_model(("S", "R"), history(), (True, False), decay=decay)


def test_terms_of_the_models_are_handed_on():
    variance, jumps = VarianceTerms(kappa=9.0), JumpTerms(own_intensity=0.5)
    factor_model = calibrate_model(("S", "R"), history(), (True, False), variance=variance, jumps=jumps)
    assert factor_model.variance is variance
    assert factor_model.jumps is jumps


# --- from tables -----------------------------------------------------------------------------------------------------

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def table(**closes):
    """Store closes by day number as price histories."""
    kept = PriceHistoryTable()
    for ticker, by_day in closes.items():
        bars = tuple(
            Bar(START + dt.timedelta(days=day), close, close, close, close, 1.0) for day, close in by_day.items()
        )
        kept.load(ticker, PriceHistory(ticker, "test", bars))
    return kept


def test_a_law_from_tables_is_of_the_days_that_all_have():
    levels = history(60)
    first = {day: float(levels[day, 0]) for day in range(60) if day % 10 != 3}
    second = {day: float(levels[day, 1]) for day in range(60) if day % 10 != 7}
    factor_model = calibrate_from_table(table(X=first, Y=second), {"X_SPOT": "X", "RATE": "Y"}, ["RATE"], decay=0.9)
    common = [day for day in range(60) if day % 10 not in {3, 7}]
    expected = calibrate_model(("X_SPOT", "RATE"), levels[common], (True, False), decay=0.9)
    assert factor_model == expected
    assert factor_model.names == ("X_SPOT", "RATE")


SHORT = {"OLD": 60, "YOUNG": 30, "NEW": 5}


def test_a_law_from_tables_needs_the_tables():
    levels = history(60)
    kept = table(X={day: float(levels[day, 0]) for day in range(60)}, Z={100 + day: 1.0 for day in range(60)})
    with pytest.raises(UnknownTickerError, match="Y"):
        calibrate_from_table(kept, {"X_SPOT": "X", "RATE": "Y"})
    said = (
        r"2 histories have 0 days in common, and value at risk needs at least 31; without X, which has 60, there are 60"
    )
    with pytest.raises(CalibrationError, match=said):
        calibrate_from_table(kept, {"X_SPOT": "X", "Z_SPOT": "Z"})


def test_a_history_that_is_too_short_is_named_with_what_is_needed_and_the_way_out():
    levels = history(60)
    series = {name: {day: float(levels[day, 0]) for day in range(60 - many, 60)} for name, many in SHORT.items()}
    with pytest.raises(CalibrationError) as caught:
        calibrate_from_table(table(**series), {f"{name}_SPOT": name for name in SHORT})
    message = str(caught.value)
    assert (caught.value.name, caught.value.value) == ("NEW", 5)
    assert "the history of NEW has 5 daily closes, and value at risk needs at least 31" in message
    assert "(YOUNG are too short as well)" in message
    assert "load_history('NEW', '1y')" in message


def test_the_one_whose_days_are_others_is_named():
    levels = history(100)
    days = {"A": range(100), "B": range(100), "ODD": range(80, 180)}
    series = {name: {day: float(levels[day % 100, 0]) for day in known} for name, known in days.items()}
    with pytest.raises(CalibrationError, match=r"20 days in common.*without ODD, which has 100, there are 100"):
        calibrate_from_table(table(**series), {f"{name}_SPOT": name for name in days})


# --- joined ----------------------------------------------------------------------------------------------------------


def test_laws_joined_are_independent_and_keep_the_latest_days_together():
    first = calibrate_model(("A", "B"), history(80, seed=1), (True, False))
    second = calibrate_model(("C", "D"), history(50, seed=2), (True, False), decay=0.9)
    joined = join_models([first, second])
    assert joined.names == ("A", "B", "C", "D")
    assert joined.relative == (True, False, True, False)
    assert joined.vols.tolist() == [*first.vols, *second.vols]
    assert np.array_equal(joined.correlation[:2, :2], first.correlation)
    assert np.array_equal(joined.correlation[2:, 2:], second.correlation)
    assert (joined.correlation[:2, 2:] == 0.0).all()
    assert np.array_equal(joined.residuals, np.hstack([first.residuals[-49:], second.residuals]))
    assert joined.variance.long_run == {**first.variance.long_run, **second.variance.long_run}
    assert joined.degrees == first.degrees
    assert joined.source == "79 days, ewma 0.97; 49 days, ewma 0.9"
    for names, factor_model in ((["A", "B"], first), (["D", "C"], second)):
        assert np.array_equal(joined.covariance(names, 0.1), factor_model.covariance(names, 0.1))


def test_a_law_joined_with_nothing_is_itself():
    factor_model = FactorModel.given(THREE)
    assert join_models([factor_model]) is factor_model


def test_joined_with_a_law_without_a_past_there_is_none():
    calibrated = calibrate_model(("A", "B"), history(), (True, False))
    moved = FactorModel.given({"X": 0.1, "Y": 0.2, "Z": 0.3}, INDEFINITE, repair=True)
    joined = join_models([calibrated, moved])
    assert joined.residuals is None
    assert joined.repaired == moved.repaired > 0.0


def test_laws_of_the_same_factor_are_not_joined():
    with pytest.raises(SimulationError, match="names"):
        join_models([FactorModel.given({"A": 0.1}), FactorModel.given({"A": 0.2})])


# --- configuration ---------------------------------------------------------------------------------------------------


def test_choices_are_taken_as_text_or_as_what_they_are():
    for model in Model:
        assert MCConfig(model=model).model is MCConfig(model=model.value).model is model
    assert MCConfig(sampling="antithetic").sampling is Sampling.ANTITHETIC
    assert MCConfig(revaluation="delta_gamma").revaluation is Revaluation.DELTA_GAMMA
    assert MCConfig(dtype=np.float32).dtype == "float32"
    assert MCConfig(n_paths=np.int64(7)).n_paths == 7


@pytest.mark.parametrize(
    "bad",
    [
        {"model": "garch"},
        {"model": None},
        {"sampling": "sobol"},
        {"revaluation": "fast"},
        {"n_paths": 1},
        {"n_paths": 1e5},
        {"n_paths": True},
        {"n_paths": "100"},
        {"random_seed": -1},
        {"random_seed": 0.5},
        {"n_steps": 0},
        {"chunk": 1},
        {"horizon": 0.0},
        {"horizon": -1.0},
        {"horizon": math.nan},
        {"horizon": math.inf},
        {"dtype": "int64"},
        {"dtype": "float16"},
    ],
)
def test_what_makes_no_sense_is_refused_by_name(bad):
    with pytest.raises(SimulationError, match=next(iter(bad))) as caught:
        MCConfig(**bad)
    assert isinstance(caught.value, BankError)
    assert isinstance(caught.value, ValueError)


def test_time_passes_only_with_roll_clock():
    assert MCConfig(horizon=0.1).years_passed == 0.0
    assert MCConfig(horizon=0.1, roll_clock=True).years_passed == 0.1
