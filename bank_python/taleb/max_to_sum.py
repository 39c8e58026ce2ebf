r"""Ratio of the largest value to the sum: whether one observation makes up a moment of the sample.

For a power p, the ratio of the maximum to the sum after n observations is

.. math:: R_n(p) = \frac{\max_{i \le n} |X_i|^p}{\sum_{i \le n} |X_i|^p} .

It converges to 0 with probability 1 if and only if the moment of order p is finite (O'Brien). At p = 1 it therefore
tells of the mean, at p = 2 of the variance, at p = 4 of the kurtosis. A curve that does not come down, or jumps again
and again, is evidence against the moment; one that comes down shows only that no large observation has come yet.

Examples
--------
>>> returns = np.random.default_rng(0).standard_t(3, 5_000)
>>> round(max_to_sum(returns), 4), round(max_to_sum(returns, 4), 2)  # a variance, and no fourth moment
(0.0418, 0.36)

References
----------
G. L. O'Brien, "A limit theorem for sample maxima and heavy branches in Galton-Watson trees", Journal of Applied
Probability 17 (1980), 539-545.

P. Embrechts, C. Klüppelberg and T. Mikosch, *Modelling Extremal Events* (1997), section 6.2.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import ModelError
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.plotting import Plotted, legend_beside, line_styles
from bank_python.results import Tabular
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["MaxToSumCurves", "max_to_sum", "max_to_sum_curves"]

_UNDERFLOW = 1e-280  # sums below it may have lost digits


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MaxToSumCurves(Plotted, Tabular):
    """Ratios of the maximum to the sum as observations come in; returned by :func:`max_to_sum_curves`.

    Parameters
    ----------
    powers : tuple of float
        Orders of the moments.
    ratios : ndarray, shape (n_powers, n)
        Ratio after each observation, in [0, 1]; 0 as long as all observations are 0.
    """

    powers: tuple[float, ...]
    ratios: FloatArray

    @property
    def n_observations(self) -> int:
        """Number of observations."""
        return len(self.ratios[0])

    @property
    def final(self) -> dict[float, float]:
        """Ratio after the last observation by power."""
        return dict(zip(self.powers, self.ratios[:, -1].tolist(), strict=True))

    def to_table(self) -> Table:
        """Return a table with a row for each number of observations and a column for each power."""
        from bank_python.mntable import Table

        names = ("observations", *(f"p={power:g}" for power in self.powers))
        rows = zip(range(1, self.n_observations + 1), *self.ratios.tolist(), strict=True)
        schema = [(names[0], int), *((name, float) for name in names[1:])]
        return Table.from_rows(schema, [dict(zip(names, row, strict=True)) for row in rows])

    def _draw_(self, axes: Axes) -> None:
        """Draw the ratio of each power over the number of observations."""
        at = np.arange(1, self.n_observations + 1)
        styles = line_styles(len(self.powers))
        for power, ratio, style in zip(self.powers, self.ratios, styles, strict=True):
            axes.plot(at, ratio, label=f"p = {power:g}", **style)
        axes.set(ylim=(0.0, 1.0), xlabel="observations", ylabel="maximum / sum", title="Maximum to sum of |x|ᵖ")
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_tails import max_to_sum_view

        return max_to_sum_view(self)


@admits(ModelError)
def max_to_sum(x: ArrayLike, p: float = 2.0) -> float:
    """Return the share of the largest value in the sum of the absolute values to the power p.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in any unit; finite. Signs do not count.
    p : float, default 2
        Order of the moment, above 0: 1 tells of the mean, 2 of the variance.

    Returns
    -------
    float
        Ratio in [1/n, 1]; 0 for a sample of zeros, whose moments are all 0.

    Raises
    ------
    ModelError
        A value is not finite, or `p` is out of range.
    CalibrationError
        There are no values.
    """
    power = number_in_range("p", p, ModelError, above=0.0)
    sizes = np.abs(read_sample(x, name="x"))
    largest = float(sizes.max())
    # Scaled by the largest, no power overflows.
    return 1.0 / float(_raised(sizes / largest, power).sum()) if largest > 0.0 else 0.0


@admits(ModelError)
def max_to_sum_curves(x: ArrayLike, powers: Sequence[float] = (1, 2, 3, 4)) -> MaxToSumCurves:
    """Return the ratio of the maximum to the sum after each observation, for several powers.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample in the order in which it was observed; finite. Signs do not count.
    powers : sequence of float, default (1, 2, 3, 4)
        Orders of the moments, above 0.

    Raises
    ------
    ModelError
        A value is not finite, or a power is out of range.
    CalibrationError
        There are no values.
    """
    known = figures_in_range("powers", list(powers), ModelError, above=0.0).tolist()
    sizes = np.abs(read_sample(x, name="x"))
    highest = np.maximum.accumulate(sizes)
    return MaxToSumCurves(tuple(known), np.array([_ratios(sizes, highest, power) for power in known]))


def _ratios(sizes: FloatArray, highest: FloatArray, power: float) -> FloatArray:
    """Return the ratio after each observation."""
    ratios = np.zeros(len(sizes))
    end = len(sizes)
    while end and highest[end - 1] > 0.0:
        scale = highest[end - 1]
        sums = np.cumsum(_raised(sizes[:end] / scale, power))
        first = int(np.count_nonzero(sums < _UNDERFLOW))
        ratios[first:end] = _raised(highest[first:end] / scale, power) / sums[first:]
        end = first  # before it, all is so small beside the largest that powers underflow: scaled by less
    return ratios


def _raised(sizes: FloatArray, power: float) -> FloatArray:
    """Return sizes to a power, by products where it is small and whole, which is ten times as fast."""
    products = {1.0: 0, 2.0: 1, 3.0: 2, 4.0: 3}.get(power)
    if products is None:
        return np.asarray(sizes**power)
    raised = sizes
    for _ in range(products):
        raised = raised * sizes
    return raised
