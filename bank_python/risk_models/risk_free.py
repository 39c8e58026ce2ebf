"""The risk-free rate that is assumed where none is given: one figure for the whole library."""

from __future__ import annotations

__all__ = ["RISK_FREE_RATE"]

RISK_FREE_RATE = 0.0
"""A year's rate.

It is 0 because a risk-free rate is a fact of a currency and a day, which the library cannot know. With 0 a Sharpe ratio
is plain return over risk, an excess return is the return itself, and a safe asset earns nothing until someone says what
it earns. Whatever depends on it carries the rate that it was measured from (``portfolio.risk_free_rate``, and "rf" in
every view), so that two ratios can be told apart.
"""
