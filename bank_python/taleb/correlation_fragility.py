r"""Fragility of mean-variance portfolios to correlations: how weights move, and whether correlations stay the same.

Three questions are answered together. *How much do the weights move?* All correlations are shifted by δ, with
volatilities and expected returns as they are, and the portfolio is optimised anew. *How much do correlations move?*
The mean and the standard deviation of rolling correlations, beside the standard deviation that sampling alone would
give. *Is that more than chance?* Jennrich's test on windows that do not overlap, with a p-value by resampling (see
:mod:`bank_python.taleb.correlation_windows`).

*Sensitivity.* With weights w(δ) at the shift δ, the sensitivity of asset i is the largest weight change per unit of
correlation change over the shifts,

.. math:: s_i = \max_{\delta \ne 0} \frac{|w_i(\delta) - w_i(0)|}{|\delta|} ,

and the portfolio's (``weight_sensitivity``) the largest of these: 2.0 says that correlations higher by 0.1 moved some
weight by 0.2. A shift beyond the range in which the matrix is a correlation matrix (see
:mod:`bank_python.taleb.correlation_shift`) is replaced by the nearest correlation matrix; |δ| is then the root mean
square of what the correlations did change by. ``local_sensitivities`` are the derivatives at δ = 0, from the optimality
conditions with the present set of assets held.

A portfolio at a corner, with everything in one asset, has a sensitivity of 0 without being robust to its expected
returns; a low risk aversion leads there.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> data = CovarianceData(
...     tickers=["A", "B"], covariance=[[0.04, 0.0342], [0.0342, 0.0361]], expected_returns=[0.081, 0.08]
... )
>>> found = CorrelationFragilityAnalyzer(data).analyze([-0.1, 0.05, 0.2])
>>> found.tickers, found.base_weights.round(3).tolist()
(('A', 'B'), [0.377, 0.623])
>>> round(found.weight_sensitivity, 2), round(found.local_sensitivities["A"], 2), round(found.valid_range[1], 2)
(3.77, -1.22, 0.1)
>>> found.reasons["rolling_corr_std"]
'the data hold no past returns; use CovarianceData.from_returns'

References
----------
H. Markowitz, "Portfolio selection", Journal of Finance 7 (1952), 77-91.

M. J. Best and R. R. Grauer, "On the sensitivity of mean-variance-efficient portfolios to changes in asset means",
Review of Financial Studies 4 (1991), 315-342.

N. N. Taleb, *Statistical Consequences of Fat Tails* (2020), chapter 3: unstable correlations and portfolio theory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from bank_python.admission import admits
from bank_python.errors import BankError, CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics.ranges import figures_in_range
from bank_python.numerics.tolerances import NINE_DIGITS
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.mean_variance import MeanVarianceOptimizer
from bank_python.plotting import Plotted, legend_beside, line_styles, literal, percent
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.taleb.correlation_shift import nearest_shift, shift_range
from bank_python.taleb.correlation_windows import correlation_windows, rolling_correlations
from bank_python.taleb.marchenko_pastur import marchenko_pastur

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.taleb.correlation_windows import CorrelationWindows, RollingCorrelations
    from bank_python.taleb.marchenko_pastur import MarchenkoPastur

__all__ = ["PERTURBATION_DELTAS", "CorrelationFragility", "CorrelationFragilityAnalyzer"]

_Range: TypeAlias = "tuple[float, float]"
_ByShift: TypeAlias = "Mapping[float, str]"
_ByTicker: TypeAlias = "Mapping[str, float]"
_ByName: TypeAlias = "Mapping[str, str]"

PERTURBATION_DELTAS = (-0.3, -0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2, 0.3)
"""Default shifts of all correlations."""

_PURPOSE = "the fragility to correlations"
_NO_RETURNS = "the data hold no past returns; use CovarianceData.from_returns"
_HELD = NINE_DIGITS  # weight above which an asset is held: the optimiser's solutions are exact to nine digits
_MOST_DRAWN = 28


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CorrelationFragility(Plotted, Tabular):
    """Response of a portfolio to correlations, and their stability; returned by :class:`CorrelationFragilityAnalyzer`.

    Parameters
    ----------
    tickers : tuple of str
        Tickers of the assets.
    base_weights : ndarray, shape (n_assets,)
        Optimal weights with the estimated correlations.
    perturbation_deltas : ndarray, shape (n_deltas,)
        Shifts of all correlations.
    perturbed_weights : ndarray, shape (n_deltas, n_assets)
        Optimal weights at each shift; NaN where the optimisation failed, which `failures` explains.
    changes : ndarray, shape (n_deltas,)
        Root mean square of the change of the correlations: |δ|, or less where a matrix was replaced by the nearest.
    distances : ndarray, shape (n_deltas,)
        Distance in the Frobenius norm from the shifted matrix to the nearest correlation matrix; 0 where it is one.
    valid_range : tuple of float
        Smallest and largest shift that leaves a correlation matrix.
    failures : mapping of float to str
        Messages of the failed optimisations by shift.
    local_sensitivities : mapping of str to float
        Derivative of each weight by a shift of all correlations, at 0.
    rolling : RollingCorrelations or None
        Level and instability of the rolling correlations; None where they are not known.
    tests : CorrelationWindows or None
        Tests of equal correlations in windows that do not overlap; None where there are none.
    noise : MarchenkoPastur or None
        Eigenvalues of the correlations of past returns against those of noise; None where they are not known.
    reasons : mapping of str to str
        Reason for each figure that is NaN, by its name.
    """

    tickers: tuple[str, ...]
    base_weights: FloatArray
    perturbation_deltas: FloatArray
    perturbed_weights: FloatArray
    changes: FloatArray
    distances: FloatArray
    valid_range: _Range
    failures: _ByShift
    local_sensitivities: _ByTicker
    rolling: RollingCorrelations | None
    tests: CorrelationWindows | None
    noise: MarchenkoPastur | None
    reasons: _ByName

    @property
    def weight_sensitivities(self) -> dict[str, float]:
        """Largest change of each weight per unit of correlation change, by ticker; NaN without a shift to measure."""
        known = (self.changes > 0.0) & np.isfinite(self.perturbed_weights).all(axis=1)
        if not known.any():
            return dict.fromkeys(self.tickers, math.nan)
        moved = np.abs(self.perturbed_weights[known] - self.base_weights) / self.changes[known, None]
        return dict(zip(self.tickers, moved.max(axis=0).tolist(), strict=True))

    @property
    def weight_sensitivity(self) -> float:
        """Largest of the assets' sensitivities; NaN without a shift to measure."""
        return max(self.weight_sensitivities.values())

    @property
    def rolling_corr_mean(self) -> float:
        """Mean of the rolling correlations over pairs and windows; NaN where `reasons` has one."""
        return math.nan if self.rolling is None else self.rolling.mean

    @property
    def rolling_corr_std(self) -> float:
        """Standard deviation of rolling correlations over time, mean over pairs; NaN where `reasons` has one."""
        return math.nan if self.rolling is None else self.rolling.std

    @property
    def delta_statistic(self) -> float:
        """Jennrich's chi-squared statistic of equal correlations; NaN where `reasons` has one."""
        return math.nan if self.tests is None else self.tests.statistic

    @property
    def p_value(self) -> float:
        """P-value of Jennrich's statistic by the chi-squared distribution; NaN where `reasons` has one."""
        return math.nan if self.tests is None else self.tests.p_value

    @property
    def bootstrap_p_value(self) -> float:
        """P-value of Jennrich's statistic by resampling; NaN where `reasons` has one."""
        return math.nan if self.tests is None else self.tests.bootstrap_p_value

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks on the figures: replaced matrices, failed optimisations, a corner, and which p-value to trust."""
        said = []
        replaced = [f"{delta:+g}" for delta in self.perturbation_deltas[self.distances > 0.0].tolist()]
        if replaced:
            low, high = self.valid_range
            said.append(
                f"shifts {', '.join(replaced)} leave the range [{low:+.3f}, {high:+.3f}] of correlation matrices; the "
                f"nearest one took their place, up to {np.nanmax(self.distances):.3g} away (Frobenius)"
            )
        said += [f"no weights at a shift of {delta:+g}: {why}" for delta, why in self.failures.items()]
        if self.base_weights.max() >= 1.0 - _HELD:
            said.append("all is in one asset: a corner does not move with correlations, and is fragile to its mean")
        if self.tests is not None:
            said.append(
                f"with windows of {self.tests.window} and fat tails the chi-squared p-value rejects too often; the "
                "bootstrap is better, best with windows of 50 or more"
            )
        return tuple(said)

    def to_table(self) -> Table:
        """Return a table with a row for each shift: its change and distance, and the weight of each asset."""
        from bank_python.mntable import Table

        kinds = [("delta", float), ("change", float | None), ("distance", float | None)]
        columns = [f"weight_{ticker}" for ticker in self.tickers]
        rows = [
            {
                "delta": float(delta),
                "change": _or_none(change),
                "distance": _or_none(distance),
                **{name: _or_none(weight) for name, weight in zip(columns, weights, strict=True)},
            }
            for delta, change, distance, weights in zip(
                self.perturbation_deltas, self.changes, self.distances, self.perturbed_weights, strict=True
            )
        ]
        return Table.from_rows([*kinds, *((name, float | None) for name in columns)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the weights by the shift of the correlations, those that move most."""
        deltas = np.append(self.perturbation_deltas, 0.0)
        weights = np.vstack([self.perturbed_weights, self.base_weights])
        order, sensitivities = np.argsort(deltas, kind="stable"), self.weight_sensitivities
        chosen = sorted(range(len(self.tickers)), key=lambda i: -sensitivities[self.tickers[i]])[:_MOST_DRAWN]
        for i, style in zip(chosen, line_styles(len(chosen)), strict=True):
            axes.plot(deltas[order], weights[order, i], label=literal(self.tickers[i]), **style)
        for end in self.valid_range:
            if deltas.min() <= end <= deltas.max():
                axes.axvline(end, color="0.4", linestyle=":")
        axes.set(xlabel="shift of all correlations", ylabel="weight", title="Weights by shift of correlations")
        percent(axes.yaxis)
        legend_beside(axes)

    def __rich__(self) -> object:
        from bank_python.render_fragility import correlation_fragility_view

        return correlation_fragility_view(self)


