"""Black and Litterman's posterior: He and Litterman's tables, the master formula with its inverses, certain views."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.errors import CalibrationError, MatrixError
from bank_python.risk_models.black_litterman import black_litterman

# G. He and R. Litterman, "The intuition behind Black-Litterman model portfolios" (Goldman Sachs, 1999), tables 1 and 2:
# Australia, Canada, France, Germany, Japan, UK, USA; δ = 2.5, τ = 0.05.
VOLATILITIES = np.array([0.160, 0.203, 0.248, 0.271, 0.210, 0.200, 0.187])
MARKET = np.array([0.016, 0.022, 0.052, 0.055, 0.116, 0.124, 0.615])
CORRELATION = np.eye(7)
CORRELATION[np.tril_indices(7, -1)] = [
    *(0.488,),
    *(0.478, 0.664),
    *(0.515, 0.655, 0.861),
    *(0.439, 0.310, 0.355, 0.354),
    *(0.512, 0.608, 0.783, 0.777, 0.405),
    *(0.491, 0.779, 0.668, 0.653, 0.306, 0.652),
]
CORRELATION = np.maximum(CORRELATION, CORRELATION.T)
SIGMA = np.outer(VOLATILITIES, VOLATILITIES) * CORRELATION
GERMANY = [0.0, 0.0, -5.2 / 17.6, 1.0, 0.0, -12.4 / 17.6, 0.0]
CANADA_USA = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
CANADA_JAPAN = [0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0]
LAST_DIGIT = 0.06  # of per cent, printed with one decimal from inputs that are rounded too


def posterior(P, Q, **more):
    return black_litterman(SIGMA, market_weights=MARKET, P=P, Q=Q, tau=0.05, risk_aversion=2.5, **more)


def doubled_first(P):
    omega = 0.05 * np.einsum("ki,ij,kj->k", P, SIGMA, P)
    omega[0] *= 2.0
    return omega


def by_inverses(sigma, prior, P, Q, omega, tau):
    """The master formula of the paper, with every inverse in it."""
    inv = np.linalg.inv
    precision = inv(tau * sigma) + P.T @ inv(omega) @ P
    return inv(precision) @ (inv(tau * sigma) @ prior + P.T @ inv(omega) @ Q), inv(precision)


def random_problem(seed, n, k):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n, n + 3)) * 0.1
    return root @ root.T, rng.normal(0.05, 0.05, n), rng.normal(size=(k, n)), rng.normal(0.0, 0.1, k)


def test_table_2_the_equilibrium():
    prior = posterior(np.empty((0, 7)), []).prior
    exact = [3.93755464, 6.91518962, 8.35808664, 9.02723974, 4.3028097, 6.76769305, 7.56004661]
    assert 100 * prior == pytest.approx(exact, abs=1e-7)
    assert 100 * prior == pytest.approx([3.9, 6.9, 8.4, 9.0, 4.3, 6.8, 7.6], abs=LAST_DIGIT)


def test_table_3_what_happens_without_the_model():
    """Germany's return raised, and France's and the UK's lowered, to make the view true; then mean-variance."""
    start = posterior(np.empty((0, 7)), []).prior
    shares = np.array([5.2, 12.4]) / 17.6
    gap = 0.05 - (start[3] - shares @ start[[2, 5]])
    # Kept: the mean of the three by market weight.
    europe = np.array([5.2, 5.5, 12.4])
    naive = start.copy()
    naive[3] += gap * europe[[0, 2]].sum() / europe.sum()
    naive[[2, 5]] -= gap * europe[1] / europe.sum()
    assert 100 * naive == pytest.approx([3.94, 6.92, 7.59, 11.47, 4.3, 6.0, 7.56], abs=0.006)
    weights = 100 * np.linalg.solve(2.5 * SIGMA, naive)
    assert weights == pytest.approx([-5.06, -2.32, -50.07, 83.6, 14.86, -22.77, 66.58], abs=0.006)
    assert weights == pytest.approx([-5.1, -2.3, -50.1, 83.6, 14.9, -22.8, 66.6], abs=LAST_DIGIT)


