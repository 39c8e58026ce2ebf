"""Calls on a few threads, up to a deadline."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from functools import partial

import pytest

from bank_python.market_data.bounded_calls import BoundedCalls

PATIENT = 30.0


@pytest.fixture
def calls():
    bounded = BoundedCalls(workers=3, name="test-calls")
    yield bounded
    bounded.close()


def test_results_come_in_the_order_asked_for(calls):
    assert calls.run({str(n): partial(pow, n, 2) for n in range(20)}, PATIENT) == {str(n): n * n for n in range(20)}


def test_an_exception_is_an_outcome(calls):
    outcomes = calls.run({"good": lambda: 1.0, "bad": lambda: int("x")}, PATIENT)
    assert outcomes["good"] == 1.0
    assert isinstance(outcomes["bad"], ValueError)


def test_no_more_calls_at_once_than_workers(calls):
    barrier = threading.Barrier(3)
    at_once: list[int] = []

    def count() -> None:
        barrier.wait(PATIENT)  # three are under way together; were there a fourth, the next round would break
        at_once.append(sum(thread.name.startswith("test-calls") for thread in threading.enumerate()))

    calls.run({str(n): count for n in range(9)}, PATIENT)
    assert at_once == [3] * 9


def test_what_is_late_is_given_up_and_what_waits_behind_it_never_begins():
    released, begun = threading.Event(), []
    calls = BoundedCalls(workers=1, name="test-late")

    def stuck() -> bool:
        return released.wait(PATIENT)

    outcomes = calls.run({"stuck": stuck, "behind": lambda: begun.append("behind")}, seconds=0.05)
    assert {key: type(outcome) for key, outcome in outcomes.items()} == {"stuck": TimeoutError, "behind": TimeoutError}
    released.set()
    assert calls.run({"next": lambda: "fine"}, PATIENT) == {"next": "fine"}
    assert begun == []
    calls.close()


def test_threads_end_after_close(calls):
    threads: list[threading.Thread] = []
    calls.run({str(n): lambda: threads.append(threading.current_thread()) for n in range(5)}, PATIENT)
    calls.close()
    for thread in threads:
        thread.join(PATIENT)
    assert threads
    assert not any(thread.is_alive() for thread in threads)
    assert all(thread.daemon for thread in threads)


def test_run_after_close_starts_anew(calls):
    calls.run({"a": Future}, PATIENT)
    calls.close()
    assert calls.run({"b": lambda: 2}, PATIENT) == {"b": 2}
