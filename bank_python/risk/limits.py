"""Limits: measures that may not pass a maximum, as nodes, and the alerts they open.

A :class:`Limit` says what is the most of a measure for a trader or the firm, and from which part of it on somebody is
told, and how urgently. :func:`watch_limit` makes it a node that depends on the measure's node (a value at risk, a
stress loss, a Greek, a concentration), so it follows every tick, can be explained and can be asked what if. A
:class:`LimitBoard` looks at all of them when it is asked to and keeps the book of alerts: it opens one where a
threshold is passed, brings it up to date where it has moved by a twentieth of its limit, and closes it when the measure
is back by a margin, so that a measure at the threshold does not flicker.

Examples
--------
>>> from bank_python.barbara import BarbaraDB
>>> from bank_python.dagger import DependencyGraph, Leaf
>>> from bank_python.risk.alerts import AlertBook
>>> graph = DependencyGraph()
>>> measure = graph.register(Leaf("TONY_VAR", 900_000.0))
>>> board = LimitBoard(graph, AlertBook(BarbaraDB.open("desk", path=":memory:")))
>>> reading = board.watch(Limit("VaR 99", "Tony", maximum=1_000_000.0), measure)
>>> reading.value.used, [alert.severity.value for alert in board.check()]
(0.9, ['medium'])
>>> measure.set(1_300_000.0)
>>> [(alert.severity.value, alert.message) for alert in board.check()]
[('critical', 'VaR 99 of Tony is 1,300,000: 130% of its limit of 1,000,000')]
>>> measure.set(500_000.0)
>>> [(alert.state.value, alert.resolution) for alert in board.check()]
[('closed', 'back within its limit: 500,000')]
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bank_python.dagger import LargeNode
from bank_python.errors import RiskError
from bank_python.risk.alerts import AlertBook, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.dagger import DependencyGraph, DerivedNode, Node
    from bank_python.mntable import Table
    from bank_python.risk.alerts import Alert

__all__ = ["Limit", "LimitBoard", "LimitReading", "Thresholds", "watch_limit"]

_MARGIN = 0.95
"""A threshold that was passed is left at this part of it."""
_STEP = 0.05
_LARGE = 100.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which part of the maximum on an alert has which severity; None for never.

    Raises
    ------
    RiskError
        They are not above 0 and in ascending order.
    """

    low: float | None = None
    medium: float | None = 0.8
    high: float | None = 1.0
    critical: float | None = 1.25

    def __post_init__(self) -> None:
        given = [part for part in (self.low, self.medium, self.high, self.critical) if part is not None]
        sound = all(_is_number(part) and 0.0 < part < math.inf for part in given)
        if not given or not sound or given != sorted(set(given)):
            raise RiskError(f"thresholds {given!r}: give parts of the limit above 0, each above the one before")

    def severity(self, used: float, at_least: Severity | None = None) -> Severity | None:
        """Return the severity for a part used; one that was reached holds until the part is back by a margin.

        Parameters
        ----------
        used : float
            Part of the maximum.
        at_least : Severity, optional
            The severity reached before.
        """
        for severity in reversed(Severity):
            part: float | None = getattr(self, severity.value)
            if part is None:
                continue
            reached = at_least is not None and severity.rank <= at_least.rank
            if used >= (part * _MARGIN if reached else part):
                return severity
        return None


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of a measure.

    Parameters
    ----------
    name : str
        Of the measure, such as ``"VaR 99"``.
    scope : str
        Whose: a trader, or the firm.
    maximum : float
        Above 0, in the measure's own unit.
    thresholds : Thresholds, optional
        From which part on there is an alert.
    absolute : bool, default False
        Whether the measure's size counts, whatever its sign (a Greek), and not only what is above 0 (a loss).

    Raises
    ------
    RiskError
        The maximum is not a finite number above 0, or a name is empty.
    """

    name: str
    scope: str
    maximum: float
    thresholds: Thresholds = field(default_factory=Thresholds)
    absolute: bool = False

    def __post_init__(self) -> None:
        if not all(isinstance(word, str) and word.strip() for word in (self.name, self.scope)):  # type: ignore[redundant-expr]  # checked for untyped callers
            raise RiskError(f"a limit needs a name and a scope; got {self.name!r}, {self.scope!r}", name=self.name)
        if not _is_number(self.maximum) or not 0.0 < self.maximum < math.inf:
            raise RiskError(f"{self.name} of {self.scope}: maximum={self.maximum!r} is not a finite number above 0")

    @property
    def node_name(self) -> str:
        """The name of the limit's node."""
        return f"LIMIT:{self.scope}:{self.name}"


@dataclass(frozen=True, slots=True)
class LimitReading:
    """Where a measure stands against its limit.

    Parameters
    ----------
    limit : Limit
        The limit.
    value : float
        The measure.
    """

    limit: Limit
    value: float

    @property
    def used(self) -> float:
        """Which part of the maximum is used."""
        return (abs(self.value) if self.limit.absolute else max(self.value, 0.0)) / self.limit.maximum

    @property
    def severity(self) -> Severity | None:
        """How urgent it is by itself; None if no threshold is passed."""
        return self.limit.thresholds.severity(self.used)


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    """A limit at work."""

    limit: Limit
    node: DerivedNode
    contributor: Callable[[], str] | None


