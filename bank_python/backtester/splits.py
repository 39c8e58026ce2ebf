r"""Splits of time into bars to choose in and bars to test on, with nothing known of the test in between.

A figure of bar t may depend on bars up to t + h: a label that looks h bars ahead, a position that is held so long.
*Purging* leaves h bars out of the training bars next to the test bars; an *embargo* leaves out more of those after
them, as what happened in the test is felt for a while.

:func:`walk_forward_splits` has training bars before test bars only. :func:`purged_splits` cuts the bars into N groups
and tests on every choice of k of them, :math:`\binom Nk` splits; each group is tested :math:`\varphi = \tfrac kN
\binom Nk` times, so that there are φ paths that test every group once.

Examples
--------
>>> [(split.train.tolist(), split.test.tolist()) for split in walk_forward_splits(8, train=3, test=2, purge=1)]
[([0, 1, 2], [4, 5]), ([2, 3, 4], [6, 7])]
>>> splits = purged_splits(60, groups=6, test_groups=2, purge=1, embargo=2)
>>> len(splits), splits.n_paths
(15, 5)

References
----------
M. López de Prado, *Advances in Financial Machine Learning* (2018), 7.4: purging and embargo; 12.4: combinatorial purged
cross-validation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PurgedSplits", "Split", "purged_splits", "walk_forward_splits"]

IntArray: TypeAlias = NDArray[np.int64]

_MOST_SPLITS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Split(Record):
    """Bars to choose in, and bars to test on.

    Parameters
    ----------
    train, test : ndarray of int
        Numbers of the bars, ascending, with none in both.
    """

    train: IntArray
    test: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class PurgedSplits(Record):
    """All splits of combinatorial purged cross-validation; returned by :func:`purged_splits`.

    Parameters
    ----------
    splits : tuple of Split
        Training and test bars of each choice of test groups.
    groups : tuple of ndarray
        Bars of each group.
    chosen : tuple of tuple of int
        Test groups of each split.
    """

    splits: tuple[Split, ...]
    groups: tuple[IntArray, ...]
    chosen: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.splits)

    def __iter__(self) -> Iterator[Split]:
        return iter(self.splits)

    @property
    def n_paths(self) -> int:
        """Number of paths that test every group once."""
        return len(self.splits) * len(self.chosen[0]) // len(self.groups)

    @property
    def paths(self) -> IntArray:
        """Split that tests each group on each path, shape (n_paths, n_groups)."""
        found: list[list[int]] = [[] for _ in self.groups]
        for number, groups in enumerate(self.chosen):
            for group in groups:
                found[group].append(number)
        return np.array(found, dtype=np.int64).T


def _whole(name: str, value: int, least: int) -> int:
    if value < least:
        raise BacktestError(f"{name}={value} is below {least}; give at least {least}", name=name, value=value)
    return value


@admits(BacktestError)
def walk_forward_splits(
    n: int,
    *,
    train: int,
    test: int,
    purge: int = 0,
    embargo: int = 0,
    expanding: bool = False,
) -> tuple[Split, ...]:
    """Return splits whose test bars follow each other, each after its training bars.

    Parameters
    ----------
    n : int
        Number of bars.
    train, test : int
        Number of training bars and of test bars, at least 2 and 1; the last test may have fewer.
    purge, embargo : int, default 0
        Numbers of bars between training and test, which are left out. As all training bars are before the test bars,
        the two simply add up.
    expanding : bool, default False
        Whether training begins with the first bar each time, in place of a window of `train` bars.

    Raises
    ------
    BacktestError
        A number is out of range, or there are too few bars for one test.
    """
    length, gap = _whole("train", train, 2), _whole("purge", purge, 0) + _whole("embargo", embargo, 0)
    step = _whole("test", test, 1)
    if n <= length + gap:
        said = f"{n} bars are too few for {length} of training and {gap} between them and the test"
        raise BacktestError(f"{said}; give more bars or a smaller train=", name="n", value=n)
    splits = []
    for first in range(length + gap, n, step):
        end = first - gap
        begin = 0 if expanding else end - length
        splits.append(Split(np.arange(begin, end), np.arange(first, min(first + step, n))))
    return tuple(splits)


@admits(BacktestError)
def purged_splits(n: int, *, groups: int = 6, test_groups: int = 2, purge: int = 0, embargo: int = 0) -> PurgedSplits:
    """Return the splits of combinatorial purged cross-validation.

    Parameters
    ----------
    n : int
        Number of bars, at least one a group.
    groups : int, default 6
        Number N of groups of time, at least 2.
    test_groups : int, default 2
        Number k of groups to test on, from 1 to N - 1.
    purge : int, default 0
        Number of bars before and after each test group that are left out of training.
    embargo : int, default 0
        Number of bars left out after a test group, beyond those purged.

    Raises
    ------
    BacktestError
        A number is out of range.
    """
    count, tested = _whole("groups", groups, 2), _whole("test_groups", test_groups, 1)
    _whole("purge", purge, 0), _whole("embargo", embargo, 0)
    if tested >= count:
        raise BacktestError(f"test_groups={tested} of {count} leave none to train on", name="test_groups", value=tested)
    if n < count:
        raise BacktestError(f"{n} bars are too few for {count} groups; give fewer groups", name="n", value=n)
    if math.comb(count, tested) > _MOST_SPLITS:
        said = f"{tested} of {count} groups make {math.comb(count, tested):,} splits; at most {_MOST_SPLITS:,}"
        raise BacktestError(f"{said}: give fewer groups", name="groups", value=count)
    parts = tuple(np.array_split(np.arange(n), count))
    chosen = tuple(combinations(range(count), tested))
    return PurgedSplits(tuple(_split(n, parts, picked, purge, embargo) for picked in chosen), parts, chosen)


def _split(n: int, parts: tuple[IntArray, ...], picked: tuple[int, ...], purge: int, embargo: int) -> Split:
    trains = np.ones(n, dtype=bool)
    for group in picked:
        first, last = int(parts[group][0]), int(parts[group][-1])
        trains[max(first - purge, 0) : last + 1 + purge + embargo] = False
    return Split(np.flatnonzero(trains), np.concatenate([parts[group] for group in picked]))
