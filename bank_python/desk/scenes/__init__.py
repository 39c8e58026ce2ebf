"""The showcase's scenes, in the order they are played: a scene is added by adding its module here."""

from bank_python.desk.scenes import overview, ticking, rates, what_if, trading, jobs, reopening  # isort: skip

__all__ = ["jobs", "overview", "rates", "reopening", "ticking", "trading", "what_if"]
