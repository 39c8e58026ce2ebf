"""Contracts: each class has market inputs, terms and one pure array function that prices it."""

from bank_python.instruments.bond import Bond
from bank_python.instruments.book import Book, ProfitAndLoss
from bank_python.instruments.cds import CreditDefaultSwap
from bank_python.instruments.instrument import DatedInstrument, Instrument
from bank_python.instruments.option import Option
from bank_python.instruments.position import Position
from bank_python.instruments.power_law import PowerLawOption
from bank_python.instruments.spot import Equity, FXRate

__all__ = [
    "Bond",
    "Book",
    "CreditDefaultSwap",
    "DatedInstrument",
    "Equity",
    "FXRate",
    "Instrument",
    "Option",
    "Position",
    "PowerLawOption",
    "ProfitAndLoss",
]