def watch_limit(graph: DependencyGraph, limit: Limit, measure: Node | str) -> DerivedNode:
    """Make a limit a node of the graph, whose value is a :class:`LimitReading`.

    Parameters
    ----------
    graph : DependencyGraph
        Where the measure lives.
    limit : Limit
        The limit.
    measure : Node or str
        A node with a float value.

    Raises
    ------
    GraphError
        There is a node of that name (``LIMIT:<scope>:<name>``) already.
    """

    def reading(value: float) -> LimitReading:
        if math.isnan(value):
            raise RiskError(f"{limit.name} of {limit.scope} is not a number", name=limit.name)
        return LimitReading(limit, float(value))

    return graph.register(LargeNode(limit.node_name, reading, [graph.node(measure)]))  # made anew, never stored


class LimitBoard:
    """All limits of a desk, and the alerts they open.

    Parameters
    ----------
    graph : DependencyGraph
        Where the measures live.
    alerts : AlertBook
        Where alerts are kept.
    """

    def __init__(self, graph: DependencyGraph, alerts: AlertBook) -> None:
        self.alerts = alerts
        self._graph = graph
        self._watched: list[_Watched] = []
        self._checking = threading.Lock()

    def watch(self, limit: Limit, measure: Node | str, contributor: Callable[[], str] | None = None) -> DerivedNode:
        """Watch a limit.

        Parameters
        ----------
        limit : Limit
            The limit.
        measure : Node or str
            The node of the measure.
        contributor : callable, optional
            Says who or what makes most of it; asked only where an alert is opened or brought up to date.

        Raises
        ------
        GraphError
            It is watched already.
        """
        node = watch_limit(self._graph, limit, measure)
        self._watched.append(_Watched(limit, node, contributor))
        return node

    def remove(self) -> None:
        """Take the limits' nodes out of the graph; alerts stay."""
        for watched in self._watched:
            self._graph.unregister(watched.node)
        self._watched.clear()

    def readings(self) -> tuple[LimitReading, ...]:
        """Return where all measures stand, the most used first; those without a value are in :attr:`blind`."""
        found = [outcome for outcome in self._outcomes() if isinstance(outcome, LimitReading)]
        return tuple(sorted(found, key=lambda reading: -reading.used))

    @property
    def blind(self) -> tuple[Limit, ...]:
        """The limits whose measure has no value now."""
        outcomes = zip(self._watched, self._outcomes(), strict=True)
        return tuple(watched.limit for watched, outcome in outcomes if not isinstance(outcome, LimitReading))

    def _outcomes(self) -> list[object]:
        """Return what the limits' nodes hold, all of one tick."""
        if self._graph.what_if.is_open:
            return [watched.node.value if watched.node.error is None else None for watched in self._watched]
        with self._graph.snapshot() as snapshot:
            return [snapshot.outcome(watched.node) for watched in self._watched]

    def check(self) -> tuple[Alert, ...]:
        """Look at all limits now; open, bring up to date and close alerts, and return those that changed.

        A measure without a value changes nothing: its alert, if there is one, stays as it was.

        Raises
        ------
        RiskError
            It was asked inside a what-if, where nothing has happened that could be told.
        """
        if self._graph.what_if.is_open:
            raise RiskError("limits are not checked inside a what-if: alerts tell what is; look at readings() there")
        with self._checking:
            pairs = zip(self._watched, self._outcomes(), strict=True)
            checked = [self._checked(watched, out) for watched, out in pairs if isinstance(out, LimitReading)]
        return tuple(alert for alert in checked if alert is not None)

    def _checked(self, watched: _Watched, reading: LimitReading) -> Alert | None:
        limit = watched.limit
        known = self.alerts.open_alert(limit.name, limit.scope)
        severity = limit.thresholds.severity(reading.used, None if known is None else known.severity)
        if severity is None:
            if known is None:
                return None
            return self.alerts.close(known.id, f"back within its limit: {_figure(reading.value)}")
        if (
            known is not None
            and known.severity is severity
            and known.limit == limit.maximum
            and abs(known.value - reading.value) < _STEP * limit.maximum
        ):
            return None
        return self.alerts.raise_alert(
            limit.name,
            limit.scope,
            severity,
            f"{limit.name} of {limit.scope} is {_figure(reading.value)}: {reading.used:.0%} of its limit of "
            f"{_figure(limit.maximum)}",
            value=reading.value,
            limit=limit.maximum,
            contributor=_said_by(watched.contributor),
        )

    def to_table(self) -> Table:
        """Return a row for each limit whose measure has a value."""
        from bank_python.mntable import Table

        rows = [
            {
                "scope": reading.limit.scope,
                "limit": reading.limit.name,
                "value": reading.value,
                "maximum": reading.limit.maximum,
                "used": reading.used,
                "severity": None if reading.severity is None else reading.severity.value,
            }
            for reading in self.readings()
        ]
        figures = [(name, float) for name in ("value", "maximum", "used")]
        return Table.from_rows([("scope", str), ("limit", str), *figures, ("severity", str | None)], rows)

    def __rich__(self) -> object:
        from bank_python.render_risk import limits_view

        return limits_view(self.readings())


def _said_by(contributor: Callable[[], str] | None) -> str:
    if contributor is None:
        return ""
    try:
        return contributor()
    except Exception as error:  # noqa: BLE001 - whatever it fails for, a breach is told
        return f"not known: {error}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.3g}"
