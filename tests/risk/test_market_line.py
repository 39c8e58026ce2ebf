"""The security market line: worked examples, the fits behind it, and bad input."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import MissingExtraError, RiskError
from bank_python.risk.capm import capm_fit
from bank_python.risk.market_line import MarketLine, market_line_from_returns, security_market_line

RATES = st.floats(-0.1, 0.3)


def panel(n=300, seed=3):
    rng = np.random.default_rng(seed)
    market = 0.0004 + 0.01 * rng.standard_normal(n)
    return 0.0001 + market[:, None] * [0.4, 1.0, 1.9] + 0.008 * rng.standard_normal((n, 3)), market


def test_the_worked_example():
    """A beta of 1.82, a risk-free rate of 5 % and a market return of 12 % require 17.74 %, published as 17.7 %."""
    line = security_market_line({"TECH": 1.82}, {"TECH": 0.16}, risk_free_rate=0.05, market_return=0.12)
    point = line.points[0]
    assert point.required_return == pytest.approx(0.1774, abs=1e-15)
    assert f"{point.required_return:.1%}" == "17.7%"
    assert point.alpha == pytest.approx(-0.0174, abs=1e-15)
    assert line.premium == pytest.approx(0.07, abs=1e-15)


def test_a_second_example():
    line = security_market_line({"A": 1.2, "B": 0.0}, {"A": 0.1, "B": 0.03}, 0.03, 0.08)
    assert [point.required_return for point in line.points] == pytest.approx([0.09, 0.03], abs=1e-15)
    assert [point.alpha for point in line.points] == pytest.approx([0.01, 0.0], abs=1e-15)


def test_the_line_is_the_riskless_rate_and_beta_times_the_premium():
    line = MarketLine(risk_free_rate=0.05, market_return=0.12, points=())
    betas, required = line.line()
    np.testing.assert_array_equal(betas, np.linspace(0, 3, 100))
    np.testing.assert_allclose(required, 0.05 + np.linspace(0, 3, 100) * (0.12 - 0.05), rtol=1e-15)
    np.testing.assert_allclose(line.line(most=2.0, count=3)[1], [0.05, 0.12, 0.19], rtol=1e-15)
    np.testing.assert_allclose(line.line([-1.0, 1.82])[1], [-0.02, 0.1774], rtol=1e-14)


@given(RATES, RATES, st.dictionaries(st.text(min_size=1), st.tuples(st.floats(-3, 3), RATES), min_size=1))
def test_required_returns_are_on_the_line_and_alpha_is_the_distance(riskless, market, assets):
    betas = {name: beta for name, (beta, _) in assets.items()}
    promised = {name: mean for name, (_, mean) in assets.items()}
    line = security_market_line(betas, promised, riskless, market)
    assert [point.ticker for point in line.points] == list(assets)
    on_the_line = line.line(list(betas.values()))[1]
    for point, height in zip(line.points, on_the_line.tolist(), strict=True):
        assert point.required_return == pytest.approx(height, abs=1e-14)
        assert point.required_return + point.alpha == pytest.approx(promised[point.ticker], abs=1e-14)


def test_from_returns_the_alphas_are_those_of_the_fits():
    returns, market = panel()
    line = market_line_from_returns(returns, ["A", "B", "C"], market, risk_free_rate=0.02, periods_per_year=250)
    assert line.market_return == pytest.approx(250 * market.mean(), rel=1e-14)
    for point, column in zip(line.points, returns.T, strict=True):
        fit = capm_fit(column, market, risk_free_rate=0.02, periods_per_year=250)
        assert (point.beta, point.alpha) == pytest.approx((fit.beta, fit.alpha), rel=1e-11)
        assert point.expected_return == pytest.approx(250 * column.mean(), rel=1e-14)


def test_from_returns_the_market_lies_on_its_own_line():
    _, market = panel()
    point = market_line_from_returns(market[:, None], ["M"], market, risk_free_rate=0.02).points[0]
    assert point.beta == pytest.approx(1.0, abs=1e-14)
    assert point.alpha == pytest.approx(0.0, abs=1e-14)


def test_an_expected_market_return_takes_the_place_of_the_mean():
    returns, market = panel()
    line = market_line_from_returns(returns, ["A", "B", "C"], market, risk_free_rate=0.05, market_return=0.12)
    assert line.market_return == 0.12
    assert line.points[1].required_return == pytest.approx(0.05 + 0.07 * line.points[1].beta, rel=1e-14)


def test_the_table():
    line = security_market_line({"A": 1.2, "B": 0.5}, {"A": 0.1, "B": 0.03}, 0.03, 0.08)
    rows = list(line.to_table())
    assert [row["ticker"] for row in rows] == ["A", "B"]
    assert rows[0]["beta"] == 1.2
    assert [row["alpha"] for row in rows] == [point.alpha for point in line.points]
    assert [row["required_return"] for row in rows] == pytest.approx([0.09, 0.055], abs=1e-15)


def test_a_line_can_be_stored(tmp_path):
    line = security_market_line({"A": 1.2, "B": 0.5}, {"A": 0.1, "B": 0.03}, 0.03, 0.08)
    with BarbaraDB.open("desk", path=tmp_path / "store.db") as db:
        db["/line"] = line
    with BarbaraDB.open("desk", path=tmp_path / "store.db") as db:
        assert db["/line"] == line


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_plot_is_written(tmp_path, ending):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"line.{ending}"
    security_market_line({"A$B$": 1.2, "C": -0.5}, {"A$B$": 0.1, "C": 0.03}, 0.03, 0.08).plot(path)
    written = path.read_bytes()
    assert written.startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    assert len(written) > 5000


def test_without_matplotlib_a_plot_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[plot\]'"):
        MarketLine(0.05, 0.12, ()).plot(tmp_path / "line.png")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({}, {}, 0.05, 0.12), "there are no assets"),
        (({"A": 1.0}, {}, 0.05, 0.12), "A has no expected return"),
        (({"A": 1.0}, {"A": 0.1, "B": 0.1}, 0.05, 0.12), "B has no beta"),
        (({"A": math.nan}, {"A": 0.1}, 0.05, 0.12), "A has beta nan"),
        (({"A": 1.0}, {"A": math.inf}, 0.05, 0.12), "expected return inf"),
        (({"A": 1.0}, {"A": 0.1}, math.nan, 0.12), "risk_free_rate=nan"),
        (({"A": 1.0}, {"A": 0.1}, 0.05, math.inf), "market_return=inf"),
    ],
)
def test_bad_assets_are_refused(arguments, message):
    with pytest.raises(RiskError, match=message):
        security_market_line(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"most": 0.0}, "up to a beta of 0.0"),
        ({"count": 1}, "1 points"),
        ({"betas": [0.0, math.nan]}, "finite numbers"),
        ({"betas": 1.0}, "of shape"),
    ],
)
def test_bad_lines_are_refused(arguments, message):
    with pytest.raises(RiskError, match=message):
        MarketLine(0.05, 0.12, ()).line(**arguments)


def test_bad_panels_are_refused():
    returns, market = panel()
    with pytest.raises(RiskError, match="for 2 tickers"):
        market_line_from_returns(returns, ["A", "B"], market)
    with pytest.raises(RiskError, match="give each asset once"):
        market_line_from_returns(returns, ["A", "B", "A"], market)
    with pytest.raises(RiskError, match="tickers='ABC' is not a list"):
        market_line_from_returns(returns, "ABC", market)
    with pytest.raises(RiskError, match="give the same periods"):
        market_line_from_returns(returns, ["A", "B", "C"], market[1:])
    with pytest.raises(RiskError, match="every market return is"):
        market_line_from_returns(returns, ["A", "B", "C"], np.zeros(300))
    returns[7, 1] = math.nan
    with pytest.raises(RiskError, match="in row 7 is nan") as caught:
        market_line_from_returns(returns, ["A", "B", "C"], market)
    assert caught.value.__notes__ == ["while fitting B"]
