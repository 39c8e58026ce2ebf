"""Which values a leaf accepts: declared with the leaf, checked at the door."""

from __future__ import annotations

import enum
import math
from numbers import Real

from bank_python.errors import DomainError

__all__ = ["Domain"]


class Domain(enum.Enum):
    """The values a leaf may hold.

    ``FINITE`` (the default) is any finite number: a rate may be negative. ``POSITIVE`` suits prices and
    volatilities, ``NON_NEGATIVE`` spreads and volumes, ``ANY`` a leaf that holds an arbitrary object.

    Examples
    --------
    >>> Domain.FINITE.check("SOFR", 5)
    5.0
    >>> Domain.POSITIVE.check("AAPL", -1.0)
    Traceback (most recent call last):
        ...
    bank_python.errors.DomainError: AAPL: -1.0 is not a positive number; it was not set, the last value stands
    """

    FINITE = "finite"
    POSITIVE = "positive"
    NON_NEGATIVE = "non_negative"
    ANY = "any"

    @classmethod
    def parse(cls, domain: str | Domain) -> Domain:
        """Return the domain called `domain`.

        Raises
        ------
        DomainError
            There is no such domain; the message lists them.
        """
        try:
            return cls(domain)
        except ValueError:
            known = ", ".join(member.value for member in cls)
            raise DomainError(f"{domain!r} is not a domain; choose one of {known}", domain=domain) from None

    def check(self, name: str, value: object) -> object:
        """Return `value` as this domain stores it (a float, unless the domain is ``ANY``).

        Raises
        ------
        DomainError
            `value` lies outside; the message names the leaf, the value and what would be accepted.
        """
        if self is Domain.ANY:
            return value
        if isinstance(value, bool) or not isinstance(value, Real):
            raise self._refusal(name, value)
        number = float(value)
        if not math.isfinite(number) or not self._holds(number):
            raise self._refusal(name, value)
        return number

    def _holds(self, number: float) -> bool:
        if self is Domain.POSITIVE:
            return number > 0.0
        return number >= 0.0 if self is Domain.NON_NEGATIVE else True

    def _refusal(self, name: str, value: object) -> DomainError:
        wanted = self.value.replace("_", "-")
        return DomainError(
            f"{name}: {value!r} is not a {wanted} number; it was not set, the last value stands",
            name=name,
            value=value,
            domain=self.value,
        )
