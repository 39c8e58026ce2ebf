"""Hedging errors: Derman and Kamal, Hull, an independent simulation's figures, and what each law does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CallError, ModelError, SimulationError
from bank_python.numerics import normal_cdf
from bank_python.risk_models import HestonProcess, MertonJumpDiffusion, black_scholes_price
from bank_python.taleb.hedge_errors import HedgeComparison, measures_of
from bank_python.taleb.hedging_error import HedgingErrorSimulator

# 100,000 paths of an independent simulation (seed 1), S0 = K = 100, T = 1/12, vol 0.2, equal variance, seller's profit:
# mean, standard deviation, MAD, 1 % quantile, mean of the worst 1 %.
PUBLISHED = {
    ("gaussian", None, 21): (0.000254, 0.429255, 0.324157, -1.181871, -1.484830),
    ("student_t", 5.0, 21): (0.016997, 0.677767, 0.463596, -2.274531, -3.390402),
    ("student_t", 3.0, 21): (0.127912, 1.219989, 0.646111, -4.088000, -7.508438),
    ("student_t", 2.5, 21): (0.327542, 1.829863, 0.733849, -5.004543, -10.318721),
    ("power_law", 3.0, 21): (0.256396, 1.642222, 0.851126, -5.530828, -10.229585),
    ("gaussian", None, 84): (0.000136, 0.217856, 0.163230, -0.587265, -0.733417),
    ("student_t", 5.0, 84): (0.004810, 0.378105, 0.258903, -1.218325, -1.844314),
    ("power_law", 3.0, 84): (0.134401, 1.322499, 0.628032, -4.173497, -8.191502),
}


def simulated(law, tail, n_steps, n_paths, seed=3):
    simulator = HedgingErrorSimulator(T=1 / 12, n_steps=n_steps)
    return simulator.simulate(law, n_paths, df=tail or 3.0, alpha=tail or 3.0, seed=seed)


def check_published(key, n_paths, share):
    found = simulated(*key, n_paths)
    mean, deviation, mad, quantile, shortfall = PUBLISHED[key]
    assert found.premium == pytest.approx(2.3029744678024286, abs=1e-12)
    assert -found.mean_error == pytest.approx(mean, abs=5.0 * found.mean_standard_error)
    assert found.mad == pytest.approx(mad, rel=share)
    assert -found.var_99 == pytest.approx(quantile, rel=2.5 * share)
    assert -found.es_99 == pytest.approx(shortfall, rel=4.0 * share)
    if key[0] == "gaussian":  # elsewhere the fourth moment is infinite or hardly finite
        assert found.std_error == pytest.approx(deviation, rel=share)


@pytest.mark.parametrize("key", [key for key in PUBLISHED if key[2] == 21], ids=str)
def test_figures_of_an_independent_simulation(key):
    """At 30,000 paths a MAD is known to 1 % and a 1 % quantile to 2.5 %; three times that."""
    check_published(key, 30_000, 0.03)


@pytest.mark.slow
@pytest.mark.parametrize("key", list(PUBLISHED), ids=str)
def test_figures_of_an_independent_simulation_in_full(key):
    """Both at 100,000 paths."""
    check_published(key, 100_000, 0.02)


@pytest.mark.parametrize(("n_steps", "expected"), [(21, 0.44524984376361043), (84, 0.22262492188180522)])
def test_the_formula_of_derman_and_kamal(n_steps, expected):
    """sqrt(pi/4) vega sigma/sqrt(n); to leading order, so that the simulated one is 4 % below it."""
    simulator = HedgingErrorSimulator(T=1 / 12, n_steps=n_steps)
    assert simulator.theoretical_std == pytest.approx(expected, rel=1e-12)
    found = simulator.simulate("gaussian", 20_000, seed=1)
    assert found.std_error == pytest.approx(expected, rel=0.06)
    assert abs(found.mean_error) < 4.0 * found.mean_standard_error


@pytest.mark.parametrize(("weeks", "expected"), [(4, 0.3742), (2, 0.2693), (0.5, 0.1372)])
def test_performance_of_hulls_hedge(weeks, expected):
    """Standard deviation of the cost over the price; Hull prints .43 .39 .26 .19 .14 .09 from 1,000 paths, which is
    rounding of another experiment: 200,000 paths give the figures here, and so do others' simulations."""
    simulator = HedgingErrorSimulator(49.0, 50.0, 0.2, 20 / 52, int(20 / weeks), rate=0.05, drift=0.13)
    found = simulator.simulate("gaussian", 40_000, seed=2)
    assert found.std_error / found.premium == pytest.approx(expected, rel=0.02)  # known to 0.6 %


