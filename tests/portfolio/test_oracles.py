"""Figures of own portfolios against formulas, an independent simulation and QuantLib."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from scipy import stats

from bank_python import load_portfolio
from bank_python.portfolio import read_history

pd = pytest.importorskip("pandas")

LAST = dt.date(2026, 1, 30)
DAYS = pd.bdate_range(end=LAST, periods=260)
QUICK = {"n_paths": 100_000, "stresses": (), "validate_greeks": False}


@pytest.fixture(scope="module")
def prices():
    rng = np.random.default_rng(11)
    covariance = np.array([[1.0, 0.6, 0.2, 0.0], [0.6, 4.0, 0.0, 0.1], [0.2, 0.0, 0.25, 0.05], [0.0, 0.1, 0.05, 0.36]])
    moves = rng.multivariate_normal(np.zeros(4), 1e-4 * covariance, len(DAYS))
    levels = np.array([100.0, 50.0, 1.1, 150.0]) * np.exp(np.cumsum(moves, axis=0) - np.sum(moves, axis=0))
    return pd.DataFrame(levels, index=DAYS, columns=["AAA", "BBB", "EURUSD", "USDJPY"])


def covariance_of(mine, prices, decay=0.97):
    """Volatilities by the formula, daily; correlations as the model has them, which shrinks those of the sample."""
    returns = np.diff(np.log(prices.to_numpy()), axis=0)
    weights = decay ** np.arange(len(returns))[::-1]
    deviations = np.sqrt(weights @ returns**2 / weights.sum())
    model = mine.factor_model()
    places = [model.names.index(f"{ticker}_SPOT") for ticker in prices]
    correlation = model.correlation[np.ix_(places, places)]
    assert np.abs(correlation) == pytest.approx(np.abs(np.corrcoef(returns.T)), abs=0.2)
    return correlation * np.outer(deviations, deviations)


def test_value_at_risk_of_two_shares_is_that_of_an_independent_simulation(prices):
    mine = load_portfolio([("AAA", 10), ("BBB", -30)], prices=prices)
    result = mine.risk(**QUICK)
    amounts = np.array([1000.0, -1500.0])
    covariance = covariance_of(mine, prices[["AAA", "BBB"]])
    deviations = np.sqrt(np.diag(covariance))
    normals = np.random.default_rng(5).multivariate_normal(np.zeros(2), covariance, 1_000_000)
    pnl = np.expm1(normals - 0.5 * deviations**2) @ amounts
    var = -np.quantile(pnl, 0.01)
    assert result.var_99 == pytest.approx(var, abs=4.0 * result.tail(0.99).var_error)
    assert result.tail(0.99).es == pytest.approx(-pnl[pnl <= -var].mean(), rel=0.02)
    parametric = stats.norm.ppf(0.99) * math.sqrt(amounts @ covariance @ amounts)
    assert result.var_99 == pytest.approx(parametric, rel=0.03)


def test_contributions_add_up(prices):
    rows = [
        {"ticker": "AAA", "quantity": 10, "book": "One"},
        {"ticker": "BBB", "quantity": -30, "currency": "EUR", "book": "Two"},
        {"ticker": "AAA 2026-07-31 C 105", "quantity": 2, "book": "Two"},
    ]
    result = load_portfolio(rows, prices=prices, vols={"AAA": 0.2}).risk(**QUICK)
    for parts in (result.by_trader(), result.by_factor()):
        assert math.fsum(part.es for part in parts.values()) == pytest.approx(result.tail(0.99).es, rel=1e-6)
        assert math.fsum(part.var for part in parts.values()) == pytest.approx(result.var_99, rel=1e-6)


def test_an_option_moves_by_its_delta_over_a_short_horizon(prices):
    mine = load_portfolio([("AAA 2027-01-29 C 100", 1)], prices=prices, vols={"AAA": 0.2}, rate=0.03)
    mine.assume_vols({"AAA_VOL": 0.0, "RATE": 0.0})
    first = (0.03 + 0.5 * 0.04) * (364 / 365.0) / (0.2 * math.sqrt(364 / 365.0))
    delta = 100.0 * stats.norm.cdf(first) * 100.0  # of one contract, for a relative move
    model = mine.factor_model()
    move = model.vols[model.names.index("AAA_SPOT")] / math.sqrt(252.0)
    assert mine.var(**QUICK) == pytest.approx(stats.norm.ppf(0.99) * delta * move, rel=0.06)
    assert mine.var(**QUICK, revaluation="delta_gamma") == pytest.approx(mine.var(**QUICK), rel=0.02)


def test_euro_portfolio_is_the_dollar_one_converted(prices):
    rows = [{"ticker": "AAA", "quantity": 10, "cost": 90.0, "currency": "USD"}]
    euros = load_portfolio(rows, prices=prices, currency="EUR")
    dollars = load_portfolio(rows, prices=prices)
    assert euros.value == pytest.approx(dollars.value / 1.1, rel=1e-12)
    assert euros.pnl == pytest.approx(100.0 / 1.1, rel=1e-12)  # the cost is converted at the present rate
    covariance = covariance_of(euros, prices[["AAA", "EURUSD"]])
    # A position is financed in its own currency: the rate moves what it has earned, 100 dollars, not its whole value.
    amounts = np.array([1000.0, -100.0]) / 1.1
    exact = stats.norm.ppf(0.99) * math.sqrt(amounts @ covariance @ amounts)
    assert euros.var(**QUICK) == pytest.approx(exact, rel=0.03)


def test_a_cross_over_the_dollar(prices):
    mine = load_portfolio([{"ticker": "AAA", "quantity": 10, "currency": "JPY"}], prices=prices, currency="EUR")
    assert mine.value == pytest.approx(1000.0 / 150.0 / 1.1, rel=1e-12)
    assert {factor.name for factor in mine.plan().factors} == {"AAA_SPOT", "EURUSD_SPOT", "USDJPY_SPOT"}
    assert mine.var(**QUICK) > 0.0


def test_a_position_in_a_currency_pair(prices):
    mine = load_portfolio([{"ticker": "EURUSD", "quantity": 1000, "kind": "fx", "cost": 1.05}], prices=prices)
    assert mine.value == pytest.approx(1100.0)
    assert mine.pnl == pytest.approx(50.0)
    assert load_portfolio(
        [{"ticker": "EURUSD", "quantity": 1000, "kind": "fx"}], prices=prices, currency="EUR"
    ).value == (pytest.approx(1000.0))


@pytest.mark.parametrize("maturity", ["2031-01-31", "2034-02-15", "2026-07-15"])
def test_a_bond_is_worth_what_quantlib_says(prices, maturity):
    ql = pytest.importorskip("QuantLib")
    end = dt.date.fromisoformat(maturity)
    bond = {"ticker": "UST", "quantity": 3, "coupon": "4%", "maturity": maturity, "yield": "5%"}
    value = load_portfolio([bond], prices=prices).value / 3.0
    today = ql.Date(LAST.day, LAST.month, LAST.year)
    ql.Settings.instance().evaluationDate = today
    issued = ql.Date(end.day, end.month, end.year) - ql.Period(10, ql.Years)
    schedule = ql.Schedule(
        issued,
        ql.Date(end.day, end.month, end.year),
        ql.Period(ql.Semiannual),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward,
        False,
    )
    peer = ql.FixedRateBond(0, 100.0, schedule, [0.04], ql.Thirty360(ql.Thirty360.BondBasis))
    rate = ql.InterestRate(0.05, ql.Actual365Fixed(), ql.Compounded, ql.Semiannual)
    flows = ql.CashFlows.npv(peer.cashflows(), rate, False, today, today)
    assert value == pytest.approx(flows, abs=0.01)


def test_stress_of_a_share_by_hand(prices):
    mine = load_portfolio([{"ticker": "AAA", "quantity": 10}, {"ticker": "BBB", "quantity": 4}], prices=prices)
    one, two = (load_portfolio([(ticker, n)], prices=prices).stress() for ticker, n in (("AAA", 10), ("BBB", 4)))
    for whole, first, second in zip(mine.stress(), one, two, strict=True):
        assert whole.pnl == pytest.approx(first.pnl + second.pnl, rel=1e-9)
        assert second.pnl == pytest.approx(first.pnl * 200.0 / 1000.0, rel=1e-9)  # one beta without a sector


def test_limits_used_are_measure_by_maximum(prices):
    mine = load_portfolio([("AAA", 10), ("BBB", 4)], prices=prices)
    loss = -min(result.pnl for result in mine.stress())
    most = {"Concentration": 0.5, "Stress loss": 1000.0, "Delta 1%": 20.0, "VaR 99": 100.0}
    used = {reading.limit.name: reading.used for reading in mine.limits(most, n_paths=2_000).readings()}
    assert used["Stress loss"] == pytest.approx(loss / 1000.0, rel=1e-9)
    assert used["Delta 1%"] == pytest.approx(12.0 / 20.0, rel=1e-9)
    assert used["VaR 99"] == pytest.approx(mine.live_risk(n_paths=2_000).var_99.value / 100.0, rel=1e-12)


def test_units_of_bonds_and_spreads(prices):
    terms = {"coupon": "4%", "maturity": 5, "yield": 0.04}
    mine = load_portfolio([{"ticker": "B", "quantity": 10, **terms}], prices=prices)
    assert mine.value == pytest.approx(1000.0)  # 10 units of 100 face
    assert load_portfolio([{"ticker": "B", "quantity": 1, "notional": 1000, **terms}], prices=prices).value == (
        pytest.approx(1000.0)
    )


def test_a_price_of_an_option_gives_its_volatility(prices):
    row = {"ticker": "AAA 2026-07-31 C 105", "quantity": 2}
    by_vol = load_portfolio([row | {"vol": 0.27}], prices=prices, rate=0.03)
    price = by_vol.value / 200.0
    by_price = load_portfolio([row | {"price": price}], prices=prices, rate=0.03)
    assert by_price.leaf("AAA 2026-07-31 C 105 VOL").value == pytest.approx(0.27, rel=1e-9)
    assert by_price.value == pytest.approx(by_vol.value, rel=1e-9)
    with pytest.raises(ValueError, match=r"no volatility gives the price 0\.5"):
        load_portfolio([{"ticker": "AAA 2026-07-31 C 50", "quantity": 2, "price": 0.5}], prices=prices)
    with pytest.raises(ValueError, match="keep one"):
        load_portfolio([row | {"price": price, "vol": 0.3}], prices=prices)


@pytest.mark.parametrize("constant", [100.0, 1e-6])
def test_what_does_not_move_has_no_risk(constant):
    prices = pd.DataFrame({"AAA": constant}, index=DAYS)
    for rows in ([("AAA", 10)], [("AAA", 10), ("AAA", -10)], [{"ticker": "USD", "quantity": 5, "kind": "cash"}]):
        result = load_portfolio(rows, prices=prices).risk(n_paths=2_000)
        assert result.var_99 == 0.0
        assert all(part.es == 0.0 for part in result.by_factor().values())


def test_bonds_and_cash_need_no_prices():
    bond = {"ticker": "B", "quantity": 5, "coupon": 0.04, "yield": 0.04, "maturity": 5}
    mine = load_portfolio([bond, {"ticker": "USD", "quantity": 5, "kind": "cash"}])
    duration = 4.491  # modified, by hand: (1 − 1.02**−10) / 0.04
    assert mine.var(**QUICK) == pytest.approx(500.0 * duration * 0.01 / math.sqrt(252.0) * 2.326, rel=0.03)


def test_read_history_gives_back_what_was_written(prices, tmp_path):
    prices.to_csv(tmp_path / "p.csv", sep=";", index_label="date")
    np.testing.assert_array_equal(read_history(tmp_path / "p.csv").closes, prices.to_numpy())


def test_a_credit_default_swap_is_worth_its_premium_leg_difference(prices):
    terms = {"ticker": "C", "quantity": 1, "maturity": 5}
    par = load_portfolio([terms | {"spread": 0.01}], prices=prices, rate=0.03)
    assert par.value == pytest.approx(0.0, abs=1.0)
    wide = load_portfolio([terms | {"spread": 0.02}], prices=prices, rate=0.03)
    hazard = 0.02 / 0.6  # the credit triangle
    annuity = -math.expm1(-(0.03 + hazard) * 5.0) / (0.03 + hazard)
    assert wide.value == pytest.approx(1e6 * (0.02 - 0.01) * annuity, rel=0.02)
