"""Conversion of figures by ticker to arrays in the order of the assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray

__all__ = ["by_asset", "check_tickers"]

_SHOWN = 12


def by_asset(tickers: Sequence[str], given: Mapping[str, float] | None, name: str) -> FloatArray:
    """Return figures in the order of the assets, with 0 for assets not listed.

    Raises
    ------
    ModelError
        If a ticker is unknown, or a figure is not finite.
    """
    if given is None:
        return np.zeros(len(tickers))
    try:
        figures = dict(given)  # a series too
    except (TypeError, ValueError):
        raise ModelError(f"{name}={given!r}; give figures by ticker", name=name) from None
    check_tickers(tickers, figures, name)
    array = np.array([figures.get(ticker, 0.0) for ticker in tickers], dtype=np.float64)
    if not np.isfinite(array).all():
        wrong = tickers[int(np.flatnonzero(~np.isfinite(array))[0])]
        raise ModelError(f"{name} of {wrong} is {figures[wrong]}; correct it", name=wrong)
    return array


def check_tickers(tickers: Sequence[str], named: Mapping[str, object], name: str) -> None:
    """Check that all names are tickers of the assets.

    Raises
    ------
    ModelError
        If a name is unknown; the message lists the tickers.
    """
    present = set(tickers)
    unknown = next((ticker for ticker in named if ticker not in present), None)
    if unknown is not None:
        listed = ", ".join(tickers[:_SHOWN]) + (" …" if len(tickers) > _SHOWN else "")
        raise ModelError(f"{name} contains the unknown ticker {unknown!r}; there are {listed}", name=unknown)
