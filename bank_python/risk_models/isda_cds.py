r"""The ISDA standard model: the upfront amount of a standard credit default swap on its trade date.

The market quotes a spread; the contract pays a standard coupon of 1 % or 5 %, and the difference is paid upfront. The
model converts one into the other. It determines the flat hazard rate at which a contract that pays the quoted spread
has the value 0, and values the contract that pays the coupon at this hazard rate,

.. math:: \text{upfront} = \frac{N}{D(t_s)}\bigl((1 - R)\,\text{protection} - \text{coupon}\cdot\text{annuity}\bigr),

on the settlement date, three weekdays after the trade. This *clean* upfront excludes the premium accrued by the trade
date. The cash payment is the *dirty* upfront, which is lower by the accrued premium, since the buyer pays the first
premium in full and is refunded the accrued part.

Dates are computed by :mod:`bank_python.risk_models.premium_schedule` and integrals by
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
(cdsmodel.com, 26 October 2012): the assumptions of the converter.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.display import Record
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
    """The price of a contract on a discount and a survival curve, for the buyer of protection.

    Parameters
    ----------
    par_spread : float
        Premium at which the contract would have the value 0, as a decimal per year.
    upfront : float
        Clean upfront amount as of settlement, in currency units; negative if the buyer receives it.
    dirty_upfront : float
        Cash payment at settlement: `upfront` less the accrued premium, in currency units.
    value : float
        Clean upfront amount as of the trade date, in currency units.
    risky_annuity : float
        Value on the trade date of a premium of 1 per year without its accrued part, in years (RPV01).
    """

    par_spread: float
    upfront: float
    dirty_upfront: float
    value: float
    risky_annuity: float


@admits(ModelError)
@dataclass(frozen=True, slots=True)
class StandardCds(Record):
    """A standard credit default swap on its trade date, from the side of the buyer of protection.

    Parameters
    ----------
    trade_date : datetime.date
        Trade date, which is also the valuation date.
    maturity : datetime.date
        Maturity date, a 20 March, June, September or December.
    coupon : float, default 0.01
        Running premium, as a decimal per year.
    recovery : float, default 0.4
        Share of the notional recovered on default, in [0, 1).
    notional : float, default 1.0
        Notional amount in currency units; negative for the seller of protection.

    Raises
    ------
    ModelError
        A term is out of range; the message names it.
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
                raise ModelError(f"{name}={getattr(self, name)!r} is not a finite number; correct it", name=name)
        imm_schedule(self.trade_date, self.maturity)

    @property
    def schedule(self) -> PremiumSchedule:
        """The remaining premium periods."""
        return imm_schedule(self.trade_date, self.maturity)

    def hazard(self, quoted_spread: float, discount: float | Curve) -> float:
        """Return the flat hazard rate implied by a quoted par spread.

        Raises
        ------
        ModelError
            The spread is negative or not finite, or no hazard rate gives it.
        """
        return flat_hazard(self.schedule, quoted_spread, as_curve(discount), self.recovery)

    def price(self, discount: float | Curve, survival: SurvivalCurve) -> CdsPrice:
        """Price the contract on a survival curve.

        Parameters
        ----------
        discount : float or Curve
            Flat continuously compounded rate as a decimal, or discount curve from the trade date.
        survival : SurvivalCurve
            Survival curve from the trade date.
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
        """Price the contract at a quoted spread, with its sensitivities.

        Parameters
        ----------
        quoted_spread : float
            Par spread, as a decimal per year, at least 0.
        discount : float or Curve
            Flat continuously compounded rate as a decimal, or discount curve from the trade date.

        Raises
        ------
        ModelError
            The spread is negative or not finite, or no hazard rate gives it.
        """
        curve = as_curve(discount)
        at = _quoted(self, quoted_spread, curve)
        rec01 = math.nan
        if self.recovery + RECOVERY_STEP < 1.0:
            bumped = replace(self, recovery=self.recovery + RECOVERY_STEP)
            rec01 = _quoted(bumped, quoted_spread, curve).value - at.value
        return CdsAnalytics(
            par_spread=at.par_spread,
            value=at.value,
            upfront=at.upfront,
            dirty_upfront=at.dirty_upfront,
            risky_annuity=at.risky_annuity,
            cs01=_quoted(self, quoted_spread + BASIS_POINT, curve).value - at.value,
            ir01=_quoted(self, quoted_spread, curve.shifted(BASIS_POINT)).value - at.value,
            rec01=rec01,
            jump_to_default=self.notional * (1.0 - self.recovery) - at.value,
        )


def _quoted(contract: StandardCds, spread: float, curve: Curve) -> CdsPrice:
    return contract.price(curve, SurvivalCurve.flat(contract.hazard(spread, curve)))


def flat_hazard(schedule: PremiumSchedule, spread: float, discount: Curve, recovery: float) -> float:
    """Return the flat hazard rate at which premiums of `spread` have the value of the protection.

    Parameters
    ----------
    schedule : PremiumSchedule
        Remaining premium periods.
    spread : float
        Par spread, as a decimal per year, at least 0.
    discount : Curve
        Discount curve from the valuation date.
    recovery : float
        Share of the notional recovered on default, in [0, 1).

    Raises
    ------
    ModelError
        The spread is negative or not finite, or no hazard rate gives it.
    """
    if not (math.isfinite(spread) and spread >= 0.0):
        raise ModelError(
            f"a quoted spread must be finite and at least 0, not {spread!r}; correct it", name="spread", value=spread
        )

    grid = LegsGrid.of(schedule, discount, np.empty(0))

    def excess(hazard: float) -> float:
        legs = grid.legs(-hazard * grid.knots)
        return (1.0 - recovery) * legs.protection - spread * legs.annuity

    try:
        return hazard_root(excess, (spread * DAYS_OF_YEAR_OVER_360 / (1.0 - recovery)))
    except RootError as error:
        raise ModelError(
            f"no flat hazard rate gives a spread of {spread:g} at a recovery of {recovery:g}: {error}; use an upfront "
            "quote instead",
            name="spread",
            value=spread,
        ) from error
