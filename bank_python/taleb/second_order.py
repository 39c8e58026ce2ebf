r"""Hill's estimator with its bias removed by a second-order model of the tail.

Where the quantiles of a tail are :math:`U(t) = C t^\gamma (1 + \gamma\beta t^\rho/\rho + \dots)`, γ = 1/α, Hill's
estimate of γ from the k largest of n values is biased by about :math:`\gamma\beta (n/k)^\rho/(1 - \rho)`. The
corrected estimate of Caeiro, Gomes and Pestana,

.. math:: \bar\gamma_k = \hat\gamma_k \Big(1 - \frac{\hat\beta}{1 - \hat\rho} \Big(\frac nk\Big)^{\hat\rho}\Big),

has the variance of Hill's, since ρ and β are estimated from almost all values, which are many more than k: ρ by Fraga
Alves, Gomes and de Haan, β by Gomes and Martins.

Examples
--------
>>> losses = np.sort(np.abs(np.random.default_rng(7).standard_t(3, 2_500)))[::-1]
>>> shape = second_order(losses)
>>> round(shape.rho, 2), round(shape.beta, 2)  # Student's t with three degrees of freedom has rho = -2/3
(-0.72, 1.03)

References
----------
F. Caeiro, M. I. Gomes and D. Pestana, "Direct reduction of bias of the classical Hill estimator", REVSTAT 3 (2005),
113-136.

M. I. Fraga Alves, M. I. Gomes and L. de Haan, "A new class of semi-parametric estimators of the second order
parameter", Portugaliae Mathematica 60 (2003), 193-213.

M. I. Gomes and D. Pestana, "A sturdy reduced-bias extreme quantile (VaR) estimator", Journal of the American
Statistical Association 102 (2007), 280-292: the algorithm, with its choice of τ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.results import Figures
from bank_python.taleb.sample import log_ratios

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["SecondOrder", "second_order"]

_NEAREST = -0.25  # above it, a bias is not distinguishable from a slowly varying factor
_FROM, _TO = 0.995, 0.999  # exponents of n: the range of k over which ρ is to be stable, and the k at which it is taken


@dataclass(frozen=True, slots=True)
class SecondOrder(Figures):
    """Second-order parameters of a tail; returned by :func:`second_order`.

    Parameters
    ----------
    rho : float
        Rate ρ below 0 at which the tail comes near to a power law.
    beta : float
        Scale β of the deviation.
    """

    rho: float
    beta: float

    def corrected(self, alpha: float, k: int, n: int) -> float:
        """Return Hill's tail index with its bias removed; NaN where ρ is above −0.25 or nothing would be left.

        Parameters
        ----------
        alpha : float
            Hill's estimate from the k largest of n values.
        k, n : int
            Numbers of largest and of all positive values.
        """
        factor = 1.0 - self.beta / (1.0 - self.rho) * (n / k) ** self.rho
        return alpha / factor if factor > 0.0 and self.rho < _NEAREST else math.nan


def second_order(tail: FloatArray) -> SecondOrder:
    """Estimate the second-order parameters of a tail.

    Parameters
    ----------
    tail : ndarray, shape (n,)
        Positive values, the largest first.

    Returns
    -------
    SecondOrder
        Parameters; NaN where ties or too few values leave them undetermined.
    """
    logs = log_ratios(tail, float(tail[0]))
    n = len(tail)
    first, last = int(n**_FROM), min(int(n**_TO), n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = _rho(logs, first, last)
        return SecondOrder(rho, _beta(logs, last, rho))


def _rho(logs: FloatArray, first: int, last: int) -> float:
    """Return ρ at the last k, for that of τ = 0 and τ = 1 with which it varies less from the first k on."""
    k = np.arange(1.0, last + 1)
    ends = logs[1 : last + 1]
    larger = logs[:last]
    sums = [np.cumsum(values) / k for values in (larger, larger * larger, larger * larger * larger)]
    m1 = (sums[0] - ends)[first - 1 :]
    m2 = ((sums[1] - 2.0 * ends * sums[0] + ends**2) / 2.0)[first - 1 :]
    m3 = ((sums[2] - 3.0 * ends * sums[1] + 3.0 * ends**2 * sums[0] - ends**3) / 6.0)[first - 1 :]
    by_logs = (np.log(m1) - np.log(m2) / 2.0) / (np.log(m2) / 2.0 - np.log(m3) / 3.0)
    by_ones = (m1 - m2 ** (1.0 / 2.0)) / (m2 ** (1.0 / 2.0) - m3 ** (1.0 / 3.0))
    series = [-np.abs(3.0 * (ratio - 1.0) / (ratio - 3.0)) for ratio in (by_logs, by_ones)]
    spread = [float(np.square(values - np.median(values)).sum()) for values in series]
    return float(series[0 if not spread[0] > spread[1] else 1][-1])


def _beta(logs: FloatArray, k: int, rho: float) -> float:
    """Return β from the scaled spacings of the k + 1 largest logarithms."""
    i = np.arange(1.0, k + 1)
    spacings = i * (logs[:k] - logs[1 : k + 1])
    powers = (i / k) ** -rho
    mean, product = float(powers.mean()), float((powers * spacings).mean())
    numerator = mean * float(spacings.mean()) - product
    denominator = mean * product - float((powers * powers * spacings).mean())
    return (k / len(logs)) ** rho * numerator / denominator if denominator else math.nan
