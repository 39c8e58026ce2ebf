"""Results of runs with little in them, no trade, no move, a bar or two, ruin, still show and export themselves."""

from __future__ import annotations

import json

import pytest

from bank_python.backtester import Backtester, Trials, null_books, sweep, walk_forward
from bank_python.errors import BacktestError

SERIES = {
    "one bar": [10.0],
    "two bars": [10.0, 11.0],
    "flat": [10.0] * 40,
    "ruin": [10.0] * 5 + [0.01] * 10,
    "up and down": [10.0, 11.0] * 20,
}
BOOKS = {"nothing": None, "three times all": {"A": 3.0}}


def holding(wanted):
    def hold(window):
        return wanted if window.index == 0 else None

    return hold


def results_of(closes, wanted):
    trials, data = Trials(), {"A": closes}
    run = Backtester(holding(wanted), data=data, trials=trials).run()
    yield from (run, trials, null_books(run, n_random=1), run.verdict(n_random=1))

    def made(share):
        return holding(wanted and {"A": share * wanted["A"]})

    yield sweep(made, {"share": [0.5, 1.0]}, data=data)
    if len(closes) > 1:
        yield run.tearsheet()
        yield sweep(lambda a, b: made(a * b), {"a": [0.5, 1.0], "b": [1.0, 2.0]}, data=data).heat_map("a", "b")
    if len(closes) > 5:
        yield walk_forward(made, {"share": [0.5, 1.0]}, data=data, train=5, test=5)


@pytest.mark.parametrize("wanted", BOOKS.values(), ids=BOOKS)
@pytest.mark.parametrize("closes", SERIES.values(), ids=SERIES)
def test_it_is_shown_and_exported(closes, wanted):
    for result in results_of(closes, wanted):
        assert repr(result)
        rows = json.loads(result.to_json(), parse_constant=pytest.fail)
        assert len(rows) == len(result.to_table())


def test_the_chance_of_a_book_that_held_nothing_is_unknown():
    nulls = null_books(Backtester(holding(None), data={"A": SERIES["up and down"]}).run(), n_random=1)
    assert {row["p_value"] for row in nulls.to_table()} == {None}


def test_no_bars_at_all_are_refused():
    with pytest.raises(BacktestError, match="there are no bars"):
        Backtester(holding(None), data={"A": []}).run()
