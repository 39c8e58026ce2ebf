"""Positions: so much of an instrument, and what was paid for it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from bank_python.barbara import register_storable
from bank_python.dagger import Leaf, Source, Term
from bank_python.dagger.node import inputs_first
from bank_python.errors import InstrumentError
from bank_python.instruments.checks import finite, known_currency
from bank_python.instruments.declarations import Argument, InferredLabel
from bank_python.instruments.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from bank_python.dagger import Node
    from bank_python.instruments.contract_greeks import ContractGreeks

__all__ = ["Position", "rests_on_quotes"]


@register_storable
class Position(Instrument):
    """A quantity of an instrument, with its P&L: value − opening mark + cash.

    Parameters
    ----------
    name : str
        Unique in the graph.
    instrument : Node
        What is held.
    quantity : float
        Units held; negative is short.
    cost : float, optional
        Price paid for one unit. By default the position is opened at the instrument's present value, as soon
        as that depends on quotes.
    multiplier : float, default 1.0
        Units of the instrument in one unit of quantity: 100 for listed US equity options.
    currency : str, optional
        By default the instrument's; needed when `instrument` is a node without one and not in USD.

    Raises
    ------
    InstrumentError
        A term makes no sense; the message names it.

    Examples
    --------
    >>> from bank_python.instruments.spot import Equity
    >>> from bank_python.market_data.leaves import MarketData
    >>> spot = MarketData("AAPL_SPOT", 190.0)
    >>> held = Position("LONG_AAPL", instrument=Equity("AAPL", spot_source=spot), quantity=10)
    >>> spot.set_price(191.0)
    >>> held.value, held.pnl
    (1910.0, 10.0)
    """

    record_tag = "Position"
    record_home = "/Positions/"

    instrument: Source = Source("what is held, valued for one unit", alias="instrument")
    quantity: Term = Term("units held; negative is short")
    multiplier: Term = Term("units of the instrument in one unit of quantity", positive=True, default=1.0)
    cost_basis: Term = Term(
        "cash paid less cash received for it, not a number until it is marked", init=False, priced=False
    )
    received: Term = Term(
        "cash that what is held has paid the position, net of what it owed; in cost_basis already",
        init=False,
        priced=False,
    )
    cost: Argument[float | None] = Argument("price paid for one unit", hint=float | None, default=None)
    currency: InferredLabel = InferredLabel("ISO 4217 code", default=None, check=known_currency)

    @staticmethod
    def price(instrument: Any, quantity: Any, multiplier: Any) -> Any:  # noqa: D102 - documented by Contract
        return instrument * quantity * multiplier

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Take the currency of what is held, unless told otherwise, and what was paid."""
        held, cost = arguments["instrument"], arguments["cost"]
        arguments["currency"] = arguments["currency"] or (held.currency if isinstance(held, Instrument) else "USD")
        paid = math.nan if cost is None else finite(name, "cost", cost)
        terms["cost_basis"] = paid * terms["quantity"] * terms["multiplier"]
        terms["received"] = 0.0

    def completed(self) -> None:
        """Open the position, if it was given no cost."""
        self.mark_open()

    @property
    def marked(self) -> bool:
        """Whether the position has an opening mark, which P&L needs."""
        return not math.isnan(self.cost_basis)

    def mark_open(self) -> bool:
        """Open the position at the instrument's present value, if that depends on quotes; say whether it did."""
        if self.marked or not rests_on_quotes(self) or self.error is not None:
            return self.marked
        self.amend(cost_basis=float(self.value))
        return True

    @property
    def pnl(self) -> float:
        """Value less cost basis, in the position's currency.

        Raises
        ------
        InstrumentError
            The position has no opening mark: what it depends on was not quoted when it was made.
        """
        if not self.mark_open():
            raise InstrumentError(
                f"{self.name} has no opening mark: what it holds is not quoted yet; quote it, or give cost=",
                name=self.name,
            )
        return float(self.value) - self.cost_basis

    def greeks(self) -> ContractGreeks:
        """Return value and sensitivities of what is held: those of the instrument, times quantity and multiplier.

        Raises
        ------
        InstrumentError
            What is held is a node that is no instrument.
        BankError
            It has no value now.
        """
        held = self.instrument
        if not isinstance(held, Instrument):
            raise InstrumentError(f"{self.name} holds a node that is no instrument: it has no Greeks", name=self.name)
        return held.greeks().scaled(self.quantity * self.multiplier)

    def trade(self, quantity: float, price: float) -> float:
        """Add `quantity` units at `price` each, and return the cash paid (negative: received).

        Raises
        ------
        InstrumentError
            A figure is not finite, or the position has no opening mark; nothing has changed.
        """
        paid = finite(self.name, "quantity", quantity) * finite(self.name, "price", price) * self.multiplier
        if not self.mark_open():
            raise InstrumentError(f"{self.name} cannot trade before it is marked; quote what it holds", name=self.name)
        self.amend(quantity=self.quantity + quantity, cost_basis=self.cost_basis + paid)
        return paid

    def collect(self, cash: float) -> None:
        """Book cash that what is held pays the position: a coupon, say; P&L takes it from the cost.

        Parameters
        ----------
        cash : float
            In the position's currency; negative if the position pays.

        Raises
        ------
        InstrumentError
            It is not a finite number, or the position has no opening mark; nothing has changed.
        """
        self._take(finite(self.name, "cash", cash))

    def close_out(self, cash: float) -> None:
        """End the position for what is held pays at its end: no unit is left, and the cash is booked.

        Parameters
        ----------
        cash : float
            In the position's currency; negative if the position pays.

        Raises
        ------
        InstrumentError
            It is not a finite number, or the position has no opening mark; nothing has changed.
        """
        self._take(finite(self.name, "cash", cash), quantity=0.0)

    def _take(self, cash: float, **terms: float) -> None:
        if not self.mark_open():
            raise InstrumentError(f"{self.name} takes no cash before it is marked; quote what it holds", name=self.name)
        self.amend(cost_basis=self.cost_basis - cash, received=self.received + cash, **terms)

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the position from its stored fields; one of before cash was kept has received none."""
        terms = {"received": 0.0, **cast("Mapping[str, float]", fields["terms"])}
        return super().from_record({**fields, "terms": terms})


def rests_on_quotes(contract: Node) -> bool:
    """Whether every leaf under `contract` has been quoted."""
    nodes = inputs_first([contract], lambda node: node.underliers, lambda _: True)
    return all(node.quoted for node in nodes if isinstance(node, Leaf))
