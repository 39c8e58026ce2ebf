r"""Stress scenarios from a TOML file.

::

    [scenarios.oil_embargo]
    title = "Oil embargo"
    source = "the desk"

    [scenarios.oil_embargo.drivers]        # shocks to drivers, by the values of Driver
    equity = { relative = -0.25 }
    rate_10y = { absolute = 0.01 }
    volatility = { level = 0.45 }

    [scenarios.oil_embargo.factors]        # shocks to single factors, which override those of drivers
    XOM_SPOT = { relative = 0.20 }

Examples
--------
>>> scenarios = parse_scenarios('[scenarios.dip]\ndrivers.equity = { relative = -0.05 }')
>>> scenarios["dip"].shocks
{<Driver.EQUITY: 'equity'>: Shock(size=-0.05, shift=<Shift.RELATIVE: 'relative'>)}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bank_python.errors import RiskError
from bank_python.guessing import guessable
from bank_python.risk.stress_scenarios import Driver, Shift, Shock, StressScenario
from bank_python.risk.toml_source import toml_of, toml_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

__all__ = ["load_scenarios", "parse_scenarios"]

_KNOWN = frozenset({"title", "source", "drivers", "factors"})


@guessable
def load_scenarios(path: str | PathLike[str]) -> dict[str, StressScenario]:
    """Read scenarios from a TOML file; see :mod:`bank_python.risk.stress_file`.

    Parameters
    ----------
    path : path
        Path of the TOML file.

    Returns
    -------
    dict of str to StressScenario
        Scenarios by key.

    Raises
    ------
    RiskError
        The file cannot be read, or an entry is not valid; the message names the entry.
    """
    return parse_scenarios(toml_text(path), str(path))


@guessable
def parse_scenarios(text: str, origin: str = "the text") -> dict[str, StressScenario]:
    """Read scenarios from TOML text.

    Parameters
    ----------
    text : str
        TOML text, in the format shown in :mod:`bank_python.risk.stress_file`.
    origin : str, optional
        Name of the text in error messages, such as a path.

    Returns
    -------
    dict of str to StressScenario
        Scenarios by key.

    Raises
    ------
    RiskError
        The text is not TOML, or an entry is not valid; the message names the entry.
    """
    document = toml_of(text, origin)
    tables = document.get("scenarios")
    if not isinstance(tables, dict) or set(document) != {"scenarios"}:
        raise RiskError(f"{origin}: needs one table [scenarios.KEY] for each scenario, and nothing else", value=origin)
    return {key: _scenario(f"{origin}: {key}", key, table) for key, table in tables.items()}


def _scenario(place: str, key: str, table: object) -> StressScenario:
    if not isinstance(table, dict) or not set(table) <= _KNOWN or not (table.get("drivers") or table.get("factors")):
        raise RiskError(f"{place}: needs drivers or factors, may have title and source; found {table!r}", value=key)
    drivers = {_driver(place, name): _shock(f"{place}: {name}", cell) for name, cell in _cells(place, table, "drivers")}
    factors = {name: _shock(f"{place}: {name}", cell) for name, cell in _cells(place, table, "factors")}
    title, source = str(table.get("title", key)), str(table.get("source", ""))
    return StressScenario(key, title, drivers, source=source, factors=factors)


def _cells(place: str, table: Mapping[str, Any], name: str) -> list[tuple[str, object]]:
    cells = table.get(name, {})
    if not isinstance(cells, dict):
        raise RiskError(f"{place}: {name} is {cells!r}; give a table of shocks", value=cells)
    return list(cells.items())


def _driver(place: str, name: str) -> Driver:
    try:
        return Driver(name)
    except ValueError:
        known = ", ".join(driver.value for driver in Driver)
        raise RiskError(f"{place}: no driver {name!r}; choose one of {known}", value=name) from None


def _shock(place: str, cell: object) -> Shock:
    shifts = {shift.value: shift for shift in Shift}
    if isinstance(cell, dict) and len(cell) == 1:
        [(word, size)] = cell.items()
        if word in shifts and isinstance(size, int | float) and not isinstance(size, bool):
            try:
                return Shock(float(size), shifts[word])
            except RiskError as error:
                raise RiskError(f"{place}: {error}", value=size) from error
    raise RiskError(f"{place} is {cell!r}; give one of {{ relative = … }}, {{ absolute = … }}, {{ level = … }}")
