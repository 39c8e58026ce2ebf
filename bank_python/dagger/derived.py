"""Any pure function of nodes as a node, and the names under which such functions can be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from bank_python.barbara import register_storable
from bank_python.dagger.node import Node
from bank_python.dagger.outcome import Failure, Outcome
from bank_python.errors import GraphError, UnstorableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

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
    equal : callable, optional
        ``equal(old, new)`` says that a new value is not worth propagating; the old one, the last that was
        propagated, is then kept. By default two values are the same when their bits are.
    """

    record_tag = "DerivedNode"

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[Node],
        equal: Callable[[Any, Any], bool] | None = None,
    ) -> None:
        super().__init__(name, inputs)
        if not callable(function):
            raise GraphError(f"{name}: {function!r} is not a function of the inputs' values", name=name)
        self.function = function
        self.equal = equal

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Call the function on the inputs' values."""
        return cast("Outcome", self.function(*[read(node) for node in self._inputs]))

    def unchanged(self, old: Outcome, new: Outcome) -> bool:
        """Whether `equal`, if the node has one, or else the bits say that nothing changed."""
        if self.equal is None or isinstance(old, Failure) or isinstance(new, Failure) or old is None:
            return super().unchanged(old, new)
        return bool(self.equal(old, new))

    def to_record(self) -> Mapping[str, object]:
        """Return the function's registered name and the inputs.

        Raises
        ------
        UnstorableError
            The function has no registered name (a lambda, say), or the node has its own `equal`.
        """
        names = [name for name, function in _FUNCTIONS.items() if function is self.function]
        if not names or self.equal is not None:
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
