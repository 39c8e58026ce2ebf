r"""The ISDA standard model: what a standard credit default swap costs on its trade date.

The market quotes a spread; the contract pays a standard coupon of 1 % or 5 %, and the difference is paid
upfront. The model turns one into the other: it finds the flat hazard rate under which a contract that pays
the quoted spread would be worth nothing, and values the contract that pays the coupon under that hazard,

.. math:: \text{upfront} = \frac{N}{D(t_s)}\bigl((1 - R)\,\text{protection} - \text{coupon}\cdot\text{annuity}\bigr),

on the settlement day, three weekdays after the trade. This *clean* upfront leaves out the premium accrued
until the trade; what is paid is the *dirty* one, less that accrued premium, since the buyer pays the whole
first premium and is given back what had accrued.

Dates are those of :mod:`bank_python.risk_models.premium_schedule`, integrals those of
:mod:`bank_python.risk_models.cds_legs`; accrual on default has the half-day bias of version 1.8.2.

Examples
--------
>>> import datetime as dt
>>> from bank_python.risk_models.curve import Curve
>>> swap = StandardCds(dt.date(2009, 5, 21), dt.date(2014, 6, 20), coupon=0.01, recovery=0.4, notional=10e6)
>>> analytics = swap.analytics(0.02, Curve.flat(0.03))
>>> round(analytics.upfront), round(analytics.dirty_upfront), round(analytics.cs01)
(438925, 421425, 4208)

References
----------
R. White, "The Pricing and Risk Management of Credit Default Swaps, with a Focus on the ISDA Model",
OpenGamma Quantitative Research 16 (2013).

"Standard CDS Examples. Supporting Document for the Implementation of the ISDA CDS Standard Model"
(cdsmodel.com, 26 October 2012): the converter's assumptions.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError, RootError
from bank_python.results import Figures
from bank_python.risk_models.cds_analytics import BASIS_POINT, RECOVERY_STEP, CdsAnalytics
from bank_python.risk_models.cds_legs import LegsGrid, cds_legs
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.hazard_root import hazard_root
from bank_python.risk_models.premium_schedule import DAYS_OF_YEAR_OVER_360, PremiumSchedule, imm_schedule
from bank_python.risk_models.survival import SurvivalCurve

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["CdsPrice", "StandardCds", "flat_hazard"]


@dataclass(frozen=True, slots=True)
class CdsPrice(Figures):
    """A contract under a discount and a survival curve, to the buyer of protection.

    Parameters
    ----------
    par_spread : float
        The premium, a decimal a year, at which the contract would be worth nothing.
    upfront : float
        Paid by the buyer at settlement for the contract without its accrued premium, in currency; negative
        if the buyer is paid.
    dirty_upfront : float
        What changes hands at settlement: `upfront` less the accrued premium.
    value : float
        `upfront` on the trade date.
    risky_annuity : float
        Value on the trade date of a premium of 1 a year, without its accrued part, in years (RPV01).
    """

    par_spread: float
    upfront: float
    dirty_upfront: float
    value: float
    risky_annuity: float


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class StandardCds:
    """Protection bought under the standard contract, seen on its trade date.

    Parameters
    ----------
    trade_date : datetime.date
        The valuation date.
    maturity : datetime.date
        The twentieth of March, June, September or December.
    coupon : float, default 0.01
        Running premium, a decimal a year.
    recovery : float, default 0.4
        Recovered share of the notional, in [0, 1).
    notional : float, default 1.0
        In currency; negative for protection sold.

    Raises
    ------
    ModelError
        A term makes no sense; the message names it.
    """

    trade_date: dt.date
    maturity: dt.date
    _: KW_ONLY
    coupon: float = 0.01
    recovery: float = 0.4
    notional: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.recovery < 1.0:
            raise ModelError(f"recovery={self.recovery!r} is not a share in [0, 1); 0.4 is usual", name="recovery")
        for name in ("coupon", "notional"):
            if not math.isfinite(getattr(self, name)):
                raise ModelError(f"{name}={getattr(self, name)!r} is not a finite number", name=name)
        imm_schedule(self.trade_date, self.maturity)

    @property
    def schedule(self) -> PremiumSchedule:
        """The premiums still to be paid."""
        return imm_schedule(self.trade_date, self.maturity)

    def hazard(self, quoted_spread: float, discount: float | Curve) -> float:
        """Return the flat hazard rate that a quoted par spread stands for.

        Raises
        ------
        ModelError
            The spread is negative or not finite, or no hazard rate gives it.
        """
        return flat_hazard(self.schedule, quoted_spread, as_curve(discount), self.recovery)

    def price(self, discount: float | Curve, survival: SurvivalCurve) -> CdsPrice:
        """Value the contract under a survival curve.

        Parameters
        ----------
        discount : float or Curve
            Flat continuously compounded rate, or discount factors in years from the trade date.
        survival : SurvivalCurve
            In years from the trade date.
        """
        legs = cds_legs(self.schedule, as_curve(discount), survival)
        value = self.notional * ((1.0 - self.recovery) * legs.protection - self.coupon * legs.annuity)
        upfront = value / legs.settlement_discount
        return CdsPrice(
            par_spread=(1.0 - self.recovery) * legs.protection / legs.annuity,
            upfront=upfront,
            dirty_upfront=upfront - self.notional * self.coupon * self.schedule.accrued,
            value=value,
            risky_annuity=legs.annuity,
        )

    def analytics(self, quoted_spread: float, discount: float | Curve) -> CdsAnalytics:
        """Value the contract under a quoted spread, with its sensitivities.

        Parameters
        ----------
        quoted_spread : float
            Par spread, a decimal a year, at least 0.
        discount : float or Curve
            Flat continuously compounded rate, or discount factors in years from the trade date.

        Raises
        ------
        ModelError
            The spread is negative or not finite, or no hazard rate gives it.
        """
        curve = as_curve(discount)
        at = _quoted(self, quoted_spread, curve)
        recovered = math.nan
        if self.recovery + RECOVERY_STEP < 1.0:
            step = replace(self, recovery=self.recovery + RECOVERY_STEP)
            recovered = _quoted(step, quoted_spread, curve).value - at.value
        return CdsAnalytics(
            par_spread=at.par_spread,
            value=at.value,
            upfront=at.upfront,
            dirty_upfront=at.dirty_upfront,
            risky_annuity=at.risky_annuity,
            cs01=_quoted(self, quoted_spread + BASIS_POINT, curve).value - at.value,
            ir01=_quoted(self, quoted_spread, curve.shifted(BASIS_POINT)).value - at.value,
            rec01=recovered,
            jump_to_default=self.notional * (1.0 - self.recovery) - at.value,
        )


def _quoted(contract: StandardCds, spread: float, curve: Curve) -> CdsPrice:
    return contract.price(curve, SurvivalCurve.flat(contract.hazard(spread, curve)))


def flat_hazard(schedule: PremiumSchedule, spread: float, discount: Curve, recovery: float) -> float:
    """Return the flat hazard rate under which a premium of `spread` on `schedule` is worth what it protects.

    Parameters
    ----------
    schedule : PremiumSchedule
        The premiums.
    spread : float
        A decimal a year, at least 0.
    discount : Curve
        Discount factors.
    recovery : float
        In [0, 1).

    Raises
    ------
    ModelError
        The spread is negative or not finite, or no hazard rate gives it.
    """
    if not (math.isfinite(spread) and spread >= 0.0):
        raise ModelError(f"a quoted spread is finite and at least 0, not {spread!r}", name="spread", value=spread)

    grid = LegsGrid.of(schedule, discount, np.empty(0))

    def excess(hazard: float) -> float:
        legs = grid.legs(-hazard * grid.knots)
        return (1.0 - recovery) * legs.protection - spread * legs.annuity

    try:
        return hazard_root(excess, (spread * DAYS_OF_YEAR_OVER_360 / (1.0 - recovery)))
    except RootError as error:
        raise ModelError(
            f"no flat hazard rate gives a spread of {spread:g} at a recovery of {recovery:g}: {error}; quote such a "
            "name upfront",
            name="spread",
            value=spread,
        ) from error
