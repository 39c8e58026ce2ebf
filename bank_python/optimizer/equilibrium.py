r"""Expected returns of an equilibrium: what the market must expect, if it holds what it holds.

The capital asset pricing model gives each asset the riskless rate and its beta's part of the market's excess return.
With the market's weights w, betas follow from the covariance: :math:`\beta = \Sigma w / (w^\top \Sigma w)`.

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
    """Return the market's weights, shape (n_assets,), scaled to add up to one; equal ones if there are none.

    Parameters
    ----------
    data : CovarianceData
        The assets.
    market : mapping of str to float, optional
        Capitalisations or weights, at least 0; who is not named has none.

    Raises
    ------
    ModelError
        A name is no asset.
    CalibrationError
        A weight is below 0, or all are 0.
    """
    if market is None:
        return np.full(len(data.tickers), 1.0 / len(data.tickers))
    shares = by_asset(data.tickers, market, "market_weights")
    if (shares < 0.0).any() or shares.sum() == 0.0:
        raise CalibrationError(f"market_weights={dict(market)!r}; give weights from 0 on, not all of them 0")
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
        The assets.
    market : mapping of str to float, or array_like of shape (n_obs,)
        The market's weights; or its past returns, of the periods of the assets' own.
    risk_free_rate, market_return : float
        A year's.

    Raises
    ------
    CalibrationError
        There are no past returns to set beside the market's, or a figure is out of range.
    RiskError
        The market's returns do not fit the assets'.
    """
    if not (math.isfinite(risk_free_rate) and math.isfinite(market_return)):
        raise CalibrationError(f"rates {risk_free_rate!r} and {market_return!r}; give rates a year")
    if isinstance(market, Mapping):
        shares = market_shares(data, market)
        pull = data.covariance @ shares
        betas = pull / float(shares @ pull)
    else:
        past = data.returns_for("betas from the market's returns")
        betas = np.array([capm_beta(column, market) for column in past.T])
    asked = [capm_return(beta, risk_free_rate=risk_free_rate, market_return=market_return) for beta in betas.tolist()]
    return data.with_expected_returns(asked)
