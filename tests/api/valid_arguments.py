"""For each public function, and each constructor of a thing that users make, arguments that are right."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python import (
    backtester,
    barbara,
    instruments,
    macro,
    market_data,
    mc_engine,
    mntable,
    risk,
    risk_models,
    trading_engine,
    walpole,
)
from bank_python import trading_engine as trading
from bank_python.dagger import DependencyGraph
from tests.api.tail_arguments import TAILS

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = dt.date(2026, 1, 15)
RNG = np.random.default_rng(0)
PNL = RNG.normal(size=500)
ASSET, MARKET = RNG.normal(size=(2, 100)) * 0.01
HITS = (np.arange(250) % 50 == 0).astype(float)
LEVELS = np.exp(np.cumsum(RNG.normal(size=(60, 2)) * 0.01, axis=0))

CALL = {"spot": 100.0, "strike": 100.0, "expiry": 1.0, "rate": 0.05, "vol": 0.2, "dividend": 0.01, "is_call": True}
NO_VOL = {key: value for key, value in CALL.items() if key != "vol"}
BOND = {"face": 100.0, "coupon_rate": 0.05, "maturity": 5.0, "elapsed": 0.1, "frequency": 2.0}
HESTON = {"v0": 0.04, "kappa": 1.0, "theta": 0.04, "sigma": 0.5, "rho": -0.5}
JUMPS = {"jump_intensity": 1.0, "jump_mean": -0.1, "jump_vol": 0.1}
SVI = {"a": 0.04, "b": 0.1, "rho": -0.3, "m": 0.0, "sigma": 0.1}
CURVE = risk_models.Curve.flat(0.03)
CHAIN = {"likelihoods": [[0.9, 0.2]] * 3, "transition": [[0.7, 0.3], [0.3, 0.7]], "prior": [0.5, 0.5], "log": False}
SMILES = [risk_models.SviSlice(**SVI), risk_models.SviSlice(**{**SVI, "a": 0.08})]
SURVIVAL = risk_models.SurvivalCurve([1.0, 2.0], [0.97, 0.94])
SURFACE = risk_models.Surface([1.0, 2.0], SMILES, [100.0, 100.0])
STRIKES = np.linspace(-0.3, 0.3, 9)
SMILE = {"expiry": 1.0, "log_moneyness": STRIKES, "total_variance": SMILES[0].total_variance(STRIKES)}
LEGS = {"maturity": 5.0, "elapsed": 0.1, "fixed_frequency": 2.0, "floating_frequency": 4.0, "current_fixing": 0.03}
CDS = {"spread": 0.01, "rate": 0.03, "notional": 1.0, "coupon": 0.01, "maturity": 5.0, "recovery": 0.4, "elapsed": 0.1}
CDS_DATES = {"trade_date": TODAY, "maturity": dt.date(2031, 3, 20)}
ONE_CDS = {key: CDS[key] for key in ("spread", "rate", "maturity", "recovery", "elapsed")}

OHLC = {"open": [10.0, 10.5, 10.2], "high": [11.0, 11.5, 10.9], "low": [9.5, 10.0, 9.9], "close": [10.5, 10.2, 10.7]}
NO_OPEN = {key: OHLC[key] for key in ("high", "low", "close")}
YEARLY = {"periods_per_year": 252.0, "window": 2}
GARCH = risk_models.fit_garch(PNL)

GRAPH = DependencyGraph()
SPOT = GRAPH.register(market_data.MarketData("S", 100.0))
SHARE = instruments.Equity("A", spot_source=SPOT)
HELD = instruments.Position("P", instrument=SHARE, quantity=10)
BOOK = GRAPH.register(instruments.Book("ALICE", [HELD]))
PLAN = risk.plan_valuation([BOOK])
OTHER = instruments.Equity("B", spot_source=GRAPH.register(market_data.MarketData("T", 50.0)))
BOTH = risk.plan_valuation({"BOTH": [HELD, instruments.Position("R", instrument=OTHER, quantity=5)]})
LAW = mc_engine.FactorModel.given({"S": 0.2})
PATHS = {"years": 1.0, "n_steps": 2, "n_paths": 10, "seed": 1}
MADE = {"spot_source": 100.0, "vol_source": 0.2, "rate_source": 0.05, "strike": 100.0, "expiry": 1.0}
OPTION = instruments.Option("O", **MADE)
AMERICAN = instruments.AmericanOption("O", **MADE, steps=11)
FX = {"spot_source": 1.1, "rate_source": 0.05, "foreign_rate_source": 0.03, "strike": 1.0, "expiry": 1.0}
NODE = {"currency": "USD", "clock_source": 0.0}
STORE = barbara.BarbaraDB.open("x", path=":memory:")
STORE["/A/b"] = 1.0
TABLE = mntable.Table([("a", float), ("b", str)])

CHARGED = risk.take_greeks([BOOK])
STATE = risk.capture([BOOK])
ENGINE = mc_engine.MonteCarloEngine([BOOK], GRAPH, STORE, factor_model=LAW)
RUN = ENGINE.run(mc_engine.MCConfig(n_paths=64, stresses=(), validate_greeks=False))
HELD_RISK = mc_engine.ReactiveRisk([BOOK], GRAPH, LAW, mc_engine.MCConfig(n_paths=64), name="HELD")

Case = tuple["Callable[..., Any]", dict[str, Any]]

MODELS: list[Case] = [
    (risk_models.black_scholes_price, CALL),
    (risk_models.black_scholes_greeks, CALL),
    (risk_models.american_price, {**CALL, "steps": 11}),
    (risk_models.american_greeks, {**CALL, "steps": 11}),
    (risk_models.digital_price, {**CALL, "cash": 1.0}),
    (risk_models.digital_greeks, {**CALL, "cash": 1.0}),
    (risk_models.asset_digital_price, CALL),
    (risk_models.asset_digital_greeks, CALL),
    (
        risk_models.barrier_price,
        {**CALL, "barrier": 90.0, "is_up": False, "is_in": False, "rebate": 1.0, "touched": False},
    ),
    (risk_models.heston_price, {**NO_VOL, **HESTON}),
    (risk_models.merton_price, {**CALL, **JUMPS}),
    (risk_models.implied_vol, {"price": 10.0, **NO_VOL, "method": "halley"}),
    (risk_models.implied_vol_fit, {"price": 10.0, **NO_VOL, "method": "halley"}),
    (
        risk_models.power_law_price,
        {"spot": 100.0, "strike": 120.0, "anchor_price": 4.0, "anchor_strike": 110.0, "alpha": 3.0, "is_call": True},
    ),
    (risk_models.forward_price, {key: CALL[key] for key in ("spot", "expiry", "rate", "dividend")}),
    (risk_models.forward_value, {key: CALL[key] for key in ("spot", "strike", "expiry", "rate", "dividend")}),
    (risk_models.funding_payment, {"mark": 1.0, "funding": 1e-4, "size": 1.0, "is_inverse": False}),
    (risk_models.perpetual_value, {"mark": 1.0, "entry": 1.0, "size": 1.0, "is_inverse": False}),
    (risk_models.bond_price, {"rate": 0.03, **BOND, "compounding": 0.0}),
    (risk_models.bond_paid, BOND),
    (risk_models.cds_premium_paid, {"notional": 1.0, "coupon": 0.01, "maturity": 5.0, "elapsed": 0.1}),
    (risk_models.bond_yield, {"price": 100.0, **BOND, "compounding": 0.0}),
    (risk_models.bond_analytics, {"rate": 0.03, **BOND, "compounding": 0.0}),
    (risk_models.accrued_interest, BOND),
    (risk_models.bond_value_on_curve, {"curve": CURVE, **BOND}),
    (
        risk_models.curve_yield,
        {"curve": CURVE, **{key: BOND[key] for key in list(BOND)[1:]}, "compounding": 0.0},
    ),
    (risk_models.par_swap_rate, {"curve": CURVE, **LEGS}),
    (risk_models.swap_value_on_curve, {"curve": CURVE, "notional": 1.0, "fixed_rate": 0.03, **LEGS}),
    (risk_models.swap_value, {"short_rate": 0.03, "rate": 0.03, "notional": 1.0, "fixed_rate": 0.03, **LEGS}),
    (
        risk_models.floating_price,
        {"short_rate": 0.03, "rate": 0.03, "face": 1.0, "margin": 0.0, "maturity": 5.0, "elapsed": 0.1}
        | {"frequency": 4.0, "current_fixing": 0.03},
    ),
    (risk_models.cds_value, CDS),
    (risk_models.cds_analytics, CDS),
    (risk_models.cds_accrued, {"maturity": 5.0, "elapsed": 0.1}),
    (risk_models.risky_annuity, ONE_CDS),
    (risk_models.survival_probability, {"spread": 0.01, "recovery": 0.4, "time": 5.0, "rate": 0.03}),
    (
        risk_models.bootstrap_survival,
        {"tenors": [1.0, 5.0], "spreads": [0.01, 0.012], "discount": 0.03, "recovery": 0.4},
    ),
    (risk_models.as_curve, {"rate": 0.03}),
    (risk_models.Curve, {"times": [1.0, 2.0], "discounts": [0.97, 0.94]}),
    (risk_models.SurvivalCurve, {"times": [1.0, 2.0], "survivals": [0.97, 0.94]}),
    (
        risk_models.bootstrap,
        {"quotes": [risk_models.Quote("3M", 0.05), risk_models.Quote("1Y", 0.05, True)], "trade_date": TODAY},
    ),
    (risk_models.Quote, {"tenor": "1Y", "rate": 0.05, "swap": True}),
    (risk_models.svi_total_variance, {"k": 0.1, **SVI}),
    (risk_models.svi_butterfly_g, {"k": 0.1, **SVI}),
    (risk_models.SviSlice, SVI),
    (risk_models.calendar_gap, {"earlier": SMILES[0], "later": SMILES[1]}),
    (risk_models.check_slices, {"expiries": [1.0, 2.0], "slices": SMILES}),
    (risk_models.ssvi_repair, {"smile": SMILES[0], "T": 1.0}),
    (risk_models.nearest_repair, {"smile": SMILES[0], "T": 1.0}),
    (risk_models.Surface, {"expiries": [1.0, 2.0], "slices": SMILES, "forwards": [100.0, 100.0], "spot": 100.0}),
    (risk_models.SmileQuotes, {**SMILE, "weights": np.ones(9)}),
    (risk_models.fit_slice, {"quotes": risk_models.SmileQuotes(**SMILE), "previous": None}),
    (risk_models.hamilton_filter, CHAIN),
    (risk_models.kim_smoother, CHAIN),
    (risk_models.fit_gpd_excesses, {"excesses": np.abs(PNL)}),
    (risk_models.mackinnon_p_value, {"statistic": -3.0, "trend": "ct", "variables": 2}),
    (risk_models.mackinnon_critical_values, {"trend": "ct", "variables": 2, "observations": 100}),
    (risk_models.adf_test, {"series": LEVELS[:, 0], "lags": "bic", "trend": "ct", "max_lags": 3}),
    (
        risk_models.engle_granger,
        {"y": LEVELS[:, 0], "x": LEVELS[:, 1], "lags": 1, "trend": "ct", "take_logs": True, "names": ["A", "B"]},
    ),
    (risk_models.johansen, {"series": LEVELS, "lags": 1, "trend": "ct", "take_logs": True, "names": ["A", "B"]}),
    (
        risk_models.scan_pairs,
        {"prices": LEVELS, "lags": 1, "trend": "ct", "take_logs": True, "names": ["A", "B"], "most_change": 0.5},
    ),
    (risk_models.half_life, {"series": PNL, "confidence": 0.9}),
    (risk_models.fit_ou, {"series": np.convolve(PNL, np.ones(5)), "periods_per_year": 252.0}),
    (risk_models.z_score, {"series": PNL, "lookback": 20, "include_current": False}),
    (risk_models.fit_tail, {"losses": PNL, "threshold": 1.0, "share": 0.1}),
    (risk_models.realised_volatility, {"close": OHLC["close"], **YEARLY, "mean": "zero"}),
    (risk_models.parkinson_volatility, {"high": OHLC["high"], "low": OHLC["low"], **YEARLY}),
    (risk_models.garman_klass_volatility, {**OHLC, **YEARLY}),
    (risk_models.rogers_satchell_volatility, {**OHLC, **YEARLY}),
    (risk_models.yang_zhang_volatility, {**OHLC, **YEARLY}),
    (risk_models.ewma_variance, {"returns": PNL, "decay": 0.9, "start": 1.0}),
    (risk_models.ewma_volatility, {"returns": PNL, "decay": 0.9, "periods_per_year": 252.0, "start": "first"}),
    (
        risk_models.fit_har,
        {"variances": PNL**2, "lags": [1, 5], "transform": "log", "ahead": 2, "bias_correction": "none"}
        | {"floor": 1e-9, "hac_lags": 3, "min_rows": 50},
    ),
    (
        risk_models.fit_garch,
        {"returns": PNL, "model": "gjr", "distribution": "t", "mean": "zero", "startup": "mean_square"},
    ),
    (GARCH.forecast, {"horizon": 5, "latest": 0.5}),
    (GARCH.forecast_volatility, {"horizon": 5, "periods_per_year": 252.0, "latest": 0.5}),
    (risk_models.true_range, NO_OPEN),
    (risk_models.atr, {**NO_OPEN, "n": 2, "start": "first"}),
    (risk_models.rsi, {"close": OHLC["close"], "n": 2, "start": "first"}),
    (
        risk_models.combine_volatility,
        {"horizon_hours": 4.0, "har": 0.01, "garch": 0.02, "atr": 0.015, "weights": {"har": 0.5, "atr": 0.5}},
    ),
    (
        risk_models.blend_volatility,
        {"bars": NO_OPEN, "horizon_hours": 4.0, "bar_hours": 1.0, "garch": 0.02, "garch_scale": 1.0, "n": 2}
        | {"weights": {"garch": 1.0, "atr": 1.0}},
    ),
    (
        risk_models.black_litterman,
        {"covariance": np.eye(2) * 0.04, "P": [[1.0, 0.0]], "Q": [0.1], "market_weights": [0.5, 0.5], "tau": 0.05}
        | {"risk_aversion": 2.5},
    ),
    (risk_models.HestonProcess, HESTON),
    (risk_models.MertonJumpDiffusion, {"vol": 0.2, **JUMPS}),
    (risk_models.GeometricBrownianMotion, {"drift": 0.1, "vol": 0.2}),
    (risk_models.imm_schedule, CDS_DATES),
    (risk_models.StandardCds, {**CDS_DATES, "coupon": 0.01, "recovery": 0.4, "notional": 1.0}),
    (risk_models.TailConstraint, {"threshold": -0.1, "tail_mean": -0.2, "epsilon": 0.05}),
]

AUTOREGRESSION = {"intercept": 0.001, "phi": 0.95, "variance": 0.0001, "last": 0.05, "periods_per_year": 252.0}
UNITS = {"traders": [BOOK], "base_currency": "USD"}
COUNTS = {"exceptions": 5, "observations": 250, "probability": 0.01}
TAIL = {"pnl": PNL, "confidence": 0.99, "method": "historical", "half_life": 250.0, "decay": 0.94}
GBM = {"S0": 100.0, "mu": 0.1, "sigma": 0.2, "T": 1.0, "dt": 0.5, "n": 10, "seed": 1}
PAIR = {"asset_returns": ASSET, "market_returns": MARKET}
SCORES = {"market_vol": 4.0, "credit_risk": 6.0, "liquidity": 2.0, "concentration": 8.0, "macro_regime": 5.0}
READINGS = {
    "vol": 0.182,
    "high_yield_spread": 0.035,
    "investment_grade_spread": 0.01,
    "credit_share": 0.3,
    "credit_loss": 0.01,
    "liquidation_days": 12.5,
    "liquidation_cost": 0.001,
    "turbulent_probability": 0.2,
    "stressed_share": 0.2,
}
SCALE = risk.ScoreScale(((0.0, 0.0), (1.0, 10.0)))
SOLD = risk.liquidation_schedule([1e6, 2e6], [1e6, 1e6])
KELLY = risk.kelly_continuous(0.11, 0.15, 0.06)

RISK: list[Case] = [
    (risk.value_at_risk, TAIL),
    (risk.expected_shortfall, TAIL),
    (risk.tail_risk, TAIL),
    (risk.kupiec_test, COUNTS),
    (risk.traffic_light, COUNTS),
    (risk.christoffersen_test, {"hits": HITS, "probability": 0.01}),
    (
        risk.acerbi_szekely_test,
        {"pnl": PNL, "var": np.full(500, 1.6), "es": np.full(500, 2.0), "probability": 0.05},
    ),
    (risk.capm_beta, PAIR),
    (risk.capm_fit, {**PAIR, "risk_free_rate": 0.01, "periods_per_year": 252.0, "confidence": 0.95}),
    (risk.capm_return, {"beta": 1.0, "risk_free_rate": 0.01, "market_return": 0.05}),
    (risk.rolling_beta, {**PAIR, "window": 20}),
    (risk.blume_beta, {"beta": 1.0}),
    (risk.vasicek_betas, {"betas": [1.0, 1.2], "errors": [0.1, 0.2]}),
    (
        risk.market_line_from_returns,
        {"returns": np.column_stack([ASSET, MARKET]), "tickers": ["A", "B"], "market_returns": MARKET}
        | {"risk_free_rate": 0.01, "periods_per_year": 252.0, "market_return": 0.05},
    ),
    (
        risk.security_market_line,
        {"betas": {"A": 1.0}, "expected_returns": {"A": 0.05}, "risk_free_rate": 0.01, "market_return": 0.05},
    ),
    (risk.gbm_paths, GBM),
    (risk.gbm_var, {**GBM, "confidence": 0.99}),
    (
        risk.backtest_var,
        {"pnl": [-3.0, 1.0, 0.5], "var": 2.0, "es": 2.5, "confidence": 0.99}
        | {"dates": [dt.date(2026, 1, day) for day in (5, 6, 7)]},
    ),
    (risk.drawdown, {"prices": [3.0, 2.0], "dates": [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]}),
    (risk.risk_grade, {"score": 4.8}),
    (risk.risk_score, {"components": SCORES, "weights": dict(risk.RISK_WEIGHTS), "missing": "refuse"}),
    (risk.component_scores, {**READINGS, "exposures": {"A": 2.0, "B": -1.0}, "scales": {"vol": SCALE}}),
    (risk.herfindahl, {"exposures": [1.0, 2.0]}),
    (risk.ScoreScale, {"points": ((0.0, 0.0), (1.0, 10.0))}),
    (SCALE.value_at, {"score": 4.0}),
    (SCALE, {"value": 0.3}),
    (
        risk.RiskScoreHistory.from_arrays,
        {"components": {name: [value] for name, value in SCORES.items()}, "dates": [TODAY], "missing": "refuse"},
    ),
    (risk.RiskScoreHistory().append, {"date": TODAY, "score": risk.risk_score(SCORES)}),
    (risk.days_to_liquidate, {"position": 2.5e6, "adv": 1e6, "participation": 0.2}),
    (
        risk.liquidation_schedule,
        {"positions": {"A": 1e6, "B": 2e6}, "adv": {"A": 1e6, "B": 1e6}, "prices": 1.0, "participation": 0.2},
    ),
    (SOLD.share, {"days": 1.0}),
    (SOLD.days_for, {"share": 0.5}),
    (SOLD.schedule, {"days": [1.0, 2.0]}),
    (risk.liquidation_factor, {"days": 3.0}),
    (
        risk.liquidity_adjusted_var,
        {"var": 1e5, "values": [1e6], "spreads": 0.001, "spread_deviations": 0.001, "multiplier": 3.0, "days": 2.0},
    ),
    (risk.kelly_fraction, {"probability": 0.6, "odds": 1.0, "short": False}),
    (risk.kelly_growth, {"fraction": 0.2, "probability": 0.6, "odds": 1.0}),
    (risk.kelly_continuous, {"mean": 0.11, "vol": 0.15, "risk_free_rate": 0.06}),
    (KELLY.growth, {"fraction": 0.5}),
    (KELLY.growth_at, {"share": 0.5}),
    (KELLY.volatility, {"fraction": 0.5}),
    (KELLY.fall_probability, {"share": 0.5, "fraction": 0.5}),
    (KELLY.doubling_probability, {"fraction": 0.5}),
    (
        risk.kelly_weights,
        {"expected_returns": [0.08], "covariance": [[0.04]], "tickers": ["A"], "risk_free_rate": 0.01},
    ),
    (
        risk.kelly_from_returns,
        {"returns": ASSET[:20], "fraction": 0.5, "risk_free_rate": 0.01, "periods_per_year": 252.0, "short": False}
        | {"confidence": 0.95, "resamples": 100, "seed": 1},
    ),
    (
        risk.fit_regimes,
        {"x": PNL[:40], "n_regimes": 2, "order": 0, "switching_variance": True, "seed": 0, "n_starts": 2}
        | {"order_by": "mean", "dates": [TODAY + dt.timedelta(days=i) for i in range(40)], "max_iterations": 20},
    ),
    (risk.plan_valuation, UNITS),
    (risk.take_greeks, UNITS),
    (risk.capture, UNITS),
    (risk.gross_by_underlying, UNITS),
    (risk.holders, {"units": [BOOK]}),
    (risk.books_of, {"units": [BOOK]}),
    (risk.group_contracts, {"contracts": [SHARE]}),
    (risk.take_derivatives, {"columns": risk.group_contracts([SHARE]).groups[0]}),
    (risk.quadratic_plan, {"plan": PLAN}),
    (risk.reverse_stress, {"plan": PLAN, "covariance": [[0.01]], "loss": 10.0, "max_iterations": 50}),
    (risk.run_stresses, {"plan": PLAN, "scenarios": ["gfc_2008"], "betas": {"S": 1.0}}),
    (
        risk.stress_moves,
        {"scenario": risk.STRESS_SCENARIOS["gfc_2008"], "factors": PLAN.factors, "betas": {"S": 1.0}},
    ),
    (risk.sensitivity_ladder, {"plan": PLAN, "factor": "S", "shocks": [-0.1, 0.1]}),
    (risk.sensitivity_grid, {"plan": BOTH, "down": ("S", [-0.1, 0.1]), "across": ("T", [0.0])}),
    (risk.Shock, {"size": 0.1, "shift": risk.Shift.RELATIVE}),
    (risk.Limit, {"name": "L", "scope": "FIRM", "maximum": 1.0}),
    (risk.Thresholds, {"low": 0.5, "medium": 0.8, "high": 1.0, "critical": 1.2}),
    (risk.GreekExposure, {"greek": "delta"}),
]

SIMULATIONS: list[Case] = [
    (
        mc_engine.MCConfig,
        {"n_paths": 100, "model": "gbm", "random_seed": 1, "horizon": 0.01, "n_steps": 1, "dtype": "float64"}
        | {"chunk": 64, "sampling": "plain", "revaluation": "full", "roll_clock": False, "stresses": ()},
    ),
    (
        mc_engine.MonteCarloEngine,
        {"traders": [BOOK], "graph": GRAPH, "db": None, "factor_model": LAW, "base_currency": "USD"},
    ),
    (
        mc_engine.ReactiveRisk,
        {"traders": [BOOK], "graph": GRAPH, "factor_model": LAW, "config": mc_engine.MCConfig(n_paths=64)},
    ),
    (mc_engine.heston_paths, {"process": risk_models.HestonProcess(**HESTON), "spot": 100.0, **PATHS}),
    (mc_engine.merton_paths, {"process": risk_models.MertonJumpDiffusion(0.2, **JUMPS), "spot": 100.0, **PATHS}),
    (mc_engine.heston_terminal, {"process": risk_models.HestonProcess(**HESTON), **PATHS}),
    (
        mc_engine.calibrate_model,
        {"names": ["A", "B"], "levels": LEVELS, "relative": [True, True], "decay": 0.97},
    ),
    (mc_engine.join_models, {"factor_models": [LAW]}),
    (
        mc_engine.regressed_betas,
        {"factor_model": mc_engine.FactorModel.given({"S": 0.2, "SPY_SPOT": 0.1}), "plan": PLAN},
    ),
    (mc_engine.choose_paths, {"plan": PLAN, "seconds": 1.0, "least": 100, "most": 1_000}),
    (mc_engine.GridProxy, {"spots": 9, "vols": 3}),
    (
        mc_engine.JumpTerms,
        {"common_intensity": 1.0, "common_mean": -0.1, "common_deviation": 0.1, "own_intensity": 1.0},
    ),
    (mc_engine.VarianceTerms, {"kappa": 3.0, "vol_of_vol": 1.0, "rho": -0.5, "tenor": 0.25}),
    (mc_engine.FactorModel.given, {"vols": {"S": 0.2}}),
]

CONTRACTS: list[Case] = [
    (instruments.Option, {"name": "O", **MADE, **NODE, "dividend_source": 0.0, "is_call": True}),
    (instruments.AmericanOption, {"name": "O", **MADE, **NODE, "dividend_source": 0.0, "steps": 11}),
    (instruments.DigitalOption, {"name": "O", **MADE, **NODE, "pays_asset": False, "cash": 1.0}),
    (instruments.BarrierOption, {"name": "O", **MADE, **NODE, "barrier": 90.0, "is_up": False, "rebate": 0.0}),
    (
        instruments.Bond,
        {"name": "B", "rate_source": 0.05, "face": 100.0, "coupon_rate": 0.05, "maturity": 5.0, "frequency": 2.0},
    ),
    (
        instruments.CreditDefaultSwap,
        {"name": "C", "spread_source": 0.01, "rate_source": 0.03, "notional": 1.0, "coupon": 0.01, "maturity": 5.0},
    ),
    (instruments.Equity, {"name": "E", "spot_source": 1.0, "dividend_source": 0.0, "sector": "", "currency": "USD"}),
    (instruments.FXForward, {"name": "F", **FX}),
    (instruments.FXOption, {"name": "F", **FX, "vol_source": 0.1, "is_call": True}),
    (instruments.FXRate, {"name": "EURUSD", "rate_source": 1.1, "base": "EUR", "quote": "USD"}),
    (
        instruments.FloatingBond,
        {"name": "F", "rate_source": 0.05, "face": 100.0, "maturity": 5.0, "margin": 0.0, "current_fixing": 0.05},
    ),
    (
        instruments.ForwardOption,
        {"name": "F", "forward_source": 100.0, "vol_source": 0.2, "rate_source": 0.05, "strike": 1.0, "expiry": 1.0},
    ),
    (
        instruments.InterestRateSwap,
        {"name": "I", "rate_source": 0.05, "notional": 1.0, "fixed_rate": 0.05, "maturity": 5.0, "pay_fixed": True},
    ),
    (
        instruments.PerpetualFuture,
        {"name": "P", "mark_source": 1.0, "entry_price": 1.0, "funding_source": 0.0, "contract_size": 1.0},
    ),
    (
        instruments.Position,
        {"name": "Q", "instrument": SHARE, "quantity": 1.0, "multiplier": 1.0, "cost": 1.0, "currency": "USD"},
    ),
    (
        instruments.PowerLawOption,
        {"name": "L", "spot_source": 100.0, "anchor_source": 5.0, "anchor_strike": 110.0, "strike": 120.0}
        | {"alpha": 3.0, "is_call": True},
    ),
    (instruments.Book, {"name": "BK", "positions": [HELD], "base_currency": "USD"}),
    (instruments.ProfitAndLoss, {"name": "PL", "book": BOOK}),
    (instruments.DiscountCurve, {"name": "DC", "deposits": {"3M": 0.05}, "swaps": {"1Y": 0.05}, "as_of": TODAY}),
    (instruments.CreditCurve, {"name": "CC", "spreads": {"5Y": 0.01}, "discount_source": 0.03, "recovery": 0.4}),
    (
        instruments.VolSurface,
        {"name": "VS", "spot_source": 100.0, "rate_source": 0.01, "dividend_source": 0.0, "clock_source": 0.0}
        | {"quotes": {(strike, 1.0): 0.2 for strike in (80.0, 90.0, 100.0, 110.0, 120.0)}},
    ),
    (OPTION.implied_vol, {"price": 15.0}),  # above the intrinsic value before and after the amendment below
    (AMERICAN.implied_vol, {"price": 10.0}),
    (OPTION.amend, {"strike": 90.0}),
]

BELOW: list[Case] = [
    (market_data.MarketData, {"name": "M", "price": 1.0, "domain": "finite"}),
    (market_data.Clock, {"name": "K", "origin": TODAY, "value": 0.0}),
    (market_data.SimulatedFeed, {"seed": 1}),
    (market_data.feed_named, {"name": "simulated", "seed": 1}),
    (
        market_data.SymbolSpec,
        {"symbol": "A", "kind": next(iter(market_data.SymbolKind)), "sector": "", "price": 1.0, "volatility": 0.2},
    ),
    (market_data.HistoryFeed, {"prices": {"A": [(TODAY, 1.0)]}, "speed": 1}),
    (walpole.Backoff, {"base": 1.0, "factor": 2.0, "maximum": 60.0}),
    (walpole.CronExpression, {"text": "* * * * *"}),
    (
        walpole.JobConfig,
        {"name": "j", "callable": print, "interval": 1.0, "retries": 0, "jitter": 0.1, "timeout": 1.0, "grace": 1.0}
        | {"max_runs": 1, "depends_on": ()},
    ),
    (walpole.JobRunner, {"max_workers": 1}),
    (walpole.ManualClock, {"start": 0.0}),
    (barbara.BarbaraDB.open, {"rings": "a;b"}),
    (STORE.keys, {"prefix": "/A/"}),
    (STORE.get, {"key": "/A/b"}),
    (mntable.Table, {"schema": [("a", float)]}),
    (mntable.col, {"name": "a"}),
    (TABLE.append, {"row": {"a": 1.0, "b": "x"}}),
]

METHODS: list[Case] = [
    (CHARGED.column, {"greek": "delta", "unit": "percent"}),
    (CHARGED.total, {"greek": "delta", "unit": "percent"}),
    (CHARGED.by_trader, {"greek": "delta", "unit": "percent"}),
    (risk.PnLAttribution.between, {"before": STATE, "after": STATE, "mode": "taylor"}),
    (ENGINE.run, {"config": mc_engine.MCConfig(n_paths=64, stresses=(), validate_greeks=False)}),
    (ENGINE.stored, {"model": "gbm"}),
    (RUN.tail, {"confidence": 0.99}),
    (RUN.by_trader, {"confidence": 0.99}),
    (RUN.histogram, {"bins": 10}),
    (HELD_RISK.contributions, {"confidence": 0.99}),
    (HELD_RISK.if_traded, {"contract": SHARE, "amount": 1.0}),
    (PLAN.pnl, {"levels": [[90.0, 110.0]], "years": 0.0}),
    (PLAN.index, {"factor": "S"}),
    (LAW.covariance, {"factors": ["S"], "horizon": 1.0}),
    (CURVE.discount, {"time": 1.0}),
    (CURVE.zero_rate, {"time": 1.0}),
    (CURVE.shifted, {"bump": 1e-4}),
    (SURVIVAL.survival, {"time": 1.0}),
    (SURVIVAL.hazard_rate, {"time": 1.0}),
    (SURFACE.vol, {"strike": 100.0, "expiry": 1.5, "forward": 100.0}),
    (SURFACE.total_variance, {"k": 0.1, "T": 1.5}),
    (SURFACE.anchor, {"expiry": 1.5}),
    (SMILES[0].total_variance, {"k": 0.1}),
    (risk_models.HestonProcess(**HESTON).price, NO_VOL),
    (risk_models.fit_tail(PNL).value_at_risk, {"confidence": 0.99}),
    (risk_models.OrnsteinUhlenbeck.from_ar1, AUTOREGRESSION),
    (risk_models.OrnsteinUhlenbeck.from_ar1(**AUTOREGRESSION).score, {"level": 1.0}),
    (risk_models.OrnsteinUhlenbeck.from_ar1(**AUTOREGRESSION).reverts_within, {"periods": 30.0}),
    (risk_models.johansen(LEVELS).rank, {"significance": 0.05, "statistic": "max"}),
    (risk_models.adf_test(PNL).is_rejected, {"significance": 0.05}),
    (risk_models.engle_granger(*LEVELS.T).is_cointegrated, {"significance": 0.05}),
    (risk_models.scan_pairs(LEVELS).selected, {"significance": 0.05, "stable": True, "longest_half_life": 30.0}),
    (walpole.ManualClock().advance, {"seconds": 1.0}),
]

MACRO_DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=i) for i in range(100)]
MACRO_PRICES = {
    name: list(zip(MACRO_DAYS, np.exp(np.cumsum(0.01 * moves)).tolist(), strict=True))
    for name, moves in zip("AB", RNG.normal(size=(2, 100)), strict=True)
}
MACRO_HISTORY = macro.simulate_macro(years=1, seed=1)
TWO_SAMPLES = {"first": 0.5, "second": 0.3, "n_first": 100, "n_second": 100}

MACRO: list[Case] = [
    (macro.read_fred, {"source": "DATE,DGS10\n2026-01-05,4.2\n", "today": TODAY}),
    (macro.series_info, {"name": "DGS10"}),
    (macro.simulate_macro, {"years": 1, "seed": 1, "end": TODAY}),
    (macro.read_gauges, {"history": MACRO_HISTORY, "as_of": TODAY, "own_history": True, "fewest": 20}),
    (
        macro.macro_regime,
        {"board": macro.read_gauges(MACRO_HISTORY), "fitted": "high variance", "probability": 0.9},
    ),
    (macro.stated_percentile, {"gauge": "vix", "value": 20.0}),
    (macro.own_percentile, {"values": [1.0, 2.0], "value": 1.5, "dates": MACRO_DAYS[:2]}),
    (macro.rolling_correlation, {"x": ASSET, "y": MARKET, "window": 20}),
    (macro.ewma_correlation, {"x": ASSET, "y": MARKET, "decay": 0.97}),
    (macro.correlation_board, {"prices": MACRO_PRICES, "window": 20, "decay": 0.97, "differences": ["A"]}),
    (macro.correlation_break_test, {"x": ASSET, "y": MARKET, "dates": MACRO_DAYS}),
    (macro.fisher_z_test, TWO_SAMPLES),
    (macro.jennrich_test, TWO_SAMPLES),
    (macro.price_trend, {"prices": MACRO_PRICES["A"], "window": 50, "name": "A", "walks": 20, "seed": 1}),
    (macro.trend_board, {"prices": MACRO_PRICES, "window": 50, "walks": 20, "seed": 1}),
    (macro.drift_break_test, {"returns": ASSET, "trim": 0.15, "permutations": 20, "seed": 1}),
]

ORDER = {"quantity": 1e5, "adv": 1e6, "daily_vol": 0.02}
COSTS = {"vol": 0.95, "half_spread": 0.06, "permanent_impact": 2.5e-7, "temporary_impact": 2.5e-6}
PARENT = {"shares": 1e6, "days": 5.0, "n_trades": 5, **COSTS}
FILLS = trading_engine.ExecutionModel(slippage_bps=2.0, impact="square_root", participation_cap=0.5)
BAR = market_data.Bar(dt.datetime(2026, 1, 5, tzinfo=dt.UTC), 100.0, 105.0, 95.0, 102.0, 1e6)

TRADING: list[Case] = [
    (risk_models.square_root_impact, {**ORDER, "coefficient": 1.0}),
    (risk_models.linear_impact, {**ORDER, "coefficient": 1.0}),
    (risk_models.power_impact, {**ORDER, "coefficient": 0.142, "exponent": 0.6}),
    (
        risk_models.almgren_impact,
        {**ORDER, "shares_outstanding": 1e8, "days": 0.5, "gamma": 0.3, "eta": 0.1, "delta": 0.25, "beta": 0.6},
    ),
    (risk_models.leland_number, {"vol": 0.2, "round_trip_cost": 0.01, "interval": 1 / 52}),
    (risk_models.leland_volatility, {"vol": 0.2, "round_trip_cost": 0.01, "interval": 1 / 52, "is_short": False}),
    (risk_models.execution_schedule, {**PARENT, "risk_aversion": 1e-6}),
    (risk_models.execution_frontier, {**PARENT, "risk_aversions": [0.0, 1e-6]}),
    (risk_models.execution_cost, {"holdings": [1e6, 5e5, 0.0], "days": 5.0, **COSTS}),
    (risk_models.vwap_schedule, {"shares": 1e3, "volumes": [1e4, 2e4], "dates": [TODAY, TODAY + dt.timedelta(1)]}),
    (
        risk_models.pov_schedule,
        {"shares": 1e3, "volumes": [1e4], "participation": 0.1, "dates": [TODAY]},
    ),
    (
        trading_engine.ExecutionModel,
        {"slippage_bps": 2.0, "spread_bps": 4.0, "impact": "square_root", "impact_coefficient": 1.0}
        | {
            "fee_per_share": 0.01,
            "commission_pct": 0.001,
            "fee_per_order": 1.0,
            "latency": 1,
            "participation_cap": 0.1,
        },
    ),
    (
        FILLS.price_of,
        {"side": "buy", "reference_price": 50.0, **ORDER, "limit_price": 51.0, "multiplier": 1.0},
    ),
    (FILLS.fees, {"quantity": 100.0, "price": 50.0, "multiplier": 1.0}),
    (FILLS.maximum_quantity, {"volume": 1e6}),
    (
        FILLS.execute,
        {"order": trading_engine.FillCost(trading_engine.Side.BUY, 100.0, 50.0, 50.0, 0.0, 0.0, 0.0, 0.0)}
        | {"current_price": 50.0, "avg_daily_volume": 1e6, "daily_vol": 0.02},
    ),
    (trading_engine.BarOrder, {"side": "buy", "order_type": "limit", "limit_price": 99.0}),
    (trading_engine.BarBracket, {"side": "sell", "stop_price": 96.0, "target_price": 104.0, "entry_price": 100.0}),
    (trading_engine.fill_bracket, {"bracket": trading_engine.BarBracket("sell", 96.0, 104.0), "bar": BAR}),
    (trading_engine.read_word, {"kind": trading_engine.Side, "word": "buy"}),
    (trading_engine.BarOrder, {"side": "sell", "order_type": "trailing_stop", "trail_share": 0.1, "stop_price": 90.0}),
    (trading_engine.BarOrder, {"side": "sell", "order_type": "trailing_stop", "trail_amount": 5.0}),
    (
        trading_engine.fill_on_bar,
        {"order": trading_engine.BarOrder("buy", "limit", limit_price=97.0), "bar": BAR, "fill_on_touch": True},
    ),
]


WHEN, NAMED = {"when": TODAY, "why": "because"}, {"when": TODAY, "why": "because", "instrument": "A"}
RATES = trading.MarginRates()
MARGINED = {"A": trading.MarginPosition(100.0, 10.0)}
HELD_STATEMENT = trading.Ledger.replay(
    [trading.DepositEvent(TODAY, 1e4), trading.FillEvent(TODAY, "A", 100, 10.0)]
).statement({"A": 11.0})
FILL = {**NAMED, "quantity": 1.0, "price": 10.0, "fees": 0.1, "currency": "USD", "multiplier": 1.0, "margined": False}

LEDGER: list[Case] = [
    (
        trading.MomentumSignal,
        {"tickers": ["A"], "lookback": 20, "short_window": 5, "quantity": 10.0, "order_value": 1e4},
    ),
    (
        trading.StatArbSignal,
        {"pairs": [("A", "B")], "lookback": 60, "z_threshold": 2.0, "significance": 0.1}
        | {"quantity": 10.0, "order_value": 1e4, "exit_z": 0.5, "stop_z": 4.0},
    ),
    (trading.MacroSignal, {"bond": "B", "bond_quantity": 1.0, "euro_quantity": 1.0}),
    (trading.Signal, {"instrument": "A", "side": "buy", "quantity": 1.0, "strength": 1.0, "reason": "", "price": 1.0}),
    (
        trading.TechMomentumSignal,
        {"tickers": ["A"], "lookback": 120, "vol_window": 60, "breakout_window": 20, "threshold": 1.0}
        | {"target_vol": 0.4, "quantity": 10.0, "order_value": 1e4},
    ),
    (
        trading.CreditArbSignal,
        {"pairs": [("A", "B")], "lookback": 60, "z_threshold": 2.0, "coupons": {"A": 0.05}, "quantity": 1.0},
    ),
    (
        trading.GammaScalpSignal,
        {"tickers": ["A"], "band": 100.0, "cost": 0.001, "risk_aversion": 1e-4, "discount": 1.0, "to": "zero"}
        | {"lot": 1.0},
    ),
    (trading.GammaScalpSignal(["A"]).half_width, {"price": 100.0, "gamma": 50.0}),
    (
        trading.PairsTradeSignal,
        {"pairs": [("A", "B")], "formation": 120, "trading": 20, "entry": 2.0, "most_pairs": 1, "order_value": 1e4},
    ),
    (
        trading.CarryTradeSignal,
        {"pairs": ["AUDUSD"], "vol_window": 60, "threshold": 0.1, "rates": {"AUD": 0.04}}
        | {"bonds": {"N": (10.0, 0.04)}, "quantity": 1.0, "bond_quantity": 1.0},
    ),
    (
        trading.ContrarianSignal,
        {"tickers": ["A"], "window": 5, "rsi_window": 14, "oversold": 30.0, "overbought": 70.0, "capital": 1e5},
    ),
    (trading.ContrarianSignal(["A"]).weights, {"market_data": {"A": [1.0]}}),
    (
        trading.IndexArbSignal,
        {"baskets": {"A": {"B": 1.0}}, "lookback": 60, "z_threshold": 2.0, "order_value": 1e5},
    ),
    (
        trading.VolSpreadSignal,
        {"pairs": [("A_VOL", "B_VOL")], "lookback": 60, "z_threshold": 2.0, "days": 30, "quantity": 10.0},
    ),
    (trading.VolSpreadSignal([]).option, {"series": "A_VOL_95"}),
    (
        trading.EventDrivenSignal,
        {"moves": {"A": [0.1]}, "days_before": 5, "edge": 0.25, "rv_window": 20, "quantity": 10.0},
    ),
    (
        trading.MultiAssetSignal,
        {"tickers": ["A"], "capital": 1e6, "target_vol": 0.1, "vol_window": 60, "trend_window": 120, "band": 0.01}
        | {"max_order": 1e5, "max_leverage": 2.0},
    ),
    (trading.MultiAssetSignal(["A"]).targets, {"market_data": {"A": [1.0]}}),
    (trading.SignalOption, {"ticker": "A", "days": 30, "kind": "C", "moneyness": 105.0}),
    (trading.SignalOption.from_name, {"name": "A_30D_STRADDLE"}),
    (trading.VolArbSignal, {"tickers": ["A"], "rv_window": 20, "forecast": "gjr", "quantity": 10.0}),
    (trading.replay, {"audit": trading.AuditTrail(), "ledger": trading.Ledger()}),
    (trading.Order, {"order_id": "", "trader": "Alice", "instrument_name": "A", "side": "BUY", "quantity": 1.0}),
    (trading.Ledger, {"currency": "USD", "currencies": ["EUR"], "method": "fifo"}),
    (trading.Lots, {"method": "fifo", "digits": 2, "multiplier": 1.0}),
    (trading.fifo_gains, {"quantities": [1.0, -1.0], "prices": [10.0, 11.0], "multiplier": 1.0}),
    (trading.Lots("named").trade, {"quantity": 1.0, "price": 10.0, "when": TODAY, "lot": "L", "closes": None}),
    (trading.DepositEvent, {**WHEN, "amount": 1.0, "currency": "EUR", "rate": 1.1}),
    (trading.FillEvent, {**FILL, "lot": "L", "closes": ["1"]}),
    (trading.DividendEvent, {**NAMED, "amount": 1.0}),
    (trading.SplitEvent, {**NAMED, "new": 2.0, "old": 1.0, "cash_in_lieu": 5.0}),
    (trading.SymbolChangeEvent, {**NAMED, "new_name": "B"}),
    (trading.DelistingEvent, {**NAMED, "price": 0.0}),
    (trading.MergerEvent, {**NAMED, "into": "B", "ratio": 0.5, "cash": 1.0, "price": 9.0, "cash_in_lieu": 9.0}),
    (trading.InterestEvent, {**WHEN, "amount": 1.0, "currency": "USD"}),
    (trading.BorrowFeeEvent, {**NAMED, "amount": 1.0}),
    (trading.FundingEvent, {**NAMED, "rate": 1e-4, "mark": 10.0}),
    (
        trading.ConversionEvent,
        {**WHEN, "sold": 1.0, "sold_currency": "USD", "bought": 1.0, "bought_currency": "EUR", "fees": 0.0},
    ),
    (trading.event_from_dict, {"row": {"kind": "dividend", "when": "2026-01-15", "instrument": "A", "amount": 1.0}}),
    (trading.cash_interest, {"balance": 1e4, "rate": 0.04, "days": 1.0, "basis": 360.0}),
    (
        trading.borrow_fee,
        {"quantity": -10.0, "price": 10.0, "rate": 0.03, "days": 1.0, "multiplier": 1.0, "basis": 360.0},
    ),
    (trading.MarginRates, {"initial": 0.5, "maintenance": 0.25, "short_maintenance": 0.3}),
    (trading.MarginRates.from_leverage, {"leverage": 10.0, "maintenance": 0.05}),
    (
        trading.MarginPosition,
        {"quantity": 1.0, "price": 10.0, "rates": RATES, "multiplier": 1.0, "risk": 1.0, "step": 1.0},
    ),
    (trading.margin_state, {"equity": 300.0, "positions": MARGINED}),
    (trading.liquidation_plan, {"equity": 200.0, "positions": MARGINED, "cost": 0.01, "buffer": 0.1}),
    (
        trading.margin_positions,
        {"statement": HELD_STATEMENT, "rates": {"A": RATES}, "risks": {"A": 1.0}, "step": 1.0},
    ),
]


OPTIONS = trading_engine.TradeTracker(today=TODAY, spots={"SPY": 570.0}, vols={"SPY": 0.2}, rate=0.04)
OPTIONS.log("-SPY260618P500", 10.0, 4.2)
ROUND_TRIP = [
    {"instrument": "A", "quantity": 1.0, "price": 100.0, "time": TODAY},
    {"instrument": "A", "quantity": -1.0, "price": 101.0, "time": TODAY + dt.timedelta(days=2)},
]
TRADES = trading_engine.TradeAnalysis(ROUND_TRIP)
RULE = trading_engine.VolRule(1.0, reference_days=30.0)
MOVES = {"moves": [-1.0, 1.0], "rule": RULE, "underlying": "SPY", "horizon_days": 1.0}

OPTION_TRADES: list[Case] = [
    (
        trading_engine.TradeTracker,
        {
            "today": TODAY,
            "config": trading_engine.TrackerConfig(),
            "spots": {"SPY": 570.0},
            "vols": {"SPY": 0.2},
            "marks": {"-SPY260618P500": 4.2},
            "rate": 0.04,
            "dividends": {"SPY": 0.01},
        },
    ),
    (trading_engine.TradeTracker, {"today": TODAY, "db": STORE, "read_only": True}),
    (OPTIONS.configure, {"config": trading_engine.TrackerConfig()}),
    (
        OPTIONS.import_csv,
        {"source": [{"Symbol": "-SPY260618P500", "Quantity": 1, "Cost Basis Total": 1}], "date": TODAY},
    ),
    (trading_engine.TradeTracker.from_book, {"units": BOOK, "today": TODAY}),
    (
        OPTIONS.log,
        {"symbol": "-SPY260618P500", "quantity": 1.0, "price": 4.2, "action": "BUY_OPEN", "bucket": "", "note": ""}
        | {"date": TODAY, "account": "", "fees": 0.65},
    ),
    (OPTIONS.import_csv, {"source": [{"Symbol": "-SPY260618P500", "Quantity": 1, "Cost Basis Total": 420.0}]}),
    (OPTIONS.quote, {"spots": {"SPY": 570.0}, "vols": {"SPY": 0.2}, "rate": 0.04}),
    (OPTIONS.roll, {"today": TODAY}),
    (OPTIONS.settle, {"prices": {"SPY": 570.0}}),
    (OPTIONS.greeks, {"by": "strike", "underlying": "SPY"}),
    (OPTIONS.shadow, MOVES),
    (OPTIONS.large_moves, {"sizes": [1.0, 2.0], "rule": RULE, "underlying": "SPY", "horizon_days": 1.0}),
    (OPTIONS.ruin, {"budget": 5_000.0, "rule": RULE, "underlying": "SPY"}),
    (OPTIONS.alerts, {"prices": None}),
    (
        trading_engine.TradeAnalysis,
        {"trades": ROUND_TRIP, "prices": {"A": [(TODAY, 100.0)]}, "regimes": {TODAY: "calm"}},
    ),
    (
        trading_engine.TradeAnalysis,
        {"trades": ROUND_TRIP, "matching": "fifo", "resamples": 1_000, "seed": 1},
    ),
    (TRADES.by, {"key": "trader"}),
    (trading_engine.TrackerConfig, {"insurance_budget": 1.0, "max_trades_losing": 4}),
    (trading_engine.VolRule, {"elasticity": 1.0, "reference_days": 30.0}),
    (trading_engine.convexity, {"gains": [1.0, -1.0], "costs": [2.0, 2.0]}),
    (trading_engine.trade_luck, {"gains": [1.0, -1.0], "resamples": 1_000, "seed": 1}),
    (
        trading_engine.bucket_of,
        {"contract": trading_engine.parse_contract("-SPY260618P500")},
    ),
    (trading_engine.parse_contract, {"symbol": "-SPY260618P500"}),
]

CLOSES = 100.0 * LEVELS
FLAGS = np.arange(60) % 7 == 3
ALL_IN = {"cash": 1e6, "fee": 0.001, "whole_shares": True, "fill_open": CLOSES[:, 0]}


def _held(weight: float) -> Callable[[Any], Any]:
    """Return a strategy that holds a share of equity."""

    def hold(window: Any) -> Any:
        return {"A": weight} if window.index == 0 else None

    return hold


SWEPT = backtester.SweepResult.from_equities({"a": [[1], [2]], "b": [3, 4]}, 100.0 + PNL[:160].reshape(2, 2, 40))
STORE = barbara.BarbaraDB.open("desk", path=":memory:")
backtester.store_result(STORE, backtester.Backtester(_held(0.5), data={"A": CLOSES[:, 0]}).run())
STORED = backtester.stored_results(STORE)[0]

BACKTESTS: list[Case] = [
    (
        backtester.run_rebalances,
        {"prices": CLOSES, "rebalance_rows": [5, 9], "target_weights": [[0.5, 0.5], [0.2, 0.3]]}
        | {"cash": 1e6, "fee": 0.001, "slippage": 0.0005, "fractional": True, "fill_prices": CLOSES[[6, 10]]},
    ),
    (
        backtester.momentum_weights,
        {"prices": CLOSES, "lookback": 5, "skip": 1, "top_share": 0.5, "rows": [5, 9]},
    ),
    (backtester.sma_crossing_equity, {"close": CLOSES[:, 0], "fast": [2, 3], "slow": 5, **ALL_IN}),
    (backtester.signal_equity, {"close": CLOSES[:, 0], "entries": FLAGS, "exits": ~FLAGS, **ALL_IN}),
    (backtester.EquityCurve, {"initial_capital": 1e6}),
    (
        backtester.sweep,
        {"strategy": _held, "grid": {"weight": [0.5, 1.0]}, "data": {"A": CLOSES[:, 0]}, "metrics": ["sharpe_ratio"]}
        | {"risk_free_rate": 0.02, "periods_per_year": 252.0},
    ),
    (SWEPT.best, {"metric": "total_return", "largest": True}),
    (SWEPT.heat_map, {"x": "a", "y": "b", "metric": "sharpe_ratio", "others": "mean", "largest": True}),
    (SWEPT.overfitting, {"blocks": 4}),
    (SWEPT.tearsheet, {"number": 0}),
    (STORED.tearsheet, {"risk_free_rate": 0.02, "periods_per_year": 252.0}),
    (backtester.bars_of, {"data": {"A": CLOSES[:, 0]}, "start": "2000-01-04", "end": "2000-02-01"}),
    (backtester.stored_results, {"db": STORE, "strategy": "hold"}),
    (backtester.last_keys, {"db": STORE}),
    (backtester.read_result, {"db": STORE, "key": STORED.key}),
    (backtester.last_result, {"db": STORE, "strategy": "hold"}),
]

TRIED = backtester.Backtester(backtester.MacroBacktest(["A"]), data={"A": CLOSES[:, 0]}).run()
GRID = {"strategy": lambda share: lambda _: {"A": share}, "grid": {"share": [0.5, 1.0]}, "data": {"A": CLOSES[:, 0]}}
BACKTESTS += [
    (backtester.store_result, {"db": STORE, "result": TRIED, "risk_free_rate": 0.01}),
    (TRIED.verdict, {"trials": backtester.Trials(), "benchmark": CLOSES[:, 1], "risk_free_rate": 0.01, "n_random": 2}),
    (
        backtester.null_books,
        {"run": TRIED, "n_random": 2, "seed": 1, "risk_free_rate": 0.01, "periods_per_year": 252.0},
    ),
    (backtester.walk_forward_splits, {"n": 60, "train": 20, "test": 5, "purge": 2, "embargo": 1, "expanding": True}),
    (backtester.purged_splits, {"n": 60, "groups": 6, "test_groups": 2, "purge": 1, "embargo": 2}),
    (backtester.walk_forward, {**GRID, "train": 30, "test": 15, "purge": 2, "embargo": 1, "risk_free_rate": 0.01}),
]

SHARPE = {"skew": -0.5, "kurtosis": 5.0}
SKILL: list[Case] = [
    (risk_models.sharpe_standard_error, {"sharpe": 0.1, "n": 250.0, **SHARPE}),
    (risk_models.probabilistic_sharpe, {"sharpe": 0.1, "n": 250.0, "benchmark": 0.02, **SHARPE}),
    (risk_models.expected_maximum_sharpe, {"n_trials": 50.0, "variance": 0.01}),
    (risk_models.deflated_sharpe, {"sharpe": 0.1, "n": 250.0, "expected_maximum": 0.05, **SHARPE}),
    (risk_models.minimum_track_record, {"sharpe": 0.1, "benchmark": 0.02, "confidence": 0.95, **SHARPE}),
    (risk_models.annualised_sharpe, {"sharpe": 0.1, "periods": 252.0, "autocorrelation": 0.1}),
    (risk_models.overfitting_probability, {"returns": CLOSES, "blocks": 4}),
]

DATES = [TODAY + dt.timedelta(days=i) for i in range(4)]
EQUITY = [100.0, 110.0, 99.0, 121.0]
SETTINGS = {
    "benchmark": [10.0, 11.0, 10.5, 12.0],
    "risk_free_rate": 0.02,
    "periods_per_year": 252.0,
    "turnover": 2.0,
    "exposure": [0.5, 1.0, 1.0, 0.0],
    "costs": 1.0,
    "initial_capital": 100.0,
    "title": "Momentum",
}
SHEET = backtester.make_tearsheet(EQUITY, DATES)

TEARSHEETS: list[Case] = [
    (backtester.make_tearsheet, {"equity": EQUITY, "dates": DATES, "trades": ROUND_TRIP, **SETTINGS}),
    (backtester.Tearsheet, {"equity_curve": EQUITY, "trade_history": ROUND_TRIP, "dates": DATES, **SETTINGS}),
    (backtester.infer_periods_per_year, {"dates": DATES}),
    (SHEET.top_drawdowns, {"count": 3}),
    (SHEET.rolling, {"window": 3}),
]

CASES: list[Case] = [
    *BACKTESTS,
    *SKILL,
    *TRADING,
    *LEDGER,
    *OPTION_TRADES,
    *TEARSHEETS,
    *MODELS,
    *METHODS,
    *RISK,
    *MACRO,
    *SIMULATIONS,
    *CONTRACTS,
    *TAILS,
    *BELOW,
]
"""Functions, and for each arguments that it takes."""
