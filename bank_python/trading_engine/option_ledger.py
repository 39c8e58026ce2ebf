"""The trades of a tracker, each once, and what follows from them: open lots, closed trades.

A statement of positions replaces what the trades up to its day say about the contracts that it names; later trades are
added to it. A trade that was logged by hand and then comes with the broker's history is one trade.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from bank_python.trading_engine.buckets import bucket_of
from bank_python.trading_engine.closed_options import ClosedTrade
from bank_python.trading_engine.lot_matching import Fill, Matching, OpenLot, match_fills
from bank_python.trading_engine.option_trade import OptionTrade, content_hash

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bank_python.instruments.option_symbol import OptionSymbol
    from bank_python.trading_engine.lot_matching import MatchedLot
    from bank_python.trading_engine.option_trade import RealisedTrade, StatedOption

__all__ = ["Holding", "OptionLedger"]

_ROUNDED = 1e-9


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of a contract in an account, and what was closed.

    Parameters
    ----------
    contract : OptionSymbol
        Listed option contract.
    account : str
        Account; empty if unknown.
    open : tuple of OpenLot
        Lots still open, the oldest first.
    closed : tuple of MatchedLot
        Closed lots.
    unmatched : tuple of OpenLot
        Closing trades for which nothing was open.
    stated : StatedOption, optional
        Latest statement of the position.
    difference : float
        Stated quantity less that of the trades up to its day; 0 without a statement or without trades.
    bucket : str
        Purpose of the open lots, where they are chosen by it.
    """

    contract: OptionSymbol
    account: str
    open: tuple[OpenLot, ...]
    closed: tuple[MatchedLot, ...]
    unmatched: tuple[OpenLot, ...]
    stated: StatedOption | None = None
    difference: float = 0.0
    bucket: str = ""

    @property
    def quantity(self) -> float:
        """Number of contracts held, negative if short."""
        return sum(lot.quantity for lot in self.open)

    @property
    def cost(self) -> float:
        """Net premium paid for what is open, in money, entry fees included."""
        return sum(
            lot.quantity * lot.fill.price * lot.fill.multiplier + lot.fill.fees * abs(lot.quantity / lot.fill.quantity)
            for lot in self.open
        )

    def by_bucket(self) -> list[Holding]:
        """Return the open lots by their purpose, one holding for each."""
        buckets = dict.fromkeys(lot.fill.tags.get("bucket") or bucket_of(self.contract) for lot in self.open)
        return [
            replace(
                self,
                open=tuple(
                    lot for lot in self.open if (lot.fill.tags.get("bucket") or bucket_of(self.contract)) == name
                ),
                bucket=name,
            )
            for name in buckets
        ]


