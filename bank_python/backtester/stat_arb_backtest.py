"""Statistical arbitrage: a pair is opened when its ratio is far from its mean, and closed when it is back.

Examples
--------
>>> import numpy as np
>>> from bank_python.backtester import Backtester
>>> rng = np.random.default_rng(1)
>>> x = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(400)))
>>> gap = np.zeros(400)
>>> for day in range(1, 400):
...     gap[day] = 0.9 * gap[day - 1] + 0.01 * rng.standard_normal()
>>> y = x * np.exp(gap)
>>> result = Backtester(StatArbBacktest([("Y", "X")]), data={"Y": y, "X": x}).run()
>>> result.trade_count > 10, result.final_value > result.initial_cash
(True, True)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.backtester.strategy import BacktestStrategy, Targets
from bank_python.errors import BacktestError
from bank_python.trading_engine.checks import finite_number, pairs_of_names, positive, whole_number
from bank_python.trading_engine.series_window import distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.backtester.window import Window

__all__ = ["StatArbBacktest"]

_FEWEST = 3
_STILL = 1e-12


class StatArbBacktest(BacktestStrategy):
    """Sells the dear and buys the cheap leg beyond a z-score of the log ratio, and closes both near its mean.

    Each leg is 20 per cent of equity when the pair is opened, not a number of units such as 50, so that both legs have
    the same value whatever their prices. A ticker may be in one pair only.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Pairs of tickers.
    lookback : int, default 60
        Number of closes in the mean of the ratio, at least 3.
    z_threshold : float, default 2.0
        Distance from the mean in standard deviations from which on a pair is opened, above `exit_z`.
    trade_qty : float, optional
        Units of each leg in place of a share of equity, above 0.
    exit_z : float, default 0.5
        Distance below which it is closed, at least 0.
    leg : float, default 0.2
        Share of equity of a leg, above 0.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[str, str]],
        lookback: int = 60,
        z_threshold: float = 2.0,
        trade_qty: float | None = None,
        *,
        exit_z: float = 0.5,
        leg: float = 0.2,
    ) -> None:
        self.pairs = pairs_of_names("pairs", pairs)
        self.lookback, self.z_threshold = (
            whole_number("lookback", lookback, _FEWEST),
            positive("z_threshold", z_threshold),
        )
        self.exit_z, self.leg = finite_number("exit_z", exit_z), positive("leg", leg)
        self.trade_qty = None if trade_qty is None else positive("trade_qty", trade_qty)
        if not 0.0 <= self.exit_z < self.z_threshold:
            said = f"exit_z={self.exit_z:g} is not from 0 to below z_threshold={self.z_threshold:g}"
            raise BacktestError(f"{said}; give a smaller one", name="exit_z", value=exit_z)
        if len(self.inputs) < 2 * len(self.pairs):
            raise BacktestError("a ticker is in two pairs, whose targets would replace each other", name="pairs")
        self._open: dict[tuple[str, str], int] = {}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the tickers of all pairs."""
        return distinct(*(ticker for pair in self.pairs for ticker in pair))

    def on_start(self, window: Window) -> None:  # noqa: ARG002 - the same for all data
        """Forget the pairs of a run before."""
        self._open = {}

    def on_bar(self, window: Window) -> Targets | None:
        """Return targets for the pairs to open or to close."""
        sides: dict[str, float] = {}
        for pair in self.pairs:
            z = self._z_score(window, pair)
            if math.isnan(z):
                continue
            held = self._open.get(pair, 0)
            wanted = held
            if held and (abs(z) < self.exit_z or z * held > 0.0):
                wanted = 0
            elif not held and abs(z) > self.z_threshold:
                wanted = -1 if z > 0.0 else 1
            if wanted != held:
                self._open[pair] = wanted
                sides[pair[0]], sides[pair[1]] = float(wanted), -float(wanted)
        if not sides:
            return None
        reason = f"z-score of the log ratio over {self.lookback} closes"
        if self.trade_qty is not None:
            return Targets(units={ticker: self.trade_qty * side for ticker, side in sides.items()}, reason=reason)
        return Targets(weights={ticker: self.leg * side for ticker, side in sides.items()}, reason=reason)

    def _z_score(self, window: Window, pair: tuple[str, str]) -> float:
        """Return the z-score of the last ratio on the bars that both have, NaN where it is unknown."""
        if not all(map(window.is_quoted, pair)):
            return math.nan
        columns = [list(window).index(ticker) for ticker in pair]
        both = window.close[:, columns]
        known = both[~np.isnan(both).any(axis=1)][-self.lookback :]
        if len(known) < self.lookback:
            return math.nan
        ratio = np.log(known[:, 0] / known[:, 1])
        deviation = float(ratio.std(ddof=1))
        return float(ratio[-1] - ratio.mean()) / deviation if deviation > _STILL else math.nan
