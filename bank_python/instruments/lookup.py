"""Curves and surfaces as sources: a contract asks one question and gets one number.

A *function node* is a node whose value is an object that can be asked: a discount curve, a credit curve, a
volatility surface. A contract's ``price`` takes numbers in columns and never sees such an object. So where a
contract is given a function node in the place of a number, an :class:`Answer` is put between the two. It asks
a *question*, a registered pure function of the object and of the contract's own terms, and its value is a
float like any other source's: the zero rate to an option's expiry, the volatility at its strike, the yield at
which a bond is worth what the curve says. Equal questions share one answer.

A contract class says with its source what is asked there (:class:`Lookup`). The question's own arguments are bound by
name to the sources and terms of the class when it is defined, as those of its ``price`` are.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar, cast
from weakref import WeakValueDictionary

from bank_python.barbara import register_storable
from bank_python.dagger import Node
from bank_python.errors import GraphError, InstrumentError
from bank_python.risk_models.curve import Curve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Self

    from bank_python.dagger.outcome import Outcome
    from bank_python.instruments.factor import Factor

__all__ = ["Answer", "FunctionNode", "Lookup", "ask", "question"]

_Function = TypeVar("_Function", bound="Callable[..., float]")


class _Question(NamedTuple):
    """A question: who can be asked it, and how the answer is found."""

    asked_of: type
    function: Callable[..., float]


_QUESTIONS: dict[str, _Question] = {}


def question(name: str, *, of: type) -> Callable[[_Function], _Function]:
    """Register a pure function as a question that objects of the class `of` can be asked.

    Parameters
    ----------
    name : str
        Under which :func:`ask` and stored answers know it.
    of : type
        The class of its first argument: what the function node's value is.

    Raises
    ------
    GraphError
        Another function has that name.
    """

    def register(function: _Function) -> _Function:
        known = _QUESTIONS.setdefault(name, _Question(of, function)).function
        if (known.__module__, known.__qualname__) != (function.__module__, function.__qualname__):
            raise GraphError(f"{name!r} already names the question {known.__qualname__}; choose another", name=name)
        _QUESTIONS[name] = _Question(of, function)
        return function

    return register


class Lookup:
    """What a contract asks of a curve or surface that is given in a source's place.

    Parameters
    ----------
    question : str or callable
        A registered question, or its name.
    **renamed : str or float
        Where an argument of the question is called something else in the class: the name of a source, of a term, of an
        argument of the constructor (``rate_source`` is what was given there, ``rate`` what it answers), ``end`` for
        when the contract ends as the clock reads; or a number.

    Raises
    ------
    GraphError
        No such question is registered.
    """

    def __init__(self, question: str | Callable[..., float], **renamed: str | float) -> None:
        names = [name for name, known in _QUESTIONS.items() if question in {name, known.function}]
        if not names:
            raise GraphError(f"no question {question!r}: import the module that registers it first", name=question)
        self.question = names[0]
        taken = list(inspect.signature(_QUESTIONS[self.question].function).parameters)[1:]
        strange = sorted(set(renamed) - set(taken))
        if strange:
            raise GraphError(
                f"the question {self.question} has no argument {', '.join(strange)}; it takes {', '.join(taken)}",
                name=self.question,
            )
        self.arguments: tuple[str | float, ...] = tuple(renamed.get(key, key) for key in taken)


class FunctionNode(Node):
    """A node whose value is an object that contracts ask: a curve, a surface."""

    value_type: ClassVar[type]
    """The class of its value."""
    quoted_as: ClassVar[Factor | None] = None
    """The kind of market quantity that its quotes are, if they are of one kind."""

    def __init__(self, name: str, inputs: Sequence[Node]) -> None:
        super().__init__(name, inputs)
        self._answers: WeakValueDictionary[str, Answer] = WeakValueDictionary()


@register_storable
class Answer(Node):
    """The answer to one question; made by :func:`ask`.

    Parameters
    ----------
    name : str
        Unique in the graph.
    question : str
        A registered question.
    arguments : sequence of Node or float
        What the question's function takes, the function node first.

    Raises
    ------
    GraphError
        No question of that name is registered.
    """

    record_tag = "Answer"
    wiring_attributes = ("inputs_", "_arguments")

    def __init__(self, name: str, question: str, arguments: Sequence[Node | float]) -> None:
        if question not in _QUESTIONS:
            raise GraphError(f"no question {question!r}: import the module that registers it first", name=question)
        super().__init__(name, list(dict.fromkeys(part for part in arguments if isinstance(part, Node))))
        self.question = question
        self._arguments = tuple(arguments)

    @property
    def arguments(self) -> tuple[Node | float, ...]:
        """What is asked of whom: the function node first."""
        return self._arguments

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Ask."""
        function: Callable[..., Any] = _QUESTIONS[self.question].function
        return float(function(*[read(part) if isinstance(part, Node) else part for part in self._arguments]))

    def replace_input(self, old: Node, new: Node) -> None:
        """Take `new` where an argument is `old`."""
        super().replace_input(old, new)
        self._arguments = tuple(new if part is old else part for part in self._arguments)

    def to_record(self) -> Mapping[str, object]:
        """Return the question and what it is asked with, nodes by reference."""
        return {"name": self.name, "question": self.question, "arguments": list(self._arguments)}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the answer from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it

    def describe_(self) -> str:
        """Return what is shown between the name and the value."""
        return f"{self.question} of {', '.join(_shown(part) for part in self._arguments)}"


def ask(name: str, source: Node | float, *arguments: Node | float) -> Node | float:
    """Return `source` as a scalar source: itself, or the answer to a question if it is a function node.

    Parameters
    ----------
    name : str
        The question.
    source : Node or float
        A number or a scalar node, which is its own answer, or a function node, which is asked.
    *arguments : Node or float
        The question's further arguments.

    Raises
    ------
    InstrumentError
        The function node's value is not of the kind that can be asked this.
    """
    if not isinstance(source, FunctionNode):
        return source
    known_question = _QUESTIONS.get(name)
    if known_question is None or not issubclass(source.value_type, known_question.asked_of):
        raise InstrumentError(
            f"{source.name} is a {type(source).__name__}, which has no {name}; give a number, or what has one",
            name=source.name,
        )
    key = f"{source.name}:{name}({', '.join(_shown(part) for part in arguments)})"
    whole = (source, *arguments)
    known = source._answers.get(key) or (None if source.graph is None else source.graph.find(key))  # noqa: SLF001 - a function node keeps its answers for this module
    if isinstance(known, Answer) and known.arguments == whole:
        return known
    answer = Answer(key, name, whole)
    source._answers[key] = answer  # noqa: SLF001 - as above
    return answer


@question("zero_rate", of=Curve)
def zero_rate(curve: Curve, clock: float, end: float) -> float:
    """Return the curve's continuously compounded rate from `clock`, which is now, to `end`, both in its years."""
    return cast("float", curve.zero_rate(max(end - clock, 0.0)))


def _shown(part: Node | float) -> str:
    return part.name if isinstance(part, Node) else repr(float(part))
