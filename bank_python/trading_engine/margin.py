r"""Margin of leveraged books: requirements, the margin call, and what is closed if it is not met.

A position with exposure x (quantity × price × multiplier, in the currency of the account) requires

.. math:: \text{initial} = r_i |x|, \qquad \text{maintenance} = r_m |x|

of equity. The *margin call* is the maintenance requirement less the equity, if that is above 0. The default rates are
those of US shares: 50 % to open (Regulation T), 25 % to hold long and 30 % to hold short positions (FINRA Rule 4210);
a cap of leverage L is the initial rate 1 / L (:meth:`MarginRates.from_leverage`).

If the call is not met, positions are closed in order of their risk, the largest first, until the maintenance
requirement is met. Closing the exposure x lowers the requirement by r x and, at a cost of c per unit of exposure, the
equity by c x, so the last position closed needs no more than

.. math:: x = \frac{\text{required} - \text{equity}}{r - c}

These are pure functions of positions and prices: they book nothing.

Examples
--------
>>> held = {"XYZ": MarginPosition(1_000, 12.0, MarginRates(0.5, 0.4))}
>>> state = margin_state(4_000.0, held)
>>> state.maintenance, state.call
(4800.0, 800.0)
>>> plan = liquidation_plan(4_000.0, held)
>>> plan.orders[0].quantity, plan.after.call
(-166.66666666666666, 0.0)

References
----------
Regulation T, 12 CFR 220.12 (initial margin). FINRA Rule 4210(c) (maintenance margin). SEC, Investor Bulletin:
Understanding Margin Accounts, the example of 16,000 of shares bought with a loan of 8,000.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.results import Figures, Tabular
from bank_python.trading_engine.money import checked_number
from bank_python.trading_engine.statement import Statement, StatementRow  # noqa: TC001 - admits checks instances

if TYPE_CHECKING:
    from bank_python.mntable import Table

__all__ = [
    "LiquidationOrder",
    "LiquidationPlan",
    "MarginPosition",
    "MarginRates",
    "MarginState",
    "liquidation_plan",
    "margin_positions",
    "margin_state",
]

_ROUNDED = 1e-12  # share of a requirement by which floats may miss it


@dataclass(frozen=True, slots=True)
class MarginRates(Record):
    """Margin rates of an instrument, shares of its exposure.

    Parameters
    ----------
    initial : float, default 0.5
        Equity required to open, above 0.
    maintenance : float, default 0.25
        Equity required to hold a long position, above 0 and at most `initial`.
    short_maintenance : float, optional
        Equity required to hold a short position, above 0; by default 0.3, or `maintenance` if that is larger.
    """

    initial: float = 0.5
    maintenance: float = 0.25
    short_maintenance: float | None = None

    def __post_init__(self) -> None:
        short = max(0.3, self.maintenance) if self.short_maintenance is None else self.short_maintenance
        values = {"initial": self.initial, "maintenance": self.maintenance, "short_maintenance": short}
        for name, value in values.items():
            object.__setattr__(self, name, checked_number(value, name, "MarginRates", above_zero=True))
        if self.maintenance > self.initial:
            said = f"MarginRates: maintenance={self.maintenance:g} is above initial={self.initial:g}; lower it"
            raise TradingError(said, name="maintenance", value=self.maintenance)

    @classmethod
    def from_leverage(cls, leverage: float, maintenance: float | None = None) -> MarginRates:
        """Return the rates of a cap of leverage, the same for long and short positions.

        Parameters
        ----------
        leverage : float
            Largest exposure for each unit of equity, above 0.
        maintenance : float, optional
            Equity required to hold a position, a share of its exposure; by default half of what opening it requires.
        """
        initial = 1.0 / checked_number(leverage, "leverage", "MarginRates", above_zero=True)
        kept = 0.5 * initial if maintenance is None else maintenance
        return cls(initial, kept, kept)


@dataclass(frozen=True, slots=True)
class MarginPosition(Record):
    """A position as margin rules see it.

    Parameters
    ----------
    quantity : float
        Number of units held, negative if short.
    price : float
        Price per unit in the currency of the account.
    rates : MarginRates, optional
        Margin rates of the instrument; by default those of US shares.
    multiplier : float, default 1.0
        Amount of money per unit and per point of the price, above 0.
    risk : float, optional
        Risk in money by which positions are closed; by default the maintenance requirement.
    step : float, default 0.0
        Smallest number of units that can be traded; 0 for any fraction.
    """

    quantity: float
    price: float
    rates: MarginRates = MarginRates()
    multiplier: float = 1.0
    risk: float | None = None
    step: float = 0.0

    def __post_init__(self) -> None:
        rates: object = self.rates
        if not isinstance(rates, MarginRates):
            said = f"MarginPosition: rates={rates!r} are no MarginRates; give MarginRates(initial, maintenance)"
            raise TradingError(said, name="rates", value=rates)
        rules: dict[str, dict[str, bool]] = {"quantity": {}, "price": {}, "multiplier": {"above_zero": True}}
        rules["step"] = {"from_zero": True}
        if self.risk is not None:
            rules["risk"] = {"from_zero": True}
        for name, rule in rules.items():
            object.__setattr__(self, name, checked_number(getattr(self, name), name, "MarginPosition", **rule))

    @property
    def exposure(self) -> float:
        """Quantity times price times multiplier."""
        return self.quantity * self.price * self.multiplier

    @property
    def initial(self) -> float:
        """Equity required to open the position."""
        return abs(self.exposure) * self.rates.initial

    @property
    def maintenance(self) -> float:
        """Equity required to hold the position."""
        return abs(self.exposure) * self.maintenance_rate

    @property
    def maintenance_rate(self) -> float:
        """Maintenance rate on the side that is held."""
        rates = self.rates
        short = rates.maintenance if rates.short_maintenance is None else rates.short_maintenance
        return rates.maintenance if self.exposure >= 0.0 else short

    @property
    def ranked_risk(self) -> float:
        """Risk in money by which positions are closed."""
        return self.maintenance if self.risk is None else self.risk


@dataclass(frozen=True, slots=True)
class MarginState(Figures):
    """Requirements of a book, in money; returned by :func:`margin_state`.

    Parameters
    ----------
    equity : float
        Cash and positions together.
    gross : float
        Sum of the absolute exposures.
    initial, maintenance : float
        Equity required to open, and to hold, all positions.
    """

    equity: float
    gross: float
    initial: float
    maintenance: float

    @property
    def call(self) -> float:
        """Margin call: equity that is missing for maintenance; 0 if none is."""
        missing = self.maintenance - self.equity
        return missing if missing > _ROUNDED * self.maintenance else 0.0

    @property
    def excess(self) -> float:
        """Equity above the initial requirement, for new positions; negative if it is below."""
        return self.equity - self.initial

    @property
    def leverage(self) -> float | None:
        """Gross exposure divided by equity; None if the equity is not above 0."""
        return self.gross / self.equity if self.equity > 0.0 else None

    def __rich__(self) -> object:
        from bank_python.render_ledger import margin_state_view

        return margin_state_view(self)


@dataclass(frozen=True, slots=True)
class LiquidationOrder(Figures):
    """A position to close, or a part of it.

    Parameters
    ----------
    instrument : str
        Name of the instrument.
    quantity : float
        Number of units to buy, negative to sell.
    price : float
        Price at which the plan was made.
    exposure : float
        Absolute exposure that is closed.
    released : float
        Maintenance requirement that is released.
    cost : float
        Cost of closing.
    is_whole : bool
        Whether the whole position is closed.
    """

    instrument: str
    quantity: float
    price: float
    exposure: float
    released: float
    cost: float
    is_whole: bool


@dataclass(frozen=True, slots=True, repr=False)
class LiquidationPlan(Tabular):
    """What is closed to meet the maintenance requirement; returned by :func:`liquidation_plan`.

    Parameters
    ----------
    orders : tuple of LiquidationOrder
        Positions to close, in their order; empty if there is no margin call.
    before, after : MarginState
        Margin requirements before and after the orders.
    shortfall : float
        Equity below 0 that is left when everything is closed: a loss of the lender.
    """

    orders: tuple[LiquidationOrder, ...]
    before: MarginState
    after: MarginState
    shortfall: float

    def to_table(self) -> Table:
        """Return a table with a row for each order."""
        from bank_python.mntable import Table

        schema = [("instrument", str), *((n, float) for n in ("quantity", "price", "exposure", "released", "cost"))]
        return Table.from_rows([*schema, ("is_whole", bool)], [order.to_dict() for order in self.orders])

    def __rich__(self) -> object:
        from bank_python.render_ledger import liquidation_view

        return liquidation_view(self)


@admits(TradingError)
def margin_state(equity: float, positions: Mapping[str, MarginPosition]) -> MarginState:
    """Return the margin requirements of a book.

    Parameters
    ----------
    equity : float
        Cash and positions together, in the currency of the account.
    positions : mapping of str to MarginPosition
        Positions by instrument; :func:`margin_positions` takes them from a statement.

    Raises
    ------
    TradingError
        The equity is not finite, or a position is none.
    """
    known = checked_number(equity, "equity", "margin_state")
    return _state(known, positions)


@admits(TradingError)
def liquidation_plan(
    equity: float, positions: Mapping[str, MarginPosition], *, cost: float = 0.0, buffer: float = 0.0
) -> LiquidationPlan:
    """Return what is closed until the maintenance requirement is met: the largest risk first, no more than needed.

    Parameters
    ----------
    equity : float
        Cash and positions together, in the currency of the account.
    positions : mapping of str to MarginPosition
        Positions by instrument; :func:`margin_positions` takes them from a statement.
    cost : float, default 0.0
        Cost of closing, a share of the exposure closed; at least 0, and below each maintenance rate.
    buffer : float, default 0.0
        Equity above the requirement to aim at once there is a call, a share of the requirement, at least 0.

    Raises
    ------
    TradingError
        An argument is not as described.
    """
    known = checked_number(equity, "equity", "liquidation_plan")
    each = checked_number(cost, "cost", "liquidation_plan", from_zero=True)
    aim = 1.0 + checked_number(buffer, "buffer", "liquidation_plan", from_zero=True)
    held = positions
    for name, position in held.items():
        if each >= position.maintenance_rate:
            said = (
                f"liquidation_plan: cost={cost!r} is not below the maintenance rate of {name!r}, "
                f"{position.maintenance_rate:g}, so that closing would cost more than it releases; give a share of the "
                "exposure, such as 0.001"
            )
            raise TradingError(said, name="cost", value=cost)
    before, orders, left, now = _state(known, held), [], dict(held), known
    if before.call:
        for name in sorted(held, key=lambda key: -held[key].ranked_risk):
            missing = aim * math.fsum(position.maintenance for position in left.values()) - now
            if missing <= _ROUNDED * before.maintenance:
                break
            if held[name].exposure == 0.0:
                continue
            order, rest = _closed(name, held[name], missing, each, aim)
            orders.append(order)
            now -= order.cost
            left[name] = rest
    after = _state(now, left)
    return LiquidationPlan(tuple(orders), before, after, shortfall=max(-now, 0.0) if after.gross == 0.0 else 0.0)


def _closed(
    name: str, position: MarginPosition, missing: float, cost: float, aim: float
) -> tuple[LiquidationOrder, MarginPosition]:
    """Return the order for a position, and what is left of it."""
    held, size = abs(position.exposure), abs(position.quantity)
    gained = aim * position.maintenance_rate - cost
    units = size if gained * held <= missing else size * missing / (gained * held)
    if position.step:
        units = min(math.ceil(units / position.step * (1.0 - _ROUNDED)) * position.step, size)
    sign = math.copysign(1.0, position.quantity)
    left = (
        replace(position, quantity=position.quantity - sign * units)
        if units < size
        else replace(position, quantity=0.0)
    )
    exposure = held - abs(left.exposure)
    released = exposure * position.maintenance_rate
    whole = units >= size
    return LiquidationOrder(name, -sign * units, position.price, exposure, released, cost * exposure, whole), left


@admits(TradingError)
def margin_positions(
    statement: Statement,
    rates: MarginRates | Mapping[str, MarginRates] | None = None,
    *,
    risks: Mapping[str, float] | None = None,
    step: float = 0.0,
) -> dict[str, MarginPosition]:
    """Return the positions of a statement as margin rules see them, in the currency of the ledger.

    Parameters
    ----------
    statement : Statement
        Account at given prices.
    rates : MarginRates or mapping of str to MarginRates, optional
        Margin rates of all instruments, or of each; by default those of US shares.
    risks : mapping of str to float, optional
        Risk in money by which positions are closed; by default the maintenance requirement.
    step : float, default 0.0
        Smallest number of units that can be traded; 0 for any fraction.

    Raises
    ------
    TradingError
        An instrument held has no rates.
    """
    found = {}
    for row in statement.rows:
        if not row.exposure:
            continue
        found[row.instrument] = MarginPosition(
            quantity=row.quantity,
            price=row.exposure * row.rate / row.quantity,
            rates=_rates_of(row, rates),
            risk=None if risks is None else risks.get(row.instrument),
            step=step,
        )
    return found


def _rates_of(row: StatementRow, rates: MarginRates | Mapping[str, MarginRates] | None) -> MarginRates:
    if not isinstance(rates, Mapping):
        return MarginRates() if rates is None else rates
    if row.instrument not in rates:
        said = f"margin_positions: there are no rates for {row.instrument!r}, which is held; give its MarginRates"
        raise TradingError(said, name="rates", value=row.instrument)
    return rates[row.instrument]


def _state(equity: float, positions: Mapping[str, MarginPosition]) -> MarginState:
    held = positions.values()
    return MarginState(
        equity,
        math.fsum(abs(position.exposure) for position in held),
        math.fsum(position.initial for position in held),
        math.fsum(position.maintenance for position in held),
    )
