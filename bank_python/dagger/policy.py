"""Evaluation policies, which limit how often a costly node is evaluated.

A :class:`Policy` is an argument of :meth:`~bank_python.dagger.DependencyGraph.derive` and is plain data. In the graph a
:class:`Gate` applies it to one node: it decides whether the node is evaluated whenever it is due. While it is not, the
node keeps its last value, its dependents are computed from that value, and
:attr:`~bank_python.dagger.Node.as_of_tick` is the tick that the value belongs to.

===================  ==============================================================================
:class:`OnRead`      evaluated when it is read, never by a recalculation
:class:`Every`       at most once in a number of seconds
:class:`Moved`       when an input has moved by more than a tolerance since the last evaluation
:class:`Background`  in another thread; the last value is served until the new one arrives, as a tick
===================  ==============================================================================

In a what-if layer or a bump every node that is needed is evaluated, whatever its policy.
"""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Protocol

from bank_python.dagger.node import Host
from bank_python.dagger.outcome import Failure, Outcome, same
from bank_python.display import Record
from bank_python.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from bank_python.dagger.node import Node

__all__ = ["Background", "Every", "Gate", "Moved", "OnRead", "Policy"]


class PolicyHost(Host, Protocol):
    """Interface of the engine for policies."""

    replaying: bool
    working_tick: int
    waiting: dict[Node, None]

    def undoable(self, undo: Callable[[], object]) -> None:
        """Record how to undo a change, for the batch that it belongs to."""

    def write(self, change: Callable[[], None]) -> None:
        """Make a change as the graph's single writer."""

    def arrive(self, node: Node, outcome: Outcome) -> None:
        """Store an outcome that was computed outside the propagation."""

    def propagate_arrival(self, node: Node) -> None:
        """Propagate an outcome that arrived, if no other change is pending."""


class Gate(ABC):
    """A policy applied to one node."""

    lazy: ClassVar[bool] = False
    """Whether the node is evaluated only when it is read."""

    def __init__(self) -> None:
        self.as_of_tick = 0

    def admits(self, host: PolicyHost, node: Node) -> bool:
        """Whether the node, which is due, is evaluated now; if so, its value belongs to the current tick."""
        host.undoable(partial(self.__dict__.update, dict(self.__dict__)))
        if (host.replaying and not self.lazy) or not self.opens(host, node):
            return False  # a replay sets the recorded values
        self.as_of_tick = host.working_tick
        return True

    @abstractmethod
    def opens(self, host: PolicyHost, node: Node) -> bool:
        """Whether the node, which is due, is evaluated now."""

    def is_ripe(self) -> bool:
        """Whether a throttled node may be evaluated now without another change of its inputs."""
        return False


class Policy(ABC):
    """Base class of evaluation policies; see the module's docstring."""

    @abstractmethod
    def gate(self) -> Gate:
        """Return a gate for one node."""


@dataclass(frozen=True, slots=True)
class OnRead(Policy, Record):
    """Evaluate the node only when it is read; a recalculation skips the node and its dependents."""

    def gate(self) -> Gate:
        """Return a gate for one node."""
        return _OnReadGate()


class _OnReadGate(Gate):
    lazy = True

    def opens(self, host: PolicyHost, node: Node) -> bool:  # noqa: ARG002 - called by a read only
        return True


@dataclass(frozen=True, slots=True)
class Every(Policy, Record):
    """Evaluate the node at most once in a number of seconds, at the first recalculation or read after they have passed.

    Parameters
    ----------
    seconds : float
        Minimum time between evaluations in seconds, above zero.
    clock : callable, default time.monotonic
        Function that returns the time in seconds.
    """

    seconds: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        _require("Every: seconds", self.seconds, above=0.0)

    def gate(self) -> Gate:
        """Return a gate for one node."""
        return _EveryGate(self)


