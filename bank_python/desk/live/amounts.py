"""Format of numbers on the live desk: never cut, aligned, and coloured by their sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.view import Unit

if TYPE_CHECKING:
    from bank_python.desk.live.glyphs import Glyphs

__all__ = ["WARNING", "money", "moved", "price", "short_money", "signed_money", "span"]

WARNING = "yellow"

_THOUSANDS = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
_WHOLE_FROM, _CENTS_FROM = 10_000.0, 5.0
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


def money(value: float | None, glyphs: Glyphs) -> Text:
    """Return an amount in whole dollars."""
    return Text(glyphs.missing, style=WARNING) if value is None else Text(f"{value:,.0f}")


def short_money(value: float | None, glyphs: Glyphs) -> Text:
    """Return an amount in thousands, millions or billions, with three or four digits.

    Examples
    --------
    >>> from bank_python.desk.live.glyphs import FINE
    >>> [short_money(value, FINE).plain for value in (13_086_889.9, -475_886.6, 999.0)]
    ['13.09M', '-475.9K', '999']
    """
    if value is None:
        return Text(glyphs.missing, style=WARNING)
    for size, letter in _THOUSANDS:
        scaled = value / size
        if abs(scaled) >= 1.0:
            digits = 2 if abs(scaled) < 100.0 else 1  # noqa: PLR2004 - at most four digits
            return Text(f"{scaled:.{digits}f}{letter}")
    return Text(f"{value:.0f}")


def signed_money(value: float | None, glyphs: Glyphs) -> Text:
    """Return a profit or loss in whole dollars, green or red."""
    return Text(glyphs.missing, style=WARNING) if value is None else _coloured(value, f"{value:+,.0f}")


def price(value: float, unit: Unit) -> str:
    """Return a quote in the format of its market.

    Examples
    --------
    >>> price(0.0431, Unit.PERCENT), price(0.0053, Unit.BASIS_POINTS)
    ('4.310%', '53.0bp')
    >>> price(1.0853, Unit.PRICE), price(228.0, Unit.PRICE), price(68_000.2, Unit.PRICE)
    ('1.0853', '228.00', '68,000')
    """
    if unit is Unit.PERCENT:
        return f"{value:.3%}"
    if unit is Unit.BASIS_POINTS:
        return f"{value * 1e4:.1f}bp"
    if unit is Unit.POINTS or _CENTS_FROM <= value < _WHOLE_FROM:
        return f"{value:,.2f}"
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.4f}"


def moved(change: float, unit: Unit) -> Text:
    """Return the change of a quote: in per cent, basis points or points, depending on its unit."""
    if unit is Unit.PRICE:
        return _coloured(change, f"{change:+.2%}")
    if unit is Unit.POINTS:
        return _coloured(change, f"{change:+.2f}")
    return _coloured(change, f"{change * 1e4:+.1f}bp")


def span(seconds: float) -> str:
    """Return a duration as a rounded number of seconds, minutes, hours or days.

    Examples
    --------
    >>> span(0.4), span(61.0), span(7_300.0)
    ('0s', '1m', '2h')
    """
    for size, letter in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{letter}"
    return f"{seconds:.0f}s"


def _coloured(value: float, shown: str) -> Text:
    if not any(digit in "123456789" for digit in shown):
        # An amount that rounds to zero has neither sign nor colour: a green +0 would look like a profit.
        return Text(shown.lstrip("+-"), style="dim")
    return Text(shown, style="green" if value > 0.0 else "red")