def test_table_4_germany_against_the_rest_of_europe():
    found = posterior([GERMANY], [0.05])
    assert 100 * found.expected_returns == pytest.approx([4.328, 7.576, 9.287, 11.037, 4.506, 6.953, 8.069], abs=6e-4)
    assert 100 * found.weights == pytest.approx([1.524, 2.095, -3.968, 35.429, 11.048, -9.462, 58.571], abs=6e-4)
    assert 100 * found.expected_returns == pytest.approx([4.3, 7.6, 9.3, 11.0, 4.5, 7.0, 8.1], abs=LAST_DIGIT)
    assert 100 * found.weights == pytest.approx([1.5, 2.1, -4.0, 35.4, 11.0, -9.5, 58.6], abs=LAST_DIGIT)
    assert found.tilts == pytest.approx([0.317], abs=5e-4)
    assert found.tilts / 1.05 == pytest.approx([0.302], abs=5e-4)  # as in the text


def test_tables_5_and_6_a_second_view():
    """Countries in no view keep the market's weight over 1 + τ; a bolder view pulls harder, and the other gives way."""
    first = posterior([GERMANY, CANADA_USA], [0.05, 0.03])
    bolder = posterior([GERMANY, CANADA_USA], [0.05, 0.04])
    for found in (first, bolder):
        assert found.weights[[0, 4]] == pytest.approx(MARKET[[0, 4]] / 1.05, rel=1e-12)
        assert (found.tilts > 0.0).all()
    assert bolder.tilts[1] > first.tilts[1]
    assert bolder.tilts[0] < first.tilts[0]
    # The tables' own formula, with its inverses, at their inputs.
    P = np.array([GERMANY, CANADA_USA])
    omega = np.diag(0.05 * np.einsum("ki,ij,kj->k", P, SIGMA, P))
    means, uncertainty = by_inverses(SIGMA, first.prior, P, np.array([0.05, 0.03]), omega, 0.05)
    assert first.expected_returns == pytest.approx(means, rel=1e-10)
    assert first.weights == pytest.approx(np.linalg.solve(2.5 * (SIGMA + uncertainty), means), rel=1e-9)


def test_table_7_less_confidence_in_the_first_view():
    P, Q = np.array([GERMANY, CANADA_USA]), [0.05, 0.04]
    sure, less = posterior(P, Q), posterior(P, Q, omega=doubled_first(P))
    by_confidence = posterior(P, Q, confidences=[1.0 / 3.0, 0.5])
    assert 0.0 < less.tilts[0] < sure.tilts[0]
    assert by_confidence.omega == pytest.approx(less.omega, rel=1e-13)
    assert by_confidence.weights == pytest.approx(less.weights, rel=1e-12)


def test_table_8_a_view_already_implied_gets_no_weight():
    P = np.array([GERMANY, CANADA_USA, CANADA_JAPAN])
    two = posterior(P[:2], [0.05, 0.04], omega=doubled_first(P[:2]))
    three = posterior(P, [0.05, 0.04, 0.0412], omega=doubled_first(P))
    assert three.tilts[2] == pytest.approx(0.0, abs=5e-4)
    assert 100 * three.weights == pytest.approx(100 * two.weights, abs=LAST_DIGIT)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (5, 3), (8, 8), (6, 9)])
def test_the_posterior_is_the_master_formulas(n, k):
    sigma, prior, P, Q = random_problem(n * 10 + k, n, k)
    omega = np.diag(0.03 * np.einsum("ki,ij,kj->k", P, sigma, P))
    found = black_litterman(sigma, prior=prior, P=P, Q=Q, tau=0.03)
    means, uncertainty = by_inverses(sigma, prior, P, Q, omega, 0.03)
    assert found.omega == pytest.approx(omega, rel=1e-12)
    assert found.expected_returns == pytest.approx(means, rel=1e-7, abs=1e-10)
    assert found.uncertainty == pytest.approx(uncertainty, rel=1e-6, abs=1e-10)
    assert found.covariance == pytest.approx(sigma + uncertainty, rel=1e-8)
    assert found.weights == pytest.approx(np.linalg.solve(2.5 * (sigma + uncertainty), means), rel=1e-5, abs=1e-8)


