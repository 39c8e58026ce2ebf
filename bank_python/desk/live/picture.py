"""The live desk as an SVG picture of fixed size, for documents and reports.

A picture has the same layout and figures as a terminal of 120 columns. It has a dark background of its own, so it looks
the same on light and dark pages, and refers to no font or file on the network.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from bank_python.desk.live.glyphs import FINE
from bank_python.desk.live.layout import arranged
from bank_python.desk.output_file import check_target
from bank_python.errors import DeskError

if TYPE_CHECKING:
    from os import PathLike

    from bank_python.desk.view import DeskView

__all__ = ["HEIGHT", "TITLE", "WIDTH", "svg", "write_picture"]

WIDTH, HEIGHT = 120, 40
"""Size of a picture in characters and lines."""
TITLE = "bank_python"
"""Title of a picture, in the bar at its top."""

_NORMAL = [
    (69, 71, 90),  # black
    (243, 121, 134),  # red
    (126, 211, 133),  # green
    (240, 197, 106),  # yellow
    (122, 170, 247),  # blue
    (205, 150, 235),  # magenta
    (104, 206, 214),  # cyan
    (205, 211, 222),  # white
]
_THEME = TerminalTheme((24, 27, 36), (214, 220, 232), _NORMAL)

# rich's own template without its web font, which documents on the web may not load.
_TEMPLATE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: "Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
        font-variant-east-asian: full-width;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: Arial, sans-serif;
    }}
    {styles}
    </style>
    <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
    </clipPath>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


def svg(view: DeskView, *, plain: bool = False) -> str:
    """Return a picture of the live desk as an SVG document.

    Parameters
    ----------
    view : DeskView
        View of the desk to draw.
    plain : bool, default False
        Whether to leave out colours and other styles.

    Returns
    -------
    str
        SVG document of :data:`WIDTH` × :data:`HEIGHT` characters.
    """
    lines = arranged(view, WIDTH, HEIGHT, FINE)
    console = Console(
        record=True,
        file=io.StringIO(),
        width=WIDTH,
        height=HEIGHT,
        color_system=None if plain else "standard",
        force_terminal=True,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    for line in lines:
        console.print(Text(line.plain) if plain else line, no_wrap=True, crop=False, soft_wrap=True)
    return console.export_svg(title=TITLE, theme=_THEME, code_format=_TEMPLATE, unique_id="desk")


def write_picture(view: DeskView, path: str | PathLike[str], *, plain: bool = False) -> None:
    """Write a picture of the live desk to an SVG file, which is replaced as a whole or not at all.

    Parameters
    ----------
    view : DeskView
        View of the desk to draw.
    path : path
        File to write; an existing one is replaced.
    plain : bool, default False
        Whether to leave out colours and other styles.

    Raises
    ------
    DeskError
        The file cannot be written; an existing one is unchanged.
    """
    target = check_target(path)
    document = svg(view, plain=plain)
    try:
        # A temporary file in the same folder, then a rename: a full disk leaves no incomplete picture.
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            draft = Path(folder) / target.name
            draft.write_text(document, encoding="utf-8")
            draft.replace(target)
    except OSError as error:
        raise DeskError(f"cannot write {path}: {error.strerror or error}", value=str(path)) from error
