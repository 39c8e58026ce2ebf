"""Where the result of a back-test comes from, beyond its data and costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.display import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.backtester.costs import Costs
    from bank_python.backtester.finished_run import FinishedRun
    from bank_python.backtester.replay_settings import ReplaySettings
    from bank_python.backtester.trials import Trials

__all__ = ["RunOrigin"]


@dataclass(frozen=True, slots=True)
class RunOrigin(Record):
    """The code of a run and its other settings, and how it is repeated.

    Parameters
    ----------
    code_hash : str, default ""
        SHA-256 over the version of the library and the source of the strategy.
    state_hash : str, default ""
        SHA-256 over all attributes of the strategy as it starts, private ones included.
    settings : ReplaySettings, optional
        Costs, limits, and where orders filled.
    trials : Trials, optional
        Record of the trials that the run was added to.
    rerun : callable, optional
        Function that replays the same bars at other :class:`Costs`.
    """

    code_hash: str = ""
    state_hash: str = ""
    settings: ReplaySettings | None = None
    trials: Trials | None = None
    rerun: Callable[[Costs], FinishedRun] | None = None
