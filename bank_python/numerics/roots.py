r"""Bracketed root finding, for one function or for many at once.

Each row has a function and a bracket: two points at which the function has different signs. Chandrupatla's method
takes the next point by inverse quadratic interpolation through the last three where it is reliable, which is where the
interpolating curve is monotone, and by bisection elsewhere. It needs few evaluations, never leaves the bracket, and
consists of a handful of array operations: a thousand rows take little longer than one.

Examples
--------
>>> find_roots(lambda x: x**3 - np.array([1.0, 8.0, 27.0]), [0.0, 0.0, 0.0], 10.0).round(12)
array([1., 2., 3.])
>>> round(find_root(math.cos, 0.0, 3.0), 12) == round(math.pi / 2, 12)
True

References
----------
T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear function without
using derivatives", Advances in Engineering Software 28 (1997), 145-149.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bank_python.deprecation import renamed
from bank_python.errors import RootError
from bank_python.numerics.tolerances import EPSILON, NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics.columns import FloatArray

__all__ = ["find_edge", "find_root", "find_roots"]

_MOST = 200
_HALF = 0.5
_STEPS = 300
_PATIENCE = 3  # secant steps in which the bracket must halve
_RESOLUTION = 1e-16  # absolute: a root this close to 0 is taken as 0
_NOTHING = 1e-30  # relative to the bracket: a root closer to 0 is taken as 0


def find_roots(
    function: Callable[[FloatArray], FloatArray],
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    tolerance: float = 4.0 * EPSILON,
    max_iterations: int = _MOST,
) -> FloatArray:
    """Return a root between `lower` and `upper` for each row.

    Parameters
    ----------
    function : callable
        Function from points, shape (n_rows,), to values, shape (n_rows,); each value depends only on its own point.
    lower, upper : array_like
        Ends of the brackets, which broadcast to shape (n_rows,). The function has different signs at the two ends, or
        is 0 at one.
    tolerance : float, default 4 ulp
        Relative width of a bracket at which its row has converged; near 0, 1e-30 of the first bracket.
    max_iterations : int, default 200
        Maximum number of evaluations.

    Returns
    -------
    ndarray, shape (n_rows,)
        The roots.

    Raises
    ------
    RootError
        The function does not change sign in a bracket, or the iterations ran out; the message gives the row.

    Examples
    --------
    >>> find_roots(lambda x: np.exp(x) - 2.0, 0.0, [1.0, 2.0]).round(6)
    array([0.693147, 0.693147])
    """
    a, b = (
        part.copy() for part in np.broadcast_arrays(np.atleast_1d(np.asarray(upper, float)), np.asarray(lower, float))
    )
    fa, fb = np.asarray(function(a), dtype=float), np.asarray(function(b), dtype=float)
    _require_change(a, b, fa, fb)
    c, fc, t = a.copy(), fa.copy(), np.full(a.shape, _HALF)
    nothing = _NOTHING * np.abs(b - a)
    for _ in range(max_iterations):
        x = a + t * (b - a)
        fx = np.asarray(function(x), dtype=float)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        best = np.where(np.abs(fa) < np.abs(fb), a, b)
        width = np.abs(b - a)
        limit = 0.5 * tolerance * np.abs(best) + nothing
        share = limit / np.where(width == 0.0, 1.0, width)
        done = (fa == 0.0) | (share > _HALF) | (width == 0.0)
        if done.all():
            return best
        t = np.where(done, 0.0, _next(a, b, c, fa, fb, fc, share))
    row = int(np.flatnonzero(~done)[0])
    raise RootError(
        f"row {row} has no root to the tolerance after {max_iterations} evaluations, between {a[row]:g} and "
        f"{b[row]:g}; raise max_iterations or tolerance",
        value=row,
    )


def _next(
    a: FloatArray, b: FloatArray, c: FloatArray, fa: FloatArray, fb: FloatArray, fc: FloatArray, share: FloatArray
) -> FloatArray:
    """Return the next point as a share of the way from a to b: by interpolation where reliable, else a half."""
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        reliable = (phi * phi < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        t = np.where(reliable & np.isfinite(t), t, _HALF)
        return np.clip(t, share, 1.0 - share)


def _require_change(a: FloatArray, b: FloatArray, fa: FloatArray, fb: FloatArray) -> None:
    bad = np.flatnonzero(~(np.sign(fa) * np.sign(fb) <= 0.0))
    if bad.size:
        i = int(bad[0])
        raise RootError(
            f"row {i} has no change of sign between {b[i]:g} and {a[i]:g}, where the function is {fb[i]:g} and "
            f"{fa[i]:g}; give a bracket that contains a root",
            value=i,
        )


def find_root(function: Callable[[float], float], lower: float, upper: float) -> float:
    """Return the root of a function of one float between `lower` and `upper`, to 1e-16 or the last digits.

    Parameters
    ----------
    function : callable
        Function of a float, with different signs at the two ends of the bracket, or 0 at one.
    lower, upper : float
        Ends of the bracket, in either order.

    Raises
    ------
    RootError
        The function does not change sign in the bracket or is NaN within it, or an end is not finite.

    Notes
    -----
    The method is the secant method, on floats instead of arrays; the nearly linear functions of pricing need four or
    five steps. If three steps have not halved the bracket around the root, it is bisected.
    """
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise RootError(
            f"the ends {lower!r} and {upper!r} of the bracket are not two finite ends; give finite numbers",
            value=(lower, upper),
        )
    under, over = (lower, function(lower)), (upper, function(upper))
    at_an_end = next((at for at, value in (under, over) if value == 0.0), None)
    if at_an_end is not None:
        return at_an_end
    if under[1] > 0.0 > over[1]:
        under, over = over, under
    if not under[1] < 0.0 < over[1]:
        raise RootError(
            f"no change of sign between {lower:g} and {upper:g}, where the function is {under[1]:g} and {over[1]:g}; "
            "give a bracket that contains a root",
            value=(lower, upper),
        )
    older, newer, width = under, over, abs(upper - lower)
    for step in range(1, _STEPS):
        reviewed = step % _PATIENCE == 0
        inside = sorted((under[0], over[0]))
        trial = _secant(older, newer)
        if (reviewed and inside[1] - inside[0] > _HALF * width) or not inside[0] < trial < inside[1]:
            trial = 0.5 * (under[0] + over[0])
        width = inside[1] - inside[0] if reviewed else width
        resolution = _RESOLUTION + NEIGHBOURS * abs(trial)
        if newer[1] == 0.0 or abs(trial - newer[0]) <= resolution or inside[1] - inside[0] <= resolution:
            return newer[0] if newer[1] == 0.0 else trial
        older, newer = newer, (trial, function(trial))
        under, over = (newer, over) if newer[1] < 0.0 else (under, newer)
    raise RootError(
        f"no root found between {under[0]} and {over[0]}; check that the function is not NaN there", value=newer[1]
    )


@renamed(holds="condition", without="fails_at", within="holds_at")
def find_edge(condition: Callable[[float], bool], fails_at: float, holds_at: float, halvings: int = 40) -> float:
    """Return the edge between a number where a condition fails and one where it holds, by bisection.

    Parameters
    ----------
    condition : callable
        Predicate of a float. If it changes more than once between the two numbers, one of the changes is found.
    fails_at, holds_at : float
        Numbers at which the condition fails and holds; it is not evaluated there.
    halvings : int, default 40
        Number of bisections: 40 give the edge to 2⁻⁴⁰ of the distance, or twelve digits.

    Returns
    -------
    float
        Number at the edge for which the condition holds; `holds_at` if it holds nowhere else.

    Examples
    --------
    >>> round(find_edge(lambda x: x * x >= 2.0, 0.0, 2.0), 9)
    1.414213562
    """
    for _ in range(halvings):
        middle = 0.5 * (fails_at + holds_at)
        fails_at, holds_at = (fails_at, middle) if condition(middle) else (middle, holds_at)
    return holds_at


def _secant(older: tuple[float, float], newer: tuple[float, float]) -> float:
    rise = newer[1] - older[1]
    return newer[0] - newer[1] * (newer[0] - older[0]) / rise if rise != 0.0 else newer[0]
