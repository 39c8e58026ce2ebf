"""Value at risk as nodes of the graph, updated with every tick.

A :class:`ReactiveRisk` adds a simulation to the graph. The scenarios are drawn once. Each group of holdings on one
underlying is a node whose value is the group's P&L in all scenarios; a fixed tree of nodes adds up the groups; and the
risk measures are computed from the sum::

    leaves → FIRM:RISK:PNL:<group> → FIRM:RISK:SUM:… → FIRM:RISK:PNL → FIRM:RISK:MEASURES → FIRM:VAR_99 and the others

A tick of one quote revalues one group, updates a few sums and sorts once. Since these are ordinary nodes, ``explain``
traces a value at risk to its inputs, a what-if scenario gives it for a hypothetical market, and
:meth:`ReactiveRisk.if_traded` for a hypothetical trade.

A change of an input that nearly every group depends on (the discount rate, the clock) would revalue them all. With
`slow_seconds` such inputs are *throttled*: groups read them through nodes that are updated at most once in that time,
and :attr:`ReactiveRisk.as_of_tick` is the oldest tick that the measures are based on.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.mc_engine import FactorModel, MCConfig
>>> graph = DependencyGraph()
>>> spot = graph.register(MarketData("AAPL_SPOT", 200.0))
>>> book = graph.register(Book("ALICE", [Position("P", instrument=Equity("AAPL", spot_source=spot), quantity=1_000)]))
>>> risk = ReactiveRisk([book], graph, FactorModel.given({"AAPL_SPOT": 0.27}), MCConfig(n_paths=50_000))
>>> before = risk.var_99.value
>>> spot.set_price(220.0)
>>> round(risk.var_99.value / before, 6)
1.1
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from bank_python.admission import admits
from bank_python.dagger import DependencyGraph, DerivedNode, Every, LargeNode, Leaf, Node
from bank_python.dagger.node import inputs_first
from bank_python.deprecation import renamed, warn_of
from bank_python.display import Displayed
from bank_python.errors import SimulationError
from bank_python.guessing import guessable
from bank_python.mc_engine.config import MCConfig
from bank_python.mc_engine.draws import draw
from bank_python.mc_engine.engine import MonteCarloEngine
from bank_python.mc_engine.pairwise import WIDTH, pairwise_sum
from bank_python.mc_engine.result import LEVELS, TailPair
from bank_python.mc_engine.scenario_groups import full_value, group_holdings, revaluation_of
from bank_python.risk.contributions import contributions, find_tail
from bank_python.risk.holders import holders
from bank_python.risk.holdings import Holding, list_holdings
from bank_python.risk.tail_risk import TailRisk, check_confidence, tail_of_sorted, value_at_risk
from bank_python.risk.valuation import plan_holdings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from bank_python.instruments import Instrument
    from bank_python.mc_engine.draws import Draws
    from bank_python.mc_engine.factor_model import FactorModel
    from bank_python.mc_engine.scenario_groups import GroupRevaluation
    from bank_python.risk.contributions import Contribution
    from bank_python.risk.holders import Units
    from bank_python.risk.valuation import ValuationPlan

    Valuer = Callable[[ValuationPlan, NDArray[Any], float], NDArray[Any]]
    _Signature = tuple[tuple[str, float, float, tuple[object, ...]], ...]

__all__ = ["ReactiveRisk"]

_Init = TypeVar("_Init", bound="Callable[..., None]")

_SHARED_FRACTION = 0.25
_FEWEST_SHARED = 8
"""An input is shared if more than a quarter of the groups, and more than eight, depend on it."""


def _either_order(init: _Init) -> _Init:
    """Accept the old order of arguments, with the graph first, and warn about it."""

    @functools.wraps(init)
    def __init__(self: ReactiveRisk, traders: Any, graph: Any, *args: Any, **options: Any) -> None:  # noqa: N807 - a constructor
        if isinstance(traders, DependencyGraph):
            warn_of("ReactiveRisk(graph, traders)", "ReactiveRisk(traders, graph)", stacklevel=5)
            traders, graph = graph, traders
        init(self, traders, graph, *args, **options)

    return cast("_Init", __init__)


class ReactiveRisk(Displayed):
    """Simulated risk as nodes of a graph.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Holders of the positions, as for :class:`MonteCarloEngine`.
    graph : DependencyGraph
        Graph of the positions, to which the risk nodes are added.
    factor_model : FactorModel, optional
        Volatilities and correlations of the factors; by default the value of the graph's node ``FACTOR_MODEL``.
    config : MCConfig, optional
        Configuration of the scenarios. With full revaluation, scenarios and P&L are those of
        :meth:`MonteCarloEngine.run`.
    name : str, default "FIRM"
        Prefix of the nodes' names.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of all P&L.
    slow_seconds : float, optional
        Least time in seconds between updates of inputs that more than a quarter of the groups depend on; by default
        every change is passed on at once.
    draws : Draws, optional
        Scenarios to reuse (:attr:`draws` of another instance); by default new ones are drawn.
    value : callable, optional
        Valuation function of a group, which takes its plan, levels of shape (factors, scenarios) and the years passed,
        and returns P&L of shape (scenarios,). By default full revaluation; a :class:`~bank_python.mc_engine.GridProxy`
        is faster.

    Raises
    ------
    SimulationError
        There are no holdings, or the factor model lacks a factor.
    RiskError
        A contract has no value in the current market.
    """

    @renamed(books="traders", law="factor_model")
    @guessable
    @_either_order
    @admits(SimulationError)
    def __init__(
        self,
        traders: Units,
        graph: DependencyGraph,
        factor_model: FactorModel | None = None,
        config: MCConfig | None = None,
        *,
        name: str = "FIRM",
        base_currency: str = "USD",
        slow_seconds: float | None = None,
        draws: Draws | None = None,
        value: Valuer | None = None,
    ) -> None:
        self.name = name
        self._graph = graph
        self._traders = holders(traders)
        self._factor_model = factor_model
        self._config = config or MCConfig()
        self._currency = base_currency
        self._slow_seconds = slow_seconds
        self._value = full_value if value is None else value
        self._own: dict[str, Node] = {}
        self._signatures: dict[str, _Signature] = {}
        self._build(draws)

    # --- results -----------------------------------------------------------------------------

    @property
    def draws(self) -> Draws:
        """The scenarios in use."""
        return self._draws

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups: the underlyings of the holdings."""
        return tuple(self._groups)

    @property
    def pnl(self) -> Node:
        """Node of the P&L in all scenarios, shape (n_paths,)."""
        return self._own["PNL"]

    @property
    def measures(self) -> Node:
        """Node of the risk measures, a :class:`~bank_python.mc_engine.TailPair`: ``.at_95`` and ``.at_99``."""
        return self._own["MEASURES"]

    @property
    def var_95(self) -> Node:
        """Node of the value at risk at 95 %."""
        return self._own["VAR_95"]

    @property
    def var_99(self) -> Node:
        """Node of the value at risk at 99 %."""
        return self._own["VAR_99"]

    @property
    def cvar_95(self) -> Node:
        """Node of the expected shortfall at 95 %."""
        return self._own["CVAR_95"]

    @property
    def cvar_99(self) -> Node:
        """Node of the expected shortfall at 99 %."""
        return self._own["CVAR_99"]

    @property
    def throttled(self) -> tuple[Node, ...]:
        """Nodes through which groups read shared inputs; empty without `slow_seconds`."""
        return tuple(self._throttled.values())

    @property
    def held(self) -> tuple[Node, ...]:
        """Old name of :attr:`throttled`."""
        warn_of("ReactiveRisk.held", "throttled")
        return self.throttled

    @property
    def as_of_tick(self) -> int:
        """Oldest tick that the measures are based on: that of the throttled inputs, if there are any."""
        return min((node.as_of_tick for node in self._throttled.values()), default=self._graph.tick)

    @renamed(level="confidence")
    @admits(SimulationError)
    def contributions(self, confidence: float = 0.99) -> tuple[Contribution, ...]:
        """Return each group's contribution to the current risk, in descending order of expected shortfall.

        Raises
        ------
        ModelError
            `confidence` is not in (0.5, 1).
        """
        check_confidence(confidence)
        vectors = np.array([self._groups[name].value for name in self._groups])
        total = vectors.sum(axis=0)
        risk = tail_of_sorted(np.sort(-total), confidence)
        tail = find_tail(total, risk.var, risk.es)
        exposures = np.array([float(self._revaluations[name].plan.exposures()[0]) for name in self._groups])
        without = [value_at_risk(total - one, confidence) for one in vectors]
        parts = contributions(tuple(self._groups), vectors, tail, exposures, without)
        return tuple(sorted(parts, key=lambda part: -part.es))

    def value_error(self, sample: int = 256) -> float:
        """Return the root mean square difference of the firm's P&L from full revaluation, in the base currency.

        Parameters
        ----------
        sample : int, default 256
            Number of scenarios in the comparison: half of them the worst, half evenly spread over all.
        """
        total = cast("NDArray[Any]", self.pnl.value)
        half = min(sample // 2, len(total))
        worst = np.argpartition(total, half - 1)[:half]
        chosen = np.unique(np.concatenate([worst, np.linspace(0, len(total) - 1, half).astype(np.intp)]))
        errors = np.zeros(len(chosen))
        for name, revaluation in self._revaluations.items():
            node = self._groups[name]
            full = revaluation.full([cast("float", source.value) for source in node.underliers], chosen)
            errors += cast("NDArray[Any]", node.value)[chosen] - full
        return float(np.sqrt(np.mean(errors * errors)))

    # --- what if -----------------------------------------------------------------------------

    @admits(SimulationError)
    def if_traded(self, contract: Instrument, amount: float) -> TailPair:
        """Return the risk measures after a hypothetical trade.

        Parameters
        ----------
        contract : Instrument
            Contract to buy at its present value; it need not be in the graph.
        amount : float
            Units to buy; negative to sell.

        Raises
        ------
        SimulationError
            The contract depends on a factor that was not drawn.
        RiskError
            The contract has no value in the current market.
        """
        with self._graph.scenario({self._own["TRADE"]: self.pnl_of(contract, amount)}):
            return cast("TailPair", self.measures.value)

    @admits(SimulationError)
    def pnl_of(self, contract: Instrument, amount: float) -> NDArray[Any]:
        """Return the P&L of `amount` units of a contract in all scenarios, shape (n_paths,); see :meth:`if_traded`."""
        if not math.isfinite(amount):
            raise SimulationError(f"amount={amount!r} of {contract.name} is not finite; give a finite number of units")
        paid = amount * contract.value
        bought = Holding(self.name, contract, amount, paid, contract.currency, self._graph)
        plan = plan_holdings([bought], (self.name,), self._currency)
        levels = self._draws.levels(self._draws.rows([factor.name for factor in plan.factors]), plan.base)
        return full_value(plan, levels, self._config.years_passed)

    # --- updating ----------------------------------------------------------------------------

    def follow_books(self) -> bool:
        """Update the groups for what has changed since the last call, and return whether anything has.

        A group is redefined if its holdings have changed, or the quotes below a curve, a surface or another derived
        node from which its contracts are valued: their first-order revaluation then has the present slopes. If the
        factors or the groups have changed, everything is rebuilt with new scenarios.
        """
        groups = group_holdings(list_holdings(self._traders))
        signatures = {name: _signature(holdings) for name, holdings in groups.items()}
        if signatures == self._signatures:
            return False
        known = set(self._draws.names)
        fits = list(groups) == list(self._groups) and all(
            factor in known for name in groups for factor in self._factors_of(groups[name])
        )
        if not fits:
            self.remove()
            self._build(None)
            return True
        with self._graph.batch():
            for name, signature in signatures.items():
                if signature != self._signatures[name]:
                    self._define_group(name, groups[name])
        self._signatures = signatures
        return True

    def remove(self) -> None:
        """Remove the nodes from the graph."""
        for node in reversed(self._own.values()):
            if node in self._graph:
                self._graph.unregister(node)
        self._own.clear()

    # --- building ----------------------------------------------------------------------------

    def _build(self, draws: Draws | None) -> None:
        engine = MonteCarloEngine(
            self._traders, self._graph, factor_model=self._factor_model, base_currency=self._currency
        )
        if draws is None:
            simulation = engine.prepare(self._config)
            draws = draw(simulation, [factor.name for factor in engine.plan().factors])
        self._draws = draws
        grouped = group_holdings(list_holdings(self._traders))
        if not grouped:
            raise SimulationError(f"{self.name} has no holdings to simulate; add a position first", name=self.name)
        self._signatures = {name: _signature(holdings) for name, holdings in grouped.items()}
        self._revaluations: dict[str, GroupRevaluation] = {}
        self._groups: dict[str, Node] = {}
        self._throttled: dict[Node, Node] = {}
        revaluations = {name: self._revaluation(name, holdings) for name, holdings in grouped.items()}
        self._throttle_shared(revaluations.values())
        for name in grouped:
            self._define_group(name, grouped[name])
        self._add_up(list(self._groups.values()))

    def _revaluation(self, name: str, holdings: Sequence[Holding]) -> GroupRevaluation:
        return revaluation_of(
            name, holdings, self._graph, self._draws, self._config.years_passed, self._currency, self._value
        )

    def _throttle_shared(self, revaluations: Iterable[GroupRevaluation]) -> None:
        if self._slow_seconds is None:
            return
        groups = list(revaluations)
        users: dict[Leaf, int] = {}
        for group in groups:
            for leaf in {leaf for node in group.inputs for leaf in _leaves_under(node)}:
                users[leaf] = users.get(leaf, 0) + 1
        shared = {leaf for leaf, count in users.items() if count > max(_SHARED_FRACTION * len(groups), _FEWEST_SHARED)}
        for node in dict.fromkeys(node for group in groups for node in group.inputs):
            if not shared.isdisjoint(_leaves_under(node)):
                policy = Every(self._slow_seconds)
                label = f"THROTTLED:{node.name}"
                throttled = LargeNode(self._vector_name(label), _same, [node], policy=policy)
                self._throttled[node] = self._register(label, throttled)

    def _define_group(self, name: str, holdings: Sequence[Holding]) -> None:
        revaluation = self._revaluation(name, holdings)
        inputs = [self._throttled.get(node, node) for node in revaluation.inputs]
        node = LargeNode(self._vector_name(f"PNL:{name}"), revaluation, inputs, equal=np.array_equal)
        self._revaluations[name] = revaluation
        self._groups[name] = self._register(f"PNL:{name}", node)

    def _add_up(self, vectors: Sequence[Node]) -> None:
        level, depth = list(vectors), 0
        while len(level) > 1:
            sums = []
            for i in range(0, len(level), WIDTH):
                label = f"SUM:{depth}.{i // WIDTH}"
                below = level[i : i + WIDTH]
                node = LargeNode(self._vector_name(label), pairwise_sum, below, equal=np.array_equal)
                sums.append(self._register(label, node))
            level, depth = sums, depth + 1
        trade = self._register("TRADE", LargeNode(self._vector_name("TRADE"), _no_trade, [], override=True))
        total = LargeNode(self._vector_name("PNL"), np.add, [level[0], trade], equal=np.array_equal)
        self._register("PNL", total)
        measures = self._register("MEASURES", LargeNode(self._vector_name("MEASURES"), measure, [total]))
        for i, tail in enumerate(LEVELS):
            for prefix, field in (("VAR", "var"), ("CVAR", "es")):
                label = f"{prefix}_{tail * 100.0:.0f}"
                self._register(label, DerivedNode(f"{self.name}:{label}", _picker(i, field), [measures]))

    def _vector_name(self, label: str) -> str:
        return f"{self.name}:RISK:{label}"

    def _register(self, label: str, node: Node) -> Node:
        self._own[label] = self._graph.register(node, replace=label in self._own)
        return self._own[label]

    def _factors_of(self, holdings: Sequence[Holding]) -> list[str]:
        plan = plan_holdings(holdings, tuple(dict.fromkeys(holding.unit for holding in holdings)), self._currency)
        return [factor.name for factor in plan.factors]

    def __rich__(self) -> object:
        from bank_python.render_objects import reactive_risk_view

        return reactive_risk_view(self)


def measure(pnl: NDArray[Any]) -> TailPair:
    """Return the risk measures of P&L in all scenarios."""
    losses = np.sort(-pnl)
    return TailPair(*(tail_of_sorted(losses, level) for level in LEVELS))


def _no_trade() -> NDArray[Any]:
    return np.zeros(1, dtype=np.float32)


def _picker(place: int, field: str) -> Callable[[tuple[TailRisk, ...]], float]:
    def pick(measures: tuple[TailRisk, ...]) -> float:
        return float(getattr(measures[place], field))

    pick.__qualname__ = f"measures[{place}].{field}"
    return pick


def _same(value: float) -> float:
    return value


def _signature(holdings: Sequence[Holding]) -> _Signature:
    return tuple(
        (holding.contract.name, holding.amount, holding.cost, _levels_below(holding.contract)) for holding in holdings
    )


def _levels_below(contract: Instrument) -> tuple[object, ...]:
    """Return the quotes from which the derived inputs of a contract are computed; their slopes depend on them."""
    sources = (getattr(contract, name) for name in contract.source_names)
    derived = [source for source in sources if isinstance(source, Node) and not isinstance(source, Leaf)]
    leaves = dict.fromkeys(leaf for node in derived for leaf in _leaves_under(node))
    return tuple(leaf.value for leaf in leaves)


def _leaves_under(node: Node) -> list[Leaf]:
    below = inputs_first([node], lambda member: member.underliers, lambda _: True)
    return [member for member in below if isinstance(member, Leaf)]
