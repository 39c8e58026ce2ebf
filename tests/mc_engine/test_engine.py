"""The engine against closed forms, sums of contributions, what-if scenarios of the graph, and bad input."""

import dataclasses
import io
import math
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy import stats

from bank_python import MCConfig, MonteCarloEngine, build_desk
from bank_python.barbara import BarbaraDB
from bank_python.barbara.records import by_type
from bank_python.dagger import DependencyGraph
from bank_python.errors import MissingKeyError, RiskError, SimulationCancelledError, SimulationError
from bank_python.instruments import Book, Equity, Option, Position
from bank_python.market_data import MarketData
from bank_python.mc_engine import FactorModel, MCResult
from bank_python.mc_engine.draws import draw
from bank_python.mc_engine.greeks_validation import validate_greeks
from bank_python.risk import StressResult, StressResults, expected_shortfall, plan_valuation, value_at_risk
from tests.mc_engine.books import Linear, Mixed

ROOT = Path(__file__).parents[2]
QUICK = {"stresses": (), "validate_greeks": False}
LEVELS = (0.95, 0.99)


def run(held, **config):
    return MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model).run(MCConfig(**QUICK | config))


# --- a linear normal book --------------------------------------------------------------------------


def standard_errors(n, deviation, level):
    """Standard errors of a normal sample's quantile and of the mean beyond it (Manistre and Hancock 2005)."""
    z = stats.norm.ppf(level)
    es = stats.norm.pdf(z) / (1.0 - level)
    var_error = math.sqrt(level * (1.0 - level) / n) / stats.norm.pdf(z)
    spread = 1.0 + z * es - es**2 + level * (es - z) ** 2
    return deviation * var_error, deviation * math.sqrt(spread / (n * (1.0 - level)))


def inside_the_band(held, seeds, n_paths, perturbed=1.0):
    """Whether the mean over seeds of VaR and CVaR lies within its 99.9 % band around the closed form."""
    deviation, bound = held.deviation() * perturbed, stats.norm.ppf(0.9995)
    engine = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model)
    results = [engine.run(MCConfig(n_paths=n_paths, random_seed=seed, chunk=1_000, **QUICK)) for seed in range(seeds)]
    inside = []
    for level in LEVELS:
        z = stats.norm.ppf(level)
        exact = deviation * z, deviation * stats.norm.pdf(z) / (1.0 - level)
        errors = standard_errors(n_paths, deviation, level)
        means = (np.mean([r.tail(level).var for r in results]), np.mean([r.tail(level).es for r in results]))
        for mean, truth, error in zip(means, exact, errors, strict=True):
            inside.append(abs(mean - truth) <= bound * error / math.sqrt(seeds) + truth / n_paths)
    return all(inside), results


@pytest.mark.parametrize("n_paths", [2, 3, 10, 41, 64, 159, 160])
def test_a_few_paths_are_enough_for_an_answer(n_paths):
    graph = DependencyGraph()
    spot = graph.register(MarketData("A_SPOT", 100.0))
    book = graph.register(Book("ANN", [Position("P", instrument=Equity("A", spot_source=spot), quantity=10)]))
    config = MCConfig(n_paths=n_paths, stresses=(), validate_greeks=False, chunk=16)
    result = MonteCarloEngine(book, graph, factor_model=FactorModel.given({"A_SPOT": 0.3})).run(config)
    assert sum(part.es for part in result.by_factor().values()) == pytest.approx(result.cvar_99)
    assert result.by_trader()["ANN"].var == pytest.approx(result.var_99)


def test_a_linear_normal_book_has_its_closed_form_over_200_seeds():
    held = Linear()
    good, results = inside_the_band(held, 200, 4_000)
    assert good
    # The reported standard errors match the spread over seeds.
    for level in LEVELS:
        spread = np.std([r.tail(level).var for r in results])
        reported = np.mean([r.tail(level).var_error for r in results])
        assert reported == pytest.approx(spread, rel=0.2)
        spread = np.std([r.tail(level).es for r in results])
        reported = np.mean([r.tail(level).es_error for r in results])
        assert reported == pytest.approx(spread, rel=0.2)


def test_the_band_is_narrow_enough_to_catch_a_perturbed_engine():
    good, _ = inside_the_band(Linear(), 200, 4_000, perturbed=1.01)
    assert not good