@guessable
class CorrelationFragilityAnalyzer:
    """Analysis of how a mean-variance portfolio responds to its correlations, and of how stable these are.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance and expected returns of two risky assets or more; with past returns the stability is tested too.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal. It does not change the weights, which are fully invested.
    risk_aversion : float, default 1
        Risk aversion γ of the portfolio, above 0; the portfolio is long only.

    Raises
    ------
    ModelError
        If `cov_data` has another type, or a parameter is out of range.
    CalibrationError
        If there are no expected returns, an asset has no variance, or there is one asset only.
    """

    @admits(ModelError)
    def __init__(
        self, cov_data: CovarianceData, risk_free_rate: float = RISK_FREE_RATE, *, risk_aversion: float = 1.0
    ) -> None:
        self._data = CovarianceData.checked(cov_data, _PURPOSE)
        self._data.require_risk(_PURPOSE)
        if len(self._data.tickers) < 2:  # noqa: PLR2004 - a pair
            raise CalibrationError(f"{_PURPOSE} of one asset; give two or more", value=1)
        self._rate, self._aversion = risk_free_rate, risk_aversion
        self._optimal(self._data)  # refuses parameters here, not when it is used

    def __repr__(self) -> str:
        return f"CorrelationFragilityAnalyzer({len(self._data.tickers)} assets)"

    @admits(ModelError)
    def analyze(
        self,
        perturbation_deltas: ArrayLike | None = None,
        rolling_window: int = 20,
        *,
        bootstrap: int = 199,
        seed: int = 0,
    ) -> CorrelationFragility:
        """Return the response of the weights to shifts of all correlations, and tests of stable correlations.

        Parameters
        ----------
        perturbation_deltas : array_like, shape (n_deltas,), optional
            Shifts of all correlations, finite; :data:`PERTURBATION_DELTAS` if omitted.
        rolling_window : int, default 20
            Number of observations in a window, at least 4.
        bootstrap : int, default 199
            Number of samples drawn for the bootstrap p-value; 0 for none.
        seed : int, default 0
            Seed of the generator of random numbers.

        Raises
        ------
        ModelError
            A shift is not finite, there is none, or another argument is out of range.

        Notes
        -----
        Figures of stability need past returns in the data; without them, or with too few, they are NaN with a reason.
        """
        given = PERTURBATION_DELTAS if perturbation_deltas is None else perturbation_deltas
        deltas = figures_in_range("perturbation_deltas", given, ModelError).reshape(-1)
        if not deltas.size:
            raise ModelError("perturbation_deltas is empty; give one shift or more", name="perturbation_deltas")
        base = self._optimal(self._data).optimize().weights
        shifted = [self._shifted(float(delta)) for delta in deltas]
        reasons: dict[str, str] = {}
        return CorrelationFragility(
            tickers=self._data.tickers,
            base_weights=base,
            perturbation_deltas=deltas,
            perturbed_weights=np.array([each.weights for each in shifted]),
            changes=np.array([each.change for each in shifted]),
            distances=np.array([each.distance for each in shifted]),
            valid_range=shift_range(self._data.correlation),
            failures={d: each.failure for d, each in zip(deltas.tolist(), shifted, strict=True) if each.failure},
            local_sensitivities=self._local(base),
            rolling=_found(reasons, _ROLLING, lambda: rolling_correlations(self._past(), rolling_window)),
            tests=_found(reasons, _TESTS, lambda: self._tests(rolling_window, bootstrap, seed, reasons)),
            noise=_found(reasons, ("noise",), lambda: marchenko_pastur(self._past())),
            reasons=reasons,
        )

    def _tests(self, window: int, bootstrap: int, seed: int, reasons: dict[str, str]) -> CorrelationWindows:
        if not bootstrap:
            reasons["bootstrap_p_value"] = "no samples were asked for; give bootstrap="
        return correlation_windows(self._past(), window, bootstrap=bootstrap, seed=seed)

    def _optimal(self, data: CovarianceData) -> MeanVarianceOptimizer:
        return MeanVarianceOptimizer(data, risk_aversion=self._aversion, risk_free_rate=self._rate)

    def _past(self) -> FloatArray:
        if self._data.returns is None:
            raise CalibrationError(_NO_RETURNS)
        return self._data.returns

    def _shifted(self, delta: float) -> _Shifted:
        """Return the weights with all correlations shifted, and what was done to the matrix."""
        data, base = self._data, self._data.correlation
        n = len(base)
        try:
            moved, distance = (base, 0.0) if delta == 0.0 else nearest_shift(base, delta)
            size = np.outer(data.volatilities, data.volatilities)
            given = CovarianceData(
                tickers=data.tickers, covariance=moved * size, expected_returns=data.expected_returns
            )
            weights = self._optimal(given).optimize().weights
        except BankError as error:
            return _Shifted(np.full(n, np.nan), math.nan, math.nan, str(error))
        change = float(np.linalg.norm(moved - base)) / math.sqrt(n * (n - 1.0))
        return _Shifted(weights, change, distance, "")

    def _local(self, weights: FloatArray) -> dict[str, float]:
        """Return the derivative of the weights by a common shift, with the assets that are held."""
        held = np.flatnonzero(weights > _HELD)
        vols, k = self._data.volatilities[held], len(held)
        pulled = vols * (vols @ weights[held] - vols * weights[held])
        system = np.ones((k + 1, k + 1))
        system[:k, :k] = self._data.covariance[np.ix_(held, held)]
        system[k, k] = 0.0
        slopes = np.zeros(len(weights))
        slopes[held] = np.linalg.solve(system, np.append(-pulled, 0.0))[:k]
        return dict(zip(self._data.tickers, slopes.tolist(), strict=True))


class _Shifted(NamedTuple):
    weights: FloatArray
    change: float
    distance: float
    failure: str


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


_Found = TypeVar("_Found")
_ROLLING = ("rolling_corr_mean", "rolling_corr_std")
_TESTS = ("delta_statistic", "p_value", "bootstrap_p_value")


def _found(reasons: dict[str, str], names: tuple[str, ...], compute: Callable[[], _Found]) -> _Found | None:
    """Return a result, or None with the reason under each of the names."""
    try:
        return compute()
    except CalibrationError as error:
        reasons.update(dict.fromkeys(names, str(error)))
        return None
