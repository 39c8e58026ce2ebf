"""Splits of time: purge leaves no overlap, and the combinatorial numbers are those published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import purged_splits, walk_forward_splits
from bank_python.errors import BacktestError


@pytest.mark.parametrize(("groups", "tested", "splits", "paths"), [(6, 2, 15, 5), (10, 2, 45, 9), (10, 5, 252, 126)])
def test_numbers_of_splits_and_paths(groups, tested, splits, paths):
    """López de Prado, Advances in Financial Machine Learning (2018), 12.4."""
    found = purged_splits(200, groups=groups, test_groups=tested)
    assert (len(found), found.n_paths, found.paths.shape) == (splits, paths, (paths, groups))


@settings(max_examples=40)
@given(st.data())
def test_purge_and_embargo_leave_no_overlap(data):
    n, groups = data.draw(st.integers(20, 120)), data.draw(st.integers(2, 7))
    tested = data.draw(st.integers(1, groups - 1))
    purge, embargo = data.draw(st.integers(0, 10)), data.draw(st.integers(0, 10))
    for split in purged_splits(n, groups=groups, test_groups=tested, purge=purge, embargo=embargo):
        gaps = split.train[:, None] - split.test[None, :]  # above 0: training after the test
        assert ((gaps < -purge) | (gaps > purge + embargo)).all()
        left_out = np.setdiff1d(np.arange(n), np.union1d(split.train, split.test))
        nearest = left_out[:, None] - split.test[None, :]
        assert ((nearest >= -purge) & (nearest <= purge + embargo)).any(axis=1).all()  # nothing else is left out


@settings(max_examples=20)
@given(st.integers(2, 7), st.data())
def test_every_path_tests_every_group_once(groups, data):
    tested = data.draw(st.integers(1, groups - 1))
    found = purged_splits(40, groups=groups, test_groups=tested)
    for path in found.paths:
        tests = [np.intersect1d(found.splits[number].test, found.groups[g]) for g, number in enumerate(path)]
        assert np.concatenate(tests).tolist() == list(range(40))
    used = [(number, g) for path in found.paths.tolist() for g, number in enumerate(path)]
    assert len(set(used)) == len(used) == len(found) * tested


@settings(max_examples=40)
@given(st.data())
def test_a_walk_forward_tests_each_later_bar_once_after_a_gap(data):
    train, test = data.draw(st.integers(2, 30)), data.draw(st.integers(1, 20))
    purge, embargo = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))
    n = data.draw(st.integers(train + purge + embargo + 1, 150))
    expanding = data.draw(st.booleans())
    splits = walk_forward_splits(n, train=train, test=test, purge=purge, embargo=embargo, expanding=expanding)
    tests = np.concatenate([split.test for split in splits])
    assert tests.tolist() == list(range(train + purge + embargo, n))
    for split in splits:
        assert split.test[0] - split.train[-1] == purge + embargo + 1
        assert split.train[0] == 0 if expanding else len(split.train) == train
        assert (np.diff(split.train) == 1).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: walk_forward_splits(10, train=8, test=2, purge=2), "10 bars are too few for 8 of training and 2"),
        (lambda: walk_forward_splits(10, train=1, test=2), "train=1 is below 2"),
        (lambda: walk_forward_splits(10, train=2, test=0), "test=0 is below 1"),
        (lambda: walk_forward_splits(10, train=2, test=1, embargo=-1), "embargo=-1 is below 0"),
        (lambda: walk_forward_splits(10, train=2.5, test=1), "train=2.5"),
        (lambda: purged_splits(100, groups=4, test_groups=4), "test_groups=4 of 4 leave none"),
        (lambda: purged_splits(3, groups=4), "3 bars are too few for 4 groups"),
        (lambda: purged_splits(100, purge=-1), "purge=-1 is below 0"),
        (lambda: purged_splits(100, groups=40, test_groups=20), "splits; at most 100,000"),
    ],
)
def test_bad_splits_are_refused(call, said):
    with pytest.raises(BacktestError, match=said):
        call()
