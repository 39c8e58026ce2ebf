r"""Power laws fitted to the tail of a sample, after Clauset, Shalizi and Newman.

A sample follows a power law from xmin on if its density there is proportional to a power of x,

.. math:: p(x) = \frac{\alpha - 1}{x_{min}} \Big(\frac x{x_{min}}\Big)^{-\alpha} , \qquad
          P(X > x) = \Big(\frac x{x_{min}}\Big)^{-(\alpha - 1)} ,

and for whole numbers :math:`p(k) = k^{-\alpha} / \zeta(\alpha, x_{min})`. The *tail index*, of which extreme value
theory and Taleb speak, is α − 1: the moments of an order below it exist. Given xmin, α is a maximum likelihood
estimate; xmin is the observed value for which the fitted law is closest to the data at or above it, by the
Kolmogorov–Smirnov distance (:mod:`bank_python.taleb.power_law_scan`).

A fit always succeeds. Whether the power law is plausible is another question, for :meth:`PowerLawFit.p_value`, and
whether another law does as well a third, for :meth:`PowerLawFit.compare`.

Examples
--------
>>> sample = (1.0 - (np.arange(1000) + 0.5) / 1000.0) ** (-1.0 / 2.5)  # quantiles of a power law with tail index 2.5
>>> fit = fit_power_law(sample)
>>> round(fit.alpha, 2), round(fit.xmin, 2), round(fit.tail_index, 2), fit.n_tail
(3.5, 1.0, 2.5, 1000)

References
----------
A. Clauset, C. R. Shalizi and M. E. J. Newman, "Power-law distributions in empirical data", SIAM Review 51 (2009),
661-703.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.zeta import scaled_zeta
from bank_python.plotting import Plotted, logarithmic
from bank_python.results import Figures
from bank_python.taleb.power_law_scan import closest_tail, tails_of
from bank_python.taleb.power_law_tests import compare_laws, goodness_of_fit
from bank_python.taleb.sample import is_constant, read_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray, Numbers
    from bank_python.taleb.power_law_tests import GoodnessOfFit, PowerLawComparison

__all__ = ["PowerLawFit", "fit_power_law"]

_FEWEST = 10
_RELIABLE = 50  # points in the tail from which the bias of the exponent is about 1%, by the authors' section 3.1
_LARGEST_WHOLE = 2.0**53
_FINE = 100.0  # start of a tail from which steps of 1 are at most 1%, so that whole numbers are as good as continuous
_MOMENTS = ((1.0, "mean"), (2.0, "variance"), (4.0, "kurtosis"))
_SHOWN = 2_000  # points of a picture


@dataclass(frozen=True, slots=True, repr=False)
class PowerLawFit(Plotted, Figures):
    """A power law fitted to the tail of a sample; returned by :func:`fit_power_law`.

    Parameters
    ----------
    alpha : float
        Exponent of the density, above 1.
    alpha_se : float
        Standard error of the exponent for a given `xmin`: the choice of `xmin` adds to it.
    tail_index : float
        Exponent of the survival function, `alpha` − 1: moments of an order below it exist.
    xmin : float
        Value from which the power law applies, in the unit of the data.
    n_tail : int
        Number of observations of at least `xmin`.
    n_observations : int
        Number of observations in all.
    distance : float
        Kolmogorov–Smirnov distance between the fit and the tail.
    log_likelihood : float
        Log-likelihood of the tail.
    discrete : bool
        Whether the data were taken as whole numbers.
    is_xmin_given : bool
        Whether `xmin` was an argument and not estimated.
    sample : ndarray, shape (n_observations,)
        Observations in increasing order; read-only, and not among the exported figures.
    """

    alpha: float
    alpha_se: float
    tail_index: float
    xmin: float
    n_tail: int
    n_observations: int
    distance: float
    log_likelihood: float
    discrete: bool
    is_xmin_given: bool
    sample: FloatArray = field(repr=False, compare=False)

    @property
    def tail(self) -> FloatArray:
        """Observations of at least `xmin`, in increasing order."""
        return self.sample[len(self.sample) - self.n_tail :]

    @admits(ModelError)
    def survival(self, x: ArrayLike) -> Numbers:
        """Return the probability of a value above `x` in the whole sample, by the fitted power law.

        Parameters
        ----------
        x : array_like
            Values of at least `xmin`, in the unit of the data.

        Raises
        ------
        ModelError
            A value is below `xmin`, where the power law says nothing, or NaN.
        """
        at = np.asarray(x, dtype=np.float64)
        if not (at >= self.xmin).all():
            raise ModelError(f"x={x!r:.60} is not at least xmin={self.xmin:g}, where the power law begins", name="x")
        share = self.n_tail / self.n_observations
        found = share * self._beyond(at)
        return found if found.ndim else float(found)

    def _beyond(self, x: FloatArray) -> FloatArray:
        """Return the probability of a value above x within the tail."""
        if not self.discrete:
            return np.asarray((x / self.xmin) ** -self.tail_index)
        following = np.floor(x) + 1.0
        ratio = scaled_zeta(self.alpha, following)[0] / scaled_zeta(self.alpha, self.xmin)[0]
        return np.asarray((following / self.xmin) ** -self.alpha * ratio)

    @admits(ModelError)
    def p_value(
        self,
        n_simulations: int = 1_000,
        seed: int = 0,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> float:
        """Return the probability that a sample of the fitted power law is farther from its own fit than the data are.

        Parameters
        ----------
        n_simulations : int, default 1,000
            Number of simulated samples, at least 10: the standard error is at most 0.5/√n.
        seed : int, default 0
            Seed of the simulation.
        progress : callable, optional
            Function of the completed and the total number of samples, called after each.

        Notes
        -----
        The authors take 0.1 and below as evidence against the power law. A large p-value of a small tail is no evidence
        for it. :meth:`goodness_of_fit` gives the standard error and the distances as well.

        Raises
        ------
        ModelError
            A setting is out of range.
        """
        return self.goodness_of_fit(n_simulations, seed, progress=progress).p_value

    @admits(ModelError)
    def goodness_of_fit(
        self,
        n_simulations: int = 1_000,
        seed: int = 0,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> GoodnessOfFit:
        """Return the test of :meth:`p_value` with its standard error; the parameters are the same."""
        return goodness_of_fit(self, n_simulations, seed, progress)

    @admits(ModelError)
    def compare(self, law: str = "lognormal") -> PowerLawComparison:
        """Return Vuong's test of the power law against another law of the same tail.

        Parameters
        ----------
        law : str, default "lognormal"
            Name of the other law: ``lognormal``, ``stretched_exponential``, ``exponential`` or
            ``truncated_power_law`` (with an exponential cutoff).

        Raises
        ------
        ModelError
            There is no such law.
        """
        return compare_laws(self, law)

    @property
    def verdict(self) -> str:
        """What the fit says in a sentence, and what it does not."""
        missing = [word for order, word in _MOMENTS if self.tail_index <= order]
        moments = f"no finite {' or '.join(missing)}" if missing else "finite mean, variance and kurtosis"
        few = f"; only {self.n_tail} points are in the tail" if self.n_tail < _RELIABLE else ""
        return (
            f"From {self.xmin:g} on ({self.n_tail:,} of {self.n_observations:,} points) the survival function falls "
            f"with a power of {self.tail_index:.2f} ± {self.alpha_se:.2f}, given that start: if that went on, "
            f"{moments}{few}. Whether it is a power law is for p_value() and compare() to say."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures by name, without the sample."""
        return {name: value for name, value in super(PowerLawFit, self).to_dict().items() if name != "sample"}

    def _draw_(self, axes: Axes) -> None:
        """Draw the survival function of the sample and of the fit, both axes logarithmic."""
        values, first = np.unique(self.sample[self.sample > 0.0], return_index=True)
        zeros = int((self.sample <= 0.0).sum())
        shares = 1.0 - (first + zeros) / self.n_observations
        some = np.unique(np.geomspace(1.0, len(values), _SHOWN).astype(np.int64))
        axes.plot(values[-some], shares[-some], "o", markersize=3, color="C0", linestyle="", label="data, P(X ≥ x)")
        line = np.geomspace(self.xmin, values[-1], 200)
        at = np.ceil(line) - 1.0 if self.discrete else line
        fitted = (
            self.n_tail / self.n_observations * np.where(at < self.xmin, 1.0, self._beyond(np.maximum(at, self.xmin)))
        )
        axes.plot(line, fitted, color="black", label=f"power law, index {self.tail_index:.2f} ± {self.alpha_se:.2f}")
        axes.axvline(self.xmin, color="0.5", linestyle=":", label=f"xmin {self.xmin:g}, {self.n_tail:,} points")
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
        axes.set(xlabel="x", ylabel="share of the sample at or above x")
        axes.set_title(f"Power law: density exponent {self.alpha:.2f}")
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_power_law import power_law_view

        return power_law_view(self)


