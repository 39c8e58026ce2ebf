r"""The security market line: the required return of each beta, and the alphas of assets.

.. math:: r(\beta) = r_f + \beta\,(r_m - r_f), \qquad \alpha_i = E[r_i] - r(\beta_i)

By the capital asset pricing model every asset lies on the line, as only market risk is rewarded. The alpha of an asset
is its vertical distance from the line: the expected return above the return that its beta requires.

Examples
--------
>>> line = security_market_line({"TECH": 1.82}, {"TECH": 0.2}, risk_free_rate=0.05, market_return=0.12)
>>> point = line.points[0]
>>> round(point.required_return, 4), round(point.alpha, 4)
(0.1774, 0.0226)

References
----------
W. F. Sharpe, "Capital asset prices: a theory of market equilibrium under conditions of risk", Journal of Finance 19
(1964), 425-442.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.admission import admits
from bank_python.barbara import storable
from bank_python.display import short_text
from bank_python.errors import RiskError
from bank_python.plotting import Plotted, literal, percent
from bank_python.results import Figures, Tabular
from bank_python.risk.capm import capm_fit, capm_return
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["LinePoint", "MarketLine", "market_line_from_returns", "security_market_line"]

_FEWEST_POINTS = 2


@storable("risk.LinePoint", version=1)
@dataclass(frozen=True, slots=True)
class LinePoint(Figures):
    """Position of an asset relative to the security market line; returns are annual.

    Parameters
    ----------
    ticker : str
        Ticker of the asset.
    beta : float
        Slope of the asset's returns on the market's.
    expected_return : float
        Expected return per year, as a decimal.
    required_return : float
        Return per year that the line requires of the beta, as a decimal.
    """

    ticker: str
    beta: float
    expected_return: float
    required_return: float

    @property
    def alpha(self) -> float:
        """Expected less required return per year, as a decimal."""
        return self.expected_return - self.required_return


class LinePoints(NamedTuple):
    """Points on the security market line.

    Parameters
    ----------
    betas, returns : ndarray, shape (count,)
        Betas, and their required returns per year as decimals.
    """

    betas: FloatArray
    returns: FloatArray

    def __repr__(self) -> str:
        return short_text(self)


@storable("risk.MarketLine", version=1)
@dataclass(frozen=True, slots=True, repr=False)
class MarketLine(Plotted, Tabular):
    """A security market line and assets; returned by :func:`security_market_line`.

    Parameters
    ----------
    risk_free_rate, market_return : float
        Returns per year at a beta of 0 and of 1, as decimals.
    points : tuple of LinePoint
        Assets in the given order.
    """

    risk_free_rate: float
    market_return: float
    points: tuple[LinePoint, ...]

    @property
    def premium(self) -> float:
        """Market risk premium per year, as a decimal: the slope of the line."""
        return self.market_return - self.risk_free_rate

    def line(self, betas: ArrayLike | None = None, most: float = 3.0, count: int = 100) -> LinePoints:
        """Return points on the line.

        Parameters
        ----------
        betas : array_like, shape (count,), optional
            Betas of the points; evenly spaced from 0 to `most` by default.
        most : float, default 3
            Largest beta of evenly spaced points, above 0.
        count : int, default 100
            Number of evenly spaced points, at least 2.

        Raises
        ------
        RiskError
            A beta is not finite, or a parameter is out of range.
        """
        if betas is None:
            if not 0.0 < most < math.inf or count < _FEWEST_POINTS:
                raise RiskError(f"{count} points up to a beta of {most!r}; give at least 2 points and a beta above 0")
            betas = np.linspace(0.0, most, count)
        x = np.array(betas, dtype=np.float64)
        if x.ndim != 1 or not np.isfinite(x).all():
            raise RiskError(f"betas of shape {x.shape} are not a row of finite numbers; give one row", value=x.shape)
        return LinePoints(x, self.risk_free_rate + x * self.premium)

    def to_table(self) -> Table:
        """Return a table with a row for each asset: ticker, beta, expected and required return, alpha."""
        from bank_python.mntable import Table

        names = ("beta", "expected_return", "required_return", "alpha")
        rows = [
            {"ticker": point.ticker, **{name: float(getattr(point, name)) for name in names}} for point in self.points
        ]
        return Table.from_rows([("ticker", str), *((name, float) for name in names)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the line, the market and the assets."""
        betas = [0.0, 1.0, *(point.beta for point in self.points)]
        x, y = self.line([min(betas) - 0.1, max(betas) + 0.2])
        axes.plot(x, y, label=f"{self.risk_free_rate:.2%} + beta × {self.premium:.2%}")
        axes.plot([1.0], [self.market_return], "D", color="black", linestyle="", label="market")
        for marker, label, above in (("^", "alpha above 0", True), ("v", "alpha below 0", False)):
            chosen = [point for point in self.points if (point.alpha >= 0.0) is above]
            x_values, y_values = [point.beta for point in chosen], [point.expected_return for point in chosen]
            axes.plot(x_values, y_values, marker, linestyle="", color="tab:green" if above else "tab:red", label=label)
        for point in self.points:
            at = (point.beta, point.expected_return)
            axes.annotate(literal(point.ticker), at, xytext=(5, 5), textcoords="offset points")
        axes.set(xlabel="beta", ylabel="expected return per year", title="Security market line")
        percent(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_portfolio import market_line_view

        return market_line_view(self)


@admits(RiskError)
def security_market_line(
    betas: Mapping[str, float],
    expected_returns: Mapping[str, float],
    risk_free_rate: float,
    market_return: float,
) -> MarketLine:
    """Compare the expected returns of assets with the security market line.

    Parameters
    ----------
    betas, expected_returns : mapping of str to float
        Betas and expected annual returns by ticker, for the same assets; returns as decimals.
    risk_free_rate, market_return : float
        Risk-free rate and expected market return per year, as decimals.

    Raises
    ------
    RiskError
        There are no assets, an asset is in one of the mappings only, or a figure is not finite.
    """
    if not betas:
        raise RiskError("there are no assets; give the beta and the expected return of at least one")
    for lack, missing in (
        ("no expected return", [t for t in betas if t not in expected_returns]),
        ("no beta", [t for t in expected_returns if t not in betas]),
    ):
        if missing:
            raise RiskError(f"{missing[0]} has {lack}; give it, or leave the asset out", name=missing[0])
    for name, rate in (("risk_free_rate", risk_free_rate), ("market_return", market_return)):
        if not math.isfinite(rate):
            raise RiskError(f"{name}={rate!r} is not finite; give a rate per year, such as 0.05", value=rate)
    for ticker, beta in betas.items():
        if not (math.isfinite(beta) and math.isfinite(expected_returns[ticker])):
            raise RiskError(
                f"{ticker} has beta {beta!r} and expected return {expected_returns[ticker]!r}; both must be finite",
                name=ticker,
            )
    points = tuple(
        LinePoint(
            ticker=ticker,
            beta=float(beta),
            expected_return=float(expected_returns[ticker]),
            required_return=capm_return(float(beta), risk_free_rate=risk_free_rate, market_return=market_return),
        )
        for ticker, beta in betas.items()
    )
    return MarketLine(risk_free_rate=risk_free_rate, market_return=market_return, points=points)


@admits(RiskError)
def market_line_from_returns(
    returns: ArrayLike,
    tickers: Sequence[str],
    market_returns: ArrayLike,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    periods_per_year: float = 252.0,
    market_return: float | None = None,
) -> MarketLine:
    """Compare assets with the security market line, with betas and expected returns estimated from past returns.

    Betas are estimated by least squares, expected returns by arithmetic means.

    Parameters
    ----------
    returns : array_like, shape (n_obs, n_assets)
        Simple returns of the assets, finite, over at least three periods.
    tickers : sequence of str, length n_assets
        Names of the assets, without duplicates.
    market_returns : array_like, shape (n_obs,)
        Simple returns of the market over the same periods.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate per year, as a decimal.
    periods_per_year : float, default 252
        Number of return periods in a year, above 0: 252 for days, 12 for months.
    market_return : float, optional
        Expected market return per year, as a decimal. By default the mean of `market_returns`, with which the alphas
        equal those of :func:`capm_fit`.

    Raises
    ------
    RiskError
        The shapes do not match, a return is missing, there are too few periods, or the market return is constant.
    """
    panel, market = np.array(returns, dtype=np.float64), np.array(market_returns, dtype=np.float64)
    names = list(tickers)
    if isinstance(tickers, str) or len(set(names)) < len(names):
        raise RiskError(f"tickers={tickers!r} is not a list without duplicates; give each asset once", value=tickers)
    if panel.ndim != 2 or panel.shape[1] != len(names):  # noqa: PLR2004 - a panel has two axes
        raise RiskError(
            f"returns of shape {panel.shape} for {len(names)} tickers; give a column for each", value=panel.shape
        )
    betas = {}
    for name, column in zip(names, panel.T, strict=True):
        try:
            betas[name] = capm_fit(
                column, market, risk_free_rate=risk_free_rate, periods_per_year=periods_per_year
            ).beta
        except RiskError as error:
            error.add_note(f"while fitting {name}")
            raise
    means = (panel.mean(axis=0) * periods_per_year).tolist()
    return security_market_line(
        betas,
        dict(zip(names, means, strict=True)),
        risk_free_rate,
        float(market.mean()) * periods_per_year if market_return is None else market_return,
    )
