"""The desk: one graph, one store, one market, fourteen traders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.desk.opening import open_waiting
from bank_python.desk.orders import (
    checked_instrument,
    checked_multiplier,
    checked_price,
    checked_quantity,
    checked_trader,
)
from bank_python.desk.parts import DeskParts
from bank_python.desk.persistence import keep_trader, resume, save
from bank_python.desk.rolling import roll_to, roll_with
from bank_python.errors import DeskError
from bank_python.guessing import guessable, made_by
from bank_python.numerics.dates import as_date
from bank_python.wording import words_of

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


_WORDS = {
    **dict.fromkeys(("pnl", "profit"), ".firm_pnl.value"),
    **dict.fromkeys(("value", "nav", "market_value"), ".firm_value.value"),
    **dict.fromkeys(("positions", "books", "holdings"), ".traders, each with .positions and .book"),
    **dict.fromkeys(("trades", "orders"), ".blotter"),
    **dict.fromkeys(("date", "today", "as_of"), ".clock.date"),
    **dict.fromkeys(("buy", "sell", "order", "book_trade"), ".trade(trader, instrument, quantity)"),
    **dict.fromkeys(("var", "VaR", "risk", "stress", "greeks"), "DeskRisk(desk), or bank_python.risk on desk.traders"),
    **dict.fromkeys(("run", "start", "update", "step", "next", "refresh", "recalculate"), ".tick()"),
    **dict.fromkeys(("quotes", "prices"), ".market"),
}


@made_by('build_desk(), or Desk.open("desk.db")')
class Desk(DeskParts):
    """A working desk; :func:`~bank_python.desk.build_desk` makes one, :meth:`open` resumes one.

    Its parts are those of :class:`~bank_python.desk.parts.DeskParts`.
    """

    @classmethod
    @guessable
    def open(cls, path: str | PathLike[str], feed: Feed | None = None, *, read_only: bool = False) -> Self:
        """Resume the desk kept in the store at `path`, as it was, and own it until it is closed.

        The lease of an owner who died, killed or crashed, has ended with the process.

        Parameters
        ----------
        path : path
            The store's file.
        feed : Feed, optional
            The market to go on with; by default the one the desk had, where it had got to.
        read_only : bool, default False
            Only look at it, whoever owns it: a copy in memory that ticks, but neither trades nor saves.

        Raises
        ------
        DeskError
            There is no desk in that store, or somebody else owns it: ``holder`` says who.
        """
        return resume(path, feed, cls, read_only=read_only)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @property
    def read_only(self) -> bool:
        """Whether the desk is only looked at: it neither trades nor saves."""
        return self.lease is None

    def tick(self) -> DeskTick:
        """Poll the market, open what waited for a quote, and recompute what depends on what is new."""
        update, cash = self.poll()
        opened = self.open_waiting()
        return DeskTick(update, self.graph.recalculate(), opened, cash)

    def open_waiting(self) -> int:
        """Open the holdings whose first quote has come, keep the desk with them, and return how many they are."""
        if not any(trader.waiting for trader in self.traders):
            return 0
        before = [list(trader.waiting) for trader in self.traders]
        try:
            with self.changing():
                opened = open_waiting(self.traders, self.graph, self.clock)
                if opened and not self.read_only:
                    save(self)
        except BaseException:
            for trader, waiting in zip(self.traders, before, strict=True):
                trader.waiting[:] = waiting
            raise
        return opened

    def poll(self) -> tuple[MarketUpdate, tuple[CashPosting, ...]]:
        """Poll the market once: the valuation date follows its dates, then new quotes become one tick.

        Returns
        -------
        update : MarketUpdate
            What was updated, rejected and failed.
        cash : tuple of CashPosting
            What fell due, and was booked, as the date moved on; see :mod:`bank_python.desk.rolling`.
        """
        self._require_own_step("follow the market")
        cash: list[CashPosting] = []
        update = self.market.update_all(lambda ticks: cash.extend(roll_with(self, ticks)))
        return update, tuple(cash)

    @guessable
    def trade(
        self,
        trader: str,
        instrument: Node | str,
        quantity: float,
        price: float | None = None,
        multiplier: float | None = None,
    ) -> Trade:
        """Book a trade: the trader's position and cash change, and the blotter and the store keep it.

        A trade that is returned is on disk: it survives a killed process. One that is refused leaves nothing behind.

        Parameters
        ----------
        trader : str
            Who trades.
        instrument : Node or str
            What: a node, or the name of one in the graph.
        quantity : float
            Units, not 0; negative sells.
        price : float, optional
            For one unit; the present value if not given.
        multiplier : float, optional
            Units of the instrument in one unit of quantity: for a new position 1 unless given, else the position's.

        Raises
        ------
        DeskError
            It is not a contract, or there is no such trader, quantity, price or multiplier; or the desk is only looked
            at. Nothing has changed.
        BankError
            There is no such instrument, or it has no value to trade at, or the store refuses; nothing has changed.
        """
        self._require_ownership("trade")
        self._require_own_step("trade")
        who = checked_trader(self.traders, trader)
        what = checked_instrument(self.graph.node(instrument) if isinstance(instrument, str) else instrument)
        units, at = checked_quantity(what, quantity), checked_price(what, price)
        trade, before, factor = None, 0.0, 1.0
        try:
            with self.changing():
                before = _quantity(who, what)
                factor = checked_multiplier(what, who.position_in(what), multiplier)
                held = who.buy(what, units, at, factor)
                trade = self.blotter.keep(who, held, units, at)
                keep_trader(self, who)
            self.blotter.show(trade)
        except BaseException:
            if trade is not None and self.blotter.has(trade):  # broken off when the store had committed
                if _quantity(who, what) == before:
                    who.buy(what, units, at, factor)
                self.blotter.show(trade)
            raise
        return trade

    @guessable
    def roll(self, to: dt.date | str) -> Recalculation:
        """Move the valuation date forward: what falls due is booked as cash, and what decays is revalued.

        Parameters
        ----------
        to : datetime.date or str
            New valuation date; text is an ISO date such as ``"2026-01-10"``.

        Raises
        ------
        DeskError
            `to` is no date.
        DomainError
            `to` lies before the present valuation date.
        """
        self._require_own_step("roll")
        roll_to(self, as_date(to, DeskError, "roll: to"))
        return self.graph.recalculate()

    def save(self) -> int:
        """Write the whole desk to its store, in one transaction, and return how many objects it keeps.

        Raises
        ------
        DeskError
            The desk is only looked at.
        """
        self._require_ownership("be saved")
        return save(self)

    def close(self) -> None:
        """Save, unless the desk is only looked at, and let go of market, store and lease; again does nothing."""
        try:
            if not (self.db.closed or self.lease is None):
                self.save()
        finally:
            self.feed.close()
            self.db.close()
            if self.lease is not None:
                self.lease.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Desk: {len(self.traders)} traders, {len(self.listings)} quoted symbols from {self.feed.name}, "
            f"{self.graph!r}>"
        )

    def _require_ownership(self, what: str) -> None:
        if self.lease is None:
            raise DeskError(
                f"this desk was opened to be looked at and cannot {what}; Desk.open(path) opens it to work on"
            )
        if not self.lease.alive:
            raise DeskError(
                f"this desk cannot {what}: it is closed, or was opened by the parent of this process, or its lock file "
                "was removed; open it again with Desk.open(path)"
            )

    def _require_own_step(self, what: str) -> None:
        if self.graph.what_if.is_open:
            raise DeskError(
                f"a desk cannot {what} inside a scenario, whose values would be booked for good; leave the block first"
            )
        if self.db.in_transaction or self.graph.wiring.in_batch:
            raise DeskError(
                f"a desk cannot {what} inside a transaction of its store or a batch of its graph, which may be undone "
                "without the other; leave the block first"
            )


def _quantity(trader: Trader, instrument: Node) -> float:
    held = trader.position_in(instrument)
    return 0.0 if held is None else held.quantity
