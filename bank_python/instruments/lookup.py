"""Curves and surfaces as sources of contracts: each contract looks up one number.

A *term structure node* is a node whose value is a curve or a surface: a discount curve, a credit curve, a volatility
surface. A contract's ``price`` takes columns of numbers and never such an object. So where a contract is given a term
structure node in place of a number, a :class:`LookupNode` is placed between the two. It evaluates a *lookup function*,
a registered pure function of the curve or surface and of the contract's terms, and its value is a float like that of
any other source: the zero rate to an option's expiry, the volatility at its strike, the yield at which a bond is worth
what the curve implies. Equal lookups share one node.

A contract class declares the lookup function of a source (:class:`Lookup`). The function's arguments are bound by name
to the sources and terms of the class when it is defined, as those of its ``price`` are.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar, cast
from weakref import WeakValueDictionary

from bank_python.barbara import register_storable
from bank_python.dagger import Node
from bank_python.deprecation import renamed, warn_of
from bank_python.errors import GraphError, InstrumentError
from bank_python.guessing import guessable
from bank_python.risk_models.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Self

    from bank_python.dagger.outcome import Outcome
    from bank_python.instruments.factor import Factor

__all__ = ["Lookup", "LookupNode", "TermStructureNode", "look_up", "lookup_function"]

_Function = TypeVar("_Function", bound="Callable[..., float]")


class _LookupFunction(NamedTuple):
    """A registered function, and the class of its first argument."""

    value_type: type
    function: Callable[..., float]


_FUNCTIONS: dict[str, _LookupFunction] = {}


def lookup_function(name: str, *, of: type) -> Callable[[_Function], _Function]:
    """Register a pure function as a lookup function of curves or surfaces of the class `of`.

    Parameters
    ----------
    name : str
        Name of the function in :func:`look_up` and in stored records.
    of : type
        Class of the function's first argument, which is the value of a term structure node.

    Raises
    ------
    GraphError
        Another function has that name.
    """

    def register(function: _Function) -> _Function:
        known = _FUNCTIONS.setdefault(name, _LookupFunction(of, function)).function
        if (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
            raise GraphError(
                f"{name!r} is already the name of the lookup function {known.__qualname__}; choose another", name=name
            )
        _FUNCTIONS[name] = _LookupFunction(of, function)
        return function

    return register


class Lookup:
    """Declaration of a source's lookup function, for curves and surfaces given in place of a number.

    Parameters
    ----------
    function : str or callable
        Registered lookup function, or its name.
    **renamed : str or float
        Values of the function's arguments, by argument name, where the contract class has no source or term of that
        name: the name of a source, of a term or of a constructor argument (``rate_source`` is the curve passed in,
        ``rate`` the number looked up from it), ``end`` for the clock time at which the contract ends, or a number.

    Raises
    ------
    GraphError
        The function is not registered, or has no such argument.
    """

    @renamed(question="function")
    def __init__(self, function: str | Callable[..., float], **renamed: str | float) -> None:
        names = [name for name, known in _FUNCTIONS.items() if function in {name, known.function}]
        if not names:
            raise _unknown_function(function)
        self.function_name = names[0]
        taken = list(inspect.signature(_FUNCTIONS[self.function_name].function).parameters)[1:]
        unknown = sorted(set(renamed) - set(taken))
        if unknown:
            raise GraphError(
                f"the lookup function {self.function_name} has no argument {', '.join(unknown)}; "
                f"it takes {', '.join(taken)}",
                name=self.function_name,
            )
        self.arguments: tuple[str | float, ...] = tuple(renamed.get(key, key) for key in taken)

    @property
    def question(self) -> str:
        """Old name of :attr:`function_name`."""
        warn_of("Lookup.question", "function_name")
        return self.function_name

    def __repr__(self) -> str:
        return f"Lookup({self.function_name!r}, arguments={self.arguments!r})"


class TermStructureNode(Node):
    """A node whose value is a curve or a surface, from which contracts look up numbers."""

    value_type: ClassVar[type]
    """Class of the node's value."""
    quoted_as: ClassVar[Factor | None] = None
    """Kind of market quantity of the node's quotes, if all are of one kind."""

    def __init__(self, name: str, inputs: Sequence[Node]) -> None:
        super().__init__(name, inputs)
        self._lookups: WeakValueDictionary[str, LookupNode] = WeakValueDictionary()


