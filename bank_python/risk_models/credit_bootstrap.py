r"""A survival curve from the par spreads of credit default swaps.

Swaps are taken in the order of their tenors. Each adds one node, at its end, and the hazard rate from the
node before it to this one is the one at which the swap, all earlier nodes standing, is worth nothing at its
par spread. So every quote is met, and a quote moves no node before its own.

A spread can fall, or rise, so fast with the tenor that no hazard rate does it: the premium for the years
already covered alone is more, or so much less, than the whole protection may cost. Such quotes are refused.

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
    """Return the survival curve under which each swap is worth nothing at its par spread.

    Parameters
    ----------
    tenors : array_like, shape (n,)
        Years to the end of each swap, above zero and increasing.
    spreads : array_like, shape (n,)
        Par spreads, decimals a year, at least 0; premiums are quarterly, counted back from the end.
    discount : float or Curve
        Flat continuously compounded rate, or discount factors.
    recovery : float, default 0.4
        Recovered share of the notional, in [0, 1).

    Returns
    -------
    SurvivalCurve
        With a node at each tenor. Each swap is repriced to 1e-12 of its notional.

    Raises
    ------
    CurveError
        A figure makes no sense, or no hazard rate reprices a swap; the message names its tenor and spread.
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
    """Return the hazard rate, after those known so far, that prices a swap ending at `tenor` at `spread`."""
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
        before = f"after {node:g} years" if hazards else "at this recovery"
        course = "falls too fast" if error.value > 0.0 else "rises too fast"
        raise CurveError(
            f"no hazard rate reprices the {tenor:g}-year swap at a spread of {spread:g}, which {course} {before} "
            f"({error}); correct the quote or leave the tenor out",
            name=f"{tenor:g}",
            value=spread,
        ) from error


def _check(times: FloatArray, spreads: FloatArray, recovery: float) -> None:
    if times.shape != spreads.shape or times.ndim != 1 or not times.size:
        raise CurveError(f"a credit curve needs as many tenors as spreads: got shapes {times.shape}, {spreads.shape}")
    if not (np.isfinite(times) & (times > 0.0)).all() or not (np.diff(times) > 0.0).all():
        raise CurveError(
            f"tenors are finite, above zero and increasing; got {times.tolist()}: sort them and drop doubles"
        )
    for tenor, spread in zip(times.tolist(), spreads.tolist(), strict=True):
        if not (np.isfinite(spread) and spread >= 0.0):
            raise CurveError(
                f"the spread at {tenor:g} years is finite and at least 0, not {spread}; correct the quote",
                name=f"{tenor:g}",
                value=spread,
            )
    if not 0.0 <= recovery < 1.0:
        raise CurveError(f"recovery={recovery!r} is not a share in [0, 1); 0.4 is usual", name="recovery")
