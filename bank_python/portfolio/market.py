"""The market of a portfolio: a leaf for each quote that its positions depend on, with where the quote comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.instruments import FXRate
from bank_python.market_data import MarketData
from bank_python.portfolio.specs import Kind, PositionSpec
from bank_python.row_problems import RowProblem
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    import datetime as dt
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
_OLDEST = 10
"""Days after which a last price is not taken for the present one; long holidays are shorter."""
_PIVOT = "USD"
_MOST_SUGGESTED = 20


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
    date : date
        Valuation date.
    assumptions : list of str
        Figures that nobody gave, one sentence each.
    tickers : dict of str to str
        Ticker or pair whose history is that of a leaf, by the leaf's name.
    fed : dict of str to str
        Symbol in the feed that quotes a leaf, by the leaf's name.
    """

    graph: DependencyGraph
    currency: str
    history: History | None
    quotes: Quotes | None
    given: Mapping[str, float]
    date: dt.date
    assumptions: list[str] = field(default_factory=list)
    tickers: dict[str, str] = field(default_factory=dict)
    fed: dict[str, str] = field(default_factory=dict)
    _lasts: dict[str, tuple[dt.date, float]] = field(init=False, repr=False)
    _suggested: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._lasts = {} if self.history is None else self.history.lasts()

    def missing(self, specs: Sequence[PositionSpec]) -> list[RowProblem]:
        """Return a problem for each position whose price, or whose currency's rate, is not known."""
        problems = []
        for spec in specs:
            if spec.kind not in {Kind.BOND, Kind.CDS, Kind.CASH} and self._price(spec.underlying, spec) is None:
                reason = f"has no price; {self._advice(spec.underlying)}"
                problems.append(RowProblem(spec.line, "ticker", spec.underlying, reason))
            elif self._route(spec.currency) is None:
                pair = f"{spec.currency}{self.currency}"
                reason = f"has no exchange rate; give fx={{'{pair}': …}} or a column {pair} in the prices"
                problems.append(RowProblem(spec.line, "currency", spec.currency, reason))
        return problems

    def spot(self, ticker: str, spec: PositionSpec) -> MarketData:
        """Return the leaf of a price."""
        self._note_feed(f"{ticker}_SPOT", ticker, spec)
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
        self._note_feed(f"{pair}_SPOT", pair, spec)
        leaf = self._leaf(f"{pair}_SPOT", cast("float", price), "positive", pair)
        return self.graph.register(FXRate(pair, rate_source=leaf, base=pair[:3], quote=pair[3:]))

    def convert(self, currency: str) -> None:
        """Register the exchange rates from a currency to the base currency."""
        for pair in self._route(currency) or ():
            self.pair(pair)

    def _route(self, currency: str) -> tuple[str, ...] | None:
        """Return the pairs that convert a currency to the base currency, over USD if there is no direct one."""
        direct = self._legs(currency, self.currency)
        if direct is not None:
            return direct
        first, second = self._legs(currency, _PIVOT), self._legs(_PIVOT, self.currency)
        return None if first is None or second is None else first + second

    def _legs(self, currency: str, other: str) -> tuple[str, ...] | None:
        if currency == other:
            return ()
        pairs = (f"{currency}{other}", f"{other}{currency}")
        return next(((pair,) for pair in pairs if self._price(pair, None) is not None), None)

    def _price(self, ticker: str, spec: PositionSpec | None) -> float | None:
        if spec is not None and spec.option is None and "price" in spec.terms:
            return spec.terms["price"]
        if ticker in self.given:
            return self.given[ticker]
        if self._age(ticker) is not None and not self._is_stale(ticker):
            return self._lasts[ticker][1]
        return None if self.quotes is None else self.quotes.price(ticker)

    def _age(self, ticker: str) -> int | None:
        """Return the days since the last close of a ticker in the history, None without one."""
        return (self.date - self._lasts[ticker][0]).days if ticker in self._lasts else None

    def _is_stale(self, ticker: str) -> bool:
        return (self._age(ticker) or 0) > _OLDEST

    def _note_feed(self, name: str, ticker: str, spec: PositionSpec | None) -> None:
        """Note that the feed quotes a leaf, if its price is that of the feed."""
        in_row = spec is not None and spec.option is None and "price" in spec.terms
        in_history = self._age(ticker) is not None and not self._is_stale(ticker)
        if self.quotes is not None and not in_row and ticker not in self.given and not in_history:
            self.fed[name] = ticker

    def _note_history(self, ticker: str) -> None:
        """Note a close that is not of the valuation date, and a move that looks like a split."""
        if self.history is None:
            return
        if self._age(ticker) and ticker not in self.given and not self._is_stale(ticker):
            self.assumptions.append(f"price of {ticker} is that of {self._lasts[ticker][0]}: give a later one")
        jump = self.history.jump(ticker)
        if jump is not None:
            day, factor = jump
            self.assumptions.append(
                f"{ticker} moves by a factor of {factor:.3g} on {day}, no split: adjust it if it was one"
            )

    def _implied_vol(self, name: str, ticker: str) -> float:
        if name in self.given:
            return self.given[name]
        quoted = None if self.quotes is None else self.quotes.price(name)
        if quoted is not None:
            self.fed[name] = name
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
            self._note_history(ticker)
        return self.graph.register(MarketData(name, price=value, domain=domain))

    def _advice(self, ticker: str) -> str:
        if self._is_stale(ticker):
            age = f"{self._lasts[ticker][0]}, {self._age(ticker)} days before {self.date}"
            return f"its last close is of {age}; add later closes, or a column price"
        if self.quotes is not None and ticker in self.quotes.failures:
            return f"{self.quotes.feed.name}: {self.quotes.failures[ticker]}; give a column price"
        if self.history is not None and ticker in self.history.tickers:
            return "the prices are returns; give a column price"
        known = list(self.given) + (list(self.history.tickers) if self.history else [])
        known += list(self.quotes.symbols) if self.quotes else []
        if not known:
            return "give prices= or market=, or a column price"
        where = "the prices" if self.history else "the market"
        plain = f"{where} have no such ticker; add it, or give a column price"
        if ticker not in self._suggested and len(self._suggested) < _MOST_SUGGESTED:  # a search of all names is slow
            self._suggested[ticker] = did_you_mean(ticker, known, plain)
        return self._suggested.get(ticker, plain)
