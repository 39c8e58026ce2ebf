"""The market of a portfolio: a leaf for each quote that its positions depend on, with where the quote comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.instruments import FXRate
from bank_python.market_data import MarketData
from bank_python.portfolio.problems import RowProblem
from bank_python.portfolio.specs import Kind, PositionSpec
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.dagger import DependencyGraph
    from bank_python.portfolio.history import History
    from bank_python.portfolio.quotes import Quotes

__all__ = ["RATE", "Market"]

RATE = "RATE"
"""Name of the leaf of the discount rate."""

_DAYS = 252.0
_DECAY = 0.97
_FEWEST = 30


@dataclass(slots=True)
class Market:
    """Leaves by name, and what had to be assumed.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that gets the leaves.
    currency : str
        Base currency.
    history : History, optional
        Daily closes given by the caller.
    quotes : Quotes, optional
        Present prices from a feed.
    given : mapping of str to float
        Present figures given by the caller, by ticker, pair or ``TICKER_VOL``.
    assumptions : list of str
        Figures that nobody gave, one sentence each.
    tickers : dict of str to str
        Ticker or pair whose history is that of a leaf, by the leaf's name.
    """

    graph: DependencyGraph
    currency: str
    history: History | None
    quotes: Quotes | None
    given: Mapping[str, float]
    assumptions: list[str] = field(default_factory=list)
    tickers: dict[str, str] = field(default_factory=dict)

    def missing(self, specs: Sequence[PositionSpec]) -> list[RowProblem]:
        """Return a problem for each position whose price, or whose currency's rate, is not known."""
        problems = []
        for spec in specs:
            if spec.kind not in {Kind.BOND, Kind.CDS, Kind.CASH} and self._price(spec.underlying, spec) is None:
                reason = f"has no price; {self._advice(spec.underlying)}"
                problems.append(RowProblem(spec.line, "ticker", spec.underlying, reason))
            elif spec.currency != self.currency and self._pair(spec.currency) is None:
                pair = f"{spec.currency}{self.currency}"
                reason = f"has no exchange rate; give fx={{'{pair}': …}} or a column {pair} in the prices"
                problems.append(RowProblem(spec.line, "currency", spec.currency, reason))
        return problems

    def spot(self, ticker: str, spec: PositionSpec) -> MarketData:
        """Return the leaf of a price."""
        return self._leaf(f"{ticker}_SPOT", cast("float", self._price(ticker, spec)), "positive", ticker)

    def vol(self, spec: PositionSpec) -> MarketData:
        """Return the leaf of the implied volatility of an option."""
        if "vol" in spec.terms:
            return self._leaf(f"{spec.ticker} VOL", spec.terms["vol"], "positive")
        name = f"{spec.underlying}_VOL"
        if self.graph.find(name) is None:
            return self._leaf(name, self._implied_vol(name, spec.underlying), "positive")
        return cast("MarketData", self.graph.node(name))

    def rate(self) -> MarketData:
        """Return the leaf of the discount rate."""
        found = self.graph.find(RATE)
        if found is not None:
            return cast("MarketData", found)
        if RATE not in self.given:
            self.assumptions.append("discount rate 0 %: give rate=")
        return self._leaf(RATE, self.given.get(RATE, 0.0), "finite")

    def quoted(self, name: str, value: float, domain: str) -> MarketData:
        """Return the leaf of a figure that stands in the positions: a yield, a spread."""
        return self._leaf(name, value, domain)

    def pair(self, pair: str, spec: PositionSpec | None = None) -> FXRate:
        """Return the exchange rate of a currency pair, registered."""
        found = self.graph.find(pair)
        if found is not None:
            return cast("FXRate", found)
        price = self._price(pair, spec)
        leaf = self._leaf(f"{pair}_SPOT", cast("float", price), "positive", pair)
        return self.graph.register(FXRate(pair, rate_source=leaf, base=pair[:3], quote=pair[3:]))

    def convert(self, currency: str) -> None:
        """Register the exchange rate from a currency to the base currency."""
        if currency != self.currency:
            self.pair(cast("str", self._pair(currency)))

    def _pair(self, currency: str) -> str | None:
        pairs = (f"{currency}{self.currency}", f"{self.currency}{currency}")
        return next((pair for pair in pairs if self._price(pair, None) is not None), None)

    def _price(self, ticker: str, spec: PositionSpec | None) -> float | None:
        if spec is not None and spec.option is None and "price" in spec.terms:
            return spec.terms["price"]
        if ticker in self.given:
            return self.given[ticker]
        last = None if self.history is None else self.history.last(ticker)
        if last is not None:
            return last
        return None if self.quotes is None else self.quotes.price(ticker)

    def _implied_vol(self, name: str, ticker: str) -> float:
        if name in self.given:
            return self.given[name]
        quoted = None if self.quotes is None else self.quotes.price(name)
        if quoted is not None:
            return quoted
        realised = self._realised(ticker)
        if realised is None:
            self.assumptions.append(f"volatility of {ticker} 20 %: give vols={{'{ticker}': …}}")
            return 0.20
        self.assumptions.append(f"volatility of {ticker} {realised:.1%}, realised: give vols={{'{ticker}': …}}")
        return realised

    def _realised(self, ticker: str) -> float | None:
        if self.history is None or ticker not in self.history.tickers:
            return None
        closes = self.history.common([ticker])[:, 0]
        if len(closes) <= _FEWEST:
            return None
        squares = np.diff(np.log(closes))[::-1] ** 2
        weights = _DECAY ** np.arange(len(squares))
        return math.sqrt(_DAYS * float(weights @ squares / weights.sum()))

    def _leaf(self, name: str, value: float, domain: str, ticker: str = "") -> MarketData:
        found = self.graph.find(name)
        if found is not None:
            return cast("MarketData", found)
        if ticker:
            self.tickers[name] = ticker
        return self.graph.register(MarketData(name, price=value, domain=domain))

    def _advice(self, ticker: str) -> str:
        known = list(self.given) + (list(self.history.tickers) if self.history else [])
        known += list(self.quotes.symbols) if self.quotes else []
        if not known:
            return "give prices= or market=, or a column price"
        where = "the prices" if self.history else "the market"
        return did_you_mean(ticker, known, f"{where} have no such ticker; add it, or give a column price")
