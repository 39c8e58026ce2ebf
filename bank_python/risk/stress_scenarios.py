"""The stress library: historical market moves with dates and sources, and supervisory scenarios.

A scenario has shocks to *drivers*: the share index, the ten-year yield, credit spreads, the dollar, cryptocurrencies.
:mod:`bank_python.risk.stress_mapping` maps them to the factors of a book. A driver without a figure (bitcoin in 2008)
is absent: an unknown shock is not a shock of zero.

There are two sets. Scenarios with lower-case keys have sources; their historical figures are moves from close to close
between the first and the last day of a window. Scenarios with upper-case keys have round figures that are easy to
remember.

Examples
--------
>>> crash = STRESS_SCENARIOS["covid_2020"]
>>> crash.title, str(crash.start), crash.shocks[Driver.EQUITY].size
('COVID crash', '2020-02-19', -0.339)
>>> Driver.BTC in STRESS_SCENARIOS["gfc_2008"].shocks
False
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import RiskError
from bank_python.guessing import guessable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["REFERENCE_STRESSES", "STRESS_SCENARIOS", "Driver", "Shift", "Shock", "StressScenario"]


class Driver(enum.Enum):
    """Market variable that a scenario has a shock for."""

    EQUITY = "equity"
    """Large US shares, the S&P 500."""
    TECH = "tech"
    """The NASDAQ 100."""
    DOLLAR = "dollar"
    """The dollar against a broad basket, trade-weighted."""
    DOLLAR_INDEX = "dollar_index"
    """The dollar index DXY."""
    CURRENCIES = "currencies"
    """Foreign currencies in dollars."""
    OIL = "oil"
    GOLD = "gold"
    BTC = "btc"
    ETH = "eth"
    RATES = "rates"
    """All yields in parallel."""
    RATE_2Y = "rate_2y"
    RATE_10Y = "rate_10y"
    LONG_BONDS = "long_bonds"
    """The price of long government bonds."""
    CREDIT = "credit"
    """Credit spreads, all in proportion."""
    INVESTMENT_GRADE = "investment_grade"
    HIGH_YIELD = "high_yield"
    BBB_SPREAD = "bbb_spread"
    VOLATILITY = "volatility"
    """The VIX, as a decimal volatility: 0.17 for 17 points."""
    BREAKEVEN_10Y = "breakeven_10y"
    REAL_10Y = "real_10y"
    HOUSE_PRICES = "house_prices"
    COMMERCIAL_PROPERTY = "commercial_property"
    GDP = "gdp"
    UNEMPLOYMENT = "unemployment"


class Shift(enum.Enum):
    """Type of a shock: a relative change, an absolute change, or the level that is reached."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    LEVEL = "level"


@admits(RiskError)
@dataclass(frozen=True, slots=True)
class Shock(Record):
    """A shock to a driver or a factor.

    Parameters
    ----------
    size : float
        Size of the shock as a decimal: -0.34 is a relative fall of 34 %, or an absolute fall of 3,400 basis points.
    shift : Shift, default Shift.RELATIVE
        Type of the shock: relative change, absolute change, or new level.

    Raises
    ------
    RiskError
        The size is not finite, or a relative change is -1 or below.
    """

    size: float
    shift: Shift = Shift.RELATIVE

    def __post_init__(self) -> None:
        if not math.isfinite(self.size) or (self.shift is Shift.RELATIVE and self.size <= -1.0):
            raise RiskError(
                f"a {self.shift.value} shock of {self.size!r}: give a finite number, above -1 if it is relative",
                value=self.size,
            )


@guessable
@dataclass(frozen=True, slots=True)
class StressScenario(Record):
    """A stress scenario.

    Parameters
    ----------
    key, title : str
        Key by which the scenario is chosen, and title under which it is shown.
    shocks : mapping of Driver to Shock
        Known shocks by driver.
    start, end : date, optional
        First and last day of a historical scenario.
    source : str, default ""
        Source of the figures.
    factors : mapping of str to Shock
        Shocks to single factors by name; they override the shocks to drivers.
    unchanged : bool, default False
        Whether factors without a shock stay at their present level (true), or are missing (false).
    """

    key: str
    title: str
    shocks: Mapping[Driver, Shock]
    start: dt.date | None = None
    end: dt.date | None = None
    source: str = ""
    factors: Mapping[str, Shock] = field(default_factory=dict)
    unchanged: bool = False


_PERCENT, _BASIS_POINT, _POINT = (0.01, Shift.RELATIVE), (1e-4, Shift.ABSOLUTE), (0.01, Shift.ABSOLUTE)

# Columns of the table below: the driver, and the unit of its figures.
_COLUMNS = (
    (Driver.EQUITY, _PERCENT),
    (Driver.TECH, _PERCENT),
    (Driver.DOLLAR, _PERCENT),
    (Driver.DOLLAR_INDEX, _PERCENT),
    (Driver.OIL, _PERCENT),
    (Driver.GOLD, _PERCENT),
    (Driver.BTC, _PERCENT),
    (Driver.ETH, _PERCENT),
    (Driver.RATE_2Y, _BASIS_POINT),
    (Driver.RATE_10Y, _BASIS_POINT),
    (Driver.INVESTMENT_GRADE, _BASIS_POINT),
    (Driver.HIGH_YIELD, _BASIS_POINT),
    (Driver.VOLATILITY, _POINT),
    (Driver.BREAKEVEN_10Y, _BASIS_POINT),
    (Driver.REAL_10Y, _BASIS_POINT),
)

