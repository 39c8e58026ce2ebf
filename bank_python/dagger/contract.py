"""Declarations of contract classes, and how their ``price`` function is bound to them.

A class of contracts declares its market inputs (:class:`Source`), its terms (:class:`Term`) and one ``price``
function of them::

    class Forward(ArrayNode):
        spot = Source("price of the underlying")
        strike = Term("delivery price", positive=True)
        price = staticmethod(lambda strike, spot: spot - strike)

Arguments are bound *by name*, when the class is defined: ``price`` may take them in any order, and a class whose
``price`` does not match its declarations raises an error at that moment. The bound function is called with the rows of
a table (:attr:`Contract.argument_names`: sources, then terms, each in the order of declaration, base classes first),
once for any number of contracts.

A declaration has more than a name: the valid range of a term, the default of an argument, the kind of quantity of a
source. :mod:`bank_python.instruments.instrument` generates the constructor from these; the engine itself uses the names
only.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar, cast, overload

import numpy as np

from bank_python.dagger.node import Node, _NodeType
from bank_python.errors import BankError, GraphError, NodeArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["REQUIRED", "Binding", "Contract", "Declaration", "Flag", "Inferred", "Source", "Term", "bind"]

_Declared = TypeVar("_Declared", bound="Declaration")
_POSITIONAL = frozenset({inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD})
_VARIADIC = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


class _Required:
    """Marker in place of the default of a required argument."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Any = _Required()


class Declaration:
    """Declaration of an argument of a contract class and its constructor.

    Parameters
    ----------
    doc : str
        Description of the argument, a phrase without a full stop.
    default : object, optional
        Default value of the argument; an argument without a default is required.
    alias : str, optional
        Name of the constructor's argument, if it differs from the declaration's name; declarations may share an alias.
    init : bool, default True
        Whether the constructor takes the argument; otherwise its value is derived from other arguments.
    """

    hint: object = object
    """Type annotation of the constructor's argument."""
    priced: bool = True
    """Whether ``price`` has to take the argument."""

    def __init__(self, doc: str, *, default: object = REQUIRED, alias: str | None = None, init: bool = True) -> None:
        self.__doc__ = doc
        self.name = ""
        self.default = default
        self.alias = alias
        self.init = init
        self.owner: type[Contract] | None = None

    def __set_name__(self, owner: type[Contract], name: str) -> None:
        self.name = name
        self.owner = owner

    @property
    def parameter(self) -> str:
        """Name of the constructor's argument."""
        return self.alias or self.name

    def refuse(self, contract: str, value: object, reason: str) -> BankError:
        """Return the error for an invalid value of this argument in the contract named `contract`."""
        refusal = getattr(self.owner, "refusal", GraphError)
        space = "" if reason.startswith(":") else " "
        error: BankError = refusal(f"{contract}: {self.name}={value!r}{space}{reason}", name=contract, value=value)
        return error

    def __repr__(self) -> str:
        of = "" if self.owner is None else f" of {self.owner.__name__}"
        return f"<{type(self).__name__} {self.name or 'without a name'}{of}>"


class Source(Declaration):
    """A market input of a contract: a node or a number.

    Parameters
    ----------
    doc, default, alias, init
        Same parameters as those of :class:`Declaration`; the default alias is the name followed by ``_source``.
    kind : object, optional
        Kind of quantity (a price, a volatility, a rate), available to users of the class.
    lookup : object, optional
        Lookup that extracts a number from a source whose value is an object, such as a curve or a surface.
    priced : bool, default True
        Whether ``price`` has to take the input as an argument.
    """

    hint = Node | float

    def __init__(
        self,
        doc: str,
        *,
        default: object = REQUIRED,
        alias: str | None = None,
        init: bool = True,
        kind: object = None,
        lookup: object = None,
        priced: bool = True,
    ) -> None:
        super().__init__(doc, default=default, alias=alias, init=init)
        self.kind = kind
        self.lookup = lookup
        self.priced = priced

    @property
    def parameter(self) -> str:
        """Name of the constructor's argument."""
        return self.alias or f"{self.name}_source"

    @overload
    def __get__(self, node: None, owner: type) -> Self: ...
    @overload
    def __get__(self, node: Contract, owner: type) -> Node | float: ...
    def __get__(self, node: Contract | None, owner: type) -> Self | Node | float:
        return self if node is None else node.source_at(self.name)

    def __set__(self, node: Contract, value: Node | float) -> None:
        raise GraphError(
            f"{node.name}.{self.name} cannot be set; in a graph, replace the node, or construct a new contract",
            name=node.name,
            value=value,
        )