@pytest.mark.parametrize("sampling", ["antithetic", "moment_matched"])
def test_sampling_of_means_does_nothing_for_the_tail(sampling):
    held = Linear()
    engine = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model)
    spreads = {}
    for way in ("plain", sampling):
        found = [
            engine.run(MCConfig(n_paths=4_000, chunk=1_000, random_seed=seed, sampling=way, **QUICK))
            for seed in range(60)
        ]
        spreads[way] = np.std([result.var_99 for result in found])
        means = [float(result.pnl.mean()) for result in found]
        if way != "plain":
            assert np.abs(means).max() < 1e-3 * held.deviation()  # the error of the mean is nearly 0
    assert 0.6 < spreads[sampling] / spreads["plain"] < 1.5


# --- contributions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gbm", "heston", "merton", "student_t"])
def test_contributions_add_up_and_measures_agree_with_the_sample(model):
    held = Mixed()
    result = run(held, n_paths=20_000, model=model, random_seed=3)
    for level in LEVELS:
        tail = result.tail(level)
        assert tail.var == value_at_risk(result.pnl, level)
        assert tail.es == expected_shortfall(result.pnl, level)
        assert tail.es >= tail.var > 0.0
        for parts in (result.by_trader(level), result.by_factor(level)):
            assert sum(part.es for part in parts.values()) == pytest.approx(tail.es, rel=1e-10)
            assert sum(part.var for part in parts.values()) == pytest.approx(tail.var, rel=1e-10)
    assert result.trader_pnl.sum(axis=0) == pytest.approx(result.pnl, rel=1e-12, abs=1e-9)
    for i, (_name, part) in enumerate(result.by_trader().items()):
        without = value_at_risk(result.pnl - result.trader_pnl[i], 0.99)
        assert part.incremental_var == pytest.approx(result.var_99 - without, rel=1e-9)


def test_euler_contributions_are_derivatives_by_scale():
    held = Mixed()
    result = run(held, n_paths=20_000)
    h = 1e-4
    for i, part in enumerate(result.by_trader().values()):
        up, down = (expected_shortfall(result.pnl + k * result.trader_pnl[i], 0.99) for k in (h, -h))
        assert (up - down) / (2.0 * h) == pytest.approx(part.es, rel=2e-3, abs=1e-3 * result.cvar_99)


def test_factor_contributions_of_a_linear_book_follow_from_the_covariance():
    held = Linear()
    result = run(held, n_paths=100_000)
    exposures = held.quantities.sum(axis=0) * held.vols
    shares = exposures * (held.correlation @ exposures) / (exposures @ held.correlation @ exposures)
    parts = result.by_factor()
    assert parts["interaction"].es == pytest.approx(0.0, abs=1e-9 * result.cvar_99)
    for leaf, share in zip(held.leaves, shares, strict=True):
        assert parts[leaf.name].es / result.cvar_99 == pytest.approx(share, abs=0.02)


def test_incremental_risk_of_a_factor_is_the_risk_without_its_move():
    held = Linear()
    result = run(held, n_paths=40_000, random_seed=5)
    engine = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model)
    names = [factor.name for factor in engine.plan().factors]
    draws = draw(engine.prepare(MCConfig(n_paths=40_000, random_seed=5)), names)
    moves = draws.moves[draws.rows([leaf.name for leaf in held.leaves])]
    pnl = held.quantities.sum(axis=0)[:, None] * moves
    for j, leaf in enumerate(held.leaves):
        without = value_at_risk(pnl.sum(axis=0) - pnl[j], 0.99)
        assert result.by_factor()[leaf.name].incremental_var == pytest.approx(result.var_99 - without, rel=1e-6)


# --- comparison with the graph ---------------------------------------------------------------------


def test_scenario_pnl_is_what_a_what_if_of_the_graph_gives():
    desk = build_desk(seed=7)
    engine = MonteCarloEngine(desk.traders, desk.graph)
    config = MCConfig(n_paths=64, chunk=64, random_seed=9, **QUICK)
    result, plan = engine.run(config), engine.plan()
    simulation = engine.prepare(config)
    draws = draw(simulation, [factor.name for factor in plan.factors])
    levels = draws.levels(np.arange(len(plan.factors)), plan.base)
    before = desk.firm_pnl.value
    for s in range(0, 64, 7):
        moved = {factor.name: float(levels[j, s]) for j, factor in enumerate(plan.factors)}
        with desk.graph.scenario(moved):
            assert desk.firm_pnl.value - before == pytest.approx(result.pnl[s], rel=1e-9, abs=1e-6)
            for i, trader in enumerate(desk.traders):
                assert trader.pnl.value == pytest.approx(result.trader_pnl[i, s], rel=1e-9, abs=1e-6)


