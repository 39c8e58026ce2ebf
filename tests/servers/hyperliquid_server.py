"""A loopback server that speaks Hyperliquid's ``POST /info``, as far as the real ccxt client asks for it.

Perpetuals with their contexts, the spot list (empty but for its tokens) and candles. To try the showcase
against it by hand::

    python tests/servers/hyperliquid_server.py --mode 429

prints the environment variable to set in another terminal, and serves until Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run by hand: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.servers.loopback import Failure, LoopbackHandler, LoopbackServer

__all__ = ["HyperliquidServer"]

CANDLES_AT_ONCE = 5_000
MILLISECONDS = {"1h": 3_600_000, "1d": 86_400_000}
SPOT_META = {
    "tokens": [{"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "tokenId": "0x0", "isCanonical": True}],
    "universe": [],
}


class _HyperliquidHandler(LoopbackHandler):
    def do_POST(self) -> None:  # noqa: N802  (http.server calls it so)
        owner: HyperliquidServer = self.server.owner
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        owner.note(f"{self.headers.get('Host')} {self.path} {json.dumps(asked)}")
        failure = owner.failure(asked["type"])
        if failure is not None and self.fail(failure):
            return
        answer = [] if failure is Failure.EMPTY else owner.answer(asked)
        self.send(200, "application/json", json.dumps(answer))


class HyperliquidServer(LoopbackServer):
    """Hyperliquid on 127.0.0.1. Failures are keyed by the request's type, e.g. ``"metaAndAssetCtxs"``.

    Parameters
    ----------
    prices : dict of str to float
        Mid price by coin; may be changed while serving.
    funding : dict of str to float
        Current hourly funding rate by coin; 0 where not given.
    delisted : tuple of str
        Coins that are listed as delisted, without a mid price.
    now : datetime
        Until when there are candles.
    since : datetime
        From when there are candles.
    """

    handler = _HyperliquidHandler

    def __init__(
        self,
        prices: dict[str, float],
        funding: dict[str, float] | None = None,
        delisted: tuple[str, ...] = (),
        now: datetime = datetime(2026, 3, 2, 12, 30, tzinfo=UTC),
        since: datetime = datetime(2023, 1, 1, tzinfo=UTC),
        port: int = 0,
    ) -> None:
        super().__init__(port)
        self.prices = prices
        self.funding = funding or {}
        self.delisted = delisted
        self.now = now
        self.since = since

    @property
    def url(self) -> str:
        """What stands for ``https://api.hyperliquid.xyz``."""
        return f"http://{self.address}"

    @property
    def environment(self) -> dict[str, str]:
        """The variable that makes ``CcxtFeed()`` connect here."""
        return {"BANK_PYTHON_CCXT_URL": self.url}

    def answer(self, asked: dict[str, Any]) -> Any:
        """What Hyperliquid answers to one ``/info`` request."""
        if asked["type"] == "metaAndAssetCtxs":
            return [{"universe": self._universe(), "marginTables": [], "collateralToken": 0}, self._contexts()]
        if asked["type"] == "candleSnapshot":
            return self._candles(asked["req"])
        if asked["type"] == "spotMetaAndAssetCtxs":
            return [SPOT_META, []]
        return {"spotMeta": SPOT_META, "perpDexs": [None]}.get(asked["type"])

    def candle_opens(self, interval: str, start: int) -> list[int]:
        """Opens (ms) of the candles from `start` until now, as many as one answer has."""
        step = MILLISECONDS[interval]
        first = -(-max(start, _ms(self.since)) // step) * step
        return list(range(first, _ms(self.now) + 1, step))[:CANDLES_AT_ONCE]

    def _universe(self) -> list[dict[str, Any]]:
        live = [{"szDecimals": 4, "name": coin, "maxLeverage": 40, "marginTableId": 1} for coin in self.prices]
        return live + [
            {"szDecimals": 1, "name": coin, "maxLeverage": 3, "marginTableId": 1, "isDelisted": True}
            for coin in self.delisted
        ]

    def _contexts(self) -> list[dict[str, Any]]:
        live = [self._context(coin, str(price)) for coin, price in self.prices.items()]
        return live + [self._context(coin, None) for coin in self.delisted]

    def _context(self, coin: str, mid: str | None) -> dict[str, Any]:
        return {
            "funding": str(self.funding.get(coin, 0.0)),
            "openInterest": "20764.8",
            "prevDayPx": "1.0",
            "dayNtlVlm": "3510000000.5",
            "premium": None if mid is None else "0.0001",
            "oraclePx": mid or "1.0",
            "markPx": mid or "1.0",
            "midPx": mid,
            "impactPxs": None if mid is None else [mid, mid],
            "dayBaseVlm": "36123.1",
        }

    def _candles(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        step = MILLISECONDS[request["interval"]]
        return [
            {
                "t": opened,
                "T": opened + step - 1,
                "s": request["coin"],
                "i": request["interval"],
                "o": str(100 + opened // step % 1000),
                "h": str(102 + opened // step % 1000),
                "l": str(99 + opened // step % 1000),
                "c": str(101 + opened // step % 1000),
                "v": "10.5",
                "n": 7,
            }
            for opened in self.candle_opens(request["interval"], request["startTime"])
        ]


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Hyperliquid on loopback, for trying programs against it")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", choices=[failure.value for failure in Failure], help="fail so, for every request")
    options = parser.parse_args()
    now = datetime.now(UTC)
    prices, funding = {"BTC": 97_000.5, "ETH": 3_611.05, "SOL": 195.05}, {"BTC": 0.0000125}
    with HyperliquidServer(prices, funding, now=now, since=now - timedelta(days=1200), port=options.port) as server:
        if options.mode:
            server.fail(options.mode)
        for name, value in server.environment.items():
            print(f"export {name}={value}", flush=True)  # noqa: T201  (it is a program)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print("stopped")  # noqa: T201  (it is a program)


if __name__ == "__main__":
    main()
