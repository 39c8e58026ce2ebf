"""Input data of the optimisers: assets, their covariance matrix, and their expected returns.

All figures are per year. They are given, or estimated from returns, from prices, or from the price history; estimated
data keep the past returns, for optimisers that use every single one of them.

Examples
--------
>>> data = CovarianceData(tickers=["BND", "SPY"], covariance=[[0.0025, 0.001], [0.001, 0.04]])
>>> data.volatilities.tolist()
[0.05, 0.2]
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, cast

import numpy as np

from bank_python.errors import CalibrationError, ModelError
from bank_python.guessing import guessable
from bank_python.numerics import nearest_correlation
from bank_python.optimizer.estimators import Estimator, estimate_covariance
from bank_python.optimizer.expected_returns import MeanMethod, mean_returns
from bank_python.optimizer.inputs import (
    check_returns_vary,
    columns_of,
    definite,
    distinct,
    fitting,
    in_order,
    panel_of,
    symmetric,
)
from bank_python.plotting import Plotted, draw_correlations, literal
from bank_python.results import Tabular
from bank_python.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self, Unpack

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.dagger import DependencyGraph, Node
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray

__all__ = ["CASH", "CovarianceData", "Estimation"]

CASH = "CASH"
"""Default ticker of cash."""


_NEED_MORE_ROWS = (Estimator.SAMPLE, Estimator.EWMA)


class _Details(TypedDict, total=False):
    """Options for the estimation beside the estimator."""

    mean: MeanMethod | str
    periods_per_year: float
    decay: float
    components: int
    newest_first: bool


class Estimation(_Details, total=False):
    """Options for the estimation of covariance and expected returns; see :meth:`CovarianceData.from_returns`."""

    estimator: Estimator | str


def _names(given: object, tickers: Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(tickers, str) and tickers in {item.value for item in Estimator}:
        raise CalibrationError(
            f"tickers={tickers!r} is the name of an estimator; did you mean estimator={tickers!r}?", value=tickers
        )
    return distinct(columns_of(given) if tickers is None else tickers)


_WORDS = {
    **dict.fromkeys(("cov", "cov_matrix", "S", "Sigma", "matrix", "values"), ".covariance"),
    **dict.fromkeys(("mu", "means", "mean", "expected_return"), ".expected_returns"),
    **dict.fromkeys(("names", "assets", "columns", "symbols"), ".tickers"),
    **dict.fromkeys(("corr", "correlations", "corr_matrix"), ".correlation"),
    **dict.fromkeys(("vols", "vol", "std", "volatility", "sigma"), ".volatilities"),
}


@guessable
@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class CovarianceData(Plotted, Tabular):
    """Covariance matrix and expected returns of a set of assets.

    Parameters
    ----------
    tickers : sequence of str
        Distinct tickers of the assets. Labelled frames and series are reordered to match; arrays have to be in this
        order.
    covariance : array_like, shape (n_assets, n_assets)
        Covariance matrix of the returns per year; symmetric and positive definite.
    expected_returns : array_like, shape (n_assets,), optional
        Expected returns per year, as decimals; required by optimisers that trade off return against risk.
    returns : array_like, shape (n_obs, n_assets), optional
        Past simple returns per period, oldest first; required by optimisers that use single periods.
    periods_per_year : float, default 252
        Number of periods of `returns` in a year.
    shrinkage : float, default 0
        Weight of the shrinkage target in the covariance estimate, in [0, 1].
    estimator : str, default "given"
        Name of the estimator of the covariance, or the origin of a matrix that was not estimated.
    riskless : tuple of str
        Tickers of the assets without variance; see :meth:`with_cash`.

    Raises
    ------
    MatrixError
        If the covariance is not square, symmetric, finite and positive definite, or its size differs from the number of
        assets.
    CalibrationError
        If a ticker occurs twice, or the shape of another array does not match.
    """

    tickers: tuple[str, ...]
    covariance: FloatArray
    expected_returns: FloatArray | None
    returns: FloatArray | None
    periods_per_year: float
    shrinkage: float
    estimator: str
    riskless: tuple[str, ...]

    def __init__(
        self,
        *,
        tickers: Sequence[str],
        covariance: ArrayLike,
        expected_returns: ArrayLike | None = None,
        returns: ArrayLike | None = None,
        periods_per_year: float = 252.0,
        shrinkage: float = 0.0,
        estimator: str = "given",
        riskless: tuple[str, ...] = (),
    ) -> None:
        names = distinct(tickers)
        n = len(names)
        if not 0.0 < periods_per_year < math.inf:
            raise CalibrationError(
                f"periods_per_year={periods_per_year!r}; give a number above 0, 252 for days, 12 for months"
            )
        object.__setattr__(self, "tickers", names)
        object.__setattr__(self, "covariance", definite(names, covariance, riskless))
        object.__setattr__(
            self, "expected_returns", fitting("expected_returns", in_order(names, expected_returns), (n,))
        )
        object.__setattr__(self, "returns", fitting("returns", in_order(names, returns), (None, n)))
        object.__setattr__(self, "periods_per_year", periods_per_year)
        object.__setattr__(self, "shrinkage", shrinkage)
        object.__setattr__(self, "estimator", estimator)
        object.__setattr__(self, "riskless", riskless)

    if not TYPE_CHECKING:
        __getattr__ = words_of(_WORDS)

    @classmethod
    def checked(cls, given: CovarianceData, purpose: str) -> CovarianceData:
        """Return `given` if it is covariance data, for the purpose named in the error message.

        Raises
        ------
        ModelError
            If it has another type.
        """
        if not isinstance(given, cls):
            raise ModelError(f"{purpose} of a {type(given).__name__}; give CovarianceData, for example by from_returns")
        return given

    @classmethod
    @guessable
    def from_returns(
        cls,
        returns: ArrayLike,
        tickers: Sequence[str] | None = None,
        estimator: Estimator | str = Estimator.SAMPLE,
        *,
        mean: MeanMethod | str = MeanMethod.ARITHMETIC,
        periods_per_year: float = 252.0,
        decay: float = 0.97,
        components: int = 5,
        newest_first: bool = False,
    ) -> Self:
        """Estimate covariance and expected returns from returns.

        Parameters
        ----------
        returns : array_like or DataFrame, shape (n_obs, n_assets)
            Simple returns per period, as decimals, finite, oldest first. A frame with dates as its index is sorted by
            date.
        tickers : sequence of str, optional
            Tickers of the assets; the column names of a frame if omitted. The columns of a labelled frame are selected
            by ticker.
        estimator : Estimator or str, default "sample"
            Estimator of the covariance, see :mod:`bank_python.optimizer.estimators`.
        mean : MeanMethod or str, default "arithmetic"
            Method of estimating expected returns, see :mod:`bank_python.optimizer.expected_returns`.
        periods_per_year : float, default 252
            Number of periods in a year, above 0.
        decay : float, default 0.97
            Decay factor per period of the weights of ``ewma``, in (0, 1), for the covariance and the mean.
        components : int, default 5
            Number of principal components of the ``pca`` estimator.
        newest_first : bool, default False
            Whether the rows, without dates, begin with the newest.

        Raises
        ------
        CalibrationError
            If a return is missing, the returns of an asset are constant, or there are too few rows for the estimator.
        """
        names = _names(returns, tickers)
        past = panel_of("returns", names, returns, newest_first=newest_first)
        check_returns_vary(names, past)
        chosen = Estimator.parse(estimator)
        if chosen in _NEED_MORE_ROWS and len(past) <= len(names):
            raise CalibrationError(
                f"{len(past)} rows of returns for {len(names)} assets: the {chosen.value} covariance is singular; give "
                f"at least {len(names) + 1} rows, or estimator='ledoit_wolf'",
                value=len(past),
            )
        estimate = estimate_covariance(past, chosen, decay=decay, components=components)
        return cls(
            tickers=names,
            covariance=estimate.covariance * periods_per_year,
            expected_returns=mean_returns(past, mean, periods_per_year=periods_per_year, decay=decay),
            returns=past,
            periods_per_year=periods_per_year,
            shrinkage=estimate.shrinkage,
            estimator=chosen.value,
        )

    @classmethod
    @guessable
    def from_prices(
        cls,
        prices: ArrayLike,
        tickers: Sequence[str] | None = None,
        estimator: Estimator | str = Estimator.SAMPLE,
        **estimation: Unpack[_Details],
    ) -> Self:
        """Estimate covariance and expected returns from prices.

        Parameters
        ----------
        prices : array_like or DataFrame, shape (n_obs, n_assets)
            Prices above 0, oldest first, adjusted for dividends and splits. A frame with dates as its index is sorted
            by date.
        tickers : sequence of str, optional
            Tickers of the assets; the column names of a frame if omitted. The columns of a labelled frame are selected
            by ticker.
        estimator : Estimator or str, default "sample"
            Estimator of the covariance, see :mod:`bank_python.optimizer.estimators`.
        **estimation
            Keyword arguments of :meth:`from_returns`; here `mean` defaults to "compounded", the compounded return from
            the first price to the last.

        Raises
        ------
        CalibrationError
            If a price is missing or not above 0, and in the cases listed for :meth:`from_returns`.
        """
        names = _names(prices, tickers)
        newest_first = estimation.pop("newest_first", False)
        levels = panel_of("prices", names, prices, newest_first=newest_first, positive=True)
        chosen: _Details = {"mean": MeanMethod.COMPOUNDED, **estimation}
        past = levels[1:] / levels[:-1] - 1.0
        check_returns_vary(names, past, rounding=8.0 * float(np.finfo(float).eps))
        return cls.from_returns(past, names, estimator, **chosen)

    @classmethod
    @guessable
    def from_table(
        cls,
        history: PriceHistoryTable,
        tickers: Sequence[str],
        estimator: Estimator | str = Estimator.SAMPLE,
        **estimation: Unpack[_Details],
    ) -> Self:
        """Estimate covariance and expected returns from the price history, on the days common to all tickers.

        Parameters
        ----------
        history : PriceHistoryTable
            Price history of all tickers, such as ``manager.history``.
        tickers : sequence of str
            Tickers of the assets.
        estimator : Estimator or str, default "sample"
            Estimator of the covariance, see :mod:`bank_python.optimizer.estimators`.
        **estimation
            Keyword arguments of :meth:`from_prices`.

        Raises
        ------
        UnknownTickerError
            If a ticker has no history.
        CalibrationError
            In the cases listed for :meth:`from_prices`.
        """
        return cls.from_prices(history.panel(distinct(tickers)).closes, tickers, estimator, **estimation)

    @classmethod
    @guessable
    def from_graph(
        cls,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        tickers: Sequence[str],
        *,
        spots: Mapping[str, Node | str] | None = None,
        **estimation: Unpack[Estimation],
    ) -> Self:
        """Estimate covariance and expected returns from past closes, followed by the present prices of a graph.

        Parameters
        ----------
        graph : DependencyGraph
            Graph that contains a price node of every ticker.
        history : PriceHistoryTable
            Price history of all tickers.
        tickers : sequence of str
            Tickers of the assets.
        spots : mapping of str to Node or str, optional
            Price nodes or their names by ticker; ``<ticker>_SPOT`` for tickers not listed.
        **estimation
            Keyword arguments of :meth:`from_prices`.

        Raises
        ------
        UnknownNodeError, UnknownTickerError
            If a price is not in the graph, or a ticker has no history.
        CalibrationError
            In the cases listed for :meth:`from_prices`.
        """
        names, known = distinct(tickers), spots or {}
        live = [float(cast("float", graph.node(known.get(name, f"{name}_SPOT")).value)) for name in names]
        return cls.from_prices(np.vstack([history.panel(names).closes, live]), names, **estimation)

    @classmethod
    @guessable
    def repaired(
        cls,
        *,
        tickers: Sequence[str],
        covariance: ArrayLike,
        expected_returns: ArrayLike | None = None,
        least_eigenvalue: float = 1e-8,
    ) -> Self:
        """Replace the correlations by the nearest positive definite ones, with unchanged variances (Higham 2002).

        Parameters
        ----------
        tickers, expected_returns
            Tickers and expected returns of the assets, see the parameters of the class.
        covariance : array_like, shape (n_assets, n_assets)
            Symmetric matrix with a positive diagonal; it may be indefinite.
        least_eigenvalue : float, default 1e-8
            Smallest eigenvalue of the resulting correlation matrix, above 0.

        Raises
        ------
        MatrixError
            If the matrix is not square, symmetric and finite, or a variance is not above 0.
        """
        names = distinct(tickers)
        given = symmetric(names, in_order(names, covariance))
        deviation = np.sqrt(np.diag(given))
        size = np.outer(deviation, deviation)
        correlation = nearest_correlation(given / size, least_eigenvalue=least_eigenvalue)
        repaired = correlation * size
        return cls(tickers=names, covariance=repaired, expected_returns=expected_returns, estimator="repaired")

    def with_cash(self, rate: float, ticker: str = CASH) -> Self:
        """Return the data with cash as an additional last asset, without variance.

        Parameters
        ----------
        rate : float
            Interest rate of cash per year, as a decimal.
        ticker : str, default "CASH"
            Ticker of the cash asset.

        Raises
        ------
        CalibrationError
            If the ticker is already in use, or the rate is not finite.
        """
        if not math.isfinite(rate):
            raise CalibrationError(f"cash at a rate of {rate!r}; give a finite rate per year, as a decimal", value=rate)
        means, past = self.expected_returns, self.returns
        cash_returns = np.full((0 if past is None else len(past), 1), rate / self.periods_per_year)
        return type(self)(
            tickers=(*self.tickers, ticker),
            covariance=np.pad(self.covariance, (0, 1)),
            expected_returns=None if means is None else np.append(means, rate),
            returns=None if past is None else np.hstack([past, cash_returns]),
            periods_per_year=self.periods_per_year,
            shrinkage=self.shrinkage,
            estimator=self.estimator,
            riskless=(*self.riskless, ticker),
        )

    def with_expected_returns(self, expected_returns: ArrayLike) -> Self:
        """Return the data with other expected returns, such as a forecast or those of a model.

        Parameters
        ----------
        expected_returns : array_like, shape (n_assets,)
            Expected returns per year, as decimals.

        Raises
        ------
        CalibrationError
            If their number differs from the number of assets, or one is not finite.
        """
        return type(self)(
            tickers=self.tickers,
            covariance=self.covariance,
            expected_returns=expected_returns,
            returns=self.returns,
            periods_per_year=self.periods_per_year,
            shrinkage=self.shrinkage,
            estimator=self.estimator,
            riskless=self.riskless,
        )

    @property
    def volatilities(self) -> FloatArray:
        """Annual volatilities, shape (n_assets,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> FloatArray:
        """Correlation matrix, shape (n_assets, n_assets); the correlations of cash are 0."""
        deviation = self.volatilities
        size = np.outer(deviation, deviation)
        return np.asarray(np.divide(self.covariance, size, out=np.eye(len(size)), where=size > 0.0))

    def to_table(self) -> Table:
        """Return a table with a row for each asset: volatility, expected return, and correlations by ticker."""
        from bank_python.mntable import Table

        means = [None] * len(self.tickers) if self.expected_returns is None else self.expected_returns.tolist()
        columns = [f"correlation_{ticker}" for ticker in self.tickers]
        figures = zip(self.tickers, self.volatilities.tolist(), means, self.correlation.tolist(), strict=True)
        rows = [
            {"ticker": ticker, "volatility": vol, "expected_return": mean, **dict(zip(columns, row, strict=True))}
            for ticker, vol, mean, row in figures
        ]
        schema = [("ticker", str), ("volatility", float), ("expected_return", float | None)]
        return Table.from_rows([*schema, *((column, float) for column in columns)], rows)

    def _draw_(self, axes: Axes) -> None:
        """Draw the correlations as a heat map with figures, volatilities in the labels of the rows."""
        names = [literal(ticker) for ticker in self.tickers]
        rows = [f"{name} {vol:.0%}" for name, vol in zip(names, self.volatilities, strict=True)]
        draw_correlations(axes, self.correlation, names, rows)
        axes.set_title("Correlations; volatilities per year beside the tickers")

    def __rich__(self) -> object:
        from bank_python.render_portfolio import covariance_view

        return covariance_view(self)

    def require_risk(self, purpose: str) -> None:
        """Check that every asset has variance.

        Raises
        ------
        CalibrationError
            If an asset has none; the message names it and the purpose.
        """
        if self.riskless:
            raise CalibrationError(
                f"{purpose} requires assets with risk, and {self.riskless[0]} has none; leave it out",
                value=self.riskless[0],
            )

    def means_for(self, purpose: str) -> FloatArray:
        """Return the expected returns, per year.

        Raises
        ------
        CalibrationError
            If there are none; the message names the purpose.
        """
        if self.expected_returns is None:
            raise CalibrationError(
                f"{purpose} needs expected returns; give expected_returns=, or estimate from returns"
            )
        return self.expected_returns

    def returns_for(self, purpose: str) -> FloatArray:
        """Return the past returns, per period.

        Raises
        ------
        CalibrationError
            If there are none; the message names the purpose.
        """
        if self.returns is None:
            raise CalibrationError(f"{purpose} needs past returns; give returns=, or use CovarianceData.from_returns")
        return self.returns
