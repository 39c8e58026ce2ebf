"""Monte Carlo engine: value at risk of a desk by simulation.

Examples
--------
>>> from bank_python.dagger import DependencyGraph
>>> from bank_python.instruments import Book, Equity, Position
>>> from bank_python.market_data import MarketData
>>> from bank_python.mc_engine import FactorModel, MCConfig
>>> graph = DependencyGraph()
>>> spot = graph.register(MarketData("AAPL_SPOT", 200.0))
>>> book = graph.register(Book("ALICE", [Position("P", instrument=Equity("AAPL", spot_source=spot), quantity=1_000)]))
>>> engine = MonteCarloEngine([book], graph, factor_model=FactorModel.given({"AAPL_SPOT": 0.27}))
>>> result = engine.run(MCConfig(n_paths=50_000, random_seed=42))
>>> round(result.var_99, -2)  # 2.326 · 0.27 · √(1/252) · 200,000, and a little less for the logarithm
7800.0
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import renamed, warn_of
from bank_python.errors import SimulationError
from bank_python.instruments.factor import Factor
from bank_python.mc_engine.config import MCConfig, Model, Revaluation
from bank_python.mc_engine.decomposition import decompose_by_factor, decompose_by_unit
from bank_python.mc_engine.greeks_validation import left_out, validate_greeks
from bank_python.mc_engine.heston_sampler import HestonSampler
from bank_python.mc_engine.result import LEVELS, MCResult
from bank_python.mc_engine.running import run_simulation
from bank_python.mc_engine.samplers import BootstrapSampler, GbmSampler, JumpSampler, Sampler, StudentSampler
from bank_python.mc_engine.simulation import Simulation
from bank_python.risk.holders import holders
from bank_python.risk.quadratic import quadratic_plan
from bank_python.risk.stress import StressResults, run_stresses
from bank_python.risk.stress_mapping import Betas
from bank_python.risk.stress_scenarios import REFERENCE_STRESSES
from bank_python.risk.tail_risk import tail_risk
from bank_python.risk.valuation import plan_valuation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bank_python.barbara import BarbaraDB
    from bank_python.dagger import DependencyGraph
    from bank_python.mc_engine.factor_model import FactorModel
    from bank_python.mc_engine.simulation import TailSample
    from bank_python.risk.factors import RiskFactor
    from bank_python.risk.holders import Units
    from bank_python.risk.valuation import ValuationPlan

__all__ = [
    "FACTOR_MODEL_NODE",
    "RESULTS_PREFIX",
    "MonteCarloEngine",
    "make_sampler",
    "regressed_betas",
    "volatility_followers",
]

FACTOR_MODEL_NODE = "FACTOR_MODEL"
"""Name of the node whose value is a graph's factor model."""
RESULTS_PREFIX = "/Risk/MonteCarlo/"
INDEX_FACTOR = "SPY_SPOT"
"""Share index factor, on which betas are regressed if the factor model contains it."""
_TRADING_DAYS = 252.0
# A factor below this share of the firm's deviation cannot, even with a move of five deviations, bring a scenario from
# outside the worst tenth into the tail.
_DOMINANT_SHARE = 0.2
_MOST_DOMINANT = 12


