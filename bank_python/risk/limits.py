"""Limits: maximum values of risk measures, as nodes of the graph, and the alerts that breaches open.

A :class:`Limit` sets the maximum of a measure for a trader or the firm, and the shares of it from which alerts of each
severity are raised. :func:`watch_limit` registers a node that depends on the node of the measure (a value at risk, a
stress loss, a Greek, a concentration), so it is updated at every tick, and it can be explained and used in what-if
scenarios. :meth:`LimitBoard.check` compares all measures with their limits and writes the alerts. It opens an alert if
a threshold is reached, updates it if the measure has moved by 5 % of the limit, and closes it once the measure is 5 %
below the threshold; this margin keeps a measure near its threshold from opening and closing alerts all the time.

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
from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.guessing import guessable
from bank_python.results import Tabular
from bank_python.risk.alerts import AlertBook, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.dagger import DependencyGraph, DerivedNode, Node
    from bank_python.mntable import Table
    from bank_python.risk.alerts import Alert

__all__ = ["Limit", "LimitBoard", "LimitReading", "Thresholds", "watch_limit"]

_MARGIN = 0.95
"""Share of a threshold below which a severity that was reached ends."""
_STEP = 0.05
"""Change of a measure, as a share of its limit, at which its alert is updated."""
_LARGE = 100.0


@guessable
@dataclass(frozen=True, slots=True)
class Thresholds(Record):
    """Shares of the maximum from which an alert has each severity.

    Parameters
    ----------
    low, medium, high, critical : float, optional
        Threshold of the severity as a share of the maximum, above 0; None if the severity is not used.

    Raises
    ------
    RiskError
        No threshold is given, or they are not finite, above 0 and in ascending order.
    """

    low: float | None = None
    medium: float | None = 0.8
    high: float | None = 1.0
    critical: float | None = 1.25

    def __post_init__(self) -> None:
        given = [share for share in (self.low, self.medium, self.high, self.critical) if share is not None]
        valid = all(_is_number(share) and 0.0 < share < math.inf for share in given)
        if not given or not valid or given != sorted(set(given)):
            raise RiskError(f"thresholds {given!r}: give shares of the maximum above 0, in ascending order")

    def severity(self, used: float, at_least: Severity | None = None) -> Severity | None:
        """Return the severity of a used share of the maximum; None below all thresholds.

        Parameters
        ----------
        used : float
            Measure as a share of the maximum.
        at_least : Severity, optional
            Severity reached before. It and lower ones last until the share is 5 % below their threshold.
        """
        for severity in reversed(Severity):
            threshold: float | None = getattr(self, severity.value)
            if threshold is None:
                continue
            reached = at_least is not None and severity.rank <= at_least.rank
            if used >= (threshold * _MARGIN if reached else threshold):
                return severity
        return None


@guessable
@dataclass(frozen=True, slots=True)
class Limit(Record):
    """Maximum of a risk measure for a trader or the firm.

    Parameters
    ----------
    name : str
        Name of the measure, such as ``"VaR 99"``.
    scope : str
        Name of the trader the limit applies to, or ``"firm"``.
    maximum : float
        Maximum in the unit of the measure, finite and above 0.
    thresholds : Thresholds, optional
        Shares of the maximum from which alerts are raised; 80 %, 100 % and 125 % by default.
    absolute : bool, default False
        Whether the absolute value of the measure is limited (for a Greek), rather than positive values only (for a
        loss).

    Raises
    ------
    RiskError
        The maximum is not a finite number above 0, or `name` or `scope` is empty.
    """

    name: str
    scope: str
    maximum: float
    thresholds: Thresholds = field(default_factory=Thresholds)
    absolute: bool = False

    def __post_init__(self) -> None:
        # The type is checked for untyped callers.
        if not all(isinstance(text, str) and text.strip() for text in (self.name, self.scope)):  # type: ignore[redundant-expr]
            raise RiskError(f"a limit needs a name and a scope; got {self.name!r} and {self.scope!r}", name=self.name)
        if not _is_number(self.maximum) or not 0.0 < self.maximum < math.inf:
            raise RiskError(
                f"{self.name} of {self.scope}: maximum={self.maximum!r} is not a finite number above 0; give one"
            )

    @property
    def node_name(self) -> str:
        """Name of the limit's node in the graph."""
        return f"LIMIT:{self.scope}:{self.name}"


@dataclass(frozen=True, slots=True)
class LimitReading(Record):
    """Value of a measure against its limit.

    Parameters
    ----------
    limit : Limit
        Limit of the measure.
    value : float
        Present value of the measure, in its own unit.
    """

    limit: Limit
    value: float

    @property
    def used(self) -> float:
        """Used share of the maximum, at least 0."""
        return (abs(self.value) if self.limit.absolute else max(self.value, 0.0)) / self.limit.maximum

    @property
    def severity(self) -> Severity | None:
        """Severity of the value, without regard to earlier alerts; None below all thresholds."""
        return self.limit.thresholds.severity(self.used)


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    """A limit with its node and the function that names its largest contributor."""

    limit: Limit
    node: DerivedNode
    contributor: Callable[[], str] | None


