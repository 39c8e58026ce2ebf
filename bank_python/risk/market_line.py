r"""The security market line: what the market asks of each beta, and which assets promise more.

.. math:: r(\beta) = r_f + \beta\,(r_m - r_f), \qquad \alpha_i = E[r_i] - r(\beta_i)

By the capital asset pricing model every asset lies on the line: only the risk that the market shares is paid for. One
above it promises more than its beta asks for; its distance from the line is its alpha.

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
from bank_python.errors import MissingExtraError, RiskError
from bank_python.results import Figures
from bank_python.risk.capm import capm_fit, capm_return
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["LinePoint", "MarketLine", "market_line_from_returns", "security_market_line"]

_FEWEST_POINTS = 2


@storable("risk.LinePoint", version=1)
@dataclass(frozen=True, slots=True)
class LinePoint(Figures):
    """An asset beside the line; returns are a year's.

    Parameters
    ----------
    ticker : str
        The asset.
    beta : float
        Its slope on the market.
    expected_return : float
        What it promises.
    required_return : float
        What the line asks of its beta.
    """

    ticker: str
    beta: float
    expected_return: float
    required_return: float

    @property
    def alpha(self) -> float:
        """What it promises above the line."""
        return self.expected_return - self.required_return


class LinePoints(NamedTuple):
    """The line at some betas.

    Parameters
    ----------
    betas, returns : ndarray, shape (count,)
        Betas, and the returns a year that the line asks of them.
    """

    betas: FloatArray
    returns: FloatArray


@storable("risk.MarketLine", version=1)
@dataclass(frozen=True, slots=True)
class MarketLine:
    """The line and the assets around it; made by :func:`security_market_line`.

    Parameters
    ----------
    risk_free_rate, market_return : float
        A year's; the line's height at beta 0 and at beta 1.
    points : tuple of LinePoint
        The assets, as given.
    """

    risk_free_rate: float
    market_return: float
    points: tuple[LinePoint, ...]

    @property
    def premium(self) -> float:
        """What the market pays above the riskless rate, a year: the line's slope."""
        return self.market_return - self.risk_free_rate

    def line(self, betas: ArrayLike | None = None, most: float = 3.0, count: int = 100) -> LinePoints:
        """Return betas and the returns that the line asks of them, shape (count,) each.

        Parameters
        ----------
        betas : array_like, shape (count,), optional
            Where to take the line; evenly from 0 to `most` if left out.
        most : float, default 3
            The last beta, above 0.
        count : int, default 100
            Points, at least 2.

        Raises
        ------
        RiskError
            A beta is not finite, or a parameter is out of range.
        """
        if betas is None:
            if not 0.0 < most < math.inf or count < _FEWEST_POINTS:
                raise RiskError(f"{count} points up to a beta of {most!r}; give two or more, and a beta above 0")
            betas = np.linspace(0.0, most, count)
        x = np.array(betas, dtype=np.float64)
        if x.ndim != 1 or not np.isfinite(x).all():
            raise RiskError(f"betas of shape {x.shape} must be one row of finite numbers; correct them", value=x.shape)
        return LinePoints(x, self.risk_free_rate + x * self.premium)

    def to_table(self) -> Table:
        """Return a row for each asset: ticker, beta, expected and required return, alpha."""
        from bank_python.mntable import Table

        names = ("beta", "expected_return", "required_return", "alpha")
        rows = [
            {"ticker": point.ticker, **{name: float(getattr(point, name)) for name in names}} for point in self.points
        ]
        return Table.from_rows([("ticker", str), *((name, float) for name in names)], rows)

    def plot(self, path: str | PathLike[str]) -> None:
        """Draw the line, the market and the assets into a file (PNG, SVG or PDF, by the name's end).

        Raises
        ------
        MissingExtraError
            matplotlib is not installed (extra ``plot``).
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise MissingExtraError(f"a plot needs matplotlib: {how_to_install('plot')}", extra="plot") from error
        betas = [0.0, 1.0, *(point.beta for point in self.points)]
        x, y = self.line([min(betas) - 0.1, max(betas) + 0.2])
        figure = Figure(figsize=(9.0, 5.0), layout="constrained")
        axes = figure.subplots()
        axes.plot(x, 100.0 * y, label=f"{self.risk_free_rate:.2%} + beta × {self.premium:.2%}")
        axes.plot([1.0], [100.0 * self.market_return], "D", color="black", label="market")
        axes.scatter(
            [point.beta for point in self.points],
            [100.0 * point.expected_return for point in self.points],
            c=["tab:green" if point.alpha >= 0.0 else "tab:red" for point in self.points],
            zorder=3,
        )
        for point in self.points:
            at = (point.beta, 100.0 * point.expected_return)
            # A name may hold a dollar sign, which matplotlib would read as mathematics.
            axes.annotate(point.ticker.replace("$", r"\$"), at, xytext=(5, 5), textcoords="offset points")
        axes.set(xlabel="beta", ylabel="expected return a year, %", title="Security market line")
        axes.legend()
        figure.savefig(path)

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
    """Set assets beside the line.

    Parameters
    ----------
    betas, expected_returns : mapping of str to float
        Of the same assets; returns a year's.
    risk_free_rate, market_return : float
        A year's.

    Raises
    ------
    RiskError
        An asset is in one of the two only, there is none, or a figure is not finite.
    """
    if not betas:
        raise RiskError("there are no assets; give the beta of at least one")
    for told, missing in (
        ("no expected return", [t for t in betas if t not in expected_returns]),
        ("no beta", [t for t in expected_returns if t not in betas]),
    ):
        if missing:
            raise RiskError(f"{missing[0]} has {told}; give both, or leave it out of both", name=missing[0])
    for name, rate in (("risk_free_rate", risk_free_rate), ("market_return", market_return)):
        if not math.isfinite(rate):
            raise RiskError(f"{name}={rate!r}; give a year's rate, as 0.05", value=rate)
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
    """Set assets beside the line by their past: betas by least squares, expected returns by arithmetic means.

    Parameters
    ----------
    returns : array_like, shape (n_obs, n_assets)
        Simple returns of a period, at least three of them; finite.
    tickers : sequence of str, length n_assets
        The assets, each once.
    market_returns : array_like, shape (n_obs,)
        Of the same periods.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.
    periods_per_year : float, default 252
        Above 0.
    market_return : float, optional
        What the market is expected to return a year; its own mean if left out, and then the alphas are those of
        :func:`capm_fit`.

    Raises
    ------
    RiskError
        The panel does not fit the tickers or the market, holds a gap, is too short, or the market never moves.
    """
    panel, market = np.array(returns, dtype=np.float64), np.array(market_returns, dtype=np.float64)
    names = list(tickers)
    if isinstance(tickers, str) or len(set(names)) < len(names):
        raise RiskError(f"tickers={tickers!r}; give a list in which each asset is once", value=tickers)
    if panel.ndim != 2 or panel.shape[1] != len(names):  # noqa: PLR2004 - a panel has two axes
        raise RiskError(
            f"returns of shape {panel.shape} for {len(names)} tickers; give a column each", value=panel.shape
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
