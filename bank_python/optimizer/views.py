r"""Black–Litterman model: equilibrium returns combined with views, and the resulting optimal portfolio.

A view is absolute (``{"AAPL": 0.15}``: Apple returns 15 % per year) or relative (``View({"CA": 1, "US": -1}, 0.03)``:
Canada outperforms the United States by 3 %). The confidence determines its uncertainty: with a confidence of a half,
the default, a view is as uncertain as the equilibrium return of the same portfolio; with a confidence of one it is
certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.display import Record
from bank_python.errors import CalibrationError
from bank_python.guessing import guessable
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.optimizer.equilibrium import market_shares
from bank_python.optimizer.minimum import minimise
from bank_python.optimizer.named import by_asset
from bank_python.optimizer.optimizer import Optimizer
from bank_python.risk_models.black_litterman import BlackLitterman, black_litterman
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.optimizer.constraints import Constraints
    from bank_python.optimizer.portfolio import OptimalPortfolio

__all__ = ["BlackLittermanOptimizer", "View", "posterior"]

_DEFAULT_CONFIDENCE = 0.5


@guessable
@dataclass(frozen=True, slots=True)
class View(Record):
    """A view on the expected return of a portfolio.

    Parameters
    ----------
    exposures : mapping of str to float
        Weights of the portfolio by ticker: 1 for an absolute view; weights with a sum of 0 for a relative one.
    expected_return : float
        Expected return of the portfolio per year, as a decimal.
    confidence : float, default 0.5
        Confidence in the view, in (0, 1]; 1 for a certain view.

    Raises
    ------
    CalibrationError
        If the portfolio is empty, or a value is out of range.
    """

    exposures: Mapping[str, float]
    expected_return: float
    confidence: float = _DEFAULT_CONFIDENCE

    def __post_init__(self) -> None:
        if not any(self.exposures.values()):
            raise CalibrationError(
                f"the exposures {dict(self.exposures)!r} of a view are all zero; give at least one that is not"
            )
        if not math.isfinite(self.expected_return):
            raise CalibrationError(f"expected_return={self.expected_return!r} of a view; give a finite return per year")
        if not 0.0 < self.confidence <= 1.0:
            raise CalibrationError(
                f"confidence={self.confidence!r} lies outside (0, 1]; a half is usual", value=self.confidence
            )


def posterior(
    data: CovarianceData,
    views: Mapping[str, float] | Sequence[View],
    *,
    confidences: Mapping[str, float] | None = None,
    market_weights: Mapping[str, float] | None = None,
    risk_aversion: float = 2.5,
    tau: float = 0.05,
) -> BlackLitterman:
    """Return the Black–Litterman posterior of the equilibrium and the views.

    Parameters
    ----------
    data : CovarianceData
        Covariance of the assets, without cash.
    views : mapping of str to float, or sequence of View
        Expected returns per year by ticker, as decimals, or a list of views.
    confidences : mapping of str to float, optional
        Confidence in the views by ticker, in (0, 1]; a half for tickers not listed.
    market_weights : mapping of str to float, optional
        Weights of the market portfolio by ticker; equal weights if omitted.
    risk_aversion, tau : float
        Risk aversion of the market, and uncertainty of the equilibrium returns relative to the covariance; above 0.

    Raises
    ------
    ModelError
        If a view or a weight contains an unknown ticker.
    CalibrationError
        If a value is out of range, the assets include cash, a confidence has no view, or `confidences` is given with a
        list of views.
    MatrixError
        If certain views contradict each other.
    """
    CovarianceData.checked(data, "black_litterman").require_risk("black_litterman")
    all_views = _views_of(views, confidences)
    rows = [by_asset(data.tickers, view.exposures, "a view") for view in all_views]
    return black_litterman(
        data.covariance,
        P=np.array(rows).reshape(-1, len(data.tickers)),
        Q=np.array([view.expected_return for view in all_views]),
        market_weights=market_shares(data, market_weights),
        confidences=np.array([view.confidence for view in all_views]),
        tau=tau,
        risk_aversion=risk_aversion,
    )


def _views_of(views: Mapping[str, float] | Sequence[View], confidences: Mapping[str, float] | None) -> tuple[View, ...]:
    if isinstance(views, Mapping):
        given = confidences or {}
        unknown = next((name for name in given if name not in views), None)
        if unknown is not None:
            raise CalibrationError(f"a confidence for {unknown!r} without a view; give the view too", value=unknown)
        return tuple(View({name: 1.0}, back, given.get(name, _DEFAULT_CONFIDENCE)) for name, back in views.items())
    if confidences:
        raise CalibrationError("confidences= is for views by ticker; set the confidence of each View instead")
    wrong = next((view for view in views if not isinstance(view, View)), None)  # type: ignore[redundant-expr]  # untyped callers
    if wrong is not None:
        raise CalibrationError(f"views contains {wrong!r}; give expected returns by ticker, or a list of View")
    return tuple(views)


@guessable
class BlackLittermanOptimizer(Optimizer):
    """Mean-variance optimiser on the Black–Litterman posterior.

    Parameters
    ----------
    cov_data : CovarianceData
        Covariance of the assets, without cash; expected returns are not needed.
    constraints : Constraints, optional
        Constraints on the weights; fully invested and long only if omitted.
    views, confidences, market_weights, risk_aversion, tau
        Parameters of the model, see :func:`posterior`.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal; views and equilibrium are total returns, not excess
        returns over it.

    Raises
    ------
    ModelError, CalibrationError, MatrixError
        In the cases listed for :func:`posterior`.
    """

    kind: ClassVar[str] = "black_litterman"

    def __init__(
        self,
        cov_data: CovarianceData,
        constraints: Constraints | None = None,
        *,
        views: Mapping[str, float] | Sequence[View],
        confidences: Mapping[str, float] | None = None,
        market_weights: Mapping[str, float] | None = None,
        risk_aversion: float = 2.5,
        tau: float = 0.05,
        risk_free_rate: float = RISK_FREE_RATE,
    ) -> None:
        self.posterior = posterior(
            cov_data,
            views,
            confidences=confidences,
            market_weights=market_weights,
            risk_aversion=risk_aversion,
            tau=tau,
        )
        moments = CovarianceData(
            tickers=cov_data.tickers,
            covariance=self.posterior.covariance,
            expected_returns=self.posterior.expected_returns,
            returns=cov_data.returns,
            periods_per_year=cov_data.periods_per_year,
            shrinkage=cov_data.shrinkage,
            estimator=cov_data.estimator,
        )
        super().__init__(moments, constraints, risk_free_rate=risk_free_rate)
        self._aversion = risk_aversion

    def optimize(self) -> OptimalPortfolio:
        """Return the optimal portfolio, with its performance under the posterior."""
        data = self._data
        return self._result(minimise(self._allowed, self._aversion * data.covariance, -data.means_for(self.kind)))
