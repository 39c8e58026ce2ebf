"""Everything about hedging and power-law prices that can be drawn is drawn."""

from __future__ import annotations

import pytest

from bank_python.taleb.hedge_costs import cost_trade_off
from bank_python.taleb.hedging_error import HedgingErrorSimulator
from bank_python.taleb.hull_paths import hull_paths
from bank_python.taleb.power_law_pricer import PowerLawPricer


@pytest.mark.slow
def test_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    simulator = HedgingErrorSimulator(n_steps=5)
    results = simulator.compare_all(500, 1)
    shown = [
        results,
        results[0],
        simulator.shrinkage(n_steps=(2, 4, 8), n_paths=200),
        cost_trade_off(simulator, 0.01, (2, 4), n_paths=200),
        hull_paths()[0],
        PowerLawPricer(100.0, 105.0, 1.0, 2.5).price_range([100.0, 110.0, 120.0]),
        PowerLawPricer.fit_alpha(100.0, [110.0, 120.0, 140.0], [4.0, 1.05, 0.25]),
    ]
    for i, each in enumerate(shown):
        path = tmp_path / f"{i}.png"
        figure = each.plot(path)
        assert path.stat().st_size > 5_000
        assert all(axes.lines for axes in figure.axes)
        assert "<img" in each._repr_html_()
