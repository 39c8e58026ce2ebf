"""Which market, when nobody said: the environment decides, and nothing is invented unasked.

``BANK_PYTHON_FEED`` names a feed (``simulated``, ``history``, ``yahoo``, ``ccxt``). If it is not set, Yahoo Finance is
used where the yfinance package is installed; otherwise there is no feed, and the error says how to give one.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from bank_python.admission import admits
from bank_python.errors import FeedConfigError, NoFeedError
from bank_python.wording import how_to_install

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_python.market_data.feed import Feed

__all__ = ["FEED_NAMES", "FEED_VARIABLE", "feed_from_environment", "feed_named"]

FEED_NAMES = ("simulated", "history", "yahoo", "ccxt")
FEED_VARIABLE = "BANK_PYTHON_FEED"


@admits(FeedConfigError)
def feed_named(name: str, *, seed: int = 0) -> Feed:
    """Return a feed by its name, made with its defaults.

    Parameters
    ----------
    name : str
        One of :data:`FEED_NAMES`, in any case; ``history`` is the bundled S&P 500 panel.
    seed : int, default 0
        Of the simulated market; the others do not use it.

    Raises
    ------
    FeedConfigError
        There is no feed of that name.
    MissingExtraError
        The feed's package is not installed; the message says which extra brings it.

    Examples
    --------
    >>> feed_named("simulated", seed=7).name
    'simulated'
    """
    match name.strip().lower():
        case "simulated":
            from bank_python.market_data.simulated import SimulatedFeed

            return SimulatedFeed(seed=seed)
        case "history":
            from bank_python.market_data.history_feed import HistoryFeed

            return HistoryFeed.sp500()
        case "yahoo":
            from bank_python.market_data.yahoo import YahooFeed

            return YahooFeed()
        case "ccxt":
            from bank_python.market_data.ccxt_feed import CcxtFeed

            return CcxtFeed()
        case _:
            raise FeedConfigError(f"there is no feed {name!r}: choose one of {', '.join(FEED_NAMES)}", value=name)


def feed_from_environment(environ: Mapping[str, str] | None = None, *, seed: int = 0) -> Feed:
    """Return the feed that the environment asks for.

    Parameters
    ----------
    environ : mapping, optional
        The environment variables; the process's own if not given.
    seed : int, default 0
        Of the simulated market, if that is asked for.

    Raises
    ------
    FeedConfigError
        ``BANK_PYTHON_FEED`` names no feed.
    MissingExtraError
        It names one whose package is not installed.
    NoFeedError
        It is not set, and yfinance is not installed.
    """
    asked = (os.environ if environ is None else environ).get(FEED_VARIABLE, "").strip()
    if not asked:
        if find_spec("yfinance") is not None:
            return feed_named("yahoo")
        raise NoFeedError(
            "no feed was given and none can be chosen: pass feed=SimulatedFeed(seed=1) for a simulated market, "
            f"set {FEED_VARIABLE} to one of {', '.join(FEED_NAMES)}, or install yfinance ({how_to_install('live')})"
        )
    try:
        return feed_named(asked, seed=seed)
    except FeedConfigError as error:
        error.add_note(f"the name comes from the environment variable {FEED_VARIABLE}")
        raise
