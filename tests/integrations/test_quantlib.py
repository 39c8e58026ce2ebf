"""QuantLib's figures agree with ours; without QuantLib an error says how to install it."""

from __future__ import annotations

import datetime as dt
import io
import sys

import pytest
from rich.console import Console

from bank_python.errors import MissingExtraError
from bank_python.integrations import Comparison, Figure, QuantLibPricing


@pytest.fixture
def pricing():
    return QuantLibPricing(dt.date(2025, 1, 15))


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize(("strike", "days", "dividend"), [(80.0, 30, 0.0), (105.0, 180, 0.02), (150.0, 900, -0.01)])
def test_options(pricing, strike, days, dividend, is_call):
    compared = pricing.option(100.0, strike, days, 0.03, 0.25, dividend, is_call)
    assert [figure.name for figure in compared.figures] == ["price", "delta", "gamma", "vega", "theta", "rho"]
    assert compared.largest_difference < 1e-11, compared


@pytest.mark.parametrize(("strike", "days", "dividend"), [(80.0, 30, 0.0), (105.0, 180, 0.02), (150.0, 900, -0.01)])
def test_digitals_and_barriers(pricing, strike, days, dividend):
    for compared in (
        pricing.digital(100.0, strike, days, 0.03, 0.25, dividend),
        pricing.barrier(100.0, strike, 85.0, days, 0.03, 0.25, dividend),
    ):
        assert [figure.name for figure in compared.figures] == ["price"]
        assert compared.largest_difference < 1e-11, compared


@pytest.mark.parametrize("frequency", [1, 2, 4, 12])
@pytest.mark.parametrize(("rate", "coupon", "years"), [(0.05, 0.06, 5), (-0.005, 0.0, 10), (0.12, 0.03, 30)])
def test_bonds(pricing, rate, coupon, years, frequency):
    compared = pricing.bond(rate, coupon, years, frequency)
    assert compared.largest_difference < 1e-11, compared


@pytest.mark.parametrize(("spread", "coupon", "recovery"), [(0.005, 0.01, 0.4), (0.08, 0.05, 0.25)])
def test_swaps(pricing, spread, coupon, recovery):
    compared = pricing.cds(spread, 0.035, dt.date(2030, 3, 20), coupon, recovery)
    assert compared.largest_difference < 1e-11, compared
    par = next(figure for figure in compared.figures if figure.name == "par_spread")
    assert par.ours == pytest.approx(spread, rel=1e-11)


def test_what_is_shown(pricing):
    option, digital, barrier, bond, swap = pricing.compare()
    assert option.library == f"QuantLib {pricing.version}"
    assert min(option.ours_seconds, option.batch_seconds, option.theirs_seconds) > 0.0
    assert swap.batch_seconds is None
    rows = list(bond.to_table())
    assert {row["figure"] for row in rows} == {"clean", "dirty", "macaulay", "modified", "convexity"}
    assert rows[0]["difference"] == rows[0]["ours"] - rows[0]["theirs"]
    console = Console(width=110, file=io.StringIO())
    for compared in (option, digital, barrier, bond, swap):
        console.print(compared)
    shown = console.file.getvalue()
    for word in (
        "European call",
        "Digital call",
        "Down-and-out call",
        "Bond, 4.25 %",
        "Credit default swap until",
        "in a batch",
        "par spread",
    ):
        assert word in shown, word


def test_the_largest_difference_is_relative_to_large_figures():
    figures = (Figure("a", 1e6 + 1.0, 1e6), Figure("b", 0.5, 0.4999))
    assert Comparison("x", "y", figures, 1.0, 1.0, 1.0).largest_difference == pytest.approx(1e-4)


def test_without_quantlib_there_is_a_hint(monkeypatch):
    monkeypatch.setitem(sys.modules, "QuantLib", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[compare\]'") as caught:
        QuantLibPricing()
    assert caught.value.extra == "compare"
