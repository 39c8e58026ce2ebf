"""What all contracts share: a currency, terms checked when the contract is made, and dates that pass.

A contract that decays counts its expiry from the moment it was made. With a
:class:`~bank_python.market_data.Clock` as its clock source that moment is what the clock read then, and
rolling the clock revalues it; without one, time stands still.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from bank_python.dagger import ArrayNode, Node, Source, Term
from bank_python.errors import InstrumentError
from bank_python.instruments.answer import Answer
from bank_python.instruments.factor import Factor, factor_named
from bank_python.market_data.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from bank_python.risk_models import Greeks

__all__ = ["DatedInstrument", "Instrument", "end_on", "finite", "known_currency", "negative", "positive", "present"]

_CODE_LENGTH = 3


class Instrument(ArrayNode):
    """A contract: market inputs, terms, a currency, and its class's one ``price`` function.

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
    """

    record_home: ClassVar[str] = "/Instruments/"
    factors: ClassVar[Mapping[str, Factor]] = {}
    """The kind of those sources whose names mean something else in this class."""
    asked_terms: ClassVar[frozenset[str]] = frozenset()
    """The terms that a curve or surface is asked about, where a source is one."""
    greeks: ClassVar[Callable[..., Greeks] | None] = None
    """Closed-form price and derivatives, with the arguments of ``price``, where the class has them."""

    def __init__(
        self, name: str, sources: Mapping[str, Node | float], terms: Mapping[str, float], currency: str = "USD"
    ) -> None:
        super().__init__(name, sources, terms)
        self.currency = known_currency(name, currency)

    @classmethod
    def factor_of(cls, source: str) -> Factor:
        """Return which kind of market quantity a source of this class is."""
        return cls.factors.get(source) or factor_named(source)

    def amend(self, **terms: float) -> None:
        """Set some of the contract's terms anew; in a graph, what rests on the contract becomes dirty.

        Raises
        ------
        InstrumentError
            A curve or surface has been asked about the terms as they were; nothing has changed.
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

    def to_record(self) -> Mapping[str, object]:
        """Return name, sources (nodes by reference), terms and currency."""
        return {**super().to_record(), "currency": self.currency}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the contract from its stored fields, which were checked when it was made."""
        contract = cls.__new__(cls)
        Instrument.__init__(contract, **fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it
        return contract


class DatedInstrument(Instrument):
    """A contract with an end, which comes nearer as its clock moves."""

    clock = Source("valuation time in years; a Clock, or a number for a clock that stands still")
    made_at = Term("what the clock read when the contract was made, in years")

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


def years_to(name: str, term: str, end: float | dt.date, clock_source: Clock | float) -> float:
    """Return the years from now until `end`, which is a number of years or a date.

    Raises
    ------
    InstrumentError
        `end` is negative, not finite, lies before the valuation date, or is a date and there is no clock.
    """
    if isinstance(end, dt.date):
        if not isinstance(clock_source, Clock):
            raise InstrumentError(
                f"{name}: {term}={end} is a date, which needs a valuation date: pass clock_source=Clock(...), "
                "or give the years",
                name=name,
                value=end,
            )
        end = clock_source.years_at(end) - clock_source.years
    return finite(name, term, end, at_least=0.0)


def end_on(clock_source: Clock | float, years: float) -> float:
    """Return what the clock reads when `years` from now are over."""
    return (clock_source.years if isinstance(clock_source, Clock) else float(clock_source)) + years


def present(source: Node | float) -> float:
    """Return the number that a source stands at.

    Raises
    ------
    BankError
        It has no value; the error says why.
    """
    return cast("float", source.value) if isinstance(source, Node) else source


def finite(name: str, term: str, value: object, at_least: float = -math.inf) -> float:
    """Return `value` if it is a finite number, not below `at_least`.

    Raises
    ------
    InstrumentError
        It is not; the message names the contract, the term and the value.
    """
    if not isinstance(value, int | float | np.floating) or not math.isfinite(value) or value < at_least:
        bound = "" if at_least == -math.inf else f" of at least {at_least:g}"
        raise InstrumentError(
            f"{name}: {term}={value!r} is not a finite number{bound}; correct the contract", name=name, value=value
        )
    return float(value)


def negative(inputs: Mapping[str, float], *keys: str) -> str:
    """Return which of some inputs is negative, or not a number, in words; empty if none is."""
    return next((f"{key}={inputs[key]!r} is negative" for key in keys if not inputs[key] >= 0.0), "")


def positive(name: str, term: str, value: object) -> float:
    """Return `value` if it is a finite number above zero.

    Raises
    ------
    InstrumentError
        It is not; the message names the contract, the term and the value.
    """
    if finite(name, term, value) <= 0.0:
        raise InstrumentError(f"{name}: {term}={value!r} must be above zero; correct the contract", name=name)
    return finite(name, term, value)


def known_currency(name: str, currency: str) -> str:
    """Return `currency` if it looks like an ISO 4217 code.

    Raises
    ------
    InstrumentError
        It is not three capital letters.
    """
    if len(currency) != _CODE_LENGTH or not currency.isalpha() or not currency.isupper():
        raise InstrumentError(
            f"{name}: currency {currency!r} is not an ISO 4217 code; write three capitals such as 'USD'", name=name
        )
    return currency
