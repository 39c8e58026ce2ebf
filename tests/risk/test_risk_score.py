"""Risk score, grade, lift and history: published edges, the example of the brief, brute force and bad input."""

from __future__ import annotations

import datetime as dt
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import RiskError
from bank_python.macro import STATED_PERCENTILES
from bank_python.risk import (
    RISK_GRADES,
    RISK_WEIGHTS,
    SCORE_INPUTS,
    RiskScoreHistory,
    ScoreScale,
    component_scores,
    gross_by_underlying,
    herfindahl,
    risk_grade,
    risk_score,
)
from tests.api.valid_arguments import BOOK

NAMES = list(RISK_WEIGHTS)
EXAMPLE = {"market_vol": 4.0, "credit": 6.0, "liquidity": 2.0, "concentration": 8.0, "macro": 5.0}
SCORES = st.lists(st.floats(0.0, 10.0), min_size=5, max_size=5).map(lambda row: dict(zip(NAMES, row, strict=True)))
DAYS = [dt.date(2026, 1, day) for day in (5, 6, 7)]
ALL = {
    "vol": 0.182,
    "high_yield_spread": 0.0284,
    "investment_grade_spread": 0.0079,
    "credit_share": 0.3,
    "credit_loss": 0.012,
    "liquidation_days": 12.5,
    "liquidation_cost": 0.0012,
    "exposures": {"SPY": 6e5, "TLT": -3e5, "GLD": 1e5},
    "turbulent_probability": 0.23,
    "stressed_share": 0.2,
}


def test_the_edges_of_the_grades():
    # Reference risk page: AAA < 2 <= A < 4 <= BB < 6 <= B < 8 <= CCC.
    scores = [0, 1.9999, 2, 3.9999, 4, 6, 7.9999, 8, 10]
    assert [risk_grade(score) for score in scores] == ["AAA", "AAA", "A", "A", "BB", "B", "B", "CCC", "CCC"]
    assert [risk_grade(np.nextafter(end, 0.0)) for end in (2.0, 4.0, 6.0, 8.0)] == ["AAA", "A", "BB", "B"]


def test_the_example_of_the_brief():
    # 40, 60, 20, 80, 50 on a scale from 0 to 100 give 48.0 (tails_and_portfolios.json, "risk score example").
    score = risk_score(EXAMPLE)
    assert (score.value, score.grade) == (4.8, "BB")
    assert score.contributions == pytest.approx(dict(zip(NAMES, [1.2, 1.5, 0.4, 1.2, 0.5], strict=True)))
    assert score == risk_score(market_vol=4, credit_risk=6, liquidity=2, concentration=8, macro_regime=5)


@given(SCORES)
def test_contributions_sum_exactly_to_the_score(scores):
    score = risk_score(scores)
    assert math.fsum(score.contributions.values()) == score.value
    assert score.value == pytest.approx(np.dot([*scores.values()], [*RISK_WEIGHTS.values()]), abs=1e-12)
    assert min(scores.values()) <= score.value <= max(scores.values())


@given(st.floats(0.0, 10.0))
def test_equal_components_are_the_score(value):
    assert risk_score(dict.fromkeys(NAMES, value)).value == value


@given(SCORES)
def test_what_is_said_to_lift_the_grade_lifts_it(scores):
    score = risk_score(scores)
    lift = score.lift
    if lift is None:
        assert score.grade == "AAA"
        return
    assert RISK_GRADES[lift.grade] == lift.edge
    for name, below in lift.alone.items():
        if below is None:
            lowest = score.value - RISK_WEIGHTS[name] * scores[name]
            assert lowest >= lift.edge - 1e-9
        elif below > 1e-6:
            assert risk_score({**scores, name: below - 1e-7}).grade == lift.grade
            assert risk_score({**scores, name: min(below + 1e-7, 10.0)}).grade == score.grade
    falls = (lift.together + 1e-7, max(lift.together - 1e-7, 0.0))
    fallen = [{name: max(value - fall, 0.0) for name, value in scores.items()} for fall in falls]
    assert risk_score(fallen[0]).grade == lift.grade
    assert risk_score(fallen[1]).grade == score.grade


