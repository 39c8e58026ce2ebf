r"""P&L attribution: the day's P&L split by the market moves that caused it.

Between an opening and a closing state of a book the P&L of a position is

.. math:: \Delta = (q_1 m v_1 - c_1) x_1 - (q_0 m v_0 - c_0) x_0

with quantity q, multiplier m, price v, cost basis c and exchange rate x. Trades since the opening are separated from
the positions held at the opening: ``new_trades`` is :math:`[(q_1 - q_0) m v_1 - (c_1 - c_0 + r)] x_1`, from the trade
price to the closing mark. ``cash_flows`` is the cash r that contracts paid (coupons, premiums, payments at expiry),
:math:`r x_1`. The fall of the price on a payment is part of ``theta``, and so is the whole price of a contract that
expired in between. Of the remainder, ``fx`` is the effect of the exchange rate on the opening P&L,
:math:`(q_0 m v_0 - c_0)(x_1 - x_0)`, and the effect of the price is explained by one of two methods.

**Taylor.** Time moves first: ``theta`` is the change in value of the contracts repriced at the closing time with the
opening inputs. The derivatives are taken at that point and multiplied by the closing less the opening inputs:

================  ==========================================================================================
delta, gamma      first and second order in spots
vega              first and second order in volatilities
rho, credit       first and second order in rates, in credit spreads
dividend, fx      first and second order in dividend yields, in currency pairs held
cross             all mixed second-order terms (vanna and others), and price moves times exchange rate moves
unexplained       the remainder: terms of third and higher order
================  ==========================================================================================

**Waterfall.** The inputs move to their closing values one group after the other: time, spots, volatilities, rates,
spreads, currencies, dividends. Each step reprices the contracts with their own ``price``, and the change in value is
the effect of that group. Only rounding is unexplained, but the split depends on the order of the groups.

With both methods the effects add up: ``unexplained`` is the exact remainder, and :attr:`PnLAttribution.actual` is the
sum.

Examples
--------
>>> from bank_python.instruments import Book, Option, Position
>>> from bank_python.market_data import MarketData
>>> spot, vol = MarketData("SPOT", 100.0), MarketData("VOL", 0.2)
>>> call = Option("C", spot_source=spot, vol_source=vol, rate_source=0.02, strike=100.0, expiry=0.5)
>>> book = Book("ALICE", [Position("P", instrument=call, quantity=10, multiplier=100)])
>>> opening = capture([book])
>>> spot.set_price(101.0); vol.set_price(0.21)
>>> day = PnLAttribution.between(opening, capture([book]))
>>> {effect: round(value, 1) for effect, value in day.by_factor().items() if value}
{'delta': 556.2, 'gamma': 14.0, 'vega': 279.3, 'cross': 0.0, 'unexplained': -0.7}
>>> round(day.actual, 1), round(PnLAttribution.between(opening, capture([book]), "waterfall").by_factor()["delta"], 1)
(848.8, 570.1)
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.dagger import ContractBatch
from bank_python.deprecation import CalledMapping
from bank_python.errors import RiskError
from bank_python.guessing import guessable
from bank_python.instruments.derivatives import take_derivatives
from bank_python.instruments.factor import Factor
from bank_python.plotting import Plotted, hatch_losses, money
from bank_python.results import Tabular
from bank_python.risk.state import DeskState, PositionState, capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self

    from matplotlib.axes import Axes

    from bank_python.instruments import Instrument
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["EFFECTS", "AttributionMode", "PnLAttribution", "capture"]

EFFECTS = (
    "delta",
    "gamma",
    "vega",
    "theta",
    "cash_flows",
    "rho",
    "credit",
    "fx",
    "dividend",
    "other",
    "cross",
    "new_trades",
    "unexplained",
)
"""The effects that P&L is attributed to, in the order in which they are shown."""

_EFFECT_OF = {
    Factor.SPOT: "delta",
    Factor.VOL: "vega",
    Factor.RATE: "rho",
    Factor.CREDIT: "credit",
    Factor.FX: "fx",
    Factor.DIVIDEND: "dividend",
    Factor.OTHER: "other",
}
_STEPS = (
    Factor.TIME,
    Factor.SPOT,
    Factor.VOL,
    Factor.RATE,
    Factor.CREDIT,
    Factor.FX,
    Factor.DIVIDEND,
    Factor.OTHER,
)


class AttributionMode(enum.Enum):
    """Method by which the effect of prices on P&L is explained."""

    TAYLOR = "taylor"
    WATERFALL = "waterfall"


@guessable
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PnLAttribution(Plotted, Tabular):
    """P&L between two states, by position and effect; returned by :meth:`between`.

    Parameters
    ----------
    mode : AttributionMode
        Method of the attribution.
    currency : str
        ISO 4217 code of the base currency of all figures.
    positions, instruments, books : tuple of str
        Names of each position, of its instrument and of its book (on a desk, the trader).
    effects : mapping of str to ndarray
        P&L in currency units by effect (:data:`EFFECTS`), arrays of shape (positions,).
    errors : mapping of str to Exception
        Error of each position that has no value in one of the states, by position name. These positions are left out
        of all figures.
    """

    mode: AttributionMode
    currency: str
    positions: tuple[str, ...]
    instruments: tuple[str, ...]
    books: tuple[str, ...]
    effects: Mapping[str, FloatArray]
    errors: Mapping[str, Exception]

    @classmethod
    @admits(RiskError)
    def between(cls, before: DeskState, after: DeskState, mode: AttributionMode | str = AttributionMode.TAYLOR) -> Self:
        """Explain the P&L between two states.

        Parameters
        ----------
        before, after : DeskState
            Opening and closing states from :func:`~bank_python.risk.state.capture`, in the same base currency.
        mode : {"taylor", "waterfall"}
            Method: a Taylor expansion by derivatives, or step-wise full revaluation.

        Raises
        ------
        RiskError
            `mode` is neither of the two, or the states are in different currencies.
        """
        if before.currency != after.currency:
            raise RiskError(f"one state is in {before.currency}, the other in {after.currency}; capture both in one")
        chosen = _mode(mode)
        names = list(dict.fromkeys([*before.positions, *after.positions]))
        pairs = {name: (before.positions.get(name), after.positions.get(name)) for name in names}
        errors = {name: error for name, pair in pairs.items() if (error := _error(pair)) is not None}
        legs = [_Leg.of(*pair) for name, pair in pairs.items() if name not in errors]
        explain = _taylor if chosen is AttributionMode.TAYLOR else _waterfall
        _explain(legs, explain, waterfall=chosen is AttributionMode.WATERFALL)
        return cls(
            chosen,
            before.currency,
            tuple(leg.shown.name for leg in legs),
            tuple(leg.shown.instrument for leg in legs),
            tuple(leg.shown.book for leg in legs),
            {effect: np.array([leg.figures[effect] for leg in legs]) for effect in EFFECTS},
            errors,
        )

    # These were attributes, which still work for one version, with a warning.

    @property
    def by_factor(self) -> CalledMapping[float]:
        """Method that returns the firm's P&L by effect, in the order of :data:`EFFECTS`."""
        return CalledMapping(
            {effect: math.fsum(self.effects[effect]) for effect in EFFECTS}, "PnLAttribution.by_factor"
        )

    @property
    def by_trader(self) -> CalledMapping[dict[str, float]]:
        """Method that returns P&L by trader (or book, if books were given), each split by effect."""
        return CalledMapping(self._grouped(self.books), "PnLAttribution.by_trader")

    @property
    def by_instrument(self) -> CalledMapping[dict[str, float]]:
        """Method that returns P&L by instrument, each split by effect."""
        return CalledMapping(self._grouped(self.instruments), "PnLAttribution.by_instrument")

    @property
    def actual(self) -> float:
        """Total P&L: the sum of :meth:`by_factor`."""
        return math.fsum(self.by_factor().values())

    @property
    def unexplained(self) -> float:
        """P&L that no effect explains."""
        return self.by_factor()["unexplained"]

    @property
    def explained(self) -> float:
        """Total P&L less the unexplained P&L."""
        return math.fsum(value for effect, value in self.by_factor().items() if effect != "unexplained")

    @property
    def unexplained_share(self) -> float:
        """Absolute unexplained P&L over the sum of the absolute effects; 0 if all effects are 0."""
        sizes = math.fsum(abs(value) for effect, value in self.by_factor().items() if effect != "unexplained")
        return abs(self.unexplained) / sizes if sizes else 0.0

    def _grouped(self, keys: Sequence[str]) -> dict[str, dict[str, float]]:
        places: dict[str, list[int]] = {}
        for i, key in enumerate(keys):
            places.setdefault(key, []).append(i)
        return {
            key: {effect: math.fsum(self.effects[effect][rows]) for effect in EFFECTS} for key, rows in places.items()
        }

    def to_table(self) -> Table:
        """Return a table with a row for each position: its book, its instrument, all effects and their sum."""
        from bank_python.mntable import Table

        rows = []
        for i, name in enumerate(self.positions):
            figures = {effect: float(self.effects[effect][i]) for effect in EFFECTS}
            labels = {"position": name, "book": self.books[i], "instrument": self.instruments[i]}
            rows.append({**labels, **figures, "actual": math.fsum(figures.values())})
        words = [(key, str) for key in ("position", "book", "instrument")]
        return Table.from_rows([*words, *((effect, float) for effect in (*EFFECTS, "actual"))], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw a waterfall of the effects up to the total P&L."""
        shown = {effect: value for effect, value in self.by_factor().items() if value}
        tops = np.cumsum([0.0, *shown.values()])
        names = [effect.replace("_", " ") for effect in shown]
        bars = axes.bar(names, [*shown.values()], bottom=tops[:-1], width=0.7)
        hatch_losses(bars, shown.values())
        axes.bar(["P&L"], [self.actual], width=0.7, color="black")
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set(ylabel=self.currency, title=f"P&L attribution ({self.mode.value}); losses hatched")
        axes.set_xticks(range(len(names) + 1), [*names, "P&L"], rotation=45, ha="right", rotation_mode="anchor")
        money(axes.yaxis)

    def __rich__(self) -> object:
        from bank_python.render import attribution_view

        return attribution_view(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Leg:
    """A position in the opening and closing states, and its P&L by effect."""

    before: PositionState | None
    after: PositionState | None
    figures: dict[str, float]

    @classmethod
    def of(cls, before: PositionState | None, after: PositionState | None) -> _Leg:
        return cls(before, after, dict.fromkeys(EFFECTS, 0.0))

    @property
    def shown(self) -> PositionState:
        """The closing state, or the opening state of a position that is gone."""
        state = self.after or self.before
        assert state is not None  # noqa: S101 - a leg has at least one state
        return state

    @property
    def held(self) -> bool:
        """Whether the position holds the same contract in both states."""
        return (
            self.before is not None
            and self.after is not None
            and self.before.kind is self.after.kind
            and self.before.instrument == self.after.instrument
        )

    @property
    def ended(self) -> bool:
        """Whether the contract expired between the states."""
        return self.before is not None and self.after is not None and self.after.over and not self.before.over


def _received(state: PositionState | None) -> float:
    return 0.0 if state is None else state.received * state.rate


def _mode(mode: AttributionMode | str) -> AttributionMode:
    try:
        return AttributionMode(mode)
    except ValueError:
        known = " or ".join(repr(item.value) for item in AttributionMode)
        raise RiskError(f"mode={mode!r} is not an attribution method; choose {known}", value=mode) from None


def _error(pair: tuple[PositionState | None, PositionState | None]) -> Exception | None:
    return next((state.error for state in pair if state is not None and state.error is not None), None)


def _explain(
    legs: list[_Leg],
    explain: Callable[[ContractBatch[Instrument], FloatArray], dict[str, FloatArray]],
    *,
    waterfall: bool,
) -> None:
    """Fill in the legs' P&L by effect, with a few calls of ``price`` for all contracts of a class."""
    for kind, members in _by_kind(legs):
        opening, closing = (_columns(kind, members, which) for which in ("before", "after"))
        closed_terms = opening.moved(**{name: closing.row(name) for name in kind.source_names})
        parts = explain(opening, closed_terms)
        prices = zip(opening.value, opening.priced(closed_terms), closing.value, strict=True)
        for i, (leg, (first, last, amended)) in enumerate(zip(members, prices, strict=True)):
            if leg.ended:
                # Market moves after the expiry have no effect: the value is gone and the cash has been paid.
                _add_effects(leg, {"theta": -first}, waterfall, first, 0.0, 0.0)
                continue
            moves = {effect: float(part[i]) for effect, part in parts.items()}
            _add_effects(leg, moves, waterfall, first, last, amended)
    for leg in legs:
        if not leg.held:
            leg.figures["cash_flows"] = _received(leg.after) - _received(leg.before)
            leg.figures["new_trades"] = _pnl(leg.after) - _pnl(leg.before) - leg.figures["cash_flows"]


def _add_effects(
    leg: _Leg, parts: dict[str, float], waterfall: bool, first: float, last: float, amended: float
) -> None:
    """Convert price moves of one unit to P&L, and add the effects of currencies and trades and the remainder."""
    before, after = leg.before, leg.after
    assert before is not None  # noqa: S101 - held in both states
    assert after is not None  # noqa: S101 - as above
    units = before.quantity * before.multiplier
    for effect, part in parts.items():
        leg.figures[effect] += units * part * before.rate
    moved = after.rate - before.rate
    across = units * (last - first) * moved
    leg.figures["fx"] += (units * first - before.cost_basis) * moved + (across if waterfall else 0.0)
    leg.figures["cross"] += 0.0 if waterfall else across
    # New trades include the change in value by an amendment of the terms.
    paid = after.received - before.received
    leg.figures["cash_flows"] += paid * after.rate
    bought = (after.quantity * after.multiplier - units) * amended - (after.cost_basis - before.cost_basis + paid)
    leg.figures["new_trades"] += (bought + units * (amended - last)) * after.rate
    closing = [after.quantity * after.multiplier * amended * after.rate, -after.cost_basis * after.rate]
    opening = [-units * first * before.rate, before.cost_basis * before.rate]
    leg.figures["unexplained"] = math.fsum([*closing, *opening, *(-value for value in leg.figures.values())])


def _taylor(opening: ContractBatch[Instrument], closing: FloatArray) -> dict[str, FloatArray]:
    """Return the price moves of one unit by effect, by a Taylor expansion at the closing time."""
    kind, names = opening.kind, opening.names
    clocks = [name for name in kind.source_names if kind.factor_of(name) is Factor.TIME]
    rolled = opening.moved(**{name: closing[names.index(name)] for name in clocks})
    parts = {"theta": opening.priced(rolled) - opening.value}
    derivatives = take_derivatives(opening.with_table(rolled))
    others = sorted(set(kind.source_names) - set(clocks))
    move = {name: closing[names.index(name)] - opening.row(name) for name in others}
    for name in others:
        effect = _EFFECT_OF[kind.factor_of(name)]
        slope = _product(derivatives.first[name], move[name])
        bend = 0.5 * _product(derivatives.second[name, name], move[name] * move[name])
        _add(parts, effect, slope if effect == "delta" else slope + bend)
        if effect == "delta":
            _add(parts, "gamma", bend)
    for a, b in combinations(others, 2):
        _add(parts, "cross", _product(derivatives.second[a, b], move[a] * move[b]))
    return parts


def _waterfall(opening: ContractBatch[Instrument], closing: FloatArray) -> dict[str, FloatArray]:
    """Return the price moves of one unit by effect, moving one group of inputs after the other."""
    kind, names = opening.kind, opening.names
    parts: dict[str, FloatArray] = {}
    table, value = opening.table, opening.value
    for factor in _STEPS:
        rows = [names.index(name) for name in kind.source_names if kind.factor_of(name) is factor]
        if rows:
            table = table.copy()
            table[rows] = closing[rows]
            moved = opening.priced(table)
            _add(parts, "theta" if factor is Factor.TIME else _EFFECT_OF[factor], moved - value)
            value = moved
    return parts


def _add(parts: dict[str, FloatArray], effect: str, part: FloatArray) -> None:
    parts[effect] = parts[effect] + part if effect in parts else part


def _product(derivative: FloatArray, move: FloatArray) -> FloatArray:
    # A derivative that is not finite (at a kink) has no effect, nor has an input that has not moved.
    return np.where((move == 0.0) | ~np.isfinite(derivative), 0.0, derivative * move)


def _by_kind(legs: Iterable[_Leg]) -> list[tuple[type[Instrument], list[_Leg]]]:
    kinds: dict[type[Instrument], list[_Leg]] = {}
    for leg in legs:
        if leg.held and leg.shown.kind is not None:
            kinds.setdefault(leg.shown.kind, []).append(leg)
    return list(kinds.items())


def _columns(kind: type[Instrument], legs: list[_Leg], which: str) -> ContractBatch[Instrument]:
    states: list[PositionState] = [getattr(leg, which) for leg in legs]
    return ContractBatch.from_mappings(kind, [state.arguments for state in states], [state.name for state in states])


def _pnl(state: PositionState | None) -> float:
    """Return the P&L of a position in one state, in the base currency; 0 if it is absent."""
    if state is None or state.kind is None:
        return 0.0
    price = float(ContractBatch.from_mappings(state.kind, [state.arguments]).value[0])
    return (state.quantity * state.multiplier * price - state.cost_basis) * state.rate
