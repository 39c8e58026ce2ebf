"""The desk's law of risk factors: a node of the graph, calibrated from history when it is first read.

A desk quotes hundreds of symbols, and a history of each takes a while where it comes over a network. So nothing is
loaded before somebody asks for risk; and as the node rests on the clock, it is calibrated anew when a day has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.dagger import OnRead
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.mc_engine import FactorLaw, calibrate_from_table
from bank_python.mc_engine.engine import INDEX_FACTOR, LAW_NODE
from bank_python.risk.valuation import plan_valuation

if TYPE_CHECKING:
    from bank_python.dagger import DerivedNode
    from bank_python.desk.desk import Desk

__all__ = ["calibrate", "register_law"]

_PERIOD = "1y"
_ABSOLUTE = frozenset({SymbolKind.RATE, SymbolKind.FUNDING})


def register_law(desk: Desk) -> DerivedNode:
    """Register the node ``FACTOR_LAW``."""
    return desk.graph.derive(LAW_NODE, lambda _: calibrate(desk), [desk.clock], policy=OnRead(), override=True)


def calibrate(desk: Desk, period: str = _PERIOD) -> FactorLaw:
    """Calibrate a law of what the traders hold, and of the share index, from the history that the feeds give.

    Parameters
    ----------
    desk : Desk
        The desk.
    period : str, default "1y"
        How far back.

    Raises
    ------
    FeedError
        A feed could not deliver the past of a symbol.
    CalibrationError
        There are too few days that all symbols have.
    """
    symbols = {desk.leaf(symbol).name: symbol for symbol in desk.listings}
    held = {factor.name for factor in plan_valuation([trader.book for trader in desk.traders]).factors}
    wanted = {name: symbol for name, symbol in symbols.items() if name in held or name == INDEX_FACTOR}
    for symbol in wanted.values():
        if symbol not in desk.market.history:
            desk.market.load_history(symbol, period)
    absolute = [name for name, symbol in wanted.items() if desk.listings[symbol].kind in _ABSOLUTE]
    return calibrate_from_table(desk.market.history, wanted, absolute)
