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


@pytest.mark.slow
def test_calls_are_checked(tmp_path):
    page = tmp_path / "page.py"
    page.write_text(CALLS)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(page)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    errors = [line.split(": ", 2)[2] for line in output.splitlines() if line.startswith(str(page))]
    assert errors == [
        'Revealed type is "float"',
        'Revealed type is "bank_python.dagger.node.Node | float"',
        'Revealed type is "str"',
        'Argument "spot_source" to "Option" has incompatible type "str"; expected "Node | float"  [arg-type]',
        'Unexpected keyword argument "stike" for "Option"; did you mean "strike"?  [call-arg]',
        'Missing named argument "expiry" for "Option"  [call-arg]',
        'Argument "is_call" to "AmericanOption" has incompatible type "str"; expected "bool"  [arg-type]',
    ], output