@register_storable
class LookupNode(Node):
    """A number looked up from a curve or surface; created by :func:`look_up`.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    function_name : str
        Name of a registered lookup function.
    arguments : sequence of Node or float
        Arguments of the function: the term structure node first, then nodes or numbers.

    Raises
    ------
    GraphError
        No lookup function of that name is registered.
    """

    record_tag = "Answer"
    wiring_attributes = ("inputs_", "_arguments")

    if TYPE_CHECKING:

        @property
        def value(self) -> float:
            """The current value, computed now if need be; errors as :attr:`Node.value`."""

    @renamed(question="function_name")
    def __init__(self, name: str, function_name: str, arguments: Sequence[Node | float]) -> None:
        if function_name not in _FUNCTIONS:
            raise _unknown_function(function_name)
        super().__init__(name, list(dict.fromkeys(part for part in arguments if isinstance(part, Node))))
        self.function_name = function_name
        self._arguments = tuple(arguments)

    @property
    def question(self) -> str:
        """Old name of :attr:`function_name`."""
        warn_of("LookupNode.question", "function_name")
        return self.function_name

    @property
    def arguments(self) -> tuple[Node | float, ...]:
        """Arguments of the lookup function, the term structure node first."""
        return self._arguments

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Evaluate the lookup function at the current values of its arguments."""
        function: Callable[..., Any] = _FUNCTIONS[self.function_name].function
        return float(function(*[read(part) if isinstance(part, Node) else part for part in self._arguments]))

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace the argument `old` by `new`."""
        super().replace_input(old, new)
        self._arguments = tuple(new if part is old else part for part in self._arguments)

    def to_record(self) -> Mapping[str, object]:
        """Return name, function name (in the field ``question``) and arguments, nodes by reference."""
        return {"name": self.name, "question": self.function_name, "arguments": list(self._arguments)}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields."""
        arguments = cast("Sequence[Node | float]", fields["arguments"])
        return cls(str(fields["name"]), str(fields["question"]), arguments)

    def describe_(self) -> str:
        """Return the text between name and value in the node's ``repr``."""
        return f"{self.function_name} of {', '.join(_shown(part) for part in self._arguments)}"


@guessable
def look_up(name: str, source: Node | float, *arguments: Node | float) -> Node | float:
    """Return a scalar source: `source` itself, or a lookup node if it is a term structure node.

    Parameters
    ----------
    name : str
        Name of a registered lookup function.
    source : Node or float
        Number or scalar node, which is returned as it is, or term structure node to look up from.
    *arguments : Node or float
        Further arguments of the lookup function.

    Raises
    ------
    InstrumentError
        The lookup function does not apply to the value of the term structure node.
    """
    if not isinstance(source, TermStructureNode):
        return source
    registered = _FUNCTIONS.get(name)
    if registered is None or not issubclass(source.value_type, registered.value_type):
        raise InstrumentError(
            f"{source.name} is a {type(source).__name__}, which has no {name}; give a number, or a node that has one",
            name=source.name,
        )
    key = f"{source.name}:{name}({', '.join(_shown(part) for part in arguments)})"
    whole = (source, *arguments)
    known = source._lookups.get(key) or (None if source.graph is None else source.graph.find(key))  # noqa: SLF001 - the cache belongs to this module
    if isinstance(known, LookupNode) and known.arguments == whole:
        return known
    node = LookupNode(key, name, whole)
    source._lookups[key] = node  # noqa: SLF001 - as above
    return node


@lookup_function("zero_rate", of=Curve)
def zero_rate(curve: Curve, clock: float, end: float) -> float:
    """Return the curve's continuously compounded rate from the current time `clock` to `end`, both in years."""
    return cast("float", curve.zero_rate(max(end - clock, 0.0)))


def _unknown_function(function: object) -> GraphError:
    return GraphError(f"no lookup function {function!r}: import the module that registers it first", name=function)


def _shown(part: Node | float) -> str:
    return part.name if isinstance(part, Node) else repr(float(part))
