"""Alerts: one record for whatever needs somebody's attention, and a book of them that forgets nothing.

An alert is opened by a rule about a scope (a limit of a trader, a feed, a margin), acknowledged by a person, and
closed with a resolution. There is at most one open alert for a rule and a scope: if it is raised again, the open one is
brought up to date. Every change is a new version in the store, so what was known when can be read back.

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
from bank_python.errors import RiskError
from bank_python.market_data.utc import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.barbara import BarbaraDB
    from bank_python.mntable import Table

__all__ = ["ALERTS_PREFIX", "Alert", "AlertBook", "AlertState", "Severity"]

ALERTS_PREFIX = "/Alerts/"
_BY_SUBJECT = "/OpenAlerts/"


@storable("risk.Severity", version=1)
class Severity(enum.Enum):
    """How urgent."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """From 0, low, to 3, critical."""
        return list(Severity).index(self)


class AlertState(enum.Enum):
    """Where an alert stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@storable("risk.Alert", version=1)
@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs attention.

    Parameters
    ----------
    id : str
        Unique in its book.
    severity : Severity
        How urgent it is now.
    rule, scope : str
        What raised it, and about whom or what.
    message : str
        What is the matter, in words.
    value, limit : float
        The number, and what it should not pass; NaN where there is none.
    contributor : str
        Who or what makes most of the number; empty if that is not known.
    opened, updated : datetime
        When it was opened, and last raised again; UTC.
    acknowledged : datetime, optional
        When somebody took note.
    acknowledged_by : str
        Name of the person who acknowledged the alert.
    closed : datetime, optional
        When it was closed.
    resolution : str
        Why.
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
        """Where it stands."""
        if self.closed is not None:
            return AlertState.CLOSED
        return AlertState.OPEN if self.acknowledged is None else AlertState.ACKNOWLEDGED


class AlertBook:
    """All alerts, kept in a store under ``/Alerts/``.

    Parameters
    ----------
    db : BarbaraDB
        Where they are kept.
    now : callable, optional
        The clock; UTC.
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
        """Open an alert, or bring the open one of that rule and scope up to date.

        Parameters
        ----------
        rule, scope, severity, message, value, limit, contributor
            See :class:`Alert`.

        Raises
        ------
        RiskError
            `rule` or `scope` is empty, or there is no such severity.
        """
        if not rule.strip() or not scope.strip():
            raise RiskError(f"an alert needs a rule and a scope; got {rule!r}, {scope!r}", value=rule)
        chosen, now = _severity(severity), self._time()
        with self._db.transaction():
            known = self.open_alert(rule, scope)
            if known is None:
                number = (
                    max((int(key.removeprefix(ALERTS_PREFIX)) for key in self._db.keys(ALERTS_PREFIX)), default=0) + 1
                )
                alert = Alert(
                    f"{number:06d}", chosen, rule, scope, message, float(value), float(limit), contributor, now, now
                )
                self._db[_subject(rule, scope)] = alert.id
            else:
                alert = replace(
                    known,
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
        """Note that somebody takes care of an open alert.

        Raises
        ------
        RiskError
            There is no such alert, it is closed, or nobody is named.
        """
        if not by.strip():
            raise RiskError("an alert is acknowledged by somebody: name them", value=by)
        with self._db.transaction():
            alert = self._still_open(alert_id)
            if alert.acknowledged is not None:
                return alert
            return self._put(replace(alert, acknowledged=self._time(), acknowledged_by=by))

    def close(self, alert_id: str, resolution: str) -> Alert:
        """Close an alert.

        Raises
        ------
        RiskError
            There is no such alert, it is closed already, or no resolution is given.
        """
        if not resolution.strip():
            raise RiskError("an alert is closed with a resolution: say what was done", value=resolution)
        with self._db.transaction():
            alert = self._still_open(alert_id)
            self._db.delete(_subject(alert.rule, alert.scope), hide=True)  # a lower ring may have it too
            return self._put(replace(alert, closed=self._time(), resolution=resolution))

    def alert(self, alert_id: str) -> Alert:
        """Return an alert.

        Raises
        ------
        RiskError
            There is none of that id.
        """
        found = self._db.get(ALERTS_PREFIX + alert_id)
        if not isinstance(found, Alert):
            raise RiskError(f"no alert {alert_id!r}; see history()", value=alert_id)
        return found

    def open_alert(self, rule: str, scope: str) -> Alert | None:
        """Return the open alert of a rule and a scope, if there is one."""
        alert_id = self._db.get(_subject(rule, scope))
        return None if alert_id is None else self.alert(cast("str", alert_id))

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return what is not closed, the most urgent first."""
        found = [self.alert(cast("str", alert_id)) for _, alert_id in self._db.items(_BY_SUBJECT)]
        return tuple(sorted(found, key=lambda alert: (-alert.severity.rank, alert.id)))

    def history(
        self,
        *,
        rule: str | None = None,
        scope: str | None = None,
        severity: Severity | str | None = None,
        since: dt.datetime | None = None,
    ) -> tuple[Alert, ...]:
        """Return all alerts, the oldest first; or those of a rule, a scope, a severity, opened since a time.

        Raises
        ------
        RiskError
            There is no such severity, or `since` has no time zone.
        """
        if since is not None and since.tzinfo is None:
            raise RiskError(f"since={since!r} has no time zone; give one, such as UTC", value=since)
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
        """Return all alerts as rows."""
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
            raise RiskError(f"the clock says {now!r}, without a time zone; give one that tells UTC", value=now)
        return now

    def _still_open(self, alert_id: str) -> Alert:
        alert = self.alert(alert_id)
        if alert.closed is not None:
            raise RiskError(f"alert {alert_id} was closed at {alert.closed:%Y-%m-%d %H:%M}: {alert.resolution}")
        return alert

    def _put(self, alert: Alert) -> Alert:
        self._db[ALERTS_PREFIX + alert.id] = alert
        return alert


def _subject(rule: str, scope: str) -> str:
    return f"{_BY_SUBJECT}{quote(scope, safe='')}/{quote(rule, safe='')}"


def _severity(severity: Severity | str) -> Severity:
    try:
        return Severity(severity)
    except ValueError:
        known = ", ".join(item.value for item in Severity)
        raise RiskError(f"no severity {severity!r}; there are {known}", value=severity) from None
