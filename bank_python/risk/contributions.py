r"""Who makes the risk: Euler contributions of parts to the value at risk and expected shortfall of the whole.

Both measures are homogeneous, so by Euler's theorem they are sums over parts of what the measure gains when the part
grows in proportion (Tasche),

.. math:: \mathrm{ES}_i = -E[X_i \mid L \ge \mathrm{VaR}], \qquad \mathrm{VaR}_i = -E[X_i \mid L = \mathrm{VaR}] .

The first is a mean over the tail of the sample, and adds up exactly. The second is conditional on one scenario; it is
taken as the mean over the scenarios around it; what is missing to the measure is shared out by size.

==============  ====================================================================================================
component       the part's share of the measure; components add up to it
marginal        the component for one unit of currency held in the part, by absolute value
incremental     by how much the measure would fall without the part
==============  ====================================================================================================

References
----------
D. Tasche, "Risk contributions and performance measurement" (1999): propositions 2.1 and 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.barbara import storable
from bank_python.results import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bank_python.numerics import FloatArray

__all__ = ["Contribution", "Tail", "contributions", "find_tail"]

_WINDOW = 0.1
_NARROWEST = 5


@storable("risk.Contribution", version=1)
@dataclass(frozen=True, slots=True)
class Contribution(Figures):
    """What one part adds to the risk of the whole, positive where it adds.

    Parameters
    ----------
    name : str
        The part: a trader, a factor.
    var, es : float
        Components of the value at risk and of the expected shortfall.
    marginal_var, marginal_es : float
        Components for one unit of currency held; NaN where nothing is.
    incremental_var : float
        Value at risk with the part less that without it; NaN where it was not taken.
    """

    name: str
    var: float
    es: float
    marginal_var: float = math.nan
    marginal_es: float = math.nan
    incremental_var: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """Where the tail of a sample is.

    Parameters
    ----------
    var, es : float
        Of the sample.
    beyond : ndarray of int
        The scenarios whose loss is not below the value at risk.
    around : ndarray of int
        The scenarios around the value at risk.
    """

    var: float
    es: float
    beyond: NDArray[np.intp]
    around: NDArray[np.intp]

    def among(self, scenarios: NDArray[np.intp]) -> Tail:
        """Return the tail with its scenarios counted by their place in `scenarios`, which is ascending and has all."""
        return replace(
            self, beyond=np.searchsorted(scenarios, self.beyond), around=np.searchsorted(scenarios, self.around)
        )


def find_tail(total: NDArray[Any], var: float, es: float) -> Tail:
    """Find the tail of a sample of P&L, shape (scenarios,), whose measures are known.

    The scenarios around the value at risk are as many on either side as a tenth of those beyond.
    """
    beyond = np.flatnonzero(-total.astype(np.float64, copy=False) >= var)
    half = max(int(_WINDOW * len(beyond)), min(_NARROWEST, len(beyond)))
    last = min(len(beyond) + half, len(total))
    first = len(beyond) - half
    ranked = np.argpartition(total, [max(first - 1, 0), last - 1])
    return Tail(var, es, beyond, np.sort(ranked[first:last]))


def contributions(
    names: Sequence[str], parts: NDArray[Any], tail: Tail, exposures: FloatArray, without: Sequence[float]
) -> tuple[Contribution, ...]:
    """Return what each part adds.

    Parameters
    ----------
    names : sequence of str
        The parts.
    parts : ndarray, shape (parts, scenarios)
        P&L of each, adding up to the whole's.
    tail : Tail
        Of the whole; its scenarios are columns of `parts`.
    exposures : ndarray, shape (parts,)
        What is held in each, by absolute value.
    without : sequence of float
        Value at risk without each; NaN where it was not taken.
    """
    shortfalls = -parts[:, tail.beyond].mean(axis=1, dtype=np.float64)
    near = -parts[:, tail.around].mean(axis=1, dtype=np.float64)
    missing, size = tail.var - math.fsum(near.tolist()), float(np.abs(near).sum())
    at_risk = near + missing * np.abs(near) / size if size else near
    held = np.where(exposures > 0.0, exposures, np.nan)
    return tuple(
        Contribution(name, var, es, var / unit, es / unit, tail.var - left)
        for name, var, es, unit, left in zip(
            names, at_risk.tolist(), shortfalls.tolist(), held.tolist(), without, strict=True
        )
    )
