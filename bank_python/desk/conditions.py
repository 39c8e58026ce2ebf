"""Market conditions of a desk as nodes of its graph: volatility forecast, regime, macro gauges, risk score and grade.

The nodes depend on the desk's quotes and positions::

    SPY → CONDITIONS:VOLATILITY:FORECAST ┐
    SPY → CONDITIONS:REGIMES:TURBULENCE  ┤
    rates, spreads, VIX → CONDITIONS:GAUGES ┼→ CONDITIONS:SCORE
    positions → CONDITIONS:EXPOSURES     ┤
    CDX_HY, CDX_IG                       ┘

so the score and its grade follow the market by themselves. The exposures are renewed at most every ten
seconds. Spreads of the credit indices stand for those of the bonds in the gauges; quotes too old for a gauge count
neither there nor in the score. Models are fitted to the closes before the day of the index's quote; when a day has
ended, :meth:`DeskConditions.follow_market` adds its close.

Examples
--------
>>> from bank_python.desk import build_desk
>>> desk = build_desk(seed=7)
>>> conditions = DeskConditions(desk)
>>> score = conditions.score.value
>>> score.grade, sorted(score.components)
('AAA', ['concentration', 'credit_risk', 'liquidity', 'macro_regime', 'market_vol'])
>>> with desk.graph.scenario({desk.leaf("SPY"): 0.9 * desk.leaf("SPY").price}):
...     conditions.score.value.value > score.value
True
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger import Every, LargeNode
from bank_python.desk.contracts import leaf_name
from bank_python.desk.factor_model import load_past
from bank_python.desk.past_closes import PastCloses
from bank_python.errors import DeskError
from bank_python.macro import GaugeBoard, MacroHistory, MacroSeries, read_gauges
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.universe import REGIME_SYMBOL
from bank_python.risk import (
    BookMeasure,
    GrossExposures,
    ReactiveRegimes,
    ReactiveVolatility,
    RiskScore,
    component_scores,
    liquidation_schedule,
    risk_score,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.dagger import DerivedNode, Node
    from bank_python.desk.parts import DeskParts
    from bank_python.risk import RegimeFit

__all__ = ["INDEX", "MODEL", "DeskConditions"]

INDEX = "SPY"
"""Fund that stands for the market in the volatility forecast and the regimes."""
MODEL = "gjr"
"""Volatility model, with Student-t innovations."""

_PERIOD = "5y"
_EVERY = 10.0  # seconds between two readings of exposures and gauges
_MONTH = 21
_LIQUIDATED = 0.95

# Symbol of the desk -> series of the gauges, and the factor between their units.
_GAUGED = {
    "UST2Y": ("DGS2", 100.0),
    "UST10Y": ("DGS10", 100.0),
    "VIX": ("VIXCLS", 1.0),
    "CDX_HY": ("BAMLH0A0HYM2", 100.0),
    "CDX_IG": ("BAMLC0A0CM", 100.0),
}
_WITH_VOLUME = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})
_SPREADS = {"CDX_HY": "high_yield_spread", "CDX_IG": "investment_grade_spread"}


class DeskConditions:
    """Volatility forecast, regime, gauges and risk score of a desk, as nodes of its graph.

    Parameters
    ----------
    desk : DeskParts
        Desk with at least one open position and a quote of :data:`INDEX`.

    Raises
    ------
    DeskError
        The index has no quote, or the desk no position.
    FeedError
        The history of the index could not be loaded.
    CalibrationError, RiskError
        The history is too short for the models.
    """

    def __init__(self, desk: DeskParts) -> None:
        self._desk, self._graph = desk, desk.graph
        spot = desk.leaf(INDEX)
        if not spot.quoted:
            raise DeskError(f"{INDEX} has no quote yet; its volatility and regime cannot be known", name=INDEX)
        if not any(trader.positions for trader in desk.traders):
            raise DeskError("the desk has no open position; its risk score cannot be known")
        load_past(desk)  # has the volumes
        self._closes = PastCloses(desk, INDEX, _PERIOD)
        history = self._closes.table
        quoted = [symbol for symbol in _GAUGED if symbol in desk.listings and desk.leaf(symbol).quoted]
        spreads = [symbol for symbol in _SPREADS if symbol in quoted]
        volumes = self._daily_volumes()
        with desk.graph.batch():  # registers all nodes, or none
            self.volatility = ReactiveVolatility(
                desk.graph, history, INDEX, MODEL, distribution="t", name="CONDITIONS:VOLATILITY", spot=spot
            )
            self.regimes = ReactiveRegimes(desk.graph, history, INDEX, name="CONDITIONS:REGIMES", spot=spot)
            books = [trader.book for trader in desk.traders]
            self.exposures = BookMeasure(
                desk.graph, "CONDITIONS:EXPOSURES", books, GrossExposures(), policy=Every(_EVERY)
            )
            quotes = [desk.leaf(symbol) for symbol in quoted]
            self.gauges: DerivedNode = desk.graph.register(
                LargeNode("CONDITIONS:GAUGES", partial(_board, desk, quoted), [desk.clock, *quotes])
            )
            self.score: DerivedNode = self._score_node(spreads, volumes)
        self.implied = desk.leaf(REGIME_SYMBOL) if REGIME_SYMBOL in quoted else None

    def follow_books(self) -> bool:
        """Update the exposures after trades since the last call; return whether there were any."""
        return self.exposures.follow_books()

    def follow_market(self) -> bool:
        """Fit the models again if the index's day has ended since the last call; return whether it has.

        To be called regularly: a day that the index's history does not have ends at the price of the last call.
        """
        if not self._closes.follow():
            return False
        with self._graph.batch():
            self.volatility.follow_history()
            self.regimes.follow_history()
        return True

    def remove(self) -> None:
        """Remove the nodes from the graph."""
        with self._graph.batch():
            self._graph.unregister(self.score)
            self._graph.unregister(self.gauges)
            self.exposures.remove()
            self.regimes.remove()
            self.volatility.remove()

    def _score_node(self, spreads: list[str], volumes: Mapping[str, float]) -> DerivedNode:
        inputs: list[Node] = [
            self.volatility.forecast,
            self.regimes.turbulence,
            self.regimes.fit,
            self.exposures.node,
            self.gauges,
            *(self._desk.leaf(symbol) for symbol in spreads),
        ]
        return self._graph.register(LargeNode("CONDITIONS:SCORE", partial(_score, tuple(spreads), volumes), inputs))

    def _daily_volumes(self) -> dict[str, float]:
        """Return the mean value traded a day by name of the leaf, of shares and funds whose histories have volumes.

        Volumes of coins are left out: some feeds give them in units, others in money.
        """
        volumes = {}
        listed = self._desk.listings
        for symbol in self._desk.past.tickers:
            if symbol not in listed or listed[symbol].kind not in _WITH_VOLUME:
                continue
            rows = list(self._desk.past.query(symbol))[-_MONTH:]
            known = [row["volume"] * row["close"] for row in rows if row["volume"]]
            if known:
                volumes[leaf_name(symbol, listed[symbol].kind)] = float(np.mean(known))
        return volumes


def _board(desk: DeskParts, symbols: list[str], years: float, *prices: float) -> GaugeBoard:
    """Return the gauges that the present quotes give."""
    today = desk.clock.date_at(years)
    simulated = {symbol: desk.listings[symbol].feed is desk.fallback for symbol in symbols}
    series = []
    for symbol, price in zip(symbols, prices, strict=True):
        name, factor = _GAUGED[symbol]
        level, source = [factor * price], f"quote of {symbol}"
        quoted = desk.leaf(symbol).as_of
        # The fallback's market has dates of its own.
        day = today if quoted is None or simulated[symbol] else min(quoted.date(), today)
        series.append(MacroSeries.of(name, [day], level, source=source, is_simulated=simulated[symbol]))
    return read_gauges(MacroHistory(tuple(series), today))


def _score(
    spreads: tuple[str, ...],
    volumes: Mapping[str, float],
    vol: float,
    turbulence: float,
    regimes: RegimeFit,
    exposures: dict[str, float],
    board: GaugeBoard,
    *levels: float,
) -> RiskScore:
    """Return the risk score of the desk, without the components for which there are no data."""
    sold = {name: value for name, value in exposures.items() if name in volumes and value > 0.0}
    days = liquidation_schedule(sold, {name: volumes[name] for name in sold}).days_for(_LIQUIDATED) if sold else None
    quoted = {_SPREADS[symbol]: level for symbol, level in zip(spreads, levels, strict=True)}
    given = {key: level for key, level in quoted.items() if not board[key].is_stale}
    return risk_score(
        component_scores(
            vol=vol,
            turbulent_probability=turbulence if regimes.is_supported else None,
            exposures=exposures,
            liquidation_days=days,
            stressed_share=board.stress_share,
            high_yield_spread=given.get("high_yield_spread"),
            investment_grade_spread=given.get("investment_grade_spread"),
        ),
        missing="renormalise",
    )
