r"""The flat spread and the flat rate at which the value of a swap equals its value on a credit and a discount curve.

A credit desk quotes and hedges a contract by one spread, whatever curve values it: the *equivalent* quoted spread s, at
which the flat-spread model gives this contract the same value as the survival curve. With the same discount curve on
both sides, its hazard rate h solves

.. math:: (1 - R) P(h) - c\,A(h) = (1 - R) P_{\text{curve}} - c\,A_{\text{curve}}, \qquad s = (1 - R) P(h) / A(h) .

The value is then (s − c) A, in which only A depends on the discount curve. So the equivalent flat rate r is the one
that gives the same A at the spread s. With λ = r + h both legs are linear in h, and the value of protection s A/(1 −
R) is known, which leaves one equation in λ.

Examples
--------
>>> from bank_python.risk_models.cds import cds_value
>>> curve, discount = SurvivalCurve([1.0, 5.0], [0.99, 0.90]), Curve([1.0, 5.0], [0.97, 0.84])
>>> spread = cds_quoted_spread(curve, discount, years=4.0, coupon=0.01, recovery=0.4)
>>> rate = cds_flat_rate(discount, spread, years=4.0, recovery=0.4)
>>> round(spread, 6), round(rate, 6)
(0.011952, 0.033561)
>>> legs = cds_legs(quarterly_schedule(4.0), discount, curve)
>>> by_curves = 0.6 * legs.protection - 0.01 * legs.annuity
>>> abs(cds_value(spread, rate, 1.0, 0.01, 4.0, 0.4) - by_curves) < 1e-13
True
"""

from __future__ import annotations

import numpy as np

from bank_python.errors import ModelError, RootError
from bank_python.numerics.roots import find_root
from bank_python.risk_models.cds import Quarters
from bank_python.risk_models.cds_legs import CdsLegs, LegsGrid, cds_legs, mean_decay
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.hazard_root import hazard_root
from bank_python.risk_models.isda_cds import flat_hazard
from bank_python.risk_models.premium_schedule import quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve

__all__ = ["cds_flat_rate", "cds_quoted_spread"]

# Half-widths of the bracket of the flat rate around the rate of the curve: from a basis point to more than any curve
# needs.
_NARROWEST, _WIDEST = 1e-4, 10.0


def cds_quoted_spread(
    survival: SurvivalCurve, discount: float | Curve, years: float, coupon: float, recovery: float
) -> float:
    """Return the flat spread that gives a contract the same value as a survival curve.

    Parameters
    ----------
    survival : SurvivalCurve
        Survival probabilities of the reference entity.
    discount : float or Curve
        Flat continuously compounded rate as a decimal, or discount curve.
    years : float
        Years to maturity, above 0.
    coupon : float
        Premium of the contract, as a decimal per year.
    recovery : float
        Share of the notional recovered on default, in [0, 1).

    Returns
    -------
    float
        Spread as a decimal per year. If the coupon is the par spread on the curve, the result is equal to it.

    Raises
    ------
    ModelError
        No flat hazard rate gives that value; for a coupon of at least 0 there is always one below 1000.
    """
    schedule, curve = quarterly_schedule(years), as_curve(discount)
    on_curve = cds_legs(schedule, curve, survival)
    grid = LegsGrid.of(schedule, curve, np.empty(0))

    def value(legs: CdsLegs) -> float:
        return (1.0 - recovery) * legs.protection - coupon * legs.annuity

    average = -float(survival.log_survival(years)) / years
    try:
        hazard = hazard_root(lambda trial: value(grid.legs(-trial * grid.knots)) - value(on_curve), max(average, 1e-6))
    except RootError as error:
        raise ModelError(
            f"no flat spread values a swap of {years:g} years and coupon {coupon:g} as the curve does, at "
            f"{value(on_curve):g} of its notional: {error}",
            name="coupon",
            value=coupon,
        ) from error
    legs = grid.legs(-hazard * grid.knots)
    return (1.0 - recovery) * legs.protection / legs.annuity


def cds_flat_rate(discount: Curve, spread: float, years: float, recovery: float) -> float:
    """Return the flat rate that gives contracts with a flat spread the same value as a discount curve.

    Parameters
    ----------
    discount : Curve
        Discount curve from the valuation date.
    spread : float
        Quoted spread, as a decimal per year, at least 0.
    years : float
        Years to maturity, above 0.
    recovery : float
        Share of the notional recovered on default, in [0, 1).

    Returns
    -------
    float
        Continuously compounded rate as a decimal, which is the same for all coupons.

    Raises
    ------
    ModelError
        No hazard rate gives that spread on the curve.
    RootError
        No rate within 1000 % of the curve's rate gives its annuity.
    """
    schedule = quarterly_schedule(years)
    on_curve = flat_hazard(schedule, spread, discount, recovery)
    legs = cds_legs(schedule, discount, SurvivalCurve.flat(on_curve))
    quarters = Quarters.of(np.array([years]))

    def hazard(decay: float) -> float:
        return legs.protection / (years * float(mean_decay(np.array(decay * years))))

    def excess(decay: float) -> float:
        annuity = quarters.annuity(np.array([decay - hazard(decay)]), np.array([hazard(decay)]))
        return legs.annuity - float(annuity[0])

    near = float(discount.zero_rate(years)) + on_curve
    width = _NARROWEST
    while not excess(near - width) <= 0.0 <= excess(near + width) and width < _WIDEST:
        width *= 4.0
    decay = find_root(excess, near - width, near + width)
    return decay - hazard(decay)
