r"""Equilibrium expected returns, implied by the weights of the market portfolio.

In the capital asset pricing model the expected return of an asset is the risk-free rate plus beta times the excess
return of the market. With market weights w, the betas follow from the covariance:
:math:`\beta = \Sigma w / (w^\top \Sigma w)`.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> data = CovarianceData(tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.04]])
>>> priced = with_capm_returns(data, {"BND": 0.5, "SPY": 0.5}, risk_free_rate=0.03, market_return=0.08)
>>> priced.expected_returns.round(6).tolist()
[0.035882, 0.124118]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import CalibrationError
from bank_python.optimizer.named import by_asset
from bank_python.risk.capm import capm_beta, capm_return

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData

__all__ = ["market_shares", "with_capm_returns"]


def market_shares(data: CovarianceData, market: Mapping[str, float] | None) -> FloatArray:
    """Return the weights of the market portfolio, shape (n_assets,), with a sum of one.

    Parameters
    ----------
    data : CovarianceData
        Data that define the assets and their order.
    market : mapping of str to float, optional
        Market capitalisations or weights by ticker, at least 0; assets not listed have 0. Equal weights if omitted.

    Raises
    ------
    ModelError
        If a ticker is unknown.
    CalibrationError
        If a weight is negative, or all are 0.
    """
    if market is None:
        return np.full(len(data.tickers), 1.0 / len(data.tickers))
    shares = by_asset(data.tickers, market, "market_weights")
    if (shares < 0.0).any() or shares.sum() == 0.0:
        raise CalibrationError(f"market_weights={dict(market)!r}; give weights of at least 0, not all of them 0")
    return np.asarray(shares / shares.sum())


def with_capm_returns(
    data: CovarianceData,
    market: Mapping[str, float] | ArrayLike,
    *,
    risk_free_rate: float,
    market_return: float,
) -> CovarianceData:
    """Return the data with the expected returns of the capital asset pricing model.

    Parameters
    ----------
    data : CovarianceData
        Covariance of the assets; with past returns if `market` is a series of returns.
    market : mapping of str to float, or array_like of shape (n_obs,)
        Weights of the market portfolio by ticker, or past returns of the market in the periods of the assets' returns.
    risk_free_rate, market_return : float
        Risk-free rate and expected return of the market, per year, as decimals.

    Raises
    ------
    CalibrationError
        If the assets have no past returns to compare with the market's, or a value is out of range.
    RiskError
        If the number of market returns differs from that of the assets' returns.
    """
    if not (math.isfinite(risk_free_rate) and math.isfinite(market_return)):
        raise CalibrationError(
            f"risk_free_rate={risk_free_rate!r}, market_return={market_return!r}; give finite rates per year"
        )
    if isinstance(market, Mapping):
        shares = market_shares(data, market)
        covariances = data.covariance @ shares
        betas = covariances / float(shares @ covariances)
    else:
        past = data.returns_for("a beta to the market's returns")
        betas = np.array([capm_beta(column, market) for column in past.T])
    expected = [
        capm_return(beta, risk_free_rate=risk_free_rate, market_return=market_return) for beta in betas.tolist()
    ]
    return data.with_expected_returns(expected)
