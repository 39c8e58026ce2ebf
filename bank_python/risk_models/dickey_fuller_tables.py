r"""P-values and critical values of the Dickey-Fuller t statistic and of cointegration tests, by MacKinnon's surfaces.

The t statistic of a unit-root test, and of a test of the residuals of a cointegrating regression of N variables, has no
normal distribution. MacKinnon fitted the quantiles of simulations by response surfaces. The p-value is asymptotic,

.. math:: p = \Phi(\gamma_0 + \gamma_1 \tau + \gamma_2 \tau^2 + \gamma_3 \tau^3) ,

with other coefficients, and without the cube, below a value of :math:`\tau`. A critical value for T observations is
:math:`\beta_\infty + \beta_1/T + \beta_2/T^2 + \beta_3/T^3`.

Examples
--------
>>> round(mackinnon_p_value(-3.5, variables=2), 6)
0.032395
>>> {level: round(value, 5) for level, value in mackinnon_critical_values(variables=2).items()}
{0.01: -3.89644, 0.05: -3.33613, 0.1: -3.04445}

References
----------
J. G. MacKinnon, "Approximate asymptotic distribution functions for unit-root and cointegration tests", Journal of
Business & Economic Statistics 12 (1994), 167-176, tables 3 and 4.

J. G. MacKinnon, "Critical values for cointegration tests", Queen's University, Department of Economics, working paper
1227 (2010), tables 1 to 3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.normal import normal_cdf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["MOST_VARIABLES", "mackinnon_critical_values", "mackinnon_p_value", "p_values_of"]

MOST_VARIABLES = 6
"""Largest number of variables in a cointegrating regression for which there are p-values."""

_LEVELS = (0.01, 0.05, 0.10)

# Limits beyond which the p-value is 1 or 0, and below which the second polynomial applies; by number of variables.
_HIGHEST = {
    "n": (math.inf, 1.51, 0.86, 0.88, 1.05, 1.24),
    "c": (2.74, 0.92, 0.55, 0.61, 0.79, 1.0),
    "ct": (0.7, 0.63, 0.71, 0.93, 1.19, 1.42),
}
_LOWEST = {
    "n": (-19.04, -19.62, -21.21, -23.25, -21.63, -25.74),
    "c": (-18.83, -18.86, -23.48, -28.07, -25.96, -23.27),
    "ct": (-16.18, -21.15, -25.37, -26.63, -26.53, -26.18),
}
_CHANGE = {
    "n": (-1.04, -1.53, -2.68, -3.09, -3.07, -3.77),
    "c": (-1.61, -2.62, -3.13, -3.47, -3.78, -3.93),
    "ct": (-2.89, -3.19, -3.50, -3.65, -3.80, -4.36),
}
_BELOW_UNITS = (1.0, 1.0, 1e-2)
_BELOW = {
    "n": (
        (0.6344, 1.2378, 3.2496),
        (1.9129, 1.3857, 3.5322),
        (2.7648, 1.4502, 3.4186),
        (3.4336, 1.4835, 3.19),
        (4.0999, 1.5533, 3.59),
        (4.5388, 1.5344, 2.9807),
    ),
    "c": (
        (2.1659, 1.4412, 3.8269),
        (2.92, 1.5012, 3.9796),
        (3.4699, 1.4856, 3.164),
        (3.9673, 1.4777, 2.6315),
        (4.5509, 1.5338, 2.9545),
        (5.1399, 1.6036, 3.4445),
    ),
    "ct": (
        (3.2512, 1.6047, 4.9588),
        (3.6646, 1.5419, 3.6448),
        (4.0983, 1.5173, 2.9898),
        (4.5844, 1.5338, 2.8796),
        (5.0722, 1.5634, 2.9472),
        (5.53, 1.5914, 3.0392),
    ),
}
_ABOVE_UNITS = (1.0, 1e-1, 1e-1, 1e-2)
_ABOVE = {
    "n": (
        (0.4797, 9.3557, -0.6999, 3.3066),
        (1.5578, 8.558, -2.083, -3.3549),
        (2.2268, 6.8093, -3.2362, -5.4448),
        (2.7654, 6.4502, -3.0811, -4.4946),
        (3.2684, 6.8051, -2.6778, -3.4972),
        (3.7268, 7.167, -2.3648, -2.8288),
    ),
    "c": (
        (1.7339, 9.3202, -1.2745, -1.0368),
        (2.1945, 6.4695, -2.9198, -4.2377),
        (2.5893, 4.5168, -3.6529, -5.0074),
        (3.0387, 4.5452, -3.3666, -4.1921),
        (3.5049, 5.2098, -2.9158, -3.3468),
        (3.9489, 5.8933, -2.5359, -2.721),
    ),
    "ct": (
        (2.5261, 6.1654, -3.7956, -6.0285),
        (2.85, 5.272, -3.6622, -5.1695),
        (3.221, 5.255, -3.2685, -4.1501),
        (3.652, 5.9758, -2.7483, -3.2081),
        (4.0712, 6.6428, -2.3464, -2.546),
        (4.4735, 7.1757, -2.0681, -2.1196),
    ),
}

# Coefficients of 1, 1/T, 1/T², 1/T³ at 1, 5 and 10 %, by number of variables; without a constant for one variable only.
_SURFACES = {
    "n": (((-2.56574, -2.2358, -3.627, 0.0), (-1.94100, -0.2686, -3.365, 31.223), (-1.61682, 0.2656, -2.714, 25.364)),),
    "c": (
        ((-3.43035, -6.5393, -16.786, -79.433), (-2.86154, -2.8903, -4.234, -40.040), (-2.56677, -1.5384, -2.809, 0.0)),
        ((-3.89644, -10.9519, -33.527, 0.0), (-3.33613, -6.1101, -6.823, 0.0), (-3.04445, -4.2412, -2.720, 0.0)),
        ((-4.29374, -14.4354, -33.195, 47.433), (-3.74066, -8.5632, -10.852, 27.982), (-3.45218, -6.2143, -3.718, 0.0)),
        ((-4.64332, -18.1031, -37.972, 0.0), (-4.09600, -11.2349, -11.175, 0.0), (-3.81020, -8.3931, -4.137, 0.0)),
        ((-4.95756, -21.8883, -45.142, 0.0), (-4.41519, -14.0405, -12.575, 0.0), (-4.13157, -10.7417, -3.784, 0.0)),
        (
            (-5.24568, -25.6688, -57.737, 88.639),
            (-4.70693, -16.9178, -17.492, 60.007),
            (-4.42501, -13.1875, -5.104, 27.877),
        ),
    ),
    "ct": (
        (
            (-3.95877, -9.0531, -28.428, -134.155),
            (-3.41049, -4.3904, -9.036, -45.374),
            (-3.12705, -2.5856, -3.925, -22.380),
        ),
        ((-4.32762, -15.4387, -35.679, 0.0), (-3.78057, -9.5106, -12.074, 0.0), (-3.49631, -7.0815, -7.538, 21.892)),
        (
            (-4.66305, -18.7688, -49.793, 104.244),
            (-4.11890, -11.8922, -19.031, 77.332),
            (-3.83511, -9.0723, -8.504, 35.403),
        ),
        (
            (-4.96940, -22.4694, -52.599, 51.314),
            (-4.42871, -14.5876, -18.228, 39.647),
            (-4.14633, -11.2500, -9.873, 54.109),
        ),
        (
            (-5.25276, -26.2183, -59.631, 50.646),
            (-4.71537, -17.3569, -22.660, 91.359),
            (-4.43422, -13.6078, -10.238, 76.781),
        ),
        (
            (-5.51727, -29.9760, -75.222, 202.253),
            (-4.98228, -20.3050, -25.224, 132.03),
            (-4.70233, -16.1253, -9.836, 94.272),
        ),
    ),
}


@admits(ModelError)
def mackinnon_p_value(statistic: float, trend: str = "c", variables: int = 1) -> float:
    """Return the asymptotic p-value of a Dickey-Fuller t statistic, or of a cointegration test of several variables.

    Parameters
    ----------
    statistic : float
        t statistic of the level in the regression of the differences.
    trend : str, default "c"
        Deterministic terms: ``"n"`` for none, ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    variables : int, default 1
        Number of variables in the cointegrating regression, in [1, 6]; 1 for a unit-root test.

    Raises
    ------
    ModelError
        The statistic is not finite, there is no such trend, or no table for so many variables.
    """
    _require_table(trend, variables, _CHANGE)
    if not math.isfinite(statistic):
        raise ModelError(
            f"statistic={statistic!r} is not finite; give a t statistic", name="statistic", value=statistic
        )
    return float(p_values_of(np.array([statistic]), trend, variables)[0])


@admits(ModelError)
def mackinnon_critical_values(
    trend: str = "c", variables: int = 1, observations: int | None = None
) -> dict[float, float]:
    """Return the critical values of a Dickey-Fuller t statistic, or of a cointegration test, at 1, 5 and 10 %.

    Parameters
    ----------
    trend : str, default "c"
        Deterministic terms: ``"n"`` for none, ``"c"`` for a constant, ``"ct"`` for a constant and a linear trend.
    variables : int, default 1
        Number of variables in the cointegrating regression, in [1, 6]; 1 for a unit-root test, and without a constant.
    observations : int, optional
        Number of observations, at least 1; by default the values are those of an infinite sample.

    Raises
    ------
    ModelError
        There is no such trend, no table for so many variables, or fewer than one observation.
    """
    _require_table(trend, variables, _SURFACES)
    if observations is not None and observations < 1:
        raise ModelError(
            f"observations={observations!r} is below 1; give their number, or leave it out for an infinite sample",
            name="observations",
            value=observations,
        )
    inverse = 0.0 if observations is None else 1.0 / observations
    surfaces = _SURFACES[trend][variables - 1]
    values = (((b3 * inverse + b2) * inverse + b1) * inverse + b0 for b0, b1, b2, b3 in surfaces)
    return dict(zip(_LEVELS, values, strict=True))


def p_values_of(statistics: ArrayLike, trend: str, variables: int) -> FloatArray:
    """Return the asymptotic p-values of many t statistics.

    Parameters
    ----------
    statistics : array_like, shape (n,)
        t statistics, finite.
    trend : str
        Deterministic terms: ``"n"``, ``"c"`` or ``"ct"``.
    variables : int
        Number of variables, in [1, 6].
    """
    tau, at = np.asarray(statistics, dtype=np.float64), variables - 1
    low, high = _LOWEST[trend][at], _HIGHEST[trend][at]
    inside = np.clip(tau, low, min(high, 10.0))  # beyond 10 the polynomials are far in the tail
    below = np.multiply(_BELOW[trend][at], _BELOW_UNITS)
    above = np.multiply(_ABOVE[trend][at], _ABOVE_UNITS)
    argument = np.where(inside <= _CHANGE[trend][at], np.polyval(below[::-1], inside), np.polyval(above[::-1], inside))
    return np.where(tau > high, 1.0, np.where(tau < low, 0.0, normal_cdf(argument)))


def _require_table(trend: str, variables: int, tables: Mapping[str, Sequence[object]]) -> None:
    if trend not in tables:
        raise ModelError(f"no trend {trend!r}; give one of {', '.join(tables)}", name="trend", value=trend)
    most = len(tables[trend])
    if not 1 <= variables <= most:
        raise ModelError(
            f"variables={variables!r} is outside [1, {most}], for which there are tables with trend={trend!r}; give "
            "fewer variables, or another trend",
            name="variables",
            value=variables,
        )
