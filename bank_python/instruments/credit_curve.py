"""Credit curves as nodes of the graph, bootstrapped again when a spread or the discount curve ticks.

A :class:`CreditCurve` depends on the par spreads by tenor of the credit default swaps on one reference entity, and its
value is a :class:`~bank_python.risk_models.survival.SurvivalCurve`. Tenors are constant: the five-year quote is always
for five years from now. A swap with the curve as its spread uses the lookup function ``cds_quoted_spread``.

Examples
--------
>>> from bank_python.instruments.cds import CreditDefaultSwap
>>> from bank_python.market_data.leaves import MarketData
>>> five_years = MarketData("F_5Y", 0.015)
>>> curve = CreditCurve("F_CURVE", spreads={"1Y": 0.010, "3Y": 0.012, "5Y": five_years}, discount_source=0.03)
>>> round(curve.survival(5.0), 6), round(curve.hazard_rate(4.0), 6)
(0.879127, 0.033979)
>>> swap = CreditDefaultSwap("F", spread_source=curve, rate_source=0.03, notional=1e6, coupon=0.01, maturity=4.0)
>>> round(swap.value, 2)
14204.22
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import register_storable
from bank_python.dagger import Leaf, Node
from bank_python.errors import CurveError, InstrumentError, ModelError
from bank_python.instruments.discount_curve import DiscountCurve
from bank_python.instruments.factor import Factor
from bank_python.instruments.lookup import TermStructureNode
from bank_python.mntable import Table
from bank_python.numerics.dates import as_years
from bank_python.numerics.schedule import Tenor
from bank_python.plotting import Plotted, literal
from bank_python.results import Tabular
from bank_python.risk_models.credit_bootstrap import bootstrap_survival
from bank_python.risk_models.survival import WORDS_OF_SURVIVAL, SurvivalCurve
from bank_python.wording import words_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from matplotlib.axes import Axes

    from bank_python.dagger.outcome import Outcome
    from bank_python.numerics import FloatArray, Numbers
    from bank_python.numerics.dates import When
    from bank_python.risk_models.curve import Curve

__all__ = ["CreditCurve", "same_survival"]


def same_survival(old: object, new: object) -> bool:
    """Return whether two outcomes are survival curves with bitwise identical nodes."""
    if not isinstance(old, SurvivalCurve) or not isinstance(new, SurvivalCurve):
        return False
    return np.array_equal(old.times, new.times) and np.array_equal(old.log_survivals, new.log_survivals)


@admits(InstrumentError, members=False)
@register_storable
class CreditCurve(Plotted, Tabular, TermStructureNode):
    """A survival curve bootstrapped from par spreads of credit default swaps.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    spreads : mapping of str to Node or float
        Par spreads per year, as decimals, by tenor such as ``"6M"`` or ``"5Y"``, in any order.
    discount_source : Node or float
        Discount curve, or a flat, continuously compounded rate.
    recovery : float, default 0.4
        Recovery rate, a share of the notional in [0, 1).

    Raises
    ------
    InstrumentError
        There are no spreads, a tenor or a spread is invalid, or the recovery rate is out of range.

    Notes
    -----
    If no survival curve reprices the spreads, the node fails with a CurveError that names the curve, the tenor and the
    spread, until a tick brings quotes that can be repriced.
    """

    record_tag = "CreditCurve"
    record_home = "/Curves/"
    value_type: ClassVar[type] = SurvivalCurve
    quoted_as: ClassVar[Factor | None] = Factor.CREDIT
    equal = staticmethod(same_survival)
    wiring_attributes = ("inputs_", "_spreads", "_discount")

    if TYPE_CHECKING:

        @property
        def value(self) -> SurvivalCurve:
            """The current value, computed now if need be; errors as :attr:`Node.value`."""

    def __init__(
        self,
        name: str,
        *,
        spreads: Mapping[str, Node | float],
        discount_source: Node | float,
        recovery: float = 0.4,
    ) -> None:
        if not spreads:
            raise InstrumentError(
                f"{name}: a credit curve needs a spread; quote at least the five-year tenor", name=name
            )
        if not 0.0 <= recovery < 1.0:
            raise InstrumentError(f"{name}: recovery={recovery!r} is not a share in [0, 1); 0.4 is usual", name=name)
        by_time = sorted((_years(name, tenor), tenor) for tenor in spreads)
        self._times = tuple(time for time, _ in by_time)
        if len(set(self._times)) < len(by_time):
            raise InstrumentError(f"{name}: two of the tenors {sorted(spreads)} are the same time; drop one", name=name)
        self._spreads = {tenor: _source(name, tenor, spreads[tenor]) for _, tenor in by_time}
        self._discount = _source(name, "discount_source", discount_source)
        self.recovery = float(recovery)
        parts = [*self._spreads.values(), self._discount]
        super().__init__(name, list(dict.fromkeys(part for part in parts if isinstance(part, Node))))

    # --- curve figures -----------------------------------------------------------------------

    @property
    def curve(self) -> SurvivalCurve:
        """Survival curve: the node's value."""
        return self.value

    @property
    def spreads(self) -> dict[str, Node | float]:
        """Sources of the par spreads by tenor, shortest first."""
        return dict(self._spreads)

    @property
    def date(self) -> dt.date | None:
        """Date from which dates are counted: that of the discount curve, or None if that has none."""
        return self._discount.date if isinstance(self._discount, DiscountCurve) else None

    def survival(self, time: When) -> Numbers:
        """Return the probability of survival until `time`.

        Parameters
        ----------
        time : array_like, str or datetime.date
            Years from now; a tenor such as ``"5Y"``, a twelfth of a year for each month; or a date or its ISO text,
            from the discount curve's date (ACT/365F). Also an array or a list of them.

        Raises
        ------
        CurveError
            It is not a time, or it is a date and the discount curve has none.
        """
        return self.curve.survival(self._time(time))

    def default_probability(self, time: When) -> Numbers:
        """Return the probability of default until `time`, given as for :meth:`survival`."""
        return self.curve.default_probability(self._time(time))

    def hazard_rate(self, time: When) -> Numbers:
        """Return the hazard rate per year at `time`, given as for :meth:`survival`.

        The hazard rate is the default intensity conditional on survival.
        """
        return self.curve.hazard_rate(self._time(time))

    def forward(self, start: When, end: When) -> Numbers:
        """Return the mean hazard rate per year between two times, given as for :meth:`survival`."""
        return self.curve.forward(self._time(start), self._time(end))

    def _time(self, time: When) -> FloatArray | float:
        return as_years(time, CurveError, self.name, self.date)

    if not TYPE_CHECKING:
        __getattr__ = words_of(WORDS_OF_SURVIVAL)

    def bumped(self, size: float, tenors: Sequence[str] | None = None) -> dict[Leaf, float]:
        """Return the quotes' leaves with their levels bumped by `size`, for ``graph.scenario``.

        Parameters
        ----------
        size : float
            Size of the bump as a decimal: 1e-4 is a basis point.
        tenors : sequence of str, optional
            Tenors of the quotes to bump; by default all, a parallel shift.

        Raises
        ------
        InstrumentError
            There is no quote of such a tenor, or none of the quotes is a leaf.
        """
        missing = [tenor for tenor in tenors or () if tenor not in self._spreads]
        if missing:
            raise InstrumentError(f"{self.name} has no quote of {missing[0]}; there are {', '.join(self._spreads)}")
        moved = [source for tenor, source in self._spreads.items() if tenors is None or tenor in tenors]
        leaves = {source: cast("float", source.value) + size for source in moved if isinstance(source, Leaf)}
        if not leaves:
            raise InstrumentError(
                f"{self.name}: none of these quotes is a leaf, so none can be bumped; quote them by MarketData"
            )
        return leaves

    def to_table(self) -> Table:
        """Return a table with a row for each quote: spread, years, survival probability, hazard rate before it."""
        curve = self.curve
        quotes = [float(cast("float", _present(source, _value))) for source in self._spreads.values()]
        before = np.concatenate([[0.0], curve.times[:-1]])
        figures = zip(
            self._spreads,
            quotes,
            curve.times.tolist(),
            np.exp(curve.log_survivals).tolist(),
            np.atleast_1d(curve.hazard_rate(before)).tolist(),
            strict=True,
        )
        columns = ("tenor", "spread", "years", "survival", "hazard")
        rows = [dict(zip(columns, row, strict=True)) for row in figures]
        return Table.from_rows([("tenor", str), *((column, float) for column in columns[1:])], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the survival probability by maturity."""
        self.curve._draw_(axes)
        axes.set_title(f"{literal(self.name)}, recovery {self.recovery:.0%}")

    # --- the node ----------------------------------------------------------------------------

    def compute(self, read: Callable[[Node], Outcome]) -> Outcome:
        """Bootstrap the curve from the current quotes."""
        quotes = [cast("float", _present(source, read)) for source in self._spreads.values()]
        discount = cast("float | Curve", _present(self._discount, read))
        try:
            return bootstrap_survival(self._times, quotes, discount, self.recovery)
        except CurveError as error:
            raise CurveError(f"{self.name}: {error.message}", name=self.name, value=error.facts.get("value")) from error

    def replace_input(self, old: Node, new: Node) -> None:
        """Replace the quote or discount curve `old` by `new`."""
        super().replace_input(old, new)
        self._spreads = {tenor: new if source is old else source for tenor, source in self._spreads.items()}
        self._discount = new if self._discount is old else self._discount

    def to_record(self) -> Mapping[str, object]:
        """Return quotes and discount curve, nodes by reference, and the recovery rate."""
        return {
            "name": self.name,
            "spreads": dict(self._spreads),
            "discount_source": self._discount,
            "recovery": self.recovery,
        }

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the curve from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the fields are those of to_record

    def describe_(self) -> str:
        """Return the text between name and value in the node's ``repr``."""
        return f"{', '.join(self._spreads)}, recovery {self.recovery:g}"

    def __rich__(self) -> object:
        from bank_python.render_objects import credit_curve_view

        return credit_curve_view(self)


def _years(name: str, tenor: str) -> float:
    try:
        return Tenor.parse(tenor).years
    except ModelError as error:
        raise InstrumentError(f"{name}: {error.message}", name=name, value=tenor) from error


def _source(name: str, what: str, source: object) -> Node | float:
    if isinstance(source, Node):
        return source
    if isinstance(source, bool) or not isinstance(source, int | float) or not math.isfinite(source):
        raise InstrumentError(f"{name}: {what}={source!r} is neither a node nor a finite number", name=name)
    return float(source)


def _present(source: Node | float, read: Callable[[Node], Outcome]) -> Outcome:
    return read(source) if isinstance(source, Node) else source


def _value(node: Node) -> Outcome:
    return node.value
