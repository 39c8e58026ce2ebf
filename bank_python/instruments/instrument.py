"""What all contracts share: a currency, a constructor made of what the class declares, and dates that pass.

A class of contracts is a docstring, its sources and terms, and one pure ``price`` of them; see :class:`Instrument`. Its
constructor is generated when it is defined, with a signature that ``help``, completion and type checkers see.

A contract that decays counts its expiry from the moment it was made. With a
:class:`~bank_python.market_data.Clock` as its clock source that moment is what the clock read then, and
rolling the clock revalues it; without one, time stands still.
"""

from __future__ import annotations

import math
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeGuard, dataclass_transform

from bank_python.dagger import ArrayNode, Flag, Inferred, Node, Source, Term
from bank_python.deprecation import warn_of
from bank_python.errors import BankError, GraphError, InstrumentError
from bank_python.instruments.checks import end_on, finite, known_currency, negative, positive, present, years_to
from bank_python.instruments.construction import Construction, constructor
from bank_python.instruments.contract_greeks import ContractGreeks, take_contract_greeks
from bank_python.instruments.declarations import Argument, Expiry, InferredLabel, Label, MadeAt
from bank_python.instruments.factor import Factor, factor_named
from bank_python.instruments.lookup import Answer

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
    """Which sources and terms of a class are those of a price that moves by geometric Brownian motion.

    Parameters
    ----------
    spot, vol, rate, dividend : str
        The sources that are the price, its volatility, the discount rate and the yield that the price pays.
    expiry : str
        The term that is the time to the payoff.
    """

    spot: str = "spot"
    vol: str = "vol"
    rate: str = "rate"
    dividend: str = "dividend"
    expiry: str = "expiry"


def _name(*, kw_only: bool = False) -> Any: ...


def _constructor_by_parts(cls: type[Instrument]) -> Callable[..., None] | None:
    """Return the constructor that takes sources and terms as mappings; None below a class that wrote its own."""
    for base in cls.__mro__[1:]:
        written = vars(base).get("__init__")
        if written is not None and not hasattr(written, "__signature__"):
            by_parts = base is Instrument or base is DatedInstrument
            return written if by_parts else None
    return None


def _take_old_greeks(cls: type[Instrument]) -> None:
    """Take a closed form that a class wrote under its name of before, ``greeks``, as ``price_and_greeks``."""
    written = vars(cls).get("greeks")
    if written is None or "self" in signature(getattr(written, "__func__", written)).parameters:
        return
    warn_of(f"the static method {cls.__name__}.greeks", "price_and_greeks", stacklevel=5)
    type.__delattr__(cls, "greeks")
    type.__setattr__(cls, "price_and_greeks", written)  # bound when the class is


def _require_diffusion(cls: type[Instrument]) -> None:
    """Refuse a class that says what is paid, but not on what."""
    missing = [name for name in cls.simulated_as if name not in cls.argument_names]
    if missing and "payoff" in cls.bindings:
        raise GraphError(
            f"{cls.__name__} has a payoff, but no {', '.join(missing)}; say by what its price moves: "
            "simulated_as = Lognormal(dividend=...)",
            name=cls.__name__,
        )


@dataclass_transform(
    kw_only_default=True,
    eq_default=False,
    field_specifiers=(Source, Term, Flag, Inferred, Expiry, MadeAt, Label, InferredLabel, Argument, _name),
)
class _Declared(ArrayNode):
    """A class whose declarations are the arguments of its constructor, to type checkers too."""


