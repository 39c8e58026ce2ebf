"""Figures by name: a mapping, a pandas series or a plain row of numbers, read as names and an array.

Examples
--------
>>> named_figures("values", {"SPY": 1, "TLT": 2})
(('SPY', 'TLT'), array([1., 2.]))
>>> figures_for("spreads", {"TLT": 0.002, "SPY": 0.001}, ("SPY", "TLT"))
array([0.001, 0.002])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.admission import as_numbers
from bank_python.errors import RiskError
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from bank_python.numerics import FloatArray

__all__ = ["figures_for", "named_figures"]


def named_figures(title: str, values: Any) -> tuple[tuple[str, ...], FloatArray]:
    """Return names and figures; a row without names gets ``holding 1``, ``holding 2`` and so on.

    Parameters
    ----------
    title : str
        Name of the argument, for messages.
    values : mapping of str to float, pandas.Series or array_like
        Figures by name, or one figure, or a row of them.

    Raises
    ------
    RiskError
        There are no figures, or one is not a finite number.
    """
    if _is_named(values):
        names, values = tuple(str(name) for name, _ in values.items()), [value for _, value in values.items()]
    else:
        names = ()
    found = None if isinstance(values, str | bytes | bool) else as_numbers(values)
    if found is None or found.ndim > 1 or not found.size:
        raise RiskError(f"{title}={values!r:.60} is no row of numbers; give one figure for each holding", name=title)
    row = np.atleast_1d(found)
    if not np.isfinite(row).all():
        at = int(np.flatnonzero(~np.isfinite(row))[0])
        which = names[at] if names else f"holding {at + 1}"
        raise RiskError(f"{title} of {which} is {float(row[at])!r}; give a finite number, or leave it out", name=title)
    return names or tuple(f"holding {i + 1}" for i in range(row.size)), row


def figures_for(title: str, values: Any, names: tuple[str, ...]) -> FloatArray:
    """Return a figure for each name: by name if they have names, one figure for all, or a row in the same order.

    Parameters
    ----------
    title : str
        Name of the argument, for messages.
    values : mapping of str to float, pandas.Series or array_like
        Figures by name; more than needed are allowed.
    names : tuple of str
        Names of the holdings.

    Raises
    ------
    RiskError
        A name has no figure, the length does not fit, or a figure is not a finite number.
    """
    known, row = named_figures(title, values)
    if not _is_named(values):
        if row.size not in {1, len(names)}:
            raise RiskError(f"{row.size} {title} for {len(names)} holdings; give one for each", name=title)
        return np.broadcast_to(row, (len(names),)).copy()
    by_name = dict(zip(known, row.tolist(), strict=True))
    lacking = [name for name in names if name not in by_name]
    if lacking:
        hint = did_you_mean(lacking[0], by_name, "give it, or leave the holding out")
        raise RiskError(f"{lacking[0]} has no figure in {title}; {hint}", name=lacking[0])
    return np.array([by_name[name] for name in names])


def _is_named(values: Any) -> bool:
    kind = str(getattr(getattr(values, "index", None), "dtype", ""))
    return isinstance(values, Mapping) or (hasattr(values, "items") and kind in {"object", "str", "string", "category"})
