"""User-defined stress scenarios as mappings: ``{"equity": -0.2, "vol": 0.1}``, ``{"AAPL_SPOT": -0.3}``.

A key is a driver, by its value in :class:`~bank_python.risk.Driver` or one of the words below, or a factor of the
holdings, by its name or, for a price, its ticker. A number is a decimal. Its unit depends on the key:

===============================================================  =====================================================
prices, rates of exchange, :attr:`Driver.CREDIT`, GDP            relative change: -0.2 is a fall of 20 %
yields, single spreads, volatilities, dividend yields, the rest  absolute change: 0.01 is 100 basis points, 0.1 is ten
                                                                 points of volatility
===============================================================  =====================================================

A :class:`~bank_python.risk.Shock` instead of a number states its type itself. Factors that no key moves stay at
their present level, which differs from the scenarios of the library, where a factor without a figure is missing.

Examples
--------
>>> scenario = scenario_of({"equity": -0.2, "vol": 0.1}, [])
>>> scenario.title, scenario.shocks[Driver.VOLATILITY]
('equity -0.2, vol 0.1', Shock(size=0.1, shift=<Shift.ABSOLUTE: 'absolute'>))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from bank_python.errors import RiskError
from bank_python.instruments.factor import Factor
from bank_python.risk.stress_scenarios import STRESS_SCENARIOS, Driver, Shift, Shock, StressScenario
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.risk.factors import RiskFactor

__all__ = ["Scenario", "Scenarios", "Shocks", "scenario_of", "scenarios_of"]

Shocks: TypeAlias = Mapping[Any, Any]
"""Shocks by driver or factor: :class:`Driver` or text to a number or a :class:`Shock`."""
Scenario: TypeAlias = Union["StressScenario", str, Shocks]
"""A scenario, the key of one in the library, or shocks."""
Scenarios: TypeAlias = Scenario | Iterable[Scenario]
"""Scenarios, one alone, or a mapping of titles to shocks."""

_ABSOLUTE = frozenset(
    {
        Driver.RATES,
        Driver.RATE_2Y,
        Driver.RATE_10Y,
        Driver.INVESTMENT_GRADE,
        Driver.HIGH_YIELD,
        Driver.BBB_SPREAD,
        Driver.VOLATILITY,
        Driver.BREAKEVEN_10Y,
        Driver.REAL_10Y,
        Driver.UNEMPLOYMENT,
    }
)
_RELATIVE_FACTORS = frozenset({Factor.SPOT, Factor.FX})
_WORDS = {
    Driver.EQUITY: "equities shares share stocks stock spx",
    Driver.TECH: "nasdaq ndx",
    Driver.DOLLAR: "usd",
    Driver.DOLLAR_INDEX: "dxy",
    Driver.CURRENCIES: "fx currency",
    Driver.BTC: "bitcoin",
    Driver.ETH: "ethereum",
    Driver.RATES: "rate yield yields interest_rate interest_rates",
    Driver.CREDIT: "spread spreads credit_spread credit_spreads",
    Driver.INVESTMENT_GRADE: "ig",
    Driver.HIGH_YIELD: "hy",
    Driver.VOLATILITY: "vol vols vix",
}
_DRIVERS = {driver.value: driver for driver in Driver} | {
    word: driver for driver, words in _WORDS.items() for word in words.split()
}


def scenarios_of(given: Scenarios, factors: Sequence[RiskFactor]) -> tuple[StressScenario, ...]:
    """Return the scenarios that are meant: one or several, by key, by shocks, or as they are.

    Parameters
    ----------
    given : StressScenario, str, mapping, or iterable of them
        Scenarios, keys of the library, or mappings of drivers and factors to shocks; also a mapping of titles to such
        mappings.
    factors : sequence of RiskFactor
        Factors of the holdings.

    Raises
    ------
    RiskError
        There is no scenario of that key, no driver or factor of that name, or a shock is not valid.
    """
    if isinstance(given, StressScenario | str):
        return (_one(given, factors),)
    if isinstance(given, Mapping):
        if given and all(isinstance(shocks, Mapping) for shocks in given.values()):
            return tuple(scenario_of(shocks, factors, str(title)) for title, shocks in given.items())
        return (scenario_of(given, factors),)
    if not isinstance(given, Iterable):
        raise _no_scenario(given)
    return tuple(_one(scenario, factors) for scenario in given)


def _one(given: Scenario, factors: Sequence[RiskFactor]) -> StressScenario:
    if isinstance(given, StressScenario):
        return given
    if isinstance(given, Mapping):
        return scenario_of(given, factors)
    if not isinstance(given, str):
        raise _no_scenario(given)
    if given not in STRESS_SCENARIOS:
        hint = did_you_mean(given, STRESS_SCENARIOS, "choose one of the library, or give shocks.")
        raise RiskError(f"no stress scenario {given!r}; {hint} There are {', '.join(STRESS_SCENARIOS)}", value=given)
    return STRESS_SCENARIOS[given]


def _no_scenario(given: object) -> RiskError:
    return RiskError(
        f"{given!r} is not a stress scenario; give a StressScenario, a key such as 'covid_2020', or shocks such as "
        "{'equity': -0.2, 'vol': 0.1}",
        value=given,
    )


def scenario_of(shocks: Shocks, factors: Sequence[RiskFactor], title: str = "") -> StressScenario:
    """Return the scenario of a mapping of shocks, in which all other factors are unchanged.

    Parameters
    ----------
    shocks : mapping of Driver or str to float or Shock
        Shocks by driver, factor name or ticker, in the units of :mod:`bank_python.risk.stress_shocks`.
    factors : sequence of RiskFactor
        Factors of the holdings.
    title : str, optional
        Title and key of the scenario; by default its shocks.

    Raises
    ------
    RiskError
        There are no shocks, no driver or factor of that name, or a shock is not valid.
    """
    if not shocks:
        raise RiskError("a stress scenario without shocks; give some, such as {'equity': -0.2}", value=shocks)
    known = {factor.name: factor for factor in factors}
    drivers: dict[Driver, Shock] = {}
    single: dict[str, Shock] = {}
    for key, size in shocks.items():
        driver = _driver(key)
        factor = known.get(key) or known.get(f"{key}_SPOT")
        if driver is not None and not (factor is not None and key == factor.name):
            drivers[driver] = _shock(key, size, Shift.ABSOLUTE if driver in _ABSOLUTE else Shift.RELATIVE)
        elif factor is not None:
            shift = Shift.RELATIVE if factor.kind in _RELATIVE_FACTORS else Shift.ABSOLUTE
            single[factor.name] = _shock(key, size, shift)
        else:
            hint = did_you_mean(key, [*_DRIVERS, *known], "name one of them.")
            raise RiskError(
                f"no driver or factor {key!r}; {hint} Drivers are {', '.join(driver.value for driver in Driver)}; "
                f"factors are {', '.join(known) or 'none'}",
                name=str(key),
                value=key,
            )
    name = title or ", ".join(f"{_word(key)} {_figure(size)}" for key, size in shocks.items())
    return StressScenario(name, name, drivers, factors=single, unchanged=True)


def _driver(key: object) -> Driver | None:
    if isinstance(key, Driver):
        return key
    return _DRIVERS.get(key.strip().casefold().replace(" ", "_")) if isinstance(key, str) else None


def _shock(key: object, size: object, shift: Shift) -> Shock:
    if isinstance(size, Shock):
        return size
    if isinstance(size, bool) or not isinstance(size, int | float | np.integer | np.floating):
        raise RiskError(
            f"the shock {_word(key)}={size!r} is not a number; give a decimal such as -0.2, or Shock(size, shift)",
            name=_word(key),
            value=size,
        )
    try:
        return Shock(float(size), shift)
    except RiskError as error:
        raise RiskError(f"{_word(key)}: {error}", name=_word(key), value=size) from None


def _word(key: object) -> str:
    return key.value if isinstance(key, Driver) else str(key)


def _figure(size: object) -> str:
    return f"{size.size:g} {size.shift.value}" if isinstance(size, Shock) else f"{size:g}"
