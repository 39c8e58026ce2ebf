"""Contracts: each class has market inputs, terms and one pure array function that prices it."""

from bank_python.completion import public_names
from bank_python.deprecation import old_names
from bank_python.instruments.american import AmericanOption
from bank_python.instruments.barrier import BarrierOption
from bank_python.instruments.bond import Bond
from bank_python.instruments.book import Book, ProfitAndLoss
from bank_python.instruments.cds import CreditDefaultSwap
from bank_python.instruments.contract_greeks import ContractGreeks
from bank_python.instruments.credit_curve import CreditCurve
from bank_python.instruments.declarations import Argument, Expiry, InferredLabel, Label
from bank_python.instruments.digital import DigitalOption
from bank_python.instruments.discount_curve import DiscountCurve
from bank_python.instruments.factor import Factor
from bank_python.instruments.floating_bond import FloatingBond
from bank_python.instruments.forward_option import ForwardOption
from bank_python.instruments.fx import FXForward, FXOption
from bank_python.instruments.instrument import DatedInstrument, Instrument, Lognormal, is_spot, quote_of
from bank_python.instruments.lookup import Lookup, LookupNode, TermStructureNode, look_up, lookup_function
from bank_python.instruments.option import Option
from bank_python.instruments.perpetual import PerpetualFuture
from bank_python.instruments.position import Position
from bank_python.instruments.power_law import PowerLawOption
from bank_python.instruments.spot import Equity, FXRate
from bank_python.instruments.swap import InterestRateSwap
from bank_python.instruments.vol_surface import VolSurface

__all__ = [
    "AmericanOption",
    "Argument",
    "BarrierOption",
    "Bond",
    "Book",
    "ContractGreeks",
    "CreditCurve",
    "CreditDefaultSwap",
    "DatedInstrument",
    "DigitalOption",
    "DiscountCurve",
    "Equity",
    "Expiry",
    "FXForward",
    "FXOption",
    "FXRate",
    "Factor",
    "FloatingBond",
    "ForwardOption",
    "InferredLabel",
    "Instrument",
    "InterestRateSwap",
    "Label",
    "Lognormal",
    "Lookup",
    "LookupNode",
    "Option",
    "PerpetualFuture",
    "Position",
    "PowerLawOption",
    "ProfitAndLoss",
    "TermStructureNode",
    "VolSurface",
    "is_spot",
    "look_up",
    "lookup_function",
    "quote_of",
]

__dir__ = public_names(__name__)

__getattr__ = old_names(
    __name__,
    {"Answer": "LookupNode", "FunctionNode": "TermStructureNode", "ask": "look_up", "question": "lookup_function"},
)
