r"""Limits of one's own, in a TOML file.

::

    [thresholds]              # for all of them; parts of the maximum
    medium = 0.8
    high = 1.0

    [[limits]]
    name = "VaR 99"
    scope = "Tony"
    maximum = 900_000

    [[limits]]
    name = "Vega"
    scope = "firm"
    maximum = 2e6
    thresholds = { high = 0.9, critical = 1.0 }

Examples
--------
>>> parse_limits("[[limits]]\nname = 'VaR 99'\nscope = 'Tony'\nmaximum = 9e5")[0].maximum
900000.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.errors import RiskError
from bank_python.risk.alerts import Severity
from bank_python.risk.limits import Limit, Thresholds
from bank_python.risk.toml_source import toml_of, toml_text

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["load_limits", "parse_limits"]


def load_limits(path: str | PathLike[str]) -> tuple[Limit, ...]:
    """Read limits from a TOML file; see :mod:`bank_python.risk.limits_file`.

    Parameters
    ----------
    path : path
        The file.

    Raises
    ------
    RiskError
        It cannot be read, or says what makes no sense; the message names the place.
    """
    return parse_limits(toml_text(path), str(path))


def parse_limits(text: str, origin: str = "the text") -> tuple[Limit, ...]:
    """Read limits from TOML text; errors as for :func:`load_limits`.

    Parameters
    ----------
    text : str
        The text.
    origin : str, optional
        What errors call it.
    """
    document = toml_of(text, origin)
    rows = document.get("limits")
    if not isinstance(rows, list) or not set(document) <= {"limits", "thresholds"}:
        raise RiskError(f"{origin}: wants [[limits]], and may have [thresholds]", value=origin)
    general = _thresholds(origin, document.get("thresholds", {}))
    limits: dict[str, Limit] = {}
    for i, row in enumerate(rows, start=1):
        place = f"{origin}: limit {i}"
        try:
            limit = _limit(place, row, general)
        except RiskError as error:
            raise RiskError(f"{place}: {error}", value=row) from error
        if limit.node_name in limits:
            raise RiskError(f"{place}: {limit.name} of {limit.scope} has a limit already; keep one", value=limit.name)
        limits[limit.node_name] = limit
    return tuple(limits.values())


def _limit(place: str, row: object, general: Thresholds) -> Limit:
    wanted = {"name", "scope", "maximum"}
    if not isinstance(row, dict) or not wanted <= set(row) <= {*wanted, "thresholds", "absolute"}:
        raise RiskError(f"wants name, scope, maximum and perhaps thresholds and absolute; found {row!r}", value=row)
    thresholds = _thresholds(place, row["thresholds"]) if "thresholds" in row else general
    return Limit(row["name"], row["scope"], row["maximum"], thresholds, absolute=row.get("absolute", False) is True)


def _thresholds(place: str, cells: object) -> Thresholds:
    known = {severity.value for severity in Severity}
    if not isinstance(cells, dict) or not set(cells) <= known:
        raise RiskError(f"{place}: thresholds are {cells!r}; wants some of {', '.join(sorted(known))}", value=cells)
    parts: dict[str, Any] = {name: cells.get(name) for name in known}
    return Thresholds(**parts) if cells else Thresholds()
