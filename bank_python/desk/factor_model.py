"""The desk's factor model: a node of the graph, calibrated from history when it is first read.

A desk quotes hundreds of symbols, and a history of each takes a while where it comes over a network. So nothing is
loaded before somebody asks for risk, and then only of what is held; and as the node depends on the clock, it is
calibrated anew when a day has passed.
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

__all__ = ["PERIOD", "calibrate", "load_past", "register_factor_model"]

PERIOD = "1y"
"""How far the past that risk is calibrated from goes back."""
_ABSOLUTE = frozenset({SymbolKind.RATE, SymbolKind.FUNDING})


def register_factor_model(desk: DeskParts) -> Node:
    """Register the node ``FACTOR_MODEL``."""

    def factor_model(_years: float) -> FactorModel:
        return calibrate(desk)

    node = LargeNode(FACTOR_MODEL_NODE, factor_model, [desk.clock], policy=OnRead(), override=True)
    return desk.graph.register(node)


def calibrate(desk: DeskParts) -> FactorModel:
    """Calibrate a factor model of what the traders hold, and of the share index, from a year of history.

    Each market is calibrated on its own days; between two of them, such as a panel of real shares and simulated rates,
    there are no common days, and no correlation.

    Raises
    ------
    FeedError
        A feed could not deliver the past of a symbol.
    CalibrationError
        A symbol's history is too short, or there are too few days that all symbols have; the message says which.
    """
    load_past(desk)
    markets: dict[str, dict[str, str]] = {}
    for name, symbol in _wanted(desk).items():
        markets.setdefault(desk.listings[symbol].feed.name, {})[name] = symbol
    factor_models = []
    for wanted in markets.values():
        absolute = [name for name, symbol in wanted.items() if desk.listings[symbol].kind in _ABSOLUTE]
        factor_models.append(calibrate_from_table(desk.past, wanted, absolute))
    return join_models(factor_models)


def load_past(desk: DeskParts, seconds: float | None = None) -> tuple[int, int]:
    """Load the history that the factor model needs and the desk has not; return how many symbols have one, and of how many.

    Parameters
    ----------
    desk : DeskParts
        Whose holdings, and whose market to load it from.
    seconds : float, optional
        Stop after about so long; the next call goes on.

    Raises
    ------
    FeedError
        A feed could not deliver.
    """
    started, symbols = time.monotonic(), list(_wanted(desk).values())
    for symbol in symbols:
        if symbol not in desk.past or len(desk.past.query(symbol)) <= FEWEST:  # a replay's past grows
            desk.market.load_history(symbol, PERIOD, into=desk.past)
            if seconds is not None and time.monotonic() - started >= seconds:
                break
    return sum(symbol in desk.past for symbol in symbols), len(symbols)


def _wanted(desk: DeskParts) -> dict[str, str]:
    """Return, by factor, the symbol whose past it is."""
    symbols = {desk.leaf(symbol).name: symbol for symbol in desk.listings}
    held = {factor.name for factor in plan_valuation([trader.book for trader in desk.traders]).factors}
    return {name: symbol for name, symbol in symbols.items() if name in held or name == INDEX_FACTOR}