def test_derivatives_are_close_and_say_how_close():
    held = Mixed()
    full, fast = run(held, n_paths=20_000), run(held, n_paths=20_000, revaluation="delta_gamma")
    assert (full.fast_error, fast.revaluation) == (None, "delta_gamma")
    off = math.sqrt(np.mean(np.sort((fast.pnl - full.pnl)[np.argsort(full.pnl)][:2_000]) ** 2)) / full.var_99
    assert 0.0 < fast.fast_error == pytest.approx(off, rel=0.1)
    assert fast.var_99 == pytest.approx(full.var_99, rel=0.02)


def test_singles_draw_the_same_scenarios():
    held = Mixed()
    double, single = run(held, n_paths=50_000), run(held, n_paths=50_000, dtype="float32")
    assert single.pnl.dtype == np.float32
    assert abs(single.var_99 - double.var_99) < 0.05 * double.tail(0.99).var_error
    assert np.abs(single.pnl - double.pnl).max() < 1e-3 * double.var_99
    for level in (0.99, 0.999):  # as many losses beyond the quantile in double precision
        beyond = value_at_risk(double.pnl, level)
        assert abs(int((single.pnl < -beyond).sum()) - int((double.pnl < -beyond).sum())) <= 2


def test_time_may_pass():
    held = Mixed()
    still, rolled = run(held, n_paths=4_000), run(held, n_paths=4_000, roll_clock=True, horizon=1.0 / 252.0)
    assert not np.array_equal(still.pnl, rolled.pnl)


# --- Greeks, stored results, views -----------------------------------------------------------------


def test_simulated_greeks_agree_with_closed_forms_and_disagree_with_wrong_ones():
    held = Mixed()
    result = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model).run(
        MCConfig(n_paths=100_000, stresses=())
    )
    assert {(check.greek, check.method) for check in result.greek_checks} == {
        ("delta", "pathwise"),
        ("delta", "likelihood ratio"),
        ("delta", "bumped"),
        ("gamma", "mixed"),
        ("vega", "pathwise"),
    }
    scores = np.array([check.z_score for check in result.greek_checks])
    assert len(scores) >= 60
    assert np.abs(scores).max() < 4.5
    wrong = [abs(check.simulated - 1.05 * check.analytic) / check.error for check in result.greek_checks]
    assert max(wrong) > 10.0


def test_every_run_stores_a_version(tmp_path):
    held = Mixed()
    with BarbaraDB.open("desk", path=tmp_path / "risk.db") as db:
        engine = MonteCarloEngine(held.books, held.graph, db, factor_model=held.factor_model)
        with pytest.raises(MissingKeyError):
            engine.stored("merton")
        first = engine.run(MCConfig(n_paths=2_000, random_seed=1))
        second = engine.run(MCConfig(n_paths=2_000, random_seed=2))
    with BarbaraDB.open("desk", path=tmp_path / "risk.db") as db:
        kept = MonteCarloEngine(held.books, held.graph, db).stored("gbm")
    assert isinstance(kept, MCResult)
    assert (kept.var_99, kept.cvar_95, kept.random_seed) == (second.var_99, second.cvar_95, 2)
    assert np.array_equal(kept.pnl, second.pnl)
    # By repr, as NaNs are not equal.
    assert repr((kept.traders, kept.factors)) == repr((second.traders, second.factors))
    assert kept.stresses == second.stresses
    assert kept.greek_checks == second.greek_checks
    assert kept.trader_pnl is None
    assert first.var_99 != second.var_99


def test_views_tables_and_pictures(tmp_path):
    held = Mixed()
    engine = MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model)
    result = engine.run(MCConfig(n_paths=4_000, revaluation="delta_gamma"))
    file = io.StringIO()
    Console(file=file, width=100).print(result)
    shown = file.getvalue()
    for text in ("Monte Carlo, gbm: 4,000 scenarios", f"{result.var_99:,.0f}", "ANN", "S0_SPOT", "COVID crash"):
        assert text in shown
    rows = list(result.to_table())
    figures = {(row["kind"], row["name"], row["figure"]): row["value"] for row in rows}
    assert figures["firm", "firm", "var_99%"] == result.var_99
    assert figures["trader", "ANN", "cvar_95%"] == result.by_trader(0.95)["ANN"].es
    assert figures["stress", "gfc_2008", "pnl"] == result.stresses[0].pnl
    assert figures["stress", "gfc_2008", "covered"] == result.stresses[0].covered
    counts, edges = result.histogram(30)
    assert (counts.sum(), len(edges)) == (4_000, 31)
    pytest.importorskip("matplotlib")
    for ending in ("png", "svg"):
        result.plot(tmp_path / f"risk.{ending}")
        assert (tmp_path / f"risk.{ending}").stat().st_size > 5_000


