"""Value at risk as nodes: it follows every tick.

A :class:`ReactiveRisk` hangs a simulation on the graph. The scenarios are drawn once. Each group of holdings on one
underlying is a node whose value is the group's P&L in all scenarios; groups are added up by a fixed tree of nodes; and
from the sum come the measures::

    leaves → FIRM:RISK:PNL:<group> → FIRM:RISK:SUM:… → FIRM:RISK:PNL → FIRM:RISK:MEASURES → FIRM:VAR_99 and the others

A tick of one quote revalues one group, passes a few sums and sorts once. That is ordinary recomputation: ``explain``
says where a value at risk comes from, what-if layers give it for a market that is not, and
:meth:`ReactiveRisk.if_traded` for a trade that was not done.

What nearly every group depends on (the discount rate, the clock) would dirty all of them. With `slow_seconds` such
inputs are *held*: groups see them through nodes that pass a change on at most every so many seconds, and
:attr:`ReactiveRisk.as_of_tick` says how old they are.

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
from bank_python.dagger import DependencyGraph, DerivedNode, Every, LargeNode, Leaf
from bank_python.dagger.node import inputs_first
from bank_python.deprecation import renamed, warn_of
from bank_python.errors import SimulationError
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

    from bank_python.dagger import Node
    from bank_python.instruments import Instrument
    from bank_python.mc_engine.draws import Draws
    from bank_python.mc_engine.factor_model import FactorModel
    from bank_python.mc_engine.scenario_groups import GroupRevaluation
    from bank_python.risk.contributions import Contribution
    from bank_python.risk.holders import Units
    from bank_python.risk.valuation import ValuationPlan

    Valuer = Callable[[ValuationPlan, NDArray[Any], float], NDArray[Any]]
    _Signature = tuple[tuple[str, float, float], ...]

__all__ = ["ReactiveRisk"]

_Make = TypeVar("_Make", bound="Callable[..., None]")

_MANY = 0.25
_FEW = 8


def _either_order(make: _Make) -> _Make:
    """Take the graph first too, as it was before, with a warning."""

    @functools.wraps(make)
    def __init__(self: ReactiveRisk, traders: Any, graph: Any, *args: Any, **options: Any) -> None:  # noqa: N807 - it is one
        if isinstance(traders, DependencyGraph):
            warn_of("ReactiveRisk(graph, traders)", "ReactiveRisk(traders, graph)", stacklevel=4)
            traders, graph = graph, traders
        make(self, traders, graph, *args, **options)

    return cast("_Make", __init__)


class ReactiveRisk:
    """A simulation hung on a graph.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Whose risk it is; as for :class:`MonteCarloEngine`.
    graph : DependencyGraph
        Where they live.
    factor_model : FactorModel, optional
        How factors move; by default the graph's node ``FACTOR_MODEL``.
    config : MCConfig, optional
        Which scenarios; they are the same that :meth:`MonteCarloEngine.run` draws for it, and so is the P&L.
    name : str, default "FIRM"
        What the nodes' names begin with.
    base_currency : str, default "USD"
        In which P&L is told.
    slow_seconds : float, optional
        Hold what more than a quarter of the groups depend on, and pass its changes on at most so often.
    draws : Draws, optional
        Scenarios drawn before (:attr:`draws` of another), in the place of new ones.
    value : callable, optional
        How a group is valued: from its plan, levels of shape (factors, scenarios) and years to P&L of shape
        (scenarios,). In full by default; a :class:`~bank_python.mc_engine.GridProxy` is quicker.

    Raises
    ------
    SimulationError
        Nothing is held, or a factor has no factor model.
    RiskError
        A contract has no value now.
    """

    @renamed(books="traders", law="factor_model")
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

    # --- what can be read --------------------------------------------------------------------

    @property
    def draws(self) -> Draws:
        """The scenarios."""
        return self._draws

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of the groups: what the holdings are on."""
        return tuple(self._groups)

    @property
    def pnl(self) -> Node:
        """The node of the P&L in all scenarios, shape (n_paths,)."""
        return self._own["PNL"]

    @property
    def measures(self) -> Node:
        """The node of the measures, a :class:`~bank_python.mc_engine.TailPair`: ``.at_95`` and ``.at_99``."""
        return self._own["MEASURES"]

    @property
    def var_95(self) -> Node:
        """The node of the value at risk at 95 %."""
        return self._own["VAR_95"]

    @property
    def var_99(self) -> Node:
        """The node of the value at risk at 99 %."""
        return self._own["VAR_99"]

    @property
    def cvar_95(self) -> Node:
        """The node of the expected shortfall at 95 %."""
        return self._own["CVAR_95"]

    @property
    def cvar_99(self) -> Node:
        """The node of the expected shortfall at 99 %."""
        return self._own["CVAR_99"]

    @property
    def held(self) -> tuple[Node, ...]:
        """The nodes through which groups see what nearly all of them depend on; empty unless inputs are held."""
        return tuple(self._held.values())

    @property
    def as_of_tick(self) -> int:
        """The oldest tick that is in the measures: that of the held inputs, if there are any."""
        return min((node.as_of_tick for node in self._held.values()), default=self._graph.tick)

    @renamed(level="confidence")
    @admits(SimulationError)
    def contributions(self, confidence: float = 0.99) -> tuple[Contribution, ...]:
        """Return what each group adds to the risk now, the largest first.

        Raises
        ------
        ModelError
            `confidence` is not in (0.5, 1).
        """
        check_confidence(confidence)
        vectors = np.array([self._groups[name].value for name in self._groups])
        total = vectors.sum(axis=0)
        measured = tail_of_sorted(np.sort(-total), confidence)
        tail = find_tail(total, measured.var, measured.es)
        held = np.array([float(self._revaluations[name].plan.exposures()[0]) for name in self._groups])
        without = [value_at_risk(total - one, confidence) for one in vectors]
        parts = contributions(tuple(self._groups), vectors, tail, held, without)
        return tuple(sorted(parts, key=lambda part: -part.es))

    def value_error(self, sample: int = 256) -> float:
        """Return how far the groups' values are from full revaluation: root mean square of the firm's P&L, in money.

        Parameters
        ----------
        sample : int, default 256
            In how many of the scenarios that is measured: half of them the worst, half spread over all.
        """
        total = cast("NDArray[Any]", self.pnl.value)
        half = min(sample // 2, len(total))
        worst = np.argpartition(total, half - 1)[:half]
        chosen = np.unique(np.concatenate([worst, np.linspace(0, len(total) - 1, half).astype(np.intp)]))
        off = np.zeros(len(chosen))
        for name, revaluation in self._revaluations.items():
            node = self._groups[name]
            full = revaluation.full([cast("float", source.value) for source in node.underliers], chosen)
            off += cast("NDArray[Any]", node.value)[chosen] - full
        return float(np.sqrt(np.mean(off * off)))

    # --- what if -----------------------------------------------------------------------------

    @admits(SimulationError)
    def if_traded(self, contract: Instrument, amount: float) -> TailPair:
        """Return the measures as they would be with so much more of a contract; nothing is traded.

        Parameters
        ----------
        contract : Instrument
            What is bought, at its present value; it need not be in the graph.
        amount : float
            Units; negative sells.

        Raises
        ------
        SimulationError
            The contract depends on a factor that was not drawn.
        RiskError
            It has no value now.
        """
        with self._graph.scenario({self._own["TRADE"]: self.pnl_of(contract, amount)}):
            return cast("TailPair", self.measures.value)

    @admits(SimulationError)
    def pnl_of(self, contract: Instrument, amount: float) -> NDArray[Any]:
        """Return the P&L of so much of a contract in all scenarios, shape (n_paths,); see :meth:`if_traded`."""
        if not math.isfinite(amount):
            raise SimulationError(f"amount={amount!r} of {contract.name} cannot be traded; give a finite number")
        paid = amount * contract.value
        bought = Holding(self.name, contract, amount, paid, contract.currency, self._graph)
        plan = plan_holdings([bought], (self.name,), self._currency)
        levels = self._draws.levels(self._draws.rows([factor.name for factor in plan.factors]), plan.base)
        return full_value(plan, levels, self._config.years_passed)

    # --- life --------------------------------------------------------------------------------

    def follow_books(self) -> bool:
        """Take note of trades done since; return whether there were any.

        A group whose holdings changed is defined anew. A holding on something new changes which factors there are, and
        then everything is, scenarios included.
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
        """Take the nodes out of the graph."""
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
            raise SimulationError(f"{self.name} holds nothing: there is nothing to simulate", name=self.name)
        self._signatures = {name: _signature(holdings) for name, holdings in grouped.items()}
        self._revaluations: dict[str, GroupRevaluation] = {}
        self._groups: dict[str, Node] = {}
        self._held: dict[Node, Node] = {}
        revaluations = {name: self._revaluation(name, holdings) for name, holdings in grouped.items()}
        self._hold_shared(revaluations.values())
        for name in grouped:
            self._define_group(name, grouped[name])
        self._add_up(list(self._groups.values()))

    def _revaluation(self, name: str, holdings: Sequence[Holding]) -> GroupRevaluation:
        return revaluation_of(
            name, holdings, self._graph, self._draws, self._config.years_passed, self._currency, self._value
        )

    def _hold_shared(self, revaluations: Iterable[GroupRevaluation]) -> None:
        if self._slow_seconds is None:
            return
        groups = list(revaluations)
        users: dict[Leaf, int] = {}
        for group in groups:
            for leaf in {leaf for node in group.inputs for leaf in _leaves_under(node)}:
                users[leaf] = users.get(leaf, 0) + 1
        shared = {leaf for leaf, count in users.items() if count > max(_MANY * len(groups), _FEW)}
        for node in dict.fromkeys(node for group in groups for node in group.inputs):
            if not shared.isdisjoint(_leaves_under(node)):
                policy = Every(self._slow_seconds)
                held = LargeNode(self._vector_name(f"HELD:{node.name}"), _same, [node], policy=policy)
                self._held[node] = self._register(f"HELD:{node.name}", held)

    def _define_group(self, name: str, holdings: Sequence[Holding]) -> None:
        revaluation = self._revaluation(name, holdings)
        inputs = [self._held.get(node, node) for node in revaluation.inputs]
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


def measure(pnl: NDArray[Any]) -> TailPair:
    """Return the measures of P&L in all scenarios, by one sort."""
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
    return tuple((holding.contract.name, holding.amount, holding.cost) for holding in holdings)


def _leaves_under(node: Node) -> list[Leaf]:
    below = inputs_first([node], lambda member: member.underliers, lambda _: True)
    return [member for member in below if isinstance(member, Leaf)]
