"""The desk: ticking, trading, rolling the valuation date, saving and reopening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.desk.booking import Ticket, booking
from bank_python.desk.opening import open_waiting
from bank_python.desk.orders import (
    checked_instrument,
    checked_price,
    checked_quantity,
    checked_trader,
)
from bank_python.desk.parts import DeskParts
from bank_python.desk.persistence import resume, save
from bank_python.desk.rolling import roll_to, roll_with
from bank_python.display import Displayed, Record
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
    from bank_python.market_data import Feed, MarketUpdate

__all__ = ["Desk", "DeskTick"]


@dataclass(frozen=True, slots=True)
class DeskTick(Record):
    """The result of one tick: updated quotes, recalculation, number of positions opened, cash that fell due."""

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
    **dict.fromkeys(
        ("var", "VaR", "risk", "stress", "greeks", "limits", "breaches", "alerts", "check_limits"),
        "bank_python.desk.DeskRisk(desk), or bank_python.risk on desk.traders",
    ),
    **dict.fromkeys(("run", "start", "update", "step", "next", "refresh", "recalculate"), ".tick()"),
    **dict.fromkeys(("quotes", "prices"), ".market"),
    **dict.fromkeys(("trader", "book"), ".traders[name], with .positions and .book"),
    **dict.fromkeys(("advance", "roll_to", "next_day"), ".roll(date)"),
    **dict.fromkeys(("explain",), ".graph.explain(name)"),
    **dict.fromkeys(
        ("attribution", "pnl_attribution", "explain_pnl"),
        "bank_python.risk: PnLAttribution.between(opening, capture(desk.traders))",
    ),
    **dict.fromkeys(
        ("to_pandas", "to_csv", "to_df"), ".blotter.table for trades; DeskRisk(desk) and its tables for risk"
    ),
}


@made_by('build_desk(), or Desk.open("desk.db")')
class Desk(DeskParts, Displayed):
    """A trading desk; :func:`~bank_python.desk.build_desk` builds a new one, :meth:`open` reopens a stored one.

    For its attributes see :class:`~bank_python.desk.parts.DeskParts`.
    """

    @classmethod
    @guessable
    def open(cls, path: str | PathLike[str], feed: Feed | None = None, *, read_only: bool = False) -> Self:
        """Reopen the desk saved in the store at `path`, and own it until it is closed.

        The lease of an owner whose process was killed or crashed has ended with the process.

        Parameters
        ----------
        path : path
            File of the store.
        feed : Feed, optional
            Feed of the market; by default that of the saved desk, at the position where it was saved.
        read_only : bool, default False
            Whether to open a copy in memory, which is possible whoever owns the desk. The copy ticks, but neither
            trades nor saves.

        Raises
        ------
        DeskError
            The store has no desk, or another process owns it: ``holder`` identifies that process.
        """
        return resume(path, feed, cls, read_only=read_only)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @property
    def read_only(self) -> bool:
        """Whether the desk is a read-only copy, which neither trades nor saves."""
        return self.lease is None

    def tick(self) -> DeskTick:
        """Poll the market, open holdings that waited for a quote, and recalculate the graph."""
        update, cash = self.poll()
        opened = self.open_waiting()
        return DeskTick(update, self.graph.recalculate(), opened, cash)

    def open_waiting(self) -> int:
        """Open the waiting holdings that have a quote now, save the desk, and return how many were opened."""
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
        """Poll the market once: roll the valuation date to the market's date, then set the new quotes as one tick.

        Returns
        -------
        update : MarketUpdate
            Tickers that were updated, rejected and failed.
        cash : tuple of CashPosting
            Cash that fell due and was booked as the date moved on; see :mod:`bank_python.desk.rolling`.
        """
        self._require_own_step("poll the market")
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
        """Book a trade: change the trader's position and cash, and write the trade to the blotter and the store.

        When the method returns, the trade is on disk and survives a kill of the process. A rejected trade changes
        nothing.

        Parameters
        ----------
        trader : str
            Name of the trader.
        instrument : Node or str
            Traded contract: a node, or the name of a node in the graph.
        quantity : float
            Number of units, not 0; negative for a sale.
        price : float, optional
            Price per unit, in the contract's currency; the current value of the contract by default.
        multiplier : float, optional
            Units of the instrument per unit of quantity. By default that of the position, and 1 for a new one.

        Raises
        ------
        DeskError
            The instrument is not a contract; the trader, quantity, price or multiplier is invalid; or the desk is
            read-only. Nothing has changed.
        BankError
            There is no such instrument, it has no current value, or the store cannot be written; nothing has changed.
        """
        self.require_tradable()
        buyer = checked_trader(self.traders, trader)
        contract = checked_instrument(self.graph.node(instrument) if isinstance(instrument, str) else instrument)
        units, unit_price = checked_quantity(contract, quantity), checked_price(contract, price)
        with booking(self, buyer, contract, Ticket(units, unit_price, multiplier)) as trade:
            pass
        return trade

    @guessable
    def roll(self, to: dt.date | str) -> Recalculation:
        """Move the valuation date forward: book cash that falls due, and revalue contracts that depend on time.

        Parameters
        ----------
        to : datetime.date or str
            New valuation date; text is an ISO date such as ``"2026-01-10"``.

        Raises
        ------
        DeskError
            `to` is not a date.
        DomainError
            `to` lies before the current valuation date.
        """
        self._require_own_step("roll")
        roll_to(self, as_date(to, DeskError, "roll: to"))
        return self.graph.recalculate()

    def save(self) -> int:
        """Write the whole desk to its store, in one transaction, and return the number of stored objects.

        Raises
        ------
        DeskError
            The desk is read-only, or it is closed.
        """
        self._require_ownership("be saved")
        return save(self)

    def close(self) -> None:
        """Save the desk unless it is read-only, and release market, store and lease; a second call does nothing."""
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

    def require_tradable(self) -> None:
        """Raise an error unless the desk can trade now.

        Raises
        ------
        DeskError
            It is a read-only copy or closed, or the caller is inside a scenario, a batch or a transaction.
        """
        self._require_ownership("trade")
        self._require_own_step("trade")

    def _require_ownership(self, what: str) -> None:
        if self.lease is None:
            raise DeskError(
                f"this desk is a read-only copy and cannot {what}; open it with Desk.open(path), without read_only"
            )
        if not self.lease.alive:
            raise DeskError(
                f"this desk cannot {what}: it is closed, was opened by the parent of this process, or its lock file "
                "was removed; open it again with Desk.open(path)"
            )

    def _require_own_step(self, what: str) -> None:
        if self.graph.what_if.is_open:
            raise DeskError(
                f"a desk cannot {what} inside a scenario, whose values would be booked permanently; leave the block "
                "first"
            )
        if self.db.in_transaction or self.graph.wiring.in_batch:
            raise DeskError(
                f"a desk cannot {what} inside a transaction of its store or a batch of its graph, as one may be undone "
                "without the other; leave the block first"
            )

    def __rich__(self) -> object:
        from bank_python.render_objects import desk_view

        return desk_view(self)
