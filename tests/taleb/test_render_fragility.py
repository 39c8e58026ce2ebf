"""What a person sees of fragility: every view fits its terminal, and names that mean harm are harmless."""

import io
import unicodedata

import numpy as np
import pytest
from rich.console import Console

from bank_python.instruments import Option, Position
from bank_python.market_data import MarketData
from bank_python.optimizer.barbell_mix import BarbellMix
from bank_python.optimizer.barbell_ruin import barbell_ruin
from bank_python.optimizer.barbell_sensitivity import barbell_sensitivity
from bank_python.optimizer.covariance_data import CovarianceData
from bank_python.taleb.book_fragility import book_fragility
from bank_python.taleb.correlation_fragility import CorrelationFragilityAnalyzer
from bank_python.taleb.fragility import fragility
from bank_python.taleb.marchenko_pastur import marchenko_pastur
from bank_python.taleb.worst_case_correlation import worst_case_correlation

HOSTILE = ("[bold]x[/]", "\x1b[31mred", "a name that is longer than any column of a terminal would hold")


def panel(rows=120):
    rng = np.random.default_rng(0)
    return 0.01 * rng.standard_normal((rows, 3)) + 0.0004


def data(returns=True):
    if returns:
        return CovarianceData.from_returns(panel(), HOSTILE)
    return CovarianceData(tickers=HOSTILE, covariance=0.04 * np.eye(3), expected_returns=[0.1, 0.1, 0.1])


def books():
    put = Option("P", spot_source=MarketData("S", 100.0), vol_source=0.2, rate_source=0.0, strike=90.0, expiry=0.5)
    return book_fragility(
        {name: [Position(f"Q{i}", instrument=put, quantity=i - 1)] for i, name in enumerate(HOSTILE)}, ["spot"]
    )


BARBELL = BarbellMix(share=0.4, safe_return=0.02, mean=0.08, deviation=0.2)
SHOWN = {
    "fragility": lambda: fragility(lambda x: float(x @ x), at=[1.0, 2.0, 3.0], step=0.1, names=HOSTILE),
    "flat": lambda: fragility(lambda _: 1.0, at=1.0, step=0.1),
    "books": books,
    "correlations": lambda: CorrelationFragilityAnalyzer(data()).analyze(bootstrap=19),
    "correlations without returns": lambda: CorrelationFragilityAnalyzer(data(returns=False)).analyze(),
    "worst case": lambda: worst_case_correlation(data(), [1.0, 1.0, -1.0], 0.2),
    "noise": lambda: marchenko_pastur(panel()),
    "ruin": lambda: barbell_ruin(BARBELL, 0.1, years=1.0),
    "tail indices": lambda: barbell_sensitivity(BARBELL),
}


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("name", SHOWN)
def test_views_fit_and_are_harmless(name, width):
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False)
    console.print(SHOWN[name]())
    page = console.file.getvalue()
    assert max(map(len, page.split("\n"))) <= width
    assert not any(unicodedata.category(c) == "Cc" for c in page if c != "\n")
    assert "nan" not in page.split()


@pytest.mark.parametrize("name", SHOWN)
def test_every_result_has_html_and_exports(name):
    found = SHOWN[name]()
    assert found._repr_html_().startswith("<div>")
    assert len(found.to_table().to_list()) >= 1
    assert found.to_json().startswith("[{")
