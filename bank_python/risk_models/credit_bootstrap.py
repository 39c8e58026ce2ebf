r"""Bootstrapping of a survival curve from the par spreads of credit default swaps.

Swaps are processed in the order of their tenors. Each adds a node at its maturity. Given the earlier nodes, the hazard
rate between the previous node and this one is the rate at which the value of the swap is 0 at its par spread. So every
quote is repriced, and a quote does not affect earlier nodes.

If the spread falls or rises too fast with the tenor, no hazard rate reprices a swap: the premiums for the years before
the last node alone exceed the value of the whole protection, or fall too far short of it. An error is raised for such
quotes.

Examples
--------
>>> curve = bootstrap_survival([1.0, 3.0, 5.0], [0.010, 0.012, 0.015], discount=0.03, recovery=0.4)
>>> curve.hazard_rate([0.5, 2.0, 4.0]).round(6)
array([0.016835, 0.022017, 0.033979])

References
----------
D. O'Kane and S. Turnbull, "Valuation of credit default swaps", Lehman Brothers Quantitative Credit
Research (2003): bootstrapping piecewise constant hazard rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CurveError, ModelError, RootError
from bank_python.risk_models.cds_legs import LegsGrid
from bank_python.risk_models.curve import Curve, as_curve
from bank_python.risk_models.hazard_root import hazard_root
from bank_python.risk_models.premium_schedule import DAYS_OF_YEAR_OVER_360, quarterly_schedule
from bank_python.risk_models.survival import SurvivalCurve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["bootstrap_survival"]


@admits(ModelError)
def bootstrap_survival(
    tenors: ArrayLike, spreads: ArrayLike, discount: float | Curve, recovery: float = 0.4
) -> SurvivalCurve:
    """Return the survival curve on which each swap has the value 0 at its par spread.

    Parameters
    ----------
    tenors : array_like, shape (n,)
        Years to the maturity of each swap, above zero and increasing.
    spreads : array_like, shape (n,)
        Par spreads as decimals per year, at least 0; premiums are quarterly, counted back from maturity.
    discount : float or Curve
        Flat continuously compounded rate as a decimal, or discount curve.
    recovery : float, default 0.4
        Share of the notional recovered on default, in [0, 1).

    Returns
    -------
    SurvivalCurve
        Curve with a node at each tenor, on which each swap is repriced to 1e-12 of its notional.

    Raises
    ------
    CurveError
        A value is out of range, or no hazard rate reprices a swap, whose tenor and spread the message gives.
    """
    times, quotes = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (tenors, spreads))
    _check(times, quotes, recovery)
    curve = as_curve(discount)
    hazards: list[float] = []
    for tenor, quote in zip(times.tolist(), quotes.tolist(), strict=True):
        hazards.append(_next_hazard(times, hazards, tenor, quote, curve, recovery))
    return SurvivalCurve.from_hazard_rates(times, hazards)


def _next_hazard(
    times: FloatArray, hazards: list[float], tenor: float, spread: float, discount: Curve, recovery: float
) -> float:
    """Return the hazard rate from the last known node to `tenor` at which `spread` is the par spread."""
    known = len(hazards)
    grid = LegsGrid.of(quarterly_schedule(tenor), discount, times[:known])
    node, survived = 0.0, np.zeros_like(grid.knots)
    if known:
        node = float(times[known - 1])
        survived = SurvivalCurve.from_hazard_rates(times[:known], hazards).log_survival(np.minimum(grid.knots, node))
    open_time = np.maximum(grid.knots - node, 0.0)

    def excess(hazard: float) -> float:
        legs = grid.legs(survived - hazard * open_time)
        return (1.0 - recovery) * legs.protection - spread * legs.annuity

    try:
        return hazard_root(excess, max(spread, 1e-4) * DAYS_OF_YEAR_OVER_360 / (1.0 - recovery))
    except RootError as error:
        place = f"after {node:g} years" if hazards else "at this recovery"
        change = "falls too fast" if error.value > 0.0 else "rises too fast"
        raise CurveError(
            f"no hazard rate reprices the {tenor:g}-year swap at a spread of {spread:g}, which {change} {place} "
            f"({error}); correct the quote or leave the tenor out",
            name=f"{tenor:g}",
            value=spread,
        ) from error


def _check(times: FloatArray, spreads: FloatArray, recovery: float) -> None:
    if times.shape != spreads.shape or times.ndim != 1 or not times.size:
        raise CurveError(f"a credit curve needs as many tenors as spreads: got shapes {times.shape}, {spreads.shape}")
    if not (np.isfinite(times) & (times > 0.0)).all() or not (np.diff(times) > 0.0).all():
        raise CurveError(
            f"tenors must be finite, above zero and increasing, not {times.tolist()}; sort them and remove duplicates"
        )
    for tenor, spread in zip(times.tolist(), spreads.tolist(), strict=True):
        if not (np.isfinite(spread) and spread >= 0.0):
            raise CurveError(
                f"the spread at {tenor:g} years must be finite and at least 0, not {spread}; correct the quote",
                name=f"{tenor:g}",
                value=spread,
            )
    if not 0.0 <= recovery < 1.0:
        raise CurveError(f"recovery={recovery!r} is not a share in [0, 1); 0.4 is usual", name="recovery")