@admits(SimulationError)
class MonteCarloEngine:
    """Monte Carlo simulation of a desk's P&L to a horizon.

    Parameters
    ----------
    traders : traders, books, or a mapping
        Holders of the positions: ``desk.traders``, any mix of traders and books, or a mapping from a name to one of
        them or to a list of positions; see :func:`~bank_python.risk.holders.holders`.
    graph : DependencyGraph
        Graph of the positions; a run uses the market data of its current tick.
    db : BarbaraDB, optional
        Store for results, under ``/Risk/MonteCarlo/<model>``; every run adds a version.
    factor_model : FactorModel, optional
        Volatilities and correlations of the factors; by default the value of the graph's node ``FACTOR_MODEL``, which a
        desk calibrates from history.
    base_currency : str, default "USD"
        ISO 4217 code of the currency of all P&L.
    """

    @renamed(law="factor_model")
    def __init__(
        self,
        traders: Units,
        graph: DependencyGraph,
        db: BarbaraDB | None = None,
        *,
        factor_model: FactorModel | None = None,
        base_currency: str = "USD",
    ) -> None:
        self._traders = holders(traders)
        self._graph = graph
        self._db = db
        self._factor_model = factor_model
        self._currency = base_currency

    @admits(SimulationError)
    def run(self, config: MCConfig | None = None) -> MCResult:
        """Run a simulation and return its result.

        Parameters
        ----------
        config : MCConfig, optional
            Configuration of the run; by default 100,000 scenarios of one day by correlated geometric Brownian motion.

        Raises
        ------
        SimulationError
            The factor model lacks a factor, a contract has no price in some scenario, or a worker failed. There is no
            partial result.
        SimulationCancelledError
            The simulation was cancelled.
        RiskError
            A position cannot be valued in the current market.
        """
        config = config or MCConfig()
        clock = _Stopwatch()
        with clock.part("plan"):
            plan, factor_model, tick = self._inputs(config)
            simulation = self._simulation(config, plan, factor_model)
        with clock.part("simulate"):
            pnl, worst, single = run_simulation(simulation, config.executor, config.progress, config.cancel)
        with clock.part("measure"):
            total = pnl.sum(axis=0)
            tails = tuple(tail_risk(total, level) for level in LEVELS)
        with clock.part("contributions"):
            traders = decompose_by_unit(plan, pnl, total, tails)
            factors = decompose_by_factor(plan, total, tails, worst, dict(zip(simulation.watched, single, strict=True)))
            fast_error = _fast_error(plan, config, total, worst, tails[-1].var)
        with clock.part("stress"):
            keys = REFERENCE_STRESSES if config.stresses is None else config.stresses
            betas = regressed_betas(factor_model, plan) if keys and config.stress_betas is Betas.REGRESSED else None
            stresses = run_stresses(plan, keys, betas=betas, choice=config.stress_betas) if keys else StressResults()
        with clock.part("greeks"):
            checks = validate_greeks(plan, config.n_paths, config.random_seed) if config.validate_greeks else ()
            unchecked = tuple(left_out(plan)) if config.validate_greeks else ()
        result = MCResult(
            model=config.model.value,
            revaluation=config.revaluation.value,
            factor_model=factor_model.source,
            n_paths=config.n_paths,
            random_seed=config.random_seed,
            horizon=config.horizon,
            currency=self._currency,
            tick=tick,
            pnl=total,
            tails=tails,
            traders=traders,
            factors=factors,
            stresses=stresses,
            greek_checks=checks,
            greeks_left_out=unchecked,
            fast_error=fast_error,
            repaired=factor_model.repaired,
            timings=clock.seconds,
            trader_pnl=pnl,
        )
        self._store(result)
        return result

    @admits(SimulationError)
    def prepare(self, config: MCConfig | None = None) -> Simulation:
        """Return the simulation as plain data, for another process; arguments and errors as for :meth:`run`."""
        config = config or MCConfig()
        plan, factor_model, _ = self._inputs(config)
        return self._simulation(config, plan, factor_model)

    def plan(self) -> ValuationPlan:
        """Return the valuation plan of the current holdings.

        Raises
        ------
        RiskError
            A position cannot be valued in the current market.
        """
        return plan_valuation(self._traders, self._currency)

    def factor_model(self) -> FactorModel:
        """Return the factor model: the engine's own, or that of the graph.

        Raises
        ------
        SimulationError
            Neither the engine nor the graph has a factor model.
        """
        if self._factor_model is not None:
            return self._factor_model
        node = self._graph.find(FACTOR_MODEL_NODE)
        if node is None:
            raise SimulationError(
                f"no factor model of the risk factors: pass factor_model=, or derive a node {FACTOR_MODEL_NODE} from "
                "history; a desk has one",
                name=FACTOR_MODEL_NODE,
            )
        return cast("FactorModel", node.value)

    def law(self) -> FactorModel:
        """Return :meth:`factor_model`; the method's old name."""
        warn_of("MonteCarloEngine.law()", "factor_model()")
        return self.factor_model()

    def stored(self, model: Model | str) -> MCResult:
        """Return the most recent stored result of a model.

        Raises
        ------
        SimulationError
            The engine has no store.
        MissingKeyError
            The store has no result of that model.
        """
        if self._db is None:
            raise SimulationError("the engine has no store; pass db=")
        return cast("MCResult", self._db[RESULTS_PREFIX + _model(model).value])

    def _inputs(self, config: MCConfig) -> tuple[ValuationPlan, FactorModel, int]:
        factor_model = config.factor_model or self.factor_model()
        plan = self.plan()
        if not plan.contracts:
            raise SimulationError("there are no holdings to simulate; add a position first")
        return plan, factor_model, self._graph.tick

    def _simulation(self, config: MCConfig, plan: ValuationPlan, factor_model: FactorModel) -> Simulation:
        sampler = make_sampler(factor_model, plan, config)
        chosen = factor_model.places([factor.name for factor in plan.factors])
        revaluer = plan if config.revaluation is Revaluation.FULL else quadratic_plan(plan)
        return Simulation(
            revaluer,
            tuple(factor_model.relative[i] for i in chosen),
            sampler,
            config.n_paths,
            config.chunk,
            config.random_seed,
            config.years_passed,
            _dominant(plan, factor_model, config.horizon),
        )

    def _store(self, result: MCResult) -> None:
        if self._db is not None:
            fields = {name: getattr(result, name) for name in MCResult.__slots__ if name != "trader_pnl"}
            self._db[RESULTS_PREFIX + result.model] = MCResult(**fields)

    def __repr__(self) -> str:
        return f"<MonteCarloEngine: {len(self._traders):,} traders, {self._currency}, {self._graph!r}>"