def test_every_path_is_the_plain_sum():
    """A path computed again, step by step with exact deltas, has the error that the simulation gave it."""
    simulator = HedgingErrorSimulator(100.0, 103.0, 0.25, 0.3, 11, rate=0.04, drift=0.1, round_trip_cost=0.02)
    for law in ("gaussian", "student_t", "power_law", "jumps", "stochastic_vol"):
        found = simulator.simulate(law, 5_000, seed=5)
        for index in (0, 4_095, 4_096, found.worst_index):
            relative = found.run.path(index)
            left = 0.3 * (1.0 - np.arange(11) / 11)
            spread = 0.25 * np.sqrt(left)
            with np.errstate(divide="ignore"):
                deltas = normal_cdf(
                    np.log(relative[:-1] * 100.0 / (103.0 * math.exp(-0.04 * 0.3))) / spread + spread / 2
                )
            prices = 100.0 * relative
            gain = float(np.sum(deltas * np.diff(prices)))
            costs = 0.01 * float(np.sum(np.abs(np.diff(deltas)) * prices[1:-1]))
            payoff = max(prices[-1] - 103.0 * math.exp(-0.04 * 0.3), 0.0)
            assert found.errors[index] == pytest.approx(payoff - found.premium - gain + costs, abs=1e-6)  # 1e-9 a delta
            replay = found.replay(index)
            assert replay.discounted_cost - found.premium + costs == pytest.approx(found.errors[index], abs=1e-6)
    assert found.replay().prices[-1] > 0.0


def test_one_step_is_a_static_hedge():
    """With one step the error is a function of the last price alone."""
    found = HedgingErrorSimulator(n_steps=1).simulate("gaussian", 1_000, seed=1)
    ends = np.array([100.0 * found.run.path(i)[-1] for i in range(20)])
    delta = normal_cdf(0.5 * 0.2 * math.sqrt(1 / 12))
    expected = np.maximum(ends - 100.0, 0.0) - found.premium - delta * (ends - 100.0)
    assert found.errors[:20] == pytest.approx(expected, abs=1e-7)


# --- the reference's calls ----------------------------------------------------------------------------


def test_the_names_of_the_reference():
    sim = HedgingErrorSimulator(spot=100, strike=100, vol=0.20, T=1.0, n_steps=252)
    results = sim.compare_all(n_paths=2_000, seed=42)
    assert isinstance(results, list)
    assert [each.distribution for each in results] == ["gaussian", "student_t", "power_law"]
    gaussian, student, power = results
    assert gaussian.std_error < student.std_error < power.std_error
    assert 3.0 < gaussian.kurtosis < 7.0 < student.kurtosis
    assert gaussian.n_paths == len(gaussian.errors) == 2_000
    other = HedgingErrorSimulator(S0=100, K=100, sigma=0.2, T=1 / 12, n_steps=20)
    assert other == HedgingErrorSimulator()
    assert (other.spot, other.strike, other.vol, other.T, other.n_steps) == (100.0, 100.0, 0.2, 1 / 12, 20)
    with pytest.raises(TypeError, match="S0"):
        HedgingErrorSimulator(spot=100, S0=100)


