"""What is refused at an optimiser's door: names that repeat, panels with gaps, matrices that are no covariance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.errors import CalibrationError, MatrixError, ModelError
from bank_python.numerics.tolerances import EPSILON, LAST_DIGITS, SYMMETRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = [
    "checked_rate",
    "columns_of",
    "definite",
    "distinct",
    "fitting",
    "in_order",
    "refuse_gaps",
    "refuse_still",
    "symmetric",
]

_FEWEST_ROWS = 2
_SHOWN = 12


def checked_rate(risk_free_rate: float) -> float:
    """Return a rate a year; refuse what is not finite."""
    given: object = risk_free_rate
    if not isinstance(given, int | float | np.number) or not math.isfinite(given):
        raise ModelError(f"risk_free_rate={given!r}; give a rate a year", value=given)
    return risk_free_rate


def columns_of(frame: object) -> Sequence[str]:
    """Return the names of a frame's columns; refuse what has none."""
    columns = getattr(frame, "columns", None)
    if columns is None:
        raise CalibrationError("the assets have no names; give tickers, or a frame with columns")
    return [str(name) for name in columns]


def in_order(names: tuple[str, ...], labelled: Any) -> Any:
    """Return figures in the order of the assets: those of a frame, a series or a mapping by name, others as they stand.

    A frame's columns are looked up, and its rows too where they are the assets as well (a covariance); a series' index.
    Labels that are only numbers, as of a frame made from an array, say nothing.

    Raises
    ------
    CalibrationError
        The labels lack an asset.
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
        kept = tuple(str(label) for label in labels)
        if axis == "index" and hasattr(labelled, "columns") and set(kept).isdisjoint(names):
            continue  # the dates of a panel
        missing = next((name for name in names if name not in kept), None)
        if missing is not None:
            raise CalibrationError(f"there is no {missing!r} among {', '.join(kept[:_SHOWN])}", value=missing)
        order = [kept.index(name) for name in names]
        labelled = labelled.iloc[:, order] if axis == "columns" else labelled.iloc[order]
    return labelled


def distinct(tickers: Sequence[str]) -> tuple[str, ...]:
    """Return the tickers; refuse none at all, one name for a list, and one that is there twice."""
    if isinstance(tickers, str):
        raise CalibrationError(f"tickers={tickers!r} is one name; give a list", value=tickers)
    names = tuple(tickers)
    if not names:
        raise CalibrationError("there are no assets; give at least one ticker")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise CalibrationError(f"{twice} is there twice; name each asset once", value=twice)
    return names


def symmetric(names: tuple[str, ...], covariance: ArrayLike) -> FloatArray:
    """Return a covariance, mirrors made equal; refuse gaps, variances of 0, and mirrors that differ."""
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
            f"the covariance of {names[row]} with {names[column]} is {given[row, column]:g} and the other way round "
            f"{given[column, row]:g}; they must agree",
            value=float(off[row, column]),
        )
    return np.asarray(0.5 * (given + given.T))


def definite(names: tuple[str, ...], covariance: ArrayLike, riskless: tuple[str, ...] = ()) -> FloatArray:
    """Return a covariance that cannot be written to; refuse one that has no Cholesky factor, cash apart."""
    risky = [i for i, name in enumerate(names) if name not in riskless]
    if not risky:
        raise MatrixError(f"all of {', '.join(names)} are without risk; give an asset that has some")
    inner = np.ix_(risky, risky)
    given = np.array(in_order(names, covariance), dtype=np.float64)
    if given.shape != (len(names), len(names)):
        raise MatrixError(f"a covariance of shape {given.shape} for {len(names)} assets", value=given.shape)
    kept = np.zeros_like(given)
    kept[inner] = symmetric(tuple(names[i] for i in risky), given[inner])
    variances = np.diag(kept[inner])
    calmest, most = int(variances.argmin()), float(variances.max())
    if variances[calmest] < LAST_DIGITS * most:
        raise MatrixError(
            f"the variance of {names[risky[calmest]]} is {variances[calmest]:g}, little beside {most:g} of another: "
            "take it as cash (with_cash), or leave it out",
            value=float(variances[calmest]),
        )
    try:
        np.linalg.cholesky(kept[inner])
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(kept[inner])[0])
        raise MatrixError(
            f"the covariance is not positive definite: its least eigenvalue is {least:.3g}; shrink it "
            "(estimator='ledoit_wolf') or take CovarianceData.repaired",
            value=least,
        ) from None
    kept.setflags(write=False)
    return kept


def fitting(name: str, given: ArrayLike | None, shape: tuple[int | None, ...]) -> FloatArray | None:
    """Return an array that cannot be written to; refuse another shape, and figures that are not finite."""
    if given is None:
        return None
    array = np.array(given, dtype=np.float64)
    if array.ndim != len(shape) or array.shape[-1] != shape[-1]:
        raise CalibrationError(f"{name} of shape {array.shape} for {shape[-1]} assets", value=array.shape)
    if not np.isfinite(array).all():
        raise CalibrationError(f"{name} holds a figure that is not finite; correct it")
    array.setflags(write=False)
    return array


def refuse_gaps(names: tuple[str, ...], panel: FloatArray, *, positive: bool = False) -> None:
    """Refuse a panel of another width, with figures that are not finite, or not above 0 where they must be."""
    if panel.ndim != 2 or panel.shape[1] != len(names):  # noqa: PLR2004 - a panel has two axes
        raise CalibrationError(f"a panel of shape {panel.shape} for {len(names)} assets; give one column each")
    wrong = np.argwhere(~np.isfinite(panel) | (positive & (panel <= 0.0)))
    if len(wrong):
        row, column = wrong[0]
        raise CalibrationError(
            f"{names[column]} has {panel[row, column]} in row {row}, the first of {len(wrong)} such figures; "
            "drop those rows or fill them",
            value=float(panel[row, column]),
        )


def refuse_still(names: tuple[str, ...], past: FloatArray, *, rounding: float = 0.0) -> None:
    """Refuse an asset whose returns are all the same, and a panel of fewer than two rows.

    They are the same where they differ by no more than their own rounding, or a millionth of a millionth of what the
    liveliest asset moves: a deposit that grows by a fixed rate has a "variance" of 1e-32, which no optimiser survives.
    """
    if len(past) < _FEWEST_ROWS:
        raise CalibrationError(f"{len(past)} rows of returns; give two or more", value=len(past))
    moves = np.ptp(past, axis=0)
    noise = np.maximum(8.0 * EPSILON * np.abs(past).max(axis=0), LAST_DIGITS * moves.max())
    still = np.flatnonzero(moves <= np.maximum(noise, rounding))
    if len(still):
        i = int(still[0])
        raise CalibrationError(
            f"{names[i]} never moves: every return is {past[0, i]:g}; leave it out, or add it by with_cash",
            value=names[i],
        )
