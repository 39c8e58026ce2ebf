r"""Mapping of a scenario's shocks to drivers onto the risk factors of a book.

A book depends on hundreds of factors, but a scenario has shocks to a dozen drivers. :data:`DEFAULT_MAP` is a table of
rules that maps drivers to factors. The rule of a factor lists *routes*, each a driver, a way and a beta; the first
route whose driver the scenario has a shock for is taken. A move is *exact* if the driver is the factor itself (the
ten-year yield), and *mapped* otherwise; results report the number of each. A factor without such a route is *missing*:
contracts that depend on it are left out and named, as a move of zero would be an assumption too.

With a shock s and a beta :math:`\beta`, the ways are:

=============  =======================================================================================================
``POWER``      multiply the level by :math:`(1 + s)^\beta`: a beta of log returns, which keeps prices above 0
``ADD``        add :math:`\beta s` to the level
``DURATION``   multiply a price by :math:`e^{-D s}` for a shift s of its yield, where the beta is the duration D
``PROPORTION`` widen a spread by the same proportion as its index, which starts from the rule's index level
``REACH``      raise a volatility by as much as its index must rise to reach s from the rule's index level
=============  =======================================================================================================

Volatilities and spreads do not fall below one basis point.

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
from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.guessing import guessable
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
    """Formula that converts a driver's shock to a factor's move; see :mod:`bank_python.risk.stress_mapping`."""

    POWER = "power"
    ADD = "add"
    DURATION = "duration"
    PROPORTION = "proportion"
    REACH = "reach"


class Betas(enum.Enum):
    """Source of the shares' betas to the share index in a stress test."""

    STATED = "stated"
    """Betas of the mapping rules."""
    REGRESSED = "regressed"
    """Betas of a factor model, regressed from past returns."""
    GIVEN = "given"
    """Betas given by the caller."""


# The type of shock that each way takes.
_SHIFT_OF = {
    Way.POWER: Shift.RELATIVE,
    Way.ADD: Shift.ABSOLUTE,
    Way.DURATION: Shift.ABSOLUTE,
    Way.PROPORTION: Shift.ABSOLUTE,
    Way.REACH: Shift.LEVEL,
}


class Status(enum.Enum):
    """Origin of a factor's move: its own shock, a mapping from a driver, none as the scenario states, or none known."""

    EXACT = "exact"
    MAPPED = "mapped"
    UNCHANGED = "unchanged"
    MISSING = "missing"


@guessable
@dataclass(frozen=True, slots=True)
class Route(Record):
    """A mapping from a driver's shock to a factor's move.

    Parameters
    ----------
    driver : Driver
        Driver whose shock is used.
    way : Way
        Formula of the mapping.
    beta : float, default 1.0
        Beta of the factor to the driver; a duration in years for ``DURATION``.
    exact : bool, default False
        Whether the driver is the factor itself.
    """

    driver: Driver
    way: Way = Way.POWER
    beta: float = 1.0
    exact: bool = False


@guessable
@dataclass(frozen=True, slots=True)
class Rule(Record):
    """A mapping rule for a set of factors.

    Parameters
    ----------
    kind : Factor
        Kind of the factors.
    routes : tuple of Route
        Routes in order of preference.
    pattern : str, default "*"
        Pattern of the factors' names, with the wildcards of file names (:mod:`fnmatch`).
    sectors : frozenset of str, optional
        Sectors of the factors; all sectors by default.
    index_level : float, default 1.0
        Level of the index before the shock, for ``PROPORTION`` and ``REACH``.
    """

    kind: Factor
    routes: tuple[Route, ...]
    pattern: str = "*"
    sectors: frozenset[str] = frozenset()
    index_level: float = 1.0

    def fits(self, factor: RiskFactor) -> bool:
        """Return whether the rule applies to a factor."""
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
"""Default mapping rules. The first rule that fits a factor is used, so rules put before these override them."""

_NO_RULE = Rule(Factor.OTHER, ())


@dataclass(frozen=True, slots=True)
class StressMove(Figures):
    """Move of one factor in a scenario.

    Parameters
    ----------
    factor : str
        Name of the factor.
    level : float
        Level of the factor in the scenario; NaN if the move is missing.
    status : Status
        Origin of the move.
    driver : Driver, optional
        Driver that moves the factor; None if the move is missing, or a shock to the factor by name.
    beta : float
        Beta of the factor to the driver.
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
    rules: Sequence[Rule] | None = None,
    betas: Mapping[str, float] | None = None,
) -> tuple[StressMove, ...]:
    """Return the move of each factor in a scenario.

    Parameters
    ----------
    scenario : StressScenario
        Scenario with shocks to drivers, and perhaps to single factors.
    factors : sequence of RiskFactor
        Factors to move, with their present levels.
    rules : sequence of Rule, optional
        Mapping rules from drivers to factors; :data:`DEFAULT_MAP` by default.
    betas : mapping of str to float, optional
        Betas to the share index by factor name. They replace the betas of the rules for factors that the share index
        moves.

    Returns
    -------
    tuple of StressMove
        Moves in the order of `factors`.

    Raises
    ------
    RiskError
        A beta or a level is not finite, or a price would fall to 0 or below.
    """
    own = betas or {}
    for name, value in (*((factor.name, factor.level) for factor in factors), *own.items()):
        if not math.isfinite(value):
            raise RiskError(
                f"{name}: level or beta {value!r} is not finite; give a finite number", name=name, value=value
            )
    mapping = DEFAULT_MAP if rules is None else rules
    return tuple(_move(scenario, factor, mapping, own) for factor in factors)


def _move(
    scenario: StressScenario, factor: RiskFactor, rules: Sequence[Rule], betas: Mapping[str, float]
) -> StressMove:
    given = scenario.factors.get(factor.name)
    if given is not None:
        return StressMove(factor.name, _checked(scenario, factor, _shifted(factor.level, given)), Status.EXACT)
    rule = next((rule for rule in rules if rule.fits(factor)), _NO_RULE)
    for route in rule.routes:
        shock = scenario.shocks.get(route.driver)
        if shock is None or shock.shift is not _SHIFT_OF[route.way]:
            continue
        beta = betas.get(factor.name, route.beta) if route.driver is Driver.EQUITY and not route.exact else route.beta
        level = _mapped(factor.level, shock.size, route.way, beta, rule.index_level)
        status = Status.EXACT if route.exact else Status.MAPPED
        return StressMove(factor.name, _checked(scenario, factor, level), status, route.driver, beta)
    if scenario.unchanged:
        return StressMove(factor.name, factor.level, Status.UNCHANGED)
    return StressMove(factor.name, math.nan, Status.MISSING)


def _mapped(level: float, size: float, way: Way, beta: float, index: float) -> float:
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


def _checked(scenario: StressScenario, factor: RiskFactor, level: float) -> float:
    if factor.kind in _NOT_NEGATIVE:
        level = max(level, _LEAST)
    if not math.isfinite(level) or (factor.relative and level <= 0.0):
        raise RiskError(
            f"{scenario.key} takes {factor.name} from {factor.level:g} to {level:g}, which is not a finite price above "
            "0; correct the shock",
            name=factor.name,
            value=level,
        )
    return level
