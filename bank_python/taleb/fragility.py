r"""Fragility detector: whether a P&L loses from larger moves of its inputs, by the second-order heuristic of Taleb.

For a P&L f and a step Δ around the present input x, the heuristic is

.. math:: H(\Delta) = \frac{f(x - \Delta) + f(x + \Delta)}{2} - f(x) .

It is what an uncertainty of ±Δ about the input costs on average, and so is free of the direction of the bet: a linear
P&L has H = 0 (*robust*), a concave one H < 0 (*fragile*: it loses from variability) and a convex one H > 0
(*antifragile*). Half of the second derivative times Δ² is its first term, but with finite steps it sees what a
derivative at x does not: a short option far out of the money has almost no gamma now and is fragile at large steps.
Where H grows with a power of Δ above 2, harm accelerates.

A P&L that is linear up to rounding is called robust: H counts as 0 up to the rounding error of the values and of the
shifted inputs, and up to a share (the tolerance) of the move of the P&L itself.

Examples
--------
>>> def short_put(spot):
...     return 2.0 - max(90.0 - spot, 0.0)
>>> found = fragility(short_put, at=100.0, step=5.0, multiples=(1, 2, 4))
>>> found.heuristic.tolist()
[[0.0, 0.0, -5.0]]
>>> [verdict.value for verdict in found.verdicts[0]], found.verdict.value
(['robust', 'robust', 'fragile'], 'fragile')

References
----------
N. N. Taleb, E. Canetti, T. Kinda, E. Loukoianova and C. Schmieder, "A new heuristic measure of fragility and tail
risks: application to stress testing", IMF Working Paper 12/216 (2012).

N. N. Taleb and R. Douady, "Mathematical definition, mapping, and detection of (anti)fragility", Quantitative Finance 13
(2013), 1677-1689.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.guessing import guessable
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import EPSILON, NINE_DIGITS
from bank_python.plotting import Plotted, legend_beside, line_styles, literal
from bank_python.results import Tabular

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["JOINT", "MULTIPLES", "Fragility", "FragilityVerdict", "fragility"]

JOINT = "joint"
"""Name of the row in which all factors move together."""

MULTIPLES = (0.5, 1.0, 2.0)
"""Default multiples of the step: whether harm accelerates takes more than one size of move to see."""

_VALUE_ROUNDING = 16.0 * EPSILON  # of a P&L computed in some dozen operations, relative to its size
_ARGUMENT_ROUNDING = 2.0 * EPSILON  # of x ± Δ, relative to |x| + Δ


class FragilityVerdict(enum.Enum):
    """Response of a P&L to larger moves of its inputs: it loses, neither, or gains."""

    FRAGILE = "fragile"
    ROBUST = "robust"
    ANTIFRAGILE = "antifragile"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fragility(Plotted, Tabular):
    """Second-order heuristic of a P&L; returned by :func:`fragility`.

    Parameters
    ----------
    factors : tuple of str
        Names of the rows: each factor moved alone, and last, if there are several, :data:`JOINT`.
    steps : ndarray, shape (rows,)
        Step of each factor at a multiple of one; NaN for the joint move.
    multiples : ndarray, shape (sizes,)
        Multiples of the step, ascending.
    value : float
        P&L at the present inputs, f(x).
    down, up : ndarray, shape (rows, sizes)
        P&L with the factors moved down, f(x − Δ), and up, f(x + Δ).
    rounding : ndarray, shape (rows, sizes)
        Size of H up to which it is not distinguishable from rounding.
    tolerance : float
        Share of the P&L's own move up to which H counts as 0.
    """

    factors: tuple[str, ...]
    steps: FloatArray
    multiples: FloatArray
    value: float
    down: FloatArray
    up: FloatArray
    rounding: FloatArray
    tolerance: float

    @property
    def heuristic(self) -> FloatArray:
        """H, the mean of both moves less the present P&L, shape (rows, sizes)."""
        return np.asarray(0.5 * ((self.down - self.value) + (self.up - self.value)))

    @property
    def move(self) -> FloatArray:
        """Larger of the two moves of the P&L, |f(x ± Δ) − f(x)|, shape (rows, sizes)."""
        return np.maximum(np.abs(self.down - self.value), np.abs(self.up - self.value))

    @property
    def relative(self) -> FloatArray:
        """H relative to the larger move, in [−1, 1], shape (rows, sizes); NaN where the P&L does not move."""
        move = self.move
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(move > 0.0, self.heuristic / move, np.nan))

    @property
    def limit(self) -> FloatArray:
        """Size of H up to which it counts as 0: rounding, and the tolerated share of the move, shape (rows, sizes)."""
        return np.asarray(self.rounding + self.tolerance * self.move)

    @property
    def verdicts(self) -> tuple[tuple[FragilityVerdict, ...], ...]:
        """Verdict on each row at each size of move."""
        pairs = zip(self.heuristic.tolist(), self.limit.tolist(), strict=True)
        return tuple(tuple(_verdict(h, limit) for h, limit in zip(*row, strict=True)) for row in pairs)

    @property
    def verdict(self) -> FragilityVerdict:
        """Verdict on the last row, the joint move: fragile if it is at any size, else antifragile if it is at any."""
        return self.verdict_on(self.factors[-1])

    @property
    def growth(self) -> FloatArray:
        """Power of the step with which H grows from the smallest to the largest size, shape (rows,).

        It is 2 for a quadratic P&L and higher where harm or gain accelerates; NaN where H is 0 up to rounding at one of
        the two sizes or changes its sign, or there is one size only.
        """
        h, powers = self.heuristic, np.full(len(self.factors), np.nan)
        first, last = h[:, 0], h[:, -1]
        limit = self.limit
        known = (np.abs(first) > limit[:, 0]) & (np.abs(last) > limit[:, -1]) & (np.sign(first) == np.sign(last))
        if len(self.multiples) > 1:
            powers[known] = np.log(last[known] / first[known]) / math.log(self.multiples[-1] / self.multiples[0])
        return powers

    def verdict_on(self, factor: str) -> FragilityVerdict:
        """Return the verdict on one row over all sizes: fragile if it is at any, else antifragile if it is at any.

        Parameters
        ----------
        factor : str
            Name of the row, one of `factors`.

        Raises
        ------
        ModelError
            There is no such row; the message lists them.
        """
        if factor not in self.factors:
            raise ModelError(f"no factor {factor!r}; choose one of {', '.join(self.factors)}", name=factor)
        found = self.verdicts[self.factors.index(factor)]
        either = (FragilityVerdict.FRAGILE, FragilityVerdict.ANTIFRAGILE)
        return next((verdict for verdict in either if verdict in found), FragilityVerdict.ROBUST)

    def to_table(self) -> Table:
        """Return a table with a row for each factor and size of move."""
        from bank_python.mntable import Table

        kinds = [("factor", str), ("step", float | None), ("multiple", float), ("down", float), ("up", float)]
        kinds += [("heuristic", float), ("relative", float | None), ("verdict", str)]
        return Table.from_rows(kinds, self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of :meth:`to_table` as dictionaries."""
        h, relative, verdicts = self.heuristic, self.relative, self.verdicts
        return [
            {
                "factor": factor,
                "step": _known(self.steps[i]),
                "multiple": float(self.multiples[k]),
                "down": float(self.down[i, k]),
                "up": float(self.up[i, k]),
                "heuristic": float(h[i, k]),
                "relative": _known(relative[i, k]),
                "verdict": verdicts[i][k].value,
            }
            for i, factor in enumerate(self.factors)
            for k in range(len(self.multiples))
        ]

    def _draw_(self, axes: Axes) -> None:
        """Draw H by the size of the move, a line for each row."""
        for factor, row, style in zip(self.factors, self.heuristic, line_styles(len(self.factors)), strict=True):
            axes.plot(self.multiples, row, label=literal(factor), **style)
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set(xlabel="multiple of the step", ylabel="H", title=f"Fragility heuristic: {self.verdict.value}")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_fragility import fragility_view

        return fragility_view(self)


