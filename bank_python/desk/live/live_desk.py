"""The desk at work: background jobs that follow the market, and what a screen reads of them.

Five Walpole jobs keep the desk going: *market_data* looks at the market, *revaluation* follows it, opens the
positions that have waited for a quote, recomputes what moved (value at risk with it) and publishes a view; *risk*
hangs the simulation on the graph once its history is loaded, follows trades and checks limits; *what_if* asks what a
fall of all shares would do; *snapshot* keeps the desk in its store. They share one worker, so no two of them touch the
desk at the same time: a snapshot never sees half a tick. Whoever shows the desk reads :meth:`LiveDesk.view` (the last
one published, with the present status); it never waits for a job, a feed or a lock of the graph's.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from bank_python.desk.factor_model import load_past
from bank_python.desk.live.job_lines import job_line
from bank_python.desk.risk import SCENARIOS, DeskRisk
from bank_python.desk.status import status_of
from bank_python.desk.view import WhatIf
from bank_python.desk.view_builder import ViewBuilder
from bank_python.market_data import QuoteState
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.utc import utc_now
from bank_python.walpole import JobConfig, JobRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Self

    from bank_python.dagger import Leaf, Node
    from bank_python.desk.desk import Desk
    from bank_python.desk.parts import DeskParts
    from bank_python.desk.view import DeskView, Status

__all__ = ["SHARES_FALL", "LiveDesk"]

SHARES_FALL = 0.10
"""How far the what-if lets every share and fund fall."""

_SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})
_SNAPSHOT_EVERY = 30.0  # seconds
_WHAT_IF_EVERY = 10.0  # seconds
_LOADING = 0.25  # of a refresh: for how long one run of the risk job may load history
_MEMORY_KEEPS = timedelta(hours=1)
_PATIENCE = 1.0  # seconds that a run may take to end once the desk is left


class LiveDesk:
    """A desk with its jobs: from ``with`` to the end of its block they run.

    Parameters
    ----------
    desk : Desk
        The desk; nothing else may change it meanwhile. It is not closed at the end.
    refresh : float
        Seconds from one look at the market to the next, > 0.
    now : callable, optional
        The clock, for ages; UTC.
    n_paths : int, default 10,000 (:data:`~bank_python.desk.risk.SCENARIOS`)
        Number of scenarios of the simulation, at least 2.
    proxy : bool, default False
        Whether the simulation values by a proxy; see :class:`~bank_python.desk.risk.DeskRisk`.

    Raises
    ------
    JobConfigError
        `refresh` is not a positive number.

    Examples
    --------
    >>> from bank_python.desk import build_desk
    >>> live = LiveDesk(build_desk(seed=7), refresh=2.0)
    >>> live.look()
    >>> view = live.view()
    >>> view.firm.pnl != 0.0, view.status.fresh
    (True, 273)
    """

    def __init__(
        self,
        desk: Desk,
        refresh: float,
        *,
        now: Callable[[], datetime] = utc_now,
        n_paths: int = SCENARIOS,
        proxy: bool = False,
    ) -> None:
        self._desk = desk
        self._now = now
        self._n_paths, self._proxy = n_paths, proxy
        self._builder = ViewBuilder(desk, now)
        opened = now()
        fresh = [quote.ticker for quote in desk.market.quotes if quote.state is QuoteState.FRESH]
        self._renewed = dict.fromkeys(fresh, opened)
        self._what_if: WhatIf | None = None
        self._refresh = refresh
        self._risk: DeskRisk | None = None
        # One worker: the jobs take turns, and none sees the desk in the middle of another's work.
        self._runner = JobRunner(barbara=desk.db, max_workers=1)
        self._configs = [
            JobConfig(name="market_data", callable=self._look_at_market, interval=refresh),
            JobConfig(name="revaluation", callable=self._revalue, interval=refresh, depends_on=["market_data"]),
            JobConfig(name="risk", callable=self._measure_risk, interval=refresh, depends_on=["revaluation"]),
            JobConfig(name="what_if", callable=self._suppose, interval=_WHAT_IF_EVERY, depends_on=["revaluation"]),
            JobConfig(name="snapshot", callable=self._keep, interval=_SNAPSHOT_EVERY, depends_on=["revaluation"]),
        ]
        for config in self._configs:
            self._runner.add_job(config)
        self._latest = self._builder.build(status=self._status_of())

    # --- what a screen reads -------------------------------------------------------------------

    @property
    def latest(self) -> DeskView:
        """The desk as the last revaluation left it: the same object until the next one."""
        return self._latest

    def view(self) -> DeskView:
        """Return the desk as the last revaluation left it, with the status of this moment."""
        return replace(self._latest, status=self.status())

    def status(self) -> Status:
        """Return how quotes, graph and jobs stand now; never waits for a job or a feed."""
        return self._status_of()(self._desk, self._now())

    def _status_of(self) -> Callable[[DeskParts, datetime], Status]:
        """Look at the jobs, and return what says the rest."""
        now = self._now()
        jobs = tuple(job_line(config, self._runner.status(config.name), now) for config in self._configs)
        return partial(status_of, renewed=self._renewed, jobs=jobs, asking=jobs[0].busy, what_if=self._what_if)

    @property
    def frame(self) -> DeskView:
        """The former name of :attr:`latest`."""
        warnings.warn("LiveDesk.frame is now LiveDesk.latest", DeprecationWarning, stacklevel=2)
        return self.latest

    def pulse(self) -> Status:
        """Return :meth:`status`, whose former name this is."""
        warnings.warn("LiveDesk.pulse() is now LiveDesk.status()", DeprecationWarning, stacklevel=2)
        return self.status()

    # --- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the jobs."""
        self._runner.start()

    def stop(self) -> bool:
        """Stop the jobs; return whether they all ended (one that waits for a dead feed is abandoned)."""
        return self._runner.stop(timeout=_PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def look(self) -> None:
        """Look at the market and revalue once, now, without starting the jobs."""
        self._runner.run_once("market_data")
        self._runner.run_once("revaluation")
        if self._risk is not None:
            self._runner.run_once("risk")

    def measure_risk(self) -> None:
        """Hang the simulation on the graph and show it in the view, now, without starting the jobs."""
        while self._risk is None:
            self._measure_risk()
        self._revalue()

    # --- the jobs ------------------------------------------------------------------------------

    def _look_at_market(self) -> str:
        update, _ = self._desk.poll()
        # A new dict each time: the screen may be reading the one there is.
        self._renewed = {**self._renewed, **dict.fromkeys(update.updated, self._now())}
        return f"{len(update.updated)} updated, {len(update.rejected)} rejected, {len(update.failed)} failed"

    def _revalue(self) -> str:
        self._desk.open_waiting()
        done = self._desk.graph.recalculate()
        self._latest = self._builder.build(done, self._status_of())
        return f"{done.evaluated} evaluated"

    def _measure_risk(self) -> str:
        if self._risk is None:
            loaded, wanted = load_past(self._desk, _LOADING * self._refresh)
            if loaded < wanted:
                return f"history of {loaded} of {wanted} symbols"
            self._risk = DeskRisk(self._desk, n_paths=self._n_paths, proxy=self._proxy)
            self._builder.show_risk(self._risk)
        self._risk.follow_books()
        changed = self._risk.check()
        return f"{self._risk.n_paths:,} scenarios, {len(changed)} alerts changed"

    def _suppose(self) -> None:
        desk, started = self._desk, time.perf_counter()
        leaves = [desk.leaf(symbol) for symbol, listing in desk.listings.items() if listing.kind in _SHARES]
        fallen: dict[Leaf, object] = {leaf: leaf.price * (1.0 - SHARES_FALL) for leaf in leaves if leaf.quoted}
        before = _amount(desk.firm_pnl)
        with desk.graph.scenario(fallen):
            after = _amount(desk.firm_pnl)
        lost = None if before is None or after is None else after - before
        self._what_if = WhatIf(f"shares {-SHARES_FALL:+.0%}", lost, time.perf_counter() - started)

    def _keep(self) -> str:
        kept = self._desk.save()
        if self._desk.db.path == ":memory:":
            # A store keeps every version, and one in memory would grow by all quotes at each refresh.
            self._desk.db.prune(self._now() - _MEMORY_KEEPS)
        return f"{kept} objects"


def _amount(node: Node) -> float | None:
    return None if node.error is not None else cast("float", node.value)
