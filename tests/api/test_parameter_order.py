"""One parameter order and one name for one thing, in every public signature."""

from __future__ import annotations

import importlib
import inspect

import pytest

PACKAGES = [
    *("risk", "macro", "mc_engine", "risk_models", "instruments", "market_data", "walpole", "barbara", "mntable"),
    *("trading_engine", "backtester"),
]
ORDERS = [
    ("price", "spot", "strike", "expiry", "rate", "vol", "dividend", "is_call"),
    ("spread", "rate", "notional", "coupon", "maturity", "recovery", "elapsed"),
    ("curve", "rate", "face", "coupon_rate", "maturity", "elapsed", "frequency", "compounding"),
    ("curve", "notional", "fixed_rate", "maturity", "elapsed", "fixed_frequency", "floating_frequency"),
    ("traders", "graph", "db"),
    ("traders", "graph", "factor_model", "config"),
    ("traders", "base_currency", "read"),
    ("graph", "db", "feed"),
    ("plan", "covariance", "loss"),
    ("pnl", "confidence", "method"),
    ("exceptions", "observations", "probability"),
    ("asset_returns", "market_returns"),
    ("returns", "tickers", "market_returns"),
    ("n", "confidence", "seed"),
]
RESULTS = {"MCResult", "TailRisk", "Lognormal", "StatementRow"}  # made by the library, not called
HUNG_ON_A_GRAPH = {"BookMeasure"}  # graph first, as watch_limit
OTHER_NAMES = {
    "level": "confidence",
    "alpha": "confidence",
    "conf": "confidence",
    "random_state": "seed",
    "rng_seed": "seed",
    "barbara": "db",
    "store": "db",
    "books": "traders",
    "volatility": "vol",
    "sigma": "vol",
    "is_put": "is_call",
    "maturities": "maturity",
}
MEANT = {
    ("AuditTrail", "barbara"),  # as the reference calls it
    ("Backtester", "barbara"),
    ("HistoricalDataLoader", "barbara"),
    ("RiskFactor", "level"),  # where a factor stands
    ("StressMove", "level"),
    ("CapmFit", "alpha"),  # the return beyond the line
    ("PowerLawOption", "alpha"),  # a tail index
    ("power_law_price", "alpha"),
    ("JobRunner", "barbara"),  # as users know it
    ("BookGreeks", "books"),  # by position, which book it is in
    ("PnLAttribution", "books"),
    ("SymbolSpec", "volatility"),
    ("BlendPart", "volatility"),  # over a horizon, not per year
    ("gbm_paths", "sigma"),  # S0, mu, sigma, T, dt, n: as they are asked for
    ("gbm_var", "sigma"),
    ("heston_price", "sigma"),  # of the variance
    ("HestonProcess", "sigma"),
    ("OrnsteinUhlenbeck", "sigma"),  # in the unit of the series, as the paper has it
    ("SviSlice", "sigma"),
    ("svi_total_variance", "sigma"),
    ("svi_butterfly_g", "sigma"),
}


def signatures():
    for package in PACKAGES:
        module = importlib.import_module(f"bank_python.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                try:
                    yield name, inspect.signature(thing)
                except ValueError:
                    continue


def positional(signature):
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return [key for key, item in signature.parameters.items() if item.kind in kinds]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order[0]}, {order[1]}")
def test_what_goes_by_position_goes_in_one_order(order):
    tried, odd = 0, {}
    for name, signature in signatures():
        if name in RESULTS | HUNG_ON_A_GRAPH:
            continue
        shared = [key for key in positional(signature) if key in order]
        if len(shared) > 1:
            tried += 1
            if shared != sorted(shared, key=order.index):
                odd[name] = shared
    assert tried
    assert odd == {}


def test_one_thing_has_one_name():
    odd = {(name, key) for name, signature in signatures() for key in signature.parameters if key in OTHER_NAMES}
    assert odd - MEANT == set()
    assert MEANT - odd == set()
