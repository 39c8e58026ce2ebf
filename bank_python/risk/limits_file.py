r"""Limits from a TOML file.

::

    [thresholds]              # default of all limits, as shares of the maximum
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
from bank_python.guessing import guessable
from bank_python.risk.alerts import Severity
from bank_python.risk.limits import Limit, Thresholds
from bank_python.risk.toml_source import toml_of, toml_text

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["load_limits", "parse_limits"]


@guessable
def load_limits(path: str | PathLike[str]) -> tuple[Limit, ...]:
    """Read limits from a TOML file; see :mod:`bank_python.risk.limits_file`.

    Parameters
    ----------
    path : path
        Path of the TOML file.

    Raises
    ------
    RiskError
        The file cannot be read, or an entry is not valid; the message names the entry.
    """
    return parse_limits(toml_text(path), str(path))


@guessable
def parse_limits(text: str, origin: str = "the text") -> tuple[Limit, ...]:
    """Read limits from TOML text.

    Parameters
    ----------
    text : str
        TOML text, in the format shown in :mod:`bank_python.risk.limits_file`.
    origin : str, optional
        Name of the text in error messages, such as a path.

    Raises
    ------
    RiskError
        The text is not TOML, or an entry is not valid; the message names the entry.
    """
    document = toml_of(text, origin)
    rows = document.get("limits")
    if not isinstance(rows, list) or not set(document) <= {"limits", "thresholds"}:
        raise RiskError(f"{origin}: needs [[limits]], may have [thresholds], and nothing else", value=origin)
    general = _thresholds(origin, document.get("thresholds", {}))
    limits: dict[str, Limit] = {}
    for i, row in enumerate(rows, start=1):
        place = f"{origin}: limit {i}"
        try:
            limit = _limit(place, row, general)
        except RiskError as error:
            raise RiskError(f"{place}: {error}", value=row) from error
        if limit.node_name in limits:
            raise RiskError(
                f"{place}: {limit.name} of {limit.scope} has another limit above; keep one", value=limit.name
            )
        limits[limit.node_name] = limit
    return tuple(limits.values())


def _limit(place: str, row: object, general: Thresholds) -> Limit:
    required = {"name", "scope", "maximum"}
    if not isinstance(row, dict) or not required <= set(row) <= {*required, "thresholds", "absolute"}:
        raise RiskError(f"needs name, scope and maximum, may have thresholds and absolute; found {row!r}", value=row)
    thresholds = _thresholds(place, row["thresholds"]) if "thresholds" in row else general
    return Limit(row["name"], row["scope"], row["maximum"], thresholds, absolute=row.get("absolute", False) is True)


def _thresholds(place: str, cells: object) -> Thresholds:
    known = {severity.value for severity in Severity}
    if not isinstance(cells, dict) or not set(cells) <= known:
        raise RiskError(f"{place}: thresholds are {cells!r}; give some of {', '.join(sorted(known))}", value=cells)
    shares: dict[str, Any] = {name: cells.get(name) for name in known}
    return Thresholds(**shares) if cells else Thresholds()
