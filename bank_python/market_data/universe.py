"""The symbols of the simulated market, as data.

The tickers and sectors are those of real US listings. **The numbers are invented for simulation**: prices,
volatilities, spreads, rates and volumes are plausible in size, but are not quotes of any day, and no conclusions about
the named companies can be drawn from them.

Units: currency for shares, funds and coins; a decimal for rates (0.043), spreads (0.0055 is 55 bp), implied
volatilities (``AAPL_VOL``, 0.26) and funding (``BTC_FUNDING``, per eight hours); points for the index ``VIX``
(17.0), as it is published. An FX pair ``EURUSD`` is quoted in dollars per euro, ``USDJPY`` in yen per dollar.

To change the market, change the tables below, or pass a list of
:class:`~bank_python.market_data.symbol_spec.SymbolSpec` to
:class:`~bank_python.market_data.simulated.SimulatedFeed`.
"""

from __future__ import annotations

from bank_python.market_data.symbol_spec import SymbolKind, SymbolSpec

__all__ = ["OPTIONABLE", "REGIME_SYMBOL", "default_universe"]

REGIME_SYMBOL = "VIX"
"""The volatility index, whose ratio to its mean scales the volatility of shares, funds and coins."""

# Sector -> "TICKER price volatility" triples.
_EQUITIES = {
    "Technology": """
        AAPL 228 .27, MSFT 430 .24, CRM 285 .33, ORCL 165 .31, ADBE 495 .33, IBM 225 .22, CSCO 57 .21, ACN 350 .24,
        NOW 930 .34, INTU 640 .29, SNOW 155 .50, PANW 370 .36, CRWD 340 .45, FTNT 88 .38, WDAY 255 .34, DELL 125 .44,
        HPQ 35 .30, HPE 20 .34, SHOP 95 .50, PLTR 62 .58, NET 98 .52, DDOG 128 .45, TEAM 215 .43, ADSK 295 .30""",
    "Semiconductors": """
        NVDA 138 .48, AMD 142 .46, INTC 23 .42, AVGO 178 .40, QCOM 165 .35, MU 102 .46, TSM 195 .36, ASML 720 .37,
        AMAT 185 .40, LRCX 76 .42, KLAC 660 .38, TXN 198 .27, ADI 215 .28, MRVL 88 .50, NXPI 225 .34, ON 68 .46,
        MCHP 70 .38, ARM 140 .60""",
    "Communication": """
        GOOGL 172 .28, META 575 .35, NFLX 770 .35, DIS 102 .28, T 22.5 .21, VZ 41 .20, TMUS 235 .20, CMCSA 42 .25,
        WBD 9.2 .45, SPOT 400 .40, ROKU 72 .58, EA 152 .24, TTWO 178 .28, PINS 31 .46, SNAP 11 .60""",
    "Consumer Discretionary": """
        AMZN 202 .31, TSLA 262 .55, HD 400 .23, MCD 296 .18, NKE 77 .30, BBY 90 .36, LOW 268 .24, SBUX 98 .27,
        TJX 118 .19, BKNG 4700 .27, MAR 270 .26, HLT 245 .25, GM 53 .36, F 10.8 .36, ABNB 136 .39, UBER 72 .39,
        LULU 310 .38, CMG 60 .31, ROST 145 .24, EBAY 62 .28, YUM 135 .18""",
    "Consumer Staples": """
        PG 168 .16, KO 64 .15, PEP 166 .16, WMT 84 .19, COST 920 .21, PM 130 .19, MO 54 .18, MDLZ 66 .18, CL 96 .17,
        KMB 135 .18, GIS 66 .19, KR 58 .24, TGT 150 .33, STZ 240 .22, KHC 32 .21""",
    "Energy": """
        XOM 119 .23, CVX 156 .23, COP 108 .29, RRC 33 .42, SLB 43 .32, EOG 126 .28, OXY 51 .31, MPC 152 .31,
        PSX 128 .29, VLO 136 .33, HAL 29 .35, DVN 39 .34, KMI 26 .20, WMB 55 .21, BKR 41 .31""",
    "Financials": """
        JPM 238 .23, GS 580 .26, MS 130 .27, BAC 45 .26, C 69 .29, WFC 70 .29, COIN 250 .75, BLK 1000 .23, SCHW 78 .30,
        AXP 285 .26, V 305 .19, MA 520 .20, PYPL 84 .36, USB 50 .29, PNC 205 .28, TFC 46 .31, COF 180 .33, BK 78 .22,
        MET 83 .25, PRU 125 .25, AIG 76 .24, CB 285 .19, PGR 255 .23, SPGI 505 .20, ICE 158 .19, CME 228 .18""",
    "Health Care": """
        JNJ 158 .16, PFE 27 .25, UNH 590 .25, MRK 101 .21, LLY 820 .33, ABBV 190 .24, ABT 117 .20, TMO 550 .24,
        DHR 245 .25, BMY 55 .25, AMGN 315 .24, GILD 88 .23, CVS 58 .32, CI 330 .26, ISRG 520 .28, MDT 88 .20,
        SYK 375 .22, VRTX 490 .27, REGN 840 .26, MRNA 52 .58, HUM 270 .40, ZTS 178 .26, BSX 88 .20""",
    "Industrials": """
        BA 152 .36, CAT 385 .28, GE 178 .30, HON 222 .20, LMT 545 .20, RTX 121 .20, UNP 238 .21, UPS 134 .26,
        FDX 275 .31, DE 400 .26, NOC 520 .20, GD 298 .18, MMM 130 .27, EMR 122 .25, ETN 350 .30, ITW 268 .19,
        CSX 35 .22, NSC 262 .23, DAL 60 .38, UAL 88 .44, LUV 31 .36, WM 220 .17""",
    "Materials": """
        LIN 470 .19, APD 320 .24, SHW 375 .24, FCX 46 .38, NEM 45 .35, DOW 48 .26, DD 83 .25, NUE 148 .35, ECL 250 .20,
        PPG 124 .23""",
    "Real Estate": """
        PLD 118 .28, AMT 205 .26, EQIX 890 .26, SPG 172 .25, O 60 .20, PSA 335 .23, CCI 105 .27, WELL 132 .22""",
    "Utilities": """
        NEE 77 .26, DUK 114 .18, SO 89 .17, D 58 .21, AEP 97 .19, EXC 39 .20, XEL 66 .20, SRE 84 .21, CEG 240 .42""",
}

