"""Figures by ticker, in the order of the assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bank_python.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bank_python.numerics import FloatArray

__all__ = ["by_asset", "known"]

_SHOWN = 12


def by_asset(tickers: Sequence[str], given: Mapping[str, float] | None, name: str) -> FloatArray:
    """Return figures in the order of the assets, 0 for who is not named.

    Raises
    ------
    ModelError
        A ticker is not there, or a figure is not finite.
    """
    if given is None:
        return np.zeros(len(tickers))
    try:
        figures = dict(given)  # a series too
    except (TypeError, ValueError):
        raise ModelError(f"{name}={given!r}; give figures by ticker", name=name) from None
    known(tickers, figures, name)
    array = np.array([figures.get(ticker, 0.0) for ticker in tickers], dtype=np.float64)
    if not np.isfinite(array).all():
        wrong = tickers[int(np.flatnonzero(~np.isfinite(array))[0])]
        raise ModelError(f"{name} of {wrong} is {figures[wrong]}; correct it", name=wrong)
    return array


def known(tickers: Sequence[str], named: Mapping[str, object], name: str) -> None:
    """Refuse names that are no tickers.

    Raises
    ------
    ModelError
        One is not there; the message lists those that are.
    """
    there = set(tickers)
    strange = next((ticker for ticker in named if ticker not in there), None)
    if strange is not None:
        listed = ", ".join(tickers[:_SHOWN]) + (" …" if len(tickers) > _SHOWN else "")
        raise ModelError(f"{name} names {strange!r}; there are {listed}", name=strange)
