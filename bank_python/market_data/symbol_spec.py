"""The specification of a symbol in the simulated market.

A simulated market is a list of :class:`SymbolSpec`: the kind of quote, its starting value, its volatility and its
correlations. The kind decides whether the quote or its logarithm is simulated (:attr:`SymbolKind.is_lognormal`); all
other parameters are numbers in the specification, so a market is changed by changing data.
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
    """Kind of quote of a symbol."""

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
        """Whether the logarithm of the quote is simulated (so the quote stays positive) rather than the quote."""
        return self not in {SymbolKind.RATE, SymbolKind.FUNDING}

    @property
    def follows_regime(self) -> bool:
        """Whether the volatility is scaled by the market's volatility index."""
        return self in {SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.INDEX, SymbolKind.CRYPTO}


@admits(FeedConfigError)
@dataclass(frozen=True, slots=True)
class SymbolSpec(Record):
    """One symbol of a simulated market.

    Parameters
    ----------
    symbol : str
        Name of the symbol, not empty.
    kind : SymbolKind
        Kind of quote, which decides whether the quote or its logarithm is simulated.
    sector : str
        Sector under which the desk groups the symbol.
    price : float
        Starting quote in the symbol's unit, positive for every log-normal kind. If `mean_reversion` is positive,
        also the mean that the quote reverts to.
    volatility : float
        Annual volatility, at least 0: of the logarithm, or of the quote itself for rates and funding
        (0.009 is 90 bp per year).
    drift : float, default 0.0
        Expected growth per year, as a decimal; ignored for mean-reverting symbols.
    mean_reversion : float, default 0.0
        Speed of mean reversion per year, at least 0; 0 is a random walk.
    market_loading, factor_loading : float, default 0.0
        Correlations with the market shock and the factor shock, each in [-1, 1], with squares that sum to at most 1;
        the rest of the variance is idiosyncratic.
    factor : str, default ""
        Name of the factor whose shock moves the symbol beside that of the market; the sector if empty.
    jumps_per_year : float, default 0.0
        Expected number of idiosyncratic jumps per year, at least 0.
    jump_size : float, default 0.0
        Mean size of a jump, which is upward and exponentially distributed; at least 0.
    volume : float or None, default None
        Typical number of units traded per day, ``None`` for symbols without a volume.

    Raises
    ------
    FeedConfigError
        A parameter is out of range.

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
            raise FeedConfigError("the name of a simulated symbol is empty: give one", value=self.symbol)
        for field in ("price", "drift", "market_loading", "factor_loading"):
            self._require(field, math.isfinite(getattr(self, field)), "a finite number")
        for field in ("volatility", "mean_reversion", "jumps_per_year", "jump_size"):
            self._require(field, 0.0 <= getattr(self, field) < math.inf, "finite and at least 0")
        self._require("price", self.price > 0.0 or not self.kind.is_lognormal, f"positive for {self.kind.name}")
        explained = math.hypot(self.market_loading, self.factor_loading)
        self._require("factor_loading", explained <= 1.0, "such that the squares of both loadings sum to at most 1")
        self._require("volume", self.volume is None or 0.0 < self.volume < math.inf, "positive or None")

    def _require(self, field: str, condition: bool, need: str) -> None:
        if not condition:
            value = getattr(self, field)
            raise FeedConfigError(f"{self.symbol}: {field} is {value!r}, but must be {need}", value=value)

    @property
    def factor_name(self) -> str:
        """Name of the symbol's factor: `factor`, or the sector if that is empty."""
        return self.factor or self.sector
