"""Where the five panels stand, for any size of terminal from 80×24 up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import money, signed_money
from bank_python.desk.live.columns import fit
from bank_python.desk.live.pane import beside
from bank_python.desk.live.panels import engine_panel, firm_panel, market_panel, positions_panel, traders_panel

if TYPE_CHECKING:
    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import Frame, Pulse

__all__ = ["LEAST_HEIGHT", "LEAST_WIDTH", "arranged"]

LEAST_WIDTH, LEAST_HEIGHT = 80, 24

_WIDE_FROM, _HIGH_FROM = 140, 36
_STRIP = 4  # lines of a panel that is one strip across the screen
_FIRM_ROOMY = 6
_MARGINS = 4  # lines that a panel with a total needs beside its rows: frame, rule, total
_TRADERS_NARROW, _TRADERS_WIDER_BY = 51, 0.5
_LEFT_SHARE = 0.58
_POSITIONS_LEAST = 6


def arranged(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Return the whole screen: exactly `height` lines of exactly `width` cells.

    Parameters
    ----------
    frame : Frame
        The desk.
    pulse : Pulse
        The machinery.
    width, height : int
        Of the terminal. Below 80×24 only the firm's value and P&L are shown, and what size is needed.
    glyphs : Glyphs
        What to draw with.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return _too_small(frame, width, height, glyphs)
    if width >= _WIDE_FROM and height >= _HIGH_FROM:
        return _wide(frame, pulse, width, height, glyphs)
    return _compact(frame, pulse, width, height, glyphs)


def _wide(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    left = int(width * _LEFT_SHARE)
    right = width - left
    upper = len(frame.traders) + _MARGINS
    lower = height - _FIRM_ROOMY - upper
    return [
        *firm_panel(frame, pulse, width, _FIRM_ROOMY, glyphs),
        *beside(
            traders_panel(frame, pulse, left, upper, glyphs),
            engine_panel(frame, pulse, right, upper, glyphs),
        ),
        *beside(
            market_panel(frame, pulse, left, lower, glyphs),
            positions_panel(frame, pulse, right, lower, glyphs),
        ),
    ]


def _compact(frame: Frame, pulse: Pulse, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    left = int(_TRADERS_NARROW + (width - LEAST_WIDTH) * _TRADERS_WIDER_BY)
    right = width - left
    body = height - 2 * _STRIP
    upper = len(frame.traders) + _MARGINS
    if body - upper >= _POSITIONS_LEAST:
        traders = traders_panel(frame, pulse, left, upper, glyphs)
        below = positions_panel(frame, pulse, left, body - upper, glyphs)
        columns = beside([*traders, *below], market_panel(frame, pulse, right, body, glyphs))
    else:
        lower = max(_POSITIONS_LEAST, body // 3)
        market = market_panel(frame, pulse, right, body - lower, glyphs)
        below = positions_panel(frame, pulse, right, lower, glyphs)
        columns = beside(traders_panel(frame, pulse, left, body, glyphs), [*market, *below])
    return [
        *firm_panel(frame, pulse, width, _STRIP, glyphs),
        *columns,
        *engine_panel(frame, pulse, width, _STRIP, glyphs),
    ]


def _too_small(frame: Frame, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    said = [
        Text(f"The desk needs {LEAST_WIDTH}x{LEAST_HEIGHT}, this is {width}x{height}."),
        Text.assemble("Value $ ", money(frame.firm.value, glyphs)),
        Text.assemble("P&L $ ", signed_money(frame.firm.pnl, glyphs)),
    ]
    return [fit(line, width, glyphs) for line in [*said, *[Text()] * height][:height]]
