"""The showcase's scenes, in the order they are played: a scene is added by adding its module here."""

from bank_python.desk.scenes import overview, ticking, rates, what_if, ladder, trading, jobs, replay, reopening  # isort: skip
from bank_python.desk.scenes import greeks, curves, attribution, quantlib  # isort: skip
from bank_python.desk.scenes import monte_carlo, stress, reactive_risk, backtesting, limits  # isort: skip

__all__ = [
    "attribution",
    "backtesting",
    "curves",
    "greeks",
    "jobs",
    "ladder",
    "limits",
    "monte_carlo",
    "overview",
    "quantlib",
    "rates",
    "reactive_risk",
    "reopening",
    "replay",
    "stress",
    "ticking",
    "trading",
    "what_if",
]
