import json
import random

import pytest

from bank_python.walpole import JobRunner, ManualClock

PATIENCE = 30.0  # real seconds until a waiting test fails; never asserted


@pytest.fixture
def clock():
    return ManualClock(start=1_000.0)


@pytest.fixture
def make_runner(clock):
    """A factory of runners on the manual clock, each stopped at the end."""
    made = []

    def make(**options):
        runner = JobRunner(**({"clock": clock, "rng": random.Random(7)} | options))
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.stop(timeout=PATIENCE)


@pytest.fixture
def runner(make_runner):
    return make_runner()


@pytest.fixture
def step(clock):
    """Advance the clock and wait until all runs that became due have ended."""

    def move(runner, seconds, times=1):
        for _ in range(times):
            clock.advance(seconds)
            runner.wait_until_idle(PATIENCE)

    return move


class DictStore(dict):
    """A store of JSON text in place of Barbara, so that only plain values can be stored."""

    def __setitem__(self, key, value):
        super().__setitem__(key, json.dumps(value, allow_nan=False))

    def get(self, key, default=None):
        return json.loads(super().__getitem__(key)) if key in self else default


@pytest.fixture
def store():
    return DictStore()
