r"""Two assets in closed form: mean-variance weights and how they move with the correlation.

With volatilities :math:`\sigma_1, \sigma_2`, correlation ρ, expected returns :math:`\mu_1, \mu_2` and risk aversion γ,
the weight of the first asset in the fully invested portfolio that maximises :math:`\mu^\top w - \tfrac\gamma2
w^\top \Sigma w`, and its derivative, are

.. math:: w_1 = \frac{(\mu_1 - \mu_2)/\gamma + \sigma_2^2 - \rho\sigma_1\sigma_2}{D} , \qquad
          \frac{\partial w_1}{\partial\rho}
          = \sigma_1\sigma_2\,\frac{2(\mu_1 - \mu_2)/\gamma + \sigma_2^2 - \sigma_1^2}{D^2} , \qquad
          D = \sigma_1^2 + \sigma_2^2 - 2\rho\sigma_1\sigma_2 .

D is the variance of the difference of the two. Where the assets are almost alike, with similar volatilities and a
correlation near 1, D is near 0, and its square in the derivative makes the weights fragile.

Examples
--------
>>> round(two_asset_weight((0.1, 0.2), 0.3), 6), round(two_asset_sensitivity((0.1, 0.2), 0.3), 6)
(0.894737, 0.415512)
>>> round(two_asset_sensitivity((0.19, 0.2), 0.95), 1)
9.7

References
----------
H. Markowitz, "Portfolio selection", Journal of Finance 7 (1952), 77-91.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import EPSILON

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["two_asset_sensitivity", "two_asset_weight"]

_ROUNDED = 8.0 * EPSILON  # of the variance of the difference, relative to the sum of both variances


@admits(ModelError)
def two_asset_weight(
    vols: ArrayLike,
    correlation: float,
    means: ArrayLike = (0.0, 0.0),
    *,
    risk_aversion: float = 1.0,
    long_only: bool = False,
) -> float:
    """Return the weight of the first of two assets in the mean-variance portfolio; least variance with equal means.

    Parameters
    ----------
    vols : tuple of float
        Volatilities of the two assets, above 0.
    correlation : float
        Correlation of the two assets, in [−1, 1].
    means : tuple of float, default (0, 0)
        Expected returns of the two assets, in the same unit of time as the volatilities.
    risk_aversion : float, default 1
        Risk aversion γ, above 0.
    long_only : bool, default False
        Whether the weight is limited to [0, 1].

    Raises
    ------
    ModelError
        A figure is out of range, or the difference of the two assets has no variance.
    """
    (first, second), lead, spread = _terms(vols, correlation, means, risk_aversion)
    weight = (lead + second * (second - correlation * first)) / spread
    return min(max(weight, 0.0), 1.0) if long_only else weight


@admits(ModelError)
def two_asset_sensitivity(
    vols: ArrayLike,
    correlation: float,
    means: ArrayLike = (0.0, 0.0),
    *,
    risk_aversion: float = 1.0,
    long_only: bool = False,
) -> float:
    """Return the derivative of the weight of the first of two assets by their correlation.

    Parameters
    ----------
    vols, correlation, means, risk_aversion
        Figures of the assets and risk aversion, as for :func:`two_asset_weight`.
    long_only : bool, default False
        Whether the weight is limited to [0, 1]; the derivative is 0 where it is at a limit.

    Raises
    ------
    ModelError
        A figure is out of range, or the difference of the two assets has no variance.
    """
    (first, second), lead, spread = _terms(vols, correlation, means, risk_aversion)
    weight = (lead + second * (second - correlation * first)) / spread
    if long_only and not 0.0 < weight < 1.0:
        return 0.0
    return first * second * (2.0 * lead + (second - first) * (second + first)) / spread**2


def _terms(
    vols: ArrayLike, correlation: float, means: ArrayLike, risk_aversion: float
) -> tuple[tuple[float, float], float, float]:
    """Return the volatilities, the difference of the means over γ, and the variance of the difference."""
    first, second = _pair("vols", figures_in_range("vols", vols, ModelError, above=0.0))
    rho = number_in_range("correlation", correlation, ModelError, least=-1.0, most=1.0)
    aversion = number_in_range("risk_aversion", risk_aversion, ModelError, above=0.0)
    one, other = _pair("means", figures_in_range("means", means, ModelError))
    spread = (first - second) ** 2 + 2.0 * (1.0 - rho) * first * second
    if spread <= _ROUNDED * (first**2 + second**2):
        raise ModelError(
            f"the two assets with correlation {rho:g} and volatilities {first:g} and {second:g} are the same risk, so "
            "no weight is the best; leave one out",
            value=math.sqrt(max(spread, 0.0)),
        )
    return (first, second), (one - other) / aversion, spread


def _pair(name: str, figures: FloatArray) -> tuple[float, float]:
    if figures.shape != (2,):
        raise ModelError(f"{name} of shape {figures.shape}; give one figure for each of the two assets", name=name)
    return float(figures[0]), float(figures[1])
