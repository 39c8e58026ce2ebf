r"""The factor model of a portfolio: prices from their history, what has none from stated assumptions.

Prices, exchange rates and coins are calibrated together. Implied volatilities, yields, discount rates and credit
spreads of an own portfolio have no history; they get the volatilities below and correlations

* between a volatility and its own underlying: −0.7;
* between two rates: 0.9;
* otherwise none.

With :math:`R` the correlations of the prices and :math:`A` the loadings of the others on them, the joint matrix is

.. math:: \begin{pmatrix} R & R A^T \\ A R & A R A^T + D \end{pmatrix},

which is positive semidefinite for every positive semidefinite :math:`D`, so that nothing has to be repaired.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import CalibrationError, PositionsError
from bank_python.instruments.factor import Factor
from bank_python.mc_engine import FactorModel, calibrate_model
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray
    from bank_python.portfolio.history import History
    from bank_python.risk import RiskFactor

__all__ = ["ASSUMED_VOLS", "joint_model"]

ASSUMED_VOLS: dict[Factor, float] = {Factor.VOL: 0.80, Factor.RATE: 0.010, Factor.CREDIT: 0.50}
"""Annual volatilities of what has no history: of the logarithm, for rates in units of the rate (0.01 is 100 bp)."""

_SKEW = -0.7
_RATES = 0.9
_WEEKLY = 4.0
_OLDEST = 10


def joint_model(
    factors: Sequence[RiskFactor],
    history: History | None,
    tickers: Mapping[str, str],
    vols: Mapping[str, float],
) -> tuple[FactorModel, list[str]]:
    """Return the factor model of some factors, and what to know about its history, one sentence each.

    Parameters
    ----------
    factors : sequence of RiskFactor
        Factors that the positions depend on.
    history : History, optional
        Daily closes; not needed without factors that have tickers.
    tickers : mapping of str to str
        Ticker whose history is that of a factor, by factor.
    vols : mapping of str to float
        Annual volatilities in place of the assumed ones, by factor.

    Raises
    ------
    PositionsError
        A price has no history, or the common history is too short, not daily, or ends long before the others.
    """
    known = [factor for factor in factors if factor.name in tickers]
    notes: list[str] = []
    model = FactorModel.given({})
    if history is not None and known:
        missing = [tickers[f.name] for f in known if tickers[f.name] not in history.tickers]
        if missing:
            raise PositionsError(f"{history.source} has no history of {', '.join(missing)}; add it to the prices")
        model = _calibrated([factor.name for factor in known], [tickers[f.name] for f in known], history)
        notes = _check_days(history, [tickers[f.name] for f in known])
    others = [factor for factor in factors if factor.name not in tickers]
    return (_extended(model, others, vols) if others else model), notes


def _check_days(history: History, tickers: Sequence[str]) -> list[str]:
    """Return a note on a hole in the common days; raise an error if they are not daily, or end early."""
    days = history.common_dates(tickers)
    steps = [(later - earlier).days for earlier, later in pairwise(days)]
    if median(steps) > _WEEKLY:
        raise PositionsError(
            f"{history.source}: the days that all tickers have are mostly {median(steps):g} days apart, and risk is "
            "per day; give daily prices of each"
        )
    if (history.dates[-1] - days[-1]).days > _OLDEST:
        ends = {ticker: history.common_dates([ticker])[-1] for ticker in tickers}
        first = min(ends, key=lambda ticker: ends[ticker])
        raise PositionsError(
            f"{history.source}: the history of {first} ends on {ends[first]}, that of others on {history.dates[-1]}; "
            "add its later prices"
        )
    if max(steps) <= _OLDEST:
        return []
    hole = steps.index(max(steps))
    return [f"no common prices from {days[hole]} to {days[hole + 1]}: the move between them counts as that of one day"]


def _calibrated(names: Sequence[str], tickers: Sequence[str], history: History) -> FactorModel:
    closes = history.common(tickers)
    try:
        return calibrate_model(tuple(names), closes, (True,) * len(names))
    except CalibrationError as error:
        days = {ticker: len(history.common([ticker])) for ticker in tickers}
        least = min(days, key=lambda ticker: days[ticker])
        raise PositionsError(
            f"{history.source}: {len(closes)} common days; {least} has {days[least]}. {message_of(error)}"
        ) from error


def _extended(model: FactorModel, others: Sequence[RiskFactor], vols: Mapping[str, float]) -> FactorModel:
    loadings = np.zeros((len(others), len(model.names)))
    for i, factor in enumerate(others):
        spot = f"{factor.name.removesuffix('_VOL').split(' ')[0]}_SPOT"
        if factor.kind is Factor.VOL and spot in model.names:
            loadings[i, model.names.index(spot)] = _SKEW
    shared = loadings @ model.correlation
    across = shared @ loadings.T
    rest = _residual(others, 1.0 - np.diag(across))
    correlation = np.block([[model.correlation, shared.T], [shared, across + rest]])
    np.fill_diagonal(correlation, 1.0)
    known = dict(zip(model.names, model.vols.tolist(), strict=True))
    assumed = {factor.name: vols.get(factor.name, ASSUMED_VOLS.get(factor.kind, 0.0)) for factor in others}
    shifted = [factor.name for factor in others if factor.kind is Factor.RATE]
    return FactorModel.given(known | assumed, correlation, absolute=shifted, degrees=model.degrees)


def _residual(others: Sequence[RiskFactor], variances: FloatArray) -> FloatArray:
    rates = np.array([factor.kind is Factor.RATE for factor in others])
    matrix = np.where(np.outer(rates, rates), _RATES, 0.0)
    np.fill_diagonal(matrix, 1.0)
    scale = np.sqrt(variances)
    residual: FloatArray = matrix * np.outer(scale, scale)
    return residual
