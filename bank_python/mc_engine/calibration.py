r"""Factor models calibrated from history: current volatilities and shrunk correlations.

Daily moves, of the logarithm or of the level, are taken from price tables (those of
:class:`~bank_python.market_data.MarketDataManager`). Volatilities are exponentially weighted averages, so that they
follow the current market. Correlations are weighted more evenly over time and shrunk towards 0 according to their
sampling error (Schäfer and Strimmer),

.. math:: \hat\rho_{ij} = (1 - \lambda) r_{ij}, \qquad
          \lambda = \frac{\sum_{i \ne j} (1 - r_{ij}^2)^2 / (T - 1)}{\sum_{i \ne j} r_{ij}^2}

with the effective number of observations T. Shrinkage makes the matrix positive definite even with more factors than
days; if it is not, the nearest correlation matrix is taken and the factor model records the distance
(:attr:`FactorModel.repaired`).

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
from bank_python.guessing import guessable
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
"""Least number of daily moves in a calibration, which takes one more level than moves."""
_DAYS = 252.0
_CORRELATION_DECAY = 0.99
_DEGREES_RANGE = (4.0, 30.0)


@guessable
def calibrate_from_table(
    history: PriceHistoryTable,
    tickers: Mapping[str, str],
    absolute: Sequence[str] = (),
    *,
    decay: float = 0.97,
    variance: VarianceTerms | None = None,
    jumps: JumpTerms | None = None,
) -> FactorModel:
    """Calibrate a factor model from price tables, on the days that all tickers have in common.

    Parameters
    ----------
    history : PriceHistoryTable
        Price table with the daily closes of every ticker, such as ``manager.history``.
    tickers : mapping of str to str
        Ticker of each factor's price history, by factor name.
    absolute : sequence of str
        Names of the factors with absolute moves (shifts of the level), such as rates; all others move in proportion to
        their level.
    decay, variance, jumps
        Parameters of the same names of :func:`calibrate_model`.

    Raises
    ------
    CalibrationError
        A history is too short or there are too few common days (the message names the ticker, the days it has, the
        days needed and the remedy), or a price is missing or not above 0.
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
        Factor names, one for each column of `levels`.
    levels : array_like, shape (days, factors)
        Daily levels of the factors, oldest first; finite, and above 0 where the factor is relative.
    relative : sequence of bool
        Whether each factor moves in proportion to its level (log returns) rather than by shifts.
    decay : float, default 0.97
        Daily decay of the weights in the exponentially weighted variance, in (0, 1).
    variance : VarianceTerms, optional
        Parameters of Heston's model; by default with the sample volatilities as long-run levels.
    jumps : JumpTerms, optional
        Parameters of the jumps in Merton's model.

    Raises
    ------
    CalibrationError
        Fewer than 31 days, a level that is missing or not above 0 for a relative factor, or a `decay` out of range.
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
    """Join factor models of different factors into one in which the groups are uncorrelated.

    Parameters
    ----------
    factor_models : sequence of FactorModel
        Factor models to join, at least one, without common factors. Degrees of freedom, variance and jump terms are
        taken from the first; residuals are aligned on the most recent days.

    Raises
    ------
    SimulationError
        A factor is in two of the models.
    CalibrationError
        The sequence is empty.
    """
    if not factor_models:
        raise CalibrationError("there is no factor model to join; give at least one")
    first = factor_models[0]
    if len(factor_models) == 1:
        return first
    sizes = [len(model.names) for model in factor_models]
    correlation, starts = np.zeros((sum(sizes), sum(sizes))), np.cumsum([0, *sizes])
    for model, start, stop in zip(factor_models, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        correlation[start:stop, start:stop] = model.correlation
    histories = [model.residuals for model in factor_models if model.residuals is not None]
    days = min((len(residuals) for residuals in histories), default=0)
    return replace(
        first,
        names=tuple(name for model in factor_models for name in model.names),
        relative=tuple(flag for model in factor_models for flag in model.relative),
        vols=np.concatenate([model.vols for model in factor_models]),
        correlation=correlation,
        residuals=np.hstack([r[len(r) - days :] for r in histories]) if len(histories) == len(factor_models) else None,
        variance=replace(
            first.variance,
            long_run={name: vol for model in factor_models for name, vol in model.variance.long_run.items()},
        ),
        source="; ".join(model.source for model in factor_models),
        repaired=max(model.repaired for model in factor_models),
    )


def _daily_moves(names: Sequence[str], levels: FloatArray, relative: np.ndarray) -> FloatArray:
    if levels.ndim != 2 or not levels.shape[1] == len(names) == len(relative) > 0 or len(levels) <= FEWEST:  # noqa: PLR2004 - a panel has two axes
        raise CalibrationError(
            f"a history of shape {levels.shape} for {len(names)} factors; a factor model needs at least {FEWEST + 1} "
            "days of each, all on the same dates",
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
    """Return the error that names the ticker whose history leaves too few common days."""
    days = {ticker: {row["date"] for row in history.query(ticker)} for ticker in tickers}
    shortest = min(days, key=lambda ticker: len(days[ticker]))
    if len(days[shortest]) > FEWEST:
        return _too_few_common_days(days)
    others = [ticker for ticker in tickers if len(days[ticker]) <= FEWEST and ticker != shortest]
    also = f" ({', '.join(others)} are too short as well)" if others else ""
    return CalibrationError(
        f"the history of {shortest} has {len(days[shortest])} daily closes, and value at risk needs at least "
        f"{FEWEST + 1}{also}; load a longer one (load_history({shortest!r}, '1y'), a replay that starts later), or "
        "leave the ticker out",
        name=shortest,
        value=len(days[shortest]),
    )


def _too_few_common_days(days: Mapping[str, set[datetime]]) -> CalibrationError:
    """Return the error that names the ticker whose removal would leave the most common days."""
    common = set.intersection(*days.values())
    without = {
        ticker: len(set.intersection(*(other for name, other in days.items() if name != ticker))) for ticker in days
    }
    worst = max(without, key=without.__getitem__)
    return CalibrationError(
        f"{len(days)} histories have {len(common)} days in common, and value at risk needs at least {FEWEST + 1}; "
        f"without {worst}, which has {len(days[worst])}, there are {without[worst]}: load it over the same days, "
        "or calibrate it by itself and join the factor models",
        name=worst,
        value=len(common),
    )


def _past_variances(moves: FloatArray, decay: float) -> FloatArray:
    """Return variance forecasts from the moves before each day and before the next, shape (days + 1, factors)."""
    past = np.empty((len(moves) + 1, moves.shape[1]))
    past[0] = (moves**2).mean(axis=0)
    for i, move in enumerate(moves):
        past[i + 1] = decay * past[i] + (1.0 - decay) * move * move
    return past


def _correlation(moves: FloatArray, vols: FloatArray) -> tuple[FloatArray, float]:
    scaled = moves / np.where(vols > 0.0, vols, 1.0)
    weights = _CORRELATION_DECAY ** np.arange(len(moves))[::-1]
    weights /= weights.sum()
    covariance = (scaled * weights[:, None]).T @ scaled
    root = np.sqrt(np.diag(covariance))
    constant = root <= 0.0
    scale = np.where(constant, 1.0, root)
    sample = covariance / np.outer(scale, scale)
    sample = np.clip(0.5 * (sample + sample.T), -1.0, 1.0)
    np.fill_diagonal(sample, 0.0)
    observations = 1.0 / float((weights**2).sum())
    squares = float((sample**2).sum())
    moving = np.flatnonzero(~constant)
    pairs = sample[np.ix_(moving, moving)]
    variances = float(((1.0 - pairs**2) ** 2).sum()) - len(pairs)  # less the diagonal, whose terms are 1 each
    intensity = min(variances / (observations - 1.0) / squares, 1.0) if squares > 0.0 else 1.0
    shrunk = (1.0 - intensity) * sample
    np.fill_diagonal(shrunk, 1.0)
    if np.linalg.eigvalsh(shrunk)[0] >= -LAST_DIGITS:
        return shrunk, 0.0
    near = nearest_correlation(shrunk)
    return near, float(np.linalg.norm(near - shrunk))


def _degrees(residuals: FloatArray) -> float:
    """Return the degrees of freedom of the Student's t with the factors' median kurtosis."""
    spread = residuals.std(axis=0)
    moving = residuals[:, spread > 0.0] / spread[spread > 0.0]
    excess = float(np.median((moving**4).mean(axis=0) - 3.0)) if moving.shape[1] else 0.0
    return float(np.clip(4.0 + 6.0 / excess, *_DEGREES_RANGE)) if excess > 0.0 else _DEGREES_RANGE[1]


def _long_run(names: Sequence[str], moves: FloatArray) -> dict[str, float]:
    vols = moves.std(axis=0) * np.sqrt(_DAYS)
    return dict(zip(names, vols.tolist(), strict=True))
