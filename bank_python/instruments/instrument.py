"""Base classes of all contracts: currency, generated constructor, Greeks, and expiry relative to a clock.

A contract class consists of a docstring, sources and terms, and one pure function ``price`` of them; see
:class:`Instrument`. Its constructor is generated when the class is defined, with a signature for ``help``, completion
and type checkers.

A contract with an end counts its expiry from its creation. With a :class:`~bank_python.market_data.Clock` as its clock
source that is the clock time of its creation, and advancing the clock revalues the contract; without one, time is
fixed.
"""

from __future__ import annotations

import math
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeGuard, dataclass_transform

from bank_python.dagger import ArrayNode, Flag, Inferred, Node, Source, Term
from bank_python.deprecation import warn_of
from bank_python.errors import BankError, GraphError, InstrumentError
from bank_python.guessing import explain_calls
from bank_python.instruments.checks import end_on, finite, known_currency, negative, positive, present, years_to
from bank_python.instruments.construction import Construction, constructor
from bank_python.instruments.contract_greeks import ContractGreeks, take_contract_greeks
from bank_python.instruments.declarations import Argument, Expiry, InferredLabel, Label, MadeAt
from bank_python.instruments.factor import Factor, factor_named
from bank_python.instruments.lookup import LookupNode
from bank_python.wording import OtherWord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from bank_python.market_data.clock import Clock
    from bank_python.risk_models import Greeks

__all__ = [
    "DatedInstrument",
    "Instrument",
    "Lognormal",
    "end_on",
    "finite",
    "is_spot",
    "known_currency",
    "negative",
    "positive",
    "present",
    "quote_of",
    "years_to",
]


class Lognormal(NamedTuple):
    """Names of the sources and terms of a class that describe an underlying with geometric Brownian motion.

    Parameters
    ----------
    spot, vol, rate, dividend : str
        Names of the sources for the underlying's price, its volatility, the discount rate and the underlying's yield.
    expiry : str
        Name of the term for the time to the payoff.
    """

    spot: str = "spot"
    vol: str = "vol"
    rate: str = "rate"
    dividend: str = "dividend"
    expiry: str = "expiry"


def _name(*, kw_only: bool = False) -> Any: ...


def _constructor_by_parts(cls: type[Instrument]) -> Callable[..., None] | None:
    """Return the constructor that takes sources and terms as mappings; None if a base class defines its own."""
    for base in cls.__mro__[1:]:
        written = vars(base).get("__init__")
        if written is not None and not hasattr(written, "__signature__"):
            by_parts = base is Instrument or base is DatedInstrument
            return written if by_parts else None
    return None


def _take_old_names(cls: type[Instrument]) -> None:
    """Accept the old names of class attributes: the static method ``greeks``, and ``asked_terms``."""
    if "asked_terms" in vars(cls):
        warn_of(f"the class attribute {cls.__name__}.asked_terms", "lookup_terms", stacklevel=5)
        type.__setattr__(cls, "lookup_terms", vars(cls)["asked_terms"])
    written = vars(cls).get("greeks")
    if written is None or "self" in signature(getattr(written, "__func__", written)).parameters:
        return
    warn_of(f"the static method {cls.__name__}.greeks", "price_and_greeks", stacklevel=5)
    type.__delattr__(cls, "greeks")
    type.__setattr__(cls, "price_and_greeks", written)  # its arguments are bound by the base class afterwards


def _require_diffusion(cls: type[Instrument]) -> None:
    """Raise an error for a class with a payoff but without the sources of its underlying."""
    missing = [name for name in cls.simulated_as if name not in cls.argument_names]
    if missing and "payoff" in cls.bindings:
        raise GraphError(
            f"{cls.__name__} has a payoff, but no {', '.join(missing)}; name the sources and terms of its underlying: "
            "simulated_as = Lognormal(dividend=...)",
            name=cls.__name__,
        )


@dataclass_transform(
    kw_only_default=True,
    eq_default=False,
    field_specifiers=(Source, Term, Flag, Inferred, Expiry, MadeAt, Label, InferredLabel, Argument, _name),
)
class _Declared(ArrayNode):
    """A class whose declarations are the arguments of its constructor, also for type checkers."""


