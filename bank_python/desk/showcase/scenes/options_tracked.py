"""The option tracker: a book of insurance and conviction, what time costs it, and what large moves do to it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bank_python.desk.showcase.figures import (
    busiest_underlying,
    quoted_shares,
    quoted_value,
    require_quotes,
    share_index,
)
from bank_python.desk.showcase.stage import SceneResult, scene
from bank_python.instruments.option_symbol import OptionSymbol
from bank_python.risk_models import black_scholes_price
from bank_python.trading_engine import TradeTracker, VolRule

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk
    from bank_python.desk.showcase.stage import Stage

_RATE, _VOL = 0.04, 0.25
_RULE = VolRule(elasticity=2.0)
_SIZES = (1.0, 3.0, 5.0, 10.0)
_MOVES = (-5.0, -3.0, -1.0, 0.0, 1.0, 3.0)
_BUDGET = 10_000.0
_TRADES = (  # share or index, days to expiry, strike as a share of the spot, call, contracts, action
    ("index", 90, 0.85, False, 20, "BUY_OPEN"),
    ("index", 30, 0.95, False, 4, "SELL_OPEN"),
    ("share", 180, 1.25, True, 10, "BUY_OPEN"),
    ("index", 10, 1.05, True, 2, "BUY_OPEN"),
)


@scene("TALEB: OPTION TRACKER")
def options_tracked(stage: Stage) -> SceneResult:
    """Buy far options and sell a few near ones: theta is paid for the gamma of large moves, and ruin has a distance."""
    desk = stage.desk
    require_quotes(desk)
    index = share_index(desk)
    share = next(name for name in (busiest_underlying(desk), *quoted_shares(desk)) if name != index)
    tracker = _tracker(desk, index, share)
    ladder = tracker.greeks()
    shadow = tracker.shadow(_MOVES, _RULE)
    moves = tracker.large_moves(_SIZES, _RULE)
    ruin = tracker.ruin(_BUDGET, _RULE)
    alerts = tracker.alerts()
    centre = _MOVES.index(0.0)
    facts = {
        "open": len(tracker.open_options()),
        "gamma": ladder.total("gamma"),
        "theta": ladder.total("theta"),
        "breakeven": ladder.breakeven,
        "delta": float(shadow.delta[centre]),
        "shadow_delta": float(shadow.shadow_delta[centre]),
        "down": dict(zip(map(str, _SIZES), moves.down.tolist(), strict=True)),
        "up": dict(zip(map(str, _SIZES), moves.up.tolist(), strict=True)),
        "asymmetry": list(moves.asymmetry),
        "ruin": None if ruin.smallest is None else {"days": ruin.smallest.days, "move": ruin.smallest.move},
        "rules": list(alerts.rules),
    }
    heading = f"Puts on {index} as insurance, of which near ones are sold; calls on {share} as conviction."
    remark = (
        "The curvature grows with the size of the move: small ones earn little, large ones pay. The gamma of now does "
        "not say so; the shadow gamma at the moved spots does."
    )
    return SceneResult(facts, [heading, tracker.open_options(), ladder, shadow, moves, remark, ruin, alerts])


def _tracker(desk: Desk, index: str, share: str) -> TradeTracker:
    day = desk.clock.date
    spots = {name: quoted_value(desk, name) or 100.0 for name in (index, share)}
    vols = {name: quoted_value(desk, f"{name}_VOL") or _VOL for name in spots}
    tracker = TradeTracker(today=day, spots=spots, vols=vols, rate=_RATE)
    for which, days, moneyness, is_call, size, action in _TRADES:
        underlying = index if which == "index" else share
        contract = OptionSymbol(
            underlying, day + dt.timedelta(days=days), _strike(moneyness * spots[underlying]), is_call
        )
        tracker.log(contract, size, _worth(contract, spots[underlying], vols[underlying], days), action)
    return tracker


def _strike(level: float) -> float:
    """Return a strike as they are listed: in steps of five, or of one for cheap shares."""
    step = 5.0 if level >= 50.0 else 1.0  # noqa: PLR2004
    return max(step, step * round(level / step))


def _worth(contract: OptionSymbol, spot: float, vol: float, days: int) -> float:
    price = black_scholes_price(spot, contract.strike, days / 365.0, _RATE, vol, 0.0, contract.is_call)
    return round(float(price), 2)
