"""The scenes of the showcase, in the order in which they are played; a new scene's module is added here."""

from bank_python.completion import public_names

from bank_python.desk.showcase.scenes import overview, ticking, rates, what_if, ladder, trading  # isort: skip
from bank_python.desk.showcase.scenes import jobs, replay, reopening  # isort: skip
from bank_python.desk.showcase.scenes import greeks, curves, attribution, quantlib  # isort: skip
from bank_python.desk.showcase.scenes import monte_carlo, stress, reactive_risk, backtesting, limits  # isort: skip
from bank_python.desk.showcase.scenes import volatility, blended_volatility, regimes, macro  # isort: skip
from bank_python.desk.showcase.scenes import risk_score, liquidity, kelly  # isort: skip
from bank_python.desk.showcase.scenes import portfolios, portfolio_peers, frontier, rebalancing, barbell  # isort: skip
from bank_python.desk.showcase.scenes import own_portfolio, passing_time  # isort: skip
from bank_python.desk.showcase.scenes import pairs, execution, options_tracked, trades_analysed  # isort: skip
from bank_python.desk.showcase.scenes import orders_audited, strategies_tested  # isort: skip
from bank_python.desk.showcase.scenes import fat_tails, hedging, verification  # isort: skip

__all__ = [
    "attribution",
    "backtesting",
    "barbell",
    "blended_volatility",
    "curves",
    "execution",
    "fat_tails",
    "frontier",
    "greeks",
    "hedging",
    "jobs",
    "kelly",
    "ladder",
    "limits",
    "liquidity",
    "macro",
    "monte_carlo",
    "options_tracked",
    "orders_audited",
    "overview",
    "own_portfolio",
    "pairs",
    "passing_time",
    "portfolio_peers",
    "portfolios",
    "quantlib",
    "rates",
    "reactive_risk",
    "rebalancing",
    "regimes",
    "reopening",
    "replay",
    "risk_score",
    "strategies_tested",
    "stress",
    "ticking",
    "trades_analysed",
    "trading",
    "verification",
    "volatility",
    "what_if",
]

__dir__ = public_names(__name__)
