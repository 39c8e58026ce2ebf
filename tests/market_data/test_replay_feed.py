import json
import logging
import math
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.barbara import BarbaraDB
from bank_python.errors import FeedConfigError, FeedError, UnknownTickerError
from bank_python.market_data.feed import Bar, Poll, PriceHistory, QuoteFailure, Tick
from bank_python.market_data.history_feed import HistoryFeed
from bank_python.market_data.journal import FileJournal, StoreJournal
from bank_python.market_data.journal_records import (
    history_of,
    history_record,
    poll_of,
    poll_record,
)
from bank_python.market_data.recording import RecordingFeed
from bank_python.market_data.replay import ReplayFeed
from bank_python.market_data.simulated import SimulatedFeed

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.datetimes().map(lambda stamp: stamp.replace(tzinfo=UTC, fold=0))  # UTC has no fold to keep
TICKS = st.builds(Tick, TEXT, st.floats(), TIMES, TEXT)
FAILURES = st.builds(QuoteFailure, TEXT, TEXT, TEXT)
POLLS = st.builds(Poll, st.lists(TICKS, max_size=4).map(tuple), st.lists(FAILURES, max_size=3).map(tuple))
MAYBE = st.none() | st.floats()
BARS = st.builds(Bar, TIMES, MAYBE, MAYBE, MAYBE, st.floats(), MAYBE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def through_json(record):
    return json.loads(json.dumps(record, allow_nan=False))


@given(POLLS)
def test_a_poll_comes_back_to_the_bit(poll):
    again = poll_of(through_json(poll_record(["X"], poll)), "here")
    assert repr(again) == repr(poll)  # repr of a float is exact, and NaN equals itself there


@given(st.lists(BARS, max_size=4))
def test_a_history_comes_back_to_the_bit(bars):
    history = PriceHistory("X", "test", tuple(bars))
    assert repr(history_of(through_json(history_record("X", "1y", history)), "here")) == repr(history)


@pytest.mark.parametrize("place", ["file", "store"])
def test_replay_gives_what_was_recorded(place, path):
    journal = path if place == "file" else BarbaraDB.open("desk", path=":memory:")
    asked = ["AAPL", "NOPE", "SOFR"]
    with RecordingFeed(SimulatedFeed(seed=8), journal) as feed:
        polls = [feed.poll(asked) for _ in range(12)]
        history = feed.history("AAPL", "1mo")
    replay = ReplayFeed(journal)
    assert replay.name == "simulated"
    assert replay.symbols == SimulatedFeed().symbols
    assert replay.recorded_polls == 12
    assert replay.history("AAPL", "1mo") == history
    assert [replay.poll(asked) for _ in range(12)] == polls


def test_the_end_of_the_journal_is_a_failure(path):
    with RecordingFeed(SimulatedFeed(seed=8), path) as feed:
        feed.poll(["AAPL"])
    replay = ReplayFeed(path)
    replay.poll(["AAPL"])
    for _ in range(2):
        poll = replay.poll(["AAPL"])
        assert not poll.ticks
        assert poll.failures == (QuoteFailure("AAPL", "the journal ended after 1 polls", "simulated"),)


def test_a_part_of_what_was_recorded_and_what_was_not(path):
    with RecordingFeed(SimulatedFeed(seed=8), path) as feed:
        whole = feed.poll(["AAPL", "MSFT", "SOFR"])
    poll = ReplayFeed(path).poll(["SOFR", "XOM"])
    assert poll.ticks == (whole.ticks[2],)
    assert [failure.symbol for failure in poll.failures] == ["XOM"]
    assert "not requested" in poll.failures[0].reason


def test_failures_of_a_real_table_are_replayed(path):
    closes = {"A": [(datetime(2020, 1, 2, tzinfo=UTC), 1.0)], "B": [(datetime(2020, 1, 3, tzinfo=UTC), 2.0)]}
    with RecordingFeed(HistoryFeed(closes), path) as feed:
        polls = [feed.poll(["A", "B"]) for _ in range(3)]
    assert [len(poll.failures) for poll in polls] == [1, 1, 2]
    replay = ReplayFeed(path)
    assert [replay.poll(["A", "B"]) for _ in range(3)] == polls


def test_errors_of_histories_are_replayed(path):
    with RecordingFeed(SimulatedFeed(seed=8), path) as feed:
        with pytest.raises(UnknownTickerError) as recorded:
            feed.history("APPL", "1mo")
        with pytest.raises(FeedConfigError):
            feed.history("AAPL", "1w")
    replay = ReplayFeed(path)
    with pytest.raises(UnknownTickerError) as replayed:
        replay.history("APPL", "1mo")
    assert str(replayed.value) == str(recorded.value)
    assert replayed.value.ticker == "APPL"
    with pytest.raises(FeedConfigError):
        replay.history("AAPL", "1w")
    with pytest.raises(FeedError, match="AAPL 1w"):
        replay.history("AAPL", "5y")


def test_histories_come_in_the_order_they_were_asked_for(path):
    feed = HistoryFeed({"A": [(datetime(2020, 1, day, tzinfo=UTC), float(day)) for day in (1, 2, 3)]})
    with RecordingFeed(feed, path) as recording:
        lengths = []
        for _ in range(3):
            recording.poll(["A"])
            lengths.append(len(recording.history("A", "max").bars))
    replay = ReplayFeed(path)
    assert [len(replay.history("A", "max").bars) for _ in range(4)] == [*lengths, lengths[-1]] == [1, 2, 3, 3]


def test_a_broken_feed_is_recorded_as_it_was(path):
    class Broken(SimulatedFeed):
        def poll(self, symbols):
            stamp = datetime(2020, 1, 2, tzinfo=UTC)
            return Poll(tuple(Tick(s, p, stamp, "broken") for s, p in zip(symbols, (math.nan, -math.inf), strict=True)))

    with RecordingFeed(Broken(), path) as feed:
        feed.poll(["A", "B"])
    prices = [tick.price for tick in ReplayFeed(path).poll(["A", "B"]).ticks]
    assert math.isnan(prices[0])
    assert prices[1] == -math.inf


def record_three(path):
    with RecordingFeed(SimulatedFeed(seed=8), path) as feed:
        return [feed.poll(["AAPL", "SOFR"]) for _ in range(3)]


@given(cut=st.integers(1, 200))
@settings(max_examples=30, deadline=None)
def test_a_cut_off_last_line_is_left_out(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "journal.jsonl"
    polls = record_three(path)
    whole = path.read_bytes()
    last = whole[:-1].rindex(b"\n") + 1
    kept = max(last + 1, len(whole) - 1 - cut)  # at least one byte of the last line, never its end
    path.write_bytes(whole[:kept])
    replay = ReplayFeed(path)
    assert replay.recorded_polls == 2
    assert [replay.poll(["AAPL", "SOFR"]) for _ in range(2)] == polls[:2]


def test_the_log_says_that_a_line_was_cut_off(path, caplog):
    record_three(path)
    path.write_bytes(path.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING):
        ReplayFeed(path)
    assert f"{path}, line 4 is incomplete" in caplog.text


def test_a_last_line_that_only_lacks_its_end_is_whole(path):
    record_three(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert ReplayFeed(path).recorded_polls == 3


@pytest.mark.parametrize(
    "damaged",
    [
        "{",
        "[]",
        "7",
        "",
        '{"tock": 1}',
        '{"poll": ["A"]}',
        '{"poll": ["A"], "ticks": [["A", 1.0]], "failures": []}',
        '{"history": ["A"]}',
        '{"history": ["A", "1y"], "symbol": "A", "source": "x", "bars": [["yesterday"]]}',
    ],
)
def test_damage_elsewhere_is_an_error_that_names_the_line(path, damaged):
    record_three(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] = damaged
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(FeedError, match="line 3"):
        ReplayFeed(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not the header of a market journal"),
        ('{"format": "other"}\n', "is not the header of a market journal"),
        ('{"format": "bank_python.market_journal", "version": 99}\n', "version 99"),
        ('{"format": "bank_py', "is not the header of a market journal"),
    ],
)
def test_what_is_no_journal_is_refused(path, text, says):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FeedError, match=says):
        ReplayFeed(path)


def test_no_journal_at_all_is_refused(path):
    with pytest.raises(FeedError, match="record one first"):
        ReplayFeed(path)
    with pytest.raises(FeedError, match="record one first"):
        ReplayFeed(BarbaraDB.open("desk", path=":memory:"))


def test_a_second_recording_in_one_place_is_refused(path):
    polls = record_three(path)
    with pytest.raises(FeedConfigError, match="another path"):
        RecordingFeed(SimulatedFeed(seed=9), path)
    assert ReplayFeed(FileJournal(path)).poll(["AAPL", "SOFR"]) == polls[0]
    db = BarbaraDB.open("desk", path=":memory:")
    RecordingFeed(SimulatedFeed(seed=9), db)
    with pytest.raises(FeedConfigError, match="another name"):
        RecordingFeed(SimulatedFeed(seed=9), db)
    RecordingFeed(SimulatedFeed(seed=9), StoreJournal(db, "second"))


WRITER = """
import sys
from bank_python.market_data.recording import RecordingFeed
from bank_python.market_data.simulated import SimulatedFeed
feed = RecordingFeed(SimulatedFeed(seed=8), sys.argv[1])
while True:
    feed.poll(["AAPL", "SOFR"])
    print("polled", flush=True)
"""


def test_what_a_killed_writer_had_acknowledged_is_there(path):
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        for _ in range(50):
            assert writer.stdout.readline() == "polled\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.stdout.read()
    replay, market = ReplayFeed(path), SimulatedFeed(seed=8)
    assert replay.recorded_polls >= 50
    for _ in range(50):
        assert replay.poll(["AAPL", "SOFR"]) == market.poll(["AAPL", "SOFR"])
