"""What an option is held for, and how much may be spent on it: insurance against a crash, or conviction."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from bank_python.barbara import storable
from bank_python.display import Record
from bank_python.errors import TradingError
from bank_python.results import Figures
from bank_python.trading_engine.option_trade import parse_contract

if TYPE_CHECKING:
    from bank_python.instruments.option_symbol import OptionSymbol

__all__ = ["INSURED_FUNDS", "BucketUse", "TrackerConfig", "bucket_of"]

INSURED_FUNDS = frozenset({"SPY", "QQQ", "IWM", "DIA", "XHB", "KRE", "HYG", "XLF", "LQD"})
"""Funds on broad markets and on credit: a put on one of them is insurance."""


def bucket_of(contract: str | OptionSymbol) -> str:
    """Return ``insurance`` for a put on one of :data:`INSURED_FUNDS`, else ``conviction``.

    Parameters
    ----------
    contract : str or OptionSymbol
        Listed option, or its symbol.

    Raises
    ------
    TradingError
        The symbol names no option.
    """
    option = parse_contract(contract)
    return "insurance" if not option.is_call and option.underlying in INSURED_FUNDS else "conviction"


@storable("trading.TrackerConfig", version=1)
@dataclass(frozen=True, slots=True)
class TrackerConfig(Record):
    """Budgets and limits of a tracker.

    Parameters
    ----------
    insurance_budget, conviction_budget : float, default 4000.0 and 7000.0
        Largest net premium of the open options of each bucket, in money.
    monthly_bleed_limit : float, default 700.0
        Largest net premium paid in a calendar month, in money.
    max_trades_losing : int, default 4
        Largest number of closed trades in an underlying that has lost money in total.
    min_convexity_ratio : float, default 2.0
        Smallest ratio of the average win to the average loss.
    min_decorrelated : float, default 0.5
        Smallest share of the pairs of underlyings that are decorrelated.
    decorrelated_below : float, default 0.5
        Correlation, in absolute value, from which on two underlyings are not decorrelated.

    Raises
    ------
    TradingError
        A figure is not a finite number, or below 0.
    """

    insurance_budget: float = 4000.0
    conviction_budget: float = 7000.0
    monthly_bleed_limit: float = 700.0
    max_trades_losing: int = 4
    min_convexity_ratio: float = 2.0
    min_decorrelated: float = 0.5
    decorrelated_below: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < math.inf:
                raise TradingError(
                    f"TrackerConfig: {field.name}={value!r} is not a finite number of at least 0", name=field.name
                )

    @property
    def budgets(self) -> dict[str, float]:
        """Budget of each bucket that has one."""
        return {"insurance": self.insurance_budget, "conviction": self.conviction_budget}


@storable("trading.BucketUse", version=1)
@dataclass(frozen=True, slots=True)
class BucketUse(Figures):
    """The open options of a bucket beside its budget.

    Parameters
    ----------
    bucket : str
        Name of the bucket.
    n_open : int
        Number of open positions.
    spent : float
        Net premium paid for them, in money; negative if more was received.
    budget : float, optional
        Largest net premium; None for a bucket without a budget.
    value : float, optional
        Their present value; None if one has none.
    """

    bucket: str
    n_open: int
    spent: float
    budget: float | None
    value: float | None

    @property
    def remaining(self) -> float | None:
        """Budget less the net premium paid; negative if it is overspent."""
        return None if self.budget is None else self.budget - self.spent
