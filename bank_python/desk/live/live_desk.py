"""The live desk: background jobs that follow the market, and the view that a screen shows.

Six Walpole jobs run the desk:

* *market_data* polls the feeds;
* *revaluation* runs after each poll: it opens holdings that waited for a quote, lets working orders meet the new
  prices, recalculates the graph (value at risk included) and publishes a view;
* *risk* adds the simulation, the market conditions, the risk score and the traders' tails to the graph once the price
  histories are loaded, then updates them after trades and checks the limits;
* *signals* submits orders for the traders' signals that have appeared or turned; every fill is in the audit trail;
* *what_if* computes the P&L of a fall of all shares;
* *snapshot* saves the desk to its store.

They share one worker, so no two of them use the desk at the same time, and a snapshot never contains half a tick. A
screen reads :meth:`LiveDesk.view` (the last published view with the current status), which never waits for a job, a
feed or a lock of the graph.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from bank_python.deprecation import warn_of
from bank_python.desk.conditions import DeskConditions
from bank_python.desk.factor_model import load_past
from bank_python.desk.live.job_lines import job_line
from bank_python.desk.risk import SCENARIOS, DeskRisk
from bank_python.desk.status import status_of
from bank_python.desk.tails import DeskTails
from bank_python.desk.trading import DeskTrading
from bank_python.desk.view import WhatIf
from bank_python.desk.view_builder import ViewBuilder
from bank_python.errors import BankError
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
"""Fall of all shares and funds in the what-if, as a decimal."""

_SHARES = frozenset({SymbolKind.EQUITY, SymbolKind.ETF})
_SNAPSHOT_EVERY = 30.0  # seconds
_WHAT_IF_EVERY = 10.0  # seconds
_LOADING = 0.25  # fraction of a refresh for which one run of the risk job may load histories
_VERSIONS_KEPT = timedelta(hours=1)
_AGAIN = 60.0  # seconds until market conditions or tails that could not be computed are tried again
_PATIENCE = 1.0  # seconds to wait for the current run at the end


class LiveDesk:
    """A desk with background jobs, which run inside a ``with`` block.

    Parameters
    ----------
    desk : Desk
        Desk to run; other code must not change it at the same time. It is not closed at the end.
    refresh : float
        Seconds between two polls of the feeds, positive.
    now : callable, optional
        Clock that returns the current time in UTC, from which ages are counted.
    n_paths : int, default 10,000 (:data:`~bank_python.desk.risk.SCENARIOS`)
        Number of scenarios of the risk simulation, at least 2.
    proxy : bool, default False
        Whether scenarios are valued by a proxy; see :class:`~bank_python.desk.risk.DeskRisk`.

    Raises
    ------
    JobConfigError
        `refresh` is not a positive number.

    Examples
    --------
    >>> from bank_python.desk import build_desk
    >>> live = LiveDesk(build_desk(seed=7), refresh=2.0)
    >>> live.update()
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
        self._conditions: DeskConditions | None = None
        self._conditions_due = 0.0
        self._tails: DeskTails | None = None
        self._tails_due = 0.0
        self._trading = None if desk.read_only else DeskTrading(desk, now=now)
        if self._trading is not None:
            self._builder.show_trading(self._trading)
        # One worker: the jobs run one after another, and none uses the desk while another changes it.
        self._runner = JobRunner(barbara=desk.db, max_workers=1)
        self._configs = [
            JobConfig(name="market_data", callable=self._poll_feeds, interval=refresh),
            JobConfig(name="revaluation", callable=self._revalue, interval=refresh, depends_on=["market_data"]),
            JobConfig(name="risk", callable=self._measure_risk, interval=refresh, depends_on=["revaluation"]),
            *self._signal_jobs(),
            JobConfig(name="what_if", callable=self._run_what_if, interval=_WHAT_IF_EVERY, depends_on=["revaluation"]),
            JobConfig(name="snapshot", callable=self._save, interval=_SNAPSHOT_EVERY, depends_on=["revaluation"]),
        ]
        for config in self._configs:
            self._runner.add_job(config)
        self._latest = self._builder.build(status=self._status_of())

    # --- views for a screen --------------------------------------------------------------------

    @property
    def latest(self) -> DeskView:
        """The view of the last revaluation; the same object until the next one."""
        return self._latest

    def view(self) -> DeskView:
        """Return the view of the last revaluation, with the current status."""
        return replace(self._latest, status=self.status())

    def status(self) -> Status:
        """Return the current status of quotes, graph and jobs, without waiting for a job or a feed."""
        return self._status_of()(self._desk, self._now())

    def _status_of(self) -> Callable[[DeskParts, datetime], Status]:
        """Return :func:`status_of` with the current status of the jobs filled in."""
        now = self._now()
        jobs = tuple(job_line(config, self._runner.status(config.name), now) for config in self._configs)
        return partial(status_of, renewed=self._renewed, jobs=jobs, polling=jobs[0].busy, what_if=self._what_if)

    @property
    def frame(self) -> DeskView:
        """The former name of :attr:`latest`."""
        warn_of("LiveDesk.frame", "LiveDesk.latest")
        return self.latest

    def pulse(self) -> Status:
        """Return :meth:`status`, whose former name this is."""
        warn_of("LiveDesk.pulse()", "LiveDesk.status()")
        return self.status()

    # --- starting and stopping -----------------------------------------------------------------

    def start(self) -> None:
        """Start the background jobs."""
        self._runner.start()

    def stop(self) -> bool:
        """Stop the jobs; return whether all have ended (one that waits for a feed without a response is abandoned)."""
        return self._runner.stop(timeout=_PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def update(self) -> None:
        """Poll the feeds and revalue once, without starting the background jobs; also risk, once it is measured."""
        self._runner.run_once("market_data")
        self._runner.run_once("revaluation")
        if self._risk is not None:
            self._runner.run_once("risk")

    def look(self) -> None:
        """Call :meth:`update`, whose former name this is."""
        warn_of("LiveDesk.look()", "LiveDesk.update()")
        self.update()

    def measure_risk(self) -> None:
        """Add the risk simulation to the graph and to the view, without starting the background jobs."""
        while self._risk is None:
            self._measure_risk()
        self._revalue()

    def renew_tails(self) -> None:
        """Let the next revaluation evaluate the traders' tails, whatever their pace, if they are there."""
        if self._tails is not None:
            self._tails.renew()

    def load_signals(self) -> None:
        """Load the price histories that the traders' rules read, without starting the background jobs."""
        if self._trading is not None:
            self._trading.load()

    def run_jobs(self) -> None:
        """Run every job once, in order, without starting the background jobs."""
        for config in self._configs:
            self._runner.run_once(config.name)

    # --- the jobs ------------------------------------------------------------------------------

    def _poll_feeds(self) -> str:
        update, _ = self._desk.poll()
        # A new dict each time, as the screen may be reading the old one.
        self._renewed = {**self._renewed, **dict.fromkeys(update.updated, self._now())}
        return f"{len(update.updated)} updated, {len(update.rejected)} rejected, {len(update.failed)} failed"

    def _revalue(self) -> str:
        self._desk.open_waiting()
        try:
            fills = () if self._trading is None else self._trading.follow_prices()
        finally:  # fills that cannot be stored, on a full disk, fail the job, and leave the screen its figures
            done = self._desk.graph.recalculate()
            self._latest = self._builder.build(done, self._status_of())
        return f"{done.evaluated} evaluated" + (f", {len(fills)} orders filled" if fills else "")

    def _signal_jobs(self) -> list[JobConfig]:
        if self._trading is None:
            return []
        every = self._trading.settings.signals_every
        trade = partial(self._trade_signals, self._trading)
        return [JobConfig(name="signals", callable=trade, interval=every, depends_on=["revaluation"])]

    def _trade_signals(self, trading: DeskTrading) -> str:
        loaded, wanted = trading.load(0.0)
        if loaded < wanted:
            return f"price histories of {loaded} of {wanted} symbols loaded"
        return trading.trade_signals().summary

    def _measure_risk(self) -> str:
        if self._risk is None:
            loaded, wanted = load_past(self._desk, _LOADING * self._refresh)
            if loaded < wanted:
                return f"price histories of {loaded} of {wanted} symbols loaded"
            self._risk = DeskRisk(self._desk, n_paths=self._n_paths, proxy=self._proxy)
            self._builder.show_risk(self._risk)
        self._risk.follow_books()
        remark = self._follow_conditions() + self._follow_tails()
        if self._trading is not None:
            self._trading.load(_LOADING * self._refresh)
        changed = self._risk.check()
        return f"{self._risk.n_paths:,} scenarios, {len(changed)} alerts changed{remark}"

    def _follow_conditions(self) -> str:
        """Add market conditions and risk score to the graph if they are missing; return why they cannot be added."""
        if self._conditions is not None:
            self._conditions.follow_books()
            self._conditions.follow_market()
            return ""
        if time.monotonic() < self._conditions_due:
            return ""
        try:
            self._conditions = DeskConditions(self._desk)
        except BankError as error:  # the desk goes on without them, and tries again
            self._conditions_due = time.monotonic() + _AGAIN
            return f"; no risk score: {error.message}"
        self._builder.show_conditions(self._conditions)
        return ""

    def _follow_tails(self) -> str:
        """Add the traders' tails to the graph if they are missing, else follow trades; return what failed."""
        if time.monotonic() < self._tails_due:
            return ""
        try:
            if self._tails is None:
                self._tails = DeskTails(self._desk)
                self._builder.show_tails(self._tails)
            else:
                self._tails.follow_books()
        except BankError as error:  # the desk goes on with the last ones, and tries again
            self._tails_due = time.monotonic() + _AGAIN
            return f"; no tails: {error.message}"
        return ""

    def _run_what_if(self) -> None:
        desk, started = self._desk, time.perf_counter()
        leaves = [desk.leaf(symbol) for symbol, listing in desk.listings.items() if listing.kind in _SHARES]
        shocked: dict[Leaf, object] = {leaf: leaf.price * (1.0 - SHARES_FALL) for leaf in leaves if leaf.quoted}
        before = _amount(desk.firm_pnl)
        with desk.graph.scenario(shocked):
            after = _amount(desk.firm_pnl)
        change = None if before is None or after is None else after - before
        self._what_if = WhatIf(f"shares {-SHARES_FALL:+.0%}", change, time.perf_counter() - started)

    def _save(self) -> str:
        if self._desk.read_only:
            return "a copy, not saved"
        stored = self._desk.save()
        # A store keeps every version, and would grow by all quotes at each refresh.
        self._desk.db.prune(self._now() - _VERSIONS_KEPT)
        return f"{stored} objects"


def _amount(node: Node) -> float | None:
    return None if node.error is not None else cast("float", node.value)