def test_missing_components():
    with pytest.raises(RiskError, match="concentration, macro_regime are missing; give a score from 0 to 10"):
        risk_score(market_vol=3.0, credit_risk=2.0, liquidity=5.0, macro=None)
    score = risk_score(market_vol=3.0, liquidity=5.0, missing="renormalise")
    assert score.value == pytest.approx((0.3 * 3.0 + 0.2 * 5.0) / 0.5)
    assert score.weights == pytest.approx({"market_vol": 0.6, "liquidity": 0.4})
    assert score.missing == ("credit_risk", "concentration", "macro_regime")
    assert "mean without credit_risk, concentration, macro_regime" in " ".join(repr(score).split())


def test_own_weights_and_a_series():
    pandas = pytest.importorskip("pandas")
    assert risk_score({"fx": 4.0, "rates": 8.0}, weights={"fx": 0.75, "rates": 0.25}).value == 5.0
    thirds = dict.fromkeys("abc", 1.0 / 3.0)
    assert risk_score(dict.fromkeys("abc", 6.0), weights=thirds).grade == "B"
    assert risk_score(pandas.Series(EXAMPLE)).value == 4.8
    unused = {**dict.fromkeys(NAMES, 0.25), "credit_risk": 0.0}
    assert risk_score({name: 2.0 for name in NAMES if name != "credit_risk"}, weights=unused).missing == ()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: risk_grade(48.0), r"score=48.0 is above 10; a score on a scale from 0 to 100 is divided by ten: 4.8"),
        (lambda: risk_grade(-0.1), r"score=-0.1 is not in \[0, 10\]"),
        (lambda: risk_grade(100.5), "is not in"),
        (lambda: risk_grade(math.nan), "score=nan is not in"),
        (lambda: risk_grade(math.inf), "score=inf is not in"),
        (lambda: risk_grade(True), "score=True is not a number"),
        (lambda: risk_grade("BB"), "score='BB' is not a number"),
        (lambda: risk_score({**EXAMPLE, "market_vol": 40.0}), "market_vol=40.0 is above 10; a score on a scale"),
        (lambda: risk_score({**EXAMPLE, "market_vol": True}), "market_vol=True is not a number"),
        (lambda: risk_score({**EXAMPLE, "market_vol": "4"}), "market_vol='4' is not a number"),
        (lambda: risk_score({**EXAMPLE, "market_vol": math.nan}), "market_vol=nan is not in"),
        (lambda: risk_score({**EXAMPLE, "credit_risk": 1.0}), "credit_risk is given twice"),
        (lambda: risk_score({**EXAMPLE, "liqidity": 1.0}), "no component 'liqidity'; did you mean 'liquidity'"),
        (lambda: risk_score([1.0, 2.0]), r"components=\[1.0, 2.0\] is not a mapping"),
        (risk_score, "no component with a weight has a score"),
        (lambda: risk_score(EXAMPLE, weights=dict.fromkeys(NAMES, 0.3)), "the weights sum to 1.5"),
        (lambda: risk_score(EXAMPLE, weights={"liquidity": -1.0}), "the weight of liquidity is -1.0"),
        (lambda: risk_score(EXAMPLE, missing="ignore"), "neither 'refuse' nor 'renormalise'"),
    ],
)
def test_bad_scores_are_refused(call, said):
    with pytest.raises(RiskError, match=said):
        call()


