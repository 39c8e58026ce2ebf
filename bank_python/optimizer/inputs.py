"""What is refused at an optimiser's door: names that repeat, panels with gaps, matrices that are no covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import CalibrationError, MatrixError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from bank_python.numerics import FloatArray

__all__ = ["columns_of", "definite", "distinct", "fitting", "refuse_gaps", "refuse_still", "symmetric"]

_SYMMETRIC = 1e-10
_FEWEST_ROWS = 2


def columns_of(frame: object) -> Sequence[str]:
    """Return the names of a frame's columns; refuse what has none."""
    columns = getattr(frame, "columns", None)
    if columns is None:
        raise CalibrationError("the assets have no names; give tickers, or a frame with columns")
    return [str(name) for name in columns]


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
    if off[row, column] > _SYMMETRIC * float(np.abs(given).max()):
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
    given = np.array(covariance, dtype=np.float64)
    if given.shape != (len(names), len(names)):
        raise MatrixError(f"a covariance of shape {given.shape} for {len(names)} assets", value=given.shape)
    kept = np.zeros_like(given)
    kept[inner] = symmetric(tuple(names[i] for i in risky), given[inner])
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


def refuse_still(names: tuple[str, ...], past: FloatArray) -> None:
    """Refuse an asset whose returns are all the same, and a panel of fewer than two rows."""
    if len(past) < _FEWEST_ROWS:
        raise CalibrationError(f"{len(past)} rows of returns; give two or more", value=len(past))
    still = np.flatnonzero(np.ptp(past, axis=0) == 0.0)
    if len(still):
        i = int(still[0])
        raise CalibrationError(f"{names[i]} never moves: every return is {past[0, i]:g}; leave it out", value=names[i])
