"""The parts of a desk: graph, store, market, traders, clock and totals."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from bank_python.desk.contracts import leaf_name
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.unknown_ticker import unknown_ticker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from bank_python.barbara import BarbaraDB
    from bank_python.barbara.claim import Claim
    from bank_python.dagger import DependencyGraph, SumNode
    from bank_python.desk.blotter import Blotter
    from bank_python.desk.market_plan import Listing
    from bank_python.desk.trader import Traders
    from bank_python.market_data import Clock, Feed, MarketData, MarketDataManager, SimulatedFeed

__all__ = ["DeskParts"]


@dataclass(eq=False)
class DeskParts:
    """The state of a desk; :class:`~bank_python.desk.Desk` adds the operations.

    Parameters
    ----------
    graph : DependencyGraph
        Graph of all quotes, contracts, positions, books and totals.
    db : BarbaraDB
        Store of the desk.
    feed, fallback : Feed, SimulatedFeed
        Feed of the market, and the simulated feed for symbols that it does not quote.
    market : MarketDataManager
        Manager that polls the feeds, checks the quotes and sets the leaves.
    listings : dict of str to Listing
        Quoted symbols by name.
    traders : Traders
        Traders of the desk, in order.
    clock : Clock
        Valuation date.
    firm_value, firm_pnl : SumNode
        Sum of the traders' book values and of their P&L, in USD.
    blotter : Blotter
        Booked trades.
    lease : Claim, optional
        Ownership of the stored desk; ``None`` for a read-only copy.
    past : PriceHistoryTable
        One year of prices of the risk factors in the books, to which the factor model is calibrated. It is separate
        from ``market.history``, into which any period may be loaded.

    Attributes
    ----------
    cash_until : float
        Value of the clock (years since its origin) up to which cash has been booked; see
        :mod:`bank_python.desk.rolling`.
    """

    graph: DependencyGraph
    db: BarbaraDB
    feed: Feed
    fallback: SimulatedFeed
    market: MarketDataManager
    listings: dict[str, Listing]
    traders: Traders
    clock: Clock
    firm_value: SumNode
    firm_pnl: SumNode
    blotter: Blotter
    lease: Claim | None
    past: PriceHistoryTable = field(default_factory=PriceHistoryTable)
    cash_until: float = field(init=False)

    def __post_init__(self) -> None:
        self.cash_until = self.clock.years

    @contextmanager
    def changing(self, within: AbstractContextManager[None] | None = None) -> Iterator[None]:
        """Change graph and store together: either all changes inside the block take effect, or none.

        The store's transaction is opened before the graph's batch: all code uses this order, to avoid deadlocks. The
        store also commits first, so that a failed commit is undone in the graph.

        Parameters
        ----------
        within : context manager, optional
            Context around the store's transaction, such as that of an audit trail in the same store.
        """
        with ExitStack() as changes, nullcontext() if within is None else within, self.db.transaction():
            changes.enter_context(self.graph.batch())
            yield

    def leaf(self, symbol: str) -> MarketData:
        """Return the leaf of a symbol's quotes.

        Raises
        ------
        UnknownTickerError
            The desk does not quote it.
        """
        if symbol not in self.listings:
            raise unknown_ticker(symbol, self.listings, "the desk", "choose one of desk.listings")
        return cast("MarketData", self.graph.node(leaf_name(symbol, self.listings[symbol].kind)))
