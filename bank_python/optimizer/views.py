r"""Black–Litterman: an equilibrium, one's own views on it, and the portfolio that follows.

A view is absolute (``{"AAPL": 0.15}``: Apple returns 15 % a year) or relative (``View({"CA": 1, "US": -1}, 0.03)``:
Canada does 3 % better than the United States). Each is as uncertain as its confidence says: a half, which is also the
default, makes it as uncertain as the equilibrium is on the same portfolio, one makes it certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from bank_python.errors import CalibrationError
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

_AS_UNCERTAIN = 0.5


@dataclass(frozen=True, slots=True)
class View:
    """An opinion on the return of a portfolio.

    Parameters
    ----------
    exposures : mapping of str to float
        The portfolio: 1 for an absolute view; 1 and -1, or shares of them, for a relative one.
    expected_return : float
        Its return a year.
    confidence : float, default 0.5
        In (0, 1].

    Raises
    ------
    CalibrationError
        The portfolio is empty, or a figure is out of range.
    """

    exposures: Mapping[str, float]
    expected_return: float
    confidence: float = _AS_UNCERTAIN

    def __post_init__(self) -> None:
        if not any(self.exposures.values()):
            raise CalibrationError(f"a view on {dict(self.exposures)!r} holds nothing; give exposures")
        if not math.isfinite(self.expected_return):
            raise CalibrationError(f"a view expects {self.expected_return!r}; give a return a year")
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
    """Return the equilibrium with the views worked in.

    Parameters
    ----------
    data : CovarianceData
        The assets; no cash.
    views : mapping of str to float, or sequence of View
        Expected returns a year by ticker, or views of any kind.
    confidences : mapping of str to float, optional
        Of views by ticker, in (0, 1].
    market_weights : mapping of str to float, optional
        What the market holds; equal weights if left out.
    risk_aversion, tau : float
        Of the market, and the uncertainty of its equilibrium, above 0.

    Raises
    ------
    ModelError
        A view, a confidence or a weight names what is no asset.
    CalibrationError
        A figure is out of range, there is cash, or confidences are given apart from views that have their own.
    MatrixError
        Certain views contradict each other.
    """
    CovarianceData.checked(data, "black_litterman").require_risk("black_litterman")
    opinions = _opinions(views, confidences)
    rows = [by_asset(data.tickers, view.exposures, "a view") for view in opinions]
    return black_litterman(
        data.covariance,
        P=np.array(rows).reshape(-1, len(data.tickers)),
        Q=np.array([view.expected_return for view in opinions]),
        market_weights=market_shares(data, market_weights),
        confidences=np.array([view.confidence for view in opinions]),
        tau=tau,
        risk_aversion=risk_aversion,
    )


def _opinions(views: Mapping[str, float] | Sequence[View], confidences: Mapping[str, float] | None) -> tuple[View, ...]:
    if isinstance(views, Mapping):
        sure = confidences or {}
        strange = next((name for name in sure if name not in views), None)
        if strange is not None:
            raise CalibrationError(f"a confidence for {strange!r}, of which there is no view", value=strange)
        return tuple(View({name: 1.0}, back, sure.get(name, _AS_UNCERTAIN)) for name, back in views.items())
    if confidences:
        raise CalibrationError("confidences= goes with views by ticker; a View has its own confidence")
    wrong = next((view for view in views if not isinstance(view, View)), None)  # type: ignore[redundant-expr]  # untyped callers
    if wrong is not None:
        raise CalibrationError(f"views holds {wrong!r}; give expected returns by ticker, or a list of View")
    return tuple(views)


class BlackLittermanOptimizer(Optimizer):
    """The optimal portfolio after one's views.

    Parameters
    ----------
    cov_data : CovarianceData
        The assets; no cash, and no expected returns are needed.
    constraints : Constraints, optional
        What is allowed.
    views, confidences, market_weights, risk_aversion, tau
        As for :func:`posterior`.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's; views and equilibrium are taken as they are, and not as excess over it.

    Raises
    ------
    ModelError, CalibrationError, MatrixError
        As for :func:`posterior`.
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
        believed = CovarianceData(
            tickers=cov_data.tickers,
            covariance=self.posterior.covariance,
            expected_returns=self.posterior.expected_returns,
            returns=cov_data.returns,
            periods_per_year=cov_data.periods_per_year,
            shrinkage=cov_data.shrinkage,
            estimator=cov_data.estimator,
        )
        super().__init__(believed, constraints, risk_free_rate=risk_free_rate)
        self._aversion = risk_aversion

    def optimize(self) -> OptimalPortfolio:
        """Return the portfolio, measured on the posterior."""
        data = self._data
        return self._told(minimise(self._allowed, self._aversion * data.covariance, -data.means_for(self.kind)))
