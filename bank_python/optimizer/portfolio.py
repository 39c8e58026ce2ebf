"""Result of an optimiser: weights, expected performance, and certificate.

Examples
--------
>>> from bank_python.optimizer.covariance_data import CovarianceData
>>> data = CovarianceData(
...     tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.04]], expected_returns=[0.03, 0.08]
... )
>>> mixed = portfolio_of(data, "by hand", [0.5, 0.5], risk_free_rate=0.02)
>>> {name: round(weight, 2) for name, weight in mixed.by_ticker().items()}
{'BND': 0.5, 'SPY': 0.5}
>>> ret, vol, sharpe = mixed.performance()
>>> round(ret, 3), round(vol, 4), round(sharpe, 3)
(0.055, 0.1031, 0.34)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bank_python.barbara import storable
from bank_python.deprecation import warn_of
from bank_python.errors import ModelError
from bank_python.optimizer.certificate import Certificate
from bank_python.plotting import Plotted, literal, percent
from bank_python.results import Tabular
from bank_python.risk_models.risk_free import RISK_FREE_RATE
from bank_python.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData

__all__ = ["OptimalPortfolio", "Performance", "portfolio_of"]

_DUST = 1e-24  # relative to the largest variance: the square of the rounding error of a volatility of 0
_DUST_BESIDE_CASH = 1e-18  # the same for solutions to nine digits, as of programs with cash
_DRAWN = 30
_NAMED = 4
_NO_PROOF = Certificate(kkt_residual=0.0, duality_gap=0.0)

_ON_THE_GRID = 1e-4  # in units of the last decimal: a weight so near to a rounded number counts as equal


class Performance(NamedTuple):
    """Expected performance of a portfolio, per year, as decimals; NaN without expected returns."""

    expected_return: float
    volatility: float
    sharpe: float


_WORDS = {
    **dict.fromkeys(("ret", "returns", "mean", "expected_returns", "mu"), ".expected_return"),
    **dict.fromkeys(("risk", "vol", "std", "sigma", "expected_volatility", "annual_volatility"), ".volatility"),
    **dict.fromkeys(("sharpe_ratio",), ".sharpe"),
    **dict.fromkeys(("to_dict", "as_dict", "allocation", "w", "weights_dict", "clean_weights"), ".by_ticker()"),
    **dict.fromkeys(("names", "assets"), ".tickers"),
    **dict.fromkeys(("portfolio_performance", "summary"), ".performance()"),
    **dict.fromkeys(("trades", "orders", "turnover"), "Rebalancer(portfolio.by_ticker()).plan(...)"),
}


@storable("optimizer.OptimalPortfolio", version=1)
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OptimalPortfolio(Plotted, Tabular):
    """A portfolio with its certificate; the result of an optimiser.

    Parameters
    ----------
    method : str
        Name of the method by which the portfolio was computed.
    tickers : tuple of str
        Tickers of the assets.
    weights : ndarray, shape (n_assets,)
        Weights of the assets, as decimal shares of the wealth.
    expected_return, volatility, sharpe : float
        Expected return, volatility and Sharpe ratio per year, as decimals; NaN where expected returns are missing.
    risk_free_rate : float
        Risk-free rate of the Sharpe ratio, per year, as a decimal.
    risk_shares : ndarray, shape (n_assets,)
        Contribution of each asset to the variance; the contributions add up to one.
    certificate : Certificate
        Certificate of optimality.
    estimator : str
        Name of the estimator of the covariance.
    figures : mapping of str to float
        Additional figures of the method, such as ``cvar``.
    """

    method: str
    tickers: tuple[str, ...]
    weights: FloatArray
    expected_return: float
    volatility: float
    sharpe: float
    risk_free_rate: float
    risk_shares: FloatArray
    certificate: Certificate
    estimator: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        largest = sorted(self.by_ticker().items(), key=lambda item: -abs(item[1]))[:_NAMED]
        more = f", {len(self.tickers) - _NAMED} more" if len(self.tickers) > _NAMED else ""
        weights = ", ".join(f"{name} {weight:.1%}" for name, weight in largest)
        return f"<OptimalPortfolio {self.method}: {weights}{more}; volatility {self.volatility:.1%}>"

    def __getitem__(self, ticker: str) -> float:
        try:
            return float(self.weights[self.tickers.index(ticker)])
        except ValueError:
            raise KeyError(ticker) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.tickers)

    def __len__(self) -> int:
        return len(self.tickers)

    def keys(self) -> tuple[str, ...]:
        """Return the tickers; with :meth:`items` and ``portfolio["SPY"]`` a portfolio is a mapping of weights."""
        return self.tickers

    def items(self) -> list[tuple[str, float]]:
        """Return pairs of ticker and weight."""
        return list(self.by_ticker().items())

    def with_risk_free_rate(self, risk_free_rate: float) -> OptimalPortfolio:
        """Return the portfolio with its Sharpe ratio at another risk-free rate.

        Parameters
        ----------
        risk_free_rate : float
            Risk-free rate per year, as a decimal.
        """
        ratio = (self.expected_return - risk_free_rate) / self.volatility if self.volatility > 0.0 else math.nan
        return replace(self, sharpe=ratio, risk_free_rate=risk_free_rate)

    def above(self, risk_free_rate: float) -> OptimalPortfolio:
        """Old name of :meth:`with_risk_free_rate`."""
        warn_of("OptimalPortfolio.above", "with_risk_free_rate")
        return self.with_risk_free_rate(risk_free_rate)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    def by_ticker(self) -> dict[str, float]:
        """Return the weights by ticker."""
        return dict(zip(self.tickers, self.weights.tolist(), strict=True))

    def clean_weights(self, cutoff: float = 1e-4, digits: int = 5) -> dict[str, float]:
        """Return the weights by ticker, rounded, with weights below a cutoff set to 0.

        Weights are rounded down or up such that their sum is unchanged; a weight without further decimals, such as one
        at a bound, is unchanged. The weights below the cutoff are added to the largest of the others.

        Parameters
        ----------
        cutoff : float, default 1e-4
            Absolute weight below which a weight is set to 0; at least 0.
        digits : int, default 5
            Number of decimals of the rounded weights, at least 0.

        Raises
        ------
        ModelError
            If the cutoff is negative, not finite, or above every weight, or `digits` is not an integer of at least 0.
        """
        if not isinstance(digits, int) or digits < 0:  # type: ignore[redundant-expr]  # untyped callers
            raise ModelError(f"digits={digits!r}; give a number of decimals, at least 0; 5 is usual", value=digits)
        if not 0.0 <= cutoff < math.inf:
            raise ModelError(f"cutoff={cutoff!r}; give a weight of at least 0; 1e-4 is usual", value=cutoff)
        most = float(np.abs(self.weights).max())
        if cutoff > most > 0.0:
            raise ModelError(
                f"cutoff={cutoff:g} is above every weight, the largest is {most:.3g}; give a lower one", value=cutoff
            )
        scaled = np.where(np.abs(self.weights) < cutoff, 0.0, self.weights) * 10.0**digits
        whole = np.floor(scaled + _ON_THE_GRID)
        left = scaled - whole
        lacking = round(float(self.weights.sum()) * 10.0**digits - float(whole.sum()))
        between = left > _ON_THE_GRID
        raised = [i for i in np.argsort(-left, kind="stable").tolist() if between[i]][: max(lacking, 0)]
        whole[raised] += 1.0
        free = between if between.any() else np.ones_like(between)
        whole[np.argmax(np.where(free, np.abs(scaled), -1.0))] += lacking - len(raised)
        rounded = [round(units / 10.0**digits, digits) for units in whole.tolist()]
        return dict(zip(self.tickers, rounded, strict=True))

    def performance(self, *, verbose: bool = False) -> Performance:
        """Return expected return, volatility and Sharpe ratio; print the portfolio to the terminal if `verbose`."""
        if verbose:
            from bank_python.render_portfolio import show

            show(self)
        return Performance(self.expected_return, self.volatility, self.sharpe)

    def to_table(self) -> Table:
        """Return a table with a row for each asset: ticker, weight and risk share."""
        from bank_python.mntable import Table

        rows = [
            {"ticker": name, "weight": weight, "risk_share": share}
            for name, weight, share in zip(self.tickers, self.weights.tolist(), self.risk_shares.tolist(), strict=True)
        ]
        return Table.from_rows([("ticker", str), ("weight", float), ("risk_share", float)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw weights and risk shares side by side, the largest weights first."""
        order = np.argsort(-np.abs(self.weights))[:_DRAWN]
        places = np.arange(len(order))
        axes.bar(places - 0.2, self.weights[order], 0.4, label="weight")
        axes.bar(places + 0.2, self.risk_shares[order], 0.4, hatch="///", edgecolor="white", label="risk share")
        axes.set_xticks(places, [literal(self.tickers[i]) for i in order.tolist()], rotation=45, ha="right")
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set_title(f"{self.method.replace('_', ' ')}: {self.expected_return:.1%} ± {self.volatility:.1%} a year")
        percent(axes.yaxis)
        axes.legend()

    def __rich__(self) -> object:
        from bank_python.render_portfolio import portfolio_view

        return portfolio_view(self)


