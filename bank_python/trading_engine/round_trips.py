r"""Round trips: an entry and its exit, and how good both were within the range of prices in between.

With returns on the entry price in the direction of the trade, the *maximum favourable excursion* MFE is the best and
the *maximum adverse excursion* MAE the worst that the trade had while it was open; entry and exit belong to it, so
MAE :math:`\le 0 \le` MFE. With the return :math:`r` that was made,

.. math:: \text{entry efficiency} = \frac{MFE}{MFE - MAE}, \quad \text{exit efficiency} = \frac{r - MAE}{MFE - MAE},
    \quad \text{capture} = \frac{r}{MFE}

References
----------
J. Sweeney, *Maximum Adverse Excursion: Analyzing Price Fluctuations for Trading Management*, Wiley 1997.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_python.results import Figures
from bank_python.trading_engine.lot_matching import Fill, MatchedLot, OpenLot, match_fills

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_python.trading_engine.price_paths import PricePath
    from bank_python.trading_engine.trade_rows import TradeRows

__all__ = ["RoundTrip", "TripMatching", "matched_lots", "round_trip"]

_SECONDS = 86_400.0
_ROUNDED = 1e-12


class TripMatching(enum.Enum):
    """What one round trip is."""

    FLAT = "flat"
    """All fills from the time when a position leaves zero until it is zero again, or changes sides."""
    FIFO = "fifo"
    """Each quantity that an exit closes of an entry, first in, first out."""


@dataclass(frozen=True, slots=True)
class RoundTrip(Figures):
    """A trade from entry to exit.

    Parameters
    ----------
    instrument : str
        Name of what was traded.
    trader, signal, regime : str, optional
        Trader, signal, and market regime at the entry; None if unknown.
    is_long : bool
        Long or short.
    quantity : float
        Traded quantity, above 0.
    entry_time, exit_time : date or datetime
        First entry and last exit.
    entry_price, exit_price : float
        Mean prices, weighted by quantity.
    fees : float
        Fees in money.
    gain : float
        Gain in money, after fees.
    actual : float, optional
        Return on the entry price in the direction of the trade, before fees; None for an entry at 0 or below.
    mae, mfe : float, optional
        Worst and best return while the trade was open, at most and at least 0; None without prices.
    slippage : float, optional
        Money paid beyond the expected prices; None without an expected price.
    slippage_bps : float, optional
        Slippage in basis points of the amounts that it was paid on.
    """

    instrument: str
    trader: str | None
    signal: str | None
    regime: str | None
    is_long: bool
    quantity: float
    entry_time: dt.date
    exit_time: dt.date
    entry_price: float
    exit_price: float
    fees: float
    gain: float
    actual: float | None
    mae: float | None
    mfe: float | None
    slippage: float | None
    slippage_bps: float | None

    @property
    def hold_days(self) -> float:
        """Days from entry to exit; with fractions where times are known."""
        return (self.exit_time - self.entry_time).total_seconds() / _SECONDS

    @property
    def entry_efficiency(self) -> float | None:
        """Share of the range that lay ahead of the entry, in [0, 1]; None without prices or without a range."""
        return None if self.mfe is None or self._range is None else self.mfe / self._range

    @property
    def exit_efficiency(self) -> float | None:
        """Share of the range that the exit had, in [0, 1]; None without prices or without a range."""
        if self._range is None or self.actual is None or self.mae is None:
            return None
        return (self.actual - self.mae) / self._range

    @property
    def capture(self) -> float | None:
        """Return as a share of the best one, at most 1; None without prices or where there was no gain to take."""
        if self.mfe is None or self.actual is None or self.mfe <= _ROUNDED:
            return None
        return self.actual / self.mfe

    @property
    def _range(self) -> float | None:
        if self.mfe is None or self.mae is None or self.mfe - self.mae <= _ROUNDED:
            return None
        return self.mfe - self.mae


def matched_lots(rows: TradeRows, matching: TripMatching) -> tuple[list[tuple[MatchedLot, ...]], tuple[OpenLot, ...]]:
    """Return the lots of each round trip, in the order of the exits, and those that are still open.

    Parameters
    ----------
    rows : TradeRows
        Trades as fills; those of a trader in an instrument are matched with each other.
    matching : TripMatching
        Meaning of a round trip.
    """
    trips: list[tuple[MatchedLot, ...]] = []
    still_open: list[OpenLot] = []
    for fills in _by_trader(rows.fills).values():
        found = match_fills(fills)
        still_open += found.open
        trips += _grouped(found.lots, matching, {lot.episode for lot in found.open})
    trips += [(MatchedLot(entry, left, abs(entry.quantity), i),) for i, (entry, left) in enumerate(rows.pairs)]
    trips.sort(key=lambda lots: _comparable(lots[-1].exit.time))
    return trips, tuple(still_open)


def _by_trader(fills: Sequence[Fill]) -> dict[tuple[str, str], list[Fill]]:
    groups: dict[tuple[str, str], list[Fill]] = defaultdict(list)
    for fill in fills:
        groups[fill.instrument, fill.tags.get("trader", "")].append(fill)
    return groups


def _grouped(lots: Sequence[MatchedLot], matching: TripMatching, unfinished: set[int]) -> list[tuple[MatchedLot, ...]]:
    """Return the lots by round trip; an episode that goes on is no round trip yet, save for what is matched by FIFO."""
    if matching is TripMatching.FIFO:
        return [(lot,) for lot in lots]
    episodes: dict[int, list[MatchedLot]] = defaultdict(list)
    for lot in lots:
        episodes[lot.episode].append(lot)
    return [tuple(found) for episode, found in episodes.items() if episode not in unfinished]


def _comparable(moment: dt.date) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return dt.datetime.combine(moment, dt.time(), tzinfo=dt.UTC)


def round_trip(lots: Sequence[MatchedLot], path: PricePath | None, regime_at: Callable[[dt.date], str]) -> RoundTrip:
    """Return the round trip of some lots.

    Parameters
    ----------
    lots : sequence of MatchedLot
        Lots of one instrument and direction.
    path : PricePath, optional
        Prices of the instrument.
    regime_at : callable
        Function from the time of the entry to the regime, for trades that state none.
    """
    first = lots[0].entry
    since = min((lot.entry.time for lot in lots), key=_comparable)
    until = max((lot.exit.time for lot in lots), key=_comparable)
    size = math.fsum(lot.quantity for lot in lots)
    bought = math.fsum(lot.entry.price * lot.quantity for lot in lots) / size
    sold = math.fsum(lot.exit.price * lot.quantity for lot in lots) / size
    way = lots[0].direction
    actual = way * (sold / bought - 1.0) if bought > 0.0 else None
    worst, best = _excursions(path, since, until, bought, way, actual)
    slipped, paid_on = _slippage(lots)
    return RoundTrip(
        instrument=first.instrument,
        trader=first.tags.get("trader") or None,
        signal=first.tags.get("signal") or None,
        regime=first.tags.get("regime") or regime_at(since) or None,
        is_long=way > 0.0,
        quantity=size,
        entry_time=since,
        exit_time=until,
        entry_price=bought,
        exit_price=sold,
        fees=math.fsum(lot.fees for lot in lots),
        gain=math.fsum(lot.gain for lot in lots),
        actual=actual,
        mae=worst,
        mfe=best,
        slippage=slipped,
        slippage_bps=None if slipped is None or not paid_on else 1e4 * slipped / paid_on,
    )


def _excursions(
    path: PricePath | None, since: dt.date, until: dt.date, entry: float, way: float, actual: float | None
) -> tuple[float | None, float | None]:
    """Return the worst and the best return of a trade; entry and exit alone where it began and ended on one day."""
    if path is None or actual is None or not path.covers(since, until):
        return None, None
    between = path.range(since, until)
    returns = [0.0, actual, *(way * (price / entry - 1.0) for price in between or ())]
    return min(returns), max(returns)


def _slippage(lots: Sequence[MatchedLot]) -> tuple[float | None, float]:
    costs, amounts = [], []
    for lot in lots:
        for fill, sign in ((lot.entry, lot.direction), (lot.exit, -lot.direction)):
            if fill.expected is not None:
                unit = lot.quantity * fill.multiplier
                costs.append(sign * (fill.price - fill.expected) * unit)
                amounts.append(abs(fill.expected) * unit)
    return (math.fsum(costs), math.fsum(amounts)) if costs else (None, 0.0)
