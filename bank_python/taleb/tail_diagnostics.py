r"""Diagnostics of fat tails: one call for all that a sample of returns says of its tails.

=====================  =============================================================================================
figure                 meaning
=====================  =============================================================================================
``alpha``              tail index of the sizes of returns (Hill): below 4 no kurtosis, at most 2 no variance, at most
                       1 no mean
``left``, ``right``    the same for losses and gains apart, with a generalised Pareto distribution
``kappa``              mean absolute deviation over standard deviation: :math:`\sqrt{2/\pi}` for a Gaussian, below it
                       fat tails
``kappa_n``            Taleb's κ: how slowly a sum becomes Gaussian, 0 for a Gaussian and 1 for a Cauchy distribution
``max_to_sum``         share of the largest square in the sum of squares, towards 0 only if the variance exists
``moments``            evidence on the moments of orders 1 to 4
``power_law``          power law by the method of Clauset, Shalizi and Newman
=====================  =============================================================================================

Examples
--------
>>> returns = 0.01 * np.random.default_rng(1).standard_t(3, 5_000)
>>> found = TailDiagnostics.analyze(returns)
>>> round(found.alpha, 1), round(found.kappa, 2), found.kappa < found.kappa_gaussian
(2.7, 0.66, True)

References
----------
N. N. Taleb, *Statistical Consequences of Fat Tails* (3rd edition, 2025), chapters 3, 8 and 10.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import CalibrationError, ModelError
from bank_python.risk_models.extremes import fit_tail
from bank_python.taleb.ergodicity import ergodicity_gap
from bank_python.taleb.hill import hill
from bank_python.taleb.kappa import kappa_n, mad_over_sd
from bank_python.taleb.max_to_sum import max_to_sum
from bank_python.taleb.moments import MomentEvidence, moment_evidence
from bank_python.taleb.power_law_fit import fit_power_law
from bank_python.taleb.quantile_contribution import quantile_contribution
from bank_python.taleb.sample import is_constant, read_sample, split_tails
from bank_python.taleb.tail_index import tail_index
from bank_python.taleb.tail_report import AnalysedTail, Side, TailReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.risk_models import TailFit
    from bank_python.taleb.ergodicity import ErgodicityGap
    from bank_python.taleb.tail_index import TailIndex

__all__ = ["TailDiagnostics"]

_Result = TypeVar("_Result")

_FEWEST = 10
_FEW = 500  # below, a tail has too few points for an index with two digits
_TOP = 0.01
_ORDERS = (1, 2, 3, 4)
_DEFAULT_POWER = 0.6  # of the sample size: the rule of the reference


class TailDiagnostics:
    """Diagnostics of the tails of a sample of returns; the methods are static.

    Examples
    --------
    >>> returns = 0.01 * np.random.default_rng(1).standard_t(3, 5_000)
    >>> TailDiagnostics.analyze(returns, rule="power").k_tail
    165
    """

    @staticmethod
    @admits(ModelError)
    def analyze(
        returns: ArrayLike,
        *,
        rule: str = "double_bootstrap",
        k: int | None = None,
        seed: int = 0,
        power_law: bool = True,
    ) -> TailReport:
        """Analyse both tails of a sample.

        Parameters
        ----------
        returns : array_like, shape (n_obs,)
            Returns as fractions of 1, or profits in any unit; finite, at least ten.
        rule : str, default "double_bootstrap"
            Rule that chooses the number of largest values; see :func:`bank_python.taleb.choose_k`.
        k : int, optional
            Number of largest values, in place of a rule; the same for each tail.
        seed : int, default 0
            Seed of the rules that draw random numbers.
        power_law : bool, default True
            Whether a power law is fitted by scanning all thresholds.

        Returns
        -------
        TailReport
            Figures, verdict and curves. What could not be computed is None or NaN, with the reason in ``notes``.

        Raises
        ------
        ModelError
            A value is not finite (its row is named), or an argument is out of range.
        CalibrationError
            There are fewer than ten values, or they are all equal to rounding.
        """
        sample = read_sample(returns, fewest=_FEWEST, varying=True)
        tails = split_tails(sample)
        sizes = np.abs(sample[sample != 0.0])
        choice = (rule, k, seed)
        both = _tail(Side.BOTH, sizes, *choice)
        left, right = _tail(Side.LEFT, tails.losses, *choice), _tail(Side.RIGHT, tails.gains, *choice)
        notes = _remarks(sample, tails.zeros, (left, right))
        law = _noted(lambda: fit_power_law(sizes), "power law", notes) if power_law else None
        return TailReport(
            both=both,
            left=left,
            right=right,
            kappa=mad_over_sd(sample),
            kappa_n=kappa_n(sample),
            max_to_sum=max_to_sum(sample),
            top_share=_top_share(sizes, notes),
            contribution=_noted(lambda: quantile_contribution(sizes, _TOP, fit=law), "share of the top", notes)
            if law is not None
            else None,
            moments=_moments(sample, both, notes),
            power_law=law,
            growth=_growth(sample, notes),
            notes=tuple(notes),
            returns=sample,
        )

    @staticmethod
    @admits(ModelError)
    def hill_estimator(sorted_abs_returns: ArrayLike, k: int | None = None) -> tuple[float, float]:
        """Return the tail index of sizes by Hill's estimator, and its standard error.

        Parameters
        ----------
        sorted_abs_returns : array_like, shape (n_obs,)
            Sizes of returns, in any order.
        k : int, optional
            Number of largest sizes; by default n^0.6.

        Returns
        -------
        tuple of float
            Tail index and standard error; NaN for fewer than ten sizes above 0, from which nothing can be said.
        """
        sizes = np.abs(read_sample(sorted_abs_returns, name="sorted_abs_returns"))
        positive = sizes[sizes > 0.0]
        if len(positive) < _FEWEST:
            return math.nan, math.nan
        count = int(len(positive) ** _DEFAULT_POWER) if k is None else k
        alpha = hill(positive, count)
        return alpha, alpha / math.sqrt(count)

    @staticmethod
    @admits(ModelError)
    def kappa_metric(returns: ArrayLike) -> float:
        """Return the mean absolute deviation over the standard deviation; NaN for a constant sample.

        Parameters
        ----------
        returns : array_like, shape (n_obs,)
            Returns; finite.
        """
        sample = read_sample(returns)
        return math.nan if is_constant(sample) else mad_over_sd(sample)

    @staticmethod
    @admits(ModelError)
    def max_to_sum_ratio(returns: ArrayLike, p: float = 2.0) -> float:
        """Return the share of the largest power in the sum of powers; 0 for zeros.

        Parameters
        ----------
        returns : array_like, shape (n_obs,)
            Returns; finite.
        p : float, default 2.0
            Power, above 0: 2 tells of the variance, 1 of the mean.
        """
        return max_to_sum(returns, p)

    def __repr__(self) -> str:
        return "TailDiagnostics()"


def _tail(side: Side, sizes: FloatArray, rule: str, k: int | None, seed: int) -> AnalysedTail:
    """Return one tail, with the reason for what cannot be estimated."""
    reasons: list[str] = []
    if not sizes.size:
        return AnalysedTail(side, 0, None, None, "no index and no GPD: there are no values of that sign")
    index: TailIndex | None = _noted(lambda: tail_index(sizes, rule, k=k, seed=seed), "index", reasons)
    gpd: TailFit | None = _noted(lambda: fit_tail(sizes), "GPD", reasons)
    return AnalysedTail(side, len(sizes), index, gpd, "; ".join(reasons))


def _noted(compute: Callable[[], _Result], name: str, reasons: list[str]) -> _Result | None:
    """Return a result, or None after noting why there is none."""
    try:
        return compute()
    except CalibrationError as error:
        reasons.append(f"no {name}: {error}")
        return None


def _top_share(sizes: FloatArray, notes: list[str]) -> float:
    top = int(len(sizes) * _TOP)
    if not top:
        notes.append(f"{len(sizes):,} sizes are too few for the share of the largest {_TOP:.0%}")
        return math.nan
    ordered = np.sort(sizes)
    return float(ordered[-top:].sum() / ordered.sum())


def _moments(sample: FloatArray, both: AnalysedTail, notes: list[str]) -> tuple[MomentEvidence, ...]:
    index = both.index
    if index is None:
        return ()
    found = _noted(lambda: tuple(moment_evidence(sample, p, index) for p in _ORDERS), "evidence on moments", notes)
    return found or ()


def _growth(sample: FloatArray, notes: list[str]) -> ErgodicityGap | None:
    if float(sample.min()) < -1.0:
        notes.append("growth is left out: a value below -1 is a profit or loss in money, and not a return")
        return None
    return ergodicity_gap(sample)


def _remarks(sample: FloatArray, zeros: int, sides: tuple[AnalysedTail, AnalysedTail]) -> list[str]:
    notes = [f"{side.side.value} tail: {side.reason}" for side in sides if side.reason]
    if len(sample) < _FEW:
        notes.append(f"{len(sample):,} returns are few: the intervals are wide, and may be too narrow still")
    if zeros:
        notes.append(f"{zeros:,} returns are exactly 0 and belong to neither tail")
    repeated = len(sample) - len(np.unique(sample)) - max(zeros - 1, 0)
    if repeated > len(sample) // 10:
        notes.append(f"{repeated:,} of {len(sample):,} returns repeat another one: rounded data blur the thresholds")
    return notes
