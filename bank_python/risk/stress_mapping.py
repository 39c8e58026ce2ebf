r"""From what drivers do to what factors do.

A book depends on hundreds of factors, a scenario moves a dozen drivers. :data:`DEFAULT_MAP` says, factor by factor and
as data, which driver moves it and by which beta; a factor's rule lists several *routes*, and the first whose driver the
scenario knows is taken. A route is *exact* where the driver is the factor (the ten-year yield), else the factor is
*mapped*, and every result says so. A factor without any route is *missing*: what depends on it is left out and named,
for a move of zero would be an opinion too.

=============  =======================================================================================================
``POWER``      the level is multiplied by :math:`(1 + s)^\beta`: a beta in logarithms, which leaves prices above 0
``ADD``        :math:`\beta s` is added to the level
``DURATION``   a price moves by :math:`e^{-D s}` with a yield, D being the beta
``PROPORTION`` a spread widens in proportion as its index does, which is taken to stand at a stated level
``REACH``      a volatility rises by as much as its index must to reach s from a stated level
=============  =======================================================================================================

Volatilities and spreads do not fall below a basis point.

Examples
--------
>>> from bank_python.instruments.factor import Factor
>>> from bank_python.risk.factors import RiskFactor
>>> from bank_python.risk.stress_scenarios import STRESS_SCENARIOS
>>> [move] = stress_moves(STRESS_SCENARIOS["gfc_2008"], [RiskFactor("BTC_SPOT", Factor.SPOT, 68_000.0, "Crypto")])
>>> round(move.level), move.driver, move.beta, move.status
(19308, <Driver.EQUITY: 'equity'>, 1.5, <Status.MAPPED: 'mapped'>)
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from bank_python.admission import admits
from bank_python.errors import RiskError
from bank_python.instruments.factor import Factor
from bank_python.results import Figures
from bank_python.risk.stress_scenarios import Driver, Shift, Shock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.risk.factors import RiskFactor
    from bank_python.risk.stress_scenarios import StressScenario

__all__ = ["DEFAULT_MAP", "Betas", "Route", "Rule", "Status", "StressMove", "Way", "stress_moves"]

_LEAST = 1e-4
_NOT_NEGATIVE = frozenset({Factor.VOL, Factor.CREDIT})


class Way(enum.Enum):
    """How a driver's shock becomes a factor's; see the module's table."""

    POWER = "power"
    ADD = "add"
    DURATION = "duration"
    PROPORTION = "proportion"
    REACH = "reach"


class Betas(enum.Enum):
    """Which betas to the share index take shares through a scenario: one scenario under one choice has one answer."""

    STATED = "stated"
    """Those of the map's rules, whatever the market's history."""
    REGRESSED = "regressed"
    """Those of a factor model, which come from history."""
    GIVEN = "given"
    """The caller's own."""


_TAKES = {
    Way.POWER: Shift.RELATIVE,
    Way.ADD: Shift.ABSOLUTE,
    Way.DURATION: Shift.ABSOLUTE,
    Way.PROPORTION: Shift.ABSOLUTE,
    Way.REACH: Shift.LEVEL,
}


class Status(enum.Enum):
    """How a factor's move is known."""

    EXACT = "exact"
    MAPPED = "mapped"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Route:
    """One way from a driver to a factor.

    Parameters
    ----------
    driver : Driver
        What moves.
    way : Way
        How the factor follows.
    beta : float, default 1.0
        By how much; a duration in years for ``DURATION``.
    exact : bool, default False
        Whether the driver is the factor.
    """

    driver: Driver
    way: Way = Way.POWER
    beta: float = 1.0
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """How some factors move.

    Parameters
    ----------
    kind : Factor
        Which kind of factor it is for.
    routes : tuple of Route
        In the order in which they are tried.
    pattern : str, default "*"
        Which names, as a file name pattern.
    sectors : frozenset of str, optional
        Which sectors, if not all.
    index_level : float, default 1.0
        For ``PROPORTION`` and ``REACH``: where the index is taken to stand.
    """

    kind: Factor
    routes: tuple[Route, ...]
    pattern: str = "*"
    sectors: frozenset[str] = frozenset()
    index_level: float = 1.0

    def fits(self, factor: RiskFactor) -> bool:
        """Whether the rule is for that factor."""
        in_sector = not self.sectors or factor.sector in self.sectors
        return factor.kind is self.kind and in_sector and fnmatchcase(factor.name, self.pattern)


