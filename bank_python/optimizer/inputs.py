"""Validation of the optimisers' inputs: tickers, panels of prices or returns, and covariance matrices."""

from __future__ import annotations

import datetime as dt
import logging
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.errors import CalibrationError, MatrixError, ModelError
from bank_python.numerics.tolerances import EPSILON, LAST_DIGITS, SYMMETRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from bank_python.numerics import FloatArray

__all__ = [
    "check_panel",
    "check_returns_vary",
    "checked_rate",
    "columns_of",
    "definite",
    "distinct",
    "fitting",
    "in_order",
    "panel_of",
    "symmetric",
]

_FEWEST_ROWS = 2
_SHOWN = 12
_LONGEST = 60
_LOG = logging.getLogger(__name__)


def checked_rate(risk_free_rate: float) -> float:
    """Return a rate per year; raise ModelError if it is not finite."""
    given: object = risk_free_rate
    if not isinstance(given, int | float | np.number) or not math.isfinite(given):
        raise ModelError(f"risk_free_rate={given!r}; give a finite rate per year, as a decimal", value=given)
    return risk_free_rate


def columns_of(frame: object) -> Sequence[str]:
    """Return the column names of a frame; raise CalibrationError if there are none."""
    columns = getattr(frame, "columns", None)
    if columns is None:
        raise CalibrationError("the assets have no names; give tickers=, or a frame with column names")
    return [str(name) for name in columns]


def in_order(names: tuple[str, ...], labelled: Any) -> Any:
    """Return labelled figures in the order of the assets, and unlabelled ones unchanged.

    Figures of a mapping, a series or a frame are selected by ticker; in a frame whose rows are assets too, such as a
    covariance, the rows as well. Numeric labels, such as those of a frame built from an array, are ignored.

    Raises
    ------
    CalibrationError
        If the labels lack an asset.
    """
    if isinstance(labelled, Mapping):
        missing = next((name for name in names if name not in labelled), None)
        if missing is not None:
            raise CalibrationError(f"there is no {missing!r} among {', '.join(list(labelled)[:_SHOWN])}", value=missing)
        return [labelled[name] for name in names]
    for axis in ("columns", "index"):
        labels = getattr(labelled, axis, None)
        if labels is None or callable(labels) or not any(isinstance(label, str) for label in labels):
            continue
        tickers = tuple(str(label) for label in labels)
        if axis == "index" and hasattr(labelled, "columns") and set(tickers).isdisjoint(names):
            continue  # the dates of a panel
        missing = next((name for name in names if name not in tickers), None)
        if missing is not None:
            raise CalibrationError(f"there is no {missing!r} among {', '.join(tickers[:_SHOWN])}", value=missing)
        order = [tickers.index(name) for name in names]
        labelled = labelled.iloc[:, order] if axis == "columns" else labelled.iloc[order]
    return labelled


