"""Volatility surfaces as nodes of the graph, refitted when their quotes tick.

A :class:`VolSurface` depends on quoted volatilities by strike and expiry, and its value is a
:class:`~bank_python.risk_models.surface.Surface`. When a quote ticks, the smile of that expiry is fitted again around
the current forward, its *anchor*; other smiles are unchanged. When only the spot, a rate or a dividend ticks, nothing
is fitted and the value is the same object as before: the surface's stickiness determines how the volatility at a strike
changes. A contract with a surface as its volatility uses the lookup function ``surface_vol``.

The anchors are state of the node: they record the forward and spot when the smiles were quoted, and are stored with it.
A what-if scenario uses the anchors of the graph: a shocked spot moves along the surface by its stickiness, and shocked
quotes are fitted around the same anchors.

Examples
--------
>>> from bank_python.instruments.option import Option
>>> from bank_python.market_data.leaves import MarketData
>>> spot = MarketData("ACME_SPOT", 100.0)
>>> surface = VolSurface.from_vols(
...     "ACME_VOLS", [80, 90, 100, 110, 120], [0.5, 1.0],
...     [[0.27, 0.23, 0.20, 0.19, 0.19], [0.26, 0.23, 0.21, 0.20, 0.195]], spot_source=spot,
... )
>>> put = Option("P", spot_source=spot, vol_source=surface, rate_source=0.02, strike=90, expiry=0.75, is_call=False)
>>> round(surface.vol(90.0, 0.75), 3), round(put.value, 2), surface.arbitrage().free
(0.23, 3.13, True)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import register_storable
from bank_python.dagger import Node
from bank_python.dagger.node import present
from bank_python.errors import CalibrationError, InstrumentError
from bank_python.guessing import guessable
from bank_python.instruments.checks import end_on, finite, number, positive, years_to
from bank_python.instruments.factor import Factor
from bank_python.instruments.lookup import TermStructureNode, look_up, lookup_function
from bank_python.instruments.smile import FittedSmile, Moment, Quote, Scalar, SmileSource, fitted, swapped
from bank_python.mntable import Relation, Table
from bank_python.plotting import Plotted, literal
from bank_python.results import Tabular
from bank_python.risk_models.surface import Stickiness, Surface
from bank_python.risk_models.svi_fit import ArbitragePolicy

if TYPE_CHECKING:
    import datetime as dt
    import enum
    from collections.abc import Callable, Sequence
    from typing import Any, Self, TypeVar

    import pandas as pd
    from matplotlib.axes import Axes

    from bank_python.dagger.outcome import Outcome
    from bank_python.market_data.clock import Clock
    from bank_python.risk_models.arbitrage import ArbitrageReport
    from bank_python.risk_models.svi import SviSlice
    from bank_python.risk_models.svi_fit import SliceFit

    _Choice = TypeVar("_Choice", bound=enum.Enum)

__all__ = ["VolSurface", "surface_vol"]

_MARKERS = ("o", "s", "^", "D", "v")


@admits(InstrumentError, members=False)
@register_storable
class VolSurface(Plotted, Tabular, TermStructureNode):
    """A volatility surface of SVI smiles fitted to quotes.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spot_source : Node or float
        Spot price of the underlying.
    quotes : mapping of (strike, expiry) to Node, float or pair
        Annual volatilities, as decimals, or pairs of bid and ask volatilities, whose mid is fitted with the inverse
        squared spread as weight. An expiry is in years from now, a tenor, or a date (which needs a clock); it needs at
        least five quotes, either all pairs or none.
    rate_source, dividend_source : Node or float, default 0.0
        Interest rate and dividend yield per year, continuously compounded; or curves, which give the zero rates to each
        expiry.
    clock_source : Clock or float, default 0.0
        Valuation clock, or a fixed valuation time in years. When the clock advances, the smiles are fitted again, and
        expiries that have passed are dropped.
    stickiness : {"strike", "delta"}
        Invariant of the surface when the spot moves without new quotes: the volatility at a strike, or at a moneyness.
    arbitrage : {"repair", "refuse"}
        Treatment of quotes whose best fit has a butterfly arbitrage, or a calendar arbitrage with the previous expiry:
        fit the nearest smile without arbitrage and report it in :attr:`fits`, or fail with an error.
    weights : mapping of (strike, expiry) to float, optional
        Weights of the squared errors in total variance, at least 0; by default 1. A weight of 0 excludes a quote. Not
        used for bid-ask pairs.

    Raises
    ------
    InstrumentError
        A strike, expiry, weight or option is invalid, or an expiry mixes pairs and plain quotes.

    Notes
    -----
    If quotes cannot be fitted (fewer than five for an expiry, a bid above its ask, a volatility not above 0, an
    arbitrage under ``"refuse"``), the node fails with a CalibrationError that names it and the expiry, until a tick
    brings quotes that can be fitted. A node outside a graph updates its anchors whenever it is read.
    """

    record_tag = "VolSurface"
    record_home = "/Surfaces/"
    value_type: ClassVar[type] = Surface
    quoted_as: ClassVar[Factor | None] = Factor.VOL
    wiring_attributes = ("inputs_", "_spot", "_rate", "_dividend", "_clock", "_sources")

    if TYPE_CHECKING:

        @property
        def value(self) -> Surface:
            """The current value, computed now if need be; errors as :attr:`Node.value`."""

    def __init__(
        self,
        name: str,
        *,
        spot_source: Scalar,
        quotes: Mapping[tuple[float, float | dt.date | str], Quote],
        rate_source: Scalar = 0.0,
        dividend_source: Scalar = 0.0,
        clock_source: Clock | float = 0.0,
        stickiness: Stickiness | str = Stickiness.STRIKE,
        arbitrage: ArbitragePolicy | str = ArbitragePolicy.REPAIR,
        weights: Mapping[tuple[float, float | dt.date | str], float] | None = None,
    ) -> None:
        _require_pairs(name, quotes)
        given = {} if weights is None else weights
        unknown = [key for key in given if key not in quotes]
        if not quotes or unknown:
            reason = f"a weight for {unknown[0]}, which is not quoted" if unknown else "no quotes"
            raise InstrumentError(f"{name}: {reason}; give quotes by (strike, expiry)", name=name)
        by_tenor: dict[float, dict[float, tuple[Quote, float]]] = {}
        for (strike, expiry), quote in quotes.items():
            tenor = _tenor(name, expiry, clock_source)
            weight = finite(name, "weight", given.get((strike, expiry), 1.0), at_least=0.0)
            by_tenor.setdefault(tenor, {})[positive(name, "strike", strike)] = (quote, weight)
        carries = _Carries(rate_source, dividend_source, clock_source)
        sources = [_quoted(name, tenor, by_tenor[tenor], carries) for tenor in sorted(by_tenor)]
        self._wire(name, spot_source, carries, sources, stickiness, arbitrage)

    def _wire(
        self,
        name: str,
        spot: Scalar,
        carries: _Carries,
        sources: Sequence[SmileSource],
        stickiness: Stickiness | str,
        arbitrage: ArbitragePolicy | str,
        moments: Mapping[float, Moment] | None = None,
    ) -> None:
        self.stickiness = _choice(name, "stickiness", Stickiness, stickiness)
        self.policy = _choice(name, "arbitrage", ArbitragePolicy, arbitrage)
        self._spot, self._rate, self._dividend, self._clock = spot, carries.rate, carries.dividend, carries.clock
        self._sources = tuple(sources)
        self._moments = dict(moments or {})
        self._fitted: dict[float, FittedSmile] = {}
        self._surface: Surface | None = None
        self.refits = 0
        parts = [spot, carries.clock, *(node for source in sources for node in source.nodes)]
        super().__init__(name, list(dict.fromkeys(part for part in parts if isinstance(part, Node))))

    @classmethod
    @guessable
    def from_vols(
        cls,
        name: str,
        strikes: Sequence[float],
        expiries: Sequence[float | dt.date | str] | float | dt.date | str,
        vols: Sequence[Sequence[Node | float | None]] | Sequence[Node | float | None],
        **options: Any,
    ) -> Self:
        """Build a surface from a matrix of volatilities.

        Parameters
        ----------
        name : str
            Node name, unique in its graph.
        strikes : sequence of float, length n
            Strike prices, above 0.
        expiries : sequence of float, str or datetime.date, length m
            Times to expiry in years from now, tenors such as ``"6M"``, or expiry dates; or one of them.
        vols : sequence of m rows of n volatilities, or DataFrame of shape (m, n)
            Annual volatilities, as nodes or decimals, one row for each expiry; NaN or None where there is no quote. For
            one expiry the row itself will do.
        **options
            Other arguments of the class, such as ``spot_source``.

        Raises
        ------
        InstrumentError
            An argument is invalid, as for the class, or the matrix does not have that shape.

        Examples
        --------
        >>> vols = [0.27, 0.23, 0.20, 0.19, 0.19]
        >>> smile = VolSurface.from_vols("S", [80, 90, 100, 110, 120], "3M", vols, spot_source=100.0)
        >>> round(smile.vol(100.0, "3M"), 3)
        0.2
        """
        columns, times, rows = _matrix(name, strikes, expiries, vols)
        quotes = {
            (strike, expiry): vol
            for expiry, row in zip(times, rows, strict=True)
            for strike, vol in zip(columns, row, strict=True)
            if isinstance(vol, Node) or not math.isnan(vol)
        }
        return cls(name, quotes=quotes, **options)

    @classmethod
    @guessable
    def from_table(
        cls,
        name: str,
        table: Relation | pd.DataFrame,
        *,
        strike: str = "strike",
        expiry: str = "expiry",
        vol: str = "vol",
        **options: Any,
    ) -> Self:
        """Build a surface from a table or data frame with a row for each quote.

        Parameters
        ----------
        name : str
            Node name, unique in its graph.
        table : Table or DataFrame
            Quotes, one in each row; rows without a volatility are left out.
        strike, expiry, vol : str
            Columns of the strike, the expiry (years from now, tenors or dates) and the annual volatility as a decimal.
        **options
            Other arguments of the class, such as ``spot_source``.

        Raises
        ------
        InstrumentError
            There is no such column, two rows have the same strike and expiry, or a value is invalid, as for the class.

        Examples
        --------
        >>> table = Table([("strike", float), ("expiry", str), ("vol", float)])
        >>> for strike, vol in {80: 0.27, 90: 0.23, 100: 0.20, 110: 0.19, 120: 0.19}.items():
        ...     table.append({"strike": float(strike), "expiry": "3M", "vol": vol})
        >>> smile = VolSurface.from_table("S", table, spot_source=100.0)
        >>> round(smile.vol(100.0, "3M"), 3)
        0.2
        """
        rows = table if isinstance(table, Relation) else Table.from_pandas(table)
        missing = [column for column in (strike, expiry, vol) if column not in rows.columns]
        if missing:
            raise InstrumentError(
                f"{name}: the table has no column {missing[0]!r}; it has {', '.join(rows.columns)}; name the "
                "columns by strike=, expiry=, vol=",
                name=name,
                value=missing[0],
            )
        quotes: dict[tuple[Any, Any], Any] = {}
        for row in rows:
            key, quote = (row[strike], row[expiry]), row[vol]
            if key in quotes:
                raise InstrumentError(f"{name}: two rows quote {key}; leave one of them out", name=name, value=key)
            if quote is not None and not math.isnan(quote):
                quotes[key] = _vol(name, quote)
        return cls(name, quotes=quotes, **options)

    @classmethod
    @guessable
    def from_parameters(
        cls,
        name: str,
        slices: Mapping[float | dt.date | str, SviSlice],
        *,
        spot_source: Scalar,
        forwards: Mapping[float | dt.date | str, float] | None = None,
        rate_source: Scalar = 0.0,
        dividend_source: Scalar = 0.0,
        clock_source: Clock | float = 0.0,
        stickiness: Stickiness | str = Stickiness.STRIKE,
        arbitrage: ArbitragePolicy | str = ArbitragePolicy.REPAIR,
    ) -> Self:
        """Build a surface from fitted smiles.

        Parameters
        ----------
        name : str
            Node name, unique in its graph.
        slices : mapping of expiry to SviSlice
            SVI smiles by expiry; their total variances shrink in proportion to the time left.
        forwards : mapping of expiry to float, optional
            Forward prices that anchor the smiles, by expiry; by default computed from spot, rate and dividend yield.
        spot_source, rate_source, dividend_source, clock_source, stickiness, arbitrage
            Arguments of the same names of the class; a repair refits a smile to its own variances.

        Raises
        ------
        InstrumentError
            An argument is invalid, as for the class.
        """
        if not slices:
            raise InstrumentError(f"{name}: no smiles; give smiles by expiry", name=name)
        anchors = {} if forwards is None else forwards
        carries = _Carries(rate_source, dividend_source, clock_source)
        sources = []
        for expiry, smile in slices.items():
            tenor = _tenor(name, expiry, clock_source)
            end, rate, dividend = carries.to(tenor)
            anchor = positive(name, "forward", anchors[expiry]) if expiry in anchors else None
            sources.append(SmileSource(end, rate, dividend, (), (), (), smile, tenor, anchor))
        surface = cls.__new__(cls)
        cls._wire(surface, name, spot_source, carries, sorted(sources, key=_end), stickiness, arbitrage)
        return surface

    # --- surface figures ---------------------------------------------------------------------

    @property
    def surface(self) -> Surface:
        """Fitted surface: the node's value."""
        return self.value

    @property
    def slices(self) -> dict[float, SviSlice]:
        """Smiles by years to expiry."""
        return dict(zip(self.surface.expiries, self.surface.slices, strict=True))

    @property
    def fits(self) -> tuple[SliceFit, ...]:
        """Fit of each expiry, with its errors and repairs."""
        _ = self.surface  # brings the fits up to date
        return tuple(smile.fit for smile in self._fitted.values())

    def vol(self, strike: float, expiry: float | dt.date | str) -> float:
        """Return the volatility that an option would use.

        Parameters
        ----------
        strike : float
            Strike price, above 0.
        expiry : float, str or datetime.date
            Time to expiry in years from now, a tenor such as ``"6M"``, or a date (which needs a clock).

        Raises
        ------
        InstrumentError
            An argument is not a strike or not a time; ``surface.surface.vol(strikes, years)`` takes arrays.
        """
        asked: dict[str, Any] = {"strike": strike, "expiry": expiry}
        for term, value in asked.items():
            if np.ndim(value):
                raise InstrumentError(
                    f"{self.name}: {term} has shape {np.shape(value)}, and vol takes one option; for arrays there is "
                    "surface.surface.vol(strikes, years)",
                    name=self.name,
                )
        clock = cast("Clock | float", self._clock)
        strike = positive(self.name, "strike", strike)
        end = end_on(clock, years_to(self.name, "expiry", expiry, clock))
        rate, dividend = (look_up("zero_rate", source, self._clock, end) for source in (self._rate, self._dividend))
        arguments = (self._spot, rate, dividend, self._clock, strike, end)
        values = [cast("float", part.value) if isinstance(part, Node) else part for part in arguments]
        return surface_vol(self.surface, *values)

    def arbitrage(self) -> ArbitrageReport:
        """Return the static arbitrage of the surface, which has none unless a repair was impossible."""
        return self.surface.arbitrage()

    def to_table(self) -> Table:
        """Return a table of the smiles with a row for each expiry."""
        columns = (
            "expiry",
            "forward",
            "a",
            "b",
            "rho",
            "m",
            "sigma",
            "atm_vol",
            "rms_error",
            "worst_error",
            "minimum_g",
        )
        table = Table([*((column, float) for column in columns), ("repair", str)])
        surface = self.surface
        for fit, forward in zip(self.fits, surface.forwards, strict=True):
            atm = math.sqrt(float(fit.smile.total_variance(0.0)) / fit.expiry)
            figures = (fit.expiry, forward, *fit.smile.parameters, atm, fit.rms_error, fit.worst_error)
            row: dict[str, object] = dict(zip(columns, (*figures, fit.smile.minimum_g().value), strict=True))
            table.append(row | {"repair": "" if fit.repair is None else str(fit.repair)})
        return table

    def _draw_(self, axes: Axes) -> None:
        """Draw the smile of each expiry by strike with its quotes, and marks where there is arbitrage."""
        surface = self.surface
        surface._draw_(axes)
        smiles = zip(self.fits, surface.forwards, list(axes.lines), cycle(_MARKERS))
        for fit, forward, line, marker in smiles:
            if fit.quotes is not None:
                strikes = forward * np.exp(fit.quotes.log_moneyness)
                axes.plot(strikes, fit.quotes.vols, linestyle="", marker=marker, markersize=4, color=line.get_color())
        axes.set_title(f"{literal(self.name)}: quotes and fitted smiles")

    # --- the node ----------------------------------------------------------------------------

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Return the surface; only smiles whose quotes, time to expiry or previous smile have changed are refitted."""
        # The anchors change only in the graph's own evaluation, or outside a graph: a what-if scenario leaves no trace.
        committing = read is present or self.host_ is None
        moments = self._now(read, committing=committing)
        smiles, count = self._smiles(moments)
        if self._surface is not None and list(smiles.items()) == list(self._fitted.items()):
            return self._surface  # the same object, at which the propagation stops
        surface = Surface(
            [smile.moment.expiry for smile in smiles.values()],
            [smile.fit.smile for smile in smiles.values()],
            [smile.moment.anchor for smile in smiles.values()],
            next(iter(smiles.values())).moment.spot,
            self.stickiness,
        )
        if committing:
            self._moments, self._fitted, self._surface = moments, smiles, surface
            self.refits += count
        return surface

    def _now(self, read: Callable[[Node], Outcome], *, committing: bool) -> dict[float, Moment]:
        """Return quotes and anchor of each future expiry; the anchor is new if its quotes have ticked."""
        spot, now = (
            cast("float", read(part)) if isinstance(part, Node) else part for part in (self._spot, self._clock)
        )
        moments = {}
        for source in self._sources:
            if source.end > now:
                last = self._moments.get(source.end)
                values = source.values(read)
                if last is not None and (last.values == values or not committing):  # noqa: PD011 - of a smile, not of a frame
                    moments[source.end] = Moment(values, source.end - now, last.anchor, last.spot)
                else:
                    anchor = source.forward_now(positive(self.name, "spot", spot), now, read)
                    moments[source.end] = Moment(values, source.end - now, anchor, spot)
        if not moments:
            raise CalibrationError(f"{self.name}: all expiries have passed; quote later ones", name=self.name)
        return moments

    def _smiles(self, moments: Mapping[float, Moment]) -> tuple[dict[float, FittedSmile], int]:
        """Return the smiles by expiry, and the number of fits computed."""
        smiles: dict[float, FittedSmile] = {}
        count, previous = 0, None
        for source in self._sources:
            if source.end in moments:
                known = self._fitted.get(source.end)
                try:
                    smile, fits = fitted(source, known, moments[source.end], previous, self.policy)
                except CalibrationError as error:
                    raise CalibrationError(f"{self.name}: {error.message}", name=self.name) from error
                smiles[source.end] = smile
                count, previous = count + fits, smile.fit.smile
        return smiles, count

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace the quote or other source `old` by `new`."""
        super().replace_input(old, new)
        parts = (self._spot, self._rate, self._dividend, self._clock)
        self._spot, self._rate, self._dividend, self._clock = (new if part is old else part for part in parts)
        self._sources = tuple(swapped(source, old, new) for source in self._sources)

    # --- record form -------------------------------------------------------------------------

    def to_record(self) -> Mapping[str, object]:
        """Return sources (nodes by reference), options and anchors."""
        return {
            "name": self.name,
            "spot": self._spot,
            "carries": [self._rate, self._dividend, self._clock],
            "sources": [source.to_fields() for source in self._sources],
            "stickiness": self.stickiness.value,
            "arbitrage": self.policy.value,
            "anchors": [[end, list(was.values), was.anchor, was.spot] for end, was in self._moments.items()],
        }

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the surface from its stored fields; when read, it is fitted around the stored anchors."""
        stored: Any = fields
        surface = cls.__new__(cls)
        carries = _Carries(*stored["carries"])
        sources = [SmileSource.from_fields(source) for source in stored["sources"]]
        cls._wire(
            surface, stored["name"], stored["spot"], carries, sources, stored["stickiness"], stored["arbitrage"],
            {end: Moment(tuple(values), math.nan, anchor, spot) for end, values, anchor, spot in stored["anchors"]},
        )  # fmt: skip
        return surface

    def describe_(self) -> str:
        """Return the text between name and value in the node's ``repr``."""
        quotes = sum(len(source.quotes) for source in self._sources)
        return f"{len(self._sources)} expiries, {quotes} quotes, sticky {self.stickiness.value}"

    def __rich__(self) -> object:
        from bank_python.render_objects import surface_node_view

        return surface_node_view(self)