_EQUITY = Route(Driver.EQUITY)
_TECH = frozenset({"Technology", "Semiconductors"})
_VOLS = (
    Route(Driver.VOLATILITY, Way.ADD),
    Route(Driver.VOLATILITY, Way.POWER),
    Route(Driver.VOLATILITY, Way.REACH),
    Route(Driver.EQUITY, beta=-2.0),
)
_DOLLARS = (Route(Driver.DOLLAR_INDEX), Route(Driver.DOLLAR), Route(Driver.CURRENCIES, beta=-1.0))
_AGAINST_DOLLARS = tuple(Route(route.driver, route.way, -route.beta) for route in _DOLLARS)

DEFAULT_MAP: tuple[Rule, ...] = (
    Rule(Factor.SPOT, (Route(Driver.EQUITY, exact=True),), "SPY*"),
    Rule(Factor.SPOT, (Route(Driver.TECH, exact=True), Route(Driver.EQUITY, beta=1.2)), "QQQ*"),
    Rule(Factor.SPOT, (Route(Driver.GOLD, exact=True), Route(Driver.DOLLAR_INDEX, beta=-1.0)), "GLD*"),
    Rule(
        Factor.SPOT,
        (
            Route(Driver.LONG_BONDS, exact=True),
            Route(Driver.RATE_10Y, Way.DURATION, 16.0),
            Route(Driver.RATES, Way.DURATION, 16.0),
        ),
        "TLT*",
    ),
    Rule(Factor.SPOT, (Route(Driver.HIGH_YIELD, Way.DURATION, 3.5), Route(Driver.EQUITY, beta=0.4)), "HYG*"),
    Rule(Factor.SPOT, (Route(Driver.BTC, exact=True), Route(Driver.EQUITY, beta=1.5)), "BTC*"),
    Rule(
        Factor.SPOT,
        (Route(Driver.ETH, exact=True), Route(Driver.BTC, beta=1.2), Route(Driver.EQUITY, beta=1.8)),
        "ETH*",
    ),
    Rule(
        Factor.SPOT,
        (Route(Driver.ETH, beta=1.1), Route(Driver.BTC, beta=1.3), Route(Driver.EQUITY, beta=2.0)),
        sectors=frozenset({"Crypto"}),
    ),
    Rule(Factor.SPOT, (Route(Driver.TECH), Route(Driver.EQUITY, beta=1.2)), sectors=_TECH),
    Rule(Factor.SPOT, (Route(Driver.TECH), Route(Driver.EQUITY, beta=1.2)), "XLK*"),
    Rule(Factor.SPOT, (_EQUITY,)),
    Rule(Factor.FX, _DOLLARS, "USD*"),
    Rule(Factor.FX, _AGAINST_DOLLARS, "???USD*"),
    Rule(
        Factor.RATE,
        (Route(Driver.RATE_2Y, Way.ADD, exact=True), Route(Driver.RATES, Way.ADD), Route(Driver.RATE_10Y, Way.ADD)),
        "UST2Y*",
    ),
    Rule(Factor.RATE, (Route(Driver.RATE_10Y, Way.ADD, exact=True), Route(Driver.RATES, Way.ADD)), "UST10Y*"),
    Rule(Factor.RATE, (), "*FUNDING*"),
    Rule(
        Factor.RATE,
        (Route(Driver.RATE_2Y, Way.ADD), Route(Driver.RATES, Way.ADD), Route(Driver.RATE_10Y, Way.ADD)),
    ),
    Rule(
        Factor.CREDIT,
        (Route(Driver.HIGH_YIELD, Way.ADD, exact=True), Route(Driver.CREDIT), Route(Driver.EQUITY, beta=-1.2)),
        "CDX_HY*",
    ),
    Rule(
        Factor.CREDIT,
        (Route(Driver.INVESTMENT_GRADE, Way.ADD, exact=True), Route(Driver.CREDIT), Route(Driver.EQUITY, beta=-1.2)),
        "CDX_IG*",
    ),
    Rule(
        Factor.CREDIT,
        (Route(Driver.INVESTMENT_GRADE, Way.PROPORTION), Route(Driver.CREDIT), Route(Driver.EQUITY, beta=-1.2)),
        index_level=0.006,
    ),
    Rule(Factor.VOL, _VOLS, index_level=0.19),
)
"""Which driver moves which factor. The first rule that fits is taken; a map of one's own may go before it."""

