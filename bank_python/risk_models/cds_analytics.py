"""Prices and sensitivities of a credit default swap.

The sensitivities are finite differences: the change of value when the quoted spread, the interest rates or the recovery
rate is bumped by the stated amount and the others are unchanged. A bump of the recovery rate changes the hazard rate,
since the quoted spread is unchanged.

Examples
--------
>>> analytics = cds_analytics(spread=0.02, rate=0.03, notional=10e6, coupon=0.01, maturity=5.0, recovery=0.4)
>>> round(analytics.upfront), round(analytics.cs01), round(analytics.jump_to_default)
(432550, 4151, 5567450)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.guessing import guessable
from bank_python.numerics.columns import to_columns
from bank_python.results import Figures
from bank_python.risk_models.cds import cds_accrued, cds_value, risky_annuity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import Numbers

__all__ = ["BASIS_POINT", "RECOVERY_STEP", "CdsAnalytics", "cds_analytics"]

BASIS_POINT = 1e-4
RECOVERY_STEP = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class CdsAnalytics(Figures):
    """Analytics of a credit default swap for the buyer of protection, as floats or as arrays of one shape.

    Parameters
    ----------
    par_spread : float or ndarray
        Premium at which the swap would have the value 0, as a decimal per year.
    value : float or ndarray
        Present value without accrued premium, in currency units.
    upfront : float or ndarray
        Clean upfront amount: `value` as of settlement, in currency units.
    dirty_upfront : float or ndarray
        Cash payment at settlement: `upfront` less the accrued premium, in currency units.
    risky_annuity : float or ndarray
        Value of a premium of 1 per year without its accrued part, in years (RPV01).
    cs01 : float or ndarray
        Change of value if the quoted spread widens by a basis point, in currency units.
    ir01 : float or ndarray
        Change of value if all zero rates rise by a basis point, in currency units.
    rec01 : float or ndarray
        Change of value if the recovery rate rises by one percentage point, in currency units; NaN if it would reach 1.
    jump_to_default : float or ndarray
        Gain on an immediate default, in currency units: the loss given default less `value`. The accrued premium is due
        in either case.
    """

    par_spread: Numbers
    value: Numbers
    upfront: Numbers
    dirty_upfront: Numbers
    risky_annuity: Numbers
    cs01: Numbers
    ir01: Numbers
    rec01: Numbers
    jump_to_default: Numbers


@guessable
def cds_analytics(
    spread: ArrayLike,
    rate: ArrayLike,
    notional: ArrayLike,
    coupon: ArrayLike,
    maturity: ArrayLike,
    recovery: ArrayLike,
    elapsed: ArrayLike = 0.0,
) -> CdsAnalytics:
    """Return value and sensitivities of a credit default swap under a flat spread and rate.

    Parameters
    ----------
    spread, rate, notional, coupon, maturity, recovery, elapsed : array_like
        Market data and terms of the swap, as for :func:`~bank_python.risk_models.cds.cds_value`.

    Returns
    -------
    CdsAnalytics
        Analytics for settlement now; NaN where the value is. From maturity on everything but the par spread is 0.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, columns = to_columns(spread, rate, notional, coupon, maturity, recovery, elapsed)
    s, r, N, c, T, R, age = (column.reshape(shape) for column in columns)
    value = cds_value(s, r, N, c, T, R, age)
    alive = np.where(age < T, 1.0, 0.0)
    default = N * (1.0 - R) * alive - value
    return CdsAnalytics(
        par_spread=_like(value, np.where(np.isnan(value), np.nan, s)),
        value=value,
        upfront=value,
        dirty_upfront=_like(value, value - N * c * cds_accrued(T, age)),
        risky_annuity=risky_annuity(s, r, T, R, age),
        cs01=_like(value, cds_value(s + BASIS_POINT, r, N, c, T, R, age) - value),
        ir01=_like(value, cds_value(s, r + BASIS_POINT, N, c, T, R, age) - value),
        rec01=_like(value, cds_value(s, r, N, c, T, R + RECOVERY_STEP, age) - value),
        jump_to_default=_like(value, default),
    )


def _like(value: Numbers, result: ArrayLike) -> Numbers:
    return np.asarray(result) if isinstance(value, np.ndarray) else float(np.asarray(result))