def test_the_same_seed_gives_the_same_errors():
    simulator = HedgingErrorSimulator()
    one = simulator.simulate("power_law", n_paths=5_000, alpha=3.0, seed=9)
    assert np.array_equal(one.errors, simulator.simulate("power_law", n_paths=5_000, seed=9).errors)
    assert np.array_equal(one.errors, simulator.compare_all(5_000, 9)[2].errors)
    assert not np.array_equal(one.errors, simulator.simulate("power_law", n_paths=5_000, seed=10).errors)
    a, b = simulator.simulate(n_paths=100), simulator.simulate(n_paths=100)
    assert not np.array_equal(a.errors, b.errors)
    assert a.replay(7).discounted_cost - a.premium == pytest.approx(a.errors[7], abs=1e-6)  # found again without a seed


def test_more_paths_begin_with_the_same_ones():
    simulator = HedgingErrorSimulator()
    few, many = (simulator.simulate("student_t", n, seed=1).errors for n in (4_096, 9_000))
    assert np.array_equal(few, many[:4_096])


# --- measures -----------------------------------------------------------------------------------------


@given(st.lists(st.floats(-100.0, 100.0), min_size=2, max_size=300))
def test_measures_by_their_definitions(values):
    losses = np.array(values)
    found = measures_of(losses)
    assert found.mean_error == pytest.approx(np.mean(losses), abs=1e-12)
    assert found.std_error == pytest.approx(np.std(losses, ddof=1), abs=1e-12)
    assert found.mad <= found.std_error * (1.0 + 1e-12) + 1e-100  # squares underflow
    assert found.worst == losses.max()
    assert found.var_95 <= found.es_95 + 1e-9
    assert found.es_95 <= found.es_99 + 1e-9
    assert found.es_99 <= found.worst + 1e-9
    assert math.isnan(found.kurtosis) or found.kurtosis >= 1.0 - 1e-9


def test_shortfall_of_whole_and_broken_shares():
    losses = np.arange(1.0, 101.0)
    assert measures_of(losses).es_95 == pytest.approx(98.0)  # 96 to 100
    assert measures_of(np.arange(1.0, 31.0)).es_95 == pytest.approx((30.0 + 0.5 * 29.0) / 1.5)
    assert measures_of(losses[::-1].copy()).es_99 == 100.0


def test_quantiles_are_those_of_the_seller():
    found = HedgingErrorSimulator().simulate("power_law", 20_000, seed=4)
    assert found.quantiles[0.95] == found.var_95 == found.quantile(0.95)
    assert found.var_95 > 0.0 > found.quantiles[0.25]  # many small gains, few large losses
    assert found.mean_error < 0.0  # equal variance makes the body thinner than the premium is for
    assert found.es_99 > found.var_99 > found.var_95
    assert found.worst == found.errors[found.worst_index] == found.errors.max()
    with pytest.raises(ModelError, match="is not at least 0 and at most 1"):
        found.quantile(1.5)
    with pytest.raises(ValueError, match="read-only"):
        found.errors[0] = 0.0


# --- laws ---------------------------------------------------------------------------------------------


def test_equal_mad_makes_heavy_tails_wider_than_equal_variance():
    simulator = HedgingErrorSimulator()
    by_variance, by_mad = (simulator.compare_all(5_000, 1, scaling=scaling)[2] for scaling in ("variance", "mad"))
    assert by_mad.std_error > by_variance.std_error
    assert (by_variance.scaling.value, by_mad.scaling.value) == ("variance", "mad")
    assert "mean absolute deviation of the Gaussian" in by_mad.law_words
    heavy = simulator.compare_all(1_000, 1, alpha=1.8)
    assert [each.scaling and each.scaling.value for each in heavy] == [None, "mad", "mad"]  # one for all
    assert "no variance" in heavy[2].notes[0]