class Term(Declaration):
    """A term of a contract: a number that is fixed when the contract is constructed, unless it is amended.

    Parameters
    ----------
    doc, default, alias, init
        Same parameters as those of :class:`Declaration`.
    positive : bool, default False
        Whether the value has to be above zero.
    above, at_least, below, at_most : float, optional
        Bounds of the value; `above` and `below` are exclusive, `at_least` and `at_most` inclusive.
    among : sequence of float, optional
        Allowed values, if only these are valid.
    whole : bool, default False
        Whether the value has to be a whole number.
    says : str, optional
        Text of the error message after ``name: term=value``; by default it states the bounds.
    priced : bool, default True
        Whether ``price`` has to take the term as an argument.
    """

    hint = float
    inferred: ClassVar[bool] = False
    """Whether the class derives the value of an argument that is omitted or None."""

    def __init__(
        self,
        doc: str,
        *,
        default: object = REQUIRED,
        alias: str | None = None,
        init: bool = True,
        positive: bool = False,
        above: float = -math.inf,
        at_least: float = -math.inf,
        below: float = math.inf,
        at_most: float = math.inf,
        among: Sequence[float] = (),
        whole: bool = False,
        says: str = "",
        priced: bool = True,
    ) -> None:
        super().__init__(doc, default=default, alias=alias, init=init)
        self.positive = positive
        self.among = frozenset(among)
        self.whole = whole
        self.priced = priced
        self.says = says
        self.at_least = at_least
        self._low = max(above, 0.0 if positive else -math.inf, _before(at_least))
        self._high = min(below, -_before(-at_most))
        # A float between the two bounds is accepted by two comparisons; any other value is checked by `admit`.
        self._surely_above = self._low if not among and not whole else math.inf

    @overload
    def __get__(self, node: None, owner: type) -> Self: ...
    @overload
    def __get__(self, node: Contract, owner: type) -> float: ...
    def __get__(self, node: Contract | None, owner: type) -> Self | float:
        return self if node is None else node.term_at(self.name)

    def __set__(self, node: Contract, value: float) -> None:
        raise GraphError(
            f"{node.name}.{self.name} cannot be set; write {node.name}.amend({self.name}={value!r})",
            name=node.name,
            value=value,
        )

    def take(self, contract: str, value: Any, arguments: Mapping[str, Any]) -> float:  # noqa: ARG002 - subclasses use it
        """Convert an argument of the constructor to the value of the term.

        Parameters
        ----------
        contract : str
            Name of the contract, for error messages.
        value : object
            Argument given for this term.
        arguments : mapping of str to object
            All arguments of the constructor by name.

        Raises
        ------
        BankError
            The argument is not a valid value of the term; an instance of :attr:`Contract.refusal`.
        """
        if value.__class__ is float and self._surely_above < value < self._high:
            return value
        return self.admit(contract, value)

    def admit(self, contract: str, value: object) -> float:
        """Return `value` as a float if it is a valid value of the term.

        Raises
        ------
        BankError
            The value is not valid; an instance of :attr:`Contract.refusal`.
        """
        number: Any = value
        is_number = _is_number(value)
        if is_number and self._low < number < self._high and self._is_allowed(number):
            return float(number)
        raise self.refuse(contract, value, self.says or self._complaint(number if is_number else math.nan))

    def _is_allowed(self, value: Any) -> bool:
        return (not self.among or value in self.among) and (not self.whole or value == math.floor(value))

    def _complaint(self, value: Any) -> str:
        if self.positive and math.isfinite(value):
            return "must be above zero; correct the contract"
        if self.among:
            return f"is not one of {', '.join(f'{known:g}' for known in sorted(self.among))}; choose one of them"
        kind = "whole" if self.whole else "finite"
        bounds = ""
        if self.at_least > -math.inf:
            bounds = f" of at least {self.at_least:g}"
        elif self._low > -math.inf and not self.positive:
            bounds = f" above {self._low:g}"
        if self._high < math.inf:
            bounds += f"{' and' if bounds else ''} below {self._high:g}"
        return f"is not a {kind} number{bounds}; correct the contract"