def make_sampler(factor_model: FactorModel, plan: ValuationPlan, config: MCConfig) -> Sampler:
    """Return the sampler of the plan's factors under the configured model.

    Raises
    ------
    SimulationError
        The factor model lacks a factor, or data that the model needs, such as residuals for the bootstrap.
    """
    chosen = factor_model.places([factor.name for factor in plan.factors])
    relative = tuple(factor_model.relative[i] for i in chosen)
    vols, correlation = factor_model.vols[chosen], factor_model.correlation[np.ix_(chosen, chosen)]
    deviations = vols * np.sqrt(config.horizon)
    sampling = config.sampling
    prices = [i for i, factor in enumerate(plan.factors) if factor.kind is Factor.SPOT and relative[i]]
    if config.model is Model.HESTON:
        return HestonSampler.of(
            factor_model,
            chosen,
            prices,
            volatility_followers(plan),
            config.horizon,
            config.n_steps,
            config.dtype,
            sampling,
        )
    if config.model is Model.MERTON:
        return JumpSampler.of(
            relative, vols, correlation, factor_model.jumps, prices, config.horizon, config.dtype, sampling
        )
    if config.model is Model.BOOTSTRAP:
        residuals = None if factor_model.residuals is None else factor_model.residuals[:, chosen]
        days = config.horizon * _TRADING_DAYS
        return BootstrapSampler.of(relative, residuals, vols / np.sqrt(_TRADING_DAYS), days, config.dtype)
    normal = GbmSampler.of(relative, deviations, correlation, config.dtype, sampling)
    if config.model is Model.STUDENT_T:
        return StudentSampler(replace(normal, drift=np.zeros_like(normal.drift)), factor_model.degrees)
    return normal


