"""Rules of the option tracker: what breaks a budget or a habit, with the figure and the limit.

================  ========================================================================================
rule              broken when
================  ========================================================================================
OVERTRADE         an underlying that has lost money in total has more closed trades than allowed
BLEED_OVER        more net premium was paid this month than the limit
BUCKET_OVERSPEND  the open options of a bucket cost more than its budget
CONVEXITY_DROP    the mean win is less than so many mean losses
CORRELATION_HIGH  fewer than half of the pairs of open underlyings are decorrelated
EXPIRY_CRITICAL   an option expires within 14 days
================  ========================================================================================

A rule without the data that it needs is not checked, and says so.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.display import Record
from bank_python.errors import MacroError, TradingError
from bank_python.macro.panel import align, as_moments, dated_series, series_changes
from bank_python.results import Tabular
from bank_python.risk.alerts import Severity
from bank_python.trading_engine.open_options import CRITICAL_DAYS, Urgency
from bank_python.trading_engine.price_paths import with_moments

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.trading_engine.buckets import BucketUse, TrackerConfig
    from bank_python.trading_engine.closed_options import MonthBleed, NameResult
    from bank_python.trading_engine.convexity import Convexity
    from bank_python.trading_engine.open_options import OpenOption

__all__ = ["RuleAlert", "TrackerAlerts", "TrackerRule", "correlation_alerts"]

_FEWEST_RETURNS = 20
_STILL = 1e-12


class TrackerRule(enum.Enum):
    """A rule of the option tracker."""

    OVERTRADE = "OVERTRADE"
    BLEED_OVER = "BLEED_OVER"
    BUCKET_OVERSPEND = "BUCKET_OVERSPEND"
    CONVEXITY_DROP = "CONVEXITY_DROP"
    CORRELATION_HIGH = "CORRELATION_HIGH"
    EXPIRY_CRITICAL = "EXPIRY_CRITICAL"


@dataclass(frozen=True, slots=True)
class RuleAlert(Record):
    """A broken rule.

    Parameters
    ----------
    rule : TrackerRule
        Rule that is broken.
    severity : Severity
        Urgency of the alert.
    scope : str
        Underlying, bucket, month or contract.
    message : str
        Figure and limit in words.
    value, limit : float
        Figure and limit.
    """

    rule: TrackerRule
    severity: Severity
    scope: str
    message: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrackerAlerts(Tabular):
    """Broken rules of a tracker; returned by ``TradeTracker.alerts``.

    Parameters
    ----------
    today : date
        Day of the check.
    alerts : tuple of RuleAlert
        Broken rules, the most urgent first.
    unchecked : mapping of str to str
        Rules that were not checked, with the reason.
    """

    today: dt.date
    alerts: tuple[RuleAlert, ...]
    unchecked: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.alerts)

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the broken rules, each once."""
        return tuple(dict.fromkeys(alert.rule.value for alert in self.alerts))

    def to_table(self) -> Table:
        """Return a table with a row for each broken rule."""
        from bank_python.mntable import Table

        schema = [
            ("severity", str),
            ("rule", str),
            ("scope", str),
            ("message", str),
            ("value", float),
            ("limit", float),
        ]
        rows = [
            {
                "severity": one.severity.value,
                "rule": one.rule.value,
                "scope": one.scope,
                "message": one.message,
                "value": float(one.value),
                "limit": float(one.limit),
            }
            for one in self.alerts
        ]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_tracker import tracker_alerts_view

        return tracker_alerts_view(self)


def overtrade_alerts(names: Iterable[NameResult], config: TrackerConfig) -> list[RuleAlert]:
    """Return an alert for each losing underlying with too many closed trades."""
    most = config.max_trades_losing
    return [
        RuleAlert(
            TrackerRule.OVERTRADE,
            Severity.HIGH,
            one.name,
            f"{one.n} closed trades in {one.name} lost {-one.gl:,.0f}; at most {most} in a losing name",
            one.n,
            most,
        )
        for one in names
        if one.gl < 0.0 and one.n > most
    ]


