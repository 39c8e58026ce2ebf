"""Moves that look like splits are said; ordinary moves are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank_python.backtester import Backtester, bars_of
from bank_python.backtester.price_jumps import jumps_of


@pytest.mark.parametrize(("new", "old"), [(2, 1), (3, 2), (4, 1), (10, 1), (1, 8), (1, 20)])
def test_a_split_is_named_with_its_ratio_and_its_day(new, old):
    closes = [100.0, 101.0, 100.5 * old / new, 101.0 * old / new]
    (said,) = jumps_of(bars_of({"A": closes}, "2026-01-05"))
    assert said.startswith(f"A goes from 101 to {closes[2]:g} on 2026-01-07, as by a split of {new} for {old}")
    held, never = (Backtester(lambda _, w=w: {"A": w}, "2026-01-05", data={"A": closes}).run() for w in (0.5, 0.0))
    assert said in held.notes
    assert said not in never.notes


@given(st.integers(0, 1_000))
def test_ordinary_moves_are_none(seed):
    moves = np.random.default_rng(seed).uniform(-0.29, 0.29, 50)
    assert jumps_of(bars_of({"A": 100.0 * np.exp(np.cumsum(moves))})) == ()


def test_crashes_that_are_no_splits_and_missing_bars_are_none():
    assert jumps_of(bars_of({"A": [100.0, 42.0, 60.0]})) == ()
    days = ["2026-01-05", "2026-01-06", "2026-01-07"]
    data = {"A": dict(zip(days[1:], [50.0, 51.0], strict=True)), "B": dict(zip(days, [1.0, 1.1, 1.0], strict=True))}
    assert jumps_of(bars_of(data)) == ()


def test_many_are_counted():
    said = jumps_of(bars_of({"A": [100.0, 50.0] * 4}))
    assert len(said) == 4
    assert said[-1] == "4 further moves look like splits"
