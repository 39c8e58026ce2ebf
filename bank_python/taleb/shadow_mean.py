r"""Shadow mean: the mean of data that are bounded, but whose bound is so far away that the sample never shows it.

Casualties cannot exceed the world's population H, nor losses the capital at stake, so that all moments exist. In
samples such data look like a power law with an infinite mean, and their sample mean says little. The dual
transformation of Cirillo and Taleb moves the bound to infinity and leaves the small values nearly as they are,

.. math:: z = u - H \log\frac{H - y}{H - u} , \qquad y = H - (H - u)\, e^{-(z - u)/H} ,

so that extreme value theory applies to z: its excesses over u have a generalised Pareto distribution with ξ and β. Back
in the world of y, the mean beyond u is finite whatever ξ is,

.. math:: E[Y \mid Y > u] = u + \frac{H - u}{H} \int_0^\infty e^{-w/H}\Big(1 + \xi\frac w\beta\Big)^{-1/\xi} dw
          = u + (H - u)\, x^{\alpha} e^{x}\, \Gamma(1 - \alpha, x) , \quad \alpha = 1/\xi,\ x = \alpha\beta / H .

The integral is computed by quadrature for ξ of either sign; the closed form is one of the tests.

Examples
--------
>>> losses = 10.0 * np.linspace(0.001, 0.999, 999) ** -1.25  # tail index 0.8: as a power law, without a mean
>>> found = shadow_mean(losses, 1e6, threshold=20.0)
>>> round(found.fit.xi, 2), round(found.sample_mean, 1), round(found.mean, 1)
(1.23, 218.6, 390.6)

References
----------
P. Cirillo and N. N. Taleb, "On the statistical properties and tail risk of violent conflicts", Physica A 452 (2016),
29-45.

P. Cirillo and N. N. Taleb, "Expected shortfall estimation for apparently infinite-mean models of operational risk",
Quantitative Finance 16 (2016), 1485-1494.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.numerics.quadrature import gauss_legendre
from bank_python.numerics.ranges import number_in_range
from bank_python.results import Figures
from bank_python.risk_models.extremes import GpdFit, fit_tail
from bank_python.taleb.sample import read_sample

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["ShadowMean", "bounded_tail_mean", "shadow_mean"]

_FEWEST = 20
_NEGLIGIBLE = 45.0  # exponent beyond which an integrand is below the last digit
_NODES = 20  # of the quadrature, in a unit of the exponent
_LIGHT = 1e-9  # a smaller shape is taken as 0
_MOST_PANELS = 100_000


@dataclass(frozen=True, slots=True)
class ShadowMean(Figures):
    """Mean of bounded data from their fitted tail; returned by :func:`shadow_mean`.

    Parameters
    ----------
    mean : float
        Shadow mean of all data: the sample below the threshold, the fitted tail above.
    sample_mean : float
        Mean of the sample.
    tail_mean : float
        Shadow mean of the data beyond the threshold.
    tail_sample_mean : float
        Mean of the sample beyond the threshold.
    threshold : float
        Value u beyond which the tail is fitted.
    upper_bound : float
        Value H that the data cannot exceed.
    share : float
        Share of the sample beyond the threshold.
    n_observations : int
        Number of observations.
    fit : GpdFit
        Generalised Pareto distribution of the transformed excesses; a shape of 1 or more would be an infinite mean
        without the bound.
    """

    mean: float
    sample_mean: float
    tail_mean: float
    tail_sample_mean: float
    threshold: float
    upper_bound: float
    share: float
    n_observations: int
    fit: GpdFit

    @property
    def ratio(self) -> float:
        """Shadow mean over sample mean."""
        return self.mean / self.sample_mean

    @property
    def verdict(self) -> str:
        """What the means say in a sentence."""
        index = f"tail index {1.0 / self.fit.xi:.2f}" if self.fit.xi > 0.0 else "a tail that is not fat"
        return (
            f"The sample mean is {self.sample_mean:.6g}, the shadow mean {self.mean:.6g} ({self.ratio:.2f} times), by "
            f"{self.fit.excesses:,} points beyond {self.threshold:g} with {index} and the bound {self.upper_bound:g}. "
            "Both depend on the bound and on the fitted tail; neither is a forecast."
        )

    @admits(ModelError)
    def value_at_risk(self, confidence: float) -> float:
        """Return the value that is exceeded with probability 1 − `confidence`, below the bound.

        Parameters
        ----------
        confidence : float
            Probability of a smaller value, from 1 − `share` and below 1.

        Raises
        ------
        ModelError
            `confidence` is not in the tail.
        """
        excess = self._excess(confidence)
        return self.upper_bound - (self.upper_bound - self.threshold) * math.exp(-excess / self.upper_bound)

    @admits(ModelError)
    def expected_shortfall(self, confidence: float) -> float:
        """Return the mean of the values beyond :meth:`value_at_risk`, finite for every shape.

        Parameters
        ----------
        confidence : float
            Probability of a smaller value, from 1 − `share` and below 1.

        Raises
        ------
        ModelError
            `confidence` is not in the tail.
        """
        start = self.value_at_risk(confidence)
        beta = self.fit.beta + self.fit.xi * self._excess(confidence)
        return start + (self.upper_bound - start) * _decay(self.fit.xi, beta / self.upper_bound)

    def _excess(self, confidence: float) -> float:
        """Return the excess of the transformed data at a confidence."""
        if not 1.0 - self.share <= confidence < 1.0:
            raise ModelError(
                f"confidence={confidence!r} is not in the tail, which begins at {1.0 - self.share:g}; lower the "
                "threshold",
                name="confidence",
                value=confidence,
            )
        rarity, xi = -math.log((1.0 - confidence) / self.share), self.fit.xi
        return self.fit.beta * (rarity if abs(xi) < _LIGHT else math.expm1(xi * rarity) / xi)


@admits(ModelError)
def shadow_mean(x: ArrayLike, upper_bound: float, *, threshold: float | None = None, share: float = 0.1) -> ShadowMean:
    """Return the mean of bounded data by the tail of their dual transformation, beside the sample mean.

    Parameters
    ----------
    x : array_like, shape (n,)
        Sample, finite and below `upper_bound`: losses as positive numbers.
    upper_bound : float
        Value H that the data cannot exceed, such as a population or the capital at stake; above 0.
    threshold : float, optional
        Value u beyond which the tail is fitted, at least 0; by default the order statistic with a share `share` of the
        sample beyond it.
    share : float, default 0.1
        Share of the sample in the tail, in (0, 1). Not used if `threshold` is given.

    Raises
    ------
    ModelError
        A number is not finite, or a setting is out of range.
    CalibrationError
        The sample is too small or constant, reaches the bound, or has fewer than ten values beyond the threshold.
    """
    sample = read_sample(x, name="x", fewest=_FEWEST, varying=True)
    number_in_range("upper_bound", upper_bound, ModelError, above=0.0)
    largest = float(sample.max())
    if largest >= upper_bound:
        raise CalibrationError(
            f"the largest value {largest:g} (row {int(sample.argmax())}) reaches upper_bound={upper_bound:g}; give a "
            "bound that cannot be reached",
            name="upper_bound",
            value=upper_bound,
        )
    start = _threshold(sample, threshold, share)
    tail, body = sample[sample > start], sample[sample <= start]
    excesses = -upper_bound * np.log1p(-(tail - start) / (upper_bound - start))
    fit = fit_tail(excesses, threshold=0.0).fit
    reached = len(tail) / len(sample)
    mean = bounded_tail_mean(fit.xi, fit.beta, start, upper_bound)
    return ShadowMean(
        mean=float(body.sum()) / len(sample) + reached * mean,
        sample_mean=float(sample.mean()),
        tail_mean=mean,
        tail_sample_mean=float(tail.mean()),
        threshold=start,
        upper_bound=float(upper_bound),
        share=reached,
        n_observations=len(sample),
        fit=fit,
    )


def _threshold(sample: FloatArray, threshold: float | None, share: float) -> float:
    if threshold is None:
        if not 0.0 < share < 1.0:
            raise ModelError(f"share={share!r} is outside (0, 1); 0.1 is usual", name="share", value=share)
        threshold = float(np.sort(sample)[len(sample) - int(share * len(sample)) - 1])
    number_in_range("threshold", threshold, ModelError, least=0.0, hint="the tail is one of positive numbers")
    beyond = int((sample > threshold).sum())
    if beyond < _FEWEST // 2:
        raise CalibrationError(
            f"{beyond} values are beyond the threshold {threshold:g}; at least {_FEWEST // 2} are needed: lower it",
            name="threshold",
            value=beyond,
        )
    return float(threshold)


@admits(ModelError)
def bounded_tail_mean(xi: float, beta: float, threshold: float, upper_bound: float) -> float:
    """Return the mean beyond a threshold of data whose dual transformation has a generalised Pareto tail.

    Parameters
    ----------
    xi : float
        Shape ξ of the transformed excesses, above −10; a shape of 1 or more is allowed.
    beta : float
        Scale β of the transformed excesses, above 0, in the unit of the data.
    threshold : float
        Threshold u, below `upper_bound`.
    upper_bound : float
        Value H that the data cannot exceed, above 0.

    Raises
    ------
    ModelError
        An argument is out of range.

    Examples
    --------
    >>> round(bounded_tail_mean(0.0, 2.0, 1.0, 100.0), 12)  # exponential: 1 + (100 - 1) * 2 / (2 + 100)
    2.941176470588
    """
    number_in_range("xi", xi, ModelError, above=-10.0, most=10.0)
    number_in_range("beta", beta, ModelError, above=0.0)
    number_in_range("upper_bound", upper_bound, ModelError, above=0.0)
    if not threshold < upper_bound:
        raise ModelError(f"threshold={threshold!r} is not below upper_bound={upper_bound!r}", name="threshold")
    return float(threshold + (upper_bound - threshold) * _decay(xi, beta / upper_bound))


def _decay(xi: float, scale: float) -> float:
    """Return the integral of exp(−w) times a generalised Pareto survival function of w with the given scale.

    With t the exponential variable of the same probability, w = scale·(exp(ξt) − 1)/ξ, it is that of
    scale·exp(−w(t) − (1 − ξ)t) over t, smooth and without the singularity of the density at the end of its range.
    """
    if abs(xi) < _LIGHT:
        return scale / (1.0 + scale)

    def exponent(t: FloatArray) -> FloatArray:
        return np.asarray(scale * np.expm1(xi * t) / xi + (1.0 - xi) * t)

    end = _NEGLIGIBLE / (1.0 - xi) if xi < 1.0 else math.inf
    if xi > 0.0:  # where w alone, less what (ξ − 1)t adds, is beyond the limit
        end = min(end, math.log1p(xi * _far(xi, scale) / scale) / xi)
    panels = max(1, min(_MOST_PANELS, math.ceil(end * max(1.0, 2.0 * abs(xi), abs(1.0 - xi)))))
    rule = gauss_legendre(_NODES)
    width = end / panels
    t = width * (np.arange(panels)[:, None] + 0.5 * (1.0 + rule.nodes))
    return float(scale * 0.5 * width * (np.exp(-exponent(t)) @ rule.weights).sum())


def _far(xi: float, scale: float) -> float:
    """Return a w beyond which exp(−w − (1 − ξ)t) is negligible."""
    if xi <= 1.0:
        return _NEGLIGIBLE
    # (ξ − 1)t is at most log(1 + ξw/scale) (ξ − 1)/ξ
    w = _NEGLIGIBLE
    for _ in range(5):
        w = _NEGLIGIBLE + math.log1p(xi * w / scale) * (xi - 1.0) / xi
    return w
