"""One crossing of moving averages bar by bar: the bars, ours, backtesting.py, and a process with nautilus_trader.

Every side holds 1,000 shares while the average of 20 closes is above that of 60, from the first crossing on. Opens are
the closes before, so that a fill at the next open (ours, backtesting.py) and at the same close (nautilus_trader) is the
same fill. Prices are in cents, and now and then both averages are equal: "above" is by a millionth, so that the
rounding of the sides decides nothing.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import subprocess
import warnings
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bank_python.backtester import Backtester, BacktestStrategy, BarPanel, Targets, bars_of

if TYPE_CHECKING:
    from bank_python.backtester import Window

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from backtesting import Backtest, Strategy

__all__ = ["N_BARS", "Nautilus", "backtest_of_ours", "backtesting_crossing", "minute_bars", "panel_of"]

N_BARS = 53_675
SHARES, FAST, SLOW, CASH = 1_000.0, 20, 60, 1e6
ABOVE = 1e-6
_SEED = 1


def minute_bars() -> dict[str, np.ndarray]:
    """Return bars of one minute: a seeded random walk rounded to cents."""
    rng = np.random.default_rng(_SEED)
    close = np.round(100.0 + np.cumsum(0.03 * rng.standard_normal(N_BARS)), 2)
    close = np.round(close + max(0.0, 50.0 - close.min()), 2)
    opened = np.concatenate([close[:1], close[:-1]])
    high = np.round(np.maximum(opened, close) + 0.01 * rng.integers(0, 4, N_BARS), 2)
    low = np.round(np.minimum(opened, close) - 0.01 * rng.integers(0, 4, N_BARS), 2)
    time = np.datetime64("2026-01-05T00:00", "ns") + np.arange(N_BARS) * np.timedelta64(60, "s")
    volume = np.full(N_BARS, 1e6)
    return {"time": time, "open": opened, "high": high, "low": low, "close": close, "volume": volume}


def panel_of(bars: dict[str, np.ndarray]) -> BarPanel:
    """Return the bars as ours takes them."""
    names = ("open", "high", "low", "close", "volume")
    start = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    dates = [start + dt.timedelta(minutes=i) for i in range(N_BARS)]
    return bars_of({"X": pd.DataFrame({name: bars[name] for name in names}, index=pd.DatetimeIndex(dates))})


class _Ours(BacktestStrategy):
    """The crossing as a strategy of bank_python."""

    def on_start(self, window: Window) -> None:  # noqa: ARG002
        """Forget the run before."""
        self.was: bool | None = None
        self.is_long = False

    def on_bar(self, window: Window) -> Targets | None:
        """Return the shares to hold when the averages cross."""
        slow = window.mean("X", SLOW)
        if math.isnan(slow):
            return None
        above = window.mean("X", FAST) > slow + ABOVE
        was, self.was = self.was, above
        if was is None or above in {was, self.is_long}:
            return None
        self.is_long = above
        return Targets(units={"X": SHARES if above else 0.0})


def backtest_of_ours(panel: BarPanel) -> Backtester:
    """Return the back-test by bank_python, ready to run."""
    return Backtester(_Ours(), data=panel, initial_cash=CASH)


def _mean(values: np.ndarray, bars: int) -> pd.Series:
    return pd.Series(values).rolling(bars).mean()


class _Theirs(Strategy):  # type: ignore[misc]
    """The crossing as a strategy of backtesting.py."""

    def init(self) -> None:
        self.fast, self.slow = self.I(_mean, self.data.Close, FAST), self.I(_mean, self.data.Close, SLOW)
        self.was: bool | None = None
        self.is_long = False

    def next(self) -> None:
        slow = self.slow[-1]
        if math.isnan(slow):
            return
        above = self.fast[-1] > slow + ABOVE
        was, self.was = self.was, above
        if was is None or above in {was, self.is_long}:
            return
        self.is_long = above
        if above:
            self.buy(size=int(SHARES))
        else:
            self.position.close()


def backtesting_crossing(bars: dict[str, np.ndarray]) -> Any:
    """Return a function that runs backtesting.py and returns its final equity."""
    columns = {name.capitalize(): bars[name] for name in ("open", "high", "low", "close", "volume")}
    test = Backtest(pd.DataFrame(columns, index=pd.DatetimeIndex(bars["time"])), _Theirs, cash=CASH)

    def run() -> float:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # a progress bar
            warnings.simplefilter("ignore")
            return float(test.run()["Equity Final [$]"])

    return run


class Nautilus:
    """A process with nautilus_trader, which runs once whenever it is asked."""

    def __init__(self, python: str, bars: dict[str, np.ndarray], folder: Path) -> None:
        path = folder / "bars.npz"
        np.savez(path, **bars)
        script = Path(__file__).with_name("_nautilus_run.py")
        self._process = subprocess.Popen(
            [python, str(script), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self) -> dict[str, float]:
        """Return the CPU seconds of one run, its final equity and its number of orders."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
