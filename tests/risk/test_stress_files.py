"""Stress scenarios from TOML files: parsing, errors that name the entry, and revaluation."""

import pytest

from bank_python.errors import RiskError
from bank_python.instruments import Book, Equity, Position
from bank_python.market_data import MarketData
from bank_python.risk import Driver, Shift, Shock, load_scenarios, parse_scenarios, plan_valuation, run_stresses

GOOD = """
[scenarios.embargo]
title = "Oil embargo"
source = "the desk"

[scenarios.embargo.drivers]
equity = { relative = -0.25 }
rate_10y = { absolute = 0.01 }
volatility = { level = 0.45 }

[scenarios.embargo.factors]
XOM_SPOT = { relative = 0.2 }

[scenarios.dip]
drivers.equity = { relative = -0.05 }
"""


def book():
    held = [
        Position(name, instrument=Equity(name, spot_source=MarketData(f"{name}_SPOT", 100.0)), quantity=10, cost=100.0)
        for name in ("XOM", "KO")
    ]
    return Book("ANN", held)


def test_a_file_is_read(tmp_path):
    path = tmp_path / "scenarios.toml"
    path.write_text(GOOD, encoding="utf-8")
    found = load_scenarios(path)
    assert list(found) == ["embargo", "dip"]
    embargo = found["embargo"]
    assert (embargo.key, embargo.title, embargo.source) == ("embargo", "Oil embargo", "the desk")
    assert embargo.shocks == {
        Driver.EQUITY: Shock(-0.25),
        Driver.RATE_10Y: Shock(0.01, Shift.ABSOLUTE),
        Driver.VOLATILITY: Shock(0.45, Shift.LEVEL),
    }
    assert embargo.factors == {"XOM_SPOT": Shock(0.2)}
    assert found["dip"].title == "dip"


def test_a_scenario_from_a_file_is_revalued():
    [result] = run_stresses(plan_valuation([book()]), [parse_scenarios(GOOD)["embargo"]])
    assert result.pnl == pytest.approx(10 * 100.0 * 0.2 - 10 * 100.0 * 0.25)
    assert (result.exact, result.mapped, result.missing) == (1, 1, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[scenarios", "is not TOML"),
        ("", r"one table \[scenarios\.KEY\]"),
        ("[other]\nx = 1", r"one table \[scenarios\.KEY\]"),
        ("scenarios = 3", r"one table \[scenarios\.KEY\]"),
        ("[scenarios.x]\ntitle = 'nothing'", "x: needs drivers or factors"),
        ("[scenarios.x]\ndrivers.equity = { relative = -0.1 }\nhue = 1", "x: needs drivers or factors"),
        ("[scenarios.x]\ndrivers = 3", "x: drivers is 3"),
        ("[scenarios.x]\ndrivers.shares = { relative = -0.1 }", "x: no driver 'shares'; choose one of equity"),
        ("[scenarios.x]\ndrivers.equity = -0.1", "x: equity is -0.1; give one of"),
        ("[scenarios.x]\ndrivers.equity = { relative = '1' }", "x: equity is"),
        ("[scenarios.x]\ndrivers.equity = { relative = true }", "x: equity is"),
        ("[scenarios.x]\ndrivers.equity = { relative = -0.1, absolute = 1 }", "x: equity is"),
        ("[scenarios.x]\ndrivers.equity = { relative = -1.0 }", "x: equity: a relative shock of -1.0"),
        ("[scenarios.x]\nfactors.KO_SPOT = { relative = nan }", "x: KO_SPOT: a relative shock of nan"),
    ],
)
def test_an_invalid_file_is_refused_and_the_entry_named(text, said):
    with pytest.raises(RiskError, match=said):
        parse_scenarios(text, "scenarios.toml")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RiskError, match="give a readable TOML file"):
        load_scenarios(tmp_path / "none.toml")
