"""What the checks of a back-test need to know of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bank_python.errors import BacktestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bank_python.backtester.bars import BarPanel
    from bank_python.backtester.costs import Costs
    from bank_python.backtester.replay_settings import FillAt
    from bank_python.numerics import FloatArray

__all__ = ["FinishedRun", "checked_run"]


@runtime_checkable
class FinishedRun(Protocol):
    """A run as its checks see it; :class:`~bank_python.backtester.BacktestResult` is one."""

    @property
    def strategy(self) -> str:
        """Name of the strategy."""
        ...

    @property
    def settings(self) -> str:
        """The strategy with its settings, as text."""
        ...

    @property
    def panel(self) -> BarPanel:
        """Bars that were replayed."""
        ...

    @property
    def equity(self) -> FloatArray:
        """Equity at each close, shape (n_bars,)."""
        ...

    @property
    def cash(self) -> FloatArray:
        """Cash at each close, shape (n_bars,)."""
        ...

    @property
    def held(self) -> FloatArray:
        """Units held at each close, shape (n_bars, n_tickers)."""
        ...

    @property
    def contracts(self) -> tuple[str, ...]:
        """Names of the options that were held."""
        ...

    @property
    def initial_cash(self) -> float:
        """Cash at the start."""
        ...

    @property
    def costs(self) -> Costs:
        """Costs of fills, cash and borrowing."""
        ...

    @property
    def cost(self) -> float:
        """Fees and slippage of all fills, in money."""
        ...

    @property
    def trade_count(self) -> int:
        """Number of fills."""
        ...

    @property
    def fill(self) -> FillAt:
        """Price at which market orders filled."""
        ...

    @property
    def data_hash(self) -> str:
        """SHA-256 over the bars."""
        ...

    @property
    def code_hash(self) -> str:
        """SHA-256 over version and source."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 over data, code and settings."""
        ...

    @property
    def rerun(self) -> Callable[[Costs], FinishedRun] | None:
        """Function that replays the same bars at other costs."""
        ...


def checked_run(given: object) -> FinishedRun:
    """Return what was given if it is the result of a back-test.

    Parameters
    ----------
    given : object
        Result of a back-test, or something else.

    Raises
    ------
    BacktestError
        It is something else.
    """
    if not isinstance(given, FinishedRun):
        raise BacktestError(f"run={given!r:.60} is no result of a back-test; give what run() returns", name="run")
    return given
