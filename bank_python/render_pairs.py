"""Terminal views of tests of cointegration and of scans of pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group

from bank_python.sheet import Sheet, names, numbers, words

if TYPE_CHECKING:
    from bank_python.risk_models.cointegration import CointegrationTest
    from bank_python.risk_models.johansen import JohansenTest
    from bank_python.risk_models.pair_scan import PairScan
    from bank_python.risk_models.unit_root import AdfTest

__all__ = ["adf_view", "cointegration_view", "johansen_view", "pair_scan_view"]

_MOST_PAIRS = 10
_FEW_PERIODS = 100.0
_LEAST_SHOWN = 0.0001
_TREND_WORDS = {"n": "no constant", "c": "constant", "ct": "constant and trend"}


def adf_view(test: AdfTest) -> Sheet:
    """Show the statistic with its p-value and critical values, and the verdict."""
    limits = [numbers(f"{level:.0%}") for level in test.critical_values]
    shown = Sheet(f"Unit root: {test.verdict}", [names("Test"), numbers("t"), words("p-value", wraps=False), *limits])
    values = (f"{limit:.3f}" for limit in test.critical_values.values())
    shown.add("Dickey-Fuller", f"{test.statistic:.3f}", _probability(test.p_value), *values)
    shown.note(f"{test.observations:,} rows, {_TREND_WORDS[test.trend]}, {_lags(test.lags)}")
    return shown


def cointegration_view(test: CointegrationTest) -> Sheet:
    """Show the hedge ratios, the test with each series on the left, the verdict and what limits it."""
    unit = "log prices, " if test.in_logs else ""
    shown = Sheet(
        f"Cointegration: {test.verdict}",
        [names("Left series"), numbers("Hedge ratio"), numbers("t"), words("p-value", wraps=False)],
    )
    ratios = [None, *test.hedge_ratios.tolist()]
    statistics = [test.statistic, *test.other_statistics.tolist()]
    p_values = [test.p_value, *test.other_p_values.tolist()]
    for name, ratio, statistic, p in zip(test.names, ratios, statistics, p_values, strict=True):
        shown.add(name, None if ratio is None else _figure(ratio), f"{statistic:.3f}", _probability(p))
        if ratio is None:
            shown.rule()
    for remark in test.remarks:
        shown.note(remark)
    terms = f"{_TREND_WORDS[test.trend]}, {_lags(test.lags)}, intercept {_figure(test.intercept)}"
    shown.note(f"{unit}{len(test.spread):,} observations{_period(test.dates)}, {terms}")
    shown.note("below the line the test with that series on the left")
    return shown


def johansen_view(test: JohansenTest) -> Group:
    """Show both statistics with their critical values, and the cointegrating vectors."""
    columns = [names("Vectors at most"), numbers("Eigenvalue"), numbers("Trace"), numbers("95%"), numbers("99%")]
    shown = Sheet(f"Johansen: {test.verdict}", [*columns, numbers("Largest"), numbers("95%"), numbers("99%")])
    rows = zip(
        test.eigenvalues.tolist(),
        test.trace_statistics.tolist(),
        test.trace_critical_values.tolist(),
        test.max_statistics.tolist(),
        test.max_critical_values.tolist(),
        strict=True,
    )
    for r, (eigenvalue, trace, trace_limits, largest, max_limits) in enumerate(rows):
        shown.add(f"{r}", eigenvalue, trace, *trace_limits[1:], largest, *max_limits[1:])
    left = f", {test.dropped:,} dates left out" if test.dropped else ""
    shown.note(f"{test.observations:,} rows{left}, {_TREND_WORDS[test.trend]}, {_lags(test.lags)}")
    headings = [numbers(f"Vector {j}") for j in range(1, len(test.names) + 1)]
    weights = Sheet("Weights, of the most stationary combination first", [names("Series"), *headings])
    for name, row in zip(test.names, test.weights.tolist(), strict=True):
        weights.add(name, *map(_figure, row))
    return Group(shown, weights)


def pair_scan_view(scan: PairScan) -> Sheet:
    """Show the pairs with the lowest p-values."""
    columns = [names("Left"), names("Right"), numbers("Hedge ratio"), words("p", wraps=False)]
    further = [words("adjusted", wraps=False), numbers("Half-life"), numbers("z now")]
    halves = [numbers("1st half"), numbers("2nd half"), words("Ratio", wraps=False)]
    found = len(scan.selected(stable=False))
    number = f"{found:,} of {len(scan):,} pairs" if found else f"none of {len(scan):,} pairs"
    shown = Sheet(f"Cointegrated at 5%, adjusted: {number}", [*columns, *further, *halves])
    for pair in scan.pairs[:_MOST_PAIRS]:
        p_values = _probability(pair.p_value), _probability(pair.adjusted_p_value)
        figures = _periods(pair.half_life), f"{pair.score:+.2f}"
        ratios = _figure(pair.first_half), _figure(pair.second_half), "stable" if pair.is_stable else "unstable"
        shown.add(pair.y, pair.x, _figure(pair.hedge_ratio), *p_values, *figures, *ratios)
    left = len(scan) - _MOST_PAIRS
    if left > 0:
        shown.note(f"{left:,} more pairs: to_table()")
    unit = "log prices, " if scan.in_logs else ""
    span = () if scan.first is None or scan.last is None else (scan.first, scan.last)
    dropped = f", {scan.dropped:,} dates left out" if scan.dropped else ""
    shown.note(f"{unit}{scan.observations:,} observations{_period(span)}{dropped}; half-life in periods")
    chance = f"about {scan.expected_by_chance:.3g} are below 5% by chance"
    shown.note(f"p-values adjusted for {scan.tests:,} tests (Holm), of which {chance}")
    shown.note(f"unstable: the hedge ratio changes by more than {scan.most_change:.0%} between the halves")
    return shown


def _figure(value: float) -> str:
    return f"{value:.4g}"


def _probability(p: float) -> str:
    return f"{p:.4f}" if p >= _LEAST_SHOWN else f"<{_LEAST_SHOWN}"


def _lags(count: int) -> str:
    return f"{count} {'lag' if count == 1 else 'lags'}"


def _period(dates: tuple[object, ...] | None) -> str:
    return f" from {dates[0]} to {dates[-1]}" if dates else ""


def _periods(duration: float) -> str:
    if math.isinf(duration):
        return "∞"
    return f"{duration:.1f}" if duration < _FEW_PERIODS else f"{duration:,.0f}"