@settings(max_examples=40, deadline=None)
@given(
    shift=st.floats(-1e3, 1e3),
    scale=st.floats(1e-3, 1e3),
    pnl=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=200),
    level=st.sampled_from([0.9, 0.95, 0.975, 0.99]),
)
def test_measures_are_coherent_where_they_should_be(shift, scale, pnl, level):
    sample = np.array(pnl)
    var, es = value_at_risk(sample, level), expected_shortfall(sample, level)
    assert es >= var - 1e-9 * max(1.0, abs(var))
    assert value_at_risk(sample + shift, level) == pytest.approx(var - shift, rel=1e-9, abs=1e-6)
    assert expected_shortfall(sample * scale, level) == pytest.approx(scale * es, rel=1e-9, abs=1e-6)
    assert value_at_risk(sample * scale, level) == pytest.approx(scale * var, rel=1e-9, abs=1e-6)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_paths": 0}, r"n_paths=0 is not a whole number of at least 2"),
        ({"n_paths": 2.5}, r"n_paths=2\.5"),
        ({"random_seed": -1}, "random_seed=-1"),
        ({"n_steps": 0}, "n_steps=0"),
        ({"chunk": 1}, "chunk=1"),
        ({"model": "garch"}, "model='garch'; choose one of 'gbm', 'heston'"),
        ({"horizon": 0.0}, r"horizon=0\.0"),
        ({"horizon": math.nan}, "horizon=nan"),
        ({"dtype": "float16"}, "dtype='float16'"),
        ({"sampling": "sobol"}, "sampling='sobol'"),
        ({"revaluation": "delta"}, "revaluation='delta'"),
    ],
)
def test_an_invalid_configuration_raises_an_error(config, message):
    with pytest.raises(SimulationError, match=message):
        MCConfig(**config)


def test_what_cannot_be_simulated_is_refused_by_name():
    held = Mixed()
    without = FactorModel.given({"S0_SPOT": 0.3})
    with pytest.raises(SimulationError, match=r"no factor model for .*SOFR.*give a FactorModel"):
        MonteCarloEngine(held.books, held.graph, factor_model=without).run()
    with pytest.raises(SimulationError, match="FACTOR_MODEL"):
        MonteCarloEngine(held.books, held.graph).run()
    with pytest.raises(SimulationError, match="there are no holdings"):
        MonteCarloEngine([Book("EMPTY", [])], held.graph, factor_model=held.factor_model).run()
    with pytest.raises(RiskError, match="is neither trader nor book"):
        MonteCarloEngine(["Alice"], held.graph)
    with pytest.raises(SimulationError, match="no residuals"):
        run(held, model="bootstrap")
    with pytest.raises(RiskError, match="no stress scenario 'gfc'"):
        run(held, n_paths=1_000, stresses=("gfc",))
    with pytest.raises(RiskError, match=r"no measures at 0\.5"):
        run(held, n_paths=1_000).tail(0.5)


def test_a_position_without_a_value_fails_the_whole():
    graph = DependencyGraph()
    good, bad = graph.register(MarketData("A_SPOT", 100.0)), graph.register(MarketData("B_SPOT"))
    book = Book("ANN", [Position("P", instrument=Equity("A", spot_source=good), quantity=1.0)])
    book.add(Position("Q", instrument=Equity("B", spot_source=bad), quantity=1.0))
    graph.register(book)
    factor_model = FactorModel.given({"A_SPOT": 0.2, "B_SPOT": 0.2})
    with pytest.raises(RiskError, match="Q has no opening mark"):
        MonteCarloEngine([book], graph, factor_model=factor_model).run()


def test_a_contract_without_a_price_in_some_scenario_fails_the_whole():
    held = Mixed()
    vols = dict.fromkeys(held.factor_model.names, 0.1)
    factor_model = FactorModel.given(vols, absolute=set(vols) - {"EURUSD_SPOT"})
    shaken = FactorModel.given({**vols, "S0_VOL": 5.0}, absolute=set(vols) - {"EURUSD_SPOT"})
    MonteCarloEngine(held.books, held.graph, factor_model=factor_model).run(MCConfig(n_paths=1_000, **QUICK))
    with pytest.raises(SimulationError, match=r"S0_\d has no price in scenario \d+: vol=-.* is negative"):
        MonteCarloEngine(held.books, held.graph, factor_model=shaken).run(MCConfig(n_paths=4_000, **QUICK))


