r"""P&L attribution: which of the market's moves made the day.

Between two states of a book a position has made

.. math:: \Delta = (q_1 m v_1 - c_1) x_1 - (q_0 m v_0 - c_0) x_0

with quantity q, multiplier m, price v, cost c and rate of exchange x. What was held at the opening is told apart from
what was traded since: ``new_trades`` is :math:`[(q_1 - q_0) m v_1 - (c_1 - c_0 + r)] x_1`, from the trade's price to
the closing mark. The cash r that contracts paid (coupons, premiums, payments at expiry) is ``cash_flows``,
:math:`r x_1`. What a price loses by paying it is part of ``theta``, and so is the whole price of a contract that has
come to its end. Of the rest, the currency's own part is ``fx``, :math:`(q_0 m v_0 - c_0)(x_1 - x_0)`, and the price's
part is explained in one of two ways.

**Taylor.** First time passes: ``theta`` is what the contracts, revalued at the new time in the opening market, have
made. There derivatives are taken, and the market moves by the closing less the opening inputs:

================  ==========================================================================================
delta, gamma      first and second order in spots
vega              first and second order in volatilities
rho, credit       first and second order in rates, in credit spreads
dividend, fx      first and second order in dividend yields, in currency pairs held
cross             all mixed second order (vanna and the like), and price moves times currency moves
unexplained       the rest: third order and beyond
================  ==========================================================================================

**Waterfall.** The inputs move one group after the other: time, spots, volatilities, rates, spreads, currencies,
dividends. Each step revalues through the contracts' own ``price`` and shows what it adds. Nothing is left but rounding,
and the price of that is that the order matters: a step is taken in the market that the steps before have left.

Either way what is shown adds up: ``unexplained`` is the exact remainder, and :attr:`PnLAttribution.actual` is the sum.

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
from bank_python.errors import MissingExtraError, RiskError
from bank_python.instruments.derivatives import take_derivatives
from bank_python.instruments.factor import Factor
from bank_python.risk.state import DeskState, PositionState, capture
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from os import PathLike
    from typing import Self

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
"""What P&L is attributed to, in the order in which it is shown."""

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
    """How the price's part of P&L is explained."""

    TAYLOR = "taylor"
    WATERFALL = "waterfall"


