"""Risk of the desk as nodes of its graph: value at risk of the firm and of each trader, and limits with alerts.

Examples
--------
>>> from bank_python.desk import build_desk
>>> desk = build_desk(seed=7)
>>> risk = DeskRisk(desk, n_paths=5_000)
>>> step = desk.tick()
>>> risk.firm.var_99.value > 0.0, sorted({alert.scope for alert in risk.check()})
(True, ['Alice', 'Bob', 'Oscar', 'Tony', 'firm'])
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING

from bank_python.dagger import Every
from bank_python.desk.balance import FEWEST, BalancedBook, balanceable
from bank_python.desk.risk_limits import BALANCED, DRIFT, FIRM, MEASURES, VAR, standard_limits
from bank_python.errors import DeskError
from bank_python.mc_engine import GridProxy, MCConfig, ReactiveRisk, choose_paths
from bank_python.mc_engine.scenario_groups import full_value
from bank_python.risk import AlertBook, BookMeasure, Concentration, LimitBoard, plan_valuation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.desk import Desk
    from bank_python.instruments import Book
    from bank_python.risk import Alert, Limit

__all__ = ["SCENARIOS", "DeskRisk", "affordable_paths"]

SCENARIOS = 10_000
"""Default number of scenarios; it does not depend on the speed of the machine."""

_COSTLY_EVERY = 10.0  # seconds between two evaluations of Greeks and stress tests for limits
_SLOW_EVERY = 30.0  # seconds for which inputs of all groups are throttled if a proxy is used
_SHARE = 0.1  # fraction of a refresh that a revaluation of the firm may take
_MAX_PATHS = 20_000


class DeskRisk:
    """Simulated risk of a desk, and its limits.

    Parameters
    ----------
    desk : Desk
        Desk with at least one open position.
    n_paths : int, default 10,000 (:data:`SCENARIOS`)
        Number of scenarios, at least 2. The same desk, seed and number give the same figures on any machine;
        :func:`affordable_paths` measures how many this machine can revalue in time.
    proxy : bool, default False
        Whether scenarios are valued by a proxy instead of full revaluation, and inputs of all groups are throttled.
        Meant for desks that are too large for the refresh; the error is measured (:attr:`proxy_error`).
    seed : int, default 0
        Seed of the scenarios.
    limits : sequence of Limit, optional
        Limits to check; those of :mod:`bank_python.desk.risk_limits` by default. A limit with an unknown scope or
        measure is rejected with an error.
    refresh : float, optional
        Former time between two refreshes, in seconds; deprecated and ignored.

    Raises
    ------
    BankError
        There are no positions, or the factor model cannot be calibrated; the message says why.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        n_paths: int = SCENARIOS,
        proxy: bool = False,
        seed: int = 0,
        limits: Sequence[Limit] | None = None,
        refresh: float | None = None,
    ) -> None:
        if refresh is not None:
            warnings.warn(
                "DeskRisk(refresh=) has no effect and will be removed; give n_paths=affordable_paths(desk, refresh)",
                DeprecationWarning,
                stacklevel=2,
            )
        self._desk = desk
        self._config = MCConfig(n_paths=n_paths, random_seed=seed)
        self._value = GridProxy() if proxy else full_value
        self._slow_seconds = _SLOW_EVERY if proxy else None
        self.firm = ReactiveRisk(
            self._books(), desk.graph, config=self._config, slow_seconds=self._slow_seconds, value=self._value
        )
        self.traders: dict[str, ReactiveRisk] = {}
        self.board = LimitBoard(desk.graph, AlertBook(desk.db))
        self._measures: list[BookMeasure] = []
        self.balanced: dict[str, BalancedBook] = {}
        self._open: tuple[Alert, ...] | None = None
        self._limits = tuple(standard_limits(desk.traders.names) if limits is None else limits)
        self._check_limits()
        self._watch(FIRM)
        self._add_traders()

    def __repr__(self) -> str:
        return f"<DeskRisk: {self.n_paths:,} scenarios, {len(self.traders)} traders, {len(self._limits)} limits>"

    @property
    def n_paths(self) -> int:
        """The number of scenarios."""
        return self._config.n_paths

    @property
    def proxy_error(self) -> float | None:
        """Error of the proxy's P&L against full revaluation, root mean square in USD; ``None`` without a proxy."""
        return None if self._value is full_value else self.firm.value_error()

    def follow_books(self) -> bool:
        """Update the risk nodes after trades since the last call; return whether there were any."""
        changed = self._add_traders()
        changed |= self.firm.follow_books()
        for risk in self.traders.values():
            changed |= risk.follow_books()
        for measure in self._measures:
            changed |= measure.follow_books()
        for balanced in self.balanced.values():
            changed |= balanced.drift.follow_book()
        return changed

    def remove(self) -> None:
        """Remove the nodes of risk and limits from the graph; the alerts are kept."""
        self.board.remove()
        for measure in self._measures:
            measure.remove()
        for balanced in self.balanced.values():
            balanced.remove()
        for risk in self.traders.values():
            risk.remove()
        self.firm.remove()

    def check(self) -> tuple[Alert, ...]:
        """Check all limits; return the alerts that were opened, updated or closed."""
        changed = self.board.check()
        if changed or self._open is None:
            self._open = self.board.alerts.open_alerts()
        return changed

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """The alerts open when the limits were last checked, the most urgent first."""
        return self._open or ()

    def _books(self) -> list[Book]:
        return [trader.book for trader in self._desk.traders]

    def _add_traders(self) -> bool:
        """Add risk nodes for traders with positions that have none yet; return whether there were any."""
        new = [trader for trader in self._desk.traders if trader.positions and trader.name not in self.traders]
        for trader in new:
            self.traders[trader.name] = ReactiveRisk(
                trader,
                self._desk.graph,
                config=self._config,
                name=trader.name,
                slow_seconds=self._slow_seconds,
                draws=self.firm.draws,
                value=self._value,
            )
            self._watch(trader.name)
        return bool(new)

    def _check_limits(self) -> None:
        names = (FIRM, *self._desk.traders.names)
        for limit in self._limits:
            if limit.scope not in names:
                raise DeskError(
                    f"a limit has the unknown scope {limit.scope!r}; the scopes are {', '.join(names)}",
                    value=limit.scope,
                )
            if limit.name not in (VAR, *MEASURES, DRIFT):
                known = ", ".join((VAR, *MEASURES, DRIFT))
                raise DeskError(
                    f"a limit has the unknown measure {limit.name!r}; the measures are {known}", value=limit.name
                )
            if limit.name == DRIFT and limit.scope not in BALANCED:
                raise DeskError(
                    f"a limit on {DRIFT} has the scope {limit.scope!r}, which has no optimal weights; only "
                    f"{', '.join(BALANCED)} has them",
                    value=limit.scope,
                )

    def _watch(self, scope: str) -> None:
        for limit in self._limits:
            if limit.scope == scope:
                self._watch_one(limit)

    def _watch_one(self, limit: Limit) -> None:
        whole = limit.scope == FIRM
        if limit.name == VAR:
            risk = self.firm if whole else self.traders[limit.scope]
            self.board.watch(limit, risk.var_99, partial(_largest_of, risk))
            return
        if limit.name == DRIFT:
            self._watch_drift(limit)
            return
        measure = MEASURES[limit.name]
        books = self._books() if whole else [self._desk.traders[limit.scope].book]
        policy = None if isinstance(measure, Concentration) else Every(_COSTLY_EVERY)
        measured = BookMeasure(self._desk.graph, f"{limit.scope}:{limit.name.upper()}", books, measure, policy)
        self._measures.append(measured)
        self.board.watch(limit, measured.node, measured.contributor)

    def _watch_drift(self, limit: Limit) -> None:
        if len(balanceable(self._desk, limit.scope)) < FEWEST:
            return  # the weight of a single asset is always 1
        balanced = BalancedBook(self._desk, limit.scope, BALANCED[limit.scope])
        self.balanced[limit.scope] = balanced
        self.board.watch(limit, balanced.drift.node, balanced.drift.contributor)


def _largest_of(risk: ReactiveRisk) -> str:
    largest = risk.contributions()[0]
    return f"{largest.name} {largest.es:,.0f}"


def affordable_paths(desk: Desk, refresh: float) -> int:
    """Measure and return how many scenarios this machine can revalue within a tenth of `refresh` seconds."""
    plan = plan_valuation([trader.book for trader in desk.traders])
    return choose_paths(plan, _SHARE * refresh, most=_MAX_PATHS)
