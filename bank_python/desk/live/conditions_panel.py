"""The CONDITIONS panel: risk score with its grade and what would lift it, volatility forecast, regime, macro gauges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING
from bank_python.desk.live.columns import Column, fit, fitted, joined
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane

if TYPE_CHECKING:
    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import ComponentView, ConditionsView, DeskView

__all__ = ["conditions_lines", "conditions_panel", "grade_text", "market_text"]

_TITLE = "CONDITIONS"
_HIGHEST = 10.0
_BAR = 10
_TRAIL = 16
_POOR = frozenset({"B", "CCC"})
_CALM, _TURBULENT = "calm", "turbulent"
_NAMES = {
    "market_vol": "market volatility",
    "credit_risk": "credit",
    "liquidity": "liquidity",
    "concentration": "concentration",
    "macro_regime": "macro and regime",
}


def conditions_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw the risk score and what would lift it, the volatility forecast, the regime, components and gauges."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    known = view.conditions
    if known is None:
        return pane(_TITLE, [Text("no risk score yet", style="dim")], width, height, glyphs)
    lines = [_score_line(known, inside, glyphs), _market_line(known, inside), _lift_line(known, inside, glyphs)]
    if room > len(lines) + 1:  # the headings and at least a row
        table = fitted(_component_columns(known, glyphs), inside, glyphs)
        lines += [Text(table.headings, style="dim"), *table.rows]
        lines += [_gauge_line(gauge.text, gauge.state, inside, glyphs) for gauge in known.gauges]
    legend = "some quotes simulated" if known.simulated else ""
    return pane(_TITLE, lines[:room], width, height, glyphs, legend=legend)


def conditions_lines(view: DeskView) -> int:
    """Return the height at which the panel shows everything."""
    known = view.conditions
    return 0 if known is None else BORDER_HEIGHT + 4 + len(known.components) + len(known.gauges)


def market_text(known: ConditionsView) -> str:
    """Return volatility and turbulence in a few words."""
    return f"{known.index} volatility {known.vol:.0%}, {_regime_text(known)}"


def grade_text(known: ConditionsView) -> Text:
    """Return the risk score with its grade, which is highlighted if it is poor."""
    style = WARNING if known.grade in _POOR else "bold"
    return Text.assemble(f"risk score {known.score:.1f} ", (known.grade, style))


def _regime_text(known: ConditionsView) -> str:
    return f"turbulence {known.turbulence:.0%}" if known.regime in {_CALM, _TURBULENT} else known.regime


def _length_text(known: ConditionsView) -> str:
    if known.regime not in {_CALM, _TURBULENT}:
        return ""
    return f"{known.regime} regimes last {known.regime_days:.0f} days"


def _score_line(known: ConditionsView, inside: int, glyphs: Glyphs) -> Text:
    missing = ", ".join(_NAMES.get(name, name) for name in known.missing)
    parts = [
        grade_text(known),
        Text(glyphs.bars(known.trail[-_TRAIL:]), style="dim"),
        Text(f"without {missing}" if missing else "", style=WARNING),
        Text("0 is safe, 10 the worst", style="dim"),
    ]
    return joined(parts, inside, gap=2)


def _market_line(known: ConditionsView, inside: int) -> Text:
    parts = [
        Text(f"{known.index} volatility {known.vol:.1%} a year"),
        Text(_regime_text(known), style=WARNING if known.regime == _TURBULENT else ""),
        Text("" if known.implied_vol is None else f"VIX {100.0 * known.implied_vol:.1f}"),
        Text(_length_text(known), style="dim"),
        Text(f"by {known.vol_model}", style="dim"),
    ]
    return joined(parts, inside, gap=2)


def _lift_line(known: ConditionsView, inside: int, glyphs: Glyphs) -> Text:
    if not known.better_grade:
        return Text("the best grade", style="dim")
    ways = [
        f"{_NAMES.get(part.name, part.name)} below {part.better_below:.1f}"
        for part in known.components
        if part.better_below is not None
    ]
    if known.joint_fall is not None:
        ways.insert(0, f"all {known.joint_fall:.1f} lower")
    return fit(Text(f"to {known.better_grade}: {', or '.join(ways)}"), inside, glyphs)


def _component_columns(known: ConditionsView, glyphs: Glyphs) -> list[Column]:
    parts = sorted(known.components, key=lambda part: -part.contribution)
    data = [Text("; ".join(part.readings), style="dim") for part in parts]
    return [
        Column("", [Text(_NAMES.get(part.name, part.name)) for part in parts], left=True),
        Column("score", [Text(f"{part.score:.1f}") for part in parts], width=5),
        Column("", [_bar(part, glyphs) for part in parts], rank=2, left=True, width=_BAR),
        Column("part", [Text(f"{part.contribution:.2f}") for part in parts], rank=1, width=5),
        Column("from", data, rank=3, left=True, shrinks_to=20),
    ]


def _bar(part: ComponentView, glyphs: Glyphs) -> Text:
    return Text(glyphs.levels[-1] * round(_BAR * part.score / _HIGHEST), style="dim")


def _gauge_line(text: str, state: str, inside: int, glyphs: Glyphs) -> Text:
    return fit(Text(text, style="dim" if state == _CALM else WARNING), inside, glyphs)
