"""Which desk a command line gets, and how often it polls the market first."""

import datetime as dt

import pytest

from bank_python import HistoryFeed, SimulatedFeed, YahooFeed
from bank_python.desk import Desk, build_desk
from bank_python.desk.access import DeskSource, is_local, owned_desk, read_desk
from bank_python.errors import DeskError
from bank_python.market_data import QuoteState


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("access") / "desk.db"
    build_desk(seed=7, db=file).close()
    return str(file)


def test_local_feeds():
    days = [dt.date(2026, 1, 5), dt.date(2026, 1, 6)]
    replayed = HistoryFeed({"KO": list(zip(days, [60.0, 61.0], strict=True))}, source="history:own")
    assert [is_local(feed) for feed in (SimulatedFeed(), replayed, YahooFeed(session=object()))] == [True, True, False]


@pytest.mark.parametrize(("ticks", "polls"), [(None, 5), (0, 0), (2, 2)])
def test_a_new_desk_in_memory_is_polled(ticks, polls, capsys):
    expected = build_desk(seed=3)
    for _ in range(polls):
        expected.tick()
    with read_desk(DeskSource(seed=3, ticks=ticks)) as desk:
        assert desk.firm_value.value == expected.firm_value.value
        assert desk.db.path == ":memory:"
    assert desk.db.closed
    assert "nothing is kept" in capsys.readouterr().err


def test_a_stored_desk_is_as_it_was_saved(path, capsys):
    with read_desk(DeskSource(path)) as desk:
        assert desk.read_only
        assert desk.firm_pnl.value == 0.0
    with read_desk(DeskSource(path, ticks=1)) as desk:
        assert desk.firm_pnl.value != 0.0
    assert capsys.readouterr().err == ""


def test_a_stored_desk_that_is_given_its_own_kind_of_feed_goes_on_where_it_was_saved(tmp_path):
    path = str(tmp_path / "desk.db")
    with owned_desk(DeskSource(path, seed=3, ticks=3)) as desk:
        saved = desk.leaf("AAPL").as_of
    with owned_desk(DeskSource(path, "simulated", ticks=1)) as desk:
        assert desk.leaf("AAPL").as_of > saved
        assert desk.market.quote("AAPL").state is QuoteState.FRESH


def test_a_changed_desk_is_saved_and_released(tmp_path, capsys):
    source = DeskSource(str(tmp_path / "desk.db"), seed=3)
    with owned_desk(source) as desk:
        desk.trade("Alice", "NVDA", 5)
        pnl = desk.firm_pnl.value
        with pytest.raises(DeskError, match="is being written by"), owned_desk(source):
            pass
        with read_desk(source) as copy:
            assert len(copy.blotter) == 1
    assert capsys.readouterr().err.startswith("there was no desk at ")
    with owned_desk(source) as desk:
        assert (desk.firm_pnl.value, len(desk.blotter)) == (pnl, 1)
    assert capsys.readouterr().err == ""


def test_an_error_in_a_command_releases_the_desk(path):
    with pytest.raises(ZeroDivisionError), owned_desk(DeskSource(path)):
        raise ZeroDivisionError
    Desk.open(path).close()


def test_a_file_that_is_not_there_cannot_be_read(tmp_path):
    with pytest.raises(DeskError, match="--once --db"), read_desk(DeskSource(str(tmp_path / "desk.db"))):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_feed_takes_over_a_stored_desk(path):
    with read_desk(DeskSource(path, feed="yahoo", ticks=0)) as desk:
        assert desk.feed is not desk.fallback
        assert desk.feed.name == "yahoo"
