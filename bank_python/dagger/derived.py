"""Nodes derived by pure functions of other nodes, and the registry of functions that can be stored."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bank_python.barbara import register_storable
from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome, checked, upstream_failure, within
from bank_python.errors import GraphError, UnstorableError
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from bank_python.dagger.node import EvaluationPolicy

__all__ = ["DerivedNode", "LargeNode", "node_function", "require_plain"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_FUNCTIONS: dict[str, Callable[..., Any]] = {}


@guessable
def node_function(name: str) -> Callable[[_Function], _Function]:
    """Register a function under `name`, so that nodes derived by it can be stored.

    Parameters
    ----------
    name : str
        Name of the function in stored records, unique in the process.

    Raises
    ------
    GraphError
        Another function is registered under that name.

    Examples
    --------
    >>> @node_function("docs.mid")
    ... def mid(bid, ask):
    ...     return (bid + ask) / 2
    """

    def register(function: _Function) -> _Function:
        known = _FUNCTIONS.setdefault(name, function)
        if (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
            raise GraphError(f"{name!r} already names the function {known.__qualname__}; choose another", name=name)
        _FUNCTIONS[name] = function
        return function

    return register


@register_storable
class DerivedNode(Node):
    """A node whose value is a function of its inputs' values.

    Parameters
    ----------
    name : str
        Name of the node, unique in its graph.
    function : callable
        Pure function that takes the inputs' values in order and returns the node's value; not a coroutine or generator
        function.
    inputs : sequence of Node
        Nodes whose values are the arguments of `function`.
    equal : callable or float, optional
        Cutoff rule. A function ``equal(old, new)`` that returns true if the new value is not to be propagated; the node
        then keeps the old value, the last one that was propagated. If it returns an array, all elements have to be
        true. A number is an absolute tolerance for every number in the value. By default values are compared bit for
        bit (:func:`~bank_python.dagger.outcome.same`).
    policy : Policy, optional
        Evaluation policy (:mod:`bank_python.dagger.policy`); by default the node is evaluated whenever an input has
        changed.
    override : bool, default False
        Whether a what-if layer may override the value of the node.

    Raises
    ------
    GraphError
        `function` is not callable, or is a coroutine or generator function; `equal` is neither a function nor a
        tolerance.
    """

    __slots__ = ("equal", "function", "gate", "override", "policy")

    record_tag = "DerivedNode"

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Node],
        equal: Callable[[Any, Any], bool] | float | None = None,
        policy: EvaluationPolicy | None = None,
        *,
        override: bool = False,
    ) -> None:
        super().__init__(name, inputs)
        _require_function(name, function)
        self.function = function
        self.equal = None if equal is None else _rule(name, equal)
        if isinstance(policy, str | float | int):
            raise GraphError(f"{name}: policy={policy!r} is not a policy; give one, such as Every(1.0)", value=policy)
        self.policy = policy
        self.override = override
        self.gate = None if policy is None else policy.gate()

    @property
    def is_plain_unary(self) -> bool:
        """Whether the node is a function of one node, without a policy or a cutoff rule."""
        return len(self.inputs_) == 1 and self.policy is None and self.equal is None

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Call the function on the inputs' values."""
        return self.function(*[read(node) for node in self.inputs_])

    def evaluate_(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the outcome for the input outcomes that `read` returns."""
        return self._apply([read(source) for source in self.inputs_])

    def renew_(self) -> Outcome:
        """Return the outcome for the current outcomes of the inputs."""
        arguments = []
        for source in self.inputs_:
            outcome = source.outcome_
            if outcome.__class__ is Failure:
                return upstream_failure(self.name, outcome)
            arguments.append(outcome)
        try:
            return self.function(*arguments)
        except Exception as error:  # noqa: BLE001 - any error of the function becomes the node's outcome
            return Failure(error, self.name, error)

    def _apply(self, arguments: list[Outcome]) -> Outcome:
        for argument in arguments:
            if argument.__class__ is Failure:
                return upstream_failure(self.name, argument)
        try:
            outcome = self.function(*arguments)
        except Exception as error:  # noqa: BLE001 - any error of the function becomes the node's outcome
            return Failure(error, self.name, error)
        is_number = outcome.__class__ is float and outcome == outcome  # noqa: PLR0124 - NaN is not equal to itself
        return outcome if is_number else checked(self.name, outcome)

    def to_record(self) -> Mapping[str, object]:
        """Return the function's registered name and the inputs.

        Raises
        ------
        UnstorableError
            The function is not registered (a lambda, for example), or the node has a cutoff rule, a policy or
            ``override=True``, which have no stored form.
        """
        names = [name for name, function in _FUNCTIONS.items() if function is self.function]
        if not names or self.equal is not None or self.policy is not None or self.override:
            label = getattr(self.function, "__qualname__", repr(self.function))
            raise UnstorableError(
                f"{self.name} is derived by {label}, which has no stored form: decorate a plain function with "
                '@node_function("its.name") and derive from that',
                key=self.record_key,
                value=self.function,
            )
        return {"name": self.name, "function": names[0], "inputs": list(self.inputs_)}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node; its function must be registered in this process.

        Raises
        ------
        GraphError
            No function of that name is registered; import the module that registers it first.
        """
        name = str(fields["function"])
        if name not in _FUNCTIONS:
            raise GraphError(f"no node function {name!r}: import the module that registers it, then load", name=name)
        return cls(str(fields["name"]), _FUNCTIONS[name], cast("list[Node]", fields["inputs"]))

    def describe_(self) -> str:
        """Return the function and its inputs for the node's ``repr``."""
        label = getattr(self.function, "__name__", type(self.function).__name__)
        return f"{label}({', '.join(node.name for node in self.inputs_)})"


class LargeNode(DerivedNode):
    """A :class:`DerivedNode` for large values: it keeps only its current value, and is never stored.

    Other nodes also keep the value before their last change, for readers in other threads during a tick and for
    :meth:`~bank_python.dagger.DependencyGraph.explain`. For a value of a hundred thousand numbers that would double the
    memory. This class drops the old value when it has a new one, unless a snapshot or an open batch may need it. A
    reader in another thread waits for the tick to end.
    """

    __slots__ = ("_earlier",)

    record_tag = ""

    @property
    def previous_(self) -> Outcome:
        """The node's outcome before its last change, if a snapshot or an open batch may need it."""
        return self._earlier

    @previous_.setter
    def previous_(self, outcome: Outcome) -> None:
        self._earlier = outcome if self.host_ is not None and self.host_.keeps_previous() else None


_RUNS_LATER = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_ASYNC_GENERATOR


def _require_function(name: str, function: object) -> None:
    if isinstance(function, FunctionType) and not function.__code__.co_flags & _RUNS_LATER:
        return  # the common case, without the cost of an inspection
    if not callable(function):
        raise GraphError(f"{name}: {function!r} is not a function of the inputs' values", name=name)
    require_plain(name, function)


def require_plain(name: str, function: object) -> None:
    """Raise for a coroutine or generator function, whose body does not run when it is called.

    Parameters
    ----------
    name : str
        Name of the node or subscription, for the error message.
    function : object
        Callable to check.

    Raises
    ------
    GraphError
        `function` is a coroutine or generator function.
    """
    plain: Any = function
    while isinstance(plain, functools.partial | functools.partialmethod):
        plain = plain.func
    call: Any = getattr(type(plain), "__call__", None)  # noqa: B004 - the class's own, not the metaclass's
    code = getattr(plain, "__code__", None) or getattr(call, "__code__", None)
    if code is not None and code.co_flags & _RUNS_LATER:
        raise GraphError(
            f"{name}: a coroutine or generator function runs later and holds no value when it returns; give a "
            "plain function (policy=Background() runs it in another thread)",
            name=name,
        )


def _rule(name: str, equal: Callable[[Any, Any], bool] | float) -> Callable[[Any, Any], bool]:
    if callable(equal):
        require_plain(name, equal)
        return equal
    is_number = isinstance(equal, int | float) and not isinstance(equal, bool)  # type: ignore[redundant-expr]
    if not is_number or not equal >= 0.0:
        raise GraphError(f"{name}: equal={equal!r} is neither a function nor a tolerance of at least 0", name=name)
    return within(equal)
