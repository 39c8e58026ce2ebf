"""The option tracker: a book of listed options in Taleb's manner, from a broker's files, by hand, or from a book.

It answers what the book gains and loses by gamma and theta, how that changes when the market has moved, whether large
moves are good for it, how far it is from a loss that is not to be borne, and whether the habits of its owner pay.

Examples
--------
>>> tracker = TradeTracker(today="2025-03-03", spots={"SPY": 570.0}, vols={"SPY": 0.2}, rate=0.04)
>>> bought = tracker.log(" -SPY250620P500", 10, 4.20)
>>> tracker.open_options().positions[0].urgency
<Urgency.OK: 'OK'>
>>> moves = tracker.large_moves([5.0])
>>> round(float(moves.down[0])), round(float(moves.up[0]))
(5588, -2028)
>>> tracker.alerts().rules
('BLEED_OVER', 'BUCKET_OVERSPEND')

With a store, what is logged or imported is committed before the call returns, and the next tracker on it goes on:

>>> from bank_python.barbara import BarbaraDB
>>> db = BarbaraDB.open("options", path=":memory:")
>>> with TradeTracker(db=db, today="2025-03-03", spots={"SPY": 570.0}, vols={"SPY": 0.2}) as stored:
...     _ = stored.log(" -SPY250620P500", 10, 4.20)
>>> with TradeTracker(db=db, today="2025-03-04") as again:
...     len(again.trades), round(again.greeks().total("value"))
(1, 3226)
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import math
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bank_python.admission import admits
from bank_python.errors import PositionsError, TradingError
from bank_python.market_data.utc import utc_now
from bank_python.numerics.dates import as_date
from bank_python.plotting import Plotted, nothing
from bank_python.results import Tabular
from bank_python.risk.alerts import AlertBook
from bank_python.trading_engine.analysis import TradeAnalysis
from bank_python.trading_engine.book_options import book_lines
from bank_python.trading_engine.broker_files import BrokerRows, day_named, read_broker_rows
from bank_python.trading_engine.buckets import BucketUse, TrackerConfig, bucket_of
from bank_python.trading_engine.closed_options import ClosedTrade, MonthlyBleed, TradeConcentration, closed_by_name
from bank_python.trading_engine.convexity import Convexity, convexity
from bank_python.trading_engine.greek_ladder import GreekLadder, Rung, greek_ladder
from bank_python.trading_engine.import_report import FolderImport, ImportReport
from bank_python.trading_engine.large_moves import DEFAULT_SIZES, LargeMoves, large_moves
from bank_python.trading_engine.open_options import OpenOption, OpenOptions
from bank_python.trading_engine.option_book import OptionBook, OptionLine
from bank_python.trading_engine.option_ledger import Holding, OptionLedger
from bank_python.trading_engine.option_market import OptionMarket, checked_figures
from bank_python.trading_engine.option_store import OptionStore
from bank_python.trading_engine.option_trade import (
    MULTIPLIER,
    OptionTrade,
    TradeAction,
    as_action,
    parse_contract,
)
from bank_python.trading_engine.ruin import RuinDistance, ruin_distance
from bank_python.trading_engine.settlement import settlement_price
from bank_python.trading_engine.shadow_greeks import DEFAULT_MOVES, ShadowGreeks, shadow_greeks
from bank_python.trading_engine.tracker_rules import (
    TrackerAlerts,
    TrackerRule,
    bleed_alerts,
    bucket_alerts,
    convexity_alerts,
    correlation_alerts,
    expiry_alerts,
    overtrade_alerts,
)
from bank_python.trading_engine.tracker_snapshot import SnapshotHistory, TrackerSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from bank_python.barbara import BarbaraDB
    from bank_python.instruments import VolSurface
    from bank_python.instruments.option_symbol import OptionSymbol
    from bank_python.mntable import Table
    from bank_python.risk.alerts import Alert
    from bank_python.risk.holders import Units
    from bank_python.trading_engine.vol_rule import VolRule

__all__ = ["TradeTracker"]

_DAYS = 365.0
_ROUNDED = 1e-9
_GREEKS = ("delta", "gamma", "vega", "theta")


class TradeTracker(Plotted, Tabular):
    """A book of listed options with its trades, Greeks, budgets and rules.

    Parameters
    ----------
    today : date or str, optional
        Day from which expiries are counted; by default today in UTC.
    config : TrackerConfig, optional
        Budgets and limits.
    spots : mapping of str to float, optional
        Price of each underlying, above 0.
    vols : mapping of str to float or VolSurface, optional
        Volatility as a decimal by underlying or by option symbol, or a surface by underlying. An option without one of
        its own gets that of its market price, if there is one, before that of its underlying.
    marks : mapping of str to float, optional
        Market price per unit of the underlying, by option symbol.
    rate : float, optional
        Rate, continuously compounded; by default that of the store, else 0.
    dividends : mapping of str to float, optional
        Dividend yield by underlying, continuously compounded.
    db : BarbaraDB, optional
        Store of the tracker; what is there already is read, and what is given is written. In memory by default.
    read_only : bool, default False
        Whether to read the store beside a tracker that writes to it.
    clock : callable, optional
        Function that returns the present time in UTC, for snapshots and alerts.

    Raises
    ------
    TradingError
        A date or a figure is out of range; the message names it. Or another tracker writes to the store (``holder``
        says which).

    Notes
    -----
    A store keeps trades, statements, settings, the last quotes and snapshots; not the day, and no
    :class:`~bank_python.instruments.VolSurface`. Its keys are in :mod:`bank_python.trading_engine.option_store`.

    All options are valued as European by Black-Scholes-Merton. Listed options on shares and funds may be exercised
    early; for options out of the money the difference is small.
    """

    @admits(TradingError)
    def __init__(
        self,
        *,
        today: dt.date | str | None = None,
        config: TrackerConfig | None = None,
        spots: Mapping[str, float] | None = None,
        vols: Mapping[str, float | VolSurface] | None = None,
        marks: Mapping[str, float] | None = None,
        rate: float | None = None,
        dividends: Mapping[str, float] | None = None,
        db: BarbaraDB | None = None,
        read_only: bool = False,
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._clock = clock
        self.today = clock().date() if today is None else as_date(today, TradingError, "today")
        self._config = TrackerConfig() if config is None else config
        self._market = OptionMarket()
        self._ledger = OptionLedger()
        self._matched: tuple[OptionLedger | None, list[Holding], list[Holding]] = (None, [], [])
        self._lines: tuple[OptionLine, ...] = ()
        self.skipped: dict[str, str] = {}
        self._writing = threading.RLock()
        self._store: OptionStore | None = None
        quotes: dict[str, Any] = {"spots": spots, "vols": vols, "marks": marks, "rate": rate, "dividends": dividends}
        self.quote(**quotes)
        if db is not None:
            self._open(OptionStore(db, read_only=read_only), config, quotes)

    def _open(self, store: OptionStore, config: TrackerConfig | None, quotes: dict[str, Any]) -> None:
        """Read what is stored, and write what was given beside it."""
        try:
            self._ledger, self._market = store.ledger(), store.market()
            self._config = config or store.config() or self._config
            self._store = store
            self.quote(**quotes)
            if not store.read_only:
                store.save_config(self._config)
        except BaseException:
            store.release()
            raise

    def close(self) -> None:
        """Let another tracker write to the store; this one can still be read. Further calls have no effect."""
        if self._store is not None:
            self._store.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def config(self) -> TrackerConfig:
        """Budgets and limits."""
        return self._config

    def configure(self, config: TrackerConfig) -> None:
        """Set budgets and limits.

        Parameters
        ----------
        config : TrackerConfig
            New budgets and limits, such as ``dataclasses.replace(tracker.config, monthly_bleed_limit=500.0)``.

        Raises
        ------
        TradingError
            It is none, or the tracker may not write to its store.
        """
        if not isinstance(config, TrackerConfig):
            raise TradingError(
                f"config={config!r} is no TrackerConfig; give one, such as TrackerConfig()", value=config
            )
        with self._writing:
            if self._store is not None:
                self._store.save_config(config)
            self._config = config

    @classmethod
    @admits(TradingError)
    def from_book(
        cls, units: Units, *, today: dt.date | str | None = None, config: TrackerConfig | None = None
    ) -> TradeTracker:
        """Return a tracker of the options that books hold now, with their own market data.

        Parameters
        ----------
        units : Book, trader, or list of such
            Books whose positions in :class:`~bank_python.instruments.Option` are read; others are listed in
            ``skipped``.
        today : date or str, optional
            Day from which expiries are counted; by default today in UTC.
        config : TrackerConfig, optional
            Budgets and limits.
        """
        tracker = cls(today=today, config=config)
        lines, tracker.skipped = book_lines(units, tracker.today)
        tracker._lines = tuple(lines)
        return tracker

    # --- what comes in --------------------------------------------------------------------------------

    @admits(TradingError)
    def quote(
        self,
        *,
        spots: Mapping[str, float] | None = None,
        vols: Mapping[str, float | VolSurface] | None = None,
        marks: Mapping[str, float] | None = None,
        rate: float | None = None,
        dividends: Mapping[str, float] | None = None,
    ) -> None:
        """Set market data; what is not given stays. With a store that is only read, it counts for this tracker alone.

        Parameters
        ----------
        spots, vols, marks, rate, dividends
            Market data as for the constructor.

        Raises
        ------
        TradingError
            A figure is out of range; nothing is set.
        """
        if rate is not None and not math.isfinite(rate):
            raise TradingError(f"rate={rate!r} is not finite; give a decimal such as 0.04", name="rate", value=rate)
        with self._writing:
            known = self._market
            quoted = OptionMarket(
                spots={**known.spots, **checked_figures("spots", {} if spots is None else spots)},
                vols={**known.vols, **checked_figures("vols", {} if vols is None else vols)},
                marks={**known.marks, **checked_figures("marks", {} if marks is None else marks, above=None)},
                rate=known.rate if rate is None else float(rate),
                dividends={**known.dividends, **checked_figures("dividends", dividends or {}, above=None)},
            )
            if self._store is not None and not self._store.read_only:
                self._store.save_market(known, quoted)
            self._market = quoted

    @admits(TradingError)
    def log(
        self,
        symbol: str | OptionSymbol,
        quantity: float,
        price: float,
        action: str | TradeAction = TradeAction.BUY_OPEN,
        bucket: str = "",
        note: str = "",
        *,
        date: dt.date | str | None = None,
        account: str = "",
        fees: float = 0.0,
    ) -> OptionTrade:
        """Record a trade by hand, and return it.

        Parameters
        ----------
        symbol : str or OptionSymbol
            Option symbol such as ``" -SPY250620P500"``.
        quantity : float
            Number of contracts, above 0.
        price : float
            Price per unit of the underlying, at least 0.
        action : {"BUY_OPEN", "SELL_CLOSE", "SELL_OPEN", "BUY_CLOSE"}, default "BUY_OPEN"
            Effect of the trade on the position.
        bucket : str, default ""
            Purpose, such as ``insurance`` or ``conviction``; by default insurance for a put on a fund of
            :data:`~bank_python.trading_engine.INSURED_FUNDS`.
        note : str, default ""
            Remark, kept with the trade.
        date : date or str, optional
            Day of the trade; by default the tracker's day.
        account : str, default ""
            Account of the trade.
        fees : float, default 0.0
            Fees in money.

        Raises
        ------
        TradingError
            A figure is out of range, or the trade closes more than is open. Nothing is recorded.

        Notes
        -----
        The same fill in a broker's file that is imported later is this trade, and not another one.
        """
        contract, does = parse_contract(symbol), as_action(action)
        day = self.today if date is None else as_date(date, TradingError, "date")
        for name, value, least in (("quantity", quantity, None), ("price", price, 0.0), ("fees", fees, -math.inf)):
            if not math.isfinite(value) or (value <= 0.0 if least is None else value < least):
                wanted = "a finite number above 0" if least is None else "a finite number of at least 0"
                raise TradingError(f"{contract.name}: {name}={value!r} is not {wanted}", name=name, value=value)
        if day > contract.expiry:
            raise TradingError(f"{contract.name} expired before {day}; correct the symbol or the date", value=day)
        trade = OptionTrade(
            contract, day, does, float(quantity), float(price), MULTIPLIER, float(fees), account, bucket, note
        )
        with self._writing:
            if does.closes:
                self._require_open(trade)
            after = self._ledger.copy()
            kept = after.log(trade)
            self._commit(after)
        return kept

    def _commit(self, after: OptionLedger) -> None:
        """Store what is new, and only then take it over."""
        if self._store is not None:
            self._store.save(self._ledger, after)
        self._ledger = after

    def _require_open(self, trade: OptionTrade) -> None:
        held = sum(one.quantity for one in self._held()[0] if one.contract == trade.contract)
        if -trade.action.sign * held < trade.quantity * (1.0 - _ROUNDED):
            side = "long" if trade.action is TradeAction.SELL_CLOSE else "short"
            size = max(0.0, -trade.action.sign * held)
            raise TradingError(
                f"{trade.action.value} of {trade.quantity:g} {trade.contract.name}, of which {size:g} are held {side}; "
                "log the opening trade first, or correct the quantity",
                name="quantity",
                value=trade.quantity,
            )

    def import_csv(self, source: Any, *, date: dt.date | str | None = None) -> ImportReport:
        """Read a broker's file: closed positions, history or positions, known by its columns.

        Parameters
        ----------
        source : path, frame, table or list of mappings
            CSV file, or rows with the columns of one; see :mod:`bank_python.trading_engine.broker_files`.
        date : date or str, optional
            Day of a statement of positions, whose trades it includes; by default the day in the name of the file, else
            the tracker's day.

        Returns
        -------
        ImportReport
            Rows that were new, known, left out, or could not be read. The same file again brings nothing new.

        Raises
        ------
        PositionsError
            There is no such file, or its columns are those of no kind.
        """
        day = self._day_of(source) if date is None else as_date(date, TradingError, "date")
        rows: BrokerRows = read_broker_rows(source, day)
        read = len(rows.trades) + len(rows.realised) + len(rows.stated)
        with self._writing:
            after = self._ledger.copy()
            new = after.add(rows.trades) + after.add_realised(rows.realised) + after.state(rows.stated)
            self._commit(after)
        return ImportReport(rows.source, rows.kind.name.lower(), read, new, rows.skipped, rows.problems)

    def _day_of(self, source: Any) -> dt.date:
        named = day_named(Path(source).name) if isinstance(source, str | os.PathLike) else None
        return self.today if named is None else min(named, self.today)

    def import_folder(self, folder: str | os.PathLike[str], pattern: str = "*.csv") -> FolderImport:
        """Read all broker's files of a folder in the order of their names, each in one transaction.

        Parameters
        ----------
        folder : path
            Folder with CSV files; folders in it are not searched.
        pattern : str, default "*.csv"
            Names of the files, as in a shell; capitals do not matter.

        Returns
        -------
        FolderImport
            What was read from each file; a file that is no broker's file is named and costs no other.

        Raises
        ------
        TradingError
            There is no such folder, or no such file in it, or the tracker may not write to its store.
        """
        place = Path(folder).expanduser()
        if not place.is_dir():
            raise TradingError(f"there is no folder {place}; give the folder with a broker's files", value=str(place))
        files = sorted(file for file in place.iterdir() if file.is_file() and _fits(file.name, pattern))
        if not files:
            raise TradingError(f"{place} has no file {pattern}; export the files there", name="pattern", value=pattern)
        reports, refused = [], {}
        for file in files:
            try:
                reports.append(self.import_csv(file))
            except PositionsError as error:
                refused[file.name] = error.message
        return FolderImport(str(place), tuple(reports), refused)

    @admits(TradingError)
    def roll(self, today: dt.date | str) -> None:
        """Set the day from which expiries are counted.

        Parameters
        ----------
        today : date or str
            New day of the tracker.
        """
        self.today = as_date(today, TradingError, "today")

    def settle(self, prices: Any) -> tuple[OptionTrade, ...]:
        """Settle the options that have expired at their intrinsic value, and return the trades that do so.

        Parameters
        ----------
        prices : mapping, frame, or anything with prices by ticker
            Price of each underlying at expiry, or its closes with dates, of which that of the expiry is used.

        Raises
        ------
        TradingError
            A price at an expiry is missing; nothing is settled.
        """
        with self._writing:
            after = self._ledger.copy()
            settled = tuple(after.log(trade) for trade in self._settlements(prices))
            self._commit(after)
        return settled

    def _settlements(self, prices: Any) -> list[OptionTrade]:
        trades = []
        for held in self._held()[0]:
            if held.contract.expiry < self.today and held.quantity:
                price = settlement_price(held.contract, prices)
                does = TradeAction.SELL_CLOSE if held.quantity > 0.0 else TradeAction.BUY_CLOSE
                size, day = abs(held.quantity), held.contract.expiry
                multiplier = held.open[0].fill.multiplier
                trade = OptionTrade(
                    held.contract, day, does, size, price, multiplier, account=held.account, settles=True
                )
                trades.append(trade)
        return trades

    # --- the book -------------------------------------------------------------------------------------

    @property
    def trades(self) -> tuple[OptionTrade, ...]:
        """All trades, the earliest first."""
        return tuple(sorted(self._ledger.trades.values(), key=lambda one: (one.date, one.key)))

    def open_options(self) -> OpenOptions:
        """Return the open options, those that have expired and are not settled first."""
        parts = self._held()[1]
        held = [self._opened(part, value) for part, value in zip(parts, self._values(parts), strict=True)]
        if self._lines:
            values = OptionBook.of(self._lines).values.tolist()
            held += [_of_line(line, self.today, value) for line, value in zip(self._lines, values, strict=True)]
        return OpenOptions(self.today, tuple(sorted(held, key=lambda one: (one.expiry, one.name, one.account or ""))))

    def _held(self) -> tuple[list[Holding], list[Holding]]:
        """Return what is held by contract and account, and the same by purpose; matched once for each state."""
        ledger, by_contract, by_purpose = self._matched
        if ledger is not self._ledger:
            by_contract = self._ledger.holdings()
            by_purpose = [part for one in by_contract for part in one.by_bucket()]
            self._matched = (self._ledger, by_contract, by_purpose)
        return by_contract, by_purpose

    def _opened(self, held: Holding, value: float | None) -> OpenOption:
        contract, first = held.contract, held.open[0].fill
        stated = first.tags.get("stated")
        return OpenOption(
            name=contract.name,
            underlying=contract.underlying,
            expiry=contract.expiry,
            strike=contract.strike,
            is_call=contract.is_call,
            quantity=held.quantity,
            multiplier=first.multiplier,
            cost=held.cost,
            value=value,
            dte=(contract.expiry - self.today).days,
            bucket=held.bucket,
            account=held.account or None,
            opened=None if stated else first.time,
        )

    def _values(self, parts: list[Holding]) -> list[float | None]:
        """Return values by mark, by statement, or by the closed form for all at once; None without any."""
        values: list[float | None] = [None] * len(parts)
        lines: dict[int, OptionLine] = {}
        for i, held in enumerate(parts):
            contract, years = held.contract, (held.contract.expiry - self.today).days / _DAYS
            mark = self._market.marks.get(contract.name)
            price = self._stated_price(held) if mark is None else mark
            if price is not None:
                values[i] = price * held.quantity * held.open[0].fill.multiplier
                continue
            spot, vol = self._market.spots.get(contract.underlying), self._market.vol_of(contract, years)
            if spot is not None and vol is not None and years >= 0.0:
                lines[i] = self._line(held, years, spot, vol)
        if lines:
            for i, value in zip(lines, OptionBook.of(lines.values()).values.tolist(), strict=True):
                values[i] = value
        return values

    def _stated_price(self, held: Holding) -> float | None:
        """Return the price of a statement of today; an older one is out of date."""
        stated = held.stated
        if stated is None or stated.value is None or stated.date != self.today or not stated.quantity:
            return None
        return stated.value / (stated.quantity * stated.multiplier)

    def book(self, underlying: str | None = None, *, horizon_days: float = 1.0) -> OptionBook:
        """Return the open options with their market data.

        Parameters
        ----------
        underlying : str, optional
            Ticker of the only underlying to include; by default all.
        horizon_days : float, default 1.0
            Trading days over which a standard deviation is measured.

        Raises
        ------
        TradingError
            No option is open, or an underlying lacks a spot or an option a volatility; the message names all of them.
        """
        chosen = None if underlying is None else underlying.upper()
        lines = list(self._lines)
        lacking: dict[str, None] = {}
        for held in self._held()[1]:
            contract = held.contract
            if contract.expiry < self.today or chosen not in {None, contract.underlying}:
                continue
            years = (contract.expiry - self.today).days / _DAYS
            spot = self._market.spots.get(contract.underlying)
            vol = self._market.vol_of(contract, years, self._stated_price(held))
            if spot is None:
                lacking[f"the spot of {contract.underlying} (spots=)"] = None
            elif vol is None:
                lacking[f"a volatility for {contract.name} (vols= by {contract.underlying} or symbol, or marks=)"] = (
                    None
                )
            else:
                lines.append(self._line(held, years, spot, vol))
        if lacking:
            raise TradingError(
                f"quote() {', '.join(lacking)} first; there are no Greeks without", name=next(iter(lacking))
            )
        found = OptionBook.of(_sized(lines), horizon_days)
        return found if chosen is None else found.of_underlying(chosen)

    def _line(self, held: Holding, years: float, spot: float, vol: float) -> OptionLine:
        contract, fill = held.contract, held.open[0].fill
        return OptionLine(
            name=contract.name,
            underlying=contract.underlying,
            strike=contract.strike,
            years=years,
            is_call=contract.is_call,
            units=held.quantity * fill.multiplier,
            spot=float(spot),
            vol=float(vol),
            rate=self._market.rate,
            dividend=float(self._market.dividends.get(contract.underlying, 0.0)),
            spot_vol=self._market.spot_vol(contract.underlying),
            multiplier=fill.multiplier,
            bucket=held.bucket,
            expires=contract.expiry.isoformat(),
        )

    # --- what it says ---------------------------------------------------------------------------------

    @admits(TradingError)
    def greeks(self, by: str | Rung = Rung.EXPIRY, *, underlying: str | None = None) -> GreekLadder:
        """Return the Greeks of the open options, and the move that pays for their theta.

        Parameters
        ----------
        by : {"expiry", "strike", "underlying", "bucket"}, default "expiry"
            Meaning of the rows.
        underlying : str, optional
            Ticker of the only underlying to include; by default all.
        """
        return greek_ladder(self.book(underlying), by)

    @admits(TradingError)
    def shadow(
        self,
        moves: ArrayLike = DEFAULT_MOVES,
        rule: VolRule | None = None,
        *,
        underlying: str | None = None,
        horizon_days: float = 1.0,
    ) -> ShadowGreeks:
        """Return P&L, delta and gamma at moved spots, with volatilities that follow the spot.

        Parameters
        ----------
        moves : array_like, shape (n_moves,), default (-5, -3, -2, -1, 0, 1, 2, 3, 5)
            Moves in standard deviations; each underlying moves by its own.
        rule : VolRule, optional
            How volatilities follow the spot; by default with an elasticity of 1.
        underlying : str, optional
            Ticker of the only underlying to include; by default all.
        horizon_days : float, default 1.0
            Trading days over which a standard deviation is measured.
        """
        return shadow_greeks(self.book(underlying, horizon_days=horizon_days), moves, rule)

    @admits(TradingError)
    def large_moves(
        self,
        sizes: ArrayLike = DEFAULT_SIZES,
        rule: VolRule | None = None,
        *,
        underlying: str | None = None,
        horizon_days: float = 1.0,
    ) -> LargeMoves:
        """Return the P&L of equal moves up and down.

        Parameters
        ----------
        sizes : array_like, shape (n_sizes,), default (1, 2, 3, 5, 10)
            Sizes of the moves in standard deviations, above 0.
        rule, underlying, horizon_days
            Rule of the volatilities, underlying and horizon, as for :meth:`shadow`.
        """
        return large_moves(self.book(underlying, horizon_days=horizon_days), sizes, rule)

    @admits(TradingError)
    def ruin(
        self, budget: float | None = None, rule: VolRule | None = None, *, underlying: str | None = None
    ) -> RuinDistance:
        """Return the smallest moves, and the times, at which the loss of the book reaches a budget.

        Parameters
        ----------
        budget : float, optional
            Loss in money, above 0; by default the budgets of both buckets.
        rule, underlying
            Rule of the volatilities and underlying, as for :meth:`shadow`.
        """
        loss = math.fsum(self.config.budgets.values()) if budget is None else budget
        return ruin_distance(self.book(underlying), loss, rule)

    def closed(self) -> tuple[ClosedTrade, ...]:
        """Return the closed trades, of all accounts."""
        return tuple(self._ledger.closed())

    def convexity(self) -> Convexity:
        """Return the convexity of the closed trades.

        Raises
        ------
        TradingError
            There are none.
        """
        trades = self.closed()
        return convexity([one.gain for one in trades], [one.cost for one in trades])

    def concentration(self) -> TradeConcentration:
        """Return the closed trades by underlying."""
        return closed_by_name(self.closed())

    def bleed(self) -> MonthlyBleed:
        """Return the premiums paid and received by calendar month."""
        return MonthlyBleed.of(self.trades, self.config.monthly_bleed_limit)

    def buckets(self) -> tuple[BucketUse, ...]:
        """Return the open options by bucket, beside its budget."""
        budgets = self.config.budgets
        held = self.open_options().alive
        names = dict.fromkeys([*budgets, *(one.bucket for one in held)])
        return tuple(_use(name, [one for one in held if one.bucket == name], budgets.get(name)) for name in names)

    def differences(self) -> dict[str, float]:
        """Return by contract how many more contracts the broker states than the trades up to that day explain."""
        return {held.contract.name: held.difference for held in self._held()[0] if held.difference}

    def unmatched(self) -> dict[str, float]:
        """Return by contract the closing quantities for which no opening trade is known."""
        found: dict[str, float] = {}
        for held in self._held()[0]:
            for lot in held.unmatched:
                found[held.contract.name] = found.get(held.contract.name, 0.0) + lot.quantity
        return found

    def alerts(self, prices: Any = None) -> TrackerAlerts:
        """Return the rules that are broken.

        Parameters
        ----------
        prices : frame or mapping, optional
            Prices of the underlyings with their dates, for the rule on correlations.
        """
        held = self.open_options()
        found = [*expiry_alerts(held.alive), *overtrade_alerts(self.concentration().names, self.config)]
        found += [*bleed_alerts(self.bleed().month(self.today), self.config), *bucket_alerts(self.buckets())]
        unchecked: dict[str, str] = {}
        if self.closed():
            found += convexity_alerts(self.convexity(), self.config)
        else:
            unchecked["CONVEXITY_DROP"] = "no closed trades"
        names = list(dict.fromkeys(one.underlying for one in held.alive))
        if len(names) < 2:  # noqa: PLR2004 - a pair
            unchecked["CORRELATION_HIGH"] = "fewer than two underlyings"
        elif prices is None:
            unchecked["CORRELATION_HIGH"] = "no prices of the underlyings"
        else:
            found += correlation_alerts(names, prices, self.config)
        found.sort(key=lambda one: -one.severity.rank)
        return TrackerAlerts(self.today, tuple(found), unchecked)

    def raise_alerts(self, book: AlertBook, prices: Any = None) -> tuple[Alert, ...]:
        """Enter the broken rules in an alert book, which holds one open alert for each rule and scope.

        Parameters
        ----------
        book : AlertBook
            Alert book of the desk.
        prices : frame or mapping, optional
            Prices of the underlyings with their dates, for the rule on correlations.
        """
        return tuple(
            book.raise_alert(one.rule.value, one.scope, one.severity, one.message, value=one.value, limit=one.limit)
            for one in self.alerts(prices).alerts
        )

    def update_alerts(self, prices: Any = None) -> tuple[Alert, ...]:
        """Bring the alert book of the store up to date: open or update what is broken, close what no longer is.

        Parameters
        ----------
        prices : frame or mapping, optional
            Prices of the underlyings with their dates, for the rule on correlations.

        Returns
        -------
        tuple of Alert
            Alerts of broken rules, as stored. Alerts of rules that could not be checked stay as they are.

        Raises
        ------
        TradingError
            The tracker has no store, or may not write to it.
        """
        store = self._require_store()
        store.require_writable()
        found = self.alerts(prices)
        broken = {(one.rule.value, one.scope) for one in found.alerts}
        checked = {rule.value for rule in TrackerRule} - set(found.unchecked)
        book = AlertBook(store.db, now=self._clock)
        with store.db.transaction():
            for alert in book.open_alerts():
                if alert.rule in checked and (alert.rule, alert.scope) not in broken:
                    book.close(alert.id, f"within its limit on {self.today}")
            return self.raise_alerts(book, prices)

    def snapshot(self) -> TrackerSnapshot:
        """Return the figures of the moment, and write them to the store if there is one.

        Raises
        ------
        TradingError
            The tracker may not write to its store.
        """
        held, closed = self.open_options().alive, self.closed()
        values = [one.value for one in held]
        greeks, breakeven, missing = self._figures()
        taken = TrackerSnapshot(
            day=self.today,
            taken=self._clock(),
            n_open=len(held),
            cost=math.fsum(one.cost for one in held),
            value=None if None in values else math.fsum(each for each in values if each is not None),
            realised=math.fsum(one.gain for one in closed),
            greeks=greeks,
            breakeven=breakeven,
            buckets=self.buckets(),
            rules=self.alerts().rules,
            missing=missing,
        )
        if self._store is not None:
            self._store.save_snapshot(taken)
        return taken

    def _figures(self) -> tuple[dict[str, float], float | None, str | None]:
        try:
            ladder = self.greeks()
        except TradingError as error:
            return {}, None, error.message
        return {name: ladder.total(name) for name in _GREEKS}, ladder.breakeven, None

    def snapshots(self, since: dt.date | str | None = None) -> SnapshotHistory:
        """Return the snapshots of the store, the earliest first.

        Parameters
        ----------
        since : date or str, optional
            First day; by default all.

        Raises
        ------
        TradingError
            The tracker has no store.
        """
        first = None if since is None else as_date(since, TradingError, "since")
        return SnapshotHistory(self._require_store().snapshots(first))

    def _require_store(self) -> OptionStore:
        if self._store is None:
            raise TradingError("this tracker is in memory; TradeTracker(db=BarbaraDB.open(...)) has a store")
        return self._store

    def analysis(self, prices: Any = None, **options: Any) -> TradeAnalysis:
        """Return the analysis of the round trips in options.

        Parameters
        ----------
        prices : mapping, optional
            Prices with dates, by name of the contract (``SPY 2025-06-20 P 500``).
        **options
            Other arguments of :class:`TradeAnalysis`.
        """
        rows = [
            {
                "instrument": one.contract.name,
                "side": "BUY" if one.action.sign > 0.0 else "SELL",
                "quantity": one.quantity,
                "price": one.price,
                "time": one.date,
                "fees": one.fees,
                "multiplier": one.multiplier,
                "trader": one.account,
                "signal": one.bucket or bucket_of(one.contract),
            }
            for one in sorted(self.trades, key=lambda one: (one.date, one.action.closes))
        ]
        return TradeAnalysis(rows, prices, **options)

    # --- display --------------------------------------------------------------------------------------

    def to_table(self) -> Table:
        """Return a table of the open options."""
        return self.open_options().to_table()

    def _draw_(self, axes: Axes) -> None:
        """Draw the P&L against the spot, and shadow delta below."""
        try:
            found = self.shadow()
        except TradingError as error:
            nothing(axes, str(error))
            return
        found._draw_(axes)

    def __rich__(self) -> object:
        from bank_python.render_tracker import tracker_view

        return tracker_view(self)


def _fits(name: str, pattern: str) -> bool:
    return fnmatch.fnmatch(name.lower(), pattern.lower())


def _of_line(line: OptionLine, today: dt.date, value: float) -> OpenOption:
    expiry = dt.date.fromisoformat(line.expires)
    quantity = line.units / line.multiplier
    days = (expiry - today).days
    terms = (line.name, line.underlying, line.strike, expiry, line.is_call, quantity, line.multiplier)
    return OpenOption(*terms, cost=value, value=value, dte=days, bucket=line.bucket, account=None, opened=None)


def _sized(lines: list[OptionLine]) -> list[OptionLine]:
    """Return lines of which all of one underlying have the same volatility for moves: that nearest to the money."""
    vols = {}
    for line in sorted(lines, key=lambda line: (abs(math.log(line.strike / line.spot)), line.years), reverse=True):
        vols[line.underlying] = line.vol
    return [line if line.spot_vol is not None else replace(line, spot_vol=vols[line.underlying]) for line in lines]


def _use(name: str, held: list[OpenOption], budget: float | None) -> BucketUse:
    values = [one.value for one in held]
    value = None if None in values else math.fsum(each for each in values if each is not None)
    return BucketUse(name, len(held), math.fsum(one.cost for one in held), budget, value)
