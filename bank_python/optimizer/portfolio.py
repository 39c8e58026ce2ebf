"""What an optimiser gives back: weights, what they promise, and the proof that they are right.

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
from bank_python.errors import ModelError
from bank_python.optimizer.certificate import Certificate
from bank_python.risk_models.risk_free import RISK_FREE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

    from bank_python.mntable import Table
    from bank_python.numerics import FloatArray
    from bank_python.optimizer.covariance_data import CovarianceData

__all__ = ["OptimalPortfolio", "Performance", "portfolio_of"]

_DUST = 1e-24  # of the largest variance: the square of what rounding leaves of a volatility that is none
_DUST_BESIDE_CASH = 1e-18  # the same of solutions to nine digits, as programs with cash have them
_NAMED = 4
_NO_PROOF = Certificate(kkt_residual=0.0, duality_gap=0.0)

_ON_THE_GRID = 1e-4  # of the last decimal that is kept: a weight so near to it is one of its numbers


class Performance(NamedTuple):
    """What a portfolio promises, a year's figures; NaN where no expected returns were given."""

    expected_return: float
    volatility: float
    sharpe: float


@storable("optimizer.OptimalPortfolio", version=1)
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OptimalPortfolio:
    """A portfolio with its proof; made by an optimiser.

    Parameters
    ----------
    method : str
        By what it was found.
    tickers : tuple of str
        The assets.
    weights : ndarray, shape (n_assets,)
        Shares of the wealth.
    expected_return, volatility, sharpe : float
        A year's; NaN where no expected returns were given.
    risk_free_rate : float
        That the Sharpe ratio is measured from, a year.
    risk_shares : ndarray, shape (n_assets,)
        Each asset's part of the variance; they add up to one.
    certificate : Certificate
        The proof.
    estimator : str
        Where the covariance is from.
    figures : mapping of str to float
        What else the method tells, such as ``cvar``.
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
        largest = sorted(self.by_ticker().items(), key=lambda held: -abs(held[1]))[:_NAMED]
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
        """Return the assets; with :meth:`items` and ``portfolio["SPY"]`` it reads as a dict of weights."""
        return self.tickers

    def items(self) -> list[tuple[str, float]]:
        """Return the assets with their weights."""
        return list(self.by_ticker().items())

    def above(self, risk_free_rate: float) -> OptimalPortfolio:
        """Return the portfolio with its Sharpe ratio measured from another rate.

        Parameters
        ----------
        risk_free_rate : float
            A year's.
        """
        ratio = (self.expected_return - risk_free_rate) / self.volatility if self.volatility > 0.0 else math.nan
        return replace(self, sharpe=ratio, risk_free_rate=risk_free_rate)

    def by_ticker(self) -> dict[str, float]:
        """Return the weights by ticker."""
        return dict(zip(self.tickers, self.weights.tolist(), strict=True))

    def clean_weights(self, cutoff: float = 1e-4, digits: int = 5) -> dict[str, float]:
        """Return the weights rounded, those below a cutoff as 0.

        Each is rounded down or up, so that the sum stays as it is; one that has no more decimals than are kept, as on a
        bound, stays. What is cut off goes to the largest of the others.

        Parameters
        ----------
        cutoff : float, default 1e-4
            Weights of smaller size become 0; at least 0.
        digits : int, default 5
            Decimals that are kept.

        Raises
        ------
        ModelError
            The cutoff is below 0, not finite, or above every weight; or `digits` is no number from 0 on.
        """
        if not isinstance(digits, int) or digits < 0:  # type: ignore[redundant-expr]  # untyped callers
            raise ModelError(f"digits={digits!r}; give a number of decimals from 0 on, 5 is usual", value=digits)
        if not 0.0 <= cutoff < math.inf:
            raise ModelError(f"cutoff={cutoff!r}; give a weight from 0 on, 1e-4 is usual", value=cutoff)
        most = float(np.abs(self.weights).max())
        if cutoff > most > 0.0:
            raise ModelError(f"cutoff={cutoff:g} leaves nothing: the largest weight is {most:.3g}", value=cutoff)
        kept = np.where(np.abs(self.weights) < cutoff, 0.0, self.weights) * 10.0**digits
        whole = np.floor(kept + _ON_THE_GRID)
        left = kept - whole
        lacking = round(float(self.weights.sum()) * 10.0**digits - float(whole.sum()))
        between = left > _ON_THE_GRID
        raised = [i for i in np.argsort(-left, kind="stable").tolist() if between[i]][: max(lacking, 0)]
        whole[raised] += 1.0
        free = between if between.any() else np.ones_like(between)
        whole[np.argmax(np.where(free, np.abs(kept), -1.0))] += lacking - len(raised)
        rounded = [round(units / 10.0**digits, digits) for units in whole.tolist()]
        return dict(zip(self.tickers, rounded, strict=True))

    def performance(self, *, verbose: bool = False) -> Performance:
        """Return expected return, volatility and Sharpe ratio; show the portfolio in the terminal if `verbose`."""
        if verbose:
            from bank_python.render_portfolio import show

            show(self)
        return Performance(self.expected_return, self.volatility, self.sharpe)

    def to_table(self) -> Table:
        """Return a row for each asset: ticker, weight, share of the risk."""
        from bank_python.mntable import Table

        rows = [
            {"ticker": name, "weight": weight, "risk_share": share}
            for name, weight, share in zip(self.tickers, self.weights.tolist(), self.risk_shares.tolist(), strict=True)
        ]
        return Table.from_rows([("ticker", str), ("weight", float), ("risk_share", float)], rows)

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
    """Return a portfolio of given weights, measured on the data.

    Parameters
    ----------
    data : CovarianceData
        The assets.
    method : str
        By what the weights were found.
    weights : array_like, shape (n_assets,)
        Shares of the wealth.
    certificate : Certificate, optional
        The proof.
    risk_free_rate : float, default RISK_FREE_RATE
        A year's.
    figures : mapping of str to float, optional
        What else is told.

    Raises
    ------
    ModelError
        The weights do not fit the assets, or are not finite.
    """
    held = np.array(weights, dtype=np.float64)
    if held.shape != (len(data.tickers),) or not np.isfinite(held).all():
        raise ModelError(f"weights of shape {held.shape} for {len(data.tickers)} assets; give one finite number each")
    held.setflags(write=False)
    pull = data.covariance @ held
    variance = float(held @ pull)
    dust = _DUST_BESIDE_CASH if data.riskless else _DUST
    if variance <= dust * float(np.abs(held).max() ** 2 * np.abs(np.diag(data.covariance)).max()):
        variance = 0.0  # what rounding leaves beside cash
    volatility = math.sqrt(variance)
    promised = math.nan if data.expected_returns is None else float(data.expected_returns @ held)
    return OptimalPortfolio(
        method=method,
        tickers=data.tickers,
        weights=held,
        expected_return=promised,
        volatility=volatility,
        sharpe=(promised - risk_free_rate) / volatility if volatility > 0.0 else math.nan,
        risk_free_rate=risk_free_rate,
        risk_shares=held * pull / variance if variance > 0.0 else np.zeros(len(held)),
        certificate=certificate,
        estimator=data.estimator,
        figures=dict(figures or {}),
    )
