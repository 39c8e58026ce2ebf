"""``config``: the settings of the desk, listed and changed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from bank_python.desk.commands.result import CommandResult
from bank_python.desk.commands.views import settings_view
from bank_python.desk.settings import CONFIG, SETTINGS, read_settings, unset_setting, write_setting
from bank_python.mntable import Table

if TYPE_CHECKING:
    from bank_python.desk.desk import Desk

__all__ = ["change_settings", "list_settings"]


def list_settings(desk: Desk) -> CommandResult:
    """List the settings with their values, units and meanings.

    Parameters
    ----------
    desk : Desk
        Desk whose settings are listed.

    Raises
    ------
    DeskError
        A stored value is not one of its setting.
    """
    rows = _rows(desk)
    facts = {
        "settings": {row["setting"]: row["value"] for row in rows},
        "set": [r["setting"] for r in rows if r["set"]],
    }
    words = [(name, str) for name in ("setting", "unit", "meaning")]
    schema = [*words, ("value", float), ("set", bool)]
    return CommandResult(facts, [settings_view(rows)], Table.from_rows(schema, rows))


def change_settings(desk: Desk, *, change: tuple[str, str] | None = None, unset: str | None = None) -> CommandResult:
    """Set a setting, or return one to its default, and list all: both changes take effect, or neither.

    Parameters
    ----------
    desk : Desk
        Desk whose settings are changed.
    change : pair of str, optional
        Name of a setting and its new value.
    unset : str, optional
        Name of the setting that returns to its default.

    Raises
    ------
    DeskError
        There is no such setting, or the value is not one of it; nothing has changed.
    """
    with desk.db.transaction():
        if unset is not None:
            unset_setting(desk.db, unset)
        if change is not None:
            write_setting(desk.db, *change)
    return list_settings(desk)


def _rows(desk: Desk) -> list[dict[str, Any]]:
    values = dataclasses.asdict(read_settings(desk.db))
    return [
        {
            "setting": key,
            "value": values[key],
            "unit": item.unit,
            "meaning": item.meaning,
            "set": CONFIG + key in desk.db,
        }
        for key, item in SETTINGS.items()
    ]
