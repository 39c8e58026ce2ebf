"""Regimes of a market as nodes of a graph: fitted when the history changes, their probabilities with every tick.

A :class:`ReactiveRegimes` depends on the closes of a ticker and on its spot price::

    REGIMES:SPY:CLOSES → REGIMES:SPY:FIT → REGIMES:SPY:PROBABILITIES → REGIMES:SPY:TURBULENCE
                                           SPY_SPOT ↗

Regimes of daily returns are ordered by variance, so that the last one is the most turbulent. The probabilities are the
filtered ones after one more return, from the last close to the present price, as if the day ended now.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.market_data import MarketData, SimulatedFeed
>>> from bank_python.market_data.price_history import PriceHistoryTable
>>> graph, history, bars = DependencyGraph(), PriceHistoryTable(), SimulatedFeed(seed=3).history("SPY", "5y")
>>> rows, spot = history.load("SPY", bars), graph.register(MarketData("SPY_SPOT", bars.bars[-1].close))
>>> regimes = ReactiveRegimes(graph, history, "SPY")
>>> before = regimes.turbulence.value
>>> spot.set_price(0.94 * spot.value)
>>> before < 0.5 < regimes.turbulence.value
True
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import LargeNode
from bank_python.guessing import guessable
from bank_python.risk.reactive_series import ReactiveSeries
from bank_python.risk.regimes import RegimeFit, fit_regimes

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray

__all__ = ["ReactiveRegimes"]


@guessable
class ReactiveRegimes(ReactiveSeries):
    """Regimes of a market as nodes of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price node.
    history : PriceHistoryTable
        Price history of the ticker, such as ``manager.history``.
    ticker : str
        Ticker of the market, such as an index fund.
    n_regimes : int, default 2
        Number of regimes, at least 2.
    seed : int, default 0
        Seed of the search, see :func:`~bank_python.risk.fit_regimes`.
    name : str, optional
        Prefix of the node names; ``REGIMES:<ticker>`` if omitted.
    policy : Policy, optional
        Policy that determines when the probabilities are renewed; after every change of the price if omitted.
    spot : Node or str, optional
        Price node or its name; ``<ticker>_SPOT`` if omitted.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        If the price is not in the graph, or the ticker has no history.
    RiskError, CalibrationError
        If the history is too short, or no regimes can be fitted to it.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        ticker: str,
        n_regimes: int = 2,
        *,
        seed: int = 0,
        name: str | None = None,
        policy: Policy | None = None,
        spot: Node | str | None = None,
    ) -> None:
        super().__init__(graph, history, ticker, f"REGIMES:{ticker}" if name is None else name, spot)
        self._n_regimes, self._seed = n_regimes, seed
        self._probabilities(self._fitted(self.past), self.past, cast("float", self.spot.value))  # refuses before adding
        with graph.batch():  # registers all nodes, or none if a name is in use
            self.fit: DerivedNode = graph.register(LargeNode(f"{self.name}:FIT", self._fitted, [self.closes]))
            self.probabilities: DerivedNode = graph.derive(
                f"{self.name}:PROBABILITIES", self._probabilities, [self.fit, self.closes, self.spot], policy=policy
            )
            self.turbulence: DerivedNode = graph.derive(f"{self.name}:TURBULENCE", _last, [self.probabilities])

    def nodes(self) -> tuple[Node, ...]:
        """Return the registered nodes, each before those that it depends on."""
        return (self.turbulence, self.probabilities, self.fit, *super().nodes())

    def _fitted(self, closes: FloatArray) -> RegimeFit:
        return fit_regimes(np.diff(np.log(closes)), self._n_regimes, seed=self._seed, order_by="variance")

    def _probabilities(self, fit: RegimeFit, closes: FloatArray, spot: float) -> FloatArray:
        """Return the probability of each regime after the return from the last close to the present price."""
        deviations = math.log(spot / float(closes[-1])) - fit.means
        logs = -0.5 * (np.log(fit.variances) + deviations * deviations / fit.variances)
        weights = fit.forecast(1)[0] * np.exp(logs - logs.max())
        return np.asarray(weights / weights.sum())

    def __repr__(self) -> str:
        return f"<ReactiveRegimes {self.name!r}: {self._n_regimes} regimes of {self.ticker}>"


def _last(probabilities: FloatArray) -> float:
    return float(probabilities[-1])
