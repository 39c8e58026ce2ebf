"""A symbol of the simulated market, described by its terms.

A simulated market is a list of :class:`SymbolSpec`: what kind of quote it is, where it starts, how much it
moves and with what. The kind decides the law of motion (:attr:`SymbolKind.is_lognormal`), the numbers in the
spec everything else, so a market is changed by changing data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import FeedConfigError

__all__ = ["SymbolKind", "SymbolSpec"]


class SymbolKind(Enum):
    """What a simulated symbol quotes."""

    EQUITY = "equity"
    ETF = "etf"
    INDEX = "index"
    FX = "fx"
    RATE = "rate"
    CREDIT = "credit"
    VOL = "vol"
    CRYPTO = "crypto"
    FUNDING = "funding"

    @property
    def is_lognormal(self) -> bool:
        """Whether the logarithm moves (so the quote stays positive) rather than the quote itself."""
        return self not in {SymbolKind.RATE, SymbolKind.FUNDING}

    @property
    def follows_regime(self) -> bool:
        """Whether the volatility rises and falls with the market's volatility index."""
        return self in {SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.INDEX, SymbolKind.CRYPTO}


@admits(FeedConfigError)
@dataclass(frozen=True, slots=True)
class SymbolSpec(Record):
    """One symbol of a simulated market.

    Parameters
    ----------
    symbol : str
        Its name.
    kind : SymbolKind
        Which law it follows.
    sector : str
        What it is grouped under on the desk.
    price : float
        The quote at the start, in the symbol's own unit; positive for every log-normal kind.
        Where `mean_reversion` is positive this is also the level reverted to.
    volatility : float
        Per square root of a year: of the logarithm, or of the quote itself for rates and funding
        (0.009 is 90 bp a year). At least 0.
    drift : float, default 0.0
        Expected growth per year, for symbols that do not revert.
    mean_reversion : float, default 0.0
        Speed per year at which a deviation decays; 0 is a random walk.
    market_loading, factor_loading : float, default 0.0
        Correlation with the market's and with the factor's shock, each in [-1, 1], their squares summing to
        at most 1; what remains is the symbol's own.
    factor : str, default ""
        Which common shock moves it beside the market's; the sector's if empty.
    jumps_per_year : float, default 0.0
        How often it jumps on its own account. At least 0.
    jump_size : float, default 0.0
        Mean (exponentially distributed) size of an upward jump. At least 0.
    volume : float or None, default None
        Typical units traded in a day, ``None`` where nothing is counted.

    Raises
    ------
    FeedConfigError
        A term is outside its range.

    Examples
    --------
    >>> SymbolSpec("ACME", SymbolKind.EQUITY, "Industrials", price=40.0, volatility=0.3).factor_name
    'Industrials'
    """

    symbol: str
    kind: SymbolKind
    sector: str
    price: float
    volatility: float
    drift: float = 0.0
    mean_reversion: float = 0.0
    market_loading: float = 0.0
    factor_loading: float = 0.0
    factor: str = ""
    jumps_per_year: float = 0.0
    jump_size: float = 0.0
    volume: float | None = None

    def __post_init__(self) -> None:
        if not self.symbol:
            raise FeedConfigError("a simulated symbol needs a name, this one is empty", value=self.symbol)
        for field in ("price", "drift", "market_loading", "factor_loading"):
            self._refuse_unless(field, math.isfinite(getattr(self, field)), "a finite number")
        for field in ("volatility", "mean_reversion", "jumps_per_year", "jump_size"):
            self._refuse_unless(field, 0.0 <= getattr(self, field) < math.inf, "finite and at least 0")
        self._refuse_unless("price", self.price > 0.0 or not self.kind.is_lognormal, f"positive for {self.kind.name}")
        explained = math.hypot(self.market_loading, self.factor_loading)
        self._refuse_unless("factor_loading", explained <= 1.0, "such that the loadings' squares sum to at most 1")
        self._refuse_unless("volume", self.volume is None or 0.0 < self.volume < math.inf, "positive or None")

    def _refuse_unless(self, field: str, holds: bool, need: str) -> None:
        if not holds:
            value = getattr(self, field)
            raise FeedConfigError(f"{self.symbol}: {field} is {value!r}, it has to be {need}", value=value)

    @property
    def factor_name(self) -> str:
        """The common shock that moves it: `factor`, or the sector."""
        return self.factor or self.sector
