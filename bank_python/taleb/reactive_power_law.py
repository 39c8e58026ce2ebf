"""Power-law prices as a node of a graph: a strip of tail options that follows its spot, its anchor and the tail index.

The node depends on the spot, on the price of the anchor, which may be a quote or an option of the graph, and, where the
tail index is a node too, on that. With the node of :class:`~bank_python.taleb.ReactiveTails` as the source of the tail
index, calls take that of the gains and puts that of the losses.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.market_data import MarketData
>>> graph = DependencyGraph()
>>> spot, anchor = graph.register(MarketData("S", 100.0)), graph.register(MarketData("ANCHOR", 0.95))
>>> strip = power_law_node(graph, spot, anchor, anchor_strike=110.0, strikes=[120.0, 150.0], alpha=3.0)
>>> strip.value.pl_prices.round(4)
array([0.2375, 0.038 ])
>>> spot.set_price(112.0)  # beyond the anchor's strike: it is no tail option any more
>>> str(strip.error)[:58]
'anchor_strike=110.0 is not above the spot 112.0; a call as'
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from bank_python.dagger import LargeNode
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.ranges import figures_in_range
from bank_python.taleb.power_law_pricer import PowerLawPricer
from bank_python.taleb.tail_law import TailLaw
from bank_python.taleb.tail_reading import TailReading

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.dagger import DependencyGraph, DerivedNode, Node, Policy
    from bank_python.numerics import FloatArray
    from bank_python.taleb.power_law_prices import PowerLawPrices

__all__ = ["power_law_node"]


@guessable
def power_law_node(
    graph: DependencyGraph,
    spot: Node | str,
    anchor: Node | str,
    *,
    anchor_strike: float,
    strikes: ArrayLike,
    alpha: Node | str | float,
    is_call: bool = True,
    law: TailLaw | str = TailLaw.RETURNS,
    bsm_vol: float = 0.20,
    T: float = 1.0,
    name: str | None = None,
    policy: Policy | None = None,
) -> DerivedNode:
    """Register a node with power-law prices, a :class:`~bank_python.taleb.PowerLawPrices` as its value.

    Parameters
    ----------
    graph : DependencyGraph
        Graph that contains the nodes of the spot and of the anchor.
    spot : Node or str
        Node of the price of the underlying, or its name.
    anchor : Node or str
        Node of the price of the option with strike `anchor_strike`, or its name.
    anchor_strike : float
        Strike of the anchor, an option in the tail.
    strikes : array_like, shape (n,)
        Strikes to price; finite.
    alpha : float, Node or str
        Tail index above 1, or a node, or the name of one, whose value is the index or a
        :class:`~bank_python.taleb.TailReading`.
    is_call : bool, default True
        Whether the options are calls; else puts.
    law : TailLaw or str, default "returns"
        Quantity that follows the power law; see :class:`~bank_python.taleb.PowerLawPricer`.
    bsm_vol : float, default 0.20
        Volatility of the Black–Scholes prices beside them, above 0.
    T : float, default 1.0
        Years to expiry of the Black–Scholes prices and of the implied volatilities, above 0.
    name : str, optional
        Name of the new node; ``POWER_LAW:<spot>`` if omitted.
    policy : Policy, optional
        Policy that determines when the prices are evaluated; after every change of an input if omitted.

    Raises
    ------
    UnknownNodeError
        A node is not in the graph.
    DuplicateNodeError
        The name is in use.
    ModelError
        A strike is not finite. What depends on the market, such as a spot beyond the anchor's strike, is an error of
        the node.
    """
    wanted = figures_in_range("strikes", strikes, ModelError).copy()
    strip = _Strip(wanted, anchor_strike, is_call, law, bsm_vol, T)
    quoted = [graph.node(spot), graph.node(anchor)]
    given = isinstance(alpha, int | float)
    inputs = quoted if given else [graph.node(cast("Node | str", alpha)), *quoted]
    function = partial(strip.prices, float(cast("float", alpha))) if given else strip.prices
    label = f"POWER_LAW:{quoted[0].name}" if name is None else name
    return graph.register(LargeNode(label, function, inputs, policy=policy))


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """Options to price, and the anchor's terms."""

    strikes: FloatArray
    anchor_strike: float
    is_call: bool
    law: TailLaw | str
    bsm_vol: float
    expiry: float

    def prices(self, alpha: float | TailReading, spot: float, anchor: float) -> PowerLawPrices:
        """Return the prices for a tail index, or the tails that have it, and two quotes."""
        index = self._index(alpha) if isinstance(alpha, TailReading) else alpha
        pricer = PowerLawPricer(spot, self.anchor_strike, anchor, index, self.is_call, self.law)
        return pricer.price_range(self.strikes, self.bsm_vol, self.expiry)

    def _index(self, reading: TailReading) -> float:
        side = reading.right if self.is_call else reading.left
        if side.reason:
            raise CalibrationError(f"there is no tail index to price by: {side.reason}", value=side.n_values)
        return side.alpha
