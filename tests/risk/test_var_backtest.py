"""A whole back-test in one call: its tests are those of the single functions, its verdicts say what they find."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import ModelError, RiskError
from bank_python.risk import (
    acerbi_szekely_test,
    backtest_var,
    christoffersen_test,
    kupiec_test,
    traffic_light,
)

YEAR = np.random.default_rng(7).standard_normal(250)
ON = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(250)]


@given(st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=60), st.floats(0.1, 3.0), st.sampled_from([0.95, 0.99]))
def test_it_is_the_single_tests_put_together(pnl, var, confidence):
    tried = backtest_var(pnl, var, es=1.2 * var, confidence=confidence)
    hits = np.array(pnl) < -var
    exceptions, probability = int(hits.sum()), 1.0 - confidence
    assert tried.exceptions == exceptions
    assert (tried.hits == hits).all()
    assert tried.christoffersen == christoffersen_test(hits, probability)
    assert tried.christoffersen.coverage == kupiec_test(exceptions, len(pnl), probability)
    assert tried.traffic_light == traffic_light(exceptions, len(pnl), probability)
    theirs = acerbi_szekely_test(pnl, var, 1.2 * var, probability)
    assert tried.acerbi_szekely.z2 == theirs.z2


def test_the_table_has_a_row_for_each_day():
    rows = list(backtest_var(YEAR, 2.0, es=2.5, dates=ON).to_table())
    assert len(rows) == 250
    assert rows[0] == {"date": ON[0], "pnl": YEAR[0], "var": 2.0, "es": 2.5, "hit": bool(YEAR[0] < -2.0)}
    assert list(backtest_var(YEAR, 2.0).to_table())[1]["day"] == 1
    assert list(backtest_var(YEAR, 2.0).to_table())[1]["es"] is None


@pytest.mark.parametrize(
    ("pnl", "test", "verdict"),
    [
        ([-3.0, 1.0] * 50, "coverage", "too many exceptions"),
        ([1.0] * 500, "coverage", "too few exceptions"),
        ([1.0] * 99 + [-3.0], "coverage", "as many exceptions as expected"),
        ([1.0] * 90 + [-3.0] * 10, "independence", "exceptions depend on the day before"),
        ([1.0] * 99 + [-3.0], "independence", "exceptions independent"),
        ([-3.0, 1.0] * 50, "basel", "red zone"),
        ([1.0] * 99 + [-3.0], "shortfall", "losses beyond VaR 1.20 times those forecast"),
    ],
)
def test_verdicts_are_plain(pnl, test, verdict):
    tried = backtest_var(pnl, 2.0, es=2.5)
    assert tried.verdicts()[test] == verdict
    assert verdict[:20] in repr(tried)


def test_without_a_shortfall_there_is_no_verdict_on_it():
    tried = backtest_var(YEAR, 2.0)
    assert tried.acerbi_szekely is None
    assert "shortfall" not in tried.verdicts()


def test_forecasts_may_differ_from_day_to_day():
    tried = backtest_var([-1.0, -1.0], [0.5, 2.0])
    assert tried.hits.tolist() == [True, False]
    assert tried.expected == pytest.approx(0.02)


def test_what_was_given_can_be_changed_without_harm():
    pnl = np.array([-1.0, 1.0])
    tried = backtest_var(pnl, 0.5)
    pnl[:] = 7.0
    assert tried.pnl.tolist() == [-1.0, 1.0]
    with pytest.raises(ValueError, match="read-only"):
        tried.pnl[0] = 0.0


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"pnl": [1.0], "var": 1.0}, RiskError, "P&L of shape"),
        ({"pnl": [1.0, np.nan], "var": 1.0}, RiskError, "pnl has a value of nan"),
        ({"pnl": [1.0, 1.0], "var": [1.0, np.inf]}, RiskError, "var has a value of inf"),
        ({"pnl": [1.0, 1.0], "var": [1.0, 1.0, 1.0]}, RiskError, r"var of shape \(3,\) for 2 days"),
        ({"pnl": [1.0, 1.0], "var": 1.0, "es": 0.0}, ModelError, "expected shortfall is 0"),
        ({"pnl": [1.0, 1.0], "var": 1.0, "confidence": 1.0}, ModelError, "outside"),
        ({"pnl": [1.0, 1.0], "var": 1.0, "dates": ON[:3]}, RiskError, "3 dates for 2 observations"),
    ],
)
def test_what_cannot_be_tested_is_refused(arguments, error, said):
    with pytest.raises(error, match=said):
        backtest_var(**arguments)