def bleed_alerts(month: MonthBleed, config: TrackerConfig) -> list[RuleAlert]:
    """Return an alert if too much net premium was paid in a month."""
    limit = config.monthly_bleed_limit
    if -month.net <= limit:
        return []
    said = f"net premium of {month.month} is {-month.net:,.0f}; the limit is {limit:,.0f}"
    return [RuleAlert(TrackerRule.BLEED_OVER, Severity.HIGH, month.month, said, -month.net, limit)]


def bucket_alerts(buckets: Iterable[BucketUse]) -> list[RuleAlert]:
    """Return an alert for each bucket whose open options cost more than its budget."""
    return [
        RuleAlert(
            TrackerRule.BUCKET_OVERSPEND,
            Severity.HIGH,
            one.bucket,
            f"open {one.bucket} options cost {one.spent:,.0f}; the budget is {one.budget:,.0f}",
            one.spent,
            one.budget,
        )
        for one in buckets
        if one.budget is not None and one.spent > one.budget
    ]


def convexity_alerts(found: Convexity, config: TrackerConfig) -> list[RuleAlert]:
    """Return an alert if the mean win is too small beside the mean loss."""
    ratio, least = found.convexity_ratio, config.min_convexity_ratio
    if ratio is None or ratio >= least:
        return []
    said = f"the mean win is {ratio:.2f} mean losses over {found.n_trades} trades; at least {least:g}"
    return [RuleAlert(TrackerRule.CONVEXITY_DROP, Severity.MEDIUM, "closed trades", said, ratio, least)]


def expiry_alerts(positions: Iterable[OpenOption]) -> list[RuleAlert]:
    """Return an alert for each contract that expires within 14 days."""
    near: dict[str, list[OpenOption]] = defaultdict(list)
    for held in positions:
        if held.urgency is Urgency.CRITICAL:
            near[held.name].append(held)
    alerts = []
    for name, members in near.items():
        days, size = members[0].dte, sum(held.quantity for held in members)
        said = f"{name} expires in {days} day{'s' if days != 1 else ''}: {size:+g} contracts"
        alerts.append(RuleAlert(TrackerRule.EXPIRY_CRITICAL, Severity.CRITICAL, name, said, days, CRITICAL_DAYS))
    return alerts


def correlation_alerts(underlyings: Sequence[str], prices: Any, config: TrackerConfig) -> list[RuleAlert]:
    """Return an alert if too few pairs of underlyings are decorrelated.

    Parameters
    ----------
    underlyings : sequence of str
        Underlyings of the open options.
    prices : frame or mapping
        Prices by ticker with their dates, as :func:`bank_python.macro.correlation_board` takes them.
    config : TrackerConfig
        Limits of the tracker.

    Raises
    ------
    TradingError
        An underlying has no prices, or they have fewer than twenty common changes.
    """
    try:
        series = dated_series(with_moments(prices))
        missing = [name for name in underlyings if name not in series]
        if missing:
            raise TradingError(f"there are no prices of {', '.join(missing)}; add them", name=missing[0])
        held = {name: _pairs(*series[name]) for name in underlyings}
        changes = series_changes(align(held, fewest=_FEWEST_RETURNS + 1))
    except MacroError as error:
        raise TradingError(f"prices: {error}") from error
    still = [name for name, spread in zip(underlyings, np.ptp(changes, axis=0), strict=True) if spread <= _STILL]
    if still:
        raise TradingError(f"the prices of {still[0]} do not vary, so it has no correlation", name=still[0])
    matrix: FloatArray = np.atleast_2d(np.corrcoef(changes.T))
    pairs = list(combinations(range(len(underlyings)), 2))
    apart = sum(bool(abs(matrix[i, j]) < config.decorrelated_below) for i, j in pairs)
    share = apart / len(pairs)
    if share >= config.min_decorrelated:
        return []
    said = (
        f"{apart} of {len(pairs)} pairs of underlyings have a correlation below {config.decorrelated_below:g}; "
        f"at least {config.min_decorrelated:.0%}"
    )
    scope = "open options"
    return [RuleAlert(TrackerRule.CORRELATION_HIGH, Severity.MEDIUM, scope, said, share, config.min_decorrelated)]


def _pairs(dates: NDArray[Any], closes: FloatArray) -> list[tuple[dt.date, float]]:
    return list(zip(as_moments(dates), closes.tolist(), strict=True))
