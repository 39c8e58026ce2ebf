"""Covariance data: annual figures from returns, prices and tables; repairs; and invalid input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, MatrixError, UnknownTickerError
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.simulated import SimulatedFeed
from bank_python.optimizer import CovarianceData, Estimator, MeanMethod, mean_returns

NAMES = ["A", "B", "C"]


def past(rows=250, assets=3, seed=1):
    rng = np.random.default_rng(seed)
    mixing = np.eye(assets) + 0.3
    return 0.0004 + 0.01 * rng.standard_normal((rows, assets)) @ mixing


def test_figures_given_are_a_years_already():
    covariance = [[0.04, 0.006], [0.006, 0.09]]
    data = CovarianceData(tickers=["X", "Y"], covariance=covariance, expected_returns=[0.05, 0.1])
    assert data.covariance.tolist() == covariance
    assert data.volatilities == pytest.approx([0.2, 0.3], rel=1e-15)
    assert data.correlation[0, 1] == pytest.approx(0.1, rel=1e-14)
    assert data.means_for("this").tolist() == [0.05, 0.1]


def test_returns_make_figures_a_year():
    returns = past()
    data = CovarianceData.from_returns(returns, NAMES)
    assert data.covariance == pytest.approx(np.cov(returns.T) * 252.0, rel=1e-12)
    assert data.expected_returns == pytest.approx(returns.mean(axis=0) * 252.0, rel=1e-12)
    assert data.returns.tolist() == returns.tolist()
    monthly = CovarianceData.from_returns(returns, NAMES, periods_per_year=12)
    assert monthly.covariance == pytest.approx(np.cov(returns.T) * 12.0, rel=1e-12)


def test_prices_of_a_frame_bring_their_names_and_their_growth():
    pandas = pytest.importorskip("pandas")
    prices = pandas.DataFrame(100.0 * np.cumprod(1.0 + past(), axis=0), columns=NAMES)
    data = CovarianceData.from_prices(prices)
    returns = prices.pct_change().dropna()
    assert data.tickers == tuple(NAMES)
    assert data.covariance == pytest.approx(returns.cov().to_numpy() * 252.0, rel=1e-10)
    growth = (prices.iloc[-1] / prices.iloc[0]) ** (252.0 / len(returns)) - 1.0
    assert data.expected_returns == pytest.approx(growth.to_numpy(), rel=1e-10)
    smooth = returns.ewm(alpha=1.0 - 0.9).mean().iloc[-1] * 252.0
    ewma = CovarianceData.from_prices(prices, mean="ewma", decay=0.9)
    assert ewma.expected_returns == pytest.approx(smooth.to_numpy(), rel=1e-10)


def test_tables_give_what_their_prices_give():
    store, feed = PriceHistoryTable(), SimulatedFeed(seed=3)
    for ticker in ("AAPL", "MSFT"):
        store.load(ticker, feed.history(ticker, "1y"))
    panel = store.panel(["MSFT", "AAPL"])
    table = CovarianceData.from_table(store, ["MSFT", "AAPL"], estimator="oas")
    direct = CovarianceData.from_prices(panel.closes, ["MSFT", "AAPL"], estimator="oas")
    assert table.tickers == ("MSFT", "AAPL")
    assert table.covariance.tolist() == direct.covariance.tolist()
    assert table.shrinkage == direct.shrinkage > 0.0
    with pytest.raises(UnknownTickerError, match="NONE"):
        CovarianceData.from_table(store, ["AAPL", "NONE"])


@pytest.mark.parametrize("estimator", ["ledoit_wolf", "ledoit_wolf_constant", "oas", "pca"])
def test_more_assets_than_rows_when_shrunk(estimator):
    data = CovarianceData.from_returns(past(30, 60), [f"T{i}" for i in range(60)], estimator=estimator)
    assert np.linalg.eigvalsh(data.covariance)[0] > 0.0


@pytest.mark.parametrize("estimator", ["sample", "ewma"])
@pytest.mark.parametrize("rows", [30, 60])
def test_more_assets_than_rows_is_refused_where_it_is_singular(estimator, rows):
    with pytest.raises(CalibrationError, match=f"{rows} rows of returns for 60 assets.*at least 61 rows"):
        CovarianceData.from_returns(past(rows, 60), [f"T{i}" for i in range(60)], estimator=estimator)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 10.0), st.permutations(range(3)), st.sampled_from(list(Estimator)))
def test_scale_and_order_do_not_matter(scale, order, estimator):
    returns = past(80)
    plain = CovarianceData.from_returns(returns, NAMES, estimator=estimator, components=2)
    other = CovarianceData.from_returns(
        scale * returns[:, order], [NAMES[i] for i in order], estimator=estimator, components=2
    )
    assert other.covariance == pytest.approx(scale**2 * plain.covariance[np.ix_(order, order)], rel=1e-9)
    assert other.expected_returns == pytest.approx(scale * plain.expected_returns[order], rel=1e-9)


def test_growth_is_below_the_arithmetic_mean_by_half_the_variance():
    returns = past(5000)
    arithmetic, compounded = (mean_returns(returns, method) for method in ("arithmetic", "compounded"))
    drag = arithmetic - np.log1p(compounded)
    assert drag == pytest.approx(returns.var(axis=0) * 126.0, rel=0.02)


def test_repair_keeps_variances_and_takes_the_nearest_correlations():
    # Higham (2002), section 4: the nearest correlation matrix to this one
    broken = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    vols = np.array([0.1, 0.2, 0.4])
    with pytest.raises(MatrixError, match=r"least eigenvalue is -0\.0"):
        CovarianceData(tickers=NAMES, covariance=broken * np.outer(vols, vols))
    data = CovarianceData.repaired(tickers=NAMES, covariance=broken * np.outer(vols, vols))
    assert data.volatilities == pytest.approx(vols, rel=1e-12)
    assert data.correlation[[0, 0], [1, 2]] == pytest.approx([0.7607, 0.1573], abs=5e-5)


def test_what_was_given_cannot_be_changed_from_outside():
    covariance = np.diag([0.04, 0.09])
    data = CovarianceData(tickers=["X", "Y"], covariance=covariance)
    covariance[0, 0] = 9.0
    assert data.covariance[0, 0] == 0.04
    with pytest.raises(ValueError, match="read-only"):
        data.covariance[0, 0] = 9.0


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        ([[0.04]], "shape"),
        ([[0.04, math.nan], [0.0, 0.09]], "covariance of X and Y is nan"),
        ([[0.04, 0.0], [0.0, 0.0]], "variance of Y is 0"),
        ([[0.04, 0.01], [0.02, 0.09]], "give a symmetric matrix"),
        ([[0.04, 0.07], [0.07, 0.09]], "least eigenvalue is -0.00"),
    ],
)
def test_a_matrix_that_is_no_covariance_is_refused(covariance, message):
    with pytest.raises(MatrixError, match=message):
        CovarianceData(tickers=["X", "Y"], covariance=covariance)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"tickers": ["X", "X"]}, "the ticker X occurs twice"),
        ({"tickers": []}, "no assets"),
        ({"tickers": "XY"}, "give a list"),
        ({"expected_returns": [0.1]}, "expected_returns of shape"),
        ({"expected_returns": [0.1, math.inf]}, "not finite"),
        ({"returns": [[0.1, 0.1, 0.1]]}, "returns of shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(keywords, message):
    given_parts = {"tickers": ["X", "Y"], "covariance": np.diag([0.04, 0.09])} | keywords
    with pytest.raises(CalibrationError, match=message):
        CovarianceData(**given_parts)


def spoilt(row, column, value):
    returns = past()
    returns[row, column] = value
    return returns


@pytest.mark.parametrize(
    ("returns", "keywords", "message"),
    [
        (spoilt(7, 1, math.nan), {}, "B has nan in row 7"),
        (spoilt(slice(None), 2, 0.001), {}, "the returns of C are constant, 0.001"),
        (past()[:, :2], {}, "for 3 assets"),
        (past()[:1], {}, "1 rows of returns"),
        (past(), {"tickers": None}, "names"),
        (past(), {"estimator": "lw"}, "no estimator 'lw'; there are sample"),
        (past(), {"mean": "best"}, "no mean 'best'"),
        (past(), {"periods_per_year": 0}, "periods_per_year=0"),
        (spoilt(3, 0, -1.0), {"mean": MeanMethod.COMPOUNDED}, "cannot be compounded"),
    ],
)
def test_returns_that_are_not_usable_are_refused_by_name(returns, keywords, message):
    with pytest.raises(CalibrationError, match=message):
        CovarianceData.from_returns(returns, **({"tickers": NAMES} | keywords))


def test_a_price_of_nothing_is_refused():
    prices = 100.0 * np.cumprod(1.0 + past(), axis=0)
    prices[4, 2] = 0.0
    with pytest.raises(CalibrationError, match=r"C has 0\.0 in row 4"):
        CovarianceData.from_prices(prices, NAMES)


def test_what_is_missing_is_named_with_what_it_is_for():
    data = CovarianceData(tickers=["X", "Y"], covariance=np.diag([0.04, 0.09]))
    with pytest.raises(CalibrationError, match="max_sharpe needs expected returns"):
        data.means_for("max_sharpe")
    with pytest.raises(CalibrationError, match="min_cvar needs past returns"):
        data.returns_for("min_cvar")
