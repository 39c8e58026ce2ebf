"""What a desk is made of: one graph, one store, one market, and who trades on it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from bank_python.desk.contracts import leaf_name
from bank_python.market_data.price_history import PriceHistoryTable
from bank_python.market_data.unknown_ticker import unknown_ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """The state of a desk; :class:`~bank_python.desk.Desk` adds what it does.

    Parameters
    ----------
    graph : DependencyGraph
        Everything the desk knows, as nodes.
    db : BarbaraDB
        Where it is kept.
    feed, fallback : Feed, SimulatedFeed
        The market, and the simulated one that quotes what the market does not carry.
    market : MarketDataManager
        Which quotes are believed, and which are stale.
    listings : dict of str to Listing
        The quoted symbols.
    traders : Traders
        Who trades.
    clock : Clock
        The valuation date.
    firm_value, firm_pnl : SumNode
        The sum of the traders' books, and of their P&L, in USD.
    blotter : Blotter
        The trades booked.
    lease : Claim, optional
        The right to change what the store keeps; ``None`` for a desk that is only looked at.
    past : PriceHistoryTable
        A year of prices of what is held: what risk is calibrated from. What others load into ``market.history``, over
        whatever period, does not change it.

    Attributes
    ----------
    cash_until : float
        What the clock read when cash that falls due was last booked; see :mod:`bank_python.desk.rolling`.
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
    def changing(self) -> Iterator[None]:
        """Let graph and store change together: all of what happens inside, or nothing of it.

        The store first, then the graph: the one order in which a thread may hold both. The store also commits first, so
        that what it refuses is undone in the graph.
        """
        with ExitStack() as changes, self.db.transaction():
            changes.enter_context(self.graph.batch())
            yield

    def leaf(self, symbol: str) -> MarketData:
        """Return the leaf that holds the quotes of a symbol.

        Raises
        ------
        UnknownTickerError
            The desk does not quote it.
        """
        if symbol not in self.listings:
            raise unknown_ticker(symbol, self.listings, "the desk", "choose one it quotes")
        return cast("MarketData", self.graph.node(leaf_name(symbol, self.listings[symbol].kind)))