# ETF -> price, volatility, market loading, factor loading, factor.
_FUNDS = {
    "SPY": (585.0, 0.15, 0.97, 0.0, "ETF"),
    "QQQ": (500.0, 0.20, 0.88, 0.38, "Technology"),
    "IWM": (232.0, 0.22, 0.86, 0.0, "ETF"),
    "XLK": (228.0, 0.22, 0.82, 0.50, "Technology"),
    "XLF": (48.0, 0.18, 0.80, 0.50, "Financials"),
    "XLE": (92.0, 0.24, 0.55, 0.75, "Energy"),
    "TLT": (92.0, 0.15, -0.15, -0.85, "Rates"),
    "GLD": (245.0, 0.15, 0.05, -0.35, "Dollar"),
    "HYG": (79.0, 0.07, 0.60, -0.55, "Credit"),
}

# Pair -> rate, volatility, loading on the dollar (a strong dollar lowers EURUSD and lifts USDJPY).
_FX = {
    "EURUSD": (1.085, 0.075, -0.80),
    "GBPUSD": (1.295, 0.085, -0.75),
    "USDJPY": (152.5, 0.105, 0.60),
    "USDCHF": (0.868, 0.080, 0.70),
    "AUDUSD": (0.658, 0.105, -0.70),
    "USDCAD": (1.385, 0.065, 0.65),
}

# Rate -> level, absolute volatility per year, speed of reversion.
_RATES = {"SOFR": (0.0430, 0.0060, 0.25), "UST2Y": (0.0415, 0.0095, 0.20), "UST10Y": (0.0425, 0.0090, 0.15)}

# Credit -> spread, volatility, own jumps per year, mean jump of the logarithm.
_CREDIT = {
    "CDX_IG": (0.0053, 0.35, 1.0, 0.25),
    "CDX_HY": (0.0330, 0.40, 1.0, 0.30),
    "F_CDS": (0.0190, 0.50, 3.0, 0.35),
    "GM_CDS": (0.0135, 0.48, 3.0, 0.35),
    "T_CDS": (0.0080, 0.42, 2.0, 0.30),
    "VZ_CDS": (0.0072, 0.40, 2.0, 0.30),
    "BAC_CDS": (0.0062, 0.45, 2.0, 0.35),
    "JPM_CDS": (0.0048, 0.42, 2.0, 0.30),
    "GS_CDS": (0.0066, 0.45, 2.0, 0.35),
    "BA_CDS": (0.0125, 0.50, 3.0, 0.40),
    "XOM_CDS": (0.0034, 0.38, 1.0, 0.30),
}

# Coin -> price, volatility, typical funding per eight hours.
_CRYPTO = {"BTC": (68000.0, 0.55, 0.0001), "ETH": (2600.0, 0.68, 0.0001), "SOL": (165.0, 0.90, 0.00012)}

OPTIONABLE = (
    *("SPY", "QQQ", "IWM", "TLT", "GLD", "HYG", "AAPL", "MSFT", "NVDA", "GOOGL", "AMZN", "META", "TSLA", "AMD", "NFLX"),
    *("INTC", "AVGO", "JPM", "GS", "BAC", "XOM", "CVX", "COIN", "BA", "DIS", "COST", "UNH", "JNJ", "KO", "BTC", "ETH"),
)
"""Symbols with an implied volatility, which is quoted as ``<name>_VOL``."""

