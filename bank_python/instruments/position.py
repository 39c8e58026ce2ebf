"""Positions: a quantity of an instrument and its cost basis."""

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

__all__ = ["Position", "is_quoted"]


@register_storable
class Position(Instrument):
    """A quantity of an instrument, with its P&L: value less cost basis.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    instrument : Node
        Instrument that is held, valued for one unit.
    quantity : float
        Number of units held; negative for a short position.
    cost : float, optional
        Price paid per unit. By default the position is opened at the instrument's value, as soon as all its inputs are
        quoted.
    multiplier : float, default 1.0
        Units of the instrument per unit of quantity, above 0: 100 for listed US equity options.
    currency : str, optional
        ISO 4217 code of the currency of the value; by default that of the instrument, or USD for a node without one.

    Raises
    ------
    InstrumentError
        A term is out of range; the message names it.

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

    instrument: Source = Source("instrument held, valued for one unit", alias="instrument")
    quantity: Term = Term("number of units held, negative if short")
    multiplier: Term = Term("units of the instrument per unit of quantity", positive=True, default=1.0)
    cost_basis: Term = Term(
        "cash paid less cash received for the position, NaN until it is marked", init=False, priced=False
    )
    received: Term = Term(
        "net cash received from the instrument, which is also deducted from cost_basis",
        init=False,
        priced=False,
    )
    cost: Argument[float | None] = Argument("price paid per unit", hint=float | None, default=None)
    currency: InferredLabel = InferredLabel("ISO 4217 code", default=None, check=known_currency)

    @staticmethod
    def price(instrument: Any, quantity: Any, multiplier: Any) -> Any:  # noqa: D102 - documented by Contract
        return instrument * quantity * multiplier

    @classmethod
    def complete(cls, name: str, arguments: dict[str, Any], terms: dict[str, float]) -> None:
        """Set the default currency, that of the instrument, and the cost basis."""
        held, cost = arguments["instrument"], arguments["cost"]
        arguments["currency"] = arguments["currency"] or (held.currency if isinstance(held, Instrument) else "USD")
        paid = math.nan if cost is None else finite(name, "cost", cost)
        terms["cost_basis"] = paid * terms["quantity"] * terms["multiplier"]
        terms["received"] = 0.0

    def completed(self) -> None:
        """Open the position at the instrument's value if no cost was given."""
        self.mark_open()

    @property
    def marked(self) -> bool:
        """Whether the position has an opening mark, which P&L needs."""
        return not math.isnan(self.cost_basis)

    def mark_open(self) -> bool:
        """Open the position at the instrument's value if its inputs are quoted; return whether it has a mark."""
        if self.marked or not is_quoted(self) or self.error is not None:
            return self.marked
        self.amend(cost_basis=float(self.value))
        return True

    @property
    def pnl(self) -> float:
        """Value less cost basis, in the position's currency.

        Raises
        ------
        InstrumentError
            The position has no opening mark, because its instrument is not quoted yet.
        """
        if not self.mark_open():
            raise InstrumentError(
                f"{self.name} has no opening mark: its instrument is not quoted yet; quote it, or give cost=",
                name=self.name,
            )
        return float(self.value) - self.cost_basis

    def greeks(self) -> ContractGreeks:
        """Return value and sensitivities: those of the instrument times quantity and multiplier.

        Raises
        ------
        InstrumentError
            The position holds a node that is not an instrument.
        BankError
            The instrument has no value.
        """
        held = self.instrument
        if not isinstance(held, Instrument):
            raise InstrumentError(
                f"{self.name} holds a node that is not an instrument, so it has no Greeks", name=self.name
            )
        return held.greeks().scaled(self.quantity * self.multiplier)

    def trade(self, quantity: float, price: float) -> float:
        """Add `quantity` units at `price` each, and return the cash paid (negative if received).

        Raises
        ------
        InstrumentError
            A figure is not finite, or the position has no opening mark. Nothing is changed.
        """
        paid = finite(self.name, "quantity", quantity) * finite(self.name, "price", price) * self.multiplier
        if not self.mark_open():
            raise InstrumentError(
                f"{self.name} cannot trade before it has an opening mark; quote its instrument", name=self.name
            )
        self.amend(quantity=self.quantity + quantity, cost_basis=self.cost_basis + paid)
        return paid

    def collect(self, cash: float) -> None:
        """Book cash paid by the instrument, such as a coupon; it lowers the cost basis.

        Parameters
        ----------
        cash : float
            Cash received, in the position's currency; negative if the position pays.

        Raises
        ------
        InstrumentError
            The amount is not a finite number, or the position has no opening mark. Nothing is changed.
        """
        self._book(finite(self.name, "cash", cash))

    def close_out(self, cash: float) -> None:
        """Close the position for the instrument's final payment: set the quantity to 0 and book the cash.

        Parameters
        ----------
        cash : float
            Cash received, in the position's currency; negative if the position pays.

        Raises
        ------
        InstrumentError
            The amount is not a finite number, or the position has no opening mark. Nothing is changed.
        """
        self._book(finite(self.name, "cash", cash), quantity=0.0)

    def _book(self, cash: float, **terms: float) -> None:
        if not self.mark_open():
            raise InstrumentError(
                f"{self.name} cannot book cash before it has an opening mark; quote its instrument", name=self.name
            )
        self.amend(cost_basis=self.cost_basis - cash, received=self.received + cash, **terms)

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the position from its stored fields; older records have no ``received``, which is then 0."""
        terms = {"received": 0.0, **cast("Mapping[str, float]", fields["terms"])}
        return super().from_record({**fields, "terms": terms})


def is_quoted(contract: Node) -> bool:
    """Return whether every leaf that `contract` depends on has been quoted."""
    nodes = inputs_first([contract], lambda node: node.underliers, lambda _: True)
    return all(node.quoted for node in nodes if isinstance(node, Leaf))