@guessable
def watch_limit(graph: DependencyGraph, limit: Limit, measure: Node | str) -> DerivedNode:
    """Register a node for a limit, with a :class:`LimitReading` as its value.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the node of the measure.
    limit : Limit
        Limit to compare the measure with.
    measure : Node or str
        Node of the measure, with a float value, or its name.

    Raises
    ------
    GraphError
        There is already a node of that name (``LIMIT:<scope>:<name>``).
    """

    def reading(value: float) -> LimitReading:
        if math.isnan(value):
            raise RiskError(f"{limit.name} of {limit.scope} is not a number", name=limit.name)
        return LimitReading(limit, float(value))

    return graph.register(
        LargeNode(limit.node_name, reading, [graph.node(measure)])
    )  # not stored: the limit creates it


@guessable
class LimitBoard(Tabular):
    """All limits of a desk, and the alerts that their breaches open.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the nodes of the measures.
    alerts : AlertBook
        Book that the alerts are written to.
    """

    def __init__(self, graph: DependencyGraph, alerts: AlertBook) -> None:
        self.alerts = alerts
        self._graph = graph
        self._watched: list[_Watched] = []
        self._checking = threading.Lock()

    def watch(self, limit: Limit, measure: Node | str, contributor: Callable[[], str] | None = None) -> DerivedNode:
        """Add a limit to the board.

        Parameters
        ----------
        limit : Limit
            Limit to add.
        measure : Node or str
            Node of the measure, or its name.
        contributor : callable, optional
            Function that returns the name of the largest contributor to the measure. It is called only if an alert is
            opened or updated.

        Returns
        -------
        DerivedNode
            Node of the limit, with a :class:`LimitReading` as its value.

        Raises
        ------
        GraphError
            The limit is on the board already.
        """
        node = watch_limit(self._graph, limit, measure)
        self._watched.append(_Watched(limit, node, contributor))
        return node

    def remove(self) -> None:
        """Remove the nodes of the limits from the graph; stored alerts stay."""
        for watched in self._watched:
            self._graph.unregister(watched.node)
        self._watched.clear()

    def readings(self) -> tuple[LimitReading, ...]:
        """Return the readings of all measures that have a value, the most used limit first; see also :attr:`blind`."""
        found = [outcome for outcome in self._outcomes() if isinstance(outcome, LimitReading)]
        return tuple(sorted(found, key=lambda reading: -reading.used))

    @property
    def blind(self) -> tuple[Limit, ...]:
        """Limits of which the measure has no value now."""
        outcomes = zip(self._watched, self._outcomes(), strict=True)
        return tuple(watched.limit for watched, outcome in outcomes if not isinstance(outcome, LimitReading))

    def _outcomes(self) -> list[object]:
        """Return the values of the limits' nodes, all at the same tick."""
        if self._graph.what_if.is_open:
            return [watched.node.value if watched.node.error is None else None for watched in self._watched]
        with self._graph.snapshot() as snapshot:
            return [snapshot.outcome(watched.node) for watched in self._watched]

    def check(self) -> tuple[Alert, ...]:
        """Compare all measures with their limits, open, update and close alerts, and return the alerts that changed.

        The alert of a measure without a value stays as it is.

        Raises
        ------
        RiskError
            The call is inside a what-if scenario, which must not write alerts.
        """
        if self._graph.what_if.is_open:
            raise RiskError(
                "limits cannot be checked inside a what-if, as alerts are about real values; use readings() there"
            )
        with self._checking:
            pairs = zip(self._watched, self._outcomes(), strict=True)
            changed = [self._update(watched, out) for watched, out in pairs if isinstance(out, LimitReading)]
        return tuple(alert for alert in changed if alert is not None)

    def _update(self, watched: _Watched, reading: LimitReading) -> Alert | None:
        limit = watched.limit
        alert = self.alerts.open_alert(limit.name, limit.scope)
        severity = limit.thresholds.severity(reading.used, None if alert is None else alert.severity)
        if severity is None:
            if alert is None:
                return None
            return self.alerts.close(alert.id, f"back within its limit: {_figure(reading.value)}")
        if (
            alert is not None
            and alert.severity is severity
            and alert.limit == limit.maximum
            and abs(alert.value - reading.value) < _STEP * limit.maximum
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
            contributor=_contributor_name(watched.contributor),
        )

    def to_table(self) -> Table:
        """Return a table with a row for each limit of which the measure has a value."""
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

        return limits_view(*self._known())

    def _known(self) -> tuple[list[LimitReading], tuple[str, ...]]:
        """Return the readings that are known without evaluating anything, and how up to date they are."""
        known = [watched.node.peek_() for watched in self._watched]
        readings = [outcome for outcome, _ in known if isinstance(outcome, LimitReading)]
        remarks = dict.fromkeys(remark for _, remark in known if remark)
        return sorted(readings, key=lambda reading: -reading.used), tuple(remarks)


def _contributor_name(contributor: Callable[[], str] | None) -> str:
    if contributor is None:
        return ""
    try:
        return contributor()
    except Exception as error:  # noqa: BLE001 - a breach is reported even if its contributor is not known
        return f"not known: {error}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.3g}"
