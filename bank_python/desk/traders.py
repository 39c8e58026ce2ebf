"""The fourteen built-in traders, as data: change this table to change their holdings."""

from __future__ import annotations

from dataclasses import dataclass

from bank_python.desk.holdings import Bonds, Coins, Currency, Holding, Options, Protection, Shares
from bank_python.display import Record
from bank_python.guessing import guessable

__all__ = ["TRADERS", "TraderSpec"]


@guessable
@dataclass(frozen=True, slots=True)
class TraderSpec(Record):
    """A trader as data: name, name and description of the strategy, and opening holdings."""

    name: str
    strategy: str
    focus: str
    holdings: tuple[Holding, ...]


TRADERS: tuple[TraderSpec, ...] = (
    TraderSpec(
        "Alice",
        "momentum",
        "Tech/semis trend following",
        (
            Shares("NVDA", 12_000),
            Shares("AVGO", 6_000),
            Shares("AMD", 7_500),
            Shares("MSFT", 2_500),
            Shares("TSM", 5_000),
            Shares("ASML", 900),
            Shares("INTC", -20_000),
        ),
    ),
    TraderSpec(
        "Bob",
        "vol_arb",
        "Short options premium, delta hedged",
        (
            Options("SPY", 1.02, 0.25, -150),
            Options("SPY", 0.97, 0.25, -150, is_call=False),
            Options("QQQ", 1.03, 0.25, -90),
            Options("AAPL", 1.05, 0.25, -200),
            Shares("SPY", 2_500),
            Shares("QQQ", 3_200),
            Shares("AAPL", 6_000),
        ),
    ),
    TraderSpec(
        "Charlie",
        "stat_arb",
        "Mean-reversion pairs (GOOGL/AMZN, JPM/GS)",
        (Shares("GOOGL", 9_000), Shares("AMZN", -7_600), Shares("JPM", 8_000), Shares("GS", -3_280)),
    ),
    TraderSpec(
        "Diana",
        "macro",
        "Rates, FX, broad indices",
        (
            Bonds("UST2Y_NOTE", 60_000),
            Bonds("UST10Y_NOTE", -25_000),
            Currency("EURUSD", -4_000_000),
            Currency("USDJPY", 3_000_000),
            Shares("SPY", -4_000),
            Shares("TLT", 15_000),
        ),
    ),
    TraderSpec(
        "Nero",
        "credit_arb",
        "CDS basis, HY exposure",
        (
            Protection("CDX_HY", 8),
            Protection("CDX_IG", -25),
            Protection("F_CDS", 10),
            Protection("GM_CDS", -10),
            Bonds("F_2031", 90_000),
            Shares("HYG", -20_000),
        ),
    ),
    TraderSpec(
        "Tony",
        "tech_momentum",
        "Heavy conviction longs",
        (
            Shares("NVDA", 30_000),
            Shares("META", 8_000),
            Shares("TSLA", 9_000),
            Shares("PLTR", 25_000),
            Options("NVDA", 1.10, 0.5, 300),
        ),
    ),
    TraderSpec(
        "Vivian",
        "gamma_scalp",
        "Long straddles, delta hedged",
        (
            Options("NVDA", 1.00, 0.125, 180),
            Options("NVDA", 1.00, 0.125, 180, is_call=False),
            Options("TSLA", 1.00, 0.125, 90),
            Options("TSLA", 1.00, 0.125, 90, is_call=False),
            Options("AMD", 1.00, 0.125, 120),
            Options("AMD", 1.00, 0.125, 120, is_call=False),
            Shares("NVDA", -1_500),
            Shares("TSLA", -800),
            Shares("AMD", -1_000),
        ),
    ),
    TraderSpec(
        "Marcus",
        "pairs_trade",
        "Sector pairs (GOOGL/MSFT, XOM/CVX)",
        (Shares("GOOGL", 10_000), Shares("MSFT", -4_000), Shares("XOM", 14_000), Shares("CVX", -10_700)),
    ),
    TraderSpec(
        "Elena",
        "carry_trade",
        "FX carry, yield curve",
        (
            Currency("AUDUSD", 5_000_000),
            Currency("USDJPY", 6_000_000),
            Currency("USDCHF", 3_000_000),
            Currency("EURUSD", -2_000_000),
            Currency("USDCAD", -1_500_000),
            Bonds("UST10Y_NOTE", 30_000),
            Bonds("UST2Y_NOTE", -50_000),
        ),
    ),
    TraderSpec(
        "Raj",
        "contrarian",
        "Short momentum, long value",
        (
            Shares("NVDA", -6_000),
            Shares("PLTR", -15_000),
            Shares("PFE", 60_000),
            Shares("INTC", 40_000),
            Shares("VZ", 35_000),
            Shares("C", 20_000),
        ),
    ),
    TraderSpec(
        "Sophia",
        "index_arb",
        "Short ETFs vs long components",
        (
            Shares("XLK", -12_000),
            Shares("AAPL", 4_000),
            Shares("MSFT", 2_200),
            Shares("CRM", 1_800),
            Shares("XLF", -40_000),
            Shares("JPM", 3_000),
            Shares("BAC", 12_000),
            Shares("WFC", 8_000),
        ),
    ),
    TraderSpec(
        "Kenji",
        "vol_spread",
        "Long/short options across strikes",
        (
            Options("SPY", 1.00, 0.5, 120),
            Options("SPY", 1.05, 0.5, -240),
            Options("SPY", 1.10, 0.5, 120),
            Options("META", 0.95, 0.25, 60, is_call=False),
            Options("META", 0.85, 0.25, -120, is_call=False),
            Options("GOOGL", 1.05, 0.5, 150),
            Options("GOOGL", 1.15, 0.5, -150),
        ),
    ),
    TraderSpec(
        "Zara",
        "event_driven",
        "Catalyst bets (TSLA, META, COIN)",
        (
            Options("TSLA", 1.10, 0.08, 200),
            Options("META", 1.05, 0.08, 60),
            Options("COIN", 0.85, 0.08, 150, is_call=False),
            Shares("COIN", 5_000),
            Shares("META", 1_500),
        ),
    ),
    TraderSpec(
        "Oscar",
        "multi_asset",
        "Diversified across all classes",
        (
            Shares("SPY", 3_000),
            Shares("GLD", 6_000),
            Shares("KO", 15_000),
            Bonds("UST10Y_NOTE", 12_000),
            Currency("GBPUSD", 1_500_000),
            Protection("CDX_IG", 10),
            Options("SPY", 0.90, 0.5, 100, is_call=False),
            Coins("BTC", 12),
            Coins("ETH", 150),
        ),
    ),
)