class Flag(Term):
    """A term that is true or false, stored as 1.0 or 0.0."""

    hint = bool

    if TYPE_CHECKING:

        def __set__(self, node: Contract, value: bool) -> None: ...  # type: ignore[override]  # type of the argument

    def take(self, contract: str, value: Any, arguments: Mapping[str, Any]) -> float:  # noqa: ARG002 - as in Term
        """Convert an argument of the constructor to 1.0 or 0.0."""
        if value is True:
            return 1.0
        return 0.0 if value is False else self.admit(contract, value)

    def admit(self, contract: str, value: object) -> float:
        """Return 1.0 or 0.0 for a boolean, or for one of these numbers."""
        if isinstance(value, bool | np.bool_) or (_is_number(value) and value in {0.0, 1.0}):
            return float(value)
        raise self.refuse(contract, value, "is neither true nor false; correct the contract")


class Inferred(Term):
    """A term with the default None, whose value is then derived by the class."""

    hint = float | None
    inferred = True

    if TYPE_CHECKING:

        def __set__(self, node: Contract, value: float | None) -> None: ...


class Binding(NamedTuple):
    """A function of a contract class, and the rows of the table that are its arguments.

    Parameters
    ----------
    function : callable
        Function of arrays that returns arrays.
    order : tuple of int or None
        Indices of the rows passed by position; None if all rows are passed in order.
    keywords : tuple of (str, int)
        Names and indices of the rows passed by keyword.
    """

    function: Callable[..., Any]
    order: tuple[int, ...] | None
    keywords: tuple[tuple[str, int], ...]

    def __call__(self, rows: Sequence[Any] | NDArray[Any]) -> Any:
        """Call the function; `rows` are in the order of the class's declarations."""
        if self.order is None:
            return self.function(*rows)
        given = [rows[i] for i in self.order]
        return self.function(*given, **{key: rows[i] for key, i in self.keywords})


