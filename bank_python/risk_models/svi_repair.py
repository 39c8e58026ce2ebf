r"""Repair of a smile with butterfly arbitrage, after Gatheral and Jacquier, by a change of its call wing.

The at-the-money variance `v` and skew `psi` and the put wing `p` of the smile are preserved, and the other two
jump-wings parameters are replaced by those of the SSVI smile,

.. math:: c^* = p + 2\psi, \qquad \tilde v^* = v\,\frac{4 p c^*}{(p + c^*)^2},

which is free of butterfly arbitrage if :math:`\sqrt{vT}\max(p, c^*) < 2` and
:math:`(p + c^*)\max(p, c^*) \le 2` (:func:`ssvi_repair`). Between the two there are smiles that are also free of
arbitrage and closer to the first; :func:`nearest_repair` returns the closest.

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

_SHARES = np.linspace(0.0, 1.0, 5)  # shares of the change of v_tilde to that of SSVI
_STRIKES = np.linspace(-1.5, 1.5, 101)


@admits(ModelError)
def ssvi_repair(smile: SviSlice, T: float) -> SviSlice:
    """Return the SSVI smile with the at-the-money variance and skew and the put wing of `smile`.

    Parameters
    ----------
    smile : SviSlice
        Smile of one expiry, which may have a butterfly arbitrage.
    T : float
        Years to the expiry.

    Returns
    -------
    SviSlice
        Smile without butterfly arbitrage.

    Raises
    ------
    ModelError
        The smile has no jump-wings parameters, or those of SSVI do not determine a smile (for a skew of exactly 0).
    CalibrationError
        The SSVI smile also has a butterfly arbitrage, as skew and put wing together are too steep.
    """
    wings = _ssvi_wings(smile.to_jump_wings(T))
    repaired = SviSlice.from_jump_wings(wings, T)
    lowest = repaired.minimum_g()
    if lowest.value < 0.0:
        raise CalibrationError(
            f"the SSVI smile with the put wing of {smile} also has a butterfly arbitrage (g = {lowest.value:.6g} at "
            f"k={lowest.where:.4g}); fit the quotes again with fit_slice, which changes the put wing",
            value=smile,
        )
    return repaired


@admits(ModelError)
def nearest_repair(smile: SviSlice, T: float) -> SviSlice:
    """Return the arbitrage-free smile closest to `smile` between it and its SSVI repair.

    Parameters
    ----------
    smile : SviSlice
        Smile of one expiry, which may have a butterfly arbitrage.
    T : float
        Years to the expiry.

    Returns
    -------
    SviSlice
        `smile` itself if its g is nowhere negative. Otherwise, among smiles with call wing and lowest variance between
        those of `smile` and of SSVI, the one with the smallest sum of squared differences of option prices.

    Raises
    ------
    ModelError, CalibrationError
        As for :func:`ssvi_repair`.
    """
    if smile.minimum_g().value >= 0.0:
        return smile
    wings = smile.to_jump_wings(T)
    goal = ssvi_repair(smile, T).to_jump_wings(T)
    found: list[tuple[float, SviSlice]] = []
    for share in _SHARES.tolist():
        at = replace(wings, v_tilde=wings.v_tilde + share * (goal.v_tilde - wings.v_tilde))
        repaired = _least_call_wing_change(at, goal.c, T)
        if repaired is not None:
            found.append((price_distance(smile, repaired), repaired))
    return min(found, key=lambda pair: pair[0])[1]


def price_distance(first: SviSlice, second: SviSlice) -> float:
    """Return the sum of squared price differences between two smiles, at log-moneyness −1.5 to 1.5 in steps of 0.03.

    The prices are undiscounted, for a forward of 1; the differences are the same for calls and puts.
    """
    vols = [np.sqrt(np.asarray(smile.total_variance(_STRIKES))) for smile in (first, second)]
    prices = [black_scholes_price(1.0, np.exp(_STRIKES), 1.0, 0.0, vol) for vol in vols]
    return float(np.sum((prices[0] - prices[1]) ** 2))


def _ssvi_wings(wings: JumpWings) -> JumpWings:
    c = wings.p + 2.0 * wings.psi
    return replace(wings, c=c, v_tilde=wings.v * 4.0 * wings.p * c / (wings.p + c) ** 2)


def _least_call_wing_change(wings: JumpWings, goal: float, T: float) -> SviSlice | None:
    """Return the smile with the least change of the call wing towards `goal` that makes g non-negative.

    Return ``None`` if g is negative even for `goal`.
    """

    def changed(c: float) -> SviSlice | None:
        return _if_free(replace(wings, c=c), T)

    return None if changed(goal) is None else changed(find_edge(lambda c: changed(c) is not None, wings.c, goal))


def _if_free(wings: JumpWings, T: float) -> SviSlice | None:
    try:
        smile = SviSlice.from_jump_wings(wings, T)
    except ModelError:
        return None
    return smile if smile.minimum_g().value >= 0.0 else None
