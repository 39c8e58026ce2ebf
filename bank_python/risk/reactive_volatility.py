"""Volatility forecasts as nodes of a graph: the model is fitted when the history changes, the forecast with every tick.

A :class:`ReactiveVolatility` depends on the closes of a ticker and on its spot price::

    VOLATILITY:SPY:CLOSES → VOLATILITY:SPY:FIT → VOLATILITY:SPY:FORECAST ← SPY_SPOT

The forecast is annualised and begins with the next day; the return from the last close to the present price is the
latest return that it knows, as if the day ended now. A tick costs one step of the variance recursion. As for any node,
a policy can restrict when the forecast is renewed.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.market_data import MarketData, SimulatedFeed
>>> from bank_python.market_data.price_history import PriceHistoryTable
>>> graph, history, bars = DependencyGraph(), PriceHistoryTable(), SimulatedFeed(seed=3).history("SPY", "2y")
>>> rows, spot = history.load("SPY", bars), graph.register(MarketData("SPY_SPOT", bars.bars[-1].close))
>>> volatility = ReactiveVolatility(graph, history, "SPY", "gjr")
>>> before = volatility.forecast.value
>>> spot.set_price(0.95 * spot.value)
>>> volatility.forecast.value > 1.2 * before
True
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf
from bank_python.errors import CalibrationError
from bank_python.guessing import guessable
from bank_python.risk_models.garch import fit_garch

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.garch_fit import GarchFit, GarchModel
    from bank_python.risk_models.garch_likelihood import MeanModel
    from bank_python.risk_models.innovations import Innovation

__all__ = ["ReactiveVolatility"]


@guessable
class ReactiveVolatility:
    """A volatility forecast as a node of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price node.
    history : PriceHistoryTable
        Price history of the ticker, such as ``manager.history``, in equal steps of time.
    ticker : str
        Ticker of the asset.
    model : {"garch", "gjr", "egarch"}, default "garch"
        Variance recursion, see :func:`~bank_python.risk_models.fit_garch`.
    distribution : {"normal", "t"}, default "normal"
        Distribution of the innovations.
    mean : {"constant", "zero"}, default "constant"
        Mean of the returns: fitted, or 0.
    horizon : int, default 1
        Number of steps over which the volatility is forecast, at least 1.
    periods_per_year : float, default 252
        Number of steps in a year: 252 for days of shares, 365 for days of coins.
    name : str, optional
        Prefix of the node names; ``VOLATILITY:<ticker>`` if omitted.
    policy : Policy, optional
        Policy that determines when the forecast is renewed; after every change of the price if omitted.
    spot : Node or str, optional
        Price node or its name; ``<ticker>_SPOT`` if omitted.

    Raises
    ------
    UnknownNodeError, UnknownTickerError
        If the price is not in the graph, or the ticker has no history.
    CalibrationError
        If the history is too short, or the model rejects it.
    ModelError
        If `horizon` or `periods_per_year` is out of range.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        ticker: str,
        model: GarchModel | str = "garch",
        *,
        distribution: Innovation | str = "normal",
        mean: MeanModel | str = "constant",
        horizon: int = 1,
        periods_per_year: float = 252.0,
        name: str | None = None,
        policy: Policy | None = None,
        spot: Node | str | None = None,
    ) -> None:
        self.ticker, self.name = ticker, f"VOLATILITY:{ticker}" if name is None else name
        self._graph, self._history = graph, history
        self._model, self._distribution, self._mean = model, distribution, mean
        self._horizon, self._periods = horizon, periods_per_year
        self.spot = graph.node(f"{ticker}_SPOT" if spot is None else spot)
        self._closes = Leaf(f"{self.name}:CLOSES", self._past(), Domain.ANY)
        closes = cast("FloatArray", self._closes.value)
        self._forecast(self._fitted(closes), closes, cast("float", self.spot.value))  # refuses before anything is added
        with graph.batch():  # registers all nodes, or none if a name is in use
            self.fit: DerivedNode = graph.register(LargeNode(f"{self.name}:FIT", self._fitted, [self._closes]))
            self.forecast: DerivedNode = graph.derive(
                f"{self.name}:FORECAST", self._forecast, [self.fit, self._closes, self.spot], policy=policy
            )

    def follow_history(self) -> bool:
        """Update the closes from the price history, as one tick; return whether they have changed."""
        closes = self._past()
        if np.array_equal(closes, cast("FloatArray", self._closes.value)):
            return False
        self._closes.set(closes)
        return True

    def remove(self) -> None:
        """Remove the nodes from the graph.

        Raises
        ------
        GraphError
            If another node depends on one of them; the graph is then unchanged.
        """
        with self._graph.batch():
            for node in (self.forecast, self.fit, self._closes):
                self._graph.unregister(node)

    def _past(self) -> FloatArray:
        closes = self._history.closes(self.ticker).copy()
        if not (closes > 0.0).all():
            bad = float(closes[int(np.argmin(closes > 0.0))])
            raise CalibrationError(f"a close of {self.ticker} is {bad!r}; prices are above 0", value=bad)
        closes.setflags(write=False)  # values of leaves are immutable
        return closes

    def _fitted(self, closes: FloatArray) -> GarchFit:
        return fit_garch(np.diff(np.log(closes)), self._model, self._distribution, self._mean)

    def _forecast(self, fit: GarchFit, closes: FloatArray, spot: float) -> float:
        latest = math.log(spot / float(closes[-1]))
        return fit.forecast_volatility(self._horizon, periods_per_year=self._periods, latest=latest)

    def __repr__(self) -> str:
        return f"<ReactiveVolatility {self.name!r}: {self._model} of {self.ticker}>"
