"""The constructor of a contract class, from what the class declares.

All that can be told from a class is worked out once, when it is defined: which arguments there are, which number each
becomes, what a curve or surface is asked in a source's place, and in which order. Making a contract is then a few
passes over short lists.
"""

from __future__ import annotations

import inspect
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from bank_python.dagger.contract import REQUIRED, Declaration, Source, Term
from bank_python.errors import BankError, ContractArgumentError, GraphError
from bank_python.instruments.declarations import Expiry, Label, MadeAt
from bank_python.instruments.lookup import FunctionNode, Lookup, ask
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bank_python.dagger import Node
    from bank_python.dagger.contract import Contract

__all__ = ["Construction", "constructor"]

_END = "end"
_RESERVED = frozenset({"self", "name", "sources", "terms"})
_HOME = "bank_python.instruments.instrument"
"""The module whose arguments, those of all contracts, come last in a signature."""


class Construction:
    """How contracts of a class are made of the constructor's arguments.

    Parameters
    ----------
    kind : type of Contract
        The class.
    complete : callable
        The class's function that works out the terms which no declaration can say.

    Raises
    ------
    GraphError
        Two declarations want the same argument, a term does not allow its own default, a source asks about what the
        class does not have, or two sources ask about each other.
    """

    def __init__(self, kind: type[Contract], complete: Callable[[str, dict[str, Any], dict[str, float]], None]) -> None:
        self._kind = kind
        self._complete = complete
        sources, terms = kind.declared(Source), kind.declared(Term)
        self.labels = kind.declared(Label)
        self.arguments = _arguments_of(kind)
        self._defaults = {key: item.default for key, item in self.arguments.items() if item.default is not REQUIRED}
        self._required = frozenset(self.arguments) - self._defaults.keys()
        self._sources = [(key, item.parameter) for key, item in sources.items()]
        self._terms = [
            (key, item.parameter, item.take, item.inferred)
            for key, item in terms.items()
            if item.init or isinstance(item, MadeAt)
        ]
        self._words = [(key, item.parameter, item.sure, item.take) for key, item in self.labels.items()]
        self._completes = any("complete" in vars(base) and base.__module__ != _HOME for base in kind.__mro__)
        self._end = [key for key, item in terms.items() if isinstance(item, MadeAt | Expiry)]
        self._lookups = self._ordered({key: item for key, item in sources.items() if item.lookup is not None})

    @property
    def asked_terms(self) -> frozenset[str]:
        """The terms that a curve or surface is asked about, where a source is one."""
        asked = {part for _, _, lookup in self._lookups for part in lookup.arguments if isinstance(part, str)}
        return frozenset(self._kind.term_names) & (asked | set(self._end if _END in asked else ()))

    def signature(self) -> inspect.Signature:
        """Return the signature of the constructor: required arguments first, those that all contracts have last."""
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        name = inspect.Parameter("name", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str)
        return inspect.Signature([own, name, *map(self._parameter, self._order())], return_annotation=None)

    def _order(self) -> list[str]:
        last = {item.parameter for base in self._kind.__mro__ if base.__module__ == _HOME for item in _own(base)}
        return sorted(self.arguments, key=lambda key: (key in self._defaults, key in last))

    def _parameter(self, key: str) -> inspect.Parameter:
        default = self._defaults.get(key, inspect.Parameter.empty)
        hint = self.arguments[key].hint
        return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)

    def parts(
        self, name: str, given: Mapping[str, Any]
    ) -> tuple[dict[str, Node | float], dict[str, float], dict[str, str]]:
        """Return a contract's sources, terms and labels from the arguments of the constructor.

        Raises
        ------
        ContractArgumentError
            An argument is unknown, or missing.
        InstrumentError
            One makes no sense.
        """
        arguments = {**self._defaults, **given}
        if len(arguments) != len(self.arguments) or not given.keys() >= self._required:
            raise self._mismatch(name, given)
        terms: dict[str, float] = {}
        for key, parameter, take, inferred in self._terms:
            value = arguments.get(parameter)
            if value is not None or not inferred:
                terms[key] = take(name, value, arguments)
        if self._completes:
            self._complete(name, arguments, terms)
        words: dict[str, str] = {}
        for key, parameter, sure, spelt in self._words:
            word = arguments[parameter]
            words[key] = word if word is sure else spelt(name, word)
        sources = {key: arguments[parameter] for key, parameter in self._sources}
        for key, source, lookup in self._lookups:
            if isinstance(sources[key], FunctionNode):
                known = {**arguments, **terms, **sources, _END: self._time(terms)}
                asked = [known[part] if isinstance(part, str) else part for part in lookup.arguments]
                sources[key] = ask(lookup.question, arguments[source.parameter], *asked)
        return sources, terms, words

    def _time(self, terms: Mapping[str, float]) -> float:
        return sum(terms[key] for key in self._end)

    def _ordered(self, asking: dict[str, Source]) -> list[tuple[str, Source, Lookup]]:
        """Return the sources that may ask, each after those whose answers it needs."""
        lookups = {
            key: item.lookup if isinstance(item.lookup, Lookup) else Lookup(item.lookup)  # type: ignore[arg-type]  # refused there
            for key, item in asking.items()
        }
        known = {*self.arguments, *self._kind.argument_names, _END}
        for key, lookup in lookups.items():
            strange = [part for part in lookup.arguments if isinstance(part, str) and part not in known]
            if strange:
                raise GraphError(
                    f"{self._kind.__name__}.{key} asks {lookup.question} about {', '.join(strange)}, which the class "
                    f"does not have; it has {', '.join(sorted(known))}. Say which is meant: "
                    f"Lookup({lookup.question!r}, {strange[0]}=...)",
                    name=key,
                )
        needs = {key: [part for part in lookup.arguments if part in lookups] for key, lookup in lookups.items()}
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            circle = " → ".join(map(str, error.args[1]))
            raise GraphError(f"{self._kind.__name__}: sources ask about each other: {circle}", name=circle) from error
        return [(str(key), asking[str(key)], lookups[str(key)]) for key in order]

    def _mismatch(self, name: str, given: Mapping[str, Any]) -> ContractArgumentError:
        cls, known = self._kind.__name__, ", ".join(self._order())
        for key in given:
            if key not in self.arguments:
                hint = did_you_mean(key, self.arguments, "leave it out.", most=1)
                message = f"{cls} {name!r} has no argument {key}; {hint} It takes {known}"
                return ContractArgumentError(message, name=name, argument=key)
        missing = [key for key in self._order() if key in self._required and key not in given]
        return ContractArgumentError(
            f"{cls} {name!r} needs {', '.join(missing)}; it takes {known}", name=name, argument=missing[0]
        )


