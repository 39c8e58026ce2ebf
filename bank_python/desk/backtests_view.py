"""The stored back-tests of a desk as a view: the last result of each strategy, read once when it has been stored.

Examples
--------
>>> from bank_python.backtester import Backtester, store_result
>>> from bank_python.barbara import BarbaraDB
>>> result = Backtester(lambda window: {"A": 0.5}, data={"A": [10.0, 11.0, 12.0]}).run()
>>> with BarbaraDB.open("desk", path=":memory:") as store:
...     stored = StoredBacktests(store)
...     none, _ = stored.read(), store_result(store, result)
...     [line] = stored.read()
>>> none, line.strategy, round(line.total_return, 4)
((), '<lambda>', 0.05)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bank_python.backtester import last_keys, read_result
from bank_python.desk.view import BacktestView
from bank_python.errors import BankError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.backtester import StoredResult
    from bank_python.barbara import BarbaraDB

__all__ = ["StoredBacktests"]


class StoredBacktests:
    """The back-tests in the store of a desk, which any process may add to.

    Parameters
    ----------
    db : BarbaraDB
        Store of the desk.
    """

    def __init__(self, db: BarbaraDB) -> None:
        self._db = db
        self._known: dict[str, BacktestView] = {}

    def read(self) -> tuple[BacktestView, ...]:
        """Return the last result of each strategy, the latest first; as before while the store cannot be read."""
        try:
            keys = last_keys(self._db)
        except StoreError:  # a store that another process has locked costs the desk no view
            return tuple(reversed(self._known.values()))
        self._known = {key: self._known.get(key) or self._view(strategy, key) for strategy, key in keys.items()}
        return tuple(reversed(self._known.values()))

    def _view(self, strategy: str, key: str) -> BacktestView:
        try:
            return _view_of(read_result(self._db, key), self._db[key])
        except (BankError, KeyError, TypeError) as error:  # a value of somebody else's: the desk goes on, and says so
            return BacktestView(strategy, None, None, None, None, None, is_simulated=False, problem=str(error))


def _view_of(result: StoredResult, metrics: Mapping[str, Any]) -> BacktestView:
    return BacktestView(
        strategy=result.strategy,
        total_return=_known(metrics["total_return"]),
        sharpe=_known(metrics["sharpe_ratio"]),
        max_drawdown=_known(metrics["max_drawdown"]),
        until=result.end,
        saved=result.saved,
        is_simulated=result.is_simulated,
        problem="",
    )


def _known(figure: Any) -> float | None:
    return float(figure) if figure is not None and math.isfinite(figure) else None