@dataclass(frozen=True, slots=True, eq=False)
class PnLAttribution:
    """P&L between two states, by position and effect; made by :meth:`between`.

    Parameters
    ----------
    mode : AttributionMode
        How it was explained.
    currency : str
        Of all figures.
    positions, instruments, books : tuple of str
        By position: its name, what it holds, and the book (a trader's, on a desk) it is in.
    effects : mapping of str to ndarray
        By effect (:data:`EFFECTS`), figures of shape (positions,).
    errors : mapping of str to Exception
        Positions that had no value in one of the states, and why; they are not part of the figures.
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
            As :func:`~bank_python.risk.state.capture` gave them, in one base currency.
        mode : {"taylor", "waterfall"}
            By derivatives, or by step-wise full revaluation.

        Raises
        ------
        RiskError
            There is no such mode, or the states are in different currencies.
        """
        if before.currency != after.currency:
            raise RiskError(f"one state is in {before.currency}, the other in {after.currency}; capture both in one")
        chosen = _mode(mode)
        names = list(dict.fromkeys([*before.positions, *after.positions]))
        pairs = {name: (before.positions.get(name), after.positions.get(name)) for name in names}
        errors = {name: error for name, pair in pairs.items() if (error := _error(pair)) is not None}
        kept = [_Leg.of(*pair) for name, pair in pairs.items() if name not in errors]
        explain = _taylor if chosen is AttributionMode.TAYLOR else _waterfall
        _explain(kept, explain, waterfall=chosen is AttributionMode.WATERFALL)
        return cls(
            chosen,
            before.currency,
            tuple(leg.shown.name for leg in kept),
            tuple(leg.shown.instrument for leg in kept),
            tuple(leg.shown.book for leg in kept),
            {effect: np.array([leg.figures[effect] for leg in kept]) for effect in EFFECTS},
            errors,
        )

    # What was an attribute can still be read as one, with a warning, for one version.

    @property
    def by_factor(self) -> CalledMapping[float]:
        """Call it: the firm's P&L by effect, in the order of :data:`EFFECTS`."""
        return CalledMapping(
            {effect: math.fsum(self.effects[effect]) for effect in EFFECTS}, "PnLAttribution.by_factor"
        )

    @property
    def by_trader(self) -> CalledMapping[dict[str, float]]:
        """Call it: P&L by trader (or book, where books were given), each by effect as :meth:`by_factor` is."""
        return CalledMapping(self._grouped(self.books), "PnLAttribution.by_trader")

    @property
    def by_instrument(self) -> CalledMapping[dict[str, float]]:
        """Call it: P&L by what is held, and by effect in it."""
        return CalledMapping(self._grouped(self.instruments), "PnLAttribution.by_instrument")

    @property
    def actual(self) -> float:
        """The P&L: the sum of :meth:`by_factor`."""
        return math.fsum(self.by_factor().values())

    @property
    def unexplained(self) -> float:
        """What no effect explains."""
        return self.by_factor()["unexplained"]

    @property
    def explained(self) -> float:
        """The P&L less what is unexplained."""
        return math.fsum(value for effect, value in self.by_factor().items() if effect != "unexplained")

    @property
    def unexplained_share(self) -> float:
        """The unexplained over the sum of the sizes of what is explained; 0 when nothing happened."""
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
        """Return a row for each position: its book, what it holds, every effect, and their sum."""
        from bank_python.mntable import Table

        rows = []
        for i, name in enumerate(self.positions):
            figures = {effect: float(self.effects[effect][i]) for effect in EFFECTS}
            labels = {"position": name, "book": self.books[i], "instrument": self.instruments[i]}
            rows.append({**labels, **figures, "actual": math.fsum(figures.values())})
        words = [(key, str) for key in ("position", "book", "instrument")]
        return Table.from_rows([*words, *((effect, float) for effect in (*EFFECTS, "actual"))], rows)

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the waterfall from nothing to the day's P&L, and save it at `path` (.png, .svg, .pdf).

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError(f"a plot needs matplotlib: {how_to_install('plot')}", extra="plot") from error
        shown = {effect: value for effect, value in self.by_factor().items() if value}
        tops = np.cumsum([0.0, *shown.values()])
        figure = Figure(figsize=(10.0, 5.0), layout="constrained")
        axes = figure.subplots()
        colours = ["tab:green" if value > 0.0 else "tab:red" for value in shown.values()]
        axes.bar([*shown], [*shown.values()], bottom=tops[:-1], color=colours)
        axes.bar(["P&L"], [self.actual], color="tab:blue")
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set_ylabel(self.currency)
        axes.set_title(f"P&L attribution ({self.mode.value})")
        axes.tick_params(axis="x", rotation=30)
        figure.savefig(path)

    def __rich__(self) -> object:
        from bank_python.render import attribution_view

        return attribution_view(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Leg:
    """A position across the two states, and what it has made by effect."""

    before: PositionState | None
    after: PositionState | None
    figures: dict[str, float]

    @classmethod
    def of(cls, before: PositionState | None, after: PositionState | None) -> _Leg:
        return cls(before, after, dict.fromkeys(EFFECTS, 0.0))

    @property
    def shown(self) -> PositionState:
        """The state that names it."""
        state = self.after or self.before
        assert state is not None  # noqa: S101 - a leg has at least one
        return state

    @property
    def held(self) -> bool:
        """Whether the same contract was there at both moments."""
        return (
            self.before is not None
            and self.after is not None
            and self.before.kind is self.after.kind
            and self.before.instrument == self.after.instrument
        )

    @property
    def ended(self) -> bool:
        """Whether its contract came to its end in between."""
        return self.before is not None and self.after is not None and self.after.over and not self.before.over


def _received(state: PositionState | None) -> float:
    return 0.0 if state is None else state.received * state.rate


def _mode(mode: AttributionMode | str) -> AttributionMode:
    try:
        return AttributionMode(mode)
    except ValueError:
        known = " or ".join(repr(item.value) for item in AttributionMode)
        raise RiskError(f"mode={mode!r} explains no P&L; choose {known}", value=mode) from None


def _error(pair: tuple[PositionState | None, PositionState | None]) -> Exception | None:
    return next((state.error for state in pair if state is not None and state.error is not None), None)


def _explain(
    legs: list[_Leg],
    explain: Callable[[ContractBatch[Instrument], FloatArray], dict[str, FloatArray]],
    *,
    waterfall: bool,
) -> None:
    """Fill in the legs' figures, all contracts of a class in a few calls of its ``price``."""
    for kind, members in _by_kind(legs):
        opening, closing = (_columns(kind, members, which) for which in ("before", "after"))
        closed_terms = opening.moved(**{name: closing.row(name) for name in kind.source_names})
        parts = explain(opening, closed_terms)
        prices = zip(opening.value, opening.priced(closed_terms), closing.value, strict=True)
        for i, (leg, (first, last, amended)) in enumerate(zip(members, prices, strict=True)):
            if leg.ended:
                # What the market did after the end is nobody's P&L: the price is gone, and the cash is there.
                _settle(leg, {"theta": -first}, waterfall, first, 0.0, 0.0)
                continue
            _settle(leg, {effect: float(part[i]) for effect, part in parts.items()}, waterfall, first, last, amended)
    for leg in legs:
        if not leg.held:
            leg.figures["cash_flows"] = _received(leg.after) - _received(leg.before)
            leg.figures["new_trades"] = _made(leg.after) - _made(leg.before) - leg.figures["cash_flows"]


def _settle(leg: _Leg, parts: dict[str, float], waterfall: bool, first: float, last: float, amended: float) -> None:
    """Turn price moves of one unit into money, and add currency, trades and what is left."""
    before, after = leg.before, leg.after
    assert before is not None  # noqa: S101 - held at both moments
    assert after is not None  # noqa: S101 - as above
    units = before.quantity * before.multiplier
    for effect, part in parts.items():
        leg.figures[effect] += units * part * before.rate
    moved = after.rate - before.rate
    across = units * (last - first) * moved
    leg.figures["fx"] += (units * first - before.cost_basis) * moved + (across if waterfall else 0.0)
    leg.figures["cross"] += 0.0 if waterfall else across
    # What was traded since, and what an amendment of the terms has changed.
    paid = after.received - before.received
    leg.figures["cash_flows"] += paid * after.rate
    bought = (after.quantity * after.multiplier - units) * amended - (after.cost_basis - before.cost_basis + paid)
    leg.figures["new_trades"] += (bought + units * (amended - last)) * after.rate
    made = [after.quantity * after.multiplier * amended * after.rate, -after.cost_basis * after.rate]
    had = [-units * first * before.rate, before.cost_basis * before.rate]
    leg.figures["unexplained"] = math.fsum([*made, *had, *(-value for value in leg.figures.values())])


def _taylor(opening: ContractBatch[Instrument], closing: FloatArray) -> dict[str, FloatArray]:
    """Return the price moves of one unit by effect, in Taylor's expansion at the closing time."""
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
    """Return the price moves of one unit by effect, one group of inputs after the other."""
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
    # What has not moved explains nothing, nor does a derivative at a kink, which is not finite.
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


def _made(state: PositionState | None) -> float:
    """Return the P&L of a position by itself."""
    if state is None or state.kind is None:
        return 0.0
    price = float(ContractBatch.from_mappings(state.kind, [state.arguments]).value[0])
    return (state.quantity * state.multiplier * price - state.cost_basis) * state.rate
