r"""Leland's volatility: what an option costs that is hedged at intervals and at a cost.

Whoever is long the replicating portfolio (short the option) buys on rises and sells on falls, and each time pays half
of the round-trip cost k, a fraction of the value traded. With rebalancing every Δt years, the costs raise the
volatility at which the hedge breaks even to

.. math:: \hat\sigma = \sigma\sqrt{1 \pm A}, \qquad A = \sqrt{\frac2\pi}\,\frac{k}{\sigma\sqrt{\Delta t}} ,

with + for who has sold the option and − for who has bought it. A is the *Leland number*. From A = 1 on, no purchase
price is low enough for the hedge of a bought option to pay for itself.

Examples
--------
>>> round(leland_volatility(0.2, 0.01, 1 / 52), 4), round(leland_volatility(0.2, 0.01, 1 / 52, is_short=False), 4)
(0.227, 0.1688)

References
----------
H. E. Leland, "Option pricing and replication with transactions costs", Journal of Finance 40 (1985), 1283-1301.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers

__all__ = ["leland_number", "leland_volatility"]


@admits(ModelError)
def leland_number(vol: ArrayLike, round_trip_cost: ArrayLike, interval: ArrayLike) -> Numbers:
    """Return the Leland number: hedging costs relative to the variance that is hedged.

    Parameters
    ----------
    vol : array_like
        Volatility of the underlying per year, above 0.
    round_trip_cost : array_like
        Cost of buying and selling again as a fraction of the value, in [0, 1]: the whole spread and the fees of both.
    interval : array_like
        Time between two rebalancings in years, above 0: 1/52 for every week.

    Returns
    -------
    float or ndarray
        Leland number, at least 0, in the broadcast shape of the arguments.

    Raises
    ------
    ModelError
        A figure is not finite or out of range, or the shapes do not match.
    """
    number = _number(vol, round_trip_cost, interval)
    return number if number.ndim else float(number)


@admits(ModelError)
def leland_volatility(
    vol: ArrayLike, round_trip_cost: ArrayLike, interval: ArrayLike, *, is_short: bool = True
) -> Numbers:
    """Return the volatility at which an option's price includes the costs of its hedge.

    Parameters
    ----------
    vol, round_trip_cost, interval : array_like
        Volatility, cost and interval, as for :func:`leland_number`.
    is_short : bool, default True
        Whether the option was sold, so that its hedge makes the volatility higher; lower if it was bought.

    Returns
    -------
    float or ndarray
        Volatility per year, for the Black–Scholes formula, in the broadcast shape of the arguments.

    Raises
    ------
    ModelError
        A figure is not finite or out of range, or a bought option's hedge costs more than it can earn.
    """
    number = _number(vol, round_trip_cost, interval)
    if not is_short and (number >= 1.0).any():
        worst = float(number.max())
        raise ModelError(
            f"the Leland number is {worst:.4g}: from 1 on, hedging costs more than a bought option can earn; rebalance "
            "less often (a longer interval)",
            name="interval",
            value=worst,
        )
    found = np.asarray(vol, dtype=np.float64) * np.sqrt(1.0 + (number if is_short else -number))
    return np.asarray(found) if found.ndim else float(found)


def _number(vol: ArrayLike, round_trip_cost: ArrayLike, interval: ArrayLike) -> FloatArray:
    spread = figures_in_range("vol", vol, ModelError, above=0.0)
    hint = "give a fraction of the value: for 1 per cent give 0.01"
    cost = figures_in_range("round_trip_cost", round_trip_cost, ModelError, least=0.0, most=1.0, hint=hint)
    time = figures_in_range("interval", interval, ModelError, above=0.0, hint="give years: 1/52 for a week")
    try:
        with np.errstate(over="ignore", divide="ignore"):
            number = np.asarray(math.sqrt(2.0 / math.pi) * cost / (spread * np.sqrt(time)))
    except ValueError as error:
        shapes = ", ".join(str(part.shape) for part in (spread, cost, time) if part.ndim)
        raise ModelError(f"arguments of shapes {shapes} do not broadcast; give one figure for each option") from error
    if not np.isfinite(number).all():
        raise ModelError("the Leland number is too large to be computed; check vol and interval", name="interval")
    return number
