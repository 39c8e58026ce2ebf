"""The contract suite over every feed that needs no network."""

from datetime import date

import pytest

from bank_python.market_data.history_feed import HistoryFeed
from bank_python.market_data.recording import RecordingFeed
from bank_python.market_data.replay import ReplayFeed
from bank_python.market_data.simulated import SimulatedFeed
from tests.market_data.feed_contract import FEED_CONTRACT, FeedUnderTest

UNKNOWN = "NO_SUCH_SYMBOL"


def simulated(_):
    return FeedUnderTest(SimulatedFeed(seed=1), ["AAPL", "SOFR", "EURUSD"], UNKNOWN)


def panel(_):
    return FeedUnderTest(HistoryFeed.sp500(start=date(2021, 6, 1)), ["AAPL", "XOM"], UNKNOWN)


def table(_):
    closes = {"A": [(date(2020, 1, day), float(day)) for day in range(1, 9)]}
    closes["B"] = closes["A"]
    return FeedUnderTest(HistoryFeed(closes, start=date(2020, 1, 3)), ["A", "B"], UNKNOWN)


def recording(folder):
    return FeedUnderTest(RecordingFeed(SimulatedFeed(seed=1), folder / "journal.jsonl"), ["AAPL", "SOFR"], UNKNOWN)


def replay(folder):
    path = folder / "journal.jsonl"
    with RecordingFeed(SimulatedFeed(seed=1), path) as feed:
        # Record what the suite requests, as a replay has only recorded polls and histories.
        for _ in range(3):
            feed.poll(["AAPL", "SOFR", UNKNOWN])
        feed.history("AAPL", "1mo")
        for symbol, period in ((UNKNOWN, "1mo"), ("AAPL", "fortnight")):
            with pytest.raises(ValueError if period == "fortnight" else KeyError):
                feed.history(symbol, period)
    return FeedUnderTest(ReplayFeed(path), ["AAPL", "SOFR"], UNKNOWN)


@pytest.mark.parametrize("check", FEED_CONTRACT, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [simulated, panel, table, recording, replay], ids=lambda make: make.__name__)
def test_contract(make, check, tmp_path):
    case = make(tmp_path)
    try:
        check(case)
    finally:
        case.feed.close()
