"""Interest on cash and fees for borrowed units, for a number of days at a yearly rate.

Both are simple interest: amount = balance × rate × days / basis. Money markets in USD and EUR count 360 days to the
year, in GBP 365.

Examples
--------
>>> cash_interest(100_000.0, 0.045, days=3)
37.5
>>> round(borrow_fee(-200.0, 25.0, 0.03, days=30), 2)
12.5
"""

from __future__ import annotations

from bank_python.admission import admits
from bank_python.errors import TradingError
from bank_python.trading_engine.money import checked_number

__all__ = ["borrow_fee", "cash_interest"]


@admits(TradingError)
def cash_interest(balance: float, rate: float, days: float = 1.0, *, basis: float = 360.0) -> float:
    """Return the interest on a cash balance.

    Parameters
    ----------
    balance : float
        Cash balance, negative if it is borrowed.
    rate : float
        Yearly rate for that balance, a decimal.
    days : float, default 1.0
        Number of calendar days, at least 0.
    basis : float, default 360.0
        Number of days of a year, above 0.

    Returns
    -------
    float
        Interest received, negative if it is paid; not rounded, an :class:`InterestEvent` rounds it.

    Raises
    ------
    TradingError
        An argument is not as described.
    """
    return _for_days("cash_interest", balance, rate, days, basis)


@admits(TradingError)
def borrow_fee(
    quantity: float, price: float, rate: float, days: float = 1.0, *, multiplier: float = 1.0, basis: float = 360.0
) -> float:
    """Return the fee for the units borrowed for a short position; 0 for a long one.

    Parameters
    ----------
    quantity : float
        Number of units held, negative if short.
    price : float
        Price per unit on which the fee is counted, at least 0.
    rate : float
        Yearly rate of the fee, a decimal; negative for a rebate.
    days : float, default 1.0
        Number of calendar days, at least 0.
    multiplier : float, default 1.0
        Amount of money per unit and per point of the price, above 0.
    basis : float, default 360.0
        Number of days of a year, above 0.

    Returns
    -------
    float
        Fee to pay; not rounded, a :class:`BorrowFeeEvent` rounds it.

    Raises
    ------
    TradingError
        An argument is not as described.
    """
    held = checked_number(quantity, "quantity", "borrow_fee")
    each = checked_number(price, "price", "borrow_fee", from_zero=True)
    each *= checked_number(multiplier, "multiplier", "borrow_fee", above_zero=True)
    return _for_days("borrow_fee", max(-held, 0.0) * each, rate, days, basis)


def _for_days(of: str, balance: float, rate: float, days: float, basis: float) -> float:
    amount = checked_number(balance, "balance", of) * checked_number(rate, "rate", of)
    length = checked_number(days, "days", of, from_zero=True) / checked_number(basis, "basis", of, above_zero=True)
    return amount * length + 0.0
