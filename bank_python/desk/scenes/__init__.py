"""The showcase's scenes, in the order they are played: a scene is added by adding its module here."""

from bank_python.desk.scenes import overview, ticking, rates, what_if, ladder, trading, jobs, replay, reopening  # isort: skip
from bank_python.desk.scenes import greeks, curves, attribution, quantlib  # isort: skip

__all__ = [
    "attribution",
    "curves",
    "greeks",
    "jobs",
    "ladder",
    "overview",
    "quantlib",
    "rates",
    "reopening",
    "replay",
    "ticking",
    "trading",
    "what_if",
]
