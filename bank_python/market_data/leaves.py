"""Quotes as leaves of the graph, each with its time and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Domain, Leaf
from bank_python.errors import NodeArgumentError
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Self

__all__ = ["MarketData", "quote_stamp"]


@dataclass(frozen=True, slots=True)
class _QuoteStamp:
    """Time and source of a quote."""

    time: datetime | None
    source: str


def quote_stamp(time: datetime | None, source: str) -> object:
    """Return the time (timezone-aware) and the source of a quote as one value, which a leaf stores with the quote."""
    return _QuoteStamp(time, source)


@guessable
@register_storable
class MarketData(Leaf):
    """A quoted number: a price, a rate, a spread, a volatility.

    Parameters
    ----------
    name : str
        Name of the node, unique in the graph.
    price : float, default 0.0
        Initial quote; 0.0 means *not yet quoted*.
    domain : {"finite", "positive", "non_negative"}, default "finite"
        Range of accepted quotes. The default admits negative ones, as rates may be negative.

    Raises
    ------
    DomainError
        `price` is not a number in that domain.

    Examples
    --------
    >>> sofr = MarketData("SOFR", price=0.05)
    >>> sofr.set_price(0.07)
    >>> sofr.price, sofr.quoted, sofr.source
    (0.07, True, 'user')
    >>> MarketData("AAPL_SPOT", price=0.0)
    MarketData('AAPL_SPOT', domain='finite') = not yet quoted
    """

    record_tag = "MarketData"

    if TYPE_CHECKING:

        @property
        def value(self) -> float:
            """Current quote; 0.0 while there is none."""

    def __init__(self, name: str, price: float = 0.0, domain: str | Domain = Domain.FINITE) -> None:
        super().__init__(name, price, domain)
        if self.stamp_:
            self.stamp_ = _QuoteStamp(None, "user")

    @property
    def price(self) -> float:
        """The current quote; 0.0 if there is none yet."""
        outcome = self.read_()
        return outcome if isinstance(outcome, float) else 0.0

    if not TYPE_CHECKING:

        @price.setter
        def price(self, new: object) -> None:
            raise NodeArgumentError(
                f"the price of {self.name} cannot be assigned; write leaf.set_price(price)", name=self.name, value=new
            )

    @property
    def as_of(self) -> datetime | None:
        """Time of the quote (UTC), ``None`` if its source did not give one."""
        return self.stamp_.time if isinstance(self.stamp_, _QuoteStamp) else None

    @property
    def source(self) -> str:
        """Source of the quote: a feed's name, ``"user"``, or ``""`` if there is no quote yet."""
        if isinstance(self.stamp_, _QuoteStamp):
            return self.stamp_.source
        return "user" if self.stamp_ else ""

    def set_price(self, price: float, *, time: datetime | None = None, source: str = "user") -> None:
        """Set a new quote; in a graph, the dependents of the leaf become dirty.

        Parameters
        ----------
        price : float
            Quote in the unit of the leaf; rates, spreads and volatilities are decimals.
        time : datetime, optional
            Time of the quote, timezone-aware.
        source : str, default "user"
            Name of the source.

        Raises
        ------
        DomainError
            `price` is NaN, infinite, not a number or outside the leaf's domain; the last quote is kept.
        """
        self.set_(price, _QuoteStamp(time, source))

    def to_record(self) -> Mapping[str, object]:
        """Return the quote with its time, source and domain."""
        return {
            "name": self.name,
            "price": self.price,
            "domain": self.domain.value,
            "time": self.as_of,
            "source": self.source,
        }

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the leaf with its stored quote."""
        given = dict(fields)
        time, source = given.pop("time"), given.pop("source")
        leaf = cls(**given)  # type: ignore[arg-type]  # the store gives back what to_record gave it
        if source:
            leaf.stamp_ = _QuoteStamp(time, str(source))  # type: ignore[arg-type]  # as above
        return leaf
