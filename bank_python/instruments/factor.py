"""Risk factors: what kind of market quantity a contract's source is.

Greeks, attribution and stress are told by kind: a spot moves delta and gamma, a volatility vega. A source's kind
follows from its name, which is the field's own word; a class in which a word means something else says so in its
``factors``.
"""

from __future__ import annotations

import enum

__all__ = ["Factor", "factor_named"]


class Factor(enum.Enum):
    """A kind of market quantity."""

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
    """Return the kind of a source of that name; :attr:`Factor.OTHER` for a name that says nothing.

    Examples
    --------
    >>> factor_named("spot"), factor_named("temperature")
    (<Factor.SPOT: 'spot'>, <Factor.OTHER: 'other'>)
    """
    return _BY_NAME.get(source, Factor.OTHER)
