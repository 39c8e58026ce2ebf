"""Tables of the commands' figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group

from bank_python.numerals import number, signed
from bank_python.sheet import Bar, Sheet, bars, names, numbers, shares, text, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

    from bank_python.desk.blotter import Trade
    from bank_python.desk.desk import Desk
    from bank_python.desk.view import AlertView, FirmView, GreeksView, LimitView, PositionView, TraderView
    from bank_python.numerics import FloatArray

__all__ = [
    "FIRM",
    "alerts_view",
    "attribution_by_view",
    "bars_by_name_view",
    "booked_view",
    "desk_line",
    "greeks_view",
    "limits_view",
    "moves_view",
    "positions_view",
    "risk_view",
    "settings_view",
    "stacked_view",
    "stress_by_trader_view",
    "surface_grid_view",
    "traders_view",
]

FIRM = "firm"
_GREEKS = ("delta", "gamma", "vega", "theta", "rho", "credit", "fx")
_FROM_USED = 0.5
_URGENCY = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}
_LARGE = 100.0
_THOUSAND = 1e3
_MOST_MOVES = 20


def desk_line(desk: Desk) -> Text:
    """Return the line above a command's tables: valuation date, market and tick of the desk."""
    copy = ", a copy" if desk.read_only else ""
    return text(
        f"Desk of {desk.clock.date.isoformat()}, {desk.feed.name} market, tick {desk.graph.tick:,}{copy}", "dim"
    )


def stacked_view(views: Sequence[Any]) -> Group:
    """Show views one below the other."""
    return Group(*(text(view) if isinstance(view, str) else view for view in views))


def risk_view(rows: Sequence[Mapping[str, Any]], scenarios: int) -> Sheet:
    """Show value at risk and expected shortfall of each trader, the firm last."""
    figures = [numbers(title) for title in ("Value", "P&L", "VaR 95", "VaR 99", "ES 99")]
    shown = Sheet(f"Risk of one day, USD ({scenarios:,} scenarios)", [names("Trader"), *figures])
    for row in rows:
        if row["trader"] == FIRM:
            shown.rule()
        name = text(FIRM, "bold") if row["trader"] == FIRM else row["trader"]
        risk = (_money(row[key]) for key in ("var_95", "var_99", "es_99"))
        shown.add(name, _money(row["value"]), _gain(row["pnl"]), *risk)
    shown.note("losses of traders do not add up to that of the firm, as they do not come together")
    return shown


def greeks_view(rows: Mapping[str, GreeksView | None]) -> Sheet:
    """Show the Greeks of each trader, the firm last."""
    columns = [numbers("FX" if greek == "fx" else greek.capitalize()) for greek in _GREEKS]
    shown = Sheet("Greeks, USD per one per cent, one point or one day", [names("Trader"), *columns])
    for name, greeks in rows.items():
        if name == FIRM:
            shown.rule()
        cells = (None if greeks is None else signed(getattr(greeks, greek)) for greek in _GREEKS)
        shown.add(text(FIRM, "bold") if name == FIRM else name, *cells)
    return shown


def limits_view(limits: Sequence[LimitView]) -> Sheet:
    """Show the limits that are used to a half or more, the most used first."""
    columns = [names("Scope"), names("Limit"), numbers("Value"), numbers("Maximum"), shares("Used", 0)]
    shown = Sheet("Limits", [*columns, words("Severity")])
    used = [limit for limit in limits if limit.used >= _FROM_USED]
    for limit in used:
        digits = 0 if limit.maximum >= _LARGE else 2
        figures = f"{limit.value:,.{digits}f}", f"{limit.maximum:,.{digits}f}", limit.used
        shown.add(limit.scope, limit.name, *figures, text(limit.severity, _URGENCY.get(limit.severity, "")))
    if len(limits) > len(used):
        shown.note(f"{len(limits) - len(used)} more are used by less than {_FROM_USED:.0%}")
    return shown


def alerts_view(alerts: Sequence[AlertView]) -> Sheet:
    """Show open alerts, the most severe first."""
    shown = Sheet("Open alerts", [names("Severity"), words("Message"), words("Contributor")])
    for alert in alerts:
        shown.add(text(alert.severity, _URGENCY.get(alert.severity, "")), alert.message, alert.contributor)
    if not alerts:
        shown.note("none")
    return shown


def traders_view(traders: Sequence[TraderView], firm: FirmView | None = None) -> Sheet:
    """Show the value and the P&L of traders, and of the firm last, if it is given."""
    columns = [names("Trader"), words("Strategy"), numbers("Positions"), numbers("Value"), numbers("P&L")]
    shown = Sheet("P&L by trader, USD", columns)
    for trader in traders:
        strategy = trader.strategy.replace("_", " ")
        shown.add(trader.name, strategy, trader.positions, _money(trader.value), _gain(trader.pnl))
    if firm is not None:
        shown.rule()
        shown.add(text(FIRM, "bold"), "", firm.positions, _money(firm.value), _gain(firm.pnl))
    return shown


