"""``rebalance``: the trades that bring a trader's shares to optimal weights, listed or booked."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from bank_python.desk.assets import asset_data
from bank_python.desk.commands.orders import fresh_trading
from bank_python.desk.commands.portfolio import optimal, universe
from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.views import booked_view
from bank_python.desk.console import working
from bank_python.desk.settings import read_settings
from bank_python.errors import DeskError
from bank_python.instruments import is_spot
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.optimizer import Rebalancer
from bank_python.trading_engine import Rejection, Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.desk.blotter import Trade
    from bank_python.desk.commands.portfolio import Wanted
    from bank_python.desk.desk import Desk
    from bank_python.desk.trading import DeskTrading
    from bank_python.optimizer import RebalancePlan
    from bank_python.trading_engine import Fill, Working

__all__ = ["rebalance"]

_BPS = 1e-4
_COIN = 0.01


def rebalance(
    desk: Desk,
    trader: str,
    wanted: Wanted,
    *,
    tickers: Sequence[str] | None = None,
    capital: float | None = None,
    band: float = 0.05,
    dry_run: bool = False,
) -> CommandResult:
    """Compute the trades from a trader's shares to optimal weights, and order them.

    Each trade is an order with its limits, costs and events in the audit trail; one that is rejected is listed with the
    reason, and the others go on.

    Parameters
    ----------
    desk : Desk
        Desk of the trader, which must own its store unless this is a dry run.
    trader : str
        Name of the trader.
    wanted : Wanted
        Portfolio with the optimal weights.
    tickers : sequence of str, optional
        Tickers of the portfolio; by default the shares, funds and coins that the trader holds, short ones too.
    capital : float, optional
        Amount in USD that the weights divide, at least the net value of the positions; by default their gross value,
        so that what short positions were sold for is invested again.
    band : float, default 0.05
        Largest deviation of a weight without a trade, as a decimal.
    dry_run : bool, default False
        Whether the trades are listed only.

    Raises
    ------
    BankError
        There is no such trader, the weights cannot be computed, or the capital is too small; nothing has changed.
    """
    name = desk.traders[trader].name
    trading = None if dry_run else fresh_trading(desk)[0]  # the plan is made at the prices of the orders
    with working(f"Rebalancing {name} ({wanted.method}) ..."):
        target = optimal(asset_data(desk, universe(desk, tickers, name)), wanted)
        plan = _plan(desk, name, target.by_ticker(), capital, band)
    replies = () if trading is None else _ordered(trading, name, plan, target.method)
    booked = desk.blotter.last(sum(reply.is_filled for reply in replies)) if replies else ()
    rejected = {each.order.instrument_name: each.reason for each in replies if isinstance(each, Rejection)}
    facts = {
        "trader": name,
        "method": target.method,
        "target": target.by_ticker(),
        "due": plan.due,
        "wealth": plan.wealth,
        "cost": plan.cost,
        "cash_left": plan.cash_left,
        "trades": [asdict(trade) for trade in plan.trades],
        "dry_run": dry_run,
        "booked": [asdict(trade) for trade in booked],
        "rejected": rejected,
    }
    views = [target, plan, *_outcome(plan, booked, rejected, dry_run=dry_run)]
    return CommandResult(facts, [*views, booked_view(booked)] if booked else views, plan)


def _plan(desk: Desk, trader: str, targets: dict[str, float], capital: float | None, band: float) -> RebalancePlan:
    held = dict.fromkeys(targets, 0.0)
    for position in desk.traders[trader].positions:
        if is_spot(position.instrument) and position.instrument.name in held:
            held[position.instrument.name] += position.quantity
    prices = {ticker: float(desk.leaf(ticker).value) for ticker in targets}
    values = [units * prices[ticker] for ticker, units in held.items()]
    net, gross = math.fsum(values), math.fsum(map(abs, values))
    wealth = gross if capital is None else capital
    if not net <= wealth < math.inf or not wealth > 0.0:
        raise DeskError(
            f"{trader} cannot divide {wealth:,.0f} USD: the positions have a net value of {net:,.0f}; give --capital "
            "of at least that, above 0",
            value=capital,
        )
    settings = read_settings(desk.db)
    rate = (0.5 * settings.spread_bps + settings.slippage_bps) * _BPS
    coins = {ticker for ticker in targets if desk.listings[ticker].kind is SymbolKind.CRYPTO}
    lots = {ticker: _COIN if ticker in coins else 1.0 for ticker in targets}
    return Rebalancer(targets, band=band, cost_rate=rate, lot=lots).plan(held, prices, max(wealth - net, 0.0))


def _ordered(
    trading: DeskTrading, trader: str, plan: RebalancePlan, method: str
) -> tuple[Fill | Working | Rejection, ...]:
    """Submit an order for each trade of a plan, sales first, so that their cash pays for the purchases."""
    return tuple(
        trading.order(
            trader,
            trade.ticker,
            Side.BUY if trade.shares > 0.0 else Side.SELL,
            abs(trade.shares),
            reason=f"rebalancing to {method}",
        )
        for trade in sorted(plan.trades, key=lambda trade: trade.shares > 0.0)
    )


def _outcome(plan: RebalancePlan, booked: Sequence[Trade], rejected: Mapping[str, str], *, dry_run: bool) -> list[str]:
    if not plan.trades:
        return ["Nothing to trade."]
    if dry_run:
        return [f"A dry run: none of these {len(plan.trades)} trades is ordered."]
    said = [f"{len(booked)} of {len(plan.trades)} orders filled."]
    return said + [f"{ticker} was rejected: {why}" for ticker, why in rejected.items()]
