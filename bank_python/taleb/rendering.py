"""Results of the framework printed on a console, one function a page.

Every result shows itself, so ``console.print(result)`` does the same; these are the names that users of other versions
of the framework know.

Examples
--------
>>> from rich.console import Console
>>> from bank_python.taleb import PowerLawPricer
>>> pricer = PowerLawPricer(spot=100, anchor_strike=105, anchor_price=3.50, alpha=2.5)
>>> console = Console(width=60, record=True, quiet=True)
>>> render_power_law_pricing(pricer.price_range([105, 110]), console)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.optimizer import OptimalPortfolio
    from bank_python.taleb.correlation_fragility import CorrelationFragility
    from bank_python.taleb.hedge_errors import HedgeErrors
    from bank_python.taleb.power_law_prices import PowerLawPrices
    from bank_python.taleb.tail_report import TailReport

__all__ = [
    "render_barbell_portfolio",
    "render_correlation_fragility",
    "render_hedging_errors",
    "render_power_law_pricing",
    "render_tail_diagnostics",
]


class Printer(Protocol):
    """What a page is printed on: a console of Rich."""

    def print(self, *objects: object) -> None:
        """Print objects."""
        ...


def render_tail_diagnostics(result: TailReport, console: Printer) -> None:
    """Print the diagnostics of tails.

    Parameters
    ----------
    result : TailReport
        Result to print.
    console : rich.console.Console
        Console to print on.
    """
    console.print(result)


def render_power_law_pricing(result: PowerLawPrices, console: Printer) -> None:
    """Print the prices of options in the tail.

    Parameters
    ----------
    result : PowerLawPrices
        Result to print.
    console : rich.console.Console
        Console to print on.
    """
    console.print(result)


def render_hedging_errors(result: HedgeErrors | Sequence[HedgeErrors], console: Printer) -> None:
    """Print the errors of one law or of several.

    Parameters
    ----------
    result : HedgeErrors or sequence of them
        Result to print.
    console : rich.console.Console
        Console to print on.
    """
    console.print(result)


def render_barbell_portfolio(result: OptimalPortfolio, console: Printer) -> None:
    """Print the barbell portfolio.

    Parameters
    ----------
    result : OptimalPortfolio
        Result to print.
    console : rich.console.Console
        Console to print on.
    """
    console.print(result)


def render_correlation_fragility(result: CorrelationFragility, console: Printer) -> None:
    """Print the fragility of a portfolio to correlations.

    Parameters
    ----------
    result : CorrelationFragility
        Result to print.
    console : rich.console.Console
        Console to print on.
    """
    console.print(result)
