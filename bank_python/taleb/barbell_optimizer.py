"""The barbell optimiser of :mod:`bank_python.optimizer`, where users of the framework look for it."""

from __future__ import annotations

from bank_python.optimizer import BarbellOptimizer

__all__ = ["BarbellOptimizer"]