class _Carries:
    """Sources of the rate, the dividend yield and the clock."""

    def __init__(self, rate: Scalar, dividend: Scalar, clock: Scalar) -> None:
        self.rate, self.dividend, self.clock = rate, dividend, clock

    def to(self, tenor: float) -> tuple[float, Scalar, Scalar]:
        """Return the clock time `tenor` years from now, and the rate and dividend yield to then."""
        end = end_on(cast("Clock | float", self.clock), tenor)
        rate, dividend = (look_up("zero_rate", source, self.clock, end) for source in (self.rate, self.dividend))
        return end, rate, dividend


@lookup_function("surface_vol", of=Surface)
def surface_vol(
    surface: Surface, spot: float, rate: float, dividend: float, clock: float, strike: float, end: float
) -> float:
    """Return the volatility of an option with a strike that expires at the clock time `end`, in years.

    The option's forward is the spot carried at `rate` less `dividend`. An expired option has the volatility of the
    first expiry.
    """
    left = max(end - clock, 0.0)
    return surface.vol_at(strike, left, spot * math.exp((rate - dividend) * left))


def _quoted(name: str, tenor: float, quotes: Mapping[float, tuple[Quote, float]], carries: _Carries) -> SmileSource:
    strikes = tuple(sorted(quotes))
    pairs = {isinstance(quotes[strike][0], tuple) for strike in strikes}
    if len(pairs) > 1:
        raise InstrumentError(
            f"{name}: the expiry {tenor:g} mixes bid and ask with plain quotes; give all of one kind", name=name
        )
    end, rate, dividend = carries.to(tenor)
    plain, weights = zip(*(quotes[strike] for strike in strikes), strict=True)
    return SmileSource(end, rate, dividend, strikes, plain, weights, None, tenor, None)