def test_many_degrees_of_freedom_are_nearly_gaussian():
    simulator = HedgingErrorSimulator()
    gaussian = simulator.simulate("gaussian", 20_000, seed=1)
    student = simulator.simulate("student_t", 20_000, df=1e6, seed=1)
    assert student.std_error == pytest.approx(gaussian.std_error, rel=0.03)
    assert student.var_99 == pytest.approx(gaussian.var_99, rel=0.05)


def test_the_premium_of_the_right_model_makes_the_mean_error_zero():
    """The mean loss is the price under the law less the Black-Scholes premium: Merton's and Heston's prices say so."""
    simulator = HedgingErrorSimulator(100.0, 105.0, 0.2, 0.25, 13)
    merton = MertonJumpDiffusion(0.12, 4.0, -0.05, 0.08)
    heston = HestonProcess(v0=0.05, kappa=3.0, theta=0.03, sigma=0.4, rho=-0.6)
    for law, process in (("jumps", {"jumps": merton}), ("stochastic_vol", {"heston": heston})):
        found = simulator.simulate(law, 40_000, seed=6, **process)
        (known,) = process.values()
        expected = known.price(100.0, 105.0, 0.25, 0.0) - found.premium
        assert found.mean_error == pytest.approx(expected, abs=4.0 * found.mean_standard_error + 0.002)  # scheme's bias


def test_hedging_at_another_volatility_earns_the_difference_of_premiums():
    """Whatever the delta, the mean loss is the true price less the premium received."""
    found = HedgingErrorSimulator(hedge_vol=0.3).simulate("gaussian", 20_000, seed=1)
    true = black_scholes_price(100.0, 100.0, 1 / 12, 0.0, 0.2)
    assert found.premium == pytest.approx(black_scholes_price(100.0, 100.0, 1 / 12, 0.0, 0.3))
    assert found.mean_error == pytest.approx(true - found.premium, abs=4.0 * found.mean_standard_error)


def test_a_price_of_zero_stays_zero():
    found = HedgingErrorSimulator(vol=1.5, T=1.0, n_steps=4).simulate("power_law", 2_000, alpha=2.2, seed=1)
    assert found.absorbed > 0
    assert f"{found.absorbed:,} of 2,000 paths fell to zero" in found.notes[-1]
    ends = [found.run.path(i) for i in range(200)]
    dead = [path for path in ends if path[-1] == 0.0]
    assert dead
    for path in dead:
        first = int(np.flatnonzero(path == 0.0)[0])
        assert (path[first:] == 0.0).all()
    assert np.isfinite(found.errors).all()


@given(st.floats(0.2, 5.0), st.floats(1.0, 1e4), st.integers(0, 2**32))
def test_errors_scale_with_the_price(moneyness, spot, seed):
    one = HedgingErrorSimulator(1.0, moneyness, n_steps=3).simulate("student_t", 50, seed=seed)
    other = HedgingErrorSimulator(spot, moneyness * spot, n_steps=3).simulate("student_t", 50, seed=seed)
    assert other.errors == pytest.approx(spot * one.errors, rel=1e-9, abs=1e-9 * spot)


# --- rebalancing --------------------------------------------------------------------------------------