class _EveryGate(Gate):
    def __init__(self, policy: Every) -> None:
        super().__init__()
        self._policy = policy
        self._last = -math.inf

    def opens(self, host: PolicyHost, node: Node) -> bool:
        if not self.is_ripe():
            host.waiting[node] = None
            return False
        self._last = self._policy.clock()
        return True

    def is_ripe(self) -> bool:
        return self._policy.clock() - self._last >= self._policy.seconds


@dataclass(frozen=True, slots=True)
class Moved(Policy, Record):
    """Evaluate the node when an input has moved by more than a tolerance since the last evaluation.

    Parameters
    ----------
    tolerance : float
        Largest absolute change of a numerical input that is ignored, at least zero, in the units of the input. Any
        change of an input that is not a number triggers an evaluation.
    relative : bool, default False
        Whether the tolerance is a fraction of the input's value at the last evaluation.
    """

    tolerance: float
    relative: bool = False

    def __post_init__(self) -> None:
        _require("Moved: tolerance", self.tolerance, above=-math.ulp(0.0))

    def gate(self) -> Gate:
        """Return a gate for one node."""
        return _MovedGate(self)


class _MovedGate(Gate):
    def __init__(self, policy: Moved) -> None:
        super().__init__()
        self._policy = policy
        self._used: list[Outcome] | None = None

    def opens(self, host: PolicyHost, node: Node) -> bool:  # noqa: ARG002 - the inputs decide
        inputs = [source.outcome_ for source in node.inputs_]
        used = self._used
        if used is None or len(used) != len(inputs) or any(map(self._has_moved, used, inputs)):
            self._used = inputs
            return True
        return False

    def _has_moved(self, old: Outcome, new: Outcome) -> bool:
        if not isinstance(old, float | int) or not isinstance(new, float | int):
            return not same(old, new)
        allowed = self._policy.tolerance * (abs(old) if self._policy.relative else 1.0)
        return not abs(new - old) <= allowed


@dataclass(frozen=True, slots=True)
class Background(Policy, Record):
    """Evaluate the node in another thread, keeping the last value until the new one arrives as a tick of its own.

    The first value is computed immediately, as there is no last one. Changes during an evaluation start another one
    when it has ended.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Executor of the evaluations, with threads of this process. By default each evaluation runs in a daemon thread of
        its own.
    """

    executor: Executor | None = None

    def gate(self) -> Gate:
        """Return a gate for one node."""
        return _BackgroundGate(self)


class _BackgroundGate(Gate):
    def __init__(self, policy: Background) -> None:
        super().__init__()
        self._policy = policy
        self._running: object | None = None  # the evaluation under way, if there is one
        self._again = False

    def opens(self, host: PolicyHost, node: Node) -> bool:
        inputs = [source.outcome_ for source in node.inputs_]
        if node.outcome_ is None or Failure in map(type, inputs):
            return True
        if self._running is not None:
            self._again = True
        else:
            self._start(host, node)
        return False

    def _start(self, host: PolicyHost, node: Node) -> None:
        run = object()
        self._running, self._again = run, False
        values = {source: source.outcome_ for source in node.inputs_}
        tick = host.working_tick
        if self._policy.executor is None:
            threading.Thread(
                target=self._run, args=(host, node, values, tick, run), name=f"dagger-{node.name}", daemon=True
            ).start()
        else:
            self._policy.executor.submit(self._run, host, node, values, tick, run)

    def _run(self, host: PolicyHost, node: Node, values: dict[Node, Outcome], tick: int, run: object) -> None:
        outcome = node.evaluate_(values.__getitem__)
        host.write(lambda: self._arrive(host, node, outcome, tick, run))

    def _arrive(self, host: PolicyHost, node: Node, outcome: Outcome, tick: int, run: object) -> None:
        if self._running is not run or node.host_ is not host:
            return  # it was started in a batch that was undone, or the node has left the graph
        self._running = None
        self.as_of_tick = tick
        host.arrive(node, outcome)
        host.propagate_arrival(node)
        if self._again:
            self._start(host, node)


def _require(what: str, value: object, above: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not above < value < math.inf:
        raise GraphError(f"{what}={value!r} is not a number above {above:g}; give one", value=value)
