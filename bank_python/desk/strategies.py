"""The signals that the built-in traders follow, as data: change these tables to change what a strategy looks at.

Each strategy of :data:`~bank_python.desk.traders.TRADERS` has a rule of :mod:`bank_python.trading_engine` on the
symbols that the trader holds. Symbols that the market does not quote are left out, and a strategy that is left with
nothing has no rule. Orders are of roughly 20,000 to 200,000 dollars.

**Three tables are invented for the simulation**: the short rates by currency (:data:`SHORT_RATES`), the moves at past
events and the calendar of events (:data:`PAST_MOVES`, :func:`days_to_event`), and the weights of the funds' components
(:data:`FUND_WEIGHTS`). They are plausible in size, and say nothing about the named companies, funds and currencies.

Beside closes, some rules read series that are no quotes, and that whoever runs them has to add: the units held
(``NVDA_UNITS``), delta and gamma of a book (``NVDA_DELTA``, ``NVDA_GAMMA``), and the days to the next event
(``TSLA_EVENT``).

Examples
--------
>>> strategy_of("Alice", ["NVDA", "MSFT", "SPY"]).tickers
('NVDA', 'MSFT')
>>> strategy_of("credit_arb", ["NVDA"]) is None
True
>>> sorted(standard_strategies(["SPY", "SPY_VOL", "GLD"]))
['multi_asset', 'vol_arb']
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from bank_python.desk.contracts import BONDS
from bank_python.desk.traders import TRADERS
from bank_python.errors import DeskError
from bank_python.trading_engine import (
    CarryTradeSignal,
    ContrarianSignal,
    CreditArbSignal,
    EventDrivenSignal,
    GammaScalpSignal,
    IndexArbSignal,
    MacroSignal,
    MomentumSignal,
    MultiAssetSignal,
    PairsTradeSignal,
    StatArbSignal,
    TechMomentumSignal,
    VolArbSignal,
    VolSpreadSignal,
)
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from bank_python.trading_engine import SignalRule

__all__ = [
    "FUND_WEIGHTS",
    "ORDER_VALUE",
    "PAIRS",
    "PAST_MOVES",
    "SHORT_RATES",
    "STRATEGIES",
    "TICKERS",
    "TO_TARGETS",
    "days_to_event",
    "standard_strategies",
    "strategy_of",
]

ORDER_VALUE = 100_000.0
"""Money of an order of most strategies, in dollars."""

TICKERS: dict[str, tuple[str, ...]] = {
    "momentum": ("NVDA", "AVGO", "AMD", "MSFT", "TSM", "ASML", "INTC"),
    "vol_arb": ("SPY", "QQQ", "AAPL"),
    "tech_momentum": ("NVDA", "META", "TSLA", "PLTR"),
    "gamma_scalp": ("NVDA", "TSLA", "AMD"),
    "carry_trade": ("AUDUSD", "USDJPY", "USDCHF", "EURUSD", "USDCAD"),
    "contrarian": ("NVDA", "PLTR", "PFE", "INTC", "VZ", "C"),
    "multi_asset": ("SPY", "GLD", "KO", "GBPUSD", "BTC", "ETH"),
}
"""Symbols by strategy, for those that look at one at a time."""

PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    "stat_arb": (("GOOGL", "AMZN"), ("JPM", "GS")),
    "credit_arb": (("F_CDS", "CDX_HY"), ("GM_CDS", "CDX_HY"), ("CDX_HY", "CDX_IG")),
    "pairs_trade": (("GOOGL", "MSFT"), ("XOM", "CVX")),
    "vol_spread": (("SPY_VOL", "QQQ_VOL"), ("META_VOL", "GOOGL_VOL")),
}
"""Pairs of symbols by strategy."""

SHORT_RATES: dict[str, float] = {
    "USD": 0.0430,
    "AUD": 0.0435,
    "CAD": 0.0275,
    "CHF": 0.0050,
    "EUR": 0.0215,
    "GBP": 0.0425,
    "JPY": 0.0050,
}
"""Short rates a year by currency, decimals, invented for the simulation."""

FUND_WEIGHTS: dict[str, dict[str, float]] = {
    "XLK": {"AAPL": 0.40, "MSFT": 0.40, "CRM": 0.20},
    "XLF": {"JPM": 0.50, "BAC": 0.30, "WFC": 0.20},
}
"""Weights of the components of each fund, invented for the simulation."""

PAST_MOVES: dict[str, tuple[float, ...]] = {
    "TSLA": (0.09, -0.06, 0.12, -0.08, 0.05, 0.10, -0.07, 0.04),
    "META": (0.07, -0.05, 0.11, 0.04, -0.08, 0.06, 0.03, -0.06),
    "COIN": (-0.10, 0.08, 0.13, -0.06, 0.09, -0.12, 0.07, 0.05),
}
"""Moves of the price at the last eight events of each share, decimals, invented for the simulation."""

OWN_UNITS = frozenset({"stat_arb", "pairs_trade"})
"""Strategies that leave what they have opened themselves, and not what the trader held before."""

TO_TARGETS = frozenset({"gamma_scalp", "multi_asset", "tech_momentum"})
"""Strategies whose orders are differences to a target, so that the same side again is no repetition."""

_FIRST_EVENT = {"TSLA": dt.date(2024, 1, 24), "META": dt.date(2024, 2, 1), "COIN": dt.date(2024, 2, 15)}
_BETWEEN_EVENTS = 91
_FEWEST_COMPONENTS = 2


def days_to_event(symbol: str, today: dt.date) -> int:
    """Return the number of days to the next event of a share by a calendar invented for the simulation.

    Parameters
    ----------
    symbol : str
        Symbol of the share, one of :data:`PAST_MOVES`.
    today : datetime.date
        Present date; on the day of an event the result is 0.

    Raises
    ------
    DeskError
        The share has no events.
    """
    if symbol not in _FIRST_EVENT:
        raise DeskError(f"{symbol!r:.60} has no events; those of {', '.join(_FIRST_EVENT)} are known", value=symbol)
    return (_FIRST_EVENT[symbol] - today).days % _BETWEEN_EVENTS


def strategy_of(name: str, available: Collection[str]) -> SignalRule | None:
    """Return the rule of a trader or a strategy on the symbols of a market; None if there are none for it.

    Parameters
    ----------
    name : str
        Name of one of the built-in traders, or of a strategy.
    available : collection of str
        Symbols that the market quotes.

    Raises
    ------
    DeskError
        There is no such trader or strategy.
    """
    strategies = {trader.name: trader.strategy for trader in TRADERS}
    strategy = strategies.get(name, name)
    if strategy not in STRATEGIES:
        known = (*strategies, *STRATEGIES)
        advice = did_you_mean(name, known, f"give one of {', '.join(known)}")
        raise DeskError(f"{name!r:.60} is no trader and no strategy; {advice}", name=name, value=name)
    return STRATEGIES[strategy](_Market(available))


def standard_strategies(available: Collection[str]) -> dict[str, SignalRule]:
    """Return the rules of all strategies that have symbols on a market, by strategy.

    Parameters
    ----------
    available : collection of str
        Symbols that the market quotes.
    """
    rules = {strategy: strategy_of(strategy, available) for strategy in STRATEGIES}
    return {strategy: rule for strategy, rule in rules.items() if rule is not None}


class _Market:
    """What of the tables a market quotes."""

    def __init__(self, available: Collection[str]) -> None:
        given: Any = available
        if isinstance(given, str):
            raise DeskError(f"available={given!r:.60} is one symbol; give a list", name="available", value=given)
        self._available = frozenset(available)

    def has(self, *symbols: str) -> bool:
        return self._available.issuperset(symbols)

    def of(self, symbols: Iterable[str], *also: str) -> list[str]:
        """Return the symbols that are quoted, each with its `also` endings, such as ``_VOL``."""
        return [symbol for symbol in symbols if self.has(symbol, *(f"{symbol}{ending}" for ending in also))]

    def pairs(self, strategy: str) -> list[tuple[str, str]]:
        return [pair for pair in PAIRS[strategy] if self.has(*pair)]

    def baskets(self) -> dict[str, dict[str, float]]:
        found = {
            fund: {name: weight for name, weight in weights.items() if self.has(name)}
            for fund, weights in FUND_WEIGHTS.items()
            if self.has(fund)
        }
        return {fund: weights for fund, weights in found.items() if len(weights) >= _FEWEST_COMPONENTS}


def _momentum(market: _Market) -> SignalRule | None:
    tickers = market.of(TICKERS["momentum"])
    return MomentumSignal(tickers, lookback=20, order_value=ORDER_VALUE) if tickers else None


def _vol_arb(market: _Market) -> SignalRule | None:
    tickers = market.of(TICKERS["vol_arb"], "_VOL")
    return VolArbSignal(tickers, quantity=3_000.0) if tickers else None


def _stat_arb(market: _Market) -> SignalRule | None:
    pairs = market.pairs("stat_arb")
    return StatArbSignal(pairs, order_value=ORDER_VALUE) if pairs else None


def _macro(market: _Market) -> SignalRule | None:
    rule = MacroSignal("UST10Y_NOTE", bond_quantity=1_000.0, euro_quantity=100_000.0)
    return rule if market.of(rule.inputs) else None


def _credit_arb(market: _Market) -> SignalRule | None:
    pairs = market.pairs("credit_arb")
    return CreditArbSignal(pairs, coupons={"CDX_HY": 0.05}, quantity=2.0) if pairs else None


def _tech_momentum(market: _Market) -> SignalRule | None:
    tickers = market.of(TICKERS["tech_momentum"])
    return TechMomentumSignal(tickers, order_value=0.75 * ORDER_VALUE, target_vol=0.45) if tickers else None


def _gamma_scalp(market: _Market) -> SignalRule | None:
    # To zero, as a trade to the edge of the band can be of a few shares.
    tickers = market.of(TICKERS["gamma_scalp"])
    return GammaScalpSignal(tickers, cost=0.0005, risk_aversion=1e-4, to="zero") if tickers else None


def _pairs_trade(market: _Market) -> SignalRule | None:
    pairs = market.pairs("pairs_trade")
    return PairsTradeSignal(pairs, order_value=ORDER_VALUE) if pairs else None


def _carry_trade(market: _Market) -> SignalRule | None:
    notes = {name: BONDS[name] for name in ("UST10Y_NOTE", "UST2Y_NOTE")}
    has_curve = market.has("SOFR", *(spec.rate for spec in notes.values()))
    bonds = {name: (spec.maturity, spec.coupon_rate) for name, spec in notes.items()} if has_curve else {}
    pairs = market.of(TICKERS["carry_trade"])
    return CarryTradeSignal(pairs, rates=SHORT_RATES, bonds=bonds) if pairs or bonds else None


def _contrarian(market: _Market) -> SignalRule | None:
    tickers = market.of(TICKERS["contrarian"])
    return ContrarianSignal(tickers, capital=2.0 * ORDER_VALUE) if len(tickers) > 1 else None


def _index_arb(market: _Market) -> SignalRule | None:
    baskets = market.baskets()
    return IndexArbSignal(baskets, order_value=ORDER_VALUE) if baskets else None


def _vol_spread(market: _Market) -> SignalRule | None:
    pairs = [pair for pair in market.pairs("vol_spread") if market.has(*VolSpreadSignal([pair]).inputs)]
    return VolSpreadSignal(pairs, quantity=2_500.0) if pairs else None


def _event_driven(market: _Market) -> SignalRule | None:
    moves = {symbol: PAST_MOVES[symbol] for symbol in market.of(PAST_MOVES, "_VOL")}
    return EventDrivenSignal(moves, quantity=2_000.0) if moves else None


def _multi_asset(market: _Market) -> SignalRule | None:
    tickers = market.of(TICKERS["multi_asset"])
    if not tickers:
        return None
    return MultiAssetSignal(tickers, capital=7_500_000.0, band=0.004, max_order=1.5 * ORDER_VALUE)


STRATEGIES: dict[str, Callable[[_Market], SignalRule | None]] = {
    "momentum": _momentum,
    "vol_arb": _vol_arb,
    "stat_arb": _stat_arb,
    "macro": _macro,
    "credit_arb": _credit_arb,
    "tech_momentum": _tech_momentum,
    "gamma_scalp": _gamma_scalp,
    "pairs_trade": _pairs_trade,
    "carry_trade": _carry_trade,
    "contrarian": _contrarian,
    "index_arb": _index_arb,
    "vol_spread": _vol_spread,
    "event_driven": _event_driven,
    "multi_asset": _multi_asset,
}
"""Maker of the rule of each strategy: from what a market quotes to a rule, or to None if there is nothing for it."""
