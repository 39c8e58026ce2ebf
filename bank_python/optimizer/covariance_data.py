"""What an optimiser stands on: assets, their covariance, and what they are expected to return.

All figures are a year's. They are taken as they are, or estimated from returns, from prices, or from the price tables;
where they were estimated the returns are kept, for the methods that look at every one of them.

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
from bank_python.numerics import nearest_correlation
from bank_python.optimizer.estimators import Estimator, estimate_covariance
from bank_python.optimizer.expected_returns import MeanMethod, mean_returns
from bank_python.optimizer.inputs import (
    columns_of,
    definite,
    distinct,
    fitting,
    in_order,
    refuse_gaps,
    refuse_still,
    symmetric,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self, Unpack

    from numpy.typing import ArrayLike

    from bank_python.dagger import DependencyGraph, Node
    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray

__all__ = ["CASH", "CovarianceData", "Estimation"]

CASH = "CASH"
"""What cash is called, unless it is told otherwise."""

_NEED_MORE_ROWS = (Estimator.SAMPLE, Estimator.EWMA)


class Estimation(TypedDict, total=False):
    """How covariance and expected returns are estimated; see :meth:`CovarianceData.from_returns`."""

    estimator: Estimator | str
    mean: MeanMethod | str
    periods_per_year: float
    decay: float
    components: int


@dataclass(frozen=True, slots=True, eq=False, init=False)
class CovarianceData:
    """A covariance matrix with its assets.

    Parameters
    ----------
    tickers : sequence of str
        The assets, each once. Frames and series with names are put in their order; arrays are taken as they stand.
    covariance : array_like, shape (n_assets, n_assets)
        Of a year's returns; symmetric, positive definite.
    expected_returns : array_like, shape (n_assets,), optional
        A year's; needed where returns are weighed against risk.
    returns : array_like, shape (n_obs, n_assets), optional
        A period's, oldest first; needed where single days count.
    periods_per_year : float, default 252
        Periods of `returns` in a year.
    shrinkage : float, default 0
        Weight of the estimator's target, in [0, 1].
    estimator : str, default "given"
        Where the covariance is from.
    riskless : tuple of str
        The assets without variance; see :meth:`with_cash`.

    Raises
    ------
    MatrixError
        The covariance is not square, symmetric, finite and positive definite, or not of these assets.
    CalibrationError
        A ticker is there twice, or the other arrays do not fit.
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
            raise CalibrationError(f"periods_per_year={periods_per_year!r}; 252 for days, 12 for months")
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

    @classmethod
    def checked(cls, given: CovarianceData, purpose: str) -> CovarianceData:
        """Return the data; refuse what is something else.

        Raises
        ------
        ModelError
            It is; the message names the purpose and says how data is made.
        """
        if not isinstance(given, cls):
            raise ModelError(
                f"{purpose} of a {type(given).__name__}; give CovarianceData, as CovarianceData.from_returns makes it"
            )
        return given

    @classmethod
    def from_returns(
        cls,
        returns: ArrayLike,
        tickers: Sequence[str] | None = None,
        *,
        estimator: Estimator | str = Estimator.SAMPLE,
        mean: MeanMethod | str = MeanMethod.ARITHMETIC,
        periods_per_year: float = 252.0,
        decay: float = 0.97,
        components: int = 5,
    ) -> Self:
        """Estimate covariance and expected returns from returns.

        Parameters
        ----------
        returns : array_like or DataFrame, shape (n_obs, n_assets)
            Simple returns of a period, oldest first; finite.
        tickers : sequence of str, optional
            The assets; the columns of a frame if left out. Of a frame with names the columns are looked up by them.
        estimator : Estimator or str, default "sample"
            See :mod:`bank_python.optimizer.estimators`.
        mean : MeanMethod or str, default "arithmetic"
            See :mod:`bank_python.optimizer.expected_returns`.
        periods_per_year : float, default 252
            Above 0.
        decay : float, default 0.97
            For ``ewma``, of either.
        components : int, default 5
            For ``pca``.

        Raises
        ------
        CalibrationError
            A return is missing, an asset never moves, or there are too few rows for the estimator.
        """
        names = distinct(columns_of(returns) if tickers is None else tickers)
        past = np.array(in_order(names, returns), dtype=np.float64, order="C")
        refuse_gaps(names, past)
        refuse_still(names, past)
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
    def from_prices(
        cls,
        prices: ArrayLike,
        tickers: Sequence[str] | None = None,
        **estimation: Unpack[Estimation],
    ) -> Self:
        """Estimate covariance and expected returns from prices.

        Parameters
        ----------
        prices : array_like or DataFrame, shape (n_obs, n_assets)
            Above 0, oldest first, adjusted for dividends and splits.
        tickers : sequence of str, optional
            The assets; the columns of a frame if left out. Of a frame with names the columns are looked up by them.
        **estimation
            As for :meth:`from_returns`, but that the mean is by default "compounded": the mean historical return from
            the first price to the last.

        Raises
        ------
        CalibrationError
            A price is missing or not above 0; and as for :meth:`from_returns`.
        """
        names = distinct(columns_of(prices) if tickers is None else tickers)
        levels = np.array(in_order(names, prices), dtype=np.float64, order="C")
        refuse_gaps(names, levels, positive=True)
        chosen: Estimation = {"mean": MeanMethod.COMPOUNDED, **estimation}
        past = levels[1:] / levels[:-1] - 1.0
        refuse_still(names, past, rounding=8.0 * float(np.finfo(float).eps))
        return cls.from_returns(past, names, **chosen)

    @classmethod
    def from_table(
        cls,
        history: PriceHistoryTable,
        tickers: Sequence[str],
        **estimation: Unpack[Estimation],
    ) -> Self:
        """Estimate covariance and expected returns from the price tables, on the days that all tickers have.

        Parameters
        ----------
        history : PriceHistoryTable
            With a history of every ticker; ``manager.history``.
        tickers : sequence of str
            The assets.
        **estimation
            As for :meth:`from_prices`.

        Raises
        ------
        UnknownTickerError
            A ticker has no history.
        CalibrationError
            As for :meth:`from_prices`.
        """
        return cls.from_prices(history.panel(distinct(tickers)).closes, tickers, **estimation)

    @classmethod
    def from_graph(
        cls,
        graph: DependencyGraph,
        history: PriceHistoryTable,
        tickers: Sequence[str],
        *,
        spots: Mapping[str, Node | str] | None = None,
        **estimation: Unpack[Estimation],
    ) -> Self:
        """Estimate covariance and expected returns from past closes and, as the last of them, a graph's live prices.

        Parameters
        ----------
        graph : DependencyGraph
            With a price of every ticker.
        history : PriceHistoryTable
            With a history of every ticker.
        tickers : sequence of str
            The assets.
        spots : mapping of str to Node or str, optional
            Each asset's price; ``<ticker>_SPOT`` if left out.
        **estimation
            As for :meth:`from_prices`.

        Raises
        ------
        UnknownNodeError, UnknownTickerError
            A price is not in the graph, or a ticker has no history.
        CalibrationError
            As for :meth:`from_prices`.
        """
        names, known = distinct(tickers), spots or {}
        live = [float(cast("float", graph.node(known.get(name, f"{name}_SPOT")).value)) for name in names]
        return cls.from_prices(np.vstack([history.panel(names).closes, live]), names, **estimation)

    @classmethod
    def repaired(
        cls,
        *,
        tickers: Sequence[str],
        covariance: ArrayLike,
        expected_returns: ArrayLike | None = None,
        least_eigenvalue: float = 1e-8,
    ) -> Self:
        """Take the covariance whose correlations are nearest to those given; variances are kept (Higham 2002).

        Parameters
        ----------
        tickers, expected_returns
            As for the class.
        covariance : array_like, shape (n_assets, n_assets)
            Symmetric, the diagonal above 0; it need not be positive definite.
        least_eigenvalue : float, default 1e-8
            Of the correlations, above 0.

        Raises
        ------
        MatrixError
            It is not square, symmetric and finite, or a variance is not above 0.
        """
        names = distinct(tickers)
        given = symmetric(names, in_order(names, covariance))
        deviation = np.sqrt(np.diag(given))
        size = np.outer(deviation, deviation)
        correlation = nearest_correlation(given / size, least_eigenvalue=least_eigenvalue)
        repaired = correlation * size
        return cls(tickers=names, covariance=repaired, expected_returns=expected_returns, estimator="repaired")

    def with_cash(self, rate: float, ticker: str = CASH) -> Self:
        """Return the data with cash as the last asset: no variance, and a rate for its return.

        Parameters
        ----------
        rate : float
            A year's.
        ticker : str, default "CASH"
            What it is called.

        Raises
        ------
        CalibrationError
            That ticker is there already, or the rate is not finite.
        """
        if not math.isfinite(rate):
            raise CalibrationError(f"cash at a rate of {rate!r}; give a rate a year", value=rate)
        means, past = self.expected_returns, self.returns
        a_period = np.full((0 if past is None else len(past), 1), rate / self.periods_per_year)
        return type(self)(
            tickers=(*self.tickers, ticker),
            covariance=np.pad(self.covariance, (0, 1)),
            expected_returns=None if means is None else np.append(means, rate),
            returns=None if past is None else np.hstack([past, a_period]),
            periods_per_year=self.periods_per_year,
            shrinkage=self.shrinkage,
            estimator=self.estimator,
            riskless=(*self.riskless, ticker),
        )

    def with_expected_returns(self, expected_returns: ArrayLike) -> Self:
        """Return the data with other expected returns a year: one's own, or those of a model.

        Parameters
        ----------
        expected_returns : array_like, shape (n_assets,)
            A year's.

        Raises
        ------
        CalibrationError
            They do not fit, or are not finite.
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
        """Volatilities a year, shape (n_assets,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> FloatArray:
        """Correlations, shape (n_assets, n_assets); 0 with cash."""
        deviation = self.volatilities
        size = np.outer(deviation, deviation)
        return np.asarray(np.divide(self.covariance, size, out=np.eye(len(size)), where=size > 0.0))

    def require_risk(self, purpose: str) -> None:
        """Refuse cash.

        Raises
        ------
        CalibrationError
            An asset has no variance; the message names it and the purpose.
        """
        if self.riskless:
            raise CalibrationError(
                f"{purpose} shares out risk, and {self.riskless[0]} has none; leave it out", value=self.riskless[0]
            )

    def means_for(self, purpose: str) -> FloatArray:
        """Return the expected returns.

        Raises
        ------
        CalibrationError
            There are none; the message names the purpose.
        """
        if self.expected_returns is None:
            raise CalibrationError(
                f"{purpose} needs expected returns; give expected_returns=, or estimate from returns"
            )
        return self.expected_returns

    def returns_for(self, purpose: str) -> FloatArray:
        """Return the past returns.

        Raises
        ------
        CalibrationError
            There are none; the message names the purpose.
        """
        if self.returns is None:
            raise CalibrationError(
                f"{purpose} looks at single periods; give returns=, or use CovarianceData.from_returns"
            )
        return self.returns