_SOURCES = (
    "shares: Yahoo ^GSPC, ^NDX; yields, spreads, broad dollar, breakevens: FRED DGS2, DGS10, BAMLC0A0CM, BAMLH0A0HYM2, "
    "DTWEXBGS, T10YIE; dollar index: Yahoo DX-Y.NYB; VIX: CBOE; oil: EIA; gold: Yahoo GC=F; coins: blockchain.com "
    "MKPRU, Yahoo ETH-USD; closes of the window's end points"
)

# Key, title, first and last day, and the moves in the order and units of _COLUMNS; — is unknown.
_WINDOWS = (
    (
        "gfc_2008",
        "Global financial crisis",
        "2007-10-09",
        "2009-03-09",
        "-56.8 -51.9 16.7 13.3 -41.4 24.5 — — -319 -178 453 1491 33.6 -150 -28",
    ),
    (
        "covid_2020",
        "COVID crash",
        "2020-02-19",
        "2020-03-23",
        "-33.9 -27.9 8 2.9 -56.2 -2.5 -42.8 -56.3 -114 -80 299 730 47.2 -85 5",
    ),
    (
        "rate_shock",
        "Rate shock",
        "2022-01-03",
        "2022-10-12",
        "-25.4 -34.6 11 17.7 15.6 -7.2 -59.7 -66.6 350 228 74 226 17 -31 259",
    ),
    (
        "vol_spike",
        "Volatility spike",
        "2018-01-26",
        "2018-02-08",
        "-10.2 -10.2 1.5 1.3 -7.5 -2.6 -24.9 -28.2 0 19 1 36 22.4 0 19",
    ),
    (
        "usd_rally",
        "Dollar rally",
        "2014-06-30",
        "2015-03-13",
        "4.8 12.1 16.9 25.8 -57.7 -12.8 -52.6 — 21 -40 25 115 4.4 -57 17",
    ),
    ("tech_crash", "Tech crash", "2000-03-24", "2002-10-09", "-49.1 -82.8 — 2.1 5.2 — — — -492 -259 133 570 18.8 — —"),
    (
        "stagflation",
        "Stagflation",
        "2021-11-19",
        "2022-06-16",
        "-21.9 -32.9 4.7 7.9 54.5 -0.3 -60.4 -69.1 262 174 55 193 15 -3 177",
    ),
    (
        "credit_crunch",
        "Credit crunch",
        "2007-06-22",
        "2008-03-17",
        "-15 -12.2 -8.6 -13.2 53.6 53.2 — — -357 -180 206 593 16.5 -15 -165",
    ),
    (
        "fed_taper",
        "Fed taper",
        "2013-05-21",
        "2013-09-05",
        "-0.8 3.4 2.1 -1.5 13.6 -0.3 0.3 — 26 104 13 24 2.4 -22 126",
    ),
    (
        "crypto_crash",
        "Crypto crash",
        "2021-11-09",
        "2022-11-21",
        "-15.7 -28.8 9.6 14.8 -5.2 -5.1 -75.9 -76.2 407 237 54 156 4.6 -32 269",
    ),
    (
        "lehman_2008",
        "Lehman",
        "2008-09-12",
        "2008-11-20",
        "-39.9 -41.3 12.9 11.4 -51.7 -1.5 — — -123 -64 278 1094 55.2 -191 127",
    ),
    (
        "rate_shock_peak",
        "Rate shock to the ten-year peak",
        "2021-12-31",
        "2022-10-24",
        "-20.3 -30 11 17.1 14.3 -9.8 -58.5 -63.3 377 273 70 181 12.6 3 270",
    ),
    (
        "vol_day_2018",
        "Volatility spike, the day",
        "2018-02-02",
        "2018-02-05",
        "-4.1 -3.9 0.2 0.4 -2 -0.1 -23.2 -19.4 -7 -7 1 12 20 -4 -3",
    ),
    (
        "vol_spike_2024",
        "Volatility spike of August 2024",
        "2024-07-31",
        "2024-08-05",
        "-6.1 -7.6 -0.1 — -6.2 -1 -12.2 -18.1 -40 -31 15 68 22.2 -17 -14",
    ),
    (
        "usd_rally_2022",
        "Dollar rally of 2022",
        "2022-03-31",
        "2022-09-27",
        "-19.5 -24 11.5 16.1 -21.5 -16.5 -59.1 -60.6 202 165 36 179 12 -51 216",
    ),
    (
        "tech_crash_leg1",
        "Tech crash, first leg",
        "2000-03-27",
        "2001-04-04",
        "-27.6 -70.9 — 9.1 -1.6 — — — -254 -127 48 314 9.5 — —",
    ),
    (
        "credit_crunch_2008",
        "Credit crunch of late 2008",
        "2008-09-12",
        "2008-12-15",
        "-30.6 -33.1 8.3 4.2 -55.9 9.9 — — -148 -121 307 1328 31.1 -185 64",
    ),
    (
        "taper_equity_2013",
        "Fed taper, the fall of shares",
        "2013-05-21",
        "2013-06-24",
        "-5.8 -5.9 1.7 -1.7 -0.5 -7.3 -14.9 — 16 63 30 99 6.7 -35 98",
    ),
    (
        "ftx_2022",
        "Collapse of FTX",
        "2022-11-05",
        "2022-11-09",
        "-0.6 -0.5 -0.9 -0.3 -7.3 2.2 -12.4 -19 -5 -5 -1 22 1.5 -6 1",
    ),
    (
        "luna_2022",
        "Collapse of Luna",
        "2022-05-05",
        "2022-06-18",
        "-11.4 -12.3 1 0.9 1.3 -2 -48.5 -63.1 46 20 11 112 -0.1 -29 49",
    ),
    (
        "tariffs_2025",
        "Tariffs of 2025",
        "2025-04-02",
        "2025-04-08",
        "-12.1 -12.7 0.4 — -16.7 -5.5 — — -20 6 22 115 30.8 -10 16",
    ),
    (
        "svb_2023",
        "Silicon Valley Bank",
        "2023-03-08",
        "2023-03-13",
        "-3.4 -2.4 -0.5 -1.9 -2.5 5.5 0 1.8 -102 -43 24 94 7.4 -8 -35",
    ),
)

