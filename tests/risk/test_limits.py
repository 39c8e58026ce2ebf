"""Limits and alerts: against an independent model, on disk, in threads and with bad input."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bank_python.barbara import BarbaraDB
from bank_python.dagger import DependencyGraph, Leaf
from bank_python.errors import BankError, DuplicateNodeError, RiskError, UpstreamError
from bank_python.instruments import Book, Equity, FXRate, Option, Position
from bank_python.market_data import MarketData
from bank_python.risk.alerts import ALERTS_PREFIX, Alert, AlertBook, AlertState, Severity
from bank_python.risk.limits import Limit, LimitBoard, LimitReading, Thresholds, watch_limit
from bank_python.risk.limits_file import load_limits, parse_limits
from bank_python.risk.measures import BookMeasure, Concentration, GreekExposure, StressLoss, gross_by_underlying

UTC = dt.UTC
START = dt.datetime(2024, 1, 2, 9, 0, tzinfo=UTC)


def clock():
    """A clock that moves on by a minute at each reading."""
    minutes = itertools.count()
    return lambda: START + dt.timedelta(minutes=next(minutes))


def in_memory():
    db = BarbaraDB.open("desk", path=":memory:")
    return db, AlertBook(db, clock())


def desk(value=0.0, **limit):
    """Return a measure with a limit of 1,000, its board, and the alerts."""
    db, alerts = in_memory()
    graph = DependencyGraph()
    measure = graph.register(Leaf("MEASURE", value))
    board = LimitBoard(graph, alerts)
    node = board.watch(Limit(**{"name": "VaR 99", "scope": "Tony", "maximum": 1000.0} | limit), measure)
    return db, alerts, board, measure, node


def versions(db, alert_id):
    return [db.read_version(version) for version in db.history(ALERTS_PREFIX + alert_id)]


# --- thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "severity"),
    [
        (0.0, None),
        (math.nextafter(0.8, 0.0), None),
        (0.8, Severity.MEDIUM),
        (math.nextafter(1.0, 0.0), Severity.MEDIUM),
        (1.0, Severity.HIGH),
        (math.nextafter(1.25, 0.0), Severity.HIGH),
        (1.25, Severity.CRITICAL),
        (math.inf, Severity.CRITICAL),
    ],
)
def test_a_threshold_counts_as_reached_at_equality(used, severity):
    assert Thresholds().severity(used) is severity


# The margin is 5 %: the threshold 1.25 ends below 1.1875, 1.0 below 0.95, 0.8 below 0.76.
@pytest.mark.parametrize(
    ("reached", "used", "severity"),
    [
        (Severity.CRITICAL, 1.19, Severity.CRITICAL),
        (Severity.CRITICAL, 1.18, Severity.HIGH),
        (Severity.CRITICAL, 0.96, Severity.HIGH),
        (Severity.CRITICAL, 0.94, Severity.MEDIUM),
        (Severity.CRITICAL, 0.77, Severity.MEDIUM),
        (Severity.CRITICAL, 0.75, None),
        (Severity.HIGH, 1.24, Severity.HIGH),
        (Severity.HIGH, 1.26, Severity.CRITICAL),
        (Severity.MEDIUM, 0.99, Severity.MEDIUM),
        (Severity.LOW, 0.77, None),
    ],
)
def test_a_severity_that_was_reached_ends_a_margin_below_it(reached, used, severity):
    assert Thresholds().severity(used, reached) is severity


PARTS = st.lists(st.floats(0.01, 5.0), min_size=4, max_size=4, unique=True).map(sorted)
PRESENT = st.lists(st.booleans(), min_size=4, max_size=4).filter(any)


@st.composite
def some_thresholds(draw):
    cells = zip(draw(PARTS), draw(PRESENT), strict=True)
    return Thresholds(*(part if there else None for part, there in cells))


def given_parts(thresholds):
    return [(severity, getattr(thresholds, severity.value)) for severity in Severity]


def level(thresholds, used, margin=1.0):
    """Return how many severities are reached, counted from the lowest."""
    return max(
        (s.rank + 1 for s, part in given_parts(thresholds) if part is not None and used >= part * margin), default=0
    )


def model_severity(thresholds, used, before):
    """Return the next severity by an independent statement of the rule: up at a threshold, down below 0.95 of it."""
    held = 0 if before is None else min(before.rank + 1, level(thresholds, used, 0.95))
    rank = max(level(thresholds, used), held)
    return None if rank == 0 else list(Severity)[rank - 1]


@given(thresholds=some_thresholds(), used=st.floats(0.0, 6.0), more=st.floats(0.0, 2.0))
def test_more_use_is_never_less_urgent(thresholds, used, more):
    def rank(severity):
        return -1 if severity is None else severity.rank

    assert rank(thresholds.severity(used + more)) >= rank(thresholds.severity(used))
    for before in Severity:
        assert rank(thresholds.severity(used, before)) >= rank(thresholds.severity(used))
        assert rank(thresholds.severity(used + more, before)) >= rank(thresholds.severity(used, before))


@pytest.mark.parametrize(
    "parts",
    [
        {"high": math.nan},
        {"high": math.inf},
        {"high": 0.0},
        {"high": -1.0},
        {"high": 0.8},
        {"medium": 1.1},
        {"low": 0.9},
        {"low": None, "medium": None, "high": None, "critical": None},
    ],
)
def test_invalid_thresholds_are_refused(parts):
    with pytest.raises(RiskError, match="thresholds"):
        Thresholds(**parts)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_limit_wants_a_maximum_above_0(bad):
    with pytest.raises(RiskError, match="VaR of Tony: maximum="):
        Limit("VaR", "Tony", bad)


@pytest.mark.parametrize(("name", "scope"), [("", "Tony"), ("VaR", ""), ("  ", "Tony"), ("VaR", "\t")])
def test_a_limit_wants_names(name, scope):
    with pytest.raises(RiskError, match="name and a scope"):
        Limit(name, scope, 1.0)


# --- the limit as a node -------------------------------------------------------------------------


def test_a_reading_follows_every_tick_and_what_if():
    graph = DependencyGraph()
    measure = graph.register(Leaf("MEASURE", -300.0))
    limit = Limit("Delta", "Tony", 1000.0, absolute=True)
    node = watch_limit(graph, limit, "MEASURE")
    assert node.name == limit.node_name == "LIMIT:Tony:Delta"
    assert node.value == LimitReading(limit, -300.0)
    assert (node.value.used, node.value.severity) == (0.3, None)
    with graph.scenario({measure: 1100.0}):
        assert node.value.severity is Severity.HIGH
    assert node.value.severity is None
    measure.set(-1250.0)
    assert (node.value.used, node.value.severity) == (1.25, Severity.CRITICAL)
    assert "MEASURE" in str(graph.explain(node))


def test_a_measure_that_stays_as_it_was_does_not_move_its_limit():
    graph = DependencyGraph()
    spot = graph.register(Leaf("SPOT", 100.0))
    measure = graph.derive("MEASURE", lambda value: float(value > 50.0) * 900.0, [spot])
    node = watch_limit(graph, Limit("VaR", "Tony", 1000.0), measure)
    before, count = node.value, graph.evaluations
    spot.set(120.0)
    assert node.value is before
    assert graph.evaluations - count == 1  # only the measure
    spot.set(10.0)
    assert node.value.value == 0.0
    assert graph.evaluations - count == 3


def test_a_limit_is_watched_once():
    _, _, board, measure, _ = desk()
    with pytest.raises(DuplicateNodeError, match="LIMIT:Tony:VaR 99"):
        board.watch(Limit("VaR 99", "Tony", 2000.0), measure)
    board.watch(Limit("VaR 99", "Bob", 2000.0), measure)
    assert [reading.limit.scope for reading in board.readings()] == ["Tony", "Bob"]


def test_a_board_that_is_removed_leaves_its_alerts():
    _, alerts, board, measure, node = desk(1500.0)
    board.check()
    graph = measure.graph
    board.remove()
    assert node.name not in graph
    assert (board.readings(), board.check()) == ((), ())
    assert [alert.state for alert in alerts.history()] == [AlertState.OPEN]
    again = board.watch(Limit("VaR 99", "Tony", 1000.0), measure)
    assert again.value.used == 1.5


def test_a_measure_without_a_value_changes_no_alert_and_comes_back():
    graph, (_, alerts) = DependencyGraph(), in_memory()
    leaf = graph.register(Leaf("LEAF", 1.0))
    measure = graph.derive("MEASURE", lambda value: 1000.0 / value, [leaf])
    board = LimitBoard(graph, alerts)
    node = board.watch(Limit("VaR", "Tony", 1000.0), measure)
    other = board.watch(Limit("VaR", "Bob", 1000.0), graph.register(Leaf("OTHER", 2000.0)))
    assert len(board.check()) == 2
    before = alerts.history()
    leaf.set(0.0)
    assert board.check() == ()
    assert alerts.history() == before
    assert board.readings() == (other.value,)
    assert isinstance(node.error, UpstreamError)
    assert "MEASURE" in str(node.error)
    assert "division by zero" in str(node.error)
    leaf.set(1e6)
    assert [alert.state for alert in board.check()] == [AlertState.CLOSED]


# --- the board against a model -------------------------------------------------------------------

WALKS = st.lists(st.one_of(st.floats(-2000.0, 2000.0), st.sampled_from([0.0, 760.0, 800.0, 950.0, 1000.0, 1250.0])))


@settings(max_examples=60)
@given(thresholds=some_thresholds(), walk=WALKS)
def test_a_walk_of_a_measure_opens_and_closes_as_the_model_says(thresholds, walk):
    db, alerts, board, measure, _ = desk(thresholds=thresholds)
    before, told, opened, written = None, math.nan, 0, 0
    for value in walk:
        measure.set(value)
        changed = board.check()
        severity = model_severity(thresholds, max(value, 0.0) / 1000.0, before)
        moved = severity is not None and not abs(told - value) < 50.0
        assert bool(changed) == (severity is not before or moved), (thresholds, walk, value)
        opened += before is None and severity is not None
        written += bool(changed)
        known = alerts.open_alert("VaR 99", "Tony")
        assert (None if known is None else known.severity) is severity, (thresholds, walk, value)
        if changed:
            told = value
            assert changed == (alerts.history()[-1],)
        if severity is None and changed:
            assert changed[0].state is AlertState.CLOSED
            assert changed[0].resolution.startswith("back within its limit")
            told = math.nan
        elif changed:
            assert (changed[0].value, changed[0].limit) == (value, 1000.0)
        before = severity
        assert board.check() == ()  # a second check changes nothing
    history = alerts.history()
    assert len(history) == opened
    assert sum(len(versions(db, alert.id)) for alert in history) == written
    assert len(alerts.open_alerts()) == (before is not None)


def test_a_measure_that_fluctuates_around_a_threshold_is_one_alert():
    db, alerts, board, measure, _ = desk()
    for value in [799.0, 801.0, 799.0, 802.0, 770.0, 805.0] * 20:
        measure.set(value)
        board.check()
    (alert,) = alerts.history()
    assert alert.state is AlertState.OPEN
    assert len(versions(db, alert.id)) == 1  # no move was as large as 5 % of the limit


def test_a_slow_drift_is_written_at_every_five_per_cent():
    db, alerts, board, measure, _ = desk()
    for value in range(800, 1000, 2):
        measure.set(float(value))
        board.check()
    assert [alert.value for alert in versions(db, alerts.history()[0].id)] == [800.0, 850.0, 900.0, 950.0]


def test_the_contributor_is_looked_up_only_if_an_alert_is_written():
    graph, (_, alerts) = DependencyGraph(), in_memory()
    measure = graph.register(Leaf("MEASURE", 100.0))
    board, calls = LimitBoard(graph, alerts), []

    def contributor():
        calls.append(measure.value)
        return f"OPT_{len(calls)}"

    board.watch(Limit("VaR", "Tony", 1000.0), measure, contributor)
    for value in [100.0, 900.0, 901.0, 1000.0, 1001.0, 10.0]:
        measure.set(value)
        board.check()
    assert calls == [900.0, 1000.0]
    assert alerts.history()[0].contributor == "OPT_2"


def test_an_alert_closed_by_hand_is_opened_again_while_the_breach_lasts():
    _, alerts, board, _, _ = desk(1500.0)
    (first,) = board.check()
    alerts.close(first.id, "hedged")
    (second,) = board.check()
    assert (second.severity, second.id != first.id) == (Severity.CRITICAL, True)
    assert [alert.state for alert in alerts.history()] == [AlertState.CLOSED, AlertState.OPEN]


def test_an_acknowledgement_outlives_what_follows():
    _, alerts, board, measure, _ = desk(900.0)
    alerts.acknowledge(board.check()[0].id, "risk")
    measure.set(2000.0)
    (worse,) = board.check()
    assert (worse.severity, worse.acknowledged_by) == (Severity.CRITICAL, "risk")
    measure.set(0.0)
    (closed,) = board.check()
    assert (closed.state, closed.acknowledged_by, closed.acknowledged) == (
        AlertState.CLOSED,
        "risk",
        worse.acknowledged,
    )


def test_readings_and_table_show_the_most_used_first():
    graph, (_, alerts) = DependencyGraph(), in_memory()
    board = LimitBoard(graph, alerts)
    assert len(board.to_table()) == 0
    for scope, value in [("A", -300.0), ("B", 1300.0), ("C", 850.0)]:
        board.watch(Limit("VaR", scope, 1000.0), graph.register(Leaf(f"{scope}_VAR", value)))
    assert [reading.limit.scope for reading in board.readings()] == ["B", "C", "A"]
    rows = list(board.to_table())
    assert [(row["scope"], row["value"], row["maximum"], row["severity"]) for row in rows] == [
        ("B", 1300.0, 1000.0, "critical"),
        ("C", 850.0, 1000.0, "medium"),
        ("A", -300.0, 1000.0, None),
    ]


def test_a_board_over_a_reopened_store_goes_on_where_the_last_one_was(tmp_path):
    path = tmp_path / "desk.db"

    def session(value, now):
        with BarbaraDB.open("desk", path=path) as db:
            graph, alerts = DependencyGraph(), AlertBook(db, lambda: now)
            board = LimitBoard(graph, alerts)
            board.watch(Limit("VaR", "Tony", 1000.0), graph.register(Leaf("MEASURE", value)))
            board.check()
            return alerts.history()

    (first,) = session(1300.0, START)
    (held,) = session(1200.0, START + dt.timedelta(hours=1))  # high by itself; the margin keeps the severity reached
    assert (held.severity, held.opened, held.id) == (Severity.CRITICAL, first.opened, first.id)
    (closed,) = session(0.0, START + dt.timedelta(hours=2))
    assert (closed.state, closed.closed) == (AlertState.CLOSED, START + dt.timedelta(hours=2))


# --- the book of alerts against a model ----------------------------------------------------------


class BookOfAlerts(RuleBasedStateMachine):
    """Raise, acknowledge, close and undo in any order: the store agrees with a plain list."""

    def __init__(self):
        super().__init__()
        self.db, self.alerts = in_memory()
        self.expected = []

    def _open(self, name, scope):
        return next((a for a in self.expected if (a.rule, a.scope) == (name, scope) and a.closed is None), None)

    @rule(
        name=st.sampled_from("rs"), scope=st.sampled_from("ab"), severity=st.sampled_from(Severity), value=st.floats()
    )
    def raises(self, name, scope, severity, value):
        known = self._open(name, scope)
        alert = self.alerts.raise_alert(name, scope, severity, "m", value=value, limit=1.0, contributor="c")
        assert (alert.severity, alert.rule, alert.scope) == (severity, name, scope)
        assert (alert.id in {a.id for a in self.expected}) == (known is not None)
        if known is None:
            self.expected.append(alert)
        else:
            assert (alert.id, alert.opened, alert.acknowledged) == (known.id, known.opened, known.acknowledged)
            assert alert.updated > known.updated
            self.expected[self.expected.index(known)] = alert

    @rule(pick=st.integers(0, 9), by=st.sampled_from(["risk", "cro"]))
    def acknowledges(self, pick, by):
        if pick >= len(self.expected):
            with pytest.raises(RiskError, match="no alert"):
                self.alerts.acknowledge(f"{pick + 1:06d}", by)
            return
        before = self.expected[pick]
        if before.closed is not None:
            with pytest.raises(RiskError, match=f"alert {before.id} was closed"):
                self.alerts.acknowledge(before.id, by)
            return
        after = self.alerts.acknowledge(before.id, by)
        assert after.acknowledged_by == (before.acknowledged_by or by)  # the first acknowledgement stays
        self.expected[pick] = after

    @rule(pick=st.integers(0, 9))
    def closes(self, pick):
        if pick >= len(self.expected):
            return
        before = self.expected[pick]
        if before.closed is not None:
            with pytest.raises(RiskError, match="was closed"):
                self.alerts.close(before.id, "again")
            return
        after = self.alerts.close(before.id, "hedged")
        assert same_alerts([dataclasses.replace(after, closed=None, resolution="")], [before])
        self.expected[pick] = after

    @rule(name=st.sampled_from("rs"), scope=st.sampled_from("ab"))
    def undoes(self, name, scope):
        def half_done():
            with self.db.transaction():
                self.alerts.close(self.alerts.raise_alert(name, scope, "low", "m").id, "x")
                self.alerts.raise_alert(name, scope, "high", "m")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half_done()

    @invariant()
    def agrees(self):
        assert same_alerts(self.alerts.history(), self.expected)
        still = [alert for alert in self.expected if alert.closed is None]
        assert len({(alert.rule, alert.scope) for alert in still}) == len(still)
        assert same_alerts(self.alerts.open_alerts(), sorted(still, key=lambda a: -a.severity.rank))
        for alert in self.expected:
            states = [alert.closed is not None, alert.closed is None and alert.acknowledged is not None]
            assert states == [alert.state is AlertState.CLOSED, alert.state is AlertState.ACKNOWLEDGED]


def same_alerts(found, expected):
    """Return whether two alerts are equal field by field, with NaN equal to NaN."""
    return repr(list(found)) == repr(list(expected))


BookOfAlerts.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestBookOfAlerts = BookOfAlerts.TestCase


def test_the_first_acknowledgement_stays():
    db, alerts = in_memory()
    alert = alerts.raise_alert("VaR", "Tony", "low", "m", value=1.0, limit=1.0)
    first = alerts.acknowledge(alert.id, "risk")
    assert alerts.acknowledge(alert.id, "cro") == alerts.alert(alert.id)
    assert same_alerts(alerts.history(), [first])
    assert first.acknowledged_by == "risk"
    assert len(versions(db, alert.id)) == 2


def test_every_version_is_kept_and_the_past_can_be_read():
    now = [START]
    db = BarbaraDB.open("desk", path=":memory:", clock=lambda: now[0])
    alerts = AlertBook(db, lambda: now[0])
    for hour, severity in enumerate(["low", "critical", "medium"]):
        now[0] = START + dt.timedelta(hours=hour)
        alert = alerts.raise_alert("VaR", "Tony", severity, severity, value=hour)
    alerts.close(alert.id, "hedged")
    kept = versions(db, alert.id)
    assert [(item.severity.value, item.state) for item in kept] == [
        ("low", AlertState.OPEN),
        ("critical", AlertState.OPEN),
        ("medium", AlertState.OPEN),
        ("medium", AlertState.CLOSED),
    ]
    then = db.get_as_of(ALERTS_PREFIX + alert.id, START + dt.timedelta(minutes=90))
    assert (then.severity, then.value) == (Severity.CRITICAL, 1.0)


def test_history_is_filtered_by_rule_scope_severity_and_time():
    _, alerts = in_memory()
    for name, scope, severity in itertools.product(["r", "s"], ["a", "b"], ["low", "high"]):
        alerts.close(alerts.raise_alert(name, scope, severity, "m").id, "x")
    everything = alerts.history()
    assert [alert.id for alert in everything] == [f"{i:06d}" for i in range(1, 9)]
    for name, scope, severity, since in itertools.product(
        [None, "r", "t"], [None, "b"], [None, "high", Severity.LOW], [None, everything[3].opened]
    ):
        wanted = [
            alert
            for alert in everything
            if name in {None, alert.rule}
            and scope in {None, alert.scope}
            and severity in {None, alert.severity, alert.severity.value}
            and (since is None or alert.opened >= since)
        ]
        found = alerts.history(rule=name, scope=scope, severity=severity, since=since)
        assert same_alerts(found, wanted)


def test_the_table_agrees_with_the_history():
    _, alerts = in_memory()
    assert len(alerts.to_table()) == 0
    alerts.raise_alert("feed", "yahoo", "high", "stale")
    second = alerts.raise_alert("VaR", "Tony", Severity.LOW, "m", value=2.0, limit=1.0, contributor="OPT")
    alerts.acknowledge(second.id, "risk")
    alerts.close(second.id, "hedged")
    names = [item.name for item in dataclasses.fields(Alert)]
    for row, alert in zip(alerts.to_table(), alerts.history(), strict=True):
        cells = {name: getattr(alert, name) for name in names} | {
            "severity": alert.severity.value,
            "state": alert.state.value,
            "value": None if math.isnan(alert.value) else alert.value,
            "limit": None if math.isnan(alert.limit) else alert.limit,
        }
        assert dict(row) == cells


def test_stored_alerts_survive_the_process(tmp_path):
    path = tmp_path / "desk.db"
    with BarbaraDB.open("desk", path=path) as db:
        alerts = AlertBook(db, clock())
        alerts.raise_alert("feed", "yahoo", "critical", "stale – für Ω", contributor="x")
        alerts.acknowledge(alerts.raise_alert("VaR", "Tony", "low", "m", value=-0.0, limit=math.inf).id, "risk")
        before = alerts.history(), alerts.open_alerts()
    with BarbaraDB.open("desk", path=path) as db:
        after = AlertBook(db).history(), AlertBook(db).open_alerts()
    assert repr(after) == repr(before)
    assert math.isnan(after[0][0].value)
    assert math.copysign(1.0, after[0][1].value) == -1.0


def test_many_threads_raise_one_alert_and_lose_no_version(tmp_path):
    with BarbaraDB.open("desk", path=tmp_path / "desk.db") as db, BarbaraDB.open("desk", path=db.path) as twin:
        books = [AlertBook(db), AlertBook(twin)]

        def work(i):
            books[i % 2].raise_alert("VaR", "Tony", "low", "m", value=i)
            return books[i % 2].raise_alert("own", f"thread {i}", "low", "m").id

        with ThreadPoolExecutor(8) as pool:
            own = list(pool.map(work, range(40)))
        shared = books[0].history(rule="VaR")
        assert len(shared) == 1
        assert sorted(alert.value for alert in versions(db, shared[0].id)) == list(range(40))
        assert len(set(own)) == 40
        assert same_alerts(books[0].history(), books[1].history())


def test_rings_keep_their_own_alerts(tmp_path):
    with (
        BarbaraDB.open("tony", path=tmp_path / "desk.db") as tony,
        BarbaraDB.open("bob", path=tmp_path / "desk.db") as bob,
    ):
        AlertBook(tony).raise_alert("VaR", "Tony", "low", "m")
        assert AlertBook(bob).history() == ()
        assert AlertBook(bob).open_alert("VaR", "Tony") is None


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda alerts, _: alerts.raise_alert("", "Tony", "low", "m"), "a rule and a scope"),
        (lambda alerts, _: alerts.raise_alert("VaR", " ", "low", "m"), "a rule and a scope"),
        (lambda alerts, _: alerts.raise_alert("VaR", "Tony", "urgent", "m"), "no severity 'urgent'; choose one of low"),
        (lambda alerts, _: alerts.history(severity="urgent"), "no severity 'urgent'"),
        (lambda alerts, _: alerts.history(since=dt.datetime(2024, 1, 1)), "no time zone"),  # noqa: DTZ001 - the point
        (lambda alerts, _: alerts.alert("999999"), "no alert '999999'"),
        (lambda alerts, _: alerts.alert(""), "no alert ''"),
        (lambda alerts, _: alerts.acknowledge("999999", "risk"), "no alert '999999'"),
        (lambda alerts, known: alerts.acknowledge(known.id, " "), "names nobody"),
        (lambda alerts, _: alerts.close("999999", "hedged"), "no alert '999999'"),
        (lambda alerts, known: alerts.close(known.id, ""), "say what was done"),
    ],
)
def test_a_bad_request_is_refused_and_changes_nothing(ask, match):
    db, alerts = in_memory()
    known = alerts.raise_alert("r", "s", "low", "m")
    before = db.export_json()
    with pytest.raises(RiskError, match=match):
        ask(alerts, known)
    assert db.export_json() == before


# --- limits in a file ----------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters='"\\'), min_size=1)


def written(limits):
    """Return limits as TOML, written independently of the library."""
    lines = []
    for limit in limits:
        cells = [f"{s.value} = {part!r}" for s, part in given_parts(limit.thresholds) if part is not None]
        lines += ["[[limits]]", f'name = "{limit.name}"', f'scope = "{limit.scope}"', f"maximum = {limit.maximum!r}"]
        lines += [f"thresholds = {{ {', '.join(cells)} }}"]
    return "\n".join(lines)


@given(
    st.lists(
        st.builds(Limit, WORDS, WORDS, st.floats(1e-6, 1e12), some_thresholds()),
        min_size=1,
        max_size=5,
        unique_by=lambda limit: (limit.name, limit.scope),
    )
)
def test_limits_written_as_toml_are_read_back(limits):
    assert parse_limits(written(limits)) == tuple(limits)


def test_thresholds_of_the_file_are_the_default_of_its_limits(tmp_path):
    path = tmp_path / "limits.toml"
    path.write_text(
        """
        thresholds = { low = 0.5, critical = 2 }
        [[limits]]
        name = "VaR 99"
        scope = "Tony"
        maximum = 900_000
        [[limits]]
        name = "Vega"
        scope = "firm"
        maximum = 2e6
        thresholds = { high = 0.9 }
        """,
        encoding="utf-8",
    )
    assert load_limits(path) == (
        Limit("VaR 99", "Tony", 9e5, Thresholds(0.5, None, None, 2.0)),
        Limit("Vega", "firm", 2e6, Thresholds(None, None, 0.9, None)),
    )


GOOD = 'name = "VaR"\nscope = "Tony"\nmaximum = 1.0\n'


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[[limits", "is not TOML"),
        ("", r"needs \[\[limits\]\]"),
        ("limits = 3", r"needs \[\[limits\]\]"),
        (f"[[limits]]\n{GOOD}[other]\n", r"needs \[\[limits\]\]"),
        ("limits = [3]", "limit 1: needs name, scope and maximum"),
        (f"[[limits]]\n{GOOD}[[limits]]\nname = 'x'\n", "limit 2: needs name, scope and maximum"),
        (f"[[limits]]\n{GOOD}hard = 3\n", "limit 1: needs name, scope and maximum"),
        ('[[limits]]\nname = "VaR"\nscope = "Tony"\nmaximum = "1"\n', "limit 1: VaR of Tony: maximum='1'"),
        ('[[limits]]\nname = "VaR"\nscope = "Tony"\nmaximum = true\n', "limit 1: VaR of Tony: maximum=True"),
        (f"[[limits]]\n{GOOD}thresholds = 3\n", "limit 1: thresholds are 3"),
        (f"[[limits]]\n{GOOD}thresholds = {{ urgent = 1.0 }}\n", "limit 1: thresholds are"),
        (f"[[limits]]\n{GOOD}thresholds = {{ high = true }}\n", "limit 1: thresholds"),
        (f'[[limits]]\n{GOOD}thresholds = {{ high = "1" }}\n', "limit 1: thresholds"),
        (f"[[limits]]\n{GOOD}[thresholds]\nurgent = 1.0\n", "toml: thresholds are"),
    ],
)
def test_a_bad_file_is_refused_by_place(tmp_path, text, match):
    path = tmp_path / "limits.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RiskError, match=match) as caught:
        load_limits(path)
    assert "limits.toml" in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    for name in ["none.toml", "latin.toml", "."]:
        with pytest.raises(RiskError, match="give a readable TOML file") as caught:
            load_limits(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


# --- measures of books ---------------------------------------------------------------------------


class Held:
    """Return a trader with shares priced at 100, in dollars and euros at an exchange rate of 1."""

    def __init__(self, *quantities, currencies=()):
        self.graph = DependencyGraph()
        self.euro = MarketData("EURUSD_SPOT", 1.0)
        self.graph.register(FXRate("EURUSD", rate_source=self.euro, base="EUR", quote="USD"))
        self.spots = [MarketData(f"S{i}_SPOT", 100.0) for i in range(len(quantities))]
        money = [*currencies, *["USD"] * (len(quantities) - len(currencies))]
        self.positions = [
            Position(f"P{i}", instrument=Equity(f"S{i}", spot_source=spot, currency=money[i]), quantity=n, cost=100.0)
            for i, (spot, n) in enumerate(zip(self.spots, quantities, strict=True))
        ]
        self.book = self.graph.register(Book("ALICE", self.positions))

    def node(self, measure):
        return BookMeasure(self.graph, f"ALICE:{measure!r}", [self.book], measure).node


MEASURES = [Concentration(), GreekExposure("delta"), StressLoss(("GFC_2008",))]


@given(
    quantities=st.lists(st.integers(-50, 50), min_size=1, max_size=6),
    prices=st.lists(st.floats(1.0, 500.0), min_size=6, max_size=6),
)
def test_concentration_is_the_largest_share_of_gross_value(quantities, prices):
    held = Held(*quantities)
    share = held.node(Concentration())
    with held.graph.batch():
        for spot, price in zip(held.spots, prices, strict=False):
            spot.set_price(price)
    sizes = np.abs(np.array(quantities) * np.array(prices[: len(quantities)]))
    expected = sizes.max() / sizes.sum() if sizes.any() else 0.0
    assert share.value == pytest.approx(expected, rel=1e-12), (quantities, prices)
    assert 0.0 <= share.value <= 1.0
    assert sum(gross_by_underlying([held.book]).values()) == pytest.approx(sizes.sum(), rel=1e-12)


def test_longs_and_shorts_of_one_underlying_are_netted_across_instruments_and_books():
    graph, spot = DependencyGraph(), MarketData("A_SPOT", 100.0)
    share = Equity("EQ_A", spot_source=spot)
    put = Option("PUT_A", spot_source=spot, vol_source=0.2, rate_source=0.0, strike=120.0, expiry=1.0, is_call=False)
    first = graph.register(Book("ALICE", [Position("P", instrument=share, quantity=10, cost=100.0)]))
    second = graph.register(Book("BOB", [Position("Q", instrument=put, quantity=-5, cost=0.0)]))
    gross = gross_by_underlying([first, second])
    assert gross == {"A_SPOT": pytest.approx(abs(10 * 100.0 - 5 * put.value), rel=1e-12)}


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_a_measure_follows_ticks_what_if_and_new_positions(measure):
    held = Held(30, 10)
    followed = BookMeasure(held.graph, "M", [held.book], measure)
    limit = watch_limit(held.graph, Limit("M", "ALICE", 1.0), followed.node)
    before = followed.node.value
    assert before == measure([held.book]) > 0.0
    with held.graph.scenario({held.spots[0]: 250.0}):
        assumed = followed.node.value
        assert limit.value.value == assumed
    assert followed.node.value == before
    held.spots[0].set_price(250.0)
    assert limit.value.value == followed.node.value == assumed != before
    assert followed.follow_books() is False
    held.book.add(
        Position("NEW", instrument=Equity("N", spot_source=MarketData("N_SPOT", 500.0)), quantity=40, cost=0.0)
    )
    assert followed.follow_books() is True
    assert limit.value.value == followed.node.value == measure([held.book]) != assumed
    held.graph["N_SPOT"].set_price(100.0)
    assert limit.value.value == followed.node.value == measure([held.book])


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_a_measure_of_an_empty_book_is_zero(measure):
    held = Held()
    assert held.node(measure).value == 0.0


def test_measures_by_hand():
    held = Held(30, -10)
    assert held.node(Concentration()).value == 0.75
    # One per cent of 3,000 long and 1,000 short.
    assert held.node(GreekExposure("delta")).value == pytest.approx(20.0, rel=1e-9)
    # The scenario GFC_2008 has a fall of shares by 52 %.
    assert held.node(StressLoss(("GFC_2008",))).value == pytest.approx(0.52 * 2000.0, rel=1e-12)
    assert StressLoss(("GFC_2008", "COVID_2020"))([held.book]) == pytest.approx(0.52 * 2000.0, rel=1e-12)


def test_measures_are_in_the_base_currency():
    held = Held(30, 10, currencies=["USD", "EUR"])
    held.euro.set_price(1.5)
    assert gross_by_underlying([held.book]) == {"S0_SPOT": 3000.0, "S1_SPOT": 1500.0}
    assert held.node(Concentration()).value == pytest.approx(2 / 3, rel=1e-12)
    assert held.node(GreekExposure("delta")).value == pytest.approx(45.0, rel=1e-9)


def test_an_unknown_greek_is_refused():
    with pytest.raises(RiskError, match="no Greek 'omega'; choose one of delta"):
        GreekExposure("omega")
    node = Held(1).node(StressLoss(("nope",)))
    assert isinstance(node.error, RiskError)
    assert "no stress scenario 'nope'" in str(node.error)


def test_a_measure_does_not_take_another_nodes_place():
    held = Held(30)
    with pytest.raises(DuplicateNodeError):
        BookMeasure(held.graph, "ALICE", [held.book], Concentration())


# --- currencies, what-ifs, threads and other cases ----------------------------------------------


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_a_measure_follows_the_exchange_rate(measure):
    held = Held(30, 10, currencies=["USD", "EUR"])
    node = held.node(measure)
    before = node.value
    held.euro.set_price(5.0)
    assert measure([held.book]) != before
    assert node.value == measure([held.book])


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_a_ladder_of_a_measure_is_what_ticks_would_give(measure):
    held = Held(30, 10)
    node = held.node(measure)
    values = held.graph.ladder(node, held.spots[0], [-50.0, 150.0]).values.tolist()
    ticked = []
    for level in [50.0, 250.0]:
        held.spots[0].set_price(level)
        ticked.append(node.value)
    assert values == pytest.approx(ticked, rel=1e-9)


def test_a_gain_is_no_stress_loss():
    held = Held(-30)
    board = LimitBoard(held.graph, in_memory()[1])
    node = held.node(StressLoss(("GFC_2008",)))
    board.watch(Limit("Stress loss", "ALICE", 100.0), node)
    assert [alert.message for alert in board.check()] == []
    assert node.value == 0.0


def test_a_stress_loss_that_leaves_contracts_out_has_no_value():
    graph = DependencyGraph()
    gold = Equity("GLD", spot_source=MarketData("GLD_SPOT", 100.0))
    book = graph.register(Book("ALICE", [Position("P", instrument=gold, quantity=1000, cost=100.0)]))
    with pytest.raises(BankError):
        StressLoss(("FED_TAPER",))([book])


def test_two_subjects_are_two_alerts():
    _, alerts = in_memory()
    alerts.raise_alert("c", "a|b", "low", "first")
    alerts.raise_alert("b|c", "a", "low", "second")
    assert [alert.message for alert in alerts.history()] == ["first", "second"]


def test_a_new_alert_never_replaces_another():
    db, alerts = in_memory()
    first, _ = (alerts.raise_alert(name, "Tony", "low", name) for name in "rs")
    alerts.close(first.id, "x")
    del db[ALERTS_PREFIX + first.id]
    alerts.raise_alert("t", "Tony", "low", "t")
    assert [alert.rule for alert in alerts.history()] == ["s", "t"]


def test_an_alert_of_a_lower_ring_can_be_closed(tmp_path):
    with (
        BarbaraDB.open("firm", path=tmp_path / "desk.db") as below,
        BarbaraDB.open("tony;firm", path=tmp_path / "desk.db") as above,
    ):
        raised = AlertBook(below).raise_alert("VaR", "Tony", "low", "m")
        assert AlertBook(above).close(raised.id, "hedged").state is AlertState.CLOSED
        assert AlertBook(above).open_alerts() == ()
        assert AlertBook(above).raise_alert("VaR", "Tony", "low", "m").id != raised.id
        assert [alert.state for alert in AlertBook(below).open_alerts()] == [AlertState.OPEN]


def test_a_nan_measure_closes_no_alert():
    graph, (_, alerts) = DependencyGraph(), in_memory()
    leaf = graph.register(Leaf("LEAF", 900.0))
    measure = graph.derive("MEASURE", lambda value: np.float32(value if value > 0.0 else math.nan), [leaf])
    board = LimitBoard(graph, alerts)
    board.watch(Limit("VaR", "Tony", 1000.0), measure)
    board.check()
    leaf.set(-1.0)
    board.check()
    assert [alert.state for alert in alerts.history()] == [AlertState.OPEN]


def test_a_contributor_that_fails_hides_no_breach():
    graph, (_, alerts) = DependencyGraph(), in_memory()
    board = LimitBoard(graph, alerts)
    board.watch(Limit("VaR", "A", 1.0), graph.register(Leaf("A", 2.0)), lambda: str(1 / 0))
    board.watch(Limit("VaR", "B", 1.0), graph.register(Leaf("B", 2.0)))
    board.check()
    assert [alert.scope for alert in alerts.open_alerts()] == ["A", "B"]


def test_what_if_opens_no_alert():
    _, alerts, board, measure, _ = desk(0.0)
    with measure.graph.scenario({measure: 5000.0}), pytest.raises(RiskError, match="inside a what-if"):
        board.check()
    assert alerts.history() == ()


def test_two_concurrent_checks_do_not_interfere():
    class Slow(AlertBook):
        """An alert book that waits after its first read, so that another check can run unless a lock prevents it."""

        done = threading.Event()

        def open_alert(self, rule, scope):
            found = super().open_alert(rule, scope)
            if threading.current_thread() is threading.main_thread():
                self.done.wait(0.5)
            return found

    graph, alerts = DependencyGraph(), Slow(BarbaraDB.open("desk", path=":memory:"))
    measure = graph.register(Leaf("MEASURE", 900.0))
    board = LimitBoard(graph, alerts)
    board.watch(Limit("VaR", "Tony", 1000.0), measure)
    alerts.raise_alert("VaR", "Tony", "medium", "m", value=900.0)
    measure.set(0.0)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: (board.check(), alerts.done.set()))
        board.check()
        other.result()
    assert [alert.state for alert in alerts.history()] == [AlertState.CLOSED]


def test_a_changed_maximum_updates_the_alert():
    _, alerts = in_memory()
    for maximum in [1000.0, 900.0]:
        graph = DependencyGraph()
        board = LimitBoard(graph, alerts)
        board.watch(Limit("VaR", "Tony", maximum, Thresholds(medium=0.5)), graph.register(Leaf("MEASURE", 800.0)))
        board.check()
    assert [alert.limit for alert in alerts.open_alerts()] == [900.0]


def test_a_clock_without_a_time_zone_is_refused():
    alerts = AlertBook(in_memory()[0], lambda: START.replace(tzinfo=None))
    with pytest.raises(RiskError):
        alerts.raise_alert("VaR", "Tony", "low", "m")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Thresholds(high="1"),
        lambda: Limit("VaR", "Tony", "1000"),
        lambda: Limit(3, "Tony", 1000.0),
    ],
)
def test_arguments_of_another_type_are_refused_by_name(make):
    with pytest.raises(RiskError):
        make()


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("1.0", "-1.0"),
        GOOD.replace('"VaR"', '""'),
        GOOD + "thresholds = { high = 2.0, critical = 1.0 }\n",
        GOOD.replace('"VaR"', "3"),
        GOOD.replace('"Tony"', "[1, 2]"),
        GOOD + "[[limits]]\n" + GOOD,
    ],
)
def test_an_invalid_limit_is_refused_and_named(text):
    with pytest.raises(RiskError) as caught:
        parse_limits(f"[[limits]]\n{text}", "limits.toml")
    assert "limits.toml: limit " in str(caught.value)


def test_bad_thresholds_of_a_file_without_limits_are_refused():
    with pytest.raises(RiskError, match=r"limits\.toml"):
        parse_limits("limits = []\n[thresholds]\nurgent = 1.0\n", "limits.toml")
