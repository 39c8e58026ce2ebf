"""Figures of a tearsheet as text, each in its unit."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_python.backtester.sheet_figures import Figure

__all__ = ["said_figure"]


def said_figure(unit: str, value: Figure) -> str:
    """Return a figure in its unit.

    Parameters
    ----------
    unit : str
        Kind of figure: share, ratio, money, count, days or date.
    value : number, date or None
        Figure to write.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "—"
    if isinstance(value, dt.date):
        return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, dt.datetime) else value.isoformat()
    if math.isinf(value):
        return "∞" if value > 0.0 else "-∞"
    if unit == "share":
        said = f"{round(100.0 * value, 2) + 0.0:,.2f}%"
    elif unit in {"count", "date"}:
        said = f"{value:,.0f}"
    elif unit == "days":
        said = f"{value:,.4g}" if value < 1_000.0 else f"{value:,.0f}"  # noqa: PLR2004 - four digits
    else:
        said = f"{value + 0.0:,.2f}" if unit == "money" else f"{value + 0.0:,.3f}"
    return said if len(said) <= 24 else f"{value:.4e}"  # noqa: PLR2004 - width of a cell