_EQUITY_DRIFT = 0.06
_SHARE_TURNOVER = 1.5e9  # currency units traded per day: the volume follows from the price
_FUND_TURNOVER = 8.0e9
_COIN_TURNOVER = 2.0e10
_IMPLIED_OVER_REALISED = 1.05  # the volatility risk premium


def default_universe() -> tuple[SymbolSpec, ...]:
    """Return the symbols of the simulated market: equities, funds, FX, rates, credit, volatilities and crypto.

    Returns
    -------
    tuple of SymbolSpec
        The same specifications in the same order at each call. The numbers are invented (see the module).

    Examples
    --------
    >>> market = {spec.symbol: spec for spec in default_universe()}
    >>> market["AAPL"].sector, market["SOFR"].price
    ('Technology', 0.043)
    """
    stocks, funds, coins = _equities(), _funds(), _coins()
    return (*stocks, *funds, *_fx(), *_rates(), *_credit(), *_vols((*stocks, *funds, *coins)), *coins, *_funding())


def _equities() -> list[SymbolSpec]:
    return [_equity(sector, *row.split()) for sector, rows in _EQUITIES.items() for row in rows.split(",")]


def _equity(sector: str, ticker: str, price: str, volatility: str) -> SymbolSpec:
    return SymbolSpec(
        ticker,
        SymbolKind.EQUITY,
        sector,
        float(price),
        float(volatility),
        drift=_EQUITY_DRIFT,
        market_loading=0.50,
        factor_loading=0.55,
        volume=round(_SHARE_TURNOVER / float(price)),
    )


def _funds() -> list[SymbolSpec]:
    return [
        SymbolSpec(
            ticker,
            SymbolKind.ETF,
            "ETF",
            price,
            volatility,
            drift=_EQUITY_DRIFT * max(market, 0.0),
            market_loading=market,
            factor_loading=loading,
            factor=factor,
            volume=round(_FUND_TURNOVER / price),
        )
        for ticker, (price, volatility, market, loading, factor) in _FUNDS.items()
    ]


def _fx() -> list[SymbolSpec]:
    return [
        SymbolSpec(pair, SymbolKind.FX, "FX", rate, volatility, factor_loading=dollar, factor="Dollar")
        for pair, (rate, volatility, dollar) in _FX.items()
    ]


def _rates() -> list[SymbolSpec]:
    return [
        SymbolSpec(
            name, SymbolKind.RATE, "Rates", level, vol, mean_reversion=speed, market_loading=0.1, factor_loading=0.85
        )
        for name, (level, vol, speed) in _RATES.items()
    ]


def _credit() -> list[SymbolSpec]:
    return [
        SymbolSpec(
            name,
            SymbolKind.CREDIT,
            "Credit",
            spread,
            volatility,
            mean_reversion=6.0,
            market_loading=-0.45,
            factor_loading=0.60,
            jumps_per_year=jumps,
            jump_size=size,
        )
        for name, (spread, volatility, jumps, size) in _CREDIT.items()
    ]


def _vols(underliers: tuple[SymbolSpec, ...]) -> list[SymbolSpec]:
    realised = {spec.symbol: spec.volatility for spec in underliers}
    index = SymbolSpec(
        REGIME_SYMBOL,
        SymbolKind.VOL,
        "Volatility",
        17.0,
        0.9,
        mean_reversion=12.0,
        market_loading=-0.70,
        factor_loading=0.60,
        jumps_per_year=2.0,
        jump_size=0.18,
    )
    return [index, *(_implied_vol(name, realised[name]) for name in OPTIONABLE)]


def _implied_vol(name: str, realised: float) -> SymbolSpec:
    return SymbolSpec(
        f"{name}_VOL",
        SymbolKind.VOL,
        "Volatility",
        round(realised * _IMPLIED_OVER_REALISED, 4),
        0.60,
        mean_reversion=6.0,
        market_loading=-0.50,
        factor_loading=0.60,
    )


def _coins() -> list[SymbolSpec]:
    return [
        SymbolSpec(
            coin,
            SymbolKind.CRYPTO,
            "Crypto",
            price,
            volatility,
            drift=_EQUITY_DRIFT,
            market_loading=0.35,
            factor_loading=0.75,
            volume=round(_COIN_TURNOVER / price),
        )
        for coin, (price, volatility, _) in _CRYPTO.items()
    ]


def _funding() -> list[SymbolSpec]:
    return [
        SymbolSpec(
            f"{coin}_FUNDING",
            SymbolKind.FUNDING,
            "Crypto",
            funding,
            0.0012,
            mean_reversion=50.0,
            market_loading=0.15,
            factor_loading=0.50,
        )
        for coin, (_, _, funding) in _CRYPTO.items()
    ]