def volatility_followers(plan: ValuationPlan) -> dict[int, int]:
    """Return the index of each implied volatility's underlying price, by the volatility's index in the plan."""
    found: dict[int, int] = {}
    for block in plan.blocks:
        of_kind: dict[Factor, NDArray[np.intp]] = {}
        for row, movement in block.movements:
            of_kind[block.kind.factor_of(block.kind.source_names[row])] = movement.factors
        if Factor.VOL in of_kind and Factor.SPOT in of_kind:
            vols, spots = np.broadcast_arrays(of_kind[Factor.VOL], of_kind[Factor.SPOT])
            found |= dict(zip(vols.tolist(), spots.tolist(), strict=True))
    return found


def _dominant(plan: ValuationPlan, factor_model: FactorModel, horizon: float) -> tuple[int, ...]:
    """Return the factors whose P&L at one deviation exceeds a fifth of the firm's deviation, at most a dozen."""
    covariance = factor_model.covariance([factor.name for factor in plan.factors], horizon)
    deviations = np.sqrt(np.diag(covariance))
    relative = np.array(
        [factor_model.relative[i] for i in factor_model.places([factor.name for factor in plan.factors])]
    )
    base = plan.base
    steps = deviations[:, None] * np.array([1.0, -1.0])
    single = plan.single_factor_pnl(np.where(relative[:, None], base[:, None] * np.exp(steps), base[:, None] + steps))
    if not np.isfinite(single).all():
        return ()  # a contract has no price at such a move: the simulation raises if a scenario goes that far
    impact = np.abs(single).max(axis=1)
    scaled = np.where(deviations > 0.0, single[:, 0] / np.where(deviations > 0.0, deviations, 1.0), 0.0)
    firm = math.sqrt(max(float(scaled @ covariance @ scaled), 0.0))
    ranked = np.argsort(-impact, kind="stable")[:_MOST_DOMINANT]
    return tuple(sorted(j for j in ranked.tolist() if impact[j] > _DOMINANT_SHARE * firm))


def _fast_error(
    plan: ValuationPlan, config: MCConfig, total: NDArray[Any], worst: TailSample, var: float
) -> float | None:
    """Return the error of the second-order P&L in the worst scenarios as a share of the value at risk."""
    if config.revaluation is Revaluation.FULL:
        return None
    full = plan.pnl(np.asarray(worst.levels, dtype=np.float64), config.years_passed).sum(axis=0)
    error = float(np.sqrt(np.mean((full - total[worst.scenarios]) ** 2)))
    return error / var if var > 0.0 else float("inf")


@renamed(law="factor_model")
@admits(SimulationError)
def regressed_betas(factor_model: FactorModel, plan: ValuationPlan) -> dict[str, float]:
    """Return the betas of shares to the share index that a factor model implies, by factor name.

    Parameters
    ----------
    factor_model : FactorModel
        Factor model with the share index among its factors.
    plan : ValuationPlan
        Valuation plan whose share prices get a beta.

    Raises
    ------
    SimulationError
        The factor model lacks the index, or a factor of the plan.
    """
    if INDEX_FACTOR not in factor_model.names:
        raise SimulationError(
            f"betas are regressed on {INDEX_FACTOR}, which the factor model lacks; add that factor to it, or take the "
            "stated betas",
            name=INDEX_FACTOR,
        )
    places = factor_model.places([factor.name for factor in plan.factors])
    market = factor_model.places([INDEX_FACTOR])[0]
    betas = factor_model.correlation[places, market] * factor_model.vols[places] / factor_model.vols[market]
    prices = [(factor.name, beta) for factor, beta in zip(plan.factors, betas.tolist(), strict=True)]
    return {name: beta for (name, beta), factor in zip(prices, plan.factors, strict=True) if _is_share(factor)}


def _model(model: Model | str) -> Model:
    try:
        return Model(model)
    except ValueError:
        known = ", ".join(item.value for item in Model)
        raise SimulationError(f"no model {model!r}; choose one of {known}", value=model) from None


def _is_share(factor: RiskFactor) -> bool:
    return factor.kind is Factor.SPOT and factor.sector not in {"", "Crypto"}


class _Stopwatch:
    """Run times in seconds, by part of the run."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure the run time of a ``with`` block."""
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start
