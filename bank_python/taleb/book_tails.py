"""Tails and fragility of books as nodes of a graph: the present positions in the moves of past days, and in shocks.

A :class:`BookTails` revalues books at the present quotes: once in the moves of each past day, for the P&L that the
present book would have had, and once in shocks up and down. All of its nodes follow from one plan of the valuation::

    quotes, positions → BOB:PLAN ┬→ BOB:PNL → BOB:TAILS
               past moves → BOB:MOVES ┘
                        BOB:PLAN → BOB:FRAGILITY

A policy of the plan, such as :class:`~bank_python.dagger.Every`, is therefore one of them all: between two plans a tick
evaluates none, and all figures belong to the same tick, :attr:`BookTails.as_of_tick`.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Option, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.mc_engine.draws import Draws
>>> graph, rng = DependencyGraph(), np.random.default_rng(1)
>>> spot = graph.register(MarketData("SPOT", 100.0))
>>> put = Option("P", spot_source=spot, vol_source=0.2, rate_source=0.0, strike=95.0, expiry=0.25, is_call=False)
>>> book = graph.register(Book("BOB", [Position("SHORT", instrument=put, quantity=-1_000)]))
>>> moves = Draws(("SPOT",), (True,), 0.01 * rng.standard_t(4, size=(1, 500)))
>>> tails = BookTails(graph, [book], moves, name="BOB")
>>> tails.fragility.value.firm.verdict.value, tails.tails.value.n_observations
('fragile', 500)
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np

from bank_python.dagger import Domain, LargeNode, Leaf
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.risk import BookMeasure, plan_valuation
from bank_python.risk.contracts import value_of
from bank_python.taleb.book_fragility import book_fragility
from bank_python.taleb.tail_reading import tail_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bank_python.dagger import DependencyGraph, Node, Policy
    from bank_python.instruments import Book
    from bank_python.mc_engine.draws import Draws
    from bank_python.numerics import FloatArray
    from bank_python.risk.holders import Units
    from bank_python.risk.valuation import ValuationPlan
    from bank_python.taleb.book_fragility import BookFragility

__all__ = ["LINEAR", "SHOCKS", "BookTails", "past_pnl"]

SHOCKS: Mapping[str, float] = MappingProxyType({"spot": 0.10, "credit": 0.25, "fx": 0.025})
"""Default steps of the shocks by kind of factor: relative moves of spots, credit spreads (against spots) and rates of
exchange. Half, once and twice the step are tried."""
LINEAR = 0.05
"""Share of its own move up to which a book's response to the shocks is called linear. The value in dollars of a
position in USDJPY is inversely proportional to the quote, and so not linear in it; up to twice the default step that
stays below this share."""


class BookTails:
    """Tail indices and fragility of books, as nodes of a graph.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that the books are registered in.
    traders : traders, books, or a mapping
        Books that are measured together, as one.
    moves : Draws
        Moves of each factor of the books on past days.
    name : str
        Prefix of the names of the nodes.
    policy : Policy, optional
        Policy that determines when the books are revalued; after every change of a quote or a position if omitted.
    shocks : mapping of str to float, optional
        Steps of the shocks by kind or name of a factor, as for :func:`~bank_python.taleb.book_fragility`;
        :data:`SHOCKS` if omitted.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of the P&L.

    Raises
    ------
    GraphError
        A name is in use; no node is added.
    """

    @guessable
    def __init__(
        self,
        graph: DependencyGraph,
        traders: Units,
        moves: Draws,
        *,
        name: str,
        policy: Policy | None = None,
        shocks: Mapping[str, float] | None = None,
        base_currency: str = "USD",
    ) -> None:
        self.name, self._graph = name, graph
        self._shocks = dict(SHOCKS if shocks is None else shocks)
        self._moves = Leaf(f"{name}:MOVES", moves, Domain.ANY)
        with graph.batch():  # registers all nodes, or none
            self._plan = BookMeasure(graph, f"{name}:PLAN", traders, _Plan(base_currency), policy)
            self.pnl: Node = graph.register(LargeNode(f"{name}:PNL", past_pnl, [self._plan.node, self._moves]))
            self.tails: Node = graph.register(LargeNode(f"{name}:TAILS", tail_reading, [self.pnl]))
            self.fragility: Node = graph.register(LargeNode(f"{name}:FRAGILITY", self._fragility, [self._plan.node]))

    @property
    def plan(self) -> Node:
        """Node of the plan of the valuation, which the policy applies to."""
        return self._plan.node

    @property
    def as_of_tick(self) -> int:
        """Tick whose quotes and positions the figures belong to."""
        return self._plan.node.as_of_tick

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Registered nodes, each before those that it depends on."""
        return (self.fragility, self.tails, self.pnl, self._plan.node, self._moves)

    def follow_books(self) -> bool:
        """Depend on the present positions; return whether others have been opened or closed since the last call.

        If so, the books are revalued at the next recalculation, whatever the policy.
        """
        return self._plan.follow_books()

    def follow_moves(self, moves: Draws) -> None:
        """Set other past moves, as one tick.

        Parameters
        ----------
        moves : Draws
            Moves of each factor of the books on past days.
        """
        self._moves.set(moves)

    def remove(self) -> None:
        """Remove the nodes from the graph.

        Raises
        ------
        GraphError
            Another node depends on one of them; the graph is then unchanged.
        """
        with self._graph.batch():
            for node in self.nodes:
                self._graph.unregister(node)

    def _fragility(self, plan: ValuationPlan) -> BookFragility:
        return book_fragility(plan, list(self._shocks), steps=self._shocks, tolerance=LINEAR)

    def __repr__(self) -> str:
        return f"<BookTails {self.name!r}: {cast('Draws', self._moves.value).n_paths:,} past days>"


class _Plan:
    """Function of books for :class:`BookMeasure`: the plan of their valuation."""

    def __init__(self, base_currency: str) -> None:
        self._currency = base_currency

    def __call__(self, books: Sequence[Book], read: Callable[[Node], object] = value_of) -> ValuationPlan:
        """Return the plan at the values that `read` returns."""
        return plan_valuation(books, self._currency, read)

    def contributor(self, books: Sequence[Book]) -> str:  # noqa: ARG002 - a plan has none
        """Return no name."""
        return ""

    def __repr__(self) -> str:
        return f"plan of the valuation in {self._currency}"


def past_pnl(plan: ValuationPlan, moves: Draws) -> FloatArray:
    """Return the P&L of all units of a plan together, had the factors moved from their present levels as on past days.

    Parameters
    ----------
    plan : ValuationPlan
        Plan of the valuation of the present positions.
    moves : Draws
        Moves of each factor on past days.

    Returns
    -------
    ndarray, shape (days,)
        P&L in the plan's currency, the oldest day first. Contracts do not age.

    Raises
    ------
    ModelError
        The moves lack a factor of the plan.
    SimulationError
        A contract has no price after the moves of a day.
    """
    missing = [factor.name for factor in plan.factors if factor.name not in moves.names]
    if missing:
        raise ModelError(
            f"there are no past moves of {', '.join(missing[:3])}; load the price history of each factor",
            name=missing[0],
        )
    levels = moves.levels(moves.rows([factor.name for factor in plan.factors]), plan.base)
    pnl = np.asarray(plan.pnl(levels), dtype=np.float64).sum(axis=0)
    if not np.isfinite(pnl).all():
        raise plan.fault(levels)
    pnl.setflags(write=False)  # values of nodes are immutable
    return cast("FloatArray", pnl)
