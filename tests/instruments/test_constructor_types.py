"""Generated constructors as type checkers see them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLS = """
import datetime as dt
from bank_python.instruments import AmericanOption, Bond, DigitalOption, FXRate, InterestRateSwap, Option, Position

option = Option("C", spot_source=1.0, vol_source=0.2, rate_source=0.0, strike=1.0, expiry=dt.date(2030, 1, 1))
DigitalOption("D", spot_source=option, vol_source=0.2, rate_source=0.0, strike=1, expiry=1.0, pays_asset=True)
Bond("B", rate_source=0.0, face=100, coupon_rate=0.0, maturity=5, compounding=None)
Position("P", instrument=option, quantity=1, cost=None)
InterestRateSwap("S", rate_source=0.0, notional=1.0, fixed_rate=0.0, maturity=1, pay_fixed=False)
FXRate("EURUSD", rate_source=1.1, base="EUR", quote="USD")
reveal_type(option.strike)
reveal_type(option.spot)
reveal_type(option.currency)
Option("C", spot_source="x", vol_source=0.2, rate_source=0.0, strike=1.0, expiry=1.0)
Option("C", spot_source=1.0, vol_source=0.2, rate_source=0.0, stike=1.0, expiry=1.0)
Option("C", spot_source=1.0, vol_source=0.2, rate_source=0.0, strike=1.0)
AmericanOption("C", spot_source=1.0, vol_source=0.2, rate_source=0.0, strike=1.0, expiry=1.0, is_call="put")
"""
VALUES = """
from bank_python.dagger import SumNode
from bank_python.instruments import Bond, Book, CreditCurve, DiscountCurve, Equity, Option, Position, ProfitAndLoss
from bank_python.instruments import CreditDefaultSwap, FXRate, LookupNode, VolSurface
from bank_python.market_data import Clock, MarketData

def total(
    bond: Bond, share: Equity, option: Option, swap: CreditDefaultSwap, fx: FXRate, held: Position, book: Book,
    pnl: ProfitAndLoss, sum_: SumNode, leaf: MarketData, clock: Clock, number: LookupNode,
) -> float:
    values: list[float] = [
        bond.value, share.value, option.value, swap.value, fx.value, held.value, book.value, pnl.value, sum_.value,
        leaf.value, clock.value, number.value,
    ]
    return sum(values)

def term_structures(curve: DiscountCurve, credit: CreditCurve, surface: VolSurface) -> None:
    reveal_type(curve.value)
    reveal_type(credit.value)
    reveal_type(surface.value)
    reveal_type(surface.vol(100.0, "3M"))
    curve.discount("5Y"), curve.zero([1.0, 2.0]), curve.forward("1Y", "2030-01-01"), credit.survival(5)
"""


def checked(tmp_path, text):
    """Return what mypy says of a page."""
    page = tmp_path / "page.py"
    page.write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(page)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [line.split(": ", 2)[2] for line in output.splitlines() if line.startswith(str(page))]


@pytest.mark.slow
def test_values_have_their_types(tmp_path):
    assert checked(tmp_path, VALUES) == [
        'Revealed type is "bank_python.risk_models.curve.Curve"',
        'Revealed type is "bank_python.risk_models.survival.SurvivalCurve"',
        'Revealed type is "bank_python.risk_models.surface.Surface"',
        'Revealed type is "float"',
    ]


@pytest.mark.slow
def test_calls_are_checked(tmp_path):
    assert checked(tmp_path, CALLS) == [
        'Revealed type is "float"',
        'Revealed type is "bank_python.dagger.node.Node | float"',
        'Revealed type is "str"',
        'Argument "spot_source" to "Option" has incompatible type "str"; expected "Node | float"  [arg-type]',
        'Unexpected keyword argument "stike" for "Option"; did you mean "strike"?  [call-arg]',
        'Missing named argument "expiry" for "Option"  [call-arg]',
        'Argument "is_call" to "AmericanOption" has incompatible type "str"; expected "bool"  [arg-type]',
    ]
