"""Terminal and notebook views of what lives in a platform: nodes, graphs, books, desks, stores, jobs, curves.

See :mod:`bank_python.render`. Each view is short: the object, the figures that matter, and how many rows are left out.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from rich.console import Group

from bank_python.dagger import ArrayNode, Failure, Leaf
from bank_python.dagger.node import shown as shown_outcome
from bank_python.display import Displayed, entry_text
from bank_python.numerals import MISSING, number, signed
from bank_python.render import table_view
from bank_python.results import Figures
from bank_python.sheet import Sheet, names, numbers, shares, text, words
from bank_python.wording import message_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from _typeshed import DataclassInstance
    from rich.console import RenderableType

    from bank_python.barbara import BarbaraDB
    from bank_python.dagger import DependencyGraph, Node
    from bank_python.desk import Blotter, Desk, Trader, Traders
    from bank_python.instruments import Book, CreditCurve, DiscountCurve, Position, VolSurface
    from bank_python.market_data import MarketDataManager
    from bank_python.mc_engine import FactorModel, ReactiveRisk
    from bank_python.risk_models import Curve, Surface, SurvivalCurve
    from bank_python.walpole import JobRunner

__all__ = [
    "blotter_view",
    "book_view",
    "credit_curve_view",
    "curve_node_view",
    "curve_view",
    "desk_view",
    "factor_model_view",
    "fields_view",
    "graph_view",
    "jobs_view",
    "market_view",
    "node_view",
    "reactive_risk_view",
    "store_view",
    "surface_node_view",
    "surface_view",
    "survival_view",
    "trader_view",
    "traders_view",
]

_MOST_ROWS = 12
_MOST_NAMES = 6
_TENORS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0)
_MONEYNESS = (0.8, 0.9, 1.0, 1.1, 1.2)


def fields_view(value: object) -> Sheet:
    """Show a value with its fields, one per line."""
    shown = Sheet(type(value).__name__, [names("Field"), words("Value")])
    _add_fields(shown, value)
    return shown


def _add_fields(shown: Sheet, value: object, prefix: str = "") -> None:
    for field in dataclasses.fields(cast("DataclassInstance", value)):
        held = getattr(value, field.name)
        name = f"{prefix}{field.name}".replace("_", " ")
        if isinstance(held, Figures):
            _add_fields(shown, held, f"{name} ")
        elif field.repr:
            shown.add(name, _brief(held))


def _brief(value: object) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return f"{' × '.join(map(str, value.shape))} numbers"
    if isinstance(value, tuple | list | set | frozenset | dict) and len(value) > _MOST_NAMES:
        return f"{len(value):,} entries"
    if value is None or isinstance(value, int | float | tuple | np.ndarray):
        return number(value, 4)
    return number(value.isoformat() if isinstance(value, dt.date) else entry_text(value, _MOST_NAMES))


def node_view(node: Node) -> RenderableType:
    """Show a node: its value, what it depends on, its terms; below it a value that has a drawing of its own."""
    outcome = node.peek_()[0]
    shown = _node_sheet(node)
    return Group(shown, cast("RenderableType", outcome)) if isinstance(outcome, Displayed) else shown


def _node_sheet(node: Node) -> Sheet:
    shown = Sheet(f"{node.name} ({type(node).__name__})", [names(), words()])
    shown.add("value", _stated(node))
    inputs = [source.name for source in node.underliers]
    if inputs:
        shown.add("depends on", _listed(inputs))
    dependents = [dependent.name for dependent in node.dependents]
    if dependents:
        shown.add("dependents", _listed(dependents))
    if isinstance(node, ArrayNode):
        for name, term in node.terms.items():
            shown.add(name.replace("_", " "), number(term, 4))
    return shown


def _stated(node: Node) -> Any:
    """Return what is known of a node's value; displaying it evaluates nothing."""
    outcome, remark = node.peek_()
    if isinstance(outcome, Failure):
        return text(f"none: {message_of(outcome.error)}", "red")
    if outcome is None and remark:
        return text(remark, "yellow")
    figure = number(outcome, 6) if isinstance(outcome, int | float) else shown_outcome(outcome)
    return f"{figure}{remark and f' ({remark})'}"


