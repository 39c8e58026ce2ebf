"""Leaves: nodes whose values are set from outside, and the domains of their values."""

from __future__ import annotations

import enum
import math
from numbers import Real
from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger.node import Node, State
from bank_python.dagger.outcome import Failure, Outcome, detached
from bank_python.errors import DomainError, NotQuotedError
from bank_python.wording import OtherWord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

__all__ = ["Domain", "Leaf"]


class Domain(enum.Enum):
    """Domain of the values of a leaf.

    ``FINITE`` (the default) is any finite number: a rate may be negative. ``POSITIVE`` suits prices and
    volatilities, ``NON_NEGATIVE`` spreads and volumes, ``ANY`` a leaf that holds an arbitrary object.

    Examples
    --------
    >>> Domain.FINITE.check("SOFR", 5)
    5.0
    >>> Domain.POSITIVE.check("AAPL", -1.0)
    Traceback (most recent call last):
        ...
    bank_python.errors.DomainError: AAPL: -1.0 is not a positive number; it was not set, the leaf keeps its last value
    """

    FINITE = "finite"
    POSITIVE = "positive"
    NON_NEGATIVE = "non_negative"
    ANY = "any"

    @classmethod
    def parse(cls, domain: str | Domain) -> Domain:
        """Return the domain named `domain`.

        Raises
        ------
        DomainError
            There is no domain of that name; the message lists all names.
        """
        try:
            return cls(domain)
        except ValueError:
            known = ", ".join(member.value for member in cls)
            raise DomainError(f"{domain!r} is not a domain; choose one of {known}", domain=domain) from None

    def check(self, name: str, value: object) -> object:
        """Return `value` as it is stored in a leaf of this domain.

        That is a float or, for the domain ``ANY``, the value with its arrays and containers copied, so that the caller
        cannot change them in place (:func:`~bank_python.dagger.outcome.detached`).

        Parameters
        ----------
        name : str
            Name of the leaf, for error messages.
        value : object
            Value to check.

        Raises
        ------
        DomainError
            `value` is outside the domain; the message gives the leaf, the value and the domain.
        """
        if self is Domain.ANY:
            return detached(value)
        number = _as_number(value)
        if number is None or not math.isfinite(number) or not self._holds(number):
            raise self._refusal(name, value)
        return number

    def _holds(self, number: float) -> bool:
        if self is Domain.POSITIVE:
            return number > 0.0
        return number >= 0.0 if self is Domain.NON_NEGATIVE else True

    def _refusal(self, name: str, value: object) -> DomainError:
        wanted = self.value.replace("_", "-")
        return DomainError(
            f"{name}: {_short_repr(value)} is not a {wanted} number; it was not set, the leaf keeps its last value",
            name=name,
            value=value,
            domain=self.value,
        )


def _as_number(value: object) -> float | None:
    try:
        return float(value) if type(value) is not bool and isinstance(value, Real) else None
    except Exception:  # noqa: BLE001 - too large for a float, or a value whose own methods raise
        return None


def _short_repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - code of users may raise anything
        return f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST_REPR else f"{text[:_LONGEST_REPR]}…"


_LONGEST_REPR = 200
_LOWEST = {
    Domain.FINITE: -math.inf,
    Domain.POSITIVE: 0.0,
    Domain.NON_NEGATIVE: -math.ulp(0.0),
    Domain.ANY: math.inf,  # so that no value is accepted without the domain's own check
}


@register_storable
class Leaf(Node):
    """A node whose value is set from outside.

    Parameters
    ----------
    name : str
        Name of the leaf, unique in its graph.
    value : float or object, default 0.0
        Initial value. A number of exactly 0.0 means *not yet quoted* (:attr:`quoted` is False): in the domain
        ``positive`` the leaf and its dependents then have no value, and reading them raises an error; in the other
        domains 0.0 is a number like any other. Arrays are copied, and the copies are read-only.
    domain : {"finite", "positive", "non_negative", "any"}
        Domain of the values that the leaf accepts.

    Raises
    ------
    DomainError
        `value` is outside the domain.

    Examples
    --------
    >>> rate = Leaf("SOFR", 0.05)
    >>> rate.set(0.07)
    >>> rate.value
    0.07
    """

    __slots__ = ("domain", "lowest_", "stamp_")

    record_tag = "Leaf"
    how_to_set_ = "write leaf.set(value)"

    if not TYPE_CHECKING:
        set_value, update = (OtherWord(".set(value)") for _ in range(2))
    record_home = "/Market/"

    def __init__(self, name: str, value: object = 0.0, domain: str | Domain = Domain.FINITE) -> None:
        super().__init__(name)
        self.domain = Domain.parse(domain)
        self.lowest_ = _LOWEST[self.domain]
        not_yet = self.domain is not Domain.ANY and isinstance(value, Real) and value == 0.0
        self.stamp_: object = not not_yet  # origin of the value; false while there is none
        self.outcome_ = self.domain.check(name, value) if self.stamp_ else self._unquoted()
        self.state_ = State.CLEAN

    @property
    def quoted(self) -> bool:
        """Whether the leaf has a value: it was set, or constructed with a value other than 0.0."""
        return bool(self.stamp_)

    def set(self, value: object) -> None:
        """Set the leaf; in a graph, its dependents are brought up to date when they are next read or recalculated.

        Raises
        ------
        DomainError
            `value` is outside the domain; nothing has changed.
        """
        self.set_(value, stamp=True)

    def set_(self, value: object, stamp: object) -> None:
        """Set the leaf, with a stamp that identifies the origin of the value."""
        fits = type(value) is float and self.lowest_ < value < math.inf
        outcome = value if fits else self.domain.check(self.name, value)
        host = self.host_
        if host is None:
            self.outcome_, self.stamp_ = outcome, stamp
        else:
            host.set_leaf(self, outcome, stamp)

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:  # noqa: ARG002 - a leaf has no inputs
        """Return the value that the leaf was set to."""
        return self.outcome_

    def _unquoted(self) -> Outcome:
        if self.domain is not Domain.POSITIVE:
            return 0.0
        error = NotQuotedError(
            f"{self.name} is not yet quoted: set a price, or update it from a feed, before reading it", name=self.name
        )
        return Failure(error, self.name, error)

    def to_record(self) -> Mapping[str, object]:
        """Return the leaf's value (0.0 while not yet quoted) and domain."""
        value = 0.0 if isinstance(self.outcome_, Failure) else self.outcome_
        return {"name": self.name, "value": value, "domain": self.domain.value}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the leaf from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it

    def describe_(self) -> str:
        """Return the leaf's domain for its ``repr``."""
        return f"domain={self.domain.value!r}"

    def peek_(self) -> tuple[Outcome, str]:
        """Return the value in the running context, or ``None`` and that there is no quote."""
        outcome, remark = (self.outcome_, "") if self.host_ is None else self.host_.peek(self)
        return (outcome, remark) if self.stamp_ or outcome is not self.outcome_ else (None, "not yet quoted")