_FED_SOURCE = "Board of Governors of the Federal Reserve System, supervisory scenarios, severely adverse, {year}"


def _window(key: str, title: str, start: str, end: str, figures: str) -> StressScenario:
    cells = zip(_COLUMNS, figures.split(), strict=True)
    shocks = {
        driver: Shock(round(float(cell) * unit, 6), shift) for (driver, (unit, shift)), cell in cells if cell != "—"
    }
    return StressScenario(key, title, shocks, dt.date.fromisoformat(start), dt.date.fromisoformat(end), _SOURCES)


def _fed(year: int, shocks: Mapping[Driver, Shock]) -> StressScenario:
    title = f"Fed severely adverse {year}"
    return StressScenario(f"fed_{year}", title, shocks, source=_FED_SOURCE.format(year=year))


def _fed_shocks(
    equity: float, vix: float, ten_year: float, bbb: float, houses: float, commercial: float, gdp: float, jobs: float
) -> dict[Driver, Shock]:
    return {
        Driver.EQUITY: Shock(equity),
        Driver.VOLATILITY: Shock(vix, Shift.LEVEL),
        Driver.RATE_10Y: Shock(ten_year, Shift.ABSOLUTE),
        Driver.BBB_SPREAD: Shock(bbb, Shift.LEVEL),
        Driver.HOUSE_PRICES: Shock(houses),
        Driver.COMMERCIAL_PROPERTY: Shock(commercial),
        Driver.GDP: Shock(gdp),
        Driver.UNEMPLOYMENT: Shock(jobs, Shift.LEVEL),
    }


_FED = (
    _fed(2024, _fed_shocks(-0.554, 0.70, -0.0370, 0.058, -0.36, -0.40, -0.085, 0.10)),
    _fed(2025, _fed_shocks(-0.50, 0.65, -0.0330, 0.050, -0.334, -0.30, -0.078, 0.10)),
)

_ROUND_SOURCE = "round figures"
_ROUND = (
    StressScenario(
        "GFC_2008",
        "GFC, round",
        {Driver.EQUITY: Shock(-0.52), Driver.CREDIT: Shock(0.45), Driver.CURRENCIES: Shock(-0.18)},
        source=_ROUND_SOURCE,
    ),
    StressScenario(
        "COVID_2020",
        "COVID, round",
        {Driver.EQUITY: Shock(-0.34), Driver.VOLATILITY: Shock(3.0), Driver.OIL: Shock(-0.67)},
        source=_ROUND_SOURCE,
    ),
    StressScenario(
        "FED_TAPER",
        "Fed taper, round",
        {Driver.RATES: Shock(0.02, Shift.ABSOLUTE), Driver.LONG_BONDS: Shock(-0.16)},
        source=_ROUND_SOURCE,
    ),
    StressScenario(
        "CRYPTO_CRASH",
        "Crypto crash, round",
        {Driver.BTC: Shock(-0.70), Driver.ETH: Shock(-0.75)},
        source=_ROUND_SOURCE,
    ),
)

STRESS_SCENARIOS: Mapping[str, StressScenario] = MappingProxyType(
    {scenario.key: scenario for scenario in (*(_window(*row) for row in _WINDOWS), *_FED, *_ROUND)}
)
"""All scenarios of the library by key."""

REFERENCE_STRESSES = (
    "gfc_2008",
    "covid_2020",
    "rate_shock",
    "vol_spike",
    "usd_rally",
    "tech_crash",
    "stagflation",
    "credit_crunch",
)
"""Keys of the eight scenarios that stress tests use by default."""
