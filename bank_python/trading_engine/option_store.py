"""The store of an option tracker: its trades, statements, market data, settings and snapshots in BarbaraDB.

What is written is committed before the call returns, and one call is one transaction. A store has one tracker that
writes; others may read.

======================================  ==================================================================
key                                     value
======================================  ==================================================================
/Options/txns/{date}/{hash}             trade of a broker's history
/Options/manual/{hash}                  trade by hand that no broker's file has confirmed
/Options/realized/{underlying}/{hash}   closed position as the broker states it
/Options/open/{contract}/{account}      latest statement of a position
/Options/statements/{hash}              day of a statement that was read, by its contents
/Options/market/{kind}/{name}           last quotes: spots, vols, marks, dividends, and the rate
/Options/config                         budgets and limits
/Options/snapshots/{date}/{time}        figures at a time, and the last of them under ``latest``
======================================  ==================================================================

The root is not ``/Trades/``, as that is the blotter of a desk, which may be in the same store. Alerts are in the
:class:`~bank_python.risk.alerts.AlertBook` of the store.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from bank_python.barbara.claim import Claim
from bank_python.errors import TradingError
from bank_python.instruments import VolSurface
from bank_python.trading_engine.buckets import TrackerConfig
from bank_python.trading_engine.option_ledger import OptionLedger
from bank_python.trading_engine.option_market import OptionMarket
from bank_python.trading_engine.option_trade import OptionTrade, RealisedTrade, StatedOption
from bank_python.trading_engine.tracker_snapshot import TrackerSnapshot

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from bank_python.barbara import BarbaraDB

__all__ = ["OPTIONS", "OptionStore"]

OPTIONS = "/Options/"
"""Prefix of the keys of an option tracker."""

_TXNS, _MANUAL = f"{OPTIONS}txns/", f"{OPTIONS}manual/"
_REALISED, _OPEN = f"{OPTIONS}realized/", f"{OPTIONS}open/"
_STATEMENTS, _MARKET = f"{OPTIONS}statements/", f"{OPTIONS}market/"
_CONFIG, _SNAPSHOTS = f"{OPTIONS}config", f"{OPTIONS}snapshots/"
_LATEST = f"{_SNAPSHOTS}latest"
_RATE = "rate"
_QUOTES = ("spots", "vols", "marks", "dividends")

_Stored = TypeVar("_Stored")


class OptionStore:
    """The part of a store that belongs to an option tracker.

    Parameters
    ----------
    db : BarbaraDB
        Store, whose first ring is written to.
    read_only : bool, default False
        Whether to read only, beside a tracker that writes.

    Raises
    ------
    TradingError
        Another tracker writes to the store (``holder`` says which).
    """

    def __init__(self, db: BarbaraDB, *, read_only: bool = False) -> None:
        self.db = db
        self._numbers: dict[str, int] = {}
        self._claim: Claim | None = None
        if not read_only:
            advice = "close it there, or open this one with read_only=True"
            what = f"the option tracker in {db.path}"
            self._claim = Claim(db, "options", what=what, advice=advice, error=TradingError)

    @property
    def read_only(self) -> bool:
        """Whether the store is only read."""
        return self._claim is None

    def release(self) -> None:
        """Let another tracker write to the store; this one no longer can."""
        if self._claim is not None:
            self._claim.release()

    def require_writable(self) -> None:
        """Raise an error unless the tracker may write now.

        Raises
        ------
        TradingError
            It is read-only, closed or forked, or the thread is inside a transaction, which could undo the write later.
        """
        if self._claim is None:
            raise TradingError("the tracker was opened with read_only=True; open it without to change it")
        if not self._claim.alive:
            raise TradingError(
                "the tracker was closed, or its process forked, and does not own its store; open it again"
            )
        if self.db.in_transaction:
            raise TradingError("a tracker commits at once; leave the store's transaction before changing the tracker")

    # --- trades and statements ------------------------------------------------------------------------

    def ledger(self) -> OptionLedger:
        """Return the stored trades and statements.

        Raises
        ------
        TradingError
            A value under the keys of the tracker is none of its records; the message names the key.
        """
        confirmed, manual = self._numbered(_TXNS, OptionTrade), self._numbered(_MANUAL, OptionTrade)
        realised, stated = self._numbered(_REALISED, RealisedTrade), self._numbered(_OPEN, StatedOption)
        everything: list[tuple[int, Any]] = [*confirmed, *manual, *realised, *stated]
        self._numbers = {_identity(record): number for number, record in everything}
        return OptionLedger(
            trades={trade.key: trade for _, trade in sorted([*confirmed, *manual], key=_number_of)},
            realised={trade.key: trade for _, trade in sorted(realised, key=_number_of)},
            stated={(one.contract, one.account): one for _, one in sorted(stated, key=_number_of)},
            manual={trade.key for _, trade in manual},
            statements={key.removeprefix(_STATEMENTS): day for key, day in self.db.items(_STATEMENTS)},
        )

    def save(self, before: OptionLedger, after: OptionLedger) -> None:
        """Write what changed between two states of the trades, in one transaction.

        Parameters
        ----------
        before, after : OptionLedger
            Trades as they are stored, and as they are now.

        Raises
        ------
        TradingError
            The tracker may not write.
        StoreError
            The store cannot be written to; nothing was written.
        """
        self.require_writable()
        old, new = dict(_changed(before, after)), dict(_changed(after, before))
        kept = {_identity(record) for record in new.values()}
        gone = {_identity(record) for record in old.values()} - kept
        numbers = {name: number for name, number in self._numbers.items() if name not in gone}
        following = count(1 + max(numbers.values(), default=0))
        values: dict[str, object] = {}
        for key, record in new.items():
            name = _identity(record)
            if name not in numbers:
                numbers[name] = next(following)
            values[key] = {"number": numbers[name], "record": record}
        values |= {
            f"{_STATEMENTS}{name}": day for name, day in after.statements.items() if name not in before.statements
        }
        self._write(values, [key for key in old if key not in new])
        self._numbers = numbers

    def _numbered(self, prefix: str, kind: type[_Stored]) -> list[tuple[int, _Stored]]:
        rows: list[tuple[int, _Stored]] = []
        for key, value in self.db.items(prefix):
            record = value.get("record") if isinstance(value, dict) else None
            if not isinstance(record, kind):
                raise TradingError(f"{key!r} holds no {kind.__name__}; delete the key, or restore a copy", name=key)
            rows.append((int(value["number"]), record))
        return rows

    def _write(self, values: Mapping[str, object], removed: list[str]) -> None:
        if not values and not removed:
            return
        with self.db.transaction():
            for key in removed:
                self.db.delete(key, hide=True)  # a lower ring may hold the key as well
            self.db.update(values)

    # --- market data and settings ---------------------------------------------------------------------

    def market(self) -> OptionMarket:
        """Return the last quotes."""
        found: dict[str, Any] = {kind: {} for kind in _QUOTES}
        for key, figure in self.db.items(_MARKET):
            kind, _, name = key.removeprefix(_MARKET).partition("/")
            if kind in found:
                found[kind][name] = figure
        return OptionMarket(**found, rate=float(self.db.get(f"{_MARKET}{_RATE}", 0.0)))

    def save_market(self, before: OptionMarket, after: OptionMarket) -> None:
        """Write the quotes that changed, in one transaction.

        Parameters
        ----------
        before, after : OptionMarket
            Quotes as they are stored, and as they are now; surfaces are not stored.
        """
        self.require_writable()
        old, new = _figures(before), _figures(after)
        values = {key: figure for key, figure in new.items() if old.get(key) != figure}
        self._write(values, [key for key in old if key not in new])

    def config(self) -> TrackerConfig | None:
        """Return the stored budgets and limits; None if there are none."""
        found = self.db.get(_CONFIG)
        return found if isinstance(found, TrackerConfig) else None

    def save_config(self, config: TrackerConfig) -> None:
        """Write budgets and limits, unless they are there already."""
        if self.config() != config:
            self.require_writable()
            self._write({_CONFIG: config}, [])

    # --- snapshots ------------------------------------------------------------------------------------

    def snapshots(self, since: dt.date | None = None) -> tuple[TrackerSnapshot, ...]:
        """Return the stored snapshots in the order of their times.

        Parameters
        ----------
        since : date, optional
            First day; by default all.
        """
        stored = {key: value for key, value in self.db.items(_SNAPSHOTS) if key != _LATEST}
        found = [value for value in stored.values() if isinstance(value, TrackerSnapshot)]
        chosen = [one for one in found if since is None or one.day >= since]
        return tuple(sorted(chosen, key=lambda one: (one.day, one.taken)))

    def save_snapshot(self, snapshot: TrackerSnapshot) -> None:
        """Write a snapshot under its day and time, and as the latest one."""
        self.require_writable()
        key = f"{_SNAPSHOTS}{snapshot.day.isoformat()}/{snapshot.taken:%H:%M:%S.%f}"
        self._write({key: snapshot, _LATEST: snapshot}, [])


def _number_of(row: tuple[int, object]) -> int:
    return row[0]


def _identity(record: OptionTrade | RealisedTrade | StatedOption) -> str:
    """Return what a record is known by; a trade keeps it, and its number, when a broker's file confirms it."""
    if isinstance(record, StatedOption):
        return f"{record.contract.name}/{record.account}"
    return record.key


def _changed(ledger: OptionLedger, other: OptionLedger) -> Iterator[tuple[str, Any]]:
    """Give key and record of whatever is in a ledger and not, or otherwise, in the other."""
    for key, trade in ledger.trades.items():
        by_hand = key in ledger.manual
        if other.trades.get(key) is not trade or by_hand != (key in other.manual):
            yield f"{_MANUAL}{key}" if by_hand else f"{_TXNS}{trade.date.isoformat()}/{key}", trade
    for key, closed in ledger.realised.items():
        if other.realised.get(key) is not closed:
            yield f"{_REALISED}{quote(closed.contract.underlying, safe='')}/{key}", closed
    for name, stated in ledger.stated.items():
        if other.stated.get(name) is not stated:
            yield f"{_OPEN}{quote(stated.contract.name, safe=' ')}/{quote(stated.account, safe=' ')}", stated


def _figures(market: OptionMarket) -> dict[str, float]:
    figures = {
        f"{_MARKET}{kind}/{name}": float(figure)
        for kind in _QUOTES
        for name, figure in getattr(market, kind).items()
        if not isinstance(figure, VolSurface)
    }
    return {**figures, f"{_MARKET}{_RATE}": market.rate}