@admits(ModelError)
def fit_power_law(x: ArrayLike, *, xmin: float | None = None, discrete: bool | None = None) -> PowerLawFit:
    """Fit a power law to the tail of a sample.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample, at least 0 and finite, at least ten of it above 0: sizes, losses as positive numbers, or absolute
        returns. Zeros count in the shares only.
    xmin : float, optional
        Start of the tail, above 0; by default the observed value with the smallest Kolmogorov–Smirnov distance, all
        of them tried.
    discrete : bool, optional
        Whether the data are whole numbers with probabilities proportional to a power. By default they are if all are
        whole and the tail so fitted begins below 100: above, where steps are less than 1%, the continuous law is used.

    Raises
    ------
    ModelError
        `x` is not one series, or a number is not finite; the first such row is named.
    CalibrationError
        The sample is too small or constant to rounding, or holds a number that is negative or, if `discrete`, not
        whole; or too few points are at or above `xmin`.

    Examples
    --------
    >>> fit_power_law([1, 1, 1, 1, 2, 1, 3, 1, 2, 5, 1, 8], xmin=1).discrete
    True
    """
    ordered = _ordered(x)
    positive = ordered[np.searchsorted(ordered, 0.0, side="right") :]
    is_whole = bool((positive == np.floor(positive)).all()) and float(positive[-1]) < _LARGEST_WHOLE
    if discrete and not is_whole:
        raise CalibrationError("discrete=True, but not all numbers are whole; leave discrete out", name="discrete")
    if discrete is None and is_whole:
        is_coarse = xmin is None or (xmin < _FINE and xmin == math.floor(xmin))
        found = _fitted(ordered, positive, xmin, discrete=True) if is_coarse else None
        if found is not None and found.xmin < _FINE:
            return found
    return _fitted(ordered, positive, xmin, discrete=bool(discrete))