class Instrument(_Declared):
    """A contract: market inputs, terms, a currency, and its class's one ``price`` function.

    A class of contracts declares what it needs, and is made with it::

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
        Unique in the graph, and its key in a store (``/Instruments/NAME``).
    sources : mapping of str to Node or float
        Market inputs.
    terms : mapping of str to float
        Contract terms.
    currency : str, default "USD"
        ISO 4217 code of the currency of :attr:`value`.

    Raises
    ------
    InstrumentError
        The currency is not a three-letter code.

    Notes
    -----
    Annotations and aliases are for type checkers alone: without them the argument of a source ``spot`` is
    ``spot_source`` just so.
    """

    record_home: ClassVar[str] = "/Instruments/"
    refusal: ClassVar[type[BankError]] = InstrumentError
    bound_names: ClassVar[tuple[str, ...]] = ("price", "price_and_greeks", "payoff", "payoff_slope", "paid")
    factors: ClassVar[Mapping[str, Factor]] = {}
    """The kind of those sources whose names mean something else in this class, and that do not say so themselves."""
    risk_factors: ClassVar[Mapping[str, Factor]] = {}
    """The kind of market quantity that a source is quoted as, where Greeks are told by another."""
    quote_source: ClassVar[str] = ""
    """The source whose number is the contract's value as it stands, if there is one: the price of a share."""
    quoted_as: ClassVar[Factor | None] = None
    """The kind of market quantity that the leaves under such a contract are, if it settles that."""
    lowest_value: ClassVar[float] = -math.inf
    """What the contract is worth at least, whatever the market: nothing, where its holder can owe nothing."""
    asked_terms: ClassVar[frozenset[str]] = frozenset()
    """The terms that a curve or surface is asked about, where a source is one."""
    price_and_greeks: ClassVar[Callable[..., Greeks] | None] = None
    """Closed-form price and derivatives, with the arguments of ``price``, where the class has them."""
    payoff: ClassVar[Callable[..., Any] | None] = None
    """What is paid at expiry, where that is a function of the price then (as its ``spot``) and of terms."""
    payoff_slope: ClassVar[Callable[..., Any] | None] = None
    """The derivative of ``payoff`` by the price, where there are no jumps."""
    paid: ClassVar[Callable[..., Any] | None] = None
    """Cash that one unit has paid since it was made, flows due now included, where it pays before its end; what other
    contracts pay at theirs is known to :mod:`bank_python.instruments.cash_flows`."""
    simulated_as: ClassVar[Lognormal] = Lognormal()
    """By which sources and terms the price in ``payoff`` moves."""
    construction: ClassVar[Construction]
    """How contracts of the class are made."""

    if TYPE_CHECKING:
        name: str = _name(kw_only=False)
    currency: Label = Label("ISO 4217 code of the value's currency", default="USD", check=known_currency)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        _take_old_greeks(cls)
        super().__init_subclass__(**kwargs)
        _require_diffusion(cls)
        cls.construction = Construction(cls, cls.complete)
        if "asked_terms" not in vars(cls):
            cls.asked_terms = cls.asked_terms | cls.construction.asked_terms
        by_parts = None if "__init__" in vars(cls) else _constructor_by_parts(cls)
        if by_parts is not None:
            cls.__init__ = constructor(cls, cls.construction, by_parts)  # type: ignore[method-assign]  # that is what it is for

    def __init__(
        self, name: str, sources: Mapping[str, Node | float], terms: Mapping[str, float], currency: str = "USD"
    ) -> None:
        super().__init__(name, sources, terms)
        words = {key: item.default for key, item in self.construction.labels.items() if isinstance(item.default, str)}
        self.__dict__.update(words, currency=known_currency(name, currency))

    def make(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Set the contract up from the arguments of its constructor.

        Raises
        ------
        ContractArgumentError
            An argument is unknown, or missing.
        InstrumentError
            One makes no sense.
        """
        sources, terms, words = self.construction.parts(name, arguments)
        ArrayNode.__init__(self, name, sources, terms)
        self.__dict__.update(words)
        self.completed()

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Work out what was not given; for classes that need more than declarations say.

        Parameters
        ----------
        name : str
            The contract's name.
        arguments : dict of str to object
            The constructor's arguments, defaults included; labels and sources are read from it afterwards.
        terms : dict of str to float
            The terms that were given, checked; those worked out are put here.
        """

    def completed(self) -> None:
        """Do what is left when the contract has been made; for classes that need it."""

    @property
    def labels(self) -> dict[str, str]:
        """The contract's words by name, its currency among them."""
        return {key: str(self.__dict__[key]) for key in self.construction.labels if key in self.__dict__}

    @classmethod
    def factor_of(cls, source: str) -> Factor:
        """Return which kind of market quantity a source of this class is."""
        declared = getattr(cls, source, None) if source in cls.source_names else None
        kind = declared.kind if isinstance(declared, Source) else None
        return cls.factors.get(source) or (kind if isinstance(kind, Factor) else factor_named(source))

    @classmethod
    def risk_factor_of(cls, source: str) -> Factor:
        """Return which kind of market quantity a source of this class is quoted as."""
        return cls.risk_factors.get(source) or cls.factor_of(source)

    def amend(self, **terms: float) -> None:
        """Set some of the contract's terms anew; in a graph, its dependents become dirty.

        Raises
        ------
        InstrumentError
            The term may not have that value, or a curve or surface has been asked about the terms as they were; nothing
            has changed.
        GraphError
            There is no such term, or the value is not a finite number; nothing has changed.
        """
        asked = sorted(self.asked_terms.intersection(terms))
        if asked and any(isinstance(source, Answer) for source in self.underliers):
            raise InstrumentError(
                f"{self.name}: its curve or surface was asked about the present {', '.join(asked)}; "
                "make a new contract instead",
                name=self.name,
            )
        super().amend(**terms)

    def greeks(self) -> ContractGreeks:
        """Return price and sensitivities at the present inputs: in a graph, those that the running scenario sees.

        Returns
        -------
        ContractGreeks
            For one unit of the contract, in its currency: by one unit of spot, by 1.00 of volatility or rate, by a year
            gone by. Closed forms where the class has them (:attr:`price_and_greeks`), else differences of its price.

        Raises
        ------
        BankError
            The contract has no value now; the error is that of :attr:`value`.

        Notes
        -----
        What the contract reads off a curve or surface is taken as it is read: vega is by the volatility at the strike,
        and a surface that moves with the spot adds nothing to delta.
        """
        return take_contract_greeks(self)

    @property
    def delta(self) -> float:
        """Change of :attr:`value` for one unit of spot; see :meth:`greeks`, which gives all in one go."""
        return self.greeks().delta

    @property
    def gamma(self) -> float:
        """Change of :attr:`delta` for one unit of spot."""
        return self.greeks().gamma

    @property
    def vega(self) -> float:
        """Change of :attr:`value` for 1.00 of volatility; a point is a hundredth of it."""
        return self.greeks().vega

    @property
    def theta(self) -> float:
        """Change of :attr:`value` for a year gone by; a day is a 365th of it."""
        return self.greeks().theta

    @property
    def rho(self) -> float:
        """Change of :attr:`value` for 1.00 of the rate; a basis point is a ten-thousandth of it."""
        return self.greeks().rho

    def cash_flow(self, since: float, until: float, read: Callable[[Node | float], float]) -> float | None:  # noqa: ARG002 - for classes that pay by more than they are priced by
        """Return the cash that one unit pays after `since` and not after `until`; None if its class's `paid` says it.

        Parameters
        ----------
        since, until : float
            Readings of the contract's clock, in years.
        read : callable
            From a source to its number.
        """
        return None

    def to_record(self) -> Mapping[str, object]:
        """Return name, sources (nodes by reference), terms and labels, the currency among them."""
        return {**super().to_record(), **self.labels}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the contract from its stored fields, which were checked when it was made."""
        contract = cls.__new__(cls)
        parts = {key: value for key, value in fields.items() if key not in cls.construction.labels}
        ArrayNode.__init__(contract, **parts)  # type: ignore[arg-type]  # the store gives back what to_record gave it
        contract.__dict__.update({key: value for key, value in fields.items() if key not in parts})
        return contract


Instrument.construction = Construction(Instrument, Instrument.complete)


def quote_of(node: object) -> Node | float | None:
    """Return the source whose number a contract's value is as it stands: a share's price; None if it has none."""
    if isinstance(node, Instrument) and node.quote_source:
        source: Node | float = getattr(node, node.quote_source)
        return source
    return None


def is_spot(node: object) -> TypeGuard[Instrument]:
    """Whether a node is a contract held for its own price: a share, a coin; no currency, no derivative."""
    return isinstance(node, Instrument) and bool(node.quote_source) and node.factor_of(node.quote_source) is Factor.SPOT


class DatedInstrument(Instrument):
    """A contract with an end, which comes nearer as its clock moves."""

    clock: Source = Source(
        "valuation time in years; a Clock, or a number for a clock that stands still", alias="clock_source", default=0.0
    )
    made_at: MadeAt = MadeAt("what the clock read when the contract was made, in years", init=False)

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
