r"""Share of a correlation matrix that is noise: eigenvalues within the band of Marchenko and Pastur.

The sample correlation matrix of T independent returns of N assets that are *not* correlated has eigenvalues that are
not 1. For large N and T with q = N/T they fill the band between the edges

.. math:: \lambda_\pm = s\,(1 \pm \sqrt q)^2

with s = 1 and the density

.. math:: f(\lambda) = \frac{\sqrt{(\lambda_+ - \lambda)(\lambda - \lambda_-)}}{2\pi q s \lambda} , \qquad
          \lambda_- \le \lambda \le \lambda_+ ,

and a share 1 − 1/q of zeros if q > 1. An eigenvalue above the upper edge is not explained by noise. The share of noise
is the sum of the eigenvalues not above the edge, over N.

Eigenvalues above the edge take up a part of the total variance N, so what is left for noise is less than 1 a dimension.
With s = 1 the share of noise is therefore an upper bound. Laloux and others take s = 1 − λ₁/N, without the part of the
largest eigenvalue, the market; :attr:`MarchenkoPastur.without_market` is the reading with it. To go on removing
eigenvalues until none is left above the edge is no remedy: where assets differ, it ends with almost none.

Examples
--------
>>> rng = np.random.default_rng(5)
>>> returns = rng.standard_normal((250, 50))
>>> found = marchenko_pastur(returns)
>>> round(found.lower, 4), round(found.upper, 4), found.signals, found.noise_share
(0.3056, 2.0944, 0, 1.0)
>>> common = marchenko_pastur(returns + rng.standard_normal((250, 1)))  # a common factor
>>> common.signals, round(common.noise_share, 2)
(1, 0.52)

References
----------
V. A. Marčenko and L. A. Pastur, "Distribution of eigenvalues for some sets of random matrices", Mathematics of the
USSR-Sbornik 1 (1967), 457-483.

L. Laloux, P. Cizeau, J.-P. Bouchaud and M. Potters, "Noise dressing of financial correlation matrices", Physical Review
Letters 83 (1999), 1467-1470.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.ranges import figures_in_range, number_in_range
from bank_python.numerics.tolerances import LAST_DIGITS, NINE_DIGITS
from bank_python.plotting import Plotted
from bank_python.results import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["MarchenkoPastur", "marchenko_pastur", "marchenko_pastur_edges"]

_PAIR = 2
_POINTS = 400


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MarchenkoPastur(Plotted, Tabular):
    """Eigenvalues of a sample correlation matrix against those of noise; returned by :func:`marchenko_pastur`.

    Parameters
    ----------
    eigenvalues : ndarray, shape (assets,)
        Eigenvalues of the correlation matrix, descending; their sum is the number of assets.
    observations : int
        Number of observations behind the matrix.
    variance : float
        Variance s of the noise, per dimension.
    """

    eigenvalues: FloatArray
    observations: int
    variance: float

    @property
    def ratio(self) -> float:
        """Number of assets over the number of observations, q."""
        return len(self.eigenvalues) / self.observations

    @property
    def lower(self) -> float:
        """Lower edge of the noise band."""
        return self.variance * (1.0 - math.sqrt(self.ratio)) ** 2

    @property
    def upper(self) -> float:
        """Upper edge of the noise band."""
        return self.variance * (1.0 + math.sqrt(self.ratio)) ** 2

    @property
    def signals(self) -> int:
        """Number of eigenvalues above the noise band."""
        return int((self.eigenvalues > self.upper).sum())

    @property
    def noise_share(self) -> float:
        """Share of the total variance in eigenvalues not above the noise band, in (0, 1]."""
        above = self.eigenvalues > self.upper
        return 1.0 - float(self.eigenvalues[above].sum()) / len(self.eigenvalues)

    @property
    def noise_count_share(self) -> float:
        """Share of the number of eigenvalues that are not above the noise band."""
        return 1.0 - self.signals / len(self.eigenvalues)

    @property
    def without_market(self) -> MarchenkoPastur:
        """Same eigenvalues against noise with the variance that the largest of them leaves, 1 − λ₁/N."""
        return replace(self, variance=max(1.0 - float(self.eigenvalues[0]) / len(self.eigenvalues), 0.0))

    def density(self, at: ArrayLike) -> FloatArray:
        """Return the density of the eigenvalues of noise; for q above 1, of those that are not 0, times 1/q.

        Parameters
        ----------
        at : array_like
            Eigenvalues; the density is 0 outside the noise band.
        """
        x = np.asarray(at, dtype=np.float64)
        inside = np.maximum((self.upper - x) * (x - self.lower), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            f = np.sqrt(inside) / (2.0 * math.pi * self.ratio * self.variance * x)
        return np.asarray(np.where(inside > 0.0, f, 0.0))

    def to_table(self) -> Table:
        """Return a table with a row for each eigenvalue: its share of the variance, and whether it is noise."""
        from bank_python.mntable import Table

        rows = [
            {"rank": i, "eigenvalue": value, "share": value / len(self.eigenvalues), "noise": value <= self.upper}
            for i, value in enumerate(self.eigenvalues.tolist(), 1)
        ]
        return Table.from_rows([("rank", int), ("eigenvalue", float), ("share", float), ("noise", bool)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the eigenvalues as a histogram, with the density of noise and its upper edge."""
        shown = self.eigenvalues[self.eigenvalues <= 2.0 * self.upper]
        if shown.size and np.ptp(shown) > 0.0:
            axes.hist(shown, bins=min(40, max(8, len(shown) // 2)), density=True, color="0.75", label="eigenvalues")
        x = np.linspace(self.lower, self.upper, _POINTS)
        axes.plot(x, self.density(x), label="noise (Marchenko–Pastur)")
        axes.axvline(self.upper, color="black", linestyle=":", label="upper edge")
        beyond = len(self.eigenvalues) - len(shown)
        more = f"; {beyond} larger not shown" if beyond else ""
        title = f"{self.noise_share:.0%} of the variance is within noise"
        axes.set(xlabel=f"eigenvalue{more}", ylabel="density", title=title)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_fragility import marchenko_pastur_view

        return marchenko_pastur_view(self)


@admits(ModelError)
def marchenko_pastur_edges(assets: int, observations: int, variance: float = 1.0) -> tuple[float, float]:
    """Return the edges of the band of eigenvalues of noise, s (1 ∓ √(N/T))².

    Parameters
    ----------
    assets, observations : int
        Numbers of assets N and of observations T, above 0.
    variance : float, default 1
        Variance s of the noise, above 0.

    Raises
    ------
    ModelError
        A number is not above 0.

    Examples
    --------
    >>> [round(edge, 6) for edge in marchenko_pastur_edges(50, 250)]
    [0.305573, 2.094427]
    """
    for name, value in (("assets", assets), ("observations", observations), ("variance", variance)):
        figures_in_range(name, value, ModelError, above=0.0)
    root = math.sqrt(assets / observations)
    return variance * (1.0 - root) ** 2, variance * (1.0 + root) ** 2


@guessable
@admits(ModelError)
def marchenko_pastur(returns: ArrayLike, *, observations: int | None = None, variance: float = 1.0) -> MarchenkoPastur:
    """Return which part of a correlation matrix is within the band of eigenvalues of noise.

    Parameters
    ----------
    returns : array_like, shape (n_obs, n_assets)
        Returns per period, finite, of two assets or more; or, with `observations`, a correlation matrix of shape
        (n_assets, n_assets).
    observations : int, optional
        Number of observations behind a correlation matrix that is given in place of returns.
    variance : float, default 1
        Variance s of the noise, per dimension, above 0.

    Raises
    ------
    CalibrationError
        There are fewer than two assets or observations, a figure is not finite, an asset does not vary, or a matrix is
        no correlation matrix.
    ModelError
        The variance is not above 0.

    Notes
    -----
    The band is that of independent returns with finite variance. Fat tails and clustered volatility widen it: some
    eigenvalues above the edge may still be noise. For finite N the largest eigenvalue of noise exceeds the edge in
    about one sample of six, by an amount of the order of N^(−2/3).
    """
    given = np.asarray(returns, dtype=np.float64)
    if given.ndim != 2 or min(given.shape) < _PAIR:  # noqa: PLR2004 - periods by assets
        raise CalibrationError(f"figures of shape {given.shape}: give two periods and two assets or more", value=None)
    figures_in_range("returns", given, CalibrationError)
    if observations is None:
        correlation, count = _correlation(given), len(given)
    else:
        correlation, count = _checked(given), observations
        figures_in_range("observations", count, CalibrationError, least=_PAIR)
    number_in_range("variance", variance, ModelError, above=0.0)
    values = np.maximum(np.linalg.eigvalsh(correlation)[::-1], 0.0)
    values.setflags(write=False)
    return MarchenkoPastur(values, count, float(variance))


def _correlation(returns: FloatArray) -> FloatArray:
    largest = np.abs(returns).max(axis=0)
    scaled = returns / np.where(largest > 0.0, largest, 1.0)  # squares of very small or large returns are no numbers
    centred = scaled - scaled.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    flat = np.flatnonzero(length <= LAST_DIGITS * math.sqrt(len(returns)))
    if flat.size:
        raise CalibrationError(f"asset {flat[0]} does not vary; leave it out", value=int(flat[0]))
    scores = centred / length
    return np.asarray(scores.T @ scores)


def _checked(matrix: FloatArray) -> FloatArray:
    square = matrix.shape[0] == matrix.shape[1]
    if not square or np.abs(matrix - matrix.T).max() > NINE_DIGITS or np.abs(np.diag(matrix) - 1.0).max() > NINE_DIGITS:
        raise CalibrationError(
            f"figures of shape {matrix.shape} are no correlation matrix, which observations= says they are; give a "
            "symmetric one with 1 on the diagonal, or returns alone",
            value=None,
        )
    return matrix
