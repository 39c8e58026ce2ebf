r"""All pairs of some prices, tested for cointegration at once and ranked.

Of n prices there are n(n − 1)/2 pairs, and each can be tested with either price on the left. A pair is listed once, in
the direction with the lower statistic. Its p-value is adjusted for all n(n − 1) tests by Holm's method, the choice of
the direction included, so that the probability that any pair without cointegration is found is kept.

A hedge ratio that lasts is about the same in both halves of the sample. The check is a rule of thumb, not a test: the
change between the halves as a share of the hedge ratio of the whole sample.

Examples
--------
>>> rng = np.random.default_rng(4)
>>> walks = rng.normal(size=(500, 3)).cumsum(axis=0)
>>> prices = {"A": walks[:, 0], "B": walks[:, 1], "C": 0.5 * walks[:, 0] + rng.normal(size=500), "D": walks[:, 2]}
>>> found = scan_pairs(prices, take_logs=False)
>>> [(pair.y, pair.x, round(pair.adjusted_p_value, 3)) for pair in found.selected()]
[('C', 'A', 0.0)]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.multiple_tests import holm_p_values
from bank_python.plotting import Plotted, legend_beside
from bank_python.results import Figures, Tabular
from bank_python.risk_models.aligned_series import align_series, logarithms, named_columns
from bank_python.risk_models.cointegration import require_spread, without_trend
from bank_python.risk_models.dickey_fuller_tables import p_values_of
from bank_python.risk_models.mean_reversion import first_autoregressions, half_life_of
from bank_python.risk_models.unit_root import (
    FEWEST_OBSERVATIONS,
    checked_lags,
    dickey_fuller_statistics,
    require_noise,
    require_variation,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["PairCandidate", "PairScan", "scan_pairs"]

_TRENDS = ("c", "ct")
_FEWEST = 2 * FEWEST_OBSERVATIONS
_MOST_NUMBERS = 1 << 17  # in the spreads that are tested at once, so that they stay in the cache
_PAIR = 2
_LOWEST_DRAWN = 1e-8


@dataclass(frozen=True, slots=True)
class PairCandidate(Figures):
    """A pair of prices and its test of cointegration, in the direction with the lower statistic.

    Parameters
    ----------
    y, x : str
        Names of the prices on the left and on the right of the regression.
    hedge_ratio : float
        Amount of `x` that is sold against one unit of `y`.
    statistic : float
        t statistic of Engle and Granger.
    p_value : float
        Asymptotic p-value of this test alone.
    adjusted_p_value : float
        P-value adjusted for all tests of the scan by Holm's method.
    lags : int
        Number of lagged differences.
    phi : float
        Coefficient of the spread in its first-order autoregression.
    half_life : float
        Half-life of the spread in periods; infinite if it does not revert.
    score : float
        Last value of the spread in units of its standard deviation.
    first_half, second_half : float
        Hedge ratios of the first and of the second half of the sample.
    is_stable : bool
        Whether the hedge ratio changes by at most the share of the scan between the halves.
    """

    y: str
    x: str
    hedge_ratio: float
    statistic: float
    p_value: float
    adjusted_p_value: float
    lags: int
    phi: float
    half_life: float
    score: float
    first_half: float
    second_half: float
    is_stable: bool


_SCHEMA: list[tuple[str, Any]] = [
    ("y", str),
    ("x", str),
    ("hedge_ratio", float),
    ("statistic", float),
    ("p_value", float),
    ("adjusted_p_value", float),
    ("lags", int),
    ("phi", float),
    ("half_life", float),
    ("score", float),
    ("first_half", float),
    ("second_half", float),
    ("is_stable", bool),
]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PairScan(Plotted, Tabular):
    """All pairs of some prices, the most likely cointegrated first; returned by :func:`scan_pairs`.

    Parameters
    ----------
    pairs : tuple of PairCandidate
        Pairs by ascending p-value.
    tests : int
        Number of tests that p-values are adjusted for.
    observations : int
        Number of rows of the prices.
    first, last : date, optional
        First and last date; None for prices without dates.
    dropped : int
        Number of dates that were left out, as not all prices have them.
    trend : str
        Deterministic terms of the regressions: ``"c"`` or ``"ct"``.
    most_change : float
        Largest change of a stable hedge ratio, as a share of it.
    in_logs : bool
        Whether the regressions are of log prices.
    """

    pairs: tuple[PairCandidate, ...]
    tests: int
    observations: int
    first: dt.date | None
    last: dt.date | None
    dropped: int
    trend: str
    most_change: float
    in_logs: bool

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[PairCandidate]:
        return iter(self.pairs)

    def __getitem__(self, names: tuple[str, str]) -> PairCandidate:
        """Return the pair of two names, in either order."""
        found = next((pair for pair in self.pairs if names in {(pair.y, pair.x), (pair.x, pair.y)}), None)
        if found is None:
            raise ModelError(
                f"there is no pair {names!r}; give two names of the scan, such as scan['A', 'B']", name=names
            )
        return found

    @admits(ModelError)
    def selected(
        self, significance: float = 0.05, *, stable: bool = True, longest_half_life: float | None = None
    ) -> tuple[PairCandidate, ...]:
        """Return the pairs whose adjusted p-value is below a significance.

        Parameters
        ----------
        significance : float, default 0.05
            Probability of any false pair, in (0, 1).
        stable : bool, default True
            Whether only pairs with a stable hedge ratio are returned.
        longest_half_life : float, optional
            Largest half-life in periods.

        Raises
        ------
        ModelError
            The significance is out of range, or the half-life is not above 0.
        """
        if not 0.0 < significance < 1.0:
            raise ModelError(
                f"significance={significance!r} is outside (0, 1); 0.05 is usual",
                name="significance",
                value=significance,
            )
        longest = math.inf if longest_half_life is None else longest_half_life
        if not longest > 0.0:
            raise ModelError(
                f"longest_half_life={longest!r} is not above 0; give a number of periods",
                name="longest_half_life",
                value=longest,
            )
        return tuple(
            pair
            for pair in self.pairs
            if pair.adjusted_p_value < significance and pair.half_life <= longest and (pair.is_stable or not stable)
        )

    @property
    def expected_by_chance(self) -> float:
        """Number of tests below 5 % that are expected without any cointegration."""
        return 0.05 * self.tests

    def to_table(self) -> Table:
        """Return a table with a row for each pair, by ascending p-value."""
        from bank_python.mntable import Table

        return Table.from_rows(_SCHEMA, [pair.to_dict() for pair in self.pairs])

    def _draw_(self, axes: Axes) -> None:
        """Draw the p-values by rank, alone and adjusted for all tests."""
        rank = np.arange(1, len(self.pairs) + 1)
        alone, adjusted = (
            np.maximum([getattr(pair, name) for pair in self.pairs], _LOWEST_DRAWN)
            for name in ("p_value", "adjusted_p_value")
        )
        axes.plot(rank, alone, linestyle="", marker="o", markersize=3, label="of the test alone")
        axes.plot(rank, adjusted, linestyle="", marker="x", markersize=4, label=f"adjusted for {self.tests:,}")
        axes.axhline(0.05, color="black", linestyle=":", linewidth=0.8, label="5%")
        axes.set(yscale="log", xlabel="rank of the pair", ylabel="p-value", title=f"{len(self.pairs):,} pairs")
        axes.yaxis.set_major_formatter("{x:g}")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_pairs import pair_scan_view

        return pair_scan_view(self)


@admits(ModelError)
def scan_pairs(
    prices: Any,
    lags: int | str | None = 1,
    trend: str = "c",
    *,
    take_logs: bool = True,
    names: Sequence[str] | None = None,
    most_change: float = 0.25,
) -> PairScan:
    """Test all pairs of some prices for cointegration, in both directions, and rank them.

    Parameters
    ----------
    prices : DataFrame, mapping from name to series, list of Series, or array_like of shape (n, k)
        Prices, oldest first; at least two, of forty dates in common. Prices with dates are aligned by them.
    lags : int or str, default 1
        Number of lagged differences, at least 0, or the criterion that chooses it for each pair: ``"aic"`` or
        ``"bic"``; None for the first of these.
    trend : str, default "c"
        Deterministic terms of the regressions: ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    take_logs : bool, default True
        Whether to take logarithms first, so that hedge ratios are ratios of money and not of shares.
    names : sequence of str, optional
        Names of the prices.
    most_change : float, default 0.25
        Largest change of a stable hedge ratio between the halves, as a share of it, at least 0.

    Raises
    ------
    CalibrationError
        A price does not vary in a half of the sample, or one is a linear function of another, to rounding.
    ModelError
        Lengths or indexes differ, a value is not finite or has no logarithm, there are fewer than two prices or too few
        common dates, or an argument is out of range.
    """
    if trend not in _TRENDS:
        raise ModelError(f"no trend {trend!r}; give one of {', '.join(_TRENDS)}", name="trend", value=trend)
    if not 0.0 <= most_change < math.inf:
        said = f"most_change={most_change!r} is no share of at least 0; 0.25 is usual"
        raise ModelError(said, name="most_change", value=most_change)
    columns = named_columns(prices, names)
    if len(columns) < _PAIR:
        raise ModelError(f"{len(columns)} prices make no pair; give at least two, each in a column", value=len(columns))
    found = align_series(columns, _FEWEST)
    levels = logarithms(found) if take_logs else found.values
    chosen = checked_lags(lags, len(levels), "n")
    halves = _halves(levels, found.names, trend)
    tested = _test_all(levels, found.names, chosen, trend)
    dates = found.dates or (None,)
    return PairScan(
        pairs=_ranked(found.names, tested, halves, trend, most_change),
        tests=len(tested.statistics),
        observations=len(levels),
        first=dates[0],
        last=dates[-1],
        dropped=found.dropped,
        trend=trend,
        most_change=float(most_change),
        in_logs=take_logs,
    )


@dataclass(frozen=True, slots=True)
class _Tested:
    """Figures of all directed pairs: those of columns (left, right) in rows."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    ratios: FloatArray
    statistics: FloatArray
    lags: NDArray[np.int64]
    phis: FloatArray
    scores: FloatArray


