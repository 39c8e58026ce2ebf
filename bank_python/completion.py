"""What completion offers of a package: its public names, not its modules nor what it imports.

Examples
--------
>>> import bank_python.walpole
>>> [name for name in dir(bank_python.walpole) if not name.startswith("_")][:3]
['Backoff', 'Clock', 'CronExpression']
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["public_names"]


def public_names(module: str) -> Callable[[], list[str]]:
    """Return a ``__dir__`` for a package: the names in its ``__all__``, and those with double underscores.

    Parameters
    ----------
    module : str
        Name of the package, its ``__name__``.
    """

    def listed() -> list[str]:
        package = vars(sys.modules[module])
        special = (name for name in package if name.startswith("__") and name.endswith("__"))
        return sorted({*package["__all__"], *special})

    return listed
