"""Discount curves as nodes of the graph, bootstrapped again when one of their quotes ticks.

A :class:`DiscountCurve` depends on deposit and par swap rates by tenor, or on given zero rates, and its value is a
:class:`~bank_python.risk_models.curve.Curve`. Contracts look up numbers from it: an option the zero rate to its expiry,
a bond the yield equivalent to discounting on the curve. A what-if scenario of the curve is a scenario of its quotes:
:meth:`DiscountCurve.bumped` returns the quotes' leaves with their bumped levels, for ``graph.scenario``.

Examples
--------
>>> import datetime as dt
>>> from bank_python.market_data.leaves import MarketData
>>> two = MarketData("USD_2Y", 0.047)
>>> curve = DiscountCurve(
...     "SOFR_CURVE", deposits={"3M": 0.053}, swaps={"1Y": 0.051, "2Y": two}, as_of=dt.date(2024, 1, 16)
... )
>>> round(curve.discount(2.0), 6), round(curve.zero(2.0), 6)
(0.911192, 0.046501)
>>> curve.bumped(1e-4)
{MarketData('USD_2Y', domain='finite') = 0.047: 0.0471}
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import register_storable
from bank_python.dagger import Leaf, Node
from bank_python.errors import CurveError, InstrumentError
from bank_python.instruments.checks import known_currency
from bank_python.instruments.factor import Factor
from bank_python.instruments.lookup import TermStructureNode
from bank_python.market_data.clock import Clock
from bank_python.numerics.dates import as_date, as_years
from bank_python.numerics.schedule import Tenor
from bank_python.plotting import Plotted, literal
from bank_python.results import Tabular
from bank_python.risk_models.bootstrap import CONVENTIONS, USD_SOFR_OIS, CurveConvention, Quote, bootstrap, pillar
from bank_python.risk_models.curve import WORDS_OF_DISCOUNT, Curve
from bank_python.wording import words_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from matplotlib.axes import Axes

    from bank_python.dagger.outcome import Outcome
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray, Numbers
    from bank_python.numerics.dates import When

__all__ = ["CurveQuote", "DiscountCurve", "same_curve"]


@dataclass(frozen=True, slots=True)
class CurveQuote:
    """One quote of a curve.

    Parameters
    ----------
    kind : {"deposit", "swap", "zero"}
        Kind of rate: simple deposit rate, par swap rate, or continuously compounded zero rate.
    tenor : str
        Tenor of the rate, such as ``"3M"``.
    source : Node or float
        Rate per year, as a decimal.
    """

    kind: str
    tenor: str
    source: Node | float


def same_curve(old: object, new: object) -> bool:
    """Return whether two outcomes are curves with bitwise identical nodes."""
    if not isinstance(old, Curve) or not isinstance(new, Curve):
        return False
    return np.array_equal(old.times, new.times) and np.array_equal(old.log_discounts, new.log_discounts)


@admits(InstrumentError, members=False)
@register_storable
class DiscountCurve(Plotted, Tabular, TermStructureNode):
    """A discount curve bootstrapped from quotes.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    deposits, swaps : mapping of str to Node or float, optional
        Simple deposit rates and par swap rates per year, as decimals, by tenor. They need a trade date: `as_of` or
        `clock_source`.
    zero_rates : mapping of str to Node or float, optional
        Continuously compounded zero rates per year, as decimals, by tenor; instead of deposits and swaps.
    convention : CurveConvention, default SOFR swaps
        Market convention of the deposits and swaps: calendars, day counts, payment frequencies.
    as_of : datetime.date or str, optional
        Fixed trade date of the quotes; text is an ISO date.
    clock_source : Clock, optional
        Clock whose date is the trade date, instead of `as_of`; tenors are counted from its current date.
    currency : str, default "USD"
        ISO 4217 code of the currency that is discounted.

    Raises
    ------
    InstrumentError
        There are no quotes, zero rates are mixed with other quotes, or there is not exactly one trade date.
    ModelError
        A tenor cannot be parsed.

    Notes
    -----
    If no curve reprices the quotes, the node fails with a CurveError that names the tenor, until a tick brings quotes
    that can be repriced.
    """

    record_tag = "DiscountCurve"
    record_home = "/Curves/"
    wiring_attributes = ("inputs_", "_quotes")
    value_type: ClassVar[type] = Curve
    quoted_as: ClassVar[Factor | None] = Factor.RATE
    equal = staticmethod(same_curve)

    if TYPE_CHECKING:

        @property
        def value(self) -> Curve:
            """The current value, computed now if need be; errors as :attr:`Node.value`."""

    def __init__(
        self,
        name: str,
        *,
        deposits: Mapping[str, Node | float] | None = None,
        swaps: Mapping[str, Node | float] | None = None,
        zero_rates: Mapping[str, Node | float] | None = None,
        convention: CurveConvention = USD_SOFR_OIS,
        as_of: dt.date | str | None = None,
        clock_source: Clock | None = None,
        currency: str = "USD",
    ) -> None:
        given = {"deposit": deposits, "swap": swaps, "zero": zero_rates}
        quotes = [
            CurveQuote(kind, tenor, rate) for kind, rates in given.items() for tenor, rate in (rates or {}).items()
        ]
        self._quotes = _checked(name, quotes)
        self.convention = convention
        self.currency = known_currency(name, currency)
        self.as_of, self.clock_source = _dated(name, self._quotes, as_of, clock_source)
        nodes = [quote.source for quote in self._quotes if isinstance(quote.source, Node)]
        super().__init__(name, list(dict.fromkeys([*nodes, *([clock_source] if clock_source else [])])))

    @property
    def quotes(self) -> tuple[CurveQuote, ...]:
        """Quotes of the curve, shortest tenor first."""
        return self._quotes

    @property
    def date(self) -> dt.date | None:
        """Trade date: the clock's date or `as_of`; None for zero rates without a date."""
        return self.as_of if self.clock_source is None else self.clock_source.date

    @property
    def curve(self) -> Curve:
        """Discount curve: the node's value.

        Raises
        ------
        BankError
            The node has no value: a quote is missing, or no curve reprices the quotes.
        """
        return self.value

    def discount(self, time: When) -> Numbers:
        """Return the discount factor for a payment at `time`.

        Parameters
        ----------
        time : array_like, str or datetime.date
            Years from now; a tenor such as ``"5Y"``, a twelfth of a year for each month; or a date or its ISO text,
            from the curve's date (ACT/365F). Also an array or a list of them.

        Raises
        ------
        CurveError
            It is not a time, or it is a date and the curve has no trade date.
        """
        return self.curve.discount(self._time(time))

    def zero(self, time: When) -> Numbers:
        """Return the continuously compounded zero rate to `time`, as a decimal; `time` as for :meth:`discount`."""
        return self.curve.zero(self._time(time))

    def forward(self, start: When, end: When) -> Numbers:
        """Return the continuously compounded forward rate between two times, given as for :meth:`discount`."""
        return self.curve.forward(self._time(start), self._time(end))

    def zero_rate(self, time: When) -> Numbers:
        """Return the zero rate; another name of :meth:`zero`."""
        return self.zero(time)

    def forward_rate(self, start: When, end: When) -> Numbers:
        """Return the forward rate; another name of :meth:`forward`."""
        return self.forward(start, end)

    if not TYPE_CHECKING:
        __getattr__ = words_of(WORDS_OF_DISCOUNT)

    def _time(self, time: When) -> FloatArray | float:
        return as_years(time, CurveError, self.name, self.date)

    def bumped(self, size: float, tenors: Sequence[str] | None = None) -> dict[Leaf, float]:
        """Return the quotes' leaves with their levels bumped by `size`, for ``graph.scenario``.

        Parameters
        ----------
        size : float
            Size of the bump as a decimal: 1e-4 is a basis point.
        tenors : sequence of str, optional
            Tenors of the quotes to bump (key rates); by default all, a parallel shift.

        Raises
        ------
        InstrumentError
            There is no quote of such a tenor, or none of the quotes is a leaf.
        """
        known = {quote.tenor for quote in self._quotes}
        missing = [tenor for tenor in tenors or () if tenor not in known]
        if missing:
            raise InstrumentError(f"{self.name} has no quote of {missing[0]}; there are {', '.join(sorted(known))}")
        moved = [quote.source for quote in self._quotes if tenors is None or quote.tenor in tenors]
        leaves = {source: cast("float", source.value) + size for source in moved if isinstance(source, Leaf)}
        if not leaves:
            raise InstrumentError(
                f"{self.name}: none of these quotes is a leaf, so none can be bumped; quote them by MarketData"
            )
        return leaves

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Bootstrap the curve from the current quotes."""
        rates = [read(quote.source) if isinstance(quote.source, Node) else quote.source for quote in self._quotes]
        if self._quotes[0].kind == "zero":
            return Curve.from_zero_rates([_years(quote) for quote in self._quotes], rates)  # type: ignore[arg-type]  # sources of numbers
        quotes = [
            Quote(quote.tenor, cast("float", rate), swap=quote.kind == "swap")
            for quote, rate in zip(self._quotes, rates, strict=True)
        ]
        return bootstrap(quotes, self._trade_date(read), self.convention).curve

    def _trade_date(self, read: Callable[[Node], Outcome]) -> dt.date:
        if self.clock_source is None:
            return cast("dt.date", self.as_of)
        return self.clock_source.date_at(cast("float", read(self.clock_source)))

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace the quote or clock `old` by `new`."""
        super().replace_input(old, new)
        self._quotes = tuple(
            CurveQuote(quote.kind, quote.tenor, new) if quote.source is old else quote for quote in self._quotes
        )
        if self.clock_source is old and isinstance(new, Clock):
            self.clock_source = new

    def to_table(self) -> Table:
        """Return a table with a row for each quote: rate, years, discount factor, zero rate, forward rate before it."""
        from bank_python.mntable import Table

        curve = self.curve
        before = np.concatenate([[0.0], curve.times[:-1]])
        figures = zip(
            curve.times.tolist(),
            np.exp(curve.log_discounts).tolist(),
            np.atleast_1d(curve.zero_rate(curve.times)).tolist(),
            np.atleast_1d(curve.forward_rate(before, curve.times)).tolist(),
            strict=True,
        )
        rows = [
            {
                "kind": quote.kind,
                "tenor": quote.tenor,
                "rate": float(cast("float", quote.source.value if isinstance(quote.source, Node) else quote.source)),
                **dict(zip(("years", "discount", "zero", "forward"), row, strict=True)),
            }
            for quote, row in zip(self._ordered(), figures, strict=True)
        ]
        numbers = [(key, float) for key in ("rate", "years", "discount", "zero", "forward")]
        return Table.from_rows([("kind", str), ("tenor", str), *numbers], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw zero rates and forward rates by maturity."""
        self.curve._draw_(axes)
        dated = "" if self.date is None else f", {self.date.isoformat()}"
        axes.set_title(f"{literal(self.name)} ({self.currency}{dated})")

    def _ordered(self) -> list[CurveQuote]:
        """Return the quotes in the order of the curve's nodes."""
        date = self.date
        if date is None or self._quotes[0].kind == "zero":
            return list(self._quotes)

        def end(quote: CurveQuote) -> dt.date:
            return pillar(Quote(quote.tenor, 0.0, swap=quote.kind == "swap"), date, self.convention)

        return sorted(self._quotes, key=end)

    def to_record(self) -> Mapping[str, object]:
        """Return quotes (nodes by reference), name of the convention, date or clock, and currency.

        Raises
        ------
        InstrumentError
            The convention is not one of the predefined ones, and so cannot be stored.
        """
        if CONVENTIONS.get(self.convention.name) is not self.convention:
            raise InstrumentError(
                f"{self.name} has a custom convention, {self.convention.name!r}, which cannot be stored; use one of "
                f"{', '.join(CONVENTIONS)}",
                name=self.name,
            )
        return {
            "name": self.name,
            "kinds": [quote.kind for quote in self._quotes],
            "tenors": [quote.tenor for quote in self._quotes],
            "sources": [quote.source for quote in self._quotes],
            "convention": self.convention.name,
            "as_of": self.as_of,
            "clock": self.clock_source,
            "currency": self.currency,
        }

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the curve from its stored fields."""
        kinds, tenors = cast("list[str]", fields["kinds"]), cast("list[str]", fields["tenors"])
        sources = cast("list[Node | float]", fields["sources"])
        quotes: dict[str, dict[str, Node | float]] = {"deposit": {}, "swap": {}, "zero": {}}
        for kind, tenor, source in zip(kinds, tenors, sources, strict=True):
            quotes[kind][tenor] = source
        return cls(
            str(fields["name"]),
            deposits=quotes["deposit"],
            swaps=quotes["swap"],
            zero_rates=quotes["zero"],
            convention=CONVENTIONS[str(fields["convention"])],
            as_of=cast("dt.date | None", fields["as_of"]),
            clock_source=cast("Clock | None", fields["clock"]),
            currency=str(fields["currency"]),
        )

    def describe_(self) -> str:
        """Return the text between name and value in the node's ``repr``."""
        return ", ".join(f"{quote.kind} {quote.tenor}" for quote in self._quotes)

    def __rich__(self) -> object:
        from bank_python.render_objects import curve_node_view

        return curve_node_view(self)


def _years(quote: CurveQuote) -> float:
    return Tenor.parse(quote.tenor).years


def _checked(name: str, quotes: list[CurveQuote]) -> tuple[CurveQuote, ...]:
    kinds = {quote.kind for quote in quotes}
    if not quotes or ("zero" in kinds and len(kinds) > 1):
        raise InstrumentError(f"{name}: a curve needs either deposits and swaps or zero rates; give one or the other")
    for quote in quotes:
        number = isinstance(quote.source, int | float) and math.isfinite(quote.source)
        if not isinstance(quote.source, Node) and not number:
            raise InstrumentError(
                f"{name}: the {quote.kind} {quote.tenor} is {quote.source!r}, neither a node nor a finite number",
                name=name,
                value=quote.source,
            )
    ordered = sorted(quotes, key=_years)
    repeated = [a.tenor for a, b in pairwise(ordered) if a.kind == b.kind and _years(a) == _years(b)]
    if repeated:
        raise InstrumentError(f"{name}: the tenor {repeated[0]} is quoted twice; drop one", name=name)
    return tuple(ordered)


def _dated(
    name: str, quotes: Sequence[CurveQuote], as_of: dt.date | str | None, clock: Clock | None
) -> tuple[dt.date | None, Clock | None]:
    if as_of is not None and clock is not None:
        raise InstrumentError(f"{name}: a curve has one trade date; give as_of= or clock_source=, not both", name=name)
    if as_of is None and clock is None and quotes[0].kind != "zero":
        raise InstrumentError(f"{name}: deposits and swaps need a trade date; give as_of= or clock_source=", name=name)
    return None if as_of is None else as_date(as_of, InstrumentError, f"{name}: as_of"), clock
