"""Traders: the book of each, its P&L, and holdings that wait for a first quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast, overload

from bank_python.display import Displayed
from bank_python.errors import DeskError
from bank_python.instruments import Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_python.dagger import Node
    from bank_python.desk.holdings import Holding
    from bank_python.instruments import Book, ProfitAndLoss

__all__ = ["Trader", "Traders"]


@dataclass(eq=False)
class Trader(Displayed):
    """A trader with a book of positions.

    Parameters
    ----------
    name, strategy, focus : str
        Name of the trader, name of the strategy, and its description.
    book : Book
        Book of the trader's positions; ``book.value`` is its value.
    pnl : ProfitAndLoss
        P&L of the book since it was opened.
    waiting : list of Holding
        Holdings that are not open yet, as their contract has had no quote.
    stand_ins : dict of str to str
        Replacement of each share that the market does not quote ("" for none).
    """

    name: str
    strategy: str
    focus: str
    book: Book
    pnl: ProfitAndLoss
    waiting: list[Holding] = field(default_factory=list)
    stand_ins: dict[str, str] = field(default_factory=dict)

    @property
    def positions(self) -> tuple[Position, ...]:
        """The open positions."""
        return self.book.positions

    def position_in(self, instrument: Node) -> Position | None:
        """Return the position in `instrument`, ``None`` if there is none."""
        return next((position for position in self.positions if position.instrument is instrument), None)

    def buy(self, instrument: Node, quantity: float, price: float | None = None, multiplier: float = 1.0) -> Position:
        """Buy (or, with a negative quantity, sell) for cash; a trade at the current value leaves the P&L unchanged.

        Parameters
        ----------
        instrument : Node
            Instrument to buy; a new position is opened if there is none.
        quantity : float
            Number of units, negative to sell.
        price : float, optional
            Price per unit; the current value of the instrument by default.
        multiplier : float, default 1.0
            Units of the instrument per unit of quantity, for a new position.

        Returns
        -------
        Position
            The position after the trade.

        Raises
        ------
        BankError
            The instrument has no current value; nothing has changed.
        """
        unit_price = float(cast("float", instrument.value)) if price is None else price
        position = self.position_in(instrument)
        if position is None:
            name = f"{self.name}:{instrument.name}"
            position = Position(name, instrument=instrument, quantity=0.0, cost=unit_price, multiplier=multiplier)
            self.book.add(position)
        position.trade(quantity, unit_price)
        self.pnl.update_cash()
        return position

    def __repr__(self) -> str:
        return f"<Trader {self.name}: {self.strategy}, {len(self.positions)} positions, {len(self.waiting)} waiting>"

    def __rich__(self) -> object:
        from bank_python.render_objects import trader_view

        return trader_view(self)


class Traders(Sequence[Trader], Displayed):
    """The traders of a desk, in order; also accessible by name: ``desk.traders["Alice"]``."""

    def __init__(self, traders: Sequence[Trader]) -> None:
        self._traders = tuple(traders)

    @overload
    def __getitem__(self, key: int | str) -> Trader: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Trader]: ...
    def __getitem__(self, key: int | str | slice) -> Trader | Sequence[Trader]:
        if not isinstance(key, str):
            return self._traders[key]
        for trader in self._traders:
            if trader.name == key:
                return trader
        raise DeskError(f"there is no trader {key!r}; the desk has {', '.join(self.names)}", name=key)

    def __len__(self) -> int:
        return len(self._traders)

    def __iter__(self) -> Iterator[Trader]:
        return iter(self._traders)

    def __contains__(self, trader: object) -> bool:
        return trader in self._traders or trader in self.names

    @property
    def names(self) -> tuple[str, ...]:
        """The traders' names, in order."""
        return tuple(trader.name for trader in self._traders)

    def __repr__(self) -> str:
        return f"<Traders {', '.join(self.names)}>"

    def __rich__(self) -> object:
        from bank_python.render_objects import traders_view

        return traders_view(self)