def test_a_history_by_appending_and_from_arrays():
    pandas = pytest.importorskip("pandas")
    rows = [dict.fromkeys(NAMES, value) for value in (1.0, 3.0, 2.5)]
    grown = RiskScoreHistory()
    assert "no scores yet" in repr(grown)
    for day, row in zip(DAYS, rows, strict=True):
        grown = grown.append(day, risk_score(row))
    frame = pandas.DataFrame(rows, index=pandas.DatetimeIndex(DAYS))
    columns = {name: frame[name].to_numpy() for name in NAMES}
    for history in (grown, RiskScoreHistory.from_arrays(frame), RiskScoreHistory.from_arrays(columns, DAYS)):
        assert list(history.dates) == DAYS
        assert history.scores.tolist() == [1.0, 3.0, 2.5]
        assert history.grades == ("AAA", "A", "A")
        assert history.components.shape == (3, 5)
        assert history.changes() == ((DAYS[1], "AAA", "A"),)
        assert list(history.to_table())[2]["score"] == 2.5
    assert "2026-01-06 AAA → A" in repr(grown)


def test_an_unknown_component_of_a_day_is_a_gap():
    columns = {name: [1.0, math.nan if name == "liquidity" else 2.0] for name in NAMES}
    history = RiskScoreHistory.from_arrays(columns, DAYS[:2], missing="renormalise")
    assert np.isnan(history.components[1]).sum() == 1
    assert list(history.to_table())[1]["liquidity"] is None
    with pytest.raises(RiskError, match="liquidity is missing") as caught:
        RiskScoreHistory.from_arrays(columns, DAYS[:2])
    assert caught.value.__notes__ == ["in the row of 2026-01-06"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda h: h.append(DAYS[0], risk_score(EXAMPLE)), "the date 2026-01-05 follows 2026-01-06"),
        (lambda h: h.append("today", risk_score(EXAMPLE)), "'today' is not a date"),
        (lambda h: h.append(DAYS[2], 4.8), "4.8 is not a RiskScore"),
        (lambda h: RiskScoreHistory(tuple(DAYS[:2]), h.entries), "2 dates for 1 observations"),
        (lambda _: RiskScoreHistory.from_arrays({"market_vol": [1.0], "liquidity": [1.0, 2.0]}, DAYS), "of shapes"),
        (lambda _: RiskScoreHistory.from_arrays({}, DAYS), "give one row of numbers"),
        (lambda _: RiskScoreHistory.from_arrays({name: [1.0] for name in NAMES}), "there are no dates"),
        (lambda _: RiskScoreHistory.from_arrays({"market_vol": ["x"]}, DAYS), "is not a row of numbers"),
        (lambda _: RiskScoreHistory.from_arrays([1.0], DAYS), "is not a mapping; give a column by component"),
    ],
)
def test_bad_histories_are_refused(call, said):
    with pytest.raises(RiskError, match=said):
        call(RiskScoreHistory().append(DAYS[1], risk_score(EXAMPLE)))


@given(st.sampled_from(sorted(SCORE_INPUTS)), st.floats(-2.0, 200.0), st.floats(0.0, 50.0))
def test_default_scales_are_monotone_and_continuous(name, figure, more):
    scale = SCORE_INPUTS[name].scale
    assert scale.is_rising
    assert 0.0 <= scale(figure) <= scale(figure + more) <= 10.0
    steepest = max((b[1] - a[1]) / (b[0] - a[0]) for a, b in zip(scale.points, scale.points[1:], strict=False))
    assert scale(figure + more) - scale(figure) <= steepest * more + 1e-9


@given(st.sampled_from(sorted(SCORE_INPUTS)), st.floats(0.0, 9.999))
def test_a_scale_is_inverted(name, score):
    scale = SCORE_INPUTS[name].scale
    assert scale(scale.value_at(score)) == pytest.approx(score, abs=1e-9)


