"""The public names: `__all__`, the lazy table, and what type checkers see are one list.

The order inside `__all__` is ruff's to hold (RUF022).
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import bank_python
from bank_python import errors

PACKAGE = Path(bank_python.__file__).parent
SUBPACKAGES = sorted(init.parent.relative_to(PACKAGE).as_posix() for init in PACKAGE.glob("*/**/__init__.py"))

RELIED_ON_FROM_OUTSIDE = frozenset(
    {
        "Table",
        "BarbaraDB",
        "DependencyGraph",
        "MarketData",
        "Bond",
        "CreditDefaultSwap",
        "Option",
        "Equity",
        "FXRate",
        "Position",
        "Book",
        "PowerLawOption",
        "JobRunner",
        "JobConfig",
        "JobMode",
        "MarketDataManager",
        "SimulatedFeed",
        "HistoryFeed",
        "YahooFeed",
        "CcxtFeed",
        "ReplayFeed",
        "build_desk",
        "BankError",
    }
)


def parsed(init: Path) -> ast.Module:
    return ast.parse(init.read_text(encoding="utf-8"))


def names_seen_by_type_checkers() -> dict[str, str]:
    (block,) = (
        statement
        for statement in parsed(PACKAGE / "__init__.py").body
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or alias.name: statement.module.removeprefix("bank_python.")
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }


def declared_names(module: ast.Module) -> list[str]:
    (names,) = (
        ast.literal_eval(statement.value)
        for statement in module.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
    )
    return list(names)


def test_lazy_table_and_all_agree():
    assert len(set(bank_python.__all__)) == len(bank_python.__all__)
    assert set(bank_python.__all__) == set(bank_python._HOME)


def test_lazy_table_and_type_checking_imports_agree():
    assert names_seen_by_type_checkers() == bank_python._HOME


def test_every_name_relied_on_from_outside_is_public():
    assert set(bank_python.__all__) >= RELIED_ON_FROM_OUTSIDE


@pytest.mark.parametrize("name", bank_python.__all__)
def test_public_name_is_its_homes_public_name(name):
    home = importlib.import_module(f"bank_python.{bank_python._HOME[name]}")
    assert name in home.__all__
    assert getattr(bank_python, name) is getattr(home, name)


def test_dir_shows_every_public_name():
    assert set(dir(bank_python)) >= set(bank_python.__all__)


def test_unknown_name_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="no attribute 'Swaption'"):
        bank_python.Swaption  # noqa: B018  (the access is the test)


@pytest.mark.parametrize("name", SUBPACKAGES)
def test_subpackage_hands_on_exactly_what_it_declares(name):
    module = parsed(PACKAGE / name / "__init__.py")
    handed_on = [
        alias.asname or alias.name
        for statement in module.body
        if isinstance(statement, ast.ImportFrom)
        and statement.module not in {"__future__", "bank_python.completion", "bank_python.deprecation"}
        for alias in statement.names
    ]
    declared = declared_names(module)
    assert sorted(declared) == sorted(handed_on)
    assert len(set(declared)) == len(declared)


@pytest.mark.parametrize("name", SUBPACKAGES)
def test_subpackage_defines_nothing_of_its_own(name):
    module = parsed(PACKAGE / name / "__init__.py")
    assert ast.get_docstring(module), f"bank_python/{name}/__init__.py does not say what the package is"
    others = [
        ast.unparse(statement)
        for statement in module.body[1:]
        if not isinstance(statement, ast.ImportFrom)
        and not ast.unparse(statement).startswith(
            ("__all__ = ", "__dir__ = public_names(__name__)", "__getattr__ = old_names(")
        )
    ]
    assert others == []


@pytest.mark.parametrize("name", SUBPACKAGES)
def test_every_declared_name_is_there(name):
    module = importlib.import_module(f"bank_python.{name.replace('/', '.')}")
    assert [n for n in module.__all__ if not hasattr(module, n)] == []


def test_every_error_is_a_bank_error_and_listed():
    defined = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert set(defined) == set(errors.__all__)
    assert all(issubclass(kind, errors.BankError) for kind in defined.values())


def test_error_tree_in_the_docstring_shows_every_error():
    assert [name for name in errors.__all__ if name not in errors.__doc__] == []
