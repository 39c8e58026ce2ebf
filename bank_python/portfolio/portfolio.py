"""A portfolio of one's own: values, P&L, risk, stress tests, limits and what-ifs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC
from typing import TYPE_CHECKING, Any, NoReturn, cast

from bank_python.barbara import BarbaraDB
from bank_python.cells import CellError, as_date, as_number
from bank_python.dagger import Leaf
from bank_python.errors import PositionsError
from bank_python.guessing import made_by
from bank_python.instruments import ProfitAndLoss
from bank_python.instruments.currency import find_conversion
from bank_python.instruments.factor import Factor
from bank_python.market_data import MarketDataManager, live_date
from bank_python.mc_engine import FactorModel, MCConfig, MonteCarloEngine, ReactiveRisk
from bank_python.mntable import Table
from bank_python.portfolio.factors import ASSUMED_VOLS, joint_model
from bank_python.portfolio.quotes import load_history
from bank_python.portfolio.rolling import roll_books
from bank_python.results import Tabular
from bank_python.risk import (
    AlertBook,
    BookMeasure,
    Concentration,
    GreekExposure,
    Limit,
    LimitBoard,
    StressLoss,
    plan_valuation,
    run_stresses,
    take_greeks,
)
from bank_python.wording import did_you_mean, words_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from bank_python.dagger import DependencyGraph
    from bank_python.instruments import Book
    from bank_python.market_data import Clock, Feed, MarketData, MarketUpdate, Quote, Tick
    from bank_python.mc_engine import MCResult
    from bank_python.portfolio.history import History
    from bank_python.portfolio.market import Market
    from bank_python.portfolio.specs import PositionSpec
    from bank_python.risk import BookGreeks, Measure, StressResults, ValuationPlan
    from bank_python.risk.stress_shocks import Scenarios
    from bank_python.row_problems import RowProblem

__all__ = ["LIMITS", "Portfolio"]

LIMITS = ("VaR 99", "Stress loss", "Concentration", "Delta 1%", "Vega 1pt")
"""Measures that :meth:`Portfolio.limits` can limit."""

_LARGEST_VOL = 5.0
_TOTAL, _TOTAL_PNL, _SCOPE = "PORTFOLIO", "PORTFOLIO:PNL", "portfolio"


_WORDS = {
    **dict.fromkeys(("total", "market_value", "nav", "npv"), ".value"),
    **dict.fromkeys(("VaR", "value_at_risk"), ".var(confidence)"),
    **dict.fromkeys(("es", "ES", "cvar", "CVaR"), ".expected_shortfall(confidence)"),
    **dict.fromkeys(
        ("positions", "holdings", "weights", "exposure", "summary", "describe"), ".to_table(), or .to_pandas()"
    ),
    **dict.fromkeys(("to_df", "to_dataframe", "df", "to_excel"), ".to_pandas()"),
    **dict.fromkeys(("shock", "scenario", "bump"), ".stress({ticker: move}), or .what_if({ticker: price})"),
    **dict.fromkeys(("plot", "draw"), ".stress().plot(), or .risk().plot()"),
    **dict.fromkeys(("profit", "pl"), ".pnl"),
    **dict.fromkeys(("monte_carlo", "simulate"), ".risk(n_paths=...)"),
}


@made_by('load_portfolio("positions.csv", prices=...)')
class Portfolio(Tabular):
    """Positions in books on a graph, made by :func:`bank_python.load_portfolio`.

    Attributes
    ----------
    graph : DependencyGraph
        Graph of all values.
    books : dict of str to Book
        Books by name.
    currency : str
        Base currency.
    problems : tuple of RowProblem
        Rows that were skipped.
    specs : tuple of PositionSpec
        Rows that were loaded.
    clock : Clock
        Valuation date; :meth:`roll` moves it.
    """

    def __init__(
        self,
        market: Market,
        books: dict[str, Book],
        clock: Clock,
        specs: Sequence[PositionSpec],
        problems: Sequence[RowProblem],
        period: str,
    ) -> None:
        self.graph: DependencyGraph = market.graph
        self.books = books
        self.currency = market.currency
        self.clock = clock
        self.specs = tuple(specs)
        self.problems = tuple(problems)
        self._market = market
        self._period = period
        self._history = market.history
        self._total = self.graph.sum(_TOTAL, list(books.values()))
        pnls = [self.graph.register(ProfitAndLoss(f"{name}:PNL", book)) for name, book in books.items()]
        self._pnls = pnls
        self._pnl = self.graph.sum(_TOTAL_PNL, pnls)
        self._manager: MarketDataManager | None = None
        self._notes: list[str] = []
        self._factor_vols: dict[str, float] = {}
        self._model: FactorModel | None = None
        self._live: dict[MCConfig, ReactiveRisk] = {}
        self._board: LimitBoard | None = None
        self._measures: list[BookMeasure] = []

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    # --- values -----------------------------------------------------------------------------------

    @property
    def value(self) -> float:
        """Market value in the base currency."""
        return self._total.value

    @property
    def pnl(self) -> float:
        """Profit and loss since the positions were opened at their cost, in the base currency."""
        return self._pnl.value

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Figures that were not given, one sentence each."""
        return (*self._market.assumptions, *self._notes)

    @property
    def feed(self) -> Feed | None:
        """The feed that quotes the positions, if the portfolio was given a market."""
        return None if self._market.quotes is None else self._market.quotes.feed

    def to_table(self) -> Table:
        """Return the positions: book, ticker, quantity, price, currency, value, P&L, weight.

        Value and P&L are in the base currency, price in the position's own; the weight is the share of the total of
        absolute values.
        """
        rows = [self._row(book, position) for book in self.books.values() for position in book.positions]
        gross = sum(abs(row["value"]) for row in rows)
        for row in rows:
            row["weight"] = row["value"] / gross if gross else 0.0
        return Table.from_rows(_COLUMNS, rows)

    def _row(self, book: Book, position: Any) -> dict[str, Any]:
        rate = 1.0
        if position.currency != self.currency:
            rate = find_conversion(self.graph, position.currency, self.currency).rate(lambda node: node.value)
        value = float(position.value) * rate
        per_unit = position.instrument.value if hasattr(position.instrument, "value") else position.instrument
        return {
            "book": book.name,
            "ticker": position.name.removeprefix(f"{book.name}:"),
            "quantity": position.quantity,
            "price": float(per_unit),
            "currency": position.currency,
            "value": value,
            "pnl": value - position.cost_basis * rate,
        }

    # --- the market -------------------------------------------------------------------------------

    def leaf(self, ticker: str) -> MarketData:
        """Return the quote of a ticker, or a leaf by its name.

        Parameters
        ----------
        ticker : str
            ``"AAPL"``, ``"EURUSD"``, ``"SPY_VOL"``, ``"RATE"``.

        Raises
        ------
        PositionsError
            There is no such quote.
        """
        for name in (f"{ticker}_SPOT", ticker):
            found = self.graph.find(name)
            if isinstance(found, Leaf):
                return cast("MarketData", found)
        known = [name.removesuffix("_SPOT") for name in self._leaves()]
        raise PositionsError(f"no quote {ticker!r}; {did_you_mean(ticker, known, 'there are ' + ', '.join(known))}")

    def set_prices(self, prices: Mapping[str, float]) -> None:
        """Set several quotes in one tick, or none if one of them is refused.

        Parameters
        ----------
        prices : mapping of str to float
            Quotes by ticker or leaf name.

        Raises
        ------
        PositionsError
            There is no such quote, or two names are those of one quote.
        DomainError
            A quote is not a number in the leaf's domain.
        """
        with self.graph.batch():
            for leaf, price in self._quotes_of(prices).items():
                leaf.set_price(price)
        self.graph.recalculate()

    def what_if(self, prices: Mapping[str, float]) -> AbstractContextManager[object]:
        """Return a scenario to enter with ``with``: other quotes, seen inside the block only.

        Parameters
        ----------
        prices : mapping of str to float
            Quotes by ticker or leaf name.
        """
        return self.graph.scenario({leaf.name: price for leaf, price in self._quotes_of(prices).items()})

    def update(self) -> MarketUpdate:
        """Poll the market once and set the quotes that it gave, as one tick; the others keep their last value.

        The valuation date is rolled first if the market has a later one.

        Returns
        -------
        MarketUpdate
            Tickers that were updated, rejected because their quote is no valid one, and failed, with the reasons.

        Raises
        ------
        PositionsError
            The portfolio has no market.
        """
        return self._manage().update_all(before=self._roll_with)

    def quotes(self) -> tuple[Quote, ...]:
        """Return the quotes from the market with their state, time and number of rejected ones.

        Raises
        ------
        PositionsError
            The portfolio has no market.
        """
        return self._manage().quotes

    def _manage(self) -> MarketDataManager:
        if self.feed is None:
            raise PositionsError("the portfolio has no market; pass market=, or use set_prices()")
        if self._manager is None:
            self._manager = MarketDataManager(self.graph, None, self.feed)
            for name, symbol in self._market.fed.items():
                self._manager.register_ticker(symbol, cast("MarketData", self.graph.node(name)))
        return self._manager

    def _roll_with(self, ticks: Sequence[Tick]) -> None:
        today = None if self.feed is None else live_date(self.feed)
        day = today or max((tick.time.astimezone(UTC).date() for tick in ticks), default=self.date)
        if day > self.date:
            self.roll(day)

    def roll(self, day: dt.date | str) -> None:
        """Move the valuation date forward: coupons and premiums are booked, contracts that end are settled.

        Cash that is paid leaves the value and stays in the P&L; the position in a contract that has ended gets a
        quantity of 0. Options are settled at the present prices.

        Parameters
        ----------
        day : date or str
            New valuation date.

        Raises
        ------
        PositionsError
            It is no date.
        DomainError
            It lies before the valuation date. Nothing is changed.
        """
        try:
            roll_books(self.graph, self.books.values(), self._pnls, self.clock, as_date(day))
        except CellError as error:
            raise PositionsError(f"day={day!r} {error}") from None

    def _quotes_of(self, prices: Mapping[str, float]) -> dict[MarketData, float]:
        if not isinstance(prices, Mapping):
            raise PositionsError(f"prices is a {type(prices).__name__}; give a mapping such as {{'AAPL': 180.0}}")
        quotes: dict[MarketData, float] = {}
        for ticker, price in prices.items():
            leaf = self.leaf(ticker)
            if leaf in quotes:
                raise PositionsError(f"{ticker!r} is another name of the quote {leaf.name}; give it once")
            quotes[leaf] = price
        return quotes

    def _leaves(self) -> list[str]:
        return [factor.name for factor in self.plan().factors]

    # --- risk -------------------------------------------------------------------------------------

    def plan(self) -> ValuationPlan:
        """Return the positions ready to be revalued in scenarios."""
        return plan_valuation(list(self.books.values()), self.currency)

    def history(self) -> History:
        """Return the daily closes of what is held: the given ones, else those of the feed.

        Raises
        ------
        PositionsError
            There are neither; the message says what to give.
        """
        if self._history is None:
            if self.feed is None:
                raise PositionsError(
                    "risk needs daily prices of what is held: pass prices= (a DataFrame or a file), or market="
                )
            self._history = load_history(self.feed, self._market.tickers.values(), self._period)
        return self._history

    def factor_model(self) -> FactorModel:
        """Return the joint model of all factors: from history, and from stated assumptions where there is none.

        Raises
        ------
        PositionsError
            A price has no history, or too short a one.
        """
        if self._model is None:
            factors, tickers = self.plan().factors, self._market.tickers
            without = [factor for factor in factors if factor.name not in tickers]
            prices = [f.name for f in without if f.kind not in ASSUMED_VOLS]
            if prices:
                raise PositionsError(f"no history of {', '.join(prices)}; give prices=")
            history = self.history() if len(without) < len(factors) else None
            self._model, self._notes = joint_model(factors, history, tickers, self._factor_vols)
            self._note(without)
        return self._model

    def assume_vols(self, vols: Mapping[str, float]) -> None:
        """Set annual volatilities of factors without a history, in place of the assumed ones.

        Parameters
        ----------
        vols : mapping of str to float
            Annual volatility by leaf name, a decimal: of the logarithm for implied volatilities and spreads, in units
            of the rate for rates.

        Raises
        ------
        PositionsError
            There is no such leaf, it has a history, a figure is no volatility, or there is live risk already.
        """
        if self._live:
            raise PositionsError("live_risk() and limits() have the volatilities of before; call assume_vols() first")
        self._factor_vols = {self.leaf(name).name: self._assumed(name, vol) for name, vol in vols.items()}
        self._model = None

    def _assumed(self, name: str, vol: object) -> float:
        leaf = self.leaf(name).name
        if leaf in self._market.tickers:
            raise PositionsError(f"{leaf} has the volatility of its history, not an assumed one; leave it out")
        try:
            figure = as_number(vol)
        except CellError as error:
            raise PositionsError(f"volatility of {leaf}: {vol!r} {error}") from None
        if not 0.0 <= figure <= _LARGEST_VOL:
            raise PositionsError(f"volatility of {leaf}: {vol!r} is not from 0 to {_LARGEST_VOL:g}; give a decimal")
        return figure

    def _note(self, factors: Sequence[Any]) -> None:
        units = {Factor.RATE: "{:.0f} bp a year", Factor.VOL: "{:.0%} a year", Factor.CREDIT: "{:.0%} a year"}
        for factor in factors:
            if factor.name not in self._factor_vols:
                scale = 1e4 if factor.kind is Factor.RATE else 1.0
                move = units[factor.kind].format(scale * ASSUMED_VOLS[factor.kind])
                self._notes.append(f"{factor.name} moves by {move}: give assume_vols()")

    def risk(self, config: MCConfig | None = None, **settings: Any) -> MCResult:
        """Simulate the portfolio over a horizon: VaR, expected shortfall, contributions by book and factor, stress.

        Parameters
        ----------
        config : MCConfig, optional
            Settings of the simulation.
        **settings
            Settings of :class:`~bank_python.MCConfig` by name: ``n_paths=20_000``, ``model="student_t"``.

        Raises
        ------
        PositionsError
            There is no history of a price.
        """
        asked = _config(config, settings)
        return self._engine().run(asked)

    def var(self, confidence: float = 0.99, **settings: Any) -> float:
        """Return the one-day value at risk, positive for a loss, in the base currency.

        Parameters
        ----------
        confidence : {0.95, 0.99}, default 0.99
            Confidence level.
        **settings
            Settings of the simulation, as for :meth:`risk`; for ten trading days ``horizon=10/252``, as it is in years.
        """
        return self.risk(**settings).tail(confidence).var

    def expected_shortfall(self, confidence: float = 0.99, **settings: Any) -> float:
        """Return the mean loss beyond the value at risk; arguments as for :meth:`var`."""
        return self.risk(**settings).tail(confidence).es

    def live_risk(self, config: MCConfig | None = None, **settings: Any) -> ReactiveRisk:
        """Return the value at risk as nodes of the graph, which follow every tick.

        Parameters
        ----------
        config : MCConfig, optional
            Settings of the simulation.
        **settings
            Settings by name, as for :meth:`risk`.
        """
        asked = _config(config, settings)
        if asked not in self._live:
            count = len(self._live) + 1
            name = _TOTAL if count == 1 else f"{_TOTAL} {count}"
            books, model = list(self.books.values()), self.factor_model()
            self._live[asked] = ReactiveRisk(books, self.graph, model, asked, name=name, base_currency=self.currency)
        return self._live[asked]

    def stress(self, scenarios: Scenarios | None = None) -> StressResults:
        """Return the P&L under stress scenarios.

        Parameters
        ----------
        scenarios : iterable of StressScenario, str or mapping, optional
            Scenarios, their keys, or shocks such as ``{"equity": -0.2}``, as for
            :func:`~bank_python.risk.run_stresses`; by default the eight standard ones.
        """
        return run_stresses(self.plan(), scenarios)

    def greeks(self) -> BookGreeks:
        """Return the Greeks of all positions."""
        return take_greeks(list(self.books.values()), self.currency)

    def limits(self, maximum: Mapping[str, float], db: BarbaraDB | None = None, **settings: Any) -> LimitBoard:
        """Return limits on the portfolio, as nodes that follow every tick, in place of those set before.

        Parameters
        ----------
        maximum : mapping of str to float
            Largest allowed figure by measure: ``VaR 99``, ``Stress loss``, ``Delta 1%`` and ``Vega 1pt`` in the base
            currency, ``Concentration`` as a share of the total.
        db : BarbaraDB, optional
            Store for alerts; in memory by default.
        **settings
            Settings of the simulation, as for :meth:`risk`.

        Raises
        ------
        PositionsError
            There is no such measure.
        """
        unknown = next((name for name in maximum if name not in LIMITS), None)
        if unknown is not None:
            advice = did_you_mean(unknown, list(LIMITS), "there are " + ", ".join(LIMITS))
            raise PositionsError(f"no measure {unknown!r}; {advice}")
        limits = [Limit(name, _SCOPE, most, absolute=name in _GREEKS) for name, most in maximum.items()]
        self._remove_limits()
        self._board = LimitBoard(self.graph, AlertBook(db or BarbaraDB.open("portfolio", path=":memory:")))
        for limit in limits:
            self._board.watch(limit, self._measure(limit.name, settings))
        return self._board

    def _remove_limits(self) -> None:
        if self._board is not None:
            self._board.remove()
            self._board = None
        while self._measures:
            self._measures.pop().remove()

    def _measure(self, name: str, settings: Mapping[str, Any]) -> Any:
        if name == LIMITS[0]:
            return self.live_risk(**settings).var_99
        measures: dict[str, Measure] = {
            "Stress loss": StressLoss(base_currency=self.currency),
            "Concentration": Concentration(self.currency),
            **{limit: GreekExposure(greek, self.currency) for limit, greek in _GREEKS.items()},
        }
        measure = BookMeasure(self.graph, f"{_SCOPE}:{name}", list(self.books.values()), measures[name])
        self._measures.append(measure)
        return measure.node

    def _engine(self) -> MonteCarloEngine:
        books = list(self.books.values())
        model = self.factor_model()
        return MonteCarloEngine(books, self.graph, factor_model=model, base_currency=self.currency)

    @property
    def date(self) -> dt.date:
        """Valuation date."""
        return self.clock.date

    def __reduce__(self) -> NoReturn:
        raise PositionsError("a portfolio has a live graph and is not copied; load its positions and prices again")

    def __rich__(self) -> object:
        from bank_python.render_risk import portfolio_view

        return portfolio_view(self)


def _config(config: MCConfig | None, settings: Mapping[str, Any]) -> MCConfig:
    names = [field.name for field in fields(MCConfig) if field.init]
    unknown = next((name for name in settings if name not in names), None)
    if unknown is not None:
        advice = did_you_mean(unknown, names, "the settings are those of MCConfig")
        raise PositionsError(f"no setting {unknown!r}; {advice}")
    if config is not None and settings:
        raise PositionsError(f"config= and {', '.join(settings)} were given; give one of them")
    return config or MCConfig(**settings)


_GREEKS = {"Delta 1%": "delta", "Vega 1pt": "vega"}
_COLUMNS: list[tuple[str, Any]] = [
    ("book", str),
    ("ticker", str),
    ("quantity", float),
    ("price", float),
    ("currency", str),
    ("value", float),
    ("pnl", float),
    ("weight", float),
]
