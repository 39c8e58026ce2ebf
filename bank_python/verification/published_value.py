"""Published values: what was printed, where, and how the library computes the same figure.

A value is the text that a source prints, so that its number of decimals is known: a figure printed as ``4.0870`` says
that the exact one lies within half a unit of the fourth decimal. That half unit is the tolerance, unless the entry
states a wider one, and then its note gives the reason. The figure is computed by a function without arguments when it
is verified, never before.

Three kinds of values are told apart by :class:`Provenance`, because they prove different things: only a figure that
was read where it was printed is called published.

Examples
--------
>>> from bank_python.risk_models import black_scholes_price
>>> hull = Cited("options", Source("J. C. Hull", 2018, "Options, Futures, and Other Derivatives"), Provenance.QUOTED)
>>> call = hull.value(
...     "hull-call", "call, S 42, K 40, 6 months, r 10 %, vol 20 %", "4.76",
...     lambda: black_scholes_price(42.0, 40.0, 0.5, 0.10, 0.20), place="chapter on the Black-Scholes-Merton model",
... )
>>> call.printed, call.number, call.tolerance
('4.76', 4.76, 0.005)
>>> call.source.citation
'J. C. Hull (2018), Options, Futures, and Other Derivatives'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING

from bank_python.display import Record
from bank_python.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.numerics import Numbers

__all__ = ["Cited", "Provenance", "PublishedValue", "Source"]


class Provenance(StrEnum):
    """Where a value comes from, from the strongest evidence to the weakest."""

    PUBLISHED = "published"
    """A printed figure that was read in its source."""
    QUOTED = "quoted"
    """A figure that a source prints, quoted by another library or from memory, and recomputed."""
    COMPUTED = "computed"
    """A figure of a closed form or of a named library; nobody printed it."""


@dataclass(frozen=True, slots=True)
class Source(Record):
    """A source of published values.

    Parameters
    ----------
    author : str
        Authors, as they are cited.
    year : int or None
        Year of publication; None for a formula or a library.
    title : str
        Title, with the journal and its volume if there is one.
    via : str, default ""
        Place in which the figures were read, where that is not the source itself.
    """

    author: str
    year: int | None
    title: str
    via: str = ""

    @property
    def citation(self) -> str:
        """Author, year and title on one line, and the place where the figures were read."""
        year = "" if self.year is None else f" ({self.year})"
        said = f"{self.author}{year}, {self.title}"
        return f"{said}; {self.via}" if self.via else said


@dataclass(frozen=True, slots=True)
class PublishedValue(Record):
    """A value to verify: what a source says, and a function that computes the same.

    Parameters
    ----------
    key : str
        Name of the value, without blanks, of its own in the whole table.
    topic : str
        Name of the topic under which it is listed.
    what : str
        Description of the figure with its inputs.
    source : Source
        Source of the figure.
    kind : Provenance
        Provenance of the figure.
    printed : str
        Figure as the source prints it; thousands may be separated by commas.
    compute : callable
        Function without arguments that returns the library's own figure.
    place : str, default ""
        Table, equation, section or page in the source.
    within : float, optional
        Largest difference that counts as agreement; by default half a unit of the last printed digit.
    note : str, default ""
        Reason of a wider tolerance, or a remark on the print.

    Raises
    ------
    VerificationError
        The printed figure is no finite number, the key has blanks, or a tolerance is given without its reason.
    """

    key: str
    topic: str
    what: str
    source: Source
    kind: Provenance
    printed: str
    compute: Callable[[], Numbers]
    place: str = ""
    within: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.key or any(character.isspace() for character in self.key):
            raise VerificationError(f"key={self.key!r} is empty or has blanks; give a name such as 'haug-call-1'")
        if not _is_number(self.printed):
            raise VerificationError(f"{self.key}: printed={self.printed!r} is no finite number; give it as printed")
        if self.within is not None and not (0.0 <= self.within < math.inf and self.note):
            raise VerificationError(
                f"{self.key}: within={self.within} needs to be at least 0 and finite, and needs a note; say why half a "
                "unit of the last printed digit is not the tolerance"
            )

    @property
    def number(self) -> float:
        """The printed figure as a number."""
        return float(_decimal(self.printed))

    @property
    def tolerance(self) -> float:
        """Largest difference that counts as agreement."""
        return self.within if self.within is not None else 0.5 * float(Decimal(1).scaleb(self.exponent))

    @property
    def exponent(self) -> int:
        """Power of ten of the last printed digit: −4 for 2.1334."""
        return int(_decimal(self.printed).as_tuple().exponent)


@dataclass(frozen=True, slots=True)
class Cited(Record):
    """One source within one topic, from which the entries of a table are made.

    Parameters
    ----------
    topic : str
        Name of the topic.
    source : Source
        Source of the figures.
    kind : Provenance
        Provenance of its figures, unless an entry has its own.
    place : str, default ""
        Place of its figures in the source, unless an entry has its own.
    """

    topic: str
    source: Source
    kind: Provenance
    place: str = ""

    def value(
        self,
        key: str,
        what: str,
        printed: str,
        compute: Callable[[], Numbers],
        *,
        kind: Provenance | None = None,
        place: str | None = None,
        within: float | None = None,
        note: str = "",
    ) -> PublishedValue:
        """Return an entry of this source; the arguments are those of :class:`PublishedValue`.

        Parameters
        ----------
        key, what, printed, compute, within, note
            Fields of the entry, see :class:`PublishedValue`.
        kind : Provenance, optional
            Provenance of this figure; by default that of the source.
        place : str, optional
            Place of this figure in the source; by default that of the others.

        Raises
        ------
        VerificationError
            The entry is not complete.
        """
        return PublishedValue(
            key=key,
            topic=self.topic,
            what=what,
            source=self.source,
            kind=self.kind if kind is None else kind,
            printed=printed,
            compute=compute,
            place=self.place if place is None else place,
            within=within,
            note=note,
        )


def _decimal(printed: str) -> Decimal:
    return Decimal(printed.replace(",", ""))


def _is_number(printed: str) -> bool:
    try:
        return _decimal(printed).is_finite()
    except InvalidOperation:
        return False
