"""The efficient frontier: the published example, single programs at many points, tables and plots."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, InfeasibleError, ModelError
from bank_python.numerics.qp import solve_qp
from bank_python.optimizer import CovarianceData
from bank_python.optimizer.frontier import EfficientFrontier
from tests.optimizer.ten_assets import NAMES, published

# (return, risk, lambda, weights) of the turning points; the weights of the sixth are not tested.
TURNING_POINTS = [
    (1.19, 0.9520003676, 58.3030853333, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    (1.1802594589, 0.5456568743, 4.1742728458, [0.64937, 0.35063, 0, 0, 0, 0, 0, 0, 0, 0]),
    (1.1600564524, 0.4172556504, 1.9455661414, [0.43398, 0.23125, 0, 0.33477, 0, 0, 0, 0, 0, 0]),
    (1.1112622643, 0.2667196142, 0.1645811749, [0.12689, 0.07234, 0, 0.28125, 0, 0, 0, 0, 0, 0.51952]),
    (1.1083602384, 0.2650169953, 0.1473887509, [0.1232, 0.07044, 0, 0.27899, 0, 0, 0, 0.00644, 0, 0.52093]),
    None,
    (
        *(1.0153059205, 0.2279827484, 0.0520481907),
        [0.08467, 0.04925, 0, 0.21963, 0, 0.18004, 0, 0.03103, 0.00649, 0.42889],
    ),
    (
        *(0.9727204340, 0.2195548801, 0.0365216137),
        [0.07379, 0.04383, 0, 0.19898, 0.02616, 0.19815, 0, 0.03342, 0.0279, 0.39777],
    ),
    (
        *(0.9499368158, 0.2160245717, 0.0309711689),
        [0.06834, 0.04139, 0.01522, 0.18813, 0.03416, 0.20232, 0, 0.03393, 0.03363, 0.38288],
    ),
    (
        *(0.8032153598, 0.2052376198, 0.0),
        [0.03697, 0.0269, 0.09494, 0.12578, 0.07675, 0.21936, 0.02999, 0.03596, 0.06135, 0.29201],
    ),
]


def simulated(n, seed=0, factors=10):
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n, factors))
    common = 0.01 * rng.normal(size=(3 * n + 100, factors))
    noise = 0.01 * rng.normal(size=(3 * n + 100, n)) * rng.uniform(0.5, 1.5, n)
    returns = 0.3 * common @ loadings.T + noise + rng.normal(4e-4, 4e-4, n)
    return CovarianceData.from_returns(returns, [f"A{i}" for i in range(n)])


def least_variance(data, expected_return, lower=0.0, upper=1.0):
    rows = np.vstack([np.ones(len(data.tickers)), data.expected_returns])
    zero = np.zeros(len(data.tickers))
    return solve_qp(data.covariance, zero, A=rows, b=[1.0, expected_return], lower=lower, upper=upper).x


def test_the_published_turning_points():
    turns = EfficientFrontier(published()).turning_points
    assert len(turns) == 10
    for found, expected in zip(turns, TURNING_POINTS, strict=True):
        assert found.certificate.kkt_residual < 1e-13
        assert found.certificate.duality_gap < 1e-13
        if expected is not None:
            earned, risk, scale, weights = expected
            assert found.expected_return == pytest.approx(earned, abs=1e-9)
            assert found.volatility == pytest.approx(risk, abs=1e-9)
            assert 1.0 / found.figures["risk_aversion"] == pytest.approx(scale, abs=1e-8)
            assert found.weights == pytest.approx(weights, abs=6e-6)


def test_the_published_best_sharpe_ratio():
    best = EfficientFrontier(published()).max_sharpe()
    # The paper gives 4.4535; return, risk and weights are those of the same portfolio by SLSQP.
    assert best.sharpe == pytest.approx(4.453533476646, abs=1e-10)
    assert best.expected_return == pytest.approx(1.0125752735, abs=2e-8)
    assert best.volatility == pytest.approx(0.2273644689, abs=2e-8)
    assert best.weights == pytest.approx(
        [0.084, 0.0489, 0, 0.2183, 0.0017, 0.1812, 0, 0.0312, 0.0079, 0.4269], abs=6e-5
    )
    assert best.certificate.at_lower == ("A2", "A6")
    assert best.certificate.at_upper == ()
    assert best.certificate.kkt_residual < 1e-14


def test_points_between_turns_are_those_of_single_programs():
    data = published()
    frontier = EfficientFrontier(data, bounds={"A0": (0.05, 0.3), "A1": (-0.2, 0.2), "A9": (0.0, 0.25)})
    lower, upper = np.zeros(10), np.ones(10)
    lower[[0, 1]], upper[[0, 1, 9]] = [0.05, -0.2], [0.3, 0.2, 0.25]
    points = frontier.points(23)
    for i in range(1, 22):
        alone = least_variance(data, points.expected_returns[i], lower, upper)
        assert points.weights[i] == pytest.approx(alone, abs=1e-12)
        assert points.volatilities[i] == pytest.approx(math.sqrt(alone @ data.covariance @ alone), rel=1e-13)
        found = frontier.at_return(points.expected_returns[i])
        assert found.weights == pytest.approx(alone, abs=1e-12)
        assert found.certificate.kkt_residual < 1e-12
        assert frontier.at_volatility(points.volatilities[i]).weights == pytest.approx(alone, abs=1e-9)
    assert np.diff(points.expected_returns) == pytest.approx(np.ptp(points.expected_returns) / 22, rel=1e-11)
    assert points.sharpes == pytest.approx(points.expected_returns / points.volatilities, rel=1e-13)
    assert points.weights.sum(axis=1) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("aversion", [1e-3, 0.7, 6.0, 40.0, 1e6])
def test_utility_is_that_of_a_single_program(aversion):
    data = published()
    found = EfficientFrontier(data).max_utility(aversion)
    alone = solve_qp(
        aversion * data.covariance, -data.expected_returns, A=np.ones((1, 10)), b=[1.0], lower=0.0, upper=1.0
    )
    assert found.weights == pytest.approx(alone.x, abs=1e-12)
    assert found.figures["risk_aversion"] == pytest.approx(aversion, rel=1e-14)


def test_the_ends():
    frontier = EfficientFrontier(published())
    least, most = frontier.min_variance(), frontier.max_return()
    assert least.weights == pytest.approx(TURNING_POINTS[-1][3], abs=6e-6)
    assert most.by_ticker()["A1"] == 1.0
    assert most.certificate.at_upper == ("A1",)
    assert frontier.at_return(least.expected_return).weights == pytest.approx(least.weights, abs=1e-12)
    assert frontier.at_return(1.19).weights == pytest.approx(most.weights, abs=1e-12)
    assert frontier.at_volatility(most.volatility).weights == pytest.approx(most.weights, abs=1e-12)
    assert frontier.at_volatility(least.volatility).weights == pytest.approx(least.weights, abs=1e-7)


@pytest.mark.parametrize("rate", [-0.5, 0.0, 0.3, 0.9, 1.1, 1.18, 1.1899])
def test_no_point_has_a_better_sharpe_ratio_than_the_best(rate):
    frontier = EfficientFrontier(published(), risk_free_rate=rate)
    best, points = frontier.max_sharpe(), frontier.points(4001)
    assert best.risk_free_rate == rate
    assert points.sharpes.max() <= best.sharpe * (1.0 + 1e-13) + 1e-14
    assert points.sharpes.max() == pytest.approx(best.sharpe, rel=1e-4)
    assert EfficientFrontier(published()).max_sharpe(rate).weights.tolist() == best.weights.tolist()


def test_without_bounds_the_tangent_portfolio_is_a_closed_form():
    data = published()
    frontier = EfficientFrontier(data, bounds=(-math.inf, math.inf), risk_free_rate=0.2)
    direction = np.linalg.solve(data.covariance, data.expected_returns - 0.2)
    assert frontier.line.is_ray
    assert frontier.max_sharpe().weights == pytest.approx(direction / direction.sum(), abs=1e-14)
    assert frontier.at_return(7.0).expected_return == pytest.approx(7.0, rel=1e-14)
    assert frontier.at_volatility(5.0).volatility == pytest.approx(5.0, rel=1e-14)
    assert frontier.points(9).expected_returns[-1] == pytest.approx(1.19, rel=1e-14)
    with pytest.raises(InfeasibleError, match="the return is unbounded"):
        frontier.max_return()
    with pytest.raises(InfeasibleError, match="is unbounded along the frontier"):
        frontier.max_sharpe(1.0)
    with pytest.raises(InfeasibleError, match="to infinity"):
        frontier.at_return(0.1)


def test_cash_makes_a_straight_line_to_the_tangent_portfolio():
    data = published()
    tangent = EfficientFrontier(data, risk_free_rate=0.3).max_sharpe()
    frontier = EfficientFrontier(data.with_cash(0.3), risk_free_rate=0.3)
    best = frontier.max_sharpe()
    assert frontier.line.certificate_residual < 1e-12
    assert frontier.min_variance().by_ticker()["CASH"] == 1.0
    assert best.sharpe == pytest.approx(tangent.sharpe, rel=1e-12)
    half = frontier.at_volatility(0.5 * tangent.volatility)
    assert half.expected_return == pytest.approx(0.5 * (0.3 + tangent.expected_return), rel=1e-12)
    assert half.by_ticker()["CASH"] == pytest.approx(0.5, rel=1e-11)
    with pytest.raises(ModelError, match=r"CASH earns 0\.3 without risk"):
        frontier.max_sharpe(0.1)
    with pytest.raises(ModelError, match="CASH and BILL are riskless"):
        EfficientFrontier(data.with_cash(0.3).with_cash(0.2, "BILL"))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_variance_is_convex_in_return_and_the_order_of_assets_does_not_count(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 16))
    data = simulated(n, seed, factors=3)
    frontier = EfficientFrontier(data, bounds=(0.0, 0.7))
    points = frontier.points(80)
    variance = points.volatilities**2
    assert np.diff(variance).min() >= -1e-14 * variance.max()
    assert np.diff(variance, 2).min() >= -1e-12 * variance.max()
    order = rng.permutation(n)
    other = EfficientFrontier(
        CovarianceData(
            tickers=[data.tickers[i] for i in order],
            covariance=data.covariance[np.ix_(order, order)],
            expected_returns=data.expected_returns[order],
        ),
        bounds=(0.0, 0.7),
    )
    assert other.points(80).weights == pytest.approx(points.weights[:, order], abs=1e-9)
    wider = EfficientFrontier(data)
    for earned in np.linspace(points.expected_returns[0], points.expected_returns[-1], 7):
        # The wider frontier may have its least variance above this return: then that is no riskier either.
        free = wider.at_return(max(earned, wider.min_variance().expected_return))
        assert free.volatility <= frontier.at_return(earned).volatility * (1.0 + 1e-12)


@pytest.fixture(scope="module")
def large():
    data = simulated(500)
    return data, EfficientFrontier(data, risk_free_rate=0.01)


def test_five_hundred_assets(large):
    data, frontier = large
    assert frontier.line.certificate_residual < 1e-12
    assert frontier.line.drift < 1e-12
    assert len(frontier.line.scales) > 300
    assert frontier.max_return().expected_return == pytest.approx(float(data.expected_returns.max()), rel=1e-14)
    rows = np.ones((1, 500))
    alone = solve_qp(data.covariance, np.zeros(500), A=rows, b=[1.0], lower=0.0, upper=1.0).x
    assert frontier.min_variance().weights == pytest.approx(alone, abs=1e-13)
    points = frontier.points(7)
    for i in (1, 3, 5):
        assert points.weights[i] == pytest.approx(least_variance(data, points.expected_returns[i]), abs=1e-10)


def test_the_best_sharpe_ratio_of_five_hundred_assets_is_that_of_one_program(large):
    data, frontier = large
    best = frontier.max_sharpe()
    # Without a scale the ratio is a program of its own (Cornuéjols and Tütüncü 2007, section 8.2): least y'Cy with
    # (mu - r)'y = 1 and y >= 0, then w = y / sum(y); the upper bounds of 1 follow from the sum.
    excess = data.expected_returns - 0.01
    y = solve_qp(data.covariance, np.zeros(500), A=[excess], b=[1.0], lower=0.0, upper=np.inf).x
    assert best.weights == pytest.approx(y / y.sum(), abs=1e-12)
    assert best.certificate.kkt_residual < 1e-12


def test_equal_assets_share_and_a_flat_frontier_is_one_portfolio():
    data = CovarianceData(
        tickers=NAMES[:4], covariance=0.03 * np.eye(4) + 0.01, expected_returns=[0.05, 0.05, 0.05, 0.05]
    )
    frontier = EfficientFrontier(data)
    for found in (frontier.min_variance(), frontier.max_return(), frontier.max_sharpe(), frontier.at_return(0.05)):
        assert found.weights == pytest.approx(0.25, abs=1e-15)
    assert frontier.points(3).weights == pytest.approx(0.25, abs=1e-15)
    assert frontier.at_volatility(frontier.min_variance().volatility).weights == pytest.approx(0.25, abs=1e-15)
    assert len(frontier.turning_points) == 1


def test_one_asset():
    frontier = EfficientFrontier(CovarianceData(tickers=["A"], covariance=[[0.04]], expected_returns=[0.1]))
    assert frontier.max_sharpe().weights.tolist() == [1.0]
    assert frontier.max_sharpe().sharpe == pytest.approx(0.5, rel=1e-14)
    assert len(frontier.turning_points) == 1


def test_the_highest_return_of_several_is_the_least_risky():
    data = CovarianceData(
        tickers=["A", "B", "C"], covariance=np.diag([0.04, 0.04, 0.01]), expected_returns=[0.1, 0.1, 0.02]
    )
    assert EfficientFrontier(data).max_return().weights == pytest.approx([0.5, 0.5, 0.0], abs=1e-14)


def test_a_table_has_a_row_for_each_turning_point():
    frontier = EfficientFrontier(published())
    rows = list(frontier.to_table())
    assert len(rows) == 10
    assert rows[0]["expected_return"] == pytest.approx(1.19, rel=1e-14)
    assert rows[0]["weight_A1"] == 1.0
    assert rows[-1]["sharpe"] == pytest.approx(frontier.min_variance().sharpe, rel=1e-13)
    assert list(EfficientFrontier(published().with_cash(0.3)).to_table())[-1]["sharpe"] is None


def test_a_plot_shows_the_assets_by_name(tmp_path):
    pytest.importorskip("matplotlib")
    EfficientFrontier(published(), risk_free_rate=0.05).plot(tmp_path / "frontier.svg")
    EfficientFrontier(published(), risk_free_rate=2.0).plot(tmp_path / "no_tangent.svg")
    EfficientFrontier(published().with_cash(0.3)).plot(tmp_path / "cash_beats_the_rate.svg")
    drawn = (tmp_path / "frontier.svg").read_text(encoding="utf-8")
    assert all(f"<!-- {name} -->" in drawn for name in NAMES)
    assert "<!-- tangent from 5.00% -->" in drawn
    for name in ("no_tangent.svg", "cash_beats_the_rate.svg"):
        assert "tangent" not in (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: f.at_return(1.2), "from 0.803215 to 1.19"),
        (lambda f: f.at_return(0.7), "from 0.803215 to 1.19"),
        (lambda f: f.at_return(math.nan), "not on the frontier"),
        (lambda f: f.at_volatility(0.2), "from 0.205238 to 0.952"),
        (lambda f: f.at_volatility(1.0), "from 0.205238 to 0.952"),
        (lambda f: f.max_sharpe(1.19), "the most is 1.19"),
    ],
)
def test_what_is_not_on_the_frontier_is_refused_with_its_range(ask, message):
    with pytest.raises(InfeasibleError, match=message):
        ask(EfficientFrontier(published()))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: f.max_utility(0.0), "risk_aversion"),
        (lambda f: f.points(1), "count"),
        (lambda f: f.max_sharpe(math.nan), "risk_free_rate"),
    ],
)
def test_figures_out_of_range_are_refused(ask, message):
    with pytest.raises(ModelError, match=message):
        ask(EfficientFrontier(published()))


def test_what_cannot_make_a_frontier_is_refused():
    data = CovarianceData(tickers=["A", "B"], covariance=np.eye(2))
    with pytest.raises(CalibrationError, match="expected returns"):
        EfficientFrontier(data)
    with pytest.raises(InfeasibleError, match=r"add up to 0\.8"):
        EfficientFrontier(
            CovarianceData(tickers=["A", "B"], covariance=np.eye(2), expected_returns=[1, 2]), bounds=(0, 0.4)
        )
    with pytest.raises(ModelError, match="'Z'"):
        EfficientFrontier(published(), bounds={"Z": (0.0, 0.5)})
    with pytest.raises(ModelError, match="risk_free_rate"):
        EfficientFrontier(published(), risk_free_rate=math.inf)