@guessable
@admits(ModelError)
def fragility(
    pnl_function: Callable[..., Any],
    at: ArrayLike,
    step: ArrayLike,
    *,
    multiples: ArrayLike = MULTIPLES,
    joint: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    tolerance: float = NINE_DIGITS,
    vectorized: bool = False,
) -> Fragility:
    """Return the second-order heuristic of a P&L around its present inputs, for each factor and for all together.

    Parameters
    ----------
    pnl_function : callable
        P&L as a function of its input: of a number if `at` is a number, else of an array of shape (factors,).
    at : float or array_like, shape (factors,)
        Present input, or inputs; finite.
    step : float or array_like, shape (factors,)
        Size of a move of each factor, above 0, in the unit of the factor.
    multiples : array_like, shape (sizes,), default (0.5, 1, 2)
        Multiples of the step that are tried, above 0.
    joint : array_like, shape (factors,), optional
        Direction and weight of each factor in the joint move, in steps: (1, −1) for a spot that rises while a
        volatility falls; all 1 if omitted.
    names : sequence of str, length factors, optional
        Names of the factors; "x", or "x0", "x1" … if omitted.
    tolerance : float, default 1e-9
        Share of the P&L's own move up to which H counts as 0, in [0, 1): 0.01 calls a P&L robust that is linear to
        one per cent.
    vectorized : bool, default False
        Whether the function takes all points in one call, as an array of shape (points,) or (factors, points), and
        returns one of shape (points,).

    Raises
    ------
    ModelError
        An argument is out of range, the shapes do not match, a move is lost in the rounding of an input, or the
        function does not return a finite number; the message says at which input.

    Examples
    --------
    >>> both = fragility(lambda x: x[0] * x[1], at=[2.0, 3.0], step=0.1, names=["quantity", "price"])
    >>> both.factors, [both.verdict_on(name).value for name in both.factors]
    (('quantity', 'price', 'joint'), ['robust', 'robust', 'antifragile'])
    """
    x = figures_in_range("at", at, ModelError)
    if x.ndim > 1 or not x.size:
        raise ModelError(f"at has shape {x.shape}; give a number, or one number for each factor", name="at")
    k = np.unique(figures_in_range("multiples", multiples, ModelError, above=0.0).reshape(-1))
    if not k.size:
        raise ModelError("multiples is empty; give one multiple of the step or more", name="multiples")
    number_in_range("tolerance", tolerance, ModelError, least=0.0)
    if tolerance >= 1.0:
        raise ModelError(f"tolerance={tolerance!r} is not below 1; give a share of the P&L's move", name="tolerance")
    centre = x.reshape(-1)
    sizes = _for_each("step", figures_in_range("step", step, ModelError, above=0.0), len(centre))
    moves = _directions(sizes, joint)
    shifts = moves[:, None, :] * k[:, None]
    points = np.concatenate(
        [centre[None], (centre - shifts).reshape(-1, x.size), (centre + shifts).reshape(-1, x.size)]
    )
    _require_moved(points, centre, shifts)
    values = _evaluated(pnl_function, points, vectorized=vectorized, scalar=x.ndim == 0)
    down, up = values[1:].reshape(2, len(moves), len(k))
    labels = _labels(names, len(centre), scalar=x.ndim == 0)
    steps = sizes if len(moves) == len(sizes) else np.append(sizes, np.nan)
    rounding = _rounding(values[0], down, up, centre, shifts)
    return Fragility(labels, steps, k, float(values[0]), down, up, rounding, float(tolerance))


