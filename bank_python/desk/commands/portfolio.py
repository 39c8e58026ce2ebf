"""``optimize`` and ``frontier``: optimal portfolios of shares at the desk's prices and histories."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bank_python.desk.assets import ASSETS, RATE, asset_data
from bank_python.desk.commands.result import CommandResult
from bank_python.desk.console import working
from bank_python.display import Record
from bank_python.errors import DeskError
from bank_python.instruments import is_spot
from bank_python.integrations import PyPortfolioOptimizer, RiskfolioOptimizer
from bank_python.mntable import Table
from bank_python.optimizer import EfficientFrontier, View, create_optimizer
from bank_python.optimizer.factory import kind_named
from bank_python.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.desk import Desk
    from bank_python.integrations import PeerOptimizer
    from bank_python.optimizer import CovarianceData, OptimalPortfolio

__all__ = ["BACKENDS", "Wanted", "optimal", "optimize", "trace_frontier", "universe"]

_NATIVE = "native"
BACKENDS: dict[str, type[PeerOptimizer]] = {"pypfopt": PyPortfolioOptimizer, "riskfolio": RiskfolioOptimizer}
"""Optimisers of other libraries by the name of the backend."""
_BUDGETS = "risk_budget"
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Wanted(Record):
    """A portfolio that is asked for.

    Parameters
    ----------
    method : str, default "max_sharpe"
        Name of the optimiser, as for :func:`~bank_python.optimizer.create_optimizer`; or ``"risk_budget"``, risk parity
        with `budgets`.
    backend : {"native", "pypfopt", "riskfolio"}, default "native"
        Library that computes it.
    weights : (float, float), optional
        Lower and upper bound of each weight, as decimals; by default those of the optimiser.
    budgets : sequence of str, optional
        Shares of the risk, each as ``"TLT=2"``; 1 for tickers that are not given.
    views : sequence of str, optional
        Views for Black–Litterman, each as ``"AAPL=0.15"``, or ``"XOM>JPM=0.04"`` for the first beating the second.
    """

    method: str = "max_sharpe"
    backend: str = _NATIVE
    weights: tuple[float, float] | None = None
    budgets: Sequence[str] = ()
    views: Sequence[str] = ()


def optimize(
    desk: Desk, wanted: Wanted, *, tickers: Sequence[str] | None = None, trader: str | None = None
) -> CommandResult:
    """Return the optimal portfolio of some shares.

    Parameters
    ----------
    desk : Desk
        Desk with prices and histories.
    wanted : Wanted
        Method, library and limits of the portfolio.
    tickers : sequence of str, optional
        Tickers of the assets; by default eight of several sectors.
    trader : str, optional
        Trader whose shares, funds and coins are the assets.

    Raises
    ------
    BankError
        A ticker is unknown or has no history, the method is unknown, or the library is not installed.
    """
    with working(f"Optimising ({wanted.method}) ..."):
        best = optimal(asset_data(desk, universe(desk, tickers, trader)), wanted)
    facts = {
        "method": best.method,
        "backend": wanted.backend,
        "weights": best.by_ticker(),
        "expected_return": best.expected_return,
        "volatility": best.volatility,
        "sharpe": best.sharpe,
        "risk_free_rate": best.risk_free_rate,
        "risk_shares": dict(zip(best.tickers, best.risk_shares.tolist(), strict=True)),
        "kkt_residual": best.certificate.kkt_residual,
        **best.figures,
    }
    return CommandResult(facts, [best], best)


def trace_frontier(
    desk: Desk, *, points: int = 30, tickers: Sequence[str] | None = None, trader: str | None = None
) -> CommandResult:
    """Return the efficient frontier of some shares, without short positions.

    Parameters
    ----------
    desk : Desk
        Desk with prices and histories.
    points : int, default 30
        Number of portfolios in the table and the JSON, at least 2.
    tickers, trader : optional
        Assets, as for :func:`optimize`.

    Raises
    ------
    BankError
        A ticker is unknown or has no history, or there are fewer than two points.
    """
    with working("Tracing the frontier ..."):
        frontier = EfficientFrontier(asset_data(desk, universe(desk, tickers, trader)), risk_free_rate=RATE)
        line = frontier.points(points)
    figures = zip(line.expected_returns.tolist(), line.volatilities.tolist(), line.sharpes.tolist(), strict=True)
    rows = [
        {"expected_return": back, "volatility": risk, "sharpe": sharpe, **dict(zip(line.tickers, held, strict=True))}
        for (back, risk, sharpe), held in zip(figures, line.weights.tolist(), strict=True)
    ]
    best, least = frontier.max_sharpe(), frontier.min_variance()
    facts = {
        "tickers": line.tickers,
        "risk_free_rate": RATE,
        "points": rows,
        "max_sharpe": {"sharpe": best.sharpe, "weights": best.by_ticker()},
        "min_volatility": {"volatility": least.volatility, "weights": least.by_ticker()},
        "turning_points": len(frontier.turning_points),
    }
    return CommandResult(facts, [frontier], Table.from_rows([(name, float | None) for name in rows[0]], rows))


def universe(desk: Desk, tickers: Sequence[str] | None, trader: str | None) -> tuple[str, ...]:
    """Return the tickers that are meant: the given ones, those that a trader holds, or eight of several sectors.

    Parameters
    ----------
    desk : Desk
        Desk that quotes them.
    tickers : sequence of str or None
        Tickers of the assets, if they are given.
    trader : str or None
        Name of a trader.

    Raises
    ------
    DeskError
        Fewer than two are left, or there is no such trader.
    UnknownTickerError
        The desk does not quote one.
    """
    if tickers:
        for ticker in tickers:
            desk.leaf(ticker)
        chosen: tuple[str, ...] = tuple(dict.fromkeys(tickers))
    elif trader is not None:
        held = [position.instrument for position in desk.traders[trader].positions if position.quantity]
        chosen = tuple(contract.name for contract in held if is_spot(contract))
    else:
        chosen = tuple(ticker for ticker in ASSETS if ticker in desk.listings)
    if len(chosen) < _FEWEST:
        whose = f"{trader} holds" if trader is not None and not tickers else "there are"
        raise DeskError(
            f"{whose} {len(chosen)} shares, funds or coins ({', '.join(chosen) or 'none'}); a portfolio needs at least "
            f"{_FEWEST}: give them with --tickers AAPL,KO,TLT",
            value=chosen,
        )
    return chosen


def optimal(data: CovarianceData, wanted: Wanted) -> OptimalPortfolio:
    """Return the optimal portfolio of some assets.

    Parameters
    ----------
    data : CovarianceData
        Covariance and expected returns of the assets.
    wanted : Wanted
        Method, library and limits of the portfolio.

    Raises
    ------
    DeskError
        There is no such backend, or a view or a budget cannot be read.
    BankError
        The method is unknown, or its library is not installed or has no such method.
    """
    kind = "risk_parity" if wanted.method.lower().replace("-", "_") == _BUDGETS else kind_named(wanted.method)
    params: dict[str, Any] = {"risk_free_rate": RATE}
    if wanted.weights is not None:
        params["bounds"] = wanted.weights
    if wanted.budgets:
        params["budgets"] = dict.fromkeys(data.tickers, 1.0) | dict(
            _numbered(item, "--budget") for item in wanted.budgets
        )
    if kind == "black_litterman":
        params["views"] = [_view(item) for item in wanted.views]
    if wanted.backend == _NATIVE:
        return create_optimizer(kind, data, **params).optimize()
    if wanted.backend not in BACKENDS:
        hint = did_you_mean(wanted.backend, BACKENDS, f"choose one of {', '.join((_NATIVE, *BACKENDS))}")
        raise DeskError(f"there is no backend {wanted.backend!r}; {hint}", value=wanted.backend)
    return BACKENDS[wanted.backend](kind, data, **params).optimize()


def _view(said: str) -> View:
    name, back = _numbered(said, "--view")
    better, _, worse = name.partition(">")
    return View({better: 1.0} | ({worse: -1.0} if worse else {}), back)


def _numbered(said: str, option: str) -> tuple[str, float]:
    name, equals, figure = (part.strip() for part in said.partition("="))
    if not (name and equals and re.fullmatch(r"[-+.\deE]+", figure)):
        raise _not_numbered(said, option)
    try:
        return name, float(figure)
    except ValueError as error:  # such as 1e
        raise _not_numbered(said, option) from error


def _not_numbered(said: str, option: str) -> DeskError:
    return DeskError(f"{option} {said!r} is not of the form TICKER=NUMBER, such as AAPL=0.15", value=said)