def test_falling_and_flat_scales():
    names = ScoreScale([(2.0, 9.0), (10.0, 4.0), (20.0, 4.0), (50.0, 0.0)])  # an effective number of names
    assert [names(figure) for figure in (1, 2, 6, 15, 35, math.inf)] == [9.0, 9.0, 6.5, 4.0, 2.0, 0.0]
    assert (names.value_at(4.0), names.value_at(6.5), names.value_at(9.5)) == (10.0, 6.0, -math.inf)
    assert names([2.0, 50.0]).tolist() == [9.0, 0.0]
    rising = ScoreScale([(0.0, 1.0), (1.0, 3.0), (2.0, 3.0), (3.0, 8.0)])
    assert (rising.value_at(3.0), rising.value_at(8.0)) == (2.0, math.inf)
    with pytest.raises(RiskError, match="scores of this scale begin at 1"):
        rising.value_at(0.5)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([(0.0, 0.0)], "1 anchor points; a scale needs at least two"),
        ([(0.0, 0.0), (0.0, 1.0)], "the anchor at 0.0 follows 0.0"),
        ([(0.0, 0.0), (1.0, 11.0)], "an anchor has the score 11.0"),
        ([(0.0, 0.0), (1.0, 5.0), (2.0, 4.0)], "are not monotone"),
        ([(0.0, 5.0), (1.0, 5.0)], "are not monotone"),
        ([(0.0, 0.0), (math.nan, 5.0)], "is not a pair of finite numbers"),
        ([(0.0, 0.0), "ab"], "is not a pair of finite numbers"),
        (5.0, "points=5.0 is not a list"),
    ],
)
def test_bad_scales_are_refused(points, said):
    with pytest.raises(RiskError, match=said):
        ScoreScale(points)


def test_percentiles_score_by_the_rule():
    # FRED BAMLH0A0HYM2 and BAMLC0A0CM from 1996-12-31, CBOE VIX from 1990-01-02: quartiles, 95th and 99th percentile.
    for name, gauge in (("vol", "vix"), *((n, n) for n in ("high_yield_spread", "investment_grade_spread"))):
        _, _, *middle, _, fifth, hundredth = (0.01 * value for value in STATED_PERCENTILES[gauge].values)
        scores = SCORE_INPUTS[name].scale([*middle, fifth, hundredth])
        assert scores.tolist() == pytest.approx([2.0, 4.0, 6.0, 8.0, 9.0])
    assert STATED_PERCENTILES["vix"].values[3] == 17.61


def test_components_by_hand():
    found = component_scores(**ALL)
    assert found.missing == ()
    vol = 4.0 + 2.0 * (0.182 - 0.1761) / (0.2270 - 0.1761)
    spreads = 2.0 * (0.0284 - 0.02) / (0.0352 - 0.02), 2.0 * (0.0079 - 0.005) / (0.0098 - 0.005)
    credit = (*spreads, 3.0, 4.0 + 2.0 * 0.2)
    largest = 8.0 + 2.0 * (0.6 - 0.5) / 0.5
    expected = {
        "market_vol": vol,
        "credit_risk": sum(credit) / 4.0,
        "liquidity": 6.0 + 2.0 * 5.5 / 13.0,
        "concentration": largest,
        "macro_regime": (2.3 + 2.0 + 2.0 * 0.1 / 0.15) / 2.0,
    }
    assert found.scores == pytest.approx(expected)
    assert found.readings[0].text == "volatility 18.2% a year → 4.2"
    score = risk_score(found)
    assert score.value == pytest.approx(sum(RISK_WEIGHTS[name] * value for name, value in expected.items()))
    assert [reading.value for reading in score.readings][:2] == [0.182, 0.0284]
    assert "95% of the book liquidated in 12.5 days" in str(list(found.to_table()))
    never = component_scores(liquidation_days=math.inf)
    assert never.readings[0].text == "95% of the book liquidated in no finite time → 10.0"


def test_more_risk_never_lowers_a_component():
    worse = {"vol": 0.4, "high_yield_spread": 0.09, "investment_grade_spread": 0.03, "credit_share": 0.9}
    worse |= {"credit_loss": 0.05, "liquidation_days": math.inf, "liquidation_cost": 0.1, "exposures": [1.0]}
    worse |= {"turbulent_probability": 1.0, "stressed_share": 0.8}
    before = component_scores(**ALL).scores
    for name, figure in worse.items():
        after = component_scores(**{**ALL, name: figure}).scores
        assert all(after[component] >= before[component] for component in before)
        assert sum(after.values()) > sum(before.values())


