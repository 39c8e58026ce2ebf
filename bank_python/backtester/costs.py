"""What a back-test pays: fees and slippage of fills, interest on cash, the cost of borrowing.

Examples
--------
>>> costs = Costs(fees_bps=10.0, slippage_bps=5.0)
>>> costs.execution().price_of("buy", 100, 50.0).total
7.5025
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bank_python.display import Record
from bank_python.errors import BacktestError
from bank_python.numerics.ranges import number_in_range
from bank_python.trading_engine import ExecutionModel

__all__ = ["BPS", "SECONDS_A_YEAR", "Costs"]

BPS = 1e-4
SECONDS_A_YEAR = 365.0 * 86_400.0

Money = TypeVar("Money", float, NDArray[np.float64])

_WHOLE = 1_000.0  # basis points: a tenth of the value
_HIGHEST_RATE = 1.0


@dataclass(frozen=True, slots=True)
class Costs(Record):
    """Costs of a back-test.

    Parameters
    ----------
    fees_bps : float, default 0.0
        Commission in basis points of the value of a fill, from 0 to 1,000.
    slippage_bps : float, default 0.0
        Slippage in basis points of the price, against the order, from 0 to 1,000.
    cash_rate : float, default 0.0
        Interest a year on cash, a decimal, from -1 to 1; cash below 0 pays it.
    borrow_rate : float, default 0.0
        Fee a year on the value of short positions, a decimal, from 0 to 1.
    """

    fees_bps: float = 0.0
    slippage_bps: float = 0.0
    cash_rate: float = 0.0
    borrow_rate: float = 0.0

    def __post_init__(self) -> None:
        hint = "give basis points: 10 is 0.1 per cent"
        for name in ("fees_bps", "slippage_bps"):
            number_in_range(name, getattr(self, name), BacktestError, least=0.0, most=_WHOLE, hint=hint)
        number_in_range("cash_rate", self.cash_rate, BacktestError, least=-_HIGHEST_RATE, most=_HIGHEST_RATE)
        number_in_range("borrow_rate", self.borrow_rate, BacktestError, least=0.0, most=_HIGHEST_RATE)

    def execution(self) -> ExecutionModel:
        """Return the execution model of the trading engine."""
        return ExecutionModel(slippage_bps=self.slippage_bps, commission_pct=self.fees_bps * BPS)

    def accrued(self, years: float, cash: Money, short: Money) -> Money:
        """Return the interest on cash less the fee of short positions over some time, in money.

        Parameters
        ----------
        years : float
            Time in years of 365 days.
        cash : float or ndarray
            Cash held over that time.
        short : float or ndarray
            Value of the short positions, at most 0.
        """
        return years * (self.cash_rate * cash + self.borrow_rate * short)

    def times(self, factor: float) -> Costs:
        """Return the costs with fees, slippage and borrowing multiplied.

        Parameters
        ----------
        factor : float
            Factor of all costs, at least 0.
        """
        return Costs(
            factor * self.fees_bps, factor * self.slippage_bps, self.cash_rate, min(factor * self.borrow_rate, 1.0)
        )
