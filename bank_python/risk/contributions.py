r"""Risk contributions: Euler allocation of value at risk and expected shortfall to traders or factors.

Both measures are homogeneous of degree one, so by Euler's theorem each is the sum over parts of its derivative in the
size of the part (Tasche),

.. math:: \mathrm{ES}_i = -E[X_i \mid L \ge \mathrm{VaR}], \qquad \mathrm{VaR}_i = -E[X_i \mid L = \mathrm{VaR}] .

The first is a mean over the tail of the sample, and its parts add up exactly. The second is conditional on a single
scenario, so it is estimated as a mean over the scenarios around it; the difference between the sum of the parts and the
measure is distributed in proportion to their absolute size.

==============  ====================================================================================================
component       contribution of the part to the measure; components add up to the measure
marginal        component per currency unit of the part's gross value
incremental     reduction of the measure if the part were removed
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
    """Risk contribution of one part to the whole, positive for a part that adds risk.

    Parameters
    ----------
    name : str
        Name of the trader or factor.
    var, es : float
        Components of the value at risk and of the expected shortfall, in currency units.
    marginal_var, marginal_es : float
        Components per currency unit of the part's gross value; NaN if the part holds nothing.
    incremental_var : float
        Value at risk of the whole less that without the part, in currency units; NaN if it was not computed.
    """

    name: str
    var: float
    es: float
    marginal_var: float = math.nan
    marginal_es: float = math.nan
    incremental_var: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """Tail of a sample of P&L.

    Parameters
    ----------
    var, es : float
        Value at risk and expected shortfall of the sample, in currency units.
    beyond : ndarray of int
        Indices of the scenarios whose loss is at least the value at risk.
    around : ndarray of int
        Indices of the scenarios around the value at risk.
    """

    var: float
    es: float
    beyond: NDArray[np.intp]
    around: NDArray[np.intp]

    def among(self, scenarios: NDArray[np.intp]) -> Tail:
        """Return the tail with its scenarios renumbered by their position in a subset of the sample.

        Parameters
        ----------
        scenarios : ndarray of int
            Scenarios of the subset in ascending order, at least the worst ones of the sample. Scenarios of the tail
            that are not in it have the same loss as the least of those that are, and are left out: so in a sample of
            one loss only, whose tail is the whole sample.
        """
        beyond, around = (kept[np.isin(kept, scenarios)] for kept in (self.beyond, self.around))
        around = around if around.size else beyond
        return replace(self, beyond=np.searchsorted(scenarios, beyond), around=np.searchsorted(scenarios, around))


def find_tail(total: NDArray[Any], var: float, es: float) -> Tail:
    """Return the tail of a sample of P&L with known measures.

    Parameters
    ----------
    total : ndarray, shape (scenarios,)
        P&L of the whole in currency units.
    var, es : float
        Value at risk and expected shortfall of the sample.

    Notes
    -----
    The scenarios around the value at risk number, on each side, a tenth of those beyond it, and at least five if there
    are so many.
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
    """Return the risk contribution of each part.

    Parameters
    ----------
    names : sequence of str
        Names of the parts.
    parts : ndarray, shape (parts, scenarios)
        P&L of each part; the parts add up to the P&L of the whole.
    tail : Tail
        Tail of the whole; its scenarios are columns of `parts`.
    exposures : ndarray, shape (parts,)
        Gross value of each part, in currency units.
    without : sequence of float
        Value at risk of the whole without each part; NaN if it was not computed.
    """
    shortfalls = -parts[:, tail.beyond].mean(axis=1, dtype=np.float64)
    near = -parts[:, tail.around].mean(axis=1, dtype=np.float64)
    difference, size = tail.var - math.fsum(near.tolist()), float(np.abs(near).sum())
    at_risk = near + difference * np.abs(near) / size if size else near
    gross = np.where(exposures > 0.0, exposures, np.nan)
    return tuple(
        Contribution(name, var, es, var / value, es / value, tail.var - remaining)
        for name, var, es, value, remaining in zip(
            names, at_risk.tolist(), shortfalls.tolist(), gross.tolist(), without, strict=True
        )
    )
