"""Risk factors: the kind of market quantity of a contract's source.

Greeks, attribution and stress tests are grouped by kind: a spot has delta and gamma, a volatility vega. The kind of a
source follows from its name; a class in which a name means something else declares it in ``factors``.
"""

from __future__ import annotations

import enum

__all__ = ["Factor", "factor_named"]


class Factor(enum.Enum):
    """Kind of market quantity."""

    SPOT = "spot"
    VOL = "vol"
    RATE = "rate"
    CREDIT = "credit"
    FX = "fx"
    DIVIDEND = "dividend"
    TIME = "time"
    OTHER = "other"


_BY_NAME = {
    "spot": Factor.SPOT,
    "forward": Factor.SPOT,
    "mark": Factor.SPOT,
    "index": Factor.SPOT,
    "vol": Factor.VOL,
    "anchor": Factor.VOL,
    "rate": Factor.RATE,
    "short_rate": Factor.RATE,
    "domestic_rate": Factor.RATE,
    "foreign_rate": Factor.RATE,
    "funding": Factor.RATE,
    "spread": Factor.CREDIT,
    "dividend": Factor.DIVIDEND,
    "clock": Factor.TIME,
}


def factor_named(source: str) -> Factor:
    """Return the kind of a source by its name; :attr:`Factor.OTHER` for an unknown name.

    Examples
    --------
    >>> factor_named("spot"), factor_named("temperature")
    (<Factor.SPOT: 'spot'>, <Factor.OTHER: 'other'>)
    """
    return _BY_NAME.get(source, Factor.OTHER)
