"""A trader whose shares and coins are held to optimal weights: the weights, the drift, and what would bring them back.

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
"""Assets that weights need."""

_EVERY = 10.0  # seconds for which the weights stand
_WHOLE = 1.0
_CRYPTO = frozenset({"BTC", "ETH"})
_COIN = 0.01


class BalancedBook:
    """Optimal weights of what a trader holds long for its own price, and how far the trader is from them.

    Parameters
    ----------
    desk : Desk
        The desk.
    trader : str
        Name of the trader whose book it is.
    kind : str
        By which optimiser; see :func:`bank_python.optimizer.create_optimizer`.

    Raises
    ------
    DeskError
        The trader holds fewer than two such assets that have a common past.
    BankError
        Their past cannot be had, or the optimiser refuses them.
    """

    def __init__(self, desk: Desk, trader: str, kind: str) -> None:
        self._desk, self._book = desk, desk.traders[trader].book
        tickers = balanceable(desk, trader)
        if len(tickers) < FEWEST:
            raise DeskError(f"{trader} holds {len(tickers)} assets with a common past; two are needed", value=trader)
        for ticker in tickers:
            if ticker not in desk.past:
                desk.market.load_history(ticker, PERIOD, into=desk.past)
        spots = {ticker: desk.leaf(ticker) for ticker in tickers}
        self.optimal = ReactivePortfolio(
            desk.graph, desk.past, tickers, kind, name=f"{trader}:OPTIMAL", policy=Every(_EVERY), spots=spots
        )
        self.drift = self.optimal.drift(self._book)

    def plan(self, band: float = 0.10, cost_rate: float = 0.0) -> RebalancePlan:
        """Return the trades that would bring the weights back, in whole shares and hundredths of coins.

        Parameters
        ----------
        band : float, default 0.10
            How far a weight may be from its target.
        cost_rate : float, default 0
            Of what is traded.
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
        """Take its nodes out of the graph."""
        self.drift.remove()
        self.optimal.remove()


def balanceable(desk: Desk, trader: str) -> tuple[str, ...]:
    """Return what a trader holds long for its own price and has a past in common."""
    held = [position for position in desk.traders[trader].book.positions if position.quantity > 0.0]
    return with_common_past(desk, [position.instrument.name for position in held if is_spot(position.instrument)])