def portfolio_of(
    data: CovarianceData,
    method: str,
    weights: ArrayLike,
    certificate: Certificate = _NO_PROOF,
    *,
    risk_free_rate: float = RISK_FREE_RATE,
    figures: Mapping[str, float] | None = None,
) -> OptimalPortfolio:
    """Return the portfolio of given weights, with its performance according to the data.

    Parameters
    ----------
    data : CovarianceData
        Covariance and expected returns of the assets.
    method : str
        Name of the method by which the weights were computed.
    weights : array_like, shape (n_assets,)
        Weights of the assets, as decimal shares of the wealth.
    certificate : Certificate, optional
        Certificate of optimality.
    risk_free_rate : float, default RISK_FREE_RATE
        Risk-free rate of the Sharpe ratio, per year, as a decimal.
    figures : mapping of str to float, optional
        Additional figures of the method, such as ``cvar``.

    Raises
    ------
    ModelError
        If the number of weights differs from the number of assets, or a weight is not finite.
    """
    vector = np.array(weights, dtype=np.float64)
    if vector.shape != (len(data.tickers),) or not np.isfinite(vector).all():
        raise ModelError(
            f"weights of shape {vector.shape} for {len(data.tickers)} assets; give one finite number for each"
        )
    vector.setflags(write=False)
    marginal = data.covariance @ vector
    variance = float(vector @ marginal)
    dust = _DUST_BESIDE_CASH if data.riskless else _DUST
    if variance <= dust * float(np.abs(vector).max() ** 2 * np.abs(np.diag(data.covariance)).max()):
        variance = 0.0  # rounding error of a portfolio of cash only
    volatility = math.sqrt(variance)
    expected = math.nan if data.expected_returns is None else float(data.expected_returns @ vector)
    return OptimalPortfolio(
        method=method,
        tickers=data.tickers,
        weights=vector,
        expected_return=expected,
        volatility=volatility,
        sharpe=(expected - risk_free_rate) / volatility if volatility > 0.0 else math.nan,
        risk_free_rate=risk_free_rate,
        risk_shares=vector * marginal / variance if variance > 0.0 else np.zeros(len(vector)),
        certificate=certificate,
        estimator=data.estimator,
        figures=dict(figures or {}),
    )
