"""The default risk-free rate of the library."""

from __future__ import annotations

__all__ = ["RISK_FREE_RATE"]

RISK_FREE_RATE = 0.0
"""Default annual risk-free rate, a decimal.

It is 0 because a risk-free rate depends on a currency and a date, which the library does not know. With a rate of 0 a
Sharpe ratio is return over risk, an excess return is the return itself, and a riskless asset has a return of 0 unless
one is given. Results that depend on the rate report it (``portfolio.risk_free_rate``, and "rf" in every view), so that
ratios with different rates are distinguishable.
"""