def _arguments_of(kind: type[Contract]) -> dict[str, Declaration]:
    """Return the arguments of the constructor, refusing what cannot be one."""
    found: dict[str, Declaration] = {}
    for key, item in kind.declared(Declaration).items():
        if not item.init:
            continue
        other = found.setdefault(item.parameter, item)
        if other is not item or item.parameter in _RESERVED:
            owner = other.name if other is not item else "every contract"
            raise GraphError(
                f"{kind.__name__}.{key}: the constructor's argument {item.parameter} belongs to {owner}; give another "
                "alias, or declare it with init=False",
                name=key,
            )
        if isinstance(item, Term) and isinstance(item.default, int | float):
            try:
                item.admit(kind.__name__, item.default)
            except BankError as error:
                raise GraphError(f"{error}: it is the default of {kind.__name__}.{key}", name=key) from error
    return found


def constructor(kind: type[Contract], construction: Construction, by_parts: Callable[..., None]) -> Callable[..., None]:
    """Return the constructor of a class, with its true signature.

    Parameters
    ----------
    kind : type of Contract
        The class.
    construction : Construction
        How its contracts are made.
    by_parts : callable
        The constructor that takes sources and terms as mappings, which such calls are handed to.
    """

    def __init__(self: Any, name: str, *parts: Any, **given: Any) -> None:  # noqa: N807 - it becomes one
        if parts or "sources" in given:
            by_parts(self, name, *parts, **given)
        else:
            self.make(name, given)

    made = construction.signature()
    __init__.__signature__ = made  # type: ignore[attr-defined]  # what inspect reads
    __init__.__annotations__ = {key: item.annotation for key, item in made.parameters.items() if key != "self"}
    __init__.__qualname__ = f"{kind.__qualname__}.__init__"
    __init__.__module__ = kind.__module__
    __init__.__doc__ = f"Make the contract; see :class:`{kind.__name__}`."
    return __init__


def _own(base: type) -> list[Declaration]:
    return [item for item in vars(base).values() if isinstance(item, Declaration)]