def test_the_posterior_is_pyportfolioopts():
    """Its `bl_returns` solves (τ P Σ Pᵀ + Ω) x = Q − P π with Ω = τ diag(P Σ Pᵀ) and adds τ Σ Pᵀ x."""
    sigma, prior, P, Q = random_problem(3, 6, 4)
    tau_sigma_p = 0.05 * sigma @ P.T
    omega = np.diag(np.diag(0.05 * P @ sigma @ P.T))
    theirs = prior + tau_sigma_p @ np.linalg.lstsq(P @ tau_sigma_p + omega, Q - P @ prior, rcond=None)[0]
    found = black_litterman(sigma, prior=prior, P=P, Q=Q)
    assert found.expected_returns == pytest.approx(theirs, rel=1e-10)


def test_a_full_omega_and_the_tilts_of_the_paper():
    sigma, prior, P, Q = random_problem(11, 6, 3)
    rough = np.random.default_rng(0).normal(size=(3, 5)) * 0.05
    omega, tau, delta = rough @ rough.T, 0.1, 3.0
    found = black_litterman(sigma, prior=prior, P=P, Q=Q, omega=omega, tau=tau, risk_aversion=delta)
    means, uncertainty = by_inverses(sigma, prior, P, Q, omega, tau)
    assert found.expected_returns == pytest.approx(means, rel=1e-8)
    assert found.uncertainty == pytest.approx(uncertainty, rel=1e-8)
    market = np.linalg.solve(delta * sigma, prior)
    A = omega / tau + P @ sigma @ P.T / (1 + tau)
    q = tau * np.linalg.solve(omega, Q) / delta
    known = P @ sigma / (1 + tau)
    tilts = q - np.linalg.solve(A, known @ market) - np.linalg.solve(A, known @ P.T @ q)
    assert found.tilts == pytest.approx(tilts, rel=1e-7)
    assert found.prior_weights == pytest.approx(market, rel=1e-9)


def test_no_views_leave_the_prior():
    found = posterior(np.empty((0, 7)), np.empty(0))
    assert (found.expected_returns == found.prior).all()
    assert found.covariance == pytest.approx(1.05 * SIGMA, rel=1e-15)
    assert found.weights == pytest.approx(MARKET / 1.05, rel=1e-15)
    assert found.tilts.shape == (0,)


def test_certain_views_are_met_exactly_and_leave_no_doubt():
    found = posterior([GERMANY, CANADA_USA], [0.05, 0.03], confidences=[1.0, 1.0])
    P = np.array([GERMANY, CANADA_USA])
    assert P @ found.expected_returns == pytest.approx([0.05, 0.03], abs=1e-15)
    assert P @ found.uncertainty @ P.T == pytest.approx(np.zeros((2, 2)), abs=1e-16)
    mixed = posterior(P, [0.05, 0.03], confidences=[1.0, 0.5])
    assert GERMANY @ mixed.expected_returns == pytest.approx(0.05, abs=1e-15)
    assert CANADA_USA @ mixed.expected_returns < 0.03
    assert mixed.weights == pytest.approx(
        np.linalg.solve(2.5 * mixed.covariance, mixed.expected_returns), rel=1e-9, abs=1e-12
    )
    assert posterior(P, [0.05, 0.03], confidences=[0.5, 0.5]).weights == pytest.approx(
        posterior(P, [0.05, 0.03]).weights, rel=1e-14
    )


@given(st.integers(0, 10_000), st.integers(2, 8), st.floats(0.02, 0.98))
def test_more_confidence_moves_a_lone_view_closer(seed, n, confidence):
    """With one view the distance from it shrinks by 1 − c, whatever the covariance."""
    sigma, prior, P, Q = random_problem(seed, n, 1)
    found = black_litterman(sigma, prior=prior, P=P, Q=Q, confidences=[confidence])
    before, after = Q - P @ prior, Q - P @ found.expected_returns
    assert after == pytest.approx((1.0 - confidence) * before, rel=1e-9, abs=1e-13)


