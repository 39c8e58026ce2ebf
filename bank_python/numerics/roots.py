r"""Roots of functions, bracketed, many at once.

Each lane has a bracket: two points at which its function has different signs. Chandrupatla's method takes the next
point by inverse quadratic interpolation through the last three where that can be trusted, which it decides by whether
the three lie on a curve that is monotone in both directions, and by bisection elsewhere. It needs few evaluations,
never leaves the bracket, and is a handful of array operations: a thousand lanes cost little more than one.

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
_PATIENCE = 3  # after so many secants the bracket must have halved
_RESOLUTION = 1e-16  # absolute: a root that near to 0 is as good as 0
_NOTHING = 1e-30  # of the bracket: a root nearer to 0 than that is 0


def find_roots(
    function: Callable[[FloatArray], FloatArray],
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    tolerance: float = 4.0 * EPSILON,
    max_iterations: int = _MOST,
) -> FloatArray:
    """Return a root of each lane between `lower` and `upper`.

    Parameters
    ----------
    function : callable
        From points, shape (n_rows,), to values; lane i of the answer depends on lane i of the argument alone.
    lower, upper : array_like
        Brackets that broadcast to (n_rows,): the function's signs at the two ends differ, or it is 0 at one.
    tolerance : float, default 4 ulp
        Relative width of the bracket at which a lane is done; near 0, 1e-30 of the first bracket.
    max_iterations : int, default 200
        Evaluations at most.

    Returns
    -------
    ndarray, shape (n_rows,)
        The roots.

    Raises
    ------
    RootError
        A bracket does not hold a change of sign, or the iterations ran out; the message names the lane.

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
    lane = int(np.flatnonzero(~done)[0])
    raise RootError(
        f"no root of lane {lane} after {max_iterations} evaluations, between {a[lane]:g} and {b[lane]:g}; "
        "allow more, or a wider tolerance",
        value=lane,
    )


def _next(
    a: FloatArray, b: FloatArray, c: FloatArray, fa: FloatArray, fb: FloatArray, fc: FloatArray, share: FloatArray
) -> FloatArray:
    """Return where between a and b to look next: by interpolation where it can be trusted, else half way."""
    with np.errstate(all="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        trusted = (phi * phi < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
        t = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        t = np.where(trusted & np.isfinite(t), t, _HALF)
        return np.clip(t, share, 1.0 - share)


def _require_change(a: FloatArray, b: FloatArray, fa: FloatArray, fb: FloatArray) -> None:
    bad = np.flatnonzero(~(np.sign(fa) * np.sign(fb) <= 0.0))
    if bad.size:
        i = int(bad[0])
        raise RootError(
            f"lane {i} has no change of sign between {b[i]:g} and {a[i]:g}, where the function is {fb[i]:g} and "
            f"{fa[i]:g}; give a bracket that holds a root",
            value=i,
        )


def find_root(function: Callable[[float], float], lower: float, upper: float) -> float:
    """Return where a function of one number is zero between `lower` and `upper`, to 1e-16 or the last digits.

    Parameters
    ----------
    function : callable
        Of a float, with different signs at the two ends, or 0 at one.
    lower, upper : float
        The bracket, in either order.

    Raises
    ------
    RootError
        The bracket does not hold a change of sign, an end is not finite, or the function is not a number inside.

    Notes
    -----
    Plain floats, not arrays of one: secants, which the nearly straight functions of pricing need four or five of. When
    three of them have not halved the bracket around the root, it is halved.
    """
    if not (math.isfinite(lower) and math.isfinite(upper)):
        raise RootError(f"a bracket has two finite ends, not {lower!r} and {upper!r}", value=(lower, upper))
    under, over = (lower, function(lower)), (upper, function(upper))
    at_an_end = next((at for at, value in (under, over) if value == 0.0), None)
    if at_an_end is not None:
        return at_an_end
    if under[1] > 0.0 > over[1]:
        under, over = over, under
    if not under[1] < 0.0 < over[1]:
        raise RootError(
            f"no change of sign between {lower:g} and {upper:g}, where the function is {under[1]:g} and {over[1]:g}; "
            "give a bracket that holds a root",
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
    raise RootError(f"no root found between {under[0]} and {over[0]}", value=newer[1])


def find_edge(holds: Callable[[float], bool], without: float, within: float, halvings: int = 40) -> float:
    """Return where a condition begins to hold, on the way from a number where it does not to one where it does.

    Parameters
    ----------
    holds : callable
        Of a float; where it changes more than once, one of the changes is found.
    without, within : float
        Where it fails and where it holds; neither is asked again.
    halvings : int, default 40
        The edge is found to 2⁻⁴⁰ of the way, twelve digits.

    Returns
    -------
    float
        Always a number for which it holds, `within` at worst.

    Examples
    --------
    >>> round(find_edge(lambda x: x * x >= 2.0, 0.0, 2.0), 9)
    1.414213562
    """
    for _ in range(halvings):
        middle = 0.5 * (without + within)
        without, within = (without, middle) if holds(middle) else (middle, within)
    return within


def _secant(older: tuple[float, float], newer: tuple[float, float]) -> float:
    rise = newer[1] - older[1]
    return newer[0] - newer[1] * (newer[0] - older[0]) / rise if rise != 0.0 else newer[0]
