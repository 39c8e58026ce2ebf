"""Books to simulate: linear ones with a closed-form risk, and mixed ones."""

import numpy as np

from bank_python.dagger import DependencyGraph
from bank_python.instruments import Bond, Book, Equity, FXRate, Option, Position
from bank_python.market_data import MarketData
from bank_python.mc_engine import FactorModel


def factor_correlation(n, seed=0, factors=3):
    """A correlation matrix of full rank."""
    rng = np.random.default_rng(seed)
    draws = rng.standard_normal((4 * n, n)) + rng.standard_normal((4 * n, factors)) @ rng.standard_normal((factors, n))
    return np.corrcoef(draws, rowvar=False)


class Linear:
    """Rates positions only: P&L is exactly a weighted sum of normals."""

    def __init__(self, n=6, traders=3, seed=0):
        rng = np.random.default_rng(seed)
        self.graph = DependencyGraph()
        self.leaves = [self.graph.register(MarketData(f"R{i}", 0.03)) for i in range(n)]
        # An equity on a leaf with absolute moves is linear; a currency pair would have relative moves.
        self.held = [Equity(f"E{i}", spot_source=leaf) for i, leaf in enumerate(self.leaves)]
        self.quantities = rng.integers(-900, 900, (traders, n)).astype(float)
        self.books = [
            self.graph.register(
                Book(
                    f"T{t}",
                    [
                        Position(f"T{t}:E{i}", instrument=item, quantity=self.quantities[t, i], cost=0.03)
                        for i, item in enumerate(self.held)
                    ],
                )
            )
            for t in range(traders)
        ]
        self.vols = 0.01 + 0.02 * rng.random(n)
        self.correlation = factor_correlation(n, seed)
        names = [leaf.name for leaf in self.leaves]
        self.factor_model = FactorModel.given(
            dict(zip(names, self.vols, strict=True)), self.correlation, absolute=names
        )

    def deviation(self, horizon=1.0 / 252.0):
        total = self.quantities.sum(axis=0) * self.vols
        return float(np.sqrt(total @ self.correlation @ total * horizon))


class Mixed:
    """Shares, options, a bond and a position in euros, held by two traders."""

    def __init__(self, underlyings=5):
        rng = np.random.default_rng(1)
        self.graph = DependencyGraph()
        self.sofr = self.graph.register(MarketData("SOFR", 0.04))
        self.euro = self.graph.register(MarketData("EURUSD_SPOT", 1.1))
        self.graph.register(FXRate("EURUSD", rate_source=self.euro, base="EUR", quote="USD"))
        self.spots, self.vols, held = [], [], {"ANN": [], "BEN": []}
        for i in range(underlyings):
            spot = self.graph.register(MarketData(f"S{i}_SPOT", 80.0 + 10.0 * i))
            vol = self.graph.register(MarketData(f"S{i}_VOL", 0.2 + 0.03 * i))
            currency = "EUR" if i == underlyings - 1 else "USD"
            share = self.graph.register(Equity(f"S{i}", spot_source=spot, sector="Industrials", currency=currency))
            self.spots.append(spot)
            self.vols.append(vol)
            held["ANN"].append(Position(f"ANN:S{i}", instrument=share, quantity=100.0 * (1 + i % 3)))
            for k, strike in enumerate((0.9, 1.0, 1.1)):
                option = Option(
                    f"S{i}_{k}",
                    spot_source=spot,
                    vol_source=vol,
                    rate_source=self.sofr,
                    strike=strike * spot.price,
                    expiry=0.25 + 0.25 * k,
                    is_call=k != 0,
                    currency=currency,
                )
                quantity = float(rng.integers(-6, 7))
                held["BEN"].append(Position(f"BEN:S{i}_{k}", instrument=option, quantity=quantity, multiplier=100.0))
        bond = Bond("NOTE", rate_source=self.sofr, face=100.0, coupon_rate=0.04, maturity=5.0)
        held["ANN"].append(Position("ANN:NOTE", instrument=bond, quantity=500.0))
        self.books = [self.graph.register(Book(name, positions)) for name, positions in held.items()]
        vols = {leaf.name: 0.3 for leaf in self.spots} | {leaf.name: 0.8 for leaf in self.vols}
        vols |= {"SOFR": 0.01, "EURUSD_SPOT": 0.08}
        self.factor_model = FactorModel.given(vols, factor_correlation(len(vols)), absolute={"SOFR"})
