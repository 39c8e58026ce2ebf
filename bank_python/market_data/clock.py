"""The valuation date as a leaf of the graph: rolling it revalues all contracts that depend on time."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

from bank_python.barbara import register_storable
from bank_python.dagger import Leaf
from bank_python.errors import DomainError
from bank_python.guessing import guessable
from bank_python.numerics.dates import as_date
from bank_python.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

__all__ = ["Clock"]

_DAYS = 365.0  # ACT/365F


_WORDS = {
    **dict.fromkeys(("today", "now", "as_of_date", "valuation_date", "day"), ".date"),
    **dict.fromkeys(("advance", "move", "set_date", "step", "next"), ".roll(date)"),
}


@guessable
@register_storable
class Clock(Leaf):
    """The valuation date, as years (ACT/365F) since `origin`.

    A contract with a clock counts its expiry from the valuation date on which it was created.

    Parameters
    ----------
    name : str
        Name of the node, unique in the graph.
    origin : datetime.date or str
        Date at which the value of the clock is 0.0; text is an ISO date.
    value : float, default 0.0
        Valuation date in years since `origin`.

    Examples
    --------
    >>> clock = Clock("CLOCK", origin="2026-01-02")
    >>> clock.roll("2027-01-02")
    >>> clock.value, clock.date.isoformat()
    (1.0, '2027-01-02')
    """

    record_tag = "Clock"

    if TYPE_CHECKING:

        @property
        def value(self) -> float:
            """Years since the origin."""

    def __init__(self, name: str, origin: dt.date | str, value: float = 0.0) -> None:
        super().__init__(name, value)
        self.origin = as_date(origin, DomainError, "origin")
        self.stamp_ = True

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @property
    def years(self) -> float:
        """The valuation date in years (ACT/365F) since the origin."""
        value: object = self.value
        return value if isinstance(value, float) else math.nan

    @property
    def date(self) -> dt.date:
        """The valuation date."""
        return self.date_at(self.years)

    def date_at(self, years: float) -> dt.date:
        """Return the date that lies `years` after the origin."""
        return self.origin + dt.timedelta(days=round(years * _DAYS))

    def years_at(self, day: dt.date | str) -> float:
        """Return `day`, a date or its ISO text, in years (ACT/365F) since the origin."""
        return (as_date(day, DomainError, "day") - self.origin).days / _DAYS

    def roll(self, to: dt.date | str) -> None:
        """Move the valuation date forward.

        Parameters
        ----------
        to : datetime.date or str
            New valuation date; text is an ISO date such as ``"2026-01-10"``.

        Raises
        ------
        DomainError
            `to` is not a date, or lies before the current valuation date, which stays as it was.
        """
        day = as_date(to, DomainError, "to")
        if day < self.date:
            raise DomainError(
                f"{self.name} is at {self.date} and cannot roll back to {day}; use a scenario to value an earlier date",
                name=self.name,
                value=to,
            )
        self.set(self.years_at(day))

    def to_record(self) -> Mapping[str, object]:
        """Return the name, the origin and the value in years."""
        return {"name": self.name, "origin": self.origin, "value": self.years}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the clock from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the store gives back what to_record gave it
