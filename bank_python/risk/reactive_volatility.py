"""Volatility forecasts as nodes of a graph: the model is fitted when the history changes, the forecast with every tick.

A :class:`ReactiveVolatility` depends on the closes of a ticker and on its spot price::

    VOLATILITY:SPY:CLOSES → VOLATILITY:SPY:FIT → VOLATILITY:SPY:FORECAST ← SPY_SPOT

The forecast is annualised and begins with the next day; the return from the last close to the present price is the
latest return that it knows, as if the day ended now. With a GARCH model a tick costs one step of the recursion;
the other models have no fit to keep, and are computed from the closes and the present price. As for any node, a policy
can restrict when the forecast is renewed.

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
from collections.abc import Callable  # noqa: TC003 - at run time too
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import LargeNode
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.risk.reactive_series import ReactiveSeries
from bank_python.risk_models.ewma import ewma_variance
from bank_python.risk_models.garch import fit_garch
from bank_python.risk_models.garch_fit import GarchModel
from bank_python.risk_models.har import fit_har
from bank_python.risk_models.observations import periods_in_year
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray
    from bank_python.risk_models.garch_fit import GarchFit
    from bank_python.risk_models.garch_likelihood import MeanModel
    from bank_python.risk_models.innovations import Innovation

__all__ = ["ReactiveVolatility"]

_YEAR = 365.25 * 86_400.0  # seconds
_MONTH = 21
_HAR_LAGS = (1, 5, 22)
_HAR_FLOOR = 1e-8  # of the mean squared return, added before logarithms are taken


@guessable
class ReactiveVolatility(ReactiveSeries):
    """A volatility forecast as a node of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the price node.
    history : PriceHistoryTable
        Price history of the ticker, such as ``manager.history``, in equal steps of time.
    ticker : str
        Ticker of the asset.
    model : {"garch", "gjr", "egarch", "ewma", "har", "realised"}, default "garch"
        Volatility model: :func:`~bank_python.risk_models.fit_garch`; the EWMA variance with a decay of 0.94;
        :func:`~bank_python.risk_models.fit_har` of squared returns, means over 1, 5 and 22 steps; the mean square of
        the last 21 returns.
    distribution : {"normal", "t"}, default "normal"
        Distribution of the innovations of a GARCH model.
    mean : {"constant", "zero"}, default "constant"
        Mean of the returns of a GARCH model: fitted, or 0; it is 0 for the other models.
    horizon : int, default 1
        Number of steps over which the volatility is forecast, at least 1.
    periods_per_year : float, optional
        Number of steps in a year; if omitted, that of the history: its closes per year from the first to the last.
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
        If the history is too short, or the model rejects it or is unknown.
    ModelError
        If `horizon` or `periods_per_year` is out of range.
    """

    def __init__(
        self,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        ticker: str,
        model: str = "garch",
        *,
        distribution: Innovation | str = "normal",
        mean: MeanModel | str = "constant",
        horizon: int = 1,
        periods_per_year: float | None = None,
        name: str | None = None,
        policy: Policy | None = None,
        spot: Node | str | None = None,
    ) -> None:
        if horizon < 1:
            raise ModelError(f"horizon={horizon} is below 1; give a number of steps", value=horizon)
        super().__init__(graph, history, ticker, f"VOLATILITY:{ticker}" if name is None else name, spot)
        self.model, self._horizon = model, horizon
        self._direct = _DIRECT.get(model)
        self._kinds = distribution, mean
        self.periods_per_year = periods_in_year(
            _closes_per_year(history, ticker) if periods_per_year is None else periods_per_year
        )
        closes, price = self.past, cast("float", self.spot.value)
        fit = () if self._direct else (self._fitted(closes),)
        self._forecast(closes, price, *fit)  # refuses before anything is added
        with graph.batch():  # registers all nodes, or none if a name is in use
            self.fit: DerivedNode | None = None
            if self._direct is None:
                self.fit = graph.register(LargeNode(f"{self.name}:FIT", self._fitted, [self.closes]))
            inputs = [self.closes, self.spot, *(() if self.fit is None else (self.fit,))]
            self.forecast: DerivedNode = graph.derive(f"{self.name}:FORECAST", self._forecast, inputs, policy=policy)

    def nodes(self) -> tuple[Node, ...]:
        """Return the registered nodes, each before those that it depends on."""
        fit = () if self.fit is None else (self.fit,)
        return (self.forecast, *fit, *super().nodes())

    def _fitted(self, closes: FloatArray) -> GarchFit:
        if self.model not in _MODELS:
            advice = did_you_mean(self.model, _MODELS, f"choose one of {', '.join(_MODELS)}")
            raise CalibrationError(f"no volatility model {self.model!r}; {advice}", value=self.model)
        return fit_garch(np.diff(np.log(closes)), self.model, *self._kinds)

    def _forecast(self, closes: FloatArray, spot: float, fit: GarchFit | None = None) -> float:
        if fit is None:
            direct = cast("Callable[[FloatArray, int], FloatArray]", self._direct)
            variances = direct(np.diff(np.log(np.append(closes, spot))), self._horizon)
        else:
            variances = fit.forecast(self._horizon, latest=math.log(spot / float(closes[-1])))
        return math.sqrt(float(variances.mean()) * self.periods_per_year)

    def __repr__(self) -> str:
        return f"<ReactiveVolatility {self.name!r}: {self.model} of {self.ticker}>"


def _closes_per_year(history: PriceHistoryTable, ticker: str) -> float:
    dates = [row["date"] for row in history.query(ticker)]
    years = (dates[-1] - dates[0]).total_seconds() / _YEAR if dates else 0.0
    if not years > 0.0:
        raise CalibrationError(f"{len(dates)} closes of {ticker} are too few for a volatility", value=len(dates))
    return (len(dates) - 1) / years


def _ewma(returns: FloatArray, horizon: int) -> FloatArray:
    return np.full(horizon, ewma_variance(returns)[-1])


def _realised(returns: FloatArray, horizon: int) -> FloatArray:
    last = returns[-_MONTH:]
    return np.full(horizon, float(last @ last) / len(last))


def _har(returns: FloatArray, horizon: int) -> FloatArray:
    squares = returns * returns
    return fit_har(squares, _HAR_LAGS, floor=_HAR_FLOOR * float(squares.mean())).forecast(horizon)


_DIRECT: dict[str, Callable[[FloatArray, int], FloatArray]] = {"ewma": _ewma, "har": _har, "realised": _realised}
_MODELS = (*(kind.value for kind in GarchModel), *_DIRECT)
