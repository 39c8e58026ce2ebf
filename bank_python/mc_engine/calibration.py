r"""Laws from history: present volatilities, and correlations that can be trusted.

From prices in tables (MnTable, as :class:`~bank_python.market_data.MarketDataManager` keeps them) come daily moves, of
the logarithm or of the level. Volatilities are exponentially weighted, so that they are of the present. Correlations,
weighted more evenly, are drawn towards 0 by as much as they are uncertain (Schäfer and Strimmer),

.. math:: \hat\rho_{ij} = (1 - \lambda) r_{ij}, \qquad
          \lambda = \frac{\sum_{i \ne j} (1 - r_{ij}^2)^2 / (T - 1)}{\sum_{i \ne j} r_{ij}^2}

with the effective number of observations T. That makes them definite even of more factors than days; should they not
be, the nearest correlation matrix is taken and the factor model says how far it was.

Examples
--------
>>> rng = np.random.default_rng(0)
>>> closes = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal((500, 2)), axis=0))
>>> factor_model = calibrate_model(("A", "B"), closes, (True, True))
>>> factor_model.vols.round(2), factor_model.source
(array([0.16, 0.15]), '499 days, ewma 0.97')

References
----------
J.P. Morgan/Reuters, *RiskMetrics Technical Document* (1996), section 5.2: exponentially weighted volatility.

J. Schäfer and K. Strimmer, "A shrinkage approach to large-scale covariance matrix estimation and implications for
functional genomics", Statistical Applications in Genetics and Molecular Biology 4 (2005): target D, with the variance
of a correlation of normals.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.deprecation import renamed
from bank_python.errors import CalibrationError, SimulationError
from bank_python.mc_engine.factor_model import FactorModel, JumpTerms, VarianceTerms
from bank_python.numerics import nearest_correlation
from bank_python.numerics.tolerances import LAST_DIGITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import ArrayLike

    from bank_python.market_data.price_history import PriceHistoryTable
    from bank_python.numerics import FloatArray

__all__ = ["FEWEST", "calibrate_from_table", "calibrate_model", "join_models"]

FEWEST = 30
"""Daily moves that a factor model needs at least; levels are one more."""
_DAYS = 252.0
_EVEN = 0.99
_DEGREES = (4.0, 30.0)


def calibrate_from_table(
    history: PriceHistoryTable,
    tickers: Mapping[str, str],
    absolute: Sequence[str] = (),
    *,
    decay: float = 0.97,
    variance: VarianceTerms | None = None,
    jumps: JumpTerms | None = None,
) -> FactorModel:
    """Calibrate a factor model from the price tables, on the days that all tickers have.

    Parameters
    ----------
    history : PriceHistoryTable
        With a history of every ticker; ``manager.history``.
    tickers : mapping of str to str
        By factor, the ticker whose closes are its past.
    absolute : sequence of str
        The factors that move by shifts.
    decay, variance, jumps
        As for :func:`calibrate_model`.

    Raises
    ------
    CalibrationError
        A history is too short, or there are too few common days (the message names the ticker, how many it has, how
        many are needed, and what to do), or a price makes no sense.
    UnknownTickerError
        A ticker has no history.
    """
    panel = history.panel(list(tickers.values()))
    if tickers and len(panel.dates) <= FEWEST:
        raise _too_short(history, list(tickers.values()))
    relative = tuple(factor not in absolute for factor in tickers)
    return calibrate_model(tuple(tickers), panel.closes, relative, decay=decay, variance=variance, jumps=jumps)


@admits(SimulationError)
def calibrate_model(
    names: Sequence[str],
    levels: ArrayLike,
    relative: Sequence[bool],
    *,
    decay: float = 0.97,
    variance: VarianceTerms | None = None,
    jumps: JumpTerms | None = None,
) -> FactorModel:
    """Calibrate a factor model from daily levels.

    Parameters
    ----------
    names : sequence of str
        The factors.
    levels : array_like, shape (days, factors)
        Their levels, oldest first; finite, and above 0 where the factor is relative.
    relative : sequence of bool
        Which factors move in proportion to their level.
    decay : float, default 0.97
        Of the variance's weights from day to day, in (0, 1).
    variance, jumps : VarianceTerms, JumpTerms, optional
        Handed on to the factor model.

    Raises
    ------
    CalibrationError
        Fewer than 31 days, a level that is missing or makes no sense, or a `decay` out of range.
    """
    moves = _daily_moves(names, np.asarray(levels, dtype=np.float64), np.asarray(relative, dtype=bool))
    if not 0.0 < decay < 1.0:
        raise CalibrationError(f"decay={decay!r} lies outside (0, 1); 0.97 is usual", value=decay)
    days = len(moves)
    past = _past_variances(moves, decay)
    residuals = moves / np.sqrt(np.where(past[:-1] > 0.0, past[:-1], 1.0))
    correlation, repaired = _correlation(moves, np.sqrt(past[:-1]))
    return FactorModel(
        names=tuple(names),
        relative=tuple(bool(flag) for flag in relative),
        vols=np.sqrt(past[-1] * _DAYS),
        correlation=correlation,
        residuals=residuals,
        degrees=_degrees(residuals),
        variance=variance or VarianceTerms(long_run=_long_run(names, moves)),
        jumps=jumps or JumpTerms(),
        source=f"{days} days, ewma {decay:g}",
        repaired=repaired,
    )


@admits(SimulationError)
@renamed(laws="factor_models")
def join_models(factor_models: Sequence[FactorModel]) -> FactorModel:
    """Join factor models of different factors into one under which they are independent.

    Parameters
    ----------
    factor_models : sequence of FactorModel
        At least one; the terms of the first are kept. Residuals are put side by side, the latest days together.

    Raises
    ------
    SimulationError
        A factor is in two of them.
    CalibrationError
        There is none.
    """
    if not factor_models:
        raise CalibrationError("there is no factor model to join; give at least one")
    first = factor_models[0]
    if len(factor_models) == 1:
        return first
    sizes = [len(factor_model.names) for factor_model in factor_models]
    correlation, starts = np.zeros((sum(sizes), sum(sizes))), np.cumsum([0, *sizes])
    for factor_model, start, stop in zip(factor_models, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        correlation[start:stop, start:stop] = factor_model.correlation
    kept = [factor_model.residuals for factor_model in factor_models if factor_model.residuals is not None]
    days = min((len(residuals) for residuals in kept), default=0)
    long_run = {name: vol for factor_model in factor_models for name, vol in factor_model.variance.long_run.items()}
    return replace(
        first,
        names=tuple(name for factor_model in factor_models for name in factor_model.names),
        relative=tuple(flag for factor_model in factor_models for flag in factor_model.relative),
        vols=np.concatenate([factor_model.vols for factor_model in factor_models]),
        correlation=correlation,
        residuals=np.hstack([r[len(r) - days :] for r in kept]) if len(kept) == len(factor_models) else None,
        variance=replace(first.variance, long_run=long_run),
        source="; ".join(factor_model.source for factor_model in factor_models),
        repaired=max(factor_model.repaired for factor_model in factor_models),
    )


def _daily_moves(names: Sequence[str], levels: FloatArray, relative: np.ndarray) -> FloatArray:
    if levels.ndim != 2 or not levels.shape[1] == len(names) == len(relative) > 0 or len(levels) <= FEWEST:  # noqa: PLR2004 - a panel has two axes
        raise CalibrationError(
            f"a history of shape {levels.shape} for {len(names)} factors; a factor model needs at least {FEWEST + 1} days of "
            "each, all on the same dates",
            value=levels.shape,
        )
    bad = ~np.isfinite(levels) | (relative & ~(levels > 0.0))
    if bad.any():
        day, column = (int(i) for i in np.argwhere(bad)[0])
        raise CalibrationError(
            f"{names[column]}: the level {levels[day, column]!r} on day {day} is missing, or not above 0 as a relative "
            "factor's is; correct the history, or leave the day out",
            name=names[column],
            value=float(levels[day, column]),
        )
    logs = np.where(relative, np.log(np.where(relative, levels, 1.0)), levels)
    return np.asarray(np.diff(logs, axis=0))


def _too_short(history: PriceHistoryTable, tickers: Sequence[str]) -> CalibrationError:
    """Return the error that says whose history is why there are too few common days."""
    days = {ticker: {row["date"] for row in history.query(ticker)} for ticker in tickers}
    least = min(days, key=lambda ticker: len(days[ticker]))
    if len(days[least]) > FEWEST:
        return _apart(days)
    others = [ticker for ticker in tickers if len(days[ticker]) <= FEWEST and ticker != least]
    too = f" ({', '.join(others)} are too short as well)" if others else ""
    return CalibrationError(
        f"the history of {least} has {len(days[least])} daily closes, and value at risk needs at least {FEWEST + 1}"
        f"{too}; give it a longer one (load_history({least!r}, '1y'), a replay that starts later), or do without it",
        name=least,
        value=len(days[least]),
    )


def _apart(days: Mapping[str, set[datetime]]) -> CalibrationError:
    """Return the error that names the ticker without which most days would be in common."""
    common = set.intersection(*days.values())
    without = {
        ticker: len(set.intersection(*(other for name, other in days.items() if name != ticker))) for ticker in days
    }
    odd = max(without, key=without.__getitem__)
    return CalibrationError(
        f"{len(days)} histories have {len(common)} days in common, and value at risk needs at least {FEWEST + 1}; "
        f"without {odd}, which has {len(days[odd])}, there are {without[odd]}: load it over the same days, "
        "or calibrate it by itself and join the factor models",
        name=odd,
        value=len(common),
    )


def _past_variances(moves: FloatArray, decay: float) -> FloatArray:
    """Return each day's variance by what was known before it, and the next day's; shape (days + 1, factors)."""
    past = np.empty((len(moves) + 1, moves.shape[1]))
    past[0] = (moves**2).mean(axis=0)
    for i, move in enumerate(moves):
        past[i + 1] = decay * past[i] + (1.0 - decay) * move * move
    return past


def _correlation(moves: FloatArray, vols: FloatArray) -> tuple[FloatArray, float]:
    scaled = moves / np.where(vols > 0.0, vols, 1.0)
    weights = _EVEN ** np.arange(len(moves))[::-1]
    weights /= weights.sum()
    covariance = (scaled * weights[:, None]).T @ scaled
    root = np.sqrt(np.diag(covariance))
    still = root <= 0.0
    sample = covariance / np.outer(np.where(still, 1.0, root), np.where(still, 1.0, root))
    sample = np.clip(0.5 * (sample + sample.T), -1.0, 1.0)
    np.fill_diagonal(sample, 0.0)
    observations = 1.0 / float((weights**2).sum())
    squares = float((sample**2).sum())
    moving = np.flatnonzero(~still)
    pairs = sample[np.ix_(moving, moving)]
    uncertain = float(((1.0 - pairs**2) ** 2).sum()) - len(pairs)  # the diagonal, now 0, counts for nothing
    intensity = min(uncertain / (observations - 1.0) / squares, 1.0) if squares > 0.0 else 1.0
    shrunk = (1.0 - intensity) * sample
    np.fill_diagonal(shrunk, 1.0)
    if np.linalg.eigvalsh(shrunk)[0] >= -LAST_DIGITS:
        return shrunk, 0.0
    near = nearest_correlation(shrunk)
    return near, float(np.linalg.norm(near - shrunk))


def _degrees(residuals: FloatArray) -> float:
    """Return the degrees of freedom whose kurtosis is the factors' median one."""
    spread = residuals.std(axis=0)
    moving = residuals[:, spread > 0.0] / spread[spread > 0.0]
    excess = float(np.median((moving**4).mean(axis=0) - 3.0)) if moving.shape[1] else 0.0
    return float(np.clip(4.0 + 6.0 / excess, *_DEGREES)) if excess > 0.0 else _DEGREES[1]


def _long_run(names: Sequence[str], moves: FloatArray) -> dict[str, float]:
    vols = moves.std(axis=0) * np.sqrt(_DAYS)
    return dict(zip(names, vols.tolist(), strict=True))
