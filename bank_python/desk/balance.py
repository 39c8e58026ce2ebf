"""Rebalancing of a trader's shares and coins: optimal weights, drift from them, and the trades that restore them.

Examples
--------
>>> from bank_python.desk import build_desk
>>> balanced = BalancedBook(build_desk(seed=7), "Oscar", "risk_parity")
>>> sorted(balanced.optimal.tickers), balanced.drift.node.value > 0.0
(['BTC', 'ETH', 'GLD', 'KO', 'SPY'], True)
>>> balanced.plan(band=0.05).due
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.dagger import Every
from bank_python.desk.assets import with_common_past
from bank_python.desk.factor_model import PERIOD
from bank_python.errors import DeskError
from bank_python.instruments import is_spot
from bank_python.optimizer import ReactivePortfolio, Rebalancer

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.optimizer import RebalancePlan

__all__ = ["FEWEST", "BalancedBook", "balanceable"]

FEWEST = 2
"""Minimum number of assets in a balanced book."""

_EVERY = 10.0  # seconds between two optimisations
_WHOLE = 1.0
_CRYPTO = frozenset({"BTC", "ETH"})
_COIN = 0.01


class BalancedBook:
    """Optimal weights of a trader's long positions in shares, funds and coins, and the drift from these weights.

    Parameters
    ----------
    desk : Desk
        Desk of the trader.
    trader : str
        Name of the trader.
    kind : str
        Name of the optimiser, as in :func:`bank_python.optimizer.create_optimizer`.

    Raises
    ------
    DeskError
        The trader has fewer than two such assets with a common price history.
    BankError
        A price history cannot be loaded, or the optimiser fails.
    """

    def __init__(self, desk: Desk, trader: str, kind: str) -> None:
        self._desk, self._book = desk, desk.traders[trader].book
        tickers = balanceable(desk, trader)
        if len(tickers) < FEWEST:
            raise DeskError(
                f"{trader} holds {len(tickers)} assets with a common price history; optimal weights need at least "
                f"{FEWEST}",
                value=trader,
            )
        for ticker in tickers:
            if ticker not in desk.past:
                desk.market.load_history(ticker, PERIOD, into=desk.past)
        spots = {ticker: desk.leaf(ticker) for ticker in tickers}
        self.optimal = ReactivePortfolio(
            desk.graph, desk.past, tickers, kind, name=f"{trader}:OPTIMAL", policy=Every(_EVERY), spots=spots
        )
        self.drift = self.optimal.drift(self._book)

    def plan(self, band: float = 0.10, cost_rate: float = 0.0) -> RebalancePlan:
        """Return the trades that would restore the optimal weights, in whole shares and hundredths of coins.

        Parameters
        ----------
        band : float, default 0.10
            Maximum deviation of a weight from its target, as a decimal; trades are due beyond it.
        cost_rate : float, default 0
            Transaction cost as a fraction of the traded value.
        """
        held = dict.fromkeys(self.optimal.tickers, 0.0)
        for position in self._book.positions:
            contract = position.instrument
            if is_spot(contract) and contract.name in held:
                held[contract.name] += position.quantity
        prices = {ticker: float(cast("float", spot.value)) for ticker, spot in self.optimal.spots.items()}
        lots = {ticker: _COIN if ticker in _CRYPTO else _WHOLE for ticker in held}
        return Rebalancer(self.optimal.portfolio, band=band, cost_rate=cost_rate, lot=lots).plan(held, prices)

    def remove(self) -> None:
        """Remove the nodes of weights and drift from the graph."""
        self.drift.remove()
        self.optimal.remove()


def balanceable(desk: Desk, trader: str) -> tuple[str, ...]:
    """Return the shares, funds and coins in which a trader is long and which have a common price history."""
    held = [position for position in desk.traders[trader].book.positions if position.quantity > 0.0]
    return with_common_past(desk, [position.instrument.name for position in held if is_spot(position.instrument)])
