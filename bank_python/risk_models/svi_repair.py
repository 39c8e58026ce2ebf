r"""Gatheral and Jacquier's repair of a smile: keep the middle and the put wing, give way in the call wing.

Given a smile with a butterfly arbitrage, its variance `v` and skew `psi` at the money and its put wing `p` are kept,
and the other two jump-wing figures become those of the SSVI smile,

.. math:: c^* = p + 2\psi, \qquad \tilde v^* = v\,\frac{4 p c^*}{(p + c^*)^2},

which is free of butterfly arbitrage where :math:`\sqrt{vT}\max(p, c^*) < 2` and
:math:`(p + c^*)\max(p, c^*) \le 2` (:func:`ssvi_repair`). Between the two lie smiles that are also free of it and
nearer to the first: :func:`nearest_repair` finds the nearest.

Examples
--------
>>> vogt = SviSlice(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
>>> wings = nearest_repair(vogt, 1.0).to_jump_wings(1.0)
>>> round(wings.c, 4), round(wings.v_tilde, 6)
(0.9218, 0.011625)

References
----------
J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014), 59-71,
section 5.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.roots import find_edge
from bank_python.risk_models.black_scholes import black_scholes_price
from bank_python.risk_models.svi import SviSlice

if TYPE_CHECKING:
    from bank_python.risk_models.svi import JumpWings

__all__ = ["nearest_repair", "price_distance", "ssvi_repair"]

_SHARES = np.linspace(0.0, 1.0, 5)  # of the way from v_tilde to that of SSVI
_STRIKES = np.linspace(-1.5, 1.5, 101)


@admits(ModelError)
def ssvi_repair(smile: SviSlice, T: float) -> SviSlice:
    """Return the SSVI smile with the variance, the skew and the put wing of `smile`.

    Parameters
    ----------
    smile : SviSlice
        The smile of one expiry.
    T : float
        Years to the expiry.

    Returns
    -------
    SviSlice

    Raises
    ------
    ModelError
        The smile has no jump wings, or those of SSVI describe no smile (a skew of exactly 0).
    CalibrationError
        The SSVI smile has a butterfly arbitrage itself: skew and put wing are too steep together.
    """
    wings = _ssvi_wings(smile.to_jump_wings(T))
    repaired = SviSlice.from_jump_wings(wings, T)
    lowest = repaired.minimum_g()
    if lowest.value < 0.0:
        raise CalibrationError(
            f"the SSVI smile with the put wing of {smile} has a butterfly arbitrage too (g = {lowest.value:.6g} at "
            f"k={lowest.where:.4g}); fit the quotes again with fit_slice, which moves the put wing",
            value=smile,
        )
    return repaired


@admits(ModelError)
def nearest_repair(smile: SviSlice, T: float) -> SviSlice:
    """Return the arbitrage-free smile nearest to `smile` on the way to its SSVI repair.

    Parameters
    ----------
    smile : SviSlice
        The smile of one expiry.
    T : float
        Years to the expiry.

    Returns
    -------
    SviSlice
        `smile` itself if its g is nowhere negative; otherwise the one with call wing and lowest variance between
        those of `smile` and of SSVI whose option prices, squared differences summed over strikes, are nearest.

    Raises
    ------
    ModelError, CalibrationError
        As :func:`ssvi_repair`.
    """
    if smile.minimum_g().value >= 0.0:
        return smile
    wings = smile.to_jump_wings(T)
    goal = ssvi_repair(smile, T).to_jump_wings(T)
    found: list[tuple[float, SviSlice]] = []
    for share in _SHARES.tolist():
        at = replace(wings, v_tilde=wings.v_tilde + share * (goal.v_tilde - wings.v_tilde))
        repaired = _least_call_wing_move(at, goal.c, T)
        if repaired is not None:
            found.append((price_distance(smile, repaired), repaired))
    return min(found, key=lambda pair: pair[0])[1]


def price_distance(first: SviSlice, second: SviSlice) -> float:
    """Return the sum of squared differences in price between two smiles, at log-moneyness −1.5 to 1.5 by 0.03.

    The prices are undiscounted, for a forward of 1; call and put differ by the same.
    """
    vols = [np.sqrt(np.asarray(smile.total_variance(_STRIKES))) for smile in (first, second)]
    prices = [black_scholes_price(1.0, np.exp(_STRIKES), 1.0, 0.0, vol) for vol in vols]
    return float(np.sum((prices[0] - prices[1]) ** 2))


def _ssvi_wings(wings: JumpWings) -> JumpWings:
    c = wings.p + 2.0 * wings.psi
    return replace(wings, c=c, v_tilde=wings.v * 4.0 * wings.p * c / (wings.p + c) ** 2)


def _least_call_wing_move(wings: JumpWings, goal: float, T: float) -> SviSlice | None:
    """Move the call wing towards `goal` as little as makes g non-negative; ``None`` if even `goal` does not."""

    def moved(c: float) -> SviSlice | None:
        return _if_free(replace(wings, c=c), T)

    return None if moved(goal) is None else moved(find_edge(lambda c: moved(c) is not None, wings.c, goal))


def _if_free(wings: JumpWings, T: float) -> SviSlice | None:
    try:
        smile = SviSlice.from_jump_wings(wings, T)
    except ModelError:
        return None
    return smile if smile.minimum_g().value >= 0.0 else None