def panel_of(
    what: str, names: tuple[str, ...], given: Any, *, newest_first: bool = False, positive: bool = False
) -> FloatArray:
    """Return a panel of figures as an array with a column for each asset and the oldest row first.

    Rows with dates (the index of a frame) are sorted by date, and the log says so if they were not in order.

    Parameters
    ----------
    what : str
        Name of the figures in messages, such as ``"prices"``.
    names : tuple of str
        Tickers of the assets.
    given : array_like or DataFrame
        Figures; see :func:`in_order` for labelled ones.
    newest_first : bool, default False
        Whether rows without dates begin with the newest.
    positive : bool, default False
        Whether all figures have to be above 0, as prices are.

    Raises
    ------
    CalibrationError
        If the figures are not a panel of numbers with a column for each asset, one is missing, a date occurs twice, or
        the dates contradict `newest_first`.
    """
    ordered = in_order(names, given)
    panel = as_numbers(ordered)
    if panel is None:
        raise CalibrationError(
            f"{what} are not a panel of numbers: {_first_text(given)}; give an array of numbers or a frame whose dates "
            "are its index (frame.set_index)",
            value=given,
        )
    panel = np.array(panel, order="C")
    check_panel(names, panel, positive=positive)
    dates = _dates_of(given)
    if dates is None:
        return np.ascontiguousarray(panel[::-1]) if newest_first else panel
    if np.isnat(dates).any():
        raise CalibrationError(f"row {int(np.isnat(dates).argmax())} of the {what} has no date; drop it", value=given)
    if newest_first and dates[0] < dates[-1]:
        raise CalibrationError(
            f"newest_first=True, and the {what} run from {dates[0]} to {dates[-1]}; leave it out", value=newest_first
        )
    twice = next((a for a, b in pairwise(np.sort(dates)) if a == b), None)
    if twice is not None:
        raise CalibrationError(f"the {what} have the date {twice} twice; give one row for each date", value=str(twice))
    order = np.argsort(dates)
    if not (np.diff(order) == 1).all():
        _LOG.info("the %s were not in the order of their dates, and were sorted, oldest first", what)
    return np.ascontiguousarray(panel[order])


def _dates_of(given: Any) -> NDArray[np.datetime64] | None:
    """Return the dates of the rows of a frame, if its index has any."""
    index = getattr(given, "index", None)
    if index is None or callable(index) or not len(index):
        return None
    index = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    labels = [getattr(label, "to_datetime64", lambda label=label: label)() for label in index]
    if not all(isinstance(label, dt.date | str | np.datetime64) for label in labels):
        return None
    try:
        return np.array(labels, dtype="datetime64[ns]")
    except ValueError:  # text that is no date
        return None


def _first_text(given: Any) -> str:
    columns = getattr(given, "columns", None)
    if columns is not None and not callable(columns):
        for name in columns:
            if as_numbers(given[name]) is None:
                return f"column {name!r} holds {next(iter(given[name]))!r}"
    shown = repr(given)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def distinct(tickers: Sequence[str]) -> tuple[str, ...]:
    """Return the tickers as a tuple; raise CalibrationError if they are empty, a single string, or not distinct."""
    if isinstance(tickers, str):
        raise CalibrationError(f"tickers={tickers!r} is a string; give a list of tickers", value=tickers)
    names = tuple(tickers)
    if not names:
        raise CalibrationError("there are no assets; give at least one ticker")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise CalibrationError(f"the ticker {twice} occurs twice; name each asset once", value=twice)
    return names


def symmetric(names: tuple[str, ...], covariance: ArrayLike) -> FloatArray:
    """Return a covariance made exactly symmetric; raise MatrixError if it is invalid or clearly not symmetric."""
    given = np.array(covariance, dtype=np.float64)
    n = len(names)
    if given.shape != (n, n):
        raise MatrixError(f"a covariance of shape {given.shape} for {n} assets", value=given.shape)
    gaps = np.argwhere(~np.isfinite(given))
    if len(gaps):
        row, column = gaps[0]
        raise MatrixError(f"the covariance of {names[row]} and {names[column]} is {given[row, column]}; correct it")
    still = np.flatnonzero(np.diag(given) <= 0.0)
    if len(still):
        i = int(still[0])
        raise MatrixError(
            f"the variance of {names[i]} is {given[i, i]:g}, not above 0; leave it out", value=given[i, i]
        )
    off = np.abs(given - given.T)
    row, column = np.unravel_index(int(off.argmax()), off.shape)
    if off[row, column] > SYMMETRIC * float(np.abs(given).max()):
        raise MatrixError(
            f"the covariance of {names[row]} with {names[column]} is {given[row, column]:g} and that of "
            f"{names[column]} with {names[row]} is {given[column, row]:g}; give a symmetric matrix",
            value=float(off[row, column]),
        )
    return np.asarray(0.5 * (given + given.T))


