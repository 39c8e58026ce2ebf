"""Momentum weights for many parameters at once: against a plain loop, ties by column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_python.backtester import momentum_weights
from bank_python.errors import BacktestError


def plain_weights(prices, lookback, skip, share, row):
    assets = len(prices[0])
    if row < lookback:
        return [0.0] * assets
    scores = [prices[row - skip][i] / prices[row - lookback][i] for i in range(assets)]
    held = max(1, int(share * assets + 1e-9))
    best = sorted(range(assets), key=lambda i: -scores[i])[:held]
    return [1.0 / held if i in best else 0.0 for i in range(assets)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_every_point_is_the_plain_loop(seed, assets):
    rng = np.random.default_rng(seed)
    prices = rng.integers(1, 4, size=(20, assets)).astype(float)  # many ties
    skip = rng.integers(0, 4, size=(3, 1))
    lookback = skip + rng.integers(1, 6, size=(3, 4))
    share = rng.uniform(0.01, 1.0, size=4)
    rows = np.sort(rng.choice(20, size=5, replace=False))
    found = momentum_weights(prices, lookback, skip, share, rows)
    assert found.shape == (3, 4, 5, assets)
    for i, j, k in np.ndindex(3, 4, 5):
        expected = plain_weights(prices.tolist(), lookback[i, j], skip[i, 0], share[j], rows[k])
        assert found[i, j, k].tolist() == expected


def test_shares_of_a_count_are_not_rounded_away():
    prices = np.arange(1.0, 101.0) * np.ones((3, 1)) ** 2
    for percent in range(1, 101):
        held = momentum_weights(prices, 1, 0, percent / 100.0, [2])
        assert np.count_nonzero(held) == percent
        assert held.sum() == pytest.approx(1.0, rel=1e-12)
        assert held[0, :percent].all()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lookback": 0}, "lookback=0.0 is not at least 1"),
        ({"lookback": 1.5}, "lookback=1.5 is not a whole number"),
        ({"skip": 2}, "skip below the lookback"),
        ({"top_share": 0.0}, "top_share=0.0 is not above 0"),
        ({"rows": [3]}, "rows=3.0"),
        ({"rows": 1}, "rows in a list"),
        ({"lookback": [2, 3], "skip": [0, 1, 1]}, "do not broadcast"),
        ({"prices": [1.0]}, "shape"),
    ],
)
def test_bad_input_is_refused(changed, said):
    arguments = {"prices": np.ones((3, 2)), "lookback": 2, "skip": 1, "top_share": 0.5, "rows": [2], **changed}
    with pytest.raises(BacktestError, match=said):
        momentum_weights(**arguments)
