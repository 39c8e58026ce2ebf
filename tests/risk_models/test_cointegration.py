"""Engle-Granger, Johansen, scans of pairs: statsmodels, recorded figures of four pairs of shares, simulated walks."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from importlib.util import find_spec
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.stattools import coint
from statsmodels.tsa.vector_ar.vecm import VECM, coint_johansen

from bank_python.errors import BankError, CalibrationError, ModelError
from bank_python.numerics import holm_p_values
from bank_python.risk_models import engle_granger, half_life, johansen, mackinnon_critical_values, scan_pairs
from bank_python.risk_models.aligned_series import align_series
from bank_python.risk_models.johansen_tables import LARGEST_EIGENVALUE, TRACE
from bank_python.risk_models.pair_scan import _test_all

# statsmodels 0.15 on the last 1,000 log prices (to 2022-12-28) of skfolio's S&P 500 data: intercept, hedge ratio, t and
# p of coint(maxlag=1, autolag=None), AR(1) coefficient and half-life of the spread, both trace and both largest
# eigenvalue statistics of coint_johansen(0, 1), and its hedge ratio.
RECORDED = {
    ("CVX", "XOM"): (
        *(1.4461963601159726, 0.7893335851812948, -3.0240089693583374, 0.10460828851886739),
        *(0.9792828415984839, 33.10985490725514, 9.68551275006329, 0.047398883119470714),
        *(9.63811386694382, 0.047398883119470714, 0.78311486871272),
    ),
    ("JPM", "BAC"): (
        *(1.8808279290191021, 0.8351844373806478, -1.8798701687076245, 0.5901805118426708),
        *(0.9921511201135295, 87.96457629501788, 8.63561248590526, 3.6834937578114904),
        *(4.952118728093769, 3.6834937578114904, 0.9691190041715738),
    ),
    ("HD", "WMT"): (
        *(-1.37187941899725, 1.4325498461848956, -3.4639145450189748, 0.035731179536825176),
        *(0.9814539536519512, 37.026735710141885, 18.039949607822123, 3.851335233910308),
        *(14.188614373911813, 3.851335233910308, 1.789983981699099),
    ),
    ("MRK", "PFE"): (
        *(2.831856939029129, 0.40774320894813876, -1.4288267221127633, 0.7874615501757389),
        *(0.9916820087705897, 82.98402249011892, 3.7680222347007293, 0.13076937572797526),
        *(3.637252858972754, 0.13076937572797526, 0.744254335310418),
    ),
}
DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(300)]


@pytest.fixture(scope="module")
def shares():
    """Return the prices that come with skfolio, without importing the rest of it."""
    found = find_spec("skfolio")
    if found is None:
        pytest.skip("skfolio is not installed")
    path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "sp500_dataset.csv.gz"
    return pd.read_csv(path, index_col=0, parse_dates=True).iloc[-1000:]


def walks(count=300, series=4, seed=1):
    """Return random walks, shape (count, series), of which the second one follows the first."""
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=(count, series)).cumsum(axis=0)
    levels[:, 1] = 2.0 + 0.5 * levels[:, 0] + rng.normal(size=count)
    return levels


WALKS = walks()
Y, X = WALKS[:, 1], WALKS[:, 0]


@pytest.mark.parametrize("pair", RECORDED, ids="-".join)
def test_four_pairs_of_shares_have_the_recorded_figures(shares, pair):
    intercept, ratio, t, p, phi, half, *others = RECORDED[pair]
    test = engle_granger(shares[pair[0]], shares[pair[1]], 1, take_logs=True)
    assert test.names == pair
    assert (test.intercept, test.hedge_ratio) == pytest.approx((intercept, ratio), rel=1e-10)
    assert (test.statistic, test.p_value) == pytest.approx((t, p), rel=1e-9)
    assert (test.phi, test.half_life) == pytest.approx((phi, half), rel=1e-9)
    found = johansen(shares[[*pair]], 1, take_logs=True)
    statistics = [*found.trace_statistics, *found.max_statistics, -found.weights[1, 0]]
    assert statistics == pytest.approx(others, rel=1e-9)


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("lags", [0, 2, None, "bic"])
def test_engle_granger_is_that_of_statsmodels(trend, lags):
    told = {"maxlag": lags, "autolag": None} if isinstance(lags, int) else {"autolag": lags or "aic"}
    for others in ([0], [0, 2], [0, 2, 3]):
        t, p, limits = coint(Y, WALKS[:, others], trend=trend, **told)
        test = engle_granger(Y, WALKS[:, others], lags, trend)
        assert (test.statistic, test.p_value) == pytest.approx((t, p), rel=1e-8)
        assert [*test.critical_values.values()] == pytest.approx(limits, abs=1e-12)
        time = np.arange(len(Y)) if trend == "ct" else np.zeros(len(Y))
        fitted = test.intercept + test.slope * time + WALKS[:, others] @ test.hedge_ratios
        assert pytest.approx(Y - fitted, abs=1e-10) == test.spread
        terms = np.column_stack([np.ones(len(Y)), *([time] if trend == "ct" else []), WALKS[:, others]])
        assert terms.T @ test.spread == pytest.approx(np.zeros(terms.shape[1]), abs=1e-7)


def test_the_other_directions_are_tested_too():
    test = engle_granger(WALKS[:, 1], WALKS[:, [0, 2]], 1)
    for j, others in ((0, [1, 2]), (1, [1, 0])):
        other = engle_granger(WALKS[:, [0, 2][j]], WALKS[:, others], 1)
        assert test.other_statistics[j] == pytest.approx(other.statistic, rel=1e-9)
        assert test.other_p_values[j] == pytest.approx(other.p_value, rel=1e-9)
    assert test.order_matters
    assert any(said.startswith("the order matters: with x2 on the left t = ") for said in test.remarks)
    assert not engle_granger(Y, X).order_matters


def test_what_is_found_is_said():
    test = engle_granger(Y, X, 1, names=["F", "A"])
    assert test.verdict.startswith("cointegrated at 1%: t = -")
    assert test.is_cointegrated(0.01)
    assert test.remarks[0].startswith("half-life ")
    assert "among many pairs" in test.remarks[-1]
    assert test.score == pytest.approx(test.spread[-1] / test.spread.std(ddof=1))
    assert [row["series"] for row in test.to_table().to_list()] == ["F", "A"]
    none = engle_granger(WALKS[:, 2], X, 1)
    assert none.verdict.startswith("no cointegration found: t = ")
    assert not none.is_cointegrated(0.1)
    assert "a hedge ratio is negative: that series is bought" in " ".join(engle_granger(-Y, X).remarks)


def test_walks_that_have_nothing_in_common_are_found_as_often_as_stated():
    limits = mackinnon_critical_values("c", 2, 99)
    many = np.random.default_rng(5).normal(size=(1_000, 2, 100)).cumsum(axis=2)
    statistics = np.array([_test_all(pair.T, ["a", "b"], 0, "c").statistics[0] for pair in many])
    for level, limit in limits.items():
        assert np.mean(statistics < limit) == pytest.approx(level, abs=3.0 * math.sqrt(level * (1.0 - level) / 1_000))


@settings(max_examples=20, deadline=None)
@given(units=st.tuples(*[st.sampled_from([1e-12, 0.01, 1.0, 1e12])] * 2), shift=st.floats(-50.0, 50.0))
def test_units_and_origins_do_not_matter(units, shift):
    plain, scaled = engle_granger(Y, X, 1), engle_granger(units[0] * (Y + shift), units[1] * X, 1)
    assert scaled.statistic == pytest.approx(plain.statistic, rel=1e-8)
    assert scaled.hedge_ratio == pytest.approx(plain.hedge_ratio * units[0] / units[1], rel=1e-8)
    both = np.column_stack([units[0] * (Y + shift), units[1] * X])
    assert johansen(both).trace_statistics == pytest.approx(johansen(WALKS[:, [1, 0]]).trace_statistics, rel=1e-8)


def test_series_are_aligned_by_their_dates():
    frame = pd.DataFrame(WALKS[:, :2], columns=["A", "F"], index=pd.DatetimeIndex(DAYS))
    expected = engle_granger(Y[20:290], X[20:290], 1)
    for y, x in (
        (frame["F"].iloc[20:], frame["A"].iloc[:290]),
        (dict(zip(DAYS[20:], Y[20:], strict=True)), dict(zip(DAYS[:290], X[:290], strict=True))),
        (frame["F"].iloc[20:], frame[["A"]].iloc[:290]),
    ):
        test = engle_granger(y, x, 1)
        assert test.statistic == pytest.approx(expected.statistic, rel=1e-12)
        assert (test.dropped, len(test.dates), test.dates[0]) == (30, 270, DAYS[20])
        assert "30 dates left out, as not all series have them" in test.remarks
    assert johansen([frame["F"].iloc[20:], frame["A"]]).dropped == 20
    gap = frame["A"].copy()
    gap.iloc[3] = math.nan
    assert engle_granger(frame["F"].iloc[20:], gap, 1).dropped == 20  # the gap is on a date that is left out


def test_each_mapping_has_its_own_dates():
    """A list of dates that has gone often leaves its number in memory to the next one; which, depends on chance."""
    for n in range(60):
        begins = [(7 * n + i * i) % 50 for i in range(6)]
        found = align_series({f"S{i}": dict(zip(DAYS[k:], Y[k:], strict=True)) for i, k in enumerate(begins)})
        assert found.dates == tuple(DAYS[max(begins) :])
        assert np.array_equal(found.values, np.tile(Y[max(begins) :, None], 6))


@pytest.mark.parametrize("trend", ["n", "c", "ct"])
def test_johansen_is_the_likelihood_ratio_of_the_error_correction_models(trend):
    # statsmodels removes trends from levels beforehand, and without lags takes the present level: there it differs.
    place, term = {"n": (-1, "n"), "c": (0, "co"), "ct": (1, "colo")}[trend]
    for lags, columns in ((0, [0, 1]), (1, [0, 1, 2]), (2, [0, 1, 2, 3])):
        levels = WALKS[:, columns] + (10.0 if trend != "n" else 0.0)
        found = johansen(levels, lags, trend)
        k = len(columns)
        fits = [VECM(levels, k_ar_diff=lags, coint_rank=rank, deterministic=term).fit() for rank in range(1, k + 1)]
        ratios = [2.0 * (fits[-1].llf - fit.llf) for fit in fits[:-1]]
        assert found.trace_statistics[1:] == pytest.approx(ratios, rel=1e-7, abs=1e-9)
        assert found.weights[:, 0] == pytest.approx(fits[0].beta[:k, 0], rel=1e-7)
        if lags:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = coint_johansen(levels, place, lags)
            near = {"abs": 0.5} if trend == "ct" else {"rel": 1e-8}
            assert found.trace_statistics == pytest.approx(theirs.lr1, **near)
            assert found.max_statistics == pytest.approx(theirs.lr2, **near)
            assert found.trace_critical_values == pytest.approx(theirs.cvt, abs=1e-12)
            assert found.max_critical_values == pytest.approx(theirs.cvm, abs=1e-12)
            if trend != "ct":
                assert np.abs(found.vectors) == pytest.approx(np.abs(theirs.evec), rel=1e-6)


def test_johansens_critical_values_are_those_published():
    # MacKinnon, Haug and Michelis (1999), case III, one, two and four variables less the rank.
    assert TRACE["c"][0] == LARGEST_EIGENVALUE["c"][0] == (2.7055, 3.8415, 6.6349)
    assert (TRACE["c"][1], LARGEST_EIGENVALUE["c"][1]) == ((13.4294, 15.4943, 19.9349), (12.2971, 14.2639, 18.52))
    assert (TRACE["c"][3], LARGEST_EIGENVALUE["c"][3]) == ((44.4929, 47.8545, 54.6815), (25.1236, 27.5858, 32.7172))


def test_johansen_finds_as_many_vectors_as_there_are():
    rng = np.random.default_rng(2)
    walk = rng.normal(size=(600, 4)).cumsum(axis=0)
    noise = rng.normal(size=(600, 4))
    three = np.column_stack([walk[:, 0] + noise[:, 0], 2.0 * walk[:, 0] + noise[:, 1], walk[:, 1]])
    assert [johansen(levels).rank() for levels in (walk, three, noise)] == [0, 1, 4]
    assert johansen(three).rank(0.01, "max") == 1
    assert johansen(three).weights[:, 0] == pytest.approx([1.0, -0.5, 0.0], abs=0.02)
    assert johansen(noise).verdict.endswith("with as many as series, all of them are stationary")
    assert johansen(walk).verdict == "no cointegrating vector at 5% by both statistics"
    assert len(johansen(three).to_table()) == 3


def test_a_first_series_without_a_weight_is_no_unit():
    # The first series is no part of the vector: the weights are those of the others.
    levels = np.column_stack([1e9 * WALKS[:, 2], WALKS[:, 1], WALKS[:, 0]])
    weights = johansen(levels).weights
    assert np.abs(weights[:, 0]).max() == pytest.approx(1.0)
    assert weights[2, 0] / weights[1, 0] == pytest.approx(-0.5, abs=0.03)


@pytest.mark.parametrize("trend", ["c", "ct"])
@pytest.mark.parametrize("lags", [1, "aic"])
def test_a_scan_is_all_the_single_tests(lags, trend):
    prices = {name: np.exp(0.01 * WALKS[:, j]) for j, name in enumerate("ABCD")}
    scan = scan_pairs(prices, lags, trend)
    single = {
        (y, x): engle_granger(prices[y], prices[x], lags, trend, take_logs=True) for y, x in permutations("ABCD", 2)
    }
    adjusted = dict(zip(single, holm_p_values([test.p_value for test in single.values()]), strict=True))
    assert (len(scan), scan.tests) == (6, 12)
    for y, x in combinations("ABCD", 2):
        best = min((y, x), (x, y), key=lambda pair: single[pair].statistic)
        pair, test = scan[y, x], single[best]
        assert (pair.y, pair.x, pair.lags) == (*best, test.lags)
        figures = (pair.statistic, pair.p_value, pair.hedge_ratio, pair.phi, pair.half_life, pair.score)
        expected = (test.statistic, test.p_value, test.hedge_ratio, test.phi, test.half_life, test.score)
        assert figures == pytest.approx(expected, rel=1e-7)
        assert pair.adjusted_p_value == pytest.approx(adjusted[best], rel=1e-7)
        halves = [
            engle_granger(prices[best[0]][part], prices[best[1]][part], 0, trend, take_logs=True).hedge_ratio
            for part in (slice(150), slice(150, 300))
        ]
        assert (pair.first_half, pair.second_half) == pytest.approx(halves, rel=1e-8)
    assert [pair.statistic for pair in scan] == sorted(pair.statistic for pair in scan)
    chosen = [pair for pair in scan if pair.adjusted_p_value < 0.05 and pair.is_stable and pair.half_life <= 3.0]
    assert list(scan.selected(longest_half_life=3.0)) == chosen
    assert {chosen[0].y, chosen[0].x} == {"A", "B"}
    assert len(scan.to_table()) == 6


def test_a_scan_of_nothing_finds_nothing():
    found = 0
    for seed in range(20):
        levels = np.random.default_rng(seed).normal(size=(200, 6)).cumsum(axis=0)
        scan = scan_pairs(levels, take_logs=False)
        found += bool(scan.selected(stable=False))
    assert found <= 3  # 20 scans with a probability of at most 5 %: more than three in 1.6 % of cases


def test_a_hedge_ratio_that_changes_is_unstable():
    rng = np.random.default_rng(3)
    x = rng.normal(size=400).cumsum()
    turned = np.where(np.arange(400) < 200, 1.0, 0.5) * x + 0.1 * rng.normal(size=400)
    lasting = x + 0.1 * rng.normal(size=400)
    scan = scan_pairs(np.column_stack([x, turned, lasting]), take_logs=False, names=["x", "turned", "lasting"])
    assert scan["x", "lasting"].is_stable
    assert not scan["turned", "x"].is_stable
    assert half_life(lasting - x).half_life < 1.0


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: engle_granger(Y, X[:-1]), ModelError, "y has 300 values and x 299; give series of the same periods"),
        (lambda: engle_granger(pd.Series(Y, DAYS).pipe(dated), X), ModelError, "y has dates and x has none"),
        (lambda: engle_granger(pd.Series(Y), pd.Series(X, range(5, 305))), ModelError, "the indexes of y and x differ"),
        (lambda: engle_granger(dict(zip(DAYS[:150], Y, strict=False)), dict(zip(DAYS[150:], X, strict=False))),
         ModelError, r"no date in common \(y 2025-01-01 to 2025-05-30; x 2025-05-31 to"),
        (lambda: engle_granger(dict(zip(DAYS[::-1], Y, strict=True)), dict(zip(DAYS, X, strict=True))),
         BankError, "give ascending dates"),
        (lambda: engle_granger(dict.fromkeys(DAYS, math.nan), dict(zip(DAYS, X, strict=True))), ModelError,
         r"y: row 0 \(2025-01-01\) is nan"),
        (lambda: engle_granger(Y, np.where(np.arange(300) == 7, math.inf, X)), ModelError, "x: row 7 is inf"),
        (lambda: engle_granger(Y, X, take_logs=True), ModelError, "it has no logarithm: give prices above 0"),
        (lambda: engle_granger(Y, [1.0] * 300), CalibrationError, "x does not vary"),
        (lambda: engle_granger(Y, 1e8 + 1e-8 * X), CalibrationError, "x does not vary"),
        (lambda: engle_granger(Y, 3.0 - 2.0 * Y), CalibrationError, "y is a linear function of x, to rounding"),
        (lambda: engle_granger(Y, np.column_stack([X, WALKS[:, 2], X + WALKS[:, 2]])), CalibrationError,
         "x3 is a linear function of the series before it, to rounding"),
        (lambda: engle_granger(Y, np.arange(300.0), trend="ct"), CalibrationError, "x is a straight line"),
        (lambda: engle_granger(np.sin(np.arange(300.0)), np.arange(300.0), 4), CalibrationError, "its own past"),
        (lambda: engle_granger(Y[:19], X[:19]), ModelError, r"19 values are fewer than 20 \(y 19, x 19\)"),
        (lambda: engle_granger(Y, np.tile(X[:, None], 6)), ModelError, "y and 6 for x; give one, and one to 5"),
        (lambda: engle_granger(Y, X, trend="n"), ModelError, "no trend 'n'; give one of c, ct"),
        (lambda: engle_granger(Y, X, 200), ModelError, "lags=200 is outside"),
        (lambda: engle_granger(Y, X, names=["A"]), ModelError, "1 names for 2 series"),
        (lambda: engle_granger(Y, X, names=["A", "A"]), ModelError, "have the same name; give names="),
        (lambda: engle_granger(Y, "XOM"), ModelError, "holds no series; give a data frame"),
        (lambda: engle_granger(Y, {"A": "text"}), ModelError, "A has no numbers"),
        (lambda: engle_granger(Y, X).is_cointegrated(0.2), ModelError, "no critical value for significance=0.2"),
        (lambda: engle_granger(Y, WALKS[:, [0, 2]]).hedge_ratio, ModelError, "there are 2 hedge ratios"),
        (lambda: johansen(Y), ModelError, "1 series; give 2 to 12"),
        (lambda: johansen(WALKS.T), ModelError, "300 series; give 2 to 12, each in a column"),
        (lambda: johansen(np.column_stack([Y, X, X - Y])), CalibrationError, "series3: to rounding a linear function"),
        (lambda: johansen(WALKS, 60), ModelError, r"lags=60 is outside \[0, 57\], which 300 rows of 4 series allow"),
        (lambda: johansen(WALKS, trend="x"), ModelError, "no trend 'x'"),
        (lambda: johansen(WALKS).rank(0.2), ModelError, "no critical values for significance=0.2; give one of 0.1"),
        (lambda: johansen(WALKS).rank(0.05, "mean"), ModelError, "no statistic 'mean'"),
        (lambda: johansen({"A": Y, "B": np.arange(300.0)}, trend="ct"), CalibrationError, "B: to rounding a linear"),
        (lambda: scan_pairs(Y), ModelError, "1 prices make no pair"),
        (lambda: scan_pairs(WALKS), ModelError, "it has no logarithm: give prices above 0, or take_logs=False"),
        (lambda: scan_pairs(WALKS.T, take_logs=False), ModelError, r"4 values are fewer than 40 \(series1 4,.*…\)"),
        (lambda: scan_pairs({"A": Y, "B": X, "C": 2.0 * X}, take_logs=False), CalibrationError, "linear function of"),
        (lambda: scan_pairs({"A": Y, "B": np.maximum(np.arange(300.0), 160.0)}, take_logs=False), CalibrationError,
         "B in the first half does not vary"),
        (lambda: scan_pairs({"A": Y, "B": np.arange(300.0)}, trend="ct", take_logs=False), CalibrationError,
         "B in the first half is a linear function of time"),
        (lambda: scan_pairs(WALKS, most_change=-1.0), ModelError, "most_change=-1.0 is no share"),
        (lambda: scan_pairs(WALKS, names=["A", "A", "B", "C"]), ModelError, "two series are called 'A'"),
        (lambda: scan_pairs(WALKS, take_logs=False)["A", "B"], ModelError, r"there is no pair \('A', 'B'\)"),
        (lambda: scan_pairs(WALKS, take_logs=False).selected(1.5), ModelError, r"significance=1.5 is outside \(0, 1\)"),
        (lambda: scan_pairs(WALKS, take_logs=False).selected(longest_half_life=0.0), ModelError, "is not above 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_tested_is_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def dated(series):
    return series.set_axis(pd.DatetimeIndex(series.index))