def _verdict(h: float, limit: float) -> FragilityVerdict:
    if abs(h) <= limit:
        return FragilityVerdict.ROBUST
    return FragilityVerdict.FRAGILE if h < 0.0 else FragilityVerdict.ANTIFRAGILE


def _known(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def _for_each(name: str, given: FloatArray, count: int) -> FloatArray:
    """Return one figure for each factor, from one for all or one for each."""
    if given.ndim > 1 or given.size not in {1, count}:
        raise ModelError(f"{name} has shape {given.shape} for {count} factors; give one number, or one each", name=name)
    return np.array(np.broadcast_to(given.reshape(-1), (count,)))


def _directions(sizes: FloatArray, joint: ArrayLike | None) -> FloatArray:
    """Return the moves at a multiple of one, shape (rows, factors): each factor alone, and then all together."""
    if len(sizes) == 1:
        if joint is not None:
            raise ModelError("joint was given for one factor; leave it out", name="joint")
        return sizes[:, None]
    weights = np.ones(1) if joint is None else figures_in_range("joint", joint, ModelError)
    together = sizes * _for_each("joint", weights, len(sizes))
    if not together.any():
        raise ModelError("joint is 0 for all factors; give a weight for one of them", name="joint")
    return np.vstack([np.diag(sizes), together])


def _labels(names: Sequence[str] | None, count: int, *, scalar: bool) -> tuple[str, ...]:
    if names is None:
        names = ["x"] if scalar else [f"x{i}" for i in range(count)]
    if len(names) != count or len(set(names)) != count or JOINT in names:
        raise ModelError(
            f"names={list(names)!r:.80} for {count} factors; give each a name of its own other than {JOINT!r}",
            name="names",
        )
    return (*names, JOINT) if count > 1 else tuple(names)


def _require_moved(points: FloatArray, centre: FloatArray, shifts: FloatArray) -> None:
    """Raise an error if a factor moved by a step is the same number as before, or no number at all."""
    wanted = np.concatenate([np.zeros((1, len(centre))), *2 * [shifts.reshape(-1, len(centre))]]) != 0.0
    lost = (wanted & (points == centre)) | ~np.isfinite(points)
    if lost.any():
        i = int(np.argwhere(lost)[0, 1])
        raise ModelError(
            f"a step of {np.abs(shifts[..., i]).max():g} from {float(centre[i])!r} is lost in rounding or overflows; "
            "give a step that the input can resolve",
            name="step",
            value=float(centre[i]),
        )


def _evaluated(function: Callable[..., Any], points: FloatArray, *, vectorized: bool, scalar: bool) -> FloatArray:
    """Return the P&L at each point; `points` has shape (points, factors)."""
    if vectorized:
        found = np.asarray(function(points[:, 0] if scalar else points.T.copy()))
        if found.shape != (len(points),) or found.dtype.kind not in "biuf":
            raise ModelError(
                f"the P&L function returned {found.dtype} of shape {found.shape} for {len(points)} points; return one "
                "number for each, or leave out vectorized=",
                value=found.shape,
            )
        values = found.astype(np.float64)
    else:
        inputs = points[:, 0].tolist() if scalar else points.copy()
        values = np.array([_number(function(point), point) for point in inputs])
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        where = points[bad[0]].tolist()
        raise ModelError(
            f"the P&L function returned {float(values[bad[0]])!r} at {where[0] if scalar else where!r:.80}; it has to "
            "be finite there: give a smaller step",
            value=float(values[bad[0]]),
        )
    return values


def _number(value: Any, point: object) -> float:
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise ModelError(
            f"the P&L function returned {value!r:.60} at {point!r:.60}; return one number, the P&L at this input",
            value=value,
        )
    return float(array.reshape(-1)[0])


def _rounding(value: float, down: FloatArray, up: FloatArray, centre: FloatArray, shifts: FloatArray) -> FloatArray:
    """Return the rounding error of H: that of the values, and that of the inputs times the slope."""
    largest = np.maximum(np.abs(value), np.maximum(np.abs(down), np.abs(up)))
    slope = np.maximum(np.abs(down - value), np.abs(up - value))
    size = np.abs(shifts)
    with np.errstate(divide="ignore", invalid="ignore"):
        inputs = np.where(size > 0.0, (np.abs(centre) + size) / size, 0.0).max(axis=2)
    return np.asarray(_VALUE_ROUNDING * largest + _ARGUMENT_ROUNDING * inputs * slope)