def _listed(found: Sequence[str]) -> str:
    more = len(found) - _MOST_NAMES
    return ", ".join(found[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def graph_view(graph: DependencyGraph) -> Sheet:
    """Show a graph: how many nodes of each class it has, and how many of them are leaves."""
    kinds = Counter(type(node).__name__ for node in graph)
    leaves = sum(isinstance(node, Leaf) for node in graph)
    shown = Sheet(f"Dependency graph, tick {graph.tick:,}", [names("Class"), numbers("Nodes")])
    for kind, count in kinds.most_common(_MOST_ROWS):
        shown.add(kind, count)
    left = len(kinds) - _MOST_ROWS
    if left > 0:
        shown.note(f"{left:,} more classes")
    shown.rule()
    shown.add(text("all", "bold"), len(graph))
    shown.note(f"{leaves:,} leaves, {graph.dirty:,} not up to date")
    return shown


def book_view(book: Book) -> Sheet:
    """Show a book: its positions by size, and its total."""
    shown = _positions(f"{book.name}, {book.base_currency}", book, book.positions)
    _note_what_is_old(shown, book)
    return shown


def trader_view(trader: Trader) -> Sheet:
    """Show a trader: the positions by size, and the P&L."""
    shown = _positions(f"{trader.name}, {trader.strategy}", trader.book, trader.positions)
    shown.note(f"P&L {_value(trader.pnl)}")
    if trader.waiting:
        shown.note(f"{len(trader.waiting)} holdings wait for a quote")
    _note_what_is_old(shown, trader.book, trader.pnl)
    return shown


def _positions(title: str, book: Book, positions: Sequence[Position]) -> Sheet:
    columns = [names("Position"), numbers("Quantity"), numbers("Price"), numbers("Value"), words("Ccy")]
    shown = Sheet(title, columns)
    ordered = sorted(positions, key=lambda position: -abs(_figure(position) or 0.0))
    for position in ordered[:_MOST_ROWS]:
        instrument = position.instrument
        price = instrument if isinstance(instrument, float) else _figure(instrument)
        name = position.name.removeprefix(f"{book.name}:")
        shown.add(name, position.quantity, price, _money(_figure(position)), position.currency)
    left = len(ordered) - _MOST_ROWS
    if left > 0:
        shown.note(f"{left:,} more positions")
    shown.rule()
    shown.add(text("total", "bold"), "", "", _money(_figure(book)), book.base_currency)
    return shown


def _figure(node: Node) -> float | None:
    value = node.peek_()[0]
    return float(value) if isinstance(value, int | float) else None


def _note_what_is_old(shown: Sheet, *nodes: Node) -> None:
    """Say below a sheet if its figures are not up to date, or not computed yet."""
    remarks = dict.fromkeys(remark for node in nodes if (remark := node.peek_()[1]))
    for remark in remarks:
        shown.note(f"figures {remark}")


def _value(node: Node) -> str:
    return _money(_figure(node))


def _money(value: float | None) -> str:
    return MISSING if value is None else f"{value:,.0f}"


def traders_view(traders: Traders) -> Sheet:
    """Show traders: strategy, number of positions, value and P&L."""
    shown = _traders("Traders", traders)
    _note_what_is_old(shown, *(trader.book for trader in traders))
    return shown


def desk_view(desk: Desk) -> Sheet:
    """Show a desk: its traders, the firm's total, and the market."""
    shown = _traders(f"Desk, {desk.clock.date.isoformat()}", desk.traders)
    shown.rule()
    shown.add(text("firm", "bold"), "", "", _value(desk.firm_value), _pnl(desk.firm_pnl))
    shown.note(f"{len(desk.graph):,} nodes, tick {desk.graph.tick:,}, market {desk.feed.name}")
    _note_what_is_old(shown, desk.firm_value, desk.firm_pnl)
    return shown


def _traders(title: str, traders: Iterable[Trader]) -> Sheet:
    columns = [names("Trader"), words("Strategy"), numbers("Positions"), numbers("Value"), numbers("P&L")]
    shown = Sheet(title, columns)
    for trader in traders:
        strategy = trader.strategy.replace("_", " ")
        shown.add(trader.name, strategy, len(trader.positions), _value(trader.book), _pnl(trader.pnl))
    return shown


def _pnl(node: Node) -> Any:
    value = _figure(node)
    return MISSING if value is None else signed(value)


def blotter_view(blotter: Blotter) -> Sheet:
    """Show the trades of a blotter, the first ones."""
    return table_view(blotter.table, "Trades")


def market_view(market: MarketDataManager) -> Sheet:
    """Show the quotes of a market: price, source, state."""
    quotes = market.quotes
    columns = [names("Ticker"), numbers("Price", 4), words("Source"), words("State")]
    shown = Sheet(f"Market, {len(quotes):,} tickers", columns)
    for quote in quotes[:_MOST_ROWS]:
        shown.add(quote.ticker, quote.price, quote.source, quote.state.value)
    left = len(quotes) - _MOST_ROWS
    if left > 0:
        shown.note(f"{left:,} more tickers")
    return shown


def jobs_view(runner: JobRunner) -> Sheet:
    """Show the jobs of a runner: state, runs, failures, next run in UTC."""
    shown = Sheet("Jobs", [names("Job"), words("State"), numbers("Runs"), numbers("Failures"), words("Next")])
    for name in runner.jobs:
        status = runner.status(name)
        shown.add(
            name,
            status.state.value,
            status.runs,
            status.failures,
            f"{status.next_run:%H:%M:%S}" if status.next_run else "",
        )
    return shown


def store_view(store: BarbaraDB) -> Sheet:
    """Show a store: its rings, its path and its keys by their first part."""
    shown = Sheet(f"Store {';'.join(store.rings)}", [names("Keys"), numbers("Number")])
    if store.closed:
        shown.note("closed")
        return shown
    keys = store.keys()
    for prefix, count in Counter(f"/{key.lstrip('/').split('/')[0]}/" for key in keys).most_common(_MOST_ROWS):
        shown.add(prefix, count)
    shown.rule()
    shown.add(text("all", "bold"), len(keys))
    shown.note(f"path {store.path}")
    return shown


def curve_view(curve: Curve) -> Sheet:
    """Show a discount curve: zero and forward rates and discount factors by maturity."""
    columns = [numbers("Years"), shares("Zero rate", 3), shares("Forward rate", 3), numbers("Discount", 4)]
    shown = Sheet("Discount curve", columns)
    for start, end in zip((0.0, *_TENORS), _TENORS, strict=False):
        forward = float(cast("float", curve.forward_rate(start, end)))
        shown.add(end, float(cast("float", curve.zero_rate(end))), forward, float(cast("float", curve.discount(end))))
    return shown


def survival_view(curve: SurvivalCurve) -> Sheet:
    """Show a survival curve: survival probabilities and hazard rates by maturity."""
    shown = Sheet("Survival curve", [numbers("Years"), shares("Survival", 2), shares("Hazard rate", 3)])
    for years in _TENORS:
        survival, hazard = curve.survival(years), curve.hazard_rate(years)
        shown.add(years, float(cast("float", survival)), float(cast("float", hazard)))
    return shown


def surface_view(surface: Surface) -> Sheet:
    """Show a volatility surface: volatility by time to expiry and strike over forward."""
    shown = Sheet("Volatility surface", [numbers("Years"), *(shares(f"{level:.0%}") for level in _MONEYNESS)])
    for time in surface.expiries[:_MOST_ROWS]:
        forward = float(cast("float", surface.anchor(time)))
        shown.add(time, *(surface.vol_at(level * forward, time, forward) for level in _MONEYNESS))
    shown.note("columns: strike over forward")
    return shown


def curve_node_view(curve: DiscountCurve) -> RenderableType:
    """Show a bootstrapped curve: its quotes, and what it gives at the usual maturities."""
    return _built(curve, curve_view)


def credit_curve_view(curve: CreditCurve) -> RenderableType:
    """Show a bootstrapped credit curve: its quotes, and what it gives at the usual maturities."""
    return _built(curve, survival_view)


def surface_node_view(surface: VolSurface) -> RenderableType:
    """Show a calibrated surface: its quotes, and its volatilities."""
    return _built(surface, surface_view)


def _built(node: Any, view: Any) -> RenderableType:
    outcome, remark = node.peek_()
    if outcome is None or isinstance(outcome, Failure):
        return _node_sheet(node)
    if remark:  # the quotes of to_table may be later ones
        return Group(_node_sheet(node), view(outcome))
    return Group(table_view(node.to_table(), f"{node.name} ({type(node).__name__})"), view(outcome))


def factor_model_view(model: FactorModel) -> Sheet:
    """Show a factor model: volatility and way of moving of each factor, and its source."""
    shown = Sheet("Factor model", [names("Factor"), numbers("Volatility", 4), words("Moves")])
    for name, vol, relative in islice(zip(model.names, model.vols.tolist(), model.relative, strict=True), _MOST_ROWS):
        shown.add(name, vol, "in proportion" if relative else "by shifts")
    left = len(model.names) - _MOST_ROWS
    if left > 0:
        shown.note(f"{left:,} more factors")
    shown.note(f"source: {model.source}")
    return shown


def reactive_risk_view(risk: ReactiveRisk) -> Sheet:
    """Show risk on the graph: VaR and expected shortfall at both confidence levels."""
    shown = Sheet(f"Risk of {risk.name}, live", [names("Measure"), numbers("Amount")])
    for name, node in (
        ("VaR 95 %", risk.var_95),
        ("VaR 99 %", risk.var_99),
        ("ES 95 %", risk.cvar_95),
        ("ES 99 %", risk.cvar_99),
    ):
        shown.add(name, _value(node))
    _note_what_is_old(shown, risk.var_95, risk.var_99, risk.cvar_95, risk.cvar_99)
    return shown