def _fitted(ordered: FloatArray, positive: FloatArray, xmin: float | None, *, discrete: bool) -> PowerLawFit:
    start = None if xmin is None else float(xmin)
    kept = positive if start is None else _from(positive, start, discrete=discrete)
    tails = tails_of(kept, discrete=discrete, start=start)
    found = closest_tail(tails)
    tail = kept[len(kept) - int(tails.sizes[found.start]) :]
    exact = tails_of(tail, discrete=discrete, start=float(tails.starts[found.start]))
    alpha = float(exact.exponents[0])
    return PowerLawFit(
        alpha=alpha,
        alpha_se=exact.standard_error(0),
        tail_index=alpha - 1.0,
        xmin=float(exact.starts[0]),
        n_tail=len(tail),
        n_observations=len(ordered),
        distance=float(exact.gaps_from(0).max()),
        log_likelihood=exact.log_likelihood(0),
        discrete=discrete,
        is_xmin_given=xmin is not None,
        sample=ordered,
    )


def _ordered(x: ArrayLike) -> FloatArray:
    """Return the sample in increasing order, read-only."""
    sample = read_sample(x, name="x").copy()
    bad = np.flatnonzero(sample < 0.0)
    if bad.size:
        raise CalibrationError(
            f"{bad.size:,} of {len(sample):,} numbers are negative, first x[{bad[0]}] = {float(sample[bad[0]])!r}; a "
            "power law is of one side: give absolute values, or losses as positive numbers",
            name="x",
            value=int(bad[0]),
        )
    above = int((sample > 0.0).sum())
    if above < _FEWEST:
        raise CalibrationError(f"{above} numbers are above 0; give at least {_FEWEST}", name="x", value=above)
    sample.sort()
    least = float(sample[len(sample) - above])
    if is_constant(sample[len(sample) - above :]):
        raise CalibrationError(
            f"all numbers above 0 are {least:g} to rounding; there is no tail", name="x", value=least
        )
    sample.setflags(write=False)
    return sample


def _from(positive: FloatArray, xmin: float, *, discrete: bool) -> FloatArray:
    """Return what is at or above a given start, or raise an error."""
    if not (xmin > 0.0 and math.isfinite(xmin)) or (discrete and xmin != math.floor(xmin)):
        wanted = "a whole number above 0, as the data are whole numbers" if discrete else "a finite number above 0"
        raise CalibrationError(
            f"xmin={xmin!r} is not {wanted}; leave it out to have it estimated", name="xmin", value=xmin
        )
    kept = positive[np.searchsorted(positive, xmin) :]
    if len(kept) < _FEWEST or is_constant(np.append(kept, xmin)):
        raise CalibrationError(
            f"{len(kept)} numbers are at or above xmin={xmin:g}; give a start with at least {_FEWEST} that are not all "
            "equal to it",
            name="xmin",
            value=len(kept),
        )
    return kept