_HIGHEST = 10.0
"""Volatility above which a number is taken for a percentage: 1,000 % a year."""


def _require_pairs(name: str, quotes: Mapping[Any, Any]) -> None:
    odd = next((key for key in quotes if not (isinstance(key, tuple) and len(key) == 2)), None)  # noqa: PLR2004 - a pair
    if odd is not None:
        raise InstrumentError(
            f"{name}: quotes are given by (strike, expiry), not by {odd!r}; VolSurface.from_vols(name, strikes, "
            "expiries, vols, spot_source=...) takes rows",
            name=name,
            value=odd,
        )


def _matrix(name: str, strikes: Any, expiries: Any, vols: Any) -> tuple[list[Any], list[Any], list[list[Node | float]]]:
    """Return strikes, expiries, and a row of volatilities for each expiry, NaN where there is no quote."""
    if not _is_list(strikes):
        raise InstrumentError(
            f"{name}: strikes={strikes!r} is not a list of strikes; give from_vols(name, strikes, expiries, vols), or "
            "VolSurface(name, quotes={(strike, expiry): vol}, spot_source=...)",
            name=name,
        )
    columns, times = list(strikes), list(expiries) if _is_list(expiries) else [expiries]
    frame = getattr(vols, "to_numpy", None)  # a data frame iterates over its columns' names
    rows = list(vols if frame is None else frame()) if _is_list(vols) else []
    if len(times) == 1 and len(rows) == len(columns) and not any(map(_is_list, rows)):
        rows = [rows]
    shape, n = [len(list(row)) if _is_list(row) else 1 for row in rows], len(columns)
    if shape != [n] * len(times):
        turned = shape == [len(times)] * n
        hint = "these are transposed, one row for each strike; turn them" if turned else f"got rows of {shape}"
        raise InstrumentError(
            f"{name}: the volatilities must be {len(times)} rows (expiries) of {n} (strikes); {hint}", name=name
        )
    return columns, times, [[_vol(name, vol) for vol in row] for row in rows]


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | Mapping)


def _vol(name: str, vol: object) -> Node | float:
    if isinstance(vol, Node):
        return vol
    value = number(vol)
    if vol is not None and math.isnan(value) and not isinstance(vol, float | np.floating):
        raise InstrumentError(
            f"{name}: vol={vol!r} is neither a node nor a number; give a decimal such as 0.2", name=name
        )
    if value > _HIGHEST:
        raise InstrumentError(
            f"{name}: vol={vol!r} is {value:,.0%} a year; volatilities are decimals, 0.2 for 20 %", name=name, value=vol
        )
    return value


def _tenor(name: str, expiry: float | dt.date | str, clock: Clock | float) -> float:
    return positive(name, "expiry", years_to(name, "expiry", expiry, clock))


def _choice(name: str, term: str, kind: type[_Choice], value: object) -> _Choice:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(choice.value) for choice in kind)
        raise InstrumentError(f"{name}: {term}={value!r}; choose one of {known}", name=name, value=value) from None


def _end(source: SmileSource) -> float:
    return source.end
