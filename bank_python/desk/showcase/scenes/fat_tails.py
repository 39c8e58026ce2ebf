"""Fat tails: diagnostics of past returns, options priced by the tail, fragility to correlations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.desk.assets import RATE, asset_data
from bank_python.desk.showcase.figures import past_prices, require_quotes, share_index
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.optimizer import with_capm_returns
from bank_python.risk_models import black_scholes_price
from bank_python.taleb import CorrelationFragilityAnalyzer, PowerLawPricer, TailDiagnostics

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage
    from bank_python.numerics import FloatArray
    from bank_python.taleb import TailReport

_VOL, _YEARS = 0.20, 0.25
_MARKET = 0.09  # expected return of the market per year
_OUT = np.array([1.0, 1.05, 1.10, 1.15, 1.20, 1.30, 1.40, 1.50])
_ANCHOR = 1.10
_DELTAS = (-0.3, -0.2, -0.1, 0.1, 0.2, 0.3)


@scene("TALEB: TAIL DIAGNOSTICS")
def tail_diagnostics(stage: Stage) -> SceneResult:
    """Ask five years of a share's daily returns how fat their tails are, and what they do not say."""
    require_quotes(stage.desk)
    ticker = share_index(stage.desk)
    report = TailDiagnostics.analyze(_returns(stage.desk, ticker))
    return SceneResult({"ticker": ticker, **_known(report.to_dict())}, [f"{ticker}, daily returns", report])


@scene("TALEB: POWER LAW PRICING")
def power_law_pricing(stage: Stage) -> SceneResult:
    """Price calls ever further out from one of them by the tail index, beside Black and Scholes at one volatility."""
    require_quotes(stage.desk)
    ticker = share_index(stage.desk)
    spot = float(stage.desk.leaf(ticker).price)
    report = _diagnosed(stage.desk, ticker)
    alpha = report.right.alpha
    anchor = float(black_scholes_price(spot, _ANCHOR * spot, _YEARS, 0.0, _VOL))
    pricer = PowerLawPricer(spot=spot, anchor_strike=_ANCHOR * spot, anchor_price=anchor, alpha=alpha)
    prices = pricer.price_range(_OUT * spot, bsm_vol=_VOL, T=_YEARS)
    facts = {"ticker": ticker, "spot": spot, "alpha": alpha, "strip": list(prices.to_table())}
    said = f"{ticker} at {spot:,.2f}, tail index of its gains {alpha:.2f}; the anchor is 10 % out, at {_VOL:.0%}."
    return SceneResult(facts, [said, prices])


@scene("TALEB: CORRELATION FRAGILITY")
def correlation_fragility(stage: Stage) -> SceneResult:
    """Shift all correlations of a mean-variance portfolio, and test whether they were ever the same."""
    require_quotes(stage.desk)
    past = asset_data(stage.desk)
    data = with_capm_returns(past, dict.fromkeys(past.tickers, 1.0), risk_free_rate=RATE, market_return=_MARKET)
    found = CorrelationFragilityAnalyzer(data, risk_free_rate=RATE).analyze(perturbation_deltas=_DELTAS)
    facts = {
        "weight_sensitivity": found.weight_sensitivity,
        "weight_sensitivities": found.weight_sensitivities,
        "rolling_corr_std": found.rolling_corr_std,
        "delta_statistic": found.delta_statistic,
        "p_value": found.p_value,
    }
    return SceneResult(_known(facts), [found])


def _diagnosed(desk: Desk, ticker: str) -> TailReport:
    return TailDiagnostics.analyze(_returns(desk, ticker), rule="power", power_law=False)


def _returns(desk: Desk, ticker: str) -> FloatArray:
    closes = np.array([row["close"] for row in past_prices(desk, [ticker]).query(ticker)])
    return np.asarray(np.diff(closes) / closes[:-1])


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts with None for numbers that are not finite."""
    return {name: None if isinstance(x, float) and not math.isfinite(x) else x for name, x in facts.items()}
