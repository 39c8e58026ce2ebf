"""The BACK-TESTS panel: the last stored back-test of each strategy; there is no panel before the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bank_python.desk.live.amounts import WARNING, moved
from bank_python.desk.live.columns import Column, fit, fitted
from bank_python.desk.live.pane import BORDER_HEIGHT, BORDER_WIDTH, pane
from bank_python.desk.view import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_python.desk.live.glyphs import Glyphs
    from bank_python.desk.view import BacktestView, DeskView

__all__ = ["backtests_lines", "backtests_panel"]

_TITLE = "BACK-TESTS"


def backtests_lines(view: DeskView) -> int:
    """Return the height at which the panel shows all strategies."""
    return len(view.backtests) + BORDER_HEIGHT


def backtests_panel(view: DeskView, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Draw return, Sharpe ratio, largest fall and dates of the last back-test of each strategy, the latest first."""
    inside, room = width - BORDER_WIDTH, height - BORDER_HEIGHT
    shown = view.backtests[:room]
    table = fitted(_columns(shown, glyphs), inside, glyphs)
    lines = [
        row if not test.problem else fit(Text(f"{test.strategy}: {test.problem}", style=WARNING), inside, glyphs)
        for row, test in zip(table.rows, shown, strict=True)
    ]
    rest = len(view.backtests) - len(shown)
    legend = "last of each strategy" + (f", {rest} more" if rest else "") + ("; ~ simulated" if _any(shown) else "")
    return pane(_TITLE, lines, width, height, glyphs, headings=table.headings, legend=legend)


def _any(tests: Sequence[BacktestView]) -> bool:
    return any(test.is_simulated for test in tests)


def _columns(tests: Sequence[BacktestView], glyphs: Glyphs) -> list[Column]:
    missing = Text(glyphs.missing, style="dim")
    marks = ["~" if test.is_simulated else " " * _any(tests) for test in tests]
    returns = [_share(test.total_return, missing, mark) for test, mark in zip(tests, marks, strict=True)]
    return [
        Column("", [Text(test.strategy) for test in tests], left=True, width=9, shrinks_to=10),
        Column("return", returns, width=8),
        Column("Sharpe", [missing if test.sharpe is None else Text(f"{test.sharpe:.2f}") for test in tests], width=6),
        Column("drawdown", [_share(test.max_drawdown, missing) for test in tests], rank=1, width=8),
        Column("until", [Text(f"{test.until:%Y-%m-%d}" if test.until else "", style="dim") for test in tests], rank=2),
        Column(
            "stored",
            [Text(f"{test.saved:%Y-%m-%d %H:%M}" if test.saved else "", style="dim") for test in tests],
            rank=3,
        ),
    ]


def _share(figure: float | None, missing: Text, mark: str = "") -> Text:
    return missing if figure is None else Text.assemble(moved(figure, Unit.PRICE), mark)
