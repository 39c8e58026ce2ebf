"""The desk: one graph, one store, one market, fourteen traders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from bank_python.desk.keeping import resume, save
from bank_python.desk.opening import open_waiting
from bank_python.desk.parts import DeskParts
from bank_python.desk.rolling import roll_to, roll_with

if TYPE_CHECKING:
    import datetime as dt
    from os import PathLike
    from typing import Self

    from bank_python.dagger import Node, Recalculation
    from bank_python.desk.blotter import Trade
    from bank_python.desk.rolling import CashPosting
    from bank_python.desk.trader import Trader
    from bank_python.market_data import Feed, MarketUpdate

__all__ = ["Desk", "DeskTick"]


@dataclass(frozen=True, slots=True)
class DeskTick:
    """What one poll brought: the update of the quotes, what was recomputed, positions opened, cash that fell due."""

    update: MarketUpdate
    recalculation: Recalculation
    opened: int
    cash: tuple[CashPosting, ...] = ()


class Desk(DeskParts):
    """A working desk; :func:`~bank_python.desk.build_desk` makes one, :meth:`open` resumes one.

    Its parts are those of :class:`~bank_python.desk.parts.DeskParts`.
    """

    @classmethod
    def open(cls, path: str | PathLike[str], feed: Feed | None = None) -> Self:
        """Resume the desk kept in the store at `path`, as it was.

        Parameters
        ----------
        path : path
            The store's file.
        feed : Feed, optional
            The market to go on with; by default the one the desk had, where it had got to.

        Raises
        ------
        DeskError
            There is no desk in that store.
        """
        return resume(path, feed, cls)

    def tick(self) -> DeskTick:
        """Poll the market, open what waited for a quote, and recompute what depends on what is new."""
        update, cash = self.poll()
        opened = open_waiting(self.traders, self.graph, self.clock)
        return DeskTick(update, self.graph.recalculate(), opened, cash)

    def poll(self) -> tuple[MarketUpdate, tuple[CashPosting, ...]]:
        """Poll the market once: the valuation date follows its dates, then new quotes become one tick.

        Returns
        -------
        update : MarketUpdate
            What was updated, rejected and failed.
        cash : tuple of CashPosting
            What fell due, and was booked, as the date moved on; see :mod:`bank_python.desk.rolling`.
        """
        cash: list[CashPosting] = []
        update = self.market.update_all(lambda ticks: cash.extend(roll_with(self, ticks)))
        return update, tuple(cash)

    def trade(
        self, trader: str, instrument: Node | str, quantity: float, price: float | None = None, multiplier: float = 1.0
    ) -> Trade:
        """Book a trade: the trader's position and cash change, and the blotter and the store keep it.

        Parameters
        ----------
        trader : str
            Who trades.
        instrument : Node or str
            What: a node, or the name of one in the graph.
        quantity : float
            Units; negative sells.
        price : float, optional
            For one unit; the present value if not given.
        multiplier : float, default 1.0
            For a new position: units of the instrument in one unit of quantity.

        Raises
        ------
        BankError
            No such trader or instrument, or it has no value to trade at; nothing has changed.
        """
        who, what = self.traders[trader], self.graph.node(instrument) if isinstance(instrument, str) else instrument
        with self.graph.batch(), self.db.transaction():
            held = who.buy(what, quantity, price, multiplier)
            at = float(cast("float", what.value)) if price is None else price
            trade = self.blotter.book(who, held, quantity, at)
            self._keep_trade(who)
        return trade

    def roll(self, to: dt.date) -> Recalculation:
        """Move the valuation date forward: what falls due is booked as cash, and what decays is revalued.

        Raises
        ------
        DomainError
            `to` lies before the present valuation date.
        """
        roll_to(self, to)
        return self.graph.recalculate()

    def save(self) -> int:
        """Write the whole desk to its store, in one transaction, and return how many objects it keeps."""
        return save(self)

    def close(self) -> None:
        """Save, and let go of the market and the store."""
        self.save()
        self.feed.close()
        self.db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Desk: {len(self.traders)} traders, {len(self.listings)} quoted symbols from {self.feed.name}, "
            f"{self.graph!r}>"
        )

    def _keep_trade(self, trader: Trader) -> None:
        for node in (*trader.positions, trader.book, trader.pnl):
            self.db[node.record_key] = node