class _Body(dict[str, Any]):
    """Namespace of a class body that raises if a name is declared twice."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __setitem__(self, key: str, value: Any) -> None:
        known = self.get(key)
        if isinstance(known, Declaration) or (isinstance(value, Declaration) and key in self):
            kinds = f"{_kind_of(known)}, then as {_kind_of(value)}"
            raise GraphError(f"{self._name} declares {key} twice: as {kinds}; rename one", name=key)
        super().__setitem__(key, value)


class _ContractType(_NodeType):
    """Metaclass of contract classes; binds ``price`` again when it is assigned after the class is defined."""

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **kwargs: Any) -> _Body:
        return _Body(name)

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], /, **kwargs: Any) -> Any:
        return super().__new__(cls, name, bases, dict(body), **kwargs)

    def __setattr__(cls, name: str, value: object) -> None:
        bound = getattr(cls, "bound_names", ())
        before = vars(cls).get(name) if name in bound else None
        super().__setattr__(name, value)
        if name in bound:
            try:
                _bind_all(cast("type[Contract]", cls))
            except GraphError:
                super().__setattr__(name, before)
                _bind_all(cast("type[Contract]", cls))
                raise


class Contract(metaclass=_ContractType):
    """Base of contract classes, without the node; a node class inherits from it and from Node."""

    __slots__ = ()

    price: ClassVar[Callable[..., Any]]
    """Price of one unit, a function of sources and terms by name, as broadcastable float64 arrays."""
    source_names: ClassVar[tuple[str, ...]] = ()
    term_names: ClassVar[tuple[str, ...]] = ()
    argument_names: ClassVar[tuple[str, ...]] = ()
    """Names of the rows of a table of such contracts: sources, then terms."""
    refusal: ClassVar[type[BankError]] = GraphError
    """Class of the error that an invalid term raises."""
    bound_names: ClassVar[tuple[str, ...]] = ("price", "price_and_greeks")
    """Names of the functions that are bound: ``price``, and its closed-form derivatives."""
    bindings: ClassVar[Mapping[str, Binding]] = {}
    """Bound functions of the class by name, without those that belong to the ``price`` of a base class only."""

    if TYPE_CHECKING:
        name: str
        sources_: dict[str, Node | float]
        terms_: dict[str, float]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.source_names = tuple(cls.declared(Source))
        cls.term_names = tuple(cls.declared(Term))
        cls.argument_names = (*cls.source_names, *cls.term_names)
        _refuse_names(cls)
        _bind_own(cls)

    def source_at(self, name: str) -> Node | float:
        """Return the node or number that is the source of that name."""
        return self.sources_[name]

    def term_at(self, name: str) -> float:
        """Return the value of the term of that name."""
        return self.terms_[name]

    def node_sources(self) -> list[tuple[int, Node]]:
        """Return the sources that are nodes, each with its index among the arguments."""
        return [(place, item) for place, item in enumerate(self.sources_.values()) if isinstance(item, Node)]

    def arguments(self, read: Callable[[Node], object]) -> list[float]:
        """Return the arguments of ``price``: the values of the sources, then the terms.

        Parameters
        ----------
        read : callable
            Function that takes a node and returns its value, or raises its error.
        """
        sources = [
            float(cast("float", read(item))) if isinstance(item, Node) else item for item in self.sources_.values()
        ]
        return [*sources, *self.terms_.values()]

    @classmethod
    def declared(cls, kind: type[_Declared]) -> dict[str, _Declared]:
        """Return the declarations of one kind by name, those of base classes first."""
        named = [name for base in reversed(cls.__mro__) for name, item in vars(base).items() if isinstance(item, kind)]
        found = {name: inspect.getattr_static(cls, name) for name in dict.fromkeys(named)}
        return {name: item for name, item in found.items() if isinstance(item, kind)}

    @classmethod
    def call_price(cls, rows: Sequence[Any] | NDArray[Any], shape: tuple[int, ...] | None = None) -> NDArray[Any]:
        """Price contracts given as arrays; a contract without a price gives NaN and no numpy warning.

        Parameters
        ----------
        rows : sequence of array
            Arguments in the order of :attr:`argument_names`, each of a shape that broadcasts to `shape`.
        shape : tuple of int, optional
            Shape of the prices; by default that of the first row.

        Returns
        -------
        array of shape `shape`
            Prices, in single precision if ``price`` returns that, else in double precision; possibly read-only.

        Raises
        ------
        GraphError
            The class has no ``price``.
        Exception
            Whatever ``price`` raises.
        """
        binding = cls.bindings.get("price")
        if binding is None:
            raise GraphError(f"{cls.__name__} has no price function, and so no value; define price in a subclass")
        wanted = rows[0].shape if shape is None else shape
        with np.errstate(all="ignore"):
            values = binding(rows)
        if type(values) is np.ndarray and values.shape == wanted and values.dtype.kind == "f":
            return values
        found = np.asarray(values)
        return np.broadcast_to(found if found.dtype.kind == "f" else found.astype(np.float64), wanted)

    @classmethod
    def diagnose(cls, inputs: Mapping[str, float]) -> str:
        """Return the reason why ``price`` is NaN for these inputs and terms; subclasses give more specific reasons."""
        listed = ", ".join(f"{key}={value!r}" for key, value in inputs.items())
        return f"no finite value for {listed}"

    @classmethod
    def admit_terms(cls, contract: str, terms: Mapping[str, object]) -> dict[str, float]:
        """Return terms as floats, each checked against its declaration.

        Parameters
        ----------
        contract : str
            Name of the contract, for error messages.
        terms : mapping of str to object
            Values of the terms by name.

        Raises
        ------
        GraphError
            There is no such term, or the value is not a finite number.
        BankError
            The value is outside the range of the term; an instance of :attr:`refusal`.
        """
        admitted = {}
        for key, value in terms.items():
            if key not in cls.term_names or not _is_number(value, or_bool=True):
                known = ", ".join(cls.term_names)
                raise NodeArgumentError(f"{contract}: cannot set {key}={value!r}; terms are finite numbers: {known}")
            admitted[key] = cls.declared_term(key).admit(contract, value)
        return admitted

    @classmethod
    def declared_term(cls, name: str) -> Term:
        """Return the declaration of a term."""
        term: Term = inspect.getattr_static(cls, name)
        return term


def bind(
    cls: type[Contract], name: str, function: Callable[..., Any], known: Sequence[str], needed: Iterable[str]
) -> Binding:
    """Bind the arguments of a function to rows by name.

    Parameters
    ----------
    cls : type of Contract
        Class that has the function, for error messages.
    name : str
        Name of the function in the class.
    function : callable
        Function to bind.
    known : sequence of str
        Names of the rows.
    needed : iterable of str
        Names of the rows that the function has to take.

    Raises
    ------
    GraphError
        An argument without a default is not the name of a row, or the function does not take a row that it has to.
    """
    parameters = _parameters(cls, name, function)
    missing = [row for row in needed if row not in parameters]
    strange = [key for key, item in parameters.items() if key not in known and item.default is item.empty]
    if missing or strange:
        raise _mismatch(cls, name, parameters, missing, strange)
    order: list[int] = []
    keywords: list[tuple[str, int]] = []
    skipped = ""
    for key, item in parameters.items():
        if key not in known:
            skipped = skipped or key
        elif item.kind in _POSITIONAL and not skipped:
            order.append(known.index(key))
        elif item.kind is not item.POSITIONAL_ONLY:
            keywords.append((key, known.index(key)))
        else:
            raise GraphError(f"{cls.__name__}.{name}: {key} is positional-only; put it before {skipped}", name=key)
    natural = not keywords and order == list(range(len(known)))
    return Binding(function, None if natural else tuple(order), tuple(keywords))


def _parameters(cls: type[Contract], name: str, function: object) -> dict[str, inspect.Parameter]:
    if not callable(function):
        raise GraphError(f"{cls.__name__}.{name} is {function!r}, not a function of sources and terms", name=name)
    try:
        parameters = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError) as error:
        raise GraphError(
            f"{cls.__name__}.{name} has no readable signature ({error}); wrap it in a function with named arguments",
            name=name,
        ) from error
    loose = [str(item) for item in parameters.values() if item.kind in _VARIADIC]
    if loose:
        raise GraphError(
            f"{cls.__name__}.{name} takes {' and '.join(loose)}, which cannot be bound by name; name its arguments: "
            f"{', '.join(cls.argument_names)}",
            name=name,
        )
    return parameters


def _mismatch(
    cls: type[Contract], name: str, parameters: Iterable[str], missing: Sequence[str], strange: Sequence[str]
) -> GraphError:
    complaints = []
    if strange:
        complaints.append(f"{', '.join(strange)} {'is' if len(strange) == 1 else 'are'} not declared")
    if missing:
        complaints.append(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not taken")
    hint = "; make it a static method" if "self" in strange else ""
    return GraphError(
        f"{cls.__name__}.{name}({', '.join(parameters)}) does not match the class, which declares the sources "
        f"{', '.join(cls.source_names) or 'none'} and the terms {', '.join(cls.term_names) or 'none'}: "
        f"{'; '.join(complaints)}{hint}. Name the arguments as declared, or declare with priced=False what the "
        "price does not need",
        name=cls.__name__,
    )


def _bind_own(cls: type[Contract]) -> None:
    """Bind the functions of the class, inherited ones included, to the declarations of the class."""
    items = [*cls.declared(Source).values(), *cls.declared(Term).values()]
    free = {item.name for item in items if not item.priced}
    needed = {"price": [key for key in cls.argument_names if key not in free]}
    needed["price_and_greeks"] = needed["price"]
    bindings = {}
    for name in cls.bound_names:
        own = vars(cls).get(name)
        if inspect.isfunction(own):
            type.__setattr__(cls, name, staticmethod(own))
        function = getattr(cls, name, None)
        if function is not None and _depth(cls, name) <= _depth(cls, "price"):
            bindings[name] = bind(cls, name, function, cls.argument_names, needed.get(name, ()))
    cls.bindings = bindings


def _depth(cls: type[Contract], name: str) -> int:
    """Return the position in the method resolution order of the class that defines the attribute `name`."""
    return next((i for i, base in enumerate(cls.__mro__) if name in vars(base)), len(cls.__mro__))


def _bind_all(cls: type[Contract]) -> None:
    _bind_own(cls)
    for derived in cls.__subclasses__():
        _bind_all(derived)


def _refuse_names(cls: type[Contract]) -> None:
    """Raise for a declaration that hides another attribute of the class, or is hidden by one."""
    for name, item in vars(cls).items():
        hides = [base for base in cls.__mro__[1:] if name in vars(base)]
        if isinstance(item, Declaration):
            if name.startswith("_") or name in cls.bound_names:
                raise GraphError(f"{cls.__name__} cannot declare {name}: choose another name", name=name)
            for base in hides:
                known = vars(base)[name]
                if _kind_of(known) != _kind_of(item):
                    raise GraphError(
                        f"{cls.__name__} declares {name} as {_kind_of(item)}, but {name} is {_kind_of(known)} of "
                        f"{base.__name__}; choose another name",
                        name=name,
                    )
        elif any(isinstance(vars(base)[name], Declaration) for base in hides):
            base = next(base for base in hides if isinstance(vars(base)[name], Declaration))
            raise GraphError(
                f"{cls.__name__}.{name} hides the {_kind_of(vars(base)[name])} {name} of {base.__name__}; "
                "choose another name",
                name=name,
            )


def _kind_of(item: object) -> str:
    for kind, word in ((Source, "source"), (Term, "term"), (Declaration, "argument")):
        if isinstance(item, kind):
            return word
    return "attribute"


def _is_number(value: object, *, or_bool: bool = False) -> bool:
    if isinstance(value, bool | np.bool_):
        return or_bool
    return isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value)


def _before(bound: float) -> float:
    return bound if math.isinf(bound) else math.nextafter(bound, -math.inf)
