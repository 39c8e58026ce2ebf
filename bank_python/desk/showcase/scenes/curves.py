"""A discount curve and a volatility surface that are rebuilt as their quotes tick, with options priced from both."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bank_python.dagger import DependencyGraph
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.instruments import AmericanOption, DiscountCurve, InterestRateSwap, Option, VolSurface
from bank_python.market_data import MarketData

if TYPE_CHECKING:
    from bank_python.dagger import Node
    from bank_python.desk.showcase.stage import Stage

_RATES = {"3M": 0.0530, "1Y": 0.0505, "2Y": 0.0462, "5Y": 0.0420, "10Y": 0.0412, "30Y": 0.0405}
_STRIKES = [80.0, 90.0, 95.0, 100.0, 105.0, 110.0, 120.0]
_SMILES = {
    0.25: [0.289, 0.251, 0.235, 0.221, 0.210, 0.203, 0.199],
    1.00: [0.284, 0.251, 0.237, 0.225, 0.216, 0.209, 0.203],
}
_COLUMNS = ("expiry", "forward", "atm_vol", "rho", "rms_error", "minimum_g")


@scene("LIVE YIELD CURVE AND VOLATILITY SURFACE")
def curves(stage: Stage) -> SceneResult:
    """Bootstrap a curve from SOFR swaps, fit a volatility surface, and reprice the contracts that a tick affects."""
    graph = DependencyGraph()
    quotes = {tenor: MarketData(f"USD_{tenor}", rate) for tenor, rate in _RATES.items()}
    deposits = {"3M": quotes["3M"]}
    swaps = {tenor: leaf for tenor, leaf in quotes.items() if tenor != "3M"}
    curve = DiscountCurve("USD_CURVE", deposits=deposits, swaps=swaps, as_of=stage.desk.clock.date)
    spot = MarketData("ACME_SPOT", 100.0)
    vols = [list(smile) for smile in _SMILES.values()]
    surface = VolSurface.from_vols("ACME_VOLS", _STRIKES, list(_SMILES), vols, spot_source=spot, rate_source=curve)
    put, american = (
        graph.register(
            kind(name, spot_source=spot, vol_source=surface, rate_source=curve, strike=92.0, expiry=0.6, is_call=False)
        )
        for kind, name in ((Option, "ACME_PUT"), (AmericanOption, "ACME_US_PUT"))
    )
    swap = graph.register(InterestRateSwap("IRS_7Y", rate_source=curve, notional=1e6, fixed_rate=0.042, maturity=7.0))
    before = _values(put, american, swap)
    with graph.scenario(curve.bumped(1e-4)):
        basis_point = _values(swap)[swap.name] - before[swap.name]
    quotes["5Y"].set_price(_RATES["5Y"] + 0.001)
    done = graph.recalculate()
    after = _values(put, american, swap)
    facts = {
        "before": before,
        "after_5Y_up_10bp": after,
        "evaluated": done.evaluated,
        "swap_change_per_bp": basis_point,
        "swap_dv01": swap.dv01,
        "vol_at_92": surface.vol(92.0, 0.6),
        "arbitrage_free": surface.arbitrage().free,
    }
    early = before[american.name] - before[put.name]
    summary = (
        f"The early exercise premium of the put is {early:.4f}. The 5-year swap rate was raised by 10 bp: "
        f"{done.evaluated} nodes were evaluated, and the value of the 7-year swap changed from "
        f"{before[swap.name]:+,.0f} to {after[swap.name]:+,.0f}."
    )
    return SceneResult(facts, [curve.to_table(), surface.to_table().project(*_COLUMNS), summary])


def _values(*nodes: Node) -> dict[str, float]:
    return {node.name: cast("float", node.value) for node in nodes}
