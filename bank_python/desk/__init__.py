"""A trading desk: traders described as data, connected to a graph, a store and a market."""

from bank_python.completion import public_names
from bank_python.desk.blotter import Blotter, Trade
from bank_python.desk.build import build_desk
from bank_python.desk.desk import Desk, DeskTick
from bank_python.desk.holdings import Bonds, Coins, Currency, Options, Protection, Shares
from bank_python.desk.risk import DeskRisk
from bank_python.desk.settings import DeskSettings, read_settings, unset_setting, write_setting
from bank_python.desk.strategies import standard_strategies, strategy_of
from bank_python.desk.trader import Trader, Traders
from bank_python.desk.traders import TRADERS, TraderSpec
from bank_python.desk.trading import DeskTrading, TraderSignals, TradingRound
from bank_python.desk.view import DeskView
from bank_python.desk.view_builder import build_view

__all__ = [
    "TRADERS",
    "Blotter",
    "Bonds",
    "Coins",
    "Currency",
    "Desk",
    "DeskRisk",
    "DeskSettings",
    "DeskTick",
    "DeskTrading",
    "DeskView",
    "Options",
    "Protection",
    "Shares",
    "Trade",
    "Trader",
    "TraderSignals",
    "TraderSpec",
    "Traders",
    "TradingRound",
    "build_desk",
    "build_view",
    "read_settings",
    "standard_strategies",
    "strategy_of",
    "unset_setting",
    "write_setting",
]

__dir__ = public_names(__name__)
