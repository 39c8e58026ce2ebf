"""What a desk asks about a credit default swap: prices and what moves them.

The sensitivities are differences between two values of the same model, not derivatives: what the swap gains
when the quoted spread, the interest rates or the recovery moves by the stated step and the others stay. With
the recovery moves the hazard rate, since the quoted spread stays.

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
    """A credit default swap as its desk sees it, to the buyer of protection; floats, or arrays of one shape.

    Parameters
    ----------
    par_spread : float or ndarray
        The premium, a decimal a year, at which the swap would be worth nothing.
    value : float or ndarray
        Worth now, without accrued premium, in currency.
    upfront : float or ndarray
        `value` at settlement, the *clean* upfront: what the buyer pays besides the coupon.
    dirty_upfront : float or ndarray
        What changes hands at settlement: `upfront` less the accrued premium.
    risky_annuity : float or ndarray
        Worth of a premium of 1 a year without its accrued part, in years (RPV01).
    cs01 : float or ndarray
        Gain when the quoted spread widens by a basis point.
    ir01 : float or ndarray
        Gain when all zero rates rise by a basis point.
    rec01 : float or ndarray
        Gain when the recovery rises by one percentage point; NaN where it would no longer be below 1.
    jump_to_default : float or ndarray
        Gain if the name defaults now: the loss given default less `value`. (The accrued premium is owed
        either way.)
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
        As for :func:`~bank_python.risk_models.cds.cds_value`.

    Returns
    -------
    CdsAnalytics
        Settled now; NaN where the value is. At or past maturity everything is 0 but the par spread.

    Raises
    ------
    ValueError
        The shapes do not broadcast. Values never raise.
    """
    shape, lanes = to_columns(spread, rate, notional, coupon, maturity, recovery, elapsed)
    s, r, N, c, T, R, gone = (lane.reshape(shape) for lane in lanes)
    value = cds_value(s, r, N, c, T, R, gone)
    alive = np.where(gone < T, 1.0, 0.0)
    default = N * (1.0 - R) * alive - value
    return CdsAnalytics(
        par_spread=_like(value, np.where(np.isnan(value), np.nan, s)),
        value=value,
        upfront=value,
        dirty_upfront=_like(value, value - N * c * cds_accrued(T, gone)),
        risky_annuity=risky_annuity(s, r, T, R, gone),
        cs01=_like(value, cds_value(s + BASIS_POINT, r, N, c, T, R, gone) - value),
        ir01=_like(value, cds_value(s, r + BASIS_POINT, N, c, T, R, gone) - value),
        rec01=_like(value, cds_value(s, r, N, c, T, R + RECOVERY_STEP, gone) - value),
        jump_to_default=_like(value, default),
    )


def _like(value: Numbers, result: ArrayLike) -> Numbers:
    return np.asarray(result) if isinstance(value, np.ndarray) else float(np.asarray(result))