_NO_RULE = Rule(Factor.OTHER, ())


@dataclass(frozen=True, slots=True)
class StressMove(Figures):
    """Where a scenario takes one factor.

    Parameters
    ----------
    factor : str
        Its name.
    level : float
        Where it stands then; NaN if that is missing.
    status : Status
        How that is known.
    driver : Driver, optional
        By what; none if it is missing, or given by name.
    beta : float
        By which beta.
    """

    factor: str
    level: float
    status: Status
    driver: Driver | None = None
    beta: float = 1.0


@admits(RiskError)
def stress_moves(
    scenario: StressScenario,
    factors: Sequence[RiskFactor],
    rules: Sequence[Rule] = DEFAULT_MAP,
    betas: Mapping[str, float] | None = None,
) -> tuple[StressMove, ...]:
    """Return where a scenario takes each factor.

    Parameters
    ----------
    scenario : StressScenario
        What drivers do.
    factors : sequence of RiskFactor
        What is wanted, with their present levels.
    rules : sequence of Rule, optional
        Which driver moves what; :data:`DEFAULT_MAP`.
    betas : mapping of str to float, optional
        By factor, the beta to the share index that takes the place of the rules', where that index is what moves it.

    Raises
    ------
    RiskError
        A beta or a level is not finite, or a price would not stay above 0.
    """
    own = betas or {}
    for name, value in (*((factor.name, factor.level) for factor in factors), *own.items()):
        if not math.isfinite(value):
            raise RiskError(f"{name}: {value!r} is not a finite level or beta; correct it", name=name, value=value)
    return tuple(_move(scenario, factor, rules, own) for factor in factors)


def _move(
    scenario: StressScenario, factor: RiskFactor, rules: Sequence[Rule], betas: Mapping[str, float]
) -> StressMove:
    given = scenario.factors.get(factor.name)
    if given is not None:
        return StressMove(factor.name, _admitted(scenario, factor, _shifted(factor.level, given)), Status.EXACT)
    rule = next((rule for rule in rules if rule.fits(factor)), _NO_RULE)
    for route in rule.routes:
        shock = scenario.shocks.get(route.driver)
        if shock is None or shock.shift is not _TAKES[route.way]:
            continue
        beta = betas.get(factor.name, route.beta) if route.driver is Driver.EQUITY and not route.exact else route.beta
        level = _followed(factor.level, shock.size, route.way, beta, rule.index_level)
        status = Status.EXACT if route.exact else Status.MAPPED
        return StressMove(factor.name, _admitted(scenario, factor, level), status, route.driver, beta)
    return StressMove(factor.name, math.nan, Status.MISSING)


def _followed(level: float, size: float, way: Way, beta: float, index: float) -> float:
    if way is Way.POWER:
        return level * math.pow(1.0 + size, beta)
    if way is Way.ADD:
        return level + beta * size
    if way is Way.DURATION:
        return level * float(np.exp(-beta * size))
    if way is Way.PROPORTION:
        return level * (1.0 + beta * size / index)
    return level + beta * max(size - index, 0.0)


def _shifted(level: float, shock: Shock) -> float:
    if shock.shift is Shift.RELATIVE:
        return level * (1.0 + shock.size)
    return level + shock.size if shock.shift is Shift.ABSOLUTE else shock.size


def _admitted(scenario: StressScenario, factor: RiskFactor, level: float) -> float:
    if factor.kind in _NOT_NEGATIVE:
        level = max(level, _LEAST)
    if not math.isfinite(level) or (factor.relative and level <= 0.0):
        raise RiskError(
            f"{scenario.key} takes {factor.name} from {factor.level:g} to {level:g}; a price stays above 0 and finite: "
            "correct the shock",
            name=factor.name,
            value=level,
        )
    return level
