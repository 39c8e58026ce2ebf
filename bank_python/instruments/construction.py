"""The constructor of a contract class, derived from the class's declarations.

Everything that depends on the class only is computed once, when it is defined: the constructor's arguments, the term or
source that each becomes, and the lookup functions of curves and surfaces with their order. Creating a contract is then
a few passes over short lists.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from bank_python.dagger.contract import REQUIRED, Declaration, Source, Term
from bank_python.errors import BankError, ContractArgumentError, GraphError
from bank_python.guessing import misfit, short_signature
from bank_python.instruments.declarations import Expiry, Label, MadeAt
from bank_python.instruments.lookup import Lookup, TermStructureNode, look_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.dagger import Node
    from bank_python.dagger.contract import Contract

__all__ = ["Construction", "constructor"]

_END = "end"
_RESERVED = frozenset({"self", "name", "sources", "terms"})
_HOME = "bank_python.instruments.instrument"
"""Module that declares the arguments common to all contracts, which come last in a signature."""


class Construction:
    """Conversion of constructor arguments to the sources, terms and labels of contracts of a class.

    Parameters
    ----------
    kind : type of Contract
        Contract class.
    complete : callable
        Function of the class that computes the terms not determined by declarations.

    Raises
    ------
    GraphError
        Two declarations claim the same argument, the default of a term is out of its range, a lookup needs an argument
        that the class does not have, or the lookups of two sources depend on each other.
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
        self._labels = [(key, item.parameter, item.sure, item.take) for key, item in self.labels.items()]
        self._completes = any("complete" in vars(base) and base.__module__ != _HOME for base in kind.__mro__)
        self._end = [key for key, item in terms.items() if isinstance(item, MadeAt | Expiry)]
        self._lookups = self._ordered({key: item for key, item in sources.items() if item.lookup is not None})

    @property
    def lookup_terms(self) -> frozenset[str]:
        """Terms that are arguments of a lookup, if a source is a curve or surface."""
        used = {part for _, _, lookup in self._lookups for part in lookup.arguments if isinstance(part, str)}
        return frozenset(self._kind.term_names) & (used | set(self._end if _END in used else ()))

    def signature(self) -> inspect.Signature:
        """Return the signature of the constructor: required arguments first, those common to all contracts last."""
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
            An argument is unknown or missing.
        InstrumentError
            An argument is out of range.
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
        labels: dict[str, str] = {}
        for key, parameter, sure, checked in self._labels:
            label = arguments[parameter]
            labels[key] = label if label is sure else checked(name, label)
        sources = {key: arguments[parameter] for key, parameter in self._sources}
        for key, source, lookup in self._lookups:
            if isinstance(sources[key], TermStructureNode):
                known = {**arguments, **terms, **sources, _END: self._end_time(terms)}
                values = [known[part] if isinstance(part, str) else part for part in lookup.arguments]
                sources[key] = look_up(lookup.function_name, arguments[source.parameter], *values)
        return sources, terms, labels

    def without_a_name(self, name: object, given: Mapping[str, Any], more: str = "") -> ContractArgumentError:
        """Return the error for a contract whose first argument is not a name, or whose other arguments have none."""
        cls, known = self._kind.__name__, self._order()
        shown = more or ("" if name == "" and given else f", not {name!r}")
        return ContractArgumentError(
            f"{cls} needs a name first, a non-empty string{shown}: {cls}({cls.upper()!r}, "
            f"{', '.join(f'{key}=...' for key in known if key in self._required)})",
            name="",
            argument="name",
        )

    def _end_time(self, terms: Mapping[str, float]) -> float:
        return sum(terms[key] for key in self._end)

    def _ordered(self, declared: dict[str, Source]) -> list[tuple[str, Source, Lookup]]:
        """Return the sources with a lookup, each after those that its lookup depends on."""
        lookups = {
            key: item.lookup if isinstance(item.lookup, Lookup) else Lookup(item.lookup)  # type: ignore[arg-type]  # checked there
            for key, item in declared.items()
        }
        known = {*self.arguments, *self._kind.argument_names, _END}
        for key, lookup in lookups.items():
            missing = [part for part in lookup.arguments if isinstance(part, str) and part not in known]
            if missing:
                raise GraphError(
                    f"{self._kind.__name__}.{key}: the lookup function {lookup.function_name} needs "
                    f"{', '.join(missing)}, which the class does not have; it has {', '.join(sorted(known))}. Name the "
                    f"source or term to use: Lookup({lookup.function_name!r}, {missing[0]}=...)",
                    name=key,
                )
        needs = {key: [part for part in lookup.arguments if part in lookups] for key, lookup in lookups.items()}
        try:
            order = list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            cycle = " → ".join(map(str, error.args[1]))
            raise GraphError(
                f"{self._kind.__name__}: the lookups of sources depend on each other: {cycle}", name=cycle
            ) from error
        return [(str(key), declared[str(key)], lookups[str(key)]) for key in order]

    def _mismatch(self, name: str, given: Mapping[str, Any]) -> ContractArgumentError:
        cls, known = self._kind.__name__, self._order()
        unknown = [key for key in given if key not in self.arguments]
        if unknown:
            return ContractArgumentError(misfit(f"{cls} {name!r}", known, unknown), name=name, argument=unknown[0])
        missing = [key for key in self._order() if key in self._required and key not in given]
        return ContractArgumentError(
            f"{cls} {name!r} needs {', '.join(missing)}; it takes {', '.join(known)}", name=name, argument=missing[0]
        )


def _arguments_of(kind: type[Contract]) -> dict[str, Declaration]:
    """Return the declarations of the constructor's arguments, by argument name, after checking them."""
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
                raise GraphError(f"{error}; this is the default of {kind.__name__}.{key}", name=key) from error
    return found


def constructor(kind: type[Contract], construction: Construction, by_parts: Callable[..., None]) -> Callable[..., None]:
    """Return the constructor of a class, with a signature of the declared arguments.

    Parameters
    ----------
    kind : type of Contract
        Contract class.
    construction : Construction
        Conversion of the arguments to sources, terms and labels.
    by_parts : callable
        Constructor that takes sources and terms as mappings, for calls with such arguments.
    """

    def __init__(self: Any, name: str = "", *parts: Any, **given: Any) -> None:  # noqa: N807 - a constructor
        if not isinstance(name, str) or not name:  # type: ignore[redundant-expr]  # checked for untyped callers
            raise construction.without_a_name(name, given)
        if parts and not isinstance(parts[0], Mapping):
            raise construction.without_a_name(name, given, f", and the rest by name, not {parts[0]!r}")
        if parts or "sources" in given:
            by_parts(self, name, *parts, **given)
        else:
            self.make(name, given)

    signature = construction.signature()
    __init__.__signature__ = short_signature(signature)  # type: ignore[attr-defined]  # read by inspect
    __init__.__annotations__ = {key: item.annotation for key, item in signature.parameters.items() if key != "self"}
    __init__.__qualname__ = f"{kind.__qualname__}.__init__"
    __init__.__module__ = kind.__module__
    __init__.__doc__ = f"Create the contract; see :class:`{kind.__name__}`."
    return __init__


def _own(base: type) -> list[Declaration]:
    return [item for item in vars(base).values() if isinstance(item, Declaration)]
