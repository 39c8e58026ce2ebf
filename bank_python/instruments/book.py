"""Books of positions, and their profit and loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from bank_python.admission import admits
from bank_python.barbara import register_storable
from bank_python.dagger import Leaf, SumNode
from bank_python.deprecation import warn_of
from bank_python.display import Displayed
from bank_python.errors import InstrumentError
from bank_python.instruments.checks import known_currency
from bank_python.instruments.currency import ConvertedSum
from bank_python.instruments.position import Position

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from bank_python.dagger import Node

__all__ = ["Book", "ProfitAndLoss"]


@admits(InstrumentError, members=False)
@register_storable
class Book(ConvertedSum, Displayed):
    """The value of a set of positions, in one currency.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    positions : sequence of Position, optional
        Positions of the book at first; :meth:`add` adds more. Positions in several currencies are summed by currency
        and converted by the pair of that name in the graph (``EURUSD``), if necessary by a cross over USD.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the book's value.

    Raises
    ------
    InstrumentError
        A member is not a position, or, at registration, the graph lacks an exchange rate.

    Examples
    --------
    >>> from bank_python.instruments.spot import Equity
    >>> held = Position("P", instrument=Equity("AAPL", spot_source=190.0), quantity=10)
    >>> Book("TECH", positions=[held]).value
    1900.0
    >>> Book("EMPTY").value
    0.0
    """

    record_tag = "Book"
    record_home = "/Books/"

    def __init__(self, name: str, positions: Sequence[Position] = (), base_currency: str = "USD") -> None:
        self._subtotals: dict[str, SumNode] = {}
        members: dict[str, list[Position]] = {}
        for position in positions:
            members.setdefault(_position(name, position).currency, []).append(position)
        self._subtotals = {currency: SumNode(f"{name}:{currency}", held) for currency, held in members.items()}
        parts: dict[str, list[Node]] = {currency: [node] for currency, node in self._subtotals.items()}
        super().__init__(name, parts, known_currency(name, base_currency))

    @property
    def positions(self) -> tuple[Position, ...]:
        """Positions of the book, grouped by currency."""
        return tuple(cast("Position", node) for total in self._subtotals.values() for node in total.underliers)

    @property
    def subtotals(self) -> Mapping[str, SumNode]:
        """Sum of the positions in each currency, before conversion, by currency code."""
        return dict(self._subtotals)

    def add(self, position: Position) -> None:
        """Add a position; if the book is in a graph, the position is registered and the book revalued.

        Raises
        ------
        InstrumentError
            The argument is not a position, or there is no exchange rate for its currency. Nothing is changed.
        """
        currency = _position(self.name, position).currency
        if currency in self._subtotals:
            self._subtotals[currency].add(position)
            return
        subtotal = SumNode(f"{self.name}:{currency}", [position])
        self._parts[currency] = [subtotal]
        try:
            if self.graph is not None:
                self.graph.rewire(self, self.bind(self.graph))
            else:
                self.inputs_ = tuple(self._summands())
        except InstrumentError:
            del self._parts[currency]
            raise
        self._subtotals[currency] = subtotal

    def to_record(self) -> Mapping[str, object]:
        """Return the positions (by reference) and the base currency."""
        return {"name": self.name, "positions": list(self.positions), "base_currency": self.base_currency}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the book from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the fields are those of to_record

    def __rich__(self) -> object:
        from bank_python.render_objects import book_view

        return book_view(self)


@admits(InstrumentError, members=False)
@register_storable
class ProfitAndLoss(ConvertedSum):
    """Profit and loss of a book: its value less the cost basis of its positions.

    Parameters
    ----------
    name : str
        Node name, unique in its graph.
    book : Book
        Book whose P&L it is; every position in it must have an opening mark.

    Raises
    ------
    InstrumentError
        A position has no opening mark yet, because its instrument is not quoted.

    Notes
    -----
    P&L is computed in each currency and converted at the current rate: the P&L of a position in USDJPY is an amount of
    yen, converted to dollars. The net cash of a currency is minus the exact sum of its positions' cost bases, which
    does not depend on the order of the trades.

    Examples
    --------
    >>> from bank_python.instruments.spot import Equity
    >>> from bank_python.market_data.leaves import MarketData
    >>> spot = MarketData("AAPL_SPOT", 190.0)
    >>> book = Book("TECH", [Position("P", instrument=Equity("AAPL", spot_source=spot), quantity=10)])
    >>> pnl = ProfitAndLoss("TECH:PNL", book)
    >>> spot.set_price(191.5)
    >>> pnl.value
    15.0
    """

    record_tag = "ProfitAndLoss"
    record_home = "/Books/"

    def __init__(self, name: str, book: Book) -> None:
        unmarked = [position.name for position in book.positions if not position.mark_open()]
        if unmarked:
            raise InstrumentError(
                f"{name}: {', '.join(unmarked)} have no opening mark, because their instruments are not quoted yet; "
                "quote them, or give cost=",
                name=name,
            )
        self.book = book
        self._cash = {
            currency: Leaf(f"{name}:{currency}:CASH", -_cost(total)) for currency, total in book.subtotals.items()
        }
        super().__init__(name, self._legs(), book.base_currency)

    @property
    def cash(self) -> Mapping[str, Leaf]:
        """Leaves of net cash by currency: cash received less cash paid for the positions."""
        return dict(self._cash)

    def update_cash(self) -> None:
        """Update the net cash from the positions' cost bases: call it after trading, in the same batch."""
        subtotals = self.book.subtotals
        new = [currency for currency in subtotals if currency not in self._cash]
        for currency in new:
            self._cash[currency] = Leaf(f"{self.name}:{currency}:CASH")
        if new:
            self._parts = self._legs()
            if self.graph is not None:
                self.graph.rewire(self, self.bind(self.graph))
            else:
                self.inputs_ = tuple(self._summands())
        for currency, total in subtotals.items():
            self._cash[currency].set(-_cost(total))

    def settle(self) -> None:
        """Call :meth:`update_cash`; the method's old name."""
        warn_of("ProfitAndLoss.settle()", "update_cash()")
        self.update_cash()

    def _legs(self) -> dict[str, list[Node]]:
        return {currency: [total, self._cash[currency]] for currency, total in self.book.subtotals.items()}

    def to_record(self) -> Mapping[str, object]:
        """Return name and book (by reference); the cash follows from the positions' cost bases."""
        return {"name": self.name, "book": self.book}

    @classmethod
    def from_record(cls, fields: Mapping[str, object]) -> Self:
        """Build the node from its stored fields."""
        return cls(**fields)  # type: ignore[arg-type]  # the fields are those of to_record


def _cost(subtotal: SumNode) -> float:
    return math.fsum(cast("Position", node).cost_basis for node in subtotal.underliers)


def _position(name: str, position: object) -> Position:
    if not isinstance(position, Position):
        raise InstrumentError(f"{name}: {position!r} is not a Position; wrap the instrument in one", name=name)
    return position
