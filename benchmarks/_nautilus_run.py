"""One crossing of moving averages by nautilus_trader, in an environment of its own: prints a line of JSON per turn.

``benchmarks/backtest.py --only events`` runs it: ``python _nautilus_run.py BARS.npz`` reads a line from stdin for each
turn, so that the turns of two processes can alternate. The time is that of the engine's ``run`` alone.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal

import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, TraderId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

BAR_TYPE = BarType.from_str("X.SIM-1-MINUTE-LAST-EXTERNAL")
SHARES, FAST, SLOW, CASH, ABOVE = 1_000, 20, 60, 1_000_000.0, 1e-6


class Crossing(Strategy):
    """Holds 1,000 shares while the fast average is above the slow one, from the first crossing on."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig())
        self.fast, self.slow = SimpleMovingAverage(FAST), SimpleMovingAverage(SLOW)
        self.was: bool | None = None
        self.held, self.last, self.orders = 0, 0.0, 0

    def on_start(self) -> None:
        """Ask for the bars and the averages."""
        self.instrument = self.cache.instrument(BAR_TYPE.instrument_id)
        self.register_indicator_for_bars(BAR_TYPE, self.fast)
        self.register_indicator_for_bars(BAR_TYPE, self.slow)
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar: Bar) -> None:  # noqa: ARG002
        """Order when the averages cross."""
        if not self.slow.initialized:
            return
        above = self.fast.value > self.slow.value + ABOVE
        was, self.was = self.was, above
        if was is None or above in {was, bool(self.held)}:
            return
        side = OrderSide.BUY if above else OrderSide.SELL
        self.held = SHARES if above else 0
        self.orders += 1
        self.submit_order(self.order_factory.market(BAR_TYPE.instrument_id, side, Quantity.from_int(SHARES)))


def instrument() -> Equity:
    """Return a share with prices in cents."""
    identity = InstrumentId.from_str("X.SIM")
    return Equity(
        instrument_id=identity, raw_symbol=identity.symbol, currency=USD, price_precision=2,
        price_increment=Price.from_str("0.01"), lot_size=Quantity.from_int(1), ts_event=0, ts_init=0,
        maker_fee=Decimal(0), taker_fee=Decimal(0), margin_init=Decimal(0), margin_maint=Decimal(0),
    )  # fmt: skip


def run_once(share: Equity, bars: list[Bar], last: float) -> dict[str, float]:
    """Replay the bars and return the seconds and the equity at the last close."""
    config = BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True))
    engine = BacktestEngine(config=config)
    venue = Venue("SIM")
    engine.add_venue(
        venue=venue, oms_type=OmsType.NETTING, account_type=AccountType.CASH, base_currency=USD,
        starting_balances=[Money(CASH, USD)],
    )  # fmt: skip
    engine.add_instrument(share)
    engine.add_data(bars)
    strategy = Crossing()
    engine.add_strategy(strategy)
    started = time.process_time()
    engine.run()
    seconds = time.process_time() - started
    cash = float(engine.portfolio.account(venue).balance_total(USD).as_double())
    found = {"seconds": seconds, "equity": cash + strategy.held * last, "orders": strategy.orders}
    engine.dispose()
    return found


def main() -> None:
    """Run once for each line of the input."""
    given = np.load(sys.argv[1])
    columns = {name: given[name] for name in ("open", "high", "low", "close", "volume")}
    frame = pd.DataFrame(columns, index=pd.DatetimeIndex(given["time"], tz="UTC"))
    share = instrument()
    bars = BarDataWrangler(BAR_TYPE, share).process(frame)
    for _ in sys.stdin:
        print(json.dumps(run_once(share, bars, float(given["close"][-1]))), flush=True)


if __name__ == "__main__":
    main()