def _slopes(levels: FloatArray, trend: str) -> FloatArray:
    """Return the hedge ratio of each column (in rows) against each other one."""
    columns = without_trend(levels, trend)
    products = columns.T @ columns
    return np.asarray(products / np.diag(products))


def _halves(levels: FloatArray, names: Sequence[str], trend: str) -> tuple[FloatArray, FloatArray]:
    middle = len(levels) // 2
    parts = (("first half", levels[:middle]), ("second half", levels[middle:]))
    for said, part in parts:
        for name, column, rest in zip(names, part.T, without_trend(part, trend).T, strict=True):
            require_variation(f"{name} in the {said}", column)
            if trend == "ct":
                require_spread(
                    f"{name} in the {said}", ["time"], float(np.abs(rest).max()), float(np.abs(column).max())
                )
    first, second = (_slopes(part, trend) for _, part in parts)
    return first, second


def _test_all(levels: FloatArray, names: Sequence[str], lags: int | tuple[str, int], trend: str) -> _Tested:
    """Return the tests of all directed pairs, some at a time."""
    count = levels.shape[1]
    left, right = np.nonzero(~np.eye(count, dtype=bool))
    ratios = _slopes(levels, trend)[left, right]
    columns, sizes = without_trend(levels, trend).T, np.abs(levels).max(axis=0)
    figures = [np.empty(len(left)) for _ in range(3)]
    statistics, phis, scores = figures
    used = np.empty(len(left), dtype=np.int64)
    step = max(1, _MOST_NUMBERS // len(levels))
    for start in range(0, len(left), step):
        part = slice(start, start + step)
        spreads = columns[left[part]] - ratios[part, None] * columns[right[part]]
        largest = np.abs(spreads).max(axis=1)
        together = sizes[left[part]] + np.abs(ratios[part]) * sizes[right[part]]
        worst = int((largest / together).argmin())
        pair = names[left[part][worst]], names[right[part][worst]]
        require_spread(pair[0], [pair[1]], float(largest[worst]), float(together[worst]))
        spreads /= largest[:, None]
        statistics[part], used[part], errors = dickey_fuller_statistics(spreads, lags, "n")
        require_noise(f"the spread of {' and '.join(pair)}", float(errors.min()))
        phis[part] = first_autoregressions(spreads)[1]
        scores[part] = spreads[:, -1] / spreads.std(axis=1, ddof=1)
    return _Tested(left, right, ratios, statistics, used, phis, scores)


def _ranked(
    names: Sequence[str], tested: _Tested, halves: tuple[FloatArray, FloatArray], trend: str, most_change: float
) -> tuple[PairCandidate, ...]:
    """Return the better direction of each pair, by ascending statistic."""
    p_values = p_values_of(tested.statistics, trend, _PAIR)
    adjusted = holm_p_values(p_values)
    seen: set[frozenset[int]] = set()
    pairs = []
    for at in np.argsort(tested.statistics, kind="stable").tolist():
        i, j = int(tested.left[at]), int(tested.right[at])
        if frozenset((i, j)) in seen:
            continue
        seen.add(frozenset((i, j)))
        ratio, first, second = float(tested.ratios[at]), float(halves[0][i, j]), float(halves[1][i, j])
        phi = float(tested.phis[at])
        pairs.append(
            PairCandidate(
                y=names[i],
                x=names[j],
                hedge_ratio=ratio,
                statistic=float(tested.statistics[at]),
                p_value=float(p_values[at]),
                adjusted_p_value=adjusted[at],
                lags=int(tested.lags[at]),
                phi=phi,
                half_life=half_life_of(phi),
                score=float(tested.scores[at]),
                first_half=first,
                second_half=second,
                is_stable=first * second > 0.0 and abs(second - first) <= most_change * abs(ratio),
            )
        )
    return tuple(pairs)