def test_cancelled_in_the_middle_nothing_is_handed_back():
    held, stop, seen = Mixed(), threading.Event(), []

    def progress(done, total):
        seen.append((done, total))
        if done == 2:
            stop.set()

    with pytest.raises(SimulationCancelledError, match="cancelled after 2 of 50 chunks") as caught:
        run(held, n_paths=50_000, chunk=1_000, progress=progress, cancel=stop)
    assert (caught.value.done, caught.value.total) == (2, 50)
    assert seen == [(1, 50), (2, 50)]


def test_an_error_of_the_callers_progress_comes_through():
    with pytest.raises(ZeroDivisionError):
        run(Mixed(), n_paths=8_000, chunk=1_000, progress=lambda done, _total: done / 0)


def test_two_shares_have_the_textbooks_value_at_risk():
    # Hull, Options, Futures, and Other Derivatives, chapter on value at risk, the two-asset example: 10 million of one
    # share (2 % a day) and 5 million of another (1 %), correlation 0.3, ten days, 99 %: 1,620,100.
    graph = DependencyGraph()
    leaves = [graph.register(MarketData(name, 1.0)) for name in ("MSFT_SPOT", "T_SPOT")]
    sizes = (10e6, 5e6)
    held = [
        Position(f"HELD:{leaf.name}", instrument=Equity(leaf.name[:-5], spot_source=leaf), quantity=size, cost=1.0)
        for leaf, size in zip(leaves, sizes, strict=True)
    ]
    book = graph.register(Book("HULL", held))
    daily = {"MSFT_SPOT": 0.02 * math.sqrt(252.0), "T_SPOT": 0.01 * math.sqrt(252.0)}
    factor_model = FactorModel.given(daily, [[1.0, 0.3], [0.3, 1.0]], absolute=set(daily))
    result = MonteCarloEngine([book], graph, factor_model=factor_model).run(
        MCConfig(n_paths=400_000, horizon=10.0 / 252.0, **QUICK)
    )
    assert abs(result.var_99 - 1_620_100.0) < 4.0 * result.tail(0.99).var_error
    deviation = math.sqrt(200_000.0**2 + 50_000.0**2 + 2 * 0.3 * 200_000.0 * 50_000.0) * math.sqrt(10.0)
    assert stats.norm.ppf(0.99) * deviation == pytest.approx(1_620_100.0, abs=1_700.0)


INTERRUPTED = """
import os, signal, sys, time
from bank_python import MCConfig, MonteCarloEngine
from tests.mc_engine.books import Mixed

held = Mixed()
def progress(done, total):
    if done == 3:
        os.kill(os.getpid(), signal.SIGINT)
try:
    MonteCarloEngine(held.books, held.graph, factor_model=held.factor_model).run(
        MCConfig(n_paths=4_000_000, chunk=4_000, progress=progress, stresses=(), validate_greeks=False)
    )
except KeyboardInterrupt:
    sys.exit(9)
"""


def test_ctrl_c_ends_a_run_at_once():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (9, "")


def test_progress_is_reported_and_shown_on_a_terminal_only(capsys):
    from bank_python.render_risk import progress_bar

    seen = []
    run(Mixed(), n_paths=8_000, chunk=2_000, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with progress_bar("simulating") as bar:
        run(Mixed(), n_paths=8_000, chunk=2_000, progress=bar)
    assert capsys.readouterr() == ("", "")


def test_an_option_that_pays_in_no_path_has_no_estimate_to_check():
    spot = MarketData("S_SPOT", 100.0)
    terms = {"spot_source": spot, "vol_source": MarketData("S_VOL", 0.2), "rate_source": 0.0, "expiry": 0.2 / 365}
    near, far = (Option(f"C{strike:g}", strike=strike, **terms) for strike in (100.0, 103.0))
    held = [Position(f"P{option.name}", instrument=option, quantity=1.0, cost=1.0) for option in (near, far)]
    checks = validate_greeks(plan_valuation([Book("BOOK", held)]), n_paths=2_000, seed=1)
    assert far.value > 0.0
    assert {check.contract for check in checks} == {"C100"}
    assert all(math.isfinite(check.z_score) for check in checks)


def test_results_of_earlier_versions_are_read():
    result = run(Linear(), n_paths=100)
    fields = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    old = StressResult("covid_2020", "COVID crash", -1.0, {"A": -1.0}, 1, 0)
    of_version_2 = {**fields, "stresses": (old,)}
    of_version_1 = {"law" if name == "factor_model" else name: value for name, value in of_version_2.items()}
    upgrade = by_type(MCResult).upgrade
    for version, record in ((1, of_version_1), (2, of_version_2)):
        now = MCResult(**upgrade(record, version))
        assert now.factor_model == "given"
        assert now.stresses == (old,)
        assert isinstance(now.stresses, StressResults)
