"""The library has a single default of the risk-free rate, which is shown with the results."""

import ast
from pathlib import Path

import pytest

import bank_python
from bank_python.optimizer import CovarianceData, EfficientFrontier, create_optimizer, portfolio_of
from bank_python.risk_models import RISK_FREE_RATE

PACKAGE = Path(bank_python.__file__).parent
DATA = CovarianceData(tickers=["BND", "SPY"], covariance=[[0.0025, 0.0], [0.0, 0.04]], expected_returns=[0.03, 0.08])


def defaults_of_rates():
    """Return every default of a parameter or field called `risk_free_rate`, with its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                spec = node.args
                usual = [*spec.posonlyargs, *spec.args]
                pairs = [*zip(usual[len(usual) - len(spec.defaults) :], spec.defaults, strict=True)]
                pairs += zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
                found = [default for arg, default in pairs if arg.arg == "risk_free_rate" and default is not None]
            elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "risk_free_rate":
                found = [] if node.value is None else [node.value]
            else:
                continue
            yield from ((path.name, ast.unparse(default)) for default in found)


def test_every_default_is_the_one_that_is_stated():
    found = list(defaults_of_rates())
    assert len(found) > 10
    assert [place for place in found if place[1] not in {"RISK_FREE_RATE", "None"}] == []


def test_it_is_defined_once():
    lines = [
        path.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and "RISK_FREE_RATE" in ast.unparse(node.targets[0])
    ]
    assert lines == ["risk_free.py"]
    assert RISK_FREE_RATE == 0.0


def test_all_entry_points_have_the_same_default():
    doors = [
        EfficientFrontier(DATA).max_sharpe(),
        EfficientFrontier(DATA.expected_returns, DATA.covariance).max_sharpe(),
        create_optimizer("max_sharpe", DATA).optimize(),
        portfolio_of(DATA, "by hand", [0.5, 0.5]),
        create_optimizer("barbell", DATA, max_loss_pct=0.05).optimize(),
    ]
    for found in doors:
        assert found.risk_free_rate == RISK_FREE_RATE
        assert found.sharpe == pytest.approx(found.expected_return / found.volatility, rel=1e-12)


def test_the_rate_is_shown(capsys):
    create_optimizer("max_sharpe", DATA).optimize().performance(verbose=True)
    assert "Sharpe (rf 0.0%)" in capsys.readouterr().out
