"""The table of values, topic by topic.

To add a value, open the file of its topic and yield another entry; to add a topic, write such a file and list it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_python.verification import (
    barriers,
    bonds,
    credit,
    execution,
    extremes,
    hedging,
    mathematics,
    options,
    performance,
    portfolios,
    smiles,
    tails,
    time_series,
    var_tests,
    volatility,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bank_python.verification.published_value import PublishedValue

__all__ = ["published_values", "topics"]

_TOPICS: dict[str, Callable[[], Iterator[PublishedValue]]] = {
    module.TOPIC: module.values
    for module in (
        *(options, barriers, smiles, bonds, credit, volatility, time_series),
        *(var_tests, tails, extremes, hedging, execution, portfolios, performance, mathematics),
    )
}


def topics() -> tuple[str, ...]:
    """Return the names of the topics, in the order in which they are listed."""
    return tuple(_TOPICS)


def published_values() -> tuple[PublishedValue, ...]:
    """Return all entries of the table, topic by topic; nothing is computed yet."""
    return tuple(value for values in _TOPICS.values() for value in values())
