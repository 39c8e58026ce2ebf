"""A portfolio of shares and an option of one's own, read from a CSV file and valued in the market of the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import require_quotes
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.market_data.symbol_spec import SymbolKind
from bank_python.mc_engine import MCConfig
from bank_python.portfolio import load_portfolio

if TYPE_CHECKING:
    from bank_python.desk.showcase.stage import Stage

_TICKERS = 3
_QUANTITIES = (100, 250, -40)
_CONFIG = MCConfig(n_paths=20_000, random_seed=42, stresses=(), validate_greeks=False)


@scene("OWN PORTFOLIO")
def own_portfolio(stage: Stage) -> SceneResult:
    """Load positions from a CSV file, price them from their history, and compute VaR and stress tests."""
    desk = stage.desk
    require_quotes(desk)
    shares = [item.symbol for item in desk.listings.values() if item.kind is SymbolKind.EQUITY]
    tickers = [symbol for symbol in shares if desk.leaf(symbol).quoted][:_TICKERS]
    prices = {
        ticker: [(bar.date, bar.close) for bar in desk.market.load_history(ticker, "1y").bars] for ticker in tickers
    }
    path = stage.path.with_name("positions.csv")
    rows = [f"{ticker},{quantity}" for ticker, quantity in zip(tickers, _QUANTITIES, strict=False)]
    path.write_text("\n".join(["ticker,quantity", *rows]) + "\n", encoding="utf-8")
    held = load_portfolio(path, prices=prices)
    result = held.risk(_CONFIG)
    stresses = held.stress()
    facts = {
        "tickers": tickers,
        "value": held.value,
        "var_99": result.var_99,
        "es_99": result.cvar_99,
        "worst_stress": min(stresses, key=lambda each: each.pnl).key,
        "assumptions": list(held.assumptions),
    }
    summary = f"99 % one-day VaR {result.var_99:,.0f}, expected shortfall {result.cvar_99:,.0f} {held.currency}."
    return SceneResult(facts, [held, summary, stresses])