def test_concentration_of_a_book_is_that_of_its_underlyings():
    gross = gross_by_underlying([BOOK])
    shares = np.array([*gross.values()]) / sum(gross.values())
    assert herfindahl(gross) == pytest.approx(float((shares**2).sum()))
    assert herfindahl([1e-12] * 4) == herfindahl([1e12] * 4) == 0.25
    one = component_scores(exposures={"A": 1e-9})
    assert one.scores == {"concentration": 10.0}


def test_an_own_scale_is_used():
    own = ScoreScale([(0.0, 0.0), (2.0, 10.0)])
    assert component_scores(vol=0.6, scales={"vol": own}).scores == {"market_vol": 3.0}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "there are no data; give at least one of vol"),
        ({"vol": 18.2}, "at most 5; 18.2 per cent is 0.182"),
        ({"vol": -0.1}, "vol=-0.1 is not a decimal of at least 0"),
        ({"vol": math.nan}, "vol=nan is not a decimal"),
        ({"vol": "high"}, "vol='high' is not a number"),
        ({"vol": True}, "vol=True is not a number"),
        ({"investment_grade_spread": 0.79}, "0.79 per cent is 0.0079"),
        ({"high_yield_spread": 3.5}, "3.5 per cent is 0.035"),
        ({"liquidation_days": -1.0}, "liquidation_days=-1.0 is not a number of at least 0"),
        ({"turbulent_probability": 1.2}, "at most 1"),
        ({"exposures": {}}, "are no mapping or row of numbers"),
        ({"exposures": [0.0, 0.0]}, "the exposures are all 0"),
        ({"exposures": [1.0, math.inf]}, "one is not finite"),
        ({"exposures": "SPY"}, "are no mapping or row"),
        ({"vol": 0.2, "scales": {"volatility": 3}}, "no figure 'volatility' to scale"),
        ({"vol": 0.2, "scales": {"vol": 3}}, r"scales\['vol'\]=3 is not a ScoreScale"),
    ],
)
def test_bad_data_are_refused(data, said):
    with pytest.raises(RiskError, match=said):
        component_scores(**data)


def test_the_table_of_the_page_is_that_of_the_code():
    page = (Path(__file__).parents[2] / "docs" / "risk_score.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)
    stated = {name: (component, anchors) for component, name, anchors, _ in rows}
    held = {
        name: (item.component, ", ".join(f"{figure:g} → {score:g}" for figure, score in item.scale.points))
        for name, item in SCORE_INPUTS.items()
    }
    assert stated == held
    assert {name: reason for _, name, _, reason in rows} == {name: item.reason for name, item in SCORE_INPUTS.items()}


def test_a_component_that_would_have_to_fall_below_0_lifts_nothing():
    # (4.3 - 4) / 0.3 is 1: market_vol would have to fall below 0.
    score = risk_score(market_vol=1.0, credit_risk=6.0, liquidity=9.0, concentration=4.0, macro_regime=1.0)
    assert score.value == 4.3
    assert score.lift.alone["market_vol"] is None
    assert score.lift.alone["credit_risk"] == 4.8


def test_true_is_no_score():
    with pytest.raises(RiskError, match="is not a number"):
        risk_score({"market_vol": np.bool_(True)}, missing="renormalise")


def test_the_names_of_a_history_are_found_once(monkeypatch):
    count = 40
    days = [dt.date(2026, 1, 1) + dt.timedelta(i) for i in range(count)]
    history = RiskScoreHistory.from_arrays({name: np.full(count, 4.0) for name in RISK_WEIGHTS}, days)
    calls = []
    names = history.names
    monkeypatch.setattr(RiskScoreHistory, "names", property(lambda _: calls.append(1) or names))
    assert len(list(history.to_table())) == count
    assert history.components.shape == (count, 5)
    assert len(calls) <= 4