def definite(names: tuple[str, ...], covariance: ArrayLike, riskless: tuple[str, ...] = ()) -> FloatArray:
    """Return a read-only covariance; raise MatrixError if it is not positive definite, apart from riskless assets."""
    risky = [i for i, name in enumerate(names) if name not in riskless]
    if not risky:
        raise MatrixError(f"all of {', '.join(names)} are riskless; give at least one risky asset")
    inner = np.ix_(risky, risky)
    given = np.array(in_order(names, covariance), dtype=np.float64)
    if given.shape != (len(names), len(names)):
        raise MatrixError(f"a covariance of shape {given.shape} for {len(names)} assets", value=given.shape)
    result = np.zeros_like(given)
    result[inner] = symmetric(tuple(names[i] for i in risky), given[inner])
    variances = np.diag(result[inner])
    smallest, most = int(variances.argmin()), float(variances.max())
    if variances[smallest] < LAST_DIGITS * most:
        raise MatrixError(
            f"the variance {variances[smallest]:g} of {names[risky[smallest]]} is too small beside {most:g} of another "
            "asset; add it as cash (with_cash), or leave it out",
            value=float(variances[smallest]),
        )
    try:
        np.linalg.cholesky(result[inner])
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(result[inner])[0])
        raise MatrixError(
            f"the covariance is not positive definite: its least eigenvalue is {least:.3g}; shrink it "
            "(estimator='ledoit_wolf') or use CovarianceData.repaired",
            value=least,
        ) from None
    result.setflags(write=False)
    return result


def fitting(name: str, given: ArrayLike | None, shape: tuple[int | None, ...]) -> FloatArray | None:
    """Return a read-only array; raise CalibrationError if its shape differs or a figure is not finite."""
    if given is None:
        return None
    array = np.array(given, dtype=np.float64)
    if array.ndim != len(shape) or array.shape[-1] != shape[-1]:
        raise CalibrationError(
            f"{name} of shape {array.shape} for {shape[-1]} assets; give one figure per asset", value=array.shape
        )
    if not np.isfinite(array).all():
        raise CalibrationError(f"{name} contains a figure that is not finite; correct it")
    array.setflags(write=False)
    return array


def check_panel(names: tuple[str, ...], panel: FloatArray, *, positive: bool = False) -> None:
    """Raise CalibrationError unless a panel has one column per asset and finite, or also positive, figures."""
    if panel.ndim != 2 or panel.shape[1] != len(names):  # noqa: PLR2004 - a panel has two axes
        raise CalibrationError(f"a panel of shape {panel.shape} for {len(names)} assets; give one column for each")
    wrong = np.argwhere(~np.isfinite(panel) | (positive & (panel <= 0.0)))
    if len(wrong):
        row, column = wrong[0]
        raise CalibrationError(
            f"{names[column]} has {panel[row, column]} in row {row}, the first of {len(wrong)} such figures; "
            "drop those rows or fill them",
            value=float(panel[row, column]),
        )


def check_returns_vary(names: tuple[str, ...], past: FloatArray, *, rounding: float = 0.0) -> None:
    """Raise CalibrationError if the returns of an asset are constant, or there are fewer than two rows.

    Returns count as constant if their range is at most their rounding error, or a tiny fraction of the largest range of
    an asset: a deposit with a fixed rate has a "variance" of 1e-32, with which no optimiser can work.
    """
    if len(past) < _FEWEST_ROWS:
        raise CalibrationError(f"{len(past)} rows of returns; give at least two", value=len(past))
    moves = np.ptp(past, axis=0)
    noise = np.maximum(8.0 * EPSILON * np.abs(past).max(axis=0), LAST_DIGITS * moves.max())
    still = np.flatnonzero(moves <= np.maximum(noise, rounding))
    if len(still):
        i = int(still[0])
        raise CalibrationError(
            f"the returns of {names[i]} are constant, {past[0, i]:g}; leave the asset out, or add it by with_cash",
            value=names[i],
        )