class Instrument(_Declared):
    """A contract: market inputs, terms, a currency, and the ``price`` function of its class.

    A contract class declares its sources and terms, which are the arguments of its constructor::

        class Forward(Instrument):
            spot: Source = Source("price of the underlying", alias="spot_source")
            strike: Term = Term("delivery price", positive=True)

            @staticmethod
            def price(spot, strike):
                return spot - strike


        Forward("F", spot_source=100.0, strike=80.0, currency="EUR")

    Parameters
    ----------
    name : str
        Node name, unique in its graph, and part of its key in a store (``/Instruments/NAME``).
    sources : mapping of str to Node or float
        Market inputs by declared name.
    terms : mapping of str to float
        Contract terms by declared name.
    currency : str, default "USD"
        ISO 4217 code of the currency of :attr:`value`.

    Raises
    ------
    InstrumentError
        The currency is not a three-letter code.

    Notes
    -----
    Annotations and aliases are for type checkers only: without them the argument of a source ``spot`` is
    ``spot_source`` as well.
    """

    record_home: ClassVar[str] = "/Instruments/"
    refusal: ClassVar[type[BankError]] = InstrumentError
    bound_names: ClassVar[tuple[str, ...]] = ("price", "price_and_greeks", "payoff", "payoff_slope", "paid")
    factors: ClassVar[Mapping[str, Factor]] = {}
    """Kinds of sources whose names mean something else in this class, where the source does not declare its kind."""
    risk_factors: ClassVar[Mapping[str, Factor]] = {}
    """Kinds of market quantities that sources are quoted as, where they differ from the kind used for Greeks."""
    quote_source: ClassVar[str] = ""
    """Name of the source that is itself the contract's value, such as the price of a share; empty if there is none."""
    quoted_as: ClassVar[Factor | None] = None
    """Kind of market quantity of the leaves below such a contract, if the class determines it."""
    lowest_value: ClassVar[float] = -math.inf
    """Lower bound of the contract's value in any market: 0 for a contract without obligations of its holder."""
    lookup_terms: ClassVar[frozenset[str]] = frozenset()
    """Names of the terms that are arguments of a lookup and cannot be amended, if a source is a curve or surface."""
    price_and_greeks: ClassVar[Callable[..., Greeks] | None] = None
    """Closed-form price and derivatives, with the arguments of ``price``, if the class has them."""
    payoff: ClassVar[Callable[..., Any] | None] = None
    """Payoff at expiry, if it is a function of the underlying's price at expiry and of terms."""
    payoff_slope: ClassVar[Callable[..., Any] | None] = None
    """Derivative of ``payoff`` by the underlying's price, if the payoff is continuous."""
    paid: ClassVar[Callable[..., Any] | None] = None
    """Cash that one unit has paid since the contract's creation, including flows due now, if the class pays before its
    end; for final payments see :mod:`bank_python.instruments.cash_flows`."""
    simulated_as: ClassVar[Lognormal] = Lognormal()
    """Sources and terms of the underlying in ``payoff``."""
    construction: ClassVar[Construction]
    """Conversion of constructor arguments to sources, terms and labels."""

    if TYPE_CHECKING:
        name: str = _name(kw_only=False)
    currency: Label = Label("ISO 4217 code of the value's currency", default="USD", check=known_currency)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        _take_old_names(cls)
        super().__init_subclass__(**kwargs)
        _require_diffusion(cls)
        cls.construction = Construction(cls, cls.complete)
        if "lookup_terms" not in vars(cls):
            cls.lookup_terms = cls.lookup_terms | cls.construction.lookup_terms
        by_parts = None if "__init__" in vars(cls) else _constructor_by_parts(cls)
        if by_parts is not None:
            cls.__init__ = constructor(cls, cls.construction, by_parts)  # type: ignore[method-assign]  # generated constructor
        if "price" in vars(cls):  # bound already: the graph calls the function itself
            how = "for the value of a contract write contract.value; price takes its inputs, numbers or arrays"
            cls.price = staticmethod(explain_calls(cls.price, f"{cls.__name__}.price", how))

    def __init__(
        self, name: str, sources: Mapping[str, Node | float], terms: Mapping[str, float], currency: str = "USD"
    ) -> None:
        super().__init__(name, sources, terms)
        labels = {key: item.default for key, item in self.construction.labels.items() if isinstance(item.default, str)}
        self.__dict__.update(labels, currency=known_currency(name, currency))

    if not TYPE_CHECKING:
        implied_volatility, iv = (OtherWord(".implied_vol(price), of an option") for _ in range(2))
        dv01, pv01 = (OtherWord(".rho, for a unit of the rate: 1e-4 * rho is a basis point's") for _ in range(2))

    def make(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Initialise the contract from the arguments of its constructor.

        Raises
        ------
        ContractArgumentError
            An argument is unknown or missing.
        InstrumentError
            An argument is out of range.
        """
        sources, terms, labels = self.construction.parts(name, arguments)
        ArrayNode.__init__(self, name, sources, terms)
        self.__dict__.update(labels)
        self.completed()

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Compute terms that were not given; a hook for classes whose declarations do not determine them.

        Parameters
        ----------
        name : str
            Name of the contract.
        arguments : dict of str to object
            Arguments of the constructor, including defaults; labels and sources are read from it afterwards.
        terms : dict of str to float
            Terms given, after their checks; the method adds those that it computes.
        """

    def completed(self) -> None:
        """Finish the contract's construction; a hook for subclasses, called last."""

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the contract by name, including its currency."""
        return {key: str(self.__dict__[key]) for key in self.construction.labels if key in self.__dict__}

    @classmethod
    def factor_of(cls, source: str) -> Factor:
        """Return the kind of market quantity of a source of this class."""
        declared = getattr(cls, source, None) if source in cls.source_names else None
        kind = declared.kind if isinstance(declared, Source) else None
        return cls.factors.get(source) or (kind if isinstance(kind, Factor) else factor_named(source))

    @classmethod
    def risk_factor_of(cls, source: str) -> Factor:
        """Return the kind of market quantity that a source of this class is quoted as."""
        return cls.risk_factors.get(source) or cls.factor_of(source)

    def amend(self, **terms: float) -> None:
        """Change some of the contract's terms; in a graph, its dependents become stale.

        Raises
        ------
        InstrumentError
            A value is out of range, or a term is an argument of a lookup from a curve or surface. Nothing is changed.
        GraphError
            There is no such term, or a value is not a finite number. Nothing is changed.
        """
        used = sorted(self.lookup_terms.intersection(terms))
        if used and any(isinstance(source, LookupNode) for source in self.underliers):
            raise InstrumentError(
                f"{self.name}: the lookup from its curve or surface uses the current {', '.join(used)}; "
                "create a new contract instead",
                name=self.name,
            )
        super().amend(**terms)

    def greeks(self) -> ContractGreeks:
        """Return price and sensitivities at the current inputs, which are those of the active scenario if there is one.

        Returns
        -------
        ContractGreeks
            Figures of one unit of the contract in its currency: per unit of spot, per 1.00 of volatility or rate, per
            year of elapsed time. Closed forms if the class has them (:attr:`price_and_greeks`), else finite
            differences.

        Raises
        ------
        BankError
            The contract has no value; the error is that of :attr:`value`.

        Notes
        -----
        Numbers looked up from a curve or surface are independent inputs: vega is by the volatility at the strike, and a
        surface that moves with the spot adds nothing to delta.
        """
        return take_contract_greeks(self)

    @property
    def delta(self) -> float:
        """Change of :attr:`value` per unit of spot; :meth:`greeks` computes all Greeks at once."""
        return self.greeks().delta

    @property
    def gamma(self) -> float:
        """Change of :attr:`delta` per unit of spot."""
        return self.greeks().gamma

    @property
    def vega(self) -> float:
        """Change of :attr:`value` per 1.00 of volatility; a hundredth of it per percentage point."""
        return self.greeks().vega

    @property
    def theta(self) -> float:
        """Change of :attr:`value` per year of elapsed time; 1/365 of it per day."""
        return self.greeks().theta

    @property
    def rho(self) -> float:
        """Change of :attr:`value` per 1.00 of the rate; a ten-thousandth of it per basis point."""
        return self.greeks().rho

    def cash_flow(self, since: float, until: float, read: Callable[[Node | float], float]) -> float | None:  # noqa: ARG002 - a hook for subclasses
        """Return the cash that one unit pays after `since` and up to `until`; None if the class uses `paid` instead.

        Parameters
        ----------
        since, until : float
            Clock times in years between which payments count.
        read : callable
            Function from a source, a node or a number, to its value.
        """
        return None

    def to_record(self) -> Mapping[str, object]:
        """Return name, sources (nodes by reference), terms and labels, including the currency."""
        return {**super().to_record(), **self.labels}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the contract from its stored fields, without checking them again."""
        contract = cls.__new__(cls)
        parts = {key: value for key, value in fields.items() if key not in cls.construction.labels}
        ArrayNode.__init__(contract, **parts)  # type: ignore[arg-type]  # the fields are those of to_record
        contract.__dict__.update({key: value for key, value in fields.items() if key not in parts})
        return contract


Instrument.construction = Construction(Instrument, Instrument.complete)


def quote_of(node: object) -> Node | float | None:
    """Return the source that is itself a contract's value, such as a share's price; None if there is none."""
    if isinstance(node, Instrument) and node.quote_source:
        source: Node | float = getattr(node, node.quote_source)
        return source
    return None


def is_spot(node: object) -> TypeGuard[Instrument]:
    """Return whether a node is a spot asset: a share or a coin, but not a currency or a derivative."""
    return isinstance(node, Instrument) and bool(node.quote_source) and node.factor_of(node.quote_source) is Factor.SPOT


class DatedInstrument(Instrument):
    """A contract with an end, whose time to expiry decreases as its clock advances."""

    clock: Source = Source(
        "valuation time in years: a Clock, or a number for a fixed time", alias="clock_source", default=0.0
    )
    made_at: MadeAt = MadeAt("clock time of the contract's creation, in years", init=False)

    def __init__(
        self,
        name: str,
        sources: Mapping[str, Node | float],
        terms: Mapping[str, float],
        currency: str,
        clock_source: Clock | float,
    ) -> None:
        made_at = end_on(clock_source, 0.0)
        super().__init__(name, {**sources, "clock": clock_source}, {**terms, "made_at": made_at}, currency)
