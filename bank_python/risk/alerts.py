"""Alerts: a record of each breach or failure that needs attention, and a stored book with their full history.

An alert is opened by a rule about a scope (a trader's limit, a feed, a margin), acknowledged by a named person, and
closed with a resolution. There is at most one open alert for a rule and a scope: raising it again updates the open
one. Every change is written as a new version in the store, so the state of an alert at any past time can be read.

Examples
--------
>>> from bank_python.barbara import BarbaraDB
>>> book = AlertBook(BarbaraDB.open("desk", path=":memory:"))
>>> raised = book.raise_alert("VaR 99", "Tony", Severity.HIGH, "VaR above its limit", value=1.2e6, limit=1.0e6)
>>> book.acknowledge(raised.id, by="risk").state
<AlertState.ACKNOWLEDGED: 'acknowledged'>
>>> book.close(raised.id, resolution="hedged").state, book.open_alerts()
(<AlertState.CLOSED: 'closed'>, ())
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from bank_python.barbara import storable
from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.guessing import guessable
from bank_python.market_data.utc import utc_now
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.barbara import BarbaraDB
    from bank_python.mntable import Table

__all__ = ["ALERTS_PREFIX", "Alert", "AlertBook", "AlertState", "Severity"]

ALERTS_PREFIX = "/Alerts/"
_OPEN_PREFIX = "/OpenAlerts/"


@storable("risk.Severity", version=1)
class Severity(enum.Enum):
    """Urgency of an alert."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Rank of the severity, from 0 (low) to 3 (critical)."""
        return list(Severity).index(self)


