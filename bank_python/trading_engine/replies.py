"""What an engine answers to an order: a fill, that it works, or a rejection with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bank_python.display import Record

if TYPE_CHECKING:
    import datetime as dt

    from bank_python.trading_engine.execution import FillCost
    from bank_python.trading_engine.limits import LimitBreach
    from bank_python.trading_engine.order import Order

__all__ = ["Fill", "Rejection", "Reply", "Working"]


@dataclass(frozen=True, slots=True)
class Reply(Record):
    """Answer to an order.

    Parameters
    ----------
    order : Order
        Order with its new state.
    """

    order: Order
    is_filled: ClassVar[bool] = False

    @property
    def order_id(self) -> str:
        """Name of the order."""
        return self.order.order_id


@dataclass(frozen=True, slots=True)
class Fill(Reply):
    """A fill of an order, whole or in part.

    Parameters
    ----------
    order : Order
        Order after the fill.
    quantity : float
        Units filled, above 0.
    price : float
        Price per unit with spread, slippage and impact, without fees.
    fees : float
        Fees in money.
    cost : FillCost
        The costs against the reference price, one by one.
    when : datetime
        Time of the fill.
    """

    quantity: float
    price: float
    fees: float
    cost: FillCost
    when: dt.datetime
    is_filled: ClassVar[bool] = True

    @property
    def multiplier(self) -> float:
        """Units of the underlying per unit of quantity: 100 for listed options."""
        return self.cost.multiplier

    @property
    def signed_quantity(self) -> float:
        """Units filled, negative for a sale."""
        return self.order.side.sign * self.quantity

    def __str__(self) -> str:
        order, fees = self.order, f", fees {self.fees:,.2f}" if self.fees else ""
        deal = f"{order.side.value} {self.quantity:g} {order.instrument_name} at {self.price:,.4f}{fees}"
        return f"{order.order_id} {order.status.value}: {deal}"


@dataclass(frozen=True, slots=True)
class Working(Reply):
    """An order that waits for its price.

    Parameters
    ----------
    order : Order
        Order that waits for its price.
    """

    def __str__(self) -> str:
        order = self.order
        terms = f"{order.side.value} {order.remaining:g} {order.instrument_name} {order.order_type.value}"
        return f"{order.order_id} works: {terms}"


@dataclass(frozen=True, slots=True)
class Rejection(Reply):
    """An order that was refused; nothing was booked.

    Parameters
    ----------
    order : Order
        Order in the state REJECTED, with its reason.
    reason : str
        Reason in words, with the figure and the limit.
    breaches : tuple of LimitBreach, default ()
        Limits that the order would break.
    """

    reason: str
    breaches: tuple[LimitBreach, ...] = ()

    def __str__(self) -> str:
        return f"{self.order.order_id} REJECTED: {self.reason}"
