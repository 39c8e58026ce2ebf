"""Fat tails: diagnostics, extreme values, power-law prices, hedging errors and fragility, after N. N. Taleb.

References
----------
N. N. Taleb, *Statistical Consequences of Fat Tails* (3rd edition, 2025), part VII.
"""

from __future__ import annotations

__all__: list[str] = []
