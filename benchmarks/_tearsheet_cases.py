"""Tearsheets beside quantstats: ten years of days with a benchmark, the figures and the HTML page.

Both sides get what they are made for, as series of pandas made before the clock: ours levels, quantstats returns. It
first checks that the figures agree whose definitions do, with quantstats and with empyrical-reloaded.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import empyrical
import numpy as np
import pandas as pd
import quantstats
from _timing import cpu

from bank_python.backtester import Tearsheet, make_tearsheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Report

__all__ = ["figures", "page"]

OURS = "bank_python"
N_DAYS = 2_516
RATE = 0.02
TARGET = "≥ 15"


def levels() -> tuple[pd.Series, pd.Series]:
    """Return the levels of a strategy and of its benchmark."""
    rng = np.random.default_rng(1)
    dates = pd.DatetimeIndex(np.busday_offset("2016-01-04", np.arange(N_DAYS)))
    index = 0.0003 + 0.01 * rng.standard_normal(N_DAYS)
    ours = 0.0002 + 0.6 * index + 0.005 * rng.standard_normal(N_DAYS)
    return tuple(pd.Series(100.0 * np.cumprod(1.0 + r), index=dates) for r in (ours, index))  # type: ignore[return-value]


def agreement(sheet: Tearsheet, ours: pd.Series, index: pd.Series) -> str:
    """Return the largest relative difference of figures with the same definition; end the program if it is large."""
    stats, daily = quantstats.stats, RATE / 252.0
    theirs = {
        "sharpe": (empyrical.sharpe_ratio(ours, risk_free=daily),),  # quantstats takes the rate of a day by compounding
        "annualized_vol": (stats.volatility(ours), empyrical.annual_volatility(ours)),
        "cagr": (empyrical.annual_return(ours),),
        "calmar": (empyrical.calmar_ratio(ours),),
        "sortino": (empyrical.sortino_ratio(ours, required_return=daily),),
        "omega": (empyrical.omega_ratio(ours, risk_free=daily),),
        "max_dd": (stats.max_drawdown(ours), empyrical.max_drawdown(ours)),
        "profit_factor": (stats.profit_factor(ours),),
        "tail_ratio": (stats.tail_ratio(ours), empyrical.tail_ratio(ours)),
        "var_95": (-empyrical.value_at_risk(ours, 0.05),),
        "cvar_95": (-empyrical.conditional_value_at_risk(ours, 0.05),),
        "beta": (stats.greeks(ours, index)["beta"], empyrical.beta(ours, index)),
        "total_return": (stats.comp(ours), empyrical.cum_returns_final(ours)),
        "best_month": (stats.best(ours, aggregate="ME"),),
    }
    gaps = {name: max(abs(sheet[name] / float(other) - 1.0) for other in others) for name, others in theirs.items()}
    # The tail of empyrical's shortfall ends at the next observation; ours holds all beyond the interpolated quantile.
    wide = {name: gap for name, gap in gaps.items() if not gap <= (0.01 if name == "cvar_95" else 1e-6)}
    if wide:
        sys.exit(f"figures differ: {wide}")
    largest = max(gap for name, gap in gaps.items() if name != "cvar_95")
    return f"{len(gaps)} figures agree, largest difference {largest:.0e}"


def timed(report: Report, title: str, calls: dict[str, Callable[[], object]], rounds: int, note: str) -> None:
    """Time both sides and keep their ratio."""
    medians = {name: 1e6 * seconds for name, seconds in cpu(calls, rounds).items()}
    report.case(f"{title}, CPU µs", medians, note)
    report.ratio(f"{title}: quantstats / {OURS}", medians["quantstats"] / medians[OURS], TARGET)


def figures(report: Report, rounds: int) -> None:
    """Time all figures."""
    ours, index = levels()
    r, b = ours.pct_change().dropna(), index.pct_change().dropna()
    sheet = make_tearsheet(ours, benchmark=index, risk_free_rate=RATE)
    calls = {
        OURS: lambda: make_tearsheet(ours, benchmark=index, risk_free_rate=RATE),
        "quantstats": lambda: quantstats.reports.metrics(r, b, rf=RATE, mode="full", display=False),
    }
    timed(report, f"figures of {N_DAYS:,} days with a benchmark", calls, rounds, agreement(sheet, r, b))


def page(report: Report, rounds: int) -> None:
    """Time the HTML page, figures included."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # that a font is not there
    ours, index = levels()
    r, b = ours.pct_change().dropna(), index.pct_change().dropna()
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "ours.html", Path(folder) / "theirs.html"
        calls = {
            OURS: lambda: make_tearsheet(ours, benchmark=index, risk_free_rate=RATE).to_html(first),
            "quantstats": lambda: quantstats.reports.html(r, b, rf=RATE, output=str(second)),
        }
        for call in calls.values():
            call()
        note = f"{first.stat().st_size:,} bytes and {second.stat().st_size:,}"
        timed(report, f"page of {N_DAYS:,} days with a benchmark", calls, rounds, note)
