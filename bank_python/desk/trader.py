"""A trader at work: a book, its P&L, and the holdings that wait for a first quote."""

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
    """One trader.

    Parameters
    ----------
    name, strategy, focus : str
        Who, how, and on what.
    book : Book
        The trader's positions; ``book.value`` is their worth.
    pnl : ProfitAndLoss
        What the book has made since it was opened.
    waiting : list of Holding
        Holdings not opened yet, because what they are in has had no quote.
    stand_ins : dict of str to str
        Shares that the market does not quote, each with the one that was taken in its place ("" for none).
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
        """Return the position in `instrument`, if there is one."""
        return next((held for held in self.positions if held.instrument is instrument), None)

    def buy(self, instrument: Node, quantity: float, price: float | None = None, multiplier: float = 1.0) -> Position:
        """Buy (or, with a negative quantity, sell) and pay in cash; what the trader has made does not jump.

        Parameters
        ----------
        instrument : Node
            What to buy; a position in it is opened if there is none.
        quantity : float
            Units.
        price : float, optional
            For one unit; the present value if not given.
        multiplier : float, default 1.0
            Units of the instrument in one unit of quantity, for a new position.

        Raises
        ------
        BankError
            The instrument has no value to trade at; nothing has changed.
        """
        at = float(cast("float", instrument.value)) if price is None else price
        held = self.position_in(instrument)
        if held is None:
            name = f"{self.name}:{instrument.name}"
            held = Position(name, instrument=instrument, quantity=0.0, cost=at, multiplier=multiplier)
            self.book.add(held)
        held.trade(quantity, at)
        self.pnl.update_cash()
        return held

    def __repr__(self) -> str:
        return f"<Trader {self.name}: {self.strategy}, {len(self.positions)} positions, {len(self.waiting)} waiting>"

    def __rich__(self) -> object:
        from bank_python.render_objects import trader_view

        return trader_view(self)


class Traders(Sequence[Trader], Displayed):
    """The desk's traders, in order; also found by name: ``desk.traders["Alice"]``."""

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
        raise DeskError(f"no trader {key!r}; the desk has {', '.join(self.names)}", name=key)

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
