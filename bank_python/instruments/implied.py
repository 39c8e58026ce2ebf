"""Implied volatilities: functions for the method ``implied_vol`` of contract classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.dagger import ContractBatch
from bank_python.errors import InstrumentError, RootError
from bank_python.instruments.checks import finite
from bank_python.numerics import find_root
from bank_python.risk_models import implied_vol_fit

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.instruments.instrument import Instrument

__all__ = ["lognormal_implied_vol", "searched_implied_vol"]

_LOWEST, _HIGHEST = 1e-4, 10.0


def lognormal_implied_vol(contract: Instrument, price: float) -> float:
    """Return the implied volatility of a European call or put at `price`.

    Parameters
    ----------
    contract : Instrument
        European call or put whose underlying is the source that :attr:`Instrument.simulated_as` names.
    price : float
        Price of one unit, in the contract's currency.

    Returns
    -------
    float
        Annual volatility as a decimal, at the current values of the contract's other inputs.

    Raises
    ------
    InstrumentError
        The price is not a finite number, or no volatility gives it; the message gives the reason.

    Examples
    --------
    >>> from bank_python import Option
    >>> call = Option("C", spot_source=21, vol_source=0.2, rate_source=0.1, strike=20, expiry=0.25)
    >>> round(call.implied_vol(1.875), 3)  # Hull, Options, Futures, and Other Derivatives
    0.235
    """
    target = finite(contract.name, "price", price)
    terms, of = _inputs(contract), contract.simulated_as
    years = max(terms[of.expiry] - (terms["clock"] - terms["made_at"]), 0.0)
    fit = implied_vol_fit(
        target, terms[of.spot], terms["strike"], years, terms[of.rate], terms[of.dividend], terms["is_call"] != 0.0
    )
    if math.isnan(float(fit.vol)):
        raise _no_volatility(contract, target, fit.reasons[0])
    return float(fit.vol)


def searched_implied_vol(contract: Instrument, price: float) -> float:
    """Return the implied volatility of a contract at `price`, by a root search on the class's ``price``.

    Parameters
    ----------
    contract : Instrument
        Contract whose value increases with its source ``vol``.
    price : float
        Price of one unit, in the contract's currency.

    Returns
    -------
    float
        Annual volatility as a decimal, between 0.0001 and 10.

    Raises
    ------
    InstrumentError
        The price is not a finite number, or no volatility gives it.
    """
    target = finite(contract.name, "price", price)
    batch = ContractBatch.of([contract], _value_of)

    def difference(vol: float) -> float:
        return float(batch.priced(batch.moved(vol=np.array([vol])))[0]) - target

    try:
        return find_root(difference, _LOWEST, _HIGHEST)
    except RootError as error:
        least, most = difference(_LOWEST) + target, difference(_HIGHEST) + target
        reason = f"volatilities from {_LOWEST:g} to {_HIGHEST:g} give prices from {least:.6g} to {most:.6g}"
        raise _no_volatility(contract, target, reason) from error


def _inputs(contract: Instrument) -> dict[str, float]:
    return dict(zip(contract.argument_names, contract.arguments(_value_of), strict=True))


def _no_volatility(contract: Instrument, price: float, reason: str) -> InstrumentError:
    return InstrumentError(
        f"{contract.name}: no volatility gives the price {price!r}: {reason}; correct the price, or its inputs",
        name=contract.name,
        value=price,
    )


def _value_of(node: Node) -> object:
    return node.value
