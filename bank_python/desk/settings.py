"""The settings of a desk: limits before orders, costs of fills, the pace of signals and tails; kept in its store.

Each setting is one record, ``/Config/<key>``, so that a change leaves the others as they are and has a version of its
own. What is not stored has its default. The defaults leave room for the opening holdings of the built-in traders.

Examples
--------
>>> from bank_python.barbara import BarbaraDB
>>> db = BarbaraDB.open("desk;default", path=":memory:")
>>> write_setting(db, "max_order_notional", 2e6)
2000000.0
>>> read_settings(db).max_order_notional
2000000.0
>>> unset_setting(db, "max_order_notional")
10000000.0
>>> write_setting(db, "max_deltas", 1e5)
Traceback (most recent call last):
    ...
bank_python.errors.DeskError: there is no setting 'max_deltas'; did you mean 'max_delta' or 'max_vega'?
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from bank_python.display import Record
from bank_python.errors import DeskError
from bank_python.guessing import guessable
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.barbara import BarbaraDB

__all__ = ["CONFIG", "SETTINGS", "DeskSettings", "Setting", "read_settings", "unset_setting", "write_setting"]

CONFIG = "/Config/"
"""Prefix of the keys under which settings are stored."""


@dataclass(frozen=True, slots=True)
class Setting(Record):
    """What a setting means: its unit, the values that it can have, and its meaning in words.

    Parameters
    ----------
    unit : str
        Unit of the value.
    lowest, highest : float
        Range of the value, both ends included; an infinite limit is never reached.
    meaning : str
        Meaning in one sentence.
    above : bool, default False
        Whether the value must lie above `lowest`.
    """

    unit: str
    lowest: float
    highest: float
    meaning: str
    above: bool = False

    @property
    def range(self) -> str:
        """The values that it can have, in words."""
        low = f"above {self.lowest:,.10g}" if self.above else f"from {self.lowest:,.10g}"
        if self.lowest == -math.inf:
            return f"at most {self.highest:,.10g}"
        return f"{low} on" if self.highest == math.inf else f"{low} to {self.highest:,.10g}"

    def has(self, value: float) -> bool:
        """Whether a number is in the range."""
        return self.lowest <= value <= self.highest and not (self.above and value == self.lowest)


SETTINGS: Mapping[str, Setting] = {
    "max_position_notional": Setting("USD", 0.0, math.inf, "Largest value of one position after an order."),
    "max_concentration_pct": Setting(
        "%",
        0.0,
        math.inf,
        "Largest position as a share of the trader's capital, or of the gross value if that is more.",
    ),
    "max_delta": Setting("USD per 1 %", 0.0, math.inf, "Largest delta of a trader: P&L if all underlyings gain 1 %."),
    "max_vega": Setting("USD per point", 0.0, math.inf, "Largest vega of a trader: P&L if volatilities gain 1 point."),
    "trader_loss_limit": Setting(
        "USD", -math.inf, 0.0, "P&L of a trader from which on only orders that reduce positions pass."
    ),
    "desk_loss_limit": Setting(
        "USD", -math.inf, 0.0, "P&L of the desk from which on only orders that reduce positions pass."
    ),
    "max_order_notional": Setting("USD", 0.0, math.inf, "Largest value of one order."),
    "max_price_gap_pct": Setting(
        "%", 0.0, math.inf, "Largest distance of a limit or stop price from the present price."
    ),
    "trader_capital": Setting(
        "USD", 0.0, math.inf, "Capital of a trader, to which concentration is compared.", above=True
    ),
    "slippage_bps": Setting("bp", 0.0, 10_000.0, "Slippage of every fill, in basis points of the price."),
    "spread_bps": Setting("bp", 0.0, 10_000.0, "Whole bid-ask spread, of which every fill pays half."),
    "fee_per_share": Setting("USD", 0.0, 1_000.0, "Fee for each share, also for each of the 100 of an option."),
    "participation_cap_pct": Setting(
        "%", 0.0, 100.0, "Largest share of a day's volume that an order may fill.", above=True
    ),
    "signals_every": Setting("s", 1.0, 86_400.0, "Time between two evaluations of the signals."),
    "tails_every": Setting(
        "s", 1.0, math.inf, "Least time between two evaluations of the traders' tails; inf: only when asked for."
    ),
    "tails_every_ticks": Setting(
        "ticks", 0.0, math.inf, "Least number of ticks between them, in place of the time; 0: the time counts."
    ),
}
"""The settings by key, in the order in which they are listed."""


@guessable
@dataclass(frozen=True, slots=True)
class DeskSettings(Record):
    """The settings of a desk; :func:`read_settings` reads those of a store. See :data:`SETTINGS` for the ranges.

    Parameters
    ----------
    max_position_notional : float, default 25,000,000
        Largest value of one position after an order, in USD, at least 0; infinite: not checked, as for all maxima.
    max_concentration_pct : float, default 50
        Largest position in per cent of the trader's capital, or of the gross value of the book if that is more.
    max_delta : float, default 200,000
        Largest delta of a trader, up or down: P&L in USD if all underlyings gain 1 %.
    max_vega : float, default 80,000
        Largest vega of a trader, up or down: P&L in USD if all volatilities gain one point.
    trader_loss_limit : float, default -1,000,000
        P&L of a trader in USD, at most 0, from which on only orders that reduce positions pass.
    desk_loss_limit : float, default -2,000,000
        P&L of the desk in USD, at most 0, from which on only orders that reduce positions pass.
    max_order_notional : float, default 10,000,000
        Largest value of one order, in USD.
    max_price_gap_pct : float, default 10
        Largest distance of a limit or stop price from the present price, in per cent of that.
    trader_capital : float, default 25,000,000
        Capital of each trader, in USD, above 0.
    slippage_bps : float, default 1
        Slippage of every fill, in basis points of the price, in [0, 10000].
    spread_bps : float, default 2
        Whole bid-ask spread, in basis points of the price, in [0, 10000].
    fee_per_share : float, default 0.005
        Fee for each share, and each of the 100 shares of an option, in USD, in [0, 1000]; other contracts have none.
    participation_cap_pct : float, default 10
        Largest share of a day's volume that an order may fill, in per cent, in (0, 100].
    signals_every : float, default 60
        Time between two evaluations of the signals, in seconds, in [1, 86400].
    tails_every : float, default 60
        Least time between two evaluations of the traders' tails, in seconds, at least 1; infinite: only when asked for.
    tails_every_ticks : float, default 0
        Least number of ticks of the graph between two evaluations of the tails, in place of the time; 0: the time
        counts.

    Raises
    ------
    DeskError
        A value is not a number, or is out of its range.
    """

    max_position_notional: float = 25_000_000.0
    max_concentration_pct: float = 50.0
    max_delta: float = 200_000.0
    max_vega: float = 80_000.0
    trader_loss_limit: float = -1_000_000.0
    desk_loss_limit: float = -2_000_000.0
    max_order_notional: float = 10_000_000.0
    max_price_gap_pct: float = 10.0
    trader_capital: float = 25_000_000.0
    slippage_bps: float = 1.0
    spread_bps: float = 2.0
    fee_per_share: float = 0.005
    participation_cap_pct: float = 10.0
    signals_every: float = 60.0
    tails_every: float = 60.0
    tails_every_ticks: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            _checked(item.name, getattr(self, item.name))


@guessable
def read_settings(db: BarbaraDB) -> DeskSettings:
    """Return the settings in a store, with the default of each that is not stored.

    Parameters
    ----------
    db : BarbaraDB
        Store of a desk.

    Raises
    ------
    DeskError
        A stored value is not a number, or is out of its range.
    """
    stored = {key: db.get(CONFIG + key) for key in SETTINGS}
    return DeskSettings(**{key: _checked(key, value) for key, value in stored.items() if value is not None})


@guessable
def write_setting(db: BarbaraDB, key: str, value: float | str) -> float:
    """Write a setting to a store, and return its value.

    Parameters
    ----------
    db : BarbaraDB
        Store of a desk.
    key : str
        Name of the setting, one of :data:`SETTINGS`.
    value : float or str
        Number, or the text of one, in the range of the setting.

    Raises
    ------
    DeskError
        There is no such setting, or the value is not a number or out of range; nothing is written.
    """
    number = _checked(_known(key), value)
    db[CONFIG + key] = number
    return number


@guessable
def unset_setting(db: BarbaraDB, key: str) -> float:
    """Remove a setting from a store, if it is there, and return the value that it has now.

    Parameters
    ----------
    db : BarbaraDB
        Store of a desk.
    key : str
        Name of the setting, one of :data:`SETTINGS`.

    Raises
    ------
    DeskError
        There is no such setting.
    """
    stored = CONFIG + _known(key)
    with db.transaction():
        if stored in db and db.version(stored).ring == db.rings[0]:
            db.delete(stored)
        return cast("float", getattr(read_settings(db), key))


def _known(key: Any) -> str:
    if not isinstance(key, str) or key not in SETTINGS:
        hint = did_you_mean(key, SETTINGS, f"the settings are {', '.join(SETTINGS)}")
        raise DeskError(f"there is no setting {key!r}; {hint}", name=key)
    return key


def _checked(key: str, value: Any) -> float:
    setting = SETTINGS[key]
    number = _number(value)
    if not setting.has(number):  # NaN is in no range
        raise DeskError(
            f"{key}={value!r} is not a value of this setting; give a number {setting.range} ({setting.unit})",
            name=key,
            value=value,
        )
    return number


def _number(value: Any) -> float:
    """Return a number, or the text of one, as a float; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
