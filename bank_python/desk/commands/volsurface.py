"""``volsurface``: implied volatilities of a ticker by strike and expiry, quoted and by a model.

The desk's markets quote one volatility for each ticker, at which its options are valued whatever their strike and
expiry. A smile is therefore either a model's, here that of Heston at the desk's parameters of stochastic variance, or
fitted to quotes of one's own, each expiry by an SVI smile.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.views import surface_grid_view
from bank_python.errors import DeskError
from bank_python.instruments import VolSurface
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.market_data.unknown_ticker import unknown_ticker
from bank_python.mc_engine import VarianceTerms
from bank_python.mntable import Table
from bank_python.risk_models import HestonProcess, implied_vol

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.numerics import FloatArray

__all__ = ["fitted_surface", "model_surface"]

_SUFFIX = "_VOL"
_RATE = "SOFR"
_MONEYNESS = (0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2)
_EXPIRIES = {"1M": 1.0 / 12.0, "3M": 0.25, "6M": 0.5, "1Y": 1.0, "2Y": 2.0}
_SCHEMA = [("expiry", float), ("strike", float), ("vol", float), ("origin", str)]


def model_surface(desk: Desk, ticker: str) -> CommandResult:
    """Return the quoted volatility of a ticker, and the surface of Heston's model through it.

    Parameters
    ----------
    desk : Desk
        Desk with the quotes.
    ticker : str
        Ticker of a share, fund or coin with a quoted volatility.

    Raises
    ------
    UnknownTickerError
        The desk quotes no volatility of that ticker.
    DeskError
        Spot, volatility or interest rate has no quote yet.
    """
    name = _checked(desk, ticker)
    spot, vol, rate = (_quote(desk, symbol) for symbol in (name, name + _SUFFIX, _RATE))
    terms = VarianceTerms()
    process = HestonProcess(v0=vol**2, theta=vol**2, kappa=terms.kappa, sigma=terms.vol_of_vol * vol, rho=terms.rho)
    strikes = spot * np.array(_MONEYNESS)
    grid = {label: _implied(process, spot, strikes, years, rate) for label, years in _EXPIRIES.items()}
    rows = _rows(strikes, {_EXPIRIES[label]: vols for label, vols in grid.items()}, "heston")
    model = {"kappa": process.kappa, "theta": process.theta, "sigma": process.sigma, "rho": process.rho}
    facts = {"ticker": name, "spot": spot, "rate": rate, "quoted_vol": vol, "model": {"name": "heston", **model}}
    source = desk.listings[name + _SUFFIX].feed.name
    views = [
        (
            f"Quoted ({source}): spot {spot:,.6g}, one volatility {vol:.1%} for all strikes and expiries. The desk "
            f"values its options on {name} at it."
        ),
        surface_grid_view(
            f"Model, not quotes: {name} implied volatility in Heston's model", _labels(strikes, spot), grid
        ),
        (
            f"Parameters: variance {vol:.1%}² now and in the long run, reversion {process.kappa:g} a year, volatility "
            f"of variance {process.sigma:.3g}, correlation with the spot {process.rho:g}: assumptions of the desk's "
            "simulations, not fitted to quotes. --quotes FILE fits quotes of your own."
        ),
    ]
    return CommandResult({**facts, "surface": rows}, views, Table.from_rows(_SCHEMA, rows))


def fitted_surface(desk: Desk, ticker: str, quotes: str) -> CommandResult:
    """Fit SVI smiles to quotes of a CSV file, and return the surface and the quality of the fits.

    Parameters
    ----------
    desk : Desk
        Desk with the quotes of spot and interest rate.
    ticker : str
        Ticker of a share, fund or coin of the desk.
    quotes : str
        CSV file with the columns ``strike``, ``expiry`` (years) and ``vol`` (a decimal), at least five rows an expiry.

    Raises
    ------
    BankError
        The ticker is unknown, the file cannot be read, or its quotes cannot be fitted.
    """
    name = _checked(desk, ticker, quoted=False)
    spot, rate = _quote(desk, name), _quote(desk, _RATE)
    table = Table.from_csv(quotes, [("strike", float), ("expiry", float), ("vol", float)])
    surface = VolSurface.from_table(f"{name}_SURFACE", table, spot_source=spot, rate_source=rate)
    expiries = sorted({row["expiry"] for row in table})
    strikes = np.array(sorted({row["strike"] for row in table}))
    grid = {f"{years:g}Y": np.array([surface.vol(strike, years) for strike in strikes]) for years in expiries}
    rows = _rows(strikes, dict(zip(expiries, grid.values(), strict=True)), "svi")
    fits = surface.to_table()
    facts = {"ticker": name, "spot": spot, "rate": rate, "quotes": len(table), "fits": list(fits), "surface": rows}
    views = [
        f"Quoted: {len(table)} volatilities of {quotes}, with spot {spot:,.4g} of the desk.",
        surface_grid_view(f"Fitted: {name} implied volatility by SVI smiles", _labels(strikes, spot), grid),
        fits.project("expiry", "forward", "atm_vol", "rho", "rms_error", "minimum_g"),
    ]
    return CommandResult({**facts, "arbitrage_free": surface.arbitrage().free}, views, Table.from_rows(_SCHEMA, rows))


def _checked(desk: Desk, ticker: str, *, quoted: bool = True) -> str:
    """Return the ticker in the desk's spelling."""
    kinds = {SymbolKind.EQUITY, SymbolKind.ETF, SymbolKind.CRYPTO}
    known = [item.symbol for item in desk.listings.values() if item.kind in kinds]
    if quoted:
        known = [symbol for symbol in known if symbol + _SUFFIX in desk.listings]
    name = ticker if ticker in known else ticker.upper()
    if name not in known:
        some = ", ".join(known[:8])
        raise unknown_ticker(
            ticker, known, "the list of quoted volatilities" if quoted else "the desk", f"choose one such as {some}"
        )
    return name


def _quote(desk: Desk, symbol: str) -> float:
    leaf = desk.leaf(symbol)
    if not leaf.quoted:
        raise DeskError(f"{symbol} has no quote yet; wait for one, or poll the market with --ticks 1", name=symbol)
    return float(leaf.value)


def _implied(process: HestonProcess, spot: float, strikes: FloatArray, years: float, rate: float) -> FloatArray:
    """Return implied volatilities, each from the option that is out of the money, whose price has most digits."""
    is_call = strikes >= spot * math.exp(rate * years)
    prices = process.price(spot, strikes, years, rate, 0.0, is_call)
    return np.asarray(implied_vol(prices, spot, strikes, years, rate, 0.0, is_call), dtype=float)


def _labels(strikes: FloatArray, spot: float) -> list[tuple[float, float]]:
    return [(float(strike), float(strike) / spot) for strike in strikes]


def _rows(strikes: FloatArray, grid: dict[float, FloatArray], origin: str) -> list[dict[str, Any]]:
    return [
        {"expiry": years, "strike": strike, "vol": vol, "origin": origin}
        for years, vols in grid.items()
        for strike, vol in zip(strikes.tolist(), vols.tolist(), strict=True)
    ]
