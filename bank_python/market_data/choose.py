"""Choice of a feed by name, and of the default feed from the environment.

``BANK_PYTHON_FEED`` names a feed (``simulated``, ``history``, ``yahoo``, ``ccxt``). If it is not set, Yahoo Finance is
used if the yfinance package is installed. Otherwise an error says how to choose a feed: simulated prices are never
used by default, as they could be mistaken for real ones.
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
    """Return the feed of a given name, with its default settings.

    Parameters
    ----------
    name : str
        One of :data:`FEED_NAMES`, in upper or lower case; ``history`` is the bundled S&P 500 panel.
    seed : int, default 0
        Seed of the simulated market, at least 0; ignored by the other feeds.

    Raises
    ------
    FeedConfigError
        There is no feed of that name.
    MissingExtraError
        The feed's package is not installed; the message names the extra that installs it.

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
    """Return the feed that the environment variable ``BANK_PYTHON_FEED`` names, else Yahoo Finance.

    Parameters
    ----------
    environ : mapping of str to str, optional
        Environment variables; those of the process by default.
    seed : int, default 0
        Seed of the simulated market, at least 0; ignored by the other feeds.

    Raises
    ------
    FeedConfigError
        ``BANK_PYTHON_FEED`` is not the name of a feed.
    MissingExtraError
        The package of the named feed is not installed.
    NoFeedError
        ``BANK_PYTHON_FEED`` is not set, and yfinance is not installed.
    """
    name = (os.environ if environ is None else environ).get(FEED_VARIABLE, "").strip()
    if not name:
        if find_spec("yfinance") is not None:
            return feed_named("yahoo")
        raise NoFeedError(
            "no feed was given and there is no default: pass feed=SimulatedFeed(seed=1) for a simulated market, "
            f"set {FEED_VARIABLE} to one of {', '.join(FEED_NAMES)}, or install yfinance ({how_to_install('live')})"
        )
    try:
        return feed_named(name, seed=seed)
    except FeedConfigError as error:
        error.add_note(f"the name comes from the environment variable {FEED_VARIABLE}")
        raise