def test_gaussian_errors_shrink_with_the_root_of_the_rebalancings():
    found = HedgingErrorSimulator().shrinkage("gaussian", (10, 40, 160), 10_000, seed=1)
    for name in ("std_error", "mad", "var_95", "var_99"):
        assert found.exponents[name] == pytest.approx(-0.5, abs=0.04)
    assert found.n_steps == (10, 40, 160)
    jumps = HedgingErrorSimulator().shrinkage("jumps", (10, 40, 160), 10_000, seed=1)
    assert jumps.exponents["std_error"] > -0.12  # no rebalancing precedes a jump
    power = HedgingErrorSimulator().shrinkage("power_law", (10, 40, 160), 10_000, seed=1)
    assert -0.35 < power.exponents["mad"] < -0.1
    assert math.isnan(HedgingErrorSimulator().shrinkage(n_steps=(5, 10), n_paths=100).exponent_errors["mad"])


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: HedgingErrorSimulator(spot=0.0), "spot=0.0"),
        (lambda: HedgingErrorSimulator(vol=-0.2), "vol=-0.2"),
        (lambda: HedgingErrorSimulator(T=0.0), "T=0.0"),
        (lambda: HedgingErrorSimulator(n_steps=0), "n_steps=0"),
        (lambda: HedgingErrorSimulator(n_steps=2.5), "n_steps=2.5 is not a whole number"),
        (lambda: HedgingErrorSimulator(strike=math.nan), "strike=nan"),
        (lambda: HedgingErrorSimulator(round_trip_cost=1.5), "0.01 for 1 per cent"),
        (lambda: HedgingErrorSimulator().simulate("gauss"), "did you mean gaussian"),
        (lambda: HedgingErrorSimulator().simulate(n_paths=1), "n_paths=1"),
        (lambda: HedgingErrorSimulator().simulate(seed=-1), "seed=-1"),
        (lambda: HedgingErrorSimulator().simulate("power_law", alpha=1.0), "alpha=1.0 is not above 1"),
        (lambda: HedgingErrorSimulator().simulate("student_t", df=0.5), "df=0.5 is not above 1"),
        (lambda: HedgingErrorSimulator().simulate("student_t", df=2.0, scaling="variance"), "there is no variance"),
        (lambda: HedgingErrorSimulator().simulate(scaling="std"), "scaling='std' is unknown"),
        (lambda: HedgingErrorSimulator().simulate("jumps", scaling="mad"), "scaling='mad' is for returns"),
        (
            lambda: HedgingErrorSimulator().simulate(jumps=MertonJumpDiffusion(0.1, 1.0, 0.0, 0.1)),
            "jumps= belongs to distribution='jumps'",
        ),
        (lambda: HedgingErrorSimulator().shrinkage(n_steps=(5, 5)), "two different numbers"),
        (lambda: HedgingErrorSimulator().simulate(n_paths=100, seed=1).replay(100), "paths 0 to 99"),
    ],
)
def test_bad_arguments_are_named(call, said):
    with pytest.raises(ModelError, match=said):
        call()


def test_calls_that_do_not_fit_are_explained():
    with pytest.raises(CallError, match="did you mean n_paths"):
        HedgingErrorSimulator().simulate(n_sims=100)
    wild = HestonProcess(v0=0.04, kappa=0.5, theta=0.04, sigma=1.0, rho=0.9)
    with pytest.raises(SimulationError, match="too long"):
        HedgingErrorSimulator(T=3.0, n_steps=1).simulate("stochastic_vol", 100, heston=wild)


def test_few_paths_are_said_to_be_few():
    assert "200 paths are few" in HedgingErrorSimulator().simulate(n_paths=200, seed=1).notes[0]


# --- shown and exported -------------------------------------------------------------------------------


def test_results_show_and_export_themselves():
    results = HedgingErrorSimulator(n_steps=5).compare_all(1_000, 1)
    assert isinstance(results, HedgeComparison)
    said = " ".join(repr(results).split())
    assert "losses of the option's seller" in said
    assert "power_law" in repr(results)
    rows = list(results.to_table())
    assert [row["distribution"] for row in rows] == ["gaussian", "student_t", "power_law"]
    assert rows[2]["var_95"] == results[2].var_95
    assert next(iter(results[0].to_table()))["scaling"] == ""
    assert "Hedging errors by rebalancings" in repr(HedgingErrorSimulator().shrinkage(n_steps=(2, 4, 8), n_paths=200))


@pytest.mark.parametrize("arguments", [{"rate": -1e4}, {"rate": 1e5}, {"drift": 1e5}])
def test_a_growth_beyond_all_numbers_is_refused(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ModelError, match=f"{name}={value:g}".replace("+", r"\+")):
        HedgingErrorSimulator(**arguments)