class AlertState(enum.Enum):
    """Stage of an alert's life cycle."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@storable("risk.Alert", version=1)
@dataclass(frozen=True, slots=True)
class Alert(Record):
    """A breach or failure that needs attention, at one version.

    Parameters
    ----------
    id : str
        Identifier of the alert, unique in its book.
    severity : Severity
        Present urgency.
    rule, scope : str
        Name of the rule that raised the alert, and of the trader, feed or other subject that the rule was applied to.
    message : str
        Description of the problem in words.
    value, limit : float
        Measured value and the maximum it should not exceed; NaN for an alert that is not about a number.
    contributor : str
        Name of the largest contributor to `value`; empty if it is not known.
    opened, updated : datetime
        Times at which the alert was opened and last raised again, UTC.
    acknowledged : datetime, optional
        Time of the acknowledgement, UTC.
    acknowledged_by : str
        Name of the person who acknowledged the alert.
    closed : datetime, optional
        Time at which the alert was closed, UTC.
    resolution : str
        Reason for which the alert was closed.
    """

    id: str
    severity: Severity
    rule: str
    scope: str
    message: str
    value: float
    limit: float
    contributor: str
    opened: dt.datetime
    updated: dt.datetime
    acknowledged: dt.datetime | None = None
    acknowledged_by: str = ""
    closed: dt.datetime | None = None
    resolution: str = ""

    @property
    def state(self) -> AlertState:
        """Stage of the alert: closed, acknowledged or open."""
        if self.closed is not None:
            return AlertState.CLOSED
        return AlertState.OPEN if self.acknowledged is None else AlertState.ACKNOWLEDGED


@guessable
class AlertBook(Tabular):
    """All alerts of a desk, stored under ``/Alerts/``.

    Parameters
    ----------
    db : BarbaraDB
        Store that holds the alerts.
    now : callable, optional
        Function that returns the present time with its time zone; the system clock in UTC by default.
    """

    def __init__(self, db: BarbaraDB, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._db = db
        self._now = now

    def raise_alert(
        self,
        rule: str,
        scope: str,
        severity: Severity | str,
        message: str,
        *,
        value: float = math.nan,
        limit: float = math.nan,
        contributor: str = "",
    ) -> Alert:
        """Open an alert, or update the open one of the same rule and scope.

        Parameters
        ----------
        rule, scope, severity, message, value, limit, contributor
            Fields of the alert, described in :class:`Alert`; a severity may be given by name.

        Returns
        -------
        Alert
            The alert as stored.

        Raises
        ------
        RiskError
            `rule` or `scope` is empty, or `severity` is not one of the four.
        """
        if not rule.strip() or not scope.strip():
            raise RiskError(f"an alert needs a rule and a scope; got {rule!r} and {scope!r}", value=rule)
        chosen, now = _severity(severity), self._time()
        with self._db.transaction():
            existing = self.open_alert(rule, scope)
            if existing is None:
                number = (
                    max((int(key.removeprefix(ALERTS_PREFIX)) for key in self._db.keys(ALERTS_PREFIX)), default=0) + 1
                )
                alert = Alert(
                    f"{number:06d}", chosen, rule, scope, message, float(value), float(limit), contributor, now, now
                )
                self._db[_open_key(rule, scope)] = alert.id
            else:
                alert = replace(
                    existing,
                    severity=chosen,
                    message=message,
                    value=float(value),
                    limit=float(limit),
                    contributor=contributor,
                    updated=now,
                )
            self._db[ALERTS_PREFIX + alert.id] = alert
        return alert

    def acknowledge(self, alert_id: str, by: str) -> Alert:
        """Record that a person has taken charge of an open alert.

        Raises
        ------
        RiskError
            There is no alert of that id, it is closed, or `by` is empty.
        """
        if not by.strip():
            raise RiskError(f"by={by!r} names nobody; give the name of the person who acknowledges the alert", value=by)
        with self._db.transaction():
            alert = self._require_open(alert_id)
            if alert.acknowledged is not None:
                return alert
            return self._put(replace(alert, acknowledged=self._time(), acknowledged_by=by))

    def close(self, alert_id: str, resolution: str) -> Alert:
        """Close an alert.

        Raises
        ------
        RiskError
            There is no alert of that id, it is closed already, or `resolution` is empty.
        """
        if not resolution.strip():
            raise RiskError(f"resolution={resolution!r} is empty; say what was done about the alert", value=resolution)
        with self._db.transaction():
            alert = self._require_open(alert_id)
            self._db.delete(_open_key(alert.rule, alert.scope), hide=True)  # a lower ring may hold the key as well
            return self._put(replace(alert, closed=self._time(), resolution=resolution))

    def alert(self, alert_id: str) -> Alert:
        """Return the alert of an id.

        Raises
        ------
        RiskError
            There is no alert of that id.
        """
        found = self._db.get(ALERTS_PREFIX + alert_id)
        if not isinstance(found, Alert):
            raise RiskError(f"there is no alert {alert_id!r}; history() lists all alerts", value=alert_id)
        return found

    def open_alert(self, rule: str, scope: str) -> Alert | None:
        """Return the open alert of a rule and a scope, if there is one."""
        alert_id = self._db.get(_open_key(rule, scope))
        return None if alert_id is None else self.alert(cast("str", alert_id))

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return the alerts that are not closed, the most urgent first."""
        found = [self.alert(cast("str", alert_id)) for _, alert_id in self._db.items(_OPEN_PREFIX)]
        return tuple(sorted(found, key=lambda alert: (-alert.severity.rank, alert.id)))

    def history(
        self,
        *,
        rule: str | None = None,
        scope: str | None = None,
        severity: Severity | str | None = None,
        since: dt.datetime | None = None,
    ) -> tuple[Alert, ...]:
        """Return all alerts, the oldest first, or those that match every given filter.

        Parameters
        ----------
        rule, scope : str, optional
            Name of the rule and of the scope to match.
        severity : Severity or str, optional
            Present severity to match.
        since : datetime, optional
            Earliest time of opening, with its time zone.

        Raises
        ------
        RiskError
            `severity` is not one of the four, or `since` has no time zone.
        """
        if since is not None and since.tzinfo is None:
            raise RiskError(f"since={since!r} has no time zone; add one, such as UTC", value=since)
        wanted = None if severity is None else _severity(severity)
        everything = (cast("Alert", alert) for _, alert in self._db.items(ALERTS_PREFIX))
        return tuple(
            alert
            for alert in everything
            if (rule is None or alert.rule == rule)
            and (scope is None or alert.scope == scope)
            and (wanted is None or alert.severity is wanted)
            and (since is None or alert.opened >= since)
        )

    def to_table(self) -> Table:
        """Return a table of all alerts, a row each."""
        from bank_python.mntable import Table

        text = ("id", "severity", "state", "rule", "scope", "message", "contributor", "acknowledged_by", "resolution")
        times = ("opened", "updated", "acknowledged", "closed")
        rows = [
            {
                **{name: getattr(alert, name) for name in (*text, *times)},
                "severity": alert.severity.value,
                "state": alert.state.value,
                "value": None if math.isnan(alert.value) else alert.value,
                "limit": None if math.isnan(alert.limit) else alert.limit,
            }
            for alert in self.history()
        ]
        schema = [
            *((name, str) for name in text),
            ("value", float | None),
            ("limit", float | None),
            *((name, dt.datetime | None) for name in times),
        ]
        return Table.from_rows(schema, rows)

    def __rich__(self) -> object:
        from bank_python.render_risk import alerts_view

        return alerts_view(self.open_alerts())

    def _time(self) -> dt.datetime:
        now = self._now()
        if now.tzinfo is None:
            raise RiskError(f"now() returned {now!r}, which has no time zone; return a time in UTC", value=now)
        return now

    def _require_open(self, alert_id: str) -> Alert:
        alert = self.alert(alert_id)
        if alert.closed is not None:
            raise RiskError(
                f"alert {alert_id} was closed at {alert.closed:%Y-%m-%d %H:%M} ({alert.resolution}); raise a new one"
            )
        return alert

    def _put(self, alert: Alert) -> Alert:
        self._db[ALERTS_PREFIX + alert.id] = alert
        return alert


def _open_key(rule: str, scope: str) -> str:
    return f"{_OPEN_PREFIX}{quote(scope, safe='')}/{quote(rule, safe='')}"


def _severity(severity: Severity | str) -> Severity:
    try:
        return Severity(severity)
    except ValueError:
        known = ", ".join(item.value for item in Severity)
        raise RiskError(f"no severity {severity!r}; choose one of {known}", value=severity) from None