def positions_view(positions: Sequence[PositionView], left: int) -> Sheet:
    """Show positions with their value and P&L.

    Parameters
    ----------
    positions : sequence of PositionView
        Positions to show.
    left : int
        Number of positions that are not shown.
    """
    figures = [numbers("Quantity", 0), numbers("Value"), numbers("P&L")]
    shown = Sheet("P&L by position, USD", [names("Trader"), names("Instrument"), *figures])
    for position in positions:
        quantity = f"{position.quantity:,.10g}"
        shown.add(position.trader, position.instrument, quantity, _money(position.value), _gain(position.pnl))
    if left:
        shown.note(f"the largest gains and losses; {left} more with --all, or of one trader with --trader NAME")
    return shown


def attribution_by_view(title: str, rows: Mapping[str, Mapping[str, float]], effects: Sequence[str]) -> Sheet:
    """Show P&L by effect, a row for each trader or position, with the total."""
    columns = [numbers(effect.replace("_", " ")) for effect in effects]
    shown = Sheet(title, [names(""), *columns, numbers("P&L")])
    for name, row in rows.items():
        shown.add(name, *(signed(row[effect]) for effect in effects), signed(row["actual"]))
    return shown


def stress_by_trader_view(results: Mapping[str, Mapping[str, float]], traders: Sequence[str]) -> Sheet:
    """Show P&L in thousands by scenario (down) and trader (across)."""
    shown = Sheet("P&L by trader, USD thousand", [names("Scenario"), *(numbers(trader) for trader in traders)])
    for key, by_trader in results.items():
        shown.add(key, *(signed(by_trader[trader] / _THOUSAND) for trader in traders))
    return shown


def bars_by_name_view(title: str, heading: str, rows: Mapping[str, float]) -> Sheet:
    """Show amounts by name as figures and bars, the largest loss first, and their sum."""
    shown = Sheet(title, [names(heading), numbers("P&L"), bars()])
    widest = max(map(abs, rows.values()), default=0.0)
    for name, amount in sorted(rows.items(), key=lambda item: item[1]):
        shown.add(name, signed(amount), Bar.of(amount, widest))
    shown.rule()
    shown.add(text(FIRM, "bold"), signed(sum(rows.values())), "")
    return shown


def moves_view(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """Show the moves of risk factors in a scenario, the largest first."""
    figures = [numbers("Level", 4), numbers("Stressed", 4), numbers("Change")]
    shown = Sheet("Moves of the risk factors", [names("Factor"), *figures, words("By"), numbers("Beta")])
    for row in rows[:_MOST_MOVES]:
        by = row["driver"] or row["status"]
        change = row["change"]
        said = None if change is None else f"{change:+.1%}" if row["shift"] == "relative" else f"{change:+.4f}"
        shown.add(row["factor"], row["level"], row["stressed"], said, by.replace("_", " "), row["beta"])
    if len(rows) > _MOST_MOVES:
        shown.note(f"{len(rows) - _MOST_MOVES} smaller ones")
    shown.note("prices change by per cent, rates, spreads and volatilities by decimals")
    return shown


def settings_view(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """Show the settings with value, unit and meaning; those that are set are bold."""
    shown = Sheet("Settings", [names("Setting"), numbers("Value"), words("Unit"), words("Meaning")])
    for row in rows:
        name = text(row["setting"], "bold" if row["set"] else "")
        shown.add(name, f"{row['value']:,.10g}{' *' if row['set'] else ''}", row["unit"], row["meaning"])
    shown.note("* set on this desk; the others have their defaults")
    return shown


def surface_grid_view(title: str, strikes: Sequence[tuple[float, float]], grid: Mapping[str, FloatArray]) -> Sheet:
    """Show volatilities by strike (down, with its share of the spot) and expiry (across)."""
    columns = [names("Strike"), shares("of spot", 0), *(shares(expiry) for expiry in grid)]
    shown = Sheet(title, columns)
    for i, (strike, moneyness) in enumerate(strikes):
        shown.add(f"{strike:,.6g}", moneyness, *(float(vols[i]) for vols in grid.values()))
    return shown


def booked_view(trades: Sequence[Trade]) -> Sheet:
    """Show booked trades with their numbers."""
    figures = [numbers("Quantity"), numbers("Price"), numbers("Amount")]
    shown = Sheet("Booked", [names("Number"), names("Instrument"), *figures])
    for trade in trades:
        shown.add(str(trade.number), trade.instrument, f"{trade.quantity:+,.10g}", trade.price, signed(trade.notional))
    return shown


def _money(value: float | None) -> str | None:
    return None if value is None else number(value, 0)


def _gain(value: float | None) -> Any:
    return text("no quote", "yellow") if value is None else signed(value)