@dataclass(slots=True)
class OptionLedger:
    """Trades and statements by key.

    Parameters
    ----------
    trades : dict of str to OptionTrade
        Trades in the order in which they came.
    realised : dict of str to RealisedTrade
        Closed positions as the broker states them.
    stated : dict of (OptionSymbol, str) to StatedOption
        Latest statement of each contract and account.
    manual : set of str
        Keys of the trades by hand that no broker's file has confirmed.
    statements : dict of str to date
        Days of the statements that were read, by a hash of their contents.
    """

    trades: dict[str, OptionTrade] = field(default_factory=dict)
    realised: dict[str, RealisedTrade] = field(default_factory=dict)
    stated: dict[tuple[OptionSymbol, str], StatedOption] = field(default_factory=dict)
    manual: set[str] = field(default_factory=set)
    statements: dict[str, dt.date] = field(default_factory=dict)

    def copy(self) -> OptionLedger:
        """Return a ledger of the same trades, which can be changed without changing this one."""
        parts = (dict(self.trades), dict(self.realised), dict(self.stated), set(self.manual), dict(self.statements))
        return OptionLedger(*parts)

    def log(self, trade: OptionTrade) -> OptionTrade:
        """Add a trade entered by hand, and return it with its key; an equal one before it is another trade."""
        name = content_hash(trade.account, *trade.contents)
        free = next(number for number in count(1) if f"{name}-{number}" not in self.trades)
        kept = replace(trade, key=f"{name}-{free}")
        self.trades[kept.key] = kept
        self.manual.add(kept.key)
        return kept

    def add(self, trades: Iterable[OptionTrade]) -> int:
        """Add trades of a broker's file; return how many were not known."""
        new = 0
        for trade in trades:
            if trade.key in self.trades:
                self.manual.discard(trade.key)
                continue
            entered = next((key for key in sorted(self.manual) if _is_same(self.trades[key], trade)), None)
            if entered is not None:
                self.manual.discard(entered)
                by_hand = self.trades.pop(entered)
                trade = replace(trade, bucket=by_hand.bucket, note=by_hand.note)  # noqa: PLW2901 - the same trade
            else:
                new += 1
            self.trades[trade.key] = trade
        return new

    def add_realised(self, trades: Iterable[RealisedTrade]) -> int:
        """Add closed positions of a broker's file; return how many were not known."""
        new = {trade.key: trade for trade in trades if trade.key not in self.realised}
        self.realised.update(new)
        return len(new)

    def state(self, positions: Iterable[StatedOption]) -> int:
        """Replace older statements of the contracts that these name; return how many contracts are stated anew.

        A statement that was read before brings nothing, on whatever day it is read again.
        """
        merged: dict[tuple[OptionSymbol, str], StatedOption] = {}
        for one in positions:
            key = (one.contract, one.account)
            merged[key] = one if key not in merged else _sum(merged[key], one)
        name = content_hash(*sorted(_stated_contents(one) for one in merged.values()))
        if not merged or name in self.statements:
            return 0
        self.statements[name] = max(one.date for one in merged.values())
        newer = {key: one for key, one in merged.items() if key not in self.stated or one.date >= self.stated[key].date}
        self.stated.update(newer)
        return len(newer)

    def holdings(self) -> list[Holding]:
        """Return what is held and what was closed, by contract and account."""
        groups: dict[tuple[OptionSymbol, str], list[OptionTrade]] = defaultdict(list)
        for trade in sorted(self.trades.values(), key=lambda one: (one.date, one.settles)):
            groups[trade.contract, trade.account].append(trade)
        keys = dict.fromkeys([*groups, *self.stated])
        return [self._holding(key, groups.get(key, [])) for key in keys]

    def _holding(self, key: tuple[OptionSymbol, str], trades: list[OptionTrade]) -> Holding:
        stated = self.stated.get(key)
        until = dt.date.min if stated is None else stated.date
        # A settlement is made after the statement was read, also where it is dated before it.
        early = [_fill(trade) for trade in trades if trade.date <= until and not trade.settles]
        late = [_fill(trade) for trade in trades if trade.date > until or trade.settles]
        before = match_fills(early)
        held, difference = (before.open, 0.0) if stated is None else _as_stated(before, stated, has_trades=bool(early))
        after = match_fills(late, held)
        unmatched = after.unmatched if stated is not None else (*before.unmatched, *after.unmatched)
        return Holding(*key, after.open, (*before.lots, *after.lots), unmatched, stated, difference)

    def closed(self) -> list[ClosedTrade]:
        """Return the closed trades: those that the broker states, and of other contracts those that were matched."""
        known = {(one.contract, one.account) for one in self.realised.values()}
        stated = [
            ClosedTrade(
                one.contract.name,
                one.contract.underlying,
                one.cost,
                one.proceeds,
                one.gain,
                account=one.account or None,
            )
            for one in self.realised.values()
        ]
        matched = [
            _closed(held, lot)
            for held in self.holdings()
            if (held.contract, held.account) not in known
            for lot in held.closed
        ]
        return stated + matched


def _is_same(by_hand: OptionTrade, trade: OptionTrade) -> bool:
    return by_hand.contents == trade.contents and by_hand.account in {"", trade.account}


def _stated_contents(one: StatedOption) -> str:
    return content_hash(one.account, one.contract, one.quantity, one.cost, one.value)


def _sum(first: StatedOption, second: StatedOption) -> StatedOption:
    values = (first.value, second.value)
    value = None if None in values else sum(each for each in values if each is not None)
    return replace(first, quantity=first.quantity + second.quantity, cost=first.cost + second.cost, value=value)


def _fill(trade: OptionTrade) -> Fill:
    tags = {"bucket": trade.bucket, "note": trade.note}
    figures = (trade.signed_quantity, trade.price, trade.date, trade.fees, trade.multiplier, trade.action.closes)
    return Fill(trade.contract.name, *figures, tags=tags)


def _as_stated(before: Matching, stated: StatedOption, *, has_trades: bool) -> tuple[tuple[OpenLot, ...], float]:
    """Return the lots of a statement: those of the trades if the quantities agree, else one lot at the stated cost."""
    difference = stated.quantity - sum(lot.quantity for lot in before.open)
    if abs(difference) <= _ROUNDED * max(1.0, abs(stated.quantity)):
        return before.open, 0.0
    price = stated.cost / (stated.quantity * stated.multiplier) if stated.quantity else 0.0
    fill = Fill(stated.contract.name, stated.quantity, price, stated.date, multiplier=stated.multiplier)
    lots = (OpenLot(replace(fill, tags={"stated": "yes"}), stated.quantity, 0),) if stated.quantity else ()
    return lots, difference if has_trades else 0.0


def _closed(held: Holding, lot: MatchedLot) -> ClosedTrade:
    shares = [fill.fees * lot.quantity / abs(fill.quantity) for fill in (lot.entry, lot.exit)]
    bought, sold = (lot.entry, lot.exit) if lot.direction > 0.0 else (lot.exit, lot.entry)
    unit = lot.quantity * lot.entry.multiplier
    paid, received = bought.price * unit + sum(shares), sold.price * unit
    opened = None if lot.entry.tags.get("stated") else lot.entry.time
    names = (held.contract.name, held.contract.underlying)
    return ClosedTrade(*names, paid, received, received - paid, opened, lot.exit.time, held.account or None)