@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(1, 5))
def test_order_and_scale_of_views_change_nothing(seed, n, k):
    sigma, prior, P, Q = random_problem(seed, n, k)
    found = black_litterman(sigma, prior=prior, P=P, Q=Q)
    order = np.random.default_rng(seed).permutation(k)
    scale = np.linspace(-2.0, 3.1, k)
    other = black_litterman(sigma, prior=prior, P=P[order] * scale[:, None], Q=Q[order] * scale)
    assert other.expected_returns == pytest.approx(found.expected_returns, rel=1e-7, abs=1e-11)
    least = np.linalg.eigvalsh(0.05 * sigma - found.uncertainty)[0]
    assert least > -1e-12  # a view never adds to the doubt


def test_refuses_certain_views_that_contradict_each_other():
    P = [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0], [1.0, 0.0, -1.0]]
    sigma = np.diag([0.04, 0.05, 0.06])
    with pytest.raises(MatrixError, match=r"view 2 is 0\.05 with certainty, but .* imply 0\.03"):
        black_litterman(sigma, prior=[0.05] * 3, P=P, Q=[0.01, 0.02, 0.05], confidences=[1.0] * 3)
    with pytest.raises(MatrixError, match=r"view 2 \(0\.03\) already follows"):
        black_litterman(sigma, prior=[0.05] * 3, P=P, Q=[0.01, 0.02, 0.03], confidences=[1.0] * 3)
    doubted = black_litterman(sigma, prior=[0.05] * 3, P=P, Q=[0.01, 0.02, 0.05], confidences=[1.0, 1.0, 0.9])
    assert doubted.expected_returns[0] - doubted.expected_returns[2] == pytest.approx(0.03, abs=1e-14)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"P": [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0]}, r"P of shape \(7,\).*7 assets"),
        ({"P": [[1.0, -1.0]]}, r"P of shape \(1, 2\)"),
        ({"P": [[0.0] * 7]}, "all weights of view 0 are 0"),
        ({"P": [[np.nan] + [0.0] * 6]}, "view 0 has weight nan of asset 0"),
        ({"Q": [0.05, 0.01]}, r"Q of shape \(2,\); give 1 numbers"),
        ({"Q": [np.inf]}, "Q has the value inf at 0"),
        ({"confidences": [0.0]}, r"confidence in view 0 is 0, outside \(0, 1\]"),
        ({"confidences": [1.2]}, r"confidence in view 0 is 1\.2"),
        ({"confidences": [0.5], "omega": [0.1]}, "not both"),
        ({"omega": [[0.1, 0.0]]}, r"omega of shape \(1, 2\) for 1 views"),
        ({"tau": 0.0}, r"tau=0\.0"),
        ({"risk_aversion": -1.0}, r"risk_aversion=-1\.0"),
        ({"prior": [0.05] * 7}, "one of the two"),
        ({"market_weights": None}, "one of the two"),
        ({"market_weights": [0.5, 0.5]}, r"market_weights of shape \(2,\); give 7"),
    ],
)
def test_refuses_what_does_not_fit(given, message):
    usual = {"market_weights": MARKET, "P": [GERMANY], "Q": [0.05]}
    with pytest.raises(CalibrationError, match=message):
        black_litterman(SIGMA, **(usual | given))


def test_refuses_what_is_no_covariance():
    with pytest.raises(MatrixError, match="not positive definite"):
        black_litterman([[1.0, 2.0], [2.0, 1.0]], prior=[0.1, 0.1], P=[[1.0, 0.0]], Q=[0.1])
    with pytest.raises(MatrixError, match="not positive semidefinite"):
        posterior([GERMANY, CANADA_USA], [0.05, 0.03], omega=[0.01, -0.01])
