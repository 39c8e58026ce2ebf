"""Known series of FRED, by their identifier: title, unit, frequency, and the range of their median.

FRED's files hold numbers without units. The unit of a known series comes from this table, and a series whose median
lies far outside its range is in another unit: 0.042 for 4.2 per cent, say.

References
----------
Federal Reserve Bank of St. Louis, FRED, the page of each series. The indices VIXCLS and VXVCLS are Cboe's, the spreads
BAMLH0A0HYM2 and BAMLC0A0CM those of ICE BofA indices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from bank_python.admission import admits
from bank_python.display import Record
from bank_python.errors import MacroError
from bank_python.macro.frequency import Frequency

__all__ = ["KNOWN_SERIES", "SeriesInfo", "SeriesUnit", "series_info"]


class SeriesUnit(Enum):
    """Unit of a series."""

    PER_CENT = "%"
    POINTS = "percentage points"
    INDEX = "index points"
    DEVIATIONS = "standard deviations"
    BILLIONS = "billions of dollars"
    THOUSANDS = "thousands of persons"
    DOLLARS = "dollars"
    UNKNOWN = "unit unknown"

    @property
    def is_difference(self) -> bool:
        """Whether changes of such a figure are differences, as the figure is a rate or may be negative."""
        return self in {SeriesUnit.PER_CENT, SeriesUnit.POINTS, SeriesUnit.DEVIATIONS}


@dataclass(frozen=True, slots=True)
class SeriesInfo(Record):
    """What is known of a series beforehand.

    Parameters
    ----------
    name : str
        Identifier of the series at FRED, such as ``"DGS10"``.
    title : str
        Plain name of the series.
    unit : SeriesUnit
        Unit of its figures.
    low, high : float
        Bounds of a plausible median.
    frequency : Frequency
        Usual frequency, for a series whose dates are too few or too irregular to tell.
    """

    name: str
    title: str
    unit: SeriesUnit
    low: float = -math.inf
    high: float = math.inf
    frequency: Frequency = Frequency.DAILY


_PER_CENT, _POINTS, _INDEX = SeriesUnit.PER_CENT, SeriesUnit.POINTS, SeriesUnit.INDEX
_DEVIATIONS, _BILLIONS = SeriesUnit.DEVIATIONS, SeriesUnit.BILLIONS
_WEEKLY, _MONTHLY = Frequency.WEEKLY, Frequency.MONTHLY
_SERIES = (
    SeriesInfo("DGS3MO", "3-month Treasury yield", _PER_CENT, -2.0, 25.0),
    SeriesInfo("DGS2", "2-year Treasury yield", _PER_CENT, 0.1, 25.0),
    SeriesInfo("DGS10", "10-year Treasury yield", _PER_CENT, 0.3, 25.0),
    SeriesInfo("DGS30", "30-year Treasury yield", _PER_CENT, 0.5, 25.0),
    SeriesInfo("T10Y2Y", "10-year less 2-year yield", _POINTS, -5.0, 5.0),
    SeriesInfo("T10Y3M", "10-year less 3-month yield", _POINTS, -6.0, 6.0),
    SeriesInfo("DFII10", "10-year real yield", _PER_CENT, -5.0, 10.0),
    SeriesInfo("T10YIE", "10-year breakeven inflation", _PER_CENT, 0.3, 10.0),
    SeriesInfo("DFF", "federal funds rate", _PER_CENT, 0.0, 25.0),
    SeriesInfo("FEDFUNDS", "federal funds rate, monthly", _PER_CENT, 0.0, 25.0, _MONTHLY),
    SeriesInfo("BAMLH0A0HYM2", "high-yield spread", _PER_CENT, 1.0, 30.0),
    SeriesInfo("BAMLC0A0CM", "investment-grade spread", _PER_CENT, 0.2, 10.0),
    SeriesInfo("VIXCLS", "VIX", _INDEX, 5.0, 100.0),
    SeriesInfo("VXVCLS", "3-month VIX", _INDEX, 5.0, 100.0),
    SeriesInfo("DTWEXBGS", "broad dollar index", _INDEX, 50.0, 250.0),
    SeriesInfo("M2SL", "money stock M2", _BILLIONS, 200.0, 200_000.0, _MONTHLY),
    SeriesInfo("CPIAUCSL", "consumer price index", _INDEX, 10.0, 2_000.0, _MONTHLY),
    SeriesInfo("CPILFESL", "consumer price index without food and energy", _INDEX, 10.0, 2_000.0, _MONTHLY),
    SeriesInfo("PCEPI", "price index of personal consumption", _INDEX, 5.0, 1_000.0, _MONTHLY),
    SeriesInfo("PCEPILFE", "price index of consumption without food and energy", _INDEX, 5.0, 1_000.0, _MONTHLY),
    SeriesInfo("NFCI", "Chicago Fed financial conditions", _DEVIATIONS, -5.0, 10.0, _WEEKLY),
    SeriesInfo("ANFCI", "Chicago Fed adjusted financial conditions", _DEVIATIONS, -5.0, 10.0, _WEEKLY),
    SeriesInfo("STLFSI4", "St. Louis Fed financial stress", _DEVIATIONS, -5.0, 15.0, _WEEKLY),
    SeriesInfo("INDPRO", "industrial production", _INDEX, 3.0, 1_000.0, _MONTHLY),
    SeriesInfo("UNRATE", "unemployment rate", _PER_CENT, 1.0, 30.0, _MONTHLY),
    SeriesInfo("PAYEMS", "employees on payrolls", SeriesUnit.THOUSANDS, 10_000.0, 1_000_000.0, _MONTHLY),
    SeriesInfo("GDPC1", "real gross domestic product", _BILLIONS, 1_000.0, 200_000.0, Frequency.QUARTERLY),
    SeriesInfo("SP500", "S&P 500", _INDEX, 10.0, 100_000.0),
    SeriesInfo("CBBTCUSD", "bitcoin", SeriesUnit.DOLLARS),
    SeriesInfo("CBETHUSD", "ether", SeriesUnit.DOLLARS),
)

KNOWN_SERIES: dict[str, SeriesInfo] = {info.name: info for info in _SERIES}
"""Known series, by their identifier at FRED."""


@admits(MacroError)
def series_info(name: str) -> SeriesInfo:
    """Return what is known of a series; for an unknown one, its name as the title and an unknown unit.

    Parameters
    ----------
    name : str
        Identifier of the series; case does not matter.
    """
    return KNOWN_SERIES.get(
        name.strip().upper(), SeriesInfo(name, name, SeriesUnit.UNKNOWN, frequency=Frequency.IRREGULAR)
    )
