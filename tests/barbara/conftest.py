"""Stores and a clock for Barbara's tests, and a small family of storable objects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bank_python.barbara import BarbaraDB, register_storable


class StepClock:
    """A clock that moves only by its steps."""

    def __init__(self):
        self.time = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.time

    def step(self, seconds=1.0):
        self.time += timedelta(seconds=seconds)
        return self.time


@register_storable
class Quote:
    record_tag = "tests/Quote"
    record_version = 1
    built = 0

    def __init__(self, name, price):
        self.name = name
        self.price = price

    @property
    def record_key(self):
        return f"/Market/{self.name}"

    def to_record(self):
        return {"name": self.name, "price": self.price}

    @classmethod
    def from_record(cls, fields):
        cls.built += 1
        return cls(fields["name"], fields["price"])


@register_storable
class Contract:
    """A storable object that depends on others, given directly or in lists, tuples and dicts."""

    record_tag = "tests/Contract"
    record_version = 1

    def __init__(self, name, **terms):
        self.name = name
        self.terms = terms

    @property
    def record_key(self):
        return f"/Instruments/{self.name}"

    def to_record(self):
        return {"name": self.name, "terms": self.terms}

    @classmethod
    def from_record(cls, fields):
        return cls(fields["name"], **fields["terms"])


@pytest.fixture
def clock():
    return StepClock()


@pytest.fixture
def db(clock):
    with BarbaraDB.open("desk;default", ":memory:", clock=clock) as store:
        yield store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "barbara.db"


@pytest.fixture
def quote():
    return Quote


@pytest.fixture
def contract():
    return Contract
