"""The desk's risk, hung on its graph: the firm's and each trader's value at risk, and limits on what may be risked.

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
"""How many scenarios a desk's risk has unless told otherwise: a setting, the same on every machine."""

_COSTLY_EVERY = 10.0  # seconds between two evaluations of Greeks and stresses for limits
_SLOW_EVERY = 30.0  # seconds for which inputs that all groups depend on are throttled, by the proxy
_SHARE = 0.1  # of a refresh that revaluing the firm may take
_MOST = 20_000


class DeskRisk:
    """Risk nodes of a desk, and its limits.

    Parameters
    ----------
    desk : Desk
        With positions.
    n_paths : int, default 10,000 (:data:`SCENARIOS`)
        Number of scenarios, at least 2. The same desk, seed and number give the same figures on any machine;
        :func:`affordable_paths` measures how many this one has time for.
    proxy : bool, default False
        Whether groups are valued by a proxy (:attr:`proxy_error`) in the place of full revaluation, and inputs that all
        groups depend on are throttled: for desks that are too large for the refresh.
    seed : int, default 0
        Of the scenarios.
    limits : sequence of Limit, optional
        By default those of :mod:`bank_python.desk.risk_limits`. One whose scope or measure the desk has not is refused.
    refresh : float, optional
        Without effect since the number of scenarios is a setting; deprecated.

    Raises
    ------
    BankError
        Nothing is held yet, or there is no factor model of what is held: the message says why.
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
                "DeskRisk(refresh=) has no effect any more and will go; give n_paths=affordable_paths(desk, refresh)",
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

    @property
    def n_paths(self) -> int:
        """The number of scenarios."""
        return self._config.n_paths

    @property
    def proxy_error(self) -> float | None:
        """How far P&L is off full revaluation, root mean square in USD; None if it is full revaluation."""
        return None if self._value is full_value else self.firm.value_error()

    def follow_books(self) -> bool:
        """Take note of trades done since; return whether there were any."""
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
        """Take the nodes of risk and limits out of the graph; alerts stay."""
        self.board.remove()
        for measure in self._measures:
            measure.remove()
        for balanced in self.balanced.values():
            balanced.remove()
        for risk in self.traders.values():
            risk.remove()
        self.firm.remove()

    def check(self) -> tuple[Alert, ...]:
        """Look at all limits; return the alerts that were opened, brought up to date or closed."""
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
        """Take in the traders who hold something and are not in yet; return whether there were any."""
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
                raise DeskError(f"a limit of {limit.scope!r}; there are {', '.join(names)}", value=limit.scope)
            if limit.name not in (VAR, *MEASURES, DRIFT):
                known = ", ".join((VAR, *MEASURES, DRIFT))
                raise DeskError(f"no measure {limit.name!r}; there are {known}", value=limit.name)
            if limit.name == DRIFT and limit.scope not in BALANCED:
                raise DeskError(f"a limit on the drift of {limit.scope!r}; {', '.join(BALANCED)} have optimal weights")

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
            return  # one asset is all of the weights there are
        balanced = BalancedBook(self._desk, limit.scope, BALANCED[limit.scope])
        self.balanced[limit.scope] = balanced
        self.board.watch(limit, balanced.drift.node, balanced.drift.contributor)


def _largest_of(risk: ReactiveRisk) -> str:
    largest = risk.contributions()[0]
    return f"{largest.name} {largest.es:,.0f}"


def affordable_paths(desk: Desk, refresh: float) -> int:
    """Return how many scenarios of all books this machine revalues within a tenth of a refresh, by measuring it."""
    plan = plan_valuation([trader.book for trader in desk.traders])
    return choose_paths(plan, _SHARE * refresh, most=_MOST)
