r"""The Kelly portfolio of several assets: the weights with which wealth grows fastest, in continuous time.

.. math:: f^* = \Sigma^{-1} (\mu - r) , \qquad
          g(f^*) = r + \tfrac12 (\mu - r)^\top \Sigma^{-1} (\mu - r) .

It is the tangency portfolio with more or less leverage. The weights are very sensitive to the expected returns, and the
more so the more alike the assets are: a fraction of Kelly, or shrunk estimates, are usual.

Examples
--------
>>> held = kelly_weights([0.08, 0.05], [[0.04, 0.0], [0.0, 0.01]], tickers=["SPY", "TLT"])
>>> {name: round(weight, 6) for name, weight in held.weights.items()}, round(held.growth(), 6)
({'SPY': 2.0, 'TLT': 5.0}, 0.205)

References
----------
E. O. Thorp, "The Kelly criterion in blackjack, sports betting, and the stock market", in *Handbook of Asset and
Liability Management*, volume 1 (2006), section 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.numerics.tolerances import SYMMETRIC
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["KellyPortfolio", "kelly_weights"]

_SINGULAR = 1e-10  # least eigenvalue of a correlation matrix that is not due to rounding, per asset


@dataclass(frozen=True, repr=False)
class KellyPortfolio(Tabular):
    """Weights with the fastest growth; returned by :func:`kelly_weights`.

    Parameters
    ----------
    weights : dict of str to float
        Share of wealth in each asset; the rest to 1 is lent, or borrowed if negative.
    excess_returns : dict of str to float
        Expected return of each asset per year above the riskless rate, as a decimal.
    risk_free_rate : float
        Riskless rate per year, as a decimal.
    """

    weights: dict[str, float]
    excess_returns: dict[str, float]
    risk_free_rate: float

    @property
    def sharpe_ratio(self) -> float:
        """Sharpe ratio of the portfolio per year, the largest that the assets allow."""
        square = math.fsum(self.weights[name] * excess for name, excess in self.excess_returns.items())
        return math.sqrt(max(square, 0.0))

    @property
    def leverage(self) -> float:
        """Sum of the absolute weights."""
        return math.fsum(map(abs, self.weights.values()))

    @property
    def cash(self) -> float:
        """Share of wealth that is lent at the riskless rate; negative if money is borrowed."""
        return 1.0 - math.fsum(self.weights.values())

    def growth(self, fraction: float = 1.0) -> float:
        """Return the growth rate of wealth per year at a fraction of the Kelly weights.

        Parameters
        ----------
        fraction : float, default 1
            Multiple of the Kelly weights.
        """
        return self.risk_free_rate + (fraction - 0.5 * fraction * fraction) * self.sharpe_ratio**2

    def volatility(self, fraction: float = 1.0) -> float:
        """Return the volatility of wealth per year at a fraction of the Kelly weights.

        Parameters
        ----------
        fraction : float, default 1
            Multiple of the Kelly weights.
        """
        return abs(fraction) * self.sharpe_ratio

    def to_table(self) -> Table:
        """Return a table with a row for each asset: ticker, weight, expected excess return."""
        from bank_python.mntable import Table

        rows = [
            {"ticker": name, "weight": weight, "excess_return": self.excess_returns[name]}
            for name, weight in self.weights.items()
        ]
        return Table.from_rows([("ticker", str), ("weight", float), ("excess_return", float)], rows)

    def __rich__(self) -> object:
        from bank_python.render_score import kelly_portfolio_view

        return kelly_portfolio_view(self)


@admits(RiskError)
def kelly_weights(
    expected_returns: ArrayLike,
    covariance: ArrayLike,
    *,
    tickers: Sequence[str] | None = None,
    risk_free_rate: float = RISK_FREE_RATE,
) -> KellyPortfolio:
    """Return the weights with the fastest growth of wealth.

    Parameters
    ----------
    expected_returns : array_like, shape (n,)
        Expected return of each asset per year, arithmetic, as decimals; a series with names is put in the order of the
        covariance.
    covariance : array_like, shape (n, n)
        Covariances of the returns per year; positive definite.
    tickers : sequence of str, length n, optional
        Names of the assets; by default the columns of a data frame, or ``asset 1``, ``asset 2`` and so on.
    risk_free_rate : float, default RISK_FREE_RATE
        Riskless rate per year, as a decimal.

    Raises
    ------
    RiskError
        The shapes do not match, a figure is not finite, or the covariance is not symmetric, not positive definite,
        singular to rounding, or for other assets than the returns; the message names the assets.
    """
    means, square = np.asarray(expected_returns, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if means.ndim != 1 or not means.size or square.shape != (means.size, means.size):
        raise RiskError(
            f"{means.shape} expected returns for a covariance of shape {square.shape}; give n and n × n",
            value=means.shape,
        )
    if not (np.isfinite(means).all() and np.isfinite(square).all() and math.isfinite(risk_free_rate)):
        raise RiskError("an expected return, a covariance or the riskless rate is not finite; leave the asset out")
    names = _names(tickers, covariance, means.size)
    means = _in_order_of(expected_returns, covariance, means)
    excess = means - risk_free_rate
    scales, correlations = _correlations(square, names)
    weights = np.linalg.solve(correlations, excess / scales) / scales
    held, earned = (dict(zip(names, row.tolist(), strict=True)) for row in (weights, excess))
    return KellyPortfolio(held, earned, float(risk_free_rate))


def _names(tickers: Sequence[str] | None, covariance: Any, count: int) -> list[str]:
    given: Any = getattr(covariance, "columns", None) if tickers is None else tickers
    if given is None:
        return [f"asset {i + 1}" for i in range(count)]
    names = [str(name) for name in given]
    if isinstance(tickers, str) or len(names) != count or len(set(names)) < count:
        raise RiskError(f"tickers={names!r:.60} for {count} assets; give each its own name", value=tickers)
    return names


def _in_order_of(returns: Any, covariance: Any, means: FloatArray) -> FloatArray:
    """Return the expected returns in the order of the covariance, if both say whose figures they are."""
    if not hasattr(covariance, "columns"):
        return means
    known, rows = [str(column) for column in covariance.columns], _labels(covariance)
    if rows and rows != known:
        raise RiskError("rows and columns of the covariance have different names; give one order to both")
    labels = _labels(returns)
    if not labels:
        return means
    odd = sorted(set(labels) ^ set(known))
    if odd:
        raise RiskError(
            f"{odd[0]} is in only one of expected returns and covariance; give both of each asset", name=odd[0]
        )
    return means[[labels.index(name) for name in known]]


def _labels(given: Any) -> list[str]:
    """Return the names in the index of a series or frame; none for row numbers."""
    labels = list(given.index) if hasattr(given, "to_numpy") else []
    return labels if all(isinstance(label, str) for label in labels) else []


def _correlations(square: FloatArray, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return standard deviations and correlations, if the covariance is positive definite beyond rounding."""
    variances = np.diag(square)
    if not (variances > 0.0).all():
        name = names[int(np.flatnonzero(~(variances > 0.0))[0])]
        raise RiskError(f"{name} has no variance; leave it out, and give its return as risk_free_rate", name=name)
    scales = np.sqrt(variances)
    correlations = square / np.outer(scales, scales)
    if np.abs(correlations - correlations.T).max() > SYMMETRIC:
        raise RiskError("the covariance is not symmetric; give a covariance matrix", value=square.shape)
    values, vectors = np.linalg.eigh(correlations)
    if values[0] <= _SINGULAR * len(names):
        # The assets with the largest weights in the portfolio without risk.
        first, second = np.argsort(-np.abs(vectors[:, 0]), kind="stable")[:2] if len(names) > 1 else (0, 0)
        what = "is negative" if values[0] < -_SINGULAR * len(names) else "is 0 to rounding"
        raise RiskError(
            f"the covariance is singular: its least eigenvalue, as a correlation, {what} ({values[0]:.1e}). "
            f"{names[first]} and {names[second]} belong to a combination without risk; leave one of them out, or "
            "shrink the covariance (estimate_covariance(..., 'ledoit_wolf'))",
            value=float(values[0]),
        )
    return scales, correlations
