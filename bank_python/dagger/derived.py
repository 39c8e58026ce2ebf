"""Any pure function of nodes as a node, and the names under which such functions can be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from bank_python.barbara import register_storable
from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome, refuse_nan, upstream_failure
from bank_python.errors import GraphError, UnstorableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from bank_python.dagger.policy import Policy

__all__ = ["DerivedNode", "node_function"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_FUNCTIONS: dict[str, Callable[..., Any]] = {}


def node_function(name: str) -> Callable[[_Function], _Function]:
    """Register a function under `name`, so that nodes derived by it can be stored.

    Raises
    ------
    GraphError
        Another function has that name.

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
        Unique in the graph.
    function : callable
        Pure: takes the inputs' values in order and returns the value.
    inputs : sequence of Node
        What it is computed from.
    equal : callable or float, optional
        ``equal(old, new)`` says that a new value is not worth propagating; the old one, the last that was
        propagated, is then kept. A number is an absolute tolerance. By default two values are the same when their
        bits are.
    policy : Policy, optional
        When to evaluate it, if not at every tick that reaches it; see :mod:`bank_python.dagger.policy`.
    override : bool, default False
        Whether a what-if layer may give the node a value of its own, in its function's place.
    """

    __slots__ = ("equal", "function", "gate", "override", "policy")

    record_tag = "DerivedNode"

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Node],
        equal: Callable[[Any, Any], bool] | float | None = None,
        policy: Policy | None = None,
        *,
        override: bool = False,
    ) -> None:
        super().__init__(name, inputs)
        if not callable(function):
            raise GraphError(f"{name}: {function!r} is not a function of the inputs' values", name=name)
        self.function = function
        self.equal = _rule(name, equal)
        self.policy = policy
        self.override = override
        self.gate = None if policy is None else policy.gate()

    @property
    def is_plain_unary(self) -> bool:
        """Whether it is a function of one node alone, evaluated at every tick and compared by bits."""
        return len(self._inputs) == 1 and self.policy is None and self.equal is None

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Call the function on the inputs' values."""
        return self.function(*[read(node) for node in self._inputs])

    def _evaluate(self, read: Callable[[Node], Outcome]) -> Outcome:
        return self._apply([read(source) for source in self._inputs])

    def _renew(self) -> Outcome:
        arguments = []
        for source in self._inputs:
            outcome = source._outcome
            if outcome.__class__ is Failure:
                return upstream_failure(self.name, outcome)
            arguments.append(outcome)
        return self._call(arguments)

    def _apply(self, arguments: list[Outcome]) -> Outcome:
        for argument in arguments:
            if argument.__class__ is Failure:
                return upstream_failure(self.name, argument)
        return self._call(arguments)

    def _call(self, arguments: list[Outcome]) -> Outcome:
        try:
            outcome = self.function(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever the function raises becomes the node's value
            return Failure(error, self.name, error)
        return outcome if outcome.__class__ is float and outcome == outcome else refuse_nan(self.name, outcome)  # noqa: PLR0124

    def to_record(self) -> Mapping[str, object]:
        """Return the function's registered name and the inputs.

        Raises
        ------
        UnstorableError
            The function has no registered name (a lambda, say), or the node has an `equal`, `policy` or
            `override` of its own, which have no stored form.
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
        return {"name": self.name, "function": names[0], "inputs": list(self._inputs)}

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

    def _describe(self) -> str:
        label = getattr(self.function, "__name__", repr(self.function))
        return f"{label}({', '.join(node.name for node in self._inputs)})"


def _rule(name: str, equal: Callable[[Any, Any], bool] | float | None) -> Callable[[Any, Any], bool] | None:
    if equal is None or callable(equal):
        return equal
    if isinstance(equal, bool) or not isinstance(equal, int | float) or not equal >= 0.0:  # type: ignore[redundant-expr]
        raise GraphError(f"{name}: equal={equal!r} is neither a rule nor a tolerance of at least 0", name=name)
    return lambda old, new: abs(new - old) <= equal
