"""The desk's factor model: a node of the graph, calibrated to historical prices when it is first read.

A desk quotes hundreds of symbols, and loading all their histories over a network is slow. Histories are therefore
loaded when risk is first computed, and only those of the risk factors of the open positions. The node depends on the
clock, so it is recalibrated after the valuation date has moved.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bank_python.dagger import LargeNode, OnRead
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.mc_engine import FactorModel, calibrate_from_table, join_models
from bank_python.mc_engine.calibration import FEWEST
from bank_python.mc_engine.engine import FACTOR_MODEL_NODE, INDEX_FACTOR
from bank_python.risk import plan_valuation

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.parts import DeskParts

__all__ = ["ABSOLUTE", "PERIOD", "calibrate", "load_past", "register_factor_model"]

PERIOD = "1y"
"""Length of the price history to which the factor model is calibrated."""
ABSOLUTE = frozenset({SymbolKind.RATE, SymbolKind.FUNDING})
"""Kinds of symbols that move by shifts; the others move in proportion to their level."""


def register_factor_model(desk: DeskParts) -> Node:
    """Register the node ``FACTOR_MODEL``."""

    def factor_model(_years: float) -> FactorModel:
        return calibrate(desk)

    node = LargeNode(FACTOR_MODEL_NODE, factor_model, [desk.clock], policy=OnRead(), override=True)
    return desk.graph.register(node)


def calibrate(desk: DeskParts) -> FactorModel:
    """Calibrate a model of the risk factors of all positions, and of the share index, to one year of prices.

    The symbols of each feed are calibrated on their common dates. Two feeds, such as a panel of real shares and
    simulated rates, have no common dates, so their factors are uncorrelated.

    Raises
    ------
    FeedError
        The price history of a symbol could not be loaded.
    CalibrationError
        The history of a symbol is too short, or the symbols have too few common dates; the message says which.
    """
    load_past(desk)
    markets: dict[str, dict[str, str]] = {}
    for name, symbol in _wanted(desk).items():
        markets.setdefault(desk.listings[symbol].feed.name, {})[name] = symbol
    factor_models = []
    for wanted in markets.values():
        absolute = [name for name, symbol in wanted.items() if desk.listings[symbol].kind in ABSOLUTE]
        factor_models.append(calibrate_from_table(desk.past, wanted, absolute))
    return join_models(factor_models)


def load_past(desk: DeskParts, seconds: float | None = None) -> tuple[int, int]:
    """Load the price histories that the factor model needs; return how many symbols have one, and how many need one.

    Parameters
    ----------
    desk : DeskParts
        Desk with positions; the histories are loaded from its feeds into ``desk.past``.
    seconds : float, optional
        Time limit in seconds, after which loading stops; the next call continues. No limit by default.

    Raises
    ------
    FeedError
        A price history could not be loaded.
    """
    started, symbols = time.monotonic(), list(_wanted(desk).values())
    for symbol in symbols:
        if symbol not in desk.past or len(desk.past.query(symbol)) <= FEWEST:  # that of a replay grows
            desk.market.load_history(symbol, PERIOD, into=desk.past)
            if seconds is not None and time.monotonic() - started >= seconds:
                break
    return sum(symbol in desk.past for symbol in symbols), len(symbols)


def _wanted(desk: DeskParts) -> dict[str, str]:
    """Return the symbol of each factor that the model needs."""
    symbols = {desk.leaf(symbol).name: symbol for symbol in desk.listings}
    held = {factor.name for factor in plan_valuation([trader.book for trader in desk.traders]).factors}
    return {name: symbol for name, symbol in symbols.items() if name in held or name == INDEX_FACTOR}
